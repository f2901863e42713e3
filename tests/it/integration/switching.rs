//! Settings change and lives end while requests are under way.

use trunkline::model::activity::Activity;
use trunkline::model::ids::IntegrationKey;
use trunkline::model::ledger::StepState;
use trunkline::model::plan::{Role, StepKind};

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::{Integration, Workshop};

fn switch(integration: &Integration, activity: Activity) {
    let mut context = (*integration.seat.context()).clone();
    context.activity = activity;
    integration.seat.reconfigure(context);
}

#[actix::test]
async fn a_clients_lane_is_not_freed_under_the_request_of_an_integration_that_is_switched_off() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.hold(StepKind::CreateContact);
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    let _kept = workshop.integration("service", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    switch(&sales, Activity::Off);
    let service: IntegrationKey = "acme/service".parse().expect("a key");
    // A second call's work is accepted after the switch: the lane still has its occupant.
    workshop.call("2.0", "+79161234567").await;
    assert_eq!(portal.lanes().ready(&service), []);
    assert_eq!(crm.asked(), 1);
    crm.release();
    workshop.idle("service").await;
    let contacts = crm.effects();
    let contacts = contacts.iter().filter(|one| one.starts_with("contact"));
    assert_eq!(contacts.count(), 1, "{:?}", crm.effects());
    let open = workshop.store.open_works().await.expect("reads");
    assert!(!open.is_empty(), "the rest of sales waits");
    switch(&sales, Activity::On);
    workshop.idle("sales").await;
}

#[actix::test]
async fn what_was_planned_while_it_was_on_is_not_sent_once_it_only_observes() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    for _ in 0..100 {
        crm.script(StepKind::CreateContact, Trouble::Unreachable);
    }
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    switch(&sales, Activity::Observe);
    workshop.idle("sales").await;
    assert!(crm.effects().is_empty(), "{:?}", crm.effects());
    let ledger = workshop.ledger("sales", &key).await;
    for step in &ledger.steps {
        assert!(matches!(step.state, StepState::Dropped { .. }), "{step:?}");
    }
}

#[actix::test]
async fn a_life_that_ends_lets_the_request_under_way_come_to_its_end() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.hold(StepKind::CreateContact);
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    let release = async {
        tokio::task::yield_now().await;
        crm.release();
    };
    tokio::join!(sales.supervised.stop(), release);
    let ledger = workshop.ledger("sales", &key).await;
    let state = |role| ledger.step(&Role::new(role)).map(|step| &step.state);
    assert!(
        matches!(state("contact"), Some(StepState::Done { .. })),
        "{ledger:?}"
    );
    assert_eq!(
        state("deal"),
        Some(&StepState::Pending),
        "no further step is begun"
    );
}

#[actix::test]
async fn a_crm_that_hangs_does_not_hold_up_the_end() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.hold(StepKind::CreateContact);
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    let end = tokio::time::timeout(std::time::Duration::from_secs(8), sales.supervised.stop());
    end.await.expect("ends in time");
}

#[actix::test]
async fn an_integration_that_is_off_does_not_hold_up_others_with_what_got_into_its_lanes() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    let _kept = workshop.integration("service", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161230000").await;
    workshop.idle("sales").await;
    // Intake learns of the switch a moment later and still makes work for it.
    switch(&sales, Activity::Off);
    workshop.call("2.0", "+79161234567").await;
    workshop.idle("service").await;
    assert!(crm.effects().contains(&"contact +79161234567".to_owned()));
}
