//! A virtual telephone system that posts its calls and lists them afterwards, beside the switch.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use trunkline::lab::amocrm::SeedCard;
use trunkline::lab::itoolabs::{
    self, CallKind, MakeCallForm, PhoneForm, VatsCall, VatsLab, VatsOptions,
};

use super::daemon::{Daemon, list};
use super::home::SITE_HOOK;
use super::office::{ANNA, Office};
use super::recordings::set_public;
use super::wait::{until, when};

const HOOK: &str = "vats-hook-of-the-process-tests";

/// Boris's user in the CRM: login petrov.
const BORIS: u64 = 503;

/// An office with a VATS.
struct Branch {
    office: Office,
    vats: VatsLab,
}

impl Branch {
    async fn open(settings: &str, change: impl FnOnce(&mut VatsOptions)) -> Self {
        let office = Office::open().await;
        let mut options = VatsOptions::default();
        change(&mut options);
        let vats = itoolabs::start(options).await.expect("a free port");
        let home = &office.home;
        home.write("secrets/vats-hook", HOOK);
        home.write("secrets/vats-token", &vats.crm_token());
        home.write("secrets/vats-key", &vats.api_key());
        let address = vats.base_url();
        let source = format!(
            "[[sources]]\nid = \"cloud\"\nkind = \"itoolabs\"\nname = \"Филиал\"\n\
             recordings = [{{ url = \"{address}/rec/\", key_header = \"X-API-KEY\" }}]\n\n\
             [sources.settings]\naddress = \"{address}\"\noriginate = {{}}\n{settings}\n\
             [sources.secrets]\nhook = {{ file = \"../../secrets/vats-hook\" }}\n\
             crm_token = {{ file = \"../../secrets/vats-token\" }}\n\
             api_key = {{ file = \"../../secrets/vats-key\" }}\n\
             recordings = {{ file = \"../../secrets/vats-key\" }}\n\n[[accounts]]"
        );
        home.edit_tenant("[[accounts]]", &source);
        home.edit_tenant(
            "extensions = [{ source = \"office\", extension = \"102\" }]",
            "extensions = [{ source = \"office\", extension = \"102\" }, { source = \"cloud\", \
             extension = \"petrov\" }]",
        );
        home.edit_tenant(
            "  { source = \"site\", extension = \"101\" },\n",
            "  { source = \"site\", extension = \"101\" },\n  { source = \"cloud\", extension = \
             \"orlova\" },\n",
        );
        home.edit_tenant(
            "{ source = \"site\", kinds = [\"call\"] }]",
            "{ source = \"site\", kinds = [\"call\"] }, { source = \"cloud\", kinds = [\"call\"] \
             }]",
        );
        vats.tell_to(&format!("http://{}{}", home.intake(), path(HOOK)));
        Self { office, vats }
    }

    async fn start(&self) -> Daemon {
        let daemon = self.office.start().await;
        until("the session with the VATS is up", async || {
            let status = daemon.get("/v1/status").await;
            let sources = list(&status, "sources");
            let up =
                |source: &Value| source["key"] == "acme/cloud" && source["state"]["health"] == "up";
            let log = self.office.home.log();
            when(sources.iter().any(up), format!("{sources:?}\n{log}"))
        })
        .await;
        daemon
    }

    /// Plays calls side by side, to their ends.
    async fn play(&self, calls: impl IntoIterator<Item = VatsCall>) -> Vec<String> {
        join_all(calls.into_iter().map(|call| self.vats.play(call))).await
    }

    /// What the CRM holds of each client, and the seconds of each talk.
    fn holds(&self, clients: &[&str]) -> BTreeMap<String, (String, Vec<i64>)> {
        let oracle = self.office.oracle();
        let held = clients.iter().map(|client| {
            let calls = oracle.calls_of_phone(client);
            let entries: Vec<String> = calls
                .iter()
                .map(|call| {
                    let who = call.call_responsible.as_deref();
                    let (status, card) = (call.status, &call.entity_type);
                    format!("{} {status:?} by {who:?} on {card}", call.direction)
                })
                .collect();
            let contacts = oracle.contacts_of_phone(client).len();
            let leads = oracle.leads_of_phone(client).len();
            let talks = calls.iter().map(|call| call.duration).collect();
            let cards = format!("{contacts} {leads} {entries:?}");
            ((*client).to_owned(), (cards, talks))
        });
        held.collect()
    }
}

fn path(secret: &str) -> String {
    format!("/hooks/itoolabs/acme/cloud/{secret}")
}

fn quick(kind: CallKind, client: &str) -> VatsCall {
    let (ring, talk) = (Duration::from_millis(300), Duration::from_secs(1));
    VatsCall::new(kind, client).times(ring, talk)
}

/// Where the day is disturbed.
#[derive(Clone, Copy)]
enum Disturbed {
    No,
    /// The daemon is ended in good order, and its successor finds other names of calls.
    Stopped,
    /// It is killed, and the old form of the API is spoken.
    Killed,
}

const CLIENTS: [&str; 9] = [
    "79161110001",
    "79161110002",
    "79161110011",
    "79161110012",
    "79161110013",
    "79161110014",
    "79161110015",
    "79161110021",
    "79161110022",
];

/// A day: some calls are seen, one goes on when the daemon goes, some come and go without it.
async fn day(disturbed: Disturbed) -> BTreeMap<String, (String, Vec<i64>)> {
    let old_form = matches!(disturbed, Disturbed::Killed);
    let api = if old_form { "wcgp" } else { "crmapi" };
    let settings = format!("history_poll_s = 1\nhistory_wait_s = 5\napi = \"{api}\"\n");
    let branch = Branch::open(&settings, |options| {
        options.switches.uid_is_callid = matches!(disturbed, Disturbed::No);
        let switches = &mut options.switches;
        switches.csv_quoted = true;
        switches.twice = true;
        // What the contract does not say may be so or otherwise.
        if old_form {
            switches.swapped = true;
            switches.by_get = true;
            switches.direction = false;
            switches.diversion = false;
            switches.phone_form = PhoneForm::Plus;
            switches.duration_is_whole = false;
            switches.empty_is_null = false;
        }
    })
    .await;
    let daemon = branch.start().await;
    branch
        .play([
            quick(CallKind::Answered, CLIENTS[0]),
            quick(CallKind::Transferred, CLIENTS[1]).users(&["orlova", "petrov"]),
        ])
        .await;
    daemon.settled(2).await;
    // This one talks when the daemon goes, and is over before it comes back.
    let half_seen = quick(CallKind::Answered, CLIENTS[2]);
    let half_seen = half_seen.times(Duration::from_millis(300), Duration::from_secs(3));
    let handle = branch.vats.handle();
    let playing = tokio::spawn(async move { handle.play(half_seen.users(&["petrov"])).await });
    until("the call is answered", async || {
        let found = daemon.get("/v1/journal").await;
        let answered = |item: &Value| item["phase"] == "answered";
        when(list(&found, "items").iter().any(answered), found)
    })
    .await;
    let stays = match disturbed {
        Disturbed::No => Some(daemon),
        Disturbed::Stopped => {
            assert_eq!(daemon.terminate().await, Some(0));
            None
        }
        Disturbed::Killed => {
            daemon.kill();
            None
        }
    };
    let away = [
        quick(CallKind::Answered, CLIENTS[3]),
        quick(CallKind::Missed, CLIENTS[4]).users(&["orlova"]),
        quick(CallKind::LostInMenu, CLIENTS[5]),
        quick(CallKind::Outgoing, CLIENTS[6]).users(&["petrov"]),
    ];
    branch.play(away).await;
    playing.await.expect("it is played");
    let daemon = match stays {
        Some(daemon) => daemon,
        None => branch.start().await,
    };
    daemon.settled(7).await;
    branch
        .play([
            quick(CallKind::Answered, CLIENTS[7]),
            quick(CallKind::Missed, CLIENTS[8]).users(&["petrov"]),
        ])
        .await;
    daemon.settled(9).await;
    // The history is read again and again, and tells nothing that is not known.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    daemon.settled(9).await;
    if !matches!(disturbed, Disturbed::No) {
        let notes = daemon.notes().await;
        let recovered = notes.iter().any(|(word, _)| word == "recovered");
        assert!(recovered, "{notes:?}");
    }
    branch.holds(&CLIENTS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vats_day_with_the_daemon_away_for_a_part_of_it_ends_with_the_same_crm() {
    let undisturbed = day(Disturbed::No);
    let (undisturbed, stopped, killed) =
        tokio::join!(undisturbed, day(Disturbed::Stopped), day(Disturbed::Killed));
    for disturbed in [stopped, killed] {
        for (client, (cards, talks)) in &undisturbed {
            let (held, seconds) = &disturbed[client];
            assert_eq!(held, cards, "{client}");
            // Heard to the millisecond, or told in whole seconds.
            let near = |(one, two): (&i64, &i64)| (one - two).abs() <= 1;
            assert!(
                talks.iter().zip(seconds).all(near),
                "{client}: {talks:?} and {seconds:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_25_a_vats_is_led_to_the_named_employee_to_the_manager_or_nowhere() {
    let branch = Branch::open("", |_| {}).await;
    let home = &branch.office.home;
    home.edit_tenant(
        "[integrations.settings.calls]\n",
        "[integrations.settings.personal_manager]\non = true\n\n[integrations.settings.calls]\n",
    );
    home.edit_tenant(
        "[[sources]]\nid = \"office\"",
        "[[numbers]]\nnumber = \"+74951230001\"\nowner = \"boris\"\n\n\
         [[numbers]]\nnumber = \"+74951230002\"\nscenario = \"other\"\n\n\
         [[sources]]\nid = \"office\"",
    );
    let client = "79161112233";
    let hostile = "Пётр\r\nHost: x\u{1b}[2J";
    branch
        .office
        .crm
        .add_contact(&SeedCard::new(hostile, client, ANNA));
    let daemon = branch.start().await;
    let ask = async |phone: &str, did: &str| {
        let form = format!("cmd=contact&phone={phone}&callid=q1&diversion={did}");
        let (status, body) = post(&daemon, &branch, HOOK, &form, "lab-vats-crm-token").await;
        assert_eq!(status, 200);
        body
    };
    until("the directory knows the client", async || {
        let found = ask(client, "74951230000").await;
        when(found["responsible"] == "orlova", found)
    })
    .await;
    let found = ask("%2B79161112233", "74951230000").await;
    assert_eq!(found["contact_name"], "ПётрHost: x[2J");
    // The number decides first, whoever calls.
    assert_eq!(ask(client, "74951230001").await["responsible"], "petrov");
    assert_eq!(ask(client, "74951230002").await.get("responsible"), None);
    assert_eq!(ask("79169998877", "74951230000").await, json!({}));
    // A VATS that is led rings one phone instead of a group.
    branch.play([quick(CallKind::Answered, client)]).await;
    daemon.settled(1).await;
    let told = branch.vats.told();
    let rung = told
        .iter()
        .filter(|one| one.field("type") == Some("INCOMING"));
    let rung: Vec<_> = rung.map(|one| one.field("user")).collect();
    assert_eq!(rung, [Some("orlova")]);
}

async fn post(
    daemon: &Daemon,
    branch: &Branch,
    secret: &str,
    form: &str,
    token: &str,
) -> (u16, Value) {
    let url = format!("http://{}{}", branch.office.home.intake(), path(secret));
    let request = daemon.http.post(url);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let body = format!("{form}&crm_token={token}");
    let answer = request.body(body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_nonsense_are_refused_and_the_calls_go_on() {
    let branch = Branch::open("history_wait_s = 2\n", |_| {}).await;
    let daemon = branch.start().await;
    let token = branch.vats.crm_token();
    let event = "cmd=event&type=INCOMING&phone=79161112233&user=orlova&callid=c1";
    let refused = |what: &str| json!({ "error": what });
    for (secret, form, token, status) in [
        ("another-secret-of-the-same-length", event, &*token, 404),
        (HOOK, event, "another-token", 401),
        (HOOK, "cmd=drop&callid=1", &*token, 400),
        (HOOK, "cmd=event&type=INCOMING", &*token, 400),
    ] {
        let (found, body) = post(&daemon, &branch, secret, form, token).await;
        assert_eq!(found, status, "{form}: {body}");
        match status {
            401 => assert_eq!(body, refused("Invalid token")),
            400 => assert_eq!(body, refused("Invalid parameters")),
            _ => {}
        }
    }
    // Ten megabytes are not even read to their end.
    let long = "x".repeat(10 * 1024 * 1024);
    let url = format!("http://{}{}", branch.office.home.intake(), path(HOOK));
    let sent = daemon.http.post(url).body(long).send().await;
    if let Ok(answer) = sent {
        assert_eq!(answer.status().as_u16(), 413);
    }
    let (status, body) = post(&daemon, &branch, HOOK, event, &token).await;
    assert_eq!((status, body), (200, json!({})));
    // Its end is told, its history is not: a while later it is over all the same.
    let cancelled = event.replace("INCOMING", "CANCELLED");
    assert_eq!(
        post(&daemon, &branch, HOOK, &cancelled, &token).await.0,
        200
    );
    daemon.settled(1).await;
    // A source that takes posts alone is not found by another method.
    let site = format!(
        "http://{}/hooks/webhook/acme/site/{SITE_HOOK}",
        branch.office.home.intake()
    );
    let got = daemon.http.get(site).send().await.expect("an answer");
    assert_eq!(got.status().as_u16(), 404);
    // Whoever goes on guessing is told to wait.
    let mut last = 0;
    for _ in 0..200 {
        last = post(&daemon, &branch, HOOK, event, "another-token").await.0;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(
        post(&daemon, &branch, HOOK, &cancelled, &token).await.0,
        200
    );
    let log = branch.office.home.log();
    assert!(!log.contains(&token) && !log.contains(HOOK) && !log.contains("another-token"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_becomes_a_call_of_the_vats_whatever_it_answers() {
    for (api, form) in [
        ("crmapi", MakeCallForm::Callid),
        ("crmapi", MakeCallForm::Empty),
        ("wcgp", MakeCallForm::Bare),
    ] {
        let settings = format!("api = \"{api}\"\n");
        let branch = Branch::open(&settings, |options| options.switches.make_call = form).await;
        let daemon = branch.start().await;
        let home = &branch.office.home;
        let arguments = ["call", "acme/cloud", "boris", "8 916 111-22-33", "--json"];
        let placed = home.run(&arguments).await;
        assert_eq!(placed.status, Some(0), "{placed:?}");
        daemon.settled(1).await;
        let key = daemon.journal_keys().await.remove(0);
        let story = daemon.story(&key).await;
        let call = &story["snapshot"]["body"]["call"];
        assert_eq!(call["click_to_call"], placed.json()["call"], "{story}");
        assert_eq!(call["caller_extension"], "petrov", "{story}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_people_of_a_vats_are_listed_and_proposed() {
    let branch = Branch::open("", |options| options.switches.page = 2).await;
    let daemon = branch.start().await;
    let home = &branch.office.home;
    let told = home.run(&["pbx", "roster", "acme/cloud"]).await;
    assert_eq!(told.status, Some(0), "{told:?}");
    for words in [
        "employees: 3",
        "orlova  Анна Орлова  ext. 510  74951235100  orlova@demo.example  is anna",
        "sidorova  Вера Сидорова",
        "new: sidorova",
        "Продажи  700  orlova, petrov, sidorova",
        "74951230000",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    let told = home.run(&["pbx", "roster", "acme/cloud", "--toml"]).await;
    let table: toml::Table = told.out.parse().expect("configuration");
    let proposed = table["employees"].as_array().expect("a list");
    assert_eq!(proposed.len(), 1);
    assert_eq!(proposed[0]["id"].as_str(), Some("sidorova"));
    // It may be pasted as it is.
    home.edit_tenant(
        "[[sources]]\nid = \"office\"",
        &format!("{}\n[[sources]]\nid = \"office\"", told.out),
    );
    assert!(!daemon.reload().await.contains("refused"));
    let told = home.run(&["pbx", "roster", "acme/cloud"]).await;
    assert!(told.out.contains("is sidorova"), "{told:?}");
    let told = home.run(&["pbx", "roster", "acme/office"]).await;
    assert_eq!(told.status, Some(1), "{told:?}");
    branch.vats.set(|switches| switches.down = true);
    let told = home.run(&["pbx", "roster", "acme/cloud"]).await;
    assert!(told.err.contains("says 503"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_telephone_does_not_ring_is_named_in_both_generations_and_where_nobody_tells() {
    for generation in ["", "api = \"wcgp\"\n"] {
        let branch = Branch::open(generation, |_| {}).await;
        let _daemon = branch.start().await;
        let home = &branch.office.home;
        let quiet = home.run(&["pbx", "roster", "acme/cloud"]).await;
        assert!(!quiet.out.contains("takes no calls"), "{quiet:?}");
        branch.vats.subscribe("petrov", false);
        branch.vats.do_not_disturb("sidorova", true);
        let told = home.run(&["pbx", "roster", "acme/cloud"]).await;
        for words in [
            "Борис Петров takes no calls of groups",
            "Вера Сидорова does not want to be disturbed",
        ] {
            assert!(told.out.contains(words), "{words}: {told:?}");
        }
        // A VATS without these commands lists its people all the same.
        branch.vats.set(|switches| switches.presence = false);
        let told = home.run(&["pbx", "roster", "acme/cloud"]).await;
        assert!(told.out.contains("employees: 3"), "{told:?}");
        assert!(!told.out.contains("takes no calls"), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_of_the_vats_is_fetched_with_the_key_and_played() {
    let branch = Branch::open("", |options| {
        options.switches.phone_form = PhoneForm::Eight;
        options.switches.direction = false;
    })
    .await;
    set_public(&branch.office);
    let daemon = branch.start().await;
    branch
        .play([quick(CallKind::Answered, "79161112233").users(&["petrov"])])
        .await;
    daemon.settled(1).await;
    let link = until("the entry has the recording's address", async || {
        let calls = branch.office.oracle().calls;
        let link = calls.first().map(|call| call.link.clone());
        let link = link.filter(|link| !link.is_empty());
        link.ok_or_else(|| branch.office.home.log())
    })
    .await;
    let sound = daemon.http.get(link).send().await.expect("an answer");
    assert_eq!(sound.status().as_u16(), 200);
    assert!(sound.bytes().await.expect("a body").starts_with(b"RIFF"));
    let calls = branch.office.oracle().calls;
    assert_eq!(calls[0].call_responsible, Some(BORIS.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_in_the_middle_of_a_vats_call_leaves_one_call() {
    let branch = Branch::open("history_poll_s = 100\n", |_| {}).await;
    let daemon = branch.start().await;
    let handle = branch.vats.handle();
    let call = quick(CallKind::Answered, "79161112233").users(&["petrov"]);
    let call = call.times(Duration::from_millis(300), Duration::from_secs(6));
    let playing = tokio::spawn(async move { handle.play(call).await });
    daemon.open_calls(1).await;
    // Nothing of the source changed, then much did.
    daemon.reload().await;
    let home = &branch.office.home;
    home.edit_tenant(
        "history_poll_s = 100",
        "history_poll_s = 99\ncontact_within_ms = 800",
    );
    let note = daemon.reload().await;
    assert!(note.contains("changed"), "{note}");
    playing.await.expect("it is played");
    daemon.settled(1).await;
    let key = daemon.journal_keys().await.remove(0);
    let call = daemon.story(&key).await["snapshot"]["body"]["call"].clone();
    // Rung before, talked over both reloads.
    assert_eq!(call["talkers"], json!(["petrov"]), "{call}");
    assert!(call["talking_ms"].as_u64() >= Some(5_000), "{call}");
    assert_eq!(call["legs"].as_array().map(Vec::len), Some(1), "{call}");
}
