//! Turns a configuration into running parts, and a changed configuration into the smallest
//! change of them: what did not change is not touched.

mod accounts;
mod integrations;
mod publication;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use actix::ArbiterHandle;
use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::sync::watch;

use crate::admin::state::Overview;
use crate::clock::SharedClock;
use crate::config::{Configuration, Fingerprint, SourceConfig};
use crate::intake::crm_hooks::CrmHookTable;
use crate::intake::http::HookTable;
use crate::intake::sink::{Intake, SourceSink};
use crate::integration::context::IntegrationContext;
use crate::integration::handle::SharedHandles;
use crate::integration::notices::NoticeDesk;
use crate::integration::passing::PassingDesk;
use crate::integration::status::StatusBoard;
use crate::integration::supervisor::{Supervised, supervise};
use crate::model::ids::{AccountId, IntegrationKey, PortalKey, SourceKey, TenantId};
use crate::pbx::call_desk::CallDesk;
use crate::store::StoreHandle;

use self::accounts::RunningAccount;
use self::integrations::RunningIntegration;
pub(super) use self::integrations::basis;
use super::clicks_child::ClickChildren;
use super::deals_child::DealChildren;
use super::installations::Installations;
use super::lane_filling::Filling;
use super::messenger::Post;
use super::pairs::Pairs;
use super::questions::Questions;
use super::recording_child::Recordings;
use super::source_child::{SourceChild, board_name};
use super::sync_child::Syncs;
use super::waker::PortalTable;

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
