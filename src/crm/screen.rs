//! Showing the card of a caller to the CRM's users while the telephone rings, and taking it away from
//! who did not pick up: passing steps. Shown late or twice a card would be wrong, so each is sent once,
//! in its seconds, and never repeated.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::model::ids::{CrmUserId, Extension};
use crate::model::outcome::Outcome;
use crate::model::passing::OpenedEntry;
use crate::model::phone::Phone;
use crate::model::plan::StepKey;
use crate::model::timestamp::Timestamp;

/// What is to be shown, or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popup {
    /// Who calls.
    pub phone: Phone,
    /// Who is to see it, empty = everybody in the CRM; or from whom it is taken.
    pub users: Vec<CrmUserId>,
    /// The entry that the call will have in the call history: where the CRM opens the entry with
    /// the card, both are one.
    pub entry: StepKey,
    /// What an earlier card of the call has opened, where one may have been sent.
    pub opened: Option<OpenedEntry>,
    /// When the call began.
    pub at: Timestamp,
    /// The telephones that ring.
    pub extensions: Vec<Extension>,
    /// The company's number, as the source writes it.
    pub our_number: Option<String>,
}

/// What shows cards to users.
pub trait Screen: Send + Sync {
    /// Shows the card of a number, first of all that goes to the account. Done as soon as the CRM
    /// took it: whether anybody looked, nobody says. Returns the CRM's own name of the entry of the
    /// call history, where the card opens one.
    fn show(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>>;

    /// Says whether cards can be taken away before the call is over.
    fn takes_away(&self) -> bool {
        false
    }

    /// Takes the card of a call that goes on away from users; returns what [`show`](Self::show) does.
    /// Asked only where [`takes_away`](Self::takes_away).
    fn take_away(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>> {
        let _ = popup;
        async { Outcome::Done(None) }.boxed()
    }

    /// Says whether the CRM knows a client with the number, as fast as it can; `None` = it cannot be
    /// told. Asked before the first card of a call where the CRM makes contacts from cards.
    fn is_known<'a>(&'a self, phone: &'a Phone) -> BoxFuture<'a, Option<bool>> {
        let _ = phone;
        async { None }.boxed()
    }
}
