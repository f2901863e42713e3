//! How a person lets us in on amoCRM's page, and switches us off there (`crm/amocrm.md` §2).

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use url::Url;

use super::AmoAdapter;
use super::auth::Auth;
use super::client::ReadError;
use super::hosts;
use super::signature::is_signed;
use crate::crm::account::classify::Failure;
use crate::crm::{Class, Consent, Grant, NoPage, SwitchOff, SwitchedOff};
use crate::model::outcome::{Outcome, Rejection};
use crate::model::secret::Secret;

/// What the account says of itself while it rests.
const SWITCHED_OFF: &str = "the integration was switched off in amoCRM, which revoked our access; \
                            switch it on there and let us in again";

impl Consent for AmoAdapter {
    fn page(&self, callback: &str, state: &Secret) -> Result<String, NoPage> {
        let Auth::OAuth(oauth) = &self.client.auth else {
            return Err(NoPage::NotByConsent);
        };
        let client = &oauth.client;
        if client.redirect_uri != callback {
            return Err(NoPage::Elsewhere {
                registered: client.redirect_uri.clone(),
                ours: callback.to_owned(),
            });
        }
        let query = [
            ("client_id", client.id.as_str()),
            ("state", state.expose()),
            ("mode", "popup"),
        ];
        let page = Url::parse_with_params(&client.consent_page, query);
        page.map(String::from).map_err(|_| NoPage::NotByConsent)
    }

    fn granted(&self, grant: Grant) -> BoxFuture<'_, Outcome<()>> {
        async move {
            let Auth::OAuth(oauth) = &self.client.auth else {
                return elsewhere(NoPage::NotByConsent.to_string());
            };
            let Some(given_in) = hosts::own(&grant.host) else {
                return elsewhere("the consent comes from a host that is none of amoCRM's".into());
            };
            // A portal that was renamed since is asked for its new name before it is refused.
            if oauth.host().await != given_in {
                oauth.moved_from(&oauth.http.base_url()).await;
            }
            let ours = oauth.host().await;
            if ours != given_in {
                return elsewhere(format!(
                    "the consent was given in {given_in}, and this account is {ours}: log in \
                     there, or change the account's url"
                ));
            }
            // The code goes to our own account's host, never to one that a request names.
            self.client.auth.authorise(&grant.code).await
        }
        .boxed()
    }

    fn signed(&self, notice: &SwitchOff) -> BoxFuture<'_, bool> {
        let notice = notice.clone();
        async move {
            let Some(secret) = &self.client_secret else {
                return false;
            };
            let claims = self.client.auth.claims().await;
            let own = |ours: Option<String>, said: &str| ours.is_none_or(|ours| ours == said);
            let client_id = match &self.client.auth {
                Auth::OAuth(oauth) => Some(oauth.client.id.clone()),
                Auth::LongLived(_) => claims.client_id,
            };
            own(client_id, &notice.client_id)
                && own(claims.account_id, &notice.account_id)
                && is_signed(
                    secret,
                    &notice.client_id,
                    &notice.account_id,
                    &notice.signature,
                )
        }
        .boxed()
    }

    fn check_switched_off(&self) -> BoxFuture<'_, SwitchedOff> {
        async {
            let account = self
                .client
                .record::<Value>("/api/v4/account", Vec::new(), Class::Live);
            match account.await {
                Ok(_) => SwitchedOff::No,
                Err(ReadError::Failed(Failure::AuthExpired { .. })) => {
                    self.client.auth.end(SWITCHED_OFF).await;
                    SwitchedOff::Yes
                }
                Err(ReadError::Failed(Failure::NotApplied(not_applied))) => {
                    SwitchedOff::Unknown(not_applied.why)
                }
                Err(ReadError::Failed(Failure::Ambiguous { why })) => SwitchedOff::Unknown(why),
                Err(ReadError::Refused(rejection)) => SwitchedOff::Unknown(rejection.message),
            }
        }
        .boxed()
    }

    fn forgotten(&self) {
        if let Auth::OAuth(oauth) = &self.client.auth {
            oauth.forget();
        }
    }
}

fn elsewhere(message: String) -> Outcome<()> {
    Outcome::Rejected(Rejection {
        code: "consent".to_owned(),
        message,
    })
}
