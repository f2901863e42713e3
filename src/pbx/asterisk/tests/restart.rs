//! Open calls across lost connections, restarts of the PBX and of the daemon.

use serde_json::json;

use super::captures::{items, live_channels, messages, split, value};
use super::doubles::{Bench, MemorySink, ended};
use super::fake_pbx::{Face, FakePbx, fully_booted};
use crate::model::call::CallPhase;
use crate::pbx::{ListenerError, SourceNoteKind};

fn is_event(message: &str, event: &str) -> bool {
    value(message, "Event") == Some(event)
}

/// An answered call, cut where both sides talk.
fn talk_and_end() -> (String, String) {
    split(&messages("inbound_answered"), |message| {
        is_event(message, "BridgeLeave") || is_event(message, "HangupRequest")
    })
}

fn one_call(sink: &MemorySink, phase: CallPhase) -> bool {
    matches!(sink.calls().as_slice(), [(_, call)] if call.phase >= phase)
}

fn restarted(sink: &MemorySink) -> usize {
    sink.notes()
        .iter()
        .filter(|kind| matches!(kind, SourceNoteKind::Restarted))
        .count()
}

/// A session that saw a call being answered and then lost the connection.
async fn cut_in_mid_call(pbx: &FakePbx, bench: &Bench) -> String {
    let (talk, end) = talk_and_end();
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.send(&talk).await;
    bench
        .sink
        .wait_until("answered", |sink| one_call(sink, CallPhase::Answered))
        .await;
    pbx.face.lock().await.channels = live_channels(&talk);
    pbx.close().await;
    assert!(matches!(
        ended(run).await,
        Err(ListenerError::Connection(_))
    ));
    end
}

#[tokio::test]
async fn a_connection_cut_in_mid_call_leaves_one_answered_call() {
    let pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    let end = cut_in_mid_call(&pbx, &bench).await;
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    pbx.send(&end).await;
    bench
        .sink
        .wait_until("ended", |sink| one_call(sink, CallPhase::Ended))
        .await;
    let calls = bench.sink.calls();
    let (_, call) = calls.first().expect("the call");
    assert!(call.is_answered(), "{call:?}");
    assert_eq!(call.first_talker().map(|e| e.0.as_str()), Some("101"));
    assert_eq!(restarted(&bench.sink), 0);
}

#[tokio::test]
async fn a_call_that_ended_while_nobody_listened_is_ended_once_and_stays_answered() {
    let pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    cut_in_mid_call(&pbx, &bench).await;
    pbx.face.lock().await.channels = String::new();
    let _run = bench.run();
    bench
        .sink
        .wait_until("ended", |sink| one_call(sink, CallPhase::Ended))
        .await;
    let calls = bench.sink.calls();
    let (_, call) = calls.first().expect("the call");
    assert!(call.is_answered(), "{call:?}");
    assert!(call.blind.is_some(), "{call:?}");
}

#[tokio::test]
async fn a_pbx_that_was_restarted_meanwhile_has_ended_all_calls() {
    let pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    cut_in_mid_call(&pbx, &bench).await;
    {
        let mut face = pbx.face.lock().await;
        face.uptime = Some(3);
        face.started = "21:59:59";
        face.channels = String::new();
    }
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    assert!(
        one_call(&bench.sink, CallPhase::Ended),
        "{:?}",
        bench.sink.calls()
    );
    assert_eq!(restarted(&bench.sink), 1);
}

#[tokio::test]
async fn a_shutdown_in_mid_call_ends_the_call_and_the_session() {
    let pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    let run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.send(&messages("shutdown_mid_call").concat()).await;
    let result = ended(run).await;
    assert!(
        matches!(&result, Err(ListenerError::Connection(message)) if message.contains("shut down")),
        "{result:?}"
    );
    assert!(
        one_call(&bench.sink, CallPhase::Ended),
        "{:?}",
        bench.sink.calls()
    );
    assert_eq!(restarted(&bench.sink), 1);

    // The start that follows is not told a second time.
    pbx.close().await;
    pbx.face.lock().await.uptime = Some(3);
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    assert_eq!(restarted(&bench.sink), 1);
}

#[tokio::test]
async fn a_session_that_comes_in_mid_call_sees_one_answered_call() {
    let capture = messages("attach_mid_call");
    let face = Face {
        channels: items(&capture, "CoreShowChannel"),
        status: items(&capture, "Status"),
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let bench = Bench::new(pbx.port);
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    let (_, events) = split(&capture, |message| is_event(message, "VarSet"));
    pbx.send(&events).await;
    bench
        .sink
        .wait_until("ended", |sink| one_call(sink, CallPhase::Ended))
        .await;
    let calls = bench.sink.calls();
    let (_, call) = calls.first().expect("the call");
    assert!(call.is_answered(), "{call:?}");
    assert_eq!(call.first_talker().map(|e| e.0.as_str()), Some("102"));
    assert_eq!(call.client.to_string(), "+79161234567");
    assert_eq!(call.our_number.as_deref(), Some("74950000002"));
}

#[tokio::test]
async fn events_that_arrive_during_the_lists_are_handled_after_them() {
    let (talk, end) = talk_and_end();
    let face = Face {
        channels: live_channels(&talk),
        amid_list: talk,
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let bench = Bench::new(pbx.port);
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.send(&end).await;
    bench
        .sink
        .wait_until("ended", |sink| one_call(sink, CallPhase::Ended))
        .await;
    let calls = bench.sink.calls();
    assert!(
        calls.first().is_some_and(|(_, call)| call.is_answered()),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_pbx_that_is_still_starting_is_asked_again_when_it_is_up() {
    let (talk, _) = talk_and_end();
    let face = Face {
        uptime: None,
        ..Face::default()
    };
    let mut pbx = FakePbx::start(face).await;
    let bench = Bench::new(pbx.port);
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    pbx.face.lock().await.channels = live_channels(&talk);
    pbx.send(&fully_booted(1)).await;
    bench
        .sink
        .wait_until("the call", |sink| one_call(sink, CallPhase::Answered))
        .await;
    pbx.wait_for_action("CoreShowChannels", 2).await;
    // A reload tells of no new start.
    pbx.send(&fully_booted(9)).await;
    pbx.send("Event: Reload\nModule: All\nStatus: 0\n\n").await;
    bench.stop.send_replace(true);
    pbx.wait_for_action("Logoff", 1).await;
    let asked = pbx
        .names()
        .await
        .iter()
        .filter(|name| *name == "CoreShowChannels")
        .count();
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn an_unreadable_checkpoint_is_a_remark_and_no_failure() {
    for value in [
        json!(7),
        json!({ "version": 99 }),
        json!({
            "version": 1, "seen_until": "2026-11-20T21:00:00Z", "boot": null, "tracker": "nonsense",
        }),
    ] {
        let pbx = FakePbx::start(Face::default()).await;
        let bench = Bench::new(pbx.port);
        bench.sink.put_checkpoint(value.clone());
        let _run = bench.run();
        bench.state.wait_until_up(1).await;
        let remarks = bench.sink.remarks().join("\n");
        assert!(remarks.contains("cannot be read"), "{value}: {remarks}");
    }
}

#[tokio::test]
async fn without_the_right_to_list_channels_a_cut_call_is_ended_once() {
    let pbx = FakePbx::start(Face::default()).await;
    let bench = Bench::new(pbx.port);
    let end = cut_in_mid_call(&pbx, &bench).await;
    pbx.face.lock().await.denied = ["CoreShowChannels", "Status", "BridgeList"].into();
    let _run = bench.run();
    bench.state.wait_until_up(2).await;
    assert!(
        one_call(&bench.sink, CallPhase::Ended),
        "{:?}",
        bench.sink.calls()
    );
    // The rest of the call comes, and then another one: still the first is one.
    let other = messages("inbound_missed").concat();
    pbx.send(&(end + &other)).await;
    bench
        .sink
        .wait_until("the other call", |sink| {
            let calls = sink.calls();
            calls.len() == 2 && calls.iter().all(|(_, call)| call.is_over())
        })
        .await;
    let answered = bench
        .sink
        .calls()
        .iter()
        .filter(|(_, call)| call.is_answered())
        .count();
    assert_eq!(answered, 1);
}

#[tokio::test]
async fn the_recording_that_only_a_variable_names_is_asked_for() {
    let channel = "PJSIP/trunk-0000000b".to_owned();
    let name = "in-74950000001-79161234567-20261120-214603-1795211163.23.wav";
    let face = Face {
        variables: vec![(channel, "CDR(recordingfile)".to_owned(), name.to_owned())],
        ..Face::default()
    };
    let mut pbx = FakePbx::start(face).await;
    let bench = Bench::new(pbx.port);
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    let (talk, end) = split(&messages("lean_user_inbound_answered"), |message| {
        is_event(message, "BridgeLeave") || is_event(message, "HangupRequest")
    });
    let first = value(&talk, "Channel").expect("a channel").to_owned();
    pbx.face.lock().await.variables[0].0 = first;
    pbx.send(&talk).await;
    pbx.wait_for_action("Getvar", 1).await;
    pbx.send(&end).await;
    bench
        .sink
        .wait_until("ended", |sink| one_call(sink, CallPhase::Ended))
        .await;
    let calls = bench.sink.calls();
    assert_eq!(calls[0].1.recordings, [name], "{calls:?}");
}

#[tokio::test]
async fn variables_of_calls_that_run_already_are_asked_for() {
    let capture = messages("attach_mid_call");
    let channel = "PJSIP/trunk-00000000";
    let set =
        |variable: &str, value: &str| (channel.to_owned(), variable.to_owned(), value.to_owned());
    let face = Face {
        // The dialplan has left the number that was called.
        channels: items(&capture, "CoreShowChannel").replace("Exten: 74950000002", "Exten: s"),
        variables: vec![
            set("FROM_DID", "74959999999"),
            set("CDR(recordingfile)", "a.wav"),
        ],
        ..Face::default()
    };
    let pbx = FakePbx::start(face).await;
    let bench = Bench::new(pbx.port);
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    let (_, events) = split(&capture, |message| is_event(message, "VarSet"));
    pbx.send(&events).await;
    bench
        .sink
        .wait_until("ended", |sink| one_call(sink, CallPhase::Ended))
        .await;
    let calls = bench.sink.calls();
    assert_eq!(calls[0].1.our_number.as_deref(), Some("74959999999"));
    assert_eq!(calls[0].1.recordings, ["a.wav"]);
}
