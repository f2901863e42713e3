//! A recovery that is under way: how far it is, and what it says in the end.

use std::collections::{BTreeSet, VecDeque};

use super::cel_event::CelEvent;
use super::pages::Pages;
use super::position::{LogBookmark, Position, Unfinished};
use super::settings::LogPlace;
use crate::model::timestamp::Timestamp;

/// What the log told of a blind interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::asterisk) struct Recovered {
    /// Since when nothing had been seen.
    pub(in crate::pbx::asterisk) from: Timestamp,
    /// Why.
    pub(in crate::pbx::asterisk) why: String,
    /// Calls that it told of.
    pub(in crate::pbx::asterisk) calls: u64,
    /// What it does not hold, in words.
    pub(in crate::pbx::asterisk) gap: Option<String>,
}

/// See the module.
pub(super) struct Reading {
    pub(super) pages: Pages,
    /// The place from which on not everything was told yet.
    pub(super) untold: Position,
    /// Events that were read and not told yet.
    pub(super) ahead: VecDeque<CelEvent>,
    pub(super) from: Timestamp,
    pub(super) why: String,
    /// Calls that were told of.
    pub(super) calls: BTreeSet<String>,
    /// Calls that were open when seeing stopped.
    pub(super) open_before: BTreeSet<String>,
    pub(super) calls_before: u64,
    /// Something of the interval was passed over.
    pub(super) gap: bool,
    /// The time of the first entry that was read.
    pub(super) first: Option<Timestamp>,
    pub(super) known_place: bool,
    pub(super) unreadable: u64,
}

impl Reading {
    /// Begins, or goes on with one that is not finished.
    pub(super) fn new(
        pages: Pages,
        place: Option<Position>,
        unfinished: Unfinished,
        open_before: BTreeSet<String>,
    ) -> Self {
        Self {
            gap: unfinished.gap,
            pages,
            known_place: place.is_some(),
            untold: place.unwrap_or_default(),
            ahead: VecDeque::new(),
            from: unfinished.from,
            why: unfinished.why,
            calls: BTreeSet::new(),
            open_before,
            calls_before: unfinished.calls,
            first: None,
            unreadable: 0,
        }
    }

    /// Counts the calls that were open when seeing stopped and are not any more.
    pub(super) fn count_ended(&mut self, unfinished: &BTreeSet<String>) {
        let ended = self.open_before.difference(unfinished).cloned();
        self.calls.extend(ended);
    }

    fn total(&self) -> u64 {
        self.calls_before.saturating_add(self.calls.len() as u64)
    }

    /// Says that the log may begin after the interval did. Without a place that is known, only an
    /// entry from before the interval proves that it holds all of it.
    fn begins_later(&self) -> bool {
        let by_time = self.first.is_some_and(|first| first <= self.from);
        (self.pages.lost() || !self.known_place) && !by_time && !self.pages.reaches_back()
    }

    /// Returns what the next session must know where this one does not come to an end.
    pub(super) fn bookmark(&self, place: &LogPlace) -> LogBookmark {
        LogBookmark {
            place: place.to_string(),
            position: self.untold.clone(),
            unfinished: Some(Unfinished {
                from: self.from,
                why: self.why.clone(),
                calls: self.total(),
                gap: self.gap || self.begins_later(),
            }),
        }
    }

    /// Says what came of it.
    pub(super) fn result(self, place: &LogPlace) -> Recovered {
        let unread = self.unreadable + self.pages.passed_over();
        let gap = match place {
            _ if self.gap || self.pages.too_many() => {
                Some(format!("not all of that time could be read in {place}"))
            }
            LogPlace::File(path) if self.begins_later() => Some(format!(
                "{} begins later, and no older file beside it was found",
                path.display()
            )),
            LogPlace::Table(_) if self.begins_later() => Some(format!("{place} begins later")),
            _ if unread > 0 => Some(format!("{unread} line(s) of {place} cannot be read")),
            LogPlace::File(_) | LogPlace::Table(_) => None,
        };
        Recovered {
            calls: self.total(),
            from: self.from,
            why: self.why,
            gap,
        }
    }
}
