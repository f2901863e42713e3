//! Ordinary notes on cards (`crm/amocrm.md` §11).
//!
//! A note keeps no key of ours. It is found again by its text and the time that it bears, which are
//! the same at every repeat. The notes of a card that waits in Unsorted may not be listed (§10), so
//! that of such a one it cannot be said that it is absent.

use serde_json::json;

use super::client::{ReadError, query};
use super::look::{Looking, Unclear};
use super::map::{self, Answer, Item, Verb};
use super::replies::{card, with_cards};
use super::scan::{Scan, Scanned};
use super::wire::answers::{CardRecord, Note};
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{Look, Rejection, StepResult};
use crate::model::plan::{Card, Entity, NewNote, Target};

/// Writes the note as an item of a request.
pub(super) fn item(command: &StepCommand, note: &NewNote) -> Result<Item, Rejection> {
    let on = map::known(&note.card)?;
    let request_id = command.key.marker();
    Ok(Item {
        verb: Verb::Make,
        path: format!("/api/v4/{}/notes", map::entity_path(on.entity)?),
        answer: Answer::Common(on.entity),
        body: json!({
            "entity_id": map::id("card", &on.id)?,
            "note_type": "common",
            "params": { "text": note.text },
            "created_at": note.at.as_secs(),
            "request_id": request_id,
        }),
        request_id,
        instead: None,
    })
}

/// Returns what tells requests apart: the path of the card's notes.
pub(super) fn request_sort(note: &NewNote) -> &'static str {
    match &note.card {
        Target::Known { card } => map::entity_path(card.entity).unwrap_or_default(),
        Target::Made { .. } => "",
    }
}

impl Looking<'_> {
    /// Looks for a note on its card.
    pub(super) async fn note(&self, note: &NewNote) -> Result<Look, Unclear> {
        let on = map::known(&note.card)?;
        let path = format!("/api/v4/{}/{}/notes", map::entity_path(on.entity)?, on.id);
        let at = note.at.as_secs();
        let scan = Scan {
            path: &path,
            name: "notes",
            query: query(&[("filter[note_type][]", "common"), ("order[id]", "desc")]),
            hint: None,
            // The note bears the time of what it tells, perhaps long before the sending.
            since: self.since.min(at),
        };
        let same = |made: &Note| {
            let text = made.params.text.as_deref().map(str::trim);
            made.created_at == at && text == Some(note.text.trim())
        };
        match scan.find(&self.adapter.client, same).await {
            Ok(Scanned::Found(made)) => Ok(Look::Found(StepResult {
                adopted: true,
                ..with_cards(vec![card(Entity::Note, made.id), on.clone()])
            })),
            Ok(Scanned::TooLong) => Ok(Look::Undecidable),
            Ok(Scanned::Absent) if self.may_wait_in_unsorted(on).await? => Ok(Look::Undecidable),
            Ok(Scanned::Absent) => Ok(Look::Absent),
            // The card is gone, and its notes with it; sending again will say so for good.
            Err(ReadError::Refused(refusal)) if refusal.code == "404" => Ok(Look::Absent),
            Err(error) => Err(error.into()),
        }
    }

    /// Says whether a card may be one that waits in Unsorted: a deal in the stage of those, or one
    /// that is not shown.
    async fn may_wait_in_unsorted(&self, on: &Card) -> Result<bool, Unclear> {
        if on.entity != Entity::Deal {
            return Ok(false);
        }
        let path = format!("/api/v4/leads/{}", on.id);
        let client = &self.adapter.client;
        let lead: Option<CardRecord> = client.record(&path, Vec::new(), Class::Work).await?;
        let stages = &self.setup.unsorted_stages;
        Ok(lead.is_none_or(|lead| stages.contains(&lead.status_id)))
    }
}
