//! Posts a message as JSON. Only the configured address is contacted: no redirects, no proxies.

use std::collections::BTreeMap;
use std::time::Duration;

use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};

use super::notice::Refused;
use super::settings::WebhookSettings;

/// How long the other side may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// The header that says which message it is: one that is posted once more has the same.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How much of a refusal is told.
const WORDS_CHARS_MAX: usize = 200;

/// How deep a body may be.
const DEPTH_MAX: usize = 8;

/// What the templates of a body know.
pub(super) trait Known {
    /// Returns the values, by their names.
    fn context(&self) -> BTreeMap<&'static str, minijinja::Value>;
}

/// What they know of alarms.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    /// The message in one line.
    pub(super) subject: &'a str,
    /// The message.
    pub(super) text: &'a str,
    /// The box's name.
    pub(super) box_name: &'a str,
    /// How many alarms stand anew.
    pub(super) new: usize,
    /// How many are over.
    pub(super) over: usize,
}

impl Known for Words<'_> {
    fn context(&self) -> BTreeMap<&'static str, minijinja::Value> {
        BTreeMap::from([
            ("subject", self.subject.into()),
            ("text", self.text.into()),
            ("box", self.box_name.into()),
            ("new", self.new.into()),
            ("over", self.over.into()),
        ])
    }
}

/// Says what is wrong with the templates of a body.
///
/// # Errors
/// The first template that cannot be used, and why.
pub fn check_body(body: &Value) -> Result<(), String> {
    let sample = Words {
        subject: "subject",
        text: "text",
        box_name: "box",
        new: 1,
        over: 0,
    };
    if !body.is_object() || body.as_object().is_some_and(Map::is_empty) {
        return Err("give a table, such as { text = \"{{ text }}\" }".to_owned());
    }
    filled(body, &sample).map(drop)
}

/// Fills the texts of a body in. JSON comes out whatever they hold.
pub(super) fn filled(body: &Value, words: &impl Known) -> Result<Value, String> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(10_000));
    fill(&environment, body, &words.context(), 0)
}

fn fill(
    environment: &Environment<'_>,
    value: &Value,
    words: &BTreeMap<&'static str, minijinja::Value>,
    depth: usize,
) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("the body is deeper than {DEPTH_MAX} tables"));
    }
    Ok(match value {
        Value::String(template) => {
            let text = environment.render_str(template, minijinja::Value::from(words.clone()));
            Value::String(text.map_err(|error| format!("{template:?}: {error}"))?)
        }
        Value::Array(items) => {
            let items = items.iter();
            let filled = items.map(|item| fill(environment, item, words, depth + 1));
            Value::Array(filled.collect::<Result<_, _>>()?)
        }
        Value::Object(table) => {
            let entries = table.iter();
            let filled = entries.map(|(key, value)| {
                Ok::<_, String>((key.clone(), fill(environment, value, words, depth + 1)?))
            });
            Value::Object(filled.collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

/// Posts one message. Says why not, in words without the address, which may hold a token.
pub(super) async fn send(
    settings: &WebhookSettings,
    words: &impl Known,
    id: Option<&str>,
) -> Result<(), Refused> {
    let body = filled(&settings.body, words).map_err(Refused::once)?;
    // The HTTP library asks for one even where nothing is encrypted.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| Refused::once(in_words(error)))?;
    let mut request = client.post(settings.url.clone()).json(&body);
    if let Some(id) = id {
        request = request.header(IDEMPOTENCY_KEY, id);
    }
    if let Some(bearer) = &settings.bearer {
        request = request.bearer_auth(bearer.expose());
    }
    let mut response = request.send().await.map_err(|error| Refused {
        // Without a connection nothing was said.
        again: error.is_connect(),
        why: in_words(error),
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    if status.is_redirection() {
        return Err(Refused::once(format!(
            "{status}: it sends us elsewhere, which is not followed"
        )));
    }
    let begins = response.chunk().await.ok().flatten().unwrap_or_default();
    let begins = String::from_utf8_lossy(&begins);
    let begins: String = begins.chars().take(WORDS_CHARS_MAX).collect();
    let told = begins.replace(settings.secret_url.expose(), "***");
    Err(Refused {
        why: format!("{status}: {}", told.trim()),
        again: matches!(status.as_u16(), 429 | 503),
    })
}

fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if error.is_timeout() {
        return format!("no answer within {} s", ANSWER_WITHIN.as_secs());
    }
    cause.to_string()
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
