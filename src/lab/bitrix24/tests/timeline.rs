use super::*;
use crate::lab::bitrix24::Kind;

#[tokio::test]
async fn a_call_is_an_activity_where_there_is_no_telephony() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let deal = bench.deal(contact).await;
    let fields = |communications: Value| {
        json!({"fields": {
            "OWNER_TYPE_ID": 2, "OWNER_ID": deal, "TYPE_ID": 2, "DIRECTION": 1,
            "SUBJECT": "Входящий звонок", "RESPONSIBLE_ID": 12, "COMPLETED": "Y",
            "START_TIME": "2026-09-21T10:00:00+03:00", "END_TIME": "2026-09-21T10:01:35+03:00",
            "COMMUNICATIONS": communications, "ORIGINATOR_ID": "box", "ORIGIN_ID": "t1:call:1",
        }})
    };
    let phone = json!({"VALUE": "+79161234567", "ENTITY_ID": contact, "ENTITY_TYPE_ID": 3});
    let id = bench
        .hook("crm.activity.add", fields(json!([phone])))
        .await
        .1["result"]
        .clone();
    let ask = json!({"filter": {"=ORIGINATOR_ID": "box", "=ORIGIN_ID": "t1:call:1"}});
    let rows = bench.ok("crm.activity.list", ask.clone()).await;
    assert_eq!(rows[0]["ID"], id.to_string());
    let bound = json!({"filter": {"BINDINGS": [{"OWNER_TYPE_ID": 3, "OWNER_ID": contact}]}});
    let rows = bench.ok("crm.activity.list", bound).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    // Where the filter is not known it is passed over.
    bench.lab.switch(|s| s.activities_filter_by_origin = false);
    bench.ok("crm.activity.list", ask).await;
    assert!(
        bench
            .lab
            .counters()
            .oddities
            .keys()
            .any(|odd| odd.contains("ORIGIN_ID"))
    );
    let strange = json!({"VALUE": "+7", "ENTITY_ID": 999, "ENTITY_TYPE_ID": 3});
    for (communications, text) in [
        (
            json!([phone, phone]),
            "The only one communication is allowed for activity of specified type",
        ),
        (
            json!([]),
            "The field COMMUNICATIONS is not defined or invalid",
        ),
        (json!([strange]), "Could not build binding"),
    ] {
        let refused = bench
            .refused("crm.activity.add", fields(communications))
            .await;
        assert_eq!(refused, (400, String::new(), text.to_owned()));
    }
    let mut nameless = fields(json!([phone]));
    nameless["fields"]["SUBJECT"] = json!("");
    let refused = bench.refused("crm.activity.add", nameless).await;
    assert_eq!(refused.2, "The field SUBJECT is not defined or empty");
}

#[tokio::test]
async fn an_activity_is_completed_later() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let todo = json!({
        "ownerTypeId": 3, "ownerId": contact, "deadline": "2026-09-21T12:00:00+03:00",
        "title": "Перезвонить", "description": "[t1:call:1]", "responsibleId": 12,
    });
    let id = bench.ok("crm.activity.todo.add", todo).await["id"].clone();
    let update = json!({"id": id, "fields": {"COMPLETED": "Y"}});
    assert_eq!(bench.ok("crm.activity.update", update).await, true);
    let oracle = bench.lab.oracle();
    let todo = oracle.todos_of_phone("79161234567")[0];
    assert!(todo.is_completed);
    assert_eq!(
        (todo.responsible, todo.subject.as_str()),
        (12, "Перезвонить")
    );
    assert_eq!(oracle.marker_uses("[t1:call:1]"), 1);
}

#[tokio::test]
async fn a_thing_to_do_wants_owner_and_deadline() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    const ADD: &str = "crm.activity.todo.add";
    let with = |owner: u64, deadline: &str| json!({"ownerTypeId": 3, "ownerId": owner, "deadline": deadline});
    let date = "2026-09-21T12:00:00+03:00";
    assert_eq!(
        bench.refused(ADD, with(999, date)).await.1,
        "OWNER_NOT_FOUND"
    );
    assert_eq!(bench.refused(ADD, with(contact, "")).await.1, "100");
    assert_eq!(
        bench.refused(ADD, with(contact, "soon")).await.1,
        "WRONG_DATETIME_FORMAT"
    );
    let ask = json!({"filter": {"PROVIDER_ID": "CRM_TODO", "OWNER_ID": contact}});
    bench.ok(ADD, with(contact, date)).await;
    let rows = bench.ok("crm.activity.list", ask).await;
    assert_eq!(rows[0]["DEADLINE"], date);
}

#[tokio::test]
async fn a_configurable_activity_belongs_to_its_application() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let deal = bench.deal(contact).await;
    let body = |deadline: Value| {
        json!({
            "ownerTypeId": 2, "ownerId": deal,
            "fields": {
                "typeId": "CONFIGURABLE", "completed": true, "responsibleId": 12,
                "isIncomingChannel": "Y", "originatorId": "box", "originId": "t1:chat:77",
                "deadline": deadline,
            },
            "layout": {"icon": {"code": "call-completed"}, "header": {"title": "Чат"}},
        })
    };
    const ADD: &str = "crm.activity.configurable.add";
    let id = bench.ok(ADD, body(Value::Null)).await["activity"]["id"].clone();
    assert_eq!(bench.lab.oracle().activities[0].origin, "t1:chat:77");
    let late = bench
        .refused(ADD, body(json!("2026-09-21T12:00:00+03:00")))
        .await;
    assert_eq!(late.0, 400);
    let update = json!({"id": id, "fields": {"completed": false, "originId": "t1:chat:77"}});
    bench.ok("crm.activity.configurable.update", update).await;
    assert!(!bench.lab.oracle().activities[0].is_completed);
}

#[tokio::test]
async fn a_comment_takes_its_parameter_in_lower_case_only() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let deal = bench.deal(contact).await;
    let fields = json!({"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "Чат\n[t1:chat:7]"});
    const ADD: &str = "crm.timeline.comment.add";
    assert_eq!(bench.refused(ADD, json!({"FIELDS": fields})).await.1, "100");
    let id = bench.ok(ADD, json!({"fields": fields})).await;
    let filter = json!({"ENTITY_ID": deal, "ENTITY_TYPE": "deal"});
    let ask = json!({"filter": filter, "order": {"ID": "DESC"}});
    let rows = bench.ok("crm.timeline.comment.list", ask).await;
    assert_eq!(rows[0]["ID"], id.to_string());
    let half = json!({"filter": {"ENTITY_ID": deal}});
    assert_eq!(bench.call("crm.timeline.comment.list", half).await.0, 400);
    let mut nobody = fields.clone();
    nobody["ENTITY_ID"] = json!(999);
    assert_eq!(
        bench.refused(ADD, json!({"fields": nobody})).await.1,
        "OWNER_NOT_FOUND"
    );
    let mut empty = fields.clone();
    empty["COMMENT"] = json!("");
    assert_eq!(
        bench.refused(ADD, json!({"fields": empty})).await.1,
        "INVALID_ARG_VALUE"
    );
    let line = json!({
        "entityTypeId": 2, "entityId": deal, "title": "Звонок", "text": "начался",
        "iconCode": "info",
    });
    bench
        .ok("crm.timeline.logmessage.add", json!({"fields": line}))
        .await;
    assert_eq!(bench.lab.oracle().comments.len(), 2);
}

#[tokio::test]
async fn a_task_is_found_by_the_key_it_was_made_with() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let fields = json!({
        "TITLE": "Перезвонить", "RESPONSIBLE_ID": 12, "DEADLINE": "2026-09-21T12:00:00+03:00",
        "UF_CRM_TASK": [format!("C_{contact}")], "XML_ID": "t1:req:9",
    });
    let task = bench.ok("tasks.task.add", json!({"fields": fields})).await;
    assert!(task["task"]["id"].is_string());
    let ask = json!({"filter": {"XML_ID": "t1:req:9"}});
    let rows = bench.ok("tasks.task.list", ask.clone()).await;
    assert_eq!(rows["tasks"].as_array().unwrap().len(), 1);
    // The other reading: the filter is passed over, and everything comes.
    bench.lab.switch(|s| s.tasks_filter_by_xml_id = false);
    bench
        .ok(
            "tasks.task.add",
            json!({"fields": {"TITLE": "b", "RESPONSIBLE_ID": 12}}),
        )
        .await;
    let rows = bench.ok("tasks.task.list", ask).await;
    assert_eq!(rows["tasks"].as_array().unwrap().len(), 2);
    let nobody = json!({"fields": {"TITLE": "a", "RESPONSIBLE_ID": 99}});
    assert_eq!(bench.call("tasks.task.add", nobody).await.0, 400);
    assert_eq!(bench.lab.oracle().tasks[0].cards, [format!("C_{contact}")]);
}

#[tokio::test]
async fn a_notice_takes_the_place_of_one_with_its_tag() {
    let bench = Bench::start().await;
    let notice = |message: &str| json!({"USER_ID": 12, "MESSAGE": message, "TAG": "t1:deal:1"});
    for message in ["first", "second"] {
        bench.ok("im.notify.system.add", notice(message)).await;
    }
    let notices = bench.lab.oracle().notices;
    assert_eq!((notices.len(), notices[0].replaced), (1, 1));
    assert_eq!(notices[0].message, "second");
    let empty = json!({"USER_ID": 12, "MESSAGE": ""});
    assert_eq!(
        bench.refused("im.notify.system.add", empty).await.1,
        "MESSAGE_EMPTY"
    );
    let nobody = json!({"MESSAGE": "a"});
    assert_eq!(
        bench.refused("im.notify.personal.add", nobody).await.1,
        "USER_ID_EMPTY"
    );
    let long = json!({"USER_ID": 12, "MESSAGE": "a".repeat(60_001)});
    assert_eq!(
        bench.refused("im.notify.system.add", long).await.1,
        "ATTACH_OVERSIZE"
    );
    // Over a webhook a tag wants to know whose it is.
    assert_eq!(bench.hook("im.notify.system.add", notice("a")).await.0, 400);
    let mut named = notice("third");
    named["CLIENT_ID"] = json!("anything");
    assert_eq!(
        bench.hook("im.notify.system.add", named.clone()).await.0,
        200
    );
    bench.lab.switch(|s| s.any_client_id_passes = false);
    assert_eq!(bench.hook("im.notify.system.add", named).await.0, 400);
}

#[tokio::test]
async fn a_card_that_is_deleted_takes_no_more_activities() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    assert!(bench.lab.delete(Kind::Contact, contact));
    let todo = json!({
        "ownerTypeId": 3, "ownerId": contact, "deadline": "2026-09-21T12:00:00+03:00",
    });
    assert_eq!(
        bench.refused("crm.activity.todo.add", todo).await.1,
        "OWNER_NOT_FOUND"
    );
}

#[tokio::test]
async fn a_task_of_the_third_version_is_made_once_for_each_key() {
    let bench = Bench::start().await;
    let post = |method: &str, title: &str| {
        let url = format!("{}/rest/api/{method}", bench.lab.base_url());
        let fields = json!({"TITLE": title, "RESPONSIBLE_ID": 12});
        let request = bench.client.post(url).header("Idempotency-Key", "t1:req:9");
        request.json(&json!({"auth": bench.token, "fields": fields}))
    };
    let first = post("tasks.task.add", "a").send().await.unwrap();
    assert_eq!(first.headers().get("Idempotent-Replayed"), None);
    let first: Value = first.json().await.unwrap();
    let again = post("tasks.task.add", "a").send().await.unwrap();
    assert_eq!(again.headers()["Idempotent-Replayed"], "true");
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["result"], first["result"]);
    assert_eq!(Bench::answer(post("tasks.task.add", "b")).await.0, 422);
    assert_eq!(bench.lab.oracle().tasks.len(), 1);
    assert_eq!(Bench::answer(post("crm.deal.add", "a")).await.0, 404);
}
