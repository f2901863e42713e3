//! Comments and log lines of timelines, tasks, notices (crm/bitrix24.md §7).

use serde_json::{Value, json};

use super::auth::Caller;
use super::dates;
use super::listing::{Filter, page, sort};
use super::methods::Answered;
use super::params::{Params, id_of, list_of, object_of, text_of};
use super::records::{Comment, Kind, Notice, Task};
use super::refusal::Refusal;
use super::world::World;

/// The longest notice, with its attachments, in characters.
const NOTICE_CHARS_MAX: usize = 60_000;

impl World {
    pub(super) fn comment_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        // This method alone takes its parameter in lower case only (§1).
        let given = params.exact("fields").and_then(object_of);
        let given = given.ok_or_else(|| Refusal::missing("fields"))?;
        let text = |name: &str| given.get(name).and_then(text_of).unwrap_or_default();
        let id = given.get("ENTITY_ID").and_then(id_of).unwrap_or(0);
        let name = text("ENTITY_TYPE");
        if name.is_empty() || id == 0 {
            return Err(Refusal::missing("ENTITY_ID"));
        }
        let Some(kind) = Kind::from_name(&name) else {
            let text = "Entity type is not supported";
            return Err(Refusal::bad("OWNER_NOT_FOUND", text));
        };
        if self.card(kind, id).is_none() {
            return Err(Refusal::bad("OWNER_NOT_FOUND", "Owner is not found"));
        }
        let comment = text("COMMENT");
        if comment.is_empty() {
            return Err(Refusal::bad("INVALID_ARG_VALUE", "Empty comment message"));
        }
        let files = self.store_files(given.get("FILES"));
        let author = given.get("AUTHOR_ID").and_then(id_of);
        let comment = Comment {
            id: self.next_id("timeline", 7_946),
            entity: (kind.type_id(), id),
            author_id: author.unwrap_or(caller.user_id),
            created_at: caller.seconds(),
            title: String::new(),
            text: comment,
            files,
            is_log_line: false,
        };
        Ok(json!(self.keep_comment(comment)).into())
    }

    pub(super) fn comment_list(&mut self, params: &Params, _: &Caller) -> Answered {
        let given = params.object("filter").unwrap_or_default();
        let has = |name: &str| given.keys().any(|key| key.trim_start_matches('=') == name);
        if !has("ENTITY_ID") || !has("ENTITY_TYPE") {
            return Err(Refusal::missing("filter[ENTITY_ID], filter[ENTITY_TYPE]"));
        }
        let filter = Filter::read(&given, false);
        let values = |comment: &Comment, name: &str| {
            let kind = Kind::from_type_id(comment.entity.0);
            Some(vec![match name {
                "ID" => json!(comment.id),
                "ENTITY_ID" => json!(comment.entity.1),
                "ENTITY_TYPE" => json!(kind.map(Kind::lower)),
                "AUTHOR_ID" => json!(comment.author_id),
                "CREATED" => json!(comment.created_at),
                _ => return None,
            }])
        };
        let rows = self
            .comments
            .values()
            .filter(|comment| !comment.is_log_line);
        let rows = rows.filter(|row| filter.fits(&self.zone, &|name| values(row, name)));
        let mut rows: Vec<&Comment> = rows.collect();
        let order = params.object("order").unwrap_or_default();
        sort(&mut rows, &order, "ID", |row, name| {
            values(row, name)?.into_iter().next()
        });
        let render = |rows: Vec<&Comment>| {
            let rows = rows.into_iter().map(|row| {
                json!({
                    "ID": row.id.to_string(), "ENTITY_ID": row.entity.1.to_string(),
                    "ENTITY_TYPE": Kind::from_type_id(row.entity.0).map(Kind::lower),
                    "AUTHOR_ID": row.author_id.to_string(), "COMMENT": row.text,
                    "CREATED": dates::iso(row.created_at, &self.zone),
                    // An empty array where an object is expected.
                    "FILES": json!([]),
                })
            });
            rows.collect()
        };
        Ok(page(rows, params, &self.switches, render))
    }

    pub(super) fn log_message_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        let text = |name: &str| given.get(name).and_then(text_of).unwrap_or_default();
        let kind = given.get("entityTypeId").and_then(id_of);
        let id = given.get("entityId").and_then(id_of).unwrap_or(0);
        let kind = kind.and_then(Kind::from_type_id);
        let Some(kind) = kind.filter(|kind| self.card(*kind, id).is_some()) else {
            return Err(Refusal::bad("NOT_FOUND", "Item is not found"));
        };
        if text("title").is_empty() || text("text").is_empty() {
            return Err(Refusal::missing("fields[title], fields[text]"));
        }
        let comment = Comment {
            id: self.next_id("timeline", 7_946),
            entity: (kind.type_id(), id),
            author_id: caller.user_id,
            created_at: caller.seconds(),
            title: text("title"),
            text: text("text"),
            files: Vec::new(),
            is_log_line: true,
        };
        let id = self.keep_comment(comment);
        Ok(json!({"logMessage": {"id": id}}).into())
    }

    fn keep_comment(&mut self, comment: Comment) -> u64 {
        let id = comment.id;
        self.comments.insert(id, comment);
        id
    }

    pub(super) fn task_add(&mut self, params: &Params, caller: &Caller) -> Answered {
        let given = params
            .object("fields")
            .ok_or_else(|| Refusal::missing("fields"))?;
        let text = |name: &str| given.get(name).and_then(text_of).unwrap_or_default();
        let number = |name: &str| given.get(name).and_then(id_of);
        let (title, responsible) = (text("TITLE"), number("RESPONSIBLE_ID"));
        let refused = |text: &str| Refusal::bad("ERROR_CORE", text);
        if title.is_empty() {
            return Err(refused("Title is not specified"));
        }
        let Some(responsible) = responsible.filter(|id| self.user(*id).is_some()) else {
            return Err(refused("Responsible is not specified or not found"));
        };
        let deadline = match text("DEADLINE") {
            text if text.is_empty() => None,
            text => Some(
                dates::parse(&text, &self.zone).ok_or_else(|| refused("DEADLINE is not a date"))?,
            ),
        };
        let crm = given
            .get("UF_CRM_TASK")
            .and_then(list_of)
            .unwrap_or_default();
        let crm: Vec<String> = crm.iter().filter_map(text_of).collect();
        for code in &crm {
            if !self.is_card_code(code) {
                params.odd(format!("a card of a task that is not there: {code:.20}"));
            }
        }
        let task = Task {
            id: self.next_id("task", 3_711),
            title,
            description: text("DESCRIPTION"),
            responsible_id: responsible,
            created_by: number("CREATED_BY").unwrap_or(caller.user_id),
            created_at: caller.seconds(),
            deadline,
            crm,
            xml_id: text("XML_ID"),
            is_completed: false,
        };
        let row = self.render_task(&task);
        self.tasks.insert(task.id, task);
        Ok(json!({"task": row}).into())
    }

    pub(super) fn task_list(&mut self, params: &Params, _: &Caller) -> Answered {
        let filter = Filter::read(&params.object("filter").unwrap_or_default(), false);
        let values = |task: &Task, name: &str| {
            Some(vec![match name {
                "ID" => json!(task.id),
                "TITLE" => json!(task.title),
                "RESPONSIBLE_ID" => json!(task.responsible_id),
                "CREATED_BY" => json!(task.created_by),
                "XML_ID" if self.switches.tasks_filter_by_xml_id => json!(task.xml_id),
                "UF_CRM_TASK" => return Some(task.crm.iter().map(|c| json!(c)).collect()),
                _ => return None,
            }])
        };
        for name in filter.names() {
            if ![
                "ID",
                "TITLE",
                "RESPONSIBLE_ID",
                "CREATED_BY",
                "XML_ID",
                "UF_CRM_TASK",
            ]
            .contains(&name)
            {
                params.odd(format!("unknown field in a filter: {name:.60}"));
            }
        }
        let rows = self.tasks.values();
        let rows = rows.filter(|task| filter.fits(&self.zone, &|name| values(task, name)));
        let mut rows: Vec<&Task> = rows.collect();
        let order = params.object("order").unwrap_or_default();
        sort(&mut rows, &order, "ID", |task, name| {
            values(task, name)?.into_iter().next()
        });
        let answer = page(rows, params, &self.switches, |rows| {
            rows.into_iter()
                .map(|task| self.render_task(task))
                .collect()
        });
        Ok(super::methods::Answer {
            result: json!({"tasks": answer.result}),
            ..answer
        })
    }

    /// Returns whether `D_512` and the like name a card that is there.
    fn is_card_code(&self, code: &str) -> bool {
        let parts = code.split_once('_');
        parts.is_some_and(|(short, id)| {
            let mut kinds = Kind::ALL.into_iter();
            let kind = kinds.find(|kind| kind.short() == short);
            let id = id.parse().unwrap_or(0);
            kind.is_some_and(|kind| self.card(kind, id).is_some())
        })
    }

    fn render_task(&self, task: &Task) -> Value {
        json!({
            "id": task.id.to_string(), "title": task.title, "description": task.description,
            "responsibleId": task.responsible_id.to_string(),
            "createdBy": task.created_by.to_string(), "xmlId": task.xml_id,
            "status": if task.is_completed { "5" } else { "2" },
            "deadline": task.deadline.map(|d| dates::iso(d, &self.zone)),
            "createdDate": dates::iso(task.created_at, &self.zone), "ufCrmTask": task.crm,
        })
    }

    pub(super) fn notice_system(&mut self, params: &Params, caller: &Caller) -> Answered {
        self.notice(params, caller)
    }

    pub(super) fn notice_personal(&mut self, params: &Params, caller: &Caller) -> Answered {
        self.notice(params, caller)
    }

    fn notice(&mut self, params: &Params, caller: &Caller) -> Answered {
        let Some(user_id) = params.id("USER_ID") else {
            return Err(Refusal::bad("USER_ID_EMPTY", "User ID can't be empty"));
        };
        let Some(message) = params.word("MESSAGE") else {
            return Err(Refusal::bad("MESSAGE_EMPTY", "Message can't be empty"));
        };
        let attached = params
            .get("ATTACH")
            .map_or(0, |value| value.to_string().len());
        if message.chars().count() + attached > NOTICE_CHARS_MAX {
            let text = "You have exceeded the maximum allowable size of attach";
            return Err(Refusal::bad("ATTACH_OVERSIZE", text));
        }
        let tag = params.word("TAG").unwrap_or_default();
        if !tag.is_empty() && caller.client_id.is_none() {
            let known = params.word("CLIENT_ID").is_some_and(|id| {
                self.switches.any_client_id_passes || self.auth.application(&id).is_some()
            });
            if !known {
                let text = "CLIENT_ID is needed for a tag";
                return Err(Refusal::bad("CLIENT_ID_EMPTY", text));
            }
        }
        if self.user(user_id).is_none() {
            params.odd("a notice for nobody");
        }
        let same =
            |notice: &Notice| !tag.is_empty() && notice.user_id == user_id && notice.tag == tag;
        let old = self.notices.values().find(|notice| same(notice));
        let replaced = old.map_or(0, |old| old.replaced + 1);
        self.notices.retain(|_, notice| !same(notice));
        let id = self.next_id("notice", 2_001);
        let notice = Notice {
            id,
            user_id,
            message,
            tag,
            created_at: caller.seconds(),
            replaced,
        };
        self.notices.insert(id, notice);
        Ok(json!(id).into())
    }
}
