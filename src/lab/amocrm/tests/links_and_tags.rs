use super::*;

#[tokio::test]
async fn links_are_made_listed_and_undone() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let row = Bench::first(bench.post("/api/v4/leads", json!([{}])).await, "leads");
    let lead = row["id"].as_u64().unwrap();
    let path = format!("/api/v4/leads/{lead}");
    let body = json!([{
        "to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": true},
    }]);
    for _ in 0..2 {
        let link = Bench::first(
            bench.post(&format!("{path}/link"), body.clone()).await,
            "links",
        );
        assert_eq!(
            (&link["entity_id"], &link["to_entity_id"]),
            (&json!(lead), &json!(contact))
        );
    }
    let (_, links) = bench
        .get(&format!("{path}/links?filter[to_entity_type]=contacts"))
        .await;
    assert_eq!(
        links["_embedded"]["links"][0]["metadata"]["main_contact"],
        true
    );
    let (_, bulk) = bench
        .get(&format!(
            "/api/v4/contacts/links?filter[entity_id][]={contact}"
        ))
        .await;
    assert_eq!(bulk["_embedded"]["links"][0]["to_entity_type"], "leads");
    let unlink = json!([{"to_entity_id": contact, "to_entity_type": "contacts"}]);
    assert_eq!(
        bench.post(&format!("{path}/unlink"), unlink).await,
        (204, Value::Null)
    );
    assert_eq!(
        bench.get(&format!("{path}/links")).await.1["_total_items"],
        0
    );
    let unknown = json!([{"to_entity_id": 5, "to_entity_type": "contacts"}]);
    let answer = bench.post(&format!("{path}/link"), unknown).await;
    assert_refused(&answer, "NotSupportedChoice", "to_entity_id");
}

#[tokio::test]
async fn a_repeated_link_is_refused_by_switch() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let lead = bench.lead(contact).await;
    let mut switches = bench.lab.switches();
    switches.repeated_link_succeeds = false;
    bench.lab.set_switches(switches);
    let body = json!([{"to_entity_id": contact, "to_entity_type": "contacts"}]);
    let answer = bench
        .post(&format!("/api/v4/leads/{lead}/link"), body)
        .await;
    assert_refused(&answer, "AlreadyLinked", "to_entity_id");
}

#[tokio::test]
async fn a_contact_has_one_company() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let made = bench
        .post("/api/v4/companies", json!([{"name": "a"}, {"name": "b"}]))
        .await
        .1;
    for n in 0..2 {
        let id = made["_embedded"]["companies"][n]["id"].clone();
        let body = json!([{"to_entity_id": id, "to_entity_type": "companies"}]);
        bench
            .post(&format!("/api/v4/contacts/{contact}/link"), body)
            .await;
    }
    let last = made["_embedded"]["companies"][1]["id"].as_u64().unwrap();
    assert_eq!(bench.lab.oracle().contacts[0].companies, [last]);
}

#[tokio::test]
async fn tags_are_upserted_by_name_and_replaced_or_added_on_cards() {
    let bench = Bench::start().await;
    let tag = async |name: &str| {
        let body = json!([{"name": name, "request_id": "t1"}]);
        Bench::first(bench.post("/api/v4/contacts/tags", body).await, "tags")["id"].clone()
    };
    assert_eq!(tag("x").await, tag("x").await);
    assert_ne!(tag("x").await, tag("y").await);
    assert_eq!(
        bench.get("/api/v4/contacts/tags?filter[name]=no").await.0,
        204
    );
    assert_eq!(bench.get("/api/v4/leads/tags").await.0, 204);
    let id = bench.contact("+79121234567").await;
    let path = format!("/api/v4/contacts/{id}");
    let tags = || bench.lab.oracle().contacts[0].tags.clone();
    bench
        .send(
            "PATCH",
            &path,
            json!({"tags_to_add": [{"name": "x"}, {"name": "z"}]}),
        )
        .await;
    assert_eq!(tags(), ["x", "z"]);
    bench
        .send("PATCH", &path, json!({"tags_to_delete": [{"name": "x"}]}))
        .await;
    assert_eq!(tags(), ["z"]);
    bench
        .send(
            "PATCH",
            &path,
            json!({"_embedded": {"tags": [{"name": "y"}]}}),
        )
        .await;
    assert_eq!(tags(), ["y"]);
    bench
        .send("PATCH", &path, json!({"_embedded": {"tags": null}}))
        .await;
    assert!(tags().is_empty());
    let color = json!([{"name": "c", "color": "DDEBB5"}]);
    assert_eq!(bench.post("/api/v4/leads/tags", color.clone()).await.0, 200);
    let answer = bench.post("/api/v4/contacts/tags", color).await;
    assert_refused(&answer, "NotSupportedChoice", "color");
}
