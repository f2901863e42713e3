//! What a person types to add an account (`crm/amocrm.md` §2).

use crate::crm::{CredentialForm, EntryField, EntryKind, EntryWay, Words};

pub(super) const FORM: CredentialForm = CredentialForm {
    title: "amoCRM",
    address: Words {
        ru: "Адрес портала",
        en: "Portal address",
    },
    example: "https://NAME.amocrm.ru/",
    ways: &[
        EntryWay {
            name: "oauth",
            title: Words {
                ru: "Разрешением на странице amoCRM",
                en: "By permission on a page of amoCRM",
            },
            hint: Words {
                ru: "В amoCRM администратор создаёт свою интеграцию: amoМаркет, «Создать интеграцию», внешняя. После сохранения откроется страница amoCRM, где разрешают доступ.",
                en: "In amoCRM an administrator makes a private integration: amoMarket, “Create integration”, external. When this is saved, a page of amoCRM opens where access is permitted.",
            },
            consent: true,
            fields: &[
                EntryField {
                    key: "client_id",
                    kind: EntryKind::Text,
                    required: true,
                    title: Words {
                        ru: "ID интеграции",
                        en: "Integration ID",
                    },
                    hint: Words {
                        ru: "Интеграция, вкладка «Ключи и доступы»",
                        en: "The integration, tab “Keys and scopes”",
                    },
                },
                EntryField {
                    key: "client_secret",
                    kind: EntryKind::Secret,
                    required: true,
                    title: Words {
                        ru: "Секретный ключ",
                        en: "Secret key",
                    },
                    hint: Words {
                        ru: "Там же; вводится один раз и больше не показывается",
                        en: "On the same tab; typed once and never shown again",
                    },
                },
                EntryField {
                    key: "redirect_uri",
                    kind: EntryKind::Callback,
                    required: true,
                    title: Words {
                        ru: "Ссылка для перенаправления",
                        en: "Redirect URI",
                    },
                    hint: Words {
                        ru: "В точности как в интеграции",
                        en: "To the letter as in the integration",
                    },
                },
            ],
        },
        EntryWay {
            name: "token",
            title: Words {
                ru: "Долгосрочным токеном",
                en: "By a long-lived token",
            },
            hint: Words {
                ru: "В своей интеграции, вкладка «Ключи и доступы»: «Сгенерировать токен», срок до пяти лет. За тридцать дней до конца появится предупреждение.",
                en: "In the private integration, tab “Keys and scopes”: generate a token, good for up to five years. Thirty days before its end there is an alarm.",
            },
            consent: false,
            fields: &[EntryField {
                key: "token",
                kind: EntryKind::Secret,
                required: true,
                title: Words {
                    ru: "Токен",
                    en: "Token",
                },
                hint: Words {
                    ru: "Вводится один раз и больше не показывается",
                    en: "Typed once and never shown again",
                },
            }],
        },
    ],
};
