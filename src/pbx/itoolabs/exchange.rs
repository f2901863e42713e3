//! Answers what the VATS posts (`pbx/megafon.md` A1): `contact` from memory, everything else when it
//! is on disk.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::contact;
use super::desk::{Desk, Unchanged};
use super::settings::ItoolabsSettings;
use super::tracker::Teller;
use super::wire::form::{self, Message, Rating, Refusal};
use crate::pbx::{
    Exchange, ExchangeContext, ExchangeMethod, ExchangeReply, ExchangeRequest, SinkError,
    SourceNoteKind,
};

/// Longest message that is looked at, in bytes: those seen have a few hundred.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// What the VATS hears of everything that needs no answer.
const NOTHING: &[u8] = b"{}";

/// The VATS's side of intake.
pub(super) struct ItoolabsExchange {
    pub(super) settings: Arc<ItoolabsSettings>,
    pub(super) desk: Desk,
}

impl Exchange for ItoolabsExchange {
    fn methods(&self) -> &'static [ExchangeMethod] {
        // Whether a VATS ever asks by GET is not known.
        &[ExchangeMethod::Post, ExchangeMethod::Get]
    }

    fn serve(
        &self,
        request: ExchangeRequest,
        context: ExchangeContext,
    ) -> BoxFuture<'static, ExchangeReply> {
        let settings = Arc::clone(&self.settings);
        let desk = self.desk.clone();
        async move {
            if request.body.len() > MESSAGE_BYTES_MAX {
                return invalid("the message is too long");
            }
            match form::read(&request.body, &request.query, &settings.tokens) {
                Ok(message) => {
                    desk.note_heard();
                    answer(message, &settings, &desk, &context).await
                }
                Err(Refusal::Token) => ExchangeReply::stranger(
                    401,
                    Bytes::from_static(br#"{"error":"Invalid token"}"#),
                ),
                Err(Refusal::Parameters(why)) => invalid(why),
            }
        }
        .boxed()
    }
}

fn invalid(why: &'static str) -> ExchangeReply {
    let body = Bytes::from_static(br#"{"error":"Invalid parameters"}"#);
    ExchangeReply::refused(400, why, body)
}

async fn answer(
    message: Message,
    settings: &ItoolabsSettings,
    desk: &Desk,
    context: &ExchangeContext,
) -> ExchangeReply {
    let now = context.clock.now();
    let sink = Arc::clone(&context.sink);
    let changed = match message {
        Message::Contact(asked) => {
            let body = contact::answer(asked, settings, desk, &*context.answerer).await;
            return ExchangeReply::taken(body);
        }
        Message::Event(event) => {
            let change = desk.change(sink, now, move |tracker, _| tracker.event(&event, now));
            change.await
        }
        Message::History(item) => {
            let change = desk.change(sink, now, move |tracker, _| {
                tracker.finished(&item, Teller::Message, now);
            });
            change.await
        }
        Message::Rating(rating) => {
            let text = mark(&rating);
            let change = desk.change(sink, now, move |_, notes| {
                notes.remarks.push(SourceNoteKind::Remark { text });
            });
            change.await
        }
    };
    match changed {
        Ok(()) => ExchangeReply::taken(Bytes::from_static(NOTHING)),
        Err(error) => {
            match error {
                Unchanged::Sink(SinkError::Full(_)) | Unchanged::Closed => {}
                Unchanged::Sink(SinkError::Closed) => tracing::debug!("the daemon is ending"),
            }
            ExchangeReply::later(Bytes::from_static(br#"{"error":"try again"}"#))
        }
    }
}

fn mark(rating: &Rating) -> String {
    let of = rating.user.as_deref();
    let of = of.map(|user| format!(" with {user}")).unwrap_or_default();
    format!(
        "the client marked the talk{of} in call {} with {}",
        rating.callid, rating.rating
    )
}
