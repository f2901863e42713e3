//! What a day says that the CRM must hold in the end. Written by hand, compared item by item.

use std::fmt;

use serde::Deserialize;

/// What must be there about one client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientExpectation {
    /// The number, in any form; the name where there is no number.
    pub phone: String,
    /// Why this is expected, with the feature rows.
    pub why: String,
    /// Contacts with the number.
    #[serde(default)]
    pub contacts: Vec<ContactExpectation>,
    /// Deals of those contacts.
    #[serde(default)]
    pub deals: Vec<DealExpectation>,
    /// Unsorted records of the client.
    #[serde(default)]
    pub unsorted: Vec<UnsortedExpectation>,
    /// Entries of the call history.
    #[serde(default)]
    pub calls: Vec<CallExpectation>,
    /// Tasks on the client's cards.
    #[serde(default)]
    pub tasks: Vec<TaskExpectation>,
    /// Notes on the client's cards.
    #[serde(default)]
    pub notes: Vec<NoteExpectation>,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactExpectation {
    /// Its manager.
    pub responsible: u64,
    /// Its tags, in any order.
    #[serde(default)]
    pub tags: Vec<String>,
    /// It was there before the day.
    #[serde(default)]
    pub seeded: bool,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealExpectation {
    /// Pipeline.
    pub pipeline: u64,
    /// Stage.
    pub stage: u64,
    /// Its manager.
    pub responsible: u64,
    /// Its tags, in any order.
    #[serde(default)]
    pub tags: Vec<String>,
    /// It was there before the day.
    #[serde(default)]
    pub seeded: bool,
}

/// An unsorted record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnsortedExpectation {
    /// Pipeline.
    pub pipeline: u64,
    /// `sip` or `forms`.
    pub category: String,
    /// Whether a person has dealt with it.
    #[serde(default)]
    pub state: UnsortedState,
}

/// What became of an unsorted record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsortedState {
    /// Nobody has looked at it.
    #[default]
    Waiting,
    /// A person took it.
    Accepted,
    /// A person threw it away.
    Declined,
}

/// An entry of the call history.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallExpectation {
    /// Who called whom.
    pub direction: CallDirection,
    /// Whether somebody talked.
    pub result: CallResult,
    /// The user that it names; 0 stands for nobody.
    pub employee: u64,
    /// The least and the most seconds of talk.
    pub talk_s: [u64; 2],
    /// The card that it stands on.
    pub on: CallCard,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// The client called.
    In,
    /// The company called.
    Out,
}

/// Whether somebody talked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// Yes.
    Answered,
    /// No.
    Missed,
}

/// A kind of card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallCard {
    /// A deal.
    Deal,
    /// A contact.
    Contact,
    /// A company.
    Company,
    /// A card inside an unsorted record that nobody has accepted.
    Unsorted,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskExpectation {
    /// Who has to do it.
    pub responsible: u64,
    /// What its text must contain.
    pub text: String,
}

/// A note that is no call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteExpectation {
    /// The card that it stands on.
    pub on: CallCard,
    /// What its text must contain.
    pub text: String,
}

/// How much the CRM holds in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Contacts, those inside waiting unsorted records not counted.
    pub contacts: usize,
    /// Deals, those inside waiting unsorted records not counted.
    pub deals: usize,
    /// Unsorted records, whatever became of them.
    pub unsorted: usize,
    /// Entries of the call history.
    pub calls: usize,
    /// Tasks.
    pub tasks: usize,
    /// Notes that are no calls.
    #[serde(default)]
    pub notes: usize,
}

/// An integration whose CRM does not answer: its work must be kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingExpectation {
    /// The integration.
    pub integration: String,
    /// For how many communications work is open in the end.
    pub communications: usize,
}

impl fmt::Display for ContactExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "contact of {}{}", self.responsible, tags(&self.tags))
    }
}

impl fmt::Display for DealExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pipeline,
            stage,
            responsible,
            ..
        } = self;
        write!(
            f,
            "deal of {responsible} in {pipeline}/{stage}{}",
            tags(&self.tags)
        )
    }
}

impl fmt::Display for UnsortedExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unsorted {} in {}, {}",
            self.category, self.pipeline, self.state
        )
    }
}

impl fmt::Display for UnsortedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnsortedState::Waiting => "waiting",
            UnsortedState::Accepted => "accepted",
            UnsortedState::Declined => "declined",
        })
    }
}

impl fmt::Display for CallExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [least, most] = self.talk_s;
        write!(
            f,
            "{} by {}, {least} to {most} s, on {}",
            entry(self.direction, self.result),
            who(Some(self.employee).filter(|user| *user != 0)),
            self.on
        )
    }
}

impl fmt::Display for CallCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallCard::Deal => "deal",
            CallCard::Contact => "contact",
            CallCard::Company => "company",
            CallCard::Unsorted => "unsorted",
        })
    }
}

impl fmt::Display for NoteExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "note on {} with {:?}", self.on, self.text)
    }
}

impl fmt::Display for TaskExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task of {} with {:?}", self.responsible, self.text)
    }
}

/// Names an entry of the call history.
pub(super) fn entry(direction: CallDirection, result: CallResult) -> &'static str {
    match (direction, result) {
        (CallDirection::In, CallResult::Answered) => "incoming answered call",
        (CallDirection::In, CallResult::Missed) => "incoming missed call",
        (CallDirection::Out, CallResult::Answered) => "outgoing answered call",
        (CallDirection::Out, CallResult::Missed) => "outgoing unanswered call",
    }
}

/// Names a user or says that nobody is named.
pub(super) fn who(user: Option<u64>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.to_string())
}

/// Lists tags, where there are any.
pub(super) fn tags(tags: &[String]) -> String {
    if tags.is_empty() {
        String::new()
    } else {
        format!(", tagged {}", tags.join(", "))
    }
}
