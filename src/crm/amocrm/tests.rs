//! The adapter against a scripted server.

mod account;
mod bodies;
mod execute;
mod facts;
mod look;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::settings::AmoSettings;
use super::setup::Setup;
use super::*;
use crate::clock::SystemClock;
use crate::crm::account::http::{AccountHttp, AccountHttpOptions};
use crate::crm::account::script::{Asked, Reply, Server};
use crate::crm::pair_vault::{PairTurn, PairVault, Witness};
use crate::crm::{AccountSettings as _, TokenVault, VaultError};
use crate::model::call::Direction;
use crate::model::communication::Phase;
use crate::model::ids::{CommunicationKey, CrmUserId, IntegrationKey};
use crate::model::phone::{Phone, Region};
use crate::model::plan::{
    CallRecord, CallStatus, Card, Effect, Entity, FieldFill, FillFields, HandOver, NewContact,
    NewDeal, NewNote, NewTask, NewUnsorted, RecordingLink, Role, StepKey, Target, UnsortedForm,
};
use crate::model::secret::{Secret, Secrets};
use crate::model::timestamp::Timestamp;

const CONTACT_FIELD: i64 = 501;
const LEAD_FIELD: i64 = 502;
const UNSORTED_STAGE: i64 = 3101;

/// When every command of these tests was first sent.
const SENT: &str = "2026-11-20T09:00:00Z";

struct MemoryVault {
    token: Mutex<Option<Secret>>,
    setup: Mutex<Option<Value>>,
}

impl MemoryVault {
    fn new(setup: Option<Setup>) -> Arc<Self> {
        Arc::new(Self {
            token: Mutex::new(Some(Secret::new("long-lived".to_owned()))),
            setup: Mutex::new(setup.map(|s| serde_json::to_value(s).expect("a value"))),
        })
    }

    fn set_token(&self, token: &str) {
        *self.token.lock().expect("no panic") = Some(Secret::new(token.to_owned()));
    }

    fn stored_setup(&self) -> Option<Setup> {
        let value = self.setup.lock().expect("no panic").clone()?;
        Some(serde_json::from_value(value).expect("a set-up"))
    }
}

impl TokenVault for MemoryVault {
    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
        async { Ok(self.token.lock().expect("no panic").clone()) }.boxed()
    }

    fn save(&self, token: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            *self.token.lock().expect("no panic") = Some(token);
            Ok(())
        }
        .boxed()
    }

    fn setup(&self) -> BoxFuture<'_, Result<Option<Value>, VaultError>> {
        async { Ok(self.setup.lock().expect("no panic").clone()) }.boxed()
    }

    fn save_setup(&self, setup: Value) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            *self.setup.lock().expect("no panic") = Some(setup);
            Ok(())
        }
        .boxed()
    }
}

/// An account that comes in by a long-lived token has no pair.
struct NoPairs;

impl PairVault for NoPairs {
    fn turn(&self) -> BoxFuture<'_, PairTurn> {
        Arc::new(tokio::sync::Mutex::new(())).lock_owned().boxed()
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
        async { Ok(None) }.boxed()
    }

    fn save(&self, _: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
        async { Err(VaultError::Closed) }.boxed()
    }

    fn witness(&self) -> BoxFuture<'_, Result<Option<Witness>, VaultError>> {
        async { Ok(None) }.boxed()
    }

    fn save_witness(&self, _: Witness) -> BoxFuture<'_, Result<(), VaultError>> {
        async { Err(VaultError::Closed) }.boxed()
    }
}

/// An account that was set up earlier.
fn set_up() -> Setup {
    Setup {
        marker_contacts: Some(CONTACT_FIELD),
        marker_leads: Some(LEAD_FIELD),
        api_filter: false,
        region: Region::RU,
        customers: false,
        unsorted_stages: vec![UNSORTED_STAGE],
    }
}

struct Fixture {
    server: Server,
    vault: Arc<MemoryVault>,
    adapter: AmoAdapter,
}

impl Fixture {
    /// An account that is set up, whose server answers what the script says.
    async fn start(script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        Self::with(Some(set_up()), script).await
    }

    async fn with(
        setup: Option<Setup>,
        script: impl FnMut(&Asked) -> Reply + Send + 'static,
    ) -> Self {
        let server = Server::start(script).await;
        let table = json!({"url": "demo.amocrm.ru", "rate_per_second": 900});
        let settings = AmoSettings::read(&table, Some(&server.url)).expect("good settings");
        let http = AccountHttp::new(AccountHttpOptions {
            portal: settings.portal(),
            base_url: settings.base_url().to_owned(),
            rate_per_second: settings.rate_per_second(),
            per_second_max: settings.per_second_max(),
            quiet_start: Duration::ZERO,
            clock: Arc::new(SystemClock),
        });
        let vault = MemoryVault::new(setup);
        let door = AccountDoor {
            http: Arc::new(http.expect("a door")),
            vault: vault.clone(),
            pairs: Arc::new(NoPairs),
            secrets: Secrets::default(),
            recordings: None,
            clock: Arc::new(SystemClock),
        };
        let adapter = AmoAdapter::new(&settings, door);
        Self {
            server,
            vault,
            adapter,
        }
    }

    async fn execute_one(&self, command: StepCommand) -> Outcome<StepResult> {
        let mut outcomes = self.adapter.execute(vec![command]).await;
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }
}

fn phone(text: &str) -> Phone {
    Phone::parse(text, Region::RU).expect("a number")
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn command(call: &str, role: &str, effect: Effect) -> StepCommand {
    let integration: IntegrationKey = "acme/sales".parse().expect("a key");
    let communication: CommunicationKey = format!("acme/office/{call}").parse().expect("a key");
    StepCommand {
        key: StepKey {
            integration,
            communication,
            role: Role::new(role),
        },
        effect,
        kind: None,
        phase: Phase::Ended,
        first_sent_at: time(SENT),
    }
}

fn known(entity: Entity, id: &str) -> Option<Target> {
    Some(Target::Known {
        card: Card {
            entity,
            id: id.to_owned(),
        },
    })
}

fn contact(call: &str) -> StepCommand {
    let contact = NewContact {
        name: "Звонок +79161234567".to_owned(),
        phones: vec![phone("+79161234567")],
        emails: vec!["ivan@example.org".to_owned()],
        responsible: Some(CrmUserId("501".to_owned())),
        tags: vec!["Звонок".to_owned()],
        fields: Vec::new(),
        template: None,
    };
    command(call, "contact", Effect::CreateContact(contact))
}

fn deal(call: &str) -> StepCommand {
    let deal = NewDeal {
        name: "Сделка".to_owned(),
        pipeline: "3100".to_owned(),
        stage: "3102".to_owned(),
        contact: known(Entity::Contact, "7001"),
        responsible: None,
        tags: Vec::new(),
        fields: Vec::new(),
    };
    command(call, "deal", Effect::CreateDeal(deal))
}

fn unsorted(call: &str, form: UnsortedForm) -> StepCommand {
    let unsorted = NewUnsorted {
        pipeline: "3100".to_owned(),
        source_name: "Офис".to_owned(),
        form,
        at: time("2026-11-20T08:55:00Z"),
        deal_name: "Звонок +79161234567".to_owned(),
        contact_name: "+79161234567".to_owned(),
        phone: Some(phone("+79161234567")),
        email: None,
        tags: vec!["Звонок".to_owned()],
    };
    command(call, "unsorted", Effect::CreateUnsorted(unsorted))
}

fn incoming_unsorted(call: &str) -> StepCommand {
    let form = UnsortedForm::IncomingCall {
        talk_s: 54,
        callee: Some(CrmUserId("501".to_owned())),
        link: None,
    };
    unsorted(call, form)
}

fn form_unsorted(call: &str) -> StepCommand {
    let form = UnsortedForm::Form {
        name: "Исходящий звонок".to_owned(),
        text: Some("Говорили 54 с".to_owned()),
        page: None,
    };
    unsorted(call, form)
}

fn call_record(call: &str, card: Option<Target>, employee: Option<&str>) -> StepCommand {
    let record = CallRecord {
        card,
        direction: Direction::Incoming,
        phone: phone("+79161234567"),
        status: CallStatus::Talked,
        talk_s: 54,
        at: time("2026-11-20T08:55:00Z"),
        employee: employee.map(|id| CrmUserId(id.to_owned())),
        link: Some("https://box.example/r/1.mp3".to_owned()),
        source_name: "Офис".to_owned(),
        shown_to: None,
        line: None,
    };
    command(call, "call-record", Effect::RecordCall(record))
}

fn task(call: &str, card: Option<Target>) -> StepCommand {
    let task = NewTask {
        task_type: None,
        card,
        responsible: Some(CrmUserId("501".to_owned())),
        text: "Перезвонить +79161234567".to_owned(),
        due: time("2026-11-20T09:15:00Z"),
    };
    command(call, "task", Effect::CreateTask(task))
}

fn fields(call: &str, card: Option<Target>) -> StepCommand {
    let card = card.expect("fields stand on a card");
    let fill = |field: &str, value: &str, overwrite| FieldFill {
        field: field.to_owned(),
        value: value.to_owned(),
        typed: None,
        overwrite,
    };
    let fields = vec![fill("35", "Директор", false), fill("37", "Офис", true)];
    command(
        call,
        "contact-fields",
        Effect::FillFields(FillFields { card, fields }),
    )
}

fn recording(call: &str) -> StepCommand {
    let made = call_record(call, known(Entity::Contact, "7001"), Some("501"));
    let Effect::RecordCall(record) = made.effect else {
        panic!("it records a call");
    };
    let card = |entity, id: &str| Card {
        entity,
        id: id.to_owned(),
    };
    let link = RecordingLink {
        entry: Target::Known {
            card: card(Entity::CallRecord, "66001"),
        },
        on: Some(card(Entity::Contact, "7001")),
        by: made.key.role,
        record: CallRecord {
            link: None,
            ..record
        },
        link: "https://box.example/r/token".to_owned(),
        text: "Запись разговора: https://box.example/r/token".to_owned(),
        upload: false,
    };
    command(call, "recording", Effect::LinkRecording(link))
}

fn note(call: &str, card: Option<Target>) -> StepCommand {
    let note = NewNote {
        card: card.expect("a card"),
        text: "Заявка с сайта: перезвоните".to_owned(),
        at: Timestamp::from_secs(1_763_629_140),
        messages: Vec::new(),
    };
    command(call, "note", Effect::AddNote(note))
}

fn hand_over(call: &str, contact: &str) -> StepCommand {
    let over = HandOver {
        card: known(Entity::Contact, contact).expect("a card"),
        responsible: CrmUserId("502".to_owned()),
    };
    command(call, "owner", Effect::HandOver(over))
}

/// The kinds that amoCRM knows: its leads are what others call deals.
fn kinds() -> impl Iterator<Item = StepKind> {
    let all = StepKind::ALL.into_iter();
    let not_offered = [
        StepKind::CreateLead,
        StepKind::AwaitContact,
        StepKind::Notify,
    ];
    all.filter(move |kind| !not_offered.contains(kind))
}

/// One command of every kind.
fn one_of(kind: StepKind) -> StepCommand {
    match kind {
        StepKind::CreateContact => contact("1"),
        StepKind::CreateDeal => deal("1"),
        StepKind::CreateUnsorted => incoming_unsorted("1"),
        StepKind::RecordCall => call_record("1", known(Entity::Contact, "7001"), Some("501")),
        StepKind::CreateTask => task("1", known(Entity::Contact, "7001")),
        StepKind::FillFields => fields("1", known(Entity::Contact, "7001")),
        StepKind::LinkRecording => recording("1"),
        StepKind::HandOver => hand_over("1", "7001"),
        StepKind::AddNote => note("1", known(Entity::Contact, "7001")),
        StepKind::CreateLead | StepKind::AwaitContact | StepKind::Notify => {
            panic!("amoCRM offers none")
        }
    }
}

/// What an adapter answers when the list has these items and no more.
fn list(name: &str, items: Vec<Value>) -> Reply {
    if items.is_empty() {
        return Reply::Json(204, Value::Null);
    }
    Reply::Json(
        200,
        json!({"_page": 1, "_links": {}, "_embedded": {name: items}}),
    )
}

#[track_caller]
fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("expected success, got {other:?}"),
    }
}

fn ids(result: &StepResult) -> Vec<String> {
    let text = |card: &Card| format!("{} {}", card.entity, card.id);
    result.cards.iter().map(text).collect()
}
