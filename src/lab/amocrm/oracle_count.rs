//! Takes the oracle's count: from the records of the account to the views of `oracle`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::oracle::{
    CallView, CardView, Duplicates, LeadView, NoteView, Oracle, OracleCounters, TaskView,
    UnsortedView,
};
use super::records::{Card, Kind, Note, Task, Unsorted, UnsortedState, last_ten};
use super::world::World;

impl World {
    /// Counts everything.
    pub(super) fn oracle(&self) -> Oracle {
        let cards = |kind| -> Vec<CardView> {
            let cards = self.cards_of(kind).filter(|card| !card.deleted);
            cards.map(|card| self.card_view(card)).collect()
        };
        let leads = self.cards_of(Kind::Lead).filter(|card| !card.deleted);
        let leads: Vec<LeadView> = leads.map(|card| self.lead_view(card)).collect();
        let is_call = |note: &&Note| note.note_type.starts_with("call_");
        let (calls, notes): (Vec<&Note>, Vec<&Note>) = self.notes.values().partition(is_call);
        let mut calls: Vec<CallView> = calls.into_iter().map(|note| self.call_view(note)).collect();
        calls.sort_by(|a, b| (a.at, &a.phone, &a.uniq).cmp(&(b.at, &b.phone, &b.uniq)));
        let mut records: Vec<&Unsorted> = self.unsorted.values().collect();
        records.sort_by_key(|record| record.number);
        let mut oracle = Oracle {
            contacts: cards(Kind::Contact),
            companies: cards(Kind::Company),
            leads,
            calls,
            notes: notes.into_iter().map(note_view).collect(),
            tasks: self.tasks.values().map(task_view).collect(),
            unsorted: records
                .into_iter()
                .map(|record| self.unsorted_view(record))
                .collect(),
            popups: self.popups.iter().cloned().collect(),
            duplicates: Duplicates::default(),
            counters: self.oracle_counters(),
        };
        oracle.duplicates = duplicates(&oracle);
        oracle
    }

    /// Returns the counters alone, which is cheap.
    pub(super) fn oracle_counters(&self) -> OracleCounters {
        OracleCounters {
            rate_violations: self.limiter.violations,
            blocked_requests: self.limiter.blocked_requests,
            is_blocked: self.limiter.blocked,
            requests_per_second_max: self.limiter.most_per_second(),
            spent_tokens_reused: self.auth.spent_tokens_reused,
            token_rotations: self.auth.rotations,
            hooks_delivered: self.hook_queue.delivered,
            hook_attempts_failed: self.hook_queue.failed_attempts,
            hooks_lost: self.hook_queue.lost,
            oddities: self.oddities.clone(),
        }
    }

    fn tag_names(&self, card: &Card) -> Vec<String> {
        let tags = self.tags.iter().filter(|tag| card.tags.contains(&tag.id));
        let mut names: Vec<String> = tags.map(|tag| tag.name.clone()).collect();
        names.sort();
        names
    }

    fn field_texts(&self, card: &Card) -> BTreeMap<String, Vec<String>> {
        let mut texts = BTreeMap::new();
        for (id, values) in card.values.iter().filter(|(_, values)| !values.is_empty()) {
            let field = self
                .fields
                .iter()
                .find(|f| f.entity == card.kind && f.id == *id);
            if let Some(field) = field.filter(|f| f.kind != "multitext") {
                texts.insert(
                    field.name.clone(),
                    values.iter().map(|v| v.text()).collect(),
                );
            }
        }
        texts
    }

    fn card_view(&self, card: &Card) -> CardView {
        CardView {
            id: card.id,
            name: card.name.clone(),
            phones: self.texts_of_code(card, "PHONE"),
            emails: self.texts_of_code(card, "EMAIL"),
            responsible_user_id: card.responsible_user_id,
            created_by: card.created_by,
            created_at: card.created_at,
            tags: self.tag_names(card),
            fields: self.field_texts(card),
            in_unsorted: card.waiting,
            leads: self.linked(card.kind, card.id, Kind::Lead),
            companies: self.linked(card.kind, card.id, Kind::Company),
        }
    }

    fn lead_view(&self, card: &Card) -> LeadView {
        let pipeline = self.pipeline(card.deal.pipeline_id);
        let status = pipeline.and_then(|p| p.status(card.deal.status_id));
        LeadView {
            id: card.id,
            name: card.name.clone(),
            pipeline_id: card.deal.pipeline_id,
            status_id: card.deal.status_id,
            stage: status.map(|s| s.name.clone()).unwrap_or_default(),
            responsible_user_id: card.responsible_user_id,
            created_by: card.created_by,
            created_at: card.created_at,
            closed_at: card.deal.closed_at,
            price: card.deal.price,
            tags: self.tag_names(card),
            fields: self.field_texts(card),
            in_unsorted: card.waiting,
            contacts: self.linked(Kind::Lead, card.id, Kind::Contact),
            companies: self.linked(Kind::Lead, card.id, Kind::Company),
        }
    }

    fn call_view(&self, note: &Note) -> CallView {
        let text = |key: &str| match note.params.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let number = |key: &str| note.params.get(key).and_then(Value::as_i64);
        let inbound = note.note_type == "call_in";
        let origin = match note.origin.as_str() {
            known @ ("note" | "calls") => known,
            _ => "unsorted",
        };
        CallView {
            id: note.id,
            phone: last_ten(&text("phone").unwrap_or_default()),
            direction: if inbound { "inbound" } else { "outbound" }.into(),
            at: note.created_at,
            duration: number("duration").unwrap_or(0),
            uniq: text("uniq").unwrap_or_default(),
            link: text("link").unwrap_or_default(),
            status: number("call_status"),
            result: text("call_result"),
            call_responsible: text("call_responsible"),
            responsible_user_id: note.responsible_user_id,
            created_by: note.created_by,
            entity_type: note.kind.singular().into(),
            entity_id: note.entity_id,
            origin: origin.into(),
            is_shown: self.card(note.kind, note.entity_id).is_some(),
        }
    }

    fn unsorted_view(&self, record: &Unsorted) -> UnsortedView {
        let in_metadata = record.metadata.get("phone").and_then(Value::as_str);
        let contact = record
            .contact
            .and_then(|id| self.cards.get(&(Kind::Contact, id)));
        let of_contact =
            contact.and_then(|card| self.texts_of_code(card, "PHONE").into_iter().next());
        UnsortedView {
            uid: record.uid.clone(),
            category: record.category.clone(),
            source_uid: record.source_uid.clone(),
            source_name: record.source_name.clone(),
            pipeline_id: record.pipeline_id,
            created_at: record.created_at,
            state: match record.state {
                UnsortedState::Waiting => "waiting",
                UnsortedState::Accepted => "accepted",
                UnsortedState::Declined => "declined",
            }
            .into(),
            phone: last_ten(in_metadata.or(of_contact.as_deref()).unwrap_or("")),
            metadata: record.metadata.clone(),
            lead: record.lead,
            contact: record.contact,
        }
    }
}

fn note_view(note: &Note) -> NoteView {
    NoteView {
        id: note.id,
        note_type: note.note_type.clone(),
        entity_type: note.kind.singular().into(),
        entity_id: note.entity_id,
        params: note.params.clone(),
        created_at: note.created_at,
    }
}

fn task_view(task: &Task) -> TaskView {
    TaskView {
        id: task.id,
        text: task.text.clone(),
        complete_till: task.complete_till,
        entity_type: task.entity.map(|(kind, _)| kind.plural().into()),
        entity_id: task.entity.map(|(_, id)| id),
        task_type_id: task.task_type_id,
        responsible_user_id: task.responsible_user_id,
        created_by: task.created_by,
        created_at: task.created_at,
        is_completed: task.is_completed,
    }
}

fn duplicates(oracle: &Oracle) -> Duplicates {
    let contacts = oracle
        .contacts
        .iter()
        .filter(|c| !c.in_unsorted)
        .flat_map(|c| {
            let keys: BTreeSet<String> = c.phones.iter().map(|p| last_ten(p)).collect();
            keys
        });
    let calls = oracle.calls.iter().filter(|c| c.is_shown);
    let leads = oracle.leads.iter().filter(|l| !l.in_unsorted);
    let lead_key = |l: &LeadView| {
        format!(
            "{:?} {} {} {:?}",
            l.contacts, l.pipeline_id, l.name, l.fields
        )
    };
    let task_key = |t: &TaskView| {
        format!(
            "{:?} {:?} {} {}",
            t.entity_type, t.entity_id, t.text, t.complete_till
        )
    };
    Duplicates {
        contacts: repeated(contacts),
        calls: repeated(calls.map(|c| format!("{} {} {}", c.phone, c.at, c.direction))),
        leads: repeated(leads.map(lead_key)),
        tasks: repeated(oracle.tasks.iter().map(task_key)),
        notes: repeated(oracle.notes.iter().map(|n| {
            format!(
                "{} {} {} {}",
                n.entity_type, n.entity_id, n.note_type, n.params
            )
        })),
        unsorted: repeated(
            oracle
                .unsorted
                .iter()
                .filter(|u| !u.source_uid.is_empty())
                .map(|u| format!("{} {}", u.category, u.source_uid)),
        ),
    }
}

fn repeated(keys: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts.retain(|_, count| *count > 1);
    counts
}
