//! `POST /calls`: the service chooses the card by the phone (crm/amocrm.md §11).

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::batch::ITEMS_MAX;
use super::exchange::{Incoming, Reply};
use super::notes::NewNote;
use super::records::Kind;
use super::review::{Object, Review};
use super::world::World;

struct CallDraft {
    note_type: &'static str,
    params: Map<String, Value>,
    phone: String,
    responsible_user_id: Option<u64>,
    created_by: Option<u64>,
    created_at: Option<i64>,
}

const KEYS: [&str; 14] = [
    "direction",
    "uniq",
    "duration",
    "source",
    "link",
    "phone",
    "call_status",
    "call_result",
    "call_responsible",
    "responsible_user_id",
    "created_by",
    "updated_by",
    "created_at",
    "request_id",
];

impl World {
    /// `POST /calls`.
    pub(super) fn log_calls(&mut self, incoming: &Incoming, caller: &Caller) -> Reply {
        if incoming.method != "POST" {
            return Reply::method_not_allowed();
        }
        let mut errors = Vec::new();
        let drafts = self.batch(
            incoming,
            ITEMS_MAX,
            |world, item, review| world.read_call(item, review),
            |world, draft, request_id| world.log_call(draft, request_id, incoming, caller),
        );
        let rows = match drafts {
            Ok(rows) => rows,
            Err(refusal) => return refusal,
        };
        let (stored, failed): (Vec<Value>, Vec<Value>) =
            rows.into_iter().partition(|row| row.get("id").is_some());
        errors.extend(failed);
        let status = match (stored.is_empty(), errors.is_empty()) {
            (true, _) => 400,
            (false, false) if !self.switches.mixed_calls_answer_200 => 400,
            (false, _) => 200,
        };
        let body = json!({
            "_total_items": stored.len(), "errors": errors, "_links": incoming.self_link(),
            "_embedded": {"calls": stored},
        });
        Reply::json(status, &body)
    }

    fn read_call(&self, item: &Value, review: &mut Review) -> Option<CallDraft> {
        let object = Object::of(item, String::new(), review)?;
        object.known("call", &KEYS, review);
        object.require(&["direction", "duration", "source", "phone"], review);
        let direction = object.text("direction", review)?;
        let note_type = match direction.as_str() {
            "inbound" => "call_in",
            "outbound" => "call_out",
            _ => {
                review.choice("direction".into());
                return None;
            }
        };
        let phone = object.text("phone", review)?;
        let mut params = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            value.and_then(|value| params.insert(key.to_owned(), value));
        };
        let text = |key: &str, review: &mut Review| object.text(key, review).map(|t| json!(t));
        put("uniq", text("uniq", review));
        put("source", text("source", review));
        put("link", text("link", review));
        put("call_result", text("call_result", review));
        put("phone", Some(json!(phone)));
        let duration = object.integer("duration", review);
        if duration.is_some_and(|d| d < 0) {
            review.choice("duration".into());
        }
        put("duration", duration.map(|d| json!(d)));
        let status = object.integer("call_status", review);
        if status.is_some_and(|s| !(1..=8).contains(&s)) {
            review.choice("call_status".into());
        }
        put("call_status", status.map(|s| json!(s)));
        let responsible_user_id = object.id("responsible_user_id", review);
        if let Some(id) = responsible_user_id {
            self.check_responsible(id, "responsible_user_id".into(), review);
        }
        let created_by = object.id("created_by", review);
        self.check_author(created_by, "created_by".into(), review);
        let named = object
            .raw("call_responsible")
            .filter(|v| v.is_u64() || v.is_string());
        if named.is_none() {
            object.text_or_number("call_responsible", review);
        }
        put(
            "call_responsible",
            named.cloned().or(created_by.map(|id| json!(id))),
        );
        Some(CallDraft {
            note_type,
            params,
            phone,
            responsible_user_id,
            created_by,
            created_at: object.integer("created_at", review),
        })
    }

    /// Stores one call on the card of its phone; the row has no `id` if there is none.
    fn log_call(
        &mut self,
        draft: CallDraft,
        request_id: &str,
        incoming: &Incoming,
        caller: &Caller,
    ) -> Value {
        let failure = |title: &str, status: u16| {
            json!({
                "title": title, "type": format!("https://httpstatus.es/{status}"),
                "status": status, "detail": title, "request_id": request_id,
            })
        };
        if self.refuses_uniq(draft.params.get("uniq").and_then(Value::as_str)) {
            return failure("Call already exists", 400);
        }
        let Some((kind, entity_id)) = self.card_of_phone(&draft.phone) else {
            return failure("Entity not found", 404);
        };
        let note = NewNote {
            kind,
            entity_id,
            note_type: draft.note_type.into(),
            params: Value::Object(draft.params),
            responsible_user_id: draft.responsible_user_id,
            created_by: draft.created_by,
            created_at: draft.created_at,
            origin: "calls".into(),
        };
        let id = self.store_note(note, caller);
        json!({
            "id": id, "entity_id": entity_id, "entity_type": kind.singular(),
            "account_id": self.account_id, "request_id": request_id,
            "_embedded": {"entity": {"id": entity_id, "_links": card_link(kind, entity_id, incoming)}},
        })
    }
}

fn card_link(kind: Kind, id: u64, incoming: &Incoming) -> Value {
    incoming.link(&format!("/api/v4/{}/{id}", kind.plural()))
}
