//! The authorisation server: the page of consent, the token endpoint, and its `app.info`
//! (crm/bitrix24.md §3, §16.3).

use serde_json::{Value, json};
use url::Url;

use super::auth::{InvalidGrant, Pair, status_of};
use super::exchange::{Incoming, Reply};
use super::handle::BitrixHandle;
use super::params::text_of;
use super::world::World;
use crate::lab::lab_clock::Moment;

impl World {
    /// Answers at the authorisation server's own host.
    pub(super) fn authorisation_server(&mut self, incoming: &Incoming, now: Moment) -> Reply {
        match incoming.path.trim_end_matches('/') {
            "/oauth/token" => self.token_endpoint(incoming, now),
            "/rest/app.info" | "/rest/app.info.json" => self.application_info(incoming, now),
            _ => Reply::page(404, "<html><body>404</body></html>"),
        }
    }

    /// `/oauth/token/`: GET, or POST of a form.
    pub(super) fn token_endpoint(&mut self, incoming: &Incoming, now: Moment) -> Reply {
        let params = incoming.params().unwrap_or_default();
        let field = |key: &str| params.get(key).and_then(text_of).unwrap_or_default();
        let (client_id, secret) = (field("client_id"), field("client_secret"));
        let grant = field("grant_type");
        if client_id.is_empty() || secret.is_empty() || grant.is_empty() {
            return Reply::error(400, "invalid_request", "A required parameter is missing");
        }
        let known = self.auth.application(&client_id);
        if known.is_none_or(|app| app.client_secret != secret) {
            return Reply::error(401, "invalid_client", "Client is not known");
        }
        if !self.paid {
            return Reply::error(401, "PAYMENT_REQUIRED", "Payment required");
        }
        if !self.auth.installed.contains_key(&client_id) {
            return Reply::error(400, "not_installed", "Application is not installed");
        }
        let pair: Result<Pair, InvalidGrant> = match grant.as_str() {
            "authorization_code" => self.auth.exchange(&client_id, &field("code"), now),
            "refresh_token" => {
                let once = self.switches.spent_refresh_token_works_once;
                let token = field("refresh_token");
                self.auth.rotate(&client_id, &token, once, now)
            }
            _ => return Reply::error(400, "invalid_request", "Unsupported grant type"),
        };
        match pair {
            Ok(pair) => Reply::ok(&self.token_answer(&client_id, &pair)),
            Err(InvalidGrant) => Reply::error(400, "invalid_grant", "Grant is not valid"),
        }
    }

    /// `app.info` at the authorisation server: the check before a token bundle is trusted.
    fn application_info(&mut self, incoming: &Incoming, now: Moment) -> Reply {
        let params = incoming.params().unwrap_or_default();
        let at_portal = Incoming {
            host: None,
            ..incoming.clone()
        };
        let caller = match self.holder_of_token(&at_portal, &params, now) {
            Ok(caller) => caller,
            Err(refusal) => return refusal.reply(),
        };
        let client_id = caller.client_id.unwrap_or_default();
        let application = self.auth.application(&client_id);
        let installation = self.auth.installed.get(&client_id);
        Reply::ok(&json!({"result": {
            "client_id": client_id, "scope": caller.scope.join(","),
            "expires": now.seconds().saturating_add(3_600), "user_id": caller.user_id,
            "install": {
                "installed": installation.is_some_and(|i| i.finished), "version": "1",
                "status": status_of(application), "scope": caller.scope.join(","),
                "domain": self.domain, "uri": format!("https://{}", self.domain),
                "client_endpoint": self.client_endpoint(), "member_id": self.options.member_id,
                "member_type": "bitrix24",
            },
        }}))
    }
}

/// Why the page of consent would not be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentRefused {
    /// The link is none, or leads elsewhere.
    #[error("the link is not the page of this portal: {0}")]
    BadLink(String),
    /// No such application.
    #[error("there is no application {0:?}")]
    UnknownClient(String),
}

/// What a person sees after having consented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// The browser is sent to the address that the application named in its settings.
    Redirect(String),
    /// The application has no address: the code stands on a page.
    Page(String),
}

impl BitrixHandle {
    /// Lets an application in as this user would on the page of a link
    /// (`https://PORTAL/oauth/authorize/?client_id=…&state=…`).
    ///
    /// # Errors
    /// Fails where the portal would show an error page.
    pub fn consent(&self, link: &str, user_id: u64) -> Result<Consent, ConsentRefused> {
        let bad = |why: &str| ConsentRefused::BadLink(why.to_owned());
        let link = Url::parse(link).map_err(|error| bad(&error.to_string()))?;
        let now = self.moment();
        let mut world = self.world();
        if link.host_str() != Some(world.domain.as_str()) || link.scheme() != "https" {
            return Err(bad("another host"));
        }
        if link.path().trim_end_matches('/') != "/oauth/authorize" {
            return Err(bad("another page"));
        }
        let value = |name: &str| {
            let mut pairs = link.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, v)| v.into_owned())
        };
        let client_id = value("client_id").unwrap_or_default();
        let application = world.auth.application(&client_id).cloned();
        let application = application.ok_or(ConsentRefused::UnknownClient(client_id.clone()))?;
        let code = world.auth.issue_code(&client_id, user_id, now);
        let Some(return_url) = application.return_url else {
            return Ok(Consent::Page(code));
        };
        let mut address = Url::parse(&return_url).map_err(|error| bad(&error.to_string()))?;
        {
            let mut query = address.query_pairs_mut();
            query.append_pair("code", &code);
            query.append_pair("state", &value("state").unwrap_or_default());
            query.append_pair("domain", &world.domain);
            query.append_pair("member_id", &world.options.member_id);
            query.append_pair("scope", &application.scope.join(","));
            query.append_pair("server_domain", &world.options.oauth_domain);
        }
        Ok(Consent::Redirect(address.into()))
    }

    /// Makes a code of a user, good for thirty seconds and one use.
    pub fn issue_code(&self, client_id: &str, user_id: u64) -> String {
        let now = self.moment();
        self.world().auth.issue_code(client_id, user_id, now)
    }

    /// Makes a pair of tokens as the token endpoint answers it.
    pub fn issue_tokens(&self, client_id: &str, user_id: u64) -> Value {
        let now = self.moment();
        let mut world = self.world();
        let pair = world.auth.issue_pair(client_id, user_id, now);
        world.token_answer(client_id, &pair)
    }
}
