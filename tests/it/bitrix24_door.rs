//! Opens the adapter of a simulated Bitrix24, and of any CRM.

use std::io::{Seek as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use trunkline::clock::SystemClock;
use trunkline::crm::account::http::{AccountHttp, AccountHttpOptions};
use trunkline::crm::registry;
use trunkline::crm::{
    AccountDoor, AccountSettings, Adapter, NoRecordingFile, RecordingFile, RecordingFiles,
    TokenVault, VaultError,
};
use trunkline::model::ids::CommunicationKey;
use trunkline::model::recording::AudioFormat;
use trunkline::model::secret::{Secret, Secrets};

use super::memory_pairs::MemoryPairs;

/// The portal's name, which stays its own also where a simulator stands for it.
pub(super) const PORTAL: &str = "demo.bitrix24.ru";

/// Keeps an account's secret and set-up in memory.
#[derive(Default)]
pub(super) struct MemoryVault {
    pub(super) token: Mutex<Option<Secret>>,
    pub(super) setup: Mutex<Option<Value>>,
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

/// Opens an account at an address. Of what is wanted, `webhook` and `client_secret` are secrets, the
/// rest settings.
pub(super) fn open(base_url: &str, wanted: Value) -> Arc<dyn Adapter> {
    let mut table = json!({ "url": PORTAL, "rate_per_second": 900 });
    let (mut webhook, mut secrets) = (None, Secrets::default());
    for (key, value) in wanted.as_object().expect("a table") {
        let secret = || Secret::new(value.as_str().expect("a text").to_owned());
        match key.as_str() {
            "webhook" => webhook = Some(secret()),
            "client_secret" => secrets.insert(key, secret()),
            _ => table[key] = value.clone(),
        }
    }
    let vault = MemoryVault {
        token: Mutex::new(webhook),
        setup: Mutex::default(),
    };
    let pairs = Arc::new(MemoryPairs::default());
    open_account("bitrix24", &table, base_url, secrets, vault, pairs)
}

/// Opens an account of any CRM at an address.
pub(super) fn open_account(
    crm: &str,
    table: &Value,
    base_url: &str,
    secrets: Secrets,
    vault: MemoryVault,
    pairs: Arc<MemoryPairs>,
) -> Arc<dyn Adapter> {
    let kind = registry::find(crm).expect("registered");
    let settings: Arc<dyn AccountSettings> =
        (kind.build)(table, Some(base_url)).expect("good settings");
    let http = AccountHttp::new(AccountHttpOptions {
        portal: settings.portal(),
        base_url: settings.base_url().to_owned(),
        rate_per_second: settings.rate_per_second(),
        per_second_max: settings.per_second_max(),
        quiet_start: Duration::ZERO,
        clock: Arc::new(SystemClock),
    });
    let http = http.expect("a door").with_manners(settings.manners());
    settings.open(AccountDoor {
        http: Arc::new(http),
        vault: Arc::new(vault),
        pairs,
        secrets,
        recordings: Some(Arc::new(Sounds)),
        clock: Arc::new(SystemClock),
    })
}

/// Recordings of which each holds the name of its call, as MP3.
struct Sounds;

/// Returns what is heard in the recording of a call.
pub(super) fn sound_of(call: &CommunicationKey) -> Vec<u8> {
    // As long as a few buffers, with what looks like the end of a form in it.
    format!("\r\n--{call}\0").repeat(5_000).into_bytes()
}

impl RecordingFiles for Sounds {
    fn open(
        &self,
        call: CommunicationKey,
    ) -> BoxFuture<'_, Result<RecordingFile, NoRecordingFile>> {
        async move {
            let sound = sound_of(&call);
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(&sound).expect("written");
            file.rewind().expect("rewound");
            Ok(RecordingFile {
                file,
                format: AudioFormat::Mp3,
                bytes: u64::try_from(sound.len()).expect("short"),
            })
        }
        .boxed()
    }
}
