//! Set-up, description, credential.

use super::*;
use crate::model::outcome::NotAppliedCause;

/// An account as a new customer has it; `fields` are its additional fields, by entity.
struct NewAccount {
    fields: Vec<(String, Value)>,
    next_id: i64,
    may_make_fields: bool,
    lists_users: bool,
}

impl NewAccount {
    fn new() -> Self {
        let fields = ["contacts", "leads", "companies"]
            .into_iter()
            .map(|entity| {
                let field =
                    json!({"id": 31, "name": "Телефон", "type": "multitext", "code": "PHONE"});
                (entity.to_owned(), field)
            });
        Self {
            fields: fields.collect(),
            next_id: 900,
            may_make_fields: true,
            lists_users: true,
        }
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let field_owner = asked
            .path
            .strip_prefix("/api/v4/")
            .and_then(|rest| rest.strip_suffix("/custom_fields"));
        match (asked.line().as_str(), field_owner) {
            ("GET /api/v4/account", _) => Reply::Json(
                200,
                json!({"id": 31000001, "name": "Demo", "country": "KZ", "customers_mode": "disabled",
                       "is_api_filter_enabled": false,
                       "_embedded": {"datetime_settings": {"timezone": "Asia/Almaty"}}}),
            ),
            ("GET /api/v4/leads/pipelines", _) => Reply::Json(200, pipelines()),
            ("GET /api/v4/users", _) if self.lists_users => list(
                "users",
                vec![
                    json!({"id": 501, "name": "Иван", "email": "i@example.org",
                        "phone_number": "101", "rights": {"is_active": true}}),
                    json!({"id": 502, "name": "Пётр", "email": null,
                        "phone_number": null, "rights": {"is_active": false}}),
                ],
            ),
            ("GET /api/v4/users", _) => Reply::Json(
                403,
                json!({"title": "Forbidden", "status": 403, "detail": "No rights"}),
            ),
            (line, Some(owner)) if line.starts_with("GET") => list(
                "custom_fields",
                self.fields
                    .iter()
                    .filter(|(entity, _)| entity == owner)
                    .map(|(_, field)| field.clone())
                    .collect(),
            ),
            (_, Some(_)) if !self.may_make_fields => {
                Reply::Json(403, json!({"title": "Forbidden", "status": 403}))
            }
            (_, Some(owner)) => {
                self.next_id += 1;
                let mut field = asked.body[0].clone();
                field["id"] = json!(self.next_id);
                self.fields.push((owner.to_owned(), field.clone()));
                Reply::Json(201, json!({"_embedded": {"custom_fields": [field]}}))
            }
            (line, None) => panic!("unexpected {line}"),
        }
    }
}

fn pipelines() -> Value {
    let statuses = json!([
        {"id": 3102, "name": "Новая", "sort": 20, "type": 0},
        {"id": 3101, "name": "Неразобранное", "sort": 10, "type": 1},
        {"id": 142, "name": "Успешно", "sort": 10000, "type": 0},
    ]);
    json!({"_embedded": {"pipelines": [
        {"id": 3100, "name": "Воронка", "sort": 1, "is_main": true, "is_unsorted_on": true,
         "is_archive": false, "_embedded": {"statuses": statuses}},
        {"id": 3200, "name": "Старая", "sort": 2, "is_archive": true, "_embedded": {"statuses": []}},
    ]}})
}

#[tokio::test]
async fn an_account_is_described_and_its_marker_field_made_once() {
    let mut account = NewAccount::new();
    let fixture = Fixture::with(None, move |asked| account.answer(asked)).await;
    let description = done(fixture.adapter.describe().await);
    insta::assert_debug_snapshot!("description", description);
    let setup = fixture.vault.stored_setup().expect("stored");
    assert_eq!(setup.marker_contacts, Some(901));
    assert_eq!(setup.marker_leads, Some(902));
    assert_eq!(setup.unsorted_stages, [3101]);
    assert_eq!(setup.region.to_string(), "KZ");

    done(fixture.adapter.describe().await);
    let made = fixture.server.lines();
    let made = made.iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(made, 2, "one field on contacts, one on leads");
    assert_eq!(fixture.vault.stored_setup(), Some(setup));
}

#[tokio::test]
async fn a_marker_field_on_a_later_page_is_found_and_not_made_again() {
    let mut account = NewAccount::new();
    let fixture = Fixture::with(None, move |asked| {
        let page = asked.query("page").map(str::to_owned);
        match (asked.method.as_str(), page.as_deref()) {
            ("GET", Some(page)) if asked.path.ends_with("/custom_fields") => {
                let field = match page {
                    "1" | "2" => json!({"id": 40, "name": "Other", "type": "text", "code": null}),
                    "3" => json!({"id": 66, "name": "Any", "type": "text", "code": "TRUNKLINE_KEY"}),
                    _ => return Reply::Json(204, Value::Null),
                };
                Reply::Json(
                    200,
                    json!({"_links": {"next": {"href": "x"}}, "_embedded": {"custom_fields": [field]}}),
                )
            }
            _ => account.answer(asked),
        }
    })
    .await;
    done(fixture.adapter.describe().await);
    assert!(
        fixture
            .server
            .lines()
            .iter()
            .all(|line| line.starts_with("GET"))
    );
    let setup = fixture.vault.stored_setup().expect("stored");
    assert_eq!(
        (setup.marker_contacts, setup.marker_leads),
        (Some(66), Some(66))
    );
}

#[tokio::test]
async fn of_two_marker_fields_everybody_takes_the_older() {
    let mut account = NewAccount::new();
    for id in [77, 66] {
        for entity in ["contacts", "leads"] {
            let field = json!({"id": id, "name": "Any", "type": "text", "code": "TRUNKLINE_KEY"});
            account.fields.push((entity.to_owned(), field));
        }
    }
    let fixture = Fixture::with(None, move |asked| account.answer(asked)).await;
    done(fixture.adapter.describe().await);
    let setup = fixture.vault.stored_setup().expect("stored");
    assert_eq!(setup.marker_contacts, Some(66));
}

#[tokio::test]
async fn a_field_of_another_type_is_no_marker_even_under_our_code() {
    let mut account = NewAccount::new();
    for entity in ["contacts", "leads"] {
        let field = json!({"id": 66, "name": "Any", "type": "numeric", "code": "TRUNKLINE_KEY"});
        account.fields.push((entity.to_owned(), field));
        let field = json!({"id": 67, "name": "Trunkline", "type": "checkbox", "code": null});
        account.fields.push((entity.to_owned(), field));
    }
    let fixture = Fixture::with(None, move |asked| account.answer(asked)).await;
    done(fixture.adapter.describe().await);
    let setup = fixture.vault.stored_setup().expect("stored");
    assert_eq!(setup.marker_contacts, Some(901), "one of its own is made");
    assert_eq!(setup.marker_leads, Some(902));
}

#[tokio::test]
async fn without_rights_the_limits_say_so_and_certainty_falls_to_search() {
    let mut account = NewAccount::new();
    account.may_make_fields = false;
    account.lists_users = false;
    let fixture = Fixture::with(None, move |asked| account.answer(asked)).await;
    let certainty = |adapter: &AmoAdapter| {
        let step = adapter.capabilities().step(StepKind::CreateContact);
        step.expect("declared").certainty
    };
    assert_eq!(certainty(&fixture.adapter), Certainty::ByKey);
    let description = done(fixture.adapter.describe().await);
    assert_eq!(certainty(&fixture.adapter), Certainty::BySearch);
    assert!(description.users.is_empty());
    insta::assert_debug_snapshot!("limits_without_rights", description.limits);
}

#[tokio::test]
async fn where_fields_may_not_be_listed_calls_are_worked_all_the_same() {
    let mut account = NewAccount::new();
    let fixture = Fixture::with(None, move |asked| match asked.line().as_str() {
        line if line.ends_with("/custom_fields") => {
            Reply::Json(403, json!({"title": "Forbidden", "status": 403}))
        }
        "POST /api/v4/contacts" => {
            let request_id = asked.body[0]["request_id"].clone();
            list(
                "contacts",
                vec![json!({"id": 7001, "request_id": request_id})],
            )
        }
        _ => account.answer(asked),
    })
    .await;
    let description = done(fixture.adapter.describe().await);
    assert!(description.fields.is_empty());
    let limits = description.limits.join("; ");
    for entity in ["contacts", "leads", "companies"] {
        assert!(
            limits.contains(&format!("the fields of {entity}")),
            "{limits}"
        );
    }
    let result = done(fixture.execute_one(contact("1")).await);
    assert_eq!(ids(&result), ["contact 7001"]);
}

#[tokio::test]
async fn a_refused_token_is_not_sent_again_and_a_new_one_is() {
    let fixture =
        Fixture::start(
            |asked| match asked.headers.get("authorization").map(String::as_str) {
                Some("Bearer renewed") => list("contacts", Vec::new()),
                _ => Reply::Json(
                    401,
                    json!({"title": "Unauthorized", "status": 401, "detail": "revoked"}),
                ),
            },
        )
        .await;
    let query = FactsQuery {
        phones: vec![phone("+79161234567")],
        emails: Vec::new(),
        deals: false,
        made: Vec::new(),
        made_leads: Vec::new(),
    };
    for _ in 0..3 {
        let outcome = fixture.adapter.facts(query.clone(), Class::Live).await;
        let Outcome::AuthExpired { why } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(
            why.contains("revoked") && why.contains("new long-lived token"),
            "{why}"
        );
    }
    assert_eq!(fixture.server.lines().len(), 1);
    fixture.vault.set_token("renewed");
    let facts = done(fixture.adapter.facts(query, Class::Live).await);
    assert!(facts.first_time());
}

#[tokio::test]
async fn a_step_that_met_a_refused_token_is_made_once_when_there_is_a_new_one() {
    let fixture =
        Fixture::start(
            |asked| match asked.headers.get("authorization").map(String::as_str) {
                Some("Bearer renewed") => list(
                    "tasks",
                    vec![json!({"id": 5001, "request_id": asked.body[0]["request_id"]})],
                ),
                _ => Reply::Json(401, json!({"title": "Unauthorized", "status": 401})),
            },
        )
        .await;
    for _ in 0..2 {
        let outcome = fixture.execute_one(task("1", None)).await;
        assert!(
            matches!(outcome, Outcome::AuthExpired { .. }),
            "{outcome:?}"
        );
    }
    fixture.vault.set_token("renewed");
    let result = done(fixture.execute_one(task("1", None)).await);
    assert_eq!(ids(&result), ["task 5001"]);
    assert_eq!(fixture.server.lines().len(), 2);
}

#[tokio::test]
async fn a_step_waits_when_the_account_cannot_be_set_up() {
    let fixture = Fixture::with(None, |_| Reply::Lost).await;
    let outcome = fixture.execute_one(contact("1")).await;
    let Outcome::NotApplied(not_applied) = outcome else {
        panic!("nothing of the step was sent: {outcome:?}");
    };
    assert_eq!(not_applied.cause, NotAppliedCause::Failed);
}

#[tokio::test]
async fn html_with_403_blocks_the_account() {
    let fixture = Fixture::start(|_| {
        Reply::Raw(
            403,
            "content-type: text/html\r\n",
            "<html>403</html>".to_owned(),
        )
    })
    .await;
    for _ in 0..2 {
        let outcome = fixture.execute_one(contact("1")).await;
        let Outcome::NotApplied(not_applied) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(not_applied.cause, NotAppliedCause::Blocked);
        assert!(not_applied.retry_after.is_some());
    }
    assert_eq!(fixture.server.lines().len(), 1);
}
