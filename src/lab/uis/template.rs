//! The templates of notifications: `{{name}}` gives way to a whole JSON literal (`pbx/uis.md` §1).

use std::collections::BTreeMap;

use serde_json::Value;

/// Puts values in the places of variables; one that has no value becomes `null`.
pub(super) fn render(template: &str, values: &BTreeMap<&'static str, Value>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            text.push_str("{{");
            rest = after;
            continue;
        };
        let value = values.get(name.trim()).unwrap_or(&Value::Null);
        text.push_str(&value.to_string());
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// The body that the lab sends unless a test has another: every variable under its own name.
pub(super) fn usual(event: &str) -> String {
    const VARIABLES: [&str; 18] = [
        "call_session_id",
        "communication_id",
        "communication_type",
        "direction",
        "virtual_phone_number",
        "contact_phone_number",
        "contact_full_name",
        "employee_id",
        "employee_full_name",
        "employee_ids",
        "external_id",
        "talk_time_duration",
        "wait_time_duration",
        "total_time_duration",
        "file_link",
        "tag_names",
        "scenario_name",
        "notification_time",
    ];
    let mut body = format!("{{\"v\":1,\"event\":\"{event}\"");
    for name in VARIABLES {
        body.push_str(&format!(",\"{name}\":{{{{{name}}}}}"));
    }
    body.push('}');
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_literals_and_unknown_ones_null() {
        let values = BTreeMap::from([("a", Value::from("x\"y")), ("b", Value::from(5))]);
        let text = render("{\"a\":{{a}},\"b\":{{ b }},\"c\":{{c}}} {{", &values);
        assert_eq!(text, "{\"a\":\"x\\\"y\",\"b\":5,\"c\":null} {{");
    }
}
