//! Which task a scenario's webhook is about (`crm/planfix.md` §6): `{"task_id": "20555"}`, the number
//! also as a number, and as a form where somebody picked the wrong type. Pure.

use serde_json::Value;

use crate::crm::planfix::wire::scalar;

/// The parameter that scenarios send (S2-36).
const TASK: &str = "task_id";

/// The longest number of a task.
const DIGITS_MAX: usize = 18;

/// Returns the task that a body names.
pub(in crate::crm::planfix) fn hints(body: &[u8]) -> Vec<String> {
    let told = match serde_json::from_slice::<Value>(body) {
        Ok(json) => json.get(TASK).and_then(scalar),
        Err(_) => {
            let mut pairs = url::form_urlencoded::parse(body);
            let found = pairs.find(|(key, _)| key == TASK);
            found.map(|(_, value)| value.into_owned())
        }
    };
    let told = told.map(|text| text.trim().to_owned());
    told.filter(|text| is_number(text)).into_iter().collect()
}

fn is_number(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && !text.starts_with('0') && (1..=DIGITS_MAX).contains(&text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s2_36_a_scenario_names_its_task_in_every_way_that_a_person_may_set_up() {
        for (body, wanted) in [
            (r#"{"task_id":"20555"}"#, Some("20555")),
            (r#"{"task_id": 20555, "more": []}"#, Some("20555")),
            (r#"{"task_id":" 20555 "}"#, Some("20555")),
            ("task_id=20555", Some("20555")),
            ("a=1&task_id=20555&b=2", Some("20555")),
            // What a scenario sends whose parameter names no field of the task.
            (r#"{"task_id":"{{Задача.Номер}}"}"#, None),
            (r#"{"task_id":""}"#, None),
            (r#"{"task_id":"0"}"#, None),
            (r#"{"task_id":"1;DROP"}"#, None),
            (r#"{"task_id":"1234567890123456789"}"#, None),
            (r#"{"id":"20555"}"#, None),
            (r#"{"task_id":{"id":1}}"#, None),
            (r#"["20555"]"#, None),
            ("cmd=makeCall&from=101&to=79161234567", None),
            ("", None),
        ] {
            let told = hints(body.as_bytes());
            assert_eq!(told.first().map(String::as_str), wanted, "{body}");
            assert!(told.len() <= 1);
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(hints(&body));
        }
    }
}
