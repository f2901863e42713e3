//! Bitrix24, its REST API of version 2 (`crm/bitrix24.md`).
//!
//! `map` and `telephony` put steps into its terms, `execute` sends them, `look` finds effects
//! again, `facts` reads clients, `describe` the portal. Everything goes through the `pool`, which
//! makes batches of it, and so through the account's door; nothing here repeats a request by
//! itself.

mod auth;
mod client;
mod command;
mod consent;
mod describe;
mod directory;
mod execute;
mod facts;
mod hosts;
mod look;
mod map;
mod oauth;
mod operating;
mod pair;
mod pool;
mod refusal;
mod screen;
pub mod settings;
mod telephony;
mod text;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use self::auth::Auth;
use self::client::Client;
use self::facts::Search;
use self::settings::BitrixSettings;
use super::registry::CrmKind;
use super::{
    AccountDescription, AccountDoor, Adapter, Class, Consent, CredentialState, DirectoryReader,
    Screen, StepCommand,
};
use crate::clock::SharedClock;
use crate::model::capabilities::{CallHistoryManner, Capabilities, Certainty, StepCapability};
use crate::model::communication::{Kind, Phase};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::phone::Region;
use crate::model::plan::{Effect, StepKind};
use crate::model::secret::Secret;

/// The registry's line.
pub const KIND: CrmKind = CrmKind {
    name: settings::NAME,
    secrets: settings::SECRETS,
    build: settings::build,
};

/// The cloud cuts a request after sixty seconds (§1); we wait for a little longer.
const SETTLES_AFTER: Duration = Duration::from_secs(70);

/// One portal.
pub struct BitrixAdapter {
    client: Client,
    clock: SharedClock,
    host: String,
    /// The country in whose form numbers without a code are written.
    region: Region,
    /// Telephony is closed to our credential: calls are activities.
    telephony_closed: AtomicBool,
    /// The portal works with leads.
    leads: AtomicBool,
    with_telephony: Capabilities,
    without_telephony: Capabilities,
}

impl BitrixAdapter {
    /// Opens an account; asks it nothing yet.
    pub fn new(settings: &BitrixSettings, door: AccountDoor) -> Self {
        let auth = Auth::open(settings, &door);
        Self {
            client: Client::new(door.http, auth, door.clock.clone()),
            clock: door.clock,
            host: settings.host.clone(),
            region: Region::default(),
            telephony_closed: AtomicBool::new(false),
            leads: AtomicBool::new(false),
            with_telephony: capabilities(true),
            without_telephony: capabilities(false),
        }
    }

    fn is_telephony_closed(&self) -> bool {
        self.telephony_closed.load(Ordering::Relaxed)
    }

    fn close_telephony(&self) {
        if !self.telephony_closed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                portal = self.host,
                "telephony is closed to us: calls are activities"
            );
        }
    }

    fn open_telephony(&self) {
        self.telephony_closed.store(false, Ordering::Relaxed);
    }

    fn note_leads(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
    }
}

impl Adapter for BitrixAdapter {
    fn capabilities(&self) -> &Capabilities {
        match self.is_telephony_closed() {
            true => &self.without_telephony,
            false => &self.with_telephony,
        }
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
            let search = Search {
                client: &self.client,
                region: self.region,
                class,
            };
            // As of the first request: what changes during the reading may be missing.
            match search.facts(&query, self.clock.now()).await {
                Ok(facts) => Outcome::Done(facts),
                Err(unanswered) => unanswered.into_outcome(),
            }
        }
        .boxed()
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        async move { self.execute_all(&commands).await }.boxed()
    }

    fn request_sort(&self, _effect: &Effect) -> &'static str {
        ""
    }

    fn settles_after(&self) -> Duration {
        SETTLES_AFTER
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        async move { self.look_for(&command).await }.boxed()
    }

    fn directory(&self) -> Option<&dyn DirectoryReader> {
        Some(self)
    }

    fn authorise(&self, code: Secret) -> BoxFuture<'_, Outcome<()>> {
        async move { self.client.auth().authorise(&code).await }.boxed()
    }

    fn alarm(&self) -> BoxFuture<'_, Option<String>> {
        async { self.client.auth().alarm(self.clock.now()).await }.boxed()
    }

    fn credential(&self) -> BoxFuture<'_, Option<CredentialState>> {
        async { Some(self.client.auth().credential().await) }.boxed()
    }

    fn keep(&self) -> BoxFuture<'_, ()> {
        self.client.auth().keep().boxed()
    }

    fn consent(&self) -> Option<&dyn Consent> {
        Some(self)
    }

    fn screen(&self) -> Option<&dyn Screen> {
        Some(self)
    }
}

/// Says what can be done.
fn capabilities(telephony: bool) -> Capabilities {
    let certainty = |kind| match kind {
        // ORIGIN_ID, EXTERNAL_CALL_ID; a recording replaces itself.
        StepKind::CreateContact
        | StepKind::CreateDeal
        | StepKind::RecordCall
        | StepKind::LinkRecording => Some(Certainty::ByKey),
        // Our marker in the text; the card is read back.
        StepKind::CreateTask | StepKind::FillFields => Some(Certainty::BySearch),
        StepKind::CreateUnsorted => None,
    };
    let step = |kind| {
        Some(StepCapability {
            kind,
            certainty: certainty(kind)?,
            // The pool sees to the size of requests: more than one may be made of these.
            batch_max: pool::COMMANDS_MAX,
        })
    };
    Capabilities {
        steps: StepKind::ALL.into_iter().filter_map(step).collect(),
        phases: vec![
            (Kind::Call, Phase::Answered),
            (Kind::Call, Phase::Ended),
            (Kind::Call, Phase::RecordingReady),
        ],
        calls: CallHistoryManner {
            needs_user: true,
            recording_apart: true,
            opened_by_card: telephony,
        },
    }
}
