//! The socket of the simulator: takes a request in, lets the limits, the fault plan and the account
//! speak in that order, and carries out what a fault does to the answer.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use super::exchange::{Incoming, Reply};
use super::handle::{PlanfixHandle, Shared};
use super::hooks;
use super::options::PlanfixOptions;
use super::world::World;
use crate::lab::fault::Fault;
use crate::lab::lab_clock::{LabClock, Moment};
use crate::lab::simulator::{Service, Simulator};
use crate::lab::socket;
use crate::lab::traffic::Traffic;

/// A running account; it ends when dropped.
pub type PlanfixLab = Simulator<PlanfixHandle>;

/// Starts a simulated account on a thread of its own.
///
/// # Errors
/// Fails when the address cannot be bound.
pub async fn start(options: PlanfixOptions) -> io::Result<PlanfixLab> {
    let listener = TcpListener::bind(options.listen)?;
    let clock = LabClock::start();
    let shared = Arc::new(Shared {
        address: listener.local_addr()?,
        world: Mutex::new(World::new(&options, clock.now().unix_ms)),
        clock,
        traffic: Traffic::new(options.log_entries_max, options.fault_seed),
        options,
    });
    let handle = PlanfixHandle { shared };
    let service = Service {
        name: "planfix",
        listener,
        configure,
        beside: hooks::deliver,
    };
    service.start(handle).await
}

fn configure(app: &mut ServiceConfig) {
    app.default_service(web::to(serve));
}

async fn serve(request: HttpRequest, body: Bytes, lab: web::Data<PlanfixHandle>) -> HttpResponse {
    let lab = lab.get_ref().clone();
    let incoming = incoming_of(&request, &body);
    let _under_way = lab.shared.traffic.begin();
    let now = lab.shared.clock.now();
    let (reply, fault) = take_effect(&lab, &incoming, now);
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
    lab: &PlanfixHandle,
    incoming: &Incoming,
    now: Moment,
) -> (Option<Reply>, Option<Fault>) {
    // One request at a time, from its ordinal to its effect, so that ordinals tell the order.
    let mut world = lab.world();
    world.now_ms = now.unix_ms;
    let traffic = &lab.shared.traffic;
    let (method, path) = (&incoming.method, &incoming.path);
    let query = &incoming.query_text;
    let (arrival, fault) = traffic.arrive(now.unix_ms, method, path, query, &incoming.body);
    let refusal = world.turned_away(incoming);
    let fault = fault.filter(|_| refusal.is_none());
    let reply = match (&refusal, &fault) {
        (Some(refusal), _) => Some(refusal.clone()),
        (None, Some(fault)) => struck(fault, &mut world, incoming),
        (None, None) => Some(world.respond(incoming)),
    };
    let status = reply.as_ref().map(|reply| reply.status);
    arrival.answer(status, fault.as_ref());
    (reply, fault)
}

/// Returns the answer of a request that a fault strikes.
fn struck(fault: &Fault, world: &mut World, incoming: &Incoming) -> Option<Reply> {
    match fault {
        Fault::RefusedBefore => None,
        Fault::ErrorBefore { status } => Some(Reply::gateway_error(*status)),
        Fault::TooManyRequests { .. } => Some(Reply::page(429, "Too Many Requests")),
        Fault::ForbiddenJson => Some(Reply::refusal(400, 6, "Access denied", &world.switches)),
        Fault::BlockedHtml => Some(Reply::refusal(
            400,
            11,
            "Account is frozen",
            &world.switches,
        )),
        Fault::ExpiredToken => Some(Reply::refusal(400, 2, "Token is inactive", &world.switches)),
        Fault::LateAfter { .. } | Fault::SlowDrip { .. } => Some(world.respond(incoming)),
        Fault::LostAfter => {
            world.respond(incoming);
            None
        }
        // Nothing here takes several at once.
        Fault::ErrorAfter { status } | Fault::PartialBatch { status } => {
            world.respond(incoming);
            Some(Reply::gateway_error(*status))
        }
        Fault::TruncatedJson => {
            let mut reply = world.respond(incoming);
            reply.body.truncate(reply.body.len() / 2);
            Some(reply)
        }
        Fault::HtmlInsteadOfJson => {
            world.respond(incoming);
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
    Incoming {
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        query_text: request.query_string().to_owned(),
        content_type: header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase(),
        authorization: header("authorization"),
        body: body.to_vec(),
    }
}

fn head(reply: &Reply) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type(reply.content_type);
    if let Some(left) = reply.quota_left {
        response.insert_header(("X-RateLimit-Remaining", left.to_string()));
    }
    response
}
