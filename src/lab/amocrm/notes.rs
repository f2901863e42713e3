//! Notes of cards, logged calls among them (crm/amocrm.md §11).

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::batch::ITEMS_MAX;
use super::exchange::{Incoming, Reply};
use super::options::RepeatedUniq;
use super::records::{Kind, Note};
use super::review::{Object, Review};
use super::world::{World, nothing};

const PAGE_MAX: u64 = 250;

/// What an item asks for.
struct NoteDraft {
    /// The note to change; none for a new one.
    id: Option<u64>,
    entity_id: u64,
    note_type: String,
    params: Map<String, Value>,
    responsible_user_id: Option<u64>,
    created_by: Option<u64>,
    created_at: Option<i64>,
}

/// Everything about a note that is stored.
pub(super) struct NewNote {
    pub(super) kind: Kind,
    pub(super) entity_id: u64,
    pub(super) note_type: String,
    pub(super) params: Value,
    pub(super) responsible_user_id: Option<u64>,
    pub(super) created_by: Option<u64>,
    pub(super) created_at: Option<i64>,
    pub(super) origin: String,
}

impl World {
    /// `/{entity}/notes…` and, with a card, `/{entity}/{id}/notes…`.
    pub(super) fn notes_resource(
        &mut self,
        kind: Kind,
        card: Option<u64>,
        rest: &[&str],
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        let number = rest.first().map(|id| id.parse::<u64>());
        match (incoming.method.as_str(), number) {
            ("GET", None) => self.list_notes(kind, card, incoming),
            ("GET", Some(Ok(id))) => {
                let ours =
                    |n: &&Note| n.kind == kind && card.is_none_or(|card| n.entity_id == card);
                let note = self.notes.get(&id).filter(ours);
                note.map_or_else(Reply::empty, |note| {
                    Reply::ok(&self.render_note(note, incoming))
                })
            }
            ("POST", None) if card.is_some_and(|id| self.card(kind, id).is_none()) => {
                Reply::not_found()
            }
            ("POST", None) => {
                let rows = self.batch(
                    incoming,
                    ITEMS_MAX,
                    |world, item, review| world.read_note(kind, card, item, review),
                    |world, draft, request_id| {
                        let entity_id = draft.entity_id;
                        let id = world.store_note(draft.into_note(kind), caller);
                        json!({"id": id, "entity_id": entity_id, "request_id": request_id,
                               "_links": incoming.link(&format!("/api/v4/{}/notes/{id}", kind.plural()))})
                    },
                );
                rows.map_or_else(
                    |refusal| refusal,
                    |rows| super::card_write::embedded("notes", rows, incoming),
                )
            }
            ("PATCH", None) => {
                let rows = self.batch(
                    incoming,
                    ITEMS_MAX,
                    |world, item, review| world.read_note_change(kind, None, item, review),
                    |world, draft, request_id| {
                        let mut row = world.change_note(draft, caller);
                        row["request_id"] = json!(request_id);
                        row
                    },
                );
                rows.map_or_else(
                    |refusal| refusal,
                    |rows| super::card_write::embedded("notes", rows, incoming),
                )
            }
            ("PATCH", Some(Ok(id))) => self.single(
                incoming,
                |world, item, review| world.read_note_change(kind, Some(id), item, review),
                |world, draft| world.change_note(draft, caller),
            ),
            (_, Some(Err(_))) => Reply::not_found(),
            _ => Reply::method_not_allowed(),
        }
    }

    /// Stores a note and tells the audit feed and the hooks.
    pub(super) fn store_note(&mut self, new: NewNote, caller: &Caller) -> u64 {
        let id = self.next_id("note", 66_000_001);
        let now = caller.now.seconds();
        let created_by = new.created_by.unwrap_or(caller.user_id);
        let event = match new.note_type.as_str() {
            "call_in" => "incoming_call",
            "call_out" => "outgoing_call",
            "common" => "common_note_added",
            "sms_in" => "incoming_sms",
            "sms_out" => "outgoing_sms",
            _ => "service_note_added",
        };
        let (kind, entity_id) = (new.kind, new.entity_id);
        let note = Note {
            id,
            kind,
            entity_id,
            note_type: new.note_type,
            params: new.params,
            responsible_user_id: new.responsible_user_id.unwrap_or(caller.user_id),
            created_by,
            updated_by: created_by,
            created_at: new.created_at.unwrap_or(now),
            updated_at: now,
            origin: new.origin,
        };
        self.notes.insert(id, note);
        let after = json!([{"note": {"id": id}}]);
        self.event(
            event,
            (kind.singular(), entity_id),
            nothing(),
            after,
            caller,
        );
        self.hook_note(kind, entity_id, id, caller.now);
        id
    }

    /// Returns whether a call with this `uniq` is stored and the account refuses a second one.
    pub(super) fn refuses_uniq(&self, uniq: Option<&str>) -> bool {
        let refuses = self.switches.repeated_uniq == RepeatedUniq::Reject;
        let same = |n: &Note| n.params.get("uniq").and_then(Value::as_str) == uniq;
        refuses && uniq.is_some_and(|u| !u.is_empty()) && self.notes.values().any(same)
    }

    /// Notes nulls inside parameters, which the service refuses (§3).
    pub(super) fn read_params(
        &self,
        note_type: &str,
        object: &Object<'_>,
        review: &mut Review,
    ) -> Map<String, Value> {
        let (required, optional): (&[&str], &[&str]) = match note_type {
            "common" => (&["text"], &[]),
            "call_in" | "call_out" => (
                &["uniq", "duration", "source", "link", "phone"],
                &["call_responsible", "call_result", "call_status"],
            ),
            "sms_in" | "sms_out" => (&["text", "phone"], &[]),
            "service_message" | "extended_service_message" => (&["service", "text"], &[]),
            "attachment" => (&["file_uuid", "file_name"], &["version_uuid"]),
            "geolocation" => (&["text", "address", "longitude", "latitude"], &[]),
            "message_cashier" => (&["status", "text"], &[]),
            _ => {
                review.choice("note_type".into());
                return Map::new();
            }
        };
        let Some(params) = object.object("params", review) else {
            object.require(&["params"], review);
            return Map::new();
        };
        let known: Vec<&str> = required.iter().chain(optional).copied().collect();
        params.known("params", &known, review);
        params.require(required, review);
        let mut stored = Map::new();
        for key in known {
            let Some(value) = params.raw(key) else {
                continue;
            };
            if value.is_null() {
                review.not_null(params.at(key));
                continue;
            }
            let read = match key {
                "duration" | "call_status" => params.integer(key, review).map(|n| json!(n)),
                "call_responsible" => Some(value.clone()).filter(|v| v.is_u64() || v.is_string()),
                _ => params.text(key, review).map(|t| json!(t)),
            };
            match read {
                Some(read) => {
                    stored.insert(key.to_owned(), read);
                }
                None if key == "call_responsible" => review.wrong_type(params.at(key), "string"),
                None => {}
            }
        }
        if stored
            .get("call_status")
            .and_then(Value::as_i64)
            .is_some_and(|s| !(1..=8).contains(&s))
        {
            review.choice(params.at("call_status"));
        }
        stored
    }

    fn read_note(
        &self,
        kind: Kind,
        card: Option<u64>,
        item: &Value,
        review: &mut Review,
    ) -> Option<NoteDraft> {
        let object = Object::of(item, String::new(), review)?;
        let keys = [
            "entity_id",
            "note_type",
            "params",
            "responsible_user_id",
            "created_by",
            "created_at",
            "updated_at",
            "request_id",
            "is_need_to_trigger_digital_pipeline",
        ];
        object.known("note", &keys, review);
        object.require(&["note_type", "params"], review);
        if card.is_none() {
            object.require(&["entity_id"], review);
        }
        let entity_id = card.or_else(|| object.id("entity_id", review))?;
        if self.card(kind, entity_id).is_none() {
            review.choice("entity_id".into());
        }
        let note_type = object.text("note_type", review)?;
        let params = self.read_params(&note_type, &object, review);
        if note_type.starts_with("call_")
            && self.refuses_uniq(params.get("uniq").and_then(Value::as_str))
        {
            review.error(
                "NotUnique",
                "params.uniq".into(),
                "This call is stored already.",
            );
        }
        let responsible_user_id = object.id("responsible_user_id", review);
        if let Some(id) = responsible_user_id {
            self.check_responsible(id, "responsible_user_id".into(), review);
        }
        let created_by = object.id("created_by", review);
        self.check_author(created_by, "created_by".into(), review);
        Some(NoteDraft {
            id: None,
            entity_id,
            note_type,
            params,
            responsible_user_id,
            created_by,
            created_at: object.integer("created_at", review),
        })
    }

    fn read_note_change(
        &self,
        kind: Kind,
        id: Option<u64>,
        item: &Value,
        review: &mut Review,
    ) -> Option<NoteDraft> {
        let object = Object::of(item, String::new(), review)?;
        let id = id.or_else(|| {
            object.require(&["id"], review);
            object.id("id", review)
        })?;
        let Some(note) = self.notes.get(&id).filter(|note| note.kind == kind) else {
            review.choice("id".into());
            return None;
        };
        if note.note_type.starts_with("call_") && !self.switches.call_notes_change {
            review.choice("id".into());
            return None;
        }
        let note_type = object
            .text("note_type", review)
            .unwrap_or_else(|| note.note_type.clone());
        let params = match object.has("params") {
            true => self.read_params(&note_type, &object, review),
            false => Map::new(),
        };
        Some(NoteDraft {
            id: Some(id),
            entity_id: note.entity_id,
            note_type,
            params,
            responsible_user_id: object.id("responsible_user_id", review),
            created_by: None,
            created_at: None,
        })
    }

    fn change_note(&mut self, draft: NoteDraft, caller: &Caller) -> Value {
        let merge = self.switches.changed_params_merge;
        let Some(note) = draft.id.and_then(|id| self.notes.get_mut(&id)) else {
            return Value::Null;
        };
        note.note_type = draft.note_type;
        match note.params.as_object_mut() {
            Some(params) if merge => params.extend(draft.params),
            _ if draft.params.is_empty() => {}
            _ => note.params = Value::Object(draft.params),
        }
        note.responsible_user_id = draft
            .responsible_user_id
            .unwrap_or(note.responsible_user_id);
        note.updated_by = caller.user_id;
        note.updated_at = caller.now.seconds();
        json!({"id": note.id, "entity_id": note.entity_id, "updated_at": note.updated_at})
    }

    fn list_notes(&self, kind: Kind, card: Option<u64>, incoming: &Incoming) -> Reply {
        let query = &incoming.query;
        let types = query.list("filter[note_type]");
        let ids = query.numbers("filter[id]");
        let entities = query.numbers("filter[entity_id]");
        let (from, to) = query.range("filter[updated_at]");
        let holds = |list: &[i64], id: u64| {
            list.is_empty() || list.iter().any(|wanted| u64::try_from(*wanted) == Ok(id))
        };
        let listed = |note: &&Note| {
            note.kind == kind
                && card.is_none_or(|card| note.entity_id == card)
                && (types.is_empty() || types.contains(&note.note_type.as_str()))
                && holds(&ids, note.id)
                && holds(&entities, note.entity_id)
                && from.is_none_or(|from| note.updated_at >= from)
                && to.is_none_or(|to| note.updated_at <= to)
                && self
                    .card(kind, note.entity_id)
                    .is_some_and(|card| !card.waiting)
        };
        let mut notes: Vec<&Note> = self.notes.values().filter(listed).collect();
        match (query.get("order[updated_at]"), query.get("order[id]")) {
            (Some("desc"), _) => notes.sort_by_key(|n| Reverse((n.updated_at, n.id))),
            (Some(_), _) => notes.sort_by_key(|n| (n.updated_at, n.id)),
            (None, Some("desc")) => notes.reverse(),
            (None, _) => {}
        }
        self.paging(PAGE_MAX)
            .reply(incoming, "notes", &notes, |note| {
                self.render_note(note, incoming)
            })
    }

    fn render_note(&self, note: &Note, incoming: &Incoming) -> Value {
        json!({
            "id": note.id, "entity_id": note.entity_id, "created_by": note.created_by,
            "updated_by": note.updated_by, "created_at": note.created_at,
            "updated_at": note.updated_at, "responsible_user_id": note.responsible_user_id,
            "group_id": 0, "note_type": note.note_type, "params": note.params,
            "account_id": self.account_id,
            "_links": incoming.link(&format!("/api/v4/{}/notes/{}", note.kind.plural(), note.id)),
        })
    }
}

impl NoteDraft {
    fn into_note(self, kind: Kind) -> NewNote {
        NewNote {
            kind,
            entity_id: self.entity_id,
            note_type: self.note_type,
            params: Value::Object(self.params),
            responsible_user_id: self.responsible_user_id,
            created_by: self.created_by,
            created_at: self.created_at,
            origin: "note".into(),
        }
    }
}
