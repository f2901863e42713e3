//! One AMI connection: cuts the bytes into actions, writes what the switch has for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::actions::{self, Next, Request};
use super::message::Message;
use super::server::Shared;
use super::switch::{SESSION_QUEUE_MESSAGES_MAX, Session};
use crate::lab::wall;

/// A longer line of an action is thrown away (`pbx/asterisk.md` §1).
const LINE_BYTES_MAX: usize = 1024;
/// More headers in one action are refused, as Asterisk does with its own bound of 128.
const HEADERS_MAX: usize = 128;
/// A client that takes nothing for this long is dropped; the recommended `writetimeout`.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

/// Serves one connection until either side closes it.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Small writes matter more than full packets; a failure to set it harms nobody.
    stream.set_nodelay(true).ok();
    let (queue, queued) = mpsc::channel(SESSION_QUEUE_MESSAGES_MAX);
    let closed = CancellationToken::new();
    let (reader, writer) = stream.into_split();
    let banner = format!("Asterisk Call Manager/{}\r\n", shared.facts.ami_version);
    let session = Session::new(queue, closed.clone());
    session.send(Bytes::from(banner));
    let id = shared.switch().add_session(session);
    let reading = async {
        read(reader, id, &shared).await;
        // With the session its queue is gone, and the writer ends when it has written the rest.
        shared.switch().sessions.remove(&id);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = closed.cancelled() => {}
        () = write(writer, queued, &closed) => {}
        () = reading => {}
    }
    shared.switch().sessions.remove(&id);
}

async fn write(
    writer: OwnedWriteHalf,
    mut queued: mpsc::Receiver<Bytes>,
    closed: &CancellationToken,
) {
    let mut writer = BufWriter::new(writer);
    while let Some(bytes) = queued.recv().await {
        let written = time::timeout(WRITE_DEADLINE, async {
            writer.write_all(&bytes).await?;
            while let Ok(more) = queued.try_recv() {
                writer.write_all(&more).await?;
            }
            writer.flush().await
        });
        if !matches!(written.await, Ok(Ok(()))) {
            closed.cancel();
            return;
        }
    }
    // The client may have gone already; then there is nothing to shut down.
    writer.shutdown().await.ok();
}

async fn read(mut reader: OwnedReadHalf, id: u64, shared: &Arc<Shared>) {
    let login_until = Instant::now() + shared.login_deadline;
    let mut lines = Lines::default();
    let mut chunk = vec![0_u8; 4096];
    loop {
        let logged_in = shared
            .switch()
            .sessions
            .get(&id)
            .is_some_and(|s| s.user.is_some());
        let arrived = if logged_in {
            reader.read(&mut chunk).await
        } else {
            match time::timeout_at(login_until, reader.read(&mut chunk)).await {
                Ok(arrived) => arrived,
                Err(_) => return,
            }
        };
        let bytes = match arrived {
            Ok(0) | Err(_) => return,
            Ok(count) => chunk.get(..count).unwrap_or_default(),
        };
        for byte in bytes {
            let Some(action) = lines.take(*byte) else {
                continue;
            };
            if !act(action, id, shared).await {
                return;
            }
        }
    }
}

/// Does one action; `false` ends the session.
async fn act(action: Result<Message, &'static str>, id: u64, shared: &Arc<Shared>) -> bool {
    let action = match action {
        Ok(action) => action,
        Err(fault) => {
            let answer = Message::response("Error").with("Message", fault);
            shared.switch().answer(id, &answer);
            return true;
        }
    };
    let request = Request {
        session: id,
        action: &action,
        now: Instant::now(),
        now_wall: wall::now(),
    };
    let next = actions::answer(&mut shared.switch(), &shared.facts, &request);
    match next {
        Next::ReadOn => true,
        Next::Close => false,
        Next::Attached => {
            shared.attached.send_modify(|count| *count += 1);
            true
        }
        Next::Refuse(answer) => {
            let delay = *shared.refusal_delay.borrow();
            time::sleep(delay).await;
            shared.switch().answer(id, &answer);
            false
        }
        Next::Originate(wanted) => {
            let (call, requested) = *wanted;
            shared.originate(call, requested);
            true
        }
    }
}

/// Collects lines into actions.
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    text: String,
    headers: usize,
    fault: Option<&'static str>,
}

impl Lines {
    fn take(&mut self, byte: u8) -> Option<Result<Message, &'static str>> {
        if byte != b'\n' {
            if self.line.len() < LINE_BYTES_MAX {
                self.line.push(byte);
            } else {
                self.fault = Some("Failed to parse message: line too long");
            }
            return None;
        }
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if !line.is_empty() {
            self.headers += 1;
            if self.headers > HEADERS_MAX {
                self.fault = Some("Failed to parse message: too many lines");
            } else {
                self.text.push_str(&String::from_utf8_lossy(line));
                self.text.push('\n');
            }
            return None;
        }
        let text = std::mem::take(&mut self.text);
        self.headers = 0;
        match self.fault.take() {
            Some(fault) => Some(Err(fault)),
            // Empty lines between actions are nothing.
            None if text.is_empty() => None,
            None => Some(Ok(Message::parse(&text))),
        }
    }
}
