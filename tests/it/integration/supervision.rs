//! A panic ends an actor's life; the next one goes on, neighbours notice nothing.

use trunkline::integration::status::Health;
use trunkline::model::activity::Activity;

use super::crm_double::CrmDouble;
use super::workshop::Workshop;

#[actix::test]
async fn a_panicking_actor_comes_back_with_its_work_and_its_neighbour_is_untouched() {
    let workshop = Workshop::new();
    let (crm, neighbour) = (CrmDouble::new(), CrmDouble::new());
    crm.panic_at_facts();
    let portal = workshop.portal("demo");
    let other = workshop.portal("other");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let _kept = workshop.integration("service", &other, &neighbour, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    workshop.idle("service").await;
    assert_eq!(
        crm.effects(),
        ["contact +79161234567", "deal", "call +79161234567"]
    );
    let sales = workshop.board.get("integration acme/sales").expect("shown");
    assert_eq!(sales.restarts, 1);
    assert_eq!(sales.health, Health::Up);
    assert!(sales.last_error.expect("a reason").contains("panicked"));
    let service = workshop
        .board
        .get("integration acme/service")
        .expect("shown");
    assert_eq!(service.restarts, 0);
}

#[actix::test]
async fn a_dead_neighbour_does_not_hold_up_an_integration_of_another_portal() {
    let workshop = Workshop::new();
    let (dead, alive) = (CrmDouble::new(), CrmDouble::new());
    dead.facts_down(true);
    let portal = workshop.portal("demo");
    let other = workshop.portal("other");
    let _kept = workshop.integration("dead", &portal, &dead, Activity::On);
    let _kept = workshop.integration("alive", &other, &alive, Activity::On);
    for n in 0..5 {
        workshop
            .call(&format!("{n}.0"), &format!("+7916123456{n}"))
            .await;
    }
    workshop.idle("alive").await;
    assert_eq!(alive.effects().len(), 15);
    assert_eq!(workshop.store.open_works().await.expect("reads").len(), 5);
}

#[actix::test]
async fn a_stopped_integration_leaves_its_work_in_the_store() {
    let workshop = Workshop::new();
    let crm = CrmDouble::new();
    crm.facts_down(true);
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, &crm, Activity::On);
    workshop.call("1.0", "+79161234567").await;
    workshop.until(|| async { crm.asked() >= 1 }).await;
    sales.supervised.stop().await;
    let status = workshop.board.get("integration acme/sales").expect("shown");
    assert_eq!(status.health, Health::Stopped);
    assert_eq!(workshop.store.open_works().await.expect("reads").len(), 1);
}
