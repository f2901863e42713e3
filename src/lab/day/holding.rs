//! What a simulated CRM holds, as plain data: the found half of the comparison.

use std::collections::BTreeMap;
use std::fmt;

use super::expectation::{
    CallCard, CallDirection, CallResult, Totals, UnsortedState, entry, tags, who,
};

/// Everything that one account holds.
#[derive(Debug, Clone, Default)]
pub struct Holding {
    /// By the last ten digits of the client's number.
    pub clients: BTreeMap<String, Held>,
    /// How much there is in all, cards without a client's number included.
    pub totals: Totals,
}

/// What is held about one client.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Contacts.
    pub contacts: Vec<HeldContact>,
    /// Deals.
    pub deals: Vec<HeldDeal>,
    /// Unsorted records.
    pub unsorted: Vec<HeldUnsorted>,
    /// Entries of the call history.
    pub calls: Vec<HeldCall>,
    /// Tasks.
    pub tasks: Vec<HeldTask>,
    /// Notes that are no calls.
    pub notes: Vec<HeldNote>,
}

/// A contact.
#[derive(Debug, Clone)]
pub struct HeldContact {
    /// Its manager.
    pub responsible: u64,
    /// Its tags.
    pub tags: Vec<String>,
    /// It was there before the day.
    pub seeded: bool,
}

/// A deal.
#[derive(Debug, Clone)]
pub struct HeldDeal {
    /// Pipeline.
    pub pipeline: u64,
    /// Stage.
    pub stage: u64,
    /// Its manager.
    pub responsible: u64,
    /// Its tags.
    pub tags: Vec<String>,
    /// It was there before the day.
    pub seeded: bool,
}

/// An unsorted record.
#[derive(Debug, Clone)]
pub struct HeldUnsorted {
    /// Pipeline.
    pub pipeline: u64,
    /// `sip` or `forms`.
    pub category: String,
    /// What became of it.
    pub state: UnsortedState,
}

/// An entry of the call history.
#[derive(Debug, Clone)]
pub struct HeldCall {
    /// Who called whom.
    pub direction: CallDirection,
    /// Whether somebody talked.
    pub result: CallResult,
    /// The user that it names.
    pub employee: Option<u64>,
    /// Seconds of talk.
    pub talk_s: u64,
    /// The card that it stands on; nothing where that card is another client's.
    pub on: Option<CallCard>,
    /// Its time, in Unix seconds.
    pub at_s: i64,
}

/// A task.
#[derive(Debug, Clone)]
pub struct HeldTask {
    /// Who has to do it.
    pub responsible: u64,
    /// Its text.
    pub text: String,
}

/// A note that is no call.
#[derive(Debug, Clone)]
pub struct HeldNote {
    /// The card that it stands on.
    pub on: CallCard,
    /// Its text.
    pub text: String,
}

impl fmt::Display for HeldNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "note on {} with {:?}", self.on, self.text)
    }
}

impl fmt::Display for HeldContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "contact of {}{}", self.responsible, tags(&self.tags))
    }
}

impl fmt::Display for HeldDeal {
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

impl fmt::Display for HeldUnsorted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unsorted {} in {}, {}",
            self.category, self.pipeline, self.state
        )
    }
}

impl fmt::Display for HeldCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = self
            .on
            .map_or_else(|| "another client's card".to_owned(), |on| on.to_string());
        write!(
            f,
            "{} by {}, {} s, on {on}",
            entry(self.direction, self.result),
            who(self.employee),
            self.talk_s
        )
    }
}

impl fmt::Display for HeldTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task of {} with {:?}", self.responsible, self.text)
    }
}
