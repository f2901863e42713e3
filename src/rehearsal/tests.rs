//! What rehearsals say.

use crate::model::call::Call;
use crate::model::capabilities::{Capabilities, Certainty, StepCapability};
use crate::model::communication::{Body, Kind, Phase, Snapshot};
use crate::model::explanation::Language;
use crate::model::facts::{ContactFact, Facts, FactsOrigin};
use crate::model::ids::{IntegrationKey, PortalKey};
use crate::model::ledger::{Decision, Ledger, LedgerStep, Seen, StepState, Verdict as Decided};
use crate::model::outcome::StepResult;
use crate::model::plan::{Card, Effect, Entity, StepKind};
use crate::model::timestamp::Timestamp;
use crate::rules::basis::Basis;
use crate::rules::replay::replay;

use super::*;

const AT_END: &str = r#"
[incoming]
answered_unknown = { action = { kind = "contact_and_deal", pipeline = "31", stage = "7" } }
"#;
const AT_ANSWER: &str = r#"
[incoming]
answered_unknown = { at = "answer", action = { kind = "contact_and_deal", pipeline = "31", stage = "7" } }
"#;
const CONTACT_ONLY: &str = r#"
[incoming]
answered_unknown = { action = { kind = "contact" } }
"#;
const DEAL_FOR_KNOWN: &str = r#"
[incoming]
answered_known = { action = { kind = "contact_and_deal", pipeline = "31", stage = "7" } }
"#;
const CRM_CHOOSES: &str = "call_history = \"crm_chooses\"\n";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn key() -> IntegrationKey {
    "acme/sales".parse().expect("a key")
}

fn portal() -> PortalKey {
    PortalKey::new("crm", "demo")
}

fn candidate(calls: &str) -> Candidate {
    let (top, rest) = match calls.split_once('[') {
        Some((top, rest)) => (top, format!("[calls.{rest}")),
        None => (calls, String::new()),
    };
    let text = format!("[calls]\ndefault_responsible = \"501\"\n{top}\n{rest}");
    Candidate {
        integration: key(),
        portal: portal(),
        basis: Basis {
            settings: toml::from_str(&text).expect("settings"),
            employees: Default::default(),
            account: Some("main".parse().expect("an id")),
            source_names: Default::default(),
            time_zone: "Europe/Moscow".to_owned(),
        },
        takes: vec![("office".parse().expect("an id"), Kind::Call)],
    }
}

fn capabilities() -> Capabilities {
    let step = |kind| StepCapability {
        kind,
        certainty: Certainty::ByKey,
        batch_max: 50,
    };
    Capabilities {
        steps: StepKind::ALL.into_iter().map(step).collect(),
        phases: vec![(Kind::Call, Phase::Answered), (Kind::Call, Phase::Ended)],
        calls: Default::default(),
    }
}

fn snapshot(phase: &str) -> Snapshot {
    let call: Call = serde_json::from_value(serde_json::json!({
        "direction": "incoming", "phase": phase, "result": { "kind": "answered" },
        "client": { "kind": "phone", "phone": "+79161234567" },
        "started_at": "2026-11-20T09:00:00Z", "answered_at": "2026-11-20T09:00:08Z",
        "waiting_ms": 8000, "talking_ms": 54000, "talkers": ["101"],
    }))
    .expect("a call");
    Snapshot {
        key: "acme/office/1.0".parse().expect("a key"),
        revision: 1,
        body: Body::Call { call },
    }
}

fn facts(contacts: &[&str]) -> Facts {
    let made = at("2026-11-20T08:00:00Z");
    let contact = |id: &&str| ContactFact {
        id: (*id).to_owned(),
        name: "Иван".to_owned(),
        responsible: None,
        created_at: made,
        updated_at: made,
        deals: Vec::new(),
    };
    Facts {
        as_of: at("2026-11-20T09:02:00Z"),
        origin: FactsOrigin::Crm,
        contacts: contacts.iter().map(contact).collect(),
        companies: Vec::new(),
        leads: Vec::new(),
        closed_leads: Vec::new(),
        fields: None,
    }
}

/// Decides a phase as the daemon would, and notes it; every step is done.
fn decide(ledger: &mut Ledger, settings: &Candidate, phase: Phase, known: Option<Facts>) {
    let snapshot = snapshot(match phase {
        Phase::Answered => "answered",
        _ => "ended",
    });
    let now = at("2026-11-20T09:02:00Z");
    let work = ledger.decisions.len() as u64 + 1;
    let mut decision = Decision {
        work,
        phase,
        at: now,
        revision: 1,
        settings: 1,
        portal: Some(portal()),
        facts: known,
        recording: None,
        verdict: Decided::Planned,
        explanation: Default::default(),
        roles: Vec::new(),
        seen: Some(Box::new(Seen::of(now, &snapshot.body, ledger))),
    };
    let plan = replay(&decision, &snapshot.key, &settings.basis, &capabilities());
    let plan = plan.expect("decided");
    decision.explanation = plan.explanation;
    decision.roles = plan.steps.iter().map(|step| step.role.clone()).collect();
    ledger.first_time = ledger.first_time.or(plan.first_time);
    ledger.decisions.push(decision);
    for step in plan.steps {
        let entity = match &step.effect {
            Effect::CreateContact(_) => Entity::Contact,
            Effect::CreateDeal(_) => Entity::Deal,
            _ => Entity::Note,
        };
        let card = Card {
            entity,
            id: format!("made-{}", step.role),
        };
        ledger.steps.push(LedgerStep {
            role: step.role,
            work,
            effect: step.effect,
            state: StepState::Done {
                at: now,
                result: StepResult {
                    cards: vec![card],
                    adopted: false,
                    note: None,
                },
            },
            attempts: 1,
            first_sent_at: Some(now),
        });
    }
}

/// What was decided then, and what the settings make of it.
fn both(
    then: &Candidate,
    now: &Candidate,
    ledger: &Ledger,
    phase: &str,
) -> Result<(Made, Made), NotRehearsed> {
    let (integration, snapshot) = (key(), snapshot(phase));
    let accounts = [Account {
        integration: &integration,
        ledger,
    }];
    let record = Record {
        snapshot: &snapshot,
        accounts: &accounts,
        waits: false,
    };
    let offers = capabilities();
    let stage = Stage::new(now, &offers)?;
    let after = rehearse(&stage, &record, &|_, _| Some(&then.basis))?;
    Ok((stored(&record, &integration)?, after))
}

fn roles(made: &Made) -> Vec<&str> {
    made.steps.iter().map(|step| step.role.0.as_str()).collect()
}

#[test]
fn the_same_settings_make_the_same_at_the_end_and_at_the_answer() {
    let settings = candidate(AT_END);
    let mut ledger = Ledger::default();
    decide(&mut ledger, &settings, Phase::Ended, Some(facts(&[])));
    let (then, now) = both(&settings, &settings, &ledger, "ended").expect("rehearsed");
    assert_eq!(roles(&then), ["contact", "deal", "call-record"]);
    assert_eq!(compare(&then, &now).verdict, Verdict::Same, "{now:?}");

    let settings = candidate(AT_ANSWER);
    let mut ledger = Ledger::default();
    decide(&mut ledger, &settings, Phase::Answered, Some(facts(&[])));
    // By the end the CRM shows what was made at the answer.
    let known = facts(&["made-contact"]);
    decide(&mut ledger, &settings, Phase::Ended, Some(known));
    let (then, now) = both(&settings, &settings, &ledger, "ended").expect("rehearsed");
    assert_eq!(roles(&then), ["contact", "deal", "call-record"]);
    assert_eq!(compare(&then, &now).verdict, Verdict::Same, "{now:?}");
    assert_eq!(now.assumed, []);
}

#[test]
fn other_settings_are_told_step_by_step_with_the_reasons() {
    let (then, now) = (candidate(AT_END), candidate(CONTACT_ONLY));
    let mut ledger = Ledger::default();
    decide(&mut ledger, &then, Phase::Ended, Some(facts(&[])));
    let (before, after) = both(&then, &now, &ledger, "ended").expect("rehearsed");
    let difference = compare(&before, &after);
    assert_eq!(difference.verdict, Verdict::Steps);
    let changed: Vec<(&str, bool, bool)> = difference
        .steps
        .iter()
        .map(|step| {
            (
                step.role.0.as_str(),
                step.before.is_some(),
                step.after.is_some(),
            )
        })
        .collect();
    assert_eq!(
        changed,
        [("deal", true, false), ("call-record", true, true)]
    );
    assert!(!difference.reasons_gone.is_empty());
    assert!(!difference.reasons_new.is_empty());
    assert_eq!(compare(&after, &after).verdict, Verdict::Same);
}

#[test]
fn what_the_call_itself_made_then_is_not_there_for_settings_that_make_it_otherwise() {
    let (then, now) = (candidate(AT_ANSWER), candidate(CONTACT_ONLY));
    let mut ledger = Ledger::default();
    decide(&mut ledger, &then, Phase::Answered, Some(facts(&[])));
    decide(
        &mut ledger,
        &then,
        Phase::Ended,
        Some(facts(&["made-contact"])),
    );
    let (_, after) = both(&then, &now, &ledger, "ended").expect("rehearsed");
    // The client is new, and the contact is made at the end.
    assert_eq!(roles(&after), ["contact", "call-record"]);
}

#[test]
fn an_answer_that_nobody_decided_is_taken_from_the_end_and_told() {
    let (then, now) = (candidate(AT_END), candidate(AT_ANSWER));
    let mut ledger = Ledger::default();
    decide(&mut ledger, &then, Phase::Ended, Some(facts(&[])));
    let (before, after) = both(&then, &now, &ledger, "ended").expect("rehearsed");
    assert_eq!(after.assumed, [Assumed::EndForAnswer]);
    assert_eq!(roles(&before), roles(&after));
    for language in [Language::Ru, Language::En] {
        assert!(!after.assumed[0].text(language).is_empty());
    }
}

#[test]
fn settings_that_do_not_take_the_call_make_nothing_of_it() {
    let then = candidate(AT_END);
    let now = Candidate {
        takes: Vec::new(),
        ..then.clone()
    };
    let mut ledger = Ledger::default();
    decide(&mut ledger, &then, Phase::Ended, Some(facts(&[])));
    let (before, after) = both(&then, &now, &ledger, "ended").expect("rehearsed");
    assert_eq!((before.taken, after.taken), (true, false));
    assert_eq!(compare(&before, &after).steps.len(), 3);
}

#[test]
fn what_is_not_stored_is_named_and_never_guessed() {
    let settings = candidate(AT_END);
    let why = |now: &Candidate, ledger: &Ledger, phase: &str| {
        let then = candidate(CRM_CHOOSES);
        both(&then, now, ledger, phase).expect_err("not rehearsed")
    };
    let mut decided = Ledger::default();
    decide(&mut decided, &settings, Phase::Ended, Some(facts(&["7"])));
    let changed = |change: fn(&mut Decision)| {
        let mut ledger = decided.clone();
        ledger.decisions.iter_mut().for_each(change);
        ledger
    };
    assert_eq!(why(&settings, &decided, "ringing"), NotRehearsed::NotOver);
    let nothing = Ledger::default();
    assert_eq!(
        why(&settings, &nothing, "ended"),
        NotRehearsed::NeverDecided
    );
    let unseen = changed(|one| one.seen = None);
    assert_eq!(why(&settings, &unseen, "ended"), NotRehearsed::Unseen);
    let unasked = changed(|one| one.facts = None);
    assert_eq!(why(&settings, &unasked, "ended"), NotRehearsed::NotAsked);
    let moved = changed(|one| one.portal = Some(PortalKey::new("crm", "other")));
    assert!(matches!(
        why(&settings, &moved, "ended"),
        NotRehearsed::OtherPortal(_)
    ));
    // Then the CRM chose the card, and nobody asked for deals.
    assert_eq!(
        why(&candidate(DEAL_FOR_KNOWN), &decided, "ended"),
        NotRehearsed::DealsNotAsked
    );
    for language in [Language::Ru, Language::En] {
        let texts = [
            NotRehearsed::NotOver,
            NotRehearsed::NotDecided,
            NotRehearsed::NeverDecided,
            NotRehearsed::Unseen,
            NotRehearsed::NotAsked,
            NotRehearsed::DealsNotAsked,
            NotRehearsed::OtherPortal(portal()),
            NotRehearsed::PortalNotInForce(portal()),
            NotRehearsed::Zone("Mars/North".to_owned()),
        ];
        let texts: std::collections::BTreeSet<String> =
            texts.iter().map(|why| why.text(language)).collect();
        assert_eq!(texts.len(), 9);
    }
}
