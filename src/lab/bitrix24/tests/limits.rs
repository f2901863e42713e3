use std::time::Duration;

use super::*;

#[tokio::test]
async fn fifty_requests_fill_the_bucket_and_a_batch_is_one() {
    let bench = Bench::start().await;
    bench.lab.set_bucket(5, 0);
    let commands: Vec<&str> = vec!["profile"; 50];
    assert_eq!(bench.call("batch", json!({"cmd": commands})).await.0, 200);
    for _ in 0..4 {
        assert_eq!(bench.call("profile", json!({})).await.0, 200);
    }
    let (status, code, _) = bench.refused("profile", json!({})).await;
    assert_eq!((status, code.as_str()), (503, "QUERY_LIMIT_EXCEEDED"));
    assert_eq!(bench.lab.counters().rate_violations, 1);
    assert_eq!(bench.lab.counters().batch_commands, 50);
    // The authorisation server has no bucket of the portal.
    let url = format!(
        "{}/rest/app.info?auth={}",
        bench.lab.oauth_url(),
        bench.token
    );
    assert_eq!(Bench::answer(bench.client.get(url)).await.0, 200);
}

#[tokio::test]
async fn a_method_that_used_up_its_time_is_parked_alone() {
    let bench = Bench::start().await;
    bench
        .lab
        .set_operating(Some(Duration::from_secs(3)), Duration::from_secs(2));
    let (_, body) = bench.call("profile", json!({})).await;
    assert_eq!(body["time"]["operating"], 2.0);
    let reset_at = body["time"]["operating_reset_at"].as_i64().unwrap();
    assert!((540..=600).contains(&(reset_at - bench.lab.now())));
    // The call that crosses the line succeeds.
    assert_eq!(bench.call("profile", json!({})).await.0, 200);
    let (status, code, _) = bench.refused("profile", json!({})).await;
    assert_eq!((status, code.as_str()), (429, "OPERATION_TIME_LIMIT"));
    assert_eq!(bench.call("scope", json!({})).await.0, 200);
    let result = bench
        .ok("batch", json!({"cmd": {"a": "profile", "b": "scope"}}))
        .await;
    assert_eq!(result["result_error"]["a"]["error"], "OPERATION_TIME_LIMIT");
    assert!(result["result"]["b"].is_array());
    bench.lab.shift_clock_ms(601_000);
    assert_eq!(bench.call("profile", json!({})).await.0, 200);
}

#[tokio::test]
async fn a_script_parks_a_method_and_time_need_not_be_reported() {
    let bench = Bench::switched(|s| s.operating_reported = false).await;
    let (_, body) = bench.call("profile", json!({})).await;
    assert!(body["time"].get("operating").is_none());
    bench.lab.park_method("crm.deal.add", true);
    let fields = json!({"fields": {"TITLE": "a"}});
    assert_eq!(bench.refused("crm.deal.add", fields.clone()).await.0, 429);
    bench.lab.park_method("crm.deal.add", false);
    assert_eq!(bench.call("crm.deal.add", fields).await.0, 200);
}

#[tokio::test]
async fn refused_requests_fill_the_bucket_where_the_portal_counts_them() {
    for (counted, level) in [(false, 2), (true, 5)] {
        let bench = Bench::start().await;
        bench.lab.set_bucket(2, 0);
        bench.lab.switch(|s| s.refused_requests_count = counted);
        for _ in 0..5 {
            bench.call("profile", json!({})).await;
        }
        assert_eq!(bench.lab.counters().bucket_most, level);
    }
}
