//! What the account answers: the way to the entity, and lists in pages (crm/alfacrm.md §1.2, §1.3).

use serde_json::{Map, Value, json};

use super::exchange::{Incoming, Reply};
use super::loose::{loosened, number};
use super::options::{AlfaUser, ListOrder, PageSizeKey};
use super::world::World;

/// Most records of a page, whatever is wished.
const PAGE_SIZE_MAX: usize = 500;

/// A record of a list, with what lists are ordered by.
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) changed_at: i64,
    pub(super) record: Value,
}

impl World {
    /// Answers a request that the limit let pass.
    pub(super) fn respond(&mut self, incoming: &Incoming) -> Reply {
        let reply = self.answer(incoming).unwrap_or_else(|refusal| refusal);
        if (400..=499).contains(&reply.status) && self.switches.errors_in_200 {
            let is_login = incoming.path.ends_with("/auth/login");
            return Reply {
                status: if is_login { reply.status } else { 200 },
                ..reply
            };
        }
        reply
    }

    fn answer(&mut self, incoming: &Incoming) -> Result<Reply, Reply> {
        let path: Vec<&str> = incoming
            .path
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let [first, rest @ ..] = path.as_slice() else {
            return Err(not_found());
        };
        if *first != "v2api" {
            return Err(Reply::page(404, "<html><body>Not Found</body></html>"));
        }
        if incoming.method != "POST" {
            return Err(Reply::error(405, "Method Not Allowed", "POST only"));
        }
        let body = body_of(incoming)?;
        if rest == ["auth", "login"] {
            return Ok(self.log_in(incoming, &Value::Object(body)));
        }
        if let Some(refusal) = self.is_let_in(incoming) {
            return Err(refusal);
        }
        let (branch, entity, action) = match rest {
            ["branch", "index"] => (0, "branch", "index"),
            [branch, entity, action] => {
                let branch = branch.parse::<u64>().map_err(|_| not_found())?;
                (branch, *entity, *action)
            }
            _ => return Err(not_found()),
        };
        let known = self.options.branches.iter().any(|(id, _)| *id == branch);
        let of_all = branch == 0 && entity == "branch";
        if !known && !of_all {
            return Err(Reply::forbidden());
        }
        match (entity, action) {
            ("customer", "index") => Ok(self.list_customers(branch, incoming, &body)),
            ("customer", "create") => Ok(self.create_customer(branch, &body)),
            ("customer", "update") => self.update_customer(branch, incoming, &body),
            ("communication", "index") => self.list_comments(incoming, &body),
            ("communication", "create") => self.create_comment(branch, incoming, &body),
            ("communication", "update") if self.switches.comments_change => {
                self.update_comment(incoming, &body)
            }
            ("task", "index") => Ok(self.list_tasks(branch, incoming, &body)),
            ("task", "create") => Ok(self.create_task(&body)),
            ("pay", "index") => Ok(self.list_pays(branch, incoming, &body)),
            ("log", "index") if self.switches.log_open => Ok(self.list_log(incoming, &body)),
            ("log", "index") => Err(Reply::forbidden()),
            (_, "index") => self.list_reference(entity, incoming, &body),
            _ => Err(not_found()),
        }
    }

    /// The lists that a person sets up in the account (§3).
    fn list_reference(
        &mut self,
        entity: &str,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Result<Reply, Reply> {
        let funnels = self.switches.funnels;
        let options = &self.options;
        let rows: Vec<Value> = match entity {
            "branch" => {
                let branches = options.branches.iter().enumerate();
                let row = |(at, (id, name)): (usize, &(u64, String))| {
                    json!({
                        "id": id, "name": name, "is_active": 1, "subject_ids": [], "weight": at,
                    })
                };
                branches.map(row).collect()
            }
            "user" => {
                let email = body.get("email").and_then(Value::as_str);
                let wanted = options.users.iter().filter(|user| {
                    email.is_none_or(|email| user.email.eq_ignore_ascii_case(email))
                });
                let row = |user: &AlfaUser| {
                    json!({
                        "id": user.id, "name": user.name, "email": user.email, "phone": null,
                        "branch_ids": [1],
                    })
                };
                wanted.map(row).collect()
            }
            "lead-status" => {
                let statuses = options.statuses.iter().enumerate();
                let row = |(at, (id, name)): (usize, &(u64, String))| {
                    let mut row = json!({"id": id, "name": name, "is_enabled": 1, "weight": at});
                    if funnels {
                        row["pipeline_id"] = json!(1 + at / 2);
                    }
                    row
                };
                statuses.map(row).collect()
            }
            "lead-source" => {
                let sources = options.sources.iter().enumerate();
                let row = |(at, (id, name)): (usize, &(u64, String))| {
                    json!({
                        "id": id, "code": "", "name": name, "is_enabled": 1, "weight": at,
                    })
                };
                sources.map(row).collect()
            }
            "teacher" | "pay-type" => {
                let list = match entity {
                    "teacher" => &options.teachers,
                    _ => &options.pay_types,
                };
                let row = |(id, name): &(u64, String)| json!({"id": id, "name": name});
                list.iter().map(row).collect()
            }
            "pipeline" if funnels => {
                vec![
                    json!({"id": 1, "name": "Продажи"}),
                    json!({"id": 2, "name": "Летний лагерь"}),
                ]
            }
            _ => return Err(not_found()),
        };
        let listed = rows.into_iter().map(|record| Listed {
            id: number(record.get("id")).unwrap_or_default(),
            changed_at: 0,
            record,
        });
        let listed = listed.collect();
        Ok(self.paged(listed, incoming, body))
    }

    /// Answers with the page that is asked for.
    pub(super) fn paged(
        &self,
        mut listed: Vec<Listed>,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Reply {
        match self.switches.order {
            ListOrder::Growing => listed.sort_by_key(|one| one.id),
            ListOrder::Falling => listed.sort_by_key(|one| std::cmp::Reverse(one.id)),
            ListOrder::Changed => {
                // Neither way by id, and yet the same at every asking.
                listed.sort_by_key(|one| (std::cmp::Reverse(one.changed_at), one.id % 7, one.id));
            }
        }
        let of_query = || incoming.number("per-page");
        let of_body = || number(body.get("pageSize"));
        let wished = match self.switches.page_size_key {
            PageSizeKey::Both => of_body().or_else(of_query),
            PageSizeKey::Query => of_query(),
            PageSizeKey::Body => of_body(),
            PageSizeKey::Nowhere => None,
        };
        let size = wished.and_then(|size| usize::try_from(size).ok());
        let size = size
            .unwrap_or(self.switches.page_size)
            .clamp(1, PAGE_SIZE_MAX);
        let page = number(body.get("page")).unwrap_or_default();
        let from = usize::try_from(page)
            .unwrap_or(usize::MAX)
            .saturating_mul(size);
        let total = listed.len();
        let here: Vec<Listed> = listed.into_iter().skip(from).take(size).collect();
        let count = here.len();
        let shown = |record: Value| match self.switches.loose_types {
            true => loosened(record),
            false => record,
        };
        let items = match self.switches.items_as_map && count > 0 {
            // A map of JSON has no order of its own.
            true => {
                let map: Map<String, Value> = here
                    .into_iter()
                    .map(|one| (one.id.to_string(), shown(one.record)))
                    .collect();
                Value::Object(map)
            }
            false => here.into_iter().map(|one| shown(one.record)).collect(),
        };
        let head = shown(json!({"total": total, "count": count, "page": page}));
        let mut answer = head;
        answer["items"] = items;
        Reply::ok(&answer)
    }

    /// Answers with a record that was written.
    pub(super) fn stored(&self, record: Value) -> Reply {
        Reply::stored(&match self.switches.loose_types {
            true => loosened(record),
            false => record,
        })
    }
}

fn body_of(incoming: &Incoming) -> Result<Map<String, Value>, Reply> {
    let bad = || Reply::error(400, "Bad Request", "Invalid JSON data in request body");
    if !incoming.is_json {
        return Err(bad());
    }
    serde_json::from_slice(&incoming.body).map_err(|_| bad())
}

pub(super) fn not_found() -> Reply {
    Reply::error(404, "Not Found", "Page not found.")
}
