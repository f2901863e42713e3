//! Open lines as an application joins them, and places in the pages of the portal
//! (crm/bitrix24.md §11, §12).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::methods::Answered;
use super::params::{Params, list_of, text_of};
use super::refusal::Refusal;
use super::world::World;

/// The longest name of a writer.
const NAME_CHARS_MAX: usize = 25;
/// Messages that are kept.
const MESSAGES_MAX: usize = 100_000;

/// The connectors of a portal.
#[derive(Debug, Default)]
pub(super) struct Connectors {
    /// Lines on which each connector is active.
    pub(super) active: BTreeMap<String, Vec<u64>>,
    /// Messages that came by connectors.
    pub(super) messages: Vec<Value>,
    /// Replies that were confirmed.
    pub(super) confirmed: u64,
}

impl World {
    pub(super) fn connector_register(&mut self, params: &Params, _: &Caller) -> Answered {
        let wanted = ["ID", "NAME", "ICON", "PLACEMENT_HANDLER"];
        if let Some(missing) = wanted.iter().find(|key| params.get(key).is_none()) {
            return Err(Refusal::missing(missing));
        }
        let id = params.word("ID").unwrap_or_default();
        self.connectors.active.entry(id).or_default();
        Ok(json!({"result": true}).into())
    }

    pub(super) fn connector_activate(&mut self, params: &Params, _: &Caller) -> Answered {
        let id = params.word("CONNECTOR").unwrap_or_default();
        let line = params.required_id("LINE")?;
        let active = params.flag("ACTIVE").unwrap_or(false);
        let Some(lines) = self.connectors.active.get_mut(&id) else {
            return Err(unknown_connector());
        };
        lines.retain(|known| *known != line);
        if active {
            lines.push(line);
        }
        Ok(json!(true).into())
    }

    pub(super) fn connector_data_set(&mut self, params: &Params, _: &Caller) -> Answered {
        let id = params.word("CONNECTOR").unwrap_or_default();
        match self.connectors.active.contains_key(&id) {
            true => Ok(json!(true).into()),
            false => Err(unknown_connector()),
        }
    }

    pub(super) fn connector_send(&mut self, params: &Params, caller: &Caller) -> Answered {
        let id = params.word("CONNECTOR").unwrap_or_default();
        let line = params.required_id("LINE")?;
        let lines = self
            .connectors
            .active
            .get(&id)
            .ok_or_else(unknown_connector)?;
        if !lines.contains(&line) {
            let text = "The connector is not active on this line";
            return Err(Refusal::bad("NOT_ACTIVE_LINE", text));
        }
        let messages = params.get("MESSAGES").and_then(list_of).unwrap_or_default();
        if messages.is_empty() {
            return Err(Refusal::missing("MESSAGES"));
        }
        let mut rows = Vec::new();
        for message in messages {
            let part = |object: &str, key: &str| {
                message
                    .get(object)
                    .and_then(|o| o.get(key))
                    .and_then(text_of)
            };
            let name = part("user", "name").unwrap_or_default();
            if name.chars().count() > NAME_CHARS_MAX || name.chars().any(|c| c.is_ascii_digit()) {
                params.odd("name of a writer: letters only, 25 at most");
            }
            if part("user", "id").is_none() || part("chat", "id").is_none() {
                return Err(Refusal::missing("MESSAGES[user][id], MESSAGES[chat][id]"));
            }
            rows.push(json!({
                "SUCCESS": true, "user": part("user", "id"), "chat": {"id": part("chat", "id")},
                "message": {"id": part("message", "id")},
                "session": {"ID": self.connectors.messages.len() + 1, "CHAT_ID": line},
            }));
            if self.connectors.messages.len() < MESSAGES_MAX {
                self.connectors.messages.push(json!({
                    "connector": id, "line": line, "message": message, "at": caller.seconds(),
                }));
            }
        }
        Ok(json!({"SUCCESS": true, "DATA": {"RESULT": rows}}).into())
    }

    pub(super) fn connector_delivered(&mut self, params: &Params, _: &Caller) -> Answered {
        let id = params.word("CONNECTOR").unwrap_or_default();
        if !self.connectors.active.contains_key(&id) {
            return Err(unknown_connector());
        }
        let messages = params.get("MESSAGES").and_then(list_of).unwrap_or_default();
        self.connectors.confirmed += messages.len() as u64;
        Ok(json!(true).into())
    }

    pub(super) fn placement_bind(&mut self, params: &Params, caller: &Caller) -> Answered {
        if !caller.is_admin {
            return Err(Refusal::denied("Access denied!"));
        }
        let placement = params.word("PLACEMENT").unwrap_or_default();
        let handler = params.word("HANDLER").unwrap_or_default();
        if !is_placement(&placement) {
            let text = "Placement not found";
            return Err(Refusal::bad("ERROR_PLACEMENT_NOT_FOUND", text));
        }
        if url::Url::parse(&handler).is_err() {
            return Err(Refusal::bad("ERROR_ARGUMENT", "HANDLER is not a valid URL"));
        }
        let options: Map<String, Value> = params.object("OPTIONS").unwrap_or_default();
        if placement == "PAGE_BACKGROUND_WORKER" && !options.contains_key("errorHandlerUrl") {
            return Err(Refusal::missing("OPTIONS[errorHandlerUrl]"));
        }
        let client_id = caller.client_id.clone().unwrap_or_default();
        let row = (client_id, placement, handler);
        if self.placements.contains(&row) {
            return Err(Refusal::bad("ERROR_CORE", "Handler already binded"));
        }
        self.placements.push(row);
        Ok(json!(true).into())
    }

    pub(super) fn placement_unbind(&mut self, params: &Params, caller: &Caller) -> Answered {
        let placement = params.word("PLACEMENT").unwrap_or_default();
        let handler = params.word("HANDLER");
        let client_id = caller.client_id.clone().unwrap_or_default();
        let before = self.placements.len();
        self.placements.retain(|(client, known, address)| {
            *client != client_id
                || *known != placement
                || handler.as_ref().is_some_and(|handler| handler != address)
        });
        Ok(json!({"count": before - self.placements.len()}).into())
    }

    pub(super) fn placement_get(&mut self, _: &Params, caller: &Caller) -> Answered {
        let client_id = caller.client_id.clone().unwrap_or_default();
        let own = self
            .placements
            .iter()
            .filter(|(client, ..)| *client == client_id);
        let rows = own.map(|(_, placement, handler)| {
            json!({"placement": placement, "handler": handler, "title": "", "options": []})
        });
        Ok(rows.collect::<Value>().into())
    }
}

fn is_placement(name: &str) -> bool {
    let of_cards = ["LEAD", "DEAL", "CONTACT", "COMPANY"];
    let tab = name
        .strip_prefix("CRM_")
        .and_then(|n| n.strip_suffix("_DETAIL_TAB"));
    tab.is_some_and(|tab| of_cards.contains(&tab) || tab.starts_with("DYNAMIC_"))
        || ["LEFT_MENU", "CALL_CARD", "PAGE_BACKGROUND_WORKER"].contains(&name)
}

fn unknown_connector() -> Refusal {
    Refusal::bad("ERROR_ARGUMENT", "Connector is not registered")
}
