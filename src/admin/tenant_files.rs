//! The door to the tenants' files, for the handlers that change them.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::model::activity::Activity;
use crate::model::communication::Kind;
use crate::model::ids::{AccountId, IntegrationId, SourceId, TenantId};
use crate::model::secret::Secret;

/// An account as its tenant's file says it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct AccountInFile {
    /// Its CRM.
    pub crm: Option<String>,
    /// Its title, where one is given.
    pub title: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// The texts, numbers and switches of its settings, the address among them.
    pub settings: Settings,
    /// The names of its secrets.
    pub secrets: Vec<String>,
}

/// An integration as its tenant's file says it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct IntegrationInFile {
    /// The account that it works in.
    pub account: Option<String>,
    /// Whether it works, in the file's word.
    #[schemars(with = "Activity")]
    pub activity: String,
    /// Its name, where one is given.
    pub title: Option<String>,
    /// What it takes.
    pub takes: Vec<TakeInFile>,
}

/// What an integration takes of one source, as its tenant's file says it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct TakeInFile {
    /// The source.
    pub source: String,
    /// The kinds, in the file's words.
    pub kinds: Vec<String>,
}

/// A source as its tenant's file says it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SourceInFile {
    /// Its id.
    pub source: String,
    /// What it is.
    pub kind: Option<String>,
    /// Its name, where one is given.
    pub name: Option<String>,
}

/// Everything that a tenant's file says of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeSource {
    /// What it is.
    pub kind: Option<String>,
    /// Everything but its id, its kind and its secrets.
    pub values: Settings,
    /// The names of its secrets.
    pub secrets: Vec<String>,
    /// Its place in the list of the file, from 0: mistakes name it.
    pub place: usize,
}

/// What a tenant's file says of the company itself.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct CompanyInFile {
    /// Its name, its clocks and so on.
    pub company: Settings,
    /// Its numbers, in order.
    #[schemars(with = "Vec<Settings>")]
    pub numbers: Vec<serde_json::Value>,
    /// Who is asked whom a caller should reach.
    pub questions: Settings,
}

/// A tenant as its file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantInFile {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its sources.
    pub sources: Vec<SourceInFile>,
    /// Its accounts, by their ids.
    pub accounts: Vec<(String, AccountInFile)>,
    /// Its integrations, by their ids.
    pub integrations: Vec<(String, IntegrationInFile)>,
}

/// A tenant that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Its clocks (IANA).
    pub time_zone: String,
    /// In whose national form its numbers are written.
    pub region: Option<String>,
    /// The language of its texts, in the file's word.
    pub language: Option<String>,
}

/// What an integration is to take of one source.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Take {
    /// The source.
    pub source: SourceId,
    /// The kinds.
    #[schemars(length(min = 1))]
    pub kinds: Vec<Kind>,
}

/// Secrets that somebody typed, by their names.
pub type TypedSecrets = BTreeMap<String, Secret>;

/// Secrets that are set as somebody typed them, or taken away, by their names.
pub type SecretWishes = BTreeMap<String, Option<Secret>>;

/// Settings of an integration as a JSON object; what has no JSON form of its own is a text.
pub type Settings = serde_json::Map<String, serde_json::Value>;

/// Something wrong in a tenant's file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileMistake {
    /// The way to the value, such as `integrations[0].settings.calls`; empty = the file itself.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The whole of it, with file and line.
    pub text: String,
}

/// A change of a tenant's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Of an account.
    Account {
        /// Which.
        account: AccountId,
        /// The title; `Some(None)` = there is none any more.
        title: Option<Option<String>>,
        /// The address.
        address: Option<String>,
        /// Other settings of its CRM; `null` takes one away.
        settings: Settings,
        /// Secrets that are typed anew.
        secrets: TypedSecrets,
    },
    /// There is one more account.
    AddAccount {
        /// Its id.
        account: AccountId,
        /// Its CRM.
        crm: String,
        /// Its title.
        title: Option<String>,
        /// Its address.
        address: String,
        /// Other settings of its CRM.
        settings: Settings,
        /// Its secrets.
        secrets: TypedSecrets,
    },
    /// The account goes.
    RemoveAccount(AccountId),
    /// Of an integration.
    Integration {
        /// Which.
        integration: IntegrationId,
        /// The account that it works in.
        account: Option<AccountId>,
        /// Whether it works.
        activity: Option<Activity>,
        /// The title; `Some(None)` = there is none any more.
        title: Option<Option<String>>,
        /// What it takes.
        takes: Option<Vec<Take>>,
    },
    /// There is one more integration. It is off.
    AddIntegration {
        /// Its id.
        integration: IntegrationId,
        /// Its title.
        title: Option<String>,
        /// The account that it works in.
        account: AccountId,
        /// What it takes.
        takes: Vec<Take>,
    },
    /// The integration goes.
    RemoveIntegration(IntegrationId),
    /// Of what an integration does: its settings are these, and no others.
    Settings {
        /// Which.
        integration: IntegrationId,
        /// All of its settings.
        settings: Settings,
    },
    /// Of the company's people: these, and no others.
    Employees(Vec<Settings>),
    /// There is one more source.
    AddSource {
        /// Its id.
        source: SourceId,
        /// What it is.
        kind: String,
        /// Everything else but its secrets.
        values: Settings,
        /// Its secrets.
        secrets: TypedSecrets,
    },
    /// Of a source: everything but id, kind and secrets is this, and nothing else.
    Source {
        /// Which.
        source: SourceId,
        /// All of it.
        values: Settings,
        /// The secrets that are set or taken away; the others stay.
        secrets: SecretWishes,
    },
    /// The source goes.
    RemoveSource(SourceId),
    /// Of the company itself; what is `None` stays.
    Company {
        /// Its name, its clocks and so on: all of it.
        company: Option<Settings>,
        /// Its numbers: these, and no others.
        numbers: Option<Vec<Settings>>,
        /// Who is asked whom a caller should reach: all of it.
        questions: Option<Settings>,
    },
}

/// What came of a change that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The revision of the file from now on.
    pub revision: String,
    /// Why it is not in force yet; `None` = it is.
    pub not_in_force: Option<String>,
}

/// Why nothing was shown or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoChange {
    /// There is nothing of this name.
    Absent,
    /// The file is another than was seen; its revision now.
    Stale(String),
    /// The configuration would be wrong.
    Mistakes(Vec<FileMistake>),
    /// Something is in the way: what, and what to do.
    InTheWay(String),
    /// Not now.
    Later(String),
}

/// The tenants' files.
pub trait TenantFiles: Send + Sync {
    /// Returns the tenants of all files that can be read.
    fn tenants(&self) -> BoxFuture<'_, Result<Vec<TenantInFile>, NoChange>>;

    /// Returns a tenant as it is written, with the revision of its file.
    fn tenant(&self, tenant: TenantId) -> BoxFuture<'_, Result<(TenantInFile, String), NoChange>>;

    /// Writes the file of a new tenant, and puts it into force.
    fn add_tenant(&self, tenant: NewTenant) -> BoxFuture<'_, Result<Changed, NoChange>>;

    /// Returns an account as it is written, with the revision of its file.
    fn account(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> BoxFuture<'_, Result<(AccountInFile, String), NoChange>>;

    /// Returns an integration as it is written, with the revision of its file.
    fn integration(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
    ) -> BoxFuture<'_, Result<(IntegrationInFile, String), NoChange>>;

    /// Returns the settings of an integration as they are written, with its place in the list of the
    /// file and the revision of the file.
    fn settings(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
    ) -> BoxFuture<'_, Result<(Settings, usize, String), NoChange>>;

    /// Returns the people of a tenant as they are written, with the revision of the file.
    fn employees(
        &self,
        tenant: TenantId,
    ) -> BoxFuture<'_, Result<(Vec<serde_json::Value>, String), NoChange>>;

    /// Returns a source as it is written, with the revision of its file.
    fn source(
        &self,
        tenant: TenantId,
        source: SourceId,
    ) -> BoxFuture<'_, Result<(WholeSource, String), NoChange>>;

    /// Returns what is written of the company itself, with the revision of its file.
    fn company(&self, tenant: TenantId)
    -> BoxFuture<'_, Result<(CompanyInFile, String), NoChange>>;

    /// Changes a tenant's file where it has this revision, and puts it into force.
    fn change(
        &self,
        tenant: TenantId,
        change: Change,
        revision: String,
    ) -> BoxFuture<'_, Result<Changed, NoChange>>;
}

/// The door of a daemon without files.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl TenantFiles for NoFiles {
    fn tenants(&self) -> BoxFuture<'_, Result<Vec<TenantInFile>, NoChange>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn tenant(&self, _: TenantId) -> BoxFuture<'_, Result<(TenantInFile, String), NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }

    fn add_tenant(&self, _: NewTenant) -> BoxFuture<'_, Result<Changed, NoChange>> {
        async { Err(NoChange::Later("this daemon has no files".to_owned())) }.boxed()
    }

    fn account(
        &self,
        _: TenantId,
        _: AccountId,
    ) -> BoxFuture<'_, Result<(AccountInFile, String), NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }

    fn integration(
        &self,
        _: TenantId,
        _: IntegrationId,
    ) -> BoxFuture<'_, Result<(IntegrationInFile, String), NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }

    fn settings(
        &self,
        _: TenantId,
        _: IntegrationId,
    ) -> BoxFuture<'_, Result<(Settings, usize, String), NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }

    fn employees(
        &self,
        _: TenantId,
    ) -> BoxFuture<'_, Result<(Vec<serde_json::Value>, String), NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }

    fn source(
        &self,
        _: TenantId,
        _: SourceId,
    ) -> BoxFuture<'_, Result<(WholeSource, String), NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }

    fn company(&self, _: TenantId) -> BoxFuture<'_, Result<(CompanyInFile, String), NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }

    fn change(
        &self,
        _: TenantId,
        _: Change,
        _: String,
    ) -> BoxFuture<'_, Result<Changed, NoChange>> {
        async { Err(NoChange::Absent) }.boxed()
    }
}
