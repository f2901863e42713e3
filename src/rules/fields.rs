//! Additional fields of the cards that a communication makes or finds (S0-17, V-10), the same for
//! every kind of communication.
//!
//! A card that is made in this decision is made with its fields. One that exists, or was made
//! earlier, is filled by a step of its own: only what is always written where it is an old one.

use jiff::tz::TimeZone;

use crate::model::explanation::{Reason, TemplateMiss};
use crate::model::facts::Facts;
use crate::model::field::{self, CrmField, FieldMiss, FieldValue, Fitted, LINE_CHARS_MAX};
use crate::model::plan::{Card, Effect, Entity, FieldFill, FillFields, Plan, StepKind, Target};

use super::draft::{Draft, Wish, made};
use super::settings::{FieldCard, FieldRule, IntegrationSettings, Template};

/// The fields that are to be filled.
pub(super) struct Fields<'a> {
    /// Where the rules stand in the settings.
    pub(super) path: &'static str,
    /// The rules.
    pub(super) rules: &'a [FieldRule],
    /// The CRM's fields, where it lists them.
    pub(super) known: Option<&'a [CrmField]>,
    /// The company's time zone.
    pub(super) zone: &'a TimeZone,
    /// Empty fields of cards that exist are filled as well: somebody else made them for this
    /// communication (V-03).
    pub(super) fills_existing: bool,
}

/// The client's cards that exist, by the CRM's ids.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cards<'a> {
    /// The contact.
    pub(super) contact: Option<&'a str>,
    /// The company.
    pub(super) company: Option<&'a str>,
    /// The open lead.
    pub(super) lead: Option<&'a str>,
    /// The only open deal.
    pub(super) deal: Option<&'a str>,
}

/// What a template gives: at most so many characters.
pub(super) type ValueOf<'a> = dyn Fn(&Template, usize) -> Result<String, TemplateMiss> + 'a;

/// Plans the fields of all cards. Cards that this decision makes must be planned already.
pub(super) fn plan(
    fields: &Fields<'_>,
    cards: &Cards<'_>,
    value: &ValueOf<'_>,
    draft: &mut Draft<'_>,
) {
    for card in FieldCard::ALL {
        let rules = fields.rules.iter().enumerate();
        let rules: Vec<(usize, &FieldRule)> = rules.filter(|(_, rule)| rule.card == card).collect();
        if rules.is_empty() {
            continue;
        }
        match place(card, cards, draft) {
            Some(place) => fill(fields, &place, &rules, value, draft),
            None => draft.explain(Reason::NoCardForFields {
                card: card.entity(),
            }),
        }
    }
}

/// Returns those of the CRM's fields that the settings name; `None` where the settings name none,
/// or the CRM lists none.
pub fn named(settings: &IntegrationSettings, fields: &[CrmField]) -> Option<Vec<CrmField>> {
    let rules: Vec<&FieldRule> = settings.field_rules().map(|(_, rule)| rule).collect();
    if rules.is_empty() || fields.is_empty() {
        return None;
    }
    let is_named = |field: &&CrmField| {
        let of_card = |rule: &&&FieldRule| rule.card.entity() == field.entity;
        let mut rules = rules.iter().filter(of_card);
        rules.any(|rule| field.is_named(rule.field.trim()))
    };
    Some(fields.iter().filter(is_named).cloned().collect())
}

/// Takes out of facts what the decision did not need: a field may have hundreds of options, and
/// every decision is kept.
pub fn keep_what_was_used(facts: &mut Facts, plan: &Plan) {
    let written = || plan.steps.iter().flat_map(|step| step.effect.fields());
    for field in facts.fields.iter_mut().flatten() {
        let of_field = written().filter(|fill| fill.field == field.id);
        let ids: Vec<&String> = of_field
            .filter_map(|fill| match &fill.typed {
                Some(FieldValue::Choices { ids }) => Some(ids),
                Some(FieldValue::Tick { .. } | FieldValue::Moment { .. }) | None => None,
            })
            .flatten()
            .collect();
        field.options.retain(|option| ids.contains(&&option.id));
    }
}

struct Place {
    entity: Entity,
    target: Target,
    /// The step that fills it, where it is not made with them.
    role: &'static str,
    /// The step that makes it; `None` = it exists.
    maker: Option<&'static str>,
}

/// Returns the card: the one that this communication makes, else the client's. Of contact, company
/// and lead only the first that there is.
fn place(card: FieldCard, cards: &Cards<'_>, draft: &Draft<'_>) -> Option<Place> {
    let makes = |maker: Option<&str>| maker.is_some_and(|maker| draft.gives(maker));
    let has_contact = cards.contact.is_some() || makes(FieldCard::Contact.maker());
    let has_client = has_contact || cards.company.is_some();
    let known = match card {
        FieldCard::Contact => cards.contact,
        FieldCard::Company => cards.company.filter(|_| !has_contact),
        FieldCard::Lead => cards.lead.filter(|_| !has_client),
        FieldCard::Deal => cards.deal,
    };
    let entity = card.entity();
    let maker = card.maker().filter(|maker| draft.gives(maker));
    let target = match (maker, known) {
        (Some(maker), _) => made(maker, entity),
        (None, Some(id)) => Target::Known {
            card: Card {
                entity,
                id: id.to_owned(),
            },
        },
        (None, None) => return None,
    };
    Some(Place {
        entity,
        target,
        role: card.role(),
        maker,
    })
}

fn fill(
    fields: &Fields<'_>,
    place: &Place,
    rules: &[(usize, &FieldRule)],
    value: &ValueOf<'_>,
    draft: &mut Draft<'_>,
) {
    let first_time = place.maker.is_some() || fields.fills_existing;
    let rules = rules.iter().filter(|(_, r)| first_time || r.update_always);
    let rules: Vec<&(usize, &FieldRule)> = rules.collect();
    if rules.is_empty() {
        return;
    }
    // A contact that the CRM makes by itself is filled when it is there.
    let with_card = place
        .maker
        .filter(|maker| draft.plans(maker) && !draft.awaits(maker));
    // Before anything is worked out: of what stands nothing is told anew.
    if let Some(maker) = place.maker
        && draft.made_with_fields(maker)
    {
        return draft.explain(Reason::StepStands {
            entity: Entity::Fields,
        });
    }
    if !draft.is_open(place.role, StepKind::FillFields) {
        return;
    }
    let mut left_out = Vec::new();
    let mut fills: Vec<FieldFill> = Vec::new();
    let mut names = Vec::new();
    for (position, rule) in rules {
        let path = || format!("{}.{position}", fields.path);
        let leave = |why: FieldMiss| Reason::FieldLeftOut {
            path: path(),
            card: place.entity,
            field: rule.field.clone(),
            why,
        };
        let known = match known(fields.known, place.entity, &rule.field) {
            Ok(known) => known,
            Err(why) => {
                left_out.push(leave(why));
                continue;
            }
        };
        let chars_max = known.map_or(LINE_CHARS_MAX, CrmField::chars_max);
        let text = match value(&rule.value, chars_max) {
            Ok(text) => text,
            // An empty variable is no reason to empty a field.
            Err(TemplateMiss::Empty) => continue,
            Err(why) => {
                left_out.push(Reason::TemplateFailed {
                    path: format!("{}.value", path()),
                    why,
                });
                continue;
            }
        };
        let fitted = match known {
            Some(known) => known.fit(&text, fields.zone),
            None => Ok(Fitted { text, typed: None }),
        };
        let Fitted { text, typed } = match fitted {
            Ok(fitted) => fitted,
            Err(why) => {
                left_out.push(leave(why));
                continue;
            }
        };
        let id = known.map_or_else(|| rule.field.trim().to_owned(), |known| known.id.clone());
        if fills.iter().any(|fill| fill.field == id) {
            left_out.push(leave(FieldMiss::Twice));
            continue;
        }
        names.push(match known {
            Some(known) => format!("{id} ({})", known.name),
            None => id.clone(),
        });
        fills.push(FieldFill {
            field: id,
            value: text,
            typed,
            overwrite: rule.update_always,
        });
    }
    if !fills.is_empty() {
        let planned = match with_card {
            Some(maker) => draft.make_with(maker, fills),
            None => {
                let card = place.target.clone();
                let effect = Effect::FillFields(FillFields {
                    card,
                    fields: fills,
                });
                draft.wish(place.role, effect) == Wish::Planned
            }
        };
        if planned {
            draft.explain(Reason::FieldsFilled {
                card: place.entity,
                fields: names,
            });
        }
    }
    for reason in left_out {
        draft.explain(reason);
    }
}

/// Finds the field that a rule means. Where the CRM lists none, what may be an id is taken for one.
fn known<'a>(
    fields: Option<&'a [CrmField]>,
    entity: Entity,
    wanted: &str,
) -> Result<Option<&'a CrmField>, FieldMiss> {
    match fields {
        Some(fields) => field::find(fields, entity, wanted).map(Some),
        None if wanted.trim().contains(char::is_whitespace) => Err(FieldMiss::NotListed),
        None => Ok(None),
    }
}
