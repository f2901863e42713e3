use std::sync::Arc;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::lab::amocrm::CardEdit;

/// A time that no machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A destination that answers with one status and keeps the bodies.
struct Destination {
    url: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

async fn destination(status: u16) -> Destination {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/amo/h/SECRET", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = bodies.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut text = String::new();
            let mut chunk = [0; 4096];
            loop {
                let n = socket.read(&mut chunk).await.unwrap_or(0);
                text.push_str(&String::from_utf8_lossy(&chunk[..n]));
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                let length = head.to_lowercase();
                let length = length.split("content-length: ").nth(1).unwrap();
                let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
                if body.len() >= length || n == 0 {
                    let form = url::form_urlencoded::parse(body.as_bytes());
                    let pairs: Vec<String> = form.map(|(k, v)| format!("{k}={v}")).collect();
                    kept.lock().unwrap().push(pairs.join("&"));
                    break;
                }
            }
            let answer =
                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    Destination { url, bodies }
}

impl Destination {
    async fn wait_for(&self, count: usize) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let bodies = self.bodies.lock().unwrap().clone();
            if bodies.len() >= count {
                return bodies;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "only {} hooks",
                bodies.len()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn subscribe(bench: &Bench, url: &str, names: &[&str]) -> Answer {
    let body = json!({"destination": url, "settings": names, "sort": 10});
    bench.post("/api/v4/webhooks", body).await
}

#[tokio::test]
async fn subscribing_is_201_and_the_same_destination_is_an_update() {
    let bench = Bench::start().await;
    let url = "https://box.example/amo/h/S";
    let (status, first) = subscribe(&bench, url, &["add_contact"]).await;
    assert_eq!((status, &first["disabled"]), (201, &json!(false)));
    let (_, second) = subscribe(&bench, url, &["update_contact"]).await;
    assert_eq!(first["id"], second["id"]);
    let (_, list) = bench
        .get(&format!("/api/v4/webhooks?filter[destination]={url}"))
        .await;
    assert_eq!(
        (
            &list["_total_items"],
            &list["_embedded"]["webhooks"][0]["settings"]
        ),
        (&json!(1), &json!(["update_contact"]))
    );
    let answer = subscribe(&bench, url, &["add_everything"]).await;
    assert_refused(&answer, "NotSupportedChoice", "settings.0");
    let gone = json!({"destination": url});
    assert_eq!(
        bench
            .send("DELETE", "/api/v4/webhooks", gone.clone())
            .await
            .0,
        204
    );
    assert_eq!(bench.send("DELETE", "/api/v4/webhooks", gone).await.0, 404);
    assert_eq!(bench.get("/api/v4/webhooks").await.0, 204);
}

#[tokio::test]
async fn hooks_are_for_administrators_only() {
    let mut bench = Bench::start().await;
    bench.token = bench.lab.issue_token("x", 502, bench.lab.now() + 60);
    assert_eq!(
        subscribe(&bench, "https://box.example/h", &["add_contact"])
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn a_change_is_delivered_in_bracket_form() {
    let bench = Bench::start().await;
    let destination = destination(200).await;
    subscribe(
        &bench,
        &destination.url,
        &["add_contact", "responsible_contact", "status_lead"],
    )
    .await;
    let contact = bench.contact("+79121234567").await;
    let body = destination.wait_for(1).await.remove(0);
    for part in [
        "account[subdomain]=demo".to_owned(),
        format!("contacts[add][0][id]={contact}"),
        "contacts[add][0][type]=contact".into(),
        "contacts[add][0][custom_fields][0][code]=PHONE".into(),
        "contacts[add][0][custom_fields][0][values][0][value]=+79121234567".into(),
    ] {
        assert!(body.contains(&part), "{part} in {body}");
    }
    let edit = CardEdit {
        responsible_user_id: Some(503),
        ..CardEdit::default()
    };
    bench.lab.edit_contact(contact, &edit);
    let body = destination.wait_for(2).await.remove(1);
    assert!(
        body.contains("contacts[responsible][0][responsible_user_id]=503"),
        "{body}"
    );
    assert!(
        body.contains("contacts[responsible][0][old_responsible_user_id]=501"),
        "{body}"
    );
    let lead = bench.lead(contact).await;
    bench
        .send(
            "PATCH",
            &format!("/api/v4/leads/{lead}"),
            json!({"status_id": 142}),
        )
        .await;
    let body = destination.wait_for(3).await.remove(2);
    assert!(body.contains("leads[status][0][status_id]=142"), "{body}");
    assert!(
        body.contains("leads[status][0][old_status_id]=3102"),
        "{body}"
    );
}

#[tokio::test]
async fn a_failed_hook_is_tried_five_times_when_the_server_errs() {
    let bench = Bench::start().await;
    let destination = destination(500).await;
    subscribe(&bench, &destination.url, &["add_contact"]).await;
    bench.contact("+79121234567").await;
    let bodies = destination.wait_for(5).await;
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while bench.lab.counters().hooks_lost == 0 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(bench.lab.counters().hook_attempts_failed, 5);
}

#[tokio::test]
async fn a_destination_that_keeps_failing_is_switched_off_until_resubscribed() {
    let bench = Bench::start().await;
    let destination = destination(404).await;
    subscribe(&bench, &destination.url, &["add_contact"]).await;
    let many = json!(vec![json!({"name": "x"}); 60]);
    bench.post("/api/v4/contacts", many).await;
    destination.wait_for(101).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let disabled = async || {
        bench.get("/api/v4/webhooks").await.1["_embedded"]["webhooks"][0]["disabled"].clone()
    };
    while disabled().await != json!(true) {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    subscribe(&bench, &destination.url, &["add_contact"]).await;
    assert_eq!(disabled().await, false);
}
