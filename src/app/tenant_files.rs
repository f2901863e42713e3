//! Changes tenants' files for the admin endpoint, writes that into the journal, and has the daemon
//! read them anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::admin::tenant_files::{
    AccountInFile, Change, Changed, FileMistake, IntegrationInFile, NoChange, Settings, TenantFiles,
};
use crate::clock::SharedClock;
use crate::config::{
    self, AccountEdit, EditError, Environment, FileEdit, IntegrationEdit, TitleEdit,
};
use crate::model::ids::{AccountId, IntegrationId, IntegrationKey, TenantId};
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
    async fn note(&self, tenant: &TenantId, change: &Change) {
        let (integration, text) = told(tenant, change);
        tracing::info!("{text}");
        let note = JournalNote {
            at: self.0.clock.now(),
            tenant: Some(tenant.clone()),
            source: None,
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
    async fn reload(&self) -> Option<String> {
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
            let shown = AccountInFile {
                crm: written.crm,
                title: written.title,
                address: written.address,
            };
            Ok((shown, revision))
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
            let shown = IntegrationInFile {
                account: written.account,
                activity: written.activity,
            };
            Ok((shown, revision))
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

    fn change(
        &self,
        tenant: TenantId,
        change: Change,
        revision: String,
    ) -> BoxFuture<'_, Result<Changed, NoChange>> {
        let files = self.clone();
        // A task of its own: whoever asked may hang up between the file and the journal.
        let task = tokio::spawn(async move {
            let edit = edit_of(&change);
            let of = tenant.clone();
            let edited = files.with_files(move |main| {
                let environment = Environment::of_process();
                config::edit_file(main, &environment, of.as_str(), &edit, Some(&revision))
            });
            let edited = edited.await?;
            files.note(&tenant, &change).await;
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

fn edit_of(change: &Change) -> FileEdit {
    match change {
        Change::Account {
            account,
            title,
            address,
        } => {
            let title = title.clone().map(|title| match title {
                Some(title) => TitleEdit::Set(title),
                None => TitleEdit::Clear,
            });
            let address = address.clone();
            FileEdit::Account(account.to_string(), AccountEdit { title, address })
        }
        Change::RemoveAccount(account) => FileEdit::RemoveAccount(account.to_string()),
        Change::Integration {
            integration,
            account,
            activity,
        } => {
            let edit = IntegrationEdit {
                account: account.as_ref().map(ToString::to_string),
                activity: *activity,
            };
            FileEdit::Integration(integration.to_string(), edit)
        }
        Change::Settings {
            integration,
            settings,
        } => FileEdit::Settings(integration.to_string(), settings.clone()),
        Change::Employees(people) => FileEdit::Employees(people.clone()),
    }
}

/// Says what was changed, and of which integration.
fn told(tenant: &TenantId, change: &Change) -> (Option<IntegrationKey>, String) {
    let mut what = Vec::new();
    let (integration, subject) = match change {
        Change::Account {
            account,
            title,
            address,
        } => {
            match title {
                Some(Some(title)) => what.push(format!("title {title:?}")),
                Some(None) => what.push("no title".to_owned()),
                None => {}
            }
            what.extend(address.as_ref().map(|address| format!("address {address}")));
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
        } => {
            what.extend(account.as_ref().map(|account| format!("account {account}")));
            what.extend(activity.map(|activity| format!("activity {activity}")));
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
    };
    let text = format!("by the admin endpoint: {subject}: {}", what.join(", "));
    (integration, text)
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
        EditError::ByHand { .. } => NoChange::InTheWay(error.to_string()),
        EditError::Write { .. } => NoChange::InTheWay(format!(
            "{error}; permit it to the daemon (docs/install.md), or change it by trunkline \
             account and trunkline integration as root"
        )),
    }
}
