use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::super::breaker::BreakerState;
use super::super::classify::Purpose;
use super::super::script::{Reply, Server};
use super::super::transport::{BODY_BYTES_MAX, Method};
use super::*;
use crate::clock::SystemClock;
use crate::crm::Class;
use crate::model::secret::Secret;

fn door(base_url: &str) -> AccountHttp {
    AccountHttp::new(AccountHttpOptions {
        portal: PortalKey::new("test", "demo"),
        base_url: base_url.to_owned(),
        rate_per_second: 500.0,
        per_second_max: None,
        quiet_start: Duration::ZERO,
        clock: Arc::new(SystemClock),
    })
    .expect("a door")
}

fn request(purpose: Purpose) -> Request {
    Request {
        method: match purpose {
            Purpose::Read => Method::Get,
            Purpose::Write => Method::Post,
        },
        path: "/api/things".to_owned(),
        query: vec![("query".to_owned(), "+7 916".to_owned())],
        body: match purpose {
            Purpose::Read => None,
            Purpose::Write => Some(Bytes::from_static(b"[1]")),
        },
        bearer: Some(Secret::new("token".to_owned())),
        purpose,
        class: Class::Work,
    }
}

#[track_caller]
fn cause(outcome: &Outcome<Response>) -> NotAppliedCause {
    match outcome {
        Outcome::NotApplied(not_applied) => not_applied.cause,
        other => panic!("expected a request without effect, got {other:?}"),
    }
}

#[tokio::test]
async fn a_request_carries_token_name_of_ours_and_encoded_query() {
    let server = Server::start(|_| Reply::Json(200, json!({"ok": true}))).await;
    let outcome = door(&server.url).send(request(Purpose::Write)).await;
    let Outcome::Done(response) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(response.content_type, "application/json");
    let asked = &server.asked()[0];
    assert_eq!(asked.line(), "POST /api/things");
    assert_eq!(asked.query("query"), Some("+7 916"));
    assert_eq!(asked.headers["authorization"], "Bearer token");
    assert!(asked.headers["user-agent"].starts_with("Trunkline/"));
    assert_eq!(asked.body, json!([1]));
}

/// Takes down what is logged.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Journal {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_refusal_is_logged_under_the_crms_name_of_it_without_token_and_numbers() {
    let journal = Journal::default();
    let writer = journal.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    // Another test may have met the same line while nobody listened.
    tracing::callsite::rebuild_interest_cache();
    let headers = "x-request-id: abc-17\r\ncontent-type: application/json\r\n";
    let server = Server::start(move |_| Reply::Raw(400, headers, "{}".to_owned())).await;
    let outcome = door(&server.url).send(request(Purpose::Read)).await;
    let Outcome::Done(response) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(response.request_id.as_deref(), Some("abc-17"));
    let text = String::from_utf8(journal.0.lock().expect("no panic").clone()).expect("text");
    for part in ["abc-17", "/api/things", "400"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for secret in ["token", "916"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(!format!("{:?}", request(Purpose::Write)).contains("\"token\""));
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_and_a_lost_answer_is_ambiguous() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let nobody = format!("http://{}", free.local_addr().expect("bound"));
    drop(free);
    let outcome = door(&nobody).send(request(Purpose::Write)).await;
    assert_eq!(cause(&outcome), NotAppliedCause::Unreachable);

    let server = Server::start(|_| Reply::Lost).await;
    let door = door(&server.url);
    let write = door.send(request(Purpose::Write)).await;
    assert!(matches!(write, Outcome::Ambiguous { .. }), "{write:?}");
    let read = door.send(request(Purpose::Read)).await;
    assert_eq!(cause(&read), NotAppliedCause::Failed);
}

#[tokio::test]
async fn half_a_success_is_ambiguous_for_a_write() {
    let server = Server::start(|_| Reply::CutOff).await;
    let outcome = door(&server.url).send(request(Purpose::Write)).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(|_| {
        Reply::Raw(
            302,
            "location: http://127.0.0.1:1/elsewhere\r\n",
            String::new(),
        )
    })
    .await;
    let outcome = door(&server.url).send(request(Purpose::Write)).await;
    assert_eq!(cause(&outcome), NotAppliedCause::Unreachable);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_429_lowers_the_rate_and_names_the_pause() {
    let server = Server::start(|_| {
        Reply::Raw(
            429,
            "retry-after: 3\r\n",
            "<html>slow down</html>".to_owned(),
        )
    })
    .await;
    let door = door(&server.url);
    let outcome = door.send(request(Purpose::Read)).await;
    let Outcome::NotApplied(not_applied) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(not_applied.cause, NotAppliedCause::Throttled);
    assert_eq!(not_applied.retry_after, Some(Duration::from_secs(3)));
    let status = door.status();
    assert_eq!(status.rate_per_second, 250.0);
    assert_eq!(status.throttled_total, 1);
}

#[tokio::test]
async fn a_blocked_account_is_left_alone_until_a_person_opens_it() {
    let server = Server::start(|_| {
        Reply::Raw(
            403,
            "content-type: text/html\r\n",
            "<html>403 nginx</html>".to_owned(),
        )
    })
    .await;
    let door = door(&server.url);
    for _ in 0..3 {
        let outcome = door.send(request(Purpose::Read)).await;
        assert_eq!(cause(&outcome), NotAppliedCause::Blocked);
    }
    assert_eq!(server.lines().len(), 1, "only the first request may leave");
    let held = door.blocked().expect("an alarm");
    assert_eq!(held.cause, HeldCause::Blocked);
    assert!(held.why.contains("403"), "{held:?}");
    // Told to the next process, it is not asked even once.
    let next = super::tests::door(&server.url);
    next.still_blocked(held);
    let outcome = next.send(request(Purpose::Write)).await;
    assert_eq!(cause(&outcome), NotAppliedCause::Blocked);
    assert_eq!(server.lines().len(), 1);
    assert!(door.blocks().borrow().is_some());
    door.unblock();
    assert!(door.blocks().borrow().is_none());
    assert_eq!(door.blocked(), None);
    door.send(request(Purpose::Read)).await;
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn five_failures_in_a_row_open_the_breaker_and_say_why() {
    let server = Server::start(|_| Reply::Raw(502, "", "bad gateway".to_owned())).await;
    let door = door(&server.url);
    for _ in 0..5 {
        let outcome = door.send(request(Purpose::Read)).await;
        assert_eq!(cause(&outcome), NotAppliedCause::Failed);
    }
    let outcome = door.send(request(Purpose::Read)).await;
    let Outcome::NotApplied(refused) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(refused.cause, NotAppliedCause::BreakerOpen);
    assert!(refused.why.contains("502"), "{}", refused.why);
    assert!(refused.retry_after.is_some());
    assert_eq!(server.lines().len(), 5);
    let status = door.status();
    assert_eq!(status.breaker, BreakerState::Open);
    assert_eq!((status.requests_total, status.failed_total), (5, 5));
}

#[tokio::test]
async fn an_endless_body_ends_at_the_bound() {
    let server = Server::start(|_| Reply::Raw(200, "", "x".repeat(BODY_BYTES_MAX + 1))).await;
    let outcome = door(&server.url).send(request(Purpose::Read)).await;
    assert_eq!(cause(&outcome), NotAppliedCause::Failed);
}

#[tokio::test]
async fn a_crm_under_repair_that_names_a_time_is_left_alone_until_then() {
    for header in [
        "retry-after: 40\r\n",
        "retry-after: Fri, 20 Nov 2099 09:00:00 GMT\r\n",
    ] {
        let server = Server::start(move |_| Reply::Raw(503, header, "repair".to_owned())).await;
        let door = door(&server.url);
        let first = door.send(request(Purpose::Write)).await;
        assert!(matches!(first, Outcome::Ambiguous { .. }), "{first:?}");
        let second = door.send(request(Purpose::Write)).await;
        let Outcome::NotApplied(not_applied) = second else {
            panic!("{second:?}");
        };
        let left = not_applied.retry_after.expect("what is left of it");
        assert!(left > Duration::from_secs(30), "{left:?}");
        assert_eq!(server.lines().len(), 1, "the pause holds for every request");
    }
}
