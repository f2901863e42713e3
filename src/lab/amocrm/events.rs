//! The audit feed (crm/amocrm.md §13) and the call popup (§12).

use serde_json::{Value, json};

use super::auth::Caller;
use super::exchange::{Incoming, Reply};
use super::records::{Event, Popup};
use super::tags::with_total;
use super::world::World;

const PAGE_MAX: u64 = 100;
/// Ids that one filter of the feed takes.
const FILTER_IDS_MAX: usize = 10;
/// Users of one popup that are remembered.
const POPUP_USERS_MAX: usize = 100;

const TYPES: [&str; 16] = [
    "lead_added",
    "lead_deleted",
    "lead_status_changed",
    "contact_added",
    "contact_deleted",
    "company_added",
    "entity_responsible_changed",
    "entity_linked",
    "entity_unlinked",
    "entity_tag_added",
    "task_added",
    "task_completed",
    "incoming_call",
    "outgoing_call",
    "common_note_added",
    "name_field_changed",
];

impl World {
    /// `/events`, `/events/types`, `/events/{id}`.
    pub(super) fn events_resource(&self, rest: &[&str], incoming: &Incoming) -> Reply {
        match (incoming.method.as_str(), rest) {
            ("GET", []) => self.list_events(incoming),
            ("GET", ["types"]) => {
                let rows = TYPES
                    .iter()
                    .map(|key| json!({"key": key, "type": 0, "lang": key}));
                Reply::ok(&with_total("events_types", rows.collect(), incoming))
            }
            ("GET", [id]) => {
                let event = self.events.iter().find(|event| event.id == *id);
                event.map_or_else(Reply::empty, |e| Reply::ok(&self.render_event(e, incoming)))
            }
            _ => Reply::method_not_allowed(),
        }
    }

    fn list_events(&self, incoming: &Incoming) -> Reply {
        let query = &incoming.query;
        let types = query.list("filter[type]");
        let entities = query.list("filter[entity]");
        let ids = query.numbers("filter[entity_id]");
        let authors = query.numbers("filter[created_by]");
        let (from, to) = query.range("filter[created_at]");
        if ids.len() > FILTER_IDS_MAX || authors.len() > FILTER_IDS_MAX {
            return Reply::problem(400, "Bad Request", "A filter takes 10 ids at most");
        }
        if !ids.is_empty() && entities.len() != 1 {
            return Reply::problem(
                400,
                "Bad Request",
                "filter[entity_id] needs exactly one entity",
            );
        }
        let holds = |list: &[i64], id: u64| {
            list.is_empty() || list.iter().any(|wanted| u64::try_from(*wanted) == Ok(id))
        };
        let listed = |event: &&Event| {
            (types.is_empty() || types.contains(&event.kind.as_str()))
                && (entities.is_empty() || entities.contains(&event.entity_type))
                && holds(&ids, event.entity_id)
                && holds(&authors, event.created_by)
                && from.is_none_or(|from| event.created_at >= from)
                && to.is_none_or(|to| event.created_at <= to)
        };
        // The newest comes first.
        let events: Vec<&Event> = self.events.iter().rev().filter(listed).collect();
        let render = |event: &&Event| self.render_event(event, incoming);
        self.paging(PAGE_MAX)
            .reply(incoming, "events", &events, render)
    }

    fn render_event(&self, event: &Event, incoming: &Incoming) -> Value {
        json!({
            "id": event.id, "type": event.kind, "entity_id": event.entity_id,
            "entity_type": event.entity_type, "created_by": event.created_by,
            "created_at": event.created_at, "value_after": event.after,
            "value_before": event.before, "account_id": self.account_id,
            "_links": incoming.link(&format!("/api/v4/events/{}", event.id)),
            "_embedded": {"entity": {"id": event.entity_id}},
        })
    }

    fn is_active(&self, user: u64) -> bool {
        self.user(user).is_some_and(|user| user.is_active)
    }

    /// `POST /api/v2/events/`: shows the card of a number to users.
    pub(super) fn popup(&mut self, incoming: &Incoming, caller: &Caller) -> Reply {
        if incoming.method != "POST" {
            return Reply::method_not_allowed();
        }
        let added = match popups_of(incoming) {
            Ok(added) => added,
            Err(reply) => return reply,
        };
        if self.switches.popup_users_are_checked {
            let users = added.iter().flat_map(|popup| &popup.users);
            if let Some(bad) = users.copied().find(|id| !self.is_active(*id)) {
                return Reply::problem(400, "Bad Request", &format!("No such user: {bad}"));
            }
        }
        let mut items = Vec::new();
        for mut popup in added {
            // One whom nobody is meant for any more would else be shown to everybody.
            let was_for_some = !popup.users.is_empty();
            popup.users.retain(|id| self.is_active(*id));
            let shown = !was_for_some || !popup.users.is_empty();
            let uid = self.opaque("popup", 32);
            let card = self.card_of_phone(&popup.phone);
            items.push(json!({
                "element_id": card.map(|(_, id)| id),
                "element_type": card.map(|(kind, _)| kind.legacy()),
                "uid": uid, "phone_number": popup.phone,
            }));
            if shown {
                self.show_popup(Popup {
                    at: caller.now.seconds(),
                    entity_id: card.map(|(_, id)| id),
                    ..popup
                });
            }
        }
        if self.switches.popup_answer_is_empty {
            return Reply::empty();
        }
        Reply::ok(&json!({"_links": incoming.self_link(), "_embedded": {"items": items}}))
    }
}

/// Reads the body of the popup, as JSON or as a form in bracket notation.
fn popups_of(incoming: &Incoming) -> Result<Vec<Popup>, Reply> {
    let refusal = || {
        Reply::problem(
            400,
            "Bad Request",
            "add[] needs type=phone_call, phone_number",
        )
    };
    let popup = |phone: &str, users| Popup {
        phone: phone.to_owned(),
        users,
        at: 0,
        entity_id: None,
    };
    if incoming
        .content_type
        .as_deref()
        .is_some_and(|t| t.contains("x-www-form-urlencoded"))
    {
        let form = super::exchange::Query::parse(&String::from_utf8_lossy(&incoming.body));
        let phone = form.get("add[0][phone_number]").ok_or_else(refusal)?;
        if form.get("add[0][type]") != Some("phone_call") {
            return Err(refusal());
        }
        let users = form
            .numbers("add[0][users]")
            .into_iter()
            .filter_map(|u| u64::try_from(u).ok());
        return Ok(vec![popup(phone, users.take(POPUP_USERS_MAX).collect())]);
    }
    let body = incoming.json()?;
    let added = body
        .get("add")
        .and_then(Value::as_array)
        .ok_or_else(refusal)?;
    let mut popups = Vec::new();
    for item in added {
        let phone = item
            .get("phone_number")
            .and_then(Value::as_str)
            .ok_or_else(refusal)?;
        if item.get("type").and_then(Value::as_str) != Some("phone_call") {
            return Err(refusal());
        }
        let users = item
            .get("users")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let users = users.filter_map(|u| u.as_u64().or_else(|| u.as_str()?.parse().ok()));
        popups.push(popup(phone, users.take(POPUP_USERS_MAX).collect()));
    }
    Ok(popups)
}
