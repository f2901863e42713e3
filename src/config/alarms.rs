//! Checks whom alarms reach.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::Value;
use url::{Host, Url};

use crate::alarms::check_body;
use crate::alarms::notice::NewRecord;
use crate::alarms::settings::{AlarmSettings, EmailSettings, Quiet, Security, WebhookSettings};
use crate::model::secret::Secret;
use crate::model::work_hours::DayTime;

use super::daemon::secret;
use super::key_path::KeyPath;
use super::mistake::Findings;
use super::raw::{RawAlarmHook, RawAlarms, RawEmail, RawNotices};
use super::secret_place::Environment;

/// Longest waiting of anything here, in minutes.
const MINUTES_MAX: u32 = 1440;

/// Longest pause between reminders, in hours: a month.
const REMIND_HOURS_MAX: u32 = 720;

/// Longest silence, in working hours: six weeks.
const SILENT_HOURS_MAX: u32 = 240;

/// So many people are told at the most.
const RECIPIENTS_MAX: usize = 20;

/// So many places notices may be posted to: one for each department of many companies.
const NOTICE_WEBHOOKS_MAX: usize = 100;

/// Longest name of a box.
const NAME_CHARS_MAX: usize = 60;

/// Turns `[alarms]` into settings; `None` where a mistake was added.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: RawAlarms,
    environment: &Environment,
) -> Option<AlarmSettings> {
    let table = KeyPath::top().key("alarms");
    let time_zone = match &raw.time_zone {
        None => Some(TimeZone::system()),
        Some(name) => {
            let zone = TimeZone::get(name)
                .map_err(|_| format!("{name:?} is no time zone: write it like \"Europe/Moscow\""));
            findings.take(&table.key("time_zone"), zone)
        }
    };
    let name = raw.box_name.trim();
    let named = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    if !named || name.chars().any(char::is_control) {
        let message = format!("a name has 1 to {NAME_CHARS_MAX} characters on one line");
        findings.mistake(&table.key("box_name"), message);
    }
    let quiet = quiet(findings, &table, &raw);
    let minutes = [
        ("stand_minutes", raw.stand_minutes),
        ("crm_down_minutes", raw.crm_down_minutes),
        ("gather_minutes", raw.gather_minutes),
    ];
    for (key, value) in minutes {
        if value > MINUTES_MAX {
            let message = format!("choose at most {MINUTES_MAX} minutes");
            findings.mistake(&table.key(key), message);
        }
    }
    if raw.remind_hours > REMIND_HOURS_MAX {
        let message = format!("choose at most {REMIND_HOURS_MAX} hours, or 0 for no reminders");
        findings.mistake(&table.key("remind_hours"), message);
    }
    let silent = |hours: u32| (1..=SILENT_HOURS_MAX).contains(&hours);
    if raw.silent_hours.is_some_and(|hours| !silent(hours)) {
        let message = format!("choose 1 to {SILENT_HOURS_MAX} hours");
        findings.mistake(&table.key("silent_hours"), message);
    }
    let below = |key| table.key(key);
    let email = match raw.email {
        None => Some(None),
        Some(raw) => email(findings, &below("email"), raw, environment).map(Some),
    };
    let webhook = match raw.webhook {
        None => Some(None),
        Some(raw) => {
            let checked = webhook(findings, &below("webhook"), raw, environment, check_body);
            checked.map(Some)
        }
    };
    let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
    Some(AlarmSettings {
        language: raw.language,
        box_name: name.to_owned(),
        time_zone: time_zone?,
        quiet: quiet?,
        stands: minutes(raw.stand_minutes),
        crm_down: minutes(raw.crm_down_minutes),
        gather: minutes(raw.gather_minutes),
        remind: (raw.remind_hours > 0).then(|| minutes(raw.remind_hours * 60)),
        silent_hours: raw.silent_hours,
        email: email?,
        webhook: webhook?,
    })
}

/// Turns `[notices.webhooks]` into settings; `None` where a mistake was added.
pub(super) fn notice_webhooks(
    findings: &mut Findings<'_>,
    raw: RawNotices,
    environment: &Environment,
) -> Option<BTreeMap<String, WebhookSettings>> {
    let table = KeyPath::top().key("notices").key("webhooks");
    if raw.webhooks.len() > NOTICE_WEBHOOKS_MAX {
        let message = format!("at most {NOTICE_WEBHOOKS_MAX} places");
        findings.mistake(&table, message);
    }
    let checked = raw.webhooks.into_iter().map(|(name, raw)| {
        let path = table.key(&name);
        let settings = webhook(findings, &path, raw, environment, NewRecord::check_body);
        Some((name, settings?))
    });
    let checked: Vec<_> = checked.collect();
    checked.into_iter().collect()
}

fn quiet(findings: &mut Findings<'_>, table: &KeyPath, raw: &RawAlarms) -> Option<Option<Quiet>> {
    let (from, until) = match (&raw.quiet_from, &raw.quiet_until) {
        (None, None) => return Some(None),
        (Some(from), Some(until)) => (from, until),
        (Some(_), None) => {
            findings.mistake(&table.key("quiet_from"), "say quiet_until, too");
            return None;
        }
        (None, Some(_)) => {
            findings.mistake(&table.key("quiet_until"), "say quiet_from, too");
            return None;
        }
    };
    let from = findings.take(&table.key("quiet_from"), from.parse::<DayTime>());
    let until = findings.take(&table.key("quiet_until"), until.parse::<DayTime>());
    let (from, until) = (from?, until?);
    if from == until {
        let message = "this is the whole day: nobody would ever be told anything";
        findings.mistake(&table.key("quiet_until"), message);
        return None;
    }
    Some(Some(Quiet { from, until }))
}

fn email(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    raw: RawEmail,
    environment: &Environment,
) -> Option<EmailSettings> {
    let server = raw.server.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if server.is_empty() || !server.chars().all(plain) {
        let message = "this is no name of a server: write it like \"smtp.example.com\"";
        findings.mistake(&table.key("server"), message);
    }
    let here = server == "localhost"
        || server
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    if raw.security == Security::None && !here {
        findings.mistake(
            &table.key("security"),
            "without encryption only a mail server on this machine is spoken to: choose \
             \"starttls\" or \"tls\"",
        );
    }
    let password = secret(
        findings,
        table,
        ["password_file", "password_credential"],
        [
            raw.password_file.as_deref(),
            raw.password_credential.as_deref(),
        ],
        1,
        environment,
    );
    let login = match (raw.user, password?) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => {
            let message = "say where the password lies: password_file or password_credential";
            findings.mistake(&table.key("user"), message);
            None
        }
        (None, Some(_)) => {
            findings.mistake(table, "say who logs in with the password: user");
            None
        }
    };
    let address = |findings: &mut Findings<'_>, path: &KeyPath, text: &str| {
        let parsed = text.parse::<lettre::message::Mailbox>();
        let words = "is no e-mail address: write it like \"admin@example.com\"";
        findings.take(path, parsed.map_err(|_| format!("{text:?} {words}")))
    };
    let from = address(findings, &table.key("from"), &raw.from);
    let to = table.key("to");
    if raw.to.is_empty() || raw.to.len() > RECIPIENTS_MAX {
        let message = format!("name 1 to {RECIPIENTS_MAX} addresses");
        findings.mistake(&to, message);
    }
    for (position, text) in raw.to.iter().enumerate() {
        address(findings, &to.index(position), text);
    }
    let authorities = match &raw.ca_file {
        None => None,
        Some(file) => {
            let path = findings.folder().join(file);
            let read = std::fs::read(&path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()));
            let pem = findings.take(&table.key("ca_file"), read)?;
            let parsed = lettre::transport::smtp::client::Certificate::from_pem(&pem);
            let parsed = parsed.map_err(|_| "this is no certificate in PEM");
            findings.take(&table.key("ca_file"), parsed)?;
            Some(pem)
        }
    };
    from?;
    Some(EmailSettings {
        server: server.to_owned(),
        port: raw.port.unwrap_or(match raw.security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        }),
        security: raw.security,
        authorities,
        login,
        from: raw.from,
        to: raw.to,
    })
}

fn webhook(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    raw: RawAlarmHook,
    environment: &Environment,
    check_body: fn(&Value) -> Result<(), String>,
) -> Option<WebhookSettings> {
    let hidden = secret(
        findings,
        table,
        ["url_file", "url_credential"],
        [raw.url_file.as_deref(), raw.url_credential.as_deref()],
        1,
        environment,
    );
    let bearer = secret(
        findings,
        table,
        ["bearer_file", "bearer_credential"],
        [raw.bearer_file.as_deref(), raw.bearer_credential.as_deref()],
        1,
        environment,
    );
    let (key, url) = match (raw.url, hidden?) {
        (Some(url), None) => ("url", Secret::new(url)),
        (None, Some(url)) => ("url_file", url),
        _ => {
            let message = "say where to post: one of url, url_file and url_credential";
            findings.mistake(table, message);
            return None;
        }
    };
    let parsed = findings.take(&table.key(key), address(url.expose()));
    let body = Value::Object(raw.body);
    findings.take(&table.key("body"), check_body(&body))?;
    Some(WebhookSettings {
        url: parsed?,
        secret_url: url,
        body,
        bearer: bearer?,
    })
}

/// Reads an address. What is wrong with it is said without it: it may hold a token.
fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "this is no address: write it like https://…")?;
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err("it is posted by https only, or to this machine: write https://…"),
    }
}
