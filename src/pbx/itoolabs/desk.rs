//! The one place where the calls of a VATS are changed, whoever tells of them: the messages that it
//! posts, the history that we ask for, the clock. A change is on disk before it is believed.
//!
//! ```text
//! fresh --first change--> open --session ends for good--> closed (a successor has the calls)
//!           (read from the checkpoint)
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::tracker::{Book, People, Tracker, TrackerSettings};
use crate::model::timestamp::Timestamp;
use crate::pbx::{Batch, Sink, SinkError, SourceNote, SourceNoteKind};

/// The form of checkpoints that is written and read.
const VERSION: u32 = 1;

/// What outlives the process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    /// Since when the history is read: what was before is nobody's to be told again.
    pub(super) begun: Option<Timestamp>,
    /// Up to when the history was read and stored, whole.
    pub(super) cursor: Option<Timestamp>,
    pub(super) book: Book,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unchanged {
    /// The store did not take it.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// Another session has taken over.
    #[error("the settings of this source were replaced")]
    Closed,
}

enum State {
    Fresh,
    Open(Box<Checkpoint>),
    Closed,
}

/// The calls, shared by session and exchanges.
#[derive(Clone)]
pub(super) struct Desk {
    state: Arc<Mutex<State>>,
    people: Arc<ArcSwap<People>>,
    /// How often the VATS was heard.
    heard: Arc<AtomicU64>,
    pub(super) settings: Arc<TrackerSettings>,
}

impl Desk {
    /// Begins with what the checkpoint will say.
    pub(super) fn new(settings: TrackerSettings) -> Self {
        Self {
            state: Arc::new(Mutex::new(State::Fresh)),
            people: Arc::default(),
            heard: Arc::default(),
            settings: Arc::new(settings),
        }
    }

    /// Changes the calls; returns when the change is on disk, or was none. It is brought to its end
    /// even where nobody waits for it any more.
    pub(super) async fn change(
        &self,
        sink: Arc<dyn Sink>,
        now: Timestamp,
        change: impl FnOnce(&mut Tracker<'_>, &mut Notes) + Send + 'static,
    ) -> Result<(), Unchanged> {
        let desk = self.clone();
        let changing = tokio::spawn(async move { desk.carry_out(&*sink, now, change).await });
        match changing.await {
            Ok(result) => result,
            // The process is ending.
            Err(_) => Err(Unchanged::Sink(SinkError::Closed)),
        }
    }

    async fn carry_out(
        &self,
        sink: &dyn Sink,
        now: Timestamp,
        change: impl FnOnce(&mut Tracker<'_>, &mut Notes),
    ) -> Result<(), Unchanged> {
        let mut state = self.state.lock().await;
        let before = read(&mut state, sink, now).await?;
        let mut after = before.clone();
        let mut notes = Notes::default();
        let keep_from = after.cursor.map_or(now, |cursor| cursor.min(now));
        let keep_from = keep_from.minus(self.settings.overlap);
        let mut tracker = Tracker::new(&mut after.book, &self.settings);
        change(&mut tracker, &mut notes);
        tracker.tick(now, keep_from);
        let snapshots = std::mem::take(&mut tracker.snapshots);
        if let Some(cursor) = notes.cursor {
            after.begun = after.begun.or(Some(cursor));
            after.cursor = Some(cursor);
        }
        let same = after == *before && snapshots.is_empty() && notes.remarks.is_empty();
        if same {
            return Ok(());
        }
        let remark = |kind| SourceNote { at: now, kind };
        let batch = Batch {
            snapshots,
            checkpoint: Some(written(&after)),
            notes: notes.remarks.into_iter().map(remark).collect(),
        };
        sink.commit(batch).await?;
        *before = after;
        self.show_people(before);
        Ok(())
    }

    /// Looks at what is known.
    pub(super) async fn look<T>(
        &self,
        sink: &dyn Sink,
        now: Timestamp,
        look: impl FnOnce(&Checkpoint) -> T,
    ) -> Result<T, Unchanged> {
        let mut state = self.state.lock().await;
        let known = read(&mut state, sink, now).await?;
        self.show_people(known);
        Ok(look(known))
    }

    fn show_people(&self, known: &Checkpoint) {
        if **self.people.load() != known.book.people {
            self.people.store(Arc::new(known.book.people.clone()));
        }
    }

    /// Takes note that the VATS was heard.
    pub(super) fn note_heard(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how often the VATS was heard.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Returns who is known, without waiting for what is being stored: a phone rings.
    pub(super) fn people(&self) -> Guard<Arc<People>> {
        self.people.load()
    }

    /// Opens the desk for a session.
    pub(super) async fn open(&self) {
        let mut state = self.state.lock().await;
        if matches!(*state, State::Closed) {
            *state = State::Fresh;
        }
    }

    /// Closes the desk: what is under way comes to its end first, and nothing is changed any more.
    pub(super) async fn close(&self) {
        *self.state.lock().await = State::Closed;
    }
}

/// What a change says beside the calls.
#[derive(Default)]
pub(super) struct Notes {
    /// The history was read and stored up to here.
    pub(super) cursor: Option<Timestamp>,
    /// For the journal.
    pub(super) remarks: Vec<SourceNoteKind>,
}

async fn read<'s>(
    state: &'s mut State,
    sink: &dyn Sink,
    now: Timestamp,
) -> Result<&'s mut Checkpoint, Unchanged> {
    if matches!(state, State::Fresh) {
        let stored = sink.checkpoint().await?;
        let (known, remark) = restored(stored);
        if let Some(text) = remark {
            let kind = SourceNoteKind::Remark { text };
            let batch = Batch {
                notes: vec![SourceNote { at: now, kind }],
                ..Batch::default()
            };
            sink.commit(batch).await?;
        }
        *state = State::Open(Box::new(known));
    }
    match state {
        State::Open(known) => Ok(known),
        State::Fresh | State::Closed => Err(Unchanged::Closed),
    }
}

fn restored(stored: Option<Value>) -> (Checkpoint, Option<String>) {
    let fresh = Checkpoint {
        version: VERSION,
        ..Checkpoint::default()
    };
    let Some(stored) = stored else {
        return (fresh, None);
    };
    match serde_json::from_value::<Checkpoint>(stored) {
        Ok(known) if known.version == VERSION => (known, None),
        Ok(_) | Err(_) => {
            let text = "what was known of open calls cannot be read: they are told anew by the \
                        phone system's history";
            (fresh, Some(text.to_owned()))
        }
    }
}

fn written(known: &Checkpoint) -> Value {
    // Names, times and texts of our own always have a JSON form.
    serde_json::to_value(known).unwrap_or(Value::Null)
}
