//! What a person types to add an account (`crm/alfacrm.md` §1).

use crate::crm::{CredentialForm, EntryField, EntryKind, EntryWay, Words};

pub(super) const FORM: CredentialForm = CredentialForm {
    title: "AlfaCRM",
    address: Words {
        ru: "Адрес аккаунта",
        en: "Account address",
    },
    example: "https://NAME.s20.online",
    ways: &[EntryWay {
        name: "key",
        title: Words {
            ru: "Ключом профиля",
            en: "By the key of a profile",
        },
        hint: Words {
            ru: "Заведите в AlfaCRM пользователя с ролью, которой разрешён API и виден филиал. Ключ API v2 стоит в профиле этого пользователя.",
            en: "Make a user in AlfaCRM with a role that may use the API and sees the branch. The API v2 key stands in that user’s profile.",
        },
        consent: false,
        fields: &[
            EntryField {
                key: "email",
                kind: EntryKind::Text,
                required: true,
                title: Words {
                    ru: "E-mail профиля",
                    en: "E-mail of the profile",
                },
                hint: Words {
                    ru: "Почта того, чей это ключ",
                    en: "The address of the profile that the key belongs to",
                },
            },
            EntryField {
                key: "api_key",
                kind: EntryKind::Secret,
                required: true,
                title: Words {
                    ru: "Ключ API v2",
                    en: "API v2 key",
                },
                hint: Words {
                    ru: "Вводится один раз и больше не показывается",
                    en: "Typed once and never shown again",
                },
            },
            EntryField {
                key: "branch",
                kind: EntryKind::Whole,
                required: true,
                title: Words {
                    ru: "Филиал",
                    en: "Branch",
                },
                hint: Words {
                    ru: "Номер филиала, где появляются новые карточки: он виден в адресе страницы",
                    en: "The number of the branch in which new cards stand: the address of a page shows it",
                },
            },
            EntryField {
                key: "app_key",
                kind: EntryKind::Secret,
                required: false,
                title: Words {
                    ru: "X-APP-KEY",
                    en: "X-APP-KEY",
                },
                hint: Words {
                    ru: "Нужен немногим новым аккаунтам; обычно пусто",
                    en: "A few new accounts want it; usually empty",
                },
            },
        ],
    }],
};
