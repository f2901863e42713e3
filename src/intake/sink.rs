//! Commits what a source reports and wakes who has work from it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::clock::SharedClock;
use crate::model::communication::{Body, Snapshot};
use crate::model::ids::{IntegrationKey, SourceKey};
use crate::pbx::{Batch, Sink, SinkError, SourceNote, SourceNoteKind};
use crate::sabotage::{self, Promise};
use crate::store::command::{Accept, Accepted, JournalNote, WorkId};
use crate::store::{StoreError, StoreHandle};
use crate::telemetry;

use super::room::Room;
use super::routing::Routing;

/// Is told of new work, with the addresses whose lanes it stands in.
pub trait Waker: Send + Sync {
    /// These works were made from this snapshot, or stand in the lanes of more addresses by it.
    fn works(&self, snapshot: &Snapshot, works: &[(IntegrationKey, WorkId)]);

    /// There are recordings to be looked for.
    fn recordings(&self) {}
}

/// Everything that acceptance needs, shared by all sources.
#[derive(Clone)]
pub struct Intake {
    /// The store.
    pub store: StoreHandle,
    /// Who takes what; replaced at reload.
    pub routing: Arc<ArcSwap<Routing>>,
    /// Who is told.
    pub waker: Arc<dyn Waker>,
    /// Whether there is room for more.
    pub room: Arc<Room>,
    /// The time of day.
    pub clock: SharedClock,
}

impl Intake {
    /// Commits one batch of a source; returns when it is on disk.
    pub async fn accept(
        &self,
        source: &SourceKey,
        batch: Batch,
    ) -> Result<Vec<Accepted>, SinkError> {
        if let Some(why) = self.room.closed() {
            return Err(SinkError::Full(why));
        }
        let routing = self.routing.load_full();
        let snapshots = batch.snapshots.clone();
        let now = self.clock.now();
        let recordings: Vec<_> = snapshots
            .iter()
            .filter_map(|snapshot| routing.recording(snapshot, now))
            .collect();
        let recorded = !recordings.is_empty();
        let accept = Accept {
            source: source.clone(),
            recordings,
            acceptances: batch
                .snapshots
                .into_iter()
                .map(|snapshot| routing.acceptance(snapshot))
                .collect(),
            checkpoint: batch.checkpoint,
            notes: batch
                .notes
                .into_iter()
                .map(|note| journal_note(source, note))
                .collect(),
            now,
        };
        if sabotage::broken(Promise::AcknowledgeAfterCommit) {
            return Ok(self.acknowledge_first(snapshots, accept));
        }
        let accepted = self.store.accept(accept).await.map_err(sink_error)?;
        if recorded {
            self.waker.recordings();
        }
        for (snapshot, outcome) in snapshots.iter().zip(&accepted) {
            if let Accepted::Stored { works, gained } = outcome {
                tell(snapshot, works.len());
                self.waker.works(snapshot, &[&works[..], gained].concat());
            }
        }
        Ok(accepted)
    }

    /// Answers as if everything were stored, and commits a while later: what a daemon does that
    /// breaks its first promise. Never called in an honest build.
    fn acknowledge_first(&self, snapshots: Vec<Snapshot>, accept: Accept) -> Vec<Accepted> {
        const LATER: std::time::Duration = std::time::Duration::from_millis(500);
        let answer = snapshots.iter().map(|_| Accepted::Stored {
            works: Vec::new(),
            gained: Vec::new(),
        });
        let answer = answer.collect();
        let intake = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(LATER).await;
            let accepted = intake.store.accept(accept).await.unwrap_or_default();
            for (snapshot, outcome) in snapshots.iter().zip(&accepted) {
                if let Accepted::Stored { works, .. } = outcome {
                    intake.waker.works(snapshot, works);
                }
            }
        });
        answer
    }
}

/// One line for each communication at the phase that makes work; the others are for debugging.
fn tell(snapshot: &Snapshot, works: usize) {
    let (key, phase) = (&snapshot.key, snapshot.body.phase());
    let client = match &snapshot.body {
        Body::Call { call } => telemetry::number(&call.client),
        Body::Chat { .. } | Body::Request { .. } => String::new(),
    };
    if works > 0 {
        tracing::info!(communication = %key, %phase, client, works, "accepted");
    } else {
        tracing::debug!(communication = %key, %phase, client, "accepted");
    }
}

fn journal_note(source: &SourceKey, note: SourceNote) -> JournalNote {
    let (word, text) = match note.kind {
        SourceNoteKind::Blind { from, why } => {
            let from = from.map_or_else(|| "an unknown time".to_owned(), |from| from.to_string());
            (
                "blind",
                format!("nothing was seen from {from} until {}: {why}", note.at),
            )
        }
        SourceNoteKind::Recovered {
            from,
            why,
            calls,
            gap,
        } => {
            let until = note.at;
            let text = format!(
                "nothing was seen from {from} until {until}: {why}; {calls} call(s) were recovered from the phone system's log"
            );
            match gap {
                None => ("recovered", text),
                Some(gap) => (
                    "blind",
                    format!("{text}, which does not hold all of it: {gap}"),
                ),
            }
        }
        SourceNoteKind::Restarted => ("restarted", "the phone system was restarted".to_owned()),
        SourceNoteKind::Remark { text } => ("remark", text),
    };
    JournalNote {
        at: note.at,
        tenant: Some(source.tenant.clone()),
        source: Some(source.clone()),
        integration: None,
        communication: None,
        word: word.to_owned(),
        text,
    }
}

fn sink_error(error: StoreError) -> SinkError {
    match error {
        StoreError::Closed => SinkError::Closed,
        error => SinkError::Full(error.to_string()),
    }
}

/// One source's way into the store.
pub struct SourceSink {
    source: SourceKey,
    intake: Intake,
}

impl SourceSink {
    /// Joins a source with the intake.
    pub fn new(source: SourceKey, intake: Intake) -> Self {
        Self { source, intake }
    }
}

impl Sink for SourceSink {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move { self.intake.accept(&self.source, batch).await.map(drop) }.boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Value>, SinkError>> {
        async move {
            self.intake
                .store
                .checkpoint(self.source.clone())
                .await
                .map_err(sink_error)
        }
        .boxed()
    }
}
