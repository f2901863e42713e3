//! What messages say, in Russian and English.

use std::fmt::Write;

use jiff::tz::TimeZone;

use super::book::{Item, Message, Standing};
use super::settings::AlarmSettings;
use crate::model::explanation::Language;
use crate::model::timestamp::Timestamp;

/// So many alarms are spelt out in one message.
const SPELT_OUT_MAX: usize = 30;

/// A message as it is sent.
pub(super) struct Told {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) new: usize,
    pub(super) over: usize,
}

/// Words a message.
pub(super) fn message(message: &Message, settings: &AlarmSettings) -> Told {
    let language = settings.language;
    let count = |wanted: &[Item]| {
        let items = message.items.iter();
        items.filter(|(item, _)| wanted.contains(item)).count()
    };
    let (new, over) = (count(&[Item::New]), count(&[Item::Over, Item::Was]));
    let still = count(&[Item::Still]);
    let mut text = String::new();
    for (item, standing) in message.items.iter().take(SPELT_OUT_MAX) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{}\n", paragraph(*item, standing, settings));
    }
    let rest = message.items.len().saturating_sub(SPELT_OUT_MAX);
    if rest > 0 {
        let _ = match language {
            Language::Ru => writeln!(text, "И ещё: {rest}. Всё показывает trunkline alarms list."),
            Language::En => writeln!(
                text,
                "And {rest} more. trunkline alarms list shows them all."
            ),
        };
    }
    let subject = match (&message.items[..], language) {
        ([(item, one)], _) => format!(
            "[{}] {}{}: {}",
            settings.box_name,
            mark(*item, language),
            headline(&one.alarm.word, language),
            one.alarm.what
        ),
        (_, Language::Ru) => format!(
            "[{}] Новых тревог: {new}, прошло: {over}, остаётся: {still}",
            settings.box_name
        ),
        (_, Language::En) => format!(
            "[{}] {new} new alarm(s), {over} over, {still} still there",
            settings.box_name
        ),
    };
    Told {
        subject: one_line(&subject),
        text: text.trim_end().to_owned(),
        new,
        over,
    }
}

/// Words a trial message.
pub(super) fn trial(settings: &AlarmSettings) -> Told {
    let (subject, text) = match settings.language {
        Language::Ru => (
            "пробное сообщение",
            "Это пробное сообщение: тревоги этого сервера дойдут до вас этим же путём. \
             Делать ничего не нужно.",
        ),
        Language::En => (
            "trial message",
            "This is a trial: alarms of this box will reach you the same way. Nothing needs to be \
             done.",
        ),
    };
    Told {
        subject: format!("[{}] {subject}", settings.box_name),
        text: text.to_owned(),
        new: 0,
        over: 0,
    }
}

fn paragraph(item: Item, standing: &Standing, settings: &AlarmSettings) -> String {
    let language = settings.language;
    let alarm = &standing.alarm;
    let since = clock(standing.since, &settings.time_zone);
    let headline = headline(&alarm.word, language);
    let mark = mark(item, language);
    let (cure, what) = (cure(&alarm.word, language), &alarm.what);
    let until = standing.gone_since.map(|at| clock(at, &settings.time_zone));
    let until = until.unwrap_or_default();
    match (item, language) {
        (Item::Over | Item::Was, Language::Ru) => {
            format!("{mark}{headline}: {what}\n  с {since} до {until}")
        }
        (Item::Over | Item::Was, Language::En) => {
            format!("{mark}{headline}: {what}\n  from {since} until {until}")
        }
        (_, Language::Ru) => format!(
            "{mark}{headline}: {what}\n  с {since}\n  {}\n  Что делать: {cure}",
            alarm.text
        ),
        (_, Language::En) => format!(
            "{mark}{headline}: {what}\n  since {since}\n  {}\n  What to do: {cure}",
            alarm.text
        ),
    }
}

fn mark(item: Item, language: Language) -> &'static str {
    match (item, language) {
        (Item::New, _) => "",
        (Item::Was | Item::Over, Language::Ru) => "ПРОШЛО: ",
        (Item::Was | Item::Over, Language::En) => "OVER: ",
        (Item::Still, Language::Ru) => "ВСЁ ЕЩЁ: ",
        (Item::Still, Language::En) => "STILL: ",
    }
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
        return String::new();
    };
    zone.to_datetime(at).strftime("%d.%m.%Y %H:%M").to_string()
}

/// A subject is one line, whatever a name holds.
fn one_line(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(printable).take(200).collect()
}

/// Says what an alarm is about: (word, Russian, English), and what a person does about it.
struct Entry {
    word: &'static str,
    headline: [&'static str; 2],
    cure: [&'static str; 2],
}

/// Every alarm there is; docs/alarms.md has them too, which a test checks.
const ENTRIES: &[Entry] = &[
    Entry {
        word: "credential",
        headline: [
            "Доступ к CRM кончается или потерян",
            "Access to a CRM ends or is lost",
        ],
        cure: [
            "дайте доступ заново: trunkline account list",
            "let the account in again: trunkline account list",
        ],
    },
    Entry {
        word: "installation",
        headline: ["Портал CRM просит доступ", "A CRM portal asks to be let in"],
        cure: [
            "если его установили ваши люди, примите его: trunkline account installations; иначе \
             откажите",
            "accept it if your people installed it: trunkline account installations; else refuse it",
        ],
    },
    Entry {
        word: "degraded",
        headline: ["Не работает", "Does not work"],
        cure: [
            "trunkline status и trunkline doctor скажут почему",
            "trunkline status and trunkline doctor say why",
        ],
    },
    Entry {
        word: "held",
        headline: ["Работа придержана", "Work is held back"],
        cure: [
            "устраните причину; работа сохранена и будет сделана",
            "clear up the cause; the work is kept and made afterwards",
        ],
    },
    Entry {
        word: "blocked",
        headline: ["CRM заблокировала аккаунт", "The CRM blocked the account"],
        cure: [
            "обратитесь в поддержку CRM, затем trunkline account resume",
            "ask the vendor's support, then trunkline account resume",
        ],
    },
    Entry {
        word: "unpaid",
        headline: ["Аккаунт CRM не оплачен", "The CRM account is not paid for"],
        cure: [
            "оплатите его: работа пойдёт сама",
            "pay for it: work goes on by itself",
        ],
    },
    Entry {
        word: "crm_down",
        headline: ["CRM долго не отвечает", "A CRM has not answered for long"],
        cure: [
            "подождите; работа сохранена и будет сделана. Если CRM открывается в браузере, \
             проверьте сеть сервера: trunkline doctor",
            "wait; the work is kept and made afterwards. If the CRM opens in a browser, look at the \
             network of the box: trunkline doctor",
        ],
    },
    Entry {
        word: "settings",
        headline: [
            "Настройки называют то, чего в CRM нет",
            "Settings name what the CRM does not have",
        ],
        cure: [
            "trunkline check-config --online",
            "trunkline check-config --online",
        ],
    },
    Entry {
        word: "dead_letters",
        headline: ["CRM отвергла записи", "The CRM refused entries"],
        cure: [
            "trunkline outbox dead покажет почему; повторите, решите заново или отбросьте",
            "trunkline outbox dead says why; retry, decide again or drop them",
        ],
    },
    Entry {
        word: "unreadable_rows",
        headline: [
            "Строки хранилища не читаются",
            "Rows of the store cannot be read",
        ],
        cure: [
            "trunkline store quarantine list скажет, чего не хватает; проверьте диск; docs/ru/troubleshooting.md",
            "trunkline store quarantine list says what is missing; check the disk; docs/operations.md, \"The store\"",
        ],
    },
    Entry {
        word: "silent",
        headline: [
            "От телефонии ничего не приходит",
            "Nothing comes from a phone system",
        ],
        cure: [
            "позвоните себе и посмотрите: trunkline test-call; проверьте связь с АТС",
            "call yourself and follow it: trunkline test-call; look at the link to the PBX",
        ],
    },
    Entry {
        word: "disk",
        headline: ["Кончается место на диске", "The disk fills up"],
        cure: [
            "освободите место, пока приём не закрылся",
            "make room before the intake closes",
        ],
    },
    Entry {
        word: "certificate",
        headline: [
            "Сертификат внешнего адреса кончается",
            "The certificate of the outside address ends",
        ],
        cure: [
            "обновите его на своём прокси: CRM и платформы перестанут приходить",
            "renew it at your proxy: CRMs and platforms will not come any more",
        ],
    },
    Entry {
        word: "alarm_channel",
        headline: ["Тревоги не доходят", "Alarms do not get through"],
        cure: [
            "исправьте [alarms] и проверьте: trunkline alarms test",
            "mend [alarms] and try: trunkline alarms test",
        ],
    },
];

fn entry(word: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.word == word)
}

fn in_language(texts: [&'static str; 2], language: Language) -> &'static str {
    let [russian, english] = texts;
    match language {
        Language::Ru => russian,
        Language::En => english,
    }
}

fn headline(word: &str, language: Language) -> &'static str {
    let texts = entry(word).map_or(["Тревога", "Alarm"], |entry| entry.headline);
    in_language(texts, language)
}

/// Says what a person does about an alarm.
pub fn cure(word: &str, language: Language) -> &'static str {
    let texts = entry(word).map_or(["trunkline status", "trunkline status"], |entry| entry.cure);
    in_language(texts, language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_alarms_names_every_one_and_no_other() {
        let page = include_str!("../../docs/alarms.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let mut named: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        let mut known: Vec<&str> = ENTRIES.iter().map(|entry| entry.word).collect();
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
