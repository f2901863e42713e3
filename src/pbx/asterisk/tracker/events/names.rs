//! Names that come beside the call: recordings and DID, from variables, Cdr and user events.
//! None of them opens anything.

use super::super::book::Book;
use super::super::settings::kept;
use crate::pbx::asterisk::ami_message::Message;

/// A Cdr is used for nothing but these names: one call gives several, and none is "the" call
/// (`pbx/asterisk.md` §2).
pub(super) fn cdr(book: &mut Book, message: &Message) {
    let known = |id: &&str| book.call_of(id).is_some();
    let id = [message.value("UniqueID"), message.value("LinkedID")]
        .into_iter()
        .flatten()
        .find(known);
    let (recording, did) = (message.value("RecordingFile"), message.value("Did"));
    if recording.is_none() && did.is_none() {
        return;
    }
    let Some(call) = id.and_then(|id| book.call_mut(id)) else {
        return;
    };
    if let Some(recording) = recording {
        call.add_recording(recording);
    }
    if call.did_cdr.is_none() {
        call.did_cdr = did.map(kept);
    }
}

pub(super) fn variable(book: &mut Book, message: &Message) {
    if let (Some(id), Some(name)) = (message.value("Uniqueid"), message.value("Variable")) {
        let id = id.to_owned();
        set(book, &id, name, message.value("Value").unwrap_or_default());
    }
}

/// Headers `ChanVariable: NAME=value`, as `channelvars` in manager.conf adds them; old servers
/// write `ChanVariable(channel): NAME=value` (`pbx/asterisk.md` §6).
pub(super) fn channel_variables(book: &mut Book, message: &Message) {
    for (header, value) in message.headers() {
        let Some((name, text)) = value.split_once('=') else {
            continue;
        };
        let id = if starts_with_name(header, "ChanVariable") {
            message.value("Uniqueid")
        } else if starts_with_name(header, "DestChanVariable") {
            message.value("DestUniqueid")
        } else {
            None
        };
        if let Some(id) = id {
            let id = id.to_owned();
            set(book, &id, name.trim(), text.trim());
        }
    }
}

fn starts_with_name(header: &str, name: &str) -> bool {
    let head = header.split('(').next().unwrap_or(header);
    head.trim_end().eq_ignore_ascii_case(name)
}

fn set(book: &mut Book, id: &str, name: &str, value: &str) {
    if value.is_empty() || book.channel(id).is_none() {
        return;
    }
    match name.trim_start_matches('_') {
        "MIXMONITOR_FILENAME" | "CDR(recordingfile)" => {
            if let Some(call) = book.call_mut(id) {
                call.add_recording(value);
            }
        }
        "FROM_DID" => {
            let known = book
                .call_of(id)
                .and_then(|number| book.calls.get(&number))
                .is_some_and(|call| call.did_variable.is_some());
            if let (false, Some(call)) = (known, book.call_mut(id)) {
                call.did_variable = Some(kept(value));
            }
        }
        _ => {}
    }
}

/// MikoPBX names its recordings so (`pbx/asterisk.md` §6).
pub(super) fn user_event(book: &mut Book, message: &Message) {
    let start = message
        .value("UserEvent")
        .is_some_and(|name| name.eq_ignore_ascii_case("StartRecording"));
    let (Some(file), true) = (message.value("recordingfile"), start) else {
        return;
    };
    let by_name = message
        .value("recchan")
        .and_then(|name| book.names.get(name).cloned());
    let ids = [message.value("Uniqueid"), message.value("Linkedid")];
    let id = ids
        .into_iter()
        .flatten()
        .find(|id| book.call_of(id).is_some())
        .map(str::to_owned)
        .or(by_name);
    if let Some(call) = id.and_then(|id| book.call_mut(&id)) {
        call.add_recording(file);
    }
}
