//! The socket of the simulator, and the hand that a test or script has on it.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use serde_json::{Value, json};

use super::account::{LabCall, LabChat, LabRequest};
use super::api::{self, Which};
use super::control;
use super::limits::Points;
use super::rest;
use super::sender::Sender;
use super::switches::Switches;
use super::world::World;
use crate::lab::lock::lock;
use crate::lab::simulator::{Service, Simulator};
use crate::lab::wall;

/// How an account is set up.
#[derive(Debug, Clone)]
pub struct UisOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The permanent key.
    pub key: String,
    /// Points of a day and of a minute.
    pub day_limit: u64,
    /// See `day_limit`.
    pub minute_limit: u64,
    /// The people, by id.
    pub employees: Vec<(u64, String)>,
}

impl Default for UisOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            key: "lab-uis-key".to_owned(),
            day_limit: 1_000_000,
            minute_limit: 100_000,
            employees: vec![
                (501, "Орлова Анна".to_owned()),
                (502, "Петров Борис".to_owned()),
            ],
        }
    }
}

/// A hand on the simulator.
#[derive(Debug, Clone)]
pub struct UisHandle {
    address: SocketAddr,
    key: String,
    world: Arc<Mutex<World>>,
    sender: Arc<Mutex<Option<Sender>>>,
}

/// A running cloud; it ends when dropped.
pub type UisLab = Simulator<UisHandle>;

impl UisHandle {
    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Returns the address of the Data API.
    pub fn data_api(&self) -> String {
        format!("http://{}/v2.0", self.address)
    }

    /// Returns the address of the Call API.
    pub fn call_api(&self) -> String {
        format!("http://{}/v4.0", self.address)
    }

    /// Returns the address of the APIs of VATS 2.0.
    pub fn simple_api(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the permanent key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Adds or replaces a call.
    pub fn put_call(&self, call: LabCall) {
        self.world().calls.insert(call.id, call);
    }

    /// Adds or replaces a chat.
    pub fn put_chat(&self, chat: LabChat) {
        self.world().chats.insert(chat.id, chat);
    }

    /// Adds or replaces a request.
    pub fn put_request(&self, request: LabRequest) {
        self.world().requests.insert(request.id, request);
    }

    /// Changes the switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.world().switches);
    }

    /// Returns what was asked of click-to-call, with the session of each.
    pub fn placed(&self) -> Vec<(Value, u64)> {
        let world = self.world();
        let placed = world.placed.iter();
        placed
            .map(|one| (one.params.clone(), one.session))
            .collect()
    }

    /// Returns how often a method was asked for.
    pub fn asked(&self, method: &str) -> u64 {
        self.world().asked.get(method).copied().unwrap_or(0)
    }

    /// Returns the deals that were passed here, by their keys.
    pub fn deals(&self) -> BTreeMap<String, serde_json::Map<String, Value>> {
        self.world().deals.deals.clone()
    }

    /// Returns how often a deal was taken, known ones included.
    pub fn deals_taken(&self) -> u64 {
        self.world().deals.taken
    }

    /// Refuses deals whose names hold this text; `None` = none of them.
    pub fn refuse_deals_named(&self, text: Option<&str>) {
        self.world().deals.bad_name = text.map(str::to_owned);
    }

    /// Returns how many points were spent today.
    pub fn spent(&self) -> u64 {
        self.world().points.spent()
    }

    /// Returns who tells of what happens, where an address was set.
    pub(super) fn sender(&self) -> Option<Sender> {
        lock(&self.sender).clone()
    }

    /// Sets where notifications go.
    pub fn set_sender(&self, sender: Sender) {
        *lock(&self.sender) = Some(sender);
    }

    /// Returns what there is to be known of the simulator.
    pub(super) fn shown(&self) -> Value {
        let world = self.world();
        let placed: Vec<Value> = world.placed.iter().map(|one| one.params.clone()).collect();
        json!({
            "data_api": self.data_api(), "call_api": self.call_api(),
            "simple_api": self.simple_api(), "key": self.key, "now": now(),
            "points_spent": world.points.spent(), "placed": placed, "switches": world.switches,
        })
    }

    /// Returns the simulator's time.
    pub fn now(&self) -> i64 {
        now()
    }
}

fn now() -> i64 {
    i64::try_from(wall::now().as_secs()).unwrap_or(i64::MAX)
}

/// Starts a simulated account on a thread of its own.
///
/// # Errors
/// Fails when the address cannot be bound.
pub async fn start(options: UisOptions) -> io::Result<UisLab> {
    let listener = TcpListener::bind(options.listen)?;
    let handle = UisHandle {
        address: listener.local_addr()?,
        key: options.key.clone(),
        world: Arc::new(Mutex::new(World {
            key: options.key,
            login: "api@example.org".to_owned(),
            password: "lab-uis-password".to_owned(),
            sessions: Default::default(),
            switches: Switches::default(),
            points: Points::new(options.day_limit, options.minute_limit),
            calls: Default::default(),
            chats: Default::default(),
            requests: Default::default(),
            employees: options.employees,
            placed: Vec::new(),
            asked: Default::default(),
            deals: Default::default(),
        })),
        sender: Arc::default(),
    };
    let service = Service {
        name: "uis",
        listener,
        configure,
        // All that it does is asked for.
        beside: |_| std::future::pending(),
    };
    service.start(handle).await
}

fn configure(app: &mut ServiceConfig) {
    app.app_data(web::PayloadConfig::new(8 * 1024 * 1024))
        .default_service(web::to(serve));
}

async fn serve(request: HttpRequest, body: Bytes, lab: web::Data<UisHandle>) -> HttpResponse {
    if request.path() == "/_lab" || request.path().starts_with("/_lab/") {
        return control::control(&lab, request.method().as_str(), request.path(), &body).await;
    }
    let mut world = lab.world();
    if world.switches.down {
        return HttpResponse::BadGateway().body("<html>502 Bad Gateway</html>");
    }
    let which = match (request.method(), request.path()) {
        (&Method::POST, "/v2.0" | "/" | "") => Which::Data,
        (&Method::POST, "/v4.0") => Which::Call,
        (&Method::GET, path) => {
            let authorization = request.headers().get(header::AUTHORIZATION);
            let authorization = authorization.and_then(|value| value.to_str().ok());
            return match rest::answer(&world, path, authorization) {
                Some((status, value)) => respond(status, &value),
                None => HttpResponse::NotFound().finish(),
            };
        }
        _ => return HttpResponse::NotFound().finish(),
    };
    let (status, value) = api::answer(&mut world, which, &body, now());
    respond(status, &value)
}

fn respond(status: u16, value: &Value) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).json(value)
}
