//! What a person types to add an account (`crm/planfix.md` §1, §3).

use crate::crm::{CredentialForm, EntryField, EntryKind, EntryWay, Words};

pub(super) const FORM: CredentialForm = CredentialForm {
    title: "Планфикс",
    address: Words {
        ru: "Адрес для запросов к REST API",
        en: "Address for requests to the REST API",
    },
    example: "https://NAME.planfix.ru/rest/",
    ways: &[EntryWay {
        name: "tokens",
        title: Words {
            ru: "Токенами робота и телефонии",
            en: "By the tokens of the robot and of telephony",
        },
        hint: Words {
            ru: "Токен REST принадлежит роботу, созданному для запросов, и в нём отмечены все права. Старое приложение телефонии другого поставщика должно быть выключено.",
            en: "The REST token belongs to a robot that was made for requests, with every scope ticked. An older application of another telephony vendor must be off.",
        },
        consent: false,
        fields: &[
            EntryField {
                key: "token",
                kind: EntryKind::Secret,
                required: true,
                title: Words {
                    ru: "Токен REST API робота",
                    en: "REST token of the robot",
                },
                hint: Words {
                    ru: "Управление аккаунтом, Доступ к API, REST API",
                    en: "Account management, API access, REST API",
                },
            },
            EntryField {
                key: "telephony_token",
                kind: EntryKind::Secret,
                required: true,
                title: Words {
                    ru: "Токен телефонии",
                    en: "Telephony token",
                },
                hint: Words {
                    ru: "Приложение «API Планфикса для телефонии»: Bearer token",
                    en: "The application “API of Planfix for telephony”: bearer token",
                },
            },
        ],
    }],
};
