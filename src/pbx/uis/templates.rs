//! The templates that an administrator pastes into the platform's pages (`pbx/uis.md` §1.2). The
//! platform puts a whole JSON literal in the place of each variable, so that none stands in quotes.

use super::notification::Event;
use crate::pbx::PasteText;

/// Variables that every event of a call knows: our name of the field is theirs.
const OF_EVERY_CALL: [&str; 6] = [
    "call_session_id",
    "virtual_phone_number",
    "contact_phone_number",
    "contact_full_name",
    "communication_number",
    "scenario_name",
];

/// Variables that events with an employee know besides.
const OF_A_LEG: [&str; 6] = [
    "direction",
    "external_id",
    "employee_id",
    "employee_full_name",
    "call_source",
    "leg_id",
];

/// Returns the templates of every event, in the order in which a call meets them.
pub(super) fn all() -> Vec<PasteText> {
    Event::ALL.into_iter().map(template).collect()
}

fn template(event: Event) -> PasteText {
    let mut body = format!("{{\"v\":1,\"event\":\"{}\"", event.word());
    for variable in variables(event) {
        body.push_str(&format!(",\n \"{variable}\":{{{{{variable}}}}}"));
    }
    body.push('}');
    PasteText {
        titles: event.titles(),
        text: body,
    }
}

/// Returns what is known of the variables of an event (`pbx/uis.md` §1.1); one that an account does
/// not offer is left out when the template is pasted.
fn variables(event: Event) -> Vec<&'static str> {
    let own: &[&str] = match event {
        Event::CallIncoming => &[],
        Event::CallRinging | Event::TalkStarted => &[],
        Event::CallOutgoing => &["employee_id", "employee_full_name"],
        Event::TalkFinished => &["talk_time_duration"],
        Event::CallFinished => &[
            "talk_time_duration",
            "wait_time_duration",
            "total_time_duration",
            "tag_names",
            "file_link",
        ],
        Event::CallLost => &["wait_time_duration", "employee_ids"],
        Event::CallRecorded => &["file_link", "tag_names"],
        Event::TagSet => &["tag_names"],
        Event::Chat | Event::OfflineMessage => {
            return vec![
                "communication_id",
                "communication_type",
                "notification_time",
            ];
        }
    };
    let with_leg = matches!(
        event,
        Event::CallRinging
            | Event::TalkStarted
            | Event::TalkFinished
            | Event::CallFinished
            | Event::CallRecorded
    );
    let leg: &[&str] = if with_leg { &OF_A_LEG } else { &[] };
    let parts = [&OF_EVERY_CALL[..], leg, own, &["notification_time"]];
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::pbx::uis::local_time::usual_zone;
    use crate::pbx::uis::notification::{Notification, fields};

    /// What the platform does with a template, here with a text for every variable.
    fn substituted(template: &str) -> String {
        let mut body = template.to_owned();
        while let Some(start) = body.find("{{") {
            let end = body[start..].find("}}").expect("it ends") + start + 2;
            body.replace_range(start..end, "\"77\"");
        }
        body
    }

    #[test]
    fn every_template_becomes_a_body_that_is_read_as_its_event() {
        let templates = all();
        assert_eq!(templates.len(), Event::ALL.len());
        for (template, event) in templates.iter().zip(Event::ALL) {
            assert!(!template.text.contains("\"{{"), "{}", template.text);
            let body = substituted(&template.text);
            let fields = fields("", body.as_bytes()).expect("JSON");
            let read = Notification::read(&fields, &usual_zone(), SystemClock.now());
            let read = read.expect("a notification");
            assert_eq!((read.event, read.id.as_str()), (event, "77"), "{body}");
        }
    }

    #[test]
    fn an_empty_value_leaves_the_body_readable() {
        let finished = all().remove(5).text;
        let mut body = finished;
        while let Some(start) = body.find("{{") {
            let end = body[start..].find("}}").expect("it ends") + start + 2;
            let value = if body[start..end].contains("session") {
                "910"
            } else {
                "null"
            };
            body.replace_range(start..end, value);
        }
        let fields = fields("", body.as_bytes()).expect("JSON");
        let read = Notification::read(&fields, &usual_zone(), SystemClock.now());
        let read = read.expect("a notification");
        assert_eq!(read.id, "910");
        assert_eq!(read.call, Default::default());
    }
}
