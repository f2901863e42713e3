//! What is made of site requests (rows S0-06 … S0-22).
//!
//! ```text
//! admission  is it processed at all?                -> ignored, with the reason
//! content    where is what the client wrote kept?   -> note
//!
//! facets     what conditions look at
//! texts      what templates may say, and what the client wrote
//! ```
//!
//! What is made of it, and for whom, is [`written`](super::written).
//!
//! A request has one moment: everything is decided when it has come.

mod admission;
mod content;
mod facets;
mod texts;

#[cfg(test)]
mod tests;

pub(super) use self::texts::preview;

use crate::model::explanation::{Explanation, Reason};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::plan::Plan;
use crate::model::request::SiteRequest;

use self::admission::ClientRequest;
use super::draft::Draft;
use super::situation::Situation;
use super::written::client::Client;
use super::written::{Written, entities, fields, notice, task, texts as phrases};

/// The role of the task.
const TASK: &str = "task";

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
        made_leads: Vec::new(),
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
            kind: ClientRequest::KIND,
        });
        return Ok(draft.finish(!client.known));
    }
    entities::plan(&request, &client, &mut draft);
    // Before the task and the note: neither may keep the other waiting.
    if let Some(settings) = request.settings.task.as_ref().filter(|task| task.on) {
        let own = settings.text.as_ref();
        let usual = ClientRequest::USUAL.task;
        let text = phrases::task_text(&request, &client, "task.text", own, usual);
        let from = request.began_at();
        task::plan(TASK, &request, &client, settings, text, from, &mut draft);
    }
    content::plan(&request, &client, &mut draft);
    if request.settings.notify {
        notice::plan(situation, ClientRequest::KIND, &mut draft);
    }
    // Last: a field that the CRM does not take must not keep task and note waiting.
    fields::plan(&request, &client, &mut draft);
    Ok(draft.finish(!client.known))
}
