//! One round over the reports: what is new or changed is committed, and a report counts as read when
//! everything in it was. A round that breaks off is begun again where it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::call_row::{self, Reading};
use super::chat_row::{self, ChatRow, Place};
use super::desk::Desk;
use super::memory::Report;
use super::reports::{Reports, Window};
use super::request_row;
use super::row::Row;
use super::rpc::RpcError;
use crate::clock::SharedClock;
use crate::model::communication::Kind;
use crate::model::timestamp::Timestamp;
use crate::pbx::{ListenerError, Sink, SinkError};

/// Longest window of one request: messages may be asked for over thirty days (corrections 5).
const WINDOW_MAX: Duration = Duration::from_secs(29 * 86_400);

/// How long ago a chat may have begun that still goes on.
const CHAT_AGE_MAX: Duration = Duration::from_secs(85 * 86_400);

/// Chats that one request asks for by id.
const IDS_MAX: usize = 100;

/// What a round needs.
pub(super) struct Round<'a> {
    pub(super) desk: &'a Desk,
    pub(super) reports: &'a Reports,
    pub(super) sink: &'a Arc<dyn Sink>,
    pub(super) clock: &'a SharedClock,
}

/// Why a round broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    /// The platform.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The store.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

impl From<RoundError> for ListenerError {
    fn from(error: RoundError) -> Self {
        match error {
            RoundError::Rpc(error) => error.into(),
            RoundError::Sink(error) => error.into(),
        }
    }
}

impl Round<'_> {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads all reports.
    pub(super) async fn run(&self) -> Result<(), RoundError> {
        self.calls().await?;
        self.requests().await?;
        self.chats().await
    }

    /// Returns the next window of a report.
    pub(super) async fn window(&self, report: Report) -> Result<Window, RoundError> {
        let now = self.now();
        let mut open = self.desk.open(self.sink, now).await?;
        let from = open.memory().read_from(report, &self.desk.rules, now);
        Ok(Window {
            from,
            till: now.min(from.plus(WINDOW_MAX)),
        })
    }

    /// Notes until when a report was read; says whether there is more of it.
    pub(super) async fn read(&self, report: Report, window: Window) -> Result<bool, RoundError> {
        let now = self.now();
        let mut open = self.desk.open(self.sink, now).await?;
        let cursor = open
            .memory()
            .read_until
            .entry(report)
            .or_insert(window.till);
        // Never back: another window may have been wider.
        *cursor = window.till.max(*cursor);
        open.commit(Vec::new(), Vec::new(), now).await?;
        Ok(window.till.since(window.from) >= WINDOW_MAX)
    }

    async fn calls(&self) -> Result<(), RoundError> {
        let fields = call_row::fields();
        let zone = self.desk.zone();
        loop {
            let window = self.window(Report::Calls).await?;
            let mut params = Reports::window(window, &zone, &fields);
            params.insert("include_ongoing_calls".to_owned(), true.into());
            let mut offset = Some(0);
            while let Some(from) = offset {
                let page = self
                    .reports
                    .page("get.calls_report", params.clone(), from)
                    .await?;
                let reading = Reading {
                    numbers: &self.desk.identity.numbers,
                    zone: &zone,
                    media: self.desk.settings.media.as_deref(),
                };
                let rows = page.rows.iter().filter_map(Row::of);
                let rows = rows.filter_map(|row| call_row::read(row, &reading));
                self.take_calls(rows.collect()).await?;
                offset = page.next;
            }
            if !self.read(Report::Calls, window).await? {
                return Ok(());
            }
        }
    }

    /// Commits what is new of these calls.
    pub(super) async fn take_calls(&self, rows: Vec<call_row::CallRow>) -> Result<(), RoundError> {
        let now = self.now();
        let mut open = self.desk.open(self.sink, now).await?;
        let mut snapshots = Vec::new();
        for row in rows {
            snapshots.extend(open.memory().take_call(row, &self.desk.rules, now));
        }
        if !snapshots.is_empty() {
            open.commit(snapshots, Vec::new(), now).await?;
        }
        Ok(())
    }

    async fn requests(&self) -> Result<(), RoundError> {
        let fields = request_row::fields();
        let (zone, numbers) = (self.desk.zone(), &self.desk.identity.numbers);
        loop {
            let window = self.window(Report::Requests).await?;
            let params = Reports::window(window, &zone, &fields);
            let rows = self
                .reports
                .all("get.offline_messages_report", params)
                .await?;
            let now = self.now();
            let mut open = self.desk.open(self.sink, now).await?;
            let mut snapshots = Vec::new();
            for row in rows.iter().filter_map(Value::as_object) {
                if let Some(row) = request_row::read(row, numbers, &zone) {
                    snapshots.extend(open.memory().take_request(row, &self.desk.rules, now));
                }
            }
            if !snapshots.is_empty() {
                open.commit(snapshots, Vec::new(), now).await?;
            }
            drop(open);
            if !self.read(Report::Requests, window).await? {
                return Ok(());
            }
        }
    }

    /// Chats are found by when they began, by what was written in them lately, and by name where
    /// they go on or were told of.
    async fn chats(&self) -> Result<(), RoundError> {
        let (zone, numbers) = (self.desk.zone(), &self.desk.identity.numbers);
        loop {
            let window = self.window(Report::Chats).await?;
            let written = self.written().await?;
            let params = Reports::window(window, &zone, &chat_row::fields());
            let rows = self.reports.all("get.chats_report", params).await?;
            let read = |value: &Value| chat_row::read(Row::of(value)?, numbers, &zone);
            let mut chats: Vec<ChatRow> = rows.iter().filter_map(read).collect();
            let others = self.others(&chats, &written).await?;
            for ids in others.chunks(IDS_MAX) {
                let now = self.now();
                let long = Window {
                    from: now.minus(CHAT_AGE_MAX),
                    till: now,
                };
                let rows = self.reports.chats_by_id(ids, long, &zone).await?;
                chats.extend(rows.iter().filter_map(read));
            }
            for chat in chats {
                let newest = written.get(&chat.id);
                self.take_chat(chat, newest).await?;
            }
            self.read(Report::Messages, window).await?;
            if !self.read(Report::Chats, window).await? {
                return Ok(());
            }
        }
    }

    /// Returns in which chats something was written lately, and when last.
    async fn written(&self) -> Result<BTreeMap<String, Place>, RoundError> {
        let zone = self.desk.zone();
        let window = self.window(Report::Messages).await?;
        let fields = ["id", "chat_id", "date_time", "source"];
        let params: Map<String, Value> = Reports::window(window, &zone, &fields);
        let rows = self.reports.all("get.chat_messages_report", params).await?;
        let mut written = BTreeMap::new();
        for row in rows.iter().filter_map(Row::of) {
            if let Some(found) = chat_row::read_message(row, &zone) {
                let place = chat_row::place(&found.message);
                let last = written.entry(found.chat).or_insert_with(|| place.clone());
                if place > *last {
                    *last = place;
                }
            }
        }
        Ok(written)
    }

    /// Returns the ids of chats that are to be looked at although they began before the window.
    async fn others(
        &self,
        chats: &[ChatRow],
        written: &BTreeMap<String, Place>,
    ) -> Result<Vec<String>, RoundError> {
        let mut open = self.desk.open(self.sink, self.now()).await?;
        let memory = open.memory();
        let mut ids = memory.open_ids(Kind::Chat);
        ids.extend(memory.wanted_chats());
        ids.extend(written.keys().cloned());
        ids.sort_unstable();
        ids.dedup();
        let here = |id: &String| {
            let same = |chat: &ChatRow| chat.id == *id || chat.communication.as_ref() == Some(id);
            chats.iter().any(same)
        };
        ids.retain(|id| !here(id));
        Ok(ids)
    }

    async fn take_chat(&self, chat: ChatRow, newest: Option<&Place>) -> Result<(), RoundError> {
        let changed = {
            let mut open = self.desk.open(self.sink, self.now()).await?;
            let changed = open.memory().chat_changed(&chat, newest);
            if !changed {
                open.memory().chat_is_known(&chat);
            }
            changed
        };
        if !changed {
            return Ok(());
        }
        let zone = self.desk.zone();
        let rows = self.reports.messages_of(&chat.id).await?;
        let rows = rows.iter().filter_map(Row::of);
        let messages = rows.filter_map(|row| chat_row::read_message(row, &zone));
        let messages = messages.map(|found| found.message).collect();
        let now = self.now();
        let mut open = self.desk.open(self.sink, now).await?;
        let snapshot = open
            .memory()
            .take_chat(chat, messages, &self.desk.rules, now);
        // Also without a picture: what is known of it may have changed.
        open.commit(snapshot.into_iter().collect(), Vec::new(), now)
            .await?;
        Ok(())
    }
}
