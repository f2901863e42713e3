//! What is kept about the recordings of calls.

use trunkline::model::communication::Phase;
use trunkline::model::recording::{
    AudioFile, AudioFormat, FilePlace, Recording, RecordingState, TOKEN_CHARS,
};
use trunkline::store::command::{Accept, Accepted, RecordingChange, Retention, Route};
use trunkline::store::query::RecordingFigures;

use super::sample::{accept, amo, at, call, communication, in_memory, portal, routed};

fn token(letter: char) -> String {
    String::from_iter([letter; TOKEN_CHARS])
}

pub(super) fn sought(item: &str, letter: char, names: &[&str]) -> Recording {
    Recording {
        communication: communication(item),
        token: token(letter),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        started_at: at(10),
        ended_at: at(20),
        state: RecordingState::Sought {
            attempts: 0,
            why: None,
        },
        due: Some(at(20)),
    }
}

/// A commit of one call with its recording.
pub(super) fn recorded(item: &str, revision: u64, recording: Recording) -> Accept {
    Accept {
        recordings: vec![recording],
        ..accept(vec![routed(call(item, 1, revision))], 1)
    }
}

fn ready(item: &str, names: &[&str], told: bool) -> RecordingChange {
    RecordingChange {
        communication: communication(item),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        state: RecordingState::Ready {
            at: at(30),
            file: AudioFile {
                place: FilePlace::Source {
                    path: "a.wav".to_owned(),
                },
                format: AudioFormat::Wav,
                bytes: 100,
            },
            told,
        },
        due: Some(at(9000)),
        routes: vec![Route {
            integration: amo(),
            portal: portal(),
            phase: Phase::RecordingReady,
        }],
        note: None,
        now: at(30),
    }
}

#[tokio::test]
async fn a_recording_is_found_by_call_by_token_and_by_time_and_counted() {
    let (store, _thread) = in_memory();
    let key = communication("a");
    assert_eq!(store.recording(key.clone()).await, Ok(None));
    assert_eq!(store.recordings_due(at(99), 10).await, Ok(Vec::new()));
    let recording = sought("a", 'a', &["a.wav"]);
    let accepted = store.accept(recorded("a", 1, recording.clone())).await;
    assert!(matches!(accepted.as_deref(), Ok([Accepted::Stored { .. }])));
    let found = Ok(Some(recording.clone()));
    assert_eq!(store.recording(key.clone()).await, found);
    assert_eq!(store.recording_of_token(token('a')).await, found);
    assert_eq!(store.recording_of_token(token('b')).await, Ok(None));
    assert_eq!(store.recordings_due(at(19), 10).await, Ok(Vec::new()));
    assert_eq!(store.recordings_due(at(20), 10).await, Ok(vec![recording]));

    let works = store.change_recording(ready("a", &["a.wav"], false)).await;
    assert_eq!(works.expect("changed").len(), 1);
    // The work exists once, however often it is said.
    let again = store.change_recording(ready("a", &["a.wav"], false)).await;
    assert_eq!(again, Ok(Vec::new()));
    assert_eq!(store.recordings_due(at(20), 10).await, Ok(Vec::new()));
    assert_eq!(
        store.recordings_untold(None, 10).await.expect("read").len(),
        1
    );
    let figures = store.recording_figures().await.expect("counted");
    let expected = RecordingFigures {
        not_told: 1,
        ..RecordingFigures::default()
    };
    assert_eq!(figures, expected);
    let told = store.change_recording(ready("a", &["a.wav"], true)).await;
    told.expect("changed");
    assert_eq!(store.recordings_untold(None, 10).await, Ok(Vec::new()));
    assert_eq!(store.recording_figures().await.expect("counted").ready, 1);
}

#[tokio::test]
async fn other_names_have_it_looked_for_anew_under_the_same_token() {
    let (store, _thread) = in_memory();
    let first = recorded("a", 1, sought("a", 'a', &["a.wav"]));
    store.accept(first).await.expect("accepted");
    store
        .change_recording(ready("a", &["a.wav"], true))
        .await
        .expect("changed");
    // The same picture again changes nothing.
    let repeat = recorded("a", 1, sought("a", 'b', &["a.wav"]));
    store.accept(repeat).await.expect("accepted");
    let kept = store.recording(communication("a")).await.expect("read");
    assert!(matches!(kept, Some(kept) if matches!(kept.state, RecordingState::Ready { .. })));
    let later = recorded("a", 3, sought("a", 'c', &["a.wav", "b.wav"]));
    store.accept(later).await.expect("accepted");
    let anew = store.recording(communication("a")).await.expect("read");
    let anew = anew.expect("it is there");
    assert_eq!((anew.token, anew.names.len()), (token('a'), 2));
    assert!(matches!(anew.state, RecordingState::Sought { .. }));
    // Neither an older picture nor a search for the earlier names changes that.
    let older = recorded("a", 2, sought("a", 'd', &["a.wav"]));
    store.accept(older).await.expect("accepted");
    let late = store.change_recording(ready("a", &["a.wav"], true)).await;
    assert_eq!(late, Ok(Vec::new()));
    let stays = store.recording(communication("a")).await.expect("read");
    assert_eq!(stays.expect("it is there").names.len(), 2);
    assert_eq!(store.recording_figures().await.expect("counted").sought, 1);
}

#[tokio::test]
async fn with_the_call_goes_what_is_known_of_its_recording() {
    let (store, _thread) = in_memory();
    let mut unrouted = recorded("a", 1, sought("a", 'a', &["a.wav"]));
    for acceptance in &mut unrouted.acceptances {
        acceptance.routes.clear();
    }
    store.accept(unrouted).await.expect("accepted");
    let retention = Retention {
        before: at(5000),
        rows_max: 10,
    };
    let swept = store.sweep(retention).await.expect("swept");
    assert_eq!(swept.communications, 1);
    assert_eq!(store.recording_of_token(token('a')).await, Ok(None));
    assert_eq!(store.recordings_due(at(9999), 10).await, Ok(Vec::new()));
    assert_eq!(
        store.recording_figures().await.expect("counted"),
        RecordingFigures::default()
    );
}
