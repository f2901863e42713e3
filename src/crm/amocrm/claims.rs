//! What an access token says about itself (`crm/amocrm.md` §2). It is not verified: it is our own
//! token, which came from amoCRM, and what it names is checked where it is used.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::model::timestamp::Timestamp;

/// What is used of it; nothing of a token of another form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Claims {
    /// When it ends.
    pub(super) ends_at: Option<Timestamp>,
    /// The portal's account.
    pub(super) account_id: Option<String>,
    /// The integration.
    pub(super) client_id: Option<String>,
    /// The shared host that knows where accounts live.
    pub(super) api_domain: Option<String>,
}

impl Claims {
    /// Reads a token.
    pub(super) fn of(token: &str) -> Self {
        let Some(claims) = read(token) else {
            return Self::default();
        };
        let text = |name: &str| match claims.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Array(texts) => texts.first()?.as_str().map(str::to_owned),
            Value::Null | Value::Bool(_) | Value::Object(_) => None,
        };
        Self {
            ends_at: claims
                .get("exp")
                .and_then(Value::as_i64)
                .map(Timestamp::from_secs),
            account_id: text("account_id"),
            client_id: text("aud"),
            api_domain: text("api_domain"),
        }
    }
}

fn read(token: &str) -> Option<Value> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_where_it_is_one_and_says_nothing_else() {
        let claims = URL_SAFE_NO_PAD.encode(
            br#"{"exp":1800000000,"account_id":31000001,"aud":["client"],"api_domain":"api-a.amocrm.ru"}"#,
        );
        let read = Claims::of(&format!("e30.{claims}.signature"));
        assert_eq!(read.ends_at, Some(Timestamp::from_secs(1_800_000_000)));
        assert_eq!(read.account_id.as_deref(), Some("31000001"));
        assert_eq!(read.client_id.as_deref(), Some("client"));
        assert_eq!(read.api_domain.as_deref(), Some("api-a.amocrm.ru"));
        for other in ["", "opaque", "a.b.c", "..", "e30.e30.x", "e30.bnVsbA.x"] {
            assert_eq!(Claims::of(other), Claims::default(), "{other}");
        }
    }
}
