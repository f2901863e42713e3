//! Reasons of decisions about chats and site requests, beside those that calls have, too.

use serde::{Deserialize, Serialize};

use super::communication::{Address, Kind};
use super::explanation::{CardName, UserName};
use super::plan::Entity;

/// One reason of a decision about a chat or a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum WrittenReason {
    /// The kind is switched off (S0-06).
    SwitchedOff {
        /// The kind.
        kind: Kind,
    },
    /// The client left neither number nor e-mail address: first-time by definition.
    NoAddress,
    /// No card of the CRM has any of the addresses.
    ClientUnknown {
        /// The addresses.
        addresses: Vec<Address>,
    },
    /// A contact has one of the addresses.
    ClientKnown {
        /// The addresses.
        addresses: Vec<Address>,
        /// The contact.
        contact: CardName,
    },
    /// A company has one of the addresses, and no contact: first-time by definition.
    ClientOnlyCompany {
        /// The addresses.
        addresses: Vec<Address>,
        /// The company.
        company: CardName,
    },
    /// Only first-time communications are processed, and this is a repeat (S0-10).
    OnlyFirstTime {
        /// The kind.
        kind: Kind,
    },
    /// The method that says what is made (S0-07 … S0-09).
    MethodActs {
        /// The kind.
        kind: Kind,
        /// The client is new.
        first_time: bool,
        /// What is made.
        method: MethodName,
    },
    /// What is made was settled at an earlier moment of the communication.
    MethodKept,
    /// The client has a contact: none is made, at repeats (S0-09).
    ContactThere {
        /// The contact.
        contact: CardName,
    },
    /// The deal is made in the default pipeline (S0-21).
    PlaceDefault {
        /// The kind.
        kind: Kind,
    },
    /// The deal is made where a rule says (S0-22).
    PlaceByRule {
        /// The kind.
        kind: Kind,
        /// Its name.
        rule: String,
    },
    /// The default responsible answers for new records (S0-16).
    ResponsibleDefault {
        /// The kind.
        kind: Kind,
        /// Who.
        user: UserName,
    },
    /// A rule of responsibles names who answers for new records (S0-16).
    ResponsibleByRule {
        /// The kind.
        kind: Kind,
        /// Its name.
        rule: String,
        /// Who.
        user: UserName,
    },
    /// New records have these tags (S0-19, V-11).
    Tagged {
        /// The tags.
        tags: Vec<String>,
    },
    /// A task is made (S0-11).
    TaskActs {
        /// The kind.
        kind: Kind,
    },
    /// The task is switched off.
    TaskOff {
        /// The kind.
        kind: Kind,
    },
    /// The task goes to who answers for the card that it hangs on.
    TaskOfCardOwner {
        /// Who.
        user: UserName,
        /// The sort of the card.
        entity: Entity,
    },
    /// What the client wrote is kept as a note on this card.
    NotedOn {
        /// The sort of the card.
        entity: Entity,
        /// It is made for this communication.
        new: bool,
    },
    /// There is no card that what the client wrote could be noted on.
    NotedNowhere,
}

/// What a method makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MethodName {
    /// Nothing.
    ByHand,
    /// A record in Unsorted.
    Unsorted {
        /// Its pipeline.
        pipeline: String,
    },
    /// A contact at the first time.
    Contact,
    /// A deal every time, a contact at the first time.
    ContactAndDeal,
}
