//! The operators' workplace inside of CRMs (S0-25, S2-44, S4-19), and clicks on numbers there.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use trunkline::clock::{Clock as _, SystemClock};
use trunkline::lab::bitrix24::Mode;

use super::bitrix24::Branch;
use super::daemon::Daemon;
use super::office::{ANNA, Office};
use super::wait::{until, when};

/// The secret of the portal's integration, which signs who clicks.
const INTEGRATION: &str = "secret-of-the-integration";

/// The integration that the lab's long-lived token is of.
const CLIENT_ID: &str = "6a1d0c5e-0000-4000-8000-000000000001";

const PORTAL: &str = "https://demo.amocrm.ru";

/// An office with a workplace, a switch that places calls, and a way in from outside.
async fn office() -> Office {
    let office = Office::open().await;
    office.home.edit_tenant(
        "linger_ms = 200\n",
        "linger_ms = 200\n\n[sources.settings.originate]\ncontext = \"from-internal\"\n",
    );
    office.home.write("secrets/amocrm-integration", INTEGRATION);
    office.home.edit_tenant(
        "token = { file = \"../../secrets/amocrm-main\" }",
        "token = { file = \"../../secrets/amocrm-main\" }\n\
         client_secret = { file = \"../../secrets/amocrm-integration\" }",
    );
    office.home.edit_tenant(
        "url = \"https://demo.amocrm.ru\"\n",
        "url = \"https://demo.amocrm.ru\"\nworkplace = \"https://work.example.com/desk\"\n",
    );
    let tenants = "tenants_dir = \"tenants.d\"\n";
    let with_url = format!("{tenants}public_url = \"https://box.example\"\n");
    office.home.edit("etc/trunkline.toml", tenants, &with_url);
    office
}

/// Signs who clicks, as amoCRM does.
fn signed(claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(&json!({"alg": "HS256", "typ": "JWT"})),
        part(claims)
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

fn claims(name: &str, user: u64) -> Value {
    let now = SystemClock.now().as_secs();
    json!({
        "iss": PORTAL, "aud": "https://box.example", "jti": name, "iat": now, "nbf": now,
        "exp": now + 1800, "account_id": 31_000_001, "user_id": user, "client_uuid": CLIENT_ID,
        "subdomain": "demo",
    })
}

fn request(office: &Office, daemon: &Daemon, method: Method) -> RequestBuilder {
    let place = "/workplace/acme/main/calls";
    let url = format!("http://{}{place}", office.home.intake());
    daemon.http.request(method, url)
}

/// Clicks on a number in a page of an origin.
async fn click(
    office: &Office,
    daemon: &Daemon,
    origin: &str,
    token: &str,
    phone: &str,
) -> Response {
    let request = request(office, daemon, Method::POST)
        .header("Origin", origin)
        .header("X-Auth-Token", token)
        .json(&json!({ "phone": phone }));
    request.send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_25_a_click_in_the_widget_calls_and_only_the_portals_own_user_clicks() {
    let office = office().await;
    let daemon = office.start().await;
    let asked = request(&office, &daemon, Method::OPTIONS).header("Origin", PORTAL);
    let asked = asked.send().await.expect("an answer");
    assert_eq!(asked.status(), StatusCode::NO_CONTENT);
    assert_eq!(asked.headers()["access-control-allow-origin"], PORTAL);
    let foreign =
        request(&office, &daemon, Method::OPTIONS).header("Origin", "https://evil.example");
    let foreign = foreign.send().await.expect("an answer");
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    assert!(
        !foreign
            .headers()
            .contains_key("access-control-allow-origin")
    );

    let phone = "8 916 111-22-33";
    let good = signed(&claims("one", ANNA), INTEGRATION);
    // Another site, another key, another portal, another box: all alike nothing.
    let of = |key: &str, value: Value| {
        let mut claims = claims("other", ANNA);
        claims[key] = value;
        signed(&claims, INTEGRATION)
    };
    for (why, origin, token) in [
        ("site", "https://other.amocrm.ru", good.clone()),
        ("key", PORTAL, signed(&claims("forged", ANNA), "guessed")),
        (
            "portal",
            PORTAL,
            of("iss", json!("https://other.amocrm.ru")),
        ),
        ("box", PORTAL, of("aud", json!("https://elsewhere.example"))),
        ("account", PORTAL, of("account_id", json!(7))),
        ("nothing", PORTAL, String::new()),
    ] {
        let answer = click(&office, &daemon, origin, &token, phone).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{why}");
    }
    assert!(daemon.journal_keys().await.is_empty());

    let answer = click(&office, &daemon, PORTAL, &good, phone).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(answer.headers()["access-control-allow-origin"], PORTAL);
    let call: Value = answer.json().await.expect("JSON");
    daemon.settled(1).await;
    let story = daemon.story(&daemon.journal_keys().await[0]).await;
    let became = &story["snapshot"]["body"]["call"];
    assert_eq!(became["click_to_call"], call["call"], "{story}");
    assert_eq!(became["talkers"][0], "101", "{story}");
    // The proof is good for one click.
    let again = click(&office, &daemon, PORTAL, &good, phone).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);

    let clicks = async |name: &str, user: u64, phone: &str| {
        let token = signed(&claims(name, user), INTEGRATION);
        click(&office, &daemon, PORTAL, &token, phone)
            .await
            .status()
    };
    assert_eq!(clicks("stranger", 999, phone).await, StatusCode::CONFLICT);
    let costly = clicks("costly", ANNA, "+881612345678").await;
    assert_eq!(costly, StatusCode::UNPROCESSABLE_ENTITY);
    for number in 0..5 {
        let status = clicks(&format!("more{number}"), ANNA, phone).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{number}");
    }
    let seventh = clicks("seventh", ANNA, phone).await;
    assert_eq!(seventh, StatusCode::TOO_MANY_REQUESTS);
    let notes = daemon.notes().await;
    let placed = |note: &&(String, String)| note.1.contains("was placed from the CRM");
    assert_eq!(notes.iter().filter(placed).count(), 6, "{notes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_25_s2_44_s4_19_the_command_writes_the_widget_or_says_what_to_do_instead() {
    let office = office().await;
    let file = office.home.path("widget.zip");
    let name = file.display().to_string();
    let ran = office
        .home
        .run(&["widget", "amocrm", "--output", &name])
        .await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let archive = fs::read(&file).expect("it is written");
    assert!(archive.starts_with(b"PK\x03\x04"), "an archive");
    let text = String::from_utf8_lossy(&archive);
    assert!(text.contains("https://box.example/workplace/acme/main/calls"));
    assert!(text.contains("https://work.example.com/desk"));
    assert!(!text.contains(INTEGRATION), "the key stays here");
    for (crm, words) in [
        ("planfix", "Planfix documents no way"),
        ("alfacrm", "AlfaCRM documents no way"),
        ("bitrix24", "needs no file"),
    ] {
        let ran = office.home.run(&["widget", crm]).await;
        assert_eq!(ran.status, Some(1), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
    let unknown = office.home.run(&["widget", "paper"]).await;
    assert_eq!(unknown.status, Some(2), "{unknown:?}");
    let other = office.home.run(&["widget", "amocrm", "acme/other"]).await;
    assert_eq!(other.status, Some(2), "{other:?}");
    office
        .home
        .edit_tenant("workplace = \"https://work.example.com/desk\"\n", "");
    let without = office
        .home
        .run(&["widget", "amocrm", "--output", &name])
        .await;
    assert_eq!(without.status, Some(2), "{without:?}");
    assert!(without.err.contains("has no workplace"), "{without:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s0_25_the_workplace_stands_in_the_portals_menu_and_is_taken_back() {
    let branch = Branch::open(Mode::Simple).await;
    let application = branch.portal.options().applications[0].client_id.clone();
    let workplace = "workplace = \"https://work.example.com/desk?a=1&b=2\"\n";
    let url = "url = \"https://demo.bitrix24.ru\"\n";
    branch.home.edit_tenant(url, &format!("{url}{workplace}"));
    let address = format!("http://{}", branch.home.intake());
    let tenants = "tenants_dir = \"tenants.d\"\n";
    let with_url = format!("{tenants}public_url = \"{address}\"\n");
    branch.home.edit("etc/trunkline.toml", tenants, &with_url);
    let daemon = branch.start().await;
    let bound = async |wanted: &[(String, String)]| {
        until("the menu is as wanted", async || {
            let found = branch.portal.placements(&application);
            when(found == wanted, format!("{found:?}"))
        })
        .await;
    };
    let place = format!("{address}/workplace/acme/main");
    bound(&[("LEFT_MENU".to_owned(), place.clone())]).await;
    // The portal opens it with the user's tokens, which the vendor's page never sees.
    let visit = branch
        .portal
        .open_page(&application, 12, "LEFT_MENU", &json!({}))
        .expect("an application");
    let form = "application/x-www-form-urlencoded";
    let opened = daemon
        .http
        .post(format!("{place}?{}", visit.query))
        .header("Content-Type", form)
        .body(visit.form.clone())
        .send()
        .await
        .expect("an answer");
    assert_eq!(opened.status(), StatusCode::OK);
    let policy = opened.headers()["content-security-policy"].clone();
    let policy = policy.to_str().expect("text");
    assert!(
        policy.contains("frame-src https://work.example.com;")
            && policy.contains("frame-ancestors https://demo.bitrix24.ru"),
        "{policy}"
    );
    let page = opened.text().await.expect("a page");
    assert!(
        page.contains("src=\"https://work.example.com/desk?a=1&amp;b=2\""),
        "{page}"
    );
    assert!(
        !page.contains("AUTH_ID") && !page.contains("<script"),
        "{page}"
    );
    let nowhere = format!("{address}/workplace/acme/other");
    let nowhere = daemon.http.get(nowhere).send().await.expect("an answer");
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);

    branch.home.edit_tenant(workplace, "");
    daemon.reload().await;
    bound(&[]).await;
    let gone = daemon.http.get(place).send().await.expect("an answer");
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}
