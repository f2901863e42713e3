//! The daemon as a day sees it from outside: is it ready, has it work, here is a webhook.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// No question to a daemon on the same machine takes longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where a daemon is reached.
#[derive(Debug, Clone)]
pub struct DaemonAddress {
    /// The admin endpoint, such as `http://127.0.0.1:8460`.
    pub admin: String,
    /// Its bearer token.
    pub token: String,
    /// The intake, such as `http://127.0.0.1:8461`.
    pub intake: String,
    /// The secret in the path of each webhook source.
    pub hooks: BTreeMap<String, String>,
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    http: reqwest::Client,
    address: DaemonAddress,
}

/// What `GET /v1/status` says, as far as a day needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// Figures of the store.
    pub store: StoreStatus,
    /// The sources.
    pub sources: Vec<SourceStatus>,
    /// The integrations.
    pub integrations: Vec<IntegrationStatus>,
}

/// Figures of the store.
#[derive(Debug, Clone, Deserialize)]
pub struct StoreStatus {
    /// How many communications are stored.
    pub communications: u64,
}

/// A source.
#[derive(Debug, Clone, Deserialize)]
pub struct SourceStatus {
    /// `tenant/source`.
    pub key: String,
    /// What its session shows; nothing for a source that is posted to.
    pub state: Option<SessionStatus>,
}

/// What a session shows of itself.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionStatus {
    /// Its figures.
    pub gauges: BTreeMap<String, f64>,
}

impl SourceStatus {
    /// Returns how many calls go on.
    pub fn open_calls(&self) -> u64 {
        let shown = self
            .state
            .as_ref()
            .and_then(|state| state.gauges.get("open_calls"));
        // Counts of calls are exact in a float.
        shown.map_or(0, |calls| *calls as u64)
    }
}

/// An integration.
#[derive(Debug, Clone, Deserialize)]
pub struct IntegrationStatus {
    /// `tenant/integration`.
    pub key: String,
    /// Works that are not finished.
    pub open_works: u64,
    /// Those of them that are not decided yet.
    #[serde(default)]
    pub not_decided_yet: u64,
    /// Why they wait, where they do.
    pub waiting_for: Option<String>,
}

/// What `GET /v1/outbox` says, as far as a day needs it.
#[derive(Debug, Deserialize)]
struct Outbox {
    items: Vec<OutboxWork>,
    total: usize,
}

#[derive(Debug, Deserialize)]
struct Accounts {
    items: Vec<AccountLine>,
}

#[derive(Debug, Deserialize)]
struct Directories {
    items: Vec<DirectoryLine>,
}

#[derive(Debug, Deserialize)]
struct DirectoryLine {
    portal: String,
    decides: bool,
}

#[derive(Debug, Deserialize)]
struct AccountLine {
    tenant: String,
    account: String,
    alarm: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DeadLetters {
    items: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct OutboxWork {
    communication: String,
    #[serde(default)]
    steps: Vec<OutboxStep>,
}

#[derive(Debug, Deserialize)]
struct OutboxStep {
    role: String,
    state: OutboxState,
}

#[derive(Debug, Deserialize)]
struct OutboxState {
    state: String,
    /// Why it waits, where it does.
    why: Option<String>,
}

impl OutboxState {
    fn is_final(&self) -> bool {
        !matches!(self.state.as_str(), "pending" | "in_flight" | "waiting")
    }
}

/// How far the open works have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// Their steps that are over.
    pub steps: usize,
    /// What the oldest of them waits for, in the daemon's words.
    pub waits_for: Option<String>,
}

/// The most works that the daemon lists in one answer.
const OUTBOX_ROWS_MAX: usize = 200;

/// Why the daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// No answer, or none that can be read.
    #[error("ask the daemon at {url}: {source}")]
    Http {
        /// What was asked.
        url: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// It refused.
    #[error("ask the daemon at {url}: it answered {status}: {body}")]
    Refused {
        /// What was asked.
        url: String,
        /// Its answer.
        status: StatusCode,
        /// What it said.
        body: String,
    },
    /// More works are open than can be listed.
    #[error(
        "{open} works of {integration} are open, more than the {OUTBOX_ROWS_MAX} that are listed"
    )]
    TooMany {
        /// Whose.
        integration: String,
        /// How many.
        open: usize,
    },
    /// The day posts to a source that has no secret here.
    #[error("post to source {0:?}: no secret is known for it")]
    UnknownSource(String),
}

impl Daemon {
    /// Prepares to talk to a daemon; does not connect yet.
    ///
    /// # Errors
    /// Fails when no HTTP client can be made.
    pub fn new(address: DaemonAddress) -> Result<Self, DaemonError> {
        // Only plain HTTP is spoken here, but the client wants a provider all the same; one that
        // is installed already is as good.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .no_proxy()
            .build()
            .map_err(|source| DaemonError::Http {
                url: address.admin.clone(),
                source,
            })?;
        Ok(Self { http, address })
    }

    /// Tells whether the daemon says that it is ready.
    pub async fn is_ready(&self) -> bool {
        let url = format!("{}/readyz", self.address.admin);
        let answer = self.http.get(url).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Asks for the status.
    ///
    /// # Errors
    /// Fails when there is no answer, a refusal, or one that is not of the expected shape.
    pub async fn status(&self) -> Result<Status, DaemonError> {
        self.get("/v1/status").await
    }

    /// Says whether the directory of a portal was read whole and is kept in step.
    pub async fn directory_is_kept(&self, portal: &str) -> Result<bool, DaemonError> {
        let found: Directories = self.get("/v1/directories").await?;
        let mut mine = found.items.iter().filter(|one| one.portal == portal);
        Ok(mine.any(|one| one.decides))
    }

    /// Asks which CRM accounts want a person, as `tenant/account`.
    ///
    /// # Errors
    /// As `status`.
    pub async fn accounts_in_alarm(&self) -> Result<Vec<String>, DaemonError> {
        let accounts: Accounts = self.get("/v1/accounts").await?;
        let wanting = accounts.items.into_iter().filter(|one| one.alarm.is_some());
        Ok(wanting
            .map(|one| format!("{}/{}", one.tenant, one.account))
            .collect())
    }

    /// Lets an account, named `tenant/account`, in by a code.
    ///
    /// # Errors
    /// As `status`; the code may be used up all the same.
    pub async fn authorise(&self, account: &str, code: &str) -> Result<(), DaemonError> {
        let (tenant, name) = account.split_once('/').unwrap_or((account, ""));
        let url = format!(
            "{}/v1/tenants/{tenant}/accounts/{name}/authorisation",
            self.address.admin
        );
        let failed = |source| DaemonError::Http {
            url: url.clone(),
            source,
        };
        let request = self.http.post(&url).bearer_auth(&self.address.token);
        let answer = request.json(&serde_json::json!({ "code": code })).send();
        let answer = answer.await.map_err(failed)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let body = answer.text().await.unwrap_or_default();
        Err(DaemonError::Refused { url, status, body })
    }

    /// Asks which communications an integration has open work for; each is named once.
    ///
    /// # Errors
    /// As `status`, and when there are more works than one answer lists.
    pub async fn waiting(&self, integration: &str) -> Result<BTreeSet<String>, DaemonError> {
        let path = format!("/v1/outbox?integration={integration}&limit={OUTBOX_ROWS_MAX}");
        let outbox: Outbox = self.get(&path).await?;
        if outbox.total > outbox.items.len() {
            return Err(DaemonError::TooMany {
                integration: integration.to_owned(),
                open: outbox.total,
            });
        }
        Ok(outbox
            .items
            .into_iter()
            .map(|work| work.communication)
            .collect())
    }

    /// Asks how far the open works have come; of a longer queue its beginning counts.
    ///
    /// # Errors
    /// As `status`.
    pub async fn advance(&self) -> Result<Advance, DaemonError> {
        let path = format!("/v1/outbox?limit={OUTBOX_ROWS_MAX}");
        let outbox: Outbox = self.get(&path).await?;
        let steps = || {
            let works = outbox.items.iter();
            works.flat_map(|work| work.steps.iter().map(move |step| (work, step)))
        };
        let waiting = steps().find_map(|(work, step)| {
            let why = step.state.why.as_ref()?;
            (!step.state.is_final())
                .then(|| format!("{} of {}: {why}", step.role, work.communication))
        });
        Ok(Advance {
            steps: steps().filter(|(_, step)| step.state.is_final()).count(),
            waits_for: waiting,
        })
    }

    /// Asks for the steps that were given up for good, as the daemon lists them.
    ///
    /// # Errors
    /// As `status`.
    pub async fn dead_letters(&self) -> Result<Vec<serde_json::Value>, DaemonError> {
        let letters: DeadLetters = self.get("/v1/dead-letters").await?;
        Ok(letters.items)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, DaemonError> {
        let url = format!("{}{path}", self.address.admin);
        let http = |source| DaemonError::Http {
            url: url.clone(),
            source,
        };
        let answer = self
            .http
            .get(&url)
            .bearer_auth(&self.address.token)
            .send()
            .await;
        let answer = answer.map_err(http)?;
        let status = answer.status();
        if !status.is_success() {
            let body = answer.text().await.unwrap_or_default();
            return Err(DaemonError::Refused { url, status, body });
        }
        answer.json().await.map_err(http)
    }

    /// Posts a body to a webhook source of a tenant; returns the status.
    ///
    /// # Errors
    /// Fails when there is no answer or the source is unknown.
    pub async fn post(
        &self,
        tenant: &str,
        source: &str,
        body: String,
    ) -> Result<(u16, String), DaemonError> {
        let secret = self.address.hooks.get(source);
        let secret = secret.ok_or_else(|| DaemonError::UnknownSource(source.to_owned()))?;
        let url = format!(
            "{}/v1/events/{tenant}/{source}/{secret}",
            self.address.intake
        );
        let http = |source| DaemonError::Http {
            url: format!("{}/v1/events/{tenant}", self.address.intake),
            source,
        };
        let request = self
            .http
            .post(&url)
            .header("Content-Type", "application/json");
        let answer = request.body(body).send().await.map_err(http)?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(http)?))
    }
}
