//! `POST /leads/complex`: a lead with its contact and company in one item (crm/amocrm.md §9).

use serde_json::{Value, json};

use super::auth::Caller;
use super::card_draft::{CardDraft, Purpose};
use super::exchange::{Incoming, Reply};
use super::records::{Card, Kind, last_ten};
use super::review::{Object, Review};
use super::unsorted::UnsortedDraft;
use super::unsorted_metadata::read_metadata;
use super::world::World;

/// Leads of one request at most.
const ITEMS_MAX: usize = 50;
/// Values of custom fields of one entity at most.
const VALUES_MAX: usize = 40;

/// A card inside a lead: known or new.
enum Inner {
    Known(u64),
    New(Box<CardDraft>),
}

struct ComplexDraft {
    lead: CardDraft,
    contact: Option<(Inner, Option<bool>)>,
    company: Option<Inner>,
    unsorted: Option<UnsortedDraft>,
}

impl World {
    /// `POST /leads/complex`.
    pub(super) fn create_complex(&mut self, incoming: &Incoming, caller: &Caller) -> Reply {
        if incoming.method != "POST" {
            return Reply::method_not_allowed();
        }
        let rows = self.batch(
            incoming,
            ITEMS_MAX,
            |world, item, review| world.read_complex(item, review),
            |world, draft, request_id| world.apply_complex(draft, request_id, caller),
        );
        // The answer is a bare array.
        rows.map_or_else(|refusal| refusal, |rows| Reply::ok(&json!(rows)))
    }

    fn read_complex(&self, item: &Value, review: &mut Review) -> Option<ComplexDraft> {
        let object = Object::of(item, String::new(), review)?;
        let embedded = if object.has("_embedded") {
            object.object("_embedded", review)
        } else {
            None
        };
        let in_unsorted = embedded.as_ref().is_some_and(|e| e.has("metadata"));
        let purpose = if in_unsorted {
            Purpose::Unsorted
        } else {
            Purpose::Inside
        };
        let lead = self.read_card(Kind::Lead, &object, purpose, review)?;
        check_size(&lead, "custom_fields_values".into(), review);
        let mut draft = ComplexDraft {
            lead,
            contact: None,
            company: None,
            unsorted: None,
        };
        let Some(embedded) = embedded else {
            return Some(draft);
        };
        let keys = ["tags", "contacts", "companies", "metadata", "source"];
        embedded.known("complex._embedded", &keys, review);
        if let Some(contact) = only_one(&embedded, "contacts", review) {
            let is_main = contact.flag("is_main", review);
            let inner = self.read_inner(Kind::Contact, &contact, review);
            draft.contact = inner.map(|inner| (inner, is_main));
        }
        if let Some(company) = only_one(&embedded, "companies", review) {
            draft.company = self.read_inner(Kind::Company, &company, review);
        }
        if in_unsorted {
            draft.unsorted = self.read_complex_metadata(&object, &embedded, review);
        }
        Some(draft)
    }

    fn read_inner(&self, kind: Kind, object: &Object<'_>, review: &mut Review) -> Option<Inner> {
        if object.has("id") {
            return self.read_reference(kind, object, review).map(Inner::Known);
        }
        let draft = self.read_card(kind, object, Purpose::Inside, review)?;
        check_size(&draft, object.at("custom_fields_values"), review);
        Some(Inner::New(Box::new(draft)))
    }

    fn read_complex_metadata(
        &self,
        lead: &Object<'_>,
        embedded: &Object<'_>,
        review: &mut Review,
    ) -> Option<UnsortedDraft> {
        let metadata = embedded.object("metadata", review)?;
        metadata.require(&["category"], review);
        let category = match metadata.text("category", review).as_deref() {
            Some("sip") => "sip",
            Some("forms") => "forms",
            _ => {
                review.choice(metadata.at("category"));
                return None;
            }
        };
        Some(UnsortedDraft {
            category,
            source_uid: String::new(),
            source_name: String::new(),
            pipeline_id: self.read_unsorted_pipeline(lead, review).unwrap_or(0),
            created_at: None,
            metadata: read_metadata(category, &metadata, review),
            lead: CardDraft::default(),
            contact: None,
            company: None,
        })
    }

    fn apply_complex(&mut self, draft: ComplexDraft, request_id: &str, caller: &Caller) -> Value {
        let known = |inner: &Option<Inner>| match inner {
            Some(Inner::Known(id)) => Some(*id),
            Some(Inner::New(_)) | None => None,
        };
        let (contact, is_main) = draft
            .contact
            .map_or((None, None), |(c, main)| (Some(c), main));
        let known_contact = known(&contact);
        let known_company = known(&draft.company);
        let (mut lead, mut contact_id, mut company_id) = (None, known_contact, known_company);
        let mut merged = false;
        if let Some(mut unsorted) = draft.unsorted {
            unsorted.lead = draft.lead;
            unsorted.contact = new_part(contact);
            unsorted.company = new_part(draft.company);
            let uid = self.store_unsorted(unsorted, caller);
            if let Some(record) = self.unsorted.get(&uid) {
                lead = record.lead;
                contact_id = contact_id.or(record.contact);
                company_id = company_id.or(record.company);
            }
        } else {
            if let Some(found) = contact.as_ref().and_then(|c| self.duplicate_of(c)) {
                merged = true;
                (lead, contact_id) = (Some(found.0), Some(found.1));
            }
            let new_contact = new_part(contact).filter(|_| contact_id.is_none());
            contact_id = contact_id
                .or(new_contact.map(|c| self.create_card(Kind::Contact, &c, false, caller)));
            let new_company = new_part(draft.company);
            company_id = company_id
                .or(new_company.map(|c| self.create_card(Kind::Company, &c, false, caller)));
            lead = lead.or_else(|| Some(self.create_card(Kind::Lead, &draft.lead, false, caller)));
        }
        let lead_id = lead.unwrap_or(0);
        if let Some(contact) = contact_id {
            self.join((Kind::Lead, lead_id), (Kind::Contact, contact), is_main);
        }
        if let Some(company) = company_id {
            self.join((Kind::Lead, lead_id), (Kind::Company, company), None);
        }
        // A new contact and a new company get linked to each other.
        if let (Some(contact), Some(company), None, None) =
            (contact_id, company_id, known_contact, known_company)
        {
            self.join((Kind::Contact, contact), (Kind::Company, company), None);
        }
        json!({
            "id": lead_id, "contact_id": contact_id, "company_id": company_id,
            "request_id": [request_id], "merged": merged,
        })
    }

    /// Duplicate control by phone: the open lead and the contact that are there already.
    fn duplicate_of(&self, contact: &Inner) -> Option<(u64, u64)> {
        let Inner::New(draft) = contact else {
            return None;
        };
        if !self.switches.duplicate_control {
            return None;
        }
        let phone_field = self.field_of_code(Kind::Contact, "PHONE")?;
        let phones = draft
            .values
            .iter()
            .filter(|(field, _)| *field == phone_field);
        let wanted: Vec<String> = phones
            .flat_map(|(_, v)| v)
            .map(|v| last_ten(&v.text()))
            .collect();
        let same = |card: &&Card| {
            let phones = self.texts_of_code(card, "PHONE");
            !card.deleted && !card.waiting && phones.iter().any(|p| wanted.contains(&last_ten(p)))
        };
        let found = self.cards_of(Kind::Contact).find(same)?;
        let leads = self.linked(Kind::Contact, found.id, Kind::Lead);
        let open = |id: &u64| self.card(Kind::Lead, *id).is_some_and(Card::is_open_lead);
        leads.into_iter().find(open).map(|lead| (lead, found.id))
    }
}

fn new_part(inner: Option<Inner>) -> Option<CardDraft> {
    match inner {
        Some(Inner::New(draft)) => Some(*draft),
        Some(Inner::Known(_)) | None => None,
    }
}

fn only_one<'a>(embedded: &Object<'a>, key: &str, review: &mut Review) -> Option<Object<'a>> {
    if !embedded.has(key) {
        return None;
    }
    let objects = embedded.objects(key, review);
    if objects.len() > 1 {
        let detail = "This collection should contain 1 element or less.";
        review.error("TooMany", embedded.at(key), detail);
    }
    objects.into_iter().next()
}

fn check_size(draft: &CardDraft, path: String, review: &mut Review) {
    let values: usize = draft.values.iter().map(|(_, values)| values.len()).sum();
    if values > VALUES_MAX {
        let detail = "This collection should contain 40 elements or less.";
        review.error("TooMany", path, detail);
    }
}
