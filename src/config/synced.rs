//! A tenant of the files with the employees that came from its CRMs: what lives in the store joins
//! what is written, whose entries win.

use crate::model::answering::PersonAnswering;
use crate::model::communication::Kind;
use crate::model::employee_sync::{EmployeeSyncSettings, Joining, SyncedEmployees, join};
use crate::model::ids::{IntegrationKey, SourceId};

use super::configuration::{IntegrationConfig, Tenant};
use super::fingerprint::FingerprintBuilder;

impl IntegrationConfig {
    /// Returns what was chosen for its employees.
    pub fn employee_sync(&self) -> EmployeeSyncSettings {
        self.settings.employees.clone().unwrap_or_default()
    }

    /// Returns the sources whose calls it takes.
    pub fn call_sources(&self) -> Vec<SourceId> {
        let takes = self.takes.iter();
        let calls = takes.filter(|(_, kind)| *kind == Kind::Call);
        calls.map(|(source, _)| source.clone()).collect()
    }
}

impl Tenant {
    /// Joins synced employees to those of the file. `synced` returns those of an integration.
    pub fn join_employees<'a>(
        &mut self,
        synced: impl Fn(&IntegrationKey) -> Option<&'a SyncedEmployees>,
    ) {
        let found: Vec<_> = self
            .integrations
            .iter()
            .filter_map(|one| {
                let synced = synced(&one.key)?;
                Some((
                    &one.account,
                    one.call_sources(),
                    one.employee_sync(),
                    synced,
                ))
            })
            .collect();
        let joining: Vec<Joining<'_>> = found
            .iter()
            .map(|(account, sources, settings, synced)| Joining {
                account,
                sources,
                settings,
                synced,
            })
            .collect();
        let joined = join(&self.employees, &joining);
        if joined.employees == self.employees {
            return;
        }
        self.employees = joined.employees;
        for id in &joined.new {
            let answering = PersonAnswering {
                personal_manager: !joined.no_managers.contains(id),
                away: joined.away.contains(id),
                ..PersonAnswering::default()
            };
            if answering != PersonAnswering::default() {
                self.answering.people.insert(id.clone(), answering);
            }
        }
        for integration in &mut self.integrations {
            integration.fingerprint = FingerprintBuilder::default()
                .fingerprint(&integration.fingerprint)
                .value(&self.employees)
                .finish();
        }
    }
}
