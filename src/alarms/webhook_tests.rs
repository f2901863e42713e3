use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::model::secret::Secret;

/// Answers one request with this head, and returns what was asked.
async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!(
        "http://{}/botSECRET/sendMessage",
        listener.local_addr().expect("bound")
    );
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody comes");
        let mut asked = String::new();
        while !asked.ends_with('}') {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.expect("it speaks");
            assert_ne!(read, 0, "{asked}");
            asked.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("it listens");
        asked
    });
    (url, asked)
}

fn settings(url: &str) -> WebhookSettings {
    WebhookSettings {
        url: url.parse().expect("an address"),
        secret_url: Secret::new(url.to_owned()),
        body: json!({ "chat_id": "-100", "text": "{{ subject }}\n\n{{ text }}", "silent": true }),
        bearer: Some(Secret::new("hook-token".to_owned())),
    }
}

const WORDS: Words<'_> = Words {
    subject: "[box] \"disk\"",
    text: "full\n{{ not a template }}",
    box_name: "box",
    new: 1,
    over: 0,
};

#[tokio::test]
async fn a_message_is_posted_in_the_shape_of_a_bot() {
    let (url, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    send(&settings(&url), &WORDS, None)
        .await
        .expect("it is taken");
    let asked = asked.await.expect("no panic");
    assert!(asked.starts_with("POST /botSECRET/sendMessage "), "{asked}");
    assert!(
        asked
            .to_ascii_lowercase()
            .contains("authorization: bearer hook-token")
    );
    let (_, body) = asked.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let wanted = json!({
        "chat_id": "-100",
        "text": "[box] \"disk\"\n\nfull\n{{ not a template }}",
        "silent": true,
    });
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_refusal_and_a_redirect_are_told_without_the_address() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let refused = "HTTP/1.1 400 Bad Request\r\ncontent-length: 14\r\n\r\nchat not found";
    for (answer, words) in [(moved, "not followed"), (refused, "chat not found")] {
        let (url, asked) = server(answer).await;
        let why = send(&settings(&url), &WORDS, None)
            .await
            .expect_err("it is not taken")
            .why;
        assert!(why.contains(words) && !why.contains("SECRET"), "{why}");
        asked.await.expect("no panic");
    }
    let why = send(&settings("http://127.0.0.1:1/botSECRET"), &WORDS, None).await;
    let refused = why.expect_err("nobody is there");
    assert!(!refused.why.contains("SECRET"), "{refused:?}");
    assert!(refused.again, "it was surely not taken");
}

#[test]
fn templates_are_checked_when_they_are_read() {
    assert_eq!(
        check_body(&json!({ "a": { "b": ["{{ box }}", 1] } })),
        Ok(())
    );
    for wrong in [
        json!({}),
        json!("{{ text }}"),
        json!({ "text": "{{ txt }}" }),
        json!({ "text": "{{ text" }),
    ] {
        assert!(check_body(&wrong).is_err(), "{wrong}");
    }
}
