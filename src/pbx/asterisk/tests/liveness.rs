//! Staying up: pings, the end of a connection, the stop signal.

use std::time::Duration;

use super::doubles::{Bench, ended};
use super::fake_pbx::{Face, FakePbx};
use crate::pbx::{ListenerError, SourceNoteKind};

#[tokio::test(start_paused = true)]
async fn a_silent_pbx_is_pinged_and_stays_connected_while_it_answers() {
    let (mut pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    let begin = tokio::time::Instant::now();
    pbx.wait_for_action("Ping", 10).await;
    let passed = begin.elapsed();
    assert!(
        (195..215).contains(&passed.as_secs()),
        "ten pings took {passed:?}"
    );
    assert!(!run.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_ping_without_answer_ends_the_session() {
    let face = Face {
        ignored: ["Ping"].into(),
        ..Face::default()
    };
    let (mut pbx, pipe) = FakePbx::on_a_pipe(face);
    let bench = Bench::new(pbx.port);
    let run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    pbx.wait_for_action("Ping", 1).await;
    let begin = tokio::time::Instant::now();
    let result = ended(run).await;
    assert!(
        matches!(&result, Err(ListenerError::Connection(message)) if message.contains("ping")),
        "{result:?}"
    );
    assert!(
        begin.elapsed() <= Duration::from_secs(11),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_action_without_answer_ends_the_attempt() {
    let face = Face {
        ignored: ["Status"].into(),
        ..Face::default()
    };
    let (pbx, pipe) = FakePbx::on_a_pipe(face);
    let result = ended(Bench::new(pbx.port).run_over(pipe)).await;
    assert!(
        matches!(&result, Err(ListenerError::Connection(message)) if message.contains("Status")),
        "{result:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_time_until_which_events_were_seen_is_kept_fresh_on_disk() {
    let (pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    let seen = |sink: &super::doubles::MemorySink| {
        sink.stored()
            .and_then(|value| value["seen_until"].as_str().map(str::to_owned))
    };
    let first = seen(&bench.sink);
    bench
        .sink
        .wait_until("a heartbeat", |sink| seen(sink) != first)
        .await;
    run.abort();
}

#[tokio::test]
async fn a_closed_connection_ends_the_session_and_the_next_one_notes_the_blind_time() {
    let pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    assert!(
        bench.sink.notes().is_empty(),
        "the first session was blind to nothing"
    );
    pbx.close().await;
    let result = ended(run).await;
    assert!(
        matches!(result, Err(ListenerError::Connection(_))),
        "{result:?}"
    );

    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    let notes = bench.sink.notes();
    let [SourceNoteKind::Blind { from: Some(_), why }] = notes.as_slice() else {
        panic!("one blind interval: {notes:?}");
    };
    assert_eq!(why, "the PBX closed the connection");
}

#[tokio::test]
async fn the_stop_signal_ends_the_session_with_a_goodbye_and_a_checkpoint() {
    let mut pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    let committed = bench.sink.batches.lock().expect("a lock").len();
    bench.stop.send_replace(true);
    assert_eq!(ended(run).await, Ok(()));
    pbx.wait_for_action("Logoff", 1).await;
    assert!(bench.sink.batches.lock().expect("a lock").len() > committed);
}

#[tokio::test]
async fn the_stop_signal_ends_an_attempt_that_gets_no_answer() {
    let face = Face {
        ignored: ["Login"].into(),
        ..Face::default()
    };
    let mut pbx = FakePbx::start(face).await;
    let bench = Bench::new(pbx.port);
    let run = bench.run();
    pbx.wait_for_action("Login", 1).await;
    bench.stop.send_replace(true);
    assert_eq!(ended(run).await, Ok(()));
}
