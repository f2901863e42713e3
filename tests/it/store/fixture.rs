//! A store of the first schema, kept in `tests/data/store`: every later version must read it.
//!
//! It is written anew only on purpose, by
//! `TRUNKLINE_WRITE_FIXTURES=1 cargo test --test it store::fixture`, and only as long as no
//! version with this schema was released; afterwards it stays as it is.

use std::path::{Path, PathBuf};

use serde_json::json;
use trunkline::model::communication::Phase;
use trunkline::model::ledger::{LedgerStep, StepState};
use trunkline::model::plan::Entity;
use trunkline::model::secret::Secret;
use trunkline::store::command::{Acceptance, JournalNote, Route, WorkState};
use trunkline::store::query::{JournalOutcome, JournalSearch, NoteSearch};
use trunkline::store::{Store, StoreKey};

use super::sample::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store")
}

/// The ledger's steps, one in every state, with the role of the state's name.
fn states() -> Vec<(&'static str, Vec<StepState>)> {
    let waiting = StepState::Waiting {
        until: at(5000),
        why: "429".to_owned(),
        look_first: true,
        settles_at: None,
    };
    vec![
        ("pending", vec![]),
        ("in-flight", vec![in_flight()]),
        ("done", vec![in_flight(), done(Entity::Contact, "812")]),
        ("waiting", vec![in_flight(), waiting]),
        ("dead", vec![in_flight(), dead()]),
        ("dropped", vec![dropped()]),
        ("expired", vec![StepState::Expired { at: at(1004) }]),
    ]
}

/// The two communications of the fixture: a call with everything, and one that nobody takes.
async fn fill(path: &Path, key: StoreKey) {
    let (store, thread) = Store::open(path, key, options()).expect("opens");
    let mut taken = routed(call("a", 1, 3));
    taken.routes.push(Route {
        integration: amo(),
        portal: portal(),
        phase: Phase::RecordingReady,
    });
    let untaken = Acceptance {
        snapshot: call("b", 2, 1),
        routes: vec![],
        not_taken: Some("no integration takes calls of office".to_owned()),
    };
    let mut accepting = accept(vec![taken, untaken], 7);
    accepting.notes = vec![JournalNote {
        at: at(999),
        tenant: Some(source().tenant),
        source: Some(source()),
        integration: Some(amo()),
        communication: Some(communication("a")),
        word: "blind".to_owned(),
        text: "the link was down".to_owned(),
    }];
    store.accept(accepting).await.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    let steps = states().into_iter().map(|(role_text, _)| LedgerStep {
        role: role(role_text),
        ..contact_step(1)
    });
    store
        .decide(fence, decide(1, steps.collect()))
        .await
        .expect("decides");
    for (role_text, changes) in states() {
        let change = advance(1, role_text, changes);
        store.advance(fence, change).await.expect("advances");
    }
    for n in 1..=2 {
        let saved = store.put_settings(amo(), json!({"calls": n}), at(n)).await;
        assert_eq!(saved, Ok(n.unsigned_abs()));
    }
    let token = Secret::new("a token of 2026".to_owned());
    store.put_credential("acme/amo", token).await.expect("puts");
    let account = json!({"marker_field": 5});
    store.put_account(portal(), account).await.expect("puts");
    close(store, thread).await;
    // As small as it can be: it stays in the repository for ever.
    let mut database = redb::Database::open(path).expect("opens");
    while database.compact().expect("compacts") {}
}

#[tokio::test]
async fn a_store_of_the_first_schema_is_read_whole() {
    let (file, key_file) = (folder().join("schema1.redb"), folder().join("schema1.key"));
    if std::env::var_os("TRUNKLINE_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(folder()).expect("creates");
        drop(std::fs::remove_file(&file));
        let key = StoreKey::generate();
        std::fs::write(&key_file, key.expose()).expect("writes");
        fill(&file, key).await;
    }
    let copy = tempfile::tempdir().expect("a folder");
    let path = copy.path().join("store.redb");
    std::fs::copy(&file, &path).expect("the fixture is there");
    let key = std::fs::read(&key_file).expect("the fixture's key is there");
    let key = StoreKey::from_bytes(&key).expect("a key");
    let (store, thread) = Store::open(&path, key, options()).expect("opens");

    let story = store.story(communication("a")).await.expect("reads");
    let story = story.expect("is there");
    assert_eq!(story.communication.snapshot, call("a", 1, 3));
    assert_eq!(story.communication.accepted_at, at(1000));
    assert_eq!(story.communication.outcome, JournalOutcome::Dead);
    let words: Vec<_> = story.notes.iter().map(|note| note.word.as_str()).collect();
    assert_eq!(words, ["blind"]);
    let [(integration, ledger)] = story.ledgers.as_slice() else {
        panic!("{:?}", story.ledgers);
    };
    assert_eq!(*integration, amo());
    assert_eq!(ledger.first_time, Some(true));
    assert_eq!(ledger.decisions.len(), 1);
    for (role_text, changes) in states() {
        let step = ledger.step(&role(role_text)).expect("is there");
        let expected = changes.last().cloned().unwrap_or(StepState::Pending);
        assert_eq!(step.state, expected, "{role_text}");
        assert_eq!(step.effect, contact_step(1).effect);
    }
    let sent = ledger.step(&role("in-flight")).expect("is there");
    assert_eq!((sent.attempts, sent.first_sent_at), (1, Some(at(1002))));

    let works = store.open_works().await.expect("reads");
    let works: Vec<_> = works.iter().map(|w| (w.id, w.phase, &w.state)).collect();
    let undecided = WorkState::Undecided {
        not_before: None,
        why: None,
        attempts: 0,
    };
    let decided = WorkState::Decided { at: at(1001) };
    let expected = vec![
        (1, Phase::Ended, &decided),
        (2, Phase::RecordingReady, &undecided),
    ];
    assert_eq!(works, expected);

    let letters = store.dead_letters(10, None).await.expect("reads");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].role, role("dead"));
    let untaken = JournalSearch {
        outcome: Some(JournalOutcome::NotTaken),
        phone: Some(phone(2)),
        limit: 10,
        ..JournalSearch::default()
    };
    let untaken = store.search(untaken).await.expect("searches");
    assert_eq!(untaken.len(), 1);
    let notes = NoteSearch {
        word: Some("not_taken".to_owned()),
        limit: 10,
        ..NoteSearch::default()
    };
    assert_eq!(store.notes(notes).await.expect("reads").len(), 1);
    assert_eq!(store.checkpoint(source()).await, Ok(Some(json!({"n": 7}))));
    let settings = store.settings(amo(), Some(1)).await;
    assert_eq!(settings, Ok(Some((1, json!({"calls": 1})))));
    let settings = store.settings(amo(), None).await;
    assert_eq!(settings, Ok(Some((2, json!({"calls": 2})))));
    let token = Secret::new("a token of 2026".to_owned());
    assert_eq!(store.credential("acme/amo").await, Ok(Some(token)));
    let account = store.account(portal()).await;
    assert_eq!(account, Ok(Some(json!({"marker_field": 5}))));
    let figures = store.figures().await.expect("reads");
    assert_eq!((figures.made_at, figures.unreadable_rows), (at(0), 0));

    // The works go on where they stood: numbers and fences are not given out again.
    let fence = store.claim(amo()).await.expect("claims");
    assert!(fence.0 > 1);
    let new = store.accept(accept(vec![routed(call("c", 3, 1))], 8)).await;
    new.expect("accepts");
    assert!(store.work(3).await.expect("reads").is_some());
    close(store, thread).await;
}
