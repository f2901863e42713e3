//! The one place that knows how AlfaCRM lets us in (`crm/alfacrm.md` §1.1): by e-mail and key for a
//! token of some minutes, one log-in at a time, kept across restarts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::settings::{API_KEY, APP_KEY, AlfaSettings};
use super::wire::Row;
use crate::clock::SharedClock;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::http::AccountHttp;
use crate::crm::account::transport::{Header, Method, Request, Response, words};
use crate::crm::pair_vault::{PairVault, fingerprint};
use crate::crm::{AccountDoor, Class, VaultError};
use crate::model::outcome::{NotAppliedCause, Outcome};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// How long a token is used. The vendor's pages say fifteen minutes or an hour (§1.1).
const LIFE: Duration = Duration::from_secs(13 * 60);

/// How long refused credentials rest before they are tried again, doubling while they are refused.
const REST_FIRST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(600);

/// What to do about a refusal.
const REMEDY: &str = "check e-mail and key in the profile of an administrator (API v2 key, v2api), \
                      and that the role may use v2api";

const TOKEN_HEADER: &str = "x-alfacrm-token";
const APP_HEADER: &str = "x-app-key";

/// What is kept of a log-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    token: String,
    /// When it was asked for.
    from: Timestamp,
    /// Whose it is: host, e-mail and key, by fingerprint.
    of: String,
}

/// The log-in of one account.
pub(super) struct Session {
    http: Arc<AccountHttp>,
    pairs: Arc<dyn PairVault>,
    clock: SharedClock,
    email: String,
    api_key: Option<Secret>,
    app_key: Option<Secret>,
    /// Whose a token must be.
    of: String,
    present: Mutex<Option<Token>>,
    refused: Mutex<Option<Refused>>,
}

struct Refused {
    why: String,
    until: Instant,
    rest: Duration,
}

impl Session {
    pub(super) fn open(settings: &AlfaSettings, door: &AccountDoor) -> Self {
        let api_key = door.secrets.get(API_KEY).cloned();
        let key = api_key.as_ref().map_or("", Secret::expose);
        let of = fingerprint(&format!("{}\n{}\n{key}", settings.host, settings.email));
        Self {
            http: Arc::clone(&door.http),
            pairs: Arc::clone(&door.pairs),
            clock: door.clock.clone(),
            email: settings.email.clone(),
            of,
            app_key: door.secrets.get(APP_KEY).cloned(),
            api_key,
            present: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Returns the headers by which a request is let in.
    pub(super) fn headers(&self, token: Secret) -> Vec<Header> {
        let mut headers = self.app_header();
        headers.push((TOKEN_HEADER, token));
        headers
    }

    fn app_header(&self) -> Vec<Header> {
        let key = self.app_key.clone();
        key.map(|key| (APP_HEADER, key)).into_iter().collect()
    }

    /// Returns the token to be sent.
    pub(super) async fn token(&self, class: Class) -> Result<Secret, Failure> {
        match self.good(None) {
            Some(token) => Ok(token),
            None => self.another(None, class).await,
        }
    }

    /// Takes note that a token was refused; returns another one.
    pub(super) async fn renewed(&self, old: &Secret, class: Class) -> Result<Secret, Failure> {
        self.another(Some(old.expose()), class).await
    }

    /// Takes note that the account let us in.
    pub(super) fn accepted(&self) {
        *lock(&self.refused) = None;
    }

    /// Takes note that the account does not let us in; returns what the administrator is told.
    pub(super) fn barred(&self, words: &str) -> String {
        let why = format!("AlfaCRM does not let us in ({words}): {REMEDY}");
        let mut refused = lock(&self.refused);
        let now = Instant::now();
        let rest = match &*refused {
            // Sent before the first refusal was known: that says nothing new.
            Some(before) if now < before.until => return why,
            Some(before) => (before.rest * 2).min(REST_MAX),
            None => REST_FIRST,
        };
        *refused = Some(Refused {
            why: why.clone(),
            until: now + rest,
            rest,
        });
        why
    }

    /// Returns why we are not let in, where we are not.
    pub(super) fn alarm(&self) -> Option<String> {
        lock(&self.refused).as_ref().map(|one| one.why.clone())
    }

    /// Returns the present token while it is good and not the one that was refused.
    fn good(&self, refused: Option<&str>) -> Option<Secret> {
        let now = self.clock.now();
        let present = lock(&self.present);
        let token = present.as_ref().filter(|token| {
            let own = token.of == self.of && Some(token.token.as_str()) != refused;
            // A clock that went back makes no token younger.
            own && token.from <= now && now < token.from.plus(LIFE)
        });
        token.map(|token| Secret::new(token.token.clone()))
    }

    /// Finds another token: one that was got meanwhile, one of an earlier process, else a new one.
    async fn another(&self, refused: Option<&str>, class: Class) -> Result<Secret, Failure> {
        let _turn = self.pairs.turn().await;
        if let Some(token) = self.good(refused) {
            return Ok(token);
        }
        let stored = self
            .pairs
            .load()
            .await
            .map_err(|error| vault_failure(&error))?;
        let stored = stored.and_then(|text| serde_json::from_str::<Token>(text.expose()).ok());
        if stored.is_some() {
            *lock(&self.present) = stored;
            if let Some(token) = self.good(refused) {
                return Ok(token);
            }
        }
        let token = self.log_in(class).await?;
        // What cannot be kept is good all the same: the next process logs in anew.
        if let Ok(text) = serde_json::to_string(&token)
            && let Err(error) = self.pairs.save(Secret::new(text)).await
        {
            tracing::warn!(%error, "the token could not be kept");
        }
        let secret = Secret::new(token.token.clone());
        *lock(&self.present) = Some(token);
        Ok(secret)
    }

    async fn log_in(&self, class: Class) -> Result<Token, Failure> {
        let Some(key) = &self.api_key else {
            let why = format!("no key is stored: {REMEDY}");
            return Err(Failure::AuthExpired { why });
        };
        if let Some(refused) = &*lock(&self.refused)
            && Instant::now() < refused.until
        {
            let why = refused.why.clone();
            return Err(Failure::AuthExpired { why });
        }
        let body = json!({ "email": self.email, "api_key": key.expose() });
        let from = self.clock.now();
        let request = Request {
            method: Method::Post,
            path: "/v2api/auth/login".to_owned(),
            query: Vec::new(),
            body: Some(Bytes::from(body.to_string())),
            bearer: None,
            // A log-in that is lost changes nothing.
            purpose: Purpose::Read,
            class,
        };
        let failed = |why: String| Failure::not_applied(NotAppliedCause::Failed, why, None);
        let response = match self.http.send_with(request, &self.app_header()).await {
            Outcome::Done(response) => response,
            Outcome::NotApplied(not_applied) => return Err(Failure::NotApplied(not_applied)),
            Outcome::Ambiguous { why } => return Err(failed(why)),
            Outcome::AuthExpired { why } => {
                return Err(Failure::AuthExpired {
                    why: self.barred(&why),
                });
            }
            Outcome::Rejected(rejection) => return Err(failed(rejection.message)),
        };
        let told = format!("HTTP {}: {}", response.status, words(&response.body));
        match response.status {
            200..=299 => match token_of(&response) {
                Some(token) => Ok(Token {
                    token,
                    from,
                    of: self.of.clone(),
                }),
                None if response.is_json() => Err(Failure::AuthExpired {
                    why: self.barred("the log-in brought no token"),
                }),
                None => Err(failed(told)),
            },
            404 | 405 => Err(Failure::not_applied(
                NotAppliedCause::Unreachable,
                format!("there is no API v2 at this address, check it: {told}"),
                None,
            )),
            _ => Err(Failure::AuthExpired {
                why: self.barred(&told),
            }),
        }
    }
}

/// Reads the token; a few installations answer with the bare text (§1.1).
fn token_of(response: &Response) -> Option<String> {
    let answer: Value = serde_json::from_slice(&response.body).ok()?;
    let token = match &answer {
        Value::String(text) => Some(text.trim().to_owned()),
        other => Row(other).text("token"),
    };
    token.filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Says what a vault's refusal means for a request that was not sent.
fn vault_failure(error: &VaultError) -> Failure {
    match error {
        VaultError::WrongKey => Failure::AuthExpired {
            why: error.to_string(),
        },
        VaultError::Closed | VaultError::Witness(_) => {
            Failure::not_applied(NotAppliedCause::Failed, error.to_string(), None)
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
