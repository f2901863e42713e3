//! A CRM that does not show what became of a request: the integration chooses.

use trunkline::model::activity::Activity;
use trunkline::model::ledger::StepState;
use trunkline::model::plan::{Role, StepKind};
use trunkline::rules::settings::{IntegrationSettings, WhenUndecidable};

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::Workshop;

async fn lost_answer(choice: WhenUndecidable) -> (Vec<String>, StepState) {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    crm.undecidable();
    crm.script(StepKind::CreateContact, Trouble::AnswerLost);
    let portal = workshop.portal("demo");
    let seat = workshop.seat("sales", &portal, &crm, Activity::On);
    let mut context = (*seat.context()).clone();
    context.settings = std::sync::Arc::new(IntegrationSettings {
        when_undecidable: choice,
        ..IntegrationSettings::clone(&context.settings)
    });
    seat.reconfigure(context);
    let _kept = workshop.begin(seat);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    let ledger = workshop.ledger("sales", &key).await;
    let contact = ledger.step(&Role::new("contact")).expect("planned");
    (crm.effects(), contact.state.clone())
}

#[actix::test]
async fn rather_twice_sends_again() {
    let (effects, state) = lost_answer(WhenUndecidable::RatherTwice).await;
    let contacts = effects.iter().filter(|one| one.starts_with("contact"));
    assert_eq!(contacts.count(), 2, "named as what may happen: {effects:?}");
    assert!(matches!(state, StepState::Done { .. }), "{state:?}");
}

#[actix::test]
async fn rather_never_leaves_a_dead_letter_that_says_so() {
    let (effects, state) = lost_answer(WhenUndecidable::RatherNever).await;
    let contacts = effects.iter().filter(|one| one.starts_with("contact"));
    assert_eq!(contacts.count(), 1, "{effects:?}");
    let StepState::Dead { reason, .. } = state else {
        panic!("{state:?}");
    };
    assert!(reason.contains("rather"), "{reason}");
}
