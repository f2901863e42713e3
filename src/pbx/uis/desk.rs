//! Where notifications and reports of one account come together: it holds what is remembered, and
//! commits every change of it with the pictures that follow.
//!
//! One change at a time: what is remembered is part of the commit, and two of them must not cross.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::local_time;
use super::memory::{Heard, Memory, Rules};
use super::notification::Notification;
use super::roster::People;
use super::settings::UisSettings;
use crate::model::communication::{Kind, Snapshot};
use crate::model::timestamp::Timestamp;
use crate::pbx::{Batch, Sink, SinkError, SourceIdentity, SourceNote, SourceNoteKind};

/// Looks back where nothing is configured.
const OVERLAP: Duration = Duration::from_secs(3_600);

/// The desk of one account.
pub(super) struct Desk {
    pub(super) identity: SourceIdentity,
    pub(super) settings: UisSettings,
    pub(super) rules: Rules,
    memory: Mutex<Option<Memory>>,
    /// The people, for who answers without waiting.
    people: ArcSwap<People>,
    zone: ArcSwap<TimeZone>,
    /// Reports are to be read soon.
    pub(super) soon: Notify,
}

/// What is remembered, held for one change.
pub(super) struct Open<'a> {
    desk: &'a Desk,
    held: MutexGuard<'a, Option<Memory>>,
    sink: &'a Arc<dyn Sink>,
}

impl Desk {
    pub(super) fn new(identity: SourceIdentity, settings: UisSettings) -> Self {
        let api = settings.api.as_ref();
        let rules = Rules {
            identity: identity.clone(),
            reports: api.is_some(),
            overlap: api.map_or(OVERLAP, |api| api.overlap),
        };
        let zone = settings.zone.clone().unwrap_or_else(local_time::usual_zone);
        Self {
            identity,
            settings,
            rules,
            memory: Mutex::default(),
            people: ArcSwap::default(),
            zone: ArcSwap::from_pointee(zone),
            soon: Notify::new(),
        }
    }

    /// Returns the zone of the account's times.
    pub(super) fn zone(&self) -> TimeZone {
        TimeZone::clone(&self.zone.load())
    }

    /// Returns the people as last read.
    pub(super) fn people(&self) -> Arc<People> {
        self.people.load_full()
    }

    /// Waits for one's turn and brings back what was remembered, where that was not done yet.
    pub(super) async fn open<'a>(
        &'a self,
        sink: &'a Arc<dyn Sink>,
        now: Timestamp,
    ) -> Result<Open<'a>, SinkError> {
        let mut held = self.memory.lock().await;
        if held.is_none() {
            let stored = sink.checkpoint().await?;
            let is_first = stored.is_none();
            let mut memory = match stored.map(serde_json::from_value::<Memory>) {
                None => Memory::default(),
                Some(Ok(memory)) => memory,
                Some(Err(error)) => {
                    let text = format!(
                        "what was remembered of this account cannot be read ({error}): reports \
                         are read from now on"
                    );
                    sink.commit(remarks(vec![text], now)).await?;
                    Memory::default()
                }
            };
            memory.since.get_or_insert(now);
            self.show(&memory);
            *held = Some(memory);
            if is_first {
                // From when on communications are ours is not to change with the next start.
                let mut open = Open {
                    desk: self,
                    held,
                    sink,
                };
                open.commit(Vec::new(), Vec::new(), now).await?;
                return Ok(open);
            }
        }
        Ok(Open {
            desk: self,
            held,
            sink,
        })
    }

    /// Gives those who only look what there is to see.
    fn show(&self, memory: &Memory) {
        if **self.people.load() != memory.people {
            self.people.store(Arc::new(memory.people.clone()));
        }
        let learned = memory.zone.as_deref().and_then(local_time::zone);
        if let (None, Some(zone)) = (&self.settings.zone, learned) {
            self.zone.store(Arc::new(zone));
        }
    }

    /// Takes a notification; returns when what it tells is on disk.
    pub(super) async fn hear(
        &self,
        told: &Notification,
        sink: &Arc<dyn Sink>,
        now: Timestamp,
    ) -> Result<Heard, SinkError> {
        let mut open = self.open(sink, now).await?;
        let heard = open.memory().hear(told, &self.rules, now);
        match &heard {
            Heard::News(snapshots) => open.commit(snapshots.clone(), Vec::new(), now).await?,
            Heard::ReadSoon { changed } => {
                if *changed {
                    open.commit(Vec::new(), Vec::new(), now).await?;
                }
                self.soon.notify_one();
            }
            Heard::TooLate => {
                let text = format!(
                    "a notification of call {} came more than a day late and was left out",
                    told.id
                );
                open.commit(Vec::new(), vec![text], now).await?;
            }
            Heard::Known | Heard::NoReports | Heard::Full => {}
        }
        Ok(heard)
    }

    /// Returns the kinds that can be told of.
    pub(super) fn kinds(&self) -> &'static [Kind] {
        match (self.settings.brand, &self.settings.api) {
            (super::settings::Brand::Megafon, _) => &[Kind::Call],
            (_, Some(_)) => &[Kind::Call, Kind::Chat, Kind::Request],
            (_, None) => &[Kind::Call, Kind::Request],
        }
    }
}

impl Open<'_> {
    /// Returns what is remembered.
    pub(super) fn memory(&mut self) -> &mut Memory {
        self.held.get_or_insert_with(Memory::default)
    }

    /// Commits what is remembered now with what follows from it. After a failure everything is
    /// brought back from the store: nothing counts that is not on disk.
    pub(super) async fn commit(
        &mut self,
        snapshots: Vec<Snapshot>,
        words: Vec<String>,
        now: Timestamp,
    ) -> Result<(), SinkError> {
        let checkpoint = serde_json::to_value(&*self.memory())
            .map_err(|error| SinkError::Full(format!("the checkpoint: {error}")))?;
        let mut batch = remarks(words, now);
        batch.snapshots = snapshots;
        batch.checkpoint = Some(checkpoint);
        let committed = self.sink.commit(batch).await;
        match &committed {
            Ok(()) => {
                if let Some(memory) = self.held.as_ref() {
                    self.desk.show(memory);
                }
            }
            Err(_) => *self.held = None,
        }
        committed
    }
}

fn remarks(words: Vec<String>, now: Timestamp) -> Batch {
    let note = |text| SourceNote {
        at: now,
        kind: SourceNoteKind::Remark { text },
    };
    Batch {
        notes: words.into_iter().map(note).collect(),
        ..Batch::default()
    }
}
