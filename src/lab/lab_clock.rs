//! The simulator's own time: the machine's, moved by a script where a test needs tomorrow, and
//! stopped where it counts what falls into one second.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::lock::lock;
use super::wall;

/// One moment, as the wall clock and as a point for measuring spans.
#[derive(Debug, Clone, Copy)]
pub(in crate::lab) struct Moment {
    pub(in crate::lab) unix_ms: i64,
    pub(in crate::lab) instant: Instant,
}

impl Moment {
    /// Returns Unix seconds, as the services write time.
    pub(in crate::lab) fn seconds(self) -> i64 {
        self.unix_ms.div_euclid(1_000)
    }
}

/// Tells the simulator's time.
#[derive(Debug)]
pub(in crate::lab) struct LabClock {
    base_ms: i64,
    started: Instant,
    shift_ms: AtomicI64,
    /// How long after its start the clock stands still; `None` = it goes.
    stands_at: Mutex<Option<Duration>>,
}

impl LabClock {
    /// Starts at the machine's present time.
    pub(in crate::lab) fn start() -> Self {
        Self {
            base_ms: millis(wall::now()),
            started: Instant::now(),
            shift_ms: AtomicI64::new(0),
            stands_at: Mutex::default(),
        }
    }

    /// Returns the present moment.
    pub(in crate::lab) fn now(&self) -> Moment {
        let elapsed = self.stands_at().unwrap_or_else(|| self.started.elapsed());
        let shift = self.shift_ms.load(Ordering::Relaxed);
        let unix_ms = self.base_ms.saturating_add(millis(elapsed));
        Moment {
            unix_ms: unix_ms.saturating_add(shift),
            instant: self.started + elapsed,
        }
    }

    /// Lets the clock stand still: from now on time passes by [`LabClock::pass`] only.
    pub(in crate::lab) fn stop(&self) {
        *self.stands_at() = Some(self.started.elapsed());
    }

    /// Lets so much time pass on a clock that stands still.
    pub(in crate::lab) fn pass(&self, span: Duration) {
        if let Some(at) = self.stands_at().as_mut() {
            *at = at.saturating_add(span);
        }
    }

    fn stands_at(&self) -> MutexGuard<'_, Option<Duration>> {
        lock(&self.stands_at)
    }

    /// Moves the wall clock by so many milliseconds; spans are not touched.
    pub(in crate::lab) fn shift(&self, by_ms: i64) {
        let moved = |now: i64| Some(now.saturating_add(by_ms));
        let _ = self
            .shift_ms
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
