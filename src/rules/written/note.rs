//! What the client wrote, kept as a note.

use crate::model::plan::{Effect, NewNote};
use crate::model::timestamp::Timestamp;
use crate::model::written_reason::WrittenReason;
use crate::rules::draft::{Draft, Wish};

use super::client::Client;
use super::{explain, place};

/// The longest note: pages of text. No limit is documented by the CRMs.
const NOTE_CHARS_MAX: usize = 10_000;

/// Plans a note on the card that the communication makes, else on the client's.
pub(in crate::rules) fn note(
    role: &str,
    text: &str,
    at: Timestamp,
    client: &Client<'_>,
    draft: &mut Draft<'_>,
) {
    let text = readable(text);
    if text.is_empty() {
        return;
    }
    let Some(place) = place::card_of_note(client, draft) else {
        return explain(draft, WrittenReason::NotedNowhere);
    };
    let (entity, new) = (place.entity, place.new);
    let note = NewNote {
        card: place.target,
        text,
        at,
    };
    if draft.wish(role, Effect::AddNote(note)) == Wish::Planned {
        explain(draft, WrittenReason::NotedOn { entity, new });
    }
}

/// Takes control characters but line ends out, joins runs of empty lines, and cuts at a bound.
fn readable(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let line: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let line = line.trim_end().to_owned();
        let again = lines.last().is_none_or(String::is_empty);
        if !(line.is_empty() && again) {
            lines.push(line);
        }
    }
    let whole = lines.join("\n");
    let whole = whole.trim_end();
    if whole.chars().count() <= NOTE_CHARS_MAX {
        return whole.to_owned();
    }
    let kept: String = whole.chars().take(NOTE_CHARS_MAX - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_keeps_its_lines_and_loses_what_cannot_be_read() {
        assert_eq!(readable("a\r\n\n\n\u{7}b\t\n\n"), "a\n\n b");
        assert_eq!(readable("\n \n"), "");
        let long = readable(&"я".repeat(20_000));
        assert_eq!(long.chars().count(), NOTE_CHARS_MAX);
        assert!(long.ends_with('…'));
    }
}
