//! A copy of the answers in Asterisk's own database (AstDB), from which the dialplan takes them
//! when nobody answers it (`pbx/asterisk.md` §4, `docs/dialplan.md`).
//!
//! ```text
//! read what is there, part by part -> pass: known callers beside what is there, in order,
//!                                     differences written ---+
//!       ^                              ^                     v
//!       +-- a new session              +-- something changed, or a minute later: who works when
//! ```
//! Nothing of it outlives the session: the database itself says what it holds. Everything is
//! slow on purpose, since a PBX has other work, and the calls come first.
//!
//! A source without the setting has what was written before removed.

mod held;
mod pass;
mod rows;
pub(super) mod settings;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::ami_codec::Action;
use super::ami_message::Message;
use crate::clock::SharedClock;
use crate::model::ids::SourceKey;
use crate::pbx::KnownCallers;

use held::Held;
use pass::Pass;
use rows::{Change, MADE, Names, Part, Row};
use settings::MirrorSettings;

/// Between two actions: a hundred each second, of which a real Asterisk manages some thousand.
const PACE: Duration = Duration::from_millis(10);

/// Actions that may wait for their answers.
const SENT_MAX: usize = 32;

/// An action that has no answer after this time will get none: everything is read anew.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Between two parts, at the least. Each locks the database for as long as it takes to look through
/// all of it, 25 ms for 50,000 rows, so that it is left alone for some times longer.
const PART_PAUSE: Duration = Duration::from_millis(50);
const PART_PAUSE_TIMES: u32 = 4;

/// How often it is looked whether something changed.
const LOOK: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Mirror<'a> {
    /// `None` = there is to be none.
    settings: Option<&'a MirrorSettings>,
    source: &'a SourceKey,
    known: &'a dyn KnownCallers,
    clock: &'a SharedClock,
    names: Names,
    held: Held,
    waiting: VecDeque<Change>,
    sent: HashMap<String, Sent>,
    phase: Phase,
    due: Instant,
    actions: u64,
    remarks: Vec<String>,
    /// What was remarked on already: once for each session.
    too_many_told: bool,
    refused_told: bool,
}

struct Sent {
    at: Instant,
    what: Question,
}

enum Question {
    IsThere,
    List(Part),
    Change(Change),
}

enum Phase {
    /// Is there a copy from earlier?
    Look,
    /// What is there is read.
    Read(Part),
    /// What is there is compared with what is to be there.
    Pass(Pass),
    /// There is nothing to do before something changes.
    Rest {
        revision: u64,
        not_before: Instant,
        at_last: Instant,
    },
    /// There is nothing to do in this session.
    Over,
}

impl<'a> Mirror<'a> {
    /// Begins with nothing known of what is there.
    pub(super) fn new(
        settings: Option<&'a MirrorSettings>,
        source: &'a SourceKey,
        known: &'a dyn KnownCallers,
        clock: &'a SharedClock,
    ) -> Self {
        Self {
            settings,
            source,
            known,
            clock,
            names: Names::of(source),
            held: Held::default(),
            waiting: VecDeque::new(),
            sent: HashMap::new(),
            phase: beginning(settings),
            due: Instant::now(),
            actions: 0,
            remarks: Vec::new(),
            too_many_told: false,
            refused_told: false,
        }
    }

    /// Waits for the next action; returns it with its id. May be dropped without losing one.
    pub(super) async fn next(&mut self) -> (String, Action) {
        loop {
            if matches!(self.phase, Phase::Over) {
                return std::future::pending().await;
            }
            tokio::time::sleep_until(self.due).await;
            if let Some(action) = self.step() {
                return action;
            }
        }
    }

    /// Takes an answer to one of its actions; says whether the message was one.
    pub(super) fn answered(&mut self, message: &Message) -> bool {
        let Some(id) = message.action_id() else {
            return false;
        };
        let Some(sent) = self.sent.get(id) else {
            // Of an action that was given up.
            return id.starts_with(ID);
        };
        let refusal = message
            .response()
            .filter(|word| !word.eq_ignore_ascii_case("Success"))
            .map(|_| message.value("Message").unwrap_or("no reason given"));
        let list_mark = message.get("EventList").unwrap_or_default();
        match (&sent.what, refusal) {
            (_, Some(why)) if is_final(why) => {
                let why = format!(
                    "the copy of the answers in Asterisk's database cannot be kept: it says \
                     \"{why}\" (the AMI user needs the write class system)"
                );
                self.over(self.settings.is_some().then_some(why));
            }
            (Question::IsThere, Some(_)) => self.over(None),
            (Question::IsThere, None) if list_mark.eq_ignore_ascii_case("start") => {}
            (Question::IsThere, None) => {
                self.sent.remove(id);
                self.phase = Phase::Read(Part::About);
            }
            (Question::List(part), None) if message.response().is_none() => {
                let (part, asked_at) = (*part, sent.at);
                if list_mark.eq_ignore_ascii_case("Complete") {
                    self.sent.remove(id);
                    self.read(part, asked_at.elapsed());
                } else if let Some(row) =
                    message.get("Key").and_then(|key| self.names.row(part, key))
                {
                    let value = Some(message.get("Val").unwrap_or_default().into());
                    self.held.set(Change { row, value });
                }
            }
            // The list follows.
            (Question::List(_), None) => {}
            (Question::List(part), Some(_)) => {
                let (part, asked_at) = (*part, sent.at);
                self.sent.remove(id);
                self.read(part, asked_at.elapsed());
            }
            (Question::Change(_), refusal) => {
                let refusal = refusal.map(str::to_owned);
                if let Some(Sent {
                    what: Question::Change(change),
                    ..
                }) = self.sent.remove(id)
                {
                    self.changed(change, refusal);
                }
            }
        }
        true
    }

    /// Returns what is to be told of it, once.
    pub(super) fn take_remark(&mut self) -> Option<String> {
        self.remarks.pop()
    }

    /// Returns how many clients are in the copy; `None` where there is to be none.
    pub(super) fn clients(&self) -> Option<usize> {
        self.settings.map(|_| self.held.clients())
    }

    fn over(&mut self, why: Option<String>) {
        self.remarks.extend(why);
        self.sent.clear();
        self.waiting.clear();
        self.held = Held::default();
        self.phase = Phase::Over;
    }

    /// Goes on after a part that took so long.
    fn read(&mut self, part: Part, took: Duration) {
        match part.next() {
            Some(next) => {
                self.phase = Phase::Read(next);
                let pause = took.saturating_mul(PART_PAUSE_TIMES).max(PART_PAUSE);
                self.due = Instant::now() + pause;
            }
            None => self.begin_pass(),
        }
    }

    fn changed(&mut self, change: Change, refusal: Option<String>) {
        let Some(why) = refusal else {
            return self.held.set(change);
        };
        if change.value.is_none() {
            // It is not there: somebody else removed it.
            return self.held.set(change);
        }
        if let Phase::Pass(pass) = &mut self.phase {
            pass.refused = true;
        }
        if !std::mem::replace(&mut self.refused_told, true) {
            self.remarks.push(format!(
                "Asterisk's database does not take a row of the copy of the answers: {why}"
            ));
        }
    }

    /// Does the next thing; returns an action to be sent, if it is one.
    fn step(&mut self) -> Option<(String, Action)> {
        let now = Instant::now();
        if self
            .sent
            .values()
            .any(|sent| sent.at + ANSWER_WITHIN <= now)
        {
            tracing::warn!("the pbx did not answer about its database: it is read anew");
            self.sent.clear();
            self.waiting.clear();
            self.held = Held::default();
            self.phase = beginning(self.settings);
        }
        self.due = now + PACE;
        if self.sent.len() < SENT_MAX
            && let Some(change) = self.waiting.pop_front()
        {
            let action = self.names.write(&change);
            return Some(self.send(Question::Change(change), action));
        }
        if !self.sent.is_empty() {
            return None;
        }
        match &self.phase {
            Phase::Look => {
                let action = self.names.get(&Row::About(MADE.to_owned()));
                Some(self.send(Question::IsThere, action))
            }
            Phase::Read(part) => {
                let part = *part;
                let action = self.names.list(part);
                Some(self.send(Question::List(part), action))
            }
            Phase::Pass(_) => {
                self.go_on();
                None
            }
            Phase::Rest {
                revision,
                not_before,
                at_last,
            } => {
                self.due = now + LOOK;
                let changed = self.known.revision() != *revision;
                if now >= *at_last || (changed && now >= *not_before) {
                    self.begin_pass();
                }
                None
            }
            Phase::Over => None,
        }
    }

    fn send(&mut self, what: Question, action: Action) -> (String, Action) {
        self.actions = self.actions.saturating_add(1);
        let id = format!("{ID}{}", self.actions);
        let at = Instant::now();
        self.sent.insert(id.clone(), Sent { at, what });
        (id, action)
    }
}

/// What the ids of its actions begin with.
const ID: &str = "mirror-";

fn beginning(settings: Option<&MirrorSettings>) -> Phase {
    match settings {
        Some(_) => Phase::Read(Part::About),
        None => Phase::Look,
    }
}

/// Says whether a refusal will be the same for every other action.
fn is_final(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    why.starts_with("permission denied") || why.starts_with("invalid/unknown command")
}
