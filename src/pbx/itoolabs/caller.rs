//! Has calls placed: the VATS rings the employee first, then the client (`pbx/megafon.md` A2).

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::api::Failed;
use super::settings::{ApiSettings, OriginateSettings};
use super::tracker::Order;
use crate::model::call_order::{CallOrder, ShowsNumber};
use crate::model::ids::{CommunicationKey, SourceKey};
use crate::model::timestamp::Timestamp;
use crate::pbx::{Caller, OrderError, Ordered};

/// Who places them.
pub(super) struct ItoolabsCaller {
    pub(super) source: SourceKey,
    pub(super) api: ApiSettings,
    pub(super) originate: OriginateSettings,
    /// Where the session learns what its call will be called.
    pub(super) placed: mpsc::Sender<Placed>,
}

/// An order that the VATS took.
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) callid: Option<String>,
    pub(super) user: String,
    pub(super) digits: String,
    /// When it was sent: its call may be told before the answer to it is.
    pub(super) sent: Instant,
}

impl Placed {
    /// Returns the order as the tracker waits for its call.
    pub(super) fn order(self, now: Timestamp) -> Order {
        let at = now.minus(self.sent.elapsed());
        Order {
            id: self.id,
            callid: self.callid,
            user: self.user,
            digits: self.digits,
            at,
        }
    }
}

impl Caller for ItoolabsCaller {
    fn place(&self, order: CallOrder) -> BoxFuture<'_, Result<Ordered, OrderError>> {
        async move {
            let chosen = order.shown.as_ref().map(|shown| shown.number.digits());
            let clid = chosen.or(self.originate.clid.as_deref());
            let user = order.extension.0.clone();
            let digits = order.phone.digits().to_owned();
            let sent = Instant::now();
            let making = self.api.make_call(&user, &digits, clid).await;
            let callid = making.map_err(order_error)?;
            let key = |id: &String| CommunicationKey::new(self.source.clone(), id).ok();
            let communication = callid.as_ref().and_then(key);
            let placed = Placed {
                id: order.id,
                callid,
                user,
                digits,
                sent,
            };
            // Beyond the bound the call only does not carry the order's name.
            if self.placed.try_send(placed).is_err() {
                tracing::warn!(source = %self.source, "too many orders: one call goes without its name");
            }
            Ok(Ordered { communication })
        }
        .boxed()
    }

    fn shows_number(&self) -> ShowsNumber {
        // `clid` is shown as it is given; the API knows no other way (`pbx/megafon.md` A2).
        ShowsNumber::ChosenAlways
    }
}

fn order_error(failed: Failed) -> OrderError {
    let words = failed.to_string();
    match failed {
        Failed::Unclear(_) | Failed::Ill { .. } => OrderError::Unclear,
        Failed::Busy { .. } => OrderError::Busy,
        Failed::NotSent(_)
        | Failed::Key(_)
        | Failed::Refused { .. }
        | Failed::Unreadable { .. } => OrderError::Refused(words),
    }
}

/// The orders on their way to the session.
pub(super) type Orders = Arc<tokio::sync::Mutex<mpsc::Receiver<Placed>>>;
