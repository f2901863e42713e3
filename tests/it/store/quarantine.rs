//! Rows that cannot be read, whatever table they are from: kept byte for byte, out of everybody's
//! way, and put back by a build that reads them.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use redb::{Database, Key, ReadableDatabase, ReadableTable, TableDefinition};
use serde_json::{Value, json};
use tempfile::TempDir;
use trunkline::model::timestamp::Timestamp;
use trunkline::store::command::{JournalNote, Retention};
use trunkline::store::deals::{DealBatch, DealPull, DealUpload, DealUploaded};
use trunkline::store::quarantine::QuarantinedRow;
use trunkline::store::query::{JournalOutcome, NoteSearch};
use trunkline::store::{Store, StoreError, StoreHandle, StoreThread};

use super::deals::{batch, deal, moved};
use super::directory::two_cards;
use super::recordings::{recorded, sought};
use super::sample::*;

/// Every table whose rows can be put into quarantine.
const TABLES: [&str; 14] = [
    "communications",
    "works",
    "checkpoints",
    "ledgers",
    "decisions",
    "notes",
    "settings",
    "accounts",
    "recordings",
    "directories",
    "deals",
    "deal_moves",
    "deal_pulls",
    "deal_uploads",
];

/// Those whose rows stay where they are.
const STAY: [&str; 2] = ["ledgers", "decisions"];

/// A store with one row at least in each of them.
async fn filled(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("store.redb");
    let (store, thread) = Store::open(&path, key(), options()).expect("opens");
    let mut accepting = recorded("a", 1, sought("a", 'a', &["a.wav"]));
    accepting.notes = vec![JournalNote {
        at: at(999),
        tenant: Some(source().tenant),
        source: Some(source()),
        integration: None,
        communication: Some(communication("a")),
        word: "blind".to_owned(),
        text: "the link was down".to_owned(),
    }];
    store.accept(accepting).await.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    let decided = store.decide(fence, decide(1, vec![contact_step(1)])).await;
    decided.expect("decides");
    let sent = advance(1, "contact", vec![in_flight()]);
    store.advance(fence, sent).await.expect("advances");
    let settings = json!({ "calls": 1 });
    store
        .put_settings(amo(), settings, at(1))
        .await
        .expect("puts");
    let account = json!({ "marker_field": 5 });
    store.put_account(portal(), account).await.expect("puts");
    store.change_directory(two_cards()).await.expect("applies");
    let deals = DealBatch {
        moves: vec![moved("1", "m1", "7", "8")],
        pull: Some(DealPull::default()),
        ..batch(vec![deal("1", "8", 20)])
    };
    store.change_deals(deals).await.expect("kept");
    let uploaded = DealUploaded {
        integration: amo(),
        upload: DealUpload {
            target: "acme/cloud".to_owned(),
            ..DealUpload::default()
        },
        taken: Vec::new(),
        refused: Vec::new(),
    };
    store.deals_uploaded(uploaded).await.expect("kept");
    close(store, thread).await;
    path
}

fn open(path: &Path) -> (StoreHandle, StoreThread) {
    Store::open(path, key(), options()).expect("opens")
}

/// Changes one row of a table behind the store's back; returns what it was and what it is.
fn spoil(
    path: &Path,
    table: &str,
    index: usize,
    change: impl FnOnce(&mut Vec<u8>),
) -> (Vec<u8>, Vec<u8>) {
    match table {
        "works" | "notes" | "quarantine" => spoil_in::<u64>(path, table, index, change),
        "ledgers" | "decisions" | "deals" => spoil_in::<(&str, &str)>(path, table, index, change),
        "settings" => spoil_in::<(&str, u64)>(path, table, index, change),
        "deal_moves" => spoil_in::<(&str, &str, i64, &str)>(path, table, index, change),
        _ => spoil_in::<&str>(path, table, index, change),
    }
}

fn spoil_in<K: Key + 'static>(
    path: &Path,
    table: &str,
    index: usize,
    change: impl FnOnce(&mut Vec<u8>),
) -> (Vec<u8>, Vec<u8>) {
    let database = Database::open(path).expect("opens");
    let txn = database.begin_write().expect("begins");
    let mut rows = txn
        .open_table(TableDefinition::<K, &[u8]>::new(table))
        .expect("opens");
    let all: Vec<(Vec<u8>, Vec<u8>)> = rows
        .iter()
        .expect("reads")
        .map(|row| {
            let (key, row) = row.expect("reads");
            let key = key.value();
            (K::as_bytes(&key).as_ref().to_vec(), row.value().to_vec())
        })
        .collect();
    let (key, before) = all[index % all.len()].clone();
    let mut after = before.clone();
    change(&mut after);
    rows.insert(K::from_bytes(&key), after.as_slice())
        .expect("inserts");
    drop(rows);
    txn.commit().expect("commits");
    (before, after)
}

/// What a build that writes another form of row would have written.
fn newer(row: &mut [u8]) {
    row[0] = 2;
}

/// Lets the present build read what is in quarantine, as if it were another one.
fn heal(path: &Path, original: &[u8]) {
    spoil(path, "quarantine", 0, |row| {
        let mut kept: Value = serde_json::from_slice(&row[1..]).expect("is JSON");
        kept["bytes"] = json!(STANDARD.encode(original));
        row.truncate(1);
        row.extend(serde_json::to_vec(&kept).expect("is JSON"));
    });
}

async fn in_quarantine(store: &StoreHandle) -> Vec<QuarantinedRow> {
    store.quarantine(None, 100).await.expect("lists")
}

async fn words(store: &StoreHandle) -> Vec<String> {
    let search = NoteSearch {
        limit: 100,
        ..NoteSearch::default()
    };
    let notes = store.notes(search).await.expect("reads");
    notes.into_iter().map(|one| one.note.word).collect()
}

fn count(path: &Path, table: &str) -> u64 {
    fn rows<K: Key + 'static>(path: &Path, table: &str) -> u64 {
        let database = Database::open(path).expect("opens");
        let txn = database.begin_read().expect("begins");
        let table = txn.open_table(TableDefinition::<K, &[u8]>::new(table));
        let table = table.expect("opens");
        u64::try_from(table.iter().expect("reads").count()).expect("few")
    }
    match table {
        "works" | "notes" => rows::<u64>(path, table),
        "ledgers" | "decisions" | "deals" => rows::<(&str, &str)>(path, table),
        "settings" => rows::<(&str, u64)>(path, table),
        "deal_moves" => rows::<(&str, &str, i64, &str)>(path, table),
        _ => rows::<&str>(path, table),
    }
}

#[tokio::test]
async fn a_row_of_a_newer_build_is_put_aside_at_each_table_and_put_back_by_one_that_reads_it() {
    for table in TABLES {
        let folder = tempfile::tempdir().expect("a folder");
        let path = filled(&folder).await;
        let (original, spoilt) = spoil(&path, table, 0, |row| newer(row));
        let before = count(&path, table);

        let (store, thread) = open(&path);
        let done = store.check(at(2000)).await.expect("checks");
        assert_eq!(done.rows, 1, "{table}");
        let rows = in_quarantine(&store).await;
        let [row] = rows.as_slice() else {
            panic!("{table}: {rows:?}");
        };
        assert_eq!((row.table.as_str(), row.at), (table, at(2000)));
        assert!(row.why.contains("version 2"), "{table}: {}", row.why);
        assert_eq!(row.kept_in_place, STAY.contains(&table), "{table}");
        assert!(!row.readable);
        let kept = store.quarantined(row.id).await.expect("reads");
        assert_eq!(kept.expect("is there").1, spoilt, "{table}: byte for byte");
        let figures = store.figures().await.expect("reads");
        let counted = (figures.unreadable_rows, figures.quarantined_rows);
        assert_eq!(counted, (0, 1), "{table}");
        let refused = store.put_back(row.id, at(2001)).await;
        let still = matches!(refused, Err(StoreError::StillUnreadable { .. }));
        assert!(still, "{table}: {refused:?}");
        assert!(
            words(&store)
                .await
                .contains(&"row_in_quarantine".to_owned())
        );
        let again = store.check(at(2002)).await.expect("checks");
        assert_eq!(again.rows, 0, "{table}: it is told of once");
        let id = row.id;
        close(store, thread).await;
        let stands = count(&path, table);
        match table {
            _ if STAY.contains(&table) => assert_eq!(stands, before, "{table}"),
            // The remark about it is one of them itself.
            "notes" => assert_eq!(stands, before, "{table}"),
            _ => assert_eq!(stands, before - 1, "{table}"),
        }

        // The build that wrote it is installed again.
        if STAY.contains(&table) {
            spoil(&path, table, 0, |row| row.clone_from(&original));
        } else {
            heal(&path, &original);
        }
        let (store, thread) = open(&path);
        if STAY.contains(&table) {
            let done = store.check(at(2003)).await.expect("checks");
            assert_eq!(done.rows, 1, "{table} is let go by itself");
            assert_eq!(done.works, [(amo(), 1)], "{table}: its work goes on");
        } else {
            assert!(in_quarantine(&store).await[0].readable, "{table}");
            let done = store.put_back(id, at(2003)).await.expect("puts back");
            let goes_on = ["communications", "works", "recordings"].contains(&table);
            assert_eq!(done.works.is_empty(), !goes_on, "{table}: {done:?}");
        }
        assert_eq!(in_quarantine(&store).await, [], "{table}");
        assert!(words(&store).await.contains(&"row_put_back".to_owned()));
        let story = store.story(communication("a")).await.expect("reads");
        let story = story.expect("is there");
        assert_eq!(story.communication.outcome, JournalOutcome::Waiting);
        assert_eq!((story.works.len(), story.ledgers.len()), (1, 1), "{table}");
        assert!(story.recording.is_some(), "{table}");
        let figures = store.figures().await.expect("reads");
        let counted = (figures.unreadable_rows, figures.quarantined_rows);
        assert_eq!(counted, (0, 0), "{table}");
        close(store, thread).await;
    }
}

#[tokio::test]
async fn fields_that_a_newer_build_added_keep_a_row_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = filled(&folder).await;
    for table in TABLES {
        spoil(&path, table, 0, |row| {
            let mut value: Value = serde_json::from_slice(&row[1..]).expect("is JSON");
            let object = match &mut value {
                Value::Array(rows) => rows.first_mut(),
                other => Some(other),
            };
            let object = object.and_then(Value::as_object_mut).expect("an object");
            object.insert("of_a_later_version".to_owned(), json!({ "a": 1 }));
            row.truncate(1);
            row.extend(serde_json::to_vec(&value).expect("is JSON"));
        });
    }
    let (store, _thread) = open(&path);
    assert_eq!(store.check(at(2000)).await.expect("checks").rows, 0);
    assert_eq!(in_quarantine(&store).await, []);
}

#[tokio::test]
async fn a_row_that_was_written_anew_since_is_not_overwritten_by_putting_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = filled(&folder).await;
    let (original, _) = spoil(&path, "communications", 0, |row| newer(row));
    let (store, thread) = open(&path);
    // No check was made yet: the row is kept all the same when a fresh picture takes its place.
    let fresh = accept(vec![routed(call("a", 1, 7))], 2);
    store.accept(fresh).await.expect("accepts");
    let id = in_quarantine(&store).await[0].id;
    close(store, thread).await;
    heal(&path, &original);
    let (store, _thread) = open(&path);
    let refused = store.put_back(id, at(2001)).await;
    assert!(matches!(refused, Err(StoreError::PlaceTaken { .. })));
    let stored = store.communication(communication("a")).await;
    assert_eq!(
        stored.expect("reads").expect("is there").snapshot.revision,
        7
    );
    store.drop_quarantined(id, at(2002)).await.expect("drops");
    assert_eq!(in_quarantine(&store).await, []);
    let works = store.open_works().await.expect("reads");
    assert_eq!(works.len(), 1, "the fresh picture's work is not concerned");
    let refused = store.drop_quarantined(id, at(2002)).await;
    assert_eq!(refused, Err(StoreError::NotInQuarantine(id)));
}

#[tokio::test]
async fn a_dropped_row_takes_the_work_with_it_that_cannot_go_on_without_it() {
    for table in ["communications", "works", "ledgers", "decisions"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = filled(&folder).await;
        spoil(&path, table, 0, |row| newer(row));
        let (store, thread) = open(&path);
        store.check(at(2000)).await.expect("checks");
        let id = in_quarantine(&store).await[0].id;
        let figures = store.figures().await.expect("reads");
        assert_eq!(figures.open_works == 0, table == "works", "{table}");
        store.drop_quarantined(id, at(2001)).await.expect("drops");
        let figures = store.figures().await.expect("reads");
        let left = (figures.open_works, figures.quarantined_rows);
        assert_eq!(left, (0, 0), "{table}");
        assert_eq!(store.check(at(2002)).await.expect("checks").rows, 0);
        let stored = store.communication(communication("a")).await;
        let outcome = stored.expect("reads").map(|stored| stored.outcome);
        assert_ne!(outcome, Some(JournalOutcome::Waiting), "{table}");
        // What was worked on is not worked on again when its source repeats it.
        let again = accept(vec![routed(call("a", 1, 9))], 3);
        let again = store.accept(again).await.expect("accepts");
        assert_eq!(again, [stored_without_work()], "{table}");
        assert!(
            words(&store)
                .await
                .contains(&"row_dropped_by_person".to_owned())
        );
        close(store, thread).await;
    }
}

fn stored_without_work() -> trunkline::store::command::Accepted {
    stored(Vec::new())
}

#[tokio::test]
async fn what_is_in_quarantine_goes_with_its_time_and_with_its_client_unless_work_waits_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = filled(&folder).await;
    spoil(&path, "notes", 0, |row| newer(row));
    spoil(&path, "works", 0, |row| newer(row));
    let (store, thread) = open(&path);
    store.check(at(2000)).await.expect("checks");
    assert_eq!(in_quarantine(&store).await.len(), 2);
    let retention = |before: Timestamp| Retention {
        before,
        rows_max: 100,
    };
    store.sweep(retention(at(1500))).await.expect("sweeps");
    assert_eq!(in_quarantine(&store).await.len(), 2);
    let report = store.forget(phone(1), at(2001)).await.expect("forgets");
    assert_eq!(report.quarantined, 0, "work of it waits: {report:?}");
    store.sweep(retention(at(9_000_000))).await.expect("sweeps");
    let left = in_quarantine(&store).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].table, "works");
    store
        .drop_quarantined(left[0].id, at(2002))
        .await
        .expect("drops");
    close(store, thread).await;

    spoil(&path, "decisions", 0, |row| newer(row));
    let (store, _thread) = open(&path);
    // What is over is looked through where something is met that cannot be read.
    assert!(store.ledger(amo(), communication("a")).await.is_err());
    assert_eq!(store.check(at(2003)).await.expect("checks").rows, 1);
    let report = store
        .forget(phone(1), at(9_999_999))
        .await
        .expect("forgets");
    assert_eq!((report.communications, report.quarantined), (1, 1));
    assert_eq!(in_quarantine(&store).await, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bit of whatever row is flipped: the store opens, nothing panics, and the row is
    /// either read or kept byte for byte; no other row is touched.
    #[test]
    fn a_flipped_bit_costs_its_own_row_at_the_most(
        table in 0..TABLES.len(),
        index in 0..4_usize,
        place in 0..100_000_usize,
        bit in 0..8_u8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let table = TABLES[table];
            let folder = tempfile::tempdir().expect("a folder");
            let path = filled(&folder).await;
            let before: Vec<u64> = TABLES.iter().map(|table| count(&path, table)).collect();
            let (_, spoilt) = spoil(&path, table, index, |row| {
                let place = place % row.len();
                row[place] ^= 1 << bit;
            });
            let (store, thread) = open(&path);
            store.check(at(2000)).await.expect("checks");
            let rows = in_quarantine(&store).await;
            assert!(rows.len() <= 1, "{rows:?}");
            let taken = rows.first().filter(|row| !row.kept_in_place).is_some();
            if let Some(row) = rows.first() {
                assert_eq!(row.table, table);
                let kept = store.quarantined(row.id).await.expect("reads");
                assert_eq!(kept.expect("is there").1, spoilt);
            }
            assert_eq!(store.check(at(2001)).await.expect("checks").rows, 0);
            // Everything answers, whatever is missing.
            drop(store.open_works().await.expect("reads"));
            drop(store.story(communication("a")).await.expect("reads"));
            drop(store.work_at_hand(1).await);
            close(store, thread).await;
            let remarks = u64::try_from(rows.len()).expect("one");
            for (name, before) in TABLES.iter().zip(before) {
                let lost = u64::from(taken && *name == table);
                let added = match *name { "notes" => remarks, _ => 0 };
                assert_eq!(count(&path, name), before - lost + added, "{name}");
            }
        });
    }
}
