//! Calls that the portal put on no card (`crm/bitrix24.md` §8). It looks for the client when a call is
//! registered: a stranger whose card was shown while the telephone rang had none by then, and the
//! portal's index may not have what was made a moment ago. Such a call stands in the call statistics
//! alone when it is finished; then an activity of ours stands for it on the card that the rules chose.
//!
//! ```text
//! finish says: on a card --> the portal's own activity
//!        says: on none   --> ours there already? --yes--> done
//!                                                \-no---> crm.activity.add
//! ```
//! Ours bears our mark as `ORIGIN_ID` and is looked for before it is made, so that there is one,
//! whatever becomes of an answer: [`super::look`] takes a call for absent while neither activity is
//! there, and the repeated step registers nothing that the statistics hold. Where only a question
//! failed and nothing was sent, the look makes the activity: nobody need wait until all is settled.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::BitrixAdapter;
use super::command::Command;
use super::pool::Unanswered;
use super::wire::{Record, made_id};
use super::{map, telephony};
use crate::crm::StepCommand;
use crate::model::ids::CrmUserId;
use crate::model::outcome::StepResult;
use crate::model::plan::{CallRecord, Card, Entity, RecordingLink, StepKey, Target};

/// What is said where the portal found no card for a call, and there is none of ours.
const NOTHING_TO_LOG_ON: &str = "Bitrix24 has no card with this number: the call stands in the \
                                 call statistics only";

/// What is said on our activity of a recording that was handed over as a file.
const IN_THE_STATISTICS: &str = "Запись разговора — в статистике звонков портала";

/// Calls that are remembered for it at once; of one that is forgotten it is waited until all is settled.
const UNWRITTEN_MAX: usize = 4096;

/// Calls that this life has finished, that stand on no card, and whose activity was surely never sent: by
/// our names of them.
#[derive(Default)]
pub(super) struct Unwritten(Mutex<HashSet<String>>);

impl Unwritten {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, call: String) {
        let mut calls = self.lock();
        if calls.len() >= UNWRITTEN_MAX {
            calls.clear();
        }
        calls.insert(call);
    }

    fn has(&self, call: &str) -> bool {
        self.lock().contains(call)
    }

    fn forget(&self, call: &str) {
        self.lock().remove(call);
    }
}

/// Returns the card that a call is to stand on where the portal put it on none.
pub(super) fn wanted<'a>(record: &'a CallRecord, done: &StepResult) -> Option<&'a Card> {
    match (&record.card, stands_alone(done)) {
        (Some(Target::Known { card }), true) => Some(card),
        (Some(_) | None, _) => None,
    }
}

fn stands_alone(done: &StepResult) -> bool {
    matches!(done.cards.as_slice(), [entry] if telephony::is_telephony(&entry.id))
}

impl BitrixAdapter {
    /// Puts a call that stands in the call statistics alone on its card.
    pub(super) async fn put_on_card(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        done: StepResult,
    ) -> Result<StepResult, Unanswered> {
        if !stands_alone(&done) {
            return Ok(done);
        }
        let told = |note: String| StepResult {
            note: done.note.clone().or(Some(note)),
            ..done.clone()
        };
        let Some(card) = wanted(record, &done) else {
            return Ok(told(NOTHING_TO_LOG_ON.to_owned()));
        };
        if !done.adopted {
            // Finished a moment ago, by us: nobody can have sent its activity.
            self.unwritten.note(step.key.marker());
        }
        match self.stand_in(step, record, card).await {
            Ok(Some(on)) => Ok(standing_on(done, on)),
            Ok(None) => Ok(told(NOTHING_TO_LOG_ON.to_owned())),
            // The call is in the statistics: that is not undone because activities are closed to us.
            Err(Unanswered::Refused(rejection)) => {
                let why = rejection.message;
                let note = format!("the call stands in the call statistics, and on no card: {why}");
                Ok(told(note))
            }
            Err(other) => Err(other),
        }
    }

    /// Makes the activity that stands for a call, unless it is there; returns what it stands on.
    async fn stand_in(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        card: &Card,
    ) -> Result<Option<Card>, Unanswered> {
        let Some(client) = self.client_behind(card, record).await? else {
            return Ok(None);
        };
        // Without a client of its own a deal takes no call (§7): the client does.
        let on = match client.1 {
            Behind::Own => card,
            Behind::ByNumber => &client.0,
        };
        if self.own_activity(&step.key, on).await?.is_some() {
            return Ok(Some(on.clone()));
        }
        let own_user = self.client.own_user().await?.map(CrmUserId);
        let user = record.employee.as_ref().or(own_user.as_ref());
        let command = telephony::activity(step, record, on, &client.0, user);
        let command = command.map_err(Unanswered::Refused)?;
        self.unwritten.forget(&step.key.marker());
        self.write_one(step, command).await?;
        Ok(Some(on.clone()))
    }

    /// Says whether an activity of ours stands for a call on a card; returns the call with it. One that was
    /// never sent is sent.
    pub(super) async fn found_standing(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        card: &Card,
        done: &StepResult,
    ) -> Result<Option<StepResult>, Unanswered> {
        if self.unwritten.has(&step.key.marker()) {
            let on = self.stand_in(step, record, card).await?;
            let done = done.clone();
            // Where there is nobody to stand on, there is nothing to wait for.
            return Ok(Some(match on {
                Some(on) => standing_on(done, on),
                None => done,
            }));
        }
        let on = match self.client_behind(card, record).await? {
            Some((client, Behind::ByNumber)) => client,
            Some((_, Behind::Own)) => card.clone(),
            // There is nothing that it could stand on.
            None => return Ok(Some(done.clone())),
        };
        let found = self.own_activity(&step.key, &on).await?;
        Ok(found.map(|_| standing_on(done.clone(), on)))
    }

    /// Returns the client whose call an activity on a card is of.
    pub(super) async fn client_behind(
        &self,
        card: &Card,
        record: &CallRecord,
    ) -> Result<Option<(Card, Behind)>, Unanswered> {
        if card.entity != Entity::Deal {
            return Ok(Some((card.clone(), Behind::Own)));
        }
        let deal = self.present(card).await?;
        let kinds = [
            (Entity::Contact, "CONTACT_ID"),
            (Entity::Company, "COMPANY_ID"),
        ];
        for (entity, key) in kinds {
            if let Some(id) = Record(&deal).number(key).filter(|id| *id > 0) {
                let id = id.to_string();
                return Ok(Some((Card { entity, id }, Behind::Own)));
            }
        }
        let found = self.client_of(record).await?;
        Ok(found.map(|client| (client, Behind::ByNumber)))
    }

    /// Looks for the activity of ours that stands for a call on a card.
    async fn own_activity(&self, call: &StepKey, card: &Card) -> Result<Option<i64>, Unanswered> {
        let (kind, id) = map::owner(card).map_err(Unanswered::Refused)?;
        let marker = call.marker();
        let params = json!({
            // Whether the list can be asked for an ORIGIN_ID is unconfirmed (§15.5): the card's newest
            // calls are compared. Ours was made a moment ago, if it was.
            "filter": {
                "BINDINGS": [{ "OWNER_TYPE_ID": kind, "OWNER_ID": id }],
                "TYPE_ID": 2,
            },
            "select": ["ID", "ORIGIN_ID"],
            "order": { "ID": "DESC" },
        });
        let rows = self
            .rows_for(&marker, Command::new("crm.activity.list", params))
            .await?;
        let own = rows
            .iter()
            .map(Record)
            .find(|row| row.text("ORIGIN_ID").as_ref() == Some(&marker));
        Ok(own.and_then(Record::id))
    }

    /// Tells of a recording on the activity of ours that stands for a call, where one does.
    pub(super) async fn tell_of_recording(
        &self,
        step: &StepCommand,
        link: &RecordingLink,
    ) -> Result<(), Unanswered> {
        let Some(card) = link.on.as_ref().filter(|_| may_stand_alone(&link.record)) else {
            return Ok(());
        };
        let call = StepKey {
            role: link.by.clone(),
            ..step.key.clone()
        };
        let Some(activity) = self.own_activity(&call, card).await? else {
            return Ok(());
        };
        let text = match link.upload {
            true => IN_THE_STATISTICS,
            false => &link.text,
        };
        let params = json!({
            "id": activity,
            // Plain text: nothing in it is read as markup (§7).
            "fields": { "DESCRIPTION": text, "DESCRIPTION_TYPE": 1 },
        });
        let command = Command::new("crm.activity.update", params);
        self.write_one(step, command).await?;
        Ok(())
    }
}

/// Whose client an activity's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// The card's own.
    Own,
    /// Found by the number: the card has none.
    ByNumber,
}

/// Says whether the portal may have put a call on no card although it is to stand on one: its card was
/// shown before there was a client, or the call itself has made what it stands on.
fn may_stand_alone(record: &CallRecord) -> bool {
    let opened = record
        .line
        .as_ref()
        .is_some_and(|line| line.opened.is_some());
    let is_made = matches!(record.card, Some(Target::Made { .. }));
    record.shown_to.is_some() || opened || is_made
}

fn standing_on(mut done: StepResult, on: Card) -> StepResult {
    done.cards.push(on);
    done
}

/// Reads what a portal says a call's activity is; it may be said without the card that it stands on.
pub(super) fn activity_told(told: &serde_json::Value) -> Option<i64> {
    made_id(told.get("CRM_ACTIVITY_ID")?, &[])
}
