//! The frame of Data API and Call API: JSON-RPC 2.0 over POST, with a key or a session's token among
//! the parameters (`pbx/uis.md` §3, §4).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::row::Row;
use crate::model::secret::Secret;
use crate::pbx::{ListenerError, WebClient, WebError, WebRequest};

/// A session lasts an hour (`pbx/uis.md` §3); a new one is opened well before.
const SESSION_LIFE: Duration = Duration::from_secs(50 * 60);

/// Wait after a limit of which no end was told.
const LIMIT_WAIT: Duration = Duration::from_secs(60);

/// Longest wait that is believed: limits are of a day.
const WAIT_MAX: Duration = Duration::from_secs(86_400);

/// How we prove who we are.
#[derive(Debug, Clone)]
pub(super) enum Auth {
    /// A permanent key of a user.
    Key(Secret),
    /// A user's login and password, for which a session is opened.
    Login {
        /// The login.
        login: String,
        /// The password.
        password: Secret,
    },
}

/// What an account may still ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) day_remaining: u64,
    pub(super) day_reset: Duration,
    pub(super) minute_remaining: u64,
    pub(super) minute_reset: Duration,
}

impl Limits {
    fn read(metadata: Row<'_>) -> Option<Self> {
        let limits = metadata.row("limits")?;
        let span = |key| Duration::from_secs(limits.whole(key).unwrap_or(60)).min(WAIT_MAX);
        Some(Self {
            day_remaining: limits.whole("day_remaining")?,
            day_reset: span("day_reset"),
            minute_remaining: limits.whole("minute_remaining").unwrap_or(u64::MAX),
            minute_reset: span("minute_reset"),
        })
    }

    /// Returns how long nothing can be asked.
    pub(super) fn wait(&self) -> Duration {
        match (self.day_remaining, self.minute_remaining) {
            (0, _) => self.day_reset,
            (_, 0) => self.minute_reset,
            (_, _) => LIMIT_WAIT,
        }
    }
}

/// What a method answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    /// `result.data`.
    pub(super) data: Value,
    /// How many rows there are in all, of a report.
    pub(super) total: Option<u64>,
}

/// Why a method was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RpcError {
    /// It never left.
    #[error("{host}: {why}")]
    NotSent { host: String, why: String },
    /// It left, and no answer that could be read came back.
    #[error("{host}: {why}")]
    NoAnswer { host: String, why: String },
    /// The account has asked for as much as it may.
    #[error("{host}: the account's limit of requests is used up for {} s", .wait.as_secs())]
    Limit { host: String, wait: Duration },
    /// The platform says no.
    #[error("{}", .0.plain())]
    Refused(Refusal),
}

/// What the platform said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) host: String,
    pub(super) method: String,
    pub(super) code: i64,
    /// By what its refusals are told apart.
    pub(super) mnemonic: String,
    pub(super) message: String,
    pub(super) field: Option<String>,
}

impl Refusal {
    /// Says that the session is none any more.
    fn ends_session(&self) -> bool {
        matches!(
            self.mnemonic.as_str(),
            "access_token_expired" | "access_token_invalid" | "auth_error"
        )
    }

    /// Says that it is about what we asked for, not about us: another way of asking may do.
    pub(super) fn is_of_parameters(&self) -> bool {
        self.code == -32602 || self.mnemonic == "filter_prohibited"
    }

    /// Says that what was to be made is there already; the word for it is not documented.
    pub(super) fn says_it_exists(&self) -> bool {
        let mnemonic = &self.mnemonic;
        mnemonic.contains("already") || mnemonic.contains("duplicate")
    }

    /// Says that it may pass by itself.
    fn passes(&self) -> bool {
        self.mnemonic == "internal_error" || self.code == -32603
    }

    /// Says in plain words what a person has to do.
    fn plain(&self) -> String {
        let (host, mnemonic) = (&self.host, &self.mnemonic);
        let words = match mnemonic.as_str() {
            "ip_not_whitelisted" => format!(
                "{host} does not let this machine in: its outside address is not among those \
                 that the account permits; add it in the cabinet, Security, API (Безопасность, \
                 API)"
            ),
            "access_token_invalid" | "access_token_expired" | "access_token_blocked" => format!(
                "{host} does not accept the key: make a new one in the cabinet and put it into \
                 the secret `token`"
            ),
            "auth_error" => format!("{host} does not accept login and password"),
            "forbidden" => format!(
                "{host} does not permit {} to this user: give the user the right in the cabinet",
                self.method
            ),
            "component_disabled"
            | "method_component_disabled"
            | "parameter_component_disabled"
            | "tariff_restrictions" => format!(
                "{host}: the account's tariff does not include {}: order the option of the API",
                self.method
            ),
            "account_inactive" => format!("{host}: the account is not active"),
            _ => format!("{host} refused {}", self.method),
        };
        let field = self.field.as_ref().map(|field| format!(", field {field}"));
        format!(
            "{words} ({mnemonic}{}: {})",
            field.unwrap_or_default(),
            self.message
        )
    }
}

impl From<RpcError> for ListenerError {
    fn from(error: RpcError) -> Self {
        match &error {
            RpcError::Refused(refusal) if !refusal.passes() => {
                ListenerError::Refused(error.to_string())
            }
            RpcError::NotSent { .. }
            | RpcError::NoAnswer { .. }
            | RpcError::Limit { .. }
            | RpcError::Refused(_) => ListenerError::Connection(error.to_string()),
        }
    }
}

/// One API of an account.
pub(super) struct Api {
    web: WebClient,
    auth: Auth,
    session: tokio::sync::Mutex<Option<Session>>,
    limits: Mutex<Option<Limits>>,
    next: AtomicU64,
}

struct Session {
    token: Secret,
    opened: Instant,
}

impl Api {
    pub(super) fn new(web: WebClient, auth: Auth) -> Self {
        Self {
            web,
            auth,
            session: tokio::sync::Mutex::default(),
            limits: Mutex::default(),
            next: AtomicU64::new(1),
        }
    }

    /// Returns the host, for people.
    pub(super) fn host(&self) -> String {
        self.web.host()
    }

    /// Returns what the last answer said of the limits.
    pub(super) fn limits(&self) -> Option<Limits> {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a method; a session that ended meanwhile is opened anew, once.
    pub(super) async fn call(
        &self,
        method: &str,
        params: Map<String, Value>,
    ) -> Result<Answered, RpcError> {
        let token = self.token().await?;
        let first = self.send(method, with_token(&params, &token)).await;
        match first {
            Err(RpcError::Refused(refusal))
                if refusal.ends_session() && matches!(self.auth, Auth::Login { .. }) =>
            {
                *self.session.lock().await = None;
                let token = self.token().await?;
                self.send(method, with_token(&params, &token)).await
            }
            first => first,
        }
    }

    async fn token(&self) -> Result<Secret, RpcError> {
        let (login, password) = match &self.auth {
            Auth::Key(key) => return Ok(key.clone()),
            Auth::Login { login, password } => (login, password),
        };
        // Held while the session is opened: the others wait for the same one.
        let mut session = self.session.lock().await;
        if let Some(open) = session
            .as_ref()
            .filter(|one| one.opened.elapsed() < SESSION_LIFE)
        {
            return Ok(open.token.clone());
        }
        let params = json!({ "login": login, "password": password.expose() });
        let params = params.as_object().cloned().unwrap_or_default();
        let answered = self.send("login.user", params).await?;
        let token = Row::of(&answered.data).and_then(|row| row.line("access_token"));
        let token = Secret::new(token.ok_or_else(|| RpcError::NoAnswer {
            host: self.host(),
            why: "login.user answered without access_token".to_owned(),
        })?);
        *session = Some(Session {
            token: token.clone(),
            opened: Instant::now(),
        });
        Ok(token)
    }

    async fn send(&self, method: &str, params: Map<String, Value>) -> Result<Answered, RpcError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let body = serde_json::to_vec(&frame).unwrap_or_default();
        let request = WebRequest {
            post: true,
            body: Some(("application/json; charset=UTF-8", body)),
            ..WebRequest::default()
        };
        let answer = self.web.send(request).await.map_err(|error| match error {
            WebError::NotSent(why) => RpcError::NotSent {
                host: self.host(),
                why,
            },
            WebError::NoAnswer(why) => RpcError::NoAnswer {
                host: self.host(),
                why,
            },
        })?;
        // What status errors have is not documented: the body decides.
        let Ok(value) = serde_json::from_slice::<Value>(&answer.body) else {
            let why = format!("HTTP {}: {}", answer.status, answer.words());
            return Err(RpcError::NoAnswer {
                host: self.host(),
                why,
            });
        };
        let (answered, limits) = read(&value, &self.host(), method);
        if let Some(limits) = limits {
            *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = Some(limits);
        }
        answered
    }
}

fn with_token(params: &Map<String, Value>, token: &Secret) -> Map<String, Value> {
    let mut params = params.clone();
    params.insert("access_token".to_owned(), token.expose().into());
    params
}

/// What a frame says, and what it says of the limits.
type Told = (Result<Answered, RpcError>, Option<Limits>);

/// Reads a frame.
fn read(value: &Value, host: &str, method: &str) -> Told {
    let unreadable = |why: &str| {
        let error = RpcError::NoAnswer {
            host: host.to_owned(),
            why: format!("{method}: {why}"),
        };
        (Err(error), None)
    };
    let Some(frame) = Row::of(value) else {
        return unreadable("the answer is no object");
    };
    if let Some(error) = frame.row("error") {
        let (error, limits) = read_error(error, host, method);
        return (Err(error), limits);
    }
    let Some(result) = frame.row("result") else {
        return unreadable("the answer has no result");
    };
    // One method writes `meta_data` (`pbx/uis.md` §4.5).
    let metadata = result.row("metadata").or_else(|| result.row("meta_data"));
    let limits = metadata.and_then(Limits::read);
    let data = value.pointer("/result/data").cloned();
    let answered = Answered {
        data: data.unwrap_or(Value::Null),
        total: metadata.and_then(|metadata| metadata.whole("total_items")),
    };
    (Ok(answered), limits)
}

fn read_error(error: Row<'_>, host: &str, method: &str) -> (RpcError, Option<Limits>) {
    let data = error.row("data");
    let limits = data.and_then(|data| Limits::read(data.row("metadata")?));
    let mnemonic = data.and_then(|data| data.line("mnemonic"));
    let code = error
        .line("code")
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    if code == -32029 || mnemonic.as_deref() == Some("limit_exceeded") {
        let wait = limits.map_or(LIMIT_WAIT, |limits| limits.wait());
        let error = RpcError::Limit {
            host: host.to_owned(),
            wait,
        };
        return (error, limits);
    }
    let refusal = Refusal {
        host: host.to_owned(),
        method: method.to_owned(),
        code,
        mnemonic: mnemonic.unwrap_or_else(|| "no mnemonic".to_owned()),
        message: error
            .line("message")
            .unwrap_or_default()
            .chars()
            .take(300)
            .collect(),
        field: data.and_then(|data| data.line("field")),
    };
    (RpcError::Refused(refusal), limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &Value) -> String {
        match read(value, "dataapi.example", "get.calls_report").0 {
            Ok(answered) => format!("{} {:?}", answered.data, answered.total),
            Err(error) => error.to_string(),
        }
    }

    fn refused(mnemonic: &str) -> Value {
        json!({ "jsonrpc": "2.0", "id": null, "error": {
            "code": -32003, "message": "Your IP is not in the list",
            "data": { "mnemonic": mnemonic, "field": null, "value": null },
        } })
    }

    #[test]
    fn a_refusal_says_what_a_person_has_to_do() {
        let ip = told(&refused("ip_not_whitelisted"));
        assert!(
            ip.contains("dataapi.example does not let this machine in"),
            "{ip}"
        );
        assert!(ip.contains("Безопасность, API"), "{ip}");
        assert!(told(&refused("access_token_invalid")).contains("the secret `token`"));
        assert!(told(&refused("component_disabled")).contains("tariff"));
        assert!(told(&refused("something_new")).contains("something_new"));
    }

    #[test]
    fn a_used_up_limit_says_for_how_long() {
        let limits = json!({ "day_limit": 750, "day_remaining": 0, "day_reset": 3600,
            "minute_limit": 150, "minute_remaining": 100, "minute_reset": 30 });
        let value = json!({ "error": { "code": -32029, "message": "limit", "data": {
            "mnemonic": "limit_exceeded", "metadata": { "limits": limits } } } });
        assert!(told(&value).contains("3600 s"));
        let bare = json!({ "error": { "code": -32029, "message": "limit" } });
        assert!(told(&bare).contains("60 s"));
    }

    #[test]
    fn garbage_is_no_answer() {
        for value in [json!(null), json!([]), json!({}), json!({ "result": 5 })] {
            let error = read(&value, "h", "m").0.expect_err("no answer");
            assert!(matches!(error, RpcError::NoAnswer { .. }), "{value}");
        }
    }
}
