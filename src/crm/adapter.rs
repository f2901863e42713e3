//! What a CRM can do, as the core sees it: steps and questions go in, outcomes come out.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    AccountDescription, CallRequests, Clicks, Consent, CredentialState, DayQuota, DealReader,
    DirectoryReader, Installable, Screen, WidgetUsers, people,
};
use crate::model::capabilities::Capabilities;
use crate::model::communication::{Kind, Phase};
use crate::model::employee_sync::{ListedUser, SyncManner};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::ids::Extension;
use crate::model::outcome::{Look, Outcome, Rejection, StepResult};
use crate::model::plan::{Effect, StepKey};
use crate::model::secret::Secret;
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

/// The sort of steps that share no request and wait for none: the adapter itself says whose turn it
/// is.
pub const ALONE: &str = "alone";

/// A CRM account's adapter: translates steps and questions into requests and answers back.
pub trait Adapter: Send + Sync {
    /// Returns what it can do.
    fn capabilities(&self) -> &Capabilities;

    /// Reads what rules and administrators must know about the account, and sets up what we need
    /// there (the marker field). Safe to repeat.
    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>>;

    /// Has the CRM know the addresses at which the outside reaches us, as far as it is to call
    /// them. Safe to repeat.
    fn set_up(&self, outside: Outside) -> BoxFuture<'_, Outcome<()>> {
        drop(outside);
        async { Outcome::Done(()) }.boxed()
    }

    /// Asks what the CRM knows about a client.
    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>>;

    /// Carries out steps of one kind and sort in one request where the CRM takes several. Returns
    /// one outcome for each command, in order. Targets are [`Known`](crate::model::plan::Target).
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

    /// Lists its users, each with the short number where the CRM says it (S2-06). Of these
    /// extensions it would be good to know whose they are: some CRMs only answer that.
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
