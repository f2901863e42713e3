//! How a portal lets us in.

use super::cards::contact;
use super::*;
use crate::crm::Grant;

fn tokens(access: &str, refresh: &str, endpoint: &str) -> Value {
    json!({
        "access_token": access, "refresh_token": refresh, "expires_in": 3600, "scope": "crm",
        "client_endpoint": endpoint, "server_endpoint": "https://oauth.bitrix24.tech/rest/",
        "domain": "oauth.bitrix24.tech", "member_id": "5f0c", "status": "L", "user_id": 1,
    })
}

fn expired() -> Reply {
    let body = json!({"error": "expired_token", "error_description": "The access token expired"});
    Reply::Json(401, body)
}

/// A portal whose tokens are numbered; `refuse` says which access tokens it takes no more.
async fn application(mut refuse: impl FnMut(&str) -> bool + Send + 'static) -> Fixture {
    let mut handed_out = 0;
    let settings = json!({"client_id": "local.1"});
    Fixture::with(settings, move |asked| {
        if asked.path.ends_with("/oauth/token/") {
            assert_eq!(asked.query("client_secret"), Some("key"));
            handed_out += 1;
            let (access, refresh) = (format!("a{handed_out}"), format!("r{handed_out}"));
            return Reply::Json(
                200,
                tokens(&access, &refresh, "https://demo.bitrix24.ru/rest/"),
            );
        }
        assert_eq!(asked.path, "/rest/batch");
        match refuse(asked.body["auth"].as_str().expect("a token")) {
            true => expired(),
            false => batch(asked, |_| Ok(json!(31))),
        }
    })
    .await
}

#[tokio::test]
async fn a_webhook_goes_in_the_address_and_is_let_rest_when_it_is_refused() {
    let fixture = Fixture::start(|asked| {
        assert_eq!(asked.path, "/rest/1/s3cret/batch");
        assert!(asked.body.get("auth").is_none());
        let body =
            json!({"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"});
        Reply::Json(401, body)
    })
    .await;
    for _ in 0..3 {
        let outcome = fixture.execute_one(contact("1")).await;
        assert!(
            matches!(outcome, Outcome::AuthExpired { .. }),
            "{outcome:?}"
        );
    }
    assert_eq!(fixture.server.lines().len(), 1);
    let alarm = fixture.adapter.alarm().await.expect("an alarm");
    assert!(
        alarm.contains("incoming webhook") && !alarm.contains("s3cret"),
        "{alarm}"
    );
}

#[tokio::test]
async fn a_code_makes_a_pair_and_an_expired_token_is_renewed_once_for_all() {
    let fixture = application(|token| token == "a1").await;
    let code = Secret::new("code".to_owned());
    assert_eq!(fixture.adapter.authorise(code).await, Outcome::Done(()));
    let outcomes = fixture
        .adapter
        .execute((0..9).map(|n| contact(&n.to_string())).collect())
        .await;
    assert!(
        outcomes.iter().all(|one| matches!(one, Outcome::Done(_))),
        "{outcomes:?}"
    );
    let lines = fixture.server.lines();
    let renewals = lines
        .iter()
        .filter(|line| line.contains("/oauth/token/"))
        .count();
    assert_eq!(renewals, 2, "the code and one renewal: {lines:?}");
    let stored = fixture
        .vault
        .pair
        .lock()
        .expect("no panic")
        .clone()
        .expect("a pair");
    assert!(stored.expose().contains("\"r2\""));
    let witness = fixture
        .vault
        .witness
        .lock()
        .expect("no panic")
        .clone()
        .expect("a witness");
    assert!(!witness.sent);
}

#[tokio::test]
async fn a_refresh_token_whose_answer_was_lost_is_never_sent_again() {
    let mut asked_for_tokens = 0;
    let settings = json!({"client_id": "local.1"});
    let fixture = Fixture::with(settings, move |asked| {
        if !asked.path.ends_with("/oauth/token/") {
            return expired();
        }
        asked_for_tokens += 1;
        match asked_for_tokens {
            1 => Reply::Json(200, tokens("a1", "r1", "https://demo.bitrix24.ru/rest/")),
            2 => Reply::Lost,
            _ => panic!("asked again"),
        }
    })
    .await;
    let code = Secret::new("code".to_owned());
    assert_eq!(fixture.adapter.authorise(code).await, Outcome::Done(()));
    for _ in 0..3 {
        let outcome = fixture.execute_one(contact("1")).await;
        assert!(
            matches!(outcome, Outcome::AuthExpired { .. }),
            "{outcome:?}"
        );
    }
    let alarm = fixture.adapter.alarm().await.expect("an alarm");
    assert!(alarm.contains("answer to the renewal was lost"), "{alarm}");
}

#[tokio::test]
async fn consent_of_another_portal_is_refused() {
    let settings = json!({"client_id": "local.1"});
    let fixture = Fixture::with(settings, |_| {
        Reply::Json(200, tokens("a1", "r1", "https://other.bitrix24.ru/rest/"))
    })
    .await;
    let consent = fixture.adapter.consent().expect("a page");
    let grant = |host: &str| Grant {
        code: Secret::new("code".to_owned()),
        host: host.to_owned(),
    };
    for host in ["other.bitrix24.ru", "example.org", "demo.bitrix24.ru"] {
        let outcome = consent.granted(grant(host)).await;
        assert!(
            matches!(outcome, Outcome::Rejected(_)),
            "{host}: {outcome:?}"
        );
    }
    // A host that is named otherwise is not even asked for tokens.
    assert_eq!(fixture.server.lines().len(), 1);
    assert!(fixture.vault.pair.lock().expect("no panic").is_none());
    let page = consent.page(
        "https://box.example/oauth/bitrix24",
        &Secret::new("s".to_owned()),
    );
    let page = page.expect("a page");
    assert_eq!(
        page,
        "https://demo.bitrix24.ru/oauth/authorize/?client_id=local.1&state=s"
    );
}
