//! The tags of new records (S0-18, S0-19, S1-21, V-11).

use crate::model::phone::Phone;

use super::settings::TagSettings;
use super::template::one_line;

/// The longest tag that is sent.
const TAG_CHARS_MAX: usize = 255;

/// Returns the tags, each once, in the order of the settings.
pub(super) fn of(settings: &TagSettings, phone: Option<&Phone>, source: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    if !settings.on {
        return tags;
    }
    let number = phone.filter(|_| settings.number).map(Phone::to_string);
    let source = settings.source.then(|| source.to_owned());
    let list = settings.list.iter().cloned();
    for tag in number.into_iter().chain(source).chain(list) {
        let tag = one_line(&tag, TAG_CHARS_MAX);
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}
