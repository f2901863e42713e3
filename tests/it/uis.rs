//! The source `uis` against the simulated account, with what the contract leaves open both ways.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::watch;
use trunkline::clock::SystemClock;
use trunkline::lab::uis::{
    self, LabCall, LabChat, LabMessage, LabRequest, Switches, UisLab, UisOptions,
};
use trunkline::model::communication::{Body, Snapshot};
use trunkline::model::employee::Employees;
use trunkline::model::ids::{EmployeeId, Extension, SourceKey};
use trunkline::model::phone::Phone;
use trunkline::model::secret::{Secret, Secrets};
use trunkline::pbx::{
    Batch, ClientsPage, DialledNumbers, KnownCallers, ListenerContext, ListenerError, Sink,
    SinkError, Source, SourceIdentity, SourceNoteKind, StateReport, registry,
};

/// Turns one of the lab's switches.
type Turn = fn(&mut Switches);

/// What must come comes within this time, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store in memory.
#[derive(Default)]
struct Store {
    pictures: Mutex<BTreeMap<String, Snapshot>>,
    remarks: Mutex<Vec<String>>,
    checkpoint: Mutex<Option<Value>>,
    gauges: Mutex<BTreeMap<&'static str, f64>>,
    /// Pictures that were no newer than the one before.
    stale: Mutex<u32>,
}

impl Sink for Store {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let mut pictures = self.pictures.lock().expect("a lock");
            for snapshot in batch.snapshots {
                let known = pictures.get(&snapshot.key.item);
                if known.is_some_and(|known| known.revision >= snapshot.revision) {
                    *self.stale.lock().expect("a lock") += 1;
                }
                pictures.insert(snapshot.key.item.clone(), snapshot);
            }
            for note in batch.notes {
                if let SourceNoteKind::Remark { text } = note.kind {
                    self.remarks.lock().expect("a lock").push(text);
                }
            }
            if let Some(checkpoint) = batch.checkpoint {
                *self.checkpoint.lock().expect("a lock") = Some(checkpoint);
            }
            Ok(())
        }
        .boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Value>, SinkError>> {
        async move { Ok(self.checkpoint.lock().expect("a lock").clone()) }.boxed()
    }
}

impl StateReport for Store {
    fn connected(&self, _: &str) {}
    fn seen(&self) {}
    fn gauge(&self, name: &'static str, value: f64) {
        self.gauges.lock().expect("a lock").insert(name, value);
    }
}

struct Nobody;

impl KnownCallers for Nobody {
    fn revision(&self) -> u64 {
        0
    }
    fn clients(&self, _: &SourceKey, _: Option<&Phone>, _: usize) -> Option<ClientsPage> {
        None
    }
    fn managers(&self, _: &SourceKey) -> Option<Vec<(EmployeeId, Extension)>> {
        None
    }
    fn dialled(&self, _: &SourceKey) -> Option<DialledNumbers> {
        None
    }
}

/// An account and its source.
struct Bench {
    lab: UisLab,
    source: Arc<dyn Source>,
    store: Arc<Store>,
}

impl Bench {
    async fn with(options: UisOptions, settings: Value, secrets: &[(&str, &str)]) -> Self {
        let lab = uis::start(options).await.expect("a free port");
        let megafon = settings["brand"] == "megafon";
        let mut table = json!({
            "data_api": if megafon { lab.simple_api() } else { lab.data_api() },
            "call_api": lab.call_api(), "poll_min_s": 1,
        });
        for (key, value) in settings.as_object().expect("a table") {
            table[key] = value.clone();
        }
        let mut given = Secrets::default();
        for (name, value) in secrets {
            given.insert(name, Secret::new((*value).to_owned()));
        }
        let identity = SourceIdentity {
            key: "acme/cloud".parse().expect("a key"),
            numbers: Default::default(),
        };
        let kind = registry::find("uis").expect("it is known");
        let source = (kind.build)(identity, &table, &given);
        let source = source.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        Self {
            lab,
            source,
            store: Arc::default(),
        }
    }

    async fn open() -> Self {
        Self::with(
            UisOptions::default(),
            json!({}),
            &[("token", "lab-uis-key")],
        )
        .await
    }

    /// Runs the session until what is stored is as wished.
    async fn until(&self, what: &str, wish: impl Fn(&Store) -> bool) {
        let ended = self.run(&wish).await;
        assert!(
            wish(&self.store),
            "{what}: {ended:?}, {:?}",
            self.store.pictures.lock()
        );
        assert_eq!(*self.store.stale.lock().expect("a lock"), 0, "{what}");
    }

    /// Runs the session until a wish is fulfilled or it ends.
    async fn run(&self, wish: &impl Fn(&Store) -> bool) -> Option<Result<(), ListenerError>> {
        let (stop, stopped) = watch::channel(false);
        let context = ListenerContext {
            sink: self.store.clone(),
            clock: Arc::new(SystemClock),
            stop: stopped,
            state: self.store.clone(),
            known: Arc::new(Nobody),
        };
        let listener = self.source.listener().expect("it has one");
        let running = tokio::spawn(listener.run(context));
        let waiting = async {
            while !wish(&self.store) && !running.is_finished() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, waiting).await;
        let over = running.is_finished();
        stop.send_replace(true);
        let ended = running.await.expect("no panic");
        over.then_some(ended)
    }
}

fn has(store: &Store, item: &str) -> bool {
    store.pictures.lock().expect("a lock").contains_key(item)
}

fn body(store: &Store, item: &str) -> Option<Body> {
    let pictures = store.pictures.lock().expect("a lock");
    pictures.get(item).map(|snapshot| snapshot.body.clone())
}

fn messages(store: &Store, item: &str) -> usize {
    match body(store, item) {
        Some(Body::Chat { chat }) => chat.messages.len(),
        _ => 0,
    }
}

/// The source begins when it is first run; what is before that is not taken.
async fn begun(bench: &Bench) {
    bench
        .until("it has begun", |store| {
            store.checkpoint.lock().expect("a lock").is_some()
        })
        .await;
}

fn call(bench: &Bench, id: u64) -> LabCall {
    let mut call = LabCall::answered(id, "79161112233", 501, bench.lab.now() + 1);
    (call.wait, call.talk) = (0, 0);
    call.talk = 1;
    call
}

fn request(bench: &Bench, id: u64) -> LabRequest {
    LabRequest {
        id,
        at: bench.lab.now() + 1,
        name: Some("Пётр".to_owned()),
        phone: Some("79165550011".to_owned()),
        ..LabRequest::default()
    }
}

fn chat(bench: &Bench, id: u64) -> LabChat {
    let began = bench.lab.now() + 1;
    LabChat {
        id,
        channel: "comagic".to_owned(),
        visitor: 9,
        phone: Some("79165550012".to_owned()),
        email: Some("v@example.org".to_owned()),
        status: "active".to_owned(),
        employee: Some(501),
        began,
        messages: vec![LabMessage {
            id: id * 10,
            at: began,
            source: "visitor".to_owned(),
            employee: None,
            text: "Добрый день".to_owned(),
            file: Some("https://app.uiscom.ru/f/1".to_owned()),
        }],
        ..LabChat::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_writing_that_the_contract_leaves_open_is_read_alike() {
    let switches: [(&str, Turn); 6] = [
        ("as documented", |_| {}),
        ("phones as text", |s| s.phones_as_text = true),
        ("ids as text", |s| s.ids_as_text = true),
        ("meta_data", |s| s.meta_data = true),
        ("no filter of chats", |s| s.chat_filter_prohibited = true),
        ("errors with a status", |s| {
            (s.errors_with_status, s.chat_filter_prohibited) = (true, true);
        }),
    ];
    for (what, switch) in switches {
        let bench = Bench::open().await;
        bench.lab.switch(switch);
        begun(&bench).await;
        bench.lab.put_call(call(&bench, 11));
        bench.lab.put_request(request(&bench, 12));
        bench.lab.put_chat(chat(&bench, 13));
        let items = ["11", "request-12", "chat-13"];
        bench
            .until(what, |store| {
                let over = matches!(body(store, "11"), Some(Body::Call { call }) if call.is_over());
                over && items.iter().all(|item| has(store, item))
            })
            .await;
        let Some(Body::Chat { chat }) = body(&bench.store, "chat-13") else {
            panic!("{what}");
        };
        assert_eq!(
            chat.phone.map(|phone| phone.to_string()).as_deref(),
            Some("+79165550012")
        );
        assert_eq!(chat.email.as_deref(), Some("v@example.org"), "{what}");
        assert!(
            chat.messages[0].text.ends_with("https://app.uiscom.ru/f/1"),
            "{what}"
        );
        let Some(Body::Request { request }) = body(&bench.store, "request-12") else {
            panic!("{what}");
        };
        assert_eq!(
            request.phone.map(|p| p.to_string()).as_deref(),
            Some("+79165550011"),
            "{what}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_is_opened_anew() {
    for expired in [false, true] {
        let options = UisOptions::default();
        let settings = json!({ "login": "api@example.org" });
        let bench = Bench::with(options, settings, &[("password", "lab-uis-password")]).await;
        begun(&bench).await;
        bench
            .until("it is let in", |_| bench.lab.asked("login.user") >= 1)
            .await;
        bench.lab.switch(|switches| {
            (switches.sessions_ended, switches.ended_is_expired) = (true, expired);
        });
        bench.lab.put_request(request(&bench, 12));
        bench
            .until("after a new login", |store| has(store, "request-12"))
            .await;
        assert!(bench.lab.asked("login.user") >= 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_ends_the_session_with_words_for_a_person_and_a_failure_does_not_blame_the_key() {
    let bench = Bench::open().await;
    let cases: [(&str, Turn); 2] = [
        ("does not let this machine in", |s| {
            s.ip_not_whitelisted = true
        }),
        ("tariff", |s| s.component_disabled = true),
    ];
    for (words, switch) in cases {
        bench.lab.switch(switch);
        let ended = bench.run(&|_| false).await.expect("it ends");
        let Err(ListenerError::Refused(told)) = ended else {
            panic!("{ended:?}");
        };
        assert!(told.contains(words), "{told}");
        bench.lab.switch(|switches| *switches = Switches::default());
    }
    bench.lab.switch(|switches| switches.down = true);
    let ended = bench.run(&|_| false).await.expect("it ends");
    assert!(
        matches!(&ended, Err(ListenerError::Connection(why)) if why.contains("502")),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_is_used_up_is_waited_for_and_shown() {
    let options = UisOptions {
        day_limit: 5,
        ..UisOptions::default()
    };
    let bench = Bench::with(options, json!({}), &[("token", "lab-uis-key")]).await;
    bench
        .until("the pause is long", |store| {
            let gauges = store.gauges.lock().expect("a lock");
            gauges
                .get("next_round_s")
                .is_some_and(|pause| *pause > 10.0)
        })
        .await;
    assert!(bench.lab.spent() <= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_report_shows_late_is_taken_when_it_shows_it() {
    let bench = Bench::open().await;
    bench.lab.switch(|switches| switches.lag_s = 3);
    begun(&bench).await;
    bench.lab.put_request(request(&bench, 12));
    bench
        .until("it is shown", |store| has(store, "request-12"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_where_the_last_life_was_and_takes_nothing_twice() {
    let bench = Bench::open().await;
    begun(&bench).await;
    let mut one = chat(&bench, 13);
    bench.lab.put_chat(one.clone());
    bench
        .until("the chat", |store| messages(store, "chat-13") == 1)
        .await;
    let first = bench.store.pictures.lock().expect("a lock")["chat-13"].revision;
    // While nobody looks, the chat goes on and a call is made.
    let at = bench.lab.now();
    one.messages.push(LabMessage {
        id: 999,
        at,
        source: "operator".to_owned(),
        employee: Some(501),
        text: "Да".to_owned(),
        file: None,
    });
    (one.status, one.ended) = ("succeed".to_owned(), Some(at));
    bench.lab.put_chat(one);
    bench.lab.put_call(call(&bench, 11));
    bench
        .until("both", |store| {
            messages(store, "chat-13") == 2 && has(store, "11")
        })
        .await;
    let second = bench.store.pictures.lock().expect("a lock")["chat-13"].revision;
    assert!(second > first);
    // Nothing new: nothing is told.
    bench.lab.put_request(request(&bench, 14));
    bench
        .until("the next round", |store| has(store, "request-14"))
        .await;
    let third = bench.store.pictures.lock().expect("a lock")["chat-13"].revision;
    assert_eq!(second, third);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_listed_and_two_of_one_name_are_reported() {
    for in_data in [false, true] {
        let options = UisOptions {
            employees: vec![
                (501, "Орлова Анна".to_owned()),
                (502, "Иванов Иван".to_owned()),
                (503, "Иванов Иван".to_owned()),
            ],
            ..UisOptions::default()
        };
        let key = [("token", "lab-uis-key")];
        let bench = Bench::with(options, json!({ "brand": "megafon" }), &key).await;
        bench.lab.switch(|switches| {
            (switches.directories_in_data, switches.internal_as_bool) = (in_data, in_data);
        });
        begun(&bench).await;
        let mut shared = call(&bench, 21);
        (shared.rung, shared.talker) = (vec![502], Some(502));
        bench.lab.put_call(shared);
        bench.lab.put_call(call(&bench, 22));
        bench
            .until("both calls", |store| has(store, "21") && has(store, "22"))
            .await;
        let talkers = |item| match body(&bench.store, item) {
            Some(Body::Call { call }) => call.talkers,
            other => panic!("{other:?}"),
        };
        assert_eq!(talkers("21"), []);
        assert_eq!(talkers("22"), [Extension("501".to_owned())]);
        let remarks = bench.store.remarks.lock().expect("a lock").clone();
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert!(remarks[0].contains("Персональный менеджер"), "{remarks:?}");
        assert!(remarks[1].contains("иванов иван"), "{remarks:?}");

        let mut roster = bench
            .source
            .roster()
            .expect("it lists")
            .read()
            .await
            .expect("a list");
        roster.compare(&"cloud".parse().expect("an id"), &Employees::default());
        let named = roster
            .employees
            .iter()
            .filter(|one| one.named.is_some())
            .count();
        assert_eq!((roster.employees.len(), named), (3, 1));
        assert_eq!(roster.remarks.len(), 1);
        assert_eq!(roster.numbers.len(), 1);
    }
    let bench = Bench::open().await;
    let roster = bench
        .source
        .roster()
        .expect("it lists")
        .read()
        .await
        .expect("a list");
    assert_eq!(roster.employees[0].number.as_deref(), Some("74950000501"));
    assert_eq!(roster.numbers.len(), 1);
    bench
        .lab
        .switch(|switches| switches.ip_not_whitelisted = true);
    let refused = bench
        .source
        .roster()
        .expect("it lists")
        .read()
        .await
        .expect_err("refused");
    assert!(
        refused.to_string().contains("does not let this machine in"),
        "{refused}"
    );
}
