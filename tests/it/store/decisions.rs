//! Claims, decisions and the states of steps.

use trunkline::model::ledger::{LedgerStep, StepState};
use trunkline::model::plan::Entity;
use trunkline::store::command::{Advance, Defer, Fence, WorkState};
use trunkline::store::query::JournalOutcome;
use trunkline::store::{StoreError, StoreHandle, StoreThread};

use super::sample::*;

/// A store with one undecided work, number 1, and a claim.
async fn with_work() -> (StoreHandle, StoreThread, Fence) {
    let (store, thread) = in_memory();
    let accepted = store.accept(accept(vec![routed(call("a", 1, 1))], 1)).await;
    accepted.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    (store, thread, fence)
}

async fn step(store: &StoreHandle, text: &str) -> LedgerStep {
    let ledger = store.ledger(amo(), communication("a")).await;
    ledger
        .expect("reads")
        .step(&role(text))
        .cloned()
        .expect("is there")
}

async fn outcome(store: &StoreHandle) -> JournalOutcome {
    let stored = store.communication(communication("a")).await;
    stored.expect("reads").expect("is there").outcome
}

#[tokio::test]
async fn an_earlier_fence_can_write_nothing() {
    let (store, _thread, old) = with_work().await;
    let new = store.claim(amo()).await.expect("claims");
    assert!(new > old);
    let other = "acme/bitrix".parse().expect("a key");
    let foreign = store.claim(other).await.expect("claims");
    let defer = Defer {
        work: 1,
        until: at(2000),
        why: "the crm does not answer".to_owned(),
    };
    for fence in [old, foreign] {
        let refused = Err(StoreError::Fenced);
        assert_eq!(store.defer(fence, defer.clone()).await, refused);
        let contact = decide(1, vec![contact_step(1)]);
        let decided = store.decide(fence, contact).await.map(drop);
        assert_eq!(decided, refused);
        let sent = advance(1, "contact", vec![in_flight()]);
        assert_eq!(store.advance(fence, sent).await, refused);
        assert_eq!(store.close(fence, 1, at(1)).await, refused);
    }
    let untouched = store.work(1).await.expect("reads").expect("is open");
    let WorkState::Undecided { attempts: 0, .. } = untouched.state else {
        panic!("{untouched:?}");
    };
    store.defer(new, defer).await.expect("the holder may");
    let deferred = store.work(1).await.expect("reads").expect("is open");
    let expected = WorkState::Undecided {
        not_before: Some(at(2000)),
        why: Some("the crm does not answer".to_owned()),
        attempts: 1,
    };
    assert_eq!(deferred.state, expected);
}

#[tokio::test]
async fn a_work_goes_from_decision_to_close() {
    let (store, _thread, fence) = with_work().await;
    assert_eq!(
        store.close(fence, 1, at(1)).await,
        Err(StoreError::Undecided(1))
    );
    let decision = decide(1, vec![contact_step(1), deal_step(1)]);
    store.decide(fence, decision).await.expect("decides");
    assert_eq!(outcome(&store).await, JournalOutcome::Waiting);
    let defer = Defer {
        work: 1,
        until: at(1),
        why: String::new(),
    };
    assert_eq!(store.defer(fence, defer).await, Err(StoreError::Decided(1)));

    let sent = advance(1, "contact", vec![in_flight()]);
    store.advance(fence, sent).await.expect("advances");
    let contact = step(&store, "contact").await;
    assert_eq!(
        (contact.attempts, contact.first_sent_at),
        (1, Some(at(1002)))
    );
    let again = vec![
        StepState::Waiting {
            until: at(1010),
            why: "429".to_owned(),
            look_first: false,
            settles_at: None,
        },
        StepState::InFlight { since: at(1010) },
        done(Entity::Contact, "812"),
    ];
    let again = advance(1, "contact", again);
    store.advance(fence, again).await.expect("advances");
    let contact = step(&store, "contact").await;
    assert_eq!(
        (contact.attempts, contact.first_sent_at),
        (2, Some(at(1002)))
    );

    let open = StoreError::StepOpen {
        work: 1,
        role: role("deal"),
    };
    assert_eq!(store.close(fence, 1, at(1)).await, Err(open));
    let deal = advance(1, "deal", vec![in_flight(), done(Entity::Deal, "9")]);
    store.advance(fence, deal).await.expect("advances");
    store.close(fence, 1, at(1005)).await.expect("closes");
    assert_eq!(store.work(1).await, Ok(None));
    assert_eq!(outcome(&store).await, JournalOutcome::Done);
    assert_eq!(
        store.close(fence, 1, at(1)).await,
        Err(StoreError::NoWork(1))
    );
}

#[tokio::test]
async fn the_result_of_the_last_step_closes_the_work_and_an_earlier_one_does_not() {
    let (store, _thread, fence) = with_work().await;
    let decision = decide(1, vec![contact_step(1), deal_step(1)]);
    let decided = store.decide(fence, decision).await.expect("decides");
    let stored = store.ledger(amo(), communication("a")).await;
    assert_eq!(stored, Ok(decided), "what is returned is what is stored");

    let contact = advance(1, "contact", vec![in_flight(), done(Entity::Contact, "1")]);
    assert_eq!(store.advance_to_end(fence, contact).await, Ok(false));
    assert!(store.work(1).await.expect("reads").is_some());
    assert_eq!(outcome(&store).await, JournalOutcome::Waiting);

    let deal = advance(1, "deal", vec![in_flight(), done(Entity::Deal, "2")]);
    assert_eq!(store.advance_to_end(fence, deal).await, Ok(true));
    assert_eq!(store.work(1).await, Ok(None));
    assert_eq!(outcome(&store).await, JournalOutcome::Done);
    let ledger = store.ledger(amo(), communication("a")).await;
    assert_eq!(ledger.map(|ledger| ledger.decisions.len()), Ok(1));
}

#[tokio::test]
async fn a_work_whose_last_step_died_is_closed_and_its_communication_counts_as_dead() {
    let (store, _thread, fence) = with_work().await;
    let decision = decide(1, vec![contact_step(1)]);
    store.decide(fence, decision).await.expect("decides");
    let contact = advance(1, "contact", vec![in_flight(), dead()]);
    assert_eq!(store.advance_to_end(fence, contact).await, Ok(true));
    assert_eq!(outcome(&store).await, JournalOutcome::Dead);
}

#[tokio::test]
async fn a_final_state_is_not_left_and_a_refused_command_changes_nothing() {
    let (store, _thread, fence) = with_work().await;
    let decision = decide(1, vec![contact_step(1), deal_step(1)]);
    store.decide(fence, decision).await.expect("decides");
    let finished = advance(1, "contact", vec![in_flight(), done(Entity::Contact, "1")]);
    store.advance(fence, finished).await.expect("advances");
    // The first change of the command is permitted, the second is not.
    let both = Advance {
        work: 1,
        steps: [
            advance(1, "deal", vec![in_flight()]).steps,
            advance(1, "contact", vec![in_flight()]).steps,
        ]
        .concat(),
    };
    let refused = store.advance(fence, both).await;
    assert_eq!(refused, Err(StoreError::StepFinal(role("contact"))));
    assert_eq!(step(&store, "deal").await.state, StepState::Pending);
    let unknown = advance(1, "task", vec![in_flight()]);
    let refused = store.advance(fence, unknown).await;
    assert_eq!(refused, Err(StoreError::NoStep(role("task"))));
}

#[tokio::test]
async fn a_second_step_with_the_same_role_is_refused() {
    let (store, _thread, fence) = with_work().await;
    let first = decide(1, vec![contact_step(1)]);
    store.decide(fence, first.clone()).await.expect("decides");
    let exists = Err(StoreError::StepExists(role("contact")));
    assert_eq!(store.decide(fence, first.clone()).await, exists);
    let mut twice = decide(1, vec![deal_step(1), deal_step(1)]);
    let refused = store.decide(fence, twice.clone()).await;
    assert_eq!(refused, Err(StoreError::StepExists(role("deal"))));
    twice.steps.pop();
    twice.decision.work = 2;
    let refused = store.decide(fence, twice).await;
    assert_eq!(refused, Err(StoreError::Mismatch(1)));
    let ledger = store.ledger(amo(), communication("a")).await;
    assert_eq!(ledger.expect("reads").decisions.len(), 1);
}

#[tokio::test]
async fn only_what_was_not_sent_may_be_decided_again() {
    let (store, _thread, fence) = with_work().await;
    let first = decide(1, vec![contact_step(1), deal_step(1)]);
    store.decide(fence, first).await.expect("decides");
    let mut again = decide(1, vec![contact_step(1), deal_step(1), task_step(1)]);
    again.replaces = vec![role("contact"), role("deal")];
    again.first_time = Some(false);
    store
        .decide(fence, again.clone())
        .await
        .expect("decides again");
    let ledger = store
        .ledger(amo(), communication("a"))
        .await
        .expect("reads");
    assert_eq!(ledger.first_time, Some(true), "decided once");
    assert_eq!(ledger.decisions.len(), 2);
    assert_eq!(ledger.steps.len(), 3);

    let sent = advance(1, "contact", vec![in_flight()]);
    store.advance(fence, sent).await.expect("advances");
    again.replaces.push(role("task"));
    let refused = store.decide(fence, again).await;
    assert_eq!(refused, Err(StoreError::StepSent(role("contact"))));
    assert_eq!(step(&store, "contact").await.attempts, 1);
}

#[tokio::test]
async fn a_plan_that_is_decided_again_for_days_keeps_the_ledger_small() {
    let (store, _thread, fence) = with_work().await;
    for n in 0..60 {
        let mut again = decide(1, vec![contact_step(1)]);
        again.decision.at = at(1000 + 600 * n);
        again.replaces = vec![role("contact")];
        store.decide(fence, again).await.expect("decides");
    }
    let ledger = store
        .ledger(amo(), communication("a"))
        .await
        .expect("reads");
    let times: Vec<_> = ledger
        .decisions
        .iter()
        .map(|decision| decision.at)
        .collect();
    assert_eq!(times.len(), 50);
    assert_eq!(
        times.first(),
        Some(&at(1000)),
        "it settled first-time or repeat"
    );
    assert_eq!(times.get(1), Some(&at(1000 + 600 * 11)));
    assert_eq!(times.last(), Some(&at(1000 + 600 * 59)));
}
