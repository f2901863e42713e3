//! The shipped day, and the comparison itself.

use super::comparison::{Difference, Seen, compare};
use super::expectation::{CallCard, CallDirection, CallResult, Totals, UnsortedState};
use super::holding::{Held, HeldCall, HeldContact, HeldDeal, HeldUnsorted, Holding};
use super::portal::Half;
use super::script::{Day, Event, last_ten};
use crate::lab::ami::capture;

const WORKING_DAY: &str = include_str!("../../../lab/days/working-day.toml");
const WORKING_DAY_OF_PORTAL: &str = include_str!("../../../lab/days/working-day.bitrix24.toml");

/// The working day as each of its CRMs sees it.
fn working_days() -> [Day; 2] {
    let day = Day::parse(WORKING_DAY).unwrap();
    let half = Half::parse(WORKING_DAY_OF_PORTAL).unwrap().of(&day);
    [day, half]
}
const README: &str = include_str!("../../../tests/data/asterisk/README.md");

/// A small day: one client of case A.
const SMALL: &str = r#"
name = "small"
tenant = "demo"
totals = { contacts = 1, deals = 1, unsorted = 0, calls = 1, tasks = 0 }
waiting = [{ integration = "service", communications = 1 }]
[[part]]
title = "p"
events = [{ do = "call", at_s = 0.0, capture = "inbound_answered", client = "79035550001", what = "A" }]
[[client]]
phone = "+79035550001"
why = "A"
contacts = [{ responsible = 501 }]
deals = [{ pipeline = 3100, stage = 3102, responsible = 501, tags = ["b", "a"] }]
calls = [{ direction = "in", result = "answered", employee = 502, talk_s = [1, 3], on = "deal" }]
"#;

fn small_holding() -> Holding {
    let held = Held {
        contacts: vec![HeldContact {
            responsible: 501,
            tags: Vec::new(),
            seeded: false,
        }],
        deals: vec![HeldDeal {
            pipeline: 3100,
            stage: 3102,
            responsible: 501,
            tags: vec!["a".to_owned(), "b".to_owned()],
            seeded: false,
        }],
        calls: vec![HeldCall {
            direction: CallDirection::In,
            result: CallResult::Answered,
            employee: Some(502),
            talk_s: 2,
            on: Some(CallCard::Deal),
            at_s: 1_000_001,
        }],
        ..Held::default()
    };
    Holding {
        clients: [("9035550001".to_owned(), held)].into(),
        totals: Totals {
            contacts: 1,
            deals: 1,
            unsorted: 0,
            calls: 1,
            tasks: 0,
            notes: 0,
        },
    }
}

fn small_seen() -> Seen {
    Seen {
        spans: [("9035550001".to_owned(), vec![(1_000_000, 1_000_003)])].into(),
        waiting: [("service".to_owned(), 1)].into(),
        rate_violations: 0,
    }
}

fn held(holding: &mut Holding) -> &mut Held {
    holding.clients.get_mut("9035550001").unwrap()
}

#[test]
fn what_is_as_expected_has_no_difference() {
    let outcome = compare(&Day::parse(SMALL).unwrap(), &small_holding(), &small_seen());
    assert_eq!(outcome.differences, Vec::new());
    assert_eq!((outcome.expected_effects, outcome.effects_found), (3, 3));
    assert_eq!(
        (outcome.duplicates, outcome.missing, outcome.unexpected),
        (0, 0, 0)
    );
}

#[test]
fn a_wrong_line_of_the_expectation_makes_a_readable_difference() {
    for (right, wrong, expected, found) in [
        (
            "stage = 3102",
            "stage = 3103",
            "deal of 501 in 3100/3103, tagged b, a",
            "deal of 501 in 3100/3102, tagged a, b",
        ),
        (
            "contacts = [{ responsible = 501 }]",
            "contacts = [{ responsible = 502 }]",
            "contact of 502",
            "contact of 501",
        ),
        (
            "employee = 502",
            "employee = 0",
            "incoming answered call by nobody, 1 to 3 s, on deal",
            "incoming answered call by 502, 2 s, on deal",
        ),
        (
            "talk_s = [1, 3]",
            "talk_s = [5, 9]",
            "incoming answered call by 502, 5 to 9 s, on deal",
            "incoming answered call by 502, 2 s, on deal",
        ),
        ("deals = 1", "deals = 2", "2 deals", "1"),
        (
            "communications = 1 }",
            "communications = 2 }",
            "2 communications wait, for its CRM does not answer",
            "1",
        ),
    ] {
        let text = SMALL.replacen(right, wrong, 1);
        assert_ne!(text, SMALL, "{right}");
        let outcome = compare(&Day::parse(&text).unwrap(), &small_holding(), &small_seen());
        let [difference] = outcome.differences.as_slice() else {
            panic!("{wrong}: {:?}", outcome.differences);
        };
        assert_eq!(
            (difference.expected.as_str(), difference.found.as_str()),
            (expected, found)
        );
    }
}

#[test]
fn a_record_made_twice_is_a_duplicate() {
    let mut holding = small_holding();
    let twice = held(&mut holding).calls.clone();
    held(&mut holding).calls.extend(twice);
    let outcome = compare(&Day::parse(SMALL).unwrap(), &holding, &small_seen());
    assert_eq!(
        (outcome.duplicates, outcome.missing, outcome.unexpected),
        (1, 0, 0)
    );
    let difference = Difference {
        about: "+79035550001".to_owned(),
        expected: "nothing more of it".to_owned(),
        found: "once more: incoming answered call by 502, 2 s, on deal".to_owned(),
    };
    assert_eq!(outcome.differences, vec![difference]);
}

#[test]
fn a_record_that_is_not_there_is_missing_and_a_strange_one_unexpected() {
    let mut holding = small_holding();
    held(&mut holding).deals.clear();
    held(&mut holding).unsorted.push(HeldUnsorted {
        pipeline: 3100,
        category: "sip".to_owned(),
        state: UnsortedState::Waiting,
    });
    let outcome = compare(&Day::parse(SMALL).unwrap(), &holding, &small_seen());
    assert_eq!(
        (outcome.duplicates, outcome.missing, outcome.unexpected),
        (0, 1, 1)
    );
    assert_eq!(outcome.differences.len(), 2);
}

#[test]
fn a_client_whom_nobody_expected_is_found() {
    let mut holding = small_holding();
    let same = held(&mut holding).clone();
    holding.clients.insert("9035559999".to_owned(), same);
    let outcome = compare(&Day::parse(SMALL).unwrap(), &holding, &small_seen());
    assert_eq!(outcome.unexpected, 3);
    assert!(
        outcome
            .differences
            .iter()
            .all(|d| d.about.contains("9035559999"))
    );
}

#[test]
fn an_entry_with_another_time_than_its_calls_is_found() {
    let mut holding = small_holding();
    held(&mut holding).calls[0].at_s = 1_000_600;
    let outcome = compare(&Day::parse(SMALL).unwrap(), &holding, &small_seen());
    assert_eq!((outcome.unexpected, outcome.differences.len()), (1, 1));
}

#[test]
fn a_request_above_the_rate_is_found() {
    let seen = Seen {
        rate_violations: 1,
        ..small_seen()
    };
    let outcome = compare(&Day::parse(SMALL).unwrap(), &small_holding(), &seen);
    assert_eq!(outcome.differences.len(), 1);
}

#[test]
fn a_seeded_record_is_no_effect_and_does_not_stand_for_a_made_one() {
    let mut holding = small_holding();
    held(&mut holding).contacts[0].seeded = true;
    let outcome = compare(&Day::parse(SMALL).unwrap(), &holding, &small_seen());
    assert_eq!((outcome.expected_effects, outcome.effects_found), (3, 2));
    assert_eq!((outcome.missing, outcome.unexpected), (1, 1));
}

#[test]
fn a_day_with_a_mistake_is_refused() {
    for (right, wrong) in [
        ("inbound_answered", "inbound_answred"),
        ("name = \"small\"", "name = \"small\"\ncolour = 1"),
        ("at_s = 0.0", "at_s = -1.0"),
        ("do = \"call\"", "do = \"dance\""),
    ] {
        assert!(
            Day::parse(&SMALL.replacen(right, wrong, 1)).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn every_call_of_the_captures_table_occurs_in_the_working_day() {
    let day = Day::parse(WORKING_DAY).unwrap();
    let played: Vec<&str> = day
        .events()
        .filter_map(|event| match event {
            Event::Call { capture, .. } => Some(capture.as_str()),
            _ => None,
        })
        .collect();
    let rows = README
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    let names = rows
        .flat_map(|(names, _)| names.split(" / "))
        .map(str::trim);
    let calls: Vec<&str> = names
        .filter(|name| !matches!(*name, "file" | "---"))
        .filter(|name| !name.starts_with("agi_") && !name.starts_with("ami-"))
        .collect();
    assert!(calls.len() >= 28, "the table was not read: {calls:?}");
    for name in calls {
        // A row may continue with a remark, as "agi_caller_hangup (.agi.txt)" does.
        if !name.contains("agi") {
            assert!(played.contains(&name), "{name} is not played");
        }
    }
    for capture in capture::all() {
        assert!(
            played.contains(&capture.name),
            "{} is not played",
            capture.name
        );
    }
}

#[test]
fn the_working_day_expects_something_of_every_client_who_calls() {
    for day in working_days() {
        assert_eq!(day.communications(), 86);
        for event in day.events() {
            if let Event::Call { client, .. } | Event::Vats { client, .. } = event
                && !client.is_empty()
                && client != "anonymous"
            {
                let key = last_ten(client);
                assert!(
                    day.clients.iter().any(|c| last_ten(&c.phone) == key),
                    "{client}"
                );
            }
        }
    }
}

#[test]
fn the_totals_of_the_working_day_are_those_of_its_lines() {
    for day in working_days() {
        let sum = |count: fn(&super::expectation::ClientExpectation) -> usize| {
            day.clients.iter().map(count).sum::<usize>()
        };
        let totals = Totals {
            contacts: sum(|c| c.contacts.len()),
            deals: sum(|c| c.deals.len()),
            unsorted: sum(|c| c.unsorted.len()),
            calls: sum(|c| c.calls.len()),
            tasks: sum(|c| c.tasks.len()),
            notes: sum(|c| c.notes.len()),
        };
        assert_eq!(totals, day.totals);
    }
}
