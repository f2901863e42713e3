//! What people read in AlfaCRM: comments, titles, and our mark in them (`crm/alfacrm.md` §4, §9).

use jiff::tz::TimeZone;

use super::wire::moment;
use crate::model::call::Direction;
use crate::model::plan::{CallRecord, CallStatus, StepKey};

/// Longest comment (§13), in characters.
const COMMENT_CHARS_MAX: usize = 2048;

/// Room that is kept in each part of a comment for its number and our mark.
const FRAME_CHARS: usize = 64;

/// Longest title of a task.
const TITLE_CHARS_MAX: usize = 100;

/// Returns the mark of a step as it stands in texts.
pub(super) fn mark(key: &StepKey) -> String {
    format!("[{}]", key.marker())
}

/// Returns the mark of one part of a text of several parts.
pub(super) fn part_mark(key: &StepKey, part: usize, parts: usize) -> String {
    match parts {
        0 | 1 => mark(key),
        _ => format!("[{}/{part}]", key.marker()),
    }
}

/// Returns what is written about a call.
pub(super) fn call(record: &CallRecord, zone: &TimeZone, mark: &str) -> String {
    let direction = match record.direction {
        Direction::Outgoing => "Исходящий звонок",
        Direction::Incoming | Direction::Internal => "Входящий звонок",
    };
    let result = match record.status {
        CallStatus::Talked => format!("Разговор {}", length(record.talk_s)),
        CallStatus::NoAnswer => "Без ответа".to_owned(),
        CallStatus::Busy => "Занято".to_owned(),
        CallStatus::WrongNumber => "Неправильный номер".to_owned(),
    };
    let mut lines = vec![
        format!("{direction} {}", moment(record.at, zone)),
        format!("Номер: {}", record.phone),
        result,
        format!("АТС: {}", record.source_name),
    ];
    if let Some(link) = &record.link {
        lines.push(recording(link));
    }
    lines.push(mark.to_owned());
    lines.join("\n")
}

/// Returns the line of a recording.
fn recording(link: &str) -> String {
    format!("Запись: {link}")
}

/// Puts the line of a recording into a comment, before our mark; what a person has written there
/// since stays.
pub(super) fn with_recording(comment: &str, link: &str, mark: &str) -> String {
    let line = recording(link);
    match comment.rfind(mark) {
        Some(at) => {
            let (before, after) = comment.split_at(at);
            format!("{}\n{line}\n{after}", before.trim_end())
        }
        None => format!("{}\n{line}", comment.trim_end()),
    }
}

fn length(seconds: u64) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{minutes}:{seconds:02}")
}

/// Cuts a text into parts that a comment takes, each with its number and mark; at ends of lines
/// where there are some.
pub(super) fn parts(text: &str, key: &StepKey) -> Vec<String> {
    let room = COMMENT_CHARS_MAX - FRAME_CHARS;
    let mut bare: Vec<String> = Vec::new();
    let mut left = text.trim();
    while !left.is_empty() {
        let end = left
            .char_indices()
            .nth(room)
            .map_or(left.len(), |(at, _)| at);
        let (mut head, _) = left.split_at(end);
        if end < left.len()
            && let Some(line_end) = head.rfind('\n').filter(|at| *at > end / 2)
        {
            head = &head[..line_end];
        }
        bare.push(head.trim_end().to_owned());
        left = left[head.len()..].trim_start();
    }
    if bare.is_empty() {
        bare.push(String::new());
    }
    let count = bare.len();
    let framed = bare.into_iter().enumerate().map(|(at, part)| {
        let mark = part_mark(key, at + 1, count);
        match count {
            1 => format!("{part}\n{mark}"),
            _ => format!("({}/{count}) {part}\n{mark}", at + 1),
        }
    });
    framed.collect()
}

/// Returns the first line as a title.
pub(super) fn title(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    cut(line.unwrap_or("Задача").trim(), TITLE_CHARS_MAX)
}

/// Cuts a text to so many characters.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Role;

    fn key() -> StepKey {
        StepKey {
            integration: "acme/sales".parse().unwrap(),
            communication: "acme/office/1".parse().unwrap(),
            role: Role::new("transcript#1"),
        }
    }

    #[test]
    fn a_short_text_is_one_comment_with_our_mark_at_the_end() {
        let parts = parts("Здравствуйте\nСколько стоит?", &key());
        assert_eq!(
            parts,
            [format!("Здравствуйте\nСколько стоит?\n{}", mark(&key()))]
        );
    }

    #[test]
    fn a_long_text_loses_nothing_and_no_part_is_too_long() {
        let line = "Ж".repeat(99);
        let text = vec![line.as_str(); 60].join("\n");
        let made = parts(&text, &key());
        assert!(made.len() > 2);
        let mut letters = 0;
        for (at, part) in made.iter().enumerate() {
            assert!(part.chars().count() <= COMMENT_CHARS_MAX);
            assert!(part.ends_with(&part_mark(&key(), at + 1, made.len())));
            letters += part.matches('Ж').count();
        }
        assert_eq!(letters, 60 * 99);
        let one_line = parts(&"Ж".repeat(5000), &key());
        let letters: usize = one_line.iter().map(|part| part.matches('Ж').count()).sum();
        assert_eq!(letters, 5000);
    }

    #[test]
    fn a_recording_goes_before_the_mark_and_leaves_what_people_wrote() {
        let with = with_recording(
            "Входящий звонок\nперезвонить!\n[TL-1]",
            "https://x/1",
            "[TL-1]",
        );
        assert_eq!(
            with,
            "Входящий звонок\nперезвонить!\nЗапись: https://x/1\n[TL-1]"
        );
        assert_eq!(
            with_recording("Стёрто", "https://x/1", "[TL-1]"),
            "Стёрто\nЗапись: https://x/1"
        );
    }

    #[test]
    fn a_title_is_one_line_of_bearable_length() {
        assert_eq!(title("\n Перезвонить \nи ещё"), "Перезвонить");
        assert_eq!(title(&"ж".repeat(300)).chars().count(), TITLE_CHARS_MAX);
    }
}
