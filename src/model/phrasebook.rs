//! What the daemon says in English, put into Russian where a person reads Russian.
//!
//! A text is said once, in English, where it arises: programs, logs and the store get that. Beside
//! the code that says it stands a `russian.txt` with the same text as a template and its Russian:
//!
//! ```text
//! # A remark.
//! there is no {kind} {name}; {hint}
//!     нет такого: {kind:said} {name}; {hint:said}
//! at most {n} minutes
//!     не больше {n|минуты|минут|минут}
//! ```
//!
//! `{name}` takes over what stands there as it came (ids, a CRM's own words), `{name:said}` puts it
//! into Russian in turn, and `{n|one|few|many}` writes a number with the word in the form it wants.
//! A text that no template fits stays as it came, and so does everything that is not ours. So texts
//! that the store keeps from before are worded as well.

use std::collections::HashMap;

/// A longer text is not ours.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// So deep one text is said within another.
const DEPTH_MAX: usize = 6;

/// The Russian of what the daemon says.
#[derive(Debug, Default)]
pub struct Phrasebook {
    /// Texts without anything to fill in.
    plain: HashMap<String, Russian>,
    /// The others, those that say most themselves first.
    templates: Vec<(English, Russian)>,
    mistakes: Vec<String>,
}

/// A template: what stands before the first hole, between holes, and behind the last.
#[derive(Debug, PartialEq, Eq)]
struct English {
    literals: Vec<String>,
}

#[derive(Debug)]
struct Russian(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Literal(String),
    Hole { place: usize, manner: Manner },
}

#[derive(Debug)]
enum Manner {
    AsItCame,
    Said,
    Counted([String; 3]),
}

impl Phrasebook {
    /// Reads lists of texts. What cannot be used is left out, and [`mistakes`](Self::mistakes) names
    /// it.
    pub fn read<'a>(lists: impl IntoIterator<Item = &'a str>) -> Self {
        let mut book = Self::default();
        for list in lists {
            let mut english: Option<&str> = None;
            for line in list.lines().filter(|line| !line.starts_with('#')) {
                match (line.strip_prefix("    "), english) {
                    _ if line.trim().is_empty() => {}
                    (Some(russian), Some(said)) => {
                        book.add(said, russian.trim());
                        english = None;
                    }
                    (Some(russian), None) => {
                        book.mistakes.push(format!("no English before {russian:?}"));
                    }
                    (None, Some(said)) => {
                        book.mistakes.push(format!("no Russian for {said:?}"));
                        english = Some(line);
                    }
                    (None, None) => english = Some(line),
                }
            }
            if let Some(said) = english {
                book.mistakes.push(format!("no Russian for {said:?}"));
            }
        }
        let weight = |english: &English| english.literals.iter().map(String::len).sum::<usize>();
        book.templates
            .sort_by_key(|(english, _)| std::cmp::Reverse(weight(english)));
        book
    }

    fn add(&mut self, english: &str, russian: &str) {
        let (literals, names) = split(english);
        let russian = match pieces(russian, &names) {
            Ok(russian) => russian,
            Err(name) => {
                self.mistakes.push(format!("{english:?} has no {{{name}}}"));
                return;
            }
        };
        let is_double = if names.is_empty() {
            self.plain.insert(english.to_owned(), russian).is_some()
        } else {
            let english = English { literals };
            let is_double = self.templates.iter().any(|(other, _)| *other == english);
            self.templates.push((english, russian));
            is_double
        };
        if is_double {
            self.mistakes.push(format!("{english:?} stands twice"));
        }
    }

    /// Returns what is wrong with the lists.
    pub fn mistakes(&self) -> &[String] {
        &self.mistakes
    }

    /// Says whether a text of the code, with its holes in braces, has a Russian one.
    pub fn knows(&self, said: &str) -> bool {
        let (literals, names) = split(said);
        match names.is_empty() {
            true => self.plain.contains_key(said),
            false => self
                .templates
                .iter()
                .any(|(one, _)| one.literals == literals),
        }
    }

    /// Returns a text in Russian, or as it came.
    pub fn russian(&self, text: &str) -> String {
        if text.len() > TEXT_BYTES_MAX {
            return text.to_owned();
        }
        self.put(text, DEPTH_MAX).unwrap_or_else(|| text.to_owned())
    }

    fn put(&self, text: &str, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        if let Some(russian) = self.plain.get(text) {
            return Some(self.write(russian, &[], depth));
        }
        // A list of texts is put into Russian one by one, before a template takes it for one text.
        let list = ["; ", ", "].into_iter().find_map(|between| {
            let parts = text.contains(between).then(|| text.split(between))?;
            let parts: Option<Vec<String>> = parts.map(|part| self.put(part, depth)).collect();
            Some(parts?.join(between))
        });
        if list.is_some() {
            return list;
        }
        let mut templates = self.templates.iter();
        let found = templates.find_map(|(english, russian)| Some((russian, english.fits(text)?)));
        if let Some((russian, holes)) = found {
            return Some(self.write(russian, &holes, depth));
        }
        // A text after the name of what it is about, or beside one that is not ours. A word alone is
        // nobody's in particular.
        ["; ", ": "].into_iter().find_map(|between| {
            let (left, right) = text.split_once(between)?;
            let part = |part: &str| part.contains(' ').then(|| self.put(part, depth)).flatten();
            let (said, more) = (part(left), part(right));
            (said.is_some() || more.is_some()).then(|| {
                let said = said.as_deref().unwrap_or(left);
                format!("{said}{between}{}", more.as_deref().unwrap_or(right))
            })
        })
    }

    fn write(&self, russian: &Russian, holes: &[&str], depth: usize) -> String {
        let mut text = String::new();
        for piece in &russian.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Hole { place, manner } => {
                    let value = holes.get(*place).copied().unwrap_or_default();
                    match manner {
                        Manner::AsItCame => text.push_str(value),
                        Manner::Said => match self.put(value, depth) {
                            Some(said) => text.push_str(&said),
                            None => text.push_str(value),
                        },
                        Manner::Counted(forms) => {
                            text.push_str(value);
                            text.push(' ');
                            text.push_str(counted(value, forms));
                        }
                    }
                }
            }
        }
        text
    }
}

impl English {
    /// Returns what stands in the holes, where the text is one of this template.
    fn fits<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (first, rest) = self.literals.split_first()?;
        let (last, between) = rest.split_last()?;
        let mut left = text
            .strip_prefix(first.as_str())?
            .strip_suffix(last.as_str())?;
        let mut holes = Vec::with_capacity(rest.len());
        for literal in between {
            let (hole, after) = left.split_once(literal.as_str())?;
            holes.push(hole);
            left = after;
        }
        holes.push(left);
        Some(holes)
    }
}

/// Splits a template into its literals and the names of what stands between them.
fn split(template: &str) -> (Vec<String>, Vec<&str>) {
    let (mut literals, mut names) = (vec![String::new()], Vec::new());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        let inside = from
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'));
        let hole = inside.filter(|(inside, _)| is_hole(inside));
        let (literal, next) = match hole {
            Some((name, after)) => {
                names.push(name);
                (before, after)
            }
            None => (
                rest.get(..=at).unwrap_or(rest),
                from.get(1..).unwrap_or_default(),
            ),
        };
        if let Some(last) = literals.last_mut() {
            last.push_str(literal);
        }
        if hole.is_some() {
            literals.push(String::new());
        }
        rest = next;
    }
    if let Some(last) = literals.last_mut() {
        last.push_str(rest);
    }
    (literals, names)
}

/// A hole is a name, perhaps with how it is written; `{ file = "…" }` is text.
fn is_hole(inside: &str) -> bool {
    let name = inside.split([':', '|']).next().unwrap_or_default();
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
}

fn pieces(russian: &str, names: &[&str]) -> Result<Russian, String> {
    let (literals, holes) = split(russian);
    let mut pieces = Vec::new();
    let mut holes = holes.into_iter();
    for literal in literals {
        pieces.push(Piece::Literal(literal));
        let Some(hole) = holes.next() else {
            continue;
        };
        let mut parts = hole.split('|');
        let named = parts.next().unwrap_or_default();
        let forms: Vec<String> = parts.map(str::to_owned).collect();
        let (name, is_said) = match named.split_once(':') {
            Some((name, "said")) => (name, true),
            _ => (named, false),
        };
        let place = names.iter().position(|one| *one == name);
        let place = place.ok_or_else(|| hole.to_owned())?;
        let manner = match (<[String; 3]>::try_from(forms), is_said) {
            (Ok(forms), _) => Manner::Counted(forms),
            (Err(forms), true) if forms.is_empty() => Manner::Said,
            (Err(forms), false) if forms.is_empty() => Manner::AsItCame,
            (Err(_), _) => return Err(hole.to_owned()),
        };
        pieces.push(Piece::Hole { place, manner });
    }
    Ok(Russian(pieces))
}

/// Returns the form that a word has beside a number: 1 минута, 2 минуты, 5 минут.
fn counted<'a>(number: &str, [one, few, many]: &'a [String; 3]) -> &'a str {
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    let is_teen = digits.len() > 1 && digits.iter().rev().nth(1) == Some(&b'1');
    match digits.last() {
        Some(b'1') if !is_teen => one,
        Some(b'2'..=b'4') if !is_teen => few,
        _ => many,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Phrasebook {
        let book = Phrasebook::read([
            "# A remark.\nis missing\n    не указано\nname {a} and {b}\n    назовите {b} и {a}\n",
            "at most {n} minutes\n    не больше {n|минуты|минут|минут}\n\
             read {file}: {why}\n    файл {file} не прочитан: {why:said}\n\
             write key = { file = \"…\" }\n    напишите key = { file = \"…\" }\n\
             {n} kept\n    хранится {n|запись|записи|записей}\n",
        ]);
        assert_eq!(book.mistakes(), Vec::<String>::new());
        book
    }

    #[track_caller]
    fn check(english: &str, russian: &str) {
        assert_eq!(book().russian(english), russian);
    }

    #[test]
    fn texts_are_said_in_russian_with_what_they_name() {
        check("is missing", "не указано");
        check("name one and two", "назовите two и one");
        check(
            "write key = { file = \"…\" }",
            "напишите key = { file = \"…\" }",
        );
    }

    #[test]
    fn what_is_not_ours_stays_as_it_came() {
        check("Lead not found", "Lead not found");
        check("read a: Is missing", "файл a не прочитан: Is missing");
        let long = "is missing; ".repeat(1000);
        check(&long, &long);
    }

    #[test]
    fn a_text_within_a_text_is_put_into_russian_where_it_is_ours() {
        check("read a: is missing", "файл a не прочитан: не указано");
        check("a.toml:3:1: key: is missing", "a.toml:3:1: key: не указано");
        check("is missing; odd; is missing", "не указано; odd; не указано");
        check(
            "read a: is missing; 2 kept",
            "файл a не прочитан: не указано; хранится 2 записи",
        );
    }

    #[test]
    fn numbers_want_their_form() {
        for (number, word) in [
            (1, "запись"),
            (3, "записи"),
            (11, "записей"),
            (21, "запись"),
            (112, "записей"),
        ] {
            check(
                &format!("{number} kept"),
                &format!("хранится {number} {word}"),
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let book = Phrasebook::read(["a {b}\n    {c}\nd\ne\n    f\ne\n    g\n    h\ni\n"]);
        assert_eq!(
            book.mistakes(),
            [
                "\"a {b}\" has no {c}",
                "no Russian for \"d\"",
                "\"e\" stands twice",
                "no English before \"h\"",
                "no Russian for \"i\"",
            ]
        );
        assert_eq!(book.russian("e"), "g");
    }

    #[test]
    fn a_text_of_the_code_is_known_by_what_it_says_itself() {
        let book = book();
        assert!(book.knows("read {}: {error:?}") && book.knows("is missing"));
        assert!(!book.knows("read {}") && !book.knows("is gone"));
    }
}
