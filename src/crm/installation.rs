//! Portals that install an application of ours by themselves and post what we are let in with
//! (`crm/bitrix24.md` §3). Whatever comes is proved by the vendor first, waits for an administrator
//! then, and is good for nothing until it is accepted.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::http::AccountHttp;
use super::{LetIn, VaultError};
use crate::model::explanation::Language;
use crate::model::ids::{AccountId, TenantId};
use crate::model::outcome::Outcome;
use crate::model::timestamp::Timestamp;

/// How portals of a CRM install themselves. Knows nothing of what is kept and of whom.
pub trait Installer: Send + Sync {
    /// Reads what was posted. Pure.
    fn read(&self, query: &str, body: &[u8]) -> Posted;

    /// Asks the vendor whether a bundle is what it says to be.
    fn prove<'a>(
        &'a self,
        bundle: &'a Bundle,
        way: &'a VendorWay,
    ) -> BoxFuture<'a, Result<Proven, NotProven>>;
}

/// Why a bundle is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotProven {
    /// It is not what it says, or it is used up: why.
    Refused(String),
    /// The vendor did not say: why.
    Later(String),
}

/// The way to a vendor for requests that belong to no account yet.
pub struct VendorWay {
    /// The door: every request names its host itself.
    pub http: Arc<AccountHttp>,
    /// Where requests to a host go when something stands in for it; for rehearsals.
    pub stand_in: StandIn,
}

/// Returns the address of what stands in for a host, where something does.
pub type StandIn = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What came to the address at which portals install an application.
pub enum Posted {
    /// What we would be let in with.
    Installed {
        /// The bundle.
        bundle: Box<Bundle>,
        /// The page that a person is looking at, where it came from one.
        page: Option<InstallPage>,
    },
    /// Word that the application was taken out.
    Removed(Removal),
    /// Anything else.
    Unknown,
}

/// What a portal lets us in with. Not printable: it holds tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// What the CRM calls the portal; it never changes.
    pub portal_id: String,
    /// The host of the portal.
    pub host: String,
    /// The tokens, in the adapter's own form.
    pub tokens: String,
    /// Names what in it can be used once, without telling it.
    pub fingerprint: String,
    /// By what later notices of the portal are known, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// The portal itself told of an installation; else somebody opened a page.
    #[serde(default)]
    pub by_event: bool,
}

/// What the vendor says of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// What it calls the portal.
    pub portal_id: String,
    /// The portal's host.
    pub host: String,
    /// Which application was installed.
    pub application: String,
    /// Who the tokens are of.
    pub installed_by: Option<String>,
    /// That person is an administrator of the portal.
    pub administrator: bool,
}

/// Word that an application was taken out of a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which portal.
    pub portal_id: String,
    /// By what it is known.
    pub proof: String,
}

/// A page in the portal's frame that a person looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallPage {
    /// The person's language.
    pub language: Language,
    /// Who may frame it.
    pub framed_by: String,
    /// What tells the portal that the installation came to its end.
    pub finish: FinishScript,
}

/// How a page tells the portal that the installation came to its end: the vendor's own library, and
/// what is called in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinishScript {
    /// Where the library lies.
    pub library: &'static str,
    /// The library's origin.
    pub origin: &'static str,
    /// What is called.
    pub call: &'static str,
}

/// An account that a portal can let us into by installing an application.
pub trait Installable: Send + Sync {
    /// Says how the account stands to a bundle of an application; without one, to what can be told
    /// from the bundle alone.
    fn acquaintance<'a>(
        &'a self,
        bundle: &'a Bundle,
        application: Option<&'a str>,
    ) -> BoxFuture<'a, Acquaintance>;

    /// Says why the account cannot be let in by it, and what to do.
    ///
    /// # Errors
    /// It is of another portal or application, or the account is let in otherwise.
    fn fits(&self, bundle: &Bundle, application: &str) -> Result<(), String>;

    /// Makes the account's credential from one that came at this time; one that was taken once
    /// changes nothing.
    fn install(&self, bundle: Bundle, at: Timestamp) -> BoxFuture<'_, Outcome<()>>;
}

/// How an account stands to a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquaintance {
    /// It has nothing to do with it.
    None,
    /// It was taken before: nothing is to be done.
    Repeat,
    /// The account is let in by this portal and application, and the portal proved to be the same.
    Same,
    /// The portal and the application are the account's, but it was let in otherwise, or rests.
    Other,
}

/// A portal that asks to be let in, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Installation {
    /// What it is called here.
    pub id: String,
    /// Its CRM.
    pub crm: String,
    /// The portal's host.
    pub portal: String,
    /// What the CRM calls the portal.
    pub portal_id: String,
    /// The application that was installed.
    pub application: String,
    /// By whom.
    pub installed_by: Option<String>,
    /// When it came.
    pub at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// The accounts that it could be accepted for: tenant/account.
    pub accounts: Vec<String>,
}

/// What became of something that was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It waits for an administrator, under this name.
    Waits {
        /// Its name.
        id: String,
    },
    /// The account is in order, and nothing was changed.
    Known,
    /// The account goes on with the new tokens.
    Renewed,
    /// Word of a removal was taken.
    Removed,
    /// No account is of that portal, and it is not listed.
    NotListed,
    /// The vendor does not confirm it.
    NotProven,
    /// Who installed it is no administrator of the portal.
    NotAdministrator,
    /// So many wait already.
    Full,
    /// Nothing is known yet: again later.
    Later,
    /// It is nothing that we know.
    Unknown,
}

/// What is answered to a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reception {
    /// What became of it.
    pub received: Received,
    /// The page that a person is looking at.
    pub page: Option<InstallPage>,
}

impl Reception {
    /// Answers a program.
    pub fn plain(received: Received) -> Self {
        Self {
            received,
            page: None,
        }
    }
}

/// Where endpoints bring what concerns portals that install themselves.
pub trait InstallationDesk: Send + Sync {
    /// Takes what a portal of this CRM posted.
    fn posted(&self, crm: String, query: String, body: Vec<u8>) -> BoxFuture<'_, Reception>;

    /// Returns the portals that wait.
    fn waiting(&self) -> BoxFuture<'_, Result<Vec<Installation>, VaultError>>;

    /// Makes an account's credential of one that waits; `None` = there is none of this name.
    fn accept(
        &self,
        id: String,
        tenant: TenantId,
        account: AccountId,
    ) -> BoxFuture<'_, Result<Option<LetIn>, VaultError>>;

    /// Forgets one that waits; says whether it was there.
    fn refuse(&self, id: String) -> BoxFuture<'_, Result<bool, VaultError>>;
}

/// The desk of a daemon at which nobody installs anything.
#[derive(Debug, Clone, Copy)]
pub struct NoInstallations;

impl InstallationDesk for NoInstallations {
    fn posted(&self, _: String, _: String, _: Vec<u8>) -> BoxFuture<'_, Reception> {
        async { Reception::plain(Received::Unknown) }.boxed()
    }

    fn waiting(&self) -> BoxFuture<'_, Result<Vec<Installation>, VaultError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn accept(
        &self,
        _: String,
        _: TenantId,
        _: AccountId,
    ) -> BoxFuture<'_, Result<Option<LetIn>, VaultError>> {
        async { Ok(None) }.boxed()
    }

    fn refuse(&self, _: String) -> BoxFuture<'_, Result<bool, VaultError>> {
        async { Ok(false) }.boxed()
    }
}

/// A desk that many share.
pub type SharedInstallations = Arc<dyn InstallationDesk>;
