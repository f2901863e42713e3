//! Planfix and the phone system with the real program: calls by click, the address to be copied, the
//! personal manager, and employees that come from the CRM.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use trunkline::lab::ami::{AmiOptions, AmiServer};
use trunkline::lab::planfix::{self, PlanfixLab, PlanfixOptions, UserOptions};

use super::daemon::{Daemon, list};
use super::home::{ADMIN_TOKEN, Home};
use super::wait::{until, when};

const TENANT: &str = include_str!("etc/planfix-office.toml");
const HOOK: &str = "a-secret-of-mimoza-0123456789-0123456789";
const KEY: &str = "a-key-of-the-pbx";
const CLIENT: &str = "79161112233";
const EMPLOYEES: &str = "/v1/tenants/acme/integrations/sales/employees";
const WEBHOOK: &str = "/v1/tenants/acme/integrations/sales/webhook";

/// The simulators, and the daemon's folder.
struct Mimoza {
    _ami: AmiServer,
    crm: PlanfixLab,
    home: Arc<Home>,
}

impl Mimoza {
    async fn open() -> Self {
        let ami = AmiServer::start(AmiOptions::on(SocketAddr::from(([127, 0, 0, 1], 0)))).await;
        let ami = ami.expect("a free port");
        let options = PlanfixOptions {
            per_second: None,
            ..PlanfixOptions::default()
        };
        let crm = planfix::start(options).await.expect("a free port");
        let options = crm.options();
        let port = ami.address().port();
        let home = Home::new(port, &crm.base_url(), &options.rest_token);
        home.edit(
            "etc/trunkline.toml",
            "https://demo.amocrm.ru",
            "https://acme.planfix.ru",
        );
        home.edit(
            "etc/trunkline.toml",
            "tenants_dir = \"tenants.d\"",
            "tenants_dir = \"tenants.d\"\npublic_url = \"https://box.example\"",
        );
        home.write("secrets/planfix-rest", &options.rest_token);
        home.write("secrets/planfix-telephony", &options.telephony_token);
        home.write("secrets/planfix-pbx-key", KEY);
        home.write("secrets/planfix-hook", HOOK);
        let tenant = TENANT.replace("@AMI_PORT@", &port.to_string());
        home.write("etc/tenants.d/acme.toml", &tenant);
        Self {
            _ami: ami,
            crm,
            home: Arc::new(home),
        }
    }

    async fn start(&self) -> Daemon {
        let daemon = Daemon::start(&self.home).await;
        daemon.attached().await;
        daemon
    }

    /// Types our address into Planfix, as it is reached here.
    fn type_address(&self, key: &str) {
        let intake = self.home.intake();
        let address = format!("http://{intake}/crm/planfix/acme/sales/{HOOK}");
        self.crm.type_pbx(&address, key);
    }

    async fn click(&self, from: &str, to: &str) -> (u16, String) {
        let answer = self.crm.click(from, to).await.expect("an answer");
        (answer.status, answer.body)
    }

    /// Asks whom a caller of this number of ours would reach.
    async fn route(&self, daemon: &Daemon, did: &str) -> Value {
        let url = format!(
            "http://{}/v1/lookup/acme/office?phone={CLIENT}&did={did}",
            self.home.questions()
        );
        let answer = daemon.http.get(url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.expect("JSON")
    }
}

async fn post(daemon: &Daemon, home: &Home, path: &str) -> (u16, Value) {
    let url = format!("http://{}{path}", home.admin());
    let request = daemon
        .http
        .post(url)
        .bearer_auth(ADMIN_TOKEN)
        .json(&json!({}));
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_40_a_click_in_planfix_becomes_one_call_in_the_journal_and_in_planfix() {
    let mimoza = Mimoza::open().await;
    let daemon = mimoza.start().await;
    mimoza.type_address("wrong");
    let invalid_token = (401, r#"{"error":"Invalid token"}"#.to_owned());
    assert_eq!(mimoza.click("101", CLIENT).await, invalid_token);
    mimoza.type_address(KEY);
    for (from, to, words) in [
        ("999", CLIENT, "no employee has the extension"),
        ("101", "8809123", "not a telephone number"),
        ("101", "+375291234567", "may not be called"),
    ] {
        let (status, answer) = mimoza.click(from, to).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer.contains(words), "{answer}");
    }
    assert_eq!(mimoza.click("101", CLIENT).await, (200, String::new()));
    daemon.settled(1).await;
    let key = daemon.journal_keys().await.remove(0);
    let call = daemon.story(&key).await["snapshot"]["body"]["call"].clone();
    assert!(call["click_to_call"].is_string(), "{call}");
    assert_eq!(call["direction"], "outgoing", "{call}");
    assert_eq!(call["talkers"][0], "101", "{call}");
    let oracle = mimoza.crm.oracle();
    let [told] = &oracle.calls[..] else {
        panic!("{:?}", oracle.calls)
    };
    assert_eq!((told.outgoing, told.status.as_str()), (true, "Success"));
    assert!(oracle.counters.oddities.is_empty(), "{:?}", oracle.counters);
    let notes = daemon.notes().await;
    let placed = |note: &&(String, String)| {
        note.0 == "click_to_call" && note.1.contains("was placed (clicked in the CRM)")
    };
    assert_eq!(notes.iter().filter(placed).count(), 1, "{notes:?}");
    for _ in 0..5 {
        assert_eq!(mimoza.click("101", CLIENT).await.0, 200);
    }
    let (status, answer) = mimoza.click("101", CLIENT).await;
    assert_eq!(status, 400);
    assert!(
        answer.contains("6 calls placed within a minute"),
        "{answer}"
    );
    assert!(
        !mimoza.home.log().contains(HOOK),
        "the secret is in the log"
    );
    // What is switched off places no calls.
    mimoza
        .home
        .edit_tenant("activity = \"on\"", "activity = \"observe\"");
    daemon.reload().await;
    let (status, answer) = mimoza.click("102", CLIENT).await;
    assert_eq!(status, 400);
    assert!(answer.contains("not switched on"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_42_the_webhooks_address_is_copied_by_command_and_shown_without_its_secret() {
    let mimoza = Mimoza::open().await;
    let daemon = mimoza.start().await;
    let address = format!("https://box.example/crm/planfix/acme/sales/{HOOK}");
    let shown = daemon.get(WEBHOOK).await;
    assert_eq!(
        shown["place"],
        "https://box.example/crm/planfix/acme/sales/"
    );
    assert_eq!(shown["asks_for_calls"], true);
    let status = daemon.get("/v1/status").await;
    assert_eq!(list(&status, "integrations")[0]["webhook"], shown["place"]);
    for text in [shown.to_string(), status.to_string()] {
        assert!(!text.contains(HOOK), "{text}");
    }
    let copied = mimoza
        .home
        .run(&["integration", "webhook", "acme/sales"])
        .await;
    assert_eq!(copied.out.trim(), address, "{copied:?}");
    let (status, answer) = post(&daemon, &mimoza.home, WEBHOOK).await;
    assert_eq!((status, &answer["address"]), (200, &json!(address)));
    let notes = daemon.notes().await;
    let told = |note: &&(String, String)| note.0 == "webhook_copied" && !note.1.contains(HOOK);
    assert_eq!(notes.iter().filter(told).count(), 2, "{notes:?}");
    // Without a way in from outside it is said why.
    mimoza
        .home
        .edit_tenant("hook = { file = \"../../secrets/planfix-hook\" }", "");
    daemon.reload().await;
    let copied = mimoza
        .home
        .run(&["integration", "webhook", "acme/sales"])
        .await;
    assert_eq!(copied.status, Some(1), "{copied:?}");
    assert!(copied.err.contains("has no secret `hook`"), "{copied:?}");
    let status = daemon.get("/v1/status").await;
    let off = list(&status, "off");
    let clicks = |one: &&Value| one["what"] == "calls by click of acme/sales";
    assert_eq!(off.iter().filter(clicks).count(), 1, "{off:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_43_a_planfix_client_reaches_the_responsible_where_switch_and_scenario_say_so() {
    let mimoza = Mimoza::open().await;
    mimoza.crm.add_contact("Иван", CLIENT, 5);
    let daemon = mimoza.start().await;
    until("the manager is known", async || {
        let answer = mimoza.route(&daemon, "74950000001").await;
        when(answer["extension"] == "101", answer.to_string())
    })
    .await;
    let answer = mimoza.route(&daemon, "74950000001").await;
    assert_eq!(answer["route"], "personal_manager", "{answer}");
    // A number without that scenario, and the switch.
    let answer = mimoza.route(&daemon, "74950000002").await;
    assert_ne!(answer["route"], "personal_manager", "{answer}");
    assert_ne!(answer["extension"], "101", "{answer}");
    mimoza.home.edit_tenant(
        "[integrations.settings.personal_manager]\non = true",
        "[integrations.settings.personal_manager]\non = false",
    );
    daemon.reload().await;
    let answer = mimoza.route(&daemon, "74950000001").await;
    assert_eq!(answer["route"], "default", "{answer}");
    assert_eq!(answer["client"]["name"], "Иван", "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_06_s2_07_an_employee_is_known_after_a_persons_sync_and_over_a_restart() {
    let mimoza = Mimoza::open().await;
    mimoza.crm.add_contact("Иван", CLIENT, 6);
    let daemon = mimoza.start().await;
    until("the client is known", async || {
        let answer = mimoza.route(&daemon, "74950000001").await;
        when(answer["client"]["name"] == "Иван", answer.to_string())
    })
    .await;
    // Boris has no user in the file: nobody knows that he is the manager.
    let answer = mimoza.route(&daemon, "74950000001").await;
    assert_eq!(answer["route"], "default", "{answer}");
    let before = daemon.get(EMPLOYEES).await;
    assert_eq!(before["state"]["on"], true, "{before}");
    assert_eq!(before["state"]["manner"], "manual_only");
    let remark = before["state"]["remark"].as_str().unwrap_or_default();
    assert!(
        remark.contains("trunkline employees sync acme/sales"),
        "{before}"
    );
    for command in ["status", "doctor"] {
        let told = mimoza.home.run(&[command]).await;
        assert!(told.out.contains("were never synced"), "{told:?}");
    }

    let synced = mimoza.home.run(&["employees", "sync", "acme/sales"]).await;
    assert_eq!(synced.status, Some(0), "{synced:?}");
    assert!(
        synced.out.contains("3 added, 0 changed, 0 removed"),
        "{synced:?}"
    );
    let answer = mimoza.route(&daemon, "74950000001").await;
    assert_eq!(answer["extension"], "102", "{answer}");
    let after = daemon.get(EMPLOYEES).await;
    assert!(after["state"]["remark"].is_null(), "{after}");
    let people: Vec<String> = list(&after, "employees")
        .iter()
        .map(|one| format!("{} {} {}", one["user"], one["employee"], one["in_file"]))
        .collect();
    assert_eq!(
        people,
        [
            r#""5" "anna" true"#,
            r#""6" "boris" true"#,
            r#""7" "planfix-user-7" false"#
        ]
    );

    // Who is new in the CRM comes with the next one, and what was synced outlives a restart.
    mimoza
        .crm
        .employ(UserOptions::employee(12, "Глеб", "Новый", "104"));
    daemon.kill();
    let daemon = mimoza.start().await;
    until("the manager is known again", async || {
        let answer = mimoza.route(&daemon, "74950000001").await;
        when(answer["extension"] == "102", answer.to_string())
    })
    .await;
    let known = daemon.get(EMPLOYEES).await;
    assert_eq!(list(&known, "employees").len(), 3, "{known}");
    let (status, answer) = post(&daemon, &mimoza.home, &format!("{EMPLOYEES}/sync")).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["report"]["added"], json!(["12"]), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_04_s2_05_the_switch_and_the_list_say_who_is_an_employee() {
    let mimoza = Mimoza::open().await;
    let settings = "[integrations.settings.employees]\nall = false\nchosen = [\"7\"]";
    let calls = "[integrations.settings.calls]\n";
    mimoza
        .home
        .edit_tenant(calls, &format!("{settings}\n\n{calls}"));
    let daemon = mimoza.start().await;
    let (status, answer) = post(&daemon, &mimoza.home, &format!("{EMPLOYEES}/sync")).await;
    assert_eq!((status, &answer["report"]["added"]), (200, &json!(["7"])));
    mimoza
        .home
        .edit_tenant("all = false\nchosen = [\"7\"]", "on = false");
    let checked = mimoza.home.run(&["check-config"]).await;
    assert_eq!(checked.status, Some(0), "{checked:?}");
    daemon.reload().await;
    let state = daemon.get(EMPLOYEES).await;
    let remark = state["state"]["remark"].as_str().unwrap_or_default();
    assert!(remark.contains("the sync of employees is off"), "{state}");
    assert!(
        list(&state, "employees")[0]["employee"].is_null(),
        "{state}"
    );
    let (status, answer) = post(&daemon, &mimoza.home, &format!("{EMPLOYEES}/sync")).await;
    assert_eq!(status, 409, "{answer}");
}
