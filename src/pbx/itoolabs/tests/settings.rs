//! Settings: every mistake is named at once.

use serde_json::{Value, json};

use super::super::settings::{ItoolabsSettings, Responsible};
use crate::model::secret::{Secret, Secrets};

fn secrets(names: &[(&str, &str)]) -> Secrets {
    let mut secrets = Secrets::default();
    for (name, text) in names {
        secrets.insert(name, Secret::new((*text).to_owned()));
    }
    secrets
}

fn mistakes(settings: Value, names: &[(&str, &str)]) -> Vec<String> {
    match ItoolabsSettings::read(&settings, &secrets(names)) {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_token_is_enough_and_everything_may_be_said() {
    let token = [("crm_token", "secret-1")];
    assert_eq!(mistakes(Value::Null, &token), [""; 0]);
    let both = [("crm_token", "secret-1"), ("api_key", "key")];
    let all = json!({
        "address": "https://demo.megapbx.ru", "api": "wcgp", "employees": "extension",
        "responsible": "number", "contact_within_ms": 900, "history_times": "rfc3339",
        "history_poll_s": 60, "history_overlap_s": 900, "history_wait_s": 5, "ring_s_max": 60,
        "talk_s_max": 600, "originate": { "clid": "74951230000" },
    });
    assert_eq!(mistakes(all.clone(), &both), [""; 0]);
    let read = ItoolabsSettings::read(&all, &secrets(&both)).unwrap_or_else(|_| panic!("read"));
    assert_eq!(read.responsible, Responsible::Number);
}

#[test]
fn every_mistake_is_named_at_once() {
    let wrong = json!({
        "address": "http://demo.megapbx.ru", "api": "soap", "employees": "name",
        "responsible": "anybody", "contact_within_ms": 5, "history_poll_s": 0,
        "originate": { "clid": "+7 495", "line": 1 }, "hst": 1,
    });
    let found = mistakes(wrong, &[("crm_token", "short")]);
    let ways: Vec<&str> = found
        .iter()
        .map(|mistake| mistake.split(':').next().unwrap_or_default())
        .collect();
    let expected = [
        "api",
        "history_poll_s",
        "address",
        "employees",
        "responsible",
        "contact_within_ms",
        "originate.clid",
        "originate.line",
        "originate",
        "hst",
        "secrets.api_key",
        "secrets.crm_token",
    ];
    assert_eq!(ways, expected, "{found:#?}");
}

#[test]
fn a_key_without_an_address_and_a_missing_token_are_mistakes() {
    let found = mistakes(Value::Null, &[("api_key", "key")]);
    assert!(found[0].starts_with("address: "), "{found:?}");
    assert!(found[1].starts_with("secrets.crm_token: "), "{found:?}");
}
