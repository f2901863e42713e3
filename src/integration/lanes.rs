//! Lanes: the work of one client in one portal, in order of acceptance. Pure.
//!
//! A work stands in the lane of each of its client's addresses (without an address: in a lane of
//! its own) and may be worked on when it heads all of them and nobody works in any of them.
//! Numbers are given in order of acceptance over everything, so the lowest number of all heads
//! each of its lanes: there is always somebody who can go on.
//!
//! A work that gains an address while somebody works in that address's lane stands back: it works
//! in none of its lanes until it may begin in all. Whoever occupies lanes therefore never waits
//! for another, and the rule above holds with occupants, too.
//!
//! Which works may begin is kept up to date at every change, so that a backlog is never walked.

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

/// What an integration has in the lanes.
#[derive(Debug, Default)]
struct Share {
    /// How many of the places are its own.
    places: usize,
    /// Those of its works that may begin or go on.
    ready: BTreeSet<WorkId>,
}

/// Works that may begin, with their integrations.
pub type Freed = Vec<(IntegrationKey, WorkId)>;

/// All lanes of one portal.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: HashMap<LaneName, Lane>,
    places: HashMap<WorkId, Place>,
    shares: HashMap<IntegrationKey, Share>,
}

impl Lanes {
    /// Puts a work into the lanes of its addresses. A work that is there already gains the
    /// addresses that it did not have (a visitor who leaves a number); returns the works that may
    /// begin because it had to stand back.
    pub fn insert(
        &mut self,
        work: WorkId,
        integration: &IntegrationKey,
        addresses: &[Address],
    ) -> Freed {
        let mut names: Vec<LaneName> = addresses.iter().cloned().map(LaneName::Client).collect();
        if names.is_empty() {
            names.push(LaneName::Own(work));
        }
        let is_new = !self.places.contains_key(&work);
        let place = self.places.entry(work).or_insert_with(|| Place {
            integration: integration.clone(),
            lanes: Vec::new(),
        });
        if is_new {
            let share = self.shares.entry(integration.clone()).or_default();
            share.places = share.places.saturating_add(1);
        }
        let worked = place.lanes.iter().any(|name| {
            let lane = self.lanes.get(name);
            lane.is_some_and(|lane| lane.occupant == Some(work))
        });
        let mut passed = Vec::new();
        let mut gained = false;
        for name in names {
            if place.lanes.contains(&name) {
                continue;
            }
            gained = true;
            let lane = self.lanes.entry(name.clone()).or_default();
            passed.extend(lane.waiting.first().copied().filter(|first| *first > work));
            lane.waiting.insert(work);
            place.lanes.push(name);
        }
        for other in passed {
            self.refresh(other);
        }
        if !gained {
            return Vec::new();
        }
        self.refresh(work);
        if worked && !self.start(work) {
            return self.stand_back(work);
        }
        Vec::new()
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

    /// Brings what is known of a work's readiness up to date; says whether it may begin.
    fn refresh(&mut self, work: WorkId) -> bool {
        let ready = self.may_start(work);
        if let Some(place) = self.places.get(&work)
            && let Some(share) = self.shares.get_mut(&place.integration)
        {
            if ready {
                share.ready.insert(work);
            } else {
                share.ready.remove(&work);
            }
        }
        ready
    }

    /// Gives up the lanes that a work works in; it keeps its places in them.
    fn stand_back(&mut self, work: WorkId) -> Freed {
        let names = match self.places.get(&work) {
            Some(place) => place.lanes.clone(),
            None => Vec::new(),
        };
        self.leave(work, &names)
    }

    /// Ends a work's occupation of lanes; returns the others that may begin in them now.
    fn leave(&mut self, work: WorkId, names: &[LaneName]) -> Freed {
        let mut next = BTreeSet::new();
        for name in names {
            let Some(lane) = self.lanes.get_mut(name) else {
                continue;
            };
            if lane.occupant == Some(work) {
                lane.occupant = None;
            }
            next.extend(lane.waiting.first().copied());
        }
        self.refresh(work);
        next.into_iter()
            .filter(|other| *other != work && self.refresh(*other))
            .collect::<Vec<_>>()
            .into_iter()
            .filter_map(|work| Some((self.places.get(&work)?.integration.clone(), work)))
            .collect()
    }

    /// Takes a finished or withdrawn work out; returns the works that may start now, with their
    /// integrations.
    pub fn remove(&mut self, work: WorkId) -> Freed {
        let Some(place) = self.places.remove(&work) else {
            return Vec::new();
        };
        if let Some(share) = self.shares.get_mut(&place.integration) {
            share.places = share.places.saturating_sub(1);
            share.ready.remove(&work);
            if share.places == 0 {
                self.shares.remove(&place.integration);
            }
        }
        for name in &place.lanes {
            if let Some(lane) = self.lanes.get_mut(name) {
                lane.waiting.remove(&work);
            }
        }
        let freed = self.leave(work, &place.lanes);
        for name in &place.lanes {
            if self.lanes.get(name).is_some_and(|l| l.waiting.is_empty()) {
                self.lanes.remove(name);
            }
        }
        freed
    }

    /// Puts a work that holds nobody up into a lane of its own, where it goes on; returns the others
    /// that may begin in the lanes that it leaves.
    pub fn stand_apart(&mut self, work: WorkId) -> Freed {
        let Some(integration) = self
            .places
            .get(&work)
            .map(|place| place.integration.clone())
        else {
            return Vec::new();
        };
        let freed = self.remove(work);
        // A lane of nobody else's: it may begin there.
        self.insert(work, &integration, &[]);
        self.start(work);
        freed
    }

    /// Takes all works of an integration out (it was switched off or removed); returns the works
    /// of others that may start now.
    pub fn withdraw(&mut self, integration: &IntegrationKey) -> Freed {
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
        let share = self.shares.get(integration);
        share.map_or_else(Vec::new, |share| share.ready.iter().copied().collect())
    }

    /// Returns how many works of an integration stand in lanes.
    pub fn count(&self, integration: &IntegrationKey) -> usize {
        self.shares.get(integration).map_or(0, |share| share.places)
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
    fn who_stands_apart_goes_on_and_the_client_is_free_for_the_next() {
        let mut lanes = Lanes::default();
        let (sales, service) = (key("sales"), key("service"));
        lanes.insert(1, &sales, &[phone(1)]);
        lanes.insert(2, &service, &[phone(1)]);
        assert!(lanes.start(1));
        assert_eq!(lanes.stand_apart(1), vec![(service.clone(), 2)]);
        assert!(lanes.start(1) && lanes.start(2));
        assert_eq!(lanes.ready(&sales), vec![1]);
        // The last of the client to go: nobody was waiting for the one that stands apart.
        assert_eq!(lanes.remove(2), vec![]);
        assert_eq!((lanes.count(&sales), lanes.count(&service)), (1, 0));
        assert_eq!(lanes.remove(1), vec![]);
        assert_eq!(lanes.stand_apart(1), vec![]);
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
    fn a_chat_under_way_that_gains_a_number_stands_back_until_that_client_is_free() {
        let mut lanes = Lanes::default();
        let visitor = Address::Visitor("site:7".to_owned());
        let (sales, service) = (key("sales"), key("service"));
        lanes.insert(1, &sales, std::slice::from_ref(&visitor));
        lanes.insert(2, &service, &[phone(1)]);
        lanes.insert(3, &sales, std::slice::from_ref(&visitor));
        assert!(lanes.start(1) && lanes.start(2));
        assert_eq!(lanes.insert(1, &sales, &[visitor, phone(1)]), vec![]);
        assert!(!lanes.start(1), "its client is being worked on");
        assert!(!lanes.start(3), "and it keeps its place");
        assert_eq!(lanes.remove(2), vec![(sales.clone(), 1)]);
        assert!(lanes.start(1));
        assert_eq!(lanes.remove(1), vec![(sales, 3)]);
    }

    #[test]
    fn two_that_gain_each_others_lane_do_not_wait_for_each_other_for_ever() {
        let mut lanes = Lanes::default();
        let sales = key("sales");
        lanes.insert(1, &sales, &[phone(1)]);
        lanes.insert(2, &sales, &[phone(2)]);
        assert!(lanes.start(1) && lanes.start(2));
        lanes.insert(1, &sales, &[phone(2)]);
        assert_eq!(
            lanes.insert(2, &sales, &[phone(1)]),
            vec![(sales.clone(), 1)]
        );
        assert!(!lanes.start(2));
        assert!(lanes.start(1));
        assert_eq!(lanes.remove(1), vec![(sales, 2)]);
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

        #[test]
        fn what_is_known_to_be_ready_is_what_a_walk_through_everything_finds(
            steps in proptest::collection::vec((0u8..4, 0u64..12, 0u8..5, 0u8..2), 1..80)
        ) {
            let mut lanes = Lanes::default();
            let owner = |work: WorkId| key(["sales", "service"][(work % 2) as usize]);
            for (what, work, a, b) in steps {
                match what {
                    0 | 1 => drop(lanes.insert(work, &owner(work), &[phone(a), phone(a + b)])),
                    2 => drop(lanes.start(work)),
                    _ => {
                        let before: Vec<WorkId> =
                            (0..12).filter(|other| lanes.may_start(*other)).collect();
                        let freed = lanes.remove(work);
                        for other in (0..12).filter(|other| lanes.may_start(*other)) {
                            let told = freed.iter().any(|(_, one)| *one == other);
                            prop_assert!(told || before.contains(&other), "{other} not told of");
                        }
                    }
                }
                for name in ["sales", "service"] {
                    let walked: Vec<WorkId> = (0..12)
                        .filter(|work| lanes.may_start(*work) && owner(*work) == key(name))
                        .collect();
                    prop_assert_eq!(lanes.ready(&key(name)), walked);
                }
            }
        }
    }
}
