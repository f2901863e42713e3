//! The Russian wording of what only chats and requests have.

use super::russian::{card, person, thing};
use crate::model::communication::{Address, Kind};
use crate::model::written_reason::{MethodName, WrittenReason};

pub(super) fn text(why: &WrittenReason) -> String {
    match why {
        WrittenReason::SwitchedOff { kind } => format!(
            "{} выключены (S0-06, {}.on): ничего не делается.",
            plural(*kind),
            path(*kind)
        ),
        WrittenReason::NoAddress => {
            "Клиент не оставил ни номера, ни e-mail: это считается первичным обращением.".to_owned()
        }
        WrittenReason::ClientUnknown { addresses } => {
            format!("Контакта по {} нет: клиент новый.", list(addresses))
        }
        WrittenReason::ClientKnown { addresses, contact } => format!(
            "Контакт {} найден по {}: клиент известен.",
            card(contact),
            list(addresses)
        ),
        WrittenReason::ClientOnlyCompany { addresses, company } => format!(
            "По {} найдена только компания {}, контакта нет: это считается первичным обращением.",
            list(addresses),
            card(company)
        ),
        WrittenReason::OnlyFirstTime { kind } => format!(
            "Обрабатываются только первичные обращения (S0-10, {}.first_time_only), а это \
             повторное: ничего не создаётся.",
            path(*kind)
        ),
        WrittenReason::MethodActs {
            kind,
            first_time,
            method,
        } => format!(
            "{} обращение: {} ({}).",
            if *first_time {
                "Первичное"
            } else {
                "Повторное"
            },
            made(method),
            row(*kind, method)
        ),
        WrittenReason::MethodKept => {
            "Что создать по этому обращению, уже решено раньше: теперь только дополняется."
                .to_owned()
        }
        WrittenReason::ContactThere { contact } => format!(
            "Контакт не создаётся: в CRM уже есть {} (S0-09).",
            card(contact)
        ),
        WrittenReason::PlaceDefault { kind } => format!(
            "Сделка создаётся в воронке по умолчанию (S0-21, {}.deals).",
            path(*kind)
        ),
        WrittenReason::PlaceByRule { kind, rule } => format!(
            "Сделка создаётся в воронке правила «{rule}» (S0-22, {}.deals.rules).",
            path(*kind)
        ),
        WrittenReason::ResponsibleDefault { kind, user } => format!(
            "Ответственный — {}, по умолчанию (S0-16, {}.default_responsible).",
            person(user),
            path(*kind)
        ),
        WrittenReason::ResponsibleByRule { kind, rule, user } => format!(
            "Ответственный — {}, по правилу «{rule}» (S0-16, {}.responsible).",
            person(user),
            path(*kind)
        ),
        WrittenReason::Tagged { tags } => {
            let tags: Vec<String> = tags.iter().map(|tag| format!("«{tag}»")).collect();
            format!("Теги новых записей: {} (S0-19).", tags.join(", "))
        }
        WrittenReason::TaskActs { kind } => {
            format!("Задача ответственному (S0-11, {}.task).", path(*kind))
        }
        WrittenReason::TaskOff { kind } => format!(
            "Задача ответственному: выключено (S0-11, {}.task).",
            path(*kind)
        ),
        WrittenReason::TaskOfCardOwner { user, entity } => format!(
            "Задача — ответственному за карточку ({}): {} (S0-11).",
            thing(*entity),
            person(user)
        ),
        WrittenReason::NotedOn { entity, new } => format!(
            "Содержание обращения записывается примечанием: {} ({}).",
            thing(*entity),
            if *new {
                "создаётся"
            } else {
                "уже есть"
            }
        ),
        WrittenReason::NotedNowhere => {
            "Записать содержание обращения некуда: карточки клиента в CRM нет.".to_owned()
        }
    }
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "Звонки",
        Kind::Chat => "Чаты",
        Kind::Request => "Заявки с сайта",
    }
}

fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "calls",
        Kind::Chat => "chats",
        Kind::Request => "requests",
    }
}

fn row(kind: Kind, method: &MethodName) -> &'static str {
    match (kind, method) {
        (Kind::Chat, _) => "V-05",
        (_, MethodName::ByHand) => "S0-07",
        (_, MethodName::Unsorted { .. }) => "S0-08",
        (_, MethodName::Contact | MethodName::ContactAndDeal) => "S0-09",
    }
}

fn made(method: &MethodName) -> String {
    match method {
        MethodName::ByHand => "обрабатывается вручную, записи не создаются".to_owned(),
        MethodName::Unsorted { pipeline } => {
            format!("запись в неразобранном, воронка {pipeline}")
        }
        MethodName::Contact => "контакт, если клиента ещё нет".to_owned(),
        MethodName::ContactAndDeal => "сделка всегда, контакт — если клиента ещё нет".to_owned(),
    }
}

fn list(addresses: &[Address]) -> String {
    let words: Vec<String> = addresses
        .iter()
        .map(|address| match address {
            Address::Phone(phone) => format!("номеру {phone}"),
            Address::Email(email) => format!("адресу {email}"),
            Address::Visitor(visitor) => format!("посетителю {visitor}"),
        })
        .collect();
    words.join(" и ")
}
