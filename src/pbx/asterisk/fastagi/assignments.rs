//! Writes an answer as AGI commands that set the channel's variables.

use crate::model::question::{Answer, Route};

/// The variables, in the order in which they are set.
pub(super) const VARIABLES: [&str; 4] = [
    "TRUNKLINE_EXTEN",
    "TRUNKLINE_ROUTE",
    "TRUNKLINE_CLIENT",
    "TRUNKLINE_MANAGER",
];

/// Longest value, in bytes before quoting. Asterisk 16 cuts a command at 2047 bytes and takes what
/// is left for the next command (seen in the lab); a value of this length has at most 800 bytes
/// when every one of them is quoted.
const VALUE_BYTES_MAX: usize = 400;

/// Writes the four commands for an answer; `None` = nothing is known, the variables are emptied.
pub(super) fn write(answer: Option<&Answer>) -> Vec<u8> {
    let manager = answer.and_then(|answer| answer.manager.as_ref());
    let client = answer.and_then(|answer| answer.client.as_ref());
    let extension = answer.and_then(|answer| answer.extension.as_ref());
    let values = [
        extension.map_or("", |extension| extension.0.as_str()),
        word(answer.map_or(Route::None, |answer| answer.route)),
        client.map_or("", |client| client.name.as_str()),
        manager.map_or("", |manager| manager.name.as_str()),
    ];
    let mut commands = Vec::with_capacity(256);
    for (name, value) in VARIABLES.into_iter().zip(values) {
        set_variable(&mut commands, name, value);
    }
    commands
}

/// Writes `SET VARIABLE NAME "value"`.
fn set_variable(commands: &mut Vec<u8>, name: &str, value: &str) {
    commands.extend_from_slice(b"SET VARIABLE ");
    commands.extend_from_slice(name.as_bytes());
    commands.extend_from_slice(b" \"");
    for byte in one_line(value).bytes() {
        if matches!(byte, b'"' | b'\\') {
            commands.push(b'\\');
        }
        commands.push(byte);
    }
    commands.extend_from_slice(b"\"\n");
}

/// Returns a text as one line of bounded length, without control characters.
fn one_line(text: &str) -> String {
    // The separators of lines and paragraphs are none to Asterisk, but are to what reads its logs.
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut line = String::with_capacity(text.len().min(VALUE_BYTES_MAX));
    for word in text.split(breaks).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            // Two words that a line end kept apart stay two words.
            line.push(' ');
        }
        // Beyond the bound nothing more is read of a text, however long it is.
        for c in word.chars() {
            if line.len() + c.len_utf8() > VALUE_BYTES_MAX {
                return line;
            }
            line.push(c);
        }
    }
    line
}

/// Returns the word by which a dialplan knows the way.
fn word(route: Route) -> &'static str {
    match route {
        Route::DidEmployee => "did_employee",
        Route::DidOwner => "did_owner",
        Route::PersonalManager => "personal_manager",
        Route::StandIn => "stand_in",
        Route::Default => "default",
        Route::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUTES: [Route; 6] = [
        Route::DidEmployee,
        Route::DidOwner,
        Route::PersonalManager,
        Route::StandIn,
        Route::Default,
        Route::None,
    ];

    fn written(value: &str) -> String {
        let mut commands = Vec::new();
        set_variable(&mut commands, "V", value);
        String::from_utf8(commands).unwrap()
    }

    /// Reads a command as Asterisk does (`parse_args` of res_agi): what stands in quotes is one
    /// argument, a backslash takes the next character as it is.
    fn read_by_asterisk(line: &str) -> Vec<String> {
        let mut arguments = vec![String::new()];
        let (mut quoted, mut escaped) = (false, false);
        for c in line.chars() {
            match c {
                _ if escaped => {
                    arguments.last_mut().unwrap().push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                ' ' | '\t' if !quoted => arguments.push(String::new()),
                _ => arguments.last_mut().unwrap().push(c),
            }
        }
        assert!(!quoted && !escaped, "{line}");
        arguments
    }

    #[test]
    fn nothing_known_empties_the_variables() {
        let expected = "SET VARIABLE TRUNKLINE_EXTEN \"\"\n\
            SET VARIABLE TRUNKLINE_ROUTE \"none\"\n\
            SET VARIABLE TRUNKLINE_CLIENT \"\"\n\
            SET VARIABLE TRUNKLINE_MANAGER \"\"\n";
        assert_eq!(String::from_utf8(write(None)).unwrap(), expected);
    }

    #[test]
    fn a_name_that_is_a_command_stays_a_name() {
        let hostile = "x\nEXEC System \"rm -rf /\"\r\n\u{0}\u{85}\u{2028}y\\";
        let command = written(hostile);
        assert_eq!(command.matches('\n').count(), 1);
        let expected = "SET VARIABLE V \"x EXEC System \\\"rm -rf /\\\" y\\\\\"\n";
        assert_eq!(command, expected);
    }

    #[test]
    fn the_words_of_the_routes_are_those_of_the_http_answer() {
        for route in ROUTES {
            let json = serde_json::to_value(route).unwrap();
            assert_eq!(json.as_str(), Some(word(route)));
        }
    }

    proptest! {
        #[test]
        fn any_name_is_one_command_that_asterisk_reads_back_as_one_value(name in "\\PC{0,900}") {
            let name = name.replace(['\u{2028}', '\u{2029}'], "");
            let command = written(&name);
            // Asterisk 16's buffer, line end and final zero included.
            prop_assert!(command.len() < 2047, "{}", command.len());
            let line = command.strip_suffix('\n').unwrap();
            let read = read_by_asterisk(line);
            prop_assert_eq!(read.len(), 4);
            prop_assert!(name.starts_with(&read[3]));
            prop_assert!(read[3].len() + 4 > name.len().min(VALUE_BYTES_MAX));
        }

        #[test]
        fn any_text_at_all_is_one_line_without_control_characters(
            name in proptest::collection::vec(any::<char>(), 0..600),
        ) {
            let name: String = name.into_iter().collect();
            let command = written(&name);
            let line = command.strip_suffix('\n').unwrap();
            prop_assert!(!line.contains(char::is_control));
            prop_assert_eq!(read_by_asterisk(line).len(), 4);
        }
    }
}
