//! One AMI message as text lines: reading captures and actions, writing answers and events.
//!
//! A message is an ordered list of `Name: value` pairs, because headers repeat
//! (`pbx/asterisk.md` §1). It knows nothing of what the headers mean.

use bytes::Bytes;

/// An ordered list of headers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    fields: Vec<(String, String)>,
}

impl Message {
    /// Starts an event.
    pub fn event(name: &str) -> Self {
        Self::default().with("Event", name)
    }

    /// Starts an answer, `Success`, `Error` or `Goodbye`.
    pub fn response(kind: &str) -> Self {
        Self::default().with("Response", kind)
    }

    /// Adds a header. Line ends in the value would begin a header of the caller's choice, so
    /// they are left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a header in place.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        let mut value: String = value.into();
        value.retain(|c| c != '\r' && c != '\n');
        self.fields.push((name.to_owned(), value));
    }

    /// Adds the caller's `ActionID`, where it gave one.
    #[must_use]
    pub fn with_action_id(self, action: &Message) -> Self {
        match action.get_any_case("ActionID") {
            Some(id) => self.with("ActionID", id),
            None => self,
        }
    }

    /// Returns the first header of this exact name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Returns the first header of this name in any case: names in actions are matched so.
    pub fn get_any_case(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// Returns every header of this name in any case.
    pub fn all_any_case<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// Returns the event's name; empty for an answer.
    pub fn event_name(&self) -> &str {
        self.get("Event").unwrap_or("")
    }

    /// Returns the headers in order.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// Returns the same message with every value translated.
    #[must_use]
    pub fn map_values(&self, mut translate: impl FnMut(&str, &str) -> String) -> Self {
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), translate(name, value)))
            .collect();
        Self { fields }
    }

    /// Reads one message from its lines; a line without a colon is left out, as Asterisk does.
    pub fn parse(text: &str) -> Self {
        let fields = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| {
                let value = value.strip_prefix(' ').unwrap_or(value);
                (name.trim().to_owned(), value.to_owned())
            })
            .collect();
        Self { fields }
    }

    /// Writes the message as it goes over the socket, with the empty line that ends it.
    pub fn encode(&self) -> Bytes {
        let mut text = String::new();
        for (name, value) in &self.fields {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        Bytes::from(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_writing_and_reading() {
        let message = Message::event("VarSet")
            .with("Variable", "A")
            .with("Value", "")
            .with("Extra", "a: b");
        let bytes = message.encode();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert_eq!(
            text,
            "Event: VarSet\r\nVariable: A\r\nValue: \r\nExtra: a: b\r\n\r\n"
        );
        assert_eq!(Message::parse(text), message);
    }

    #[test]
    fn a_value_cannot_smuggle_a_header() {
        let message = Message::response("Success").with("ActionID", "1\r\nEvent: Hangup");
        assert_eq!(
            Message::parse(std::str::from_utf8(&message.encode()).unwrap())
                .fields()
                .len(),
            2
        );
    }
}
