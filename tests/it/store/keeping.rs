//! Settings by revision, credentials, accounts.

use serde_json::json;
use trunkline::model::secret::Secret;
use trunkline::store::{Store, StoreError};

use super::sample::*;
use crate::crash_backend::{CrashDisk, StopAt};

#[tokio::test]
async fn settings_get_a_new_revision_only_when_they_change() {
    let (store, _thread) = in_memory();
    assert_eq!(store.settings(amo(), None).await, Ok(None));
    let (a, b) = (json!({"calls": 1}), json!({"calls": 2}));
    for (settings, revision) in [(&a, 1), (&a, 1), (&b, 2), (&b, 2), (&a, 3)] {
        let saved = store.put_settings(amo(), settings.clone(), at(1)).await;
        assert_eq!(saved, Ok(revision));
    }
    assert_eq!(store.settings(amo(), None).await, Ok(Some((3, a))));
    assert_eq!(store.settings(amo(), Some(2)).await, Ok(Some((2, b))));
    assert_eq!(store.settings(amo(), Some(4)).await, Ok(None));
}

#[tokio::test]
async fn a_credential_comes_back_and_its_text_is_nowhere_on_the_disk() {
    const TEXT: &str = "a-token-that-nobody-may-see-0123456789";
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let (store, thread) = on(disk.clone());
    let secret = Secret::new(TEXT.to_owned());
    let put = store.put_credential("acme/amo", secret.clone()).await;
    put.expect("puts");
    let account = json!({"marker_field": 5});
    let put = store.put_account(portal(), account.clone()).await;
    put.expect("puts");
    assert_eq!(store.credential("acme/amo").await, Ok(Some(secret)));
    assert_eq!(store.credential("acme/other").await, Ok(None));
    assert_eq!(store.account(portal()).await, Ok(Some(account)));
    close(store, thread).await;

    let bytes = disk.bytes();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(holds("marker_field"), "what is no secret can be read");
    assert!(!holds(TEXT));
    assert!(!holds(&TEXT[..12]), "not even a part of it");

    let (store, _thread) = on(CrashDisk::new(bytes, StopAt::Never));
    assert_eq!(store.delete_credential("acme/amo").await, Ok(true));
    assert_eq!(store.delete_credential("acme/amo").await, Ok(false));
    assert_eq!(store.credential("acme/amo").await, Ok(None));
}

#[tokio::test]
async fn a_damaged_credential_is_refused_and_harms_nothing_else() {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let (store, thread) = on(disk.clone());
    let secret = Secret::new("text".to_owned());
    store
        .put_credential("a", secret.clone())
        .await
        .expect("puts");
    close(store, thread).await;
    // The row of "a" is put under another name by somebody who can write the file.
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), disk.bytes()).expect("writes");
    move_credential(file.path(), "a", "b");
    let (store, _thread) = Store::open(file.path(), key(), options()).expect("opens");
    let name = "b".to_owned();
    assert_eq!(
        store.credential("b").await,
        Err(StoreError::WrongKey { name })
    );
    store
        .put_credential("b", secret.clone())
        .await
        .expect("puts");
    assert_eq!(store.credential("b").await, Ok(Some(secret)));
}

fn move_credential(path: &std::path::Path, from: &str, to: &str) {
    let table = redb::TableDefinition::<&str, &[u8]>::new("credentials");
    let database = redb::Database::open(path).expect("opens");
    let txn = database.begin_write().expect("begins");
    let mut rows = txn.open_table(table).expect("opens");
    let row = rows
        .remove(from)
        .expect("removes")
        .map(|row| row.value().to_vec());
    rows.insert(to, row.expect("was there").as_slice())
        .expect("inserts");
    drop(rows);
    txn.commit().expect("commits");
}
