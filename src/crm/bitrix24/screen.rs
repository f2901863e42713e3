//! The card at a ringing telephone (`crm/bitrix24.md` §8). It belongs to a call that is registered; the
//! call's end finishes the same registration, which takes the card away everywhere.
//!
//! A call has one registration, however many telephones ring one after the other: the first card
//! registers it under its first user, every other one only shows what stands. Where the portal's name
//! of it is not known (a restart, a lost answer), it is registered again with the same values, by which
//! the portal recognises it for half an hour.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex as Turn;

use super::BitrixAdapter;
use super::command::Command;
use super::pool::{Bundle, Unanswered};
use super::telephony::{self, Shown};
use super::wire::Record;
use crate::crm::account::classify::Purpose;
use crate::crm::{Class, Popup, Screen};
use crate::model::outcome::Outcome;

/// Calls whose registration is remembered; far more than ring at once anywhere. What was forgotten is
/// told by whoever asks, who has it on disk.
const CALLS_MAX: usize = 1000;

/// The portal's name of a call's registration, for one at a time: two cards of one call that are sent
/// at once would be two registrations.
type Registration = Arc<Turn<Option<String>>>;

/// The registrations of calls that ring, the newest first, by our names of them.
#[derive(Default)]
pub(super) struct Registrations(Mutex<VecDeque<(String, Registration)>>);

impl Registrations {
    fn of(&self, name: &str) -> Registration {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = known.iter().find(|(one, _)| one == name) {
            return Arc::clone(found);
        }
        let made = Registration::default();
        known.push_front((name.to_owned(), Arc::clone(&made)));
        known.truncate(CALLS_MAX);
        made
    }
}

impl Screen for BitrixAdapter {
    fn show(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>> {
        async move { outcome(self.move_card(&popup, Shown::Yes).await) }.boxed()
    }

    fn takes_away(&self) -> bool {
        !self.is_telephony_closed()
    }

    fn take_away(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>> {
        async move { outcome(self.move_card(&popup, Shown::No).await) }.boxed()
    }
}

fn outcome(entry: Result<String, Unanswered>) -> Outcome<Option<String>> {
    match entry {
        Ok(entry) => Outcome::Done(Some(entry)),
        Err(unanswered) => unanswered.into_outcome(),
    }
}

impl BitrixAdapter {
    /// Shows or hides the card of a call; returns the portal's name of the call.
    async fn move_card(&self, popup: &Popup, shown: Shown) -> Result<String, Unanswered> {
        let registration = self.registrations.of(&popup.entry.marker());
        let mut known = registration.lock().await;
        if known.is_none() {
            *known = popup.opened.as_ref().and_then(|entry| entry.id.clone());
        }
        let commands = match &*known {
            Some(entry) => telephony::card(entry, popup, shown).map(|command| vec![command]),
            None => telephony::ringing(popup, shown, self.telling),
        };
        let commands = commands.map_err(Unanswered::Refused)?;
        let mut replies = Vec::new();
        // Where the registration is refused, the card is refused for want of it.
        for reply in self.send_card(popup, commands).await? {
            replies.push(reply.map_err(|refusal| refusal.unanswered(Purpose::Write))?);
        }
        let told = replies
            .first()
            .and_then(|answered| Record(&answered.value).text("CALL_ID"));
        let entry = known.take().or(told);
        known.clone_from(&entry);
        entry.ok_or_else(|| Unanswered::unreadable("a registration without CALL_ID"))
    }

    async fn send_card(
        &self,
        popup: &Popup,
        commands: Vec<Command>,
    ) -> Result<Vec<super::pool::Reply>, Unanswered> {
        let bundle = Bundle {
            name: format!("card {}", popup.entry.marker()),
            commands,
            purpose: Purpose::Write,
            class: Class::Live,
        };
        self.client.ask(bundle).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_one_turn_and_old_calls_are_forgotten() {
        let registrations = Registrations::default();
        let first = registrations.of("a");
        assert!(Arc::ptr_eq(&first, &registrations.of("a")));
        assert!(!Arc::ptr_eq(&first, &registrations.of("b")));
        for n in 0..CALLS_MAX {
            registrations.of(&n.to_string());
        }
        assert!(!Arc::ptr_eq(&first, &registrations.of("a")));
    }
}
