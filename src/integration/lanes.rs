//! Lanes: the work of one client in one portal, in order of acceptance. Pure.
//!
//! A work stands in the lane of each of its client's addresses (without an address: in a lane of
//! its own) and may be worked on when it heads all of them and nobody works in any of them.
//! Numbers are given in order of acceptance over everything, so the lowest number of all heads
//! each of its lanes: there is always somebody who can go on.

use std::collections::{BTreeSet, HashMap};

use crate::model::communication::Address;
use crate::model::ids::IntegrationKey;
use crate::sabotage::{self, Promise};
use crate::store::command::WorkId;

/// What a lane is named by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum LaneName {
    Client(Address),
    Own(WorkId),
}

#[derive(Debug, Default)]
struct Lane {
    waiting: BTreeSet<WorkId>,
    /// Who works in it. Keeps it through waits and restarts of its actor until it is removed.
    occupant: Option<WorkId>,
}

#[derive(Debug)]
struct Place {
    integration: IntegrationKey,
    lanes: Vec<LaneName>,
}

/// All lanes of one portal.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: HashMap<LaneName, Lane>,
    places: HashMap<WorkId, Place>,
    /// How many of the places are an integration's: asked at every wake-up, when a backlog must not
    /// be walked.
    counts: HashMap<IntegrationKey, usize>,
}

impl Lanes {
    /// Puts a work into the lanes of its addresses. A work that is there already gains the
    /// addresses that it did not have (a visitor who leaves a number).
    pub fn insert(&mut self, work: WorkId, integration: &IntegrationKey, addresses: &[Address]) {
        let mut names: Vec<LaneName> = addresses.iter().cloned().map(LaneName::Client).collect();
        if names.is_empty() {
            names.push(LaneName::Own(work));
        }
        let place = self.places.entry(work).or_insert_with(|| {
            let count = self.counts.entry(integration.clone()).or_default();
            *count = count.saturating_add(1);
            Place {
                integration: integration.clone(),
                lanes: Vec::new(),
            }
        });
        for name in names {
            if !place.lanes.contains(&name) {
                self.lanes
                    .entry(name.clone())
                    .or_default()
                    .waiting
                    .insert(work);
                place.lanes.push(name);
            }
        }
    }

    /// Begins a work if it heads all its lanes and nobody else works in them; says whether it
    /// did. A work that was begun before may go on.
    pub fn start(&mut self, work: WorkId) -> bool {
        if !self.may_start(work) {
            return false;
        }
        if let Some(place) = self.places.get(&work) {
            for name in &place.lanes {
                if let Some(lane) = self.lanes.get_mut(name) {
                    lane.occupant = Some(work);
                }
            }
        }
        true
    }

    fn may_start(&self, work: WorkId) -> bool {
        if sabotage::broken(Promise::Lanes) {
            return self.places.contains_key(&work);
        }
        let Some(place) = self.places.get(&work) else {
            return false;
        };
        place
            .lanes
            .iter()
            .filter_map(|name| self.lanes.get(name))
            .all(|lane| match lane.occupant {
                Some(occupant) => occupant == work,
                None => lane.waiting.first() == Some(&work),
            })
    }

    /// Takes a finished or withdrawn work out; returns the works that may start now, with their
    /// integrations.
    pub fn remove(&mut self, work: WorkId) -> Vec<(IntegrationKey, WorkId)> {
        let Some(place) = self.places.remove(&work) else {
            return Vec::new();
        };
        if let Some(count) = self.counts.get_mut(&place.integration) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&place.integration);
            }
        }
        let mut next = BTreeSet::new();
        for name in place.lanes {
            let Some(lane) = self.lanes.get_mut(&name) else {
                continue;
            };
            lane.waiting.remove(&work);
            if lane.occupant == Some(work) {
                lane.occupant = None;
            }
            match lane.waiting.first() {
                Some(first) => {
                    next.insert(*first);
                }
                None => {
                    self.lanes.remove(&name);
                }
            }
        }
        next.into_iter()
            .filter(|work| self.may_start(*work))
            .filter_map(|work| Some((self.places.get(&work)?.integration.clone(), work)))
            .collect()
    }

    /// Takes all works of an integration out (it was switched off or removed); returns the works
    /// of others that may start now.
    pub fn withdraw(&mut self, integration: &IntegrationKey) -> Vec<(IntegrationKey, WorkId)> {
        let mine: Vec<WorkId> = self
            .places
            .iter()
            .filter(|(_, place)| place.integration == *integration)
            .map(|(work, _)| *work)
            .collect();
        let mut next = Vec::new();
        for work in mine {
            next.extend(self.remove(work));
        }
        next.retain(|(owner, work)| owner != integration && self.may_start(*work));
        next
    }

    /// Returns the works of an integration that may start or go on, in order of acceptance.
    pub fn ready(&self, integration: &IntegrationKey) -> Vec<WorkId> {
        let mut ready: Vec<WorkId> = self
            .places
            .iter()
            .filter(|(work, place)| place.integration == *integration && self.may_start(**work))
            .map(|(work, _)| *work)
            .collect();
        ready.sort_unstable();
        ready
    }

    /// Returns how many works of an integration stand in lanes.
    pub fn count(&self, integration: &IntegrationKey) -> usize {
        self.counts.get(integration).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::phone::Phone;

    fn key(name: &str) -> IntegrationKey {
        format!("acme/{name}").parse().expect("a key")
    }

    fn phone(last: u8) -> Address {
        Address::Phone(Phone::try_from(format!("+7916000000{last}")).expect("a number"))
    }

    #[test]
    fn two_first_calls_of_one_number_are_worked_one_after_the_other() {
        let mut lanes = Lanes::default();
        let sales = key("sales");
        lanes.insert(1, &sales, &[phone(1)]);
        lanes.insert(2, &sales, &[phone(1)]);
        assert!(lanes.start(1));
        assert!(!lanes.start(2));
        assert_eq!(lanes.remove(1), vec![(sales, 2)]);
        assert!(lanes.start(2));
    }

    #[test]
    fn another_client_does_not_wait() {
        let mut lanes = Lanes::default();
        lanes.insert(1, &key("sales"), &[phone(1)]);
        lanes.insert(2, &key("sales"), &[phone(2)]);
        assert!(lanes.start(1));
        assert!(lanes.start(2));
    }

    #[test]
    fn a_communication_without_an_address_is_its_own_lane() {
        let mut lanes = Lanes::default();
        lanes.insert(1, &key("sales"), &[]);
        lanes.insert(2, &key("sales"), &[]);
        assert!(lanes.start(2));
        assert!(lanes.start(1));
    }

    #[test]
    fn a_chat_that_gains_a_number_joins_the_lane_of_that_number() {
        let mut lanes = Lanes::default();
        let visitor = Address::Visitor("site:7".to_owned());
        lanes.insert(1, &key("sales"), &[phone(1)]);
        lanes.insert(2, &key("sales"), std::slice::from_ref(&visitor));
        assert!(lanes.start(1));
        lanes.insert(2, &key("sales"), &[visitor, phone(1)]);
        assert!(!lanes.start(2));
        lanes.remove(1);
        assert!(lanes.start(2));
    }

    #[test]
    fn a_work_seen_late_does_not_break_into_a_lane_that_somebody_works_in() {
        let mut lanes = Lanes::default();
        lanes.insert(6, &key("sales"), &[phone(1)]);
        assert!(lanes.start(6));
        lanes.insert(5, &key("service"), &[phone(1)]);
        assert!(!lanes.start(5));
        assert_eq!(lanes.remove(6), vec![(key("service"), 5)]);
    }

    #[test]
    fn a_restarted_actor_goes_on_with_what_it_had_begun() {
        let mut lanes = Lanes::default();
        lanes.insert(1, &key("sales"), &[phone(1)]);
        assert!(lanes.start(1));
        lanes.insert(1, &key("sales"), &[phone(1)]);
        assert!(lanes.start(1));
    }

    #[test]
    fn an_integration_that_is_switched_off_frees_the_lanes_for_others() {
        let mut lanes = Lanes::default();
        lanes.insert(1, &key("sales"), &[phone(1)]);
        lanes.insert(2, &key("service"), &[phone(1)]);
        assert!(lanes.start(1));
        assert_eq!(lanes.withdraw(&key("sales")), vec![(key("service"), 2)]);
        assert_eq!(lanes.count(&key("sales")), 0);
    }

    proptest! {
        #[test]
        fn whatever_the_addresses_everything_is_worked_and_no_lane_holds_two(
            works in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..3), 1..20)
        ) {
            let mut lanes = Lanes::default();
            let sales = key("sales");
            for (id, addresses) in works.iter().enumerate() {
                let addresses: Vec<Address> = addresses.iter().map(|n| phone(*n)).collect();
                lanes.insert(id as WorkId, &sales, &addresses);
            }
            let mut done = 0;
            while done < works.len() {
                prop_assert_eq!(lanes.count(&sales), works.len() - done);
                let ready = lanes.ready(&sales);
                prop_assert!(!ready.is_empty(), "a deadlock");
                let mut begun: Vec<WorkId> = Vec::new();
                for work in ready {
                    if lanes.start(work) {
                        for other in &begun {
                            let shared = works[*other as usize].iter().any(|n| works[work as usize].contains(n));
                            prop_assert!(!shared, "two works in one lane");
                        }
                        begun.push(work);
                    }
                }
                for work in begun {
                    lanes.remove(work);
                    done += 1;
                }
            }
        }
    }
}
