//! The simulator against the contract.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::lab::fault::{Fault, Rule, When};

/// A client of the API that knows nothing but how it is asked.
struct Asker {
    lab: AlfaLab,
    http: reqwest::Client,
    token: String,
}

impl Asker {
    async fn of(options: AlfaOptions) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let lab = start(options).await.expect("a free port");
        let mut asker = Self {
            lab,
            http: reqwest::Client::new(),
            token: String::new(),
        };
        asker.token = asker.log_in().await["token"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        asker
    }

    async fn log_in(&self) -> Value {
        let options = self.lab.options();
        let body = json!({"email": options.email, "api_key": options.api_key});
        let url = format!("{}/v2api/auth/login", self.lab.base_url());
        let answer = self
            .http
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn ask(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/v2api/{path}", self.lab.base_url());
        let request = self
            .http
            .post(url)
            .header("X-ALFACRM-TOKEN", &self.token)
            .json(&body);
        let answer = request.send().await.expect("an answer");
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }
}

fn many() -> AlfaOptions {
    AlfaOptions {
        rate_per_second: 1_000,
        ..AlfaOptions::default()
    }
}

fn lead(name: &str, phone: &str) -> Value {
    json!({"name": name, "legal_type": 1, "is_study": 0, "branch_ids": [1], "phone": [phone]})
}

#[tokio::test]
async fn a_lead_is_made_and_found_by_digits_though_it_is_stored_masked() {
    let asker = Asker::of(many()).await;
    let (status, made) = asker
        .ask("1/customer/create", lead("Иван", "+79101234567"))
        .await;
    assert_eq!((status, &made["success"]), (200, &json!(true)));
    assert_eq!(made["model"]["phone"], json!(["+7(910)123-45-67"]));
    for phone in ["+79101234567", "9101234567"] {
        let wanted = json!({"is_study": 2, "removed": 1, "phone": phone, "nonsense": 1});
        let (_, found) = asker.ask("1/customer/index", wanted).await;
        assert_eq!((&found["total"], &found["page"]), (&json!(1), &json!(0)));
    }
    let elsewhere = asker.ask("2/customer/index", json!({"is_study": 2})).await;
    assert_eq!(elsewhere.1["total"], 0);
}

#[tokio::test]
async fn a_validation_failure_is_a_success_of_http() {
    let asker = Asker::of(many()).await;
    for (field, body) in [
        ("name", lead("", "+79101234567")),
        ("legal_type", json!({"name": "x", "is_study": 0})),
        (
            "lead_status_id",
            json!({"name": "x", "legal_type": 1, "is_study": 0, "lead_status_id": 99}),
        ),
        (
            "email",
            json!({"name": "x", "legal_type": 1, "is_study": 0, "email": ["nobody"]}),
        ),
        (
            "assigned_id",
            json!({"name": "x", "legal_type": 1, "is_study": 0, "assigned_id": 9}),
        ),
        ("name", lead(&"x".repeat(51), "+79101234567")),
    ] {
        let (status, answer) = asker.ask("1/customer/create", body).await;
        assert_eq!(
            (status, &answer["success"]),
            (200, &json!(false)),
            "{field}"
        );
        assert!(answer["errors"].get(field).is_some(), "{field}: {answer}");
    }
    assert!(asker.lab.oracle().customers.is_empty());
}

#[tokio::test]
async fn only_what_is_sent_changes_and_an_array_changes_as_a_whole() {
    let asker = Asker::of(many()).await;
    let (_, made) = asker
        .ask("1/customer/create", lead("Иван", "+79101234567"))
        .await;
    let id = &made["model"]["id"];
    let body = json!({"phone": ["+79107654321"], "custom_utm": "ya", "custom_none": "x"});
    let (_, changed) = asker.ask(&format!("1/customer/update?id={id}"), body).await;
    let model = &changed["model"];
    assert_eq!(
        (&model["name"], &model["custom_utm"]),
        (&json!("Иван"), &json!("ya"))
    );
    assert_eq!(model["phone"], json!(["+7(910)765-43-21"]));
    assert!(model.get("custom_none").is_none());
    let (status, _) = asker.ask("1/customer/update?id=1", json!({})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_token_ends_and_a_key_or_role_that_is_not_good_is_refused() {
    let asker = Asker::of(many()).await;
    assert_eq!(asker.ask("1/task/index", json!({})).await.0, 200);
    asker.lab.shift_clock_ms(3_600_000);
    let (status, error) = asker.ask("1/task/index", json!({})).await;
    assert_eq!((status, &error["status"]), (401, &json!(401)));
    assert!(asker.log_in().await["token"].is_string());
    asker.lab.close_role(true);
    asker.lab.set_api_key("another");
    let body = json!({"email": "api@school.ru", "api_key": "11111111"});
    assert_eq!(asker.ask("auth/login", body).await.0, 401);
}

#[tokio::test]
async fn six_in_a_second_are_one_too_many() {
    let asker = Asker::of(AlfaOptions::default()).await;
    asker.lab.stop_clock();
    // The log-in is no part of the second that begins now.
    asker.lab.pass(Duration::from_secs(1));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(asker.ask("1/task/index", json!({})).await.0);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    assert_eq!(asker.lab.counters().rate_violations, 1);
    asker.lab.pass(Duration::from_secs(1));
    assert_eq!(asker.ask("1/task/index", json!({})).await.0, 200);
}

#[tokio::test]
async fn pages_begin_with_zero_and_every_record_stands_on_one() {
    for switches in [Switches::default(), Switches::other()] {
        let asker = Asker::of(many()).await;
        asker.lab.set_switches(Switches {
            bare_token: false,
            ..switches
        });
        for n in 0..45 {
            asker.lab.add_customer(Customer {
                name: format!("К{n}"),
                ..Customer::default()
            });
        }
        let mut ids = std::collections::BTreeSet::new();
        for page in 0..5 {
            let wanted = json!({"is_study": 2, "page": page, "pageSize": 10});
            let (_, answer) = asker.ask("1/customer/index?per-page=10", wanted).await;
            let items = match &answer["items"] {
                Value::Object(map) => map.values().cloned().collect(),
                items => items.as_array().cloned().unwrap_or_default(),
            };
            ids.extend(items.iter().map(|item| item["id"].to_string()));
        }
        assert_eq!(ids.len(), 45);
    }
}

#[tokio::test]
async fn comments_and_tasks_want_what_the_contract_says() {
    let asker = Asker::of(many()).await;
    let id = asker.lab.add_customer(Customer::default());
    let path = format!("1/communication/create?class=Customer&related_id={id}");
    let good = json!({"type_id": 1, "comment": "Чат завершён", "user_id": 502});
    let (_, made) = asker.ask(&path, good).await;
    assert_eq!(made["success"], true);
    for bad in [
        json!({"comment": "x"}),
        json!({"type_id": 1, "comment": " "}),
        json!({"type_id": 1, "comment": "x", "user_id": 9}),
        json!({"type_id": 1, "comment": "x".repeat(2049)}),
    ] {
        assert_eq!(asker.ask(&path, bad).await.1["success"], false);
    }
    let (status, _) = asker
        .ask("1/communication/create", json!({"type_id": 1}))
        .await;
    assert_eq!(status, 400);
    let task = json!({"title": "x", "assigned_ids": [502], "due_date": "2026-11-21", "customer_ids": [id]});
    assert_eq!(
        asker.ask("1/task/create", task.clone()).await.1["success"],
        true
    );
    for key in ["title", "assigned_ids", "due_date"] {
        let mut bad = task.clone();
        bad[key] = json!(null);
        assert_eq!(
            asker.ask("1/task/create", bad).await.1["success"],
            false,
            "{key}"
        );
    }
}

#[tokio::test]
async fn an_answer_may_be_lost_after_the_effect() {
    let asker = Asker::of(many()).await;
    let rule = Rule::new("POST", "*/create", When::First { n: 1 }, Fault::LostAfter);
    asker.lab.add_fault(rule).expect("a good rule");
    let url = format!("{}/v2api/1/customer/create", asker.lab.base_url());
    let request = asker.http.post(url).header("X-ALFACRM-TOKEN", &asker.token);
    let sent = request.json(&lead("Иван", "+79101234567")).send().await;
    assert!(sent.is_err());
    assert_eq!(asker.lab.oracle().customers.len(), 1);
}

#[tokio::test]
async fn a_branch_is_told_of_changes_and_of_nothing_else() {
    let asker = Asker::of(many()).await;
    let listener = Asker::of(many()).await;
    // Another simulator takes anything at its own address and keeps it in its log.
    let address = format!("{}/hook", listener.lab.base_url());
    asker.lab.tell_at(1, &address, 0, 2);
    asker.lab.add_customer(Customer::default());
    asker.lab.add_customer(Customer::default());
    asker.lab.add_customer(Customer {
        branches: vec![2],
        ..Customer::default()
    });
    let told = || {
        let log = listener.lab.log().into_iter();
        log.filter(|entry| entry.path == "/hook")
            .collect::<Vec<_>>()
    };
    while told().len() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = told();
    let body: Value = serde_json::from_str(&told[0].body).expect("JSON");
    assert_eq!(
        (&body["event"], &body["entity"]),
        (&json!("create"), &json!("Customer"))
    );
    assert_eq!(
        (&body["branch_id"], &body["fields_old"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(
        told.len(),
        3,
        "the second one came twice, the other branch not at all"
    );
}
