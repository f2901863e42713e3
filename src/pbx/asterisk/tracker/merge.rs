//! Two calls that turn out to be one, and calls that come to their end: everything that moves
//! ids from one call to another or out of the book.

use super::book::Book;
use super::call::Call;
use super::talk::Talk;
use crate::model::communication::Snapshot;
use crate::model::timestamp::Timestamp;

impl Book {
    /// Takes note that two ids belong to one conversation.
    pub(super) fn unite_ids(&mut self, known: &str, other: &str, at: Timestamp) {
        let Some(number) = self.call_of(known) else {
            return;
        };
        match self.call_of(other) {
            Some(second) => self.unite(number, second, at),
            None if self.is_closed(other) => {}
            None => {
                let room = self
                    .calls
                    .get_mut(&number)
                    .is_some_and(|call| call.add_alias(other));
                if room {
                    self.index.insert(other.to_owned(), number);
                }
            }
        }
    }

    /// Makes two calls one. Two calls with a client each stay two communications: an employee
    /// who joins two clients has spoken with both.
    pub(super) fn unite(&mut self, first: u64, second: u64, at: Timestamp) {
        if first == second {
            return;
        }
        let (Some(one), Some(two)) = (self.calls.get(&first), self.calls.get(&second)) else {
            return;
        };
        let stays = match (one.has_client(), two.has_client()) {
            (true, true) => return,
            (true, false) => first,
            (false, true) => second,
            (false, false) => first.min(second),
        };
        let goes = if stays == first { second } else { first };
        let Some(mut gone) = self.calls.remove(&goes) else {
            return;
        };
        self.changed.remove(&goes);
        self.changed.insert(stays);
        self.dirty = true;
        for number in self.index.values_mut().filter(|number| **number == goes) {
            *number = stays;
        }
        if let Some(farewell) = self.farewell(&mut gone, at) {
            self.farewells.push(farewell);
        }
        if let Some(call) = self.calls.get_mut(&stays) {
            call.absorb(gone);
        }
        self.settle_call(stays, at);
    }

    /// Ends a call under its own key that was reported and is now known to be part of another:
    /// employees among themselves, nothing for a client.
    fn farewell(&self, gone: &mut Call, at: Timestamp) -> Option<Snapshot> {
        gone.shown.as_ref()?;
        gone.ended_at = Some(at);
        self.report_merged(gone, at)
    }

    /// Removes a call that is over and remembers its ids.
    pub(super) fn remove(&mut self, number: u64) -> Option<Call> {
        let call = self.calls.remove(&number)?;
        self.changed.remove(&number);
        self.dirty = true;
        let ids: Vec<String> = self
            .index
            .iter()
            .filter(|(_, owner)| **owner == number)
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.index.remove(&id);
            self.remember_closed(id, call.last_seen);
        }
        for channel in &call.channels {
            if self.names.get(&channel.name) == Some(&channel.uniqueid) {
                self.names.remove(&channel.name);
            }
            self.leave_bridge(&channel.uniqueid, channel.bridge.as_deref());
        }
        Some(call)
    }

    /// Gives up the call that was quiet longest when there is no room for another.
    pub(super) fn make_room(&mut self, at: Timestamp) {
        while self.calls.len() >= self.settings.open_calls_max.max(1) {
            let Some(number) = self
                .calls
                .iter()
                .min_by_key(|(_, call)| call.last_seen)
                .map(|(number, _)| *number)
            else {
                return;
            };
            let last_seen = self.calls.get(&number).map_or(at, |call| call.last_seen);
            let why = "too many calls were open; this one was followed no further";
            let last_words = self.end_blind(number, last_seen, why, at);
            self.farewells.extend(last_words);
        }
    }

    /// Ends a call whose end was not seen: its channels are taken as gone at `gone_at`.
    pub(super) fn end_blind(
        &mut self,
        number: u64,
        gone_at: Timestamp,
        why: &str,
        at: Timestamp,
    ) -> Option<Snapshot> {
        let ids: Vec<String> = self
            .calls
            .get(&number)?
            .channels
            .iter()
            .filter(|one| one.alive())
            .map(|one| one.uniqueid.clone())
            .collect();
        for id in &ids {
            self.end_channel(id, None, gone_at);
        }
        if let Some(call) = self.calls.get_mut(&number) {
            if !ids.is_empty() || call.ended_at.is_none() {
                call.add_blind(why);
            }
            call.ended_at.get_or_insert(gone_at);
        }
        self.close(number, at)
    }
}

impl Call {
    /// Takes over everything that another call knew.
    fn absorb(&mut self, gone: Call) {
        if self.has_client() {
            // Talk of the other call was among employees.
        } else if self.talk == Talk::default() {
            self.talk = gone.talk;
        }
        self.started_at = match self.has_client() {
            true => self.started_at,
            false => self.started_at.min(gone.started_at),
        };
        self.last_seen = self.last_seen.max(gone.last_seen);
        for leg in gone.legs {
            match self
                .legs
                .iter_mut()
                .find(|one| one.extension == leg.extension)
            {
                Some(known) => known.absorb(&leg),
                None => {
                    if let Some(own) = self.leg(&leg.extension, leg.rung_at) {
                        own.absorb(&leg);
                    }
                }
            }
        }
        for channel in gone.channels {
            // Beyond the bound a channel of the lesser call is let go.
            self.add_channel(channel);
        }
        for id in gone.aliases.iter().chain(std::iter::once(&gone.linkedid)) {
            if !self.aliases.contains(id) {
                self.add_alias(id);
            }
        }
        for queue in &gone.queues {
            self.add_queue(queue);
        }
        for recording in &gone.recordings {
            self.add_recording(recording);
        }
        if let Some(blind) = &gone.blind {
            self.add_blind(blind);
        }
        if self.click_to_call.is_none() && !self.has_client() {
            self.click_to_call = gone.click_to_call;
        }
        if self.forwarded_by.is_none() {
            self.forwarded_by = gone.forwarded_by;
        }
        if self.any_end_alive() {
            self.ended_at = None;
        } else {
            self.ended_at = self.ended_at.max(gone.ended_at);
        }
        self.revision = self.revision.max(gone.revision);
    }
}
