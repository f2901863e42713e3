//! Requests to the two interfaces of Planfix, each by its own door: REST, one a second and so many
//! a day, and telephony, which has no limit of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::quota::Quota;
use super::refusal::{self, Refusal};
use super::settings::{PlanfixSettings, TELEPHONY_TOKEN};
use crate::clock::SharedClock;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::account::http::{AccountHttp, AccountHttpOptions};
use crate::crm::account::manners::Manners;
use crate::crm::account::transport::{Method, Request, Response, words};
use crate::crm::pair_vault::PairVault;
use crate::crm::{AccountDoor, Class, DayQuota, TokenVault, VaultError};
use crate::model::ids::PortalKey;
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome, Rejection};
use crate::model::secret::{Secret, is_one_of};

/// Telephony events a second: none are limited below tens (§13), a call makes a handful.
const TELEPHONY_RATE: f64 = 20.0;
/// Rehearsals are as fast as their simulator.
const TELEPHONY_RATE_REHEARSAL: f64 = 1000.0;

/// Speaks to one account.
pub(super) struct Client {
    rest: Arc<AccountHttp>,
    rest_path: String,
    telephony: Result<AccountHttp, String>,
    telephony_path: String,
    telephony_token: Option<Secret>,
    /// Where a token of telephony is kept that Planfix sent.
    sent: Arc<dyn PairVault>,
    by_setup: bool,
    vault: Arc<dyn TokenVault>,
    clock: SharedClock,
    quota: Mutex<Quota>,
    /// What Planfix lets us not do: its words.
    barred: Mutex<Option<String>>,
}

/// Why nothing came of a request.
#[derive(Debug, Clone)]
pub(super) enum Unanswered {
    /// See [`Failure`].
    Failed(Failure),
    /// Planfix refused it.
    Refused(Refusal),
    /// We refused it: it cannot be put into Planfix's terms.
    Unsendable(Rejection),
}

impl Unanswered {
    /// Returns the outcome, whatever was asked.
    pub(super) fn into_outcome<T>(self) -> Outcome<T> {
        match self {
            Unanswered::Failed(failure) => failure.into_outcome(),
            Unanswered::Refused(refusal) => Outcome::Rejected(refusal.rejection()),
            Unanswered::Unsendable(rejection) => Outcome::Rejected(rejection),
        }
    }

    /// What could not be read, without effect.
    pub(super) fn unreadable(what: &str) -> Self {
        let why = format!("Planfix's answer cannot be read: {what}");
        Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None))
    }

    /// What was sent, and not understood.
    pub(super) fn unclear(why: &str) -> Self {
        Unanswered::Failed(Failure::Ambiguous {
            why: why.to_owned(),
        })
    }

    /// Says whether Planfix refused with one of these codes.
    pub(super) fn is_code(&self, codes: &[i64]) -> bool {
        matches!(self, Unanswered::Refused(refusal) if codes.contains(&refusal.code))
    }
}

impl From<Rejection> for Unanswered {
    fn from(rejection: Rejection) -> Self {
        Unanswered::Unsendable(rejection)
    }
}

/// One request to REST.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Below the address of REST, beginning with `/`.
    pub(super) path: String,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
    pub(super) purpose: Purpose,
    pub(super) class: Class,
}

impl Client {
    /// Opens both doors; connects to nothing.
    pub(super) fn new(settings: &PlanfixSettings, door: &AccountDoor) -> Self {
        let is_rehearsal = settings.base_url != format!("https://{}", settings.host);
        let rate_per_second = match is_rehearsal {
            true => TELEPHONY_RATE_REHEARSAL,
            false => TELEPHONY_RATE,
        };
        let telephony = AccountHttp::new(AccountHttpOptions {
            portal: PortalKey::new("planfix", &format!("{}/tel", settings.host)),
            base_url: settings.base_url.clone(),
            rate_per_second,
            per_second_max: None,
            quiet_start: std::time::Duration::ZERO,
            clock: Arc::clone(&door.clock),
        });
        let manners = Manners {
            body_type: "application/x-www-form-urlencoded",
            ..Manners::default()
        };
        Self {
            rest: Arc::clone(&door.http),
            rest_path: settings.rest_path.clone(),
            telephony: telephony
                .map(|door| door.with_manners(manners))
                .map_err(|error| error.to_string()),
            telephony_path: settings.telephony_path.clone(),
            telephony_token: door.secrets.get(TELEPHONY_TOKEN).cloned(),
            sent: Arc::clone(&door.pairs),
            by_setup: settings.telephony_by_setup,
            vault: Arc::clone(&door.vault),
            clock: Arc::clone(&door.clock),
            quota: Mutex::new(Quota::new(settings.requests_a_day)),
            barred: Mutex::default(),
        }
    }

    /// Says what is left of the day.
    pub(super) fn day_quota(&self) -> DayQuota {
        self.quota().shown()
    }

    /// Takes note of what Planfix lets us not do; gone with the next thing that it lets us do.
    pub(super) fn bar(&self, why: String) {
        *self.barred() = Some(why);
    }

    /// Says what a person must do so that Planfix serves us, if anything.
    pub(super) fn alarm(&self) -> Option<String> {
        let barred = self.barred().clone();
        barred.or_else(|| self.quota().alarm())
    }

    /// Reads by GET.
    pub(super) async fn get(
        &self,
        path: String,
        fields: &str,
        class: Class,
    ) -> Result<Value, Unanswered> {
        let ask = Ask {
            method: Method::Get,
            path,
            query: &[("fields", fields)],
            body: None,
            purpose: Purpose::Read,
            class,
        };
        self.ask(ask).await
    }

    /// Reads a list by POST.
    pub(super) async fn list(
        &self,
        path: &str,
        body: Value,
        class: Class,
    ) -> Result<Value, Unanswered> {
        let ask = Ask {
            method: Method::Post,
            path: path.to_owned(),
            query: &[],
            body: Some(body),
            purpose: Purpose::Read,
            class,
        };
        self.ask(ask).await
    }

    /// Changes something.
    pub(super) async fn write(&self, path: String, body: Value) -> Result<Value, Unanswered> {
        let ask = Ask {
            method: Method::Post,
            path,
            query: &[],
            body: Some(body),
            purpose: Purpose::Write,
            class: Class::Work,
        };
        self.ask(ask).await
    }

    /// Sends a request to REST.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Value, Unanswered> {
        let refusal = self.quota().refusal(ask.class, self.clock.now());
        if let Some(not_applied) = refusal {
            return Err(Unanswered::Failed(Failure::NotApplied(not_applied)));
        }
        let token = self.vault.load().await;
        let token = token.map_err(|error| Unanswered::Failed(vault_failure(&error)))?;
        let Some(token) = token else {
            let why = "the token of the robot is not entered yet".to_owned();
            return Err(Unanswered::Failed(Failure::AuthExpired { why }));
        };
        let purpose = ask.purpose;
        let query = ask.query.iter();
        let request = Request {
            method: ask.method,
            path: format!("{}{}", self.rest_path, ask.path),
            query: query
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            body: ask.body.map(|body| Bytes::from(body.to_string())),
            bearer: Some(token),
            purpose,
            class: ask.class,
        };
        self.quota().sends(ask.class, self.clock.now());
        let outcome = self.rest.send(request).await;
        let response = self.answered(outcome, "REST")?;
        if let Some(left) = response.quota_left {
            self.quota().told(left, self.clock.now());
        }
        self.read(&response, purpose)
    }

    /// Sends a command to telephony.
    pub(super) async fn call(
        &self,
        command: &[(&str, &str)],
        purpose: Purpose,
        class: Class,
    ) -> Result<Value, Unanswered> {
        let door = match &self.telephony {
            Ok(door) => door,
            Err(why) => {
                let cause = NotAppliedCause::Unreachable;
                return Err(Unanswered::Failed(Failure::not_applied(
                    cause,
                    why.clone(),
                    None,
                )));
            }
        };
        let Some(token) = self.telephony_token().await? else {
            let why = match self.by_setup {
                true => {
                    "Planfix has not sent the token of telephony yet: switch its application off \
                         and on"
                }
                false => "the token of telephony is not entered yet",
            };
            let why = why.to_owned();
            return Err(Unanswered::Failed(Failure::AuthExpired { why }));
        };
        let form = {
            let mut form = Serializer::new(String::new());
            form.extend_pairs(command);
            form.append_pair("planfix_token", token.expose());
            form.finish()
        };
        let request = Request {
            method: Method::Post,
            path: self.telephony_path.clone(),
            query: Vec::new(),
            body: Some(Bytes::from(form)),
            bearer: None,
            purpose,
            class,
        };
        let outcome = door.send(request).await;
        let response = self.answered(outcome, "telephony")?;
        self.read(&response, purpose)
    }

    /// Returns the token of telephony: the one that was entered, else the one that Planfix sent.
    async fn telephony_token(&self) -> Result<Option<Secret>, Unanswered> {
        if self.telephony_token.is_some() || !self.by_setup {
            return Ok(self.telephony_token.clone());
        }
        let sent = self.sent.load().await;
        sent.map_err(|error| Unanswered::Failed(vault_failure(&error)))
    }

    /// Takes a token of telephony that Planfix sent; on disk when it returns. `false` = another one
    /// was entered, which stays.
    pub(super) async fn take_telephony_token(&self, token: Secret) -> Result<bool, VaultError> {
        if let Some(entered) = &self.telephony_token {
            return Ok(is_one_of(token.expose(), [entered]));
        }
        if !self.by_setup {
            return Ok(false);
        }
        if self.sent.load().await?.as_ref() != Some(&token) {
            self.sent.save(token).await?;
        }
        *self.barred() = None;
        Ok(true)
    }

    /// Takes note of how the door was answered.
    fn answered(&self, outcome: Outcome<Response>, api: &str) -> Result<Response, Unanswered> {
        let failed = match outcome {
            Outcome::Done(response) => {
                if (200..=299).contains(&response.status) {
                    *self.barred() = None;
                }
                return Ok(response);
            }
            Outcome::NotApplied(not_applied) => Failure::NotApplied(not_applied),
            Outcome::Ambiguous { why } => Failure::Ambiguous { why },
            Outcome::AuthExpired { why } => {
                let why = format!("Planfix refuses the token of {api}: {why}");
                *self.barred() = Some(why.clone());
                Failure::AuthExpired { why }
            }
            Outcome::Rejected(rejection) => return Err(Unanswered::Unsendable(rejection)),
        };
        Err(Unanswered::Failed(failed))
    }

    fn read(&self, response: &Response, purpose: Purpose) -> Result<Value, Unanswered> {
        let good = (200..=299).contains(&response.status);
        if good && response.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        let body: Value = match serde_json::from_slice(&response.body) {
            Ok(body) => body,
            Err(_) => {
                let words = words(&response.body);
                let why = format!("HTTP {} without JSON: {words}", response.status);
                return Err(match (good, purpose) {
                    // A yes that does not say to what.
                    (true, Purpose::Write) => Unanswered::unclear(&why),
                    (true, Purpose::Read) => Unanswered::unreadable(&why),
                    (false, _) => Unanswered::Unsendable(Rejection {
                        code: response.status.to_string(),
                        message: words,
                    }),
                });
            }
        };
        let refusal = Refusal::read(&body).or_else(|| {
            (!good).then(|| Refusal {
                code: -1,
                text: words(&response.body),
            })
        });
        match refusal {
            None => Ok(body),
            Some(refusal) => Err(self.refused(refusal, purpose)),
        }
    }

    fn refused(&self, refusal: Refusal, purpose: Purpose) -> Unanswered {
        let why = format!("{} {}", refusal.code, refusal.text);
        match (refusal.code, purpose) {
            (refusal::QUOTA, _) => {
                let left = self.quota().used_up(self.clock.now());
                Unanswered::Failed(Failure::NotApplied(NotApplied {
                    cause: NotAppliedCause::Throttled,
                    why,
                    retry_after: Some(left),
                }))
            }
            (refusal::UNKNOWN, Purpose::Write) => Unanswered::Failed(Failure::Ambiguous { why }),
            (refusal::UNKNOWN, Purpose::Read) => {
                Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None))
            }
            (code, _) if refusal::CLOSED.contains(&code) => {
                *self.barred() = Some(format!(
                    "Planfix lets the robot's token not do everything ({why}): tick every scope"
                ));
                Unanswered::Refused(refusal)
            }
            _ => Unanswered::Refused(refusal),
        }
    }

    fn quota(&self) -> MutexGuard<'_, Quota> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn barred(&self) -> MutexGuard<'_, Option<String>> {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner)
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
