//! Shows what became of a day: a table for people, one line of JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::comparison::{Comparison, Seen};
use super::holding::{Held, Holding};
use super::script::{Day, last_ten};

/// One communication that was played.
#[derive(Debug, Clone)]
pub struct PlayedLine {
    /// The client's number as it was given; empty where there is none.
    pub client: String,
    /// What it was.
    pub what: String,
    /// What played it: the recording's name or the source.
    pub by: String,
}

/// Writes the table: each client, what happened, what the CRM holds.
pub fn table(day: &Day, played: &[PlayedLine], holding: &Holding, outcome: &Comparison) -> String {
    let mut out = String::new();
    let nothing = Held::default();
    line(&mut out, &format!("\n{}\n", day.name));
    for client in &day.clients {
        let key = last_ten(&client.phone);
        let wrong = outcome.differences.iter().any(|d| d.about == client.phone);
        let mark = if wrong { "WRONG" } else { "ok" };
        line(
            &mut out,
            &format!("{:<14} {mark:<5} {}", client.phone, client.why),
        );
        for call in played.iter().filter(|call| last_ten(&call.client) == key) {
            line(&mut out, &format!("    {:<34} {}", call.by, call.what));
        }
        for record in records(holding.clients.get(&key).unwrap_or(&nothing)) {
            line(&mut out, &format!("      -> {record}"));
        }
    }
    let others = played.iter().filter(|call| {
        !day.clients
            .iter()
            .any(|c| last_ten(&c.phone) == last_ten(&call.client))
    });
    for call in others {
        line(
            &mut out,
            &format!("{:<20} {:<34} {}", call.client, call.by, call.what),
        );
    }
    if !outcome.is_clean() {
        line(&mut out, "\nDifferences");
        for difference in &outcome.differences {
            line(&mut out, &format!("  {}", difference.about));
            line(&mut out, &format!("    expected  {}", difference.expected));
            line(&mut out, &format!("    found     {}", difference.found));
        }
    }
    out
}

fn records(held: &Held) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    records.extend(held.contacts.iter().map(ToString::to_string));
    records.extend(held.deals.iter().map(ToString::to_string));
    records.extend(held.unsorted.iter().map(ToString::to_string));
    records.extend(held.calls.iter().map(ToString::to_string));
    records.extend(held.tasks.iter().map(ToString::to_string));
    if records.is_empty() {
        records.push("nothing in the CRM".to_owned());
    }
    records
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    writeln!(out, "{text}").ok();
}

/// Writes the counts.
pub fn summary(day: &Day, outcome: &Comparison, seen: &Seen) -> Value {
    let waiting: serde_json::Map<String, Value> = day
        .waiting
        .iter()
        .map(|waiting| {
            let found = seen.waiting.get(&waiting.integration);
            let counts = json!({ "expected": waiting.communications, "found": found });
            (waiting.integration.clone(), counts)
        })
        .collect();
    json!({
        "communications": day.communications(),
        "expected_effects": outcome.expected_effects,
        "effects_found": outcome.effects_found,
        "duplicates": outcome.duplicates,
        "missing": outcome.missing,
        "unexpected": outcome.unexpected,
        "differences": outcome.differences.len(),
        "rate_violations": seen.rate_violations,
        "waiting": waiting,
    })
}
