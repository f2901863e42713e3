//! The JSON of amoCRM's API v4 as we read and write it. The only place that knows its keys.

pub(super) mod answers;
pub(super) mod bodies;
mod lenient;
pub(super) mod refusal;
pub(super) mod token;
