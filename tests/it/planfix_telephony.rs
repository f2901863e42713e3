//! What Planfix asks of the phone system, and what its account is found to lack: the adapter against
//! its simulator.

use std::sync::Arc;

use serde_json::{Value, json};
use trunkline::crm::{Adapter, Asked, Clicked, Clicker, HookAddress, HookReply, HookRequest};
use trunkline::lab::planfix::{PlanfixLab, PlanfixOptions, UserOptions, start};
use trunkline::model::ids::Extension;
use trunkline::model::outcome::Outcome;
use trunkline::model::secret::Secret;

use super::planfix_door::open;

const FORM: &str = "application/x-www-form-urlencoded";
const ADDRESS: &str = "https://box.example/crm/planfix/acme/sales/a-long-secret";

async fn account(
    change: impl FnOnce(&mut PlanfixOptions),
    wanted: Value,
) -> (PlanfixLab, Arc<dyn Adapter>) {
    let mut options = PlanfixOptions {
        per_second: None,
        ..PlanfixOptions::default()
    };
    change(&mut options);
    let lab = start(options).await.expect("a free port");
    let adapter = open(&lab.base_url(), wanted);
    (lab, adapter)
}

async fn ask(adapter: &Arc<dyn Adapter>, kind: &str, body: &str) -> Option<Asked> {
    let clicks = adapter.call_requests().expect("Planfix asks");
    let request = HookRequest {
        content_type: Some(kind),
        body: body.as_bytes(),
    };
    clicks.asked(request).await
}

async fn answered(adapter: &Arc<dyn Adapter>, body: &str) -> (u16, String) {
    match ask(adapter, FORM, body).await {
        Some(Asked::Answered(HookReply { status, body, .. })) => (status, body),
        other => panic!("{body}: {other:?}"),
    }
}

async fn limits(adapter: &Arc<dyn Adapter>) -> Vec<String> {
    match adapter.describe().await {
        Outcome::Done(account) => account.limits,
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn s2_40_a_click_is_read_and_only_with_the_key_of_the_pbx_where_one_is_set() {
    let (lab, adapter) = account(|_| {}, json!({ "pbx_key": "PBXKEY" })).await;
    let clicked = "cmd=makeCall&from=101&to=79101234567&token=PBXKEY";
    let call = Asked::Call(Clicked {
        who: Clicker::Extension(Extension("101".to_owned())),
        phone: "79101234567".to_owned(),
    });
    assert_eq!(ask(&adapter, FORM, clicked).await, Some(call.clone()));
    let bad_token = r#"{"error":"Invalid token"}"#;
    let bad = r#"{"error":"Invalid parameters"}"#;
    for (body, status, words) in [
        (
            "cmd=makeCall&from=101&to=79101234567&token=PBXKE",
            401,
            bad_token,
        ),
        (
            "cmd=makeCall&from=101&to=79101234567&token=",
            401,
            bad_token,
        ),
        ("cmd=makeCall&from=101&to=79101234567", 401, bad_token),
        ("cmd=setup&planfix_token=x&planfix_url=y", 401, bad_token),
        ("cmd=makeCall&from=101&token=PBXKEY", 400, bad),
        ("cmd=makeCall&from=&to=79101234567&token=PBXKEY", 400, bad),
        ("cmd=launchMissiles&token=PBXKEY", 400, bad),
        ("cmd=&from=101&to=1&token=PBXKEY", 0, ""),
    ] {
        match status {
            // No command at all: a hint that something changed, as from a scenario.
            0 => assert_eq!(ask(&adapter, FORM, body).await, None, "{body}"),
            _ => assert_eq!(
                answered(&adapter, body).await,
                (status, words.to_owned()),
                "{body}"
            ),
        }
    }
    let long = format!("cmd=makeCall&from={}&to=7&token=PBXKEY", "1".repeat(5_000));
    assert_eq!(answered(&adapter, &long).await.0, 400);
    for (kind, body) in [
        ("application/json", r#"{"task_id":"20555"}"#),
        (
            "application/json",
            "cmd=makeCall&from=101&to=79101234567&token=PBXKEY",
        ),
        (FORM, "task_id=20555"),
        (FORM, "%ff%fe&&&=&cmd"),
    ] {
        assert_eq!(ask(&adapter, kind, body).await, None, "{body}");
    }
    // Without a key the secret of the path is the proof, whatever is sent as one.
    let (_, open_to_all) = account(|_| {}, json!({})).await;
    for token in ["", "&token=", "&token=anything"] {
        let body = format!("cmd=makeCall&from=101&to=79101234567{token}");
        assert_eq!(
            ask(&open_to_all, FORM, &body).await,
            Some(call.clone()),
            "{body}"
        );
    }
    let clicks = adapter.call_requests().expect("Planfix asks");
    let taken = clicks.answer(Ok(()));
    assert_eq!((taken.status, taken.body.as_str()), (200, ""));
    let refused = clicks.answer(Err("no \"employee\"".to_owned()));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body, r#"{"error":"no \"employee\""}"#);
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn a_setup_of_another_account_changes_nothing_and_the_own_one_brings_the_token() {
    let wanted = json!({ "telephony_token": "", "telephony_by_setup": true, "pbx_key": "PBXKEY" });
    let (lab, adapter) = account(|_| {}, wanted).await;
    let told = |url: &str, token: &str| {
        format!("cmd=setup&token=PBXKEY&planfix_token={token}&planfix_url={url}")
    };
    let own = "https%3A%2F%2Facme.planfix.ru%2Ftel%2Fapi";
    for url in [
        "https%3A%2F%2Fevil.example%2Ftel%2Fapi",
        "https%3A%2F%2Facme.planfix.ru.evil.example%2Ftel%2Fapi",
        "http%3A%2F%2Facme.planfix.ru%2Ftel%2Fapi",
        "https%3A%2F%2Facme.planfix.ru%3A8443%2Ftel%2Fapi",
        "https%3A%2F%2Fa%3Ab%40acme.planfix.ru%2Ftel%2Fapi",
        "https%3A%2F%2Facme.planfix.ru%2Felsewhere",
        "nonsense",
    ] {
        let (status, words) = answered(&adapter, &told(url, "thief")).await;
        assert_eq!(status, 400, "{url}");
        assert!(words.contains("another account"), "{words}");
    }
    let before = limits(&adapter).await;
    assert!(
        before
            .iter()
            .any(|limit| limit.contains("has not sent the token")),
        "{before:?}"
    );
    let token = PlanfixOptions::default().telephony_token;
    assert_eq!(
        answered(&adapter, &told(own, &token)).await,
        (200, String::new())
    );
    let after = limits(&adapter).await;
    assert!(
        !after.iter().any(|limit| limit.contains("token")),
        "{after:?}"
    );
    lab.stop().await.expect("a clean end");

    // A token that a person entered counts before what anybody sends.
    let (lab, adapter) = account(|_| {}, json!({ "pbx_key": "PBXKEY" })).await;
    assert_eq!(answered(&adapter, &told(own, &token)).await.0, 200);
    let (status, words) = answered(&adapter, &told(own, "another")).await;
    assert_eq!(status, 401);
    assert!(
        words.contains("enter the one that Planfix shows"),
        "{words}"
    );
    assert!(
        !limits(&adapter)
            .await
            .iter()
            .any(|limit| limit.contains("refuses the token"))
    );
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn s2_42_an_address_or_key_that_was_pasted_wrong_is_said() {
    let (lab, adapter) = account(|_| {}, json!({ "pbx_key": "PBXKEY" })).await;
    let about = async |words: &str| {
        let limits = limits(&adapter).await;
        limits.iter().any(|limit| limit.contains(words))
    };
    lab.type_pbx("", "");
    assert!(about("has no address of a PBX").await);
    assert!(about("public_url").await);
    let clicks = adapter.call_requests().expect("Planfix asks");
    clicks.asked_at(vec![HookAddress {
        address: Secret::new(ADDRESS.to_owned()),
        place: "https://box.example/crm/planfix/acme/sales/".to_owned(),
    }]);
    assert!(about("trunkline integration webhook").await);
    for wrong in [
        "https://elsewhere.example/",
        &format!("{ADDRESS}x"),
        "https://box.example/crm/planfix/acme/sales/",
    ] {
        lab.type_pbx(wrong, "PBXKEY");
        assert!(
            about("is another one than https://box.example").await,
            "{wrong}"
        );
    }
    lab.type_pbx(ADDRESS, "wrong");
    assert!(about("pbx_key").await);
    lab.type_pbx(ADDRESS, "PBXKEY");
    let fine = limits(&adapter).await;
    assert!(fine.iter().all(|limit| !limit.contains("PBX")), "{fine:?}");
    assert!(!fine.join(" ").contains("a-long-secret"));
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn s2_01_a_scope_that_is_missing_is_named() {
    for scope in [
        "contact_readonly",
        "contact_add",
        "contact_update",
        "task_readonly",
        "user_readonly",
        "task_update",
        "comment_add",
    ] {
        let (lab, adapter) =
            account(|options| options.missing_scopes = vec![scope], json!({})).await;
        let found = limits(&adapter).await;
        let named = |limit: &String| limit.contains(&format!("lacks the scopes {scope}:"));
        assert!(found.iter().any(named), "{scope}: {found:?}");
        let oracle = lab.oracle();
        // Nothing is made to find it out.
        assert!(oracle.contacts.is_empty() && oracle.tasks.is_empty());
        assert!(oracle.counters.oddities.is_empty(), "{:?}", oracle.counters);
        lab.stop().await.expect("a clean end");
    }
    let (lab, adapter) = account(|_| {}, json!({})).await;
    assert!(
        limits(&adapter)
            .await
            .iter()
            .all(|limit| !limit.contains("S2-01"))
    );
    assert_eq!(adapter.alarm().await, None);
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn s2_03_where_the_older_application_is_still_on_a_person_is_told_to_switch_it_off() {
    // Its token is another one: telephony by the API is not what Planfix works with.
    let (lab, adapter) = account(
        |_| {},
        json!({ "telephony_token": "of-the-old-application" }),
    )
    .await;
    let found = limits(&adapter).await;
    let told = |limit: &String| limit.contains("switch the old application off");
    assert!(found.iter().any(told), "{found:?}");
    lab.stop().await.expect("a clean end");
    let (lab, adapter) = account(|_| {}, json!({})).await;
    assert!(!limits(&adapter).await.iter().any(told));
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn s2_06_employees_come_with_the_short_numbers_that_are_looked_for() {
    let (lab, adapter) = account(|_| {}, json!({})).await;
    // Whose 10 is cannot be told: it is part of several.
    let extensions = ["101", "103", "10", "999"].map(|one| Extension(one.to_owned()));
    let Outcome::Done(people) = adapter.people(extensions.to_vec()).await else {
        panic!("nobody is listed")
    };
    let told: Vec<String> = people
        .iter()
        .map(|one| {
            let extension = one.extension.as_ref().map_or("-", |one| one.0.as_str());
            format!("{} {} {extension} {}", one.user, one.name, one.active)
        })
        .collect();
    assert_eq!(
        told,
        [
            "5 Анна Петрова 101 true",
            "6 Борис Сидоров - true",
            "7 Вера Кузнецова 103 true",
            "9 Павел Уволенный - false",
        ]
    );
    lab.employ(UserOptions::employee(12, "Глеб", "Новый", "104"));
    let Outcome::Done(people) = adapter.people(Vec::new()).await else {
        panic!("nobody is listed")
    };
    assert_eq!(people.len(), 5);
    assert!(lab.oracle().counters.oddities.is_empty());
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn the_days_quota_is_told_as_planfix_says_it() {
    let (lab, adapter) = account(|_| {}, json!({ "requests_a_day": 20_000 })).await;
    let before = adapter.day_quota().expect("Planfix counts by the day");
    assert_eq!((before.a_day, before.left), (20_000, None));
    limits(&adapter).await;
    let after = adapter.day_quota().expect("Planfix counts by the day");
    assert!(after.left.is_some_and(|left| left < 20_000), "{after:?}");
    lab.stop().await.expect("a clean end");
}
