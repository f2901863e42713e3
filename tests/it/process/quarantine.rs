//! A row that cannot be read, as the person meets it who keeps the box: the alarm says what is
//! missing, the commands act upon it while the daemon runs, and the client gets his card at last.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redb::{Database, ReadableTable, TableDefinition};
use serde_json::{Value, json};

use super::daemon::list;
use super::office::Office;
use super::requests::{request, settled, with_requests};
use super::wait::{until, when};

const REQUESTS: &str = r#"
[integrations.settings.requests]
default_responsible = "501"
method = { kind = "contact" }
"#;

/// Changes the first row of a table that is keyed by a number; returns what it was.
fn spoil(office: &Office, table: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let database = Database::open(office.home.path("trunkline.redb")).expect("opens");
    let txn = database.begin_write().expect("begins");
    let before = {
        let definition = TableDefinition::<u64, &[u8]>::new(table);
        let mut rows = txn.open_table(definition).expect("opens");
        let (key, before) = {
            let (key, row) = rows.first().expect("reads").expect("has a row");
            (key.value(), row.value().to_vec())
        };
        let mut after = before.clone();
        change(&mut after);
        rows.insert(key, after.as_slice()).expect("inserts");
        before
    };
    txn.commit().expect("commits");
    before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_work_that_cannot_be_read_is_told_of_exported_and_put_back_by_a_build_that_reads_it() {
    let office = with_requests(Office::open().await, REQUESTS);
    let daemon = office.start().await;
    office.crm_down();
    for (key, phone) in [("q-1", "+79165550001"), ("q-2", "+79165550002")] {
        let mut posted = request(key, phone, "/price");
        // Two clients: one address of both would make one card.
        posted["email"] = json!(format!("{key}@example.com"));
        assert_eq!(daemon.post(&posted).await.0, 202);
    }
    assert_eq!(daemon.terminate().await, Some(0));
    let original = spoil(&office, "works", |row| row[0] = 2);

    let daemon = office.start().await;
    let alarm = async || {
        let alarms = daemon.get("/v1/alarms").await;
        let mut found = list(&alarms, "items").iter();
        let found = found.find(|one| one["alarm"]["word"] == "unreadable_rows");
        found
            .map(|one| one["alarm"]["text"].to_string())
            // It may have been met before the store was read through.
            .filter(|text| text.contains("works: 1"))
            .ok_or(alarms.to_string())
    };
    let text = until("the alarm stands", alarm).await;
    assert!(
        text.contains("works: 1") && text.contains("quarantine list"),
        "{text}"
    );
    let listed = office.home.run(&["store", "quarantine", "list"]).await;
    assert_eq!(listed.status, Some(0), "{listed:?}");
    assert!(listed.out.contains("works 1"), "{}", listed.out);
    assert!(
        listed.out.contains("acme/site/q-1"),
        "whose it was: {}",
        listed.out
    );
    let story = daemon.story("acme/site/q-1").await.to_string();
    assert!(story.contains("row_in_quarantine"), "{story}");

    let file = office.home.path("rows.ndjson").display().to_string();
    let ran = office
        .home
        .run(&["store", "quarantine", "export", &file])
        .await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let exported = std::fs::read_to_string(&file).expect("written");
    let exported: Value = serde_json::from_str(exported.trim()).expect("one line");
    let content = exported["content_text"].as_str().expect("can be read");
    assert!(content.contains("79165550001"), "{content}");

    let bundle = office.home.path("bundle.tar.gz").display().to_string();
    let ran = office.home.run(&["support-bundle", &bundle]).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.out.contains("quarantine.json"), "{}", ran.out);

    let refused = office
        .home
        .run(&["store", "quarantine", "put-back", "1"])
        .await;
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("install the one that wrote it"),
        "{refused:?}"
    );
    let unknown = office
        .home
        .run(&["store", "quarantine", "drop", "99"])
        .await;
    assert_eq!(unknown.status, Some(1), "{unknown:?}");

    // The other client's work is done as ever.
    office.crm.clear_faults();
    until("the other client has his card", async || {
        let made = office.oracle().contacts_of_phone("+79165550002").len();
        when(made == 1, made)
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0));

    // The build that wrote the row is installed again.
    spoil(&office, "quarantine", |row| {
        let mut kept: Value = serde_json::from_slice(&row[1..]).expect("is JSON");
        kept["bytes"] = json!(STANDARD.encode(&original));
        row.truncate(1);
        row.extend(serde_json::to_vec(&kept).expect("is JSON"));
    });
    let daemon = office.start().await;
    let listed = office.home.run(&["store", "quarantine", "list"]).await;
    assert!(listed.out.contains("put-back"), "{}", listed.out);
    let ran = office
        .home
        .run(&["store", "quarantine", "put-back", "--all"])
        .await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    settled(&daemon, 2).await;
    let oracle = office.oracle();
    for phone in ["+79165550001", "+79165550002"] {
        assert_eq!(oracle.contacts_of_phone(phone).len(), 1, "{phone}");
    }
    let alarms = daemon.get("/v1/status").await["alarms"].to_string();
    assert!(!alarms.contains("unreadable_rows"), "{alarms}");
}
