//! Reads what Asterisk says about itself and the call before it takes commands: lines of
//! `agi_name: value`, ended by an empty line.

/// Longest line that is read. Asterisk writes none that is longer: an argument comes out of a
/// dialplan line, and the request out of the same.
const LINE_BYTES_MAX: usize = 4 * 1024;

/// Most lines that are read. Asterisk writes 22 and one for each argument, of which there are at
/// most 128.
const LINES_MAX: usize = 256;

/// Most bytes in all; an ordinary environment has 700.
const BYTES_MAX: usize = 32 * 1024;

/// What of the environment is read by anybody. A value that the PBX does not know is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// The whole address that the dialplan named.
    pub(super) request: Option<String>,
    /// Path and query of it, without the first slash.
    pub(super) script: Option<String>,
    /// The caller's number.
    pub(super) caller: Option<String>,
    /// The first argument of the dialplan's line.
    pub(super) argument: Option<String>,
    /// The number that was dialled, as the channel knows it.
    pub(super) dnid: Option<String>,
    /// Where in the dialplan the call is.
    pub(super) extension: Option<String>,
}

/// Why an environment was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The first line is none of AGI's.
    Foreign,
    /// A line, their number or everything together is beyond the bounds.
    TooLong,
}

/// Reads an environment piece by piece, however it was cut on the way.
#[derive(Debug, Default)]
pub(super) struct EnvironmentReader {
    environment: Environment,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    lines: usize,
    bytes: usize,
}

impl EnvironmentReader {
    /// Takes the next piece. Returns how many bytes of it belonged to the environment when its
    /// end was in it.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Option<usize>, Refusal> {
        let mut used = 0;
        while let Some(rest) = piece.get(used..).filter(|rest| !rest.is_empty()) {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let part = end.map_or(rest, |end| &rest[..end]);
            let taken = end.map_or(rest.len(), |end| end + 1);
            used += taken;
            self.bytes += taken;
            if self.line.len() + part.len() > LINE_BYTES_MAX || self.bytes > BYTES_MAX {
                return Err(Refusal::TooLong);
            }
            self.line.extend_from_slice(part);
            if end.is_none() {
                break;
            }
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
            if self.line.is_empty() {
                return match self.lines {
                    0 => Err(Refusal::Foreign),
                    _ => Ok(Some(used)),
                };
            }
            self.lines += 1;
            if self.lines > LINES_MAX {
                return Err(Refusal::TooLong);
            }
            self.take_line()?;
        }
        Ok(None)
    }

    /// Returns what was read.
    pub(super) fn finish(self) -> Environment {
        self.environment
    }

    fn take_line(&mut self) -> Result<(), Refusal> {
        let line = String::from_utf8_lossy(&self.line);
        if self.lines == 1 && !line.starts_with("agi_") {
            return Err(Refusal::Foreign);
        }
        if let Some((name, value)) = line.split_once(':') {
            let environment = &mut self.environment;
            let place = match name {
                "agi_request" => Some(&mut environment.request),
                "agi_network_script" => Some(&mut environment.script),
                "agi_callerid" => Some(&mut environment.caller),
                "agi_arg_1" => Some(&mut environment.argument),
                "agi_dnid" => Some(&mut environment.dnid),
                "agi_extension" => Some(&mut environment.extension),
                _ => None,
            };
            let value = value.trim();
            // The first line of a name counts: what a caller could smuggle in as a further line
            // comes after what Asterisk wrote.
            if let Some(place) = place.filter(|place| place.is_none())
                && !value.is_empty()
                && value != "unknown"
            {
                *place = Some(value.to_owned());
            }
        }
        self.line.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What an Asterisk 22 wrote.
    const REAL: &str = "agi_network: yes\n\
        agi_network_script: lookup?tenant=acme&source=office&did=7495\n\
        agi_request: agi://127.0.0.1:4573/lookup?tenant=acme&source=office&did=7495\n\
        agi_channel: PJSIP/trunk-00000000\nagi_language: en\nagi_type: PJSIP\n\
        agi_uniqueid: 1795246036.1\nagi_version: 22.10.1\nagi_callerid: 79161234567\n\
        agi_calleridname: x\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n\
        agi_callingtns: 0\nagi_dnid: unknown\nagi_rdnis: unknown\nagi_context: from-trunk\n\
        agi_extension: 74951230010\nagi_priority: 2\nagi_enhanced: 0.0\nagi_accountcode: \n\
        agi_threadid: 140349812111040\nagi_arg_1: 74951230010\n\n";

    fn read(pieces: &[&[u8]]) -> Result<Option<Environment>, Refusal> {
        let mut reader = EnvironmentReader::default();
        for piece in pieces {
            if reader.feed(piece)?.is_some() {
                return Ok(Some(reader.finish()));
            }
        }
        Ok(None)
    }

    #[test]
    fn what_asterisk_writes_is_understood_wherever_it_is_cut() {
        let whole = read(&[REAL.as_bytes()]).unwrap().unwrap();
        assert_eq!(whole.caller.as_deref(), Some("79161234567"));
        assert_eq!(whole.dnid, None);
        assert_eq!(whole.argument.as_deref(), Some("74951230010"));
        let script = "lookup?tenant=acme&source=office&did=7495";
        assert_eq!(whole.script.as_deref(), Some(script));
        for cut in 0..REAL.len() {
            let (first, second) = REAL.as_bytes().split_at(cut);
            assert_eq!(read(&[first, second]).unwrap().as_ref(), Some(&whole));
        }
        let with_carriage_returns = REAL.replace('\n', "\r\n");
        assert_eq!(
            read(&[with_carriage_returns.as_bytes()]).unwrap(),
            Some(whole)
        );
    }

    #[test]
    fn a_line_that_is_smuggled_in_behind_changes_nothing_that_stands_before_it() {
        let text = REAL.replace("agi_threadid: 1", "agi_callerid: 101\nEXEC System x: 1");
        let environment = read(&[text.as_bytes()]).unwrap().unwrap();
        assert_eq!(environment.caller.as_deref(), Some("79161234567"));
    }

    #[test]
    fn what_is_no_agi_is_refused_at_its_first_line() {
        for foreign in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\n", "\r\n", "x\n"] {
            assert_eq!(read(&[foreign.as_bytes()]), Err(Refusal::Foreign));
        }
    }

    #[test]
    fn neither_a_line_without_end_nor_lines_without_end_fill_the_memory() {
        let endless = [b'a'; 1024];
        assert_eq!(read(&[&endless[..]; 10_000]), Err(Refusal::TooLong));
        let lines = "agi_x: y\n".repeat(10_000);
        assert_eq!(read(&[lines.as_bytes()]), Err(Refusal::TooLong));
        let one_by_one = [b"agi_x: y\n".as_slice(); 10_000];
        assert_eq!(read(&one_by_one), Err(Refusal::TooLong));
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_cuts_bring_it_down(
            pieces in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..64), 0..32,
            ),
        ) {
            let mut whole = Vec::from(b"agi_network: yes\n".as_slice());
            whole.extend(pieces.concat());
            let mut cut: Vec<&[u8]> = vec![b"agi_network: yes\n"];
            cut.extend(pieces.iter().map(Vec::as_slice));
            prop_assert_eq!(read(&[whole.as_slice()]), read(&cut));
            let alone: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let _ = read(&alone);
        }
    }
}
