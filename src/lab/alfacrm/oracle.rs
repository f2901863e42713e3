//! What the account holds in the end. Calls are read from the comments as a person would read them.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde::Serialize;

use super::loose::last_ten;
use super::pays::Pay;
use super::records::{Comment, Customer, Task};
use super::world::World;

/// Everything that there is.
#[derive(Debug, Clone, Serialize)]
pub struct Oracle {
    /// Leads and clients, those of the archive included.
    pub customers: Vec<Customer>,
    /// The comments.
    pub comments: Vec<Comment>,
    /// The comments that tell of calls.
    pub calls: Vec<CallView>,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The payments.
    pub pays: Vec<Pay>,
    /// How often each mark of ours (`[TL-…]`) stands somewhere, where it is more than once.
    pub marks_twice: BTreeMap<String, usize>,
    /// The counters.
    pub counters: OracleCounters,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OracleCounters {
    /// Log-ins.
    pub logins: u64,
    /// Requests above the limit.
    pub rate_violations: u64,
    /// The most requests in any second.
    pub requests_per_second_max: u64,
    /// Requests that leave the contract in a way that is tolerated.
    pub oddities: BTreeMap<String, u64>,
    /// Webhooks that somebody took.
    pub hooks_delivered: u64,
    /// Webhooks that nobody took.
    pub hooks_lost: u64,
    /// Webhooks that wait.
    pub hooks_waiting: usize,
}

/// A comment that tells of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallView {
    /// The comment's id.
    pub id: u64,
    /// Last ten digits.
    pub phone: String,
    /// The client was called.
    pub outgoing: bool,
    /// Unix seconds.
    pub at: i64,
    /// Somebody talked.
    pub answered: bool,
    /// Seconds.
    pub duration: i64,
    /// The author; 0 = nobody.
    pub user: u64,
    /// The address of the recording.
    pub link: Option<String>,
    /// Its card is there.
    pub is_shown: bool,
}

impl Oracle {
    /// Returns the customers that hold this phone.
    pub fn customers_of_phone(&self, phone: &str) -> Vec<&Customer> {
        let wanted = last_ten(phone);
        let holds = |one: &&Customer| one.phones.iter().any(|own| last_ten(own) == wanted);
        self.customers.iter().filter(holds).collect()
    }

    /// Returns the calls of this phone, by time.
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

    /// Returns the comments on the card of a customer, oldest first.
    pub fn comments_of(&self, customer: u64) -> Vec<&Comment> {
        let own = self.comments.iter().filter(|one| one.customer == customer);
        own.collect()
    }
}

impl World {
    pub(super) fn oracle(&self) -> Oracle {
        let comments: Vec<Comment> = self.comments.values().cloned().collect();
        let customers: Vec<Customer> = self.customers.values().cloned().collect();
        let tasks: Vec<Task> = self.tasks.values().cloned().collect();
        let mut marks: BTreeMap<String, usize> = BTreeMap::new();
        let texts = comments.iter().map(|one| one.text.as_str());
        let texts = texts.chain(tasks.iter().map(|one| one.text.as_str()));
        let of_cards = customers.iter().flat_map(|one| {
            one.custom
                .values()
                .map(String::as_str)
                .chain([one.note.as_str()])
        });
        for mark in texts.chain(of_cards).flat_map(marks_of) {
            *marks.entry(mark.to_owned()).or_default() += 1;
        }
        marks.retain(|_, uses| *uses > 1);
        Oracle {
            calls: comments
                .iter()
                .filter_map(|one| self.call_of(one))
                .collect(),
            customers,
            comments,
            tasks,
            pays: self.pays.values().cloned().collect(),
            marks_twice: marks,
            counters: self.oracle_counters(),
        }
    }

    /// Returns the counters alone, which is cheap.
    pub(super) fn oracle_counters(&self) -> OracleCounters {
        OracleCounters {
            logins: self.logins,
            rate_violations: self.rate_violations,
            requests_per_second_max: self.most_in_a_second,
            oddities: self.oddities.clone(),
            hooks_delivered: self.hooks.delivered,
            hooks_lost: self.hooks.lost,
            hooks_waiting: self.hooks.waiting(),
        }
    }

    /// Reads a comment that tells of a call: "Входящий звонок 21.11.2026 14:05:33" and lines with
    /// the number, what came of it, and the recording.
    fn call_of(&self, comment: &Comment) -> Option<CallView> {
        let mut lines = comment.text.lines();
        let (way, at) = lines.next()?.split_once(" звонок ")?;
        let outgoing = match way {
            "Входящий" => false,
            "Исходящий" => true,
            _ => return None,
        };
        let at = DateTime::strptime("%d.%m.%Y %H:%M:%S", at).ok()?;
        let at = at.to_zoned(self.zone.clone()).ok()?.timestamp().as_second();
        let value = |name: &str| {
            let mut lines = comment.text.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
        };
        let length = value("Разговор ");
        let seconds = length.as_deref().and_then(|length| {
            let (minutes, seconds) = length.split_once(':')?;
            Some(minutes.parse::<i64>().ok()? * 60 + seconds.parse::<i64>().ok()?)
        });
        Some(CallView {
            id: comment.id,
            phone: last_ten(&value("Номер: ")?),
            outgoing,
            at,
            answered: length.is_some(),
            duration: seconds.unwrap_or(0),
            user: comment.user,
            link: value("Запись: "),
            is_shown: self.customers.contains_key(&comment.customer),
        })
    }
}

/// Returns our marks in a text, each with its brackets left out.
fn marks_of(text: &str) -> impl Iterator<Item = &str> {
    let is_mark = |word: &&str| word.starts_with("TL-");
    text.split(['[', ']', ' ', '\n']).filter(is_mark)
}
