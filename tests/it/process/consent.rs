//! Letting an account in by amoCRM's own page, and what else comes from there.

use std::process::Stdio;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use trunkline::lab::amocrm::{AmoOptions, ClientOptions, Tokens};
use trunkline::lab::fault::{Fault, When};

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::wait::{until, when};

pub(super) const CLIENT_ID: &str = "6a1d0c5e-0000-4000-8000-000000000001";
pub(super) const CALLBACK: &str = "https://box.example/oauth/amocrm";

/// An office whose account is let in by consent, with the page leading back to us.
async fn office() -> Office {
    let tokens = Tokens::default();
    let clients = tokens.clients.iter().map(|client| ClientOptions {
        redirect_uri: CALLBACK.to_owned(),
        ..client.clone()
    });
    let office = Office::open_with(AmoOptions {
        rate_per_second: 2_000,
        account_rate_per_second: 2_000,
        search_lag: Duration::ZERO,
        tokens: Tokens {
            clients: clients.collect(),
            ..tokens
        },
        ..AmoOptions::default()
    })
    .await;
    office.home.write("secrets/amocrm-client", "lab-secret");
    office.home.edit_tenant(
        "url = \"https://demo.amocrm.ru\"\n",
        &format!(
            "url = \"https://demo.amocrm.ru\"\nclient_id = \"{CLIENT_ID}\"\n\
             redirect_uri = \"{CALLBACK}\"\n"
        ),
    );
    office.home.edit_tenant(
        "token = { file = \"../../secrets/amocrm-main\" }",
        "client_secret = { file = \"../../secrets/amocrm-client\" }",
    );
    let tenants = "tenants_dir = \"tenants.d\"\n";
    let with_url = format!("{tenants}public_url = \"https://box.example\"\n");
    office.home.edit("etc/trunkline.toml", tenants, &with_url);
    office
}

/// Returns the page that the command line shows.
async fn link(office: &Office) -> String {
    let mut command = office.home.command(&["account", "authorise", "acme/main"]);
    command.stdin(Stdio::null());
    let ran = office
        .home
        .run(&["account", "authorise", "acme/main"])
        .await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let page = ran.out.lines().find(|line| line.starts_with("https://"));
    page.unwrap_or_else(|| panic!("{ran:?}")).to_owned()
}

/// What becomes of the address that a browser is sent to.
type Change = Box<dyn Fn(String) -> String>;

/// What a browser is shown.
pub(super) struct Shown {
    pub(super) status: StatusCode,
    pub(super) page: String,
    policy: String,
}

/// Goes where the CRM sends a browser, through the customer's proxy.
pub(super) async fn follow(office: &Office, daemon: &Daemon, address: &str) -> Shown {
    let ours = address
        .strip_prefix("https://box.example")
        .expect("our address");
    let url = format!("http://{}{ours}", office.home.intake());
    let answer = daemon.http.get(url).send().await.expect("an answer");
    let status = answer.status();
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = answer.text().await.expect("a page");
    Shown {
        status,
        page,
        policy,
    }
}

async fn credential_alarm(daemon: &Daemon) -> Option<String> {
    let status = daemon.get("/v1/status").await;
    let alarms = list(&status, "alarms").iter();
    let mut texts = alarms
        .filter(|alarm| alarm["word"] == "credential")
        .filter_map(|alarm| alarm["text"].as_str().map(str::to_owned));
    texts.next()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_let_in_by_a_link_that_works_once_and_leaves_no_trace_in_the_log() {
    let office = office().await;
    let daemon = office.start().await;
    let posted = daemon.post(&site_call("first", "79160000001", 0)).await;
    assert_eq!(posted.0, 202);
    let alarm = credential_alarm(&daemon).await.expect("an alarm");
    assert!(
        alarm.contains("https://www.amocrm.ru/oauth?client_id="),
        "{alarm}"
    );
    let page = link(&office).await;
    assert!(
        alarm.contains(&page),
        "the alarm shows the same link: {alarm}"
    );

    let sent = office.crm.consent(&page, 501).expect("a good link");
    let shown = follow(&office, &daemon, &sent).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.page);
    assert!(shown.page.contains("window.close()"), "{}", shown.page);
    assert!(
        shown.policy.contains("script-src 'sha256-"),
        "{}",
        shown.policy
    );
    // What waited goes on.
    daemon.settled(1).await;
    assert_eq!(credential_alarm(&daemon).await, None);
    assert_eq!(office.oracle().calls_of_phone("79160000001").len(), 1);

    // The browser comes back once more: nothing happens.
    let rotations = office.crm.log().len();
    let again = follow(&office, &daemon, &sent).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(!again.page.contains("def502"), "{}", again.page);
    assert_eq!(office.crm.log().len(), rotations);
    let state = page
        .split("state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let log = office.home.log();
    for secret in [state.expect("a state"), "def502", "lab-secret"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let notes = daemon.notes().await;
    assert!(
        notes
            .iter()
            .any(|(word, text)| word == "authorisation" && text.contains("authorised anew")),
        "{notes:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_wrongly_changes_nothing_and_reads_a_plain_page() {
    let office = office().await;
    let daemon = office.start().await;
    let before = office.crm.log().len();
    let good = |sent: &str, from: &str, to: &str| sent.replace(from, to);
    // Made up, too long, of another portal, of another company, refused.
    let visits: [(&str, Change); 5] = [
        (
            "guessed",
            Box::new(|_| format!("{CALLBACK}?state=guessed&code=x&referer=demo.amocrm.ru")),
        ),
        (
            "long",
            Box::new(|_| format!("{CALLBACK}?state={}&code=x", "a".repeat(9000))),
        ),
        (
            "another portal",
            Box::new(move |sent| good(&sent, "referer=demo.", "referer=other.")),
        ),
        (
            "no host of amoCRM's",
            Box::new(move |sent| good(&sent, "referer=demo.amocrm.ru", "referer=evil.example")),
        ),
        (
            "no code",
            Box::new(move |sent| good(&sent, "code=", "cod=")),
        ),
    ];
    for (name, change) in visits {
        let page = link(&office).await;
        let sent = change(office.crm.consent(&page, 501).expect("a good link"));
        let shown = follow(&office, &daemon, &sent).await;
        assert!(
            shown.status == StatusCode::BAD_REQUEST || name == "no code",
            "{name}: {}",
            shown.status
        );
        for leak in ["evil", "guessed", "def502", "demo", "other", "aaaa"] {
            assert!(!shown.page.contains(leak), "{name}: {}", shown.page);
        }
    }
    let page = link(&office).await;
    let refused = office.crm.refuse_consent(&page).expect("a good link");
    let shown = follow(&office, &daemon, &refused).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.page.contains("not permitted"), "{}", shown.page);
    let exchanged = office.crm.log().len() - before;
    assert_eq!(exchanged, 0, "no code was sent anywhere");
    // The address alone is probed by amoCRM.
    let probed = follow(&office, &daemon, CALLBACK).await;
    assert_eq!(probed.status, StatusCode::OK);
    assert!(
        credential_alarm(&daemon)
            .await
            .expect("stands")
            .contains("not authorised yet")
    );
    // A CRM that refuses the code is not quoted to whoever sits there.
    office.fault(
        "POST",
        "/oauth2/access_token",
        When::Always,
        Fault::ErrorAfter { status: 502 },
    );
    let page = link(&office).await;
    let sent = office.crm.consent(&page, 501).expect("a good link");
    let shown = follow(&office, &daemon, &sent).await;
    assert_eq!(shown.status, StatusCode::BAD_REQUEST);
    assert!(!shown.page.contains("502"), "{}", shown.page);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_way_back_there_is_no_link_and_a_pasted_code_serves() {
    let office = office().await;
    office.home.edit(
        "etc/trunkline.toml",
        "public_url = \"https://box.example\"\n",
        "",
    );
    let daemon = office.start().await;
    let ran = office
        .home
        .run(&["account", "authorise", "acme/main"])
        .await;
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.err.contains("public_url is not set"), "{ran:?}");
    let alarm = credential_alarm(&daemon).await.expect("an alarm");
    assert!(!alarm.contains("state="), "{alarm}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_switched_off_in_the_crm_rests_and_is_let_in_again() {
    let office = office().await;
    let daemon = office.start().await;
    let let_in = async || {
        let page = link(&office).await;
        let sent = office.crm.consent(&page, 501).expect("a good link");
        let shown = follow(&office, &daemon, &sent).await;
        assert_eq!(shown.status, StatusCode::OK);
    };
    let_in().await;
    daemon.post(&site_call("first", "79160000001", 0)).await;
    daemon.settled(1).await;
    let notice = office.crm.switch_off_notice(CLIENT_ID);
    let url = |query: &str| {
        format!(
            "http://{}/oauth/amocrm/disabled?{query}",
            office.home.intake()
        )
    };
    let forged = daemon
        .http
        .get(url(&notice.replace("signature=", "signature=0")))
        .send()
        .await;
    assert_eq!(forged.expect("an answer").status(), StatusCode::NOT_FOUND);

    office.crm.revoke_tokens();
    let told = daemon
        .http
        .get(url(&notice))
        .send()
        .await
        .expect("an answer");
    assert_eq!(told.status(), StatusCode::OK);
    until("the alarm stands", async || {
        let alarm = credential_alarm(&daemon).await.unwrap_or_default();
        when(alarm.contains("switched off in amoCRM"), alarm)
    })
    .await;
    daemon.post(&site_call("second", "79160000002", 60)).await;
    let asked = office.crm.log().len();
    until("the metric stands", async || {
        let url = format!("http://{}/metrics", office.home.admin());
        let request = daemon.http.get(url).bearer_auth(super::home::ADMIN_TOKEN);
        let text = request
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text");
        let stands = text.contains("trunkline_credential_alarm{account=\"acme/main\"} 1");
        when(
            stands && text.contains("trunkline_credential_ends_at_seconds"),
            text,
        )
    })
    .await;
    assert_eq!(office.crm.log().len(), asked, "the account is left alone");
    let_in().await;
    daemon.settled(2).await;
    assert_eq!(office.oracle().calls_of_phone("79160000002").len(), 1);
    assert_eq!(office.crm.counters().spent_tokens_reused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_portal_is_followed_and_the_account_list_says_so() {
    let office = office().await;
    let base_url = office.crm.base_url();
    let only_this_host = format!("\"{base_url}/@demo.amocrm.ru\"");
    office.home.edit(
        "etc/trunkline.toml",
        &format!("\"{base_url}\""),
        &only_this_host,
    );
    let daemon = office.start().await;
    let sent = office
        .crm
        .consent(&link(&office).await, 501)
        .expect("a good link");
    assert_eq!(follow(&office, &daemon, &sent).await.status, StatusCode::OK);
    daemon.post(&site_call("first", "79160000001", 0)).await;
    daemon.settled(1).await;
    office.crm.rename("new");
    daemon.post(&site_call("second", "79160000002", 60)).await;
    daemon.settled(2).await;
    assert_eq!(office.oracle().calls_of_phone("79160000002").len(), 1);
    let listed = office.home.run(&["account", "list"]).await;
    assert!(
        listed.out.contains("renamed to new.amocrm.ru"),
        "{listed:?}"
    );
    daemon.kill();
    let daemon = office.start().await;
    daemon.post(&site_call("third", "79160000003", 120)).await;
    daemon.settled(3).await;
    assert_eq!(office.crm.counters().spent_tokens_reused, 0);
    let accounts = daemon.get("/v1/accounts").await;
    assert_eq!(
        accounts["items"][0]["credential"]["renamed_to"],
        Value::from("new.amocrm.ru")
    );
}
