//! What Planfix asks of the phone system (`crm/planfix.md` §7, §8): calls by click (`makeCall`), and
//! that it be taken note of when its telephony is switched on (`setup`).

use std::sync::PoisonError;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use url::Url;
use url::form_urlencoded;

use super::PlanfixAdapter;
use crate::crm::{Asked, CallRequests, Clicked, Clicker, HookAddress, HookReply, HookRequest};
use crate::model::ids::Extension;
use crate::model::secret::{Secret, is_one_of};

/// Longest short number and number that are looked at.
const NUMBER_CHARS_MAX: usize = 64;

/// Longest token of Planfix that is taken.
const TOKEN_BYTES_MAX: usize = 512;

/// What Planfix sent.
struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form; nothing where it is no command of telephony.
    fn read(request: HookRequest<'_>) -> Option<Self> {
        let is_json = request
            .content_type
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        if is_json {
            return None;
        }
        let form = form_urlencoded::parse(request.body).into_owned().collect();
        let form = Self(form);
        form.get("cmd").is_some().then_some(form)
    }

    /// Returns a value that is not empty.
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == key)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    fn short(&self, key: &str) -> Option<&str> {
        let value = self.get(key)?;
        (value.chars().count() <= NUMBER_CHARS_MAX).then_some(value)
    }
}

impl CallRequests for PlanfixAdapter {
    fn asked<'a>(&'a self, request: HookRequest<'a>) -> BoxFuture<'a, Option<Asked>> {
        async move {
            let form = Form::read(request)?;
            let key = self.pbx_key.as_ref();
            // Where no key was set, the secret of the path is the proof (§7).
            if key.is_some_and(|key| !is_one_of(form.get("token").unwrap_or_default(), [key])) {
                return Some(Asked::Answered(refused(401, "Invalid token")));
            }
            Some(match form.get("cmd") {
                Some("makeCall") => call(&form),
                Some("setup") => Asked::Answered(self.take_setup(&form).await),
                Some(_) | None => Asked::Answered(invalid()),
            })
        }
        .boxed()
    }

    fn answer(&self, placed: Result<(), String>) -> HookReply {
        match placed {
            Ok(()) => accepted(),
            Err(why) => refused(400, &why),
        }
    }

    fn asked_at(&self, addresses: Vec<HookAddress>) {
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }
}

fn call(form: &Form) -> Asked {
    match (form.short("from"), form.short("to")) {
        (Some(from), Some(to)) => Asked::Call(Clicked {
            who: Clicker::Extension(Extension(from.to_owned())),
            phone: to.to_owned(),
        }),
        _ => Asked::Answered(invalid()),
    }
}

impl PlanfixAdapter {
    /// Takes what Planfix says of itself when its telephony is switched on. Its address must be the
    /// account's; its token is kept only where the administrator entered none.
    async fn take_setup(&self, form: &Form) -> HookReply {
        let (Some(url), Some(token)) = (form.get("planfix_url"), form.get("planfix_token")) else {
            return invalid();
        };
        if token.len() > TOKEN_BYTES_MAX || token.chars().any(char::is_control) {
            return invalid();
        }
        if !self.is_own_address(url) {
            let words = format!(
                "this box works with https://{}{}: planfix_url is another account",
                self.host, self.telephony_path
            );
            return refused(400, &words);
        }
        match self
            .client
            .take_telephony_token(Secret::new(token.to_owned()))
            .await
        {
            Ok(true) => accepted(),
            Ok(false) => refused(
                401,
                "planfix_token is not the token of telephony that was entered on this box: enter the \
                 one that Planfix shows now",
            ),
            Err(error) => refused(503, &error.to_string()),
        }
    }

    fn is_own_address(&self, text: &str) -> bool {
        Url::parse(text).is_ok_and(|url| {
            url.scheme() == "https"
                && url
                    .host_str()
                    .is_some_and(|host| host.eq_ignore_ascii_case(&self.host))
                && url.port().is_none()
                && url.username().is_empty()
                && url.password().is_none()
                && url.path().trim_end_matches('/') == self.telephony_path
        })
    }

    /// Says what is wrong with the address and the key of the PBX that Planfix was given (S2-42),
    /// from its answer to a ping (§9).
    pub(super) fn pbx_mistakes(&self, url: Option<&str>, key: Option<&str>) -> Vec<String> {
        let addresses = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        let places = || {
            let places: Vec<String> = addresses
                .iter()
                .map(|one| format!("{}…", one.place))
                .collect();
            places.join(" or ")
        };
        match url {
            None => found.push(format!(
                "the telephony application in Planfix has no address of a PBX: calls from Planfix by \
                 click do not reach us (S2-42); {}",
                match addresses.is_empty() {
                    true => "they need public_url and the account's secret `hook`".to_owned(),
                    false => "`trunkline integration webhook` shows it".to_owned(),
                }
            )),
            Some(_) if addresses.is_empty() => {}
            Some(url) => {
                let known = addresses.iter().map(|one| &one.address);
                if !is_one_of(url.trim_end_matches('/'), known) {
                    found.push(format!(
                        "the address of the PBX in Planfix's telephony application is another one than \
                         {}: calls from Planfix by click do not reach us (S2-42); `trunkline \
                         integration webhook` shows the right one",
                        places()
                    ));
                }
            }
        }
        if let Some(own) = &self.pbx_key
            && url.is_some()
            && !is_one_of(key.unwrap_or_default(), [own])
        {
            found.push(
                "the key of the PBX in Planfix's telephony application is another one than the secret \
                 pbx_key: calls from Planfix by click are refused"
                    .to_owned(),
            );
        }
        found
    }
}

/// 200 and nothing more (§7).
fn accepted() -> HookReply {
    HookReply {
        status: 200,
        content_type: JSON,
        body: String::new(),
    }
}

fn invalid() -> HookReply {
    refused(400, "Invalid parameters")
}

fn refused(status: u16, words: &str) -> HookReply {
    HookReply {
        status,
        content_type: JSON,
        body: json!({ "error": words }).to_string(),
    }
}

const JSON: &str = "application/json; charset=utf-8";
