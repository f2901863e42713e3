use super::*;
use crate::lab::amocrm::SeedLead;

#[tokio::test]
async fn a_lead_begins_in_the_first_ordinary_stage_of_the_main_pipeline() {
    let bench = Bench::start().await;
    let row = Bench::first(bench.post("/api/v4/leads", json!([{}])).await, "leads");
    let (_, lead) = bench.get(&format!("/api/v4/leads/{}", row["id"])).await;
    assert_eq!(
        (&lead["pipeline_id"], &lead["status_id"]),
        (&json!(3100), &json!(3102))
    );
    assert_eq!(
        (&lead["price"], &lead["closed_at"]),
        (&json!(0), &Value::Null)
    );
}

#[tokio::test]
async fn stages_must_belong_to_their_pipeline() {
    let bench = Bench::start().await;
    let choice = "NotSupportedChoice";
    for (body, path) in [
        (json!([{"pipeline_id": 1}]), "pipeline_id"),
        (json!([{"status_id": 3202}]), "status_id"),
        (
            json!([{"pipeline_id": 3200, "status_id": 3102}]),
            "status_id",
        ),
        (json!([{"status_id": 3101}]), "status_id"),
        (
            json!([{"status_id": 143, "loss_reason_id": 1}]),
            "loss_reason_id",
        ),
    ] {
        assert_refused(&bench.post("/api/v4/leads", body).await, choice, path);
    }
    let good = json!([{"pipeline_id": 3200, "status_id": 3203}]);
    assert_eq!(bench.post("/api/v4/leads", good).await.0, 200);
}

#[tokio::test]
async fn moving_to_another_pipeline_needs_both() {
    let bench = Bench::start().await;
    let row = Bench::first(bench.post("/api/v4/leads", json!([{}])).await, "leads");
    let path = format!("/api/v4/leads/{}", row["id"]);
    let alone = bench
        .send("PATCH", &path, json!({"pipeline_id": 3200}))
        .await;
    assert_refused(&alone, "FieldMissing", "status_id");
    let foreign = bench.send("PATCH", &path, json!({"status_id": 3202})).await;
    assert_refused(&foreign, "NotSupportedChoice", "status_id");
    let both = json!({"pipeline_id": 3200, "status_id": 3202});
    assert_eq!(bench.send("PATCH", &path, both).await.0, 200);
    assert_eq!(bench.lab.oracle().leads[0].pipeline_id, 3200);
}

#[tokio::test]
async fn a_final_stage_closes_a_lead_and_leaving_it_opens() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let lead = bench.lead(contact).await;
    let path = format!("/api/v4/leads/{lead}");
    bench
        .send(
            "PATCH",
            &path,
            json!({"status_id": 143, "loss_reason_id": 601}),
        )
        .await;
    let (_, read) = bench
        .get(&format!("{path}?with=loss_reason,contacts"))
        .await;
    assert!(read["closed_at"].is_i64());
    assert_eq!(read["_embedded"]["loss_reason"][0]["name"], "Дорого");
    assert_eq!(
        read["_embedded"]["contacts"],
        json!([{
            "id": contact, "is_main": true,
            "_links": {"self": {"href": format!("{}/api/v4/contacts/{contact}", bench.lab.base_url())}},
        }])
    );
    bench.send("PATCH", &path, json!({"status_id": 3102})).await;
    assert_eq!(bench.get(&path).await.1["closed_at"], Value::Null);
}

#[tokio::test]
async fn contacts_of_a_new_lead_must_exist() {
    let bench = Bench::start().await;
    let body = json!([{"_embedded": {"contacts": [{"id": 5}]}}]);
    let answer = bench.post("/api/v4/leads", body).await;
    assert_refused(&answer, "NotSupportedChoice", "_embedded.contacts.0.id");
}

#[tokio::test]
async fn complex_makes_all_in_one_and_answers_a_bare_array() {
    let bench = Bench::start().await;
    let body = json!([{
        "name": "deal", "request_id": "call-77", "pipeline_id": 3200, "status_id": 3203,
        "_embedded": {
            "contacts": [{"name": "Иван", "custom_fields_values": [phone_field("+79121234567")]}],
            "companies": [{"name": "ООО"}], "tags": [{"name": "t"}],
        },
    }]);
    let (status, rows) = bench.post("/api/v4/leads/complex", body).await;
    assert_eq!(status, 200);
    assert_eq!(rows[0]["request_id"], json!(["call-77"]));
    assert_eq!(rows[0]["merged"], false);
    let oracle = bench.lab.oracle();
    let lead = &oracle.leads[0];
    assert_eq!(
        (lead.id, lead.status_id),
        (rows[0]["id"].as_u64().unwrap(), 3203)
    );
    assert_eq!(lead.tags, ["t"]);
    assert_eq!(lead.contacts, [rows[0]["contact_id"].as_u64().unwrap()]);
    assert_eq!(
        oracle.contacts[0].companies,
        [rows[0]["company_id"].as_u64().unwrap()]
    );
}

#[tokio::test]
async fn complex_takes_a_known_contact_and_at_most_fifty_leads() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let known = json!([{"_embedded": {"contacts": [{"id": contact}]}}]);
    let (_, rows) = bench.post("/api/v4/leads/complex", known).await;
    assert_eq!(
        (&rows[0]["contact_id"], &rows[0]["company_id"]),
        (&json!(contact), &Value::Null)
    );
    assert_eq!(bench.lab.oracle().contacts.len(), 1);
    let two = json!([{"_embedded": {"contacts": [{"id": contact}, {"name": "b"}]}}]);
    let answer = bench.post("/api/v4/leads/complex", two).await;
    assert_refused(&answer, "TooMany", "_embedded.contacts");
    let unknown = json!([{"_embedded": {"contacts": [{"id": 5}]}}]);
    let answer = bench.post("/api/v4/leads/complex", unknown).await;
    assert_refused(&answer, "NotSupportedChoice", "_embedded.contacts.0.id");
    let many = json!(vec![json!({"name": "x"}); 51]);
    assert_eq!(bench.post("/api/v4/leads/complex", many).await.0, 400);
}

#[tokio::test]
async fn complex_holds_at_most_forty_values_per_entity() {
    let bench = Bench::start().await;
    let values: Vec<Value> = (0..41).map(|n| json!({"value": format!("{n}")})).collect();
    let phones = json!([{"field_code": "PHONE", "values": values}]);
    let body = json!([{"_embedded": {"contacts": [{"custom_fields_values": phones}]}}]);
    let answer = bench.post("/api/v4/leads/complex", body).await;
    assert_refused(
        &answer,
        "TooMany",
        "_embedded.contacts.0.custom_fields_values",
    );
}

#[tokio::test]
async fn complex_merges_only_where_duplicate_control_is_on() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let lead = bench.lead(contact).await;
    let contacts = json!([{"custom_fields_values": [phone_field("89121234567")]}]);
    let body = json!([{"_embedded": {"contacts": contacts}}]);
    let (_, rows) = bench.post("/api/v4/leads/complex", body.clone()).await;
    assert_eq!(rows[0]["merged"], false);
    let mut switches = bench.lab.switches();
    switches.duplicate_control = true;
    bench.lab.set_switches(switches);
    let (_, rows) = bench.post("/api/v4/leads/complex", body).await;
    assert_eq!(
        (&rows[0]["merged"], &rows[0]["id"]),
        (&json!(true), &json!(lead))
    );
}

#[tokio::test]
async fn leads_of_a_contact_are_shown_on_demand() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let lead = bench.lab.add_lead(&SeedLead {
        name: "seeded".into(),
        contact_id: Some(contact),
        ..SeedLead::default()
    });
    let (_, read) = bench
        .get(&format!("/api/v4/contacts/{contact}?with=leads"))
        .await;
    assert_eq!(read["_embedded"]["leads"][0]["id"], lead);
}
