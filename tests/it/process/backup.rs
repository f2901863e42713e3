//! A backup of a running daemon, put back after everything was lost.

use std::fs;

use super::office::{Office, site_call};
use super::wait::{until, when};

const BEFORE: &str = "79160000001";
const UNDER_WAY: &str = "79160000002";
const AFTER: &str = "79160000003";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_put_back_repeats_nothing_that_was_made_after_it() {
    let office = Office::open().await;
    let daemon = office.start_warm(BEFORE).await;
    // One call is decided and cannot be delivered yet when the backup is made.
    office.crm_down();
    assert_eq!(
        daemon.post(&site_call("under-way", UNDER_WAY, 0)).await.0,
        202
    );
    let file = office.home.path("backup.tar.gz");
    let name = file.to_str().expect("text");
    let made = office.home.run(&["backup", name, "--json"]).await;
    assert_eq!(made.status, Some(0), "{made:?}");
    assert_eq!(made.json()["manifest"]["communications"], 2);
    let again = office.home.run(&["backup", name]).await;
    assert_eq!(
        again.status,
        Some(2),
        "a backup is not overwritten: {again:?}"
    );
    for secret in office.home.secrets() {
        let bytes = fs::read(&file).expect("there");
        assert!(
            !bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }

    // Afterwards everything is delivered, and another call comes.
    office.crm.clear_faults();
    assert_eq!(daemon.post(&site_call("after", AFTER, 0)).await.0, 202);
    daemon.settled(3).await;
    office.holds_one_answered_call_of_each(&[BEFORE, UNDER_WAY, AFTER]);

    let living = office
        .home
        .run(&["restore", name, "--yes", "--replace"])
        .await;
    assert_eq!(living.status, Some(2), "{living:?}");
    assert!(
        living.err.contains("systemctl stop trunkline"),
        "{living:?}"
    );
    daemon.kill();
    let there = office.home.run(&["restore", name, "--yes"]).await;
    assert!(there.err.contains("--replace"), "{there:?}");
    // The disk is lost.
    fs::remove_file(office.home.path("trunkline.redb")).expect("it was there");
    let said = office.home.run(&["restore", name]).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(said.out.contains("Nothing was changed"), "{said:?}");
    assert!(!office.home.path("trunkline.redb").exists());
    let restored = office.home.run(&["restore", name, "--yes"]).await;
    assert_eq!(restored.status, Some(0), "{restored:?}");

    let daemon = office.start().await;
    // The site repeats what it does not know to be taken.
    assert_eq!(daemon.post(&site_call("after", AFTER, 0)).await.0, 202);
    daemon.settled(3).await;
    office.holds_one_answered_call_of_each(&[BEFORE, UNDER_WAY, AFTER]);
    // What was there already was found, not made anew.
    assert!(
        office.home.log().contains("adopted=true"),
        "{}",
        office.home.log()
    );
    until("nothing is dead", async || {
        let status = daemon.get("/v1/status").await;
        when(status["store"]["dead_letters"] == 0, &status["store"])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_is_damaged_or_of_another_key_is_not_put_back() {
    let office = Office::open().await;
    let daemon = office.start_warm(BEFORE).await;
    let file = office.home.path("backup.tar.gz");
    let name = file.to_str().expect("text");
    let made = office.home.run(&["backup", name]).await;
    assert_eq!(made.status, Some(0), "{made:?}");
    assert_eq!(daemon.terminate().await, Some(0));
    let live = office.home.path("trunkline.redb");
    let before = fs::read(&live).expect("there");
    office.home.write(
        "secrets/store-key",
        "another-key-of-thirty-two-bytes-or-more",
    );
    let other = office
        .home
        .run(&["restore", name, "--yes", "--replace"])
        .await;
    assert_eq!(other.status, Some(1), "{other:?}");
    assert!(other.err.contains("another key"), "{other:?}");
    let mut bytes = fs::read(&file).expect("there");
    bytes.truncate(bytes.len() / 2);
    fs::write(&file, bytes).expect("written");
    let cut = office
        .home
        .run(&["restore", name, "--yes", "--replace"])
        .await;
    assert_eq!(cut.status, Some(1), "{cut:?}");
    assert!(
        fs::read(&live).expect("there") == before,
        "nothing was touched"
    );
    let into = office.home.path("elsewhere");
    fs::create_dir(&into).expect("made");
    let into = into.to_str().expect("text");
    let cut = office
        .home
        .run(&["restore", name, "--config-into", into])
        .await;
    assert_eq!(cut.status, Some(1), "{cut:?}");
}
