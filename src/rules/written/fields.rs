//! Additional fields of the cards that are made, and of the client's contact (S0-17).

use crate::rules::draft::Draft;
use crate::rules::fields::{self, Cards, Fields};
use crate::rules::settings::RequestMethod;

use super::Written;
use super::client::Client;

/// Plans the fields. By hand nothing is written anywhere (S0-07).
pub(in crate::rules) fn plan<W: Written>(what: &W, client: &Client<'_>, draft: &mut Draft<'_>) {
    if matches!(what.method(client.known), RequestMethod::ByHand {}) {
        return;
    }
    let fields = Fields {
        path: W::FIELDS,
        rules: what.choices().fields,
        known: client.fields,
        zone: what.situation().time_zone,
        fills_existing: false,
    };
    let cards = Cards {
        contact: client.contact.map(|card| card.id.as_str()),
        company: client.company.map(|card| card.id.as_str()),
        lead: client.lead.map(|card| card.id.as_str()),
        // Old deals are nobody's business here: each makes its own (S0-09).
        deal: None,
    };
    let value = |template: &crate::rules::settings::Template, chars_max| {
        template.text(&what.values(Some(client)), chars_max)
    };
    fields::plan(&fields, &cards, &value, draft);
}
