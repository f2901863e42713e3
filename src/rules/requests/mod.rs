//! What is made of site requests (rows S0-06 … S0-22). What they share with chats is decided in
//! `written`; here stands what a request is.
//!
//! ```text
//! admission  is it decided at all?        -> ignored, with the reason
//! content    what does it say?            -> variables of templates, the note
//! ```

mod admission;
mod content;

use crate::model::explanation::Reason;
use crate::model::facts::{Facts, FactsQuery};
use crate::model::plan::Plan;
use crate::model::request::SiteRequest;

use super::draft::Draft;
use super::settings::Method;
use super::situation::Situation;
use super::written::{self, Client, Written};

/// The role of the note with the request's content.
const NOTE: &str = "note";

/// Returns what the CRM has to be asked about a request; `None` where there is nothing to ask by.
pub(super) fn triage(
    situation: &Situation<'_>,
    request: &SiteRequest,
) -> Result<Option<FactsQuery>, Reason> {
    Ok(admission::admit(situation, request)?.query())
}

/// Plans a request, or says why it is ignored.
pub(super) fn plan(
    situation: &Situation<'_>,
    request: &SiteRequest,
    facts: &Facts,
) -> Result<Plan, Reason> {
    let admitted = admission::admit(situation, request)?;
    let nothing = written::nothing_known(situation);
    let facts = match admitted.query() {
        Some(_) => facts,
        None => &nothing,
    };
    let mut draft = Draft::new(situation);
    let client = Client::find(&admitted, facts, &mut draft);
    if written::plan(&admitted, &client, &mut draft) && keeps_note(&admitted, &client) {
        let text = content::note(situation, request);
        written::note(NOTE, &text, request.at, &client, &mut draft);
    }
    Ok(draft.finish(!client.known))
}

/// By hand means that people write everything themselves (S0-07).
fn keeps_note(written: &Written<'_>, client: &Client<'_>) -> bool {
    match written.method(client) {
        Method::ByHand {} => false,
        Method::Unsorted { .. } | Method::Contact { .. } | Method::ContactAndDeal {} => true,
    }
}
