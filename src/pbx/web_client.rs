//! Requests to a phone system's own API over HTTP: to one address that the administrator gave,
//! bounded in time and size, nothing repeated, no redirect followed. Knows no vendor.

use std::error::Error as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use url::Url;

use crate::model::secret::Secret;

/// Time to connect.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Time for the whole of a request, body included: a month of calls is a few megabytes.
const TOTAL_MAX: Duration = Duration::from_secs(30);

/// Longest answer that is read, in bytes: some fifty thousand calls.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Longest beginning of a body that is shown, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// The way to one phone system.
#[derive(Clone)]
pub struct WebClient {
    base: Url,
    client: reqwest::Client,
}

/// Why there is no way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebSetupError {
    /// The address is none.
    #[error("write an address such as https://pbx.example.com, without a query")]
    BadAddress,
    /// Without TLS everybody on the way could read the key.
    #[error("use https://: without TLS the key could be read on the way")]
    NotSecure,
    /// The certificates of this machine cannot be used.
    #[error("tls: {0}")]
    Tls(String),
}

/// A request.
#[derive(Debug, Clone, Default)]
pub struct WebRequest<'a> {
    /// It changes something, or its parameters do not belong into logs on the way.
    pub post: bool,
    /// The path below the address, beginning with a slash.
    pub path: &'a str,
    /// The query.
    pub query: &'a [(&'a str, String)],
    /// A header with a secret.
    pub key: Option<(&'static str, &'a Secret)>,
    /// The body with its type.
    pub body: Option<(&'static str, Vec<u8>)>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// When to come again, where the phone system says it in seconds.
    pub retry_after: Option<Duration>,
    /// The body, whole.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// It never left: nothing happened there.
    #[error("{0}")]
    NotSent(String),
    /// It left, and what became of it is not known.
    #[error("{0}")]
    NoAnswer(String),
}

impl WebClient {
    /// Prepares the way; connects to nothing. Without TLS only this machine is spoken to.
    pub fn new(address: &str) -> Result<Self, WebSetupError> {
        let base = read_address(address)?;
        // Another part of the process may have chosen a provider already: then that one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .user_agent(concat!("Trunkline/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .timeout(TOTAL_MAX)
            .build()
            .map_err(|error| WebSetupError::Tls(describe(&error)))?;
        Ok(Self { base, client })
    }

    /// Returns the host, for people.
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Sends a request once and reads its answer.
    pub async fn send(&self, request: WebRequest<'_>) -> Result<WebAnswer, WebError> {
        let mut url = self.base.clone();
        let path = format!("{}{}", self.base.path().trim_end_matches('/'), request.path);
        url.set_path(&path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        let method = match request.post {
            true => reqwest::Method::POST,
            false => reqwest::Method::GET,
        };
        let mut building = self.client.request(method, url);
        if let Some((name, secret)) = request.key {
            building = building.headers(secret_header(name, secret)?);
        }
        if let Some((content_type, body)) = request.body {
            building = building
                .header(reqwest::header::CONTENT_TYPE, content_type)
                .body(body);
        }
        let answered = building.send().await.map_err(|error| {
            let words = describe(&error);
            match error.is_connect() || error.is_builder() {
                true => WebError::NotSent(words),
                false => WebError::NoAnswer(words),
            }
        })?;
        read_answer(answered).await
    }
}

fn read_address(address: &str) -> Result<Url, WebSetupError> {
    let url = Url::parse(address).map_err(|_| WebSetupError::BadAddress)?;
    let plain = url.username().is_empty() && url.password().is_none();
    let whole = url.has_host() && url.query().is_none() && url.fragment().is_none();
    if !(plain && whole) {
        return Err(WebSetupError::BadAddress);
    }
    let here = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        "http" => Err(WebSetupError::NotSecure),
        _ => Err(WebSetupError::BadAddress),
    }
}

fn secret_header(name: &'static str, secret: &Secret) -> Result<HeaderMap, WebError> {
    let mut value = HeaderValue::from_str(secret.expose())
        .map_err(|_| WebError::NotSent("the key holds what no header may hold".to_owned()))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(
        HeaderName::from_static(name),
        value,
    )]))
}

async fn read_answer(mut answer: reqwest::Response) -> Result<WebAnswer, WebError> {
    let status = answer.status().as_u16();
    let seconds = answer.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = BytesMut::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) > BODY_BYTES_MAX => {
                let why = format!("the answer is longer than {BODY_BYTES_MAX} bytes");
                return Err(WebError::NoAnswer(why));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(WebError::NoAnswer(describe(&error))),
        }
    }
    Ok(WebAnswer {
        status,
        retry_after: seconds.map(Duration::from_secs),
        body: body.freeze(),
    })
}

impl WebAnswer {
    /// Returns the beginning of the body as printable text, for messages.
    pub fn words(&self) -> String {
        let beginning = self.body.get(..WORDS_CHARS_MAX * 4).unwrap_or(&self.body);
        let text = String::from_utf8_lossy(beginning);
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        line.chars()
            .filter(|c| !c.is_control())
            .take(WORDS_CHARS_MAX)
            .collect()
    }
}

/// Joins an error with its causes. The address is left out: its query may hold clients' numbers.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_addresses_with_tls_or_on_this_machine_are_taken() {
        for (address, expected) in [
            ("https://demo.example.ru", None),
            ("https://demo.example.ru:8443/below", None),
            ("http://127.0.0.1:8470", None),
            ("http://localhost:8470", None),
            ("http://[::1]:8470", None),
            ("http://demo.example.ru", Some(WebSetupError::NotSecure)),
            ("http://127.example.ru", Some(WebSetupError::NotSecure)),
            ("demo.example.ru", Some(WebSetupError::BadAddress)),
            ("ftp://demo.example.ru", Some(WebSetupError::BadAddress)),
            (
                "https://u:p@demo.example.ru",
                Some(WebSetupError::BadAddress),
            ),
            (
                "https://demo.example.ru/?a=b",
                Some(WebSetupError::BadAddress),
            ),
        ] {
            assert_eq!(read_address(address).err(), expected, "{address}");
        }
    }

    #[test]
    fn a_key_that_no_header_may_hold_never_leaves() {
        let broken = Secret::new("a\r\nb".to_owned());
        assert!(matches!(
            secret_header("x-api-key", &broken),
            Err(WebError::NotSent(_))
        ));
    }
}
