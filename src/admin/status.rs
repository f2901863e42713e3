//! What is alive and what is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::alarms::Alarm;
use crate::crm::DayQuota;
use crate::crm::account::breaker::BreakerState;
use crate::crm::account::status::{AccountStatus, WAITING_MAX};
use crate::directory::known::Book;
use crate::integration::context;
use crate::integration::status::ChildStatus;
use crate::model::ids::{IntegrationKey, PortalKey};
use crate::model::timestamp::Timestamp;
use crate::problem::problem;
use crate::store::command::WorkState;
use crate::store::query::{RecordingFigures, StoreFigures};

use super::alarms::{alarms, credential_alarms};
use super::employees::EmployeesState;
use super::openapi::operation::Operation;
use super::state::{AdminState, IntegrationOverview, Off, SourceOverview};

/// What is alive, what waits, what a person must act upon.
#[derive(Serialize, JsonSchema)]
struct Status {
    /// The daemon's version.
    version: &'static str,
    /// Since when it runs.
    started_at: Timestamp,
    /// Everything is bound and started.
    ready: bool,
    /// The store.
    store: StoreFigures,
    /// The sources of all companies.
    sources: Vec<SourceStatus>,
    /// The integrations of all companies.
    integrations: Vec<IntegrationStatus>,
    /// The doors to the CRMs' accounts.
    accounts: Vec<AccountStatus>,
    /// The queues with their bounds.
    queues: Vec<QueueStatus>,
    /// What is left of the day's requests, where a CRM counts them by the day.
    day_quotas: Vec<QuotaStatus>,
    /// What questions are answered from, a portal each.
    knowledge: Vec<KnowledgeStatus>,
    /// The recordings of calls, by what became of them.
    recordings: RecordingStatus,
    /// What a person must act upon.
    alarms: Vec<Alarm>,
    /// What does not work, and why.
    off: Vec<Off>,
}

/// What became of the recordings of calls.
#[derive(Serialize, JsonSchema)]
struct RecordingStatus {
    #[serde(flatten)]
    figures: RecordingFigures,
    /// How the part is that looks for them.
    state: Option<ChildStatus>,
}

/// What is left of the day's requests of an account.
#[derive(Serialize, JsonSchema)]
struct QuotaStatus {
    /// The account's portal.
    portal: PortalKey,
    #[serde(flatten)]
    quota: DayQuota,
}

/// A queue and its bound.
#[derive(Serialize, JsonSchema)]
struct QueueStatus {
    /// Which.
    what: String,
    /// How many wait in it.
    waiting: usize,
    /// How many may.
    max: usize,
}

/// Returns every queue with its bound. At the bound of the store's, senders are told to come
/// again; at that of an account's class, steps come back a little later.
fn queues(state: &AdminState) -> Vec<QueueStatus> {
    let (waiting, max) = state.store.queue();
    let mut found = vec![QueueStatus {
        what: "store".to_owned(),
        waiting,
        max,
    }];
    for portal in &state.overview.load().portals {
        let waits = portal.http.status().waiting;
        let classes = [
            ("live", waits.live),
            ("work", waits.work),
            ("background", waits.background),
        ];
        found.extend(classes.map(|(class, waiting)| QueueStatus {
            what: format!("{} {class}", portal.key),
            waiting,
            max: WAITING_MAX,
        }));
    }
    found
}

/// How far what questions are answered from can be relied on.
#[derive(Serialize, JsonSchema)]
struct KnowledgeStatus {
    /// The portal.
    portal: PortalKey,
    /// A directory of the portal is kept in memory.
    kept: bool,
    /// Since when everything that the CRM held is there; none before everything was read once.
    complete_as_of: Option<Timestamp>,
    /// How old that picture is, in seconds.
    age_s: Option<u64>,
}

fn knowledge(state: &AdminState) -> Vec<KnowledgeStatus> {
    let now = state.clock.now();
    let books = state.questions.table().books();
    let of = |(portal, book): (PortalKey, Option<Arc<dyn Book>>)| {
        let complete_as_of = book.as_ref().and_then(|book| book.complete_as_of());
        KnowledgeStatus {
            portal,
            kept: book.is_some(),
            complete_as_of,
            age_s: complete_as_of.map(|as_of| now.since(as_of).as_secs()),
        }
    };
    books.into_iter().map(of).collect()
}

/// A source, and how it is.
#[derive(Serialize, JsonSchema)]
struct SourceStatus {
    #[serde(flatten)]
    source: SourceOverview,
    /// How its session is, where it keeps one up.
    state: Option<ChildStatus>,
}

/// An integration, and how it is.
#[derive(Serialize, JsonSchema)]
struct IntegrationStatus {
    #[serde(flatten)]
    integration: IntegrationOverview,
    /// How it is.
    state: Option<ChildStatus>,
    /// Works that are not over.
    open_works: u64,
    /// How many of them are not decided yet.
    not_decided_yet: u64,
    /// What they wait for.
    waiting_for: Option<String>,
    /// Up to a bound that is enough to act upon.
    dead_letters: usize,
    /// What to run when the settings were put right.
    decide_again: Option<String>,
    /// How it stands with employees from its CRM.
    employees: Option<EmployeesState>,
    /// Where its CRM reaches us, without the secret.
    webhook: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/healthz", "The process answers", healthz)
            .without_token()
            .answers_text(&["text/plain"], "It does"),
        Operation::get("/readyz", "Everything is bound and started", readyz)
            .without_token()
            .answers_text(&["text/plain"], "It is")
            .refuses(503, "The daemon is starting"),
        Operation::get(
            "/metrics",
            "Metrics in Prometheus' text form, without client data",
            metrics,
        )
        .answers_text(&["text/plain"], "The metrics"),
        Operation::get(
            "/v1/status",
            "What is alive, what waits, what a person must act upon",
            status,
        )
        .answers::<Status>(200, "The state")
        .refuses(503, "The store does not answer"),
    ]
}

/// The most dead letters of one integration that status counts.
const DEAD_COUNTED_MAX: usize = 1000;

#[derive(Default)]
struct Open {
    works: u64,
    undecided: u64,
    why: Option<String>,
}

pub(super) async fn status(state: web::Data<AdminState>) -> HttpResponse {
    let (figures, works) = match (state.store.figures().await, state.store.open_works().await) {
        (Ok(figures), Ok(works)) => (figures, works),
        (Err(error), _) | (_, Err(error)) => {
            return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
        }
    };
    let recordings = match state.store.recording_figures().await {
        Ok(recordings) => recordings,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    };
    let mut open: BTreeMap<IntegrationKey, Open> = BTreeMap::new();
    for work in works {
        let entry = open.entry(work.integration).or_default();
        entry.works += 1;
        if let WorkState::Undecided { why, .. } = work.state {
            entry.undecided += 1;
            if why.is_some() {
                entry.why = why;
            }
        }
    }
    let overview = state.overview.load_full();
    let mut alarms = alarms(&state, &figures);
    match super::quarantine::alarm(&state, &figures).await {
        Ok(alarm) => alarms.extend(alarm),
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
    alarms.extend(credential_alarms(&state, &overview).await);
    let mut dead: BTreeMap<IntegrationKey, usize> = BTreeMap::new();
    if figures.dead_letters > 0 {
        for integration in &overview.integrations {
            let key = integration.key.clone();
            let letters = state.store.dead_letters_of(key, DEAD_COUNTED_MAX, None);
            match letters.await {
                Ok(letters) => dead.insert(integration.key.clone(), letters.len()),
                Err(error) => {
                    return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
                }
            };
        }
    }
    let body = Status {
        version: env!("CARGO_PKG_VERSION"),
        started_at: state.started_at,
        ready: state.ready.get(),
        store: figures,
        sources: overview
            .sources
            .iter()
            .map(|source| SourceStatus {
                source: source.clone(),
                state: state.board.get(&format!("source {}", source.key)),
            })
            .collect(),
        integrations: overview
            .integrations
            .iter()
            .map(|integration| {
                let open = open.remove(&integration.key).unwrap_or_default();
                IntegrationStatus {
                    integration: integration.clone(),
                    state: state.board.get(&context::board_name(&integration.key)),
                    open_works: open.works,
                    not_decided_yet: open.undecided,
                    waiting_for: open.why.or_else(|| state.held(&integration.key)),
                    dead_letters: dead.get(&integration.key).copied().unwrap_or_default(),
                    decide_again: dead
                        .get(&integration.key)
                        .filter(|dead| **dead > 0)
                        .map(|_| {
                            format!("trunkline outbox decide-again --all-of {}", integration.key)
                        }),
                    employees: state.employees.state(&integration.key),
                    webhook: overview
                        .webhooks
                        .get(&integration.key)
                        .and_then(|webhook| Some(webhook.address.as_ref()?.place.clone())),
                }
            })
            .collect(),
        accounts: overview
            .portals
            .iter()
            .map(|portal| portal.http.status())
            .collect(),
        queues: queues(&state),
        day_quotas: overview
            .accounts
            .iter()
            .filter_map(|account| {
                Some(QuotaStatus {
                    portal: account.portal.clone(),
                    quota: account.adapter.day_quota()?,
                })
            })
            .collect(),
        knowledge: knowledge(&state),
        recordings: RecordingStatus {
            figures: recordings,
            state: state.board.get("recordings"),
        },
        alarms,
        off: overview.off.clone(),
    };
    HttpResponse::Ok().json(body)
}

/// Answers while the process can answer at all.
pub(super) async fn healthz() -> HttpResponse {
    told("ok\n")
}

/// Answers yes when everything is bound and started.
pub(super) async fn readyz(state: web::Data<AdminState>) -> HttpResponse {
    if state.ready.get() {
        told("ready\n")
    } else {
        problem(StatusCode::SERVICE_UNAVAILABLE, "starting")
    }
}

fn told(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

pub(super) async fn metrics(state: web::Data<AdminState>) -> HttpResponse {
    super::authorisation::metrics(&state.overview.load_full()).await;
    if let Ok(figures) = state.store.figures().await {
        // Counts of this size are exact in a float.
        metrics::gauge!("trunkline_store_communications").set(figures.communications as f64);
        metrics::gauge!("trunkline_store_open_works").set(figures.open_works as f64);
        metrics::gauge!("trunkline_store_dead_letters").set(figures.dead_letters as f64);
        metrics::gauge!("trunkline_store_file_bytes").set(figures.file_bytes as f64);
    }
    let (waiting, max) = state.store.queue();
    metrics::gauge!("trunkline_store_queue").set(waiting as f64);
    metrics::gauge!("trunkline_store_queue_max").set(max as f64);
    for knowledge in knowledge(&state) {
        if let Some(age_s) = knowledge.age_s {
            let labels = [("portal", knowledge.portal.to_string())];
            metrics::gauge!("trunkline_directory_age_seconds", &labels).set(age_s as f64);
        }
    }
    for portal in &state.overview.load().portals {
        account_metrics(&portal.http.status());
    }
    for (name, child) in state.board.all() {
        let (kind, key) = name.split_once(' ').unwrap_or(("child", name.as_str()));
        let up = f64::from(u8::from(
            child.health == crate::integration::status::Health::Up,
        ));
        let labels = [("kind", kind.to_owned()), ("key", key.to_owned())];
        metrics::gauge!("trunkline_up", &labels).set(up);
        metrics::gauge!("trunkline_restarts", &labels).set(child.restarts as f64);
        for (gauge, value) in child.gauges {
            let labels = [
                ("kind", kind.to_owned()),
                ("key", key.to_owned()),
                ("gauge", gauge.clone()),
            ];
            metrics::gauge!("trunkline_child", &labels).set(value);
        }
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.render() + &state.questions.stats().render())
}

/// Shows an account's door: what waits at it against its bound, and what it let through.
fn account_metrics(account: &AccountStatus) {
    let portal = account.portal.to_string();
    let classes = [
        ("live", account.waiting.live),
        ("work", account.waiting.work),
        ("background", account.waiting.background),
    ];
    for (class, waiting) in classes {
        let labels = [("account", portal.clone()), ("class", class.to_owned())];
        metrics::gauge!("trunkline_account_waiting", &labels).set(waiting as f64);
    }
    let labels = [("account", portal)];
    let open = f64::from(u8::from(account.breaker != BreakerState::Closed));
    let held = f64::from(u8::from(account.held.is_some()));
    let gauges = [
        ("trunkline_account_waiting_max", WAITING_MAX as f64),
        ("trunkline_account_in_flight", account.in_flight as f64),
        ("trunkline_account_rate_per_second", account.rate_per_second),
        ("trunkline_account_breaker_open", open),
        ("trunkline_account_held", held),
    ];
    for (name, value) in gauges {
        metrics::gauge!(name, &labels).set(value);
    }
    let counters = [
        ("trunkline_account_requests_total", account.requests_total),
        ("trunkline_account_throttled_total", account.throttled_total),
        ("trunkline_account_failed_total", account.failed_total),
    ];
    for (name, value) in counters {
        metrics::counter!(name, &labels).absolute(value);
    }
}
