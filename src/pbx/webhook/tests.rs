//! The decoder against the published documents, against contradictions and against garbage.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::call::{Call, CallPhase, CallResult, MissReason};
use crate::model::communication::Body;
use crate::model::ids::Extension;
use crate::model::number_rules::{NumberRules, PrefixRule};
use crate::model::timestamp::Timestamp;
use crate::pbx::registry;

const SCHEMA: &str = include_str!("../../../docs/webhook.schema.json");
const GUIDE: &str = include_str!("../../../docs/webhook.md");

fn identity() -> SourceIdentity {
    SourceIdentity {
        key: "acme/site".parse().expect("a source key"),
        numbers: NumberRules {
            incoming: vec![PrefixRule {
                from: "98".to_owned(),
                to: "+7".to_owned(),
                length_min: 12,
            }],
            ..NumberRules::default()
        },
    }
}

fn decode(body: &Value) -> Result<Vec<Snapshot>, HookError> {
    decode_bytes(body.to_string().as_bytes())
}

fn decode_bytes(body: &[u8]) -> Result<Vec<Snapshot>, HookError> {
    let hook = WebhookHook {
        identity: identity(),
    };
    hook.decode(Some("application/json"), body)
}

/// The mistakes, one a line, sorted.
#[track_caller]
fn mistakes(body: &Value) -> String {
    match decode(body) {
        Err(HookError::Mistakes(found)) => {
            let mut lines: Vec<String> = found.iter().map(ToString::to_string).collect();
            lines.sort();
            lines.join("\n")
        }
        other => panic!("no mistakes found: {other:?}"),
    }
}

#[track_caller]
fn call(body: &Value) -> Call {
    let snapshots = decode(body).expect("decodes");
    match snapshots.into_iter().map(|s| s.body).next() {
        Some(Body::Call { call }) => call,
        other => panic!("not a call: {other:?}"),
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn with(base: &Value, changes: Value) -> Value {
    let mut item = base.clone();
    let (Some(item_fields), Value::Object(changes)) = (item.as_object_mut(), changes) else {
        panic!("both must be objects");
    };
    item_fields.extend(changes);
    item
}

fn answered_call() -> Value {
    json!({
        "kind": "call", "key": "c-1", "revision": 1, "direction": "incoming", "phase": "ended",
        "client": "89161234567", "started_at": "2026-11-20T12:00:00+03:00",
        "answered_at": "2026-11-20T12:00:08+03:00", "ended_at": "2026-11-20T12:00:50+03:00",
        "talkers": ["101"],
    })
}

fn missed_call() -> Value {
    json!({
        "kind": "call", "key": "c-2", "revision": 1, "direction": "incoming", "phase": "ended",
        "client": "89161234567", "started_at": "2026-11-20T12:00:00+03:00",
        "ended_at": "2026-11-20T12:00:50+03:00",
    })
}

#[test]
fn the_published_schema_is_the_one_that_the_types_make() {
    let made = schema();
    if std::env::var_os("TRUNKLINE_WRITE_SCHEMA").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/webhook.schema.json");
        let text = serde_json::to_string_pretty(&made).expect("serialises") + "\n";
        std::fs::write(path, text).expect("writes the schema");
        return;
    }
    let published: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    assert_eq!(
        published, made,
        "run this test with TRUNKLINE_WRITE_SCHEMA=1 and read what changed"
    );
}

#[test]
fn every_example_of_the_guide_is_accepted() {
    let hook = WebhookHook {
        identity: identity(),
    };
    let examples: Vec<&str> = GUIDE
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 5, "the guide has five examples");
    let mut kinds = std::collections::BTreeSet::new();
    for example in examples {
        let snapshots = hook
            .decode(Some("application/json; charset=utf-8"), example.as_bytes())
            .unwrap_or_else(|error| panic!("{error:?} in {example}"));
        assert!(!snapshots.is_empty(), "{example}");
        kinds.extend(snapshots.iter().map(|snapshot| snapshot.body.kind()));
    }
    assert_eq!(kinds.len(), 3, "every kind has an example: {kinds:?}");
}

#[test]
fn a_full_item_of_the_wire_types_is_read_back_unchanged() {
    let time = at("2026-11-20T12:00:00.5Z");
    let some = |text: &str| Some(text.to_owned());
    let call = Item::Call(wire::CallItem {
        key: "k".to_owned(),
        revision: wire::REVISION_MAX,
        direction: wire::DirectionWord::Outgoing,
        phase: wire::CallPhaseWord::RecordingReady,
        client: some("1"),
        client_name: some("2"),
        our_number: some("3"),
        caller: some("4"),
        started_at: time,
        answered_at: Some(time),
        ended_at: Some(time),
        waiting_s: Some(wire::Seconds { ms: 1_500 }),
        talking_s: Some(wire::Seconds { ms: 1 }),
        result: Some(wire::ResultWord::EmployeeNotReached),
        reason: Some(wire::ReasonWord::AbandonedInQueue),
        rung: vec![wire::LegItem {
            extension: "5".to_owned(),
            rung_at: Some(time),
            talked_from: Some(time),
            talked_until: Some(time),
        }],
        talkers: vec!["6".to_owned()],
        last_talker: some("7"),
        queues: vec!["8".to_owned()],
        recordings: vec!["9".to_owned()],
        click_to_call: some("10"),
    });
    let chat = Item::Chat(wire::ChatItem {
        key: "k".to_owned(),
        revision: 1,
        phase: wire::ChatPhaseWord::Accepted,
        channel: "1".to_owned(),
        visitor: "2".to_owned(),
        name: some("3"),
        phone: some("4"),
        email: some("5"),
        site: some("6"),
        employee: some("7"),
        tags: vec!["8".to_owned()],
        started_at: time,
        ended_at: Some(time),
        lost: Some(true),
        group: some("14"),
        messages: vec![wire::MessageItem {
            id: "9".to_owned(),
            at: time,
            from: wire::AuthorWord::Employee,
            name: some("10"),
            employee: some("11"),
            text: "12\n13".to_owned(),
        }],
    });
    let request = Item::Request(wire::RequestItem {
        key: "k".to_owned(),
        revision: 0,
        at: time,
        name: some("1"),
        phone: some("2"),
        email: some("3"),
        text: some("4\n5"),
        form: some("6"),
        site: some("7"),
        page: some("8"),
        fields: vec![("9".to_owned(), "10".to_owned())],
    });
    let defined = schema();
    for (item, name) in [
        (call, "CallItem"),
        (chat, "ChatItem"),
        (request, "RequestItem"),
    ] {
        let written = serde_json::to_value(&item).expect("serialises");
        let mut found = Mistakes::default();
        let read = Item::read(&written, &[], &mut found);
        assert_eq!(read.as_ref(), Some(&item), "{:?}", found.into_vec());
        // The schema names the same keys, `kind` included.
        let keys: Vec<&String> = written.as_object().expect("an object").keys().collect();
        let published = variant_keys(&defined, name);
        assert_eq!(keys, published.iter().collect::<Vec<_>>(), "{name}");
    }
}

/// The property names of one variant of the published item.
fn variant_keys(schema: &Value, name: &str) -> Vec<String> {
    let kind = name.trim_end_matches("Item").to_lowercase();
    let variants = schema["$defs"]["Item"]["oneOf"]
        .as_array()
        .expect("variants");
    let variant = variants
        .iter()
        .find(|variant| variant["properties"]["kind"]["const"] == json!(kind))
        .expect("a variant of this kind");
    let mut keys: Vec<String> = variant["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .cloned()
        .collect();
    keys.sort();
    keys
}

#[test]
fn a_chat_says_whether_it_was_lost_and_which_group_it_is_of() {
    let lost = json!({
        "kind": "chat", "key": "k", "revision": 1, "phase": "ended", "channel": "telegram",
        "visitor": "v", "started_at": "2026-11-20T09:00:00Z", "ended_at": "2026-11-20T09:01:00Z",
        "lost": true, "group": "Дачники",
    });
    let decoded = decode(&lost).expect("a chat");
    let [Body::Chat { chat }] = [&decoded[0].body] else {
        panic!("{decoded:?}");
    };
    assert_eq!((chat.lost, chat.group.as_deref()), (true, Some("Дачники")));
    let going = with(&lost, json!({ "phase": "started", "ended_at": null }));
    assert!(mistakes(&going).contains("lost"), "{}", mistakes(&going));
    let wrong = with(&lost, json!({ "lost": "yes" }));
    assert!(mistakes(&wrong).contains("lost"), "{}", mistakes(&wrong));
}

#[test]
fn an_answered_call_gets_waiting_and_talk_from_its_times() {
    let call = call(&answered_call());
    assert_eq!(call.result, CallResult::Answered);
    assert_eq!((call.waiting_ms, call.talking_ms), (8_000, 42_000));
    assert_eq!(call.client.to_string(), "+79161234567");
    assert_eq!(call.last_talker, Some(Extension("101".to_owned())));
    let [leg] = call.legs.as_slice() else {
        panic!("one leg: {:?}", call.legs);
    };
    assert_eq!(leg.talked_from, call.answered_at);
    assert_eq!(leg.talked_until, call.ended_at);
}

#[test]
fn the_time_of_the_answer_follows_from_legs_waiting_or_talk() {
    let bare = with(&answered_call(), json!({ "answered_at": null }));
    let cases = [
        (json!({ "waiting_s": 10 }), "2026-11-20T09:00:10Z"),
        (json!({ "talking_s": 30.5 }), "2026-11-20T09:00:19.5Z"),
        (
            json!({ "rung": [{ "extension": "101", "talked_from": "2026-11-20T09:00:05Z" }] }),
            "2026-11-20T09:00:05Z",
        ),
    ];
    for (change, expected) in cases {
        let call = call(&with(&bare, change.clone()));
        assert_eq!(call.answered_at, Some(at(expected)), "{change}");
    }
    assert_eq!(
        mistakes(&bare),
        "answered_at: is missing: say when they began to talk"
    );
}

#[test]
fn a_call_that_nobody_took_is_missed_for_the_given_reason() {
    let call_missed = call(&missed_call());
    assert_eq!(
        call_missed.result,
        CallResult::Missed {
            reason: MissReason::NoAnswer
        }
    );
    assert_eq!(
        (call_missed.waiting_ms, call_missed.talking_ms),
        (50_000, 0)
    );
    let busy = call(&with(&missed_call(), json!({ "reason": "busy" })));
    assert_eq!(
        busy.result,
        CallResult::Missed {
            reason: MissReason::Busy
        }
    );
}

#[test]
fn talkers_follow_from_the_legs_by_time() {
    let body = with(
        &answered_call(),
        json!({ "talkers": null, "answered_at": null, "rung": [
            { "extension": "102", "talked_from": "2026-11-20T12:00:30+03:00" },
            { "extension": "101", "talked_from": "2026-11-20T12:00:05+03:00" },
            { "extension": "103" },
        ]}),
    );
    let call = call(&body);
    let talkers: Vec<&str> = call.talkers.iter().map(|e| e.0.as_str()).collect();
    assert_eq!(talkers, ["101", "102"]);
    assert_eq!(call.answered_at, Some(at("2026-11-20T09:00:05Z")));
    assert_eq!(call.legs.len(), 3);
}

#[test]
fn s1_29_the_rules_of_the_source_are_applied_to_numbers() {
    let prefixed = call(&with(&missed_call(), json!({ "client": "989161234567" })));
    assert_eq!(prefixed.client.to_string(), "+79161234567");
    let hidden = call(&with(&missed_call(), json!({ "client": null })));
    assert_eq!(hidden.client.to_string(), "withheld");
}

#[test]
fn a_ringing_call_is_open() {
    let body = with(
        &missed_call(),
        json!({ "phase": "ringing", "ended_at": null }),
    );
    let call = call(&body);
    assert_eq!(call.phase, CallPhase::Ringing);
    assert_eq!(call.result, CallResult::Open);
    assert_eq!(call.waiting_ms, 0);
}

#[test]
fn every_mistake_of_every_item_is_named_with_its_path() {
    let body = json!([
        { "kind": "call", "revision": -1, "direction": "inbound", "phase": "ended",
          "client": 79161234567_u64, "started_at": "yesterday", "talkrs": [],
          "rung": [{ "rung_at": 5 }, "101"], "queues": ["", 3] },
        { "kind": "fax" },
        7,
        { "kind": "request", "key": "r", "revision": 1, "at": "0001-01-01T00:00:00Z",
          "name": "a\u{7}b", "fields": { "x": 1 } },
        { "kind": "chat", "key": "k", "revision": 1, "phase": "ended", "channel": " ",
          "visitor": "v", "started_at": "2026-11-20T09:00:00Z",
          "messages": [{ "id": "1", "at": "2026-11-20T09:00:00Z", "from": "robot" }] },
    ]);
    insta::assert_snapshot!(mistakes(&body));
}

#[test]
fn contradictions_are_mistakes() {
    let late = "2026-11-20T13:00:00+03:00";
    let early = "2026-11-20T11:00:00+03:00";
    let answered = answered_call();
    let missed = missed_call();
    let chat = json!({
        "kind": "chat", "key": "k", "revision": 1, "phase": "started", "channel": "site",
        "visitor": "v", "started_at": "2026-11-20T09:00:00Z",
    });
    let message = json!({ "id": "1", "at": "2026-11-20T09:00:00Z", "from": "client", "text": "" });
    let rows = [
        (&missed, json!({ "ended_at": early })),
        (&missed, json!({ "ended_at": null })),
        (&missed, json!({ "phase": "ringing" })),
        (&missed, json!({ "phase": "recording_ready" })),
        (&missed, json!({ "caller": "101" })),
        (&missed, json!({ "direction": "outgoing", "client": "" })),
        (&missed, json!({ "result": "answered" })),
        (&missed, json!({ "result": "employee_not_reached" })),
        (
            &missed,
            json!({ "direction": "outgoing", "result": "employee_not_reached", "reason": "failed" }),
        ),
        (&missed, json!({ "waiting_s": 100 })),
        (&missed, json!({ "last_talker": "101" })),
        (
            &missed,
            json!({ "rung": [{ "extension": "1" }, { "extension": "1" }] }),
        ),
        (
            &missed,
            json!({ "rung": [{ "extension": "1", "talked_until": "2026-11-20T12:00:10+03:00" }] }),
        ),
        (&answered, json!({ "answered_at": late })),
        (&answered, json!({ "answered_at": early })),
        (&answered, json!({ "result": "missed" })),
        (&answered, json!({ "reason": "busy" })),
        (&answered, json!({ "phase": "ringing", "ended_at": null })),
        (&answered, json!({ "talking_s": 60 })),
        (&answered, json!({ "waiting_s": 30, "talking_s": 30 })),
        (&answered, json!({ "talkers": ["101", "101"] })),
        (
            &answered,
            json!({ "rung": [{ "extension": "102", "talked_from": "2026-11-20T12:00:10+03:00" }] }),
        ),
        (
            &answered,
            json!({ "rung": [{ "extension": "101", "talked_from": "2026-11-20T12:00:10+03:00", "talked_until": "2026-11-20T12:00:09+03:00" }] }),
        ),
        (&chat, json!({ "phase": "accepted" })),
        (&chat, json!({ "phase": "ended" })),
        (&chat, json!({ "employee": "anna" })),
        (&chat, json!({ "ended_at": "2026-11-20T10:00:00Z" })),
        (&chat, json!({ "messages": [message, message] })),
        (
            &chat,
            json!({ "messages": [with(&message, json!({ "from": "employee" }))] }),
        ),
        (
            &chat,
            json!({ "messages": [with(&message, json!({ "employee": "anna" }))] }),
        ),
    ];
    let text: Vec<String> = rows
        .into_iter()
        .map(|(base, change)| {
            format!(
                "{change}\n  {}",
                mistakes(&with(base, change.clone())).replace('\n', "\n  ")
            )
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_body_is_taken_whole_or_not_at_all() {
    let body = json!([
        answered_call(),
        with(&missed_call(), json!({ "phase": "?" }))
    ]);
    assert!(matches!(decode(&body), Err(HookError::Mistakes(_))));
    let good = json!([answered_call(), missed_call()]);
    assert_eq!(decode(&good).expect("decodes").len(), 2);
}

#[test]
fn more_items_than_permitted_are_refused() {
    let items = |n: usize| {
        let item = |i: usize| with(&missed_call(), json!({ "revision": i }));
        Value::Array((0..n).map(item).collect())
    };
    assert_eq!(decode(&items(ITEMS_MAX)).expect("decodes").len(), ITEMS_MAX);
    assert_eq!(
        decode(&items(ITEMS_MAX + 1)),
        Err(HookError::TooMany(ITEMS_MAX))
    );
}

#[test]
fn one_key_twice_needs_two_revisions_and_one_kind() {
    let twice = json!([missed_call(), missed_call()]);
    assert_eq!(
        mistakes(&twice),
        "1.revision: the same key and revision stand above"
    );
    let request = json!({
        "kind": "request", "key": "c-2", "revision": 2, "at": "2026-11-20T09:00:00Z", "name": "A",
    });
    let mixed = json!([missed_call(), request]);
    assert_eq!(mistakes(&mixed), "1.kind: the same key is a call above");
}

#[test]
fn the_number_of_named_mistakes_is_bounded() {
    let body = Value::Array(vec![json!({ "kind": "call" }); 300]);
    let Err(HookError::Mistakes(found)) = decode(&body) else {
        panic!("mistakes expected");
    };
    assert_eq!(found.len(), 101);
    let last = found.last().map(ToString::to_string);
    assert_eq!(
        last.as_deref(),
        Some("1400 more mistake(s) are not named here")
    );
}

#[test]
fn a_request_keeps_what_is_no_number_or_address_for_people_to_read() {
    let body = json!({
        "kind": "request", "key": "r-1", "revision": 1, "at": "2026-11-20T09:00:00Z",
        "phone": "ask my wife", "email": "at home",
    });
    let snapshots = decode(&body).expect("decodes");
    let Some(Body::Request { request }) = snapshots.into_iter().map(|s| s.body).next() else {
        panic!("a request expected");
    };
    assert_eq!((request.phone, request.email), (None, None));
    assert_eq!(
        request.fields.get("phone").map(String::as_str),
        Some("ask my wife")
    );
    assert_eq!(
        request.fields.get("email").map(String::as_str),
        Some("at home")
    );
}

#[test]
fn only_json_is_read_and_a_byte_order_mark_is_forgiven() {
    let hook = WebhookHook {
        identity: identity(),
    };
    let body = missed_call().to_string();
    assert!(hook.decode(Some("text/html"), body.as_bytes()).is_err());
    assert!(hook.decode(None, body.as_bytes()).is_ok());
    assert!(
        hook.decode(Some("Application/JSON;charset=utf-8"), body.as_bytes())
            .is_ok()
    );
    let marked = [b"\xef\xbb\xbf".as_slice(), body.as_bytes()].concat();
    assert_eq!(decode_bytes(&marked).expect("decodes").len(), 1);
    for garbage in [
        b"".as_slice(),
        b"{",
        b"\xff\xfe",
        b"null",
        b"\"x\"",
        b"[[]]",
        "[".repeat(10_000).as_bytes(),
    ] {
        assert!(decode_bytes(garbage).is_err(), "{garbage:?}");
    }
}

#[test]
fn a_webhook_has_no_settings_and_says_so_of_each() {
    let kind = registry::find("webhook").expect("registered");
    let settings = json!({ "host": "x", "port": 1 });
    let Err(found) = (kind.build)(identity(), &settings, &Secrets::default()) else {
        panic!("mistakes expected");
    };
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "host: a webhook has no such setting",
            "port: a webhook has no such setting"
        ]
    );
    let source = (kind.build)(identity(), &json!({}), &Secrets::default()).expect("builds");
    assert!(source.listener().is_none());
    assert_eq!(source.kinds().len(), 3);
    let hook = source.hook().expect("a webhook has a hook");
    let body = missed_call().to_string();
    assert!(
        hook.decode(Some("application/json"), body.as_bytes())
            .is_ok()
    );
}

/// Any JSON, with the keys and words of the shape more likely than others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "call",
            "chat",
            "request",
            "incoming",
            "outgoing",
            "ended",
            "ringing",
            "answered",
            "2026-11-20T09:00:00Z",
            "9999-12-31T23:59:59Z",
            "-9999-01-01T00:00:00Z",
            "101",
            "+79161234567",
            "client",
            "employee",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 12, |inner| {
        let key = prop::sample::select(vec![
            "kind",
            "key",
            "revision",
            "direction",
            "phase",
            "client",
            "started_at",
            "ended_at",
            "answered_at",
            "rung",
            "talkers",
            "extension",
            "talked_from",
            "waiting_s",
            "talking_s",
            "messages",
            "id",
            "at",
            "from",
            "text",
            "fields",
            "phone",
            "email",
            "channel",
            "visitor",
            "é",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key, inner), 0..14).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_the_decoder_panic(changes in any_json(), base in any_json()) {
        let _ = decode(&base);
        let _ = decode(&json!([base]));
        if changes.is_object() {
            for good in [answered_call(), missed_call()] {
                let _ = decode(&with(&good, changes.clone()));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode_bytes(&bytes);
    }

    #[test]
    fn what_is_accepted_has_no_time_before_its_start(
        started in 0_i64..100, answered in 0_i64..100, ended in 0_i64..100,
    ) {
        let time = |s: i64| Timestamp::from_secs(1_795_210_000 + s).to_string();
        let body = with(&answered_call(), json!({
            "started_at": time(started), "answered_at": time(answered), "ended_at": time(ended),
        }));
        let fits = started <= answered && answered <= ended;
        prop_assert_eq!(decode(&body).is_ok(), fits);
        if fits {
            let call = call(&body);
            prop_assert_eq!(call.waiting_ms + call.talking_ms, (ended - started) as u64 * 1000);
        }
    }
}
