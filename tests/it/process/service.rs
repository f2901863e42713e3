//! What the service manager is told.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;

use super::office::Office;

/// Reads messages until one says this; returns all that were read.
fn told(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut bytes = [0_u8; 4096];
    while !seen.iter().any(|message: &String| message.contains(wanted)) {
        let length = socket
            .recv(&mut bytes)
            .unwrap_or_else(|error| panic!("{wanted}: {error}, {seen:?}"));
        seen.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_hears_of_ready_watchdog_reload_and_end() {
    let office = Office::open().await;
    let place = office.home.path("notify");
    let socket = UnixDatagram::bind(&place).expect("a socket");
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a limit");
    let mut command = office.home.command(&["run"]);
    command
        .env("NOTIFY_SOCKET", &place)
        .env("WATCHDOG_USEC", "600000")
        .stdout(office.home.log_file())
        .stderr(office.home.log_file());
    let mut daemon = command.spawn().expect("the program starts");
    let signal = |name: &str| {
        let ask = format!("kill -{name} {}", daemon.id());
        let asked = Command::new("sh").arg("-c").arg(ask).status();
        assert!(asked.expect("a shell").success());
    };
    let start = told(&socket, "READY=1");
    assert!(start[0].contains("STATUS=opening the store"), "{start:?}");
    told(&socket, "WATCHDOG=1");
    told(&socket, "WATCHDOG=1");
    signal("HUP");
    told(&socket, "STATUS=reloading");
    told(&socket, "STATUS=running");
    let began = Instant::now();
    signal("TERM");
    told(&socket, "STOPPING=1");
    let status = daemon.wait().expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", office.home.log());
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

/// Returns the priority of each thread of a process, by the thread's name.
fn priorities(process: u32) -> Vec<(String, i32)> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it lives");
    let read = |thread: fs::DirEntry| {
        let line = fs::read_to_string(thread.path().join("stat")).ok()?;
        let (front, rest) = line.rsplit_once(')')?;
        let (_, name) = front.split_once('(')?;
        // proc(5): the nineteenth word, of which the third comes after the name.
        let nice = rest.split_whitespace().nth(16)?.parse().ok()?;
        Some((name.to_owned(), nice))
    };
    threads.flatten().filter_map(read).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_answers_a_phone_system_goes_before_what_nobody_waits_for() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let threads = priorities(daemon.pid());
    let first = threads
        .iter()
        .map(|(_, nice)| *nice)
        .min()
        .expect("threads");
    let gives_way = |name: &str| {
        let mut named = threads.iter().filter(|(own, _)| own == name).peekable();
        named.peek().is_some() && named.all(|(_, nice)| *nice > first)
    };
    for name in ["store", "store-read", "tokio-rt-worker"] {
        assert!(gives_way(name), "{name}: {threads:?}");
    }
    let answering = threads.iter().filter(|(_, nice)| *nice == first).count();
    assert!(answering >= 2, "{threads:?}");
}
