//! The socket of the simulator: takes a request in, lets the limiter, the fault plan and the
//! account speak in that order, and carries out what a fault does to the answer.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use super::control::control;
use super::delivery::deliver_hooks;
use super::exchange::{Incoming, Query, Reply};
use super::handle::{AmoHandle, Shared};
use super::lab_clock::{LabClock, Moment};
use super::options::AmoOptions;
use super::world::World;
use crate::lab::fault::Fault;
use crate::lab::simulator::{Service, Simulator};
use crate::lab::socket;
use crate::lab::traffic::Traffic;

/// The largest body: 250 calls with long links are about 200 kB, so this leaves room.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A running account; it ends when dropped.
pub type AmoLab = Simulator<AmoHandle>;

/// Starts a simulated account on a thread of its own.
///
/// # Errors
/// Fails when the address cannot be bound.
pub async fn start(options: AmoOptions) -> io::Result<AmoLab> {
    let listener = TcpListener::bind(options.listen)?;
    let shared = Arc::new(Shared {
        address: listener.local_addr()?,
        clock: LabClock::start(),
        world: Mutex::new(World::new(&options)),
        traffic: Traffic::new(options.log_entries_max, options.fault_seed),
        hooks_waiting: tokio::sync::Notify::new(),
        options,
    });
    let handle = AmoHandle { shared };
    let service = Service {
        name: "amocrm",
        listener,
        configure,
        beside: deliver_hooks,
    };
    service.start(handle).await
}

fn configure(app: &mut ServiceConfig) {
    app.app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .default_service(web::to(serve));
}

async fn serve(request: HttpRequest, body: Bytes, lab: web::Data<AmoHandle>) -> HttpResponse {
    let lab = lab.get_ref().clone();
    let incoming = incoming_of(&request, &body, &lab);
    if incoming.path == "/_lab" || incoming.path.starts_with("/_lab/") {
        let reply = control(&lab, &incoming);
        return respond(&reply, 0, lab.now(), Bytes::copy_from_slice(&reply.body));
    }
    // While one request waits for the account (somebody takes the oracle), the others must not
    // get a later time of arrival, or an even pace would look like a burst.
    let now = lab.moment();
    let _under_way = lab.shared.traffic.begin();
    let judge = lab.clone();
    let effect = web::block(move || take_effect(&judge, incoming, now)).await;
    lab.shared.hooks_waiting.notify_one();
    let Ok((ordinal, reply, fault)) = effect else {
        return HttpResponse::InternalServerError().finish();
    };
    let Some(reply) = reply else {
        return socket::close(&request);
    };
    let body = Bytes::copy_from_slice(&reply.body);
    match fault {
        Some(Fault::LateAfter { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            respond(&reply, ordinal, now.seconds(), body)
        }
        Some(Fault::SlowDrip {
            chunk_bytes,
            pause_ms,
        }) => drip(&reply, ordinal, now.seconds(), body, chunk_bytes, pause_ms),
        _ => respond(&reply, ordinal, now.seconds(), body),
    }
}

/// Lets the request happen and takes down what became of it. No reply = close the connection.
fn take_effect(
    lab: &AmoHandle,
    mut incoming: Incoming,
    now: Moment,
) -> (u64, Option<Reply>, Option<Fault>) {
    // One request at a time, from its ordinal to its effect, so that ordinals tell the order.
    let mut world = lab.world();
    let traffic = &lab.shared.traffic;
    let (method, path) = (&incoming.method, &incoming.path);
    let query = &incoming.query_text;
    let (arrival, fault) = traffic.arrive(now.unix_ms, method, path, query, &incoming.body);
    let ordinal = arrival.ordinal;
    let refusal = world.admit(&incoming, now);
    let fault = fault.filter(|_| refusal.is_none());
    let reply = match (&refusal, &fault) {
        (Some(refusal), _) => Some(refusal.clone()),
        (None, Some(fault)) => struck(fault, || {
            if matches!(fault, Fault::PartialBatch { .. }) {
                keep_first_half(&mut incoming);
            }
            world.respond(&incoming, now)
        }),
        (None, None) => Some(world.respond(&incoming, now)),
    };
    let status = reply.as_ref().map(|reply| reply.status);
    arrival.answer(status, fault.as_ref());
    (ordinal, reply, fault)
}

/// Returns the answer of a request that a fault strikes; `act` makes the effect.
fn struck(fault: &Fault, act: impl FnOnce() -> Reply) -> Option<Reply> {
    match fault {
        Fault::RefusedBefore => None,
        Fault::ErrorBefore { status } => Some(Reply::gateway_error(*status)),
        Fault::TooManyRequests { retry_after_s } => Some(Reply::too_many(*retry_after_s)),
        Fault::ForbiddenJson => Some(Reply::forbidden()),
        Fault::BlockedHtml => Some(Reply::blocked()),
        Fault::ExpiredToken => Some(Reply::unauthorized()),
        Fault::LateAfter { .. } | Fault::SlowDrip { .. } => Some(act()),
        Fault::LostAfter => {
            act();
            None
        }
        Fault::ErrorAfter { status } | Fault::PartialBatch { status } => {
            act();
            Some(Reply::gateway_error(*status))
        }
        Fault::TruncatedJson => {
            let mut reply = act();
            reply.body.truncate(reply.body.len() / 2);
            Some(reply)
        }
        Fault::HtmlInsteadOfJson => {
            act();
            let page = "<!DOCTYPE html><html><body>Технические работы</body></html>";
            Some(Reply::plain(200, "text/html", page))
        }
    }
}

fn keep_first_half(incoming: &mut Incoming) {
    if let Ok(serde_json::Value::Array(mut items)) = serde_json::from_slice(&incoming.body) {
        items.truncate(items.len() / 2);
        incoming.body = serde_json::Value::Array(items).to_string().into_bytes();
    }
}

fn incoming_of(request: &HttpRequest, body: &Bytes, lab: &AmoHandle) -> Incoming {
    let headers = request.headers();
    let (host, path) = super::hosts::split(request.path());
    Incoming {
        method: request.method().as_str().to_owned(),
        host,
        path,
        query_text: request.query_string().to_owned(),
        query: Query::parse(request.query_string()),
        authorization: header(headers, "authorization"),
        content_type: header(headers, "content-type"),
        user_agent: header(headers, "user-agent"),
        context_user: header(headers, "x-context-user-id"),
        if_modified_since: header(headers, "if-modified-since"),
        refresh_token_header: header(headers, "x-refresh-token"),
        body: body.to_vec(),
        base: lab.base_url(),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

fn head(reply: &Reply, ordinal: u64, now: i64) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type(reply.content_type);
    response.insert_header(("X-Request-Id", format!("lab-{ordinal}")));
    // The account's own clock, which a script may have moved.
    if let Ok(now) = jiff::Timestamp::from_second(now) {
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response.insert_header(("Date", date));
    }
    if let Some(seconds) = reply.retry_after_s {
        response.insert_header(("Retry-After", seconds.to_string()));
    }
    response
}

fn respond(reply: &Reply, ordinal: u64, now: i64, body: Bytes) -> HttpResponse {
    head(reply, ordinal, now).body(body)
}

/// Sends the body in small chunks with pauses between them.
fn drip(
    reply: &Reply,
    ordinal: u64,
    now: i64,
    body: Bytes,
    chunk_bytes: usize,
    pause_ms: u64,
) -> HttpResponse {
    let chunks = socket::drip(body, chunk_bytes, Duration::from_millis(pause_ms));
    head(reply, ordinal, now).streaming(chunks)
}
