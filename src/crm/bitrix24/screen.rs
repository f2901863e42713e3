//! The card at a ringing telephone (`crm/bitrix24.md` §8). It belongs to a call that is registered;
//! the call's end finishes the same registration, which takes the card away everywhere.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::BitrixAdapter;
use super::pool::{Bundle, Unanswered};
use super::telephony;
use crate::crm::account::classify::Purpose;
use crate::crm::{Class, Popup, Screen};
use crate::model::outcome::Outcome;

impl Screen for BitrixAdapter {
    fn show(&self, popup: Popup) -> BoxFuture<'_, Outcome<()>> {
        async move {
            match self.show_card(&popup).await {
                Ok(()) => Outcome::Done(()),
                Err(unanswered) => unanswered.into_outcome(),
            }
        }
        .boxed()
    }
}

impl BitrixAdapter {
    async fn show_card(&self, popup: &Popup) -> Result<(), Unanswered> {
        let commands = telephony::ringing(popup, self.telling).map_err(Unanswered::Refused)?;
        let bundle = Bundle {
            name: format!("card {}", popup.entry.marker()),
            commands,
            purpose: Purpose::Write,
            class: Class::Live,
        };
        // Where the registration is refused, the card is refused for want of it.
        for reply in self.client.ask(bundle).await? {
            reply.map_err(|refusal| refusal.unanswered(Purpose::Write))?;
        }
        Ok(())
    }
}
