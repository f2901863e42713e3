//! Who may come in: the socket's file mode guards the socket; over TCP a bearer token and a known
//! Host are asked for.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use subtle::ConstantTimeEq;

use crate::model::secret::Secret;
use crate::problem::problem;

/// How requests of one listener are let in.
#[derive(Clone)]
pub enum Access {
    /// The local socket: whoever can open the file may come in.
    Socket,
    /// TCP on loopback: a bearer token is asked for, except by the health checks.
    Token(Arc<Secret>),
}

/// Paths that show nothing of clients and settings: for health checks without a token.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// The middleware.
pub async fn guard(
    access: web::Data<Access>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let refusal = match access.as_ref() {
        Access::Socket => None,
        Access::Token(token) => refuse(&request, token),
    };
    match refusal {
        Some(response) => Ok(request.into_response(response).map_into_boxed_body()),
        None => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
    }
}

fn refuse(request: &ServiceRequest, token: &Secret) -> Option<actix_web::HttpResponse> {
    // The header itself: what a proxy would add is not believed, for there is none before us.
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_loopback_host(host) {
        // A page of a foreign site that resolves its own name to 127.0.0.1.
        return Some(problem(StatusCode::FORBIDDEN, "unknown host"));
    }
    if OPEN.contains(&request.path()) {
        return None;
    }
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(token.expose().as_bytes())) {
        return None;
    }
    Some(problem(
        StatusCode::UNAUTHORIZED,
        "a bearer token is needed; it stands in the file that trunkline.toml names as admin.token_file",
    ))
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
