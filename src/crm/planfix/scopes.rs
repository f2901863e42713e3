//! Which scopes the robot's token lacks (S2-01; `crm/planfix.md` §2). Planfix does not tell a token's
//! scopes, so that each is tried by a request that can change nothing: a list of one row, a record
//! that there is none of, a contact without the name that it must have. The scope for making tasks
//! shows with the first task only.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::PlanfixAdapter;
use super::client::{Ask, Unanswered};
use super::refusal::CLOSED;
use crate::crm::Class;
use crate::crm::account::classify::Purpose;
use crate::crm::account::transport::Method;
use crate::model::timestamp::Timestamp;

/// What was found missing, and when.
pub(super) type KnownScopes = (Timestamp, Vec<&'static str>);

/// How long an answer counts: a person who ticks a scope has the account read again, and a complete
/// set is seldom taken away.
const COUNTS_FOR: Duration = Duration::from_secs(12 * 3600);

/// A scope, by its name in Planfix, and what tries it: path and body.
type Trial = (&'static str, &'static str, fn() -> Value);

const SCOPES: [Trial; 7] = [
    ("contact_readonly", "/contact/list", one_row),
    ("task_readonly", "/task/list", one_row),
    ("user_readonly", "/user/list", one_row),
    // There is no record 0; a contact without a name is refused (code 2006).
    ("contact_add", "/contact/", nameless),
    ("contact_update", "/contact/0", empty),
    ("task_update", "/task/0", empty),
    ("comment_add", "/task/0/comments/", empty),
];

fn one_row() -> Value {
    json!({ "offset": 0, "pageSize": 1, "fields": "id" })
}

fn nameless() -> Value {
    json!({ "name": "" })
}

fn empty() -> Value {
    json!({})
}

impl PlanfixAdapter {
    /// Returns what is to be said of missing scopes.
    pub(super) async fn scope_limits(&self) -> Result<Vec<String>, Unanswered> {
        let missing = self.missing_scopes().await?;
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "the robot's token lacks the scopes {}: tick every scope of the token in Planfix (S2-01)",
            missing.join(", ")
        );
        self.client.bar(text.clone());
        Ok(vec![text])
    }

    async fn missing_scopes(&self) -> Result<Vec<&'static str>, Unanswered> {
        let now = self.clock.now();
        if let Some((as_of, missing)) = &*self.known_scopes()
            && missing.is_empty()
            && now.since(*as_of) < COUNTS_FOR
        {
            return Ok(Vec::new());
        }
        let mut missing = Vec::new();
        for (scope, path, body) in SCOPES {
            if self.lacks(path, body()).await? {
                missing.push(scope);
            }
        }
        *self.known_scopes() = Some((now, missing.clone()));
        Ok(missing)
    }

    fn known_scopes(&self) -> MutexGuard<'_, Option<KnownScopes>> {
        let known = self.missing_scopes.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries a scope. Any other refusal says that there is nothing to be done, not that it may not.
    async fn lacks(&self, path: &str, body: Value) -> Result<bool, Unanswered> {
        let ask = Ask {
            method: Method::Post,
            path: path.to_owned(),
            query: &[],
            body: Some(body),
            purpose: Purpose::Read,
            class: Class::Work,
        };
        match self.client.ask(ask).await {
            Err(unanswered) if unanswered.is_code(&CLOSED) => Ok(true),
            Ok(_) | Err(Unanswered::Refused(_) | Unanswered::Unsendable(_)) => Ok(false),
            Err(failed @ Unanswered::Failed(_)) => Err(failed),
        }
    }
}
