//! Where the endpoints bring what concerns letting accounts in: the adapters do it, here it is
//! found out which account is meant, written into the journal and told to those who wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::admin::state::{AccountOverview, Overview};
use crate::clock::SharedClock;
use crate::crm::pair_vault::PairVault as _;
use crate::crm::{
    Answer, ConsentDesk, ConsentLink, LetIn, NoPage, Returned, States, SwitchOff, SwitchedOff,
    VaultError,
};
use crate::integration::handle::SharedHandles;
use crate::model::ids::{AccountId, TenantId};
use crate::model::outcome::Outcome;
use crate::model::secret::Secret;
use crate::store::StoreHandle;
use crate::store::command::JournalNote;

use super::pairs::Pairs;
use super::vault::{token_name, vault_error};

/// When the CRM is asked whether a notice of being switched off is true: at once, and again should
/// it have told us before it did it, or not answer.
const ASKED_AFTER: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(300),
];

/// How long further notices about an account are passed over: a notice is the same every time, and
/// whoever saw one can repeat it. What really happens meanwhile shows at the next request.
const LOOKED_INTO_FOR: Duration = Duration::from_secs(600);

/// The desk.
#[derive(Clone)]
pub(super) struct Desk(Arc<Parts>);

struct Parts {
    overview: Arc<ArcSwap<Overview>>,
    states: States,
    store: StoreHandle,
    clock: SharedClock,
    handles: SharedHandles,
    pairs: Arc<Pairs>,
    /// When a notice about an account was last looked into.
    looked_into: Mutex<BTreeMap<(TenantId, AccountId), Instant>>,
}

impl Desk {
    pub(super) fn new(
        overview: Arc<ArcSwap<Overview>>,
        store: StoreHandle,
        clock: SharedClock,
        handles: SharedHandles,
        pairs: Arc<Pairs>,
    ) -> Self {
        Self(Arc::new(Parts {
            overview,
            states: States::new(Arc::clone(&clock)),
            store,
            clock,
            handles,
            pairs,
            looked_into: Mutex::default(),
        }))
    }

    fn find(&self, tenant: &TenantId, account: &AccountId) -> Option<AccountOverview> {
        let overview = self.0.overview.load();
        let mut accounts = overview.accounts.iter();
        accounts
            .find(|one| one.tenant == *tenant && one.account == *account)
            .cloned()
    }

    /// Writes down what came of letting an account in, and has those who waited for it go on.
    pub(super) async fn ended(&self, account: &AccountOverview, outcome: Outcome<()>) -> LetIn {
        let end = match outcome {
            Outcome::Done(()) => LetIn::Done,
            Outcome::Rejected(rejection) => LetIn::Refused(rejection.message),
            Outcome::NotApplied(not_applied) => LetIn::Later(not_applied.why),
            Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => LetIn::Lost(why),
        };
        let text = match &end {
            LetIn::Done => "authorised anew".to_owned(),
            LetIn::NoAccount => "there is no such account".to_owned(),
            LetIn::Refused(why) | LetIn::Lost(why) => format!("not authorised: {why}"),
            LetIn::Later(why) => format!("the code was not used, try again: {why}"),
        };
        self.note(account, "authorisation", &text).await;
        if end == LetIn::Done {
            self.stir(account);
        }
        end
    }

    /// Writes down what concerns the tenant of an account.
    pub(super) async fn tell(&self, account: &AccountOverview, word: &str, text: &str) {
        self.write(Some(account.tenant.clone()), word, text.to_owned())
            .await;
    }

    async fn note(&self, account: &AccountOverview, word: &str, text: &str) {
        let text = format!("account {}: {text}", account.account);
        self.write(Some(account.tenant.clone()), word, text).await;
    }

    /// Writes down what concerns no account.
    pub(super) async fn remark(&self, word: &str, text: String) {
        self.write(None, word, text).await;
    }

    async fn write(&self, tenant: Option<TenantId>, word: &str, text: String) {
        let note = JournalNote {
            at: self.0.clock.now(),
            tenant,
            source: None,
            integration: None,
            communication: None,
            word: word.to_owned(),
            text,
        };
        if let Err(error) = self.0.store.note(note).await {
            tracing::error!(%error, "journal");
        }
    }

    fn stir(&self, account: &AccountOverview) {
        let overview = self.0.overview.load();
        let integrations = overview.integrations.iter();
        for integration in integrations.filter(|one| one.portal == account.portal) {
            self.0.handles.stir(&integration.key);
        }
    }

    /// Says whether a notice about an account was looked into lately; takes note of this one.
    fn is_looked_into(&self, account: &AccountOverview) -> bool {
        let key = (account.tenant.clone(), account.account.clone());
        let looked_into = self.0.looked_into.lock();
        let mut looked_into = looked_into.unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        looked_into.retain(|_, at| now.saturating_duration_since(*at) < LOOKED_INTO_FOR);
        if looked_into.contains_key(&key) {
            return true;
        }
        looked_into.insert(key, now);
        false
    }

    /// Asks the CRM whether it lets an account in no more, a few times.
    async fn look_into(&self, account: AccountOverview) {
        let Some(consent) = account.adapter.consent() else {
            return;
        };
        let mut why = String::new();
        for pause in ASKED_AFTER {
            tokio::time::sleep(pause).await;
            match consent.check_switched_off().await {
                SwitchedOff::Yes => {
                    let text = "the integration was switched off in the CRM: the account rests \
                                until it is authorised anew";
                    return self.note(&account, "switched_off", text).await;
                }
                SwitchedOff::No => why = "the CRM still lets us in".to_owned(),
                SwitchedOff::Unknown(reason) => why = reason,
            }
        }
        let text = format!("a notice says that it was switched off, which is not so: {why}");
        self.note(&account, "switched_off", &text).await;
    }
}

/// Has something come to its end although whoever asked for it may go away: a code that is being
/// exchanged works once, and the tokens that come for it must be stored.
pub(super) async fn to_its_end<T: Send + 'static>(
    going: impl Future<Output = T> + Send + 'static,
    broken: impl FnOnce(String) -> T,
) -> T {
    let ended = tokio::spawn(going).await;
    ended.unwrap_or_else(|error| broken(format!("it broke off: {error}")))
}

impl ConsentDesk for Desk {
    fn link(&self, tenant: &TenantId, account: &AccountId) -> Result<ConsentLink, NoPage> {
        let found = self.find(tenant, account).ok_or(NoPage::NoAccount)?;
        let consent = found.adapter.consent().ok_or(NoPage::NotByConsent)?;
        let overview = self.0.overview.load();
        let public_url = overview.public_url.as_deref().unwrap_or_default();
        let callback = format!("{public_url}/oauth/{}", found.shown.crm);
        // Whether there is a page at all is found out before a state is given for it.
        consent
            .page(&callback, &Secret::default())
            .map_err(|no| match no {
                NoPage::Elsewhere { .. } if overview.public_url.is_none() => NoPage::Unreachable,
                other => other,
            })?;
        let given = self.0.states.give(tenant, account);
        let (state, until) = given.ok_or(NoPage::Unreachable)?;
        let url = consent.page(&callback, &state)?;
        Ok(ConsentLink { url, until })
    }

    fn authorise(
        &self,
        tenant: TenantId,
        account: AccountId,
        code: Secret,
    ) -> BoxFuture<'_, LetIn> {
        let desk = self.clone();
        let going = async move {
            let Some(found) = desk.find(&tenant, &account) else {
                return LetIn::NoAccount;
            };
            let outcome = found.adapter.authorise(code).await;
            desk.ended(&found, outcome).await
        };
        to_its_end(going, LetIn::Lost).boxed()
    }

    fn returned(&self, crm: String, answer: Answer) -> BoxFuture<'_, Returned> {
        let desk = self.clone();
        let going = async move {
            let Some((tenant, account)) = desk.0.states.take(&answer.state) else {
                return Returned::Unknown;
            };
            let found = desk
                .find(&tenant, &account)
                .filter(|one| one.shown.crm == crm);
            let Some(found) = found else {
                return Returned::Ended(LetIn::NoAccount);
            };
            let (Some(consent), Some(grant)) = (found.adapter.consent(), answer.grant) else {
                let text = "the person did not permit the integration";
                desk.note(&found, "authorisation", text).await;
                return Returned::Denied;
            };
            let outcome = consent.granted(grant).await;
            Returned::Ended(desk.ended(&found, outcome).await)
        };
        to_its_end(going, |why| Returned::Ended(LetIn::Lost(why))).boxed()
    }

    fn switched_off(&self, crm: String, notice: SwitchOff) -> BoxFuture<'_, bool> {
        async move {
            let overview = self.0.overview.load_full();
            let mut is_signed = false;
            for account in overview.accounts.iter().filter(|one| one.shown.crm == crm) {
                let Some(consent) = account.adapter.consent() else {
                    continue;
                };
                if !consent.signed(&notice).await {
                    continue;
                }
                is_signed = true;
                if self.is_looked_into(account) {
                    continue;
                }
                let (desk, account) = (self.clone(), account.clone());
                // Nobody waits for it: the CRM gives a notice two seconds. It ends with the
                // process, and the next request to the account would find out the same.
                tokio::spawn(async move { desk.look_into(account).await });
            }
            is_signed
        }
        .boxed()
    }

    fn forget(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> BoxFuture<'_, Result<bool, VaultError>> {
        async move {
            let pair = self.0.pairs.of(&tenant, &account);
            // No rotation that is under way brings it back.
            let _turn = pair.turn().await;
            let names = [pair.name().to_owned(), token_name(&tenant, &account)];
            let mut was_there = false;
            for name in names {
                let removed = self.0.store.delete_credential(name).await;
                was_there |= removed.map_err(vault_error)?;
            }
            if let Some(found) = self.find(&tenant, &account) {
                if let Some(consent) = found.adapter.consent() {
                    consent.forgotten();
                }
                self.note(&found, "authorisation", "forgotten by a person")
                    .await;
            }
            Ok(was_there)
        }
        .boxed()
    }
}
