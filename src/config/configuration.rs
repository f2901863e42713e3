//! The configuration as the daemon uses it: checked, resolved, unable to be wrong.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::alarms::settings::{AlarmSettings, WebhookSettings};
use crate::crm::AccountSettings;
use crate::model::activity::Activity;
use crate::model::answering::{SourceAnswering, TenantAnswering};
use crate::model::communication::Kind;
use crate::model::employee::Employees;
use crate::model::explanation::Language;
use crate::model::ids::{AccountId, IntegrationKey, SourceId, SourceKey, TenantId};
use crate::model::number_rules::NumberRules;
use crate::model::phone::Region;
use crate::model::recording::{RecordingKeeping, RecordingRoot};
use crate::model::secret::{Secret, Secrets};
use crate::pbx::Source;
use crate::rules::settings::IntegrationSettings;

use super::fingerprint::Fingerprint;
use super::mistake::ConfigMistake;

/// Everything that the files say.
#[derive(Clone)]
pub struct Configuration {
    /// The daemon itself.
    pub daemon: DaemonSettings,
    /// The companies, in order of their files' names.
    pub tenants: Vec<Tenant>,
    /// What is permitted but should be looked at, such as a secret that everybody can read.
    pub warnings: Vec<ConfigMistake>,
}

/// `trunkline.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonSettings {
    /// Where the tenants' files lie.
    pub tenants_dir: PathBuf,
    /// The address under which the outside reaches `intake`, without a slash at the end.
    pub public_url: Option<Url>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The store.
    pub store: StoreSettings,
    /// The admin endpoint.
    pub admin: AdminSettings,
    /// The public endpoint.
    pub intake: IntakeSettings,
    /// Which portals may let us in by installing an application.
    pub installations: InstallationSettings,
    /// The endpoint of questions.
    pub questions: QuestionsSettings,
    /// Where the dialplan of an Asterisk asks.
    pub fastagi: FastAgiSettings,
    /// How recordings are kept.
    pub recordings: RecordingKeeping,
    /// Whom alarms reach.
    pub alarms: AlarmSettings,
    /// Where notices of new records are posted, by name.
    pub notice_webhooks: BTreeMap<String, WebhookSettings>,
    /// The log.
    pub log: LogSettings,
    /// Addresses of outside services that stand in for others: rehearsals against simulators.
    pub base_urls: BTreeMap<String, String>,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The database file.
    pub path: PathBuf,
    /// What credentials are encrypted with: a text of at least 32 bytes, from which the store
    /// derives its key.
    pub key: Secret,
    /// Days after which finished communications and their journal are forgotten.
    pub retention_days: u32,
    /// Nothing is accepted while less than this is free on the store's disk, in bytes.
    pub free_bytes_min: u64,
    /// Nothing is accepted while the store is larger than this, in bytes.
    pub size_bytes_max: u64,
}

/// `[admin]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// A loopback address.
    pub listen: SocketAddr,
    /// The socket.
    pub socket: PathBuf,
    /// The bearer token. Without one only the socket serves the API.
    pub token: Option<Secret>,
}

/// `[intake]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Longest body that is read.
    pub body_bytes_max: usize,
    /// Requests of one source in a second; more are told to come again.
    pub source_requests_per_second_max: NonZeroU32,
    /// Requests of one address in a minute that fit no source.
    pub stranger_requests_per_minute_max: NonZeroU32,
}

/// `[installations]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationSettings {
    /// Hosts besides those of accounts, in lower case; one that begins with `*.` stands for all below
    /// it.
    pub portals: Vec<String>,
    /// How many may wait for an administrator.
    pub waiting_max: usize,
    /// For how long they wait.
    pub waiting: Duration,
}

impl InstallationSettings {
    /// Says whether a host is listed.
    pub fn lists(&self, host: &str) -> bool {
        self.portals
            .iter()
            .any(|known| match known.strip_prefix("*.") {
                Some(domain) => {
                    let name = host
                        .strip_suffix(domain)
                        .and_then(|name| name.strip_suffix('.'));
                    name.is_some_and(|name| !name.is_empty() && !name.contains('.'))
                }
                None => known == host,
            })
    }
}

/// `[questions]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionsSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// By what names and addresses it is asked, besides those of this machine and of `listen`.
    pub hosts: Vec<String>,
}

/// `[fastagi]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastAgiSettings {
    /// Where it listens.
    pub listen: SocketAddr,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The form of the lines.
    pub format: LogFormat,
    /// From which weight on lines are written.
    pub level: LogLevel,
    /// Clients' numbers are written in full instead of masked.
    pub show_numbers: bool,
}

/// Where log lines go, and in what form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// To systemd's journal, with fields.
    Journald,
    /// To standard error, for people.
    Text,
    /// To standard error, one JSON object a line.
    Json,
}

/// The weight of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// A person must act.
    Error,
    /// Degraded, but handled.
    Warn,
    /// Lifecycle, and decisions that a person may ask about.
    Info,
    /// Every event.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Returns the word that log filters use.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

/// A company.
#[derive(Clone)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Where its numbers belong.
    pub region: Region,
    /// Where its employees may be connected to by click-to-call.
    pub call_regions: Vec<Region>,
    /// Where its clock hangs.
    pub time_zone: jiff::tz::TimeZone,
    /// In which language its people read.
    pub language: Language,
    /// Its people.
    pub employees: Employees,
    /// How it answers who a caller should reach.
    pub answering: TenantAnswering,
    /// Where its communications come from.
    pub sources: Vec<SourceConfig>,
    /// Its CRM portals.
    pub accounts: Vec<AccountConfig>,
    /// What joins them.
    pub integrations: Vec<IntegrationConfig>,
}

/// A source, built and ready.
#[derive(Clone)]
pub struct SourceConfig {
    /// Its key.
    pub key: SourceKey,
    /// The word of its kind in the registry.
    pub kind: &'static str,
    /// Its name as cards and pages show it.
    pub name: String,
    /// How its numbers are brought into shape.
    pub numbers: NumberRules,
    /// Who may ask for it, and what is answered where nobody is found.
    pub answering: SourceAnswering,
    /// The source.
    pub source: Arc<dyn Source>,
    /// The secrets of its HTTP path, the present one first; empty = it is not reached over HTTP.
    pub hook_secrets: Vec<Secret>,
    /// Where its recordings lie; empty = they are not looked for.
    pub recordings: Vec<RecordingRoot>,
    /// Everything that a running session depends on. The name, the path's secrets and the places
    /// of recordings are not in it: they are looked up at every use.
    pub fingerprint: Fingerprint,
}

/// A CRM portal, built and ready to be opened.
#[derive(Clone)]
pub struct AccountConfig {
    /// Its id.
    pub id: AccountId,
    /// The word of its kind in the registry.
    pub crm: &'static str,
    /// Its name as pages show it.
    pub name: String,
    /// Its settings.
    pub settings: Arc<dyn AccountSettings>,
    /// The secrets that the files name.
    pub secrets: Secrets,
    /// The secrets of the path at which its CRM tells of changes; two overlap while one is
    /// replaced.
    pub hook_secrets: Vec<Secret>,
    /// Everything that an open account depends on, secrets included.
    pub fingerprint: Fingerprint,
}

impl AccountConfig {
    /// Returns the token that the files name.
    pub fn token(&self) -> Option<&Secret> {
        self.secrets.get("token")
    }
}

/// An integration.
#[derive(Debug, Clone)]
pub struct IntegrationConfig {
    /// Its key.
    pub key: IntegrationKey,
    /// Its name.
    pub name: String,
    /// The account that it works in.
    pub account: AccountId,
    /// Whether it works.
    pub activity: Activity,
    /// What it takes, each pair once, in order.
    pub takes: Vec<(SourceId, Kind)>,
    /// What the administrator chose.
    pub settings: IntegrationSettings,
    /// The same as JSON, defaults spelt out.
    pub settings_value: serde_json::Value,
    /// Everything that its decisions depend on: settings, takes, activity, its account, the
    /// people, region, zone and language of the tenant, the names of its sources.
    pub fingerprint: Fingerprint,
}

impl Tenant {
    /// Returns the account of this id.
    pub fn account(&self, id: &AccountId) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// Returns the source of this id.
    pub fn source(&self, id: &SourceId) -> Option<&SourceConfig> {
        self.sources.iter().find(|source| source.key.source == *id)
    }

    /// Returns the integrations that take this kind from this source, whatever their activity.
    pub fn takers<'a>(
        &'a self,
        source: &'a SourceId,
        kind: Kind,
    ) -> impl Iterator<Item = &'a IntegrationConfig> + 'a {
        self.integrations.iter().filter(move |integration| {
            integration
                .takes
                .iter()
                .any(|(taken, taken_kind)| taken == source && *taken_kind == kind)
        })
    }
}

impl Configuration {
    /// Returns the tenant of this id.
    pub fn tenant(&self, id: &TenantId) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == *id)
    }
}
