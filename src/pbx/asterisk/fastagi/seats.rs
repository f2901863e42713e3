//! How many connections there may be at once, and of whom.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

/// The seats of a server. Used on one thread.
#[derive(Debug)]
pub(super) struct Seats {
    max: usize,
    of_one_address_max: usize,
    taken: RefCell<HashMap<IpAddr, usize>>,
}

/// A seat; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Rc<Seats>,
    address: IpAddr,
}

impl Seats {
    /// Makes seats, of which one address can take only a part: who opens connections and says
    /// nothing takes them from itself alone.
    pub(super) fn new(max: usize, of_one_address_max: usize) -> Rc<Self> {
        Rc::new(Self {
            max,
            of_one_address_max,
            taken: RefCell::default(),
        })
    }

    /// Takes a seat; `None` when there is none for this address.
    pub(super) fn take(self: &Rc<Self>, address: IpAddr) -> Option<Seat> {
        let mut taken = self.taken.borrow_mut();
        if taken.values().sum::<usize>() >= self.max {
            return None;
        }
        let own = taken.entry(address).or_default();
        if *own >= self.of_one_address_max {
            return None;
        }
        *own += 1;
        Some(Seat {
            seats: Rc::clone(self),
            address,
        })
    }

    /// Returns how many are taken.
    pub(super) fn taken(&self) -> usize {
        self.taken.borrow().values().sum()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.borrow_mut();
        if let Some(own) = taken.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_for_others_and_gives_its_seats_back() {
        let seats = Seats::new(3, 2);
        let [one, two, three]: [IpAddr; 3] =
            ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|address| address.parse().unwrap());
        let first = seats.take(one).unwrap();
        let _second = seats.take(one).unwrap();
        assert!(seats.take(one).is_none());
        let third = seats.take(two).unwrap();
        assert!(seats.take(three).is_none());
        drop(first);
        let fourth = seats.take(three).unwrap();
        drop((third, fourth));
        assert_eq!(seats.taken(), 1);
    }
}
