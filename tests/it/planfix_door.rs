//! Opens the adapter of a simulated Planfix.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use trunkline::crm::Adapter;
use trunkline::lab::planfix::PlanfixOptions;
use trunkline::model::secret::{Secret, Secrets};

use super::bitrix24_door::{MemoryVault, open_account};
use super::memory_pairs::MemoryPairs;

/// Opens an account at an address, with the tokens of the simulator. Of what is wanted, `token`,
/// `telephony_token` (empty: not entered) and `pbx_key` are secrets, the rest settings.
pub(super) fn open(base_url: &str, wanted: Value) -> Arc<dyn Adapter> {
    let options = PlanfixOptions::default();
    let mut table = json!({
        "url": "https://acme.planfix.ru/rest/", "rate_per_second": 900,
        "call_time_field": options.call_time_field,
    });
    let mut token = options.rest_token;
    let mut telephony = options.telephony_token;
    let mut secrets = Secrets::default();
    for (key, value) in wanted.as_object().expect("a table") {
        let text = || value.as_str().expect("a text").to_owned();
        match key.as_str() {
            "token" => token = text(),
            "telephony_token" => telephony = text(),
            "pbx_key" => secrets.insert("pbx_key", Secret::new(text())),
            _ => table[key] = value.clone(),
        }
    }
    if !telephony.is_empty() {
        secrets.insert("telephony_token", Secret::new(telephony));
    }
    open_account(
        "planfix",
        &table,
        base_url,
        secrets,
        MemoryVault {
            token: Mutex::new(Some(Secret::new(token))),
            setup: Mutex::default(),
        },
        Arc::new(MemoryPairs::default()),
    )
}
