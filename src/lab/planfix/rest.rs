//! The router of REST (`crm/planfix.md` §2 … §5).

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Incoming, Refused, Reply, refuse};
use super::limits::Over;
use super::world::World;

impl World {
    /// Says why a request is not served at all: no effect.
    pub(super) fn turned_away(&mut self, incoming: &Incoming) -> Option<Reply> {
        if !incoming.path.starts_with("/rest/") {
            return None;
        }
        let token = incoming
            .authorization
            .as_deref()
            .and_then(|text| text.strip_prefix("Bearer "));
        if token != Some(self.options.rest_token.as_str()) {
            return Some(Reply::refusal(400, 1, "Invalid token", &self.switches));
        }
        match self.limits.admit(self.now_ms) {
            Ok(()) => None,
            Err(Over::Second) => Some(Reply::page(429, "Too Many Requests")),
            Err(Over::Day) => {
                let status = self.switches.quota_status;
                let mut reply = Reply::refusal(status, 22, "Daily quota exceeded", &self.switches);
                reply.quota_left = Some(0);
                Some(reply)
            }
        }
    }

    pub(super) fn respond(&mut self, incoming: &Incoming) -> Reply {
        if incoming.path == "/tel/api" {
            return self.telephony(incoming);
        }
        let Some(path) = incoming.path.strip_prefix("/rest/") else {
            return Reply::page(404, "Not Found");
        };
        let answer = self.rest(incoming, path);
        let mut reply = match answer {
            Ok(mut answer) => {
                let made = answer.get("id").is_some() && incoming.method == "POST";
                let updated = answer.get("updated").is_some();
                if let Some(map) = answer.as_object_mut() {
                    map.remove("updated");
                    map.insert("result".to_owned(), json!("success"));
                }
                match (made, updated) {
                    (true, _) => Reply::json(201, &answer),
                    (_, true) if self.switches.updates_say_nothing => Reply::nothing(),
                    (_, true) if self.switches.updates_are_queued => Reply::json(202, &answer),
                    _ => Reply::json(200, &answer),
                }
            }
            Err((404, text)) => Reply::refusal(404, 41, &text, &self.switches),
            Err((code, text)) => Reply::refusal(400, code, &text, &self.switches),
        };
        reply.quota_left = Some(self.limits.left(self.now_ms));
        reply
    }

    fn rest(&mut self, incoming: &Incoming, path: &str) -> Answer {
        let parts: Vec<&str> = path.split('/').collect();
        let scope = super::scopes::needed(&incoming.method, &parts);
        if scope.is_some_and(|scope| self.options.missing_scopes.contains(&scope)) {
            return Err(refuse(5, "Scope is missing"));
        }
        let body = || body(incoming);
        let fields = incoming.query("fields").unwrap_or_default();
        match (incoming.method.as_str(), parts.as_slice()) {
            ("GET", ["ping"]) => Ok(json!({})),
            ("POST", ["contact", "list"]) => self.contact_list(&body()?),
            ("POST", ["contact", ""] | ["contact"]) => self.contact_create(&body()?),
            ("GET", ["contact", id]) => self.contact_get(id, &fields),
            ("POST", ["contact", id]) => self.contact_update(id, &body()?),
            ("POST", ["task", "list"]) => self.task_list(&body()?),
            ("POST", ["task", ""] | ["task"]) => self.task_create(&body()?),
            ("GET", ["task", id]) => self.task_get(id, &fields),
            ("POST", ["task", id]) => self.task_update(id, &body()?),
            ("POST", [kind @ ("task" | "contact"), id, "comments", ""]) => {
                self.comment_create(kind, id, &body()?)
            }
            ("POST", [kind @ ("task" | "contact"), id, "comments", "list"]) => {
                self.comment_list(kind, id, &body()?)
            }
            ("POST", ["user", "list"]) => self.user_list(&body()?),
            ("POST", ["object", "list"]) => self.object_list(&body()?),
            ("GET", ["object", id, "statuses"]) => self.statuses(id, &fields),
            ("GET", ["customfield", kind @ ("contact" | "task")]) => {
                self.custom_fields(kind, &fields)
            }
            (method, _) => {
                self.odd(format!("no such method: {method} {path}"));
                Err(refuse(404, "no such method"))
            }
        }
    }

    fn user_list(&mut self, body: &Map<String, Value>) -> Answer {
        let active_only = body.get("onlyActive") == Some(&json!(true));
        let fields = text(body, "fields");
        let wanted = short_number(body)?;
        let users = self
            .options
            .users
            .iter()
            .filter(|user| user.is_active || !active_only)
            .filter(|user| match (&wanted, &user.short_number) {
                (None, _) => true,
                (Some(wanted), Some(short)) => short.contains(wanted.as_str()),
                (Some(_), None) => false,
            });
        let shown: Vec<Value> = users
            .map(|user| {
                let phones: Vec<Value> = user
                    .phone
                    .iter()
                    .map(|phone| json!({ "number": phone, "type": 1 }))
                    .collect();
                let all = json!({
                    "id": user.id, "name": user.name, "lastname": user.lastname, "midname": "",
                    "email": format!("user{}@acme.example", user.id), "phones": phones,
                    "status": if user.is_active { "Active" } else { "Inactive" },
                    "role": "User", "isDeleted": false,
                });
                World::project(&all, &fields, Vec::new())
            })
            .collect();
        Ok(json!({ "users": page(shown, body)? }))
    }

    fn object_list(&mut self, body: &Map<String, Value>) -> Answer {
        let fields = text(body, "fields");
        let objects = self.options.objects.iter();
        let shown = objects.map(|object| {
            let all = json!({ "id": object.id, "name": object.name });
            World::project(&all, &fields, Vec::new())
        });
        Ok(json!({ "objects": page(shown.collect(), body)? }))
    }

    fn statuses(&mut self, id: &str, fields: &str) -> Answer {
        let id: Option<u64> = id.parse().ok();
        let object = self
            .options
            .objects
            .iter()
            .find(|object| Some(object.id) == id);
        let object = object.ok_or_else(|| refuse(41, "no such object"))?;
        let shown = object.statuses.iter().map(|status| {
            let mut all = json!({ "id": status.id, "name": status.name });
            if self.switches.statuses_tell_active {
                all["isActive"] = json!(status.is_active);
            }
            World::project(&all, fields, Vec::new())
        });
        let shown: Vec<Value> = shown.collect();
        Ok(json!({ "statuses": shown }))
    }

    fn custom_fields(&mut self, kind: &str, fields: &str) -> Answer {
        let own = self
            .options
            .fields
            .iter()
            .filter(|field| field.of_tasks == (kind == "task"));
        let shown = own.map(|field| {
            let all = json!({ "id": field.id, "name": field.name, "type": field.kind });
            World::project(&all, fields, Vec::new())
        });
        let shown: Vec<Value> = shown.collect();
        Ok(json!({ "customfields": shown }))
    }

    /// Takes additional fields: what the template has not is swallowed.
    pub(super) fn take_custom(
        &mut self,
        body: &Map<String, Value>,
        of_tasks: bool,
        template: Option<u64>,
        into: &mut std::collections::BTreeMap<u64, Value>,
    ) -> Result<(), Refused> {
        let Some(data) = body.get("customFieldData") else {
            return Ok(());
        };
        let data = data
            .as_array()
            .ok_or_else(|| refuse(41, "customFieldData"))?;
        for one in data {
            let id = one.get("field").and_then(super::world::id_of);
            let id = id.ok_or_else(|| refuse(40, "customFieldData without field"))?;
            let value = one.get("value").cloned().unwrap_or(Value::Null);
            let Some(field) = self.field(id, of_tasks) else {
                self.odd(format!("no field {id}"));
                continue;
            };
            let fits = match field.kind {
                0 | 2 | 8 => value.is_string(),
                1 => value.is_number(),
                7 => value.is_boolean(),
                _ => true,
            };
            if !fits {
                return Err(refuse(41, format!("bad value for field {id}: {value}")));
            }
            if self.keeps(id, of_tasks, template) {
                into.insert(id, value);
            }
        }
        Ok(())
    }

    /// Reads people, who must exist.
    pub(super) fn people(&self, value: Option<&Value>) -> Result<Option<Vec<u64>>, Refused> {
        let Some(value) = value else { return Ok(None) };
        let users = value.get("users").and_then(Value::as_array);
        let users = users.ok_or_else(|| refuse(41, "people without users"))?;
        let mut ids = Vec::new();
        for user in users {
            let prefixed = user.get("id").and_then(Value::as_str);
            let id = prefixed.and_then(|id| id.strip_prefix("user:")?.parse().ok());
            let id = id.filter(|id| self.user(*id).is_some());
            ids.push(id.ok_or_else(|| refuse(41, format!("no such user: {user}")))?);
        }
        Ok(Some(ids))
    }

    /// Takes note of keys that the contract does not know: Planfix drops them without a word.
    pub(super) fn note_unknown(&mut self, body: &Map<String, Value>, known: &[&str]) {
        for key in body.keys() {
            if !known.contains(&key.as_str()) {
                self.odd(format!("unknown key {key}"));
            }
        }
    }
}

fn body(incoming: &Incoming) -> Result<Map<String, Value>, Refused> {
    if !incoming.content_type.starts_with("application/json") {
        return Err(refuse(30, "not JSON"));
    }
    match serde_json::from_slice(&incoming.body) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(refuse(30, "bad JSON")),
    }
}

pub(super) fn text(body: &Map<String, Value>, key: &str) -> String {
    body.get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Cuts a page out of a list: no total is told.
pub(super) fn page(all: Vec<Value>, body: &Map<String, Value>) -> Result<Vec<Value>, Refused> {
    let number = |key: &str, usual: u64| body.get(key).map_or(Some(usual), Value::as_u64);
    let offset = number("offset", 0).ok_or_else(|| refuse(41, "offset"))?;
    let size = number("pageSize", 100).filter(|size| (1..=100).contains(size));
    let size = size.ok_or_else(|| refuse(41, "pageSize"))?;
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let take = usize::try_from(size).unwrap_or(100);
    Ok(all.into_iter().skip(skip).take(take).collect())
}

pub(super) fn filters(body: &Map<String, Value>) -> Result<Vec<Value>, Refused> {
    match body.get("filters") {
        None => Ok(Vec::new()),
        Some(Value::Array(filters)) => Ok(filters.clone()),
        Some(_) => Err(refuse(41, "filters")),
    }
}

/// Returns what a filter of users by their short number looks for (type 9004, which finds what
/// contains it); other filters of users are not served here.
fn short_number(body: &Map<String, Value>) -> Result<Option<String>, Refused> {
    let mut wanted = None;
    for filter in filters(body)? {
        match filter.get("type").and_then(Value::as_i64) {
            Some(9004) => {
                wanted = filter
                    .get("value")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            }
            _ => return Err(refuse(40, "filters: type")),
        }
    }
    Ok(wanted)
}
