//! One request a second, and so many a day (`crm/planfix.md` §2). What is left of the day is told in
//! steps.

use std::collections::VecDeque;

/// How often the header is renewed, in milliseconds.
const TOLD_EVERY_MS: i64 = 600_000;

/// The limits of an account.
#[derive(Debug)]
pub(super) struct Limits {
    per_second: Option<u32>,
    per_day: u64,
    recent: VecDeque<i64>,
    pub(super) used_today: u64,
    told: Option<(i64, u64)>,
    pub(super) violations: u64,
    pub(super) quota_refusals: u64,
}

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Second,
    Day,
}

impl Limits {
    pub(super) fn new(per_second: Option<u32>, per_day: u64) -> Self {
        Self {
            per_second,
            per_day,
            recent: VecDeque::new(),
            used_today: 0,
            told: None,
            violations: 0,
            quota_refusals: 0,
        }
    }

    pub(super) fn admit(&mut self, now_ms: i64) -> Result<(), Over> {
        while self.recent.front().is_some_and(|at| now_ms - at >= 1_000) {
            self.recent.pop_front();
        }
        if let Some(max) = self.per_second
            && self.recent.len() >= max as usize
        {
            self.violations += 1;
            return Err(Over::Second);
        }
        self.recent.push_back(now_ms);
        if self.used_today >= self.per_day {
            self.quota_refusals += 1;
            return Err(Over::Day);
        }
        self.used_today += 1;
        Ok(())
    }

    /// Returns what the header tells.
    pub(super) fn left(&mut self, now_ms: i64) -> u64 {
        let left = self.per_day.saturating_sub(self.used_today);
        match self.told {
            Some((at, told)) if now_ms - at < TOLD_EVERY_MS => told,
            _ => {
                self.told = Some((now_ms, left));
                left
            }
        }
    }

    /// Begins a new day.
    pub(super) fn new_day(&mut self) {
        self.used_today = 0;
        self.told = None;
    }
}
