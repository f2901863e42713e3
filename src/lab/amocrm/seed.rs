//! What a script puts into the account, and what a person does in it: cards that were there
//! before, edits, deletions.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::auth::Caller;
use super::card_draft::{CardDraft, Stage, TagName};
use super::lab_clock::Moment;
use super::records::{FieldValue, Kind};
use super::world::{World, nothing};

/// A contact or company that is to be there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedCard {
    /// Its name.
    pub name: String,
    /// Phones, stored as given.
    pub phones: Vec<String>,
    /// E-mails.
    pub emails: Vec<String>,
    /// Owner; the first administrator if none.
    pub responsible_user_id: Option<u64>,
    /// The company it belongs to.
    pub company_id: Option<u64>,
    /// Names of its tags.
    pub tags: Vec<String>,
    /// Unix seconds.
    pub created_at: Option<i64>,
}

impl SeedCard {
    /// A card with one phone and an owner.
    pub fn new(name: &str, phone: &str, responsible_user_id: u64) -> Self {
        Self {
            name: name.into(),
            phones: vec![phone.into()],
            responsible_user_id: Some(responsible_user_id),
            ..Self::default()
        }
    }
}

/// A lead or customer that is to be there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedLead {
    /// Its name.
    pub name: String,
    /// The contact it belongs to.
    pub contact_id: Option<u64>,
    /// The main pipeline if none.
    pub pipeline_id: Option<u64>,
    /// The first ordinary stage if none.
    pub status_id: Option<u64>,
    /// Owner; the first administrator if none.
    pub responsible_user_id: Option<u64>,
    /// Price.
    pub price: i64,
    /// Unix seconds.
    pub created_at: Option<i64>,
    /// Unix seconds, for a closed one.
    pub closed_at: Option<i64>,
}

/// What a person changes on a card; absent parts stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CardEdit {
    /// New name.
    pub name: Option<String>,
    /// New phones instead of the old.
    pub phones: Option<Vec<String>>,
    /// New owner.
    pub responsible_user_id: Option<u64>,
    /// New stage of a lead.
    pub status_id: Option<u64>,
    /// New pipeline of a lead; with `status_id`.
    pub pipeline_id: Option<u64>,
    /// New price of a lead.
    pub price: Option<i64>,
}

impl World {
    /// Returns the person who seeds: the first administrator.
    pub(super) fn person(&self, user_id: Option<u64>, now: Moment) -> Caller {
        let admin = self
            .users
            .iter()
            .find(|user| user.is_admin)
            .map(|user| user.id);
        Caller {
            user_id: user_id.or(admin).unwrap_or(0),
            is_admin: true,
            now,
        }
    }

    /// Puts a contact or company into the account; search finds it at once.
    pub(super) fn seed_card(&mut self, kind: Kind, seed: &SeedCard, now: Moment) -> u64 {
        let caller = self.person(None, now);
        let mut draft = CardDraft {
            name: Some(seed.name.clone()),
            responsible_user_id: seed.responsible_user_id,
            created_at: seed.created_at,
            updated_at: seed.created_at,
            tags_to_add: seed.tags.iter().cloned().map(TagName::Name).collect(),
            companies: seed.company_id.into_iter().collect(),
            ..CardDraft::default()
        };
        for (code, texts) in [("PHONE", &seed.phones), ("EMAIL", &seed.emails)] {
            draft.values.extend(self.multitext(kind, code, texts));
        }
        self.without_lag(|world| world.create_card(kind, &draft, false, &caller))
    }

    /// Puts a lead or customer into the account.
    pub(super) fn seed_lead(&mut self, kind: Kind, seed: &SeedLead, now: Moment) -> u64 {
        let caller = self.person(None, now);
        let pipeline = match seed.pipeline_id {
            Some(id) => self.pipeline(id),
            None => self.main_pipeline(),
        };
        let stage = pipeline.map(|p| Stage {
            pipeline_id: p.id,
            status_id: seed.status_id.unwrap_or_else(|| p.first_status()),
        });
        let draft = CardDraft {
            name: Some(seed.name.clone()),
            responsible_user_id: seed.responsible_user_id,
            created_at: seed.created_at,
            updated_at: seed.created_at,
            contacts: seed
                .contact_id
                .map(|id| (id, Some(true)))
                .into_iter()
                .collect(),
            price: Some(seed.price),
            stage,
            closed_at: Some(seed.closed_at),
            ..CardDraft::default()
        };
        self.without_lag(|world| world.create_card(kind, &draft, false, &caller))
    }

    /// Changes a card as a person would; returns false if there is none.
    pub(super) fn edit_as_person(
        &mut self,
        kind: Kind,
        id: u64,
        edit: &CardEdit,
        now: Moment,
    ) -> bool {
        let caller = self.person(None, now);
        let Some(card) = self.card(kind, id) else {
            return false;
        };
        let current = Stage {
            pipeline_id: card.deal.pipeline_id,
            status_id: card.deal.status_id,
        };
        let moved = edit.status_id.is_some() || edit.pipeline_id.is_some();
        let draft = CardDraft {
            name: edit.name.clone(),
            price: edit.price,
            responsible_user_id: edit.responsible_user_id,
            values: edit.phones.as_ref().map_or_else(Vec::new, |phones| {
                let phone = self.field_of_code(kind, "PHONE");
                let cleared = phone.map(|id| (id, Vec::new()));
                let set = self.multitext(kind, "PHONE", phones);
                set.or(cleared).into_iter().collect()
            }),
            stage: moved.then_some(Stage {
                pipeline_id: edit.pipeline_id.unwrap_or(current.pipeline_id),
                status_id: edit.status_id.unwrap_or(current.status_id),
            }),
            ..CardDraft::default()
        };
        self.edit_card(kind, id, &draft, &caller);
        true
    }

    /// Merges two contacts as a person would: values, tags and links move, the second one goes.
    pub(super) fn merge_contacts(&mut self, into: u64, from: u64, now: Moment) -> bool {
        let caller = self.person(None, now);
        let Some(gone) = self.card(Kind::Contact, from).cloned() else {
            return false;
        };
        if into == from || self.card(Kind::Contact, into).is_none() {
            return false;
        }
        for other in [Kind::Lead, Kind::Customer, Kind::Company] {
            for id in self.linked(Kind::Contact, from, other) {
                self.part((Kind::Contact, from), (other, id));
                self.join((other, id), (Kind::Contact, into), None);
            }
        }
        self.delete_card(Kind::Contact, from, &caller);
        if !self.switches.merge_tells_deletion {
            // The newest entry is the deletion's.
            self.events.pop_back();
        }
        if let Some(card) = self.cards.get_mut(&(Kind::Contact, into)) {
            for (field, values) in gone.values {
                let kept = card.values.entry(field).or_default();
                let new: Vec<_> = values.into_iter().filter(|v| !kept.contains(v)).collect();
                kept.extend(new);
            }
            let tags = gone.tags.into_iter().filter(|tag| !card.tags.contains(tag));
            let tags: Vec<u64> = tags.collect();
            card.tags.extend(tags);
            card.updated_at = now.seconds();
        }
        self.reindex(Kind::Contact, into, now);
        let entity = (Kind::Contact.singular(), into);
        self.event("entity_merged", entity, nothing(), nothing(), &caller);
        self.hook_card("update", Kind::Contact, into, None, now);
        true
    }

    fn multitext(
        &self,
        kind: Kind,
        code: &str,
        texts: &[String],
    ) -> Option<(u64, Vec<FieldValue>)> {
        let field = self
            .fields
            .iter()
            .find(|f| f.entity == kind && f.code.as_deref() == Some(code))?;
        let work = field
            .choices
            .iter()
            .find(|c| c.code.as_deref() == Some("WORK"));
        let value = |text: &String| FieldValue {
            value: json!(text),
            enum_id: work.map(|c| c.id),
            enum_code: work.and_then(|c| c.code.clone()),
        };
        (!texts.is_empty()).then(|| (field.id, texts.iter().map(value).collect()))
    }

    fn without_lag<T>(&mut self, act: impl FnOnce(&mut World) -> T) -> T {
        let lag = std::mem::take(&mut self.search_lag);
        let result = act(self);
        self.search_lag = lag;
        result
    }
}
