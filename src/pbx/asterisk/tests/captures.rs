//! Recorded event streams, message by message, with LF for CRLF.

/// The messages of a capture.
pub(super) fn messages(name: &str) -> Vec<String> {
    let path = format!(
        "{}/tests/data/asterisk/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let messages = text
        .split("\n\n")
        .map(str::trim_start)
        .filter(|message| !message.is_empty());
    messages.map(|message| format!("{message}\n\n")).collect()
}

/// The value of a header of a message.
pub(super) fn value<'a>(message: &'a str, header: &str) -> Option<&'a str> {
    message
        .lines()
        .find_map(|line| line.strip_prefix(header)?.strip_prefix(": "))
}

/// Splits before the first message for which `is_second` holds.
pub(super) fn split(messages: &[String], is_second: impl Fn(&str) -> bool) -> (String, String) {
    let at = messages
        .iter()
        .position(|message| is_second(message))
        .expect("such a message");
    (messages[..at].concat(), messages[at..].concat())
}

/// The items of one event name, without their ActionID.
pub(super) fn items(messages: &[String], event: &str) -> String {
    let first = format!("Event: {event}\n");
    let items = messages
        .iter()
        .filter(|message| message.starts_with(&first));
    let without_id = |message: &String| {
        let lines = message
            .lines()
            .filter(|line| !line.starts_with("ActionID: "));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    items.map(without_id).collect()
}

/// What CoreShowChannels says while the channels of these events live: each as its last event
/// before has it.
pub(super) fn live_channels(events: &str) -> String {
    let mut living: Vec<(String, String)> = Vec::new();
    for message in events.split("\n\n") {
        let event = value(message, "Event").unwrap_or_default();
        let Some(id) = value(message, "Uniqueid") else {
            continue;
        };
        living.retain(|(known, _)| {
            known != id || !matches!(event, "Newchannel" | "Newstate" | "BridgeEnter" | "Hangup")
        });
        if matches!(event, "Newchannel" | "Newstate" | "BridgeEnter") {
            let bridge = value(message, "BridgeUniqueid").unwrap_or_default();
            let block: Vec<&str> = message
                .lines()
                .filter(|line| {
                    !line.starts_with("Event:")
                        && !line.starts_with("Privilege:")
                        && !line.starts_with("Bridge")
                })
                .collect();
            let item = format!(
                "Event: CoreShowChannel\n{}\nApplication: Dial\nApplicationData: \nDuration: 00:00:02\nBridgeId: {bridge}\n\n",
                block.join("\n")
            );
            living.push((id.to_owned(), item));
        }
    }
    living.into_iter().map(|(_, item)| item).collect()
}
