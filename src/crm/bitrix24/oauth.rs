//! Access by an application: a pair of tokens of which the refresh token is used once
//! (`crm/bitrix24.md` §3).
//!
//! ```text
//! code ----> pair 1 --(witness: sent)--> renewal --> pair 2 on disk --> witness: pair 2
//!                                            \-- surely nothing done --> witness: not sent
//!                                            \-- answer lost, refused --> a new code is needed
//! ```
//! Whether a token whose answer was lost may be sent again is not documented: it is not. While the
//! access token lives, work goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::auth::vault_failure;
use super::hosts;
use super::install::Tokens;
use super::pair::{Pair, TokenAnswer};
use super::refusal::{self, Refusal};
use crate::clock::SharedClock;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::http::AccountHttp;
use crate::crm::account::transport::{Elsewhere, Method, Request};
use crate::crm::pair_vault::{PairVault, Standing};
use crate::crm::{Acquaintance, Bundle, Class};
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome, Rejection};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// How long after a renewal that came to nothing the next is tried, doubling.
const REST_FIRST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(300);

/// How often the authorisation server is asked where a portal is that sends us away: it may block who
/// renews tokens without need (§3).
const WHERE_AGAIN: Duration = Duration::from_secs(600);

/// An application of the customer's portal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OAuthClient {
    pub(super) id: String,
    pub(super) secret: Secret,
    /// The return address that is registered with it, where one is.
    pub(super) redirect_uri: Option<String>,
    /// The server that hands out the first pair.
    pub(super) server: String,
    /// The portal's host, as configured.
    pub(super) portal: String,
    /// Where requests to it go, unless it is renamed.
    pub(super) base_url: String,
}

/// How to let us in again.
const REMEDY: &str = "trunkline account authorise shows the page to open, and takes the code that \
                      the portal returns with within 30 seconds";

impl OAuthClient {
    /// Returns where requests to a host go.
    pub(super) fn base_of(&self, host: &str) -> String {
        hosts::base_of(&self.base_url, &self.portal, host)
    }
}

/// The credential of one account.
pub(super) struct OAuth {
    pub(super) client: OAuthClient,
    http: Arc<AccountHttp>,
    vault: Arc<dyn PairVault>,
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pair: Option<Pair>,
    /// A new code is needed: why.
    lost: Option<String>,
    /// The last renewal came to nothing.
    resting: Option<Resting>,
    /// Where the portal is was asked, and is not asked again before.
    asked_where: Option<Instant>,
}

struct Resting {
    failure: NotApplied,
    until: Instant,
    rest: Duration,
}

impl OAuth {
    pub(super) fn new(
        client: OAuthClient,
        http: Arc<AccountHttp>,
        vault: Arc<dyn PairVault>,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new(Self {
            client,
            http,
            vault,
            clock,
            state: Mutex::default(),
        })
    }

    /// Returns the pair whose access token is to be sent; renews it where it is used up.
    pub(super) async fn present(self: &Arc<Self>) -> Result<Pair, Failure> {
        let Some(pair) = self.pair().await? else {
            let why = format!("the account is not authorised yet: {REMEDY}");
            return Err(Failure::AuthExpired { why });
        };
        if let Some(why) = &pair.ended {
            return Err(Failure::AuthExpired { why: why.clone() });
        }
        match pair.is_used_up(self.clock.now()) {
            true => self.renewed(&pair.access).await,
            false => Ok(pair),
        }
    }

    /// Returns another pair than the one with this access token, which is refused or used up.
    /// However many ask at once, it is renewed once.
    pub(super) async fn renewed(self: &Arc<Self>, stale: &str) -> Result<Pair, Failure> {
        if let Some(failure) = self.trouble() {
            return Err(failure);
        }
        let (this, stale) = (Arc::clone(self), stale.to_owned());
        // A task of its own: a renewal that has begun comes to its end, whoever gives up.
        let renewal = tokio::spawn(async move { this.renew(&stale).await });
        renewal.await.unwrap_or_else(|error| {
            let why = format!("the renewal of the token broke off: {error}");
            Err(Failure::not_applied(NotAppliedCause::Failed, why, None))
        })
    }

    /// Asks where a portal is now that answers with a redirect: the authorisation server names its
    /// address with each pair. `None` = it was asked lately.
    pub(super) async fn moved(self: &Arc<Self>, stale: &str) -> Result<Option<Pair>, Failure> {
        {
            let mut state = self.state();
            let now = Instant::now();
            // Somebody who was sent away at the same time has asked.
            if let Some(pair) = state.pair.as_ref().filter(|pair| pair.access != stale) {
                return Ok(Some(pair.clone()));
            }
            if state.asked_where.is_some_and(|until| now < until) {
                return Ok(None);
            }
            state.asked_where = Some(now + WHERE_AGAIN);
        }
        self.renewed(stale).await.map(Some)
    }

    /// Renews a pair that nobody has used for months.
    pub(super) async fn keep(self: &Arc<Self>) {
        if let Ok(Some(pair)) = self.pair().await
            && pair.has_lain(self.clock.now())
        {
            // What comes of it stands in the alarm.
            drop(self.renewed(&pair.access).await);
        }
    }

    /// Exchanges an authorization code for the first pair.
    pub(super) async fn authorise(&self, code: &Secret) -> Outcome<()> {
        let _turn = self.vault.turn().await;
        let asked_at = self.clock.now();
        let query = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
        ];
        let answer = match self.ask(&self.client.server, &query).await {
            Outcome::Done(answer) => answer,
            Outcome::NotApplied(not_applied) => return Outcome::NotApplied(not_applied),
            Outcome::Ambiguous { why } => {
                let why = format!("the code may be used up, get a new one: {why}");
                return Outcome::Ambiguous { why };
            }
            Outcome::AuthExpired { why } => return refused(format!("the code is refused: {why}")),
            Outcome::Rejected(rejection) => return Outcome::Rejected(rejection),
        };
        match answer.pair(&self.client.portal, asked_at, None) {
            Ok(pair) => self.take_over(pair).await,
            Err(why) => refused(why),
        }
    }

    /// Stores a pair that did not come from the present one.
    async fn take_over(&self, pair: Pair) -> Outcome<()> {
        // The witness first: should we end in between, the pair is lost and another code is asked
        // for; the other way round an old pair might pass for the newest.
        let saved = match self.vault.save_witness(pair.witness(false)).await {
            Ok(()) => self.vault.save(write(&pair)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = saved {
            let why = format!("the tokens could not be stored, get new ones: {error}");
            return Outcome::Ambiguous { why };
        }
        *self.state() = State {
            pair: Some(pair),
            ..State::default()
        };
        Outcome::Done(())
    }

    /// Says how this account stands to what an installation brought.
    pub(super) async fn acquaintance(
        &self,
        bundle: &Bundle,
        application: Option<&str>,
    ) -> Acquaintance {
        let pair = match self.pair().await {
            Ok(Some(pair)) if pair.member_id == bundle.portal_id => pair,
            Ok(_) | Err(_) => return Acquaintance::None,
        };
        if pair.knows(&bundle.fingerprint) {
            return Acquaintance::Repeat;
        }
        let is_other = application.is_some_and(|application| application != self.client.id);
        if is_other || pair.host != bundle.host {
            return Acquaintance::None;
        }
        let is_proved = match (&pair.proof, &bundle.proof) {
            (Some(ours), Some(said)) => bool::from(ours.as_bytes().ct_eq(said.as_bytes())),
            (Some(_) | None, _) => false,
        };
        match is_proved && pair.ended.is_none() {
            true => Acquaintance::Same,
            false => Acquaintance::Other,
        }
    }

    /// Makes the credential from what an installation brought, which nobody sent yet. What was
    /// brought before is never taken again: its refresh token may be used up.
    pub(super) async fn install(&self, bundle: &Bundle, at: Timestamp) -> Outcome<()> {
        let Some(tokens) = Tokens::of(bundle) else {
            return refused("the installation holds no tokens".to_owned());
        };
        let _turn = self.vault.turn().await;
        let before = match self.load().await {
            Ok(before) => before,
            Err(failure) => return failure.into_outcome(),
        };
        let before = before.filter(|pair| pair.member_id == bundle.portal_id);
        if before
            .as_ref()
            .is_some_and(|pair| pair.knows(&bundle.fingerprint))
        {
            return Outcome::Done(());
        }
        let pair = Pair::installed(bundle, tokens, &self.client.portal, at, before.as_ref());
        self.take_over(pair).await
    }

    /// Says whether word of a removal comes from the portal that let us in.
    pub(super) async fn is_from_portal(&self, portal_id: &str, proof: &str) -> bool {
        let Ok(Some(pair)) = self.pair().await else {
            return false;
        };
        let Some(ours) = pair.proof.filter(|ours| !ours.is_empty()) else {
            return false;
        };
        pair.member_id == portal_id && bool::from(ours.as_bytes().ct_eq(proof.as_bytes()))
    }

    /// Says what a person must do, if anything; tells of an end that is less than `soon` away.
    pub(super) async fn alarm(&self, now: Timestamp, soon: Duration) -> Option<String> {
        let pair = match self.pair().await {
            Ok(Some(pair)) => pair,
            Ok(None) => return Some(format!("not authorised yet: {REMEDY}")),
            Err(_) => return None,
        };
        if let Some(why) = &self.state().lost {
            return Some(why.clone());
        }
        let ends_at = pair.refresh_ends_at();
        (ends_at.since(now) < soon).then(|| {
            format!(
                "the refresh token was not used since {} and ends at {ends_at}: see why the \
                 account is not reached, or let it in again: {REMEDY}",
                pair.from
            )
        })
    }

    /// Returns the stored pair, read at most once.
    pub(super) async fn pair(&self) -> Result<Option<Pair>, Failure> {
        if let Some(pair) = &self.state().pair {
            return Ok(Some(pair.clone()));
        }
        self.load().await
    }

    /// Forgets what is remembered of the pair: it is not in the store any more.
    pub(super) fn forget(&self) {
        *self.state() = State::default();
    }

    /// Takes note that the application was removed from the portal: nothing more is sent until a
    /// person lets it in again.
    pub(super) async fn end(&self, why: &str) {
        let _turn = self.vault.turn().await;
        let why = format!("{why}; {REMEDY}");
        if let Ok(Some(pair)) = self.load().await {
            let ended = Some(why.clone());
            let pair = Pair { ended, ..pair };
            if let Err(error) = self.vault.save(write(&pair)).await {
                tracing::error!(%error, "cannot write down that the application was removed");
            }
            self.state().pair = Some(pair);
        }
        tracing::error!(why, "the account rests");
        self.state().lost = Some(why);
    }

    async fn load(&self) -> Result<Option<Pair>, Failure> {
        let stored = self.vault.load().await.map_err(|e| vault_failure(&e))?;
        let read = stored.and_then(|text| serde_json::from_str::<Pair>(text.expose()).ok());
        // Tokens of the portal that was configured here before are not sent to this one, unless the
        // administrator followed its rename.
        let portal = &self.client.portal;
        let pair = read.filter(|pair| pair.portal == *portal || pair.host == *portal);
        if let Some(pair) = &pair {
            let mut state = self.state();
            state.pair = Some(pair.clone());
            if pair.ended.is_some() {
                state.lost.clone_from(&pair.ended);
            }
        }
        Ok(pair)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> Option<Failure> {
        let state = self.state();
        if let Some(why) = &state.lost {
            return Some(Failure::AuthExpired { why: why.clone() });
        }
        let resting = state.resting.as_ref()?;
        (Instant::now() < resting.until).then(|| Failure::NotApplied(resting.failure.clone()))
    }

    async fn renew(&self, stale: &str) -> Result<Pair, Failure> {
        let _turn = self.vault.turn().await;
        // Whoever had the turn before may have done it, or found that it cannot be done.
        let Some(pair) = self.load().await? else {
            let why = format!("the account is not authorised: {REMEDY}");
            return Err(Failure::AuthExpired { why });
        };
        if pair.access != stale && !pair.is_used_up(self.clock.now()) {
            return Ok(pair);
        }
        if let Some(failure) = self.trouble() {
            return Err(failure);
        }
        let failed = |error| vault_failure(&error);
        let witness = self.vault.witness().await.map_err(failed)?;
        match pair.standing(witness.as_ref()) {
            Standing::Fresh => {}
            Standing::Spent => {
                return Err(self.lost("the answer to the last renewal was lost"));
            }
            Standing::FromElsewhere => {
                let why = "the stored token is not the newest, the store comes from a backup or \
                           from another machine";
                return Err(self.lost(why));
            }
        }
        let sent = pair.witness(true);
        self.vault.save_witness(sent).await.map_err(failed)?;
        let asked_at = self.clock.now();
        let query = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &pair.refresh),
        ];
        match self.ask(&pair.server, &query).await {
            Outcome::Done(answer) => {
                let next = answer.pair(&self.client.portal, asked_at, Some(&pair));
                let next = next.map_err(|why| self.lost(&why))?;
                self.vault.save(write(&next)).await.map_err(failed)?;
                let unsent = next.witness(false);
                self.vault.save_witness(unsent).await.map_err(failed)?;
                let mut state = self.state();
                *state = State {
                    pair: Some(next.clone()),
                    asked_where: state.asked_where,
                    ..State::default()
                };
                drop(state);
                tracing::info!("the access token was renewed");
                Ok(next)
            }
            Outcome::NotApplied(not_applied) => {
                let unsent = pair.witness(false);
                self.vault.save_witness(unsent).await.map_err(failed)?;
                Err(self.rest(not_applied))
            }
            Outcome::Ambiguous { why } => {
                Err(self.lost(&format!("the answer to the renewal was lost ({why})")))
            }
            Outcome::AuthExpired { why } => Err(self.lost(&format!("it is refused ({why})"))),
            Outcome::Rejected(rejection) => {
                Err(self.lost(&format!("it is refused ({})", rejection.message)))
            }
        }
    }

    /// The pair cannot be renewed any more.
    fn lost(&self, why: &str) -> Failure {
        let why = format!("the refresh token cannot be used: {why}; {REMEDY}");
        tracing::error!(why, "the account must be authorised again");
        self.state().lost = Some(why.clone());
        Failure::AuthExpired { why }
    }

    /// The renewal surely came to nothing: it may be tried again, not at once.
    fn rest(&self, failure: NotApplied) -> Failure {
        let mut state = self.state();
        let rest = match &state.resting {
            Some(before) => (before.rest * 2).min(REST_MAX),
            None => REST_FIRST,
        };
        let asked = failure.retry_after.unwrap_or_default();
        state.resting = Some(Resting {
            failure: failure.clone(),
            until: Instant::now() + rest.max(asked),
            rest,
        });
        Failure::NotApplied(failure)
    }

    /// Asks an authorisation server.
    async fn ask(&self, server: &str, query: &[(&str, &str)]) -> Outcome<TokenAnswer> {
        let own = [
            ("client_id", self.client.id.as_str()),
            ("client_secret", self.client.secret.expose()),
        ];
        let pairs = query.iter().chain(&own);
        let request = Request {
            method: Method::Get,
            path: "/oauth/token/".to_owned(),
            query: pairs
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            body: None,
            bearer: None,
            purpose: Purpose::Write,
            // Everything waits for it.
            class: Class::Live,
        };
        let server = Elsewhere {
            base_url: self.client.base_of(server),
            header: ("accept", Secret::new("application/json".to_owned())),
        };
        let response = match self.http.send_elsewhere(request, server).await {
            Outcome::Done(response) => response,
            Outcome::NotApplied(not_applied) => return Outcome::NotApplied(not_applied),
            Outcome::Ambiguous { why } => return Outcome::Ambiguous { why },
            Outcome::AuthExpired { why } => return Outcome::AuthExpired { why },
            Outcome::Rejected(rejection) => return Outcome::Rejected(rejection),
        };
        if response.status == refusal::MOVED {
            let why = "the authorisation server answers with a redirect".to_owned();
            return Outcome::NotApplied(NotApplied {
                cause: NotAppliedCause::Unreachable,
                why,
                retry_after: None,
            });
        }
        if !(200..=299).contains(&response.status) {
            let refusal = Refusal::of_answer(response.status, &response.body);
            return refused(format!("{} {}", refusal.code, refusal.text));
        }
        let answer = serde_json::from_slice::<Value>(&response.body).ok();
        if let Some(refusal) = answer.as_ref().and_then(Refusal::read) {
            return refused(format!("{} {}", refusal.code, refusal.text));
        }
        match answer.as_ref().and_then(TokenAnswer::read) {
            Some(answer) => Outcome::Done(answer),
            // What it says is not told: it may hold a token.
            None => Outcome::Ambiguous {
                why: format!("HTTP {} without tokens", response.status),
            },
        }
    }
}

fn refused<T>(message: String) -> Outcome<T> {
    Outcome::Rejected(Rejection {
        code: "oauth".to_owned(),
        message,
    })
}

fn write(pair: &Pair) -> Secret {
    // Plain texts and numbers always can be written.
    Secret::new(serde_json::to_string(pair).unwrap_or_default())
}
