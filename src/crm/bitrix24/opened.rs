//! Calls that stand in the portal under its own name before they are over (`crm/bitrix24.md` §8, §9):
//! it registered them when somebody clicked there, or we did when the first card was shown. Their end
//! finishes that entry and registers nothing.

use serde_json::{Value, json};

use super::BitrixAdapter;
use super::command::Command;
use super::execute::{Called, refused_call, unclear};
use super::pool::Unanswered;
use super::wire::Record;
use super::{clicks, telephony};
use crate::crm::StepCommand;
use crate::crm::account::classify::Purpose;
use crate::model::ids::CrmUserId;
use crate::model::outcome::StepResult;
use crate::model::plan::CallRecord;

/// Returns the portal's name of a call's entry, where it stands already.
pub(super) fn entry_of(record: &CallRecord) -> Option<String> {
    let line = record.line.as_ref()?;
    let clicked = line.click.as_deref().and_then(clicks::entry_of);
    clicked.or_else(|| line.opened.clone())
}

impl BitrixAdapter {
    /// Ends a call that stands in the portal; `None` = it knows no such call, or no such user.
    pub(super) async fn end_opened(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        user: Option<&CrmUserId>,
        entry: &str,
    ) -> Result<Option<StepResult>, Unanswered> {
        let command = telephony::opened_call(entry, record, user, self.telling);
        let command = command.map_err(Unanswered::Refused)?;
        let reply = self.write(step, vec![command]).await?.into_iter().next();
        match reply {
            Some(Ok(answered)) => Ok(Some(StepResult {
                cards: telephony::cards(entry, &answered.value),
                ..StepResult::default()
            })),
            // Ended before, perhaps by ourselves: the statistics know.
            Some(Err(refusal)) if refusal.says("Call is not found (") => {
                match self.ended_call(step, entry).await {
                    // They are closed to us: it cannot be known here, and `look` says so.
                    Err(Unanswered::Refused(_)) => Err(unclear(&refusal.text)),
                    found => found,
                }
            }
            Some(Err(refusal)) => match refused_call(&refusal) {
                Called::NoUser(_) => Ok(None),
                Called::Ended(_) | Called::Closed => Err(refusal.unanswered(Purpose::Write)),
            },
            None => Err(unclear("no answer")),
        }
    }

    /// Finds a call that is over by the portal's own name of it.
    pub(super) async fn ended_call(
        &self,
        step: &StepCommand,
        entry: &str,
    ) -> Result<Option<StepResult>, Unanswered> {
        let found = self.in_statistics(step, "CALL_ID", entry).await?;
        Ok(found.map(|row| StepResult {
            cards: telephony::cards(entry, &row),
            adopted: true,
            note: None,
        }))
    }

    /// Finds the call of the statistics in which a column says this.
    pub(super) async fn in_statistics(
        &self,
        step: &StepCommand,
        column: &str,
        text: &str,
    ) -> Result<Option<Value>, Unanswered> {
        let params = json!({ "FILTER": { column: text }, "SORT": "ID", "ORDER": "ASC" });
        let command = Command::new("voximplant.statistic.get", params);
        let rows = self.rows(step, command, "items").await?;
        // A filter that a portal does not know is ignored by it without a word.
        let mut rows = rows.into_iter();
        Ok(rows.find(|row| Record(row).text(column).as_deref() == Some(text)))
    }
}
