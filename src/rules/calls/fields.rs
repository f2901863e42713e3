//! Additional fields of the cards that a call makes or finds. At the end of the call only, when
//! everything that a field may tell is known.

use crate::model::explanation::{Reason, TemplateMiss};
use crate::model::plan::{Effect, Entity, FieldFill, FillFields, Target};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::settings::{FieldCard, FieldRule, Telephony};

use super::admission::ClientCall;
use super::client::{Client, known};
use super::entities::{CONTACT, DEAL};
use super::texts;

/// Plans the fields of contact and deal. A filtered number fills nothing (S1-18).
pub(super) fn plan(call: &ClientCall<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if call.explain_filter(draft) {
        return;
    }
    for card in [FieldCard::Contact, FieldCard::Deal] {
        let rules = call.settings.fields.iter().enumerate();
        let rules: Vec<(usize, &FieldRule)> = rules.filter(|(_, rule)| rule.card == card).collect();
        if rules.is_empty() {
            continue;
        }
        let Some(place) = place(card, client, draft) else {
            draft.explain(Reason::NoCardForFields {
                card: place_entity(card),
            });
            continue;
        };
        fill(call, client, &place, &rules, draft);
    }
}

/// Says whether fields of deals can be filled: then the client's deals must be known.
pub(super) fn wants_deals(call: &ClientCall<'_>) -> bool {
    let mut rules = call.settings.fields.iter();
    rules.any(|rule| rule.card == FieldCard::Deal) && !call.is_filtered()
}

struct Place {
    role: &'static str,
    target: Target,
    entity: Entity,
    /// The call makes the card itself.
    new: bool,
}

fn place_entity(card: FieldCard) -> Entity {
    match card {
        FieldCard::Contact => Entity::Contact,
        FieldCard::Deal => Entity::Deal,
    }
}

fn place(card: FieldCard, client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    let entity = place_entity(card);
    let (role, maker) = match card {
        FieldCard::Contact => ("contact-fields", CONTACT),
        FieldCard::Deal => ("deal-fields", DEAL),
    };
    let new = draft.gives(maker);
    let target = if new {
        made(maker, entity)
    } else {
        let id = match (card, client.open_deals.as_slice()) {
            (FieldCard::Contact, _) => &client.contact?.id,
            (FieldCard::Deal, [only]) => &only.id,
            (FieldCard::Deal, _) => return None,
        };
        known(entity, id)
    };
    Some(Place {
        role,
        target,
        entity,
        new,
    })
}

fn fill(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    place: &Place,
    rules: &[(usize, &FieldRule)],
    draft: &mut Draft<'_>,
) {
    // With another telephony a card that exists is one that was made for this call.
    let first_time = place.new || call.settings.telephony == Telephony::Another;
    let mut fields = Vec::new();
    let mut broken = Vec::new();
    for (position, rule) in rules {
        if !first_time && !rule.update_always {
            continue;
        }
        match texts::field_value(&rule.value, call, client) {
            Ok(value) => fields.push(FieldFill {
                field: rule.field.clone(),
                value,
                overwrite: rule.update_always,
            }),
            // An empty variable is no reason to empty a field.
            Err(TemplateMiss::Empty) => {}
            Err(why) => broken.push(Reason::TemplateFailed {
                path: format!("calls.fields.{position}.value"),
                why,
            }),
        }
    }
    if fields.is_empty() {
        return;
    }
    let names = fields.iter().map(|fill| fill.field.clone()).collect();
    let effect = Effect::FillFields(FillFields {
        card: place.target.clone(),
        fields,
    });
    if draft.wish(place.role, effect) == Wish::Planned {
        draft.explain(Reason::FieldsFilled {
            card: place.entity,
            fields: names,
        });
        for reason in broken {
            draft.explain(reason);
        }
    }
}
