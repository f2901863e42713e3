//! The way into the simulator for scripts and for `trunkline-lab`. These requests are neither
//! limited, struck by faults nor logged. Bodies are JSON; unknown keys are refused.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /_lab` | `base_url`, `oauth_url`, `webhook_url`, `domain`, `member_id`, `now` |
//! | `GET /_lab/oracle`, `/counters`, `/log` | what the portal holds; counters; requests |
//! | `POST /_lab/seed` | `{companies, contacts, leads, deals}`, each a list; answers ids |
//! | `PATCH`, `DELETE /_lab/{contact,company,lead,deal}/{id}` | as a person edits or deletes |
//! | `POST /_lab/activities/{id}/complete` | as a person who has done it |
//! | `GET`, `POST`, `DELETE /_lab/faults` | `{seed?, rules}`; a seed begins a new plan |
//! | `GET`, `POST /_lab/switches` | what the contract leaves open |
//! | `POST /_lab/clock` | `{shift_ms}` |
//! | `POST /_lab/mode/{classic,simple}` | with leads, or without |
//! | `POST /_lab/bucket` | `{capacity, drain_per_second}` |
//! | `POST`, `DELETE /_lab/parked/{method}` | `OPERATION_TIME_LIMIT` for a method |
//! | `POST`, `DELETE /_lab/trouble` | `{status, code, text}`: what everything is answered with |
//! | `POST`, `DELETE /_lab/paid` | the plan |
//! | `POST /_lab/tokens`, `/_lab/code` | `{client_id, user}`: a pair of tokens; a code |
//! | `POST /_lab/tokens/expire`, `DELETE /_lab/tokens` | end or forget the tokens |
//! | `POST /_lab/consent` | `{link, user}`: as a person on the page; answers where it leads |
//! | `POST`, `DELETE /_lab/applications/{client_id}` | install (answers the form), uninstall |
//! | `POST /_lab/applications/{client_id}/page` | `{user, placement?, options?}`: what a page is told |
//! | `POST /_lab/click` | `{user, phone, line?, card?}`: answers `call_id` |
//! | `POST /_lab/callback` | `{phone, text?, line?}`: the callback form |
//! | `POST /_lab/rename` | `{domain}` |
//! | `POST /_lab/reset` | a new portal |

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::exchange::{Incoming, Reply};
use super::handle::BitrixHandle;
use super::installation::Click;
use super::oauth::Consent;
use super::options::Mode;
use super::records::Kind;
use super::seed::{CardEdit, SeedCard, SeedDeal};
use super::switches::Switches;
use crate::lab::fault::{FaultPlan, Rule};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Seeds {
    companies: Vec<SeedCard>,
    contacts: Vec<SeedCard>,
    leads: Vec<SeedCard>,
    deals: Vec<SeedDeal>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Faults {
    seed: Option<u64>,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    shift_ms: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bucket {
    capacity: u32,
    drain_per_second: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trouble {
    status: u16,
    code: String,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenWish {
    client_id: String,
    user: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    link: String,
    user: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageWish {
    user: u64,
    placement: Option<String>,
    #[serde(default)]
    options: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    phone: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    line: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    domain: String,
}

/// Answers a request under `/_lab/`.
pub(super) fn control(lab: &BitrixHandle, incoming: &Incoming) -> Reply {
    let segments: Vec<&str> = incoming.path.split('/').filter(|s| !s.is_empty()).collect();
    let rest = segments.get(1..).unwrap_or_default();
    answer(lab, incoming, rest).unwrap_or_else(|refusal| refusal)
}

fn answer(lab: &BitrixHandle, incoming: &Incoming, rest: &[&str]) -> Result<Reply, Reply> {
    match (incoming.method.as_str(), rest) {
        ("GET", []) => show(&json!({
            "base_url": lab.base_url(), "oauth_url": lab.oauth_url(),
            "webhook_url": lab.webhook_url(), "domain": lab.domain(),
            "member_id": lab.options().member_id, "now": lab.now(),
        })),
        ("GET", ["oracle"]) => show(&lab.oracle()),
        ("GET", ["counters"]) => show(&lab.counters()),
        ("GET", ["log"]) => show(&json!({"counters": lab.log_counters(), "entries": lab.log()})),
        ("GET", ["faults"]) => show(&lab.faults()),
        ("POST", ["faults"]) => add_faults(lab, read(incoming)?),
        ("DELETE", ["faults"]) => done(|| lab.clear_faults()),
        ("POST", ["seed"]) => seed(lab, &read(incoming)?),
        ("POST", ["activities", id, "complete"]) => found(lab.complete_activity(number(id)?)),
        ("GET", ["switches"]) => show(&lab.switches()),
        ("POST", ["switches"]) => {
            let switches: Switches = read(incoming)?;
            done(|| lab.set_switches(switches))
        }
        ("POST", ["clock"]) => {
            let shift: Shift = read(incoming)?;
            done(|| lab.shift_clock_ms(shift.shift_ms))
        }
        ("POST", ["mode", "classic"]) => done(|| lab.set_mode(Mode::Classic)),
        ("POST", ["mode", "simple"]) => done(|| lab.set_mode(Mode::Simple)),
        ("POST", ["bucket"]) => {
            let bucket: Bucket = read(incoming)?;
            done(|| lab.set_bucket(bucket.capacity, bucket.drain_per_second))
        }
        ("POST", ["parked", method]) => done(|| lab.park_method(method, true)),
        ("DELETE", ["parked", method]) => done(|| lab.park_method(method, false)),
        ("POST", ["trouble"]) => {
            let trouble: Trouble = read(incoming)?;
            done(|| lab.set_trouble(Some((trouble.status, &trouble.code, &trouble.text))))
        }
        ("DELETE", ["trouble"]) => done(|| lab.set_trouble(None)),
        ("POST", ["paid"]) => done(|| lab.set_paid(true)),
        ("DELETE", ["paid"]) => done(|| lab.set_paid(false)),
        ("POST", ["tokens"]) => {
            let wish: TokenWish = read(incoming)?;
            show(&lab.issue_tokens(&wish.client_id, wish.user))
        }
        ("POST", ["tokens", "expire"]) => done(|| lab.expire_access_tokens()),
        ("DELETE", ["tokens"]) => done(|| lab.revoke_tokens()),
        ("POST", ["code"]) => {
            let wish: TokenWish = read(incoming)?;
            show(&json!({"code": lab.issue_code(&wish.client_id, wish.user)}))
        }
        ("POST", ["consent"]) => {
            let visit: Visit = read(incoming)?;
            let sent = lab.consent(&visit.link, visit.user);
            show(&match sent.map_err(|error| bad(&error.to_string()))? {
                Consent::Redirect(address) => json!({"redirect": address}),
                Consent::Page(code) => json!({"code": code}),
            })
        }
        ("POST", ["applications", client_id]) => match lab.install(client_id) {
            Some(form) => show(&json!({"form": form})),
            None => Err(not_found()),
        },
        ("POST", ["applications", client_id, "page"]) => {
            let wish: PageWish = read(incoming)?;
            let placement = wish.placement.as_deref().unwrap_or("DEFAULT");
            match lab.open_page(client_id, wish.user, placement, &wish.options) {
                Some(visit) => show(&json!({"query": visit.query, "form": visit.form})),
                None => Err(not_found()),
            }
        }
        ("DELETE", ["applications", client_id]) => done(|| lab.uninstall(client_id, true)),
        ("POST", ["click"]) => {
            let click: Click = read(incoming)?;
            match lab.click(&click) {
                Some(call_id) => show(&json!({"call_id": call_id})),
                None => Err(bad("no application is bound to ONEXTERNALCALLSTART")),
            }
        }
        ("POST", ["callback"]) => {
            let wish: Callback = read(incoming)?;
            done(|| lab.ask_for_callback(&wish.phone, &wish.text, &wish.line))
        }
        ("POST", ["rename"]) => {
            let name: Name = read(incoming)?;
            done(|| lab.rename(&name.domain))
        }
        ("POST", ["reset"]) => done(|| lab.reset()),
        ("PATCH", [kind, id]) => {
            let edit: CardEdit = read(incoming)?;
            found(lab.edit(kind_of(kind)?, number(id)?, &edit))
        }
        ("DELETE", [kind, id]) => found(lab.delete(kind_of(kind)?, number(id)?)),
        _ => Err(not_found()),
    }
}

fn seed(lab: &BitrixHandle, seeds: &Seeds) -> Result<Reply, Reply> {
    let companies: Vec<u64> = seeds.companies.iter().map(|s| lab.add_company(s)).collect();
    let contacts: Vec<u64> = seeds.contacts.iter().map(|s| lab.add_contact(s)).collect();
    let leads: Vec<u64> = seeds.leads.iter().map(|s| lab.add_lead(s)).collect();
    let deals: Vec<u64> = seeds.deals.iter().map(|s| lab.add_deal(s)).collect();
    show(&json!({
        "companies": companies, "contacts": contacts, "leads": leads, "deals": deals,
    }))
}

/// Adds rules; with a seed, they make a new plan.
fn add_faults(lab: &BitrixHandle, faults: Faults) -> Result<Reply, Reply> {
    if let Some(seed) = faults.seed {
        lab.set_faults(FaultPlan::new(seed));
    }
    for rule in faults.rules {
        lab.add_fault(rule).map_err(|e| bad(&e.to_string()))?;
    }
    show(&lab.faults())
}

fn read<T: DeserializeOwned>(incoming: &Incoming) -> Result<T, Reply> {
    serde_json::from_slice(&incoming.body).map_err(|e| bad(&e.to_string()))
}

fn kind_of(name: &str) -> Result<Kind, Reply> {
    Kind::from_name(name).ok_or_else(not_found)
}

fn number(id: &str) -> Result<u64, Reply> {
    id.parse().map_err(|_| not_found())
}

fn bad(text: &str) -> Reply {
    Reply::error(400, "bad_request", text)
}

fn not_found() -> Reply {
    Reply::error(404, "not_found", "There is no such thing in the lab")
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
        Err(not_found())
    }
}
