//! Ends that were not seen, bounds, and nonsense.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::script::{Script, id};
use super::*;
use crate::pbx::asterisk::tracker::live::LiveState;

const CLIENT: &str = "79161234567";
const DID: &str = "74950000001";

fn answered() -> Script {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    script.answered_by(&id(0), &id(1), "PJSIP/101-00000001", &id(0), "b1");
    script
}

fn fed(script: &Script) -> (Tracker, Told) {
    let mut tracker = Tracker::new(settings());
    let mut told = Told::default();
    feed(&mut tracker, &script.messages, &mut told);
    (tracker, told)
}

#[test]
fn a_restart_of_the_pbx_ends_each_call_at_the_last_moment_seen() {
    let mut script = answered();
    script.wait(4000).event("Hold", &[("", &id(0))], &[]);
    let (mut tracker, mut told) = fed(&script);
    told.take(tracker.pbx_restarted(at(60_000)));
    assert_eq!(tracker.open_calls(), 0);
    assert_eq!(
        told.lines(),
        ["in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567 blind"]
    );
    let call = told.calls.values().next().expect("one call");
    assert_eq!(call.ended_at, Some(at(5000)));
    assert_eq!(call.talking_ms, 4000);
    // The same ids may come again after a restart.
    assert_eq!(tracker.handle(&script.messages[0].1, at(61_000)).len(), 1);
}

#[test]
fn calls_that_ended_out_of_sight_end_at_the_moment_sight_was_lost() {
    let mut ringing = Script::default();
    ringing
        .rings_in(&id(0), CLIENT, DID)
        .open(&id(1), "PJSIP/101-00000001", &id(0), "0");
    ringing.dial(&id(0), &id(1), "PJSIP/101");
    for (script, line) in [
        (
            answered(),
            "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567 blind",
        ),
        (
            ringing,
            "in missed(NoAnswer) talk=- last=- rung=101 our=74950000001 client=+79161234567 blind",
        ),
    ] {
        let (mut tracker, mut told) = fed(&script);
        tracker.link_lost(at(3000));
        told.take(tracker.reconcile(&LiveState::default(), at(900_000)));
        assert_eq!(told.lines(), [line]);
        let call = told.calls.values().next().expect("one call");
        assert_eq!(call.ended_at, Some(at(3000)));
        assert_eq!(
            call.blind.as_deref(),
            Some("the link to the PBX was down during the call")
        );
        assert_eq!(tracker.open_calls(), 0);
    }
}

#[test]
fn a_call_waits_for_its_cdr_and_then_is_closed_once() {
    let mut script = answered();
    script.wait(1000).hangup(&id(0), "16").hangup(&id(1), "16");
    let (mut tracker, mut told) = fed(&script);
    let deadline = tracker.next_deadline().expect("a deadline");
    assert_eq!(deadline, at(3500));
    told.take(tracker.tick(at(3499)));
    assert_eq!(tracker.open_calls(), 1);
    told.take(tracker.tick(deadline));
    assert_eq!((tracker.open_calls(), tracker.next_deadline()), (0, None));
    // Late words open nothing.
    for (_, message) in &script.messages {
        told.take(tracker.handle(message, at(4000)));
    }
    assert_eq!(tracker.open_calls(), 0);
}

#[test]
fn two_clients_whom_an_employee_joins_stay_two_calls() {
    let mut script = answered();
    script.calls_in(
        "1795210155.50",
        "PJSIP/trunk-0000000b",
        "79160000000",
        DID,
        "from-trunk",
    );
    script.answered_by(
        "1795210155.50",
        "1795210155.51",
        "PJSIP/101-00000051",
        "1795210155.50",
        "b2",
    );
    script
        .wait(1000)
        .leave("1795210155.50", "b2")
        .hangup("1795210155.51", "16");
    script
        .relink("1795210155.50", &id(0))
        .enter("1795210155.50", "b1")
        .wait(1000);
    for one in [&*id(0), &*id(1), "1795210155.50"] {
        script.hangup(one, "16");
    }
    assert_eq!(
        script.told().lines(),
        [
            "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567",
            "in answered talk=101 last=101 rung=101 our=74950000001 client=+79160000000",
        ]
    );
}

#[test]
fn strangers_in_a_parking_lot_do_not_talk() {
    let mut script = answered();
    script.leave(&id(0), "b1").hangup(&id(1), "16").wait(1000);
    script.calls_in(
        "1795210155.50",
        "PJSIP/103-0000000b",
        "103",
        "700",
        "from-internal",
    );
    let lot = [
        ("BridgeUniqueid", "lot"),
        ("BridgeTechnology", "holding_bridge"),
    ];
    script.event("BridgeEnter", &[("", &id(0))], &lot);
    script
        .event("BridgeEnter", &[("", "1795210155.50")], &lot)
        .wait(5000);
    script.hangup("1795210155.50", "16").hangup(&id(0), "16");
    assert_eq!(
        script.told().lines(),
        ["in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567"]
    );
}

#[test]
fn a_driver_that_opens_its_channel_before_it_dials_still_calls() {
    let mut script = Script::default();
    script.open(&id(0), "SCCP/101-00000001", &id(0), "0");
    script.calls_in(&id(0), "SCCP/101-00000001", "101", CLIENT, "from-internal");
    script.state(&id(0), "4");
    script
        .answered_by(&id(0), &id(1), "PJSIP/trunk-00000001", &id(0), "b1")
        .wait(1000);
    script.hangup(&id(1), "16").hangup(&id(0), "16");
    assert_eq!(
        script.told().lines(),
        ["out answered talk=101 last=101 rung=101 our=- client=+79161234567 by=101"]
    );
}

#[test]
fn an_hour_of_a_queue_keeps_a_bounded_number_of_channels() {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    for round in 1..1200 {
        let phone = id(round);
        script.open(&phone, &format!("PJSIP/101-{round:08x}"), &id(0), "0");
        script.dial(&id(0), &phone, "PJSIP/101").wait(3000);
        script
            .dial_end(&id(0), &phone, "NOANSWER")
            .hangup(&phone, "0");
    }
    let (tracker, told) = fed(&script);
    assert_eq!(told.count, 2, "one for the call, one for the phone");
    let bytes = tracker.checkpoint().to_string().len();
    assert!(bytes < 300_000, "{bytes} bytes");
}

#[test]
fn beyond_the_bound_the_call_that_was_quiet_longest_is_given_up_and_told() {
    let mut tracker = Tracker::new(TrackerSettings {
        open_calls_max: 10,
        ..settings()
    });
    let mut told = Told::default();
    for number in 0..50 {
        let mut script = Script::default();
        script
            .wait(i64::from(number))
            .rings_in(&id(number), CLIENT, DID);
        feed(&mut tracker, &script.messages, &mut told);
        assert!(tracker.open_calls() <= 10);
    }
    assert_eq!(told.calls.len(), 50);
    let given_up = |call: &&Call| call.is_over() && call.blind.is_some();
    assert_eq!(told.calls.values().filter(given_up).count(), 40);
}

#[test]
fn a_checkpoint_of_a_newer_program_is_refused() {
    let value = serde_json::json!({ "version": 99, "calls": "unknown" });
    let refused = Tracker::restore(settings(), &value).expect_err("too new");
    assert_eq!(
        refused.to_string(),
        "the checkpoint has version 99, this program reads up to 1"
    );
    assert!(Tracker::restore(settings(), &serde_json::json!([1])).is_err());
}

const EVENTS: [&str; 20] = [
    "Newchannel",
    "Newstate",
    "DialBegin",
    "DialState",
    "DialEnd",
    "BridgeEnter",
    "BridgeLeave",
    "BridgeDestroy",
    "Hangup",
    "HangupRequest",
    "AttendedTransfer",
    "BlindTransfer",
    "Pickup",
    "LocalBridge",
    "QueueCallerJoin",
    "QueueCallerAbandon",
    "OriginateResponse",
    "Cdr",
    "Rename",
    "VarSet",
];
const IDS: [&str; 7] = [
    "1795210154.1",
    "1795210154.2",
    "1795210154.3",
    "own",
    "",
    "<unknown>",
    "☎",
];
const NAMES: [&str; 7] = [
    "PJSIP/101-00000001",
    "PJSIP/trunk-00000002",
    "Local/102@x-00000001;1",
    "Local/102@x-00000001;2",
    "",
    "/;",
    "PJSIP/102-00000003",
];
const WORDS: [&str; 10] = [
    "0",
    "4",
    "5",
    "6",
    "ANSWER",
    "BUSY",
    "Success",
    "b1",
    "b2",
    "79161234567",
];

/// Any event with any blocks and any words.
fn nonsense() -> impl Strategy<Value = Message> {
    let block = (0..IDS.len(), 0..IDS.len(), 0..NAMES.len());
    let words = proptest::collection::vec(0..WORDS.len(), 8);
    (0..EVENTS.len(), block.clone(), block, words).prop_map(|(event, one, two, words)| {
        let mut headers = vec![("Event".to_owned(), EVENTS[event].to_owned())];
        let mut push = |name: String, value: &str| headers.push((name, value.to_owned()));
        for (prefixes, (id, linked, name)) in [
            (["", "Transferee", "LocalOne", "OrigTransferer"], one),
            (["Dest", "Target", "LocalTwo", "TransferTarget"], two),
        ] {
            for prefix in prefixes {
                push(format!("{prefix}Uniqueid"), IDS[id]);
                push(format!("{prefix}Linkedid"), IDS[linked]);
                push(format!("{prefix}Channel"), NAMES[name]);
                push(format!("{prefix}ChannelState"), WORDS[words[0]]);
            }
        }
        for (position, name) in [
            "DialStatus",
            "Result",
            "BridgeUniqueid",
            "SwapUniqueid",
            "Exten",
            "Cause",
            "Newname",
        ]
        .iter()
        .enumerate()
        {
            push((*name).to_owned(), WORDS[words[position + 1]]);
        }
        Message::new(headers)
    })
}

proptest! {
    #[test]
    fn no_stream_of_events_breaks_the_tracker(
        messages in proptest::collection::vec(nonsense(), 1..60),
    ) {
        let mut tracker = Tracker::new(TrackerSettings { open_calls_max: 3, ..settings() });
        let mut answered: BTreeMap<String, (u64, bool)> = BTreeMap::new();
        let mut told = Vec::new();
        for (position, message) in messages.iter().enumerate() {
            let moment = at(position as i64 * 700);
            told.extend(tracker.handle(message, moment));
            told.extend(tracker.tick(moment));
            prop_assert!(tracker.open_calls() <= 3);
            if position % 5 == 4 {
                tracker = Tracker::restore(
                    TrackerSettings { open_calls_max: 3, ..settings() },
                    &tracker.checkpoint(),
                ).expect("its own checkpoint");
            }
        }
        told.extend(tracker.reconcile(&LiveState::default(), at(100_000)));
        told.extend(tracker.pbx_restarted(at(200_000)));
        prop_assert_eq!(tracker.open_calls(), 0);
        for snapshot in told {
            let Body::Call { call } = snapshot.body else { continue };
            let known = answered.entry(snapshot.key.item).or_default();
            let over = known.1 && !call.is_answered() && call.direction != Direction::Internal;
            prop_assert!(snapshot.revision != known.0);
            prop_assert!(!over || call.phase < crate::model::call::CallPhase::Answered);
            *known = (snapshot.revision, call.is_answered());
        }
    }
}
