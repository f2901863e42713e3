//! The door for a source that wants a certain answer to what it sends over HTTP: it may report,
//! ask from the directory, and hear yes and no in its own words.
//!
//! Intake has looked at the secret of the path and read the body within its bounds before any of
//! this runs. What else a source takes for a proof, such as a token in the body, it checks itself
//! with [`crate::model::secret::is_one_of`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::{Answerer, Sink};
use crate::clock::SharedClock;

/// Takes part in exchanges over HTTP.
pub trait Exchange: Send + Sync {
    /// Returns the methods that it takes; by any other the source is not found.
    fn methods(&self) -> &'static [ExchangeMethod] {
        &[ExchangeMethod::Post]
    }

    /// Answers one request. An answer that says "taken" is given after the commit only. The future
    /// may be dropped half way, when the sender goes: whatever must not end in the middle has to
    /// run as a task of its own. It ends by itself in bounded time.
    fn serve(
        &self,
        request: ExchangeRequest,
        context: ExchangeContext,
    ) -> BoxFuture<'static, ExchangeReply>;
}

/// A method of HTTP that sources use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeMethod {
    /// Everything stands in the query.
    Get,
    /// With a body; the query may say something too.
    Post,
}

/// A request as it came. Every part of it is hostile.
#[derive(Debug, Clone)]
pub struct ExchangeRequest {
    /// How it came.
    pub method: ExchangeMethod,
    /// What the body is said to be.
    pub content_type: Option<String>,
    /// The query, without the question mark, as it was written.
    pub query: String,
    /// The body; empty where there is none.
    pub body: Bytes,
    /// Who sent it, where that is known.
    pub sender: Option<IpAddr>,
}

/// What an exchange is given.
#[derive(Clone)]
pub struct ExchangeContext {
    /// Where snapshots go.
    pub sink: Arc<dyn Sink>,
    /// Whom to ask who a caller should reach.
    pub answerer: Arc<dyn Answerer>,
    /// The time of day.
    pub clock: SharedClock,
}

/// What the source hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeReply {
    /// What it means for us.
    pub verdict: Verdict,
    /// The status of HTTP.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// When to come again, where that makes sense.
    pub retry_after: Option<Duration>,
}

/// What a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken, or answered.
    Taken,
    /// It cannot be used as it is. For the log, why.
    Refused(&'static str),
    /// The sender did not prove who it is: it counts as a stranger, and after too many of them the
    /// address is told to wait.
    Stranger,
    /// Not now: the source may come again.
    Later,
}

impl ExchangeReply {
    /// Says yes, with a body of JSON.
    pub fn taken(body: impl Into<Bytes>) -> Self {
        Self::json(Verdict::Taken, 200, body)
    }

    /// Says no, with a body of JSON. `why` is for the log.
    pub fn refused(status: u16, why: &'static str, body: impl Into<Bytes>) -> Self {
        Self::json(Verdict::Refused(why), status, body)
    }

    /// Says no to somebody who did not prove who it is, with a body of JSON.
    pub fn stranger(status: u16, body: impl Into<Bytes>) -> Self {
        Self::json(Verdict::Stranger, status, body)
    }

    /// Asks to come again, with a body of JSON.
    pub fn later(body: impl Into<Bytes>) -> Self {
        let retry_after = Some(Duration::from_secs(5));
        Self {
            retry_after,
            ..Self::json(Verdict::Later, 503, body)
        }
    }

    fn json(verdict: Verdict, status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            verdict,
            status,
            content_type: "application/json",
            body: body.into(),
            retry_after: None,
        }
    }
}
