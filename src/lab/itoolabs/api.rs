//! Both generations of the API (`pbx/megafon.md` A2, A3).

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Value, json};

use super::calls::{CallKind, VatsCall};
use super::history::read_time;
use super::options::MakeCallForm;
use super::presence;
use super::server::VatsHandle;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/crmapi/v1/makecall", web::post().to(make_call))
        .route("/crmapi/v1/users", web::get().to(users))
        .route("/crmapi/v1/groups", web::get().to(groups))
        .route("/crmapi/v1/telnums", web::get().to(telnums))
        .route("/crmapi/v1/history/json", web::get().to(history))
        .route("/sys/crm_api.wcgp", web::post().to(wcgp))
        .route("/sys/crm_api.wcgp", web::get().to(wcgp))
        .route("/rec/{file}", web::get().to(record))
        .route("/rec/{file}", web::head().to(record));
    presence::configure(config);
}

/// Whoever asks the new API without being permitted to hears why.
pub(super) fn refusal(vats: &VatsHandle, request: &HttpRequest) -> Option<HttpResponse> {
    if let Some(unwell) = unwell(vats) {
        return Some(unwell);
    }
    let key = request.headers().get("x-api-key");
    let right = key.and_then(|key| key.to_str().ok()) == Some(&vats.api_key());
    let wrong = || HttpResponse::Unauthorized().json(json!({ "message": "Invalid API key" }));
    (!right).then(wrong)
}

fn unwell(vats: &VatsHandle) -> Option<HttpResponse> {
    if vats.switches().down {
        return Some(HttpResponse::ServiceUnavailable().body("maintenance"));
    }
    let over = || {
        HttpResponse::TooManyRequests()
            .insert_header(("Retry-After", "2"))
            .json(json!({ "message": "Too many requests" }))
    };
    (!vats.admit()).then(over)
}

pub(super) fn bad(message: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "message": message }))
}

fn listed(vats: &VatsHandle, items: Vec<Value>, info: Value) -> HttpResponse {
    if items.is_empty() && vats.switches().empty_is_null {
        return HttpResponse::Ok().body("null");
    }
    HttpResponse::Ok().json(json!({ "items": items, "info": info }))
}

async fn users(
    vats: web::Data<VatsHandle>,
    request: HttpRequest,
    query: web::Query<HashMap<String, String>>,
) -> HttpResponse {
    if let Some(refusal) = refusal(&vats, &request) {
        return refusal;
    }
    let start = query.get("start").and_then(|text| text.parse().ok());
    let start: usize = start.unwrap_or(0);
    let page = vats.switches().page;
    let all = vats.lock().options.users.clone();
    let items = all.iter().skip(start).take(page);
    let items = items.map(|user| {
        json!({
            "login": user.login, "name": user.name, "ext": user.ext, "telnum": user.telnum,
            "mobile": null, "email": user.email, "position": null, "role": "user",
            "mobile_redirect": { "enabled": false, "forward": false, "delay": 0 },
        })
    });
    let items: Vec<Value> = items.collect();
    let reached = start + items.len();
    let next = (reached < all.len()).then_some(reached);
    let info = json!({ "start": start, "limit": page, "total": all.len(), "next": next });
    listed(&vats, items, info)
}

async fn groups(vats: web::Data<VatsHandle>, request: HttpRequest) -> HttpResponse {
    if let Some(refusal) = refusal(&vats, &request) {
        return refusal;
    }
    let all = vats.lock().options.groups.clone();
    let items = all.iter().map(|group| {
        let user = |login: &String| json!({ "login": login, "calls_enable": true });
        let users: Vec<Value> = group.logins.iter().map(user).collect();
        json!({
            "id": group.id, "name": group.name, "ext": group.ext, "call_order": "all",
            "call_duration": 20, "users": users, "advanced": "off",
        })
    });
    listed(
        &vats,
        items.collect(),
        json!({ "total": all.len(), "next": null }),
    )
}

async fn telnums(vats: web::Data<VatsHandle>, request: HttpRequest) -> HttpResponse {
    if let Some(refusal) = refusal(&vats, &request) {
        return refusal;
    }
    if !vats.switches().telnums {
        return HttpResponse::NotFound().json(json!({ "message": "Not found" }));
    }
    let numbers = vats.lock().options.numbers.clone();
    let items = numbers.iter().map(|number| json!({ "telnum": number }));
    listed(&vats, items.collect(), json!({ "next": null }))
}

async fn history(
    vats: web::Data<VatsHandle>,
    request: HttpRequest,
    query: web::Query<HashMap<String, String>>,
) -> HttpResponse {
    if let Some(refusal) = refusal(&vats, &request) {
        return refusal;
    }
    let switches = vats.switches();
    let time = |name: &str| read_time(query.get(name)?, &switches);
    let (Some(from), Some(until)) = (time("start"), time("end")) else {
        return bad("Invalid parameters: [start, end]");
    };
    let rows: Vec<Value> = vats
        .rows(from, until)
        .iter()
        .map(super::history::Row::json)
        .collect();
    if rows.is_empty() && switches.empty_is_null {
        return HttpResponse::Ok().body("null");
    }
    HttpResponse::Ok().json(rows)
}

async fn make_call(vats: web::Data<VatsHandle>, request: HttpRequest, body: Bytes) -> HttpResponse {
    if let Some(refusal) = refusal(&vats, &request) {
        return refusal;
    }
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match order(&vats, text("user"), text("phone"), text("clid")) {
        Some(answer) => answer,
        None => bad("Invalid parameters: [user, phone]"),
    }
}

/// Rings the employee, then the client; the call that follows is told as any other.
fn order(vats: &VatsHandle, user: &str, phone: &str, clid: &str) -> Option<HttpResponse> {
    let user = vats.user(user)?;
    let digits = phone.len() >= 10 && phone.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return None;
    }
    let callid = vats.new_id();
    let call = VatsCall::new(CallKind::Outgoing, phone).users(&[&user.login]);
    let (playing, id) = (vats.clone(), callid.clone());
    actix_web::rt::spawn(async move { playing.play_as(&id, call).await });
    Some(match vats.switches().make_call {
        MakeCallForm::Callid => HttpResponse::Ok().json(json!({ "callid": callid, "clid": clid })),
        MakeCallForm::Uuid => HttpResponse::Ok().json(json!({ "uuid": callid })),
        MakeCallForm::CapitalId => HttpResponse::Ok().json(json!({ "CallID": callid })),
        MakeCallForm::Bare => HttpResponse::Ok().body(callid),
        MakeCallForm::Empty => HttpResponse::Ok().finish(),
    })
}

/// The old form: a command in a form, or in the query.
async fn wcgp(vats: web::Data<VatsHandle>, request: HttpRequest, body: Bytes) -> HttpResponse {
    if let Some(unwell) = unwell(&vats) {
        return unwell;
    }
    let of_body = url::form_urlencoded::parse(&body);
    let of_query = url::form_urlencoded::parse(request.query_string().as_bytes());
    let fields: HashMap<String, String> = of_query
        .chain(of_body)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let invalid = |what: &str| {
        let words = format!("Invalid parameters: [{what}]");
        HttpResponse::BadRequest().json(json!({ "error": words }))
    };
    if text("token") != vats.api_key() {
        return HttpResponse::Unauthorized().json(json!({ "error": "Invalid token" }));
    }
    let command = text("cmd").to_ascii_lowercase();
    if let Some(answer) = presence::command(&vats, &command, &fields) {
        return answer;
    }
    match command.as_str() {
        "makecall" => match order(&vats, text("user"), text("phone"), text("clid")) {
            Some(answer) => answer,
            None => invalid("user"),
        },
        "accounts" => {
            let users = vats.lock().options.users.clone();
            let items = users.iter().map(|user| {
                json!({
                    "name": user.login, "realName": user.name, "ext": user.ext,
                    "telnum": user.telnum.clone().unwrap_or_default(),
                })
            });
            HttpResponse::Ok().json(items.collect::<Vec<_>>())
        }
        "groups" => {
            let groups = vats.lock().options.groups.clone();
            let items = groups
                .iter()
                .map(|group| json!({ "id": group.id, "realName": group.name, "ext": group.ext }));
            HttpResponse::Ok().json(items.collect::<Vec<_>>())
        }
        "history" => {
            let switches = vats.switches();
            let time = |name: &str| read_time(text(name), &switches);
            let (Some(from), Some(until)) = (time("start"), time("end")) else {
                return invalid("start");
            };
            let rows = vats.rows(from, until);
            let text: String = rows.iter().map(|row| row.csv(&switches)).collect();
            HttpResponse::Ok().content_type("text/csv").body(text)
        }
        _ => invalid("cmd"),
    }
}

/// A recording: a second of silence.
async fn record(
    vats: web::Data<VatsHandle>,
    request: HttpRequest,
    file: web::Path<String>,
) -> HttpResponse {
    if vats.switches().record_wants_key
        && let Some(refusal) = refusal(&vats, &request)
    {
        return refusal;
    }
    let known = file.strip_suffix(".wav").is_some_and(|callid| {
        let rows = vats.rows(0, i64::MAX);
        let mut records = rows.iter().filter_map(|row| row.record.as_deref());
        records.any(|record| record.ends_with(&format!("/{callid}.wav")))
    });
    match known {
        true => HttpResponse::Ok().content_type("audio/wav").body(silence()),
        false => HttpResponse::NotFound().finish(),
    }
}

/// Eight thousand samples of eight bits.
fn silence() -> Vec<u8> {
    const SAMPLES: u32 = 8_000;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + SAMPLES * 2).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(SAMPLES.to_le_bytes());
    file.extend((SAMPLES * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend((SAMPLES * 2).to_le_bytes());
    file.extend(std::iter::repeat_n(0_u8, 16_000));
    file
}
