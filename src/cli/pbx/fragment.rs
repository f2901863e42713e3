//! What is proposed, as a piece of configuration to paste. Names of a phone system are anybody's:
//! each is a quoted string or stands in a comment of one line.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value};

use crate::model::discovery::{Discovery, ProposedEmployee, Role};
use crate::model::ids::SourceId;

/// Where the piece goes.
pub(super) enum Place<'a> {
    /// A source that is new.
    New {
        kind: &'a str,
        settings: &'a Map<String, Value>,
        secret_file: &'a Path,
    },
    /// A source that is there.
    Configured,
}

/// A piece of a tenant's file.
pub(super) struct Fragment<'a> {
    pub(super) id: &'a SourceId,
    pub(super) found: &'a Discovery,
    pub(super) place: Place<'a>,
}

impl Fragment<'_> {
    /// Writes it.
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        let remark = |text: &mut String, words: &str| {
            let _ = writeln!(text, "# {}", comment(words));
        };
        remark(
            &mut text,
            &format!("{}, as trunkline pbx discover saw it.", self.found.system),
        );
        for limit in &self.found.limits {
            remark(&mut text, &format!("Not seen: {limit}"));
        }
        match &self.place {
            Place::New { kind, settings, .. } => {
                let _ = writeln!(text, "\n[[sources]]\nid = {}", quoted(self.id.as_str()));
                let _ = writeln!(text, "kind = {}\n\n[sources.settings]", quoted(kind));
                for (name, value) in *settings {
                    let _ = writeln!(text, "{} = {}", key(name), inline(value));
                }
            }
            Place::Configured => {
                text.push('\n');
                remark(
                    &mut text,
                    &format!(
                        "Below [[sources]] id = \"{}\", instead of what is there:",
                        self.id
                    ),
                );
            }
        }
        self.tables(&mut text);
        if let Some(context) = &self.found.dial_context {
            text.push('\n');
            remark(&mut text, "For click-to-call, take the marks away:");
            remark(&mut text, "[sources.settings.originate]");
            remark(&mut text, &format!("context = {}", quoted(context)));
        }
        if let Place::New { secret_file, .. } = &self.place {
            let file = quoted(&secret_file.to_string_lossy());
            let _ = writeln!(text, "\n[sources.secrets]\nsecret = {{ file = {file} }}");
        }
        self.employees(&mut text);
        text
    }

    fn tables(&self, text: &mut String) {
        if !self.found.remarks.is_empty() {
            text.push('\n');
        }
        for remark in &self.found.remarks {
            let _ = writeln!(text, "# {}", comment(remark));
        }
        for (name, table) in &self.found.settings {
            let _ = writeln!(text, "[sources.settings.{}]", key(name));
            for (name, value) in table.as_object().into_iter().flatten() {
                match value {
                    Value::Array(items) => self.list(text, name, items),
                    other => {
                        let _ = writeln!(text, "{} = {}", key(name), inline(other));
                    }
                }
            }
        }
    }

    /// Writes a list, one to a line, with the first reason of those that are endpoints.
    fn list(&self, text: &mut String, name: &str, items: &[Value]) {
        let _ = writeln!(text, "{} = [", key(name));
        for item in items {
            let named = |one: &&crate::model::discovery::FoundEndpoint| {
                item.as_str() == Some(&one.name) && one.role != Role::Unclear
            };
            let of_endpoints = matches!(name, "trunks" | "extensions");
            let endpoint = self
                .found
                .endpoints
                .iter()
                .find(named)
                .filter(|_| of_endpoints);
            let why = endpoint.and_then(|one| one.reasons.first());
            let why = why
                .map(|why| format!(" # {}", comment(why)))
                .unwrap_or_default();
            let _ = writeln!(text, "  {},{why}", inline(item));
        }
        text.push_str("]\n");
    }

    fn employees(&self, text: &mut String) {
        let is_new = |one: &&ProposedEmployee| one.known_as.is_none();
        for one in self.found.employees.iter().filter(is_new) {
            let extension = quoted(&one.extension.0);
            text.push('\n');
            let name = match &one.name {
                Some(name) => quoted(name),
                None => {
                    text.push_str("# The phone system knows no name.\n");
                    quoted(&format!("Extension {}", one.extension))
                }
            };
            let _ = writeln!(
                text,
                "[[employees]]\nid = {}\nname = {name}\nextensions = [{{ source = {}, extension = \
                 {extension} }}]",
                quoted(one.id.as_str()),
                quoted(self.id.as_str()),
            );
        }
    }
}

/// Writes a string of TOML on one line, with everything escaped that is not plainly visible.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_hidden(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Brings a text into what may stand in a comment of one line.
pub(super) fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if is_hidden(c) { '·' } else { c })
        .collect()
}

/// Control characters, and marks that change how the text around them is shown.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let pairs = table.iter();
            let pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)))
                .collect();
            if pairs.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", pairs.join(", "))
            }
        }
        Value::Null => quoted(""),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::discovery::{Certainty, FoundEndpoint};
    use crate::model::ids::Extension;

    fn endpoint(name: &str, reason: &str) -> FoundEndpoint {
        FoundEndpoint {
            technology: "PJSIP".to_owned(),
            name: name.to_owned(),
            role: Role::Trunk,
            certainty: Certainty::Clear,
            reasons: vec![reason.to_owned()],
            against: Vec::new(),
            taken_for: Role::Trunk,
            extension: None,
            shown_name: None,
            context: None,
            reachable: None,
        }
    }

    /// A discovery in which every text is the hostile one.
    fn found(text: &str) -> Discovery {
        let channels = serde_json::json!({ "channels": { "trunks": [text], "profile": text } });
        Discovery {
            system: text.to_owned(),
            limits: vec![text.to_owned()],
            endpoints: vec![endpoint(text, text)],
            employees: vec![ProposedEmployee {
                id: "anna".parse().expect("an id"),
                extension: Extension(text.to_owned()),
                name: Some(text.to_owned()),
                known_as: None,
            }],
            settings: channels.as_object().cloned().unwrap_or_default(),
            remarks: vec![text.to_owned()],
            dial_context: Some(text.to_owned()),
            ..Discovery::default()
        }
    }

    fn written(text: &str) -> toml::Table {
        let id = "office".parse().expect("an id");
        let settings = serde_json::json!({ "host": text, "tls": { "ca": text } });
        let settings = settings.as_object().cloned().unwrap_or_default();
        let place = Place::New {
            kind: "asterisk",
            settings: &settings,
            secret_file: Path::new("/secret"),
        };
        let fragment = Fragment {
            id: &id,
            found: &found(text),
            place,
        };
        let text = fragment.write();
        let read = text.parse();
        read.unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn holds_only_what_it_should(text: &str) {
        let table = written(text);
        let keys: Vec<&str> = table.keys().map(String::as_str).collect();
        assert_eq!(keys, ["employees", "sources"]);
        let source = &table["sources"][0];
        assert_eq!(source["settings"]["host"].as_str(), Some(text));
        assert_eq!(source["settings"]["tls"]["ca"].as_str(), Some(text));
        assert_eq!(
            source["settings"]["channels"]["trunks"][0].as_str(),
            Some(text)
        );
        assert_eq!(source["settings"].as_table().expect("a table").len(), 3);
        let employees = table["employees"].as_array().expect("a list");
        assert_eq!(employees.len(), 1);
        assert_eq!(employees[0]["name"].as_str(), Some(text));
        assert_eq!(
            employees[0]["extensions"][0]["extension"].as_str(),
            Some(text)
        );
    }

    #[test]
    fn a_name_cannot_write_configuration_of_its_own() {
        for text in [
            "\"\n[[employees]]\nid = \"evil\"",
            "x\" # \u{1b}[2J\r\n[tenant]",
            "\\\" \u{202e}\u{7f}\u{0}",
            "'''\"\"\"",
        ] {
            holds_only_what_it_should(text);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_names_are_they_are_read_as_they_were(text in any::<String>()) {
            holds_only_what_it_should(&text);
        }
    }
}
