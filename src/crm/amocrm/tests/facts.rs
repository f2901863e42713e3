//! Searching for a client.

use super::*;
use crate::model::outcome::NotAppliedCause;

fn card(id: i64, number: &str) -> Value {
    json!({"id": id, "name": format!("Card {id}"), "responsible_user_id": 501,
           "created_at": 1_767_600_000, "updated_at": 1_767_600_000 + id, "is_deleted": false,
           "custom_fields_values": [{"field_id": 31, "field_code": "PHONE",
               "values": [{"value": number, "enum_code": "MOB"}]}],
           "_embedded": {"leads": [{"id": 9001}, {"id": 9002}, {"id": 9003}, {"id": 9004}]}})
}

fn ask(deals: bool) -> FactsQuery {
    FactsQuery {
        phones: vec![phone("+79161234567")],
        emails: Vec::new(),
        deals,
        made: Vec::new(),
        made_leads: Vec::new(),
    }
}

/// Answers a search like amoCRM: whatever has the text somewhere.
fn search(asked: &Asked, cards: &[Value]) -> Reply {
    let text = asked.query("query").expect("a search");
    let hits = cards.iter().filter(|card| card.to_string().contains(text));
    list("contacts", hits.cloned().collect())
}

#[tokio::test]
async fn a_fuzzy_hit_is_dropped_and_every_way_to_write_the_number_is_found() {
    let cards = vec![
        card(1, "+79161234567"),
        card(2, "89161234567"),
        card(3, "9161234567 Иван, секретарь"),
        // The digits are there, in a longer number.
        card(4, "+791612345670"),
        json!({"id": 5, "name": "Заметка 9161234567", "custom_fields_values": null}),
    ];
    let fixture = Fixture::start(move |asked| match asked.path.as_str() {
        "/api/v4/contacts" => search(asked, &cards),
        _ => Reply::Json(204, Value::Null),
    })
    .await;
    let facts = done(fixture.adapter.facts(ask(false), Class::Work).await);
    let ids: Vec<&str> = facts.contacts.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["3", "2", "1"], "most recently updated first");
    assert!(facts.companies.is_empty());
}

#[tokio::test]
async fn a_number_stored_as_people_write_it_is_found_by_its_last_digits() {
    for stored in [
        "8 (916) 123-45-67",
        "+7 916 123 45 67",
        "+7 916 1234567",
        "8(916)1234567 доб. 12",
    ] {
        let cards = vec![card(1, stored)];
        let fixture = Fixture::start(move |asked| match asked.path.as_str() {
            "/api/v4/contacts" => search(asked, &cards),
            _ => Reply::Json(204, Value::Null),
        })
        .await;
        let facts = done(fixture.adapter.facts(ask(false), Class::Work).await);
        assert_eq!(facts.contacts.len(), 1, "{stored}");
    }
}

#[tokio::test]
async fn a_client_who_is_nowhere_costs_eight_searches_and_is_new() {
    let fixture = Fixture::start(|_| Reply::Json(204, Value::Null)).await;
    let facts = done(fixture.adapter.facts(ask(true), Class::Work).await);
    assert!(facts.first_time());
    let asked = fixture.server.asked();
    let queries: Vec<&str> = asked.iter().filter_map(|a| a.query("query")).collect();
    let forms = ["9161234567", "1234567", "123-45-67", "123 45 67"];
    assert_eq!(queries, [forms, forms].concat());
}

#[tokio::test]
async fn a_known_client_without_deals_costs_one_search() {
    let fixture = Fixture::start(|_| {
        let mut known = card(1, "+79161234567");
        known["_embedded"] = json!([]);
        list("contacts", vec![known])
    })
    .await;
    let facts = done(fixture.adapter.facts(ask(true), Class::Work).await);
    assert_eq!(facts.contacts.len(), 1);
    assert_eq!(fixture.server.lines(), ["GET /api/v4/contacts"]);
}

#[tokio::test]
async fn a_next_link_to_an_empty_page_is_the_end() {
    let fixture = Fixture::start(|asked| match (asked.path.as_str(), asked.query("page")) {
        ("/api/v4/contacts", Some("1")) => Reply::Json(
            200,
            json!({"_links": {"next": {"href": "x"}}, "_embedded": {"contacts": [card(1, "+79161234567")]}}),
        ),
        _ => Reply::Json(204, Value::Null),
    })
    .await;
    let facts = done(fixture.adapter.facts(ask(false), Class::Work).await);
    assert_eq!(facts.contacts.len(), 1);
    assert_eq!(fixture.server.asked()[1].query("page"), Some("2"));
}

fn lead(id: i64, status: i64, closed_at: Value) -> Value {
    json!({"id": id, "name": "Lead", "status_id": status, "pipeline_id": 3100,
           "responsible_user_id": 501, "created_at": 1_767_600_000 + id, "closed_at": closed_at})
}

#[tokio::test]
async fn deals_are_open_unless_closed_won_lost_or_unsorted() {
    let leads = [
        lead(9001, 3102, Value::Null),
        lead(9002, 142, json!(1_767_700_000)),
        lead(9003, UNSORTED_STAGE, Value::Null),
        // 9004 was deleted: 204.
    ];
    let fixture = Fixture::start(move |asked| match asked.path.as_str() {
        "/api/v4/contacts" => list("contacts", vec![card(1, "+79161234567")]),
        "/api/v4/companies" => Reply::Json(204, Value::Null),
        path => {
            let id = path
                .rsplit('/')
                .next()
                .and_then(|id| id.parse::<i64>().ok());
            match leads.iter().find(|lead| lead["id"].as_i64() == id) {
                Some(lead) => Reply::Json(200, lead.clone()),
                None => Reply::Json(204, Value::Null),
            }
        }
    })
    .await;
    let facts = done(fixture.adapter.facts(ask(true), Class::Work).await);
    let deals: Vec<(&str, bool)> = facts.contacts[0]
        .deals
        .iter()
        .map(|deal| (deal.id.as_str(), deal.open))
        .collect();
    assert_eq!(deals, [("9003", false), ("9002", false), ("9001", true)]);
    assert!(facts.contacts[0].deals[1].closed_at.is_some());
}

#[tokio::test]
async fn with_the_filter_option_deals_come_in_one_request_and_strangers_are_dropped() {
    let mut setup = set_up();
    setup.api_filter = true;
    let fixture = Fixture::with(Some(setup), |asked| match asked.path.as_str() {
        "/api/v4/contacts" => list("contacts", vec![card(1, "+79161234567")]),
        "/api/v4/leads" => {
            assert_eq!(asked.query("filter[id][]"), Some("9004"));
            list(
                "leads",
                vec![
                    lead(9001, 3102, Value::Null),
                    lead(9002, 3102, Value::Null),
                    lead(9003, 3102, Value::Null),
                    // The option has lapsed: the filter was ignored.
                    lead(8888, 3102, Value::Null),
                ],
            )
        }
        "/api/v4/leads/9004" => Reply::Json(200, lead(9004, 3102, Value::Null)),
        _ => Reply::Json(204, Value::Null),
    })
    .await;
    let facts = done(fixture.adapter.facts(ask(true), Class::Work).await);
    let deals: Vec<&str> = facts.contacts[0]
        .deals
        .iter()
        .map(|d| d.id.as_str())
        .collect();
    assert_eq!(deals, ["9004", "9003", "9002", "9001"]);
}

#[tokio::test]
async fn other_ways_to_write_the_same_answer_are_read() {
    let fixture = Fixture::start(|asked| match asked.path.as_str() {
        "/api/v4/contacts" => list(
            "contacts",
            vec![
                json!({"id": "1", "name": null, "responsible_user_id": "501", "created_at": "1767600000",
                    "updated_at": 1_767_600_000.0, "is_deleted": 0, "account_id": null, "new": {"key": []},
                    "custom_fields_values": [
                        {"field_id": 30, "field_code": null, "values": null},
                        {"field_id": "31", "field_code": "PHONE", "is_computed": false,
                         "values": [{"value": null}, {"value": "8 (495) 111-22-33", "enum": "WORK"},
                                    {"value": 89_161_234_567_i64, "enum_id": "48224", "enum_code": null}]}],
                    "_embedded": {"tags": null, "companies": [], "leads": [{"id": "9001", "_links": []}]}}),
                json!({"id": 2, "custom_fields_values": [], "_embedded": []}),
                json!({"id": 3, "name": 77, "is_deleted": "1", "custom_fields_values": [
                    {"field_code": "PHONE", "values": [{"value": "+79161234567"}]}]}),
            ],
        ),
        "/api/v4/leads/9001" => Reply::Json(
            200,
            json!({"id": "9001", "name": "", "price": 12.5, "currency": "XXX", "status_id": "3102",
                   "pipeline_id": 3100.0, "responsible_user_id": null, "created_at": "",
                   "closed_at": "0", "custom_fields_values": {}, "_embedded": null}),
        ),
        path => panic!("unexpected {path}"),
    })
    .await;
    let facts = done(fixture.adapter.facts(ask(true), Class::Work).await);
    let ids: Vec<&str> = facts.contacts.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["1"]);
    let contact = &facts.contacts[0];
    assert_eq!(contact.responsible, Some(CrmUserId("501".to_owned())));
    assert_eq!(contact.updated_at.as_secs(), 1_767_600_000);
    let deal = &contact.deals[0];
    assert!(deal.open);
    assert_eq!(
        (deal.stage.as_str(), deal.pipeline.as_str()),
        ("3102", "3100")
    );
    assert_eq!(deal.responsible, None);
}

#[tokio::test]
async fn an_unreadable_answer_makes_nobody_a_new_client() {
    for body in [
        "<html>maintenance</html>",
        "{}",
        r#"{"_embedded":{"contacts":[{}]}}"#,
    ] {
        let fixture = Fixture::start(move |_| {
            Reply::Raw(200, "content-type: text/html\r\n", body.to_owned())
        })
        .await;
        let outcome = fixture.adapter.facts(ask(false), Class::Work).await;
        let Outcome::NotApplied(not_applied) = outcome else {
            panic!("{body}: {outcome:?}");
        };
        assert_eq!(not_applied.cause, NotAppliedCause::Failed);
    }
}

#[tokio::test]
async fn an_address_is_searched_and_verified_without_case() {
    let fixture = Fixture::start(|asked| {
        let mail = |id: i64, text: &str| {
            json!({"id": id, "custom_fields_values": [
                {"field_id": 32, "field_code": "EMAIL", "values": [{"value": text}]}]})
        };
        match asked.path.as_str() {
            "/api/v4/contacts" => list(
                "contacts",
                vec![mail(1, "Ivan@Example.org"), mail(2, "not-ivan@example.org")],
            ),
            _ => Reply::Json(204, Value::Null),
        }
    })
    .await;
    let query = FactsQuery {
        phones: Vec::new(),
        emails: vec!["ivan@example.org".to_owned()],
        deals: false,
        made: Vec::new(),
        made_leads: Vec::new(),
    };
    let facts = done(fixture.adapter.facts(query, Class::Work).await);
    assert_eq!(facts.contacts.len(), 1);
    assert_eq!(facts.contacts[0].id, "1");
}
