//! Numbers and spans of the platform, as the model has them.

use std::time::Duration;

use super::notification::Way;
use crate::model::number_rules::NumberRules;
use crate::model::phone::{ClientNumber, Phone};

/// Digits of a whole international number without its plus, as the platform writes them.
const WHOLE: std::ops::RangeInclusive<usize> = 11..=15;

/// Reads the client's number. The platform writes whole numbers as digits without a plus
/// (`pbx/uis.md` §1.2); the administrator's own rules come first.
pub(super) fn client(numbers: &NumberRules, way: Way, text: Option<&str>) -> ClientNumber {
    let Some(text) = text else {
        return ClientNumber::Withheld;
    };
    let (rules, read) = match way {
        Way::In => (&numbers.incoming, numbers.incoming_number(text)),
        Way::Out => (&numbers.outgoing, numbers.outgoing_number(text)),
    };
    let is_whole = WHOLE.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !rules.is_empty() || !is_whole || text.starts_with(['0', '8']) {
        return read;
    }
    match Phone::parse(&format!("+{text}"), numbers.region) {
        Ok(phone) => ClientNumber::Phone { phone },
        Err(_) => read,
    }
}

/// Reads a visitor's number; `None` where it is none.
pub(super) fn visitor(numbers: &NumberRules, text: &str) -> Option<Phone> {
    client(numbers, Way::In, Some(text)).phone().cloned()
}

/// Says whether a text can be an e-mail address; more than that only the mail itself can prove.
pub(super) fn is_email(text: &str) -> bool {
    let mut parts = text.split('@');
    let (Some(user), Some(host), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
}

/// Returns whole milliseconds.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_without_a_plus_are_of_the_country_they_name() {
        let numbers = NumberRules::default();
        let read = |text| client(&numbers, Way::In, Some(text)).to_string();
        assert_eq!(read("79161112233"), "+79161112233");
        assert_eq!(read("375291234567"), "+375291234567");
        assert_eq!(read("89161112233"), "+79161112233");
        assert_eq!(client(&numbers, Way::In, None), ClientNumber::Withheld);
        assert_eq!(
            client(&numbers, Way::In, Some("101")),
            ClientNumber::Other {
                text: "101".to_owned()
            }
        );
    }
}
