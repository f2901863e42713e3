//! The public endpoint that platforms post to. Answers "accepted" only after the commit.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use arc_swap::ArcSwapOption;
use serde::Serialize;
use serde_json::json;

use crate::crm::{SharedDesk, SharedInstallations, SharedWorkplaces};
use crate::model::ids::SourceKey;
use crate::model::mistake::Mistake;
use crate::model::secret::Secret;
use crate::pbx::{Answerer, Batch, Exchange, Hook, HookError, SinkError};
use crate::problem::{problem, problem_with};
use crate::store::command::Accepted;

use super::crm_hooks::{self, CrmHookTable};
use super::exchanges;
use super::flood::FloodGuard;
use super::installations;
use super::oauth;
use super::path::{for_log, secret_matches};
use super::recordings::{self, PlayRecording};
use super::sink::Intake;
use super::workplaces;

/// A source that is posted to.
pub struct HookSource {
    /// The kind's name, as it stands in platform paths.
    pub kind: &'static str,
    /// Who takes what it sends.
    pub receiver: Receiver,
    /// The secrets of its path; two overlap while one is replaced.
    pub secrets: Vec<Secret>,
}

/// Who takes what a source sends.
#[derive(Clone)]
pub enum Receiver {
    /// A reader of bodies; intake commits and answers.
    Reader(Arc<dyn Hook>),
    /// One who answers by itself.
    Exchange(Arc<dyn Exchange>),
}

/// The sources that are posted to; replaced at reload. Nothing as long as the daemon starts and
/// does not know them: then "not found" would be untrue, and a platform might give up for good.
pub type HookTable = ArcSwapOption<HashMap<SourceKey, HookSource>>;

/// What the handlers share.
#[derive(Clone)]
pub struct IntakeHttp {
    /// Acceptance.
    pub intake: Intake,
    /// Who may post.
    pub hooks: Arc<HookTable>,
    /// Which CRM may tell of changes.
    pub crm_hooks: Arc<CrmHookTable>,
    /// Whom sources ask who a caller should reach.
    pub answerer: Arc<dyn Answerer>,
    /// Plays recordings.
    pub recordings: PlayRecording,
    /// Who lets accounts in.
    pub consent: SharedDesk,
    /// Who takes what portals post that install an application.
    pub installations: SharedInstallations,
    /// Who knows the workplaces inside of CRMs.
    pub workplaces: SharedWorkplaces,
    /// Whose `X-Forwarded-For` is believed, for the log.
    pub trusted_proxies: Arc<[IpAddr]>,
    /// Against floods.
    pub flood: Arc<FloodGuard>,
}

/// The kind of source that posts our own documented form.
const OWN_FORM: &str = "webhook";

/// How long a sender may take for its body. A proxy in front sends it at once, and without one a
/// megabyte takes this long at half a megabit a second; who stops in the middle gives its place
/// to others.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// How long a sender waits for a daemon that has just started; less than amoCRM waits for an answer
/// (`crm/amocrm.md` §14). A start that takes longer waits for a disk, and may do so for hours.
const START_WITHIN: Duration = Duration::from_millis(1500);

/// How often it is looked whether the start is over.
const START_LOOKED_AT: Duration = Duration::from_millis(20);

/// Returns who may post, as soon as the daemon knows it: some platforms do not come again.
pub(super) async fn begun<T>(table: &ArcSwapOption<T>) -> Option<Arc<T>> {
    let looks = async {
        loop {
            if let Some(found) = table.load_full() {
                return found;
            }
            tokio::time::sleep(START_LOOKED_AT).await;
        }
    };
    tokio::time::timeout(START_WITHIN, looks).await.ok()
}

/// Adds the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route(
            "/v1/events/{tenant}/{source}/{secret}",
            web::post().to(own_form),
        )
        .route(
            "/hooks/{kind}/{tenant}/{source}/{secret}",
            web::post().to(platform_form),
        )
        .route(
            "/hooks/{kind}/{tenant}/{source}/{secret}",
            web::get().to(platform_form),
        )
        .route(
            "/crm/{kind}/{tenant}/{integration}/{secret}",
            web::post().to(crm_hooks::told),
        )
        .service(
            web::resource("/crm/{kind}/install")
                .app_data(web::PayloadConfig::new(installations::BODY_BYTES_MAX))
                .route(web::post().to(installations::posted)),
        )
        .service(
            web::resource("/workplace/{tenant}/{account}")
                .app_data(web::PayloadConfig::new(workplaces::BODY_BYTES_MAX))
                .route(web::get().to(workplaces::page))
                .route(web::post().to(workplaces::page)),
        )
        .service(
            web::resource("/workplace/{tenant}/{account}/calls")
                .app_data(web::PayloadConfig::new(workplaces::BODY_BYTES_MAX))
                .route(web::method(Method::OPTIONS).to(workplaces::asked))
                .route(web::post().to(workplaces::click)),
        )
        .service(
            web::resource("/r/{token}")
                .route(web::get().to(recordings::play))
                .route(web::head().to(recordings::play)),
        )
        .route("/oauth/{crm}", web::get().to(oauth::returned))
        .route("/oauth/{crm}/disabled", web::get().to(oauth::switched_off))
        .route(
            "/healthz",
            web::get().to(|| async {
                HttpResponse::Ok()
                    .content_type("text/plain; charset=utf-8")
                    .body("ok\n")
            }),
        )
        .default_service(web::to(|| async { not_found() }));
}

async fn own_form(
    state: web::Data<IntakeHttp>,
    path: web::Path<(String, String, String)>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let (tenant, source, secret) = path.into_inner();
    accept(&state, OWN_FORM, &tenant, &source, &secret, &request, body).await
}

async fn platform_form(
    state: web::Data<IntakeHttp>,
    path: web::Path<(String, String, String, String)>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let (kind, tenant, source, secret) = path.into_inner();
    accept(&state, &kind, &tenant, &source, &secret, &request, body).await
}

async fn accept(
    state: &IntakeHttp,
    kind: &str,
    tenant: &str,
    source: &str,
    secret: &str,
    request: &HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let Ok(key) = format!("{tenant}/{source}").parse::<SourceKey>() else {
        return stranger(state, request);
    };
    let Some(hooks) = begun(&state.hooks).await else {
        return try_again("the daemon is starting; try again");
    };
    let Some(hook) = hooks.get(&key).filter(|hook| hook.kind == kind) else {
        return stranger(state, request);
    };
    if !secret_matches(secret, &hook.secrets) {
        return stranger(state, request);
    }
    let reader = match &hook.receiver {
        Receiver::Reader(_) if request.method() != Method::POST => return not_found(),
        Receiver::Reader(reader) => reader,
        Receiver::Exchange(exchange) => {
            return exchanges::serve(state, &key, &**exchange, request, body).await;
        }
    };
    if let Err(wait) = state.flood.source(&key) {
        return too_many("source", wait);
    }
    // Only now: a stranger's body is not read at all.
    let body = match read_body(request, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let snapshots = match reader.decode(content_type, &body) {
        Ok(snapshots) => snapshots,
        Err(error) => {
            let from = sender(request, &state.trusted_proxies).map(tracing::field::display);
            tracing::warn!(source = %key, from, %error, "body refused");
            return refused(&error);
        }
    };
    if let Some(stranger) = snapshots.iter().find(|snapshot| snapshot.key.source != key) {
        tracing::error!(source = %key, key = %stranger.key, "decoder answered for another source");
        return problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the body could not be read",
        );
    }
    let count = snapshots.len();
    let batch = Batch {
        snapshots,
        ..Batch::default()
    };
    match state.intake.accept(&key, batch).await {
        Ok(accepted) => {
            let stored = accepted
                .iter()
                .filter(|one| matches!(one, Accepted::Stored { .. }))
                .count();
            let status = if stored > 0 {
                StatusCode::ACCEPTED
            } else {
                StatusCode::OK
            };
            HttpResponse::build(status)
                .json(json!({ "items": count, "stored": stored, "repeats": count - stored }))
        }
        Err(error) => {
            tracing::error!(source = %key, %error, "not accepted");
            unavailable(&error)
        }
    }
}

/// Answers a request that fits no source: always alike, and with nothing but a number once its
/// address sends too many of them.
pub(super) fn stranger(state: &IntakeHttp, request: &HttpRequest) -> HttpResponse {
    let from = sender(request, &state.trusted_proxies);
    if let Err(wait) = state.flood.stranger(from) {
        return too_many("stranger", wait);
    }
    tracing::warn!(
        path = for_log(request.path()),
        from = from.map(tracing::field::display),
        "no such source, or a wrong secret in the path"
    );
    not_found()
}

/// Answers who is over a rate.
pub(super) fn too_many(who: &'static str, wait: Duration) -> HttpResponse {
    metrics::counter!("trunkline_intake_too_many", "who" => who).increment(1);
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    // Whole seconds, rounded up: who keeps to it is served.
    let seconds = wait.as_secs().saturating_add(1);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Returns who sent a request: the peer, or behind a trusted proxy the address that the proxy
/// added last.
pub(super) fn sender(request: &HttpRequest, trusted: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip())?;
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .last()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .and_then(|value| value.trim().parse::<IpAddr>().ok());
    match forwarded {
        Some(client) if trusted.contains(&peer) => Some(client),
        _ => Some(peer),
    }
}

#[derive(Serialize)]
struct NamedMistake {
    path: String,
    message: String,
}

fn refused(error: &HookError) -> HttpResponse {
    match error {
        HookError::Mistakes(mistakes) => {
            let named: Vec<NamedMistake> = mistakes.iter().map(named).collect();
            let members = [("mistakes", json!(named))];
            problem_with(StatusCode::BAD_REQUEST, "the body has mistakes", &members)
        }
        HookError::TooMany(_) => problem(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string()),
    }
}

/// Reads a body within the bounds of size and time.
pub(super) async fn read_body(
    request: &HttpRequest,
    body: web::Payload,
) -> Result<web::Bytes, HttpResponse> {
    let reading = web::Bytes::from_request(request, &mut body.into_inner());
    match tokio::time::timeout(BODY_WITHIN, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(body_refused(&error)),
        Err(_) => Err(problem(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not come to its end in time",
        )),
    }
}

/// Answers for a body that is too large or broke off.
fn body_refused(error: &actix_web::Error) -> HttpResponse {
    let status = error.as_response_error().status_code();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        problem(status, "the body is too large")
    } else {
        problem(StatusCode::BAD_REQUEST, "the body could not be read")
    }
}

fn named(mistake: &Mistake) -> NamedMistake {
    NamedMistake {
        path: mistake.path.join("."),
        message: mistake.message.clone(),
    }
}

fn unavailable(error: &SinkError) -> HttpResponse {
    let text = match error {
        SinkError::Full(_) => "nothing more is taken for now; try again",
        SinkError::Closed => "the daemon is ending; try again",
    };
    try_again(text)
}

pub(super) fn try_again(text: &str) -> HttpResponse {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, text);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Answers for a tenant, a source and a secret that do not fit: all alike, so that nothing can be
/// learned by trying.
pub(super) fn not_found() -> HttpResponse {
    problem(StatusCode::NOT_FOUND, "there is nothing here")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use actix_web::{App, test};
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::clock::SystemClock;
    use crate::crm::{NoAccounts, NoInstallations, NoWorkplaces};
    use crate::intake::flood::FloodBounds;
    use crate::intake::room::{Bounds, Room};
    use crate::intake::routing::Routing;
    use crate::intake::sink::Waker;
    use crate::model::communication::Snapshot;
    use crate::model::ids::IntegrationKey;
    use crate::model::question::{Answer, NotAnswered, Question};
    use crate::store::command::WorkId;
    use crate::store::{Store, StoreKey, StoreOptions};

    struct Nobody;

    struct NobodyKnown;

    impl Answerer for NobodyKnown {
        fn answer(
            &self,
            question: Question,
            _: IpAddr,
        ) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
            Box::pin(async move { Err(NotAnswered::UnknownSource(question.source)) })
        }
    }

    impl Waker for Nobody {
        fn works(&self, _: &Snapshot, _: &[(IntegrationKey, WorkId)]) {}
    }

    #[actix_web::test]
    async fn a_post_to_a_daemon_that_is_starting_is_told_to_come_again_and_a_flood_of_strangers_too()
     {
        let folder = tempfile::tempdir().unwrap();
        let key = StoreKey::from_bytes(&[7; 32]).unwrap();
        let path = folder.path().join("store.redb");
        let (store, _thread) = Store::open(&path, key, StoreOptions::default()).unwrap();
        let hooks = Arc::new(HookTable::empty());
        let state = IntakeHttp {
            intake: Intake {
                store: store.clone(),
                routing: Arc::new(arc_swap::ArcSwap::from_pointee(Routing::default())),
                waker: Arc::new(Nobody),
                room: Arc::new(Room::new(Bounds {
                    free_bytes_min: 0,
                    store_bytes_max: u64::MAX,
                })),
                clock: Arc::new(SystemClock),
            },
            hooks: Arc::clone(&hooks),
            crm_hooks: Arc::default(),
            answerer: Arc::new(NobodyKnown),
            recordings: Arc::new(|_, _, _| Box::pin(async { None })),
            consent: Arc::new(NoAccounts),
            installations: Arc::new(NoInstallations),
            workplaces: Arc::new(NoWorkplaces),
            trusted_proxies: Arc::new([]),
            flood: Arc::new(FloodGuard::new(FloodBounds {
                source_per_second: NonZeroU32::new(100).unwrap(),
                stranger_per_minute: NonZeroU32::new(2).unwrap(),
            })),
        };
        let app = App::new()
            .app_data(web::Data::new(state))
            .configure(configure);
        let app = test::init_service(app).await;
        let post = || {
            let request = test::TestRequest::post().uri("/v1/events/acme/site/secret");
            test::call_service(&app, request.to_request())
        };
        tokio::time::pause();
        let starting = post().await;
        assert_eq!(starting.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(starting.headers().contains_key(header::RETRY_AFTER));
        // It waits a while first, and is answered if the start is over meanwhile.
        let know = async { hooks.store(Some(Arc::new(HashMap::new()))) };
        let (waited, ()) = tokio::join!(post(), know);
        assert_eq!(waited.status(), StatusCode::NOT_FOUND);
        assert_eq!(post().await.status(), StatusCode::NOT_FOUND);
        let flooding = post().await;
        assert_eq!(flooding.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait = flooding.headers().get(header::RETRY_AFTER).unwrap();
        let wait: u64 = wait.to_str().unwrap().parse().unwrap();
        assert!((1..=31).contains(&wait), "{wait}");
        store.shut_down().await;
    }
}
