//! What was deleted in the portal, by its offline events (`crm/bitrix24.md` §4): fetched from where
//! we sit, so that the box need not be reachable. They ride in the request that reads what was
//! changed.
//!
//! ```text
//! bind        once in a life; events that were not bound before are of a time that nobody watched
//! get         reserves what waits, under a name that stands in the directory's mark
//! clear       with the next reading: what it told of is on disk by then
//! list        everything that waits, reserved or not: after a start or a lost answer
//! ```
//!
//! Only where the portal keeps reserved events (its plan) and lets us (an application of an
//! administrator): events that are gone once they are read would be lost with the answer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::BitrixAdapter;
use super::clicks;
use super::command::Command;
use super::pool::{Bundle, Reply, Unanswered};
use super::refusal::Sort;
use super::wire::{Record, list};
use crate::crm::account::classify::Purpose;
use crate::crm::{Class, Click};
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// What tells of deletions.
const EVENTS: [(&str, Entity); 4] = [
    ("ONCRMCONTACTDELETE", Entity::Contact),
    ("ONCRMCOMPANYDELETE", Entity::Company),
    ("ONCRMLEADDELETE", Entity::Lead),
    ("ONCRMDEALDELETE", Entity::Deal),
];

/// Events of one reading: people do not delete more in a few seconds; what is left comes next.
const GET_MAX: usize = 500;

/// Rows of a page (§1), and the pages of everything that waits. Where more does, nothing is decided by
/// the directory until it is cleared.
const PAGE: usize = 50;
const PAGES_MAX: usize = 10;

/// Whether deletions are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// Not here.
    No,
    /// Since now: what was deleted before, nobody told.
    FromNow,
    /// As before.
    Still,
}

/// What is known of the portal's events in this life.
#[derive(Debug, Default)]
pub(super) struct Events {
    known: Mutex<Known>,
    clicks: Mutex<KnownClicks>,
}

/// What is known of clicks in this life.
#[derive(Debug, Default)]
pub(super) struct KnownClicks {
    /// Whether they wait for us, and are kept while they are read; `None` = not asked yet.
    pub(super) told: Option<Option<bool>>,
    /// When the queue was asked for them last.
    pub(super) asked_at: Option<Timestamp>,
    /// Under what names the portal holds those that are in our vault by now.
    pub(super) cleared: Vec<String>,
    /// Those that the directory's reading came across.
    pub(super) handed: Vec<Click>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Known {
    /// Whether they are told; `None` = not asked yet.
    told: Option<bool>,
    /// Everything that waits was seen since the start, and no answer was lost.
    is_whole: bool,
}

/// What the queue said.
pub(super) struct Deletions {
    pub(super) cards: Vec<Card>,
    /// Under what name the portal holds them until they are cleared.
    pub(super) process: Option<String>,
    /// Nothing else waits.
    pub(super) is_all: bool,
}

impl Events {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clicks(&self) -> MutexGuard<'_, KnownClicks> {
        self.clicks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the next reading look at everything that waits.
    pub(super) fn look_at_everything(&self) {
        self.lock().is_whole = false;
    }
}

impl BitrixAdapter {
    /// Makes sure that deletions are told, where they can be.
    pub(super) async fn deletions_told(&self, class: Class) -> Result<Telling, Unanswered> {
        // A portal that is only observed is not changed.
        if !self.client.auth().is_application() || self.client.is_observed() {
            return Ok(Telling::No);
        }
        if let Some(told) = self.events.lock().told {
            return Ok(if told { Telling::Still } else { Telling::No });
        }
        // What is decided by the directory is decided without asking whether there are leads.
        self.setup.ready(&self.client, class).await?;
        let asked = vec![
            Command::new("feature.get", json!({ "CODE": "rest_offline_extended" })),
            Command::new("event.get", json!({})),
        ];
        let mut replies = self
            .client
            .read_all("events", asked, class)
            .await?
            .into_iter();
        let kept = match replies.next() {
            Some(Ok(answered)) => Record(&answered.value).flag("value"),
            other => return self.not_told(other),
        };
        if !kept {
            return self.not_told(None);
        }
        let bound = match replies.next() {
            Some(Ok(answered)) => bound(&answered.value),
            other => return self.not_told(other),
        };
        let missing: Vec<&str> = EVENTS
            .iter()
            .map(|(event, _)| *event)
            .filter(|event| !bound.iter().any(|one| one == event))
            .collect();
        if missing.is_empty() {
            self.events.lock().told = Some(true);
            return Ok(Telling::Still);
        }
        let commands = missing.iter().map(|event| {
            let params = json!({ "event": event, "event_type": "offline" });
            Command::new("event.bind", params)
        });
        let bundle = Bundle {
            name: "bind events".to_owned(),
            commands: commands.collect(),
            purpose: Purpose::Write,
            class,
        };
        for reply in self.client.ask(bundle).await? {
            match reply {
                Ok(_) => {}
                // Bound after all (§9).
                Err(refusal) if refusal.says("already binded") => {}
                Err(refusal) => return self.not_told(Some(Err(refusal))),
            }
        }
        self.events.lock().told = Some(true);
        Ok(Telling::FromNow)
    }

    /// Takes note that deletions are not told, unless the portal only could not say.
    fn not_told(&self, reply: Option<Reply>) -> Result<Telling, Unanswered> {
        if let Some(Err(refusal)) = reply {
            if refusal.sort() != Sort::Final {
                return Err(refusal.unanswered(Purpose::Read));
            }
            tracing::info!(
                portal = self.host,
                why = refusal.text,
                "the portal does not tell of deletions"
            );
        }
        self.events.lock().told = Some(false);
        Ok(Telling::No)
    }

    /// Returns what asks for deletions, and clears those that are on disk. Until the answer was read
    /// ([`Self::deletions`]) it counts as lost.
    pub(super) fn deletion_commands(&self, cleared: Option<&str>) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(process) = cleared {
            let params = json!({ "process_id": process });
            commands.push(Command::new("event.offline.clear", params));
        }
        let whole = std::mem::replace(&mut self.events.lock().is_whole, false);
        if !whole {
            commands.extend((0..PAGES_MAX).map(|page| {
                let params = json!({ "order": { "ID": "ASC" }, "start": page * PAGE });
                Command::new("event.offline.list", params)
            }));
        }
        let params = json!({ "clear": 0, "limit": GET_MAX });
        commands.push(Command::new("event.offline.get", params));
        commands
    }

    /// Reads the answers to [`Self::deletion_commands`].
    pub(super) fn deletions(
        &self,
        replies: Vec<Reply>,
        cleared: Option<&str>,
    ) -> Result<Deletions, Unanswered> {
        let mut replies = replies.into_iter();
        if cleared.is_some()
            && let Some(Err(refusal)) = replies.next()
        {
            // They are told once more, which changes nothing.
            tracing::info!(
                portal = self.host,
                why = refusal.text,
                "events were not cleared"
            );
        }
        let mut cards = Vec::new();
        let (mut waiting, mut process, mut got) = (0, None, 0);
        for reply in replies {
            let answered = match reply {
                Ok(answered) => answered,
                Err(refusal) if refusal.sort() == Sort::Final => {
                    // The plan, or the rights, were changed: asked again with the next life.
                    self.events.lock().told = Some(false);
                    return Err(refusal.unanswered(Purpose::Read));
                }
                Err(refusal) => return Err(refusal.unanswered(Purpose::Read)),
            };
            let value = &answered.value;
            let rows = match value.get("events") {
                Some(events) => {
                    process = Record(value).text("process_id");
                    let rows = list(events, "");
                    got = rows.as_ref().map_or(0, Vec::len);
                    rows
                }
                None => {
                    let rows = list(value, "events");
                    waiting += rows.as_ref().map_or(0, Vec::len);
                    rows
                }
            };
            let rows = rows.ok_or_else(|| Unanswered::unreadable("events"))?;
            let now = self.clock.now();
            let mut known = self.events.clicks();
            let not_before = known.asked_at.unwrap_or_default();
            // Clicks stand in the same queue: whoever asks for them finds them here.
            let clicked = rows
                .iter()
                .filter_map(|row| clicks::click(*row, not_before, now));
            known.handed.extend(clicked);
            drop(known);
            cards.extend(rows.into_iter().filter_map(deleted));
        }
        let is_whole = waiting < PAGE * PAGES_MAX;
        self.events.lock().is_whole = is_whole;
        Ok(Deletions {
            cards,
            process: process.filter(|_| got > 0),
            is_all: is_whole && got < GET_MAX,
        })
    }
}

/// Returns the offline events that are bound.
pub(super) fn bound(value: &Value) -> Vec<String> {
    let rows = list(value, "events").unwrap_or_default();
    let offline = rows.into_iter().filter(|row| row.flag("offline"));
    let names = offline.filter_map(|row| row.text("event"));
    names.map(|name| name.to_uppercase()).collect()
}

/// Returns the card that an event says was deleted.
fn deleted(row: Record<'_>) -> Option<Card> {
    let name = row.text("EVENT_NAME")?.to_uppercase();
    let (_, entity) = EVENTS.into_iter().find(|(event, _)| *event == name)?;
    let fields = row.0.get("EVENT_DATA")?.get("FIELDS")?;
    let id = Record(fields).id()?.to_string();
    Some(Card { entity, id })
}
