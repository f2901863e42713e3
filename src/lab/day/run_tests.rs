//! The runner and its view of the CRM, against the real simulators and a stand-in for the daemon.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Day;
use super::crm;
use super::daemon::{Daemon, DaemonAddress};
use super::expectation::{CallCard, CallResult, UnsortedState};
use super::portal::{Half, Portal};
use super::report;
use super::runner::{self, RunError, Stage};
use crate::lab::ami::{AmiOptions, AmiServer};
use crate::lab::amocrm::{self, AmoLab, AmoOptions};
use crate::lab::bitrix24::{self, BitrixOptions, SeedCard};

const DAY: &str = r#"
name = "small"
tenant = "demo"
totals = { contacts = 2, deals = 2, unsorted = 1, calls = 2, tasks = 0 }
waiting = [{ integration = "service", communications = 2 }]
[[seed]]
name = "Seeded"
phone = "8 (903) 555-00-04"
responsible = 504
tags = ["vip"]
deals = [{ pipeline = 3100, stage = 142, responsible = 504 }]
[[part]]
title = "calls"
events = [
  { do = "call", at_s = 0.0, capture = "inbound_busy", client = "79035550002", what = "busy" },
  { do = "post", at_s = 0.0, source = "site", status = 202, communications = 1, what = "posted", body = '{"client": "+79035550004", "started_at": "@-10", "ended_at": "@-5"}' },
]
[[client]]
phone = "+79035550002"
why = "made by hand in this test"
contacts = [{ responsible = 503 }]
deals = [{ pipeline = 3100, stage = 3103, responsible = 503 }]
unsorted = [{ pipeline = 3100, category = "sip", state = "accepted" }]
calls = [{ direction = "in", result = "missed", employee = 502, talk_s = [0, 0], on = "deal" }]
[[client]]
phone = "+79035550004"
why = "seeded"
contacts = [{ responsible = 504, tags = ["vip"], seeded = true }]
deals = [{ pipeline = 3100, stage = 142, responsible = 504, seeded = true }]
calls = [{ direction = "out", result = "answered", employee = 502, talk_s = [7, 7], on = "contact" }]
"#;

async fn account() -> AmoLab {
    let options = AmoOptions {
        search_lag: Duration::ZERO,
        ..AmoOptions::default()
    };
    amocrm::start(options).await.unwrap()
}

async fn create(lab: &AmoLab, path: &str, body: Value) {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http
        .post(format!("{}{path}", lab.base_url()))
        .bearer_auth(lab.long_lived_token())
        .header("User-Agent", "test")
        .json(&body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
}

/// Makes what the day above expects, as a daemon would.
async fn work_by_hand(lab: &AmoLab) {
    let now = lab.now();
    create(
        lab,
        "/api/v4/leads/unsorted/sip",
        json!([{
            "source_name": "Office", "source_uid": "t-1", "pipeline_id": 3100, "created_at": now,
            "_embedded": {
                "leads": [{ "name": "Call" }],
                "contacts": [{ "name": "+79035550002", "custom_fields_values": [
                    { "field_code": "PHONE", "values": [{ "value": "+79035550002" }] }] }],
            },
            "metadata": { "uniq": "t-1", "duration": 0, "service_code": "t", "link": "",
                "phone": "79035550002", "called_at": now + 1, "from": "79035550002",
                "call_responsible": 502, "is_call_event_needed": true },
        }]),
    )
    .await;
    create(
        lab,
        "/api/v4/calls",
        json!([{
            "direction": "outbound", "uniq": "t-2", "duration": 7, "source": "t",
            "phone": "+79035550004", "call_status": 4, "call_responsible": 502,
            "created_at": now - 8,
        }]),
    )
    .await;
}

#[tokio::test]
async fn what_the_account_holds_is_sorted_by_client() {
    let lab = account().await;
    let day = Day::parse(DAY).unwrap();
    let seeded = crm::seed(&lab, &day);
    work_by_hand(&lab).await;
    let before = crm::holding(&lab, &seeded);
    let held = &before.clients["9035550002"];
    assert!(
        held.contacts.is_empty() && held.deals.is_empty(),
        "{held:?}"
    );
    assert_eq!(held.unsorted[0].state, UnsortedState::Waiting);
    assert_eq!(held.calls[0].on, Some(CallCard::Unsorted));
    assert_eq!(held.calls[0].result, CallResult::Missed);
    assert_eq!(before.totals.contacts, 1);

    assert!(crm::accept_unsorted(&lab, "+79035550002", 503, 3103));
    assert!(!crm::accept_unsorted(&lab, "+79035550002", 503, 3103));
    let after = crm::holding(&lab, &seeded);
    let held = &after.clients["9035550002"];
    assert_eq!((held.contacts.len(), held.deals.len()), (1, 1));
    assert_eq!(
        (held.deals[0].stage, held.deals[0].responsible),
        (3103, 503)
    );
    assert_eq!(held.calls[0].on, Some(CallCard::Deal));
    let known = &after.clients["9035550004"];
    assert!(known.contacts[0].seeded && known.deals[0].seeded);
    assert_eq!(
        (known.calls[0].on, known.calls[0].talk_s),
        (Some(CallCard::Contact), 7)
    );
}

/// Answers what a day asks of a daemon, and does nothing else.
fn stand_in(answer: u16) -> (String, actix_web::dev::ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = HttpServer::new(move || {
        App::new()
            .route(
                "/v1/status",
                web::get().to(|| async { HttpResponse::Ok().json(status()) }),
            )
            .route(
                "/v1/outbox",
                web::get().to(|| async { HttpResponse::Ok().json(outbox()) }),
            )
            .route(
                "/v1/events/demo/site/s-e-c-r-e-t",
                web::post().to(move || async move {
                    HttpResponse::build(answer.try_into().unwrap()).body("so")
                }),
            )
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    let handle = server.handle();
    drop(tokio::spawn(server));
    (address, handle)
}

/// Logs in and asks for the channels, as a daemon does first.
async fn attach(ami: &AmiServer) -> TcpStream {
    let mut stream = TcpStream::connect(ami.address()).await.unwrap();
    let login = "Action: Login\r\nUsername: crm\r\nSecret: loopback-only\r\nEvents: off\r\n\r\n\
                 Action: CoreShowChannels\r\n\r\n";
    stream.write_all(login.as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut chunk = [0; 1024];
    while !text.contains("CoreShowChannelsComplete") {
        let count = stream.read(&mut chunk).await.unwrap();
        assert!(count > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&chunk[..count]));
    }
    stream
}

/// Two communications of three works.
fn outbox() -> Value {
    let work = |id: u64, communication: &str| json!({ "id": id, "communication": communication });
    json!({ "items": [work(1, "demo/office/1"), work(2, "demo/office/1"), work(3, "demo/site/2")], "total": 3 })
}

fn status() -> Value {
    json!({
        "store": { "communications": 2 },
        "sources": [
            { "key": "demo/office", "state": { "gauges": { "open_calls": 0.0 } } },
            { "key": "demo/site", "state": null },
        ],
        "integrations": [
            { "key": "demo/sales", "open_works": 0, "waiting_for": null },
            { "key": "demo/service", "open_works": 3, "waiting_for": "the crm is down" },
        ],
    })
}

async fn play(lab: &AmoLab, post_answer: u16) -> Result<runner::DayOutcome, RunError> {
    play_beside(lab, post_answer, &BTreeMap::new()).await
}

async fn play_beside(
    lab: &AmoLab,
    post_answer: u16,
    portals: &BTreeMap<String, Portal>,
) -> Result<runner::DayOutcome, RunError> {
    let day = Day::parse(DAY).unwrap();
    let seeded = crm::seed(lab, &day);
    let ami = AmiServer::start(AmiOptions::on("127.0.0.1:0".parse().unwrap()))
        .await
        .unwrap();
    let (url, server) = stand_in(post_answer);
    let daemon = Daemon::new(DaemonAddress {
        admin: url.clone(),
        token: "t".to_owned(),
        intake: url,
        hooks: BTreeMap::from([("site".to_owned(), "s-e-c-r-e-t".to_owned())]),
    })
    .unwrap();
    let _client = attach(&ami).await;
    let crms = BTreeMap::from([("main".to_owned(), lab.handle())]);
    let stage = Stage {
        day: &day,
        ami: &ami,
        vats: None,
        uis: None,
        fed: &BTreeMap::new(),
        crms: &crms,
        account: "main",
        seeded: &seeded,
        portals,
        daemon: &daemon,
    };
    let outcome = runner::run(&stage, |_| {}).await;
    server.stop(false).await;
    outcome
}

#[tokio::test]
async fn a_day_whose_effects_are_there_is_clean() {
    let lab = account().await;
    // The seeds must be there before what refers to them: the day is seeded by `play`, so the
    // work is done as soon as the seeded contact appears.
    let worker = async {
        while lab.oracle().contacts.is_empty() {
            tokio::task::yield_now().await;
        }
        work_by_hand(&lab).await;
        assert!(crm::accept_unsorted(&lab, "+79035550002", 503, 3103));
    };
    let (outcome, ()) = tokio::join!(play(&lab, 202), worker);
    let outcome = outcome.unwrap();
    assert_eq!(outcome.comparison.differences, Vec::new());
    let day = Day::parse(DAY).unwrap();
    let summary = report::summary(&day, &outcome.comparison, &outcome.seen);
    assert_eq!(summary["communications"], 2);
    assert_eq!(summary["expected_effects"], summary["effects_found"]);
    assert_eq!(
        (&summary["duplicates"], &summary["missing"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        summary["waiting"]["service"],
        json!({ "expected": 2, "found": 2 })
    );
    let table = report::table(&day, &outcome.played, &outcome.holding, &outcome.comparison);
    assert!(
        table.contains("incoming missed call by 502, 0 s, on deal"),
        "{table}"
    );
    assert!(!table.contains("WRONG"), "{table}");
}

#[tokio::test]
async fn a_daemon_that_does_nothing_misses_everything() {
    let lab = account().await;
    let outcome = play(&lab, 202).await.unwrap();
    assert_eq!(outcome.comparison.expected_effects, 5);
    assert_eq!(
        (outcome.comparison.missing, outcome.comparison.effects_found),
        (5, 0)
    );
    let day = Day::parse(DAY).unwrap();
    let table = report::table(&day, &outcome.played, &outcome.holding, &outcome.comparison);
    assert!(
        table.contains("expected  deal of 503 in 3100/3103"),
        "{table}"
    );
}

#[tokio::test]
async fn a_webhook_that_is_answered_otherwise_than_written_ends_the_day() {
    let lab = account().await;
    let error = play(&lab, 503).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "webhook \"posted\" was answered 503, not 202: so"
    );
}

#[tokio::test]
async fn the_same_calls_are_compared_with_what_a_portal_holds() {
    let lab = account().await;
    let portal = bitrix24::start(BitrixOptions::default()).await.unwrap();
    let nothing = "totals = { contacts = 1, deals = 0, unsorted = 0, calls = 0, tasks = 0 }";
    let seed = "[[seed]]\nname = \"a\"\nphone = \"+79035550003\"\nresponsible = 12";
    let client = "[[client]]\nphone = \"+79035550003\"\nwhy = \"was there\"\n\
                  contacts = [{ responsible = 12, seeded = true }]";
    let half = Half::parse(&format!("{nothing}\n{seed}\n{client}")).unwrap();
    let held = Portal::seeded(portal.handle(), half).unwrap();
    let portals = BTreeMap::from([("b24".to_owned(), held)]);
    let outcome = play_beside(&lab, 202, &portals).await.unwrap();
    let of_portal = &outcome.portals["b24"];
    assert_eq!(of_portal.comparison.differences, Vec::new());
    // The other CRM lacks everything.
    assert!(!outcome.is_clean());
    portal.add_contact(&SeedCard::new("b", "+79035550099", 12));
    let again = portals["b24"].outcome(&Day::parse(DAY).unwrap(), &of_portal.seen);
    assert_eq!(again.comparison.unexpected, 1);
}
