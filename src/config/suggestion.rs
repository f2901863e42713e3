//! "Did you mean": the known word that is nearest to a mistyped one.

/// Words longer than this are not compared: nobody mistypes a word of that length into another.
const WORD_CHARS_MAX: usize = 64;

/// Returns the known word that differs least, if it differs little enough to be a slip: at most
/// a third of its letters, and never more than three.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            let permitted = (candidate.chars().count().div_ceil(3)).min(3);
            *distance <= permitted
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Says what was meant where that can be guessed, and what is known.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let listed: Vec<&str> = known.clone().into_iter().collect();
    let listed = if listed.is_empty() {
        "none is known here".to_owned()
    } else {
        format!("known: {}", listed.join(", "))
    };
    match nearest(word, known) {
        Some(meant) => format!("did you mean {meant:?}? {listed}"),
        None => listed,
    }
}

/// Counts the insertions, deletions and replacements that turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(WORD_CHARS_MAX).collect();
    let other: Vec<char> = other.chars().take(WORD_CHARS_MAX).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (b, cell) in other.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_slips() {
        for (one, other, expected) in [
            ("office", "office", 0),
            ("offise", "office", 1),
            ("ofice", "office", 1),
            ("oficce", "office", 2),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_slip_is_guessed_and_a_different_word_is_not() {
        assert_eq!(nearest("lsten", ["listen", "socket"]), Some("listen"));
        assert_eq!(nearest("password", ["listen", "socket"]), None);
        assert_eq!(nearest("x", ["id"]), None);
    }
}
