//! Bitrix24, its REST API of version 2 (`crm/bitrix24.md`).
//!
//! `map` and `telephony` put steps into its terms, `execute` sends them, `look` finds effects
//! again, `facts` reads clients, `describe` the portal. Everything goes through the `pool`, which
//! makes batches of it, and so through the account's door; nothing here repeats a request by
//! itself.

mod auth;
mod clicks;
mod client;
mod command;
mod consent;
mod credential_form;
mod describe;
mod directory;
mod embed;
mod events;
mod execute;
mod facts;
mod hosts;
mod install;
mod look;
mod map;
mod notice;
mod oauth;
mod opened;
mod operating;
mod pair;
mod pool;
mod refusal;
mod screen;
pub mod settings;
mod settings_words;
mod settle;
mod setup;
mod standing;
mod telephony;
mod text;
mod upload;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use self::auth::Auth;
use self::client::Client;
use self::events::Events;
use self::facts::Search;
use self::screen::Registrations;
use self::settings::{BitrixSettings, Telling};
use self::setup::{Setup, SetupKeeper};
use self::standing::Unwritten;
use self::upload::Uploads;
use super::account::http::AccountHttp;
use super::registry::CrmKind;
use super::{
    ALONE, AccountDescription, AccountDoor, Adapter, Class, Clicks, Consent, CredentialState,
    DirectoryReader, Embedding, Installable, Outside, Screen, StepCommand,
};
use crate::clock::SharedClock;
use crate::model::asked::SettingsForm;
use crate::model::capabilities::{
    CallHistoryManner, Capabilities, Certainty, RecordingWay, StepCapability,
};
use crate::model::communication::{Kind, Phase};
use crate::model::employee_sync::SyncManner;
use crate::model::facts::{Facts, FactsQuery};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::phone::Region;
use crate::model::plan::{Effect, StepKind};
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
    installer: Some(&install::PortalInstaller),
    embedding: Embedding::Placement,
};

/// The cloud cuts a request after sixty seconds (§1); we wait for a little longer.
const SETTLES_AFTER: Duration = Duration::from_secs(70);

/// One portal.
pub struct BitrixAdapter {
    client: Client,
    http: Arc<AccountHttp>,
    clock: SharedClock,
    host: String,
    /// Where requests to the host go.
    base_url: String,
    /// The country in whose form numbers without a code are written.
    region: Region,
    setup: SetupKeeper,
    events: Events,
    /// The account has a workplace, which stands in the portal's menu.
    has_workplace: bool,
    uploads: Uploads,
    registrations: Registrations,
    unwritten: Unwritten,
    telling: Telling,
    /// By what the portal is like.
    offers: [(Setup, Capabilities); 4],
}

impl BitrixAdapter {
    /// Opens an account; asks it nothing yet.
    pub fn new(settings: &BitrixSettings, door: AccountDoor) -> Self {
        let auth = Auth::open(settings, &door);
        Self {
            client: Client::new(Arc::clone(&door.http), auth, door.clock.clone()),
            http: door.http,
            clock: door.clock,
            host: settings.host.clone(),
            base_url: settings.base_url.clone(),
            region: Region::default(),
            setup: SetupKeeper::new(door.vault),
            events: Events::default(),
            has_workplace: settings.workplace.is_some(),
            uploads: Uploads::new(door.recordings),
            registrations: Registrations::default(),
            unwritten: Unwritten::default(),
            telling: settings.telling,
            offers: [(false, false), (false, true), (true, false), (true, true)].map(
                |(leads, telephony_closed)| {
                    let setup = Setup {
                        leads,
                        telephony_closed,
                    };
                    (setup, capabilities(setup, settings))
                },
            ),
        }
    }

    fn is_telephony_closed(&self) -> bool {
        self.setup.present().telephony_closed
    }

    /// Takes note that telephony is closed to us, found out by a call.
    async fn close_telephony(&self) {
        tracing::warn!(
            portal = self.host,
            "telephony is closed to us: calls are activities"
        );
        let setup = Setup {
            telephony_closed: true,
            ..self.setup.present()
        };
        if self.setup.note(setup).await.is_err() {
            tracing::warn!(portal = self.host, "that could not be written down");
        }
    }
}

impl Adapter for BitrixAdapter {
    fn capabilities(&self) -> &Capabilities {
        let present = self.setup.present();
        let [(_, first), ..] = &self.offers;
        let found = self.offers.iter().find(|(setup, _)| *setup == present);
        found.map_or(first, |(_, offer)| offer)
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

    fn set_up(&self, outside: Outside) -> BoxFuture<'_, Outcome<()>> {
        async move {
            match self.embed(&outside).await {
                Ok(()) => Outcome::Done(()),
                Err(unanswered) => unanswered.into_outcome(),
            }
        }
        .boxed()
    }

    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>> {
        async move {
            let setup = match self.setup.ready(&self.client, class).await {
                Ok(setup) => setup,
                Err(unanswered) => return unanswered.into_outcome(),
            };
            let search = Search {
                client: &self.client,
                region: self.region,
                leads: setup.leads,
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

    fn request_sort(&self, effect: &Effect) -> &'static str {
        match effect {
            Effect::LinkRecording(link) if link.upload => ALONE,
            _ => "",
        }
    }

    fn replaces_itself(&self, effect: &Effect) -> bool {
        // Beside an activity it is a comment, of which there would be two.
        let Effect::LinkRecording(link) = effect else {
            return false;
        };
        map::known(&link.entry).is_ok_and(|entry| telephony::is_telephony(&entry.id))
    }

    fn settles_after(&self) -> Duration {
        SETTLES_AFTER
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        async move { self.look_for(&command).await }.boxed()
    }

    fn employee_sync(&self) -> SyncManner {
        SyncManner::Daily
    }

    fn directory(&self) -> Option<&dyn DirectoryReader> {
        Some(self)
    }

    fn authorise(&self, code: Secret) -> BoxFuture<'_, Outcome<()>> {
        async move { self.client.auth().authorise(&code).await }.boxed()
    }

    fn alarm(&self) -> BoxFuture<'_, Option<String>> {
        self.client.alarm().boxed()
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

    fn installable(&self) -> Option<&dyn Installable> {
        Some(self)
    }

    fn clicks(&self) -> Option<&dyn Clicks> {
        Some(self)
    }

    fn screen(&self) -> Option<&dyn Screen> {
        Some(self)
    }
}

/// Says what can be done.
fn capabilities(setup: Setup, settings: &BitrixSettings) -> Capabilities {
    let certainty = |kind| match kind {
        // Our marker in the text; the card is read back.
        StepKind::CreateTask | StepKind::FillFields | StepKind::AddNote | StepKind::HandOver => {
            Some(Certainty::BySearch)
        }
        StepKind::CreateUnsorted | StepKind::AwaitContact => None,
        StepKind::CreateLead if !setup.leads => None,
        // ORIGIN_ID, EXTERNAL_CALL_ID; recordings and notices replace themselves.
        StepKind::CreateContact
        | StepKind::CreateDeal
        | StepKind::CreateLead
        | StepKind::RecordCall
        | StepKind::LinkRecording
        | StepKind::Notify => Some(Certainty::ByKey),
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
            (Kind::Chat, Phase::Started),
            (Kind::Chat, Phase::Accepted),
            (Kind::Chat, Phase::Tagged),
            (Kind::Chat, Phase::Message),
            (Kind::Chat, Phase::Continued),
            (Kind::Chat, Phase::Ended),
            (Kind::Request, Phase::Received),
        ],
        calls: CallHistoryManner {
            needs_user: true,
            recording_apart: true,
            opened_by_card: !setup.telephony_closed,
            recording_way: match setup.telephony_closed {
                true => RecordingWay::Link,
                false => settings.recordings,
            },
            names_our_number: settings.telling.number_as_line,
            opened_by_click: !setup.telephony_closed,
            ..CallHistoryManner::default()
        },
    }
}

#[cfg(test)]
mod tests;
