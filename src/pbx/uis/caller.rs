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
        "virtual_phone_number": match &order.caller_id {
            Some(number) => json!(number.digits()),
            None => json!(settings.virtual_number),
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Extension;
    use crate::model::phone::{Phone, Region};

    #[test]
    fn v_14_the_client_sees_the_number_of_the_order_or_else_the_sources_own() {
        let settings = ClickToCall {
            virtual_number: "74950000000".to_owned(),
            first_call: FirstCall::Employee,
        };
        let number = |text| Phone::parse(text, Region::RU).expect("a number");
        let order = |caller_id| CallOrder {
            id: "crm-1.9c".to_owned(),
            employee: "anna".parse().expect("an id"),
            extension: Extension("7".to_owned()),
            phone: number("+79161234567"),
            caller_id,
        };
        for (caller_id, shown) in [
            (None, "74950000000"),
            (Some(number("+74951234567")), "74951234567"),
        ] {
            let params = params(&order(caller_id), &settings).expect("an order");
            assert_eq!(params["virtual_phone_number"], json!(shown));
            assert_eq!(params["external_id"], json!("crm-1.9c"));
        }
    }
}
