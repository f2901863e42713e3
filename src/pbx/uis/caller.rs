//! Click-to-call by the Call API (`pbx/uis.md` §3). The platform does not recognise a repeat: an
//! order is sent once.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::row::Row;
use super::rpc::{Api, RpcError};
use super::settings::{ClickToCall, FirstCall};
use crate::model::call_order::{CallOrder, ShowsNumber};
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

    fn shows_number(&self) -> ShowsNumber {
        ShowsNumber::Chosen
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
    let shown = order.shown.as_ref();
    let number = shown.map_or(settings.virtual_number.as_str(), |shown| {
        shown.number.digits()
    });
    // Brands differ in what a left-out direction means (corrections 1).
    let mut params = json!({
        "first_call": first_call,
        "direction": "out",
        "switch_at_once": true,
        "virtual_phone_number": number,
        "contact": order.phone.digits(),
        "external_id": order.id,
        "employee": { "id": employee },
    });
    if let Some(shown) = shown {
        // Not shown, the employee's own rules of numbers count; that is our reading of the word.
        params["show_virtual_phone_number"] = shown.always.into();
    }
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
    use crate::model::call_order::ShownNumber;
    use crate::model::ids::Extension;
    use crate::model::phone::{Phone, Region};

    fn number(text: &str) -> Phone {
        Phone::parse(text, Region::RU).expect("a number")
    }

    #[test]
    fn s2_15_s2_16_the_chosen_number_is_the_virtual_one_and_always_shown_where_that_is_chosen() {
        let settings = ClickToCall {
            virtual_number: "74950000001".to_owned(),
            first_call: FirstCall::Employee,
        };
        let params = |shown: Option<ShownNumber>| {
            let order = CallOrder {
                id: "c2c-1.1".to_owned(),
                employee: "anna".parse().expect("an id"),
                extension: Extension("501".to_owned()),
                phone: number("+79161112233"),
                shown,
            };
            let params = params(&order, &settings).expect("an employee");
            let at = |key: &str| params.get(key).cloned().unwrap_or_default();
            [at("virtual_phone_number"), at("show_virtual_phone_number")]
        };
        assert_eq!(params(None), [json!("74950000001"), Value::Null]);
        for always in [false, true] {
            let shown = ShownNumber {
                number: number("+74951112233"),
                always,
            };
            assert_eq!(params(Some(shown)), [json!("74951112233"), json!(always)]);
        }
    }
}
