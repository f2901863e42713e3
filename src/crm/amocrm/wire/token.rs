//! The token endpoint's answer, and where an account lives now (`crm/amocrm.md` §2).

use serde::Deserialize;
use serde_json::Value;

/// A new pair.
#[derive(Deserialize)]
pub(in crate::crm::amocrm) struct TokenAnswer {
    pub(in crate::crm::amocrm) access_token: String,
    pub(in crate::crm::amocrm) refresh_token: String,
    /// Seconds.
    pub(in crate::crm::amocrm) expires_in: u64,
}

impl TokenAnswer {
    /// Reads a body; `None` where it holds no pair that could be used.
    pub(in crate::crm::amocrm) fn read(body: &[u8]) -> Option<Self> {
        let answer: Self = serde_json::from_slice(body).ok()?;
        let whole = !answer.access_token.is_empty() && !answer.refresh_token.is_empty();
        whole.then_some(answer)
    }
}

/// Where an account lives now.
#[derive(Debug, PartialEq)]
pub(in crate::crm::amocrm) struct Whereabouts {
    /// The account.
    pub(in crate::crm::amocrm) account_id: String,
    /// The full host, as amoCRM says; not checked here.
    pub(in crate::crm::amocrm) host: String,
}

impl Whereabouts {
    /// Reads a body; `None` where it does not say.
    pub(in crate::crm::amocrm) fn read(body: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(body).ok()?;
        let account_id = match answer.get("id")? {
            Value::Number(id) => id.to_string(),
            Value::String(id) => id.clone(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let host = answer.get("domain")?.as_str()?.to_owned();
        Some(Self { account_id, host })
    }
}

/// The header that names whose whereabouts are asked for.
pub(in crate::crm::amocrm) const WHOSE: &str = "X-Refresh-Token";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whereabouts_are_read_where_they_are_said() {
        let body =
            br#"{"id":123,"subdomain":"new","domain":"new.amocrm.ru","top_level_domain":"ru"}"#;
        let expected = Whereabouts {
            account_id: "123".to_owned(),
            host: "new.amocrm.ru".to_owned(),
        };
        assert_eq!(Whereabouts::read(body), Some(expected));
        for other in [
            "",
            "{}",
            r#"{"id":1}"#,
            r#"{"id":[],"domain":"x"}"#,
            "<html>",
        ] {
            assert_eq!(Whereabouts::read(other.as_bytes()), None, "{other}");
        }
    }
}
