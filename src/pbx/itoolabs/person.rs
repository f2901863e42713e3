//! What people read where they add a VATS.

use crate::model::words::Words;
use crate::pbx::{SourceForm, title};

pub(super) const FORM: SourceForm = SourceForm {
    title: Words {
        ru: "МегаФон ВАТС 1.0, Гравител, МТТ, Kcell, Moldcell",
        en: "MegaFon VATS 1.0, Gravitel, MTT, Kcell, Moldcell",
    },
    hint: Words {
        ru: "В кабинете ВАТС: «Настройки → Интеграция с CRM» — ключ для CRM, адрес и ключ API. Адрес с \
             секретом вставляется там же (docs/connect-megafon.md).",
        en: "In the cabinet of the VATS: Settings, Integration with a CRM: the key for the CRM, address and \
             key of the API. The address with the secret is pasted there (docs/connect-megafon.md).",
    },
    first: &[
        "secrets.crm_token",
        "secrets.hook",
        "address",
        "secrets.api_key",
    ],
    titles: &[
        title(
            "secrets.crm_token",
            "Key for the CRM",
            "Ключ для CRM",
            "Им ВАТС подтверждает, что это она. Стоит в её кабинете.",
        ),
        title(
            "secrets.crm_token_previous",
            "Key for the CRM before it",
            "Прежний ключ для CRM",
            "Пока один ключ сменяет другой.",
        ),
        title(
            "secrets.api_key",
            "Key of the API",
            "Ключ API",
            "К адресу API ВАТС.",
        ),
        title(
            "address",
            "Address of the API",
            "Адрес API ВАТС",
            "Из её кабинета. Пусто — историю не спрашиваем и по клику не звоним.",
        ),
        title(
            "api",
            "Generation of the API",
            "Поколение API",
            "Какой из двух API у этой ВАТС.",
        ),
        title("api=crmapi", "crmapi", "crmapi", ""),
        title("api=wcgp", "wcgp", "wcgp", ""),
        title(
            "history_times",
            "Times in the history",
            "Запись времени в истории",
            "Как история записывает время.",
        ),
        title(
            "history_times=compact",
            "20260131T094500Z",
            "20260131T094500Z",
            "",
        ),
        title(
            "history_times=rfc3339",
            "2026-01-31T09:45:00Z",
            "2026-01-31T09:45:00Z",
            "",
        ),
        title(
            "history_poll_s",
            "Seconds between questions for the history",
            "Секунд между запросами истории",
            "Как часто спрашивать историю.",
        ),
        title(
            "history_overlap_s",
            "Seconds of history asked once more",
            "Секунд истории с запасом",
            "Сколько секунд истории спрашивать ещё раз.",
        ),
        title(
            "employees",
            "Employees are known by",
            "Сотрудник известен по",
            "Чем в настройках назван сотрудник: именем для входа или внутренним номером.",
        ),
        title("employees=login", "Login", "имени для входа", ""),
        title("employees=extension", "Extension", "внутреннему номеру", ""),
        title(
            "responsible",
            "Who shall be rung is told by",
            "Кому звонить, сообщаем по",
            "Если не выбрано — по имени для входа.",
        ),
        title("responsible=login", "Login", "имени для входа", ""),
        title(
            "responsible=extension",
            "Extension",
            "внутреннему номеру",
            "",
        ),
        title(
            "responsible=number",
            "The employee's own number",
            "своему номеру сотрудника",
            "",
        ),
        title("responsible=nobody", "Not told", "не сообщаем", ""),
        title(
            "contact_within_ms",
            "Milliseconds for the answer",
            "Миллисекунд на ответ",
            "За сколько надо ответить, кому звонить.",
        ),
        title(
            "history_wait_s",
            "Seconds to wait for the history",
            "Секунд ждать историю",
            "Сколько звонок ждёт своей записи в истории.",
        ),
        title(
            "ring_s_max",
            "Longest silence while ringing, s",
            "Тишина при вызове, с",
            "После стольких секунд тишины неотвеченный звонок считается оконченным.",
        ),
        title(
            "talk_s_max",
            "Longest silence while talking, s",
            "Тишина при разговоре, с",
            "После стольких секунд тишины отвеченный звонок считается оконченным.",
        ),
        title(
            "originate",
            "Calls by click",
            "Звонки по клику",
            "Сотрудник соединяется с номером из CRM. Нужен адрес API.",
        ),
        title(
            "originate.clid",
            "Number that the client sees",
            "Номер, который видит клиент",
            "Только цифры.",
        ),
    ],
};
