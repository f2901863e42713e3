//! Whom somebody talked to need not be called back: a talk marks the client's earlier missed calls
//! as handled (V-04).
//!
//! It comes after the talk stands in the call history, which it must not undo: what fails here
//! leaves the step unclear, so that its entry is looked for, found, and this is tried again.
//! Marking twice changes nothing.

use serde_json::json;

use super::BitrixAdapter;
use super::command::Command;
use super::map;
use super::pool::Unanswered;
use super::refusal::Sort;
use super::wire::Record;
use crate::crm::StepCommand;
use crate::crm::account::classify::Purpose;
use crate::model::plan::{CallRecord, CallStatus, Card};

impl BitrixAdapter {
    /// Marks the missed calls before a talk as handled; `cards` are those that the talk stands on.
    pub(super) async fn settle(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        cards: &[Card],
    ) -> Result<(), Unanswered> {
        if record.status != CallStatus::Talked {
            return Ok(());
        }
        let Some((kind, client)) = cards.iter().find_map(|card| map::owner(card).ok()) else {
            return Ok(());
        };
        let params = json!({
            "filter": {
                "BINDINGS": [{ "OWNER_TYPE_ID": kind, "OWNER_ID": client }],
                // Calls, incoming ones.
                "TYPE_ID": 2,
                "DIRECTION": 1,
                "COMPLETED": "N",
            },
            "select": ["ID", "DIRECTION", "COMPLETED", "START_TIME"],
            "order": { "ID": "ASC" },
        });
        let open = Command::new("crm.activity.list", params);
        let rows = match self.rows(step, open, "items").await {
            Ok(rows) => rows,
            // Activities may be closed to us where the calls are not.
            Err(Unanswered::Refused(rejection)) => {
                tracing::warn!(code = rejection.code, "open calls cannot be listed");
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let missed = rows.iter().map(Record).filter(|row| {
            let is_open = row.number("DIRECTION") == Some(1) && !row.flag("COMPLETED");
            is_open && row.time("START_TIME").is_some_and(|at| at < record.at)
        });
        let handled = missed.filter_map(Record::id).map(|id| {
            let params = json!({ "id": id, "fields": { "COMPLETED": "Y" } });
            Command::new("crm.activity.update", params)
        });
        for reply in self.write(step, handled.collect()).await? {
            match reply {
                // Somebody deleted it, or it is not ours to change.
                Err(refusal) if refusal.sort() == Sort::Final => {
                    tracing::warn!(code = refusal.code, "an open call stays open");
                }
                Err(refusal) => return Err(refusal.unanswered(Purpose::Write)),
                Ok(_) => {}
            }
        }
        Ok(())
    }
}
