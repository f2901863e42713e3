//! Passes deals on to a phone system, in the order of their changes, in batches; one that is
//! refused holds up no other: a refused batch comes back in halves. How far it came is on disk
//! after each part, so a restart goes on there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tracing::warn;

use super::history::ordered;
use super::pull::DealWishes;
use crate::clock::SharedClock;
use crate::model::deal::DealState;
use crate::model::doubling::pause_after;
use crate::model::ids::{IntegrationKey, SourceKey};
use crate::pbx::{DealFunnel, DealTaker, DealToTake, TakeError};
use crate::store::deals::{DealUpload, DealUploaded, StoredDeal};
use crate::store::{StoreError, StoreHandle};

/// Time between two batches: other programs of the account ask for their share, too.
const PACE: Duration = Duration::from_secs(1);

/// Deals that one batch holds, however many may: each is read with its moves before it is sent.
const BATCH_MAX: usize = 200;

/// The first and the longest pause after a batch that was not taken.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_LONGEST: Duration = Duration::from_secs(900);

/// How far a communication may lie from its deal: the link is dropped beyond (`pbx/uis.md` §4.6).
const LINK_WITHIN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Longest reason that is kept.
const REASON_CHARS_MAX: usize = 300;

/// Passes the deals of one integration on.
#[derive(Clone)]
pub struct DealUploader {
    /// Whose deals.
    pub integration: IntegrationKey,
    /// Who takes them.
    pub source: SourceKey,
    /// By what.
    pub taker: Arc<dyn DealTaker>,
    /// Where they are kept.
    pub store: StoreHandle,
    /// The time of day.
    pub clock: SharedClock,
    /// Who says that there are more.
    pub wishes: Arc<DealWishes>,
    /// Where trouble is shown.
    pub trouble: Arc<dyn Fn(&str) + Send + Sync>,
}

/// What a round came to.
enum Round {
    /// Something was passed on: there may be more.
    Passed,
    /// There was nothing.
    Nothing,
    /// Nothing is taken now.
    NotNow(String, Option<Duration>),
}

impl DealUploader {
    /// Passes deals on until `stop` turns true.
    ///
    /// # Errors
    ///
    /// What the store refuses. What the phone system refuses is waited out.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let mut more = self.wishes.stored_since();
        let mut failures: u32 = 0;
        loop {
            more.look();
            let round = tokio::select! {
                round = self.round() => round?,
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            };
            let pause = match round {
                Round::Passed => {
                    failures = 0;
                    Some(PACE)
                }
                Round::Nothing => None,
                Round::NotNow(why, wait) => {
                    failures = failures.saturating_add(1);
                    let doubled = pause_after(failures, PAUSE_FIRST, PAUSE_LONGEST);
                    warn!(integration = %self.integration, source = %self.source, why, "deals not passed on");
                    (self.trouble)(&why);
                    Some(wait.unwrap_or_default().max(doubled))
                }
            };
            tokio::select! {
                () = pause_or_more(pause, &mut more) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    async fn round(&self) -> Result<Round, StoreError> {
        let integration = self.integration.clone();
        let stored = self.store.deal_upload(integration.clone()).await?;
        let target = self.source.to_string();
        let upload = stored.filter(|upload| upload.target == target);
        let mut upload = upload.unwrap_or_else(|| DealUpload {
            target,
            ..DealUpload::default()
        });
        let limit = self.taker.batch_max().clamp(1, BATCH_MAX);
        let deals = self
            .store
            .deals_after(integration, upload.version, limit)
            .await?;
        if deals.is_empty() {
            return Ok(Round::Nothing);
        }
        if let Err(error) = self.prepare(&deals, &mut upload).await {
            let wait = match &error {
                TakeError::NotNow { wait, .. } => *wait,
                TakeError::Refused(_) => None,
            };
            return Ok(Round::NotNow(
                format!("a funnel was not made: {error}"),
                wait,
            ));
        }
        let mut parts = VecDeque::from([deals]);
        while let Some(part) = parts.pop_front() {
            let Some(last) = part.last().map(|deal| deal.version) else {
                continue;
            };
            let mut sent = Vec::with_capacity(part.len());
            for deal in &part {
                // There is no taking back: what the CRM removed stays there as it was.
                if deal.deal.state != DealState::Removed {
                    sent.push(self.to_take(deal).await?);
                }
            }
            let is_one = sent.len() == 1;
            let result = match sent.is_empty() {
                true => Ok(()),
                false => self.taker.take(sent).await,
            };
            let refused = match result {
                Ok(()) => None,
                Err(TakeError::Refused(why)) if is_one => Some(why),
                Err(TakeError::Refused(_)) => {
                    let mut first = part;
                    let second = first.split_off(first.len() / 2);
                    parts.push_front(second);
                    parts.push_front(first);
                    tokio::time::sleep(PACE).await;
                    continue;
                }
                Err(TakeError::NotNow { why, wait }) => return Ok(Round::NotNow(why, wait)),
            };
            upload.version = last;
            upload.at = Some(self.clock.now());
            self.note(&upload, &part, refused).await?;
            if !parts.is_empty() {
                tokio::time::sleep(PACE).await;
            }
        }
        Ok(Round::Passed)
    }

    /// Makes the funnels that these deals need and that were not made yet.
    async fn prepare(
        &self,
        deals: &[StoredDeal],
        upload: &mut DealUpload,
    ) -> Result<(), TakeError> {
        let known = upload.prepared.as_array().into_iter().flatten();
        let mut known: BTreeSet<String> = known
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect();
        let wanted: BTreeMap<String, String> = deals
            .iter()
            .map(|stored| &stored.deal.pipeline)
            .map(|pipeline| (self.key(&pipeline.id), pipeline.name.clone()))
            .collect();
        for (key, name) in wanted {
            if known.contains(&key) {
                continue;
            }
            let funnel = DealFunnel {
                key: key.clone(),
                name,
            };
            self.taker.prepare(funnel).await?;
            known.insert(key);
        }
        upload.prepared = json!(known);
        Ok(())
    }

    fn key(&self, id: &str) -> String {
        format!("{}/{id}", self.integration)
    }

    async fn to_take(&self, stored: &StoredDeal) -> Result<DealToTake, StoreError> {
        let deal = &stored.deal;
        let found = self
            .store
            .deal(self.integration.clone(), deal.id.clone())
            .await?;
        let moves = found.map(|(_, moves)| ordered(moves)).unwrap_or_default();
        let mut communication = None;
        let own = deal.communication.as_ref();
        if let Some(key) = own.filter(|key| key.source == self.source)
            && let Some(known) = self.store.communication(key.clone()).await?
        {
            let body = &known.snapshot.body;
            if deal.created_at.since(body.started_at()) <= LINK_WITHIN {
                communication = Some((body.kind(), key.clone()));
            }
        }
        Ok(DealToTake {
            key: self.key(&deal.id),
            funnel: self.key(&deal.pipeline.id),
            stage_since: moves.last().map_or(deal.created_at, |last| last.at),
            deal: deal.clone(),
            communication,
        })
    }

    async fn note(
        &self,
        upload: &DealUpload,
        part: &[StoredDeal],
        refused: Option<String>,
    ) -> Result<(), StoreError> {
        // A part that was refused is one deal, with removed ones beside it perhaps.
        let is_refused =
            |stored: &&StoredDeal| refused.is_some() && stored.deal.state != DealState::Removed;
        let id = |stored: &StoredDeal| stored.deal.id.clone();
        let reason: String = refused
            .iter()
            .flat_map(|why| why.chars())
            .take(REASON_CHARS_MAX)
            .collect();
        let uploaded = DealUploaded {
            integration: self.integration.clone(),
            upload: upload.clone(),
            taken: part.iter().filter(|one| !is_refused(one)).map(id).collect(),
            refused: part
                .iter()
                .filter(is_refused)
                .map(|one| (id(one), reason.clone()))
                .collect(),
        };
        if !uploaded.refused.is_empty() {
            warn!(integration = %self.integration, source = %self.source, why = reason, "a deal was refused");
        }
        self.store.deals_uploaded(uploaded).await
    }
}

/// Waits for a time, or without one until there is more.
async fn pause_or_more(pause: Option<Duration>, more: &mut super::wishes::StoredWatch) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => more.more().await,
    }
}
