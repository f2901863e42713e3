//! The last line: what was counted, and whether that is well. Pure.

use serde::Serialize;
use serde_json::Value;

use super::BrokenPromise;

/// Words of a dead letter whose step may or may not have had its effect.
const UNDECIDABLE: &str = "cannot be known";

/// The counts of the last line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    pub(super) kills: usize,
    pub(super) communications: usize,
    pub(super) lost: usize,
    pub(super) duplicated: usize,
    pub(super) out_of_order: usize,
    pub(super) rate_violations: u64,
    pub(super) spent_tokens_reused: u64,
    pub(super) undecidable: usize,
    /// Calls that the daemon cannot have seen for certain.
    pub(super) blind: usize,
}

impl Tally {
    /// Says whether every count is zero that must be: all but how much was done, and what nobody
    /// could see.
    fn is_clean(&self) -> bool {
        let Self {
            kills: _,
            communications: _,
            lost,
            duplicated,
            out_of_order,
            rate_violations,
            spent_tokens_reused,
            undecidable,
            blind: _,
        } = *self;
        let effects = lost == 0 && duplicated == 0 && out_of_order == 0 && undecidable == 0;
        effects && rate_violations == 0 && spent_tokens_reused == 0
    }

    /// Says whether the daemon's breaking of a promise turned its own count.
    fn shows(&self, promise: BrokenPromise) -> bool {
        match promise {
            BrokenPromise::NoLookAfterAmbiguous => self.duplicated > 0,
            BrokenPromise::AcknowledgeBeforeCommit => self.lost > 0,
            BrokenPromise::LaneIgnored => self.duplicated > 0 || self.out_of_order > 0,
            BrokenPromise::LimiterPlusOne => self.rate_violations > 0,
            BrokenPromise::SpentTokenReused => self.spent_tokens_reused > 0,
            // The call's own entry is missing, and there is one that nothing called for.
            BrokenPromise::CallTimeNow => self.lost > 0 && self.duplicated > 0,
        }
    }

    /// Returns the last line, and whether the torture came out as it must: all clean, or, where a
    /// promise was broken on purpose, noticed.
    pub(super) fn last_line(&self, broken: Option<BrokenPromise>) -> (String, bool) {
        let mut line = serde_json::to_value(self).unwrap_or_default();
        let Some(promise) = broken else {
            return (line.to_string(), self.is_clean());
        };
        let caught = self.shows(promise);
        line["sabotage"] = promise.word().into();
        line["caught"] = caught.into();
        (line.to_string(), caught)
    }
}

/// Counts the dead letters whose step may or may not have had its effect.
pub(super) fn undecidable(dead_letters: &[Value]) -> usize {
    let reasons = dead_letters.iter().filter_map(|l| l["reason"].as_str());
    reasons.filter(|r| r.contains(UNDECIDABLE)).count()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use serde_json::json;

    use super::*;

    fn clean() -> Tally {
        Tally {
            kills: 5,
            communications: 100,
            blind: 12,
            ..Tally::default()
        }
    }

    /// One of each count that must be zero, with its name in the last line.
    fn harmed() -> [(&'static str, Tally); 6] {
        let tally = clean();
        [
            ("lost", Tally { lost: 1, ..tally }),
            (
                "duplicated",
                Tally {
                    duplicated: 1,
                    ..tally
                },
            ),
            (
                "out_of_order",
                Tally {
                    out_of_order: 1,
                    ..tally
                },
            ),
            (
                "rate_violations",
                Tally {
                    rate_violations: 1,
                    ..tally
                },
            ),
            (
                "spent_tokens_reused",
                Tally {
                    spent_tokens_reused: 1,
                    ..tally
                },
            ),
            (
                "undecidable",
                Tally {
                    undecidable: 1,
                    ..tally
                },
            ),
        ]
    }

    #[test]
    fn one_of_anything_that_must_be_zero_fails_the_torture_and_stands_in_the_last_line() {
        let (line, well) = clean().last_line(None);
        assert!(well, "{line}");
        for (name, tally) in harmed() {
            let (line, well) = tally.last_line(None);
            assert!(!well, "{line}");
            let line: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(line[name], 1, "{line}");
            assert_eq!((&line["kills"], &line["blind"]), (&json!(5), &json!(12)));
        }
    }

    #[test]
    fn a_broken_promise_is_noticed_by_its_own_count_and_by_no_other() {
        for promise in BrokenPromise::value_variants() {
            let (line, caught) = clean().last_line(Some(*promise));
            assert!(!caught, "{line}");
            let caught_by: Vec<&str> = harmed()
                .into_iter()
                .filter(|(_, tally)| tally.last_line(Some(*promise)).1)
                .map(|(name, _)| name)
                .collect();
            let expected: &[&str] = match promise {
                BrokenPromise::NoLookAfterAmbiguous => &["duplicated"],
                BrokenPromise::AcknowledgeBeforeCommit => &["lost"],
                BrokenPromise::LaneIgnored => &["duplicated", "out_of_order"],
                BrokenPromise::LimiterPlusOne => &["rate_violations"],
                BrokenPromise::SpentTokenReused => &["spent_tokens_reused"],
                // Neither alone: an entry at a wrong time is one too few and one too many.
                BrokenPromise::CallTimeNow => &[],
            };
            assert_eq!(caught_by, expected, "{promise:?}");
        }
        let moved = Tally {
            lost: 1,
            duplicated: 1,
            ..clean()
        };
        assert!(moved.last_line(Some(BrokenPromise::CallTimeNow)).1);
    }

    #[test]
    fn only_dead_letters_that_nobody_can_decide_are_undecidable() {
        let letter = |reason: &str| json!({ "reason": reason });
        let letters = [
            letter("sent, but it cannot be known whether it arrived"),
            letter("invalid: the phone is not valid"),
            json!({}),
        ];
        assert_eq!(undecidable(&letters), 1);
    }
}
