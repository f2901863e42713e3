//! Changes tenants' files for the admin endpoint, writes that into the journal, and has the daemon
//! read them anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::admin::tenant_files::{
    AccountInFile, Change, Changed, CompanyInFile, FileMistake, IntegrationInFile, NewTenant,
    NoChange, SecretWishes, Settings, SourceInFile, Take, TakeInFile, TenantFiles, TenantInFile,
    WholeSource,
};
use crate::clock::SharedClock;
use crate::config::{
    self, AccountEdit, CompanyEdit, EditError, Environment, FileEdit, IntegrationEdit, ItemEdit,
    ItemValues, Section, TitleEdit,
};
use crate::model::ids::{AccountId, IntegrationId, IntegrationKey, SourceId, SourceKey, TenantId};
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

/// Somebody waits for a reload: it is told whether the files are in force, or else why not.
pub(super) type ReloadOrder = oneshot::Sender<Result<(), String>>;

/// Reloads that may wait at once.
pub(super) const ORDERS_MAX: usize = 16;

/// How long a change waits for its reload: less than whoever asks.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(20);

/// The files beside one of the daemon's.
#[derive(Clone)]
pub(super) struct Files(Arc<Parts>);

struct Parts {
    main: PathBuf,
    store: StoreHandle,
    clock: SharedClock,
    reload: mpsc::Sender<ReloadOrder>,
}

impl Files {
    pub(super) fn new(
        main: &Path,
        store: StoreHandle,
        clock: SharedClock,
        reload: mpsc::Sender<ReloadOrder>,
    ) -> Self {
        Self(Arc::new(Parts {
            main: main.to_owned(),
            store,
            clock,
            reload,
        }))
    }

    /// Does something with the files where it may wait for the disk.
    async fn with_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, EditError> + Send + 'static,
    ) -> Result<T, NoChange> {
        let main = self.0.main.clone();
        let done = tokio::task::spawn_blocking(move || work(&main)).await;
        match done {
            Ok(done) => done.map_err(refusal),
            Err(error) => Err(NoChange::Later(error.to_string())),
        }
    }

    /// Writes into the journal what somebody changed. It is done then: a journal that cannot be
    /// written is told, and does not undo it.
    async fn note(&self, tenant: &TenantId, told: Told) {
        let Told {
            source,
            integration,
            text,
        } = told;
        tracing::info!("{text}");
        let note = JournalNote {
            at: self.0.clock.now(),
            tenant: Some(tenant.clone()),
            source,
            integration,
            communication: None,
            word: "settings_changed_by_person".to_owned(),
            text,
        };
        if let Err(error) = self.0.store.note(note).await {
            tracing::error!(%error, "journal");
        }
    }

    /// Has the files read anew; returns why they are not in force then.
    pub(super) async fn reload(&self) -> Option<String> {
        let later = || Some("it comes into force at the next reload or start".to_owned());
        let (order, end) = oneshot::channel();
        if self.0.reload.try_send(order).is_err() {
            return later();
        }
        match tokio::time::timeout(IN_FORCE_WITHIN, end).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(why))) => Some(why),
            Ok(Err(_)) => later(),
            Err(_) => Some("the reload is still under way".to_owned()),
        }
    }
}

impl TenantFiles for Files {
    fn tenants(&self) -> BoxFuture<'_, Result<Vec<TenantInFile>, NoChange>> {
        async move {
            let written = self
                .with_files(|main| Ok(config::written_tenants(main)))
                .await?;
            Ok(written
                .into_iter()
                .map(|(one, _)| tenant_in_file(one))
                .collect())
        }
        .boxed()
    }

    fn tenant(&self, tenant: TenantId) -> BoxFuture<'_, Result<(TenantInFile, String), NoChange>> {
        async move {
            let read = self.with_files(move |main| config::written_tenant(main, tenant.as_str()));
            let (written, revision) = read.await?;
            Ok((tenant_in_file(written), revision))
        }
        .boxed()
    }

    fn add_tenant(&self, tenant: NewTenant) -> BoxFuture<'_, Result<Changed, NoChange>> {
        let files = self.clone();
        let task = tokio::spawn(async move {
            let id = tenant.id.clone();
            let new = config::NewTenant {
                id: tenant.id.to_string(),
                name: tenant.name,
                time_zone: tenant.time_zone,
                region: tenant.region,
                language: tenant.language,
            };
            let edited = files
                .with_files(move |main| config::add_tenant(main, &Environment::of_process(), &new));
            let edited = edited.await?;
            let told = Told::of(format!("company {id}"), &["added".to_owned()]);
            files.note(&id, told).await;
            Ok(Changed {
                revision: edited.revision,
                not_in_force: files.reload().await,
            })
        });
        async move {
            task.await
                .unwrap_or_else(|error| Err(NoChange::Later(error.to_string())))
        }
        .boxed()
    }

    fn account(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> BoxFuture<'_, Result<(AccountInFile, String), NoChange>> {
        async move {
            let read = self.with_files(move |main| {
                config::written_account(main, tenant.as_str(), account.as_str())
            });
            let (written, revision) = read.await?;
            Ok((account_in_file(written), revision))
        }
        .boxed()
    }

    fn integration(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
    ) -> BoxFuture<'_, Result<(IntegrationInFile, String), NoChange>> {
        async move {
            let read = self.with_files(move |main| {
                config::written_integration(main, tenant.as_str(), integration.as_str())
            });
            let (written, revision) = read.await?;
            Ok((integration_in_file(written), revision))
        }
        .boxed()
    }

    fn settings(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
    ) -> BoxFuture<'_, Result<(Settings, usize, String), NoChange>> {
        async move {
            let read = self.with_files(move |main| {
                config::written_settings(main, tenant.as_str(), integration.as_str())
            });
            let (written, revision) = read.await?;
            Ok((written.settings, written.place, revision))
        }
        .boxed()
    }

    fn employees(
        &self,
        tenant: TenantId,
    ) -> BoxFuture<'_, Result<(Vec<serde_json::Value>, String), NoChange>> {
        async move {
            self.with_files(move |main| config::written_employees(main, tenant.as_str()))
                .await
        }
        .boxed()
    }

    fn source(
        &self,
        tenant: TenantId,
        source: SourceId,
    ) -> BoxFuture<'_, Result<(WholeSource, String), NoChange>> {
        async move {
            let read = self.with_files(move |main| {
                config::written_source(main, tenant.as_str(), source.as_str())
            });
            let (written, revision) = read.await?;
            let source = WholeSource {
                kind: written.kind,
                values: written.values,
                secrets: written.secrets,
                place: written.place,
            };
            Ok((source, revision))
        }
        .boxed()
    }

    fn company(
        &self,
        tenant: TenantId,
    ) -> BoxFuture<'_, Result<(CompanyInFile, String), NoChange>> {
        async move {
            let read = self.with_files(move |main| config::written_company(main, tenant.as_str()));
            let (written, revision) = read.await?;
            let company = CompanyInFile {
                company: written.company,
                numbers: written.numbers,
                questions: written.questions,
            };
            Ok((company, revision))
        }
        .boxed()
    }

    fn change(
        &self,
        tenant: TenantId,
        change: Change,
        revision: String,
    ) -> BoxFuture<'_, Result<Changed, NoChange>> {
        let files = self.clone();
        // A task of its own: whoever asked may hang up between the file and the journal.
        let task = tokio::spawn(async move {
            let edits = edits_of(&change);
            let of = tenant.clone();
            let edited = files.with_files(move |main| {
                let environment = Environment::of_process();
                config::edit_file(main, &environment, of.as_str(), &edits, Some(&revision))
            });
            let edited = edited.await?;
            files.note(&tenant, told(&tenant, &change)).await;
            Ok(Changed {
                revision: edited.revision,
                not_in_force: files.reload().await,
            })
        });
        async move {
            task.await
                .unwrap_or_else(|error| Err(NoChange::Later(error.to_string())))
        }
        .boxed()
    }
}

fn account_in_file(written: config::WrittenAccount) -> AccountInFile {
    AccountInFile {
        crm: written.crm,
        title: written.title,
        address: written.address,
        settings: written.settings,
        secrets: written.secrets,
    }
}

fn integration_in_file(written: config::WrittenIntegration) -> IntegrationInFile {
    let takes = written.takes.into_iter().map(|take| TakeInFile {
        source: take.source,
        kinds: take.kinds,
    });
    IntegrationInFile {
        account: written.account,
        activity: written.activity,
        title: written.title,
        takes: takes.collect(),
    }
}

fn tenant_in_file(written: config::WrittenTenant) -> TenantInFile {
    let sources = written.sources.into_iter().map(|source| SourceInFile {
        source: source.source,
        kind: source.kind,
        name: source.name,
    });
    let accounts = written.accounts.into_iter();
    let integrations = written.integrations.into_iter();
    TenantInFile {
        id: written.id,
        name: written.name,
        sources: sources.collect(),
        accounts: accounts
            .map(|(id, one)| (id, account_in_file(one)))
            .collect(),
        integrations: integrations
            .map(|(id, one)| (id, integration_in_file(one)))
            .collect(),
    }
}

/// Returns what a change makes of the text, in order.
fn edits_of(change: &Change) -> Vec<FileEdit> {
    match change {
        Change::Account {
            account,
            title,
            address,
            settings,
            secrets,
        } => {
            let id = account.to_string();
            let title = title.clone().map(|title| match title {
                Some(title) => TitleEdit::Set(title),
                None => TitleEdit::Clear,
            });
            let address = address.clone();
            let mut edits = Vec::new();
            if title.is_some() || address.is_some() {
                edits.push(FileEdit::Account(
                    id.clone(),
                    AccountEdit { title, address },
                ));
            }
            if !settings.is_empty() || !secrets.is_empty() {
                let mut values = ItemValues::new();
                if !settings.is_empty() {
                    values.insert("settings".to_owned(), settings.clone().into());
                }
                let secrets = secrets.clone();
                let edit = ItemEdit { values, secrets };
                edits.push(FileEdit::Values(Section::Accounts, id, edit));
            }
            edits
        }
        Change::AddAccount {
            account,
            crm,
            title,
            address,
            settings,
            secrets,
        } => {
            let mut settings = settings.clone();
            settings.insert("url".to_owned(), address.clone().into());
            let mut values = ItemValues::new();
            values.insert("crm".to_owned(), crm.clone().into());
            values.insert("name".to_owned(), title.clone().into());
            values.insert("settings".to_owned(), settings.into());
            let secrets = secrets.clone();
            let edit = ItemEdit { values, secrets };
            vec![FileEdit::Add(Section::Accounts, account.to_string(), edit)]
        }
        Change::RemoveAccount(account) => vec![FileEdit::RemoveAccount(account.to_string())],
        Change::Integration {
            integration,
            account,
            activity,
            title,
            takes,
        } => {
            let id = integration.to_string();
            let mut edits = Vec::new();
            if account.is_some() || activity.is_some() {
                let edit = IntegrationEdit {
                    account: account.as_ref().map(ToString::to_string),
                    activity: *activity,
                };
                edits.push(FileEdit::Integration(id.clone(), edit));
            }
            let mut edit = ItemEdit::default();
            if let Some(title) = title {
                edit.values.insert("name".to_owned(), title.clone().into());
            }
            if let Some(takes) = takes {
                edit.values
                    .insert("takes".to_owned(), serde_json::json!(takes));
            }
            if !edit.values.is_empty() {
                edits.push(FileEdit::Values(Section::Integrations, id, edit));
            }
            edits
        }
        Change::AddIntegration {
            integration,
            title,
            account,
            takes,
        } => {
            let mut edit = ItemEdit::default();
            edit.values.insert("name".to_owned(), title.clone().into());
            edit.values
                .insert("account".to_owned(), account.as_str().into());
            if !takes.is_empty() {
                edit.values
                    .insert("takes".to_owned(), serde_json::json!(takes));
            }
            let id = integration.to_string();
            vec![FileEdit::Add(Section::Integrations, id, edit)]
        }
        Change::RemoveIntegration(integration) => {
            vec![FileEdit::RemoveIntegration(integration.to_string())]
        }
        Change::Settings {
            integration,
            settings,
        } => vec![FileEdit::Settings(
            integration.to_string(),
            settings.clone(),
        )],
        Change::Employees(people) => vec![FileEdit::Employees(people.clone())],
        Change::AddSource {
            source,
            kind,
            values,
            secrets,
        } => {
            // In the order in which a person reads them: what it is before how it is set.
            let mut all = ItemValues::from_iter([("kind".to_owned(), kind.clone().into())]);
            all.extend(values.clone());
            let edit = ItemEdit {
                values: all,
                secrets: secrets.clone(),
            };
            vec![FileEdit::Add(Section::Sources, source.to_string(), edit)]
        }
        Change::Source {
            source,
            values,
            secrets,
        } => {
            let id = source.to_string();
            let mut edits = vec![FileEdit::Source(id.clone(), values.clone())];
            if !secrets.is_empty() {
                edits.push(FileEdit::SourceSecrets(id, secrets.clone()));
            }
            edits
        }
        Change::RemoveSource(source) => vec![FileEdit::RemoveSource(source.to_string())],
        Change::Company {
            company,
            numbers,
            questions,
        } => vec![FileEdit::Company(CompanyEdit {
            company: company.clone(),
            numbers: numbers.clone(),
            questions: questions.clone(),
        })],
    }
}

/// What the journal is told of a change.
struct Told {
    source: Option<SourceKey>,
    integration: Option<IntegrationKey>,
    text: String,
}

impl Told {
    fn of(subject: String, what: &[String]) -> Self {
        Self {
            source: None,
            integration: None,
            text: format!("by the admin endpoint: {subject}: {}", what.join(", ")),
        }
    }
}

/// Says what was changed, and of what. A secret is named and not told.
fn told(tenant: &TenantId, change: &Change) -> Told {
    let mut what = Vec::new();
    let mut of_source = None;
    let mut source_told = |source: &SourceId| {
        let key = SourceKey::new(tenant.clone(), source.clone());
        let subject = format!("source {key}");
        of_source = Some(key);
        (None, subject)
    };
    let (integration, subject) = match change {
        Change::Account {
            account,
            title,
            address,
            settings,
            secrets,
        } => {
            what.extend(title.as_ref().map(|title| title_told(title.as_deref())));
            what.extend(address.as_ref().map(|address| format!("address {address}")));
            what.extend(settings.iter().map(|(key, value)| format!("{key} {value}")));
            what.extend(
                secrets
                    .keys()
                    .map(|name| format!("secret {name} typed anew")),
            );
            (None, format!("account {tenant}/{account}"))
        }
        Change::AddAccount {
            account,
            crm,
            address,
            ..
        } => {
            what.push(format!("added: {crm} at {address}"));
            (None, format!("account {tenant}/{account}"))
        }
        Change::RemoveAccount(account) => {
            what.push("removed".to_owned());
            (None, format!("account {tenant}/{account}"))
        }
        Change::Integration {
            integration,
            account,
            activity,
            title,
            takes,
        } => {
            what.extend(account.as_ref().map(|account| format!("account {account}")));
            what.extend(activity.map(|activity| format!("activity {activity}")));
            what.extend(title.as_ref().map(|title| title_told(title.as_deref())));
            what.extend(takes.as_deref().map(takes_told));
            of_integration(tenant, integration)
        }
        Change::AddIntegration {
            integration,
            account,
            takes,
            ..
        } => {
            what.push(format!("added: account {account}, {}", takes_told(takes)));
            of_integration(tenant, integration)
        }
        Change::RemoveIntegration(integration) => {
            what.push("removed".to_owned());
            of_integration(tenant, integration)
        }
        Change::Settings { integration, .. } => {
            what.push("its settings".to_owned());
            of_integration(tenant, integration)
        }
        Change::Employees(people) => {
            what.push(format!("{} of them", people.len()));
            (None, format!("employees of {tenant}"))
        }
        Change::AddSource { source, kind, .. } => {
            what.push(format!("added: {kind}"));
            source_told(source)
        }
        Change::Source {
            source, secrets, ..
        } => {
            what.push("its settings".to_owned());
            what.extend(secrets_told(secrets));
            source_told(source)
        }
        Change::RemoveSource(source) => {
            what.push("removed".to_owned());
            source_told(source)
        }
        Change::Company {
            company,
            numbers,
            questions,
        } => {
            what.extend(company.as_ref().map(|_| "its own settings".to_owned()));
            let count = numbers.as_ref().map(Vec::len);
            what.extend(count.map(|count| format!("numbers, {count} of them")));
            what.extend(questions.as_ref().map(|_| "questions".to_owned()));
            (None, format!("company {tenant}"))
        }
    };
    Told {
        source: of_source,
        integration,
        ..Told::of(subject, &what)
    }
}

fn secrets_told(secrets: &SecretWishes) -> impl Iterator<Item = String> {
    secrets.iter().map(|(name, secret)| match secret {
        Some(_) => format!("secret {name} typed anew"),
        None => format!("secret {name} removed"),
    })
}

fn title_told(title: Option<&str>) -> String {
    match title {
        Some(title) => format!("title {title:?}"),
        None => "no title".to_owned(),
    }
}

fn takes_told(takes: &[Take]) -> String {
    if takes.is_empty() {
        return "takes nothing".to_owned();
    }
    let takes = takes.iter().map(|take| {
        let kinds: Vec<String> = take.kinds.iter().map(ToString::to_string).collect();
        format!("{} of {}", kinds.join(" and "), take.source)
    });
    format!("takes {}", takes.collect::<Vec<_>>().join(", "))
}

fn of_integration(
    tenant: &TenantId,
    integration: &IntegrationId,
) -> (Option<IntegrationKey>, String) {
    let key = IntegrationKey::new(tenant.clone(), integration.clone());
    let subject = format!("integration {key}");
    (Some(key), subject)
}

fn refusal(error: EditError) -> NoChange {
    match error {
        EditError::Absent(_) => NoChange::Absent,
        EditError::Stale { revision, .. } => NoChange::Stale(revision),
        EditError::Busy => NoChange::Later(error.to_string()),
        EditError::Mistakes(mistakes) => {
            let told = mistakes.into_iter().map(|one| FileMistake {
                text: one.to_string(),
                path: one.path,
                message: one.message,
            });
            NoChange::Mistakes(told.collect())
        }
        EditError::ByHand { .. } | EditError::NoKey | EditError::Exists(_) => {
            NoChange::InTheWay(error.to_string())
        }
        EditError::Write { .. } => NoChange::InTheWay(format!(
            "{error}; permit it to the daemon (docs/install.md), or change it by trunkline \
             account and trunkline integration as root"
        )),
    }
}
