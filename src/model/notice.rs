//! Notices of new records that go past the CRM, to people whom it cannot tell by itself: by e-mail,
//! or posted over HTTP. Written down before they are sent; one that
//! a crash cut off is sent once more, by the same name, as long as it is news.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::explanation::{Language, UserName};
use super::passing::PassingState;
use super::plan::{Card, Entity, Role};
use super::timestamp::Timestamp;

/// One notice about one new record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideNotice {
    /// What it is for. Unique in the ledger.
    pub role: Role,
    /// The record.
    pub card: Card,
    /// Which way it goes.
    pub way: NoticeWay,
    /// After this it is not sent any more.
    pub useful_until: Timestamp,
    /// The settings' revision that it was decided by.
    pub settings: u64,
    /// Where it stands.
    pub state: PassingState,
    /// Why.
    pub reasons: Vec<NoticeReason>,
}

/// Which way a notice goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum NoticeWay {
    /// By e-mail. Without an address to nobody; the reasons say why.
    Email {
        /// To these addresses.
        to: Vec<String>,
    },
    /// Posted over HTTP.
    Webhook {
        /// The name of the place, in `[notices.webhooks]` of `trunkline.toml`.
        name: String,
    },
}

/// Why a notice goes to these and not to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoticeReason {
    /// A record is new.
    RecordMade {
        /// Its sort.
        entity: Entity,
    },
    /// Who answers for it is told.
    ToResponsible {
        /// Who.
        user: UserName,
        /// The address is the one that the CRM has; the file has none.
        from_crm: bool,
    },
    /// Who answers for it has no address, neither in the file nor in the CRM.
    NoAddress {
        /// Who.
        user: UserName,
    },
    /// Nobody answers for it.
    NobodyAnswers,
    /// The settings name these addresses.
    ToAddresses,
    /// The settings name this place.
    ToWebhook {
        /// Its name.
        name: String,
    },
}

impl NoticeReason {
    /// Returns the reason as one sentence.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => self.russian(),
            Language::En => self.english(),
        }
    }

    fn russian(&self) -> String {
        match self {
            Self::RecordMade { entity } => {
                format!("Создана новая запись в CRM: {}.", russian(*entity))
            }
            Self::ToResponsible { user, from_crm } => {
                let from = match from_crm {
                    true => " по адресу из CRM",
                    false => "",
                };
                format!("Письмо ответственному{from}: {user}.")
            }
            Self::NoAddress { user } => {
                format!(
                    "У ответственного нет адреса электронной почты ни в файле, ни в CRM: {user}."
                )
            }
            Self::NobodyAnswers => "За эту запись пока никто не отвечает.".to_owned(),
            Self::ToAddresses => "Письмо по адресам из настроек.".to_owned(),
            Self::ToWebhook { name } => format!("Сообщение на адрес «{name}» из настроек."),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::RecordMade { entity } => format!("A new {entity} was made in the CRM."),
            Self::ToResponsible { user, from_crm } => {
                let from = match from_crm {
                    true => ", by the address that the CRM has",
                    false => "",
                };
                format!("{user} answers for it and gets an e-mail{from}.")
            }
            Self::NoAddress { user } => format!(
                "{user} answers for it and has no e-mail address, neither in the file nor in the \
                 CRM."
            ),
            Self::NobodyAnswers => "Nobody answers for it yet.".to_owned(),
            Self::ToAddresses => "An e-mail goes to the addresses of the settings.".to_owned(),
            Self::ToWebhook { name } => {
                format!("A message is posted to \"{name}\", as the settings say.")
            }
        }
    }
}

/// Names the sort of a record.
pub fn russian(entity: Entity) -> &'static str {
    match entity {
        Entity::Contact => "контакт",
        Entity::Company => "компания",
        Entity::Deal => "сделка",
        Entity::Lead => "лид",
        Entity::Unsorted => "неразобранное",
        Entity::Task => "задача",
        Entity::CallRecord => "звонок",
        Entity::Note => "примечание",
        Entity::Fields => "поля",
        Entity::Notice => "уведомление",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::CrmUserId;

    #[test]
    fn every_reason_is_said_in_both_languages() {
        let user = UserName {
            id: CrmUserId("502".to_owned()),
            name: Some("Анна".to_owned()),
        };
        let mut reasons = vec![
            NoticeReason::ToResponsible {
                user: user.clone(),
                from_crm: true,
            },
            NoticeReason::ToResponsible {
                user: user.clone(),
                from_crm: false,
            },
            NoticeReason::NoAddress { user },
            NoticeReason::NobodyAnswers,
            NoticeReason::ToAddresses,
            NoticeReason::ToWebhook {
                name: "продажи".to_owned(),
            },
        ];
        for entity in [
            Entity::Contact,
            Entity::Deal,
            Entity::Lead,
            Entity::Unsorted,
        ] {
            reasons.push(NoticeReason::RecordMade { entity });
        }
        for reason in reasons {
            let (ru, en) = (reason.text(Language::Ru), reason.text(Language::En));
            assert!(ru.ends_with('.') && en.ends_with('.'), "{ru} {en}");
            assert!(ru.chars().any(|c| ('а'..='я').contains(&c)), "{ru}");
            let written = serde_json::to_value(&reason).expect("plain");
            let read: NoticeReason = serde_json::from_value(written).expect("plain");
            assert_eq!(read, reason);
        }
    }
}
