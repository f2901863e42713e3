//! What people read where they add a UIS account.

use crate::model::words::Words;
use crate::pbx::{SourceForm, title};

pub(super) const FORM: SourceForm = SourceForm {
    title: Words {
        ru: "UIS, CoMagic, CallGear, Новофон 2.0, МегаФон ВАТС 2.0",
        en: "UIS, CoMagic, CallGear, Novofon 2.0, MegaFon VATS 2.0",
    },
    hint: Words {
        ru: "Уведомления приходят по адресу с секретом, отчёты читаются по ключу API. Ключ выпускается в \
             кабинете: Администрирование → Безопасность → API, у МегаФона Интеграции → API (docs/connect-uis.md).",
        en: "Notifications come to an address with a secret, reports are read with a key of the API. The key \
             is made in the cabinet: Администрирование → Безопасность → API, at MegaFon Интеграции → API \
             (docs/connect-uis.md).",
    },
    first: &["brand", "secrets.token", "secrets.hook"],
    titles: &[
        title(
            "secrets.token",
            "Key of the API",
            "Ключ API",
            "Бессрочный ключ API. Без него и без пользователя API остаются только уведомления.",
        ),
        title(
            "secrets.password",
            "Password of the API user",
            "Пароль пользователя API",
            "Нужен, если вместо ключа указан пользователь API.",
        ),
        title(
            "brand",
            "Brand",
            "Под каким именем куплено",
            "От этого зависят адреса ниже; если не выбрано — UIS.",
        ),
        title("brand=uis", "UIS", "UIS", ""),
        title("brand=comagic", "CoMagic", "CoMagic", ""),
        title("brand=callgear", "CallGear", "CallGear", ""),
        title("brand=novofon", "Novofon 2.0", "Новофон 2.0", ""),
        title("brand=megafon", "MegaFon VATS 2.0", "МегаФон ВАТС 2.0", ""),
        title(
            "time_zone",
            "Time zone",
            "Часовой пояс",
            "Пояс времени в этом аккаунте, например Europe/Moscow. Пусто — как говорит сам аккаунт.",
        ),
        title(
            "recordings_site",
            "Site of recordings",
            "Сайт с записями",
            "Где проигрываются записи, которые отчёт называет номерами.",
        ),
        title(
            "login",
            "API user",
            "Пользователь API",
            "Если ключа нет; его пароль указывается рядом.",
        ),
        title(
            "data_api",
            "Address of the Data API",
            "Адрес Data API",
            "Пусто — адрес бренда.",
        ),
        title(
            "call_api",
            "Address of the Call API",
            "Адрес Call API",
            "Пусто — адрес бренда.",
        ),
        title(
            "poll_min_s",
            "Seconds between rounds",
            "Секунд между опросами",
            "Не чаще чем раз в столько секунд читаются отчёты.",
        ),
        title(
            "overlap_min",
            "Minutes read once more",
            "Минут с запасом",
            "На столько минут каждый опрос заглядывает назад ещё раз.",
        ),
        title(
            "day_share",
            "Share of the daily limit, %",
            "Доля суточного лимита, %",
            "Какую часть суточного лимита запросов аккаунта можно занять.",
        ),
        title(
            "click_to_call",
            "Calls by click",
            "Звонки по клику",
            "Сотрудник соединяется с номером из CRM. Нужен ключ API.",
        ),
        title(
            "click_to_call.virtual_number",
            "Number that the client sees",
            "Номер, который видит клиент",
            "Номер компании с кодом страны: 74951230000.",
        ),
        title(
            "click_to_call.first_call",
            "Whose telephone rings first",
            "Кому звонить первым",
            "Если не выбрано — сотруднику.",
        ),
        title(
            "click_to_call.first_call=employee",
            "The employee's",
            "Сотруднику",
            "",
        ),
        title(
            "click_to_call.first_call=contact",
            "The client's",
            "Клиенту",
            "",
        ),
        title(
            "interactive",
            "Interactive call processing",
            "Интерактивная обработка вызова",
            "Как отвечать платформе, куда вести звонок. Не для МегаФона.",
        ),
        title(
            "interactive.reach_by",
            "Employees are reached by",
            "Сотрудник находится по",
            "Если не выбрано — по его номерам.",
        ),
        title(
            "interactive.reach_by=phones",
            "Their numbers",
            "номерам",
            "",
        ),
        title(
            "interactive.reach_by=extension",
            "Their extension",
            "внутреннему номеру",
            "",
        ),
        title(
            "interactive.usual_code",
            "Code of the usual branch",
            "Код обычной ветки",
            "Код, по которому сценарий идёт своим обычным путём.",
        ),
    ],
};
