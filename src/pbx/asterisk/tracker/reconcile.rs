//! What the living channels say about the calls known so far, after the link came (back): calls
//! that ended out of sight, channels that moved, calls that were never seen.

use std::collections::HashSet;

use super::book::{Book, Opens};
use super::call::Origin;
use super::channel::Side;
use super::live::{LiveChannel, LiveState};
use crate::model::communication::Snapshot;
use crate::model::timestamp::Timestamp;

const LOST: &str = "the link to the PBX was down during the call";
const CAME_LATE: &str = "the call was running already when it was first seen";
const RESTARTED: &str = "the PBX was restarted during the call";

impl Book {
    pub(super) fn lose_sight(&mut self, at: Timestamp) {
        self.lost_at.get_or_insert(at);
        self.dirty = true;
        for call in self.calls.values_mut() {
            for channel in &mut call.channels {
                channel.seen_after_loss = false;
            }
        }
    }

    /// Compares what is known with what lives.
    pub(super) fn reconcile(&mut self, live: &LiveState, now: Timestamp) -> Vec<Snapshot> {
        let lost_at = self.lost_at;
        let mut channels: Vec<&LiveChannel> = live
            .channels
            .iter()
            .filter(|one| !self.is_closed(&one.uniqueid))
            .collect();
        // The first channel of a call tells its direction, then the longest-lived.
        channels.sort_by_key(|one| {
            let longest = std::cmp::Reverse(one.duration.unwrap_or_default());
            (one.uniqueid != one.linkedid, longest)
        });
        let alive: HashSet<&str> = channels.iter().map(|one| one.uniqueid.as_str()).collect();
        let open: Vec<u64> = self.calls.keys().copied().collect();
        self.end_missing(&alive, lost_at, now);
        for channel in &channels {
            self.meet(channel, lost_at.is_some(), now);
        }
        for channel in &channels {
            self.place(channel, now);
        }
        let mut told = Vec::new();
        for number in open {
            told.extend(self.end_if_gone(number, lost_at, now));
        }
        self.lost_at = None;
        self.dirty = true;
        told.splice(0..0, self.report(now));
        told
    }

    /// Ends the channels that live no more: at the last moment at which they could be seen.
    fn end_missing(&mut self, alive: &HashSet<&str>, lost_at: Option<Timestamp>, now: Timestamp) {
        let missing: Vec<(String, Timestamp)> = self
            .calls
            .values()
            .flat_map(|call| call.channels.iter().map(move |one| (call, one)))
            .filter(|(_, one)| one.alive() && !one.seen_after_loss)
            .filter(|(_, one)| !alive.contains(one.uniqueid.as_str()))
            .map(|(call, one)| {
                let gone_at = lost_at
                    .unwrap_or(call.last_seen)
                    .max(call.last_seen)
                    .min(now);
                (one.uniqueid.clone(), gone_at)
            })
            .collect();
        for (id, gone_at) in missing {
            self.end_channel(&id, None, gone_at);
            if let Some(call) = self.call_mut(&id) {
                call.add_blind(LOST);
            }
        }
    }

    fn meet(&mut self, live: &LiveChannel, was_lost: bool, now: Timestamp) {
        let block = live.block();
        if self.channel(&live.uniqueid).is_some() {
            self.touch(&block, Opens::Nothing, now);
            let up = live.state == 6;
            if let Some(channel) = self.channel_mut(&live.uniqueid) {
                channel.up |= up;
            }
            if live.state == 5 {
                self.ringing(&live.uniqueid, now);
            }
            return;
        }
        let since = now.minus(live.duration.unwrap_or_default());
        let side = live.side();
        if !self.open(&block, side, true, since) {
            return;
        }
        if side == Side::Called {
            self.decide_line(&live.uniqueid, None, now);
        }
        let extension = self
            .channel(&live.uniqueid)
            .and_then(|one| one.extension().cloned());
        let Some(call) = self.call_mut(&live.uniqueid) else {
            return;
        };
        call.add_blind(if was_lost { LOST } else { CAME_LATE });
        call.last_seen = now;
        if call.origin == Origin::Client && side == Side::Calling && live.did.is_some() {
            // The dialplan may have gone on from the extension that was called.
            call.dialled.clone_from(&live.did);
        }
        if let (Some(extension), Side::Called) = (extension, side)
            && let Some(leg) = call.leg(&extension, since)
        {
            leg.reached = true;
            leg.rung_last = since;
            leg.outcome = None;
        }
        // A first channel shows the caller id that was asked for, not the number dialled.
        let first = live.uniqueid == live.linkedid;
        if call.has_client() && call.dial_string.is_none() && side == Side::Called && !first {
            call.dial_string.clone_from(&live.caller_id_num);
            call.shown_number.clone_from(&live.connected_line_num);
        }
    }

    fn place(&mut self, live: &LiveChannel, now: Timestamp) {
        match &live.bridge {
            Some(bridge) => self.enter_bridge(&live.uniqueid, bridge, now),
            None => {
                let old = self
                    .channel(&live.uniqueid)
                    .filter(|one| !one.seen_after_loss)
                    .and_then(|one| one.bridge.clone());
                if let Some(bridge) = old {
                    self.take_out(&live.uniqueid, &bridge, now);
                }
            }
        }
    }

    /// Ends a call that was open and of which nothing lives. One that was over before the link
    /// was lost was seen whole.
    fn end_if_gone(
        &mut self,
        number: u64,
        lost_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let call = self.calls.get(&number)?;
        if call.any_alive() {
            return None;
        }
        let gone_at = lost_at.unwrap_or(call.last_seen).min(now);
        self.end_blind(number, gone_at, LOST, now)
    }

    pub(super) fn end_all(&mut self, at: Timestamp) -> Vec<Snapshot> {
        let open: Vec<(u64, Timestamp)> = self
            .calls
            .iter()
            .map(|(number, call)| (*number, call.last_seen.min(at)))
            .collect();
        let mut told = self.report(at);
        for (number, last_seen) in open {
            told.extend(self.end_blind(number, last_seen, RESTARTED, at));
        }
        self.names.clear();
        self.bridges.clear();
        self.forget_closed();
        self.lost_at = None;
        self.dirty = true;
        told
    }
}
