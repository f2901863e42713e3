//! What a CRM asks of the phone system at its webhook: a call by click, and what belongs to it.

use futures_util::future::BoxFuture;

use super::HookAddress;
use crate::model::ids::{CrmUserId, Extension};

/// Reads what a CRM asks at its webhook and words the answers as the CRM wants them. The request has
/// proved by the secret of its path that it comes from the account; nothing else of it is believed.
pub trait CallRequests: Send + Sync {
    /// Reads a request. `None` = it asks nothing: it is a hint that something changed.
    fn asked<'a>(&'a self, request: HookRequest<'a>) -> BoxFuture<'a, Option<Asked>>;

    /// Words what became of a call.
    fn answer(&self, placed: Result<(), String>) -> HookReply;

    /// Learns the addresses at which the CRM may ask, one for each integration of the account; none =
    /// it cannot reach us. Told again whenever that changes.
    fn asked_at(&self, addresses: Vec<HookAddress>);
}

/// A request at the webhook.
#[derive(Debug, Clone, Copy)]
pub struct HookRequest<'a> {
    /// Its content type.
    pub content_type: Option<&'a str>,
    /// Its body.
    pub body: &'a [u8],
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Something that the adapter has answered by itself.
    Answered(HookReply),
    /// A call.
    Call(Clicked),
}

/// A click on a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clicked {
    /// Who clicked.
    pub who: Clicker,
    /// The number as it was written.
    pub phone: String,
}

/// Who clicked, as the CRM names its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clicker {
    /// By the extension.
    Extension(Extension),
    /// By the CRM's user.
    User(CrmUserId),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookReply {
    /// The HTTP status.
    pub status: u16,
    /// The content type of a body that is not empty.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}
