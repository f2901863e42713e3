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

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::call_row::CallRow;
use super::chat_row::{self, ChatRow};
use super::live_call::LiveCall;
use super::notification::{Event, Notification};
use super::request_row::{self, RequestRow};
use super::roster::People;
use crate::model::call::Call;
use crate::model::chat::{ChatPhase, Message};
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
    /// When the last message of a chat was written.
    #[serde(default)]
    message_at: Option<Timestamp>,
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
        match self.settle(Kind::Request, &told.id, row, body, rules, now) {
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

    /// Takes a row of the report of calls.
    pub(super) fn take_call(
        &mut self,
        row: CallRow,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let key = key_of(Kind::Call, &row.id);
        let over = row.call.is_over();
        let mut call = row.call;
        let row_mark = mark(&call);
        let mut before = 0;
        if let Some(live) = self.live.get(&key) {
            // Reports lag behind: what goes on is told sooner by notifications.
            if !over {
                return None;
            }
            before = live.revision;
            join(&mut call, &live.call.picture(&rules.identity.numbers));
        } else if self.is_before_us(call.started_at) {
            return None;
        }
        self.live.remove(&key);
        let (began_at, body) = (call.started_at, Body::Call { call });
        let shown = self.settle_after(Kind::Call, &row.id, row_mark, body, before, rules, now);
        if let Some(settled) = self.settled.get_mut(&key) {
            settled.open = !over;
            settled.began_at = began_at;
        }
        shown
    }

    /// Takes a row of the report of requests.
    pub(super) fn take_request(
        &mut self,
        row: RequestRow,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let was_wanted = self.arrived(Kind::Request, &row.id, row.communication.as_deref());
        if !was_wanted && self.is_before_us(row.request.at) {
            return None;
        }
        let row_mark = mark(&row.request);
        let body = Body::Request {
            request: row.request,
        };
        self.settle(Kind::Request, &row.id, row_mark, body, rules, now)
    }

    /// Says whether the messages of a chat are to be read: it is new, changed, has something newer
    /// than is known, or was told of.
    pub(super) fn chat_changed(&self, row: &ChatRow, newest: Option<Timestamp>) -> bool {
        let known = self.settled.get(&key_of(Kind::Chat, &row.id));
        let Some(known) = known else {
            let recent = newest.is_some_and(|newest| !self.is_before_us(newest));
            return recent || self.is_wanted_chat(row) || !self.is_before_us(row.chat.started_at);
        };
        let newer = newest.is_some_and(|newest| Some(newest) > known.message_at);
        newer || known.row != mark(&row.chat)
    }

    fn is_wanted_chat(&self, row: &ChatRow) -> bool {
        let ids = std::iter::once(row.id.as_str()).chain(row.communication.as_deref());
        ids.into_iter()
            .any(|id| self.wanted.contains_key(&key_of(Kind::Chat, id)))
    }

    /// Takes a chat with all of its messages.
    pub(super) fn take_chat(
        &mut self,
        row: ChatRow,
        messages: Vec<Message>,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        self.arrived(Kind::Chat, &row.id, row.communication.as_deref());
        let row_mark = mark(&row.chat);
        let mut chat = row.chat;
        chat.messages = chat_row::in_order(messages);
        let newest = chat_row::latest(&chat.messages);
        if let (Some(ended_at), Some(newest)) = (chat.ended_at, newest) {
            chat.ended_at = Some(ended_at.max(newest));
        }
        let (open, began_at) = (chat.phase != ChatPhase::Ended, chat.started_at);
        let shown = self.settle(
            Kind::Chat,
            &row.id,
            row_mark,
            Body::Chat { chat },
            rules,
            now,
        );
        if let Some(settled) = self.settled.get_mut(&key_of(Kind::Chat, &row.id)) {
            (settled.open, settled.began_at) = (open, began_at);
            settled.message_at = newest.max(settled.message_at);
        }
        shown
    }

    /// Notes that a chat needs no reading.
    pub(super) fn chat_is_known(&mut self, row: &ChatRow) {
        self.arrived(Kind::Chat, &row.id, row.communication.as_deref());
    }

    fn settle(
        &mut self,
        kind: Kind,
        id: &str,
        row: u64,
        body: Body,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        self.settle_after(kind, id, row, body, 0, rules, now)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place where every kind is settled"
    )]
    fn settle_after(
        &mut self,
        kind: Kind,
        id: &str,
        row: u64,
        body: Body,
        before: u64,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let key = CommunicationKey::new(rules.identity.key.clone(), &item(kind, id)).ok()?;
        let name = key_of(kind, id);
        let shown = mark(&body);
        let known = self.settled.get_mut(&name);
        if let Some(known) = known {
            // The row decides: a picture that notifications made richer is not made poorer.
            if known.row == row && (known.shown == shown || kind != Kind::Chat) {
                return None;
            }
            known.row = row;
            if known.shown == shown {
                return None;
            }
            known.shown = shown;
            known.revision = next_revision(known.revision.max(before), now);
            known.at = now;
            return Some(Snapshot {
                key,
                revision: known.revision,
                body,
            });
        }
        let revision = next_revision(before, now);
        self.settled.insert(
            name,
            Settled {
                at: now,
                row,
                shown,
                revision,
                began_at: body.started_at(),
                open: false,
                message_at: None,
            },
        );
        Some(Snapshot {
            key,
            revision,
            body,
        })
    }

    /// What began before the source was first started is somebody else's affair.
    fn is_before_us(&self, began_at: Timestamp) -> bool {
        // The platform's times have whole seconds.
        let since = self.since.map(Timestamp::as_secs);
        since.is_some_and(|since| began_at.as_secs() < since)
    }

    /// Strikes a communication off what is looked for; says whether it was.
    fn arrived(&mut self, kind: Kind, id: &str, communication: Option<&str>) -> bool {
        let ids = std::iter::once(id).chain(communication);
        let struck = ids.map(|id| self.wanted.remove(&key_of(kind, id)).is_some());
        // All of them: a short-cut would leave the second name.
        struck.fold(false, |any, one| any || one)
    }

    /// Returns how many are looked for.
    pub(super) fn wanted(&self) -> usize {
        self.wanted.len()
    }

    /// Returns the ids of the chats that are looked for.
    pub(super) fn wanted_chats(&self) -> Vec<String> {
        let prefix = key_of(Kind::Chat, "");
        let names = self.wanted.keys();
        names
            .filter_map(|name| name.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect()
    }

    /// Returns how many calls go on.
    pub(super) fn open_calls(&self) -> usize {
        let live = self
            .live
            .values()
            .filter(|live| !live.call.is_over())
            .count();
        live + self.open_ids(Kind::Call).len()
    }

    /// Returns the ids of what goes on, by the reports.
    pub(super) fn open_ids(&self, kind: Kind) -> Vec<String> {
        let prefix = key_of(kind, "");
        let open = self.settled.iter().filter(|(_, settled)| settled.open);
        open.filter_map(|(name, _)| name.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect()
    }

    /// Returns from when on a report is to be read.
    pub(super) fn read_from(&self, report: Report, rules: &Rules, now: Timestamp) -> Timestamp {
        let since = self.since.unwrap_or(now);
        let cursor = self.read_until.get(&report).copied().unwrap_or(since);
        let usual = cursor.minus(rules.overlap);
        let first = match report {
            Report::Calls => {
                let live = self.live.values().map(|live| live.call.started_at());
                let open = self.settled.iter().filter(|(name, settled)| {
                    settled.open && name.starts_with(&key_of(Kind::Call, ""))
                });
                let open = open.map(|(_, settled)| settled.began_at);
                let oldest = live.chain(open).min();
                // A minute for clocks; not for ever for one that the report never tells of.
                let oldest = oldest.map(|at| at.minus(Duration::from_secs(60)));
                oldest.map_or(usual, |at| at.max(now.minus(OVER_KEPT)).min(usual))
            }
            Report::Requests => {
                let wanted = self.wanted.values().min();
                wanted.map_or(usual, |at| at.minus(rules.overlap).min(usual))
            }
            Report::Chats | Report::Messages => usual,
        };
        // A call may have begun before we did and end after.
        first.max(since.minus(OVER_KEPT)).min(now)
    }

    /// Ends what will not end by itself, and forgets what has been long enough ago. Returns what is
    /// to be told, and words for the journal; nothing where nothing changed.
    pub(super) fn sweep(
        &mut self,
        rules: &Rules,
        now: Timestamp,
    ) -> (Vec<Snapshot>, Vec<String>, bool) {
        let (mut snapshots, mut words, mut changed) = (Vec::new(), Vec::new(), false);
        let prefix = key_of(Kind::Call, "");
        for (name, live) in &mut self.live {
            if !live.call.is_over() && live.call.last_at() < now.minus(SILENCE_MAX) {
                live.call
                    .give_up("the platform did not tell how the call ended");
                let id = name.strip_prefix(&prefix).unwrap_or(name);
                snapshots.extend(live.show(id, rules, now));
                changed = true;
            }
        }
        let done = |live: &Live| live.call.is_over() && live.call.last_at() < now.minus(OVER_KEPT);
        let gone: Vec<String> = self
            .live
            .iter()
            .filter(|(_, live)| done(live))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(live) = self.live.remove(&name) {
                changed = true;
                self.settled.insert(
                    name,
                    Settled {
                        at: now,
                        row: 0,
                        shown: live.shown,
                        revision: live.revision,
                        began_at: live.call.started_at(),
                        open: false,
                        message_at: None,
                    },
                );
            }
        }
        let kept = now.minus(rules.settled_kept());
        let before = self.settled.len();
        // An open one for longer: something may still become of it.
        let open_kept = now.minus(OVER_KEPT.saturating_mul(30));
        self.settled
            .retain(|_, one| one.at >= kept || (one.open && one.at >= open_kept));
        while self.settled.len() > SETTLED_MAX {
            let oldest = self.settled.iter().min_by_key(|(_, one)| one.at);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else {
                break;
            };
            self.settled.remove(&name);
        }
        changed |= self.settled.len() != before;
        let given_up = now.minus(WANTED_KEPT);
        self.wanted.retain(|name, since| {
            let wait = *since > given_up;
            if !wait {
                words.push(format!(
                    "a notification told of {name}, and no report has it after a day: it is left out"
                ));
            }
            wait
        });
        changed |= !words.is_empty();
        (snapshots, words, changed)
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

/// Adds to a report's picture what only notifications tell: who was rung when, and a recording that
/// the report does not name yet.
fn join(call: &mut Call, live: &Call) {
    for leg in &mut call.legs {
        let Some(seen) = live.legs.iter().find(|one| one.extension == leg.extension) else {
            continue;
        };
        leg.rung_at = seen.rung_at.max(call.started_at);
        let fits = |at: Timestamp| call.ended_at.is_none_or(|end| at <= end);
        if leg.talked_from.is_some() && seen.talked_from.is_some_and(fits) {
            leg.talked_from = seen.talked_from;
            let until = seen.talked_until.filter(|at| fits(*at));
            leg.talked_until = until.or(leg.talked_until).max(leg.talked_from);
        }
        leg.rung_at = leg
            .talked_from
            .map_or(leg.rung_at, |from| leg.rung_at.min(from));
    }
    if call.recordings.is_empty() {
        call.recordings.clone_from(&live.recordings);
    }
    if call.click_to_call.is_none() {
        call.click_to_call.clone_from(&live.click_to_call);
    }
    if call.client.phone().is_none() && live.client.phone().is_some() {
        call.client = live.client.clone();
    }
}
