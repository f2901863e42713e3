//! What the account holds in the end, for whoever counts.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::times;
use super::world::{World, last_ten};

/// Everything.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Oracle {
    /// Contacts and companies that are not deleted.
    pub contacts: Vec<ContactView>,
    /// Tasks.
    pub tasks: Vec<TaskView>,
    /// Data tags of calls.
    pub calls: Vec<CallView>,
    /// Comments.
    pub comments: Vec<CommentView>,
    /// Clients of calls that were begun and never ended.
    pub unfinished: Vec<String>,
    /// How often each key stands on records of one sort, where more than once.
    pub keys_twice: BTreeMap<String, usize>,
    /// Counters.
    pub counters: Counters,
}

/// A contact.
#[derive(Debug, Clone, Serialize)]
pub struct ContactView {
    /// Its number.
    pub id: u64,
    /// A company.
    pub is_company: bool,
    /// The name.
    pub name: String,
    /// As stored.
    pub phones: Vec<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Who is responsible.
    pub supervisors: Vec<u64>,
    /// The template.
    pub template: Option<u64>,
    /// Additional fields.
    pub custom: BTreeMap<u64, Value>,
    /// Made by Planfix from a call.
    pub by_planfix: bool,
}

/// A task.
#[derive(Debug, Clone, Serialize)]
pub struct TaskView {
    /// Its number.
    pub id: u64,
    /// The name.
    pub name: String,
    /// HTML.
    pub description: String,
    /// The object.
    pub template: Option<u64>,
    /// The status.
    pub status: u64,
    /// The contact.
    pub counterparty: Option<u64>,
    /// The task above.
    pub parent: Option<u64>,
    /// Whose it is.
    pub assignees: Vec<u64>,
    /// When it is due, as written.
    pub due: Option<String>,
    /// Additional fields.
    pub custom: BTreeMap<u64, Value>,
}

/// A call.
#[derive(Debug, Clone, Serialize)]
pub struct CallView {
    /// Grows with the order of making.
    pub id: u64,
    /// The PBX's name of the call.
    pub callid: String,
    /// Last ten digits.
    pub phone: String,
    /// Outgoing.
    pub outgoing: bool,
    /// The employee's short number.
    pub ext: Option<String>,
    /// The user of that number.
    pub user: Option<u64>,
    /// What it came to.
    pub status: String,
    /// Seconds.
    pub duration: u64,
    /// It is recorded.
    pub recorded: bool,
    /// The recording.
    pub link: Option<String>,
    /// When it took place, by its field; else when it was told.
    pub at: i64,
}

/// A comment.
#[derive(Debug, Clone, Serialize)]
pub struct CommentView {
    /// On a task; else on a contact.
    pub of_task: bool,
    /// The number of that.
    pub on: u64,
    /// HTML.
    pub text: String,
}

/// Counters.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counters {
    /// Requests above one a second.
    pub rate_violations: u64,
    /// Requests of the day.
    pub used_today: u64,
    /// Requests after the day's last.
    pub quota_refusals: u64,
    /// Events of telephony.
    pub events: u64,
    /// Events that Planfix ignored: an unknown short number, an employee's own telephone.
    pub ignored_events: u64,
    /// What is odd about how it was asked.
    pub oddities: BTreeMap<String, u64>,
    /// Webhooks of scenarios that were taken.
    pub hooks_delivered: u64,
    /// Webhooks that nobody got.
    pub hooks_lost: u64,
    /// Webhooks that were not answered by a quick 200, each of which froze the account's webhooks.
    pub hooks_failed: u64,
    /// Webhooks that wait.
    pub hooks_waiting: usize,
    /// How long an answer to a webhook took at the most.
    pub hooks_slowest_ms: u64,
}

impl Oracle {
    /// Returns the people with a number.
    pub fn contacts_of_phone(&self, phone: &str) -> Vec<&ContactView> {
        let wanted = last_ten(phone);
        let contacts = self.contacts.iter();
        contacts
            .filter(|one| one.phones.iter().any(|phone| last_ten(phone) == wanted))
            .collect()
    }

    /// Returns the tasks of objects of those people.
    pub fn deals_of_phone(&self, phone: &str) -> Vec<&TaskView> {
        let contacts = self.contacts_of_phone(phone);
        let own = |task: &&TaskView| {
            let mut contacts = contacts.iter();
            task.template.is_some() && contacts.any(|one| Some(one.id) == task.counterparty)
        };
        self.tasks.iter().filter(own).collect()
    }

    /// Returns the calls, of those that were told twice the first.
    pub fn calls_once(&self) -> Vec<&CallView> {
        let mut told = std::collections::BTreeSet::new();
        let calls = self.calls.iter();
        calls
            .filter(|call| told.insert((&call.callid, &call.ext, &call.status)))
            .collect()
    }

    /// Returns the calls with a number.
    pub fn calls_of_phone(&self, phone: &str) -> Vec<&CallView> {
        let wanted = last_ten(phone);
        self.calls
            .iter()
            .filter(|call| call.phone == wanted)
            .collect()
    }
}

impl World {
    pub(super) fn counters(&self) -> Counters {
        Counters {
            rate_violations: self.limits.violations,
            used_today: self.limits.used_today,
            quota_refusals: self.limits.quota_refusals,
            events: self.events,
            ignored_events: self.ignored_events,
            oddities: self.oddities.clone(),
            hooks_delivered: self.hooks.delivered,
            hooks_lost: self.hooks.lost,
            hooks_failed: self.hooks.failed,
            hooks_waiting: self.hooks.waiting(),
            hooks_slowest_ms: self.hooks.slowest_ms,
        }
    }

    pub(super) fn oracle(&self) -> Oracle {
        let contacts = self.contacts.iter().filter(|one| !one.is_deleted);
        let contacts = contacts.map(|one| ContactView {
            id: one.id,
            is_company: one.is_company,
            name: one.name.clone(),
            phones: one.phones.clone(),
            email: one.email.clone(),
            supervisors: one.supervisors.clone(),
            template: one.template,
            custom: one.custom.clone(),
            by_planfix: one.by_planfix,
        });
        let tasks = self.tasks.iter().filter(|one| !one.is_deleted);
        let tasks = tasks.map(|one| TaskView {
            id: one.id,
            name: one.name.clone(),
            description: one.description.clone(),
            template: one.template,
            status: one.status,
            counterparty: one.counterparty,
            parent: one.parent,
            assignees: one.assignees.clone(),
            due: one.due.clone(),
            custom: one.custom.clone(),
        });
        let live = self
            .live
            .iter()
            .filter(|(_, call)| call.begun && !call.ended);
        Oracle {
            contacts: contacts.collect(),
            tasks: tasks.collect(),
            calls: self.calls.iter().map(|tag| self.call_view(tag)).collect(),
            comments: self
                .comments
                .iter()
                .map(|one| CommentView {
                    of_task: one.of_task,
                    on: one.on,
                    text: one.text.clone(),
                })
                .collect(),
            unfinished: live.map(|(callid, _)| callid.clone()).collect(),
            keys_twice: self.keys_twice(),
            counters: self.counters(),
        }
    }

    fn call_view(&self, tag: &super::world::CallTag) -> CallView {
        let field = self.options.call_time_field.as_ref();
        let told = field.and_then(|field| tag.data.get(field));
        let at = told.and_then(|text| times::read("%d-%m-%Y %H:%M:%S", text));
        CallView {
            id: tag.id,
            callid: tag.callid.clone(),
            phone: last_ten(&tag.phone),
            outgoing: tag.outgoing,
            ext: tag.ext.clone(),
            user: tag
                .ext
                .as_ref()
                .and_then(|ext| self.user_of(ext))
                .map(|user| user.id),
            status: tag.status.clone(),
            duration: tag.duration,
            recorded: tag.recorded,
            link: tag.link.clone(),
            at: at.unwrap_or(tag.at),
        }
    }

    fn keys_twice(&self) -> BTreeMap<String, usize> {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        let contacts = self.contacts.iter().map(|one| ("contact", &one.custom));
        let tasks = self.tasks.iter().map(|one| ("task", &one.custom));
        for (sort, custom) in contacts.chain(tasks) {
            for value in custom.values().filter_map(Value::as_str) {
                if value.starts_with("TL-") {
                    *uses.entry(format!("{sort} {value}")).or_default() += 1;
                }
            }
        }
        uses.retain(|_, count| *count > 1);
        uses
    }
}
