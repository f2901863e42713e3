//! Whom alarms reach, how, and when.

use std::time::Duration;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::Channel;
use crate::model::explanation::Language;
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;
use crate::model::work_hours::DayTime;

/// `[alarms]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmSettings {
    /// The language of messages.
    pub language: Language,
    /// What this box is called in them.
    pub box_name: String,
    /// By whose clocks nights and times are.
    pub time_zone: TimeZone,
    /// When nobody is to be told anything; told afterwards.
    pub quiet: Option<Quiet>,
    /// How long an alarm must stand before it is told, and be gone before it is over.
    pub stands: Duration,
    /// How long a CRM must not answer before that is told.
    pub crm_down: Duration,
    /// At the most one message of a channel in this time; what comes meanwhile shares the next.
    pub gather: Duration,
    /// After what time an alarm that still stands is told again; none = once.
    pub remind: Option<Duration>,
    /// After so many working hours without any communication a source is silent.
    pub silent_hours: Option<u32>,
    /// By e-mail.
    pub email: Option<EmailSettings>,
    /// Over HTTP.
    pub webhook: Option<WebhookSettings>,
}

impl Default for AlarmSettings {
    /// Tells nobody.
    fn default() -> Self {
        Self {
            language: Language::default(),
            box_name: "Trunkline".to_owned(),
            time_zone: TimeZone::UTC,
            quiet: None,
            stands: Duration::ZERO,
            crm_down: Duration::ZERO,
            gather: Duration::ZERO,
            remind: None,
            silent_hours: None,
            email: None,
            webhook: None,
        }
    }
}

impl AlarmSettings {
    /// Returns the channels that are set.
    pub fn channels(&self) -> Vec<Channel> {
        let email = self.email.as_ref().map(|_| Channel::Email);
        let webhook = self.webhook.as_ref().map(|_| Channel::Webhook);
        email.into_iter().chain(webhook).collect()
    }

    /// Says whether nobody is to be told anything now.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let Some(quiet) = &self.quiet else {
            return false;
        };
        let Ok(at) = jiff::Timestamp::from_millisecond(now.as_millis()) else {
            return false;
        };
        let local = self.time_zone.to_datetime(at);
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let (from, until) = (
            i32::from(quiet.from.minutes()),
            i32::from(quiet.until.minutes()),
        );
        if from < until {
            (from..until).contains(&minute)
        } else {
            minute >= from || minute < until
        }
    }

    /// How long an alarm of this word must stand before it is told.
    pub fn told_after(&self, word: &str) -> Duration {
        match word {
            "crm_down" => self.crm_down.max(self.stands),
            _ => self.stands,
        }
    }
}

/// From when to when nobody is told anything; over midnight where the end is not after the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// When it begins.
    pub from: DayTime,
    /// When it is over.
    pub until: DayTime,
}

/// `[alarms.email]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailSettings {
    /// The mail server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// The authorities that the server's certificate may come from, as PEM; none = the system's.
    pub authorities: Option<Vec<u8>>,
    /// Who logs in, and with what.
    pub login: Option<(String, Secret)>,
    /// The sender.
    pub from: String,
    /// Who is told.
    pub to: Vec<String>,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// It begins in the clear and must then be encrypted (port 587).
    Starttls,
    /// It is encrypted from the beginning (port 465).
    Tls,
    /// Not at all: to a mail server on this machine only.
    None,
}

/// `[alarms.webhook]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where messages are posted; may hold a token.
    pub url: Url,
    /// Its text, to compare and to keep secret.
    pub secret_url: Secret,
    /// The body: JSON whose texts are templates.
    pub body: Value,
    /// What it is let in with, where it wants that.
    pub bearer: Option<Secret>,
}
