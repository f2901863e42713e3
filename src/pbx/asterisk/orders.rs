//! Click-to-call orders on their way to the session: an order waits for a session a few seconds
//! and is never placed later (`pbx/asterisk.md` §3).
//!
//! ```text
//! Caller::place --> queue (bounded) --> session: Originate --> response --> answer
//!       \-- deadline: nobody took it --> expired, and the session will not send it
//! ```

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot};

use super::ami_codec::Action;
use super::ami_message::Message;
use super::settings::{DialFormat, OriginateSettings};
use crate::model::call_order::{CallOrder, ShowsNumber};
use crate::model::ids::{CommunicationKey, SourceKey};
use crate::model::phone::Phone;
use crate::pbx::{Caller, OrderError, Ordered};

/// How long an order may wait for a session, and then for its answer: a person stands there and
/// looks at a telephone.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

/// Orders that may wait. A company's people click a few times a minute.
const WAITING_MAX: usize = 32;

type Answer = oneshot::Sender<Result<(), OrderError>>;

/// An order that waits for the session, and where it is told what became of it (gone when nobody
/// wants to know any more).
struct Waiting {
    order: CallOrder,
    answer: Answer,
}

/// The orders that no session has taken yet.
#[derive(Default)]
pub(super) struct OrderQueue {
    waiting: Mutex<VecDeque<Waiting>>,
    come: Notify,
}

impl OrderQueue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, one: Waiting) -> Result<(), OrderError> {
        let mut waiting = self.waiting();
        waiting.retain(|other| !other.answer.is_closed());
        if waiting.len() >= WAITING_MAX {
            return Err(OrderError::Busy);
        }
        waiting.push_back(one);
        self.come.notify_one();
        Ok(())
    }

    /// Takes an order back; `false` when a session has it already.
    fn take_back(&self, id: &str) -> bool {
        let mut waiting = self.waiting();
        let before = waiting.len();
        waiting.retain(|one| one.order.id != id);
        waiting.len() < before
    }

    /// Waits for the next order that is still wanted. May be dropped without losing one.
    async fn next(&self) -> Waiting {
        loop {
            let next = self.waiting().pop_front();
            match next {
                Some(one) if one.answer.is_closed() => {}
                Some(one) => return one,
                None => self.come.notified().await,
            }
        }
    }
}

/// Puts orders into the queue.
pub(super) struct AsteriskCaller {
    /// Whose calls they become.
    pub(super) source: SourceKey,
    /// Where the session finds them.
    pub(super) queue: Arc<OrderQueue>,
}

impl Caller for AsteriskCaller {
    fn place(&self, order: CallOrder) -> BoxFuture<'_, Result<Ordered, OrderError>> {
        async move {
            // The channel's own name is the order's, so the call's name is known beforehand.
            let communication = CommunicationKey::new(self.source.clone(), &order.id).ok();
            let id = order.id.clone();
            let (answer, mut answered) = oneshot::channel();
            self.queue.put(Waiting { order, answer })?;
            let first = tokio::time::timeout(TAKEN_WITHIN, &mut answered).await;
            let answer = match first {
                Ok(answer) => answer,
                Err(_) if self.queue.take_back(&id) => {
                    return Err(OrderError::Expired {
                        within_s: TAKEN_WITHIN.as_secs(),
                    });
                }
                Err(_) => tokio::time::timeout(TAKEN_WITHIN, answered)
                    .await
                    .map_err(|_| OrderError::Unclear)?,
            };
            match answer {
                Ok(taken) => taken.map(|()| Ordered { communication }),
                // The session ended with the order in its hands.
                Err(_) => Err(OrderError::Unclear),
            }
        }
        .boxed()
    }

    fn shows_number(&self) -> ShowsNumber {
        ShowsNumber::Chosen
    }
}

/// The orders that one session has in its hands.
pub(super) struct Orders<'a> {
    queue: &'a OrderQueue,
    settings: Option<&'a OriginateSettings>,
    sent: HashMap<String, Answer>,
}

impl<'a> Orders<'a> {
    /// Begins with none.
    pub(super) fn new(queue: &'a OrderQueue, settings: Option<&'a OriginateSettings>) -> Self {
        Self {
            queue,
            settings,
            sent: HashMap::new(),
        }
    }

    /// Waits for the next order; returns it as an action with its id. Waits for ever where no
    /// calls are placed.
    pub(super) async fn next(&mut self) -> (String, Action) {
        let Some(settings) = self.settings else {
            return std::future::pending().await;
        };
        let Waiting { order, answer } = self.queue.next().await;
        let action = originate(&order, settings);
        self.sent.insert(order.id.clone(), answer);
        (order.id, action)
    }

    /// Takes the response to an order.
    pub(super) fn answered(&mut self, message: &Message) {
        self.sent.retain(|_, answer| !answer.is_closed());
        let Some(answer) = message.action_id().and_then(|id| self.sent.remove(id)) else {
            return;
        };
        let refused = message
            .response()
            .is_some_and(|word| !word.eq_ignore_ascii_case("Success"));
        let taken = if refused {
            let words = message.value("Message").unwrap_or("no reason given");
            Err(OrderError::Refused(words.to_owned()))
        } else {
            Ok(())
        };
        // Whoever asked has gone.
        let _ = answer.send(taken);
    }
}

/// Writes a number as the dialplan wants it.
fn written(phone: &Phone, format: DialFormat) -> String {
    match format {
        DialFormat::Plus => phone.as_str().to_owned(),
        DialFormat::Digits => phone.digits().to_owned(),
        DialFormat::National => phone.national_digits(),
    }
}

/// Writes the action. `ChannelId` becomes the call's Uniqueid and Linkedid. The caller ID is what
/// the employee's telephone shows while it rings, and what the dialplan begins with when it dials
/// the client: a chosen number stands there in place of the client's.
fn originate(order: &CallOrder, settings: &OriginateSettings) -> Action {
    let number = written(&order.phone, settings.dial_format);
    let shown = order.shown.as_ref();
    let shown_number = shown.map(|shown| written(&shown.number, settings.dial_format));
    let caller_id = shown_number.as_ref().unwrap_or(&number);
    let channel = settings.channel.replace("{extension}", &order.extension.0);
    let timeout_ms = settings.ring_timeout.as_millis();
    let mut action = Action::new("Originate")
        .with("Channel", channel.as_str())
        .with("Context", settings.context.as_str())
        .with("Exten", format!("{}{number}", settings.dial_prefix))
        .with("Priority", "1")
        .with("CallerID", format!("\"{}\" <{caller_id}>", order.phone))
        .with("Timeout", timeout_ms.to_string())
        .with("Async", "true")
        .with("ChannelId", order.id.as_str());
    if channel.starts_with("Local/") {
        action = action.with("OtherChannelId", format!("{}-2", order.id));
    }
    if let (Some(true), Some(number)) = (shown.map(|shown| shown.always), shown_number) {
        // Inherited by the channels that dial the client.
        let variable = format!("__{}={number}", settings.always_variable);
        action = action.with("Variable", variable);
    }
    action
}
