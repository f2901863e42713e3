//! Texts of clients in Planfix's terms: descriptions and comments are HTML (`crm/planfix.md` §2.2),
//! so that what a client wrote must stay text.

/// Longest name that is sent.
const NAME_CHARS_MAX: usize = 200;

/// Longest comment, markup included, is 64 KB; of what is longer the beginning is kept.
const HTML_CHARS_MAX: usize = 15_000;

/// Escapes a text of one or several lines.
pub(super) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars().take(HTML_CHARS_MAX) {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("<br>"),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}

/// Returns the first line as a name, cut to a bearable length.
pub(super) fn name(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line: String = line
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    let line = line.trim();
    if line.chars().count() <= NAME_CHARS_MAX {
        return line.to_owned();
    }
    let kept: String = line.chars().take(NAME_CHARS_MAX - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_writes_is_no_markup() {
        assert_eq!(
            html("<img src=x onerror=\"y\">\r\n& <b>"),
            "&lt;img src=x onerror=&quot;y&quot;&gt;<br>&amp; &lt;b&gt;"
        );
    }

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(name("\n Перезвонить \nи ещё"), "Перезвонить");
        assert_eq!(name(&"ж".repeat(300)).chars().count(), NAME_CHARS_MAX);
    }
}
