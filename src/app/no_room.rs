//! A disk without room for the store: the daemon waits for room instead of failing again and
//! again, and says so to everybody who asks.
//!
//! The store is not opened meanwhile, for opening writes. Intake tells senders to come again,
//! readiness and status say why; what can be told without the store goes on being told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, web};
use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::signal::unix::Signal;

use crate::config::DaemonSettings;
use crate::problem::problem;

use super::listeners::{self, BindError};
use super::space::free_bytes;
use super::watchdog::notify;

/// How often the disk is measured. The service manager hears of us as often.
const EVERY: Duration = Duration::from_secs(1);

const MIB: u64 = 1024 * 1024;

/// What came of waiting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// There is room.
    Room,
    /// The daemon was told to end.
    Ended,
}

/// Below this the store is not opened: a quarter of what must be free for new work, so that what
/// was accepted is still worked off while the intake is closed.
fn floor(daemon: &DaemonSettings) -> u64 {
    daemon.store.free_bytes_min / 4
}

/// Returns why the store cannot be opened now; nothing where the disk cannot be measured, for
/// then opening it says what is wrong.
fn lack(folder: &Path, floor: u64) -> Option<String> {
    let free = free_bytes(folder).ok().filter(|free| *free < floor)?;
    Some(format!(
        "{} MiB are free on the store's disk, and the store is not opened with less than {} MiB: \
         make room",
        free / MIB,
        floor / MIB
    ))
}

/// Waits until there is room for the store; at once where there is.
pub(super) async fn wait(
    daemon: &DaemonSettings,
    folder: &Path,
    ends: [&mut Signal; 2],
) -> Result<Waited, BindError> {
    let floor = floor(daemon);
    let Some(why) = lack(folder, floor) else {
        return Ok(Waited::Room);
    };
    tracing::error!(why, "waiting for room");
    let why = Arc::new(ArcSwap::from_pointee(why));
    // Intake first: a second daemon ends there, before it takes the socket from the first.
    let intake = listeners::bare_tcp("intake.listen", daemon.intake.listen, come_again)?;
    let told = Arc::clone(&why);
    let admin = move |config: &mut web::ServiceConfig| say_why(config, &told);
    let mut bound = vec![
        intake,
        listeners::bare_socket(&daemon.admin.socket, admin.clone())?,
    ];
    if daemon.admin.token.is_some() {
        let at = daemon.admin.listen;
        bound.push(listeners::bare_tcp("admin.listen", at, admin)?);
    }
    // Started as far as can be: the service manager is not to start us anew.
    notify(&[("READY", "1"), ("STATUS", "waiting for room on the disk")]);
    let [terminate, interrupt] = ends;
    let waited = loop {
        tokio::select! {
            _ = terminate.recv() => break Waited::Ended,
            _ = interrupt.recv() => break Waited::Ended,
            () = tokio::time::sleep(EVERY) => {}
        }
        notify(&[("WATCHDOG", "1")]);
        // A tenth more than the floor, so that it does not flap.
        match lack(folder, floor + floor / 10) {
            Some(lack) => why.store(Arc::new(lack)),
            None => break Waited::Room,
        }
    };
    tracing::info!(?waited, "waited for room");
    join_all(bound.iter().map(|one| one.handle.stop(true))).await;
    join_all(bound.into_iter().map(|one| one.task)).await;
    Ok(waited)
}

fn healthy(config: &mut web::ServiceConfig) {
    config.route(
        "/healthz",
        web::get().to(|| async { HttpResponse::Ok().body("ok\n") }),
    );
}

/// What senders hear.
fn come_again(config: &mut web::ServiceConfig) {
    healthy(config);
    config.default_service(web::to(|| async {
        let text = "nothing more is taken for now; try again";
        let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, text);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        response
    }));
}

/// What administrators hear.
fn say_why(config: &mut web::ServiceConfig, why: &Arc<ArcSwap<String>>) {
    healthy(config);
    let why = Arc::clone(why);
    config.default_service(web::to(move || {
        let why = why.load_full();
        async move { problem(StatusCode::SERVICE_UNAVAILABLE, &why) }
    }));
}
