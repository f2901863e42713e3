//! Comments, tasks and the log (crm/alfacrm.md §4, §6).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::api::{Listed, not_found};
use super::exchange::{Incoming, Reply};
use super::loose::{number, numbers, text};
use super::records::{Comment, Task};
use super::world::World;

fn invalid(key: &str, why: &str) -> Reply {
    let errors = BTreeMap::from([(key.to_owned(), vec![why.to_owned()])]);
    Reply::invalid(&errors)
}

impl World {
    /// Returns the customer that a request about comments names.
    fn named_customer(&mut self, incoming: &Incoming) -> Result<u64, Reply> {
        let class = incoming.query.get("class").map(String::as_str);
        let customer = incoming
            .number("related_id")
            .filter(|_| class == Some("Customer"));
        let Some(customer) = customer else {
            self.odd("comments of nobody");
            return Err(Reply::error(
                400,
                "Bad Request",
                "Missing required parameters: class",
            ));
        };
        Ok(customer)
    }

    pub(super) fn list_comments(
        &mut self,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Result<Reply, Reply> {
        let customer = self.named_customer(incoming)?;
        let own = self
            .comments
            .values()
            .filter(|one| one.customer == customer);
        let listed = own.map(|one| Listed {
            id: one.id,
            changed_at: one.added,
            record: self.comment_record(one),
        });
        let listed = listed.collect();
        Ok(self.paged(listed, incoming, body))
    }

    pub(super) fn create_comment(
        &mut self,
        branch: u64,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Result<Reply, Reply> {
        let customer = self.named_customer(incoming)?;
        if !self.customers.contains_key(&customer) {
            return Ok(invalid("related_id", "Значение «Клиент» неверно."));
        }
        let comment = Comment {
            id: 0,
            branch,
            customer,
            user: number(body.get("user_id")).unwrap_or_default(),
            text: text(body.get("comment")).unwrap_or_default(),
            added: self.now.seconds(),
        };
        if let Some(refusal) = self.wrong_comment(&comment, body) {
            return Ok(refusal);
        }
        let id = self.new_id();
        let comment = Comment { id, ..comment };
        let record = self.comment_record(&comment);
        self.comments.insert(id, comment);
        self.note("Communication", id, 1);
        Ok(self.stored(record))
    }

    pub(super) fn update_comment(
        &mut self,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Result<Reply, Reply> {
        let customer = self.named_customer(incoming)?;
        let id = incoming.number("id").ok_or_else(not_found)?;
        let known = self
            .comments
            .get(&id)
            .filter(|one| one.customer == customer);
        let mut comment = known.cloned().ok_or_else(not_found)?;
        if let Some(words) = text(body.get("comment")) {
            comment.text = words;
        }
        if let Some(user) = number(body.get("user_id")) {
            comment.user = user;
        }
        if let Some(refusal) = self.wrong_comment(&comment, body) {
            return Ok(refusal);
        }
        let record = self.comment_record(&comment);
        self.comments.insert(id, comment);
        self.note("Communication", id, 2);
        Ok(self.stored(record))
    }

    fn wrong_comment(&self, comment: &Comment, body: &Map<String, Value>) -> Option<Reply> {
        if number(body.get("type_id")) != Some(1) {
            return Some(invalid("type_id", "Необходимо заполнить «Тип»."));
        }
        if comment.text.trim().is_empty() {
            return Some(invalid("comment", "Необходимо заполнить «Комментарий»."));
        }
        let length = comment.text.chars().count();
        if self.switches.comment_max.is_some_and(|max| length > max) {
            return Some(invalid(
                "comment",
                "Значение «Комментарий» слишком длинное.",
            ));
        }
        let strange = comment.user > 0 && self.is_strange(comment.user);
        strange.then(|| invalid("user_id", "Значение «Автор» неверно."))
    }

    fn comment_record(&self, one: &Comment) -> Value {
        json!({
            "id": one.id, "branch_id": one.branch, "type_id": 1, "class": "Customer",
            "related_id": one.customer, "user_id": one.user, "added": self.written(one.added),
            "comment": one.text, "updated_at": self.written(one.added),
        })
    }

    pub(super) fn list_tasks(
        &mut self,
        branch: u64,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Reply {
        // Only `id` and `page` are known filters (§4).
        let ids = numbers(body.get("id"));
        let chosen = self.tasks.values().filter(|one| {
            let here = !self.switches.of_branch_only || one.branches.contains(&branch);
            here && (ids.is_empty() || ids.contains(&one.id))
        });
        let listed = chosen.map(|one| Listed {
            id: one.id,
            changed_at: one.created_at,
            record: self.task_record(one),
        });
        let listed = listed.collect();
        self.paged(listed, incoming, body)
    }

    pub(super) fn create_task(&mut self, body: &Map<String, Value>) -> Reply {
        let words = |key: &str| text(body.get(key)).unwrap_or_default();
        let task = Task {
            id: 0,
            title: words("title"),
            text: words("text"),
            customers: numbers(body.get("customer_ids")),
            assigned: numbers(body.get("assigned_ids")),
            branches: numbers(body.get("branch_ids")),
            due_date: words("due_date"),
            created_at: self.now.seconds(),
        };
        for (key, is_missing) in [
            ("title", task.title.trim().is_empty()),
            ("assigned_ids", task.assigned.is_empty()),
            (
                "assigned_ids",
                task.assigned.iter().any(|user| self.is_strange(*user)),
            ),
            ("due_date", self.day(&task.due_date).is_none()),
            (
                "customer_ids",
                task.customers
                    .iter()
                    .any(|id| !self.customers.contains_key(id)),
            ),
        ] {
            if is_missing {
                return invalid(key, "Значение неверно или не заполнено.");
            }
        }
        let id = self.new_id();
        let task = Task { id, ..task };
        let record = self.task_record(&task);
        self.tasks.insert(id, task);
        self.note("Task", id, 1);
        self.stored(record)
    }

    fn task_record(&self, one: &Task) -> Value {
        json!({
            "id": one.id, "company_id": 1, "branch_ids": one.branches, "user_id": null,
            "assigned_ids": one.assigned, "group_ids": [], "customer_ids": one.customers,
            "title": one.title, "text": one.text, "is_archive": 0, "is_done": 0, "is_private": 0,
            "created_at": self.written(one.created_at), "due_date": one.due_date,
            "done_date": null, "priority": 2,
        })
    }

    pub(super) fn list_log(&mut self, incoming: &Incoming, body: &Map<String, Value>) -> Reply {
        let entity = text(body.get("entity"));
        let (id, event) = (number(body.get("entity_id")), number(body.get("event")));
        let chosen = self.log.iter().filter(|line| {
            entity.as_deref().is_none_or(|wanted| wanted == line.entity)
                && id.is_none_or(|wanted| wanted == line.entity_id)
                && event.is_none_or(|wanted| wanted == line.event)
                && self.is_within(body, "date", line.at)
        });
        let listed = chosen.map(|line| Listed {
            id: line.id,
            changed_at: line.at,
            record: json!({
                "id": line.id, "entity": line.entity, "entity_id": line.entity_id, "user_id": 501,
                "event": line.event, "fields_old": line.fields_old, "fields_new": line.fields_new,
                "fields_rel": "",
                "date_time": self.written(line.at),
            }),
        });
        let listed = listed.collect();
        self.paged(listed, incoming, body)
    }
}
