//! How the portal compares phones: by codes that must be exactly equal (crm/bitrix24.md §5).

/// From this length on a number is taken for one with a country or a trunk prefix.
const LONG: usize = 10;

/// Returns the code by which a phone is compared.
pub(super) fn code(text: &str) -> String {
    let text = text.trim();
    let long = text.chars().count() >= LONG;
    let text = match text.strip_prefix("+8").filter(|_| long) {
        Some(rest) => format!("008{rest}"),
        None => text.to_owned(),
    };
    let kept = |c: &char| c.is_ascii_digit() || "#*,;".contains(*c);
    let kept: String = text.chars().filter(kept).collect();
    without_extension(&without_prefix(&kept)).to_owned()
}

fn without_prefix(number: &str) -> String {
    if number.len() < LONG {
        return number.to_owned();
    }
    if ["80", "81", "82"].iter().any(|p| number.starts_with(p)) {
        return number.to_owned();
    }
    let international = number
        .strip_prefix("00")
        .or_else(|| number.strip_prefix("011"));
    if let Some(rest) = international {
        return rest.to_owned();
    }
    if let Some(rest) = number.strip_prefix('8') {
        return format!("7{rest}");
    }
    number.strip_prefix('0').unwrap_or(number).to_owned()
}

fn without_extension(number: &str) -> &str {
    let end = number.find([';', '#']).filter(|end| {
        let before = number.get(..*end).unwrap_or("");
        !before.is_empty() && before.bytes().all(|b| b.is_ascii_digit())
    });
    end.and_then(|end| number.get(..end)).unwrap_or(number)
}

/// Returns what telephony stores of a number: letters and spaces are gone (§8).
pub(super) fn stored(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_digit() || "#*+,;".contains(*c))
        .collect()
}

/// Returns the last ten digits, by which the oracle knows a client.
pub(super) fn last_ten(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let start = digits.len().saturating_sub(10);
    digits.get(start..).unwrap_or("").to_owned()
}

/// Returns the form in which e-mails are compared.
pub(super) fn email_code(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_have_the_codes_of_the_contract() {
        for (text, expected) in [
            ("+7 (916) 123-45-67", "79161234567"),
            ("89161234567", "79161234567"),
            ("79161234567", "79161234567"),
            ("0079161234567", "79161234567"),
            ("01179161234567", "79161234567"),
            ("88121234567", "78121234567"),
            ("88001234567", "78001234567"),
            ("9161234567", "9161234567"),
            ("1234567", "1234567"),
            ("+8 916 123-45-67", "89161234567"),
            ("80 29 123-45-67", "80291234567"),
            ("+7 916 123-45-67;101", "79161234567"),
            ("+7 916 123-45-67 #101", "79161234567"),
            ("", ""),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
