//! Carrying out steps, alone and in batches.

use super::*;
use crate::model::outcome::NotAppliedCause;

/// Echoes every item of a request as made, with ids from `first_id` on.
fn made(asked: &Asked, name: &str, first_id: i64) -> Reply {
    let items = asked.body.as_array().expect("an array").iter();
    let items: Vec<Value> = items
        .zip(first_id..)
        .map(|(item, id)| json!({"id": id, "request_id": item["request_id"]}))
        .collect();
    Reply::Json(200, json!({"_embedded": {name: items}}))
}

/// One word for an outcome.
fn word(outcome: &Outcome<StepResult>) -> String {
    match outcome {
        Outcome::Done(result) => format!("done {}", ids(result).join(", ")),
        Outcome::NotApplied(not_applied) => format!("not applied {:?}", not_applied.cause),
        Outcome::Ambiguous { .. } => "ambiguous".to_owned(),
        Outcome::AuthExpired { .. } => "auth".to_owned(),
        Outcome::Rejected(rejection) => format!("rejected {}", rejection.message),
    }
}

#[tokio::test]
async fn steps_of_one_kind_share_a_request_and_each_gets_its_own_id() {
    let fixture = Fixture::start(|asked| {
        let Reply::Json(status, mut body) = made(asked, "contacts", 7001) else {
            unreachable!()
        };
        // The order of the answer is not the order of the request.
        body["_embedded"]["contacts"]
            .as_array_mut()
            .expect("a list")
            .reverse();
        Reply::Json(status, body)
    })
    .await;
    let commands = vec![contact("1"), contact("2"), contact("3")];
    let outcomes = fixture.adapter.execute(commands).await;
    let words: Vec<String> = outcomes.iter().map(word).collect();
    assert_eq!(
        words,
        [
            "done contact 7001",
            "done contact 7002",
            "done contact 7003"
        ]
    );
    assert_eq!(fixture.server.lines(), ["POST /api/v4/contacts"]);
}

#[tokio::test]
async fn a_request_has_at_most_fifty_items() {
    let fixture = Fixture::start(|asked| made(asked, "tasks", 1)).await;
    let commands = (0..60).map(|n| task(&n.to_string(), None)).collect();
    let outcomes = fixture.adapter.execute(commands).await;
    assert!(outcomes.iter().all(|o| matches!(o, Outcome::Done(_))));
    let lengths: Vec<usize> = fixture
        .server
        .asked()
        .iter()
        .map(|asked| asked.body.as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(lengths, [50, 10]);
}

#[tokio::test]
async fn a_user_who_left_the_company_costs_no_record() {
    let fixture = Fixture::start(|asked| {
        let item = &asked.body[0];
        let names_user = item.to_string().contains("501");
        match (asked.path.as_str(), names_user) {
            (_, true) => Reply::Json(
                400,
                json!({"validation-errors": [{"request_id": item["request_id"], "errors": [
                    {"code": "NotSupportedChoice", "path": "responsible_user_id", "detail": "?"},
                    {"code": "NotSupportedChoice", "path": "created_by", "detail": "?"}]}],
                    "title": "Bad Request", "status": 400}),
            ),
            ("/api/v4/contacts/notes", false) => made(asked, "notes", 66001),
            ("/api/v4/tasks", false) => made(asked, "tasks", 5001),
            (path, false) => panic!("unexpected {path}"),
        }
    })
    .await;
    let on = || known(Entity::Contact, "7001");
    for (command, expected) in [
        (call_record("1", on(), Some("501")), "call record 66001"),
        (task("1", on()), "task 5001"),
    ] {
        let result = done(fixture.execute_one(command).await);
        assert_eq!(ids(&result), [expected]);
        assert!(
            result
                .note
                .is_some_and(|note| note.contains("refuses the user"))
        );
    }
    assert_eq!(fixture.server.lines().len(), 4);
}

#[tokio::test]
async fn of_a_refused_batch_the_named_item_is_rejected_and_the_others_are_ambiguous() {
    let bad = contact("2").key.marker();
    let fixture = Fixture::start(move |_| {
        Reply::Json(
            400,
            json!({"validation-errors": [{"request_id": bad, "errors": [
                {"code": "NotSupportedChoice", "path": "responsible_user_id", "detail": "no such user"}]}],
                "title": "Bad Request", "status": 400, "detail": "Request validation failed"}),
        )
    })
    .await;
    let commands = vec![contact("1"), contact("2"), contact("3")];
    let outcomes = fixture.adapter.execute(commands).await;
    let words: Vec<String> = outcomes.iter().map(word).collect();
    assert_eq!(
        words,
        [
            "ambiguous",
            "rejected NotSupportedChoice responsible_user_id: no such user",
            "ambiguous"
        ]
    );
    let alone = fixture.execute_one(contact("1")).await;
    assert!(
        matches!(alone, Outcome::Rejected(_)),
        "a refused single item is dead: {alone:?}"
    );
}

#[tokio::test]
async fn an_answer_that_does_not_mention_an_item_leaves_it_ambiguous() {
    let first = deal("1").key.marker();
    let fixture = Fixture::start(move |_| {
        Reply::Json(
            200,
            json!({"_embedded": {"leads": [{"id": 9001, "request_id": first}]}}),
        )
    })
    .await;
    let outcomes = fixture.adapter.execute(vec![deal("1"), deal("2")]).await;
    let words: Vec<String> = outcomes.iter().map(word).collect();
    assert_eq!(words, ["done deal 9001", "ambiguous"]);
}

#[tokio::test]
async fn what_a_status_means_for_a_write() {
    type Case = (u16, &'static str, &'static str);
    let cases: [Case; 10] = [
        (200, "<html>", "ambiguous"),
        (204, "", "ambiguous"),
        (400, "<html>bad</html>", "rejected <html>bad</html>"),
        (402, "{}", "not applied Unpaid"),
        (
            403,
            r#"{"title":"Forbidden","status":403}"#,
            "rejected Forbidden",
        ),
        (404, r#"{"title":"Not found"}"#, "rejected Not found"),
        (
            404,
            "<html>no such portal</html>",
            "not applied Unreachable",
        ),
        (429, "slow down", "not applied Throttled"),
        (500, "{}", "ambiguous"),
        (504, "<html>", "ambiguous"),
    ];
    for (status, body, expected) in cases {
        let fixture = Fixture::start(move |_| Reply::Raw(status, "", body.to_owned())).await;
        let outcome = fixture.execute_one(contact("1")).await;
        assert_eq!(word(&outcome), expected, "HTTP {status}");
    }
    let fixture = Fixture::start(|_| Reply::Lost).await;
    assert_eq!(word(&fixture.execute_one(contact("1")).await), "ambiguous");
}

#[tokio::test]
async fn a_call_is_written_on_its_card_and_names_it() {
    let fixture = Fixture::start(|asked| match asked.path.as_str() {
        "/api/v4/contacts/notes" => made(asked, "notes", 66001),
        "/api/v4/leads/notes" => made(asked, "notes", 66101),
        path => panic!("unexpected {path}"),
    })
    .await;
    let commands = vec![
        call_record("1", known(Entity::Contact, "7001"), None),
        call_record("2", known(Entity::Deal, "9001"), None),
        call_record("3", known(Entity::Contact, "7002"), None),
    ];
    let outcomes = fixture.adapter.execute(commands).await;
    let words: Vec<String> = outcomes.iter().map(word).collect();
    assert_eq!(
        words,
        [
            "done call record 66001",
            "done call record 66101",
            "done call record 66002"
        ]
    );
    assert_eq!(
        fixture.server.lines().len(),
        2,
        "one request for each sort of card"
    );
}

#[tokio::test]
async fn s1_26_a_call_without_a_card_is_a_normal_end_and_its_neighbour_is_logged() {
    let alone = Fixture::start(|_| {
        Reply::Json(
            400,
            json!({"_total_items": 0, "errors": [{"title": "Entity not found", "status": 400}]}),
        )
    })
    .await;
    let result = done(alone.execute_one(call_record("1", None, None)).await);
    assert!(result.cards.is_empty());
    assert!(result.note.expect("a remark").contains("nothing to log"));

    let unknown = call_record("1", None, None).key.marker();
    let logged = call_record("2", None, None).key.marker();
    let mixed = Fixture::start(move |_| {
        Reply::Json(
            200,
            json!({"errors": [{"title": "Entity not found", "request_id": unknown}],
                   "_embedded": {"calls": [{"id": 66001, "entity_id": 7001, "entity_type": "contact",
                                            "request_id": logged}]}}),
        )
    })
    .await;
    let commands = vec![call_record("1", None, None), call_record("2", None, None)];
    let outcomes = mixed.adapter.execute(commands).await;
    let words: Vec<String> = outcomes.iter().map(word).collect();
    assert_eq!(words, ["done ", "done call record 66001, contact 7001"]);
}

#[tokio::test]
async fn s1_12_an_unsorted_record_returns_itself_its_deal_and_its_contact() {
    let marker = incoming_unsorted("1").key.marker();
    let fixture = Fixture::start(move |asked| {
        assert_eq!(asked.path, "/api/v4/leads/unsorted/sip");
        assert_eq!(asked.body[0]["source_uid"], marker.as_str());
        Reply::Json(
            200,
            json!({"_total_items": 1, "_embedded": {"unsorted": [{"uid": "aa40", "request_id": marker,
                "_embedded": {"contacts": [{"id": 7002}], "leads": [{"id": 9002}], "companies": []}}]}}),
        )
    })
    .await;
    let result = done(fixture.execute_one(incoming_unsorted("1")).await);
    assert_eq!(ids(&result), ["unsorted aa40", "deal 9002", "contact 7002"]);
}

#[tokio::test]
async fn a_marker_field_that_was_deleted_is_made_anew_and_the_step_is_not_dead() {
    let mut field_exists = false;
    let fixture = Fixture::start(move |asked| match asked.line().as_str() {
        "POST /api/v4/contacts" if asked.body[0]["custom_fields_values"][2]["field_id"] == 777 => {
            made(asked, "contacts", 7001)
        }
        "POST /api/v4/contacts" => Reply::Json(
            400,
            json!({"validation-errors": [{"request_id": asked.body[0]["request_id"], "errors": [
                {"code": "NotSupportedChoice", "path": "custom_fields_values.2.field_id",
                 "detail": "The value you selected is not a valid choice."}]}], "status": 400}),
        ),
        "GET /api/v4/account" => Reply::Json(200, json!({"id": 1})),
        "GET /api/v4/leads/pipelines" => list("pipelines", Vec::new()),
        line if line.starts_with("POST") => {
            field_exists = true;
            Reply::Json(201, json!({"_embedded": {"custom_fields": []}}))
        }
        _ if field_exists => list(
            "custom_fields",
            vec![json!({"id": 777, "type": "text", "code": "TRUNKLINE_KEY"})],
        ),
        _ => Reply::Json(204, Value::Null),
    })
    .await;
    let outcome = fixture.execute_one(contact("1")).await;
    let Outcome::NotApplied(not_applied) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(not_applied.cause, NotAppliedCause::Failed);
    assert_eq!(
        word(&fixture.execute_one(contact("1")).await),
        "done contact 7001"
    );
}

#[test]
fn every_kind_of_step_is_declared_and_written() {
    let declared = capabilities(Certainty::ByKey);
    for kind in kinds() {
        let step = declared.step(kind).expect("declared");
        assert_ne!(step.certainty, Certainty::Undecidable, "{kind:?}");
        assert_eq!(one_of(kind).effect.kind(), kind);
        // Fields are filled card by card, after a look at the card.
        let is_item = super::super::map::item(&one_of(kind), &set_up()).is_ok();
        let card_by_card = [StepKind::FillFields, StepKind::HandOver].contains(&kind);
        assert_eq!(is_item, !card_by_card, "{kind:?}");
    }
}
