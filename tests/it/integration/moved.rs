//! An integration changes while plans are under way: other settings, another portal.

use std::sync::Arc;

use trunkline::integration::portal::Portal;
use trunkline::model::activity::Activity;
use trunkline::model::ledger::StepState;
use trunkline::model::plan::{Role, StepKind};
use trunkline::store::command::{Revival, Revive};

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::{Integration, Workshop};

const ANNA: &str = "+79161234501";

/// Gives the integration another account, in another portal.
fn move_to(integration: &Integration, portal: &Arc<Portal>, crm: &CrmDouble) {
    let mut context = (*integration.seat.context()).clone();
    context.portal = Arc::clone(portal);
    context.adapter = Arc::new(crm.clone());
    context.batcher = trunkline::integration::batcher::Batcher::new(Arc::new(crm.clone()));
    integration.seat.reconfigure(context);
}

#[actix::test]
async fn a_step_that_waits_long_is_tried_at_once_when_the_settings_change() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    crm.script(StepKind::CreateContact, Trouble::Throttled);
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", ANNA).await;
    workshop
        .until(|| async {
            let ledger = workshop.ledger("sales", &key).await;
            let contact = ledger.step(&Role::new("contact"));
            contact.is_some_and(|step| matches!(step.state, StepState::Waiting { .. }))
        })
        .await;
    let mut context = (*sales.seat.context()).clone();
    context.settings_revision = 2;
    sales.seat.reconfigure(context);
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), 3);
}

#[actix::test]
async fn a_plan_of_which_nothing_was_sent_is_decided_again_for_the_new_portal() {
    let (workshop, old, new) = (Workshop::new(), CrmDouble::new(), CrmDouble::new());
    old.script(StepKind::CreateContact, Trouble::Throttled);
    new.add_contact(ANNA);
    let portal = workshop.portal("old");
    let sales = workshop.integration("sales", &portal, &old, Activity::On);
    let key = workshop.call("1.0", ANNA).await;
    workshop
        .until(|| async { !old.requests().is_empty() })
        .await;
    move_to(&sales, &workshop.portal("new"), &new);
    workshop.idle("sales").await;
    assert_eq!(workshop.ledger("sales", &key).await.decisions.len(), 2);
    assert!(old.effects().is_empty(), "{:?}", old.effects());
    let made = new.effects();
    assert!(
        !made.iter().any(|one| one.starts_with("contact")),
        "{made:?}"
    );
    assert!(!made.is_empty());
}

#[actix::test]
async fn of_a_plan_that_was_begun_the_rest_is_a_dead_letter_and_never_touches_a_strangers_card() {
    let (workshop, old, new) = (Workshop::new(), CrmDouble::new(), CrmDouble::new());
    old.script(StepKind::CreateDeal, Trouble::Throttled);
    let portal = workshop.portal("old");
    let sales = workshop.integration("sales", &portal, &old, Activity::On);
    let key = workshop.call("1.0", ANNA).await;
    workshop.until(|| async { old.requests().len() >= 2 }).await;
    let new_portal = workshop.portal("new");
    move_to(&sales, &new_portal, &new);
    workshop.idle("sales").await;
    assert_eq!(old.effects(), ["contact +79161234501"]);
    assert!(new.requests().is_empty(), "{:?}", new.requests());
    let dead = workshop.store.dead_letters(9, None).await.expect("reads");
    assert!(!dead.is_empty());
    for letter in &dead {
        assert!(letter.reason.contains("double:old"), "{}", letter.reason);
    }
    // Retried as it is, it would name a card of the old portal.
    let revive = Revive {
        integration: "acme/sales".parse().expect("a key"),
        communication: key,
        role: dead[0].role.clone(),
        revival: Revival::Retry,
        now: workshop.clock.now(),
        portal: new_portal.key.clone(),
    };
    let revived = workshop.store.revive(revive).await.expect("revives");
    let work = revived.work.expect("a work");
    let addresses = workshop.store.work(work).await.expect("reads");
    let addresses = addresses.expect("open").addresses;
    let freed = new_portal
        .lanes()
        .insert(work, &revived.integration, &addresses);
    workshop.handles.wake(freed);
    workshop.handles.wake(vec![(revived.integration, work)]);
    workshop.idle("sales").await;
    assert!(new.requests().is_empty(), "{:?}", new.requests());
}
