//! Takes the oracle's count: from the records of the portal to the views of `oracle`.

use std::collections::{BTreeMap, BTreeSet};

use super::activities::TODO;
use super::oracle::{
    ActivityView, CallView, CardView, CommentView, Duplicates, Oracle, OracleCounters, TaskView,
};
use super::params::text_of;
use super::phones::last_ten;
use super::records::{Activity, Card, Comment, FinishedCall, Kind, LiveCall, Task};
use super::world::World;

/// Fields that have a place of their own in a view.
const SHOWN: &[&str] = &[
    "ID",
    "TITLE",
    "NAME",
    "ASSIGNED_BY_ID",
    "CREATED_BY_ID",
    "MODIFY_BY_ID",
    "DATE_CREATE",
    "DATE_MODIFY",
    "OPENED",
    "COMMENTS",
    "ORIGINATOR_ID",
    "ORIGIN_ID",
    "SOURCE_ID",
    "COMPANY_ID",
    "CATEGORY_ID",
    "STAGE_ID",
    "STATUS_ID",
    "STAGE_SEMANTIC_ID",
    "STATUS_SEMANTIC_ID",
    "CLOSED",
    "BEGINDATE",
    "CLOSEDATE",
    "DATE_CLOSED",
    "IS_RETURN_CUSTOMER",
    "CURRENCY_ID",
    "OPPORTUNITY",
];

impl World {
    /// Counts everything.
    pub(super) fn oracle(&self) -> Oracle {
        let cards = |kind| {
            self.cards_of(kind)
                .map(|card| self.card_view(card))
                .collect()
        };
        let mut oracle = Oracle {
            contacts: cards(Kind::Contact),
            companies: cards(Kind::Company),
            leads: cards(Kind::Lead),
            deals: cards(Kind::Deal),
            calls: self
                .finished_calls
                .values()
                .map(|c| self.finished_view(c))
                .collect(),
            live_calls: self
                .live_calls
                .values()
                .map(|c| self.call_view(c))
                .collect(),
            activities: self.activities.values().map(activity_view).collect(),
            comments: self.comments.values().map(comment_view).collect(),
            tasks: self.tasks.values().map(task_view).collect(),
            notices: self.notices.values().cloned().collect(),
            shown: self.shown.iter().cloned().collect(),
            missed: self.missed.clone(),
            duplicates: Duplicates::default(),
            counters: self.oracle_counters(),
        };
        oracle.duplicates = duplicates(&oracle);
        oracle
    }

    /// Returns the counters alone, which is cheap.
    pub(super) fn oracle_counters(&self) -> OracleCounters {
        OracleCounters {
            rate_violations: self.buckets.violations,
            operating_violations: self.operating.violations,
            bucket_most: whole(self.buckets.most),
            spent_tokens_reused: self.auth.spent_tokens_reused,
            token_rotations: self.auth.rotations,
            batches: self.batches,
            batch_commands: self.batch_commands,
            methods: self
                .calls_of
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            repeated_registers: self.repeated_registers,
            events_delivered: self.event_queue.delivered,
            events_lost: self.event_queue.lost,
            offline_waiting: self.offline.len() as u64,
            connector_messages: self.connectors.messages.len() as u64,
            oddities: self.oddities.clone(),
        }
    }

    fn card_view(&self, card: &Card) -> CardView {
        let stage = match card.kind {
            Kind::Lead => card.text("STATUS_ID"),
            _ => card.text("STAGE_ID"),
        };
        let row = self.stages_of(card.kind).find(|row| row.status_id == stage);
        let semantics = row.map(|row| row.semantics);
        let texts = |name: &str| {
            let values = card.multi.get(name).into_iter().flatten();
            values.map(|value| value.value.clone()).collect()
        };
        let others = card
            .fields
            .iter()
            .filter(|(name, _)| !SHOWN.contains(&name.as_str()));
        CardView {
            kind: card.kind,
            id: card.id,
            title: card.title(),
            phones: texts("PHONE"),
            emails: texts("EMAIL"),
            responsible: card.number("ASSIGNED_BY_ID"),
            created_by: card.number("CREATED_BY_ID"),
            created_at: card.seconds("DATE_CREATE"),
            contacts: card.contacts.clone(),
            company: card.number("COMPANY_ID"),
            category: card.number("CATEGORY_ID"),
            stage: stage.to_owned(),
            stage_id: row.map_or(0, |row| row.id),
            is_open: semantics == Some(None),
            originator: card.text("ORIGINATOR_ID").to_owned(),
            origin: card.text("ORIGIN_ID").to_owned(),
            source: card.text("SOURCE_ID").to_owned(),
            comments: card.text("COMMENTS").to_owned(),
            fields: others
                .map(|(name, value)| {
                    let text = text_of(value).unwrap_or_else(|| value.to_string());
                    (name.clone(), text)
                })
                .collect(),
            is_announced: self.announced.contains(&(card.kind, card.id)),
            became: self
                .converted
                .get(&card.id)
                .copied()
                .filter(|_| card.kind == Kind::Lead),
        }
    }

    fn call_view(&self, call: &LiveCall) -> CallView {
        let is_shown = call
            .primary
            .is_some_and(|(kind, id)| self.card(kind, id).is_some());
        CallView {
            id: 0,
            call_id: call.call_id.clone(),
            external_id: call.external_id.clone().unwrap_or_default(),
            phone: last_ten(&call.phone),
            number: call.phone.clone(),
            call_type: call.call_type,
            direction: if call.call_type == 1 {
                "outbound"
            } else {
                "inbound"
            }
            .into(),
            at: call.started_at,
            registered_at: call.registered_at,
            on_screens: call.shown_to.iter().copied().collect(),
            duration: 0,
            finished_at: 0,
            code: String::new(),
            user: call.user_id,
            line: call.line.clone(),
            in_chat: false,
            card: call.primary,
            activity: None,
            record: None,
            transcript_lines: 0,
            is_shown,
        }
    }

    fn finished_view(&self, finished: &FinishedCall) -> CallView {
        CallView {
            id: finished.id,
            duration: finished.duration,
            finished_at: finished.finished_at,
            code: finished.code.clone(),
            in_chat: finished.in_chat,
            user: finished.user_id,
            activity: finished.activity_id,
            record: finished.record.clone(),
            transcript_lines: finished.transcript.len(),
            ..self.call_view(&finished.call)
        }
    }
}

fn card_of((kind, id): (u64, u64)) -> Option<(Kind, u64)> {
    Some((Kind::from_type_id(kind)?, id))
}

fn activity_view(activity: &Activity) -> ActivityView {
    ActivityView {
        id: activity.id,
        provider: activity.provider_id.clone(),
        type_id: activity.type_id,
        subject: activity.subject.clone(),
        description: activity.description.clone(),
        responsible: activity.responsible_id,
        owner: card_of(activity.owner),
        bindings: activity
            .bindings
            .iter()
            .copied()
            .filter_map(card_of)
            .collect(),
        deadline: activity.deadline,
        start_at: activity.start_at,
        end_at: activity.end_at,
        direction: activity.direction,
        is_completed: activity.is_completed,
        originator: activity.originator_id.clone(),
        origin: activity.origin_id.clone(),
    }
}

fn comment_view(comment: &Comment) -> CommentView {
    CommentView {
        id: comment.id,
        card: card_of(comment.entity),
        title: comment.title.clone(),
        text: comment.text.clone(),
        author: comment.author_id,
        created_at: comment.created_at,
        files: comment.files.len(),
        is_log_line: comment.is_log_line,
    }
}

fn task_view(task: &Task) -> TaskView {
    TaskView {
        id: task.id,
        title: task.title.clone(),
        description: task.description.clone(),
        responsible: task.responsible_id,
        deadline: task.deadline,
        cards: task.crm.clone(),
        xml_id: task.xml_id.clone(),
    }
}

fn duplicates(oracle: &Oracle) -> Duplicates {
    let phones = oracle.contacts.iter().flat_map(|card| {
        let keys: BTreeSet<String> = card.phones.iter().map(|phone| last_ten(phone)).collect();
        keys
    });
    let cards = [
        &oracle.contacts,
        &oracle.companies,
        &oracle.leads,
        &oracle.deals,
    ];
    let marked = cards
        .into_iter()
        .flatten()
        .filter(|card| !card.origin.is_empty());
    let origins = marked.map(|card| format!("{:?} {} {}", card.kind, card.originator, card.origin));
    let named = oracle
        .calls
        .iter()
        .filter(|call| !call.external_id.is_empty());
    let calls = oracle.calls.iter();
    let calls = calls.map(|call| format!("{} {} {}", call.phone, call.at, call.direction));
    let of_ours = oracle
        .activities
        .iter()
        .filter(|activity| !activity.origin.is_empty());
    let todos = oracle
        .activities
        .iter()
        .filter(|activity| activity.provider == TODO);
    let tasks = oracle
        .tasks
        .iter()
        .map(|task| match task.xml_id.is_empty() {
            true => format!("{} {} {:?}", task.title, task.description, task.cards),
            false => task.xml_id.clone(),
        });
    Duplicates {
        contacts: repeated(phones),
        origins: repeated(origins),
        external_ids: repeated(named.map(|call| call.external_id.clone())),
        calls: repeated(calls),
        activities: repeated(of_ours.map(|a| format!("{} {}", a.originator, a.origin))),
        todos: repeated(todos.map(|a| {
            format!(
                "{:?} {} {} {:?}",
                a.owner, a.subject, a.description, a.deadline
            )
        })),
        comments: repeated(
            oracle
                .comments
                .iter()
                .map(|c| format!("{:?} {} {}", c.card, c.title, c.text)),
        ),
        tasks: repeated(tasks),
        notices: repeated(
            oracle
                .notices
                .iter()
                .map(|n| format!("{} {}", n.user_id, n.message)),
        ),
    }
}

fn repeated(keys: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts.retain(|_, count| *count > 1);
    counts
}

/// Rounds a level of the bucket up.
fn whole(level: f64) -> u64 {
    format!("{:.0}", level.ceil().max(0.0)).parse().unwrap_or(0)
}
