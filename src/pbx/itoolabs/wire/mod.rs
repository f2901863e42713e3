//! What a VATS writes and reads, both generations of its API (`pbx/megafon.md` part A). Only here
//! stand the names of its fields. Everything that comes is hostile: texts are cut to one clean line
//! of bounded length, and a field that cannot be read counts as absent where the call can do
//! without it.

pub(super) mod answers;
pub(super) mod csv;
pub(super) mod form;
pub(super) mod history;
pub(super) mod moment;

/// Longest id of a call that is taken.
pub(super) const ID_CHARS_MAX: usize = 128;

/// Longest name, login, number or address that is kept, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 128;

/// Longest address of a recording, in characters.
pub(super) const LINK_CHARS_MAX: usize = 1024;

/// Brings a text into one clean line of at most so many characters; `None` where nothing is left.
pub(super) fn line(text: &str, chars_max: usize) -> Option<String> {
    let kept: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(chars_max)
        .collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Reads the id of a call: it stands in keys and logs, so that only one clean word is taken.
pub(super) fn id(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    let sound = !text.is_empty() && text.len() <= ID_CHARS_MAX && text.chars().all(plain);
    sound.then(|| text.to_owned())
}

/// Reads the address of a recording; only addresses of HTTP are kept.
pub(super) fn link(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    let web = text.starts_with("https://") || text.starts_with("http://");
    let sound = web && text.chars().count() <= LINK_CHARS_MAX && text.chars().all(plain);
    sound.then(|| text.to_owned())
}

/// Reads whole seconds, written as `64`, `64.0` or nothing; a day at the most.
pub(super) fn seconds(text: &str) -> Option<u64> {
    const DAY_S: f64 = 86_400.0;
    let seconds: f64 = text.trim().parse().ok()?;
    // In range by the filter; a float cast saturates and cannot fail.
    (0.0..=DAY_S)
        .contains(&seconds)
        .then(|| seconds.round() as u64)
}
