//! The address of a recording, put to the entry of a call that stands already (`crm/amocrm.md`
//! §11): the note of the call is changed.
//!
//! The contract lists `PATCH` for notes without saying that it holds for those of calls, nor
//! whether the parameters that are sent are laid over the stored ones or take their place. So the
//! note is sent whole. Where amoCRM refuses to change it, an ordinary note with the address is
//! made on the same card.
//!
//! Changing twice does no harm. The ordinary note is found again by the address, which no other
//! text holds.

use serde_json::json;

use super::client::{ReadError, query};
use super::look::{Looking, Unclear};
use super::map::{self, Answer, Item, Verb};
use super::replies::{card, with_cards};
use super::scan::{Scan, Scanned};
use super::wire::answers::Note;
use crate::crm::StepCommand;
use crate::model::outcome::{Look, Rejection, StepResult};
use crate::model::plan::{Card, Entity, RecordingLink, StepKey, Target};

/// Writes the change as an item of a request, with what is sent where it is refused.
pub(super) fn item(command: &StepCommand, link: &RecordingLink) -> Result<Item, Rejection> {
    let on = holder(link)?;
    let note = map::id("note", &map::known(&link.entry)?.id)?;
    let request_id = command.key.marker();
    let mut body = map::call_note(&map::RecordedCall {
        record: &link.record,
        card: on,
        marker: &entry_marker(command, link),
        link: Some(&link.link),
    })?;
    if let Some(body) = body.as_object_mut() {
        // The card, the author and the time of a note are what they are.
        for fixed in [
            "entity_id",
            "created_by",
            "responsible_user_id",
            "created_at",
        ] {
            body.remove(fixed);
        }
        body.insert("id".to_owned(), json!(note));
        body.insert("request_id".to_owned(), json!(request_id));
    }
    let path = format!("/api/v4/{}/notes", map::entity_path(on.entity)?);
    let answer = Answer::Notes(on.entity);
    Ok(Item {
        verb: Verb::Change,
        path: path.clone(),
        answer,
        request_id: request_id.clone(),
        body,
        instead: Some(Box::new(Item {
            verb: Verb::Make,
            path,
            answer,
            body: json!({
                "entity_id": map::id("card", &on.id)?,
                "note_type": "common",
                "params": { "text": link.text },
                "request_id": request_id,
            }),
            request_id,
            instead: None,
            additional: 0,
        })),
        additional: 0,
    })
}

/// Returns what tells requests apart: the path of the card's notes.
pub(super) fn request_sort(link: &RecordingLink) -> &'static str {
    let on = holder(link).ok();
    on.and_then(|on| map::entity_path(on.entity).ok())
        .unwrap_or_default()
}

/// Returns the card that the entry stands on: as amoCRM said, else as it was wished.
fn holder(link: &RecordingLink) -> Result<&Card, Rejection> {
    let wished = match &link.record.card {
        Some(Target::Known { card }) => Some(card),
        Some(Target::Made { .. }) | None => None,
    };
    link.on.as_ref().or(wished).ok_or_else(|| Rejection {
        code: "no_such_card".to_owned(),
        message: "amoCRM did not say on which card the call stands".to_owned(),
    })
}

/// Returns the `uniq` of the call's note: the marker of the step that made it.
fn entry_marker(command: &StepCommand, link: &RecordingLink) -> String {
    let key = StepKey {
        role: link.by.clone(),
        ..command.key.clone()
    };
    key.marker()
}

impl Looking<'_> {
    /// Looks whether the address stands in the call's note, or in an ordinary one beside it.
    pub(super) async fn recording(&self, link: &RecordingLink) -> Result<Look, Unclear> {
        let on = holder(link)?;
        let path = format!("/api/v4/{}/{}/notes", map::entity_path(on.entity)?, on.id);
        let marker = entry_marker(self.command, link);
        let bears_it = |note: &Note| {
            let called = note.params.uniq.as_deref() == Some(marker.as_str())
                && note.params.link.as_deref() == Some(link.link.as_str());
            let text = note.params.text.as_deref();
            called || text.is_some_and(|text| text.contains(&link.link))
        };
        for types in [&["call_in", "call_out"][..], &["common"]] {
            let kinds = types.iter().map(|kind| ("filter[note_type][]", *kind));
            let pairs: Vec<(&str, &str)> = kinds.chain([("order[id]", "desc")]).collect();
            let scan = Scan {
                path: &path,
                name: "notes",
                query: query(&pairs),
                hint: None,
                // The note bears the time of its call, perhaps long before the sending.
                since: self.since.min(link.record.at.as_secs()),
            };
            match scan.find(&self.adapter.client, bears_it).await {
                Ok(Scanned::Found(note)) => return Ok(Look::Found(made(note.id, on))),
                Ok(Scanned::Absent) => {}
                Ok(Scanned::TooLong) => return Ok(Look::Undecidable),
                // The card is gone, and its notes with it; sending again will say so for good.
                Err(ReadError::Refused(refusal)) if refusal.code == "404" => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Look::Absent)
    }
}

fn made(note: i64, on: &Card) -> StepResult {
    let cards = vec![card(Entity::CallRecord, note), on.clone()];
    StepResult {
        adopted: true,
        ..with_cards(cards)
    }
}
