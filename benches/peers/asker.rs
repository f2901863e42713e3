//! One who asks over HTTP as a phone system does, on a kept connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::Instant;

use super::agi_load::{self, CLIENTS};
use super::say;
use super::server::find_program;

/// The path of a question, without the number.
pub(crate) const PATH: &str = "/v1/lookup/bench/taken?did=74951230010&phone=";

/// How long an answer may take at all.
const DEADLINE: Duration = Duration::from_secs(10);

/// A connection. It blocks: a thread that sleeps is woken to the microsecond, a timer of an async
/// runtime to the millisecond.
pub(crate) struct Asker {
    stream: TcpStream,
    port: u16,
}

impl Asker {
    pub(crate) fn connect(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self { stream, port })
    }

    /// Asks about a client; returns the answer's body. An answer that does not name the client's
    /// manager is a failure.
    pub(crate) fn ask(&mut self, client: u32) -> anyhow::Result<Vec<u8>> {
        let request = format!(
            "GET {PATH}{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
            agi_load::phone(client),
            self.port
        );
        self.stream.write_all(request.as_bytes())?;
        let mut received = Vec::with_capacity(1024);
        let mut piece = [0; 4096];
        loop {
            let count = self.stream.read(&mut piece)?;
            if count == 0 {
                bail!("the server closed the connection");
            }
            received.extend_from_slice(piece.get(..count).unwrap_or_default());
            if let Some(body) = whole_body(&received)? {
                let expected = format!(
                    r#""extension":"{}","route":"personal_manager""#,
                    agi_load::extension(client)
                );
                let text = std::str::from_utf8(body)?;
                if !text.contains(&expected) {
                    bail!("client {client}: expected {expected}, was told {text}");
                }
                return Ok(body.to_vec());
            }
        }
    }
}

/// Returns the body once it is complete.
fn whole_body(received: &[u8]) -> anyhow::Result<Option<&[u8]>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(received.get(..end).unwrap_or_default())?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("refused: {head}");
    }
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without a length")?
        .1
        .trim()
        .parse()?;
    Ok(received.get(end + 4..end + 4 + length))
}

/// Asks over so many connections, each at its own beat, whether or not the answers keep up with it;
/// returns the 99th percentile of the waiting times, in microseconds. A question that had to wait
/// for the answer before it counts from its beat on.
pub(crate) fn paced(
    port: u16,
    connections: u32,
    beat: Duration,
    time: Duration,
) -> anyhow::Result<f64> {
    let askers = (0..connections).map(|number| {
        let offset = beat * number / connections;
        thread::spawn(move || one(port, number, offset, beat, time))
    });
    let mut took = Vec::new();
    for asker in askers.collect::<Vec<_>>() {
        let Ok(done) = asker.join() else {
            bail!("an asker broke");
        };
        took.extend(done?);
    }
    took.sort_unstable();
    let p99 = took
        .get(took.len() * 99 / 100)
        .context("nothing was answered")?;
    Ok(p99.as_secs_f64() * 1e6)
}

/// Puts the calling thread before all others where that is allowed, as a phone system's threads are:
/// how long it waits for a core is no matter of the daemon's.
fn go_first() {
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    let asked = find_program("chrt", &["/usr/bin".into()]).and_then(|chrt| {
        let mut command = Command::new(chrt);
        command.args(["--rr", "--pid", "1", &thread]);
        Ok(command.stderr(Stdio::null()).status()?)
    });
    if !asked.is_ok_and(|status| status.success()) {
        say("whoever asks is not put first: chrt is not there, or not allowed");
    }
}

fn one(
    port: u16,
    number: u32,
    offset: Duration,
    beat: Duration,
    time: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let mut asker = Asker::connect(port)?;
    go_first();
    let mut took = Vec::new();
    let mut client = number * 7_919 % CLIENTS;
    let begun = Instant::now();
    let mut due = begun + offset;
    let mut free = begun;
    while due < begun + time {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // A sleeper that wakes late is the load's affair, an answer that comes late the server's.
        let from = if free > due { due } else { Instant::now() };
        client = (client + 61_803) % CLIENTS;
        asker.ask(client)?;
        free = Instant::now();
        took.push(free - from);
        due += beat;
    }
    Ok(took)
}
