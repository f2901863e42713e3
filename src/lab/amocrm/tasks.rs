//! Tasks (crm/amocrm.md §12, §21.2).

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::auth::Caller;
use super::batch::ITEMS_MAX;
use super::exchange::{Incoming, Reply};
use super::records::{Kind, Task};
use super::review::{Object, Review};
use super::world::{World, nothing};

const PAGE_MAX: u64 = 250;
/// Ids of the task types of this account.
const TASK_TYPES: [u64; 2] = [1, 2];

/// What an item asks for.
#[derive(Debug, Default)]
struct TaskDraft {
    id: Option<u64>,
    text: Option<String>,
    complete_till: Option<i64>,
    entity: Option<(Kind, u64)>,
    task_type_id: Option<u64>,
    responsible_user_id: Option<u64>,
    duration: Option<i64>,
    is_completed: Option<bool>,
    result: Option<String>,
    created_by: Option<u64>,
    created_at: Option<i64>,
}

impl World {
    /// `/tasks` and `/tasks/{id}`.
    pub(super) fn tasks_resource(
        &mut self,
        rest: &[&str],
        incoming: &Incoming,
        caller: &Caller,
    ) -> Reply {
        let number = rest.first().map(|id| id.parse::<u64>().ok());
        match (incoming.method.as_str(), number) {
            ("GET", None) => self.list_tasks(incoming),
            ("GET", Some(id)) => {
                let task = id.and_then(|id| self.tasks.get(&id));
                task.map_or_else(Reply::empty, |task| {
                    Reply::ok(&self.render_task(task, incoming))
                })
            }
            ("POST", None) => {
                let rows = self.batch(
                    incoming,
                    ITEMS_MAX,
                    |world, item, review| world.read_task(None, true, item, review),
                    |world, draft, request_id| {
                        let id = world.create_task(draft, caller);
                        json!({"id": id, "request_id": request_id,
                               "_links": incoming.link(&format!("/api/v4/tasks/{id}"))})
                    },
                );
                rows.map_or_else(
                    |r| r,
                    |rows| super::card_write::embedded("tasks", rows, incoming),
                )
            }
            ("PATCH", None) => {
                let rows = self.batch(
                    incoming,
                    ITEMS_MAX,
                    |world, item, review| world.read_task(None, false, item, review),
                    |world, draft, request_id| {
                        let mut row = world.change_task(&draft, incoming, caller);
                        row["request_id"] = json!(request_id);
                        row
                    },
                );
                rows.map_or_else(
                    |r| r,
                    |rows| super::card_write::embedded("tasks", rows, incoming),
                )
            }
            ("PATCH", Some(Some(id))) if self.tasks.contains_key(&id) => self.single(
                incoming,
                |world, item, review| world.read_task(Some(id), false, item, review),
                |world, draft| world.change_task(&draft, incoming, caller),
            ),
            ("PATCH", Some(_)) => Reply::not_found(),
            _ => Reply::method_not_allowed(),
        }
    }

    fn read_task(
        &self,
        id: Option<u64>,
        is_new: bool,
        item: &Value,
        review: &mut Review,
    ) -> Option<TaskDraft> {
        let object = Object::of(item, String::new(), review)?;
        let keys = [
            "id",
            "text",
            "complete_till",
            "entity_id",
            "entity_type",
            "task_type_id",
            "responsible_user_id",
            "duration",
            "is_completed",
            "result",
            "created_by",
            "updated_by",
            "created_at",
            "updated_at",
            "request_id",
        ];
        object.known("task", &keys, review);
        let mut draft = TaskDraft {
            text: object.text("text", review),
            complete_till: object.integer("complete_till", review),
            task_type_id: object.id("task_type_id", review),
            responsible_user_id: object.id("responsible_user_id", review),
            duration: object.integer("duration", review),
            is_completed: object.flag("is_completed", review),
            created_by: object.id("created_by", review),
            created_at: object.integer("created_at", review),
            ..TaskDraft::default()
        };
        if is_new {
            object.require(&["text", "complete_till"], review);
        } else {
            draft.id = id.or_else(|| {
                object.require(&["id"], review);
                object.id("id", review)
            });
            if draft.id.is_some_and(|id| !self.tasks.contains_key(&id)) {
                review.choice("id".into());
            }
        }
        if draft
            .task_type_id
            .is_some_and(|id| !TASK_TYPES.contains(&id))
        {
            review.choice("task_type_id".into());
        }
        if let Some(id) = draft.responsible_user_id {
            self.check_responsible(id, "responsible_user_id".into(), review);
        }
        self.check_author(draft.created_by, "created_by".into(), review);
        if object.has("entity_id") || object.has("entity_type") {
            object.require(&["entity_id", "entity_type"], review);
            let name = object.text("entity_type", review);
            let entity_id = object.id("entity_id", review);
            let kind = name.as_deref().and_then(Kind::from_plural);
            if name.is_some() && kind.is_none() {
                review.choice("entity_type".into());
            }
            draft.entity = kind.zip(entity_id);
            if draft
                .entity
                .is_some_and(|(kind, id)| self.card(kind, id).is_none())
            {
                review.choice("entity_id".into());
            }
        }
        if object.has("result") {
            let result = object.object("result", review);
            draft.result = result.and_then(|result| result.text("text", review));
        }
        Some(draft)
    }

    fn create_task(&mut self, draft: TaskDraft, caller: &Caller) -> u64 {
        let id = self.next_id("task", 5_000_001);
        let now = caller.now.seconds();
        let task = Task {
            id,
            text: draft.text.unwrap_or_default(),
            complete_till: draft.complete_till.unwrap_or(now),
            entity: draft.entity,
            task_type_id: draft.task_type_id.unwrap_or(1),
            responsible_user_id: draft.responsible_user_id.unwrap_or(caller.user_id),
            duration: draft.duration.unwrap_or(0),
            is_completed: draft.is_completed.unwrap_or(false),
            result: draft.result,
            created_by: draft.created_by.unwrap_or(caller.user_id),
            updated_by: caller.user_id,
            created_at: draft.created_at.unwrap_or(now),
            updated_at: now,
        };
        self.tasks_of_cards
            .extend(draft.entity.map(|(kind, card)| (kind, card, id)));
        self.tasks.insert(id, task);
        self.event("task_added", ("task", id), nothing(), nothing(), caller);
        self.hook_task("add", id, caller.now);
        id
    }

    fn change_task(&mut self, draft: &TaskDraft, incoming: &Incoming, caller: &Caller) -> Value {
        let Some(task) = draft.id.and_then(|id| self.tasks.get_mut(&id)) else {
            return Value::Null;
        };
        let was_completed = task.is_completed;
        let card = draft.entity.map(|(kind, card)| (kind, card, task.id));
        self.tasks_of_cards.extend(card);
        if let Some(text) = &draft.text {
            task.text.clone_from(text);
        }
        task.complete_till = draft.complete_till.unwrap_or(task.complete_till);
        task.entity = draft.entity.or(task.entity);
        task.task_type_id = draft.task_type_id.unwrap_or(task.task_type_id);
        task.responsible_user_id = draft
            .responsible_user_id
            .unwrap_or(task.responsible_user_id);
        task.duration = draft.duration.unwrap_or(task.duration);
        task.is_completed = draft.is_completed.unwrap_or(task.is_completed);
        if draft.result.is_some() {
            task.result.clone_from(&draft.result);
        }
        task.updated_by = caller.user_id;
        task.updated_at = caller.now.seconds();
        let (id, updated_at, completed) = (task.id, task.updated_at, task.is_completed);
        if completed && !was_completed {
            self.event("task_completed", ("task", id), nothing(), nothing(), caller);
        }
        self.hook_task("update", id, caller.now);
        json!({
            "id": id, "updated_at": updated_at,
            "_links": incoming.link(&format!("/api/v4/tasks/{id}")),
        })
    }

    fn list_tasks(&self, incoming: &Incoming) -> Reply {
        let query = &incoming.query;
        let kind = query.get("filter[entity_type]");
        let completed = query.get("filter[is_completed]");
        let (from, to) = query.range("filter[updated_at]");
        let one_of = |key: &str, value: u64| {
            let wanted = query.numbers(key);
            wanted.is_empty() || wanted.iter().any(|w| u64::try_from(*w) == Ok(value))
        };
        let listed = |task: &&Task| {
            let (task_kind, task_entity) = task.entity.map_or((None, 0), |(k, id)| (Some(k), id));
            kind.is_none_or(|kind| task_kind.is_some_and(|k| k.plural() == kind))
                && one_of("filter[entity_id]", task_entity)
                && one_of("filter[id]", task.id)
                && one_of("filter[responsible_user_id]", task.responsible_user_id)
                && one_of("filter[task_type]", task.task_type_id)
                && completed.is_none_or(|c| (c == "1" || c == "true") == task.is_completed)
                && from.is_none_or(|from| task.updated_at >= from)
                && to.is_none_or(|to| task.updated_at <= to)
        };
        let mut tasks: Vec<&Task> = self.tasks.values().filter(listed).collect();
        let order = |key| query.get(key);
        match (
            order("order[created_at]"),
            order("order[complete_till]"),
            order("order[id]"),
        ) {
            (Some("desc"), ..) => tasks.sort_by_key(|t| Reverse((t.created_at, t.id))),
            (Some(_), ..) => tasks.sort_by_key(|t| (t.created_at, t.id)),
            (None, Some("desc"), _) => tasks.sort_by_key(|t| Reverse((t.complete_till, t.id))),
            (None, Some(_), _) => tasks.sort_by_key(|t| (t.complete_till, t.id)),
            (None, None, Some("desc")) => tasks.reverse(),
            (None, None, _) => {}
        }
        self.paging(PAGE_MAX)
            .reply(incoming, "tasks", &tasks, |task| {
                self.render_task(task, incoming)
            })
    }

    fn render_task(&self, task: &Task, incoming: &Incoming) -> Value {
        let result = task.result.as_ref();
        json!({
            "id": task.id, "created_by": task.created_by, "updated_by": task.updated_by,
            "created_at": task.created_at, "updated_at": task.updated_at,
            "responsible_user_id": task.responsible_user_id, "group_id": 0,
            "entity_id": task.entity.map(|(_, id)| id),
            "entity_type": task.entity.map(|(kind, _)| kind.plural()),
            "duration": task.duration, "is_completed": task.is_completed,
            "task_type_id": task.task_type_id, "text": task.text,
            "result": result.map_or_else(|| json!([]), |text| json!({"text": text})),
            "complete_till": task.complete_till, "account_id": self.account_id,
            "_links": incoming.link(&format!("/api/v4/tasks/{}", task.id)),
        })
    }
}
