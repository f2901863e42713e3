//! The card at a ringing telephone (S2-39): telephony's first event of a call. Planfix makes the
//! contact of a stranger from it, so that whether the client is new is asked before.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::PlanfixAdapter;
use super::telephony;
use crate::crm::{Class, Popup, Screen};
use crate::model::outcome::Outcome;
use crate::model::phone::Phone;

impl Screen for PlanfixAdapter {
    fn show(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>> {
        async move {
            for event in telephony::ringing(&popup) {
                if let Err(unanswered) = self.tell(&event, Class::Live).await {
                    return unanswered.into_outcome();
                }
            }
            Outcome::Done(None)
        }
        .boxed()
    }

    fn is_known<'a>(&'a self, phone: &'a Phone) -> BoxFuture<'a, Option<bool>> {
        async move {
            let caller = self.caller(phone, Class::Live).await.ok()?;
            Some(caller.is_some())
        }
        .boxed()
    }
}
