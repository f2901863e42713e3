//! Whether there is room for more: nothing is accepted before the disk is full, so that what was
//! accepted can still be worked off and the store never meets a full disk.
//!
//! It only remembers what it was told; `app` measures.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Free space of the store's file system, in bytes.
    pub free_bytes: u64,
    /// Size of the store's file, in bytes.
    pub store_bytes: u64,
}

/// The bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Nothing is accepted while less is free.
    pub free_bytes_min: u64,
    /// Nothing is accepted while the store is larger.
    pub store_bytes_max: u64,
}

/// Opens and closes the intake.
#[derive(Debug)]
pub struct Room {
    bounds: Bounds,
    closed: Mutex<Option<String>>,
}

impl Room {
    /// Begins open.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            closed: Mutex::default(),
        }
    }

    /// Returns the bounds.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    fn state(&self) -> MutexGuard<'_, Option<String>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a measurement; returns whether the intake opened or closed by it.
    pub fn measured(&self, measured: Measured) -> Option<Change> {
        let mut closed = self.state();
        let reason = reason(self.bounds, measured, closed.is_some());
        let change = match (&*closed, &reason) {
            (None, Some(why)) => Some(Change::Closed(why.clone())),
            (Some(_), None) => Some(Change::Opened),
            (None, None) | (Some(_), Some(_)) => None,
        };
        *closed = reason;
        change
    }

    /// Returns why nothing is accepted now.
    pub fn closed(&self) -> Option<String> {
        self.state().clone()
    }
}

/// The intake opened or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing is accepted any more: why.
    Closed(String),
    /// There is room again.
    Opened,
}

/// Says why nothing should be accepted. What is closed opens again only with a tenth more room,
/// so that it does not flap.
fn reason(bounds: Bounds, measured: Measured, closed: bool) -> Option<String> {
    let slack = if closed { 10 } else { 0 };
    let free_wanted = bounds
        .free_bytes_min
        .saturating_add(bounds.free_bytes_min / 100 * slack);
    let store_wanted = bounds
        .store_bytes_max
        .saturating_sub(bounds.store_bytes_max / 100 * slack);
    if measured.free_bytes < free_wanted {
        return Some(format!(
            "{} MiB are free on the store's disk, {} MiB are wanted (store.free_mb_min): make room",
            measured.free_bytes / MIB,
            free_wanted / MIB
        ));
    }
    if measured.store_bytes > store_wanted {
        return Some(format!(
            "the store has {} MiB, {} MiB are permitted (store.size_mb_max): keep fewer days \
             (store.retention_days) or permit more",
            measured.store_bytes / MIB,
            store_wanted / MIB
        ));
    }
    None
}

const MIB: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Room {
        Room::new(Bounds {
            free_bytes_min: 100 * MIB,
            store_bytes_max: 1000 * MIB,
        })
    }

    fn measured(free_mib: u64, store_mib: u64) -> Measured {
        Measured {
            free_bytes: free_mib * MIB,
            store_bytes: store_mib * MIB,
        }
    }

    #[test]
    fn nothing_is_accepted_before_the_disk_is_full_and_it_recovers_by_itself() {
        let room = room();
        assert_eq!(room.measured(measured(500, 10)), None);
        let Some(Change::Closed(why)) = room.measured(measured(99, 10)) else {
            panic!("expected to close");
        };
        assert!(why.contains("99 MiB are free"), "{why}");
        assert_eq!(room.closed(), Some(why));
        assert_eq!(
            room.measured(measured(105, 10)),
            None,
            "not yet: it would flap"
        );
        assert_eq!(room.measured(measured(111, 10)), Some(Change::Opened));
        assert_eq!(room.closed(), None);
    }

    #[test]
    fn a_store_over_its_size_closes_the_intake_too() {
        let room = room();
        let change = room.measured(measured(500, 1001));
        assert!(matches!(change, Some(Change::Closed(why)) if why.contains("store.size_mb_max")));
    }
}
