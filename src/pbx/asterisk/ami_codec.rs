//! The wire form of the Manager Interface: lines `Name: value`, an empty line ends a message,
//! the first line of a connection is a banner (`pbx/asterisk.md` §1).
//!
//! Nothing that a peer sends ends the connection or grows memory: what is too long is skipped to
//! its end and told of once.

use std::convert::Infallible;

use bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::ami_message::{Message, split_header};

/// Longest line that is kept, in bytes. Event lines of real servers stay under 4 KiB (variables
/// with long values); four times that is garbage.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// Most headers of one message. A channel event with two channel blocks and MikoPBX's channel
/// variables has about 80.
const HEADERS_MAX: usize = 512;

/// Longest message, in bytes; keeps a peer that never ends one from filling memory.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;

/// Longest line of an action, in bytes: the server throws longer ones away (`pbx/asterisk.md` §1).
pub const ACTION_LINE_BYTES_MAX: usize = 1024;

/// One thing that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The first line of a connection.
    Banner(String),
    /// A message.
    Message(Message),
    /// Something too long, skipped to its end.
    Garbage {
        /// How much was skipped.
        bytes: usize,
    },
}

/// Reads and writes the wire form.
#[derive(Debug, Default)]
pub struct AmiCodec {
    banner_seen: bool,
    headers: Vec<(String, String)>,
    message_bytes: usize,
    /// How far the buffer was searched for the end of the present line.
    searched: usize,
    skipping: Option<Skipping>,
}

#[derive(Debug)]
struct Skipping {
    bytes: usize,
    /// The present line has something in it: the empty line that ends the message is yet to come.
    in_line: bool,
}

impl AmiCodec {
    /// Ends the present message as garbage: what follows is skipped up to the next empty line.
    fn give_up(&mut self, bytes: usize, in_line: bool) {
        self.headers.clear();
        self.skipping = Some(Skipping {
            bytes: self.message_bytes.saturating_add(bytes),
            in_line,
        });
        self.message_bytes = 0;
        self.searched = 0;
    }

    /// Skips; returns the frame when the end of the garbage was found.
    fn skip(&mut self, buffer: &mut BytesMut) -> Option<Frame> {
        let skipping = self.skipping.as_mut()?;
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line = buffer.get(..end).unwrap_or_default();
            let empty = line.iter().all(|byte| *byte == b'\r') && !skipping.in_line;
            skipping.bytes = skipping.bytes.saturating_add(end + 1);
            skipping.in_line = false;
            buffer.advance(end + 1);
            if empty {
                let bytes = skipping.bytes;
                self.skipping = None;
                return Some(Frame::Garbage { bytes });
            }
        }
        skipping.bytes = skipping.bytes.saturating_add(buffer.len());
        skipping.in_line |= buffer.iter().any(|byte| *byte != b'\r');
        buffer.clear();
        None
    }

    /// Takes one line; returns a frame when the line completes one.
    fn take_line(&mut self, line: &[u8]) -> Option<Frame> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\r');
        if !self.banner_seen {
            self.banner_seen = true;
            if text.starts_with("Asterisk Call Manager/") {
                return Some(Frame::Banner(text.to_owned()));
            }
        }
        if text.is_empty() {
            self.message_bytes = 0;
            if self.headers.is_empty() {
                return None;
            }
            return Some(Frame::Message(Message::new(std::mem::take(
                &mut self.headers,
            ))));
        }
        self.message_bytes = self.message_bytes.saturating_add(line.len() + 1);
        self.headers.push(split_header(text));
        if self.headers.len() > HEADERS_MAX || self.message_bytes > MESSAGE_BYTES_MAX {
            self.give_up(0, false);
        }
        None
    }
}

impl Decoder for AmiCodec {
    type Item = Frame;
    type Error = std::io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, std::io::Error> {
        loop {
            if self.skipping.is_some() {
                match self.skip(buffer) {
                    Some(frame) => return Ok(Some(frame)),
                    None if self.skipping.is_some() => return Ok(None),
                    None => {}
                }
            }
            let unsearched = buffer.get(self.searched..).unwrap_or_default();
            let Some(offset) = unsearched.iter().position(|byte| *byte == b'\n') else {
                self.searched = buffer.len();
                if buffer.len() > LINE_BYTES_MAX {
                    let bytes = buffer.len();
                    buffer.clear();
                    self.banner_seen = true;
                    self.give_up(bytes, true);
                }
                return Ok(None);
            };
            let line = buffer.split_to(self.searched + offset);
            buffer.advance(1);
            self.searched = 0;
            if line.len() > LINE_BYTES_MAX {
                self.banner_seen = true;
                self.give_up(line.len() + 1, false);
                continue;
            }
            if let Some(frame) = self.take_line(&line) {
                return Ok(Some(frame));
            }
        }
    }
}

/// Something asked of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its name, such as `Ping`.
    pub name: String,
    /// Its headers, `ActionID` included.
    pub headers: Vec<(String, String)>,
}

impl Action {
    /// Makes an action without headers.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            headers: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Why an action was not written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A line is longer than the server reads.
    #[error("header {header} of action {action} is longer than {ACTION_LINE_BYTES_MAX} bytes")]
    LineTooLong {
        /// The action.
        action: String,
        /// The header.
        header: String,
    },
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<Infallible> for EncodeError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Encoder<Action> for AmiCodec {
    type Error = EncodeError;

    /// Writes an action. Control characters are taken out of names and values, so that no value
    /// of an outsider can begin a header or an action of its own.
    fn encode(&mut self, action: Action, buffer: &mut BytesMut) -> Result<(), EncodeError> {
        let mut lines = vec![format!("Action: {}", clean(&action.name))];
        for (name, value) in &action.headers {
            let line = format!("{}: {}", clean(name), clean(value));
            if line.len() + 2 > ACTION_LINE_BYTES_MAX {
                return Err(EncodeError::LineTooLong {
                    action: action.name.clone(),
                    header: name.clone(),
                });
            }
            lines.push(line);
        }
        for line in lines {
            buffer.extend_from_slice(line.as_bytes());
            buffer.extend_from_slice(b"\r\n");
        }
        buffer.extend_from_slice(b"\r\n");
        Ok(())
    }
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(parts: &[&[u8]]) -> Vec<Frame> {
        let mut codec = AmiCodec::default();
        let mut buffer = BytesMut::new();
        let mut found = Vec::new();
        for part in parts {
            buffer.extend_from_slice(part);
            while let Some(frame) = codec.decode(&mut buffer).expect("never fails") {
                found.push(frame);
            }
            assert!(
                buffer.len() <= LINE_BYTES_MAX + part.len(),
                "memory is bounded"
            );
        }
        found
    }

    const STREAM: &[u8] = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\
        Message: Authentication accepted\r\n\r\nEvent: Newchannel\r\nChannel: PJSIP/101-00000001\r\n\
        CallerIDName: \xd0\xff bad\r\nAccountCode: \r\nExten: a: b\r\n\r\n\r\nEvent: X\n\n";

    #[test]
    fn a_recorded_log_in_and_an_event_are_read() {
        let found = frames(&[STREAM]);
        assert_eq!(
            found[0],
            Frame::Banner("Asterisk Call Manager/11.0.0".to_owned())
        );
        let Frame::Message(response) = &found[1] else {
            panic!("a response")
        };
        assert_eq!(response.response(), Some("Success"));
        let Frame::Message(event) = &found[2] else {
            panic!("an event")
        };
        assert_eq!(event.event(), Some("Newchannel"));
        assert_eq!(event.get("Exten"), Some("a: b"));
        assert_eq!(event.get("AccountCode"), Some(""));
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn an_endless_line_costs_one_frame_and_the_next_message_is_read() {
        let mut stream = b"Asterisk Call Manager/1\r\nEvent: A\r\nX: ".to_vec();
        stream.extend(std::iter::repeat_n(b'x', 200_000));
        stream.extend(b"\r\n\r\nEvent: B\r\n\r\n");
        let parts: Vec<&[u8]> = stream.chunks(1000).collect();
        let found = frames(&parts);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(matches!(found[1], Frame::Garbage { bytes } if bytes > 200_000));
        let Frame::Message(event) = &found[2] else {
            panic!("an event")
        };
        assert_eq!(event.event(), Some("B"));
    }

    #[test]
    fn a_message_without_end_is_garbage() {
        let mut stream = b"Asterisk Call Manager/1\r\n".to_vec();
        for _ in 0..2000 {
            stream.extend(b"Header: value\r\n");
        }
        stream.extend(b"\r\nEvent: B\r\n\r\n");
        let found = frames(&[&stream]);
        assert!(matches!(found[1], Frame::Garbage { .. }), "{found:?}");
        assert!(matches!(&found[2], Frame::Message(m) if m.event() == Some("B")));
    }

    #[test]
    fn a_value_cannot_begin_an_action_of_its_own() {
        let mut buffer = BytesMut::new();
        let action = Action::new("DBPut").with("Val", "x\r\nAction: Command\r\nCommand: y\0");
        AmiCodec::default()
            .encode(action, &mut buffer)
            .expect("encodes");
        assert_eq!(
            &buffer[..],
            b"Action: DBPut\r\nVal: xAction: CommandCommand: y\r\n\r\n"
        );
    }

    #[test]
    fn a_line_that_the_server_would_throw_away_is_refused() {
        let mut buffer = BytesMut::new();
        let action = Action::new("Setvar").with("Value", "x".repeat(2000));
        assert!(AmiCodec::default().encode(action, &mut buffer).is_err());
        assert!(buffer.is_empty(), "nothing of it is written");
    }

    proptest! {
        #[test]
        fn cut_at_any_byte_the_frames_are_the_same(cut in 0..STREAM.len()) {
            let (head, tail) = STREAM.split_at(cut);
            prop_assert_eq!(frames(&[head, tail]), frames(&[STREAM]));
        }

        #[test]
        fn no_bytes_make_it_panic(parts in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..200), 0..20))
        {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            frames(&parts);
        }
    }
}
