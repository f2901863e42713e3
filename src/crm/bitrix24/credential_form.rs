//! What a person types to add an account (`crm/bitrix24.md` §3).

use crate::crm::{CredentialForm, EntryField, EntryKind, EntryWay, Words};

pub(super) const FORM: CredentialForm = CredentialForm {
    title: "Битрикс24",
    address: Words {
        ru: "Адрес портала",
        en: "Portal address",
    },
    example: "https://NAME.bitrix24.ru/",
    ways: &[
        EntryWay {
            name: "oauth",
            title: Words {
                ru: "Локальным приложением",
                en: "By a local application",
            },
            hint: Words {
                ru: "Разработчикам, Другое, Локальное приложение: серверное, использует только API; права crm, telephony, user_basic, task, im. После сохранения откроется страница портала, где разрешают доступ.",
                en: "Developer resources, Other, Local application: a server application that uses the API only; scopes crm, telephony, user_basic, task, im. When this is saved, a page of the portal opens where access is permitted.",
            },
            consent: true,
            fields: &[
                EntryField {
                    key: "client_id",
                    kind: EntryKind::Text,
                    required: true,
                    title: Words {
                        ru: "Код приложения (client_id)",
                        en: "Application ID (client_id)",
                    },
                    hint: Words {
                        ru: "Портал показывает его после сохранения приложения",
                        en: "The portal shows it once the application is saved",
                    },
                },
                EntryField {
                    key: "client_secret",
                    kind: EntryKind::Secret,
                    required: true,
                    title: Words {
                        ru: "Ключ приложения (client_secret)",
                        en: "Application key (client_secret)",
                    },
                    hint: Words {
                        ru: "Там же; вводится один раз и больше не показывается",
                        en: "In the same place; typed once and never shown again",
                    },
                },
                EntryField {
                    key: "redirect_uri",
                    kind: EntryKind::Callback,
                    required: false,
                    title: Words {
                        ru: "Путь вашего обработчика",
                        en: "Your handler path",
                    },
                    hint: Words {
                        ru: "В точности как в приложении. Пусто: портал покажет код, который надо вставить за 30 секунд",
                        en: "To the letter as in the application. Empty: the portal shows a code, to be pasted within 30 seconds",
                    },
                },
            ],
        },
        EntryWay {
            name: "token",
            title: Words {
                ru: "Входящим вебхуком",
                en: "By an incoming webhook",
            },
            hint: Words {
                ru: "Разработчикам, Другое, Входящий вебхук: права crm, telephony, user_basic, task, im.",
                en: "Developer resources, Other, Incoming webhook: scopes crm, telephony, user_basic, task, im.",
            },
            consent: false,
            fields: &[EntryField {
                key: "token",
                kind: EntryKind::Secret,
                required: true,
                title: Words {
                    ru: "Адрес вебхука целиком",
                    en: "The whole address of the webhook",
                },
                hint: Words {
                    ru: "Вводится один раз и больше не показывается",
                    en: "Typed once and never shown again",
                },
            }],
        },
    ],
};
