//! Requests to one account: paced by the limiter, held back by the breaker, and told apart by
//! what is known about their effect.

use std::time::Duration;

/// The door of one account.
pub struct AccountHttp;

/// A response, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Content type, lower case, without parameters.
    pub content_type: String,
    /// `Retry-After`, where given in seconds or as a date.
    pub retry_after: Option<Duration>,
    /// The body, cut off at the bound.
    pub body: bytes::Bytes,
}
