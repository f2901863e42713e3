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
use trunkline::crm::account::status::{Held, HeldCause, block_row};
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
    let clock = Arc::clone(&workshop.clock);
    AdminState {
        desk,
        drafts: Arc::new(|_, _| Err(Vec::new())),
        files: Arc::new(trunkline::admin::tenant_files::NoFiles),
        employees: Arc::new(trunkline::admin::employees::NoSyncs),
        questions: Arc::new(trunkline::questions::desk::Desk::new(clock)),
        store: workshop.store.clone(),
        clock: Arc::clone(&workshop.clock),
        board: Arc::clone(&workshop.board),
        handles: Arc::clone(&workshop.handles),
        overview: Arc::new(ArcSwap::from_pointee(overview)),
        teller: Arc::new(trunkline::alarms::Teller::new(
            workshop.store.clone(),
            Arc::clone(&workshop.clock),
            Default::default(),
        )),
        signs: Arc::default(),
        archivist: Arc::new(trunkline::backup::Archivist {
            store: workshop.store.clone(),
            clock: Arc::clone(&workshop.clock),
            folder: std::env::temp_dir(),
            free_bytes_min: 0,
            turn: Default::default(),
            configuration: Arc::new(Vec::new),
        }),
        consent: Arc::new(trunkline::crm::NoAccounts),
        installations: Arc::new(trunkline::crm::NoInstallations),
        discard: Arc::new(|_| Ok(())),
        ready: Arc::default(),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        started_at: START,
        language: Language::En,
        phrases: Arc::default(),
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
    assert_eq!(answer["done"], 1);
    assert_eq!(answer["refused"], json!([]));
    assert_eq!(answer["more"], false);
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
        "/v1/journal?limit=0",
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
    let request = TestRequest::get().uri("/v1/journal?limit=1").to_request();
    assert_eq!(call_service(&app, request).await.status(), StatusCode::OK);
}

#[actix::test]
async fn many_dead_letters_are_chosen_by_integration_and_reason_and_changed_together() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let clients: Vec<String> = (0..60).map(|n| format!("+791612345{n:02}")).collect();
    for _ in &clients {
        crm.script(StepKind::CreateContact, Trouble::Refused);
    }
    workshop.calls(&clients).await;
    workshop.idle("sales").await;
    let app = admin!(workshop, portal);
    let post = |wish: &str, body: Value| {
        let post = TestRequest::post().uri(&format!("/v1/dead-letters/{wish}"));
        post.set_json(body).to_request()
    };
    let list = "/v1/dead-letters?integration=acme%2Fsales&reason=NO%20such%20pipeline";
    let listed: Value =
        call_and_read_body_json(&app, TestRequest::get().uri(list).to_request()).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(60));
    let status: Value =
        call_and_read_body_json(&app, TestRequest::get().uri("/v1/status").to_request()).await;
    let sales = &status["integrations"][0];
    assert_eq!(sales["dead_letters"], 60);
    assert_eq!(
        sales["decide_again"],
        "trunkline outbox decide-again --all-of acme/sales"
    );
    let other = json!({ "all_of": "acme/sales", "reason": "no rights" });
    let none: Value = call_and_read_body_json(&app, post("decide-again", other)).await;
    assert_eq!(none["done"], 0);
    // What dies of the wish itself is not met again by who repeats it.
    let earlier = json!({ "reason": "no such", "as_of": "2020-01-01T00:00:00Z" });
    let none: Value = call_and_read_body_json(&app, post("decide-again", earlier)).await;
    assert_eq!(none["done"], 0);
    let all = json!({ "all_of": "acme/sales", "reason": "no such pipeline" });
    let answer: Value = call_and_read_body_json(&app, post("decide-again", all)).await;
    assert_eq!(answer["done"], 60, "{answer}");
    workshop.idle("sales").await;
    let contacts = crm.effects();
    let contacts = contacts.iter().filter(|one| one.starts_with("contact"));
    assert_eq!(contacts.count(), 60);
}

#[actix::test]
async fn a_blocked_account_is_resumed_by_a_person_and_that_is_on_disk_first() {
    let (workshop, crm) = (Workshop::new(), CrmDouble::new());
    let portal = workshop.portal("demo");
    let _kept = workshop.integration("sales", &portal, &crm, Activity::On);
    let held = Held {
        cause: HeldCause::Blocked,
        since: START,
        why: "HTTP 403 with a page".to_owned(),
    };
    let row = block_row(&portal.key);
    let value = serde_json::to_value(&held).expect("JSON");
    workshop
        .store
        .put_account(row.clone(), value)
        .await
        .expect("writes");
    portal.http.still_blocked(held);
    let app = admin!(workshop, portal);
    let status: Value =
        call_and_read_body_json(&app, TestRequest::get().uri("/v1/status").to_request()).await;
    let alarm = &status["alarms"][0];
    assert_eq!(alarm["word"], "blocked");
    let text = alarm["text"].as_str().expect("a text");
    assert!(text.contains("account resume double:demo"), "{text}");
    workshop.call("1.0", "+79161234567").await;
    let resume = |portal: &str| {
        let post = TestRequest::post().uri("/v1/accounts/resume");
        post.set_json(json!({ "portal": portal })).to_request()
    };
    let unknown = call_service(&app, resume("double:other")).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(crm.requests().is_empty());
    let answer: Value = call_and_read_body_json(&app, resume("double:demo")).await;
    assert_eq!(answer, json!({ "resumed": true }));
    assert_eq!(portal.http.blocked(), None);
    assert_eq!(workshop.store.account(row).await, Ok(Some(Value::Null)));
    let answer: Value = call_and_read_body_json(&app, resume("double:demo")).await;
    assert_eq!(answer, json!({ "resumed": false }));
}
