//! Unsorted (incoming) leads of categories `sip` and `forms`: making them, and what a person or a
//! program does with them afterwards (crm/amocrm.md §10).

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::batch::ITEMS_MAX;
use super::card_draft::{CardDraft, Purpose, Stage};
use super::exchange::{Incoming, Reply};
use super::notes::NewNote;
use super::options::RepeatedUnsorted;
use super::records::{Kind, Unsorted, UnsortedState};
use super::review::{Object, Review};
use super::tags::with_total;
use super::unsorted_metadata::read_metadata;
use super::world::World;

/// A judged record that is to be made.
pub(super) struct UnsortedDraft {
    pub(super) category: &'static str,
    pub(super) source_uid: String,
    pub(super) source_name: String,
    pub(super) pipeline_id: u64,
    pub(super) created_at: Option<i64>,
    pub(super) metadata: Map<String, Value>,
    pub(super) lead: CardDraft,
    pub(super) contact: Option<CardDraft>,
    pub(super) company: Option<CardDraft>,
}

impl World {
    /// `POST /leads/unsorted/sip` and `/forms`.
    pub(super) fn create_unsorted(
        &mut self,
        category: &'static str,
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        if let Ok(body @ Value::Object(_)) = incoming.json() {
            // An array wrapped into an object is read as one item without its fields.
            let mut review = self.review();
            if let Some(object) = Object::of(&body, "data".into(), &mut review) {
                object.require(&["source_name", "source_uid", "metadata"], &mut review);
            }
            return super::review::validation_failed(vec![review.render("0")]);
        }
        let rows = self.batch(
            incoming,
            ITEMS_MAX,
            |world, item, review| world.read_unsorted(category, item, review),
            |world, draft, request_id| {
                let uid = world.store_unsorted(draft, caller);
                let record = world.unsorted.get(&uid);
                let mut row = json!({
                    "uid": uid, "account_id": world.account_id, "request_id": request_id,
                    "_links": incoming.link(&format!("/api/v4/leads/unsorted/{uid}")),
                });
                row["_embedded"] = record.map_or(Value::Null, |r| r.references(incoming, true));
                row
            },
        );
        match rows {
            Ok(rows) => Reply::ok(&with_total("unsorted", rows, incoming)),
            Err(refusal) => refusal,
        }
    }

    fn read_unsorted(
        &self,
        category: &'static str,
        item: &Value,
        review: &mut Review,
    ) -> Option<UnsortedDraft> {
        let object = Object::of(item, String::new(), review)?;
        let keys = [
            "source_name",
            "source_uid",
            "pipeline_id",
            "created_at",
            "metadata",
            "_embedded",
            "request_id",
        ];
        object.known("unsorted", &keys, review);
        object.require(&["source_name", "source_uid", "metadata"], review);
        let source_uid = object.text("source_uid", review).unwrap_or_default();
        let source_name = object.text("source_name", review).unwrap_or_default();
        let pipeline_id = self.read_unsorted_pipeline(&object, review);
        let metadata = object.object("metadata", review);
        let metadata = metadata
            .map(|m| read_metadata(category, &m, review))
            .unwrap_or_default();
        if self.switches.repeated_unsorted == RepeatedUnsorted::Reject
            && self
                .unsorted
                .values()
                .any(|r| r.is_like(&source_uid, &metadata))
        {
            let detail = "The same unsorted entity exists already.";
            review.error("NotUnique", "source_uid".into(), detail);
        }
        let mut draft = UnsortedDraft {
            category,
            source_uid,
            source_name,
            pipeline_id: pipeline_id.unwrap_or(0),
            created_at: object.integer("created_at", review),
            metadata,
            lead: CardDraft::default(),
            contact: None,
            company: None,
        };
        if object.has("_embedded")
            && let Some(embedded) = object.object("_embedded", review)
        {
            embedded.known(
                "unsorted._embedded",
                &["leads", "contacts", "companies"],
                review,
            );
            draft.lead = self
                .read_inside(Kind::Lead, &embedded, review)
                .unwrap_or_default();
            draft.contact = self.read_inside(Kind::Contact, &embedded, review);
            draft.company = self.read_inside(Kind::Company, &embedded, review);
        }
        Some(draft)
    }

    /// Returns the pipeline that takes the record: it must have unsorted switched on.
    pub(super) fn read_unsorted_pipeline(
        &self,
        object: &Object<'_>,
        review: &mut Review,
    ) -> Option<u64> {
        let given = object.id("pipeline_id", review);
        let pipeline = match given {
            Some(id) => self.pipeline(id),
            None => self.main_pipeline(),
        };
        let pipeline = pipeline.filter(|p| p.is_unsorted_on && !p.is_archive);
        if pipeline.is_none() {
            review.choice(object.at("pipeline_id"));
        }
        pipeline.map(|p| p.id)
    }

    /// Reads at most one model of a kind.
    fn read_inside(
        &self,
        kind: Kind,
        embedded: &Object<'_>,
        review: &mut Review,
    ) -> Option<CardDraft> {
        let key = kind.plural();
        let items = if embedded.has(key) {
            embedded.objects(key, review)
        } else {
            Vec::new()
        };
        if items.len() > 1 {
            let detail = "This collection should contain 1 element or less.";
            review.error("TooMany", embedded.at(key), detail);
        }
        self.read_card(kind, items.first()?, Purpose::Unsorted, review)
    }

    /// Makes the record and the cards inside it; returns its uid.
    pub(super) fn store_unsorted(&mut self, draft: UnsortedDraft, caller: &Caller) -> String {
        let uid = self.opaque("unsorted", 60);
        let number = self.next_id("unsorted number", 1);
        let mut lead = draft.lead;
        let unsorted_status = self
            .pipeline(draft.pipeline_id)
            .map_or(0, |p| p.unsorted_status());
        lead.stage = Some(Stage {
            pipeline_id: draft.pipeline_id,
            status_id: unsorted_status,
        });
        if self.switches.repeated_unsorted == RepeatedUnsorted::Tag {
            self.tag_like_records(&draft.source_uid, &draft.metadata, &mut lead);
        }
        let lead = self.create_card(Kind::Lead, &lead, true, caller);
        let contact = draft
            .contact
            .map(|c| self.create_card(Kind::Contact, &c, true, caller));
        let company = draft
            .company
            .map(|c| self.create_card(Kind::Company, &c, true, caller));
        if let Some(contact) = contact {
            self.join((Kind::Lead, lead), (Kind::Contact, contact), Some(true));
        }
        if let Some(company) = company {
            self.join((Kind::Lead, lead), (Kind::Company, company), None);
        }
        if let (Some(contact), Some(company)) = (contact, company) {
            self.join((Kind::Contact, contact), (Kind::Company, company), None);
        }
        let now = caller.now.seconds();
        let record = Unsorted {
            uid: uid.clone(),
            number,
            category: draft.category.into(),
            source_uid: draft.source_uid,
            source_name: draft.source_name,
            pipeline_id: draft.pipeline_id,
            created_at: draft.created_at.unwrap_or(now),
            sorted_at: None,
            metadata: Value::Object(draft.metadata),
            state: UnsortedState::Waiting,
            lead: Some(lead),
            contact,
            company,
        };
        self.add_call_event(&record, caller);
        self.unsorted.insert(uid.clone(), record);
        uid
    }

    /// Adds the event of the incoming call to the card, if the record asks for it.
    fn add_call_event(&mut self, record: &Unsorted, caller: &Caller) {
        let meta = |key: &str| record.metadata.get(key).cloned().unwrap_or(Value::Null);
        if record.category != "sip" || meta("is_call_event_needed") != json!(true) {
            return;
        }
        let contact = record
            .contact
            .filter(|_| !self.switches.unsorted_call_on_lead);
        let (kind, entity_id) = match (contact, record.lead) {
            (Some(contact), _) => (Kind::Contact, contact),
            (None, Some(lead)) => (Kind::Lead, lead),
            (None, None) => return,
        };
        let params = json!({
            "uniq": meta("uniq"), "duration": meta("duration"), "source": meta("service_code"),
            "link": meta("link"), "phone": meta("phone"),
            "call_responsible": meta("call_responsible"),
        });
        let note = NewNote {
            kind,
            entity_id,
            note_type: "call_in".into(),
            params,
            responsible_user_id: None,
            created_by: None,
            created_at: meta("called_at").as_i64(),
            origin: record.uid.clone(),
        };
        self.store_note(note, caller);
    }

    fn tag_like_records(
        &mut self,
        source_uid: &str,
        metadata: &Map<String, Value>,
        lead: &mut CardDraft,
    ) {
        let like = |r: &&Unsorted| r.is_like(source_uid, metadata);
        let leads: Vec<u64> = self
            .unsorted
            .values()
            .filter(like)
            .filter_map(|r| r.lead)
            .collect();
        if leads.is_empty() {
            return;
        }
        let tag = self.tag_named(Kind::Lead, "duplicate", None);
        for id in leads {
            if let Some(card) = self.cards.get_mut(&(Kind::Lead, id)) {
                card.tags.push(tag);
                card.tags.dedup();
            }
        }
        lead.tags_to_add.push(super::card_draft::TagName::Id(tag));
    }

    /// Accepts a record: its cards become ordinary ones.
    pub(super) fn accept_record(
        &mut self,
        uid: &str,
        user_id: u64,
        status_id: Option<u64>,
        caller: &Caller,
    ) -> Option<Unsorted> {
        let record = self.settle_record(uid, UnsortedState::Accepted, caller)?;
        let first = self.pipeline(record.pipeline_id).map(|p| p.first_status());
        for (kind, id) in record.cards() {
            if let Some(card) = self.cards.get_mut(&(kind, id)) {
                card.waiting = false;
                card.updated_at = caller.now.seconds();
                if card.responsible_user_id == 0 {
                    card.responsible_user_id = user_id;
                }
                if kind == Kind::Lead {
                    card.responsible_user_id = user_id;
                    card.deal.status_id = status_id.or(first).unwrap_or(card.deal.status_id);
                    let closed = super::card_draft::closes(card.deal.status_id);
                    card.deal.closed_at = closed.then_some(caller.now.seconds());
                }
            }
            self.reindex(kind, id, caller.now);
            self.announce_new(kind, id, caller);
        }
        Some(record)
    }

    /// Declines a record: its cards go to the bin.
    pub(super) fn decline_record(&mut self, uid: &str, caller: &Caller) -> Option<Unsorted> {
        let record = self.settle_record(uid, UnsortedState::Declined, caller)?;
        for (kind, id) in record.cards() {
            if let Some(card) = self.cards.get_mut(&(kind, id)) {
                card.deleted = true;
            }
        }
        Some(record)
    }

    fn settle_record(
        &mut self,
        uid: &str,
        state: UnsortedState,
        caller: &Caller,
    ) -> Option<Unsorted> {
        let record = self.unsorted.get_mut(uid)?;
        if record.state != UnsortedState::Waiting {
            return None;
        }
        record.state = state;
        record.sorted_at = Some(caller.now.seconds());
        Some(record.clone())
    }
}

impl Unsorted {
    /// Whether a new record would be the same one.
    fn is_like(&self, source_uid: &str, metadata: &Map<String, Value>) -> bool {
        let uniq = metadata
            .get("uniq")
            .filter(|u| u.as_str().is_some_and(|u| !u.is_empty()));
        self.source_uid == source_uid || (uniq.is_some() && self.metadata.get("uniq") == uniq)
    }

    /// The cards inside.
    pub(super) fn cards(&self) -> impl Iterator<Item = (Kind, u64)> {
        let lead = self.lead.map(|id| (Kind::Lead, id));
        let contact = self.contact.map(|id| (Kind::Contact, id));
        let company = self.company.map(|id| (Kind::Company, id));
        [lead, contact, company].into_iter().flatten()
    }

    /// The ids inside, as answers show them.
    pub(super) fn references(&self, incoming: &Incoming, companies: bool) -> Value {
        let one = |kind: Kind, id: Option<u64>| -> Vec<Value> {
            let link = |id| incoming.link(&format!("/api/v4/{}/{id}", kind.plural()));
            id.iter()
                .map(|id| json!({"id": id, "_links": link(*id)}))
                .collect()
        };
        let mut embedded = json!({
            "leads": one(Kind::Lead, self.lead), "contacts": one(Kind::Contact, self.contact),
        });
        if companies {
            embedded["companies"] = json!(one(Kind::Company, self.company));
        }
        embedded
    }
}
