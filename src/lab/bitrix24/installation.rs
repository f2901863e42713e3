//! Applications that come and go, and what users do in the portal that applications hear of:
//! clicks to call, callback forms (crm/bitrix24.md §3, §4).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::{Caller, opaque, status_of};
use super::delivery::Delivery;
use super::events::form;
use super::handle::BitrixHandle;
use super::phones;
use super::records::{Bind, Kind, LiveCall};
use super::world::World;

/// A user who clicks on a number.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Click {
    /// Who clicks.
    pub user: u64,
    /// The number.
    pub phone: String,
    /// The line; empty when the application itself is the line.
    pub line: String,
    /// The card on which the number stands.
    pub card: Option<(String, u64)>,
}

/// What the portal posts to a page of an application that it opens in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageVisit {
    /// The query that is added to the page's address.
    pub query: String,
    /// The form.
    pub form: String,
}

impl BitrixHandle {
    /// Opens a page of an application in a frame, as a user: its installer (`DEFAULT`) or a place
    /// that it bound, with what the place says about itself. None where there is no such
    /// application.
    pub fn open_page(
        &self,
        client_id: &str,
        user: u64,
        placement: &str,
        options: &Value,
    ) -> Option<PageVisit> {
        self.act(|world, caller| world.open_page(client_id, user, placement, options, caller))
    }

    /// Returns the form by which the portal asks an application without pages for its settings
    /// (`URL_SETTINGS`): `OnAppSettingsInstall`, `…Display` or `…Change`.
    pub fn settings_form(&self, client_id: &str, event: &str, values: &Value) -> String {
        let world = self.world();
        let auth = world.auth_block(client_id);
        form(&json!({"event": event, "data": values, "auth": auth}))
    }

    /// Installs an application of the marketplace, as an administrator does: the portal posts its
    /// tokens to the address that the application named. Returns the form that is posted; none
    /// where there is no such application.
    pub fn install(&self, client_id: &str) -> Option<String> {
        self.act(|world, caller| world.install(client_id, caller))
    }

    /// Names where the portal posts the tokens of an application, as its author does.
    pub fn set_install_url(&self, client_id: &str, address: &str) {
        let mut world = self.world();
        let mut applications = world.auth.applications.iter_mut();
        if let Some(application) = applications.find(|app| app.client_id == client_id) {
            application.install_url = Some(address.to_owned());
        }
    }

    /// Returns the events that an application bound to addresses, with these.
    pub fn bound_events(&self, client_id: &str) -> Vec<(String, String)> {
        let world = self.world();
        let own = world
            .binds
            .iter()
            .filter(|bind| bind.client_id == client_id);
        own.filter(|bind| !bind.is_offline)
            .map(|bind| (bind.event.clone(), bind.handler.clone()))
            .collect()
    }

    /// Returns what an application bound: places, and the addresses of their pages.
    pub fn placements(&self, client_id: &str) -> Vec<(String, String)> {
        let world = self.world();
        let own = world
            .placements
            .iter()
            .filter(|(client, ..)| client == client_id);
        own.map(|(_, place, handler)| (place.clone(), handler.clone()))
            .collect()
    }

    /// Says that an installer with a page of its own is done (`BX24.installFinish`).
    pub fn finish_installation(&self, client_id: &str) {
        let mut world = self.world();
        if let Some(installation) = world.auth.installed.get_mut(client_id) {
            installation.finished = true;
        }
    }

    /// Leaves the installer open: events wait, though binds succeed.
    pub fn reopen_installation(&self, client_id: &str) {
        let mut world = self.world();
        if let Some(installation) = world.auth.installed.get_mut(client_id) {
            installation.finished = false;
        }
    }

    /// Takes an application out: its handlers, lines and tokens are gone, and it hears of it.
    pub fn uninstall(&self, client_id: &str, clean: bool) {
        self.act(|world, _| world.uninstall(client_id, clean));
    }

    /// Returns the token by which events of an application are known.
    pub fn application_token(&self, client_id: &str) -> Option<String> {
        let world = self.world();
        let installation = world.auth.installed.get(client_id)?;
        Some(installation.application_token.clone())
    }

    /// Adds an outgoing webhook, as an administrator does; its events name no application.
    pub fn add_outgoing_webhook(&self, event: &str, handler: &str) {
        self.act(|world, _| {
            let id = world.next_id("bind", 11);
            world.binds.push(Bind {
                id,
                client_id: format!("outgoing {id}"),
                event: event.to_uppercase(),
                handler: handler.to_owned(),
                is_offline: false,
                auth_connector: String::new(),
                auth_type: 0,
            });
        });
    }

    /// Lets a user click on a number: the portal registers the call by itself and tells the
    /// application. Returns the call's id.
    pub fn click(&self, click: &Click) -> Option<String> {
        self.act(|world, caller| world.click(click, caller))
    }

    /// Lets a client ask to be called back by a form of the portal.
    pub fn ask_for_callback(&self, phone: &str, text: &str, line: &str) {
        self.act(|world, caller| {
            let found = world.cards_of_phone(phone).first().copied();
            let data = json!({
                "PHONE_NUMBER": phone, "TEXT": text, "VOICE": "", "LINE_NUMBER": line,
                "CRM_ENTITY_TYPE": found.map(|(kind, _)| kind.upper()),
                "CRM_ENTITY_ID": found.map(|(_, id)| id.to_string()),
            });
            let object = format!("callback {phone} {}", caller.now.unix_ms);
            world.emit("ONEXTERNALCALLBACKSTART", &object, &data, Some(caller));
        });
    }

    /// Lets an operator of an open line answer.
    pub fn answer_on_line(&self, connector: &str, line: u64, chat: &str, text: &str) {
        self.act(|world, caller| {
            let number = world.next_id("operator message", 1);
            let data = json!({
                "CONNECTOR": connector, "LINE": line.to_string(),
                "MESSAGES": [{
                    "im": {"chat_id": line.to_string(), "message_id": number.to_string()},
                    "message": {"text": text, "user_id": caller.user_id.to_string()},
                    "chat": {"id": chat},
                }],
            });
            let object = format!("message {number}");
            world.emit("ONIMCONNECTORMESSAGEADD", &object, &data, Some(caller));
        });
    }
}

impl World {
    fn install(&mut self, client_id: &str, caller: &Caller) -> Option<String> {
        let application = self.auth.application(client_id)?.clone();
        let renewed = self.switches.reinstalled_has_new_token;
        self.auth.install_again(client_id, renewed);
        let pair = self.auth.issue_pair(client_id, caller.user_id, caller.now);
        let mut auth = self.auth_block(client_id);
        auth.insert("access_token".into(), json!(pair.access));
        auth.insert("refresh_token".into(), json!(pair.refresh));
        auth.insert("expires_in".into(), json!(pair.expires_in));
        auth.insert("expires".into(), json!(pair.expires));
        if self.switches.install_names_user {
            auth.insert("user_id".into(), json!(caller.user_id));
        }
        if !self.switches.install_names_endpoint {
            auth.remove("client_endpoint");
        }
        if !self.switches.install_names_server {
            auth.remove("server_endpoint");
        }
        let body = form(&json!({
            "event": "ONAPPINSTALL",
            "data": {"VERSION": 1, "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"},
            "ts": caller.seconds(), "auth": auth,
        }));
        if let Some(handler) = application.install_url {
            self.event_queue.push(Delivery {
                handler,
                body: body.clone(),
            });
        }
        Some(body)
    }

    fn open_page(
        &mut self,
        client_id: &str,
        user: u64,
        placement: &str,
        options: &Value,
        caller: &Caller,
    ) -> Option<PageVisit> {
        let application = self.auth.application(client_id)?;
        let scope = application.scope.join(",");
        let status = status_of(Some(application));
        let known = self.auth.installed.contains_key(client_id);
        // An installer that was never opened leaves the application unfinished.
        let installation = self.auth.install(client_id, known);
        let pair = self.auth.issue_pair(client_id, user, caller.now);
        let query = form(&json!({
            "DOMAIN": self.domain, "PROTOCOL": 1, "LANG": "ru",
            "APP_SID": opaque(&format!("{}/page", pair.access)),
        }));
        let mut fields = json!({
            "AUTH_ID": pair.access, "AUTH_EXPIRES": pair.expires_in, "REFRESH_ID": pair.refresh,
            "SERVER_ENDPOINT": self.server_endpoint(),
            "APPLICATION_TOKEN": installation.application_token, "APPLICATION_SCOPE": scope,
            "member_id": self.options.member_id, "status": status, "PLACEMENT": placement,
            "PLACEMENT_OPTIONS": options.to_string(),
        });
        if !self.switches.page_names_application_token
            && let Some(fields) = fields.as_object_mut()
        {
            fields.remove("APPLICATION_TOKEN");
        }
        let form = form(&fields);
        Some(PageVisit { query, form })
    }

    fn uninstall(&mut self, client_id: &str, clean: bool) {
        let binds = self.binds.iter().filter(|bind| {
            bind.client_id == client_id && bind.event == "ONAPPUNINSTALL" && !bind.is_offline
        });
        let handlers: Vec<String> = binds.map(|bind| bind.handler.clone()).collect();
        let token = self.auth.remove(client_id).map(|i| i.application_token);
        // No tokens at all but that one (§3).
        let body = form(&json!({
            "event": "ONAPPUNINSTALL", "data": {"CLEAN": u8::from(clean)},
            "ts": self.clock_now.seconds(),
            "auth": {
                "domain": self.domain, "member_id": self.options.member_id,
                "application_token": token,
            },
        }));
        for handler in handlers {
            let body = body.clone();
            self.event_queue.push(Delivery { handler, body });
        }
        self.binds.retain(|bind| bind.client_id != client_id);
        self.placements.retain(|(client, ..)| client != client_id);
        self.lines.retain(|_, line| line.client_id != client_id);
        self.offline.retain(|_, row| row.client_id != client_id);
    }

    fn click(&mut self, click: &Click, caller: &Caller) -> Option<String> {
        let bind = self
            .binds
            .iter()
            .find(|bind| bind.event == "ONEXTERNALCALLSTART")?;
        let client_id = bind.client_id.clone();
        let found = self.cards_of_phone(&click.phone);
        let given = click.card.as_ref();
        let given = given.and_then(|(name, id)| Some((Kind::from_name(name)?, *id)));
        let primary = given.filter(|(kind, _)| *kind != Kind::Deal);
        let number = self.next_id("call", 1);
        let seed = format!("{}/call/{number}", self.options.member_id);
        let call = LiveCall {
            call_id: format!("externalCall.{}.{}", opaque(&seed), caller.seconds()),
            client_id,
            user_id: click.user,
            phone: phones::stored(&click.phone),
            call_type: 1,
            registered_at: caller.seconds(),
            started_at: caller.seconds(),
            line: click.line.clone(),
            external_id: None,
            primary: primary.or(found.first().copied()),
            others: found,
            created: Vec::new(),
            creation_error: None,
            shown_to: BTreeSet::from([click.user]),
        };
        let call_id = call.call_id.clone();
        let card = given.or(call.primary);
        let data = json!({
            "PHONE_NUMBER": click.phone, "PHONE_NUMBER_INTERNATIONAL": call.phone,
            "EXTENSION": "", "USER_ID": click.user.to_string(), "CALL_LIST_ID": "0",
            "LINE_NUMBER": click.line, "IS_MOBILE": "0", "CALL_ID": call_id,
            "CRM_ENTITY_TYPE": card.map(|(kind, _)| kind.upper()),
            "CRM_ENTITY_ID": card.map(|(_, id)| id.to_string()),
            "CRM_CREATED_LEAD": Value::Null, "CRM_CREATED_ENTITIES": [],
        });
        let object = match self.switches.offline_clicks_collapse {
            true => format!("click {} {}", click.user, click.phone),
            false => format!("click {call_id}"),
        };
        self.show_card(&call_id, click.user, caller.now.unix_ms);
        self.live_calls.insert(call_id.clone(), call);
        let clicker = Caller {
            user_id: click.user,
            ..caller.clone()
        };
        self.emit("ONEXTERNALCALLSTART", &object, &data, Some(&clicker));
        Some(call_id)
    }
}
