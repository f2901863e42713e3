//! Contacts, deals, tasks and fields; who is a client.

use super::*;
use crate::model::outcome::NotAppliedCause;
use crate::model::plan::{FieldFill, FillFields, NewContact, NewDeal, NewTask};

pub(super) fn contact(call: &str) -> StepCommand {
    let contact = NewContact {
        name: "Анна & сын".to_owned(),
        phones: vec![phone("+79161234567")],
        emails: vec!["anna@example.org".to_owned(), "no address".to_owned()],
        responsible: Some(user("12")),
        tags: vec!["Звонок".to_owned(), "Офис".to_owned()],
        fields: Vec::new(),
        template: None,
    };
    command(call, "contact", Effect::CreateContact(contact))
}

fn deal(client: Target) -> StepCommand {
    let deal = NewDeal {
        name: "Звонок с сайта".to_owned(),
        pipeline: "3".to_owned(),
        stage: "C3:NEW".to_owned(),
        contact: Some(client),
        responsible: Some(user("12")),
        tags: Vec::new(),
        fields: Vec::new(),
    };
    command("1", "deal", Effect::CreateDeal(deal))
}

fn task(card: Option<Target>) -> StepCommand {
    let task = NewTask {
        card,
        responsible: Some(user("12")),
        text: "Перезвонить [URL=https://evil]сюда[/URL]".to_owned(),
        task_type: None,
        due: time("2026-11-20T12:00:00Z"),
    };
    command("1", "task", Effect::CreateTask(task))
}

#[tokio::test]
async fn a_contact_and_what_hangs_on_it_are_written_with_our_mark() {
    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "crm.contact.add" => Ok(json!(31)),
        "crm.deal.add" => Ok(json!("512")),
        "crm.activity.todo.add" => Ok(json!({"id": 7945})),
        "tasks.task.add" => Ok(json!({"task": {"id": "3711", "title": "x"}})),
        other => panic!("{other}"),
    })
    .await;
    let outcomes = [
        fixture.execute_one(contact("1")).await,
        fixture
            .execute_one(deal(known(Entity::Contact, "31")))
            .await,
        fixture
            .execute_one(task(Some(known(Entity::Deal, "512"))))
            .await,
        fixture.execute_one(task(None)).await,
    ];
    let made = outcomes.map(|outcome| match outcome {
        Outcome::Done(result) => result.cards.into_iter().next().expect("a card"),
        other => panic!("{other:?}"),
    });
    let wanted = [
        card(Entity::Contact, "31"),
        card(Entity::Deal, "512"),
        card(Entity::Task, "7945"),
        card(Entity::Task, "3711"),
    ];
    assert_eq!(made, wanted);
    insta::assert_snapshot!(fixture.told());
}

#[tokio::test]
async fn steps_of_all_kinds_share_a_request_and_one_bad_one_harms_no_other() {
    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "crm.contact.add" => Ok(json!(31)),
        _ => Err(("", "Access denied.")),
    })
    .await;
    let steps = vec![
        contact("1"),
        deal(known(Entity::Contact, "31")),
        contact("2"),
    ];
    let outcomes = fixture.adapter.execute(steps).await;
    let [first, refused, second] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert!(matches!(
        (first, second),
        (Outcome::Done(_), Outcome::Done(_))
    ));
    let Outcome::Rejected(rejection) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(rejection.message, "Access denied.");
    let requests = calls(&fixture.server);
    assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn an_effect_whose_answer_was_lost_is_found_by_its_key_alone() {
    let marker = contact("1").key.marker();
    let mut asked = 0;
    let fixture = Fixture::start(move |request| {
        asked += 1;
        if asked == 1 {
            return Reply::Lost;
        }
        batch(request, |called| {
            assert_eq!(called.param("filter[=ORIGIN_ID]"), marker);
            assert_eq!(called.param("filter[=ORIGINATOR_ID]"), "trunkline");
            // The second and the third are ours; whoever ignores the filter shows the first, too.
            Ok(json!([
                {"ID": "5", "ORIGIN_ID": "another"},
                {"ID": "32", "ORIGIN_ID": marker},
                {"ID": "31", "ORIGIN_ID": marker},
            ]))
        })
    })
    .await;
    let outcome = fixture.execute_one(contact("1")).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    let Outcome::Done(Look::Found(result)) = fixture.adapter.look(contact("1")).await else {
        panic!("not found")
    };
    assert_eq!(result.cards, [card(Entity::Contact, "31")]);
    assert!(result.adopted);
}

#[tokio::test]
async fn a_full_bucket_and_a_used_up_method_are_waited_out() {
    let fixture = Fixture::start(|_| {
        let body = json!({"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many"});
        Reply::Json(503, body)
    })
    .await;
    let Outcome::NotApplied(throttled) = fixture.execute_one(contact("1")).await else {
        panic!("sent")
    };
    assert_eq!(throttled.cause, NotAppliedCause::Throttled);

    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "crm.contact.add" => Err(("OPERATION_TIME_LIMIT", "Method is blocked")),
        _ => Ok(json!(512)),
    })
    .await;
    for _ in 0..2 {
        let Outcome::NotApplied(parked) = fixture.execute_one(contact("1")).await else {
            panic!("done")
        };
        assert_eq!(parked.cause, NotAppliedCause::Throttled);
        assert!(parked.retry_after.is_some());
    }
    // The method rests, and it alone.
    assert_eq!(calls(&fixture.server).len(), 1);
    let deal = fixture.execute_one(deal(known(Entity::Company, "4"))).await;
    assert!(matches!(deal, Outcome::Done(_)), "{deal:?}");
}

#[tokio::test]
async fn a_field_is_filled_where_it_is_empty_or_always_told_anew() {
    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "crm.contact.get" => Ok(json!({"ID": "31", "UF_CRM_1": "typed", "UF_CRM_2": ""})),
        _ => Ok(json!(true)),
    })
    .await;
    let fill = |field: &str, overwrite| FieldFill {
        field: field.to_owned(),
        value: "mango".to_owned(),
        typed: None,
        overwrite,
    };
    let effect = Effect::FillFields(FillFields {
        card: known(Entity::Contact, "31"),
        fields: vec![
            fill("UF_CRM_1", false),
            fill("UF_CRM_2", false),
            fill("UF_CRM_3", true),
        ],
    });
    let outcome = fixture
        .execute_one(command("1", "contact-fields", effect))
        .await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let update = calls(&fixture.server)
        .pop()
        .and_then(|mut one| one.pop())
        .expect("sent");
    assert_eq!(update.method, "crm.contact.update");
    assert_eq!(update.params.len(), 3, "{update:?}");
    assert_eq!(update.param("fields[UF_CRM_2]"), "mango");
}

fn query(deals: bool) -> FactsQuery {
    FactsQuery {
        phones: vec![phone("+79161234567")],
        emails: Vec::new(),
        deals,
        made: Vec::new(),
        made_leads: Vec::new(),
    }
}

#[tokio::test]
async fn a_stranger_costs_one_command_and_a_client_two_requests() {
    let fixture = Fixture::answering(|_| Ok(json!([]))).await;
    let Outcome::Done(facts) = fixture.adapter.facts(query(true), Class::Work).await else {
        panic!("no facts")
    };
    assert!(facts.first_time());
    let requests = calls(&fixture.server);
    assert_eq!(requests.len(), 1);
    let asked = &requests[0][0];
    assert_eq!(asked.param("values[0]"), "79161234567");
    assert_eq!(asked.param("values[1]"), "9161234567");

    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "crm.duplicate.findbycomm" => Ok(json!({"CONTACT": [31, "32"], "LEAD": [7]})),
        "crm.contact.list" => Ok(json!([
            {"ID": "31", "NAME": "Иван", "LAST_NAME": "Петров", "ASSIGNED_BY_ID": "12",
             "DATE_MODIFY": "2026-09-21T10:00:00+03:00", "PHONE": [{"VALUE": "8 916 123-45-67"}]},
            {"ID": "32", "NAME": "Другой", "PHONE": [{"VALUE": "+79160000000"}]},
        ])),
        "crm.lead.list" => Ok(json!([])),
        "crm.deal.list" => Ok(json!([
            {"ID": "512", "CONTACT_ID": "31", "CATEGORY_ID": "3", "STAGE_ID": "C3:NEW",
             "STAGE_SEMANTIC_ID": "P", "CLOSED": "N", "ASSIGNED_BY_ID": "12"},
            {"ID": "500", "CONTACT_ID": "31", "STAGE_ID": "WON", "STAGE_SEMANTIC_ID": "S",
             "CLOSED": "Y", "CLOSEDATE": "2026-09-01T00:00:00+03:00"},
        ])),
        other => panic!("{other}"),
    })
    .await;
    let Outcome::Done(facts) = fixture.adapter.facts(query(true), Class::Work).await else {
        panic!("no facts")
    };
    let [client] = facts.contacts.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!(
        (client.id.as_str(), client.name.as_str()),
        ("31", "Иван Петров")
    );
    let deals: Vec<_> = client
        .deals
        .iter()
        .map(|deal| (deal.id.as_str(), deal.open))
        .collect();
    assert_eq!(deals, [("512", true), ("500", false)]);
    let sizes: Vec<usize> = calls(&fixture.server).iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 3]);
}

#[tokio::test]
async fn where_one_sort_is_crowded_every_sort_is_asked_for_by_itself() {
    let fixture = Fixture::answering(|called| match called.param("entity_type") {
        "" => Ok(json!({"LEAD": (1..=20).collect::<Vec<_>>()})),
        "CONTACT" => Ok(json!({"CONTACT": [31]})),
        "COMPANY" | "LEAD" => Ok(json!([])),
        other => panic!("{other}"),
    })
    .await;
    let search = Search {
        client: &fixture.adapter.client,
        region: Region::RU,
        leads: true,
        class: Class::Work,
    };
    let hits = search
        .hits(&[phone("+79161234567")], &[])
        .await
        .expect("hits");
    assert_eq!(hits.contacts.into_iter().collect::<Vec<_>>(), [31]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_makes_nobody_a_stranger() {
    for nonsense in [json!("x"), json!({"CONTACT": "31"}), json!(true)] {
        let fixture = Fixture::answering(move |_| Ok(nonsense.clone())).await;
        let facts = fixture.adapter.facts(query(true), Class::Work).await;
        assert!(matches!(facts, Outcome::NotApplied(_)), "{facts:?}");
    }
}
