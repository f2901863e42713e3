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

/// Chooses; `None` where there are no cards. They come most recently updated first.
/// `talked_last` says whether the employee who is this CRM user talked with the number last.
pub fn choose<'a>(
    clients: &'a [KnownClient],
    settings: &PersonalManagerSettings,
    talked_last: &dyn Fn(&CrmUserId) -> bool,
) -> Option<Choice<'a>> {
    let policy = &settings.shared_numbers;
    for of in &settings.responsible_of {
        let named = |client: &'a KnownClient| Some((client, responsible(client, *of)?));
        let candidates: Vec<(&KnownClient, &CrmUserId)> =
            clients.iter().filter_map(named).collect();
        let Some((client, user, settled)) = pick(&candidates, policy, talked_last) else {
            continue;
        };
        let mut found = (user, *of);
        let shared = clients.len() > 1;
        if let (SharedNumbers::OpenDeal {}, true, Some(deal)) = (policy, shared, &client.open_deal)
            && let Some(user) = &deal.responsible
        {
            found = (user, ResponsibleOf::Deal);
        }
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
        settled: clients.len() == 1 || matches!(policy, SharedNumbers::MostRecentlyUpdated {}),
    })
}

/// Returns the responsible whom a record of the client names.
fn responsible(client: &KnownClient, of: ResponsibleOf) -> Option<&CrmUserId> {
    let of_card = |entity: Entity| {
        let own = client.responsible.as_ref();
        own.filter(|_| client.card.entity == entity)
    };
    match of {
        ResponsibleOf::Contact => of_card(Entity::Contact),
        ResponsibleOf::Company => of_card(Entity::Company),
        ResponsibleOf::Lead => of_card(Entity::Lead),
        ResponsibleOf::Deal => client.open_deal.as_ref()?.responsible.as_ref(),
    }
}

/// Picks one candidate; says whether it was the policy that did.
fn pick<'a>(
    candidates: &[(&'a KnownClient, &'a CrmUserId)],
    policy: &SharedNumbers,
    talked_last: &dyn Fn(&CrmUserId) -> bool,
) -> Option<(&'a KnownClient, &'a CrmUserId, bool)> {
    let first = candidates.first()?;
    if candidates.len() == 1 {
        return Some((first.0, first.1, true));
    }
    let mut all = candidates.iter();
    let picked = match policy {
        SharedNumbers::MostRecentlyUpdated {} => Some(first),
        SharedNumbers::OpenDeal {} => all.find(|(client, _)| client.open_deal.is_some()),
        SharedNumbers::LastTalk {} => all.find(|(_, user)| talked_last(user)),
        SharedNumbers::Entities { order } => order.iter().find_map(|sort| {
            let of_sort = |(client, _): &&(&KnownClient, _)| client.card.entity == sort.entity();
            candidates.iter().find(of_sort)
        }),
    };
    let (client, user) = picked.unwrap_or(first);
    Some((client, user, picked.is_some()))
}
