//! One TOML file as a tree that knows where every value stands. Knows no key by name.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::key_path::{KeyPath, Part};

/// A place in a file: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A value with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where its key stands; absent for list items and the top.
    pub(super) key_span: Option<Range<usize>>,
    /// Where the value stands; of a table, its header.
    pub(super) span: Range<usize>,
    /// The value.
    pub(super) value: Value,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(BTreeMap<String, Node>),
    /// A list item that was wrong and has been reported; its place in the list stays taken.
    Removed,
    /// Stands in for a value that is missing or wrong and has been reported, so that reading can
    /// go on and find the other mistakes.
    StandIn,
}

impl Node {
    /// Returns the member of a table.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.get(key),
            _ => None,
        }
    }

    /// Returns the items of a list; nothing where it is none.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// Returns the text.
    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value at the end of the way.
    pub(super) fn at(&self, path: &KeyPath) -> Option<&Node> {
        path.parts()
            .iter()
            .try_fold(self, |node, part| match (part, &node.value) {
                (Part::Key(key), Value::Table(entries)) => entries.get(key),
                (Part::Index(index), Value::Array(items)) => items.get(*index),
                _ => None,
            })
    }

    /// Returns the value at the end of the way, to be changed.
    pub(super) fn at_mut(&mut self, path: &KeyPath) -> Option<&mut Node> {
        path.parts()
            .iter()
            .try_fold(self, |node, part| match (part, &mut node.value) {
                (Part::Key(key), Value::Table(entries)) => entries.get_mut(key),
                (Part::Index(index), Value::Array(items)) => items.get_mut(*index),
                _ => None,
            })
    }
}

/// A file that was parsed.
#[derive(Debug, Clone)]
pub(super) struct Document {
    text: String,
    /// The top table.
    pub(super) root: Node,
}

/// A mistake of the TOML syntax, or a number that no setting can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxMistake {
    /// Where.
    pub(super) position: Position,
    /// What.
    pub(super) message: String,
}

impl Document {
    /// Parses a file. On a syntax mistake only the first is told: what follows it is guessing.
    pub(super) fn parse(text: String) -> Result<Self, SyntaxMistake> {
        let parsed = DeTable::parse(&text).map_err(|error| SyntaxMistake {
            position: position(&text, error.span().map_or(0, |span| span.start)),
            message: error.message().trim().replace('\n', ", "),
        })?;
        let span = parsed.span();
        let value = table(parsed.get_ref()).map_err(|offset| SyntaxMistake {
            position: position(&text, offset),
            message: "the number is too large for any setting".to_owned(),
        })?;
        let root = Node {
            key_span: None,
            span,
            value,
        };
        Ok(Self { text, root })
    }

    /// Returns where the value stands, or the nearest thing around it that exists.
    pub(super) fn position(&self, path: &KeyPath) -> Position {
        let mut node = &self.root;
        let mut offset = 0;
        for part in path.parts() {
            let next = match (part, &node.value) {
                (Part::Key(key), Value::Table(entries)) => entries.get(key),
                (Part::Index(index), Value::Array(items)) => items.get(*index),
                _ => None,
            };
            let Some(next) = next else { break };
            node = next;
            offset = node.key_span.as_ref().unwrap_or(&node.span).start;
        }
        position(&self.text, offset)
    }
}

fn position(text: &str, offset: usize) -> Position {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (before, _) = text.split_at(end);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before.split_at(line_start).1.chars().count() + 1,
    }
}

/// Translates the parser's tree; fails with the place of a number that does not fit.
fn table(entries: &DeTable<'_>) -> Result<Value, usize> {
    entries
        .iter()
        .map(|(key, value)| {
            let mut member = node(value)?;
            member.key_span = Some(key.span());
            Ok((key.get_ref().clone().into_owned(), member))
        })
        .collect::<Result<_, usize>>()
        .map(Value::Table)
}

fn array(items: &DeArray<'_>) -> Result<Value, usize> {
    items
        .iter()
        .map(node)
        .collect::<Result<_, _>>()
        .map(Value::Array)
}

fn node(spanned: &Spanned<DeValue<'_>>) -> Result<Node, usize> {
    let span = spanned.span();
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::Integer)
            .map_err(|_| span.start)?,
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map(Value::Float)
            .map_err(|_| span.start)?,
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Array(items) => array(items)?,
        DeValue::Table(entries) => table(entries)?,
    };
    Ok(Node {
        key_span: None,
        span,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> KeyPath {
        text.split('.')
            .fold(KeyPath::top(), |path, part| match part.parse() {
                Ok(index) => path.index(index),
                Err(_) => path.key(part),
            })
    }

    #[track_caller]
    fn check(text: &str, at: &str, line: usize, column: usize) {
        let document = Document::parse(text.to_owned()).expect("the example parses");
        assert_eq!(
            document.position(&path(at)),
            Position { line, column },
            "{at}"
        );
    }

    #[test]
    fn a_value_is_found_by_its_way_and_a_missing_one_by_what_is_around_it() {
        let text = "a = 1\n[b]\n\"щ\" = 1\n  c = { d = [1, 22] }\n[[e]]\n[[e]]\nf = 1\n";
        check(text, "a", 1, 1);
        check(text, "b", 2, 2);
        check(text, "b.c", 4, 3);
        check(text, "b.c.d.1", 4, 17);
        check(text, "b.c.x.y", 4, 3);
        check(text, "e.1.f", 7, 1);
        check(text, "e.1.g", 6, 1);
        check(text, "z", 1, 1);
    }

    #[test]
    fn a_syntax_mistake_has_its_place_and_a_number_too_large_does_not_pass() {
        let mistake = Document::parse("a = 1\nb = = 2\n".to_owned()).expect_err("two signs");
        assert_eq!(mistake.position.line, 2);
        let mistake = Document::parse("a = 99999999999999999999\n".to_owned()).expect_err("large");
        assert_eq!(mistake.position, Position { line: 1, column: 5 });
    }
}
