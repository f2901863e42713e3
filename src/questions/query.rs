//! The query of a lookup: `phone=…&did=…&format=text&redirect_failed=1`. Everything in it is
//! hostile.

use std::borrow::Cow;

/// Longest query that is read, in bytes: two numbers of any form, every byte of them escaped, are
/// far below.
pub const QUERY_BYTES_MAX: usize = 1024;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// The caller's number; empty where it is withheld.
    pub phone: Cow<'a, str>,
    /// The dialled number.
    pub did: Option<Cow<'a, str>>,
    /// The form of the answer.
    pub format: Format,
    /// The employee whom an earlier answer named did not answer.
    pub redirect_failed: bool,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Everything.
    Json,
    /// The extension and a newline.
    Text,
}

/// Why a query is no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// It is too long to be one.
    #[error("the query is longer than {QUERY_BYTES_MAX} bytes")]
    TooLong,
    /// The caller is not mentioned, which is another thing than a withheld number.
    #[error("the query names no caller: write phone=NUMBER, and phone= for a withheld one")]
    NoPhone,
    /// The form is unknown.
    #[error("format is json or text")]
    Format,
    /// The flag is neither.
    #[error("redirect_failed is 1 or 0")]
    Flag,
}

impl<'a> Query<'a> {
    /// Reads a query. Of a key that stands twice the first counts; unknown keys are passed over.
    pub fn read(text: &'a str) -> Result<Self, BadQuery> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(BadQuery::TooLong);
        }
        let (mut phone, mut did, mut format, mut failed) = (None, None, None, None);
        for pair in text.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match key {
                "phone" => &mut phone,
                "did" => &mut did,
                "format" => &mut format,
                "redirect_failed" => &mut failed,
                _ => continue,
            };
            if place.is_none() {
                *place = Some(value);
            }
        }
        Ok(Self {
            phone: decode(phone.ok_or(BadQuery::NoPhone)?),
            did: did.filter(|did| !did.is_empty()).map(decode),
            format: match format {
                None | Some("json") => Format::Json,
                Some("text") => Format::Text,
                Some(_) => return Err(BadQuery::Format),
            },
            redirect_failed: match failed {
                None | Some("0") => false,
                Some("1") => true,
                Some(_) => return Err(BadQuery::Flag),
            },
        })
    }
}

/// Takes the escapes out of a value. A plus at the beginning is the one of a telephone number, which
/// dialplans write as it is; elsewhere it is a space, as in forms. What is no UTF-8 becomes
/// replacement characters, so that it is no number.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().skip(1).any(|byte| byte == b'+') && !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = after.get(2..).unwrap_or_default();
            }
            None if first == b'+' && !bytes.is_empty() => bytes.push(b' '),
            None => bytes.push(first),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn phone(query: &str, phone: &str) {
        assert_eq!(Query::read(query).expect(query).phone, phone, "{query}");
    }

    #[test]
    fn a_number_arrives_as_dialplans_and_programs_write_it() {
        phone("phone=+79161234567&did=1", "+79161234567");
        phone("did=1&phone=%2B79161234567", "+79161234567");
        phone("phone=8+(916)+123-45-67", "8 (916) 123-45-67");
        phone("phone=8%20%28916%29%20123", "8 (916) 123");
        phone("phone=", "");
        phone("phone", "");
        phone("phone=1&phone=2", "1");
    }

    #[test]
    fn broken_escapes_stay_text_and_no_utf_8_is_no_number() {
        phone("phone=%", "%");
        phone("phone=%4", "%4");
        phone("phone=%zz1", "%zz1");
        phone("phone=%ff%fe79161234567", "\u{fffd}\u{fffd}79161234567");
        phone("phone=%00%0d%0a", "\0\r\n");
    }

    #[test]
    fn what_is_no_question_is_refused() {
        let long = format!("phone={}", "9".repeat(QUERY_BYTES_MAX));
        for (query, why) in [
            ("", BadQuery::NoPhone),
            ("number=1", BadQuery::NoPhone),
            ("phone=1&format=xml", BadQuery::Format),
            ("phone=1&redirect_failed=yes", BadQuery::Flag),
            (long.as_str(), BadQuery::TooLong),
        ] {
            assert_eq!(Query::read(query), Err(why), "{query}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_query_is_too_strange_to_be_read(text in "[ -~]{0,200}|\\PC{0,60}") {
            drop(Query::read(&text));
        }
    }
}
