//! What is committed when, and what a slow or full store costs.

use serde_json::json;

use super::super::connection::QUEUE_MAX;
use super::captures::{messages, split, value};
use super::doubles::{Bench, MemorySink, ended};
use super::fake_pbx::{Face, FakePbx};
use crate::model::call::CallPhase;
use crate::pbx::{ListenerError, SinkError};

/// An answered call: its first messages up to the second channel, and the rest.
fn begin_and_rest() -> (String, String) {
    split(&messages("inbound_answered"), |message| {
        value(message, "Event") == Some("DialState")
    })
}

/// All tasks of a test share one thread: after so many turns the reader has read what there is.
async fn let_the_reader_read() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

fn ended_calls(sink: &MemorySink) -> usize {
    sink.calls()
        .iter()
        .filter(|(_, call)| call.phase >= CallPhase::Ended)
        .count()
}

#[tokio::test]
async fn what_follows_is_handled_only_after_the_commit_of_what_was_before() {
    let (pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let _run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    let before = *bench.sink.begun.borrow();
    bench.sink.hold();
    let (begin, rest) = begin_and_rest();
    pbx.send(&begin).await;
    bench.sink.wait_for_begun(before + 1).await;
    pbx.send(&rest).await;
    let_the_reader_read().await;
    assert_eq!(*bench.sink.begun.borrow(), before + 1);
    bench.sink.release();
    bench
        .sink
        .wait_until("ended", |sink| ended_calls(sink) == 1)
        .await;
    let revisions: Vec<u64> = {
        let batches = bench.sink.batches.lock().expect("a lock");
        batches
            .iter()
            .flat_map(|batch| &batch.snapshots)
            .map(|snapshot| snapshot.revision)
            .collect()
    };
    assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
}

#[tokio::test]
async fn every_commit_of_snapshots_carries_the_checkpoint_that_belongs_to_them() {
    let (pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let _run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    pbx.send(&messages("queue_answered").concat()).await;
    bench
        .sink
        .wait_until("ended", |sink| ended_calls(sink) == 1)
        .await;
    let batches = bench.sink.batches.lock().expect("a lock");
    assert!(batches.iter().all(|batch| batch.checkpoint.is_some()));
}

#[tokio::test]
async fn a_slow_store_does_not_stop_the_reading() {
    let (mut pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let _run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    bench.sink.hold();
    let call = messages("inbound_answered").concat();
    // A dozen times what the pipe holds.
    let noise = "Event: PeerStatus\nPeer: PJSIP/101\nPeerStatus: Reachable\n\n".repeat(15_000);
    pbx.send(&call).await;
    for part in noise.as_bytes().chunks(60_000) {
        pbx.send_bytes(part.to_vec()).await;
    }
    pbx.wait_for_written(call.len() + noise.len()).await;
    assert_eq!(ended_calls(&bench.sink), 0, "the store holds still");
    bench.sink.release();
    bench
        .sink
        .wait_until("ended", |sink| ended_calls(sink) == 1)
        .await;
}

#[tokio::test]
async fn when_the_queue_is_full_the_session_ends_after_what_it_has_is_committed() {
    let (mut pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    // The call is over at once: the events that follow it do not wait for its lingering.
    let bench = Bench::with(pbx.port, json!({ "linger_ms": 0 }));
    let run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    let before = *bench.sink.begun.borrow();
    bench.sink.hold();
    let (begin, rest) = begin_and_rest();
    pbx.send(&begin).await;
    bench.sink.wait_for_begun(before + 1).await;
    pbx.send(&rest).await;
    // Some more than the queue holds; what is not read any more stays in the pipe.
    let noise = "Event: PeerStatus\nPeer: PJSIP/101\n\n".repeat(QUEUE_MAX + 500);
    for part in noise.as_bytes().chunks(60_000) {
        pbx.send_bytes(part.to_vec()).await;
    }
    pbx.wait_for_written(begin.len() + rest.len() + noise.len())
        .await;
    let_the_reader_read().await;
    bench.sink.release();
    let result = ended(run).await;
    assert!(
        matches!(&result, Err(ListenerError::Connection(message)) if message.contains("waited for the store")),
        "{result:?}"
    );
    assert_eq!(ended_calls(&bench.sink), 1, "what was read is on disk");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_full_is_tried_again_and_nothing_is_lost_or_doubled() {
    let (pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let _run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    bench
        .sink
        .fail_next(vec![SinkError::Full("disk".to_owned()); 5]);
    pbx.send(&messages("inbound_answered").concat()).await;
    bench
        .sink
        .wait_until("ended", |sink| ended_calls(sink) == 1)
        .await;
    let batches = bench.sink.batches.lock().expect("a lock");
    let revisions: Vec<u64> = batches
        .iter()
        .flat_map(|batch| &batch.snapshots)
        .map(|snapshot| snapshot.revision)
        .collect();
    assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
}

#[tokio::test]
async fn a_closed_store_ends_the_session() {
    let (pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    bench.sink.fail_next([SinkError::Closed]);
    pbx.send(&messages("inbound_answered").concat()).await;
    assert_eq!(
        ended(run).await,
        Err(ListenerError::Sink(SinkError::Closed))
    );
}

#[tokio::test(start_paused = true)]
async fn the_stop_signal_ends_a_session_that_waits_for_a_full_store() {
    let (pbx, pipe) = FakePbx::on_a_pipe(Face::default());
    let bench = Bench::new(pbx.port);
    let run = bench.run_over(pipe);
    bench.state.wait_until_up(1).await;
    let before = *bench.sink.begun.borrow();
    bench
        .sink
        .fail_next(vec![SinkError::Full("disk".to_owned()); 1_000]);
    pbx.send(&messages("inbound_answered").concat()).await;
    bench.sink.wait_for_begun(before + 1).await;
    bench.stop.send_replace(true);
    assert!(matches!(
        ended(run).await,
        Err(ListenerError::Sink(SinkError::Full(_)))
    ));
}
