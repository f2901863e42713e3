//! Power cuts: the disk stops at every sync and at every write of a day's work; what was
//! acknowledged is there afterwards, what was not is there whole or not at all, and the day can
//! be finished with the same numbers.

use trunkline::model::plan::Entity;
use trunkline::store::command::{Fence, JournalNote, Revival, Revive};
use trunkline::store::query::{JournalOutcome, JournalSearch, NoteSearch};
use trunkline::store::{Store, StoreError, StoreHandle, StoreOptions};

use super::directory;
use super::sample::*;
use crate::crash_backend::{CrashDisk, StopAt, Unsynced};

/// How many commands the day has.
const COMMANDS: usize = 25;

/// Carries out command `n` of the day, for `n` below [`COMMANDS`], with the fence of the claim
/// that [`made`] made.
async fn command(store: &StoreHandle, n: usize) -> Result<(), StoreError> {
    let fence = Fence(1);
    let revival = |role_text: &str, revival| Revive {
        integration: amo(),
        communication: communication("b"),
        role: role(role_text),
        revival,
        now: at(2000),
        portal: portal(),
    };
    let accepting = |item: &str, client, revision, checkpoint| {
        let mut command = accept(vec![routed(call(item, client, revision))], checkpoint);
        command.notes = vec![JournalNote {
            at: at(1),
            tenant: None,
            source: Some(source()),
            integration: None,
            communication: Some(communication(item)),
            word: "remark".to_owned(),
            text: checkpoint.to_string(),
        }];
        store.accept(command)
    };
    match n {
        0 => accepting("a", 1, 1, 1).await.map(drop),
        1 => accepting("b", 2, 1, 2).await.map(drop),
        2 => accepting("a", 3, 2, 3).await.map(drop),
        3 => accepting("a", 3, 2, 4).await.map(drop),
        4 => store
            .decide(fence, decide(1, vec![contact_step(1), deal_step(1)]))
            .await
            .map(drop),
        5 => {
            store
                .advance(fence, advance(1, "contact", vec![in_flight()]))
                .await
        }
        6 => {
            let made = advance(1, "contact", vec![done(Entity::Contact, "1")]);
            store.advance(fence, made).await
        }
        7 => store
            .decide(fence, decide(2, vec![contact_step(2), deal_step(2)]))
            .await
            .map(drop),
        8 => {
            store
                .advance(fence, advance(1, "deal", vec![in_flight()]))
                .await
        }
        9 => {
            store
                .advance(fence, advance(2, "contact", vec![in_flight()]))
                .await
        }
        10 => {
            let mut both = advance(2, "contact", vec![dead()]);
            both.steps.extend(advance(2, "deal", vec![dropped()]).steps);
            store.advance(fence, both).await
        }
        11 => store.close(fence, 2, at(1010)).await,
        12 => {
            let made = advance(1, "deal", vec![done(Entity::Deal, "2")]);
            store.advance(fence, made).await
        }
        13 => store.close(fence, 1, at(1011)).await,
        14 => store
            .put_settings(amo(), serde_json::json!({"n": n}), at(1))
            .await
            .map(drop),
        15 => store
            .revive(revival("contact", Revival::Retry))
            .await
            .map(drop),
        16 => accepting("c", 4, 1, 17).await.map(drop),
        17 => {
            store
                .advance(fence, advance(3, "contact", vec![in_flight(), dead()]))
                .await
        }
        18 => store
            .revive(revival("contact", Revival::DecideAgain))
            .await
            .map(drop),
        19 => {
            let mut again = decide(5, vec![contact_step(5)]);
            again.replaces = vec![role("contact")];
            store.decide(fence, again).await.map(drop)
        }
        20 => {
            let made = vec![in_flight(), done(Entity::Contact, "3")];
            let last = advance(5, "contact", made);
            store.advance_to_end(fence, last).await.map(drop)
        }
        21 => store
            .put_settings(amo(), serde_json::json!({"n": n}), at(2))
            .await
            .map(drop),
        22 => accepting("d", 5, 1, 23).await.map(drop),
        23 => store
            .change_directory(directory::two_cards())
            .await
            .map(drop),
        24 => store
            .change_directory(directory::one_gone())
            .await
            .map(drop),
        _ => unreachable!("the day has {COMMANDS} commands"),
    }
}

/// Everything that can be read, as text.
async fn picture(store: &StoreHandle) -> String {
    let mut lines = Vec::new();
    for item in ["a", "b", "c", "d"] {
        let story = store.story(communication(item)).await.expect("reads");
        lines.push(format!("{item}: {story:?}"));
    }
    lines.push(format!("{:?}", store.open_works().await.expect("reads")));
    lines.push(format!(
        "{:?}",
        store.dead_letters(10, None).await.expect("reads")
    ));
    lines.push(format!(
        "{:?}",
        store.checkpoint(source()).await.expect("reads")
    ));
    lines.push(format!(
        "{:?}",
        store.settings(amo(), None).await.expect("reads")
    ));
    lines.push(format!(
        "{:?}",
        store.directory(portal()).await.expect("reads")
    ));
    lines.push(format!(
        "{:?}",
        store
            .directory_answer(directory::who_has(1))
            .await
            .expect("reads")
    ));
    let notes = NoteSearch {
        limit: 100,
        ..NoteSearch::default()
    };
    lines.push(format!("{:?}", store.notes(notes).await.expect("reads")));
    let mut searches = vec![JournalSearch::default()];
    for outcome in [
        JournalOutcome::Open,
        JournalOutcome::Ignored,
        JournalOutcome::Done,
        JournalOutcome::Waiting,
        JournalOutcome::Dead,
    ] {
        searches.push(JournalSearch {
            outcome: Some(outcome),
            ..JournalSearch::default()
        });
    }
    searches.extend((1..=5).map(|n| JournalSearch {
        phone: Some(phone(n)),
        ..JournalSearch::default()
    }));
    for search in searches {
        let search = JournalSearch {
            limit: 100,
            ..search
        };
        let found = store.search(search).await.expect("searches");
        let found: Vec<_> = found.iter().map(|f| f.snapshot.key.item.as_str()).collect();
        lines.push(format!("{found:?}"));
    }
    let figures = store.figures().await.expect("reads");
    assert_eq!(figures.unreadable_rows, 0);
    lines.push(format!(
        "{} {} {}",
        figures.communications, figures.open_works, figures.dead_letters
    ));
    lines.join("\n")
}

/// A new store with the first claim. Its making is not disturbed here: a file is made beside
/// its place.
async fn made() -> Vec<u8> {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let (store, thread) = on(disk.clone());
    assert_eq!(store.claim(amo()).await, Ok(Fence(1)));
    close(store, thread).await;
    disk.bytes()
}

/// The pictures of an undisturbed day: before it, and after each command; and the disk.
async fn undisturbed() -> (Vec<String>, CrashDisk) {
    let disk = CrashDisk::new(made().await, StopAt::Never);
    let (store, thread) = on(disk.clone());
    let mut pictures = vec![picture(&store).await];
    for n in 0..COMMANDS {
        command(&store, n)
            .await
            .unwrap_or_else(|error| panic!("command {n}: {error}"));
        pictures.push(picture(&store).await);
    }
    close(store, thread).await;
    (pictures, disk)
}

/// Plays the day on a disk that stops, then restarts on what is left and finishes the day.
async fn check(pictures: &[String], stop_at: StopAt, unsynced: Unsynced) {
    let disk = CrashDisk::new(made().await, stop_at);
    let mut acknowledged = 0;
    if let Ok((store, thread)) = Store::open_backend(disk.clone(), key(), options()) {
        while acknowledged < COMMANDS {
            match command(&store, acknowledged).await {
                Ok(()) => acknowledged += 1,
                Err(error) => {
                    assert_eq!(error, StoreError::Closed, "{stop_at:?}");
                    break;
                }
            }
        }
        store.shut_down().await;
        drop(store);
        tokio::task::spawn_blocking(move || thread.join())
            .await
            .expect("joins");
    }
    let left = disk.after_power_cut(unsynced);
    let (store, thread) = on(CrashDisk::new(left, StopAt::Never));
    let found = picture(&store).await;
    let place = pictures.iter().position(|picture| *picture == found);
    let place =
        place.unwrap_or_else(|| panic!("{stop_at:?} {unsynced:?}: half a command\n{found}"));
    assert!(
        place == acknowledged || place == acknowledged + 1,
        "{stop_at:?} {unsynced:?}: {acknowledged} were acknowledged, {place} are there"
    );
    for n in place..COMMANDS {
        let done = command(&store, n).await;
        done.unwrap_or_else(|error| panic!("{stop_at:?}: command {n} after the restart: {error}"));
    }
    let last = picture(&store).await;
    assert_eq!(Some(&last), pictures.last(), "{stop_at:?} {unsynced:?}");
    close(store, thread).await;
}

#[tokio::test]
async fn a_power_cut_at_any_sync_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let (pictures, disk) = undisturbed().await;
    let distinct: std::collections::HashSet<_> = pictures.iter().collect();
    assert_eq!(
        distinct.len(),
        COMMANDS + 1,
        "a command that shows nothing proves nothing"
    );
    for n in 1..=disk.syncs() {
        check(&pictures, StopAt::Sync(n), Unsynced::Lost).await;
        check(&pictures, StopAt::Sync(n), Unsynced::SomeKept { seed: n }).await;
    }
}

#[tokio::test]
async fn a_power_cut_between_syncs_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let (pictures, disk) = undisturbed().await;
    // Every third is enough to meet each kind of page of each command, and keeps this short.
    for n in (1..=disk.writes()).step_by(3) {
        check(&pictures, StopAt::Write(n), Unsynced::SomeKept { seed: n }).await;
    }
}

#[tokio::test]
async fn with_quick_repair_a_power_cut_needs_no_walk_through_the_file() {
    for (quick_repair, commands) in [(true, 0), (true, 5), (false, 5)] {
        let disk = CrashDisk::new(made().await, StopAt::Never);
        let options = StoreOptions {
            quick_repair,
            ..options()
        };
        let opened = Store::open_backend(disk.clone(), key(), options);
        let (store, _thread) = opened.expect("opens");
        for n in 0..commands {
            command(&store, n).await.expect("carries out");
        }
        disk.stop();
        let left = CrashDisk::new(disk.after_power_cut(Unsynced::Lost), StopAt::Never);
        let opened = redb::Builder::new()
            .set_repair_callback(redb::RepairSession::abort)
            .create_with_backend(left);
        assert_eq!(opened.is_ok(), quick_repair, "after {commands} commands");
    }
}

#[tokio::test]
async fn of_many_at_once_everything_acknowledged_is_there_after_a_power_cut() {
    for stop in 2..25 {
        let disk = CrashDisk::new(made().await, StopAt::Sync(stop));
        let (store, thread) = on(disk.clone());
        let asked: Vec<_> = (0..60_u32)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    // Spread over several groups.
                    for _ in 0..n % 6 {
                        drop(store.checkpoint(source()).await);
                    }
                    let snapshot = call(&format!("c{n}"), n, 1);
                    let accepted = store.accept(accept(vec![routed(snapshot)], 1)).await;
                    accepted.map(|accepted| (n, accepted))
                })
            })
            .collect();
        let mut kept = Vec::new();
        for answer in asked {
            kept.extend(answer.await.expect("runs"));
        }
        store.shut_down().await;
        drop(store);
        tokio::task::spawn_blocking(move || thread.join())
            .await
            .expect("joins");

        let left = disk.after_power_cut(Unsynced::SomeKept { seed: stop });
        let (store, thread) = on(CrashDisk::new(left, StopAt::Never));
        for (n, accepted) in kept {
            let story = store.story(communication(&format!("c{n}"))).await;
            let story = story.expect("reads").expect("was acknowledged");
            let [work] = story.works.as_slice() else {
                panic!("{story:?}");
            };
            let works = vec![(amo(), work.id)];
            assert_eq!(accepted, vec![stored(works)]);
        }
        let works = store.open_works().await.expect("reads");
        let figures = store.figures().await.expect("reads");
        assert_eq!(figures.communications, works.len() as u64);
        let ids: std::collections::HashSet<_> = works.iter().map(|work| work.id).collect();
        assert_eq!(ids.len(), works.len(), "numbers are given once");
        close(store, thread).await;
    }
}
