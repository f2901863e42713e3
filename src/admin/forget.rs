//! Forgetting a client, by a number.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::ids::{CommunicationKey, PortalKey, SourceKey};
use crate::model::phone::{Phone, Region};
use crate::model::plan::Card;
use crate::problem::{problem, problem_with};
use crate::store::StoreError;
use crate::store::command::{JournalNote, KeptBecause};
use crate::store::directory::DirectoryQuery;

use super::body::{JsonBody, unreadable};
use super::openapi::operation::Operation;
use super::state::AdminState;

/// Who is to be forgotten.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ForgetOrder")]
pub(super) struct Order {
    /// The client's number, in any form.
    phone: String,
}

/// What was forgotten, and what is left.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClientForgotten")]
struct Forgotten {
    /// Communications of which nothing tells any more who the client was.
    communications: u64,
    /// Remarks that named the number, besides those of these communications.
    remarks: u64,
    /// Recordings that were removed.
    recordings: usize,
    /// Rows in quarantine that were removed.
    quarantined: u64,
    /// Communications that are as they were, and why.
    kept: Vec<Kept>,
    /// What knows the client still, outside of the journal.
    left: Vec<Left>,
    /// There were too many at once: ask again.
    more: bool,
}

/// A communication that is as it was.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotForgotten")]
struct Kept {
    /// Which.
    communication: CommunicationKey,
    /// Why.
    why: KeptBecause,
}

/// What knows the client still.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "where", rename_all = "snake_case")]
#[schemars(rename = "LeftOfClient")]
enum Left {
    /// A card in a CRM.
    Crm {
        /// The portal.
        portal: PortalKey,
        /// The card.
        card: Card,
    },
    /// The memory of a source: of a call that goes on, or of those of the last days.
    Source {
        /// The source, by its row.
        source: String,
    },
    /// The history of a phone system.
    PhoneSystem {
        /// The source that told of it.
        source: SourceKey,
    },
    /// Files of recordings that could not be removed.
    Recordings {
        /// Why.
        why: String,
    },
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/forget",
            "Remove whatever tells who a client was, by its number, from the journal",
            forget,
        )
        .answers::<Forgotten>(200, "What was forgotten, and what is left")
        .refuses(400, "It is no telephone number")
        .refuses(503, "The store does not answer"),
    ]
}

pub(super) async fn forget(
    state: web::Data<AdminState>,
    order: Result<JsonBody<Order>, actix_web::Error>,
) -> HttpResponse {
    let order = match order {
        Ok(order) => order.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let phone = match Phone::parse(&order.phone, Region::default()) {
        Ok(phone) => phone,
        Err(error) => {
            let members = [("parameter", json!("phone"))];
            return problem_with(StatusCode::BAD_REQUEST, &error.to_string(), &members);
        }
    };
    match carry_out(&state, &phone).await {
        Ok(report) => HttpResponse::Ok().json(report),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn carry_out(state: &AdminState, phone: &Phone) -> Result<Forgotten, StoreError> {
    let now = state.clock.now();
    let report = state.store.forget(phone.clone(), now).await?;
    state.questions.talks().forget(phone);
    let mut left = Vec::new();
    if let Err(error) = (state.discard)(&report.files) {
        left.push(Left::Recordings {
            why: error.to_string(),
        });
    }
    for source in report.checkpoints {
        left.push(Left::Source { source });
    }
    for source in report.sources {
        left.push(Left::PhoneSystem { source });
    }
    let overview = state.overview.load_full();
    for portal in &overview.portals {
        let query = DirectoryQuery {
            portal: portal.key.clone(),
            phones: vec![phone.clone()],
            emails: Vec::new(),
            deals: false,
            expected: Vec::new(),
        };
        let answer = state.store.directory_answer(query).await?;
        let cards = answer.cards.into_iter();
        left.extend(cards.map(|known| Left::Crm {
            portal: portal.key.clone(),
            card: known.card.card,
        }));
    }
    // Who did what when stands in the journal; the number does not.
    let communications = report.communications;
    state
        .store
        .note(JournalNote {
            at: now,
            tenant: None,
            source: None,
            integration: None,
            communication: None,
            word: "client_forgotten".to_owned(),
            text: format!("a client was forgotten: {communications} communication(s)"),
        })
        .await?;
    let kept = report.kept.into_iter();
    Ok(Forgotten {
        communications,
        remarks: report.notes,
        recordings: report.files.len(),
        quarantined: report.quarantined,
        kept: kept
            .map(|(communication, why)| Kept { communication, why })
            .collect(),
        left,
        more: report.more,
    })
}
