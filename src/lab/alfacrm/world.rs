//! The state of a simulated account, and who is let in.

use std::collections::{BTreeMap, VecDeque};

use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::exchange::{Incoming, Reply};
use super::hooks::HookQueue;
use super::options::{AlfaOptions, Switches};
use super::pays::Pay;
use super::records::{Comment, Customer, LogLine, Task};
use crate::lab::lab_clock::Moment;

/// Arrivals are kept longer than the second that they count in, for those that are judged late.
const ARRIVALS_KEPT_S: u64 = 5;

#[derive(Debug)]
pub(super) struct World {
    pub(super) options: AlfaOptions,
    pub(super) switches: Switches,
    pub(super) zone: TimeZone,
    pub(super) customers: BTreeMap<u64, Customer>,
    pub(super) comments: BTreeMap<u64, Comment>,
    pub(super) tasks: BTreeMap<u64, Task>,
    pub(super) pays: BTreeMap<u64, Pay>,
    pub(super) log: Vec<LogLine>,
    pub(super) hooks: HookQueue,
    /// Unix milliseconds of their ends, by token.
    tokens: BTreeMap<String, i64>,
    arrivals: VecDeque<Instant>,
    next_id: u64,
    pub(super) now: Moment,
    pub(super) role_closed: bool,
    pub(super) logins: u64,
    pub(super) rate_violations: u64,
    pub(super) most_in_a_second: u64,
    pub(super) oddities: BTreeMap<String, u64>,
}

impl World {
    pub(super) fn new(options: &AlfaOptions, now: Moment) -> Self {
        Self {
            switches: options.switches,
            zone: TimeZone::get(&options.time_zone).unwrap_or(TimeZone::UTC),
            options: options.clone(),
            customers: BTreeMap::new(),
            comments: BTreeMap::new(),
            tasks: BTreeMap::new(),
            pays: BTreeMap::new(),
            log: Vec::new(),
            hooks: HookQueue::default(),
            tokens: BTreeMap::new(),
            arrivals: VecDeque::new(),
            next_id: 669,
            now,
            role_closed: false,
            logins: 0,
            rate_violations: 0,
            most_in_a_second: 0,
            oddities: BTreeMap::new(),
        }
    }

    pub(super) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn odd(&mut self, what: &str) {
        *self.oddities.entry(what.to_owned()).or_default() += 1;
    }

    /// Takes down that something happened to a record.
    pub(super) fn note(&mut self, entity: &'static str, entity_id: u64, event: u64) {
        let nothing = serde_json::json!([]);
        self.note_fields(entity, entity_id, event, (&nothing, &nothing));
    }

    /// Takes down what was changed of a record, before and after.
    pub(super) fn note_fields(
        &mut self,
        entity: &'static str,
        entity_id: u64,
        event: u64,
        fields: (&serde_json::Value, &serde_json::Value),
    ) {
        let line = LogLine {
            fields_old: fields.0.clone(),
            fields_new: fields.1.clone(),
            id: self.log.len() as u64 + 1,
            entity,
            entity_id,
            event,
            at: self.now.seconds(),
        };
        self.log.push(line);
    }

    /// Counts an arrival; refuses what is too much in any sliding second (§1).
    pub(super) fn admit(&mut self) -> Option<Reply> {
        let now = self.now.instant;
        let old = |at: &Instant| now.saturating_duration_since(*at).as_secs() >= ARRIVALS_KEPT_S;
        while self.arrivals.front().is_some_and(old) {
            self.arrivals.pop_front();
        }
        let within = |at: &&Instant| now.saturating_duration_since(**at).as_secs() < 1;
        let count = self.arrivals.iter().filter(within).count() as u64 + 1;
        self.most_in_a_second = self.most_in_a_second.max(count);
        self.arrivals.push_back(now);
        if count <= u64::from(self.options.rate_per_second) {
            return None;
        }
        self.rate_violations += 1;
        Some(Reply::too_many(self.switches.says_retry_after.then_some(1)))
    }

    /// Answers a log-in (§1.1).
    pub(super) fn log_in(&mut self, incoming: &Incoming, body: &serde_json::Value) -> Reply {
        if incoming.token.is_some() {
            self.odd("a token with a log-in");
        }
        let told = |key: &str| body.get(key).and_then(serde_json::Value::as_str);
        let known = told("email") == Some(&self.options.email)
            && told("api_key") == Some(&self.options.api_key);
        if !known || incoming.app_key != self.options.app_key {
            let text = "Incorrect email or api key";
            return Reply::error(self.switches.bad_key_status, "Unauthorized", text);
        }
        self.logins += 1;
        if self.switches.login_ends_others {
            self.tokens.clear();
        }
        let token = format!("{:032x}", u128::from(self.logins) * 0x9e37_79b9_7f4a_7c15);
        let life = i64::try_from(self.options.token_life.as_millis()).unwrap_or(i64::MAX);
        let end = self.now.unix_ms.saturating_add(life);
        self.tokens.insert(token.clone(), end);
        Reply::ok(&match self.switches.bare_token {
            true => serde_json::json!(token),
            false => serde_json::json!({ "token": token }),
        })
    }

    /// Says why a request is not let in.
    pub(super) fn is_let_in(&self, incoming: &Incoming) -> Option<Reply> {
        let ends = incoming
            .token
            .as_ref()
            .and_then(|token| self.tokens.get(token));
        if ends.is_none_or(|end| *end <= self.now.unix_ms) {
            return Some(Reply::unauthorised());
        }
        let closed = self.role_closed || incoming.app_key != self.options.app_key;
        closed.then(Reply::forbidden)
    }

    /// Ends every token.
    pub(super) fn forget_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Writes a moment as records have it (§1.4).
    pub(super) fn written(&self, seconds: i64) -> String {
        let stamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        let zoned = stamp.to_zoned(self.zone.clone());
        zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Reads a day as filters have it (§2), as Unix seconds of its beginning.
    pub(super) fn day(&self, text: &str) -> Option<i64> {
        let date = match text.split('.').collect::<Vec<_>>().as_slice() {
            [d, m, y] => {
                jiff::civil::Date::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?).ok()?
            }
            _ => text.parse().ok()?,
        };
        let start = date.to_zoned(self.zone.clone()).ok()?;
        Some(start.timestamp().as_second())
    }
}
