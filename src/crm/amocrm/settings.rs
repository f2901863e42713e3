//! The `settings` table of an amoCRM or Kommo account.

use std::sync::Arc;

use serde_json::Value;
use url::Url;

use super::AmoAdapter;
use super::deals;
use super::hosts::{self, DOMAINS};
use super::widget;
use crate::crm::account::transport;
use crate::crm::{
    AccountDoor, AccountSettings, Adapter, DirectorySettings, WidgetFile, WidgetPlace, Workplace,
};
use crate::model::asked::{Asked, asked_by};
use crate::model::ids::PortalKey;
use crate::model::mistake::Mistake;
use crate::model::object_reader::{Reader, TextShape, read_settings};
use crate::model::plan::{Card, Entity};

/// The registry's name of this CRM.
pub const NAME: &str = "amocrm";

/// The secret of the integration, for OAuth.
pub(super) const CLIENT_SECRET: &str = "client_secret";

/// The secrets that an account of this CRM has: the long-lived token, or what OAuth needs.
pub const SECRETS: &[&str] = &["token", CLIENT_SECRET];

/// What the CRM permits in any sliding second, per integration and account (§4, §21.9).
const PER_SECOND_MAX: u32 = 7;

/// One less than permitted: other parts of the customer's integration may send, too.
const RATE_DEFAULT: f64 = 6.0;

/// Slower than one request in two seconds would not keep up with one busy telephone.
const RATE_MIN: f64 = 0.5;

/// Rehearsals against a simulator may raise its limit to save time, within reason.
const RATE_REHEARSAL_MAX: f64 = 1000.0;

/// Longest name of the marker field; it is shown in settings pages of the CRM.
const MARKER_FIELD_CHARS_MAX: usize = 64;

/// A checked `settings` table.
#[derive(Debug, Clone, PartialEq)]
pub struct AmoSettings {
    /// The portal's full host.
    pub host: String,
    /// Where requests go: the portal, unless it is replaced by a simulator.
    pub base_url: String,
    /// Requests a second.
    pub rate_per_second: f64,
    /// The name of the text field of ours on contacts and deals.
    pub marker_field: String,
    /// A client who is not found by ten digits is looked for in the ways people write numbers,
    /// too (`1234567`, `123-45-67`, `123 45 67`): up to six requests more for each unknown number.
    pub written_forms: bool,
    /// The integration by which we come in; `None` = by a long-lived token.
    pub oauth: Option<OAuthSettings>,
    /// How the directory is kept; `None` = switched off.
    pub directory: Option<DirectorySettings>,
    /// The operators' workplace, for the widget.
    pub workplace: Option<Workplace>,
}

/// An integration of the portal (`crm/amocrm.md` §2).
#[derive(Debug, Clone, PartialEq)]
pub struct OAuthSettings {
    /// Its id.
    pub client_id: String,
    /// The address that is registered with it, to the letter.
    pub redirect_uri: String,
}

/// Reads the table, or names every mistake. For the registry.
pub fn build(
    settings: &Value,
    base_url: Option<&str>,
) -> Result<Arc<dyn AccountSettings>, Vec<Mistake>> {
    let settings = AmoSettings::read(settings, base_url)?;
    Ok(Arc::new(settings))
}

impl AmoSettings {
    /// Reads the table, or names every mistake.
    pub fn read(settings: &Value, base_url: Option<&str>) -> Result<Self, Vec<Mistake>> {
        let rate_max = match base_url {
            Some(_) => RATE_REHEARSAL_MAX,
            None => f64::from(PER_SECOND_MAX),
        };
        read_settings(settings, |mut r| {
            if let Some(Err(error)) = base_url.map(transport::check_base_url) {
                r.wrong("", error);
            }
            let read = read_table(r, rate_max)?;
            let base_url = base_url.map(str::to_owned);
            Some(Self {
                base_url: base_url.unwrap_or_else(|| format!("https://{}", read.host)),
                ..read
            })
        })
    }
}

/// Returns every key of the table. A rehearsal may be faster.
pub(super) fn asked() -> Vec<Asked> {
    asked_by(|r| drop(read_table(r, RATE_REHEARSAL_MAX)))
}

fn read_table(mut r: Reader<'_>, rate_max: f64) -> Option<AmoSettings> {
    let url = r.required_text("url", LINE);
    let host = url.and_then(|url| {
        let host = read_host(&url);
        host.map_err(|message| r.wrong("url", message)).ok()
    });
    let rate = r.number("rate_per_second", RATE_MIN..=rate_max, Some(RATE_DEFAULT));
    let marker_field = r.filled_text("marker_field", TextShape::Line(MARKER_FIELD_CHARS_MAX));
    let written_forms = r.flag("written_forms", true);
    let client_id = r.filled_text("client_id", LINE);
    let redirect_uri = r.filled_text("redirect_uri", LINE);
    for (key, other, message) in [
        (
            "client_id",
            "redirect_uri",
            "is missing: redirect_uri belongs to an integration",
        ),
        (
            "redirect_uri",
            "client_id",
            "is missing: write the address that is registered with the integration",
        ),
    ] {
        if r.has(other) && !r.has(key) {
            r.wrong(key, message);
        }
    }
    let workplace = Workplace::read(&mut r);
    let directory = match r.table("directory") {
        Some(table) => DirectorySettings::read(table),
        None => Some(DirectorySettings::default()),
    };
    r.finish();
    Some(AmoSettings {
        host: host?,
        base_url: String::new(),
        rate_per_second: rate.unwrap_or(RATE_DEFAULT),
        marker_field: marker_field.unwrap_or_else(|| "Trunkline".to_owned()),
        written_forms,
        oauth: client_id
            .zip(redirect_uri)
            .map(|(client_id, redirect_uri)| OAuthSettings {
                client_id,
                redirect_uri,
            }),
        directory,
        workplace,
    })
}

/// An id or address of an integration, or the address of a portal.
const LINE: TextShape = TextShape::Line(500);

impl AmoSettings {
    /// Returns where an administrator permits an integration (`crm/amocrm.md` §1).
    pub(super) fn consent_page(&self) -> String {
        let domain = DOMAINS
            .into_iter()
            .find(|domain| self.host.ends_with(domain))
            .unwrap_or("amocrm.ru");
        format!("https://www.{domain}/oauth")
    }
}

impl AccountSettings for AmoSettings {
    fn portal(&self) -> PortalKey {
        PortalKey::new(NAME, &self.host)
    }

    fn base_url(&self) -> &str {
        &self.base_url
    }

    fn card_url(&self, card: &Card) -> Option<String> {
        let section = match card.entity {
            Entity::Contact => "contacts",
            Entity::Company => "companies",
            Entity::Deal => "leads",
            Entity::Lead
            | Entity::Unsorted
            | Entity::Task
            | Entity::CallRecord
            | Entity::Note
            | Entity::Fields
            | Entity::Notice => {
                return None;
            }
        };
        // The portal itself, also where requests go to a simulator.
        Some(["https://", &self.host, "/", section, "/detail/", &card.id].concat())
    }

    fn workplace(&self) -> Option<&Workplace> {
        self.workplace.as_ref()
    }

    fn widget(&self, place: &WidgetPlace) -> Result<Vec<WidgetFile>, String> {
        widget::files(self, place)
    }

    fn rate_per_second(&self) -> f64 {
        self.rate_per_second
    }

    fn per_second_max(&self) -> Option<u32> {
        // Above the vendor's limit only a simulator is asked, which has its own.
        (self.rate_per_second <= f64::from(PER_SECOND_MAX)).then_some(PER_SECOND_MAX)
    }

    fn directory(&self) -> Option<DirectorySettings> {
        self.directory
    }

    fn has_deals(&self) -> bool {
        true
    }

    fn deal_hints(&self, _content_type: Option<&str>, body: &[u8]) -> Vec<String> {
        deals::hints(body)
    }

    fn secrets_needed(&self) -> &'static [&'static str] {
        match self.oauth {
            Some(_) => &[CLIENT_SECRET],
            None => &[],
        }
    }

    fn open(&self, door: AccountDoor) -> Arc<dyn Adapter> {
        Arc::new(AmoAdapter::new(self, door))
    }

    fn address(&self) -> String {
        format!("https://{}", self.host)
    }

    fn fingerprint(&self) -> String {
        format!("{self:?}")
    }
}

fn read_host(text: &str) -> Result<String, String> {
    let bad = || "must be the portal's address, such as https://NAME.amocrm.ru".to_owned();
    let with_scheme = match text.split_once("://") {
        Some(("https" | "http", _)) => text.to_owned(),
        Some(_) => return Err(bad()),
        None => format!("https://{text}"),
    };
    let url = Url::parse(&with_scheme).map_err(|_| bad())?;
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
        return Err(bad());
    }
    let host = url.host_str().ok_or_else(bad)?;
    hosts::own(host).ok_or_else(|| {
        let domains = DOMAINS.join(", ");
        format!("must be a portal's own host under one of {domains}")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn s1_01_an_address_is_taken_with_and_without_protocol_and_kept_as_full_host() {
        for url in [
            "https://Demo.amocrm.ru/",
            "demo.amocrm.ru",
            "http://demo.amocrm.ru/leads?x=1",
        ] {
            let settings = AmoSettings::read(&json!({"url": url}), None).expect(url);
            assert_eq!(settings.portal().as_str(), "amocrm:demo.amocrm.ru");
            assert_eq!(settings.base_url(), "https://demo.amocrm.ru");
            assert_eq!(settings.rate_per_second(), 6.0);
        }
        for url in ["demo.amocrm.com", "demo.kommo.com"] {
            assert!(AmoSettings::read(&json!({"url": url}), None).is_ok());
        }
    }

    #[test]
    fn addresses_that_are_no_portal_are_refused() {
        for url in [
            "",
            "demo",
            "www.amocrm.ru",
            "amocrm.ru",
            "ftp://demo.amocrm.ru",
            "demo.example.org",
            "a.demo.amocrm.ru",
            "https://user:secret@demo.amocrm.ru",
            "https://demo.amocrm.ru:8443",
        ] {
            assert!(
                AmoSettings::read(&json!({"url": url}), None).is_err(),
                "{url}"
            );
        }
    }

    #[test]
    fn every_mistake_is_named_with_its_key() {
        let table =
            json!({"ulr": "x", "rate_per_second": 70, "marker_field": "", "written_forms": 1});
        let mistakes = AmoSettings::read(&table, None).expect_err("full of mistakes");
        let mut keys: Vec<String> = mistakes.iter().map(|m| m.path.join(".")).collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "marker_field",
                "rate_per_second",
                "ulr",
                "url",
                "written_forms"
            ]
        );
    }

    #[test]
    fn a_simulator_takes_the_requests_but_not_the_name() {
        let table = json!({"url": "demo.amocrm.ru", "rate_per_second": 60});
        let settings = AmoSettings::read(&table, Some("http://127.0.0.1:8470")).expect("good");
        assert_eq!(settings.portal().as_str(), "amocrm:demo.amocrm.ru");
        assert_eq!(settings.base_url(), "http://127.0.0.1:8470");
        assert_eq!(settings.per_second_max(), None);
        assert!(AmoSettings::read(&table, Some("nonsense")).is_err());
    }
}
