//! Who may come in: the socket's file mode guards the socket; over TCP a known Host is asked for and a
//! bearer token or, of people with a browser, a session that the token began.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use subtle::ConstantTimeEq;

use crate::problem::problem;

use super::sessions::Sessions;

/// How requests of one listener are let in.
#[derive(Clone)]
pub enum Access {
    /// The local socket: whoever can open the file may come in.
    Socket,
    /// TCP on loopback: a bearer token is asked for, or a session; except by the health checks.
    Token(Arc<Sessions>),
}

/// Paths that show nothing of clients and settings: for health checks without a token.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// Where a session begins, which can ask for none.
pub(super) const SESSION: &str = "/v1/session";

/// The header that repeats a session's word.
const CSRF: &str = "x-csrf-token";

/// What every answer says to browsers: nothing comes from elsewhere, nothing runs that stands in a
/// page itself, nobody frames us, nothing is kept.
const SAID_TO_BROWSERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    // The window of a CRM's consent page is ours to close (S0-02); nobody who opens us is let near.
    (
        header::CROSS_ORIGIN_OPENER_POLICY,
        "same-origin-allow-popups",
    ),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The middleware.
pub async fn guard(
    access: web::Data<Access>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let refusal = match access.as_ref() {
        Access::Socket => None,
        Access::Token(sessions) => refuse(&request, sessions),
    };
    let mut response = match refusal {
        Some(response) => request.into_response(response).map_into_boxed_body(),
        None => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body)?,
    };
    for (name, value) in SAID_TO_BROWSERS {
        if !response.headers().contains_key(&name) {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

fn refuse(request: &ServiceRequest, sessions: &Sessions) -> Option<HttpResponse> {
    // The header itself: what a proxy would add is not believed, for there is none before us.
    let headers = request.headers();
    let host = text(headers, &header::HOST);
    if !is_loopback_host(host) {
        // A page of a foreign site that resolves its own name to 127.0.0.1.
        return Some(problem(StatusCode::FORBIDDEN, "unknown host"));
    }
    if OPEN.contains(&request.path()) {
        return None;
    }
    let bearer = text(headers, &header::AUTHORIZATION).strip_prefix("Bearer ");
    if bearer.is_some_and(|given| sessions.is_token(given)) {
        return None;
    }
    if is_foreign(headers, host) {
        return Some(problem(
            StatusCode::FORBIDDEN,
            "this comes from a page of another origin",
        ));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if request.path() == SESSION || (reads && super::pages::is_page(request.path())) {
        return None;
    }
    let csrf = session_id(request.request()).and_then(|id| sessions.csrf(&id));
    match csrf {
        Some(_) if reads => None,
        Some(csrf) if is_repeated(headers, &csrf) => None,
        Some(_) => Some(problem(
            StatusCode::FORBIDDEN,
            "a change must repeat the session's word in X-CSRF-Token; GET /v1/session tells it",
        )),
        None => Some(problem(
            StatusCode::UNAUTHORIZED,
            "a bearer token is needed; it stands in the file that trunkline.toml names as admin.token_file",
        )),
    }
}

/// Says whether a change repeats the session's word.
pub(super) fn is_repeated(headers: &HeaderMap, csrf: &str) -> bool {
    let given = headers.get(CSRF).map_or(&b""[..], HeaderValue::as_bytes);
    bool::from(given.ct_eq(csrf.as_bytes()))
}

/// Says whether a browser sent this for a page that is not ours. Ports of one machine share cookies
/// and sites, so the whole origin counts.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site == b"cross-site" || site == b"same-site") {
        // A link on another page may lead here: that shows the log-in page, and no more.
        let goes = headers.get("sec-fetch-mode").map(HeaderValue::as_bytes);
        if goes != Some(b"navigate") {
            return true;
        }
    }
    match headers.get(header::ORIGIN) {
        None => false,
        Some(origin) => {
            let origin = origin.to_str().unwrap_or_default();
            let ours = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            ours != Some(host)
        }
    }
}

/// Returns the session that a request names.
pub(super) fn session_id(request: &HttpRequest) -> Option<String> {
    let name = cookie_name(request);
    let headers = request.headers().get_all(header::COOKIE);
    let cookies = headers.filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| match pair.trim().split_once('=') {
        Some((found, id)) if found == name => Some(id.to_owned()),
        _ => None,
    })
}

/// Writes the cookie of a session; with `""`, one that ends it.
pub(super) fn session_cookie(request: &HttpRequest, id: &str) -> String {
    let name = cookie_name(request);
    let end = if id.is_empty() { "; Max-Age=0" } else { "" };
    format!("{name}={id}; Path=/; HttpOnly; SameSite=Strict{end}")
}

/// Returns the cookie's name. Browsers do not tell ports apart in cookies, and two daemons may be
/// reached by tunnels to one machine: each has its own.
fn cookie_name(request: &HttpRequest) -> String {
    let host = text(request.headers(), &header::HOST);
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    let digits: String = port.chars().filter(char::is_ascii_digit).take(5).collect();
    format!("trunkline_session_{digits}")
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn is_loopback_host(host: &str) -> bool {
    let name = if host.starts_with('[') {
        host.split_once(']')
            .map_or(host, |(name, _)| name.trim_start_matches('['))
    } else {
        host.rsplit_once(':').map_or(host, |(name, _)| name)
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_hosts_of_ours() {
        for host in [
            "127.0.0.1:8460",
            "localhost:8460",
            "localhost",
            "[::1]:8460",
            "[::1]",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "evil.example:8460",
            "127.0.0.1.evil.example",
            "",
            "[",
            "10.0.0.1:8460",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
