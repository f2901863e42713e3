//! Posts what the platform posts: the notifications of a call, chat or request in their order or in
//! another, once or several times, and the questions of interactive call processing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::{LabCall, LabChat, LabRequest};
use super::template;
use super::world::local;

/// How long the platform waits for an answer here.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// One notification, ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Our word in the template.
    pub event: &'static str,
    values: BTreeMap<&'static str, Value>,
}

/// How notifications are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Each once, as it happened.
    #[default]
    InOrder,
    /// The last first.
    Backwards,
    /// Each twice.
    Twice,
}

/// A question of interactive call processing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The caller.
    pub caller: String,
    /// The number that was dialled.
    pub dialled: String,
    /// Sent as a form by POST instead of in the query.
    pub post: bool,
}

/// Posts to one source.
#[derive(Debug, Clone)]
pub struct Sender {
    address: String,
    client: reqwest::Client,
}

impl Told {
    fn at(event: &'static str, at: i64, values: &BTreeMap<&'static str, Value>) -> Self {
        let mut values = values.clone();
        values.insert("notification_time", local(at).into());
        Self { event, values }
    }

    /// Returns what is told of a call, in order.
    pub fn of_call(call: &LabCall) -> Vec<Self> {
        let base = BTreeMap::from([
            ("call_session_id", json!(call.id)),
            ("communication_id", json!(call.id)),
            ("virtual_phone_number", json!(call.our_number)),
            ("contact_phone_number", json!(call.client)),
            ("scenario_name", json!("Основной")),
            ("external_id", json!(call.external_id)),
            ("direction", json!(if call.outgoing { "out" } else { "in" })),
        ]);
        let with = |id: Option<u64>| {
            let mut values = base.clone();
            values.insert("employee_id", json!(id));
            values
        };
        let mut told = Vec::new();
        let first = if call.outgoing {
            "call_outgoing"
        } else {
            "call_incoming"
        };
        told.push(Self::at(first, call.began, &base));
        for id in &call.rung {
            told.push(Self::at("call_ringing", call.began + 1, &with(Some(*id))));
        }
        let mut end = with(call.talker);
        end.insert("wait_time_duration", json!(call.wait));
        end.insert("total_time_duration", json!(call.wait + call.talk));
        end.insert("tag_names", json!(call.tags));
        if call.talker.is_some() {
            told.push(Self::at(
                "talk_started",
                call.began + call.wait,
                &with(call.talker),
            ));
            told.push(Self::at("talk_finished", call.ended(), &with(call.talker)));
            end.insert("talk_time_duration", json!(call.talk));
        } else {
            let mut lost = end.clone();
            lost.insert("employee_ids", json!(call.rung));
            told.push(Self::at("call_lost", call.ended(), &lost));
        }
        told.push(Self::at("call_finished", call.ended(), &end));
        if let Some(link) = &call.link {
            let mut recorded = with(call.talker);
            recorded.insert("file_link", json!(link));
            told.push(Self::at("call_recorded", call.ended() + 2, &recorded));
        }
        told
    }

    /// Returns what is told when something happened in a chat.
    pub fn of_chat(chat: &LabChat, at: i64) -> Self {
        let values = BTreeMap::from([
            ("communication_id", json!(chat.id)),
            ("communication_type", json!("chat")),
        ]);
        Self::at("chat", at, &values)
    }

    /// Returns what is told of a request.
    pub fn of_request(request: &LabRequest) -> Self {
        let values = BTreeMap::from([
            ("communication_id", json!(request.id)),
            ("communication_type", json!("offline_message")),
        ]);
        Self::at("offline_message", request.at, &values)
    }

    /// Writes the body by a template, or by the lab's own.
    pub fn body(&self, template: Option<&str>) -> String {
        match template {
            Some(template) => template::render(template, &self.values),
            None => template::render(&template::usual(self.event), &self.values),
        }
    }
}

impl Sender {
    /// Prepares to post to an address.
    ///
    /// # Errors
    /// Fails when the HTTP client cannot be made.
    pub fn new(address: &str) -> Result<Self, reqwest::Error> {
        // Plain HTTP is spoken, but the client wants a provider all the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .build()?;
        Ok(Self {
            address: address.to_owned(),
            client,
        })
    }

    /// Posts one body; returns the status.
    ///
    /// # Errors
    /// Fails when nobody answers.
    pub async fn post(&self, body: String) -> Result<u16, reqwest::Error> {
        let request = self.client.post(&self.address).body(body);
        let request = request.header("Content-Type", "application/json");
        Ok(request.send().await?.status().as_u16())
    }

    /// Posts notifications; returns the status of each.
    ///
    /// # Errors
    /// Fails when nobody answers.
    pub async fn tell(&self, told: &[Told], how: Delivery) -> Result<Vec<u16>, reqwest::Error> {
        let mut all: Vec<&Told> = told.iter().collect();
        match how {
            Delivery::InOrder => {}
            Delivery::Backwards => all.reverse(),
            Delivery::Twice => all = all.iter().flat_map(|one| [*one, *one]).collect(),
        }
        let mut statuses = Vec::new();
        for one in all {
            statuses.push(self.post(one.body(None)).await?);
        }
        Ok(statuses)
    }

    /// Asks who a caller should reach; returns status and answer.
    ///
    /// # Errors
    /// Fails when nobody answers.
    pub async fn ask(&self, question: &Question) -> Result<(u16, Value), reqwest::Error> {
        let fields = [
            ("cdr_id", "123"),
            ("start_time", "1200"),
            ("input_result", "None"),
            ("numa", question.caller.as_str()),
            ("numb", question.dialled.as_str()),
        ];
        let pairs = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = match question.post {
            true => self
                .client
                .post(&self.address)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(pairs),
            false => self.client.get(format!("{}?{pairs}", self.address)),
        };
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }
}
