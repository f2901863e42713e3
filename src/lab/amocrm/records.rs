//! The records that a simulated account holds. Plain data; what happens to them is elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::Instant;

/// The four kinds of cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Lead,
    Customer,
    Contact,
    Company,
}

impl Kind {
    /// The name in paths and embedded lists.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Kind::Lead => "leads",
            Kind::Customer => "customers",
            Kind::Contact => "contacts",
            Kind::Company => "companies",
        }
    }

    /// The name in `entity_type` of calls and events.
    pub(super) fn singular(self) -> &'static str {
        match self {
            Kind::Lead => "lead",
            Kind::Customer => "customer",
            Kind::Contact => "contact",
            Kind::Company => "company",
        }
    }

    /// The numeric type of the old interface (crm/amocrm.md §12).
    pub(super) fn legacy(self) -> u8 {
        match self {
            Kind::Contact => 1,
            Kind::Lead => 2,
            Kind::Company => 3,
            Kind::Customer => 12,
        }
    }

    pub(super) fn from_plural(name: &str) -> Option<Self> {
        let all = [Kind::Lead, Kind::Customer, Kind::Contact, Kind::Company];
        all.into_iter().find(|kind| kind.plural() == name)
    }

    /// The first id of this kind; kinds have distant ids so that a mixed-up id finds nothing.
    pub(super) fn first_id(self) -> u64 {
        match self {
            Kind::Contact => 7_000_001,
            Kind::Company => 8_000_001,
            Kind::Lead => 9_000_001,
            Kind::Customer => 12_000_001,
        }
    }
}

/// A contact, company, lead or customer.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub(super) kind: Kind,
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) responsible_user_id: u64,
    pub(super) created_by: u64,
    pub(super) updated_by: u64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) deleted: bool,
    /// Inside an unsorted record that nobody has accepted yet.
    pub(super) waiting: bool,
    /// Values by field id.
    pub(super) values: BTreeMap<u64, Vec<FieldValue>>,
    pub(super) tags: Vec<u64>,
    /// What only leads have.
    pub(super) deal: Deal,
    pub(super) indexed: SearchText,
    /// Last ten digits of its phones.
    pub(super) phone_keys: BTreeSet<String>,
}

/// What only leads have; empty for other kinds.
#[derive(Debug, Clone, Default)]
pub(super) struct Deal {
    pub(super) price: i64,
    pub(super) pipeline_id: u64,
    pub(super) status_id: u64,
    pub(super) loss_reason_id: Option<u64>,
    pub(super) closed_at: Option<i64>,
}

/// Stage ids that every pipeline shares.
pub(super) const WON: u64 = 142;
/// See [`WON`].
pub(super) const LOST: u64 = 143;

impl Card {
    /// Whether a lead is open: not closed and not waiting in unsorted (crm/amocrm.md §9).
    pub(super) fn is_open_lead(&self) -> bool {
        let closed = self.deal.closed_at.is_some() || [WON, LOST].contains(&self.deal.status_id);
        self.kind == Kind::Lead && !self.deleted && !self.waiting && !closed
    }
}

/// One value of a custom field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldValue {
    pub(super) value: Value,
    pub(super) enum_id: Option<u64>,
    pub(super) enum_code: Option<String>,
}

impl FieldValue {
    pub(super) fn plain(value: Value) -> Self {
        Self {
            value,
            enum_id: None,
            enum_code: None,
        }
    }

    /// Returns the value as search reads it.
    pub(super) fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// The text by which `query` finds a card. A change comes into force after the indexing delay.
#[derive(Debug, Clone, Default)]
pub(super) struct SearchText {
    in_force: String,
    pending: Vec<(Instant, String)>,
}

/// Changes of one card that wait for the index; more within one delay replace the last.
const PENDING_MAX: usize = 64;

impl SearchText {
    /// Takes a new text that comes into force at `due`.
    pub(super) fn change(&mut self, text: String, now: Instant, due: Instant) {
        self.settle(now);
        if self.pending.len() >= PENDING_MAX {
            self.pending.pop();
        }
        self.pending.push((due, text));
    }

    /// Returns the text in force.
    pub(super) fn at(&self, now: Instant) -> &str {
        let due = self.pending.iter().rev().find(|(due, _)| *due <= now);
        due.map_or(&self.in_force, |(_, text)| text)
    }

    fn settle(&mut self, now: Instant) {
        self.in_force = self.at(now).to_owned();
        self.pending.retain(|(due, _)| *due > now);
    }
}

/// A note, a logged call among them.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) entity_id: u64,
    pub(super) note_type: String,
    pub(super) params: Value,
    pub(super) responsible_user_id: u64,
    pub(super) created_by: u64,
    pub(super) updated_by: u64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    /// How a call came here: `note`, `calls` or the uid of an unsorted record.
    pub(super) origin: String,
}

/// A task.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) text: String,
    pub(super) complete_till: i64,
    pub(super) entity: Option<(Kind, u64)>,
    pub(super) task_type_id: u64,
    pub(super) responsible_user_id: u64,
    pub(super) duration: i64,
    pub(super) is_completed: bool,
    pub(super) result: Option<String>,
    pub(super) created_by: u64,
    pub(super) updated_by: u64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

/// What became of an unsorted record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnsortedState {
    Waiting,
    Accepted,
    Declined,
}

/// An unsorted record.
#[derive(Debug, Clone)]
pub(super) struct Unsorted {
    pub(super) uid: String,
    /// Order of creation.
    pub(super) number: u64,
    pub(super) category: String,
    pub(super) source_uid: String,
    pub(super) source_name: String,
    pub(super) pipeline_id: u64,
    pub(super) created_at: i64,
    pub(super) sorted_at: Option<i64>,
    pub(super) metadata: Value,
    pub(super) state: UnsortedState,
    pub(super) lead: Option<u64>,
    pub(super) contact: Option<u64>,
    pub(super) company: Option<u64>,
}

/// A tag of one kind's dictionary.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) color: Option<String>,
}

/// A pipeline.
#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) is_main: bool,
    pub(super) is_unsorted_on: bool,
    pub(super) is_archive: bool,
    pub(super) statuses: Vec<Status>,
}

/// A stage.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) sort: u32,
    /// 1 for the unsorted stage.
    pub(super) kind: u8,
}

impl Pipeline {
    pub(super) fn status(&self, id: u64) -> Option<&Status> {
        self.statuses.iter().find(|status| status.id == id)
    }

    /// The stage in which a lead begins.
    pub(super) fn first_status(&self) -> u64 {
        let ordinary = self.statuses.iter().find(|s| s.kind == 0);
        ordinary.map_or(WON, |status| status.id)
    }

    /// The stage of incoming leads.
    pub(super) fn unsorted_status(&self) -> u64 {
        let unsorted = self.statuses.iter().find(|s| s.kind == 1);
        unsorted.map_or(0, |status| status.id)
    }
}

/// An entry of the audit feed.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) entity_type: &'static str,
    pub(super) entity_id: u64,
    pub(super) created_by: u64,
    pub(super) created_at: i64,
    pub(super) before: Value,
    pub(super) after: Value,
}

/// A subscription to hooks.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) id: u64,
    pub(super) destination: String,
    pub(super) settings: Vec<String>,
    pub(super) sort: i64,
    pub(super) disabled: bool,
    pub(super) created_by: u64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    /// Times of deliveries that were not a success, within the last two hours.
    pub(super) failures: Vec<Instant>,
}

/// A popup that was shown to users.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Popup {
    /// The number as it was given.
    pub phone: String,
    /// Users who saw it; empty for everyone.
    pub users: Vec<u64>,
    /// Unix seconds.
    pub at: i64,
    /// The card that was shown.
    pub entity_id: Option<u64>,
}

/// Returns the last ten digits of a phone, by which the service matches numbers.
pub(super) fn last_ten(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let tail = digits.len().saturating_sub(10);
    digits.into_iter().skip(tail).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_changed_text_comes_into_force_after_the_delay() {
        let start = Instant::now();
        let after = |s| start + Duration::from_secs(s);
        let mut text = SearchText::default();
        text.change("old".into(), start, after(2));
        assert_eq!(text.at(after(1)), "");
        assert_eq!(text.at(after(2)), "old");
        text.change("new".into(), after(3), after(5));
        assert_eq!(text.at(after(4)), "old");
        assert_eq!(text.at(after(5)), "new");
    }

    #[test]
    fn phones_match_by_their_last_ten_digits() {
        assert_eq!(last_ten("+7 (912) 123-45-67"), "9121234567");
        assert_eq!(last_ten("89121234567"), "9121234567");
        assert_eq!(last_ten("101"), "101");
    }
}
