//! When to try again: a pure schedule.

use std::time::Duration;

use crate::model::doubling::pause_after;

/// The first delay.
const FIRST: Duration = Duration::from_secs(1);
/// The longest delay: an administrator who repairs a CRM sees the work move within ten minutes.
const LONGEST: Duration = Duration::from_secs(600);
/// The longest delay that a CRM may ask for. A longer hold is kept by the account's door; a work
/// that comes back earlier is refused there without a request.
pub(super) const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// Returns how long to wait after `attempts` tries (1 = one try so far).
///
/// Doubles from one second to ten minutes; `jitter` (0 to 1) takes away up to a quarter, so that
/// many works do not come back at one instant. There is no last attempt: what can succeed is
/// tried for as long as it takes. `at_least` is what the CRM itself asked for, up to an hour.
pub fn delay(attempts: u32, jitter: f64, at_least: Option<Duration>) -> Duration {
    let full = pause_after(attempts, FIRST, LONGEST);
    let jitter = if jitter.is_finite() {
        jitter.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let waited = full.mul_f64(1.0 - jitter / 4.0);
    waited.max(at_least.unwrap_or_default().min(LONGEST_ASKED))
}

/// Returns how often a step failed, as far as the time until its next try goes, the one at hand
/// included: as often as its work had to wait in this life, and never more often than the step was
/// tried before. A life that was cut short counts its tries on disk, and none of them needs to have
/// failed: after a box that crashed ten times a step must not wait for ten minutes.
pub fn failures(tried_before: u32, waited: u32) -> u32 {
    tried_before.min(waited).saturating_add(1)
}

/// Returns how long to wait before looking again for the effect of a step of this age, where the
/// looking itself failed.
///
/// Looks are not counted on disk as tries are. So a work's waits of this life count (a step that
/// is hours old is not left alone for minutes because one look met a broken connection), and the
/// step's age where that is less (a work may have waited for other reasons). A CRM that shows a
/// page of maintenance for hours is asked ever more seldom all the same.
pub fn delay_of_look(
    waited: u32,
    age: Duration,
    jitter: f64,
    at_least: Option<Duration>,
) -> Duration {
    let doublings = (age / 2).as_secs().max(1).ilog2();
    delay(doublings.min(waited).saturating_add(1), jitter, at_least)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn delays_double_up_to_ten_minutes() {
        let seconds: Vec<u64> = [1, 2, 3, 5, 10, 11, 1000]
            .into_iter()
            .map(|attempts| delay(attempts, 0.0, None).as_secs())
            .collect();
        assert_eq!(seconds, vec![1, 2, 4, 16, 512, 600, 600]);
    }

    #[test]
    fn what_the_crm_asked_for_is_kept() {
        assert_eq!(delay(1, 0.5, Some(Duration::from_secs(90))).as_secs(), 90);
        assert_eq!(delay(1, 0.5, Some(Duration::MAX)), LONGEST_ASKED);
    }

    #[test]
    fn tries_of_lives_that_were_cut_short_are_not_taken_for_failures() {
        for (tried_before, waited, failures_expected) in [
            (0, 0, 1),
            (11, 0, 1),
            (11, 2, 3),
            (2, 9, 3),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert_eq!(failures(tried_before, waited), failures_expected);
        }
    }

    #[test]
    fn a_look_that_fails_for_long_is_repeated_seldom() {
        let mut age = Duration::ZERO;
        let mut looks = 0;
        while age < Duration::from_secs(3600) {
            age += delay_of_look(looks, age, 1.0, None);
            looks += 1;
        }
        assert!((10..40).contains(&looks), "{looks} in an hour");
        assert_eq!(delay_of_look(looks, age, 0.0, None), LONGEST);
        let asked = Some(Duration::from_secs(90));
        assert_eq!(delay_of_look(0, Duration::ZERO, 0.0, asked).as_secs(), 90);
    }

    #[test]
    fn one_look_that_fails_is_repeated_soon_however_old_the_step_is() {
        let day = Duration::from_secs(86_400);
        let delays = [0, 1, 2].map(|waited| delay_of_look(waited, day, 0.0, None).as_secs());
        assert_eq!(delays, [1, 2, 4]);
        let young = Duration::from_secs(3);
        assert_eq!(delay_of_look(9, young, 0.0, None).as_secs(), 1);
    }

    proptest! {
        #[test]
        fn a_delay_is_never_zero_and_never_over_the_longest(attempts: u32, jitter: f64) {
            let waited = delay(attempts, jitter, None);
            prop_assert!(waited >= FIRST.mul_f64(0.75) && waited <= LONGEST);
        }
    }
}
