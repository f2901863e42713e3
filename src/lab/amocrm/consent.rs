//! The consent page and the notice of being switched off (crm/amocrm.md §2).

use sha2::{Digest as _, Sha256};
use url::Url;

use super::handle::AmoHandle;

/// Why the consent page would not be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentRefused {
    /// The link is none.
    #[error("the link leads nowhere: {0}")]
    BadLink(String),
    /// No such integration.
    #[error("there is no integration {0:?}")]
    UnknownClient(String),
}

impl AmoHandle {
    /// Permits an integration as this user would on the page of a link; returns where the browser
    /// is sent then.
    pub fn consent(&self, link: &str, user_id: u64) -> Result<String, ConsentRefused> {
        let visit = self.visit(link)?;
        let code = self.issue_code(&visit.client_id, user_id);
        let referer = self.world().host();
        Ok(visit.sent(&[("code", &code), ("referer", &referer), ("platform", "1")]))
    }

    /// Permits nothing; returns where the browser is sent then.
    pub fn refuse_consent(&self, link: &str) -> Result<String, ConsentRefused> {
        Ok(self.visit(link)?.sent(&[("error", "access_denied")]))
    }

    /// Returns the query of the notice that an integration was switched off.
    pub fn switch_off_notice(&self, client_id: &str) -> String {
        let world = self.world();
        let secret = world
            .auth
            .clients
            .iter()
            .find(|client| client.client_id == client_id)
            .map(|client| client.client_secret.clone())
            .unwrap_or_default();
        let account_id = world.account_id;
        let signature = sign(&secret, &format!("{client_id}|{account_id}"));
        format!("account_id={account_id}&client_uuid={client_id}&signature={signature}")
    }

    fn visit(&self, link: &str) -> Result<Visit, ConsentRefused> {
        let bad = |why: &str| ConsentRefused::BadLink(why.to_owned());
        let link = Url::parse(link).map_err(|error| bad(&error.to_string()))?;
        let is_page = link.scheme() == "https"
            && link.host_str() == Some("www.amocrm.ru")
            && link.path() == "/oauth";
        if !is_page {
            return Err(bad("not the consent page"));
        }
        let value = |name: &str| {
            let mut pairs = link.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if value("mode").is_none_or(|mode| mode != "popup" && mode != "post_message") {
            return Err(bad("no mode"));
        }
        let client_id = value("client_id").unwrap_or_default();
        let world = self.world();
        let client = world.auth.clients.iter().find(|c| c.client_id == client_id);
        let client = client.ok_or_else(|| ConsentRefused::UnknownClient(client_id.clone()))?;
        let redirect = Url::parse(&client.redirect_uri).map_err(|error| bad(&error.to_string()))?;
        Ok(Visit {
            client_id: client_id.clone(),
            redirect,
            state: value("state"),
        })
    }
}

struct Visit {
    client_id: String,
    redirect: Url,
    state: Option<String>,
}

impl Visit {
    fn sent(mut self, pairs: &[(&str, &str)]) -> String {
        {
            let mut query = self.redirect.query_pairs_mut();
            query.extend_pairs(pairs);
            if let Some(state) = &self.state {
                query.append_pair("state", state);
            }
        }
        self.redirect.into()
    }
}

/// Signs with HMAC-SHA256 (RFC 2104). A key is taken up to 64 bytes; secrets here are shorter.
fn sign(key: &str, message: &str) -> String {
    let mut inner: Vec<u8> = key.bytes().take(64).collect();
    inner.resize(64, 0);
    let mut outer = inner.clone();
    inner.iter_mut().for_each(|byte| *byte ^= 0x36);
    outer.iter_mut().for_each(|byte| *byte ^= 0x5c);
    inner.extend_from_slice(message.as_bytes());
    outer.extend_from_slice(&Sha256::digest(&inner));
    let digest = Sha256::digest(&outer);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_vector_holds() {
        assert_eq!(
            sign("s3cr3t", "client-uuid-1|12345"),
            "fb4f992474d21f4b7d9ac4f0ed4dddc9089d89dedcc40d96016ac212ff514c86"
        );
    }
}
