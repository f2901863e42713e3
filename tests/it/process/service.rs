//! What the service manager is told.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;

use super::daemon::http_client;
use super::home::{Home, SITE_HOOK};
use super::office::{Office, site_call};
use super::wait::{until, when};

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
    let kept = "FDSTORE=1\nFDNAME=intake";
    assert!(
        start.iter().any(|message| message.contains(kept)),
        "{start:?}"
    );
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
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

/// Starts the daemon as systemd does that kept a socket for it; it is the daemon's third
/// descriptor.
fn start_with(home: &Home, socket: TcpListener) -> std::process::Child {
    let daemon = home.command(&["run"]);
    let mut shell = Command::new("sh");
    let hand_over = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
    shell
        .args(["-c", hand_over, "sh"])
        .arg(daemon.get_program())
        .args(daemon.get_args());
    shell
        .env_remove("NOTIFY_SOCKET")
        .stdin(OwnedFd::from(socket));
    shell.stdout(home.log_file()).stderr(home.log_file());
    shell.spawn().expect("the program starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_comes_between_two_processes_is_answered_by_the_second() {
    let office = Office::open().await;
    let home = &office.home;
    let socket = TcpListener::bind(home.intake()).expect("bound");
    // It comes while nobody is there, and goes on waiting.
    let url = format!("http://{}/v1/events/acme/site/{SITE_HOOK}", home.intake());
    let body = site_call("between", "+79167770009", 0).to_string();
    let post = http_client().post(url).body(body).send();
    let waiting = tokio::spawn(post);
    let mut daemon = start_with(home, socket);
    let answer = waiting.await.expect("no panic");
    let status = answer.map(|answer| answer.status().as_u16());
    assert!(matches!(status, Ok(202)), "{status:?}: {}", home.log());
    assert!(
        home.log().contains("goes on where the process before"),
        "{}",
        home.log()
    );
    daemon.kill().expect("it lives");
    daemon.wait().expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_socket_of_an_address_that_was_changed_is_let_go() {
    let office = Office::open().await;
    let home = &office.home;
    let mut elsewhere = home.intake();
    elsewhere.set_port(8499);
    let mut daemon = start_with(home, TcpListener::bind(elsewhere).expect("bound"));
    let url = format!("http://{}/v1/events/acme/site/{SITE_HOOK}", home.intake());
    let body = site_call("moved", "+79167770010", 0).to_string();
    let http = http_client();
    until("the intake answers at its own address", async || {
        let answer = http.post(&url).body(body.clone()).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        when(answer.status() == 202, answer.status())
    })
    .await;
    TcpListener::bind(elsewhere).expect("the other address is free");
    daemon.kill().expect("it lives");
    daemon.wait().expect("it ends");
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
