//! The only place that writes to the terminal.

use std::io::Write;

use serde_json::Value;

/// Standard output and error, as text or JSON.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Says whether JSON is wanted.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: &str) {
        // A reader that went away wants no more lines.
        let _ = writeln!(std::io::stdout().lock(), "{}", printable(text));
    }

    /// Writes text of ours as it is.
    pub(crate) fn raw(&mut self, text: &str) {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// Writes bytes that are made for another program.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let _ = std::io::stdout().lock().write_all(bytes);
    }

    /// Writes a value as one JSON document.
    pub(crate) fn value(&mut self, value: &Value) {
        let _ = writeln!(std::io::stdout().lock(), "{value:#}");
    }

    /// Writes a line to standard error.
    pub(crate) fn error(&mut self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", printable(text));
    }

    /// Tells of a failure in the wanted form.
    pub(crate) fn failure(&mut self, text: &str) {
        if self.json {
            self.value(&serde_json::json!({ "error": text }));
        } else {
            self.error(text);
        }
    }
}

/// Takes out what could steer a terminal: texts of clients and CRMs are shown here.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '·'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_steer_the_terminal() {
        assert_eq!(printable("Иван\u{1b}[2J\r\n\tконец"), "Иван·[2J·\n\tконец");
    }
}
