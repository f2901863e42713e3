//! A sink that remembers, and that fails or waits when a test says so; a state report; the run.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::orders::OrderQueue;
use super::super::session;
use super::super::settings::AsteriskSettings;
use super::super::transport::ByteStream;
use super::fake_pbx::{PASSWORD, USER};
use crate::clock::TokioClock;
use crate::model::call::Call;
use crate::model::communication::Body;
use crate::model::ids::{EmployeeId, Extension, SourceKey};
use crate::model::number_rules::NumberRules;
use crate::model::phone::Phone;
use crate::model::secret::{Secret, Secrets};
use crate::model::timestamp::Timestamp;
use crate::pbx::{
    Batch, ClientsPage, DialledNumbers, DialledWay, KnownCallers, Listener, ListenerContext,
    ListenerError, Sink, SinkError, SourceIdentity, SourceNoteKind, StateReport, registry,
};

/// How long a test waits for what must come: longer than a heartbeat, for tests whose clock is
/// paused; the others see an end much sooner.
const PATIENCE: Duration = Duration::from_secs(65);

/// A store in memory.
pub(super) struct MemorySink {
    pub(super) batches: Mutex<Vec<Batch>>,
    stored: Mutex<Option<Value>>,
    /// Answers given before the usual success.
    failures: Mutex<VecDeque<SinkError>>,
    /// While false, commits wait.
    open: watch::Sender<bool>,
    /// Commits begun and commits done.
    pub(super) begun: watch::Sender<usize>,
    done: watch::Sender<usize>,
}

impl MemorySink {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            batches: Mutex::default(),
            stored: Mutex::default(),
            failures: Mutex::default(),
            open: watch::Sender::new(true),
            begun: watch::Sender::new(0),
            done: watch::Sender::new(0),
        })
    }

    pub(super) fn fail_next(&self, errors: impl IntoIterator<Item = SinkError>) {
        self.failures.lock().expect("a lock").extend(errors);
    }

    pub(super) fn hold(&self) {
        self.open.send_replace(false);
    }

    pub(super) fn release(&self) {
        self.open.send_replace(true);
    }

    pub(super) fn put_checkpoint(&self, value: Value) {
        *self.stored.lock().expect("a lock") = Some(value);
    }

    pub(super) fn stored(&self) -> Option<Value> {
        self.stored.lock().expect("a lock").clone()
    }

    pub(super) fn notes(&self) -> Vec<SourceNoteKind> {
        let batches = self.batches.lock().expect("a lock");
        batches
            .iter()
            .flat_map(|batch| &batch.notes)
            .map(|note| note.kind.clone())
            .collect()
    }

    pub(super) fn remarks(&self) -> Vec<String> {
        let remark = |kind| match kind {
            SourceNoteKind::Remark { text } => Some(text),
            SourceNoteKind::Blind { .. }
            | SourceNoteKind::Recovered { .. }
            | SourceNoteKind::Restarted => None,
        };
        self.notes().into_iter().filter_map(remark).collect()
    }

    /// The latest picture of each call, by key.
    pub(super) fn calls(&self) -> Vec<(String, Call)> {
        let mut latest = std::collections::BTreeMap::new();
        for batch in self.batches.lock().expect("a lock").iter() {
            for snapshot in &batch.snapshots {
                if let Body::Call { call } = &snapshot.body {
                    latest.insert(snapshot.key.item.clone(), call.clone());
                }
            }
        }
        latest.into_iter().collect()
    }

    /// Waits until what the sink holds satisfies a condition.
    pub(super) async fn wait_until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let mut done = self.done.subscribe();
        let satisfied = done.wait_for(|_| condition(self));
        let waited = tokio::time::timeout(PATIENCE, satisfied).await;
        if waited.is_err() {
            panic!("never: {what}; {:#?}", self.batches.lock().expect("a lock"));
        }
    }

    pub(super) async fn wait_for_begun(&self, count: usize) {
        let mut begun = self.begun.subscribe();
        let waited = begun.wait_for(|begun| *begun >= count);
        tokio::time::timeout(PATIENCE, waited)
            .await
            .unwrap_or_else(|_| panic!("commit {count} never began"))
            .expect("the sink lives");
    }
}

impl Sink for MemorySink {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            self.begun.send_modify(|count| *count += 1);
            self.open
                .subscribe()
                .wait_for(|open| *open)
                .await
                .expect("the sink lives");
            if let Some(error) = self.failures.lock().expect("a lock").pop_front() {
                return Err(error);
            }
            if let Some(checkpoint) = &batch.checkpoint {
                *self.stored.lock().expect("a lock") = Some(checkpoint.clone());
            }
            self.batches.lock().expect("a lock").push(batch);
            self.done.send_modify(|count| *count += 1);
            Ok(())
        }
        .boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Value>, SinkError>> {
        async move { Ok(self.stored()) }.boxed()
    }
}

/// Remembers what was reported.
#[derive(Default)]
pub(super) struct MemoryState {
    pub(super) peers: watch::Sender<Vec<String>>,
}

impl MemoryState {
    /// Waits until the session was up so many times.
    pub(super) async fn wait_until_up(&self, times: usize) -> String {
        let mut peers = self.peers.subscribe();
        let up = peers.wait_for(|peers| peers.len() >= times);
        let peers = tokio::time::timeout(PATIENCE, up)
            .await
            .expect("the session comes up")
            .expect("the state lives");
        peers.last().cloned().unwrap_or_default()
    }
}

impl StateReport for MemoryState {
    fn connected(&self, peer: &str) {
        self.peers.send_modify(|peers| peers.push(peer.to_owned()));
    }

    fn seen(&self) {}

    fn gauge(&self, _name: &'static str, _value: f64) {}
}

/// Known callers, as a test writes them.
#[derive(Default)]
pub(in super::super) struct Known(pub(in super::super) Mutex<Writing>);

/// What is known.
#[derive(Default)]
pub(in super::super) struct Writing {
    /// `None` = not everything is known yet.
    pub(in super::super) clients: Option<Vec<(Phone, Option<EmployeeId>)>>,
    pub(in super::super) managers: Vec<(EmployeeId, Extension)>,
    pub(in super::super) listed: Vec<(String, DialledWay)>,
    pub(in super::super) revision: u64,
}

impl Known {
    /// Writes who is known from now on: numbers without `+`, and managers.
    pub(in super::super) fn write(&self, clients: &[(&str, &str)]) {
        let phone = |digits: &str| Phone::try_from(format!("+{digits}")).expect("a number");
        let clients = clients.iter().map(|(digits, manager)| {
            let manager = (!manager.is_empty()).then(|| manager.parse().expect("an id"));
            (phone(digits), manager)
        });
        let mut clients: Vec<_> = clients.collect();
        clients.sort_by(|(a, _), (b, _)| a.order().cmp(&b.order()));
        let mut known = self.0.lock().expect("not poisoned");
        known.clients = Some(clients);
        known.revision += 1;
    }

    /// Writes who is rung from now on: employees and extensions. No revision tells of it.
    pub(in super::super) fn ring(&self, managers: &[(&str, &str)]) {
        let managers = managers.iter().map(|(employee, extension)| {
            let extension = Extension((*extension).to_owned());
            (employee.parse().expect("an id"), extension)
        });
        self.0.lock().expect("not poisoned").managers = managers.collect();
    }
}

impl KnownCallers for Known {
    fn revision(&self) -> u64 {
        self.0.lock().expect("not poisoned").revision
    }

    fn clients(&self, _: &SourceKey, after: Option<&Phone>, max: usize) -> Option<ClientsPage> {
        let known = self.0.lock().expect("not poisoned");
        let all = known.clients.as_ref()?.iter();
        let behind = |phone: &Phone| after.is_none_or(|after| phone.order() > after.order());
        let mut rest = all.filter(|(phone, _)| behind(phone)).cloned();
        let clients = rest.by_ref().take(max).collect();
        let more = rest.next().is_some();
        Some(ClientsPage { clients, more })
    }

    fn managers(&self, _: &SourceKey) -> Option<Vec<(EmployeeId, Extension)>> {
        Some(self.0.lock().expect("not poisoned").managers.clone())
    }

    fn dialled(&self, _: &SourceKey) -> Option<DialledNumbers> {
        Some(DialledNumbers {
            listed: self.0.lock().expect("not poisoned").listed.clone(),
            others: DialledWay::Manager,
            country: "7".to_owned(),
            trunk_prefix: "8".to_owned(),
        })
    }
}

/// A source under test with its surroundings.
pub(super) struct Bench {
    settings: Value,
    pub(super) listener: Arc<dyn Listener>,
    pub(super) sink: Arc<MemorySink>,
    pub(super) state: Arc<MemoryState>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) orders: Arc<OrderQueue>,
    pub(super) known: Arc<Known>,
    clock: TokioClock,
}

impl Bench {
    pub(super) fn new(port: u16) -> Self {
        Self::with(port, json!({}))
    }

    /// Adds to the usual settings.
    pub(super) fn with(port: u16, more: Value) -> Self {
        let mut settings = json!({
            "host": "127.0.0.1", "port": port, "username": USER, "linger_ms": 50,
        });
        let (Some(fields), Value::Object(more)) = (settings.as_object_mut(), more) else {
            panic!("settings are objects");
        };
        fields.extend(more);
        let kind = registry::find("asterisk").expect("registered");
        let source = match (kind.build)(identity(), &settings, &secrets()) {
            Ok(source) => source,
            Err(mistakes) => panic!("{mistakes:?}"),
        };
        Self {
            settings,
            listener: source.listener().expect("asterisk has a listener"),
            sink: MemorySink::new(),
            state: Arc::new(MemoryState::default()),
            stop: watch::Sender::new(false),
            orders: Arc::default(),
            known: Arc::default(),
            clock: TokioClock::starting_at(Timestamp::from_secs(1_795_211_600)),
        }
    }

    /// Begins a run, as the supervisor does.
    pub(super) fn run(&self) -> JoinHandle<Result<(), ListenerError>> {
        tokio::spawn(self.listener.run(self.context()))
    }

    /// The same over a pipe in memory: with sockets, a paused clock runs ahead of the kernel.
    pub(super) fn run_over(&self, pipe: DuplexStream) -> JoinHandle<Result<(), ListenerError>> {
        let settings = AsteriskSettings::read(&self.settings, &secrets()).expect("reads");
        let stream: Box<dyn ByteStream> = Box::new(pipe);
        let connecting = std::future::ready(Ok(stream));
        let orders = Arc::clone(&self.orders);
        let run = session::run(
            Arc::new(settings),
            identity(),
            orders,
            self.context(),
            connecting,
        );
        tokio::spawn(run)
    }

    fn context(&self) -> ListenerContext {
        ListenerContext {
            sink: self.sink.clone(),
            clock: Arc::new(self.clock),
            stop: self.stop.subscribe(),
            state: self.state.clone(),
            known: self.known.clone(),
        }
    }
}

pub(super) fn identity() -> SourceIdentity {
    SourceIdentity {
        key: "acme/office".parse().expect("a key"),
        numbers: NumberRules::default(),
    }
}

pub(super) fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.insert("secret", Secret::new(PASSWORD.to_owned()));
    secrets
}

/// Awaits the end of a run.
pub(super) async fn ended(run: JoinHandle<Result<(), ListenerError>>) -> Result<(), ListenerError> {
    tokio::time::timeout(PATIENCE, run)
        .await
        .expect("the run ends")
        .expect("the run does not panic")
}
