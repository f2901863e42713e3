//! The Russian wording. It keeps to forms that need no agreement with a number or a gender.

use crate::model::call::MissReason;
use crate::model::communication::{Kind, Phase};
use crate::model::explanation::{
    CallAction, CallCase, CallTask, CardName, ChosenBy, ConditionSeen, Language, Reason, RulePass,
    Side, TemplateMiss, TransferAction, UserName,
};
use crate::model::plan::Entity;

pub(super) fn text(reason: &Reason) -> String {
    match reason {
        Reason::IntegrationOff => {
            "Интеграция выключена (S1-04): по этому обращению ничего не делается.".to_owned()
        }
        Reason::IntegrationObserves => {
            "Интеграция только наблюдает: решение записано, в CRM ничего не отправляется."
                .to_owned()
        }
        Reason::NothingConfigured { kind } => {
            format!(
                "В настройках интеграции ничего не задано для {}.",
                kinds(*kind)
            )
        }
        Reason::PhaseNotDecided { phase } => format!(
            "Момент «{}»: решение о звонке принимается, когда он завершён (S1-14).",
            moment(*phase)
        ),
        Reason::PhaseNotOffered { kind, phase } => format!(
            "Момент «{}»: эта CRM в такой момент ничего не принимает для {}.",
            moment(*phase),
            kinds(*kind)
        ),
        Reason::DecidedAtAnswer => {
            "Что создать по звонку, решено при ответе (S1-27): по окончании добавляются задачи и \
             запись о звонке."
                .to_owned()
        }
        Reason::CaseAtEnd { side, case } => format!(
            "{}: записи создаются по окончании звонка, а не при ответе (S1-27).",
            rule(*side, *case)
        ),
        Reason::InternalCall => {
            "Внутренний звонок: сотрудники говорили между собой (S1-28).".to_owned()
        }
        Reason::EmployeePhone { phone, employee } => format!(
            "Номер {phone} — собственный телефон сотрудника ({employee}): звонок считается \
             внутренним (S1-28)."
        ),
        Reason::PartnerNumber { phone } => format!(
            "Номер {phone} стоит в списке партнёров (S1-28, calls.partner_numbers): по его \
             звонкам ничего не делается."
        ),
        Reason::NumberWithheld => {
            "Номер клиента скрыт: найти или создать клиента нельзя.".to_owned()
        }
        Reason::NumberUnreadable { text } => {
            format!("«{text}» — не телефонный номер клиента: найти или создать клиента нельзя.")
        }
        Reason::EmployeeNotReached { miss } => format!(
            "Звонок из CRM: до сотрудника не дозвонились ({}), клиента не набирали. Это не звонок \
             клиенту.",
            missed(*miss)
        ),
        Reason::SeenPartly { what } => format!("Звонок виден не полностью: {what}."),
        Reason::EndUnseen => {
            "Чем закончился звонок, источник не сообщил: он считается пропущенным.".to_owned()
        }
        Reason::ClientUnknown { phone } => {
            format!("Номера {phone} нет ни в одном контакте: клиент новый.")
        }
        Reason::ClientKnown { phone, contact } => format!(
            "Номер {phone} есть в контакте {}: клиент известен.",
            card(contact)
        ),
        Reason::ClientOnlyCompany { phone, company } => format!(
            "Номер {phone} есть только у компании {}, контакта с ним нет: обращение считается \
             первичным.",
            card(company)
        ),
        Reason::ContactChosen { contact, among, by } => format!(
            "Контактов с этим номером: {among}. Взят {}: {}.",
            card(contact),
            match by {
                ChosenBy::OpenDeal => "у него есть открытая сделка",
                ChosenBy::LatestChange => "он изменён последним",
            }
        ),
        Reason::FirstTimeKept { first_time } => format!(
            "Обращение уже признано {} раньше; сегодняшнее состояние CRM этого не меняет.",
            if *first_time {
                "первичным"
            } else {
                "повторным"
            }
        ),
        Reason::DecidedAgain => {
            "Решение принимается заново: сделанное остаётся, остальное планируется по нынешним \
             настройкам."
                .to_owned()
        }
        Reason::NumberFiltered { side, phone } => format!(
            "Номер {phone} стоит в фильтре ({}, {}.filtered_numbers): контакт, сделка и \
             неразобранное не создаются.",
            match side {
                Side::Incoming => "S1-18",
                Side::Outgoing => "S1-20",
            },
            side.path()
        ),
        Reason::CaseAbsent { side, case } => {
            format!("{} не настроено: новых записей нет.", rule(*side, *case))
        }
        Reason::CaseOff { side, case } => {
            format!("{} выключено: новых записей нет.", rule(*side, *case))
        }
        Reason::CaseActs { side, case, action } => {
            format!("{}: {}.", rule(*side, *case), act(action))
        }
        Reason::ContactUsed { contact } => {
            format!("Контакт не создаётся: в CRM уже есть {}.", card(contact))
        }
        Reason::ContactGone => {
            "Контакта, который был у клиента, в CRM больше нет: он создаётся заново.".to_owned()
        }
        Reason::ContactAwaited => {
            "Контакт по звонку создаёт сама CRM: он ожидается (S2-12).".to_owned()
        }
        Reason::OpenDeal { deal, open } => format!(
            "Сделка не создаётся: открытых сделок у клиента {open}, самая новая № {deal} (S1-15)."
        ),
        Reason::NoOpenDeal => "Открытых сделок у клиента нет: сделка создаётся (S1-15).".to_owned(),
        Reason::DealTooSoon {
            deal,
            closed_at,
            until,
        } => format!(
            "Сделка не создаётся: последняя (№ {deal}) закрыта {closed_at}, новая возможна с \
             {until} (S1-15, V-03)."
        ),
        Reason::Tagged { tags } => format!("Теги новых записей: {} (S1-21).", listed(tags)),
        Reason::TemplateFailed { path, why } => {
            format!(
                "Шаблон {path} не дал текста ({}): взят текст по умолчанию (V-09).",
                no_text(why)
            )
        }
        Reason::OtherTelephony => {
            "Используется другая телефония: по звонку только заполняются поля существующих \
             карточек (V-03, calls.telephony)."
                .to_owned()
        }
        Reason::FieldsFilled { card, fields } => format!(
            "Заполняются дополнительные поля (карточка: {}): № {} (V-10).",
            thing(*card),
            fields.join(", № ")
        ),
        Reason::NoCardForFields { card } => format!(
            "Заполнять поля не в чем: карточки такого вида ({}) у клиента нет или она не одна \
             (V-10).",
            thing(*card)
        ),
        Reason::FieldLeftOut {
            path,
            card,
            field,
            why,
        } => format!(
            "Поле «{field}» (карточка: {}) не заполняется ({path}): {}.",
            thing(*card),
            why.text(Language::Ru)
        ),
        Reason::TaskActs { side, task } => {
            format!(
                "{} (S1-16, {}).",
                task_title(*side, *task),
                task.path(*side)
            )
        }
        Reason::TaskOff { side, task } => {
            format!(
                "{}: выключено (S1-16, {}).",
                task_title(*side, *task),
                task.path(*side)
            )
        }
        Reason::StepStands { entity } => format!(
            "По этому обращению уже есть шаг «{}»: второй раз он не планируется.",
            thing(*entity)
        ),
        Reason::StepGivenUp { entity } => format!(
            "Шаг «{}» раньше не удался или был снят: он вернётся, только если решить обращение \
             заново.",
            thing(*entity)
        ),
        Reason::MadeAlready { made, instead_of } => format!(
            "По этому обращению уже есть «{}»: «{}» не создаётся.",
            thing(*made),
            thing(*instead_of)
        ),
        Reason::NotOffered { entity } => format!(
            "Подключение к этой CRM не создаёт таких записей: {}. Это пропущено.",
            thing(*entity)
        ),
        Reason::CallFiltered { side } => format!(
            "Звонок не проходит фильтр (S2-23, {}.filter): контакт, сделку и неразобранное не \
             создаём.",
            side.path()
        ),
        Reason::KindOff { kind } => format!(
            "Обработка {} выключена (S0-06, {}.on): ничего не делаем.",
            kinds(*kind),
            block(*kind)
        ),
        Reason::ConditionsSeen {
            path,
            holds,
            conditions,
        } => format!(
            "Условия {path}: {}. В целом: {}.",
            conditions_said(conditions),
            said(*holds)
        ),
        Reason::FilteredOut { kind } => format!(
            "Не проходит фильтр (S0-13, {}.filter): ничего не создаём.",
            block(*kind)
        ),
        Reason::AddressesUnknown { addresses } if addresses.is_empty() => {
            "Клиент не оставил ни номера, ни адреса почты: обращение считается первичным."
                .to_owned()
        }
        Reason::AddressesUnknown { addresses } => format!(
            "Контакта с {} в CRM нет: клиент новый.",
            addresses.join(" или ")
        ),
        Reason::AddressesKnown {
            addresses,
            contact,
            among,
        } => format!(
            "У контакта {} есть {}: клиент известен (найдено контактов: {among}).",
            card(contact),
            addresses.join(" или ")
        ),
        Reason::RepeatLeft { kind } => format!(
            "Обрабатываем только первичные обращения (S0-10, {}.first_time_only): повторное не \
             трогаем.",
            block(*kind)
        ),
        Reason::ChatWithoutContacts => {
            "Посетитель не оставил ни номера, ни почты, а такие чаты не \
             передаются (S2-22, chats.without_contacts)."
                .to_owned()
        }
        Reason::ChatAtOtherMoment { phase } => format!(
            "Момент «{}»: записи по чатам создаются в другой момент (S2-21, chats.at).",
            moment(*phase)
        ),
        Reason::NobodyTookChat => {
            "Чат никто не принял, а записи создаются при принятии (S2-21, chats.at).".to_owned()
        }
        Reason::ChatActedBefore => {
            "Что создать по чату, решено в более ранний момент (S2-21).".to_owned()
        }
        Reason::ChatNotTagged => {
            "У чата нет тегов, а записи создаются, когда тег поставлен (S2-21, chats.at)."
                .to_owned()
        }
        Reason::ChatWordsWait => {
            "Переписка ждёт момента, в который создаются записи по чату (chats.at).".to_owned()
        }
        Reason::ChatNothingNew => "Вся переписка уже в карточке.".to_owned(),
        Reason::ChatLost => "Чат завершился, никто из компании не написал.".to_owned(),
        Reason::ChatOver { at } => format!("К {at} чат завершился."),
        Reason::ChatGoesOn => "Чат продолжается после завершения.".to_owned(),
        Reason::MessageInClosedChat { again: true } => {
            "Клиент написал в закрытый чат: новая заявка в «Неразобранном» (V-05, \
             chats.in_closed_chat)."
                .to_owned()
        }
        Reason::MessageInClosedChat { again: false } => {
            "Клиент написал в закрытый чат: примечание в карточке (chats.in_closed_chat)."
                .to_owned()
        }
        Reason::HandedOver { contact, user } => format!(
            "Контакт {} передан: {} (V-05, chats.update_responsible).",
            card(contact),
            person(user)
        ),
        Reason::MethodActs {
            kind: _,
            first_time,
            method,
        } => format!(
            "Обращение {}: {}.",
            if *first_time {
                "первичное"
            } else {
                "повторное"
            },
            transfer(method)
        ),
        Reason::PipelineByRule {
            rule,
            pipeline,
            stage,
        } => format!(
            "Сделка попадает в воронку {pipeline}, этап {stage}, по правилу «{rule}» (S0-22)."
        ),
        Reason::ContentNoted { card } => format!(
            "Текст обращения записываем примечанием (S0-12). Карточка: {}.",
            thing(*card)
        ),
        Reason::ResponsibleTold { user, card } => format!(
            "Уведомляем о новой карточке (S3-17): {}. Карточка: {}.",
            person(user),
            thing(*card)
        ),
        Reason::AssignedTo { path, user } => {
            format!(
                "Ответственный назначен настройкой {path}: {}.",
                person(user)
            )
        }
        Reason::ToldOutside { card } => format!(
            "О новой карточке сообщим письмом или вебхуком, когда она будет создана (S3-17). \
             Карточка: {}.",
            thing(*card)
        ),
        Reason::TextTaskActs {
            kind,
            user,
            owner_of,
        } => {
            let why = match owner_of {
                Some(card) => format!(", ответственный за карточку ({})", thing(*card)),
                None => String::new(),
            };
            format!(
                "Ставим задачу (S0-11, {}.task). Исполнитель: {}{why}.",
                block(*kind),
                person(user)
            )
        }
        Reason::DefaultAnswers { kind, user } => format!(
            "Ответственный по умолчанию: {} ({}.default_responsible).",
            person(user),
            block(*kind)
        ),
        Reason::RuleAnswers { kind, rule, user } => format!(
            "Ответственный по правилу «{rule}»: {} (S0-16, {}.responsible).",
            person(user),
            block(*kind)
        ),
        Reason::ResponsibleDefault { user } => format!(
            "Ответственный — {}, по умолчанию (S1-17, calls.default_responsible).",
            person(user)
        ),
        Reason::ResponsibleOfContact { user, contact } => format!(
            "Ответственный за сделку — {}, как и за контакт {}.",
            person(user),
            card(contact)
        ),
        Reason::ResponsibleByRule { rule, user } => format!(
            "Ответственный — {}, по правилу «{rule}» (calls.responsible).",
            person(user)
        ),
        Reason::RulePassed { rule, why } => format!(
            "Правило ответственных «{rule}» подходит, но никого не называет: {}.",
            passed(why)
        ),
        Reason::TaskOfTalker { user } => format!(
            "Задача — тому, кто говорил с клиентом: {} (S1-16).",
            person(user)
        ),
        Reason::TalkerPassed { why } => format!(
            "Задача не может достаться тому, кто говорил с клиентом ({}): она идёт ответственному.",
            passed(why)
        ),
        Reason::TaskOfCardOwner { user, entity } => format!(
            "Задача — ответственному за карточку ({}): {} (S1-16).",
            thing(*entity),
            person(user)
        ),
        Reason::LogOfOwner { user, entity } => format!(
            "Звонок записывается за сотрудником {}: он отвечает за карточку ({}) (V-04).",
            person(user),
            thing(*entity)
        ),
        Reason::LoggedOnDeal { deal } => format!(
            "Звонок записывается в сделку № {deal}: она у клиента единственная открытая (S1-26)."
        ),
        Reason::LoggedOnContact { contact, open } => format!(
            "Звонок записывается в контакт {}: открытых сделок у клиента {} (S1-26).",
            card(contact),
            count(*open)
        ),
        Reason::LoggedOnCompany { company } => format!(
            "Звонок записывается в компанию {}: контакта с этим номером нет (S1-26).",
            card(company)
        ),
        Reason::LoggedOnLead { lead } => format!(
            "Звонок записывается в лид {}: номера нет ни в контактах, ни в компаниях (S1-26).",
            card(lead)
        ),
        Reason::OpenLead { lead } => {
            format!(
                "Лид не создаётся: у клиента уже есть открытый, {} (S3-05).",
                card(lead)
            )
        }
        Reason::LoggedOnMade { entity } => format!(
            "Звонок записывается в новую карточку: {} (S1-26).",
            thing(*entity)
        ),
        Reason::LoggedByCrm => {
            "Карточку для записи звонка выбирает сама CRM по номеру (S1-26, calls.call_history)."
                .to_owned()
        }
        Reason::LoggedInUnsorted => {
            "Звонок виден в самой записи неразобранного, отдельно он не записывается (S1-12)."
                .to_owned()
        }
        Reason::FilteredNotLogged { side } => format!(
            "Отфильтрованные звонки не записываются ({}.filtered, V-14): звонка и его записи \
             разговора в CRM не будет.",
            side.path()
        ),
        Reason::NothingToLogOn => {
            "Записать звонок некуда: клиента нет в CRM, и ничего не создаётся (S1-26).".to_owned()
        }
        Reason::RecordingHandedOver => "Запись разговора готова: CRM получает сам файл.".to_owned(),
        Reason::RecordingLinked => {
            "Запись разговора готова: её адрес добавляется к записи о звонке.".to_owned()
        }
        Reason::RecordingThere => "Адрес записи разговора уже стоит в записи о звонке.".to_owned(),
        Reason::RecordingWithoutEntry => {
            "В CRM нет записи об этом звонке: адрес записи разговора не добавлен.".to_owned()
        }
        Reason::ExtensionUnknown { extension } => format!(
            "Внутренний номер {extension} не указан ни у одного сотрудника: звонок записывается без \
             сотрудника."
        ),
        Reason::EmployeeUnmapped {
            employee,
            extension,
        } => format!(
            "Сотрудник {employee} (внутренний номер {extension}) не сопоставлен с пользователем \
             CRM (S1-06): звонок записывается без сотрудника."
        ),
        Reason::NobodyNamed { phones } => format!(
            "Кто из сотрудников отвечает за звонок, неясно (телефонов сотрудников в нём: \
             {phones}): он записывается без сотрудника."
        ),
    }
}

fn rule(side: Side, case: CallCase) -> String {
    let title = match (side, case) {
        (Side::Incoming, CallCase::AnsweredUnknown) => "Отвеченный звонок, новый клиент",
        (Side::Incoming, CallCase::MissedUnknown) => "Пропущенный звонок, новый клиент",
        (Side::Incoming, CallCase::AnsweredKnown) => "Отвеченный звонок, известный клиент",
        (Side::Incoming, CallCase::MissedKnown) => "Пропущенный звонок, известный клиент",
        (Side::Outgoing, CallCase::AnsweredUnknown) => "Исходящий звонок с ответом, новый клиент",
        (Side::Outgoing, CallCase::MissedUnknown) => "Исходящий звонок без ответа, новый клиент",
        (Side::Outgoing, CallCase::AnsweredKnown) => "Исходящий звонок с ответом, известный клиент",
        (Side::Outgoing, CallCase::MissedKnown) => "Исходящий звонок без ответа, известный клиент",
    };
    let outgoing = match side {
        Side::Incoming => "",
        Side::Outgoing => "S1-19, ",
    };
    format!(
        "Правило «{title}» ({}, {outgoing}{})",
        case.row(),
        case.path(side)
    )
}

fn act(action: &CallAction) -> String {
    match action {
        CallAction::ContactAndDeal { pipeline, stage } => {
            format!("создать контакт и сделку в воронке {pipeline}, этап {stage}")
        }
        CallAction::DealUnlessOpen {
            pipeline,
            stage,
            wait_s: _,
        } => format!(
            "использовать контакт и, если открытой сделки нет, создать сделку в воронке \
             {pipeline}, этап {stage}"
        ),
        CallAction::DealAlways { pipeline, stage } => {
            format!("всегда создавать сделку в воронке {pipeline}, этап {stage}")
        }
        CallAction::Unsorted { pipeline } => {
            format!("создать запись в неразобранном, воронка {pipeline}")
        }
        CallAction::Contact => "создать только контакт".to_owned(),
        CallAction::Lead { stage: None } => "создать лид на первом этапе".to_owned(),
        CallAction::Lead { stage: Some(stage) } => format!("создать лид, этап {stage}"),
    }
}

fn task_title(side: Side, task: CallTask) -> &'static str {
    match (side, task) {
        (Side::Incoming, CallTask::Taken) => "Задача сотруднику, принявшему звонок",
        (Side::Outgoing, CallTask::Taken) => "Задача сотруднику, говорившему с клиентом",
        (Side::Incoming, CallTask::Missed) => "Задача ответственному о пропущенном звонке",
        (Side::Outgoing, CallTask::Missed) => "Задача ответственному о звонке без ответа",
    }
}

fn block(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "calls",
        Kind::Chat => "chats",
        Kind::Request => "requests",
    }
}

fn said(holds: bool) -> &'static str {
    if holds {
        "выполнено"
    } else {
        "не выполнено"
    }
}

fn conditions_said(conditions: &[ConditionSeen]) -> String {
    if conditions.is_empty() {
        return "нет".to_owned();
    }
    let each = conditions.iter().map(|one| {
        let way = if one.include {
            "включить"
        } else {
            "исключить"
        };
        let at = match one.path.as_str() {
            "" => String::new(),
            path => format!("{path} "),
        };
        format!(
            "{at}{way} {} — {} ({})",
            one.parameter,
            said(one.holds),
            seen(one)
        )
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Says what the communication had.
fn seen(one: &ConditionSeen) -> String {
    if one.undecided {
        return "решает только ответ, V-08".to_owned();
    }
    if one.found.is_empty() {
        return "не сообщено".to_owned();
    }
    let found = one.found.iter().map(|text| format!("«{text}»"));
    found.collect::<Vec<_>>().join(", ")
}

fn transfer(method: &TransferAction) -> String {
    match method {
        TransferAction::ByHand => "обрабатывают вручную, записей не создаём (S0-07)".to_owned(),
        TransferAction::Unsorted { pipeline } => {
            format!("всегда создаём неразобранное, воронка {pipeline} (S0-08)")
        }
        TransferAction::Contact => "создаём контакт, только при первичном (S0-09)".to_owned(),
        TransferAction::ContactAndDeal { pipeline, stage } => format!(
            "всегда создаём сделку в воронке {pipeline}, этап {stage}, а контакт — при первичном \
             обращении (S0-09)"
        ),
        TransferAction::Lead { stage } => {
            let stage = stage.as_deref().unwrap_or("первый");
            format!("создаём лид, если нет открытого, этап {stage} (S3-05)")
        }
    }
}

pub(super) fn no_text(why: &TemplateMiss) -> String {
    match why {
        TemplateMiss::Empty => "его переменные пусты".to_owned(),
        TemplateMiss::Broken { words } => words.clone(),
    }
}

fn passed(why: &RulePass) -> String {
    match why {
        RulePass::NobodyTalked => "с клиентом никто не говорил".to_owned(),
        RulePass::NobodyCalled => "кто звонил клиенту, неизвестно".to_owned(),
        RulePass::NoOwner => "у клиента нет контакта с ответственным".to_owned(),
        RulePass::ExtensionUnknown { extension } => {
            format!("внутренний номер {extension} не указан ни у одного сотрудника")
        }
        RulePass::EmployeeUnmapped { employee } => {
            format!("сотрудник {employee} не сопоставлен с пользователем CRM (S1-06)")
        }
        RulePass::EmployeeUnknown { employee } => format!("сотрудника {employee} больше нет"),
    }
}

fn listed(tags: &[String]) -> String {
    let quoted: Vec<String> = tags.iter().map(|tag| format!("«{tag}»")).collect();
    quoted.join(", ")
}

/// After «для».
fn kinds(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "звонков",
        Kind::Chat => "чатов",
        Kind::Request => "заявок с сайта",
    }
}

fn moment(phase: Phase) -> &'static str {
    match phase {
        Phase::Ringing => "идёт вызов",
        Phase::Answered => "ответ",
        Phase::Started => "первое сообщение",
        Phase::Accepted => "чат принят",
        Phase::Tagged => "чат отмечен тегом",
        Phase::Message => "сообщение",
        Phase::Continued => "сообщение после завершения",
        Phase::Ended => "завершено",
        Phase::RecordingReady => "готова запись разговора",
        Phase::Received => "заявка получена",
    }
}

fn missed(miss: MissReason) -> &'static str {
    match miss {
        MissReason::NoAnswer => "нет ответа",
        MissReason::Busy => "занято",
        MissReason::Declined => "вызов отклонён",
        MissReason::CallerGaveUp => "звонивший не дождался",
        MissReason::AbandonedInQueue => "не дождались в очереди",
        MissReason::NobodyRung => "звонить было некому",
        MissReason::Failed => "вызов не прошёл",
    }
}

fn thing(entity: Entity) -> &'static str {
    match entity {
        Entity::Contact => "контакт",
        Entity::Company => "компания",
        Entity::Deal => "сделка",
        Entity::Lead => "лид",
        Entity::Unsorted => "запись в неразобранном",
        Entity::Task => "задача",
        Entity::CallRecord => "запись о звонке",
        Entity::Note => "примечание",
        Entity::Notice => "уведомление",
        Entity::Fields => "дополнительные поля",
    }
}

fn count(open: usize) -> String {
    match open {
        0 => "нет".to_owned(),
        some => some.to_string(),
    }
}

fn card(card: &CardName) -> String {
    if card.name.trim().is_empty() {
        format!("№ {}", card.id)
    } else {
        format!("«{}» (№ {})", card.name, card.id)
    }
}

fn person(user: &UserName) -> String {
    match &user.name {
        Some(name) => format!("{name} (пользователь CRM № {})", user.id),
        None => format!("пользователь CRM № {}", user.id),
    }
}
