//! Words to users (`crm/bitrix24.md` §7): with the way to the card, and a tag by which a notice that
//! is sent twice takes the place of itself.
//!
//! A word that the portal does not take is no failure of the work that it tells of: the step says
//! so and is done.

use serde_json::json;

use super::command::Command;
use super::execute::made;
use super::pool::Unanswered;
use super::settings::card_url;
use super::{BitrixAdapter, map, text, wire};
use crate::crm::StepCommand;
use crate::model::outcome::{Rejection, StepResult};
use crate::model::plan::{Entity, Notice};

/// Over a webhook a tag wants a name of whose it is (§7).
const CLIENT_ID: &str = "trunkline";

impl BitrixAdapter {
    /// Tells a user of a card.
    pub(super) async fn notify(
        &self,
        step: &StepCommand,
        notice: &Notice,
    ) -> Result<StepResult, Unanswered> {
        let command = self.notice(step, notice).map_err(Unanswered::Refused)?;
        match self.write_one(step, command).await {
            Ok(answered) => Ok(match wire::made_id(&answered.value, &["id"]) {
                Some(id) => made(Entity::Notice, &id.to_string()),
                None => StepResult::default(),
            }),
            Err(Unanswered::Refused(rejection)) => Ok(StepResult {
                note: Some(format!(
                    "Bitrix24 did not take the notice: {}",
                    rejection.message
                )),
                ..StepResult::default()
            }),
            Err(other) => Err(other),
        }
    }

    fn notice(&self, step: &StepCommand, notice: &Notice) -> Result<Command, Rejection> {
        let card = map::known(&notice.card)?;
        let said = text::bb(&notice.text);
        let message = match card_url(&self.host, card) {
            Some(url) => format!("{said} [URL={url}]#{}[/URL]", card.id),
            None => said,
        };
        let of = (!self.client.auth().is_application()).then_some(CLIENT_ID);
        let params = json!({
            "USER_ID": map::user(Some(&notice.user))?,
            "MESSAGE": message,
            "TAG": step.key.marker(),
            "CLIENT_ID": of,
        });
        Ok(Command::new("im.notify.system.add", params))
    }
}
