//! The way into the simulator for scripts and for `trunkline-lab serve`. Bodies are JSON; unknown
//! keys are refused.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /_lab` | addresses, key, time, points spent, orders of click-to-call, switches |
//! | `POST /_lab/call`, `/_lab/chat`, `/_lab/request` | adds or replaces one, and tells of it where an address is set |
//! | `POST /_lab/ask` | `{caller, dialled}`: asks who the caller should reach; answers what was answered |
//! | `POST /_lab/hook` | `{address}`: where notifications go from now on |
//! | `POST /_lab/switches` | the unconfirmed behaviours and troubles |

use actix_web::HttpResponse;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::account::{LabCall, LabChat, LabRequest};
use super::sender::{Delivery, Question, Sender, Told};
use super::server::UisHandle;
use super::switches::Switches;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hook {
    address: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    caller: String,
    dialled: String,
}

/// Answers a request under `/_lab`.
pub(super) async fn control(
    lab: &UisHandle,
    method: &str,
    path: &str,
    body: &[u8],
) -> HttpResponse {
    let done = match (method, path) {
        ("GET", "/_lab") => return HttpResponse::Ok().json(lab.shown()),
        ("POST", "/_lab/call") => call(lab, body).await,
        ("POST", "/_lab/chat") => chat(lab, body).await,
        ("POST", "/_lab/request") => request(lab, body).await,
        ("POST", "/_lab/ask") => return ask(lab, body).await,
        ("POST", "/_lab/hook") => hook(lab, body),
        ("POST", "/_lab/switches") => switches(lab, body),
        _ => return HttpResponse::NotFound().finish(),
    };
    match done {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(why) => wrong(&why),
    }
}

fn wrong(why: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "error": why }))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

async fn tell(lab: &UisHandle, told: &[Told]) -> Result<(), String> {
    let Some(sender) = lab.sender() else {
        return Ok(());
    };
    let statuses = sender.tell(told, Delivery::InOrder).await;
    let statuses = statuses.map_err(|error| error.to_string())?;
    match statuses.iter().all(|status| (200..300).contains(status)) {
        true => Ok(()),
        false => Err(format!("the notifications were answered with {statuses:?}")),
    }
}

async fn call(lab: &UisHandle, body: &[u8]) -> Result<(), String> {
    let call: LabCall = read(body)?;
    let told = Told::of_call(&call);
    lab.put_call(call);
    tell(lab, &told).await
}

async fn chat(lab: &UisHandle, body: &[u8]) -> Result<(), String> {
    lab.tell_chat(read(body)?).await
}

async fn request(lab: &UisHandle, body: &[u8]) -> Result<(), String> {
    lab.tell_request(read(body)?).await
}

impl UisHandle {
    /// Adds or replaces a chat, and tells of it where an address is set.
    ///
    /// # Errors
    /// Says how the notification was answered.
    pub async fn tell_chat(&self, chat: LabChat) -> Result<(), String> {
        let told = [Told::of_chat(&chat, self.now())];
        self.put_chat(chat);
        tell(self, &told).await
    }

    /// Adds or replaces a form, and tells of it where an address is set.
    ///
    /// # Errors
    /// Says how the notification was answered.
    pub async fn tell_request(&self, request: LabRequest) -> Result<(), String> {
        let told = [Told::of_request(&request)];
        self.put_request(request);
        tell(self, &told).await
    }
}

async fn ask(lab: &UisHandle, body: &[u8]) -> HttpResponse {
    let wish: Ask = match read(body) {
        Ok(wish) => wish,
        Err(why) => return wrong(&why),
    };
    let Some(sender) = lab.sender() else {
        return wrong("there is nobody to ask: POST /_lab/hook names the address");
    };
    let question = Question {
        caller: wish.caller,
        dialled: wish.dialled,
        post: false,
    };
    match sender.ask(&question).await {
        Ok((status, answer)) => {
            HttpResponse::Ok().json(json!({ "status": status, "answer": answer }))
        }
        Err(error) => wrong(&error.to_string()),
    }
}

fn hook(lab: &UisHandle, body: &[u8]) -> Result<(), String> {
    let hook: Hook = read(body)?;
    let sender = Sender::new(&hook.address).map_err(|error| error.to_string())?;
    lab.set_sender(sender);
    Ok(())
}

fn switches(lab: &UisHandle, body: &[u8]) -> Result<(), String> {
    let switches: Switches = read(body)?;
    lab.switch(|known| *known = switches);
    Ok(())
}
