//! Portals that let us in by installing an application: what they post is proved by the vendor,
//! waits on disk for an administrator, and becomes an account's credential when it is accepted.
//!
//! ```text
//! posted -> host of an account, or listed -> known already? -> the vendor says that it is true
//!        -> the same portal's account goes on with it     (nobody need accept it again)
//!        -> waits, of each portal and application one -> accepted: the account's credential
//!                                                      -> refused, or its days are over: forgotten
//! ```
//! What is not known is looked at a few at a time and one request a second: whoever posts nonsense
//! makes neither the vendor nor the box work.

mod waiting;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::admin::state::{AccountOverview, Overview};
use crate::clock::SharedClock;
use crate::config::{Configuration, InstallationSettings};
use crate::crm::ConsentDesk as _;
use crate::crm::account::http::{AccountHttp, AccountHttpOptions};
use crate::crm::registry::{self, CrmKind};
use crate::crm::{
    Acquaintance, Bundle, Installation, InstallationDesk, LetIn, NotProven, Posted, Proven,
    Received, Reception, Removal, SwitchOff, VaultError, VendorWay,
};
use crate::model::ids::{AccountId, PortalKey, TenantId};
use crate::model::outcome::Outcome;
use crate::store::StoreHandle;

use self::waiting::{Turn, Waiting, WaitingList};
use super::consent::{Desk, to_its_end};

/// Bundles that are proved at once; the others are told to come again.
const PROVED_AT_ONCE: usize = 4;

/// Requests a second to vendors for bundles that are no account's yet.
const RATE_PER_SECOND: f64 = 1.0;

/// How long a bundle may be on its way: the portal waits for the answer, and gives up after a
/// minute (`crm/bitrix24.md` §1).
const PROVED_WITHIN: Duration = Duration::from_secs(15);

/// The desk.
#[derive(Clone)]
pub(super) struct Installations(Arc<Parts>);

struct Parts {
    overview: Arc<ArcSwap<Overview>>,
    clock: SharedClock,
    consent: Desk,
    rules: ArcSwap<Rules>,
    ways: BTreeMap<&'static str, VendorWay>,
    proving: Semaphore,
    waiting: WaitingList,
}

/// What is configured; replaced at reload.
pub(super) struct Rules {
    installations: InstallationSettings,
    base_urls: BTreeMap<String, String>,
}

impl Rules {
    pub(super) fn of(configuration: &Configuration) -> Arc<Self> {
        Arc::new(Self {
            installations: configuration.daemon.installations.clone(),
            base_urls: configuration.daemon.base_urls.clone(),
        })
    }
}

impl Installations {
    pub(super) fn new(
        overview: Arc<ArcSwap<Overview>>,
        store: StoreHandle,
        clock: SharedClock,
        consent: Desk,
        rules: Arc<Rules>,
    ) -> anyhow::Result<Self> {
        let rules = ArcSwap::new(rules);
        let mut desk = Parts {
            overview,
            clock,
            consent,
            rules,
            ways: BTreeMap::new(),
            proving: Semaphore::new(PROVED_AT_ONCE),
            waiting: WaitingList::new(store),
        };
        for kind in registry::KINDS
            .iter()
            .filter(|kind| kind.installer.is_some())
        {
            let http = AccountHttp::new(AccountHttpOptions {
                portal: PortalKey::new(kind.name, "installations"),
                // Every request names its host itself.
                base_url: "https://installations.invalid".to_owned(),
                rate_per_second: RATE_PER_SECOND,
                per_second_max: Some(4),
                quiet_start: Duration::ZERO,
                clock: Arc::clone(&desk.clock),
            })?;
            let way = VendorWay {
                http: Arc::new(http),
                stand_in: Arc::new(|_| None),
            };
            desk.ways.insert(kind.name, way);
        }
        Ok(Self(Arc::new(desk)))
    }

    /// Goes by another configuration.
    pub(super) fn apply(&self, configuration: &Configuration) {
        self.0.rules.store(Rules::of(configuration));
    }

    /// Returns those that wait; nobody else changes them meanwhile.
    async fn turn(&self) -> Result<Turn<'_>, VaultError> {
        let longest = self.0.rules.load().installations.waiting;
        self.0.waiting.turn(self.0.clock.now(), longest).await
    }

    /// Returns the accounts of a CRM that a portal can let us into.
    fn accounts(&self, crm: &str) -> Vec<AccountOverview> {
        let overview = self.0.overview.load();
        let accounts = overview.accounts.iter();
        accounts
            .filter(|one| one.shown.crm == crm && one.adapter.installable().is_some())
            .cloned()
            .collect()
    }

    /// Takes a bundle.
    async fn installed(&self, kind: &CrmKind, bundle: Bundle) -> Received {
        let accounts = self.accounts(kind.name);
        let address = format!("https://{}", bundle.host);
        let mut is_ours = accounts.iter().any(|one| one.shown.address == address);
        for account in &accounts {
            match acquaintance(account, &bundle, None).await {
                Acquaintance::Repeat => return Received::Known,
                Acquaintance::None => {}
                // A portal that was renamed since it was configured.
                Acquaintance::Same | Acquaintance::Other => is_ours = true,
            }
        }
        if !is_ours && !self.0.rules.load().installations.lists(&bundle.host) {
            tracing::warn!(
                portal = bundle.host,
                "a portal that is neither an account's nor listed in [installations] installed us"
            );
            return Received::NotListed;
        }
        match self.known(kind, &bundle).await {
            Ok(Some(id)) => return Received::Waits { id },
            Ok(None) => {}
            Err(error) => return later(&error.to_string()),
        }
        let Ok(_turn) = self.0.proving.try_acquire() else {
            return later("others are being looked at");
        };
        let proven = match self.prove(kind, &bundle).await {
            Ok(proven) => proven,
            Err(NotProven::Later(why)) => return later(&why),
            Err(NotProven::Refused(why)) => {
                tracing::warn!(portal = bundle.host, why, "an installation is not proven");
                return Received::NotProven;
            }
        };
        if !proven.administrator {
            tracing::warn!(
                portal = bundle.host,
                "an installation of somebody who is no administrator of the portal"
            );
            return Received::NotAdministrator;
        }
        for account in accounts {
            let known = acquaintance(&account, &bundle, Some(&proven.application)).await;
            match known {
                Acquaintance::Repeat => return Received::Known,
                // A page that is opened once more changes nothing for an account that works.
                Acquaintance::Same if !bundle.by_event => return Received::Known,
                Acquaintance::Same => return self.renewed(account, bundle).await,
                Acquaintance::None | Acquaintance::Other => {}
            }
        }
        self.put(kind, bundle, proven).await
    }

    /// Asks the vendor.
    async fn prove(&self, kind: &CrmKind, bundle: &Bundle) -> Result<Proven, NotProven> {
        let (Some(installer), Some(way)) = (kind.installer, self.0.ways.get(kind.name)) else {
            return Err(NotProven::Refused(
                "nothing installs itself here".to_owned(),
            ));
        };
        let rules = self.0.rules.load_full();
        let way = VendorWay {
            http: Arc::clone(&way.http),
            stand_in: Arc::new(move |host| {
                let address = format!("https://{host}");
                rules.base_urls.get(&address).cloned()
            }),
        };
        let proving = installer.prove(bundle, &way);
        match tokio::time::timeout(PROVED_WITHIN, proving).await {
            Ok(proven) => proven,
            Err(_) => Err(NotProven::Later(
                "the vendor did not answer in time".to_owned(),
            )),
        }
    }

    /// Has an account that this portal let in before go on with its new tokens.
    async fn renewed(&self, account: AccountOverview, bundle: Bundle) -> Received {
        let desk = self.clone();
        let going = async move {
            let Some(installable) = account.adapter.installable() else {
                return Received::Unknown;
            };
            let outcome = installable.install(bundle, desk.0.clock.now()).await;
            match desk.0.consent.ended(&account, outcome).await {
                LetIn::Done => Received::Renewed,
                LetIn::NoAccount | LetIn::Refused(_) => Received::NotProven,
                LetIn::Later(_) | LetIn::Lost(_) => Received::Later,
            }
        };
        to_its_end(going, |_| Received::Later).await
    }

    /// Says under which name a bundle waits already.
    async fn known(&self, kind: &CrmKind, bundle: &Bundle) -> Result<Option<String>, VaultError> {
        let turn = self.turn().await?;
        let mut same = turn.list().iter().filter(|one| one.crm == kind.name);
        let found = same.find(|one| one.bundle.fingerprint == bundle.fingerprint);
        Ok(found.map(Waiting::id))
    }

    /// Puts a proven bundle to those that wait. A later one of a portal and application replaces
    /// the earlier, which was never sent anywhere.
    async fn put(&self, kind: &CrmKind, bundle: Bundle, proven: Proven) -> Received {
        let desk = self.clone();
        let crm = kind.name.to_owned();
        let going = async move {
            let mut turn = match desk.turn().await {
                Ok(turn) => turn,
                Err(error) => return later(&error.to_string()),
            };
            let mut list = turn.list().to_vec();
            let mut new = Waiting {
                crm,
                application: proven.application,
                installed_by: proven.installed_by,
                at: desk.0.clock.now(),
                bundle,
            };
            let id = new.id();
            let before = list.iter().position(|one| one.id() == id);
            match before.map(|place| list.remove(place)) {
                // Not every page names the word by which the portal is known later.
                Some(before) => new.bundle.proof = new.bundle.proof.or(before.bundle.proof),
                None if list.len() >= desk.0.rules.load().installations.waiting_max => {
                    tracing::warn!(portal = new.bundle.host, "too many installations wait");
                    return Received::Full;
                }
                None => {}
            }
            let told = format!(
                "the portal {} installed application {} and waits for an administrator: trunkline \
                 account accept {id} TENANT/ACCOUNT",
                new.bundle.host, new.application
            );
            list.push(new);
            if let Err(error) = turn.write(list).await {
                return later(&error.to_string());
            }
            drop(turn);
            if before.is_none() {
                desk.0.consent.remark("installation", told).await;
            }
            Received::Waits { id }
        };
        to_its_end(going, |_| Received::Later).await
    }

    /// Takes word of a removal: nothing of the portal waits any more, and its account is looked
    /// into.
    async fn removed(&self, kind: &CrmKind, removal: Removal) -> Received {
        let gone = self.take(|one| one.is_of(kind.name, &removal)).await;
        let mut is_known = match gone {
            Ok(gone) => gone,
            Err(error) => return later(&error.to_string()),
        };
        let notice = SwitchOff {
            account_id: removal.portal_id,
            client_id: String::new(),
            signature: removal.proof,
        };
        let crm = kind.name.to_owned();
        is_known |= self.0.consent.switched_off(crm, notice).await;
        match is_known {
            true => Received::Removed,
            false => Received::Unknown,
        }
    }

    /// Returns one as administrators see it.
    fn shown(&self, one: &Waiting, accounts: &[AccountOverview]) -> Installation {
        let fits = accounts.iter().filter(|account| {
            let installable = account.adapter.installable();
            account.shown.crm == one.crm
                && installable.is_some_and(|i| i.fits(&one.bundle, &one.application).is_ok())
        });
        Installation {
            id: one.id(),
            crm: one.crm.clone(),
            portal: one.bundle.host.clone(),
            portal_id: one.bundle.portal_id.clone(),
            application: one.application.clone(),
            installed_by: one.installed_by.clone(),
            at: one.at,
            until: one.at.plus(self.0.rules.load().installations.waiting),
            accounts: fits
                .map(|account| format!("{}/{}", account.tenant, account.account))
                .collect(),
        }
    }

    /// Takes out which are so; says whether there were any.
    async fn take(&self, is_so: impl Fn(&Waiting) -> bool) -> Result<bool, VaultError> {
        let mut turn = self.turn().await?;
        let mut list = turn.list().to_vec();
        list.retain(|one| !is_so(one));
        if list.len() == turn.list().len() {
            return Ok(false);
        }
        turn.write(list).await?;
        Ok(true)
    }

    async fn find(&self, id: &str) -> Result<Option<Waiting>, VaultError> {
        let turn = self.turn().await?;
        let found = turn.list().iter().find(|one| one.id() == id);
        Ok(found.cloned())
    }

    /// Makes an account's credential of one that waits.
    async fn accepted(
        &self,
        id: &str,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<LetIn>, VaultError> {
        let Some(one) = self.find(id).await? else {
            return Ok(None);
        };
        let mut accounts = self.accounts(&one.crm).into_iter();
        let found = accounts.find(|found| found.tenant == *tenant && found.account == *account);
        let Some(found) = found else {
            return Ok(Some(LetIn::NoAccount));
        };
        let Some(installable) = found.adapter.installable() else {
            return Ok(Some(LetIn::NoAccount));
        };
        if let Err(why) = installable.fits(&one.bundle, &one.application) {
            return Ok(Some(LetIn::Refused(why)));
        }
        let outcome: Outcome<()> = installable.install(one.bundle, one.at).await;
        let end = self.0.consent.ended(&found, outcome).await;
        if end == LetIn::Done {
            // Should we end in between it waits once more, and accepting it changes nothing.
            self.take(|one| one.id() == id).await?;
        }
        Ok(Some(end))
    }
}

/// Says how an account stands to a bundle.
async fn acquaintance(
    account: &AccountOverview,
    bundle: &Bundle,
    application: Option<&str>,
) -> Acquaintance {
    match account.adapter.installable() {
        Some(installable) => installable.acquaintance(bundle, application).await,
        None => Acquaintance::None,
    }
}

fn later(why: &str) -> Received {
    tracing::warn!(why, "an installation is put off");
    Received::Later
}

impl InstallationDesk for Installations {
    fn posted(&self, crm: String, query: String, body: Vec<u8>) -> BoxFuture<'_, Reception> {
        async move {
            let kind = registry::find(&crm);
            let Some((kind, installer)) = kind.and_then(|kind| Some((kind, kind.installer?)))
            else {
                return Reception::plain(Received::Unknown);
            };
            match installer.read(&query, &body) {
                Posted::Unknown => Reception::plain(Received::Unknown),
                Posted::Removed(removal) => Reception::plain(self.removed(kind, removal).await),
                Posted::Installed { bundle, page } => Reception {
                    received: self.installed(kind, *bundle).await,
                    page,
                },
            }
        }
        .boxed()
    }

    fn waiting(&self) -> BoxFuture<'_, Result<Vec<Installation>, VaultError>> {
        async {
            let list = self.turn().await?.list().to_vec();
            let overview = self.0.overview.load_full();
            let shown = list.iter().map(|one| self.shown(one, &overview.accounts));
            Ok(shown.collect())
        }
        .boxed()
    }

    fn accept(
        &self,
        id: String,
        tenant: TenantId,
        account: AccountId,
    ) -> BoxFuture<'_, Result<Option<LetIn>, VaultError>> {
        let desk = self.clone();
        let going = async move { desk.accepted(&id, &tenant, &account).await };
        to_its_end(going, |why| Ok(Some(LetIn::Lost(why)))).boxed()
    }

    fn refuse(&self, id: String) -> BoxFuture<'_, Result<bool, VaultError>> {
        async move {
            let taken = self.take(|one| one.id() == id).await?;
            if taken {
                let text = format!("installation {id} was refused by a person");
                self.0.consent.remark("installation", text).await;
            }
            Ok(taken)
        }
        .boxed()
    }
}
