//! Who is asking: access tokens, the token endpoint with single-use refresh tokens, long-lived
//! tokens (crm/amocrm.md §2).

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::exchange::{Incoming, Reply};
use super::lab_clock::Moment;
use super::options::{AmoOptions, ClientOptions};
use super::world::{World, opaque_text};

/// An authorization code lives so long.
const CODE_TTL_S: i64 = 20 * 60;
/// Tokens and codes that are remembered, as a bound of memory.
/// About a kilobyte each.
const TOKENS_MAX: usize = 20_000;
/// The shared host named in tokens.
pub(super) const API_DOMAIN: &str = "api-lab.amocrm.ru";

/// Where tokens are asked for.
const TOKEN_PATH: &str = "/oauth2/access_token";

/// Who makes a request, and when.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) user_id: u64,
    pub(super) is_admin: bool,
    pub(super) now: Moment,
}

/// Credentials and what became of them.
#[derive(Debug)]
pub(super) struct Auth {
    pub(super) clients: Vec<ClientOptions>,
    users: Vec<u64>,
    seed: String,
    account_id: u64,
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
    revoked: bool,
}

#[derive(Debug, Clone)]
struct Refresh {
    client_id: String,
    user_id: u64,
    expires_at: i64,
    spent_at: Option<i64>,
    revoked: bool,
}

#[derive(Debug, Clone)]
struct Code {
    client_id: String,
    user_id: u64,
    expires_at: i64,
}

impl Auth {
    pub(super) fn new(options: &AmoOptions) -> Self {
        let tokens = &options.tokens;
        let mut auth = Self {
            clients: tokens.clients.clone(),
            users: options.users.iter().map(|user| user.id).collect(),
            seed: format!("{}/{}", options.account_id, options.fault_seed),
            account_id: options.account_id,
            access_ttl_s: whole_seconds(tokens.access_ttl),
            refresh_ttl_s: whole_seconds(tokens.refresh_ttl),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            codes: BTreeMap::new(),
            issued: 0,
            spent_tokens_reused: 0,
            rotations: 0,
        };
        let with_exp = options.switches.long_lived_token_has_exp;
        for client in &tokens.clients {
            auth.add_long_lived(client, tokens.long_lived_until, with_exp);
        }
        auth
    }

    /// Returns the long-lived token of an integration; the same on every start.
    pub(super) fn long_lived(&self, client_id: &str) -> Option<String> {
        let tokens = self.access.iter();
        let mut ours = tokens.filter(|(text, a)| a.client_id == client_id && is_long_lived(text));
        ours.next().map(|(text, _)| text.clone())
    }

    /// Makes a token for a user without expiry rotation, as the integration's page does.
    pub(super) fn issue_long_lived(&mut self, client_id: &str, user_id: u64, until: i64) -> String {
        self.issued += 1;
        let jti = opaque_text(&format!("{}/jti/{}", self.seed, self.issued), 64);
        let text = self.jwt(client_id, user_id, &format!("long{jti}"), Some(until));
        self.remember(text.clone(), client_id, user_id, until);
        text
    }

    /// Makes an authorization code, as the consent page or the "Keys" tab does.
    pub(super) fn issue_code(&mut self, client_id: &str, user_id: u64, now: Moment) -> String {
        self.issued += 1;
        let code = opaque_text(&format!("{}/code/{}", self.seed, self.issued), 400);
        let code = format!("def502{code}");
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

    /// Revokes every token, as switching the integration off does.
    pub(super) fn revoke_all(&mut self) {
        self.access.values_mut().for_each(|a| a.revoked = true);
        self.refresh.values_mut().for_each(|r| r.revoked = true);
    }

    /// Ends the life of every access token, as if a day had passed.
    pub(super) fn expire_access(&mut self) {
        self.access.values_mut().for_each(|a| a.expires_at = 0);
    }

    /// Returns the first integration's id.
    pub(super) fn first_client(&self) -> Option<&ClientOptions> {
        self.clients.first()
    }

    /// Returns which integration a request counts for, whether its token is good or not.
    pub(super) fn integration(&self, incoming: &Incoming) -> String {
        if incoming.path == TOKEN_PATH {
            let body = token_request(incoming);
            return body["client_id"].as_str().unwrap_or("").to_owned();
        }
        let access = bearer(incoming).and_then(|token| self.access.get(token));
        access.map(|a| a.client_id.clone()).unwrap_or_default()
    }

    /// Returns the user behind a valid token.
    fn user_of(&self, token: &str, now: Moment) -> Option<u64> {
        let access = self.access.get(token)?;
        let valid = !access.revoked && access.expires_at > now.seconds();
        valid.then_some(access.user_id)
    }

    fn add_long_lived(&mut self, client: &ClientOptions, until: i64, with_exp: bool) {
        let user_id = self.users.get(client.user).copied().unwrap_or(0);
        let jti = opaque_text(&format!("{}/{}", self.account_id, client.client_id), 64);
        let exp = with_exp.then_some(until);
        let text = self.jwt(&client.client_id, user_id, &format!("long{jti}"), exp);
        self.remember(text, &client.client_id, user_id, until);
    }

    fn remember(&mut self, text: String, client_id: &str, user_id: u64, expires_at: i64) {
        if self.access.len() >= TOKENS_MAX {
            // Long-lived tokens stay; the others were handed out by the thousand.
            self.access.retain(|text, _| is_long_lived(text));
        }
        let access = Access {
            client_id: client_id.to_owned(),
            user_id,
            expires_at,
            revoked: false,
        };
        self.access.insert(text, access);
    }

    /// Makes a token of JWT shape. Nobody but the issuer checks the signature, so it is only text.
    fn jwt(&self, client_id: &str, user_id: u64, jti: &str, exp: Option<i64>) -> String {
        let mut claims = json!({
            "aud": client_id, "jti": jti, "iat": 1_700_000_000, "nbf": 1_700_000_000,
            "sub": user_id.to_string(), "grant_type": "", "account_id": self.account_id,
            "base_domain": "amocrm.ru", "version": 2, "api_domain": API_DOMAIN,
            "scopes": ["crm", "notifications", "push_notifications"],
        });
        if let Some(exp) = exp {
            claims["exp"] = json!(exp);
        }
        let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"RS256"}"#);
        let body = URL_SAFE_NO_PAD.encode(claims.to_string());
        let signature = URL_SAFE_NO_PAD.encode(opaque_text(&body, 256));
        format!("{head}.{body}.{signature}")
    }

    fn issue_pair(&mut self, client_id: &str, user_id: u64, now: Moment) -> Value {
        self.issued += 1;
        let jti = opaque_text(&format!("{}/access/{}", self.seed, self.issued), 64);
        let expires_at = now.seconds().saturating_add(self.access_ttl_s);
        let access = self.jwt(client_id, user_id, &jti, Some(expires_at));
        self.remember(access.clone(), client_id, user_id, expires_at);
        let refresh = opaque_text(&format!("{}/refresh/{}", self.seed, self.issued), 500);
        let refresh = format!("def502{refresh}");
        if self.refresh.len() >= TOKENS_MAX {
            self.refresh.pop_first();
        }
        let entry = Refresh {
            client_id: client_id.to_owned(),
            user_id,
            expires_at: now.seconds().saturating_add(self.refresh_ttl_s),
            spent_at: None,
            revoked: false,
        };
        self.refresh.insert(refresh.clone(), entry);
        json!({
            "token_type": "Bearer", "expires_in": self.access_ttl_s, "server_time": now.seconds(),
            "access_token": access, "refresh_token": refresh,
        })
    }

    fn exchange_code(&mut self, client: &ClientOptions, code: &str, now: Moment) -> Reply {
        // A code is spent by any use.
        let known = self.codes.remove(code);
        let known = known.filter(|c| c.client_id == client.client_id);
        match known.filter(|c| c.expires_at > now.seconds()) {
            Some(code) => Reply::ok(&self.issue_pair(&client.client_id, code.user_id, now)),
            None => oauth_problem(
                400,
                "Bad Request",
                Some("Authorization code is wrong or expired"),
            ),
        }
    }

    fn rotate(&mut self, client: &ClientOptions, token: &str, grace_s: u32, now: Moment) -> Reply {
        let revoked = || oauth_problem(401, "Unauthorized", Some("Token has been revoked"));
        let Some(known) = self.refresh.get_mut(token) else {
            return revoked();
        };
        if known.client_id != client.client_id || known.revoked {
            return revoked();
        }
        if let Some(spent_at) = known.spent_at {
            self.spent_tokens_reused += 1;
            if now.seconds() - spent_at >= i64::from(grace_s) {
                return revoked();
            }
        }
        if known.expires_at <= now.seconds() {
            return oauth_problem(401, "Unauthorized", Some("Token has expired"));
        }
        known.spent_at.get_or_insert(now.seconds());
        let user_id = known.user_id;
        self.rotations += 1;
        Reply::ok(&self.issue_pair(&client.client_id, user_id, now))
    }
}

impl World {
    /// Returns who asks, or the answer that turns them away.
    pub(super) fn authenticate(&self, incoming: &Incoming, now: Moment) -> Result<Caller, Reply> {
        let user_id = bearer(incoming)
            .and_then(|token| self.auth.user_of(token, now))
            .ok_or_else(Reply::unauthorized)?;
        let mut user = self.user(user_id);
        if let Some(context) = &incoming.context_user {
            let is_admin = user.is_some_and(|user| user.is_admin);
            let wanted = context.parse().ok().and_then(|id| self.user(id));
            user = wanted.filter(|user| is_admin && user.is_active);
            if user.is_none() {
                return Err(Reply::unauthorized());
            }
        }
        Ok(Caller {
            user_id: user.map_or(user_id, |user| user.id),
            // A token issued by an administrator keeps full rights when he is deactivated (§2).
            is_admin: user.is_some_and(|user| user.is_admin),
            now,
        })
    }

    /// `POST /oauth2/access_token`, as JSON or as a form.
    pub(super) fn token_endpoint(&mut self, incoming: &Incoming, now: Moment) -> Reply {
        let body = token_request(incoming);
        let field = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or("");
        let client = self.auth.clients.iter().find(|c| {
            c.client_id == field("client_id") && c.client_secret == field("client_secret")
        });
        let Some(client) = client.cloned() else {
            return oauth_problem(401, "Wrong client", None);
        };
        if client.redirect_uri != field("redirect_uri") {
            let hint = "Redirect URI does not match";
            return oauth_problem(400, "Bad Request", Some(hint));
        }
        match field("grant_type") {
            "authorization_code" => self.auth.exchange_code(&client, field("code"), now),
            "refresh_token" => {
                let grace_s = self.switches.refresh_grace_s;
                self.auth
                    .rotate(&client, field("refresh_token"), grace_s, now)
            }
            _ => oauth_problem(400, "Bad Request", Some("Unsupported grant type")),
        }
    }

    /// `GET /oauth2/account/current/subdomain`: where the account of a refresh token lives now.
    pub(super) fn current_subdomain(&self, incoming: &Incoming) -> Reply {
        let token = incoming.refresh_token_header.as_deref().unwrap_or("");
        let known = self.auth.refresh.get(token);
        if known.is_none_or(|r| r.revoked || r.spent_at.is_some()) {
            return oauth_problem(401, "Unauthorized", Some("Token has been revoked"));
        }
        Reply::ok(&json!({
            "id": self.account_id, "subdomain": self.subdomain,
            "domain": format!("{}.amocrm.ru", self.subdomain), "top_level_domain": "ru",
        }))
    }
}

/// A problem of the token endpoint.
fn oauth_problem(status: u16, title: &str, hint: Option<&str>) -> Reply {
    let mut body = json!({
        "title": title, "status": status, "detail": "Authorization failed",
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
    });
    if let Some(hint) = hint {
        body["hint"] = json!(hint);
    }
    Reply::problem_json(status, &body)
}

/// Reads the body of a token request: JSON or a form.
fn token_request(incoming: &Incoming) -> Value {
    serde_json::from_slice(&incoming.body).unwrap_or_else(|_| {
        let form = url::form_urlencoded::parse(&incoming.body).into_owned();
        Value::Object(
            form.map(|(key, value)| (key, Value::String(value)))
                .collect(),
        )
    })
}

fn bearer(incoming: &Incoming) -> Option<&str> {
    incoming.authorization.as_deref()?.strip_prefix("Bearer ")
}

fn is_long_lived(token: &str) -> bool {
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let jti = claims
        .as_ref()
        .and_then(|c| c.get("jti"))
        .and_then(Value::as_str);
    jti.is_some_and(|jti| jti.starts_with("long"))
}

fn whole_seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}
