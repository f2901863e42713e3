//! What we must know of an account before anything is made there, and what we set up in it: the
//! marker field, a text field of ours on contacts and leads that holds the key of the step that
//! made the record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::auth::vault_failure;
use super::client::{Client, ReadError, Written, query};
use super::wire::answers::{Account, CustomField, Pipeline};
use super::wire::bodies::NewField;
use crate::crm::account::classify::Failure;
use crate::crm::{Class, TokenVault};
use crate::model::outcome::{NotApplied, NotAppliedCause};
use crate::model::phone::Region;

/// The code by which the field is found again, whatever people rename it to.
pub(super) const MARKER_CODE: &str = "TRUNKLINE_KEY";

/// Its type.
const MARKER_KIND: &str = "text";

/// Most pages of additional fields that are read: 50 a page, thousands of fields.
const FIELD_PAGES_MAX: u32 = 100;

/// A set-up that failed is tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// What is known of an account; kept in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Setup {
    /// The marker field of contacts, where it could be made.
    pub(super) marker_contacts: Option<i64>,
    /// The marker field of leads, where it could be made.
    pub(super) marker_leads: Option<i64>,
    /// The paid option of filters is on.
    pub(super) api_filter: bool,
    /// The country in whose form numbers without a code are written.
    pub(super) region: Region,
    /// Customers are in use beside leads: the CRM may log a call on one of them (§11).
    pub(super) customers: bool,
    /// The stages of unsorted records, one in each pipeline.
    pub(super) unsorted_stages: Vec<i64>,
}

impl Setup {
    /// Says whether contacts and leads can be marked.
    pub(super) fn marked(&self) -> bool {
        self.marker_contacts.is_some() && self.marker_leads.is_some()
    }
}

/// A set-up with what was read on the way.
pub(super) struct Surveyed {
    pub(super) setup: Setup,
    pub(super) account: Account,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) contact_fields: Vec<CustomField>,
    pub(super) lead_fields: Vec<CustomField>,
    /// What does not work, in words.
    pub(super) limits: Vec<String>,
}

/// Keeps the set-up of one account.
pub(super) struct SetupKeeper {
    vault: Arc<dyn TokenVault>,
    marker_field: String,
    cached: Mutex<Cached>,
    /// Held while the account is asked, so that it is asked once at a time. Whoever knows enough
    /// does not wait for it.
    surveying: tokio::sync::Mutex<()>,
}

enum Cached {
    /// Nothing was read yet.
    Unknown,
    /// What is stored proved wrong: the account must be asked.
    Stale,
    Known(Arc<Setup>),
    /// Read while the account was only observed, without marker fields: true for as long as that
    /// lasts.
    Observed(Arc<Setup>),
}

impl SetupKeeper {
    pub(super) fn new(vault: Arc<dyn TokenVault>, marker_field: String) -> Self {
        Self {
            vault,
            marker_field,
            cached: Mutex::new(Cached::Unknown),
            surveying: tokio::sync::Mutex::new(()),
        }
    }

    /// Returns the set-up: remembered, stored, or else made now.
    pub(super) async fn get(&self, client: &Client, class: Class) -> Result<Arc<Setup>, Failure> {
        if let Some(setup) = self.remembered(client) {
            return Ok(setup);
        }
        // Before the turn to ask: a survey may be under way, and last as long as a request can.
        if let Some(setup) = self.stored().await? {
            return Ok(setup);
        }
        let _one_at_a_time = self.surveying.lock().await;
        if let Some(setup) = self.remembered(client) {
            return Ok(setup);
        }
        let surveyed = self.survey_alone(client, class).await;
        surveyed
            .map(|surveyed| Arc::new(surveyed.setup))
            .map_err(not_ready)
    }

    /// Asks the account and sets up what is missing. Safe to repeat, and when two do it at once:
    /// both search before they make, and of two fields both take the one with the lower id.
    pub(super) async fn survey(
        &self,
        client: &Client,
        class: Class,
    ) -> Result<Surveyed, ReadError> {
        let _one_at_a_time = self.surveying.lock().await;
        self.survey_alone(client, class).await
    }

    /// Takes note that the set-up is wrong: the marker field is gone.
    pub(super) fn forget(&self) {
        *self.cached() = Cached::Stale;
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, client: &Client) -> Option<Arc<Setup>> {
        match &*self.cached() {
            Cached::Known(setup) => Some(Arc::clone(setup)),
            Cached::Observed(setup) if client.is_observed() => Some(Arc::clone(setup)),
            Cached::Observed(_) => None,
            Cached::Unknown | Cached::Stale => None,
        }
    }

    /// Returns the stored set-up, unless it proved wrong.
    async fn stored(&self) -> Result<Option<Arc<Setup>>, Failure> {
        let stored = self.vault.setup().await.map_err(|e| vault_failure(&e))?;
        // A set-up of another version reads as none and is made anew.
        let Some(setup) = stored.and_then(|v| serde_json::from_value::<Setup>(v).ok()) else {
            return Ok(None);
        };
        let mut cached = self.cached();
        Ok(match &*cached {
            Cached::Stale | Cached::Observed(_) => None,
            Cached::Known(newer) => Some(Arc::clone(newer)),
            Cached::Unknown => {
                let setup = Arc::new(setup);
                *cached = Cached::Known(Arc::clone(&setup));
                Some(setup)
            }
        })
    }

    async fn survey_alone(&self, client: &Client, class: Class) -> Result<Surveyed, ReadError> {
        let mut limits = Vec::new();
        let with = query(&[("with", "datetime_settings,is_api_filter_enabled,task_types")]);
        let account: Account = client
            .record("/api/v4/account", with, class)
            .await?
            .ok_or_else(|| ReadError::Failed(failure("GET account came back empty")))?;
        let pipelines: Vec<Pipeline> = client
            .page("/api/v4/leads/pipelines", "pipelines", Vec::new(), class)
            .await?
            .items;
        let contact_fields = self
            .marked_fields(client, "contacts", class, &mut limits)
            .await?;
        let lead_fields = self
            .marked_fields(client, "leads", class, &mut limits)
            .await?;
        if !account.is_api_filter_enabled {
            limits.push(
                "list filters are not part of the account's plan: deals of a client are read one \
                 by one"
                    .to_owned(),
            );
        }
        let setup = Setup {
            marker_contacts: self.marker_of(&contact_fields),
            marker_leads: self.marker_of(&lead_fields),
            api_filter: account.is_api_filter_enabled,
            customers: !matches!(
                account.customers_mode.as_deref(),
                None | Some("disabled" | "unavailable")
            ),
            region: account
                .country
                .as_deref()
                .and_then(|country| country.parse().ok())
                .unwrap_or_default(),
            unsorted_stages: pipelines
                .iter()
                .flat_map(|pipeline| &pipeline.embedded.statuses)
                .filter(|status| status.kind == 1)
                .map(|status| status.id)
                .collect(),
        };
        if client.is_observed() && !setup.marked() {
            *self.cached() = Cached::Observed(Arc::new(setup.clone()));
        } else {
            let stored = serde_json::to_value(&setup)
                .map_err(|error| ReadError::Failed(failure(&error.to_string())))?;
            let saved = self.vault.save_setup(stored).await;
            saved.map_err(|error| ReadError::Failed(vault_failure(&error)))?;
            *self.cached() = Cached::Known(Arc::new(setup.clone()));
        }
        Ok(Surveyed {
            setup,
            account,
            pipelines,
            contact_fields,
            lead_fields,
            limits,
        })
    }

    /// Returns the fields of an entity after the marker field was made sure of.
    async fn marked_fields(
        &self,
        client: &Client,
        entity: &str,
        class: Class,
        limits: &mut Vec<String>,
    ) -> Result<Vec<CustomField>, ReadError> {
        let Some(fields) = fields_if_allowed(client, entity, class, limits).await? else {
            return Ok(Vec::new());
        };
        // An account that is only observed is left as it is.
        if self.marker_of(&fields).is_some() || client.is_observed() {
            return Ok(fields);
        }
        let new = NewField {
            name: self.marker_field.clone(),
            kind: MARKER_KIND,
            code: MARKER_CODE,
            is_api_only: true,
        };
        let path = format!("/api/v4/{entity}/custom_fields");
        match client.write(&path, &[new], class).await {
            Written::Stored(_) => info!(entity, "marker field made"),
            // Refused: no rights, or made by another in between. The list will tell.
            Written::Refused(refusal) => {
                let rejection = refusal.whole();
                warn!(entity, code = rejection.code, "marker field refused");
                let after = self::fields(client, entity, class).await?;
                if self.marker_of(&after).is_none() {
                    limits.push(format!(
                        "the field {:?} could not be made on {entity} (HTTP {}: {}): after a lost \
                         answer our records are recognised by name, number and time only",
                        self.marker_field, rejection.code, rejection.message
                    ));
                }
                return Ok(after);
            }
            // It may have been made all the same; a repeat searches first.
            Written::Failed(Failure::Ambiguous { why }) => {
                return Err(ReadError::Failed(failure(&why)));
            }
            Written::Failed(failure) => return Err(ReadError::Failed(failure)),
        }
        self::fields(client, entity, class).await
    }

    fn marker_of(&self, fields: &[CustomField]) -> Option<i64> {
        // A field of another type takes no key: every record that names it would be refused.
        let texts = || {
            fields
                .iter()
                .filter(|field| field.kind.as_deref() == Some(MARKER_KIND))
        };
        let by_code = |field: &&CustomField| field.code.as_deref() == Some(MARKER_CODE);
        let by_name = |field: &&CustomField| field.name.as_deref() == Some(&self.marker_field);
        let lowest = |ids: Vec<i64>| ids.into_iter().min();
        lowest(texts().filter(by_code).map(|f| f.id).collect())
            .or_else(|| lowest(texts().filter(by_name).map(|f| f.id).collect()))
    }
}

/// Reads all additional fields of an entity.
async fn fields(
    client: &Client,
    entity: &str,
    class: Class,
) -> Result<Vec<CustomField>, ReadError> {
    let path = format!("/api/v4/{entity}/custom_fields");
    let mut all = Vec::new();
    for number in 1..=FIELD_PAGES_MAX {
        let number = number.to_string();
        let pairs = query(&[("limit", "250"), ("page", &number)]);
        let page = client.page(&path, "custom_fields", pairs, class).await?;
        let done = page.items.is_empty() || !page.more;
        all.extend(page.items);
        if done {
            break;
        }
    }
    Ok(all)
}

/// Reads all additional fields of an entity, or says that they may not be read: the token's user
/// need not have that right, and everything else works without them.
pub(super) async fn fields_if_allowed(
    client: &Client,
    entity: &str,
    class: Class,
    limits: &mut Vec<String>,
) -> Result<Option<Vec<CustomField>>, ReadError> {
    match fields(client, entity, class).await {
        Ok(fields) => Ok(Some(fields)),
        Err(ReadError::Refused(rejection)) => {
            limits.push(format!(
                "the fields of {entity} cannot be listed (HTTP {}: {})",
                rejection.code, rejection.message
            ));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn failure(why: &str) -> Failure {
    Failure::not_applied(NotAppliedCause::Failed, why.to_owned(), Some(RETRY_AFTER))
}

/// Nothing of a step was sent when the set-up failed, so nothing of it can be dead or unclear.
fn not_ready(error: ReadError) -> Failure {
    match error {
        ReadError::Failed(Failure::Ambiguous { why }) => failure(&why),
        ReadError::Failed(failure) => failure,
        ReadError::Refused(rejection) => Failure::NotApplied(NotApplied {
            cause: NotAppliedCause::Failed,
            why: format!(
                "the account cannot be set up (HTTP {}): {}",
                rejection.code, rejection.message
            ),
            retry_after: Some(RETRY_AFTER),
        }),
    }
}
