//! Whether anything is to be decided about a communication, before the CRM is asked.

use crate::model::communication::Body;
use crate::model::explanation::Explanation;
use crate::model::facts::FactsQuery;
use crate::model::plan::Plan;

use super::calls;
use super::chats;
use super::requests;
use super::situation::Situation;

/// What is to become of a communication's phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Triage {
    /// Nothing is done; why.
    Ignore(Explanation),
    /// Nothing has to be asked: this is the plan.
    Plan(Box<Plan>),
    /// The CRM is asked this, then [`plan`](super::plan()) decides.
    Ask(FactsQuery),
}

/// Says whether a communication's phase is ignored, or what the CRM has to be asked about it.
pub fn triage(situation: &Situation<'_>) -> Triage {
    if let Some(plan) = calls::recording::plan(situation) {
        return Triage::Plan(Box::new(plan));
    }
    let admitted = match &situation.snapshot.body {
        Body::Call { call } => calls::triage(situation, call).map_err(Explanation::from),
        Body::Request { request } => requests::triage(situation, request),
        Body::Chat { chat } => chats::triage(situation, chat),
    };
    match admitted {
        Ok(query) => Triage::Ask(query),
        Err(reason) => Triage::Ignore(reason),
    }
}
