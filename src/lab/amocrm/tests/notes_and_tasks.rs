use super::*;

fn call_params() -> Value {
    json!({"uniq": "u1", "duration": 5, "source": "pbx", "link": "", "phone": "+79121234567"})
}

#[tokio::test]
async fn a_call_note_is_stored_and_found_by_type() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let body = json!([
        {"entity_id": contact, "note_type": "call_out", "params": call_params(),
         "created_at": 1_767_600_000, "created_by": 502, "responsible_user_id": 502,
         "request_id": "n1"},
        {"entity_id": contact, "note_type": "common", "params": {"text": "hello"}},
    ]);
    let row = Bench::first(bench.post("/api/v4/contacts/notes", body).await, "notes");
    assert_eq!(
        (&row["entity_id"], &row["request_id"]),
        (&json!(contact), &json!("n1"))
    );
    let types = "filter[note_type][]=call_in&filter[note_type][]=call_out&order[id]=desc&limit=50";
    let (_, page) = bench
        .get(&format!("/api/v4/contacts/{contact}/notes?{types}"))
        .await;
    let notes = page["_embedded"]["notes"].as_array().unwrap();
    assert_eq!(
        (notes.len(), &notes[0]["params"]["uniq"]),
        (1, &json!("u1"))
    );
    assert_eq!(notes[0]["created_at"], 1_767_600_000);
    for path in [
        format!("{contact}/notes/{}", row["id"]),
        format!("notes/{}", row["id"]),
    ] {
        assert_eq!(
            bench.get(&format!("/api/v4/contacts/{path}")).await.1["id"],
            row["id"]
        );
    }
    assert_eq!(bench.get("/api/v4/leads/notes").await.0, 204);
    let oracle = bench.lab.oracle();
    assert_eq!(
        (oracle.calls[0].direction.as_str(), oracle.notes.len()),
        ("outbound", 1)
    );
}

#[tokio::test]
async fn null_parameters_are_refused_each_by_name() {
    let bench = Bench::start().await;
    let mut switches = bench.lab.switches();
    switches.nulls_refused_everywhere = false;
    bench.lab.set_switches(switches);
    let contact = bench.contact("+79121234567").await;
    let mut params = call_params();
    for key in ["link", "call_result", "call_status"] {
        params[key] = Value::Null;
    }
    let body = json!([{"note_type": "call_in", "params": params}]);
    let answer = bench
        .post(&format!("/api/v4/contacts/{contact}/notes"), body)
        .await;
    for key in ["link", "call_result", "call_status"] {
        assert_refused(&answer, "NotNullable", &format!("params.{key}"));
    }
}

#[tokio::test]
async fn notes_need_a_card_a_known_type_and_their_parameters() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let note = async |body: Value| bench.post("/api/v4/contacts/notes", json!([body])).await;
    let text = json!({"text": "x"});
    let answer = note(json!({"note_type": "common", "params": text})).await;
    assert_refused(&answer, "FieldMissing", "entity_id");
    let answer = note(json!({"entity_id": 5, "note_type": "common", "params": text})).await;
    assert_refused(&answer, "NotSupportedChoice", "entity_id");
    let answer = note(json!({"entity_id": contact, "note_type": "call", "params": text})).await;
    assert_refused(&answer, "NotSupportedChoice", "note_type");
    let answer = note(json!({"entity_id": contact, "note_type": "common", "params": {}})).await;
    assert_refused(&answer, "FieldMissing", "params.text");
    assert_eq!(
        bench.post("/api/v4/contacts/5/notes", json!([{}])).await.0,
        404
    );
}

#[tokio::test]
async fn a_note_is_changed_by_patch() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let body = json!([{"note_type": "call_in", "params": call_params()}]);
    let path = format!("/api/v4/contacts/{contact}/notes");
    let id = Bench::first(bench.post(&path, body).await, "notes")["id"].clone();
    let mut params = call_params();
    params["link"] = json!("https://rec.example/1.mp3");
    let change = json!({"note_type": "call_in", "params": params});
    let (status, _) = bench
        .send("PATCH", &format!("/api/v4/contacts/notes/{id}"), change)
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        bench.lab.oracle().calls[0].link,
        "https://rec.example/1.mp3"
    );
    assert_eq!(bench.lab.oracle().calls.len(), 1);
}

#[tokio::test]
async fn a_task_is_made_filtered_and_completed() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let lead = bench.lead(contact).await;
    let body = json!([
        {"text": "Call back", "complete_till": 1_767_700_000, "entity_id": lead,
         "entity_type": "leads", "task_type_id": 1, "responsible_user_id": 502},
        {"text": "Free", "complete_till": 1_767_800_000},
    ]);
    let row = Bench::first(bench.post("/api/v4/tasks", body).await, "tasks");
    let path = format!("/api/v4/tasks/{}", row["id"]);
    let closest =
        async || bench.get(&format!("/api/v4/leads/{lead}")).await.1["closest_task_at"].clone();
    assert_eq!(closest().await, 1_767_700_000);
    let (_, read) = bench.get(&path).await;
    assert_eq!(
        (&read["result"], &read["is_completed"]),
        (&json!([]), &json!(false))
    );
    let filter = format!("filter[entity_type]=leads&filter[entity_id][]={lead}&order[id]=desc");
    let (_, page) = bench.get(&format!("/api/v4/tasks?{filter}")).await;
    assert_eq!(page["_embedded"]["tasks"].as_array().unwrap().len(), 1);
    let done = json!({"is_completed": true, "result": {"text": "ok"}});
    let (status, answer) = bench.send("PATCH", &path, done).await;
    // A bare row, not a list.
    assert_eq!((status, &answer["id"]), (200, &row["id"]));
    assert_eq!(bench.get(&path).await.1["result"], json!({"text": "ok"}));
    assert_eq!(closest().await, Value::Null);
    let open = format!("/api/v4/tasks?{filter}&filter[is_completed]=0");
    assert_eq!(bench.get(&open).await.0, 204);
    assert_eq!(bench.lab.oracle().tasks_of_phone("+79121234567").len(), 1);
}

#[tokio::test]
async fn tasks_are_judged() {
    let bench = Bench::start().await;
    let task = async |extra: Value| {
        let mut body = json!({"text": "x", "complete_till": 5});
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        bench.post("/api/v4/tasks", json!([body])).await
    };
    let choice = "NotSupportedChoice";
    // The plural is the documented spelling.
    let answer = task(json!({"entity_id": 5, "entity_type": "contact"})).await;
    assert_refused(&answer, choice, "entity_type");
    assert_refused(
        &task(json!({"entity_id": 5, "entity_type": "leads"})).await,
        choice,
        "entity_id",
    );
    assert_refused(
        &task(json!({"entity_id": 5})).await,
        "FieldMissing",
        "entity_type",
    );
    assert_refused(
        &task(json!({"task_type_id": 9})).await,
        choice,
        "task_type_id",
    );
    assert_refused(
        &task(json!({"responsible_user_id": 9})).await,
        choice,
        "responsible_user_id",
    );
    assert_refused(
        &task(json!({"complete_till": "soon"})).await,
        "InvalidType",
        "complete_till",
    );
    let answer = bench.post("/api/v4/tasks", json!([{}])).await;
    assert_refused(&answer, "FieldMissing", "text");
    assert_refused(&answer, "FieldMissing", "complete_till");
}

#[tokio::test]
async fn floats_that_are_whole_pass_for_times_and_are_counted() {
    let bench = Bench::start().await;
    let body = json!([{"text": "x", "complete_till": 1_767_600_000.0}]);
    assert_eq!(bench.post("/api/v4/tasks", body).await.0, 200);
    assert_eq!(bench.lab.oracle().tasks[0].complete_till, 1_767_600_000);
    let odd = "float for an integer: complete_till";
    assert_eq!(bench.lab.counters().oddities.get(odd), Some(&1));
}

#[tokio::test]
async fn equal_tasks_and_notes_are_duplicates() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    for _ in 0..2 {
        bench
            .post("/api/v4/tasks", json!([{"text": "x", "complete_till": 5}]))
            .await;
        let note = json!([{"note_type": "common", "params": {"text": "op-1"}}]);
        bench
            .post(&format!("/api/v4/contacts/{contact}/notes"), note)
            .await;
    }
    let duplicates = bench.lab.oracle().duplicates;
    assert_eq!(
        (
            duplicates.tasks.len(),
            duplicates.notes.len(),
            duplicates.count()
        ),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn the_feed_tells_what_happened_newest_first() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79121234567").await;
    let path = format!("/api/v4/contacts/{contact}");
    bench
        .send("PATCH", &path, json!({"responsible_user_id": 503}))
        .await;
    let (_, page) = bench.get("/api/v4/events?limit=100").await;
    let kinds: Vec<&Value> = page["_embedded"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["type"])
        .collect();
    assert_eq!(kinds, ["entity_responsible_changed", "contact_added"]);
    let (_, page) = bench
        .get("/api/v4/events?filter[type]=entity_responsible_changed")
        .await;
    let event = &page["_embedded"]["events"][0];
    assert_eq!(
        event["value_after"],
        json!([{"responsible_user": {"id": 503}}])
    );
    let both = format!("filter[entity]=contact&filter[entity_id][]={contact}");
    assert_eq!(bench.get(&format!("/api/v4/events?{both}")).await.0, 200);
    assert_eq!(
        bench.get("/api/v4/events?filter[entity_id][]=5").await.0,
        400
    );
    assert_eq!(
        bench.get("/api/v4/events?filter[type]=lead_added").await.0,
        204
    );
}
