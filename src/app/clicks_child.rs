//! Clicks on numbers in CRMs, as the supervisor sees them: they are fetched, and each is a call
//! that is placed at once or never.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::clock::SharedClock;
use crate::config::{AccountConfig, Configuration, Fingerprint, IntegrationConfig, Tenant};
use crate::crm::{Adapter, Click, Clicks, HookAddress};
use crate::integration::status::StatusBoard;
use crate::model::activity::Activity;
use crate::model::call_order::CRM_CLICK;
use crate::model::click_to_call::ClickToCallSettings;
use crate::model::employee::Employees;
use crate::model::ids::{
    AccountId, CommunicationKey, EmployeeId, IntegrationKey, PortalKey, SourceId, SourceKey,
    TenantId,
};
use crate::model::outcome::Outcome;
use crate::pbx::OrderError;
use crate::pbx::call_desk::{CallDesk, DeskError, Manner};
use crate::store::command::JournalNote;
use crate::store::{StoreError, StoreHandle};

use super::assembly::Shared;
use super::clicks::places;
use super::keeping_child::{BoardPlace, Children, keep};
use super::sync_child::hook_of;

/// How often clicks are asked for: whoever clicked looks at a telephone.
const EVERY: Duration = Duration::from_secs(3);

/// The shortest pause between two questions, however often somebody knocks.
const AT_LEAST: Duration = Duration::from_millis(500);

/// The longest pause while the CRM does not answer.
const LONGEST: Duration = Duration::from_secs(60);

/// A click that is older is not dialled: whoever clicked has done something else by now.
const DIALLED_WITHIN: Duration = Duration::from_secs(15);

/// What a child depends on: another one needs another child.
type ClickKey = (Fingerprint, Option<HookAddress>);

/// The children, one a portal.
#[derive(Default)]
pub(super) struct ClickChildren {
    running: Children<PortalKey, ClickKey>,
    /// Has a portal asked at once. Outlives reloads.
    wakes: Mutex<BTreeMap<PortalKey, Arc<Notify>>>,
}

/// A portal whose clicks are to be fetched.
struct Wanted<'a> {
    key: ClickKey,
    tenant: &'a Tenant,
    integration: &'a IntegrationConfig,
    settings: &'a ClickToCallSettings,
}

impl ClickChildren {
    /// Returns what has a portal asked at once.
    pub(super) fn wake_of(&self, portal: &PortalKey) -> Arc<Notify> {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(portal.clone()).or_default())
    }

    /// Ends the children whose integration is configured no more, or otherwise.
    pub(super) async fn stop_what_goes(&mut self, new: &Configuration, board: &StatusBoard) {
        let wanted = wanted(new);
        let key = |portal: &PortalKey| wanted.get(portal).map(|wanted| &wanted.key);
        self.running.stop_what_goes(key, board).await;
    }

    /// Begins the children that do not run yet. `account` finds what an account runs with.
    pub(super) fn begin(
        &mut self,
        new: &Configuration,
        shared: &Shared,
        account: impl Fn(&(TenantId, AccountId)) -> Option<Arc<dyn Adapter>>,
    ) {
        for (portal, wanted) in wanted(new) {
            if self.running.has(&portal) {
                continue;
            }
            let of = (wanted.tenant.id.clone(), wanted.integration.account.clone());
            let Some(adapter) = account(&of) else {
                continue;
            };
            if adapter.clicks().is_none() {
                continue;
            }
            let place = BoardPlace::new(shared, format!("clicks {portal}"));
            let child = Arc::new(ClickChild {
                adapter,
                integration: wanted.integration.key.clone(),
                account: of.1,
                settings: wanted.settings.clone(),
                sources: places(wanted.tenant, wanted.integration),
                employees: wanted.tenant.employees.clone(),
                hook: wanted.key.1.clone(),
                desk: Arc::clone(&shared.desk),
                store: shared.store.clone(),
                clock: Arc::clone(&shared.clock),
                wake: self.wake_of(&portal),
                place: place.clone(),
            });
            let supervised = keep(shared, place, move |stop| {
                let child = Arc::clone(&child);
                async move { child.run(stop).await }.boxed_local()
            });
            self.running.begun(portal, wanted.key, vec![supervised]);
        }
    }

    /// Ends all of them.
    pub(super) async fn stop(self) {
        self.running.stop().await;
    }
}

/// Returns the portals whose clicks are calls: an integration that is on says so. Where several say
/// so of one portal, the first of them has its clicks.
fn wanted(new: &Configuration) -> BTreeMap<PortalKey, Wanted<'_>> {
    let mut wanted = BTreeMap::new();
    for tenant in &new.tenants {
        for integration in &tenant.integrations {
            let of = |account: &&AccountConfig| account.id == integration.account;
            let (Activity::On, Some(settings), Some(account)) = (
                integration.activity,
                &integration.settings.click_to_call,
                tenant.accounts.iter().find(of),
            ) else {
                continue;
            };
            if !settings.on {
                continue;
            }
            let hook = hook_of(new, integration, account);
            wanted
                .entry(account.settings.portal())
                .or_insert_with(|| Wanted {
                    key: (integration.fingerprint.clone(), hook),
                    tenant,
                    integration,
                    settings,
                });
        }
    }
    wanted
}

/// Places the calls of one portal's clicks.
struct ClickChild {
    adapter: Arc<dyn Adapter>,
    integration: IntegrationKey,
    account: AccountId,
    settings: ClickToCallSettings,
    /// The sources that may place the calls, in order.
    sources: Vec<SourceId>,
    employees: Employees,
    hook: Option<HookAddress>,
    desk: Arc<CallDesk>,
    store: StoreHandle,
    clock: SharedClock,
    wake: Arc<Notify>,
    place: BoardPlace,
}

/// Whose call was placed, by which source, and what it will be called.
type Placed = (EmployeeId, SourceKey, Option<CommunicationKey>);

/// Why no call comes of a click.
#[derive(Debug, thiserror::Error)]
enum NoCall {
    /// It is old.
    #[error("the click is {age_s} s old: nobody waits for it any more")]
    Old {
        /// Its age.
        age_s: u64,
    },
    /// Nobody of ours clicked.
    #[error("user {0} of the CRM is no employee of the company: write the user to one")]
    Stranger(String),
    /// No source has the employee.
    #[error("{0} has no extension at a source that places calls")]
    NoSource(EmployeeId),
    /// Nobody is to call back.
    #[error("a client asks to be called back, and click_to_call.callback names nobody who does")]
    NoCallback,
    /// The desk says no.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl ClickChild {
    async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        tokio::select! {
            ended = self.live() => ended,
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        }
    }

    async fn live(&self) -> Result<(), StoreError> {
        let Some(clicks) = self.adapter.clicks() else {
            return Ok(());
        };
        let mut subscribed = self.hook.is_none();
        let mut pause = EVERY;
        loop {
            let asked = Instant::now();
            if let (false, Some(hook)) = (subscribed, &self.hook) {
                // Without it they are found by asking.
                match clicks.subscribe(hook.clone()).await {
                    Outcome::Done(()) | Outcome::Rejected(_) => subscribed = true,
                    other => tracing::debug!(?other, "clicks are not told yet"),
                }
            }
            match clicks.clicks().await {
                Outcome::Done(found) => {
                    pause = EVERY;
                    self.place.show(Some(self.clock.now()), &[]);
                    let taken = found.into_iter().map(|click| self.take(clicks, click));
                    for noted in join_all(taken).await {
                        noted?;
                    }
                }
                failed => {
                    let why = words(failed);
                    tracing::debug!(why, "clicks cannot be fetched");
                    self.place
                        .trouble(&format!("clicks in the CRM are not seen: {why}"));
                    pause = pause.saturating_mul(2).min(LONGEST);
                }
            }
            tokio::select! {
                () = self.wake.notified() => {
                    tokio::time::sleep_until(asked + AT_LEAST).await;
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Has the call of a click placed, and says in the journal what came of it.
    async fn take(&self, clicks: &dyn Clicks, click: Click) -> Result<(), StoreError> {
        let who = click
            .user
            .as_ref()
            .map_or("a callback form", |user| user.0.as_str());
        let who = format!("{who} ({})", self.integration.integration);
        let (text, source, communication) = match self.call(&click).await {
            Ok((employee, source, communication)) => {
                let text =
                    format!("a call of {employee} was placed, asked for in the CRM by {who}");
                (text, Some(source), communication)
            }
            Err(why) => {
                let text = format!("a call was not placed, asked for in the CRM by {who}: {why}");
                self.place.trouble(&text);
                // One that may be on its way ends by itself.
                let is_unclear = matches!(why, NoCall::Desk(DeskError::Order(OrderError::Unclear)));
                if !is_unclear {
                    let told = clicks.give_up(click, why.to_string()).await;
                    if !matches!(told, Outcome::Done(())) {
                        tracing::warn!(why = words(told), "a click stays open in the CRM");
                    }
                }
                (text, None, None)
            }
        };
        tracing::info!(integration = %self.integration, text, "click");
        self.store
            .note(JournalNote {
                at: self.clock.now(),
                tenant: Some(self.integration.tenant.clone()),
                source,
                integration: Some(self.integration.clone()),
                communication,
                word: "click_to_call".to_owned(),
                text,
            })
            .await
    }

    /// Returns the first source that may place the call and has the employee.
    fn source(&self, employee: &EmployeeId) -> Option<SourceKey> {
        let employee = self.employees.get(employee)?;
        let has = |source: &&SourceId| {
            let mut extensions = employee.extensions.iter();
            extensions.any(|one| one.source == **source)
        };
        let source = self.sources.iter().find(has)?;
        let tenant = self.integration.tenant.clone();
        Some(SourceKey::new(tenant, source.clone()))
    }

    async fn call(&self, click: &Click) -> Result<Placed, NoCall> {
        let age = self.clock.now().since(click.at);
        if age > DIALLED_WITHIN {
            return Err(NoCall::Old {
                age_s: age.as_secs(),
            });
        }
        let employee = match (&click.user, &self.settings.callback) {
            (Some(user), _) => {
                let found = self.employees.by_user(&self.account, user);
                let found = found.ok_or_else(|| NoCall::Stranger(user.0.clone()))?;
                found.id.clone()
            }
            (None, Some(callback)) => callback.clone(),
            (None, None) => return Err(NoCall::NoCallback),
        };
        let manner = Manner {
            name: Some(format!("{CRM_CLICK}{}", click.name)),
            shown: self.settings.shown(),
        };
        let source = self
            .source(&employee)
            .ok_or_else(|| NoCall::NoSource(employee.clone()))?;
        let placed = self
            .desk
            .place_so(&source, &employee, &click.phone, manner)
            .await?;
        Ok((employee, source, placed.ordered.communication))
    }
}

fn words<T>(outcome: Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => String::new(),
        Outcome::NotApplied(not_applied) => not_applied.why,
        Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => why,
        Outcome::Rejected(rejection) => rejection.message,
    }
}
