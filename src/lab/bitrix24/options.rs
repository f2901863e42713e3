//! What a simulated portal is made of and how strict it is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::demo;
use super::switches::Switches;

/// Everything needed to start one simulated portal.
#[derive(Debug, Clone)]
pub struct BitrixOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The portal's host.
    pub domain: String,
    /// The authorisation server's host (crm/bitrix24.md §3 has two).
    pub oauth_domain: String,
    /// What tenants are keyed by; survives renaming.
    pub member_id: String,
    /// IANA name of the portal's zone.
    pub timezone: String,
    /// With leads or without (§6).
    pub mode: Mode,
    /// Applications that are known; installed ones have tokens at once.
    pub applications: Vec<ApplicationOptions>,
    /// Incoming webhooks.
    pub webhooks: Vec<WebhookOptions>,
    /// How much a sender may ask (§1).
    pub limits: Limits,
    /// Life of an access token.
    pub access_ttl: Duration,
    /// Life of a refresh token.
    pub refresh_ttl: Duration,
    /// What the contract leaves open.
    pub switches: Switches,
    /// The portal's users.
    pub users: Vec<UserOptions>,
    /// Funnels of deals; the first is the default one, whose id is 0.
    pub funnels: Vec<FunnelOptions>,
    /// Stages of leads.
    pub lead_stages: Vec<StageOptions>,
    /// User fields.
    pub user_fields: Vec<UserFieldOptions>,
    /// Requests that the log keeps.
    pub log_entries_max: usize,
    /// Seed of the fault plan.
    pub fault_seed: u64,
}

/// How much a sender may ask.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests that the bucket holds.
    pub bucket: u32,
    /// Requests that leave it in a second.
    pub drain_per_second: u32,
    /// Time that one method of one application may use in ten minutes; none = no limit, as on a
    /// box of one's own.
    pub operating: Option<Duration>,
    /// What one call of a method uses.
    pub cost: Duration,
    /// Methods, in lower case, that use another time.
    pub costs: BTreeMap<String, Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bucket: 50,
            drain_per_second: 2,
            operating: Some(Duration::from_secs(480)),
            cost: Duration::from_millis(10),
            costs: BTreeMap::new(),
        }
    }
}

impl Limits {
    /// The limits of the Enterprise plan.
    pub fn enterprise() -> Self {
        Self {
            bucket: 250,
            drain_per_second: 5,
            ..Self::default()
        }
    }

    /// No limits at all.
    pub fn none() -> Self {
        Self {
            bucket: 1_000_000,
            drain_per_second: 1_000_000,
            operating: None,
            ..Self::default()
        }
    }
}

/// With leads or without (`crm.settings.mode.get`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// With leads: 1.
    Classic,
    /// Without leads: 2; a lead that is made becomes a deal at once.
    Simple,
}

/// Kind of an application (§3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationKind {
    /// Of one portal, status `L`.
    Local,
    /// Of the marketplace, status `F`.
    Market,
}

/// An application.
#[derive(Debug, Clone)]
pub struct ApplicationOptions {
    /// Its number in `REST_APP_ID`.
    pub id: u64,
    /// Its name in `REST_APP_NAME`.
    pub name: String,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: String,
    /// Kind.
    pub kind: ApplicationKind,
    /// Scopes that it asks for.
    pub scope: Vec<String>,
    /// Where the browser is sent with a code; none = the code is shown on a page.
    pub return_url: Option<String>,
    /// Where the portal posts the token bundle at the installation.
    pub install_url: Option<String>,
    /// Whether it is installed from the start.
    pub installed: bool,
}

/// An incoming webhook.
#[derive(Debug, Clone)]
pub struct WebhookOptions {
    /// The user in whose name it acts.
    pub user_id: u64,
    /// The secret part of its address.
    pub secret: String,
    /// Its scopes.
    pub scope: Vec<String>,
}

/// A user.
#[derive(Debug, Clone)]
pub struct UserOptions {
    /// Id.
    pub id: u64,
    /// First name.
    pub name: String,
    /// Surname; the vendor's own page wants one (§10).
    pub last_name: String,
    /// E-mail.
    pub email: String,
    /// Inner number, if any.
    pub inner_number: Option<String>,
    /// Mobile number, if any.
    pub mobile: Option<String>,
    /// Whether administrator.
    pub is_admin: bool,
    /// False for a dismissed one.
    pub is_active: bool,
    /// Whether he may see the CRM.
    pub has_crm: bool,
    /// `TIMEMAN_STATUS` of §5.
    pub timeman_status: String,
}

impl UserOptions {
    /// An active employee without special rights.
    pub fn employee(id: u64, name: &str, last_name: &str, inner_number: &str) -> Self {
        Self {
            id,
            name: name.into(),
            last_name: last_name.into(),
            email: format!("user{id}@demo.example"),
            inner_number: (!inner_number.is_empty()).then(|| inner_number.to_owned()),
            mobile: None,
            is_admin: false,
            is_active: true,
            has_crm: true,
            timeman_status: "OPENED".into(),
        }
    }
}

/// A funnel of deals.
#[derive(Debug, Clone)]
pub struct FunnelOptions {
    /// Id; 0 for the default one.
    pub id: u64,
    /// Shown name.
    pub name: String,
    /// Its stages.
    pub stages: Vec<StageOptions>,
}

/// A stage.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// `STATUS_ID` without the prefix of the funnel.
    pub id: String,
    /// Shown name.
    pub name: String,
    /// `S` for won, `F` for lost, none for work.
    pub semantics: Option<char>,
}

impl StageOptions {
    /// A stage of work.
    pub fn work(id: &str, name: &str) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            semantics: None,
        }
    }

    /// A closing stage: `S` for won, `F` for lost.
    pub fn closing(id: &str, name: &str, semantics: char) -> Self {
        Self {
            semantics: Some(semantics),
            ..Self::work(id, name)
        }
    }
}

/// A user field.
#[derive(Debug, Clone)]
pub struct UserFieldOptions {
    /// `lead`, `deal`, `contact` or `company`.
    pub entity: String,
    /// Field name with the prefix `UF_CRM_`.
    pub name: String,
    /// Label.
    pub label: String,
    /// A type of §6: string, integer, double, boolean, datetime, date, money, url, enumeration…
    pub kind: String,
    /// Several values.
    pub is_multiple: bool,
    /// Must be filled.
    pub is_mandatory: bool,
    /// Choices of an enumeration.
    pub choices: Vec<String>,
}

impl UserFieldOptions {
    /// A text field.
    pub fn text(entity: &str, name: &str, label: &str) -> Self {
        Self {
            entity: entity.into(),
            name: name.into(),
            label: label.into(),
            kind: "string".into(),
            is_multiple: false,
            is_mandatory: false,
            choices: Vec::new(),
        }
    }
}

/// Scopes that the full profile needs.
pub fn full_scope() -> Vec<String> {
    let names = [
        "crm",
        "telephony",
        "call",
        "user",
        "user_basic",
        "im",
        "task",
        "department",
        "placement",
        "imopenlines",
        "imconnector",
    ];
    names.map(str::to_owned).to_vec()
}

impl Default for BitrixOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            domain: "demo.bitrix24.ru".into(),
            oauth_domain: "oauth.bitrix24.tech".into(),
            member_id: "5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5".into(),
            timezone: "Europe/Moscow".into(),
            mode: Mode::Classic,
            applications: vec![demo::application()],
            webhooks: vec![WebhookOptions {
                user_id: 1,
                secret: "lab0webhook0secret".into(),
                scope: full_scope(),
            }],
            limits: Limits::default(),
            access_ttl: Duration::from_secs(3_600),
            refresh_ttl: Duration::from_secs(180 * 86_400),
            switches: Switches::default(),
            users: demo::users(),
            funnels: demo::funnels(),
            lead_stages: demo::lead_stages(),
            user_fields: demo::user_fields(),
            log_entries_max: 20_000,
            fault_seed: 0,
        }
    }
}

impl BitrixOptions {
    /// A portal in which nobody has an inner number.
    pub fn without_inner_numbers(mut self) -> Self {
        for user in &mut self.users {
            user.inner_number = None;
        }
        self
    }
}
