//! Numbers as people write them into cards. Pure.

use crate::model::phone::{Phone, Region};

/// Reads a stored text as a number. A text with remarks counts by the first part that is a number
/// (`моб. 8-916-123-45-67 Анна`), else by its last ten digits, as amoCRM itself does when it logs
/// calls (`crm/amocrm.md` §11): to miss the card would make the client a new one.
pub(super) fn stored_phone(text: &str, region: Region) -> Option<Phone> {
    let remarks = text.contains(char::is_alphabetic);
    if !remarks && let Ok(phone) = Phone::parse(text, region) {
        return Some(phone);
    }
    let parts = text
        .split(char::is_alphabetic)
        .map(|part| part.trim_matches(|c: char| c != '+' && !c.is_ascii_digit()));
    let first = parts
        .filter(|part| digits_of(part).len() >= 10)
        .find_map(|part| Phone::parse(part, region).ok());
    first.or_else(|| {
        if let Ok(phone) = Phone::parse(text, region) {
            return Some(phone);
        }
        let digits = digits_of(text);
        let begin = digits.len().checked_sub(10)?;
        Phone::parse(digits.get(begin..)?, region).ok()
    })
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
