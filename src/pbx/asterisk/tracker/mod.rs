//! Follows calls through the event stream of an Asterisk and tells what a CRM may care about
//! (`pbx/asterisk.md` §2). Pure: no socket, no store, no clock; every moment is given.
//!
//! ```text
//! event -> events/*  -> book (calls, channels, bridges) -> talk (who is joined with the client)
//!                                                       -> snapshot (what is worth telling)
//! hang-up of all channels -> linger -> last snapshot
//! link lost -> living channels listed -> live (reconcile)
//! ```
//!
//! It does not know the manager interface's wire form, what is done with a call, or how a
//! click-to-call is begun.

pub mod live;
pub mod settings;

mod book;
mod call;
mod channel;
mod checkpoint;
mod events;
mod leg;
mod merge;
mod part;
mod reason;
mod reconcile;
mod snapshot;
mod talk;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

pub use self::checkpoint::RestoreError;
pub use self::live::{LiveChannel, LiveState};
pub use self::settings::TrackerSettings;

use self::book::Book;
use self::call::Call;
use self::settings::JOINTS_ONLY_MAX;
use super::ami_message::Message;
use crate::model::communication::Snapshot;
use crate::model::timestamp::Timestamp;

/// The calls of one source.
#[derive(Debug)]
pub struct Tracker {
    book: Book,
}

impl Tracker {
    /// Begins with no calls.
    pub fn new(settings: TrackerSettings) -> Self {
        Self {
            book: Book::new(settings),
        }
    }

    /// Takes up the calls of a checkpoint.
    pub fn restore(
        settings: TrackerSettings,
        checkpoint: &serde_json::Value,
    ) -> Result<Self, RestoreError> {
        Ok(Self {
            book: Book::from_checkpoint(settings, checkpoint)?,
        })
    }

    /// Returns everything that must outlive a crash.
    pub fn checkpoint(&self) -> serde_json::Value {
        self.book.to_checkpoint()
    }

    /// Says whether anything worth a checkpoint changed since it was last asked.
    pub fn dirty(&mut self) -> bool {
        std::mem::take(&mut self.book.dirty)
    }

    /// Takes one message; returns new revisions of the calls that changed in a way a CRM may care
    /// about. Responses, lists and unknown events are taken without complaint.
    pub fn handle(&mut self, message: &Message, at: Timestamp) -> Vec<Snapshot> {
        if let Some(name) = message.event() {
            events::apply(&mut self.book, name, message, at);
        }
        self.book.report(at)
    }

    /// Closes the calls whose linger is over.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Snapshot> {
        let due: Vec<u64> = self
            .book
            .calls
            .iter()
            .filter(|(_, call)| self.deadline(call).is_some_and(|deadline| deadline <= now))
            .map(|(number, _)| *number)
            .collect();
        let mut told = self.book.report(now);
        for number in due {
            told.extend(self.book.close(number, now));
        }
        told
    }

    /// Returns when `tick` has something to do; `None` while all calls live.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let calls = self.book.calls.values();
        calls.filter_map(|call| self.deadline(call)).min()
    }

    fn deadline(&self, call: &Call) -> Option<Timestamp> {
        let ended_at = call.ended_at?;
        let wait: Duration = if call.any_alive() {
            JOINTS_ONLY_MAX.max(self.book.settings.linger)
        } else {
            self.book.settings.linger
        };
        Some(ended_at.plus(wait))
    }

    /// Takes note that nothing is seen from now on.
    pub fn link_lost(&mut self, at: Timestamp) {
        self.book.lose_sight(at);
    }

    /// Compares the open calls with the channels that live now, after the link came (back).
    pub fn reconcile(&mut self, live: &LiveState, now: Timestamp) -> Vec<Snapshot> {
        self.book.reconcile(live, now)
    }

    /// Ends all open calls at the last moment seen: the PBX was restarted.
    pub fn pbx_restarted(&mut self, at: Timestamp) -> Vec<Snapshot> {
        self.book.end_all(at)
    }

    /// Takes one message that the PBX's log tells afterwards, of a time in which nothing was seen.
    /// It says nothing about what lives now.
    pub fn replay(&mut self, message: &Message, at: Timestamp) -> Vec<Snapshot> {
        self.book.replaying = true;
        let told = self.handle(message, at);
        self.book.replaying = false;
        told
    }

    /// Takes note that the log told everything up to a moment: what is missing among the living
    /// channels ended no earlier.
    pub fn replayed_until(&mut self, at: Timestamp) {
        if let Some(lost_at) = &mut self.book.lost_at {
            *lost_at = (*lost_at).max(at);
            self.book.dirty = true;
        }
    }

    /// Returns the Linkedid of a channel of an open call.
    pub fn linkedid_of(&self, uniqueid: &str) -> Option<&str> {
        let channel = self.book.channel(uniqueid)?;
        Some(channel.linkedid.as_str())
    }

    /// Returns the Uniqueid of a living channel by its name.
    pub fn uniqueid_of(&self, name: &str) -> Option<&str> {
        self.book.names.get(name).map(String::as_str)
    }

    /// Returns the first Linkedid of the open call that is known by an id.
    pub fn call_of(&self, id: &str) -> Option<&str> {
        let number = self.book.call_of(id)?;
        let call = self.book.calls.get(&number)?;
        Some(call.linkedid.as_str())
    }

    /// Returns the Linkedids of the calls of which a channel lives.
    pub fn unfinished(&self) -> BTreeSet<String> {
        let calls = self.book.calls.values();
        let open = calls.filter(|call| call.any_alive());
        open.map(|call| call.linkedid.clone()).collect()
    }

    /// Returns the ids by which open calls are known of which some channel is thought to live but
    /// is not among those that do.
    pub fn missing(&self, live: &LiveState) -> Vec<String> {
        let lives = |id: &str| live.channels.iter().any(|one| one.uniqueid == id);
        let gone = |call: &&Call| {
            let mut alive = call.channels.iter().filter(|one| one.alive());
            call.any_alive() && alive.all(|one| !lives(&one.uniqueid))
        };
        let calls = self.book.calls.values().filter(gone);
        calls.map(|call| call.linkedid.clone()).collect()
    }

    /// Returns how many calls are followed.
    pub fn open_calls(&self) -> usize {
        self.book.calls.len()
    }
}
