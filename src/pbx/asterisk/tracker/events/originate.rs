//! The answer to a click-to-call. It names the channel only when the employee picked up
//! (`pbx/asterisk.md` §3).

use super::super::book::Book;
use super::super::call::Origin;
use super::super::settings::kept;
use crate::pbx::asterisk::ami_message::Message;

pub(super) fn response(book: &mut Book, message: &Message) {
    let number = message
        .value("Uniqueid")
        .and_then(|id| book.call_of(id))
        .or_else(|| by_device(book, message.value("Channel")?));
    let Some(call) = number.and_then(|number| book.calls.get_mut(&number)) else {
        return;
    };
    if call.originate_exten.is_none() {
        call.originate_exten = message.value("Exten").map(kept);
    }
    if call.click_to_call.is_none() {
        call.click_to_call = message.value("ActionID").map(kept);
    }
    book.dirty = true;
    book.changed.extend(number);
}

/// Finds the unanswered call that the PBX placed to a device, such as `PJSIP/101`: one whose
/// dialling has failed already before one that still rings, then the oldest.
fn by_device(book: &Book, device: &str) -> Option<u64> {
    let stem = format!("{device}-");
    let waiting = book.calls.iter().filter_map(|(number, call)| {
        let root = call.channels.first()?;
        let fits = call.origin == Origin::Pbx
            && call.originate_exten.is_none()
            && !root.up
            && (root.name == device || root.name.starts_with(&stem));
        let failed = root.dial.is_some() || !root.alive();
        fits.then_some((!failed, *number))
    });
    waiting.min().map(|(_, number)| number)
}
