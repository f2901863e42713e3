//! Reads a caller id as Asterisk writes it: `"Anna" <101>`, `<101>`, `101`, `<unknown>`.

use super::words::cleaned;

/// Who an endpoint calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CallerId {
    pub(super) name: Option<String>,
    pub(super) number: Option<String>,
}

impl CallerId {
    pub(super) fn read(text: &str) -> Self {
        let (name, number) = match text.rsplit_once('<') {
            Some((name, number)) => (name, number.trim_end().trim_end_matches('>')),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => ("", text),
            None => (text, ""),
        };
        let number = cleaned(Some(number)).filter(|number| number != "unknown");
        let name = cleaned(Some(name.trim().trim_matches('"')));
        Self {
            // FreePBX writes `device <101>` and keeps the name elsewhere.
            name: name.filter(|name| is_a_name(name) && Some(name) != number.as_ref()),
            number,
        }
    }
}

/// Says whether a text can be somebody's name rather than a number or a word for "none".
pub(super) fn is_a_name(text: &str) -> bool {
    const NONE: [&str; 6] = [
        "device",
        "unknown",
        "<unknown>",
        "anonymous",
        "none",
        "(null)",
    ];
    text.chars().any(char::is_alphabetic)
        && !NONE.iter().any(|none| text.eq_ignore_ascii_case(none))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (text, name, number) in [
            ("\"Anna\" <101>", Some("Anna"), Some("101")),
            ("\"O\"Neil <b>\" <102>", Some("O\"Neil <b>"), Some("102")),
            ("<103>", None, Some("103")),
            ("104", None, Some("104")),
            ("device <105>", None, Some("105")),
            ("\"106\" <106>", None, Some("106")),
            ("<unknown>", None, None),
            ("", None, None),
            (
                "\"\u{1b}[31mEvil\" <1\u{7}07>",
                Some("[31mEvil"),
                Some("1 07"),
            ),
        ] {
            let read = CallerId::read(text);
            assert_eq!(
                (read.name.as_deref(), read.number.as_deref()),
                (name, number),
                "{text:?}"
            );
        }
    }
}
