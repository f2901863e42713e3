//! Deals that are passed to the account (`pbx/uis.md` §4.6): funnels, and uploads of which one bad
//! deal fails the whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::api::{Found, Refusal};
use super::world::{World, unix};

const DEALS_MAX: usize = 1_000;
/// Beyond this the link of a deal to its communication is dropped.
const LINK_MAX_S: i64 = 30 * 86_400;

const REQUIRED: [&str; 6] = [
    "ext_id",
    "name",
    "created_date_time",
    "modified_stage_date_time",
    "sales_funnel_ext_id",
    "stage_ext_id",
];

const OPTIONAL: [&str; 13] = [
    "modified_date_time",
    "closed_date_time",
    "revenue",
    "contact_ext_ids",
    "main_contact_ext_id",
    "employee_ext_id",
    "lead_ext_id",
    "company_ext_id",
    "comments",
    "source",
    "communication_id",
    "communication_type",
    "tags",
];

const COMMUNICATIONS: [&str; 5] = ["chat", "offline_message", "call", "goal", "email"];

/// What the account holds of deals.
#[derive(Debug, Default)]
pub(super) struct Deals {
    /// Funnel -> its stages.
    funnels: BTreeMap<String, Vec<String>>,
    pub(super) deals: BTreeMap<String, Map<String, Value>>,
    /// How often each was taken, or given again without a change.
    pub(super) taken: u64,
    /// Names that make a deal a bad one.
    pub(super) bad_name: Option<String>,
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    let text = object.get(key).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// `create.sales_funnel`.
pub(super) fn create_funnel(
    world: &mut World,
    params: &Map<String, Value>,
) -> Result<Found, Refusal> {
    let missed = |key: &'static str| Refusal::of("required_parameter_missed", key);
    let id = text(params, "ext_id").ok_or_else(|| missed("ext_id"))?;
    text(params, "name").ok_or_else(|| missed("name"))?;
    let stages = params.get("stages").and_then(Value::as_object);
    let stages = stages.ok_or_else(|| missed("stages"))?;
    let mut ids = Vec::new();
    for key in ["success", "failed"] {
        let stage = stages.get(key).and_then(Value::as_object);
        let stage = stage.and_then(|stage| text(stage, "ext_id"));
        ids.push(stage.ok_or_else(|| missed("stages"))?.to_owned());
    }
    for stage in stages
        .get("process")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let stage = stage.as_object().and_then(|stage| text(stage, "ext_id"));
        ids.push(stage.ok_or_else(|| missed("stages.process"))?.to_owned());
    }
    if world.deals.funnels.contains_key(id) {
        return Err(Refusal::of("already_exists", "ext_id"));
    }
    world.deals.funnels.insert(id.to_owned(), ids);
    Ok(Found::of(json!({ "id": world.deals.funnels.len() })))
}

/// `upload.deals_history`: all or none.
pub(super) fn upload(world: &mut World, params: &Map<String, Value>) -> Result<Found, Refusal> {
    let deals = params.get("deals").and_then(Value::as_array);
    let deals = deals.ok_or_else(|| Refusal::of("required_parameter_missed", "deals"))?;
    if deals.is_empty() || deals.len() > DEALS_MAX {
        return Err(Refusal::of("limit_exceeded_of_list", "deals"));
    }
    let mut checked = Vec::new();
    for deal in deals {
        checked.push(check(&world.deals, deal)?);
    }
    for mut deal in checked {
        let id = text(&deal, "ext_id").unwrap_or_default().to_owned();
        let time = |deal: &Map<String, Value>, key| text(deal, key).and_then(unix);
        let communicated = deal.get("communication_id").and_then(Value::as_u64);
        let call = communicated.and_then(|id| world.calls.get(&id));
        let made = time(&deal, "created_date_time").unwrap_or_default();
        if call.is_some_and(|call| (made - call.began).abs() > LINK_MAX_S) {
            deal.remove("communication_id");
            deal.remove("communication_type");
        }
        world.deals.taken += 1;
        let changed = |deal: &Map<String, Value>| {
            time(deal, "modified_date_time").max(time(deal, "modified_stage_date_time"))
        };
        // A change needs a date of change that moved.
        let known = world.deals.deals.get(&id);
        if known.is_none_or(|known| changed(known) < changed(&deal)) {
            world.deals.deals.insert(id, deal);
        }
    }
    Ok(Found::of(json!({ "status": "ok" })))
}

fn check(known: &Deals, deal: &Value) -> Result<Map<String, Value>, Refusal> {
    let deal = deal
        .as_object()
        .ok_or_else(|| Refusal::of("data_type_error", "deals"))?;
    for key in REQUIRED {
        text(deal, key).ok_or_else(|| Refusal::of("required_parameter_missed", key))?;
    }
    let is_known =
        |key: &&String| !REQUIRED.contains(&key.as_str()) && !OPTIONAL.contains(&key.as_str());
    if let Some(key) = deal.keys().find(is_known) {
        return Err(Refusal::of("unexpected_parameter", key));
    }
    for key in [
        "created_date_time",
        "modified_stage_date_time",
        "modified_date_time",
        "closed_date_time",
    ] {
        let is_bad = deal.contains_key(key) && text(deal, key).and_then(unix).is_none();
        if is_bad {
            return Err(Refusal::of("data_type_error", key));
        }
    }
    if deal
        .get("revenue")
        .is_some_and(|revenue| !revenue.is_number())
    {
        return Err(Refusal::of("data_type_error", "revenue"));
    }
    let both = [
        ["communication_id", "communication_type"],
        ["contact_ext_ids", "main_contact_ext_id"],
    ];
    for [one, other] in both {
        if deal.contains_key(one) != deal.contains_key(other) {
            return Err(Refusal::of("required_parameter_missed", other));
        }
    }
    if text(deal, "communication_type").is_some_and(|kind| !COMMUNICATIONS.contains(&kind)) {
        return Err(Refusal::of(
            "incorrect_parameter_value",
            "communication_type",
        ));
    }
    let funnel = text(deal, "sales_funnel_ext_id").and_then(|id| known.funnels.get(id));
    let funnel = funnel.ok_or_else(|| Refusal::of("not_found", "sales_funnel_ext_id"))?;
    if !text(deal, "stage_ext_id").is_some_and(|stage| funnel.iter().any(|one| one == stage)) {
        return Err(Refusal::of("not_found", "stage_ext_id"));
    }
    let name = text(deal, "name").unwrap_or_default();
    if known
        .bad_name
        .as_ref()
        .is_some_and(|bad| name.contains(bad))
    {
        return Err(Refusal::of("incorrect_parameter_value", "name"));
    }
    Ok(deal.clone())
}
