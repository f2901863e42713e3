//! Plans that grew old, and clocks that are set.

use trunkline::model::activity::Activity;
use trunkline::model::plan::StepKind;

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::Workshop;

const ELEVEN_MINUTES: i64 = 660;
const ONE_DAY: i64 = 86_400;

#[actix::test]
async fn a_plan_of_which_nothing_was_sent_within_ten_minutes_is_decided_again_with_fresh_facts() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateContact, Trouble::Unreachable);
    crm.hold(StepKind::CreateContact);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    crm.add_contact("+79161234567");
    workshop.shift_clock(ELEVEN_MINUTES);
    crm.release();
    workshop.idle("sales").await;
    let ledger = workshop.ledger("sales", &key).await;
    assert_eq!(ledger.decisions.len(), 2);
    assert_eq!(ledger.first_time, Some(true), "decided once and kept");
    let effects = crm.effects();
    assert!(
        !effects.iter().any(|one| one.starts_with("contact")),
        "{effects:?}"
    );
}

#[actix::test]
async fn a_plan_that_was_begun_is_not_decided_again_however_old_it_is() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateDeal, Trouble::Unreachable);
    crm.hold(StepKind::CreateDeal);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    let sent = || async { crm.requests().len() >= 2 };
    workshop.until(sent).await;
    workshop.shift_clock(ELEVEN_MINUTES);
    crm.release();
    workshop.idle("sales").await;
    let ledger = workshop.ledger("sales", &key).await;
    assert_eq!(ledger.decisions.len(), 1);
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
}

#[actix::test]
async fn a_clock_that_is_set_back_a_day_does_not_hold_a_waiting_step_up_for_a_day() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateContact, Trouble::Unreachable);
    crm.hold(StepKind::CreateContact);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    workshop.shift_clock(-ONE_DAY);
    crm.release();
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), 3);
}

#[actix::test]
async fn a_call_that_is_delivered_days_late_keeps_its_own_time() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    crm.facts_down(true);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.until(|| async { crm.asked() > 0 }).await;
    workshop.shift_clock(5 * ONE_DAY);
    crm.facts_down(false);
    workshop.idle("sales").await;
    let stored = workshop.store.communication(key).await.expect("reads");
    let began = stored.expect("stored").snapshot.body.started_at();
    assert_eq!(crm.recorded_at(), [began]);
}
