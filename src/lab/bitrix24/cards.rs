//! How cards come, change and go, whoever asks: defaults, stages, the index of communications,
//! events, and the conversion of leads in a portal without leads (crm/bitrix24.md §6).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::auth::Caller;
use super::draft::Draft;
use super::listing::Filter;
use super::multi;
use super::options::Mode;
use super::params::text_of;
use super::phones;
use super::records::{Card, Kind};
use super::refusal::Refusal;
use super::world::World;

impl World {
    /// Makes a card and returns its id.
    pub(super) fn create_card(
        &mut self,
        kind: Kind,
        draft: Draft,
        caller: &Caller,
    ) -> Result<u64, Refusal> {
        let stage = self.stage_for(kind, &draft, None)?;
        let id = self.next_id(kind.lower(), first_id(kind));
        let mut card = Card {
            kind,
            id,
            fields: Default::default(),
            multi: Default::default(),
            contacts: Vec::new(),
        };
        card.set("ID", id);
        card.set("ASSIGNED_BY_ID", caller.user_id);
        card.set("CREATED_BY_ID", caller.user_id);
        card.set("DATE_CREATE", caller.seconds());
        card.set("OPENED", true);
        match kind {
            Kind::Lead => card.set("TITLE", format!("Лид #{id}")),
            Kind::Deal => card.set("TITLE", format!("Сделка #{id}")),
            Kind::Contact | Kind::Company => {}
        }
        if matches!(kind, Kind::Lead | Kind::Deal) {
            card.set("CURRENCY_ID", "RUB");
            card.set("OPPORTUNITY", 0.0);
        }
        if kind == Kind::Deal {
            card.set("CATEGORY_ID", draft.number("CATEGORY_ID").unwrap_or(0));
            card.set("BEGINDATE", caller.seconds());
        }
        self.cards.insert((kind, id), card);
        self.write_card(kind, id, draft, stage, caller);
        self.tell(kind, id, "ADD", caller);
        if kind == Kind::Lead && self.mode == Mode::Simple {
            self.convert_lead(id, caller);
        }
        Ok(id)
    }

    /// Changes a card; the caller has seen that it is there.
    pub(super) fn edit_card(
        &mut self,
        kind: Kind,
        id: u64,
        draft: Draft,
        caller: &Caller,
    ) -> Result<(), Refusal> {
        let category = self.card(kind, id).map(|card| card.number("CATEGORY_ID"));
        let stage = self.stage_for(kind, &draft, category)?;
        self.write_card(kind, id, draft, stage, caller);
        self.tell(kind, id, "UPDATE", caller);
        Ok(())
    }

    /// Deletes a card; false if there is none.
    pub(super) fn delete_card(&mut self, kind: Kind, id: u64, caller: &Caller) -> bool {
        if self.cards.remove(&(kind, id)).is_none() {
            return false;
        }
        for code in self.indexed.remove(&(kind, id)).unwrap_or_default() {
            self.forget_code(&code, (kind, id));
        }
        if kind == Kind::Contact {
            let code = ("CONTACT_ID".to_owned(), id.to_string());
            let owned = self.found_by.get(&code).cloned().unwrap_or_default();
            for (kind, owner) in owned {
                if let Some(card) = self.cards.get_mut(&(kind, owner)) {
                    card.contacts.retain(|contact| *contact != id);
                }
                self.index(kind, owner);
            }
        }
        self.tell(kind, id, "DELETE", caller);
        true
    }

    /// Returns the stage that is to be written, if any. `category` is the present funnel of a
    /// card that is there.
    fn stage_for(
        &self,
        kind: Kind,
        draft: &Draft,
        category: Option<u64>,
    ) -> Result<Option<String>, Refusal> {
        let field = match kind {
            Kind::Lead => "STATUS_ID",
            Kind::Deal => "STAGE_ID",
            Kind::Contact | Kind::Company => return Ok(None),
        };
        let asked = draft.text(field);
        let wanted = draft.number("CATEGORY_ID");
        let funnel = wanted.or(category).unwrap_or(0);
        let mut stages = self.stages_of(kind);
        let is_here = |stage: &&super::records::Status| {
            kind == Kind::Lead || stage.category_id.unwrap_or(0) == funnel
        };
        match asked {
            Some(asked) => match stages.find(|s| s.status_id == asked && is_here(s)) {
                Some(stage) => Ok(Some(stage.status_id.clone())),
                None => {
                    let text = format!("Stage '{asked}' is not one of the funnel {funnel}");
                    Err(Refusal::bad("CRM_FIELD_ERROR_VALUE_NOT_VALID", &text))
                }
            },
            // A card that stays in its funnel keeps its stage.
            None if category.is_some() && (wanted.is_none() || wanted == category) => Ok(None),
            None => Ok(stages.find(is_here).map(|stage| stage.status_id.clone())),
        }
    }

    fn write_card(
        &mut self,
        kind: Kind,
        id: u64,
        draft: Draft,
        stage: Option<String>,
        caller: &Caller,
    ) {
        let unknown = draft
            .number("ASSIGNED_BY_ID")
            .filter(|user| self.user(*user).is_none());
        if let Some(user) = unknown {
            self.odd(format!("responsible {user} is no user"));
        }
        let contacts = draft.contacts.as_ref().map(|contacts| {
            let known = |id: &u64| self.card(Kind::Contact, *id).is_some();
            let known: Vec<u64> = contacts.iter().copied().filter(known).collect();
            (contacts.len() - known.len(), known)
        });
        if contacts
            .as_ref()
            .is_some_and(|(strangers, _)| *strangers > 0)
        {
            self.odd("a contact that is not there".into());
        }
        let company = draft.number("COMPANY_ID");
        let company_is_there = company.is_none_or(|id| self.card(Kind::Company, id).is_some());
        if !company_is_there {
            self.odd("a company that is not there".into());
        }
        let semantics = stage
            .as_deref()
            .map(|stage| self.semantics_of_stage(kind, stage));
        let mut first_multi = self.next_id("multi", 1_001);
        let now = caller.seconds();
        let Some(card) = self.cards.get_mut(&(kind, id)) else {
            return;
        };
        for (name, value) in draft.fields {
            match value {
                Some(value) => card.fields.insert(name, value),
                None => card.fields.remove(&name),
            };
        }
        if !company_is_there {
            card.fields.remove("COMPANY_ID");
        }
        if let Some((_, contacts)) = contacts {
            card.contacts = contacts;
        }
        if let (Some(stage), Some(semantics)) = (stage, semantics) {
            let field = if kind == Kind::Lead {
                "STATUS"
            } else {
                "STAGE"
            };
            card.set(&format!("{field}_ID"), stage);
            card.set(&format!("{field}_SEMANTIC_ID"), semantics.to_string());
            let is_closed = semantics != 'P';
            match kind {
                Kind::Deal => card.set("CLOSED", is_closed),
                _ if is_closed => card.set("DATE_CLOSED", now),
                _ => {}
            }
            if kind == Kind::Deal && is_closed {
                card.fields
                    .entry("CLOSEDATE".into())
                    .or_insert_with(|| json!(now));
            }
        }
        if matches!(kind, Kind::Lead | Kind::Deal) {
            let of_client = !card.contacts.is_empty() || card.number("COMPANY_ID") > 0;
            card.set("IS_RETURN_CUSTOMER", of_client);
        }
        multi::apply(card, draft.multi, || {
            let next = first_multi;
            first_multi += 1;
            next
        });
        card.set("DATE_MODIFY", now);
        card.set("MODIFY_BY_ID", caller.user_id);
        self.raise_id("multi", first_multi);
        self.index(kind, id);
    }

    /// Puts a card into the index; it is made in the same request (§9).
    fn index(&mut self, kind: Kind, id: u64) {
        let mut codes = BTreeSet::new();
        if let Some(card) = self.card(kind, id) {
            let mut put = |what: &str, code: String| codes.insert((what.to_owned(), code));
            for phone in card.phones() {
                put("PHONE", phones::code(phone));
            }
            for email in card.multi.get("EMAIL").into_iter().flatten() {
                put("EMAIL", phones::email_code(&email.value));
            }
            for contact in &card.contacts {
                put("CONTACT_ID", contact.to_string());
            }
            if !card.text("ORIGIN_ID").is_empty() {
                put("ORIGIN_ID", card.text("ORIGIN_ID").to_owned());
            }
        }
        let indexed = self.indexed.remove(&(kind, id)).unwrap_or_default();
        for code in indexed.difference(&codes) {
            self.forget_code(code, (kind, id));
        }
        for code in &codes {
            let cards = self.found_by.entry(code.clone()).or_default();
            cards.insert((kind, id));
        }
        self.indexed.insert((kind, id), codes);
    }

    fn forget_code(&mut self, code: &(String, String), card: (Kind, u64)) {
        if let Some(cards) = self.found_by.get_mut(code) {
            cards.remove(&card);
            if cards.is_empty() {
                self.found_by.remove(code);
            }
        }
    }

    /// Returns the cards of a kind that are found by a code, in order.
    pub(super) fn cards_by(&self, kind: Kind, what: &str, code: &str) -> Vec<&Card> {
        let found = self.found_by.get(&(what.to_owned(), code.to_owned()));
        let ours = found.into_iter().flatten().filter(|(k, _)| *k == kind);
        ours.filter_map(|(kind, id)| self.card(*kind, *id))
            .collect()
    }

    /// Returns the cards that may fit a filter: those that it names by id, contact or origin, else
    /// all. `name` gives the classic name of a field.
    pub(super) fn candidates(
        &self,
        kind: Kind,
        filter: &Filter,
        name: impl Fn(&str) -> Option<String>,
    ) -> Vec<&Card> {
        for (given, values) in filter.demands() {
            let texts = || values.iter().filter_map(text_of);
            match name(given).as_deref() {
                Some("ID") => {
                    let ids: BTreeSet<u64> = texts().filter_map(|t| t.parse().ok()).collect();
                    return ids
                        .into_iter()
                        .filter_map(|id| self.card(kind, id))
                        .collect();
                }
                Some(what @ ("CONTACT_ID" | "ORIGIN_ID")) if kind != Kind::Contact => {
                    // An empty value asks for cards without one; those are in no index.
                    if texts().any(|text| text.is_empty()) || texts().count() != values.len() {
                        continue;
                    }
                    let mut cards: Vec<&Card> = texts()
                        .flat_map(|code| self.cards_by(kind, what, &code))
                        .collect();
                    cards.sort_by_key(|card| card.id);
                    cards.dedup_by_key(|card| card.id);
                    return cards;
                }
                _ => {}
            }
        }
        self.cards_of(kind).collect()
    }

    /// What the portal does with a lead where there are none: contact and deal (§6).
    pub(super) fn convert_lead(&mut self, lead: u64, caller: &Caller) {
        let Some(card) = self.card(Kind::Lead, lead).cloned() else {
            return;
        };
        if self.switches.simple_mode_wants_name && card.text("NAME").is_empty() {
            return;
        }
        let mut contacts = card.contacts.clone();
        let has_client = !card.text("NAME").is_empty() || !card.multi.is_empty();
        if contacts.is_empty() && has_client {
            let mut draft = copied(&card, &["NAME", "LAST_NAME", "SECOND_NAME", "SOURCE_ID"]);
            draft.set("LEAD_ID", lead);
            for (name, values) in &card.multi {
                draft.multi.extend(values.iter().map(|value| {
                    let add = multi::MultiEdit::Add {
                        value: value.value.clone(),
                        value_type: value.value_type.clone(),
                    };
                    (name.clone(), add)
                }));
            }
            contacts.extend(self.create_card(Kind::Contact, draft, caller));
        }
        let mut draft = copied(
            &card,
            &[
                "TITLE",
                "SOURCE_ID",
                "SOURCE_DESCRIPTION",
                "ORIGINATOR_ID",
                "ORIGIN_ID",
                "COMMENTS",
                "OPPORTUNITY",
                "CURRENCY_ID",
                "COMPANY_ID",
                "UTM_SOURCE",
                "UTM_MEDIUM",
                "UTM_CAMPAIGN",
                "UTM_CONTENT",
                "UTM_TERM",
            ],
        );
        draft.set("LEAD_ID", lead);
        draft.contacts = Some(contacts);
        // Nothing of it can be refused: it comes from a card that was written.
        let deal = self.create_card(Kind::Deal, draft, caller);
        self.converted.extend(deal.ok().map(|deal| (lead, deal)));
        let mut closing = Draft::default();
        closing.set("STATUS_ID", "CONVERTED");
        let stage = self.stage_for(Kind::Lead, &closing, None).ok().flatten();
        self.write_card(Kind::Lead, lead, closing, stage, caller);
    }

    fn tell(&mut self, kind: Kind, id: u64, what: &str, caller: &Caller) {
        let event = format!("ONCRM{}{what}", kind.upper());
        let data = json!({"FIELDS": {"ID": id.to_string()}});
        self.emit(
            &event,
            &format!("{} {id}", kind.lower()),
            &data,
            Some(caller),
        );
    }
}

/// Copies fields of a card with its responsible.
fn copied(card: &Card, names: &[&str]) -> Draft {
    let mut draft = Draft::default();
    for name in names.iter().chain(&["ASSIGNED_BY_ID"]) {
        if let Some(value) = card.fields.get(*name) {
            draft.fields.insert((*name).to_owned(), Some(value.clone()));
        }
    }
    draft
}

/// Numbers of the kinds begin apart, so that one taken for another is noticed.
fn first_id(kind: Kind) -> u64 {
    match kind {
        Kind::Lead => 7,
        Kind::Deal => 512,
        Kind::Contact => 31,
        Kind::Company => 4,
    }
}

/// Returns the ids of cards as the service lists them.
pub(super) fn ids_json(ids: impl IntoIterator<Item = u64>) -> Value {
    ids.into_iter().map(Value::from).collect()
}
