//! Queues. Without the class `agent` none of this is seen and the call is the same, its queues'
//! names aside.

use super::super::book::Book;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;

pub(super) fn joined(book: &mut Book, name: &str, message: &Message) {
    let (Some(id), Some(queue)) = (message.value("Uniqueid"), message.value("Queue")) else {
        return;
    };
    if let Some(call) = book.call_mut(id) {
        call.add_queue(queue);
        if name == "QueueCallerJoin" {
            call.queue_left = None;
        }
    }
}

/// Comes when the caller gives up and when the queue's time is out (`pbx/asterisk.md` §2).
pub(super) fn abandoned(book: &mut Book, message: &Message, at: Timestamp) {
    let Some(id) = message.value("Uniqueid") else {
        return;
    };
    if let Some(call) = book.call_mut(id) {
        if let Some(queue) = message.value("Queue") {
            call.add_queue(queue);
        }
        call.queue_left.get_or_insert(at);
    }
}
