//! The doctor finds what is wrong with a set-up, and names the cure.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use trunkline::lab::fault::{Fault, When};

use super::daemon::list;
use super::office::Office;
use super::wait::{until, when};

/// Runs the doctor and returns the checks that came out so.
async fn checks(office: &Office, verdict: &str) -> Vec<Value> {
    let ran = office.home.run(&["doctor", "--json"]).await;
    let report = ran.json();
    let failed = report["failed"].as_u64().expect("a count");
    assert_eq!(ran.status, Some(i32::from(failed > 0)), "{report}");
    let checks = list(&report, "checks").iter();
    checks
        .filter(|check| check["verdict"] == verdict)
        .cloned()
        .collect()
}

/// Expects the doctor to find this, with these words in the cure.
async fn finds(office: &Office, id: &str, found: &str, cure: &str) {
    let failed = checks(office, "fail").await;
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let named = failed.iter().find(|check| check["id"] == id);
    let named = named.unwrap_or_else(|| panic!("{id} is not found: {failed:?}"));
    assert!(text(named, "found").contains(found), "{named}");
    assert!(text(named, "cure").contains(cure), "{named}");
}

/// Answers every request so.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            // One piece holds the head of a request without a body.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_set_up_has_nothing_wrong() {
    let office = Office::open().await;
    let daemon = office.start().await;
    until("the account is read and nothing is wrong", async || {
        let failed = checks(&office, "fail").await;
        when(failed.is_empty(), format!("{failed:?}"))
    })
    .await;
    let ok = checks(&office, "ok").await;
    for id in ["config", "daemon", "disk", "port", "clock", "crm.reachable"] {
        assert!(ok.iter().any(|check| check["id"] == id), "{id}: {ok:?}");
    }
    // What the account's tariff does not have is said, and is nothing wrong.
    let warned = checks(&office, "warn").await;
    assert!(
        warned.iter().any(|check| check["id"] == "crm.tariff"),
        "{warned:?}"
    );
    let words = office.home.run(&["doctor"]).await;
    assert!(words.out.contains("0 failed"), "{words:?}");
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_the_configuration_is_found() {
    let office = Office::open().await;
    office
        .home
        .edit_tenant("activity = \"on\"", "activity = \"yes\"");
    finds(&office, "config", "activity", "check-config").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_does_not_run_is_found() {
    let office = Office::open().await;
    finds(
        &office,
        "daemon",
        "does not answer",
        "systemctl start trunkline",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_everybody_can_read_is_found() {
    let office = Office::open().await;
    let open = Permissions::from_mode(0o644);
    fs::set_permissions(office.home.path("secrets/ami"), open).expect("opened");
    finds(&office, "secrets", "secrets/ami", "chmod 0640").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_folder_and_a_wrong_key_of_the_store_are_found() {
    let office = Office::open().await;
    let daemon = office.start().await;
    assert_eq!(daemon.terminate().await, Some(0));
    let key = "another-key-of-thirty-two-bytes-or-more";
    office.home.write("secrets/store-key", key);
    finds(&office, "store.key", "another key", "put the key back").await;
    let path = "path = \"../trunkline.redb\"";
    office.home.edit(
        "etc/trunkline.toml",
        path,
        "path = \"../nowhere/trunkline.redb\"",
    );
    finds(
        &office,
        "store.folder",
        "is not there",
        "install -d -o trunkline",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_another_program_has_is_found() {
    let office = Office::open().await;
    let taken = TcpListener::bind(office.home.intake()).expect("it is free");
    finds(&office, "port", "taken by another program", "ss -ltnp").await;
    drop(taken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_is_found() {
    let office = Office::open().await;
    let path = "path = \"../trunkline.redb\"";
    let wanted = format!("{path}\nfree_mb_min = 1000000000");
    office.home.edit("etc/trunkline.toml", path, &wanted);
    finds(&office, "disk", "MiB are free", "make room").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_out_of_reach_is_found() {
    let office = Office::open().await;
    let nobody = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = format!("http://{}", nobody.local_addr().expect("bound"));
    drop(nobody);
    office
        .home
        .edit("etc/trunkline.toml", &office.crm.base_url(), &address);
    finds(&office, "crm.reachable", "does not answer", "firewall").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_wrong_is_found() {
    let office = Office::open().await;
    let answer = "HTTP/1.1 200 OK\r\ndate: Tue, 21 Nov 2023 10:00:00 GMT\r\nconnection: close\r\n\
                  content-length: 0\r\n\r\n";
    let past = answering(answer);
    office
        .home
        .edit("etc/trunkline.toml", &office.crm.base_url(), &past);
    finds(&office, "clock", "s apart", "timedatectl set-ntp true").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_system_that_does_not_let_us_in_is_found() {
    let office = Office::open().await;
    office.home.write("secrets/ami", "not-the-secret");
    finds(&office, "pbx.session", "", "manager.conf").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_does_not_reach_us_is_found() {
    let office = Office::open().await;
    let answer = "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let proxy = answering(answer);
    let top = format!("public_url = \"{proxy}\"\ntenants_dir =");
    office
        .home
        .edit("etc/trunkline.toml", "tenants_dir =", &top);
    finds(&office, "public_url", "502", "[intake] listen").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_that_nothing_can_convert_or_read_are_found() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "name = \"Офис\"",
        "name = \"Офис\"\nrecordings = [{ folder = \"/nowhere/monitor\" }]",
    );
    let folder = "folder = \"../recordings\"";
    let wanted = format!("{folder}\nffmpeg = \"no-such-ffmpeg\"");
    office.home.edit("etc/trunkline.toml", folder, &wanted);
    finds(
        &office,
        "recordings.ffmpeg",
        "no-such-ffmpeg",
        "apt install ffmpeg",
    )
    .await;
    finds(&office, "recordings.folder", "/nowhere/monitor", "setfacl").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_the_crm_does_not_take_is_found() {
    let office = Office::open().await;
    office.fault("", "*", When::Always, Fault::ExpiredToken);
    let daemon = office.start().await;
    until("the doctor finds the account", async || {
        let failed = checks(&office, "fail").await;
        let found = failed.iter().find(|check| {
            let id = check["id"].as_str().unwrap_or_default();
            let cured = check["cure"]
                .as_str()
                .unwrap_or_default()
                .contains("account list");
            matches!(id, "crm.account" | "alarm.credential") && cured
        });
        when(found.is_some(), format!("{failed:?}"))
    })
    .await;
    drop(daemon);
}
