//! The company of the questions: a hundred thousand clients with one phone each, and fifty
//! employees who answer for them. Its directory is written into the store as if the CRM had been
//! read just now.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use trunkline::clock::{Clock, SystemClock};
use trunkline::model::directory::{DirectoryCard, DirectoryChange};
use trunkline::model::ids::{CrmUserId, PortalKey};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{Card, Entity};
use trunkline::model::timestamp::Timestamp;
use trunkline::store::directory::{DirectoryBatch, DirectoryState};
use trunkline::store::{Store, StoreHandle, StoreKey, StoreOptions, StoreThread};

use super::agi_load::{self, CLIENTS, EMPLOYEES};
use super::daemon::SECRET;

/// How long the daemon may take until it has read the directory.
const LOADED_WITHIN: Duration = Duration::from_secs(30);

/// Opens a store of the run.
pub(crate) fn open(path: &Path, now: Timestamp) -> anyhow::Result<(StoreHandle, StoreThread)> {
    let key = StoreKey::from_bytes(&Sha256::digest(SECRET.as_bytes()))?;
    let options = StoreOptions {
        now,
        ..StoreOptions::default()
    };
    Ok(Store::open(path, key, options)?)
}

/// Writes the directory into the daemon's store.
pub(crate) async fn fill(path: &Path) -> anyhow::Result<()> {
    const CARDS_A_BATCH: u32 = 5_000;
    let now = SystemClock.now();
    let (store, thread) = open(path, now)?;
    let portal = PortalKey::new("amocrm", "bench.amocrm.ru");
    let clients: Vec<u32> = (0..CLIENTS).collect();
    for some in clients.chunks(CARDS_A_BATCH as usize) {
        let changes = some
            .iter()
            .map(|client| card(*client, now))
            .collect::<anyhow::Result<Vec<_>>>()?;
        store
            .change_directory(DirectoryBatch {
                portal: portal.clone(),
                changes,
                state: Some(DirectoryState {
                    complete_as_of: Some(now),
                    full_at: Some(now),
                    ..DirectoryState::default()
                }),
            })
            .await?;
    }
    close(store, thread).await;
    Ok(())
}

/// Ends a store's work with its file.
pub(crate) async fn close(store: StoreHandle, thread: StoreThread) {
    store.shut_down().await;
    drop(store);
    // Nothing else is measured meanwhile.
    thread.join();
}

/// Waits until the daemon, which reads the directory into memory after its start, knows the last
/// client.
pub(crate) async fn wait_until_known(
    ask_last: impl AsyncFn(u32) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + LOADED_WITHIN;
    while let Err(error) = ask_last(CLIENTS - 1).await {
        if Instant::now() > deadline {
            return Err(error.context("the daemon does not know the clients"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn card(client: u32, now: Timestamp) -> anyhow::Result<DirectoryChange> {
    let phone = format!("+{}", agi_load::phone(client));
    Ok(DirectoryChange::Card(DirectoryCard {
        card: Card {
            entity: Entity::Contact,
            id: (client + 1).to_string(),
        },
        name: format!("Client number {client:07} of the company"),
        phones: vec![Phone::parse(&phone, Region::RU).context("a client's number")?],
        emails: Vec::new(),
        responsible: Some(CrmUserId((client % EMPLOYEES + 1).to_string())),
        created_at: now,
        updated_at: now,
    }))
}

/// The company's file.
pub(crate) fn tenant() -> String {
    let mut text = String::from(
        r#"[tenant]
id = "bench"
name = "Bench"
region = "RU"
time_zone = "Europe/Moscow"
[[sources]]
id = "taken"
kind = "webhook"
[sources.secrets]
hook = { file = "../secret" }
[[accounts]]
id = "crm"
crm = "amocrm"
[accounts.settings]
url = "https://bench.amocrm.ru"
[accounts.secrets]
token = { file = "../secret" }
[[integrations]]
id = "calls"
account = "crm"
activity = "on"
takes = [{ source = "taken", kinds = ["call"] }]
[integrations.settings.personal_manager]
[integrations.settings.calls]
default_responsible = "1"
[integrations.settings.calls.incoming]
answered_unknown = { action = { kind = "contact" } }
"#,
    );
    for employee in 0..EMPLOYEES {
        text.push_str(&format!(
            r#"[[employees]]
id = "manager-{employee}"
name = "Manager {employee}"
extensions = [{{ source = "taken", extension = "{}" }}]
users = [{{ account = "crm", user = "{}" }}]
"#,
            agi_load::extension(employee),
            employee + 1
        ));
    }
    text
}
