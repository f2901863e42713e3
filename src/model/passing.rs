//! Steps that are worth something for seconds only: sent at most once, outside of every lane, never
//! repeated. A late one has expired, which is no error.

use serde::{Deserialize, Serialize};

use super::explanation::{Language, UserName};
use super::ids::{CrmUserId, Extension};
use super::phone::Phone;
use super::plan::Role;
use super::timestamp::Timestamp;

/// The card of a caller shown while the telephone rings (S2-39).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassingStep {
    /// What it is for. Unique in the ledger.
    pub role: Role,
    /// Who calls.
    pub phone: Phone,
    /// The telephones that ring for the first time; each is considered once.
    pub extensions: Vec<Extension>,
    /// To whom it is shown.
    pub audience: Audience,
    /// After this it is not sent any more.
    pub useful_until: Timestamp,
    /// The settings' revision that it was decided by.
    pub settings: u64,
    /// Where it stands.
    pub state: PassingState,
    /// Why.
    pub reasons: Vec<PassingReason>,
    /// Whether the client was new before the card was shown, where the CRM makes a contact from
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_time: Option<bool>,
}

/// To whom a card is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Audience {
    /// To nobody; the reasons say why.
    Nobody,
    /// To these users of the CRM.
    Users {
        /// Their ids.
        users: Vec<CrmUserId>,
    },
    /// To everybody in the CRM.
    Everybody,
}

/// Where a passing step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PassingState {
    /// It may have been sent; it is not sent again, whatever happens.
    Sent {
        /// When it was about to be.
        at: Timestamp,
    },
    /// The CRM took it.
    Done {
        /// When.
        at: Timestamp,
    },
    /// Its seconds were over before the CRM took it.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// It was not taken: the CRM's reason.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        why: String,
    },
    /// It was decided that nothing is shown, or the integration only observes.
    NotSent {
        /// When.
        at: Timestamp,
    },
}

/// Why a card is shown to these and not to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum PassingReason {
    /// Somebody's telephone rings.
    Rings {
        /// The extension.
        extension: Extension,
        /// Whose.
        user: UserName,
    },
    /// A telephone rings that no employee has at this source.
    NobodysExtension {
        /// The extension.
        extension: Extension,
    },
    /// Somebody's telephone rings who has no user in this account (S1-06).
    NoUser {
        /// The extension.
        extension: Extension,
        /// The employee's name.
        employee: String,
    },
    /// The setting shows every call to everybody.
    ForEverybody,
    /// The number is a partner's or an own line (S1-28).
    PartnerNumber,
    /// The number is an employee's own telephone (S1-28).
    EmployeePhone {
        /// The employee's name.
        employee: String,
    },
    /// The integration only observes.
    Observed,
}

impl PassingReason {
    /// Returns the reason as one sentence.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ru => self.russian(),
            Language::En => self.english(),
        }
    }

    fn russian(&self) -> String {
        match self {
            Self::Rings { extension, user } => {
                format!("Карточка показывается пользователю {user}: звонит телефон {extension}.")
            }
            Self::NobodysExtension { extension } => {
                format!("Звонит телефон {extension}, который не закреплён ни за кем.")
            }
            Self::NoUser {
                extension,
                employee,
            } => format!(
                "Звонит телефон {extension}, {employee}, но у этого сотрудника нет пользователя \
                 в CRM (S1-06)."
            ),
            Self::ForEverybody => "Карточка показывается всем: так настроено.".to_owned(),
            Self::PartnerNumber => {
                "Ничего не показывается: номер партнёра или собственный номер (S1-28).".to_owned()
            }
            Self::EmployeePhone { employee } => format!(
                "Ничего не показывается: это личный телефон сотрудника, {employee} (S1-28)."
            ),
            Self::Observed => "Интеграция только наблюдает: ничего не отправлено.".to_owned(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Rings { extension, user } => {
                format!("The card is shown to {user}: telephone {extension} rings.")
            }
            Self::NobodysExtension { extension } => {
                format!("Telephone {extension} rings, which belongs to nobody.")
            }
            Self::NoUser {
                extension,
                employee,
            } => format!(
                "Telephone {extension} of {employee} rings, who has no user in the CRM (S1-06)."
            ),
            Self::ForEverybody => "The card is shown to everybody, as is set.".to_owned(),
            Self::PartnerNumber => {
                "Nothing is shown: the number is a partner's or an own line (S1-28).".to_owned()
            }
            Self::EmployeePhone { employee } => {
                format!("Nothing is shown: this is the own telephone of {employee} (S1-28).")
            }
            Self::Observed => "The integration only observes: nothing was sent.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_said_in_both_languages() {
        let extension = Extension("101".to_owned());
        let user = UserName {
            id: CrmUserId("502".to_owned()),
            name: Some("Анна".to_owned()),
        };
        let employee = "Анна".to_owned();
        let reasons = [
            PassingReason::Rings {
                extension: extension.clone(),
                user,
            },
            PassingReason::NobodysExtension {
                extension: extension.clone(),
            },
            PassingReason::NoUser {
                extension,
                employee: employee.clone(),
            },
            PassingReason::ForEverybody,
            PassingReason::PartnerNumber,
            PassingReason::EmployeePhone { employee },
            PassingReason::Observed,
        ];
        for reason in reasons {
            let (ru, en) = (reason.text(Language::Ru), reason.text(Language::En));
            assert!(ru.ends_with('.') && en.ends_with('.'), "{ru} {en}");
            assert!(ru.chars().any(|c| ('а'..='я').contains(&c)), "{ru}");
            let written = serde_json::to_value(&reason).expect("plain");
            assert_eq!(
                serde_json::from_value::<PassingReason>(written).expect("plain"),
                reason
            );
        }
    }
}
