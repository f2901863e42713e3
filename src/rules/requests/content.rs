//! What the client wrote, as a note on the card (S0-12): on the one that the request makes, else,
//! where the method makes contacts only, on the client's.

use crate::model::explanation::Reason;
use crate::model::plan::{Effect, NewNote};

use super::admission::ClientRequest;
use super::texts;
use crate::rules::draft::{Draft, Wish};
use crate::rules::settings::RequestMethod;
use crate::rules::written::client::Client;
use crate::rules::written::{Written, place};

/// The role of the note.
const NOTE: &str = "note";

/// Plans the note. By hand nothing is written anywhere (S0-07).
pub(super) fn plan(request: &ClientRequest<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if matches!(request.method(client.known), RequestMethod::ByHand {}) {
        return;
    }
    let Some((card, sort)) = place::of_note(client, draft) else {
        return;
    };
    let note = NewNote {
        card,
        text: texts::content(request),
        at: request.request.at,
        messages: Vec::new(),
    };
    if draft.wish(NOTE, Effect::AddNote(note)) == Wish::Planned {
        draft.explain(Reason::ContentNoted { card: sort });
    }
}
