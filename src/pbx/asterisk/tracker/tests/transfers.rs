//! Calls that wander from one to another.

use super::script::{Script, id};

const CLIENT: &str = "79161234567";
const DID: &str = "74950000001";

/// A client's call that 101 has answered a second ago: channels 0 and 1, bridge `b1`.
fn answered_by_101() -> Script {
    let mut script = Script::default();
    script.rings_in(&id(0), CLIENT, DID);
    script.answered_by(&id(0), &id(1), "PJSIP/101-00000001", &id(0), "b1");
    script.wait(1000);
    script
}

/// 101 sends the client away by REFER.
fn blind_transfer(script: &mut Script, to: &str) {
    let blocks = [("Transferer", &*id(1)), ("Transferee", &*id(0))];
    let further = [
        ("Result", "Success"),
        ("Extension", to),
        ("IsExternal", "Yes"),
    ];
    script.event("BlindTransfer", &blocks, &further);
    script
        .leave(&id(1), "b1")
        .hangup(&id(1), "16")
        .leave(&id(0), "b1");
}

#[test]
fn a_blind_transfer_that_nobody_takes_stays_answered_by_the_first() {
    let mut script = answered_by_101();
    blind_transfer(&mut script, "102");
    script.open(&id(2), "PJSIP/102-00000002", &id(0), "0");
    script.dial(&id(0), &id(2), "102").wait(5000);
    script
        .dial_end(&id(0), &id(2), "NOANSWER")
        .hangup(&id(2), "0")
        .hangup(&id(0), "16");
    let told = script.told();
    assert_eq!(
        told.lines(),
        ["in answered talk=101 last=101 rung=101,102 our=74950000001 client=+79161234567"]
    );
    assert_eq!(
        told.calls.values().next().map(|call| call.talking_ms),
        Some(1000)
    );
}

#[test]
fn a_blind_transfer_to_the_outside_ends_the_talk_with_the_company() {
    let mut script = answered_by_101();
    blind_transfer(&mut script, "79169998877");
    script
        .answered_by(&id(0), &id(2), "PJSIP/trunk-0000000b", &id(0), "b2")
        .wait(9000);
    script
        .leave(&id(0), "b2")
        .hangup(&id(2), "16")
        .hangup(&id(0), "16");
    let told = script.told();
    assert_eq!(
        told.lines(),
        ["in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567"]
    );
    assert_eq!(
        told.calls.values().next().map(|call| call.talking_ms),
        Some(1000)
    );
}

/// 101 asks somebody in a second call: channels 2 and 3, bridge `b2`.
fn consultation(script: &mut Script, name: &str, exten: &str) {
    script.calls_in(&id(2), "PJSIP/101-00000002", "101", exten, "from-internal");
    script
        .answered_by(&id(2), &id(3), name, &id(2), "b2")
        .wait(1000);
}

#[test]
fn a_consultation_that_comes_to_nothing_leaves_the_client_with_the_first() {
    let mut script = answered_by_101();
    consultation(&mut script, "PJSIP/102-00000003", "102");
    script
        .leave(&id(3), "b2")
        .leave(&id(2), "b2")
        .hangup(&id(3), "16")
        .hangup(&id(2), "16");
    script.wait(1000).leave(&id(0), "b1").leave(&id(1), "b1");
    script.hangup(&id(1), "16").hangup(&id(0), "16");
    assert_eq!(
        script.told().lines(),
        [
            "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567",
            "internal answered talk=101,102 last=102 rung=101,102 our=- client=102 by=101",
        ]
    );
}

/// The phone completes the transfer: the client takes the place of 101's second channel.
fn complete(script: &mut Script) {
    let swap = [("BridgeUniqueid", "b2"), ("SwapUniqueid", &*id(2))];
    script
        .leave(&id(0), "b1")
        .leave(&id(2), "b2")
        .event("BridgeEnter", &[("", &id(0))], &swap);
    let blocks = [
        ("OrigTransferer", &*id(1)),
        ("SecondTransferer", &*id(2)),
        ("Transferee", &*id(0)),
        ("TransferTarget", &*id(3)),
    ];
    script.event(
        "AttendedTransfer",
        &blocks,
        &[("Result", "Success"), ("DestType", "Bridge")],
    );
    script
        .leave(&id(1), "b1")
        .hangup(&id(1), "16")
        .hangup(&id(2), "16")
        .relink(&id(3), &id(0));
}

#[test]
fn a_consultation_with_an_outside_party_stays_an_outgoing_call_of_its_own() {
    let mut script = answered_by_101();
    consultation(&mut script, "PJSIP/trunk-0000000b", "79169998877");
    complete(&mut script);
    script.wait(5000).leave(&id(0), "b2").hangup(&id(0), "16");
    script.leave(&id(3), "b2").hangup(&id(3), "16");
    let told = script.told();
    assert_eq!(
        told.lines(),
        [
            "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567",
            "out answered talk=101 last=101 rung=101 our=- client=+79169998877 by=101",
        ]
    );
    let talks: Vec<u64> = told.calls.values().map(|call| call.talking_ms).collect();
    assert_eq!(
        talks,
        [3000, 1000],
        "the two of them alone are no talk with the company"
    );
}

#[test]
fn a_call_that_is_handed_on_twice_names_all_three() {
    let mut script = answered_by_101();
    consultation(&mut script, "PJSIP/102-00000003", "102");
    complete(&mut script);
    script.wait(1000);
    let blocks = [("Transferer", &*id(3)), ("Transferee", &*id(0))];
    script.event("BlindTransfer", &blocks, &[("Result", "Success")]);
    script
        .leave(&id(3), "b2")
        .hangup(&id(3), "16")
        .leave(&id(0), "b2");
    script
        .answered_by(&id(0), &id(4), "PJSIP/103-00000004", &id(0), "b3")
        .wait(2000);
    script
        .leave(&id(0), "b3")
        .leave(&id(4), "b3")
        .hangup(&id(0), "16")
        .hangup(&id(4), "16");
    assert_eq!(
        script.told().lines(),
        [
            "in answered talk=101,102,103 last=103 rung=101,102,103 our=74950000001 client=+79161234567"
        ]
    );
}

#[test]
fn a_call_that_comes_back_to_the_first_names_him_last() {
    let mut script = answered_by_101();
    consultation(&mut script, "PJSIP/102-00000003", "102");
    complete(&mut script);
    script.wait(1000);
    let blocks = [("Transferer", &*id(3)), ("Transferee", &*id(0))];
    script.event("BlindTransfer", &blocks, &[("Result", "Success")]);
    script
        .leave(&id(3), "b2")
        .hangup(&id(3), "16")
        .leave(&id(0), "b2");
    script
        .answered_by(&id(0), &id(4), "PJSIP/101-00000009", &id(0), "b3")
        .wait(2000);
    script.hangup(&id(0), "16").hangup(&id(4), "16");
    assert_eq!(
        script.told().lines(),
        ["in answered talk=101,102 last=101 rung=101,102 our=74950000001 client=+79161234567"]
    );
}

#[test]
fn a_consultation_older_than_the_clients_call_does_not_take_its_name() {
    let mut script = Script::default();
    // 101 and 102 talk; then a client rings 101's second line and is handed to 102.
    script.calls_in(&id(2), "PJSIP/101-00000002", "101", "102", "from-internal");
    script
        .answered_by(&id(2), &id(3), "PJSIP/102-00000003", &id(2), "b2")
        .wait(1000);
    script.rings_in(&id(10), CLIENT, DID);
    script
        .answered_by(&id(10), &id(11), "PJSIP/101-00000011", &id(10), "b1")
        .wait(1000);
    let swap = [("BridgeUniqueid", "b2"), ("SwapUniqueid", &*id(2))];
    script.leave(&id(10), "b1").relink(&id(10), &id(2));
    script.event("BridgeEnter", &[("", &id(10))], &swap);
    script.hangup(&id(11), "16").hangup(&id(2), "16").wait(1000);
    script.hangup(&id(10), "16").hangup(&id(3), "16");
    let told = script.told();
    assert_eq!(
        told.lines(),
        ["in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567"]
    );
    assert!(
        told.calls.contains_key(&id(10)),
        "it was told under its own name before"
    );
}
