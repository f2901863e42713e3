//! Opening: what is refused, and with what words; rows that cannot be read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use redb::{Database, TableDefinition};
use trunkline::store::command::Advance;
use trunkline::store::{OpenError, Store, StoreError, StoreHandle, StoreKey, StoreThread};

use super::sample::*;

fn open(path: &Path) -> Result<(StoreHandle, StoreThread), OpenError> {
    Store::open(path, key(), options())
}

/// Writes a row behind the store's back.
fn put_raw<K: redb::Key + 'static>(path: &Path, table: &str, key: K::SelfType<'_>, row: &[u8]) {
    let database = Database::open(path).expect("opens");
    let txn = database.begin_write().expect("begins");
    let mut rows = txn
        .open_table(TableDefinition::<K, &[u8]>::new(table))
        .expect("opens");
    rows.insert(key, row).expect("inserts");
    drop(rows);
    txn.commit().expect("commits");
}

#[tokio::test]
async fn the_file_is_closed_to_others_and_opens_once_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let (store, thread) = open(&path).expect("opens");
    let mode = std::fs::metadata(&path)
        .expect("is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(open(&path), Err(OpenError::InUse)));
    store.note(note()).await.expect("notes");
    let figures = store.figures().await.expect("reads");
    let bytes = std::fs::metadata(&path).expect("is there").len();
    assert_eq!((figures.file_bytes, figures.made_at), (bytes, at(0)));
    close(store, thread).await;

    let later = trunkline::store::StoreOptions {
        now: at(500),
        ..options()
    };
    let (store, _thread) = Store::open(&path, key(), later).expect("opens again");
    assert_eq!(store.figures().await.expect("reads").made_at, at(0));
}

fn note() -> trunkline::store::command::JournalNote {
    trunkline::store::command::JournalNote {
        at: at(1),
        tenant: None,
        source: None,
        integration: None,
        communication: None,
        word: "remark".to_owned(),
        text: "text".to_owned(),
    }
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("missing").join("store.redb");
    let refused = open(&path).expect_err("refuses");
    assert!(refused.to_string().contains("missing"), "{refused}");
    assert!(!path.exists());
}

#[tokio::test]
async fn a_making_that_was_cut_off_is_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    // What a power cut leaves: half of the new file beside its place, nothing or an empty file
    // in it.
    std::fs::write(folder.path().join("store.redb.new"), [0; 8192]).expect("writes");
    std::fs::write(&path, []).expect("writes");
    let (store, thread) = open(&path).expect("opens");
    store.note(note()).await.expect("notes");
    close(store, thread).await;
    assert!(!folder.path().join("store.redb.new").exists());
    open(&path).expect("opens again");
}

#[tokio::test]
async fn another_key_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let (store, thread) = open(&path).expect("opens");
    close(store, thread).await;
    let refused = Store::open(&path, StoreKey::generate(), options());
    assert!(matches!(refused, Err(OpenError::WrongKey)));
    open(&path).expect("the right one opens");
}

#[tokio::test]
async fn a_later_schema_is_refused_with_both_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let (store, thread) = open(&path).expect("opens");
    close(store, thread).await;
    put_raw::<&str>(&path, "meta", "schema", b"2");
    let refused = open(&path).expect_err("refuses");
    assert_eq!(
        refused.to_string(),
        "the store has schema 2, this version knows up to 1: install the version that wrote it, or a later one"
    );
}

#[test]
fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    std::fs::write(&path, "garbage ".repeat(4096)).expect("writes");
    open(&path).expect_err("refuses garbage");
    let other = folder.path().join("other.redb");
    drop(Database::create(&other).expect("creates"));
    put_raw::<&str>(&other, "something", "key", b"value");
    let refused = open(&other).expect_err("refuses another program's tables");
    assert!(refused.to_string().contains("no schema"), "{refused}");
}

#[tokio::test]
async fn an_unreadable_row_stops_neither_the_start_nor_its_neighbours() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let (store, thread) = open(&path).expect("opens");
    for (item, n) in [("a", 1), ("b", 2)] {
        let accepted = store
            .accept(accept(vec![routed(call(item, n, 1))], 1))
            .await;
        accepted.expect("accepts");
    }
    close(store, thread).await;
    put_raw::<u64>(&path, "works", 1, b"\x01{\"half\":");
    put_raw::<(&str, &str)>(&path, "ledgers", ("acme/office/b", "acme/amo"), b"\x07");

    let (store, _thread) = open(&path).expect("opens");
    let works = store.open_works().await.expect("reads");
    assert_eq!(works.iter().map(|work| work.id).collect::<Vec<_>>(), [2]);
    let unreadable =
        |read: Result<_, StoreError>| matches!(read, Err(StoreError::Unreadable { .. }));
    assert!(unreadable(store.work(1).await.map(drop)));
    let ledger = store.ledger(amo(), communication("b")).await;
    assert!(
        unreadable(ledger.map(drop)),
        "taken for empty it would repeat effects"
    );
    let fence = store.claim(amo()).await.expect("claims");
    let decided = store.decide(fence, decide(2, vec![contact_step(2)])).await;
    assert!(unreadable(decided.map(drop)));
    let nothing = Advance {
        work: 1,
        steps: vec![],
    };
    assert!(unreadable(store.advance(fence, nothing).await));
    assert_eq!(store.figures().await.expect("reads").unreadable_rows, 2);
    let again = store.accept(accept(vec![routed(call("a", 1, 2))], 1)).await;
    again.expect("the communication goes on");
}
