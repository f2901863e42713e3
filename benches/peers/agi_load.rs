//! The load of the FastAGI measurement: an Asterisk as far as the server can see one, which asks
//! over so many connections at once, a new connection for each question. A thread for each, as
//! Asterisk has one for each channel: whoever waits is woken by the answer and nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use tokio::time::Instant;

/// Clients that both candidates know, one phone each.
pub(crate) const CLIENTS: u32 = 100_000;

/// Employees who answer for them.
pub(crate) const EMPLOYEES: u32 = 50;

/// Returns a client's number.
pub(crate) fn phone(client: u32) -> String {
    format!("{}", 79_000_000_000_u64 + u64::from(client))
}

/// Returns the extension of who answers for a client.
pub(crate) fn extension(client: u32) -> String {
    format!("{}", 100 + client % EMPLOYEES)
}

/// What a load came to.
pub(crate) struct Asked {
    /// Questions answered each second.
    pub(crate) per_second: f64,
    /// From the beginning of the connection until the variables were there, at the 99th
    /// percentile, in microseconds.
    pub(crate) p99_us: f64,
}

/// Asks for a time; every answer is checked.
pub(crate) async fn drive(port: u16, at_once: usize, time: Duration) -> anyhow::Result<Asked> {
    // The same clients in the same order for every candidate, jumping through the whole book.
    let asked = Arc::new(AtomicU32::new(0));
    let deadline = Instant::now() + time;
    let askers = try_join_all((0..at_once).map(|_| {
        let asked = Arc::clone(&asked);
        let asker = tokio::task::spawn_blocking(move || ask_until(port, &asked, deadline));
        async move { asker.await.context("an asker ended early")? }
    }));
    let mut took = askers.await?.concat();
    took.sort_unstable();
    let p99 = took
        .get(took.len() * 99 / 100)
        .context("nothing was answered")?;
    Ok(Asked {
        per_second: took.len() as f64 / time.as_secs_f64(),
        p99_us: p99.as_secs_f64() * 1e6,
    })
}

/// Asks one question after the other; returns how long each took.
fn ask_until(port: u16, asked: &AtomicU32, deadline: Instant) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::new();
    while Instant::now() < deadline {
        let question = u64::from(asked.fetch_add(1, Ordering::Relaxed));
        let client = u32::try_from((1 + question * 61_803) % u64::from(CLIENTS))?;
        let begun = Instant::now();
        ask(port, client)?;
        let ended = Instant::now();
        if ended <= deadline {
            took.push(ended - begun);
        }
    }
    Ok(took)
}

/// The variables that both candidates set, and what Asterisk says to each.
const COMMANDS: usize = 4;
const REPLY: &str = "200 result=1\n";

/// How long any word of an answer may take at all.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Asks who a client should reach, works the commands off, and checks what was said.
pub(crate) fn ask(port: u16, client: u32) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
    let environment = environment(port, &phone(client));
    stream.write_all(environment.as_bytes())?;
    let mut commands = Vec::with_capacity(512);
    let mut answered = 0;
    let mut piece = [0; 512];
    // What Asterisk would do: each whole command is answered, whether the next one is there already
    // or waits for that.
    loop {
        let length = stream.read(&mut piece)?;
        let Some(piece) = piece.get(..length).filter(|piece| !piece.is_empty()) else {
            break;
        };
        commands.extend_from_slice(piece);
        let whole = commands.iter().filter(|byte| **byte == b'\n').count();
        if answered < whole {
            let replies = REPLY.repeat(whole - answered);
            stream.write_all(replies.as_bytes())?;
            answered = whole;
        }
        if answered == COMMANDS {
            break;
        }
    }
    let extension = extension(client);
    let expected = format!("SET VARIABLE TRUNKLINE_EXTEN \"{extension}\"\n");
    if !commands.starts_with(expected.as_bytes()) {
        let said = String::from_utf8_lossy(&commands);
        bail!("client {client}: expected {extension}, was told {said:?}");
    }
    Ok(())
}

/// What an Asterisk 22 writes.
fn environment(port: u16, phone: &str) -> String {
    let script = "lookup?tenant=bench&source=taken";
    format!(
        "agi_network: yes\nagi_network_script: {script}\n\
         agi_request: agi://127.0.0.1:{port}/{script}\nagi_channel: PJSIP/trunk-00000a2b\n\
         agi_language: en\nagi_type: PJSIP\nagi_uniqueid: 1795246036.1\nagi_version: 22.10.1\n\
         agi_callerid: {phone}\nagi_calleridname: unknown\nagi_callingpres: 0\n\
         agi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: unknown\n\
         agi_rdnis: unknown\nagi_context: trunkline-ask\nagi_extension: s\nagi_priority: 11\n\
         agi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 140349812111040\n\
         agi_arg_1: 74951230010\n\n"
    )
}
