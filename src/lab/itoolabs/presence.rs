//! Who takes calls of groups and who does not want to be disturbed, in both generations of the API
//! (`pbx/megafon.md` A2, A3).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::api::{bad, refusal};
use super::server::VatsHandle;

/// What is switched off and on by login.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence {
    /// Who takes no calls of a group, by its id; without one of none at all.
    unsubscribed: BTreeMap<String, BTreeSet<String>>,
    /// Who does not want to be disturbed.
    undisturbed: BTreeSet<String>,
}

impl Presence {
    /// Says whether somebody takes calls of a group.
    fn is_subscribed(&self, login: &str, group: &str) -> bool {
        let off = |group: &str| {
            let all = self.unsubscribed.get(group);
            all.is_some_and(|logins| logins.contains(login))
        };
        !off(group) && !off("")
    }

    pub(super) fn subscribe(&mut self, login: &str, group: &str, on: bool) {
        let off = self.unsubscribed.entry(group.to_owned()).or_default();
        if !on {
            off.insert(login.to_owned());
            return;
        }
        off.remove(login);
        if group.is_empty() {
            // Without a group every one of them is meant.
            for logins in self.unsubscribed.values_mut() {
                logins.remove(login);
            }
        }
    }

    pub(super) fn disturb(&mut self, login: &str, on: bool) {
        if on {
            self.undisturbed.insert(login.to_owned());
        } else {
            self.undisturbed.remove(login);
        }
    }

    /// Says whether somebody's telephone rings for a group.
    pub(super) fn rings(&self, login: &str, group: &str) -> bool {
        self.is_subscribed(login, group) && !self.undisturbed.contains(login)
    }
}

pub(super) fn configure(config: &mut web::ServiceConfig) {
    for what in ["subscription", "dnd"] {
        let path = format!("/crmapi/v1/users/{{login}}/{what}");
        let handler = move |vats, request, login, query| door(what, vats, request, login, query);
        config.route(&path, web::to(handler));
    }
}

async fn door(
    what: &'static str,
    vats: web::Data<VatsHandle>,
    request: HttpRequest,
    login: web::Path<String>,
    query: web::Query<HashMap<String, String>>,
) -> HttpResponse {
    if let Some(refusal) = refusal(&vats, &request) {
        return refusal;
    }
    if !vats.switches().presence {
        return HttpResponse::NotFound().json(json!({ "message": "Not found" }));
    }
    let Some(user) = vats.user(&login) else {
        return bad("Invalid parameters: [login]");
    };
    let group = query.get("group_id").cloned().unwrap_or_default();
    let mut world = vats.lock();
    let presence = &mut world.presence;
    match (request.method().as_str(), what) {
        ("GET", "dnd") => {
            let state = presence.undisturbed.contains(&user.login);
            HttpResponse::Ok().json(json!({ "state": state }))
        }
        ("GET", _) => {
            let state = presence.is_subscribed(&user.login, &group);
            HttpResponse::Ok().json(json!({ "state": state }))
        }
        (method @ ("POST" | "DELETE"), what) => {
            let on = method == "POST";
            match what {
                "dnd" => presence.disturb(&user.login, on),
                _ => presence.subscribe(&user.login, &group, on),
            }
            HttpResponse::Ok().finish()
        }
        _ => HttpResponse::MethodNotAllowed().finish(),
    }
}

/// A command of the old form; `None` = it is none of these.
pub(super) fn command(
    vats: &VatsHandle,
    command: &str,
    fields: &HashMap<String, String>,
) -> Option<HttpResponse> {
    let known = [
        "subscribeoncalls",
        "subscriptionstatus",
        "set_dnd",
        "get_dnd",
    ];
    if !vats.switches().presence || !known.contains(&command) {
        return None;
    }
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let invalid = |what: &str| {
        let words = format!("Invalid parameters: [{what}]");
        HttpResponse::BadRequest().json(json!({ "error": words }))
    };
    let Some(user) = vats.user(text("user")) else {
        return Some(invalid("user"));
    };
    let mut world = vats.lock();
    let presence = &mut world.presence;
    Some(match command {
        "subscribeoncalls" => {
            let on = match text("status") {
                "on" => true,
                "off" => false,
                _ => return Some(invalid("status")),
            };
            presence.subscribe(&user.login, text("group_id"), on);
            HttpResponse::Ok().body("OK")
        }
        "subscriptionstatus" => {
            let word = match presence.is_subscribed(&user.login, text("group_id")) {
                true => "on",
                false => "off",
            };
            HttpResponse::Ok().json(json!({ "status": word }))
        }
        "set_dnd" => {
            presence.disturb(&user.login, text("state") == "true");
            HttpResponse::Ok().finish()
        }
        _ => {
            let state = presence.undisturbed.contains(&user.login);
            HttpResponse::Ok().json(json!({ "state": state }))
        }
    })
}
