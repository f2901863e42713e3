//! Where an account lives now. A portal can be renamed; then its old host answers 401 or 404 (or
//! sends elsewhere, which we do not follow), and the shared host that our own access token names
//! knows the new one (`crm/amocrm.md` §2).

use std::time::Duration;

use tokio::time::Instant;

use super::auth::vault_failure;
use super::claims::Claims;
use super::hosts;
use super::oauth::{OAuth, write};
use super::pair::{Pair, Place};
use super::wire::token::{self, WHOSE};
use crate::crm::Class;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::transport::{Elsewhere, Method, Request};
use crate::model::outcome::Outcome;
use crate::model::secret::Secret;

/// How often it is asked where the account lives when requests say that it is not there: a portal
/// is renamed once in years, and a network that is down looks alike.
const ASK_WHERE_EVERY: Duration = Duration::from_secs(300);

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// On the host where it was, or amoCRM does not tell us otherwise.
    Here,
    /// On this host of amoCRM's.
    Moved(String),
    /// The shared host did not answer: why.
    Unknown(String),
}

impl OAuth {
    /// Asks where the account lives now, because a request to `from` said that it is not there.
    /// Says whether it lives elsewhere; then requests go there from now on.
    pub(super) async fn moved_from(&self, from: &str) -> bool {
        {
            let mut state = self.state();
            let lately = state
                .asked_where_at
                .map(|at| at.elapsed() < ASK_WHERE_EVERY);
            if lately == Some(true) {
                return self.http.base_url() != from;
            }
            state.asked_where_at = Some(Instant::now());
        }
        let _turn = self.vault.turn().await;
        let Ok(Some(pair)) = self.load().await else {
            return false;
        };
        if let Whereabouts::Moved(host) = self.whereabouts(&pair).await {
            let saved = self.follow(pair, &host).await;
            return saved.is_ok();
        }
        self.http.base_url() != from
    }

    /// Writes down that the portal is called otherwise now, and has requests go there.
    pub(super) async fn follow(&self, pair: Pair, host: &str) -> Result<Pair, Failure> {
        let place = Place::new(&self.client.portal, host);
        let pair = Pair { place, ..pair };
        let saved = self.vault.save(write(&pair)).await;
        saved.map_err(|error| vault_failure(&error))?;
        self.settle(&pair);
        tracing::warn!(
            from = self.client.portal,
            to = host,
            "the portal was renamed"
        );
        self.state().pair = Some(pair.clone());
        Ok(pair)
    }

    /// Has requests go where the pair is good.
    pub(super) fn settle(&self, pair: &Pair) {
        let Some(host) = pair.place.host(&self.client.portal) else {
            return;
        };
        let base = self.client.base_of(&host);
        if host != self.client.portal
            && self.http.base_url() != base
            && let Err(error) = self.http.move_to(&base)
        {
            tracing::error!(%error, host, "the portal's new address cannot be used");
        }
    }

    /// Asks where the account of a pair lives. The refresh token is shown to the shared host only,
    /// which does not use it up; the caller has the turn.
    pub(super) async fn whereabouts(&self, pair: &Pair) -> Whereabouts {
        let claims = Claims::of(&pair.access);
        let Some(shared) = claims.api_domain.as_deref().and_then(hosts::own) else {
            return Whereabouts::Here;
        };
        let to = Elsewhere {
            base_url: self.client.base_of(&shared),
            header: (WHOSE, Secret::new(pair.refresh.clone())),
        };
        let request = Request {
            method: Method::Get,
            path: "/oauth2/account/current/subdomain".to_owned(),
            query: Vec::new(),
            body: None,
            bearer: None,
            purpose: Purpose::Read,
            class: Class::Live,
        };
        let response = match self.http.send_elsewhere(request, to).await {
            Outcome::Done(response) => response,
            Outcome::NotApplied(not_applied) => return Whereabouts::Unknown(not_applied.why),
            Outcome::Ambiguous { why } => return Whereabouts::Unknown(why),
            // It does not know the token: then it has nothing to say about its account.
            Outcome::AuthExpired { .. } | Outcome::Rejected(_) => return Whereabouts::Here,
        };
        let found = match response.status {
            200..=299 => token::Whereabouts::read(&response.body),
            _ => return Whereabouts::Here,
        };
        let Some(found) = found else {
            return Whereabouts::Unknown("the answer cannot be read".to_owned());
        };
        if claims.account_id.is_some_and(|id| id != found.account_id) {
            tracing::error!("amoCRM says where another account lives; that is not followed");
            return Whereabouts::Here;
        }
        let Some(host) = hosts::own(&found.host) else {
            tracing::error!("the portal's new host is none of amoCRM's; it is not followed");
            return Whereabouts::Here;
        };
        if Some(&host) == pair.place.host(&self.client.portal).as_ref() {
            return Whereabouts::Here;
        }
        Whereabouts::Moved(host)
    }
}
