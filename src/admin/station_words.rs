//! What is said of a call's stations, in Russian and English.

use crate::model::explanation::Language;

use super::stations::Words;

pub(super) fn text(words: &Words, phone: &str, language: Language) -> String {
    match language {
        Language::Ru => russian(words, phone),
        Language::En => english(words, phone),
    }
}

fn russian(words: &Words, phone: &str) -> String {
    match words {
        Words::PostedTo => "источник сам присылает события".to_owned(),
        Words::SessionUp => "связь с АТС есть".to_owned(),
        Words::SessionWasUp => "связь с АТС была, когда шёл звонок; сейчас её нет".to_owned(),
        Words::SessionDown(why) => format!(
            "связи с АТС нет: {}",
            why.as_deref().unwrap_or("сессия ещё не открыта")
        ),
        Words::NoCall => format!("звонка {phone} ещё не было, событий от источника тоже"),
        Words::NoCallButEvents => {
            format!("источник присылает события, но звонка {phone} среди них ещё не было")
        }
        Words::OtherCalls(others) => format!(
            "звонка {phone} ещё не было; были другие: {}. Номер указан верно?",
            others.join(", ")
        ),
        Words::Began(at) => format!("источник сообщил о звонке {phone}, начало {at}"),
        Words::Stored(at) => format!("принят и записан на диск {at}"),
        Words::NotTaken(why) => format!("записан, но ни одна интеграция его не берёт: {why}"),
        Words::Nobody => "ни одна интеграция ничего не решает о таких звонках".to_owned(),
        Words::GoesOn => "звонок ещё идёт: решение принимается, когда он закончится".to_owned(),
        Words::NotDecided(why) => format!(
            "решения ещё нет: {}",
            why.as_deref().unwrap_or("ждёт своей очереди")
        ),
        Words::NothingMade => "решено ничего не создавать".to_owned(),
        Words::Planned(roles) => format!("решено создать: {}", roles.join(", ")),
        Words::Observed => {
            "решено, но не отправлено: интеграция только наблюдает (activity = observe)".to_owned()
        }
        Words::Sent => "всё отправлено".to_owned(),
        Words::UnderWay(role) => format!("шаг {role} отправляется"),
        Words::StepWaits(role, until, why) => format!("шаг {role} ждёт до {until}: {why}"),
        Words::Dead(role, reason) => format!("шаг {role} CRM не приняла: {reason}"),
        Words::Dropped(role, reason) => format!("шаг {role} не отправляется: {reason}"),
        Words::Expired(role) => format!("шаг {role} опоздал и не отправлен"),
        Words::InCrm(cards) => format!("в CRM: {}", named(cards, "записей нет")),
    }
}

fn english(words: &Words, phone: &str) -> String {
    match words {
        Words::PostedTo => "the source posts its events".to_owned(),
        Words::SessionUp => "the session with the phone system is up".to_owned(),
        Words::SessionWasUp => {
            "the session with the phone system was up when the call came, and is not now".to_owned()
        }
        Words::SessionDown(why) => format!(
            "the session with the phone system is not up: {}",
            why.as_deref().unwrap_or("it has not begun")
        ),
        Words::NoCall => format!("no call of {phone} yet, and no event of the source"),
        Words::NoCallButEvents => {
            format!("the source tells of events, but not of a call of {phone} yet")
        }
        Words::OtherCalls(others) => format!(
            "no call of {phone} yet; there were others: {}. Is the number right?",
            others.join(", ")
        ),
        Words::Began(at) => format!("the source told of a call of {phone} that began at {at}"),
        Words::Stored(at) => format!("accepted and on disk at {at}"),
        Words::NotTaken(why) => format!("on disk, but no integration takes it: {why}"),
        Words::Nobody => "no integration decides anything about such calls".to_owned(),
        Words::GoesOn => "the call goes on: it is decided when it has ended".to_owned(),
        Words::NotDecided(why) => format!(
            "not decided yet: {}",
            why.as_deref().unwrap_or("it waits for its turn")
        ),
        Words::NothingMade => "decided that nothing is made".to_owned(),
        Words::Planned(roles) => format!("decided to make: {}", roles.join(", ")),
        Words::Observed => {
            "decided, not sent: the integration only observes (activity = observe)".to_owned()
        }
        Words::Sent => "everything was sent".to_owned(),
        Words::UnderWay(role) => format!("step {role} is being sent"),
        Words::StepWaits(role, until, why) => format!("step {role} waits until {until}: {why}"),
        Words::Dead(role, reason) => format!("step {role} was refused by the CRM: {reason}"),
        Words::Dropped(role, reason) => format!("step {role} is not sent: {reason}"),
        Words::Expired(role) => format!("step {role} came too late and was not sent"),
        Words::InCrm(cards) => format!("in the CRM: {}", named(cards, "no records")),
    }
}

fn named(cards: &[String], none: &str) -> String {
    match cards {
        [] => none.to_owned(),
        cards => cards.join(", "),
    }
}
