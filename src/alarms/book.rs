//! What stands, and whom it was told. Pure: time comes in as a value.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::settings::AlarmSettings;
use super::{Alarm, Channel};
use crate::model::timestamp::Timestamp;

/// An alarm that stands, or stood and is not told to be over yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StandingAlarm")]
pub struct Standing {
    /// The alarm, in its latest words.
    pub alarm: Alarm,
    /// Since when it stands.
    pub since: Timestamp,
    /// Since when it is not seen any more.
    pub gone_since: Option<Timestamp>,
    /// Whom it was told, and when last.
    pub told: BTreeMap<Channel, Timestamp>,
    /// Who knows that it is over.
    pub over_told: BTreeSet<Channel>,
}

/// Everything that stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    /// In order of their coming.
    pub standing: Vec<Standing>,
    /// When each channel last took a message.
    pub last_sent: BTreeMap<Channel, Timestamp>,
}

/// Why an alarm is named in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// It is new.
    New,
    /// It stood and is over, both unknown until now.
    Was,
    /// It is over.
    Over,
    /// It still stands.
    Still,
}

/// What one channel is to be told now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// What, and why.
    pub items: Vec<(Item, Standing)>,
}

/// So many alarms at the most are kept: more than a box has parts.
const STANDING_MAX: usize = 1000;

impl Book {
    /// Takes in what is seen now.
    pub fn observe(&mut self, now: Timestamp, seen: &[Alarm], settings: &AlarmSettings) {
        for alarm in seen {
            let count = self.standing.len();
            let known = self.standing.iter_mut().find(|known| known.alarm.is(alarm));
            match known {
                Some(known) => {
                    known.alarm.text.clone_from(&alarm.text);
                    known.gone_since = None;
                    // For those who believe that it was over, it is new.
                    for channel in std::mem::take(&mut known.over_told) {
                        known.told.remove(&channel);
                    }
                }
                None if count < STANDING_MAX => self.standing.push(Standing {
                    alarm: alarm.clone(),
                    since: now,
                    gone_since: None,
                    told: BTreeMap::new(),
                    over_told: BTreeSet::new(),
                }),
                None => {}
            }
        }
        for known in &mut self.standing {
            if known.gone_since.is_none() && !seen.iter().any(|alarm| alarm.is(&known.alarm)) {
                known.gone_since = Some(now);
            }
        }
        let channels = settings.channels();
        self.standing.retain(|known| {
            let owed = |channel: &Channel| match known.told.contains_key(channel) {
                true => !known.over_told.contains(channel),
                false => known.is_due(now, settings),
            };
            !known.is_over(now, settings) || channels.iter().any(owed)
        });
    }

    /// Returns what a channel is to be told now, if anything.
    pub fn due(
        &self,
        now: Timestamp,
        channel: Channel,
        settings: &AlarmSettings,
    ) -> Option<Message> {
        let last = self.last_sent.get(&channel);
        let lately = last.is_some_and(|last| now >= *last && now.since(*last) < settings.gather);
        if lately || settings.is_quiet(now) {
            return None;
        }
        let item = |known: &Standing| match known.told.get(&channel) {
            _ if known.over_told.contains(&channel) => None,
            Some(_) if known.is_over(now, settings) => Some(Item::Over),
            None if known.is_over(now, settings) => {
                known.is_due(now, settings).then_some(Item::Was)
            }
            // Gone, but perhaps for a moment only.
            _ if known.gone_since.is_some() => None,
            None => known.is_due(now, settings).then_some(Item::New),
            Some(told) => {
                let again = settings
                    .remind
                    .is_some_and(|remind| now.since(*told) >= remind);
                again.then_some(Item::Still)
            }
        };
        let items = self.standing.iter();
        let mut items: Vec<(Item, Standing)> = items
            .filter_map(|known| Some((item(known)?, known.clone())))
            .collect();
        items.sort_by_key(|(item, _)| *item);
        (!items.is_empty()).then_some(Message { items })
    }

    /// Writes down that a channel took a message.
    pub fn told(&mut self, now: Timestamp, channel: Channel, message: &Message) {
        self.last_sent.insert(channel, now);
        for (item, named) in &message.items {
            let same = |known: &&mut Standing| {
                known.alarm.word == named.alarm.word && known.alarm.what == named.alarm.what
            };
            let Some(known) = self.standing.iter_mut().find(same) else {
                continue;
            };
            known.told.insert(channel, now);
            if matches!(item, Item::Over | Item::Was) {
                known.over_told.insert(channel);
            }
        }
    }
}

impl Standing {
    /// Says whether it has stood long enough to be told.
    fn is_due(&self, now: Timestamp, settings: &AlarmSettings) -> bool {
        let until = self.gone_since.unwrap_or(now);
        until.since(self.since) >= settings.told_after(&self.alarm.word)
    }

    /// Says whether it has been gone long enough to be over.
    fn is_over(&self, now: Timestamp, settings: &AlarmSettings) -> bool {
        self.gone_since
            .is_some_and(|gone| now.since(gone) >= settings.stands)
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
