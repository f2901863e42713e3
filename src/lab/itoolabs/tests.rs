//! The simulated VATS does what the contract says.

use std::time::Duration;

use serde_json::Value;

use super::*;

async fn vats(change: impl FnOnce(&mut VatsOptions)) -> VatsLab {
    let mut options = VatsOptions::default();
    options.switches.history_after = Duration::ZERO;
    change(&mut options);
    start(options).await.expect("a free port")
}

fn quick(kind: CallKind) -> VatsCall {
    let moment = Duration::from_millis(5);
    VatsCall::new(kind, "79161112233").times(moment, moment)
}

/// The messages of a call in short, nobody listening.
async fn story(kind: CallKind, users: &[&str]) -> Vec<String> {
    let vats = vats(|_| {}).await;
    vats.play(quick(kind).users(users)).await;
    vats.told()
        .iter()
        .map(|told| {
            let field = |name| told.field(name).unwrap_or_default();
            let words = [field("cmd"), field("type"), field("status"), field("user")];
            words
                .join(" ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[tokio::test]
async fn a_group_is_rung_one_answers_and_the_others_are_cancelled() {
    let told = story(CallKind::Answered, &[]).await;
    let expected = [
        "contact",
        "event INCOMING orlova",
        "event INCOMING petrov",
        "event INCOMING sidorova",
        "event ACCEPTED orlova",
        "event CANCELLED petrov",
        "event CANCELLED sidorova",
        "event COMPLETED orlova",
        "history in Success orlova",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_transfer_is_told_as_a_second_leg_with_a_history_of_its_own() {
    let told = story(CallKind::Transferred, &["orlova", "petrov"]).await;
    let expected = [
        "contact",
        "event INCOMING orlova",
        "event ACCEPTED orlova",
        "event ACCEPTED petrov",
        "event TRANSFERRED orlova",
        "event COMPLETED orlova",
        "event COMPLETED petrov",
        "history in Success orlova",
        "history in Success petrov",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn both_generations_list_the_same_and_a_wrong_key_hears_why() {
    let vats = vats(|options| options.switches.page = 2).await;
    vats.play(quick(CallKind::Answered)).await;
    vats.play(quick(CallKind::Missed)).await;
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let base = vats.base_url();
    let span = "start=20000101T000000Z&end=20990101T000000Z";
    let new = format!("{base}/crmapi/v1/history/json?{span}");
    let refused = http.get(&new).send().await.expect("an answer");
    assert_eq!(refused.status(), 401);
    let key = vats.api_key();
    let asked = http.get(&new).header("X-API-KEY", &key).send().await;
    let rows: Value = asked.expect("an answer").json().await.expect("JSON");
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    let old = format!("{base}/sys/crm_api.wcgp?cmd=history&token={key}&{span}");
    let text = http.get(&old).send().await.expect("an answer").text().await;
    let text = text.expect("text");
    assert_eq!(text.lines().count(), 2);
    assert!(
        text.contains(",in,79161112233,orlova,74951230000,"),
        "{text}"
    );
    assert!(text.contains(",missed,79161112233,Продажи,"), "{text}");
    let users = format!("{base}/crmapi/v1/users?start=2");
    let asked = http.get(&users).header("X-API-KEY", &key).send().await;
    let page: Value = asked.expect("an answer").json().await.expect("JSON");
    assert_eq!(page["items"][0]["login"], "sidorova");
    assert_eq!(page["info"]["next"], Value::Null);
}

#[tokio::test]
async fn more_requests_than_are_served_are_told_to_wait() {
    let vats = vats(|options| options.switches.per_minute = Some(1)).await;
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let url = format!("{}/crmapi/v1/users", vats.base_url());
    let ask = || http.get(&url).header("X-API-KEY", vats.api_key()).send();
    assert_eq!(ask().await.expect("an answer").status(), 200);
    assert_eq!(ask().await.expect("an answer").status(), 429);
    assert_eq!(vats.refused(), 1);
}

#[tokio::test]
async fn who_is_unsubscribed_or_not_to_be_disturbed_is_not_rung_with_the_group() {
    let vats = vats(|_| {}).await;
    vats.subscribe("petrov", false);
    vats.do_not_disturb("sidorova", true);
    vats.play(quick(CallKind::Missed)).await;
    let told = vats.told();
    let rung = told
        .iter()
        .filter(|told| told.field("type") == Some("INCOMING"))
        .filter_map(|told| told.field("user"));
    assert_eq!(rung.collect::<Vec<_>>(), ["orlova"]);
}

#[tokio::test]
async fn subscription_and_do_not_disturb_are_set_and_asked_in_both_generations() {
    let vats = vats(|_| {}).await;
    let base = vats.base_url();
    let client = reqwest::Client::new();
    let key = vats.api_key();
    let said = async |request: reqwest::RequestBuilder| {
        let answer = request.header("x-api-key", &key).send().await;
        let answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a text"))
    };
    let at = |what: &str| format!("{base}/crmapi/v1/users/orlova/{what}");
    let old = |fields: &str| {
        let url = format!("{base}/sys/crm_api.wcgp?token={key}&user=orlova&{fields}");
        client.post(url)
    };
    for (what, asked, before, after) in [
        ("subscription", "cmd=subscriptionStatus", "on", "off"),
        ("dnd", "cmd=get_dnd", "false", "true"),
    ] {
        assert!(said(old(asked)).await.1.contains(before), "{what}");
        let changed = match what {
            "subscription" => client.delete(at(what)),
            _ => client.post(at(what)),
        };
        assert_eq!(said(changed).await.0, 200);
        assert!(said(old(asked)).await.1.contains(after), "{what}");
    }
    assert_eq!(said(old("cmd=subscribeOnCalls&status=on")).await.1, "OK");
    assert_eq!(said(old("cmd=set_dnd&state=false")).await.0, 200);
    let states = [
        said(client.get(at("subscription"))).await.1,
        said(client.get(at("dnd"))).await.1,
    ];
    assert_eq!(states, [r#"{"state":true}"#, r#"{"state":false}"#]);
    // The misspelling of old documents is refused, as it is live.
    assert_eq!(said(old("cmd=subscribtionstatus")).await.0, 400);
    assert_eq!(said(old("cmd=subscribeOnCalls&status=maybe")).await.0, 400);
}
