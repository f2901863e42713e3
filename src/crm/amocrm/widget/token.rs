//! The one-time token by which amoCRM says who clicks in a widget (`crm/amocrm.md` §17): a JWT, signed
//! with the integration's secret by HMAC-SHA256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use url::Url;

use crate::crm::WidgetClick;
use crate::model::ids::CrmUserId;
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// Longest token that is looked at: the vendor's have about six hundred characters.
const TOKEN_BYTES_MAX: usize = 4096;

/// The vendor's tokens live for half an hour; none that lives for longer than a day is taken.
const LIFE_SECONDS_MAX: i64 = 86_400;

/// How far the vendor's clock and ours may be apart.
const SKEW_SECONDS: i64 = 60;

/// What a token says.
pub(super) struct Read {
    pub(super) click: WidgetClick,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) account_id: String,
    pub(super) client_id: String,
}

/// Reads a token that is signed with this secret and good now.
pub(super) fn read(token: &str, secret: &Secret, now: Timestamp) -> Option<Read> {
    if token.len() > TOKEN_BYTES_MAX || secret.expose().is_empty() {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    // No other algorithm, above all not "none".
    if json(head)?.get("alg")?.as_str()? != "HS256" {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()?;
    let claims = json(claims)?;
    let text = |name: &str| match claims.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let at = |name: &str| claims.get(name)?.as_i64();
    let (issued, begins, ends) = (at("iat")?, at("nbf")?, at("exp")?);
    let now = now.as_secs();
    let is_good = begins <= now.saturating_add(SKEW_SECONDS)
        && issued <= now.saturating_add(SKEW_SECONDS)
        && ends > now
        && ends.saturating_sub(issued) <= LIFE_SECONDS_MAX;
    if !is_good {
        return None;
    }
    Some(Read {
        click: WidgetClick {
            user: CrmUserId(text("user_id")?),
            id: text("jti")?,
            until: Timestamp::from_secs(ends),
        },
        issuer: origin(&text("iss")?)?,
        audience: origin(&text("aud")?)?,
        account_id: text("account_id")?,
        client_id: text("client_uuid")?,
    })
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Returns scheme and host of an address.
pub(super) fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    is_web.then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_211_600);

    fn secret() -> Secret {
        Secret::new("s3cr3t".to_owned())
    }

    fn claims() -> Value {
        json!({
            "iss": "https://demo.amocrm.ru", "aud": "https://box.example", "jti": "one",
            "iat": NOW.as_secs(), "nbf": NOW.as_secs(), "exp": NOW.as_secs() + 1800,
            "account_id": 31000001, "user_id": 502, "client_uuid": "client", "subdomain": "demo",
        })
    }

    fn made(head: &Value, claims: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(head), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    #[test]
    fn a_signed_token_says_who_clicks() {
        let token = made(&json!({"alg": "HS256"}), &claims(), "s3cr3t");
        let read = read(&token, &secret(), NOW).expect("good");
        assert_eq!(read.click.user, CrmUserId("502".to_owned()));
        assert_eq!(read.issuer, "https://demo.amocrm.ru");
        assert_eq!(
            (read.account_id.as_str(), read.client_id.as_str()),
            ("31000001", "client")
        );
    }

    #[test]
    fn what_is_forged_over_or_not_begun_says_nothing() {
        let head = json!({"alg": "HS256"});
        let with = |key: &str, value: Value| {
            let mut claims = claims();
            claims[key] = value;
            made(&head, &claims, "s3cr3t")
        };
        let now = NOW.as_secs();
        let good = made(&head, &claims(), "s3cr3t");
        for (why, token) in [
            ("another key", made(&head, &claims(), "other")),
            (
                "no algorithm",
                made(&json!({"alg": "none"}), &claims(), "s3cr3t"),
            ),
            (
                "another algorithm",
                made(&json!({"alg": "HS512"}), &claims(), "s3cr3t"),
            ),
            (
                "no signature",
                format!("{}.", good.rsplit_once('.').expect("parts").0),
            ),
            ("over", with("exp", json!(now))),
            ("not begun", with("nbf", json!(now + 120))),
            ("of the future", with("iat", json!(now + 120))),
            ("for ever", with("exp", json!(now + 90_000))),
            ("nobody", with("user_id", Value::Null)),
            ("no name", with("jti", json!(""))),
            ("no issuer", with("iss", json!("demo"))),
            ("nothing", String::new()),
            ("dots", "..".to_owned()),
            ("long", "a".repeat(10_000)),
        ] {
            assert!(read(&token, &secret(), NOW).is_none(), "{why}");
        }
        assert!(read(&good, &Secret::default(), NOW).is_none(), "no key");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_panic(text in ".{0,200}") {
            drop(read(&text, &secret(), NOW));
        }
    }
}
