//! Retention.

use trunkline::store::command::{JournalNote, Retention};
use trunkline::store::query::{JournalSearch, NoteSearch};

use super::sample::*;

fn note(s: i64, of: Option<&str>) -> JournalNote {
    JournalNote {
        at: at(s),
        tenant: None,
        source: None,
        integration: None,
        communication: of.map(communication),
        word: "remark".to_owned(),
        text: String::new(),
    }
}

#[tokio::test]
async fn a_sweep_removes_what_is_old_and_finished_and_nothing_else() {
    let (store, _thread) = in_memory();
    // Accepted at 1000: finished (1, 2, 3), waiting (4), dead (5), and one of later (6).
    for n in 1..=6_u32 {
        let item = format!("c{n}");
        let mut accepting = accept(vec![routed(call(&item, n, 1))], 1);
        accepting.now = at(if n == 6 { 5000 } else { 1000 });
        store.accept(accepting).await.expect("accepts");
        store.note(note(1000, Some(&item))).await.expect("notes");
    }
    let fence = store.claim(amo()).await.expect("claims");
    for work in [1, 2, 3, 6] {
        let mut ignore = decide(work, vec![]);
        ignore.decision.at = at(1000);
        store.decide(fence, ignore).await.expect("decides");
        let closed = at(if work == 6 { 5000 } else { 1000 });
        store.close(fence, work, closed).await.expect("closes");
    }
    let contact = decide(5, vec![contact_step(5)]);
    store.decide(fence, contact).await.expect("decides");
    let died = advance(5, "contact", vec![in_flight(), dead()]);
    store.advance(fence, died).await.expect("advances");
    store.close(fence, 5, at(1005)).await.expect("closes");
    store.note(note(1000, None)).await.expect("notes");
    store.note(note(5000, None)).await.expect("notes");

    let retention = Retention {
        before: at(4000),
        rows_max: 2,
    };
    let first = store.sweep(retention).await.expect("sweeps");
    assert_eq!((first.communications, first.more), (2, true));
    let second = store.sweep(retention).await.expect("sweeps");
    assert_eq!(second.communications, 1);
    let third = store.sweep(retention).await.expect("sweeps");
    assert_eq!(
        (third.communications, third.notes, third.more),
        (0, 0, false)
    );
    assert_eq!(
        first.notes + second.notes,
        1,
        "the old remark about nothing"
    );

    let search = JournalSearch {
        limit: 10,
        ..JournalSearch::default()
    };
    let left = store.search(search).await.expect("searches");
    let left: Vec<_> = left
        .iter()
        .map(|found| found.snapshot.key.item.as_str())
        .collect();
    assert_eq!(left, ["c6", "c5", "c4"]);
    assert_eq!(store.story(communication("c1")).await, Ok(None));
    let ledger = store
        .ledger(amo(), communication("c1"))
        .await
        .expect("reads");
    assert!(ledger.decisions.is_empty());
    let notes = NoteSearch {
        limit: 100,
        ..NoteSearch::default()
    };
    assert_eq!(store.notes(notes).await.expect("reads").len(), 4);
    let figures = store.figures().await.expect("reads");
    let counts = (
        figures.communications,
        figures.open_works,
        figures.dead_letters,
    );
    assert_eq!(counts, (3, 1, 1));
}
