//! The quota of the day (`crm/planfix.md` §2): what is left of it, and what may still be asked.
//! Pure; time comes in as a value.

use std::time::Duration;

use crate::crm::{Class, DayQuota};
use crate::model::outcome::{NotApplied, NotAppliedCause};
use crate::model::timestamp::Timestamp;

/// The vendor says how much is left about every ten minutes; how soon a used-up quota is tried
/// again, for nobody says when the day begins (§13).
const PROBE_EVERY: Duration = Duration::from_secs(600);

/// Below this part of the day's quota clients are not read in advance any more: what is left is
/// kept for calls, requests and chats.
const BACKGROUND_PART: u64 = 4;

/// Below this part a person is told.
const ALARM_PART: u64 = 10;

/// What is known of the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    /// Requests a day.
    a_day: u64,
    /// What is left, and as of when.
    left: Option<(u64, Timestamp)>,
    /// It is used up; tried again then.
    used_up_until: Option<Timestamp>,
}

impl Quota {
    pub(super) fn new(a_day: u64) -> Self {
        Self {
            a_day,
            left: None,
            used_up_until: None,
        }
    }

    /// Takes note of what the vendor said is left.
    pub(super) fn told(&mut self, left: u64, now: Timestamp) {
        self.left = Some((left, now));
        self.used_up_until = None;
    }

    /// Takes note that the quota is used up; returns when it is tried again.
    pub(super) fn used_up(&mut self, now: Timestamp) -> Duration {
        self.left = Some((0, now));
        self.used_up_until = Some(now.plus(PROBE_EVERY));
        PROBE_EVERY
    }

    /// Says why a request of a class is not sent now, where it is not.
    pub(super) fn refusal(&self, class: Class, now: Timestamp) -> Option<NotApplied> {
        let refused = |why: String, left: Duration| {
            Some(NotApplied {
                cause: NotAppliedCause::Throttled,
                why,
                // A clock that was set back must not make it longer.
                retry_after: Some(left.min(PROBE_EVERY)),
            })
        };
        if let Some(until) = self.used_up_until.filter(|until| *until > now) {
            let why = "the day's quota of requests is used up".to_owned();
            return refused(why, until.since(now));
        }
        let (left, as_of) = self.left?;
        let low = left < self.a_day / BACKGROUND_PART;
        // What was told long ago says nothing of the new day.
        let fresh = now.since(as_of) < PROBE_EVERY.saturating_mul(2);
        if class == Class::Background && low && fresh {
            let why = format!("{left} requests of the day are left: they are kept for new work");
            return refused(why, PROBE_EVERY);
        }
        None
    }

    /// Says what is known.
    pub(super) fn shown(&self) -> DayQuota {
        DayQuota {
            a_day: self.a_day,
            left: self.left.map(|(left, _)| left),
            as_of: self.left.map(|(_, as_of)| as_of),
            used_up_until: self.used_up_until,
        }
    }

    /// Says what a person must know.
    pub(super) fn alarm(&self) -> Option<String> {
        let (left, as_of) = self.left?;
        let a_day = self.a_day;
        match left {
            0 => Some(format!(
                "Planfix's quota of {a_day} requests a day is used up since {as_of}: what waits is \
                 sent when it returns; a larger plan has more"
            )),
            left if left < a_day / ALARM_PART => Some(format!(
                "{left} of Planfix's {a_day} requests a day are left as of {as_of}: clients are not \
                 read in advance any more, calls and requests go on"
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + n)
    }

    #[test]
    fn near_its_end_the_quota_is_kept_for_new_work_and_a_person_is_told() {
        let mut quota = Quota::new(20_000);
        assert_eq!(quota.refusal(Class::Background, second(0)), None);
        quota.told(6_000, second(0));
        assert_eq!(quota.refusal(Class::Background, second(1)), None);
        quota.told(4_900, second(2));
        assert!(quota.refusal(Class::Background, second(3)).is_some());
        assert_eq!(quota.refusal(Class::Work, second(3)), None);
        assert_eq!(quota.alarm(), None);
        let shown = quota.shown();
        assert_eq!((shown.a_day, shown.left), (20_000, Some(4_900)));
        assert_eq!(shown.as_of, Some(second(2)));
        quota.told(1_900, second(4));
        assert!(
            quota
                .alarm()
                .is_some_and(|text| text.contains("1900 of Planfix's 20000"))
        );
        // Nothing is heard for long: the new day may have begun.
        assert_eq!(quota.refusal(Class::Background, second(1300)), None);
    }

    #[test]
    fn a_used_up_quota_is_tried_again_every_ten_minutes_until_it_returns() {
        let mut quota = Quota::new(20_000);
        assert_eq!(quota.used_up(second(0)), PROBE_EVERY);
        for class in [Class::Live, Class::Work, Class::Background] {
            let refused = quota.refusal(class, second(100)).expect("used up");
            assert_eq!(refused.retry_after, Some(Duration::from_secs(500)));
        }
        assert!(quota.alarm().is_some_and(|text| text.contains("used up")));
        assert_eq!(quota.refusal(Class::Work, second(601)), None);
        quota.told(20_000, second(602));
        assert_eq!(quota.alarm(), None);
    }
}
