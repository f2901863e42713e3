//! One test for each rule of the contract that the simulator keeps, over HTTP.

mod accounts;
mod calls;
mod cards;
mod control;
mod faults;
mod garbage;
mod hooks;
mod leads;
mod links_and_tags;
mod lists;
mod notes_and_tasks;
mod oauth;
mod rate;
mod unsorted;

use std::time::Duration;

use serde_json::{Value, json};

use super::{AmoLab, AmoOptions, start};

/// A started simulator and a client of it.
struct Bench {
    lab: AmoLab,
    client: reqwest::Client,
    token: String,
}

/// A status and a body; null for a body that is no JSON.
type Answer = (u16, Value);

/// Options of a test: no delay of the index and no limit, which have tests of their own.
fn options() -> AmoOptions {
    AmoOptions {
        search_lag: Duration::ZERO,
        rate_per_second: 1_000_000,
        account_rate_per_second: 1_000_000,
        hook_minute: Duration::from_millis(5),
        ..AmoOptions::default()
    }
}

impl Bench {
    async fn start() -> Self {
        Self::with(options()).await
    }

    async fn with(options: AmoOptions) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let lab = start(options).await.unwrap();
        let token = lab.long_lived_token();
        Self {
            lab,
            client: reqwest::Client::new(),
            token,
        }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let url = format!("{}{path}", self.lab.base_url());
        let request = self.client.request(method, url);
        request
            .bearer_auth(&self.token)
            .header("User-Agent", "test/1")
    }

    async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Answer {
        Self::answer(self.request("GET", path)).await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        Self::answer(self.request(method, path).json(&body)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, body).await
    }

    /// Posts what must succeed and returns the first row.
    #[track_caller]
    fn first(answer: Answer, list: &str) -> Value {
        assert!((200..300).contains(&answer.0), "{answer:?}");
        answer.1["_embedded"][list][0].clone()
    }

    /// Makes a contact with a phone and returns its id.
    async fn contact(&self, phone: &str) -> u64 {
        let body = json!([{"name": phone, "custom_fields_values": [phone_field(phone)]}]);
        let row = Self::first(self.post("/api/v4/contacts", body).await, "contacts");
        row["id"].as_u64().unwrap()
    }

    /// Makes a lead of a contact and returns its id.
    async fn lead(&self, contact: u64) -> u64 {
        let body = json!([{"name": "deal", "_embedded": {"contacts": [{"id": contact}]}}]);
        let row = Self::first(self.post("/api/v4/leads", body).await, "leads");
        row["id"].as_u64().unwrap()
    }
}

fn phone_field(phone: &str) -> Value {
    json!({"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]})
}

/// Asserts a 400 whose first item has this code at this path.
#[track_caller]
fn assert_refused(answer: &Answer, code: &str, path: &str) {
    let errors = &answer.1["validation-errors"][0]["errors"];
    let found = errors.as_array().into_iter().flatten();
    let found = found
        .into_iter()
        .any(|e| e["code"] == code && e["path"] == path);
    assert!(
        answer.0 == 400 && found,
        "want {code} at {path}, got {answer:#?}"
    );
}
