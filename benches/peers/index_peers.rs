//! The people of the directory's benchmark in ordinary collections, as one would write it down
//! first. Each answers with what the index answers with.

use std::collections::{BTreeMap, HashMap};

use trunkline::directory::known::{KnownClient, OpenDeal};
use trunkline::model::directory::DirectoryChange;
use trunkline::model::phone::Phone;
use trunkline::model::plan::Card;

use super::people;

/// An ordinary collection.
pub(crate) trait Collection: Clone {
    /// Takes everybody in.
    fn fill() -> Self;
    /// Returns who has a number.
    fn clients(&self, phone: &Phone) -> Vec<KnownClient>;
}

/// Everybody with the newest open deal.
fn everybody() -> impl Iterator<Item = (Phone, KnownClient)> {
    let mut deals: HashMap<Card, OpenDeal> = HashMap::new();
    for change in people::everything() {
        if let DirectoryChange::Deal(deal) = change
            && deal.deal.open
        {
            for client in deal.clients {
                let open = OpenDeal {
                    id: deal.deal.id.clone(),
                    responsible: deal.deal.responsible.clone(),
                };
                deals.insert(client, open);
            }
        }
    }
    people::everything().filter_map(move |change| {
        let DirectoryChange::Card(mut card) = change else {
            return None;
        };
        let phone = card.phones.pop()?;
        let open_deal = deals.remove(&card.card);
        let client = KnownClient {
            card: card.card,
            name: card.name,
            responsible: card.responsible,
            updated_at: card.updated_at,
            open_deal,
        };
        Some((phone, client))
    })
}

#[derive(Clone)]
pub(crate) struct Hash(HashMap<Phone, Vec<KnownClient>>);

impl Collection for Hash {
    fn fill() -> Self {
        let mut map: HashMap<_, Vec<_>> = HashMap::new();
        for (phone, client) in everybody() {
            map.entry(phone).or_default().push(client);
        }
        Self(map)
    }

    fn clients(&self, phone: &Phone) -> Vec<KnownClient> {
        self.0.get(phone).cloned().unwrap_or_default()
    }
}

#[derive(Clone)]
pub(crate) struct BTree(BTreeMap<Phone, Vec<KnownClient>>);

impl Collection for BTree {
    fn fill() -> Self {
        let mut map: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (phone, client) in everybody() {
            map.entry(phone).or_default().push(client);
        }
        Self(map)
    }

    fn clients(&self, phone: &Phone) -> Vec<KnownClient> {
        self.0.get(phone).cloned().unwrap_or_default()
    }
}

#[derive(Clone)]
pub(crate) struct Sorted(Vec<(u64, KnownClient)>);

impl Collection for Sorted {
    fn fill() -> Self {
        let mut list: Vec<_> = everybody()
            .map(|(phone, client)| (number(&phone), client))
            .collect();
        list.sort_by_key(|(phone, _)| *phone);
        list.shrink_to_fit();
        Self(list)
    }

    fn clients(&self, phone: &Phone) -> Vec<KnownClient> {
        let phone = number(phone);
        let from = self.0.partition_point(|(own, _)| *own < phone);
        let same = self
            .0
            .iter()
            .skip(from)
            .take_while(|(own, _)| *own == phone);
        same.map(|(_, client)| client.clone()).collect()
    }
}

fn number(phone: &Phone) -> u64 {
    phone.digits().parse().unwrap_or_default()
}
