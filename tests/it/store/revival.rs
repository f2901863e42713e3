//! Dead letters, and what a person can do about them.

use trunkline::model::communication::Address;
use trunkline::model::ledger::{Ledger, StepState};
use trunkline::model::plan::{Entity, StepKey};
use trunkline::store::command::{Fence, Revival, Revive, Revived, WorkState};
use trunkline::store::query::JournalOutcome;
use trunkline::store::{DECIDED_AGAIN, DROPPED_BY_PERSON, StoreError, StoreHandle, StoreThread};

use super::sample::*;

/// A closed work with a dead contact; deal and task were dropped for want of it.
async fn with_dead_letter() -> (StoreHandle, StoreThread, Fence) {
    let (store, thread) = in_memory();
    let accepted = store.accept(accept(vec![routed(call("a", 1, 1))], 1)).await;
    accepted.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    let plan = decide(1, vec![contact_step(1), deal_step(1), task_step(1)]);
    store.decide(fence, plan).await.expect("decides");
    for (role, state) in [
        ("contact", dead()),
        ("deal", dropped()),
        ("task", dropped()),
    ] {
        let change = advance(1, role, vec![in_flight(), state]);
        store.advance(fence, change).await.expect("advances");
    }
    store.close(fence, 1, at(1005)).await.expect("closes");
    (store, thread, fence)
}

fn revive(role_text: &str, revival: Revival) -> Revive {
    Revive {
        integration: amo(),
        communication: communication("a"),
        role: role(role_text),
        revival,
        now: at(2000),
        portal: portal(),
    }
}

async fn ledger(store: &StoreHandle) -> Ledger {
    let ledger = store.ledger(amo(), communication("a")).await;
    ledger.expect("reads")
}

async fn outcome(store: &StoreHandle) -> JournalOutcome {
    let stored = store.communication(communication("a")).await;
    stored.expect("reads").expect("is there").outcome
}

async fn remarks(store: &StoreHandle) -> Vec<String> {
    let story = store.story(communication("a")).await.expect("reads");
    let notes = story.expect("is there").notes;
    notes.into_iter().map(|note| note.word).collect()
}

#[tokio::test]
async fn a_dead_step_is_listed_with_the_crms_reason() {
    let (store, _thread, _fence) = with_dead_letter().await;
    assert_eq!(outcome(&store).await, JournalOutcome::Dead);
    let letters = store.dead_letters(10, None).await.expect("reads");
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}");
    };
    assert_eq!(letter.role, role("contact"));
    assert_eq!(letter.reason, "400: the stage does not exist");
    assert_eq!(letter.at, at(1004));
    let after = StepKey {
        integration: amo(),
        communication: communication("a"),
        role: role("contact"),
    };
    assert_eq!(
        store.dead_letters(10, Some(after.clone())).await,
        Ok(vec![])
    );
    let mine = store.dead_letters_of(amo(), 10, None).await;
    assert_eq!(mine.expect("reads").len(), 1);
    let other = "acme/bitrix".parse().expect("a key");
    assert_eq!(store.dead_letters_of(other, 10, None).await, Ok(vec![]));
    let early = "acme/aaa".parse().expect("a key");
    assert_eq!(
        store.dead_letters_of(early, 10, Some(after)).await,
        Ok(vec![])
    );
    assert_eq!(store.figures().await.expect("reads").dead_letters, 1);
}

#[tokio::test]
async fn a_retry_opens_the_work_again_with_everything_that_needed_the_step() {
    let (store, _thread, fence) = with_dead_letter().await;
    let revived = store.revive(revive("contact", Revival::Retry)).await;
    let expected = Revived {
        integration: amo(),
        work: Some(2),
    };
    assert_eq!(revived, Ok(expected));
    for step in ledger(&store).await.steps {
        assert_eq!(
            (step.state, step.work),
            (StepState::Pending, 2),
            "{}",
            step.role
        );
    }
    let work = store.work(2).await.expect("reads").expect("is open");
    assert_eq!(work.state, WorkState::Decided { at: at(2000) });
    assert_eq!(work.addresses, vec![Address::Phone(phone(1))]);
    assert_eq!(outcome(&store).await, JournalOutcome::Waiting);
    assert_eq!(store.dead_letters(10, None).await, Ok(vec![]));
    assert_eq!(remarks(&store).await, ["retried_by_person"]);

    for (role, entity) in [
        ("contact", Entity::Contact),
        ("deal", Entity::Deal),
        ("task", Entity::Task),
    ] {
        let change = advance(2, role, vec![in_flight(), done(entity, "5")]);
        store.advance(fence, change).await.expect("advances");
    }
    store.close(fence, 2, at(2005)).await.expect("closes");
    assert_eq!(outcome(&store).await, JournalOutcome::Done);
}

#[tokio::test]
async fn a_retry_while_the_work_is_open_keeps_its_number() {
    let (store, _thread) = in_memory();
    let accepted = store.accept(accept(vec![routed(call("a", 1, 1))], 1)).await;
    accepted.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    let plan = decide(1, vec![contact_step(1), deal_step(1)]);
    store.decide(fence, plan).await.expect("decides");
    let change = advance(1, "contact", vec![in_flight(), dead()]);
    store.advance(fence, change).await.expect("advances");
    let revived = store.revive(revive("contact", Revival::Retry)).await;
    assert_eq!(revived.expect("revives").work, Some(1));
    assert_eq!(store.open_works().await.expect("reads").len(), 1);
    let attempts = ledger(&store).await.steps[0].attempts;
    assert_eq!(attempts, 1, "what was sent stays counted");
}

#[tokio::test]
async fn deciding_again_opens_one_undecided_work_whose_decision_may_replace_the_steps() {
    let (store, _thread, fence) = with_dead_letter().await;
    let revived = store.revive(revive("contact", Revival::DecideAgain)).await;
    assert_eq!(revived.expect("revives").work, Some(2));
    let state = ledger(&store).await.steps[0].state.clone();
    let expected = StepState::Dropped {
        at: at(2000),
        reason: DECIDED_AGAIN.to_owned(),
    };
    assert_eq!(state, expected);
    let work = store.work(2).await.expect("reads").expect("is open");
    assert!(matches!(work.state, WorkState::Undecided { .. }));
    let repeated = store.revive(revive("contact", Revival::DecideAgain)).await;
    assert_eq!(repeated, Err(StoreError::NotDead(role("contact"))));

    let mut again = decide(2, vec![contact_step(2), deal_step(2)]);
    again.replaces = vec![role("contact"), role("deal"), role("task")];
    store.decide(fence, again).await.expect("decides again");
    let ledger = ledger(&store).await;
    assert_eq!(ledger.steps.len(), 2);
    assert!(
        ledger
            .steps
            .iter()
            .all(|step| step.state == StepState::Pending)
    );
    assert_eq!(outcome(&store).await, JournalOutcome::Waiting);
}

#[tokio::test]
async fn a_dropped_step_stays_dropped_and_the_journal_says_by_whom() {
    let (store, _thread, _fence) = with_dead_letter().await;
    let revived = store.revive(revive("contact", Revival::Drop)).await;
    assert_eq!(revived.expect("revives").work, None);
    let state = ledger(&store).await.steps[0].state.clone();
    let expected = StepState::Dropped {
        at: at(2000),
        reason: DROPPED_BY_PERSON.to_owned(),
    };
    assert_eq!(state, expected);
    assert_eq!(outcome(&store).await, JournalOutcome::Done);
    assert_eq!(store.dead_letters(10, None).await, Ok(vec![]));
    assert_eq!(remarks(&store).await, ["dropped_by_person"]);
}

#[tokio::test]
async fn what_is_not_dead_cannot_be_revived() {
    let (store, _thread, _fence) = with_dead_letter().await;
    let refused = store.revive(revive("deal", Revival::Retry)).await;
    assert_eq!(refused, Err(StoreError::NotDead(role("deal"))));
    let refused = store.revive(revive("nothing", Revival::Drop)).await;
    assert_eq!(refused, Err(StoreError::NoStep(role("nothing"))));
    let mut elsewhere = revive("contact", Revival::Retry);
    elsewhere.communication = communication("b");
    let refused = store.revive(elsewhere).await;
    assert_eq!(
        refused,
        Err(StoreError::NoCommunication(communication("b")))
    );
    assert_eq!(remarks(&store).await, Vec::<String>::new());
}
