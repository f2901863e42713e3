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

/// New work is never kept more for than this part of the quota, in tenths: clients are read in
/// advance at the beginning of a day, however much work there is.
const WORK_TENTHS_MAX: u64 = 9;

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
    /// Requests of new work and of live questions.
    work: Hours,
}

/// Requests of each of the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Hours {
    counts: [u64; 24],
    /// The hour of the last one, counted since 1970.
    hour: i64,
    /// When the first one was sent.
    since: Option<Timestamp>,
}

const HOUR_S: i64 = 3600;

impl Hours {
    fn count(&mut self, now: Timestamp) {
        let hour = now.as_secs().div_euclid(HOUR_S);
        self.since.get_or_insert(now);
        // What lies a day back makes room; a clock that was set back counts on where it stood.
        let passed = usize::try_from(hour.saturating_sub(self.hour)).unwrap_or(0);
        self.counts.rotate_right(passed.min(24) % 24);
        self.counts
            .iter_mut()
            .take(passed)
            .for_each(|count| *count = 0);
        self.hour = self.hour.max(hour);
        if let Some(present) = self.counts.first_mut() {
            *present += 1;
        }
    }

    /// Returns how many a whole day takes at the pace of the last one, or of the time since the first.
    fn a_day(&self, now: Timestamp) -> u64 {
        let Some(since) = self.since else {
            return 0;
        };
        let seen: u64 = self.counts.iter().sum();
        let day = Duration::from_secs(24 * 3600);
        let window = now.since(since).clamp(Duration::from_secs(3600), day);
        seen.saturating_mul(day.as_secs()) / window.as_secs()
    }
}

impl Quota {
    pub(super) fn new(a_day: u64) -> Self {
        Self {
            a_day,
            left: None,
            used_up_until: None,
            work: Hours::default(),
        }
    }

    /// Takes note that a request is sent.
    pub(super) fn sends(&mut self, class: Class, now: Timestamp) {
        match class {
            Class::Live | Class::Work => self.work.count(now),
            Class::Background => {}
        }
    }

    /// Returns what is kept for new work: what a day of it takes, and a quarter of the quota at least.
    fn kept(&self, now: Timestamp) -> u64 {
        let most = self.a_day / 10 * WORK_TENTHS_MAX;
        let wanted = self.work.a_day(now).min(most);
        wanted.max(self.a_day / BACKGROUND_PART)
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
        let low = left < self.kept(now);
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

    const DAY_S: i64 = 86_400;

    /// The vendor's side of a day's quota: it tells what is left every ten minutes.
    struct Vendor {
        a_day: u64,
        used: u64,
        told_at: Option<i64>,
        refused: u64,
    }

    impl Vendor {
        /// Serves a request; `Ok` with what the header says anew, `Err` where the day is used up.
        fn serve(&mut self, second: i64) -> Result<Option<u64>, ()> {
            if self.used >= self.a_day {
                self.refused += 1;
                return Err(());
            }
            self.used += 1;
            let renewed = self.told_at.is_none_or(|at| second - at >= 600);
            self.told_at = self.told_at.filter(|_| !renewed).or(Some(second));
            Ok(renewed.then(|| self.a_day - self.used))
        }
    }

    /// What became of two days at one request a second.
    #[derive(Debug, Default)]
    struct Days {
        /// Requests sent on the first day: of new work, of reading in advance.
        sent: [u64; 2],
        /// New work that waited at the end of the first day.
        waits: u64,
        /// The longest that new work waited on the first day before the quota was used up, in seconds.
        waited_max: i64,
        /// Refusals of the first day.
        refused: u64,
        /// What a person was told on the first day, each once, in order.
        told: Vec<String>,
        /// When on the second day the last of the first day's work was sent, in seconds.
        caught_up_after: Option<i64>,
    }

    /// Lives two days on which so many requests of new work, and so many of reading in advance, are
    /// wanted. New work goes first, as the account's door has it.
    fn live(work_a_day: i64, background_a_day: i64) -> Days {
        let mut quota = Quota::new(20_000);
        let mut vendor = Vendor {
            a_day: 20_000,
            used: 0,
            told_at: None,
            refused: 0,
        };
        let mut days = Days::default();
        let mut work = std::collections::VecDeque::new();
        let mut background = 0;
        for s in 0..2 * DAY_S {
            if s == DAY_S {
                days.waits = work.len() as u64;
                days.refused = vendor.refused;
                (vendor.used, vendor.told_at) = (0, None);
            }
            let arrived = |a_day: i64| (s + 1) * a_day / DAY_S - s * a_day / DAY_S;
            work.extend((0..arrived(work_a_day)).map(|_| s));
            background += arrived(background_a_day);
            let now = second(s);
            let open = |class| quota.refusal(class, now).is_none();
            let class = match (work.front(), background > 0) {
                (Some(_), _) if open(Class::Work) => Class::Work,
                (_, true) if open(Class::Background) => Class::Background,
                _ => continue,
            };
            quota.sends(class, now);
            match vendor.serve(s) {
                Err(()) => {
                    quota.used_up(now);
                }
                Ok(told) => {
                    if let Some(left) = told {
                        quota.told(left, now);
                    }
                    match class {
                        Class::Background => background -= 1,
                        Class::Live | Class::Work => {
                            let since = work.pop_front().unwrap_or(s);
                            if s < DAY_S && vendor.refused == 0 {
                                days.waited_max = days.waited_max.max(s - since);
                            }
                            if since < DAY_S && s >= DAY_S {
                                days.caught_up_after = Some(s - DAY_S);
                            }
                        }
                    }
                    if s < DAY_S {
                        days.sent[usize::from(class == Class::Background)] += 1;
                    }
                }
            }
            if let Some(alarm) = quota.alarm().filter(|_| s < DAY_S) {
                let word = if alarm.contains("used up") {
                    "used up"
                } else {
                    "left"
                };
                if days.told.last().is_none_or(|last| last != word) {
                    days.told.push(word.to_owned());
                }
            }
        }
        days
    }

    #[test]
    fn of_thirty_thousand_wanted_requests_new_work_goes_first_and_reading_in_advance_waits() {
        let days = live(10_000, 20_000);
        assert_eq!((days.sent[0], days.waits), (10_000, 0), "{days:?}");
        assert!(days.waited_max <= 1, "{days:?}");
        assert!((6_000..=7_000).contains(&days.sent[1]), "{days:?}");
        assert_eq!(days.refused, 0, "{days:?}");
        assert!(days.told.is_empty(), "nothing has to be done: {days:?}");
    }

    #[test]
    fn of_thirty_thousand_wanted_requests_that_are_nearly_all_new_work_the_rest_waits_for_the_day()
    {
        let days = live(28_000, 2_000);
        assert_eq!(
            days.sent.iter().sum::<u64>(),
            20_000,
            "to the full: {days:?}"
        );
        assert!(days.sent[1] <= 2_000, "{days:?}");
        assert_eq!(
            days.waits,
            28_000 - days.sent[0],
            "nothing is lost: {days:?}"
        );
        assert!(days.waited_max <= 1, "until then at once: {days:?}");
        // One try every ten minutes finds out when it returns.
        assert!(days.refused <= 24 * 6, "{days:?}");
        assert_eq!(days.told, ["left", "used up"], "{days:?}");
        let caught_up = days.caught_up_after.expect("the second day");
        assert!(caught_up < DAY_S / 2, "in order, before the new: {days:?}");
    }
}
