//! A source in the text of its tenant's file: everything that can be set of it is held against what stands
//! there, and only what differs is written anew. Its id and kind never change; secrets are set one by
//! one, as in [`item`](super::item).

use serde_json::{Map, Value as Json};
use toml_edit::DocumentMut;

use super::super::document::Document;
use super::settings::without_null;
use super::values::{find, merge, object};
use super::{ByHand, EditText, TextChanges};

/// The list of sources.
pub(super) const LIST: &str = super::super::source::LIST;

/// What a form does not set: the source is known by it, or it is a secret.
const KEPT: [&str; 3] = ["id", "kind", SECRETS];

const SECRETS: &str = "secrets";

/// A source as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenSourceItem {
    /// What it is.
    pub kind: Option<String>,
    /// Everything but its id, its kind and its secrets, as JSON.
    pub values: Map<String, Json>,
    /// The names of its secrets.
    pub secrets: Vec<String>,
    /// Its place in the list of the file, from 0: mistakes name it.
    pub place: usize,
}

/// Reads a source.
pub(super) fn written(text: &str, id: &str) -> Option<WrittenSourceItem> {
    let mut document = text.parse::<DocumentMut>().ok()?;
    let (place, item) = find(&mut document, LIST, id)?;
    let mut values = object(item);
    let kind = values.get("kind").and_then(Json::as_str).map(str::to_owned);
    let secrets = match values.get(SECRETS) {
        Some(Json::Object(secrets)) => secrets.keys().cloned().collect(),
        _ => Vec::new(),
    };
    values.retain(|key, _| !KEPT.contains(&key.as_str()));
    Some(WrittenSourceItem {
        kind,
        values,
        secrets,
        place,
    })
}

/// Returns the text in which a source has these values; `None` where it is not there.
pub(super) fn changed(text: &str, id: &str, wanted: &Map<String, Json>) -> EditText {
    const WHAT: ByHand = ByHand("what is to be changed of the source");
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let Some((_, item)) = find(&mut document, LIST, id) else {
        return Ok(None);
    };
    let mut whole = object(item);
    whole.retain(|key, _| KEPT.contains(&key.as_str()));
    let Json::Object(values) = without_null(wanted) else {
        return Ok(None);
    };
    if values.keys().any(|key| KEPT.contains(&key.as_str())) {
        return Err(ByHand("the id, the kind or a secret of the source"));
    }
    whole.extend(values);
    merge(item, &whole, false, 0);
    let after = document.to_string();
    match is_all_that_changed(text, &after, id, &whole) {
        true => Ok(Some(after)),
        false => Err(WHAT),
    }
}

/// Whatever the text looks like: nothing but this source may have changed in what it says.
fn is_all_that_changed(before: &str, after: &str, id: &str, wanted: &Map<String, Json>) -> bool {
    let parts = |text: &str| {
        let mut document = text.parse::<DocumentMut>().ok()?;
        let (place, item) = find(&mut document, LIST, id)?;
        let source = object(item);
        let mut rest = object(document.as_table());
        rest.get_mut(LIST)?.as_array_mut()?.remove(place);
        Some((source, rest))
    };
    match (parts(before), parts(after)) {
        (Some((_, before)), Some((source, after))) => before == after && source == *wanted,
        _ => false,
    }
}

/// Returns where the source's tables stand; `None` where the text has no such source.
pub(super) fn removal(
    document: &Document,
    text: &str,
    id: &str,
) -> Result<Option<TextChanges>, ByHand> {
    let removed = super::removal(document, text, (LIST, "the source"), id)?;
    let without_gap = removed.map(|mut changes| {
        for (lines, _) in &mut changes {
            let before = text.get(..lines.start).unwrap_or_default();
            let after = text.get(lines.end..).unwrap_or_default();
            // Of the empty lines on both sides one is left.
            if before.ends_with("\n\n") && after.starts_with('\n') {
                lines.end += 1;
            }
        }
        changes
    });
    Ok(without_gap)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "[tenant]\nid = \"acme\"\n\n# The PBX under the stairs.\n[[sources]]\nid = \"office\"\n\
        kind = \"asterisk\" # FreePBX 16\nname = \"Офис\"\n\n[sources.settings]\nhost = \"10.0.0.5\" # by cable\n\
        username = \"trunkline\"\n\n[sources.settings.channels]\ntrunks = [\"out\"]\n\n\
        [sources.secrets]\nsecret = { file = \"ami\" } # as in manager.conf\n\n\
        # The shop's site.\n[[sources]]\nid = \"site\"\nkind = \"webhook\"\n\n[[accounts]]\nid = \"main\"\n";

    fn with(id: &str, edit: impl FnOnce(&mut Map<String, Json>)) -> String {
        let mut values = written(TEXT, id).expect("it is there").values;
        edit(&mut values);
        let text = changed(TEXT, id, &values).expect("it can be changed");
        text.expect("it is there")
    }

    #[test]
    fn a_source_is_read_without_its_secrets_and_the_same_again_changes_no_byte() {
        let found = written(TEXT, "office").expect("it is there");
        assert_eq!(found.kind.as_deref(), Some("asterisk"));
        assert_eq!(found.secrets, ["secret"]);
        assert_eq!(found.place, 0);
        let keys: Vec<&String> = found.values.keys().collect();
        assert_eq!(keys, ["name", "settings"]);
        assert_eq!(with("office", |_| ()), TEXT);
        assert!(written(TEXT, "gone").is_none());
        assert_eq!(changed(TEXT, "gone", &Map::new()), Ok(None));
    }

    #[test]
    fn only_what_differs_is_written_and_remarks_and_secrets_stay() {
        let text = with("office", |values| {
            values["settings"]["host"] = json!("10.0.0.6");
        });
        assert_eq!(text, TEXT.replace("10.0.0.5", "10.0.0.6"));

        let text = with("office", |values| {
            values["settings"]["log"] = json!({ "kind": "cdr_csv", "path": null });
            values["settings"]["channels"] = Json::Null;
            values.insert("name".to_owned(), Json::Null);
            values.insert("recordings".to_owned(), json!([{ "folder": "/var/spool" }]));
        });
        for kept in [
            "# The PBX",
            "# FreePBX 16",
            "# by cable",
            "# as in manager.conf",
            "# The shop",
        ] {
            assert!(text.contains(kept), "{kept} is gone: {text}");
        }
        let found = written(&text, "office").expect("it is there");
        let wanted = json!({
            "settings": { "host": "10.0.0.5", "username": "trunkline", "log": { "kind": "cdr_csv" } },
            "recordings": [{ "folder": "/var/spool" }],
        });
        assert_eq!(Json::Object(found.values), wanted, "{text}");
        assert_eq!(found.secrets, ["secret"]);
    }

    #[test]
    fn what_a_source_is_known_by_cannot_be_changed() {
        for key in ["id", "kind", "secrets"] {
            let values = Map::from_iter([(key.to_owned(), json!("x"))]);
            changed(TEXT, "site", &values).expect_err("it never changes");
        }
    }
}
