//! One message of the Manager Interface: headers in order, repeats kept (`pbx/asterisk.md` §1).

use std::fmt;

/// An event or a response.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Message {
    headers: Vec<(String, String)>,
}

impl Message {
    /// Joins headers.
    pub fn new(headers: Vec<(String, String)>) -> Self {
        Self { headers }
    }

    /// Joins headers that stand in the program, for tests and lists.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            headers: pairs.into_iter().map(own).collect(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the first value of a header, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns every value of a header, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a header unless it says that there is none: empty, or
    /// `<unknown>`, as Asterisk writes a missing caller id or Uniqueid.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name)
            .filter(|value| !value.is_empty() && *value != "<unknown>")
    }

    /// Returns the event's name; `None` for a response.
    pub fn event(&self) -> Option<&str> {
        self.get("Event")
    }

    /// Returns what a response came to (`Success`, `Error`, `Goodbye`); `None` for an event that
    /// is no answer.
    pub fn response(&self) -> Option<&str> {
        self.get("Response")
    }

    /// Returns the action that this answers, as it was sent.
    pub fn action_id(&self) -> Option<&str> {
        self.get("ActionID")
    }

    /// Returns all headers in order.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
}

/// Shows names only: values hold clients' numbers.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .event()
            .or_else(|| self.response())
            .unwrap_or("message");
        write!(f, "{name} with {} headers", self.headers.len())
    }
}

/// Splits one line into name and value. A line without a colon is a name without a value, as old
/// servers write the output of commands.
pub(super) fn split_header(line: &str) -> (String, String) {
    match line.split_once(':') {
        Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
        None => (line.trim().to_owned(), String::new()),
    }
}

/// Reads a whole recorded stream, for tests.
#[cfg(test)]
pub(crate) fn parse_all(bytes: &[u8]) -> Vec<Message> {
    use tokio_util::codec::Decoder;

    use super::ami_codec::{AmiCodec, Frame};

    let mut codec = AmiCodec::default();
    let mut buffer = bytes::BytesMut::from(bytes);
    let mut messages = Vec::new();
    while let Some(frame) = codec.decode(&mut buffer).expect("the codec never fails") {
        match frame {
            Frame::Message(message) => messages.push(message),
            Frame::Banner(_) | Frame::Garbage { .. } => {}
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_repeats_are_kept() {
        let message = Message::from_pairs([
            ("Event", "X"),
            ("ChanVariable", "a=1"),
            ("chanvariable", "b=2"),
        ]);
        assert_eq!(message.get("EVENT"), Some("X"));
        assert_eq!(
            message.all("ChanVariable").collect::<Vec<_>>(),
            ["a=1", "b=2"]
        );
    }

    #[test]
    fn unknown_and_empty_are_no_values() {
        let message = Message::from_pairs([("CallerIDNum", "<unknown>"), ("Exten", "")]);
        assert_eq!(message.value("CallerIDNum"), None);
        assert_eq!(message.value("Exten"), None);
        assert_eq!(message.get("Exten"), Some(""));
    }
}
