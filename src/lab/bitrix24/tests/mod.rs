//! One test for each rule of the contract that the simulator keeps, over HTTP.

mod access;
mod batches;
mod calls;
mod cards;
mod control;
mod events;
mod faults;
mod limits;
mod lists;
mod oauth;
mod offline;
mod recordings;
mod timeline;

use serde_json::{Value, json};

use super::{BitrixLab, BitrixOptions, Limits, Switches, start};

/// A started simulator and a client of it.
struct Bench {
    lab: BitrixLab,
    client: reqwest::Client,
    token: String,
}

/// A status and a body; null for a body that is no JSON.
type Answer = (u16, Value);

/// Options of a test: no limits, which have tests of their own.
fn options() -> BitrixOptions {
    BitrixOptions {
        limits: Limits::none(),
        ..BitrixOptions::default()
    }
}

fn client_id(lab: &BitrixLab) -> String {
    lab.options().applications[0].client_id.clone()
}

impl Bench {
    async fn start() -> Self {
        Self::with(options()).await
    }

    /// Starts with switches changed.
    async fn switched(change: impl FnOnce(&mut Switches)) -> Self {
        let bench = Self::start().await;
        bench.lab.switch(change);
        bench
    }

    async fn with(options: BitrixOptions) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let lab = start(options).await.unwrap();
        let tokens = lab.issue_tokens(&client_id(&lab), 1);
        Self {
            token: tokens["access_token"].as_str().unwrap().to_owned(),
            lab,
            client: reqwest::Client::new(),
        }
    }

    async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.header("User-Agent", "test/1").send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    fn request(&self, method: &str, mut body: Value) -> reqwest::RequestBuilder {
        body["auth"] = json!(self.token);
        let url = format!("{}/rest/{method}", self.lab.base_url());
        self.client.post(url).json(&body)
    }

    /// Calls a method as the application.
    async fn call(&self, method: &str, body: Value) -> Answer {
        Self::answer(self.request(method, body)).await
    }

    /// Calls a method by the webhook.
    async fn hook(&self, method: &str, body: Value) -> Answer {
        let url = format!("{}{method}", self.lab.webhook_url().unwrap());
        Self::answer(self.client.post(url).json(&body)).await
    }

    /// Calls a method that must succeed and returns its result.
    async fn ok(&self, method: &str, body: Value) -> Value {
        let (status, body) = self.call(method, body).await;
        assert_eq!(status, 200, "{method}: {body}");
        body["result"].clone()
    }

    /// Calls a method that must be refused and returns status, code and text.
    async fn refused(&self, method: &str, body: Value) -> (u16, String, String) {
        let (status, body) = self.call(method, body).await;
        let text = |key: &str| body[key].as_str().unwrap_or("absent").to_owned();
        (status, text("error"), text("error_description"))
    }

    async fn contact(&self, phone: &str) -> u64 {
        let fields = json!({"NAME": phone, "PHONE": [{"VALUE": phone, "VALUE_TYPE": "WORK"}]});
        let id = self.ok("crm.contact.add", json!({"fields": fields})).await;
        id.as_u64().unwrap()
    }

    async fn deal(&self, contact: u64) -> u64 {
        let fields = json!({"TITLE": "deal", "CONTACT_IDS": [contact]});
        let id = self.ok("crm.deal.add", json!({"fields": fields})).await;
        id.as_u64().unwrap()
    }

    /// Asserts that nothing left the contract.
    #[track_caller]
    fn assert_no_oddities(&self) {
        assert_eq!(self.lab.counters().oddities, Default::default());
    }
}
