//! What becomes of calls when the CRM answers, refuses, is silent or loses answers.

use std::time::Duration;

use trunkline::model::activity::Activity;
use trunkline::model::ledger::StepState;
use trunkline::model::plan::{Role, StepKind};

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::Workshop;

#[actix::test]
async fn a_first_call_makes_contact_deal_and_call_record_in_order() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
}

#[actix::test]
async fn two_first_calls_of_one_number_at_one_instant_make_one_contact() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    tokio::join!(
        workshop.call("1.0", "+79161234567"),
        workshop.call("2.0", "+79161234567")
    );
    workshop.idle("sales").await;
    let contacts = crm
        .effects()
        .iter()
        .filter(|one| one.starts_with("contact"))
        .count();
    assert_eq!(contacts, 1, "{:?}", crm.effects());
}

#[actix::test]
async fn after_a_restart_no_integration_overtakes_another_of_its_portal_at_one_client() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let seat = |name, portal| workshop.seat(name, portal, &crm, Activity::On);
    let before = workshop.portal("demo");
    drop((seat("sales", &before), seat("service", &before)));
    // Works of both, the one of `sales` first; then the daemon ends before anything was done.
    let key = workshop.call("1.0", "+79161234567").await;
    let open = workshop.store.open_works().await.expect("reads");
    let after = workshop.portal("demo");
    let (sales, service) = (seat("sales", &after), seat("service", &after));
    for one in [&service, &sales] {
        one.take_places(&open);
    }
    // The later work's integration is begun long before the earlier's.
    let _service = workshop.begin(service);
    workshop
        .until(|| async {
            let shown = workshop.board.get("integration acme/service");
            shown.is_some_and(|shown| shown.gauges.contains_key("running"))
        })
        .await;
    let _sales = workshop.begin(sales);
    workshop.idle("sales").await;
    workshop.idle("service").await;
    let contact = Role::new("contact");
    assert!(
        workshop
            .ledger("sales", &key)
            .await
            .step(&contact)
            .is_some()
    );
    assert!(
        workshop
            .ledger("service", &key)
            .await
            .step(&contact)
            .is_none()
    );
}

#[actix::test]
async fn a_lost_answer_is_looked_for_and_adopted_not_repeated() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateContact, Trouble::AnswerLost);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
    assert_eq!(crm.looked(), 1);
    let ledger = workshop.ledger("sales", &key).await;
    let step = ledger.step(&Role::new("contact")).expect("a step");
    assert!(matches!(&step.state, StepState::Done { result, .. } if result.adopted));
}

#[actix::test]
async fn a_lost_request_is_looked_for_and_sent_again() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateDeal, Trouble::RequestLost);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
    assert_eq!(crm.looked(), 1);
}

#[actix::test]
async fn an_effect_that_comes_after_the_first_look_is_adopted_and_not_made_twice() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    // Later than the first look, which comes a second after the time-out.
    crm.settles_after(Duration::from_millis(1500));
    crm.script(StepKind::CreateContact, Trouble::EffectLate);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
    assert_eq!(crm.looked(), 2);
    let ledger = workshop.ledger("sales", &key).await;
    let step = ledger.step(&Role::new("contact")).expect("a step");
    assert!(matches!(&step.state, StepState::Done { result, .. } if result.adopted));
    assert_eq!(step.attempts, 1);
}

#[actix::test]
async fn a_refused_deal_is_a_dead_letter_and_what_does_not_need_it_goes_on() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateContact, Trouble::Refused);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    workshop.call("2.0", "+79167654321").await;
    workshop.idle("sales").await;
    let ledger = workshop.ledger("sales", &key).await;
    let contact = ledger.step(&Role::new("contact")).expect("a step");
    assert!(
        matches!(&contact.state, StepState::Dead { reason, .. } if reason.contains("no such pipeline")),
        "{:?}",
        contact.state
    );
    let deal = ledger.step(&Role::new("deal")).expect("a step");
    assert!(
        matches!(deal.state, StepState::Dropped { .. }),
        "{:?}",
        deal.state
    );
    assert_eq!(
        workshop
            .store
            .dead_letters(10, None)
            .await
            .expect("reads")
            .len(),
        1
    );
    assert!(
        crm.effects().contains(&"contact +79167654321".to_owned()),
        "the other client's"
    );
}

#[actix::test]
async fn while_the_crm_does_not_say_who_the_client_is_nothing_is_decided_and_nothing_lost() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.facts_down(true);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.until(|| async { crm.asked() >= 2 }).await;
    assert!(workshop.ledger("sales", &key).await.decisions.is_empty());
    let works = workshop.store.open_works().await.expect("reads");
    assert_eq!(works.len(), 1);
    crm.facts_down(false);
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), 3);
}

#[actix::test]
async fn an_observing_integration_decides_and_sends_nothing() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::Observe);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    assert!(crm.effects().is_empty());
    let ledger = workshop.ledger("sales", &key).await;
    assert_eq!(ledger.decisions.len(), 1);
    assert!(
        ledger
            .steps
            .iter()
            .all(|step| matches!(step.state, StepState::Dropped { .. }))
    );
}

#[actix::test]
async fn s1_04_work_that_an_integration_took_waits_while_it_is_off_and_goes_on_when_it_is_on() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.facts_down(true);
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.until(|| async { crm.asked() >= 1 }).await;
    let mut context = (*sales.seat.context()).clone();
    context.activity = Activity::Off;
    sales.seat.reconfigure(context.clone());
    crm.facts_down(false);
    assert_eq!(
        workshop.store.open_works().await.expect("reads").len(),
        1,
        "it is kept"
    );
    context.activity = Activity::On;
    sales.seat.reconfigure(context);
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), 3);
}

#[actix::test]
async fn an_unreachable_crm_has_the_step_repeated_without_looking() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateContact, Trouble::Unreachable);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
    assert_eq!(crm.looked(), 0);
}

#[actix::test]
async fn a_contact_made_a_moment_ago_is_known_although_the_search_does_not_find_it_yet() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.search_lags();
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.call("2.0", "+79161234567").await;
    workshop.idle("sales").await;
    let contacts = crm
        .effects()
        .iter()
        .filter(|one| one.starts_with("contact"))
        .count();
    assert_eq!(contacts, 1, "{:?}", crm.effects());
}

#[actix::test]
async fn a_panic_of_the_adapter_in_a_request_has_the_effect_looked_for_and_repeated() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateDeal, Trouble::Panic);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
    assert_eq!(crm.looked(), 1);
}

#[actix::test]
async fn ready_steps_of_one_kind_from_many_lanes_share_a_request() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    crm.hold(StepKind::CreateContact);
    workshop.call("alone", "+79161234599").await;
    workshop
        .until(|| async { !crm.requests().is_empty() })
        .await;
    let clients: Vec<String> = (0..30).map(|n| format!("+791612345{n:02}")).collect();
    workshop.calls(&clients).await;
    // The first request is on its way; the steps of all others wait for their turn.
    workshop
        .until(|| async {
            let key = |n| format!("acme/office/0.{n}").parse().expect("a key");
            let mut decided = 0;
            for n in 0..30 {
                let ledger = workshop.ledger("sales", &key(n)).await;
                decided += u32::from(ledger.step(&Role::new("contact")).is_some());
            }
            decided == 30
        })
        .await;
    crm.release();
    workshop.idle("sales").await;
    assert_eq!(crm.effects().len(), 93);
    let requests = crm.requests().into_iter();
    let contacts = requests.filter(|(kind, _)| *kind == StepKind::CreateContact);
    let carried: Vec<usize> = contacts.map(|(_, steps)| steps).collect();
    assert_eq!(carried, [1, 30]);
}

#[actix::test]
async fn a_refused_step_does_not_fail_the_neighbours_in_its_request() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.script(StepKind::CreateContact, Trouble::Refused);
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    for n in 0..10 {
        workshop
            .call(&format!("{n}.0"), &format!("+791612345{n:02}"))
            .await;
    }
    workshop.idle("sales").await;
    assert_eq!(
        workshop
            .store
            .dead_letters(10, None)
            .await
            .expect("reads")
            .len(),
        1
    );
    let contacts = crm
        .effects()
        .iter()
        .filter(|one| one.starts_with("contact"))
        .count();
    assert_eq!(contacts, 9);
}
