//! The address that the platform posts to: notifications, and the questions of interactive call
//! processing (`pbx/uis.md` §1, §2). A question carries the caller's number as `numa`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::memory::Heard;
use super::notification::{self, Notification};
use super::row::Row;
use super::settings::ReachBy;
use crate::model::question::{Answer, Question};
use crate::pbx::{
    Exchange, ExchangeContext, ExchangeMethod, ExchangeReply, ExchangeRequest, Verdict,
};

/// How long the platform is to wait at most for who a caller should reach: the answer comes from
/// memory (`pbx/uis.md` §2).
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// Takes part in what the platform sends.
pub(super) struct UisReceiver(pub(super) Arc<Desk>);

impl Exchange for UisReceiver {
    fn methods(&self) -> &'static [ExchangeMethod] {
        &[ExchangeMethod::Get, ExchangeMethod::Post]
    }

    fn serve(
        &self,
        request: ExchangeRequest,
        context: ExchangeContext,
    ) -> BoxFuture<'static, ExchangeReply> {
        let desk = Arc::clone(&self.0);
        // A task of its own: a change that has begun is not to be left in the middle when the
        // platform hangs up.
        let served = tokio::spawn(async move { serve(&desk, &request, &context).await });
        async move {
            let served = served.await;
            served.unwrap_or_else(|_| ExchangeReply::later(body("the request could not be served")))
        }
        .boxed()
    }
}

async fn serve(desk: &Desk, request: &ExchangeRequest, context: &ExchangeContext) -> ExchangeReply {
    let fields = match notification::fields(&request.query, &request.body) {
        Ok(fields) => fields,
        Err(error) => return refused(&error),
    };
    let is_question = fields.contains_key("numa") && !fields.contains_key("event");
    match is_question {
        true => answer(desk, &fields, context).await,
        false => take(desk, &fields, context).await,
    }
}

async fn take(
    desk: &Desk,
    fields: &Map<String, Value>,
    context: &ExchangeContext,
) -> ExchangeReply {
    let now = context.clock.now();
    // The zone is remembered: nothing is read before that was brought back.
    if let Err(error) = desk.open(&context.sink, now).await {
        return ExchangeReply::later(body(&error.to_string()));
    }
    let told = match Notification::read(fields, &desk.zone(), now) {
        Ok(told) => told,
        Err(error) => return refused(&error),
    };
    match desk.hear(&told, &context.sink, now).await {
        Ok(Heard::News(_) | Heard::Known | Heard::ReadSoon { .. } | Heard::TooLate) => {
            ExchangeReply::taken("{}")
        }
        Ok(Heard::NoReports) => ExchangeReply::refused(
            422,
            "it needs the Data API",
            body("chats and requests need the Data API: give the source a key"),
        ),
        Ok(Heard::Full) => ExchangeReply::later(body("too many calls are open")),
        Err(error) => ExchangeReply::later(body(&error.to_string())),
    }
}

async fn answer(
    desk: &Desk,
    fields: &Map<String, Value>,
    context: &ExchangeContext,
) -> ExchangeReply {
    // Who employees are is remembered too; a store that is stuck must not keep a caller waiting.
    let opened = desk.open(&context.sink, context.clock.now());
    let _ = tokio::time::timeout(ANSWER_WITHIN / 3, opened).await;
    let row = Row::new(fields);
    let question = Question {
        source: desk.identity.key.clone(),
        caller: row.line("numa").unwrap_or_default(),
        did: row.line("numb"),
        within: Some(ANSWER_WITHIN),
    };
    match context.answerer.answer_source(question).await {
        Ok(answer) => ExchangeReply::taken(words(desk, &answer).to_string()),
        Err(error) => {
            tracing::warn!(source = %desk.identity.key, %error, "question not answered");
            ExchangeReply::taken(usual(desk).to_string())
        }
    }
}

/// Says where the call should go: to phones in the order in which they are dialled, or on in the
/// scenario.
fn words(desk: &Desk, answer: &Answer) -> Value {
    let Some(extension) = &answer.extension else {
        return usual(desk);
    };
    let people = desk.people();
    let phones = match people.get(&extension.0) {
        Some(person) => match desk.settings.interactive.reach_by {
            ReachBy::Phones => person.phones.clone(),
            ReachBy::Extension => person.extension.iter().cloned().collect(),
        },
        // A destination that the administrator wrote as a number.
        None if is_number(&extension.0) => vec![extension.0.trim_start_matches('+').to_owned()],
        None => Vec::new(),
    };
    match phones.is_empty() {
        true => usual(desk),
        false => json!({ "phones": phones }),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches('+');
    (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn usual(desk: &Desk) -> Value {
    json!({ "returned_code": desk.settings.interactive.usual_code })
}

fn refused(error: &notification::BadNotification) -> ExchangeReply {
    let why = match error {
        notification::BadNotification::NotJson => "no JSON",
        notification::BadNotification::NoEvent => "no event of ours",
        notification::BadNotification::NoId => "no id",
    };
    let mut reply = ExchangeReply::refused(400, why, body(&error.to_string()));
    reply.verdict = Verdict::Refused(why);
    reply
}

fn body(words: &str) -> String {
    json!({ "error": words }).to_string()
}
