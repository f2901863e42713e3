//! Portals of Bitrix24 that install our application by themselves (S3-01, S3-19), and whoever would
//! like to be one.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use trunkline::lab::bitrix24::{
    ApplicationKind, ApplicationOptions, BitrixOptions, Limits, Mode, PageVisit, Switches,
};

use super::bitrix24::Branch;
use super::daemon::{Daemon, list};
use super::home::{ADMIN_TOKEN, Ran};
use super::office::site_call;
use super::wait::{until, when};

/// The application of the marketplace.
const APPLICATION: &str = "app.65f0c0ffee0002.87654321";

/// Where portals post, below the intake's address.
const PLACE: &str = "/crm/bitrix24/install";

/// A company whose portal has the application in its catalogue, not installed yet.
async fn branch(switches: Switches) -> Branch {
    let options = BitrixOptions::default();
    let branch = Branch::open_with(BitrixOptions {
        limits: Limits::none(),
        mode: Mode::Simple,
        applications: vec![ApplicationOptions {
            kind: ApplicationKind::Market,
            client_id: APPLICATION.to_owned(),
            return_url: None,
            installed: false,
            ..options.applications[0].clone()
        }],
        switches,
        ..options
    })
    .await;
    let address = format!("http://{}", branch.home.intake());
    branch
        .portal
        .set_install_url(APPLICATION, &format!("{address}{PLACE}"));
    // The portal and the authorisation server are told apart, and the portal reaches us.
    let (any, one) = (
        format!("\"{}\"", branch.portal.base_url()),
        format!("\"{}\"", branch.portal.base_url_of("demo.bitrix24.ru")),
    );
    let config = "etc/trunkline.toml";
    branch.home.edit(config, &any, &one);
    let tenants = "tenants_dir = \"tenants.d\"\n";
    let with_url = format!("{tenants}public_url = \"{address}\"\n");
    branch.home.edit(config, tenants, &with_url);
    let strangers = "body_bytes_max = 65536\n";
    let many = format!("{strangers}stranger_requests_per_minute_max = 100000\n");
    branch.home.edit(config, strangers, &many);
    branch
}

/// What is answered to a portal.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

/// Posts as the portal, or somebody else, does.
async fn post(branch: &Branch, daemon: &Daemon, query: &str, form: String) -> Answered {
    let url = format!("http://{}{PLACE}?{query}", branch.home.intake());
    let request = daemon.http.post(url).body(form);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let answer = request.send().await.expect("an answer");
    Answered {
        status: answer.status(),
        headers: answer.headers().clone(),
        text: answer.text().await.expect("a body"),
    }
}

async fn visit(branch: &Branch, daemon: &Daemon, visit: &PageVisit) -> Answered {
    post(branch, daemon, &visit.query, visit.form.clone()).await
}

/// Opens the installer's page in the portal's frame, as a user.
fn open(branch: &Branch, user: u64) -> PageVisit {
    let page = branch
        .portal
        .open_page(APPLICATION, user, "DEFAULT", &Value::Null);
    page.expect("an application")
}

async fn waiting(daemon: &Daemon) -> Vec<Value> {
    let found = daemon.get("/v1/installations").await;
    list(&found, "items").to_vec()
}

/// Waits until one waits, and returns it.
async fn one_waits(daemon: &Daemon) -> Value {
    until("an installation waits", async || {
        let found = waiting(daemon).await;
        match found.as_slice() {
            [one] => Ok(one.clone()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

fn id(one: &Value) -> String {
    one["id"].as_str().expect("a number").to_owned()
}

async fn accept(branch: &Branch, id: &str, account: &str) -> Ran {
    branch.home.run(&["account", "accept", id, account]).await
}

/// Has the portal install the application by its event, and accepts that.
async fn let_in(branch: &Branch, daemon: &Daemon) {
    branch.portal.install(APPLICATION).expect("an application");
    let one = one_waits(daemon).await;
    let accepted = accept(branch, &id(&one), "acme/main").await;
    assert_eq!(accepted.status, Some(0), "{accepted:?}");
}

/// Has a call of this client delivered.
async fn delivers(branch: &Branch, daemon: &Daemon, name: &str, client: &str, calls: usize) {
    let began = u32::try_from(calls).expect("few") * 60;
    let posted = daemon.post(&site_call(name, client, began)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    daemon.settled(calls).await;
    assert_eq!(branch.oracle().calls_of_phone(client).len(), 1);
}

async fn alarms(daemon: &Daemon, word: &str) -> Vec<String> {
    let status = daemon.get("/v1/alarms").await;
    let of_word = list(&status, "items").iter().filter(|one| {
        let alarm = &one["alarm"];
        alarm["word"] == word || one["word"] == word
    });
    of_word.map(Value::to_string).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_01_s3_19_a_portal_that_installs_itself_waits_inertly_until_it_is_accepted() {
    let branch = branch(Switches::default()).await;
    let daemon = Daemon::start(&branch.home).await;
    let posted = daemon.post(&site_call("first", "79160000001", 0)).await;
    assert_eq!(posted.0, 202);
    branch.portal.install(APPLICATION).expect("an application");
    let one = one_waits(&daemon).await;
    assert_eq!(one["portal"], "demo.bitrix24.ru");
    assert_eq!(one["application"], APPLICATION);
    assert_eq!(one["installed_by"], "Ольга Иванова");
    assert_eq!(one["accounts"], json!(["acme/main"]));
    // Without a credential nothing goes to the portal, and the integration says what it waits for.
    until("the integration waits", async || {
        let status = daemon.get("/v1/status").await;
        let why = &status["integrations"][0]["waiting_for"];
        when(why.to_string().contains("not authorised yet"), why)
    })
    .await;
    assert!(branch.oracle().calls_of_phone("79160000001").is_empty());
    until("an alarm tells a person", async || {
        let found = alarms(&daemon, "installation").await;
        when(found.len() == 1, format!("{found:?}"))
    })
    .await;
    let listed = branch.home.run(&["account", "installations"]).await;
    assert!(
        listed.out.contains(&id(&one)) && listed.out.contains("for acme/main"),
        "{listed:?}"
    );
    // It is accepted for an account that there is, by a number that there is.
    assert_eq!(
        accept(&branch, "000000000000", "acme/main").await.status,
        Some(2)
    );
    assert_eq!(accept(&branch, "../x", "acme/main").await.status, Some(2));
    let nowhere = accept(&branch, &id(&one), "acme/nowhere").await;
    assert!(nowhere.err.contains("no such account"), "{nowhere:?}");
    assert_eq!(waiting(&daemon).await.len(), 1);

    let accepted = accept(&branch, &id(&one), "acme/main").await;
    assert_eq!(accepted.status, Some(0), "{accepted:?}");
    daemon.settled(1).await;
    assert_eq!(branch.oracle().calls_of_phone("79160000001").len(), 1);
    assert!(waiting(&daemon).await.is_empty());
    // What it was let in with outlives a kill, and rotates as any other.
    daemon.kill();
    branch.portal.expire_access_tokens();
    let daemon = Daemon::start(&branch.home).await;
    delivers(&branch, &daemon, "second", "79160000002", 2).await;
    assert_eq!(branch.portal.counters().spent_tokens_reused, 0);
    let log = branch.home.log();
    let token = branch.portal.application_token(APPLICATION);
    assert!(
        !log.contains(&token.expect("a token")),
        "the log shows a token"
    );
    let notes = daemon.notes().await;
    let of = |word: &str| notes.iter().filter(|(known, _)| known == word).count();
    assert_eq!(
        (of("installation"), of("authorisation")),
        (1, 1),
        "{notes:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_01_a_person_who_installs_by_the_page_is_told_to_finish_at_the_box() {
    let branch = branch(Switches {
        page_names_application_token: false,
        ..Switches::default()
    })
    .await;
    let daemon = Daemon::start(&branch.home).await;
    // Who is no administrator of the portal installs nothing.
    let refused = visit(&branch, &daemon, &open(&branch, 12)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    assert!(
        refused.text.contains("Нужен администратор"),
        "{}",
        refused.text
    );
    assert!(!refused.text.contains("<script"), "{}", refused.text);
    assert!(waiting(&daemon).await.is_empty());

    let page = open(&branch, 1);
    let shown = visit(&branch, &daemon, &page).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let one = one_waits(&daemon).await;
    assert!(
        shown.text.contains("Осталось принять портал"),
        "{}",
        shown.text
    );
    assert!(shown.text.contains(&id(&one)), "{}", shown.text);
    assert!(
        shown.text.contains("BX24.installFinish()"),
        "{}",
        shown.text
    );
    let policy = shown.headers["content-security-policy"]
        .to_str()
        .expect("text");
    assert!(
        policy.contains("frame-ancestors https://demo.bitrix24.ru")
            && policy.contains("script-src https://api.bitrix24.com 'sha256-")
            && policy.contains("default-src 'none'"),
        "{policy}"
    );
    // In the other language, and the same once more: one waits, and nobody is asked again.
    let asked = branch.portal.log().len();
    let english = PageVisit {
        query: page.query.replace("LANG=ru", "LANG=en"),
        ..page
    };
    let again = visit(&branch, &daemon, &english).await;
    assert!(again.text.contains("must be accepted"), "{}", again.text);
    assert_eq!(branch.portal.log().len(), asked);
    assert_eq!(waiting(&daemon).await.len(), 1);
    let url = format!(
        "http://{}/v1/installations/{}/accept",
        branch.home.admin(),
        id(&one)
    );
    let body = json!({ "tenant": "acme", "account": "main" });
    let request = daemon.http.post(url).bearer_auth(ADMIN_TOKEN).json(&body);
    let accepted = request.send().await.expect("an answer");
    assert_eq!(accepted.status(), StatusCode::OK);
    // A page that is opened later changes nothing.
    let opened = visit(&branch, &daemon, &english).await;
    assert!(opened.text.contains("is connected"), "{}", opened.text);
    delivers(&branch, &daemon, "first", "79160000001", 1).await;
    assert_eq!(branch.portal.counters().spent_tokens_reused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_01_whoever_is_no_portal_of_ours_changes_nothing() {
    let branch = branch(Switches::default()).await;
    let daemon = Daemon::start(&branch.home).await;
    let form = branch.portal.install(APPLICATION).expect("an application");
    let one = one_waits(&daemon).await;
    let refused = branch.home.run(&["account", "refuse", &id(&one)]).await;
    assert_eq!(refused.status, Some(0), "{refused:?}");
    assert!(waiting(&daemon).await.is_empty());
    let asked = branch.portal.log().len();
    // A host that no account has, a host that is none, a server that is not the vendor's; garbage.
    for (why, from, to, status) in [
        (
            "foreign",
            "demo.bitrix24.ru",
            "other.bitrix24.ru",
            StatusCode::FORBIDDEN,
        ),
        (
            "evil",
            "demo.bitrix24.ru",
            "demo.bitrix24.ru.evil.example",
            StatusCode::FORBIDDEN,
        ),
        (
            "port",
            "demo.bitrix24.ru%2F",
            "demo.bitrix24.ru%3A8443%2F",
            StatusCode::NOT_FOUND,
        ),
        (
            "server",
            "oauth.bitrix24.tech",
            "oauth.evil.example",
            StatusCode::NOT_FOUND,
        ),
        (
            "event",
            "ONAPPINSTALL",
            "ONCRMLEADADD",
            StatusCode::NOT_FOUND,
        ),
        (
            "tokens",
            "refresh_token",
            "fresh_token",
            StatusCode::NOT_FOUND,
        ),
    ] {
        let changed = form.replace(from, to);
        assert_ne!(changed, form, "{why}");
        let answer = post(&branch, &daemon, "", changed).await;
        assert_eq!(answer.status, status, "{why}: {}", answer.text);
    }
    for nonsense in ["", "%%%", "event=ONAPPUNINSTALL", "\u{0}\u{1}"] {
        let answer = post(&branch, &daemon, "DOMAIN=x", nonsense.to_owned()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{nonsense:?}");
    }
    let huge = post(&branch, &daemon, "", "a=b&".repeat(10_000)).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
    let unknown = daemon.post_to("/crm/amocrm/install", form.clone()).await;
    assert_eq!(unknown.0, 404, "this CRM installs nothing by itself");
    assert_eq!(
        branch.portal.log().len(),
        asked,
        "the vendor was asked for nothing"
    );
    // Somebody else's name, or tokens that the vendor does not know.
    let member = branch.portal.options().member_id.clone();
    for (why, from, to) in [
        (
            "member",
            member.as_str(),
            "00000000000000000000000000000000",
        ),
        ("token", "access_token%5D=", "access_token%5D=0"),
    ] {
        let changed = form.replace(from, to);
        assert_ne!(changed, form, "{why}");
        // Another refresh token, or it would be known already.
        let changed = changed.replace("refresh_token%5D=", "refresh_token%5D=1");
        let answer = post(&branch, &daemon, "", changed).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{why}: {}",
            answer.text
        );
    }
    assert!(waiting(&daemon).await.is_empty());
    // What was refused by a person may be asked again; a stranger's account is not let in by it.
    let answer = post(&branch, &daemon, "", form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(waiting(&daemon).await.len(), 1);
    let log = branch.home.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_01_a_listed_portal_may_wait_without_an_account_and_a_flood_is_told_to_come_again() {
    let branch = branch(Switches::default()).await;
    branch.home.edit_tenant(
        "url = \"https://demo.bitrix24.ru\"",
        "url = \"https://mine.bitrix24.ru\"",
    );
    // No simulator stands for that host.
    branch.home.edit_tenant("rate_per_second = 500\n", "");
    let many = "stranger_requests_per_minute_max = 100000\n";
    let few = "stranger_requests_per_minute_max = 3\n";
    branch.home.edit("etc/trunkline.toml", many, few);
    let daemon = Daemon::start(&branch.home).await;
    let form = branch.portal.install(APPLICATION).expect("an application");
    until("the event was delivered", async || {
        let lost = branch.portal.counters().events_lost;
        when(lost == 1, lost)
    })
    .await;
    assert!(waiting(&daemon).await.is_empty(), "it is nobody's");
    let listed = "[installations]\nportals = [\"*.bitrix24.ru\"]\n\n[base_urls]";
    branch
        .home
        .edit("etc/trunkline.toml", "[base_urls]", listed);
    daemon.reload().await;
    let answer = post(&branch, &daemon, "", form.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let one = one_waits(&daemon).await;
    assert_eq!(one["accounts"], json!([]), "no account fits");
    let refused = accept(&branch, &id(&one), "acme/main").await;
    assert!(
        refused.err.contains("the account is mine.bitrix24.ru"),
        "{refused:?}"
    );
    // Hundreds of others: after some they are only counted.
    let mut told = 0;
    for number in 0..100 {
        let other = form.replace("refresh_token%5D=", &format!("refresh_token%5D={number}"));
        let member = branch.portal.options().member_id.clone();
        let other = other.replace(&member, &format!("{number:032}"));
        let answer = post(&branch, &daemon, "", other).await;
        told += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(
        told > 0,
        "none of a hundred in a row was told to come again"
    );
    assert_eq!(waiting(&daemon).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_01_an_update_goes_on_with_new_tokens_and_an_old_bundle_brings_none_back() {
    let branch = branch(Switches::default()).await;
    let daemon = Daemon::start(&branch.home).await;
    let first = branch.portal.install(APPLICATION).expect("an application");
    let one = one_waits(&daemon).await;
    let accepted = accept(&branch, &id(&one), "acme/main").await;
    assert_eq!(accepted.status, Some(0), "{accepted:?}");
    delivers(&branch, &daemon, "first", "79160000001", 1).await;
    // The refresh token that it came with is spent now.
    branch.portal.expire_access_tokens();
    delivers(&branch, &daemon, "second", "79160000002", 2).await;
    let rotations = branch.portal.counters().token_rotations;
    assert!(rotations >= 1);
    // An update of the application: nobody need accept the same portal again.
    branch.portal.install(APPLICATION).expect("an application");
    until("the account goes on with the new tokens", async || {
        let notes = daemon.notes().await;
        let taken = notes
            .iter()
            .filter(|(word, _)| word == "authorisation")
            .count();
        when(taken == 2, format!("{notes:?}"))
    })
    .await;
    assert!(waiting(&daemon).await.is_empty());
    // Whoever saw the first bundle sends it again.
    let asked = branch.portal.log().len();
    let replayed = post(&branch, &daemon, "", first).await;
    assert_eq!(replayed.status, StatusCode::OK);
    assert_eq!(branch.portal.log().len(), asked, "nobody was asked");
    branch.portal.expire_access_tokens();
    delivers(&branch, &daemon, "third", "79160000003", 3).await;
    assert_eq!(branch.portal.counters().spent_tokens_reused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_01_an_application_that_is_taken_out_rests_and_must_be_accepted_again() {
    let branch = branch(Switches {
        reinstalled_has_new_token: true,
        ..Switches::default()
    })
    .await;
    let daemon = Daemon::start(&branch.home).await;
    let_in(&branch, &daemon).await;
    delivers(&branch, &daemon, "first", "79160000001", 1).await;
    let resting = async || {
        let accounts = daemon.get("/v1/accounts").await;
        let alarm = &accounts["items"][0]["alarm"];
        alarm.to_string().contains("removed from the portal")
    };
    // A forged notice is nothing; a true one that is not so is looked into.
    let member = &branch.portal.options().member_id;
    let notice = |token: &str| {
        format!("event=ONAPPUNINSTALL&auth[member_id]={member}&auth[application_token]={token}")
    };
    let forged = post(&branch, &daemon, "", notice("guessed")).await;
    assert_eq!(forged.status, StatusCode::NOT_FOUND);
    assert!(!resting().await);
    // The portal tells of it at the address that set-up bound.
    until("the removal will be told", async || {
        let bound = branch.portal.bound_events(APPLICATION);
        let address = format!("http://{}{PLACE}", branch.home.intake());
        let wanted = ("ONAPPUNINSTALL".to_owned(), address);
        when(bound == [wanted], format!("{bound:?}"))
    })
    .await;
    branch.portal.uninstall(APPLICATION, true);
    until("the account rests", async || {
        when(resting().await, "an alarm")
    })
    .await;
    // Installed again it is another one: a person decides.
    branch.portal.install(APPLICATION).expect("an application");
    let one = one_waits(&daemon).await;
    assert!(resting().await);
    let accepted = accept(&branch, &id(&one), "acme/main").await;
    assert_eq!(accepted.status, Some(0), "{accepted:?}");
    delivers(&branch, &daemon, "second", "79160000002", 2).await;
    assert_eq!(branch.portal.counters().spent_tokens_reused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_01_what_the_contract_leaves_open_about_the_event_is_stood_both_ways() {
    for (endpoint, server) in [(false, true), (true, false), (false, false)] {
        let branch = branch(Switches {
            install_names_endpoint: endpoint,
            install_names_server: server,
            ..Switches::default()
        })
        .await;
        // The default server of the documents is another than the lab's.
        if !server {
            let known = "[base_urls]\n";
            let info = format!(
                "{known}\"https://oauth.bitrix.info\" = \"{}\"\n",
                branch.portal.oauth_url()
            );
            branch.home.edit("etc/trunkline.toml", known, &info);
        }
        let daemon = Daemon::start(&branch.home).await;
        let_in(&branch, &daemon).await;
        delivers(&branch, &daemon, "first", "79160000001", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_let_us_in_stands_in_for_who_left_before_the_first_renewal_says_who_that_is() {
    for says in [false, true] {
        let branch = branch(Switches {
            install_names_user: says,
            ..Switches::default()
        })
        .await;
        // The employee's user was dismissed in the portal.
        branch.home.edit_tenant("user = \"12\"", "user = \"16\"");
        let nobody_else = ["1", "13"].map(|id| format!("default_responsible = {id:?}"));
        branch.home.edit_tenant(&nobody_else[0], &nobody_else[1]);
        let daemon = Daemon::start(&branch.home).await;
        let_in(&branch, &daemon).await;
        delivers(&branch, &daemon, "c-1", "79160000001", 1).await;
        let oracle = branch.oracle();
        assert_eq!(oracle.counters.token_rotations, 0);
        assert_eq!(oracle.calls[0].user, 1, "{:?}", oracle.calls);
    }
}
