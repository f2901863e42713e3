//! Who talked with a number last, for the policy `last_talk`: a bounded table in memory, fed by
//! what the intake commits, so that an answer never waits for the disk.
//!
//! Two generations: when the young one is full it becomes the old one, and the old one is
//! forgotten. What is forgotten is settled by the most recently updated card.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::communication::{Body, Snapshot};
use crate::model::ids::{Extension, SourceId, TenantId};
use crate::model::phone::Phone;
use crate::model::timestamp::Timestamp;

/// Talks of one generation: two of them are a few months of a busy office, and below 20 MB.
const GENERATION_MAX: usize = 50_000;

/// A talk of an employee with a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// Where.
    pub source: SourceId,
    /// The employee's extension there.
    pub extension: Extension,
    /// When the call began.
    pub at: Timestamp,
}

/// The table. Its lock is held for one look into a map, and taken only where several cards share a
/// number.
#[derive(Debug, Default)]
pub struct LastTalks {
    kept: AtomicBool,
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<(TenantId, Phone), Talk>,
    old: HashMap<(TenantId, Phone), Talk>,
}

impl LastTalks {
    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether talks are to be remembered: without a policy that asks for them they would only
    /// take memory. Returns whether that is another wish than before.
    pub fn keep(&self, kept: bool) -> bool {
        let before = self.kept.swap(kept, Ordering::Relaxed);
        if !kept {
            *self.generations() = Generations::default();
        }
        before != kept
    }

    /// Forgets who talked with a number, whatever the tenant.
    pub fn forget(&self, phone: &Phone) {
        let mut generations = self.generations();
        generations.young.retain(|(_, known), _| known != phone);
        generations.old.retain(|(_, known), _| known != phone);
    }

    /// Takes note of a communication, if it is a call in which an employee talked with a client.
    /// Older news than what is known changes nothing.
    pub fn note(&self, snapshot: &Snapshot) {
        let Body::Call { call } = &snapshot.body else {
            return;
        };
        if !self.kept.load(Ordering::Relaxed) {
            return;
        }
        let talker = call.last_talker.as_ref().or(call.talkers.last());
        let (Some(phone), Some(extension)) = (call.client.phone(), talker) else {
            return;
        };
        let source = &snapshot.key.source;
        let talk = Talk {
            source: source.source.clone(),
            extension: extension.clone(),
            at: call.started_at,
        };
        let key = (source.tenant.clone(), phone.clone());
        self.put(key, talk);
    }

    fn put(&self, key: (TenantId, Phone), talk: Talk) {
        let mut generations = self.generations();
        let known = generations.get(&key);
        if known.is_some_and(|known| known.at > talk.at) {
            return;
        }
        if generations.young.len() >= GENERATION_MAX && !generations.young.contains_key(&key) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(key, talk);
    }

    /// Says whether older talks still find room: what is read back from the journal at a start,
    /// newest first, must not push out what is newer.
    pub fn has_room(&self) -> bool {
        self.generations().young.len() < GENERATION_MAX
    }

    /// Returns the last talk with a number of which we know.
    pub fn with(&self, tenant: &TenantId, phone: &Phone) -> Option<Talk> {
        let key = (tenant.clone(), phone.clone());
        self.generations().get(&key).cloned()
    }
}

impl Generations {
    fn get(&self, key: &(TenantId, Phone)) -> Option<&Talk> {
        self.young.get(key).or_else(|| self.old.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> (TenantId, Phone) {
        let phone = format!("+7916{number:07}");
        let phone = Phone::try_from(phone).expect("a number");
        ("acme".parse().expect("an id"), phone)
    }

    fn talk(extension: &str, at: i64) -> Talk {
        Talk {
            source: "office".parse().expect("an id"),
            extension: Extension(extension.to_owned()),
            at: Timestamp::from_secs(at),
        }
    }

    #[test]
    fn the_newest_talk_stands_in_whatever_order_they_are_told() {
        let talks = LastTalks::default();
        talks.put(key(1), talk("102", 20));
        talks.put(key(1), talk("101", 10));
        let (tenant, phone) = key(1);
        assert_eq!(talks.with(&tenant, &phone), Some(talk("102", 20)));
        let (tenant, phone) = key(2);
        assert_eq!(talks.with(&tenant, &phone), None);
    }

    #[test]
    fn memory_has_a_bound_and_what_is_new_stays() {
        let talks = LastTalks::default();
        let most = GENERATION_MAX as u64;
        for number in 0..=2 * most {
            talks.put(key(number), talk("101", 1));
        }
        let (tenant, phone) = key(0);
        assert_eq!(talks.with(&tenant, &phone), None);
        let (tenant, phone) = key(2 * most);
        assert!(talks.with(&tenant, &phone).is_some());
        let generations = talks.generations();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION_MAX);
    }
}
