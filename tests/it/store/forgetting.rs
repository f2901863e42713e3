//! A client is forgotten.

use std::collections::BTreeSet;

use trunkline::store::command::{ForgetReport, JournalNote, KeptBecause, Retention};
use trunkline::store::query::{JournalOutcome, JournalSearch};

use super::sample::*;

fn remark(text: &str) -> JournalNote {
    JournalNote {
        at: at(1000),
        tenant: None,
        source: Some(source()),
        integration: None,
        communication: None,
        word: "remark".to_owned(),
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn who_the_client_was_is_gone_and_that_there_was_a_call_is_not() {
    let (store, _thread) = in_memory();
    // Three calls of client 1: finished, with a dead letter, waiting; one of client 2.
    for (item, client) in [("done", 1), ("dead", 1), ("waits", 1), ("other", 2)] {
        let mut snapshot = call(item, client, 1);
        if let trunkline::model::communication::Body::Call { call } = &mut snapshot.body {
            call.ended_at = Some(at(60));
        }
        let accepting = accept(vec![routed(snapshot)], 1);
        store.accept(accepting).await.expect("accepts");
    }
    let fence = store.claim(amo()).await.expect("claims");
    for work in [1, 4] {
        store
            .decide(fence, decide(work, vec![]))
            .await
            .expect("decides");
        store.close(fence, work, at(1003)).await.expect("closes");
    }
    let contact = decide(2, vec![contact_step(2)]);
    store.decide(fence, contact).await.expect("decides");
    let died = advance(2, "contact", vec![in_flight(), dead()]);
    store.advance(fence, died).await.expect("advances");
    store.close(fence, 2, at(1005)).await.expect("closes");
    for text in ["89160000001 was called", "89160000002 was called"] {
        store.note(remark(text)).await.expect("notes");
    }

    let report = store.forget(phone(1), at(2000)).await.expect("forgets");
    assert_eq!(
        report,
        ForgetReport {
            communications: 2,
            notes: 1,
            sources: BTreeSet::from([source()]),
            kept: vec![(communication("waits"), KeptBecause::Waits)],
            ..ForgetReport::default()
        }
    );
    let figures = store.figures().await.expect("reads");
    assert_eq!((figures.communications, figures.dead_letters), (4, 0));
    let of_client = JournalSearch {
        phone: Some(phone(1)),
        limit: 10,
        ..JournalSearch::default()
    };
    let found = store.search(of_client).await.expect("searches");
    assert_eq!(found.len(), 1, "what waits");
    for item in ["done", "dead"] {
        let story = store.story(communication(item)).await.expect("reads");
        let story = story.expect("it is there");
        assert_eq!(story.communication.outcome, JournalOutcome::NotTaken);
        let text = serde_json::to_string(&story).expect("JSON");
        assert!(!text.contains("9160000001"), "{text}");
    }

    // The source repeats, with a higher revision even: nothing comes back, no work is made.
    let again = accept(vec![routed(call("done", 1, 9))], 2);
    let accepted = store.accept(again).await.expect("accepts");
    assert_eq!(accepted, [trunkline::store::command::Accepted::Stale]);
    let again = store.forget(phone(1), at(2000)).await.expect("forgets");
    assert_eq!((again.communications, again.notes), (0, 0));

    // Retention takes the rest.
    let retention = Retention {
        before: at(2001),
        rows_max: 10,
    };
    let swept = store.sweep(retention).await.expect("sweeps");
    assert_eq!(
        swept.communications, 3,
        "two forgotten ones, and the other client's"
    );
}

#[tokio::test]
async fn a_call_that_goes_on_is_kept_and_a_source_that_remembers_is_named() {
    let (store, _thread) = in_memory();
    let mut open = call("open", 1, 1);
    if let trunkline::model::communication::Body::Call { call } = &mut open.body {
        call.phase = trunkline::model::call::CallPhase::Ringing;
    }
    let mut accepting = accept(vec![], 1);
    let mut acceptance = routed(open);
    acceptance.routes.clear();
    accepting.acceptances.push(acceptance);
    accepting.checkpoint = Some(serde_json::json!({ "open": ["+79160000001"] }));
    store.accept(accepting).await.expect("accepts");

    let report = store.forget(phone(1), at(1000)).await.expect("forgets");
    assert_eq!(report.kept, [(communication("open"), KeptBecause::GoesOn)]);
    assert_eq!(report.checkpoints, ["acme/office"]);
    // Nothing was heard of it for a day: it is over, whoever missed its end.
    let later = store.forget(phone(1), at(1000 + 86_400)).await;
    assert_eq!(later.expect("forgets").communications, 1);
}
