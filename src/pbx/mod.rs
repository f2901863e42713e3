//! Where communications come from: the traits that a source implements, and the registry.
//!
//! A source is one folder and one line in [`registry`]; nothing outside the folder names it.

pub mod asterisk;
pub mod call_desk;
mod deal_taker;
mod exchange;
pub mod itoolabs;
pub mod registry;
mod roster;
mod source_form;
pub mod uis;
mod web_client;
pub mod webhook;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;

use crate::clock::SharedClock;
use crate::model::call_order::{CallOrder, ShowsNumber};
use crate::model::communication::{Kind, Snapshot};
use crate::model::discovery::Discovery;
use crate::model::explanation::Language;
use crate::model::ids::{CommunicationKey, EmployeeId, Extension, SourceKey};
use crate::model::mistake::Mistake;
use crate::model::number_rules::NumberRules;
use crate::model::phone::Phone;
use crate::model::question::{Answer, NotAnswered, Question};
use crate::model::timestamp::Timestamp;

pub use deal_taker::{DealFunnel, DealTaker, DealToTake, TakeError};
pub use exchange::{
    Exchange, ExchangeContext, ExchangeMethod, ExchangeReply, ExchangeRequest, Verdict,
};
pub use roster::{RosterError, RosterReader};
pub use source_form::{SettingTitle, SourceForm, title};
pub use web_client::{WebAnswer, WebClient, WebError, WebRequest, WebSetupError};

/// A source as configured: what it can be asked to do.
pub trait Source: Send + Sync {
    /// Returns the session to be kept up, for a source that we connect to.
    fn listener(&self) -> Option<Arc<dyn Listener>>;

    /// Returns the reader of what the source sends us over HTTP.
    fn hook(&self) -> Option<Arc<dyn Hook>>;

    /// Returns who answers what the source sends us over HTTP, for one that wants a certain answer;
    /// then it has no [`Hook`].
    fn exchange(&self) -> Option<Arc<dyn Exchange>> {
        None
    }

    /// Returns who places calls there, for a source that can and is permitted to.
    fn caller(&self) -> Option<Arc<dyn Caller>> {
        None
    }

    /// Returns who looks around in it, for a source where that can be done.
    fn discoverer(&self) -> Option<Arc<dyn Discoverer>> {
        None
    }

    /// Returns who lists its people, groups and numbers, for a source where that can be done.
    fn roster(&self) -> Option<Arc<dyn RosterReader>> {
        None
    }

    /// Returns who takes deals there, for a source that shows what its communications came to.
    fn deal_taker(&self) -> Option<Arc<dyn DealTaker>> {
        None
    }

    /// Returns what an administrator pastes into the source's own pages, for one that is set up
    /// there.
    fn to_paste(&self) -> Vec<PasteText> {
        Vec::new()
    }

    /// Returns the kinds of communication that it can report.
    fn kinds(&self) -> &'static [Kind];
}

/// A text for the source's own pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasteText {
    /// What the page calls the place it belongs to, in Russian and in English.
    pub titles: [&'static str; 2],
    /// The text.
    pub text: String,
}

/// What a source needs to know about itself.
#[derive(Debug, Clone)]
pub struct SourceIdentity {
    /// Its key.
    pub key: SourceKey,
    /// How its numbers are brought into shape.
    pub numbers: NumberRules,
}

/// A session with a phone system, kept up by the supervisor: one run is one connection.
pub trait Listener: Send + Sync {
    /// Runs one connection until it breaks, the source ends it, or `context.stop` turns true.
    /// The supervisor runs it again with back-off. Everything that must outlive the run goes
    /// into the checkpoint.
    fn run(&self, context: ListenerContext) -> BoxFuture<'static, Result<(), ListenerError>>;
}

/// What a listener is given.
#[derive(Clone)]
pub struct ListenerContext {
    /// Where snapshots go.
    pub sink: Arc<dyn Sink>,
    /// The time of day.
    pub clock: SharedClock,
    /// Turns true when the session shall end.
    pub stop: watch::Receiver<bool>,
    /// Where the state is shown.
    pub state: Arc<dyn StateReport>,
    /// Whom known callers would reach, for a source that keeps a copy.
    pub known: Arc<dyn KnownCallers>,
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenerError {
    /// No connection was made, or it broke. Try again.
    #[error("{0}")]
    Connection(String),
    /// The source refuses us: trying again soon is of no use before a person acts.
    #[error("{0}")]
    Refused(String),
    /// The source does not speak the expected protocol.
    #[error("{0}")]
    Protocol(String),
    /// The store did not take what we had.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Places calls: the employee's phone rings first, then the client is dialled.
pub trait Caller: Send + Sync {
    /// Has a call placed. Returns when the source took the order; whether somebody answers is
    /// told by the call that follows. An order that the source does not take soon is not placed
    /// later.
    fn place(&self, order: CallOrder) -> BoxFuture<'_, Result<Ordered, OrderError>>;

    /// Says what it can do about the number that the client sees.
    fn shows_number(&self) -> ShowsNumber {
        ShowsNumber::ItsOwn
    }
}

/// An order that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// What the call that follows is called, when that is known before it begins.
    pub communication: Option<CommunicationKey>,
}

/// Why an order was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// There was no session that could take it in time: nothing was placed, nothing will be.
    #[error("the phone system did not take the order within {within_s} s: it is not placed")]
    Expired {
        /// How long was waited, in seconds.
        within_s: u64,
    },
    /// The source said no, in its words.
    #[error("the phone system refused: {0}")]
    Refused(String),
    /// It was sent, and the connection broke before the answer.
    #[error("the connection broke before the phone system answered: the call may have been placed")]
    Unclear,
    /// More orders wait than are kept.
    #[error("too many orders wait for the phone system")]
    Busy,
}

/// Looks around in a phone system, and changes nothing there.
pub trait Discoverer: Send + Sync {
    /// Lists what is there and proposes what to configure, within half a minute.
    /// Reasons and remarks are worded in `language`.
    fn discover(&self, language: Language) -> BoxFuture<'_, Result<Discovery, DiscoverError>>;
}

/// Why nothing was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// It could not be reached, or does not let us in.
    #[error(transparent)]
    Session(#[from] ListenerError),
    /// It took longer than anybody waits.
    #[error("the phone system did not tell everything within {within_s} s")]
    Late {
        /// How long was waited, in seconds.
        within_s: u64,
    },
    /// Somebody else is looking around there now.
    #[error("somebody is looking around in this phone system now: try again in a minute")]
    Busy,
}

/// Answers who a caller should reach.
pub trait Answerer: Send + Sync {
    /// Answers within the source's deadline, whatever the CRM, the network or the disk are doing.
    /// `asker` is the address that the question came from.
    fn answer(
        &self,
        question: Question,
        asker: std::net::IpAddr,
    ) -> BoxFuture<'_, Result<Answer, NotAnswered>>;

    /// Answers a question that came over HTTP from a source that proved itself by its secret:
    /// whatever address it came from.
    fn answer_source(&self, question: Question) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        self.answer(question, std::net::Ipv4Addr::LOCALHOST.into())
    }

    /// Answers where the call should go on whose earlier answer named an employee who did not
    /// answer (V-15).
    fn answer_after_failure(
        &self,
        question: Question,
        asker: std::net::IpAddr,
    ) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        self.answer(question, asker)
    }
}

/// Whom the callers would reach who are known: for a phone system that keeps a copy of the answers,
/// to be used while nobody gives them. From memory, as [`Answerer`]; never waits.
pub trait KnownCallers: Send + Sync {
    /// Returns a value that is another one whenever answers may be others, but for the time of
    /// day: who works when changes them in silence.
    fn revision(&self) -> u64;

    /// Returns who answers for the clients after a number, in the order of [`Phone::order`], at
    /// most `max` of them. `None` while not everything is known yet.
    fn clients(&self, source: &SourceKey, after: Option<&Phone>, max: usize)
    -> Option<ClientsPage>;

    /// Returns whom a call to an employee's clients rings now, be it the employee or who stands in,
    /// for those for whom somebody can be rung; `None` for an unknown source.
    fn managers(&self, source: &SourceKey) -> Option<Vec<(EmployeeId, Extension)>>;

    /// Returns what the company's own numbers decide, whoever calls; `None` for an unknown source.
    fn dialled(&self, source: &SourceKey) -> Option<DialledNumbers>;
}

/// Some clients and who answers for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientsPage {
    /// Every number that was looked at, and the personal manager, if there is one.
    pub clients: Vec<(Phone, Option<EmployeeId>)>,
    /// There are more behind the last one.
    pub more: bool,
}

/// What the company's own numbers decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialledNumbers {
    /// Numbers in the forms in which they are dialled: digits alone.
    pub listed: Vec<(String, DialledWay)>,
    /// All others.
    pub others: DialledWay,
    /// The code of the source's country, such as `7`.
    pub country: String,
    /// What stands in its place before a number that is dialled inside the country, such as `8`.
    pub trunk_prefix: String,
}

/// What a dialled number decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialledWay {
    /// This extension is rung.
    Ring(Extension),
    /// The client's personal manager is looked for.
    Manager,
    /// The phone system goes its usual way.
    Usual,
}

/// Takes what a source reports; returns only when it is on disk.
pub trait Sink: Send + Sync {
    /// Commits snapshots, notes and the checkpoint in one transaction.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>>;

    /// Returns the checkpoint committed last.
    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Value>, SinkError>>;
}

/// One commit of a source. Empty parts are permitted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// New revisions of communications.
    pub snapshots: Vec<Snapshot>,
    /// What the source needs to go on after a restart. `None` leaves the stored one.
    pub checkpoint: Option<Value>,
    /// What is worth telling about the source itself.
    pub notes: Vec<SourceNote>,
}

/// A remark about a source for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNote {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: SourceNoteKind,
}

/// What a remark is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceNoteKind {
    /// From `from` until the note's time nothing was seen: calls that came and went are unknown.
    Blind {
        /// When seeing stopped; `None` = not known.
        from: Option<Timestamp>,
        /// Why.
        why: String,
    },
    /// From `from` until the note's time nothing was seen, and the PBX's own log told what
    /// happened.
    Recovered {
        /// When seeing stopped.
        from: Timestamp,
        /// Why.
        why: String,
        /// Calls that the log told of, those that were open then included.
        calls: u64,
        /// What of the interval the log does not hold, in words; `None` = it holds all of it.
        gap: Option<String>,
    },
    /// The PBX was restarted or shut down.
    Restarted,
    /// Anything else.
    Remark {
        /// In words.
        text: String,
    },
}

/// Why a commit failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// There is no room now: queues or disk are full. Try again later.
    #[error("the store takes nothing more for now: {0}")]
    Full(String),
    /// The store is gone: the process is ending.
    #[error("the store is closed")]
    Closed,
}

/// Shows the state of a session.
pub trait StateReport: Send + Sync {
    /// The session is up and sees events. `peer` says what it talks to, for people.
    fn connected(&self, peer: &str);
    /// An event was seen: the session is alive.
    fn seen(&self);
    /// Sets a figure that status and metrics show, such as open calls.
    fn gauge(&self, name: &'static str, value: f64);
}

/// Reads what a source sends over HTTP. Pure: no I/O, no time.
pub trait Hook: Send + Sync {
    /// Decodes one body; all or nothing.
    fn decode(&self, content_type: Option<&str>, body: &[u8]) -> Result<Vec<Snapshot>, HookError>;
}

/// Why a body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// It is not in the expected form; every mistake is named.
    #[error("{} mistake(s) in the body", .0.len())]
    Mistakes(Vec<Mistake>),
    /// It holds more items than one body may.
    #[error("more than {0} items in one body")]
    TooMany(usize),
}
