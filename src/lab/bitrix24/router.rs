//! From a request to what answers it.

use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::exchange::{BadBody, Incoming, Reply};
use super::methods::Outcome;
use super::operating::Used;
use super::params::flag_of;
use super::refusal::Refusal;
use super::world::World;
use crate::lab::lab_clock::Moment;

/// Which method an address names, and for whom.
#[derive(Clone, Copy)]
struct Call<'a> {
    method: &'a str,
    /// User and secret of a webhook.
    webhook: Option<(&'a str, &'a str)>,
    /// Of the third version.
    is_third: bool,
}

impl<'a> Call<'a> {
    fn second(method: &'a str) -> Self {
        Self {
            method: method.strip_suffix(".json").unwrap_or(method),
            webhook: None,
            is_third: false,
        }
    }

    fn third(method: &'a str) -> Self {
        Self {
            is_third: true,
            ..Self::second(method)
        }
    }

    fn by(self, user: &'a str, secret: &'a str) -> Self {
        Self {
            webhook: Some((user, secret)),
            ..self
        }
    }
}

impl World {
    /// Judges the pace, before anything else happens.
    pub(super) fn admit(&mut self, incoming: &Incoming, now: Moment) -> Option<Refusal> {
        let is_rest = incoming.path.starts_with("/rest/") && !self.is_for_oauth(incoming);
        let admitted = !is_rest || self.buckets.admit(&incoming.peer, now.instant);
        (!admitted).then(Refusal::too_many)
    }

    /// Answers a request that was let in; every effect happens in here. Of a batch only so many
    /// commands are run as `run_max` says.
    pub(super) fn respond(&mut self, incoming: &Incoming, now: Moment, run_max: usize) -> Reply {
        let reply = self.answer(incoming, now, run_max);
        self.switches.reading.of(reply)
    }

    fn answer(&mut self, incoming: &Incoming, now: Moment, run_max: usize) -> Reply {
        if incoming.user_agent.as_deref().unwrap_or("").is_empty() {
            self.odd("no user agent".into());
        }
        if self.is_for_oauth(incoming) {
            return self.authorisation_server(incoming, now);
        }
        if let Some(host) = &incoming.host
            && *host != self.domain
        {
            let known = self.former_domains.contains(host);
            return match known {
                true => Reply::redirect(&format!("https://{}{}", self.domain, incoming.path)),
                false => Reply::page(404, "<html><body>404</body></html>"),
            };
        }
        let segments: Vec<&str> = incoming.path.split('/').filter(|s| !s.is_empty()).collect();
        match segments.as_slice() {
            ["oauth", "token"] => self.token_endpoint(incoming, now),
            ["oauth", "authorize"] => Reply::page(200, "<html><body>Log in</body></html>"),
            ["rest", "upload.json"] => self.upload(incoming, now),
            ["rest", "api", rest @ ..] => match rest {
                [method] => self.rest(incoming, Call::third(method), now, run_max),
                [user, secret, method] => {
                    let call = Call::third(method).by(user, secret);
                    self.rest(incoming, call, now, run_max)
                }
                _ => Reply::page(404, "<html><body>404</body></html>"),
            },
            ["rest", method] => self.rest(incoming, Call::second(method), now, run_max),
            ["rest", user, secret, method] => {
                let call = Call::second(method).by(user, secret);
                self.rest(incoming, call, now, run_max)
            }
            _ => Reply::page(404, "<html><body>404</body></html>"),
        }
    }

    fn is_for_oauth(&self, incoming: &Incoming) -> bool {
        incoming.host.as_deref() == Some(self.options.oauth_domain.as_str())
    }

    fn rest(&mut self, incoming: &Incoming, call: Call<'_>, now: Moment, run_max: usize) -> Reply {
        if let Some(trouble) = &self.trouble {
            return trouble.reply();
        }
        let mut params = match incoming.params() {
            Ok(params) => params,
            Err(BadBody) => {
                return Refusal::bad("INVALID_REQUEST", "Request body is not valid.").reply();
            }
        };
        self.note_content_type(incoming);
        let caller = match self.caller(incoming, &params, call.webhook, now) {
            Ok(caller) => caller,
            Err(refusal) => return refusal.reply(),
        };
        if !self.paid {
            let text = "REST API is available only on commercial plans";
            return Refusal::denied(text).reply();
        }
        params.remove("auth");
        if call.is_third {
            return self.version_three(incoming, call.method, &caller, |world| {
                world.reply_of(call.method, params, &caller)
            });
        }
        if call.method.eq_ignore_ascii_case("batch") {
            let halt = params.get("halt").and_then(flag_of).unwrap_or(false);
            return self.batch(&incoming.commands(), halt, run_max, &caller);
        }
        self.reply_of(call.method, params, &caller)
    }

    /// Calls one method and wraps what it says.
    fn reply_of(&mut self, method: &str, params: Map<String, Value>, caller: &Caller) -> Reply {
        let Outcome { answered, used } = self.invoke(method, params, caller);
        match answered {
            Ok(answer) => {
                let time = self.time(caller.now, used);
                let mut body = json!({"result": answer.result, "time": time});
                if let Some(total) = answer.total {
                    body["total"] = json!(total);
                }
                if let Some(next) = answer.next {
                    body["next"] = json!(next);
                }
                Reply::ok(&body)
            }
            Err(refusal) => refusal.reply(),
        }
    }

    fn caller(
        &self,
        incoming: &Incoming,
        params: &Map<String, Value>,
        webhook: Option<(&str, &str)>,
        now: Moment,
    ) -> Result<Caller, Refusal> {
        match webhook {
            Some((user, secret)) => self.holder_of_webhook(user, secret, now),
            None => self.holder_of_token(incoming, params, now),
        }
    }

    /// Returns the block `time` of an answer.
    pub(super) fn time(&self, now: Moment, used: Option<Used>) -> Value {
        let start = self.fraction(now.unix_ms);
        let written = super::dates::iso(now.seconds(), &self.zone);
        let mut time = json!({
            "start": start, "finish": start, "duration": 0.01, "processing": 0.005,
            "date_start": written, "date_finish": written,
        });
        if let Some(used) = used.filter(|_| self.switches.operating_reported) {
            time["operating_reset_at"] = json!(used.reset_at);
            time["operating"] = json!(used.seconds);
        }
        time
    }

    /// Returns milliseconds as seconds with a fraction, as the service writes them.
    fn fraction(&self, unix_ms: i64) -> Value {
        let text = format!(
            "{}.{:03}",
            unix_ms.div_euclid(1_000),
            unix_ms.rem_euclid(1_000)
        );
        json!(text.parse::<f64>().unwrap_or(0.0))
    }

    fn note_content_type(&mut self, incoming: &Incoming) {
        let content_type = incoming.content_type.as_deref().unwrap_or("");
        let known = [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ];
        if !incoming.body.is_empty() && !known.iter().any(|k| content_type.starts_with(k)) {
            self.odd(format!("content type of a body: {content_type:.40}"));
        }
        if incoming.method != "POST" && incoming.method != "GET" {
            self.odd(format!("method {:.10}", incoming.method));
        }
    }
}
