//! Ways that a call takes through the PBX: Local chains, forwards, queues, trunks, voicemail.

use super::script::{Script, id};

const CLIENT: &str = "79161234567";
const DID: &str = "74950000001";

#[track_caller]
fn check(script: &Script, expected: &[&str]) {
    assert_eq!(script.told().lines(), expected);
}

/// A Local pair that dials a phone and is joined through: channels 1 and 2, phone 3.
fn through_local(script: &mut Script, name: &str, phone: &str) {
    script.local(&id(0), &id(1), &id(2), name, &id(0));
    script
        .open(&id(3), phone, &id(0), "0")
        .dial(&id(2), &id(3), phone)
        .wait(1000);
    script
        .dial_end(&id(2), &id(3), "ANSWER")
        .dial_end(&id(0), &id(1), "ANSWER");
    script
        .enter(&id(3), "b1")
        .enter(&id(2), "b1")
        .enter(&id(1), "b2")
        .enter(&id(0), "b2");
}

fn end(script: &mut Script, counters: &[u32]) {
    for counter in counters {
        script.hangup(&id(*counter), "16");
    }
}

#[test]
fn a_mikopbx_call_goes_through_its_inner_context() {
    let mut script = Script::default();
    let name = "PJSIP/SIP-TRUNK-9f-00000001";
    script.calls_in(&id(0), name, CLIENT, DID, "1921681012005060-incoming");
    let did = [("ChanVariable", "FROM_DID=74950000001")];
    script.event("NewConnectedLine", &[("", &id(0))], &did);
    through_local(
        &mut script,
        "Local/203@internal-incoming-00000001",
        "PJSIP/203-00000002",
    );
    let file = "/mountpoint/mikopbx/astspool/monitor/2026/11/20/12/mikopbx-1.wav";
    let recording = [
        ("UserEvent", "StartRecording"),
        ("recordingfile", file),
        ("recchan", name),
    ];
    script.event("UserEvent", &[], &recording).wait(2000);
    end(&mut script, &[0, 1, 2, 3]);
    check(
        &script,
        &[
            "in answered talk=203 last=203 rung=203 our=74950000001 client=+79161234567 rec=mikopbx-1.wav",
        ],
    );
}

#[test]
fn a_freepbx_follow_me_joins_through_two_local_pairs() {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, "s");
    let did = [("Variable", "__FROM_DID"), ("Value", DID)];
    script.event("VarSet", &[("", &id(0))], &did);
    script.local(
        &id(0),
        &id(1),
        &id(2),
        "Local/102@from-queue-00000001",
        &id(0),
    );
    script.local(
        &id(2),
        &id(3),
        &id(4),
        "Local/FMPR-102@from-internal-00000002",
        &id(0),
    );
    script
        .open(&id(5), "PJSIP/102-00000003", &id(0), "0")
        .dial(&id(4), &id(5), "PJSIP/102");
    script
        .wait(1000)
        .dial_end(&id(4), &id(5), "ANSWER")
        .dial_end(&id(2), &id(3), "ANSWER");
    script.dial_end(&id(0), &id(1), "ANSWER");
    for (counter, bridge) in [(5, "b1"), (4, "b1"), (3, "b2"), (2, "b2"), (1, "b3")] {
        script.enter(&id(counter), bridge);
    }
    script.enter(&id(0), "b3").wait(2000);
    end(&mut script, &[0, 1, 2, 3, 4, 5]);
    check(
        &script,
        &["in answered talk=102 last=102 rung=102 our=74950000001 client=+79161234567"],
    );
}

#[test]
fn a_phone_that_forwards_to_a_mobile_answers_through_the_trunk() {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    script
        .open(&id(9), "PJSIP/101-00000009", &id(0), "0")
        .dial(&id(0), &id(9), "PJSIP/101");
    let forward = [("DialStatus", "CANCEL"), ("Forward", "79160000000")];
    script.event("DialEnd", &[("", &id(0)), ("Dest", &id(9))], &forward);
    script.hangup(&id(9), "23");
    let local = "Local/79160000000@from-internal-00000001";
    through_local(&mut script, local, "PJSIP/trunk-0000000b");
    script.wait(2000);
    end(&mut script, &[0, 1, 2, 3]);
    check(
        &script,
        &["in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567"],
    );
}

#[test]
fn a_forward_to_a_mobile_that_nobody_takes_is_missed() {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    script.local(
        &id(0),
        &id(1),
        &id(2),
        "Local/102@from-internal-00000001",
        &id(0),
    );
    script
        .open(&id(3), "PJSIP/trunk-0000000b", &id(0), "0")
        .dial(&id(2), &id(3), "7916@trunk");
    script.wait(9000).dial_end(&id(2), &id(3), "NOANSWER");
    end(&mut script, &[3, 2, 1, 0]);
    check(
        &script,
        &["in missed(NoAnswer) talk=- last=- rung=102 our=74950000001 client=+79161234567"],
    );
}

/// 101 dials the client; the first trunk refuses, the second answers or not.
fn by_second_trunk(status: &str, cause: &str) -> Script {
    let mut script = Script::default();
    script.calls_in(
        &id(0),
        "SIP/101-00000001",
        "101",
        "989161234567",
        "from-internal",
    );
    script.caller(&id(0), DID);
    script.open(&id(1), "SIP/trunk1-00000002", &id(0), "0");
    let blocks = [("", &*id(0)), ("Dest", &*id(1))];
    script.event(
        "DialBegin",
        &blocks,
        &[("DialString", "trunk1/89161234567")],
    );
    script
        .dial_end(&id(0), &id(1), "CONGESTION")
        .hangup(&id(1), "34");
    script.open(&id(2), "SIP/trunk2-00000003", &id(0), "0");
    script.dial(&id(0), &id(2), "trunk2/89161234567").wait(1000);
    script.dial_end(&id(0), &id(2), status);
    if status == "ANSWER" {
        script.enter(&id(2), "b1").enter(&id(0), "b1").wait(2000);
    }
    script.hangup(&id(2), cause).hangup(&id(0), "16");
    script
}

#[test]
fn the_second_trunk_tells_what_became_of_an_outgoing_call() {
    for (status, cause, result, talk) in [
        ("ANSWER", "16", "answered", "101"),
        ("BUSY", "17", "missed(Busy)", "-"),
        ("NOANSWER", "1", "missed(Failed)", "-"),
        ("NOANSWER", "0", "missed(NoAnswer)", "-"),
        ("CANCEL", "127", "missed(NoAnswer)", "-"),
        ("CHANUNAVAIL", "20", "missed(Failed)", "-"),
    ] {
        let line = format!(
            "out {result} talk={talk} last={talk} rung=101 our=74950000001 client=+79161234567 by=101"
        );
        check(&by_second_trunk(status, cause), &[&line]);
    }
}

#[test]
fn a_number_that_no_trunk_took_is_a_failed_outgoing_call() {
    let mut script = Script::default();
    script.calls_in(&id(0), "PJSIP/101-00000001", "101", CLIENT, "from-internal");
    script.wait(500).hangup(&id(0), "20");
    check(
        &script,
        &["out missed(Failed) talk=- last=- rung=101 our=- client=+79161234567 by=101"],
    );
}

#[test]
fn a_feature_code_is_nobodys_call() {
    let mut script = Script::default();
    script.calls_in(&id(0), "PJSIP/101-00000001", "101", "*97", "from-internal");
    script.state(&id(0), "6").wait(5000).hangup(&id(0), "16");
    check(&script, &[]);
}

/// A click-to-call to `Local/101@…`: the pair, then the phone.
fn click(script: &mut Script) {
    let own = "crm-01jd";
    script.local("", own, &id(2), "Local/101@from-internal-00000001", own);
    script
        .open(&id(3), "PJSIP/101-00000002", own, "0")
        .dial(&id(2), &id(3), "PJSIP/101");
    script.wait(1000);
}

#[test]
fn a_click_to_call_through_a_local_channel_is_the_employees_call() {
    let mut script = Script::default();
    click(&mut script);
    script
        .dial_end(&id(2), &id(3), "ANSWER")
        .dial_end("", "crm-01jd", "ANSWER");
    script.enter(&id(3), "b1").enter(&id(2), "b1");
    let answer = [
        ("ActionID", "a-1"),
        ("Response", "Success"),
        ("Reason", "4"),
        ("Exten", CLIENT),
    ];
    script.event("OriginateResponse", &[("", "crm-01jd")], &answer);
    script
        .caller("crm-01jd", DID)
        .open(&id(4), "PJSIP/trunk-00000003", "crm-01jd", "0");
    script
        .dial("crm-01jd", &id(4), "79161234567@trunk")
        .wait(1000);
    script
        .dial_end("crm-01jd", &id(4), "ANSWER")
        .enter(&id(4), "b2")
        .enter("crm-01jd", "b2");
    script.wait(2000);
    end(&mut script, &[4, 3, 2]);
    script.hangup("crm-01jd", "16");
    check(
        &script,
        &[
            "out answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567 by=101 c2c=crm-01jd",
        ],
    );
}

#[test]
fn a_click_to_call_through_a_local_channel_that_is_not_picked_up_reached_nobody() {
    let mut script = Script::default();
    click(&mut script);
    script
        .dial_end(&id(2), &id(3), "NOANSWER")
        .hangup(&id(3), "19");
    let device = "Local/101@from-internal";
    let answer = [
        ("ActionID", "a-1"),
        ("Response", "Failure"),
        ("Reason", "3"),
        ("Channel", device),
        ("Exten", CLIENT),
    ];
    script.event("OriginateResponse", &[], &answer);
    script.hangup(&id(2), "16").hangup("crm-01jd", "16");
    check(
        &script,
        &[
            "out not-reached(NoAnswer) talk=- last=- rung=101 our=- client=+79161234567 by=101 c2c=crm-01jd",
        ],
    );
}

fn queue(script: &mut Script, event: &str, name: &str) {
    script.event(event, &[("", &id(0))], &[("Queue", name)]);
}

#[test]
fn a_call_that_is_sent_back_into_a_queue_keeps_its_answer_and_both_queues() {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    queue(&mut script, "QueueCallerJoin", "sales");
    script
        .answered_by(&id(0), &id(1), "PJSIP/101-00000001", &id(0), "b1")
        .wait(1000);
    let blocks = [("Transferer", &*id(1)), ("Transferee", &*id(0))];
    script.event("BlindTransfer", &blocks, &[("Result", "Success")]);
    script
        .leave(&id(1), "b1")
        .hangup(&id(1), "16")
        .leave(&id(0), "b1");
    queue(&mut script, "QueueCallerJoin", "support");
    script
        .wait(3000)
        .event("HangupRequest", &[("", &id(0))], &[]);
    queue(&mut script, "QueueCallerAbandon", "support");
    script.hangup(&id(0), "16");
    check(
        &script,
        &[
            "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567 queue=sales queue=support",
        ],
    );
}

#[test]
fn after_a_queue_ran_out_the_later_phones_tell_why_nobody_talked() {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    queue(&mut script, "QueueCallerJoin", "sales");
    script.wait(3000);
    queue(&mut script, "QueueCallerAbandon", "sales");
    script
        .wait(10)
        .open(&id(1), "PJSIP/103-00000001", &id(0), "0");
    script
        .dial(&id(0), &id(1), "PJSIP/103")
        .dial_end(&id(0), &id(1), "BUSY");
    script.hangup(&id(1), "17").hangup(&id(0), "17");
    check(
        &script,
        &["in missed(Busy) talk=- last=- rung=103 our=74950000001 client=+79161234567 queue=sales"],
    );
}

#[test]
fn a_voicemail_after_the_ringing_is_no_answer() {
    let mut script = Script::default();
    script.rings_in(&id(0), "anonymous", DID);
    script
        .open(&id(1), "PJSIP/101-00000001", &id(0), "0")
        .dial(&id(0), &id(1), "PJSIP/101");
    script
        .wait(20_000)
        .dial_end(&id(0), &id(1), "NOANSWER")
        .hangup(&id(1), "0");
    script
        .state(&id(0), "6")
        .wait(15_000)
        .event("HangupRequest", &[("", &id(0))], &[]);
    script.hangup(&id(0), "16");
    check(
        &script,
        &["in missed(NoAnswer) talk=- last=- rung=101 our=74950000001 client=withheld"],
    );
}

#[test]
fn a_caller_who_leaves_the_menu_gave_up() {
    let mut script = Script::default();
    script
        .rings_in(&id(0), CLIENT, DID)
        .state(&id(0), "6")
        .wait(3000);
    script
        .event("HangupRequest", &[("", &id(0))], &[])
        .hangup(&id(0), "16");
    check(
        &script,
        &["in missed(CallerGaveUp) talk=- last=- rung=- our=74950000001 client=+79161234567"],
    );
}

#[test]
fn each_recording_of_a_call_is_named_once() {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    script.answered_by(&id(0), &id(1), "PJSIP/101-00000001", &id(0), "b1");
    for value in [
        "/var/spool/asterisk/monitor/a-1.wav",
        "/var/spool/asterisk/monitor/a-2.wav",
    ] {
        let set = [("Variable", "MIXMONITOR_FILENAME"), ("Value", value)];
        script.event("VarSet", &[("", &id(0))], &set);
    }
    script.wait(1000).hangup(&id(0), "16").hangup(&id(1), "16");
    for file in ["a-1.wav", "a-2.wav", "a-3.wav"] {
        let cdr = [("UniqueID", &*id(0)), ("RecordingFile", file)];
        script.event("Cdr", &[], &cdr);
    }
    check(
        &script,
        &[
            "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567 rec=a-1.wav rec=a-2.wav rec=a-3.wav",
        ],
    );
}
