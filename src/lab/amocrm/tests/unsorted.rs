use super::*;
use crate::lab::amocrm::RepeatedUnsorted;

fn sip(source_uid: &str) -> Value {
    json!({
        "request_id": "call-77", "source_name": "PBX", "source_uid": source_uid,
        "pipeline_id": 3100, "created_at": 1_767_600_000,
        "_embedded": {
            "leads": [{"name": "Звонок"}],
            "contacts": [{"name": "+79121234567", "custom_fields_values": [phone_field("+79121234567")]}],
        },
        "metadata": {
            "uniq": source_uid, "duration": 54, "service_code": "pbx", "link": "https://r.example/1",
            "phone": "79121234567", "called_at": 1_767_600_000, "from": "79121234567",
            "call_responsible": 501, "is_call_event_needed": true,
        },
    })
}

fn form() -> Value {
    json!({
        "source_name": "Site", "source_uid": "f1", "pipeline_id": 3100,
        "metadata": {"form_id": 7, "form_name": "n", "form_page": "p", "form_sent_at": 5},
    })
}

async fn made(bench: &Bench) -> Value {
    let answer = bench
        .post("/api/v4/leads/unsorted/sip", json!([sip("op-1")]))
        .await;
    assert_eq!(answer.1["_total_items"], 1, "{answer:?}");
    Bench::first(answer, "unsorted")
}

#[tokio::test]
async fn ids_come_at_once_but_the_contact_is_hidden_until_accepted() {
    let bench = Bench::start().await;
    let row = made(&bench).await;
    assert_eq!(
        (row["uid"].as_str().unwrap().len(), &row["request_id"]),
        (60, &json!("call-77"))
    );
    let contact = row["_embedded"]["contacts"][0]["id"].clone();
    assert_eq!(bench.get("/api/v4/contacts").await.0, 204);
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 204);
    assert_eq!(bench.get("/api/v4/leads").await.0, 204);
    assert_eq!(
        bench.get(&format!("/api/v4/contacts/{contact}")).await.0,
        200
    );
    let (status, answer) = bench
        .post(
            &format!(
                "/api/v4/leads/unsorted/{}/accept",
                row["uid"].as_str().unwrap()
            ),
            json!({"user_id": 502, "status_id": 3103}),
        )
        .await;
    assert_eq!(
        (status, &answer["_embedded"]["contacts"][0]["id"]),
        (200, &contact)
    );
    assert_eq!(bench.get("/api/v4/contacts?query=9121234567").await.0, 200);
    let lead = bench.lab.oracle().leads[0].clone();
    assert_eq!(
        (lead.status_id, lead.responsible_user_id, lead.in_unsorted),
        (3103, 502, false)
    );
}

#[tokio::test]
async fn a_waiting_lead_stands_in_the_unsorted_stage_without_responsible() {
    let bench = Bench::start().await;
    let row = made(&bench).await;
    let (_, lead) = bench
        .get(&format!(
            "/api/v4/leads/{}",
            row["_embedded"]["leads"][0]["id"]
        ))
        .await;
    assert_eq!(
        (&lead["status_id"], &lead["responsible_user_id"]),
        (&json!(3101), &json!(0))
    );
    let mut switches = bench.lab.switches();
    switches.waiting_leads_listed = true;
    switches.waiting_card_readable_by_id = false;
    bench.lab.set_switches(switches);
    assert_eq!(bench.get("/api/v4/leads").await.0, 200);
    let contact = &row["_embedded"]["contacts"][0]["id"];
    assert_eq!(
        bench.get(&format!("/api/v4/contacts/{contact}")).await.0,
        204
    );
}

#[tokio::test]
async fn the_call_event_of_a_record_counts_as_a_logged_call() {
    let bench = Bench::start().await;
    made(&bench).await;
    let oracle = bench.lab.oracle();
    assert_eq!(oracle.calls.len(), 1);
    let call = &oracle.calls[0];
    assert_eq!(
        (call.origin.as_str(), call.direction.as_str()),
        ("unsorted", "inbound")
    );
    assert_eq!(
        (call.at, call.entity_type.as_str()),
        (1_767_600_000, "lead")
    );
    let mut without = sip("op-2");
    without["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("is_call_event_needed");
    bench
        .post("/api/v4/leads/unsorted/sip", json!([without]))
        .await;
    assert_eq!(bench.lab.oracle().calls.len(), 1);
}

#[tokio::test]
async fn a_waiting_contact_takes_no_calls_unless_switched() {
    let bench = Bench::start().await;
    made(&bench).await;
    let call =
        json!([{"direction": "inbound", "duration": 1, "source": "x", "phone": "79121234567"}]);
    assert_eq!(bench.post("/api/v4/calls", call.clone()).await.0, 400);
    let mut switches = bench.lab.switches();
    switches.calls_match_waiting_contacts = true;
    bench.lab.set_switches(switches);
    assert_eq!(bench.post("/api/v4/calls", call).await.0, 200);
}

#[tokio::test]
async fn records_are_listed_with_their_source_uid_until_sorted() {
    let bench = Bench::start().await;
    assert_eq!(bench.get("/api/v4/leads/unsorted").await.0, 204);
    let row = made(&bench).await;
    bench
        .post("/api/v4/leads/unsorted/forms", json!([form()]))
        .await;
    let path = "/api/v4/leads/unsorted?filter[category][]=sip&order[created_at]=desc&limit=50";
    let (_, page) = bench.get(path).await;
    let records = page["_embedded"]["unsorted"].as_array().unwrap();
    assert_eq!(
        (records.len(), &records[0]["source_uid"]),
        (1, &json!("op-1"))
    );
    // Numbers are read as text and the write-only flag is not read at all.
    assert_eq!(records[0]["metadata"]["duration"], "54");
    assert!(records[0]["metadata"].get("is_call_event_needed").is_none());
    let uid = row["uid"].as_str().unwrap();
    assert!(bench.lab.accept_unsorted(uid, 502));
    assert!(!bench.lab.accept_unsorted(uid, 502));
    assert_eq!(bench.get(path).await.0, 204);
    let (_, summary) = bench.get("/api/v4/leads/unsorted/summary").await;
    assert_eq!(
        (&summary["total"], &summary["accepted"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(summary["categories"]["forms"]["total"], 1);
}

#[tokio::test]
async fn sorting_twice_is_404_unless_switched() {
    let bench = Bench::start().await;
    let row = made(&bench).await;
    let path = format!("/api/v4/leads/unsorted/{}", row["uid"].as_str().unwrap());
    let (status, answer) = bench
        .send(
            "DELETE",
            &format!("{path}/decline"),
            json!({"user_id": 501}),
        )
        .await;
    assert_eq!(status, 200);
    assert!(answer["_embedded"].get("companies").is_none());
    assert_eq!(
        bench.post(&format!("{path}/accept"), json!({})).await.0,
        404
    );
    assert_eq!(
        bench
            .post("/api/v4/leads/unsorted/abc/accept", json!({}))
            .await
            .0,
        404
    );
    let oracle = bench.lab.oracle();
    assert_eq!(oracle.unsorted[0].state, "declined");
    assert!(oracle.leads.is_empty() && !oracle.calls[0].is_shown);
    let mut switches = bench.lab.switches();
    switches.processed_unsorted_is_404 = false;
    bench.lab.set_switches(switches);
    assert_eq!(
        bench.post(&format!("{path}/accept"), json!({})).await.0,
        200
    );
    assert_eq!(bench.lab.oracle().unsorted[0].state, "declined");
}

#[tokio::test]
async fn a_pipeline_without_unsorted_takes_none() {
    let bench = Bench::start().await;
    let mut item = sip("op-1");
    item["pipeline_id"] = json!(3200);
    let answer = bench
        .post("/api/v4/leads/unsorted/sip", json!([item]))
        .await;
    assert_refused(&answer, "NotSupportedChoice", "pipeline_id");
}

#[tokio::test]
async fn sip_needs_its_metadata_and_a_wrapped_array_misses_everything() {
    let bench = Bench::start().await;
    for key in [
        "uniq",
        "duration",
        "service_code",
        "link",
        "phone",
        "called_at",
    ] {
        let mut item = sip("op-1");
        item["metadata"].as_object_mut().unwrap().remove(key);
        let answer = bench
            .post("/api/v4/leads/unsorted/sip", json!([item]))
            .await;
        assert_refused(&answer, "FieldMissing", &format!("metadata.{key}"));
    }
    let answer = bench
        .post("/api/v4/leads/unsorted/sip", json!({"add": [sip("op-1")]}))
        .await;
    assert_refused(&answer, "FieldMissing", "data.source_uid");
    let mut two = sip("op-1");
    two["_embedded"]["contacts"] = json!([{"name": "a"}, {"name": "b"}]);
    let answer = bench.post("/api/v4/leads/unsorted/sip", json!([two])).await;
    assert_refused(&answer, "TooMany", "_embedded.contacts");
    assert_eq!(
        bench
            .post("/api/v4/leads/unsorted/mail", json!([sip("x")]))
            .await
            .0,
        405
    );
    assert!(bench.lab.oracle().unsorted.is_empty());
}

#[tokio::test]
async fn the_callee_may_be_null_and_inner_models_may_be_absent() {
    let bench = Bench::start().await;
    let mut item = sip("op-1");
    item["metadata"]["call_responsible"] = Value::Null;
    item.as_object_mut().unwrap().remove("_embedded");
    let row = Bench::first(
        bench
            .post("/api/v4/leads/unsorted/sip", json!([item]))
            .await,
        "unsorted",
    );
    assert_eq!(row["_embedded"]["contacts"], json!([]));
    assert!(row["_embedded"]["leads"][0]["id"].is_u64());
}

#[tokio::test]
async fn a_record_that_is_there_already_is_taken_refused_or_tagged() {
    for (choice, records, tags) in [
        (RepeatedUnsorted::Accept, 2, 0),
        (RepeatedUnsorted::Reject, 1, 0),
        (RepeatedUnsorted::Tag, 2, 2),
    ] {
        let bench = Bench::start().await;
        let mut switches = bench.lab.switches();
        switches.repeated_unsorted = choice;
        bench.lab.set_switches(switches);
        made(&bench).await;
        bench
            .post("/api/v4/leads/unsorted/sip", json!([sip("op-1")]))
            .await;
        let oracle = bench.lab.oracle();
        let tagged = oracle
            .leads
            .iter()
            .filter(|l| l.tags.contains(&"duplicate".to_owned()));
        assert_eq!(
            (oracle.unsorted.len(), tagged.count()),
            (records, tags),
            "{choice:?}"
        );
        assert_eq!(oracle.duplicates.unsorted.len(), usize::from(records == 2));
        // The same person twice in unsorted is no duplicate of a contact.
        assert!(oracle.duplicates.contacts.is_empty());
    }
}

#[tokio::test]
async fn complex_with_metadata_lands_in_unsorted_and_ignores_the_stage() {
    let bench = Bench::start().await;
    let mut metadata = sip("op-1")["metadata"].clone();
    metadata["category"] = json!("sip");
    let body = json!([{
        "name": "deal", "status_id": 3103, "pipeline_id": 3100,
        "_embedded": {"metadata": metadata,
                      "contacts": [{"custom_fields_values": [phone_field("+79121234567")]}]},
    }]);
    let (status, rows) = bench.post("/api/v4/leads/complex", body).await;
    assert_eq!(status, 200, "{rows}");
    let oracle = bench.lab.oracle();
    assert_eq!(
        (oracle.unsorted.len(), oracle.leads[0].status_id),
        (1, 3101)
    );
    assert_eq!(rows[0]["id"], oracle.leads[0].id);
    assert_eq!(rows[0]["contact_id"], oracle.contacts[0].id);
    assert!(oracle.contacts[0].in_unsorted);
    assert_eq!(oracle.unsorted_of_phone("+79121234567").len(), 1);
}
