//! The variables of site requests.

use super::{Sample, Variable, variable};

/// What templates of requests may use.
pub const OF_REQUESTS: [Variable; 22] = [
    variable(
        "client",
        "клиент: имя, иначе номер, иначе e-mail, иначе «без контактов»",
        "the client: name, else number, else e-mail address, else «без контактов»",
        Sample::Text("Ольга"),
    ),
    variable(
        "client_phone",
        "номер клиента (E.164); может быть пусто",
        "the client's number (E.164); may be empty",
        Sample::Maybe("+79161234567"),
    ),
    variable(
        "client_email",
        "e-mail клиента; может быть пусто",
        "the client's e-mail address; may be empty",
        Sample::Maybe("olga@example.com"),
    ),
    variable(
        "client_name",
        "имя, которое оставил клиент; может быть пусто",
        "the name that the client left; may be empty",
        Sample::Maybe("Ольга"),
    ),
    variable(
        "contact_name",
        "имя контакта, который уже есть в CRM; у нового клиента пусто",
        "the name of the contact that the CRM has; empty for a new client",
        Sample::Maybe("Ольга Петрова"),
    ),
    variable(
        "known",
        "клиент уже есть в контактах",
        "a contact has the number or the e-mail address",
        Sample::Flag,
    ),
    variable(
        "source_name",
        "название источника",
        "the source's name",
        Sample::Text("Сайт"),
    ),
    variable(
        "event",
        "что произошло: «Заявка с сайта»",
        "what happened, in Russian",
        Sample::Text("Заявка с сайта"),
    ),
    variable(
        "text",
        "что написал клиент; может быть пусто",
        "what the client wrote; may be empty",
        Sample::Maybe("Перезвоните мне"),
    ),
    variable(
        "form",
        "название или номер формы; может быть пусто",
        "the form's name or number; may be empty",
        Sample::Maybe("Обратный звонок"),
    ),
    variable(
        "form_type",
        "вид формы; может быть пусто",
        "the sort of form; may be empty",
        Sample::Maybe("callback"),
    ),
    variable(
        "site",
        "сайт; может быть пусто",
        "the site; may be empty",
        Sample::Maybe("shop.example"),
    ),
    variable(
        "page",
        "страница; может быть пусто",
        "the page; may be empty",
        Sample::Maybe("https://shop.example/price"),
    ),
    variable(
        "referrer",
        "откуда клиент пришёл на сайт; может быть пусто",
        "where the client came to the site from; may be empty",
        Sample::Maybe("https://search.example/"),
    ),
    variable(
        "campaign",
        "рекламная кампания; может быть пусто",
        "the advertising campaign; may be empty",
        Sample::Maybe("Осень"),
    ),
    variable(
        "utm_source",
        "метка utm_source; может быть пусто",
        "the mark utm_source; may be empty",
        Sample::Maybe("newsletter"),
    ),
    variable(
        "utm_medium",
        "метка utm_medium; может быть пусто",
        "the mark utm_medium; may be empty",
        Sample::Maybe("cpc"),
    ),
    variable(
        "utm_campaign",
        "метка utm_campaign; может быть пусто",
        "the mark utm_campaign; may be empty",
        Sample::Maybe("autumn"),
    ),
    variable(
        "utm_content",
        "метка utm_content; может быть пусто",
        "the mark utm_content; may be empty",
        Sample::Maybe("banner"),
    ),
    variable(
        "utm_term",
        "метка utm_term; может быть пусто",
        "the mark utm_term; may be empty",
        Sample::Maybe("окна"),
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

/// The template of a contact's name where none is set (V-09).
pub const REQUEST_CONTACT_NAME: &str = "{{ client }}";

/// The template of a deal's name where none is set (V-09).
pub const REQUEST_DEAL_NAME: &str =
    "{{ event }}{% if form %} «{{ form }}»{% endif %}: {{ client }}";

/// The template of a task's text where none is set (V-09).
pub const REQUEST_TASK_TEXT: &str = "Обработать заявку{% if form %} «{{ form }}»{% endif %} от {{ date }}, {{ time }}: {{ client }}\
     {% if client_phone and client_phone != client %}, {{ client_phone }}{% endif %}\
     {% if client_email and client_email != client %}, {{ client_email }}{% endif %}";
