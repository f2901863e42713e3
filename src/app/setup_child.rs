//! Reads what an account is made of and sets up what we need there: after every start, tried again
//! until the CRM answers, then once a day and where a field proved wrong.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

use crate::admin::state::Overview;
use crate::clock::SharedClock;
use crate::crm::account::status::description_row;
use crate::crm::{AccountBook, Adapter, DescribedAccount, Outside};
use crate::integration::portal::Portal;
use crate::integration::status::{Health, StatusBoard};
use crate::integration::supervisor::{Child, LifeEnd};
use crate::model::activity::Activity;
use crate::model::ids::{AccountId, PortalKey, TenantId};
use crate::model::outcome::Outcome;
use crate::model::timestamp::Timestamp;
use crate::store::StoreHandle;

use super::assembly::Shared;

/// How often a credential that time alone would end is seen after: amoCRM's pairs are renewed in
/// the last hour of their day.
const KEEP_EVERY: Duration = Duration::from_secs(20 * 60);

/// How old what an account is made of may grow before it is read again.
const READ_EVERY: Duration = Duration::from_secs(24 * 3600);

/// How soon it is read again at the earliest, where something in it proved wrong.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);

/// How often it is looked whether the outside reaches us elsewhere since a reload.
const OUTSIDE_LOOKED_AT: Duration = Duration::from_secs(2);

pub(super) struct SetupChild {
    name: String,
    adapter: Arc<dyn Adapter>,
    book: Arc<AccountBook>,
    row: PortalKey,
    store: StoreHandle,
    board: Arc<StatusBoard>,
    clock: SharedClock,
    outside: OutsideOf,
}

/// At which addresses the outside reaches us for an account, as it is configured now.
#[derive(Clone)]
struct OutsideOf {
    overview: Arc<ArcSwap<Overview>>,
    portal: PortalKey,
    crm: &'static str,
    tenant: TenantId,
    account: AccountId,
}

impl OutsideOf {
    /// Returns them; none where nothing is to be set up in the portal, or nobody reaches us.
    fn now(&self) -> Option<Outside> {
        let overview = self.overview.load();
        let mut integrations = overview.integrations.iter();
        integrations.find(|one| one.portal == self.portal && one.activity == Activity::On)?;
        let public_url = overview.public_url.as_deref()?;
        Some(Outside {
            installations: format!("{public_url}/crm/{}/install", self.crm),
            workplace: format!("{public_url}/workplace/{}/{}", self.tenant, self.account),
        })
    }
}

impl SetupChild {
    pub(super) fn new(
        crm: &'static str,
        tenant: &TenantId,
        account: &AccountId,
        adapter: Arc<dyn Adapter>,
        portal: &Portal,
        shared: &Shared,
    ) -> Self {
        Self {
            name: format!("account {tenant}/{account}"),
            adapter,
            book: Arc::clone(portal.book()),
            row: description_row(&portal.key),
            store: shared.store.clone(),
            board: Arc::clone(&shared.board),
            clock: Arc::clone(&shared.clock),
            outside: OutsideOf {
                overview: Arc::clone(&shared.overview),
                portal: portal.key.clone(),
                crm,
                tenant: tenant.clone(),
                account: account.clone(),
            },
        }
    }

    fn life(&self) -> Life {
        Life {
            name: self.name.clone(),
            adapter: Arc::clone(&self.adapter),
            book: Arc::clone(&self.book),
            row: self.row.clone(),
            store: self.store.clone(),
            board: Arc::clone(&self.board),
            clock: Arc::clone(&self.clock),
            outside: self.outside.clone(),
        }
    }
}

/// Keeps what an account is made of, so that it is known while the CRM does not answer.
pub(crate) async fn keep(store: &StoreHandle, row: PortalKey, described: &DescribedAccount) {
    let value = match serde_json::to_value(described) {
        Ok(value) => value,
        Err(error) => return tracing::warn!(%error, "account description not kept"),
    };
    if let Err(error) = store.put_account(row, value).await {
        // It is read again at the next start.
        tracing::warn!(%error, "account description not kept");
    }
}

/// One life of the child.
struct Life {
    name: String,
    adapter: Arc<dyn Adapter>,
    book: Arc<AccountBook>,
    row: PortalKey,
    store: StoreHandle,
    board: Arc<StatusBoard>,
    clock: SharedClock,
    outside: OutsideOf,
}

impl Life {
    /// Remembers what an earlier run kept.
    async fn remember(&self) {
        let stored = self.store.account(self.row.clone()).await.ok().flatten();
        // A row of another version is read anew.
        let kept = stored.and_then(|value| serde_json::from_value(value).ok());
        if let Some(kept) = kept {
            self.book.remember(kept);
        }
    }

    /// Reads the account; sets up what is missing there.
    async fn read(&self) -> Result<(), String> {
        let read = self.book.read(&*self.adapter, &*self.clock, Duration::ZERO);
        let described = match read.await {
            Outcome::Done(described) => described,
            Outcome::NotApplied(not_applied) => return Err(not_applied.why),
            Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => return Err(why),
            Outcome::Rejected(rejection) => {
                return Err(format!("{}: {}", rejection.code, rejection.message));
            }
        };
        let now = self.clock.now();
        let account = &described.account;
        self.board.set_health(&self.name, Health::Up, now);
        self.board.update(&self.name, now, |child| {
            child.peer = Some(format!("{} ({})", account.name, account.id));
            child.last_seen_at = Some(now);
            child.last_error = account.limits.first().cloned();
        });
        keep(&self.store, self.row.clone(), &described).await;
        Ok(())
    }

    /// Keeps the credential alive, and the description fresh: it is read again once a day, and
    /// where something in it proved wrong; not again and again, for a wrong setting stays wrong.
    async fn go_on(&self) {
        let mut read_at = self.clock.now();
        let mut doubts = Doubts::default();
        let mut told = None;
        let mut owed = false;
        loop {
            if let Some(outside) = self.outside.now().filter(|now| told.as_ref() != Some(now)) {
                owed = !self.tell_outside(&outside).await;
                told = Some(outside);
            }
            let now = self.clock.now();
            if now.since(read_at) >= READ_EVERY || doubts.are_due(now) {
                // What is known stays where the CRM does not answer.
                if let Err(why) = self.read().await {
                    tracing::warn!(
                        account = self.name,
                        why,
                        "the account could not be read again"
                    );
                }
                read_at = self.clock.now();
                // What was bound there may have been forgotten meanwhile.
                told = None;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(doubts.wait(now)) => {
                    self.adapter.keep().await;
                    if owed {
                        told = None;
                    }
                }
                () = self.book.doubted() => doubts.open = true,
                () = self.outside_changes(&told) => {}
            }
        }
    }

    /// Has the CRM know where the outside reaches us; says whether it does now.
    async fn tell_outside(&self, outside: &Outside) -> bool {
        let told = self.adapter.set_up(outside.clone()).await.done();
        if let Err(not_done) = &told {
            let why = format!("addresses of ours are not known there: {}", not_done.why);
            tracing::warn!(account = self.name, why, "set-up");
            let now = self.clock.now();
            self.board.update(&self.name, now, |child| {
                child.last_error = Some(why);
            });
        }
        told.is_ok()
    }

    /// Waits until the outside reaches us elsewhere.
    async fn outside_changes(&self, told: &Option<Outside>) {
        loop {
            tokio::time::sleep(OUTSIDE_LOOKED_AT).await;
            if self
                .outside
                .now()
                .is_some_and(|now| told.as_ref() != Some(&now))
            {
                return;
            }
        }
    }
}

/// Doubts about what is known of an account.
#[derive(Default)]
struct Doubts {
    open: bool,
    /// When it was last read for one.
    followed_at: Option<Timestamp>,
}

impl Doubts {
    /// Says whether one is to be followed now, and takes note of that.
    fn are_due(&mut self, now: Timestamp) -> bool {
        let lately = self
            .followed_at
            .is_some_and(|at| now.since(at) < READ_AGAIN_AFTER);
        let due = self.open && !lately;
        if due {
            self.open = false;
            self.followed_at = Some(now);
        }
        due
    }

    /// Returns how long nothing need be done.
    fn wait(&self, now: Timestamp) -> Duration {
        match self.followed_at {
            Some(at) if self.open => READ_AGAIN_AFTER.saturating_sub(now.since(at)),
            Some(_) | None => KEEP_EVERY,
        }
    }
}

impl Child for SetupChild {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn live(&self, mut stop: watch::Receiver<bool>) -> LocalBoxFuture<'static, LifeEnd> {
        let life = self.life();
        async move {
            life.remember().await;
            let read = tokio::select! {
                read = life.read() => read,
                _ = stop.wait_for(|stop| *stop) => return LifeEnd::Stopped,
            };
            if let Err(why) = read {
                return LifeEnd::Failed(why);
            }
            tokio::select! {
                () = life.go_on() => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            LifeEnd::Stopped
        }
        .boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_10_a_doubt_is_followed_at_once_and_then_not_again_for_a_while() {
        let mut doubts = Doubts::default();
        let start = Timestamp::from_secs(1_795_122_000);
        assert!(!doubts.are_due(start));
        assert_eq!(doubts.wait(start), KEEP_EVERY);
        doubts.open = true;
        assert!(doubts.are_due(start));
        doubts.open = true;
        let soon = start.plus(Duration::from_secs(60));
        assert!(!doubts.are_due(soon));
        assert_eq!(
            doubts.wait(soon),
            READ_AGAIN_AFTER - Duration::from_secs(60)
        );
        assert!(doubts.are_due(start.plus(READ_AGAIN_AFTER)));
        assert!(!doubts.are_due(start.plus(2 * READ_AGAIN_AFTER)));
    }
}
