//! The disk is full to the last byte: the process ends, the next one waits for room and serves what
//! it can.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use reqwest::StatusCode;

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::wait::{until, when};

/// A disk of 24 MiB. Only root may make one.
struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    fn mount(place: PathBuf) -> Option<Self> {
        fs::create_dir(&place).expect("a folder");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(&place);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self { place })
    }

    fn fill(&self) {
        let mut filler = fs::File::create(self.place.join("filler")).expect("a file");
        let block = [0_u8; 4096];
        while filler.write_all(&block).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.place.join("filler")).expect("it is there");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the daemon may still have a file open.
        let unmounted = Command::new("umount").arg("-l").arg(&self.place).status();
        drop(unmounted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_the_daemon_ends_and_the_next_one_waits_for_room() {
    let office = Office::open().await;
    let Some(disk) = SmallDisk::mount(office.home.path("disk")) else {
        let skipped = "skipped: a small disk can be made by root only";
        writeln!(std::io::stderr(), "{skipped}").expect("standard error");
        return;
    };
    office.home.edit(
        "etc/trunkline.toml",
        "path = \"../trunkline.redb\"",
        "path = \"../disk/trunkline.redb\"\nfree_mb_min = 16",
    );
    let daemon = office.start().await;
    assert_eq!(
        daemon.post(&site_call("first", "79160000001", 0)).await.0,
        202
    );
    daemon.settled(1).await;

    disk.fill();
    // Before the disk is measured again; more than fits into what the file has left over.
    let many = (0..200).map(|n| site_call(&format!("many-{n}"), "79160000009", n));
    let many = serde_json::Value::Array(many.collect());
    assert_eq!(daemon.post(&many).await.0, 503);
    let http = daemon.http.clone();
    let (intake, admin) = (office.home.intake(), office.home.admin());
    daemon.ends().await;
    assert!(office.home.log().contains("the store ended"));

    let mut daemon = Daemon::spawn(&office.home);
    daemon.answers("/healthz", StatusCode::OK).await;
    daemon
        .answers("/readyz", StatusCode::SERVICE_UNAVAILABLE)
        .await;
    until("the alarm says why", async || {
        let status = daemon.get("/v1/status").await;
        let told = list(&status, "alarms").iter().any(|alarm| {
            let text = alarm["text"].as_str().unwrap_or_default();
            alarm["what"] == "disk" && text.contains("make room")
        });
        when(told, status)
    })
    .await;
    let posted = http
        .post(format!("http://{intake}/v1/events/acme/site/any"))
        .body("{}")
        .send()
        .await
        .expect("an answer");
    assert_eq!(posted.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(posted.headers().contains_key("retry-after"));
    // Who a caller should reach is answered from memory.
    let question = format!(
        "http://{}/v1/lookup/acme/office?phone=79160000001",
        office.home.questions()
    );
    let answered = http.get(question).send().await.expect("an answer");
    assert_eq!(answered.status(), StatusCode::OK);
    // What is stored can be read.
    assert_eq!(daemon.journal_keys().await.len(), 1);
    let metrics = http
        .get(format!("http://{admin}/metrics"))
        .bearer_auth(super::home::ADMIN_TOKEN);
    assert!(
        metrics
            .send()
            .await
            .expect("an answer")
            .status()
            .is_success()
    );

    disk.make_room();
    daemon.answers("/readyz", StatusCode::OK).await;
    assert_eq!(
        daemon.post(&site_call("second", "79160000002", 60)).await.0,
        202
    );
    daemon.settled(2).await;
    let oracle = office.oracle();
    for client in ["79160000001", "79160000002"] {
        assert_eq!(oracle.calls_of_phone(client).len(), 1);
    }
    assert_eq!(daemon.terminate().await, Some(0));
}
