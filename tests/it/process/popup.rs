//! The card at a ringing telephone, from the switch to the CRM's screen (S2-39).

use trunkline::lab::fault::{Fault, When};

use super::office::{ANNA, Office};
use super::wait::{until, when};

const POPUPS: &str = "/api/v2/events/";

/// Shows cards to whoever is rung.
fn show_cards(office: &Office) {
    let last = "missed_unknown = { action = { kind = \"contact\" } }";
    let popup = format!("{last}\n\n[integrations.settings.popup]\nshow_to = \"rung\"");
    office.home.edit_tenant(last, &popup);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_39_the_card_is_shown_to_whoever_is_rung_once_and_it_is_explained() {
    let office = Office::open().await;
    show_cards(&office);
    let daemon = office.start_warm("79160000001").await;
    office.client_calls("79161112233");
    daemon.settled(2).await;
    let popups = office.crm.oracle().popups;
    assert_eq!(popups.len(), 1, "{popups:?}");
    assert_eq!(popups[0].users, [ANNA]);
    assert_eq!(popups[0].phone, "+79161112233");
    let keys = daemon.journal_keys().await;
    let key = keys
        .iter()
        .find(|key| key.contains("/office/"))
        .expect("a call");
    let story = daemon.story(key).await;
    let shown = &story["integrations"][0]["passing"][0];
    assert_eq!(shown["state"], "done", "{story:#}");
    let told = office.home.run(&["explain", key, "--lang", "en"]).await;
    assert!(
        told.out
            .contains("The card is shown to Анна (502): telephone 101 rings."),
        "{told:?}"
    );
    // Nothing of it is in the outbox, and the next life shows nothing again.
    daemon.kill();
    let daemon = office.start().await;
    daemon.settled(2).await;
    assert_eq!(office.crm.oracle().popups.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_that_fails_costs_the_call_nothing() {
    let office = Office::open().await;
    show_cards(&office);
    let daemon = office.start_warm("79160000001").await;
    office.fault("POST", "/api/v2/*", When::Always, Fault::ForbiddenJson);
    office.client_calls("79161112233");
    daemon.settled(2).await;
    let oracle = office.oracle();
    assert_eq!(oracle.calls_of_phone("79161112233").len(), 1);
    assert!(oracle.popups.is_empty());
    until("what the CRM said is written down", async || {
        let keys = daemon.journal_keys().await;
        let key = keys
            .iter()
            .find(|key| key.contains("/office/"))
            .expect("a call");
        let story = daemon.story(key).await;
        let shown = story["integrations"][0]["passing"][0].clone();
        when(shown["state"] == "failed", shown)
    })
    .await;
    let log = office.crm.log();
    let asked = log.iter().filter(|entry| entry.path == POPUPS).count();
    assert_eq!(asked, 1, "a card is not sent twice");
}
