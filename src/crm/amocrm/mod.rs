//! amoCRM and Kommo, API v4 (`crm/amocrm.md`).
//!
//! `wire` has their JSON, `map` puts steps into it, `execute` sends, `look` finds effects again,
//! `search` reads facts, `setup` makes the marker field. Everything goes through the account's
//! door; nothing here repeats a request by itself.

mod auth;
mod claims;
mod client;
mod consent;
mod credential_form;
mod deals;
mod describe;
mod directory;
mod execute;
mod feed;
mod fields;
mod hand_over;
mod hosts;
mod look;
mod map;
mod oauth;
mod pair;
mod popup;
mod recording;
mod replies;
mod scan;
mod search;
pub mod settings;
mod settings_words;
mod setup;
mod signature;
mod stored_phone;
mod turned_away;
mod whereabouts;
mod widget;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use self::auth::Auth;
use self::client::Client;
use self::search::Search;
use self::settings::AmoSettings;
use self::setup::{Setup, SetupKeeper};
use super::registry::CrmKind;
use super::{
    AccountDescription, AccountDoor, Adapter, Class, Consent, CredentialState, DealReader,
    DirectoryReader, Embedding, Screen, StepCommand, WidgetUsers,
};
use crate::clock::SharedClock;
use crate::model::asked::SettingsForm;
use crate::model::capabilities::{CallHistoryManner, Capabilities, Certainty, StepCapability};
use crate::model::communication::{Kind, Phase};
use crate::model::employee_sync::SyncManner;
use crate::model::facts::{Facts, FactsQuery};
use crate::model::outcome::{Look, Outcome, StepResult};
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
    installer: None,
    embedding: Embedding::Widget,
};

/// One amoCRM account.
pub struct AmoAdapter {
    client: Client,
    setup: SetupKeeper,
    clock: SharedClock,
    /// The portal's host, as configured.
    host: String,
    written_forms: bool,
    /// The integration's secret, where it is known: notices are signed with it.
    client_secret: Option<Secret>,
    /// The marker field could not be made: effects are found by search only.
    unmarked: AtomicBool,
    /// Which events the account tells.
    events: directory::Told,
    with_marker: Capabilities,
    without_marker: Capabilities,
}

impl AmoAdapter {
    /// Opens an account; asks it nothing yet.
    pub fn new(settings: &AmoSettings, door: AccountDoor) -> Self {
        let auth = Auth::open(settings, &door);
        Self {
            client: Client::new(door.http, auth),
            setup: SetupKeeper::new(door.vault, settings.marker_field.clone()),
            clock: door.clock,
            host: settings.host.clone(),
            written_forms: settings.written_forms,
            client_secret: door.secrets.get(settings::CLIENT_SECRET).cloned(),
            unmarked: AtomicBool::new(false),
            events: directory::Told::default(),
            with_marker: capabilities(Certainty::ByKey),
            without_marker: capabilities(Certainty::BySearch),
        }
    }

    fn note_marks(&self, setup: &Setup) {
        self.unmarked.store(!setup.marked(), Ordering::Relaxed);
    }
}

impl Adapter for AmoAdapter {
    fn capabilities(&self) -> &Capabilities {
        if self.unmarked.load(Ordering::Relaxed) {
            &self.without_marker
        } else {
            &self.with_marker
        }
    }

    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
        async {
            match self.description().await {
                Ok(description) => Outcome::Done(description),
                Err(error) => error.into_outcome(),
            }
        }
        .boxed()
    }

    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>> {
        async move {
            let setup = match self.setup.get(&self.client, class).await {
                Ok(setup) => setup,
                Err(failure) => return failure.into_outcome(),
            };
            let search = Search {
                client: &self.client,
                setup: &setup,
                written_forms: self.written_forms,
                class,
            };
            // As of the first request: what changes during the reading may be missing.
            match search.facts(&query, self.clock.now()).await {
                Ok(facts) => Outcome::Done(facts),
                Err(error) => error.into_outcome(),
            }
        }
        .boxed()
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        async move { self.execute_all(&commands).await }.boxed()
    }

    fn request_sort(&self, effect: &Effect) -> &'static str {
        map::request_sort(effect)
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        async move { self.look_for(&command).await }.boxed()
    }

    fn employee_sync(&self) -> SyncManner {
        SyncManner::NightlyNew
    }

    fn directory(&self) -> Option<&dyn DirectoryReader> {
        Some(self)
    }

    fn deals(&self) -> Option<&dyn DealReader> {
        Some(self)
    }

    fn authorise(&self, code: Secret) -> BoxFuture<'_, Outcome<()>> {
        async move { self.client.auth.authorise(&code).await }.boxed()
    }

    fn alarm(&self) -> BoxFuture<'_, Option<String>> {
        async { self.client.auth.alarm(self.clock.now()).await }.boxed()
    }

    fn credential(&self) -> BoxFuture<'_, Option<CredentialState>> {
        async { Some(self.client.auth.credential().await) }.boxed()
    }

    fn keep(&self) -> BoxFuture<'_, ()> {
        self.client.auth.keep().boxed()
    }

    fn consent(&self) -> Option<&dyn Consent> {
        Some(self)
    }

    fn widget_users(&self) -> Option<&dyn WidgetUsers> {
        Some(self)
    }

    fn screen(&self) -> Option<&dyn Screen> {
        Some(self)
    }
}

/// Says what can be done, given how sure we can be of cards that we make.
fn capabilities(cards: Certainty) -> Capabilities {
    let certainty = |kind| match kind {
        StepKind::CreateContact
        | StepKind::CreateDeal
        | StepKind::CreateUnsorted
        | StepKind::CreateLead => cards,
        // `uniq` is stored and returned with every note; a recording's address is one of a kind.
        StepKind::RecordCall | StepKind::LinkRecording => Certainty::ByKey,
        // Text and due time.
        StepKind::CreateTask => Certainty::BySearch,
        // The card is read back.
        StepKind::FillFields | StepKind::HandOver | StepKind::AwaitContact => Certainty::BySearch,
        // Text and time, on the card.
        StepKind::AddNote => Certainty::BySearch,
        // Not offered.
        StepKind::Notify => Certainty::Undecidable,
    };
    let batch_max = |kind| match kind {
        // Card by card, each after a look at it: together they would only wait for each other.
        StepKind::FillFields | StepKind::HandOver => 1,
        _ => execute::BATCH_MAX,
    };
    Capabilities {
        steps: StepKind::ALL
            .into_iter()
            // Its leads are deals, it makes no contact by itself, and it tells whoever answers for
            // a card without us.
            .filter(|kind| {
                ![
                    StepKind::CreateLead,
                    StepKind::AwaitContact,
                    StepKind::Notify,
                ]
                .contains(kind)
            })
            .map(|kind| StepCapability {
                kind,
                certainty: certainty(kind),
                batch_max: batch_max(kind),
            })
            .collect(),
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

#[cfg(test)]
mod tests;
