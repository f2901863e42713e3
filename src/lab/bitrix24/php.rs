//! Parameters as the service's language writes and reads them: `a[b][0]=c` in forms and queries,
//! and arrays that are lists or objects by their keys.

use serde_json::{Map, Value};

/// The deepest nesting of brackets that is read.
const DEPTH_MAX: usize = 12;
/// The most parameters of one request; the same bound as the service's language has.
const PAIRS_MAX: usize = 20_000;

/// An array with its order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Branch(Vec<(String, Node)>);

/// A value on its way.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Leaf(String),
    Branch(Branch),
}

impl Branch {
    /// Reads a query or a form.
    pub(super) fn parse(text: &str) -> Self {
        let mut top = Self::default();
        let pairs = url::form_urlencoded::parse(text.as_bytes()).take(PAIRS_MAX);
        for (key, value) in pairs {
            let path = path_of(&key);
            if path.len() <= DEPTH_MAX {
                top.put(&path, value.into_owned());
            }
        }
        top
    }

    /// Returns the texts directly below a key, in order.
    pub(super) fn texts_below(&self, key: &str) -> Option<Vec<(String, String)>> {
        match self.0.iter().find(|(name, _)| name == key) {
            Some((_, Node::Branch(below))) => {
                let text = |(name, node): &(String, Node)| match node {
                    Node::Leaf(text) => Some((name.clone(), text.clone())),
                    Node::Branch(_) => None,
                };
                Some(below.0.iter().filter_map(text).collect())
            }
            _ => None,
        }
    }

    /// Returns the parameters as JSON; every leaf is a text.
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.0
            .into_iter()
            .map(|(name, node)| (name, node.into_value()))
            .collect()
    }

    fn put(&mut self, path: &[String], value: String) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let name = match first.is_empty() {
            true => self.next_index(),
            false => first.clone(),
        };
        let at = self.0.iter().position(|(known, _)| *known == name);
        let at = at.unwrap_or_else(|| {
            self.0.push((name, Node::Leaf(String::new())));
            self.0.len() - 1
        });
        let Some((_, node)) = self.0.get_mut(at) else {
            return;
        };
        if rest.is_empty() {
            *node = Node::Leaf(value);
            return;
        }
        if let Node::Leaf(_) = node {
            *node = Node::Branch(Branch::default());
        }
        if let Node::Branch(below) = node {
            below.put(rest, value);
        }
    }

    fn next_index(&self) -> String {
        let indices = self
            .0
            .iter()
            .filter_map(|(name, _)| name.parse::<u64>().ok());
        indices.max().map_or(0, |n| n.saturating_add(1)).to_string()
    }
}

impl Node {
    fn into_value(self) -> Value {
        match self {
            Node::Leaf(text) => Value::String(text),
            Node::Branch(Branch(below)) => {
                let rows = below.into_iter().map(|(name, n)| (name, n.into_value()));
                array(rows.collect())
            }
        }
    }
}

/// Splits `a[b][]` into `a`, `b` and the empty text.
fn path_of(key: &str) -> Vec<String> {
    let Some((name, brackets)) = key.split_once('[').filter(|(name, _)| !name.is_empty()) else {
        return vec![key.to_owned()];
    };
    let mut path = vec![name.to_owned()];
    let inside = brackets.strip_suffix(']').unwrap_or(brackets);
    path.extend(inside.split("][").map(str::to_owned));
    path
}

/// Writes an array: a list when its keys are 0, 1, 2, …, and so an empty one is a list, too.
pub(super) fn array(rows: Vec<(String, Value)>) -> Value {
    let is_list = rows
        .iter()
        .enumerate()
        .all(|(n, (key, _))| *key == n.to_string());
    if is_list {
        Value::Array(rows.into_iter().map(|(_, value)| value).collect())
    } else {
        Value::Object(rows.into_iter().collect())
    }
}

/// Writes brackets: the pairs of a form that stands for this value below this name.
pub(super) fn pairs(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Null => into.push((name.to_owned(), String::new())),
        Value::Bool(flag) => into.push((name.to_owned(), u8::from(*flag).to_string())),
        Value::Number(number) => into.push((name.to_owned(), number.to_string())),
        Value::String(text) => into.push((name.to_owned(), text.clone())),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                pairs(&format!("{name}[{n}]"), item, into);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                pairs(&format!("{name}[{key}]"), item, into);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn brackets_become_lists_and_objects() {
        let text = "fields[PHONE][0][VALUE]=%2B7&fields[NAME]=a&values[]=1&values[]=2&x[2]=b";
        let expected = json!({
            "fields": {"PHONE": [{"VALUE": "+7"}], "NAME": "a"},
            "values": ["1", "2"], "x": {"2": "b"},
        });
        assert_eq!(Value::Object(Branch::parse(text).into_map()), expected);
    }

    #[test]
    fn the_order_of_commands_is_kept() {
        let text = "cmd[z]=user.current&cmd[a]=scope&halt=0";
        let commands = Branch::parse(text).texts_below("cmd").unwrap();
        let names: Vec<&str> = commands.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["z", "a"]);
    }

    #[test]
    fn an_array_is_a_list_only_with_keys_from_nought() {
        let row = |key: &str| (key.to_owned(), json!(1));
        assert_eq!(array(vec![]), json!([]));
        assert_eq!(array(vec![row("0"), row("1")]), json!([1, 1]));
        assert_eq!(array(vec![row("1")]), json!({"1": 1}));
    }

    #[test]
    fn a_value_is_written_in_brackets() {
        let mut form = Vec::new();
        pairs(
            "data",
            &json!({"FIELDS": {"ID": 31}, "L": ["a"]}),
            &mut form,
        );
        let expected = [("data[FIELDS][ID]", "31"), ("data[L][0]", "a")];
        assert_eq!(form, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
