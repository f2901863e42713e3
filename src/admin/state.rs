//! What the handlers share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use metrics_exporter_prometheus::PrometheusHandle;
use schemars::JsonSchema;
use serde::Serialize;

use crate::alarms::{Signs, Teller};
use crate::backup::Archivist;
use crate::clock::SharedClock;
use crate::crm::{
    AccountBook, Adapter, CredentialForm, HookAddress, SharedDesk, SharedInstallations, Workplace,
};
use crate::deals::pull::DealWishes;
use crate::integration::context::board_name;
use crate::integration::handle::SharedHandles;
use crate::integration::portal::Portal;
use crate::integration::status::StatusBoard;
use crate::model::activity::Activity;
use crate::model::communication::Kind;
use crate::model::employee::Employees;
use crate::model::explanation::Language;
use crate::model::ids::{AccountId, IntegrationKey, PortalKey, SourceKey, TenantId};
use crate::model::phrasebook::Phrasebook;
use crate::model::timestamp::Timestamp;
use crate::pbx::call_desk::CallDesk;
use crate::pbx::{PasteText, SourceForm};
use crate::questions::desk::Desk;
use crate::rehearsal::Candidate;
use crate::store::StoreHandle;
use crate::store::command::{Work, WorkState};

use super::discovery::Discoverable;
use super::employees::EmployeeSyncs;
use super::roster::RosterPlace;
use super::tenant_files::TenantFiles;

/// What is configured, in the form that administrators see.
#[derive(Default)]
pub struct Overview {
    /// Sources.
    pub sources: Vec<SourceOverview>,
    /// Integrations.
    pub integrations: Vec<IntegrationOverview>,
    /// Accounts, with their adapters.
    pub accounts: Vec<AccountOverview>,
    /// Portals, with their doors.
    pub portals: Vec<Arc<Portal>>,
    /// Sources in which one can look around.
    pub discoverable: Vec<Discoverable>,
    /// The sources that can list their people.
    pub rosters: Vec<RosterPlace>,
    /// The integrations whose deals come back.
    pub deals: Vec<DealPlaceOverview>,
    /// What does not work, and why.
    pub off: Vec<Off>,
    /// The settings of every integration, with what its decisions rest on.
    pub settings: Vec<Candidate>,
    /// The address under which the outside reaches us, without a slash at the end.
    pub public_url: Option<String>,
    /// The CRMs that this build knows.
    pub crms: Vec<CrmOverview>,
    /// The kinds of source that this build knows.
    pub source_kinds: Vec<SourceKindOverview>,
    /// Where each integration's CRM reaches us.
    pub webhooks: BTreeMap<IntegrationKey, WebhookOverview>,
    /// Where sources and CRMs tell us something.
    pub doors: Vec<OutsideDoor>,
}

/// Where an integration's CRM reaches us (S2-42).
#[derive(Debug, Clone)]
pub struct WebhookOverview {
    /// The address; a secret stands at its end.
    pub address: Option<HookAddress>,
    /// Why there is none.
    pub why_not: Option<String>,
    /// The CRM asks for calls there.
    pub asks_for_calls: bool,
}

impl Overview {
    /// Returns what a portal is made of, where an account in force opens it.
    pub(super) fn book(&self, portal: &PortalKey) -> Option<Arc<AccountBook>> {
        let mut accounts = self.accounts.iter();
        let found = accounts.find(|account| account.portal == *portal)?;
        Some(Arc::clone(&found.book))
    }
}

/// Where a source or a CRM tells us something over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideDoor {
    /// Whose: a source, or the integration of a CRM.
    pub of: DoorOwner,
    /// The path, up to where the secret follows.
    pub path: String,
    /// What is pasted into the other side's own pages.
    pub texts: Vec<PasteText>,
}

/// Whose door it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorOwner {
    /// A source.
    Source(SourceKey),
    /// The CRM of an integration.
    Integration(IntegrationKey),
}

/// One source.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SourceOverview {
    /// Its key.
    pub key: SourceKey,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// It keeps a session up (else it is posted to).
    pub session: bool,
    /// What it can report.
    #[serde(skip)]
    pub kinds: Vec<Kind>,
}

/// A CRM that accounts can be added of.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct CrmOverview {
    /// The word of it in files.
    pub crm: &'static str,
    /// What a person types to add an account.
    #[serde(flatten)]
    pub form: CredentialForm,
}

/// A kind of source that can be added.
#[derive(Debug, Clone, Copy)]
pub struct SourceKindOverview {
    /// The word of it in files.
    pub kind: &'static str,
    /// What a person reads and types to add one.
    pub form: SourceForm,
}

/// One integration whose deals come back.
#[derive(Clone)]
pub struct DealPlaceOverview {
    /// Its key.
    pub key: IntegrationKey,
    /// Its name.
    pub name: String,
    /// Deals are received; else what was received is only kept.
    pub on: bool,
    /// The additional columns, as they were chosen.
    pub columns: Vec<String>,
    /// The tenant's clocks (IANA).
    pub time_zone: String,
    /// In which language its people read.
    pub language: Language,
    /// Where deals are passed on to.
    pub upload_to: Option<SourceKey>,
    /// What a person has to set up in the CRM so that it tells of deals, where nothing else can.
    pub hooks_by_hand: Option<&'static str>,
    /// Where webhooks reach us, without the secret at its end; `None` = they cannot.
    pub hook_place: Option<String>,
    /// To have them read.
    pub wishes: Arc<DealWishes>,
}

/// One CRM account.
#[derive(Clone)]
pub struct AccountOverview {
    /// Whose.
    pub tenant: TenantId,
    /// Its name there.
    pub account: AccountId,
    /// Its portal.
    pub portal: PortalKey,
    /// The people of the tenant, who may be users of it.
    pub employees: Arc<Employees>,
    /// What speaks to it.
    pub adapter: Arc<dyn Adapter>,
    /// What its portal is made of.
    pub book: Arc<AccountBook>,
    /// What administrators call it.
    pub shown: AccountShown,
}

/// What administrators call a CRM account (S1-01).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct AccountShown {
    /// Its CRM, by the word of files.
    pub crm: String,
    /// Its title; its own name where none was given.
    pub title: String,
    /// The portal's address.
    #[schemars(extend("format" = "uri"))]
    pub address: String,
    /// The operators' workplace that is shown in it.
    #[serde(skip)]
    pub workplace: Option<Workplace>,
}

/// One integration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct IntegrationOverview {
    /// Its key.
    pub key: IntegrationKey,
    /// Its CRM.
    pub crm: String,
    /// Its portal.
    pub portal: PortalKey,
    /// Whether it works.
    pub activity: Activity,
    /// The revision of its settings.
    pub settings_revision: u64,
}

/// A tenant's file that is not in force.
pub struct Draft {
    /// Whose.
    pub tenant: TenantId,
    /// Its integrations.
    pub settings: Vec<Candidate>,
}

/// Reads a tenant's file that is not in force, from its name and text, or names every mistake.
pub type ReadDraft = Arc<dyn Fn(&str, String) -> Result<Draft, Vec<String>> + Send + Sync>;

/// Something that does not work, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Off {
    /// What.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
}

/// Removes files of our own folder of recordings, by their names.
pub type DiscardRecordings = Arc<dyn Fn(&[String]) -> std::io::Result<()> + Send + Sync>;

/// What the handlers share.
#[derive(Clone)]
pub struct AdminState {
    /// The store.
    pub store: StoreHandle,
    /// The time of day.
    pub clock: SharedClock,
    /// How everything supervised is.
    pub board: Arc<StatusBoard>,
    /// The integrations, to be woken.
    pub handles: SharedHandles,
    /// What is configured; replaced at reload.
    pub overview: Arc<ArcSwap<Overview>>,
    /// Where click-to-call orders come in.
    pub desk: Arc<CallDesk>,
    /// Reads settings that are not in force.
    pub drafts: ReadDraft,
    /// The tenants' files, to be changed.
    pub files: Arc<dyn TenantFiles>,
    /// Employees from the CRMs.
    pub employees: Arc<dyn EmployeeSyncs>,
    /// Makes backups.
    pub archivist: Arc<Archivist>,
    /// Tells people about alarms.
    pub teller: Arc<Teller>,
    /// What is seen now and then.
    pub signs: Arc<Signs>,
    /// Who lets accounts in.
    pub consent: SharedDesk,
    /// Which portals ask to be let in.
    pub installations: SharedInstallations,
    /// Where questions come in.
    pub questions: Arc<Desk>,
    /// Removes recordings of whom is forgotten.
    pub discard: DiscardRecordings,
    /// Everything is bound and started.
    pub ready: Arc<Readiness>,
    /// The metrics.
    pub metrics: PrometheusHandle,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// The language of texts, where the request asks for none.
    pub language: Language,
    /// What the daemon says, in Russian.
    pub phrases: Arc<Phrasebook>,
}

impl Overview {
    /// Finds an account by the words of a path.
    pub(super) fn account(&self, tenant: &str, account: &str) -> Option<&AccountOverview> {
        let mut accounts = self.accounts.iter();
        accounts.find(|one| one.tenant.as_str() == tenant && one.account.as_str() == account)
    }
}

impl AdminState {
    /// Returns why an integration begins no works at present: its CRM does not serve the account.
    pub(super) fn held(&self, integration: &IntegrationKey) -> Option<String> {
        self.board.get(&board_name(integration))?.held
    }

    /// Gives an undecided work that was not tried yet the reason for which none is.
    pub(super) fn say_what_it_waits_for(&self, work: &mut Work) {
        if let WorkState::Undecided { why, .. } = &mut work.state
            && why.is_none()
        {
            *why = self.held(&work.integration);
        }
    }
}

/// Whether the daemon is ready.
#[derive(Debug, Default)]
pub struct Readiness(AtomicBool);

impl Readiness {
    /// Sets it.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// Reads it.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
