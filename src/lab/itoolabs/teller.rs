//! Tells the CRM: forms with `cmd` and `crm_token` (`pbx/megafon.md` A1).

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::server::VatsHandle;

/// How long the VATS waits for a word that needs no answer.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its fields, without the token.
    pub fields: Vec<(String, String)>,
    /// The status; 0 = there was no answer.
    pub status: u16,
    /// The answer.
    pub body: String,
}

impl VatsHandle {
    /// Sends a message; what the CRM answers, if it does.
    pub(super) async fn tell(&self, fields: Vec<(&str, String)>, within: Duration) -> Told {
        let switches = self.switches();
        let fields: Vec<(String, String)> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let times = if switches.twice { 2 } else { 1 };
        let mut told = Told {
            fields: fields.clone(),
            status: 0,
            body: String::new(),
        };
        for _ in 0..times {
            for attempt in 0..=switches.retries {
                told = self.send(&fields, within).await;
                if (200..300).contains(&told.status) || attempt == switches.retries {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        self.note(told.clone());
        told
    }

    /// Tells something that needs no answer.
    pub(super) async fn word(&self, fields: Vec<(&str, String)>) {
        self.tell(fields, TOLD_WITHIN).await;
    }

    async fn send(&self, fields: &[(String, String)], within: Duration) -> Told {
        let switches = self.switches();
        let token = match switches.wrong_token {
            true => "somebody-elses-token".to_owned(),
            false => self.crm_token(),
        };
        let mut all = fields.to_vec();
        all.push(("crm_token".to_owned(), token));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&all)
            .finish();
        let silent = |fields: &[(String, String)]| Told {
            fields: fields.to_vec(),
            status: 0,
            body: String::new(),
        };
        let Some(address) = self.crm_address() else {
            return silent(fields);
        };
        let http = Arc::clone(&self.http);
        let request = match switches.by_get {
            true => http.get(format!("{address}?{form}")),
            false => http
                .post(address)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form),
        };
        let asking = async {
            let answer = request.send().await.ok()?;
            let status = answer.status().as_u16();
            Some((status, answer.text().await.unwrap_or_default()))
        };
        match tokio::time::timeout(within, asking).await {
            Ok(Some((status, body))) => Told {
                fields: fields.to_vec(),
                status,
                body,
            },
            Ok(None) | Err(_) => silent(fields),
        }
    }
}

impl Told {
    /// Returns a field of the message.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns a text of an answer in JSON.
    pub(super) fn answered(&self, name: &str) -> Option<String> {
        let value: Value = serde_json::from_str(&self.body).ok()?;
        value.get(name)?.as_str().map(str::to_owned)
    }
}
