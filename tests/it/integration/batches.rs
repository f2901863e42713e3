//! Who shares a request with whom, and what one bad step costs the others.

use trunkline::model::activity::Activity;
use trunkline::model::plan::StepKind;

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::Workshop;

fn clients(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("+791612345{n:02}")).collect()
}

fn made(crm: &CrmDouble, what: &str) -> usize {
    let effects = crm.effects();
    effects.iter().filter(|one| one.starts_with(what)).count()
}

/// Returns how many steps each request for contacts carried.
fn contact_requests(crm: &CrmDouble) -> Vec<usize> {
    let requests = crm.requests().into_iter();
    let contacts = requests.filter(|(kind, _)| *kind == StepKind::CreateContact);
    contacts.map(|(_, steps)| steps).collect()
}

#[actix::test]
async fn a_crowd_fills_requests_although_nothing_is_on_its_way() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.calls(&clients(50)).await;
    workshop.idle("sales").await;
    assert_eq!(made(&crm, ""), 150);
    let requests = crm.requests();
    assert!(
        requests.len() <= 9,
        "150 steps of three kinds in {requests:?}"
    );
}

#[actix::test]
async fn a_single_step_waits_for_nobody() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    crm.hold(StepKind::CreateTask);
    // Another client's question hangs: whoever waits for the CRM is not about to come.
    crm.hold_facts(true);
    workshop.call("1.0", "+79161234501").await;
    workshop.until(|| async { crm.asked() == 1 }).await;
    crm.hold_facts(false);
    workshop.idle("sales").await;
    assert_eq!(crm.requests().len(), 3);
}

#[actix::test]
async fn the_bad_one_of_a_request_is_found_although_the_crm_names_nobody_and_the_others_are_made_once()
 {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let clients = clients(12);
    crm.poison(&clients[7]);
    workshop.calls(&clients).await;
    workshop.idle("sales").await;
    assert_eq!(made(&crm, "contact"), 11);
    let dead = workshop.store.dead_letters(9, None).await.expect("reads");
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(dead[0].communication.to_string().ends_with("0.7"));
    let requests = contact_requests(&crm);
    assert!(
        requests.len() <= 10,
        "halving takes a few requests, not one for each: {requests:?}"
    );
    assert_eq!(requests.last(), Some(&1), "{requests:?}");
}

#[actix::test]
async fn steps_that_a_refused_request_named_not_are_repeated_together() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    // As an adapter tells of a refusal that names one: the others are in doubt.
    crm.script(StepKind::CreateContact, Trouble::Refused);
    for _ in 0..19 {
        crm.script(StepKind::CreateContact, Trouble::RequestLost);
    }
    crm.hold(StepKind::CreateContact);
    workshop.calls(&clients(20)).await;
    workshop
        .until(|| async { contact_requests(&crm).iter().sum::<usize>() > 0 })
        .await;
    crm.release();
    workshop.idle("sales").await;
    assert_eq!(made(&crm, "contact"), 19);
    assert_eq!(crm.looked(), 19);
    let requests = contact_requests(&crm);
    assert!(requests.len() <= 6, "{requests:?}");
}
