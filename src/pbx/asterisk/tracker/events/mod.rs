//! What each family of events does to the book. One file a family.

pub(super) mod bridge;
mod dial;
mod life;
mod names;
mod originate;
mod queue;
mod transfer;

use super::book::{Book, Opens};
use super::channel::Block;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;

/// Returns the prefixes of the channel blocks that an event may carry (`pbx/asterisk.md` §2).
fn prefixes(name: &str) -> &'static [&'static str] {
    match name {
        "BlindTransfer" => &["Transferer", "Transferee"],
        "AttendedTransfer" => &[
            "OrigTransferer",
            "SecondTransferer",
            "Transferee",
            "TransferTarget",
            "LocalOne",
            "LocalTwo",
        ],
        "Pickup" => &["", "Target"],
        "LocalBridge" | "LocalOptimizationBegin" | "LocalOptimizationEnd" => {
            &["LocalOne", "LocalTwo", "Source"]
        }
        _ => &["", "Dest"],
    }
}

/// Applies one event. Events that nobody here knows still tell of changed Linkedids.
pub(super) fn apply(book: &mut Book, name: &str, message: &Message, at: Timestamp) {
    match name {
        // CEL says the same again, later and from another thread.
        "CEL" => return,
        "OriginateResponse" => return originate::response(book, message),
        "Cdr" => return names::cdr(book, message),
        // An item of a list that somebody asked for.
        _ if message.action_id().is_some() => return,
        _ => {}
    }
    for prefix in prefixes(name) {
        if let Some(block) = Block::read(message, prefix) {
            book.touch(&block, opens(name, prefix), at);
        }
    }
    match name {
        "Newstate" => life::state(book, message, at),
        "Hangup" => life::hangup(book, message, at),
        "HangupRequest" => life::hangup_request(book, message, at),
        "Rename" => life::rename(book, message),
        "DialBegin" => dial::begin(book, message, at),
        "DialState" => dial::state(book, message, at),
        "DialEnd" => dial::end(book, message, at),
        "BridgeEnter" => bridge::enter(book, message, at),
        "BridgeLeave" => bridge::leave(book, message, at),
        "BridgeDestroy" => bridge::destroy(book, message, at),
        "AttendedTransfer" => transfer::attended(book, message, at),
        "Pickup" => transfer::pickup(book, message, at),
        "LocalBridge" => transfer::local_pair(book, message, at),
        "QueueCallerJoin" | "AgentCalled" | "AgentConnect" => queue::joined(book, name, message),
        "QueueCallerAbandon" => queue::abandoned(book, message, at),
        "VarSet" => names::variable(book, message),
        "UserEvent" => names::user_event(book, message),
        _ => {}
    }
    names::channel_variables(book, message);
}

/// Says which events show that a channel lives, so that an unknown one may be opened. The others
/// may come after its end.
fn opens(name: &str, prefix: &str) -> Opens {
    match (name, prefix) {
        ("Newchannel", _) => Opens::First,
        ("DialBegin", "Dest") | ("AgentCalled", "Dest") => Opens::Called,
        (
            "Newstate" | "DialBegin" | "DialState" | "BridgeEnter" | "LocalBridge"
            | "QueueCallerJoin" | "AgentCalled" | "Hold" | "Unhold" | "MusicOnHoldStart",
            _,
        ) => Opens::Later,
        _ => Opens::Nothing,
    }
}
