//! Makes and changes cards out of judged drafts, and leaves the traces that the service leaves:
//! entries of the audit feed, hooks, the search index.

use serde_json::{Value, json};

use super::auth::Caller;
use super::batch::ITEMS_MAX;
use super::card_draft::{CardDraft, Purpose, Stage, TagName, closes};
use super::exchange::{Incoming, Reply};
use super::records::{Card, Deal, Kind, SearchText};
use super::review::Object;
use super::world::{World, nothing};

impl World {
    /// `POST /{entity}`.
    pub(super) fn create_cards(
        &mut self,
        kind: Kind,
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        let rows = self.batch(
            incoming,
            ITEMS_MAX,
            |world, item, review| {
                let object = Object::of(item, String::new(), review)?;
                world.read_card(kind, &object, Purpose::Create, review)
            },
            |world, draft, request_id| {
                let id = world.create_card(kind, &draft, false, caller);
                card_row(kind, id, request_id, incoming)
            },
        );
        rows.map_or_else(
            |refusal| refusal,
            |rows| embedded(kind.plural(), rows, incoming),
        )
    }

    /// `PATCH /{entity}`.
    pub(super) fn change_cards(
        &mut self,
        kind: Kind,
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        let rows = self.batch(
            incoming,
            ITEMS_MAX,
            |world, item, review| {
                let object = Object::of(item, String::new(), review)?;
                world.read_card(kind, &object, Purpose::Change(None), review)
            },
            |world, draft, request_id| {
                let mut row = world.change_card(kind, &draft, caller, incoming);
                row["request_id"] = json!(request_id);
                row
            },
        );
        rows.map_or_else(
            |refusal| refusal,
            |rows| embedded(kind.plural(), rows, incoming),
        )
    }

    /// `PATCH /{entity}/{id}`: a bare row comes back (crm/amocrm.md §21.1).
    pub(super) fn change_one_card(
        &mut self,
        kind: Kind,
        id: u64,
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        if self.card(kind, id).is_none() {
            return Reply::not_found();
        }
        self.single(
            incoming,
            |world, item, review| {
                let object = Object::of(item, String::new(), review)?;
                world.read_card(kind, &object, Purpose::Change(Some(id)), review)
            },
            |world, draft| world.change_card(kind, &draft, caller, incoming),
        )
    }

    /// Makes a card.
    pub(super) fn create_card(
        &mut self,
        kind: Kind,
        draft: &CardDraft,
        waiting: bool,
        caller: &Caller,
    ) -> u64 {
        let id = self.next_id(kind.plural(), kind.first_id());
        let now = caller.now.seconds();
        let created_at = draft.created_at.unwrap_or(now);
        let full_name = [draft.first_name.as_deref(), draft.last_name.as_deref()];
        let full_name: Vec<&str> = full_name.into_iter().flatten().collect();
        let default_name = match kind {
            Kind::Lead => format!("Сделка #{id}"),
            Kind::Customer | Kind::Contact | Kind::Company => full_name.join(" "),
        };
        // A lead in unsorted has no responsible before somebody accepts it (§10).
        let nobody = if waiting { 0 } else { caller.user_id };
        let card = Card {
            kind,
            id,
            name: draft.name.clone().unwrap_or(default_name),
            first_name: draft.first_name.clone().unwrap_or_default(),
            last_name: draft.last_name.clone().unwrap_or_default(),
            responsible_user_id: draft.responsible_user_id.unwrap_or(nobody),
            created_by: draft.created_by.unwrap_or(caller.user_id),
            updated_by: draft.updated_by.unwrap_or(caller.user_id),
            created_at,
            updated_at: draft.updated_at.unwrap_or(now),
            deleted: false,
            waiting,
            values: Default::default(),
            tags: Vec::new(),
            deal: Deal::default(),
            indexed: SearchText::default(),
            phone_keys: Default::default(),
        };
        self.cards.insert((kind, id), card);
        self.apply_draft(kind, id, draft, caller);
        self.reindex(kind, id, caller.now);
        if !waiting {
            self.announce_new(kind, id, caller);
        }
        id
    }

    /// Tells the audit feed and the hooks of a new card.
    pub(super) fn announce_new(&mut self, kind: Kind, id: u64, caller: &Caller) {
        let event = format!("{}_added", kind.singular());
        self.event(&event, (kind.singular(), id), nothing(), nothing(), caller);
        self.hook_card("add", kind, id, None, caller.now);
    }

    /// Changes a card and returns its row of the answer.
    pub(super) fn change_card(
        &mut self,
        kind: Kind,
        draft: &CardDraft,
        caller: &Caller,
        incoming: &Incoming,
    ) -> Value {
        let id = draft.id.unwrap_or(0);
        self.edit_card(kind, id, draft, caller);
        let card = self.cards.get(&(kind, id));
        let mut row = json!({
            "id": id, "updated_at": card.map(|card| card.updated_at),
            "_links": incoming.link(&format!("/api/v4/{}/{id}", kind.plural())),
        });
        if kind != Kind::Lead {
            row["name"] = json!(card.map(|card| &card.name));
        }
        row
    }

    /// Changes a card, with everything that follows from it.
    pub(super) fn edit_card(&mut self, kind: Kind, id: u64, draft: &CardDraft, caller: &Caller) {
        let Some(before) = self.cards.get(&(kind, id)).cloned() else {
            return;
        };
        if let Some(card) = self.cards.get_mut(&(kind, id)) {
            card.name
                .clone_from(draft.name.as_ref().unwrap_or(&before.name));
            card.first_name
                .clone_from(draft.first_name.as_ref().unwrap_or(&before.first_name));
            card.last_name
                .clone_from(draft.last_name.as_ref().unwrap_or(&before.last_name));
            if let Some(user) = draft.responsible_user_id {
                card.responsible_user_id = user;
            }
            card.updated_by = draft.updated_by.unwrap_or(caller.user_id);
            card.updated_at = draft.updated_at.unwrap_or(caller.now.seconds());
        }
        self.apply_draft(kind, id, draft, caller);
        self.reindex(kind, id, caller.now);
        self.report_changes(&before, caller);
    }

    fn apply_draft(&mut self, kind: Kind, id: u64, draft: &CardDraft, caller: &Caller) {
        let replaces = self.switches.patch_replaces_values;
        let add = self.tag_ids(kind, &draft.tags_to_add);
        let delete = self.tag_ids(kind, &draft.tags_to_delete);
        let replace = draft.tags.as_ref().map(|tags| self.tag_ids(kind, tags));
        let default_stage = self.main_pipeline().map(|p| Stage {
            pipeline_id: p.id,
            status_id: p.first_status(),
        });
        let Some(card) = self.cards.get_mut(&(kind, id)) else {
            return;
        };
        for (field, values) in &draft.values {
            let stored = card.values.entry(*field).or_default();
            if replaces || values.is_empty() {
                stored.clone_from(values);
            } else {
                stored.extend(values.iter().cloned());
            }
        }
        if let Some(replace) = replace {
            card.tags = replace;
        }
        for tag in add {
            if !card.tags.contains(&tag) {
                card.tags.push(tag);
            }
        }
        card.tags.retain(|tag| !delete.contains(tag));
        if kind == Kind::Lead {
            let deal = &mut card.deal;
            deal.price = draft.price.unwrap_or(deal.price);
            deal.loss_reason_id = draft.loss_reason_id.unwrap_or(deal.loss_reason_id);
            let is_new = deal.pipeline_id == 0;
            if let Some(stage) = draft.stage.or(default_stage.filter(|_| is_new)) {
                deal.pipeline_id = stage.pipeline_id;
                deal.status_id = stage.status_id;
            }
            deal.closed_at = match (closes(deal.status_id), draft.closed_at.flatten()) {
                (true, given) => given.or(deal.closed_at).or(Some(caller.now.seconds())),
                (false, _) => None,
            };
        }
        for (contact, is_main) in &draft.contacts {
            self.join((kind, id), (Kind::Contact, *contact), *is_main);
        }
        for company in &draft.companies {
            self.join((kind, id), (Kind::Company, *company), None);
        }
    }

    /// Tells the audit feed and the hooks what changed.
    fn report_changes(&mut self, before: &Card, caller: &Caller) {
        let (kind, id) = (before.kind, before.id);
        let Some(after) = self.cards.get(&(kind, id)).cloned() else {
            return;
        };
        let entity = (kind.singular(), id);
        let mut hooks = vec!["update"];
        if before.responsible_user_id != after.responsible_user_id {
            let user = |id: u64| json!([{"responsible_user": {"id": id}}]);
            let (old, new) = (before.responsible_user_id, after.responsible_user_id);
            self.event(
                "entity_responsible_changed",
                entity,
                user(old),
                user(new),
                caller,
            );
            hooks.push("responsible");
        }
        if before.name != after.name {
            let name = |name: &str| json!([{"name_field_value": {"name": name}}]);
            let (old, new) = (name(&before.name), name(&after.name));
            self.event("name_field_changed", entity, old, new, caller);
        }
        let stage =
            |d: &Deal| json!([{"lead_status": {"id": d.status_id, "pipeline_id": d.pipeline_id}}]);
        let (old, new) = (stage(&before.deal), stage(&after.deal));
        if old != new {
            self.event("lead_status_changed", entity, old, new, caller);
            hooks.push("status");
        }
        if before.deal.price != after.deal.price {
            let sale = |price: i64| json!([{"sale_field_value": {"sale": price}}]);
            let (old, new) = (sale(before.deal.price), sale(after.deal.price));
            self.event("sale_field_changed", entity, old, new, caller);
        }
        for tag in after.tags.iter().filter(|tag| !before.tags.contains(tag)) {
            let tag = json!([{"tag": {"id": tag}}]);
            self.event("entity_tag_added", entity, nothing(), tag, caller);
        }
        let fields: std::collections::BTreeSet<u64> = before
            .values
            .keys()
            .chain(after.values.keys())
            .copied()
            .collect();
        for field in fields {
            let values = |card: &Card| {
                let values = card.values.get(&field).into_iter().flatten();
                let text = |v: &super::records::FieldValue| json!({"custom_field_value": {"field_id": field, "enum_id": v.enum_id, "text": v.text()}});
                json!(values.map(text).collect::<Vec<Value>>())
            };
            let (old, new) = (values(before), values(&after));
            if old != new {
                let name = format!("custom_field_{field}_value_changed");
                self.event(&name, entity, old, new, caller);
            }
        }
        let old_responsible = before.responsible_user_id;
        for hook in hooks {
            let old = Some((old_responsible, before.deal.status_id));
            self.hook_card(hook, kind, id, old, caller.now);
        }
    }

    /// Puts a card into the bin.
    pub(super) fn delete_card(&mut self, kind: Kind, id: u64, caller: &Caller) -> bool {
        let Some(card) = self.cards.get_mut(&(kind, id)).filter(|card| !card.deleted) else {
            return false;
        };
        card.deleted = true;
        card.updated_at = caller.now.seconds();
        let event = format!("{}_deleted", kind.singular());
        self.event(&event, (kind.singular(), id), nothing(), nothing(), caller);
        self.hook_card("delete", kind, id, None, caller.now);
        true
    }

    fn tag_ids(&mut self, kind: Kind, tags: &[TagName]) -> Vec<u64> {
        let mut ids = Vec::new();
        for tag in tags {
            let id = match tag {
                TagName::Id(id) => *id,
                TagName::Name(name) => self.tag_named(kind, name, None),
            };
            if !ids.contains(&id) && self.tags.iter().any(|t| t.kind == kind && t.id == id) {
                ids.push(id);
            }
        }
        ids
    }
}

/// The row of a created card.
pub(super) fn card_row(kind: Kind, id: u64, request_id: &str, incoming: &Incoming) -> Value {
    json!({
        "id": id, "request_id": request_id,
        "_links": incoming.link(&format!("/api/v4/{}/{id}", kind.plural())),
    })
}

/// The usual wrapping of the rows of an answer.
pub(super) fn embedded(name: &str, rows: Vec<Value>, incoming: &Incoming) -> Reply {
    Reply::ok(&json!({"_links": incoming.self_link(), "_embedded": {name: rows}}))
}
