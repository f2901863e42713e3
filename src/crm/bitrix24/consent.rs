//! How a person lets us in on the portal's page (`crm/bitrix24.md` §3).

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use url::Url;

use super::BitrixAdapter;
use super::auth::Auth;
use super::command::Command;
use super::hosts;
use super::pool::Unanswered;
use crate::crm::account::classify::Failure;
use crate::crm::{Class, Consent, Grant, NoPage, SwitchOff, SwitchedOff};
use crate::model::outcome::{Outcome, Rejection};
use crate::model::secret::Secret;

/// What the account says of itself while it rests.
const REMOVED: &str = "the application was removed from the portal; install it there and let us \
                       in again";

impl Consent for BitrixAdapter {
    fn page(&self, callback: &str, state: &Secret) -> Result<String, NoPage> {
        let Auth::OAuth(oauth) = self.client.auth() else {
            return Err(NoPage::NotByConsent);
        };
        let client = &oauth.client;
        // Without a return address the portal shows the code, to be pasted.
        if let Some(registered) = client.redirect_uri.as_ref().filter(|uri| *uri != callback) {
            return Err(NoPage::Elsewhere {
                registered: registered.clone(),
                ours: callback.to_owned(),
            });
        }
        let page = format!("https://{}/oauth/authorize/", client.portal);
        let query = [("client_id", client.id.as_str()), ("state", state.expose())];
        let page = Url::parse_with_params(&page, query);
        page.map(String::from).map_err(|_| NoPage::NotByConsent)
    }

    fn granted(&self, grant: Grant) -> BoxFuture<'_, Outcome<()>> {
        async move {
            let Auth::OAuth(oauth) = self.client.auth() else {
                return elsewhere(NoPage::NotByConsent.to_string());
            };
            let portal = &oauth.client.portal;
            let given_in = grant.host.trim().to_ascii_lowercase();
            // Not every portal says where the person was; the tokens say so in any case.
            if !given_in.is_empty() && given_in != *portal {
                let named = match hosts::cloud(&given_in) {
                    Some(host) => format!("the consent was given in {host}"),
                    None => "the consent comes from a host that is no portal".to_owned(),
                };
                return elsewhere(format!("{named}, and this account is {portal}"));
            }
            oauth.authorise(&grant.code).await
        }
        .boxed()
    }

    fn signed(&self, notice: &SwitchOff) -> BoxFuture<'_, bool> {
        let notice = notice.clone();
        async move {
            // The portal signs nothing: it is known by the word that came with the installation.
            let Auth::OAuth(oauth) = self.client.auth() else {
                return false;
            };
            let told = oauth.is_from_portal(&notice.account_id, &notice.signature);
            told.await
        }
        .boxed()
    }

    fn check_switched_off(&self) -> BoxFuture<'_, SwitchedOff> {
        async {
            let asked = Command::new("scope", json!({}));
            match self.client.read("scope", asked, Class::Live).await {
                Ok(_) => SwitchedOff::No,
                Err(Unanswered::Failed(Failure::AuthExpired { .. })) => {
                    if let Auth::OAuth(oauth) = self.client.auth() {
                        oauth.end(REMOVED).await;
                    }
                    SwitchedOff::Yes
                }
                Err(Unanswered::Failed(Failure::NotApplied(not_applied))) => {
                    SwitchedOff::Unknown(not_applied.why)
                }
                Err(Unanswered::Failed(Failure::Ambiguous { why })) => SwitchedOff::Unknown(why),
                Err(Unanswered::Refused(rejection)) => SwitchedOff::Unknown(rejection.message),
            }
        }
        .boxed()
    }

    fn forgotten(&self) {
        if let Auth::OAuth(oauth) = self.client.auth() {
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
