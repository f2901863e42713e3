//! The one place that knows how a portal lets us in (`crm/bitrix24.md` §2, §3): by an incoming
//! webhook, whose address is a secret, or as an application with a pair of tokens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::oauth::{OAuth, OAuthClient};
use super::pool::Unanswered;
use super::settings::{BitrixSettings, CLIENT_SECRET};
use crate::crm::account::classify::Failure;
use crate::crm::{AccountDoor, CredentialState, CredentialWay, TokenVault, VaultError};
use crate::model::outcome::{NotAppliedCause, Outcome, Rejection};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// How long a refused webhook rests before it is tried again, doubling while it is refused.
const REST_FIRST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(600);

/// What to do about a refused or missing webhook.
const REMEDY: &str = "make an incoming webhook with the scopes crm, user_basic and telephony \
                      (developer resources of the portal) and enter its address as the account's \
                      secret \"token\"";

/// A credential that ends within this time is told of.
const ENDS_SOON: Duration = Duration::from_secs(30 * 86_400);

/// Where and with what a request is sent.
#[derive(Clone)]
pub(super) struct Credential {
    /// The portal's address; of a webhook with its secret.
    pub(super) base_url: String,
    /// Where methods lie below it.
    pub(super) prefix: &'static str,
    /// The access token, which goes into the body.
    pub(super) token: Option<Secret>,
    /// Whose rights it has.
    pub(super) user: Option<String>,
}

/// The credential of one account.
pub(super) enum Auth {
    /// An incoming webhook.
    Webhook(Webhook),
    /// An application.
    OAuth(Arc<OAuth>),
}

impl Auth {
    /// Takes the way that the settings name.
    pub(super) fn open(settings: &BitrixSettings, door: &AccountDoor) -> Self {
        let Some(application) = &settings.application else {
            return Auth::Webhook(Webhook {
                vault: Arc::clone(&door.vault),
                portal: settings.host.clone(),
                base_url: settings.base_url.clone(),
                refused: Mutex::default(),
            });
        };
        let client = OAuthClient {
            id: application.client_id.clone(),
            // The configuration sees to it that there is one.
            secret: door.secrets.get(CLIENT_SECRET).cloned().unwrap_or_default(),
            redirect_uri: application.redirect_uri.clone(),
            server: application.oauth_host.to_owned(),
            portal: settings.host.clone(),
            base_url: settings.base_url.clone(),
        };
        let (http, pairs) = (Arc::clone(&door.http), Arc::clone(&door.pairs));
        Auth::OAuth(OAuth::new(client, http, pairs, Arc::clone(&door.clock)))
    }

    /// Says whether we come as an application: only then all of the contract is open to us.
    pub(super) fn is_application(&self) -> bool {
        match self {
            Auth::Webhook(_) => false,
            Auth::OAuth(_) => true,
        }
    }

    /// Returns what the next request is sent with.
    pub(super) async fn present(&self) -> Result<Credential, Failure> {
        match self {
            Auth::Webhook(webhook) => webhook.present().await,
            Auth::OAuth(oauth) => Ok(Self::of_pair(oauth, oauth.present().await?)),
        }
    }

    /// Takes note that the portal refused a credential; returns another one, or why there is none.
    pub(super) async fn refused(
        &self,
        used: &Credential,
        words: &str,
    ) -> Result<Credential, Failure> {
        match self {
            Auth::Webhook(webhook) => Err(webhook.refused(&used.base_url, words)),
            Auth::OAuth(oauth) => {
                let stale = used.token.as_ref().map_or("", Secret::expose);
                Ok(Self::of_pair(oauth, oauth.renewed(stale).await?))
            }
        }
    }

    /// Takes note that the portal answers with a redirect; returns a credential for where it is now, if
    /// the authorisation server knows another place.
    pub(super) async fn moved(&self, used: &Credential) -> Result<Option<Credential>, Unanswered> {
        match self {
            Auth::Webhook(_) => Ok(None),
            Auth::OAuth(oauth) => {
                let stale = used.token.as_ref().map_or("", Secret::expose);
                let pair = oauth.moved(stale).await.map_err(Unanswered::Failed)?;
                let next = pair.map(|pair| Self::of_pair(oauth, pair));
                Ok(next.filter(|next| next.base_url != used.base_url))
            }
        }
    }

    fn of_pair(oauth: &OAuth, pair: super::pair::Pair) -> Credential {
        Credential {
            base_url: oauth.client.base_of(&pair.host),
            prefix: "/rest",
            token: Some(Secret::new(pair.access)),
            user: pair.user,
        }
    }

    /// Takes note that the portal took the credential.
    pub(super) fn accepted(&self) {
        match self {
            Auth::Webhook(webhook) => *webhook.lock() = None,
            Auth::OAuth(_) => {}
        }
    }

    /// Makes the credential from an authorization code.
    pub(super) async fn authorise(&self, code: &Secret) -> Outcome<()> {
        match self {
            Auth::Webhook(_) => Outcome::Rejected(Rejection {
                code: "no_code".to_owned(),
                message:
                    "the account comes in by a webhook; for an application set client_id, and \
                          the secret client_secret"
                        .to_owned(),
            }),
            Auth::OAuth(oauth) => oauth.authorise(code).await,
        }
    }

    /// Says what a person must do about it, if anything.
    pub(super) async fn alarm(&self, now: Timestamp) -> Option<String> {
        match self {
            Auth::Webhook(webhook) => webhook.lock().as_ref().map(|refused| refused.why.clone()),
            Auth::OAuth(oauth) => oauth.alarm(now, ENDS_SOON).await,
        }
    }

    /// Says how the account is let in, and until when.
    pub(super) async fn credential(&self) -> CredentialState {
        match self {
            Auth::Webhook(_) => CredentialState {
                way: CredentialWay::Token,
                ends_at: None,
                renamed_to: None,
            },
            Auth::OAuth(oauth) => {
                let pair = oauth.pair().await.ok().flatten();
                let portal = &oauth.client.portal;
                CredentialState {
                    way: CredentialWay::Oauth,
                    ends_at: pair.as_ref().map(super::pair::Pair::refresh_ends_at),
                    renamed_to: pair.map(|pair| pair.host).filter(|host| host != portal),
                }
            }
        }
    }

    /// Returns the name of the portal that never changes, where it is known.
    pub(super) async fn member_id(&self) -> Option<String> {
        match self {
            Auth::Webhook(_) => None,
            Auth::OAuth(oauth) => Some(oauth.pair().await.ok()??.member_id),
        }
    }

    /// Keeps a pair alive that is not used.
    pub(super) async fn keep(&self) {
        match self {
            Auth::Webhook(_) => {}
            Auth::OAuth(oauth) => oauth.keep().await,
        }
    }
}

/// An incoming webhook.
pub(super) struct Webhook {
    vault: Arc<dyn TokenVault>,
    portal: String,
    base_url: String,
    refused: Mutex<Option<RefusedWebhook>>,
}

struct RefusedWebhook {
    base_url: String,
    why: String,
    until: Instant,
    rest: Duration,
}

impl Webhook {
    /// Returns where to send. A webhook that was refused is not tried again for a while.
    async fn present(&self) -> Result<Credential, Failure> {
        let expired = |why: String| Failure::AuthExpired { why };
        let stored = match self.vault.load().await {
            Ok(stored) => stored,
            Err(error) => return Err(vault_failure(&error)),
        };
        let stored = stored.ok_or_else(|| expired(format!("no webhook is stored: {REMEDY}")))?;
        let (user, secret) = read_webhook(stored.expose(), &self.portal).ok_or_else(|| {
            expired(format!(
                "the stored webhook is none of this portal: {REMEDY}"
            ))
        })?;
        let base_url = format!("{}/rest/{user}/{secret}", self.base_url);
        match &*self.lock() {
            Some(refused) if refused.base_url == base_url && Instant::now() < refused.until => {
                Err(expired(refused.why.clone()))
            }
            Some(_) | None => Ok(Credential {
                base_url,
                prefix: "",
                token: None,
                user: Some(user),
            }),
        }
    }

    fn refused(&self, base_url: &str, words: &str) -> Failure {
        let why = format!("the portal refuses the webhook ({words}): {REMEDY}");
        let mut refused = self.lock();
        let now = Instant::now();
        let rest = match &*refused {
            // Sent before the first refusal was known: that says nothing new.
            Some(before) if before.base_url == base_url && now < before.until => {
                return Failure::AuthExpired { why };
            }
            Some(before) if before.base_url == base_url => (before.rest * 2).min(REST_MAX),
            Some(_) | None => REST_FIRST,
        };
        *refused = Some(RefusedWebhook {
            base_url: base_url.to_owned(),
            why: why.clone(),
            until: now + rest,
            rest,
        });
        Failure::AuthExpired { why }
    }

    fn lock(&self) -> MutexGuard<'_, Option<RefusedWebhook>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a webhook's address, or what stands after `/rest/` in it: user and secret.
fn read_webhook(text: &str, portal: &str) -> Option<(String, String)> {
    let text = text.trim();
    let path = match text.split_once("://") {
        Some((_, address)) => {
            let (host, path) = address.split_once('/')?;
            let own = host.eq_ignore_ascii_case(portal);
            own.then(|| path.strip_prefix("rest/")).flatten()?
        }
        None => text.trim_start_matches('/').trim_start_matches("rest/"),
    };
    let mut parts = path.trim_end_matches('/').split('/');
    let (user, secret) = (parts.next()?, parts.next()?);
    let good = !user.is_empty()
        && user.bytes().all(|b| b.is_ascii_digit())
        && !secret.is_empty()
        && secret.bytes().all(|b| b.is_ascii_alphanumeric());
    good.then(|| (user.to_owned(), secret.to_owned()))
}

/// Says what a vault's refusal means for a request that was not sent.
pub(super) fn vault_failure(error: &VaultError) -> Failure {
    match error {
        VaultError::WrongKey => Failure::AuthExpired {
            why: error.to_string(),
        },
        VaultError::Closed | VaultError::Witness(_) => {
            Failure::not_applied(NotAppliedCause::Failed, error.to_string(), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_entered_as_its_address_or_as_its_end() {
        let read = |text| read_webhook(text, "demo.bitrix24.ru");
        let good = Some(("12".to_owned(), "s3cret".to_owned()));
        for text in [
            "https://demo.bitrix24.ru/rest/12/s3cret/",
            "https://demo.bitrix24.ru/rest/12/s3cret/profile.json",
            "12/s3cret",
            " rest/12/s3cret/ ",
        ] {
            assert_eq!(read(text), good, "{text}");
        }
        for text in [
            "https://other.bitrix24.ru/rest/12/s3cret/",
            "https://demo.bitrix24.ru/12/s3cret/",
            "s3cret",
            "x/s3cret",
            "12/../evil",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
