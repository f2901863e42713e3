//! The popup at a ringing telephone (`crm/amocrm.md` §12). amoCRM finds the card by the number
//! itself; for one that it does not know it offers to make a contact.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::AmoAdapter;
use super::client::Written;
use super::wire::bodies::{PopupItem, Popups};
use crate::crm::account::classify::Failure;
use crate::crm::{Class, Popup, Screen};
use crate::model::outcome::{Outcome, Rejection};

/// One of the leftovers that amoCRM has not taken over into its present API.
const PATH: &str = "/api/v2/events/";

impl Screen for AmoAdapter {
    fn show(&self, popup: Popup) -> BoxFuture<'_, Outcome<Option<String>>> {
        async move {
            let mut users = Vec::new();
            for user in &popup.users {
                match user.0.parse::<i64>() {
                    Ok(id) => users.push(id),
                    Err(_) => return refused(format!("{user} is no user's id of amoCRM")),
                }
            }
            let body = Popups {
                add: [PopupItem {
                    kind: "phone_call",
                    phone_number: popup.phone.to_string(),
                    users,
                }],
            };
            match self.client.write(PATH, &body, Class::Live).await {
                Written::Stored(_) => Outcome::Done(None),
                Written::Refused(refusal) => Outcome::Rejected(refusal.whole()),
                // A yes that says nothing more: there is nothing that we would want to know.
                Written::Failed(Failure::Ambiguous { why }) if why.starts_with("HTTP 2") => {
                    Outcome::Done(None)
                }
                Written::Failed(failure) => failure.into_outcome(),
            }
        }
        .boxed()
    }
}

fn refused<T>(message: String) -> Outcome<T> {
    Outcome::Rejected(Rejection {
        code: "user".to_owned(),
        message,
    })
}
