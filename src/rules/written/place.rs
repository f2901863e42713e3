//! Where a deal is made (S0-21, S0-22, V-12), and on which card things hang.

use crate::model::ids::CrmUserId;
use crate::model::plan::{Entity, Target};
use crate::model::written_reason::WrittenReason;

use super::client::Client;
use super::{CONTACT, DEAL, UNSORTED, Written};
use crate::rules::calls::client::known;
use crate::rules::draft::{Draft, made};
use crate::rules::settings::{DealPlaces, DealRule};

/// Pipeline and stage, by the CRM's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) struct DealPlace<'a> {
    pub(in crate::rules) pipeline: &'a str,
    pub(in crate::rules) stage: &'a str,
}

impl<'a, When> From<&'a DealPlaces<When>> for DealPlace<'a> {
    fn from(places: &'a DealPlaces<When>) -> Self {
        Self {
            pipeline: &places.pipeline,
            stage: &places.stage,
        }
    }
}

impl<'a, When> From<&'a DealRule<When>> for DealPlace<'a> {
    fn from(rule: &'a DealRule<When>) -> Self {
        Self {
            pipeline: &rule.pipeline,
            stage: &rule.stage,
        }
    }
}

/// Returns where the deal is made, and why there.
pub(super) fn of_deal<'a>(written: &Written<'a>) -> Option<(DealPlace<'a>, WrittenReason)> {
    let kind = written.kind;
    let mut rules = written.options.deal_rules.iter();
    if let Some(rule) = rules.find(|rule| rule.holds) {
        let rule_name = rule.name.to_owned();
        let why = WrittenReason::PlaceByRule {
            kind,
            rule: rule_name,
        };
        return Some((rule.gives, why));
    }
    let place = written.options.deals?;
    Some((place, WrittenReason::PlaceDefault { kind }))
}

/// A card that a note is written on or a task hangs on.
pub(in crate::rules) struct Place {
    /// The card.
    pub(in crate::rules) target: Target,
    /// Its sort.
    pub(in crate::rules) entity: Entity,
    /// Who answers for it.
    pub(in crate::rules) owner: Option<CrmUserId>,
    /// The communication makes it.
    pub(in crate::rules) new: bool,
}

/// Returns the card on which what belongs to the communication hangs: the one that it makes, else
/// the client's only open deal, else the contact, else the company. Not an unsorted record: it is
/// no card before a person accepts it.
pub(in crate::rules) fn card(client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    let makers = [(DEAL, Entity::Deal), (CONTACT, Entity::Contact)];
    if let Some((role, entity)) = makers.into_iter().find(|(role, _)| draft.gives(role)) {
        return Some(Place {
            target: made(role, entity),
            entity,
            owner: draft.responsible_of(role).cloned(),
            new: true,
        });
    }
    let (entity, id, owner) = match (client.open_deals.as_slice(), client.contact, client.company) {
        ([deal], _, _) => (Entity::Deal, &deal.id, &deal.responsible),
        (_, Some(contact), _) => (Entity::Contact, &contact.id, &contact.responsible),
        (_, None, Some(company)) => (Entity::Company, &company.id, &company.responsible),
        (_, None, None) => return None,
    };
    Some(Place {
        target: known(entity, id),
        entity,
        owner: owner.clone(),
        new: false,
    })
}

/// Returns the card that holds what was written: the deal inside of an unsorted record first, for
/// who sorts it must see what the client wanted.
pub(in crate::rules) fn card_of_note(client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    if draft.gives(UNSORTED) {
        return Some(Place {
            target: made(UNSORTED, Entity::Deal),
            entity: Entity::Unsorted,
            owner: None,
            new: true,
        });
    }
    card(client, draft)
}
