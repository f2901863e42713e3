//! What deals of three CRMs become, by the examples of their contracts.

mod contracts;

use crate::model::deal::{Deal, DealState, Named};
use crate::model::timestamp::Timestamp;

/// A plain deal.
pub(super) fn deal(id: &str) -> Deal {
    let named = |id: &str| Named {
        id: id.to_owned(),
        name: id.to_owned(),
    };
    Deal {
        id: id.to_owned(),
        name: "Сделка".to_owned(),
        pipeline: named("31"),
        stage: named("1"),
        state: DealState::Open,
        sum: None,
        currency: None,
        responsible: None,
        client: None,
        source: None,
        columns: Vec::new(),
        communication: None,
        kept: Default::default(),
        created_at: Timestamp::from_secs(10),
        updated_at: Timestamp::from_secs(20),
        closed_at: None,
    }
}
