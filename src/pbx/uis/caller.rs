//! Click-to-call by the Call API (`pbx/uis.md` §3). The platform does not recognise a repeat: an
//! order is sent once.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::row::Row;
use super::rpc::{Api, RpcError};
use super::settings::{ClickToCall, FirstCall};
use crate::model::call_order::CallOrder;
use crate::model::ids::{CommunicationKey, SourceKey};
use crate::pbx::{Caller, OrderError, Ordered};

/// Places calls.
pub(super) struct UisCaller {
    pub(super) source: SourceKey,
    pub(super) api: Arc<Api>,
    pub(super) settings: ClickToCall,
}

impl Caller for UisCaller {
    fn place(&self, order: CallOrder) -> BoxFuture<'_, Result<Ordered, OrderError>> {
        async move {
            let params = params(&order, &self.settings)?;
            let answered = self.api.call("start.employee_call", params).await;
            let answered = answered.map_err(order_error)?;
            let id = Row::of(&answered.data).and_then(|row| row.line("call_session_id"));
            let key = id.and_then(|id| CommunicationKey::new(self.source.clone(), &id).ok());
            Ok(Ordered { communication: key })
        }
        .boxed()
    }
}

fn params(order: &CallOrder, settings: &ClickToCall) -> Result<Map<String, Value>, OrderError> {
    let employee: u64 = order.extension.0.parse().map_err(|_| {
        let words = format!(
            "{} is no employee of the platform: write the employee's id there as the extension",
            order.extension
        );
        OrderError::Refused(words)
    })?;
    let first_call = match settings.first_call {
        FirstCall::Employee => "employee",
        FirstCall::Contact => "contact",
    };
    // Brands differ in what a left-out direction means (corrections 1).
    let params = json!({
        "first_call": first_call,
        "direction": "out",
        "switch_at_once": true,
        "virtual_phone_number": settings.virtual_number,
        "contact": order.phone.digits(),
        "external_id": order.id,
        "employee": { "id": employee },
    });
    Ok(params.as_object().cloned().unwrap_or_default())
}

fn order_error(error: RpcError) -> OrderError {
    match error {
        RpcError::NoAnswer { .. } => OrderError::Unclear,
        RpcError::NotSent { .. } | RpcError::Limit { .. } | RpcError::Refused(_) => {
            OrderError::Refused(error.to_string())
        }
    }
}
