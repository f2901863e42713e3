use super::*;

async fn lab(bench: &Bench, method: &str, path: &str, body: Value) -> Answer {
    bench.send(method, &format!("/_lab{path}"), body).await
}

#[tokio::test]
async fn scripts_find_address_and_token() {
    let bench = Bench::start().await;
    let (_, hello) = bench.get("/_lab").await;
    assert_eq!(hello["base_url"], bench.lab.base_url());
    assert_eq!(hello["token"], bench.token);
    assert!(bench.lab.log().is_empty());
}

#[tokio::test]
async fn scripts_seed_edit_and_delete() {
    let bench = Bench::start().await;
    let seeds = json!({
        "contacts": [{"name": "Иван", "phones": ["+79121234567"], "responsible_user_id": 502}],
        "leads": [{"name": "deal", "contact_id": 7_000_001, "status_id": 3103}],
    });
    let (status, made) = lab(&bench, "POST", "/seed", seeds).await;
    assert_eq!((status, &made["contacts"]), (200, &json!([7_000_001])));
    let edit = json!({"phones": ["+79990000000"], "responsible_user_id": 503});
    assert_eq!(lab(&bench, "PATCH", "/contacts/7000001", edit).await.0, 204);
    assert_eq!(
        lab(&bench, "PATCH", "/leads/9000001", json!({"status_id": 142}))
            .await
            .0,
        204
    );
    let (_, oracle) = bench.get("/_lab/oracle").await;
    assert_eq!(oracle["contacts"][0]["phones"], json!(["+79990000000"]));
    assert_eq!(oracle["contacts"][0]["responsible_user_id"], 503);
    assert!(oracle["leads"][0]["closed_at"].is_i64());
    assert_eq!(
        lab(&bench, "DELETE", "/contacts/7000001", json!({}))
            .await
            .0,
        204
    );
    assert_eq!(
        lab(&bench, "DELETE", "/contacts/7000001", json!({}))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn merged_contacts_are_one_with_all_phones_and_leads() {
    let bench = Bench::start().await;
    let (into, from) = (
        bench.contact("+79120000001").await,
        bench.contact("+79120000002").await,
    );
    let lead = bench.lead(from).await;
    let merge = json!({"into": into, "from": from});
    assert_eq!(lab(&bench, "POST", "/merge", merge.clone()).await.0, 204);
    assert_eq!(lab(&bench, "POST", "/merge", merge).await.0, 404);
    let oracle = bench.lab.oracle();
    assert_eq!(oracle.contacts.len(), 1);
    assert_eq!(oracle.contacts[0].phones, ["+79120000001", "+79120000002"]);
    assert_eq!(oracle.leads_of_phone("9120000002")[0].id, lead);
    let (_, page) = bench.get("/api/v4/events?filter[type]=entity_merged").await;
    assert_eq!(page["_embedded"]["events"][0]["entity_id"], into);
}

#[tokio::test]
async fn scripts_set_faults_and_mistakes_in_them_are_named() {
    let bench = Bench::start().await;
    let plan = json!({"seed": 5, "rules": [{
        "path": "*", "when": {"kind": "first", "n": 1},
        "faults": [{"kind": "error_before", "status": 500}],
    }]});
    assert_eq!(lab(&bench, "POST", "/faults", plan).await.0, 200);
    assert_eq!(bench.get("/api/v4/account").await.0, 500);
    assert_eq!(bench.get("/api/v4/account").await.0, 200);
    let (_, state) = bench.get("/_lab/faults").await;
    assert_eq!(
        (&state[0]["matched"], &state[0]["struck"]),
        (&json!(2), &json!(1))
    );
    let typo = json!({"rules": [{"path": "*", "when": {"kind": "sometimes"}, "faults": []}]});
    let (status, problem) = lab(&bench, "POST", "/faults", typo).await;
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("sometimes"));
    assert_eq!(lab(&bench, "DELETE", "/faults", json!({})).await.0, 204);
    assert_eq!(bench.get("/_lab/faults").await.1, json!([]));
}

#[tokio::test]
async fn scripts_reach_tokens_clock_switches_rate_and_reset() {
    let bench = Bench::start().await;
    let wish = json!({"client_id": "c", "user_id": 502});
    let (_, made) = lab(&bench, "POST", "/tokens", wish.clone()).await;
    assert!(made["token"].as_str().unwrap().starts_with("eyJ"));
    assert!(lab(&bench, "POST", "/code", wish).await.1["code"].is_string());
    let before = bench.lab.now();
    lab(&bench, "POST", "/clock", json!({"shift_ms": 3_600_000})).await;
    assert!(bench.lab.now() >= before + 3_600);
    let (_, mut switches) = bench.get("/_lab/switches").await;
    switches["if_modified_since"] = json!(true);
    assert_eq!(lab(&bench, "POST", "/switches", switches).await.0, 204);
    assert!(bench.lab.switches().if_modified_since);
    lab(&bench, "POST", "/block", json!({})).await;
    assert_eq!(bench.get("/api/v4/account").await.0, 403);
    lab(&bench, "DELETE", "/block", json!({})).await;
    let rate = json!({"per_integration": 0, "per_account": 9});
    lab(&bench, "POST", "/rate", rate).await;
    assert_eq!(bench.get("/api/v4/account").await.0, 429);
    assert_eq!(lab(&bench, "POST", "/reset", json!({})).await.0, 204);
    assert_eq!(bench.get("/api/v4/account").await.0, 200);
    assert_eq!(bench.lab.counters().rate_violations, 0);
    assert_eq!(lab(&bench, "POST", "/nothing", json!({})).await.0, 404);
}

#[tokio::test]
async fn a_script_accepts_an_unsorted_record_as_a_person() {
    let bench = Bench::start().await;
    let item = json!([{
        "source_name": "s", "source_uid": "u",
        "metadata": {"form_id": "1", "form_name": "n", "form_page": "p", "form_sent_at": 5},
        "_embedded": {"contacts": [{"name": "x"}]},
    }]);
    let row = Bench::first(
        bench.post("/api/v4/leads/unsorted/forms", item).await,
        "unsorted",
    );
    let path = format!("/unsorted/{}/accept", row["uid"].as_str().unwrap());
    assert_eq!(
        lab(&bench, "POST", &path, json!({"user_id": 503})).await.0,
        204
    );
    assert_eq!(bench.lab.oracle().leads[0].responsible_user_id, 503);
    let (_, page) = bench.get("/api/v4/events?filter[type]=lead_added").await;
    assert_eq!(page["_embedded"]["events"][0]["created_by"], 503);
}

#[tokio::test]
async fn a_stopped_lab_frees_its_port() {
    let bench = Bench::start().await;
    let address = bench
        .lab
        .base_url()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    bench.lab.stop().await.unwrap();
    let again = AmoOptions {
        listen: address,
        ..options()
    };
    assert!(start(again).await.is_ok());
}
