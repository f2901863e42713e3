//! Reads what Asterisk answers to the assignments (`pbx/asterisk.md` §4).

/// Longest part of a line that is looked at: the words that count stand at its beginning.
const LINE_BYTES_MAX: usize = 64;

/// Most bytes that are read in all. The longest honest answer is the usage text of a command, a
/// few hundred bytes, four times.
const BYTES_MAX: usize = 16 * 1024;

/// What Asterisk has said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Replies {
    /// Assignments that it made.
    pub(super) set: usize,
    /// Commands that it did not know or would not carry out (510, 511, 520, another result).
    pub(super) refused: usize,
    /// It said that the caller had gone before the last command was answered.
    pub(super) hung_up: bool,
}

impl Replies {
    /// Whether every command has its answer.
    pub(super) fn complete(&self, commands: usize) -> bool {
        self.set + self.refused >= commands
    }
}

/// More was said than can be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

/// Reads answers piece by piece, however they were cut on the way.
#[derive(Debug)]
pub(super) struct ReplyReader {
    replies: Replies,
    commands: usize,
    /// The beginning of the line that is being read, up to its bound.
    line: Vec<u8>,
    bytes: usize,
}

impl ReplyReader {
    /// Expects the answers to so many commands.
    pub(super) fn new(commands: usize) -> Self {
        Self {
            replies: Replies::default(),
            commands,
            line: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes the next piece; returns what is known now.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Replies, TooMuch> {
        self.bytes += piece.len();
        if self.bytes > BYTES_MAX {
            return Err(TooMuch);
        }
        for byte in piece {
            if *byte == b'\n' {
                self.take_line();
                self.line.clear();
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(*byte);
            }
        }
        Ok(self.replies)
    }

    /// Returns what is known.
    pub(super) fn replies(&self) -> Replies {
        self.replies
    }

    fn take_line(&mut self) {
        let line = self.line.trim_ascii_end();
        let replies = &mut self.replies;
        if line == b"HANGUP" {
            // It stands behind the last answer too, when Asterisk finds that we are done.
            replies.hung_up |= !replies.complete(self.commands);
        } else if line == b"200 result=1" || line.starts_with(b"200 result=1 ") {
            replies.set += 1;
        } else if let [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ', ..] = line {
            // `520-…` begins a usage text, whose last line is `520 End of proper usage.`.
            replies.refused += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Replies {
        let mut reader = ReplyReader::new(4);
        for piece in pieces {
            reader.feed(piece).unwrap();
        }
        reader.replies()
    }

    #[track_caller]
    fn check(text: &str, set: usize, refused: usize, hung_up: bool) {
        let expected = Replies {
            set,
            refused,
            hung_up,
        };
        for cut in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            assert_eq!(read(&[first, second]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn every_kind_of_answer_is_counted_wherever_it_is_cut() {
        let one = "200 result=1\n";
        check(&one.repeat(4), 4, 0, false);
        // As 16.28 and 22.10 end a connection whose commands they have worked off.
        check(&format!("{}HANGUP\n", one.repeat(4)), 4, 0, false);
        let dead = "511 Command Not Permitted on a dead channel or intercept routine\n";
        check(&format!("{one}HANGUP\n{}", dead.repeat(3)), 1, 3, true);
        check("HANGUP\n", 0, 0, true);
        check("510 Invalid or unknown command\n", 0, 1, false);
        let usage = "520-Invalid command syntax.  Proper usage follows:\n\
            Usage: SET VARIABLE <variablename> <value>\n520 End of proper usage.\n";
        check(&format!("{usage}{one}"), 1, 1, false);
        check("200 result=0\n200 result=1 (x)\r\n", 1, 1, false);
        check("200 result=1", 0, 0, false);
    }

    #[test]
    fn a_peer_that_never_stops_talking_is_too_much() {
        let mut reader = ReplyReader::new(4);
        let said = (0..1000).try_for_each(|_| reader.feed(&[b'x'; 100]).map(|_| ()));
        assert_eq!(said, Err(TooMuch));
        assert!(reader.line.len() <= LINE_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_cuts_bring_it_down(
            pieces in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..64), 0..32,
            ),
        ) {
            let whole = pieces.concat();
            let cut: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(read(&[whole.as_slice()]), read(&cut));
        }
    }
}
