//! What the directory in memory says about one number: the seam between the index and the
//! questions that are asked of it.

use crate::model::ids::CrmUserId;
use crate::model::phone::Phone;
use crate::model::plan::Card;
use crate::model::timestamp::Timestamp;

/// A client card that has the number asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownClient {
    /// The card.
    pub card: Card,
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// When it was last changed, by the CRM's clock.
    pub updated_at: Timestamp,
    /// Its newest open deal, where it has one.
    pub open_deal: Option<OpenDeal>,
}

/// An open deal of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDeal {
    /// The CRM's id.
    pub id: String,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
}

/// What a book says about a number at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// The cards that have the number, most recently updated first; none where the portal is not
    /// known (yet).
    pub clients: Vec<KnownClient>,
    /// Since when everything that the CRM held is here; `None` before everything was read once.
    pub complete_as_of: Option<Timestamp>,
}

/// Answers from memory who has a number. Never blocks, never waits.
pub trait Book: Send + Sync {
    /// Looks a number up.
    fn look(&self, phone: &Phone) -> Look;

    /// Returns the cards that have the number, most recently updated first; none where the portal
    /// is not known (yet).
    fn clients(&self, phone: &Phone) -> Vec<KnownClient> {
        self.look(phone).clients
    }

    /// Returns the numbers after one, each once and in the order of [`Phone::order`], at most
    /// `max`.
    fn numbers(&self, after: Option<&Phone>, max: usize) -> Vec<Phone>;

    /// Returns a value that is another one after every change.
    fn revision(&self) -> u64;

    /// Returns since when everything that the CRM held is here; `None` before everything was read
    /// once.
    fn complete_as_of(&self) -> Option<Timestamp>;
}
