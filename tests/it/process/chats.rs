//! Chats, from the webhook to the CRM: the program is killed between their phases, and the settings
//! change under way.

use serde_json::{Value, json};
use trunkline::lab::amocrm::Oracle;
use trunkline::lab::fault::{Fault, When};

use super::daemon::{Daemon, list};
use super::office::{ANNA, Office};
use super::requests::{LAST, settled};
use super::wait::{until, when};

pub(super) const CLIENT: &str = "+79165550001";
pub(super) const CHAT: &str = "acme/site/c-1";

const LIVE: &str = r#"
[integrations.settings.chats]
default_responsible = "501"
method = { kind = "contact_and_deal", pipeline = "3100", stage = "3102" }
at = "accepted"
transcript = "live"
deal_name = "{{ channel }}: {{ client }}"
tags = { list = ["чат"] }
task = { due = { kind = "after", hours = 2 } }

[[integrations.settings.chats.responsible]]
name = "кто принял"
assign = { kind = "talker" }
"#;

/// An office that takes chats of its site.
async fn office(settings: &str) -> Office {
    let office = Office::open().await;
    office.home.edit_tenant(
        r#"{ source = "site", kinds = ["call"] }"#,
        r#"{ source = "site", kinds = ["call", "chat"] }"#,
    );
    office
        .home
        .edit_tenant(LAST, &format!("{LAST}\n{settings}"));
    office
}

/// What was said, in order: `!` begins what Anna wrote.
pub(super) const WORDS: [&str; 5] = [
    "Здравствуйте",
    "!Добрый день",
    "Сколько стоит?",
    "!Сто рублей",
    "Беру",
];

/// The chat with the first words, in a phase.
pub(super) fn chat(revision: u64, phase: &str, words: usize) -> Value {
    let messages: Vec<Value> = (0..words)
        .map(|number| {
            let at = format!("2026-11-20T09:0{number}:00Z");
            let id = format!("m-{number}");
            match WORDS[number].strip_prefix('!') {
                Some(text) => {
                    json!({ "id": id, "at": at, "from": "employee", "employee": "101", "text": text })
                }
                None => json!({ "id": id, "at": at, "from": "client", "text": WORDS[number] }),
            }
        })
        .collect();
    let mut chat = json!({
        "kind": "chat", "key": "c-1", "revision": revision, "phase": phase,
        "channel": "telegram", "visitor": "v-1", "name": "Ольга", "phone": CLIENT,
        "site": "example.com", "started_at": "2026-11-20T09:00:00Z", "messages": messages,
    });
    if phase != "started" {
        chat["employee"] = json!("101");
    }
    if phase == "ended" {
        chat["ended_at"] = json!("2026-11-20T09:10:00Z");
    }
    chat
}

pub(super) async fn tell(daemon: &Daemon, chat: &Value) {
    let (status, answer) = daemon.post(chat).await;
    assert_eq!(status, 202, "{answer}");
}

/// Returns what the notes of the CRM say, in the order in which they were made.
fn notes(oracle: &Oracle) -> Vec<String> {
    let mut notes: Vec<_> = oracle.notes.iter().collect();
    notes.sort_by_key(|note| note.id);
    let texts = notes.iter().map(|note| note.params["text"].as_str());
    texts
        .map(|text| text.unwrap_or_default().to_owned())
        .collect()
}

/// Expects each of the words once, in order.
#[track_caller]
pub(super) fn says_once(notes: &[String], words: &[&str]) {
    let all = notes.join("\n");
    let mut last = 0;
    for word in words {
        let word = format!(": {}", word.trim_start_matches('!'));
        let lines = all.lines().filter(|line| line.ends_with(&word));
        assert_eq!(lines.count(), 1, "{word}: {all}");
        let place = all.find(&word).expect("found");
        assert!(place >= last, "{word} is out of order: {all}");
        last = place;
    }
}

/// Five phases: started, accepted, marked, a message, ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_05_a_chat_of_five_phases_with_kills_between_and_other_settings_makes_one_set() {
    let office = office(LIVE).await;
    let mut marked = chat(3, "accepted", 2);
    marked["tags"] = json!(["vip"]);
    let phases = [
        chat(1, "started", 1),
        chat(2, "accepted", 2),
        marked,
        chat(4, "accepted", 4),
        chat(5, "ended", 5),
    ];
    for (number, phase) in phases.iter().enumerate() {
        if number == 2 {
            // After the second phase nothing is as it was.
            let other = r#"method = { kind = "unsorted", pipeline = "3100" }"#;
            let method = r#"method = { kind = "contact_and_deal", pipeline = "3100", stage = "3102" }
at = "accepted""#;
            let other = format!("{other}\nat = \"tagged\"\nfirst_time_only = true");
            office.home.edit_tenant(method, &other);
        }
        let daemon = office.start().await;
        tell(&daemon, phase).await;
        // Told again, and killed before much of it is done.
        assert_eq!(daemon.post(phase).await.0, 200);
        daemon.kill();
        if number == 1 {
            // Decided by the first settings.
            let daemon = office.start().await;
            settled(&daemon, 1).await;
            daemon.kill();
        }
    }
    let daemon = office.start().await;
    settled(&daemon, 1).await;
    let oracle = office.oracle();
    let [contact] = oracle.contacts_of_phone(CLIENT)[..] else {
        panic!("{:?}", oracle.contacts);
    };
    assert_eq!(contact.name, "Ольга");
    assert_eq!(contact.responsible_user_id, ANNA, "who took it");
    let [deal] = oracle.leads_of_phone(CLIENT)[..] else {
        panic!("{:?}", oracle.leads);
    };
    assert_eq!(deal.name, "telegram: Ольга");
    assert_eq!(deal.tags, ["чат"]);
    let held = (
        oracle.leads.len(),
        oracle.tasks.len(),
        oracle.unsorted.len(),
    );
    assert_eq!(held, (1, 1, 0), "{oracle:?}");
    assert!(oracle.notes.iter().all(|note| note.entity_id == deal.id));
    says_once(&notes(&oracle), &WORDS);
    let ran = office
        .home
        .run(&["explain", CHAT, "--again", "--lang", "en"])
        .await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.out.contains("was decided at an earlier moment"),
        "{ran:?}"
    );
    assert!(ran.out.contains("made again: the same"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_05_a_part_of_the_transcript_whose_answer_was_lost_in_a_kill_is_written_once() {
    let office = office(LIVE).await;
    let daemon = office.start().await;
    tell(&daemon, &chat(1, "accepted", 2)).await;
    settled(&daemon, 1).await;
    // Longer than this test: the daemon is dead before the answer.
    let late = Fault::LateAfter { ms: 30_000 };
    office.fault("POST", "/api/v4/*/notes", When::First { n: 1 }, late);
    tell(&daemon, &chat(2, "accepted", 4)).await;
    until("the CRM has the second part", async || {
        let held = office.crm.oracle().notes.len();
        when(held == 2, held)
    })
    .await;
    daemon.kill();
    let daemon = office.start().await;
    tell(&daemon, &chat(3, "ended", 5)).await;
    settled(&daemon, 1).await;
    let notes = notes(&office.oracle());
    assert_eq!(notes.len(), 3, "{notes:?}");
    says_once(&notes, &WORDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_24_a_chat_that_does_not_pass_makes_nothing_and_says_why() {
    let filter = "\n[integrations.settings.chats.filter]\nkind = \"exclude\"\nparameter = \
                  \"channel\"\nvalues = [\"telegram\"]\n";
    let office = office(&format!("{LIVE}{filter}")).await;
    let daemon = office.start().await;
    tell(&daemon, &chat(1, "ended", 5)).await;
    let mut other = chat(1, "ended", 5);
    (other["key"], other["channel"]) = (json!("c-2"), json!("whatsapp"));
    tell(&daemon, &other).await;
    settled(&daemon, 2).await;
    let oracle = office.oracle();
    assert_eq!(oracle.leads.len(), 1, "{:?}", oracle.leads);
    assert_eq!(oracle.leads[0].name, "whatsapp: Ольга");
    let ran = office.home.run(&["explain", CHAT, "--lang", "en"]).await;
    assert!(ran.out.contains("does not pass the filter"), "{ran:?}");
    assert!(ran.out.contains("channel"), "{ran:?}");
    let found = daemon.get("/v1/journal").await;
    assert_eq!(list(&found, "items").len(), 2);
}
