use super::*;

const PATHS: [(&str, &str); 22] = [
    ("POST", "/api/v4/contacts"),
    ("PATCH", "/api/v4/contacts"),
    ("PATCH", "/api/v4/contacts/7000001"),
    ("POST", "/api/v4/companies"),
    ("POST", "/api/v4/leads"),
    ("PATCH", "/api/v4/leads/9000001"),
    ("POST", "/api/v4/leads/complex"),
    ("POST", "/api/v4/leads/unsorted/sip"),
    ("POST", "/api/v4/leads/unsorted/forms"),
    ("POST", "/api/v4/leads/unsorted/x/accept"),
    ("DELETE", "/api/v4/leads/unsorted/x/decline"),
    ("POST", "/api/v4/contacts/7000001/link"),
    ("POST", "/api/v4/contacts/notes"),
    ("PATCH", "/api/v4/contacts/notes/66000001"),
    ("POST", "/api/v4/contacts/tags"),
    ("POST", "/api/v4/contacts/custom_fields"),
    ("POST", "/api/v4/calls"),
    ("POST", "/api/v4/tasks"),
    ("POST", "/api/v4/webhooks"),
    ("DELETE", "/api/v4/webhooks"),
    ("POST", "/api/v2/events/"),
    ("POST", "/oauth2/access_token"),
];

const KEYS: [&str; 36] = [
    "id",
    "name",
    "first_name",
    "responsible_user_id",
    "created_by",
    "created_at",
    "updated_at",
    "custom_fields_values",
    "tags_to_add",
    "_embedded",
    "request_id",
    "price",
    "status_id",
    "pipeline_id",
    "closed_at",
    "loss_reason_id",
    "entity_id",
    "entity_type",
    "note_type",
    "params",
    "text",
    "complete_till",
    "direction",
    "duration",
    "phone",
    "source",
    "metadata",
    "source_uid",
    "source_name",
    "to_entity_id",
    "to_entity_type",
    "type",
    "enums",
    "settings",
    "destination",
    "add",
];

fn values() -> Vec<Value> {
    let huge: Value = serde_json::from_str("123456789012345678901234567890").unwrap();
    let inner =
        json!({"contacts": [{}], "companies": [5], "leads": [[]], "tags": 5, "metadata": {}});
    let field = json!([{"field_id": 31, "values": [{"value": {"a": 1}}]}, {"field_code": 5}]);
    vec![
        Value::Null,
        json!(-1),
        json!(i64::MIN),
        json!(1.5),
        huge,
        json!(""),
        json!("\u{0}я"),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        inner,
        field,
        json!(true),
    ]
}

#[tokio::test]
async fn no_body_whatever_breaks_the_simulator() {
    let bench = Bench::start().await;
    let mut switches = bench.lab.switches();
    switches.invalid_batch_stores_valid_items = true;
    bench.lab.set_switches(switches);
    let contact = bench.contact("+79121234567").await;
    bench.lead(contact).await;
    let note = json!([{"entity_id": contact, "note_type": "common", "params": {"text": "x"}}]);
    bench.post("/api/v4/contacts/notes", note).await;
    let mut bodies = values();
    for value in values() {
        bodies.push(json!([value]));
        // All keys are wrong together, and each in turn while the others are absent.
        let all = KEYS.iter().map(|key| ((*key).to_owned(), value.clone()));
        bodies.push(json!([Value::Object(all.collect())]));
        let single = KEYS.iter().map(|key| json!({*key: value.clone()}));
        bodies.push(json!(single.collect::<Vec<Value>>()));
    }
    for (method, path) in PATHS {
        for body in &bodies {
            let (status, _) = bench.send(method, path, body.clone()).await;
            assert!(status < 500, "{status} for {method} {path} {body}");
        }
        for text in ["", "[", "\u{fffd}", "a=1&b[]=2"] {
            let (status, _) = Bench::answer(bench.request(method, path).body(text)).await;
            assert!(status < 500, "{status} for {method} {path} {text}");
        }
    }
    assert_eq!(bench.get("/api/v4/account").await.0, 200);
    assert_eq!(bench.get("/_lab/oracle").await.0, 200);
}

#[tokio::test]
async fn no_query_whatever_breaks_the_simulator() {
    let bench = Bench::with(AmoOptions {
        filters_enabled: true,
        ..options()
    })
    .await;
    let contact = bench.contact("+79121234567").await;
    bench.lead(contact).await;
    let lists = [
        "contacts",
        "leads",
        "tasks",
        "events",
        "leads/unsorted",
        "contacts/notes",
        "users",
        "leads/custom_fields",
        "contacts/tags",
        "leads/links",
        "leads/unsorted/summary",
    ];
    let queries = [
        "page=18446744073709551615&limit=18446744073709551615",
        "page=0&limit=0",
        "page=-1",
        "filter[id][]=-9223372036854775808",
        "filter[created_at][from]=x",
        "filter[=",
        "%ff%fe=%zz",
        "order[id]=",
        "order[nothing]=desc",
        "filter[statuses][0][status_id]=x",
        "with=,,,",
        "filter[custom_fields_values][x][]=1",
        "query=%00",
    ];
    for list in lists {
        for query in queries {
            let (status, _) = bench.get(&format!("/api/v4/{list}?{query}")).await;
            assert!(status < 500, "{status} for {list}?{query}");
        }
    }
    assert_eq!(
        bench
            .get("/api/v4/contacts/99999999999999999999999")
            .await
            .0,
        404
    );
    assert_eq!(bench.get("/api/v4/contacts/%D1%8F/notes").await.0, 404);
}
