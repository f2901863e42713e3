//! A pair of tokens and whether its refresh token may be sent (`crm/bitrix24.md` §3). Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hosts;
use super::install::Tokens;
use crate::crm::Bundle;
use crate::crm::pair_vault::{Standing, Witness, fingerprint, standing};
use crate::model::timestamp::Timestamp;

/// An access token is renewed when it is used up, not on a timer: the server may block who does.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a refresh token lives when it is not used.
pub(super) const REFRESH_LIFE: Duration = Duration::from_secs(180 * 86_400);

/// What the authorisation server hands out, as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
    /// When it was asked for.
    pub(super) from: Timestamp,
    /// When the access token ends.
    pub(super) until: Timestamp,
    /// The fingerprint of the refresh token that this pair came from; `None` for the first pair.
    pub(super) previous: Option<String>,
    /// Which portal it is good for, by the name that never changes.
    pub(super) member_id: String,
    /// The portal's host as it was configured then.
    pub(super) portal: String,
    /// The portal's host now.
    pub(super) host: String,
    /// The authorisation server that renews it.
    pub(super) server: String,
    /// Whose tokens they are.
    pub(super) user: Option<String>,
    /// The portal lets us in no more: why. Kept, so that a restart does not knock again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<String>,
    /// By what the portal is known in its notices (`application_token`), where it let us in by
    /// installing the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proof: Option<String>,
    /// The fingerprints of refresh tokens that installations brought, the newest last: they are
    /// never taken again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) brought: Vec<String>,
}

/// Installations that are remembered. A token that one brought is provable for an hour, in which
/// nobody installs so often.
const BROUGHT_MAX: usize = 64;

impl Pair {
    /// Says whether a refresh token of this fingerprint was ours at some time, as far as is known.
    pub(super) fn knows(&self, token: &str) -> bool {
        token == fingerprint(&self.refresh)
            || self.previous.as_deref() == Some(token)
            || self.brought.iter().any(|brought| brought == token)
    }

    /// Makes a pair of what an installation brought.
    pub(super) fn installed(
        bundle: &Bundle,
        tokens: Tokens,
        portal: &str,
        from: Timestamp,
        before: Option<&Pair>,
    ) -> Self {
        let mut brought = before.map(|pair| pair.brought.clone()).unwrap_or_default();
        brought.push(bundle.fingerprint.clone());
        let surplus = brought.len().saturating_sub(BROUGHT_MAX);
        brought.drain(..surplus);
        Self {
            until: from.plus(tokens.expires_in()),
            access: tokens.access,
            refresh: tokens.refresh,
            from,
            previous: None,
            member_id: bundle.portal_id.clone(),
            portal: portal.to_owned(),
            host: bundle.host.clone(),
            server: tokens.server,
            user: None,
            ended: None,
            proof: bundle.proof.clone(),
            brought,
        }
    }

    /// Returns when the refresh token ends unless it is used before.
    pub(super) fn refresh_ends_at(&self) -> Timestamp {
        self.from.plus(REFRESH_LIFE)
    }

    pub(super) fn is_used_up(&self, now: Timestamp) -> bool {
        now.plus(MARGIN) >= self.until
    }

    /// Says whether it has lain for half of its life: then it is renewed without need.
    pub(super) fn has_lain(&self, now: Timestamp) -> bool {
        now.since(self.from) > REFRESH_LIFE / 2
    }

    /// Returns the witness of this pair.
    pub(super) fn witness(&self, sent: bool) -> Witness {
        Witness::of(&self.refresh, sent)
    }

    /// Says whether its refresh token may be sent.
    pub(super) fn standing(&self, witness: Option<&Witness>) -> Standing {
        standing(&self.refresh, self.previous.as_deref(), witness)
    }
}

/// The authorisation server's answer.
pub(super) struct TokenAnswer {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) expires_in: Duration,
    pub(super) member_id: Option<String>,
    /// The portal's endpoint as it says; not checked here.
    pub(super) client_endpoint: String,
    /// The server's own.
    pub(super) server_endpoint: String,
    pub(super) user: Option<String>,
}

/// The life of an access token where the answer does not say.
const EXPIRES_IN: u64 = 3600;

impl TokenAnswer {
    /// Reads an answer; `None` where it holds no pair that could be used.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let text = |key: &str| match answer.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let expires_in = text("expires_in").and_then(|text| text.parse().ok());
        Some(Self {
            access: text("access_token")?,
            refresh: text("refresh_token")?,
            expires_in: Duration::from_secs(expires_in.unwrap_or(EXPIRES_IN)),
            member_id: text("member_id"),
            client_endpoint: text("client_endpoint").unwrap_or_default(),
            server_endpoint: text("server_endpoint").unwrap_or_default(),
            user: text("user_id"),
        })
    }

    /// Makes the pair for a portal; names the mistake where it belongs to another.
    pub(super) fn pair(
        self,
        portal: &str,
        from: Timestamp,
        before: Option<&Pair>,
    ) -> Result<Pair, String> {
        let member_id = match (self.member_id, before) {
            (Some(said), Some(before)) if said != before.member_id => {
                return Err("the tokens belong to another portal (member_id)".to_owned());
            }
            (Some(said), _) => said,
            // They came for a token of this portal, from the server that made it.
            (None, Some(before)) => before.member_id.clone(),
            (None, None) => {
                return Err("the tokens do not say whose they are (member_id)".to_owned());
            }
        };
        let host = match self.client_endpoint.as_str() {
            "" => before.map_or_else(|| portal.to_owned(), |before| before.host.clone()),
            address => match hosts::of_portal(portal, address) {
                // The first pair must be the configured portal's own: whoever permitted the
                // application may have been logged in to another.
                Some(host) if before.is_some() || host == portal => host,
                Some(host) => {
                    return Err(format!("the consent was given in {host}, not in {portal}"));
                }
                None => return Err("the tokens are good for a host that is not ours".to_owned()),
            },
        };
        let said = hosts::of_address(&self.server_endpoint);
        let server = said.as_deref().and_then(hosts::oauth).map(str::to_owned);
        let server = server.or_else(|| Some(before?.server.clone()));
        Ok(Pair {
            access: self.access,
            refresh: self.refresh,
            from,
            until: from.plus(self.expires_in),
            previous: before.map(|before| fingerprint(&before.refresh)),
            member_id,
            portal: portal.to_owned(),
            host,
            server: server.unwrap_or_else(|| hosts::OAUTH[0].to_owned()),
            user: self.user.or_else(|| before?.user.clone()),
            ended: None,
            proof: before.and_then(|before| before.proof.clone()),
            brought: before
                .map(|before| before.brought.clone())
                .unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(endpoint: &str, server: &str, member: &str) -> TokenAnswer {
        let answer = json!({
            "access_token": "a2", "refresh_token": "r2", "expires_in": "3600",
            "client_endpoint": endpoint, "server_endpoint": server, "member_id": member,
            "user_id": 1,
        });
        TokenAnswer::read(&answer).expect("whole")
    }

    fn pair(portal: &str, endpoint: &str) -> Result<Pair, String> {
        let from = Timestamp::from_secs(1000);
        answer(endpoint, "https://oauth.bitrix24.tech/rest/", "5f0c").pair(portal, from, None)
    }

    #[test]
    fn the_first_pair_is_the_configured_portals_own() {
        let made = pair("demo.bitrix24.ru", "https://demo.bitrix24.ru/rest/").expect("a pair");
        assert_eq!(
            (made.host.as_str(), made.server.as_str()),
            ("demo.bitrix24.ru", "oauth.bitrix24.tech")
        );
        assert_eq!(made.until, Timestamp::from_secs(4600));
        assert!(pair("demo.bitrix24.ru", "https://other.bitrix24.ru/rest/").is_err());
        assert!(pair("demo.bitrix24.ru", "https://example.org/rest/").is_err());
    }

    #[test]
    fn a_later_pair_follows_a_rename_but_no_other_portal_and_no_other_server() {
        let portal = "demo.bitrix24.ru";
        let before = pair(portal, "https://demo.bitrix24.ru/rest/").expect("a pair");
        let next = |endpoint, server, member| {
            answer(endpoint, server, member).pair(portal, Timestamp::from_secs(5000), Some(&before))
        };
        let renamed = next(
            "https://new.bitrix24.ru/rest/",
            "https://evil.example.org/",
            "5f0c",
        );
        let renamed = renamed.expect("a pair");
        assert_eq!(renamed.host, "new.bitrix24.ru");
        assert_eq!(
            renamed.server, "oauth.bitrix24.tech",
            "the one that is known"
        );
        assert_eq!(renamed.previous, Some(fingerprint("r2")));
        assert!(next("https://demo.bitrix24.ru/rest/", "", "another").is_err());
        assert!(next("https://example.org/rest/", "", "5f0c").is_err());
    }

    #[test]
    fn a_refresh_token_is_sent_only_while_it_is_surely_the_newest_and_unsent() {
        let pair = |refresh: &str, previous: Option<&str>| Pair {
            refresh: refresh.to_owned(),
            previous: previous.map(fingerprint),
            ..pair("demo.bitrix24.ru", "").expect("a pair")
        };
        let witness = |token: &str, sent| {
            Some(Witness {
                token: fingerprint(token),
                sent,
            })
        };
        let rows = [
            (
                "the newest",
                pair("r1", None),
                witness("r1", false),
                Standing::Fresh,
            ),
            (
                "its answer is unknown",
                pair("r1", None),
                witness("r1", true),
                Standing::Spent,
            ),
            (
                "ended between the writes",
                pair("r2", Some("r1")),
                witness("r1", true),
                Standing::Fresh,
            ),
            (
                "a backup",
                pair("r1", None),
                witness("r2", false),
                Standing::FromElsewhere,
            ),
            (
                "no witness",
                pair("r1", None),
                None,
                Standing::FromElsewhere,
            ),
        ];
        for (why, pair, witness, expected) in rows {
            assert_eq!(pair.standing(witness.as_ref()), expected, "{why}");
        }
    }
}
