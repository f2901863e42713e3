//! The door of the pages: log-in, session, what another site cannot make a browser do.

use reqwest::header::{COOKIE, HOST, HeaderMap, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::daemon::Daemon;
use super::home::ADMIN_TOKEN;
use super::office::{Office, site_call};
use super::wait::{until, when};

const SETTINGS: &str = "/v1/tenants/acme/integrations/sales/settings";

/// A person's browser that is logged in.
struct Browser<'a> {
    daemon: &'a Daemon,
    base: String,
    origin: String,
    cookie: String,
    csrf: String,
}

impl<'a> Browser<'a> {
    async fn log_in(office: &Office, daemon: &'a Daemon) -> Self {
        let base = format!("http://{}", office.home.admin());
        let answer = try_log_in(daemon, &base, ADMIN_TOKEN, &base).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let cookie = answer.headers().get(SET_COOKIE).expect("a cookie");
        let cookie = cookie.to_str().expect("text").to_owned();
        for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        let (cookie, _) = cookie.split_once(';').expect("attributes");
        let cookie = cookie.to_owned();
        let body: Value = answer.json().await.expect("JSON");
        Self {
            daemon,
            origin: base.clone(),
            base,
            cookie,
            csrf: body["csrf"].as_str().expect("a word").to_owned(),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .daemon
            .http
            .request(method, format!("{}{path}", self.base));
        request.header(COOKIE, &self.cookie)
    }

    /// A change as the pages send it.
    fn change(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.request(method, path).header(ORIGIN, &self.origin);
        request.header("X-CSRF-Token", &self.csrf)
    }
}

async fn try_log_in(daemon: &Daemon, base: &str, token: &str, origin: &str) -> reqwest::Response {
    let request = daemon.http.post(format!("{base}/v1/session"));
    let request = request
        .header(ORIGIN, origin)
        .json(&json!({ "token": token }));
    request.send().await.expect("an answer")
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.expect("an answer").status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_reads_and_changes_and_another_site_can_do_neither() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let browser = Browser::log_in(&office, &daemon).await;
    let sync = "/v1/directories/sync";
    let get = || browser.request(Method::GET, "/v1/status");
    assert_eq!(status(get()).await, StatusCode::OK);
    let ours = browser.change(Method::POST, sync).json(&json!({}));
    assert_eq!(status(ours).await, StatusCode::ACCEPTED);

    // Without the word, with another one, for another origin: not the port of a neighbour either.
    let bare = || browser.request(Method::POST, sync).json(&json!({}));
    assert_eq!(status(bare()).await, StatusCode::FORBIDDEN);
    let wrong = bare().header("X-CSRF-Token", "guessed");
    assert_eq!(status(wrong).await, StatusCode::FORBIDDEN);
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null", ""] {
        let foreign = bare()
            .header(ORIGIN, origin)
            .header("X-CSRF-Token", &browser.csrf);
        assert_eq!(status(foreign).await, StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(
            status(get().header(ORIGIN, origin)).await,
            StatusCode::FORBIDDEN,
            "{origin}"
        );
    }
    for site in ["cross-site", "same-site"] {
        let foreign = get().header("Sec-Fetch-Site", site);
        assert_eq!(status(foreign).await, StatusCode::FORBIDDEN, "{site}");
    }
    // A name of a foreign site that leads to this machine.
    let rebound = get().header(HOST, "evil.example:8460");
    assert_eq!(status(rebound).await, StatusCode::FORBIDDEN);
    // Programs need no word, and a wrong token is not helped by a cookie's word alone.
    let program = daemon
        .http
        .post(format!("{}{sync}", browser.base))
        .json(&json!({}));
    assert_eq!(
        status(program.bearer_auth(ADMIN_TOKEN)).await,
        StatusCode::ACCEPTED
    );
    let nobody = daemon
        .http
        .post(format!("{}{sync}", browser.base))
        .json(&json!({}));
    let nobody = nobody.header("X-CSRF-Token", &browser.csrf);
    assert_eq!(status(nobody).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_session_and_an_invented_one_open_nothing() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let browser = Browser::log_in(&office, &daemon).await;
    let seen = browser.request(Method::GET, "/v1/session").send().await;
    let seen: Value = seen.expect("an answer").json().await.expect("JSON");
    assert_eq!(seen["csrf"], browser.csrf.as_str());

    let forged = browser.request(Method::DELETE, "/v1/session");
    assert_eq!(status(forged).await, StatusCode::FORBIDDEN);
    let end = browser.change(Method::DELETE, "/v1/session");
    assert_eq!(status(end).await, StatusCode::NO_CONTENT);
    let (name, _) = browser.cookie.split_once('=').expect("a pair");
    for cookie in [
        browser.cookie.clone(),
        format!("{name}=invented"),
        format!("{name}="),
        "=;;=".to_owned(),
    ] {
        for path in ["/v1/status", "/v1/session", SETTINGS, "/metrics"] {
            let request = daemon.http.get(format!("{}{path}", browser.base));
            let request = request.header(COOKIE, &cookie);
            assert_eq!(
                status(request).await,
                StatusCode::UNAUTHORIZED,
                "{cookie} {path}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_the_token_is_slowed_down_and_a_foreign_page_cannot_even_try() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let base = format!("http://{}", office.home.admin());
    let foreign = try_log_in(&daemon, &base, ADMIN_TOKEN, "https://evil.example").await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    for token in ["", "wrong", &ADMIN_TOKEN[1..]] {
        let wrong = try_log_in(&daemon, &base, token, &base).await;
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED, "{token}");
        assert!(wrong.headers().get(SET_COOKIE).is_none());
    }
    let mut last = StatusCode::UNAUTHORIZED;
    for _ in 0..10 {
        last = try_log_in(&daemon, &base, "wrong", &base).await.status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let right = try_log_in(&daemon, &base, ADMIN_TOKEN, &base).await;
    assert_eq!(right.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(right.headers().contains_key("retry-after"));
    // Programs go on.
    let program = daemon.http.get(format!("{base}/v1/status"));
    assert_eq!(
        status(program.bearer_auth(ADMIN_TOKEN)).await,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_served_to_anybody_here_with_a_strict_policy_and_hold_no_data() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let base = format!("http://{}", office.home.admin());
    let said = |headers: &HeaderMap, name: &str| {
        let value = headers
            .get(name)
            .unwrap_or_else(|| panic!("{name} is said"));
        value.to_str().expect("text").to_owned()
    };
    for (path, media) in [
        ("/", "text/html"),
        ("/pages/main.js", "text/javascript"),
        ("/pages/style.css", "text/css"),
    ] {
        let answer = daemon
            .http
            .get(format!("{base}{path}"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let headers = answer.headers().clone();
        assert!(said(&headers, "content-type").starts_with(media));
        let policy = said(&headers, "content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(said(&headers, "x-content-type-options"), "nosniff");
        assert_eq!(said(&headers, "referrer-policy"), "no-referrer");
        let tag = said(&headers, "etag");
        let again = daemon
            .http
            .get(format!("{base}{path}"))
            .header("If-None-Match", tag);
        assert_eq!(status(again).await, StatusCode::NOT_MODIFIED, "{path}");
        let rebound = daemon
            .http
            .get(format!("{base}{path}"))
            .header(HOST, "evil.example");
        assert_eq!(status(rebound).await, StatusCode::FORBIDDEN, "{path}");
    }
    let refused = daemon
        .http
        .get(format!("{base}/v1/status"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(said(refused.headers(), "cache-control"), "no-store");
    for path in [
        "/pages/",
        "/pages/../main.js",
        "/pages/nothing.js",
        "/index.html",
    ] {
        let missing = daemon.http.get(format!("{base}{path}"));
        assert_eq!(status(missing).await, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_saved_over_the_endpoint_with_their_mistakes_named_and_no_change_lost() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let browser = Browser::log_in(&office, &daemon).await;
    let seen = browser
        .request(Method::GET, SETTINGS)
        .send()
        .await
        .expect("an answer");
    let tag = seen.headers().get("etag").expect("a tag").clone();
    let seen: Value = seen.json().await.expect("JSON");
    let root = seen["path"].as_str().expect("a way").to_owned();
    let put = |settings: &Value, tag: &reqwest::header::HeaderValue| {
        let request = browser
            .change(Method::PUT, SETTINGS)
            .header("If-Match", tag);
        request.json(&json!({ "settings": settings }))
    };

    let mut wrong = seen["settings"].clone();
    wrong["calls"]["incoming"]["missed_unknown"] = json!({ "action": { "kind": "nonsense" } });
    let refused = put(&wrong, &tag).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused: Value = refused.json().await.expect("JSON");
    let place = refused["places"][0]["path"].as_str().expect("a way");
    assert!(
        place.starts_with(&format!("{root}.calls.incoming.missed_unknown")),
        "{refused}"
    );
    // The same for who reads Russian: the way and the names stay, the words change.
    let russian = put(&wrong, &tag).header("Accept-Language", "ru-RU,ru;q=0.9,en;q=0.8");
    let russian = russian.send().await.expect("an answer");
    assert_eq!(russian.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(russian.headers()["content-language"], "ru");
    let russian: Value = russian.json().await.expect("JSON");
    assert_eq!(russian["places"][0]["path"], refused["places"][0]["path"]);
    for member in [
        "/title",
        "/mistakes/0",
        "/places/0/message",
        "/places/0/text",
    ] {
        let [before, after] =
            [&refused, &russian].map(|body| body.pointer(member).and_then(Value::as_str));
        let after = after.expect("a text");
        assert_ne!(before, Some(after), "{member}");
        assert!(after.contains(|c: char| matches!(c, 'а'..='я')), "{after}");
    }

    let mut wanted = seen["settings"].clone();
    wanted["calls"]["partner_numbers"] = json!(["+74951112233"]);
    let saved = put(&wanted, &tag).send().await.expect("an answer");
    assert_eq!(saved.status(), StatusCode::OK);
    let fresh = saved.headers().get("etag").expect("a tag").clone();
    let saved: Value = saved.json().await.expect("JSON");
    assert_eq!(saved, json!({ "in_force": true, "why": null }));
    let now = browser
        .request(Method::GET, SETTINGS)
        .send()
        .await
        .expect("an answer");
    assert_eq!(now.headers().get("etag"), Some(&fresh));
    let now: Value = now.json().await.expect("JSON");
    assert_eq!(now["settings"], wanted);

    // Whoever saw what was before has to look again; who does not say what was seen as well.
    assert_eq!(
        status(put(&wanted, &tag)).await,
        StatusCode::PRECONDITION_FAILED
    );
    let blind = browser
        .change(Method::PUT, SETTINGS)
        .json(&json!({ "settings": wanted }));
    assert_eq!(status(blind).await, StatusCode::PRECONDITION_REQUIRED);
}

/// What the blocks of an integration's page ask for and change, in the requests that they send, and
/// what comes of it with the next calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_05_each_block_of_an_integration_has_its_data_and_what_it_changes_is_in_force() {
    const INTEGRATION: &str = "/v1/tenants/acme/integrations/sales";
    let office = Office::open().await;
    let daemon = office.start().await;
    let browser = Browser::log_in(&office, &daemon).await;
    let read = async |path: &str| -> Value {
        let answer = browser.request(Method::GET, path).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("JSON")
    };

    // Credentials: the integration's own among those that can be chosen.
    let head = read(INTEGRATION).await;
    let accounts = read("/v1/accounts").await;
    let mut chosen = accounts["items"].as_array().expect("a list").iter();
    assert!(
        chosen.any(|one| one["account"] == head["account"]),
        "{head}"
    );
    // Mapping: who is whom, by name.
    let mapping = until("the account was read", async || {
        let path = "/v1/tenants/acme/accounts/main/mapping";
        let answer = browser.request(Method::GET, path).send().await;
        let answer = answer.expect("an answer");
        when(answer.status() == StatusCode::OK, answer.status())?;
        Ok(answer.json::<Value>().await.expect("JSON"))
    })
    .await;
    let pairs = mapping["mapping"]["pairs"].as_array().expect("a list");
    assert!(pairs.iter().any(|pair| pair["user"] == "502"), "{mapping}");

    // Incoming, outgoing and the others in one save.
    let answer = browser.request(Method::GET, SETTINGS).send().await;
    let answer = answer.expect("an answer");
    let tag = answer.headers().get("etag").expect("a tag").clone();
    let seen: Value = answer.json().await.expect("JSON");
    let mut wanted = seen["settings"].clone();
    wanted["calls"]["incoming"]["answered_unknown"] = json!({ "action": { "kind": "contact" } });
    wanted["calls"]["outgoing"]["answered_unknown"] =
        json!({ "on": false, "action": { "kind": "contact" } });
    wanted["calls"]["tags"] = json!({ "list": ["блок"] });
    let put = browser
        .change(Method::PUT, SETTINGS)
        .header("If-Match", &tag);
    let saved = put.json(&json!({ "settings": wanted })).send().await;
    assert_eq!(saved.expect("an answer").status(), StatusCode::OK);
    let incoming = site_call("in", "79160000001", 0);
    let mut outgoing = site_call("out", "79160000002", 60);
    outgoing["direction"] = json!("outgoing");
    outgoing["caller"] = json!("101");
    for call in [&incoming, &outgoing] {
        assert_eq!(daemon.post(call).await.0, 202);
    }
    daemon.settled(2).await;
    let oracle = office.oracle();
    let [contact] = oracle.contacts_of_phone("+79160000001")[..] else {
        panic!("{:?}", oracle.contacts);
    };
    assert_eq!(contact.tags, ["блок"], "the block of the others");
    assert!(
        oracle.leads.is_empty(),
        "a contact only: {:?}",
        oracle.leads
    );
    assert_eq!(oracle.contacts.len(), 1, "outgoing calls make nothing");

    // Every switch of these blocks is explained: by the schema, which the pages' hints follow.
    let schema = read("/v1/settings/schema?file=tenant").await.to_string();
    for switch in [
        "answered_unknown",
        "missed_unknown",
        "answered_known",
        "missed_known",
        "missed_task",
        "partner_numbers",
        "call_history",
        "talker",
    ] {
        let named = schema.find(&format!("\"{switch}\":{{")).expect(switch);
        let words = schema.get(named..).unwrap_or_default();
        let before_next = words.find("\"description\"").expect(switch);
        assert!(before_next < 400, "{switch} is explained");
    }
}
