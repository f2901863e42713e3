use super::*;
use crate::lab::bitrix24::{ApplicationOptions, Consent};

struct Secret {
    client_id: String,
    client_secret: String,
}

fn secret(bench: &Bench) -> Secret {
    let app = &bench.lab.options().applications[0];
    Secret {
        client_id: app.client_id.clone(),
        client_secret: app.client_secret.clone(),
    }
}

async fn token(bench: &Bench, grant: &[(&str, &str)]) -> Answer {
    let Secret {
        client_id,
        client_secret,
    } = secret(bench);
    let url = format!("{}/oauth/token/", bench.lab.oauth_url());
    let request = bench.client.get(url);
    let request = request.query(&[("client_id", client_id), ("client_secret", client_secret)]);
    Bench::answer(request.query(grant)).await
}

#[tokio::test]
async fn a_code_lives_thirty_seconds_and_is_used_once() {
    let bench = Bench::start().await;
    let code = bench.lab.issue_code(&secret(&bench).client_id, 12);
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
    ];
    let (status, body) = token(&bench, &grant).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["user_id"], 12);
    assert_eq!(body["domain"], "oauth.bitrix24.tech");
    assert_eq!(body["client_endpoint"], "https://demo.bitrix24.ru/rest/");
    assert_eq!(body["expires_in"], 3_600);
    let (status, body) = token(&bench, &grant).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    let code = bench.lab.issue_code(&secret(&bench).client_id, 12);
    bench.lab.shift_clock_ms(31_000);
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
    ];
    assert_eq!(token(&bench, &grant).await.0, 400);
}

#[tokio::test]
async fn every_refresh_returns_another_token_and_a_spent_one_is_counted() {
    let bench = Bench::start().await;
    let tokens = bench.lab.issue_tokens(&secret(&bench).client_id, 1);
    let first = tokens["refresh_token"].as_str().unwrap();
    let grant = [("grant_type", "refresh_token"), ("refresh_token", first)];
    let (status, body) = token(&bench, &grant).await;
    assert_eq!(status, 200);
    assert_ne!(body["refresh_token"], *first);
    assert_eq!(token(&bench, &grant).await.0, 400);
    assert_eq!(bench.lab.counters().spent_tokens_reused, 1);
    // The other reading: a spent one works once.
    bench
        .lab
        .switch(|s| s.spent_refresh_token_works_once = true);
    let second = body["refresh_token"].as_str().unwrap();
    let grant = [("grant_type", "refresh_token"), ("refresh_token", second)];
    let statuses = [
        token(&bench, &grant).await.0,
        token(&bench, &grant).await.0,
        token(&bench, &grant).await.0,
    ];
    assert_eq!(statuses, [200, 200, 400]);
}

#[tokio::test]
async fn who_is_not_known_or_has_not_paid_gets_no_token() {
    let bench = Bench::start().await;
    let url = format!("{}/oauth/token/", bench.lab.base_url());
    let ask = |query: &'static str| Bench::answer(bench.client.get(format!("{url}?{query}")));
    let (status, body) = ask("grant_type=refresh_token").await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
    let (status, body) = ask("grant_type=refresh_token&client_id=a&client_secret=b").await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
    bench.lab.set_paid(false);
    let grant = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    assert_eq!(token(&bench, &grant).await.1["error"], "PAYMENT_REQUIRED");
    bench.lab.set_paid(true);
    bench.lab.uninstall(&secret(&bench).client_id, true);
    assert_eq!(token(&bench, &grant).await.1["error"], "not_installed");
}

#[tokio::test]
async fn consent_leads_back_with_a_code_or_shows_it() {
    let bench = Bench::start().await;
    let client_id = secret(&bench).client_id;
    let link = format!(
        "https://{}/oauth/authorize/?client_id={client_id}&state=s1",
        bench.lab.domain()
    );
    let Consent::Redirect(address) = bench.lab.consent(&link, 1).unwrap() else {
        panic!("a page instead of a redirect");
    };
    let address = url::Url::parse(&address).unwrap();
    let value = |name: &str| {
        let mut pairs = address.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, v)| v.into_owned())
    };
    assert_eq!(value("state").as_deref(), Some("s1"));
    assert_eq!(value("domain").as_deref(), Some("demo.bitrix24.ru"));
    assert_eq!(
        value("member_id"),
        Some(bench.lab.options().member_id.clone())
    );
    let code = value("code").unwrap();
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
    ];
    assert_eq!(token(&bench, &grant).await.0, 200);
    assert!(
        bench
            .lab
            .consent("https://elsewhere.example/oauth/authorize/", 1)
            .is_err()
    );

    let mut options = options();
    options.applications = vec![ApplicationOptions {
        return_url: None,
        ..options.applications[0].clone()
    }];
    let bench = Bench::with(options).await;
    assert!(matches!(bench.lab.consent(&link, 1), Ok(Consent::Page(_))));
}

#[tokio::test]
async fn app_info_of_the_authorisation_server_names_portal_and_member() {
    let bench = Bench::start().await;
    let url = format!("{}/rest/app.info", bench.lab.oauth_url());
    let request = bench.client.get(&url).query(&[("auth", &bench.token)]);
    let (status, body) = Bench::answer(request).await;
    assert_eq!(status, 200);
    let install = &body["result"]["install"];
    assert_eq!(install["member_id"], bench.lab.options().member_id);
    assert_eq!(install["client_endpoint"], "https://demo.bitrix24.ru/rest/");
    let request = bench.client.get(&url).query(&[("auth", "forged")]);
    assert_eq!(Bench::answer(request).await.0, 401);
    // At the portal it has another shape.
    let at_portal = bench.ok("app.info", json!({})).await;
    assert_eq!(
        (&at_portal["INSTALLED"], &at_portal["STATUS"]),
        (&json!(true), &json!("L"))
    );
}
