//! Calls, chats and requests of a school, from the webhook to AlfaCRM, with the real program.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use trunkline::lab::alfacrm::{self, AlfaLab, AlfaOptions, Customer, Oracle};
use trunkline::lab::fault::{Fault, Rule, When};

use super::daemon::{Daemon, list};
use super::home::Home;
use super::office::site_call;
use super::requests::{request, settled};
use super::wait::{until, when};

const CLIENT: &str = "+79165550001";
const OTHER: &str = "+79165550002";
const TENANT: &str = include_str!("etc/school.toml");
pub(super) const HOOK: &str = "a-secret-of-the-school-0123456789";

/// The simulated account, and the daemon's folder.
pub(super) struct School {
    pub(super) crm: AlfaLab,
    pub(super) home: Arc<Home>,
}

impl School {
    pub(super) async fn open(settings: &str) -> Self {
        let options = AlfaOptions {
            rate_per_second: 2_000,
            ..AlfaOptions::default()
        };
        let crm = alfacrm::start(options).await.expect("a free port");
        let key = crm.options().api_key;
        let home = Home::new(1, &crm.base_url(), &key);
        home.edit(
            "etc/trunkline.toml",
            "https://demo.amocrm.ru",
            "https://demo.s20.online",
        );
        home.write("secrets/alfacrm-key", &key);
        home.write("secrets/alfacrm-hook", HOOK);
        home.write("etc/tenants.d/acme.toml", &format!("{TENANT}{settings}"));
        Self {
            crm,
            home: Arc::new(home),
        }
    }

    pub(super) async fn start(&self) -> Daemon {
        Daemon::start(&self.home).await
    }

    pub(super) fn fault(&self, path: &str, when: When, fault: Fault) {
        let rule = Rule::new("POST", path, when, fault);
        self.crm.add_fault(rule).expect("there is room");
    }

    /// Returns what the CRM holds, after a look for anything odd, or twice.
    #[track_caller]
    pub(super) fn oracle(&self) -> Oracle {
        let oracle = self.crm.oracle();
        assert!(oracle.marks_twice.is_empty(), "{:?}", oracle.marks_twice);
        assert!(oracle.counters.oddities.is_empty(), "{:?}", oracle.counters);
        assert_eq!(oracle.counters.rate_violations, 0);
        oracle
    }

    async fn explains(&self, key: &str, words: &str) {
        let told = self.home.run(&["explain", key, "--lang", "en"]).await;
        assert!(told.out.contains(words), "{words}: {told:?}");
    }
}

async fn tell(daemon: &Daemon, what: &Value) {
    let (status, answer) = daemon.post(what).await;
    assert_eq!(status, 202, "{answer}");
}

/// Waits until nothing is left to do; a chat may go on. What was told is on disk as work already.
async fn idle(daemon: &Daemon) {
    until("nothing is left to do", async || {
        let status = daemon.get("/v1/status").await;
        when(status["store"]["open_works"] == 0, status.to_string())
    })
    .await;
}

const CALLS: &str = r#"
[integrations.settings.calls]
default_responsible = "503"

[integrations.settings.calls.incoming]
answered_unknown = { action = { kind = "contact" } }
missed_unknown = { action = { kind = "contact" } }
missed_task = { due = { kind = "after", minutes = 15 } }

[[integrations.settings.calls.responsible]]
name = "кто говорил"
assign = { kind = "talker" }
"#;

fn missed(key: &str, client: &str) -> Value {
    json!({
        "kind": "call", "key": key, "revision": 1, "direction": "incoming", "phase": "ended",
        "client": client, "our_number": "+74950000001", "started_at": "2026-11-20T09:30:00Z",
        "ended_at": "2026-11-20T09:30:20Z", "rung": [{ "extension": "101" }],
        "result": "missed", "reason": "no_answer",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_become_a_lead_once_comments_and_a_task_over_kills_and_lost_answers() {
    let school = School::open(CALLS).await;
    let late = Fault::LateAfter { ms: 30_000 };
    school.fault("*/customer/create", When::First { n: 1 }, late.clone());
    let daemon = school.start().await;
    tell(&daemon, &site_call("c-1", CLIENT, 0)).await;
    until("the CRM has the lead", async || {
        let held = school.crm.oracle().customers.len();
        when(held == 1, held)
    })
    .await;
    // The answer never comes.
    daemon.kill();
    school.fault(
        "*/communication/create",
        When::First { n: 1 },
        Fault::LostAfter,
    );
    let daemon = school.start().await;
    tell(&daemon, &site_call("c-2", CLIENT, 600)).await;
    tell(&daemon, &missed("c-3", OTHER)).await;
    settled(&daemon, 3).await;
    let oracle = school.oracle();
    let [lead] = oracle.customers_of_phone(CLIENT)[..] else {
        panic!("{:?}", oracle.customers);
    };
    assert_eq!((lead.is_study, lead.status, lead.assigned), (false, 3, 502));
    assert_eq!(oracle.customers_of_phone(OTHER).len(), 1);
    let calls = oracle.calls_of_phone(CLIENT);
    let told: Vec<(i64, i64, u64)> = calls
        .iter()
        .map(|call| (call.at, call.duration, call.user))
        .collect();
    let nine = 1_795_165_200;
    assert_eq!(told, [(nine, 30, 502), (nine + 600, 30, 502)]);
    assert_eq!(oracle.comments_of(lead.id).len(), 2);
    assert!(!oracle.calls_of_phone(OTHER)[0].answered);
    let [task] = &oracle.tasks[..] else {
        panic!("{:?}", oracle.tasks);
    };
    assert_eq!(task.customers, [oracle.customers_of_phone(OTHER)[0].id]);
    school
        .explains("acme/site/c-1", "No contact has the number")
        .await;
    let again = school
        .home
        .run(&["explain", "acme/site/c-1", "--again"])
        .await;
    assert_eq!(again.status, Some(0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_01_a_token_is_kept_over_a_restart_and_a_bad_key_is_an_alarm_that_costs_no_call() {
    let school = School::open(CALLS).await;
    let daemon = school.start().await;
    tell(&daemon, &site_call("c-1", CLIENT, 0)).await;
    settled(&daemon, 1).await;
    daemon.kill();
    let daemon = school.start().await;
    tell(&daemon, &site_call("c-2", CLIENT, 60)).await;
    settled(&daemon, 2).await;
    assert_eq!(school.crm.counters().logins, 1, "the token was kept");
    // Somebody makes a new key in AlfaCRM.
    let old = school.crm.options().api_key;
    school.crm.set_api_key("another");
    school.crm.end_tokens();
    tell(&daemon, &site_call("c-3", CLIENT, 120)).await;
    until("the alarm stands", async || {
        let status = daemon.get("/v1/status").await;
        let alarms = list(&status, "alarms");
        let stands = alarms.iter().any(|alarm| alarm["word"] == "credential");
        when(stands, status["alarms"].to_string())
    })
    .await;
    assert_eq!(school.oracle().calls_of_phone(CLIENT).len(), 2);
    school.crm.set_api_key(&old);
    settled(&daemon, 3).await;
    assert_eq!(school.oracle().calls_of_phone(CLIENT).len(), 3);
    assert!(!school.home.log().contains(&old), "the key is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_is_answered_from_memory_and_the_account_tells_of_changes() {
    let school = School::open(CALLS).await;
    let client = |assigned| Customer {
        name: "Иван".to_owned(),
        phones: vec![CLIENT.to_owned()],
        assigned,
        ..Customer::default()
    };
    let id = school.crm.add_customer(client(502));
    let daemon = school.start().await;
    let route = async || {
        let url = format!(
            "http://{}/v1/lookup/acme/site?phone={CLIENT}",
            school.home.questions()
        );
        let answer = daemon.http.get(url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.expect("JSON")
    };
    until("the manager is known", async || {
        let answer = route().await;
        when(answer["extension"] == "101", answer.to_string())
    })
    .await;
    let address = SocketAddr::to_string(&school.home.intake());
    let address = format!("http://{address}/crm/alfacrm/acme/sales/{HOOK}");
    school.crm.tell_at(1, &address, 0, 0);
    school.crm.edit(id, |customer| customer.is_archived = true);
    until("the card has left", async || {
        let answer = route().await;
        when(answer["client"].is_null(), answer.to_string())
    })
    .await;
    school.crm.add_customer(client(502));
    until("the new card is known", async || {
        let answer = route().await;
        when(answer["extension"] == "101", answer.to_string())
    })
    .await;
    assert_eq!(school.crm.counters().hooks_lost, 0);
}

const REQUESTS: &str = r#"
[integrations.settings.requests]
default_responsible = "503"
method = { kind = "contact" }
contact_name = "{{ client }} с {{ site }}"

[integrations.settings.requests.filter]
kind = "all"
of = [
  { kind = "include", parameter = "site", values = ["example.com"] },
  { kind = "exclude", parameter = "form", values = ["Отписка"] },
]

[[integrations.settings.requests.fields]]
card = "contact"
field = "utm"
value = "{{ form }}"

[[integrations.settings.requests.fields]]
card = "contact"
field = "gw"
value = "{{ page }}"
update_always = true
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_03_s4_04_s4_10_s4_13_a_request_becomes_a_lead_with_its_fields_where_it_passes() {
    let school = School::open(REQUESTS).await;
    let daemon = school.start().await;
    tell(&daemon, &request("f-1", CLIENT, "/price")).await;
    settled(&daemon, 1).await;
    let oracle = school.oracle();
    let [lead] = &oracle.customers[..] else {
        panic!("{:?}", oracle.customers);
    };
    assert_eq!(
        (lead.name.as_str(), lead.is_study),
        ("Олег с example.com", false)
    );
    assert_eq!(lead.emails, ["oleg@example.com"]);
    assert_eq!(lead.custom["utm"], "Обратный звонок");
    assert!(lead.custom["gw"].ends_with("/price"), "{lead:?}");
    let text = &oracle.comments_of(lead.id)[0].text;
    assert!(text.contains("Перезвоните"), "{text}");
    // A person writes something else into both; the same client comes again by another form.
    school.crm.edit(lead.id, |customer| {
        for code in ["utm", "gw"] {
            customer.custom.insert(code.to_owned(), "иначе".to_owned());
        }
    });
    let mut again = request("f-2", CLIENT, "/contacts");
    again["form"] = json!("Вопрос");
    tell(&daemon, &again).await;
    // One of another site, and one of a form that is left out.
    let mut elsewhere = request("f-3", OTHER, "/");
    (elsewhere["site"], elsewhere["email"]) = (json!("other.com"), json!(null));
    tell(&daemon, &elsewhere).await;
    let mut refused = request("f-4", OTHER, "/");
    (refused["form"], refused["email"]) = (json!("Отписка"), json!(null));
    tell(&daemon, &refused).await;
    settled(&daemon, 4).await;
    let oracle = school.oracle();
    assert_eq!(oracle.customers.len(), 1, "{:?}", oracle.customers);
    let lead = &oracle.customers[0];
    assert_eq!(lead.custom["utm"], "иначе", "what a person wrote stays");
    assert!(lead.custom["gw"].ends_with("/contacts"), "always: {lead:?}");
    assert_eq!(oracle.comments.len(), 2);
    for key in ["f-3", "f-4"] {
        school
            .explains(&format!("acme/site/{key}"), "does not pass the filter")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_03_s4_04_switched_off_or_by_hand_a_request_makes_nothing() {
    for (from, to) in [
        (
            "method = { kind = \"contact\" }",
            "method = { kind = \"by_hand\" }",
        ),
        (
            "method = { kind = \"contact\" }",
            "on = false\nmethod = { kind = \"contact\" }",
        ),
    ] {
        let school = School::open(&REQUESTS.replace(from, to)).await;
        let daemon = school.start().await;
        tell(&daemon, &request("f-1", CLIENT, "/price")).await;
        settled(&daemon, 1).await;
        let oracle = school.oracle();
        assert!(
            oracle.customers.is_empty() && oracle.comments.is_empty(),
            "{oracle:?}"
        );
    }
}

const CHATS: &str = r#"
[integrations.settings.chats]
default_responsible = "503"
method = { kind = "contact" }
at = "end"
without_contacts = true
lost_task = { text = "Потерян чат: {{ client }}, {{ channel }}", due = { kind = "after", minutes = 15 } }

[[integrations.settings.chats.fields]]
card = "contact"
field = "utm"
value = "{{ channel }}"

[[integrations.settings.chats.fields]]
card = "contact"
field = "gw"
value = "{{ site }}"
update_always = true
"#;

fn chat(key: &str, revision: u64, phase: &str, phone: Option<&str>) -> Value {
    let mut chat = json!({
        "kind": "chat", "key": key, "revision": revision, "phase": phase, "channel": "telegram",
        "visitor": key, "name": "Ольга", "phone": phone, "site": "example.com",
        "started_at": "2026-11-20T09:00:00Z",
        "messages": [
            { "id": "m-1", "at": "2026-11-20T09:00:00Z", "from": "client", "text": "Сколько стоит?" },
        ],
    });
    if phase != "started" {
        chat["employee"] = json!("101");
        let answer = json!({
            "id": "m-2", "at": "2026-11-20T09:01:00Z", "from": "employee", "employee": "101",
            "text": "Сто рублей",
        });
        chat["messages"]
            .as_array_mut()
            .expect("a list")
            .push(answer);
    }
    if phase == "ended" {
        chat["ended_at"] = json!("2026-11-20T09:10:00Z");
    }
    chat
}

fn lost(key: &str, phone: Option<&str>) -> Value {
    let mut chat = chat(key, 1, "started", phone);
    chat["phase"] = json!("ended");
    chat["lost"] = json!(true);
    chat["ended_at"] = json!("2026-11-20T09:10:00Z");
    chat
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_05_s4_06_s4_09_s4_13_a_chat_becomes_a_lead_and_one_transcript_when_it_is_over() {
    let school = School::open(CHATS).await;
    let daemon = school.start().await;
    for (revision, phase) in [(1, "started"), (2, "accepted")] {
        tell(&daemon, &chat("t-1", revision, phase, Some(CLIENT))).await;
        idle(&daemon).await;
        assert!(school.oracle().customers.is_empty(), "{phase}");
    }
    let late = Fault::LateAfter { ms: 30_000 };
    school.fault("*/communication/create", When::First { n: 1 }, late);
    tell(&daemon, &chat("t-1", 3, "ended", Some(CLIENT))).await;
    until("the CRM has the transcript", async || {
        let held = school.crm.oracle().comments.len();
        when(held == 1, held)
    })
    .await;
    daemon.kill();
    let daemon = school.start().await;
    settled(&daemon, 1).await;
    let oracle = school.oracle();
    let [lead] = &oracle.customers[..] else {
        panic!("{:?}", oracle.customers);
    };
    assert_eq!(
        (lead.custom["utm"].as_str(), lead.custom["gw"].as_str()),
        ("telegram", "example.com")
    );
    let [comment] = &oracle.comments[..] else {
        panic!("{:?}", oracle.comments);
    };
    assert!(comment.text.contains("Сколько стоит?") && comment.text.contains("Сто рублей"));
    // The same client writes again, elsewhere: no second lead, and "always" is told anew.
    school.crm.edit(lead.id, |customer| {
        drop(customer.custom.insert("utm".into(), "иначе".into()))
    });
    let mut again = chat("t-2", 1, "ended", Some(CLIENT));
    (again["site"], again["channel"]) = (json!("other.com"), json!("whatsapp"));
    tell(&daemon, &again).await;
    settled(&daemon, 2).await;
    let oracle = school.oracle();
    assert_eq!((oracle.customers.len(), oracle.comments.len()), (1, 2));
    let lead = &oracle.customers[0];
    assert_eq!(
        (lead.custom["utm"].as_str(), lead.custom["gw"].as_str()),
        ("иначе", "other.com")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_06_s4_11_a_lead_is_made_at_the_start_or_when_a_chosen_mark_is_set() {
    let at_start = School::open(&CHATS.replace("at = \"end\"", "at = \"start\"")).await;
    let daemon = at_start.start().await;
    tell(&daemon, &chat("t-1", 1, "started", Some(CLIENT))).await;
    idle(&daemon).await;
    let oracle = at_start.oracle();
    assert_eq!(
        (oracle.customers.len(), oracle.comments.len()),
        (1, 0),
        "no word yet"
    );

    let filter = r#"
[integrations.settings.chats.filter]
kind = "all"
of = [
  { kind = "include", parameter = "tag", values = ["запись"] },
  { kind = "include", parameter = "site", values = ["example.com"] },
  { kind = "exclude", parameter = "channel", values = ["whatsapp"] },
]
"#;
    let settings = format!(
        "{}{filter}",
        CHATS.replace("at = \"end\"", "at = \"tagged\"")
    );
    let school = School::open(&settings).await;
    let daemon = school.start().await;
    let marked = |key: &str, revision, tags: Value| {
        let mut chat = chat(key, revision, "accepted", Some(CLIENT));
        chat["tags"] = tags;
        chat
    };
    tell(&daemon, &marked("t-1", 1, json!(["спам"]))).await;
    let mut other = marked("t-2", 1, json!(["запись"]));
    other["channel"] = json!("whatsapp");
    tell(&daemon, &other).await;
    let mut elsewhere = marked("t-3", 1, json!(["запись"]));
    elsewhere["site"] = json!("other.com");
    tell(&daemon, &elsewhere).await;
    idle(&daemon).await;
    assert!(school.oracle().customers.is_empty());
    tell(&daemon, &marked("t-1", 2, json!(["спам", "запись"]))).await;
    idle(&daemon).await;
    assert_eq!(school.oracle().customers.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_07_s4_08_s4_12_a_lost_chat_makes_a_task_of_its_own_words_and_one_without_phone_a_lead()
{
    let school = School::open(CHATS).await;
    let daemon = school.start().await;
    tell(&daemon, &lost("t-1", Some(CLIENT))).await;
    // Two visitors who left nothing are two leads.
    tell(&daemon, &lost("t-2", None)).await;
    tell(&daemon, &chat("t-3", 1, "ended", None)).await;
    settled(&daemon, 3).await;
    let oracle = school.oracle();
    assert_eq!(oracle.customers.len(), 3, "{:?}", oracle.customers);
    let with_phone = oracle.customers_of_phone(CLIENT)[0].id;
    assert_eq!(
        oracle.tasks.len(),
        2,
        "of the lost ones: {:?}",
        oracle.tasks
    );
    for task in &oracle.tasks {
        assert_eq!(task.title, "Потерян чат: Ольга, telegram");
        assert_eq!(task.assigned, [503]);
    }
    assert!(
        oracle
            .tasks
            .iter()
            .any(|task| task.customers == [with_phone])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_05_switched_off_chats_make_nothing() {
    let off = CHATS.replace("at = \"end\"", "on = false");
    let school = School::open(&off).await;
    let daemon = school.start().await;
    tell(&daemon, &lost("t-1", Some(CLIENT))).await;
    settled(&daemon, 1).await;
    let oracle = school.oracle();
    assert!(oracle.customers.is_empty() && oracle.tasks.is_empty());
}
