//! The variables of templates, by kind of communication: name, meaning and a sample each. The
//! tables of `docs/settings.md` are made from here, and a test keeps the two together.

use crate::model::explanation::Side;

use super::template::{Value, Values};

/// One variable of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name, as it stands between the braces.
    pub name: &'static str,
    /// What it says, in Russian.
    pub meaning_ru: &'static str,
    /// What it says, in English.
    pub meaning_en: &'static str,
    /// A value as it may come.
    pub sample: Sample,
}

/// A value as it may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// A text that is always there.
    Text(&'static str),
    /// A text that may be empty.
    Maybe(&'static str),
    /// Yes or no, for `{% if %}`.
    Flag,
    /// A number.
    Number(u64),
}

impl Variable {
    /// Returns the sample as templates show it.
    pub fn sample_text(&self) -> String {
        match self.sample {
            Sample::Text(text) | Sample::Maybe(text) => text.to_owned(),
            Sample::Flag => "true".to_owned(),
            Sample::Number(number) => number.to_string(),
        }
    }
}

const fn variable(
    name: &'static str,
    meaning_ru: &'static str,
    meaning_en: &'static str,
    sample: Sample,
) -> Variable {
    Variable {
        name,
        meaning_ru,
        meaning_en,
        sample,
    }
}

/// What templates of calls may use.
pub const OF_CALLS: [Variable; 23] = [
    variable(
        "client_phone",
        "номер клиента (E.164)",
        "the client's number (E.164)",
        Sample::Text("+79161234567"),
    ),
    variable(
        "client_name",
        "имя клиента, как его показала телефония; может быть пусто",
        "the client's name as the phone system showed it; may be empty",
        Sample::Maybe("OLGA"),
    ),
    variable(
        "contact_name",
        "имя контакта, который уже есть в CRM; у нового клиента пусто",
        "the name of the contact that the CRM has; empty for a new client",
        Sample::Maybe("Ольга"),
    ),
    variable(
        "our_number",
        "номер компании: на который звонили или который показан; может быть пусто",
        "the company's number: the one called or shown; may be empty",
        Sample::Maybe("+74951112233"),
    ),
    variable(
        "source_name",
        "название источника",
        "the source's name",
        Sample::Text("Офис"),
    ),
    variable(
        "event",
        "что произошло: «Входящий звонок», «Пропущенный звонок», «Исходящий звонок»",
        "what happened, in Russian",
        Sample::Text("Входящий звонок"),
    ),
    variable(
        "incoming",
        "звонок входящий",
        "the call came in",
        Sample::Flag,
    ),
    variable("answered", "разговор был", "they talked", Sample::Flag),
    variable(
        "known",
        "клиент уже есть в контактах",
        "a contact has the number",
        Sample::Flag,
    ),
    variable(
        "employee_name",
        "сотрудник звонка; пусто, если он неизвестен",
        "the call's employee; empty where unknown",
        Sample::Maybe("Иванов Иван"),
    ),
    variable(
        "extension",
        "внутренний номер сотрудника; может быть пусто",
        "the employee's extension; may be empty",
        Sample::Maybe("101"),
    ),
    variable(
        "queue",
        "последняя очередь, в которой был звонок; может быть пусто",
        "the last queue of the call; may be empty",
        Sample::Maybe("sales"),
    ),
    variable(
        "date",
        "день звонка в поясе компании",
        "the day of the call in the company's zone",
        Sample::Text("20.11.2026"),
    ),
    variable(
        "time",
        "время начала звонка в поясе компании",
        "the time at which the call began, in the company's zone",
        Sample::Text("12:00"),
    ),
    variable(
        "talk",
        "сколько говорили, минуты и секунды",
        "how long they talked, minutes and seconds",
        Sample::Text("0:54"),
    ),
    variable(
        "talk_s",
        "сколько говорили, секунды",
        "seconds of talk",
        Sample::Number(54),
    ),
    variable(
        "wait_s",
        "сколько клиент ждал, секунды",
        "seconds of waiting",
        Sample::Number(8),
    ),
    variable(
        "miss_reason",
        "почему не поговорили; пусто, если разговор был",
        "why they did not talk, in Russian; empty where they did",
        Sample::Maybe("клиент не дождался ответа"),
    ),
    variable(
        "utm_source",
        "метка `utm_source` от коллтрекинга; может быть пусто",
        "the mark `utm_source` by call tracking; may be empty",
        Sample::Maybe("yandex"),
    ),
    variable(
        "utm_medium",
        "метка `utm_medium` от коллтрекинга; может быть пусто",
        "the mark `utm_medium` by call tracking; may be empty",
        Sample::Maybe("cpc"),
    ),
    variable(
        "utm_campaign",
        "метка `utm_campaign` от коллтрекинга; может быть пусто",
        "the mark `utm_campaign` by call tracking; may be empty",
        Sample::Maybe("autumn"),
    ),
    variable(
        "utm_content",
        "метка `utm_content` от коллтрекинга; может быть пусто",
        "the mark `utm_content` by call tracking; may be empty",
        Sample::Maybe("banner-1"),
    ),
    variable(
        "utm_term",
        "метка `utm_term` от коллтрекинга; может быть пусто",
        "the mark `utm_term` by call tracking; may be empty",
        Sample::Maybe("купить цветы"),
    ),
];

/// What templates of chats may use.
pub const OF_CHATS: [Variable; 17] = [
    variable(
        "client",
        "клиент: название группы или имя, иначе номер, иначе почта, иначе «Без контактов»",
        "the client: the group's or own name, else the number, else the e-mail address, else «Без контактов»",
        Sample::Text("Ольга"),
    ),
    variable(
        "client_name",
        "имя, как его показал канал; может быть пусто",
        "the name as the channel shows it; may be empty",
        Sample::Maybe("Ольга"),
    ),
    variable(
        "client_phone",
        "номер клиента (E.164); может быть пусто",
        "the client's number (E.164); may be empty",
        Sample::Maybe("+79161234567"),
    ),
    variable(
        "client_email",
        "почта клиента; может быть пусто",
        "the client's e-mail address; may be empty",
        Sample::Maybe("olga@example.com"),
    ),
    variable(
        "contact_name",
        "имя контакта, который уже есть в CRM; у нового клиента пусто",
        "the name of the contact that the CRM has; empty for a new client",
        Sample::Maybe("Ольга Петрова"),
    ),
    variable(
        "source_name",
        "название источника",
        "the source's name",
        Sample::Text("Сайт"),
    ),
    variable(
        "known",
        "клиент уже есть в контактах",
        "a contact has one of the addresses",
        Sample::Flag,
    ),
    variable(
        "group_name",
        "название группы; у чата с одним клиентом пусто",
        "the group's name; empty where one client writes",
        Sample::Maybe("Дачники"),
    ),
    variable(
        "channel",
        "где идёт чат: site, telegram, whatsapp, …",
        "where it takes place: site, telegram, whatsapp, …",
        Sample::Text("telegram"),
    ),
    variable(
        "site",
        "сайт; может быть пусто",
        "the site; may be empty",
        Sample::Maybe("romashka.example"),
    ),
    variable(
        "page",
        "адрес страницы; может быть пусто",
        "the page's address; may be empty",
        Sample::Maybe("https://romashka.example/price"),
    ),
    variable(
        "text",
        "что клиент написал первым; может быть пусто",
        "what the client wrote first; may be empty",
        Sample::Maybe("Здравствуйте"),
    ),
    variable(
        "employee_name",
        "кто принял чат; может быть пусто",
        "who took the chat; may be empty",
        Sample::Maybe("Иванов Иван"),
    ),
    variable(
        "campaign",
        "рекламная кампания; может быть пусто",
        "the advertising campaign; may be empty",
        Sample::Maybe("Поиск"),
    ),
    variable(
        "source",
        "откуда пришёл клиент, как это называет источник; может быть пусто",
        "where the client came from, as the source sorts it; may be empty",
        Sample::Maybe("yandex"),
    ),
    variable(
        "date",
        "день начала чата в поясе компании",
        "the day of the chat's beginning in the company's zone",
        Sample::Text("20.11.2026"),
    ),
    variable(
        "time",
        "время начала чата в поясе компании",
        "the time of the chat's beginning in the company's zone",
        Sample::Text("12:00"),
    ),
];

/// The templates of names and of tasks' texts where none is set, for chats (V-09).
pub const CHAT_CONTACT_NAME: &str = "{{ client }}";
/// See [`CHAT_CONTACT_NAME`].
pub const CHAT_DEAL_NAME: &str = "Чат{% if site %} на сайте {{ site }}{% endif %}: {{ client }}";
/// See [`CHAT_CONTACT_NAME`].
pub const CHAT_TASK: &str = "Обработать чат: {{ client }}";
/// See [`CHAT_CONTACT_NAME`].
pub const CHAT_LOST_TASK: &str = "Ответить на пропущенный чат: {{ client }}";

/// What templates of site requests may use.
pub const OF_REQUESTS: [Variable; 16] = [
    variable(
        "client",
        "клиент: имя, иначе номер, иначе почта, иначе «Без контактов»",
        "the client: the name, else the number, else the e-mail address, else «Без контактов»",
        Sample::Text("Ольга"),
    ),
    variable(
        "client_name",
        "имя, как его написал клиент; может быть пусто",
        "the name as the client wrote it; may be empty",
        Sample::Maybe("Ольга"),
    ),
    variable(
        "client_phone",
        "номер клиента (E.164); может быть пусто",
        "the client's number (E.164); may be empty",
        Sample::Maybe("+79161234567"),
    ),
    variable(
        "client_email",
        "почта клиента; может быть пусто",
        "the client's e-mail address; may be empty",
        Sample::Maybe("olga@example.com"),
    ),
    variable(
        "contact_name",
        "имя контакта, который уже есть в CRM; у нового клиента пусто",
        "the name of the contact that the CRM has; empty for a new client",
        Sample::Maybe("Ольга Петрова"),
    ),
    variable(
        "source_name",
        "название источника",
        "the source's name",
        Sample::Text("Сайт"),
    ),
    variable(
        "known",
        "клиент уже есть в контактах",
        "a contact has one of the addresses",
        Sample::Flag,
    ),
    variable(
        "form",
        "название формы; может быть пусто",
        "the form's name; may be empty",
        Sample::Maybe("Обратный звонок"),
    ),
    variable(
        "form_type",
        "вид формы у источника; может быть пусто",
        "the sort of form at the source; may be empty",
        Sample::Maybe("callback"),
    ),
    variable(
        "site",
        "сайт; может быть пусто",
        "the site; may be empty",
        Sample::Maybe("romashka.example"),
    ),
    variable(
        "page",
        "адрес страницы; может быть пусто",
        "the page's address; may be empty",
        Sample::Maybe("https://romashka.example/price"),
    ),
    variable(
        "text",
        "что написал клиент; может быть пусто",
        "what the client wrote; may be empty",
        Sample::Maybe("Перезвоните мне"),
    ),
    variable(
        "campaign",
        "рекламная кампания; может быть пусто",
        "the advertising campaign; may be empty",
        Sample::Maybe("Поиск"),
    ),
    variable(
        "source",
        "откуда пришёл клиент, как это называет источник; может быть пусто",
        "where the client came from, as the source sorts it; may be empty",
        Sample::Maybe("yandex"),
    ),
    variable(
        "date",
        "день заявки в поясе компании",
        "the day of the request in the company's zone",
        Sample::Text("20.11.2026"),
    ),
    variable(
        "time",
        "время заявки в поясе компании",
        "the time of the request in the company's zone",
        Sample::Text("12:00"),
    ),
];

/// The templates of names and of a task's text where none is set, for requests (V-09).
pub const REQUEST_CONTACT_NAME: &str = "{{ client }}";
/// See [`REQUEST_CONTACT_NAME`].
pub const REQUEST_DEAL_NAME: &str =
    "Заявка{% if site %} с сайта {{ site }}{% endif %}: {{ client }}";
/// See [`REQUEST_CONTACT_NAME`].
pub const REQUEST_TASK: &str = "Обработать заявку: {{ client }}{% if client_phone and client_phone != client %}, {{ client_phone }}{% endif %}";

/// Returns sets of values on which a template must work: everything there, and nothing but what
/// is always there, for every combination of yes and no.
pub(super) fn samples(variables: &[Variable]) -> Vec<Values> {
    let flags: Vec<&'static str> = variables
        .iter()
        .filter(|variable| variable.sample == Sample::Flag)
        .map(|variable| variable.name)
        .collect();
    let mut sets = Vec::new();
    for whole in [true, false] {
        for bits in 0..1_u32 << flags.len() {
            let value = |variable: &Variable| match variable.sample {
                Sample::Text(text) => Value::Text(text.to_owned()),
                Sample::Maybe(text) if whole => Value::Text(text.to_owned()),
                Sample::Maybe(_) => Value::Text(String::new()),
                Sample::Number(number) => Value::Number(number),
                Sample::Flag => {
                    let place = flags.iter().position(|flag| *flag == variable.name);
                    Value::Flag(place.is_some_and(|place| bits >> place & 1 == 1))
                }
            };
            sets.push(variables.iter().map(|one| (one.name, value(one))).collect());
        }
    }
    sets
}

/// The template of a contact's name where none is set (V-09).
pub const CONTACT_NAME: &str = "{{ client_phone }}";

/// The template of a deal's name where none is set (V-09).
pub const DEAL_NAME: &str = "{{ event }} {{ client_phone }}";

/// Returns the template of a task's text where none is set (V-09).
pub fn task_text(side: Side, answered: bool) -> &'static str {
    match (side, answered) {
        (_, true) => {
            "Обработать звонок {{ client_phone }}{% if contact_name and contact_name != client_phone %} ({{ contact_name }}){% endif %}"
        }
        (Side::Incoming, false) => {
            "Перезвонить {{ client_phone }}{% if contact_name and contact_name != client_phone %} ({{ contact_name }}){% endif %}: \
             пропущенный звонок {{ date }} в {{ time }}"
        }
        (Side::Outgoing, false) => {
            "Дозвониться до {{ client_phone }}{% if contact_name and contact_name != client_phone %} ({{ contact_name }}){% endif %}"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::template::Template;

    const PAGE: &str = include_str!("../../docs/settings.md");

    #[test]
    fn v_09_the_page_lists_every_variable_with_its_meaning_and_a_sample() {
        for one in OF_CALLS {
            let sample = one.sample_text();
            let row = format!("| `{}` | {} | `{sample}` |", one.name, one.meaning_en);
            assert!(PAGE.contains(&row), "docs/settings.md lacks: {row}");
            assert!(!one.meaning_ru.is_empty());
        }
        let rows = PAGE
            .lines()
            .skip_while(|line| !line.starts_with("| variable of calls"));
        let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
        assert_eq!(
            rows.count(),
            OF_CALLS.len(),
            "rows that no variable stands behind"
        );
    }

    #[test]
    fn s0_14_the_page_lists_every_variable_of_requests_with_its_meaning_and_a_sample() {
        const REQUESTS: &str = include_str!("../../docs/requests.md");
        for one in OF_REQUESTS {
            let sample = one.sample_text();
            let row = format!("| `{}` | {} | `{sample}` |", one.name, one.meaning_en);
            assert!(REQUESTS.contains(&row), "docs/requests.md lacks: {row}");
            assert!(!one.meaning_ru.is_empty());
        }
        let rows = REQUESTS
            .lines()
            .skip_while(|line| !line.starts_with("| variable of requests"));
        let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
        assert_eq!(rows.count(), OF_REQUESTS.len(), "rows without a variable");
        for text in [REQUEST_CONTACT_NAME, REQUEST_DEAL_NAME, REQUEST_TASK] {
            let mistakes = Template(text.to_owned()).mistakes(&samples(&OF_REQUESTS));
            assert_eq!(mistakes, Vec::<String>::new(), "{text}");
            let shown = format!("`{text}`");
            assert!(REQUESTS.contains(&shown), "docs/requests.md lacks {text}");
        }
    }

    #[test]
    fn s2_20_the_page_lists_every_variable_of_chats_with_its_meaning_and_a_sample() {
        const CHATS: &str = include_str!("../../docs/chats.md");
        for one in OF_CHATS {
            let sample = one.sample_text();
            let row = format!("| `{}` | {} | `{sample}` |", one.name, one.meaning_en);
            assert!(CHATS.contains(&row), "docs/chats.md lacks: {row}");
            assert!(!one.meaning_ru.is_empty());
        }
        let rows = CHATS
            .lines()
            .skip_while(|line| !line.starts_with("| variable of chats"));
        let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
        assert_eq!(rows.count(), OF_CHATS.len(), "rows without a variable");
        for text in [CHAT_CONTACT_NAME, CHAT_DEAL_NAME, CHAT_TASK, CHAT_LOST_TASK] {
            let mistakes = Template(text.to_owned()).mistakes(&samples(&OF_CHATS));
            assert_eq!(mistakes, Vec::<String>::new(), "{text}");
            let shown = format!("`{text}`");
            assert!(CHATS.contains(&shown), "docs/chats.md lacks {text}");
        }
    }

    #[test]
    fn v_09_the_defaults_are_templates_without_mistakes_and_stand_on_the_page() {
        let tasks = [
            (Side::Incoming, true),
            (Side::Incoming, false),
            (Side::Outgoing, true),
            (Side::Outgoing, false),
        ];
        let tasks = tasks.map(|(side, answered)| task_text(side, answered));
        for text in [CONTACT_NAME, DEAL_NAME].into_iter().chain(tasks) {
            let mistakes = Template(text.to_owned()).mistakes(&samples(&OF_CALLS));
            assert_eq!(mistakes, Vec::<String>::new(), "{text}");
            assert!(
                PAGE.contains(&format!("`{text}`")),
                "docs/settings.md lacks {text}"
            );
        }
    }
}
