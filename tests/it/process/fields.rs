//! Additional fields, and settings held against the CRM, with the real binary.

use serde_json::{Value, json};

use super::daemon::{Daemon, list};
use super::home::ADMIN_TOKEN;
use super::office::Office;
use super::requests::{request, settled, with_requests};
use super::wait::{until, when};

const SETTINGS: &str = r#"
[integrations.settings.requests]
default_responsible = "501"
method = { kind = "contact_and_deal", pipeline = "3100", stage = "3102" }

[[integrations.settings.requests.fields]]
card = "contact"
field = "POSITION"
value = "{{ form }}"

[[integrations.settings.requests.fields]]
card = "contact"
field = "Согласие"
value = "да"
update_always = true

[[integrations.settings.requests.fields]]
card = "deal"
field = "Канал"
value = "сайт"

[[integrations.settings.requests.fields]]
card = "deal"
field = "41"
value = "{{ date }}"
"#;

async fn office(settings: &str) -> Office {
    with_requests(Office::open().await, settings)
}

const LISTS: &str = "/v1/tenants/acme/accounts/main/lists";

/// Changes fields of a contact as a person would.
async fn person_writes(office: &Office, daemon: &Daemon, contact: u64, fields: Value) {
    let url = format!("{}/api/v4/contacts/{contact}", office.crm.base_url());
    let body = json!({ "custom_fields_values": fields }).to_string();
    let request = daemon.http.patch(url).body(body);
    let request = request.header("Content-Type", "application/json");
    let request = request.bearer_auth(office.crm.long_lived_token());
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_17_fields_of_contact_and_deal_are_filled_and_what_a_person_typed_stays() {
    let office = office(SETTINGS).await;
    let daemon = office.start().await;
    daemon.get(LISTS).await;
    let first = request("f-1", "+79165550001", "/price");
    assert_eq!(daemon.post(&first).await.0, 202);
    settled(&daemon, 1).await;
    let oracle = office.oracle();
    let contact = &oracle.contacts[0];
    assert_eq!(contact.fields["Должность"], ["Обратный звонок"]);
    assert_eq!(contact.fields["Согласие"], ["true"]);
    let deal = &oracle.leads[0];
    assert_eq!(deal.fields["Канал"], ["Сайт"]);
    assert_eq!(deal.fields["Источник звонка"], ["20.11.2026"]);

    // A person writes something else; the field goes away that the new deal would get.
    let typed = json!([
        { "field_id": 35, "values": [{ "value": "Директор" }] },
        { "field_id": 36, "values": [{ "value": false }] },
    ]);
    person_writes(&office, &daemon, contact.id, typed).await;
    office.crm.drop_field(41);
    assert_eq!(
        daemon
            .post(&request("f-2", "+79165550001", "/price"))
            .await
            .0,
        202
    );
    settled(&daemon, 2).await;
    let oracle = office.oracle();
    assert_eq!((oracle.contacts.len(), oracle.leads.len()), (1, 2));
    assert_eq!(oracle.contacts[0].fields["Должность"], ["Директор"]);
    assert_eq!(oracle.contacts[0].fields["Согласие"], ["true"], "always");
    assert_eq!(oracle.leads[1].fields["Канал"], ["Сайт"]);

    // The refusal had the account read again: now it is known in advance, and said.
    until("the field is known to be gone", async || {
        let lists = daemon.get(LISTS).await;
        let gone = !list(&lists, "fields").iter().any(|one| one["id"] == "41");
        when(gone, &lists)
    })
    .await;
    assert_eq!(
        daemon
            .post(&request("f-3", "+79165550001", "/price"))
            .await
            .0,
        202
    );
    settled(&daemon, 3).await;
    let told = office
        .home
        .run(&["explain", "acme/site/f-3", "--lang", "en"])
        .await;
    assert!(
        told.out
            .contains("The field \"41\" of the deal is left out"),
        "{told:?}"
    );
    let status = daemon.get("/v1/status").await;
    let alarms = list(&status, "alarms");
    let alarm = alarms.iter().find(|alarm| alarm["word"] == "settings");
    let text = alarm.and_then(|alarm| alarm["text"].as_str());
    assert!(
        text.is_some_and(|text| text.contains("requests.fields.3.field")),
        "{status}"
    );
    for key in ["f-1", "f-2", "f-3"] {
        let key = format!("acme/site/{key}");
        let ran = office
            .home
            .run(&["explain", &key, "--again", "--lang", "en"])
            .await;
        assert!(ran.out.contains("made again: the same"), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_12_lists_come_from_the_crm_and_settings_are_held_against_them() {
    let wrong = SETTINGS
        .replace("stage = \"3102\"", "stage = \"3202\"")
        .replace("value = \"сайт\"", "value = \"радио\"");
    let office = office(&wrong).await;
    let daemon = office.start().await;
    let lists = daemon.get(LISTS).await;
    assert_eq!(lists["fresh"], json!(true), "{lists}");
    let first = &lists["pipelines"][0];
    assert_eq!(
        (&first["id"], &first["unsorted"]),
        (&json!("3100"), &json!(true))
    );
    assert!(
        list(first, "stages")
            .iter()
            .any(|stage| stage["id"] == "3102")
    );
    assert!(list(&lists, "users").iter().any(|user| user["id"] == "502"));
    assert!(
        list(&lists, "task_types")
            .iter()
            .any(|one| one["id"] == "2")
    );
    let channel = list(&lists, "fields").iter().find(|one| one["id"] == "42");
    let channel = channel.expect("it is listed");
    assert_eq!(channel["takes"], json!("choice"));
    assert_eq!(channel["options"][0]["text"], json!("Сайт"));

    let checked = office.home.run(&["check-config", "--online"]).await;
    assert_eq!(checked.status, Some(1), "{checked:?}");
    for said in [
        "acme/sales: settings.requests.method.stage: pipeline 3100 (Продажи) has no stage 3202",
        "settings.requests.fields.2.value: 42 (Канал): the field has no option",
    ] {
        assert!(checked.err.contains(said), "{said}: {checked:?}");
    }
    // The file before it is in force: what the CRM does not have is mended in it.
    let file = "etc/tenants.d/acme.toml";
    office
        .home
        .edit(file, "stage = \"3202\"", "stage = \"3102\"");
    office
        .home
        .edit(file, "value = \"радио\"", "value = \"сайт\"");
    let checked = office.home.run(&["check-config", "--online"]).await;
    assert_eq!(checked.status, Some(0), "{checked:?}");
    assert!(
        checked.out.contains("the CRM has everything"),
        "{checked:?}"
    );
    // It is not in force yet, so the alarm stands until it is.
    let words = |status: &Value| -> Vec<String> {
        let alarms = list(status, "alarms").iter();
        alarms.map(|alarm| alarm["word"].to_string()).collect()
    };
    let status = daemon.get("/v1/status").await;
    assert!(
        words(&status).contains(&"\"settings\"".to_owned()),
        "{status}"
    );
    daemon.reload().await;
    let status = daemon.get("/v1/status").await;
    assert!(
        !words(&status).contains(&"\"settings\"".to_owned()),
        "{status}"
    );

    // A CRM that does not answer: what is known stays, over a restart too, with the reason.
    daemon.terminate().await;
    office.crm_down();
    let daemon = office.start().await;
    let lists = daemon.get(LISTS).await;
    assert_eq!(lists["fresh"], json!(false), "{lists}");
    let why = lists["why_not"].as_str();
    assert!(why.is_some_and(|why| !why.is_empty()), "{lists}");
    assert_eq!(lists["pipelines"][0]["id"], json!("3100"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_12_an_account_that_was_never_read_is_told_with_the_crms_failure() {
    let office = office(SETTINGS).await;
    office.crm_down();
    let daemon = office.start().await;
    let url = format!("http://{}{LISTS}", office.home.admin());
    let asked = daemon.http.get(url).bearer_auth(ADMIN_TOKEN).send().await;
    let answer = asked.expect("an answer");
    assert_eq!(answer.status().as_u16(), 503);
    let body = answer.text().await.expect("a body");
    assert!(body.contains("was never read"), "{body}");
    let checked = office.home.run(&["check-config", "--online"]).await;
    assert_eq!(checked.status, Some(0), "{checked:?}");
    assert!(checked.out.contains("not checked"), "{checked:?}");
}
