//! The socket of the simulator: takes a request in, lets the limit, the fault plan and the account
//! speak in that order, and carries out what a fault does to the answer.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use super::exchange::{Incoming, Reply};
use super::handle::{AlfaHandle, Shared};
use super::hooks;
use super::options::AlfaOptions;
use super::world::World;
use crate::lab::fault::Fault;
use crate::lab::lab_clock::{LabClock, Moment};
use crate::lab::simulator::{Service, Simulator};
use crate::lab::socket;
use crate::lab::traffic::Traffic;

/// The largest body: a long comment.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A running account; it ends when dropped.
pub type AlfaLab = Simulator<AlfaHandle>;

/// Starts a simulated account on a thread of its own.
///
/// # Errors
/// Fails when the address cannot be bound.
pub async fn start(options: AlfaOptions) -> io::Result<AlfaLab> {
    let listener = TcpListener::bind(options.listen)?;
    let clock = LabClock::start();
    let shared = Shared {
        address: listener.local_addr()?,
        world: Mutex::new(World::new(&options, clock.now())),
        clock,
        traffic: Traffic::new(options.log_entries_max, options.fault_seed),
    };
    let handle = AlfaHandle {
        shared: Arc::new(shared),
    };
    let service = Service {
        name: "alfacrm",
        listener,
        configure,
        beside: hooks::deliver,
    };
    service.start(handle).await
}

fn configure(app: &mut ServiceConfig) {
    app.app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .default_service(web::to(serve));
}

async fn serve(request: HttpRequest, body: Bytes, lab: web::Data<AlfaHandle>) -> HttpResponse {
    let lab = lab.get_ref();
    let incoming = incoming_of(&request, &body);
    if incoming.path.starts_with("/_lab") {
        let body = super::control::answer(lab, &incoming);
        return head(&body).body(body.body);
    }
    let _under_way = lab.shared.traffic.begin();
    let (reply, fault) = take_effect(lab, &incoming, lab.shared.clock.now());
    let Some(reply) = reply else {
        return socket::close(&request);
    };
    match fault {
        Some(Fault::LateAfter { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(Fault::SlowDrip {
            chunk_bytes,
            pause_ms,
        }) => {
            let pause = Duration::from_millis(pause_ms);
            let mut head = head(&reply);
            return head.streaming(socket::drip(reply.body.into(), chunk_bytes, pause));
        }
        _ => {}
    }
    head(&reply).body(reply.body)
}

/// Lets the request happen and takes down what became of it. No reply = close the connection.
fn take_effect(
    lab: &AlfaHandle,
    incoming: &Incoming,
    now: Moment,
) -> (Option<Reply>, Option<Fault>) {
    // One request at a time, from its ordinal to its effect, so that ordinals tell the order.
    let mut world = lab.world();
    world.now = now;
    let traffic = &lab.shared.traffic;
    let (method, path) = (&incoming.method, &incoming.path);
    let query = &incoming.query_text;
    let (arrival, fault) = traffic.arrive(now.unix_ms, method, path, query, &incoming.body);
    let (reply, fault) = match (world.admit(), fault) {
        (Some(refusal), _) => (Some(refusal), None),
        (None, Some(fault)) => (struck(&fault, || world.respond(incoming)), Some(fault)),
        (None, None) => (Some(world.respond(incoming)), None),
    };
    let status = reply.as_ref().map(|reply| reply.status);
    arrival.answer(status, fault.as_ref());
    (reply, fault)
}

/// Returns the answer of a request that a fault strikes; `act` makes its effect.
fn struck(fault: &Fault, act: impl FnOnce() -> Reply) -> Option<Reply> {
    let page = |status: u16| Reply::page(status, "<html><head><title>nginx</title></head></html>");
    match fault {
        Fault::RefusedBefore => None,
        Fault::ErrorBefore { status } => Some(page(*status)),
        Fault::TooManyRequests { retry_after_s } => Some(Reply::too_many(*retry_after_s)),
        Fault::ForbiddenJson => Some(Reply::forbidden()),
        Fault::BlockedHtml => Some(page(403)),
        Fault::ExpiredToken => Some(Reply::unauthorised()),
        Fault::LateAfter { .. } | Fault::SlowDrip { .. } => Some(act()),
        Fault::LostAfter => {
            act();
            None
        }
        // One record to a request: there is no half of it.
        Fault::ErrorAfter { status } | Fault::PartialBatch { status } => {
            act();
            Some(page(*status))
        }
        Fault::TruncatedJson => {
            let mut reply = act();
            reply.body.truncate(reply.body.len() / 2);
            Some(reply)
        }
        Fault::HtmlInsteadOfJson => {
            act();
            Some(page(200))
        }
    }
}

fn incoming_of(request: &HttpRequest, body: &Bytes) -> Incoming {
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let query = web::Query::<BTreeMap<String, String>>::from_query(request.query_string());
    let is_json = header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    Incoming {
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        query_text: request.query_string().to_owned(),
        query: query.map(web::Query::into_inner).unwrap_or_default(),
        token: header("x-alfacrm-token"),
        app_key: header("x-app-key"),
        is_json,
        body: body.to_vec(),
    }
}

fn head(reply: &Reply) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type(reply.content_type);
    if let Some(seconds) = reply.retry_after_s {
        response.insert_header(("Retry-After", seconds.to_string()));
    }
    response
}
