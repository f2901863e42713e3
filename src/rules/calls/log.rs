//! Where a call is logged (S1-26): every client's call, whatever the cases make of it.

use crate::model::call::{CallResult, Direction, MissReason};
use crate::model::explanation::{Reason, Side};
use crate::model::ids::{CrmUserId, Extension};
use crate::model::passing::{CardMove, OpenedEntry, PassingState, opened_entry};
use crate::model::plan::{CallLine, CallRecord, CallStatus, Effect, Entity, Target};

use super::admission::ClientCall;
use super::client::{Client, known, named};
use super::entities::{CONTACT, DEAL, LEAD, UNSORTED};
use super::people;
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::settings::{CallHistory, Talker};

/// The role of the log entry.
pub const CALL_RECORD: &str = "call-record";

/// Plans the log entry of a call, after everything else is planned.
pub(super) fn plan(call: &ClientCall<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    // An unsorted record of an incoming call has the call's event on its card (S1-12).
    if call.side == Side::Incoming && draft.gives(UNSORTED) {
        if let Err(why_nobody) = people::employee(call) {
            draft.explain(why_nobody);
        }
        return draft.explain(Reason::LoggedInUnsorted);
    }
    // An entry that a card or a click has opened is ended, whatever the filter says.
    let opened = opened(call);
    if call.leaves_log_out() && opened.is_none() && call.click().is_none() {
        return draft.explain(Reason::FilteredNotLogged { side: call.side });
    }
    let stands = opened.is_some() || call.click().is_some();
    let Some((card, place)) = place(call, client, draft, stands) else {
        return draft.explain(Reason::NothingToLogOn);
    };
    let named = people::employee(call);
    let (employee, why) = match (call.situation.capabilities.calls.needs_user, named) {
        (true, named) => {
            let (user, why) = people::logged_under(call, client, named);
            (Some(user), why)
        }
        (false, Ok(user)) => (Some(user), Vec::new()),
        (false, Err(reason)) => (None, vec![reason]),
    };
    let wish = draft.wish(
        CALL_RECORD,
        Effect::RecordCall(CallRecord {
            card,
            direction: call.call.direction,
            phone: call.phone.clone(),
            status: status(call.call.direction, call.call.result),
            talk_s: call.talk_s(),
            at: call.call.started_at,
            employee,
            link: ready_link(call),
            source_name: call.situation.source_name.to_owned(),
            line: line(call, opened.as_ref()),
            shown_to: opened.map(|entry| entry.user),
        }),
    );
    if wish == Wish::Planned {
        draft.explain(place);
        for reason in why {
            draft.explain(reason);
        }
    }
}

/// Returns the telephones of the call, where the CRM wants to know.
fn line(call: &ClientCall<'_>, opened: Option<&OpenedEntry>) -> Option<CallLine> {
    let manner = &call.situation.capabilities.calls;
    let click = call.click().map(str::to_owned);
    let opened = opened.and_then(|entry| entry.id.clone());
    let is_open = click.is_some() || opened.is_some();
    if !manner.by_telephone && !manner.names_our_number && !is_open {
        return None;
    }
    let rung: Vec<Extension> = call.call.rung().cloned().collect();
    let talker = match call.settings.talker {
        Talker::First => call.call.first_talker(),
        Talker::Last => call.call.last_talker.as_ref().or(call.call.talkers.last()),
    };
    let caller = call.call.caller_extension.as_ref();
    let of = talker.or(caller).or(rung.last()).cloned();
    let passing = call.situation.ledger.passing.iter();
    let shown = passing
        .filter(|step| step.card == CardMove::Show)
        .filter(|step| matches!(step.state, PassingState::Done { .. }));
    Some(CallLine {
        of,
        our_number: call.call.our_number.clone(),
        recorded: !call.call.recordings.is_empty(),
        click,
        opened,
        shown: shown.flat_map(|step| step.extensions.clone()).collect(),
        rung,
    })
}

/// Returns the entry that the call's cards have opened, where they open one.
fn opened(call: &ClientCall<'_>) -> Option<OpenedEntry> {
    let opens = call.situation.capabilities.calls.opened_by_card;
    opens
        .then(|| opened_entry(&call.situation.ledger.passing))
        .flatten()
}

/// Returns the recording's address where it can be played already, such as after an outage of the
/// CRM; else a later step puts it to the entry.
fn ready_link(call: &ClientCall<'_>) -> Option<String> {
    if call.situation.capabilities.calls.recording_apart {
        return None;
    }
    let recording = call
        .situation
        .recording
        .filter(|recording| recording.ready && !recording.upload)?;
    Some(recording.link.clone())
}

/// Chooses the card. What the call itself makes goes first, even where the CRM otherwise chooses:
/// its search may not show a record that is seconds old. An unsorted record goes last, for it
/// goes to the bin with everything on it when a person declines it. An entry that stands in the CRM
/// already is ended wherever it stands.
fn place(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    draft: &Draft<'_>,
    stands: bool,
) -> Option<(Option<Target>, Reason)> {
    if call.situation.capabilities.calls.makes_contacts {
        return Some((None, Reason::LoggedByCrm));
    }
    if let Some(place) = made_card(draft) {
        return Some((Some(place.target), place.reason));
    }
    if client.contact.is_some() || client.company.is_some() || client.lead.is_some() {
        return match call.settings.call_history {
            CallHistory::CrmChooses => Some((None, Reason::LoggedByCrm)),
            CallHistory::Card => card(client).map(|place| (Some(place.target), place.reason)),
        };
    }
    let unsorted = Reason::LoggedOnMade {
        entity: Entity::Unsorted,
    };
    match draft.gives(UNSORTED) {
        true => Some((Some(made(UNSORTED, Entity::Deal)), unsorted)),
        // The CRM knows on which card somebody clicked, or whose number it is.
        false => stands.then_some((None, Reason::LoggedByCrm)),
    }
}

/// A card that something is written on or hangs on.
pub(super) struct Place {
    /// The card.
    pub(super) target: Target,
    /// Its sort.
    pub(super) entity: Entity,
    /// Who answers for it.
    pub(super) owner: Option<CrmUserId>,
    reason: Reason,
}

/// Returns the card on which what belongs to the call hangs: the one that the call makes, else the
/// client's. Not an unsorted record: it is no card before a person accepts it.
pub(super) fn card_of_call(client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    made_card(draft).or_else(|| card(client))
}

fn made_card(draft: &Draft<'_>) -> Option<Place> {
    let makers = [
        (DEAL, Entity::Deal),
        (CONTACT, Entity::Contact),
        (LEAD, Entity::Lead),
    ];
    let (role, entity) = makers.into_iter().find(|(role, _)| draft.gives(role))?;
    Some(Place {
        target: made(role, entity),
        entity,
        owner: draft.responsible_of(role).cloned(),
        reason: Reason::LoggedOnMade { entity },
    })
}

/// Returns the client's card: the only open deal, else the contact, else the company, else the open
/// lead.
fn card(client: &Client<'_>) -> Option<Place> {
    let open = client.open_deals.as_slice();
    let (entity, id, owner, reason) = match (open, client.contact, client.company) {
        ([deal], _, _) => (
            Entity::Deal,
            &deal.id,
            &deal.responsible,
            Reason::LoggedOnDeal {
                deal: deal.id.clone(),
            },
        ),
        (_, Some(contact), _) => (
            Entity::Contact,
            &contact.id,
            &contact.responsible,
            Reason::LoggedOnContact {
                contact: named(contact),
                open: open.len(),
            },
        ),
        (_, None, Some(company)) => (
            Entity::Company,
            &company.id,
            &company.responsible,
            Reason::LoggedOnCompany {
                company: named(company),
            },
        ),
        (_, None, None) => {
            let lead = client.lead?;
            (
                Entity::Lead,
                &lead.id,
                &lead.responsible,
                Reason::LoggedOnLead { lead: named(lead) },
            )
        }
    };
    Some(Place {
        target: known(entity, id),
        entity,
        owner: owner.clone(),
        reason,
    })
}

/// Says in the CRM's terms what a call came to. A refusal by hand means "busy" of the client who
/// was called, and "no answer" of the company; only a number that we called can be wrong.
fn status(direction: Direction, result: CallResult) -> CallStatus {
    let reason = match result {
        CallResult::Answered => return CallStatus::Talked,
        CallResult::Open => return CallStatus::NoAnswer,
        CallResult::Missed { reason } | CallResult::EmployeeNotReached { reason } => reason,
    };
    match (direction, reason) {
        (_, MissReason::Busy) | (Direction::Outgoing, MissReason::Declined) => CallStatus::Busy,
        (Direction::Outgoing, MissReason::Failed) => CallStatus::WrongNumber,
        (Direction::Incoming | Direction::Internal, MissReason::Declined | MissReason::Failed)
        | (
            _,
            MissReason::NoAnswer
            | MissReason::CallerGaveUp
            | MissReason::AbandonedInQueue
            | MissReason::NobodyRung,
        ) => CallStatus::NoAnswer,
    }
}
