//! What an administrator chose for an Asterisk: read from the source's `settings` table and its
//! secrets, with every mistake named. Past this file the settings cannot be wrong.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::call_log::{self, LogSettings};
use super::channels::{ChannelRules, ChannelSettings};
use super::mirror::{self, settings::MirrorSettings};
use super::tls::{self, TlsSettings};
use crate::model::asked::{Asked, asked_by};
use crate::model::mistake::Mistake;
use crate::model::object_reader::{Mistakes, Reader, TextShape};
use crate::model::secret::{Secret, Secrets};

/// The name of the secret: the AMI user's password in manager.conf.
pub(super) const SECRET: &str = "secret";

/// The name of the secret: the password of the database account that reads the log.
pub(super) const LOG_PASSWORD: &str = "log_password";

/// Manager.conf's own port (`pbx/asterisk.md` §1), with TLS and without.
const PORT: u16 = 5038;
const PORT_TLS: u16 = 5039;

/// Read classes that exist; another word would silently narrow the session to nothing.
const EVENT_CLASSES: [&str; 19] = [
    "system",
    "call",
    "log",
    "verbose",
    "command",
    "agent",
    "user",
    "config",
    "dtmf",
    "reporting",
    "cdr",
    "dialplan",
    "originate",
    "agi",
    "cc",
    "aoc",
    "test",
    "security",
    "message",
];

/// The model's own bound of an extension.
const EXTENSION_DIGITS_MAX: u64 = 20;

/// What the recommended user may read (`pbx/asterisk.md` §1).
const EVENTS: [&str; 5] = ["system", "call", "agent", "user", "cdr"];

/// An Asterisk to connect to.
#[derive(Debug, Clone)]
pub(super) struct AsteriskSettings {
    /// Name or address.
    pub(super) host: String,
    /// Port of AMI.
    pub(super) port: u16,
    /// How the connection is protected, if it is.
    pub(super) tls: Option<Arc<TlsSettings>>,
    /// The AMI user.
    pub(super) username: String,
    /// Its password.
    pub(super) secret: Secret,
    /// How the password is proved.
    pub(super) login: LoginMethod,
    /// How long making the connection may take, TLS included.
    pub(super) connect_timeout: Duration,
    /// After so long a silence the PBX is asked whether it is there.
    pub(super) keep_alive: Duration,
    /// How long an answer may take.
    pub(super) reply_deadline: Duration,
    /// The event classes that are wanted.
    pub(super) events: Vec<String>,
    /// Which channels are trunks and which are extensions.
    pub(super) channels: ChannelRules,
    /// How long after its last channel a call waits for late events.
    pub(super) linger: Duration,
    /// How calls are placed for employees; `None` = they are not.
    pub(super) originate: Option<OriginateSettings>,
    /// The PBX's own log; `None` = what is not seen stays unknown.
    pub(super) log: Option<Arc<LogSettings>>,
    /// What is kept in the PBX's own database; `None` = nothing.
    pub(super) mirror: Option<MirrorSettings>,
}

/// How calls are placed (`pbx/asterisk.md` §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OriginateSettings {
    /// The employee's device, with `{extension}` in it.
    pub(super) channel: String,
    /// The context in which the client's number is dialled.
    pub(super) context: String,
    /// Stands before the number.
    pub(super) dial_prefix: String,
    /// How the number is written.
    pub(super) dial_format: DialFormat,
    /// How long the employee's phone rings.
    pub(super) ring_timeout: Duration,
    /// The channel variable that takes a number which is always shown.
    pub(super) always_variable: String,
}

/// By this name FreePBX's dialplan (`macro-outbound-callerid`) lets a number go before those of
/// extension, route and trunk.
const ALWAYS_VARIABLE: &str = "TRUNKCIDOVERRIDE";

/// How a number is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DialFormat {
    /// `+79161234567`.
    Plus,
    /// `79161234567`.
    #[default]
    Digits,
    /// `89161234567`: as it is dialled at home.
    National,
}

/// How the password is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LoginMethod {
    /// By challenge and MD5: the password does not cross the network. Where the PBX does not
    /// know the challenge, the password is sent over TLS, and never without TLS.
    #[default]
    Md5,
    /// The password itself is sent, with TLS or without. Choosing it is the permission.
    Plain,
}

impl AsteriskSettings {
    /// Reads the settings, or names every mistake.
    pub(super) fn read(settings: &Value, secrets: &Secrets) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Mistakes::default();
        let read = Reader::new(settings, &[], &mut mistakes).and_then(read_table);
        let secret = secrets.get(SECRET).cloned();
        let secret_fits =
            |s: &Secret| !s.expose().is_empty() && !s.expose().contains(char::is_control);
        match &secret {
            None => mistakes.add_mistake(
                &[],
                Mistake::at("secrets.secret", "is missing: the secret of the AMI user"),
            ),
            Some(secret) if !secret_fits(secret) => mistakes.add_mistake(
                &[],
                Mistake::at("secrets.secret", "must be one line that is not empty"),
            ),
            Some(_) => {}
        }
        let mut read = read;
        if let Some(read) = &mut read {
            read.take_log_password(secrets, &mut mistakes);
        }
        match (read, secret, mistakes.into_vec()) {
            (Some(read), Some(secret), found) if found.is_empty() => Ok(Self { secret, ..read }),
            (_, _, found) => Err(found),
        }
    }

    fn take_log_password(&mut self, secrets: &Secrets, mistakes: &mut Mistakes) {
        let log = self.log.as_mut().map(Arc::make_mut);
        let wanted = log.and_then(LogSettings::password);
        let wrong = match (wanted, secrets.get(LOG_PASSWORD)) {
            (Some(_), None) => "is missing: the password of log.username",
            (None, Some(_)) => "is not needed: log names no table of a database",
            (Some(wanted), Some(password)) => return wanted.clone_from(password),
            (None, None) => return,
        };
        let key = format!("secrets.{LOG_PASSWORD}");
        mistakes.add_mistake(&[], Mistake::at(&key, wrong));
    }
}

/// Returns every key of the table.
pub(super) fn asked() -> Vec<Asked> {
    asked_by(|r| drop(read_table(r)))
}

/// Reads all but the secret.
fn read_table(mut r: Reader<'_>) -> Option<AsteriskSettings> {
    // Host names end at 253 characters; user names of manager.conf are section names.
    let host = r.required_text("host", TextShape::Line(253));
    if host.as_deref().is_some_and(|host| !is_host(host)) {
        r.wrong(
            "host",
            "must be a name or an address alone, without port or scheme",
        );
    }
    let port = r
        .whole("port", u64::from(u16::MAX))
        .and_then(|port| u16::try_from(port).ok());
    if port == Some(0) {
        r.wrong("port", "must be from 1 to 65535");
    }
    let username = r.required_text("username", TextShape::Line(80));
    let login = r.word("login").unwrap_or_default();
    let tls = r
        .table("tls")
        .map(|table| tls::read(table, host.as_deref().unwrap_or_default()));
    // Long enough for a PBX across the country, short enough that a person sees the failure.
    let connect_timeout = r.seconds("connect_timeout_s", 1..=60, 10);
    // The PBX never pings by itself; routers forget idle connections after a minute or more.
    let keep_alive = r.seconds("keep_alive_s", 1..=300, 20);
    let reply_deadline = r.seconds("reply_deadline_s", 1..=120, 10);
    let linger_ms = r.whole_in("linger_ms", 0..=30_000, 1_500);
    let events = events(&mut r);
    let channels = channels(&mut r);
    let originate = r.table("originate").map(originate);
    let log = r.table("log");
    let log = log.map(|table| call_log::settings::read(table, channels.profile()));
    let mirror = r.table("astdb_mirror").map(mirror::settings::read);
    r.finish();
    let default_port = if tls.is_some() { PORT_TLS } else { PORT };
    Some(AsteriskSettings {
        host: host?,
        port: port.unwrap_or(default_port),
        tls: match tls {
            Some(tls) => Some(Arc::new(tls?)),
            None => None,
        },
        username: username?,
        secret: Secret::default(),
        login,
        connect_timeout,
        keep_alive,
        reply_deadline,
        events,
        channels,
        linger: Duration::from_millis(linger_ms),
        originate: match originate {
            Some(originate) => Some(originate?),
            None => None,
        },
        log: match log {
            Some(log) => Some(Arc::new(log?)),
            None => None,
        },
        mirror: match mirror {
            Some(mirror) => Some(mirror?),
            None => None,
        },
    })
}

/// The word in `channel` that the employee's extension takes the place of.
const EXTENSION: &str = "{extension}";

fn originate(mut r: Reader<'_>) -> Option<OriginateSettings> {
    let channel = r.text("channel", TextShape::Line(200));
    let channel = channel.unwrap_or_else(|| format!("PJSIP/{EXTENSION}"));
    if channel.matches(EXTENSION).count() != 1 {
        r.wrong("channel", format!("must hold {EXTENSION} once"));
    }
    let context = r.required_text("context", TextShape::Line(80));
    let dial_prefix = r
        .text("dial_prefix", TextShape::Line(16))
        .unwrap_or_default();
    if !dial_prefix
        .chars()
        .all(|c| c.is_ascii_digit() || "+*#".contains(c))
    {
        r.wrong("dial_prefix", "must be made of digits, +, * and #");
    }
    let dial_format = r.word("dial_format").unwrap_or_default();
    let ring_timeout = r.seconds("ring_timeout_s", 5..=120, 30);
    let always_variable = r.text("always_variable", TextShape::Line(80));
    let always_variable = always_variable.unwrap_or_else(|| ALWAYS_VARIABLE.to_owned());
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !always_variable.chars().all(is_name) {
        r.wrong("always_variable", "must be made of letters, digits and _");
    }
    r.finish();
    Some(OriginateSettings {
        channel,
        context: context?,
        dial_prefix,
        dial_format,
        ring_timeout,
        always_variable,
    })
}

fn is_host(host: &str) -> bool {
    let is_v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
    is_v6 || !host.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '/' | '@'))
}

fn events(r: &mut Reader<'_>) -> Vec<String> {
    let given = r.texts("events", EVENT_CLASSES.len(), TextShape::Line(20));
    for (position, class) in given.iter().enumerate() {
        if !EVENT_CLASSES.contains(&class.as_str()) {
            let message = format!("must be one of {}", EVENT_CLASSES.join(", "));
            r.wrong(&format!("events.{position}"), message);
        }
    }
    if given.is_empty() {
        return EVENTS.map(str::to_owned).to_vec();
    }
    if !given.iter().any(|class| class == "call") {
        r.wrong("events", "must hold call: without it no call is seen");
    }
    given
}

fn channels(r: &mut Reader<'_>) -> ChannelRules {
    let mut settings = ChannelSettings::default();
    // More patterns than trunks of a large company; each is tried on every new channel.
    const PATTERNS_MAX: usize = 200;
    const PATTERN: TextShape = TextShape::Line(80);
    if let Some(mut table) = r.table("channels") {
        settings.profile = table.word("profile").unwrap_or_default();
        settings.trunks = table.texts("trunks", PATTERNS_MAX, PATTERN);
        settings.extensions = table.texts("extensions", PATTERNS_MAX, PATTERN);
        settings.trunk_contexts = table.texts("trunk_contexts", PATTERNS_MAX, PATTERN);
        let mut digits = |key, usual: usize| {
            let given = table.whole(key, EXTENSION_DIGITS_MAX);
            given.and_then(|n| usize::try_from(n).ok()).unwrap_or(usual)
        };
        settings.extension_digits_min =
            digits("extension_digits_min", settings.extension_digits_min);
        settings.extension_digits_max =
            digits("extension_digits_max", settings.extension_digits_max);
        table.finish();
    }
    for mistake in settings.mistakes() {
        r.mistake(mistake.under("channels"));
    }
    ChannelRules::new(settings)
}
