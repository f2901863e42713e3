//! The token endpoint's answer (`crm/amocrm.md` §2).

use serde::Deserialize;

/// A new pair.
#[derive(Deserialize)]
pub(in crate::crm::amocrm) struct TokenAnswer {
    pub(in crate::crm::amocrm) access_token: String,
    pub(in crate::crm::amocrm) refresh_token: String,
    /// Seconds.
    pub(in crate::crm::amocrm) expires_in: u64,
}

impl TokenAnswer {
    /// Reads a body; `None` where it holds no pair that could be used.
    pub(in crate::crm::amocrm) fn read(body: &[u8]) -> Option<Self> {
        let answer: Self = serde_json::from_slice(body).ok()?;
        let whole = !answer.access_token.is_empty() && !answer.refresh_token.is_empty();
        whole.then_some(answer)
    }
}
