//! Questions put to the real program: answered while much else is wrong, to those who may ask.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use trunkline::lab::amocrm::{CardEdit, SeedCard};

use super::daemon::{Daemon, list};
use super::home::Home;
use super::office::{ANNA, Office, site_call};
use super::wait::{until, when};

pub(super) const CLIENT: &str = "+79161112233";
const STRANGER: &str = "+79160009999";

/// Boris's user in the CRM: extension 102.
const BORIS: u64 = 503;

/// Connections at once; more than twice what a phone system of the largest customer has calls.
const CONNECTIONS: usize = 3_000;

/// Has the office redirect calls to managers, the CRM asked on a miss, and the default 700.
pub(super) fn redirects(home: &Home) {
    home.edit_tenant(
        "[integrations.settings.calls]\n",
        "[integrations.settings.personal_manager]\non = true\n\n[integrations.settings.calls]\n",
    );
    home.edit_tenant(
        "name = \"Офис\"\n",
        "name = \"Офис\"\nquestions = { live_within_ms = 2000, exits = { default = \"700\" } }\n",
    );
}

pub(super) fn question(daemon: &Daemon, home: &Home, source: &str, query: &str) -> RequestBuilder {
    let url = format!(
        "http://{}/v1/lookup/acme/{source}?{query}",
        home.questions()
    );
    daemon.http.get(url)
}

pub(super) async fn ask(daemon: &Daemon, home: &Home, query: &str) -> (StatusCode, String) {
    let asked = question(daemon, home, "office", query).send().await;
    let answer = asked.unwrap_or_else(|error| panic!("{error}:\n{}", home.log()));
    let status = answer.status();
    (status, answer.text().await.expect("a text"))
}

pub(super) async fn answer(daemon: &Daemon, home: &Home, phone: &str) -> Value {
    let (status, text) = ask(daemon, home, &format!("phone={phone}")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_23_a_call_goes_to_the_responsible_and_to_the_default_while_the_crm_is_away() {
    let office = Office::open().await;
    redirects(&office.home);
    let hostile = "x\nEXEC System \"reboot\"\r\n";
    office
        .crm
        .add_contact(&SeedCard::new(hostile, "8 (916) 111-22-33", ANNA));
    let daemon = office.start().await;
    let home = &office.home;

    let found = answer(&daemon, home, CLIENT).await;
    assert_eq!(found["route"], "personal_manager", "{found}");
    assert_eq!(
        (&found["extension"], &found["phone"]),
        (&"101".into(), &CLIENT.into())
    );
    assert_eq!(found["manager"]["employee"], "anna");
    let url = found["client"]["url"].as_str().expect("a link");
    assert!(
        url.starts_with("https://demo.amocrm.ru/contacts/detail/"),
        "{url}"
    );
    assert_eq!(found["integration"], "sales");
    assert_ne!(found["knowledge"], "none");
    let (_, text) = ask(&daemon, home, "phone=89161112233&format=text").await;
    assert_eq!(text, "101\n");
    let stranger = answer(&daemon, home, STRANGER).await;
    assert_eq!(
        (&stranger["route"], &stranger["extension"]),
        (&"default".into(), &"700".into())
    );

    let told = home
        .run(&[
            "lookup",
            "acme",
            "office",
            "8 916 111-22-33",
            "--explain",
            "--lang",
            "en",
        ])
        .await;
    assert_eq!(told.status, Some(0), "{told:?}");
    for words in [
        "extension 101, route personal_manager",
        "manager Анна",
        "user 502",
        "S1-25",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    assert!(!told.out.contains('\r'), "{:?}", told.out);
    let json = home
        .run(&["lookup", "acme", "office", CLIENT, "--json"])
        .await
        .json();
    assert_eq!(
        (&json["extension"], json.get("explanation")),
        (&"101".into(), None)
    );
    let unknown = home.run(&["lookup", "acme", "attic", CLIENT]).await;
    assert_eq!(unknown.status, Some(2), "{unknown:?}");

    // The CRM is away: at first it is asked in vain, and once the breaker is open no more.
    office.crm_down();
    until("the CRM is not asked any more", async || {
        let began = Instant::now();
        let stranger = answer(&daemon, home, STRANGER).await;
        assert_eq!(stranger["extension"], "700");
        assert!(began.elapsed() < Duration::from_secs(30));
        let path = "/v1/tenants/acme/sources/office/lookup?lang=en&phone=%2B79160009999";
        let explained = daemon.get(path).await;
        let reasons = explained["explanation"]["reasons"].to_string();
        when(reasons.contains("not_asked"), reasons)
    })
    .await;
    let metrics = daemon.http.get(format!("http://{}/metrics", home.admin()));
    let metrics = metrics
        .bearer_auth(super::home::ADMIN_TOKEN)
        .send()
        .await
        .expect("an answer");
    let metrics = metrics.text().await.expect("a text");
    for line in [
        "trunkline_questions_total{route=\"personal_manager\"} 2",
        "trunkline_questions_seconds_bucket{le=\"+Inf\"}",
        "trunkline_questions_live_total{outcome=\"not_asked\"}",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(!metrics.contains("7916"), "{metrics}");
    let status = daemon.get("/v1/status").await;
    assert_eq!(
        list(&status, "knowledge")[0]["portal"],
        "amocrm:demo.amocrm.ru",
        "{status}"
    );
    // Neither the log nor the journal tells who called.
    assert!(!home.log().contains("9161112233") && !home.log().contains("9160009999"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_23_a_new_responsible_in_the_crm_is_rung_and_memory_answers_when_the_crm_is_gone() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "[integrations.settings.calls]\n",
        "[integrations.settings.personal_manager]\n\n[integrations.settings.calls]\n",
    );
    let contact = office
        .crm
        .add_contact(&SeedCard::new("Client", CLIENT, ANNA));
    let daemon = office.start().await;
    let rings = async |extension: &str| {
        until(&format!("{extension} is rung"), async || {
            let found = answer(&daemon, &office.home, CLIENT).await;
            when(found["extension"] == extension, found)
        })
        .await;
    };
    rings("101").await;
    let edit = CardEdit {
        responsible_user_id: Some(BORIS),
        ..CardEdit::default()
    };
    assert!(office.crm.edit_contact(contact, &edit));
    rings("102").await;
    office.crm_down();
    let found = answer(&daemon, &office.home, CLIENT).await;
    assert_eq!(found["knowledge"], "directory", "{found}");
    assert!(found["age_s"].is_u64(), "{found}");
    // After a restart without any CRM, too: the store holds the directory.
    assert_eq!(daemon.terminate().await, Some(0));
    let daemon = Daemon::start(&office.home).await;
    until("memory is filled from the store", async || {
        let found = answer(&daemon, &office.home, CLIENT).await;
        when(found["extension"] == "102", found)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_the_answers_at_once_and_drops_no_session() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let home = &office.home;
    assert_eq!(answer(&daemon, home, CLIENT).await["route"], "none");
    home.edit_tenant(
        "[[sources]]\nid = \"office\"",
        "[[numbers]]\nnumber = \"+74950000001\"\nowner = \"boris\"\n\n\
         [[sources]]\nid = \"office\"\nquestions = { exits = { default = \"700\" } }",
    );
    let note = daemon.reload().await;
    assert!(
        note.contains("answers to questions: acme changed"),
        "{note}"
    );
    assert_eq!(answer(&daemon, home, CLIENT).await["extension"], "700");
    let (_, text) = ask(&daemon, home, "phone=&did=84950000001&format=text").await;
    assert_eq!(text, "102\n");
    home.edit_tenant("owner = \"boris\"", "owner = \"bori\"");
    assert!(daemon.reload().await.contains("refused"));
    let (_, text) = ask(&daemon, home, "phone=&did=84950000001&format=text").await;
    assert_eq!(text, "102\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered_while_nothing_more_is_accepted() {
    let office = Office::open().await;
    office.home.edit(
        "etc/trunkline.toml",
        "path = \"../trunkline.redb\"",
        "path = \"../trunkline.redb\"\nfree_mb_min = 1000000000",
    );
    redirects(&office.home);
    let daemon = Daemon::start(&office.home).await;
    until("the intake is closed", async || {
        let posted = daemon.post(&site_call("one", CLIENT, 0)).await;
        when(posted.0 == 503, posted.1)
    })
    .await;
    let found = answer(&daemon, &office.home, CLIENT).await;
    assert_eq!(
        (&found["route"], &found["extension"]),
        (&"default".into(), &"700".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_ask_is_refused_and_the_log_stays_short() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "name = \"Сайт\"\n",
        "name = \"Сайт\"\nquestions = { allow = [\"10.0.0.5\"] }\n",
    );
    let daemon = office.start().await;
    let home = &office.home;
    let before = home.log().lines().count();
    for _ in 0..50 {
        let refused = question(&daemon, home, "site", "phone=1")
            .send()
            .await
            .expect("an answer");
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(refused.headers()["connection"], "close");
        let foreign = question(&daemon, home, "office", "phone=1").header("Host", "evil.example");
        assert_eq!(
            foreign.send().await.expect("an answer").status(),
            StatusCode::FORBIDDEN
        );
    }
    let nowhere = question(&daemon, home, "attic", "phone=1")
        .send()
        .await
        .expect("an answer");
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    let long = format!("phone={}", "9".repeat(4000));
    let long = question(&daemon, home, "office", &long)
        .send()
        .await
        .expect("an answer");
    assert_eq!(long.status(), StatusCode::URI_TOO_LONG);
    assert!(home.log().lines().count() - before <= 3, "{}", home.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_to_others_without_a_word_on_who_may_ask_is_not_opened() {
    let home = Arc::new(Home::new(1, "http://127.0.0.1:1", "a token"));
    let listen = format!("[questions]\nlisten = \"{}\"", home.questions());
    home.edit(
        "etc/trunkline.toml",
        &listen,
        "[questions]\nlisten = \"0.0.0.0:8462\"",
    );
    let ran = home.run(&["run"]).await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
    for place in [
        "questions.hosts",
        "sources[0].questions.allow",
        "sources[1].questions.allow",
    ] {
        assert!(ran.err.contains(place), "{place}: {ran:?}");
    }
}

/// Sends one question on a connection of its own and returns the connection with the answer.
async fn one_of_many(address: SocketAddr) -> std::io::Result<(TcpStream, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = "GET /v1/lookup/acme/office?phone=%2B79161112233&format=text HTTP/1.1\r\n\
                   Host: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut piece = [0_u8; 1024];
    while !answer.ends_with(b"\r\n\r\n700\n") {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&piece[..read]);
    }
    Ok((stream, String::from_utf8_lossy(&answer).into_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_connections_at_once_are_answered() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "name = \"Офис\"\n",
        "name = \"Офис\"\nquestions = { exits = { default = \"700\" } }\n",
    );
    let daemon = office.start().await;
    let address = office.home.questions();
    let all = (0..CONNECTIONS).map(|_| one_of_many(address));
    let answered = timeout(
        Duration::from_secs(120),
        futures_util::future::join_all(all),
    )
    .await;
    let answered = answered.expect("they are answered in time");
    for connection in &answered {
        let (_, answer) = connection.as_ref().expect("an answer");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("700\n"),
            "{answer:?}"
        );
    }
    // All are still open, and neither the next question nor anything else is held up.
    let (_, text) = ask(&daemon, &office.home, "phone=1&format=text").await;
    assert_eq!(text, "700\n");
    assert_eq!(daemon.get("/v1/status").await["ready"], true);
}
