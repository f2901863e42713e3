//! The question that the CRM is asked while a phone rings, where memory knows nobody.

use futures_util::future::BoxFuture;

use crate::directory::known::{KnownClient, OpenDeal};
use crate::model::facts::{ContactFact, Facts};
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};

/// The way to one portal's CRM.
pub trait LiveBook: Send + Sync {
    /// Asks who has the number, once, before everything else that waits for the CRM. `None` where
    /// it may not be asked now (the breaker is open, the account is blocked, too many questions
    /// are under way) or gave no clear answer. The caller stops waiting at its deadline; the
    /// request itself goes on to its end.
    fn ask(&self, phone: Phone) -> Option<BoxFuture<'static, Option<Vec<KnownClient>>>>;
}

/// Returns the cards of an answer, most recently updated first.
pub fn known(facts: Facts) -> Vec<KnownClient> {
    let of = |entity: Entity| move |fact: ContactFact| client(entity, fact);
    let contacts = facts.contacts.into_iter().map(of(Entity::Contact));
    let companies = facts.companies.into_iter().map(of(Entity::Company));
    let mut clients: Vec<KnownClient> = contacts.chain(companies).collect();
    clients.sort_by_key(|client| std::cmp::Reverse(client.updated_at));
    clients
}

fn client(entity: Entity, fact: ContactFact) -> KnownClient {
    // Newest first.
    let open = fact.deals.into_iter().find(|deal| deal.open);
    KnownClient {
        card: Card {
            entity,
            id: fact.id,
        },
        name: fact.name,
        responsible: fact.responsible,
        updated_at: fact.updated_at,
        open_deal: open.map(|deal| OpenDeal {
            id: deal.id,
            responsible: deal.responsible,
        }),
    }
}
