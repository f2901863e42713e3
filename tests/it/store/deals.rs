//! What is kept of the deals that come back.

use serde_json::json;
use trunkline::model::deal::{Deal, DealState, Named, StageMove, StagePlace};
use trunkline::model::timestamp::Timestamp;
use trunkline::store::StoreHandle;
use trunkline::store::deals::{
    DealBatch, DealFigures, DealPull, DealSearch, DealUpload, DealUploaded, DealsApplied,
};

use super::sample::{amo, at, in_memory};

fn named(id: &str) -> Named {
    Named {
        id: id.to_owned(),
        name: format!("Name {id}"),
    }
}

pub(super) fn deal(id: &str, stage: &str, updated_s: i64) -> Deal {
    Deal {
        id: id.to_owned(),
        name: format!("Deal {id}"),
        pipeline: named("31"),
        stage: named(stage),
        state: DealState::Open,
        sum: None,
        currency: None,
        responsible: None,
        client: None,
        source: None,
        columns: Vec::new(),
        communication: None,
        kept: Default::default(),
        created_at: at(id.parse().expect("a number")),
        updated_at: at(updated_s),
        closed_at: None,
    }
}

pub(super) fn batch(deals: Vec<Deal>) -> DealBatch {
    DealBatch {
        integration: amo(),
        deals,
        removed: Vec::new(),
        moves: Vec::new(),
        derive_moves: false,
        answered: Vec::new(),
        pull: None,
        now: at(100),
    }
}

pub(super) fn moved(deal: &str, id: &str, from: &str, to: &str) -> StageMove {
    let place = |stage: &str| StagePlace {
        pipeline: "31".to_owned(),
        stage: stage.to_owned(),
    };
    StageMove {
        deal: deal.to_owned(),
        at: at(50),
        id: id.to_owned(),
        from: Some(place(from)),
        to: place(to),
    }
}

async fn stage_of(store: &StoreHandle, id: &str) -> Option<(String, DealState, usize)> {
    let found = store.deal(amo(), id.to_owned()).await.expect("read");
    found.map(|(found, moves)| {
        let deal = found.stored.deal;
        (deal.stage.id, deal.state, moves.len())
    })
}

async fn ids(store: &StoreHandle, search: DealSearch) -> Vec<String> {
    let page = store.search_deals(amo(), search).await.expect("read");
    page.deals
        .into_iter()
        .map(|found| found.stored.deal.id)
        .collect()
}

fn all() -> DealSearch {
    DealSearch {
        limit: 500,
        ..DealSearch::default()
    }
}

#[tokio::test]
async fn of_two_pictures_the_later_stands_and_a_move_is_kept_once() {
    let (store, _thread) = in_memory();
    let applied = |changed, known| DealsApplied { changed, known };
    let first = DealBatch {
        moves: vec![moved("1", "a", "1", "2"), moved("9", "b", "1", "2")],
        ..batch(vec![deal("1", "2", 20)])
    };
    // The move of an unknown deal is none.
    assert_eq!(store.change_deals(first.clone()).await, Ok(applied(2, 1)));
    assert_eq!(store.change_deals(first).await, Ok(applied(0, 3)));
    let older = batch(vec![deal("1", "1", 10)]);
    assert_eq!(store.change_deals(older).await, Ok(applied(0, 1)));
    // What was changed within one second is what was read last.
    let same_time = batch(vec![deal("1", "3", 20)]);
    assert_eq!(store.change_deals(same_time).await, Ok(applied(1, 0)));
    assert_eq!(
        stage_of(&store, "1").await,
        Some(("3".to_owned(), DealState::Open, 1))
    );
    // Where the CRM tells no moves, they are what is seen.
    let seen = DealBatch {
        derive_moves: true,
        ..batch(vec![deal("1", "4", 30), deal("2", "1", 30)])
    };
    assert_eq!(store.change_deals(seen).await, Ok(applied(2, 0)));
    assert_eq!(
        stage_of(&store, "1").await,
        Some(("4".to_owned(), DealState::Open, 2))
    );
    assert_eq!(
        stage_of(&store, "2").await,
        Some(("1".to_owned(), DealState::Open, 0))
    );
}

#[tokio::test]
async fn a_hint_that_was_given_again_since_stays() {
    let (store, _thread) = in_memory();
    let hints = async || store.deal_hints(amo(), 10).await.expect("read");
    for _ in 0..2 {
        let deals = vec!["7".to_owned(), "8".to_owned()];
        store.hint_deals(amo(), deals).await.expect("kept");
    }
    let seen = hints().await;
    assert_eq!(seen.len(), 2);
    store
        .hint_deals(amo(), vec!["8".to_owned()])
        .await
        .expect("kept");
    let answer = DealBatch {
        answered: seen,
        pull: Some(DealPull {
            mark: Some(json!(5)),
            ..DealPull::default()
        }),
        ..batch(Vec::new())
    };
    store.change_deals(answer).await.expect("kept");
    let left: Vec<String> = hints().await.into_iter().map(|hint| hint.deal).collect();
    assert_eq!(left, ["8"]);
    let pull = store.deal_pull(amo()).await.expect("read").expect("a pull");
    assert_eq!(pull.mark, Some(json!(5)));
    let figures = store.deal_figures(amo()).await;
    let wanted = DealFigures {
        hints: 1,
        ..DealFigures::default()
    };
    assert_eq!(figures, Ok(wanted));
}

#[tokio::test]
async fn deals_are_searched_page_by_page_the_newest_made_first() {
    let (store, _thread) = in_memory();
    let deals = (1..=5)
        .map(|n: i64| deal(&n.to_string(), "1", 20))
        .collect();
    let removing = DealBatch {
        removed: vec!["4".to_owned(), "unknown".to_owned()],
        ..batch(deals)
    };
    store.change_deals(removing).await.expect("kept");
    assert_eq!(ids(&store, all()).await, ["5", "3", "2", "1"]);
    let removed = DealSearch {
        state: Some(DealState::Removed),
        ..all()
    };
    assert_eq!(ids(&store, removed).await, ["4"]);
    let between = DealSearch {
        from: Some(at(2)),
        until: Some(at(5)),
        ..all()
    };
    assert_eq!(ids(&store, between).await, ["3", "2"]);
    let named = DealSearch {
        text: Some("dEAL 2".to_owned()),
        ..all()
    };
    assert_eq!(ids(&store, named).await, ["2"]);
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let search = DealSearch {
            limit: 2,
            after,
            ..DealSearch::default()
        };
        let page = store.search_deals(amo(), search).await.expect("read");
        seen.extend(page.deals.into_iter().map(|found| found.stored.deal.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["5", "3", "2", "1"]);
}

#[tokio::test]
async fn what_was_passed_on_is_known_and_old_ends_are_forgotten() {
    let (store, _thread) = in_memory();
    let ended = |id: &str, state| Deal {
        state,
        ..deal(id, "1", 20)
    };
    let deals = vec![
        ended("1", DealState::Won),
        ended("2", DealState::Open),
        ended("3", DealState::Lost),
    ];
    store.change_deals(batch(deals)).await.expect("kept");
    let changed = store.deals_after(amo(), 0, 10).await.expect("read");
    assert_eq!(changed.len(), 3);
    let uploaded = DealUploaded {
        integration: amo(),
        upload: DealUpload {
            target: "acme/cloud".to_owned(),
            version: changed[1].version,
            ..DealUpload::default()
        },
        taken: vec!["1".to_owned()],
        refused: vec![("2".to_owned(), "no".to_owned())],
    };
    store.deals_uploaded(uploaded).await.expect("kept");
    let upload = store.deal_upload(amo()).await.expect("read").expect("one");
    let rest = store
        .deals_after(amo(), upload.version, 10)
        .await
        .expect("read");
    assert_eq!(rest.len(), 1);
    let refused = DealSearch {
        refused: true,
        ..all()
    };
    assert_eq!(ids(&store, refused).await, ["2"]);
    // Stored a moment ago, nothing is old.
    assert_eq!(store.sweep_deals(at(90), 10).await, Ok(0));
    let later: Timestamp = at(1_000);
    assert_eq!(store.sweep_deals(later, 1).await, Ok(1));
    assert_eq!(store.sweep_deals(later, 10).await, Ok(1));
    assert_eq!(store.sweep_deals(later, 10).await, Ok(0));
    assert_eq!(ids(&store, all()).await, ["2"]);
    let figures = store.deal_figures(amo()).await.expect("read");
    assert_eq!((figures.deals, figures.refused), (1, 1));
}
