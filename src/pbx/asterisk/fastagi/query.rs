//! The path and query of a FastAGI address, as a dialplan writes them.

/// Cuts `path?name=value&name=value` into its path and its pairs.
///
/// `%41` stands for one byte. A plus sign is a plus sign, not a space: a dialplan puts numbers in
/// as they are, and `+44…` must not lose what makes it a foreign number.
pub(super) fn split(script: &str) -> (&str, impl Iterator<Item = (&str, String)>) {
    let (path, query) = script.split_once('?').unwrap_or((script, ""));
    let pairs = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, decoded(value)));
    (path.trim_matches('/'), pairs)
}

/// Replaces `%41` by its byte. What is no such thing stays as it is.
fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| after.split_at_checked(2))
            .flatten()
            .and_then(|(digits, after)| Some((byte_of(digits)?, after)));
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn byte_of(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(script: &str, path: &str, pairs: &[(&str, &str)]) {
        let (found, rest) = split(script);
        assert_eq!(found, path);
        let rest: Vec<_> = rest.collect();
        let rest: Vec<_> = rest.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert_eq!(rest, pairs);
    }

    #[test]
    fn an_address_is_cut_as_a_dialplan_writes_it() {
        check("lookup", "lookup", &[]);
        check("/lookup/", "lookup", &[]);
        check("", "", &[]);
        check(
            "lookup?tenant=acme&did=+7%20495",
            "lookup",
            &[("tenant", "acme"), ("did", "+7 495")],
        );
        check("lookup?did=&x&=y", "lookup", &[("did", ""), ("", "y")]);
        check("lookup?did=%", "lookup", &[("did", "%")]);
        check("lookup?did=%4", "lookup", &[("did", "%4")]);
        check("lookup?did=%zz%2B", "lookup", &[("did", "%zz+")]);
        check("lookup?did=a=b?c", "lookup", &[("did", "a=b?c")]);
    }

    proptest! {
        #[test]
        fn every_byte_can_be_written_and_no_text_brings_it_down(text in ".{0,60}") {
            let written: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decoded(&written), text.clone());
            let _ = split(&text).1.count();
        }
    }
}
