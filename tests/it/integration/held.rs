//! A CRM that does not serve the account, with a backlog behind it: little is tried, written and
//! said, and everything moves when it is back.

use trunkline::model::activity::Activity;

use super::crm_double::CrmDouble;
use super::workshop::Workshop;

const BACKLOG: usize = 300;

#[actix::test]
async fn a_backlog_behind_a_crm_that_is_down_costs_next_to_nothing() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let portal = workshop.portal("demo");
    crm.facts_down(true);
    let clients: Vec<String> = (0..BACKLOG).map(|n| format!("+7916{n:07}")).collect();
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.calls(&clients).await;
    let before = workshop.store.figures().await.expect("reads").commands;
    // All that run at once, and two that looked how things stand.
    workshop.until(|| async { crm.asked() >= 130 }).await;
    let figures = workshop.store.figures().await.expect("reads");
    assert_eq!(figures.open_works, BACKLOG as u64);
    let written = figures.commands - before;
    assert!(written <= 140, "{written} commands for the store");
    let status = workshop.board.get("integration acme/sales").expect("shown");
    assert!(status.held.expect("held").contains("connection refused"));
    assert!(status.gauges["waiting"] <= 140.0, "{:?}", status.gauges);
    crm.facts_down(false);
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), BACKLOG * 3);
    let status = workshop.board.get("integration acme/sales").expect("shown");
    assert_eq!(status.held, None);
}

#[actix::test]
async fn a_refused_credential_holds_the_backlog_and_a_new_one_frees_it() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.credential_refused(true);
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    let clients: Vec<String> = (0..200).map(|n| format!("+7916{n:07}")).collect();
    workshop.calls(&clients).await;
    workshop.until(|| async { crm.asked() >= 129 }).await;
    assert!(crm.asked() < 135, "asked {} times", crm.asked());
    crm.credential_refused(false);
    sales.seat.reconfigure((*sales.seat.context()).clone());
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), 600);
}

#[actix::test]
async fn what_makes_nothing_is_decided_although_the_crm_is_down() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.facts_down(true);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    let held = || async {
        let status = workshop.board.get("integration acme/sales");
        status.is_some_and(|status| status.held.is_some())
    };
    workshop.until(held).await;
    let hidden = workshop.hidden_call("2.0").await;
    workshop
        .until(|| async { !workshop.ledger("sales", &hidden).await.decisions.is_empty() })
        .await;
    let open = || async { workshop.store.open_works().await.expect("reads").len() };
    workshop.until(|| async { open().await == 1 }).await;
    assert!(crm.effects().is_empty());
    crm.facts_down(false);
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), 3);
}
