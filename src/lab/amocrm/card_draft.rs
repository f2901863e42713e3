//! Reads the models of contacts, companies, leads out of request bodies and judges them
//! (crm/amocrm.md §8, §9). Reading changes nothing.

use serde_json::Value;

use super::field_values::FieldChange;
use super::records::{Kind, LOST, WON};
use super::review::{Object, Review};
use super::world::World;

/// What an item asks for: every part that it names.
#[derive(Debug, Clone, Default)]
pub(super) struct CardDraft {
    /// The card to change; none for a new one.
    pub(super) id: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) responsible_user_id: Option<u64>,
    pub(super) created_by: Option<u64>,
    pub(super) updated_by: Option<u64>,
    pub(super) created_at: Option<i64>,
    pub(super) updated_at: Option<i64>,
    pub(super) values: Vec<FieldChange>,
    pub(super) tags_to_add: Vec<TagName>,
    pub(super) tags_to_delete: Vec<TagName>,
    /// The full list of tags, where the item replaces it.
    pub(super) tags: Option<Vec<TagName>>,
    pub(super) contacts: Vec<(u64, Option<bool>)>,
    pub(super) companies: Vec<u64>,
    pub(super) price: Option<i64>,
    pub(super) stage: Option<Stage>,
    /// `Some(None)` clears the reason.
    pub(super) loss_reason_id: Option<Option<u64>>,
    /// `Some(None)` opens the lead again.
    pub(super) closed_at: Option<Option<i64>>,
}

/// A place in a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) pipeline_id: u64,
    pub(super) status_id: u64,
}

/// A tag by id or by name.
#[derive(Debug, Clone)]
pub(super) enum TagName {
    Id(u64),
    Name(String),
}

/// What the item is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new card in a list of such cards.
    Create,
    /// A new card inside another one, or a lead of `leads/complex`, whose `_embedded` the caller
    /// reads.
    Inside,
    /// A change of the card with this id, or with the item's own `id`.
    Change(Option<u64>),
    /// A new lead that begins in unsorted: its stage is not its own choice.
    Unsorted,
}

const COMMON: [&str; 13] = [
    "id",
    "name",
    "responsible_user_id",
    "group_id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
    "custom_fields_values",
    "tags_to_add",
    "tags_to_delete",
    "_embedded",
    "request_id",
];
const OF_PERSON: [&str; 3] = ["first_name", "last_name", "is_main"];
const OF_LEAD: [&str; 7] = [
    "price",
    "status_id",
    "pipeline_id",
    "loss_reason_id",
    "closed_at",
    "visitor_uid",
    "score",
];

impl World {
    /// Reads one model.
    pub(super) fn read_card(
        &self,
        kind: Kind,
        item: &Object<'_>,
        purpose: Purpose,
        review: &mut Review,
    ) -> Option<CardDraft> {
        let mut keys = COMMON.to_vec();
        match kind {
            Kind::Lead => keys.extend(OF_LEAD),
            Kind::Contact => keys.extend(OF_PERSON),
            Kind::Company | Kind::Customer => {}
        }
        item.known(kind.plural(), &keys, review);
        let mut draft = CardDraft {
            name: item.text("name", review),
            responsible_user_id: item.id("responsible_user_id", review),
            created_by: item.id("created_by", review),
            updated_by: item.id("updated_by", review),
            created_at: item.integer("created_at", review),
            updated_at: item.integer("updated_at", review),
            values: self.read_values(kind, item, review).unwrap_or_default(),
            tags_to_add: read_tags(item, "tags_to_add", review),
            tags_to_delete: read_tags(item, "tags_to_delete", review),
            ..CardDraft::default()
        };
        if kind == Kind::Contact {
            draft.first_name = item.text("first_name", review);
            draft.last_name = item.text("last_name", review);
        }
        if let Some(id) = draft.responsible_user_id {
            self.check_responsible(id, item.at("responsible_user_id"), review);
        }
        self.check_author(draft.created_by, item.at("created_by"), review);
        self.check_author(draft.updated_by, item.at("updated_by"), review);
        if let Purpose::Change(given) = purpose {
            let id = given.or_else(|| {
                item.require(&["id"], review);
                item.id("id", review)
            });
            draft.id = id.filter(|id| self.card(kind, *id).is_some());
            if id.is_some() && draft.id.is_none() {
                review.choice(item.at("id"));
            }
        } else if item.has("id") {
            review.odd(format!("id of a new card: {}", kind.plural()));
        }
        if kind == Kind::Lead {
            self.read_lead(item, purpose, &mut draft, review);
        }
        if item.has("_embedded") {
            self.read_embedded(kind, item, purpose, &mut draft, review);
        }
        Some(draft)
    }

    fn read_lead(
        &self,
        item: &Object<'_>,
        purpose: Purpose,
        draft: &mut CardDraft,
        review: &mut Review,
    ) {
        draft.price = nullable(item, "price", review, Object::integer).map(|p| p.unwrap_or(0));
        draft.loss_reason_id = nullable(item, "loss_reason_id", review, Object::id);
        if let Some(Some(id)) = draft.loss_reason_id
            && !self.loss_reasons.iter().any(|(known, _)| *known == id)
        {
            review.choice(item.at("loss_reason_id"));
        }
        draft.closed_at = nullable(item, "closed_at", review, Object::integer);
        let pipeline = item.id("pipeline_id", review);
        let status = item.id("status_id", review);
        if purpose != Purpose::Unsorted {
            let current = draft.id.and_then(|id| self.card(Kind::Lead, id));
            let current = current.map(|card| (card.deal.pipeline_id, card.deal.status_id));
            draft.stage = self.read_stage(item, pipeline, status, current, review);
        }
    }

    /// Returns the stage that a lead is put in; none when a change leaves it where it is.
    fn read_stage(
        &self,
        item: &Object<'_>,
        pipeline: Option<u64>,
        status: Option<u64>,
        current: Option<(u64, u64)>,
        review: &mut Review,
    ) -> Option<Stage> {
        if current.is_some() && pipeline.is_none() && status.is_none() {
            return None;
        }
        let wanted = pipeline.or(current.map(|(pipeline, _)| pipeline));
        let found = match wanted {
            Some(id) => self
                .pipeline(id)
                .filter(|p| !p.is_archive || current.is_some()),
            None => self.main_pipeline(),
        };
        let Some(found) = found else {
            review.choice(item.at("pipeline_id"));
            return None;
        };
        let Some(status) = status else {
            if current.is_some_and(|(pipeline, _)| pipeline != found.id) {
                // Moving to another pipeline needs both (§9).
                review.missing(item.at("status_id"));
                return None;
            }
            let status_id = current.map_or(found.first_status(), |(_, status)| status);
            return Some(Stage {
                pipeline_id: found.id,
                status_id,
            });
        };
        let stays = current == Some((found.id, status));
        if found
            .status(status)
            .filter(|s| s.kind == 0 || stays)
            .is_none()
        {
            review.choice(item.at("status_id"));
            return None;
        }
        Some(Stage {
            pipeline_id: found.id,
            status_id: status,
        })
    }

    fn read_embedded(
        &self,
        kind: Kind,
        item: &Object<'_>,
        purpose: Purpose,
        draft: &mut CardDraft,
        review: &mut Review,
    ) {
        let Some(embedded) = item.object("_embedded", review) else {
            return;
        };
        if embedded.is_null("tags") {
            draft.tags = Some(Vec::new());
        } else if embedded.has("tags") {
            draft.tags = Some(read_tags(&embedded, "tags", review));
        }
        if matches!(purpose, Purpose::Inside | Purpose::Unsorted) {
            return;
        }
        embedded.known(
            "_embedded",
            &["tags", "contacts", "companies", "source"],
            review,
        );
        for contact in embedded.objects("contacts", review) {
            let is_main = contact.flag("is_main", review);
            let id = self.read_reference(Kind::Contact, &contact, review);
            draft.contacts.extend(id.map(|id| (id, is_main)));
        }
        for company in embedded.objects("companies", review) {
            draft
                .companies
                .extend(self.read_reference(Kind::Company, &company, review));
        }
        if kind != Kind::Lead && !draft.contacts.is_empty() {
            review.odd(format!("contacts inside {}", kind.plural()));
            draft.contacts.clear();
        }
    }

    /// Reads `{"id": …}` of a card that must exist.
    pub(super) fn read_reference(
        &self,
        kind: Kind,
        object: &Object<'_>,
        review: &mut Review,
    ) -> Option<u64> {
        object.require(&["id"], review);
        let id = object.id("id", review)?;
        let exists = self.card(kind, id).is_some();
        if !exists {
            review.choice(object.at("id"));
        }
        exists.then_some(id)
    }
}

/// Returns whether a stage closes a lead.
pub(super) fn closes(status_id: u64) -> bool {
    [WON, LOST].contains(&status_id)
}

/// Reads a key for which null has a meaning.
fn nullable<'a, T>(
    item: &Object<'a>,
    key: &str,
    review: &mut Review,
    read: impl Fn(&Object<'a>, &str, &mut Review) -> Option<T>,
) -> Option<Option<T>> {
    if item.is_null(key) {
        return Some(None);
    }
    read(item, key, review).map(Some)
}

fn read_tags(item: &Object<'_>, key: &str, review: &mut Review) -> Vec<TagName> {
    let mut tags = Vec::new();
    for tag in item.objects(key, review) {
        if tag.raw("id").is_some_and(Value::is_number) {
            tags.extend(tag.id("id", review).map(TagName::Id));
        } else {
            tag.require(&["name"], review);
            tags.extend(tag.text("name", review).map(TagName::Name));
        }
    }
    tags
}
