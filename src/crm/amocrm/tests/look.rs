//! Looking for the effect of a step whose answer was lost.

use super::*;

fn sent() -> i64 {
    time(SENT).as_secs()
}

/// A contact or lead that bears a marker, made when the commands of these tests were sent.
fn marked(id: i64, field: i64, marker: &str) -> Value {
    json!({"id": id, "name": "x", "created_at": sent(), "updated_at": sent(),
           "custom_fields_values": [{"field_id": field, "values": [{"value": marker}]}],
           "_embedded": {"contacts": [{"id": 7002}]}})
}

/// A record of somebody else, so many seconds after the sending.
fn other(id: i64, after: i64) -> Value {
    json!({"id": id, "created_at": sent() + after, "updated_at": sent() + after,
           "custom_fields_values": null})
}

fn more(name: &str, items: Vec<Value>) -> Reply {
    Reply::Json(
        200,
        json!({"_links": {"next": {"href": "x"}}, "_embedded": {name: items}}),
    )
}

fn found(outcome: Outcome<Look>) -> StepResult {
    match done(outcome) {
        Look::Found(result) => result,
        other => panic!("expected the effect, got {other:?}"),
    }
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous_and_a_look_adopts_the_contact() {
    let mut stored = Vec::new();
    let fixture = Fixture::start(move |asked| match asked.line().as_str() {
        "POST /api/v4/contacts" => {
            let mut item = asked.body[0].clone();
            item["id"] = json!(7001);
            item["updated_at"] = item["created_at"].clone();
            stored.push(item);
            Reply::Lost
        }
        "GET /api/v4/contacts" => list("contacts", stored.clone()),
        line => panic!("unexpected {line}"),
    })
    .await;
    let outcome = fixture.execute_one(contact("1")).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    let result = found(fixture.adapter.look(contact("1")).await);
    assert_eq!(ids(&result), ["contact 7001"]);
    assert!(result.adopted);
    // The same caller's second call is another effect.
    assert_eq!(done(fixture.adapter.look(contact("2")).await), Look::Absent);
}

#[tokio::test]
async fn every_kind_of_step_has_a_recipe_that_says_absent_when_nothing_is_there() {
    for kind in kinds() {
        let fixture = Fixture::start(|_| Reply::Json(204, Value::Null)).await;
        let look = done(fixture.adapter.look(one_of(kind)).await);
        assert_eq!(look, Look::Absent, "{kind:?}");
        assert!(
            !fixture.server.lines().is_empty(),
            "{kind:?} looks somewhere"
        );
    }
}

#[tokio::test]
async fn absent_is_said_only_after_a_whole_page_of_older_records() {
    let marker = deal("1").key.marker();
    let day = 24 * 3600;
    let fixture = Fixture::start(move |asked| {
        let (limit, page) = (asked.query("limit"), asked.query("page"));
        match (asked.query("query"), limit, page) {
            // The search lags behind: it knows nothing yet.
            (Some(_), _, _) => Reply::Json(204, Value::Null),
            (None, Some("50"), _) => more("leads", vec![other(9100, 10), other(9099, -day)]),
            (None, _, Some("1")) => more("leads", vec![other(9100, 10), other(9099, -day)]),
            (None, _, Some("2")) => more("leads", vec![marked(9002, LEAD_FIELD, &marker)]),
            (None, _, _) => more("leads", vec![other(9001, -day)]),
        }
    })
    .await;
    let result = found(fixture.adapter.look(deal("1")).await);
    assert_eq!(ids(&result), ["deal 9002", "contact 7002"]);
    assert_eq!(done(fixture.adapter.look(deal("2")).await), Look::Absent);
}

#[tokio::test]
async fn a_search_that_finds_the_marker_ends_the_scan_early() {
    let marker = contact("1").key.marker();
    let fixture = Fixture::start(move |asked| match asked.query("query") {
        Some(query) if query == marker => {
            list("contacts", vec![marked(7001, CONTACT_FIELD, &marker)])
        }
        Some(other) => panic!("unexpected search {other}"),
        None => more("contacts", vec![other(9100, 10)]),
    })
    .await;
    found(fixture.adapter.look(contact("1")).await);
    assert_eq!(fixture.server.lines().len(), 2);
}

#[tokio::test]
async fn an_account_too_busy_to_read_back_is_undecidable() {
    let fixture = Fixture::start(|asked| match asked.query("query") {
        Some(_) => Reply::Json(204, Value::Null),
        None => more("contacts", vec![other(9100, 10)]),
    })
    .await;
    let look = done(fixture.adapter.look(contact("1")).await);
    assert_eq!(look, Look::Undecidable);
    assert_eq!(fixture.server.lines().len(), 42);
}

#[tokio::test]
async fn without_a_marker_a_contact_is_known_by_name_number_and_exact_time() {
    let like = |created_at: i64, number: &str| {
        json!({"id": 7001, "name": "Звонок +79161234567", "created_at": created_at,
               "updated_at": sent(), "custom_fields_values": [
            {"field_id": 31, "field_code": "PHONE", "values": [{"value": number}]},
            {"field_id": 32, "field_code": "EMAIL", "values": [{"value": "ivan@example.org"}]}]})
    };
    for (there, expected) in [
        (like(sent(), "89161234567"), true),
        (like(sent() + 1, "89161234567"), false),
        (like(sent(), "89161234568"), false),
    ] {
        let setup = Setup {
            marker_contacts: None,
            marker_leads: None,
            ..set_up()
        };
        let fixture =
            Fixture::with(Some(setup), move |_| list("contacts", vec![there.clone()])).await;
        let look = done(fixture.adapter.look(contact("1")).await);
        assert_eq!(matches!(look, Look::Found(_)), expected);
    }
}

#[tokio::test]
async fn a_deal_of_the_same_name_and_second_is_not_ours_if_it_is_another_clients() {
    for (contact, expected) in [(7001, true), (7002, false)] {
        let there = json!({"id": 9001, "name": "Сделка", "created_at": sent(), "updated_at": sent(),
                           "custom_fields_values": null,
                           "_embedded": {"contacts": [{"id": contact}]}});
        let fixture = Fixture::start(move |_| list("leads", vec![there.clone()])).await;
        let look = done(fixture.adapter.look(deal("1")).await);
        assert_eq!(matches!(look, Look::Found(_)), expected, "{contact}");
    }
}

#[tokio::test]
async fn an_unsorted_record_is_found_waiting_accepted_or_declined() {
    let marker = incoming_unsorted("1").key.marker();
    for place in ["waiting", "accepted", "declined"] {
        let marker = marker.clone();
        let fixture = Fixture::start(move |asked| {
            let bin = asked.query("with") == Some("only_deleted");
            match (asked.path.as_str(), place) {
                ("/api/v4/leads/unsorted", "waiting") => {
                    assert_eq!(asked.query("filter[category][]"), Some("sip"));
                    list(
                        "unsorted",
                        vec![
                            json!({"uid": "aa40", "source_uid": marker, "created_at": sent(),
                                    "_embedded": {"leads": [{"id": 9002}]}}),
                        ],
                    )
                }
                ("/api/v4/leads", "accepted") if !bin => {
                    list("leads", vec![marked(9002, LEAD_FIELD, &marker)])
                }
                ("/api/v4/leads", "declined") if bin => {
                    list("leads", vec![marked(9002, LEAD_FIELD, &marker)])
                }
                _ => Reply::Json(204, Value::Null),
            }
        })
        .await;
        let result = found(fixture.adapter.look(incoming_unsorted("1")).await);
        assert!(ids(&result).contains(&"deal 9002".to_owned()), "{place}");
    }
}

#[tokio::test]
async fn a_call_is_known_by_its_key_on_its_card_or_wherever_amocrm_put_it() {
    let marker = call_record("1", None, None).key.marker();
    let note = move |uniq: &str| {
        json!({"id": 66001, "entity_id": 9001, "created_at": sent() - 300, "updated_at": sent(),
               "params": {"uniq": uniq, "duration": 54}})
    };
    let (ours, theirs) = (note(&marker), note("somebody's"));
    let on_card = {
        let ours = ours.clone();
        Fixture::start(move |asked| match asked.path.as_str() {
            "/api/v4/contacts/7001/notes" => list("notes", vec![theirs.clone(), ours.clone()]),
            path => panic!("unexpected {path}"),
        })
        .await
    };
    let command = call_record("1", known(Entity::Contact, "7001"), None);
    let result = found(on_card.adapter.look(command).await);
    assert_eq!(result.cards[0].id, "66001");

    let chosen = Fixture::start(move |asked| match asked.path.as_str() {
        "/api/v4/leads/notes" => list("notes", vec![ours.clone()]),
        _ => Reply::Json(204, Value::Null),
    })
    .await;
    let result = found(chosen.adapter.look(call_record("1", None, None)).await);
    assert_eq!(ids(&result), ["call record 66001", "deal 9001"]);
}

#[tokio::test]
async fn a_call_is_found_under_a_page_of_other_old_calls_that_were_written_after_it() {
    let mut command = call_record("1", known(Entity::Contact, "7001"), None);
    let (marker, at) = (command.key.marker(), record_time(&command).as_secs());
    // Backlog: each note bears the time of its call only.
    let note = |id: i64, uniq: &str, at: i64| {
        json!({"id": id, "entity_id": 7001, "created_at": at, "updated_at": at,
               "params": {"uniq": uniq}})
    };
    let newer: Vec<Value> = (0..50)
        .map(|n| note(66_100 - n, "other", at + 50 - n))
        .collect();
    let ours = note(66_001, &marker, at);
    command.first_sent_at = record_time(&command).plus(Duration::from_secs(5 * 3600));
    let fixture = Fixture::start(move |asked| match asked.query("limit") {
        Some("50") => more("notes", newer.clone()),
        _ => list(
            "notes",
            newer.iter().cloned().chain([ours.clone()]).collect(),
        ),
    })
    .await;
    let result = found(fixture.adapter.look(command).await);
    assert_eq!(result.cards[0].id, "66001");
}

fn record_time(command: &StepCommand) -> Timestamp {
    match &command.effect {
        Effect::RecordCall(record) => record.at,
        other => panic!("{other:?} is no call"),
    }
}

#[tokio::test]
async fn a_task_is_known_by_text_and_due_time_on_its_card() {
    let due = time("2026-11-20T09:15:00Z").as_secs();
    let made = move |entity_id: i64, complete_till: i64| {
        json!({"id": 5001, "entity_id": entity_id, "entity_type": "contacts", "result": [],
               "text": "Перезвонить +79161234567", "complete_till": complete_till,
               "created_at": sent(), "updated_at": sent()})
    };
    for (there, expected) in [
        (made(7001, due), true),
        (made(7001, due + 60), false),
        (made(7002, due), false),
    ] {
        let fixture = Fixture::start(move |asked| {
            assert_eq!(asked.query("filter[entity_id][]"), Some("7001"));
            list("tasks", vec![there.clone()])
        })
        .await;
        let command = task("1", known(Entity::Contact, "7001"));
        let look = done(fixture.adapter.look(command).await);
        assert_eq!(matches!(look, Look::Found(_)), expected);
    }
}

#[tokio::test]
async fn a_look_that_fails_says_so_and_not_absent() {
    let fixture = Fixture::start(|_| Reply::Raw(502, "", "bad gateway".to_owned())).await;
    for kind in kinds() {
        let outcome = fixture.adapter.look(one_of(kind)).await;
        assert!(
            matches!(outcome, Outcome::NotApplied(_)),
            "{kind:?}: {outcome:?}"
        );
    }
}

/// A card that waits in Unsorted shows no notes (§10): of one that is not seen there it cannot be
/// said that it was not made.
#[tokio::test]
async fn a_note_is_found_by_text_and_time_and_not_said_to_be_absent_in_unsorted() {
    let text = "Заявка с сайта: перезвоните";
    let lead = |stage: i64| json!({"id": 9001, "status_id": stage, "pipeline_id": 3100});
    for (notes, lead, seen) in [
        (vec![(text, 1_763_629_140)], Some(lead(3102)), "found"),
        (vec![("другое", 1_763_629_140)], Some(lead(3102)), "absent"),
        (vec![], Some(lead(3102)), "absent"),
        (vec![], Some(lead(UNSORTED_STAGE)), "undecidable"),
        (vec![], None, "undecidable"),
    ] {
        let fixture = Fixture::start(move |asked| match asked.line().as_str() {
            "GET /api/v4/leads/9001/notes" => {
                let notes = notes.iter().zip(1..).map(|((text, at), id)| {
                    json!({"id": id, "entity_id": 9001, "created_at": at, "updated_at": at,
                           "note_type": "common", "params": {"text": text}})
                });
                list("notes", notes.collect())
            }
            "GET /api/v4/leads/9001" => match &lead {
                Some(lead) => Reply::Json(200, lead.clone()),
                None => Reply::Json(204, json!(null)),
            },
            line => panic!("unexpected {line}"),
        })
        .await;
        let command = note("1", known(Entity::Deal, "9001"));
        let word = match done(fixture.adapter.look(command).await) {
            Look::Found(_) => "found",
            Look::Absent => "absent",
            Look::Undecidable => "undecidable",
        };
        assert_eq!(word, seen);
    }
}
