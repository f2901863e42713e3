//! Integrations that work: what each goes by, and the seat that outlives its actor.

use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{Fingerprint, IntegrationConfig, Tenant};
use crate::integration::child::{IntegrationChild, IntegrationSeat};
use crate::integration::context::{IntegrationContext, random_jitter};
use crate::integration::notices::Notices;
use crate::integration::supervisor::{Supervised, supervise};
use crate::model::ids::IntegrationKey;
use crate::rules::basis::Basis;

use super::{Assembly, AssemblyError};

/// One of them.
pub(super) struct RunningIntegration {
    pub(super) fingerprint: Fingerprint,
    pub(super) seat: IntegrationSeat,
    pub(super) supervised: Supervised,
}

/// An integration that is seated and has not begun.
pub(super) struct NewOne {
    pub(super) key: IntegrationKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) seat: IntegrationSeat,
}

impl Assembly {
    /// Returns what an integration goes by.
    pub(super) async fn context(
        &self,
        tenant: &Tenant,
        integration: &IntegrationConfig,
    ) -> Result<IntegrationContext, AssemblyError> {
        let name = || format!("{}/{}", tenant.id, integration.account);
        let account = self
            .accounts
            .get(&(tenant.id.clone(), integration.account.clone()))
            .ok_or_else(|| AssemblyError::Account {
                account: name(),
                why: "unknown".to_owned(),
            })?;
        let settings = tenant.account(&integration.account);
        let settings = settings.map(|account| Arc::clone(&account.settings));
        let now = self.shared.clock.now();
        let basis = basis(tenant, integration);
        let basis = serde_json::to_value(&basis).map_err(|error| AssemblyError::Account {
            account: name(),
            why: error.to_string(),
        })?;
        let settings_revision = self
            .shared
            .store
            .put_settings(integration.key.clone(), basis, now)
            .await?;
        let source_names = tenant
            .sources
            .iter()
            .map(|source| (source.key.clone(), source.name.clone()))
            .collect();
        Ok(IntegrationContext {
            key: integration.key.clone(),
            activity: integration.activity,
            account: integration.account.clone(),
            settings_revision,
            settings: Arc::new(integration.settings.clone()),
            employees: Arc::new(tenant.employees.clone()),
            source_names: Arc::new(source_names),
            time_zone: tenant.time_zone.clone(),
            adapter: Arc::clone(&account.adapter),
            batcher: Arc::clone(&account.batcher),
            portal: Arc::clone(&account.portal),
            store: self.shared.store.clone(),
            public: Arc::clone(&self.shared.recordings.public),
            clock: Arc::clone(&self.shared.clock),
            board: Arc::clone(&self.shared.board),
            handles: Arc::clone(&self.shared.handles),
            notices: settings.map(|settings| Notices {
                desk: self.shared.notices.clone(),
                account: settings,
            }),
            jitter: random_jitter,
        })
    }

    /// Seats an integration: a living actor goes on with the new settings, its work is kept.
    /// Returns one that has no actor yet.
    pub(super) fn seat(
        &mut self,
        fingerprint: Fingerprint,
        context: IntegrationContext,
    ) -> Option<NewOne> {
        if let Some(running) = self.integrations.get_mut(&context.key) {
            let old = running.seat.context();
            let same = running.fingerprint == fingerprint
                && Arc::ptr_eq(&old.adapter, &context.adapter)
                && Arc::ptr_eq(&old.portal, &context.portal);
            if same {
                return None;
            }
            running.fingerprint = fingerprint;
            running.seat.reconfigure(context);
            return None;
        }
        Some(NewOne {
            key: context.key.clone(),
            fingerprint,
            seat: IntegrationSeat::new(context),
        })
    }

    /// Begins the first life of an integration.
    pub(super) fn begin(&mut self, new: NewOne, filled: watch::Receiver<bool>) {
        let NewOne {
            key,
            fingerprint,
            seat,
        } = new;
        let child = IntegrationChild::new(seat.clone(), self.shared.work_arbiter.clone());
        let child = child.once_filled(filled);
        let supervised = supervise(
            child,
            Arc::clone(&self.shared.board),
            Arc::clone(&self.shared.clock),
        );
        self.integrations.insert(
            key,
            RunningIntegration {
                fingerprint,
                seat,
                supervised,
            },
        );
    }
}

/// Returns what decisions of an integration rest on.
pub(in crate::app) fn basis(tenant: &Tenant, integration: &IntegrationConfig) -> Basis {
    let names = tenant.sources.iter();
    Basis {
        settings: integration.settings.clone(),
        employees: tenant.employees.clone(),
        account: Some(integration.account.clone()),
        source_names: names
            .map(|source| (source.key.source.clone(), source.name.clone()))
            .collect(),
        time_zone: tenant.time_zone.iana_name().unwrap_or("UTC").to_owned(),
    }
}
