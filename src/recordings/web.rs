//! Fetches files from a web server of the phone system: only from the configured address and what
//! lies below it. Redirects are not followed.

use std::io::Write;
use std::time::Duration;

use reqwest::header::CONTENT_LENGTH;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use tempfile::NamedTempFile;
use url::Url;

use super::way::Way;
use crate::model::secret::Secret;

/// Time to connect, and the longest silence of a server.
const CONNECT_MAX: Duration = Duration::from_secs(10);
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Longest time for one file, however slowly it drips.
const FETCH_MAX: Duration = Duration::from_secs(1800);

/// Longest file: a day of WAV at 8 kHz, 16 bits.
pub(super) const FILE_BYTES_MAX: u64 = 1_500_000_000;

/// A web server with recordings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) secret: Option<&'a Secret>,
    pub(super) key_header: Option<&'a str>,
}

/// Makes the client for all servers.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    // Another part of the process may have chosen a provider already: then that one serves.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
        .user_agent(concat!("Trunkline/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_MAX)
        .read_timeout(SILENCE_MAX)
        .build()
}

/// Returns the address of a file that a source named by an address; `None` where it is not below
/// the root.
pub(super) fn address(name: &str, root: &Url) -> Option<Url> {
    let url = Url::parse(name).ok()?;
    // Parsing has resolved every `..`, also those that were written as %2e.
    let same_place = url.scheme() == root.scheme()
        && url.host() == root.host()
        && url.port_or_known_default() == root.port_or_known_default();
    let below = url.path().strip_prefix(root.path())?;
    let upwards = below
        .to_ascii_lowercase()
        .replace("%2f", "/")
        .replace("%5c", "/");
    let sound = !upwards.split('/').any(|part| part == "..") && !below.is_empty();
    let plain = url.username().is_empty() && url.password().is_none();
    (same_place && sound && plain).then_some(url)
}

/// Returns the address of the file at a way below the root.
pub(super) fn address_of(way: &Way, root: &Url) -> Option<Url> {
    let mut url = root.clone();
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(way.parts());
    Some(url)
}

impl Server<'_> {
    fn request(&self, client: &Client, method: Method, url: &Url) -> RequestBuilder {
        let request = client.request(method, url.clone());
        if let (Some(header), Some(secret)) = (self.key_header, self.secret) {
            return request.header(header, secret.expose());
        }
        match (self.user, self.secret) {
            (Some(user), secret) => request.basic_auth(user, secret.map(Secret::expose)),
            (None, Some(secret)) => request.bearer_auth(secret.expose()),
            (None, None) => request,
        }
    }

    /// Returns the length of a file as the server says it; `None` where there is no such file.
    pub(super) async fn length(
        &self,
        client: &Client,
        url: &Url,
    ) -> Result<Option<Length>, String> {
        let asked = self.request(client, Method::HEAD, url).send().await;
        let answer = asked.map_err(|error| words(&error))?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                Ok(Some(Length::Untold))
            }
            status if status.is_success() => {
                let header = answer.headers().get(CONTENT_LENGTH);
                let told = header.and_then(|value| value.to_str().ok()?.parse().ok());
                Ok(Some(told.map_or(Length::Untold, Length::Bytes)))
            }
            status => Err(refused(status)),
        }
    }

    /// Fetches a file; `None` where there is none.
    pub(super) async fn fetch(
        &self,
        client: &Client,
        url: &Url,
        into: &mut NamedTempFile,
    ) -> Result<Option<u64>, String> {
        let fetching = self.read_all(client, url, into);
        match tokio::time::timeout(FETCH_MAX, fetching).await {
            Ok(fetched) => fetched,
            Err(_) => Err(format!(
                "the phone system's web server did not send it within {} minutes",
                FETCH_MAX.as_secs() / 60
            )),
        }
    }

    async fn read_all(
        &self,
        client: &Client,
        url: &Url,
        into: &mut NamedTempFile,
    ) -> Result<Option<u64>, String> {
        let asked = self.request(client, Method::GET, url).send().await;
        let mut answer = asked.map_err(|error| words(&error))?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            status if status == StatusCode::OK => {}
            status => return Err(refused(status)),
        }
        let mut bytes: u64 = 0;
        while let Some(chunk) = answer.chunk().await.map_err(|error| words(&error))? {
            bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if bytes > FILE_BYTES_MAX {
                return Err(format!("it is longer than {FILE_BYTES_MAX} bytes"));
            }
            // A chunk is some kilobytes: the page cache takes it at once.
            into.write_all(&chunk)
                .map_err(|error| format!("cannot keep it: {error}"))?;
        }
        Ok(Some(bytes))
    }
}

/// What a server says about a file's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Bytes(u64),
    /// Nothing.
    Untold,
}

fn refused(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => format!(
            "the phone system's web server says {}: check user and secret of the recordings",
            status.as_u16()
        ),
        status => format!("the phone system's web server says {}", status.as_u16()),
    }
}

/// Says what happened without the address: a part of it may be a secret.
fn words(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "broke the connection off"
    };
    format!("the phone system's web server {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Url {
        Url::parse("https://pbx.example/rec/").expect("an address")
    }

    #[test]
    fn only_addresses_below_the_root_are_asked() {
        for (name, expected) in [
            ("https://pbx.example/rec/2026/a.mp3", true),
            ("https://pbx.example:443/rec/get?id=7", true),
            ("https://pbx.example/rec/../admin", false),
            ("https://pbx.example/rec/%2e%2e/admin", false),
            ("https://pbx.example/rec/..%2fadmin", false),
            ("https://pbx.example/record/a.mp3", false),
            ("https://pbx.example/rec/", false),
            ("http://pbx.example/rec/a.mp3", false),
            ("https://pbx.example:8443/rec/a.mp3", false),
            ("https://pbx.example.evil.example/rec/a.mp3", false),
            ("https://user:word@pbx.example/rec/a.mp3", false),
            ("file:///etc/passwd", false),
            ("a.mp3", false),
        ] {
            assert_eq!(address(name, &root()).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn the_parts_of_a_way_stay_parts() {
        let way = Way::parse("2026/a b?c#d%2e.wav").expect("a way");
        let url = address_of(&way, &root()).expect("an address");
        assert_eq!(
            url.as_str(),
            "https://pbx.example/rec/2026/a%20b%3Fc%23d%252e.wav"
        );
    }
}
