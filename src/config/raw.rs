//! The files as they are written: every key that they may have. Says nothing about whether the
//! values go together; identifiers and addresses are still text, so that one that is wrong does
//! not hide the rest of its table.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::alarms::settings::Security;
use crate::model::activity::Activity;
use crate::model::answering::Unlisted;
use crate::model::communication::Kind;
use crate::model::explanation::Language;
use crate::model::number_rules::PrefixRule;
use crate::model::work_hours::Day;
use crate::rules::settings::IntegrationSettings;

use super::configuration::{LogFormat, LogLevel};

/// `trunkline.toml`, laid over the defaults: what has a default is always there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDaemon {
    /// Where the companies' files (`*.toml`) lie.
    pub(super) tenants_dir: String,
    /// The address under which platforms and CRMs reach `[intake]` from outside, through your TLS
    /// proxy. Without it everything works that needs no call from outside.
    pub(super) public_url: Option<String>,
    /// Whose X-Forwarded-For header is believed: the addresses of that proxy.
    pub(super) trusted_proxies: Vec<String>,
    /// The database.
    pub(super) store: RawStore,
    /// Status, journal, dead letters, metrics: for this machine only.
    pub(super) admin: RawAdmin,
    /// Webhooks of platforms and CRMs.
    pub(super) intake: RawIntake,
    /// CRM portals that let us in by installing an application (docs/connect-bitrix24.md).
    pub(super) installations: RawInstallations,
    /// "Who should this caller reach?", asked by phone systems over HTTP (docs/questions.md).
    pub(super) questions: RawQuestions,
    /// The same question, asked by the dialplan of an Asterisk (docs/dialplan.md).
    pub(super) fastagi: RawFastAgi,
    /// How recordings are kept (docs/recordings.md).
    pub(super) recordings: RawKeeping,
    /// Whom alarms reach, and when (docs/alarms.md).
    pub(super) alarms: RawAlarms,
    /// How people are told of new records past the CRM (docs/notices.md).
    #[serde(default)]
    pub(super) notices: RawNotices,
    /// The log.
    pub(super) log: RawLog,
    /// Addresses of outside services that others stand in for; for rehearsals against simulators. They
    /// can be changed nowhere else.
    pub(super) base_urls: BTreeMap<String, String>,
}

/// The database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    /// The file of the database, made at the first start.
    pub(super) path: String,
    /// The file with the key that tokens and passwords in the store are encrypted with: a text of at
    /// least 32 bytes. Excludes `key_credential`.
    pub(super) key_file: Option<String>,
    /// The systemd credential with that key.
    pub(super) key_credential: Option<String>,
    /// Days after which finished communications and their journal are forgotten.
    #[schemars(range(min = 1, max = 3650))]
    pub(super) retention_days: u32,
    /// Nothing more is accepted while less than this is free on the store's disk, in MiB.
    #[schemars(range(min = 16))]
    pub(super) free_mb_min: u64,
    /// Nothing more is accepted while the store is larger than this, in MiB.
    #[schemars(range(min = 64))]
    pub(super) size_mb_max: u64,
}

/// The local endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdmin {
    /// Address and port; only an address of this machine is accepted.
    pub(super) listen: String,
    /// The socket for local users of the group trunkline, without a token.
    pub(super) socket: String,
    /// The file with the bearer token for `listen`, at least 16 bytes; without one only the socket serves
    /// the API. Excludes `token_credential`.
    pub(super) token_file: Option<String>,
    /// The systemd credential with that token.
    pub(super) token_credential: Option<String>,
}

/// How recordings are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeeping {
    /// Where recordings are kept that were fetched over HTTP, joined or converted.
    pub(super) folder: String,
    /// Days after its call for which a recording is kept and can be played. Never longer than the
    /// store's.
    pub(super) retention_days: u32,
    /// Days after its call after which the address of a recording no longer opens; without it, as long
    /// as the recording is kept.
    pub(super) link_days: Option<u32>,
    /// Days for which a recording that is not there is looked for.
    pub(super) seek_days: u32,
    /// What converts recordings that browsers do not play: a name on the path, or a file.
    pub(super) ffmpeg: String,
}

/// Where recordings of a source lie; a folder or an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRoot {
    /// The folder. Excludes `url`.
    pub(super) folder: Option<String>,
    /// The address of a web server.
    pub(super) url: Option<String>,
    /// The folder as the phone system calls it, where it lies elsewhere on this box.
    pub(super) pbx_path: Option<String>,
    /// The user of the web server; its password is the secret `recordings`.
    pub(super) user: Option<String>,
    /// The header in which the web server wants the secret `recordings`.
    pub(super) key_header: Option<String>,
}

/// The public endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIntake {
    /// Address and port.
    pub(super) listen: String,
    /// Longest body that is read; a longer one is answered with 413.
    #[schemars(range(min = 4096, max = 16_777_216))]
    pub(super) body_bytes_max: u64,
    /// Requests of one source in a second; more are answered with 429.
    #[schemars(range(min = 1))]
    pub(super) source_requests_per_second_max: u32,
    /// Requests of one address in a minute that fit no source or carry a wrong secret; more are answered
    /// with 429 and no longer logged.
    #[schemars(range(min = 1))]
    pub(super) stranger_requests_per_minute_max: u32,
}

/// Portals that let us in by installing an application.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInstallations {
    /// Hosts of portals that may ask to be let in although no account names them: `NAME.bitrix24.ru`, or
    /// `*.bitrix24.ru` for all below that domain. Portals of accounts may ask in any case.
    pub(super) portals: Vec<String>,
    /// Portals that may wait for an administrator at once; more are told to come again.
    #[schemars(range(min = 1, max = 200))]
    pub(super) waiting_max: u32,
    /// Days after which a portal that nobody accepted is forgotten.
    #[schemars(range(min = 1, max = 90))]
    pub(super) waiting_days: u32,
}

/// The endpoint of questions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuestions {
    /// Address and port. Elsewhere than on this machine, every source must say in `questions.allow` who
    /// may ask.
    pub(super) listen: String,
    /// Names and addresses of this box by which it is asked, besides `listen` and localhost.
    pub(super) hosts: Vec<String>,
}

/// The endpoint of dialplans.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFastAgi {
    /// Address and port.
    pub(super) listen: String,
}

/// Whom alarms reach, and when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlarms {
    /// The language of messages.
    pub(super) language: Language,
    /// What this box is called in them.
    pub(super) box_name: String,
    /// By whose clocks (IANA) quiet hours and times in messages are; without it this machine's.
    pub(super) time_zone: Option<String>,
    /// From when on nobody is told anything, as `22:00`; told afterwards. Needs `quiet_until`.
    pub(super) quiet_from: Option<String>,
    /// Until when; over midnight where it is not after `quiet_from`.
    pub(super) quiet_until: Option<String>,
    /// Minutes that an alarm must stand before it is told, and be gone before it is over.
    #[schemars(range(max = 1440))]
    pub(super) stand_minutes: u32,
    /// Minutes that a CRM must not answer before that is told.
    #[schemars(range(max = 1440))]
    pub(super) crm_down_minutes: u32,
    /// At the most one message in so many minutes; what comes meanwhile shares the next one.
    #[schemars(range(max = 1440))]
    pub(super) gather_minutes: u32,
    /// Hours after which an alarm that still stands is told again; 0 = it is told once.
    #[schemars(range(max = 720))]
    pub(super) remind_hours: u32,
    /// After so many working hours without any call, chat or request a source is an alarm; without it
    /// silence is none. Working hours are those of the `schedule` of an integration that takes from it.
    #[schemars(range(min = 1, max = 240))]
    pub(super) silent_hours: Option<u32>,
    /// By e-mail.
    pub(super) email: Option<RawEmail>,
    /// Over HTTP, such as to a messenger's bot.
    pub(super) webhook: Option<RawAlarmHook>,
}

/// How alarms are sent by e-mail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmail {
    /// The mail server's name.
    pub(super) server: String,
    /// Its port; by `security` 587, 465 or 25 where it is not given.
    pub(super) port: Option<u16>,
    /// How the connection is protected; `none` to a mail server on this machine only.
    #[serde(default = "starttls")]
    pub(super) security: Security,
    /// A file with the authority, in PEM, that the server's certificate must come from, instead of
    /// those of the system.
    pub(super) ca_file: Option<String>,
    /// Who logs in. Needs the password.
    pub(super) user: Option<String>,
    /// The file with the password. Excludes `password_credential`.
    pub(super) password_file: Option<String>,
    /// The systemd credential with the password.
    pub(super) password_credential: Option<String>,
    /// The sender's address.
    pub(super) from: String,
    /// Who is told.
    pub(super) to: Vec<String>,
}

fn starttls() -> Security {
    Security::Starttls
}

/// How alarms are posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlarmHook {
    /// The address, by https (http to this machine only).
    pub(super) url: Option<String>,
    /// The file with the address, where it holds a token. Excludes `url` and `url_credential`.
    pub(super) url_file: Option<String>,
    /// The systemd credential with the address.
    pub(super) url_credential: Option<String>,
    /// The file with a bearer token, where one is wanted. Excludes `bearer_credential`.
    pub(super) bearer_file: Option<String>,
    /// The systemd credential with it.
    pub(super) bearer_credential: Option<String>,
    /// The JSON that is posted; its texts are templates that know `subject`, `text`, `box`, `new` and
    /// `over`.
    pub(super) body: Map<String, Value>,
}

/// How people are told of new records past the CRM. E-mail goes by the server of `[alarms.email]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotices {
    /// Where notices are posted, by the name that the settings of integrations use. The texts of `body`
    /// know `subject`, `text`, `company`, `record`, `kind`, `name`, `link` and `responsible`.
    #[serde(default)]
    pub(super) webhooks: BTreeMap<String, RawAlarmHook>,
}

/// The log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    /// Where log lines go, and in what form.
    pub(super) format: LogFormat,
    /// The least weight that is logged.
    pub(super) level: LogLevel,
    /// Clients' telephone numbers in log lines; off = +7916***4567.
    pub(super) show_numbers: bool,
}

/// A file of `tenants.d`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenantFile {
    /// The company.
    pub(super) tenant: RawTenant,
    /// Who answers the question whom a caller should reach.
    #[serde(default)]
    pub(super) questions: RawTenantQuestions,
    /// The company's numbers that clients call (docs/questions.md).
    #[serde(default)]
    pub(super) numbers: Vec<RawInboundNumber>,
    /// The company's people.
    #[serde(default)]
    pub(super) employees: Vec<RawEmployee>,
    /// Where its communications come from.
    #[serde(default)]
    pub(super) sources: Vec<RawSource>,
    /// The CRM portals that it works with.
    #[serde(default)]
    pub(super) accounts: Vec<RawAccount>,
    /// What joins a source to an account.
    #[serde(default)]
    pub(super) integrations: Vec<RawIntegration>,
}

/// The company.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    /// Its identifier: small letters, digits and `-`. It never changes.
    pub(super) id: String,
    /// Its name, for people.
    pub(super) name: String,
    /// In whose national form numbers are written (ISO 3166); RU where nothing is set.
    pub(super) region: Option<String>,
    /// The countries that may be called by click. Left out: its own.
    pub(super) call_regions: Option<Vec<String>>,
    /// Its clocks (IANA), as `Europe/Moscow`.
    pub(super) time_zone: String,
    /// The language of texts and explanations.
    #[serde(default)]
    pub(super) language: Language,
}

/// An employee.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmployee {
    /// Identifier, by which the file names the employee.
    pub(super) id: String,
    /// The name.
    pub(super) name: String,
    /// The e-mail address.
    pub(super) email: Option<String>,
    /// By what the sources know the employee.
    #[serde(default)]
    pub(super) extensions: Vec<RawExtension>,
    /// Who the employee is in the CRMs.
    #[serde(default)]
    pub(super) users: Vec<RawUser>,
    /// The employee's own outside numbers.
    #[serde(default)]
    #[schemars(extend("x-shape" = "lines"))]
    pub(super) phones: Vec<String>,
    /// Calls of the employee's clients may be led to the employee.
    #[serde(default = "yes")]
    pub(super) personal_manager: bool,
    /// The employee is away: nothing is led there.
    #[serde(default)]
    pub(super) away: bool,
    /// When the employee works. Left out: always.
    pub(super) hours: Option<Vec<RawWorkSpan>>,
    /// Who is rung instead, by the id of the file.
    #[schemars(extend("x-shape" = "employee"))]
    pub(super) stand_in: Option<String>,
}

fn yes() -> bool {
    true
}

/// A span of work.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWorkSpan {
    /// The days on which it begins.
    pub(super) days: Vec<Day>,
    /// When it begins, as `09:00`.
    #[schemars(extend("x-shape" = "time"))]
    pub(super) from: String,
    /// When it is over; not after the beginning = past midnight.
    #[schemars(extend("x-shape" = "time"))]
    pub(super) to: String,
}

/// `[questions]` of a tenant.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenantQuestions {
    /// The integrations that are asked, in order. Left out: all, in the order of the file.
    #[schemars(extend("x-shape" = "integrations"))]
    pub(super) integrations: Option<Vec<String>>,
}

/// One of `[[numbers]]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInboundNumber {
    /// The number, or what the source calls it.
    pub(super) number: String,
    /// The source that it belongs to. Left out: any.
    #[schemars(extend("x-shape" = "source"))]
    pub(super) source: Option<String>,
    /// What a call to it comes to.
    #[serde(default)]
    pub(super) scenario: RawScenario,
    /// Who is rung by the scenario `employee`.
    #[schemars(extend("x-shape" = "employee"))]
    pub(super) employee: Option<String>,
    /// Whose number it is.
    #[schemars(extend("x-shape" = "employee"))]
    pub(super) owner: Option<String>,
    /// Where calls go that lead to nobody.
    #[serde(default)]
    pub(super) exits: RawExits,
}

/// What a call to a number comes to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawScenario {
    /// To the responsible of the client.
    #[default]
    PersonalManager,
    /// To one employee.
    Employee,
    /// Something else: nothing is led anywhere.
    Other,
}

/// Where calls go that lead to nobody.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExits {
    /// The extension for calls that lead nowhere else.
    pub(super) default: Option<String>,
    /// The extension for clients of whom nobody is the manager.
    pub(super) no_manager: Option<String>,
    /// The extension for calls whose manager did not answer.
    pub(super) redirect_failed: Option<String>,
}

/// `[sources.questions]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSourceQuestions {
    /// The addresses that may ask. Left out: this machine.
    pub(super) allow: Option<Vec<String>>,
    /// The scenario of a number that is not listed.
    #[serde(default)]
    pub(super) unlisted: Unlisted,
    /// Milliseconds for which the CRM is asked about a caller whom memory does not know. Left out: it is
    /// not asked.
    #[schemars(range(min = 50, max = 5000))]
    pub(super) live_within_ms: Option<u64>,
    /// Where calls go that lead to nobody.
    #[serde(default)]
    pub(super) exits: RawExits,
}

/// An extension.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExtension {
    /// The source, by its id.
    #[schemars(extend("x-shape" = "source"))]
    pub(super) source: String,
    /// The extension or login there.
    pub(super) extension: String,
}

/// A user of a CRM.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUser {
    /// The account, by its id.
    #[schemars(extend("x-shape" = "account"))]
    pub(super) account: String,
    /// The user, by the CRM's id.
    #[schemars(extend("x-shape" = "user"))]
    pub(super) user: String,
}

/// A source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    /// Identifier. It never changes: what was recorded is known by it.
    pub(super) id: String,
    /// What it is.
    pub(super) kind: String,
    /// Its name, for people. Left out: the id.
    pub(super) name: Option<String>,
    /// How it writes numbers.
    #[serde(default)]
    pub(super) numbers: RawNumbers,
    /// Who may ask whom a caller should reach, and what is answered.
    #[serde(default)]
    pub(super) questions: RawSourceQuestions,
    /// What its kind needs.
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    /// Where recordings lie, in the order in which they are looked for.
    #[serde(default)]
    pub(super) recordings: Vec<RawRoot>,
    /// Where its secrets lie, by their names.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, RawSecret>,
}

/// How a source writes numbers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNumbers {
    /// In whose national form numbers are written. Left out: the company's.
    pub(super) region: Option<String>,
    /// How the beginnings of numbers of incoming calls are rewritten; the first that fits.
    #[serde(default)]
    pub(super) incoming: Vec<PrefixRule>,
    /// The same for outgoing calls.
    #[serde(default)]
    pub(super) outgoing: Vec<PrefixRule>,
}

/// Where a secret lies; exactly one of the three.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "{ file = \"…\" } or { credential = \"…\" }: no secret stands in these files"
)]
pub(super) struct RawSecret {
    /// In this file; a relative path starts from the folder of the file that names it.
    pub(super) file: Option<String>,
    /// In this systemd credential.
    pub(super) credential: Option<String>,
    /// Here, sealed with the key of the store: as the pages write what is typed there. It opens in
    /// this place only.
    pub(super) sealed: Option<String>,
}

/// An account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccount {
    /// Identifier.
    pub(super) id: String,
    /// Which CRM it is.
    pub(super) crm: String,
    /// Its title, for people. Left out: the id.
    pub(super) name: Option<String>,
    /// What its CRM needs.
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    /// Where its secrets lie, by their names.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, RawSecret>,
}

/// An integration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIntegration {
    /// Identifier. It never changes: what was made is known by it.
    pub(super) id: String,
    /// Its name, for people. Left out: the id.
    pub(super) name: Option<String>,
    /// The account that it works into, by its id.
    pub(super) account: String,
    /// What it does with what it takes.
    #[serde(default)]
    pub(super) activity: Activity,
    /// What it takes.
    #[serde(default)]
    pub(super) takes: Vec<RawTake>,
    /// What it makes of it (docs/settings.md).
    #[serde(default)]
    pub(super) settings: IntegrationSettings,
}

/// What an integration takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTake {
    /// The source, by its id.
    pub(super) source: String,
    /// The kinds of communication.
    #[schemars(length(min = 1))]
    pub(super) kinds: Vec<Kind>,
}
