//! The `settings` table of a Planfix account (`crm/planfix.md` §1).

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{PlanfixAdapter, refusal};
use crate::crm::account::manners::Manners;
use crate::crm::account::transport;
use crate::crm::{AccountDoor, AccountSettings, Adapter, DirectorySettings};
use crate::model::asked::{Asked, asked_by};
use crate::model::deal_settings::DealSettings;
use crate::model::ids::PortalKey;
use crate::model::mistake::Mistake;
use crate::model::object_reader::{Reader, TextShape, read_settings};
use crate::model::plan::{Card, Entity};

/// The registry's name of this CRM.
pub const NAME: &str = "planfix";

/// The token of the telephony API.
pub(super) const TELEPHONY_TOKEN: &str = "telephony_token";

/// The key of the PBX, as it is typed in Planfix's telephony application.
pub(super) const PBX_KEY: &str = "pbx_key";

/// The secrets of an account: one for each of its two APIs (S2-01, S2-02), and the one by which
/// Planfix proves itself to us.
pub const SECRETS: &[&str] = &["token", TELEPHONY_TOKEN, PBX_KEY];

/// What Planfix permits (§2).
const RATE: f64 = 1.0;
/// Slower than this would not keep up with one busy telephone.
const RATE_MIN: f64 = 0.2;
/// Rehearsals against a simulator may raise its limit to save time, within reason.
const RATE_REHEARSAL_MAX: f64 = 1000.0;

/// Where nothing is set, changes are asked for this often: at two requests each they take a
/// fourteenth of the smallest day's quota.
const POLL_SECONDS: u64 = 120;

/// How long a contact is waited for that Planfix makes: it comes with the first event (§9).
const CONTACT_WAIT_SECONDS: u64 = 60;

const LINE: TextShape = TextShape::Line(500);
const NAME_LINE: TextShape = TextShape::Line(100);

/// What becomes of a step whose contact does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutContact {
    /// It goes on without.
    #[default]
    GoOn,
    /// It is given up, as a dead letter.
    GiveUp,
}

/// The plan, which sets the day's quota (§2).
const DAYS: [u64; 3] = [20_000, 50_000, 100_000];

/// A checked `settings` table.
#[derive(Debug, Clone)]
pub struct PlanfixSettings {
    /// The account's full host.
    pub host: String,
    /// Where requests go: the account, unless it is replaced by a simulator.
    pub base_url: String,
    /// The path of REST, without a slash at its end.
    pub rest_path: String,
    /// The path of the telephony API.
    pub telephony_path: String,
    /// The token of telephony comes from Planfix itself.
    pub telephony_by_setup: bool,
    /// REST requests a second.
    pub rate_per_second: f64,
    /// REST requests a day.
    pub requests_a_day: u64,
    /// The robot's time zone.
    pub zone: TimeZone,
    /// The name of the field that keeps our key.
    pub key_field: String,
    /// The name of the field of a call's data tag that takes its time.
    pub call_time_field: Option<String>,
    /// The template of new contacts.
    pub contact_template: Option<i64>,
    /// How long a contact is waited for.
    pub contact_wait: Duration,
    /// What becomes of a step without one.
    pub without_contact: WithoutContact,
    /// Under whom a missed call stands that rang nowhere.
    pub missed_extension: Option<String>,
    /// How the directory is kept; `None` = switched off.
    pub directory: Option<DirectorySettings>,
}

/// Reads the table, or names every mistake. For the registry.
pub fn build(
    settings: &Value,
    base_url: Option<&str>,
) -> Result<Arc<dyn AccountSettings>, Vec<Mistake>> {
    let settings = PlanfixSettings::read(settings, base_url)?;
    Ok(Arc::new(settings))
}

impl PlanfixSettings {
    /// Reads the table, or names every mistake.
    pub fn read(settings: &Value, base_url: Option<&str>) -> Result<Self, Vec<Mistake>> {
        let rate_max = base_url.map_or(RATE, |_| RATE_REHEARSAL_MAX);
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

fn read_table(mut r: Reader<'_>, rate_max: f64) -> Option<PlanfixSettings> {
    let url = r.required_text("url", LINE);
    let rest = url.and_then(|url| {
        let place = read_place(&url, "/rest");
        place.map_err(|message| r.wrong("url", message)).ok()
    });
    let telephony = r.filled_text("telephony_url", LINE).and_then(|url| {
        let place = read_place(&url, "/tel/api");
        place
            .map_err(|message| r.wrong("telephony_url", message))
            .ok()
    });
    if let (Some(rest), Some(telephony)) = (&rest, &telephony)
        && rest.host != telephony.host
    {
        r.wrong("telephony_url", "must lie on the same host as url");
    }
    let telephony_by_setup = r.flag("telephony_by_setup", false);
    let rate = r.number("rate_per_second", RATE_MIN..=rate_max, None);
    let requests_a_day = r.whole_in("requests_a_day", 1_000..=1_000_000, DAYS[0]);
    let zone = match r.filled_text("time_zone", NAME_LINE) {
        None => TimeZone::get("Europe/Moscow").ok(),
        Some(name) => TimeZone::get(&name).map_or_else(
            |_| {
                r.wrong("time_zone", "no such time zone: write it as Europe/Moscow");
                None
            },
            Some,
        ),
    };
    let key_field = r.filled_text("key_field", NAME_LINE);
    let call_time_field = r.filled_text("call_time_field", NAME_LINE);
    let contact_template = r.filled_text("contact_template", NAME_LINE);
    let contact_template = contact_template.and_then(|text| {
        let number = text.parse().ok().filter(|number: &i64| *number > 0);
        if number.is_none() {
            r.wrong("contact_template", "must be the number of a template");
        }
        number
    });
    let contact_wait = r.seconds("contact_wait_seconds", 0..=600, CONTACT_WAIT_SECONDS);
    let without_contact = r.word("without_contact").unwrap_or_default();
    let missed_extension = r.filled_text("missed_extension", NAME_LINE);
    let directory = match r.table("directory") {
        Some(table) => DirectorySettings::read_every(table, POLL_SECONDS),
        None => Some(DirectorySettings {
            poll: Duration::from_secs(POLL_SECONDS),
            ..DirectorySettings::default()
        }),
    };
    r.finish();
    let rest = rest?;
    Some(PlanfixSettings {
        host: rest.host,
        base_url: String::new(),
        rest_path: rest.path,
        telephony_path: telephony.map_or_else(|| "/tel/api".to_owned(), |place| place.path),
        telephony_by_setup,
        rate_per_second: rate.unwrap_or(RATE),
        requests_a_day,
        zone: zone?,
        key_field: key_field.unwrap_or_else(|| "trunkline".to_owned()),
        call_time_field,
        contact_template,
        contact_wait,
        without_contact,
        missed_extension,
        directory,
    })
}

/// An address of an account.
struct Place {
    host: String,
    path: String,
}

/// Reads an address; without a path it has the usual one.
fn read_place(text: &str, usual: &str) -> Result<Place, String> {
    let bad = || format!("must be an address such as https://NAME.planfix.ru{usual}");
    let with_scheme = match text.split_once("://") {
        Some(("https", _)) => text.to_owned(),
        Some(_) => return Err(format!("{}: https only", bad())),
        None => format!("https://{text}"),
    };
    let url = Url::parse(&with_scheme).map_err(|_| bad())?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.query().is_none();
    let host = url.domain().ok_or_else(bad)?.to_ascii_lowercase();
    let path = url.path().trim_end_matches('/');
    let good = plain && host.contains('.') && !host.starts_with("www.");
    good.then(|| Place {
        host,
        path: if path.is_empty() { usual } else { path }.to_owned(),
    })
    .ok_or_else(bad)
}

impl AccountSettings for PlanfixSettings {
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
        // A float converts with saturation.
        Some((self.rate_per_second.floor() as u32).max(1))
    }

    fn manners(&self) -> Manners {
        Manners {
            status: refusal::status,
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
            "look at both scenarios of the object in Planfix: \"task created\" and \"task changed\", \
             each with an HTTP request (POST, application/json) whose only parameter is task_id = \
             {{Задача.Номер}}",
        )
    }

    /// A task is a deal by its object, and a status says nothing of success (S2-37).
    fn deal_mistakes(&self, deals: &DealSettings) -> Vec<Mistake> {
        let mut found = Vec::new();
        if deals.pipelines.is_empty() {
            let message = "name the task object whose tasks are deals, by its number";
            found.push(Mistake::at("pipelines", message));
        }
        for (at, object) in deals.pipelines.iter().enumerate() {
            if object.parse::<u32>().is_err() {
                let message = "must be the number of a task object";
                found.push(Mistake::at(&format!("pipelines.{at}"), message));
            }
        }
        if deals.good.is_empty() {
            let message = "name the status that is a success: Planfix does not say which one is";
            found.push(Mistake::at("good", message));
        }
        found
    }

    /// Scenarios tell of tasks, and each look at the clients costs two requests of the day.
    fn tells_of_clients(&self, _: Option<&str>, _: &[u8]) -> bool {
        false
    }

    fn has_contact_templates(&self) -> bool {
        true
    }

    fn secrets_needed(&self) -> &'static [&'static str] {
        match self.telephony_by_setup {
            true => &[],
            false => &[TELEPHONY_TOKEN],
        }
    }

    fn card_url(&self, card: &Card) -> Option<String> {
        let section = match card.entity {
            Entity::Contact | Entity::Company => "contact",
            Entity::Deal | Entity::Task => "task",
            Entity::Lead
            | Entity::Unsorted
            | Entity::CallRecord
            | Entity::Note
            | Entity::Notice
            | Entity::Fields => return None,
        };
        Some(format!("https://{}/{section}/{}", self.host, card.id))
    }

    fn open(&self, door: AccountDoor) -> Arc<dyn Adapter> {
        Arc::new(PlanfixAdapter::new(self, door))
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
    fn s2_01_s2_02_both_addresses_are_taken_as_planfix_shows_them() {
        for (url, path) in [
            ("https://Acme.planfix.ru/rest/", "/rest"),
            ("acme.planfix.ru", "/rest"),
            ("https://acme.planfix.ru/rest", "/rest"),
        ] {
            let settings = PlanfixSettings::read(&json!({"url": url}), None).expect(url);
            assert_eq!(
                (settings.host.as_str(), settings.rest_path.as_str()),
                ("acme.planfix.ru", path)
            );
            assert_eq!(settings.telephony_path, "/tel/api");
            assert_eq!(settings.portal().as_str(), "planfix:acme.planfix.ru");
            assert_eq!(settings.per_second_max(), Some(1));
        }
        for url in [
            "",
            "acme",
            "http://acme.planfix.ru/rest/",
            "https://a:b@c.ru",
            "https://x.ru:1/",
        ] {
            assert!(
                PlanfixSettings::read(&json!({"url": url}), None).is_err(),
                "{url}"
            );
        }
    }

    #[test]
    fn every_mistake_is_named_with_its_key() {
        let table = json!({
            "url": "https://acme.planfix.ru/rest/", "telephony_url": "https://other.planfix.ru/tel/api",
            "rate_per_second": 3, "requests_a_day": 10, "time_zone": "Mars/Olympus",
            "contact_template": "seven", "contact_wait_seconds": 9000, "without_contact": "weep",
            "keyfield": "x",
        });
        let mistakes = PlanfixSettings::read(&table, None).expect_err("full of mistakes");
        let mut keys: Vec<String> = mistakes.iter().map(|m| m.path.join(".")).collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "contact_template",
                "contact_wait_seconds",
                "keyfield",
                "rate_per_second",
                "requests_a_day",
                "telephony_url",
                "time_zone",
                "without_contact",
            ]
        );
    }
}
