//! Access by OAuth: a pair of tokens of which the refresh token works once (`crm/amocrm.md` §2).
//!
//! ```text
//! code ----> pair 1 --(witness: sent)--> rotation --> pair 2 on disk --> witness: pair 2
//!                                            \-- surely nothing done --> witness: not sent
//!                                            \-- answer lost, refused --> a new code is needed
//! ```
//! A token whose answer was lost is never sent again: amoCRM takes a token that comes twice for a
//! stolen one. While the access token lives, work goes on.
//!
//! Everything that changes the pair is here: code, rotation, and the new name of a portal that was
//! renamed (`whereabouts`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;

use super::auth::vault_failure;
use super::hosts;
use super::pair::{Pair, Place};
use super::turned_away::{NOT_THERE, TurnedAway};
use super::whereabouts::Whereabouts;
use super::wire::token::TokenAnswer;
use crate::clock::SharedClock;
use crate::crm::Class;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::http::AccountHttp;
use crate::crm::account::transport::{Method, Request, words};
use crate::crm::pair_vault::{PairVault, Standing, fingerprint};
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome, Rejection};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;
use crate::sabotage::{self, Promise};

/// How long after a rotation that came to nothing the next is tried, doubling.
const REST_FIRST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(300);

/// An integration of the customer's portal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OAuthClient {
    pub(super) id: String,
    pub(super) secret: Secret,
    /// As registered there, to the letter.
    pub(super) redirect_uri: String,
    /// Where an administrator permits the integration.
    pub(super) consent_page: String,
    /// The portal's host, as configured.
    pub(super) portal: String,
    /// Where requests to it go, unless it is renamed.
    pub(super) base_url: String,
}

impl OAuthClient {
    /// Says how to let us in again.
    fn remedy(&self) -> String {
        "trunkline account authorise shows the page to open, or takes the authorization code of \
         the integration's page in amoMarket (Keys) within 20 minutes"
            .to_owned()
    }

    /// Returns where requests to a host of amoCRM's go.
    pub(super) fn base_of(&self, host: &str) -> String {
        hosts::base_of(&self.base_url, &self.portal, host)
    }
}

/// The credential of one account.
pub(super) struct OAuth {
    pub(super) client: OAuthClient,
    pub(super) http: Arc<AccountHttp>,
    pub(super) vault: Arc<dyn PairVault>,
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) pair: Option<Pair>,
    /// A new code is needed: why.
    lost: Option<String>,
    /// The last rotation came to nothing.
    resting: Option<Resting>,
    /// When it was last asked whether the portal was renamed.
    pub(super) asked_where_at: Option<Instant>,
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

    /// Returns the access token to be sent; renews it in time.
    pub(super) async fn token(self: &Arc<Self>) -> Result<Secret, Failure> {
        let Some(pair) = self.pair().await? else {
            let why = format!(
                "the account is not authorised yet: {}",
                self.client.remedy()
            );
            return Err(Failure::AuthExpired { why });
        };
        if let Some(why) = &pair.ended {
            return Err(Failure::AuthExpired { why: why.clone() });
        }
        if !pair.wants_renewal(self.clock.now()) {
            return Ok(Secret::new(pair.access));
        }
        match self.renewed(&pair.access).await {
            Err(_) if pair.is_valid(self.clock.now()) => Ok(Secret::new(pair.access)),
            other => other,
        }
    }

    /// Returns another access token than this one, which is refused or ends soon. However many
    /// ask at once, the pair is rotated once.
    pub(super) async fn renewed(self: &Arc<Self>, stale: &str) -> Result<Secret, Failure> {
        if let Some(failure) = self.trouble() {
            return Err(failure);
        }
        let (this, stale) = (Arc::clone(self), stale.to_owned());
        // A task of its own: a rotation that has begun comes to its end, whoever gives up.
        let rotation = tokio::spawn(async move { this.rotate(&stale).await });
        rotation.await.unwrap_or_else(|error| {
            let why = format!("the renewal of the token broke off: {error}");
            Err(Failure::not_applied(NotAppliedCause::Failed, why, None))
        })
    }

    /// Exchanges an authorization code for the first pair.
    pub(super) async fn authorise(&self, code: &Secret) -> Outcome<()> {
        let _turn = self.vault.turn().await;
        let asked_at = self.clock.now();
        let body = json!({ "grant_type": "authorization_code", "code": code.expose() });
        let answer = match self.ask(body).await {
            Outcome::Done(answer) => answer,
            Outcome::NotApplied(not_applied) => return Outcome::NotApplied(not_applied),
            Outcome::Ambiguous { why } => {
                return Outcome::Ambiguous {
                    why: format!("the code may be used up, make a new one: {why}"),
                };
            }
            Outcome::AuthExpired { why } => {
                return refused(format!("amoCRM refuses the code: {why}"));
            }
            Outcome::Rejected(rejection) => return Outcome::Rejected(rejection),
        };
        let host = self.host().await;
        let place = Place::new(&self.client.portal, &host);
        let pair = answer.pair(asked_at, None, place);
        // The witness first: should we end in between, the pair is lost and another code is asked
        // for; the other way round an old pair might pass for the newest.
        let saved = match self.vault.save_witness(pair.witness(false)).await {
            Ok(()) => self.vault.save(write(&pair)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = saved {
            return Outcome::Ambiguous {
                why: format!("the code was used up, but the tokens could not be stored: {error}"),
            };
        }
        *self.state() = State {
            pair: Some(pair),
            ..State::default()
        };
        Outcome::Done(())
    }

    /// Says what a person must do, if anything; tells of an end that is less than `soon` away.
    pub(super) async fn alarm(&self, now: Timestamp, soon: Duration) -> Option<String> {
        let pair = match self.pair().await {
            Ok(Some(pair)) => pair,
            Ok(None) => return Some(format!("not authorised yet: {}", self.client.remedy())),
            Err(_) => return None,
        };
        if let Some(why) = &self.state().lost {
            return Some(why.clone());
        }
        let ends_at = pair.refresh_ends_at();
        (ends_at.since(now) < soon).then(|| {
            format!(
                "the refresh token was not used since {} and ends at {ends_at}: see why the \
                 account is not reached, or let it in again: {}",
                pair.from,
                self.client.remedy()
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

    /// Returns the portal's host as it is called now.
    pub(super) async fn host(&self) -> String {
        let pair = self.pair().await.ok().flatten();
        pair.and_then(|pair| pair.place.host(&self.client.portal))
            .unwrap_or_else(|| self.client.portal.clone())
    }

    /// Forgets what is remembered of the pair: it is not in the store any more.
    pub(super) fn forget(&self) {
        *self.state() = State::default();
    }

    /// Takes note that a person switched the integration off: nothing more is sent until another
    /// lets it in again.
    pub(super) async fn end(&self, why: &str) {
        let _turn = self.vault.turn().await;
        let why = format!("{why}; {}", self.client.remedy());
        if let Ok(Some(pair)) = self.load().await {
            let ended = Some(why.clone());
            let pair = Pair { ended, ..pair };
            if let Err(error) = self.vault.save(write(&pair)).await {
                tracing::error!(%error, "cannot write down that the account was switched off");
            }
            self.state().pair = Some(pair);
        }
        tracing::error!(why, "the account rests");
        self.state().lost = Some(why);
    }

    pub(super) async fn load(&self) -> Result<Option<Pair>, Failure> {
        let stored = self.vault.load().await.map_err(|e| vault_failure(&e))?;
        let read = stored.and_then(|text| serde_json::from_str::<Pair>(text.expose()).ok());
        // Tokens of the portal that was configured here before are not sent to this one.
        let pair = read.filter(|pair| pair.place.host(&self.client.portal).is_some());
        if let Some(pair) = &pair {
            self.settle(pair);
            let mut state = self.state();
            state.pair = Some(pair.clone());
            if pair.ended.is_some() {
                state.lost.clone_from(&pair.ended);
            }
        }
        Ok(pair)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
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

    async fn rotate(&self, stale: &str) -> Result<Secret, Failure> {
        let _turn = self.vault.turn().await;
        // Whoever had the turn before may have done it, or found that it cannot be done.
        let Some(pair) = self.load().await? else {
            let why = format!("the account is not authorised: {}", self.client.remedy());
            return Err(Failure::AuthExpired { why });
        };
        if pair.access != stale && pair.is_valid(self.clock.now()) {
            return Ok(Secret::new(pair.access));
        }
        if let Some(failure) = self.trouble() {
            return Err(failure);
        }
        let failed = |error| vault_failure(&error);
        let witness = self.vault.witness().await.map_err(failed)?;
        match pair.standing(witness.as_ref()) {
            _ if sabotage::broken(Promise::SpentToken) => {}
            Standing::Fresh => {}
            Standing::Spent => {
                return Err(self.lost("the answer to the last renewal was lost".to_owned()));
            }
            Standing::FromElsewhere => {
                let why = "the stored token is not the newest, the store comes from a backup or \
                           from another machine";
                return Err(self.lost(why.to_owned()));
            }
        }
        self.vault
            .save_witness(pair.witness(true))
            .await
            .map_err(failed)?;
        let asked_at = self.clock.now();
        let body = || json!({ "grant_type": "refresh_token", "refresh_token": pair.refresh });
        let mut answer = self.ask(body()).await;
        let mut pair = pair.clone();
        if let Some(turned_away) = TurnedAway::of(&answer) {
            let found = self.whereabouts(&pair).await;
            // Nothing was rotated: the token was not even looked at, or not at the account's host.
            let unused = match &found {
                Whereabouts::Moved(_) => true,
                Whereabouts::Here | Whereabouts::Unknown(_) => turned_away == TurnedAway::Unread,
            };
            if unused {
                let unsent = pair.witness(false);
                self.vault.save_witness(unsent).await.map_err(failed)?;
            }
            match found {
                Whereabouts::Moved(host) => {
                    pair = self.follow(pair, &host).await?;
                    let sent = pair.witness(true);
                    self.vault.save_witness(sent).await.map_err(failed)?;
                    answer = self.ask(body()).await;
                }
                Whereabouts::Unknown(why) if unused => {
                    let cause = NotAppliedCause::Unreachable;
                    let why = format!("the portal may have been renamed, and to what: {why}");
                    let retry_after = None;
                    return Err(self.rest(NotApplied {
                        cause,
                        why,
                        retry_after,
                    }));
                }
                Whereabouts::Here | Whereabouts::Unknown(_) => {}
            }
        }
        match answer {
            Outcome::Done(answer) => {
                let next = answer.pair(asked_at, Some(&pair), pair.place.clone());
                self.vault.save(write(&next)).await.map_err(failed)?;
                self.vault
                    .save_witness(next.witness(false))
                    .await
                    .map_err(failed)?;
                let token = Secret::new(next.access.clone());
                *self.state() = State {
                    pair: Some(next),
                    ..State::default()
                };
                tracing::info!("the access token was renewed");
                Ok(token)
            }
            Outcome::NotApplied(not_applied) => {
                self.vault
                    .save_witness(pair.witness(false))
                    .await
                    .map_err(failed)?;
                Err(self.rest(not_applied))
            }
            Outcome::Ambiguous { why } if sabotage::broken(Promise::SpentToken) => {
                let cause = NotAppliedCause::Failed;
                Err(self.rest(NotApplied {
                    cause,
                    why,
                    retry_after: None,
                }))
            }
            Outcome::Ambiguous { why } => {
                Err(self.lost(format!("the answer to the renewal was lost ({why})")))
            }
            Outcome::AuthExpired { why } if TurnedAway::by(&why) == TurnedAway::Unread => Err(self
                .lost(format!(
                    "amoCRM does not know the integration, check client_id and client_secret \
                     ({why})"
                ))),
            Outcome::AuthExpired { why } => Err(self.lost(format!("amoCRM refuses it ({why})"))),
            Outcome::Rejected(rejection) => {
                Err(self.lost(format!("amoCRM refuses it ({})", rejection.message)))
            }
        }
    }

    /// The pair cannot be rotated any more.
    fn lost(&self, why: String) -> Failure {
        let why = format!(
            "the refresh token cannot be used: {why}; {}",
            self.client.remedy()
        );
        tracing::error!(why, "the account must be authorised again");
        self.state().lost = Some(why.clone());
        Failure::AuthExpired { why }
    }

    /// The rotation surely came to nothing: it may be tried again, not at once.
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

    /// Asks the token endpoint.
    async fn ask(&self, mut body: serde_json::Value) -> Outcome<TokenAnswer> {
        body["client_id"] = self.client.id.as_str().into();
        body["client_secret"] = self.client.secret.expose().into();
        body["redirect_uri"] = self.client.redirect_uri.as_str().into();
        let request = Request {
            method: Method::Post,
            path: "/oauth2/access_token".to_owned(),
            query: Vec::new(),
            body: Some(Bytes::from(body.to_string())),
            bearer: None,
            purpose: Purpose::Write,
            // Everything waits for it.
            class: Class::Live,
        };
        let response = match self.http.send(request).await {
            Outcome::Done(response) => response,
            Outcome::NotApplied(not_applied) => return Outcome::NotApplied(not_applied),
            Outcome::Ambiguous { why } => return Outcome::Ambiguous { why },
            Outcome::AuthExpired { why } => return Outcome::AuthExpired { why },
            Outcome::Rejected(rejection) => return Outcome::Rejected(rejection),
        };
        let status = response.status;
        if status == 404 {
            return Outcome::Rejected(Rejection {
                code: NOT_THERE.to_owned(),
                message: format!("HTTP 404: {}", words(&response.body)),
            });
        }
        if !(200..=299).contains(&status) {
            return refused(format!("HTTP {status}: {}", words(&response.body)));
        }
        match TokenAnswer::read(&response.body) {
            Some(answer) => Outcome::Done(answer),
            // What it says is not told: it may hold a token.
            None => Outcome::Ambiguous {
                why: format!("HTTP {status} without tokens"),
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

pub(super) fn write(pair: &Pair) -> Secret {
    // Plain texts and numbers always can be written.
    Secret::new(serde_json::to_string(pair).unwrap_or_default())
}

impl TokenAnswer {
    fn pair(self, from: Timestamp, before: Option<&Pair>, place: Place) -> Pair {
        Pair {
            access: self.access_token,
            refresh: self.refresh_token,
            from,
            until: from.plus(Duration::from_secs(self.expires_in)),
            previous: before.map(|pair| fingerprint(&pair.refresh)),
            place,
            ended: None,
        }
    }
}
