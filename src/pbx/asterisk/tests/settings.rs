//! What an administrator writes, and the manual that says how.

use serde_json::{Value, json};

use super::super::settings::{AsteriskSettings, LOG_PASSWORD, LoginMethod};
use super::doubles::secrets;
use crate::model::secret::{Secret, Secrets};

const MANUAL: &str = include_str!("../../../../docs/connect-asterisk.md");
const LOG_MANUAL: &str = include_str!("../../../../docs/pbx-log.md");

fn mistakes(settings: &Value, secrets: &Secrets) -> String {
    match AsteriskSettings::read(settings, secrets) {
        Ok(_) => "none".to_owned(),
        Err(found) => found.iter().map(|m| format!("{m}\n")).collect(),
    }
}

#[test]
fn a_host_and_a_user_are_enough() {
    let settings = json!({ "host": "10.0.0.5", "username": "trunkline" });
    let read = AsteriskSettings::read(&settings, &secrets()).expect("reads");
    assert_eq!((read.port, read.login), (5038, LoginMethod::Md5));
    assert_eq!(read.keep_alive.as_secs(), 20);
    assert_eq!(read.reply_deadline.as_secs(), 10);
    assert!(read.tls.is_none());
    let settings = json!({ "host": "pbx.example", "username": "trunkline", "tls": {} });
    let read = AsteriskSettings::read(&settings, &secrets()).expect("reads");
    assert_eq!(read.port, 5039);
}

#[test]
fn a_copy_of_the_answers_is_kept_where_its_table_stands() {
    let settings = |table: Value| json!({ "host": "h", "username": "u", "astdb_mirror": table });
    let read = AsteriskSettings::read(&settings(json!({})), &secrets()).expect("reads");
    let mirror = read.mirror.expect("it is kept");
    assert_eq!(
        (mirror.clients_max, mirror.trusted.as_secs()),
        (100_000, 96 * 3600)
    );
    let wrong = settings(json!({ "clients_max": 0, "trusted_hours": 1, "family": "x" }));
    let found = mistakes(&wrong, &secrets());
    for path in ["clients_max", "trusted_hours", "family"] {
        assert!(found.contains(&format!("astdb_mirror.{path}: ")), "{found}");
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let settings = json!({
        "host": "tcp://pbx:5038", "port": 99999, "login": "sha", "keep_alive_s": 0,
        "reply_deadline_s": "10", "events": ["system", "calls"], "linger_ms": -1,
        "tls": { "ca": "/nowhere/ca.pem", "certificate_sha256": "abc", "verify": false },
        "channels": { "profile": "elastix", "trunks": ["", 7], "extension_digits_min": 9 },
        "pasword": "x",
    });
    let mut secrets = Secrets::default();
    secrets.insert("secret", Secret::new("two\nlines".to_owned()));
    insta::assert_snapshot!(mistakes(&settings, &secrets));
    insta::assert_snapshot!(mistakes(&json!([]), &Secrets::default()));
}

#[test]
fn the_examples_of_the_manual_are_read() {
    let examples_of = |manual: &'static str| {
        let rest = manual.split("```toml\n").skip(1);
        rest.filter_map(|rest| rest.split("```").next())
    };
    let examples: Vec<&str> = examples_of(MANUAL).chain(examples_of(LOG_MANUAL)).collect();
    assert_eq!(examples.len(), 6);
    for example in examples {
        let document: toml::Table = example
            .parse()
            .unwrap_or_else(|e| panic!("{e} in {example}"));
        let settings = document["sources"][0]["settings"].clone();
        let settings = serde_json::to_value(settings).expect("plain values");
        let mut given = secrets();
        if document["sources"][0]["secrets"]
            .get(LOG_PASSWORD)
            .is_some()
        {
            given.insert(LOG_PASSWORD, Secret::new("a word".to_owned()));
        }
        let found = mistakes(&settings, &given);
        // The manual's certificate file is on no test machine.
        assert!(
            found == "none" || found.starts_with("tls.ca: /etc/"),
            "{found} in {example}"
        );
    }
}

#[test]
fn the_manual_names_every_setting_and_its_default() {
    for row in [
        "| `host` | – |",
        "| `port` | 5038, with `tls` 5039 |",
        "| `username` | – |",
        "| `login` | `md5` |",
        "| `tls` | none |",
        "| `connect_timeout_s` | 10 |",
        "| `keep_alive_s` | 20 |",
        "| `reply_deadline_s` | 10 |",
        "| `events` | system, call, agent, user, cdr |",
        "| `linger_ms` | 1500 |",
        "| `channels` | plain |",
        "| `log` | none |",
        "| `astdb_mirror` | none |",
    ] {
        assert!(MANUAL.contains(row), "{row}");
    }
}

#[test]
fn a_log_needs_its_kind_alone_where_its_place_is_known() {
    let read = |profile: &str| {
        let settings = json!({
            "host": "10.0.0.5", "username": "trunkline", "channels": { "profile": profile },
            "log": { "kind": "cdr_csv" },
        });
        AsteriskSettings::read(&settings, &secrets())
    };
    for profile in ["plain", "freepbx"] {
        let log = read(profile).expect("reads").log.expect("a log");
        assert_eq!(
            log.place.to_string(),
            "/var/log/asterisk/cdr-csv/Master.csv"
        );
        assert_eq!(log.grace.as_secs(), 5);
    }
    let found = read("mikopbx").expect_err("no place is known");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].to_string().contains("differs from box to box"),
        "{found:?}"
    );
}

#[test]
fn every_mistake_of_the_log_is_named_at_once() {
    let settings = json!({
        "host": "10.0.0.5", "username": "trunkline",
        "log": {
            "kind": "cdr_csv", "path": "../Master.csv", "columns": ["eventtype", "eventtype", "who"],
            "time_zone": "Mars/Olympus", "grace_s": 601, "file": "x",
        },
    });
    insta::assert_snapshot!(mistakes(&settings, &secrets()), @r#"
    log.path: must be the whole path of the file, from / on, without ..
    log.columns.1: stands there twice
    log.columns.2: is not known; known are eventtype, eventtime, cid_name, cid_num, cid_ani, cid_rdnis, cid_dnid, exten, context, channame, appname, appdata, amaflags, accountcode, uniqueid, linkedid, peer, userfield, userdeftype, eventextra, -
    log.columns: belongs to cel_custom: cdr_csv has columns of its own
    log.columns: must hold eventtime, cid_num, exten, context, channame, appname, uniqueid, linkedid, eventextra
    log.time_zone: is no time zone: write it like "Europe/Moscow"
    log.grace_s: must be a whole number from 0 to 600
    log.file: is not known here; known are kind, path, columns, time_zone, grace_s
    "#);
    let settings = json!({ "host": "10.0.0.5", "username": "trunkline", "log": {} });
    assert_eq!(mistakes(&settings, &secrets()), "log.kind: is missing\n");
}

#[test]
fn a_table_needs_an_account_and_its_password() {
    let settings = |log: Value| json!({ "host": "10.0.0.5", "username": "trunkline", "log": log });
    let table = settings(json!({ "kind": "cel_table", "username": "reader" }));
    let mut both = secrets();
    both.insert(LOG_PASSWORD, Secret::new("a word".to_owned()));
    let read = AsteriskSettings::read(&table, &both).expect("reads");
    let log = read.log.expect("a log");
    assert_eq!(log.place.to_string(), "asteriskcdrdb.cel on 127.0.0.1:3306");
    assert!(format!("{log:?}").contains("reader") && !format!("{log:?}").contains("a word"));

    assert_eq!(
        mistakes(&table, &secrets()),
        "secrets.log_password: is missing: the password of log.username\n"
    );
    let file = settings(json!({ "kind": "cel_custom" }));
    assert_eq!(
        mistakes(&file, &both),
        "secrets.log_password: is not needed: log names no table of a database\n"
    );
    let wrong = settings(json!({
        "kind": "cdr_table", "port": 0, "table": "cdr; DROP", "path": "/var/log", "columns": [],
    }));
    insta::assert_snapshot!(mistakes(&wrong, &both), @"
    log.port: must be at least 1
    log.username: is missing or empty
    log.table: must be made of Latin letters, digits, _ and $
    log.columns: is not known here; known are kind, host, port, username, database, table, time_zone, grace_s
    log.path: is not known here; known are kind, host, port, username, database, table, time_zone, grace_s
    ");
}

#[test]
fn the_manual_of_the_log_names_every_column() {
    use super::super::call_log::SAMPLE_COLUMNS;
    for column in SAMPLE_COLUMNS {
        assert!(LOG_MANUAL.contains(&format!("`{column}`")), "{column}");
    }
}
