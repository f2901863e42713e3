//! Hands cards over to somebody else (`crm/amocrm.md` §7), one at a time: whether it is still to be
//! done shows when the card is read.

use super::AmoAdapter;
use super::client::{ReadError, Written};
use super::wire::bodies::OwnerChange;
use super::{fields, map};
use crate::crm::Class;
use crate::model::outcome::{Look, Outcome, Rejection, StepResult};
use crate::model::plan::{Card, HandOver};

impl AmoAdapter {
    /// Makes somebody the responsible of a card.
    pub(super) async fn hand_over(&self, over: &HandOver) -> Outcome<StepResult> {
        let prepared = || -> Result<(&Card, String, OwnerChange), Rejection> {
            let card = map::known(&over.card)?;
            let user = map::id("user", &over.responsible.0)?;
            let change = OwnerChange {
                responsible_user_id: user,
            };
            Ok((card, fields::card_path(card)?, change))
        };
        let (card, path, change) = match prepared() {
            Ok(prepared) => prepared,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        match self.client.change(&path, &change, Class::Work).await {
            Written::Failed(failure) => failure.into_outcome(),
            Written::Refused(refusal) => Outcome::Rejected(refusal.whole()),
            Written::Stored(_) => Outcome::Done(handed(card)),
        }
    }

    /// Says whether a card has the responsible that it was to have, whoever gave it.
    pub(super) async fn is_handed_over(&self, over: &HandOver) -> Result<Look, ReadError> {
        let card = map::known(&over.card).map_err(ReadError::Refused)?;
        let user = map::id("user", &over.responsible.0).map_err(ReadError::Refused)?;
        Ok(match self.present(card).await {
            // The card is gone; sending again will say so for good.
            Err(ReadError::Refused(refusal)) if matches!(refusal.code.as_str(), "204" | "404") => {
                Look::Absent
            }
            Err(error) => return Err(error),
            Ok(read) if read.responsible_user_id == Some(user) => Look::Found(StepResult {
                adopted: true,
                ..handed(card)
            }),
            Ok(_) => Look::Absent,
        })
    }
}

fn handed(card: &Card) -> StepResult {
    StepResult {
        cards: vec![card.clone()],
        ..StepResult::default()
    }
}
