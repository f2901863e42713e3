//! Makes texts of a PBX harmless, and ids of people's names.

use crate::model::ids::{EmployeeId, Extension, SLUG_BYTES_MAX};

/// Longest text that is kept, in characters. Endpoints and people have shorter names.
const TEXT_CHARS_MAX: usize = 80;

/// Brings a text into one line without anything that steers a terminal or turns the direction of
/// writing; too long ones are cut.
pub(super) fn clean(text: &str) -> String {
    let visible = text.chars().filter(|c| !is_invisible(*c));
    let spaced: String = visible
        .map(|c| {
            if c.is_control() || c.is_whitespace() {
                ' '
            } else {
                c
            }
        })
        .collect();
    let one_line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = one_line.chars().take(TEXT_CHARS_MAX).collect();
    cut.trim_end().to_owned()
}

/// Cleans a text; `None` when nothing of it is left.
pub(super) fn cleaned(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|text| !text.is_empty())
}

/// Marks of Unicode that have no shape of their own and change how others are shown.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Makes an id of a person's name: `Анна Петрова` becomes `anna-petrova`. Where nothing of the
/// name can be written so, the extension stands for it.
pub(super) fn employee_id(name: Option<&str>, extension: &Extension) -> Option<EmployeeId> {
    let of_name = name.map(slug).filter(|slug| !slug.is_empty());
    let of_extension = || format!("ext-{}", slug(&extension.0));
    of_name.unwrap_or_else(of_extension).parse().ok()
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match latin(c) {
            Some(letters) => slug.push_str(letters),
            None if c.is_ascii_lowercase() || c.is_ascii_digit() => slug.push(c),
            None if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            None => {}
        }
    }
    slug.truncate(SLUG_BYTES_MAX);
    slug.trim_end_matches('-').to_owned()
}

/// Writes a letter of Russian, Ukrainian or Belarusian as the names in passports are written.
fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' => "g",
        'д' => "d",
        'е' | 'ё' | 'э' | 'є' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' | 'ї' | 'й' => "i",
        'к' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ў' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ы' => "y",
        'ю' => "iu",
        'я' => "ia",
        'ъ' | 'ь' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_steer_a_terminal_or_turn_the_writing() {
        assert_eq!(clean("Анна\u{1b}[2J\r\n\t Петрова"), "Анна [2J Петрова");
        assert_eq!(clean("a\u{202e}b\u{200b}\u{feff}c\u{2028}d"), "abcd");
        assert_eq!(clean(&"ю".repeat(500)).chars().count(), TEXT_CHARS_MAX);
        assert_eq!(cleaned(Some(" \u{7} ")), None);
    }

    #[test]
    fn an_id_is_made_of_the_name_else_of_the_extension() {
        let id = |name: Option<&str>, extension: &str| {
            let id = employee_id(name, &Extension(extension.to_owned()));
            id.map(String::from)
        };
        for (name, expected) in [
            ("Анна Петрова", "anna-petrova"),
            ("Щукина Ольга (склад)", "shchukina-olga-sklad"),
            ("O'Neil, Pat", "o-neil-pat"),
            ("李", "ext-101"),
            ("--", "ext-101"),
        ] {
            assert_eq!(id(Some(name), "101").as_deref(), Some(expected), "{name}");
        }
        assert_eq!(id(None, "101").as_deref(), Some("ext-101"));
        assert_eq!(id(None, "*").as_deref(), Some("ext-"));
        assert!(id(Some(&"ы".repeat(900)), "101").is_some());
    }
}
