//! Everything that can be asked of the store's writer: values with ids made by the caller, no
//! closures over a transaction, so that a second backend can stand behind the same handle.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query::StoredCommunication;
use crate::model::communication::{Address, Kind, Phase, Snapshot};
use crate::model::ids::{CommunicationKey, IntegrationKey, PortalKey, SourceKey};
use crate::model::ledger::{Decision, Ledger, LedgerStep, StepState};
use crate::model::notice::OutsideNotice;
use crate::model::passing::{PassingState, PassingStep};
use crate::model::plan::Role;
use crate::model::recording::{Recording, RecordingState};
use crate::model::timestamp::Timestamp;

/// The store's own number of a piece of work; grows in order of acceptance over all integrations.
pub type WorkId = u64;

/// Proof of holding an integration: a later claim makes an earlier fence worthless, so that an
/// actor that was given up for dead cannot write any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fence(pub u64);

/// Where a snapshot is to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The integration that takes it.
    pub integration: IntegrationKey,
    /// The portal in which the client's lane lies.
    pub portal: PortalKey,
    /// The phase that is to be decided. The work is made once for (integration, communication,
    /// phase), however often the snapshot is repeated.
    pub phase: Phase,
}

/// One snapshot with its routes.
#[derive(Debug, Clone, PartialEq)]
pub struct Acceptance {
    /// The snapshot. Dropped when its revision is not above the stored one.
    pub snapshot: Snapshot,
    /// Where it is to be worked on; may be empty.
    pub routes: Vec<Route>,
    /// Nobody takes this kind from this source: why, for the journal.
    pub not_taken: Option<String>,
}

/// Commits what a source reported, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Accept {
    /// The source.
    pub source: SourceKey,
    /// The snapshots, in order.
    pub acceptances: Vec<Acceptance>,
    /// The source's checkpoint, to be replaced.
    pub checkpoint: Option<Value>,
    /// Remarks for the journal.
    pub notes: Vec<JournalNote>,
    /// Recordings to be looked for, of calls among the snapshots. One that is known keeps its
    /// token, and is looked for anew where other files are named.
    pub recordings: Vec<Recording>,
    /// The time of acceptance.
    pub now: Timestamp,
}

/// Changes what became of a recording. The works that it makes and the remark are on disk with it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingChange {
    /// The call.
    pub communication: CommunicationKey,
    /// The files that this is about: a change that others have overtaken is dropped.
    pub names: Vec<String>,
    /// What became of it.
    pub state: RecordingState,
    /// When something is to be done about it again.
    pub due: Option<Timestamp>,
    /// Where the call is to be worked on because of it.
    pub routes: Vec<Route>,
    /// For the journal.
    pub note: Option<JournalNote>,
    /// Now.
    pub now: Timestamp,
}

/// What became of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Stored; these works were made (empty when nothing is to be done at this phase).
    Stored {
        /// The new works, with their integrations.
        works: Vec<(IntegrationKey, WorkId)>,
        /// Undecided works that were there already and now stand in the lanes of addresses that
        /// they did not have.
        gained: Vec<(IntegrationKey, WorkId)>,
    },
    /// The same revision is stored already.
    Repeat,
    /// A later revision is stored already.
    Stale,
}

/// A line of the journal that belongs to no decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalNote {
    /// When.
    pub at: Timestamp,
    /// The tenant, where it concerns one.
    pub tenant: Option<crate::model::ids::TenantId>,
    /// The source, where it concerns one.
    pub source: Option<SourceKey>,
    /// The integration, where it concerns one.
    pub integration: Option<IntegrationKey>,
    /// The communication, where it concerns one.
    pub communication: Option<CommunicationKey>,
    /// A stable word: `blind`, `restarted`, `not_taken`, `settings_changed`, `dropped_by_person`, …
    pub word: String,
    /// In words.
    pub text: String,
}

/// Records that a decision cannot be made yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defer {
    /// The work.
    pub work: WorkId,
    /// Not before this time.
    pub until: Timestamp,
    /// Why.
    pub why: String,
}

/// Records a decision: explanation, plan and ledger in one transaction. A step whose role stands
/// in the ledger already is refused ([`StoreError::StepExists`]) and nothing is written.
///
/// [`StoreError::StepExists`]: super::StoreError::StepExists
#[derive(Debug, Clone, PartialEq)]
pub struct Decide {
    /// The work.
    pub work: WorkId,
    /// How many addresses the work had when it was begun. An undecided one that has gained some
    /// since is refused ([`StoreError::Gained`]): it stands in other lanes now.
    ///
    /// [`StoreError::Gained`]: super::StoreError::Gained
    pub addresses_seen: usize,
    /// The decision.
    pub decision: Decision,
    /// First-time or repeat, where this decision settles it; never changed afterwards.
    pub first_time: Option<bool>,
    /// The steps to be added to the ledger.
    pub steps: Vec<LedgerStep>,
    /// Roles of earlier steps that this decision replaces ("decide again"): removed first. Only
    /// steps of which nothing reached the CRM, that are dead or were dropped may be replaced.
    pub replaces: Vec<Role>,
}

/// Changes the state of steps of one work.
#[derive(Debug, Clone, PartialEq)]
pub struct Advance {
    /// The work.
    pub work: WorkId,
    /// The steps and their new states.
    pub steps: Vec<StepChange>,
}

/// Writes down a passing step, or what it came to. Needs no work: it stands in no lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// Whose.
    pub integration: IntegrationKey,
    /// The communication.
    pub communication: CommunicationKey,
    /// What.
    pub what: Passing,
}

/// What is written down of a passing step.
#[derive(Debug, Clone, PartialEq)]
pub enum Passing {
    /// It was decided. Refused ([`StoreError::StepExists`]) where one of its role was before.
    ///
    /// [`StoreError::StepExists`]: super::StoreError::StepExists
    Begin(PassingStep),
    /// The same of a notice that goes past the CRM.
    BeginNotice(OutsideNotice),
    /// It was sent, and came to this.
    Settle {
        /// Which.
        role: Role,
        /// To what.
        state: PassingState,
    },
}

/// One step's change.
#[derive(Debug, Clone, PartialEq)]
pub struct StepChange {
    /// Which step.
    pub role: Role,
    /// The new state. `InFlight` counts an attempt and sets the time of the first sending.
    pub state: StepState,
}

/// What a person wants of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revival {
    /// Try the same step again.
    Retry,
    /// Plan the undone steps anew under present settings and facts.
    DecideAgain,
    /// Give it up.
    Drop,
}

/// Carries out a person's wish about one dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revive {
    /// The dead step's integration.
    pub integration: IntegrationKey,
    /// Its communication.
    pub communication: CommunicationKey,
    /// Its role.
    pub role: Role,
    /// The wish.
    pub revival: Revival,
    /// Now.
    pub now: Timestamp,
    /// The portal, for the lanes of a work that has to be made anew.
    pub portal: PortalKey,
}

/// Where a piece of work stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WorkState {
    /// Waits for the head of its lanes, or for its facts.
    Undecided {
        /// Not to be tried before this time.
        not_before: Option<Timestamp>,
        /// Why it is not decided yet.
        why: Option<String>,
        /// How often deciding was tried in vain.
        attempts: u32,
    },
    /// Decided; its steps are being carried out.
    Decided {
        /// When.
        at: Timestamp,
    },
}

/// An open piece of work. Closed ones leave the table; what they came to stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Work {
    /// Its number.
    pub id: WorkId,
    /// Whose.
    pub integration: IntegrationKey,
    /// The portal in which its lanes lay when it was accepted.
    pub portal: PortalKey,
    /// The communication.
    pub communication: CommunicationKey,
    /// What it is; `None` = the work is of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The phase to be decided.
    pub phase: Phase,
    /// The client's addresses, in whose lanes it stands; empty = a lane of its own. A later
    /// snapshot of the communication may add addresses while the work is undecided.
    pub addresses: Vec<Address>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Where it stands.
    pub state: WorkState,
}

/// An open work with what its decision begins from.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkAtHand {
    /// The work.
    pub work: Work,
    /// Its communication, where the work is undecided and that is still stored.
    pub stored: Option<StoredCommunication>,
    /// The integration's ledger of the communication.
    pub ledger: Ledger,
}

/// What a revival came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revived {
    /// Whose actor is to be woken.
    pub integration: IntegrationKey,
    /// The open work that carries the wish out, where there is one. Other works of the same
    /// communication may have changed too: the actor reads them anew.
    pub work: Option<WorkId>,
}

/// What the store may forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Communications that began and last changed before this time, and remarks of before it.
    /// Must lie further back than any source repeats: a swept communication that is reported
    /// again is new.
    pub before: Timestamp,
    /// At the most so many communications, and so many remarks, in one transaction.
    pub rows_max: usize,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Communications, with everything that belonged to them.
    pub communications: u64,
    /// Remarks that belonged to none.
    pub notes: u64,
    /// There is more to remove: sweep again.
    pub more: bool,
}

/// What forgetting a client came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForgetReport {
    /// Communications of which nothing tells any more who the client was.
    pub communications: u64,
    /// Remarks that named the number, besides those of these communications.
    pub notes: u64,
    /// Sources that told of these communications: their phone systems have histories of their own.
    pub sources: BTreeSet<SourceKey>,
    /// Rows in quarantine that were removed.
    pub quarantined: u64,
    /// Communications that are as they were, and why.
    pub kept: Vec<(CommunicationKey, KeptBecause)>,
    /// Names of files in our own folder of recordings that belong to nothing any more.
    pub files: Vec<String>,
    /// Sources that hold the number in their own memory: of a call that goes on, or of those of
    /// the last days.
    pub checkpoints: Vec<String>,
    /// There were too many at once: forget again.
    pub more: bool,
}

/// Why a communication is not forgotten yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptBecause {
    /// Work of it waits for a CRM.
    Waits,
    /// It is not over.
    GoesOn,
}
