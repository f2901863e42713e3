//! The socket of the simulator: takes a request in, lets the bucket, the fault plan and the
//! portal speak in that order, and carries out what a fault does to the answer.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use super::control::control;
use super::delivery::deliver;
use super::exchange::{Incoming, Reply};
use super::handle::{BitrixHandle, Shared};
use super::options::BitrixOptions;
use super::refusal::Refusal;
use super::world::World;
use crate::lab::fault::Fault;
use crate::lab::lab_clock::{LabClock, Moment};
use crate::lab::simulator::{Service, Simulator};
use crate::lab::socket;
use crate::lab::traffic::Traffic;

/// The largest body: a recording in base64, or fifty commands with long texts.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A running portal; it ends when dropped.
pub type BitrixLab = Simulator<BitrixHandle>;

/// Starts a simulated portal on a thread of its own.
///
/// # Errors
/// Fails when the address cannot be bound.
pub async fn start(options: BitrixOptions) -> io::Result<BitrixLab> {
    let listener = TcpListener::bind(options.listen)?;
    let clock = LabClock::start();
    let shared = Arc::new(Shared {
        address: listener.local_addr()?,
        world: Mutex::new(World::new(&options, clock.now())),
        clock,
        traffic: Traffic::new(options.log_entries_max, options.fault_seed),
        events_waiting: tokio::sync::Notify::new(),
        options,
    });
    let handle = BitrixHandle { shared };
    let service = Service {
        name: "bitrix24",
        listener,
        configure,
        beside: deliver,
    };
    service.start(handle).await
}

fn configure(app: &mut ServiceConfig) {
    app.app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .default_service(web::to(serve));
}

async fn serve(request: HttpRequest, body: Bytes, lab: web::Data<BitrixHandle>) -> HttpResponse {
    let lab = lab.get_ref().clone();
    let incoming = incoming_of(&request, &body);
    if incoming.path == "/_lab" || incoming.path.starts_with("/_lab/") {
        let reply = control(&lab, &incoming);
        let body = Bytes::copy_from_slice(&reply.body);
        return head(&reply).body(body);
    }
    let _under_way = lab.shared.traffic.begin();
    // While one request waits for the portal, the others must not get a later time of arrival.
    let now = lab.moment();
    let judge = lab.clone();
    let effect = web::block(move || take_effect(&judge, &incoming, now)).await;
    lab.shared.events_waiting.notify_one();
    let Ok((reply, fault)) = effect else {
        return HttpResponse::InternalServerError().finish();
    };
    let Some(reply) = reply else {
        return socket::close(&request);
    };
    let body = Bytes::copy_from_slice(&reply.body);
    match fault {
        Some(Fault::LateAfter { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            head(&reply).body(body)
        }
        Some(Fault::SlowDrip {
            chunk_bytes,
            pause_ms,
        }) => {
            let chunks = socket::drip(body, chunk_bytes, Duration::from_millis(pause_ms));
            head(&reply).streaming(chunks)
        }
        _ => head(&reply).body(body),
    }
}

/// Lets the request happen and takes down what became of it. No reply = close the connection.
fn take_effect(
    lab: &BitrixHandle,
    incoming: &Incoming,
    now: Moment,
) -> (Option<Reply>, Option<Fault>) {
    // One request at a time, from its ordinal to its effect, so that ordinals tell the order.
    let mut world = lab.world();
    world.clock_now = now;
    let traffic = &lab.shared.traffic;
    let (method, path) = (&incoming.method, &incoming.path);
    let query = &incoming.query_text;
    let (arrival, fault) = traffic.arrive(now.unix_ms, method, path, query, &incoming.body);
    let refusal = world.admit(incoming, now).map(|refusal| refusal.reply());
    let fault = fault.filter(|_| refusal.is_none());
    let reply = match (&refusal, &fault) {
        (Some(refusal), _) => Some(refusal.clone()),
        (None, Some(fault)) => struck(fault, |run_max| world.respond(incoming, now, run_max), {
            incoming.commands().len() / 2
        }),
        (None, None) => Some(world.respond(incoming, now, usize::MAX)),
    };
    let status = reply.as_ref().map(|reply| reply.status);
    arrival.answer(status, fault.as_ref());
    (reply, fault)
}

/// Returns the answer of a request that a fault strikes; `act` makes the effect of so many
/// commands of a batch.
fn struck(fault: &Fault, act: impl FnOnce(usize) -> Reply, half: usize) -> Option<Reply> {
    match fault {
        Fault::RefusedBefore => None,
        Fault::ErrorBefore { status } => Some(Reply::gateway_error(*status)),
        // The portal's own word for too many requests.
        Fault::TooManyRequests { .. } => Some(Refusal::too_many().reply()),
        Fault::ForbiddenJson => Some(Refusal::denied("Access denied!").reply()),
        Fault::BlockedHtml => {
            let text = "REST API is blocked due to overload.";
            Some(Refusal::new(503, "OVERLOAD_LIMIT", text).reply())
        }
        Fault::ExpiredToken => Some(Refusal::expired().reply()),
        Fault::LateAfter { .. } | Fault::SlowDrip { .. } => Some(act(usize::MAX)),
        Fault::LostAfter => {
            act(usize::MAX);
            None
        }
        Fault::ErrorAfter { status } => {
            act(usize::MAX);
            Some(Reply::gateway_error(*status))
        }
        Fault::PartialBatch { status } => {
            act(half);
            Some(Reply::gateway_error(*status))
        }
        Fault::TruncatedJson => {
            let mut reply = act(usize::MAX);
            reply.body.truncate(reply.body.len() / 2);
            Some(reply)
        }
        Fault::HtmlInsteadOfJson => {
            act(usize::MAX);
            let page = "<!DOCTYPE html><html><body>Технические работы</body></html>";
            Some(Reply::page(200, page))
        }
    }
}

fn incoming_of(request: &HttpRequest, body: &Bytes) -> Incoming {
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let (host, path) = split_host(request.path());
    let peer = request.peer_addr().map(|peer| peer.ip().to_string());
    Incoming {
        method: request.method().as_str().to_owned(),
        host,
        path,
        query_text: request.query_string().to_owned(),
        content_type: header("content-type"),
        user_agent: header("user-agent"),
        idempotency_key: header("idempotency-key"),
        peer: peer.unwrap_or_default(),
        body: body.to_vec(),
    }
}

/// Splits a path into the host that it names (`/@HOST/…`) and the rest.
fn split_host(path: &str) -> (Option<String>, String) {
    let named = path.strip_prefix("/@").map(|rest| match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, "/"),
    });
    match named {
        Some((host, rest)) => (Some(host.to_owned()), rest.to_owned()),
        None => (None, path.to_owned()),
    }
}

fn head(reply: &Reply) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type(reply.content_type);
    if let Some(location) = &reply.location {
        response.insert_header(("Location", location.clone()));
    }
    if reply.is_replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response
}
