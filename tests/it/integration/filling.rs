//! A long queue is put into the lanes beside everything else: what comes in meanwhile is taken, and
//! overtakes nothing.

use tokio::sync::watch;
use trunkline::integration::status::Health;
use trunkline::model::activity::Activity;
use trunkline::model::plan::Role;

use super::crm_double::CrmDouble;
use super::workshop::Workshop;

#[actix::test]
async fn a_call_that_comes_while_the_lanes_are_filled_waits_for_its_clients_older_one() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let seat = |portal| workshop.seat("sales", portal, &crm, Activity::On);
    let before = workshop.portal("demo");
    drop(seat(&before));
    let older = workshop.call("1.0", "+79161234567").await;
    let open = workshop.store.open_works().await.expect("reads");

    let after = workshop.portal("demo");
    let sales = seat(&after);
    let (filled, is_filled) = watch::channel(false);
    let running = workshop.begin_once_filled(sales, is_filled);
    // It is taken, and heads the lane as long as nothing else stands there.
    let younger = workshop.call("2.0", "+79161234567").await;
    assert_eq!(workshop.ready(&after, "sales").len(), 1);
    workshop
        .until(|| async {
            let shown = workshop.board.get("integration acme/sales");
            shown.is_some_and(|shown| shown.health == Health::Starting)
        })
        .await;
    running.seat.take_places(&open);
    assert_eq!(workshop.ready(&after, "sales"), [open[0].id]);
    assert!(crm.effects().is_empty(), "{:?}", crm.effects());
    filled.send_replace(true);
    workshop.idle("sales").await;
    let contact = Role::new("contact");
    let ledger = workshop.ledger("sales", &older).await;
    assert!(ledger.step(&contact).is_some(), "the older made the client");
    let ledger = workshop.ledger("sales", &younger).await;
    assert!(ledger.step(&contact).is_none(), "the younger found it");
}

#[actix::test]
async fn an_integration_that_was_not_let_begin_yet_ends_at_once() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let portal = workshop.portal("demo");
    let seat = workshop.seat("sales", &portal, &crm, Activity::On);
    let (_filled, is_filled) = watch::channel(false);
    let running = workshop.begin_once_filled(seat, is_filled);
    running.supervised.stop().await;
    let shown = workshop.board.get("integration acme/sales").expect("shown");
    assert_eq!(shown.health, Health::Stopped);
}
