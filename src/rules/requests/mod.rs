//! What is made of site requests (rows S0-06 … S0-22).
//!
//! ```text
//! admission  is it processed at all?                -> ignored, with the reason
//! client     who is it, new or known?               <- facts, ledger
//! entities   what does the method make?             -> contact, deal, unsorted
//! content    where is what the client wrote kept?   -> note
//! task       who has what to do about it?           -> task
//! fields     what is told in additional fields?     -> with the records, contact-fields
//!
//! facets     what conditions look at
//! people     who answers for what it makes
//! texts      names and texts from templates
//! ```
//!
//! A request has one moment: everything is decided when it has come.

mod admission;
mod client;
mod content;
mod entities;
mod facets;
mod fields;
mod people;
mod task;
mod texts;

#[cfg(test)]
mod tests;

use crate::model::explanation::{Explanation, Reason};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::plan::Plan;
use crate::model::request::SiteRequest;

use self::admission::ClientRequest;
use self::client::Client;
use super::draft::Draft;
use super::situation::Situation;

/// Returns what the CRM has to be asked about a request, or why the request is ignored.
pub(super) fn triage(
    situation: &Situation<'_>,
    request: &SiteRequest,
) -> Result<FactsQuery, Explanation> {
    let request = ClientRequest::admit(situation, request)?;
    Ok(FactsQuery {
        phones: request.phone().cloned().into_iter().collect(),
        emails: request.email().into_iter().collect(),
        // A deal is made at every request (S0-09): those that there are decide nothing.
        deals: false,
        made: Vec::new(),
    })
}

/// Plans a request, or says why it is ignored.
pub(super) fn plan(
    situation: &Situation<'_>,
    request: &SiteRequest,
    facts: &Facts,
) -> Result<Plan, Explanation> {
    let request = ClientRequest::admit(situation, request)?;
    let mut draft = Draft::new(situation);
    if let Some(reason) = request.filter_seen() {
        draft.explain(reason);
    }
    let client = Client::find(&request, facts, &mut draft);
    if client.known && request.settings.first_time_only {
        draft.explain(Reason::RepeatLeft {
            kind: admission::KIND,
        });
        return Ok(draft.finish(!client.known));
    }
    entities::plan(&request, &client, &mut draft);
    // Before the task and the note: neither may keep the other waiting.
    task::plan(&request, &client, &mut draft);
    content::plan(&request, &client, &mut draft);
    // Last: a field that the CRM does not take must not keep task and note waiting.
    fields::plan(&request, &client, &mut draft);
    Ok(draft.finish(!client.known))
}
