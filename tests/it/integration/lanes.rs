//! Who waits for whom, and who does not.

use trunkline::model::activity::Activity;
use trunkline::model::ledger::StepState;
use trunkline::model::plan::{Role, StepKind};
use trunkline::store::command::WorkState;

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::Workshop;

const ANNA: &str = "+79161234501";
const BORIS: &str = "+79161234502";

fn contacts(crm: &CrmDouble) -> usize {
    let effects = crm.effects();
    let contacts = effects.iter().filter(|one| one.starts_with("contact"));
    contacts.count()
}

#[actix::test]
async fn two_first_calls_of_one_number_through_two_integrations_of_a_portal_make_one_contact() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    crm.search_lags();
    let portal = workshop.portal("demo");
    let _sales = workshop.integration("sales", &portal, &crm, Activity::On);
    let _service = workshop.integration("service", &portal, &crm, Activity::On);
    tokio::join!(workshop.call("1.0", ANNA), workshop.call("2.0", ANNA));
    workshop.idle("sales").await;
    workshop.idle("service").await;
    assert_eq!(contacts(&crm), 1, "{:?}", crm.effects());
}

#[actix::test]
async fn a_communication_that_gains_a_number_while_it_waits_stands_in_that_clients_lane_at_once() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    crm.hold(StepKind::CreateContact);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", ANNA).await;
    workshop.call("2.0", ANNA).await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    workshop.revise("2.0", BORIS).await;
    workshop.call("3.0", BORIS).await;
    assert_eq!(
        workshop.ready(&portal, "sales"),
        [1],
        "the second call is Boris's first"
    );
    crm.release();
    workshop.idle("sales").await;
    assert_eq!(contacts(&crm), 2, "{:?}", crm.effects());
}

#[actix::test]
async fn a_communication_that_gains_a_number_while_it_is_being_decided_waits_for_that_client() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    crm.hold(StepKind::CreateContact);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", ANNA).await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    crm.hold_facts(true);
    workshop.call("2.0", BORIS).await;
    workshop.until(|| async { crm.asked() == 2 }).await;
    workshop.revise("2.0", ANNA).await;
    crm.hold_facts(false);
    // Anna's own call is still under way: the other stands back until it is over.
    workshop.call("3.0", "+79161234503").await;
    workshop.until(|| async { crm.asked() == 3 }).await;
    let second = workshop.store.work(2).await.expect("reads");
    let state = second.expect("open").state;
    assert!(matches!(state, WorkState::Undecided { .. }), "{state:?}");
    crm.release();
    workshop.idle("sales").await;
    assert_eq!(contacts(&crm), 2, "{:?}", crm.effects());
    let calls = crm.effects();
    let calls = calls.iter().filter(|one| one.starts_with("call"));
    assert_eq!(calls.count(), 3);
}

#[actix::test]
async fn a_waiting_step_and_a_dead_one_hold_up_their_own_clients_only() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    crm.script(StepKind::CreateContact, Trouble::PutOff);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let only_annas_are_open = || async {
        let open = workshop.store.open_works().await.expect("reads");
        open.iter().map(|work| work.id).eq([1, 2])
    };
    let first = workshop.call("1.0", ANNA).await;
    workshop
        .until(|| async {
            let ledger = workshop.ledger("sales", &first).await;
            let contact = ledger.step(&Role::new("contact"));
            contact.is_some_and(|step| matches!(step.state, StepState::Waiting { .. }))
        })
        .await;
    workshop.call("2.0", ANNA).await;
    crm.script(StepKind::CreateContact, Trouble::Refused);
    workshop.call("3.0", BORIS).await;
    workshop.until(only_annas_are_open).await;
    let dead = workshop.store.dead_letters(9, None).await.expect("reads");
    assert_eq!(dead.len(), 1);
    // The dead step holds nobody up, not even its own client.
    workshop.call("4.0", BORIS).await;
    workshop.until(|| async { contacts(&crm) == 1 }).await;
    workshop.until(only_annas_are_open).await;
    // A work leaves its lanes when its end is on disk.
    workshop
        .until(|| async { workshop.ready(&portal, "sales") == [1] })
        .await;
}
