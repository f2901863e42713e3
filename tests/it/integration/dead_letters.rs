//! What a person wants of dead letters, through the admin API; and questions that are wrong.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_and_read_body_json, call_service, init_service};
use actix_web::{App, web};
use arc_swap::ArcSwap;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};

use trunkline::admin;
use trunkline::admin::state::{AdminState, IntegrationOverview, Overview};
use trunkline::integration::portal::Portal;
use trunkline::model::activity::Activity;
use trunkline::model::explanation::Language;
use trunkline::model::ids::CommunicationKey;
use trunkline::model::ledger::StepState;
use trunkline::model::plan::{Role, StepKind};

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::{START, Workshop};

fn state(workshop: &Workshop, portal: &Arc<Portal>) -> AdminState {
    let overview = Overview {
        integrations: vec![IntegrationOverview {
            key: "acme/sales".parse().expect("a key"),
            crm: "double".to_owned(),
            portal: portal.key.clone(),
            activity: Activity::On,
            settings_revision: 1,
        }],
        portals: vec![Arc::clone(portal)],
        ..Overview::default()
    };
    let desk = Arc::new(trunkline::pbx::call_desk::CallDesk::new(Arc::new(
        trunkline::clock::SystemClock,
    )));
    AdminState {
        desk,
        store: workshop.store.clone(),
        clock: Arc::clone(&workshop.clock),
        board: Arc::clone(&workshop.board),
        handles: Arc::clone(&workshop.handles),
        overview: Arc::new(ArcSwap::from_pointee(overview)),
        ready: Arc::default(),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        started_at: START,
        language: Language::En,
    }
}

macro_rules! admin {
    ($workshop:expr, $portal:expr) => {
        init_service(
            App::new()
                .app_data(web::Data::new(state(&$workshop, &$portal)))
                .configure(admin::configure),
        )
        .await
    };
}

fn wish(wish: &str, communication: &CommunicationKey) -> TestRequest {
    let item = json!({
        "integration": "acme/sales", "communication": communication, "role": "contact",
    });
    TestRequest::post()
        .uri(&format!("/v1/dead-letters/{wish}"))
        .set_json(json!({ "items": [item] }))
}

async fn dead_contact(workshop: &Workshop, crm: &CrmDouble) -> CommunicationKey {
    crm.script(StepKind::CreateContact, Trouble::Refused);
    let key = workshop.call("1.0", "+79161234567").await;
    workshop.idle("sales").await;
    key
}

#[actix::test]
async fn a_dead_letter_that_is_retried_is_sent_as_it_is_with_what_needed_it() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = dead_contact(&workshop, &crm).await;
    let app = admin!(workshop, portal);
    let listed: Value = call_and_read_body_json(
        &app,
        TestRequest::get().uri("/v1/dead-letters").to_request(),
    )
    .await;
    assert_eq!(listed["items"][0]["communication"], json!(key));
    let answer: Value = call_and_read_body_json(&app, wish("retry", &key).to_request()).await;
    assert_eq!(answer, json!({ "done": 1, "refused": [], "more": false }));
    workshop.idle("sales").await;
    assert!(crm.effects().contains(&"contact +79161234567".to_owned()));
    assert!(crm.effects().contains(&"deal".to_owned()));
    let ledger = workshop.ledger("sales", &key).await;
    assert_eq!(ledger.decisions.len(), 1, "not decided again");
    assert!(
        ledger
            .steps
            .iter()
            .all(|s| matches!(s.state, StepState::Done { .. }))
    );
    let answer: Value = call_and_read_body_json(&app, wish("retry", &key).to_request()).await;
    assert_eq!(answer["done"], 0, "it is dead no more");
}

#[actix::test]
async fn a_dead_letter_that_is_decided_again_is_planned_by_what_the_crm_says_now() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = dead_contact(&workshop, &crm).await;
    crm.add_contact("+79161234567");
    let app = admin!(workshop, portal);
    let answer: Value =
        call_and_read_body_json(&app, wish("decide-again", &key).to_request()).await;
    assert_eq!(answer["done"], 1, "{answer}");
    workshop.idle("sales").await;
    let ledger = workshop.ledger("sales", &key).await;
    assert_eq!(ledger.decisions.len(), 2);
    assert_eq!(ledger.first_time, Some(true), "decided once and kept");
    let effects = crm.effects();
    assert!(
        !effects.iter().any(|one| one.starts_with("contact")),
        "{effects:?}"
    );
    assert!(
        workshop
            .store
            .dead_letters(10, None)
            .await
            .expect("reads")
            .is_empty()
    );
}

#[actix::test]
async fn a_dead_letter_that_is_dropped_stays_dropped() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let key = dead_contact(&workshop, &crm).await;
    let before = crm.effects();
    let app = admin!(workshop, portal);
    let answer: Value = call_and_read_body_json(&app, wish("drop", &key).to_request()).await;
    assert_eq!(answer["done"], 1, "{answer}");
    workshop.idle("sales").await;
    assert_eq!(crm.effects(), before);
    let ledger = workshop.ledger("sales", &key).await;
    let contact = ledger.step(&Role::new("contact")).expect("a step");
    assert!(
        matches!(contact.state, StepState::Dropped { .. }),
        "{contact:?}"
    );
}

#[actix::test]
async fn wrong_questions_are_refused_and_never_the_daemons_fault() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let app = admin!(workshop, portal);
    for path in [
        "/v1/journal?limit=-1",
        "/v1/journal?limit=99999999999999999999999",
        "/v1/journal?from=yesterday",
        "/v1/journal?phone=%00",
        "/v1/journal?after=x",
        "/v1/journal?outcome=great",
        "/v1/journal?unknown=1",
        "/v1/outbox?integration=x",
        "/v1/outbox?limit=x",
        "/v1/communications/acme/office/1.0?lang=xx",
        "/v1/communications/acme/office/%FF%FE",
        "/v1/communications/acme/office/..%2F..%2Fetc",
        "/v1/communications/%20/%20/%20",
        "/v1/communications/acme/office/%D1%8F%00%0A%22",
        "/v1/communications/acme/office/nobody",
        "/v1/communications/acme",
        "/nothing",
    ] {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert!(
            response.status().is_client_error(),
            "{path}: {}",
            response.status()
        );
        let kind = response.headers().get("content-type").expect("a type");
        assert_eq!(kind, "application/problem+json", "{path}");
    }
    for (wish, body) in [
        ("retry", json!({ "items": [{ "integration": "x" }] })),
        ("retry", json!({ "everything": true })),
        ("retry", json!("all")),
        ("burn", json!({ "items": [] })),
    ] {
        let uri = format!("/v1/dead-letters/{wish}");
        let request = TestRequest::post().uri(&uri).set_json(&body);
        let response = call_service(&app, request.to_request()).await;
        assert!(
            response.status().is_client_error(),
            "{body}: {}",
            response.status()
        );
    }
    let unknown: CommunicationKey = "acme/office/nobody".parse().expect("a key");
    let answer: Value = call_and_read_body_json(&app, wish("retry", &unknown).to_request()).await;
    assert_eq!(answer["done"], 0);
    assert_eq!(answer["refused"][0]["communication"], "acme/office/nobody");
    let request = TestRequest::get().uri("/v1/journal?limit=0").to_request();
    assert_eq!(call_service(&app, request).await.status(), StatusCode::OK);
}
