//! What the client wrote, as a note on the card (S0-12): on the one that the request makes, else,
//! where the method makes contacts only, on the client's.

use crate::model::explanation::Reason;
use crate::model::plan::{Effect, Entity, NewNote, Target};

use super::admission::ClientRequest;
use super::client::Client;
use super::entities::{CONTACT, DEAL, UNSORTED, known_contact};
use super::texts;
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::settings::RequestMethod;

/// The role of the note.
const NOTE: &str = "note";

/// Plans the note. By hand nothing is written anywhere (S0-07).
pub(super) fn plan(request: &ClientRequest<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if matches!(request.method(client.known), RequestMethod::ByHand {}) {
        return;
    }
    let Some((card, sort)) = place(client, draft) else {
        return;
    };
    let note = NewNote {
        card,
        text: texts::content(request),
        at: request.request.at,
    };
    if draft.wish(NOTE, Effect::AddNote(note)) == Wish::Planned {
        draft.explain(Reason::ContentNoted { card: sort });
    }
}

/// Chooses the card. The name of a form in Unsorted holds the beginning of a text only: the deal
/// inside takes the whole.
fn place(client: &Client<'_>, draft: &Draft<'_>) -> Option<(Target, Entity)> {
    let makers = [
        (DEAL, Entity::Deal),
        (UNSORTED, Entity::Deal),
        (CONTACT, Entity::Contact),
    ];
    if let Some((role, entity)) = makers.into_iter().find(|(role, _)| draft.gives(role)) {
        return Some((made(role, entity), entity));
    }
    let contact = client.contact?;
    Some((known_contact(&contact.id), Entity::Contact))
}
