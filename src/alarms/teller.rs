//! Keeps the book of alarms on disk, and tells what is due.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::book::{Book, Message, Standing};
use super::settings::AlarmSettings;
use super::webhook::Words;
use super::words::{self, Told};
use super::{Alarm, Channel, email, webhook};
use crate::clock::SharedClock;
use crate::model::explanation::Language;
use crate::model::ids::PortalKey;
use crate::model::phrasebook::Phrasebook;
use crate::model::timestamp::Timestamp;
use crate::store::{StoreError, StoreHandle};

/// After a failure the next attempt comes this much later, then twice as late, and so on.
const RETRY_FIRST: Duration = Duration::from_secs(15);

/// The longest such pause.
const RETRY_MAX: Duration = Duration::from_secs(15 * 60);

/// How a channel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelState {
    /// Which.
    pub channel: Channel,
    /// When it last took a message.
    pub last_sent_at: Option<Timestamp>,
    /// Why it does not take them now.
    pub trouble: Option<String>,
}

/// Where the book is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Disk,
    Memory,
}

/// What is wrong with a channel.
#[derive(Debug, Clone)]
struct Trouble {
    why: String,
    next_at: Timestamp,
    pause: Duration,
}

/// Tells people about alarms.
pub struct Teller {
    store: StoreHandle,
    clock: SharedClock,
    settings: ArcSwap<AlarmSettings>,
    book: Mutex<Option<Book>>,
    troubles: Mutex<BTreeMap<Channel, Trouble>>,
    phrases: Phrasebook,
}

/// The row of the book, beside those of accounts.
fn row() -> PortalKey {
    PortalKey::new("alarms", "book")
}

impl Teller {
    /// Opens, with nothing read and nothing sent yet.
    pub fn new(store: StoreHandle, clock: SharedClock, settings: AlarmSettings) -> Self {
        Self {
            store,
            clock,
            settings: ArcSwap::from_pointee(settings),
            book: Mutex::default(),
            troubles: Mutex::default(),
            phrases: Phrasebook::default(),
        }
    }

    /// Has it put into Russian what alarms say, where its messages are.
    pub fn speaking(mut self, phrases: Phrasebook) -> Self {
        self.phrases = phrases;
        self
    }

    /// Returns a message with its alarms in the language of the settings.
    fn said(&self, message: &Message, language: Language) -> Message {
        let mut message = message.clone();
        if language == Language::Ru {
            for (_, standing) in &mut message.items {
                let alarm = &mut standing.alarm;
                alarm.what = self.phrases.russian(&alarm.what);
                alarm.text = self.phrases.russian(&alarm.text);
            }
        }
        message
    }

    /// Replaces the settings. What was wrong with a channel may be mended: it is tried at once.
    pub fn apply(&self, settings: AlarmSettings) {
        if **self.settings.load() != settings {
            self.settings.store(Arc::new(settings));
            self.troubles().clear();
        }
    }

    /// Returns the settings in force.
    pub fn settings(&self) -> Arc<AlarmSettings> {
        self.settings.load_full()
    }

    /// Takes in what stands now, and tells what is due.
    ///
    /// # Errors
    /// The store does not take the book; nothing was told.
    pub async fn turn(&self, seen: &[Alarm]) -> Result<(), StoreError> {
        let before = self.read_book().await?;
        self.advance(before, seen, Keeping::Disk).await
    }

    /// The same while nothing can be written: what stood before is taken to stand still, and who was
    /// told what is known until the process ends, or until the next turn that is kept on disk.
    ///
    /// # Errors
    /// The store cannot be read; nothing was told.
    pub async fn turn_unwritten(&self, seen: &[Alarm]) -> Result<(), StoreError> {
        let before = self.read_book().await?;
        let stood = before.standing.iter();
        let stood = stood.filter(|known| known.gone_since.is_none());
        let mut seen = seen.to_vec();
        for known in stood {
            if !seen.iter().any(|alarm| alarm.is(&known.alarm)) {
                seen.push(known.alarm.clone());
            }
        }
        self.advance(before, &seen, Keeping::Memory).await
    }

    async fn advance(
        &self,
        before: Book,
        seen: &[Alarm],
        keeping: Keeping,
    ) -> Result<(), StoreError> {
        let settings = self.settings();
        let now = self.clock.now();
        let mut book = before.clone();
        book.observe(now, seen, &settings);
        if book != before {
            // That it stands is on disk before anybody is told.
            self.keep(book.clone(), keeping).await?;
        }
        let channels = settings.channels();
        let due = channels.into_iter().filter_map(|channel| {
            let rests = self
                .troubles()
                .get(&channel)
                .is_some_and(|one| now < one.next_at);
            let message = book.due(now, channel, &settings).filter(|_| !rests)?;
            Some((channel, message))
        });
        let due: Vec<(Channel, Message)> = due.collect();
        let sent = due.iter().map(|(channel, message)| {
            let told = words::message(&self.said(message, settings.language), &settings);
            let settings = &settings;
            async move { send(settings, *channel, &told).await }
        });
        let results = join_all(sent).await;
        let mut changed = false;
        for ((channel, message), result) in due.iter().zip(results) {
            let now = self.clock.now();
            match result {
                Ok(()) => {
                    tracing::info!(channel = channel.word(), "alarms told");
                    self.troubles().remove(channel);
                    book.told(now, *channel, message);
                    changed = true;
                }
                Err(why) => self.failed(*channel, why, now),
            }
        }
        if changed {
            self.keep(book, keeping).await?;
        }
        Ok(())
    }

    /// Sends a trial message over every channel; says of each what came of it.
    pub async fn trial(&self) -> Vec<(Channel, Result<(), String>)> {
        let settings = self.settings();
        let told = words::trial(&settings);
        let channels = settings.channels();
        let sent = channels.iter().map(|channel| {
            let (settings, told) = (&settings, &told);
            async move { (*channel, send(settings, *channel, told).await) }
        });
        let results = join_all(sent).await;
        for (channel, result) in &results {
            if result.is_ok() {
                self.troubles().remove(channel);
            }
        }
        results
    }

    /// Returns what stands, as it was last looked at.
    pub fn standing(&self) -> Vec<Standing> {
        let book = self.book();
        book.as_ref()
            .map(|book| book.standing.clone())
            .unwrap_or_default()
    }

    /// Returns how every channel is.
    pub fn channels(&self) -> Vec<ChannelState> {
        let book = self.book();
        let last = |channel: &Channel| book.as_ref()?.last_sent.get(channel).copied();
        let troubles = self.troubles();
        let channels = self.settings.load().channels();
        let state = |channel: &Channel| ChannelState {
            channel: *channel,
            last_sent_at: last(channel),
            trouble: troubles.get(channel).map(|trouble| trouble.why.clone()),
        };
        channels.iter().map(state).collect()
    }

    /// Returns the alarms about alarms.
    pub fn alarms(&self) -> Vec<Alarm> {
        let troubles = self.troubles();
        let alarm = |(channel, trouble): (&Channel, &Trouble)| {
            Alarm::new("alarm_channel", channel.word(), trouble.why.clone())
        };
        troubles.iter().map(alarm).collect()
    }

    /// Returns the book, from disk at first. One that cannot be read is begun anew: people are told
    /// once more what stands.
    async fn read_book(&self) -> Result<Book, StoreError> {
        if let Some(book) = &*self.book() {
            return Ok(book.clone());
        }
        let stored = match self.store.account(row()).await {
            Ok(stored) => stored,
            Err(StoreError::Unreadable { .. }) => None,
            Err(error) => return Err(error),
        };
        let book = stored.and_then(|value| serde_json::from_value(value).ok());
        let book: Book = book.unwrap_or_default();
        *self.book() = Some(book.clone());
        Ok(book)
    }

    async fn keep(&self, book: Book, keeping: Keeping) -> Result<(), StoreError> {
        // In memory first: where the disk does not take it, nothing is told twice in this life.
        *self.book() = Some(book.clone());
        if keeping == Keeping::Memory {
            return Ok(());
        }
        let value = serde_json::to_value(&book).unwrap_or_default();
        self.store.put_account(row(), value).await
    }

    fn failed(&self, channel: Channel, why: String, now: Timestamp) {
        tracing::warn!(channel = channel.word(), why, "alarms are not taken");
        let mut troubles = self.troubles();
        let before = troubles.get(&channel);
        let pause = before.map_or(RETRY_FIRST, |before| (before.pause * 2).min(RETRY_MAX));
        let trouble = Trouble {
            why,
            next_at: now.plus(pause),
            pause,
        };
        troubles.insert(channel, trouble);
    }

    fn book(&self) -> MutexGuard<'_, Option<Book>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn troubles(&self) -> MutexGuard<'_, BTreeMap<Channel, Trouble>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(settings: &AlarmSettings, channel: Channel, told: &Told) -> Result<(), String> {
    match channel {
        Channel::Email => {
            let Some(to) = &settings.email else {
                return Ok(());
            };
            let sent = email::send(to, &to.to, &told.subject, told.text.clone(), None).await;
            sent.map_err(|refused| refused.why)
        }
        Channel::Webhook => {
            let Some(to) = &settings.webhook else {
                return Ok(());
            };
            let words = Words {
                subject: &told.subject,
                text: &told.text,
                box_name: &settings.box_name,
                new: told.new,
                over: told.over,
            };
            let sent = webhook::send(to, &words, None).await;
            sent.map_err(|refused| refused.why)
        }
    }
}
