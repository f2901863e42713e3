//! Sends one notice of a new record: by the mail server of alarms, or to a webhook of its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::settings::{EmailSettings, WebhookSettings};
use super::webhook::Known;
use super::{email, webhook};

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// In words, without secrets.
    pub why: String,
    /// It was surely not taken, and may be later.
    pub again: bool,
}

impl Refused {
    /// For good, or nobody knows whether it was taken.
    pub(super) fn once(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: false,
        }
    }
}

/// What is told of a new record, in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewRecord {
    /// The message in one line.
    pub subject: String,
    /// The message.
    pub text: String,
    /// The company's name.
    pub company: String,
    /// The sort of the record: `contact`, `deal`, `lead`, `unsorted`.
    pub record: String,
    /// What it came from: `call`, `chat`, `request`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The address of its page; empty where the CRM has none.
    pub link: String,
    /// Who answers for it; empty where nobody does.
    pub responsible: String,
    /// Which notice it is; sent once more it has the same.
    pub id: String,
}

impl Known for NewRecord {
    fn context(&self) -> BTreeMap<&'static str, minijinja::Value> {
        BTreeMap::from([
            ("subject", self.subject.as_str().into()),
            ("text", self.text.as_str().into()),
            ("company", self.company.as_str().into()),
            ("record", self.record.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("name", self.name.as_str().into()),
            ("link", self.link.as_str().into()),
            ("responsible", self.responsible.as_str().into()),
        ])
    }
}

impl NewRecord {
    /// Sends it by e-mail to these addresses, whoever is told of alarms.
    ///
    /// # Errors
    /// It was not taken; why.
    pub async fn by_email(&self, server: &EmailSettings, to: &[String]) -> Result<(), Refused> {
        email::send(server, to, &self.subject, self.text.clone(), Some(&self.id)).await
    }

    /// Posts it.
    ///
    /// # Errors
    /// It was not taken; why.
    pub async fn by_webhook(&self, settings: &WebhookSettings) -> Result<(), Refused> {
        webhook::send(settings, self, Some(&self.id)).await
    }

    /// Says what is wrong with the templates of a webhook's body.
    ///
    /// # Errors
    /// The first template that cannot be used, and why.
    pub fn check_body(body: &Value) -> Result<(), String> {
        if body.as_object().is_none_or(Map::is_empty) {
            return Err("give a table, such as { text = \"{{ text }}\" }".to_owned());
        }
        let word = |text: &str| text.to_owned();
        let sample = Self {
            subject: word("subject"),
            text: word("text"),
            company: word("company"),
            record: word("deal"),
            kind: word("request"),
            name: word("name"),
            link: word("https://crm.example/1"),
            responsible: word("Anna"),
            id: word("1"),
        };
        webhook::filled(body, &sample).map(drop)
    }
}
