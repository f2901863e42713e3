//! One request over HTTP, told as what happened to it. Knows neither limiter nor breaker.
//!
//! Only the host of the configured address is ever contacted: no redirects, no proxies, no
//! addresses from answers, but where an adapter checked that a host is its CRM's own.

use std::error::Error as _;
use std::sync::{Arc, Once};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderName;
use url::Url;

use super::super::Class;
use super::classify::{Happened, Purpose};
use super::form::FileForm;
use super::manners::{Manners, TOTAL_MAX};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// Time to connect, as the vendor's library of the first CRM has it (`crm/amocrm.md` §1).
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Longest body that is read. A page of 250 deals, each with the permitted forty long fields,
/// stays under it; more than that is not an answer to anything we ask.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much of a body goes into the journal.
const WORDS_CHARS_MAX: usize = 300;

/// How much of a request id is kept: they are as long as a UUID or a trace id.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// An idle connection is given up before servers commonly do (60 s), so that requests do not run
/// into a closing one, which would be ambiguous.
const IDLE_MAX: Duration = Duration::from_secs(30);

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
    /// Body; JSON unless the CRM's manners are forms.
    pub body: Option<Bytes>,
    /// Bearer token.
    pub bearer: Option<Secret>,
    /// Whether it may change something there.
    pub purpose: Purpose,
    /// Its class.
    pub class: Class,
}

/// A header that only the CRM is told.
pub type Header = (&'static str, Secret);

/// Another host of the same CRM, and what it is asked with.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// Scheme, host, perhaps a port and a path.
    pub base_url: String,
    /// A header that only it is told.
    pub header: Header,
}

/// A file to be posted, at an address that the CRM named for it.
#[derive(Debug, Clone)]
pub struct FilePost {
    /// The whole address; its query is a secret.
    pub url: Url,
    /// The form that holds the file.
    pub form: FileForm,
    /// Time for all of it: files are long, and lines are thin.
    pub within: Duration,
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
    /// What time it was there (`Date`), where it says so.
    pub date: Option<Timestamp>,
    /// The CRM's own name of the exchange (`X-Request-Id`), by which its support finds it again
    /// (`crm/amocrm.md` §1).
    pub request_id: Option<String>,
    /// How many requests are left of a quota (`X-RateLimit-Remaining`), where it says so.
    pub quota_left: Option<u64>,
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

/// The way to one address.
pub(super) struct Transport {
    base: ArcSwap<Url>,
    client: reqwest::Client,
    answer_within: Duration,
    body_type: &'static str,
}

impl Transport {
    /// Prepares the way; connects to nothing.
    pub(super) fn new(base_url: &str) -> Result<Self, HttpSetupError> {
        Ok(Self {
            base: ArcSwap::from_pointee(read_base(base_url)?),
            client: build_client()?,
            answer_within: TOTAL_MAX,
            body_type: Manners::default().body_type,
        })
    }

    /// Keeps to the ways of a CRM.
    pub(super) fn keep_to(&mut self, manners: Manners) {
        self.answer_within = manners.answer_within;
        self.body_type = manners.body_type;
    }

    /// Returns where requests go, without a slash at the end.
    pub(super) fn base_url(&self) -> String {
        self.base.load().as_str().trim_end_matches('/').to_owned()
    }

    /// Has requests go to another address from now on.
    pub(super) fn move_to(&self, base_url: &str) -> Result<(), HttpSetupError> {
        self.base.store(Arc::new(read_base(base_url)?));
        Ok(())
    }

    /// Sends a request and reads its answer; `now` is for a `Retry-After` that is a date.
    pub(super) async fn perform(
        &self,
        request: Request,
        elsewhere: Option<&Elsewhere>,
        headers: &[Header],
        now: impl Fn() -> Timestamp,
    ) -> Performed {
        let base = match elsewhere.map(|elsewhere| read_base(&elsewhere.base_url)) {
            None => Url::clone(&self.base.load()),
            Some(Ok(base)) => base,
            Some(Err(error)) => return Performed::NotSent(error.to_string()),
        };
        let mut url = base.clone();
        url.set_path(&format!(
            "{}{}",
            base.path().trim_end_matches('/'),
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
        let building = self.client.request(method, url);
        let mut building = building.timeout(self.answer_within);
        if let Some(token) = &request.bearer {
            building = building.bearer_auth(token.expose());
        }
        let of_host = elsewhere.map(|elsewhere| &elsewhere.header);
        for (name, value) in of_host.into_iter().chain(headers) {
            building = building.header(*name, value.expose());
        }
        if let Some(body) = request.body {
            building = building
                .header(reqwest::header::CONTENT_TYPE, self.body_type)
                .body(body);
        }
        answered(building, now).await
    }

    /// Posts a file and reads the answer.
    pub(super) async fn post_file(&self, post: FilePost, now: impl Fn() -> Timestamp) -> Performed {
        let building = self
            .client
            .post(post.url)
            .timeout(post.within)
            .header(reqwest::header::ACCEPT, "application/json")
            .header(reqwest::header::CONTENT_TYPE, post.form.content_type)
            .body(post.form.body);
        answered(building, now).await
    }
}

async fn answered(building: reqwest::RequestBuilder, now: impl Fn() -> Timestamp) -> Performed {
    match building.send().await {
        Ok(response) => read_response(response, now()).await,
        // A request that cannot even be built (a token with a line break) never left.
        Err(error) if error.is_connect() || error.is_builder() => {
            Performed::NotSent(describe(&error))
        }
        Err(error) => Performed::NoAnswer(describe(&error)),
    }
}

/// What became of a request.
pub(super) enum Performed {
    NotSent(String),
    NoAnswer(String),
    Answered(Response),
}

impl Performed {
    /// Returns what is to be judged.
    pub(super) fn happened(&self) -> Happened {
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
    let request_id = header(HeaderName::from_static("x-request-id")).and_then(read_request_id);
    let date = header(reqwest::header::DATE).and_then(read_date);
    let retry_after =
        header(reqwest::header::RETRY_AFTER).and_then(|value| read_retry_after(value, now));
    let quota_left = header(HeaderName::from_static("x-ratelimit-remaining"))
        .and_then(|value| value.trim().parse().ok());
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
            date,
            request_id,
            quota_left,
            body: body.freeze(),
        }),
    }
}

fn read_request_id(value: &str) -> Option<String> {
    let kept: String = value
        .chars()
        .filter(char::is_ascii_graphic)
        .take(REQUEST_ID_CHARS_MAX)
        .collect();
    (!kept.is_empty()).then_some(kept)
}

fn read_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    Some(read_date(value)?.since(now))
}

fn read_date(value: &str) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()))
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

/// Says whether a text can be the address of a portal.
pub fn check_base_url(text: &str) -> Result<(), HttpSetupError> {
    read_base(text).map(drop)
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
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_date() {
        let now = Timestamp::parse("2026-11-20T09:00:00Z").expect("a time");
        let read = |text| read_retry_after(text, now).map(|d| d.as_secs());
        assert_eq!(read("7"), Some(7));
        assert_eq!(read("Fri, 20 Nov 2026 09:01:00 GMT"), Some(60));
        assert_eq!(read("Fri, 20 Nov 2026 08:00:00 GMT"), Some(0));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for bad in [
            "",
            "demo.amocrm.ru",
            "ftp://x",
            "https://u:p@x",
            "https://x/?a=b",
        ] {
            assert!(read_base(bad).is_err(), "{bad}");
        }
        assert!(read_base("https://demo.amocrm.ru").is_ok());
    }

    #[test]
    fn words_of_a_body_are_printable_and_short() {
        assert_eq!(words("<b>\r\nстоп\u{7}</b>".as_bytes()), "<b> стоп</b>");
        assert_eq!(words(&[0xff; 10_000]).chars().count(), WORDS_CHARS_MAX);
    }
}
