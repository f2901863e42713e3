//! Calls as the VATS tells them, in order, out of order, repeated, and not to the end.

use proptest::prelude::*;

use super::super::wire::form::{Event, EventKind};
use super::super::wire::history::{HistoryItem, Outcome, Way};
use super::*;
use crate::model::call::{CallResult, MissReason};

const CLIENT: &str = "79161112233";
const BEGIN: Timestamp = Timestamp::from_secs(1_772_438_700);

fn at(seconds: u64) -> Timestamp {
    BEGIN.plus(Duration::from_secs(seconds))
}

fn settings() -> TrackerSettings {
    TrackerSettings {
        source: "acme/cloud".parse().expect("a key"),
        numbers: NumberRules::default(),
        named_by: NamedBy::Login,
        overlap: Duration::from_secs(1800),
        history_wait: Duration::from_secs(60),
        ring_max: Duration::from_secs(900),
        talk_max: Duration::from_secs(14_400),
    }
}

/// One thing that is told.
#[derive(Debug, Clone)]
enum Told {
    Event(Event),
    History(HistoryItem, Teller),
}

fn event(kind: EventKind, callid: &str, user: &str) -> Told {
    let ext = match user {
        "orlova" => "510",
        _ => "511",
    };
    Told::Event(Event {
        kind,
        callid: callid.to_owned(),
        second_callid: None,
        phone: Some(CLIENT.to_owned()),
        user: Some(user.to_owned()),
        way: None,
        diversion: Some("74951230000".to_owned()),
        group: None,
        ext: Some(ext.to_owned()),
        telnum: None,
    })
}

fn transferred(callid: &str, second: &str, user: &str) -> Told {
    match event(EventKind::Transferred, callid, user) {
        Told::Event(event) => Told::Event(Event {
            second_callid: Some(second.to_owned()),
            ..event
        }),
        other => other,
    }
}

fn history(id: &str, outcome: Outcome, user: &str, start: u64, duration_s: u64) -> HistoryItem {
    HistoryItem {
        id: id.to_owned(),
        way: Some(Way::In),
        outcome,
        phone: Some("+7 916 111-22-33".to_owned()),
        user: Some(user.to_owned()).filter(|user| !user.is_empty()),
        ext: None,
        account: None,
        group: None,
        telnum: None,
        diversion: None,
        start: at(start),
        wait_s: None,
        duration_s,
        link: (outcome == Outcome::Talked).then(|| format!("https://x.example/rec/{id}.mp3")),
    }
}

fn message(item: HistoryItem) -> Told {
    Told::History(item, Teller::Message)
}

/// Everything that was reported, the last of each key.
#[derive(Default)]
struct Office {
    book: Book,
    told: BTreeMap<String, (u64, Call)>,
}

impl Office {
    fn hear(&mut self, told: &Told, now: Timestamp) {
        let settings = settings();
        let mut tracker = Tracker::new(&mut self.book, &settings);
        match told {
            Told::Event(event) => tracker.event(event, now),
            Told::History(item, by) => tracker.finished(item, *by, now),
        }
        let snapshots = tracker.snapshots;
        self.keep(snapshots);
        self.restart();
    }

    fn tick(&mut self, now: Timestamp) {
        let settings = settings();
        let mut tracker = Tracker::new(&mut self.book, &settings);
        tracker.tick(now, now.minus(settings.overlap));
        let snapshots = tracker.snapshots;
        self.keep(snapshots);
    }

    fn keep(&mut self, snapshots: Vec<Snapshot>) {
        for snapshot in snapshots {
            let Body::Call { call } = snapshot.body else {
                continue;
            };
            let known = self.told.get(&snapshot.key.item);
            let newer = known.is_none_or(|(revision, _)| *revision < snapshot.revision);
            if newer {
                let kept = (snapshot.revision, call);
                self.told.insert(snapshot.key.item, kept);
            }
        }
    }

    /// What is known is read back as it was written.
    fn restart(&mut self) {
        let written = serde_json::to_value(&self.book).expect("written");
        let read: Book = serde_json::from_value(written).expect("read");
        assert_eq!(read, self.book);
        self.book = read;
    }

    /// The calls with a client.
    fn calls(&self) -> Vec<(&str, &Call)> {
        let calls = self.told.iter();
        let calls = calls.filter(|(_, (_, call))| call.direction != Direction::Internal);
        calls.map(|(id, (_, call))| (id.as_str(), call)).collect()
    }

    #[track_caller]
    fn only(&self) -> &Call {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls[0].1
    }
}

fn heard(story: &[Told]) -> Office {
    let mut office = Office::default();
    for (second, told) in (0..).zip(story) {
        office.hear(told, at(second));
    }
    office
}

/// A group of three is rung, one answers.
fn group_call() -> Vec<Told> {
    use EventKind::{Accepted, Cancelled, Completed, Incoming};
    vec![
        event(Incoming, "a", "orlova"),
        event(Incoming, "a", "petrov"),
        event(Incoming, "a", "sidorov"),
        event(Accepted, "a", "orlova"),
        event(Cancelled, "a", "petrov"),
        event(Cancelled, "a", "sidorov"),
        event(Completed, "a", "orlova"),
        message(history("a", Outcome::Talked, "orlova", 0, 64)),
    ]
}

/// One who talked hands the client to another.
fn handed_on() -> Vec<Told> {
    use EventKind::{Accepted, Completed, Incoming};
    vec![
        event(Incoming, "a", "orlova"),
        event(Accepted, "a", "orlova"),
        event(Incoming, "b", "petrov"),
        event(Accepted, "b", "petrov"),
        transferred("a", "b", "orlova"),
        event(Completed, "a", "orlova"),
        event(Completed, "b", "petrov"),
        message(history("a", Outcome::Talked, "orlova", 0, 30)),
        message(history("b", Outcome::Talked, "petrov", 30, 40)),
    ]
}

fn missed() -> Vec<Told> {
    vec![
        event(EventKind::Incoming, "a", "orlova"),
        event(EventKind::Cancelled, "a", "orlova"),
        message(history(
            "a",
            Outcome::Missed(MissReason::NoAnswer),
            "orlova",
            0,
            20,
        )),
    ]
}

fn dialled() -> Vec<Told> {
    vec![
        event(EventKind::Outgoing, "a", "orlova"),
        event(EventKind::Accepted, "a", "orlova"),
        event(EventKind::Completed, "a", "orlova"),
        message(HistoryItem {
            way: Some(Way::Out),
            ..history("a", Outcome::Talked, "orlova", 0, 64)
        }),
    ]
}

fn names(extensions: &[Extension]) -> Vec<&str> {
    extensions.iter().map(|one| one.0.as_str()).collect()
}

#[test]
fn a_group_that_is_rung_is_one_call_of_whoever_answered() {
    let office = heard(&group_call());
    let call = office.only();
    assert_eq!(call.result, CallResult::Answered);
    assert_eq!(call.phase, CallPhase::Ended);
    assert_eq!(names(&call.talkers), ["orlova"]);
    assert_eq!(call.legs.len(), 3);
    assert_eq!(call.started_at, at(0));
    // Answered in the third second, over in the sixth; the whole was 64 seconds.
    assert_eq!((call.talking_ms, call.waiting_ms), (3_000, 61_000));
    assert_eq!(call.our_number.as_deref(), Some("74951230000"));
    assert_eq!(call.recordings, ["https://x.example/rec/a.mp3"]);
    assert_eq!(call.blind, None);
}

#[test]
fn a_client_who_is_handed_on_has_talked_to_both_in_one_call() {
    let office = heard(&handed_on());
    let call = office.only();
    assert_eq!(names(&call.talkers), ["orlova", "petrov"]);
    assert_eq!(
        call.last_talker.as_ref().map(|one| one.0.as_str()),
        Some("petrov")
    );
    assert_eq!(call.recordings.len(), 2);
    assert_eq!(call.ended_at, Some(at(70)));
    // The second leg was held back until it was known to be one: nobody heard of another call.
    assert_eq!(office.told.len(), 1, "{:?}", office.told.keys());
}

#[test]
fn a_missed_and_a_dialled_call_are_what_they_are() {
    let office = heard(&missed());
    let reason = MissReason::NoAnswer;
    assert_eq!(office.only().result, CallResult::Missed { reason });
    let office = heard(&dialled());
    let call = office.only();
    assert_eq!(call.direction, Direction::Outgoing);
    assert_eq!(
        call.caller_extension.as_ref().map(|one| one.0.as_str()),
        Some("orlova")
    );
}

#[test]
fn a_call_is_reported_when_it_rings_when_it_is_answered_and_when_its_history_comes() {
    let mut office = Office::default();
    let mut phases = Vec::new();
    for (second, told) in (0..).zip(group_call()) {
        office.hear(&told, at(second));
        let phase = office.only().phase;
        if phases.last() != Some(&phase) {
            phases.push(phase);
        }
        // Over it is only when the history told of it: then everything is known at once.
        let over = phase == CallPhase::Ended;
        assert_eq!(over, matches!(told, Told::History(_, _)));
    }
    assert_eq!(
        phases,
        [CallPhase::Ringing, CallPhase::Answered, CallPhase::Ended]
    );
}

#[test]
fn a_call_without_a_history_is_over_a_while_after_its_events() {
    let mut story = group_call();
    story.pop();
    let mut office = heard(&story);
    office.tick(at(6 + 59));
    assert_eq!(office.only().phase, CallPhase::Answered);
    office.tick(at(6 + 60));
    let call = office.only();
    assert_eq!((call.phase, call.ended_at), (CallPhase::Ended, Some(at(6))));
    assert_eq!(call.blind, None);
    // The history may come later all the same: it is the same call.
    let late = message(history("a", Outcome::Talked, "orlova", 0, 64));
    office.hear(&late, at(600));
    assert_eq!(office.only().recordings.len(), 1);
}

#[test]
fn a_callid_that_is_never_closed_is_ended_by_the_clock_with_what_is_known() {
    for (story, after, answered) in [
        (vec![event(EventKind::Incoming, "a", "orlova")], 900, false),
        (
            vec![
                event(EventKind::Incoming, "a", "orlova"),
                event(EventKind::Accepted, "a", "orlova"),
            ],
            14_400,
            true,
        ),
    ] {
        let mut office = heard(&story);
        let last = u64::try_from(story.len()).expect("short") - 1;
        office.tick(at(last + after - 1));
        assert_ne!(office.only().phase, CallPhase::Ended);
        office.tick(at(last + after));
        let call = office.only();
        assert_eq!(
            (call.phase, call.is_answered()),
            (CallPhase::Ended, answered)
        );
        assert!(call.blind.is_some());
        let mut settled = office.book.clone();
        settled.forget(at(100_000), at(90_000));
        assert_eq!(
            settled,
            Book {
                people: settled.people.clone(),
                ..Book::default()
            }
        );
    }
}

#[test]
fn the_history_that_was_asked_for_is_the_same_call_under_its_own_id_or_another() {
    for uid in ["a", "uid-77"] {
        for listed_first in [false, true] {
            let listed = HistoryItem {
                wait_s: Some(9),
                duration_s: 55,
                start: at(1),
                ..history(uid, Outcome::Talked, "orlova", 1, 55)
            };
            let listed = Told::History(listed, Teller::List);
            let mut story = group_call();
            if listed_first {
                story.insert(story.len() - 1, listed);
            } else {
                story.push(listed);
            }
            let office = heard(&story);
            let call = office.only();
            assert_eq!(call.talking_ms, 55_000, "{uid} {listed_first}");
            assert_eq!(names(&call.talkers), ["orlova"]);
        }
    }
}

#[test]
fn a_client_who_calls_twice_within_a_minute_has_called_twice() {
    let mut story = missed();
    let row = |id: &str, start| {
        let reason = Outcome::Missed(MissReason::NoAnswer);
        HistoryItem {
            wait_s: Some(20),
            duration_s: 0,
            ..history(id, reason, "orlova", start, 0)
        }
    };
    story.push(Told::History(row("u1", 0), Teller::List));
    story.push(Told::History(row("u2", 40), Teller::List));
    assert_eq!(heard(&story).calls().len(), 2);
}

#[test]
fn a_client_who_is_lost_in_the_menu_right_after_a_call_has_called_twice() {
    let mut story = missed();
    let told = story.pop().expect("its message");
    let lost = Outcome::Missed(MissReason::NoAnswer);
    story.push(message(history("b", lost, "", 10, 5)));
    story.push(told);
    let office = heard(&story);
    assert_eq!(office.calls().len(), 2);
    assert!(office.calls().iter().all(|(_, call)| call.is_over()));
}

#[test]
fn a_missed_call_of_an_account_is_of_the_person_of_that_login_and_of_nobody_for_a_group() {
    for (account, rung) in [("orlova", 1), ("Sales", 0)] {
        let mut office = Office::default();
        office.book.people.learn(Some("orlova"), Some("510"), None);
        let lost = Outcome::Missed(MissReason::NoAnswer);
        let item = HistoryItem {
            account: Some(account.to_owned()),
            wait_s: Some(20),
            ..history("u", lost, "", 0, 0)
        };
        office.hear(&Told::History(item, Teller::List), at(60));
        assert_eq!(office.only().legs.len(), rung, "{account}");
    }
}

#[test]
fn rows_that_nobody_followed_are_calls_and_repeats_of_them_change_nothing() {
    let row = |link: Option<&str>| {
        let item = HistoryItem {
            wait_s: Some(9),
            link: link.map(str::to_owned),
            ..history("u", Outcome::Talked, "orlova", 0, 55)
        };
        Told::History(item, Teller::List)
    };
    let mut office = heard(&[row(None)]);
    let first = office.told.clone();
    office.hear(&row(None), at(300));
    assert_eq!(office.told, first);
    // Also by somebody who remembers nothing: the store knows the revision.
    let mut forgetful = heard(&[row(None)]);
    forgetful.book = Book::default();
    forgetful.hear(&row(None), at(600));
    assert_eq!(forgetful.told, first);
    forgetful.book = Book::default();
    forgetful.hear(&row(Some("https://x.example/u.mp3")), at(900));
    assert_eq!(forgetful.only().recordings.len(), 1);
}

#[test]
fn a_missed_leg_does_not_end_a_call_that_rings_on() {
    let mut story = vec![
        event(EventKind::Incoming, "a", "orlova"),
        event(EventKind::Cancelled, "a", "orlova"),
        event(EventKind::Incoming, "a", "petrov"),
    ];
    let reason = Outcome::Missed(MissReason::NoAnswer);
    story.push(message(history("a", reason, "orlova", 0, 20)));
    assert_eq!(heard(&story).only().phase, CallPhase::Ringing);
    story.push(event(EventKind::Accepted, "a", "petrov"));
    story.push(event(EventKind::Completed, "a", "petrov"));
    story.push(message(history("a", Outcome::Talked, "petrov", 20, 30)));
    let office = heard(&story);
    assert_eq!(names(&office.only().talkers), ["petrov"]);
}

#[test]
fn an_order_names_its_call_whether_or_not_its_id_was_told() {
    for callid in [Some("a".to_owned()), None] {
        for (user, order_first) in [
            ("orlova", true),
            ("510", true),
            ("orlova", false),
            ("510", false),
        ] {
            let settings = settings();
            let mut book = Book::default();
            book.people.learn(Some("orlova"), Some("510"), None);
            let mut tracker = Tracker::new(&mut book, &settings);
            let order = Order {
                id: "c2c-1.2".to_owned(),
                callid: callid.clone(),
                user: user.to_owned(),
                digits: CLIENT.to_owned(),
                at: at(0),
            };
            let Told::Event(dialled) = event(EventKind::Outgoing, "a", "orlova") else {
                unreachable!("an event is made");
            };
            if order_first {
                tracker.ordered(order, at(0));
                tracker.event(&dialled, at(1));
            } else {
                tracker.event(&dialled, at(0));
                tracker.ordered(order, at(0));
            }
            let Some(Body::Call { call }) = tracker.snapshots.pop().map(|one| one.body) else {
                panic!("a call is reported");
            };
            assert_eq!(call.click_to_call.as_deref(), Some("c2c-1.2"));
        }
    }
}

#[test]
fn employees_are_called_by_extension_where_the_configuration_does() {
    let settings = TrackerSettings {
        named_by: NamedBy::Extension,
        ..settings()
    };
    let mut book = Book::default();
    let mut tracker = Tracker::new(&mut book, &settings);
    for (second, told) in (0..).zip(group_call()) {
        match told {
            Told::Event(event) => tracker.event(&event, at(second)),
            Told::History(item, by) => tracker.finished(&item, by, at(second)),
        }
    }
    let Some(Body::Call { call }) = tracker.snapshots.pop().map(|one| one.body) else {
        panic!("a call is reported");
    };
    assert_eq!(names(&call.talkers), ["510"]);
}

#[test]
fn more_calls_than_are_followed_at_once_end_the_quietest() {
    let mut office = Office::default();
    let settings = settings();
    for number in 0..u64::try_from(OPEN_MAX).expect("small") + 5 {
        let mut tracker = Tracker::new(&mut office.book, &settings);
        if let Told::Event(event) = event(EventKind::Incoming, &format!("c{number}"), "orlova") {
            tracker.event(&event, at(number));
        }
        let snapshots = tracker.snapshots;
        office.keep(snapshots);
    }
    assert_eq!(office.book.open(), OPEN_MAX);
    let ended = office.calls();
    let ended = ended.iter().filter(|(_, call)| call.is_over());
    let ended: Vec<&str> = ended.map(|(id, _)| *id).collect();
    assert_eq!(ended, ["c0", "c1", "c2", "c3", "c4"]);
}

/// What of a call must be the same in whatever order it was told.
fn essence(
    call: &Call,
) -> (
    Direction,
    CallPhase,
    CallResult,
    Timestamp,
    Vec<String>,
    usize,
) {
    let mut talkers: Vec<String> = call.talkers.iter().map(|one| one.0.clone()).collect();
    talkers.sort();
    let legs = call.legs.len();
    (
        call.direction,
        call.phase,
        call.result,
        call.started_at,
        talkers,
        legs,
    )
}

fn stories() -> impl Strategy<Value = Vec<Told>> {
    prop_oneof![
        Just(group_call()),
        Just(handed_on()),
        Just(missed()),
        Just(dialled())
    ]
}

/// The events of a story in any order, some of them repeated; then its histories in any order.
fn told_anyhow() -> impl Strategy<Value = (Vec<Told>, Vec<Told>)> {
    stories().prop_flat_map(|story| {
        let is_event = |told: &&Told| matches!(told, Told::Event(_));
        let events: Vec<Told> = story.iter().filter(is_event).cloned().collect();
        let histories: Vec<Told> = story
            .iter()
            .filter(|told| !is_event(told))
            .cloned()
            .collect();
        let repeated = proptest::sample::subsequence(events.clone(), 0..=events.len());
        let repeated_histories =
            proptest::sample::subsequence(histories.clone(), 0..=histories.len());
        let events = repeated.prop_flat_map(move |repeats| {
            let mut all = events.clone();
            all.extend(repeats);
            Just(all).prop_shuffle()
        });
        let histories = repeated_histories.prop_flat_map(move |repeats| {
            let mut all = histories.clone();
            all.extend(repeats);
            Just(all).prop_shuffle()
        });
        (Just(story), events, histories).prop_map(|(story, mut events, histories)| {
            events.extend(histories);
            (story, events)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn in_whatever_order_and_however_often_a_call_is_told_with_its_history_last_it_is_one(
        (in_order, anyhow) in told_anyhow(),
    ) {
        let expected = essence(heard(&in_order).only());
        let office = heard(&anyhow);
        let calls = office.calls();
        prop_assert_eq!(calls.len(), 1, "{:?}", calls);
        prop_assert_eq!(essence(calls[0].1), expected);
        // And nothing is left open: the clock has nothing to do.
        prop_assert_eq!(office.book.open(), 0);
    }
}
