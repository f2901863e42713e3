//! The tracker of a session, and what of its findings is not on disk yet. Every commit carries
//! snapshots and the checkpoint that belongs to them, so that neither is ahead of the other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::ami_message::Message;
use super::boot::Boot;
use super::checkpoint::{self, Checkpoint};
use super::tracker::{LiveState, Tracker, TrackerSettings};
use crate::clock::SharedClock;
use crate::model::communication::Snapshot;
use crate::model::timestamp::Timestamp;
use crate::pbx::{Batch, ListenerContext, Sink, SinkError, SourceNote, SourceNoteKind};

/// Waits between tries while the store takes nothing: short at first, because a full queue is
/// soon less full; a full disk is not asked more often than this.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Books {
    tracker: Tracker,
    snapshots: Vec<Snapshot>,
    notes: Vec<SourceNote>,
    /// Until when the PBX was seen; `None` before the first session.
    seen_until: Option<Timestamp>,
    boot: Option<Boot>,
    /// Why the last session ended; `None` while one is up, and after a death without notice.
    lost_why: Option<String>,
    sink: Arc<dyn Sink>,
    clock: SharedClock,
    stop: watch::Receiver<bool>,
}

impl Books {
    /// Takes up what the last session left. A checkpoint that cannot be read is told and left
    /// behind: open calls are then rebuilt from the live channels alone.
    pub(super) async fn restore(
        settings: TrackerSettings,
        context: &ListenerContext,
    ) -> Result<Self, SinkError> {
        let stored = context.sink.checkpoint().await?;
        let mut books = Self {
            tracker: Tracker::new(settings.clone()),
            snapshots: Vec::new(),
            notes: Vec::new(),
            seen_until: None,
            boot: None,
            lost_why: None,
            sink: context.sink.clone(),
            clock: context.clock.clone(),
            stop: context.stop.clone(),
        };
        let Some(stored) = stored else {
            return Ok(books);
        };
        match Checkpoint::from_value(&stored) {
            Ok(checkpoint) => {
                books.seen_until = Some(checkpoint.seen_until);
                books.boot = checkpoint.boot;
                books.lost_why = checkpoint.lost_why;
                match Tracker::restore(settings, &checkpoint.tracker) {
                    Ok(tracker) => books.tracker = tracker,
                    Err(error) => books.unreadable(&error.to_string()),
                }
                // A process that was killed could not tell its tracker that the link was lost.
                books.tracker.link_lost(checkpoint.seen_until);
            }
            Err(error) => books.unreadable(&error),
        }
        Ok(books)
    }

    fn unreadable(&mut self, error: &str) {
        self.remark(&format!(
            "the open calls of the last session cannot be read and are looked up anew: {error}"
        ));
    }

    /// Notes a remark about the source.
    pub(super) fn remark(&mut self, text: &str) {
        tracing::warn!(text, "remark about the pbx");
        self.note(SourceNoteKind::Remark {
            text: text.to_owned(),
        });
    }

    fn note(&mut self, kind: SourceNoteKind) {
        let at = self.clock.now();
        self.notes.push(SourceNote { at, kind });
    }

    /// Takes in what the PBX says of its start; when it was restarted since the last session, all
    /// calls of then are over.
    pub(super) fn pbx_seen(&mut self, boot: Boot) {
        let restarted = self
            .boot
            .as_ref()
            .and_then(|before| boot.restarted_since(before));
        if restarted == Some(true) {
            // The calls ended at some time after we last saw them; this is the nearest we know.
            let at = self.seen_until.unwrap_or(boot.at);
            self.snapshots.extend(self.tracker.pbx_restarted(at));
            self.note(SourceNoteKind::Restarted);
            self.boot = None;
        }
        if boot.tells_anything() {
            let known = self.boot.take();
            let started = boot.started.or(known.and_then(|known| known.started));
            self.boot = Some(Boot { started, ..boot });
        }
    }

    /// Takes in that the PBX shuts down: all its calls are over.
    pub(super) fn pbx_shut_down(&mut self, at: Timestamp) {
        self.snapshots.extend(self.tracker.pbx_restarted(at));
        self.note(SourceNoteKind::Restarted);
        // Its next start is no news any more.
        self.boot = None;
    }

    /// Notes that nothing was seen since the last session.
    pub(super) fn note_blind_interval(&mut self) {
        if let Some(from) = self.seen_until {
            let why = self.lost_why.take();
            self.note(SourceNoteKind::Blind {
                from: Some(from),
                why: why.unwrap_or_else(|| "the daemon ended without notice".to_owned()),
            });
        }
    }

    /// Compares the open calls with the live channels.
    pub(super) fn reconcile(&mut self, live: &LiveState, now: Timestamp) {
        self.snapshots.extend(self.tracker.reconcile(live, now));
    }

    /// Takes in one event.
    pub(super) fn handle(&mut self, message: &Message, at: Timestamp) {
        self.snapshots.extend(self.tracker.handle(message, at));
    }

    /// Lets time pass for the tracker.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.tracker.next_deadline().is_some_and(|due| due <= now) {
            self.snapshots.extend(self.tracker.tick(now));
        }
    }

    /// Returns in how long [`tick`](Self::tick) has something to do.
    pub(super) fn next_deadline_in(&self) -> Option<Duration> {
        let due = self.tracker.next_deadline()?;
        Some(due.since(self.clock.now()))
    }

    /// Notes until when the PBX was seen.
    pub(super) fn seen_until(&mut self, at: Timestamp) {
        self.seen_until = self.seen_until.max(Some(at));
    }

    /// Notes that nothing more is seen from now on, and why.
    pub(super) fn link_lost(&mut self, why: String) {
        self.lost_why = Some(why);
        let at = self.seen_until.unwrap_or_else(|| self.clock.now());
        self.tracker.link_lost(at);
    }

    /// Returns the number of open calls.
    pub(super) fn open_calls(&self) -> usize {
        self.tracker.open_calls()
    }

    /// Puts on disk what is new, if anything is.
    pub(super) async fn commit(&mut self) -> Result<(), SinkError> {
        let dirty = self.tracker.dirty();
        if dirty || !self.snapshots.is_empty() || !self.notes.is_empty() {
            self.commit_anyhow().await?;
        }
        Ok(())
    }

    /// Puts everything on disk, be it new or not. While the store takes nothing it tries again,
    /// until the session shall end.
    pub(super) async fn commit_anyhow(&mut self) -> Result<(), SinkError> {
        let seen_until = self.seen_until.unwrap_or_else(|| self.clock.now());
        let checkpoint = Checkpoint {
            version: checkpoint::VERSION,
            seen_until,
            boot: self.boot.clone(),
            lost_why: self.lost_why.clone(),
            tracker: self.tracker.checkpoint(),
        };
        let batch = Batch {
            snapshots: std::mem::take(&mut self.snapshots),
            checkpoint: Some(checkpoint.to_value()),
            notes: std::mem::take(&mut self.notes),
        };
        let mut delay = RETRY_FIRST;
        loop {
            let full = match self.sink.commit(batch.clone()).await {
                Ok(()) => return Ok(()),
                Err(SinkError::Full(why)) => SinkError::Full(why),
                Err(SinkError::Closed) => return Err(SinkError::Closed),
            };
            tracing::warn!(%full, retry_in_s = delay.as_secs_f64(), "commit of calls waits");
            let mut stop = self.stop.clone();
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Err(full),
                () = tokio::time::sleep(delay) => {}
            }
            delay = delay.saturating_mul(2).min(RETRY_LONGEST);
        }
    }
}
