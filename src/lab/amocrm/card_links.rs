//! Links between cards, one card's and in bulk (crm/amocrm.md §8).

use serde_json::{Value, json};

use super::auth::Caller;
use super::batch::ITEMS_MAX;
use super::exchange::{Incoming, Reply};
use super::records::Kind;
use super::review::{Object, Review};
use super::tags::with_total;
use super::world::{World, nothing};

struct LinkDraft {
    from: u64,
    to: (Kind, u64),
    is_main: Option<bool>,
}

impl World {
    /// `POST …/link` and `POST …/unlink`, of one card or with `entity_id` in each item.
    pub(super) fn link_cards(
        &mut self,
        kind: Kind,
        id: Option<u64>,
        link: bool,
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        if incoming.method != "POST" {
            return Reply::method_not_allowed();
        }
        if id.is_some_and(|id| self.card(kind, id).is_none()) {
            return Reply::not_found();
        }
        let rows = self.batch(
            incoming,
            ITEMS_MAX,
            |world, item, review| world.read_link(kind, id, link, item, review),
            |world, draft, _| world.apply_link(kind, &draft, link, caller),
        );
        match rows {
            Err(refusal) => refusal,
            Ok(_) if !link => Reply::empty(),
            Ok(rows) => Reply::ok(&with_total("links", rows, incoming)),
        }
    }

    /// `GET /{entity}/{id}/links` and `GET /{entity}/links`.
    pub(super) fn list_links(&self, kind: Kind, id: Option<u64>, incoming: &Incoming) -> Reply {
        let query = &incoming.query;
        let ids: Vec<u64> = match id {
            Some(id) => vec![id],
            None => {
                let ids = query.numbers("filter[entity_id]");
                ids.into_iter()
                    .filter_map(|id| u64::try_from(id).ok())
                    .collect()
            }
        };
        let wanted_kind = query
            .get("filter[to_entity_type]")
            .and_then(Kind::from_plural);
        let wanted_id = query
            .get("filter[to_entity_id]")
            .and_then(|id| id.parse::<u64>().ok());
        let mut rows = Vec::new();
        for from in ids.into_iter().filter(|id| self.card(kind, *id).is_some()) {
            for other in [Kind::Lead, Kind::Customer, Kind::Contact, Kind::Company] {
                if wanted_kind.is_some_and(|wanted| wanted != other) {
                    continue;
                }
                for to in self.linked(kind, from, other) {
                    if wanted_id.is_none_or(|wanted| wanted == to) {
                        rows.push(self.render_link(kind, from, (other, to)));
                    }
                }
            }
        }
        Reply::ok(&with_total("links", rows, incoming))
    }

    fn read_link(
        &self,
        kind: Kind,
        id: Option<u64>,
        link: bool,
        item: &Value,
        review: &mut Review,
    ) -> Option<LinkDraft> {
        let object = Object::of(item, String::new(), review)?;
        let keys = [
            "entity_id",
            "to_entity_id",
            "to_entity_type",
            "metadata",
            "request_id",
        ];
        object.known("link", &keys, review);
        object.require(&["to_entity_id", "to_entity_type"], review);
        let from = id.or_else(|| {
            object.require(&["entity_id"], review);
            object.id("entity_id", review)
        })?;
        if self.card(kind, from).is_none() {
            review.choice("entity_id".into());
        }
        let other = object.text("to_entity_type", review)?;
        let other = Kind::from_plural(&other);
        if other.is_none_or(|other| other == kind) {
            review.choice("to_entity_type".into());
        }
        let other = other?;
        let to = object.id("to_entity_id", review)?;
        if self.card(other, to).is_none() {
            review.choice("to_entity_id".into());
        }
        let linked = self.links.contains_key(&(kind, from, other, to));
        if link && linked && !self.switches.repeated_link_succeeds {
            let detail = "The entities are linked already.";
            review.error("AlreadyLinked", "to_entity_id".into(), detail);
        }
        let metadata = if object.has("metadata") {
            object.object("metadata", review)
        } else {
            None
        };
        let is_main = metadata.and_then(|metadata| {
            let key = if metadata.has("is_main") {
                "is_main"
            } else {
                "main_contact"
            };
            metadata.flag(key, review)
        });
        Some(LinkDraft {
            from,
            to: (other, to),
            is_main,
        })
    }

    fn apply_link(&mut self, kind: Kind, draft: &LinkDraft, link: bool, caller: &Caller) -> Value {
        let from = (kind, draft.from);
        let known = self
            .links
            .contains_key(&(kind, draft.from, draft.to.0, draft.to.1));
        let other =
            json!([{"link": {"entity": {"type": draft.to.0.singular(), "id": draft.to.1}}}]);
        if link {
            self.join(from, draft.to, draft.is_main);
            if !known {
                self.event(
                    "entity_linked",
                    (kind.singular(), draft.from),
                    nothing(),
                    other,
                    caller,
                );
            }
        } else if self.part(from, draft.to) {
            self.event(
                "entity_unlinked",
                (kind.singular(), draft.from),
                other,
                nothing(),
                caller,
            );
        }
        self.render_link(kind, draft.from, draft.to)
    }

    fn render_link(&self, kind: Kind, from: u64, to: (Kind, u64)) -> Value {
        let main = self.links.get(&(kind, from, to.0, to.1)).copied();
        let lead_and_contact = kind == Kind::Lead && to.0 == Kind::Contact;
        let metadata = lead_and_contact.then(|| json!({"main_contact": main.unwrap_or(false)}));
        json!({
            "entity_id": from, "entity_type": kind.plural(), "to_entity_id": to.1,
            "to_entity_type": to.0.plural(), "metadata": metadata,
        })
    }
}
