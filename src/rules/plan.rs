//! What is to be done about a communication's phase, once the CRM has answered.

use crate::model::communication::Body;
use crate::model::explanation::Explanation;
use crate::model::facts::Facts;
use crate::model::plan::Plan;

use super::calls;
use super::chats;
use super::requests;
use super::situation::Situation;

/// Plans the steps of one phase. The same values give the same plan. What [`triage`] ignores
/// comes to a plan without steps, with the same reason.
///
/// A step whose role stands in the ledger is not planned again, unless [`replaced`] names it.
///
/// [`triage`]: super::triage()
/// [`replaced`]: super::replaced()
pub fn plan(situation: &Situation<'_>, facts: &Facts) -> Plan {
    if let Some(plan) = calls::recording::plan(situation) {
        return plan;
    }
    let planned = match &situation.snapshot.body {
        Body::Call { call } => calls::plan(situation, call, facts).map_err(Explanation::from),
        Body::Request { request } => requests::plan(situation, request, facts),
        Body::Chat { chat } => chats::plan(situation, chat, facts),
    };
    planned.unwrap_or_else(|explanation| Plan {
        steps: Vec::new(),
        first_time: situation.ledger.first_time,
        explanation,
    })
}
