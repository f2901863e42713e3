//! Where things stand in the text of a file.

use std::ops::Range;

use super::super::document::Node;

/// Returns the line, its end included, that holds nothing but this key and its value.
pub(super) fn own_line(text: &str, node: &Node) -> Option<Range<usize>> {
    let key = node.key_span.as_ref()?;
    let before = text.get(..key.start)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let after = text.get(node.span.end..)?;
    let end = after
        .find('\n')
        .map_or(text.len(), |newline| node.span.end + newline + 1);
    let rest = text.get(node.span.end..end)?.trim();
    let alone = text.get(start..key.start)?.trim().is_empty()
        && (rest.is_empty() || rest.starts_with('#'))
        && text.get(start..end)?.ends_with('\n');
    alone.then_some(start..end)
}

/// Returns the lines of an item of a list of tables, from its header to before the next one. What
/// stands directly before the next header (remarks, empty lines) is the next one's. `within` is
/// a place of the item's own.
pub(super) fn table_lines(text: &str, list: &str, within: usize) -> Option<Range<usize>> {
    let header = format!("[[{list}]]");
    let lines: Vec<Range<usize>> = text
        .split_inclusive('\n')
        .scan(0, |from, line| {
            let start = *from;
            *from += line.len();
            Some(start..*from)
        })
        .collect();
    let written = |line: &Range<usize>| text.get(line.clone()).unwrap_or_default().trim();
    let is_ours = |line: &Range<usize>| line.start <= within && written(line).starts_with(&header);
    let first = lines.iter().rposition(is_ours)?;
    let (_, from_header) = lines.split_at(first);
    let start = from_header.first()?.start;
    let is_next =
        |line: &Range<usize>| written(line).starts_with('[') && !is_below(written(line), list);
    let next = from_header.iter().skip(1).position(is_next);
    let Some(next) = next else {
        return Some(start..text.len());
    };
    let ours = from_header.get(..=next)?;
    let says = |line: &&Range<usize>| {
        let written = written(line);
        !written.is_empty() && !written.starts_with('#')
    };
    Some(start..ours.iter().rfind(says)?.end)
}

/// Says whether a header is one of a table within the items of this list.
fn is_below(header: &str, list: &str) -> bool {
    let name = header.trim_start_matches('[').trim_start();
    let rest = name.strip_prefix(list).map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with('.'))
}

/// Writes a text as a value.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
