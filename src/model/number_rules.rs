//! How the numbers of one source are brought into shape before anything else sees them (S1-29).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::phone::{ClientNumber, Phone, Region};

/// One rewriting of the beginning of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixRule {
    /// What the number must begin with.
    pub from: String,
    /// What stands there instead; empty strips the prefix.
    #[serde(default)]
    pub to: String,
    /// The rule acts only on numbers of at least this many characters, prefix included; 0 = any.
    #[serde(default)]
    pub length_min: usize,
}

/// The rules of one source, in order; the first that matches acts, once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NumberRules {
    /// In whose national form numbers arrive.
    pub region: Region,
    /// Rewritings tried in order on the client's number of incoming calls.
    pub incoming: Vec<PrefixRule>,
    /// Rewritings tried in order on the number that an employee dialled.
    pub outgoing: Vec<PrefixRule>,
}

/// Longest unreadable number that is kept, in characters.
const OTHER_CHARS_MAX: usize = 128;

impl NumberRules {
    /// Reads the client's number of an incoming call.
    pub fn incoming_number(&self, raw: &str) -> ClientNumber {
        self.read(raw, &self.incoming)
    }

    /// Reads the number that an employee dialled.
    pub fn outgoing_number(&self, raw: &str) -> ClientNumber {
        self.read(raw, &self.outgoing)
    }

    fn read(&self, raw: &str, rules: &[PrefixRule]) -> ClientNumber {
        let raw = raw.trim();
        if is_withheld(raw) {
            return ClientNumber::Withheld;
        }
        let rewritten = rules
            .iter()
            .find(|rule| raw.starts_with(&rule.from) && raw.len() >= rule.length_min)
            .map(|rule| format!("{}{}", rule.to, &raw[rule.from.len()..]));
        let text = rewritten.as_deref().unwrap_or(raw);
        match Phone::parse(text, self.region) {
            Ok(phone) => ClientNumber::Phone { phone },
            Err(_) => ClientNumber::Other {
                text: text
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(OTHER_CHARS_MAX)
                    .collect(),
            },
        }
    }
}

/// Says whether a source wrote that the caller has no number: Asterisk writes `<unknown>`
/// (`pbx/asterisk.md` §1), trunks write `anonymous` and its kin.
fn is_withheld(raw: &str) -> bool {
    const WORDS: [&str; 8] = [
        "<unknown>",
        "unknown",
        "anonymous",
        "restricted",
        "private",
        "unavailable",
        "withheld",
        "asserted",
    ];
    raw.is_empty() || WORDS.iter().any(|word| raw.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(from: &str, to: &str, length_min: usize) -> PrefixRule {
        PrefixRule {
            from: from.to_owned(),
            to: to.to_owned(),
            length_min,
        }
    }

    #[test]
    fn s1_29_an_outside_line_prefix_is_stripped_before_the_number_is_read() {
        let rules = NumberRules {
            outgoing: vec![rule("9", "", 12)],
            ..NumberRules::default()
        };
        let phone = rules.outgoing_number("989161234567");
        assert_eq!(phone.to_string(), "+79161234567");
        assert_eq!(
            rules.outgoing_number("9161234567").to_string(),
            "+79161234567"
        );
    }

    #[test]
    fn s1_29_eight_becomes_plus_seven_by_rule_or_by_region() {
        let rules = NumberRules {
            incoming: vec![rule("8", "+7", 11)],
            ..NumberRules::default()
        };
        assert_eq!(
            rules.incoming_number("89161234567").to_string(),
            "+79161234567"
        );
        let plain = NumberRules::default();
        assert_eq!(
            plain.incoming_number("89161234567").to_string(),
            "+79161234567"
        );
    }

    #[test]
    fn a_hidden_caller_is_withheld_and_a_short_number_is_kept() {
        let rules = NumberRules::default();
        assert_eq!(rules.incoming_number("Anonymous"), ClientNumber::Withheld);
        assert_eq!(rules.incoming_number("<unknown>"), ClientNumber::Withheld);
        assert_eq!(
            rules.incoming_number("112\n"),
            ClientNumber::Other {
                text: "112".to_owned()
            }
        );
    }
}
