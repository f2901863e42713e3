//! Lays what is expected beside what is found. Pure.
//!
//! For each client and each kind of record every expectation takes one record that fits it. What
//! is left over is a duplicate when it fits an expectation that is satisfied already, else it is
//! unexpected; an expectation that is left over is missing.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::expectation::{
    CallExpectation, ClientExpectation, ContactExpectation, DealExpectation, NoteExpectation,
    TaskExpectation, Totals, UnsortedExpectation, WaitingExpectation,
};
use super::holding::{
    Held, HeldCall, HeldContact, HeldDeal, HeldNote, HeldTask, HeldUnsorted, Holding,
};
use super::script::{Day, last_ten};

/// Seconds by which an entry's time may lie outside of its call: clocks are read in whole seconds
/// on both sides, and the switch and the daemon notice an end a moment apart.
const TIME_TOLERANCE_S: i64 = 3;

/// What the runner saw besides the CRM.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// When calls of each client lasted, in Unix seconds, by the last ten digits.
    pub spans: BTreeMap<String, Vec<(i64, i64)>>,
    /// Communications with open work, of the integrations that were expected to wait.
    pub waiting: BTreeMap<String, usize>,
    /// Requests above the rate that the CRM permits.
    pub rate_violations: u64,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Records that the day must make.
    pub expected_effects: usize,
    /// Records that were made.
    pub effects_found: usize,
    /// Records made once too often.
    pub duplicates: usize,
    /// Expected records that are not there.
    pub missing: usize,
    /// Records that nobody expected.
    pub unexpected: usize,
    /// Every difference, readable.
    pub differences: Vec<Difference>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The client's number, or what else it is about.
    pub about: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl Comparison {
    /// Tells whether everything is as expected.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares a day with what the CRM holds and what the daemon reports.
pub fn compare(day: &Day, holding: &Holding, seen: &Seen) -> Comparison {
    let mut outcome = Comparison::default();
    let nothing = Held::default();
    for client in &day.clients {
        let key = last_ten(&client.phone);
        let held = holding.clients.get(&key).unwrap_or(&nothing);
        let spans = seen.spans.get(&key).map_or(&[][..], Vec::as_slice);
        compare_client(client, held, spans, &mut outcome);
    }
    for (key, held) in &holding.clients {
        if !day
            .clients
            .iter()
            .any(|client| last_ten(&client.phone) == *key)
        {
            let stranger = ClientExpectation {
                phone: format!("…{key}"),
                why: String::new(),
                contacts: Vec::new(),
                deals: Vec::new(),
                unsorted: Vec::new(),
                calls: Vec::new(),
                tasks: Vec::new(),
                notes: Vec::new(),
            };
            compare_client(&stranger, held, &[], &mut outcome);
        }
    }
    compare_totals(&day.totals, &holding.totals, &mut outcome);
    for waiting in &day.waiting {
        compare_waiting(waiting, seen, &mut outcome);
    }
    if seen.rate_violations > 0 {
        outcome.differences.push(Difference {
            about: "in all".to_owned(),
            expected: "no request above the CRM's rate".to_owned(),
            found: seen.rate_violations.to_string(),
        });
    }
    outcome
}

fn compare_client(
    client: &ClientExpectation,
    held: &Held,
    spans: &[(i64, i64)],
    outcome: &mut Comparison,
) {
    let about = &client.phone;
    pair(about, &client.contacts, &held.contacts, outcome);
    pair(about, &client.deals, &held.deals, outcome);
    pair(about, &client.unsorted, &held.unsorted, outcome);
    pair(about, &client.calls, &held.calls, outcome);
    pair(about, &client.tasks, &held.tasks, outcome);
    pair(about, &client.notes, &held.notes, outcome);
    for call in &held.calls {
        let within = |(from, until): &(i64, i64)| {
            (from - TIME_TOLERANCE_S..=until + TIME_TOLERANCE_S).contains(&call.at_s)
        };
        if !client.calls.is_empty() && !spans.iter().any(within) {
            outcome.unexpected += 1;
            outcome.differences.push(Difference {
                about: about.clone(),
                expected: format!("an entry at the call's own time: {spans:?}"),
                found: format!("{call}, at {}", call.at_s),
            });
        }
    }
}

/// An expectation about a kind of record.
trait Expects<Found>: Display {
    fn fits(&self, found: &Found) -> bool;
    /// It was there before the day, and is no effect.
    fn is_seeded(&self) -> bool;
}

/// A record.
trait Record: Display {
    /// It was there before the day.
    fn is_seeded(&self) -> bool;
}

fn pair<E: Expects<F>, F: Record>(
    about: &str,
    expected: &[E],
    found: &[F],
    outcome: &mut Comparison,
) {
    outcome.expected_effects += expected.iter().filter(|e| !e.is_seeded()).count();
    outcome.effects_found += found.iter().filter(|f| !f.is_seeded()).count();
    let mut left: Vec<&F> = found.iter().collect();
    let mut absent = Vec::new();
    let mut satisfied = Vec::new();
    for wanted in expected {
        match left.iter().position(|f| wanted.fits(f)) {
            Some(at) => {
                left.remove(at);
                satisfied.push(wanted);
            }
            None => absent.push(wanted),
        }
    }
    let (doubles, strange): (Vec<&F>, Vec<&F>) = left
        .into_iter()
        .partition(|f| satisfied.iter().any(|e| e.fits(f)));
    outcome.duplicates += doubles.len();
    outcome.missing += absent.len();
    outcome.unexpected += strange.len();
    for double in doubles {
        outcome.differences.push(Difference {
            about: about.to_owned(),
            expected: "nothing more of it".to_owned(),
            found: format!("once more: {double}"),
        });
    }
    // One line says what stands there in place of what: easier to read than two.
    let mut strange = strange.into_iter();
    for wanted in absent {
        let found = strange
            .next()
            .map_or_else(|| "nothing".to_owned(), F::to_string);
        outcome.differences.push(Difference {
            about: about.to_owned(),
            expected: wanted.to_string(),
            found,
        });
    }
    for found in strange {
        outcome.differences.push(Difference {
            about: about.to_owned(),
            expected: "nothing".to_owned(),
            found: found.to_string(),
        });
    }
}

fn compare_totals(expected: &Totals, found: &Totals, outcome: &mut Comparison) {
    for (what, expected, found) in [
        ("contacts", expected.contacts, found.contacts),
        ("deals", expected.deals, found.deals),
        ("unsorted records", expected.unsorted, found.unsorted),
        ("entries of the call history", expected.calls, found.calls),
        ("tasks", expected.tasks, found.tasks),
        ("notes", expected.notes, found.notes),
    ] {
        if expected != found {
            outcome.differences.push(Difference {
                about: "in all".to_owned(),
                expected: format!("{expected} {what}"),
                found: found.to_string(),
            });
        }
    }
}

fn compare_waiting(waiting: &WaitingExpectation, seen: &Seen, outcome: &mut Comparison) {
    let found = seen.waiting.get(&waiting.integration).copied();
    if found != Some(waiting.communications) {
        outcome.differences.push(Difference {
            about: format!("integration {}", waiting.integration),
            expected: format!(
                "{} communications wait, for its CRM does not answer",
                waiting.communications
            ),
            found: found.map_or_else(
                || "no report of a CRM that is down".to_owned(),
                |n| n.to_string(),
            ),
        });
    }
}

fn same_tags(expected: &[String], found: &[String]) -> bool {
    expected.len() == found.len() && expected.iter().all(|tag| found.contains(tag))
}

impl Expects<HeldContact> for ContactExpectation {
    fn fits(&self, found: &HeldContact) -> bool {
        self.responsible == found.responsible
            && self.seeded == found.seeded
            && same_tags(&self.tags, &found.tags)
    }
    fn is_seeded(&self) -> bool {
        self.seeded
    }
}

impl Expects<HeldDeal> for DealExpectation {
    fn fits(&self, found: &HeldDeal) -> bool {
        self.pipeline == found.pipeline
            && self.stage == found.stage
            && self.responsible == found.responsible
            && self.seeded == found.seeded
            && same_tags(&self.tags, &found.tags)
    }
    fn is_seeded(&self) -> bool {
        self.seeded
    }
}

impl Expects<HeldUnsorted> for UnsortedExpectation {
    fn fits(&self, found: &HeldUnsorted) -> bool {
        self.pipeline == found.pipeline
            && self.category == found.category
            && self.state == found.state
    }
    fn is_seeded(&self) -> bool {
        false
    }
}

impl Expects<HeldCall> for CallExpectation {
    fn fits(&self, found: &HeldCall) -> bool {
        let [least, most] = self.talk_s;
        self.direction == found.direction
            && self.result == found.result
            && self.employee == found.employee.unwrap_or(0)
            && (least..=most).contains(&found.talk_s)
            && Some(self.on) == found.on
    }
    fn is_seeded(&self) -> bool {
        false
    }
}

impl Expects<HeldTask> for TaskExpectation {
    fn fits(&self, found: &HeldTask) -> bool {
        self.responsible == found.responsible && found.text.contains(&self.text)
    }
    fn is_seeded(&self) -> bool {
        false
    }
}

impl Expects<HeldNote> for NoteExpectation {
    fn fits(&self, found: &HeldNote) -> bool {
        self.on == found.on && found.text.contains(&self.text)
    }
    fn is_seeded(&self) -> bool {
        false
    }
}

impl Record for HeldNote {
    fn is_seeded(&self) -> bool {
        false
    }
}

impl Record for HeldContact {
    fn is_seeded(&self) -> bool {
        self.seeded
    }
}

impl Record for HeldDeal {
    fn is_seeded(&self) -> bool {
        self.seeded
    }
}

impl Record for HeldUnsorted {
    fn is_seeded(&self) -> bool {
        false
    }
}

impl Record for HeldCall {
    fn is_seeded(&self) -> bool {
        false
    }
}

impl Record for HeldTask {
    fn is_seeded(&self) -> bool {
        false
    }
}
