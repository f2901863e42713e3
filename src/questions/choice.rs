//! Who the client is and who answers for the client, among the cards that have a number. Pure.

use crate::directory::known::KnownClient;
use crate::model::ids::CrmUserId;
use crate::model::personal_manager::{PersonalManagerSettings, ResponsibleOf, SharedNumbers};
use crate::model::plan::Entity;

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The card.
    pub client: &'a KnownClient,
    /// Its place among the cards.
    pub at: usize,
    /// Who answers for the client, and of which record.
    pub responsible: Option<(&'a CrmUserId, ResponsibleOf)>,
    /// There was one card to choose, or the policy found one of several.
    pub settled: bool,
}

/// A card that names somebody.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    client: &'a KnownClient,
    at: usize,
    user: &'a CrmUserId,
    of: ResponsibleOf,
}

/// Chooses; `None` where there are no cards. They come most recently updated first.
///
/// Of several cards the policy picks one among those that name somebody, whatever their sort; whose
/// responsible it is, is then a matter of that card. `talked_last` says whether the employee who is
/// this CRM user talked with the number last.
pub fn choose<'a>(
    clients: &'a [KnownClient],
    settings: &PersonalManagerSettings,
    talked_last: &dyn Fn(&CrmUserId) -> bool,
) -> Option<Choice<'a>> {
    let policy = &settings.shared_numbers;
    let shared = clients.len() > 1;
    let named = |(at, client): (usize, &'a KnownClient)| -> Option<Candidate<'a>> {
        let of_deal = match policy {
            SharedNumbers::OpenDeal {} if shared => responsible(client, ResponsibleOf::Deal),
            _ => None,
        };
        let mut chosen = settings.responsible_of.iter();
        let (user, of) = of_deal.or_else(|| chosen.find_map(|of| responsible(client, *of)))?;
        Some(Candidate {
            client,
            at,
            user,
            of,
        })
    };
    let mut candidates = clients.iter().enumerate().filter_map(named);
    if let Some(first) = candidates.next() {
        let others: Vec<Candidate<'a>> = candidates.collect();
        let (picked, settled) = pick(first, &others, policy, talked_last);
        return Some(Choice {
            client: picked.client,
            at: picked.at,
            responsible: Some((picked.user, picked.of)),
            settled,
        });
    }
    // Nobody answers for any of them; the caller's name is worth showing all the same.
    let first = clients.first()?;
    Some(Choice {
        client: first,
        at: 0,
        responsible: None,
        settled: !shared || matches!(policy, SharedNumbers::MostRecentlyUpdated {}),
    })
}

/// Returns the responsible whom a record of the client names.
fn responsible(client: &KnownClient, of: ResponsibleOf) -> Option<(&CrmUserId, ResponsibleOf)> {
    let of_card = |entity: Entity| {
        let own = client.responsible.as_ref();
        own.filter(|_| client.card.entity == entity)
    };
    let user = match of {
        ResponsibleOf::Contact => of_card(Entity::Contact),
        ResponsibleOf::Company => of_card(Entity::Company),
        ResponsibleOf::Lead => of_card(Entity::Lead),
        ResponsibleOf::Deal => client.open_deal.as_ref()?.responsible.as_ref(),
    };
    Some((user?, of))
}

/// Picks one candidate; says whether it was the policy that did, or there was one only.
fn pick<'a>(
    first: Candidate<'a>,
    others: &[Candidate<'a>],
    policy: &SharedNumbers,
    talked_last: &dyn Fn(&CrmUserId) -> bool,
) -> (Candidate<'a>, bool) {
    if others.is_empty() {
        return (first, true);
    }
    let all = || std::iter::once(&first).chain(others);
    let picked = match policy {
        SharedNumbers::MostRecentlyUpdated {} => Some(&first),
        SharedNumbers::OpenDeal {} => all().find(|one| one.client.open_deal.is_some()),
        SharedNumbers::LastTalk {} => all().find(|one| talked_last(one.user)),
        SharedNumbers::Entities { order } => order
            .iter()
            .find_map(|sort| all().find(|one| one.client.card.entity == sort.entity())),
    };
    (*picked.unwrap_or(&first), picked.is_some())
}
