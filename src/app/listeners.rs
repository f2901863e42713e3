//! Binds the HTTP endpoints.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use crate::admin::access::{Access, guard};
use crate::admin::state::AdminState;
use crate::intake::http::IntakeHttp;
use crate::model::secret::Secret;

/// Threads of each endpoint: the box is small, and a handler only waits for the store.
const WORKERS: usize = 1;

/// Connections at once of each endpoint: platforms keep few; strangers get no more memory.
const CONNECTIONS_MAX: usize = 512;

/// How long a client may take to send its head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long requests under way may take at the end.
const SHUTDOWN_WITHIN_S: u64 = 3;

/// Why an endpoint could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("bind {what} at {at}: {error}")]
pub(super) struct BindError {
    what: &'static str,
    at: String,
    error: std::io::Error,
}

/// A bound endpoint.
pub(super) struct Bound {
    /// Stops it.
    pub(super) handle: ServerHandle,
    /// Runs it.
    pub(super) task: tokio::task::JoinHandle<std::io::Result<()>>,
}

/// Binds the intake endpoint.
pub(super) fn intake(
    listen: SocketAddr,
    body_bytes_max: usize,
    state: IntakeHttp,
) -> Result<Bound, BindError> {
    let failed = |error| BindError {
        what: "intake.listen",
        at: listen.to_string(),
        error,
    };
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(state.clone()))
            .app_data(web::PayloadConfig::new(body_bytes_max))
            .configure(crate::intake::http::configure)
    })
    .workers(WORKERS)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(HEAD_WITHIN)
    .shutdown_timeout(SHUTDOWN_WITHIN_S)
    .disable_signals()
    .bind(listen)
    .map_err(failed)?
    .run();
    Ok(Bound {
        handle: server.handle(),
        task: tokio::task::spawn_local(server),
    })
}

/// Binds the administrator's endpoint over TCP.
pub(super) fn admin_tcp(
    listen: SocketAddr,
    token: Secret,
    state: AdminState,
) -> Result<Bound, BindError> {
    let failed = |error| BindError {
        what: "admin.listen",
        at: listen.to_string(),
        error,
    };
    let access = Access::Token(Arc::new(token));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(state.clone()))
            .app_data(web::Data::new(access.clone()))
            .wrap(from_fn(guard))
            .configure(crate::admin::configure)
    })
    .workers(WORKERS)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(HEAD_WITHIN)
    .shutdown_timeout(SHUTDOWN_WITHIN_S)
    .disable_signals()
    .bind(listen)
    .map_err(failed)?
    .run();
    Ok(Bound {
        handle: server.handle(),
        task: tokio::task::spawn_local(server),
    })
}

/// Binds the administrator's endpoint at the local socket (0660: the file's group may use it).
pub(super) fn admin_socket(path: &Path, state: AdminState) -> Result<Bound, BindError> {
    let failed = |error| BindError {
        what: "admin.socket",
        at: path.display().to_string(),
        error,
    };
    // One that a living daemon holds was refused by the store.
    remove_left(path).map_err(failed)?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(state.clone()))
            .app_data(web::Data::new(Access::Socket))
            .wrap(from_fn(guard))
            .configure(crate::admin::configure)
    })
    .workers(WORKERS)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(HEAD_WITHIN)
    .shutdown_timeout(SHUTDOWN_WITHIN_S)
    .disable_signals()
    .bind_uds(path)
    .map_err(failed)?
    .run();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(Bound {
        handle: server.handle(),
        task: tokio::task::spawn_local(server),
    })
}

/// Removes a socket that a killed daemon left.
fn remove_left(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Binds an endpoint that can do without a store.
pub(super) fn bare_tcp(
    what: &'static str,
    listen: SocketAddr,
    configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> Result<Bound, BindError> {
    let server = HttpServer::new(move || App::new().configure(configure.clone()))
        .workers(WORKERS)
        .max_connections(CONNECTIONS_MAX)
        .client_request_timeout(HEAD_WITHIN)
        .shutdown_timeout(SHUTDOWN_WITHIN_S)
        .disable_signals()
        .bind(listen)
        .map_err(|error| BindError {
            what,
            at: listen.to_string(),
            error,
        })?
        .run();
    Ok(Bound {
        handle: server.handle(),
        task: tokio::task::spawn_local(server),
    })
}

/// Binds the local socket for an endpoint that can do without a store.
pub(super) fn bare_socket(
    path: &Path,
    configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> Result<Bound, BindError> {
    let failed = |error| BindError {
        what: "admin.socket",
        at: path.display().to_string(),
        error,
    };
    remove_left(path).map_err(failed)?;
    let server = HttpServer::new(move || App::new().configure(configure.clone()))
        .workers(WORKERS)
        .max_connections(CONNECTIONS_MAX)
        .client_request_timeout(HEAD_WITHIN)
        .shutdown_timeout(SHUTDOWN_WITHIN_S)
        .disable_signals()
        .bind_uds(path)
        .map_err(failed)?
        .run();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(Bound {
        handle: server.handle(),
        task: tokio::task::spawn_local(server),
    })
}
