//! AlfaCRM (S20), its API v2 (`crm/alfacrm.md`).
//!
//! A customer's card is lead and client in one, and stands for the contact; steps make no deals
//! beside it, and `deals` reads cards and payments as such. `map` and `text` put steps into the CRM's terms, `execute` sends them, `look` finds
//! effects again by our mark, `facts` reads clients, `describe` the account. Everything goes through
//! `client`, which logs in, and so through the account's door; nothing here repeats a request that
//! may have had an effect.

mod auth;
mod client;
mod credential_form;
mod deals;
mod describe;
mod directory;
mod execute;
mod facts;
mod look;
mod map;
mod refusal;
pub mod settings;
mod settings_words;
mod setup;
mod text;
mod wire;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use self::client::{Client, outcome};
use self::settings::AlfaSettings;
use super::registry::CrmKind;
use super::{
    AccountDescription, AccountDoor, Adapter, Class, CredentialState, CredentialWay, DealReader,
    DirectoryReader, Embedding, StepCommand, TokenVault,
};
use crate::clock::SharedClock;
use crate::model::asked::SettingsForm;
use crate::model::capabilities::{CallHistoryManner, Capabilities, Certainty, StepCapability};
use crate::model::communication::{Kind, Phase};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::plan::StepKind;

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
        instead: "AlfaCRM documents no way to put a page into it: the extension of another vendor does not take \
                  ours. Keep the workplace in a tab of the browser of its own, or as an installed \
                  application of it (docs/workplace.md)",
    },
};

/// Steps of many clients that are on their way together, one request each.
const TOGETHER_MAX: usize = 20;

/// One account.
pub struct AlfaAdapter {
    client: Client,
    settings: AlfaSettings,
    vault: Arc<dyn TokenVault>,
    clock: SharedClock,
    /// Our field on customers was seen.
    marked: AtomicBool,
    /// The user who lets us in, once asked for.
    own_user: OnceLock<Option<u64>>,
    deal_memory: deals::DealMemory,
    offers: Capabilities,
}

impl AlfaAdapter {
    /// Opens an account; asks it nothing yet.
    pub fn new(settings: &AlfaSettings, door: AccountDoor) -> Self {
        Self {
            client: Client::new(settings, &door),
            settings: settings.clone(),
            vault: door.vault,
            clock: door.clock,
            marked: AtomicBool::new(false),
            own_user: OnceLock::new(),
            deal_memory: deals::DealMemory::default(),
            offers: capabilities(),
        }
    }
}

impl Adapter for AlfaAdapter {
    fn capabilities(&self) -> &Capabilities {
        &self.offers
    }

    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
        async { outcome(self.description().await) }.boxed()
    }

    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>> {
        async move {
            // As of the first request: what changes during the reading may be missing.
            let as_of = self.clock.now();
            outcome(self.search(&query, as_of, class).await)
        }
        .boxed()
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        async move { self.execute_all(&commands).await }.boxed()
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        async move { outcome(self.find_effect(&command).await) }.boxed()
    }

    fn directory(&self) -> Option<&dyn DirectoryReader> {
        Some(self)
    }

    fn deals(&self) -> Option<&dyn DealReader> {
        Some(self)
    }

    fn alarm(&self) -> BoxFuture<'_, Option<String>> {
        async { self.client.session.alarm() }.boxed()
    }

    fn credential(&self) -> BoxFuture<'_, Option<CredentialState>> {
        let state = CredentialState {
            way: CredentialWay::Token,
            // A key has no end.
            ends_at: None,
            renamed_to: None,
        };
        async { Some(state) }.boxed()
    }
}

/// Says what can be done.
fn capabilities() -> Capabilities {
    let certainty = |kind| match kind {
        // There is but the card.
        StepKind::CreateDeal
        | StepKind::CreateLead
        | StepKind::CreateUnsorted
        | StepKind::AwaitContact
        | StepKind::Notify => None,
        // Our mark on the card, in the comment or in the task; the card is read back.
        StepKind::CreateContact
        | StepKind::RecordCall
        | StepKind::CreateTask
        | StepKind::LinkRecording
        | StepKind::AddNote
        | StepKind::FillFields
        | StepKind::HandOver => Some(Certainty::BySearch),
    };
    let step = |kind| {
        Some(StepCapability {
            kind,
            certainty: certainty(kind)?,
            batch_max: TOGETHER_MAX,
        })
    };
    Capabilities {
        steps: StepKind::ALL.into_iter().filter_map(step).collect(),
        phases: vec![
            (Kind::Call, Phase::Answered),
            (Kind::Call, Phase::Ended),
            (Kind::Call, Phase::RecordingReady),
            (Kind::Chat, Phase::Started),
            (Kind::Chat, Phase::Accepted),
            (Kind::Chat, Phase::Tagged),
            (Kind::Chat, Phase::Message),
            (Kind::Chat, Phase::Continued),
            (Kind::Chat, Phase::Ended),
            (Kind::Request, Phase::Received),
        ],
        calls: CallHistoryManner::default(),
    }
}
