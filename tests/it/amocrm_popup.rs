//! The card at a ringing telephone, against the lab (`crm/amocrm.md` §12).

use trunkline::crm::Popup;
use trunkline::lab::amocrm::{SeedCard, Switches};
use trunkline::lab::fault::{Fault, When};
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::Outcome;
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{Role, StepKey};
use trunkline::model::timestamp::Timestamp;

use super::amocrm_lab::{PHONE, Rehearsal};

fn popup(users: &[&str]) -> Popup {
    Popup {
        extensions: Vec::new(),
        our_number: None,
        phone: Phone::parse(PHONE, Region::default()).expect("a number"),
        users: users.iter().map(|id| CrmUserId((*id).to_owned())).collect(),
        entry: StepKey {
            integration: "acme/sales".parse().expect("a key"),
            communication: "acme/office/1.1".parse().expect("a key"),
            role: Role::new("call-record"),
        },
        opened: None,
        at: Timestamp::from_secs(0),
    }
}

async fn show(rehearsal: &Rehearsal, users: &[&str]) -> Outcome<Option<String>> {
    let screen = rehearsal.adapter.screen().expect("it shows cards");
    screen.show(popup(users)).await
}

#[tokio::test]
async fn s2_39_a_card_is_shown_to_the_users_who_are_named_or_to_everybody() {
    let rehearsal = Rehearsal::start().await;
    let contact = rehearsal.handle.add_contact(&SeedCard {
        phones: vec![PHONE.to_owned()],
        ..SeedCard::default()
    });
    assert_eq!(show(&rehearsal, &["501", "502"]).await, Outcome::Done(None));
    assert_eq!(show(&rehearsal, &[]).await, Outcome::Done(None));
    let popups = rehearsal.handle.oracle().popups;
    assert_eq!(popups.len(), 2);
    assert_eq!(popups[0].users, [501, 502]);
    assert_eq!(popups[0].entity_id, Some(contact));
    assert_eq!(popups[1].users, [] as [u64; 0]);
    assert!(rehearsal.handle.oracle().counters.oddities.is_empty());
}

#[tokio::test]
async fn a_user_who_left_is_passed_over_or_refused_and_nothing_is_repeated() {
    for popup_users_are_checked in [false, true] {
        let rehearsal = Rehearsal::start().await;
        rehearsal.handle.set_switches(Switches {
            popup_users_are_checked,
            ..Switches::default()
        });
        let outcome = show(&rehearsal, &["505"]).await;
        match popup_users_are_checked {
            true => assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}"),
            false => assert_eq!(outcome, Outcome::Done(None)),
        }
        assert!(rehearsal.handle.oracle().popups.is_empty());
        let log = rehearsal.handle.log();
        assert_eq!(
            log.iter().filter(|e| e.path == "/api/v2/events/").count(),
            1
        );
    }
}

#[tokio::test]
async fn a_yes_without_a_word_is_a_yes() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.handle.set_switches(Switches {
        popup_answer_is_empty: true,
        ..Switches::default()
    });
    assert_eq!(show(&rehearsal, &["502"]).await, Outcome::Done(None));
    assert_eq!(rehearsal.handle.oracle().popups.len(), 1);
}

#[tokio::test]
async fn a_crm_that_fails_is_asked_once() {
    let rehearsal = Rehearsal::start().await;
    for fault in [
        Fault::ErrorBefore { status: 503 },
        Fault::LostAfter,
        Fault::TooManyRequests {
            retry_after_s: None,
        },
    ] {
        rehearsal.fault("POST", "/api/v2/*", When::Always, fault.clone());
        let before = rehearsal.handle.log().len();
        let outcome = show(&rehearsal, &["502"]).await;
        assert!(!matches!(outcome, Outcome::Done(None)), "{fault:?}");
        assert!(rehearsal.handle.log().len() <= before + 1, "{fault:?}");
        rehearsal.handle.clear_faults();
    }
}

#[tokio::test]
async fn a_user_who_is_no_number_is_refused_before_anything_is_sent() {
    let rehearsal = Rehearsal::start().await;
    let before = rehearsal.handle.log().len();
    let outcome = show(&rehearsal, &["anna"]).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert_eq!(rehearsal.handle.log().len(), before);
}
