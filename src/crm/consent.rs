//! Letting us in by a person's consent: the person opens the CRM's page by a link of ours, permits
//! the integration there, and is sent back to us with a code.
//!
//! ```text
//! link with a state --> the CRM's page --> back to us: code, state, host of the portal
//!                                          \-- state known, unused, younger than 20 minutes?
//!                                              host the account's own? --> the code is exchanged
//! ```
//! A state is random, works once and says which account was meant: whoever comes without one, or
//! with one that was used, changes nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use subtle::ConstantTimeEq as _;

use crate::clock::SharedClock;
use crate::model::ids::{AccountId, TenantId};
use crate::model::outcome::Outcome;
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// How long a state is kept; as long as amoCRM's codes live (`crm/amocrm.md` §2).
pub const CONSENT_WITHIN: Duration = Duration::from_secs(20 * 60);

/// A state that is shown again must leave this much time to act.
const SHOWN_AGAIN: Duration = Duration::from_secs(10 * 60);

/// States that are kept at once. Only administrators cause them; at the bound the oldest goes.
const STATES_MAX: usize = 256;

/// An account that a person can let us into on a page of the CRM, and that can be switched off
/// there.
pub trait Consent: Send + Sync {
    /// Returns the page to open, when the CRM sends people back to `callback`.
    fn page(&self, callback: &str, state: &Secret) -> Result<String, NoPage>;

    /// Takes what the CRM sent a person back with.
    fn granted(&self, grant: Grant) -> BoxFuture<'_, Outcome<()>>;

    /// Says whether a notice that the integration was switched off concerns this account and is
    /// signed as the CRM signs.
    fn signed(&self, notice: &SwitchOff) -> BoxFuture<'_, bool>;

    /// Asks the CRM whether it still lets us in; if not, the account rests until a person lets us
    /// in again. A notice alone stops nothing: whoever saw one could send it again.
    fn check_switched_off(&self) -> BoxFuture<'_, SwitchedOff>;

    /// Takes note that what it was let in with is in the store no more.
    fn forgotten(&self);
}

/// Why there is no page to open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPage {
    /// It is let in otherwise.
    #[error("the account is not let in by consent: its token stands in the configuration")]
    NotByConsent,
    /// The CRM would send people elsewhere.
    #[error(
        "the account's redirect_uri is {registered}, so nobody comes back to us: register {ours} \
         with the integration and write it there, or paste a code"
    )]
    Elsewhere {
        /// What is registered with the integration.
        registered: String,
        /// What would have to be.
        ours: String,
    },
    /// Nobody outside reaches us.
    #[error("public_url is not set, so nobody can be sent back to us: paste a code")]
    Unreachable,
    /// It is not configured.
    #[error("there is no such account")]
    NoAccount,
}

/// What a person came back with.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The code; works once.
    pub code: Secret,
    /// The host of the portal in which the consent was given, as the request says.
    pub host: String,
}

/// A notice that the integration was switched off in a portal, as it came.
#[derive(Debug, Clone)]
pub struct SwitchOff {
    /// The portal's account.
    pub account_id: String,
    /// The integration.
    pub client_id: String,
    /// What proves it.
    pub signature: String,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchedOff {
    /// The CRM lets us in no more: the account rests.
    Yes,
    /// It still does.
    No,
    /// It did not answer so that one could tell: why.
    Unknown(String),
}

/// A page to be opened by a person.
#[derive(Debug, Clone)]
pub struct ConsentLink {
    /// Its address; holds a state, so it is for administrators only.
    pub url: String,
    /// Until when it leads to anything.
    pub until: Timestamp,
}

/// What letting an account in came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetIn {
    /// It is in.
    Done,
    /// There is no such account.
    NoAccount,
    /// The CRM refuses, or the consent was given elsewhere: why.
    Refused(String),
    /// Nothing was used up; again later: why.
    Later(String),
    /// A new code is needed: why.
    Lost(String),
}

/// How a person's way over the CRM's page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// Nobody was sent there by us with this state, or too long ago, or it was used already.
    Unknown,
    /// The person did not permit it.
    Denied,
    /// It came to this.
    Ended(LetIn),
}

/// What the CRM sent a person back with, as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The state.
    pub state: String,
    /// Code and host; `None` = the person refused.
    pub grant: Option<Grant>,
}

/// Where the endpoints bring what concerns letting accounts in.
pub trait ConsentDesk: Send + Sync {
    /// Returns a page at which a person lets an account in.
    fn link(&self, tenant: &TenantId, account: &AccountId) -> Result<ConsentLink, NoPage>;

    /// Lets an account in by a code that a person got from the CRM.
    fn authorise(&self, tenant: TenantId, account: AccountId, code: Secret)
    -> BoxFuture<'_, LetIn>;

    /// Takes what a person came back with from a page of this CRM.
    fn returned(&self, crm: String, answer: Answer) -> BoxFuture<'_, Returned>;

    /// Takes a notice that an integration was switched off; says whether it is signed as it must
    /// be for one of the accounts of this CRM.
    fn switched_off(&self, crm: String, notice: SwitchOff) -> BoxFuture<'_, bool>;

    /// Forgets what an account was let in with; says whether there was anything.
    fn forget(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> BoxFuture<'_, Result<bool, super::VaultError>>;
}

/// The desk of a daemon without accounts.
#[derive(Debug, Clone, Copy)]
pub struct NoAccounts;

impl ConsentDesk for NoAccounts {
    fn link(&self, _: &TenantId, _: &AccountId) -> Result<ConsentLink, NoPage> {
        Err(NoPage::NoAccount)
    }

    fn authorise(&self, _: TenantId, _: AccountId, _: Secret) -> BoxFuture<'_, LetIn> {
        async { LetIn::NoAccount }.boxed()
    }

    fn returned(&self, _: String, _: Answer) -> BoxFuture<'_, Returned> {
        async { Returned::Unknown }.boxed()
    }

    fn switched_off(&self, _: String, _: SwitchOff) -> BoxFuture<'_, bool> {
        async { false }.boxed()
    }

    fn forget(&self, _: TenantId, _: AccountId) -> BoxFuture<'_, Result<bool, super::VaultError>> {
        async { Ok(false) }.boxed()
    }
}

/// A desk that many share.
pub type SharedDesk = Arc<dyn ConsentDesk>;

/// The states that were given out.
pub struct States {
    clock: SharedClock,
    given: Mutex<VecDeque<Given>>,
}

struct Given {
    state: Secret,
    account: (TenantId, AccountId),
    until: Timestamp,
}

impl States {
    /// Keeps none at first.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            given: Mutex::default(),
        }
    }

    /// Returns a state for an account, with its end: the one that was given last, as long as that
    /// leaves enough time, or else a new one. `None` when there is no randomness.
    pub fn give(&self, tenant: &TenantId, account: &AccountId) -> Option<(Secret, Timestamp)> {
        let now = self.clock.now();
        let mut given = self.given();
        given.retain(|one| one.until > now);
        let mine = |one: &&Given| one.account.0 == *tenant && one.account.1 == *account;
        if let Some(last) = given.iter().rev().find(mine)
            && last.until.since(now) >= SHOWN_AGAIN
        {
            return Some((last.state.clone(), last.until));
        }
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random).ok()?;
        let state = Secret::new(URL_SAFE_NO_PAD.encode(random));
        let until = now.plus(CONSENT_WITHIN);
        while given.len() >= STATES_MAX {
            given.pop_front();
        }
        given.push_back(Given {
            state: state.clone(),
            account: (tenant.clone(), account.clone()),
            until,
        });
        Some((state, until))
    }

    /// Takes a state back, for good; returns whose it was.
    pub fn take(&self, state: &str) -> Option<(TenantId, AccountId)> {
        let now = self.clock.now();
        let mut given = self.given();
        given.retain(|one| one.until > now);
        // All are compared, whichever it is.
        let mut found = None;
        for (place, one) in given.iter().enumerate() {
            if bool::from(one.state.expose().as_bytes().ct_eq(state.as_bytes())) {
                found = Some(place);
            }
        }
        given.remove(found?).map(|one| one.account)
    }

    fn given(&self) -> MutexGuard<'_, VecDeque<Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TokioClock;

    fn ids(account: &str) -> (TenantId, AccountId) {
        (
            "acme".parse().expect("an id"),
            account.parse().expect("an id"),
        )
    }

    fn states() -> States {
        States::new(Arc::new(TokioClock::starting_at(Timestamp::from_secs(0))))
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_works_once_and_for_its_account() {
        let states = states();
        let (tenant, main) = ids("main");
        let (_, other) = ids("other");
        let (first, _) = states.give(&tenant, &main).expect("random");
        let (second, _) = states.give(&tenant, &other).expect("random");
        assert_ne!(first, second);
        assert!(first.expose().len() >= 43, "256 bits");
        assert_eq!(states.take("guessed"), None);
        assert_eq!(states.take(""), None);
        assert_eq!(states.take(second.expose()), Some(ids("other")));
        assert_eq!(states.take(second.expose()), None);
        assert_eq!(states.take(first.expose()), Some(ids("main")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_is_shown_again_while_it_leaves_time_and_ends_after_twenty_minutes() {
        let states = states();
        let (tenant, main) = ids("main");
        let (first, until) = states.give(&tenant, &main).expect("random");
        assert_eq!(until, Timestamp::from_secs(1200));
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!(states.give(&tenant, &main).expect("random").0, first);
        tokio::time::advance(Duration::from_secs(1)).await;
        let (second, _) = states.give(&tenant, &main).expect("random");
        assert_ne!(second, first);
        // Both were shown, and both work for as long as it was said.
        tokio::time::advance(Duration::from_secs(598)).await;
        assert_eq!(states.take(first.expose()), Some(ids("main")));
        tokio::time::advance(Duration::from_secs(602)).await;
        assert_eq!(states.take(second.expose()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn states_have_a_bound() {
        let states = states();
        let tenant: TenantId = "acme".parse().expect("an id");
        for number in 0..STATES_MAX + 10 {
            let account = format!("a{number}").parse().expect("an id");
            states.give(&tenant, &account).expect("random");
        }
        assert_eq!(states.given().len(), STATES_MAX);
    }
}
