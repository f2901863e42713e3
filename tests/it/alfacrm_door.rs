//! Opens the adapter of a simulated AlfaCRM.

use std::sync::Arc;

use serde_json::{Value, json};
use trunkline::crm::Adapter;
use trunkline::model::secret::{Secret, Secrets};

use super::bitrix24_door::{MemoryVault, open_account};
use super::memory_pairs::MemoryPairs;

/// Opens an account at an address. Of what is wanted, `api_key` and `app_key` are secrets, the rest
/// settings.
pub(super) fn open(base_url: &str, wanted: Value) -> Arc<dyn Adapter> {
    open_with(base_url, wanted, Arc::new(MemoryPairs::default()))
}

/// Opens an account whose log-in is kept where it was kept before.
pub(super) fn open_with(
    base_url: &str,
    wanted: Value,
    pairs: Arc<MemoryPairs>,
) -> Arc<dyn Adapter> {
    let mut table = json!({
        "url": "demo.s20.online", "email": "api@school.ru", "branch": 1, "rate_per_second": 900,
    });
    let mut secrets = Secrets::default();
    let key = "11111111-2222-3333-4444-555555555555";
    secrets.insert("api_key", Secret::new(key.to_owned()));
    for (key, value) in wanted.as_object().expect("a table") {
        match key.as_str() {
            "api_key" | "app_key" => {
                let text = value.as_str().expect("a text").to_owned();
                secrets.insert(key, Secret::new(text));
            }
            _ => table[key] = value.clone(),
        }
    }
    open_account(
        "alfacrm",
        &table,
        base_url,
        secrets,
        MemoryVault::default(),
        pairs,
    )
}
