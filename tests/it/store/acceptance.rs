//! Acceptance: repeats, works made once, lanes, checkpoints.

use serde_json::json;
use trunkline::model::communication::{Address, Body};
use trunkline::model::phone::ClientNumber;

use trunkline::store::command::{Accept, Accepted, WorkState};
use trunkline::store::query::{JournalOutcome, NoteSearch};

use super::sample::*;

#[tokio::test]
async fn a_new_snapshot_makes_one_work_and_a_repeat_none() {
    let (store, _thread) = in_memory();
    let first = store.accept(accept(vec![routed(call("a", 1, 5))], 1)).await;
    let works = vec![(amo(), 1)];
    assert_eq!(first, Ok(vec![Accepted::Stored { works }]));
    let again = store.accept(accept(vec![routed(call("a", 1, 5))], 2)).await;
    assert_eq!(again, Ok(vec![Accepted::Repeat]));
    let older = store.accept(accept(vec![routed(call("a", 1, 4))], 3)).await;
    assert_eq!(older, Ok(vec![Accepted::Stale]));
    let newer = store.accept(accept(vec![routed(call("a", 1, 6))], 4)).await;
    assert_eq!(newer, Ok(vec![Accepted::Stored { works: vec![] }]));

    assert_eq!(store.open_works().await.expect("reads").len(), 1);
    let stored = store.communication(communication("a")).await;
    let stored = stored.expect("reads").expect("is there");
    assert_eq!(stored.snapshot.revision, 6);
    assert_eq!(stored.outcome, JournalOutcome::Waiting);
}
