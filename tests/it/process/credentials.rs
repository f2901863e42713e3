//! Credentials and integrations as the pages make them: over the endpoint, with what is typed kept sealed
//! (S0-01 … S0-05, S1-01, S1-04, S2-01, S4-02, V-01).

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline::lab::alfacrm::{self, AlfaOptions};
use trunkline::lab::amocrm::{AmoLab, AmoOptions, ClientOptions, Tokens, start};
use trunkline::lab::planfix::{self, PlanfixOptions};

use super::consent::{CALLBACK, CLIENT_ID, follow};
use super::daemon::{Daemon, list};
use super::edits::{Answer, ask, remarks, seen, written};
use super::office::{Office, site_call};
use super::wait::{until, when};

const TENANT: &str = "/v1/tenants/acme";
const ACCOUNTS: &str = "/v1/tenants/acme/accounts";
const INTEGRATIONS: &str = "/v1/tenants/acme/integrations";

/// A portal that the office does not know yet; requests for its address reach it.
async fn new_portal(office: &Office) -> AmoLab {
    let tokens = Tokens::default();
    let clients = tokens.clients.iter().map(|client| ClientOptions {
        redirect_uri: CALLBACK.to_owned(),
        ..client.clone()
    });
    let portal = start(AmoOptions {
        subdomain: "other".to_owned(),
        account_id: 31_000_002,
        rate_per_second: 2_000,
        account_rate_per_second: 2_000,
        search_lag: Duration::ZERO,
        tokens: Tokens {
            clients: clients.collect(),
            ..tokens
        },
        ..AmoOptions::default()
    });
    let portal = portal.await.expect("a free port");
    leads_to(office, "https://other.amocrm.ru", &portal.base_url());
    portal
}

/// Has requests for an address go to a simulator.
fn leads_to(office: &Office, address: &str, simulator: &str) {
    let known = "\"https://demo.amocrm.ru\" = ";
    let more = format!("\"{address}\" = \"{simulator}\"\n{known}");
    office.home.edit("etc/trunkline.toml", known, &more);
}

/// Looks, and adds to a list of the company's file.
async fn add(office: &Office, daemon: &Daemon, list: &str, body: Value) -> Answer {
    let (_, tag) = seen(office, daemon, TENANT).await;
    ask(office, daemon, Method::POST, list, Some(&tag), Some(body)).await
}

/// Looks, and makes a change of an item.
async fn change(office: &Office, daemon: &Daemon, path: &str, body: Value) -> Answer {
    let (_, tag) = seen(office, daemon, path).await;
    ask(office, daemon, Method::PATCH, path, Some(&tag), Some(body)).await
}

/// Asks whether an account is let in.
async fn connection(office: &Office, daemon: &Daemon, account: &str) -> Value {
    let path = format!("{ACCOUNTS}/{account}/connection");
    let answer = ask(office, daemon, Method::POST, &path, None, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

/// Returns an account of the list.
async fn listed(daemon: &Daemon, account: &str) -> Value {
    let accounts = daemon.get("/v1/accounts").await;
    let found = list(&accounts, "items").iter();
    let mut found = found.filter(|one| one["account"] == account);
    found.next().cloned().unwrap_or_default()
}

fn places(answer: &Answer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let places = answer.body["places"].as_array().into_iter().flatten();
    places
        .map(|one| (text(&one["path"]), text(&one["message"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_01_s0_02_an_account_is_added_and_let_in_on_the_crms_page_and_listed_by_itself() {
    let office = Office::open().await;
    let portal = new_portal(&office).await;
    let tenants = "tenants_dir = \"tenants.d\"\n";
    let with_url = format!("{tenants}public_url = \"https://box.example\"\n");
    office.home.edit("etc/trunkline.toml", tenants, &with_url);
    let daemon = office.start().await;
    let before = written(&office);

    // The form says what is typed, and where the CRM sends people back to.
    let crms = daemon.get("/v1/crms").await;
    let of_amo = list(&crms, "items").iter();
    let mut of_amo = of_amo.filter(|one| one["form"]["crm"] == "amocrm");
    let form = of_amo.next().expect("the CRM is known").clone();
    assert_eq!(form["callback"], CALLBACK);
    assert_eq!(form["form"]["ways"][0]["consent"], true);

    let wish = json!({
        "account": "other", "crm": "amocrm", "title": "Второй портал", "address": "other.amocrm.ru",
        "settings": { "client_id": CLIENT_ID, "redirect_uri": CALLBACK },
        "secrets": { "client_secret": "lab-secret" },
    });
    let added = add(&office, &daemon, ACCOUNTS, wish).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    assert_eq!(
        added.body,
        json!({ "account": "other", "in_force": true, "why": null })
    );
    // What stood in the file stands there still, and the secret nowhere as it was typed.
    let after = written(&office);
    let (head, rest) = after
        .split_once("\n[[accounts]]\nid = \"other\"")
        .expect("it is there");
    assert!(before.starts_with(head), "{after}");
    assert!(rest.contains("client_secret = { sealed = \""), "{after}");
    assert!(!after.contains("lab-secret"), "{after}");
    let (shown, _) = seen(&office, &daemon, &format!("{ACCOUNTS}/other")).await;
    assert_eq!(shown["secrets"], json!(["client_secret"]));
    assert!(!shown.to_string().contains("lab-secret") && !office.home.log().contains("lab-secret"));
    assert!(listed(&daemon, "other").await["alarm"].is_string());

    // The CRM's page leads back to us, which closes the window; the list knows it then.
    let path = format!("{ACCOUNTS}/other/authorisation/link");
    let link = ask(&office, &daemon, Method::POST, &path, None, None).await;
    let page = link.body["link"].as_str().expect("a page").to_owned();
    let sent = portal.consent(&page, 501).expect("a good link");
    let shown = follow(&office, &daemon, &sent).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.page);
    assert!(shown.page.contains("window.close()"), "{}", shown.page);
    let known = listed(&daemon, "other").await;
    assert_eq!(
        (&known["alarm"], &known["title"]),
        (&Value::Null, &json!("Второй портал"))
    );
    assert_eq!(connection(&office, &daemon, "other").await["good"], true);
    assert_eq!(
        remarks(&daemon).await,
        ["by the admin endpoint: account acme/other: added: amocrm at other.amocrm.ru"]
    );

    // Another start opens what was sealed; another key does not, and says what to do.
    daemon.kill();
    let daemon = office.start().await;
    assert_eq!(connection(&office, &daemon, "other").await["good"], true);
    daemon.kill();
    office.home.write(
        "secrets/store-key",
        "another-key-of-the-process-tests-of-32-bytes",
    );
    let ran = office.home.run(&["check-config"]).await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains("type it in again"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_03_s0_04_v_01_a_portal_that_refuses_us_says_so_and_is_let_in_by_a_secret_typed_anew() {
    let office = Office::open().await;
    let daemon = office.start_warm("79160000001").await;
    let main = format!("{ACCOUNTS}/main");
    let good = connection(&office, &daemon, "main").await;
    assert_eq!(
        (&good["good"], &good["remedy"]),
        (&json!(true), &Value::Null)
    );
    assert!(good["name"].is_string(), "{good}");

    // The token is revoked: the answer names what helps, whatever was known a moment ago.
    office.crm.revoke_tokens();
    let bad = connection(&office, &daemon, "main").await;
    assert_eq!(
        (&bad["good"], &bad["remedy"]),
        (&json!(false), &json!("authorise"))
    );
    assert!(
        bad["why"].as_str().is_some_and(|why| !why.is_empty()),
        "{bad}"
    );
    // There is no page for an account with a token: the pages then offer to type it anew.
    let link = format!("{main}/authorisation/link");
    let link = ask(&office, &daemon, Method::POST, &link, None, None).await;
    assert_eq!(link.status, StatusCode::CONFLICT, "{link:?}");
    let token = office.crm.issue_token(CLIENT_ID, 501, 2_000_000_000);
    let fresh = json!({ "secrets": { "token": token } });
    let typed = change(&office, &daemon, &main, fresh).await;
    assert_eq!(typed.status, StatusCode::OK, "{typed:?}");
    assert!(
        written(&office).contains("token = { sealed = \""),
        "{}",
        written(&office)
    );
    assert!(
        !written(&office).contains("amocrm-main"),
        "{}",
        written(&office)
    );
    assert_eq!(connection(&office, &daemon, "main").await["good"], true);
    daemon.post(&site_call("second", "79160000002", 60)).await;
    daemon.settled(2).await;
    assert_eq!(office.oracle().calls_of_phone("79160000002").len(), 1);

    // A CRM that is down is to be waited for, not to be let in again.
    office.crm_down();
    let down = connection(&office, &daemon, "main").await;
    assert_eq!(
        (&down["good"], &down["remedy"]),
        (&json!(false), &json!("wait")),
        "{down}"
    );

    let text = written(&office);
    for (body, status) in [
        (json!({ "secrets": { "token": "" } }), 400),
        (json!({ "secrets": { "token": "a\nb" } }), 400),
        (json!({ "secrets": { "token": 5 } }), 400),
        (
            json!({ "secrets": { "password": "a-secret-of-nothing" } }),
            422,
        ),
        (json!({ "settings": { "nonsense": "x" } }), 422),
        (json!({ "settings": { "directory": { "on": true } } }), 400),
    ] {
        let refused = change(&office, &daemon, &main, body.clone()).await;
        assert_eq!(refused.status.as_u16(), status, "{body}: {refused:?}");
        assert!(
            !refused.body.to_string().contains("a-secret-of-nothing"),
            "{refused:?}"
        );
    }
    assert_eq!(written(&office), text);
    assert_eq!(
        remarks(&daemon).await,
        ["by the admin endpoint: account acme/main: secret token typed anew"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_05_an_integration_needs_credentials_first_and_starts_switched_off() {
    let office = Office::open().await;
    let portal = new_portal(&office).await;
    let daemon = office.start().await;
    let text = written(&office);
    let wish = || {
        json!({
            "integration": "service", "title": "Сервис", "account": "other",
            "takes": [{ "source": "site", "kinds": ["call", "request"] }],
        })
    };
    // Without the account there is nothing that it could work in.
    let refused = add(&office, &daemon, INTEGRATIONS, wish()).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused:?}"
    );
    assert!(
        places(&refused)
            .iter()
            .any(|(path, _)| path == "integrations[1].account"),
        "{refused:?}"
    );
    assert_eq!(written(&office), text);

    let account = json!({
        "account": "other", "crm": "amocrm", "address": "https://other.amocrm.ru/",
        "secrets": { "token": portal.long_lived_token() },
    });
    let added = add(&office, &daemon, ACCOUNTS, account).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    let added = add(&office, &daemon, INTEGRATIONS, wish()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    let again = add(&office, &daemon, INTEGRATIONS, wish()).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{again:?}");

    let path = format!("{INTEGRATIONS}/service");
    let (now, _) = seen(&office, &daemon, &path).await;
    assert_eq!(now["activity"], "off");
    let (company, _) = seen(&office, &daemon, TENANT).await;
    let site = list(&company, "sources").iter();
    let mut site = site.filter(|one| one["source"] == "site");
    let kinds = &site.next().expect("the source")["kinds"];
    assert_eq!(*kinds, json!(["call", "chat", "request"]));
    assert_eq!(list(&company, "integrations").len(), 2);

    // Off it makes nothing (S1-04); on it does. Its settings come between.
    daemon.post(&site_call("first", "79160000001", 0)).await;
    daemon.settled(1).await;
    assert!(portal.oracle().calls_of_phone("79160000001").is_empty());
    let settings = format!("{path}/settings");
    let (_, tag) = seen(&office, &daemon, &settings).await;
    let wanted = json!({ "settings": { "calls": {
        "default_responsible": "501",
        "incoming": { "answered_unknown": { "action": { "kind": "contact" } } },
    } } });
    let saved = ask(
        &office,
        &daemon,
        Method::PUT,
        &settings,
        Some(&tag),
        Some(wanted),
    )
    .await;
    assert_eq!(saved.status, StatusCode::OK, "{saved:?}");
    let on = json!({
        "activity": "on", "title": "Сервисный отдел",
        "takes": [{ "source": "site", "kinds": ["call"] }],
    });
    let changed = change(&office, &daemon, &path, on).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    daemon.post(&site_call("second", "79160000002", 60)).await;
    until("the second portal has the call", async || {
        let calls = portal.oracle().calls_of_phone("79160000002").len();
        when(calls == 1, calls)
    })
    .await;

    // A kind that the source cannot report is refused beside its place; the end of it is the end.
    let wrong = json!({ "takes": [{ "source": "office", "kinds": ["chat"] }] });
    let refused = change(&office, &daemon, &path, wrong).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused:?}"
    );
    let (_, tag) = seen(&office, &daemon, &path).await;
    let gone = ask(&office, &daemon, Method::DELETE, &path, Some(&tag), None).await;
    assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
    let gone = ask(&office, &daemon, Method::GET, &path, None, None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{gone:?}");
    assert!(written(&office).contains("id = \"sales\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_01_s4_02_each_crm_is_added_by_the_fields_that_it_asks_for() {
    let office = Office::open().await;
    let planfix = planfix::start(PlanfixOptions::default())
        .await
        .expect("a free port");
    let school = alfacrm::start(AlfaOptions::default())
        .await
        .expect("a free port");
    leads_to(&office, "https://demo.planfix.ru", &planfix.base_url());
    leads_to(&office, "https://demo.s20.online", &school.base_url());
    let daemon = office.start().await;

    // The robot's token and the address for REST (S2-01); telephony's beside it.
    let tokens = planfix.options();
    let mut wish = json!({
        "account": "planfix", "crm": "planfix", "address": "https://demo.planfix.ru/rest/",
        "secrets": { "token": tokens.rest_token },
    });
    let refused = add(&office, &daemon, ACCOUNTS, wish.clone()).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused:?}"
    );
    let path = "accounts[1].secrets.telephony_token";
    assert!(
        places(&refused).iter().any(|(at, _)| at == path),
        "{refused:?}"
    );
    wish["secrets"]["telephony_token"] = json!(tokens.telephony_token);
    let added = add(&office, &daemon, ACCOUNTS, wish).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    let found = connection(&office, &daemon, "planfix").await;
    assert_eq!(found["good"], true, "{found}");

    // Texts go into a branch, which must be named (S4-02).
    let account = school.options();
    let mut wish = json!({
        "account": "school", "crm": "alfacrm", "address": "demo.s20.online",
        "settings": { "email": account.email },
        "secrets": { "api_key": account.api_key },
    });
    let refused = add(&office, &daemon, ACCOUNTS, wish.clone()).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused:?}"
    );
    let path = "accounts[2].settings.branch";
    assert!(
        places(&refused).iter().any(|(at, _)| at == path),
        "{refused:?}"
    );
    wish["settings"]["branch"] = json!(1);
    let added = add(&office, &daemon, ACCOUNTS, wish).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    let found = connection(&office, &daemon, "school").await;
    assert_eq!(found["good"], true, "{found}");

    // No secret of them is shown or logged.
    let shown = daemon.get("/v1/accounts").await.to_string();
    let (log, file) = (office.home.log(), written(&office));
    for secret in [
        &tokens.rest_token,
        &tokens.telephony_token,
        &account.api_key,
    ] {
        for place in [&shown, &log, &file] {
            assert!(!place.contains(secret.as_str()), "{secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_is_added_as_a_file_of_its_own_and_can_be_worked_with_at_once() {
    let office = Office::open().await;
    let portal = new_portal(&office).await;
    let daemon = office.start().await;
    let post = async |body: Value| {
        ask(
            &office,
            &daemon,
            Method::POST,
            "/v1/tenants",
            None,
            Some(body),
        )
        .await
    };
    let wish =
        json!({ "tenant": "flowers", "name": "Цветы", "time_zone": "Asia/Omsk", "language": "ru" });
    let added = post(wish.clone()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    let again = post(wish).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{again:?}");
    for (body, status) in [
        (
            json!({ "tenant": "../x", "name": "X", "time_zone": "Asia/Omsk" }),
            400,
        ),
        (
            json!({ "tenant": "x", "name": "X", "time_zone": "Mars" }),
            422,
        ),
        (
            json!({ "tenant": "x", "name": "a\nb", "time_zone": "Asia/Omsk" }),
            400,
        ),
        (
            json!({ "tenant": "acme", "name": "X", "time_zone": "Asia/Omsk" }),
            409,
        ),
    ] {
        let refused = post(body.clone()).await;
        assert_eq!(refused.status.as_u16(), status, "{body}: {refused:?}");
    }
    let known = daemon.get("/v1/tenants").await;
    let known = list(&known, "items")
        .iter()
        .map(|one| one["tenant"].clone());
    assert_eq!(known.collect::<Vec<_>>(), ["acme", "flowers"]);

    // What is added to it comes into its own file.
    let before = written(&office);
    let (_, tag) = seen(&office, &daemon, "/v1/tenants/flowers").await;
    let account = json!({
        "account": "other", "crm": "amocrm", "address": "other.amocrm.ru",
        "secrets": { "token": portal.long_lived_token() },
    });
    let path = "/v1/tenants/flowers/accounts";
    let added = ask(
        &office,
        &daemon,
        Method::POST,
        path,
        Some(&tag),
        Some(account),
    )
    .await;
    assert_eq!(added.status, StatusCode::CREATED, "{added:?}");
    let path = format!("{path}/other/connection");
    let found = ask(&office, &daemon, Method::POST, &path, None, None).await;
    assert_eq!(found.body["good"], true, "{found:?}");
    assert_eq!(written(&office), before);
    // Whoever says nothing about what was seen, or saw something older, changes nothing.
    let wish = json!({ "integration": "x", "account": "other" });
    let path = "/v1/tenants/flowers/integrations";
    for (tag, status) in [(None, 428), (Some(tag.as_str()), 412)] {
        let refused = ask(
            &office,
            &daemon,
            Method::POST,
            path,
            tag,
            Some(wish.clone()),
        )
        .await;
        assert_eq!(refused.status.as_u16(), status, "{refused:?}");
    }
}
