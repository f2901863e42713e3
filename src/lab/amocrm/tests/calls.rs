use super::*;
use crate::lab::amocrm::{RepeatedUniq, SeedLead};

fn call(phone: &str) -> Value {
    json!({
        "direction": "inbound", "uniq": "call-77", "duration": 54, "source": "our_pbx",
        "link": "https://rec.example/77.mp3", "phone": phone, "call_status": 4,
        "call_responsible": 502, "created_at": 1_767_600_000, "request_id": "r",
    })
}

async fn logged(bench: &Bench, phone: &str) -> Value {
    Bench::first(
        bench.post("/api/v4/calls", json!([call(phone)])).await,
        "calls",
    )
}

#[tokio::test]
async fn a_call_finds_its_contact_by_the_last_ten_digits() {
    let bench = Bench::start().await;
    let contact = bench.contact("8 (912) 123-45-67").await;
    let row = logged(&bench, "+79121234567").await;
    assert_eq!(
        (&row["entity_id"], &row["entity_type"]),
        (&json!(contact), &json!("contact"))
    );
    assert_eq!(
        (&row["request_id"], &row["account_id"]),
        (&json!("r"), &json!(31_000_001))
    );
    assert_eq!(row["_embedded"]["entity"]["id"], contact);
    let oracle = bench.lab.oracle();
    let calls = oracle.calls_of_phone("79121234567");
    assert_eq!(
        (calls.len(), calls[0].at, calls[0].duration),
        (1, 1_767_600_000, 54)
    );
    assert_eq!(calls[0].call_responsible.as_deref(), Some("502"));
}

#[tokio::test]
async fn one_open_lead_takes_the_call_and_several_do_not() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let lead = bench.lead(contact).await;
    let row = logged(&bench, "+79121234567").await;
    assert_eq!(
        (&row["entity_type"], &row["entity_id"]),
        (&json!("lead"), &json!(lead))
    );
    let second = bench.lead(contact).await;
    let row = logged(&bench, "+79121234567").await;
    assert_eq!(row["entity_type"], "contact");
    // A closed one does not count.
    bench
        .send(
            "PATCH",
            &format!("/api/v4/leads/{second}"),
            json!({"status_id": 142}),
        )
        .await;
    assert_eq!(logged(&bench, "+79121234567").await["entity_id"], lead);
}

#[tokio::test]
async fn one_customer_without_open_leads_takes_the_call() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let seed = SeedLead {
        name: "customer".into(),
        contact_id: Some(contact),
        ..SeedLead::default()
    };
    let customer = bench.lab.add_customer(&seed);
    let row = logged(&bench, "+79121234567").await;
    assert_eq!(
        (&row["entity_type"], &row["entity_id"]),
        (&json!("customer"), &json!(customer))
    );
    bench.lead(contact).await;
    assert_eq!(
        logged(&bench, "+79121234567").await["entity_type"],
        "contact"
    );
}

#[tokio::test]
async fn a_company_takes_the_call_when_no_contact_has_the_number() {
    let bench = Bench::start().await;
    let body = json!([{"name": "ООО", "custom_fields_values": [phone_field("+74951234567")]}]);
    bench.post("/api/v4/companies", body).await;
    assert_eq!(
        logged(&bench, "84951234567").await["entity_type"],
        "company"
    );
}

#[tokio::test]
async fn without_a_card_the_call_is_refused_and_not_stored() {
    let bench = Bench::start().await;
    let (status, body) = bench
        .post("/api/v4/calls", json!([call("+79121234567")]))
        .await;
    assert_eq!((status, &body["_total_items"]), (400, &json!(0)));
    assert_eq!(body["errors"][0]["title"], "Entity not found");
    assert!(body.get("validation-errors").is_none());
    assert!(bench.lab.oracle().calls.is_empty());
}

#[tokio::test]
async fn a_mixed_batch_is_200_with_errors() {
    let bench = Bench::start().await;
    bench.contact("+79121234567").await;
    let body = json!([call("+79121234567"), call("+79990000000")]);
    let (status, answer) = bench.post("/api/v4/calls", body.clone()).await;
    assert_eq!((status, &answer["_total_items"]), (200, &json!(1)));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    let mut switches = bench.lab.switches();
    switches.mixed_calls_answer_200 = false;
    bench.lab.set_switches(switches);
    assert_eq!(bench.post("/api/v4/calls", body).await.0, 400);
    assert_eq!(bench.lab.oracle().calls.len(), 2);
}

#[tokio::test]
async fn required_parts_of_a_call_are_named() {
    let bench = Bench::start().await;
    bench.contact("+79121234567").await;
    for key in ["direction", "duration", "source", "phone"] {
        let mut item = call("+79121234567");
        item.as_object_mut().unwrap().remove(key);
        assert_refused(
            &bench.post("/api/v4/calls", json!([item])).await,
            "FieldMissing",
            key,
        );
    }
    for (key, value) in [("direction", json!("in")), ("call_status", json!(9))] {
        let mut item = call("+79121234567");
        item[key] = value;
        assert_refused(
            &bench.post("/api/v4/calls", json!([item])).await,
            "NotSupportedChoice",
            key,
        );
    }
    let mut item = call("+79121234567");
    item["link"] = Value::Null;
    assert_refused(
        &bench.post("/api/v4/calls", json!([item])).await,
        "NotNullable",
        "link",
    );
    assert!(bench.lab.oracle().calls.is_empty());
}

#[tokio::test]
async fn the_author_stands_in_for_a_responsible_that_is_not_named() {
    let bench = Bench::start().await;
    bench.contact("+79121234567").await;
    let mut item = call("+79121234567");
    item.as_object_mut().unwrap().remove("call_responsible");
    item["created_by"] = json!(503);
    bench.post("/api/v4/calls", json!([item])).await;
    assert_eq!(
        bench.lab.oracle().calls[0].call_responsible.as_deref(),
        Some("503")
    );
}

#[tokio::test]
async fn an_equal_uniq_makes_a_second_call_unless_switched() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    logged(&bench, "+79121234567").await;
    logged(&bench, "+79121234567").await;
    let oracle = bench.lab.oracle();
    assert_eq!(
        oracle.duplicates.calls.get("9121234567 1767600000 inbound"),
        Some(&2)
    );
    let mut switches = bench.lab.switches();
    switches.repeated_uniq = RepeatedUniq::Reject;
    bench.lab.set_switches(switches);
    assert_eq!(
        bench
            .post("/api/v4/calls", json!([call("+79121234567")]))
            .await
            .0,
        400
    );
    let params = json!({"uniq": "call-77", "duration": 1, "source": "x", "link": "", "phone": "1"});
    let note = json!([{"entity_id": contact, "note_type": "call_in", "params": params}]);
    assert_refused(
        &bench.post("/api/v4/contacts/notes", note).await,
        "NotUnique",
        "params.uniq",
    );
    assert_eq!(bench.lab.oracle().calls.len(), 2);
}

#[tokio::test]
async fn the_popup_names_the_card_and_is_remembered() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let body = json!({"add": [
        {"type": "phone_call", "phone_number": "+79121234567", "users": [501, 502]},
        {"type": "phone_call", "phone_number": "+79990000000"},
    ]});
    let (status, answer) = bench.post("/api/v2/events/", body).await;
    let items = &answer["_embedded"]["items"];
    assert_eq!((status, &items[0]["element_id"]), (200, &json!(contact)));
    assert_eq!(
        (&items[0]["element_type"], &items[1]["element_id"]),
        (&json!(1), &Value::Null)
    );
    let popups = bench.lab.oracle().popups;
    assert_eq!((popups.len(), popups[0].users.clone()), (2, vec![501, 502]));
    let form = bench
        .request("POST", "/api/v2/events/")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("add[0][type]=phone_call&add[0][phone_number]=%2B79121234567&add[0][users][]=503");
    assert_eq!(Bench::answer(form).await.0, 200);
    assert_eq!(bench.lab.oracle().popups[2].users, [503]);
}
