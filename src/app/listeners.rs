//! Binds the HTTP endpoints.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_service::ServiceFactoryExt as _;
use actix_web::dev::{Server, ServerHandle, fn_service};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};
use tokio::net::TcpSocket;

use crate::admin::access::{Access, guard};
use crate::admin::sessions::Sessions;
use crate::admin::spoken::speak;
use crate::admin::state::AdminState;
use crate::intake::http::IntakeHttp;
use crate::model::secret::Secret;
use crate::questions::http::{self, QuestionsHttp};

use super::kept_socket;
use super::silent_connection::Attended;

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

/// Binds an address that a process before may have just left.
pub(super) fn tcp(listen: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = match listen {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(backlog)?.into_std()
}

/// Binds the intake endpoint, or takes the socket that the process before left.
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
    let socket = kept_socket::intake(listen).map_err(failed)?;
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
    .listen(socket)
    .map_err(failed)?
    .run();
    Ok(Bound {
        handle: server.handle(),
        task: tokio::task::spawn_local(server),
    })
}

/// Threads that answer questions: a share of every core, and no more than a small box has. They do
/// nothing else, so that whatever keeps the others busy holds no answer back.
const ANSWERING_MAX: usize = 4;

/// Connections at once of each answering thread: a phone system keeps one for each call that
/// rings, and who else may knock takes a place until its head has come.
const ASKERS_MAX: usize = 2048;

/// Connections that wait for a place.
const ASKERS_WAITING_MAX: u32 = 4096;

/// How long a phone system's connection is kept for its next question, at the least; twice that at
/// the most.
const ASKER_KEPT: Duration = Duration::from_secs(30);

/// How long a phone system that is shut out may take to notice, as long as at the other endpoints.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// Binds the endpoint of questions.
pub(super) fn questions(listen: SocketAddr, state: QuestionsHttp) -> Result<Bound, BindError> {
    let failed = |error| BindError {
        what: "questions.listen",
        at: listen.to_string(),
        error,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let server = Server::build()
        .workers(cores.min(ANSWERING_MAX))
        .max_concurrent_connections(ASKERS_MAX)
        .backlog(ASKERS_WAITING_MAX)
        .shutdown_timeout(SHUTDOWN_WITHIN_S)
        .disable_signals()
        .bind("questions", listen, move || {
            let state = Rc::new(state.clone());
            let service = HttpService::build()
                // Who is silent is given up by the connection itself.
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(HEAD_WITHIN)
                .client_disconnect_timeout(LEAVE_WITHIN)
                .h1(fn_service(move |request| {
                    let state = Rc::clone(&state);
                    async move { Ok::<_, Infallible>(http::serve(&state, request).await) }
                }));
            let connected = |stream: TcpStream| async move {
                let asker = stream.peer_addr().ok();
                Ok((Attended::new(stream, ASKER_KEPT), asker))
            };
            fn_service(connected).and_then(service)
        })
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
    let access = Access::Token(Arc::new(Sessions::new(token)));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(state.clone()))
            .app_data(web::Data::from(Arc::clone(&state.phrases)))
            .app_data(web::Data::new(access.clone()))
            .wrap(from_fn(guard))
            // Outermost: what the guard refuses is said in words as well.
            .wrap(from_fn(speak))
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
    // A socket that a killed daemon left; one that a living daemon holds was refused by the store.
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(state.clone()))
            .app_data(web::Data::from(Arc::clone(&state.phrases)))
            .app_data(web::Data::new(Access::Socket))
            .wrap(from_fn(guard))
            // Outermost: what the guard refuses is said in words as well.
            .wrap(from_fn(speak))
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
