//! Acceptance: repeats, works made once for ever, lanes, checkpoints.

use serde_json::json;
use trunkline::model::chat::{Author, Chat, ChatPhase, Message};
use trunkline::model::communication::{Address, Body, Phase, Snapshot};
use trunkline::store::StoreError;
use trunkline::store::command::{Accept, Acceptance, Accepted, Route};
use trunkline::store::query::{JournalOutcome, NoteSearch};

use super::sample::*;

#[tokio::test]
async fn a_new_snapshot_makes_one_work_and_a_repeat_none() {
    let (store, _thread) = in_memory();
    let first = store.accept(accept(vec![routed(call("a", 1, 5))], 1)).await;
    let works = vec![(amo(), 1)];
    assert_eq!(first, Ok(vec![stored(works)]));
    let again = store.accept(accept(vec![routed(call("a", 1, 5))], 2)).await;
    assert_eq!(again, Ok(vec![Accepted::Repeat]));
    let older = store.accept(accept(vec![routed(call("a", 1, 4))], 3)).await;
    assert_eq!(older, Ok(vec![Accepted::Stale]));
    let newer = store.accept(accept(vec![routed(call("a", 1, 6))], 4)).await;
    assert_eq!(newer, Ok(vec![stored(vec![])]));

    assert_eq!(store.open_works().await.expect("reads").len(), 1);
    let stored = store.communication(communication("a")).await;
    let stored = stored.expect("reads").expect("is there");
    assert_eq!(stored.snapshot.revision, 6);
    assert_eq!(stored.outcome, JournalOutcome::Waiting);
}

#[tokio::test]
async fn a_checkpoint_is_stored_even_when_everything_repeats() {
    let (store, _thread) = in_memory();
    assert_eq!(store.checkpoint(source()).await, Ok(None));
    for n in 1..=2 {
        let accepted = store.accept(accept(vec![routed(call("a", 1, 1))], n)).await;
        accepted.expect("accepts");
        assert_eq!(
            store.checkpoint(source()).await,
            Ok(Some(json!({ "n": n })))
        );
    }
}

#[tokio::test]
async fn a_closed_work_is_not_made_again() {
    let (store, _thread) = in_memory();
    let accepted = store.accept(accept(vec![routed(call("a", 1, 1))], 1)).await;
    accepted.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    store
        .decide(fence, decide(1, vec![]))
        .await
        .expect("decides");
    store.close(fence, 1, at(1005)).await.expect("closes");
    let later = store.accept(accept(vec![routed(call("a", 1, 2))], 2)).await;
    assert_eq!(later, Ok(vec![stored(vec![])]));
    assert_eq!(store.open_works().await, Ok(vec![]));
    let stored = store.communication(communication("a")).await;
    let stored = stored.expect("reads").expect("is there");
    assert_eq!(stored.outcome, JournalOutcome::Ignored);
    assert_eq!(stored.accepted_at, at(1000));
}

#[tokio::test]
async fn two_revisions_in_one_commit_are_taken_in_order() {
    let (store, _thread) = in_memory();
    let both = vec![
        routed(call("a", 1, 1)),
        routed(call("a", 1, 2)),
        routed(call("a", 1, 2)),
    ];
    let accepted = store.accept(accept(both, 1)).await;
    let works = vec![(amo(), 1)];
    let expected = vec![stored(works), stored(vec![]), Accepted::Repeat];
    assert_eq!(accepted, Ok(expected));
}

fn chat(revision: u64, phone_of: Option<u32>) -> Snapshot {
    Snapshot {
        key: communication("chat"),
        revision,
        body: Body::Chat {
            chat: Chat {
                phase: ChatPhase::Started,
                channel: "site".to_owned(),
                visitor: "v1".to_owned(),
                name: None,
                phone: phone_of.map(phone),
                email: None,
                site: None,
                employee: None,
                tags: Vec::new(),
                started_at: at(1),
                ended_at: None,
                messages: Vec::new(),
                lost: false,
                group: None,
                details: Default::default(),
            },
        },
    }
}

#[tokio::test]
async fn a_chat_that_gains_a_phone_joins_that_lane_while_it_is_undecided() {
    let (store, _thread) = in_memory();
    let other: trunkline::model::ids::IntegrationKey = "acme/bitrix".parse().expect("a key");
    let to = |integration, phase| Route {
        integration,
        portal: portal(),
        phase,
    };
    let first = Acceptance {
        snapshot: chat(1, None),
        routes: vec![to(amo(), Phase::Started), to(other.clone(), Phase::Started)],
        not_taken: None,
    };
    store.accept(accept(vec![first], 1)).await.expect("accepts");
    let fence = store.claim(amo()).await.expect("claims");
    let mut decision = decide(1, vec![]);
    decision.decision.phase = Phase::Started;
    store.decide(fence, decision).await.expect("decides");

    let later = Acceptance {
        snapshot: chat(2, Some(7)),
        routes: vec![],
        not_taken: None,
    };
    let accepted = store.accept(accept(vec![later], 2)).await;
    let moved = Accepted::Stored {
        works: vec![],
        gained: vec![(other.clone(), 2)],
    };
    assert_eq!(accepted, Ok(vec![moved]));
    let fence = store.claim(other).await.expect("claims");
    let mut decision = decide(2, vec![]);
    decision.decision.phase = Phase::Started;
    decision.addresses_seen = 1;
    let late = store.decide(fence, decision).await;
    assert_eq!(
        late,
        Err(StoreError::Gained(2)),
        "begun before it was moved"
    );
    let lanes: Vec<_> = store.open_works().await.expect("reads");
    let lanes: Vec<_> = lanes.into_iter().map(|work| work.addresses).collect();
    let visitor = Address::Visitor("site:v1".to_owned());
    let joined = vec![visitor.clone(), Address::Phone(phone(7))];
    assert_eq!(lanes, vec![vec![visitor], joined]);
}

/// A chat in which so much was written, routed to what comes again, and to its end where it is over.
fn written(revision: u64, messages: usize, over: bool) -> Acceptance {
    let mut snapshot = chat(revision, None);
    let Body::Chat { chat } = &mut snapshot.body else {
        unreachable!("it is a chat");
    };
    let message = |number: usize| Message {
        id: number.to_string(),
        at: at(1),
        author: Author::Client { name: None },
        text: "…".to_owned(),
    };
    chat.messages = (0..messages).map(message).collect();
    if over {
        (chat.phase, chat.ended_at) = (ChatPhase::Ended, Some(at(2)));
    }
    let mut phases = vec![Phase::Message, Phase::Continued];
    phases.extend(over.then_some(Phase::Ended));
    let to = |phase| Route {
        integration: amo(),
        portal: portal(),
        phase,
    };
    Acceptance {
        snapshot,
        routes: phases.into_iter().map(to).collect(),
        not_taken: None,
    }
}

#[tokio::test]
async fn what_recurs_makes_a_work_each_time_and_what_comes_after_the_end_only_after_it() {
    let (store, _thread) = in_memory();
    let mut made = Vec::new();
    for (revision, messages, over) in [
        (1, 1, false),
        // A new picture in which nothing was written.
        (2, 1, false),
        (3, 2, false),
        (4, 2, true),
        (5, 2, true),
        (6, 3, true),
    ] {
        let one = accept(vec![written(revision, messages, over)], revision);
        let accepted = store.accept(one).await.expect("accepts");
        let [Accepted::Stored { works, .. }] = &accepted[..] else {
            panic!("{accepted:?}");
        };
        made.push(works.len());
    }
    // A message; nothing; a message; closed, its end; written on when closed; after the end.
    assert_eq!(made, [1, 0, 1, 2, 1, 2]);
    let open = store.open_works().await.expect("reads");
    let after = open.iter().filter(|work| work.phase == Phase::Continued);
    assert_eq!(after.count(), 2);
}

#[tokio::test]
async fn what_nobody_takes_is_remarked_once() {
    let (store, _thread) = in_memory();
    for revision in 1..=3 {
        let untaken = Acceptance {
            snapshot: call("a", 1, revision),
            routes: vec![],
            not_taken: Some("no integration takes calls of office".to_owned()),
        };
        let accepted = store.accept(accept(vec![untaken], revision)).await;
        accepted.expect("accepts");
    }
    let story = store.story(communication("a")).await.expect("reads");
    let story = story.expect("is there");
    assert_eq!(story.communication.outcome, JournalOutcome::NotTaken);
    let words: Vec<_> = story.notes.iter().map(|note| note.word.as_str()).collect();
    assert_eq!(words, ["not_taken"]);
    let search = NoteSearch {
        limit: 10,
        ..NoteSearch::default()
    };
    assert_eq!(store.notes(search).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn a_source_cannot_report_what_is_not_its_own() {
    let (store, _thread) = in_memory();
    let foreign = Accept {
        source: "evil/office".parse().expect("a source"),
        ..accept(vec![routed(call("a", 1, 1))], 1)
    };
    let refused = store.accept(foreign).await;
    assert!(
        matches!(refused, Err(StoreError::WrongSource { .. })),
        "{refused:?}"
    );
    assert_eq!(store.communication(communication("a")).await, Ok(None));
    let theirs = "evil/office".parse().expect("a source");
    assert_eq!(store.checkpoint(theirs).await, Ok(None));
}
