//! The disk is full to the last byte: the process ends, the next one waits for room and serves what
//! it can.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use reqwest::StatusCode;
use trunkline::lab::ami::{Message, ScriptedCall};

use super::alarms::{mailed, texts};
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

    /// Leaves this many MiB.
    fn leave(&self, mib: usize) {
        let mut left = fs::File::create(self.place.join("left")).expect("a file");
        let block = [0_u8; 4096];
        for _ in 0..mib * 256 {
            left.write_all(&block).expect("there is room yet");
        }
        left.sync_all().expect("written");
        self.fill();
        fs::remove_file(self.place.join("left")).expect("it is there");
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
    let mail = mailed(&office).await;
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
    until(
        "a person is told, although nothing can be written",
        async || {
            let told = texts(&mail).iter().any(|text| text.contains("make room"));
            when(told, office.home.log())
        },
    )
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

/// Waits until the daemon takes what is posted, or refuses it for want of room.
async fn takes(daemon: &Daemon, began_s: u32, taken: bool) {
    until("the disk is measured", async || {
        let posted = daemon
            .post(&site_call(&format!("at-{began_s}"), "79160000099", began_s))
            .await
            .0;
        let wanted = if taken { [202, 200] } else { [503, 503] };
        when(wanted.contains(&posted), posted)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_there_is_no_room_calls_are_kept_and_beyond_the_bound_the_blind_interval_stands() {
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
    takes(&daemon, 0, true).await;
    daemon.settled(1).await;

    // A call comes and goes while nothing is taken: the session keeps it.
    disk.leave(8);
    takes(&daemon, 60, false).await;
    let call = ScriptedCall::of("inbound_answered").client("79160000001");
    let call = office.ami.play(call.speed(5.0)).expect("it was recorded");
    call.await.expect("it ends");
    disk.make_room();
    takes(&daemon, 60, true).await;
    until("the call that came meanwhile is in the CRM", async || {
        let calls = office.oracle().calls_of_phone("79160000001").len();
        when(calls == 1, calls)
    })
    .await;
    let notes = daemon.notes().await;
    assert!(!notes.iter().any(|(word, _)| word == "blind"), "{notes:?}");

    // More than the session keeps: it says since when it has not seen anything.
    disk.leave(8);
    takes(&daemon, 120, false).await;
    let channel = Message::event("Newchannel")
        .with("Privilege", "call,all")
        .with("Channel", "PJSIP/101-00000001")
        .with("ChannelState", "0")
        .with("Context", "from-internal")
        .with("Exten", "102")
        .with("Uniqueid", "1790000000.1")
        .with("Linkedid", "1790000000.1");
    office.ami.emit(&channel);
    let noise = Message::event("ExtensionStatus")
        .with("Privilege", "call,all")
        .with("Exten", "101");
    for _ in 0..25_000 {
        office.ami.emit(&noise);
    }
    until("nothing is read any more", async || {
        let log = office.home.log();
        when(log.contains("takes events too slowly"), "no such line")
    })
    .await;
    disk.make_room();
    until("the blind interval stands in the journal", async || {
        let notes = daemon.notes().await;
        let told = notes
            .iter()
            .any(|(word, text)| word == "blind" && text.contains("events waited for the store"));
        when(told, format!("{notes:?}"))
    })
    .await;
    takes(&daemon, 120, true).await;
    assert_eq!(daemon.terminate().await, Some(0));
}
