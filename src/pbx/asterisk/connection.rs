//! One AMI connection: a task that only reads, a bounded queue, actions and their answers.
//!
//! ```text
//! socket -> reader task -> queue -> receive()  events, in order
//!                            \----> ask()      answers; events met meanwhile are set aside in
//! socket <- ask(), send()                      order and come first from the next receive()
//! ```
//! Asterisk drops a reader that is slow for longer than `writetimeout` (`pbx/asterisk.md` §1), so
//! the reader never waits for anything but the socket. It does not know what events mean.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, FramedWrite};
use tracing::Instrument;

use super::ami_codec::{Action, AmiCodec, Frame};
use super::ami_message::Message;
use super::answer::{Answer, Pending};
use super::transport::ByteStream;
use crate::clock::SharedClock;
use crate::model::timestamp::Timestamp;
use crate::pbx::ListenerError;

/// Messages that may wait while the store does not take more. One answered call is about 40
/// messages of half a kilobyte for the recommended user and 106 with everything on, so this is
/// the events of some 500 calls in about 40 MB: minutes of a busy office.
pub(super) const QUEUE_MAX: usize = 20_000;

/// Actions sent before their answers are read: their text stays far below any socket buffer.
const ASKED_AT_ONCE: usize = 32;

/// One message and when it was read from the socket.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// By our clock.
    pub(super) at: Timestamp,
    /// The message.
    pub(super) message: Message,
}

/// Why there is nothing more to read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// The PBX closed the connection.
    Closed,
    /// The connection broke.
    Broken(String),
    /// The queue was full.
    Overflow,
}

impl End {
    fn error(&self) -> ListenerError {
        ListenerError::Connection(match self {
            End::Closed => "the PBX closed the connection".to_owned(),
            End::Broken(why) => format!("the connection broke: {why}"),
            End::Overflow => format!(
                "{QUEUE_MAX} events waited for the store: the connection was given up, calls are \
                 looked up after the next one"
            ),
        })
    }
}

/// What the reader tells beside the messages.
#[derive(Debug, Default)]
struct Heard {
    /// Milliseconds from the connection's start until a message was last read.
    last_ms: AtomicU64,
    /// Messages read.
    messages: AtomicU64,
    /// Pieces that were no AMI.
    garbage: AtomicU64,
}

/// An open connection.
pub(super) struct Connection {
    writer: FramedWrite<WriteHalf<Box<dyn ByteStream>>, AmiCodec>,
    queue: mpsc::Receiver<Received>,
    reader: JoinHandle<End>,
    set_aside: VecDeque<Received>,
    heard: Arc<Heard>,
    opened: Instant,
    next_action: u64,
    reply_deadline: Duration,
    end: Option<End>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Connection {
    /// Waits for the banner and begins to read.
    pub(super) async fn open(
        stream: Box<dyn ByteStream>,
        clock: SharedClock,
        reply_deadline: Duration,
    ) -> Result<(Self, String), ListenerError> {
        let (read, write) = tokio::io::split(stream);
        let mut frames = FramedRead::new(read, AmiCodec::default());
        let banner = match tokio::time::timeout(reply_deadline, frames.next()).await {
            Ok(Some(Ok(Frame::Banner(text)))) => text,
            Ok(Some(Err(error))) => return Err(End::Broken(error.to_string()).error()),
            Ok(None) => return Err(End::Closed.error()),
            Ok(Some(Ok(_))) => {
                let message = "this port does not greet as an Asterisk manager: is it AMI's?";
                return Err(ListenerError::Protocol(message.to_owned()));
            }
            Err(_) => {
                let message = "this port is silent: is it AMI's, and is TLS set as the PBX has it?";
                return Err(ListenerError::Protocol(message.to_owned()));
            }
        };
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let heard = Arc::new(Heard::default());
        let opened = Instant::now();
        let reading = read_all(frames, sender, clock, heard.clone(), opened);
        let reader = tokio::spawn(reading.in_current_span());
        let connection = Self {
            writer: FramedWrite::new(write, AmiCodec::default()),
            queue,
            reader,
            set_aside: VecDeque::new(),
            heard,
            opened,
            next_action: 0,
            reply_deadline,
            end: None,
        };
        Ok((connection, banner))
    }

    /// Returns how long nothing was read.
    pub(super) fn silence(&self) -> Duration {
        let last = Duration::from_millis(self.heard.last_ms.load(Ordering::Relaxed));
        self.opened.elapsed().saturating_sub(last)
    }

    /// Returns how many messages were read.
    pub(super) fn messages(&self) -> u64 {
        self.heard.messages.load(Ordering::Relaxed)
    }

    /// Returns how many messages wait to be received.
    pub(super) fn waiting(&self) -> usize {
        self.set_aside.len().saturating_add(self.queue.len())
    }

    /// Returns the events that were met while answers were awaited, and not received yet.
    pub(super) fn set_aside(&self) -> impl Iterator<Item = &Received> {
        self.set_aside.iter()
    }

    /// Returns how many pieces were no AMI so far.
    pub(super) fn garbage(&self) -> u64 {
        self.heard.garbage.load(Ordering::Relaxed)
    }

    /// Moves the next messages, at least one and at most `max`, to `batch`. When there will be no
    /// more, returns why. May be dropped half way without losing a message.
    pub(super) async fn receive(
        &mut self,
        batch: &mut Vec<Received>,
        max: usize,
    ) -> Result<(), ListenerError> {
        if !self.set_aside.is_empty() {
            let count = self.set_aside.len().min(max);
            batch.extend(self.set_aside.drain(..count));
            return Ok(());
        }
        if self.queue.recv_many(batch, max).await > 0 {
            return Ok(());
        }
        Err(self.ended().await)
    }

    async fn ended(&mut self) -> ListenerError {
        if self.end.is_none() {
            let end = (&mut self.reader).await;
            self.end = Some(end.unwrap_or_else(|error| End::Broken(error.to_string())));
        }
        self.end.as_ref().unwrap_or(&End::Closed).error()
    }

    /// Sends one action and waits for its answer.
    pub(super) async fn ask(&mut self, action: Action) -> Result<Answer, ListenerError> {
        let mut answers = self.ask_all(vec![action]).await?;
        answers.pop().ok_or_else(|| self.no_answer("the action"))
    }

    /// Sends actions and waits for all their answers, which come back in the order of the actions.
    pub(super) async fn ask_all(
        &mut self,
        actions: Vec<Action>,
    ) -> Result<Vec<Answer>, ListenerError> {
        let mut answers = Vec::with_capacity(actions.len());
        let mut actions = actions.into_iter();
        loop {
            let some: Vec<Action> = actions.by_ref().take(ASKED_AT_ONCE).collect();
            if some.is_empty() {
                return Ok(answers);
            }
            let mut pending = Vec::with_capacity(some.len());
            for action in some {
                let name = action.name.clone();
                let id = self.send(action).await?;
                pending.push((id, Pending::new(name)));
            }
            answers.append(&mut self.collect(pending).await?);
        }
    }

    async fn collect(
        &mut self,
        asked: Vec<(String, Pending)>,
    ) -> Result<Vec<Answer>, ListenerError> {
        let mut order = Vec::with_capacity(asked.len());
        let mut pending: HashMap<String, Pending> = HashMap::with_capacity(asked.len());
        for (id, slot) in asked {
            order.push(id.clone());
            pending.insert(id, slot);
        }
        let mut open = pending.len();
        // A long list is fine as long as it goes on.
        let mut deadline = Instant::now() + self.reply_deadline;
        while open > 0 {
            let received = match tokio::time::timeout_at(deadline, self.queue.recv()).await {
                Ok(Some(received)) => received,
                Ok(None) => return Err(self.ended().await),
                Err(_) => {
                    let waits = pending.values().find(|slot| !slot.is_complete());
                    return Err(self.no_answer(waits.map_or("an action", |slot| &slot.name)));
                }
            };
            let slot = received
                .message
                .action_id()
                .and_then(|id| pending.get_mut(id))
                .filter(|slot| !slot.is_complete());
            match slot {
                Some(slot) => {
                    deadline = Instant::now() + self.reply_deadline;
                    slot.add(received.message)?;
                    if slot.is_complete() {
                        open -= 1;
                    }
                }
                None if self.set_aside.len() >= QUEUE_MAX => return Err(End::Overflow.error()),
                None => self.set_aside.push_back(received),
            }
        }
        Ok(order
            .iter()
            .filter_map(|id| pending.remove(id))
            .map(Pending::into_answer)
            .collect())
    }

    fn no_answer(&self, name: &str) -> ListenerError {
        ListenerError::Connection(format!(
            "the PBX did not answer {name} within {} s",
            self.reply_deadline.as_secs()
        ))
    }

    /// Sends an action without waiting for its answer, which comes as a message with the returned
    /// id.
    pub(super) async fn send(&mut self, action: Action) -> Result<String, ListenerError> {
        self.next_action = self.next_action.saturating_add(1);
        let id = format!("trunkline-{}", self.next_action);
        self.send_as(&id, action).await?;
        Ok(id)
    }

    /// Sends an action under an id of the caller's own, which no other action may have.
    pub(super) async fn send_as(&mut self, id: &str, action: Action) -> Result<(), ListenerError> {
        let action = action.with("ActionID", id);
        let name = action.name.clone();
        match tokio::time::timeout(self.reply_deadline, self.writer.send(action)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Broken(format!("send {name}: {error}")).error()),
            Err(_) => Err(End::Broken(format!("send {name}: the PBX reads nothing")).error()),
        }
    }
}

/// Reads until the end. Owned by the connection, which aborts it when dropped.
async fn read_all(
    mut frames: FramedRead<ReadHalf<Box<dyn ByteStream>>, AmiCodec>,
    queue: mpsc::Sender<Received>,
    clock: SharedClock,
    heard: Arc<Heard>,
    opened: Instant,
) -> End {
    while let Some(frame) = frames.next().await {
        let message = match frame {
            Ok(Frame::Message(message)) => message,
            Ok(Frame::Banner(_) | Frame::Garbage { .. }) => {
                heard.garbage.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Err(error) => return End::Broken(error.to_string()),
        };
        let ms = u64::try_from(opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        heard.last_ms.store(ms, Ordering::Relaxed);
        heard.messages.fetch_add(1, Ordering::Relaxed);
        let received = Received {
            at: clock.now(),
            message,
        };
        if queue.try_send(received).is_err() {
            tracing::error!(
                waiting = QUEUE_MAX,
                "the store takes events too slowly: reading from the pbx has ended until it \
                 catches up"
            );
            return End::Overflow;
        }
    }
    End::Closed
}
