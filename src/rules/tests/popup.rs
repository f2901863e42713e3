//! To whom cards are shown (S2-39).

use crate::model::call::{Call, CallLeg, CallPhase, CallResult, Direction};
use crate::model::communication::{Body, Snapshot};
use crate::model::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use crate::model::ids::{AccountId, CommunicationKey, CrmUserId, Extension, SourceKey};
use crate::model::passing::{Audience, CardMove, PassingReason, PassingState, PassingStep};
use crate::model::phone::{ClientNumber, Phone, Region};
use crate::model::timestamp::Timestamp;
use crate::rules::popup::{Ringing, popup, take_away};
use crate::rules::settings::{IntegrationSettings, PopupSettings, ShowTo};

const CLIENT: &str = "+79160000001";

fn phone(text: &str) -> Phone {
    Phone::parse(text, Region::default()).expect("a number")
}

fn extension(text: &str) -> Extension {
    Extension(text.to_owned())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + second)
}

fn employees() -> Employees {
    let employee = |name: &str, extension: &str, user: Option<&str>, phones: &[&str]| Employee {
        id: name.parse().expect("an id"),
        name: name.to_owned(),
        email: None,
        extensions: vec![EmployeeExtension {
            source: "office".parse().expect("an id"),
            extension: self::extension(extension),
        }],
        users: user
            .map(|user| EmployeeUser {
                account: "main".parse().expect("an id"),
                user: CrmUserId(user.to_owned()),
            })
            .into_iter()
            .collect(),
        phones: phones.iter().map(|text| phone(text)).collect(),
    };
    Employees(vec![
        employee("anna", "101", Some("502"), &[]),
        employee("boris", "102", Some("503"), &["+79160000009"]),
        employee("vera", "103", None, &[]),
    ])
}

/// A call that rings these telephones; each began at its second.
fn ringing(extensions: &[(&str, i64)]) -> Call {
    Call {
        direction: Direction::Incoming,
        phase: CallPhase::Ringing,
        result: CallResult::Open,
        client: ClientNumber::Phone {
            phone: phone(CLIENT),
        },
        client_name: None,
        our_number: Some("74950000001".to_owned()),
        caller_extension: None,
        started_at: at(0),
        answered_at: None,
        ended_at: None,
        waiting_ms: 0,
        talking_ms: 0,
        legs: extensions
            .iter()
            .map(|(text, rung)| CallLeg {
                extension: extension(text),
                rung_at: at(*rung),
                talked_from: None,
                talked_until: None,
            })
            .collect(),
        talkers: Vec::new(),
        last_talker: None,
        queues: Vec::new(),
        recordings: Vec::new(),
        click_to_call: None,
        blind: None,
        tags: Vec::new(),
        details: Default::default(),
    }
}

fn settings(popup: PopupSettings) -> IntegrationSettings {
    IntegrationSettings {
        popup: Some(popup),
        ..IntegrationSettings::default()
    }
}

fn plain() -> PopupSettings {
    PopupSettings {
        on: true,
        show_to: ShowTo::Rung,
        our_numbers: Vec::new(),
    }
}

fn decide_with(
    call: Call,
    settings: &IntegrationSettings,
    before: &[PassingStep],
    now: Timestamp,
) -> Option<PassingStep> {
    ask(popup, call, settings, before, now)
}

fn ask(
    decide: fn(&Ringing<'_>) -> Option<PassingStep>,
    call: Call,
    settings: &IntegrationSettings,
    before: &[PassingStep],
    now: Timestamp,
) -> Option<PassingStep> {
    let source: SourceKey = "acme/office".parse().expect("a key");
    let account: AccountId = "main".parse().expect("an id");
    let snapshot = Snapshot {
        key: CommunicationKey::new(source, "c-1").expect("a key"),
        revision: 7,
        body: Body::Call { call },
    };
    decide(&Ringing {
        snapshot: &snapshot,
        settings,
        settings_revision: 3,
        employees: &employees(),
        account: &account,
        before,
        now,
    })
}

/// Decides from whom cards are taken.
fn away(call: Call, before: &[PassingStep]) -> Option<PassingStep> {
    ask(take_away, call, &settings(plain()), before, at(5))
}

/// The same call once these talk.
fn answered_by(mut call: Call, talkers: &[&str]) -> Call {
    call.phase = CallPhase::Answered;
    call.talkers = talkers.iter().map(|text| extension(text)).collect();
    call
}

fn decide(call: Call) -> Option<PassingStep> {
    decide_with(call, &settings(plain()), &[], at(1))
}

fn users(step: &PassingStep) -> Vec<&str> {
    match &step.audience {
        Audience::Users { users } => users.iter().map(|user| user.0.as_str()).collect(),
        Audience::Nobody => vec!["nobody"],
        Audience::Everybody => vec!["everybody"],
    }
}

#[test]
fn s2_39_a_card_is_shown_to_those_whose_telephones_ring() {
    let step = decide(ringing(&[("101", 0), ("102", 1)])).expect("shown");
    assert_eq!(users(&step), ["502", "503"]);
    assert_eq!(step.state, PassingState::Sent { at: at(1) });
    assert_eq!(step.useful_until, at(15));
    assert_eq!((step.settings, step.role.0.as_str()), (3, "popup#7"));
    assert_eq!(step.phone, phone(CLIENT));
}

#[test]
fn a_telephone_that_rings_later_gets_its_own_card_and_no_other_again() {
    let first = decide(ringing(&[("101", 0)])).expect("shown");
    let both = ringing(&[("101", 0), ("102", 40)]);
    let before = [first];
    let second = decide_with(both.clone(), &settings(plain()), &before, at(41));
    let second = second.expect("shown");
    assert_eq!(users(&second), ["503"]);
    assert_eq!(second.useful_until, at(55));
    let before = [before[0].clone(), second];
    let third = decide_with(both, &settings(plain()), &before, at(42));
    assert_eq!(third, None);
}

#[test]
fn who_has_no_user_is_named_and_nobody_else_sees_the_card_instead() {
    let step = decide(ringing(&[("103", 0), ("999", 0)])).expect("explained");
    assert_eq!(users(&step), ["nobody"]);
    assert_eq!(step.state, PassingState::NotSent { at: at(1) });
    assert!(
        matches!(&step.reasons[..], [
            PassingReason::NoUser { employee, .. },
            PassingReason::NobodysExtension { extension },
        ] if employee == "vera" && extension.0 == "999"),
        "{:?}",
        step.reasons
    );
    let mixed = decide(ringing(&[("103", 0), ("101", 0)])).expect("shown");
    assert_eq!(users(&mixed), ["502"]);
}

#[test]
fn a_card_that_would_come_late_has_expired() {
    let call = ringing(&[("101", 0)]);
    let step = decide_with(call.clone(), &settings(plain()), &[], at(15)).expect("explained");
    assert_eq!(
        step.state,
        PassingState::Expired {
            at: at(15),
            sent: false
        }
    );
    let step = decide_with(call, &settings(plain()), &[], at(14)).expect("shown");
    assert_eq!(step.state, PassingState::Sent { at: at(14) });
}

#[test]
fn once_somebody_talks_nobody_else_sees_a_card() {
    let mut call = ringing(&[("101", 0), ("102", 0)]);
    call.phase = CallPhase::Answered;
    call.talkers = vec![extension("102")];
    assert_eq!(users(&decide(call).expect("shown")), ["503"]);
}

#[test]
fn a_card_is_taken_from_who_did_not_pick_up_once() {
    let ringing = ringing(&[("101", 0), ("102", 0)]);
    let shown = decide(ringing.clone()).expect("shown");
    assert_eq!(
        away(ringing.clone(), std::slice::from_ref(&shown)),
        None,
        "nobody talks yet"
    );
    let answered = answered_by(ringing, &["102"]);
    let step = away(answered.clone(), std::slice::from_ref(&shown)).expect("taken away");
    assert_eq!(users(&step), ["502"]);
    assert_eq!(
        (step.card, step.role.0.as_str()),
        (CardMove::TakeAway, "card-away#7")
    );
    assert_eq!(step.useful_until, at(65));
    assert!(
        matches!(&step.reasons[..], [PassingReason::AnsweredElsewhere { users }]
            if users.len() == 1 && users[0].name.as_deref() == Some("anna")),
        "{:?}",
        step.reasons
    );
    // Whatever came of it, it is not tried again; and no telephone counts as considered by it.
    let before = [shown, step];
    assert_eq!(away(answered.clone(), &before), None);
    assert_eq!(
        decide_with(answered.clone(), &settings(plain()), &before, at(6)),
        None
    );
    // Handed over, both have talked.
    assert_eq!(
        away(answered_by(answered, &["102", "101"]), &before[..1]),
        None
    );
}

#[test]
fn a_card_that_was_surely_not_shown_is_not_taken_away() {
    let answered = answered_by(ringing(&[("101", 0), ("102", 0)]), &["102"]);
    let shown = decide(ringing(&[("101", 0), ("102", 0)])).expect("shown");
    let when = at(1);
    for (state, is_taken) in [
        (PassingState::Sent { at: when }, true),
        (
            PassingState::Done {
                at: when,
                entry: None,
            },
            true,
        ),
        (
            PassingState::Failed {
                at: when,
                why: "x".to_owned(),
            },
            true,
        ),
        (
            PassingState::Expired {
                at: when,
                sent: true,
            },
            true,
        ),
        (
            PassingState::Expired {
                at: when,
                sent: false,
            },
            false,
        ),
        (PassingState::NotSent { at: when }, false),
    ] {
        let before = PassingStep {
            state: state.clone(),
            ..shown.clone()
        };
        let step = away(answered.clone(), &[before]);
        assert_eq!(step.is_some(), is_taken, "{state:?}");
    }
}

#[test]
fn calls_that_are_over_outgoing_internal_or_without_a_number_show_nothing() {
    let plain = ringing(&[("101", 0)]);
    let mut over = plain.clone();
    over.phase = CallPhase::Ended;
    let mut outgoing = plain.clone();
    outgoing.direction = Direction::Outgoing;
    let mut internal = plain.clone();
    internal.direction = Direction::Internal;
    let mut withheld = plain.clone();
    withheld.client = ClientNumber::Withheld;
    let nobody_rung = ringing(&[]);
    for call in [over, outgoing, internal, withheld, nobody_rung] {
        assert_eq!(decide(call.clone()), None, "{call:?}");
    }
}

#[test]
fn an_employees_own_telephone_and_a_partners_number_show_nothing_and_say_why() {
    let mut own = ringing(&[("101", 0)]);
    own.client = ClientNumber::Phone {
        phone: phone("+79160000009"),
    };
    let step = decide(own).expect("explained");
    assert_eq!(users(&step), ["nobody"]);
    assert!(
        matches!(&step.reasons[..], [PassingReason::EmployeePhone { employee }] if employee == "boris")
    );
    let text = format!(r#"{{"default_responsible": "501", "partner_numbers": ["{CLIENT}"]}}"#);
    let calls = serde_json::from_str(&text).expect("settings");
    let settings = IntegrationSettings {
        calls: Some(calls),
        ..settings(plain())
    };
    let step = decide_with(ringing(&[("101", 0)]), &settings, &[], at(1)).expect("explained");
    assert_eq!(users(&step), ["nobody"]);
    assert_eq!(step.reasons, [PassingReason::PartnerNumber]);
}

#[test]
fn a_card_for_everybody_is_shown_once_a_call() {
    let settings = settings(PopupSettings {
        show_to: ShowTo::Everybody,
        ..plain()
    });
    let step = decide_with(ringing(&[("999", 0)]), &settings, &[], at(1)).expect("shown");
    assert_eq!(users(&step), ["everybody"]);
    let before = [step];
    let again = decide_with(
        ringing(&[("999", 0), ("101", 2)]),
        &settings,
        &before,
        at(3),
    );
    assert_eq!(again, None);
}

#[test]
fn a_popup_may_be_bound_to_numbers_of_ours_and_switched_off() {
    let bound = |number: &str| {
        settings(PopupSettings {
            our_numbers: vec![number.to_owned()],
            ..plain()
        })
    };
    let call = || ringing(&[("101", 0)]);
    assert!(decide_with(call(), &bound("74950000001"), &[], at(1)).is_some());
    assert_eq!(decide_with(call(), &bound("74950000002"), &[], at(1)), None);
    let off = settings(PopupSettings {
        on: false,
        ..plain()
    });
    assert_eq!(decide_with(call(), &off, &[], at(1)), None);
    let nothing = IntegrationSettings::default();
    assert_eq!(decide_with(call(), &nothing, &[], at(1)), None);
}

#[test]
fn a_number_of_ours_that_is_empty_is_a_mistake() {
    let settings = settings(PopupSettings {
        our_numbers: vec!["1".to_owned(), " ".to_owned()],
        ..plain()
    });
    let mistakes = settings.mistakes();
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].path.join("."), "popup.our_numbers.1");
}
