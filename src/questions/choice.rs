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
    /// Who answers for the client, and of which record.
    pub responsible: Option<(&'a CrmUserId, ResponsibleOf)>,
    /// There was one card to choose, or the policy found one of several.
    pub settled: bool,
}

/// A card that names somebody.
type Candidate<'a> = (&'a KnownClient, (&'a CrmUserId, ResponsibleOf));

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
    let named = |client: &'a KnownClient| -> Option<Candidate<'a>> {
        let of_deal = match policy {
            SharedNumbers::OpenDeal {} if shared => responsible(client, ResponsibleOf::Deal),
            _ => None,
        };
        let mut chosen = settings.responsible_of.iter();
        let found = of_deal.or_else(|| chosen.find_map(|of| responsible(client, *of)))?;
        Some((client, found))
    };
    let candidates: Vec<Candidate<'a>> = clients.iter().filter_map(named).collect();
    if let Some(((client, found), settled)) = pick(&candidates, policy, talked_last) {
        return Some(Choice {
            client,
            responsible: Some(found),
            settled,
        });
    }
    // Nobody answers for any of them; the caller's name is worth showing all the same.
    let first = clients.first()?;
    Some(Choice {
        client: first,
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
    candidates: &[Candidate<'a>],
    policy: &SharedNumbers,
    talked_last: &dyn Fn(&CrmUserId) -> bool,
) -> Option<(Candidate<'a>, bool)> {
    let first = candidates.first()?;
    if candidates.len() == 1 {
        return Some((*first, true));
    }
    let mut all = candidates.iter();
    let picked = match policy {
        SharedNumbers::MostRecentlyUpdated {} => Some(first),
        SharedNumbers::OpenDeal {} => all.find(|(client, _)| client.open_deal.is_some()),
        SharedNumbers::LastTalk {} => all.find(|(_, (user, _))| talked_last(user)),
        SharedNumbers::Entities { order } => order.iter().find_map(|sort| {
            let mut all = candidates.iter();
            all.find(|(client, _)| client.card.entity == sort.entity())
        }),
    };
    Some((*picked.unwrap_or(first), picked.is_some()))
}
