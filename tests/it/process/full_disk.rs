//! A disk that is really full. Needs a small file system of its own, and so the right to mount
//! one; where that is missing the test says so and passes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::daemon::{Daemon, http_client};
use super::home::SITE_HOOK;
use super::office::{Office, site_call};
use super::wait::{until, when};

/// A file system in memory of 24 MiB; unmounted when dropped.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]);
        let mounted = mount.arg(&at).output().ok()?;
        mounted.status.success().then_some(Self { at })
    }

    /// Takes all the room that there is but so many bytes.
    fn fill(&self, but: u64) {
        let disk = rustix::fs::statvfs(&self.at).expect("a file system");
        let free = disk.f_bavail * disk.f_frsize;
        let filler = vec![0_u8; usize::try_from(free - but).expect("small")];
        std::fs::write(self.filler(), filler).expect("room for it");
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("removed");
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A lazy one: the daemon may still have its file open.
        drop(Command::new("umount").arg("-l").arg(&self.at).status());
    }
}

/// Posts until the daemon takes no more; says whether it ended. It does when the store meets the
/// full disk, and lives on when it saw in time that there was no room.
async fn write_until_it_is_full(daemon: &mut Daemon) -> bool {
    for number in 0..5_000 {
        let calls = (0..40).map(|n| {
            let client = format!("+7916666{:04}", n + 1);
            site_call(&format!("w-{number}-{n}"), &client, 0)
        });
        let body = json!(calls.collect::<Vec<Value>>());
        if daemon.try_post(&body).await != Some(StatusCode::ACCEPTED) {
            break;
        }
    }
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        if daemon.ended().is_some() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_full_disk_the_next_start_waits_for_room_and_recovers_by_itself() {
    let office = Office::open().await;
    let Some(disk) = SmallDisk::mount(office.home.path("disk")) else {
        tracing::warn!("no right to mount a file system: the full disk is not tested");
        return;
    };
    let place = "path = \"../trunkline.redb\"";
    let small = "path = \"../disk/trunkline.redb\"\nfree_mb_min = 16";
    office.home.edit("etc/trunkline.toml", place, small);
    let mut daemon = office.start().await;
    let first = daemon.post(&site_call("w-0", "+79166660000", 0)).await;
    assert_eq!(first.0, 202, "{}", first.1);
    daemon.settled(1).await;
    disk.fill(0);
    if write_until_it_is_full(&mut daemon).await {
        let log = office.home.log();
        assert!(log.contains("the store ended"), "{log}");
    }
    daemon.kill();

    let mut next = Daemon::spawn(&office.home);
    let http = http_client();
    let admin = format!("http://{}", office.home.admin());
    until("it says that it waits for room", async || {
        let answer = http.get(format!("{admin}/readyz")).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        when(
            status == StatusCode::SERVICE_UNAVAILABLE && text.contains("make room"),
            text,
        )
    })
    .await;
    let healthy = http.get(format!("{admin}/healthz")).send().await;
    assert_eq!(healthy.expect("an answer").status(), StatusCode::OK);
    let intake = format!(
        "http://{}/v1/events/acme/site/{SITE_HOOK}",
        office.home.intake()
    );
    let refused = http.post(intake).body("{}").send().await.expect("answer");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(next.ended().is_none());

    disk.make_room();
    next.ready().await;
    let posted = next.post(&site_call("w-last", "+79166660002", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    assert!(Path::new(&office.home.path("disk/trunkline.redb")).exists());
    drop(next);
}
