//! Steps that are worth something for seconds only: sent at most once, outside of every lane, never
//! repeated. A late one has expired, which is no error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::explanation::{Language, UserName};
use super::ids::{CrmUserId, Extension};
use super::phone::Phone;
use super::plan::Role;
use super::timestamp::Timestamp;

/// The card of a caller shown while the telephone rings (S2-39), or taken away again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassingStep {
    /// What it is for. Unique in the ledger.
    pub role: Role,
    /// Whether a card comes or goes.
    #[serde(default, skip_serializing_if = "CardMove::is_show")]
    pub card: CardMove,
    /// Who calls.
    pub phone: Phone,
    /// The telephones that ring for the first time; each is considered once.
    pub extensions: Vec<Extension>,
    /// To whom it is shown, or from whom it is taken.
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

/// What becomes of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardMove {
    /// It is shown.
    #[default]
    Show,
    /// It is taken away from who sees it.
    TakeAway,
}

impl CardMove {
    fn is_show(&self) -> bool {
        *self == Self::Show
    }
}

/// The entry of the call history that a CRM opened with the first card of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedEntry {
    /// Under whom it stands: whom the first card was for.
    pub user: CrmUserId,
    /// The CRM's own name of it, where its answer came.
    pub id: Option<String>,
}

/// Returns the entry that the cards of a call have opened, as far as they may have been sent.
pub fn opened_entry(steps: &[PassingStep]) -> Option<OpenedEntry> {
    let mut user = None;
    let mut id = None;
    for step in steps {
        let known = match &step.state {
            PassingState::Done { entry, .. } => entry.clone(),
            PassingState::Sent { .. }
            | PassingState::Failed { .. }
            | PassingState::Expired { sent: true, .. } => None,
            PassingState::Expired { sent: false, .. } | PassingState::NotSent { .. } => continue,
        };
        id = id.or(known);
        if let (CardMove::Show, Audience::Users { users }) = (step.card, &step.audience) {
            user = user.or_else(|| users.first().cloned());
        }
    }
    user.map(|user| OpenedEntry { user, id })
}

/// To whom a card is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
        /// The CRM's own name of the entry of the call history that it opened with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entry: Option<String>,
    },
    /// Its seconds were over before the CRM took it.
    Expired {
        /// When.
        at: Timestamp,
        /// It was on its way by then: the CRM may have taken it all the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sent: bool,
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
    /// Somebody else talks with the client.
    AnsweredElsewhere {
        /// Who no longer needs the card.
        users: Vec<UserName>,
    },
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
            Self::AnsweredElsewhere { users } => format!(
                "Карточка убирается с экрана ({}): с клиентом говорит другой сотрудник.",
                listed(users)
            ),
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
            Self::AnsweredElsewhere { users } => format!(
                "The card is taken away from {}: somebody else talks with the client.",
                listed(users)
            ),
        }
    }
}

fn listed(users: &[UserName]) -> String {
    let names: Vec<String> = users.iter().map(UserName::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(card: CardMove, users: &[&str], state: PassingState) -> PassingStep {
        PassingStep {
            role: Role::new("popup#1"),
            card,
            phone: Phone::try_from("+79161234567".to_owned()).expect("a number"),
            extensions: Vec::new(),
            audience: Audience::Users {
                users: users.iter().map(|id| CrmUserId((*id).to_owned())).collect(),
            },
            useful_until: Timestamp::default(),
            settings: 1,
            state,
            reasons: Vec::new(),
            first_time: None,
        }
    }

    #[test]
    fn an_entry_stands_under_whom_the_first_card_was_for_as_soon_as_one_may_have_been_sent() {
        let at = Timestamp::default();
        let sent = || PassingState::Sent { at };
        let done = |entry: Option<&str>| PassingState::Done {
            at,
            entry: entry.map(str::to_owned),
        };
        let expired = |sent| PassingState::Expired { at, sent };
        let show = |users: &[&str], state| step(CardMove::Show, users, state);
        let away = |users: &[&str], state| step(CardMove::TakeAway, users, state);
        let not_sent = || PassingState::NotSent { at };
        /// Under whom, and the CRM's name.
        type Entry = Option<(&'static str, Option<&'static str>)>;
        let rows: [(&str, Vec<PassingStep>, Entry); 8] = [
            ("no card", vec![], None),
            ("observed", vec![show(&["12"], not_sent())], None),
            (
                "too late to be sent",
                vec![show(&["12"], expired(false))],
                None,
            ),
            (
                "no answer in its seconds",
                vec![show(&["12"], expired(true))],
                Some(("12", None)),
            ),
            (
                "a kill while it was sent",
                vec![show(&["12", "13"], sent())],
                Some(("12", None)),
            ),
            (
                "answered",
                vec![show(&["12"], done(Some("c.1")))],
                Some(("12", Some("c.1"))),
            ),
            (
                "the first answer was lost, the second told the entry",
                vec![show(&["12"], sent()), show(&["13"], done(Some("c.1")))],
                Some(("12", Some("c.1"))),
            ),
            (
                "taken away",
                vec![
                    show(&["12", "13"], sent()),
                    away(&["13"], done(Some("c.1"))),
                ],
                Some(("12", Some("c.1"))),
            ),
        ];
        for (case, steps, expected) in rows {
            let expected = expected.map(|(user, id)| OpenedEntry {
                user: CrmUserId(user.to_owned()),
                id: id.map(str::to_owned),
            });
            assert_eq!(opened_entry(&steps), expected, "{case}");
        }
    }

    #[test]
    fn a_step_of_an_earlier_version_is_read() {
        let before = r#"{"role":"popup#1","phone":"+79161234567","extensions":["101"],
            "audience":{"to":"users","users":["12"]},"useful_until":"2026-11-20T09:00:00Z",
            "settings":1,"state":{"state":"done","at":"2026-11-20T09:00:00Z"},"reasons":[]}"#;
        let read: PassingStep = serde_json::from_str(before).expect("a step");
        assert_eq!(read.card, CardMove::Show);
        assert!(matches!(read.state, PassingState::Done { entry: None, .. }));
    }

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
                user: user.clone(),
            },
            PassingReason::AnsweredElsewhere { users: vec![user] },
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
