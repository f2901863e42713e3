//! Forgetting a client, by a number.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::phone::{Phone, Region};
use crate::problem::{problem, problem_with};
use crate::store::StoreError;
use crate::store::command::JournalNote;
use crate::store::directory::DirectoryQuery;

use super::body::{JsonBody, unreadable};
use super::state::AdminState;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    phone: String,
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

async fn carry_out(state: &AdminState, phone: &Phone) -> Result<Value, StoreError> {
    let now = state.clock.now();
    let report = state.store.forget(phone.clone(), now).await?;
    state.questions.talks().forget(phone);
    let mut left: Vec<Value> = Vec::new();
    if let Err(error) = (state.discard)(&report.files) {
        left.push(json!({ "where": "recordings", "why": error.to_string() }));
    }
    for source in &report.checkpoints {
        left.push(json!({ "where": "source", "source": source }));
    }
    for source in &report.sources {
        left.push(json!({ "where": "phone_system", "source": source }));
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
        left.extend(
            cards.map(
                |known| json!({ "where": "crm", "portal": portal.key, "card": known.card.card }),
            ),
        );
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
    let kept = report.kept.iter();
    let kept: Vec<Value> = kept
        .map(|(communication, why)| json!({ "communication": communication, "why": why }))
        .collect();
    Ok(json!({
        "communications": report.communications,
        "remarks": report.notes,
        "recordings": report.files.len(),
        "quarantined": report.quarantined,
        "kept": kept,
        "left": left,
        "more": report.more,
    }))
}
