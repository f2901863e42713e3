//! Checks `trunkline.toml`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use crate::model::secret::Secret;

use super::alarms;
use super::configuration::{
    AdminSettings, DaemonSettings, FastAgiSettings, InstallationSettings, IntakeSettings,
    LogSettings, QuestionsSettings, StoreSettings,
};
use super::key_path::KeyPath;
use super::mistake::Findings;
use super::raw::{
    RawAdmin, RawDaemon, RawFastAgi, RawInstallations, RawIntake, RawQuestions, RawStore,
};
use super::recordings;
use super::secret_place::{self, Environment, Place};

/// Shortest text that a store key is derived from: 32 random bytes are what the cipher takes,
/// and no way of writing them down is shorter.
const KEY_BYTES_MIN: usize = 32;

/// Shortest bearer token or secret of an HTTP path: 16 random characters cannot be guessed over
/// a network.
pub(super) const TOKEN_BYTES_MIN: usize = 16;

pub(super) const MIB: u64 = 1024 * 1024;

/// Least free space that can be asked for, in MiB: one group of commits of the busiest intake
/// and the work that follows from it.
const FREE_MB_MIN: u64 = 16;

/// Smallest bound of the store's size, in MiB.
const SIZE_MB_MIN: u64 = 64;

/// Longest retention: ten years. More is a slip of the finger.
const RETENTION_DAYS_MAX: u32 = 3650;

/// The body of the largest webhook that any supported platform documents is far below a
/// megabyte; the default says 1 MiB. A body is held in memory, so that the limit has one too.
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A smaller limit would refuse an ordinary call.
const BODY_BYTES_MIN: u64 = 4 * 1024;

/// Each portal that waits is a line that a person reads.
const WAITING_MAX: u32 = 200;

/// What a portal posted is good for half a year; a person who has not looked for three months will
/// not.
const WAITING_DAYS_MAX: u32 = 90;

/// Longest path of a Unix socket on Linux (`sun_path` has 108 bytes, the last one zero).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Turns the written file into settings; `None` where a mistake was added.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: RawDaemon,
    environment: &Environment,
) -> Option<DaemonSettings> {
    let top = KeyPath::top();
    let tenants_dir = findings.folder().join(&raw.tenants_dir);
    let public_url = match &raw.public_url {
        None => Some(None),
        Some(text) => {
            let checked = public_url(text);
            findings.take(&top.key("public_url"), checked).map(Some)
        }
    };
    let proxies = top.key("trusted_proxies");
    let indexed = raw.trusted_proxies.iter().enumerate();
    let trusted_proxies = indexed
        .map(|(index, text)| address::<IpAddr>(findings, &proxies.index(index), text, "127.0.0.1"))
        .collect::<Vec<_>>();
    let base_urls = base_urls(findings, &raw.base_urls);
    let store = store(findings, &raw.store, environment);
    let admin = admin(findings, &raw.admin, environment);
    let intake = intake(findings, &raw.intake);
    let recordings = recordings::keeping(findings, &raw.recordings, &raw.store);
    let installations = installations(findings, &raw.installations);
    let questions = questions(findings, &raw.questions);
    let fastagi = fastagi(findings, &raw.fastagi);
    let alarms = alarms::check(findings, raw.alarms, environment);
    let notice_webhooks = alarms::notice_webhooks(findings, raw.notices, environment);
    let listeners = [
        ("admin", admin.as_ref().map(|admin| admin.listen)),
        ("intake", intake.as_ref().map(|intake| intake.listen)),
        (
            "questions",
            questions.as_ref().map(|questions| questions.listen),
        ),
        ("fastagi", fastagi.as_ref().map(|fastagi| fastagi.listen)),
    ];
    for (position, (section, listen)) in listeners.iter().enumerate() {
        let same = |(_, other): &&(&str, Option<SocketAddr>)| {
            // Port 0 is a free one, each time another.
            listen.is_some_and(|listen| listen.port() != 0) && other == listen
        };
        if let Some((other, _)) = listeners.iter().take(position).find(same) {
            let path = top.key(section).key("listen");
            findings.mistake(&path, format!("{other}.listen has this address too"));
        }
    }
    Some(DaemonSettings {
        tenants_dir,
        public_url: public_url?,
        trusted_proxies: trusted_proxies.into_iter().collect::<Option<_>>()?,
        store: store?,
        admin: admin?,
        intake: intake?,
        installations: installations?,
        questions: questions?,
        fastagi: fastagi?,
        recordings: recordings?,
        alarms: alarms?,
        notice_webhooks: notice_webhooks?,
        log: LogSettings {
            format: raw.log.format,
            level: raw.log.level,
            show_numbers: raw.log.show_numbers,
        },
        base_urls: base_urls?,
    })
}

fn address<T: FromStr>(
    findings: &mut Findings<'_>,
    path: &KeyPath,
    text: &str,
    example: &str,
) -> Option<T> {
    let parsed = text
        .parse()
        .map_err(|_| format!("{text:?} is not an address: write it like {example:?}"));
    findings.take(path, parsed)
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = web_url(text)?;
    let loopback = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !loopback {
        return Err("the outside reaches us by https only: write https://…".to_owned());
    }
    Ok(url)
}

/// Reads the address of a web service: scheme, host, port and perhaps a path, nothing more.
pub(super) fn web_url(text: &str) -> Result<Url, String> {
    let example = "write it like https://box.example";
    let url =
        Url::parse(text).map_err(|error| format!("this is no address: {error}; {example}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!("only http and https can be used; {example}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a name or password does not belong into an address".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("an address ends before any '?' or '#'; {example}"));
    }
    Ok(url)
}

fn base_urls(
    findings: &mut Findings<'_>,
    raw: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let table = KeyPath::top().key("base_urls");
    let mut checked = Some(BTreeMap::new());
    for (instead_of, address) in raw {
        let path = table.key(instead_of);
        let from = findings.take(&path, web_url(instead_of).map(|url| plain(&url)));
        let to = findings.take(&path, web_url(address).map(|url| plain(&url)));
        checked = match (checked, from, to) {
            (Some(mut checked), Some(from), Some(to)) => {
                checked.insert(from, to);
                Some(checked)
            }
            _ => None,
        };
    }
    checked
}

/// Returns the address in the one form by which addresses are compared.
pub(super) fn plain(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn store(
    findings: &mut Findings<'_>,
    raw: &RawStore,
    environment: &Environment,
) -> Option<StoreSettings> {
    let table = KeyPath::top().key("store");
    let path = table.key("path");
    if raw.path.is_empty() {
        findings.mistake(&path, "name the file that the store is kept in");
    }
    if raw.free_mb_min < FREE_MB_MIN {
        findings.mistake(
            &table.key("free_mb_min"),
            format!("at least {FREE_MB_MIN}: the work that was accepted must find room too"),
        );
    }
    if raw.size_mb_max < SIZE_MB_MIN {
        let path = table.key("size_mb_max");
        findings.mistake(
            &path,
            format!("at least {SIZE_MB_MIN}: a day's calls must fit"),
        );
    }
    let days = table.key("retention_days");
    if !(1..=RETENTION_DAYS_MAX).contains(&raw.retention_days) {
        findings.mistake(&days, format!("choose 1 to {RETENTION_DAYS_MAX} days"));
    }
    let key = secret(
        findings,
        &table,
        ["key_file", "key_credential"],
        [raw.key_file.as_deref(), raw.key_credential.as_deref()],
        KEY_BYTES_MIN,
        environment,
    );
    let Some(key) = key? else {
        findings.mistake(&table, "name the key: key_file or key_credential");
        return None;
    };
    Some(StoreSettings {
        path: findings.folder().join(&raw.path),
        key,
        retention_days: raw.retention_days,
        free_bytes_min: raw.free_mb_min.saturating_mul(MIB),
        size_bytes_max: raw.size_mb_max.saturating_mul(MIB),
    })
}

fn admin(
    findings: &mut Findings<'_>,
    raw: &RawAdmin,
    environment: &Environment,
) -> Option<AdminSettings> {
    let table = KeyPath::top().key("admin");
    let path = table.key("listen");
    let listen = address::<SocketAddr>(findings, &path, &raw.listen, "127.0.0.1:8460");
    if listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        findings.mistake(
            &path,
            "the admin endpoint listens on this machine only: use 127.0.0.1 or [::1], and a tunnel \
             to reach it from elsewhere",
        );
    }
    let socket: PathBuf = findings.folder().join(&raw.socket);
    if raw.socket.is_empty() || socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        findings.mistake(
            &table.key("socket"),
            format!("a socket's path has 1 to {SOCKET_PATH_BYTES_MAX} bytes"),
        );
    }
    let token = secret(
        findings,
        &table,
        ["token_file", "token_credential"],
        [raw.token_file.as_deref(), raw.token_credential.as_deref()],
        TOKEN_BYTES_MIN,
        environment,
    );
    Some(AdminSettings {
        listen: listen?,
        socket,
        token: token?,
    })
}

fn intake(findings: &mut Findings<'_>, raw: &RawIntake) -> Option<IntakeSettings> {
    let table = KeyPath::top().key("intake");
    let listen = address::<SocketAddr>(
        findings,
        &table.key("listen"),
        &raw.listen,
        "127.0.0.1:8461",
    );
    let path = table.key("body_bytes_max");
    if !(BODY_BYTES_MIN..=BODY_BYTES_MAX).contains(&raw.body_bytes_max) {
        findings.mistake(
            &path,
            format!("choose {BODY_BYTES_MIN} to {BODY_BYTES_MAX} bytes"),
        );
    }
    let fits = usize::try_from(raw.body_bytes_max);
    let body_bytes_max = findings.take(&path, fits);
    let mut rate = |key: &str, rate: u32| {
        let rate = NonZeroU32::new(rate).ok_or("choose at least 1");
        findings.take(&table.key(key), rate)
    };
    let source = rate(
        "source_requests_per_second_max",
        raw.source_requests_per_second_max,
    );
    let stranger = rate(
        "stranger_requests_per_minute_max",
        raw.stranger_requests_per_minute_max,
    );
    Some(IntakeSettings {
        listen: listen?,
        body_bytes_max: body_bytes_max?,
        source_requests_per_second_max: source?,
        stranger_requests_per_minute_max: stranger?,
    })
}

fn installations(
    findings: &mut Findings<'_>,
    raw: &RawInstallations,
) -> Option<InstallationSettings> {
    let table = KeyPath::top().key("installations");
    let list = table.key("portals");
    let indexed = raw.portals.iter().enumerate();
    let portals: Vec<Option<String>> = indexed
        .map(|(index, text)| findings.take(&list.index(index), portal_host(text)))
        .collect();
    let mut within = |key: &str, value: u32, max: u32| {
        let fits = (1..=max).contains(&value).then_some(value);
        findings.take(&table.key(key), fits.ok_or(format!("choose 1 to {max}")))
    };
    let waiting_max = within("waiting_max", raw.waiting_max, WAITING_MAX);
    let waiting_days = within("waiting_days", raw.waiting_days, WAITING_DAYS_MAX);
    Some(InstallationSettings {
        portals: portals.into_iter().collect::<Option<_>>()?,
        waiting_max: usize::try_from(waiting_max?).unwrap_or(usize::MAX),
        waiting: Duration::from_secs(u64::from(waiting_days?) * 86_400),
    })
}

/// Reads the host of a portal, or of all below a domain.
fn portal_host(text: &str) -> Result<String, String> {
    let host = text.to_ascii_lowercase();
    let name = host.strip_prefix("*.").unwrap_or(&host);
    let plain = |label: &str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(word)
    };
    // A star below a top level domain would let in whoever buys a name there.
    let is_name = name.contains('.') && name.len() <= 253 && name.split('.').all(plain);
    if is_name {
        Ok(host)
    } else {
        Err(format!(
            "{text:?} is no portal: write it like \"example.bitrix24.ru\" or \"*.bitrix24.ru\""
        ))
    }
}

fn questions(findings: &mut Findings<'_>, raw: &RawQuestions) -> Option<QuestionsSettings> {
    let table = KeyPath::top().key("questions");
    let path = table.key("listen");
    let listen = address::<SocketAddr>(findings, &path, &raw.listen, "127.0.0.1:8462");
    let hosts = table.key("hosts");
    for (position, host) in raw.hosts.iter().enumerate() {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
        if host.is_empty() || !host.chars().all(plain) || is_with_port(host) {
            findings.mistake(
                &hosts.index(position),
                format!("{host:?} is not a name: write it like \"pbx.local\" or \"10.0.0.5\", without a port"),
            );
        }
    }
    if raw.hosts.is_empty() && listen.is_some_and(|listen| listen.ip().is_unspecified()) {
        findings.mistake(
            &hosts,
            "questions.listen is every address of this machine: name those by which phone systems \
             ask, such as hosts = [\"10.0.0.5\"]; other Host headers are refused",
        );
    }
    Some(QuestionsSettings {
        listen: listen?,
        hosts: raw.hosts.clone(),
    })
}

/// Says whether a name is followed by a port: one colon stands in no name and no IPv6 address.
fn is_with_port(host: &str) -> bool {
    host.matches(':').count() == 1
}

fn fastagi(findings: &mut Findings<'_>, raw: &RawFastAgi) -> Option<FastAgiSettings> {
    let path = KeyPath::top().key("fastagi").key("listen");
    let listen = address(findings, &path, &raw.listen, "127.0.0.1:4573")?;
    Some(FastAgiSettings { listen })
}

/// Fetches a secret that has two possible keys. The outer `None` = a mistake was added.
pub(super) fn secret(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    [file_key, credential_key]: [&str; 2],
    [file, credential]: [Option<&str>; 2],
    bytes_min: usize,
    environment: &Environment,
) -> Option<Option<Secret>> {
    let place = Place::one_of(file, credential);
    let Some(place) = findings.take(&table.key(file_key), place)? else {
        return Some(None);
    };
    let path = match place {
        Place::File(_) => table.key(file_key),
        Place::Credential(_) => table.key(credential_key),
    };
    let secret = secret_place::fetch(findings, &path, &place, environment)?;
    let checked = long_enough(&secret, bytes_min);
    findings.take(&path, checked)?;
    Some(Some(secret))
}

/// Refuses a secret that could be guessed.
pub(super) fn long_enough(secret: &Secret, bytes_min: usize) -> Result<(), impl Display + use<>> {
    let bytes = secret.expose().len();
    if bytes >= bytes_min {
        Ok(())
    } else {
        Err(format!(
            "the secret has {bytes} bytes and needs {bytes_min}: make one with openssl rand -base64 33"
        ))
    }
}
