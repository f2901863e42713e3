//! From a request to the resource that answers it.

use super::auth::Caller;
use super::exchange::{Incoming, Reply};
use super::lab_clock::Moment;
use super::rate::Verdict;
use super::records::Kind;
use super::world::World;

impl World {
    /// Judges the pace, before anything else happens.
    pub(super) fn admit(&mut self, incoming: &Incoming, now: Moment) -> Option<Reply> {
        let integration = self.auth.integration(incoming);
        match self.limiter.judge(&integration, now.instant) {
            Verdict::Pass => None,
            Verdict::TooMany => Some(Reply::too_many(None)),
            Verdict::Blocked => Some(Reply::blocked()),
        }
    }

    /// Answers a request that was let in; every effect happens in here.
    pub(super) fn respond(&mut self, incoming: &Incoming, now: Moment) -> Reply {
        if incoming.user_agent.as_deref().unwrap_or("").is_empty() {
            self.odd("no user agent".into());
        }
        if let Some(stranger) = self.not_my_host(incoming) {
            return stranger;
        }
        let segments: Vec<&str> = incoming.path.split('/').filter(|s| !s.is_empty()).collect();
        match segments.as_slice() {
            ["oauth2", "access_token"] if incoming.method == "POST" => {
                return self.token_endpoint(incoming, now);
            }
            ["oauth2", "account", "current", "subdomain"] => {
                return self.current_subdomain(incoming);
            }
            ["api", "v4" | "v2", ..] => {}
            _ => return Reply::not_found(),
        }
        let caller = match self.authenticate(incoming, now) {
            Ok(caller) => caller,
            Err(reply) => return reply,
        };
        if !self.paid {
            return Reply::problem(402, "Payment Required", "The subscription is not paid");
        }
        self.note_content_type(incoming);
        match segments.as_slice() {
            ["api", "v2", "events"] => self.popup(incoming, &caller),
            ["api", "v4", rest @ ..] => self.version_four(rest, incoming, &caller),
            _ => Reply::not_found(),
        }
    }

    fn version_four(&mut self, path: &[&str], incoming: &Incoming, caller: &Caller) -> Reply {
        let is_get = incoming.method == "GET";
        match path {
            ["account"] if is_get => self.account(incoming, caller),
            ["account"] => Reply::method_not_allowed(),
            ["users", rest @ ..] => self.users_resource(rest, incoming, caller),
            ["calls"] => self.log_calls(incoming, caller),
            ["tasks", rest @ ..] if rest.len() <= 1 => self.tasks_resource(rest, incoming, caller),
            ["events", rest @ ..] => self.events_resource(rest, incoming),
            ["webhooks"] => self.webhooks_resource(incoming, caller),
            ["leads", "pipelines", rest @ ..] => self.pipelines_resource(rest, incoming),
            ["leads", "loss_reasons", rest @ ..] => self.loss_reasons_resource(rest, incoming),
            ["leads", "unsorted", rest @ ..] => self.unsorted_resource(rest, incoming, caller),
            ["leads", "complex"] => self.create_complex(incoming, caller),
            [name, rest @ ..] => match Kind::from_plural(name) {
                Some(kind) => self.card_resource(kind, rest, incoming, caller),
                None => Reply::not_found(),
            },
            [] => Reply::not_found(),
        }
    }

    fn card_resource(
        &mut self,
        kind: Kind,
        rest: &[&str],
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        match rest {
            ["custom_fields", rest @ ..] => {
                return self.custom_fields(kind, rest, incoming, caller);
            }
            ["tags"] => return self.tags_resource(kind, incoming),
            ["notes", rest @ ..] => return self.notes_resource(kind, None, rest, incoming, caller),
            ["links"] if incoming.method == "GET" => return self.list_links(kind, None, incoming),
            ["link"] => return self.link_cards(kind, None, true, incoming, caller),
            ["unlink"] => return self.link_cards(kind, None, false, incoming, caller),
            [] => {
                return match incoming.method.as_str() {
                    "GET" => self.list_cards(kind, incoming, caller),
                    // Customers are switched off in this account; scripts seed them.
                    _ if kind == Kind::Customer => Reply::method_not_allowed(),
                    "POST" => self.create_cards(kind, incoming, caller),
                    "PATCH" => self.change_cards(kind, incoming, caller),
                    _ => Reply::method_not_allowed(),
                };
            }
            _ => {}
        }
        let Some((id, below)) = rest
            .split_first()
            .and_then(|(id, below)| Some((id.parse::<u64>().ok()?, below)))
        else {
            return Reply::not_found();
        };
        match (incoming.method.as_str(), below) {
            ("GET", []) => self.get_card(kind, id, incoming),
            ("PATCH", []) if kind != Kind::Customer => {
                self.change_one_card(kind, id, incoming, caller)
            }
            (_, []) => Reply::method_not_allowed(),
            (_, ["notes", rest @ ..]) => {
                self.notes_resource(kind, Some(id), rest, incoming, caller)
            }
            ("GET", ["links"]) => self.list_links(kind, Some(id), incoming),
            (_, ["link"]) => self.link_cards(kind, Some(id), true, incoming, caller),
            (_, ["unlink"]) => self.link_cards(kind, Some(id), false, incoming, caller),
            _ => Reply::not_found(),
        }
    }

    fn note_content_type(&mut self, incoming: &Incoming) {
        let content_type = incoming.content_type.as_deref().unwrap_or("");
        let v4 = incoming.path.starts_with("/api/v4");
        if v4 && !incoming.body.is_empty() && !content_type.starts_with("application/json") {
            self.odd(format!("content type of a body: {content_type:.40}"));
        }
    }
}
