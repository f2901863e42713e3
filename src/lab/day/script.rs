//! A day as it is written in `lab/days/*.toml`: what happens, and what the CRM must hold after it.
//!
//! Both halves are written by hand from the feature rows. Nothing here knows how a decision is
//! made; that is the point.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::expectation::{ClientExpectation, Totals, WaitingExpectation};
use crate::lab::ami::capture;
use crate::lab::itoolabs::CallKind;
use crate::lab::uis::{LabChat, LabRequest};

/// A whole day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// Its name, for the heading.
    pub name: String,
    /// The tenant whose day it is.
    pub tenant: String,
    /// What the CRM holds before the day begins.
    #[serde(default, rename = "seed")]
    pub seeds: Vec<Seed>,
    /// The parts, played one after the other.
    #[serde(rename = "part")]
    pub parts: Vec<Part>,
    /// What the CRM must hold about each client in the end.
    #[serde(rename = "client")]
    pub clients: Vec<ClientExpectation>,
    /// How much it must hold in all, seeds included.
    pub totals: Totals,
    /// Integrations whose CRM does not answer, and how much must wait for it.
    #[serde(default)]
    pub waiting: Vec<WaitingExpectation>,
}

/// A contact, with its deals, that somebody typed in before the day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Shown name.
    pub name: String,
    /// The number as it was typed.
    pub phone: String,
    /// Its manager, a user of the CRM.
    pub responsible: u64,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Its deals.
    #[serde(default)]
    pub deals: Vec<SeedDeal>,
}

/// A deal of a seeded contact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedDeal {
    /// Pipeline.
    pub pipeline: u64,
    /// Stage; 142 and 143 are closed.
    pub stage: u64,
    /// Its manager.
    pub responsible: u64,
}

/// A stretch of the day. The next one begins when every call of this one has ended and the daemon
/// has nothing left to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is about.
    pub title: String,
    /// What happens.
    pub events: Vec<Event>,
}

/// One thing that happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A call through the simulated Asterisk.
    Call {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The recording.
        capture: String,
        /// The client's number as the trunk gives it or the employee dials it.
        #[serde(default)]
        client: String,
        /// The company's number.
        #[serde(default)]
        did: String,
        /// Who takes the places of the recorded extensions.
        #[serde(default)]
        agents: BTreeMap<String, String>,
        /// How many times faster than recorded.
        #[serde(default = "one")]
        speed: f64,
        /// What this is, in a few words.
        what: String,
    },
    /// A call through the simulated VATS.
    Vats {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// What sort of call.
        call: CallKind,
        /// The client's number as digits.
        client: String,
        /// Who is rung or dials, by login; nobody = the group.
        #[serde(default)]
        users: Vec<String>,
        /// Seconds of ringing.
        #[serde(default = "one")]
        ring_s: f64,
        /// Seconds of talk.
        #[serde(default = "two")]
        talk_s: f64,
        /// What this is, in a few words.
        what: String,
    },
    /// A body posted to a webhook source.
    Post {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The source.
        source: String,
        /// The body. A text `@-75` in it stands for the time 75 seconds ago.
        body: String,
        /// The status that must be answered.
        status: u16,
        /// How many communications the daemon hears of for the first time with it.
        communications: u32,
        /// What this is, in a few words.
        what: String,
    },
    /// A form that is filled in at a site of the simulated UIS account. Times are seconds from now.
    UisRequest {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The form.
        request: LabRequest,
        /// What this is, in a few words.
        what: String,
    },
    /// A chat of the simulated UIS account. Times are seconds from now.
    UisChat {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The chat.
        chat: LabChat,
        /// What this is, in a few words.
        what: String,
    },
    /// A person accepts the unsorted record of a client, as soon as it is there.
    AcceptUnsorted {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The account.
        account: String,
        /// The client's number.
        client: String,
        /// Who accepts and becomes responsible.
        user: u64,
        /// The stage that the deal is put into.
        stage: u64,
    },
    /// From now on the CRM answers everything with 503.
    CrmDown {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The account.
        account: String,
    },
    /// The CRM is itself again.
    CrmUp {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The account.
        account: String,
    },
    /// The CRM carries out the next request to this path and loses the answer.
    LoseAnswer {
        /// Seconds from the beginning of the part.
        at_s: f64,
        /// The account.
        account: String,
        /// The path, with `*` for any run of characters.
        path: String,
    },
    /// Every AMI connection is cut; calls go on.
    CutLink {
        /// Seconds from the beginning of the part.
        at_s: f64,
    },
    /// The switch sends bytes that are no AMI.
    Garbage {
        /// Seconds from the beginning of the part.
        at_s: f64,
    },
}

fn one() -> f64 {
    1.0
}

fn two() -> f64 {
    2.0
}

impl Event {
    /// Returns how many communications the daemon hears of for the first time with it.
    pub fn communications(&self) -> u32 {
        match self {
            Event::Call { .. }
            | Event::Vats { .. }
            | Event::UisRequest { .. }
            | Event::UisChat { .. } => 1,
            Event::Post { communications, .. } => *communications,
            Event::AcceptUnsorted { .. }
            | Event::CrmDown { .. }
            | Event::CrmUp { .. }
            | Event::LoseAnswer { .. }
            | Event::CutLink { .. }
            | Event::Garbage { .. } => 0,
        }
    }

    /// Returns when it happens, in seconds from the beginning of its part.
    pub fn at_s(&self) -> f64 {
        match self {
            Event::Call { at_s, .. }
            | Event::Vats { at_s, .. }
            | Event::Post { at_s, .. }
            | Event::UisRequest { at_s, .. }
            | Event::UisChat { at_s, .. }
            | Event::AcceptUnsorted { at_s, .. }
            | Event::CrmDown { at_s, .. }
            | Event::CrmUp { at_s, .. }
            | Event::LoseAnswer { at_s, .. }
            | Event::CutLink { at_s }
            | Event::Garbage { at_s } => *at_s,
        }
    }
}

/// Why a day cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// The file is not TOML of the right shape.
    #[error("read the day: {0}")]
    Shape(#[from] toml::de::Error),
    /// It contradicts itself.
    #[error("read the day: {0}")]
    Contradiction(String),
}

impl Day {
    /// Reads a day and checks what its types do not exclude.
    ///
    /// # Errors
    /// Names the first mistake.
    pub fn parse(text: &str) -> Result<Self, DayError> {
        let day: Self = toml::from_str(text)?;
        let bad = |text: String| Err(DayError::Contradiction(text));
        let mut numbers = BTreeSet::new();
        for client in &day.clients {
            if !numbers.insert(last_ten(&client.phone)) {
                return bad(format!("client {} stands twice", client.phone));
            }
        }
        for event in day.events() {
            if !(0.0..=3600.0).contains(&event.at_s()) {
                return bad(format!("at_s = {} is not within an hour", event.at_s()));
            }
            match event {
                Event::Call { capture, .. } if capture::named(capture).is_none() => {
                    return bad(format!("no recorded call is named {capture:?}"));
                }
                Event::Post { body, .. } => {
                    if let Err(error) = serde_json::from_str::<serde_json::Value>(body) {
                        return bad(format!("a body is not JSON: {error}"));
                    }
                }
                _ => {}
            }
        }
        Ok(day)
    }

    /// Returns everything that happens, in order of the file.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.parts.iter().flat_map(|part| &part.events)
    }

    /// Returns how many communications the daemon hears of.
    pub fn communications(&self) -> u32 {
        self.events().map(Event::communications).sum()
    }
}

/// Returns the last ten digits of a number, by which the day names clients whatever the form; a
/// client without a number is named by the name.
pub(super) fn last_ten(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return number.to_owned();
    }
    digits
        .iter()
        .skip(digits.len().saturating_sub(10))
        .collect()
}
