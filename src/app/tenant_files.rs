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
    NoChange, Settings, SourceInFile, TakeInFile, TenantFiles, TenantInFile, WholeSource,
};
use crate::clock::SharedClock;
use crate::config::{self, EditError, Environment};
use crate::model::ids::{AccountId, IntegrationId, SourceId, TenantId};
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

use super::tenant_change_told::{Told, told};
use super::tenant_edits;

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
            let edits = tenant_edits::of(&change);
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
