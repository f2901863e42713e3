//! What happened in an account, as a script tells it. Times are seconds since 1970, and become the
//! account's local time only on the wire.

use serde::{Deserialize, Serialize};

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabCall {
    /// The session.
    pub id: u64,
    /// To the company, else to the client.
    #[serde(default)]
    pub outgoing: bool,
    /// Digits of the client's number.
    pub client: String,
    /// The company's number.
    #[serde(default = "own_number")]
    pub our_number: String,
    /// Who was rung, in order.
    #[serde(default)]
    pub rung: Vec<u64>,
    /// Who talked; nobody = lost.
    #[serde(default)]
    pub talker: Option<u64>,
    /// When it began.
    pub began: i64,
    /// Seconds until somebody talked, or until the end.
    pub wait: i64,
    /// Seconds of the talk.
    #[serde(default)]
    pub talk: i64,
    /// Why nobody talked.
    #[serde(default)]
    pub reason: Option<String>,
    /// The address of the recording.
    #[serde(default)]
    pub link: Option<String>,
    /// Our word of a click-to-call.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Marks.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The campaign that brought the client.
    #[serde(default)]
    pub campaign: Option<String>,
}

fn own_number() -> String {
    "74951230000".to_owned()
}

impl LabCall {
    /// A call that was answered.
    pub fn answered(id: u64, client: &str, talker: u64, began: i64) -> Self {
        Self {
            id,
            outgoing: false,
            client: client.to_owned(),
            our_number: own_number(),
            rung: vec![talker],
            talker: Some(talker),
            began,
            wait: 9,
            talk: 64,
            reason: None,
            link: None,
            external_id: None,
            tags: Vec::new(),
            campaign: None,
        }
    }

    /// A call that nobody took.
    pub fn lost(id: u64, client: &str, rung: u64, began: i64) -> Self {
        Self {
            talker: None,
            talk: 0,
            wait: 20,
            reason: Some("no_success_operator_call".to_owned()),
            ..Self::answered(id, client, rung, began)
        }
    }

    /// Returns when it was over.
    pub fn ended(&self) -> i64 {
        self.began + self.wait + self.talk
    }
}

/// A chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabChat {
    /// The chat.
    pub id: u64,
    /// Where: `comagic`, `telegram`, …
    pub channel: String,
    /// Who.
    pub visitor: u64,
    /// Digits of the visitor's number, where left.
    pub phone: Option<String>,
    /// The nick.
    pub username: Option<String>,
    /// The e-mail address, left in a property.
    pub email: Option<String>,
    /// Several clients write.
    pub group: bool,
    /// Who took it.
    pub employee: Option<u64>,
    /// `new`, `active`, `lost`, `succeed`, `refused`.
    pub status: String,
    /// When it began.
    pub began: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// Marks.
    pub tags: Vec<String>,
    /// The site.
    pub site: Option<String>,
    /// What was written.
    pub messages: Vec<LabMessage>,
}

/// A message of a chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabMessage {
    /// The message.
    pub id: u64,
    /// When.
    pub at: i64,
    /// `visitor`, `operator`, `system`, …
    pub source: String,
    /// Which employee.
    pub employee: Option<u64>,
    /// What it says.
    pub text: String,
    /// The address of a file.
    pub file: Option<String>,
}

/// A form that was filled in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabRequest {
    /// The request.
    pub id: u64,
    /// When.
    pub at: i64,
    /// Who.
    pub name: Option<String>,
    /// Digits of the number.
    pub phone: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// What was written.
    pub text: Option<String>,
    /// The form's name.
    pub form: Option<String>,
    /// The site.
    pub site: Option<String>,
    /// The page.
    pub page: Option<String>,
    /// A mark of the advertisement.
    pub utm_source: Option<String>,
}

impl LabRequest {
    /// Returns it with its time counted from this one.
    pub fn shifted(&self, now: i64) -> Self {
        Self {
            at: now + self.at,
            ..self.clone()
        }
    }
}

impl LabChat {
    /// Returns it with its times counted from this one.
    pub fn shifted(&self, now: i64) -> Self {
        let messages = self.messages.iter().map(|message| LabMessage {
            at: now + message.at,
            ..message.clone()
        });
        Self {
            began: now + self.began,
            ended: self.ended.map(|ended| now + ended),
            messages: messages.collect(),
            ..self.clone()
        }
    }
}
