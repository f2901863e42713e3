//! What the configuration has to say to rehearsals and to portals that are only observed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::admin::state::{Draft, ReadDraft};
use crate::config::{self, Configuration, Environment, Tenant};
use crate::model::activity::Activity;
use crate::model::ids::PortalKey;
use crate::rehearsal::Candidate;

use super::assembly::basis;
use super::employees::EmployeeKeeper;

/// Returns the settings of a tenant's integrations, with what their decisions rest on.
pub(super) fn candidates(tenant: &Tenant) -> Vec<Candidate> {
    let integrations = tenant.integrations.iter();
    integrations
        .filter_map(|integration| {
            // Each names an account of the tenant: the configuration was checked.
            let account = tenant.account(&integration.account)?;
            Some(Candidate {
                integration: integration.key.clone(),
                portal: account.settings.portal(),
                basis: basis(tenant, integration),
                takes: integration.takes.clone(),
            })
        })
        .collect()
}

/// Returns what reads a tenant's file that is not in force, beside this file of the daemon.
pub(super) fn drafts(path: &Path, employees: EmployeeKeeper) -> ReadDraft {
    let path = path.to_owned();
    Arc::new(move |name, text| {
        let read = config::load_draft(&path, &Environment::of_process(), name, text);
        let mut tenant = read.map_err(|mistakes| -> Vec<String> {
            mistakes.iter().map(ToString::to_string).collect()
        })?;
        employees.join_tenant(&mut tenant);
        Ok(Draft {
            settings: candidates(&tenant),
            tenant: tenant.id,
        })
    })
}

/// Returns the portals that an integration works in which is on.
pub(super) fn served(configuration: &Configuration) -> BTreeSet<PortalKey> {
    let portals = configuration.tenants.iter().flat_map(|tenant| {
        let on = tenant.integrations.iter();
        on.filter(|integration| integration.activity == Activity::On)
            .filter_map(|integration| tenant.account(&integration.account))
            .map(|account| account.settings.portal())
    });
    portals.collect()
}
