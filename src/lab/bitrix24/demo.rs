//! What a portal is made of unless a script says otherwise: the company "demo".

use super::options::{
    ApplicationKind, ApplicationOptions, FunnelOptions, StageOptions, UserFieldOptions,
    UserOptions, full_scope,
};

pub(super) fn application() -> ApplicationOptions {
    ApplicationOptions {
        id: 3,
        name: "Trunkline".into(),
        client_id: "local.65f0c0ffee0001.12345678".into(),
        client_secret: "lab-bitrix24-secret".into(),
        kind: ApplicationKind::Local,
        scope: full_scope(),
        return_url: Some("https://box.example/oauth/bitrix24".into()),
        install_url: None,
        installed: true,
    }
}

pub(super) fn users() -> Vec<UserOptions> {
    let admin = UserOptions {
        is_admin: true,
        ..UserOptions::employee(1, "Ольга", "Иванова", "100")
    };
    let anna = UserOptions {
        mobile: Some("+79031110101".into()),
        ..UserOptions::employee(12, "Анна", "Петрова", "101")
    };
    let left = UserOptions {
        is_active: false,
        ..UserOptions::employee(16, "Павел", "Уволенный", "")
    };
    vec![
        admin,
        anna,
        UserOptions::employee(13, "Борис", "Сидоров", "102"),
        UserOptions::employee(14, "Вера", "Кузнецова", "103"),
        UserOptions::employee(15, "Безфамильный", "", "104"),
        left,
    ]
}

pub(super) fn funnels() -> Vec<FunnelOptions> {
    let closing = || {
        [
            StageOptions::closing("WON", "Сделка успешна", 'S'),
            StageOptions::closing("LOSE", "Сделка провалена", 'F'),
        ]
    };
    let funnel = |id, name: &str, work: &[(&str, &str)]| FunnelOptions {
        id,
        name: name.into(),
        stages: work
            .iter()
            .map(|(id, name)| StageOptions::work(id, name))
            .chain(closing())
            .collect(),
    };
    vec![
        funnel(
            0,
            "Общая",
            &[("NEW", "Новая"), ("PREPARATION", "Подготовка документов")],
        ),
        funnel(3, "Сервис", &[("NEW", "Заявка"), ("EXECUTING", "В работе")]),
    ]
}

pub(super) fn lead_stages() -> Vec<StageOptions> {
    vec![
        StageOptions::work("NEW", "Не обработан"),
        StageOptions::work("IN_PROCESS", "В работе"),
        StageOptions::work("PROCESSED", "Обработан"),
        StageOptions::closing("CONVERTED", "Качественный лид", 'S'),
        StageOptions::closing("JUNK", "Некачественный лид", 'F'),
    ]
}

pub(super) fn user_fields() -> Vec<UserFieldOptions> {
    let channel = UserFieldOptions {
        kind: "enumeration".into(),
        choices: vec!["Сайт".into(), "Звонок".into(), "Визит".into()],
        ..UserFieldOptions::text("deal", "UF_CRM_1700000002", "Канал")
    };
    let visit = UserFieldOptions {
        kind: "datetime".into(),
        ..UserFieldOptions::text("deal", "UF_CRM_1700000003", "Дата визита")
    };
    vec![
        UserFieldOptions::text("deal", "UF_CRM_1700000001", "Источник звонка"),
        channel,
        visit,
        UserFieldOptions::text("contact", "UF_CRM_1700000011", "Откуда узнали"),
        UserFieldOptions::text("lead", "UF_CRM_1700000021", "Источник звонка"),
    ]
}
