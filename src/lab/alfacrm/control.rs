//! The way into the simulator for scripts and for people. These requests are neither limited,
//! struck by faults nor logged.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /_lab` | address, e-mail, key, time |
//! | `GET /_lab/oracle`, `/counters`, `/log` | what the account holds; counters; requests |
//! | `POST /_lab/customers` | `{name, phones}`: as a person makes one; answers the id |
//! | `DELETE /_lab/customers/{id}` | as a person deletes one |
//! | `GET`, `POST /_lab/switches` | what the contract leaves open |
//! | `POST`, `DELETE /_lab/faults` | one rule more; none |
//! | `POST /_lab/clock` | `{shift_ms}` |
//! | `DELETE /_lab/tokens` | ends every token |

use serde::Deserialize;
use serde_json::json;

use super::exchange::{Incoming, Reply};
use super::handle::AlfaHandle;
use super::records::Customer;
use crate::lab::fault::FaultPlan;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    name: String,
    #[serde(default)]
    phones: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    shift_ms: i64,
}

/// Answers a request under `/_lab`.
pub(super) fn answer(lab: &AlfaHandle, incoming: &Incoming) -> Reply {
    let path: Vec<&str> = incoming
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let rest = path.get(1..).unwrap_or_default();
    acted(lab, incoming, rest).unwrap_or_else(|refusal| refusal)
}

fn acted(lab: &AlfaHandle, incoming: &Incoming, rest: &[&str]) -> Result<Reply, Reply> {
    let done = || Reply::page(204, "");
    match (incoming.method.as_str(), rest) {
        ("GET", []) => {
            let options = lab.options();
            show(&json!({
                "base_url": lab.base_url(), "email": options.email, "api_key": options.api_key,
                "now": lab.now(),
            }))
        }
        ("GET", ["oracle"]) => show(&lab.oracle()),
        ("GET", ["counters"]) => show(&lab.counters()),
        ("GET", ["log"]) => show(&json!({"counters": lab.log_counters(), "entries": lab.log()})),
        ("GET", ["switches"]) => show(&lab.switches()),
        ("POST", ["switches"]) => {
            lab.set_switches(read(incoming)?);
            Ok(done())
        }
        ("POST", ["customers"]) => {
            let seed: Seed = read(incoming)?;
            let customer = Customer {
                name: seed.name,
                phones: seed.phones,
                ..Customer::default()
            };
            show(&json!({ "id": lab.add_customer(customer) }))
        }
        ("DELETE", ["customers", id]) => match id.parse().is_ok_and(|id| lab.delete(id)) {
            true => Ok(done()),
            false => Err(super::api::not_found()),
        },
        ("POST", ["faults"]) => {
            let added = lab.add_fault(read(incoming)?);
            added.map_err(|error| bad(&error.to_string()))?;
            Ok(done())
        }
        ("DELETE", ["faults"]) => {
            lab.set_faults(FaultPlan::new(1));
            Ok(done())
        }
        ("POST", ["clock"]) => {
            let shift: Shift = read(incoming)?;
            lab.shift_clock_ms(shift.shift_ms);
            Ok(done())
        }
        ("DELETE", ["tokens"]) => {
            lab.end_tokens();
            Ok(done())
        }
        _ => Err(super::api::not_found()),
    }
}

fn read<T: serde::de::DeserializeOwned>(incoming: &Incoming) -> Result<T, Reply> {
    serde_json::from_slice(&incoming.body).map_err(|error| bad(&error.to_string()))
}

fn bad(text: &str) -> Reply {
    Reply::error(400, "Bad Request", text)
}

fn show<T: serde::Serialize>(value: &T) -> Result<Reply, Reply> {
    Ok(Reply::ok(&serde_json::to_value(value).unwrap_or_default()))
}
