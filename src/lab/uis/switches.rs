//! What the contract does not settle, and the troubles that a test may want.

use serde::{Deserialize, Serialize};

/// The switches; all off is the likeliest account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The caller's address is not permitted.
    pub ip_not_whitelisted: bool,
    /// The option of the API is not in the tariff.
    pub component_disabled: bool,
    /// Refusals come with a status of HTTP of their own instead of 200.
    pub errors_with_status: bool,
    /// Sessions are at an end: every token of one is refused.
    pub sessions_ended: bool,
    /// An ended session is called `access_token_expired` instead of `access_token_invalid`.
    pub ended_is_expired: bool,
    /// Chats cannot be filtered by id.
    pub chat_filter_prohibited: bool,
    /// Numbers of visitors come as text instead of a number.
    pub phones_as_text: bool,
    /// Ids come as text.
    pub ids_as_text: bool,
    /// Everything that may be empty is null.
    pub sparse: bool,
    /// Reports show nothing that happened later than this many seconds ago.
    pub lag_s: u32,
    /// `result.metadata` is called `meta_data`, as in one sample.
    pub meta_data: bool,
    /// Nothing answers: 502 with a page of a proxy.
    pub down: bool,
    /// VATS 2.0 writes `call_is_internal` as `false` instead of `external`.
    pub internal_as_bool: bool,
    /// VATS 2.0 writes its directories inside of `data`.
    pub directories_in_data: bool,
}
