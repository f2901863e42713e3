//! Points of an account: so many a minute and a day, one for each operation that succeeds.

use serde_json::{Value, json};

/// What an account may ask for.
#[derive(Debug, Clone)]
pub(super) struct Points {
    pub(super) day_limit: u64,
    pub(super) minute_limit: u64,
    day_spent: u64,
    minute_spent: u64,
    day: i64,
    minute: i64,
}

impl Points {
    pub(super) fn new(day_limit: u64, minute_limit: u64) -> Self {
        Self {
            day_limit,
            minute_limit,
            day_spent: 0,
            minute_spent: 0,
            day: 0,
            minute: 0,
        }
    }

    fn turn(&mut self, now: i64) {
        if now.div_euclid(86_400) != self.day {
            (self.day, self.day_spent) = (now.div_euclid(86_400), 0);
        }
        if now.div_euclid(60) != self.minute {
            (self.minute, self.minute_spent) = (now.div_euclid(60), 0);
        }
    }

    /// Says whether anything is left.
    pub(super) fn has_some(&mut self, now: i64) -> bool {
        self.turn(now);
        self.day_spent < self.day_limit && self.minute_spent < self.minute_limit
    }

    /// Takes one.
    pub(super) fn spend(&mut self) {
        self.day_spent += 1;
        self.minute_spent += 1;
    }

    /// Returns how many were spent today.
    pub(super) fn spent(&self) -> u64 {
        self.day_spent
    }

    /// Writes what is left.
    pub(super) fn metadata(&self, now: i64) -> Value {
        json!({
            "day_limit": self.day_limit,
            "day_remaining": self.day_limit.saturating_sub(self.day_spent),
            "day_reset": 86_400 - now.rem_euclid(86_400),
            "minute_limit": self.minute_limit,
            "minute_remaining": self.minute_limit.saturating_sub(self.minute_spent),
            "minute_reset": 60 - now.rem_euclid(60),
        })
    }
}
