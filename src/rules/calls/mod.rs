//! What is made of telephone calls (rows S1-07 … S1-22, S1-26 … S1-28, V-03, V-09).
//!
//! ```text
//! admission  is it a client's call at all?          -> ignored, with the reason
//! client     who is it, new or known?               <- facts, ledger
//! entities   which case, and what does it make?     -> contact, deal, unsorted
//! task       who has what to do about it?           -> task
//! log        on which card is the call written?     -> call-record
//! fields     what is told in additional fields?     -> contact-fields, deal-fields
//!
//! people     whose call it is, who answers for what it makes
//! texts      names and texts from templates, tags
//! recording  can it be played by now?               -> recording
//! ```
//!
//! At the answer (S1-27) only `entities` has something to do; the end adds the rest.

mod admission;
mod client;
mod entities;
mod fields;
mod log;
mod people;
pub(super) mod recording;
mod task;
mod texts;

pub use self::log::CALL_RECORD;
pub(super) use self::texts::preview;

use crate::model::call::{Call, CallResult};
use crate::model::communication::Kind;
use crate::model::explanation::Reason;
use crate::model::facts::{Facts, FactsQuery};
use crate::model::plan::Plan;

use self::admission::ClientCall;
use self::client::Client;
use super::draft::Draft;
use super::settings::{CallHistory, KnownAction, Moment, Telephony};
use super::situation::Situation;
use super::written::notice;

/// Returns what the CRM has to be asked about a call, or why the call is ignored.
pub(super) fn triage(situation: &Situation<'_>, call: &Call) -> Result<FactsQuery, Reason> {
    let call = ClientCall::admit(situation, call)?;
    Ok(FactsQuery {
        phones: vec![call.phone.clone()],
        emails: Vec::new(),
        deals: wants_deals(&call),
        made: Vec::new(),
        made_leads: Vec::new(),
    })
}

/// Plans a call, or says why it is ignored.
pub(super) fn plan(situation: &Situation<'_>, call: &Call, facts: &Facts) -> Result<Plan, Reason> {
    let call = ClientCall::admit(situation, call)?;
    let mut draft = Draft::new(situation);
    if let Some(what) = &call.call.blind {
        draft.explain(Reason::SeenPartly { what: what.clone() });
    }
    if call.is_at_end() && matches!(call.call.result, CallResult::Open) {
        draft.explain(Reason::EndUnseen);
    }
    let client = Client::find(&call, facts, &mut draft);
    match call.settings.telephony {
        Telephony::Another => {
            draft.explain(Reason::OtherTelephony);
            fields::plan(&call, &client, &mut draft);
            return Ok(draft.finish(!client.known));
        }
        Telephony::Ours => {}
    }
    if let CallResult::EmployeeNotReached { reason } = call.call.result {
        draft.explain(Reason::EmployeeNotReached { miss: reason });
        log::plan(&call, &client, &mut draft);
        return Ok(draft.finish(!client.known));
    }
    // Where the CRM makes contacts from its call history, the entry is what everything waits for.
    let entry_first = situation.capabilities.calls.makes_contacts;
    if call.is_at_end() && entry_first {
        log::plan(&call, &client, &mut draft);
    }
    entities::plan(&call, &client, &mut draft);
    if call.settings.notify {
        notice::plan(situation, Kind::Call, &mut draft);
    }
    if call.is_at_end() {
        task::plan(&call, &client, &mut draft);
        if !entry_first {
            log::plan(&call, &client, &mut draft);
        }
        // Last: a field that the CRM does not take must not keep task and log waiting.
        fields::plan(&call, &client, &mut draft);
    }
    Ok(draft.finish(!client.known))
}

/// Deals cost the account further requests: they are asked for only where they can matter, to
/// choose the card of the log or of a task, or to decide whether and on which contact a deal is
/// made.
fn wants_deals(call: &ClientCall<'_>) -> bool {
    let fills_deals = call.is_at_end() && fields::wants_deals(call);
    if fills_deals || call.settings.telephony == Telephony::Another {
        return fills_deals;
    }
    if call.situation.capabilities.calls.makes_contacts {
        // Its entries stand on contacts; deals only tell whether another one is needed.
        let case = call.known_case().filter(|case| case.on);
        let asks = case.is_some_and(|case| {
            !matches!(
                case.action,
                KnownAction::DealAlways { .. } | KnownAction::Unsorted { .. }
            )
        });
        return fills_deals || asks && !call.is_filtered();
    }
    let logged_on_deals = match call.settings.call_history {
        CallHistory::Card => call.is_at_end(),
        CallHistory::CrmChooses => call.is_at_end() && task::may_act(call),
    };
    let case = call.known_case().filter(|case| {
        let now = call.is_at_end() || case.at == Moment::Answer;
        case.on && now && !call.is_filtered()
    });
    let decides_on_deals = case.is_some_and(|case| match case.action {
        KnownAction::ContactAndDeal { .. }
        | KnownAction::LeadOrDeal { .. }
        | KnownAction::DealAlways { .. } => true,
        KnownAction::Unsorted { .. } => false,
    });
    logged_on_deals || decides_on_deals
}
