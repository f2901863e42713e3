//! The one place that knows how amoCRM lets us in (`crm/amocrm.md` §2): by a long-lived token, made
//! by an administrator on the page of a private integration, or by OAuth.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::claims::Claims;
use super::oauth::{OAuth, OAuthClient};
use super::settings::{AmoSettings, CLIENT_SECRET};
use crate::crm::account::classify::Failure;
use crate::crm::{AccountDoor, CredentialState, CredentialWay, TokenVault, VaultError};
use crate::model::outcome::{NotAppliedCause, Outcome, Rejection};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// How long a refused token rests before it is tried again, doubling while it is refused: a single
/// 401 may be a fault of the CRM, and in the long run one request in ten minutes harms nobody.
const REST_FIRST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(600);

/// What to do about a refused or missing token.
const REMEDY: &str = "make a new long-lived token in amoCRM (amoMarket, your integration, Keys) \
                      and enter it as the account's secret \"token\"";

/// A credential that ends within this time is told of.
const ENDS_SOON: Duration = Duration::from_secs(30 * 86_400);

/// The credential of one account.
pub(super) enum Auth {
    /// A token that is good until it ends.
    LongLived(LongLived),
    /// A pair that rotates.
    OAuth(Arc<OAuth>),
}

impl Auth {
    /// Takes the way that the settings name.
    pub(super) fn open(settings: &AmoSettings, door: &AccountDoor) -> Self {
        let Some(oauth) = &settings.oauth else {
            return Auth::LongLived(LongLived::new(door.vault.clone()));
        };
        let client = OAuthClient {
            id: oauth.client_id.clone(),
            // The configuration sees to it that there is one.
            secret: door.secrets.get(CLIENT_SECRET).cloned().unwrap_or_default(),
            redirect_uri: oauth.redirect_uri.clone(),
            consent_page: settings.consent_page(),
            portal: settings.host.clone(),
            base_url: settings.base_url.clone(),
        };
        let (http, pairs) = (door.http.clone(), door.pairs.clone());
        Auth::OAuth(OAuth::new(client, http, pairs, door.clock.clone()))
    }

    /// Returns the token to be sent.
    pub(super) async fn token(&self) -> Result<Secret, Failure> {
        match self {
            Auth::LongLived(token) => token.token().await,
            Auth::OAuth(pair) => pair.token().await,
        }
    }

    /// Takes note that amoCRM refused a token; returns another one, or why there is none.
    pub(super) async fn refused(&self, token: Secret, words: &str) -> Result<Secret, Failure> {
        match self {
            Auth::LongLived(long_lived) => Err(Failure::AuthExpired {
                why: long_lived.refused(token, words),
            }),
            Auth::OAuth(pair) => pair.renewed(token.expose()).await,
        }
    }

    /// Takes note that amoCRM took the token.
    pub(super) fn accepted(&self) {
        match self {
            Auth::LongLived(token) => token.accepted(),
            Auth::OAuth(_) => {}
        }
    }

    /// Makes the credential from an authorization code.
    pub(super) async fn authorise(&self, code: &Secret) -> Outcome<()> {
        match self {
            Auth::LongLived(_) => Outcome::Rejected(Rejection {
                code: "no_code".to_owned(),
                message: "the account has a long-lived token; for OAuth set client_id and \
                          redirect_uri, and the secret client_secret"
                    .to_owned(),
            }),
            Auth::OAuth(pair) => pair.authorise(code).await,
        }
    }

    /// Says what a person must do about it, if anything.
    pub(super) async fn alarm(&self, now: Timestamp) -> Option<String> {
        match self {
            Auth::LongLived(token) => {
                if let Some(why) = token.refusal() {
                    return Some(why);
                }
                let ends_at = token.claims().await.ends_at?;
                (ends_at.since(now) < ENDS_SOON)
                    .then(|| format!("the token ends at {ends_at}: {REMEDY}"))
            }
            Auth::OAuth(pair) => pair.alarm(now, ENDS_SOON).await,
        }
    }

    /// Says how the account is let in, and until when.
    pub(super) async fn credential(&self) -> CredentialState {
        match self {
            Auth::LongLived(token) => CredentialState {
                way: CredentialWay::Token,
                ends_at: token.claims().await.ends_at,
                renamed_to: None,
            },
            Auth::OAuth(oauth) => {
                let pair = oauth.pair().await.ok().flatten();
                let host = oauth.host().await;
                CredentialState {
                    way: CredentialWay::Oauth,
                    ends_at: pair.map(|pair| pair.refresh_ends_at()),
                    renamed_to: (host != oauth.client.portal).then_some(host),
                }
            }
        }
    }

    /// Returns what the present access token says about itself.
    pub(super) async fn claims(&self) -> Claims {
        match self {
            Auth::LongLived(token) => token.claims().await,
            Auth::OAuth(oauth) => match oauth.pair().await {
                Ok(Some(pair)) => Claims::of(&pair.access),
                Ok(None) | Err(_) => Claims::default(),
            },
        }
    }

    /// Renews a pair that nobody else may use for months.
    pub(super) async fn keep(&self) {
        match self {
            Auth::LongLived(_) => {}
            // What comes of it stands in the alarm; the next use would find the same.
            Auth::OAuth(oauth) => drop(oauth.token().await),
        }
    }

    /// Takes note that a person switched us off in the CRM.
    pub(super) async fn end(&self, why: &str) {
        match self {
            // A token that is refused is told of already, and tried every ten minutes: switched on
            // again, it may be good again.
            Auth::LongLived(token) => token.say(why),
            Auth::OAuth(oauth) => oauth.end(why).await,
        }
    }

    /// Asks whether the portal was renamed, after a request to `from` said that it is not there.
    pub(super) async fn moved_from(&self, from: &str) -> bool {
        match self {
            // The host that knows takes refresh tokens only (`crm/amocrm.md` §2).
            Auth::LongLived(_) => false,
            Auth::OAuth(oauth) => oauth.moved_from(from).await,
        }
    }
}

/// A long-lived token.
pub(super) struct LongLived {
    vault: Arc<dyn TokenVault>,
    refused: Mutex<Option<Refused>>,
}

struct Refused {
    token: Secret,
    why: String,
    until: Instant,
    rest: Duration,
}

impl LongLived {
    fn new(vault: Arc<dyn TokenVault>) -> Self {
        Self {
            vault,
            refused: Mutex::new(None),
        }
    }

    /// Returns the token to be sent. A token that was refused is not sent again for a while.
    async fn token(&self) -> Result<Secret, Failure> {
        let token = match self.vault.load().await {
            Ok(Some(token)) => token,
            Ok(None) => {
                return Err(Failure::AuthExpired {
                    why: format!("no token is stored: {REMEDY}"),
                });
            }
            Err(error) => return Err(vault_failure(&error)),
        };
        match &*self.lock() {
            Some(refused) if refused.token == token && Instant::now() < refused.until => {
                Err(Failure::AuthExpired {
                    why: refused.why.clone(),
                })
            }
            Some(_) | None => Ok(token),
        }
    }

    /// Takes note that amoCRM refused a token; returns what the administrator is told.
    fn refused(&self, token: Secret, words: &str) -> String {
        let why = format!("amoCRM refuses the token ({words}): {REMEDY}");
        let mut refused = self.lock();
        let now = Instant::now();
        let rest = match &*refused {
            // Sent before the first refusal was known: that says nothing new.
            Some(before) if before.token == token && now < before.until => return why,
            Some(before) if before.token == token => (before.rest * 2).min(REST_MAX),
            Some(_) | None => REST_FIRST,
        };
        *refused = Some(Refused {
            token,
            why: why.clone(),
            until: now + rest,
            rest,
        });
        why
    }

    fn accepted(&self) {
        *self.lock() = None;
    }

    /// Returns why the token is not taken, where it is not.
    fn refusal(&self) -> Option<String> {
        self.lock().as_ref().map(|refused| refused.why.clone())
    }

    /// Gives a refusal its reason.
    fn say(&self, why: &str) {
        if let Some(refused) = &mut *self.lock() {
            refused.why = format!("{why}: {REMEDY}");
        }
    }

    async fn claims(&self) -> Claims {
        match self.vault.load().await {
            Ok(Some(token)) => Claims::of(token.expose()),
            Ok(None) | Err(_) => Claims::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    use std::future::ready;

    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use serde_json::Value;

    use super::*;

    struct NoVault;

    impl TokenVault for NoVault {
        fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
            ready(Ok(Some(token()))).boxed()
        }
        fn save(&self, _: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
            ready(Ok(())).boxed()
        }
        fn setup(&self) -> BoxFuture<'_, Result<Option<Value>, VaultError>> {
            ready(Ok(None)).boxed()
        }
        fn save_setup(&self, _: Value) -> BoxFuture<'_, Result<(), VaultError>> {
            ready(Ok(())).boxed()
        }
    }

    fn token() -> Secret {
        Secret::new("a".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_requests_sent_together_lengthen_the_rest_once() {
        let auth = LongLived::new(Arc::new(NoVault));
        for rest in [REST_FIRST, REST_FIRST * 2] {
            for _ in 0..8 {
                auth.refused(token(), "401");
            }
            assert!(auth.token().await.is_err());
            tokio::time::advance(rest).await;
            assert_eq!(
                auth.token().await,
                Ok(token()),
                "tried again after {rest:?}"
            );
        }
    }
}
