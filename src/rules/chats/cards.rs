//! On which cards what was written is put (V-06): on the one that the chat makes; where it makes
//! neither lead nor deal, on the client's freshest of the sort that is preferred, else on the
//! contact; and on the client as well where that is set.

use std::cmp::Reverse;

use crate::model::facts::{ContactFact, DealFact};
use crate::model::plan::{Entity, Target};

use super::admission::ClientChat;
use super::texts;
use crate::rules::draft::{Draft, made};
use crate::rules::settings::TranscriptCard;
use crate::rules::written::client::Client;
use crate::rules::written::entities::{CONTACT, UNSORTED, known};
use crate::rules::written::place;

/// A card, and of what sort it is.
pub(super) type Place = (Target, Entity);

/// Returns the cards, each once, the foremost first.
pub(super) fn of_transcript(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    draft: &Draft<'_>,
) -> Vec<Place> {
    let usual = own(client, draft);
    let is_work = |place: &Place| matches!(place.1, Entity::Deal | Entity::Lead);
    let mut places = match &usual {
        Some(place) if is_work(place) => vec![place.clone()],
        _ => worked_on(chat, client),
    };
    if places.is_empty() {
        return usual.into_iter().collect();
    }
    if chat.settings.transcript_to.copy_to_client {
        places.extend(client_card(client, draft));
    }
    places
}

/// Chooses the newest record that the chat makes, else the usual card.
fn own(client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    let number = texts::unsorted_made(draft) + 1;
    for number in (2..=number).rev() {
        let role = texts::numbered(UNSORTED, number);
        if draft.gives(&role) {
            return Some((made(&role, Entity::Deal), Entity::Deal));
        }
    }
    place::of_note(client, draft)
}

/// Returns the client's leads and deals that are preferred: what is open goes before what is closed.
fn worked_on(chat: &ClientChat<'_>, client: &Client<'_>) -> Vec<Place> {
    let wanted = chat.settings.transcript_to;
    let facts = client.facts;
    let deals = || {
        let of_contacts = facts.contacts.iter().flat_map(|card| &card.deals);
        let of_companies = facts.companies.iter().flat_map(|card| &card.deals);
        of_contacts.chain(of_companies)
    };
    let lead = |cards: &[ContactFact]| {
        let newest = cards
            .iter()
            .min_by_key(|card| (Reverse(card.updated_at), card.id.clone()));
        newest.map(|card| (known(Entity::Lead, &card.id), Entity::Lead))
    };
    let deal =
        |found: Option<&DealFact>| found.map(|deal| (known(Entity::Deal, &deal.id), Entity::Deal));
    let open_lead = lead(&facts.leads);
    let open_deal = deal(
        deals()
            .filter(|deal| deal.open)
            .min_by_key(|deal| (Reverse(deal.created_at), deal.id.clone())),
    );
    let (closed_lead, closed_deal) = match wanted.closed {
        false => (None, None),
        true => {
            let closed = deals().filter(|deal| !deal.open);
            let last = closed.min_by_key(|deal| (Reverse(deal.closed_at), deal.id.clone()));
            (lead(&facts.closed_leads), deal(last))
        }
    };
    let first = |places: [Option<Place>; 4]| places.into_iter().flatten().next();
    match wanted.prefer {
        TranscriptCard::Client => Vec::new(),
        TranscriptCard::Lead => first([open_lead, open_deal, closed_lead, closed_deal])
            .into_iter()
            .collect(),
        TranscriptCard::Deal => first([open_deal, open_lead, closed_deal, closed_lead])
            .into_iter()
            .collect(),
        TranscriptCard::Both => [open_lead.or(closed_lead), open_deal.or(closed_deal)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// Returns the client's contact or company.
fn client_card(client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    if draft.gives(CONTACT) {
        return Some((made(CONTACT, Entity::Contact), Entity::Contact));
    }
    let contact = client.contact.map(|card| (Entity::Contact, card));
    let company = client.company.map(|card| (Entity::Company, card));
    let (entity, card) = contact.or(company)?;
    Some((known(entity, &card.id), entity))
}
