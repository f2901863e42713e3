//! What the portal holds in the end, counted without asking how it came there: by phone, by
//! content, by marker. Tests and the working day compare it with what a script calls for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::phones::last_ten;
use super::records::{Kind, Notice, Record, Shown};
use super::telephony::DEDUP_S;

/// Everything a portal holds, in a stable order.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Oracle {
    /// Contacts, by id.
    pub contacts: Vec<CardView>,
    /// Companies, by id.
    pub companies: Vec<CardView>,
    /// Leads, by id.
    pub leads: Vec<CardView>,
    /// Deals, by id.
    pub deals: Vec<CardView>,
    /// Finished calls, in the order in which they were finished.
    pub calls: Vec<CallView>,
    /// Calls that were registered and are not finished.
    pub live_calls: Vec<CallView>,
    /// Activities, by id; those of calls are among them.
    pub activities: Vec<ActivityView>,
    /// Comments and log lines of timelines, by id.
    pub comments: Vec<CommentView>,
    /// Tasks, by id.
    pub tasks: Vec<TaskView>,
    /// Notices, by id.
    pub notices: Vec<Notice>,
    /// Cards that were put on screens, in order.
    pub shown: Vec<Shown>,
    /// Numbers that were missed and not called back, with how often.
    pub missed: BTreeMap<String, u64>,
    /// What is there twice.
    pub duplicates: Duplicates,
    /// Counters of the portal.
    pub counters: OracleCounters,
}

/// A lead, deal, contact or company.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardView {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: u64,
    /// What people see as its name.
    pub title: String,
    /// Phones as stored.
    pub phones: Vec<String>,
    /// E-mails as stored.
    pub emails: Vec<String>,
    /// Owner.
    pub responsible: u64,
    /// Author.
    pub created_by: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Contacts of a lead or deal, the main one first.
    pub contacts: Vec<u64>,
    /// Company; 0 for none.
    pub company: u64,
    /// Funnel of a deal.
    pub category: u64,
    /// Stage of a lead or deal.
    pub stage: String,
    /// Number of the stage's row in `crm.status.list`; 0 for none.
    pub stage_id: u64,
    /// Whether a lead or deal is neither won nor lost.
    pub is_open: bool,
    /// `ORIGINATOR_ID`.
    pub originator: String,
    /// `ORIGIN_ID`.
    pub origin: String,
    /// `SOURCE_ID`.
    pub source: String,
    /// `COMMENTS`.
    pub comments: String,
    /// Texts of its other fields, user fields among them, by name.
    pub fields: BTreeMap<String, String>,
    /// Whether the portal told its responsible of it (`REGISTER_SONET_EVENT`).
    pub is_announced: bool,
    /// The deal that a lead became where there are no leads.
    pub became: Option<u64>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallView {
    /// Its number in the statistics, in the order of finishing; 0 for one that is not finished.
    pub id: u64,
    /// `CALL_ID`.
    pub call_id: String,
    /// `EXTERNAL_CALL_ID`; empty for none.
    pub external_id: String,
    /// Last ten digits of the number.
    pub phone: String,
    /// The number as stored.
    pub number: String,
    /// `TYPE`: 1 outgoing, 2 incoming, 3 redirected, 4 callback.
    pub call_type: u64,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The call's time in Unix seconds.
    pub at: i64,
    /// Unix seconds at which it was registered.
    pub registered_at: i64,
    /// Users who see its card.
    pub on_screens: Vec<u64>,
    /// Length of the talk in seconds.
    pub duration: i64,
    /// Unix seconds at which it was finished; 0 while it is not.
    pub finished_at: i64,
    /// `CALL_FAILED_CODE`.
    pub code: String,
    /// The user of the call in the end.
    pub user: u64,
    /// The line.
    pub line: String,
    /// Whoever had it was told of it in the chat.
    pub in_chat: bool,
    /// The card that it stands on.
    pub card: Option<(Kind, u64)>,
    /// Its activity.
    pub activity: Option<u64>,
    /// Its recording.
    pub record: Option<Record>,
    /// Lines of its transcript.
    pub transcript_lines: usize,
    /// False when its card is gone, or there was none.
    pub is_shown: bool,
}

/// An activity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActivityView {
    /// Its id.
    pub id: u64,
    /// `PROVIDER_ID`: `VOXIMPLANT_CALL`, `CRM_TODO`, …
    pub provider: String,
    /// Type.
    pub type_id: u64,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub description: String,
    /// Who has to do it.
    pub responsible: u64,
    /// The card that it belongs to.
    pub owner: Option<(Kind, u64)>,
    /// Every card that it stands on.
    pub bindings: Vec<(Kind, u64)>,
    /// Unix seconds.
    pub deadline: Option<i64>,
    /// Unix seconds.
    pub start_at: i64,
    /// Unix seconds.
    pub end_at: i64,
    /// 1 incoming, 2 outgoing, 0 neither.
    pub direction: u64,
    /// Whether it is done.
    pub is_completed: bool,
    /// `ORIGINATOR_ID`.
    pub originator: String,
    /// `ORIGIN_ID`.
    pub origin: String,
}

/// A comment or log line of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommentView {
    /// Its id.
    pub id: u64,
    /// Its card.
    pub card: Option<(Kind, u64)>,
    /// Title of a log line; empty for a comment.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Author.
    pub author: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Files that it carries.
    pub files: usize,
    /// Whether it is a log line.
    pub is_log_line: bool,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskView {
    /// Its id.
    pub id: u64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: String,
    /// Who has to do it.
    pub responsible: u64,
    /// Unix seconds.
    pub deadline: Option<i64>,
    /// Cards: `D_512`, `C_31`.
    pub cards: Vec<String>,
    /// `XML_ID`.
    pub xml_id: String,
}

/// What is there twice; each row is the content and how often it is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Duplicates {
    /// Contacts with one phone.
    pub contacts: BTreeMap<String, usize>,
    /// Cards of one kind with one `ORIGINATOR_ID` and `ORIGIN_ID`; a lead and the deal that it
    /// became are of two kinds.
    pub origins: BTreeMap<String, usize>,
    /// Finished calls with one `EXTERNAL_CALL_ID`.
    pub external_ids: BTreeMap<String, usize>,
    /// Finished calls of one number, time and direction.
    pub calls: BTreeMap<String, usize>,
    /// Activities with one `ORIGINATOR_ID` and `ORIGIN_ID`.
    pub activities: BTreeMap<String, usize>,
    /// Things to do of one card with one title, text and deadline.
    pub todos: BTreeMap<String, usize>,
    /// Comments of one card with one text.
    pub comments: BTreeMap<String, usize>,
    /// Tasks with one `XML_ID`, or one title, text and card.
    pub tasks: BTreeMap<String, usize>,
    /// Notices for one user with one text.
    pub notices: BTreeMap<String, usize>,
}

impl Duplicates {
    /// Returns how many effects are too many. One call that is counted under two headings counts
    /// twice.
    pub fn count(&self) -> usize {
        let lists = [
            &self.contacts,
            &self.origins,
            &self.external_ids,
            &self.calls,
            &self.activities,
            &self.todos,
            &self.comments,
            &self.tasks,
            &self.notices,
        ];
        let times = lists.iter().flat_map(|list| list.values());
        times.map(|n| n - 1).sum()
    }
}

/// Counters of the portal.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OracleCounters {
    /// Requests refused because the bucket was full.
    pub rate_violations: u64,
    /// Calls of methods refused because their time was used up.
    pub operating_violations: u64,
    /// The fullest that a bucket was.
    pub bucket_most: u64,
    /// Spent refresh tokens that were sent again.
    pub spent_tokens_reused: u64,
    /// Refreshes that succeeded.
    pub token_rotations: u64,
    /// Batches.
    pub batches: u64,
    /// Commands in all batches.
    pub batch_commands: u64,
    /// Calls of each method, inside of batches and outside.
    pub methods: BTreeMap<String, u64>,
    /// Registers that were answered with a call that was there.
    pub repeated_registers: u64,
    /// Events that a handler took.
    pub events_delivered: u64,
    /// Events that no handler took.
    pub events_lost: u64,
    /// Rows that wait in the offline queue.
    pub offline_waiting: u64,
    /// Messages that came by connectors.
    pub connector_messages: u64,
    /// Requests that leave the contract in a way that is tolerated.
    pub oddities: BTreeMap<String, u64>,
}

impl Oracle {
    /// Returns the contacts that hold this phone.
    pub fn contacts_of_phone(&self, phone: &str) -> Vec<&CardView> {
        holding(&self.contacts, phone)
    }

    /// Returns the companies that hold this phone.
    pub fn companies_of_phone(&self, phone: &str) -> Vec<&CardView> {
        holding(&self.companies, phone)
    }

    /// Returns the leads that hold this phone, or belong to a contact that does.
    pub fn leads_of_phone(&self, phone: &str) -> Vec<&CardView> {
        let contacts: Vec<u64> = self.contacts_of_phone(phone).iter().map(|c| c.id).collect();
        let wanted = last_ten(phone);
        let ours = |lead: &&CardView| {
            lead.phones.iter().any(|p| last_ten(p) == wanted)
                || lead.contacts.iter().any(|id| contacts.contains(id))
        };
        self.leads.iter().filter(ours).collect()
    }

    /// Returns the deals of contacts and companies that hold this phone.
    pub fn deals_of_phone(&self, phone: &str) -> Vec<&CardView> {
        let contacts: Vec<u64> = self.contacts_of_phone(phone).iter().map(|c| c.id).collect();
        let companies: Vec<u64> = self
            .companies_of_phone(phone)
            .iter()
            .map(|c| c.id)
            .collect();
        let ours = |deal: &&CardView| {
            deal.contacts.iter().any(|id| contacts.contains(id))
                || companies.contains(&deal.company)
        };
        self.deals.iter().filter(ours).collect()
    }

    /// Returns the registrations that were never finished and of which nobody could have known: the
    /// request broke off behind them, their call was too old by then to be known again (§8), and nothing
    /// of them is seen by anybody. The call itself stands in the statistics under the same name.
    pub fn left_behind(&self) -> impl Iterator<Item = &CallView> {
        let finished: BTreeSet<&str> = self
            .calls
            .iter()
            .map(|call| call.external_id.as_str())
            .collect();
        self.live_calls.iter().filter(move |call| {
            call.registered_at.saturating_sub(call.at) >= DEDUP_S
                && call.on_screens.is_empty()
                && !call.external_id.is_empty()
                && finished.contains(call.external_id.as_str())
        })
    }

    /// Counts by how many activities each finished call stands on a card, by `CALL_ID`: the portal's own,
    /// and those that an application made for it, whose origin is its name of the call. A card that is
    /// gone does not count.
    pub fn standings(&self) -> BTreeMap<&str, usize> {
        let lists = [&self.contacts, &self.companies, &self.leads, &self.deals];
        let cards = lists.into_iter().flatten();
        let cards: BTreeSet<(Kind, u64)> = cards.map(|card| (card.kind, card.id)).collect();
        let (mut there, mut by_origin) = (BTreeSet::new(), BTreeMap::<&str, BTreeSet<u64>>::new());
        let activities = self.activities.iter();
        for one in activities.filter(|one| one.owner.is_some_and(|card| cards.contains(&card))) {
            there.insert(one.id);
            by_origin.entry(&one.origin).or_default().insert(one.id);
        }
        let counted = self.calls.iter().map(|call| {
            let own = call.activity.filter(|id| there.contains(id));
            let name = Some(call.external_id.as_str()).filter(|name| !name.is_empty());
            let named = name.and_then(|name| by_origin.get(name)).into_iter();
            let standing: BTreeSet<u64> = named.flatten().copied().chain(own).collect();
            (call.call_id.as_str(), standing.len())
        });
        counted.collect()
    }

    /// Returns the finished calls of this phone, by time.
    pub fn calls_of_phone(&self, phone: &str) -> Vec<&CallView> {
        let wanted = last_ten(phone);
        let mut calls: Vec<&CallView> = self
            .calls
            .iter()
            .filter(|call| call.phone == wanted)
            .collect();
        calls.sort_by_key(|call| (call.at, call.id));
        calls
    }

    /// Returns the activities of a provider on cards of this phone.
    pub fn activities_of_phone(&self, provider: &str, phone: &str) -> Vec<&ActivityView> {
        let mut cards: Vec<(Kind, u64)> = Vec::new();
        let lists = [
            self.contacts_of_phone(phone),
            self.companies_of_phone(phone),
            self.leads_of_phone(phone),
            self.deals_of_phone(phone),
        ];
        cards.extend(lists.iter().flatten().map(|card| (card.kind, card.id)));
        let ours = |activity: &&ActivityView| {
            activity.provider == provider && activity.bindings.iter().any(|b| cards.contains(b))
        };
        self.activities.iter().filter(ours).collect()
    }

    /// Returns the things to do on cards of this phone.
    pub fn todos_of_phone(&self, phone: &str) -> Vec<&ActivityView> {
        self.activities_of_phone("CRM_TODO", phone)
    }

    /// Returns how often a text stands in comments, activities, tasks and notices: more than once
    /// is a marker used twice.
    pub fn marker_uses(&self, marker: &str) -> usize {
        let comments = self.comments.iter().map(|comment| &comment.text);
        let activities = self.activities.iter().map(|activity| &activity.description);
        let tasks = self.tasks.iter().map(|task| &task.description);
        let notices = self.notices.iter().map(|notice| &notice.message);
        let texts = comments.chain(activities).chain(tasks).chain(notices);
        texts.filter(|text| text.contains(marker)).count()
    }
}

fn holding<'a>(cards: &'a [CardView], phone: &str) -> Vec<&'a CardView> {
    let wanted = last_ten(phone);
    let holds = |card: &&CardView| card.phones.iter().any(|p| last_ten(p) == wanted);
    cards.iter().filter(holds).collect()
}
