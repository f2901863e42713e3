//! Takes out what is nobody else's business.

use std::path::Path;

use serde_json::{Map, Value};

use crate::config::{self, Configuration};

use super::super::credentials::Surroundings;

/// What stands in place of what was taken out.
const TAKEN_OUT: &str = "***";

/// Keys whose texts are words of ours, ids that an administrator chose for machines, or times.
const WORDS: &[&str] = &[
    "account",
    "activity",
    "as_of",
    "at",
    "breaker",
    "cause",
    "channel",
    "complete_as_of",
    "credential",
    "crm",
    "direction",
    "ends_at",
    "format",
    "from_time",
    "gone_since",
    "health",
    "id",
    "integration",
    "kind",
    "kinds",
    "language",
    "last_error_at",
    "last_seen_at",
    "last_sent_at",
    "last_success_at",
    "level",
    "listen",
    "made_at",
    "phase",
    "portal",
    "region",
    "role",
    "schema",
    "security",
    "since",
    "source",
    "started_at",
    "state",
    "takes",
    "tenant",
    "time_zone",
    "told",
    "until",
    "version",
    "way",
    "word",
];

/// Keys whose texts are free, and worth reading when they are masked.
const FREE: &[&str] = &[
    "text",
    "why",
    "why_not",
    "last_error",
    "held",
    "reason",
    "waiting_for",
    "trouble",
    "found",
    "cure",
];

/// Keys of which only the number of entries is kept.
const COUNTED: &[&str] = &["employees", "numbers", "users", "extensions", "secrets"];

/// Shorter words of the configuration are not looked for: they would take out half of every text.
const KNOWN_CHARS_MIN: usize = 4;

/// Digits in a row that may belong to somebody's number.
const DIGITS_MIN: usize = 5;

/// What is to be taken out.
pub(super) struct Mask {
    known: Vec<String>,
}

impl Mask {
    /// Learns the secrets and names of a configuration, as far as it can be read.
    pub(super) fn of(path: &Path) -> Self {
        let mut known = Vec::new();
        if let Ok(configuration) = config::load(path, &Surroundings::find().environment) {
            learn(&configuration, &mut known);
        }
        for (_, bytes) in config::written_files(path) {
            let text = String::from_utf8_lossy(&bytes);
            let table = text.parse::<toml::Table>().ok();
            if let Some(Ok(value)) = table.map(serde_json::to_value) {
                learn_names(&value, &mut known);
            }
        }
        known.retain(|word| word.chars().count() >= KNOWN_CHARS_MIN);
        // The longest first: a name may hold another.
        known.sort_by_key(|word| std::cmp::Reverse(word.len()));
        known.dedup();
        Self { known }
    }

    /// Masks a document: keeps its form, its numbers and the words of the list.
    pub(super) fn document(&self, value: &Value) -> Value {
        self.value("", value)
    }

    fn value(&self, key: &str, value: &Value) -> Value {
        match value {
            Value::Array(items) if COUNTED.contains(&key) => {
                Value::from(format!("{} of them", items.len()))
            }
            Value::Object(table) if COUNTED.contains(&key) => {
                Value::from(format!("{} of them", table.len()))
            }
            Value::Array(items) => items.iter().map(|item| self.value(key, item)).collect(),
            Value::Object(table) => {
                let entries = table.iter();
                let masked = entries.map(|(key, value)| (self.text(key), self.value(key, value)));
                Value::Object(masked.collect::<Map<_, _>>())
            }
            Value::String(text) if WORDS.contains(&key) || FREE.contains(&key) => {
                Value::from(self.text(text))
            }
            Value::String(_) => Value::from(TAKEN_OUT),
            // A number may be one to be dialled.
            Value::Number(number) if number.to_string().len() >= 10 && key != "file_bytes" => {
                Value::from(TAKEN_OUT)
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => value.clone(),
        }
    }

    /// Masks a free text: numbers, addresses, quotations and what is not English.
    pub(super) fn text(&self, text: &str) -> String {
        let text = self.without_known(text);
        let lines = text.lines().map(line);
        let mut masked = lines.collect::<Vec<_>>().join("\n");
        if text.ends_with('\n') {
            masked.push('\n');
        }
        masked
    }

    /// Takes out what the configuration knows to be secret, or a name.
    pub(super) fn without_known(&self, text: &str) -> String {
        let known = self.known.iter();
        known.fold(text.to_owned(), |text, word| {
            text.replace(word.as_str(), TAKEN_OUT)
        })
    }
}

fn learn(configuration: &Configuration, known: &mut Vec<String>) {
    let daemon = &configuration.daemon;
    let mut secret = |secret: &crate::model::secret::Secret| known.push(secret.expose().to_owned());
    secret(&daemon.store.key);
    daemon.admin.token.iter().for_each(&mut secret);
    if let Some(email) = &daemon.alarms.email {
        email
            .login
            .iter()
            .for_each(|(_, password)| secret(password));
    }
    if let Some(hook) = &daemon.alarms.webhook {
        secret(&hook.secret_url);
        hook.bearer.iter().for_each(&mut secret);
    }
    for tenant in &configuration.tenants {
        for source in &tenant.sources {
            source.hook_secrets.iter().for_each(&mut secret);
        }
        for account in &tenant.accounts {
            account.hook_secrets.iter().for_each(&mut secret);
            let names: Vec<String> = account.secrets.names().map(str::to_owned).collect();
            for name in names {
                account.secrets.get(&name).into_iter().for_each(&mut secret);
            }
        }
    }
}

/// Learns every name and title, wherever it stands, and everything about employees.
fn learn_names(value: &Value, known: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| learn_names(item, known)),
        Value::Object(table) => {
            for (key, value) in table {
                match value {
                    Value::String(name) if key == "name" || key == "title" => {
                        known.push(name.clone());
                        known.extend(name.split_whitespace().map(str::to_owned));
                    }
                    other => learn_names(other, known),
                }
            }
        }
        _ => {}
    }
}

/// Masks one line, word by word.
fn line(line: &str) -> String {
    let mut masked = String::new();
    let mut quoted = false;
    for word in line.split_inclusive(' ') {
        // What a CRM or a client said stands in quotation marks.
        let marks = word
            .chars()
            .filter(|c| matches!(c, '"' | '«' | '»' | '“' | '”'))
            .count();
        let inside = quoted || marks > 0;
        quoted ^= marks % 2 == 1;
        let space = if word.ends_with(' ') { " " } else { "" };
        let bare = word.trim_end_matches(' ');
        let is_foreign = bare.chars().any(char::is_alphabetic) && !bare.is_ascii();
        if inside || is_foreign || bare.contains('@') {
            masked.push_str(TAKEN_OUT);
        } else {
            masked.push_str(&without_numbers(bare));
        }
        masked.push_str(space);
    }
    masked
}

/// Takes out digits that may be a number, also with spaces or dashes of one word between them; times
/// and dates stay.
fn without_numbers(word: &str) -> String {
    if is_time(word) {
        return word.to_owned();
    }
    let mut masked = String::new();
    let mut run = String::new();
    let settle = |run: &mut String, masked: &mut String| {
        let digits = run.chars().filter(char::is_ascii_digit).count();
        match digits >= DIGITS_MIN {
            true => masked.push_str(TAKEN_OUT),
            false => masked.push_str(run),
        }
        run.clear();
    };
    for c in word.chars() {
        if c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')') {
            run.push(c);
        } else {
            settle(&mut run, &mut masked);
            masked.push(c);
        }
    }
    settle(&mut run, &mut masked);
    masked
}

/// `2026-11-21T10:00:00.000Z`, or a date alone.
fn is_time(word: &str) -> bool {
    let word = word.trim_end_matches([',', ';', ')', ':']);
    let date = word.get(..10).unwrap_or_default();
    let shape: String = date
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    let rest = word.get(10..).unwrap_or_default();
    let plain = |c: char| c.is_ascii_digit() || matches!(c, 'T' | ':' | '.' | 'Z' | '+');
    shape == "9999-99-99" && rest.chars().all(plain) && (rest.is_empty() || rest.starts_with('T'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_quotations_leave_a_text() {
        let mask = Mask {
            known: vec!["hunter2secret".to_owned()],
        };
        for (text, wanted) in [
            ("call of +79161234567 failed", "call of *** failed"),
            ("8(916)123-45-67, twice", "***, twice"),
            (
                "contact \"John Smith\" is not there",
                "contact *** *** is not there",
            ),
            ("сделка Иванова closed", "*** *** closed"),
            ("mail john@example.com now", "mail *** now"),
            (
                "at 2026-11-21T10:00:00.000Z it was 503",
                "at 2026-11-21T10:00:00.000Z it was 503",
            ),
            ("token=hunter2secret", "token=***"),
        ] {
            assert_eq!(mask.text(text), wanted);
        }
    }

    #[test]
    fn of_a_document_only_known_words_are_left() {
        let mask = Mask { known: Vec::new() };
        let document = serde_json::json!({
            "tenant": { "id": "acme", "name": "Acme Ltd", "region": "RU" },
            "employees": [{ "name": "Ann" }, { "name": "Bob" }],
            "health": "up", "count": 3, "phone": "+79161234567", "dialled": 79161234567_u64,
            "+79161234567": true,
        });
        let wanted = serde_json::json!({
            "tenant": { "id": "acme", "name": "***", "region": "RU" },
            "employees": "2 of them",
            "health": "up", "count": 3, "phone": "***", "dialled": "***", "***": true,
        });
        assert_eq!(mask.document(&document), wanted);
    }
}
