//! Showing the card of a caller to the CRM's users while the telephone rings: a passing step.
//! Shown late or twice it would be wrong, so it is sent once, in its seconds, and never repeated.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::model::ids::{CrmUserId, Extension};
use crate::model::outcome::Outcome;
use crate::model::phone::Phone;
use crate::model::plan::StepKey;
use crate::model::timestamp::Timestamp;

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popup {
    /// Who calls.
    pub phone: Phone,
    /// Who is to see it; empty = everybody in the CRM.
    pub users: Vec<CrmUserId>,
    /// The entry that the call will have in the call history: where the CRM opens the entry with
    /// the card, both are one.
    pub entry: StepKey,
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
    /// took it: whether anybody looked, nobody says.
    fn show(&self, popup: Popup) -> BoxFuture<'_, Outcome<()>>;

    /// Says whether the CRM knows a client with the number, as fast as it can; `None` = it cannot be
    /// told. Asked before the first card of a call where the CRM makes contacts from cards.
    fn is_known<'a>(&'a self, phone: &'a Phone) -> BoxFuture<'a, Option<bool>> {
        let _ = phone;
        async { None }.boxed()
    }
}
