//! A portal installs our application and posts its tokens (`crm/bitrix24.md` §3, installing a server
//! app): as the event `ONAPPINSTALL`, or by the installer's page in a frame of the portal.
//!
//! Neither is signed. A bundle is proved by the authorisation server, which says whose application,
//! which portal and which host its token is good for (§16.3), and by the portal, which says whose
//! token it is; only then it is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::BitrixAdapter;
use super::auth::Auth;
use super::hosts;
use super::refusal::Refusal;
use super::wire::Record;
use crate::crm::account::classify::Purpose;
use crate::crm::account::transport::{Elsewhere, Method, Request};
use crate::crm::pair_vault::fingerprint;
use crate::crm::{
    Acquaintance, Bundle, Class, FinishScript, InstallPage, Installable, Installer, NotProven,
    Posted, Proven, Removal, VendorWay,
};
use crate::model::explanation::Language;
use crate::model::outcome::{Outcome, Rejection};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// Longest value that is taken: tokens have about seventy characters, scopes a few hundred.
const VALUE_BYTES_MAX: usize = 2000;

/// Keys of a form that are looked at; the vendor's have about twenty.
const KEYS_MAX: usize = 200;

/// The life of an access token where the portal does not say.
const EXPIRES_IN: u64 = 3600;

/// The vendor's library, without which a page cannot call the portal around it (§3).
const FINISH: FinishScript = FinishScript {
    library: "https://api.bitrix24.com/api/v1/",
    origin: "https://api.bitrix24.com",
    call: "BX24.init(function(){BX24.installFinish()})",
};

/// The tokens of a bundle.
#[derive(Serialize, Deserialize)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) expires_in: u64,
    /// The authorisation server.
    pub(super) server: String,
}

impl Tokens {
    /// Reads those of a bundle.
    pub(super) fn of(bundle: &Bundle) -> Option<Self> {
        serde_json::from_str(&bundle.tokens).ok()
    }

    pub(super) fn expires_in(&self) -> Duration {
        Duration::from_secs(self.expires_in)
    }
}

/// The registry's installer.
pub(super) struct PortalInstaller;

impl Installer for PortalInstaller {
    fn read(&self, query: &str, body: &[u8]) -> Posted {
        let form = Form::read(query, body);
        match form.text("event").map(str::to_ascii_uppercase).as_deref() {
            Some("ONAPPINSTALL") => match form.of_event() {
                Some(bundle) => Posted::Installed {
                    bundle: Box::new(bundle),
                    page: None,
                },
                None => Posted::Unknown,
            },
            Some("ONAPPUNINSTALL") => match form.removal() {
                Some(removal) => Posted::Removed(removal),
                None => Posted::Unknown,
            },
            Some(_) => Posted::Unknown,
            None => match form.of_page() {
                Some((bundle, page)) => Posted::Installed {
                    bundle: Box::new(bundle),
                    page: Some(page),
                },
                None => Posted::Unknown,
            },
        }
    }

    fn prove<'a>(
        &'a self,
        bundle: &'a Bundle,
        way: &'a VendorWay,
    ) -> BoxFuture<'a, Result<Proven, NotProven>> {
        async move {
            let tokens = Tokens::of(bundle).ok_or_else(|| refused("it holds no tokens"))?;
            let portal = (way.stand_in)(&bundle.host);
            let server = (way.stand_in)(&tokens.server).or_else(|| {
                let portal = portal.as_deref()?;
                Some(hosts::base_of(portal, &bundle.host, &tokens.server))
            });
            let server = server.unwrap_or_else(|| format!("https://{}", tokens.server));
            let portal = portal.unwrap_or_else(|| format!("https://{}", bundle.host));
            let info = ask(way, &server, "app.info", &tokens.access).await?;
            let said = proven(&info);
            let mut said = said.ok_or_else(|| refused("it is not said what was installed"))?;
            // The portal is asked only when the vendor says that the token is good for it.
            if said.portal_id != bundle.portal_id || said.host != bundle.host {
                return Err(refused("the token is good for another portal"));
            }
            let profile = ask(way, &portal, "profile", &tokens.access).await?;
            let profile = Record(&profile);
            said.administrator = profile.flag("ADMIN");
            let names = [profile.text("NAME"), profile.text("LAST_NAME")];
            let name: Vec<String> = names.into_iter().flatten().collect();
            let name = one_line(&name.join(" "));
            said.installed_by = (!name.is_empty()).then_some(name);
            Ok(said)
        }
        .boxed()
    }
}

/// Calls one method with a token that is no account's yet.
async fn ask(
    way: &VendorWay,
    base_url: &str,
    method: &str,
    token: &str,
) -> Result<Value, NotProven> {
    let request = Request {
        method: Method::Post,
        path: format!("/rest/{method}"),
        query: Vec::new(),
        body: Some(json!({ "auth": token }).to_string().into()),
        bearer: None,
        purpose: Purpose::Read,
        class: Class::Live,
    };
    let to = Elsewhere {
        base_url: base_url.to_owned(),
        header: ("accept", Secret::new("application/json".to_owned())),
    };
    let response = match way.http.send_elsewhere(request, to).await {
        Outcome::Done(response) => response,
        Outcome::NotApplied(not_applied) => return Err(NotProven::Later(not_applied.why)),
        Outcome::Ambiguous { why } => return Err(NotProven::Later(why)),
        Outcome::AuthExpired { why } => return Err(NotProven::Refused(why)),
        Outcome::Rejected(rejection) => return Err(NotProven::Refused(rejection.message)),
    };
    let answer: Option<Value> = serde_json::from_slice(&response.body).ok();
    let is_success = (200..=299).contains(&response.status);
    let refusal = answer.as_ref().and_then(Refusal::read);
    match (
        answer.as_ref().and_then(|answer| answer.get("result")),
        refusal,
    ) {
        (Some(result), None) if is_success => Ok(result.clone()),
        // What it says otherwise is not told: a bundle's token might stand in it.
        (_, Some(refusal)) => Err(refused(&refusal.rejection().code)),
        (_, None) => Err(refused(&format!("HTTP {}", response.status))),
    }
}

/// Reads what the authorisation server says of a token (§16.3).
fn proven(info: &Value) -> Option<Proven> {
    let install = Record(info.get("install")?);
    Some(Proven {
        portal_id: install.text("member_id")?,
        host: hosts::of_address(&install.text("client_endpoint")?)?,
        application: Record(info).text("client_id")?,
        installed_by: None,
        administrator: false,
    })
}

fn refused(why: &str) -> NotProven {
    NotProven::Refused(why.to_owned())
}

/// A name as it may stand in a journal: one short line.
fn one_line(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control()).take(100);
    plain.collect::<String>().trim().to_owned()
}

/// What was posted, key by key; of a repeated key the last counts.
struct Form(BTreeMap<String, String>);

impl Form {
    fn read(query: &str, body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
        let short = pairs.filter(|(_, value)| value.len() <= VALUE_BYTES_MAX);
        Self(
            short
                .take(KEYS_MAX)
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    fn text(&self, key: &str) -> Option<&str> {
        let text = self.0.get(key)?.as_str();
        (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
    }

    /// A name by which a portal or its notices are known: a word.
    fn word(&self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        (text.len() <= 128 && text.bytes().all(plain)).then(|| text.to_owned())
    }

    fn of_event(&self) -> Option<Bundle> {
        let host = match self.text("auth[client_endpoint]") {
            Some(address) => hosts::of_address(address)?,
            None => host_of(self.text("auth[domain]")?)?,
        };
        bundle(
            self.word("auth[member_id]")?,
            host,
            Tokens {
                access: self.text("auth[access_token]")?.to_owned(),
                refresh: self.text("auth[refresh_token]")?.to_owned(),
                expires_in: seconds(self.text("auth[expires_in]")),
                server: server_of(self.text("auth[server_endpoint]"))?,
            },
            self.word("auth[application_token]"),
            true,
        )
    }

    /// The installer's page: other keys, the host in the query (§3).
    fn of_page(&self) -> Option<(Bundle, InstallPage)> {
        // Another protocol than https is named by 0.
        if self.text("PROTOCOL") == Some("0") {
            return None;
        }
        let host = host_of(self.text("DOMAIN")?)?;
        let page = InstallPage {
            language: language(self.text("LANG")),
            framed_by: format!("https://{host}"),
            finish: FINISH,
        };
        let bundle = bundle(
            self.word("member_id")?,
            host,
            Tokens {
                access: self.text("AUTH_ID")?.to_owned(),
                refresh: self.text("REFRESH_ID")?.to_owned(),
                expires_in: seconds(self.text("AUTH_EXPIRES")),
                server: server_of(self.text("SERVER_ENDPOINT"))?,
            },
            self.word("APPLICATION_TOKEN"),
            false,
        )?;
        Some((bundle, page))
    }

    fn removal(&self) -> Option<Removal> {
        Some(Removal {
            portal_id: self.word("auth[member_id]")?,
            proof: self.word("auth[application_token]")?,
        })
    }
}

fn bundle(
    portal_id: String,
    host: String,
    tokens: Tokens,
    proof: Option<String>,
    by_event: bool,
) -> Option<Bundle> {
    // Addresses permit more in a host than any name has; it stands in headers of ours.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    if !host.bytes().all(plain) {
        return None;
    }
    Some(Bundle {
        portal_id,
        host,
        fingerprint: fingerprint(&tokens.refresh),
        tokens: serde_json::to_string(&tokens).ok()?,
        proof,
        by_event,
    })
}

/// Reads a bare host, as `DOMAIN` and `auth[domain]` have it.
fn host_of(text: &str) -> Option<String> {
    let host = hosts::of_address(&format!("https://{text}/"))?;
    // What is more than a host would have been cut off.
    host.eq_ignore_ascii_case(text).then_some(host)
}

/// Returns the authorisation server; the vendor's own, whatever stands in the request.
fn server_of(address: Option<&str>) -> Option<String> {
    match address {
        None => Some(hosts::OAUTH[0].to_owned()),
        Some(address) => {
            let host = hosts::of_address(address)?;
            hosts::oauth(&host).map(str::to_owned)
        }
    }
}

fn seconds(text: Option<&str>) -> u64 {
    let read = text.and_then(|text| text.parse().ok());
    // No token of the vendor's lives for longer than a day.
    read.unwrap_or(EXPIRES_IN).min(86_400)
}

/// Portals in languages whose readers commonly read Russian are answered in Russian.
fn language(text: Option<&str>) -> Language {
    let text = text.unwrap_or_default().to_ascii_lowercase();
    match text.get(..2) {
        Some("ru" | "ua" | "uk" | "kz" | "by" | "be" | "uz") => Language::Ru,
        _ => Language::En,
    }
}

impl Installable for BitrixAdapter {
    fn acquaintance<'a>(
        &'a self,
        bundle: &'a Bundle,
        application: Option<&'a str>,
    ) -> BoxFuture<'a, Acquaintance> {
        async move {
            match self.client.auth() {
                Auth::Webhook(_) => Acquaintance::None,
                Auth::OAuth(oauth) => oauth.acquaintance(bundle, application).await,
            }
        }
        .boxed()
    }

    fn fits(&self, bundle: &Bundle, application: &str) -> Result<(), String> {
        if bundle.host != self.host {
            return Err(format!(
                "the account is {}, and the portal is {}: accept it for another account, or change \
                 the account's url",
                self.host, bundle.host
            ));
        }
        let wanted = format!("client_id = \"{application}\"");
        match self.client.auth() {
            Auth::Webhook(_) => Err(format!(
                "the account is let in by a webhook: write {wanted} into its settings and the \
                 secret client_secret, as the portal shows them with the application"
            )),
            Auth::OAuth(oauth) if oauth.client.id != application => Err(format!(
                "the account's client_id is of another application: write {wanted} and its \
                 client_secret, or accept it for another account"
            )),
            Auth::OAuth(_) => Ok(()),
        }
    }

    fn install(&self, bundle: Bundle, at: Timestamp) -> BoxFuture<'_, Outcome<()>> {
        async move {
            match self.client.auth() {
                Auth::Webhook(_) => Outcome::Rejected(Rejection {
                    code: "installation".to_owned(),
                    message: "the account is let in by a webhook".to_owned(),
                }),
                Auth::OAuth(oauth) => oauth.install(&bundle, at).await,
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "event=ONAPPINSTALL&data[VERSION]=3&ts=1790000000&auth[access_token]=a1\
                         &auth[refresh_token]=r1&auth[expires_in]=3600&auth[scope]=crm+telephony\
                         &auth[domain]=romashka.bitrix24.ru\
                         &auth[server_endpoint]=https://oauth.bitrix24.tech/rest/\
                         &auth[client_endpoint]=https://romashka.bitrix24.ru/rest/\
                         &auth[member_id]=5f0c&auth[status]=F&auth[application_token]=t0k";
    const QUERY: &str = "DOMAIN=romashka.bitrix24.ru&PROTOCOL=1&LANG=ru&APP_SID=x";
    const PAGE: &str = "AUTH_ID=a1&AUTH_EXPIRES=3600&REFRESH_ID=r1\
                        &SERVER_ENDPOINT=https://oauth.bitrix24.tech/rest/&APPLICATION_TOKEN=t0k\
                        &member_id=5f0c&status=F&PLACEMENT=DEFAULT";

    fn read(query: &str, body: &str) -> Option<(Bundle, Option<InstallPage>)> {
        match PortalInstaller.read(query, body.as_bytes()) {
            Posted::Installed { bundle, page } => Some((*bundle, page)),
            Posted::Removed(_) | Posted::Unknown => None,
        }
    }

    #[test]
    fn an_installation_is_read_from_the_event_and_from_the_page() {
        let (event, no_page) = read("", EVENT).expect("an installation");
        assert!(no_page.is_none() && event.by_event);
        let (page, shown) = read(QUERY, PAGE).expect("an installation");
        assert!(!page.by_event);
        for bundle in [&event, &page] {
            assert_eq!(bundle.host, "romashka.bitrix24.ru");
            assert_eq!(bundle.portal_id, "5f0c");
            assert_eq!(bundle.proof.as_deref(), Some("t0k"));
            let tokens = Tokens::of(bundle).expect("tokens");
            assert_eq!(
                (tokens.access.as_str(), tokens.refresh.as_str()),
                ("a1", "r1")
            );
            assert_eq!(tokens.server, "oauth.bitrix24.tech");
            assert!(!bundle.fingerprint.contains("r1"));
        }
        let shown = shown.expect("a page");
        assert_eq!(shown.language, Language::Ru);
        assert_eq!(shown.framed_by, "https://romashka.bitrix24.ru");
    }

    #[test]
    fn what_names_a_foreign_server_or_is_not_whole_is_nothing() {
        for (from, to) in [
            ("oauth.bitrix24.tech", "oauth.example.org"),
            (
                "https://romashka.bitrix24.ru/rest/",
                "http://romashka.bitrix24.ru/rest/",
            ),
            (
                "https://romashka.bitrix24.ru/rest/",
                "https://u@romashka.bitrix24.ru/rest/",
            ),
            ("auth[refresh_token]=r1", ""),
            ("auth[access_token]=a1", "auth[access_token]=a%0A1"),
            ("auth[member_id]=5f0c", "auth[member_id]=5f%2F0c"),
            ("ONAPPINSTALL", "ONCRMLEADADD"),
        ] {
            assert!(read("", &EVENT.replace(from, to)).is_none(), "{to}");
        }
        for (from, to) in [
            (
                "DOMAIN=romashka.bitrix24.ru",
                "DOMAIN=romashka.bitrix24.ru%2F@evil.example",
            ),
            (
                "DOMAIN=romashka.bitrix24.ru",
                "DOMAIN=romashka.bitrix24.ru:8443",
            ),
            (
                "DOMAIN=romashka.bitrix24.ru",
                "DOMAIN=a;sandbox.bitrix24.ru",
            ),
            ("PROTOCOL=1", "PROTOCOL=0"),
            ("DOMAIN=romashka.bitrix24.ru", ""),
        ] {
            assert!(read(&QUERY.replace(from, to), PAGE).is_none(), "{to}");
        }
        let long = PAGE.replace("r1", &"r".repeat(VALUE_BYTES_MAX + 1));
        assert!(read(QUERY, &long).is_none());
        assert!(read(QUERY, "").is_none());
    }

    #[test]
    fn a_removal_is_known_by_the_portals_own_word_only() {
        let told = "event=ONAPPUNINSTALL&data[CLEAN]=1&auth[member_id]=5f0c\
                    &auth[application_token]=t0k&auth[domain]=romashka.bitrix24.ru";
        match PortalInstaller.read("", told.as_bytes()) {
            Posted::Removed(removal) => {
                assert_eq!(
                    (removal.portal_id.as_str(), removal.proof.as_str()),
                    ("5f0c", "t0k")
                );
            }
            Posted::Installed { .. } | Posted::Unknown => panic!("a removal"),
        }
        let unproven = told.replace("t0k", "");
        assert!(matches!(
            PortalInstaller.read("", unproven.as_bytes()),
            Posted::Unknown
        ));
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_posted_makes_a_panic(query in ".{0,200}", body in ".{0,400}") {
            drop(PortalInstaller.read(&query, body.as_bytes()));
        }
    }
}
