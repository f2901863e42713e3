//! Who the clients of a portal are: what the directory keeps of a CRM, and how it changes.
//!
//! One portal has one directory, whatever tenants and integrations use it. The store keeps the
//! cards; the index keeps of them what a question needs.

use serde::{Deserialize, Serialize};

use super::facts::DealFact;
use super::ids::CrmUserId;
use super::phone::Phone;
use super::plan::Card;
use super::timestamp::Timestamp;

/// A contact or a company (or another kind of client card, such as a lead of Bitrix24).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryCard {
    /// Which record.
    pub card: Card,
    /// Its name.
    pub name: String,
    /// Its numbers, normalised; a text that is no number is left out.
    pub phones: Vec<Phone>,
    /// Its e-mail addresses, lower case.
    pub emails: Vec<String>,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed, by the CRM's clock.
    pub updated_at: Timestamp,
}

/// A deal of clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryDeal {
    /// The deal.
    pub deal: DealFact,
    /// The cards that it belongs to (contacts and companies).
    pub clients: Vec<Card>,
    /// When it was last changed, by the CRM's clock.
    pub updated_at: Timestamp,
}

/// One change of a portal's directory. Repeating one is harmless; of two pictures of one record
/// the one with the later `updated_at` stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum DirectoryChange {
    /// A client card as it is now.
    Card(DirectoryCard),
    /// A deal as it is now.
    Deal(DirectoryDeal),
    /// A record is gone: deleted, or merged into another.
    Gone {
        /// Which record; `entity` says whether a card or a deal.
        card: Card,
    },
}
