//! Where CRM work goes: the traits that an adapter implements, and the registry.
//!
//! A CRM is one folder and one line in [`registry`]; nothing outside the folder names it. The
//! only door to the network is `account`.

pub mod alfacrm;
pub mod amocrm;
pub mod bitrix24;
mod book;
mod call_requests;
mod clicks;
mod consent;
mod credential;
mod day_quota;
mod deal_reader;
mod directory_reader;
mod installation;
mod lists;
pub mod pair_vault;
mod people;
pub mod planfix;
mod recording_files;
pub mod registry;
mod screen;
mod workplace;

pub use self::book::AccountBook;
pub use self::call_requests::{Asked, CallRequests, Clicked, Clicker, HookReply, HookRequest};
pub use self::clicks::{Click, Clicks};
pub use self::consent::{
    Answer, CONSENT_WITHIN, Consent, ConsentDesk, ConsentLink, Grant, LetIn, NoAccounts, NoPage,
    Returned, SharedDesk, States, SwitchOff, SwitchedOff,
};
pub use self::credential::{
    CredentialForm, CredentialState, CredentialWay, EntryField, EntryKind, EntryWay,
};
pub use self::day_quota::DayQuota;
pub use self::deal_reader::{
    DealField, DealNames, DealPiece, DealReader, DealRecords, DealsNext, DealsSince, DealsWanted,
    GONE_IDS_MAX, KnownDeals,
};
pub use self::directory_reader::{
    Changes, Covered, DirectoryReader, DirectorySettings, HookAddress, Piece, PieceNext,
};
pub use self::installation::{
    Acquaintance, Bundle, FinishScript, InstallPage, Installable, Installation, InstallationDesk,
    Installer, NoInstallations, NotProven, Posted, Proven, Received, Reception, Removal,
    SharedInstallations, StandIn, VendorWay,
};
pub use self::recording_files::{NoRecordingFile, RecordingFile, RecordingFiles};
pub use self::screen::{Popup, Screen};
pub use self::workplace::{
    Embedding, NoWorkplaces, SharedWorkplaces, WidgetClick, WidgetClicked, WidgetFile, WidgetPlace,
    WidgetProof, WidgetUsers, Workplace, WorkplaceDesk, WorkplacePage,
};
pub use crate::model::words::Words;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::capabilities::Capabilities;
use crate::model::communication::{Kind, Phase};
use crate::model::deal_settings::DealSettings;
use crate::model::employee_sync::{ListedUser, SyncManner};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::field::CrmField;
use crate::model::ids::{CrmUserId, Extension, PortalKey};
use crate::model::mistake::Mistake;
use crate::model::outcome::{Look, Outcome, Rejection, StepResult};
use crate::model::plan::{Card, Effect, StepKey};
use crate::model::secret::{Secret, Secrets};
use crate::model::timestamp::Timestamp;

/// In what order requests of one account go: the first class first, the last always moving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Passing steps and live questions.
    Live,
    /// New work.
    Work,
    /// Backfill and sync.
    Background,
}

/// What a CRM is given to end a request that we gave up. We give up after twenty seconds at the
/// latest; web applications commonly end a request after thirty, sixty behind a patient gateway,
/// and few are at work on one for so long at all.
const SETTLES_AFTER: Duration = Duration::from_secs(20);

/// The sort of steps that share no request and wait for none: the adapter itself says whose turn it is.
pub const ALONE: &str = "alone";

/// A CRM account's adapter: translates steps and questions into requests and answers back.
pub trait Adapter: Send + Sync {
    /// Returns what it can do.
    fn capabilities(&self) -> &Capabilities;

    /// Reads what rules and administrators must know about the account, and sets up what we need
    /// there (the marker field). Safe to repeat.
    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>>;

    /// Has the CRM know the addresses at which the outside reaches us, as far as it is to call them.
    /// Safe to repeat.
    fn set_up(&self, outside: Outside) -> BoxFuture<'_, Outcome<()>> {
        drop(outside);
        async { Outcome::Done(()) }.boxed()
    }

    /// Asks what the CRM knows about a client.
    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>>;

    /// Carries out steps of one kind and sort in one request where the CRM takes several. Returns one
    /// outcome for each command, in order. Targets are [`Known`](crate::model::plan::Target).
    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>>;

    /// Names the sort of request that an effect goes out in: steps of one kind and one sort can
    /// share a request. Without an answer of the adapter's own, all of a kind can; of the sort
    /// [`ALONE`] none.
    fn request_sort(&self, _effect: &Effect) -> &'static str {
        ""
    }

    /// Returns how long after we gave a request up the CRM may still carry it out: only a look
    /// that is made later may say that there is no effect.
    fn settles_after(&self) -> Duration {
        SETTLES_AFTER
    }

    /// Says whether a repeat of an effect takes the place of what was sent before: then it is sent
    /// again without a look, and at once.
    fn replaces_itself(&self, _effect: &Effect) -> bool {
        false
    }

    /// Looks whether the effect of a command that was sent exists, at the time of looking.
    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>>;

    /// Makes the account's credential from a code that an administrator got from the CRM.
    fn authorise(&self, code: Secret) -> BoxFuture<'_, Outcome<()>> {
        drop(code);
        let rejection = Rejection {
            code: "no_code".to_owned(),
            message: "this account is not authorised by a code".to_owned(),
        };
        async move { Outcome::Rejected(rejection) }.boxed()
    }

    /// Lists its users, each with the short number where the CRM says it (S2-06). Of these extensions
    /// it would be good to know whose they are: some CRMs only answer that.
    fn people(&self, extensions: Vec<Extension>) -> BoxFuture<'_, Outcome<Vec<ListedUser>>> {
        drop(extensions);
        people::described(self.describe()).boxed()
    }

    /// Says how its users become employees by themselves.
    fn employee_sync(&self) -> SyncManner {
        SyncManner::ManualOnly
    }

    /// Returns the reader of its clients and deals, where the CRM lets them be read.
    fn directory(&self) -> Option<&dyn DirectoryReader> {
        None
    }

    /// Returns the reader of its deals, where the CRM has any that come back.
    fn deals(&self) -> Option<&dyn DealReader> {
        None
    }

    /// Says what a person must do about the credential, if anything.
    fn alarm(&self) -> BoxFuture<'_, Option<String>> {
        async { None }.boxed()
    }

    /// Says how it is let in and until when.
    fn credential(&self) -> BoxFuture<'_, Option<CredentialState>> {
        async { None }.boxed()
    }

    /// Says what is left of the day's requests, where the CRM counts them by the day.
    fn day_quota(&self) -> Option<DayQuota> {
        None
    }

    /// Does what keeps the credential alive, where time alone would end it. Called now and then.
    fn keep(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }

    /// Returns how a person lets us in on a page of the CRM, where the CRM has one.
    fn consent(&self) -> Option<&dyn Consent> {
        None
    }

    /// Returns how a portal lets us in by installing an application, where the CRM has that.
    fn installable(&self) -> Option<&dyn Installable> {
        None
    }

    /// Returns what knows the users of our widget in the CRM, where there is one.
    fn widget_users(&self) -> Option<&dyn WidgetUsers> {
        None
    }

    /// Returns what reads the CRM's wishes for calls, where it asks for them at its webhook.
    fn call_requests(&self) -> Option<&dyn CallRequests> {
        None
    }

    /// Returns what tells of clicks on numbers, where the CRM does.
    fn clicks(&self) -> Option<&dyn Clicks> {
        None
    }

    /// Returns what shows cards to the CRM's users, where the CRM can.
    fn screen(&self) -> Option<&dyn Screen> {
        None
    }
}

/// Addresses of ours that a CRM may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Where portals say that they installed an application or took it out.
    pub installations: String,
    /// The page that frames the account's workplace.
    pub workplace: String,
}

/// One step to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCommand {
    /// Its key; the marker comes from here.
    pub key: StepKey,
    /// The effect, with every target known.
    pub effect: Effect,
    /// What the communication is, where that is known.
    pub kind: Option<Kind>,
    /// The phase of the communication that it was decided in.
    pub phase: Phase,
    /// When it was first sent, now included.
    pub first_sent_at: Timestamp,
}

/// What an account is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDescription {
    /// What the CRM calls the account.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its time zone (IANA), where the CRM says.
    pub time_zone: Option<String>,
    /// Its users.
    pub users: Vec<CrmUser>,
    /// Its pipelines.
    pub pipelines: Vec<Pipeline>,
    /// The pipelines of deals that come back, where those are others.
    #[serde(default)]
    pub deal_pipelines: Vec<Pipeline>,
    /// Its additional fields.
    pub fields: Vec<CrmField>,
    /// Its sorts of tasks, where the CRM has several.
    #[serde(default)]
    pub task_types: Vec<TaskType>,
    /// What does not work there, and why (no filter option, no admin rights, …).
    pub limits: Vec<String>,
}

/// An account as it was last read; kept, so that it can be shown while the CRM does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedAccount {
    /// When it was read.
    pub as_of: Timestamp,
    /// What it is made of.
    pub account: AccountDescription,
}

/// A user of the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrmUser {
    /// The CRM's id.
    pub id: CrmUserId,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone, as it was typed: a number or an extension.
    #[serde(default)]
    pub phone: Option<String>,
    /// The user may log in.
    pub active: bool,
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The CRM's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// It is the account's main one.
    pub main: bool,
    /// It takes unsorted records.
    pub unsorted: bool,
    /// Its ordinary stages, in order.
    pub stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The CRM's id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// A sort of task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskType {
    /// The CRM's id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// Keeps the secrets of one account, encrypted on disk.
pub trait TokenVault: Send + Sync {
    /// Returns the present token.
    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>>;
    /// Replaces it; returns when it is on disk.
    fn save(&self, token: Secret) -> BoxFuture<'_, Result<(), VaultError>>;
    /// Returns what we set up in the account (field ids and the like).
    fn setup(&self) -> BoxFuture<'_, Result<Option<Value>, VaultError>>;
    /// Replaces that.
    fn save_setup(&self, setup: Value) -> BoxFuture<'_, Result<(), VaultError>>;
}

/// Why a secret could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It cannot be decrypted with the present key.
    #[error(
        "cannot decrypt the stored credential: the store key changed; enter the credential again"
    )]
    WrongKey,
    /// The store is gone.
    #[error("the store is closed")]
    Closed,
    /// The file beside the store cannot be read or written.
    #[error("{0}")]
    Witness(String),
}

/// A CRM account as configured, ready to be opened.
pub trait AccountSettings: Send + Sync {
    /// Returns which portal it is: integrations of one portal share budget, breaker and lanes.
    fn portal(&self) -> PortalKey;

    /// Returns the host that requests go to.
    fn base_url(&self) -> &str;

    /// Returns the portal's address, as people open it.
    fn address(&self) -> String {
        self.base_url().to_owned()
    }

    /// Returns the requests a second that we allow ourselves.
    fn rate_per_second(&self) -> f64;

    /// Returns the most requests that the CRM permits in any sliding second; `None` = one more
    /// than the rate.
    fn per_second_max(&self) -> Option<u32> {
        None
    }

    /// Returns how its HTTP departs from what is usual.
    fn manners(&self) -> account::manners::Manners {
        account::manners::Manners::default()
    }

    /// Returns how its directory is kept; `None` = it is not.
    fn directory(&self) -> Option<DirectorySettings> {
        None
    }

    /// Says whether it has deals that come back ([`Adapter::deals`]).
    fn has_deals(&self) -> bool {
        false
    }

    /// Says what a person has to set up in the CRM so that it tells of deals at our address, where
    /// nothing else can have it do so.
    fn deal_hooks_by_hand(&self) -> Option<&'static str> {
        None
    }

    /// Names what settings of deals lack so that this CRM's deals can be told.
    fn deal_mistakes(&self, deals: &DealSettings) -> Vec<Mistake> {
        let _ = deals;
        Vec::new()
    }

    /// Says whether a webhook may be about clients, so that the directory is behind.
    fn tells_of_clients(&self, content_type: Option<&str>, body: &[u8]) -> bool {
        let _ = (content_type, body);
        true
    }

    /// Says whether new contacts can be made from a template that a step names.
    fn has_contact_templates(&self) -> bool {
        false
    }

    /// Reads which deals a webhook of the CRM is about, as [`DealReader::anew`] takes them. Pure; what
    /// cannot be read says nothing: a hint is all it is.
    fn deal_hints(&self, content_type: Option<&str>, body: &[u8]) -> Vec<String> {
        let _ = (content_type, body);
        Vec::new()
    }

    /// Returns the operators' workplace that is shown in the CRM, where one is set.
    fn workplace(&self) -> Option<&Workplace> {
        None
    }

    /// Makes the files of a widget that people put into the CRM by hand.
    ///
    /// # Errors
    /// The CRM has none, or something is missing: what a person can do.
    fn widget(&self, place: &WidgetPlace) -> Result<Vec<WidgetFile>, String> {
        drop(place.clone());
        Err("this CRM takes no widget".to_owned())
    }

    /// Returns the secrets that the account cannot do without, as it is set.
    fn secrets_needed(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns the address of a record's page, for people; `None` where the CRM has none.
    fn card_url(&self, card: &Card) -> Option<String> {
        let _ = card;
        None
    }

    /// Opens the account.
    fn open(&self, door: AccountDoor) -> Arc<dyn Adapter>;

    /// For the detection of changes at reload.
    fn fingerprint(&self) -> String;
}

/// What an adapter is given to reach its account with.
#[derive(Clone)]
pub struct AccountDoor {
    /// The only way to the network: paced, broken off when the CRM is down.
    pub http: Arc<account::http::AccountHttp>,
    /// Its secrets that change, and what was set up there.
    pub vault: Arc<dyn TokenVault>,
    /// Its rotating pair of tokens, where it has one.
    pub pairs: Arc<dyn pair_vault::PairVault>,
    /// Its secrets as configured.
    pub secrets: Secrets,
    /// Opens the recordings of calls, where any are kept.
    pub recordings: Option<Arc<dyn RecordingFiles>>,
    /// The time of day.
    pub clock: crate::clock::SharedClock,
}

pub mod account;
