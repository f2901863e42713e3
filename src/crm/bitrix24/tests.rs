//! The adapter against a scripted portal.

mod account;
pub(super) mod calls;
mod cards;
mod credentials;
mod standing;
mod uploads;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::settings::BitrixSettings;
use super::*;
use crate::clock::{Clock as _, SystemClock};
use crate::crm::account::http::{AccountHttp, AccountHttpOptions};
use crate::crm::account::script::{Asked, Reply, Server};
use crate::crm::pair_vault::{PairTurn, PairVault, Witness};
use crate::crm::{
    AccountSettings as _, NoRecordingFile, RecordingFile, RecordingFiles, StepCommand, TokenVault,
    VaultError,
};
use crate::model::communication::Phase;
use crate::model::ids::{CommunicationKey, CrmUserId};
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity, Role, StepKey, Target};
use crate::model::recording::AudioFormat;
use crate::model::secret::Secrets;
use crate::model::timestamp::Timestamp;

/// When the clicks of these tests were.
const SENT: &str = "2026-11-20T09:00:00Z";

/// One call of a method, as the portal reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Called {
    pub(super) method: String,
    pub(super) params: BTreeMap<String, String>,
}

impl Called {
    fn read(text: &str) -> Self {
        let (method, query) = text.split_once('?').unwrap_or((text, ""));
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Self {
            method: method.to_owned(),
            params: pairs
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        }
    }

    pub(super) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// Method and parameters, a line each, for snapshots.
    pub(super) fn text(&self) -> String {
        let params = self.params.iter().map(|(k, v)| format!("\n  {k} = {v}"));
        format!("{}{}", self.method, params.collect::<String>())
    }
}

/// What a method answers, or code and text of its refusal.
pub(super) type Said = Result<Value, (&'static str, &'static str)>;

/// Answers a batch, method by method.
pub(super) fn batch(asked: &Asked, mut answer: impl FnMut(&Called) -> Said) -> Reply {
    let (mut results, mut errors) = (Map::new(), Map::new());
    for (name, text) in asked.body["cmd"].as_object().expect("commands") {
        match answer(&Called::read(text.as_str().expect("a text"))) {
            Ok(value) => results.insert(name.clone(), value),
            Err((error, error_description)) => errors.insert(
                name.clone(),
                json!({"error": error, "error_description": error_description}),
            ),
        };
    }
    let map = |map: Map<String, Value>| match map.is_empty() {
        true => json!([]),
        false => Value::Object(map),
    };
    let result = json!({
        "result": map(results), "result_error": map(errors),
        "result_total": [], "result_next": [], "result_time": [],
    });
    Reply::Json(200, json!({"result": result, "time": {}}))
}

/// Every call of every request so far.
pub(super) fn calls(server: &Server) -> Vec<Vec<Called>> {
    let asked = server.asked();
    let batches = asked
        .iter()
        .filter_map(|asked| asked.body["cmd"].as_object());
    batches
        .map(|cmd| {
            cmd.values()
                .filter_map(Value::as_str)
                .map(Called::read)
                .collect()
        })
        .collect()
}

pub(super) struct Vault {
    pub(super) token: Mutex<Option<Secret>>,
    pub(super) pair: Mutex<Option<Secret>>,
    pub(super) witness: Mutex<Option<Witness>>,
    pub(super) setup: Mutex<Option<Value>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl TokenVault for Vault {
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

impl PairVault for Vault {
    fn turn(&self) -> BoxFuture<'_, PairTurn> {
        Arc::clone(&self.turn).lock_owned().boxed()
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
        async { Ok(self.pair.lock().expect("no panic").clone()) }.boxed()
    }

    fn save(&self, pair: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            *self.pair.lock().expect("no panic") = Some(pair);
            Ok(())
        }
        .boxed()
    }

    fn witness(&self) -> BoxFuture<'_, Result<Option<Witness>, VaultError>> {
        async { Ok(self.witness.lock().expect("no panic").clone()) }.boxed()
    }

    fn save_witness(&self, witness: Witness) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            *self.witness.lock().expect("no panic") = Some(witness);
            Ok(())
        }
        .boxed()
    }
}

/// The recording that is handed over, where there is one.
#[derive(Default)]
pub(super) struct Files(Mutex<Option<Result<Vec<u8>, NoRecordingFile>>>);

impl Files {
    pub(super) fn hold(&self, held: Result<Vec<u8>, NoRecordingFile>) {
        *self.0.lock().expect("no panic") = Some(held);
    }
}

impl RecordingFiles for Files {
    fn open(
        &self,
        call: CommunicationKey,
    ) -> BoxFuture<'_, Result<RecordingFile, NoRecordingFile>> {
        async move {
            let held = self.0.lock().expect("no panic").clone();
            let sound = held.unwrap_or_else(|| panic!("{call}"))?;
            let mut file = tempfile::tempfile().expect("a file");
            std::io::Write::write_all(&mut file, &sound).expect("written");
            std::io::Seek::rewind(&mut file).expect("rewound");
            Ok(RecordingFile {
                file,
                format: AudioFormat::Wav,
                bytes: u64::try_from(sound.len()).expect("short"),
            })
        }
        .boxed()
    }
}

pub(super) struct Fixture {
    pub(super) files: Arc<Files>,
    pub(super) server: Server,
    pub(super) vault: Arc<Vault>,
    pub(super) adapter: BitrixAdapter,
}

impl Fixture {
    /// A portal let in by a webhook of user 1, whose server answers what the script says.
    pub(super) async fn start(script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        Self::with(json!({}), script).await
    }

    /// A portal whose methods answer what the script says.
    pub(super) async fn answering(
        mut answer: impl FnMut(&Called) -> Said + Send + 'static,
    ) -> Self {
        Self::start(move |asked| batch(asked, &mut answer)).await
    }

    pub(super) async fn with(
        settings: Value,
        script: impl FnMut(&Asked) -> Reply + Send + 'static,
    ) -> Self {
        let server = Server::start(script).await;
        let mut table = json!({"url": "demo.bitrix24.ru", "rate_per_second": 900});
        for (key, value) in settings.as_object().expect("a table") {
            table[key] = value.clone();
        }
        let settings = BitrixSettings::read(&table, Some(&server.url)).expect("good settings");
        let http = AccountHttp::new(AccountHttpOptions {
            portal: settings.portal(),
            base_url: settings.base_url().to_owned(),
            rate_per_second: settings.rate_per_second(),
            per_second_max: settings.per_second_max(),
            quiet_start: Duration::ZERO,
            clock: Arc::new(SystemClock),
        });
        let http = http.expect("a door").with_manners(settings.manners());
        let vault = Arc::new(Vault {
            token: Mutex::new(Some(Secret::new("1/s3cret".to_owned()))),
            pair: Mutex::default(),
            witness: Mutex::default(),
            setup: Mutex::new(Some(json!({"leads": true, "telephony_closed": false}))),
            turn: Arc::default(),
        });
        let recordings = Arc::new(Files::default());
        let mut secrets = Secrets::default();
        secrets.insert(settings::CLIENT_SECRET, Secret::new("key".to_owned()));
        let door = AccountDoor {
            http: Arc::new(http),
            vault: vault.clone(),
            pairs: vault.clone(),
            secrets,
            recordings: Some(recordings.clone()),
            clock: Arc::new(SystemClock),
        };
        let adapter = BitrixAdapter::new(&settings, door);
        Self {
            files: recordings,
            server,
            vault,
            adapter,
        }
    }

    pub(super) async fn execute_one(&self, command: StepCommand) -> Outcome<StepResult> {
        let mut outcomes = self.adapter.execute(vec![command]).await;
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    /// What was asked, as one text.
    pub(super) fn told(&self) -> String {
        let requests = calls(&self.server);
        let request =
            |one: &Vec<Called>| one.iter().map(Called::text).collect::<Vec<_>>().join("\n");
        requests
            .iter()
            .map(request)
            .collect::<Vec<_>>()
            .join("\n--\n")
    }
}

pub(super) fn phone(text: &str) -> Phone {
    Phone::parse(text, Region::RU).expect("a number")
}

pub(super) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

pub(super) fn user(id: &str) -> CrmUserId {
    CrmUserId(id.to_owned())
}

pub(super) fn key(call: &str, role: &str) -> StepKey {
    StepKey {
        integration: "acme/sales".parse().expect("a key"),
        communication: format!("acme/office/{call}").parse().expect("a key"),
        role: Role::new(role),
    }
}

pub(super) fn command(call: &str, role: &str, effect: Effect) -> StepCommand {
    StepCommand {
        key: key(call, role),
        effect,
        kind: None,
        phase: Phase::Ended,
        first_sent_at: SystemClock.now(),
    }
}

pub(super) fn card(entity: Entity, id: &str) -> Card {
    Card {
        entity,
        id: id.to_owned(),
    }
}

pub(super) fn known(entity: Entity, id: &str) -> Target {
    Target::Known {
        card: card(entity, id),
    }
}
