//! The state of the simulated Asterisk: its sessions, what lives in it, its small database, its
//! time of boot. Events go to every session that may see them from here, in one order.
//!
//! Everything happens under one lock and nothing awaits, so that the lists that a client asks for
//! and the events that follow them fit together.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::classes::{AmiUser, Classes};
use super::endpoints::AmiCompany;
use super::living::Living;
use super::log_files::LogFiles;
use super::message::Message;
use super::pattern::Pattern;
use super::script::Counters;
use crate::lab::wall;

/// Messages that wait for a session that reads slowly. Past it the session is dropped, as Asterisk
/// drops one whose writes block (`pbx/asterisk.md` §1); 32768 holds every event of three hundred
/// calls, for a client that does not read at all while they are played.
pub(super) const SESSION_QUEUE_MESSAGES_MAX: usize = 32_768;

/// How long the switch pretends to have been up when the server starts, so that a restart shows a
/// smaller Uptime at once.
const UPTIME_AT_START: Duration = Duration::from_secs(86_400);

/// Filters that one session may add: bounds the work for each event.
const FILTERS_MAX: usize = 32;

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) queue: mpsc::Sender<Bytes>,
    pub(super) closed: CancellationToken,
    pub(super) user: Option<AmiUser>,
    pub(super) mask: Classes,
    pub(super) challenge: Option<String>,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Session {
    pub(super) fn new(queue: mpsc::Sender<Bytes>, closed: CancellationToken) -> Self {
        Self {
            queue,
            closed,
            user: None,
            mask: Classes::ALL,
            challenge: None,
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }

    /// Sends a message whatever the mask says.
    pub(super) fn send(&self, bytes: Bytes) {
        if self.queue.try_send(bytes).is_err() {
            self.closed.cancel();
        }
    }

    /// Adds a filter; `false` when it is one that this server does not understand.
    pub(super) fn filter(&mut self, text: &str) -> bool {
        let (list, text) = match text.strip_prefix('!') {
            Some(rest) => (&mut self.exclude, rest),
            None => (&mut self.include, text),
        };
        match Pattern::compile(text) {
            Some(pattern) if list.len() < FILTERS_MAX => {
                list.push(pattern);
                true
            }
            _ => false,
        }
    }

    fn may_see(&self, privilege: Classes, text: &str) -> bool {
        let Some(user) = &self.user else {
            return false;
        };
        user.read.and(self.mask).meets(privilege)
            && (self.include.is_empty() || self.include.iter().any(|p| p.occurs_in(text)))
            && !self.exclude.iter().any(|p| p.occurs_in(text))
    }
}

/// The simulated Asterisk.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) sessions: BTreeMap<u64, Session>,
    pub(super) living: Living,
    pub(super) database: BTreeMap<(String, String), String>,
    pub(super) company: AmiCompany,
    pub(super) counters: Counters,
    /// The recording that plays when this extension is asked to call somebody.
    pub(super) originate: BTreeMap<String, String>,
    /// Cancelled when the switch goes down: calls in progress end without a word.
    pub(super) life: CancellationToken,
    /// Its own log of calls, where it keeps one.
    pub(super) logs: Option<LogFiles>,
    booted: Instant,
    booted_s: i64,
    uptime_at_boot: Duration,
    next_session: u64,
}

impl Switch {
    pub(super) fn new(now: Instant, now_s: i64) -> Self {
        Self {
            sessions: BTreeMap::new(),
            living: Living::default(),
            database: BTreeMap::new(),
            company: AmiCompany::office(),
            counters: Counters::default(),
            originate: BTreeMap::new(),
            life: CancellationToken::new(),
            logs: None,
            booted: now,
            booted_s: now_s,
            uptime_at_boot: UPTIME_AT_START,
            next_session: 0,
        }
    }

    pub(super) fn add_session(&mut self, session: Session) -> u64 {
        self.next_session += 1;
        self.sessions.insert(self.next_session, session);
        self.next_session
    }

    /// Learns from an event and sends it to whom it concerns.
    pub(super) fn emit(&mut self, event: &Message, now: Instant) {
        self.living.observe(event, now);
        if let Some(logs) = &mut self.logs {
            logs.observe(event, wall::now());
        }
        let privilege = Classes::of_privilege(event.get("Privilege").unwrap_or(""));
        let bytes = event.encode();
        let text = std::str::from_utf8(&bytes).unwrap_or("");
        for session in self.sessions.values() {
            if session.may_see(privilege, text) {
                session.send(bytes.clone());
            }
        }
    }

    /// Sends an event to one session, where its rights and mask permit.
    pub(super) fn emit_to(&self, session: u64, event: &Message) {
        let privilege = Classes::of_privilege(event.get("Privilege").unwrap_or(""));
        let bytes = event.encode();
        let text = std::str::from_utf8(&bytes).unwrap_or("");
        if let Some(session) = self.sessions.get(&session)
            && session.may_see(privilege, text)
        {
            session.send(bytes.clone());
        }
    }

    /// Sends an answer to one session.
    pub(super) fn answer(&self, session: u64, message: &Message) {
        if let Some(session) = self.sessions.get(&session) {
            session.send(message.encode());
        }
    }

    /// Cuts every connection.
    pub(super) fn drop_sessions(&mut self) {
        for session in std::mem::take(&mut self.sessions).into_values() {
            session.closed.cancel();
        }
    }

    /// Goes down and comes up empty: channels are gone with no event, Uptime begins again. What
    /// was sent before still reaches the sessions, then they are closed.
    pub(super) fn restart(&mut self, now: Instant, now_s: i64) {
        self.sessions.clear();
        self.life.cancel();
        self.life = CancellationToken::new();
        self.living.clear();
        self.booted = now;
        self.booted_s = now_s;
        self.uptime_at_boot = Duration::ZERO;
    }

    pub(super) fn uptime_s(&self, now: Instant) -> u64 {
        (self.uptime_at_boot + now.saturating_duration_since(self.booted)).as_secs()
    }

    /// Returns the wall time of the boot in Unix seconds.
    pub(super) fn boot_time_s(&self) -> i64 {
        let before = i64::try_from(self.uptime_at_boot.as_secs()).unwrap_or(0);
        self.booted_s.saturating_sub(before)
    }
}
