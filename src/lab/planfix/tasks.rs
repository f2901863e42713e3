//! Tasks and comments (`crm/planfix.md` §4).

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Refused, refuse};
use super::rest::{filters, page, text};
use super::world::{Comment, Task, World, id_of};
use super::{filters as passing, times};

const KNOWN: [&str; 11] = [
    "template",
    "name",
    "description",
    "counterparty",
    "parent",
    "assignees",
    "status",
    "endDateTime",
    "customFieldData",
    "files",
    "priority",
];

/// The longest text of a comment, in bytes.
const COMMENT_BYTES_MAX: usize = 64 * 1024;

impl World {
    pub(super) fn task_list(&mut self, body: &Map<String, Value>) -> Answer {
        let (fields, filters) = (text(body, "fields"), filters(body)?);
        let mut found = Vec::new();
        for one in &self.tasks {
            let is_shown = !one.is_deleted || self.switches.lists_show_deleted;
            if is_shown && one.listed_from_ms <= self.now_ms && passing::task(one, &filters)? {
                found.push(self.task_shown(one, &fields));
            }
        }
        Ok(json!({ "tasks": page(found, body)? }))
    }

    pub(super) fn task_get(&mut self, id: &str, fields: &str) -> Answer {
        let one = self.task(id)?;
        Ok(json!({ "task": self.task_shown(one, fields) }))
    }

    pub(super) fn task_create(&mut self, body: &Map<String, Value>) -> Answer {
        self.note_unknown(body, &KNOWN);
        let now = self.now();
        let mut task = Task {
            status: 1,
            created_at: now,
            listed_from_ms: self.now_ms + self.switches.list_lag_ms,
            ..Task::default()
        };
        if let Some(template) = body.get("template") {
            let id = id_of(template);
            let known = self
                .options
                .objects
                .iter()
                .any(|object| Some(object.id) == id);
            task.template = id.filter(|_| known);
            if !known {
                return Err(refuse(41, "no such template"));
            }
        }
        self.take_task(body, &mut task)?;
        if task.name.trim().is_empty() {
            return Err(refuse(40, "name"));
        }
        task.id = self.id();
        let id = task.id;
        self.tell_of_task(&task, true);
        self.tasks.push(task);
        Ok(json!({ "id": id }))
    }

    pub(super) fn task_update(&mut self, id: &str, body: &Map<String, Value>) -> Answer {
        self.note_unknown(body, &KNOWN);
        let mut task = self.task(id)?.clone();
        self.take_task(body, &mut task)?;
        self.replace_task(task);
        Ok(json!({ "updated": true }))
    }

    /// Puts a task as it is now in its place, and lets scenarios look at it.
    pub(super) fn replace_task(&mut self, task: Task) {
        if !task.is_deleted {
            self.tell_of_task(&task, false);
        }
        if let Some(place) = self.tasks.iter_mut().find(|one| one.id == task.id) {
            *place = task;
        }
    }

    fn take_task(&mut self, body: &Map<String, Value>, task: &mut Task) -> Result<(), Refused> {
        task.changed_at = self.now();
        if body.contains_key("name") {
            task.name = text(body, "name");
        }
        if body.contains_key("description") {
            task.description = text(body, "description");
        }
        if let Some(counterparty) = body.get("counterparty") {
            let prefixed = counterparty.get("id").and_then(Value::as_str);
            let id = prefixed
                .and_then(|id| id.strip_prefix("contact:"))
                .map(str::to_owned);
            let id = id.ok_or_else(|| refuse(41, "counterparty"))?;
            task.counterparty = Some(self.contact(&id)?.id);
        }
        if let Some(parent) = body.get("parent") {
            let id = id_of(parent).ok_or_else(|| refuse(41, "parent"))?;
            task.parent = Some(self.task(&id.to_string())?.id);
        }
        if let Some(people) = self.people(body.get("assignees"))? {
            task.assignees = people;
        }
        if let Some(status) = body.get("status") {
            let id = id_of(status).ok_or_else(|| refuse(41, "status"))?;
            let object = self
                .options
                .objects
                .iter()
                .find(|one| Some(one.id) == task.template);
            let known = object.is_none_or(|one| one.statuses.iter().any(|one| one.id == id));
            match known {
                true => task.status = id,
                // Dropped without a word.
                false => self.odd(format!("no status {id}")),
            }
        }
        if let Some(due) = body.get("endDateTime") {
            let part = |key: &str| due.get(key).and_then(Value::as_str).unwrap_or("00:00");
            let written = format!("{} {}", part("date"), part("time"));
            times::read("%d-%m-%Y %H:%M", &written).ok_or_else(|| refuse(41, "endDateTime"))?;
            task.due = Some(written);
        }
        let template = task.template;
        self.take_custom(body, true, template, &mut task.custom)
    }

    fn task(&self, id: &str) -> Result<&Task, Refused> {
        let id: Option<u64> = id.parse().ok();
        let is_shown = |one: &&Task| !one.is_deleted || self.switches.deleted_task_is_shown;
        let found = self.tasks.iter().find(|one| Some(one.id) == id);
        found
            .filter(is_shown)
            .ok_or_else(|| refuse(1000, "no such task"))
    }

    fn task_shown(&self, one: &Task, fields: &str) -> Value {
        let users: Vec<Value> = one
            .assignees
            .iter()
            .map(|id| json!({ "id": format!("user:{id}") }))
            .collect();
        let all = json!({
            "id": one.id, "name": one.name, "description": one.description,
            "template": one.template.map(|id| json!({ "id": id })),
            "status": { "id": one.status },
            "counterparty": one.counterparty.map(|id| json!({ "id": format!("contact:{id}") })),
            "parent": one.parent.map(|id| json!({ "id": id })),
            "assignees": { "users": users, "groups": [] },
            "dateTime": times::point(one.created_at),
            "dateOfLastUpdate": times::point(one.changed_at),
            "isDeleted": one.is_deleted,
        });
        World::project(&all, fields, self.custom_shown(&one.custom, true))
    }

    pub(super) fn comment_create(
        &mut self,
        kind: &str,
        id: &str,
        body: &Map<String, Value>,
    ) -> Answer {
        let on = self.commented(kind, id)?;
        let text = text(body, "description");
        if text.is_empty() || text.len() > COMMENT_BYTES_MAX {
            return Err(refuse(5001, "bad text"));
        }
        let comment = Comment {
            id: self.id(),
            of_task: kind == "task",
            on,
            text,
            at: self.now(),
        };
        let id = comment.id;
        self.comments.push(comment);
        Ok(json!({ "id": id }))
    }

    pub(super) fn comment_list(
        &mut self,
        kind: &str,
        id: &str,
        body: &Map<String, Value>,
    ) -> Answer {
        let on = self.commented(kind, id)?;
        let fields = text(body, "fields");
        let of_task = kind == "task";
        let own = self
            .comments
            .iter()
            .filter(|one| one.on == on && one.of_task == of_task);
        let mut shown: Vec<Value> = own
            .map(|one| {
                let all = json!({
                    "id": one.id, "description": one.text, "dateTime": times::point(one.at),
                });
                World::project(&all, &fields, Vec::new())
            })
            .collect();
        if text(body, "resultOrder") == "Desc" {
            shown.reverse();
        }
        Ok(json!({ "comments": page(shown, body)? }))
    }

    fn commented(&self, kind: &str, id: &str) -> Result<u64, Refused> {
        match kind {
            "task" => Ok(self.task(id)?.id),
            _ => Ok(self.contact(id)?.id),
        }
    }
}
