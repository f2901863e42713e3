use std::time::Duration;

use super::*;
use crate::lab::fault::{Fault, Rule, When};

const ADD: &str = "*crm.contact.add";

async fn struck_once(fault: Fault) -> Bench {
    let bench = Bench::start().await;
    let rule = Rule::new("POST", ADD, When::Nth { n: 1 }, fault);
    bench.lab.add_fault(rule).unwrap();
    bench
}

fn body() -> Value {
    json!({"fields": {"NAME": "a"}})
}

fn contacts(bench: &Bench) -> usize {
    bench.lab.oracle().contacts.len()
}

#[tokio::test]
async fn a_lost_answer_has_had_its_effect_and_a_refused_connection_none() {
    for (fault, stored) in [(Fault::LostAfter, 1), (Fault::RefusedBefore, 0)] {
        let bench = struck_once(fault).await;
        assert!(
            bench
                .request("crm.contact.add", body())
                .send()
                .await
                .is_err()
        );
        assert_eq!(contacts(&bench), stored);
        assert_eq!(bench.lab.log().pop().unwrap().status, None);
        assert_eq!(bench.call("crm.contact.add", body()).await.0, 200);
    }
}

#[tokio::test]
async fn a_late_answer_has_had_its_effect_before_it_comes() {
    let bench = struck_once(Fault::LateAfter { ms: 60_000 }).await;
    let request = bench.request("crm.contact.add", body());
    let answer = request.timeout(Duration::from_millis(300)).send().await;
    assert!(answer.unwrap_err().is_timeout());
    assert_eq!(contacts(&bench), 1);
}

#[tokio::test]
async fn errors_come_before_or_after_the_effect_in_the_portals_words() {
    let wait = Fault::TooManyRequests {
        retry_after_s: None,
    };
    for (fault, status, code, stored) in [
        (Fault::ErrorBefore { status: 502 }, 502, "absent", 0),
        (Fault::ErrorAfter { status: 504 }, 504, "absent", 1),
        (wait, 503, "QUERY_LIMIT_EXCEEDED", 0),
        (Fault::ForbiddenJson, 403, "ACCESS_DENIED", 0),
        (Fault::BlockedHtml, 503, "OVERLOAD_LIMIT", 0),
        (Fault::ExpiredToken, 401, "expired_token", 0),
        (Fault::HtmlInsteadOfJson, 200, "absent", 1),
        (Fault::TruncatedJson, 200, "absent", 1),
    ] {
        let bench = struck_once(fault.clone()).await;
        let answer = bench.refused("crm.contact.add", body()).await;
        assert_eq!((answer.0, answer.1.as_str()), (status, code), "{fault:?}");
        assert_eq!(contacts(&bench), stored, "{fault:?}");
    }
}

#[tokio::test]
async fn half_of_a_batch_may_have_had_its_effect() {
    let bench = Bench::start().await;
    let fault = Fault::PartialBatch { status: 500 };
    let rule = Rule::new("POST", "*/batch", When::Always, fault);
    bench.lab.add_fault(rule).unwrap();
    let commands: Vec<&str> = vec!["crm.contact.add?fields[NAME]=a"; 4];
    assert_eq!(bench.call("batch", json!({"cmd": commands})).await.0, 500);
    assert_eq!(contacts(&bench), 2);
}

#[tokio::test]
async fn a_body_may_drip() {
    let drip = Fault::SlowDrip {
        chunk_bytes: 16,
        pause_ms: 1,
    };
    let bench = struck_once(drip).await;
    assert_eq!(bench.call("crm.contact.add", body()).await.0, 200);
}

#[tokio::test]
async fn garbage_is_refused_and_ends_nothing() {
    let bench = Bench::start().await;
    let url = format!("{}/rest/crm.contact.add", bench.lab.base_url());
    for body in [
        "{",
        "[1]",
        "\"a\"",
        "{\"auth\":{}}",
        "{\"auth\":[\"a\"],\"fields\":7}",
    ] {
        let request = bench
            .client
            .post(&url)
            .header("Content-Type", "application/json");
        let (status, _) = Bench::answer(request.body(body)).await;
        assert!((400..500).contains(&status), "{body}: {status}");
    }
    for (method, body) in [
        ("crm.contact.add", json!({"fields": []})),
        (
            "crm.contact.list",
            json!({"filter": {"!!!": {}}, "order": {"": 7}, "start": "x"}),
        ),
        (
            "crm.item.list",
            json!({"entityTypeId": 2, "filter": {"0": {"0": {"0": []}}}}),
        ),
        (
            "batch",
            json!({"cmd": {"": "", "a": "$result[", "b": "?=&&[]=1&a[[b]]=2"}}),
        ),
        (
            "telephony.externalCall.register",
            json!({"USER_ID": -1, "PHONE_NUMBER": []}),
        ),
        (
            "crm.duplicate.findbycomm",
            json!({"type": "PHONE", "values": [null, {}, "+"]}),
        ),
        (
            "crm.timeline.comment.add",
            json!({"fields": {"ENTITY_ID": "x"}}),
        ),
    ] {
        let (status, body) = bench.call(method, body).await;
        assert!(status < 500, "{method}: {status} {body}");
    }
    assert_eq!(bench.call("profile", json!({})).await.0, 200);
}
