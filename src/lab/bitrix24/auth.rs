//! Who is asking: access tokens of applications, secrets of webhooks, and what becomes of both
//! (crm/bitrix24.md §1–3).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::exchange::Incoming;
use super::options::{ApplicationKind, ApplicationOptions, BitrixOptions};
use super::params::text_of;
use super::refusal::Refusal;
use super::world::World;
use crate::lab::lab_clock::Moment;

/// An authorization code lives so long.
const CODE_TTL_S: i64 = 30;
/// Tokens and codes that are remembered, as a bound of memory.
const TOKENS_MAX: usize = 20_000;

/// Who makes a request, and when.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) user_id: u64,
    pub(super) is_admin: bool,
    /// The application, by its `client_id`; none for a webhook.
    pub(super) client_id: Option<String>,
    pub(super) scope: Vec<String>,
    /// The token, or the secret of the webhook.
    pub(super) token: String,
    /// What events of this request do not go to (§4).
    pub(super) auth_connector: Option<String>,
    pub(super) now: Moment,
}

impl Caller {
    /// Returns whose operating time is used.
    pub(super) fn account(&self) -> String {
        match &self.client_id {
            Some(client_id) => format!("application {client_id}"),
            None => format!("webhook {}", self.token),
        }
    }

    /// Returns the time in Unix seconds.
    pub(super) fn seconds(&self) -> i64 {
        self.now.seconds()
    }
}

/// An application's place in the portal.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub(super) application_token: String,
    /// Whether the installer has said that it is done; events wait for it (§3).
    pub(super) finished: bool,
}

/// Credentials and what became of them.
#[derive(Debug)]
pub(super) struct Auth {
    pub(super) applications: Vec<ApplicationOptions>,
    pub(super) installed: BTreeMap<String, Installation>,
    seed: String,
    access_ttl_s: i64,
    refresh_ttl_s: i64,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
    codes: BTreeMap<String, Code>,
    issued: u64,
    /// Refresh tokens that were sent again after they were spent.
    pub(super) spent_tokens_reused: u64,
    /// Successful rotations.
    pub(super) rotations: u64,
}

#[derive(Debug, Clone)]
struct Access {
    client_id: String,
    user_id: u64,
    expires_at: i64,
}

#[derive(Debug, Clone)]
struct Refresh {
    client_id: String,
    user_id: u64,
    expires_at: i64,
    uses: u32,
}

#[derive(Debug, Clone)]
struct Code {
    client_id: String,
    user_id: u64,
    expires_at: i64,
}

/// A pair of tokens.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) expires_in: i64,
    pub(super) expires: i64,
    pub(super) user_id: u64,
}

/// Why a grant was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidGrant;

impl Auth {
    pub(super) fn new(options: &BitrixOptions) -> Self {
        let mut auth = Self {
            applications: options.applications.clone(),
            installed: BTreeMap::new(),
            seed: format!("{}/{}", options.member_id, options.fault_seed),
            access_ttl_s: whole_seconds(options.access_ttl),
            refresh_ttl_s: whole_seconds(options.refresh_ttl),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            codes: BTreeMap::new(),
            issued: 0,
            spent_tokens_reused: 0,
            rotations: 0,
        };
        for application in options.applications.iter().filter(|app| app.installed) {
            auth.install(&application.client_id, true);
        }
        auth
    }

    pub(super) fn application(&self, client_id: &str) -> Option<&ApplicationOptions> {
        let mut applications = self.applications.iter();
        applications.find(|app| app.client_id == client_id)
    }

    /// Puts an application into the portal; it gets a token for its events.
    pub(super) fn install(&mut self, client_id: &str, finished: bool) -> Installation {
        let text = opaque(&format!("{}/application/{client_id}", self.seed));
        let installation = Installation {
            application_token: text,
            finished,
        };
        let known = self.installed.entry(client_id.to_owned());
        known.or_insert(installation).clone()
    }

    /// Puts an application into the portal, or updates it there. One that was taken out before may
    /// get another token.
    pub(super) fn install_again(&mut self, client_id: &str, renewed: bool) {
        let was_there = self.installed.contains_key(client_id);
        self.install(client_id, true);
        if renewed && !was_there {
            let text = self.text("application");
            if let Some(installation) = self.installed.get_mut(client_id) {
                installation.application_token = text;
            }
        }
    }

    /// Takes an application out of the portal.
    pub(super) fn remove(&mut self, client_id: &str) -> Option<Installation> {
        self.installed.remove(client_id)
    }

    /// Makes a code, as the page of the portal does.
    pub(super) fn issue_code(&mut self, client_id: &str, user_id: u64, now: Moment) -> String {
        let code = self.text("code");
        let entry = Code {
            client_id: client_id.to_owned(),
            user_id,
            expires_at: now.seconds().saturating_add(CODE_TTL_S),
        };
        if self.codes.len() >= TOKENS_MAX {
            self.codes.clear();
        }
        self.codes.insert(code.clone(), entry);
        code
    }

    /// Makes a pair of tokens.
    pub(super) fn issue_pair(&mut self, client_id: &str, user_id: u64, now: Moment) -> Pair {
        let access = self.text("access");
        let refresh = self.text("refresh");
        let expires = now.seconds().saturating_add(self.access_ttl_s);
        if self.access.len() >= TOKENS_MAX {
            self.access.pop_first();
        }
        if self.refresh.len() >= TOKENS_MAX {
            self.refresh.pop_first();
        }
        let entry = Access {
            client_id: client_id.to_owned(),
            user_id,
            expires_at: expires,
        };
        self.access.insert(access.clone(), entry);
        let entry = Refresh {
            client_id: client_id.to_owned(),
            user_id,
            expires_at: now.seconds().saturating_add(self.refresh_ttl_s),
            uses: 0,
        };
        self.refresh.insert(refresh.clone(), entry);
        Pair {
            access,
            refresh,
            expires_in: self.access_ttl_s,
            expires,
            user_id,
        }
    }

    /// Exchanges a code; any use spends it.
    pub(super) fn exchange(
        &mut self,
        client_id: &str,
        code: &str,
        now: Moment,
    ) -> Result<Pair, InvalidGrant> {
        let known = self.codes.remove(code).ok_or(InvalidGrant)?;
        if known.client_id != client_id || known.expires_at <= now.seconds() {
            return Err(InvalidGrant);
        }
        Ok(self.issue_pair(client_id, known.user_id, now))
    }

    /// Rotates a refresh token.
    pub(super) fn rotate(
        &mut self,
        client_id: &str,
        token: &str,
        spent_works_once: bool,
        now: Moment,
    ) -> Result<Pair, InvalidGrant> {
        let known = self.refresh.get_mut(token).ok_or(InvalidGrant)?;
        if known.client_id != client_id || known.expires_at <= now.seconds() {
            return Err(InvalidGrant);
        }
        known.uses = known.uses.saturating_add(1);
        if known.uses > 1 {
            self.spent_tokens_reused += 1;
            if !(spent_works_once && known.uses == 2) {
                return Err(InvalidGrant);
            }
        }
        let user_id = known.user_id;
        self.rotations += 1;
        Ok(self.issue_pair(client_id, user_id, now))
    }

    /// Ends the life of every access token.
    pub(super) fn expire_access(&mut self) {
        self.access.values_mut().for_each(|a| a.expires_at = 0);
    }

    /// Forgets every token.
    pub(super) fn revoke_all(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }

    /// Returns the application and the user of a token.
    fn holder(&self, token: &str, now: Moment) -> Result<(&str, u64), Refusal> {
        let access = self.access.get(token).ok_or_else(Refusal::nobody)?;
        if !self.installed.contains_key(&access.client_id) {
            let text = "Unable to get application by token";
            return Err(Refusal::new(401, "invalid_token", text));
        }
        if access.expires_at <= now.seconds() {
            return Err(Refusal::expired());
        }
        Ok((&access.client_id, access.user_id))
    }

    fn text(&mut self, what: &str) -> String {
        self.issued += 1;
        let text = opaque(&format!("{}/{what}/{}", self.seed, self.issued));
        // Tokens of the service are longer than a hash.
        format!("{text}{:016x}", self.issued)
    }
}

impl World {
    /// Returns who asks by a token.
    pub(super) fn holder_of_token(
        &self,
        incoming: &Incoming,
        params: &Map<String, Value>,
        now: Moment,
    ) -> Result<Caller, Refusal> {
        let token = params.get("auth").and_then(text_of).unwrap_or_default();
        if token.is_empty() {
            return Err(Refusal::nobody());
        }
        let (client_id, user_id) = self.auth.holder(&token, now)?;
        if let Some(host) = &incoming.host
            && *host == self.options.oauth_domain
        {
            return Err(Refusal::nobody());
        }
        let application = self.auth.application(client_id);
        Ok(Caller {
            user_id,
            is_admin: self.user(user_id).is_some_and(|user| user.is_admin),
            client_id: Some(client_id.to_owned()),
            scope: application.map(|app| app.scope.clone()).unwrap_or_default(),
            token,
            auth_connector: params.get("auth_connector").and_then(text_of),
            now,
        })
    }

    /// Returns who asks by a webhook.
    pub(super) fn holder_of_webhook(
        &self,
        user: &str,
        secret: &str,
        now: Moment,
    ) -> Result<Caller, Refusal> {
        if self.switches.webhooks_want_https {
            return Err(Refusal::bad("INVALID_REQUEST", "Https required."));
        }
        let webhook = self
            .webhooks
            .iter()
            .find(|hook| hook.user_id.to_string() == user && hook.secret == secret);
        let Some(webhook) = webhook else {
            if self.switches.wrong_webhook_is_no_auth {
                return Err(Refusal::nobody());
            }
            let status = if self.switches.statuses_of_sdk {
                401
            } else {
                403
            };
            let text = "Invalid request credentials";
            return Err(Refusal::new(status, "INVALID_CREDENTIALS", text));
        };
        Ok(Caller {
            user_id: webhook.user_id,
            is_admin: self.user(webhook.user_id).is_some_and(|user| user.is_admin),
            client_id: None,
            scope: webhook.scope.clone(),
            token: webhook.secret.clone(),
            auth_connector: None,
            now,
        })
    }

    /// Returns the answer of the token endpoint for a pair.
    pub(super) fn token_answer(&self, client_id: &str, pair: &Pair) -> Value {
        let application = self.auth.application(client_id);
        json!({
            "access_token": pair.access, "refresh_token": pair.refresh,
            "expires_in": pair.expires_in, "expires": pair.expires,
            "scope": application.map(|app| app.scope.join(",")).unwrap_or_default(),
            "client_endpoint": self.client_endpoint(), "server_endpoint": self.server_endpoint(),
            "domain": self.options.oauth_domain, "member_id": self.options.member_id,
            "status": status_of(application), "user_id": pair.user_id,
        })
    }

    pub(super) fn client_endpoint(&self) -> String {
        format!("https://{}/rest/", self.domain)
    }

    pub(super) fn server_endpoint(&self) -> String {
        format!("https://{}/rest/", self.options.oauth_domain)
    }
}

/// Returns the letter of an application's kind.
pub(super) fn status_of(application: Option<&ApplicationOptions>) -> &'static str {
    match application.map(|app| app.kind) {
        Some(ApplicationKind::Market) => "F",
        Some(ApplicationKind::Local) | None => "L",
    }
}

/// Returns 32 hexadecimal digits that nobody guesses, the same on every start.
pub(super) fn opaque(seed: &str) -> String {
    let digest = Sha256::digest(seed.as_bytes());
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn whole_seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}
