//! What is deleted in a portal leaves the directory, by the portal's offline events.

use std::sync::Arc;

use serde_json::{Value, json};
use trunkline::crm::{Adapter, Changes, Class, PieceNext};
use trunkline::lab::bitrix24::{
    BitrixLab, BitrixOptions, Kind, Limits, SeedCard, SeedDeal, Switches, start,
};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::directory::DirectoryChange;
use trunkline::model::outcome::Outcome;
use trunkline::model::plan::{Card, Entity};
use trunkline::model::secret::Secret;

use super::bitrix24_door::open;

async fn portal(switches: Switches) -> BitrixLab {
    let options = BitrixOptions {
        limits: Limits::none(),
        switches,
        ..BitrixOptions::default()
    };
    start(options).await.expect("a free port")
}

/// Opens the account anew, as after a restart.
async fn enter(lab: &BitrixLab) -> Arc<dyn Adapter> {
    let application = &lab.options().applications[0];
    let wanted = json!({
        "client_id": application.client_id, "client_secret": application.client_secret,
    });
    let adapter = open(&lab.base_url(), wanted);
    let code = Secret::new(lab.issue_code(&application.client_id, 1));
    assert_eq!(adapter.authorise(code).await, Outcome::Done(()));
    adapter
}

/// Reads everything; returns how many cards and deals there are, and the mark.
async fn everything(adapter: &dyn Adapter) -> (usize, Value) {
    let reader = adapter.directory().expect("a directory");
    let (mut cursor, mut held) = (None, 0);
    loop {
        let Outcome::Done(piece) = reader.everything(cursor).await else {
            panic!("everything is read")
        };
        held += piece.changes.len();
        match piece.next {
            PieceNext::At(next) => cursor = Some(next),
            PieceNext::End { mark } => return (held, mark),
        }
    }
}

/// Returns what is gone since a mark, whether that is all, and the next mark.
async fn gone(adapter: &dyn Adapter, mark: &Value) -> (Vec<Card>, bool, Value) {
    let reader = adapter.directory().expect("a directory");
    match reader.changes(mark.clone(), Class::Work).await {
        Outcome::Done(Changes::Read {
            changes,
            gone_told,
            mark,
            ..
        }) => {
            let gone = changes.into_iter().filter_map(|change| match change {
                DirectoryChange::Gone { card } => Some(card),
                DirectoryChange::Card(_) | DirectoryChange::Deal(_) => None,
            });
            (gone.collect(), gone_told, mark)
        }
        other => panic!("{other:?}"),
    }
}

fn card(entity: Entity, id: u64) -> Card {
    let id = id.to_string();
    Card { entity, id }
}

#[actix_rt::test]
async fn what_is_deleted_is_told_once_it_is_kept_and_again_where_the_answer_was_lost() {
    let lab = portal(Switches::default()).await;
    let people: Vec<u64> = (0..4)
        .map(|n| lab.add_contact(&SeedCard::new("К", &format!("+7916000000{n}"), 12)))
        .collect();
    let deal = lab.add_deal(&SeedDeal::default());
    let adapter = enter(&lab).await;
    let (held, mark) = everything(adapter.as_ref()).await;
    assert_eq!(held, 5);
    let (nothing, all, mark) = gone(adapter.as_ref(), &mark).await;
    assert_eq!((nothing.len(), all), (0, true));

    assert!(lab.delete(Kind::Contact, people[0]) && lab.delete(Kind::Deal, deal));
    let told = gone(adapter.as_ref(), &mark).await;
    let expected = [card(Entity::Contact, people[0]), card(Entity::Deal, deal)];
    assert_eq!((told.0.as_slice(), told.1), (&expected[..], true));
    assert_eq!(lab.counters().offline_waiting, 2, "until they are on disk");

    // The answer is lost, and the program starts again from the mark that it kept.
    assert!(lab.delete(Kind::Contact, people[1]));
    let lost = Rule::new("POST", "*batch", When::First { n: 1 }, Fault::LostAfter);
    lab.add_fault(lost).expect("a good rule");
    let reader = adapter.directory().expect("a directory");
    let unanswered = reader.changes(told.2.clone(), Class::Work).await;
    assert!(!matches!(unanswered, Outcome::Done(_)), "{unanswered:?}");
    for restarted in [false, true] {
        let adapter = if restarted {
            enter(&lab).await
        } else {
            Arc::clone(&adapter)
        };
        let (again, all, _) = gone(adapter.as_ref(), &told.2).await;
        assert!(
            again.contains(&card(Entity::Contact, people[1])),
            "{again:?}"
        );
        assert!(all);
    }
    let odd = lab.oracle().counters.oddities;
    assert!(
        odd.keys()
            .all(|what| what == super::conformance::bitrix24::EMPTY_REFERENCE),
        "{odd:?}"
    );
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn a_time_that_nobody_watched_has_everything_read_anew() {
    let lab = portal(Switches::default()).await;
    let adapter = enter(&lab).await;
    let reader = adapter.directory().expect("a directory");
    // The mark of a version that was told of no deletions.
    let old = json!({ "since": "2026-11-20T09:00:00.000Z" });
    let read = reader.changes(old, Class::Work).await;
    assert_eq!(read, Outcome::Done(Changes::TooMany));
    let (_, mark) = everything(adapter.as_ref()).await;
    assert!(gone(adapter.as_ref(), &mark).await.1);
    lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn where_events_are_not_kept_for_us_nothing_is_decided_by_the_directory() {
    let lab = portal(Switches {
        offline_reserve_available: false,
        ..Switches::default()
    })
    .await;
    let person = lab.add_contact(&SeedCard::new("К", "+79160000001", 12));
    let adapter = enter(&lab).await;
    let (_, mark) = everything(adapter.as_ref()).await;
    assert!(lab.delete(Kind::Contact, person));
    let (told, all, _) = gone(adapter.as_ref(), &mark).await;
    assert_eq!((told.len(), all), (0, false));
    lab.stop().await.expect("a clean end");
}
