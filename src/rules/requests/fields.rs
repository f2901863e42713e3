//! Additional fields of the cards that a request makes, and of the client's contact (S0-17).

use crate::rules::draft::Draft;
use crate::rules::fields::{self, Cards, Fields};
use crate::rules::settings::RequestMethod;

use super::admission::ClientRequest;
use super::client::Client;
use super::texts;

/// Plans the fields. By hand nothing is written anywhere (S0-07).
pub(super) fn plan(request: &ClientRequest<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if matches!(request.method(client.known), RequestMethod::ByHand {}) {
        return;
    }
    let fields = Fields {
        path: "requests.fields",
        rules: &request.settings.fields,
        known: client.fields,
        zone: request.situation.time_zone,
        fills_existing: false,
    };
    let cards = Cards {
        contact: client.contact.map(|card| card.id.as_str()),
        company: client.company.map(|card| card.id.as_str()),
        // Old deals are nobody's business here: a request makes its own (S0-09).
        lead: None,
        deal: None,
    };
    let value = |template: &_, chars_max| texts::field_value(template, chars_max, request, client);
    fields::plan(&fields, &cards, &value, draft);
}
