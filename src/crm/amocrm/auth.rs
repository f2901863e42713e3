//! The one place that knows how amoCRM lets us in: at present a long-lived token, made by an
//! administrator on the page of a private integration (`crm/amocrm.md` §2).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::time::Instant;

use crate::crm::account::classify::Failure;
use crate::crm::{TokenVault, VaultError};
use crate::model::outcome::NotAppliedCause;
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// How long a refused token rests before it is tried again, doubling while it is refused: a single
/// 401 may be a fault of the CRM, and in the long run one request in ten minutes harms nobody.
const REST_FIRST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(600);

/// What to do about a refused or missing token.
const REMEDY: &str = "make a new long-lived token in amoCRM (amoMarket, your integration, Keys) \
                      and enter it as the account's secret \"token\"";

/// The credential of one account.
pub(super) struct Auth {
    vault: Arc<dyn TokenVault>,
    refused: Mutex<Option<Refused>>,
}

struct Refused {
    token: Secret,
    why: String,
    until: Instant,
    rest: Duration,
}

impl Auth {
    pub(super) fn new(vault: Arc<dyn TokenVault>) -> Self {
        Self {
            vault,
            refused: Mutex::new(None),
        }
    }

    /// Returns the token to be sent. A token that was refused is not sent again for a while.
    pub(super) async fn token(&self) -> Result<Secret, Failure> {
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
    pub(super) fn refused(&self, token: Secret, words: &str) -> String {
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

    /// Takes note that amoCRM took the token.
    pub(super) fn accepted(&self) {
        *self.lock() = None;
    }

    /// Returns when the stored token ends, where it says so.
    pub(super) async fn ends_at(&self) -> Option<Timestamp> {
        let token = self.vault.load().await.ok()??;
        read_expiry(token.expose())
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
        VaultError::Closed => {
            Failure::not_applied(NotAppliedCause::Failed, error.to_string(), None)
        }
    }
}

/// Reads `exp` of a JWT without verifying it: it is our own token, and only a warning depends on
/// it. `None` for a token of another form.
fn read_expiry(token: &str) -> Option<Timestamp> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_i64().map(Timestamp::from_secs)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;

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
        let auth = Auth::new(Arc::new(NoVault));
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

    #[test]
    fn the_end_of_a_token_is_read_where_it_says_one() {
        let claims = URL_SAFE_NO_PAD.encode(br#"{"exp":1800000000,"account_id":1}"#);
        let token = format!("e30.{claims}.signature");
        assert_eq!(
            read_expiry(&token),
            Some(Timestamp::from_secs(1_800_000_000))
        );
        for other in ["", "opaque", "a.b.c", "..", "e30.e30.x", "e30.bnVsbA.x"] {
            assert_eq!(read_expiry(other), None, "{other}");
        }
    }
}
