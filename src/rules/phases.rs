//! At which phases something is decided.

use crate::model::communication::{Kind, Phase};

/// Returns the phases of a kind at which something can be wanted, so that no work is made that
/// could only be ignored. Calls and chats are decided when they have ended (S1-14).
pub fn wanted_phases(kind: Kind) -> &'static [Phase] {
    match kind {
        Kind::Call | Kind::Chat => &[Phase::Ended],
        Kind::Request => &[Phase::Received],
    }
}
