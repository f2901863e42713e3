use super::*;

const CLIENT: &str = "6a1d0c5e-0000-4000-8000-000000000001";

fn body(grant: &str, key: &str, value: &str) -> Value {
    json!({
        "client_id": CLIENT, "client_secret": "lab-secret", "grant_type": grant, key: value,
        "redirect_uri": "https://box.example/amo",
    })
}

async fn ask(bench: &Bench, body: Value) -> Answer {
    bench.post("/oauth2/access_token", body).await
}

async fn first_pair(bench: &Bench) -> Value {
    let code = bench.lab.issue_code(CLIENT, 501);
    let (status, pair) = ask(bench, body("authorization_code", "code", &code)).await;
    assert_eq!((status, &pair["expires_in"]), (200, &json!(86_400)));
    pair
}

async fn refresh(bench: &Bench, pair: &Value) -> Answer {
    ask(
        bench,
        body(
            "refresh_token",
            "refresh_token",
            pair["refresh_token"].as_str().unwrap(),
        ),
    )
    .await
}

#[tokio::test]
async fn a_code_is_good_once() {
    let bench = Bench::start().await;
    let code = bench.lab.issue_code(CLIENT, 501);
    assert_eq!(
        ask(&bench, body("authorization_code", "code", &code))
            .await
            .0,
        200
    );
    let (status, problem) = ask(&bench, body("authorization_code", "code", &code)).await;
    assert_eq!((status, &problem["status"]), (400, &json!(400)));
}

#[tokio::test]
async fn a_code_ends_after_twenty_minutes() {
    let bench = Bench::start().await;
    let code = bench.lab.issue_code(CLIENT, 501);
    bench.lab.shift_clock_ms(20 * 60 * 1_000 + 1_000);
    assert_eq!(
        ask(&bench, body("authorization_code", "code", &code))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_refresh_token_rotates_and_a_spent_one_is_revoked_and_counted() {
    let bench = Bench::start().await;
    let first = first_pair(&bench).await;
    let (status, second) = refresh(&bench, &first).await;
    assert_eq!(status, 200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(bench.lab.counters().spent_tokens_reused, 0);
    let (status, problem) = refresh(&bench, &first).await;
    assert_eq!(
        (status, &problem["hint"]),
        (401, &json!("Token has been revoked"))
    );
    assert_eq!(bench.lab.counters().spent_tokens_reused, 1);
    assert_eq!(refresh(&bench, &second).await.0, 200);
    assert_eq!(bench.lab.counters().token_rotations, 2);
}

#[tokio::test]
async fn a_grace_window_lets_a_spent_token_pass_by_switch() {
    let bench = Bench::start().await;
    let mut switches = bench.lab.switches();
    switches.refresh_grace_s = 30;
    bench.lab.set_switches(switches);
    let first = first_pair(&bench).await;
    assert_eq!(refresh(&bench, &first).await.0, 200);
    assert_eq!(refresh(&bench, &first).await.0, 200);
    bench.lab.shift_clock_ms(31_000);
    assert_eq!(refresh(&bench, &first).await.0, 401);
    assert_eq!(bench.lab.counters().spent_tokens_reused, 2);
}

#[tokio::test]
async fn an_access_token_ends_after_a_day_and_a_refresh_token_after_three_months() {
    let mut bench = Bench::start().await;
    let pair = first_pair(&bench).await;
    bench.token = pair["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bench.get("/api/v4/account").await.0, 200);
    bench.lab.shift_clock_ms(86_400_000);
    let (status, problem) = bench.get("/api/v4/account").await;
    assert_eq!((status, &problem["title"]), (401, &json!("Unauthorized")));
    bench.lab.shift_clock_ms(90 * 86_400_000);
    assert_eq!(refresh(&bench, &pair).await.0, 401);
    assert_eq!(bench.lab.counters().spent_tokens_reused, 0);
}

#[tokio::test]
async fn wrong_secret_is_401_without_hint_and_wrong_redirect_is_400() {
    let bench = Bench::start().await;
    let code = bench.lab.issue_code(CLIENT, 501);
    let mut wrong = body("authorization_code", "code", &code);
    wrong["client_secret"] = json!("no");
    let (status, problem) = ask(&bench, wrong).await;
    assert_eq!((status, problem.get("hint")), (401, None));
    let mut wrong = body("authorization_code", "code", &code);
    wrong["redirect_uri"] = json!("https://box.example/amo/");
    assert_eq!(ask(&bench, wrong).await.0, 400);
    // Neither spent the code.
    assert_eq!(
        ask(&bench, body("authorization_code", "code", &code))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_too() {
    let bench = Bench::start().await;
    let code = bench.lab.issue_code(CLIENT, 501);
    let fields = body("authorization_code", "code", &code);
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in fields.as_object().unwrap() {
        form.append_pair(key, value.as_str().unwrap());
    }
    let request = bench
        .request("POST", "/oauth2/access_token")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form.finish());
    assert_eq!(Bench::answer(request).await.0, 200);
}

#[tokio::test]
async fn a_long_lived_token_is_a_jwt_with_exp_and_the_same_on_every_start() {
    use base64::Engine as _;
    let bench = Bench::start().await;
    assert_eq!(bench.token, Bench::start().await.token);
    let claims = bench.token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["exp"], 2_000_000_000);
    assert_eq!(claims["account_id"], 31_000_001);
    assert_eq!(bench.get("/api/v4/account").await.0, 200);
    bench.lab.revoke_tokens();
    assert_eq!(bench.get("/api/v4/account").await.0, 401);
}

#[tokio::test]
async fn a_refresh_token_finds_the_subdomain() {
    let bench = Bench::start().await;
    let pair = first_pair(&bench).await;
    let request = bench
        .request("GET", "/oauth2/account/current/subdomain")
        .header("X-Refresh-Token", pair["refresh_token"].as_str().unwrap());
    let (status, body) = Bench::answer(request).await;
    assert_eq!((status, &body["domain"]), (200, &json!("demo.amocrm.ru")));
}
