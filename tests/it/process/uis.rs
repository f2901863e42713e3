//! An account of UIS, from outside: it tells, is asked, and asks the real program; the program is
//! killed, and notifications are lost.

use serde_json::{Value, json};
use trunkline::lab::amocrm::SeedCard;
use trunkline::lab::uis::{
    self, Delivery, LabCall, LabChat, LabMessage, LabRequest, Question, Sender, Told, UisLab,
    UisOptions,
};

use super::daemon::{Daemon, list};
use super::office::{ANNA, Office};
use super::wait::{until, when};

const HOOK: &str = "cloud-hook-of-the-process-tests";
const CLIENT: &str = "+79161112233";

/// Anna's id on the platform.
pub(super) const ANNA_THERE: u64 = 501;

/// An office with an account beside its switch.
pub(super) struct Cloud {
    pub(super) office: Office,
    pub(super) lab: UisLab,
    sender: Sender,
}

impl Cloud {
    pub(super) async fn open() -> Self {
        Self::open_as("", |lab| {
            format!(
                "data_api = \"{}\"\ncall_api = \"{}\"\n",
                lab.data_api(),
                lab.call_api()
            )
        })
        .await
    }

    async fn open_as(brand: &str, addresses: impl Fn(&UisLab) -> String) -> Self {
        let office = Office::open().await;
        let lab = uis::start(UisOptions::default())
            .await
            .expect("a free port");
        let home = &office.home;
        home.write("secrets/uis-key", lab.key());
        home.write("secrets/uis-hook", HOOK);
        let hook = match brand {
            "megafon" => "",
            _ => "hook = { file = \"../../secrets/uis-hook\" }\n",
        };
        let settings = match brand {
            "" => String::new(),
            brand => format!("brand = \"{brand}\"\n"),
        };
        home.edit_tenant(
            "[[accounts]]\nid = \"main\"",
            &format!(
                "[[sources]]\nid = \"cloud\"\nkind = \"uis\"\nname = \"Облако\"\n\
                 [sources.settings]\n{settings}{}poll_min_s = 1\n\
                 [sources.settings.click_to_call]\nvirtual_number = \"74951230000\"\n\
                 [sources.secrets]\ntoken = {{ file = \"../../secrets/uis-key\" }}\n{hook}\n\
                 [[accounts]]\nid = \"main\"",
                addresses(&lab)
            ),
        );
        home.edit_tenant(
            "  { source = \"site\", extension = \"101\" },\n",
            "  { source = \"site\", extension = \"101\" },\n  { source = \"cloud\", extension = \"501\" },\n",
        );
        home.edit_tenant(
            "takes = [{ source = \"office\"",
            "takes = [{ source = \"cloud\", kinds = [\"call\"] }, { source = \"office\"",
        );
        let address = format!("http://{}/hooks/uis/acme/cloud/{HOOK}", home.intake());
        let sender = Sender::new(&address).expect("a client");
        Self {
            office,
            lab,
            sender,
        }
    }

    pub(super) async fn start(&self) -> Daemon {
        let daemon = self.office.start().await;
        self.health(&daemon, "up").await;
        daemon
    }

    /// Waits until the account is in this state, and returns what is shown of it.
    async fn health(&self, daemon: &Daemon, health: &str) -> Value {
        until(&format!("the account is {health}"), async || {
            let status = daemon.get("/v1/status").await;
            let mut sources = list(&status, "sources").iter();
            let cloud = sources
                .find(|one| one.to_string().contains("cloud"))
                .cloned();
            let cloud = cloud.ok_or_else(|| status.to_string())?;
            when(cloud["state"]["health"] == health, &cloud)?;
            Ok(cloud)
        })
        .await
    }

    /// Waits until the picture of a communication is as wished, and returns it.
    async fn picture(&self, daemon: &Daemon, item: &str, wish: impl Fn(&Value) -> bool) -> Value {
        until(&format!("the picture of {item}"), async || {
            let key = format!("acme/cloud/{item}");
            if !daemon.journal_keys().await.contains(&key) {
                return Err(format!("{item} is not in the journal"));
            }
            let body = daemon.story(&key).await["snapshot"]["body"].clone();
            when(wish(&body), &body)?;
            Ok(body)
        })
        .await
    }

    async fn tell(&self, told: &[Told], how: Delivery) {
        let statuses = self.sender.tell(told, how).await.expect("answers");
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    }
}

pub(super) fn message(id: u64, at: i64, employee: Option<u64>, text: &str) -> LabMessage {
    LabMessage {
        id,
        at,
        source: if employee.is_some() {
            "operator"
        } else {
            "visitor"
        }
        .to_owned(),
        employee,
        text: text.to_owned(),
        file: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_a_chat_and_a_request_are_whole_over_a_kill_and_lost_notifications() {
    let cloud = Cloud::open().await;
    let daemon = cloud.start().await;
    let now = cloud.lab.now();

    // A call that is told of in two lives; each notification of the second comes twice. The report
    // does not show it yet.
    cloud.lab.switch(|switches| switches.lag_s = 3_600);
    let mut call = LabCall::answered(910_000_017, "79161112233", ANNA_THERE, now);
    (call.wait, call.talk) = (0, 1);
    call.link = Some("https://app.uiscom.ru/system/media/talk/910000017/a1b2/".to_owned());
    let told = Told::of_call(&call);
    cloud.tell(&told[..3], Delivery::InOrder).await;
    cloud
        .picture(&daemon, "910000017", |body| {
            body["call"]["phase"] == "answered"
        })
        .await;
    daemon.kill();
    let daemon = cloud.start().await;
    cloud.tell(&told[3..], Delivery::Twice).await;
    let shown = cloud
        .picture(&daemon, "910000017", |body| {
            body["call"]["recordings"][0].is_string()
        })
        .await;
    assert_eq!(shown["call"]["phase"], "ended", "{shown}");
    assert_eq!(shown["call"]["talkers"], json!(["501"]), "{shown}");
    assert_eq!(shown["call"]["client"]["phone"], CLIENT, "{shown}");

    // A request of which only its existence is told, just before the program is killed.
    let request = LabRequest {
        id: 70_031,
        at: now,
        name: Some("Пётр".to_owned()),
        phone: Some("79165550011".to_owned()),
        text: Some("Нужен расчёт".to_owned()),
        form: Some("Калькулятор".to_owned()),
        site: Some("shop.example".to_owned()),
        utm_source: Some("yandex".to_owned()),
        ..LabRequest::default()
    };
    cloud.lab.put_request(request.clone());
    cloud
        .tell(&[Told::of_request(&request)], Delivery::InOrder)
        .await;
    // A chat that is told of, and goes on while nobody hears.
    let mut chat = LabChat {
        id: 5_001,
        channel: "telegram".to_owned(),
        visitor: 77,
        username: Some("maria".to_owned()),
        status: "new".to_owned(),
        began: now,
        messages: vec![message(1, now, None, "Добрый день!")],
        ..LabChat::default()
    };
    cloud.lab.put_chat(chat.clone());
    cloud
        .tell(&[Told::of_chat(&chat, now)], Delivery::InOrder)
        .await;
    daemon.kill();
    (chat.employee, chat.status) = (Some(ANNA_THERE), "succeed".to_owned());
    chat.ended = Some(now + 1);
    chat.messages
        .push(message(2, now + 1, Some(ANNA_THERE), "Здравствуйте"));
    cloud.lab.put_chat(chat.clone());
    // And a call of which nothing is told at all.
    let mut silent = LabCall::lost(910_000_018, "79162223344", ANNA_THERE, now);
    silent.wait = 1;
    cloud.lab.put_call(silent);
    cloud.lab.switch(|switches| switches.lag_s = 0);
    cloud.lab.put_call(call);

    let daemon = cloud.start().await;
    let request = cloud.picture(&daemon, "request-70031", |_| true).await;
    assert_eq!(request["request"]["phone"], "+79165550011", "{request}");
    assert_eq!(
        request["request"]["details"]["utm_source"], "yandex",
        "{request}"
    );
    let ended = |body: &Value| {
        body["chat"]["messages"]
            .as_array()
            .is_some_and(|m| m.len() == 2)
    };
    let shown = cloud.picture(&daemon, "chat-5001", ended).await;
    assert_eq!(shown["chat"]["phase"], "ended", "{shown}");
    assert_eq!(
        shown["chat"]["messages"][1]["author"]["login"], "501",
        "{shown}"
    );
    // It may be seen while the report shows it as going on.
    let over = |body: &Value| body["call"]["phase"] == "ended";
    let missed = cloud.picture(&daemon, "910000018", over).await;
    assert_eq!(missed["call"]["result"]["kind"], "missed", "{missed}");
    // The report settled the first call, and made no second of it.
    let settled = |body: &Value| body["call"]["details"]["finish_reason"].is_string();
    let settled = cloud.picture(&daemon, "910000017", settled).await;
    assert_eq!(settled["call"]["talkers"], json!(["501"]), "{settled}");

    for (key, words) in [
        ("910000017", "501"),
        ("chat-5001", "Здравствуйте"),
        ("request-70031", "Калькулятор"),
    ] {
        let told = cloud
            .office
            .home
            .run(&["explain", &format!("acme/cloud/{key}"), "--json"])
            .await;
        assert_eq!(told.status, Some(0), "{told:?}");
        assert!(told.out.contains(words), "{words}: {told:?}");
    }

    // A new message in the closed chat, told by nobody.
    chat.messages
        .push(message(3, cloud.lab.now(), None, "И ещё вопрос"));
    cloud.lab.put_chat(chat);
    let third = |body: &Value| {
        body["chat"]["messages"]
            .as_array()
            .is_some_and(|m| m.len() == 3)
    };
    cloud.picture(&daemon, "chat-5001", third).await;

    until("the CRM has both calls", async || {
        let oracle = cloud.office.oracle();
        let calls = oracle.calls_of_phone(CLIENT).len();
        let contacts = oracle.contacts_of_phone("+79162223344").len();
        when(
            (calls, contacts) == (1, 1),
            format!("{calls} calls, {contacts} contacts"),
        )
    })
    .await;
    let oracle = cloud.office.oracle();
    assert_eq!(oracle.contacts_of_phone(CLIENT).len(), 1);
    let logged = &oracle.calls_of_phone(CLIENT)[0];
    assert_eq!(logged.call_responsible, Some(ANNA.to_string()));
    let log = cloud.office.home.log();
    for secret in [HOOK, cloud.lab.key()] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_25_a_caller_is_sent_to_the_phones_of_the_responsible_or_on_in_the_scenario() {
    let cloud = Cloud::open().await;
    cloud.office.home.edit_tenant(
        "[integrations.settings.calls]\n",
        "[integrations.settings.personal_manager]\non = true\n\n[integrations.settings.calls]\n",
    );
    cloud.office.home.edit_tenant(
        "[[sources]]\nid = \"office\"",
        "[[numbers]]\nnumber = \"+74951230009\"\nowner = \"anna\"\n\n[[sources]]\nid = \"office\"",
    );
    let card = SeedCard::new("Пётр", "8 (916) 111-22-33", ANNA);
    cloud.office.crm.add_contact(&card);
    let daemon = cloud.start().await;
    let ask = async |caller: &str, dialled: &str, post: bool| {
        let question = Question {
            caller: caller.to_owned(),
            dialled: dialled.to_owned(),
            post,
        };
        cloud.sender.ask(&question).await.expect("an answer")
    };
    // The phones of Anna that are in use, in order (pbx/uis.md §2).
    let annas = json!({ "phones": ["74950000501"] });
    until("the client is known", async || {
        let (status, answer) = ask("79161112233", "74951230000", false).await;
        when((status, &answer) == (200, &annas), &answer)
    })
    .await;
    assert_eq!(
        ask("79161112233", "74951230000", true).await,
        (200, annas.clone())
    );
    let usual = json!({ "returned_code": 2 });
    assert_eq!(
        ask("79990000000", "74951230000", false).await,
        (200, usual.clone())
    );
    assert_eq!(ask("", "74951230000", true).await, (200, usual));
    // A number of Anna's own rings her, whoever calls.
    assert_eq!(ask("79990000000", "74951230009", false).await, (200, annas));
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_employee_is_connected_with_a_number_and_the_call_that_follows_is_known() {
    let cloud = Cloud::open().await;
    let daemon = cloud.start().await;
    let wish = ["call", "acme/cloud", "anna", "8 916 111-22-33", "--json"];
    let placed = cloud.office.home.run(&wish).await;
    assert_eq!(placed.status, Some(0), "{placed:?}");
    let placed = placed.json();
    assert_eq!(placed["communication"], "acme/cloud/920000000", "{placed}");
    let (asked, session) = cloud.lab.placed().remove(0);
    assert_eq!(asked["employee"]["id"], 501, "{asked}");
    assert_eq!(asked["contact"], "79161112233", "{asked}");
    assert_eq!(asked["direction"], "out", "{asked}");
    // The call that the platform makes of it carries our word.
    let mut call = LabCall::lost(session, "79161112233", ANNA_THERE, cloud.lab.now() - 2);
    (call.outgoing, call.wait) = (true, 1);
    call.reason = Some("operator_busy".to_owned());
    call.external_id = asked["external_id"].as_str().map(str::to_owned);
    // Begun after the daemon, or it would be somebody else's.
    call.began = cloud.lab.now();
    cloud.lab.put_call(call);
    let over = |body: &Value| body["call"]["phase"] == "ended";
    let shown = cloud.picture(&daemon, "920000000", over).await;
    assert_eq!(shown["call"]["click_to_call"], placed["call"], "{shown}");
    assert_eq!(
        shown["call"]["result"]["kind"], "employee_not_reached",
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_allow_list_stands_in_the_status_while_calls_are_heard_all_the_same() {
    let cloud = Cloud::open().await;
    cloud
        .lab
        .switch(|switches| switches.ip_not_whitelisted = true);
    let daemon = cloud.office.start().await;
    let words = "does not let this machine in";
    until("the status names the allow-list", async || {
        let status = daemon.get("/v1/status").await.to_string();
        when(status.contains(words), status)
    })
    .await;
    let call = LabCall::answered(910_000_020, "79161112233", ANNA_THERE, cloud.lab.now() - 80);
    cloud.tell(&Told::of_call(&call), Delivery::Backwards).await;
    let shown = cloud
        .picture(&daemon, "910000020", |body| {
            body["call"]["phase"] == "ended"
        })
        .await;
    assert_eq!(shown["call"]["result"]["kind"], "answered", "{shown}");
    cloud
        .lab
        .switch(|switches| switches.ip_not_whitelisted = false);
    cloud.health(&daemon, "up").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_templates_are_understood_and_what_is_none_is_refused() {
    let cloud = Cloud::open().await;
    let home = &cloud.office.home;
    let told = home
        .run(&["pbx", "templates", "acme/cloud", "--json"])
        .await;
    assert_eq!(told.status, Some(0), "{told:?}");
    assert!(!told.out.contains(HOOK), "{told:?}");
    let told = told.json();
    let address = told["address"].as_str().expect("an address");
    assert!(
        address.ends_with("/hooks/uis/acme/cloud/SECRET"),
        "{address}"
    );
    let template = |title: &str| {
        let mut texts = list(&told, "texts").iter();
        let found = texts
            .find(|text| text["title_en"] == title)
            .expect("printed");
        found["text"].as_str().expect("a text").to_owned()
    };
    let none = home.run(&["pbx", "templates", "acme/office"]).await;
    assert_eq!(none.status, Some(2), "{none:?}");

    let daemon = cloud.start().await;
    let call = LabCall::answered(910_000_030, "79161112233", ANNA_THERE, cloud.lab.now() - 80);
    let happened = Told::of_call(&call);
    let finished = happened
        .iter()
        .find(|one| one.event == "call_finished")
        .expect("told");
    let body = finished.body(Some(&template("Call finished")));
    assert_eq!(cloud.sender.post(body).await.expect("an answer"), 200);
    let shown = cloud.picture(&daemon, "910000030", |_| true).await;
    assert_eq!(shown["call"]["talking_ms"], 64_000, "{shown}");
    for body in ["{\"event\":}", "{}", "[]", "{\"event\":\"call_finished\"}"] {
        assert_eq!(
            cloud.sender.post(body.to_owned()).await.expect("an answer"),
            400,
            "{body}"
        );
    }
    let stranger = format!("http://{}/hooks/uis/acme/cloud/{HOOK}x", home.intake());
    let stranger = Sender::new(&stranger).expect("a client");
    assert_eq!(
        stranger.post("{}".to_owned()).await.expect("an answer"),
        404
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_vats_2_are_read_from_its_history_with_employees_by_name() {
    let cloud = Cloud::open_as("megafon", |lab| {
        format!(
            "data_api = \"{}\"\ncall_api = \"{}\"\n",
            lab.simple_api(),
            lab.call_api()
        )
    })
    .await;
    let daemon = cloud.start().await;
    let mut call = LabCall::answered(77, "79161112233", ANNA_THERE, cloud.lab.now());
    (call.wait, call.talk) = (0, 1);
    cloud.lab.put_call(call);
    let shown = cloud.picture(&daemon, "77", |_| true).await;
    assert_eq!(shown["call"]["talkers"], json!(["501"]), "{shown}");
    assert_eq!(
        shown["call"]["details"]["employee_name"], "Орлова Анна",
        "{shown}"
    );
    until("the CRM has it", async || {
        let calls = cloud.office.oracle().calls_of_phone(CLIENT).len();
        when(calls == 1, calls)
    })
    .await;
    let roster = cloud
        .office
        .home
        .run(&["pbx", "roster", "acme/cloud", "--json"])
        .await;
    assert_eq!(roster.status, Some(0), "{roster:?}");
    let roster = roster.json();
    assert_eq!(list(&roster, "employees").len(), 2, "{roster}");
    assert_eq!(roster["employees"][0]["known_as"], "anna", "{roster}");
}
