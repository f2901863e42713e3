//! Requests to one account: paced by the limiter, held back by the breaker, and told apart by
//! what is known about their effect. Knows no CRM and no credential; repeats nothing by itself.
//!
//! Only the host of the configured address is ever contacted: no redirects, no proxies, no
//! addresses from answers.

use std::error::Error as _;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;
use tracing::{error, info, warn};
use url::Url;

use super::super::Class;
use super::breaker::{Admission, Breaker, BreakerState};
use super::classify::{self, Failure, Happened, Health, Judgement, Purpose};
use super::limiter::{Limiter, LimiterOptions};
use super::status::{AccountStatus, Held, HeldCause, LastError};
use crate::clock::SharedClock;
use crate::model::ids::PortalKey;
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// Time to connect, and time for all of a request, as the vendor's library has them
/// (`crm/amocrm.md` §1).
const CONNECT_MAX: Duration = Duration::from_secs(5);
const TOTAL_MAX: Duration = Duration::from_secs(20);

/// Longest body that is read. A page of 250 deals, each with the permitted forty long fields,
/// stays under it; more than that is not an answer to anything we ask.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much of a body goes into the journal.
const WORDS_CHARS_MAX: usize = 300;

/// An idle connection is given up before servers commonly do (60 s), so that requests do not run
/// into a closing one, which would be ambiguous.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// What a door is made of.
#[derive(Clone)]
pub struct AccountHttpOptions {
    /// The portal, for status and logs.
    pub portal: PortalKey,
    /// Where requests go: scheme, host, perhaps a port and a path.
    pub base_url: String,
    /// Requests a second that we allow ourselves.
    pub rate_per_second: f64,
    /// Most requests that the CRM permits in any sliding second; `None` = one more than the rate.
    pub per_second_max: Option<u32>,
    /// How long nothing is sent at first. A daemon gives a second: the process before it may have
    /// used up the CRM's window just before it ended.
    pub quiet_start: Duration,
    /// The time of day.
    pub clock: SharedClock,
}

/// Why a door cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpSetupError {
    /// The address is no address.
    #[error("{url:?} is not an address of a portal: write it as https://NAME")]
    BadUrl {
        /// The beginning of the refused text.
        url: String,
    },
    /// The TLS library cannot be set up.
    #[error("cannot set up TLS: {why}")]
    Tls {
        /// Its words.
        why: String,
    },
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Path below the base address, beginning with `/`.
    pub path: String,
    /// Query; encoded here.
    pub query: Vec<(String, String)>,
    /// JSON body.
    pub body: Option<Bytes>,
    /// Bearer token.
    pub bearer: Option<Secret>,
    /// Whether it may change something there.
    pub purpose: Purpose,
    /// Its class.
    pub class: Class,
}

/// A response, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Content type, lower case, without parameters.
    pub content_type: String,
    /// `Retry-After`, where given in seconds or as a date.
    pub retry_after: Option<Duration>,
    /// The body. Of a refusal perhaps cut off; of a success always whole.
    pub body: Bytes,
}

impl Response {
    /// Says whether the body is meant as JSON.
    pub fn is_json(&self) -> bool {
        let begins = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        matches!(begins, Some(b'{' | b'['))
    }
}

/// The door of one account. Adapters and integrations of one portal share it.
pub struct AccountHttp {
    portal: PortalKey,
    base: Url,
    client: reqwest::Client,
    clock: SharedClock,
    limiter: Limiter,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    breaker: Breaker,
    held: Option<Held>,
    last_error: Option<LastError>,
    last_success_at: Option<Timestamp>,
    requests_total: u64,
    throttled_total: u64,
    failed_total: u64,
}

impl AccountHttp {
    /// Builds the door of an account; connects to nothing.
    pub fn new(options: AccountHttpOptions) -> Result<Self, HttpSetupError> {
        let base = read_base(&options.base_url)?;
        let rate = options.rate_per_second;
        let window_max = match options.per_second_max {
            Some(max) => usize::try_from(max).unwrap_or(usize::MAX),
            // A float converts with saturation; nonsense gives a window of one.
            None => (rate.floor() as usize).saturating_add(1),
        };
        Ok(Self {
            portal: options.portal,
            base,
            client: build_client()?,
            clock: options.clock,
            limiter: Limiter::new(LimiterOptions {
                rate_per_second: rate,
                window_max,
                quiet_start: options.quiet_start,
            }),
            state: Mutex::new(State::default()),
        })
    }

    /// Sends a request when its turn comes. `Done` is an answer that the adapter must read:
    /// success, or a refusal other than 401, 402, 408, 429, 5xx and a 403 that is not JSON.
    pub async fn send(&self, request: Request) -> Outcome<Response> {
        // Asked twice: at once, so that nobody queues in vain, and again when the turn comes.
        if let Some(refusal) = self.refusal() {
            return Outcome::NotApplied(refusal);
        }
        let permit = match self.limiter.acquire(request.class).await {
            Ok(permit) => permit,
            Err(full) => {
                return Outcome::NotApplied(NotApplied {
                    cause: NotAppliedCause::Throttled,
                    why: full.to_string(),
                    retry_after: Some(classify::THROTTLED_MIN),
                });
            }
        };
        let probe = match self.admit() {
            Ok(probe) => probe,
            Err(refusal) => {
                permit.unused();
                return Outcome::NotApplied(refusal);
            }
        };
        let purpose = request.purpose;
        let performed = self.perform(request).await;
        drop(permit);
        let happened = performed.happened();
        probe.settled();
        let judgement = classify::judge(purpose, &happened);
        self.take_note(&happened, &judgement);
        match (judgement, performed) {
            (Judgement::Failed(failure), _) => failure.into_outcome(),
            (Judgement::Answered, Performed::Answered(response)) => Outcome::Done(response),
            // `judge` calls only answers answered; should that change, in doubt ambiguous.
            (Judgement::Answered, Performed::NotSent(why) | Performed::NoAnswer(why)) => {
                Outcome::Ambiguous { why }
            }
        }
    }

    /// Returns what administrators want to know.
    pub fn status(&self) -> AccountStatus {
        let rate_per_second = self.limiter.rate_per_second();
        let waiting = self.limiter.waiting();
        let in_flight = self.limiter.in_flight();
        let state = self.lock();
        AccountStatus {
            portal: self.portal.clone(),
            breaker: state.breaker.state(),
            held: state.held.clone(),
            rate_per_second,
            waiting,
            in_flight,
            last_error: state.last_error.clone(),
            last_success_at: state.last_success_at,
            requests_total: state.requests_total,
            throttled_total: state.throttled_total,
            failed_total: state.failed_total,
        }
    }

    /// Returns since when and why the CRM does not serve the account at all: an alarm.
    pub fn blocked(&self) -> Option<Held> {
        self.lock().held.clone()
    }

    /// Opens the door again because a person says that the cause is gone.
    pub fn unblock(&self) {
        let mut state = self.lock();
        state.held = None;
        state.breaker.reset();
        info!(portal = %self.portal, "account opened again by a person");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusal(&self) -> Option<NotApplied> {
        let state = self.lock();
        let retry_after = state.breaker.refusal(Instant::now())?;
        Some(state.refused(retry_after))
    }

    fn admit(&self) -> Result<Probe<'_>, NotApplied> {
        let mut state = self.lock();
        let is_probe = match state.breaker.admit(Instant::now()) {
            Admission::Pass => false,
            Admission::Probe => true,
            Admission::Refused { retry_after } => return Err(state.refused(retry_after)),
        };
        state.requests_total = state.requests_total.saturating_add(1);
        Ok(Probe {
            door: self,
            open: is_probe,
        })
    }

    async fn perform(&self, request: Request) -> Performed {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}{}",
            self.base.path().trim_end_matches('/'),
            request.path
        ));
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut building = self.client.request(method, url);
        if let Some(token) = &request.bearer {
            building = building.bearer_auth(token.expose());
        }
        if let Some(body) = request.body {
            building = building
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        match building.send().await {
            Ok(response) => read_response(response, self.clock.now()).await,
            // A request that cannot even be built (a token with a line break) never left.
            Err(error) if error.is_connect() || error.is_builder() => {
                Performed::NotSent(describe(&error))
            }
            Err(error) => Performed::NoAnswer(describe(&error)),
        }
    }

    /// Tells limiter, breaker and status what happened.
    fn take_note(&self, happened: &Happened, judgement: &Judgement) {
        let now = Instant::now();
        let at = self.clock.now();
        let mut state = self.lock();
        match classify::health(happened) {
            Health::Alive => state.breaker.succeeded(),
            Health::Sick => {
                state.breaker.failed(now);
                state.failed_total = state.failed_total.saturating_add(1);
            }
        }
        let failure = match judgement {
            Judgement::Answered => {
                state.last_success_at = Some(at);
                // The answer to a request from before the block lifts nothing.
                let closed = state.breaker.state() == BreakerState::Closed;
                if state.held.is_some() && closed {
                    state.held = None;
                    info!(portal = %self.portal, "the crm serves the account again");
                }
                return;
            }
            Judgement::Failed(failure) => failure,
        };
        let why = match failure {
            Failure::NotApplied(not_applied) => {
                let pause = not_applied.retry_after.unwrap_or_default();
                match not_applied.cause {
                    NotAppliedCause::Throttled => {
                        state.throttled_total = state.throttled_total.saturating_add(1);
                        self.limiter.throttled(pause);
                        warn!(portal = %self.portal, pause_s = pause.as_secs(), "crm throttled");
                    }
                    NotAppliedCause::Blocked => {
                        state.hold(HeldCause::Blocked, at, now, pause, &not_applied.why);
                        error!(portal = %self.portal, "the crm blocked the account: its vendor's support must lift that");
                    }
                    NotAppliedCause::Unpaid => {
                        state.hold(HeldCause::Unpaid, at, now, pause, &not_applied.why);
                        error!(portal = %self.portal, "the crm account is not paid for");
                    }
                    NotAppliedCause::Unreachable
                    | NotAppliedCause::BreakerOpen
                    | NotAppliedCause::Failed => {}
                }
                &not_applied.why
            }
            Failure::Ambiguous { why } | Failure::AuthExpired { why } => why,
        };
        state.last_error = Some(LastError {
            at,
            why: why.clone(),
        });
    }
}

impl State {
    fn hold(
        &mut self,
        cause: HeldCause,
        since: Timestamp,
        now: Instant,
        hold: Duration,
        why: &str,
    ) {
        // The first moment counts: repeated probes do not make the block look younger.
        let since = match &self.held {
            Some(held) if held.cause == cause => held.since,
            Some(_) | None => since,
        };
        self.held = Some(Held {
            cause,
            since,
            why: why.to_owned(),
        });
        self.breaker.trip(now, hold);
    }

    fn refused(&self, retry_after: Duration) -> NotApplied {
        let (cause, why) = match &self.held {
            Some(held) => match held.cause {
                HeldCause::Blocked => (NotAppliedCause::Blocked, held.why.clone()),
                HeldCause::Unpaid => (NotAppliedCause::Unpaid, held.why.clone()),
            },
            None => (
                NotAppliedCause::BreakerOpen,
                match &self.last_error {
                    Some(last) => format!("not tried, the crm is down: {}", last.why),
                    None => "not tried, the crm is down".to_owned(),
                },
            ),
        };
        NotApplied {
            cause,
            why,
            retry_after: Some(retry_after),
        }
    }
}

/// A request that was let through; tells the breaker when a probe ends without a result.
struct Probe<'a> {
    door: &'a AccountHttp,
    open: bool,
}

impl Probe<'_> {
    fn settled(mut self) {
        self.open = false;
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if self.open {
            self.door.lock().breaker.abandoned(Instant::now());
        }
    }
}

enum Performed {
    NotSent(String),
    NoAnswer(String),
    Answered(Response),
}

impl Performed {
    fn happened(&self) -> Happened {
        match self {
            Performed::NotSent(why) => Happened::NotSent { why: why.clone() },
            Performed::NoAnswer(why) => Happened::NoAnswer { why: why.clone() },
            Performed::Answered(response) => Happened::Answered {
                status: response.status,
                json: response.is_json(),
                retry_after: response.retry_after,
                words: words(&response.body),
            },
        }
    }
}

/// Returns the beginning of a body as printable text, for journals.
pub fn words(body: &[u8]) -> String {
    let beginning = body.get(..WORDS_CHARS_MAX * 4).unwrap_or(body);
    String::from_utf8_lossy(beginning)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(WORDS_CHARS_MAX)
        .collect()
}

async fn read_response(mut response: reqwest::Response, now: Timestamp) -> Performed {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
    let content_type = header(reqwest::header::CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default();
    let retry_after =
        header(reqwest::header::RETRY_AFTER).and_then(|value| read_retry_after(value, now));
    let mut body = BytesMut::new();
    let mut broken = None;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) > BODY_BYTES_MAX => {
                broken = Some(format!("the answer is longer than {BODY_BYTES_MAX} bytes"));
                break;
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                broken = Some(describe(&error));
                break;
            }
        }
    }
    match broken {
        // A refusal is known by its status; half of a success is none.
        Some(why) if status < 300 => {
            Performed::NoAnswer(format!("HTTP {status}, but the body is broken off: {why}"))
        }
        Some(_) | None => Performed::Answered(Response {
            status,
            content_type,
            retry_after,
            body: body.freeze(),
        }),
    }
}

fn read_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()).since(now))
}

/// Joins an error with its causes. The address is left out: its query holds clients' numbers.
fn describe(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "cannot connect".to_owned()
    } else {
        "the connection broke".to_owned()
    };
    let mut cause = error.source();
    // Chains are short; the bound is against a cause that names itself.
    for _ in 0..8 {
        let Some(error) = cause else { break };
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn read_base(text: &str) -> Result<Url, HttpSetupError> {
    let bad = || HttpSetupError::BadUrl {
        url: text.chars().take(100).collect(),
    };
    let url = Url::parse(text).map_err(|_| bad())?;
    let good = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if good { Ok(url) } else { Err(bad()) }
}

fn build_client() -> Result<reqwest::Client, HttpSetupError> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another part of the process may have chosen a provider already: then that one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    reqwest::Client::builder()
        .user_agent(concat!("Trunkline/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_MAX)
        .timeout(TOTAL_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .build()
        .map_err(|error| HttpSetupError::Tls {
            why: describe(&error),
        })
}

#[cfg(test)]
mod tests;
