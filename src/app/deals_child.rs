//! The deals of integrations as the supervisor sees them: one child reads, another passes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::Value;

use crate::admin::state::DealPlaceOverview;
use crate::config::{AccountConfig, Configuration, Fingerprint, IntegrationConfig, Tenant};
use crate::crm::{Adapter, HookAddress};
use crate::deals::pull::{DealPuller, DealWishes, PullReport};
use crate::deals::upload::DealUploader;
use crate::intake::crm_hooks::KeepHint;
use crate::integration::status::StatusBoard;
use crate::model::activity::Activity;
use crate::model::deal_settings::DealSettings;
use crate::model::ids::{AccountId, IntegrationKey, SourceKey, TenantId};
use crate::pbx::DealTaker;
use crate::store::StoreHandle;
use crate::store::deals::DealPull;

use super::assembly::Shared;
use super::keeping_child::{BoardPlace, Children, keep};
use super::sync_child::hook_of;

/// How long a webhook is kept waiting for the disk: the most impatient CRM gives up after two
/// seconds (`crm/amocrm.md` §14).
const HINT_WITHIN: Duration = Duration::from_secs(1);

/// What the children of an integration depend on: others need others.
#[derive(Clone, PartialEq)]
struct DealsKey {
    account: Fingerprint,
    settings: Value,
    hook: Option<HookAddress>,
    source: Option<Fingerprint>,
}

/// The deals that are kept in step, by integration.
pub(super) struct DealChildren {
    store: StoreHandle,
    /// Of every integration that ever had deals: a wish outlives a reload.
    wishes: BTreeMap<IntegrationKey, Arc<DealWishes>>,
    running: Children<IntegrationKey, DealsKey>,
}

/// An integration whose deals are to be read.
struct Wanted<'a> {
    key: DealsKey,
    settings: &'a DealSettings,
    tenant: &'a Tenant,
    account: (TenantId, AccountId),
}

impl DealChildren {
    pub(super) fn new(store: StoreHandle) -> Self {
        Self {
            store,
            wishes: BTreeMap::new(),
            running: Children::default(),
        }
    }

    /// Learns which integrations have deals.
    pub(super) fn know(&mut self, new: &Configuration) {
        for (integration, _) in with_deals(new) {
            self.wishes.entry(integration.key.clone()).or_default();
        }
    }

    /// Ends what is configured no more, or otherwise.
    pub(super) async fn stop_what_goes(&mut self, new: &Configuration, board: &StatusBoard) {
        let wanted = wanted(new);
        let key = |of: &IntegrationKey| wanted.get(of).map(|wanted| &wanted.key);
        self.running.stop_what_goes(key, board).await;
    }

    /// Begins what does not run yet. `account` finds what an account runs with.
    pub(super) fn begin(
        &mut self,
        new: &Configuration,
        shared: &Shared,
        account: impl Fn(&(TenantId, AccountId)) -> Option<Arc<dyn Adapter>>,
    ) {
        for (key, wanted) in wanted(new) {
            if self.running.has(&key) {
                continue;
            }
            let Some(adapter) = account(&wanted.account) else {
                continue;
            };
            let wishes = Arc::clone(self.wishes.entry(key.clone()).or_default());
            let place = BoardPlace::new(shared, board_name(&key));
            let puller = DealPuller {
                integration: key.clone(),
                adapter,
                settings: wanted.settings.clone(),
                hook: wanted.key.hook.clone(),
                store: shared.store.clone(),
                clock: Arc::clone(&shared.clock),
                wishes: Arc::clone(&wishes),
                report: Arc::new(place.clone()),
            };
            let mut all = vec![keep(shared, place, move |stop| {
                let puller = puller.clone();
                async move { puller.run(stop).await }.boxed_local()
            })];
            if let Some((source, taker)) = taker(&wanted) {
                let place = BoardPlace::new(shared, format!("deals {key} to {source}"));
                let trouble = place.clone();
                let uploader = DealUploader {
                    integration: key.clone(),
                    source,
                    taker,
                    store: shared.store.clone(),
                    clock: Arc::clone(&shared.clock),
                    wishes,
                    trouble: Arc::new(move |why| trouble.trouble(why)),
                };
                all.push(keep(shared, place, move |stop| {
                    let uploader = uploader.clone();
                    async move { uploader.run(stop).await }.boxed_local()
                }));
            }
            self.running.begun(key, wanted.key, all);
        }
    }

    /// Ends all of them.
    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    /// Returns what administrators see.
    pub(super) fn shown(&self, new: &Configuration) -> Vec<DealPlaceOverview> {
        let shown = |(integration, settings): (&IntegrationConfig, &DealSettings)| {
            let tenant = new.tenant(&integration.key.tenant)?;
            let source = settings.upload_to.clone();
            let account = tenant.account(&integration.account);
            let by_hand = account.and_then(|account| account.settings.deal_hooks_by_hand());
            let hook = account.and_then(|one| hook_of(new, integration, one));
            Some(DealPlaceOverview {
                hooks_by_hand: by_hand,
                hook_place: hook.map(|hook| hook.place),
                key: integration.key.clone(),
                name: integration.name.clone(),
                on: settings.on && integration.activity != Activity::Off,
                columns: settings.columns.clone(),
                time_zone: tenant.time_zone.iana_name().unwrap_or("UTC").to_owned(),
                language: tenant.language,
                upload_to: source.map(|source| SourceKey::new(tenant.id.clone(), source)),
                wishes: Arc::clone(self.wishes.get(&integration.key)?),
            })
        };
        with_deals(new).filter_map(shown).collect()
    }

    /// Returns what keeps the hints of an account's webhooks, for every integration that receives
    /// deals of its portal.
    pub(super) fn keeper(&self, new: &Configuration, account: &AccountConfig) -> Option<KeepHint> {
        let portal = account.settings.portal();
        let of_portal = wanted(new).into_iter().filter(|(_, wanted)| {
            let own = wanted.tenant.account(&wanted.account.1);
            own.is_some_and(|own| own.settings.portal() == portal)
        });
        let places: Vec<(IntegrationKey, Arc<DealWishes>)> = of_portal
            .filter_map(|(key, _)| Some((key.clone(), Arc::clone(self.wishes.get(&key)?))))
            .collect();
        if places.is_empty() {
            return None;
        }
        let (settings, store) = (Arc::clone(&account.settings), self.store.clone());
        let places = Arc::new(places);
        Some(Arc::new(move |kind, body| {
            let deals = settings.deal_hints(kind.as_deref(), &body);
            // Who only tells of deals has to name one.
            let is_known = !deals.is_empty() || settings.tells_of_clients(kind.as_deref(), &body);
            let (store, places) = (store.clone(), Arc::clone(&places));
            async move {
                if deals.is_empty() {
                    return is_known;
                }
                let kept = places.iter().map(|(integration, wishes)| {
                    keep_hint(&store, integration, wishes, deals.clone())
                });
                join_all(kept).await;
                true
            }
            .boxed()
        }))
    }
}

/// Keeps a hint. Where the disk does not take it in time, what changed is read instead.
async fn keep_hint(
    store: &StoreHandle,
    integration: &IntegrationKey,
    wishes: &DealWishes,
    deals: Vec<String>,
) {
    let kept = store.hint_deals(integration.clone(), deals);
    match tokio::time::timeout(HINT_WITHIN, kept).await {
        Ok(Ok(())) => wishes.stored(),
        Ok(Err(error)) => {
            tracing::warn!(%integration, %error, "a hint at a deal was not kept");
            wishes.read_now();
        }
        Err(_) => wishes.read_now(),
    }
}

/// Returns the integrations that have settings of deals.
fn with_deals(new: &Configuration) -> impl Iterator<Item = (&IntegrationConfig, &DealSettings)> {
    let integrations = new.tenants.iter().flat_map(|tenant| &tenant.integrations);
    integrations.filter_map(|one| Some((one, one.settings.deals.as_ref()?)))
}

fn wanted(new: &Configuration) -> BTreeMap<IntegrationKey, Wanted<'_>> {
    let mut wanted = BTreeMap::new();
    for (integration, settings) in with_deals(new) {
        let tenant = new.tenant(&integration.key.tenant);
        let Some((tenant, account)) =
            tenant.and_then(|tenant| Some((tenant, tenant.account(&integration.account)?)))
        else {
            continue;
        };
        if integration.activity == Activity::Off || !settings.on {
            continue;
        }
        // Where the directory is kept, its sync has the CRM tell of changes.
        let hook = match account.settings.directory() {
            Some(_) => None,
            None => hook_of(new, integration, account),
        };
        let source = settings.upload_to.as_ref().and_then(|id| tenant.source(id));
        let key = DealsKey {
            account: account.fingerprint.clone(),
            // Plain choices: they always turn into JSON.
            settings: serde_json::to_value(settings).unwrap_or_default(),
            hook,
            // One that observes passes nothing on.
            source: source
                .filter(|_| integration.activity == Activity::On)
                .map(|source| source.fingerprint.clone()),
        };
        wanted.insert(
            integration.key.clone(),
            Wanted {
                key,
                settings,
                tenant,
                account: (tenant.id.clone(), account.id.clone()),
            },
        );
    }
    wanted
}

/// Returns who takes the deals.
fn taker(wanted: &Wanted<'_>) -> Option<(SourceKey, Arc<dyn DealTaker>)> {
    wanted.key.source.as_ref()?;
    let source = wanted.tenant.source(wanted.settings.upload_to.as_ref()?)?;
    Some((source.key.clone(), source.source.deal_taker()?))
}

/// Returns the name under which the reading stands on the board.
pub(super) fn board_name(key: &IntegrationKey) -> String {
    format!("deals {key}")
}

impl PullReport for BoardPlace {
    fn state(&self, pull: &DealPull) {
        self.show(pull.complete_as_of, &[]);
    }

    fn trouble(&self, why: &str) {
        BoardPlace::trouble(self, why);
    }
}
