//! An account as it is configured: what is known of it before, and without, a word of its CRM.

use std::sync::Arc;

use super::account::http::AccountHttp;
use super::account::manners::Manners;
use super::pair_vault::PairVault;
use super::{
    Adapter, DirectorySettings, RecordingFiles, TokenVault, WidgetFile, WidgetPlace, Workplace,
};
use crate::clock::SharedClock;
use crate::model::deal_settings::DealSettings;
use crate::model::ids::PortalKey;
use crate::model::mistake::Mistake;
use crate::model::plan::Card;
use crate::model::secret::Secrets;

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
    fn manners(&self) -> Manners {
        Manners::default()
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

    /// Reads which deals a webhook of the CRM is about, as
    /// [`DealReader::anew`](super::DealReader::anew) takes them. Pure; what cannot be read says
    /// nothing: a hint is all it is.
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
    pub http: Arc<AccountHttp>,
    /// Its secrets that change, and what was set up there.
    pub vault: Arc<dyn TokenVault>,
    /// Its rotating pair of tokens, where it has one.
    pub pairs: Arc<dyn PairVault>,
    /// Its secrets as configured.
    pub secrets: Secrets,
    /// Opens the recordings of calls, where any are kept.
    pub recordings: Option<Arc<dyn RecordingFiles>>,
    /// The time of day.
    pub clock: SharedClock,
}
