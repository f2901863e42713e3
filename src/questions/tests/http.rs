//! The endpoint against what must not pass it.

use std::net::SocketAddr;

use actix_http::body::to_bytes;
use actix_web::http::{StatusCode, header};
use actix_web::test;

use super::*;
use crate::questions::http::{QuestionsHttp, serve};

/// What came back: status, content type, the policy that the head names, body.
struct Reply {
    status: StatusCode,
    kind: String,
    policy: Option<String>,
    body: String,
}

struct Asking<'a> {
    uri: &'a str,
    peer: &'a str,
    host: Option<&'a str>,
}

async fn send(office: Office, asking: Asking<'_>) -> Reply {
    let desk = Arc::new(office.desk());
    let listen = "10.0.0.5".parse().expect("an address");
    let hosts = ["pbx.local".to_owned()];
    let state = QuestionsHttp::new(desk, listen, &hosts, Arc::new(At(NOON)));
    let peer: SocketAddr = format!("{}:40000", asking.peer)
        .parse()
        .expect("an address");
    let mut request = test::TestRequest::get().uri(asking.uri).peer_addr(peer);
    if let Some(host) = asking.host {
        request = request.insert_header((header::HOST, host));
    }
    let response = serve(&state, request.to_request()).await;
    let named = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().expect("text").to_owned())
    };
    let kind = named("content-type").unwrap_or_default();
    let policy = named("trunkline-policy");
    let status = response.status();
    let body = to_bytes(response.into_body()).await.expect("a body");
    Reply {
        status,
        kind,
        policy,
        body: String::from_utf8(body.to_vec()).expect("text"),
    }
}

fn hostile() -> Office {
    let mut client = contact("1", "502", 5);
    client.name = "x\nEXEC System \"rm -rf /\"\r\n\"},{\u{1b}[2J".to_owned();
    Office::new().knows(vec![client])
}

async fn get(uri: &str) -> Reply {
    let asking = Asking {
        uri,
        peer: "127.0.0.1",
        host: Some("127.0.0.1:8462"),
    };
    send(hostile(), asking).await
}

#[actix_web::test]
async fn a_clients_name_cannot_break_out_of_an_answer() {
    let reply = get("/v1/lookup/acme/office?phone=%2B79161112233").await;
    assert_eq!(
        (reply.status, reply.kind.as_str()),
        (StatusCode::OK, "application/json")
    );
    assert!(
        !reply.body.contains(|c: char| c.is_control()),
        "{:?}",
        reply.body
    );
    let read: serde_json::Value = serde_json::from_str(&reply.body).expect("JSON");
    assert_eq!(
        read["client"]["name"],
        "x\nEXEC System \"rm -rf /\"\r\n\"},{\u{1b}[2J"
    );
    assert_eq!(read["extension"], "101");
    let reply = get("/v1/lookup/acme/office?phone=%2B79161112233&format=text").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (StatusCode::OK, "101\n")
    );
}

#[actix_web::test]
async fn whatever_stands_for_a_number_is_answered_or_refused_and_nothing_else() {
    for query in [
        "phone=",
        "phone=anonymous",
        "phone=112",
        "phone=%ff%fe%00%0d%0aX",
        "phone=%zz",
        "phone=x%0d%0aSet-Cookie:%20a=b",
        "phone=../../etc/passwd",
        "phone=%2B7916111223344556677889900",
    ] {
        let reply = get(&format!("/v1/lookup/acme/office?{query}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}");
        let read: serde_json::Value = serde_json::from_str(&reply.body).expect("JSON");
        assert_eq!(
            (&read["route"], &read["extension"]),
            (&"default".into(), &"700".into())
        );
        assert_eq!(read["phone"], serde_json::Value::Null, "{query}");
    }
    let long = format!("phone={}", "1".repeat(2000));
    for (query, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("number=1", StatusCode::BAD_REQUEST),
        ("phone=1&format=xml", StatusCode::BAD_REQUEST),
        (long.as_str(), StatusCode::URI_TOO_LONG),
    ] {
        let reply = get(&format!("/v1/lookup/acme/office?{query}")).await;
        assert_eq!(reply.status, status, "{query}");
        assert_eq!(reply.kind, "application/problem+json");
        let reply = get(&format!("/v1/lookup/acme/office?{query}&format=text")).await;
        assert!(
            !reply.body.contains(|c: char| c.is_ascii_digit()),
            "{:?}",
            reply.body
        );
    }
}

#[actix_web::test]
async fn v_15_a_phone_system_says_that_nobody_picked_up() {
    let office =
        || hostile().with(|office| office.answering.exits.redirect_failed = extension("702"));
    for (flag, extension) in [
        ("", "101"),
        ("&redirect_failed=0", "101"),
        ("&redirect_failed=1", "702"),
    ] {
        let uri = format!("/v1/lookup/acme/office?phone=89161112233&format=text{flag}");
        let asking = Asking {
            uri: &uri,
            peer: "127.0.0.1",
            host: Some("localhost"),
        };
        let reply = send(office(), asking).await;
        assert_eq!(reply.body, format!("{extension}\n"), "{flag:?}");
    }
    let reply = get("/v1/lookup/acme/office?phone=1&redirect_failed=maybe").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn the_answer_names_the_policy_that_chose_among_several_cards() {
    let several = || vec![contact("2", "503", 20), contact("1", "502", 10)];
    for (json, clients, policy) in [
        ("{}", several(), Some("most_recently_updated")),
        (
            r#"{"shared_numbers":{"policy":"open_deal"}}"#,
            several(),
            Some("open_deal"),
        ),
        (
            r#"{"shared_numbers":{"policy":"last_talk"}}"#,
            several(),
            Some("last_talk"),
        ),
        (
            r#"{"shared_numbers":{"policy":"entities","order":["contact"]}}"#,
            several(),
            Some("entities"),
        ),
        ("{}", vec![contact("1", "502", 10)], None),
        ("{}", Vec::new(), None),
    ] {
        let office = Office::new()
            .knows(clients)
            .with(|office| office.integrations[0].settings = Some(settings(json)));
        let asking = Asking {
            uri: "/v1/lookup/acme/office?phone=89161112233",
            peer: "127.0.0.1",
            host: Some("localhost"),
        };
        assert_eq!(
            send(office, asking).await.policy.as_deref(),
            policy,
            "{json}"
        );
    }
}

#[actix_web::test]
async fn who_is_not_allowed_learns_nothing() {
    let from = async |peer: &str, uri: &str| {
        let asking = Asking {
            uri,
            peer,
            host: Some("10.0.0.5:8462"),
        };
        send(hostile(), asking).await
    };
    let known = "/v1/lookup/acme/office?phone=1";
    let unknown = "/v1/lookup/acme/attic?phone=1";
    assert_eq!(from("127.0.0.1", known).await.status, StatusCode::OK);
    assert_eq!(
        from("127.0.0.1", unknown).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(from("[::1]", known).await.status, StatusCode::OK);
    let (one, other) = (
        from("10.0.0.9", known).await,
        from("10.0.0.9", unknown).await,
    );
    assert_eq!(
        (one.status, other.status),
        (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN)
    );
    assert_eq!(one.body, other.body);
    let text = from("10.0.0.9", "/v1/lookup/acme/office?phone=1&format=text").await;
    assert_eq!(
        (text.status, text.body.as_str()),
        (StatusCode::FORBIDDEN, "\n")
    );
}

#[actix_web::test]
async fn a_page_of_a_foreign_site_is_refused_by_its_host() {
    for (host, answered) in [
        (Some("127.0.0.1:8462"), true),
        (Some("localhost"), true),
        (Some("LOCALHOST:1"), true),
        (Some("[::1]:8462"), true),
        (Some("10.0.0.5:8462"), true),
        (Some("pbx.local"), true),
        (Some("PBX.local:8462"), true),
        (Some("evil.example"), false),
        (Some("127.0.0.1.evil.example"), false),
        (Some("pbx.local.evil.example"), false),
        (Some("10.0.0.6"), false),
        (Some("["), false),
        (Some(""), false),
        (None, false),
    ] {
        let asking = Asking {
            uri: "/v1/lookup/acme/office?phone=1",
            peer: "127.0.0.1",
            host,
        };
        let reply = send(hostile(), asking).await;
        assert_eq!(reply.status == StatusCode::OK, answered, "{host:?}");
        assert!(
            answered || reply.status == StatusCode::FORBIDDEN,
            "{host:?}"
        );
    }
}

#[actix_web::test]
async fn other_paths_and_methods_lead_nowhere() {
    for uri in [
        "/",
        "/v1/lookup",
        "/v1/lookup/acme",
        "/v1/lookup/acme/office/?phone=1",
        "/v1/lookup/acme/../acme/office?phone=1",
        "/v1/lookup/acme%2Foffice?phone=1",
        "/v1/status",
    ] {
        let reply = get(uri).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{uri}");
    }
    assert_eq!(get("/healthz").await.body, "ok\n");
    let state = QuestionsHttp::new(
        Arc::new(hostile().desk()),
        "127.0.0.1".parse().expect("an address"),
        &[],
        Arc::new(At(NOON)),
    );
    let peer: SocketAddr = "127.0.0.1:1".parse().expect("an address");
    let request = test::TestRequest::post().uri("/v1/lookup/acme/office?phone=1");
    let request = request
        .peer_addr(peer)
        .insert_header((header::HOST, "localhost"));
    let response = serve(&state, request.to_request()).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}
