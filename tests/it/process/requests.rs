//! Site requests, from the webhook to the CRM.

use serde_json::{Value, json};

use super::daemon::{Daemon, list};
use super::office::Office;
use super::wait::{until, when};

/// The last line of the tenant's file.
pub(super) const LAST: &str = r#"missed_unknown = { action = { kind = "contact" } }"#;

const REQUESTS: &str = r#"
[integrations.settings.requests]
default_responsible = "501"
method = { kind = "contact_and_deal", pipeline = "3100", stage = "3102" }
deal_name = "{{ form }}: {{ client }}"
tags = { list = ["сайт"] }
task = { due = { kind = "after", hours = 2 } }

[integrations.settings.requests.filter]
kind = "exclude"
parameter = "form"
values = ["Отписка"]

[[integrations.settings.requests.pipelines]]
name = "Лендинг"
when = { kind = "include", parameter = "page", values = ["/landing"] }
pipeline = "3200"
stage = "3202"

[[integrations.settings.requests.responsible]]
name = "Прайс"
when = { kind = "include", parameter = "page", values = ["/price"] }
assign = { kind = "employee", employee = "anna" }
"#;

/// An office that takes requests of its site.
async fn office(requests: &str) -> Office {
    with_requests(Office::open().await, requests)
}

pub(super) fn with_requests(office: Office, requests: &str) -> Office {
    office.home.edit_tenant(
        r#"{ source = "site", kinds = ["call"] }"#,
        r#"{ source = "site", kinds = ["call", "request"] }"#,
    );
    office
        .home
        .edit_tenant(LAST, &format!("{LAST}\n{requests}"));
    office
}

/// Waits until so many communications are known and nothing is left to do.
pub(super) async fn settled(daemon: &Daemon, requests: usize) {
    until("nothing is left to do", async || {
        let found = daemon.get("/v1/journal?limit=500").await;
        let items = list(&found, "items");
        let over = items.iter().all(|item| item["outcome"] != "open");
        when(items.len() == requests && over, &found)?;
        let status = daemon.get("/v1/status").await;
        when(status["store"]["open_works"] == 0, status.to_string())
    })
    .await;
}

pub(super) fn request(key: &str, phone: &str, page: &str) -> Value {
    json!({
        "kind": "request", "key": key, "revision": 1, "at": "2026-11-20T09:00:00Z",
        "name": "Олег", "phone": phone, "email": "Oleg@Example.com", "text": "Перезвоните",
        "form": "Обратный звонок", "site": "example.com",
        "page": format!("https://example.com{page}"), "fields": { "Город": "Казань" },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_09_s0_12_a_request_becomes_contact_deal_task_and_note_and_a_repeat_a_deal() {
    let office = office(REQUESTS).await;
    let daemon = office.start().await;
    let first = request("f-1", "+79165550001", "/price");
    assert_eq!(daemon.post(&first).await.0, 202);
    assert_eq!(daemon.post(&first).await.0, 200, "told twice");
    settled(&daemon, 1).await;
    let oracle = office.oracle();
    let [contact] = oracle.contacts_of_phone("+79165550001")[..] else {
        panic!("{:?}", oracle.contacts);
    };
    assert_eq!(
        (contact.name.as_str(), contact.responsible_user_id),
        ("Олег", 502)
    );
    assert_eq!(contact.tags, ["сайт"]);
    let [deal] = oracle.leads_of_phone("+79165550001")[..] else {
        panic!("{:?}", oracle.leads);
    };
    assert_eq!(deal.name, "Обратный звонок: Олег");
    assert_eq!((deal.pipeline_id, deal.status_id), (3100, 3102));
    assert_eq!(deal.responsible_user_id, 502, "by the rule");
    let [note] = &oracle.notes[..] else {
        panic!("{:?}", oracle.notes);
    };
    assert_eq!(
        (note.entity_type.as_str(), note.entity_id),
        ("lead", deal.id)
    );
    let text = note.params["text"].as_str().expect("a text");
    for part in [
        "20.11.2026 12:00",
        "Казань",
        "Перезвоните",
        "oleg@example.com",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let [task] = &oracle.tasks[..] else {
        panic!("{:?}", oracle.tasks);
    };
    assert_eq!(
        (task.entity_id, task.responsible_user_id),
        (Some(deal.id), 502)
    );

    // Another number and the same address: a repeat, whose deal goes where a rule says.
    let again = request("f-2", "+79165550002", "/landing");
    assert_eq!(daemon.post(&again).await.0, 202);
    settled(&daemon, 2).await;
    let oracle = office.oracle();
    assert_eq!((oracle.contacts.len(), oracle.leads.len()), (1, 2));
    let second = oracle.leads.iter().find(|deal| deal.pipeline_id == 3200);
    let second = second.expect("the rule's pipeline");
    assert_eq!((second.status_id, second.responsible_user_id), (3202, 502));
    assert_eq!(oracle.notes.len(), 2);

    // What does not pass the filter makes nothing, and the journal says why.
    let mut refused = request("f-3", "+79165550003", "/price");
    refused["form"] = json!("отписка");
    assert_eq!(daemon.post(&refused).await.0, 202);
    settled(&daemon, 3).await;
    assert_eq!(office.oracle().leads.len(), 2);
    until("it is explained", async || {
        let ran = office
            .home
            .run(&["explain", "acme/site/f-3", "--lang", "en"])
            .await;
        when(
            ran.out.contains("does not pass the filter"),
            ran.out + &ran.err,
        )
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_08_a_request_becomes_an_unsorted_form_each_time() {
    let unsorted = "[integrations.settings.requests]\ndefault_responsible = \"501\"\n\
                    method = { kind = \"unsorted\", pipeline = \"3100\" }";
    let office = office(unsorted).await;
    let daemon = office.start().await;
    for key in ["f-1", "f-2"] {
        let one = request(key, "+79165550001", "/");
        assert_eq!(daemon.post(&one).await.0, 202);
    }
    settled(&daemon, 2).await;
    let oracle = office.oracle();
    assert_eq!(oracle.unsorted_of_phone("+79165550001").len(), 2);
    assert_eq!(oracle.notes.len(), 2, "{:?}", oracle.notes);
}

/// The CRM's search does not find the contact yet, and there is no number to know the client by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_09_two_requests_from_one_e_mail_address_make_one_contact() {
    let settings = "[integrations.settings.requests]\ndefault_responsible = \"501\"\nmethod = { \
                    kind = \"contact_and_deal\", pipeline = \"3100\", stage = \"3102\" }";
    let office = with_requests(Office::open_strict().await, settings);
    let daemon = office.start().await;
    for (key, email) in [("f-1", "olga@example.com"), ("f-2", "Olga@Example.COM ")] {
        let mut one = request(key, "", "/");
        one["email"] = json!(email.trim());
        one["phone"] = json!(null);
        assert_eq!(daemon.post(&one).await.0, 202);
    }
    settled(&daemon, 2).await;
    let oracle = office.oracle();
    assert_eq!(
        (oracle.contacts.len(), oracle.leads.len()),
        (1, 2),
        "{:?}",
        oracle.contacts
    );
    assert_eq!(oracle.contacts[0].emails, ["olga@example.com"]);
    for deal in &oracle.leads {
        assert_eq!(deal.contacts, [oracle.contacts[0].id]);
    }
}

/// Methods, templates, tags and tasks as the demo's company has them, decided again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_10_repeats_are_left_alone_and_every_decision_is_made_again_the_same() {
    let once = REQUESTS.replace(
        "default_responsible",
        "first_time_only = true\ndefault_responsible",
    );
    let office = office(&once).await;
    let daemon = office.start().await;
    for key in ["f-1", "f-2"] {
        let one = request(key, "+79165550001", "/price");
        assert_eq!(daemon.post(&one).await.0, 202);
        let found = if key == "f-1" { 1 } else { 2 };
        settled(&daemon, found).await;
    }
    let oracle = office.oracle();
    let held = (oracle.contacts.len(), oracle.leads.len());
    assert_eq!(held, (1, 1));
    assert_eq!((oracle.notes.len(), oracle.tasks.len()), (1, 1));
    for (key, language, words) in [
        ("f-2", "ru", "S0-10"),
        ("f-2", "en", "S0-10"),
        ("f-1", "ru", "Прайс"),
    ] {
        let key = format!("acme/site/{key}");
        let ran = office
            .home
            .run(&["explain", &key, "--again", "--lang", language])
            .await;
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.out.contains(words), "{ran:?}");
        assert!(ran.out.contains("made again: the same"), "{ran:?}");
    }
}
