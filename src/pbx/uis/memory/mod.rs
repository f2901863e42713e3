//! What a source remembers between notifications, rounds and restarts, and what follows from
//! something new. Pure: it is handed the time, and what comes out is committed by `desk`.
//!
//! ```text
//!  notification --> live call --(row of the report)--> settled
//!  row of a report, chat, request -------------------> settled
//!  notification of a chat or request --> wanted --(row)--> settled
//! ```
//!
//! A call that the report told of is settled: the report's word is the last, and a notification that
//! comes later only has the report read soon. Revisions grow with time, so that a picture that is
//! made anew after its call was forgotten here is newer than the stored one.

mod keeping;
mod taking;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chat_row::Place;
use super::live_call::LiveCall;
use super::notification::{Event, Notification};
use super::request_row;
use super::roster::People;
use crate::model::communication::{Body, Kind, Snapshot};
use crate::model::ids::CommunicationKey;
use crate::model::timestamp::Timestamp;
use crate::pbx::SourceIdentity;

/// Calls that are followed at once: far more than an account has lines.
const LIVE_MAX: usize = 5_000;

/// Chats and requests that wait to be read.
const WANTED_MAX: usize = 5_000;

/// What was settled and is remembered: some days of a large company.
const SETTLED_MAX: usize = 50_000;

/// A call of which nothing was heard for so long is over, whatever became of it.
const SILENCE_MAX: Duration = Duration::from_secs(4 * 3_600);

/// How long a call that is over is kept open to late notifications, where no report settles it.
const OVER_KEPT: Duration = Duration::from_secs(24 * 3_600);

/// How long a settled communication is remembered, at least.
const SETTLED_KEPT: Duration = Duration::from_secs(6 * 3_600);

/// How long a chat or request is looked for that a notification told of.
const WANTED_KEPT: Duration = Duration::from_secs(24 * 3_600);

/// How an account is followed.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Whose communications these are.
    pub(super) identity: SourceIdentity,
    /// Reports can be read: they have the last word.
    pub(super) reports: bool,
    /// How far back reports are read once more.
    pub(super) overlap: Duration,
}

/// Everything that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// When the source was first started: what was before is not taken.
    pub(super) since: Option<Timestamp>,
    /// Until when each report was read.
    pub(super) read_until: BTreeMap<Report, Timestamp>,
    /// The time zone that the account named.
    pub(super) zone: Option<String>,
    /// The people.
    pub(super) people: People,
    live: BTreeMap<String, Live>,
    settled: BTreeMap<String, Settled>,
    wanted: BTreeMap<String, Timestamp>,
}

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// Of calls.
    Calls,
    /// Of chats.
    Chats,
    /// Of what is written in chats.
    Messages,
    /// Of requests.
    Requests,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Live {
    call: LiveCall,
    #[serde(default)]
    revision: u64,
    /// The mark of the picture that was shown last.
    #[serde(default)]
    shown: u64,
}

/// What is remembered of a communication that a report told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settled {
    /// When it last changed here.
    at: Timestamp,
    /// The mark of what the report said.
    row: u64,
    /// The mark of the picture.
    shown: u64,
    revision: u64,
    began_at: Timestamp,
    /// It goes on: it is looked at however long ago it began.
    #[serde(default)]
    open: bool,
    /// Where the last known message of a chat stands.
    #[serde(default)]
    message: Option<Place>,
}

/// A picture that is to be remembered.
struct Arrival<'a> {
    kind: Kind,
    id: &'a str,
    /// The mark of what the report said.
    row: u64,
    body: Body,
    /// The revision of a picture that was shown before it was settled.
    before: u64,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// It tells something new: to be committed.
    News(Vec<Snapshot>),
    /// It was known already, or adds nothing.
    Known,
    /// The reports are to be read soon; with something to be committed.
    ReadSoon {
        /// Something is to be committed.
        changed: bool,
    },
    /// It comes too late to be believed, and nothing else tells of it.
    TooLate,
    /// Nothing can be done with it without the reports.
    NoReports,
    /// There is no room: the platform may come again.
    Full,
}

/// Makes a mark of a value: equal values have equal marks, in every version.
pub(super) fn mark<T: Serialize + ?Sized>(value: &T) -> u64 {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let digest = Sha256::digest(&bytes);
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

fn key_of(kind: Kind, id: &str) -> String {
    format!("{kind}:{id}")
}

/// Returns the revision after one: never smaller than the time, so that it grows also where the one
/// before was forgotten.
fn next_revision(before: u64, now: Timestamp) -> u64 {
    let now = u64::try_from(now.as_millis()).unwrap_or_default();
    now.max(before.saturating_add(1))
}

impl Memory {
    /// Adds a notification.
    pub(super) fn hear(&mut self, told: &Notification, rules: &Rules, now: Timestamp) -> Heard {
        match told.event {
            Event::Chat => self.want(Kind::Chat, told, rules, now),
            Event::OfflineMessage if rules.reports => self.want(Kind::Request, told, rules, now),
            Event::OfflineMessage => self.hear_request(told, rules, now),
            Event::CallIncoming
            | Event::CallRinging
            | Event::CallOutgoing
            | Event::TalkStarted
            | Event::TalkFinished
            | Event::CallFinished
            | Event::CallLost
            | Event::CallRecorded
            | Event::TagSet => self.hear_call(told, rules, now),
        }
    }

    fn hear_call(&mut self, told: &Notification, rules: &Rules, now: Timestamp) -> Heard {
        let key = key_of(Kind::Call, &told.id);
        if self.settled.contains_key(&key) {
            // The report knows it, and tells more.
            return match rules.reports {
                true => Heard::ReadSoon { changed: false },
                false => Heard::Known,
            };
        }
        if !self.live.contains_key(&key) {
            let late = told.at < now.minus(OVER_KEPT);
            let forgotten = rules.reports && told.at < now.minus(rules.settled_kept());
            if late || forgotten {
                return match rules.reports {
                    true => Heard::ReadSoon { changed: false },
                    false => Heard::TooLate,
                };
            }
            // A call that began in the dark and of which only a recording or a mark is told: the
            // report has all of it, and a picture of it would be wrong.
            let says_little = matches!(told.event, Event::CallRecorded | Event::TagSet);
            if says_little && rules.reports {
                return Heard::ReadSoon { changed: false };
            }
            if self.live.len() >= LIVE_MAX {
                return Heard::Full;
            }
        }
        let live = self.live.entry(key).or_insert_with(|| Live {
            call: LiveCall::default(),
            revision: 0,
            shown: 0,
        });
        let before = live.call.clone();
        live.call.add(told);
        let shown = live.show(&told.id, rules, now);
        match (shown, live.call == before) {
            (Some(snapshot), _) => Heard::News(vec![snapshot]),
            (None, true) => Heard::Known,
            (None, false) => Heard::News(Vec::new()),
        }
    }

    /// Without reports, a request is what the notification says of it.
    fn hear_request(&mut self, told: &Notification, rules: &Rules, now: Timestamp) -> Heard {
        if !told.request.says_something() {
            return Heard::NoReports;
        }
        let request = request_row::picture(&told.request, told.at, &rules.identity.numbers);
        let row = mark(&request);
        let body = Body::Request { request };
        let arrived = Arrival {
            kind: Kind::Request,
            id: &told.id,
            row,
            body,
            before: 0,
        };
        match self.settle(arrived, rules, now) {
            Some(snapshot) => Heard::News(vec![snapshot]),
            None => Heard::Known,
        }
    }

    fn want(&mut self, kind: Kind, told: &Notification, rules: &Rules, now: Timestamp) -> Heard {
        if !rules.reports {
            return Heard::NoReports;
        }
        let key = key_of(kind, &told.id);
        if self.wanted.len() >= WANTED_MAX && !self.wanted.contains_key(&key) {
            return Heard::Full;
        }
        let changed = self
            .wanted
            .insert(key, now.min(told.at).max(now.minus(WANTED_KEPT)));
        Heard::ReadSoon {
            changed: changed.is_none(),
        }
    }
}

impl Rules {
    fn settled_kept(&self) -> Duration {
        SETTLED_KEPT.max(self.overlap.saturating_mul(2))
    }
}

/// Ids of the three kinds are numbers of one row on the platform; each kind has its own room here.
fn item(kind: Kind, id: &str) -> String {
    match kind {
        Kind::Call => id.to_owned(),
        Kind::Chat | Kind::Request => format!("{kind}-{id}"),
    }
}

impl Live {
    /// Returns the picture, where it is another than was shown.
    fn show(&mut self, id: &str, rules: &Rules, now: Timestamp) -> Option<Snapshot> {
        let key = CommunicationKey::new(rules.identity.key.clone(), &item(Kind::Call, id)).ok()?;
        let call = self.call.picture(&rules.identity.numbers);
        let body = Body::Call { call };
        let shown = mark(&body);
        if self.shown == shown {
            return None;
        }
        self.shown = shown;
        self.revision = next_revision(self.revision, now);
        Some(Snapshot {
            key,
            revision: self.revision,
            body,
        })
    }
}
