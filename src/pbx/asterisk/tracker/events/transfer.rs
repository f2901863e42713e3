//! Events that name channels of two calls at once: transfers, pick-up, Local pairs.

use super::super::book::Book;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;

/// An attended transfer joins the consultation to the call it was made for.
pub(super) fn attended(book: &mut Book, message: &Message, at: Timestamp) {
    let done = message
        .value("Result")
        .is_some_and(|result| result.eq_ignore_ascii_case("Success"));
    if !done {
        return;
    }
    const NAMED: [&str; 4] = [
        "TransfereeUniqueid",
        "OrigTransfererUniqueid",
        "SecondTransfererUniqueid",
        "TransferTargetUniqueid",
    ];
    let ids: Vec<&str> = NAMED
        .iter()
        .filter_map(|name| message.value(name))
        .collect();
    for pair in ids.windows(2) {
        if let [one, two] = pair {
            unite_known(book, one, two, at);
        }
    }
}

/// The one who picks up dialled in with a call of its own.
pub(super) fn pickup(book: &mut Book, message: &Message, at: Timestamp) {
    if let (Some(picker), Some(target)) =
        (message.value("Uniqueid"), message.value("TargetUniqueid"))
    {
        unite_known(book, target, picker, at);
    }
}

pub(super) fn local_pair(book: &mut Book, message: &Message, at: Timestamp) {
    if let (Some(one), Some(two)) = (
        message.value("LocalOneUniqueid"),
        message.value("LocalTwoUniqueid"),
    ) {
        unite_known(book, one, two, at);
    }
}

fn unite_known(book: &mut Book, one: &str, two: &str, at: Timestamp) {
    if let (Some(first), Some(second)) = (book.call_of(one), book.call_of(two)) {
        book.unite(first, second, at);
    }
}
