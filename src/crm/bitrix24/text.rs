//! Texts of clients in the portal's terms. Comments and descriptions are read as BB code there
//! (`crm/bitrix24.md` §6, §7): what a client wrote must stay text.

/// Longest title that is sent: the portal cuts at 255.
const TITLE_CHARS_MAX: usize = 250;

/// Takes the meaning from whatever would be BB code: a bracket that opens a tag.
pub(super) fn bb(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let opens = c == '['
            && chars
                .peek()
                .is_some_and(|next| next.is_alphabetic() || matches!(next, '/' | '*' | '='));
        plain.push(if opens { '［' } else { c });
    }
    plain
}

/// Returns the first line as a title, cut to a bearable length.
pub(super) fn title(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default().trim();
    if line.chars().count() <= TITLE_CHARS_MAX {
        return line.to_owned();
    }
    let kept: String = line.chars().take(TITLE_CHARS_MAX - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_writes_is_no_markup() {
        assert_eq!(
            bb("[URL=https://evil]x[/URL]"),
            "［URL=https://evil]x［/URL]"
        );
        assert_eq!(bb("a[1] [ ] [*]"), "a[1] [ ] ［*]");
    }

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(title("\n Перезвонить \nи ещё"), "Перезвонить");
        assert_eq!(title(&"ж".repeat(300)).chars().count(), TITLE_CHARS_MAX);
    }
}
