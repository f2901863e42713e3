//! What amoCRM's answer to a request with several items means for each of them. Pure.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::map::{Answer, Item};
use super::wire::answers::{self, Made, Unsorted};
use super::wire::refusal::{self, Refusal};
use crate::crm::account::classify::Failure;
use crate::model::outcome::{NotAppliedCause, Outcome, StepResult};
use crate::model::plan::{Card, Entity};

/// How soon a step is tried again whose marker field has to be made anew.
const FIELD_GONE_RETRY: Duration = Duration::from_secs(1);

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
    if refusal.says_field_unknown() && (named.is_some() || items == 1) {
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
