//! Click-to-call: an employee is connected with a number.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::call_order::CallRefusal;
use crate::model::ids::{CommunicationKey, EmployeeId, SourceId, SourceKey, TenantId};
use crate::model::phone::Phone;
use crate::pbx::OrderError;
use crate::pbx::call_desk::{DeskError, Placed, told};
use crate::problem::problem;
use crate::store::command::JournalNote;

use super::body::{JsonBody, unreadable};
use super::openapi::operation::Operation;
use super::state::AdminState;

/// Who is to be connected with whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CallWish")]
pub(super) struct Wish {
    /// The employee's id in the configuration.
    employee: EmployeeId,
    /// The number to be called, in any form.
    phone: String,
}

/// A call that the phone system is asked for.
#[derive(Serialize, JsonSchema)]
struct CallPlaced {
    /// Our name of the order.
    call: String,
    /// What the call that follows is called in the journal.
    communication: Option<CommunicationKey>,
    /// The number that is called.
    phone: Phone,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/tenants/{tenant}/sources/{source}/calls",
            "Connect an employee with a number: the employee's phone rings first",
            place,
        )
        .answers::<CallPlaced>(202, "The phone system took the order")
        .refuses(404, "There is no such source")
        .refuses(409, "The source places no calls")
        .refuses(
            422,
            "Not permitted: the number, the employee or the extension",
        )
        .refuses(
            429,
            "The employee's calls of this minute are used up; Retry-After says when to come again",
        )
        .refuses(502, "The phone system refused")
        .refuses(
            503,
            "The phone system did not take the order in time: it is not placed",
        )
        .refuses(
            504,
            "The connection broke before the answer: the call may have been placed",
        ),
    ]
}

pub(super) async fn place(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
    wish: Result<JsonBody<Wish>, actix_web::Error>,
) -> HttpResponse {
    let (tenant, source) = path.into_inner();
    let (Ok(tenant), Ok(source)) = (tenant.parse::<TenantId>(), source.parse::<SourceId>()) else {
        return super::not_found();
    };
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let source = SourceKey::new(tenant, source);
    let placed = state.desk.place(&source, &wish.employee, &wish.phone).await;
    if !matches!(placed, Err(DeskError::UnknownSource(_))) {
        tell(&state, &source, &wish, &placed).await;
    }
    match placed {
        Ok(placed) => HttpResponse::Accepted().json(CallPlaced {
            call: placed.order.id,
            communication: placed.ordered.communication,
            phone: placed.order.phone,
        }),
        Err(error) => refusal(&error),
    }
}

/// Writes to the journal what was asked and what came of it.
async fn tell(
    state: &AdminState,
    source: &SourceKey,
    wish: &Wish,
    placed: &Result<Placed, DeskError>,
) {
    let (text, communication) = told(&wish.employee, placed);
    let note = JournalNote {
        at: state.clock.now(),
        tenant: Some(source.tenant.clone()),
        source: Some(source.clone()),
        integration: None,
        communication,
        word: "click_to_call".to_owned(),
        text,
    };
    if let Err(error) = state.store.note(note).await {
        tracing::error!(%error, "journal");
    }
}

fn refusal(error: &DeskError) -> HttpResponse {
    let status = match error {
        DeskError::UnknownSource(_) => StatusCode::NOT_FOUND,
        DeskError::NoCaller(_) => StatusCode::CONFLICT,
        DeskError::Refused(CallRefusal::TooMany { .. }) => StatusCode::TOO_MANY_REQUESTS,
        DeskError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        DeskError::Order(OrderError::Refused(_)) => StatusCode::BAD_GATEWAY,
        DeskError::Order(OrderError::Unclear) => StatusCode::GATEWAY_TIMEOUT,
        DeskError::Order(OrderError::Expired { .. } | OrderError::Busy) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let mut response = problem(status, &error.to_string());
    if let DeskError::Refused(CallRefusal::TooMany { retry_after, .. }) = error {
        let seconds = retry_after.as_secs().saturating_add(1);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
