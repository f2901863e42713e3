//! Clicks on numbers in a CRM: its users want to be connected.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::HookAddress;
use crate::model::ids::CrmUserId;
use crate::model::outcome::{Outcome, Rejection};
use crate::model::timestamp::Timestamp;

/// Somebody who wants to be connected with a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// What it is called, unique in the account for ever: by this the adapter knows the call that
    /// follows again. Letters, digits and a dot.
    pub name: String,
    /// Who clicked; `None` = a client asks to be called back.
    pub user: Option<CrmUserId>,
    /// The number, as the CRM writes it.
    pub phone: String,
    /// When, or a little later, by our clock.
    pub at: Timestamp,
}

/// What tells of clicks.
pub trait Clicks: Send + Sync {
    /// Returns what was clicked since the last time; each click once, ever, whatever becomes of this
    /// process.
    fn clicks(&self) -> BoxFuture<'_, Outcome<Vec<Click>>>;

    /// Tells the CRM that nothing comes of a click, and why.
    fn give_up(&self, click: Click, why: String) -> BoxFuture<'_, Outcome<()>>;

    /// Has the CRM tell of clicks at an address of ours, so that they need not be asked for so soon.
    /// Safe to repeat.
    fn subscribe(&self, hook: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        drop(hook);
        let rejection = Rejection {
            code: "no_hooks".to_owned(),
            message: "this CRM does not tell of clicks".to_owned(),
        };
        async move { Outcome::Rejected(rejection) }.boxed()
    }
}
