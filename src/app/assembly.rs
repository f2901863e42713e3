//! Turns a configuration into running parts, and a changed configuration into the smallest
//! change of them: what did not change is not touched.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use actix::ArbiterHandle;
use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::sync::watch;

use crate::admin::discovery::Discoverable;
use crate::admin::roster::RosterPlace;
use crate::admin::state::{
    AccountOverview, AccountShown, CrmOverview, DoorOwner, IntegrationOverview, Off, OutsideDoor,
    Overview, SourceOverview,
};
use crate::clock::SharedClock;
use crate::config::{Configuration, Fingerprint, IntegrationConfig, SourceConfig, Tenant};
use crate::crm::account::http::{AccountHttp, AccountHttpOptions};
use crate::crm::{AccountDoor, Adapter, TokenVault};
use crate::intake::crm_hooks::CrmHookTable;
use crate::intake::http::{HookSource, HookTable, Receiver};
use crate::intake::routing::{Routing, Taker};
use crate::intake::sink::{Intake, SourceSink};
use crate::integration::batcher::Batcher;
use crate::integration::child::{IntegrationChild, IntegrationSeat};
use crate::integration::context::{IntegrationContext, random_jitter};
use crate::integration::handle::SharedHandles;
use crate::integration::notices::{NoticeDesk, Notices};
use crate::integration::passing::PassingDesk;
use crate::integration::portal::{DoorSettings, Portal};
use crate::integration::status::StatusBoard;
use crate::integration::supervisor::{Supervised, supervise};
use crate::model::activity::Activity;
use crate::model::call_order::CallPermit;
use crate::model::capabilities::RecordingWay;
use crate::model::communication::{Kind, Phase};
use crate::model::ids::{AccountId, IntegrationKey, PortalKey, SourceKey, TenantId};
use crate::pbx::call_desk::{CallDesk, DeskTable, DeskTenant};
use crate::rules;
use crate::rules::basis::Basis;
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

use super::clicks::ClickDoor;
use super::clicks_child::ClickChildren;
use super::deals_child::DealChildren;
use super::installations::Installations;
use super::lane_filling::Filling;
use super::messenger::Post;
use super::pairs::Pairs;
use super::questions::Questions;
use super::recording_child::Recordings;
use super::setup_child::SetupChild;
use super::source_child::{SourceChild, board_name};
use super::sync_child::Syncs;
use super::vault::StoreVault;
use super::waker::PortalTable;

/// How long an account is not spoken to at first: the process before this one may have used up
/// the CRM's window just before it ended.
const QUIET_START: Duration = Duration::from_secs(1);

/// What all parts share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) store: StoreHandle,
    pub(super) clock: SharedClock,
    pub(super) board: Arc<StatusBoard>,
    pub(super) handles: SharedHandles,
    pub(super) intake: Intake,
    pub(super) hooks: Arc<HookTable>,
    pub(super) crm_hooks: Arc<CrmHookTable>,
    pub(super) portals: PortalTable,
    pub(super) overview: Arc<ArcSwap<Overview>>,
    pub(super) desk: Arc<CallDesk>,
    pub(super) pairs: Arc<Pairs>,
    pub(super) installations: Installations,
    pub(super) passing: PassingDesk,
    pub(super) post: Arc<Post>,
    pub(super) notices: NoticeDesk,
    pub(super) questions: Arc<Questions>,
    pub(super) recordings: Arc<Recordings>,
    pub(super) work_arbiter: ArbiterHandle,
    pub(super) session_arbiter: ArbiterHandle,
}

struct RunningAccount {
    fingerprint: Fingerprint,
    adapter: Arc<dyn Adapter>,
    batcher: Arc<Batcher>,
    portal: Arc<Portal>,
    setup: Supervised,
}

struct RunningIntegration {
    fingerprint: Fingerprint,
    seat: IntegrationSeat,
    supervised: Supervised,
}

/// An integration that is seated and has not begun.
struct NewOne {
    key: IntegrationKey,
    fingerprint: Fingerprint,
    seat: IntegrationSeat,
}

struct RunningSource {
    fingerprint: Fingerprint,
    supervised: Option<Supervised>,
}

/// Why a configuration could not be put into effect.
#[derive(Debug, thiserror::Error)]
pub(super) enum AssemblyError {
    /// The store did not take it.
    #[error("store: {0}")]
    Store(#[from] crate::store::StoreError),
    /// The door of an account could not be made.
    #[error("account {account}: {why}")]
    Account { account: String, why: String },
}

/// The running parts.
pub(super) struct Assembly {
    shared: Shared,
    accounts: BTreeMap<(TenantId, AccountId), RunningAccount>,
    integrations: BTreeMap<IntegrationKey, RunningIntegration>,
    sources: BTreeMap<SourceKey, RunningSource>,
    syncs: Syncs,
    deals: DealChildren,
    clicks: ClickChildren,
    /// The portals with an integration that is on; nothing is set up in others.
    served: BTreeSet<PortalKey>,
    /// Fills the lanes with what waits, once a configuration is in effect.
    filling: Option<tokio::task::JoinHandle<()>>,
    /// Keep on disk which accounts are blocked; each ends with its door.
    keepers: Vec<tokio::task::JoinHandle<()>>,
}

impl Assembly {
    pub(super) fn new(shared: Shared) -> Self {
        let shared_deals = shared.store.clone();
        Self {
            shared,
            accounts: BTreeMap::new(),
            integrations: BTreeMap::new(),
            sources: BTreeMap::new(),
            syncs: Syncs::default(),
            deals: DealChildren::new(shared_deals),
            clicks: ClickChildren::default(),
            served: BTreeSet::new(),
            filling: None,
            keepers: Vec::new(),
        }
    }

    /// Puts a configuration into effect. Order matters: integrations are ready to be woken before
    /// sources speak, and a part that goes ends before its successor starts.
    pub(super) async fn apply(&mut self, new: &Configuration) -> Result<(), AssemblyError> {
        if let Some(filling) = self.filling.take() {
            // Places are taken once for all; an error of it is the store's, which is told of there.
            drop(filling.await);
        }
        let gone = self.stop_what_goes(new).await;
        self.keepers.retain(|keeper| !keeper.is_finished());
        self.served = super::rehearsing::served(new);
        for running in self.accounts.values() {
            let observed = !self.served.contains(&running.portal.key);
            running.portal.http.set_observed(observed);
        }
        for tenant in &new.tenants {
            self.open_accounts(tenant).await?;
        }
        let mut contexts = Vec::new();
        for tenant in &new.tenants {
            for integration in &tenant.integrations {
                let context = self.context(tenant, integration).await?;
                contexts.push((integration.fingerprint.clone(), context));
            }
        }
        self.deals.know(new);
        self.shared.post.apply(new);
        self.publish(new, &contexts);
        for context in gone {
            // Its open work stays in the store; the lanes are free for others. Not earlier: until
            // now intake went on putting its works there.
            self.shared.handles.wake(context.portal.leave(&context.key));
        }
        let mut new_ones = Vec::new();
        for (fingerprint, context) in contexts {
            new_ones.extend(self.seat(fingerprint, context));
        }
        self.syncs.begin(new, &self.shared, |key| {
            let account = self.accounts.get(key)?;
            Some((Arc::clone(&account.adapter), Arc::clone(&account.portal)))
        });
        self.deals.begin(new, &self.shared, |key| {
            Some(Arc::clone(&self.accounts.get(key)?.adapter))
        });
        self.clicks.begin(new, &self.shared, |key| {
            Some(Arc::clone(&self.accounts.get(key)?.adapter))
        });
        let (filled, is_filled) = watch::channel(false);
        let seats = new_ones.iter().map(|one| one.seat.clone()).collect();
        for one in new_ones {
            self.begin(one, is_filled.clone());
        }
        let filling = Filling::new(&self.shared.store, &self.shared.clock, new, seats);
        self.filling = Some(filling.begin(filled));
        for tenant in &new.tenants {
            for source in &tenant.sources {
                self.start_source(source);
            }
        }
        Ok(())
    }

    /// Ends what is configured no more, or must begin anew; returns the integrations that go.
    async fn stop_what_goes(&mut self, new: &Configuration) -> Vec<Arc<IntegrationContext>> {
        let mut gone_for_good = Vec::new();
        let sources: HashMap<&SourceKey, Fingerprint> = new
            .tenants
            .iter()
            .flat_map(|tenant| &tenant.sources)
            .map(|source| (&source.key, source.fingerprint.clone()))
            .collect();
        let gone: Vec<SourceKey> = self
            .sources
            .iter()
            .filter(|(key, running)| sources.get(key) != Some(&running.fingerprint))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            if let Some(running) = self.sources.remove(&key) {
                if let Some(supervised) = running.supervised {
                    supervised.stop().await;
                }
                self.shared.board.remove(&board_name(&key));
            }
        }
        let wanted: Vec<&IntegrationKey> = new
            .tenants
            .iter()
            .flat_map(|t| &t.integrations)
            .map(|i| &i.key)
            .collect();
        let gone: Vec<IntegrationKey> = self
            .integrations
            .keys()
            .filter(|key| !wanted.contains(key))
            .cloned()
            .collect();
        for key in gone {
            if let Some(running) = self.integrations.remove(&key) {
                running.supervised.stop().await;
                let context = running.seat.context();
                self.shared.handles.remove(&key);
                self.shared.board.remove(&context.board_name());
                gone_for_good.push(context);
            }
        }
        let accounts: BTreeMap<(TenantId, AccountId), Fingerprint> = new
            .tenants
            .iter()
            .flat_map(|tenant| tenant.accounts.iter().map(move |account| (tenant, account)))
            .map(|(tenant, account)| {
                (
                    (tenant.id.clone(), account.id.clone()),
                    account.fingerprint.clone(),
                )
            })
            .collect();
        let gone: Vec<(TenantId, AccountId)> = self
            .accounts
            .iter()
            .filter(|(key, running)| accounts.get(key) != Some(&running.fingerprint))
            .map(|(key, _)| key.clone())
            .collect();
        // A sync speaks through its account.
        self.syncs.stop_what_goes(new, &self.shared.board).await;
        self.deals.stop_what_goes(new, &self.shared.board).await;
        self.clicks.stop_what_goes(new, &self.shared.board).await;
        for key in gone {
            if let Some(running) = self.accounts.remove(&key) {
                let name = running.setup.name().to_owned();
                running.setup.stop().await;
                self.shared.board.remove(&name);
            }
        }
        gone_for_good
    }

    async fn open_accounts(&mut self, tenant: &Tenant) -> Result<(), AssemblyError> {
        for account in &tenant.accounts {
            let key = (tenant.id.clone(), account.id.clone());
            if self.accounts.contains_key(&key) {
                continue;
            }
            let portal = self.portal(tenant, account).await?;
            let vault: Arc<dyn TokenVault> = Arc::new(StoreVault::new(
                self.shared.store.clone(),
                &tenant.id,
                &account.id,
                portal.key.clone(),
            ));
            if let Some(token) = account.token() {
                store_token(&*vault, token).await?;
            }
            let door = AccountDoor {
                http: Arc::clone(&portal.http),
                vault,
                pairs: Arc::new(self.shared.pairs.of(&tenant.id, &account.id)),
                secrets: account.secrets.clone(),
                recordings: Some(self.shared.recordings.files(self.shared.store.clone())),
                clock: Arc::clone(&self.shared.clock),
            };
            let adapter = account.settings.open(door);
            let setup = supervise(
                SetupChild::new(
                    account.crm,
                    &tenant.id,
                    &account.id,
                    Arc::clone(&adapter),
                    &portal,
                    &self.shared,
                ),
                Arc::clone(&self.shared.board),
                Arc::clone(&self.shared.clock),
            );
            let fingerprint = account.fingerprint.clone();
            self.accounts.insert(
                key,
                RunningAccount {
                    fingerprint,
                    batcher: Batcher::new(Arc::clone(&adapter)),
                    adapter,
                    portal,
                    setup,
                },
            );
        }
        Ok(())
    }

    /// Returns the portal of an account. One portal has one set of lanes, however often its
    /// accounts are opened anew, and one door, unless its address or rate changed.
    async fn portal(
        &mut self,
        tenant: &Tenant,
        account: &crate::config::AccountConfig,
    ) -> Result<Arc<Portal>, AssemblyError> {
        let key = account.settings.portal();
        let door = DoorSettings::of(&*account.settings);
        // An account that is opened anew is not there any more; its integrations still are.
        let seats: Vec<Arc<IntegrationContext>> = self
            .integrations
            .values()
            .map(|running| running.seat.context())
            .collect();
        let open: Vec<&Arc<Portal>> = self
            .accounts
            .values()
            .map(|running| &running.portal)
            .chain(seats.iter().map(|context| &context.portal))
            .filter(|portal| portal.key == key)
            .collect();
        if let Some(same) = open.iter().find(|portal| portal.door == door) {
            return Ok(Arc::clone(same));
        }
        let before = open.first().map(|portal| Arc::clone(portal));
        let http = AccountHttp::new(AccountHttpOptions {
            portal: key.clone(),
            base_url: door.base_url.clone(),
            rate_per_second: account.settings.rate_per_second(),
            per_second_max: account.settings.per_second_max(),
            quiet_start: QUIET_START,
            clock: Arc::clone(&self.shared.clock),
        })
        .map_err(|error| AssemblyError::Account {
            account: format!("{}/{}", tenant.id, account.id),
            why: error.to_string(),
        })?;
        let http = Arc::new(http.with_manners(account.settings.manners()));
        http.set_observed(!self.served.contains(&key));
        let keeper = super::blocks::keep(&self.shared.store, &key, &http).await?;
        self.keepers.push(keeper);
        Ok(Arc::new(match before {
            Some(before) => before.with_door(door, http),
            None => Portal::new(key, door, http),
        }))
    }

    async fn context(
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

    /// Makes routing, hooks and overview say what is configured now.
    fn publish(&self, new: &Configuration, contexts: &[(Fingerprint, IntegrationContext)]) {
        let by_key: HashMap<&IntegrationKey, &IntegrationContext> = contexts
            .iter()
            .map(|(_, context)| (&context.key, context))
            .collect();
        let mut routing = Routing::default();
        let mut overview = Overview {
            crms: crms(),
            ..Overview::default()
        };
        let mut hooks = HashMap::new();
        let mut portals: BTreeMap<PortalKey, Arc<Portal>> = BTreeMap::new();
        for tenant in &new.tenants {
            for source in &tenant.sources {
                let session = source.source.listener().is_some();
                overview.sources.push(SourceOverview {
                    key: source.key.clone(),
                    kind: source.kind.to_owned(),
                    name: source.name.clone(),
                    session,
                    kinds: source.source.kinds().to_vec(),
                });
                if !source.recordings.is_empty() {
                    routing.record(source.key.clone());
                }
                let reader = source.source.hook().map(Receiver::Reader);
                let exchange = || source.source.exchange().map(Receiver::Exchange);
                if let Some(receiver) = reader.or_else(exchange) {
                    overview.doors.push(OutsideDoor {
                        of: DoorOwner::Source(source.key.clone()),
                        path: format!(
                            "/hooks/{}/{}/{}/",
                            source.kind, source.key.tenant, source.key.source
                        ),
                        texts: source.source.to_paste(),
                    });
                    let secrets = source.hook_secrets.clone();
                    hooks.insert(
                        source.key.clone(),
                        HookSource {
                            kind: source.kind,
                            receiver,
                            secrets,
                        },
                    );
                }
            }
            for integration in &tenant.integrations {
                let Some(context) = by_key.get(&integration.key) else {
                    continue;
                };
                portals.insert(context.portal.key.clone(), Arc::clone(&context.portal));
                overview.integrations.push(IntegrationOverview {
                    key: integration.key.clone(),
                    crm: crm_of(tenant, integration),
                    portal: context.portal.key.clone(),
                    activity: integration.activity,
                    settings_revision: context.settings_revision,
                });
                for (source, kind) in &integration.takes {
                    let capabilities = context.adapter.capabilities();
                    let able = &capabilities.phases;
                    let wanted = rules::wanted_phases(*kind, &integration.settings);
                    let phases = wanted
                        .into_iter()
                        .filter(|phase| able.contains(&(*kind, *phase)))
                        .collect();
                    let taker = Taker {
                        integration: integration.key.clone(),
                        portal: context.portal.key.clone(),
                        phases,
                        recordings: able.contains(&(Kind::Call, Phase::RecordingReady)),
                        files: capabilities.calls.recording_way != RecordingWay::Link,
                        off: integration.activity == Activity::Off,
                    };
                    routing.add(
                        SourceKey::new(tenant.id.clone(), source.clone()),
                        *kind,
                        taker,
                    );
                }
            }
        }
        overview.portals = portals.into_values().collect();
        for ((tenant, account), running) in &self.accounts {
            let of_tenant = new.tenants.iter().find(|known| known.id == *tenant);
            let employees = of_tenant.map(|tenant| tenant.employees.clone());
            overview.accounts.push(AccountOverview {
                employees: Arc::new(employees.unwrap_or_default()),
                tenant: tenant.clone(),
                account: account.clone(),
                portal: running.portal.key.clone(),
                adapter: Arc::clone(&running.adapter),
                book: Arc::clone(running.portal.book()),
                shown: shown(new, tenant, account),
            });
        }
        overview.deals = self.deals.shown(new);
        overview.discoverable = discoverable(new);
        overview.rosters = rosters(new);
        overview.off = what_is_off(new);
        overview.webhooks = super::webhooks::of(new, &by_key);
        overview
            .off
            .extend(super::webhooks::clicks_off(new, &by_key));
        let settings = new.tenants.iter().flat_map(super::rehearsing::candidates);
        overview.settings = settings.collect();
        let public_url = new.daemon.public_url.as_ref();
        overview.public_url = public_url.map(|url| url.as_str().trim_end_matches('/').to_owned());
        let table = contexts
            .iter()
            .map(|(_, context)| (context.key.clone(), Arc::clone(&context.portal)))
            .collect();
        self.shared.portals.store(Arc::new(table));
        self.shared.recordings.configure(new);
        let takes = new.tenants.iter().flat_map(|tenant| &tenant.integrations);
        self.shared
            .passing
            .replace(takes.filter_map(|one| Some((*by_key.get(&one.key)?, one.takes.as_slice()))));
        self.shared.desk.replace(desk_table(new));
        self.shared.questions.apply(new);
        self.shared.installations.apply(new);
        let door = ClickDoor {
            desk: Arc::clone(&self.shared.desk),
            store: self.shared.store.clone(),
            clock: Arc::clone(&self.shared.clock),
        };
        let crm_hooks =
            super::sync_child::crm_hooks(new, &by_key, &self.deals, &self.clicks, &door);
        let told = crm_hooks
            .iter()
            .filter(|(_, hook)| !hook.secrets.is_empty());
        overview.doors.extend(told.map(|(key, hook)| OutsideDoor {
            path: format!("/crm/{}/{}/{}/", hook.kind, key.tenant, key.integration),
            of: DoorOwner::Integration(key.clone()),
            texts: Vec::new(),
        }));
        self.shared.overview.store(Arc::new(overview));
        self.shared.intake.routing.store(Arc::new(routing));
        self.shared.crm_hooks.store(Some(Arc::new(crm_hooks)));
        // Last: whoever is let in to post must find out who takes it.
        self.shared.hooks.store(Some(Arc::new(hooks)));
    }

    /// Seats an integration: a living actor goes on with the new settings, its work is kept. Returns
    /// one that has no actor yet.
    fn seat(&mut self, fingerprint: Fingerprint, context: IntegrationContext) -> Option<NewOne> {
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
    fn begin(&mut self, new: NewOne, filled: watch::Receiver<bool>) {
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

    fn start_source(&mut self, source: &SourceConfig) {
        if self.sources.contains_key(&source.key) {
            return;
        }
        let supervised = source.source.listener().map(|listener| {
            let child = SourceChild {
                key: source.key.clone(),
                listener,
                sink: Arc::new(SourceSink::new(
                    source.key.clone(),
                    self.shared.intake.clone(),
                )),
                clock: Arc::clone(&self.shared.clock),
                board: Arc::clone(&self.shared.board),
                arbiter: self.shared.session_arbiter.clone(),
                known: self.shared.questions.desk.clone(),
            };
            supervise(
                child,
                Arc::clone(&self.shared.board),
                Arc::clone(&self.shared.clock),
            )
        });
        let fingerprint = source.fingerprint.clone();
        self.sources.insert(
            source.key.clone(),
            RunningSource {
                fingerprint,
                supervised,
            },
        );
    }

    /// Ends sources first (nothing new comes), then integrations, then accounts; those of one
    /// sort together, since each may take its time.
    pub(super) async fn stop(self) {
        if let Some(filling) = self.filling {
            filling.abort();
        }
        let sources = self.sources.into_values();
        join_all(
            sources
                .filter_map(|source| source.supervised)
                .map(Supervised::stop),
        )
        .await;
        let integrations = self.integrations.into_values();
        join_all(integrations.map(|integration| integration.supervised.stop())).await;
        self.clicks.stop().await;
        self.deals.stop().await;
        self.syncs.stop().await;
        let accounts = self.accounts.into_values();
        join_all(accounts.map(|account| account.setup.stop())).await;
        for keeper in self.keepers {
            keeper.abort();
        }
    }
}

/// Stores a token that the configuration names, when it is another than the stored one.
async fn store_token(
    vault: &dyn TokenVault,
    token: &crate::model::secret::Secret,
) -> Result<(), AssemblyError> {
    let failed = |error: crate::crm::VaultError| AssemblyError::Account {
        account: "credentials".to_owned(),
        why: error.to_string(),
    };
    // One that cannot be read any more is replaced.
    let stored = vault.load().await.unwrap_or_default();
    if stored.as_ref() != Some(token) {
        vault.save(token.clone()).await.map_err(failed)?;
    }
    Ok(())
}

/// Returns the sources in which an administrator can look around.
fn discoverable(new: &Configuration) -> Vec<Discoverable> {
    let of_tenant = |tenant: &Tenant| {
        let employees = Arc::new(tenant.employees.clone());
        let place = |source: &SourceConfig| {
            Some(Discoverable {
                key: source.key.clone(),
                discoverer: source.source.discoverer()?,
                employees: Arc::clone(&employees),
            })
        };
        tenant.sources.iter().filter_map(place).collect::<Vec<_>>()
    };
    new.tenants.iter().flat_map(of_tenant).collect()
}

/// Returns the sources that can list their people.
fn rosters(new: &Configuration) -> Vec<RosterPlace> {
    let of_tenant = |tenant: &Tenant| {
        let employees = Arc::new(tenant.employees.clone());
        let place = |source: &SourceConfig| {
            Some(RosterPlace {
                key: source.key.clone(),
                reader: source.source.roster()?,
                employees: Arc::clone(&employees),
            })
        };
        tenant.sources.iter().filter_map(place).collect::<Vec<_>>()
    };
    new.tenants.iter().flat_map(of_tenant).collect()
}

/// Says who may place calls where.
fn desk_table(new: &Configuration) -> DeskTable {
    let mut table = DeskTable::default();
    for tenant in &new.tenants {
        let permit = CallPermit {
            region: tenant.region,
            call_regions: tenant.call_regions.clone(),
        };
        let desk_tenant = DeskTenant {
            permit,
            employees: Arc::new(tenant.employees.clone()),
        };
        table.tenants.insert(tenant.id.clone(), desk_tenant);
        let sources = tenant.sources.iter();
        let callers = sources.map(|source| (source.key.clone(), source.source.caller()));
        table.sources.extend(callers);
    }
    table
}

/// Returns what administrators call an account.
fn shown(new: &Configuration, tenant: &TenantId, account: &AccountId) -> AccountShown {
    let found = new
        .tenant(tenant)
        .and_then(|tenant| tenant.account(account));
    found.map_or_else(AccountShown::default, |found| AccountShown {
        crm: found.crm.to_owned(),
        title: found.name.clone(),
        address: found.settings.address(),
        workplace: found.settings.workplace().cloned(),
    })
}

/// Returns what decisions of an integration rest on.
pub(super) fn basis(tenant: &Tenant, integration: &IntegrationConfig) -> Basis {
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

fn crm_of(tenant: &Tenant, integration: &IntegrationConfig) -> String {
    tenant
        .accounts
        .iter()
        .find(|account| account.id == integration.account)
        .map(|account| account.crm.to_owned())
        .unwrap_or_default()
}

/// Names what cannot work as configured.
fn what_is_off(configuration: &Configuration) -> Vec<Off> {
    let mut off = Vec::new();
    if configuration.daemon.public_url.is_none() {
        off.push(Off {
            what: "recording links in call history".to_owned(),
            why: "public_url is not set: entries go without a link; CRMs that take files are \
                  handed them"
                .to_owned(),
        });
        off.push(Off {
            what: "webhooks of CRMs and authorisation by redirect".to_owned(),
            why: "public_url is not set: tokens and codes are pasted".to_owned(),
        });
    }
    off
}

/// Returns a journal line about a reload.
pub(super) fn reload_note(now: crate::model::timestamp::Timestamp, text: String) -> JournalNote {
    JournalNote {
        at: now,
        tenant: None,
        source: None,
        integration: None,
        communication: None,
        word: "reload".to_owned(),
        text,
    }
}

/// Returns the CRMs of this build, for those who add an account.
fn crms() -> Vec<CrmOverview> {
    let kinds = crate::crm::registry::KINDS.iter();
    kinds
        .map(|kind| CrmOverview {
            crm: kind.name,
            form: kind.credential,
        })
        .collect()
}
