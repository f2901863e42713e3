//! What amoCRM's answer to a request with several items means for each of them. Pure.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::map::{Answer, Item};
use super::wire::answers::{self, Made, Unsorted};
use super::wire::refusal::{self, Fault, Refusal};
use crate::crm::account::classify::Failure;
use crate::model::outcome::{NotAppliedCause, Outcome, StepResult};
use crate::model::plan::{Card, Entity};

/// How soon a step is tried again whose marker field has to be made anew.
const FIELD_GONE_RETRY: Duration = Duration::from_secs(1);

/// What is said of a record that names nobody because its user was refused.
const USER_REFUSED: &str = "amoCRM refuses the user as responsible (deactivated?): the record was \
                            left to the owner of the token";

/// What is said of fields that were refused.
pub(super) const FIELDS_REFUSED: &str =
    "amoCRM refuses additional fields, and the rest was written without them";

/// What is said where a call has no card to stand on.
const NOTHING_TO_LOG_ON: &str = "no card has this number: nothing to log the call on";

/// What is left of an item that the answer does not mention.
pub(super) fn not_mentioned() -> Outcome<StepResult> {
    Outcome::Ambiguous {
        why: "amoCRM's answer does not mention this item".to_owned(),
    }
}

/// Says what a refused request means for one of its items.
pub(super) fn refused(refusal: &Refusal, item: &Item, items: usize) -> Outcome<StepResult> {
    if item.answer == Answer::Calls && !refusal.call_errors.is_empty() {
        return refused_call(refusal, item, items);
    }
    let named = refusal.of_item(&item.request_id);
    if lacks_marker_field(refusal, item, items) {
        return Failure::not_applied(
            NotAppliedCause::Failed,
            "the marker field is gone from the account; it is made anew".to_owned(),
            Some(FIELD_GONE_RETRY),
        )
        .into_outcome();
    }
    match named {
        Some(rejection) => Outcome::Rejected(rejection),
        // The whole request was refused before any item was looked at.
        None if items == 1 || matches!(refusal.status(), 403..=405) => {
            Outcome::Rejected(refusal.whole())
        }
        // Whether a 400 stores the items that it does not complain of is not known (§3).
        None => Outcome::Ambiguous {
            why: format!(
                "amoCRM refused the request without naming this item: {}",
                refusal.whole().message
            ),
        },
    }
}

/// Says whether a refusal complains of a field that we made: of the fields that we name by id those
/// of the administrator stand last, and ours before them.
pub(super) fn lacks_marker_field(refusal: &Refusal, item: &Item, items: usize) -> bool {
    let faults = refusal.faults(&item.request_id, items == 1);
    faults.into_iter().any(|fault| match fault {
        Fault::Field {
            place,
            unknown: true,
        } => !item.is_additional(place),
        Fault::Field { .. } | Fault::User | Fault::Other => false,
    })
}

/// Returns a refused item without what was refused of it, where the record can do without, and
/// what is said about that: users who have left, and additional fields.
pub(super) fn mended(refusal: &Refusal, item: &Item, items: usize) -> Option<(Item, String)> {
    let faults = refusal.faults(&item.request_id, items == 1);
    if faults.is_empty() {
        return None;
    }
    let mut places = Vec::new();
    let mut users = false;
    for fault in faults {
        match fault {
            Fault::User => users = true,
            Fault::Field { place, .. } if item.is_additional(place) => places.push(place),
            Fault::Field { .. } | Fault::Other => return None,
        }
    }
    let mut rest = item.clone();
    let mut said = Vec::new();
    if users {
        if !rest.drop_users() {
            return None;
        }
        said.push(USER_REFUSED.to_owned());
    }
    if !places.is_empty() {
        rest.drop_fields(&places);
        let refusal = refusal.of_item(&item.request_id);
        let words = refusal.map_or_else(String::new, |refusal| refusal.message);
        said.push(format!("{FIELDS_REFUSED}: {words}"));
    }
    Some((rest, said.join("; ")))
}

fn refused_call(refusal: &Refusal, item: &Item, items: usize) -> Outcome<StepResult> {
    let errors = &refusal.call_errors;
    let named = errors
        .iter()
        .find(|error| error.request_id.as_deref() == Some(item.request_id.as_str()));
    let unnamed = errors.iter().all(|error| error.request_id.is_none());
    match named.or_else(|| errors.first().filter(|_| items == 1)) {
        Some(error) if error.no_card => Outcome::Done(nothing_to_log_on()),
        Some(error) => Outcome::Rejected(error.rejection()),
        // Errors without names, one for each item, all the same: each had no card.
        None if unnamed && errors.len() == items && errors.iter().all(|e| e.no_card) => {
            Outcome::Done(nothing_to_log_on())
        }
        None => not_mentioned(),
    }
}

fn nothing_to_log_on() -> StepResult {
    StepResult {
        note: Some(NOTHING_TO_LOG_ON.to_owned()),
        ..StepResult::default()
    }
}

/// Reads what became of each item of an accepted request, by request id.
pub(super) fn read_stored(
    answer: Answer,
    body: &[u8],
    group: &[(usize, Item)],
) -> Result<HashMap<String, Outcome<StepResult>>, String> {
    let name = match answer {
        Answer::Contacts => "contacts",
        Answer::Leads => "leads",
        Answer::Unsorted => "unsorted",
        Answer::Notes(_) | Answer::TextNotes(_) => "notes",
        Answer::Calls => return read_stored_calls(body, group),
        Answer::Tasks => "tasks",
    };
    let results: Vec<(Option<String>, StepResult)> = match answer {
        Answer::Unsorted => answers::page::<Unsorted>(body, name)
            .map_err(|error| error.to_string())?
            .items
            .into_iter()
            .map(|made| (made.request_id.clone(), unsorted_result(&made)))
            .collect(),
        Answer::Contacts
        | Answer::Leads
        | Answer::Notes(_)
        | Answer::TextNotes(_)
        | Answer::Calls
        | Answer::Tasks => answers::page::<Made>(body, name)
            .map_err(|error| error.to_string())?
            .items
            .into_iter()
            .map(|made| (made.request_id.clone(), made_result(answer, &made)))
            .collect(),
    };
    Ok(by_request_id(results, group))
}

fn read_stored_calls(
    body: &[u8],
    group: &[(usize, Item)],
) -> Result<HashMap<String, Outcome<StepResult>>, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let errors = refusal::read_call_errors(&value);
    let made = match answers::page::<Made>(body, "calls") {
        Ok(page) => page.items,
        // Every one of them was refused: then there need not be a list.
        Err(_) if errors.len() == group.len() => Vec::new(),
        Err(error) => return Err(error.to_string()),
    };
    let results = made
        .iter()
        .map(|made| (made.request_id.clone(), call_result(made)))
        .collect();
    let mut outcomes = by_request_id(results, group);
    for error in errors {
        let request_id = match (&error.request_id, group) {
            (Some(request_id), _) => request_id.clone(),
            (None, [(_, only)]) => only.request_id.clone(),
            (None, _) => continue,
        };
        let outcome = if error.no_card {
            Outcome::Done(nothing_to_log_on())
        } else {
            Outcome::Rejected(error.rejection())
        };
        outcomes.insert(request_id, outcome);
    }
    Ok(outcomes)
}

/// Joins results to items by request id; by order where the answer echoes none and is complete.
fn by_request_id(
    results: Vec<(Option<String>, StepResult)>,
    group: &[(usize, Item)],
) -> HashMap<String, Outcome<StepResult>> {
    let silent = results.iter().all(|(request_id, _)| request_id.is_none());
    if silent && results.len() == group.len() {
        return group
            .iter()
            .zip(results)
            .map(|((_, item), (_, result))| (item.request_id.clone(), Outcome::Done(result)))
            .collect();
    }
    results
        .into_iter()
        .filter_map(|(request_id, result)| Some((request_id?, Outcome::Done(result))))
        .collect()
}

fn made_result(answer: Answer, made: &Made) -> StepResult {
    let entity = match answer {
        Answer::Contacts => Entity::Contact,
        Answer::Leads => Entity::Deal,
        Answer::Tasks => Entity::Task,
        Answer::Unsorted => Entity::Unsorted,
        Answer::Notes(on) => {
            let mut cards = vec![card(Entity::CallRecord, made.id)];
            if made.entity_id != 0 {
                cards.push(card(on, made.entity_id));
            }
            return with_cards(cards);
        }
        Answer::TextNotes(on) => {
            let mut cards = vec![card(Entity::Note, made.id)];
            if made.entity_id != 0 {
                cards.push(card(on, made.entity_id));
            }
            return with_cards(cards);
        }
        Answer::Calls => return call_result(made),
    };
    with_cards(vec![card(entity, made.id)])
}

fn call_result(made: &Made) -> StepResult {
    let mut cards = vec![card(Entity::CallRecord, made.id)];
    let on = match made.entity_type.as_deref() {
        Some("contact" | "contacts") => Some(Entity::Contact),
        Some("company" | "companies") => Some(Entity::Company),
        Some("lead" | "leads") => Some(Entity::Deal),
        Some(_) | None => None,
    };
    cards.extend(on.map(|entity| card(entity, made.entity_id)));
    with_cards(cards)
}

/// Returns the cards of an unsorted record: itself, its deal, its contact.
pub(super) fn unsorted_result(made: &Unsorted) -> StepResult {
    let mut cards = Vec::new();
    if let Some(uid) = &made.uid {
        cards.push(Card {
            entity: Entity::Unsorted,
            id: uid.clone(),
        });
    }
    let inside = &made.embedded;
    cards.extend(inside.leads.iter().map(|lead| card(Entity::Deal, lead.id)));
    cards.extend(
        inside
            .contacts
            .iter()
            .map(|contact| card(Entity::Contact, contact.id)),
    );
    with_cards(cards)
}

pub(super) fn card(entity: Entity, id: i64) -> Card {
    Card {
        entity,
        id: id.to_string(),
    }
}

pub(super) fn with_cards(cards: Vec<Card>) -> StepResult {
    StepResult {
        cards,
        ..StepResult::default()
    }
}
