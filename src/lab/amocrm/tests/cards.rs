use super::*;

#[tokio::test]
async fn a_contact_is_made_and_read_as_the_contract_shows_it() {
    let bench = Bench::start().await;
    let body = json!([{
        "name": "Иван Иванов", "responsible_user_id": 502, "created_by": 0, "request_id": "call-77",
        "custom_fields_values": [phone_field("+79121234567")], "tags_to_add": [{"name": "Звонок"}],
    }]);
    let row = Bench::first(bench.post("/api/v4/contacts", body).await, "contacts");
    assert_eq!(row["request_id"], "call-77");
    let (_, read) = bench.get(&format!("/api/v4/contacts/{}", row["id"])).await;
    assert_eq!(
        (&read["responsible_user_id"], &read["created_by"]),
        (&json!(502), &json!(0))
    );
    let phone = &read["custom_fields_values"][0];
    assert_eq!(
        (&phone["field_code"], &phone["field_type"]),
        (&json!("PHONE"), &json!("multitext"))
    );
    assert_eq!(phone["values"][0]["enum_code"], "WORK");
    assert_eq!(read["_embedded"]["tags"][0]["name"], "Звонок");
    assert!(read["_embedded"].get("leads").is_none());
}

#[tokio::test]
async fn nothing_is_required_and_no_values_read_as_null() {
    let bench = Bench::start().await;
    let row = Bench::first(
        bench.post("/api/v4/contacts", json!([{}])).await,
        "contacts",
    );
    assert_eq!(row["request_id"], "0");
    let (_, read) = bench.get(&format!("/api/v4/contacts/{}", row["id"])).await;
    assert_eq!(read["custom_fields_values"], Value::Null);
}

#[tokio::test]
async fn the_service_makes_no_check_for_duplicates() {
    let bench = Bench::start().await;
    assert_ne!(
        bench.contact("+79121234567").await,
        bench.contact("89121234567").await
    );
    let oracle = bench.lab.oracle();
    assert_eq!(oracle.contacts_of_phone("79121234567").len(), 2);
    assert_eq!(oracle.duplicates.contacts.get("9121234567"), Some(&2));
    assert_eq!(oracle.duplicates.count(), 1);
}

#[tokio::test]
async fn each_bad_item_is_named_by_its_request_id_and_nothing_is_stored() {
    let bench = Bench::start().await;
    let body = json!([
        {"name": "good"},
        {"name": 5},
        {"name": "x", "request_id": "mine", "responsible_user_id": 999},
    ]);
    let (status, problem) = bench.post("/api/v4/contacts", body).await;
    assert_eq!(
        (status, &problem["detail"]),
        (400, &json!("Request validation failed"))
    );
    let errors = problem["validation-errors"].as_array().unwrap();
    let of: Vec<&Value> = errors.iter().map(|e| &e["request_id"]).collect();
    assert_eq!(of, [&json!("1"), &json!("mine")]);
    assert_eq!(errors[1]["errors"][0]["path"], "responsible_user_id");
    assert!(bench.lab.oracle().contacts.is_empty());
}

#[tokio::test]
async fn a_400_may_have_stored_the_valid_items_by_switch() {
    let bench = Bench::start().await;
    let mut switches = bench.lab.switches();
    switches.invalid_batch_stores_valid_items = true;
    bench.lab.set_switches(switches);
    let body = json!([{"name": "good"}, {"name": 5}]);
    assert_eq!(bench.post("/api/v4/contacts", body).await.0, 400);
    let names: Vec<String> = bench
        .lab
        .oracle()
        .contacts
        .into_iter()
        .map(|c| c.name)
        .collect();
    assert_eq!(names, ["good"]);
}

#[tokio::test]
async fn an_array_holds_1_to_250_items() {
    let bench = Bench::start().await;
    let many = |n: usize| json!(vec![json!({"name": "x"}); n]);
    assert_eq!(bench.post("/api/v4/contacts", many(0)).await.0, 400);
    assert_eq!(bench.post("/api/v4/contacts", many(251)).await.0, 400);
    assert_eq!(bench.post("/api/v4/contacts", many(250)).await.0, 200);
    assert_eq!(
        bench.post("/api/v4/contacts", json!({"name": "x"})).await.0,
        400
    );
    let broken = bench.request("POST", "/api/v4/contacts").body("[{");
    assert_eq!(Bench::answer(broken).await.0, 400);
}

#[tokio::test]
async fn values_are_judged_by_the_type_of_their_field() {
    let bench = Bench::start().await;
    let lead = async |field: Value| {
        bench
            .post("/api/v4/leads", json!([{"custom_fields_values": [field]}]))
            .await
    };
    let at = |rest: &str| format!("custom_fields_values.0.{rest}");
    let choice = "NotSupportedChoice";
    let unknown = lead(json!({"field_id": 999, "values": [{"value": "x"}]})).await;
    assert_refused(&unknown, choice, &at("field_id"));
    let foreign = lead(json!({"field_code": "PHONE", "values": [{"value": "x"}]})).await;
    assert_refused(&foreign, choice, &at("field_code"));
    let option = lead(json!({"field_id": 42, "values": [{"value": "Нет такого"}]})).await;
    assert_refused(&option, choice, &at("values.0.value"));
    let option = lead(json!({"field_id": 42, "values": [{"enum_id": 1}]})).await;
    assert_refused(&option, choice, &at("values.0.enum_id"));
    let kind = lead(json!({"field_id": 41, "values": [{"value": 5}]})).await;
    assert_refused(&kind, "InvalidType", &at("values.0.value"));
    let number = lead(json!({"field_id": 44, "values": [{"value": "five"}]})).await;
    assert_refused(&number, "InvalidType", &at("values.0.value"));
    let two =
        lead(json!({"field_id": 42, "values": [{"value": "Сайт"}, {"value": "Визит"}]})).await;
    assert_refused(&two, "TooMany", &at("values"));
    let null = lead(json!({"field_id": 41, "values": [{"value": null}]})).await;
    assert_refused(&null, "NotNullable", &at("values.0.value"));
    let none = lead(json!({"field_id": 41})).await;
    assert_refused(&none, "FieldMissing", &at("values"));
    for good in [
        json!({"field_id": 42, "values": [{"value": "Сайт"}]}),
        json!({"field_id": 43, "values": [{"value": "А"}, {"value": "Б"}]}),
        json!({"field_id": 44, "values": [{"value": "12.5"}]}),
        json!({"field_id": 45, "values": [{"value": 1_767_600_000}]}),
        json!({"field_id": 45, "values": [{"value": "2026-01-05T08:00:00+00:00"}]}),
        json!({"field_code": "UTM_SOURCE", "values": [{"value": "ya"}]}),
    ] {
        assert_eq!(lead(good.clone()).await.0, 200, "{good}");
    }
    let contact = json!([{"custom_fields_values": [
        {"field_code": "PHONE", "values": [{"value": "1", "enum_code": "MOBILE"}]},
    ]}]);
    let answer = bench.post("/api/v4/contacts", contact).await;
    assert_refused(&answer, choice, &at("values.0.enum_code"));
}

#[tokio::test]
async fn patch_replaces_the_values_of_the_fields_it_names_and_empty_clears() {
    let bench = Bench::start().await;
    let id = bench.contact("+79121234567").await;
    let path = format!("/api/v4/contacts/{id}");
    let patch = async |body: Value| bench.send("PATCH", &path, body).await;
    let email = json!({"field_code": "EMAIL", "values": [{"value": "a@b.example"}]});
    patch(json!({"custom_fields_values": [email]})).await;
    let (status, row) = patch(json!({"custom_fields_values": [phone_field("+79990000000")]})).await;
    assert_eq!((status, &row["id"]), (200, &json!(id)));
    let view = bench.lab.oracle().contacts[0].clone();
    assert_eq!(
        (view.phones, view.emails),
        (vec!["+79990000000".into()], vec!["a@b.example".into()])
    );
    patch(json!({"custom_fields_values": [{"field_code": "PHONE", "values": []}]})).await;
    assert!(bench.lab.oracle().contacts[0].phones.is_empty());
    let mut switches = bench.lab.switches();
    switches.patch_replaces_values = false;
    bench.lab.set_switches(switches);
    patch(json!({"custom_fields_values": [phone_field("1"), phone_field("2")]})).await;
    patch(json!({"custom_fields_values": [phone_field("3")]})).await;
    assert_eq!(bench.lab.oracle().contacts[0].phones, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_changed_phone_is_found_by_the_new_number_only() {
    let bench = Bench::start().await;
    let id = bench.contact("+79121234567").await;
    let change = json!({"custom_fields_values": [phone_field("+79990000000")]});
    bench
        .send("PATCH", &format!("/api/v4/contacts/{id}"), change)
        .await;
    // The name still carries the old number, and the search knows no difference.
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 200);
    let body = json!([{"id": id, "name": "Иван"}]);
    let rows = bench.send("PATCH", "/api/v4/contacts", body).await;
    assert_eq!(Bench::first(rows, "contacts")["id"], id);
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 204);
    assert_eq!(bench.get("/api/v4/contacts?query=9990000000").await.0, 200);
    let call = |phone: &str| json!([{"direction": "inbound", "duration": 1, "source": "x", "phone": phone}]);
    assert_eq!(
        bench.post("/api/v4/calls", call("+79121234567")).await.0,
        400
    );
    assert_eq!(
        bench.post("/api/v4/calls", call("+79990000000")).await.0,
        200
    );
}

#[tokio::test]
async fn changing_what_is_not_there_is_refused() {
    let bench = Bench::start().await;
    let answer = bench
        .send("PATCH", "/api/v4/contacts", json!([{"id": 5}]))
        .await;
    assert_refused(&answer, "NotSupportedChoice", "id");
    let answer = bench
        .send("PATCH", "/api/v4/contacts", json!([{"name": "x"}]))
        .await;
    assert_refused(&answer, "FieldMissing", "id");
    assert_eq!(
        bench
            .send("PATCH", "/api/v4/leads/5", json!({"name": "x"}))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn nulls_are_refused_everywhere_unless_switched_off() {
    let bench = Bench::start().await;
    let body = json!([{"name": null}]);
    let answer = bench.post("/api/v4/contacts", body.clone()).await;
    assert_refused(&answer, "NotNullable", "name");
    let mut switches = bench.lab.switches();
    switches.nulls_refused_everywhere = false;
    bench.lab.set_switches(switches);
    assert_eq!(bench.post("/api/v4/contacts", body).await.0, 200);
    assert_eq!(
        bench.lab.counters().oddities.get("explicit null: name"),
        Some(&1)
    );
}

#[tokio::test]
async fn keys_outside_the_contract_are_counted_or_refused() {
    let bench = Bench::start().await;
    let body = json!([{"name": "x", "phone": "1"}]);
    assert_eq!(bench.post("/api/v4/contacts", body.clone()).await.0, 200);
    assert_eq!(
        bench
            .lab
            .counters()
            .oddities
            .get("unknown key: contacts.phone"),
        Some(&1)
    );
    let mut switches = bench.lab.switches();
    switches.unknown_keys_refused = true;
    bench.lab.set_switches(switches);
    assert_refused(
        &bench.post("/api/v4/contacts", body).await,
        "NotSupportedField",
        "phone",
    );
}

#[tokio::test]
async fn a_deactivated_user_may_not_be_made_responsible() {
    let bench = Bench::start().await;
    let body = json!([{"name": "x", "responsible_user_id": 505}]);
    let answer = bench.post("/api/v4/contacts", body.clone()).await;
    assert_refused(&answer, "NotSupportedChoice", "responsible_user_id");
    let mut switches = bench.lab.switches();
    switches.deactivated_responsible_refused = false;
    bench.lab.set_switches(switches);
    assert_eq!(bench.post("/api/v4/contacts", body).await.0, 200);
}
