//! The way into the simulator for scripts and for `trunkline-lab`. These requests are neither
//! limited, struck by faults nor logged. Bodies are JSON; unknown keys are refused.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /_lab` | `base_url`, `token` (long-lived), `now` |
//! | `GET /_lab/oracle`, `/counters`, `/log` | what the account holds; counters; requests |
//! | `POST /_lab/seed` | `{companies, contacts, leads, customers}`, each a list; answers ids |
//! | `PATCH`, `DELETE /_lab/{contacts,companies,leads}/{id}` | as a person edits or deletes |
//! | `POST /_lab/merge` | `{into, from}`: one contact takes over another |
//! | `POST /_lab/unsorted/{uid}/{accept,decline}` | `{user_id}`: as a person sorts |
//! | `GET`, `POST`, `DELETE /_lab/faults` | `{seed?, rules}`; a seed begins a new plan |
//! | `GET`, `POST /_lab/switches` | the unconfirmed behaviours |
//! | `POST /_lab/clock` | `{shift_ms}` |
//! | `POST /_lab/rate` | `{per_integration, per_account}` requests a second |
//! | `POST /_lab/filters/{on,off}` | the paid option of filters |
//! | `POST`, `DELETE /_lab/block`, `/_lab/paid` | block by the limiter; subscription |
//! | `POST /_lab/tokens`, `/_lab/code` | `{client_id, user_id, until?}` |
//! | `POST /_lab/tokens/expire`, `DELETE /_lab/tokens` | end or revoke the access tokens |
//! | `POST /_lab/consent` | `{link, user_id, refuse?}`: as a person on the consent page; answers where the person is sent |
//! | `POST /_lab/switch_off` | `{client_id}`: revokes the tokens; answers the query of the notice |
//! | `POST /_lab/rename` | `{subdomain}` |
//! | `POST /_lab/reset` | a new account |

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::exchange::{Incoming, Reply};
use super::handle::AmoHandle;
use super::options::Switches;
use super::seed::{CardEdit, SeedCard, SeedLead};
use crate::lab::fault::{FaultPlan, Rule};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Seeds {
    companies: Vec<SeedCard>,
    contacts: Vec<SeedCard>,
    leads: Vec<SeedLead>,
    customers: Vec<SeedLead>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Faults {
    seed: Option<u64>,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sorting {
    user_id: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    into: u64,
    from: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    shift_ms: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    per_integration: u32,
    per_account: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenWish {
    client_id: String,
    user_id: u64,
    #[serde(default)]
    until: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    link: String,
    user_id: u64,
    #[serde(default)]
    refuse: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Integration {
    client_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    subdomain: String,
}

/// Answers a request under `/_lab/`.
pub(super) fn control(lab: &AmoHandle, incoming: &Incoming) -> Reply {
    let segments: Vec<&str> = incoming.path.split('/').filter(|s| !s.is_empty()).collect();
    let rest = segments.get(1..).unwrap_or_default();
    answer(lab, incoming, rest).unwrap_or_else(|refusal| refusal)
}

fn answer(lab: &AmoHandle, incoming: &Incoming, rest: &[&str]) -> Result<Reply, Reply> {
    match (incoming.method.as_str(), rest) {
        ("GET", []) => Ok(Reply::ok(&json!({
            "base_url": lab.base_url(), "token": lab.long_lived_token(), "now": lab.now(),
        }))),
        ("GET", ["oracle"]) => show(&lab.oracle()),
        ("GET", ["counters"]) => show(&lab.counters()),
        ("GET", ["log"]) => show(&json!({"counters": lab.log_counters(), "entries": lab.log()})),
        ("GET", ["faults"]) => show(&lab.faults()),
        ("POST", ["faults"]) => add_faults(lab, read(incoming)?),
        ("DELETE", ["faults"]) => done(|| lab.clear_faults()),
        ("POST", ["seed"]) => Ok(seed(lab, &read(incoming)?)),
        ("PATCH", [kind @ ("contacts" | "companies" | "leads"), id]) => {
            let edit: CardEdit = read(incoming)?;
            let id = number(id)?;
            found(match *kind {
                "contacts" => lab.edit_contact(id, &edit),
                "companies" => lab.edit_company(id, &edit),
                _ => lab.edit_lead(id, &edit),
            })
        }
        ("DELETE", [kind @ ("contacts" | "companies" | "leads"), id]) => {
            let id = number(id)?;
            found(match *kind {
                "contacts" => lab.delete_contact(id),
                "companies" => lab.delete_company(id),
                _ => lab.delete_lead(id),
            })
        }
        ("POST", ["unsorted", uid, "accept"]) => {
            found(lab.accept_unsorted(uid, read::<Sorting>(incoming)?.user_id))
        }
        ("POST", ["unsorted", uid, "decline"]) => {
            found(lab.decline_unsorted(uid, read::<Sorting>(incoming)?.user_id))
        }
        ("POST", ["merge"]) => {
            let merge: Merge = read(incoming)?;
            found(lab.merge_contacts(merge.into, merge.from))
        }
        ("POST", ["clock"]) => {
            let shift: Shift = read(incoming)?;
            done(|| lab.shift_clock_ms(shift.shift_ms))
        }
        ("POST", ["rate"]) => {
            let rate: Rate = read(incoming)?;
            done(|| lab.set_rate(rate.per_integration, rate.per_account))
        }
        ("GET", ["switches"]) => show(&lab.switches()),
        ("POST", ["switches"]) => {
            let switches: Switches = read(incoming)?;
            done(|| lab.set_switches(switches))
        }
        ("POST", ["filters", state @ ("on" | "off")]) => {
            done(|| lab.set_filters_enabled(*state == "on"))
        }
        ("POST", ["block"]) => done(|| lab.set_blocked(true)),
        ("DELETE", ["block"]) => done(|| lab.set_blocked(false)),
        ("POST", ["paid"]) => done(|| lab.set_paid(true)),
        ("DELETE", ["paid"]) => done(|| lab.set_paid(false)),
        ("POST", ["tokens"]) => {
            let wish: TokenWish = read(incoming)?;
            let until = wish
                .until
                .unwrap_or_else(|| lab.now().saturating_add(86_400));
            show(&json!({"token": lab.issue_token(&wish.client_id, wish.user_id, until)}))
        }
        ("POST", ["tokens", "expire"]) => done(|| lab.expire_access_tokens()),
        ("DELETE", ["tokens"]) => done(|| lab.revoke_tokens()),
        ("POST", ["code"]) => {
            let wish: TokenWish = read(incoming)?;
            show(&json!({"code": lab.issue_code(&wish.client_id, wish.user_id)}))
        }
        ("POST", ["consent"]) => {
            let visit: Visit = read(incoming)?;
            let sent = match visit.refuse {
                true => lab.refuse_consent(&visit.link),
                false => lab.consent(&visit.link, visit.user_id),
            };
            let sent = sent.map_err(|e| Reply::problem(400, "Bad Request", &e.to_string()))?;
            show(&json!({"redirect": sent}))
        }
        ("POST", ["switch_off"]) => {
            let integration: Integration = read(incoming)?;
            lab.revoke_tokens();
            let notice = lab.switch_off_notice(&integration.client_id);
            show(&json!({"query": notice}))
        }
        ("POST", ["rename"]) => {
            let name: Name = read(incoming)?;
            done(|| lab.rename(&name.subdomain))
        }
        ("POST", ["reset"]) => done(|| lab.reset()),
        _ => Err(Reply::not_found()),
    }
}

fn seed(lab: &AmoHandle, seeds: &Seeds) -> Reply {
    let companies: Vec<u64> = seeds.companies.iter().map(|s| lab.add_company(s)).collect();
    let contacts: Vec<u64> = seeds.contacts.iter().map(|s| lab.add_contact(s)).collect();
    let leads: Vec<u64> = seeds.leads.iter().map(|s| lab.add_lead(s)).collect();
    let customers: Vec<u64> = seeds
        .customers
        .iter()
        .map(|s| lab.add_customer(s))
        .collect();
    Reply::ok(&json!({
        "companies": companies, "contacts": contacts, "leads": leads, "customers": customers,
    }))
}

/// Adds rules; with a seed, they make a new plan.
fn add_faults(lab: &AmoHandle, faults: Faults) -> Result<Reply, Reply> {
    if let Some(seed) = faults.seed {
        lab.set_faults(FaultPlan::new(seed));
    }
    for rule in faults.rules {
        lab.add_fault(rule)
            .map_err(|e| Reply::problem(400, "Bad Request", &e.to_string()))?;
    }
    show(&lab.faults())
}

fn read<T: DeserializeOwned>(incoming: &Incoming) -> Result<T, Reply> {
    serde_json::from_slice(&incoming.body)
        .map_err(|e| Reply::problem(400, "Bad Request", &e.to_string()))
}

fn number(id: &str) -> Result<u64, Reply> {
    id.parse().map_err(|_| Reply::not_found())
}

fn show<T: serde::Serialize>(value: &T) -> Result<Reply, Reply> {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    Ok(Reply::ok(&value))
}

fn done(act: impl FnOnce()) -> Result<Reply, Reply> {
    act();
    Ok(Reply::empty())
}

fn found(found: bool) -> Result<Reply, Reply> {
    if found {
        Ok(Reply::empty())
    } else {
        Err(Reply::not_found())
    }
}
