//! Chats of a UIS account, from its reports to the CRM.

use trunkline::lab::amocrm::SeedCard;
use trunkline::lab::uis::LabChat;

use super::office::ANNA;
use super::requests::{LAST, settled};
use super::uis::{ANNA_THERE, Cloud, message};
use super::wait::{until, when};

const SETTINGS: &str = r#"
[integrations.settings.chats]
default_responsible = "501"
method = { kind = "contact_and_deal", pipeline = "3100", stage = "3102" }
repeat_method = { kind = "contact" }
at = "accepted"
without_contacts = true
update_responsible = true
lost_task = { due = { kind = "after", minutes = 15 } }
lost_note = true

[[integrations.settings.chats.responsible]]
name = "кто принял"
assign = { kind = "talker" }
"#;

/// An account whose chats are taken.
async fn cloud(settings: &str) -> Cloud {
    let cloud = Cloud::open().await;
    let home = &cloud.office.home;
    home.edit_tenant(
        r#"{ source = "cloud", kinds = ["call"] }"#,
        r#"{ source = "cloud", kinds = ["call", "chat"] }"#,
    );
    home.edit_tenant(LAST, &format!("{LAST}\n{settings}"));
    cloud
}

/// A chat of one question and Anna's answer, that is over.
fn over(id: u64, visitor: u64, phone: Option<&str>, began: i64) -> LabChat {
    LabChat {
        id,
        channel: "telegram".to_owned(),
        visitor,
        phone: phone.map(str::to_owned),
        username: Some(format!("Гость {visitor}")),
        employee: Some(ANNA_THERE),
        status: "succeed".to_owned(),
        began,
        ended: Some(began),
        messages: vec![
            message(id * 10, began, None, "Добрый день!"),
            message(id * 10 + 1, began, Some(ANNA_THERE), "Здравствуйте"),
        ],
        ..LabChat::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_12_v_05_chats_of_an_account_become_what_is_set_for_new_and_known_clients() {
    let cloud = cloud(SETTINGS).await;
    let known = SeedCard::new("Пётр", "8 (916) 555-00-02", 501);
    let petr = cloud.office.crm.add_contact(&known);
    let daemon = cloud.start().await;
    let now = cloud.lab.now();
    // New; known; nobody's, twice of one visitor; a group; lost, of the known client.
    cloud
        .lab
        .put_chat(over(5_001, 81, Some("79165550001"), now));
    cloud
        .lab
        .put_chat(over(5_002, 82, Some("79165550002"), now));
    cloud.lab.put_chat(over(5_003, 83, None, now));
    cloud.lab.put_chat(over(5_004, 83, None, now));
    let mut group = over(5_005, 84, Some("79165550005"), now);
    (group.group, group.username) = (true, Some("Дачники".to_owned()));
    cloud.lab.put_chat(group);
    let mut lost = over(5_006, 82, Some("79165550002"), now);
    (lost.status, lost.employee) = ("lost".to_owned(), None);
    lost.messages.truncate(1);
    cloud.lab.put_chat(lost);
    settled(&daemon, 6).await;

    let oracle = cloud.office.oracle();
    let [contact] = oracle.contacts_of_phone("+79165550001")[..] else {
        panic!("{:?}", oracle.contacts);
    };
    assert_eq!(contact.name, "Гость 81");
    assert_eq!(contact.responsible_user_id, ANNA, "who took it");
    assert_eq!(oracle.leads_of_phone("+79165550001").len(), 1);
    let [contact] = oracle.contacts_of_phone("+79165550002")[..] else {
        panic!("{:?}", oracle.contacts);
    };
    assert_eq!(contact.id, petr);
    assert_eq!(contact.responsible_user_id, ANNA, "handed over");
    assert_eq!(oracle.leads_of_phone("+79165550002").len(), 0, "a repeat");
    let nobodys = |name: &str| {
        let cards = oracle.contacts.iter().filter(|card| card.name == name);
        cards.count()
    };
    assert_eq!(nobodys("Гость 83"), 2, "each chat its own");
    assert_eq!(nobodys("Дачники"), 1);
    assert_eq!(
        oracle.contacts_of_phone("+79165550005").len(),
        0,
        "a group's"
    );
    assert_eq!((oracle.contacts.len(), oracle.leads.len()), (5, 4));
    let [task] = &oracle.tasks[..] else {
        panic!("{:?}", oracle.tasks);
    };
    assert_eq!(task.entity_id, Some(petr));
    let texts: Vec<String> = oracle
        .notes
        .iter()
        .filter(|note| note.entity_id == petr)
        .map(|note| note.params["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with("Чат пропущен") && text.contains("Причина: ")),
        "{texts:?}"
    );
    assert!(
        texts.iter().any(|text| text.contains("Здравствуйте")),
        "{texts:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_05_each_message_in_a_closed_chat_of_an_account_makes_an_unsorted_record() {
    let settings = "[integrations.settings.chats]\ndefault_responsible = \"501\"\nmethod = { \
                    kind = \"unsorted\", pipeline = \"3100\" }\ndeal_name = \"не для \
                    «Неразобранного»\"";
    let cloud = cloud(settings).await;
    let daemon = cloud.start().await;
    let now = cloud.lab.now();
    let mut chat = over(5_001, 81, Some("79165550001"), now);
    cloud.lab.put_chat(chat.clone());
    settled(&daemon, 1).await;
    let unsorted = || cloud.office.crm.oracle().unsorted.len();
    assert_eq!(unsorted(), 1);
    let mut daemon = daemon;
    for number in 2..=3 {
        // A later second than the last: times of the platform have whole seconds.
        until("a second has passed", async || {
            let last = chat.messages.last().map_or(0, |message| message.at);
            when(cloud.lab.now() > last, "not yet")
        })
        .await;
        let again = message(6_000 + number, cloud.lab.now(), None, "И ещё вопрос");
        chat.messages.push(again);
        cloud.lab.put_chat(chat.clone());
        until("it makes a record", async || {
            let held = unsorted();
            when(held == usize::try_from(number).unwrap_or(0), held)
        })
        .await;
        settled(&daemon, 1).await;
        // What was made stays made.
        daemon.kill();
        daemon = cloud.start().await;
    }
    settled(&daemon, 1).await;
    let oracle = cloud.office.oracle();
    assert_eq!(oracle.unsorted_of_phone("+79165550001").len(), 3);
    assert_eq!(oracle.notes.len(), 3, "{:?}", oracle.notes);
}
