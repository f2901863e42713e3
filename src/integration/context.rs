//! Everything that one integration works with.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::tz::TimeZone;
use url::Url;

use crate::clock::SharedClock;
use crate::crm::Adapter;
use crate::model::activity::Activity;
use crate::model::capabilities::RecordingWay;
use crate::model::communication::{Body, Snapshot};
use crate::model::employee::Employees;
use crate::model::field::CrmField;
use crate::model::ids::{AccountId, IntegrationKey, SourceKey};
use crate::model::recording::RecordingAddress;
use crate::rules::{self, settings::IntegrationSettings};
use crate::store::{StoreError, StoreHandle};

use super::batcher::Batcher;
use super::handle::Handles;
use super::notices::Notices;
use super::portal::Portal;
use super::status::StatusBoard;

/// The address under which the outside reaches us, where it does; replaced at reload.
pub type SharedPublicUrl = Arc<ArcSwapOption<Url>>;

/// One integration as configured, with what it needs to run. Immutable: a reload makes a new one.
#[derive(Clone)]
pub struct IntegrationContext {
    /// Its key.
    pub key: IntegrationKey,
    /// Whether it works.
    pub activity: Activity,
    /// The account, by which employees are mapped to CRM users.
    pub account: AccountId,
    /// The revision of the settings.
    pub settings_revision: u64,
    /// The settings.
    pub settings: Arc<IntegrationSettings>,
    /// The people of the tenant.
    pub employees: Arc<Employees>,
    /// The sources' names, as cards show them.
    pub source_names: Arc<HashMap<SourceKey, String>>,
    /// The company's time zone.
    pub time_zone: TimeZone,
    /// The account's adapter.
    pub adapter: Arc<dyn Adapter>,
    /// What puts the account's steps into requests.
    pub batcher: Arc<Batcher>,
    /// The portal that the account lies in.
    pub portal: Arc<Portal>,
    /// The store.
    pub store: StoreHandle,
    /// Where the outside reaches us.
    pub public: SharedPublicUrl,
    /// The time of day.
    pub clock: SharedClock,
    /// Where its state is shown.
    pub board: Arc<StatusBoard>,
    /// The other integrations, to be woken when a lane becomes free.
    pub handles: Arc<Handles>,
    /// Tells people of new records past the CRM; `None` = there is no way out.
    pub notices: Option<Notices>,
    /// Gives a number from 0 to 1 for the retry schedule.
    pub jitter: fn() -> f64,
}

impl IntegrationContext {
    /// Returns its name on the status board.
    pub fn board_name(&self) -> String {
        board_name(&self.key)
    }

    /// Returns how the CRM comes by the recording of a call, or will; `None` = it has none, or nobody
    /// outside reaches us and the CRM takes no files.
    pub async fn recording(
        &self,
        snapshot: &Snapshot,
    ) -> Result<Option<RecordingAddress>, StoreError> {
        let is_recorded = match &snapshot.body {
            Body::Call { call } => !call.recordings.is_empty(),
            Body::Chat { .. } | Body::Request { .. } => false,
        };
        let public = self.public.load_full();
        let upload = match self.adapter.capabilities().calls.recording_way {
            RecordingWay::Link => false,
            RecordingWay::Upload => true,
            RecordingWay::Automatic => public.is_none(),
        };
        if !is_recorded || (public.is_none() && !upload) {
            return Ok(None);
        }
        let recording = match self.store.recording(snapshot.key.clone()).await {
            Ok(recording) => recording,
            // A row that cannot be read is no reason to hold the call up.
            Err(StoreError::Unreadable { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(recording.and_then(|recording| recording.address(public.as_deref(), upload)))
    }

    /// Returns those additional fields of the CRM that the settings name, as far as it was read.
    pub fn fields(&self) -> Option<Vec<CrmField>> {
        let known = self.portal.book().known()?;
        rules::fields::named(&self.settings, &known.account.fields)
    }

    /// Returns a source's name for cards; the id where none was given.
    pub fn source_name(&self, source: &SourceKey) -> String {
        self.source_names
            .get(source)
            .cloned()
            .unwrap_or_else(|| source.source.to_string())
    }
}

/// Returns an integration's name on the status board.
pub fn board_name(key: &IntegrationKey) -> String {
    format!("integration {key}")
}

/// Returns a random number from 0 to 1 for [`IntegrationContext::jitter`].
pub fn random_jitter() -> f64 {
    // Without randomness works come back together: a little less smooth, nothing worse.
    f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX)
}
