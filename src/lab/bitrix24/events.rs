//! Events: who is bound to which, and what becomes of one when it happens (crm/bitrix24.md §4).

use serde_json::{Map, Value, json};

use super::auth::{Caller, status_of};
use super::delivery::Delivery;
use super::methods::Answered;
use super::params::Params;
use super::php;
use super::records::{Bind, OfflineEvent};
use super::refusal::Refusal;
use super::world::World;
use crate::lab::lab_clock::Moment;

/// Handlers of one portal.
const BINDS_MAX: usize = 1_000;
/// Rows of the offline queue; a burst of a torture makes some tens of thousands.
const OFFLINE_MAX: usize = 200_000;

/// Events that can be bound to.
pub(super) const EVENTS: &[&str] = &[
    "ONAPPUNINSTALL",
    "ONAPPUPDATE",
    "ONAPPINSTALL",
    "ONCRMLEADADD",
    "ONCRMLEADUPDATE",
    "ONCRMLEADDELETE",
    "ONCRMDEALADD",
    "ONCRMDEALUPDATE",
    "ONCRMDEALDELETE",
    "ONCRMCONTACTADD",
    "ONCRMCONTACTUPDATE",
    "ONCRMCONTACTDELETE",
    "ONCRMCOMPANYADD",
    "ONCRMCOMPANYUPDATE",
    "ONCRMCOMPANYDELETE",
    "ONCRMACTIVITYADD",
    "ONCRMACTIVITYUPDATE",
    "ONCRMACTIVITYDELETE",
    "ONUSERADD",
    "ONIMCONNECTORMESSAGEADD",
    "ONVOXIMPLANTCALLINIT",
    "ONVOXIMPLANTCALLSTART",
    "ONVOXIMPLANTCALLEND",
    "ONEXTERNALCALLSTART",
    "ONEXTERNALCALLBACKSTART",
];

impl World {
    pub(super) fn event_names(&mut self, _: &Params, _: &Caller) -> Answered {
        Ok(json!(EVENTS).into())
    }

    pub(super) fn event_bind(&mut self, params: &Params, caller: &Caller) -> Answered {
        let event = event_of(params)?;
        let is_offline = params.word("event_type").as_deref() == Some("offline");
        let handler = params.word("handler").unwrap_or_default();
        if is_offline && !caller.is_admin {
            return Err(Refusal::denied("Access denied!"));
        }
        if !is_offline {
            let readable =
                url::Url::parse(&handler).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !readable {
                let text = "Value of 'handler' is not a valid URL";
                return Err(Refusal::bad("ERROR_ARGUMENT", text));
            }
        }
        let client_id = caller.client_id.clone().unwrap_or_default();
        let auth_connector = params.word("auth_connector").unwrap_or_default();
        let same = |bind: &Bind| {
            bind.client_id == client_id
                && bind.event == event
                && bind.is_offline == is_offline
                && bind.auth_connector == auth_connector
                && (is_offline || bind.handler == handler)
        };
        if self.binds.iter().any(same) {
            return match self.switches.repeated_bind_refused {
                true => Err(Refusal::bad("ERROR_CORE", "Handler already binded")),
                false => Ok(json!(true).into()),
            };
        }
        if self.binds.len() >= BINDS_MAX {
            return Err(Refusal::bad("ERROR_CORE", "Too many handlers"));
        }
        let id = self.next_id("bind", 11);
        self.binds.push(Bind {
            id,
            client_id,
            event,
            handler: if is_offline { String::new() } else { handler },
            is_offline,
            auth_connector,
            auth_type: params.id("auth_type").unwrap_or(0),
        });
        Ok(json!(true).into())
    }

    pub(super) fn event_unbind(&mut self, params: &Params, caller: &Caller) -> Answered {
        let event = event_of(params)?;
        let is_offline = params.word("event_type").as_deref() == Some("offline");
        let handler = params.word("handler").unwrap_or_default();
        let client_id = caller.client_id.clone().unwrap_or_default();
        let before = self.binds.len();
        self.binds.retain(|bind| {
            bind.client_id != client_id
                || bind.event != event
                || bind.is_offline != is_offline
                || (!is_offline && bind.handler != handler)
        });
        Ok(json!({"count": before - self.binds.len()}).into())
    }

    pub(super) fn event_get(&mut self, _: &Params, caller: &Caller) -> Answered {
        let client_id = caller.client_id.clone().unwrap_or_default();
        let own = self.binds.iter().filter(|bind| bind.client_id == client_id);
        let rows = own.map(|bind| match bind.is_offline {
            true => json!({
                "event": bind.event, "connector_id": bind.auth_connector, "offline": 1,
            }),
            false => json!({
                "event": bind.event, "handler": bind.handler,
                "auth_type": bind.auth_type.to_string(), "offline": 0,
            }),
        });
        Ok(rows.collect::<Value>().into())
    }

    /// Lets an event happen. `object` is what collapses in the offline queue.
    pub(super) fn emit(
        &mut self,
        event: &str,
        object: &str,
        data: &Value,
        caller: Option<&Caller>,
    ) {
        if self.binds.iter().all(|bind| bind.event != event) {
            return;
        }
        let now = caller.map_or_else(|| self.clock_now, |caller| caller.now);
        let echo = caller.and_then(|caller| caller.auth_connector.clone());
        let binds = self.binds.iter().filter(|bind| {
            let is_echo =
                !bind.auth_connector.is_empty() && echo == Some(bind.auth_connector.clone());
            bind.event == event && !is_echo
        });
        for bind in binds.cloned().collect::<Vec<_>>() {
            let is_ready = match self.auth.installed.get(&bind.client_id) {
                Some(installation) => installation.finished,
                // A webhook of the portal needs no application.
                None => bind.client_id.starts_with("outgoing "),
            };
            match bind.is_offline {
                _ if !is_ready => {}
                true => self.queue_offline(&bind, object, data, now),
                false => {
                    let user = caller.map(|caller| caller.user_id);
                    let body = self.event_body(&bind, data, user, now);
                    self.event_queue.push(Delivery {
                        handler: bind.handler.clone(),
                        body,
                    });
                }
            }
        }
    }

    fn queue_offline(&mut self, bind: &Bind, object: &str, data: &Value, now: Moment) {
        let same = |row: &OfflineEvent| {
            row.client_id == bind.client_id
                && row.auth_connector == bind.auth_connector
                && row.event == bind.event
                && row.object == object
                && row.process_id.is_none()
        };
        let id = self.next_id("offline", 901);
        let key = (
            bind.client_id.clone(),
            bind.event.clone(),
            object.to_owned(),
        );
        // One row per object: the latest takes the place of the one before.
        if let Some(old) = self.offline_rows.get(&key).copied()
            && self.offline.get(&old).is_some_and(same)
        {
            self.offline.remove(&old);
        }
        self.offline_rows.insert(key, id);
        if self.offline.len() >= OFFLINE_MAX {
            self.offline.pop_first();
            self.offline_lost += 1;
        }
        self.offline.insert(
            id,
            OfflineEvent {
                id,
                client_id: bind.client_id.clone(),
                auth_connector: bind.auth_connector.clone(),
                event: bind.event.clone(),
                object: object.to_owned(),
                data: data.clone(),
                at: now.seconds(),
                message_id: format!("m-{id}"),
                process_id: None,
                is_error: false,
            },
        );
        // Whoever waits for the queue is told once.
        if bind.event != "ONOFFLINEEVENT" {
            let waiting = self.binds.iter().any(|b| b.event == "ONOFFLINEEVENT");
            if waiting {
                self.emit("ONOFFLINEEVENT", "queue", &json!({}), None);
            }
        }
    }

    /// Writes the form that a handler gets.
    fn event_body(&mut self, bind: &Bind, data: &Value, user: Option<u64>, now: Moment) -> String {
        let mut auth = self.auth_block(&bind.client_id);
        let user_id = user.filter(|_| self.switches.events_carry_token);
        if let Some(user_id) = user_id.filter(|_| self.auth.application(&bind.client_id).is_some())
        {
            let pair = self.auth.issue_pair(&bind.client_id, user_id, now);
            auth.insert("access_token".into(), json!(pair.access));
            auth.insert("expires".into(), json!(pair.expires));
            auth.insert("expires_in".into(), json!(pair.expires_in));
            auth.insert("user_id".into(), json!(user_id));
            if bind.event == "ONOFFLINEEVENT" {
                auth.insert("refresh_token".into(), json!(pair.refresh));
            }
        }
        form(&json!({
            "event": bind.event, "event_handler_id": bind.id, "data": data,
            "ts": now.seconds(), "auth": auth,
        }))
    }

    /// Returns what every event says about portal and application.
    pub(super) fn auth_block(&self, client_id: &str) -> Map<String, Value> {
        let mut auth = Map::new();
        let mut put = |key: &str, value: Value| auth.insert(key.to_owned(), value);
        put("domain", json!(self.domain));
        put("client_endpoint", json!(self.client_endpoint()));
        put("server_endpoint", json!(self.server_endpoint()));
        put("member_id", json!(self.options.member_id));
        if let Some(application) = self.auth.application(client_id) {
            put("scope", json!(application.scope.join(",")));
            put("status", json!(status_of(Some(application))));
        }
        if let Some(installation) = self.auth.installed.get(client_id) {
            put("application_token", json!(installation.application_token));
        }
        auth
    }
}

/// Writes a map as a form.
pub(super) fn form(value: &Value) -> String {
    let mut pairs = Vec::new();
    if let Value::Object(map) = value {
        for (key, item) in map {
            php::pairs(key, item, &mut pairs);
        }
    }
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(pairs);
    text.finish()
}

fn event_of(params: &Params) -> Result<String, Refusal> {
    let event = params.word("event").unwrap_or_default().to_uppercase();
    match EVENTS.contains(&event.as_str()) || event == "ONOFFLINEEVENT" {
        true => Ok(event),
        false => Err(Refusal::bad("ERROR_EVENT_NOT_FOUND", "Event not found")),
    }
}
