//! Takes deals for the account's end-to-end analytics (`pbx/uis.md` §4.6). All or none of a request
//! is taken, so that whoever sends splits what was refused.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::local_time;
use super::reports::object;
use super::rpc::{Api, Limits, RpcError};
use crate::model::communication::Kind;
use crate::model::deal::DealState;
use crate::model::ids::CommunicationKey;
use crate::model::timestamp::Timestamp;
use crate::pbx::{DealFunnel, DealTaker, DealToTake, TakeError};

/// The most deals of one request.
const BATCH_MAX: usize = 1_000;

/// Requests of the day and of the minute that deals leave to calls and chats.
const DAY_LEFT_MIN: u64 = 50;
const MINUTE_LEFT_MIN: u64 = 5;

/// Passes deals on.
pub(super) struct UisDeals {
    pub(super) desk: Arc<Desk>,
    pub(super) api: Arc<Api>,
}

impl DealTaker for UisDeals {
    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    fn prepare(&self, funnel: DealFunnel) -> BoxFuture<'_, Result<(), TakeError>> {
        async move {
            has_room(self.api.limits())?;
            match self
                .api
                .call("create.sales_funnel", funnel_params(&funnel))
                .await
            {
                Ok(_) => Ok(()),
                // Made before, by a request whose answer was lost.
                Err(RpcError::Refused(refusal)) if refusal.says_it_exists() => Ok(()),
                Err(error) => Err(not_now(&error)),
            }
        }
        .boxed()
    }

    fn take(&self, deals: Vec<DealToTake>) -> BoxFuture<'_, Result<(), TakeError>> {
        async move {
            has_room(self.api.limits())?;
            let write = |time| local_time::write(time, &self.desk.zone());
            let rows: Vec<Value> = deals.iter().map(|deal| row(deal, &write)).collect();
            let params = object(json!({ "deals": rows }));
            match self.api.call("upload.deals_history", params).await {
                Ok(_) => Ok(()),
                Err(RpcError::Refused(refusal)) if refusal.is_of_parameters() => {
                    Err(TakeError::Refused(RpcError::Refused(refusal).to_string()))
                }
                Err(error) => Err(not_now(&error)),
            }
        }
        .boxed()
    }
}

/// Deals give way to what the account's limits are there for.
fn has_room(limits: Option<Limits>) -> Result<(), TakeError> {
    let Some(limits) = limits else {
        return Ok(());
    };
    let wait = match (limits.day_remaining, limits.minute_remaining) {
        (day, _) if day < DAY_LEFT_MIN => limits.day_reset,
        (_, minute) if minute < MINUTE_LEFT_MIN => limits.minute_reset,
        (_, _) => return Ok(()),
    };
    Err(TakeError::NotNow {
        why: "what is left of the account's limit of requests is kept for calls".to_owned(),
        wait: Some(wait),
    })
}

fn not_now(error: &RpcError) -> TakeError {
    let wait: Option<Duration> = match error {
        RpcError::Limit { wait, .. } => Some(*wait),
        RpcError::NotSent { .. } | RpcError::NoAnswer { .. } | RpcError::Refused(_) => None,
    };
    TakeError::NotNow {
        why: error.to_string(),
        wait,
    }
}

/// How a funnel's stages are written down is not documented beyond `success` and `failed`: what is
/// in work is one more of the same shape.
fn funnel_params(funnel: &DealFunnel) -> Map<String, Value> {
    let stage = |state: DealState, name: &str| json!({ "ext_id": stage_key(&funnel.key, state), "name": name });
    object(json!({
        "ext_id": funnel.key,
        "name": funnel.name,
        "stages": {
            "process": [stage(DealState::Open, "В работе")],
            "success": stage(DealState::Won, "Успех"),
            "failed": stage(DealState::Lost, "Отказ"),
        },
    }))
}

fn stage_key(funnel: &str, state: DealState) -> String {
    format!("{funnel}/{}", state.word())
}

fn row(taken: &DealToTake, write: &impl Fn(Timestamp) -> String) -> Value {
    let deal = &taken.deal;
    let mut row = json!({
        "ext_id": taken.key,
        "name": if deal.name.is_empty() { &taken.key } else { &deal.name },
        "created_date_time": write(deal.created_at),
        "modified_stage_date_time": write(taken.stage_since),
        "modified_date_time": write(deal.updated_at),
        "sales_funnel_ext_id": taken.funnel,
        "stage_ext_id": stage_key(&taken.funnel, deal.state),
    });
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            row[key] = value;
        }
    };
    put(
        "closed_date_time",
        deal.closed_at.map(|at| write(at).into()),
    );
    put("revenue", deal.sum.map(revenue));
    put(
        "source",
        deal.source.as_ref().map(|source| source.as_str().into()),
    );
    if let Some((kind, id)) = taken.communication.as_ref().and_then(linked) {
        put("communication_type", Some(kind.into()));
        put("communication_id", Some(id.into()));
    }
    row
}

fn revenue(sum: crate::model::deal::Sum) -> Value {
    let hundredths = sum.hundredths();
    match hundredths % 100 {
        0 => (hundredths / 100).into(),
        // Hundredths of any sum that is paid are far below 2^53.
        _ => (hundredths as f64 / 100.0).into(),
    }
}

/// Returns what the platform calls a communication; its ids are numbers.
fn linked((kind, key): &(Kind, CommunicationKey)) -> Option<(&'static str, u64)> {
    let id = key.item.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    let id = id.parse().ok()?;
    let word = match kind {
        Kind::Call => "call",
        Kind::Chat => "chat",
        Kind::Request => "offline_message",
    };
    Some((word, id))
}
