//! Employees from the CRMs (S2-04 … S2-07, V-02): what the syncs brought lies in the store, joins the
//! tenants' files whenever they are read, and is read anew at a person's word or at its time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;

use crate::admin::employees::{EmployeeShown, EmployeeSyncs, EmployeesState, NotSynced, Synced};
use crate::admin::state::Overview;
use crate::clock::SharedClock;
use crate::config::{Configuration, IntegrationConfig, Tenant};
use crate::crm::Adapter;
use crate::model::activity::Activity;
use crate::model::employee::Employees;
use crate::model::employee_sync::{
    EmployeeSyncSettings, ListedUser, SyncManner, SyncReason, SyncReport, SyncedEmployees,
};
use crate::model::ids::{AccountId, Extension, IntegrationKey, PortalKey, SourceKey};
use crate::model::outcome::Outcome;
use crate::model::timestamp::Timestamp;
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

use super::tenant_files::Files;

/// How long whoever asked for a sync waits for its end: less than a command line does. A CRM with a
/// request a second takes minutes; the sync goes on.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How often it is looked whether a sync's time has come.
const LOOKED_AT: Duration = Duration::from_secs(60);

/// The hours of the night, in the tenant's zone, in which new employees are looked for.
const NIGHT: std::ops::Range<i8> = 2..5;

/// Less than this after the last reading it is the same night.
const SAME_NIGHT: Duration = Duration::from_secs(12 * 3600);

/// How often everything is read where the CRM has that done daily (V-02).
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How often statuses are read (V-02).
const STATUSES: Duration = Duration::from_secs(20 * 60);

/// How soon a sync that came to nothing is tried again by itself.
const TRIED_AGAIN: Duration = Duration::from_secs(3600);

/// An integration whose employees may be synced, as configured.
#[derive(Clone)]
struct Place {
    account: AccountId,
    settings: EmployeeSyncSettings,
    works: bool,
    zone: TimeZone,
    /// The sources whose calls it takes, with a reader of their people where they have one.
    sources: Vec<SourceKey>,
    /// The employees as they are in force.
    employees: Arc<Employees>,
    /// The ids that stand in the tenant's file.
    in_file: BTreeSet<String>,
}

/// What is under way, and what came to nothing.
#[derive(Default)]
struct Course {
    under_way: BTreeSet<IntegrationKey>,
    trouble: BTreeMap<IntegrationKey, (Timestamp, String)>,
}

struct Parts {
    store: StoreHandle,
    clock: SharedClock,
    overview: Arc<ArcSwap<Overview>>,
    files: Files,
    places: ArcSwap<BTreeMap<IntegrationKey, Place>>,
    known: ArcSwap<BTreeMap<IntegrationKey, SyncedEmployees>>,
    course: Mutex<Course>,
    /// Where requests to CRMs run: they outlive whoever asked.
    runtime: tokio::runtime::Handle,
}

/// The syncs of all integrations.
#[derive(Clone)]
pub(super) struct EmployeeKeeper(Arc<Parts>);

/// Under which name an integration's employees are kept, beside what is known of accounts.
fn row(integration: &IntegrationKey) -> PortalKey {
    PortalKey::new("employees", &integration.to_string())
}

impl EmployeeKeeper {
    /// Knows nobody yet. Called inside the runtime that lives longest.
    pub(super) fn new(
        store: StoreHandle,
        clock: SharedClock,
        overview: Arc<ArcSwap<Overview>>,
        files: Files,
    ) -> Self {
        Self(Arc::new(Parts {
            store,
            clock,
            overview,
            files,
            places: ArcSwap::default(),
            known: ArcSwap::default(),
            course: Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
        }))
    }

    /// Reads what the store has of a configuration's integrations, and joins it to the files.
    pub(super) async fn join(&self, configuration: &mut Configuration) {
        let mut known = BTreeMap::new();
        let integrations = configuration
            .tenants
            .iter()
            .flat_map(|one| &one.integrations);
        for integration in integrations {
            match self.0.store.account(row(&integration.key)).await {
                // A row that cannot be read is as good as none: the next sync makes it anew.
                Ok(stored) => {
                    let read = stored.and_then(|value| serde_json::from_value(value).ok());
                    known.extend(read.map(|read| (integration.key.clone(), read)));
                }
                Err(error) => tracing::warn!(%error, "employees of {}", integration.key),
            }
        }
        self.0.known.store(Arc::new(known));
        let mut places = BTreeMap::new();
        for tenant in &mut configuration.tenants {
            let ids = tenant.employees.0.iter();
            let in_file: BTreeSet<String> = ids.map(|one| one.id.to_string()).collect();
            self.join_tenant(tenant);
            let employees = Arc::new(tenant.employees.clone());
            for integration in &tenant.integrations {
                let place = Place {
                    in_file: in_file.clone(),
                    ..place_of(tenant, integration, &employees)
                };
                places.insert(integration.key.clone(), place);
            }
        }
        self.0.places.store(Arc::new(places));
    }

    /// Joins what is known to one tenant, such as one of a file that is not in force.
    pub(super) fn join_tenant(&self, tenant: &mut Tenant) {
        let known = self.0.known.load_full();
        tenant.join_employees(|integration| known.get(integration));
    }

    /// Has employees read whenever their time has come.
    pub(super) async fn keep(self) {
        loop {
            tokio::time::sleep(LOOKED_AT).await;
            let places = self.0.places.load_full();
            for (key, place) in places.iter() {
                if let Some(reason) = self.due(key, place)
                    && self.begin(key)
                    && let Err(error) = self.run(key.clone(), reason).await
                {
                    tracing::warn!(integration = %key, %error, "employees could not be read");
                }
            }
        }
    }

    fn due(&self, key: &IntegrationKey, place: &Place) -> Option<SyncReason> {
        if !place.works || !place.settings.on {
            return None;
        }
        let now = self.0.clock.now();
        let tried = self.course().trouble.get(key).map(|(at, _)| *at);
        if tried.is_some_and(|at| now.since(at) < TRIED_AGAIN) {
            return None;
        }
        let known = self.0.known.load();
        let synced = known.get(key)?;
        // The first time is a person's (S2-06).
        synced.manual_at?;
        let manner = self.adapter(key, place)?.employee_sync();
        due(
            manner,
            place.settings.statuses,
            synced.read_at?,
            now,
            &place.zone,
        )
    }

    fn adapter(&self, key: &IntegrationKey, place: &Place) -> Option<Arc<dyn Adapter>> {
        let overview = self.0.overview.load();
        let mut accounts = overview.accounts.iter();
        let found =
            accounts.find(|one| one.tenant == key.tenant && one.account == place.account)?;
        Some(Arc::clone(&found.adapter))
    }

    /// Reads the employees of an integration and keeps them.
    async fn run(
        &self,
        key: IntegrationKey,
        reason: SyncReason,
    ) -> Result<(SyncReport, Option<String>), NotSynced> {
        let result = self.read(&key, reason).await;
        let now = self.0.clock.now();
        {
            let mut course = self.course();
            course.under_way.remove(&key);
            match &result {
                Ok(_) => drop(course.trouble.remove(&key)),
                Err(error) => drop(course.trouble.insert(key.clone(), (now, error.to_string()))),
            }
        }
        let report = result?;
        let not_in_force = match report.is_empty() {
            true => None,
            false => self.0.files.reload().await,
        };
        Ok((report, not_in_force))
    }

    async fn read(
        &self,
        key: &IntegrationKey,
        reason: SyncReason,
    ) -> Result<SyncReport, NotSynced> {
        let places = self.0.places.load_full();
        let place = places.get(key).ok_or(NotSynced::Absent)?;
        let adapter = self.adapter(key, place).ok_or(NotSynced::Absent)?;
        let extensions = match reason {
            SyncReason::Statuses => Vec::new(),
            SyncReason::Manual | SyncReason::Timed => self.extensions(place).await,
        };
        let users = listed(adapter.people(extensions).await).map_err(NotSynced::Crm)?;
        let known = self.0.known.load_full();
        let before = known.get(key).cloned().unwrap_or_default();
        let now = self.0.clock.now();
        let manner = adapter.employee_sync();
        let (after, report) = before.take(users, &place.settings, reason, manner, now);
        let stored = |error: &dyn std::fmt::Display| NotSynced::Store(error.to_string());
        let value = serde_json::to_value(&after).map_err(|error| stored(&error))?;
        let kept = self.0.store.put_account(row(key), value).await;
        kept.map_err(|error| stored(&error))?;
        self.0.known.rcu(|known| {
            let mut known = BTreeMap::clone(known);
            known.insert(key.clone(), after.clone());
            known
        });
        self.note(key, reason, &report, now).await;
        Ok(report)
    }

    /// Returns the extensions of which it would be good to know whose they are: those of the employees,
    /// and those that the phone systems list.
    async fn extensions(&self, place: &Place) -> Vec<Extension> {
        let mut found = BTreeSet::new();
        for employee in &place.employees.0 {
            let here = employee.extensions.iter().filter(|one| {
                let mut sources = place.sources.iter();
                // One who is paired is found already.
                employee.user(&place.account).is_none()
                    && sources.any(|key| key.source == one.source)
            });
            found.extend(here.map(|one| one.extension.clone()));
        }
        let overview = self.0.overview.load_full();
        let rosters = overview
            .rosters
            .iter()
            .filter(|one| place.sources.contains(&one.key));
        for roster in rosters {
            match roster.reader.read().await {
                Ok(roster) => {
                    let listed = roster.employees.into_iter();
                    found.extend(listed.filter_map(|one| one.extension.map(Extension)));
                }
                Err(error) => tracing::warn!(source = %roster.key, %error, "people not listed"),
            }
        }
        found.into_iter().collect()
    }

    async fn note(
        &self,
        key: &IntegrationKey,
        reason: SyncReason,
        report: &SyncReport,
        now: Timestamp,
    ) {
        if reason != SyncReason::Manual && report.is_empty() {
            return;
        }
        let text = format!(
            "{key}: {} added, {} changed, {} removed",
            report.added.len(),
            report.changed.len(),
            report.removed.len(),
        );
        let note = JournalNote {
            at: now,
            tenant: Some(key.tenant.clone()),
            source: None,
            integration: Some(key.clone()),
            communication: None,
            word: "employees_synced".to_owned(),
            text,
        };
        if let Err(error) = self.0.store.note(note).await {
            tracing::error!(%error, "journal");
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.0.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the turn of an integration; `false` = somebody has it.
    fn begin(&self, key: &IntegrationKey) -> bool {
        self.course().under_way.insert(key.clone())
    }
}

fn place_of(tenant: &Tenant, integration: &IntegrationConfig, employees: &Arc<Employees>) -> Place {
    let sources = integration.call_sources().into_iter();
    Place {
        account: integration.account.clone(),
        settings: integration.employee_sync(),
        works: integration.activity != Activity::Off,
        zone: tenant.time_zone.clone(),
        sources: sources
            .map(|source| SourceKey::new(tenant.id.clone(), source))
            .collect(),
        employees: Arc::clone(employees),
        in_file: BTreeSet::new(),
    }
}

/// Says whether a sync's time has come.
fn due(
    manner: SyncManner,
    statuses: bool,
    read_at: Timestamp,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<SyncReason> {
    let age = now.since(read_at);
    match manner {
        SyncManner::ManualOnly => None,
        SyncManner::NightlyNew => {
            let at = jiff::Timestamp::from_second(now.as_secs()).unwrap_or_default();
            let hour = at.to_zoned(zone.clone()).hour();
            (NIGHT.contains(&hour) && age >= SAME_NIGHT).then_some(SyncReason::Timed)
        }
        SyncManner::Daily if age >= DAY => Some(SyncReason::Timed),
        SyncManner::Daily => (statuses && age >= STATUSES).then_some(SyncReason::Statuses),
    }
}

/// Returns who is listed. A CRM without users is none: an empty list makes nobody gone.
fn listed(outcome: Outcome<Vec<ListedUser>>) -> Result<Vec<ListedUser>, String> {
    match outcome {
        Outcome::Done(users) if users.is_empty() => Err("the CRM lists no users".to_owned()),
        Outcome::Done(users) => Ok(users),
        Outcome::NotApplied(not_applied) => Err(not_applied.why),
        Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => Err(why),
        Outcome::Rejected(rejection) => Err(format!("{}: {}", rejection.code, rejection.message)),
    }
}

impl EmployeeSyncs for EmployeeKeeper {
    fn state(&self, integration: &IntegrationKey) -> Option<EmployeesState> {
        let places = self.0.places.load();
        let place = places.get(integration)?;
        let manner = self.adapter(integration, place)?.employee_sync();
        let known = self.0.known.load();
        let synced = known.get(integration);
        let manual_at = synced.and_then(|synced| synced.manual_at);
        let remark = match (place.settings.on, manual_at) {
            (false, _) => Some(
                "the sync of employees is off: what must know who a user of the CRM is works for \
                 employees of the file only (S2-04)"
                    .to_owned(),
            ),
            (true, None) => Some(format!(
                "employees were never synced: trunkline employees sync {integration} (S2-06)"
            )),
            (true, Some(_)) => None,
        };
        let course = self.course();
        Some(EmployeesState {
            settings: place.settings.clone(),
            manner,
            manual_at,
            read_at: synced.and_then(|synced| synced.read_at),
            under_way: course.under_way.contains(integration),
            trouble: course.trouble.get(integration).map(|(_, why)| why.clone()),
            remark,
        })
    }

    fn people(&self, integration: &IntegrationKey) -> Vec<EmployeeShown> {
        let places = self.0.places.load();
        let known = self.0.known.load();
        let (Some(place), Some(synced)) = (places.get(integration), known.get(integration)) else {
            return Vec::new();
        };
        let shown = |one: &crate::model::employee_sync::SyncedEmployee| {
            let employee = place.employees.by_user(&place.account, &one.listed.user);
            let id = employee.map(|employee| employee.id.clone());
            EmployeeShown {
                synced: one.clone(),
                in_file: id
                    .as_ref()
                    .is_some_and(|id| place.in_file.contains(id.as_str())),
                employee: id,
            }
        };
        synced.employees.iter().map(shown).collect()
    }

    fn sync(&self, integration: IntegrationKey) -> BoxFuture<'_, Result<Synced, NotSynced>> {
        let places = self.0.places.load_full();
        let keeper = self.clone();
        async move {
            let place = places.get(&integration).ok_or(NotSynced::Absent)?;
            if !place.settings.on {
                return Err(NotSynced::Off(integration));
            }
            if !keeper.begin(&integration) {
                return Ok(Synced::UnderWay);
            }
            let of_task = keeper.clone();
            let running = keeper.0.runtime.spawn(async move {
                // Whoever asked may hang up in the middle.
                of_task.run(integration, SyncReason::Manual).await
            });
            match tokio::time::timeout(ANSWER_WITHIN, running).await {
                Ok(Ok(Ok((report, not_in_force)))) => Ok(Synced::Done {
                    report,
                    not_in_force,
                }),
                Ok(Ok(Err(error))) => Err(error),
                Ok(Err(error)) => Err(NotSynced::Store(error.to_string())),
                Err(_) => Ok(Synced::UnderWay),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn an_empty_list_makes_nobody_gone() {
        assert!(listed(Outcome::Done(Vec::new())).is_err());
    }

    #[test]
    fn s2_07_v_02_each_crm_has_its_employees_read_at_its_own_times() {
        let moscow = TimeZone::get("Europe/Moscow").expect("a zone");
        let read_at = at("2026-11-20T10:00:00Z");
        for (manner, statuses, now, reason) in [
            (SyncManner::ManualOnly, true, "2026-12-20T00:00:00Z", None),
            (SyncManner::NightlyNew, false, "2026-11-20T22:59:00Z", None),
            (
                SyncManner::NightlyNew,
                false,
                "2026-11-20T23:30:00Z",
                Some(SyncReason::Timed),
            ),
            (SyncManner::NightlyNew, false, "2026-11-21T08:00:00Z", None),
            (SyncManner::Daily, false, "2026-11-21T09:59:00Z", None),
            (
                SyncManner::Daily,
                false,
                "2026-11-21T10:00:00Z",
                Some(SyncReason::Timed),
            ),
            (SyncManner::Daily, true, "2026-11-20T10:19:00Z", None),
            (
                SyncManner::Daily,
                true,
                "2026-11-20T10:20:00Z",
                Some(SyncReason::Statuses),
            ),
        ] {
            let found = due(manner, statuses, read_at, at(now), &moscow);
            assert_eq!(found, reason, "{manner:?} {now}");
        }
        // Not twice in one night.
        let tonight = at("2026-11-20T23:30:00Z");
        let later = at("2026-11-21T01:30:00Z");
        assert_eq!(
            due(SyncManner::NightlyNew, false, tonight, later, &moscow),
            None
        );
    }
}
