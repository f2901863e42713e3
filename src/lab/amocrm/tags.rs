//! Tag dictionaries, one for each kind of card: upsert by name (crm/amocrm.md §7).

use serde_json::{Value, json};

use super::batch::ITEMS_MAX;
use super::exchange::{Incoming, Reply};
use super::records::{Kind, Tag};
use super::review::Object;
use super::world::World;

const PAGE_MAX: u64 = 250;

/// A colour is so many hexadecimal digits. The palette itself is not in the contract.
const COLOR_DIGITS: usize = 6;

impl World {
    /// `/{entity}/tags`.
    pub(super) fn tags_resource(&mut self, kind: Kind, incoming: &Incoming) -> Reply {
        match incoming.method.as_str() {
            "GET" => self.list_tags(kind, incoming),
            "POST" => self.create_tags(kind, incoming),
            _ => Reply::method_not_allowed(),
        }
    }

    /// Returns the id of a tag, made if there is none of this name.
    pub(super) fn tag_named(&mut self, kind: Kind, name: &str, color: Option<String>) -> u64 {
        if let Some(tag) = self.tags.iter().find(|t| t.kind == kind && t.name == name) {
            return tag.id;
        }
        let id = self.next_id("tag", 300_001);
        self.tags.push(Tag {
            id,
            kind,
            name: name.to_owned(),
            color,
        });
        id
    }

    fn list_tags(&self, kind: Kind, incoming: &Incoming) -> Reply {
        let query = &incoming.query;
        let name = query.get("filter[name]");
        let part = query.get("query").map(str::to_lowercase);
        let ids = query.numbers("filter[id]");
        let listed = |tag: &&Tag| {
            tag.kind == kind
                && name.is_none_or(|name| tag.name == name)
                && part
                    .as_ref()
                    .is_none_or(|part| tag.name.to_lowercase().contains(part.as_str()))
                && (ids.is_empty() || ids.iter().any(|id| u64::try_from(*id) == Ok(tag.id)))
        };
        let tags: Vec<&Tag> = self.tags.iter().filter(listed).collect();
        self.paging(PAGE_MAX).reply(
            incoming,
            "tags",
            &tags,
            |tag| json!({"id": tag.id, "name": tag.name, "color": tag.color}),
        )
    }

    fn create_tags(&mut self, kind: Kind, incoming: &Incoming) -> Reply {
        let rows = self.batch(
            incoming,
            ITEMS_MAX,
            |_, item, review| {
                let object = Object::of(item, String::new(), review)?;
                object.known("tag", &["name", "color", "request_id"], review);
                object.require(&["name"], review);
                let name = object.text("name", review)?;
                let color = object.text("color", review);
                let bad = |c: &String| {
                    c.len() != COLOR_DIGITS || !c.bytes().all(|b| b.is_ascii_hexdigit())
                };
                if color.as_ref().is_some_and(|c| kind != Kind::Lead || bad(c)) {
                    review.choice("color".into());
                }
                Some((name, color))
            },
            |world, (name, color), request_id| {
                let id = world.tag_named(kind, &name, color);
                let color = world
                    .tags
                    .iter()
                    .find(|tag| tag.id == id)
                    .map(|tag| &tag.color);
                json!({"id": id, "name": name, "color": color, "request_id": request_id})
            },
        );
        match rows {
            Ok(rows) => Reply::ok(&with_total("tags", rows, incoming)),
            Err(refusal) => refusal,
        }
    }
}

/// The usual wrapping with `_total_items` (crm/amocrm.md §21.3).
pub(super) fn with_total(name: &str, rows: Vec<Value>, incoming: &Incoming) -> Value {
    json!({
        "_total_items": rows.len(), "_links": incoming.self_link(), "_embedded": {name: rows},
    })
}
