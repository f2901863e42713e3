use super::*;

fn strict() -> AmoOptions {
    AmoOptions {
        rate_per_second: 7,
        account_rate_per_second: 50,
        ..options()
    }
}

/// Starts an account whose clock stands still, so that its second lasts on a machine that is busy.
async fn stopped(options: AmoOptions) -> Bench {
    let bench = Bench::with(options).await;
    bench.lab.stop_clock();
    bench
}

#[tokio::test]
async fn the_eighth_request_of_a_second_is_429_without_json() {
    let bench = stopped(strict()).await;
    for _ in 0..7 {
        assert_eq!(bench.get("/api/v4/account").await.0, 200);
    }
    let response = bench
        .request("GET", "/api/v4/account")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["content-type"], "text/html");
    assert!(!response.headers().contains_key("retry-after"));
    assert_eq!(bench.lab.counters().rate_violations, 1);
    assert_eq!(bench.lab.counters().requests_per_second_max, 8);
}

#[tokio::test]
async fn the_token_endpoint_is_limited_and_blocked_as_well() {
    let bench = stopped(strict()).await;
    bench.lab.set_blocked(true);
    let response = bench
        .request("POST", "/oauth2/access_token")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert!(response.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn repeated_violations_block_everything_until_lifted() {
    let bench = stopped(AmoOptions {
        rate_per_second: 1,
        block_after_violations: Some(3),
        ..strict()
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(bench.get("/api/v4/account").await.0);
    }
    assert_eq!(statuses, [200, 429, 429, 403, 403]);
    bench.lab.set_blocked(false);
    bench.lab.set_rate(1_000, 1_000);
    assert_eq!(bench.get("/api/v4/account").await.0, 200);
}

#[tokio::test]
async fn a_refused_request_has_no_effect() {
    let bench = stopped(AmoOptions {
        rate_per_second: 1,
        ..strict()
    })
    .await;
    assert_eq!(bench.get("/api/v4/account").await.0, 200);
    assert_eq!(
        bench
            .post("/api/v4/contacts", json!([{"name": "x"}]))
            .await
            .0,
        429
    );
    assert!(bench.lab.oracle().contacts.is_empty());
}

#[tokio::test]
async fn token_requests_count_for_their_integration() {
    let bench = stopped(strict()).await;
    let body = json!({"client_id": "6a1d0c5e-0000-4000-8000-000000000001"});
    for _ in 0..4 {
        assert_eq!(bench.get("/api/v4/account").await.0, 200);
        bench.post("/oauth2/access_token", body.clone()).await;
    }
    assert_eq!(bench.lab.counters().rate_violations, 1);
}

#[tokio::test]
async fn a_request_that_waits_for_the_account_keeps_its_time_of_arrival() {
    let bench = stopped(AmoOptions {
        rate_per_second: 1,
        ..strict()
    })
    .await;
    // The server must be up before the account is held.
    bench.get("/_lab").await;
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (hold, held) = tokio::sync::oneshot::channel();
    let handle = bench.lab.handle();
    let holder = std::thread::spawn(move || {
        let _world = handle.world();
        hold.send(()).unwrap();
        released.recv().unwrap();
    });
    held.await.unwrap();
    let first = tokio::spawn(Bench::answer(bench.request("GET", "/api/v4/account")));
    while bench.lab.under_way() < 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Over a second between the arrivals, and none between the judgements.
    bench.lab.pass(Duration::from_millis(1_050));
    let second = tokio::spawn(Bench::answer(bench.request("GET", "/api/v4/account")));
    while bench.lab.under_way() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    release.send(()).unwrap();
    holder.join().unwrap();
    assert_eq!(
        (first.await.unwrap().0, second.await.unwrap().0),
        (200, 200)
    );
    assert_eq!(bench.lab.counters().rate_violations, 0);
}
