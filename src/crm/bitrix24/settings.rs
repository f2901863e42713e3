//! The `settings` table of a Bitrix24 account.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::BitrixAdapter;
use super::hosts;
use super::refusal;
use crate::crm::account::manners::Manners;
use crate::crm::account::transport;
use crate::crm::{AccountDoor, AccountSettings, Adapter, DirectorySettings, Workplace};
use crate::model::asked::{Asked, asked_by};
use crate::model::capabilities::RecordingWay;
use crate::model::ids::PortalKey;
use crate::model::mistake::Mistake;
use crate::model::object_reader::{Reader, TextShape, read_settings};
use crate::model::plan::{Card, Entity};

/// The registry's name of this CRM.
pub const NAME: &str = "bitrix24";

/// The application's key.
pub(super) const CLIENT_SECRET: &str = "client_secret";

/// The secrets that an account of this CRM has: the address of an incoming webhook, or what an
/// application needs.
pub const SECRETS: &[&str] = &["token", CLIENT_SECRET];

/// How fast the bucket of a portal empties, and what it holds (§1, limits).
const STANDARD: Bucket = Bucket {
    rate: 2.0,
    size: 50,
};
const ENTERPRISE: Bucket = Bucket {
    rate: 5.0,
    size: 250,
};

struct Bucket {
    rate: f64,
    size: u32,
}

/// Slower than one request in two seconds would not keep up with one busy telephone.
const RATE_MIN: f64 = 0.5;

/// Rehearsals against a simulator may raise its limit to save time, within reason.
const RATE_REHEARSAL_MAX: f64 = 1000.0;

/// The cloud cuts a request after sixty seconds (§1); a full batch may come near that.
const ANSWER_WITHIN: Duration = Duration::from_secs(65);

/// An id or address of an application, or the address of a portal.
const LINE: TextShape = TextShape::Line(500);

/// The plan of the portal: it sets the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Any but the following.
    #[default]
    Standard,
    /// Enterprise.
    Enterprise,
}

impl Plan {
    fn bucket(self) -> Bucket {
        match self {
            Plan::Standard => STANDARD,
            Plan::Enterprise => ENTERPRISE,
        }
    }
}

/// A checked `settings` table.
#[derive(Debug, Clone, PartialEq)]
pub struct BitrixSettings {
    /// The portal's full host.
    pub host: String,
    /// Where requests go: the portal, unless it is replaced by a simulator.
    pub base_url: String,
    /// Requests a second in the long run.
    pub rate_per_second: f64,
    /// The portal's plan.
    pub plan: Plan,
    /// The application by which we come in; `None` = by an incoming webhook.
    pub application: Option<Application>,
    /// How recordings come into the portal.
    pub recordings: RecordingWay,
    /// What calls are told with.
    pub telling: Telling,
    /// How the directory is kept; `None` = switched off.
    pub directory: Option<DirectorySettings>,
    /// The operators' workplace, shown in the portal's menu.
    pub workplace: Option<Workplace>,
}

/// What a portal is told of calls beside the calls themselves (V-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Telling {
    /// Whose call it was gets a message about it in the portal's chat.
    pub in_chat: bool,
    /// The company's number is the line of the call.
    pub number_as_line: bool,
}

/// An application of the portal (`crm/bitrix24.md` §3).
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// Its id.
    pub client_id: String,
    /// The return address that is registered with it; `None` = the portal shows the code.
    pub redirect_uri: Option<String>,
    /// The authorisation server that hands out the first pair.
    pub oauth_host: &'static str,
}

/// Reads the table, or names every mistake. For the registry.
pub fn build(
    settings: &Value,
    base_url: Option<&str>,
) -> Result<Arc<dyn AccountSettings>, Vec<Mistake>> {
    let settings = BitrixSettings::read(settings, base_url)?;
    Ok(Arc::new(settings))
}

impl BitrixSettings {
    /// Reads the table, or names every mistake.
    pub fn read(settings: &Value, base_url: Option<&str>) -> Result<Self, Vec<Mistake>> {
        let rate_max = base_url.map(|_| RATE_REHEARSAL_MAX);
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
    asked_by(|r| drop(read_table(r, Some(RATE_REHEARSAL_MAX))))
}

/// Reads the table; without `rate_max` the plan's own rate is the most.
fn read_table(mut r: Reader<'_>, rate_max: Option<f64>) -> Option<BitrixSettings> {
    let url = r.required_text("url", LINE);
    let host = url.and_then(|url| {
        let host = read_host(&url);
        host.map_err(|message| r.wrong("url", message)).ok()
    });
    let plan: Plan = r.word("plan").unwrap_or_default();
    let rate_max = rate_max.unwrap_or(plan.bucket().rate);
    let rate = r.number("rate_per_second", RATE_MIN..=rate_max, None);
    let client_id = r.filled_text("client_id", LINE);
    let redirect_uri = r.filled_text("redirect_uri", LINE);
    let oauth_host: Option<OAuthHost> = r.word("oauth_host");
    for key in ["redirect_uri", "oauth_host"] {
        if r.has(key) && !r.has("client_id") {
            let message = format!("is missing: {key} belongs to an application");
            r.wrong("client_id", message);
        }
    }
    let workplace = Workplace::read(&mut r);
    if workplace.is_some() && !r.has("client_id") {
        let message = "is missing: only an application has an entry in the portal's menu";
        r.wrong("client_id", message.to_owned());
    }
    let recordings = match r.word("recordings").unwrap_or_default() {
        Recordings::Automatic => RecordingWay::Automatic,
        Recordings::Link => RecordingWay::Link,
        Recordings::Upload => RecordingWay::Upload,
    };
    let telling = Telling {
        in_chat: r.flag("message_in_chat", false),
        number_as_line: r.flag("number_as_line", false),
    };
    let directory = match r.table("directory") {
        Some(table) => DirectorySettings::read(table),
        None => Some(DirectorySettings::default()),
    };
    r.finish();
    Some(BitrixSettings {
        host: host?,
        base_url: String::new(),
        rate_per_second: rate.unwrap_or(plan.bucket().rate),
        plan,
        application: client_id.map(|client_id| Application {
            client_id,
            redirect_uri,
            oauth_host: oauth_host.unwrap_or_default().name(),
        }),
        recordings,
        telling,
        directory,
        workplace,
    })
}

/// How recordings come into the portal.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Recordings {
    #[default]
    Automatic,
    Link,
    Upload,
}

/// The vendor's authorisation servers.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum OAuthHost {
    #[default]
    #[serde(rename = "oauth.bitrix.info")]
    Info,
    #[serde(rename = "oauth.bitrix24.tech")]
    Tech,
}

impl OAuthHost {
    fn name(self) -> &'static str {
        match self {
            OAuthHost::Info => hosts::OAUTH[0],
            OAuthHost::Tech => hosts::OAUTH[1],
        }
    }
}

fn read_host(text: &str) -> Result<String, String> {
    let bad = || "must be the portal's address, such as https://NAME.bitrix24.ru".to_owned();
    let with_scheme = match text.split_once("://") {
        Some(("https", _)) => text.to_owned(),
        Some(("http", rest)) => format!("https://{rest}"),
        Some(_) => return Err(bad()),
        None => format!("https://{text}"),
    };
    let url = Url::parse(&with_scheme).map_err(|_| bad())?;
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
        return Err(bad());
    }
    let host = url.domain().ok_or_else(bad)?.to_ascii_lowercase();
    // The site of the vendor is nobody's portal; a box of one's own has any name.
    let plain = host.contains('.') && host.bytes().all(|b| b.is_ascii_graphic());
    if !plain || host.starts_with("www.") || hosts::cloud(&format!("x.{host}")).is_some() {
        return Err(bad());
    }
    Ok(host)
}

/// Returns the address of a record's page on a portal.
pub(super) fn card_url(host: &str, card: &Card) -> Option<String> {
    let section = match card.entity {
        Entity::Contact => "contact",
        Entity::Company => "company",
        Entity::Deal => "deal",
        Entity::Lead => "lead",
        Entity::Unsorted
        | Entity::Task
        | Entity::CallRecord
        | Entity::Note
        | Entity::Fields
        | Entity::Notice => return None,
    };
    Some(format!("https://{host}/crm/{section}/details/{}/", card.id))
}

impl AccountSettings for BitrixSettings {
    fn portal(&self) -> PortalKey {
        PortalKey::new(NAME, &self.host)
    }

    fn base_url(&self) -> &str {
        &self.base_url
    }

    fn card_url(&self, card: &Card) -> Option<String> {
        card_url(&self.host, card)
    }

    fn rate_per_second(&self) -> f64 {
        self.rate_per_second
    }

    fn per_second_max(&self) -> Option<u32> {
        // The bucket is no window: all that it holds may come within a second.
        Some(self.plan.bucket().size.max(self.rate_per_second as u32))
    }

    fn manners(&self) -> Manners {
        Manners {
            status: refusal::status,
            // Processes before may have left the bucket half full, never more.
            burst: self.plan.bucket().size / 2 - 1,
            answer_within: ANSWER_WITHIN,
            ..Manners::default()
        }
    }

    fn directory(&self) -> Option<DirectorySettings> {
        self.directory
    }

    fn workplace(&self) -> Option<&Workplace> {
        self.workplace.as_ref()
    }

    fn secrets_needed(&self) -> &'static [&'static str] {
        match self.application {
            Some(_) => &[CLIENT_SECRET],
            None => &[],
        }
    }

    fn open(&self, door: AccountDoor) -> Arc<dyn Adapter> {
        Arc::new(BitrixAdapter::new(self, door))
    }

    fn address(&self) -> String {
        format!("https://{}", self.host)
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
    fn a_portal_of_the_cloud_and_a_box_of_ones_own_are_taken_by_their_full_host() {
        for (url, host) in [
            ("https://Demo.bitrix24.ru/", "demo.bitrix24.ru"),
            ("demo.bitrix24.com.br", "demo.bitrix24.com.br"),
            ("http://crm.example.org/stream/?x=1", "crm.example.org"),
        ] {
            let settings = BitrixSettings::read(&json!({"url": url}), None).expect(url);
            assert_eq!(settings.host, host);
            assert_eq!(settings.portal().as_str(), format!("bitrix24:{host}"));
            assert_eq!(settings.rate_per_second(), 2.0);
        }
        for url in [
            "",
            "demo",
            "bitrix24.ru",
            "www.bitrix24.ru",
            "ftp://x.y",
            "a@b.c",
            "x.y:1",
        ] {
            assert!(
                BitrixSettings::read(&json!({"url": url}), None).is_err(),
                "{url}"
            );
        }
    }

    #[test]
    fn every_mistake_is_named_with_its_key() {
        let table = json!({
            "ulr": "x", "plan": "big", "rate_per_second": 3, "oauth_host": "example.org",
        });
        let mistakes = BitrixSettings::read(&table, None).expect_err("full of mistakes");
        let mut keys: Vec<String> = mistakes.iter().map(|m| m.path.join(".")).collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "client_id",
                "oauth_host",
                "plan",
                "rate_per_second",
                "ulr",
                "url"
            ]
        );
    }

    #[test]
    fn the_plan_sets_the_budget() {
        let table = json!({"url": "demo.bitrix24.ru", "plan": "enterprise"});
        let settings = BitrixSettings::read(&table, None).expect("good");
        assert_eq!(settings.rate_per_second(), 5.0);
        assert_eq!(settings.manners().burst, 124);
        let table = json!({"url": "demo.bitrix24.ru", "rate_per_second": 500});
        assert!(BitrixSettings::read(&table, None).is_err());
        assert!(BitrixSettings::read(&table, Some("http://127.0.0.1:8471")).is_ok());
    }
}
