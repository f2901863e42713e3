//! What the VATS posts, against a sink and an answerer of our own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Mutex as AsyncMutex;
use url::form_urlencoded;

use crate::clock::TokioClock;
use crate::model::ids::Extension;
use crate::model::number_rules::NumberRules;
use crate::model::question::{Answer, AnswerClient, Knowledge, NotAnswered, Question, Route};
use crate::model::secret::{Secret, Secrets};
use crate::model::timestamp::Timestamp;
use crate::pbx::{
    Answerer, Batch, ExchangeContext, ExchangeMethod, ExchangeReply, ExchangeRequest, Sink,
    SinkError, Source, SourceIdentity, Verdict,
};

/// A store that keeps what it is given, or has no room.
#[derive(Default)]
struct Kept {
    batches: Mutex<Vec<Batch>>,
    full: Mutex<bool>,
    /// Held while the disk is slow.
    slow: AsyncMutex<()>,
}

impl Sink for Kept {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let _turn = self.slow.lock().await;
            if *self.full.lock().expect("locked") {
                return Err(SinkError::Full("no room".to_owned()));
            }
            self.batches.lock().expect("locked").push(batch);
            Ok(())
        }
        .boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Value>, SinkError>> {
        let batches = self.batches.lock().expect("locked");
        let last = batches.iter().rev().find_map(|one| one.checkpoint.clone());
        async move { Ok(last) }.boxed()
    }
}

/// Knows one client, or does not come to an answer.
struct Known {
    name: String,
    extension: Option<&'static str>,
    hangs: bool,
}

impl Answerer for Known {
    fn answer(
        &self,
        question: Question,
        asker: std::net::IpAddr,
    ) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        let source_key = question.source;
        let address = asker;
        // The address of whoever posts is not what is to be looked at.
        async move {
            Err(NotAnswered::NotAllowed {
                source_key,
                address,
            })
        }
        .boxed()
    }

    fn answer_source(&self, question: Question) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        async move {
            if self.hangs {
                return std::future::pending().await;
            }
            let known = question.caller == "79161112233";
            let client = known.then(|| AnswerClient {
                id: "1".to_owned(),
                name: self.name.clone(),
                url: None,
            });
            Ok(Answer {
                phone: None,
                client,
                manager: None,
                extension: self
                    .extension
                    .filter(|_| known)
                    .map(|e| Extension(e.to_owned())),
                route: Route::PersonalManager,
                integration: None,
                knowledge: Knowledge::Directory,
                age_s: Some(0),
            })
        }
        .boxed()
    }
}

struct Place {
    source: Arc<dyn Source>,
    sink: Arc<Kept>,
    answerer: Arc<Known>,
}

fn place(settings: Value, answerer: Known) -> Place {
    let mut secrets = Secrets::default();
    for (name, text) in [
        ("crm_token", "K1-secret"),
        ("crm_token_previous", "K0-secret"),
    ] {
        secrets.insert(name, Secret::new(text.to_owned()));
    }
    let identity = SourceIdentity {
        key: "acme/cloud".parse().expect("a key"),
        numbers: NumberRules::default(),
    };
    let built = (super::super::KIND.build)(identity, &settings, &secrets);
    Place {
        source: built.unwrap_or_else(|mistakes| panic!("{mistakes:?}")),
        sink: Arc::new(Kept::default()),
        answerer: Arc::new(answerer),
    }
}

fn ordinary() -> Place {
    place(Value::Null, known("Пётр Иванов"))
}

fn known(name: &str) -> Known {
    Known {
        name: name.to_owned(),
        extension: Some("orlova"),
        hangs: false,
    }
}

impl Place {
    async fn send(&self, request: ExchangeRequest) -> ExchangeReply {
        let exchange = self.source.exchange().expect("it answers");
        let sink: Arc<dyn Sink> = self.sink.clone();
        let answerer: Arc<dyn Answerer> = self.answerer.clone();
        let now = Timestamp::from_secs(1_772_438_700);
        let context = ExchangeContext {
            sink,
            answerer,
            clock: Arc::new(TokioClock::starting_at(now)),
        };
        exchange.serve(request, context).await
    }

    async fn post(&self, fields: &[(&str, &str)]) -> ExchangeReply {
        self.send(posted(form(fields).into())).await
    }

    fn snapshots(&self) -> usize {
        let batches = self.sink.batches.lock().expect("locked");
        batches.iter().map(|batch| batch.snapshots.len()).sum()
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

fn posted(body: Bytes) -> ExchangeRequest {
    ExchangeRequest {
        method: ExchangeMethod::Post,
        content_type: Some("application/x-www-form-urlencoded".to_owned()),
        query: String::new(),
        body,
        sender: None,
    }
}

const TOKEN: (&str, &str) = ("crm_token", "K1-secret");

const INCOMING: [(&str, &str); 6] = [
    TOKEN,
    ("cmd", "event"),
    ("type", "incoming"),
    ("phone", "79161112233"),
    ("user", "orlova"),
    ("callid", "2C7A0001"),
];

#[tokio::test]
async fn a_known_client_is_named_and_led_to_the_responsible() {
    let place = ordinary();
    let asked = [
        TOKEN,
        ("cmd", "contact"),
        ("phone", "79161112233"),
        ("callid", "1"),
    ];
    let reply = place.post(&asked).await;
    assert_eq!((reply.verdict, reply.status), (Verdict::Taken, 200));
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let expected = json!({ "contact_name": "Пётр Иванов", "responsible": "orlova" });
    assert_eq!(body, expected);
    for phone in ["79990000000", "", "anonymous"] {
        let asked = [TOKEN, ("cmd", "contact"), ("phone", phone), ("callid", "1")];
        assert_eq!(&place.post(&asked).await.body[..], b"{}", "{phone}");
    }
    // A question is no call.
    assert_eq!(place.snapshots(), 0);
}

#[tokio::test]
async fn the_responsible_is_written_as_the_account_understands_it() {
    for (word, expected) in [
        ("login", Some("orlova")),
        ("extension", Some("510")),
        ("number", Some("74951230001")),
        ("nobody", None),
    ] {
        let place = place(json!({ "responsible": word }), known("Anna"));
        // The extension and the number stand in every event of hers.
        let learnt = [("ext", "510"), ("telnum", "74951230001")];
        let event: Vec<_> = INCOMING.into_iter().chain(learnt).collect();
        assert_eq!(place.post(&event).await.status, 200);
        let asked = [
            TOKEN,
            ("cmd", "contact"),
            ("phone", "79161112233"),
            ("callid", "1"),
        ];
        let reply = place.post(&asked).await;
        let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let responsible = body.get("responsible").and_then(Value::as_str);
        assert_eq!(responsible, expected, "{word}");
    }
}

#[tokio::test]
async fn a_name_with_control_characters_reaches_the_phone_as_one_clean_line() {
    let name = format!("A\r\nB\u{0}\u{1b}[2J\"</{}", "я".repeat(500));
    let place = place(Value::Null, known(&name));
    let asked = [
        TOKEN,
        ("cmd", "contact"),
        ("phone", "79161112233"),
        ("callid", "1"),
    ];
    let reply = place.post(&asked).await;
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let shown = body["contact_name"].as_str().expect("a name");
    assert!(shown.starts_with("AB[2J\"</я"), "{shown}");
    assert!(shown.chars().count() <= 100 && !shown.contains(char::is_control));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answers_is_answered_with_nothing_in_time() {
    let answerer = Known {
        hangs: true,
        ..known("Anna")
    };
    let place = place(json!({ "contact_within_ms": 700 }), answerer);
    let before = tokio::time::Instant::now();
    let asked = [
        TOKEN,
        ("cmd", "contact"),
        ("phone", "79161112233"),
        ("callid", "1"),
    ];
    let reply = place.post(&asked).await;
    assert_eq!(&reply.body[..], b"{}");
    assert_eq!(before.elapsed(), Duration::from_millis(700));
}

#[tokio::test]
async fn a_question_is_answered_while_the_disk_does_not_move() {
    let place = ordinary();
    let turn = place.sink.slow.lock().await;
    let event = place.post(&INCOMING);
    let asked = [
        TOKEN,
        ("cmd", "contact"),
        ("phone", "79161112233"),
        ("callid", "1"),
    ];
    let asking = async {
        let reply = place.post(&asked).await;
        drop(turn);
        reply
    };
    let (event, reply) = tokio::join!(event, asking);
    assert!(!reply.body.is_empty() && event.status == 200);
    assert_eq!(place.snapshots(), 1);
}

#[tokio::test]
async fn a_wrong_token_learns_nothing_and_changes_nothing() {
    let place = ordinary();
    let wrong = ["", "K1-secre", "K1-secrets", "k1-secret", "0"];
    for token in wrong {
        let mut fields = INCOMING;
        fields[0] = ("crm_token", token);
        let reply = place.post(&fields).await;
        assert_eq!((reply.verdict, reply.status), (Verdict::Stranger, 401));
        assert_eq!(&reply.body[..], br#"{"error":"Invalid token"}"#);
    }
    // The token is looked at before anything else, and a missing one is a wrong one.
    for fields in [&[("cmd", "nonsense")][..], &INCOMING[1..], &[]] {
        assert_eq!(place.post(fields).await.status, 401);
    }
    assert!(place.sink.batches.lock().expect("locked").is_empty());
    // The one before is good while it is replaced.
    let mut fields = INCOMING;
    fields[0] = ("crm_token", "K0-secret");
    assert_eq!(place.post(&fields).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_in_the_words_of_the_vendor() {
    let place = ordinary();
    let long = "x".repeat(70_000);
    let unusable: [&[(&str, &str)]; 9] = [
        &[TOKEN],
        &[TOKEN, ("cmd", "drop_tables")],
        &[TOKEN, ("cmd", "event")],
        &[
            TOKEN,
            ("cmd", "event"),
            ("type", "EXPLODED"),
            ("callid", "1"),
        ],
        &[TOKEN, ("cmd", "event"), ("type", "INCOMING")],
        &[
            TOKEN,
            ("cmd", "event"),
            ("type", "INCOMING"),
            ("callid", "a b\n"),
        ],
        &[
            TOKEN,
            ("cmd", "history"),
            ("callid", "1"),
            ("status", "Success"),
        ],
        &[TOKEN, ("cmd", "rating"), ("callid", "1")],
        &[
            TOKEN,
            ("cmd", "event"),
            ("type", "INCOMING"),
            ("callid", &long),
        ],
    ];
    for fields in unusable {
        let reply = place.post(fields).await;
        assert_eq!(reply.status, 400, "{:?}", fields.first());
        assert_eq!(&reply.body[..], br#"{"error":"Invalid parameters"}"#);
        assert!(matches!(reply.verdict, Verdict::Refused(_)));
    }
    assert!(place.sink.batches.lock().expect("locked").is_empty());
}

#[tokio::test]
async fn yes_is_said_after_the_commit_only() {
    let place = ordinary();
    *place.sink.full.lock().expect("locked") = true;
    let reply = place.post(&INCOMING).await;
    assert_eq!((reply.verdict, reply.status), (Verdict::Later, 503));
    assert!(reply.retry_after.is_some());
    *place.sink.full.lock().expect("locked") = false;
    // What was not stored was not believed: it is reported when it is told again.
    let reply = place.post(&INCOMING).await;
    assert_eq!((reply.status, &reply.body[..]), (200, &b"{}"[..]));
    assert_eq!(place.snapshots(), 1);
}

#[tokio::test]
async fn a_sender_who_goes_away_half_way_leaves_nothing_half_done() {
    let place = ordinary();
    let turn = place.sink.slow.lock().await;
    let sending = place.post(&INCOMING);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), sending)
            .await
            .is_err()
    );
    drop(turn);
    // The same again: the first was brought to its end, and this is its repeat.
    let reply = place.post(&INCOMING).await;
    assert_eq!(reply.status, 200);
    assert_eq!(place.snapshots(), 1);
}

#[tokio::test]
async fn a_message_may_come_in_the_query() {
    let place = ordinary();
    let request = ExchangeRequest {
        method: ExchangeMethod::Get,
        query: form(&INCOMING),
        ..posted(Bytes::new())
    };
    assert_eq!(place.send(request).await.status, 200);
    assert_eq!(place.snapshots(), 1);
}

#[tokio::test]
async fn a_mark_of_the_client_stands_in_the_journal() {
    let place = ordinary();
    let mark = [
        TOKEN,
        ("cmd", "rating"),
        ("callid", "7"),
        ("rating", "5"),
        ("user", "orlova"),
    ];
    assert_eq!(place.post(&mark).await.status, 200);
    let batches = place.sink.batches.lock().expect("locked");
    let note = format!("{:?}", batches.last().expect("a note").notes);
    assert!(
        note.contains("marked the talk with orlova in call 7 with 5"),
        "{note}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn garbage_is_refused_and_nothing_else(body in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("built");
        let place = ordinary();
        let reply = runtime.block_on(place.send(posted(body.into())));
        proptest::prop_assert_eq!(reply.status, 401);
    }

    #[test]
    fn garbage_with_the_token_never_brings_it_down(
        fields in proptest::collection::vec(("(type|callid|phone|user|start|status|link|duration|second_callid)", ".{0,40}"), 0..12),
        cmd in "(event|history|contact|rating|EVENT)",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("built");
        let place = ordinary();
        let mut all = vec![("crm_token".to_owned(), "K1-secret".to_owned()), ("cmd".to_owned(), cmd)];
        all.extend(fields);
        let all: Vec<(&str, &str)> = all.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let reply = runtime.block_on(place.post(&all));
        proptest::prop_assert!(matches!(reply.status, 200 | 400));
    }
}
