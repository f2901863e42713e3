//! The journal: search by number, time and outcome, page by page; remarks.

use trunkline::model::communication::Kind;
use trunkline::store::command::{Acceptance, JournalNote};
use trunkline::store::query::{JournalOutcome, JournalSearch, NoteSearch};
use trunkline::store::{StoreError, StoreHandle, StoreThread};

use super::sample::*;

/// Forty calls, `c00` to `c39`, one a second, of ten clients in turn; every fourth is taken by
/// nobody, every third of the others is decided and closed.
async fn with_calls() -> (StoreHandle, StoreThread) {
    let (store, thread) = in_memory();
    for n in 0..40_u32 {
        let mut snapshot = call(&format!("c{n:02}"), n % 10, 1);
        let trunkline::model::communication::Body::Call { call } = &mut snapshot.body else {
            unreachable!("call() makes calls");
        };
        call.started_at = at(i64::from(n));
        let acceptance = match n % 4 {
            0 => Acceptance {
                not_taken: Some("nobody".to_owned()),
                ..routed(snapshot)
            },
            _ => routed(snapshot),
        };
        let acceptance = match acceptance.not_taken {
            Some(_) => Acceptance {
                routes: vec![],
                ..acceptance
            },
            None => acceptance,
        };
        let accepted = store.accept(accept(vec![acceptance], 1)).await;
        accepted.expect("accepts");
    }
    let fence = store.claim(amo()).await.expect("claims");
    for work in store.open_works().await.expect("reads") {
        if work.id % 3 == 0 {
            let ignore = decide(work.id, vec![]);
            store.decide(fence, ignore).await.expect("decides");
            store.close(fence, work.id, at(2000)).await.expect("closes");
        }
    }
    (store, thread)
}

/// Finds the items of a search over all pages of `limit`.
async fn find(store: &StoreHandle, search: JournalSearch, limit: usize) -> Vec<String> {
    let mut items = Vec::new();
    let mut search = JournalSearch { limit, ..search };
    loop {
        let page = store.search_page(search.clone()).await.expect("searches");
        assert!(page.found.len() <= limit);
        items.extend(page.found.into_iter().map(|found| found.snapshot.key.item));
        match page.next {
            Some(next) => search.after = Some(next),
            None => return items,
        }
    }
}

/// The items that the numbers of calls stand for, newest first.
fn items(numbers: impl DoubleEndedIterator<Item = u32>) -> Vec<String> {
    numbers.rev().map(|n| format!("c{n:02}")).collect()
}

#[tokio::test]
async fn a_search_finds_by_number_time_outcome_and_all_of_them_whatever_the_page() {
    let (store, _thread) = with_calls().await;
    let all = JournalSearch::default;
    let tenant = Some(source().tenant);
    let cases = [
        (all(), items(0..40)),
        (
            JournalSearch {
                phone: Some(phone(3)),
                ..all()
            },
            items((0..40).filter(|n| n % 10 == 3)),
        ),
        (
            JournalSearch {
                from: Some(at(10)),
                until: Some(at(20)),
                ..all()
            },
            items(10..20),
        ),
        (
            JournalSearch {
                outcome: Some(JournalOutcome::NotTaken),
                ..all()
            },
            items((0..40).filter(|n| n % 4 == 0)),
        ),
        (
            JournalSearch {
                tenant: tenant.clone(),
                outcome: Some(JournalOutcome::NotTaken),
                kind: Some(Kind::Call),
                phone: Some(phone(2)),
                from: Some(at(5)),
                ..all()
            },
            items([12, 32].into_iter()),
        ),
        (
            JournalSearch {
                tenant: tenant.clone(),
                outcome: Some(JournalOutcome::NotTaken),
                until: Some(at(13)),
                ..all()
            },
            items([0, 4, 8, 12].into_iter()),
        ),
        (JournalSearch { tenant, ..all() }, items(0..40)),
        (
            JournalSearch {
                tenant: Some("other".parse().expect("a tenant")),
                ..all()
            },
            vec![],
        ),
        (
            JournalSearch {
                kind: Some(Kind::Chat),
                ..all()
            },
            vec![],
        ),
        (
            JournalSearch {
                from: Some(at(20)),
                until: Some(at(10)),
                ..all()
            },
            vec![],
        ),
    ];
    for (search, expected) in cases {
        for limit in [1, 3, 7, 100] {
            let found = find(&store, search.clone(), limit).await;
            assert_eq!(found, expected, "{search:?} in pages of {limit}");
        }
    }
}

#[tokio::test]
async fn an_outcome_leaves_its_old_place_in_the_index() {
    let (store, _thread) = with_calls().await;
    let of = |outcome| JournalSearch {
        outcome: Some(outcome),
        ..JournalSearch::default()
    };
    let waiting = find(&store, of(JournalOutcome::Waiting), 100).await;
    let ignored = find(&store, of(JournalOutcome::Ignored), 100).await;
    assert_eq!((waiting.len(), ignored.len()), (20, 10));
    assert!(waiting.iter().all(|item| !ignored.contains(item)));
}

#[tokio::test]
async fn a_call_whose_number_became_known_is_found_by_it_and_not_by_the_old_one() {
    let (store, _thread) = in_memory();
    for (revision, client) in [(1, 5), (2, 6)] {
        let snapshot = call("a", client, revision);
        let accepted = store.accept(accept(vec![routed(snapshot)], 1)).await;
        accepted.expect("accepts");
    }
    let of = |client| JournalSearch {
        phone: Some(phone(client)),
        ..JournalSearch::default()
    };
    assert_eq!(find(&store, of(5), 10).await, Vec::<String>::new());
    assert_eq!(find(&store, of(6), 10).await, ["a"]);
    let all = find(&store, JournalSearch::default(), 10).await;
    assert_eq!(all, ["a"], "it stands once though its begin moved");
}

#[tokio::test]
async fn going_on_after_an_unknown_communication_is_refused() {
    let (store, _thread) = in_memory();
    let search = JournalSearch {
        after: Some(communication("x")),
        limit: 5,
        ..JournalSearch::default()
    };
    let refused = store.search(search).await;
    assert_eq!(
        refused,
        Err(StoreError::NoCommunication(communication("x")))
    );
}

#[tokio::test]
async fn remarks_are_listed_newest_first_and_filtered() {
    let (store, _thread) = in_memory();
    for n in 0..10 {
        let note = JournalNote {
            at: at(n),
            tenant: Some(source().tenant),
            source: (n % 2 == 0).then(source),
            integration: None,
            communication: (n % 5 == 0).then(|| communication("a")),
            word: if n < 5 { "blind" } else { "restarted" }.to_owned(),
            text: n.to_string(),
        };
        store.note(note).await.expect("notes");
    }
    let all = NoteSearch {
        limit: 100,
        ..NoteSearch::default()
    };
    let find = async |search: NoteSearch| -> Vec<String> {
        let notes = store.notes(search).await.expect("reads");
        notes.into_iter().map(|stored| stored.note.text).collect()
    };
    let from_source = NoteSearch {
        source: Some(source()),
        word: Some("blind".to_owned()),
        ..all.clone()
    };
    assert_eq!(find(from_source).await, ["4", "2", "0"]);
    let of_call = NoteSearch {
        communication: Some(communication("a")),
        ..all.clone()
    };
    assert_eq!(find(of_call).await, ["5", "0"]);
    let page = NoteSearch {
        limit: 4,
        ..all.clone()
    };
    let first = store.notes(page.clone()).await.expect("reads");
    let next = NoteSearch {
        after: first.last().map(|stored| stored.id),
        ..page
    };
    assert_eq!(find(next).await, ["5", "4", "3", "2"]);
    assert_eq!(
        find(NoteSearch { limit: 0, ..all }).await,
        Vec::<String>::new()
    );
}
