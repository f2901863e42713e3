//! A store on disk and the people in it.

use std::path::Path;

use trunkline::model::directory::{DirectoryCard, DirectoryChange, DirectoryDeal};
use trunkline::model::facts::DealFact;
use trunkline::model::ids::{CrmUserId, PortalKey};
use trunkline::model::phone::Phone;
use trunkline::model::plan::{Card, Entity};
use trunkline::model::timestamp::Timestamp;
use trunkline::store::directory::{DirectoryBatch, DirectoryState};
use trunkline::store::{Store, StoreEnd, StoreHandle, StoreKey, StoreOptions, StoreThread};

/// A time, in seconds after the tests' morning.
pub(super) fn at(s: i64) -> Timestamp {
    Timestamp::from_secs(1_795_000_000 + s)
}

pub(super) fn portal() -> PortalKey {
    PortalKey::new("amocrm", "acme.amocrm.ru")
}

pub(super) fn phone(n: u32) -> Phone {
    Phone::try_from(format!("+7916{n:07}")).expect("a number")
}

pub(super) fn contact(id: &str, clients: &[u32], responsible: &str, s: i64) -> DirectoryChange {
    DirectoryChange::Card(DirectoryCard {
        card: card(Entity::Contact, id),
        name: format!("Клиент {id}"),
        phones: clients.iter().map(|n| phone(*n)).collect(),
        emails: vec![format!("c{id}@example.org")],
        responsible: Some(CrmUserId(responsible.to_owned())),
        created_at: at(0),
        updated_at: at(s),
    })
}

pub(super) fn deal(id: &str, contacts: &[&str], open: bool, s: i64) -> DirectoryChange {
    let contacts = contacts.iter();
    DirectoryChange::Deal(DirectoryDeal {
        deal: DealFact {
            id: id.to_owned(),
            pipeline: "3100".to_owned(),
            stage: "3102".to_owned(),
            responsible: Some(CrmUserId("77".to_owned())),
            open,
            created_at: at(s),
            closed_at: (!open).then(|| at(s)),
        },
        clients: contacts.map(|id| card(Entity::Contact, id)).collect(),
        updated_at: at(s),
    })
}

pub(super) fn gone(entity: Entity, id: &str) -> DirectoryChange {
    DirectoryChange::Gone {
        card: card(entity, id),
    }
}

pub(super) fn card(entity: Entity, id: &str) -> Card {
    Card {
        entity,
        id: id.to_owned(),
    }
}

/// A batch of the tests' portal, complete as of a time where one is given.
pub(super) fn batch(changes: Vec<DirectoryChange>, complete_as_of: Option<i64>) -> DirectoryBatch {
    DirectoryBatch {
        portal: portal(),
        changes,
        state: complete_as_of.map(|s| DirectoryState {
            complete_as_of: Some(at(s)),
            ..DirectoryState::default()
        }),
    }
}

pub(super) async fn change(
    store: &StoreHandle,
    changes: Vec<DirectoryChange>,
    complete_as_of: Option<i64>,
) {
    let applied = store.change_directory(batch(changes, complete_as_of)).await;
    applied.expect("applies");
}

pub(super) fn open(folder: &Path) -> (StoreHandle, StoreThread) {
    let key = StoreKey::from_bytes(&[7; 32]).expect("32 bytes");
    Store::open(&folder.join("store.redb"), key, StoreOptions::default()).expect("opens")
}

/// Ends a store and waits until its file is closed.
pub(super) async fn close(handle: StoreHandle, thread: StoreThread) {
    handle.shut_down().await;
    drop(handle);
    let end = tokio::task::spawn_blocking(move || thread.join()).await;
    assert_eq!(end.expect("joins"), StoreEnd::Closed);
}
