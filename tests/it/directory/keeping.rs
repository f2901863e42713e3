//! The keeper beside a real store: whoever joins late, falls behind or starts anew ends up with
//! what the store holds, and answers all the while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use trunkline::directory::books::Books;
use trunkline::directory::keeper::keep;
use trunkline::directory::known::{Book, KnownClient, OpenDeal};
use trunkline::model::ids::{CrmUserId, PortalKey};
use trunkline::model::plan::Entity;
use trunkline::store::StoreHandle;
use trunkline::store::directory::{DirectoryBatch, DirectoryQuery, FEED_BATCHES_MAX};

use super::people::*;

struct Kept {
    books: Arc<Books>,
    book: Arc<dyn Book>,
    task: JoinHandle<()>,
}

/// Begins to keep the tests' portal.
fn begin(store: &StoreHandle) -> Kept {
    let books = Arc::new(Books::default());
    books.want([portal()]);
    Kept {
        book: books.book(&portal()),
        task: tokio::spawn(keep(store.clone(), Arc::clone(&books))),
        books,
    }
}

impl Kept {
    fn users(&self, n: u32) -> Vec<String> {
        let clients = self.book.clients(&phone(n)).into_iter();
        clients.filter_map(|c| c.responsible).map(|u| u.0).collect()
    }

    async fn until_complete_as_of(&self, s: i64) {
        until(|| self.book.complete_as_of() == Some(at(s))).await;
    }

    async fn end(self) {
        self.task.abort();
        assert!(self.task.await.expect_err("aborted").is_cancelled());
    }
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.expect("comes within a minute");
}

/// Asserts that the book says of these clients what the store says.
async fn agree(book: &dyn Book, store: &StoreHandle, clients: impl Iterator<Item = u32>) {
    for n in clients {
        let query = DirectoryQuery {
            portal: portal(),
            phones: vec![phone(n)],
            emails: Vec::new(),
            deals: true,
            expected: Vec::new(),
        };
        let answer = store.directory_answer(query).await.expect("reads");
        let stored = answer.cards.into_iter().map(|known| KnownClient {
            card: known.card.card,
            name: known.card.name,
            responsible: known.card.responsible,
            updated_at: known.card.updated_at,
            open_deal: known.deals.into_iter().find(|d| d.open).map(|d| OpenDeal {
                id: d.id,
                responsible: d.responsible,
            }),
        });
        assert_eq!(book.clients(&phone(n)), stored.collect::<Vec<_>>(), "{n}");
    }
}

/// More than two chunks of each part.
const MANY: u32 = 9000;

async fn fill(store: &StoreHandle, complete_as_of: i64) {
    let contacts = (0..MANY).map(|n| contact(&n.to_string(), &[n, n / 10], "501", 1));
    change(store, contacts.collect(), None).await;
    let deals = (0..MANY).map(|n| {
        let clients = [(n / 3).to_string(), (n / 2).to_string()];
        deal(
            &n.to_string(),
            &clients.each_ref().map(String::as_str),
            n % 3 != 0,
            i64::from(n),
        )
    });
    change(store, deals.collect(), Some(complete_as_of)).await;
}

#[tokio::test]
async fn a_book_that_is_opened_late_says_what_the_store_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, thread) = open(folder.path());
    fill(&store, 10).await;
    let kept = begin(&store);
    assert_eq!(kept.book.complete_as_of(), None);
    kept.until_complete_as_of(10).await;
    agree(&*kept.book, &store, (0..MANY).step_by(97)).await;
    assert_eq!(kept.book.clients(&phone(MANY)), []);
    kept.end().await;
    close(store, thread).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_while_a_book_is_filled_is_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, thread) = open(folder.path());
    fill(&store, 10).await;
    let kept = begin(&store);
    for round in 0..50_u32 {
        let ids = (round..MANY).step_by(500);
        let changes = ids.flat_map(|n| {
            let id = n.to_string();
            let contact = match round % 3 {
                0 => gone(Entity::Contact, &id),
                _ => contact(&id, &[n + 1, round], "502", i64::from(20 + round)),
            };
            [
                contact,
                deal(&id, &[&id], round % 2 == 0, i64::from(20 + round)),
            ]
        });
        change(&store, changes.collect(), Some(i64::from(20 + round))).await;
    }
    kept.until_complete_as_of(69).await;
    agree(&*kept.book, &store, (0..MANY).step_by(7)).await;
    kept.end().await;
    close(store, thread).await;
}

#[tokio::test]
async fn a_change_is_in_the_book_with_how_complete_it_makes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, thread) = open(folder.path());
    let kept = begin(&store);
    change(&store, vec![contact("1", &[1], "501", 1)], Some(5)).await;
    kept.until_complete_as_of(5).await;
    assert_eq!(kept.users(1), ["501"]);
    change(&store, vec![contact("1", &[1], "502", 2)], None).await;
    until(|| kept.users(1) == ["502"]).await;
    // Nothing new is news too.
    change(&store, Vec::new(), Some(9)).await;
    kept.until_complete_as_of(9).await;
    change(&store, vec![gone(Entity::Contact, "1")], None).await;
    until(|| kept.users(1).is_empty()).await;
    kept.end().await;
    close(store, thread).await;
}

#[tokio::test]
async fn every_portal_has_its_own_book_as_long_as_it_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, thread) = open(folder.path());
    let other = PortalKey::new("amocrm", "other.amocrm.ru");
    let theirs = DirectoryBatch {
        portal: other.clone(),
        ..batch(vec![contact("1", &[1], "601", 1)], Some(7))
    };
    store.change_directory(theirs).await.expect("applies");
    let kept = begin(&store);
    change(&store, vec![contact("1", &[1], "501", 1)], Some(5)).await;
    kept.until_complete_as_of(5).await;
    assert_eq!(kept.users(1), ["501"]);
    // Nobody wants the other one yet.
    let unwanted = kept.books.book(&other);
    assert_eq!(
        (unwanted.clients(&phone(1)), unwanted.complete_as_of()),
        (vec![], None)
    );
    kept.books.want([portal(), other.clone()]);
    let wanted = kept.books.book(&other);
    until(|| wanted.complete_as_of() == Some(at(7))).await;
    let found = wanted.clients(&phone(1)).remove(0);
    assert_eq!(found.responsible, Some(CrmUserId("601".to_owned())));
    // A book that is wanted all the while is one and the same.
    change(&store, vec![contact("1", &[1], "502", 2)], None).await;
    until(|| kept.users(1) == ["502"]).await;
    kept.books.want([other.clone()]);
    assert_eq!(kept.books.book(&portal()).clients(&phone(1)), []);
    kept.end().await;
    close(store, thread).await;
}

#[tokio::test]
async fn after_a_restart_the_book_is_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, thread) = open(folder.path());
    let kept = begin(&store);
    change(&store, vec![contact("1", &[1, 2], "501", 1)], None).await;
    let last = vec![deal("9", &["1"], true, 2), contact("2", &[2], "502", 3)];
    change(&store, last, Some(5)).await;
    kept.until_complete_as_of(5).await;
    let before = kept.book.clients(&phone(2));
    assert_eq!(before.len(), 2);
    kept.end().await;
    close(store, thread).await;

    let (store, thread) = open(folder.path());
    let kept = begin(&store);
    kept.until_complete_as_of(5).await;
    assert_eq!(kept.book.clients(&phone(2)), before);
    kept.end().await;
    close(store, thread).await;
}

/// A runtime that stands still unless it is driven.
fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().build().expect("a runtime")
}

#[test]
fn who_fell_behind_answers_as_before_and_then_holds_what_the_store_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mine, keepers) = (runtime(), runtime());
    let (store, thread) = mine.block_on(async { open(folder.path()) });
    mine.block_on(fill(&store, 10));
    let kept = keepers.block_on(async { begin(&store) });
    keepers.block_on(kept.until_complete_as_of(10));

    // The keeper's runtime stands still while more changes come than wait for anybody.
    let batches = u32::try_from(FEED_BATCHES_MAX).expect("small") + 50;
    mine.block_on(async {
        for n in 0..batches {
            let changes = vec![
                contact(&(n * 3).to_string(), &[n * 3, n], "502", 20),
                gone(Entity::Contact, &(n * 3 + 1).to_string()),
                gone(Entity::Deal, &(n * 2).to_string()),
                contact(&format!("new-{n}"), &[MANY + n], "503", 20),
            ];
            change(&store, changes, Some(i64::from(100 + n))).await;
        }
    });
    assert_eq!(kept.users(6000), ["501"]);
    assert_eq!(kept.book.complete_as_of(), Some(at(10)));

    let done = at(i64::from(100 + batches - 1));
    keepers.block_on(until(|| kept.book.complete_as_of() == Some(done)));
    let sometimes = (0..MANY).step_by(53);
    let touched: BTreeSet<u32> = (0..1200)
        .chain(MANY..MANY + batches)
        .chain(sometimes)
        .collect();
    mine.block_on(agree(&*kept.book, &store, touched.into_iter()));
    assert_eq!(kept.users(MANY), ["503"]);
    // And it follows again.
    mine.block_on(change(&store, vec![contact("5", &[5], "504", 30)], None));
    let users = BTreeSet::from(["504".to_owned()]);
    let has_all = || users.iter().all(|user| kept.users(5).contains(user));
    keepers.block_on(until(has_all));
    keepers.block_on(kept.end());
    mine.block_on(close(store, thread));
}
