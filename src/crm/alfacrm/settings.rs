//! The `settings` table of an AlfaCRM account (`crm/alfacrm.md` §1).

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::Value;
use url::Url;

use super::AlfaAdapter;
use super::deals::choices::DealChoices;
use crate::crm::account::manners::Manners;
use crate::crm::account::transport;
use crate::crm::{AccountDoor, AccountSettings, Adapter, DirectorySettings};
use crate::model::asked::{Asked, asked_by};
use crate::model::deal_settings::DealSettings;
use crate::model::ids::PortalKey;
use crate::model::mistake::Mistake;
use crate::model::object_reader::{Reader, TextShape, read_settings};

/// The registry's name of this CRM.
pub const NAME: &str = "alfacrm";

/// The v2api key of an administrator's profile.
pub(super) const API_KEY: &str = "api_key";

/// What a few new accounts want beside the token (§1).
pub(super) const APP_KEY: &str = "app_key";

/// The secrets that an account of this CRM has.
pub const SECRETS: &[&str] = &[API_KEY, APP_KEY];

/// What the CRM permits all programs of an account together in a second (§1).
const PER_SECOND_MAX: u32 = 5;

/// One less than permitted: the school's other programs share the account.
const RATE_DEFAULT: f64 = 4.0;

/// Slower than one request in two seconds would not keep up with one busy telephone.
const RATE_MIN: f64 = 0.5;

/// Rehearsals against a simulator may raise its limit to save time, within reason.
const RATE_REHEARSAL_MAX: f64 = 1000.0;

/// Largest id that is believed.
const ID_MAX: u64 = u32::MAX as u64;

/// A name, an address.
const LINE: TextShape = TextShape::Line(500);

/// The prefix of additional fields (§2).
pub(super) const CUSTOM: &str = "custom_";

/// Where the administrator says nothing (§13).
const ZONE_DEFAULT: &str = "Europe/Moscow";

/// A checked `settings` table.
#[derive(Debug, Clone, PartialEq)]
pub struct AlfaSettings {
    /// The account's full host.
    pub host: String,
    /// Where requests go: the account, unless it is replaced by a simulator.
    pub base_url: String,
    /// The e-mail address of the profile that the key belongs to.
    pub email: String,
    /// The branch that works: new cards stand there, and its cards go first.
    pub branch: u64,
    /// Requests a second.
    pub rate_per_second: f64,
    /// The zone of the account's dates, which say none.
    pub zone: TimeZone,
    /// The stage of new leads; `None` = not assigned.
    pub lead_status: Option<u64>,
    /// The source of new leads.
    pub lead_source: Option<u64>,
    /// The additional field of customers that takes our mark; `None` = the mark stands in the note.
    pub marker_field: Option<String>,
    /// A client who is in the archive only is known by that card.
    pub archived: bool,
    /// A client who is not found by ten digits is looked for in two other ways of writing.
    pub written_forms: bool,
    /// How the directory is kept; `None` = switched off.
    pub directory: Option<DirectorySettings>,
    /// What of the account comes back as deals.
    pub deals: DealChoices,
}

/// Reads the table, or names every mistake. For the registry.
pub fn build(
    settings: &Value,
    base_url: Option<&str>,
) -> Result<Arc<dyn AccountSettings>, Vec<Mistake>> {
    Ok(Arc::new(AlfaSettings::read(settings, base_url)?))
}

impl AlfaSettings {
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

fn read_table(mut r: Reader<'_>, rate_max: f64) -> Option<AlfaSettings> {
    let url = r.required_text("url", LINE);
    let host = url.and_then(|url| {
        let host = read_host(&url);
        host.map_err(|message| r.wrong("url", message)).ok()
    });
    let email = r.required_text("email", LINE);
    let email = email.filter(|email| {
        let good = is_email(email);
        if !good {
            r.wrong("email", "must be the e-mail address of the profile");
        }
        good
    });
    let branch = r.whole("branch", ID_MAX);
    let branch = r.required("branch", branch);
    let branch = at_least_one(&mut r, "branch", branch);
    let rate = r.number("rate_per_second", RATE_MIN..=rate_max, Some(RATE_DEFAULT));
    let zone = read_zone(&mut r);
    let lead_status = r.whole("lead_status", ID_MAX);
    let lead_status = at_least_one(&mut r, "lead_status", lead_status);
    let lead_source = r.whole("lead_source", ID_MAX);
    let lead_source = at_least_one(&mut r, "lead_source", lead_source);
    let marker_field = r.filled_text("marker_field", LINE);
    let marker_field = marker_field.and_then(|code| {
        let field = field_key(&code);
        if field.is_none() {
            r.wrong(
                "marker_field",
                "must be the code of an additional field of customers: letters, digits and _",
            );
        }
        field
    });
    let archived = r.flag("archived", true);
    let written_forms = r.flag("written_forms", true);
    let directory = match r.table("directory") {
        Some(table) => DirectorySettings::read(table),
        None => Some(DirectorySettings::default()),
    };
    let deals = r.table("deals").map(DealChoices::read).unwrap_or_default();
    r.finish();
    Some(AlfaSettings {
        host: host?,
        base_url: String::new(),
        email: email?,
        branch: branch?,
        rate_per_second: rate.unwrap_or(RATE_DEFAULT),
        zone,
        lead_status,
        lead_source,
        marker_field,
        archived,
        written_forms,
        directory,
        deals,
    })
}

fn at_least_one(r: &mut Reader<'_>, key: &str, id: Option<u64>) -> Option<u64> {
    if id == Some(0) {
        r.wrong(key, "must be an id of the account: 1 or more");
        return None;
    }
    id
}

fn read_zone(r: &mut Reader<'_>) -> TimeZone {
    let named = r.filled_text("time_zone", LINE);
    let zone = named.as_deref().unwrap_or(ZONE_DEFAULT);
    match TimeZone::get(zone) {
        Ok(zone) => zone,
        Err(_) => {
            r.wrong("time_zone", "must be a time zone such as Europe/Moscow");
            TimeZone::UTC
        }
    }
}

/// Returns the key of an additional field by its code, with or without the prefix.
pub(super) fn field_key(code: &str) -> Option<String> {
    let bare = code.strip_prefix(CUSTOM).unwrap_or(code);
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!bare.is_empty() && bare.chars().all(good)).then(|| format!("{CUSTOM}{bare}"))
}

/// Says whether a text may be an e-mail address: what the CRM takes is its own affair.
fn is_email(text: &str) -> bool {
    let named = text.split_once('@');
    named.is_some_and(|(who, host)| !who.is_empty() && host.contains('.') && !text.contains(' '))
}

fn read_host(text: &str) -> Result<String, String> {
    let bad = || "must be the account's address, such as https://NAME.s20.online".to_owned();
    let with_scheme = match text.split_once("://") {
        Some(("https" | "http", _)) => text.to_owned(),
        Some(_) => return Err(bad()),
        None => format!("https://{text}"),
    };
    let url = Url::parse(&with_scheme).map_err(|_| bad())?;
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
        return Err(bad());
    }
    // A school may have a host of its own (S4-01); an address of numbers is none.
    match url.domain() {
        Some(host) if host.contains('.') => Ok(host.trim_end_matches('.').to_owned()),
        Some(_) | None => Err(bad()),
    }
}

impl AccountSettings for AlfaSettings {
    fn portal(&self) -> PortalKey {
        PortalKey::new(NAME, &self.host)
    }

    fn base_url(&self) -> &str {
        &self.base_url
    }

    fn address(&self) -> String {
        format!("https://{}", self.host)
    }

    fn rate_per_second(&self) -> f64 {
        self.rate_per_second
    }

    fn per_second_max(&self) -> Option<u32> {
        // Above the vendor's limit only a simulator is asked, which has its own.
        (self.rate_per_second <= f64::from(PER_SECOND_MAX)).then_some(PER_SECOND_MAX)
    }

    fn manners(&self) -> Manners {
        Manners {
            status: super::refusal::status,
            ..Manners::default()
        }
    }

    fn directory(&self) -> Option<DirectorySettings> {
        self.directory
    }

    fn has_deals(&self) -> bool {
        true
    }

    fn deal_hints(&self, _: Option<&str>, body: &[u8]) -> Vec<String> {
        super::deals::hints(body)
    }

    fn deal_hooks_by_hand(&self) -> Option<&'static str> {
        Some(
            "look at both triggers of every branch in AlfaCRM: one for Client and one for Payment, all \
             events, any field, with the reaction Webhook",
        )
    }

    fn deal_mistakes(&self, deals: &DealSettings) -> Vec<Mistake> {
        super::deals::mistakes(deals)
    }

    fn tells_of_clients(&self, _: Option<&str>, body: &[u8]) -> bool {
        !super::deals::is_of_others(body)
    }

    fn secrets_needed(&self) -> &'static [&'static str] {
        &[API_KEY]
    }

    fn open(&self, door: AccountDoor) -> Arc<dyn Adapter> {
        Arc::new(AlfaAdapter::new(self, door))
    }

    fn fingerprint(&self) -> String {
        format!("{self:?}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn s4_01_an_address_is_taken_with_and_without_protocol_and_may_be_the_schools_own() {
        for (url, host) in [
            ("https://Demo.s20.online/", "demo.s20.online"),
            ("demo.s20.online/v2api", "demo.s20.online"),
            ("http://crm.school.ru", "crm.school.ru"),
        ] {
            let table = json!({"url": url, "email": "api@school.ru", "branch": 1});
            let settings = AlfaSettings::read(&table, None).expect(url);
            assert_eq!(settings.portal().as_str(), format!("alfacrm:{host}"));
            assert_eq!(settings.base_url(), format!("https://{host}"));
            assert_eq!(
                (settings.rate_per_second(), settings.per_second_max()),
                (4.0, Some(5))
            );
        }
        for url in [
            "",
            "demo",
            "ftp://demo.s20.online",
            "127.0.0.1",
            "u:p@demo.s20.online",
        ] {
            let table = json!({"url": url, "email": "api@school.ru", "branch": 1});
            assert!(AlfaSettings::read(&table, None).is_err(), "{url}");
        }
    }

    #[test]
    fn s4_01_s4_02_every_mistake_is_named_with_its_key() {
        let table = json!({
            "url": "demo", "email": "nobody", "branch": 0, "rate_per_second": 6, "lead_status": -1,
            "lead_source": "x", "marker_field": "a b", "archived": 1, "time_zone": "Mars", "key": "1",
        });
        let mistakes = AlfaSettings::read(&table, None).expect_err("full of mistakes");
        let mut keys: Vec<String> = mistakes.iter().map(|m| m.path.join(".")).collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "archived",
                "branch",
                "email",
                "key",
                "lead_source",
                "lead_status",
                "marker_field",
                "rate_per_second",
                "time_zone",
                "url"
            ]
        );
        let nothing = AlfaSettings::read(&json!({}), None).expect_err("what is required");
        let mut keys: Vec<String> = nothing.iter().map(|m| m.path.join(".")).collect();
        keys.sort();
        assert_eq!(keys, ["branch", "email", "url"]);
    }

    #[test]
    fn a_field_is_named_with_and_without_its_prefix() {
        assert_eq!(field_key("gw").as_deref(), Some("custom_gw"));
        assert_eq!(field_key("custom_gw").as_deref(), Some("custom_gw"));
        assert_eq!(field_key("custom_"), None);
        assert_eq!(field_key("g\"w"), None);
    }
}
