//! Replaces words in a text: how a recorded call's ids and numbers become those of another.

/// Replaces whole words of the text: what stands between letters and digits is left alone.
pub(super) fn replace(text: &str, swaps: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((recorded, own)) = swaps.iter().find(|(word, _)| begins_with(rest, word)) {
            out.push_str(own);
            rest = rest.strip_prefix(recorded.as_str()).unwrap_or("");
        }
        // On to the next beginning of a word: past the letters and digits, then past the rest.
        let word = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(word);
        let gap = after
            .find(|c: char| c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (gap, after) = after.split_at(gap);
        out.push_str(word);
        out.push_str(gap);
        rest = after;
    }
    out
}

fn begins_with(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_whole() {
        let swaps = [("101".to_owned(), "7".to_owned())];
        assert_eq!(
            replace("PJSIP/101,4 1012 x101 101", &swaps),
            "PJSIP/7,4 1012 x101 7"
        );
        assert_eq!(replace("101@от 101", &swaps), "7@от 7");
    }
}
