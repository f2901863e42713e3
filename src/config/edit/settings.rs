//! The settings of an integration in the text of its tenant's file: what is to stand there is held
//! against what does, and only what differs is written anew. Remarks, order and form of the rest stay.

use serde_json::{Map, Value as Json};
use toml_edit::{DocumentMut, Item};

use super::values::{find, made, merge, object};
use super::{ByHand, EditText};

/// The list of integrations, and the key of their settings.
const LIST: &str = "integrations";
const SETTINGS: &str = "settings";

/// An integration's settings as they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenSettings {
    /// As JSON; a date is a text.
    pub settings: Map<String, Json>,
    /// The integration's place in the list of the file, from 0: mistakes name it.
    pub place: usize,
}

/// Reads the settings of an integration.
pub(super) fn written(text: &str, id: &str) -> Option<WrittenSettings> {
    let mut document = text.parse::<DocumentMut>().ok()?;
    let (place, integration) = find(&mut document, LIST, id)?;
    let settings = integration.get(SETTINGS).and_then(Item::as_table_like);
    Some(WrittenSettings {
        settings: settings.map(object).unwrap_or_default(),
        place,
    })
}

/// Returns the text in which an integration has these settings; `None` where it is not there.
pub(super) fn changed(text: &str, id: &str, wanted: &Map<String, Json>) -> EditText {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let Some((_, integration)) = find(&mut document, LIST, id) else {
        return Ok(None);
    };
    match integration.get_mut(SETTINGS) {
        Some(settings) => {
            let is_inline = settings.is_inline_table();
            let settings = settings.as_table_like_mut();
            let settings = settings.ok_or(ByHand("the settings of the integration"))?;
            merge(settings, wanted, is_inline, 0);
        }
        None => {
            let settings = made(&Json::Object(wanted.clone()), false, 0);
            integration.insert(SETTINGS, settings.unwrap_or_default());
        }
    }
    let after = document.to_string();
    match is_all_that_changed(text, &after, id, wanted) {
        true => Ok(Some(after)),
        false => Err(ByHand("the settings of the integration")),
    }
}

/// Whatever the text looks like: nothing but what was wanted may have changed in what it says.
fn is_all_that_changed(before: &str, after: &str, id: &str, wanted: &Map<String, Json>) -> bool {
    let rest = |text: &str| {
        let mut document = text.parse::<DocumentMut>().ok()?;
        let (_, integration) = find(&mut document, LIST, id)?;
        integration.remove(SETTINGS);
        Some(object(document.as_table()))
    };
    let settings = written(after, id).map(|written| Json::Object(written.settings));
    let (before, after) = (rest(before), rest(after));
    before.is_some() && before == after && settings == Some(without_null(wanted))
}

pub(super) fn without_null(wanted: &Map<String, Json>) -> Json {
    let kept = wanted.iter().filter(|(_, value)| !value.is_null());
    let kept = kept.map(|(key, value)| {
        let value = match value {
            Json::Object(value) => without_null(value),
            Json::Array(items) => Json::Array(items.iter().map(item_without_null).collect()),
            other => other.clone(),
        };
        (key.clone(), value)
    });
    Json::Object(kept.collect())
}

fn item_without_null(item: &Json) -> Json {
    match item {
        Json::Object(item) => without_null(item),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "[tenant]\nid = \"acme\"\n\n[[integrations]]\nid = \"sales\"\naccount = \"main\" # ours\n\n\
        # What calls make.\n[integrations.settings.calls]\ndefault_responsible = \"501\" # Anna\n\
        partner_numbers = [\n  \"+74951112233\", # a partner\n]\n\n\
        [integrations.settings.calls.incoming] # from outside\n\
        answered_unknown = { action = { kind = \"contact\" } } # case A\n\n\
        [[integrations.settings.calls.responsible]]\nname = \"first\"\nassign = { kind = \"caller\" }\n\n\
        [[integrations]]\nid = \"quiet\"\naccount = \"other\"\n";

    fn settings(id: &str) -> Map<String, Json> {
        written(TEXT, id).expect("it is there").settings
    }

    fn with(id: &str, pointer: &str, value: Json) -> String {
        let mut wanted = Json::Object(settings(id));
        *wanted.pointer_mut(pointer).expect("it is there") = value;
        let wanted = wanted.as_object().expect("an object").clone();
        let text = changed(TEXT, id, &wanted).expect("it can be changed");
        text.expect("it is there")
    }

    #[test]
    fn the_same_settings_leave_every_byte_as_it_is() {
        let text = changed(TEXT, "sales", &settings("sales")).expect("changed");
        assert_eq!(text.as_deref(), Some(TEXT));
        assert_eq!(written(TEXT, "quiet").map(|found| found.place), Some(1));
        assert!(written(TEXT, "nobody").is_none());
        assert_eq!(changed(TEXT, "nobody", &Map::new()), Ok(None));
    }

    #[test]
    fn only_what_differs_is_written_and_remarks_stay() {
        let text = with("sales", "/calls/default_responsible", json!("502"));
        assert_eq!(text, TEXT.replace("\"501\"", "\"502\""));
        let action = json!({ "kind": "unsorted", "pipeline": "31" });
        let text = with("sales", "/calls/incoming/answered_unknown/action", action);
        let line =
            "answered_unknown = { action = { kind = \"unsorted\" , pipeline = \"31\" } } # case A";
        let loose = |text: &str| text.replace(' ', "");
        let written = text
            .lines()
            .find(|line| line.starts_with("answered"))
            .unwrap_or_default();
        assert_eq!(loose(written), loose(line));
        assert!(text.contains("# a partner") && text.contains("# What calls make."));
    }

    #[test]
    fn what_is_new_gets_a_place_and_what_is_gone_goes() {
        let mut wanted = settings("sales");
        let calls = wanted
            .get_mut("calls")
            .and_then(Json::as_object_mut)
            .expect("calls");
        calls.remove("responsible");
        calls.remove("partner_numbers");
        let filter = json!({ "kind": "any", "of": [
            { "kind": "include", "parameter": "tag", "values": ["важный"] } ] });
        calls.insert(
            "outgoing".to_owned(),
            json!({ "filter": filter, "task": null }),
        );
        let field = json!({ "card": "deal", "field": "700101", "value": "{{ our_number }}" });
        calls.insert("fields".to_owned(), json!([field]));
        let text = changed(TEXT, "sales", &wanted)
            .expect("changed")
            .expect("there");
        assert!(
            text.contains("[integrations.settings.calls.outgoing]"),
            "{text}"
        );
        assert!(
            text.contains("[[integrations.settings.calls.fields]]"),
            "{text}"
        );
        assert!(
            !text.contains("responsible]]") && !text.contains("partner"),
            "{text}"
        );
        assert!(
            text.contains("# case A") && text.contains("id = \"quiet\""),
            "{text}"
        );

        // Settings where there were none.
        let wanted = json!({ "calls": { "default_responsible": "1", "incoming": {} } });
        let wanted = wanted.as_object().expect("an object").clone();
        let text = changed(TEXT, "quiet", &wanted)
            .expect("changed")
            .expect("there");
        assert!(text.starts_with(TEXT), "{text}");
        assert!(
            text.contains("[integrations.settings.calls]\ndefault_responsible = \"1\""),
            "{text}"
        );
    }

    #[test]
    fn a_list_of_rules_grows_shrinks_and_keeps_the_first() {
        let first = json!({ "name": "first", "assign": { "kind": "caller" } });
        let second = json!({ "name": "second", "assign": { "kind": "user", "user": "1" } });
        let text = with("sales", "/calls/responsible", json!([first, second]));
        assert_eq!(
            text.matches("[[integrations.settings.calls.responsible]]")
                .count(),
            2
        );
        assert!(text.find("second") < text.find("id = \"quiet\""), "{text}");
        let text = with("sales", "/calls/responsible", json!([]));
        assert!(
            written(&text, "sales").expect("there").settings["calls"]["responsible"] == json!([])
        );
    }

    #[test]
    fn settings_within_a_line_stay_there() {
        let line =
            "integrations = [{ id = \"sales\", settings = { calls = { talker = \"last\" } } }]\n";
        let wanted = json!({ "calls": { "talker": "first", "tags": { "on": true } } });
        let wanted = wanted.as_object().expect("an object").clone();
        let text = changed(line, "sales", &wanted)
            .expect("changed")
            .expect("there");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
