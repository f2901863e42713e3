//! The sync of a portal's directory as the supervisor sees it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::FutureExt;

use crate::config::{AccountConfig, Configuration, Fingerprint, IntegrationConfig};
use crate::crm::{Adapter, DirectorySettings, HookAddress};
use crate::directory::sync::{DirectorySync, SyncReport};
use crate::intake::crm_hooks::CrmHook;
use crate::integration::portal::Portal;
use crate::integration::status::StatusBoard;
use crate::model::activity::Activity;
use crate::model::ids::{AccountId, IntegrationKey, PortalKey, TenantId};
use crate::model::secret::Secret;
use crate::store::directory::DirectoryState;

use super::assembly::Shared;
use super::clicks::ClickDoor;
use super::clicks_child::ClickChildren;
use super::deals_child::DealChildren;
use super::keeping_child::{BoardPlace, Children, keep};
use super::webhooks::Contexts;

/// A portal whose directory is to be kept.
struct Wanted {
    key: SyncKey,
    settings: DirectorySettings,
    account: (TenantId, AccountId),
}

/// What a sync depends on: another one needs another sync.
type SyncKey = (Fingerprint, Option<HookAddress>);

/// The syncs that run, one a portal.
#[derive(Default)]
pub(super) struct Syncs(Children<PortalKey, SyncKey>);

impl Syncs {
    /// Ends the syncs whose portal or account is configured no more, or otherwise.
    pub(super) async fn stop_what_goes(&mut self, new: &Configuration, board: &StatusBoard) {
        let wanted = wanted(new);
        let key = |portal: &PortalKey| wanted.get(portal).map(|wanted| &wanted.key);
        self.0.stop_what_goes(key, board).await;
    }

    /// Begins the syncs that do not run yet. `account` finds what an account runs with.
    pub(super) fn begin(
        &mut self,
        new: &Configuration,
        shared: &Shared,
        account: impl Fn(&(TenantId, AccountId)) -> Option<(Arc<dyn Adapter>, Arc<Portal>)>,
    ) {
        for (key, wanted) in wanted(new) {
            if self.0.has(&key) {
                continue;
            }
            let Some((adapter, portal)) = account(&wanted.account) else {
                continue;
            };
            // Work that begins before the sync does finds a picture on its way.
            portal.freshness().expect();
            let place = BoardPlace::new(shared, format!("directory {key}"));
            let sync = DirectorySync {
                portal: key.clone(),
                adapter,
                settings: wanted.settings,
                hook: wanted.key.1.clone(),
                store: shared.store.clone(),
                clock: Arc::clone(&shared.clock),
                freshness: Arc::clone(portal.freshness()),
                report: Arc::new(place.clone()),
            };
            let supervised = keep(shared, place, move |stop| {
                let sync = sync.clone();
                async move { sync.run(stop).await }.boxed_local()
            });
            self.0.begun(key, wanted.key, vec![supervised]);
        }
    }

    /// Ends all of them.
    pub(super) async fn stop(self) {
        self.0.stop().await;
    }
}

/// Returns the portals whose directory is to be kept: those that an integration works in. Where
/// several accounts lead to one portal, the first of them reads it.
fn wanted(new: &Configuration) -> BTreeMap<PortalKey, Wanted> {
    let mut wanted = BTreeMap::new();
    for tenant in &new.tenants {
        for account in &tenant.accounts {
            let mut of_account = tenant.integrations.iter();
            let works = of_account.find(|integration| {
                integration.account == account.id && integration.activity != Activity::Off
            });
            let (Some(settings), Some(works)) = (account.settings.directory(), works) else {
                continue;
            };
            let hook = hook_of(new, works, account);
            let key = account.settings.portal();
            wanted.entry(key).or_insert_with(|| Wanted {
                key: (account.fingerprint.clone(), hook),
                settings,
                account: (tenant.id.clone(), account.id.clone()),
            });
        }
    }
    wanted
}

/// Returns which account may tell of changes, under the name of which integration.
pub(super) fn crm_hooks(
    new: &Configuration,
    running: &Contexts<'_>,
    deals: &DealChildren,
    clicks: &ClickChildren,
    door: &ClickDoor,
) -> HashMap<IntegrationKey, CrmHook> {
    let mut hooks = HashMap::new();
    for tenant in &new.tenants {
        for integration in &tenant.integrations {
            let mut accounts = tenant.accounts.iter();
            let account = accounts.find(|account| account.id == integration.account);
            let (Some(account), Some(context)) = (account, running.get(&integration.key)) else {
                continue;
            };
            let freshness = Arc::clone(context.portal.freshness());
            let settings = Arc::clone(&account.settings);
            let asked_for_clicks = clicks.wake_of(&context.portal.key);
            let hook = CrmHook {
                kind: account.crm,
                secrets: account.hook_secrets.clone(),
                told: Arc::new(move |kind, body| {
                    if settings.tells_of_clients(kind, body) {
                        freshness.wish_soon();
                    }
                    asked_for_clicks.notify_one();
                }),
                deals: deals.keeper(new, account),
                asks: door.answerer(tenant, integration, context),
            };
            hooks.insert(integration.key.clone(), hook);
        }
    }
    hooks
}

/// Returns the address at which the account's CRM is to tell of changes, where it can reach us.
pub(super) fn hook_of(
    new: &Configuration,
    integration: &IntegrationConfig,
    account: &AccountConfig,
) -> Option<HookAddress> {
    let public_url = new
        .daemon
        .public_url
        .as_ref()?
        .as_str()
        .trim_end_matches('/');
    let secret = account.hook_secrets.first()?;
    let IntegrationKey {
        tenant,
        integration,
    } = &integration.key;
    let place = format!("{public_url}/crm/{}/{tenant}/{integration}/", account.crm);
    Some(HookAddress {
        address: Secret::new(format!("{place}{}", secret.expose())),
        place,
    })
}

impl SyncReport for BoardPlace {
    fn state(&self, state: &DirectoryState) {
        let complete = if state.mark.is_some() { 1.0 } else { 0.0 };
        let read = state.pass.as_ref().map_or(0, |pass| pass.read);
        let gauges = [
            ("directory_complete", complete),
            ("directory_records_being_read", read as f64),
        ];
        self.show(state.complete_as_of, &gauges);
    }

    fn trouble(&self, why: &str) {
        BoardPlace::trouble(self, why);
    }
}
