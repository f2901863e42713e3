//! What is sent to somebody who helps holds no secrets and nobody's name or number.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use flate2::read::GzDecoder;
use trunkline::lab::fault::{Fault, When};

use super::office::{Office, site_call};
use super::wait::{until, when};

const CLIENT: &str = "79161234567";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_support_bundle_holds_neither_secrets_nor_numbers_nor_names() {
    let office = Office::open().await;
    // Refused for good: the client's number stands in the dead letter.
    office
        .home
        .edit_tenant("stage = \"3102\"", "stage = \"999\"");
    office.fault(
        "",
        "/api/v4/leads/notes*",
        When::Always,
        Fault::ErrorBefore { status: 503 },
    );
    let daemon = office.start().await;
    assert_eq!(daemon.post(&site_call("planted", CLIENT, 0)).await.0, 202);
    until("something is dead", async || {
        let status = daemon.get("/v1/status").await;
        when(status["store"]["dead_letters"] != 0, &status["store"])
    })
    .await;
    let file = office.home.path("support.tar.gz");
    let name = file.to_str().expect("text");
    let made = office.home.run(&["support-bundle", name]).await;
    assert_eq!(made.status, Some(0), "{made:?}");
    let mode = fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut tar = tar::Archive::new(GzDecoder::new(File::open(&file).expect("there")));
    let mut all = String::new();
    let mut names = Vec::new();
    for entry in tar.entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        names.push(entry.path().expect("a name").to_string_lossy().into_owned());
        entry.read_to_string(&mut all).expect("text");
    }
    for part in [
        "version.txt",
        "status.json",
        "doctor.txt",
        "config/trunkline.json",
        "dead-letters.json",
    ] {
        assert!(
            names.iter().any(|name| name.ends_with(part)),
            "{part}: {names:?}"
        );
    }
    for secret in office.home.secrets() {
        assert!(!all.contains(secret.as_str()), "a secret: {all}");
    }
    for planted in [
        CLIENT,
        "9161234567",
        "1234567",
        "Анна",
        "Борис",
        "Акме",
        "Отдел продаж",
    ] {
        assert!(!all.contains(planted), "{planted}: {all}");
    }
    assert!(all.contains("dead_letters"), "what helps is there: {all}");
    let again = office.home.run(&["support-bundle", name]).await;
    assert_eq!(again.status, Some(1), "nothing is overwritten: {again:?}");
}
