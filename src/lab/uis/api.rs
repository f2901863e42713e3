//! The frame of both APIs and the methods of the Data API (`pbx/uis.md` §3.1, §4).

use serde_json::{Map, Value, json};

use super::call_api;
use super::deals;
use super::world::{World, unix};

/// Longest interval of a report (`pbx/uis.md` §4), and of messages (corrections 5).
const INTERVAL_MAX_S: i64 = 92 * 86_400;
const MESSAGES_INTERVAL_MAX_S: i64 = 30 * 86_400;

/// Rows of a page.
const LIMIT_USUAL: u64 = 1_000;
const LIMIT_MAX: u64 = 10_000;
const OFFSET_MAX: u64 = 100_000;

/// Which API is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Data,
    Call,
}

/// A refusal.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    code: i64,
    mnemonic: &'static str,
    field: Option<String>,
    /// Whether limits stand in it (corrections 7).
    with_limits: bool,
    /// What status it has where those are switched on.
    status: u16,
}

impl Refusal {
    pub(super) fn new(code: i64, mnemonic: &'static str) -> Self {
        Self {
            code,
            mnemonic,
            field: None,
            with_limits: true,
            status: 400,
        }
    }

    pub(super) fn of(mnemonic: &'static str, field: &str) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(-32602, mnemonic)
        }
    }

    fn bare(code: i64, mnemonic: &'static str, status: u16) -> Self {
        Self {
            with_limits: false,
            status,
            ..Self::new(code, mnemonic)
        }
    }
}

/// What a method found: the data, and how many there are in all.
pub(super) struct Found {
    pub(super) data: Value,
    pub(super) total: Option<usize>,
}

impl Found {
    pub(super) fn of(data: Value) -> Self {
        Self { data, total: None }
    }
}

/// Answers a body: the status and the frame.
pub(super) fn answer(world: &mut World, which: Which, body: &[u8], now: i64) -> (u16, Value) {
    let frame: Value = match serde_json::from_slice(body) {
        Ok(frame) => frame,
        Err(_) => {
            return refused(
                world,
                Value::Null,
                &Refusal::bare(-32700, "parse_error", 400),
                now,
            );
        }
    };
    let id = frame.get("id").cloned().unwrap_or(Value::Null);
    match carry_out(world, which, &frame, now) {
        Ok(found) => {
            world.points.spend();
            let mut metadata = json!({ "limits": world.points.metadata(now) });
            if let Some(total) = found.total {
                metadata["total_items"] = total.into();
            }
            let name = if world.switches.meta_data {
                "meta_data"
            } else {
                "metadata"
            };
            let result = json!({ "data": found.data, name: metadata });
            (200, json!({ "jsonrpc": "2.0", "id": id, "result": result }))
        }
        Err(refusal) => refused(world, id, &refusal, now),
    }
}

fn refused(world: &World, id: Value, refusal: &Refusal, now: i64) -> (u16, Value) {
    let metadata = match refusal.with_limits {
        true => json!({ "limits": world.points.metadata(now) }),
        false => json!({}),
    };
    let error = json!({
        "code": refusal.code, "message": format!("Refused: {}", refusal.mnemonic),
        "data": { "mnemonic": refusal.mnemonic, "field": refusal.field, "value": null,
            "params": {}, "extended_helper": null, "metadata": metadata },
    });
    let status = if world.switches.errors_with_status {
        refusal.status
    } else {
        200
    };
    (
        status,
        json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    )
}

fn carry_out(world: &mut World, which: Which, frame: &Value, now: i64) -> Result<Found, Refusal> {
    if frame.is_array() {
        return Err(Refusal::bare(-32099, "batch_opreations_not_supported", 400));
    }
    let id = frame.get("id").unwrap_or(&Value::Null);
    if id.is_null() {
        return Err(Refusal::bare(-32099, "notifications_not_supported", 400));
    }
    let method = frame.get("method").and_then(Value::as_str);
    let method = method.ok_or(Refusal::bare(-32600, "invalid_request", 400))?;
    *world.asked.entry(method.to_owned()).or_default() += 1;
    if world.switches.ip_not_whitelisted {
        return Err(Refusal::bare(-32003, "ip_not_whitelisted", 403));
    }
    let empty = Map::new();
    let params = frame
        .get("params")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    if method == "login.user" {
        return login(world, params, now);
    }
    authorise(world, params)?;
    if world.switches.component_disabled {
        return Err(Refusal::new(-32008, "component_disabled"));
    }
    if !world.points.has_some(now) {
        return Err(Refusal::new(-32029, "limit_exceeded"));
    }
    match (which, method) {
        (Which::Data, "get.account") => Ok(account()),
        (Which::Data, "get.employees") => employees(world, params),
        (Which::Data, "get.virtual_numbers") => Ok(numbers()),
        (Which::Data, "get.calls_report") => calls(world, params, now),
        (Which::Data, "get.chats_report") => chats(world, params, now),
        (Which::Data, "get.chat_messages_report") => messages(world, params, now),
        (Which::Data, "get.offline_messages_report") => requests(world, params, now),
        (Which::Data, "get.reports_list") => Ok(reports()),
        (Which::Data, "get.mgf_calls") => history(world, params, now),
        (Which::Data, "create.sales_funnel") => deals::create_funnel(world, params),
        (Which::Data, "upload.deals_history") => deals::upload(world, params),
        (Which::Call, "start.employee_call") => call_api::start(world, params),
        (Which::Data | Which::Call, _) => Err(Refusal::bare(-32601, "method_not_found", 404)),
    }
}

fn login(world: &mut World, params: &Map<String, Value>, now: i64) -> Result<Found, Refusal> {
    let is = |key: &str, value: &str| params.get(key).and_then(Value::as_str) == Some(value);
    if !is("login", &world.login) || !is("password", &world.password) {
        return Err(Refusal::bare(-32001, "auth_error", 401));
    }
    let token = format!("session-{}", world.sessions.len() + 1);
    world.sessions.insert(token.clone());
    world.switches.sessions_ended = false;
    Ok(Found::of(
        json!({ "access_token": token, "expire_at": now + 3_600 }),
    ))
}

fn authorise(world: &mut World, params: &Map<String, Value>) -> Result<(), Refusal> {
    let token = params.get("access_token").and_then(Value::as_str);
    let token = token.ok_or(Refusal::of("required_parameter_missed", "access_token"))?;
    if token == world.key {
        return Ok(());
    }
    if world.switches.sessions_ended {
        world.sessions.clear();
    }
    if world.sessions.contains(token) {
        return Ok(());
    }
    let mnemonic = match world.switches.ended_is_expired {
        true => "access_token_expired",
        false => "access_token_invalid",
    };
    Err(Refusal::bare(-32001, mnemonic, 401))
}

fn account() -> Found {
    Found::of(json!([{ "app_id": 4242, "name": "Акме", "timezone": "Europe/Moscow" }]))
}

fn employees(world: &World, params: &Map<String, Value>) -> Result<Found, Refusal> {
    let rows: Vec<Value> = world
        .employees
        .iter()
        .map(|(id, name)| {
            json!({
                "id": id, "login": format!("user{id}"), "full_name": name,
                "email": format!("user{id}@example.org"),
                "phone_numbers": [
                    { "phone_id": 1, "phone_number": "74950000999", "status": "inactive" },
                    { "phone_id": 2, "phone_number": format!("7495000{id:04}"), "status": "active" },
                ],
                "extension": { "extension_phone_number": format!("{}", id % 1000) },
            })
        })
        .collect();
    page(rows, params, &["id", "full_name"])
}

fn numbers() -> Found {
    Found::of(json!([
        { "id": 1, "virtual_phone_number": "74951230000", "name": "Главный", "status": "active",
          "scenarios": [{ "scenario_id": 1, "scenario_name": "Основной", "is_active": true }] },
        { "id": 2, "virtual_phone_number": "74951230009", "name": null, "status": "cleaning" },
    ]))
}

fn reports() -> Found {
    Found::of(json!([{ "id": 7, "name": "Обращения" }, { "id": 9, "name": "История звонков" }]))
}

/// Reads the interval of a report.
fn interval(params: &Map<String, Value>, max_s: i64) -> Result<(i64, i64), Refusal> {
    let bound = |key: &str| {
        let text = params.get(key).and_then(Value::as_str);
        let text = text.ok_or_else(|| Refusal::of("required_parameter_missed", key))?;
        unix(text).ok_or_else(|| Refusal::of("invalid_date_time", key))
    };
    let (from, till) = (bound("date_from")?, bound("date_till")?);
    match till - from {
        span if span < 0 => Err(Refusal::of("invalid_parameter_value", "date_till")),
        span if span > max_s => Err(Refusal::of("date_interval_limit_reached", "date_from")),
        _ => Ok((from, till)),
    }
}

fn known_only(params: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    let common = [
        "access_token",
        "offset",
        "limit",
        "fields",
        "filter",
        "sort",
        "user_id",
    ];
    let mut keys = params.keys();
    match keys.find(|key| !known.contains(&key.as_str()) && !common.contains(&key.as_str())) {
        Some(key) => Err(Refusal::of("unexpected_parameters", key)),
        None => Ok(()),
    }
}

/// Cuts a page out, and out of each row the fields that were asked for.
fn page(rows: Vec<Value>, params: &Map<String, Value>, usual: &[&str]) -> Result<Found, Refusal> {
    let number = |key: &str, usual: u64| params.get(key).map_or(Some(usual), Value::as_u64);
    let limit = number("limit", LIMIT_USUAL).filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let limit = limit.ok_or_else(|| Refusal::of("invalid_parameter_value", "limit"))?;
    let offset = number("offset", 0).filter(|offset| *offset <= OFFSET_MAX);
    let offset = offset.ok_or_else(|| Refusal::of("invalid_parameter_value", "offset"))?;
    let fields = params.get("fields").and_then(Value::as_array);
    let asked: Vec<&str> = match fields {
        Some(fields) => fields.iter().filter_map(Value::as_str).collect(),
        None => usual.to_vec(),
    };
    let total = rows.len();
    let cut = rows
        .into_iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX));
    let cut = cut.take(usize::try_from(limit).unwrap_or(usize::MAX));
    let narrow = |row: Value| {
        let row = row.as_object().cloned().unwrap_or_default();
        let kept = asked
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), row.get(*key)?.clone())));
        Value::Object(kept.collect())
    };
    Ok(Found {
        data: cut.map(narrow).collect(),
        total: Some(total),
    })
}

fn calls(world: &World, params: &Map<String, Value>, now: i64) -> Result<Found, Refusal> {
    known_only(params, &["date_from", "date_till", "include_ongoing_calls"])?;
    refuse_filter(params)?;
    let (from, till) = interval(params, INTERVAL_MAX_S)?;
    let ongoing = params.get("include_ongoing_calls") == Some(&Value::Bool(true));
    let shown_until = now - i64::from(world.switches.lag_s);
    let rows = world.calls.values().filter(|call| {
        let here = (from..=till).contains(&call.began) && call.began <= shown_until;
        here && (ongoing || call.ended() <= shown_until)
    });
    let rows = rows.map(|call| world.call_row(call, shown_until)).collect();
    page(
        rows,
        params,
        &[
            "id",
            "start_time",
            "finish_time",
            "direction",
            "contact_phone_number",
        ],
    )
}

fn refuse_filter(params: &Map<String, Value>) -> Result<(), Refusal> {
    match params.get("filter") {
        Some(_) => Err(Refusal::of("filter_prohibited", "filter")),
        None => Ok(()),
    }
}

/// Reads a filter by id: one, or a list.
fn filtered_ids(params: &Map<String, Value>) -> Result<Option<Vec<u64>>, Refusal> {
    let Some(filter) = params.get("filter") else {
        return Ok(None);
    };
    if filter.get("field").and_then(Value::as_str) != Some("id") {
        return Err(Refusal::of("filter_prohibited", "filter"));
    }
    let value = filter.get("value").unwrap_or(&Value::Null);
    match (filter.get("operator").and_then(Value::as_str), value) {
        (Some("in"), Value::Array(values)) => {
            Ok(Some(values.iter().filter_map(Value::as_u64).collect()))
        }
        (Some("="), value) => Ok(Some(value.as_u64().into_iter().collect())),
        _ => Err(Refusal::of("invalid_parameter_value", "filter")),
    }
}

fn chats(world: &World, params: &Map<String, Value>, now: i64) -> Result<Found, Refusal> {
    known_only(params, &["date_from", "date_till"])?;
    let (from, till) = interval(params, INTERVAL_MAX_S)?;
    if world.switches.chat_filter_prohibited {
        refuse_filter(params)?;
    }
    let ids = filtered_ids(params)?;
    let shown_until = now - i64::from(world.switches.lag_s);
    let rows = world.chats.values().filter(|chat| {
        let wanted = ids.as_ref().is_none_or(|ids| ids.contains(&chat.id));
        wanted && (from..=till).contains(&chat.began) && chat.began <= shown_until
    });
    let rows = rows.map(|chat| world.chat_row(chat, now)).collect();
    page(
        rows,
        params,
        &["id", "date_time", "duration", "status", "visitor_id"],
    )
}

fn messages(world: &World, params: &Map<String, Value>, now: i64) -> Result<Found, Refusal> {
    known_only(params, &["date_from", "date_till", "chat_id", "chat_ids"])?;
    refuse_filter(params)?;
    let chat = params.get("chat_id").map(|id| {
        id.as_u64()
            .ok_or_else(|| Refusal::of("data_type_error", "chat_id"))
    });
    let chat = chat.transpose()?;
    let window = match chat {
        Some(_) => None,
        None => Some(interval(params, MESSAGES_INTERVAL_MAX_S)?),
    };
    let mut rows = Vec::new();
    for one in world
        .chats
        .values()
        .filter(|one| chat.is_none_or(|id| one.id == id))
    {
        for message in one.messages.iter().filter(|message| message.at <= now) {
            if window.is_none_or(|(from, till)| (from..=till).contains(&message.at)) {
                rows.push(world.message_row(one, message));
            }
        }
    }
    page(rows, params, &["id", "chat_id", "date_time", "text"])
}

fn requests(world: &World, params: &Map<String, Value>, now: i64) -> Result<Found, Refusal> {
    known_only(
        params,
        &["date_from", "date_till", "include_tech_offline_messages"],
    )?;
    refuse_filter(params)?;
    let (from, till) = interval(params, INTERVAL_MAX_S)?;
    let shown_until = now - i64::from(world.switches.lag_s);
    let rows = world
        .requests
        .values()
        .filter(|request| (from..=till).contains(&request.at) && request.at <= shown_until);
    let rows = rows.map(|request| world.request_row(request)).collect();
    page(
        rows,
        params,
        &[
            "id",
            "text",
            "status",
            "visitor_name",
            "visitor_phone_number",
        ],
    )
}

fn history(world: &World, params: &Map<String, Value>, now: i64) -> Result<Found, Refusal> {
    known_only(params, &["date_from", "date_till", "report_id"])?;
    if params.get("report_id").and_then(Value::as_u64) != Some(9) {
        return Err(Refusal::of("entity_not_found", "report_id"));
    }
    if !params.contains_key("fields") {
        return Err(Refusal::of("required_parameter_missed", "fields"));
    }
    let (from, till) = interval(params, 366 * 86_400)?;
    let shown_until = now - i64::from(world.switches.lag_s);
    let rows = world
        .calls
        .values()
        .filter(|call| (from..=till).contains(&call.began) && call.ended() <= shown_until);
    page(rows.map(|call| world.mgf_row(call)).collect(), params, &[])
}
