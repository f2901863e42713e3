//! Puts the answering of questions together: the table from a configuration, the way to the CRMs,
//! what is remembered of talks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::admin::state::Overview;
use crate::clock::SharedClock;
use crate::config::{Configuration, IntegrationConfig, Tenant};
use crate::crm::account::breaker::BreakerState;
use crate::crm::{AccountSettings, Adapter, Class};
use crate::directory::books::Books;
use crate::directory::known::KnownClient;
use crate::model::activity::Activity;
use crate::model::communication::Kind;
use crate::model::facts::FactsQuery;
use crate::model::ids::{AccountId, IntegrationId, PortalKey, TenantId};
use crate::model::outcome::Outcome;
use crate::model::personal_manager::{PersonalManagerSettings, ResponsibleOf, SharedNumbers};
use crate::model::phone::Phone;
use crate::questions::desk::Desk;
use crate::questions::last_talks::LastTalks;
use crate::questions::live::{LiveBook, known};
use crate::questions::table::{AskedIntegration, SourceParts, Table, TenantParts};
use crate::store::StoreHandle;
use crate::store::query::{JournalSearch, SEARCH_ROWS_MAX};

/// Live questions of one integration that may be under way, those included that nobody waits for
/// any more: a CRM that is slow must not gather them.
const LIVE_MAX: usize = 8;

/// What is between two pages of the journal when talks are read back: the disk has other work.
const PAGE_PAUSE: Duration = Duration::from_millis(20);

/// The desk and what feeds it.
pub(super) struct Questions {
    pub(super) desk: Arc<Desk>,
    /// What is known of clients; kept by [`super::directories`].
    pub(super) books: Arc<Books>,
    overview: Arc<ArcSwap<Overview>>,
    store: StoreHandle,
    /// Where requests to CRMs run: they outlive the question, and whoever asked it.
    runtime: tokio::runtime::Handle,
    reading_back: Mutex<Option<JoinHandle<()>>>,
}

impl Questions {
    /// Opens a desk that knows no source yet. Called inside the runtime that lives longest.
    pub(super) fn new(
        store: StoreHandle,
        clock: SharedClock,
        overview: Arc<ArcSwap<Overview>>,
    ) -> Self {
        Self {
            desk: Arc::new(Desk::new(clock)),
            books: Arc::default(),
            overview,
            store,
            runtime: tokio::runtime::Handle::current(),
            reading_back: Mutex::default(),
        }
    }

    /// Answers by this configuration from now on.
    pub(super) fn apply(&self, configuration: &Configuration) {
        self.books.want(portals(configuration));
        let tenants = configuration.tenants.iter();
        self.desk.replace(Table::new(
            tenants.map(|tenant| self.tenant(tenant)).collect(),
        ));
        let integrations = configuration
            .tenants
            .iter()
            .flat_map(|tenant| &tenant.integrations);
        let wanted = integrations
            .filter_map(|integration| integration.settings.personal_manager.as_ref())
            .any(|settings| settings.shared_numbers == SharedNumbers::LastTalk {});
        if self.desk.talks().keep(wanted) && wanted {
            let talks = Arc::clone(self.desk.talks());
            let reading = self.runtime.spawn(read_back(self.store.clone(), talks));
            if let Some(before) = self.reading().replace(reading) {
                before.abort();
            }
        }
    }

    /// Ends what still reads the journal.
    pub(super) fn stop(&self) {
        if let Some(reading) = self.reading().take() {
            reading.abort();
        }
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.reading_back
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn tenant(&self, tenant: &Tenant) -> TenantParts {
        let by_id = |id: &IntegrationId| {
            tenant
                .integrations
                .iter()
                .find(|one| one.key.integration == *id)
        };
        let asked = tenant.answering.integrations.iter().filter_map(by_id);
        let sources = tenant.sources.iter().map(|source| SourceParts {
            id: source.key.source.clone(),
            numbers: source.numbers.clone(),
            answering: source.answering.clone(),
        });
        TenantParts {
            id: tenant.id.clone(),
            zone: tenant.time_zone.clone(),
            employees: Arc::new(tenant.employees.clone()),
            people: tenant.answering.people.clone(),
            numbers: tenant.answering.numbers.clone(),
            integrations: asked
                .filter_map(|integration| self.integration(tenant, integration))
                .collect(),
            sources: sources.collect(),
        }
    }

    /// Returns how an integration is asked; `None` for one that is off.
    fn integration(
        &self,
        tenant: &Tenant,
        integration: &IntegrationConfig,
    ) -> Option<AskedIntegration> {
        let acts = match integration.activity {
            Activity::Off => return None,
            Activity::Observe => false,
            Activity::On => true,
        };
        let account: Arc<dyn AccountSettings> =
            Arc::clone(&tenant.account(&integration.account)?.settings);
        let portal = account.portal();
        let settings = integration.settings.personal_manager.clone();
        let live = LiveCrm {
            overview: Arc::clone(&self.overview),
            tenant: tenant.id.clone(),
            account: integration.account.clone(),
            deals: settings.as_ref().is_some_and(needs_deals),
            places: Arc::new(Semaphore::new(LIVE_MAX)),
            runtime: self.runtime.clone(),
        };
        Some(AskedIntegration {
            id: integration.key.integration.clone(),
            account: integration.account.clone(),
            book: account.directory().map(|_| self.books.book(&portal)),
            portal,
            acts,
            settings,
            link: Arc::new(move |card| account.card_url(card)),
            live: Some(Arc::new(live)),
        })
    }
}

/// Returns the portals whose clients are asked for.
fn portals(configuration: &Configuration) -> impl Iterator<Item = PortalKey> {
    let tenants = configuration.tenants.iter();
    tenants.flat_map(|tenant| {
        let integrations = tenant.integrations.iter();
        let working = integrations.filter(|one| one.activity != Activity::Off);
        let accounts = working.filter_map(|one| tenant.account(&one.account));
        accounts
            .filter(|account| account.settings.directory().is_some())
            .map(|account| account.settings.portal())
    })
}

fn needs_deals(settings: &PersonalManagerSettings) -> bool {
    settings.shared_numbers == SharedNumbers::OpenDeal {}
        || settings.responsible_of.contains(&ResponsibleOf::Deal)
}

/// The way to an account's CRM, as it is open at the moment of asking.
struct LiveCrm {
    overview: Arc<ArcSwap<Overview>>,
    tenant: TenantId,
    account: AccountId,
    deals: bool,
    places: Arc<Semaphore>,
    runtime: tokio::runtime::Handle,
}

impl LiveCrm {
    /// Returns the adapter, where the CRM answers at present.
    fn adapter(&self) -> Option<Arc<dyn Adapter>> {
        let overview = self.overview.load();
        let mut accounts = overview.accounts.iter();
        let account =
            accounts.find(|one| one.tenant == self.tenant && one.account == self.account)?;
        let portal = overview
            .portals
            .iter()
            .find(|one| one.key == account.portal)?;
        let door = portal.http.status();
        let serves = door.breaker == BreakerState::Closed && door.held.is_none();
        serves.then(|| Arc::clone(&account.adapter))
    }
}

impl LiveBook for LiveCrm {
    fn ask(&self, phone: Phone) -> Option<BoxFuture<'static, Option<Vec<KnownClient>>>> {
        let adapter = self.adapter()?;
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let query = FactsQuery {
            phones: vec![phone],
            emails: Vec::new(),
            deals: self.deals,
            made: Vec::new(),
            made_leads: Vec::new(),
        };
        // Cut in the middle it might lose a token that the CRM just changed. It ends within the
        // time that the account gives every request.
        let asking = self.runtime.spawn(async move {
            let outcome = adapter.facts(query, Class::Live).await;
            drop(place);
            match outcome {
                Outcome::Done(facts) => Some(known(facts)),
                Outcome::NotApplied(_)
                | Outcome::Ambiguous { .. }
                | Outcome::AuthExpired { .. }
                | Outcome::Rejected(_) => None,
            }
        });
        Some(async move { asking.await.ok().flatten() }.boxed())
    }
}

/// Reads talks back from the journal, newest first, until there is no more room for older ones.
async fn read_back(store: StoreHandle, talks: Arc<LastTalks>) {
    let mut search = JournalSearch {
        kind: Some(Kind::Call),
        limit: SEARCH_ROWS_MAX,
        ..JournalSearch::default()
    };
    while talks.has_room() {
        let page = match store.search_page(search.clone()).await {
            Ok(page) => page,
            Err(error) => {
                // New calls are taken note of all the same.
                tracing::warn!(%error, "read back who talked with whom");
                return;
            }
        };
        for found in &page.found {
            talks.note(&found.snapshot);
        }
        let Some(next) = page.next else {
            return;
        };
        search.after = Some(next);
        tokio::time::sleep(PAGE_PAUSE).await;
    }
}
