//! The directory: pictures of cards and deals, found by address, with the sync's state beside
//! them.

use serde_json::json;
use trunkline::model::directory::{DirectoryCard, DirectoryChange, DirectoryDeal};
use trunkline::model::facts::DealFact;
use trunkline::model::ids::{CrmUserId, PortalKey};
use trunkline::model::plan::{Card, Entity};
use trunkline::store::directory::{
    DirectoryAnswer, DirectoryBatch, DirectoryPart, DirectoryQuery, DirectoryRange, DirectoryState,
};
use trunkline::store::{StoreHandle, command::Fence};

use super::sample::*;

fn contact(id: &str, clients: &[u32], updated_at: i64) -> DirectoryCard {
    DirectoryCard {
        card: card(Entity::Contact, id),
        name: format!("Client {id}"),
        phones: clients.iter().map(|n| phone(*n)).collect(),
        emails: vec![format!("c{id}@example.org")],
        responsible: Some(CrmUserId("501".to_owned())),
        created_at: at(0),
        updated_at: at(updated_at),
    }
}

fn deal(id: &str, contacts: &[&str], updated_at: i64) -> DirectoryDeal {
    DirectoryDeal {
        deal: DealFact {
            id: id.to_owned(),
            pipeline: "1".to_owned(),
            stage: "2".to_owned(),
            responsible: None,
            open: true,
            created_at: at(updated_at),
            closed_at: None,
        },
        clients: contacts
            .iter()
            .map(|id| card(Entity::Contact, id))
            .collect(),
        updated_at: at(updated_at),
    }
}

fn card(entity: Entity, id: &str) -> Card {
    Card {
        entity,
        id: id.to_owned(),
    }
}

fn gone(entity: Entity, id: &str) -> DirectoryChange {
    DirectoryChange::Gone {
        card: card(entity, id),
    }
}

fn batch(changes: Vec<DirectoryChange>) -> DirectoryBatch {
    DirectoryBatch {
        portal: portal(),
        changes,
        state: None,
    }
}

/// Two contacts of one number, with a state of the sync.
pub(super) fn two_cards() -> DirectoryBatch {
    DirectoryBatch {
        state: Some(DirectoryState {
            mark: Some(json!({ "page": 2 })),
            ..DirectoryState::default()
        }),
        ..batch(vec![
            DirectoryChange::Card(contact("7001", &[1], 10)),
            DirectoryChange::Card(contact("7002", &[1, 2], 20)),
        ])
    }
}

/// One of them is gone.
pub(super) fn one_gone() -> DirectoryBatch {
    DirectoryBatch {
        state: Some(DirectoryState {
            complete_as_of: Some(at(99)),
            ..DirectoryState::default()
        }),
        ..batch(vec![gone(Entity::Contact, "7002")])
    }
}

/// Asks for the cards of a client.
pub(super) fn who_has(n: u32) -> DirectoryQuery {
    DirectoryQuery {
        portal: portal(),
        phones: vec![phone(n)],
        emails: Vec::new(),
        deals: true,
        expected: Vec::new(),
    }
}

async fn ids(store: &StoreHandle, n: u32) -> Vec<String> {
    let answer = answer(store, who_has(n)).await;
    answer.cards.into_iter().map(|c| c.card.card.id).collect()
}

async fn answer(store: &StoreHandle, query: DirectoryQuery) -> DirectoryAnswer {
    store.directory_answer(query).await.expect("reads")
}

async fn change(store: &StoreHandle, changes: Vec<DirectoryChange>) -> u64 {
    let applied = store.change_directory(batch(changes)).await;
    applied.expect("applies").changed
}

#[tokio::test]
async fn a_card_is_found_by_each_of_its_addresses_the_latest_first() {
    let (store, thread) = in_memory();
    assert_eq!(store.directory(portal()).await, Ok(None));
    assert_eq!(ids(&store, 1).await, [""; 0]);
    store.change_directory(two_cards()).await.expect("applies");
    assert_eq!(ids(&store, 1).await, ["7002", "7001"]);
    assert_eq!(ids(&store, 2).await, ["7002"]);
    let by_mail = DirectoryQuery {
        phones: Vec::new(),
        emails: vec!["c7001@example.org".to_owned()],
        ..who_has(1)
    };
    assert_eq!(answer(&store, by_mail).await.cards.len(), 1);
    let stored = store.directory(portal()).await.expect("reads");
    let stored = stored.expect("is there");
    assert_eq!((stored.cards, stored.deals), (2, 0));
    assert_eq!(stored.state.mark, Some(json!({ "page": 2 })));
    let other = PortalKey::new("amocrm", "other.amocrm.ru");
    assert_eq!(store.directory(other).await, Ok(None));
    close(store, thread).await;
}

#[tokio::test]
async fn of_two_pictures_the_later_stands_and_a_number_that_moved_leaves_the_old_card() {
    let (store, thread) = in_memory();
    let put = |c| vec![DirectoryChange::Card(c)];
    assert_eq!(change(&store, put(contact("7001", &[1], 10))).await, 1);
    assert_eq!(change(&store, put(contact("7001", &[1], 10))).await, 0);
    assert_eq!(change(&store, put(contact("7001", &[2], 5))).await, 0);
    assert_eq!(change(&store, put(contact("7001", &[3], 11))).await, 1);
    assert_eq!(ids(&store, 1).await, [""; 0]);
    assert_eq!(ids(&store, 2).await, [""; 0]);
    assert_eq!(ids(&store, 3).await, ["7001"]);
    assert_eq!(change(&store, vec![gone(Entity::Contact, "7001")]).await, 1);
    assert_eq!(change(&store, vec![gone(Entity::Contact, "7001")]).await, 0);
    assert_eq!(ids(&store, 3).await, [""; 0]);
    let stored = store.directory(portal()).await.expect("reads");
    assert_eq!(stored.expect("is there").cards, 0);
    close(store, thread).await;
}

#[tokio::test]
async fn a_card_brings_its_deals_newest_first_and_what_is_expected_and_missing_is_named() {
    let (store, thread) = in_memory();
    let deals = ["9001", "9002"].map(|id| deal(id, &["7001"], id[3..].parse().expect("a digit")));
    let mut changes = vec![DirectoryChange::Card(contact("7001", &[1], 10))];
    changes.extend(deals.into_iter().map(DirectoryChange::Deal));
    assert_eq!(change(&store, changes).await, 3);
    let expected = [(Entity::Contact, "7001"), (Entity::Deal, "9009")];
    let query = DirectoryQuery {
        expected: expected.map(|(entity, id)| card(entity, id)).to_vec(),
        ..who_has(1)
    };
    let found = answer(&store, query).await;
    let of_first: Vec<_> = found.cards[0].deals.iter().map(|d| d.id.as_str()).collect();
    assert_eq!(of_first, ["9002", "9001"]);
    assert_eq!(found.missing, [card(Entity::Deal, "9009")]);
    // One goes to another client, one is gone.
    let moved = DirectoryChange::Deal(deal("9001", &["7002"], 50));
    change(&store, vec![moved, gone(Entity::Deal, "9002")]).await;
    assert!(answer(&store, who_has(1)).await.cards[0].deals.is_empty());
    close(store, thread).await;
}

#[tokio::test]
async fn a_range_of_ids_names_what_is_known_in_the_order_of_the_numbers() {
    let (store, thread) = in_memory();
    let cards = ["9", "10", "250", "7001"].map(|id| DirectoryChange::Card(contact(id, &[1], 1)));
    change(&store, cards.to_vec()).await;
    let known = async |after: Option<&str>, up_to: Option<&str>, limit| {
        let range = DirectoryRange {
            portal: portal(),
            entity: Entity::Contact,
            after: after.map(str::to_owned),
            up_to: up_to.map(str::to_owned),
            limit,
        };
        let found = store.directory_range(range).await.expect("reads");
        found.into_iter().map(|card| card.id).collect::<Vec<_>>()
    };
    assert_eq!(known(None, None, 10).await, ["9", "10", "250", "7001"]);
    assert_eq!(known(Some("9"), Some("250"), 10).await, ["10", "250"]);
    assert_eq!(known(Some("250"), None, 10).await, ["7001"]);
    assert_eq!(known(None, None, 2).await, ["9", "10"]);
    close(store, thread).await;
}

#[tokio::test]
async fn all_of_it_is_loaded_in_pieces_and_what_changes_meanwhile_is_told_in_order() {
    let (store, thread) = in_memory();
    let mut feed = store.follow_directories();
    let numbers = 1..=250_u32;
    let cards = numbers.map(|n| DirectoryChange::Card(contact(&n.to_string(), &[n], 1)));
    change(&store, cards.collect()).await;
    change(&store, vec![DirectoryChange::Deal(deal("9", &["1"], 1))]).await;
    let (mut next, mut pieces, mut loaded) = (None, 0, Vec::new());
    loop {
        let part = DirectoryPart::Cards;
        let piece = store.directory_chunk(portal(), part, next, 100).await;
        let piece = piece.expect("reads");
        loaded.extend(piece.cards().map(|packed| packed.unpack().expect("whole")));
        pieces += 1;
        next = piece.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!((pieces, loaded.len()), (3, 250));
    assert_eq!(loaded[249], contact("250", &[250], 1));
    let deals = store.directory_chunk(portal(), DirectoryPart::Deals, None, 100);
    let deals = deals.await.expect("reads");
    let deals: Vec<_> = deals.deals().filter_map(|packed| packed.unpack()).collect();
    assert_eq!(deals, [deal("9", &["1"], 1)]);
    assert_eq!(feed.recv().await.expect("told").changes.len(), 250);
    assert_eq!(feed.recv().await.expect("told").changes.len(), 1);
    // That nothing has changed since is news too.
    let nothing_new = DirectoryBatch {
        state: Some(DirectoryState {
            complete_as_of: Some(at(7)),
            ..DirectoryState::default()
        }),
        ..batch(Vec::new())
    };
    store.change_directory(nothing_new).await.expect("applies");
    let told = feed.recv().await.expect("told");
    assert_eq!((told.changes.len(), told.complete_as_of), (0, Some(at(7))));
    close(store, thread).await;
}

#[tokio::test]
async fn what_we_make_is_in_the_directory_with_the_record_of_its_making() {
    let (store, thread) = in_memory();
    let mut feed = store.follow_directories();
    store.change_directory(two_cards()).await.expect("applies");
    let accepted = accept(vec![routed(call("a", 1, 1))], 1);
    store.accept(accepted).await.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    assert!(fence > Fence(0));
    let plan = decide(1, vec![contact_step(1), deal_step(1)]);
    store.decide(fence, plan).await.expect("decides");
    for (role, entity, id) in [
        ("contact", Entity::Contact, "7100"),
        ("deal", Entity::Deal, "9100"),
    ] {
        let steps = vec![in_flight(), done(entity, id)];
        let made = store.advance(fence, advance(1, role, steps)).await;
        made.expect("advances");
    }
    let found = answer(&store, who_has(1)).await;
    let own = found
        .cards
        .iter()
        .find(|known| known.card.card.id == "7100");
    let own = own.expect("is there");
    assert_eq!(own.deals[0].id, "9100");
    assert_eq!(own.card.created_at, at(1002));
    for _ in 0..3 {
        feed.recv().await.expect("told");
    }
    // Whatever clock the CRM goes by, its own picture takes the place of ours.
    let theirs = contact("7100", &[5], 900);
    assert_eq!(change(&store, vec![DirectoryChange::Card(theirs)]).await, 1);
    close(store, thread).await;
}

#[tokio::test]
async fn where_no_directory_is_kept_what_we_make_leaves_none() {
    let (store, thread) = in_memory();
    let accepted = accept(vec![routed(call("a", 1, 1))], 1);
    store.accept(accepted).await.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    let plan = decide(1, vec![contact_step(1)]);
    store.decide(fence, plan).await.expect("decides");
    let steps = vec![in_flight(), done(Entity::Contact, "7100")];
    let made = store.advance(fence, advance(1, "contact", steps)).await;
    made.expect("advances");
    assert_eq!(store.directory(portal()).await, Ok(None));
    close(store, thread).await;
}
