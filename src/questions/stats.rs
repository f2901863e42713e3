//! What questions came to, in numbers. Says nothing about clients.
//!
//! Plain atomic counters: an answer adds to them without a lock, and they take the same memory
//! whether or not anybody reads them.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::question::Route;

use super::reason::LiveOutcome;

/// Upper ends of the histogram's ranges, in microseconds.
const ENDS_US: [u64; 16] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    500_000, 1_000_000,
];

const ROUTES: [(Route, &str); 6] = [
    (Route::DidEmployee, "did_employee"),
    (Route::DidOwner, "did_owner"),
    (Route::PersonalManager, "personal_manager"),
    (Route::StandIn, "stand_in"),
    (Route::Default, "default"),
    (Route::None, "none"),
];

const REFUSALS: [(Refusal, &str); 4] = [
    (Refusal::Host, "unknown_host"),
    (Refusal::NotAllowed, "not_allowed"),
    (Refusal::UnknownSource, "unknown_source"),
    (Refusal::BadRequest, "bad_request"),
];

const OUTCOMES: [(LiveOutcome, &str); 4] = [
    (LiveOutcome::Known, "known"),
    (LiveOutcome::Unknown, "unknown"),
    (LiveOutcome::NoAnswer, "no_answer"),
    (LiveOutcome::NotAsked, "not_asked"),
];

/// Why a question was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It was meant for another host.
    Host,
    /// Its sender may not ask.
    NotAllowed,
    /// There is no such source.
    UnknownSource,
    /// It is not in the form of a question.
    BadRequest,
}

/// The counters.
#[derive(Debug, Default)]
pub struct Stats {
    routes: [AtomicU64; 6],
    refusals: [AtomicU64; 4],
    live: [AtomicU64; 4],
    ranges: [AtomicU64; 17],
    sum_ns: AtomicU64,
}

impl Stats {
    /// Counts an answer and the time that it took.
    pub fn answered(&self, route: Route, took: Duration) {
        if let Some((_, counter)) = ROUTES.iter().zip(&self.routes).find(|(r, _)| r.0 == route) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let us = took.as_micros();
        let range = ENDS_US.iter().position(|end| us <= u128::from(*end));
        if let Some(counter) = self.ranges.get(range.unwrap_or(ENDS_US.len())) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Counts a question that was not answered.
    pub fn refused(&self, why: Refusal) {
        if let Some((_, counter)) = REFUSALS
            .iter()
            .zip(&self.refusals)
            .find(|(r, _)| r.0 == why)
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a live question.
    pub fn asked_live(&self, outcome: LiveOutcome) {
        if let Some((_, counter)) = OUTCOMES
            .iter()
            .zip(&self.live)
            .find(|(o, _)| o.0 == outcome)
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes everything in the text form of Prometheus.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut family = |name: &str, label: &str, counters: Vec<(&str, u64)>| {
            // Writing to a text does not fail.
            let _ = writeln!(text, "# TYPE {name} counter");
            for (word, count) in counters {
                let _ = writeln!(text, "{name}{{{label}=\"{word}\"}} {count}");
            }
        };
        let routes = ROUTES.iter().zip(&self.routes);
        let routes = routes.map(|((_, word), counter)| (*word, count(counter)));
        family("trunkline_questions_total", "route", routes.collect());
        let refusals = REFUSALS.iter().zip(&self.refusals);
        let refusals = refusals.map(|((_, word), counter)| (*word, count(counter)));
        family(
            "trunkline_questions_refused_total",
            "why",
            refusals.collect(),
        );
        let live = OUTCOMES.iter().zip(&self.live);
        let live = live.map(|((_, word), counter)| (*word, count(counter)));
        family("trunkline_questions_live_total", "outcome", live.collect());
        let name = "trunkline_questions_seconds";
        let _ = writeln!(text, "# TYPE {name} histogram");
        let mut so_far = 0;
        for (position, counter) in self.ranges.iter().enumerate() {
            so_far += count(counter);
            let end = match ENDS_US.get(position) {
                // Microseconds below a second are exact enough in a float.
                Some(us) => (*us as f64 / 1e6).to_string(),
                None => "+Inf".to_owned(),
            };
            let _ = writeln!(text, "{name}_bucket{{le=\"{end}\"}} {so_far}");
        }
        let sum = Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed));
        let _ = writeln!(text, "{name}_sum {}", sum.as_secs_f64());
        let _ = writeln!(text, "{name}_count {so_far}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_route_and_by_the_time_they_took() {
        let stats = Stats::default();
        stats.answered(Route::PersonalManager, Duration::from_micros(7));
        stats.answered(Route::Default, Duration::from_micros(25));
        stats.answered(Route::Default, Duration::from_secs(2));
        stats.refused(Refusal::NotAllowed);
        stats.asked_live(LiveOutcome::NoAnswer);
        let text = stats.render();
        for line in [
            "trunkline_questions_total{route=\"personal_manager\"} 1",
            "trunkline_questions_total{route=\"default\"} 2",
            "trunkline_questions_refused_total{why=\"not_allowed\"} 1",
            "trunkline_questions_live_total{outcome=\"no_answer\"} 1",
            "trunkline_questions_seconds_bucket{le=\"0.00001\"} 1",
            "trunkline_questions_seconds_bucket{le=\"0.000025\"} 2",
            "trunkline_questions_seconds_bucket{le=\"1\"} 2",
            "trunkline_questions_seconds_bucket{le=\"+Inf\"} 3",
            "trunkline_questions_seconds_count 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
