use super::*;

#[tokio::test]
async fn account_shows_what_with_asks_for() {
    let bench = Bench::start().await;
    let (status, plain) = bench.get("/api/v4/account").await;
    assert_eq!((status, &plain["id"]), (200, &json!(31_000_001)));
    assert!(plain.get("is_api_filter_enabled").is_none() && plain.get("_embedded").is_none());
    let with = "task_types,users_groups,datetime_settings,is_api_filter_enabled,amojo_id,version";
    let (_, full) = bench.get(&format!("/api/v4/account?with={with}")).await;
    assert_eq!(full["is_api_filter_enabled"], false);
    assert_eq!(full["_embedded"]["task_types"][0]["id"], 1);
    assert_eq!(
        full["_embedded"]["datetime_settings"]["timezone_offset"],
        "+03:00"
    );
    assert_eq!(full["amojo_id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn users_are_for_administrators_only() {
    let mut bench = Bench::start().await;
    let (status, page) = bench.get("/api/v4/users?limit=2").await;
    assert_eq!(
        (status, &page["_total_items"], &page["_page_count"]),
        (200, &json!(5), &json!(3))
    );
    assert_eq!(page["_embedded"]["users"][0]["rights"]["is_admin"], true);
    bench.token = bench.lab.issue_token("x", 502, bench.lab.now() + 60);
    let (status, problem) = bench.get("/api/v4/users").await;
    assert_eq!((status, &problem["status"]), (403, &json!(403)));
}

#[tokio::test]
async fn deactivated_users_are_listed_by_switch() {
    let bench = Bench::start().await;
    let (_, page) = bench.get("/api/v4/users").await;
    let last = page["_embedded"]["users"][4].clone();
    assert_eq!(last["rights"]["is_active"], false);
    let mut switches = bench.lab.switches();
    switches.deactivated_users_listed = false;
    bench.lab.set_switches(switches);
    let (_, page) = bench.get("/api/v4/users").await;
    assert_eq!(page["_embedded"]["users"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn pipelines_have_an_own_unsorted_stage_and_shared_final_ones() {
    let bench = Bench::start().await;
    let (_, body) = bench.get("/api/v4/leads/pipelines").await;
    let pipelines = body["_embedded"]["pipelines"].as_array().unwrap();
    let stages = |n: usize| {
        pipelines[n]["_embedded"]["statuses"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&stages(0)[0]["type"], &stages(0)[0]["id"]),
        (&json!(1), &json!(3101))
    );
    assert_eq!(
        (&stages(1)[0]["type"], &stages(1)[0]["id"]),
        (&json!(1), &json!(3201))
    );
    for n in 0..2 {
        let ids: Vec<Value> = stages(n).iter().map(|s| s["id"].clone()).collect();
        assert!(ids.contains(&json!(142)) && ids.contains(&json!(143)));
    }
    let (status, stage) = bench.get("/api/v4/leads/pipelines/3100/statuses/142").await;
    assert_eq!((status, &stage["sort"]), (200, &json!(10_000)));
    assert_eq!(bench.get("/api/v4/leads/pipelines/1").await.0, 404);
}

#[tokio::test]
async fn loss_reasons_are_listed() {
    let bench = Bench::start().await;
    let (_, body) = bench.get("/api/v4/leads/loss_reasons").await;
    assert_eq!(body["_embedded"]["loss_reasons"][0]["id"], 601);
}

#[tokio::test]
async fn custom_fields_come_fifty_to_a_page_whatever_the_limit() {
    let mut options = options();
    for n in 0..60 {
        options.fields.push(crate::lab::amocrm::FieldOptions {
            entity: "leads".into(),
            id: 1_000 + n,
            name: format!("field {n}"),
            kind: "text".into(),
            code: None,
            options: Vec::new(),
        });
    }
    let bench = Bench::with(options).await;
    let path = "/api/v4/leads/custom_fields?limit=250";
    let (_, first) = bench.get(path).await;
    assert_eq!(
        first["_embedded"]["custom_fields"]
            .as_array()
            .unwrap()
            .len(),
        50
    );
    assert_eq!(
        (&first["_total_items"], &first["_page_count"]),
        (&json!(66), &json!(2))
    );
    let (_, second) = bench.get(&format!("{path}&page=2")).await;
    assert_eq!(
        second["_embedded"]["custom_fields"]
            .as_array()
            .unwrap()
            .len(),
        16
    );
}

#[tokio::test]
async fn a_custom_field_is_made_with_201_and_then_usable() {
    let bench = Bench::start().await;
    let body = json!([{"name": "Trunkline", "type": "text", "is_api_only": true}]);
    let (status, made) = bench.post("/api/v4/leads/custom_fields", body).await;
    assert_eq!(status, 201);
    let id = made["_embedded"]["custom_fields"][0]["id"].clone();
    let value = json!([{"field_id": id, "values": [{"value": "op-1"}]}]);
    let body = json!([{"custom_fields_values": value}]);
    let lead = Bench::first(bench.post("/api/v4/leads", body).await, "leads");
    let (_, read) = bench.get(&format!("/api/v4/leads/{}", lead["id"])).await;
    assert_eq!(
        read["custom_fields_values"][0]["values"][0]["value"],
        "op-1"
    );
    assert_eq!(
        bench.lab.oracle().marker_uses("Trunkline").get("op-1"),
        Some(&1)
    );
}

#[tokio::test]
async fn a_field_of_a_type_that_the_entity_lacks_is_refused() {
    let bench = Bench::start().await;
    let body = json!([{"name": "x", "type": "multitext"}]);
    assert_refused(
        &bench.post("/api/v4/leads/custom_fields", body).await,
        "NotSupportedChoice",
        "type",
    );
    let body = json!([{"name": "x", "type": "tracking_data"}]);
    let answer = bench.post("/api/v4/contacts/custom_fields", body).await;
    assert_refused(&answer, "NotSupportedChoice", "type");
    assert_refused(
        &bench
            .post("/api/v4/leads/custom_fields", json!([{"type": "text"}]))
            .await,
        "FieldMissing",
        "name",
    );
}

#[tokio::test]
async fn an_unpaid_account_answers_402_and_a_context_user_must_be_known() {
    let bench = Bench::start().await;
    bench.lab.set_paid(false);
    assert_eq!(bench.get("/api/v4/account").await.0, 402);
    bench.lab.set_paid(true);
    let as_user = |id: &str| {
        bench
            .request("GET", "/api/v4/account")
            .header("X-Context-User-ID", id)
    };
    let (status, account) = Bench::answer(as_user("502")).await;
    assert_eq!((status, &account["current_user_id"]), (200, &json!(502)));
    assert_eq!(Bench::answer(as_user("999")).await.0, 401);
}

#[tokio::test]
async fn wrong_paths_are_404_and_wrong_methods_405() {
    let bench = Bench::start().await;
    assert_eq!(bench.get("/api/v4/nothing").await.0, 404);
    assert_eq!(bench.get("/api/v3/contacts").await.0, 404);
    assert_eq!(bench.get("/api/v4/calls").await.0, 405);
    assert_eq!(
        bench.send("DELETE", "/api/v4/contacts", json!([])).await.0,
        405
    );
}

#[tokio::test]
async fn answers_carry_hal_or_problem_types_and_a_request_id() {
    let bench = Bench::start().await;
    let good = bench
        .request("GET", "/api/v4/account")
        .send()
        .await
        .unwrap();
    assert_eq!(good.headers()["content-type"], "application/hal+json");
    assert!(good.headers().contains_key("x-request-id"));
    let bad = bench
        .request("GET", "/api/v4/nothing")
        .send()
        .await
        .unwrap();
    assert_eq!(bad.headers()["content-type"], "application/problem+json");
}
