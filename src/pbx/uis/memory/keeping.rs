//! What is looked for and for how long, and what ends without having been told.

use std::time::Duration;

use super::{
    Live, Memory, OVER_KEPT, Report, Rules, SETTLED_MAX, SILENCE_MAX, Settled, WANTED_KEPT, key_of,
};
use crate::model::communication::{Kind, Snapshot};
use crate::model::timestamp::Timestamp;

impl Memory {
    /// Returns how many are looked for.
    pub(in crate::pbx::uis) fn wanted(&self) -> usize {
        self.wanted.len()
    }

    /// Returns the ids of the chats that are looked for.
    pub(in crate::pbx::uis) fn wanted_chats(&self) -> Vec<String> {
        let prefix = key_of(Kind::Chat, "");
        let names = self.wanted.keys();
        names
            .filter_map(|name| name.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect()
    }

    /// Returns how many calls go on.
    pub(in crate::pbx::uis) fn open_calls(&self) -> usize {
        let live = self
            .live
            .values()
            .filter(|live| !live.call.is_over())
            .count();
        live + self.open_ids(Kind::Call).len()
    }

    /// Returns the ids of what goes on, by the reports.
    pub(in crate::pbx::uis) fn open_ids(&self, kind: Kind) -> Vec<String> {
        let prefix = key_of(kind, "");
        let open = self.settled.iter().filter(|(_, settled)| settled.open);
        open.filter_map(|(name, _)| name.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect()
    }

    /// Returns from when on a report is to be read.
    pub(in crate::pbx::uis) fn read_from(
        &self,
        report: Report,
        rules: &Rules,
        now: Timestamp,
    ) -> Timestamp {
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
    pub(in crate::pbx::uis) fn sweep(
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
                        message: None,
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
