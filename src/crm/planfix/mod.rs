//! Planfix: its REST API of version 2 and its telephony API (`crm/planfix.md`).
//!
//! Two interfaces, two credentials, two doors: telephony takes calls as they go and makes contacts
//! of strangers from them; REST makes tasks, fills fields, and says who is who, one request a
//! second and so many a day. A task made from an object is what others call a deal.

mod clicks;
mod client;
mod credential_form;
mod deals;
mod describe;
mod directory;
mod execute;
mod facts;
mod look;
mod map;
mod people;
mod quota;
mod refusal;
mod scopes;
mod screen;
pub mod settings;
mod settings_words;
mod setup;
mod telephony;
mod text;
mod wire;

use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;

use self::client::Client;
use self::scopes::KnownScopes;
use self::settings::{PlanfixSettings, WithoutContact};
use self::setup::SetupKeeper;
use super::registry::CrmKind;
use super::{
    AccountDescription, AccountDoor, Adapter, CallRequests, Class, DayQuota, DealReader,
    DirectoryReader, Embedding, HookAddress, Screen, StepCommand,
};
use crate::clock::SharedClock;
use crate::model::asked::SettingsForm;
use crate::model::capabilities::{CallHistoryManner, Capabilities, Certainty, StepCapability};
use crate::model::communication::{Kind, Phase};
use crate::model::employee_sync::ListedUser;
use crate::model::facts::{Facts, FactsQuery};
use crate::model::ids::Extension;
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::plan::StepKind;
use crate::model::secret::Secret;

/// The registry's line.
pub const KIND: CrmKind = CrmKind {
    name: settings::NAME,
    russian: include_str!("russian.txt"),
    secrets: settings::SECRETS,
    form: SettingsForm {
        asked: settings::asked,
        words: settings_words::WORDS,
    },
    credential: credential_form::FORM,
    build: settings::build,
    installer: None,
    embedding: Embedding::None {
        instead: "Planfix documents no way to put a page into it. Keep the workplace in a tab of the browser of its \
                  own, or as an installed application of it (menu of the browser, install page as app); \
                  calls by click come from Planfix itself (docs/workplace.md)",
    },
};

/// One account.
pub struct PlanfixAdapter {
    client: Client,
    clock: SharedClock,
    host: String,
    telephony_path: String,
    /// The key of the PBX, as it was typed in Planfix's telephony application.
    pbx_key: Option<Secret>,
    /// Where Planfix may ask.
    asked_at: Mutex<Vec<HookAddress>>,
    /// The scopes that are missing, as of when.
    missing_scopes: Mutex<Option<KnownScopes>>,
    setup: SetupKeeper,
    zone: TimeZone,
    key_field: String,
    call_time_field: Option<String>,
    missed_extension: Option<String>,
    contact_template: Option<i64>,
    contact_wait: Duration,
    without_contact: WithoutContact,
    deal_memory: deals::DealMemory,
    capabilities: Capabilities,
}

impl PlanfixAdapter {
    /// Opens an account; asks it nothing yet.
    pub fn new(settings: &PlanfixSettings, door: AccountDoor) -> Self {
        Self {
            client: Client::new(settings, &door),
            clock: door.clock,
            host: settings.host.clone(),
            telephony_path: settings.telephony_path.clone(),
            pbx_key: door.secrets.get(settings::PBX_KEY).cloned(),
            asked_at: Mutex::default(),
            missing_scopes: Mutex::default(),
            setup: SetupKeeper::new(door.vault, settings.key_field.clone()),
            zone: settings.zone.clone(),
            key_field: settings.key_field.clone(),
            call_time_field: settings.call_time_field.clone(),
            missed_extension: settings.missed_extension.clone(),
            contact_template: settings.contact_template,
            contact_wait: settings.contact_wait,
            without_contact: settings.without_contact,
            deal_memory: deals::DealMemory::default(),
            capabilities: capabilities(),
        }
    }
}

impl Adapter for PlanfixAdapter {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
        async {
            match self.description().await {
                Ok(description) => Outcome::Done(description),
                Err(unanswered) => unanswered.into_outcome(),
            }
        }
        .boxed()
    }

    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>> {
        async move {
            // As of the first request: what changes during the reading may be missing.
            let as_of = self.clock.now();
            match self.read_facts(&query, class, as_of).await {
                Ok(facts) => Outcome::Done(facts),
                Err(unanswered) => unanswered.into_outcome(),
            }
        }
        .boxed()
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        async move { self.execute_all(&commands).await }.boxed()
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        async move { self.look_for(&command).await }.boxed()
    }

    fn people(&self, extensions: Vec<Extension>) -> BoxFuture<'_, Outcome<Vec<ListedUser>>> {
        async move {
            match self.read_people(extensions).await {
                Ok(people) => Outcome::Done(people),
                Err(unanswered) => unanswered.into_outcome(),
            }
        }
        .boxed()
    }

    fn directory(&self) -> Option<&dyn DirectoryReader> {
        Some(self)
    }

    fn deals(&self) -> Option<&dyn DealReader> {
        Some(self)
    }

    fn alarm(&self) -> BoxFuture<'_, Option<String>> {
        async { self.client.alarm() }.boxed()
    }

    fn day_quota(&self) -> Option<DayQuota> {
        Some(self.client.day_quota())
    }

    fn call_requests(&self) -> Option<&dyn CallRequests> {
        Some(self)
    }

    fn screen(&self) -> Option<&dyn Screen> {
        Some(self)
    }
}

/// Says what can be done.
fn capabilities() -> Capabilities {
    let certainty = |kind| match kind {
        // The key field, or the end of the key in a task's name; the key in a comment; the card.
        StepKind::CreateContact
        | StepKind::CreateDeal
        | StepKind::CreateTask
        | StepKind::FillFields
        | StepKind::AddNote
        | StepKind::AwaitContact => Some(Certainty::BySearch),
        // Planfix shows a call without our name of it.
        StepKind::RecordCall => Some(Certainty::Undecidable),
        // The same link of the same call once more.
        StepKind::LinkRecording => Some(Certainty::ByKey),
        StepKind::CreateUnsorted | StepKind::CreateLead | StepKind::HandOver | StepKind::Notify => {
            None
        }
    };
    let step = |kind| {
        Some(StepCapability {
            kind,
            certainty: certainty(kind)?,
            // Planfix takes no batches.
            batch_max: 1,
        })
    };
    Capabilities {
        steps: StepKind::ALL.into_iter().filter_map(step).collect(),
        phases: vec![
            (Kind::Call, Phase::Ended),
            (Kind::Call, Phase::RecordingReady),
            (Kind::Request, Phase::Received),
            (Kind::Chat, Phase::Started),
            (Kind::Chat, Phase::Accepted),
            (Kind::Chat, Phase::Tagged),
            (Kind::Chat, Phase::Message),
            (Kind::Chat, Phase::Continued),
            (Kind::Chat, Phase::Ended),
        ],
        calls: CallHistoryManner {
            needs_user: false,
            recording_apart: true,
            opened_by_card: false,
            by_telephone: true,
            makes_contacts: true,
            ..CallHistoryManner::default()
        },
    }
}
