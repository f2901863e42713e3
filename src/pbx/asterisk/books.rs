//! The tracker of a session, and what of its findings is not on disk yet. Every commit carries
//! snapshots and the checkpoint that belongs to them, so that neither is ahead of the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::ami_message::Message;
use super::boot::Boot;
use super::call_log::Recovered;
use super::call_log::position::LogBookmark;
use super::checkpoint::{self, Checkpoint};
use super::tracker::{LiveState, Tracker, TrackerSettings};
use crate::clock::SharedClock;
use crate::model::communication::Snapshot;
use crate::model::ids::CommunicationKey;
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
    /// Up to where the PBX's log was taken in.
    log: Option<LogBookmark>,
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
            log: None,
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
                books.log = checkpoint.log;
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

    /// Says since when nothing was seen, and why, before the next session is up.
    pub(super) fn blind_since(&self) -> Option<(Timestamp, String)> {
        let why = self.lost_why.clone();
        let why = why.unwrap_or_else(|| "the daemon ended without notice".to_owned());
        Some((self.seen_until?, why))
    }

    /// Notes that nothing was seen since the last session, and what the log told of it.
    pub(super) fn note_blind_interval(&mut self, recovered: Option<Recovered>) {
        let blind = self.blind_since();
        self.lost_why = None;
        match (recovered, blind) {
            (Some(told), _) => self.note(SourceNoteKind::Recovered {
                from: told.from,
                why: told.why,
                calls: told.calls,
                gap: told.gap,
            }),
            (None, Some((from, why))) => self.note(SourceNoteKind::Blind {
                from: Some(from),
                why,
            }),
            (None, None) => {}
        }
    }

    /// Says whether this start of the PBX is another than the one known.
    pub(super) fn restarted(&self, boot: &Boot) -> bool {
        let before = self.boot.as_ref();
        before.and_then(|before| boot.restarted_since(before)) == Some(true)
    }

    /// Returns the tracker, for what is told to it by the log.
    pub(super) fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Takes in what the log tells of a time in which nothing was seen; returns the calls that
    /// changed.
    pub(super) fn replay(&mut self, message: &Message, at: Timestamp) -> Vec<Snapshot> {
        if self.tracker.next_deadline().is_some_and(|due| due <= at) {
            self.snapshots.extend(self.tracker.tick(at));
        }
        self.tracker.replay(message, at)
    }

    /// Keeps snapshots that came of [`replay`](Self::replay). What is over need not be told in
    /// its stages: of each call the latest picture is kept.
    pub(super) fn keep(&mut self, snapshots: Vec<Snapshot>) {
        self.snapshots.extend(snapshots);
        let mut latest: HashMap<CommunicationKey, u64> = HashMap::new();
        for one in &self.snapshots {
            let revision = latest.entry(one.key.clone()).or_default();
            *revision = one.revision.max(*revision);
        }
        self.snapshots
            .retain(|one| latest.get(&one.key) == Some(&one.revision));
    }

    /// Takes note that the log told everything up to a moment.
    pub(super) fn replayed_until(&mut self, at: Timestamp) {
        self.tracker.replayed_until(at);
    }

    /// Returns up to where the log was taken in.
    pub(super) fn log(&self) -> Option<&LogBookmark> {
        self.log.as_ref()
    }

    /// Sets up to where the log was taken in; it goes into the next commit.
    pub(super) fn set_log(&mut self, log: LogBookmark) {
        self.log = Some(log);
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
            log: self.log.clone(),
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
