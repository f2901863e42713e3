//! Tasks of objects as deals that come back (S2-35 … S2-38; `crm/planfix.md` §4, §6): a scenario's
//! webhook names a task, a list of what was changed finds those that no webhook named. All of it is
//! of the day's quota, so that tasks are read a hundred at a time, clients are remembered for a
//! while, and names for an hour.

mod hint;
mod record;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) use self::hint::hints;
pub(super) use self::record::kind_word;
use super::PlanfixAdapter;
use super::client::Unanswered;
use super::refusal::NO_TASK;
use super::setup::custom_fields;
use super::wire::{Record, TASK_FIELDS, minute, rows};
use crate::crm::account::classify::Failure;
use crate::crm::{
    Class, DealField, DealNames, DealPiece, DealReader, DealRecords, DealsNext, DealsSince,
    DealsWanted, HookAddress,
};
use crate::model::deal::DealClient;
use crate::model::outcome::{NotAppliedCause, Outcome, Rejection};
use crate::model::timestamp::Timestamp;

/// All of it gives way to everything else.
const CLASS: Class = Class::Background;

/// Rows of a page (§2).
const PAGE: usize = 100;

/// Rows of a page that are read again with the next one: what is deleted meanwhile moves the others
/// up.
const SHIFT: usize = 5;

/// Most pages of one reading: far more tasks than a day's quota changes.
const PAGES_MAX: usize = 2_000;

/// How much is read again before a mark: clocks differ, filters go by the minute.
const OVERLAP: Duration = Duration::from_secs(900);

/// Filters of changes end so far ahead: whoever's clock is ahead of ours is not left out.
const AHEAD: Duration = Duration::from_secs(2 * 24 * 3600);

/// A mark of another version is taken for one of so long ago.
const UNREADABLE_MARK: Duration = Duration::from_secs(24 * 3600);

/// How long names and clients are believed.
const FRESH_FOR: Duration = Duration::from_secs(3600);

/// Clients that are remembered.
const CLIENTS_MAX: usize = 5_000;

/// Where a reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// What changed at or after this is read.
    since: Timestamp,
    /// Where the next reading begins.
    next: Timestamp,
    offset: usize,
}

/// What was read and is believed for a while.
#[derive(Default)]
pub(super) struct DealMemory {
    names: Mutex<Option<(Timestamp, Vec<String>, DealNames)>>,
    clients: Mutex<BTreeMap<i64, (Timestamp, Option<DealClient>)>>,
}

impl DealReader for PlanfixAdapter {
    fn changes<'a>(
        &'a self,
        since: DealsSince,
        wanted: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealPiece>> {
        async move { outcome(self.deal_piece(since, wanted).await) }.boxed()
    }

    fn anew<'a>(
        &'a self,
        ids: Vec<String>,
        wanted: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealRecords>> {
        async move { outcome(self.deals_anew(ids, wanted).await) }.boxed()
    }

    fn names<'a>(&'a self, wanted: &'a DealsWanted) -> BoxFuture<'a, Outcome<DealNames>> {
        async move { outcome(self.deal_names(wanted).await) }.boxed()
    }

    /// A person sets up the scenarios of the object (S2-36).
    fn subscribe(&self, _: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        async { Outcome::Done(()) }.boxed()
    }

    /// A scenario tells of no deletion, and nobody says whether lists show what was deleted.
    fn tells_gone(&self) -> bool {
        false
    }

    fn gone(&self, ids: Vec<String>) -> BoxFuture<'_, Outcome<Vec<String>>> {
        async move { outcome(self.gone_of(ids).await) }.boxed()
    }
}

fn outcome<T>(read: Result<T, Unanswered>) -> Outcome<T> {
    match read {
        Ok(read) => Outcome::Done(read),
        Err(unanswered) => unanswered.into_outcome(),
    }
}

fn equal(kind: i64, value: Value) -> Value {
    json!({ "type": kind, "operator": "equal", "value": value })
}

fn numbers(texts: &[String]) -> Vec<i64> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

impl PlanfixAdapter {
    /// Reads the next page of what changed.
    async fn deal_piece(
        &self,
        since: DealsSince,
        wanted: &DealsWanted,
    ) -> Result<DealPiece, Unanswered> {
        let now = self.clock.now();
        let begin = |since| Cursor {
            since,
            next: now,
            offset: 0,
        };
        let cursor = match since {
            DealsSince::Time(at) => begin(at),
            DealsSince::Mark(mark) => {
                let mark = serde_json::from_value(mark).ok();
                begin(mark.unwrap_or_else(|| now.minus(UNREADABLE_MARK)))
            }
            DealsSince::Cursor(cursor) => {
                serde_json::from_value(cursor).map_err(|_| Rejection {
                    code: "bad_cursor".to_owned(),
                    message: "the reading cannot go on where it was".to_owned(),
                })?
            }
        };
        let range = json!({
            "dateType": "otherRange_withTime",
            "dateFrom": minute(cursor.since.minus(OVERLAP), &self.zone),
            "dateTo": minute(now.plus(AHEAD), &self.zone),
        });
        let mut filters = vec![equal(38, range)];
        let objects = numbers(&wanted.pipelines);
        if !objects.is_empty() {
            filters.push(equal(51, json!(objects)));
        }
        let page = self.deal_tasks(filters, cursor.offset, wanted).await?;
        let full = page.len() >= PAGE && cursor.offset < PAGES_MAX.saturating_mul(PAGE);
        let records = self.deals_of_tasks(&page, wanted).await?;
        let next = match full {
            true => DealsNext::At(write(&Cursor {
                offset: cursor.offset.saturating_add(PAGE - SHIFT),
                ..cursor
            })),
            false => DealsNext::End(write(&cursor.next)),
        };
        Ok(DealPiece { records, next })
    }

    /// Reads single tasks: together, and those that a list does not show one by one.
    async fn deals_anew(
        &self,
        ids: Vec<String>,
        wanted: &DealsWanted,
    ) -> Result<DealRecords, Unanswered> {
        let mut all = DealRecords::default();
        for some in ids.chunks(PAGE) {
            let mut found = Vec::new();
            let asked = numbers(some);
            if !asked.is_empty() {
                let filters = vec![equal(57, json!(asked))];
                found = self.deal_tasks(filters, 0, wanted).await?;
                found.retain(|task| Record(task).id().is_some_and(|id| asked.contains(&id)));
            }
            for id in some {
                let is_it =
                    |task: &Value| Record(task).id().is_some_and(|own| own.to_string() == *id);
                if found.iter().any(is_it) {
                    continue;
                }
                let fields = self.deal_fields(wanted).await?;
                match self.deal_task(id, &fields).await? {
                    Some(task) => found.push(task),
                    None => all.gone.push(id.clone()),
                }
            }
            let records = self.deals_of_tasks(&found, wanted).await?;
            all.deals.extend(records.deals);
            all.gone.extend(records.gone);
        }
        Ok(all)
    }

    async fn gone_of(&self, ids: Vec<String>) -> Result<Vec<String>, Unanswered> {
        const FIELDS: &str = "id,isDeleted";
        let mut gone = Vec::new();
        for some in ids.chunks(PAGE) {
            let body = json!({
                "offset": 0, "pageSize": PAGE, "fields": FIELDS,
                "filters": [equal(57, json!(numbers(some)))],
            });
            let answer = self.client.list("/task/list", body, CLASS).await?;
            let list = rows(&answer, "tasks").ok_or_else(|| Unanswered::unreadable("tasks"))?;
            for id in some {
                let is_it = |row: &&Record<'_>| row.id().is_some_and(|own| own.to_string() == *id);
                let is_gone = match list.iter().find(is_it) {
                    Some(row) => row.flag("isDeleted"),
                    None => self.deal_task(id, FIELDS).await?.is_none(),
                };
                if is_gone {
                    gone.push(id.clone());
                }
            }
        }
        Ok(gone)
    }

    /// Reads a page of tasks, deleted ones among them where the list shows them.
    async fn deal_tasks(
        &self,
        filters: Vec<Value>,
        offset: usize,
        wanted: &DealsWanted,
    ) -> Result<Vec<Value>, Unanswered> {
        let body = json!({
            "offset": offset, "pageSize": PAGE, "filters": filters,
            "fields": self.deal_fields(wanted).await?,
        });
        let answer = self.client.list("/task/list", body, CLASS).await?;
        let list = rows(&answer, "tasks").ok_or_else(|| Unanswered::unreadable("tasks"))?;
        Ok(list.into_iter().map(|row| row.0.clone()).collect())
    }

    /// Reads one task; `None` = it is not there any more.
    async fn deal_task(&self, id: &str, fields: &str) -> Result<Option<Value>, Unanswered> {
        // What is no number was never an id of this CRM.
        if id.parse::<u64>().is_err() {
            return Ok(None);
        }
        match self.client.get(format!("/task/{id}"), fields, CLASS).await {
            Ok(answer) => {
                let task = answer.get("task").cloned();
                let task = task.ok_or_else(|| Unanswered::unreadable("a task"))?;
                Ok((!Record(&task).flag("isDeleted")).then_some(task))
            }
            Err(refused) if refused.is_code(&[NO_TASK]) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn deals_of_tasks(
        &self,
        tasks: &[Value],
        wanted: &DealsWanted,
    ) -> Result<DealRecords, Unanswered> {
        let mut records = DealRecords::default();
        let ids = tasks.iter().filter_map(|task| Record(task).id());
        let ids = ids.map(|id| id.to_string()).collect();
        let known = wanted.known.known(ids).await.map_err(|why| {
            Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None))
        })?;
        for task in tasks {
            let task = Record(task);
            let Some(id) = task.id().map(|id| id.to_string()) else {
                continue;
            };
            let object = record::object_of(task).map(|id| id.to_string());
            let is_chosen = object.is_some_and(|object| {
                wanted.pipelines.is_empty() || wanted.pipelines.contains(&object)
            });
            if task.flag("isDeleted") || !is_chosen {
                records.gone.push(id);
                continue;
            }
            let client = match record::client_of(task) {
                Some(contact) => self.deal_client(contact).await?,
                None => None,
            };
            let known = known.get(&id);
            records
                .deals
                .extend(record::deal(task, &self.zone, client, known));
        }
        Ok(records)
    }

    /// Returns a client, as of an hour ago at the most.
    async fn deal_client(&self, contact: i64) -> Result<Option<DealClient>, Unanswered> {
        let now = self.clock.now();
        let is_fresh = |at: Timestamp| now.since(at) < FRESH_FOR;
        if let Some((at, client)) = lock(&self.deal_memory.clients).get(&contact)
            && is_fresh(*at)
        {
            return Ok(client.clone());
        }
        let row = self.contact_row(&contact.to_string(), CLASS).await?;
        let client = row.as_ref().map(|row| {
            let row = Record(row);
            DealClient {
                id: contact.to_string(),
                name: row.name(),
                phones: row.phones(),
                emails: row.emails(),
                created_at: row.time("createdDate", &self.zone),
            }
        });
        let mut clients = lock(&self.deal_memory.clients);
        if clients.len() >= CLIENTS_MAX {
            clients.retain(|_, (at, _)| is_fresh(*at));
        }
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(contact, (now, client.clone()));
        Ok(client)
    }

    /// Returns the list of what is read of tasks: additional fields go by their numbers (§2.2).
    async fn deal_fields(&self, wanted: &DealsWanted) -> Result<String, Unanswered> {
        if wanted.fields.is_empty() {
            return Ok(TASK_FIELDS.to_owned());
        }
        let names = self.deal_names(wanted).await?;
        let mut fields = TASK_FIELDS.to_owned();
        for wish in &wanted.fields {
            let small = wish.trim().to_lowercase();
            let is_it =
                |field: &&DealField| field.id == small || field.name.trim().to_lowercase() == small;
            if let Some(field) = names.fields.iter().find(is_it) {
                fields.push(',');
                fields.push_str(&field.id);
            }
        }
        Ok(fields)
    }

    async fn deal_names(&self, wanted: &DealsWanted) -> Result<DealNames, Unanswered> {
        let now = self.clock.now();
        if let Some((at, pipelines, names)) = &*lock(&self.deal_memory.names)
            && now.since(*at) < FRESH_FOR
            && *pipelines == wanted.pipelines
        {
            return Ok(names.clone());
        }
        let mut names = DealNames::default();
        for field in custom_fields(&self.client, "task", CLASS).await? {
            names.fields.push(DealField {
                id: field.id.to_string(),
                code: None,
                name: field.name,
            });
        }
        let body = json!({ "offset": 0, "pageSize": PAGE, "fields": "id,name" });
        let answer = self.client.list("/object/list", body, CLASS).await?;
        let list = rows(&answer, "objects").ok_or_else(|| Unanswered::unreadable("objects"))?;
        for row in list {
            let Some(id) = row.id().map(|id| id.to_string()) else {
                continue;
            };
            if wanted.pipelines.is_empty() || wanted.pipelines.contains(&id) {
                let name = row.text("name").unwrap_or_default();
                names.pipelines.insert(id, name);
            }
        }
        for object in names.pipelines.keys() {
            let path = format!("/object/{object}/statuses");
            let answer = self.client.get(path, "id,name,isActive", CLASS).await?;
            let list =
                rows(&answer, "statuses").ok_or_else(|| Unanswered::unreadable("statuses"))?;
            for row in list {
                if let Some(id) = row.number("id") {
                    let place = (object.clone(), id.to_string());
                    let name = row.text("name").unwrap_or_default();
                    names.stages.insert(place, name);
                }
            }
        }
        // Names are a help: where people may not be listed, their numbers are shown.
        names.users = match self.users(CLASS).await {
            Ok(users) => users
                .into_iter()
                .map(|user| (user.id.0, user.name))
                .collect(),
            Err(Unanswered::Refused(_)) => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let kept = (now, wanted.pipelines.clone(), names.clone());
        *lock(&self.deal_memory.names) = Some(kept);
        Ok(names)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write<T: Serialize>(value: &T) -> Value {
    // Times and numbers always can be written.
    serde_json::to_value(value).unwrap_or_default()
}
