//! Whether a refusal of the token endpoint says anything about the token (`crm/amocrm.md` §2): a
//! renamed portal's old host, and an integration that is not known, refuse without looking at it.

use super::wire::token::TokenAnswer;
use crate::model::outcome::Outcome;

/// The code of a refusal that says that there is no such place.
pub(super) const NOT_THERE: &str = "404";

/// How the token endpoint refused a refresh token, where that may mean another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnedAway {
    /// It did not look at the token: no such account, or the integration's secret is wrong.
    Unread,
    /// It looked at it and does not take it.
    Read,
}

impl TurnedAway {
    pub(super) fn of(answer: &Outcome<TokenAnswer>) -> Option<Self> {
        match answer {
            Outcome::Rejected(rejection) if rejection.code == NOT_THERE => Some(Self::Unread),
            Outcome::AuthExpired { why } => Some(Self::by(why)),
            Outcome::Done(_)
            | Outcome::NotApplied(_)
            | Outcome::Ambiguous { .. }
            | Outcome::Rejected(_) => None,
        }
    }

    /// Reads a 401: only the hint says which it is (`crm/amocrm.md` §2).
    pub(super) fn by(why: &str) -> Self {
        match why.contains("\"hint\"") {
            true => Self::Read,
            false => Self::Unread,
        }
    }
}
