use super::*;
use crate::lab::fault::{Fault, Rule, When};

const CONTACTS: &str = "/api/v4/contacts";

async fn struck_once(fault: Fault) -> Bench {
    let bench = Bench::start().await;
    let rule = Rule::new("POST", CONTACTS, When::Nth { n: 1 }, fault);
    bench.lab.add_fault(rule).unwrap();
    bench
}

fn contacts(bench: &Bench) -> usize {
    bench.lab.oracle().contacts.len()
}

async fn post(bench: &Bench) -> reqwest::Result<reqwest::Response> {
    let body = json!([{"name": "a"}, {"name": "b"}]);
    bench.request("POST", CONTACTS).json(&body).send().await
}

#[tokio::test]
async fn a_lost_answer_has_had_its_effect() {
    let bench = struck_once(Fault::LostAfter).await;
    assert!(post(&bench).await.is_err());
    assert_eq!(contacts(&bench), 2);
    let entry = bench.lab.log().pop().unwrap();
    assert_eq!(
        (entry.status, entry.fault.as_deref()),
        (None, Some("lost_after"))
    );
    assert_eq!(post(&bench).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_refused_connection_has_had_no_effect() {
    let bench = struck_once(Fault::RefusedBefore).await;
    assert!(post(&bench).await.is_err());
    assert_eq!(contacts(&bench), 0);
}

#[tokio::test]
async fn a_late_answer_has_had_its_effect_before_it_comes() {
    let bench = struck_once(Fault::LateAfter { ms: 60_000 }).await;
    let body = json!([{"name": "a"}]);
    let request = bench.request("POST", CONTACTS).json(&body);
    let answer = request.timeout(Duration::from_millis(200)).send().await;
    assert!(answer.unwrap_err().is_timeout());
    assert_eq!(contacts(&bench), 1);
}

#[tokio::test]
async fn errors_come_before_or_after_the_effect() {
    for (fault, status, stored) in [
        (Fault::ErrorBefore { status: 503 }, 503, 0),
        (Fault::ErrorAfter { status: 504 }, 504, 2),
        (Fault::ForbiddenJson, 403, 0),
        (Fault::BlockedHtml, 403, 0),
        (Fault::ExpiredToken, 401, 0),
        (Fault::PartialBatch { status: 504 }, 504, 1),
    ] {
        let bench = struck_once(fault.clone()).await;
        assert_eq!(post(&bench).await.unwrap().status(), status, "{fault:?}");
        assert_eq!(contacts(&bench), stored, "{fault:?}");
    }
}

#[tokio::test]
async fn too_many_requests_may_say_when_to_come_back() {
    let bench = struck_once(Fault::TooManyRequests {
        retry_after_s: Some(3),
    })
    .await;
    let response = post(&bench).await.unwrap();
    assert_eq!((response.status().as_u16(), contacts(&bench)), (429, 0));
    assert_eq!(response.headers()["retry-after"], "3");
    // Our own fault is no violation.
    assert_eq!(bench.lab.counters().rate_violations, 0);
}

#[tokio::test]
async fn bodies_may_drip_end_early_or_be_pages() {
    let bench = struck_once(Fault::SlowDrip {
        chunk_bytes: 100,
        pause_ms: 5,
    })
    .await;
    let body = post(&bench).await.unwrap().bytes().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
    for fault in [Fault::TruncatedJson, Fault::HtmlInsteadOfJson] {
        let bench = struck_once(fault).await;
        let response = post(&bench).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.bytes().await.unwrap();
        assert!(serde_json::from_slice::<Value>(&body).is_err());
        assert_eq!(contacts(&bench), 2);
    }
}

#[tokio::test]
async fn one_seed_strikes_the_same_ordinals() {
    let run = async |seed| {
        let bench = Bench::start().await;
        bench
            .lab
            .set_faults(crate::lab::fault::FaultPlan::new(seed));
        let when = When::Chance { per_mille: 400 };
        let fault = Fault::ErrorBefore { status: 500 };
        bench
            .lab
            .add_fault(Rule::new("", "*", when, fault))
            .unwrap();
        let mut statuses = Vec::new();
        for _ in 0..30 {
            statuses.push(bench.get("/api/v4/account").await.0);
        }
        statuses
    };
    let first = run(1).await;
    assert!(first.contains(&500) && first.contains(&200));
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
}

#[tokio::test]
async fn the_log_keeps_every_request_with_its_answer() {
    let bench = Bench::start().await;
    bench.get("/api/v4/contacts?query=1").await;
    post(&bench).await.unwrap();
    let log = bench.lab.log();
    let line = |n: usize| {
        (
            log[n].ordinal,
            log[n].method.as_str(),
            log[n].path.as_str(),
            log[n].status,
        )
    };
    assert_eq!(line(0), (1, "GET", CONTACTS, Some(204)));
    assert_eq!(line(1), (2, "POST", CONTACTS, Some(200)));
    assert_eq!(
        (log[0].query.as_str(), log[1].body.contains("\"a\"")),
        ("query=1", true)
    );
    assert_eq!(bench.lab.log_counters().by_status.get(&204), Some(&1));
}
