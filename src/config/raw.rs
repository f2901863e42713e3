//! The files as they are written: every key that they may have. Says nothing about whether the
//! values go together; identifiers and addresses are still text, so that one that is wrong does
//! not hide the rest of its table.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::activity::Activity;
use crate::model::answering::Unlisted;
use crate::model::communication::Kind;
use crate::model::explanation::Language;
use crate::model::number_rules::PrefixRule;
use crate::model::work_hours::Day;
use crate::rules::settings::IntegrationSettings;

use super::configuration::{LogFormat, LogLevel};

/// `trunkline.toml`, laid over the defaults: what has a default is always there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDaemon {
    pub(super) tenants_dir: String,
    pub(super) public_url: Option<String>,
    pub(super) trusted_proxies: Vec<String>,
    pub(super) store: RawStore,
    pub(super) admin: RawAdmin,
    pub(super) intake: RawIntake,
    pub(super) questions: RawQuestions,
    pub(super) fastagi: RawFastAgi,
    pub(super) recordings: RawKeeping,
    pub(super) log: RawLog,
    pub(super) base_urls: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) path: String,
    pub(super) key_file: Option<String>,
    pub(super) key_credential: Option<String>,
    pub(super) retention_days: u32,
    pub(super) free_mb_min: u64,
    pub(super) size_mb_max: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdmin {
    pub(super) listen: String,
    pub(super) socket: String,
    pub(super) token_file: Option<String>,
    pub(super) token_credential: Option<String>,
}

/// How recordings are kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeeping {
    pub(super) folder: String,
    pub(super) retention_days: u32,
    pub(super) link_days: Option<u32>,
    pub(super) seek_days: u32,
    pub(super) ffmpeg: String,
}

/// Where recordings of a source lie; a folder or an address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRoot {
    pub(super) folder: Option<String>,
    pub(super) url: Option<String>,
    pub(super) pbx_path: Option<String>,
    pub(super) user: Option<String>,
    pub(super) key_header: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIntake {
    pub(super) listen: String,
    pub(super) body_bytes_max: u64,
    pub(super) source_requests_per_second_max: u32,
    pub(super) stranger_requests_per_minute_max: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuestions {
    pub(super) listen: String,
    pub(super) hosts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFastAgi {
    pub(super) listen: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) format: LogFormat,
    pub(super) level: LogLevel,
    pub(super) show_numbers: bool,
}

/// A file of `tenants.d`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenantFile {
    pub(super) tenant: RawTenant,
    #[serde(default)]
    pub(super) questions: RawTenantQuestions,
    #[serde(default)]
    pub(super) numbers: Vec<RawInboundNumber>,
    #[serde(default)]
    pub(super) employees: Vec<RawEmployee>,
    #[serde(default)]
    pub(super) sources: Vec<RawSource>,
    #[serde(default)]
    pub(super) accounts: Vec<RawAccount>,
    #[serde(default)]
    pub(super) integrations: Vec<RawIntegration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) region: Option<String>,
    pub(super) call_regions: Option<Vec<String>>,
    pub(super) time_zone: String,
    #[serde(default)]
    pub(super) language: Language,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmployee {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) extensions: Vec<RawExtension>,
    #[serde(default)]
    pub(super) users: Vec<RawUser>,
    #[serde(default)]
    pub(super) phones: Vec<String>,
    #[serde(default = "yes")]
    pub(super) personal_manager: bool,
    #[serde(default)]
    pub(super) away: bool,
    pub(super) hours: Option<Vec<RawWorkSpan>>,
    pub(super) stand_in: Option<String>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWorkSpan {
    pub(super) days: Vec<Day>,
    pub(super) from: String,
    pub(super) to: String,
}

/// `[questions]` of a tenant.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenantQuestions {
    pub(super) integrations: Option<Vec<String>>,
}

/// One of `[[numbers]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInboundNumber {
    pub(super) number: String,
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) scenario: RawScenario,
    pub(super) employee: Option<String>,
    pub(super) owner: Option<String>,
    #[serde(default)]
    pub(super) exits: RawExits,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawScenario {
    #[default]
    PersonalManager,
    Employee,
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExits {
    pub(super) default: Option<String>,
    pub(super) no_manager: Option<String>,
    pub(super) redirect_failed: Option<String>,
}

/// `[sources.questions]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSourceQuestions {
    pub(super) allow: Option<Vec<String>>,
    #[serde(default)]
    pub(super) unlisted: Unlisted,
    pub(super) live_within_ms: Option<u64>,
    #[serde(default)]
    pub(super) exits: RawExits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExtension {
    pub(super) source: String,
    pub(super) extension: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUser {
    pub(super) account: String,
    pub(super) user: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) numbers: RawNumbers,
    #[serde(default)]
    pub(super) questions: RawSourceQuestions,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    #[serde(default)]
    pub(super) recordings: Vec<RawRoot>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, RawSecret>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNumbers {
    pub(super) region: Option<String>,
    #[serde(default)]
    pub(super) incoming: Vec<PrefixRule>,
    #[serde(default)]
    pub(super) outgoing: Vec<PrefixRule>,
}

/// Where a secret lies; exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "{ file = \"…\" } or { credential = \"…\" }: no secret stands in these files"
)]
pub(super) struct RawSecret {
    pub(super) file: Option<String>,
    pub(super) credential: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccount {
    pub(super) id: String,
    pub(super) crm: String,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, RawSecret>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIntegration {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) account: String,
    #[serde(default)]
    pub(super) activity: Activity,
    #[serde(default)]
    pub(super) takes: Vec<RawTake>,
    #[serde(default)]
    pub(super) settings: IntegrationSettings,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTake {
    pub(super) source: String,
    pub(super) kinds: Vec<Kind>,
}
