//! Additional fields of the cards that a call makes or finds. At the end of the call only, when
//! everything that a field may tell is known.

use crate::rules::draft::Draft;
use crate::rules::fields::{self, Cards, Fields};
use crate::rules::settings::{FieldCard, Telephony};

use super::admission::ClientCall;
use super::client::Client;
use super::texts;

/// Plans the fields. A filtered number fills nothing (S1-18).
pub(super) fn plan(call: &ClientCall<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if call.explain_filter(draft) {
        return;
    }
    let fields = Fields {
        path: "calls.fields",
        rules: &call.settings.fields,
        known: client.fields,
        zone: call.situation.time_zone,
        // With another telephony a card that exists is one that was made for this call.
        fills_existing: call.settings.telephony == Telephony::Another,
    };
    let cards = Cards {
        contact: client.contact.map(|card| card.id.as_str()),
        company: client.company.map(|card| card.id.as_str()),
        lead: client.lead.map(|card| card.id.as_str()),
        deal: match client.open_deals.as_slice() {
            [only] => Some(only.id.as_str()),
            [] | [_, _, ..] => None,
        },
    };
    let value = |template: &_, chars_max| texts::field_value(template, chars_max, call, client);
    fields::plan(&fields, &cards, &value, draft);
}

/// Says whether fields of deals can be filled: then the client's deals must be known.
pub(super) fn wants_deals(call: &ClientCall<'_>) -> bool {
    let mut rules = call.settings.fields.iter();
    rules.any(|rule| rule.card == FieldCard::Deal) && !call.is_filtered()
}
