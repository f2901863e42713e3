//! Every recorded stream and the call that it is, seen whole and through fewer read classes.

use super::*;

/// One recording: its name, the call as [`line`] writes it, talk and waiting in milliseconds.
/// The times are those of the recording's bridges, read by hand from its `.times`.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) line: &'static str,
    pub(super) talking_ms: u64,
    pub(super) waiting_ms: u64,
}

const fn row(name: &'static str, line: &'static str, talking_ms: u64, waiting_ms: u64) -> Row {
    Row {
        name,
        line,
        talking_ms,
        waiting_ms,
    }
}

/// How far times may be off: bridges are entered and left over some milliseconds.
const TOLERANCE_MS: u64 = 60;

#[rustfmt::skip]
pub(super) const ROWS: [Row; 48] = [
    row("ast16_blind_transfer", "in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567", 2500, 1010),
    row("ast16_inbound_answered", "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567", 2000, 1010),
    row("ast16_queue_local_members_answered", "in answered talk=102 last=102 rung=101,102 our=74950000033 client=+79161234567 queue=sales", 2000, 1510),
    row("attended_transfer", "in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567", 4510, 1010),
    row("attended_transfer_feature", "in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567", 2890, 1010),
    row("blind_transfer", "in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567", 2500, 1010),
    row("hold_unhold", "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567", 2010, 1010),
    row("inbound_answered", "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567", 2000, 1010),
    row("inbound_busy", "in missed(Busy) talk=- last=- rung=101 our=74950000001 client=+79161234567", 0, 10),
    row("inbound_caller_hangup", "in missed(CallerGaveUp) talk=- last=- rung=101 our=74950000001 client=+79161234567", 0, 1510),
    row("inbound_declined", "in missed(Declined) talk=- last=- rung=101 our=74950000001 client=+79161234567", 0, 1010),
    row("inbound_forwarded_302", "in answered talk=102 last=102 rung=101,102 our=74950000001 client=+79161234567", 1000, 1510),
    row("inbound_ivr_answered_then_missed", "in missed(NoAnswer) talk=- last=- rung=101 our=74950000006 client=+79161234567", 0, 5010),
    row("inbound_missed", "in missed(NoAnswer) talk=- last=- rung=101 our=74950000001 client=+79161234567", 0, 4010),
    row("inbound_unregistered", "in missed(NobodyRung) talk=- last=- rung=- our=74950000001 client=+79161234567", 0, 10),
    row("internal_call", "internal answered talk=101,102 last=102 rung=101,102 our=- client=102 by=101", 1000, 1010),
    row("originate_agent_busy", "out not-reached(Busy) talk=- last=- rung=101 our=- client=+79167654321 by=101 c2c=c2c-3", 0, 500),
    row("originate_agent_noanswer", "out not-reached(NoAnswer) talk=- last=- rung=101 our=- client=+79167654321 by=101 c2c=c2c-2", 0, 3000),
    row("originate_click_to_call", "out answered talk=101 last=101 rung=101 our=74950000001 client=+79167654321 by=101 c2c=c2c-own-1", 1500, 2010),
    row("outbound_answered", "out answered talk=101 last=101 rung=101 our=74950000001 client=+79167654321 by=101", 2000, 1010),
    row("outbound_busy", "out missed(Busy) talk=- last=- rung=101 our=74950000001 client=+79167654321 by=101", 0, 1010),
    row("outbound_noanswer", "out missed(NoAnswer) talk=- last=- rung=101 our=74950000001 client=+79167654321 by=101", 0, 5010),
    row("parallel_ring", "in answered talk=102 last=102 rung=101,102 our=74950000002 client=+79161234567", 1500, 1510),
    row("parallel_ring_missed", "in missed(NoAnswer) talk=- last=- rung=101,102 our=74950000002 client=+79161234567", 0, 6010),
    row("pickup", "in answered talk=102 last=102 rung=101,102 our=74950000001 client=+79161234567", 1000, 1010),
    row("queue_abandon", "in missed(AbandonedInQueue) talk=- last=- rung=101,102 our=74950000003 client=+79161234567 queue=support", 0, 2010),
    row("queue_answered", "in answered talk=102 last=102 rung=101,102 our=74950000003 client=+79161234567 queue=support", 2000, 1510),
    row("queue_local_members_answered", "in answered talk=102 last=102 rung=101,102 our=74950000033 client=+79161234567 queue=sales", 2000, 1510),
    row("recording", "in answered talk=101 last=101 rung=101 our=74950000004 client=+79161234567 rec=external-74950000004-79161234567-20261120-213357-1795210437.25.wav", 3000, 1010),
    row("lean/blind_unanswered", "in answered talk=101 last=101 rung=101,102 our=74950000001 client=+79161234567", 1000, 1010),
    row("lean/blind_external", "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567", 1010, 1010),
    row("lean/blind_chain_back", "in answered talk=101,102 last=101 rung=101,102 our=74950000001 client=+79161234567", 3010, 1010),
    row("lean/blonde", "in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567", 3220, 1010),
    row("lean/blonde_unanswered", "in answered talk=101 last=101 rung=101,102 our=74950000001 client=+79161234567", 1710, 1010),
    row("lean/atxfer_blonde", "in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567", 2890, 1010),
    row("lean/ast16_atxfer_blonde", "in answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79161234567", 2890, 1010),
    row("lean/atxfer_external", "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567", 1750, 1010),
    row("lean/forward_302_mobile", "in answered talk=101 last=101 rung=101 our=74950000001 client=+79161234567", 2000, 1210),
    row("lean/followme_mobile", "in answered talk=101 last=101 rung=101,102 our=74950000012 client=+79161234567", 2000, 3720),
    row("lean/local_chain", "in answered talk=102 last=102 rung=101,102 our=74950000008 client=+79161234567", 1520, 1010),
    row("lean/second_trunk", "out answered talk=101 last=101 rung=101 our=- client=+79167654321 by=101", 1500, 1310),
    row("lean/outbound_attended", "out answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79167654321 by=101", 3720, 510),
    row("lean/ami_redirect_called", "out answered talk=101,102 last=102 rung=101,102 our=74950000001 client=+79167654321 by=101", 2000, 510),
    row("lean/c2c_local", "out answered talk=101 last=101 rung=101 our=74950000001 client=+79167654321 by=101 c2c=c2c-local-1", 1500, 1210),
    row("lean/c2c_local_noanswer", "out not-reached(NoAnswer) talk=- last=- rung=101 our=- client=+79167654321 by=101 c2c=c2c-local-2", 0, 5000),
    row("lean/client_first", "out answered talk=101 last=101 rung=101 our=74950000001 client=+79167654321 by=101 c2c=cf-5", 1500, 1010),
    row("lean/queue_timeout_then_missed", "in missed(NoAnswer) talk=- last=- rung=101,102 our=74950000011 client=+79161234567 queue=support", 0, 7010),
    row("lean/voicemail_like", "in missed(NoAnswer) talk=- last=- rung=101 our=74950000010 client=+79161234567", 0, 4010),
];

#[track_caller]
fn check(row: &Row, line: &str, messages: &[Timed], seen: &str) {
    let told = replay(&mut Tracker::new(settings()), messages);
    assert_eq!(told.lines(), [line], "{} {seen}", row.name);
    let call = told.calls.values().next().expect("one call");
    let near = |is: u64, wanted: u64| is.abs_diff(wanted) <= TOLERANCE_MS;
    let (talking, waiting) = (call.talking_ms, call.waiting_ms);
    assert!(
        near(talking, row.talking_ms),
        "{} {seen}: talk {talking}",
        row.name
    );
    assert!(
        near(waiting, row.waiting_ms),
        "{} {seen}: wait {waiting}",
        row.name
    );
    // One revision for each thing that happened, not for each event.
    assert!(
        told.count <= 8,
        "{} {seen}: {} revisions",
        row.name,
        told.count
    );
}

/// Keeps what a user with these read classes sees, without CEL.
pub(super) fn with_classes(messages: &[Timed], classes: &[&str]) -> Vec<Timed> {
    let seen = |message: &Message| {
        let privilege = message.get("Privilege").unwrap_or_default();
        let granted = privilege.split(',').any(|class| classes.contains(&class));
        granted && message.event() != Some("CEL")
    };
    messages
        .iter()
        .filter(|(_, message)| seen(message))
        .cloned()
        .collect()
}

/// The classes of the user that the documentation recommends.
pub(super) const RECOMMENDED: [&str; 5] = ["system", "call", "agent", "user", "cdr"];

/// Takes a part such as ` rec=…` out of a line.
fn without(line: &str, part: &str) -> String {
    let keep = |word: &&str| !word.starts_with(part);
    line.split(' ').filter(keep).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_recorded_call_is_told_as_it_was() {
    for row in &ROWS {
        check(row, row.line, &capture(row.name), "whole");
    }
}

#[test]
fn the_recommended_user_sees_the_same_calls() {
    for row in &ROWS {
        let messages = with_classes(&capture(row.name), &RECOMMENDED);
        check(row, row.line, &messages, "recommended");
    }
}

#[test]
fn the_class_call_alone_shows_the_same_calls_without_queue_and_recording() {
    for row in &ROWS {
        let messages = with_classes(&capture(row.name), &["call"]);
        let line = without(&without(row.line, "rec="), "queue=");
        let line = line.replace("AbandonedInQueue", "CallerGaveUp");
        check(row, &line, &messages, "call");
    }
}

#[test]
fn a_lean_user_sees_the_answered_call() {
    let told = replay(
        &mut Tracker::new(settings()),
        &capture("lean_user_inbound_answered"),
    );
    let expected = ROWS.iter().find(|row| row.name == "inbound_answered");
    assert_eq!(told.lines(), [expected.expect("a row").line]);
}

#[test]
fn a_stop_of_the_pbx_in_mid_call_ends_the_call_as_answered() {
    let told = replay(&mut Tracker::new(settings()), &capture("shutdown_mid_call"));
    let expected = ROWS.iter().find(|row| row.name == "inbound_answered");
    assert_eq!(told.lines(), [expected.expect("a row").line]);
}

#[test]
fn a_call_that_ran_when_we_came_is_taken_up_from_the_lists() {
    let messages = capture("attach_mid_call");
    let list: Vec<Message> = messages
        .iter()
        .map(|(_, message)| message.clone())
        .collect();
    let complete = list
        .iter()
        .rposition(|one| one.event() == Some("BridgeInfoComplete"));
    let split = complete.expect("the lists end") + 1;
    let state = LiveState::from_messages(&list[..split]);
    assert_eq!(state.channels.len(), 2);
    let (moment, _) = messages[split - 1];
    let mut tracker = Tracker::new(settings());
    let mut told = Told::default();
    told.take(tracker.reconcile(&state, moment));
    assert_eq!(
        told.lines(),
        ["in answered talk=102 last=102 rung=102 our=74950000002 client=+79161234567 blind"]
    );
    feed(&mut tracker, &messages[split..], &mut told);
    finish(&mut tracker, &messages, &mut told);
    let call = told.calls.values().next().expect("one call");
    assert_eq!(told.calls.len(), 1);
    assert!(call.is_over() && call.is_answered());
    assert_eq!(
        moment.since(call.started_at).as_millis(),
        1000,
        "it had lasted a second"
    );
    assert!(call.ended_at > call.answered_at);
}

#[test]
fn a_communication_is_named_by_the_linkedid_and_by_the_day_where_we_chose_the_id() {
    let key = |name| {
        let told = replay(&mut Tracker::new(settings()), &capture(name));
        told.calls.keys().next().cloned().expect("one call")
    };
    assert_eq!(key("attended_transfer"), "1795210252.120");
    assert_eq!(key("pickup"), "1795210275.133");
    assert_eq!(key("originate_click_to_call"), "c2c-own-1@2026-11-20");
}
