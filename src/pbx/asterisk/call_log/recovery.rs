//! Tells the tracker what the log says of a time in which nothing was seen, before its open calls
//! are compared with the living channels; and keeps the place in the log while a session is up.
//!
//! ```text
//! session begins -> read from the place kept -> told to the tracker, committed piece by piece
//!                -> survey, reconcile         -> one commit: calls, place, what was recovered
//! session is up  -> the place follows the end of the log, a heartbeat behind
//! ```

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::cdr_record::CdrRecord;
use super::cdr_story::{cdr_messages, is_told_by};
use super::cel_event::CelEvent;
use super::cel_story::CelStory;
use super::pages::{self, Entry, Pages};
use super::position::{LogBookmark, Position, Unfinished};
use super::reading::{Reading, Recovered};
use super::settings::{LogKind, LogPlace, LogSettings};
use crate::clock::SharedClock;
use crate::model::communication::Snapshot;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;
use crate::pbx::asterisk::books::Books;
use crate::pbx::asterisk::channels::ChannelRules;
use crate::pbx::asterisk::settings::AsteriskSettings;
use crate::pbx::asterisk::tracker::LiveState;
use crate::pbx::{ListenerContext, SinkError, StateReport};

/// The log is read from so long before the last moment seen: an event may be written down before
/// it reaches us, or reach us out of order. What is told twice changes nothing.
const OVERLAP: Duration = Duration::from_secs(5);

/// Records of a blind interval that are kept at once: a week of a busy office. Older ones make
/// room and are counted as a gap.
const RECORDS_MAX: usize = 100_000;

/// Later than everything that a log tells.
const LATEST: Timestamp = Timestamp::from_millis(i64::MAX);

/// How often the log is looked at while a record is waited for.
const GRACE_PAUSE: Duration = Duration::from_millis(250);

/// The log of one session.
pub(in crate::pbx::asterisk) struct LogKeeper {
    settings: Arc<LogSettings>,
    story: CelStory,
    channels: ChannelRules,
    reading: Option<Reading>,
    /// Where the log ended a heartbeat ago, and now.
    older: Option<Position>,
    newer: Option<Position>,
    /// A look at a table's end that is under way: a database may be slow, and events do not wait.
    look: Option<JoinHandle<io::Result<Position>>>,
    /// Since when nothing is known of a table whose times are whole seconds.
    told_until: Option<Timestamp>,
    complained: bool,
    clock: SharedClock,
    state: Arc<dyn StateReport>,
}

impl LogKeeper {
    /// Begins a session's log, where one is configured.
    pub(in crate::pbx::asterisk) fn of(
        settings: &AsteriskSettings,
        context: &ListenerContext,
    ) -> Option<Self> {
        Some(Self {
            settings: settings.log.clone()?,
            story: CelStory::new(settings.channels.clone()),
            channels: settings.channels.clone(),
            reading: None,
            older: None,
            newer: None,
            look: None,
            told_until: None,
            complained: false,
            clock: context.clock.clone(),
            state: context.state.clone(),
        })
    }

    /// Tells what the log says of events up to `until`, or all of it. Only a log of events can be
    /// told in part.
    pub(in crate::pbx::asterisk) async fn tell_until(
        &mut self,
        books: &mut Books,
        until: Timestamp,
    ) -> Result<(), SinkError> {
        if self.settings.kind.is_of_events() && self.begin(books).await {
            self.tell_events(books, until).await?;
        }
        Ok(())
    }

    /// Tells, right before the channels are asked for, what a table says that writes whole seconds:
    /// whether something in it was before that question cannot be seen from its time.
    pub(in crate::pbx::asterisk) async fn tell_before_list(
        &mut self,
        books: &mut Books,
    ) -> Result<(), SinkError> {
        if self.settings.kind == LogKind::CelTable && self.begin(books).await {
            self.told_until = Some(self.clock.now());
            self.tell_events(books, LATEST).await?;
        }
        Ok(())
    }

    /// Tells the rest of the log up to `until`, when the channels were asked for that `live`
    /// shows: what happened later is told by AMI, and the log must not know more than the list.
    /// `None` where nothing was blind, or no log can be read: then that stands among the remarks.
    pub(in crate::pbx::asterisk) async fn tell_all(
        &mut self,
        books: &mut Books,
        live: &LiveState,
        until: Timestamp,
    ) -> Result<Option<Recovered>, SinkError> {
        if !self.begin(books).await {
            return Ok(None);
        }
        match self.settings.kind {
            LogKind::CelCustom => self.tell_events(books, until).await?,
            // It was told before the list.
            LogKind::CelTable => {}
            LogKind::CdrCsv | LogKind::CdrTable => self.tell_records(books, live).await?,
        }
        let Some(mut reading) = self.reading.take() else {
            return Ok(None);
        };
        reading.count_ended(&books.tracker().unfinished());
        books.replayed_until(self.told_until.unwrap_or(until));
        let position = reading.untold.clone();
        self.older = Some(position.clone());
        self.newer = Some(position.clone());
        books.set_log(self.bookmark(position));
        let told = reading.result(&self.settings.place);
        self.state.gauge("log_recovered_calls", told.calls as f64);
        tracing::info!(from = %told.from, calls = told.calls, gap = told.gap, "the pbx's log was told");
        Ok(Some(told))
    }

    fn bookmark(&self, position: Position) -> LogBookmark {
        LogBookmark {
            place: self.settings.place.to_string(),
            position,
            unfinished: None,
        }
    }

    /// Opens the log at the place kept; says whether there is something to recover and the log
    /// can be read.
    async fn begin(&mut self, books: &mut Books) -> bool {
        if self.reading.is_some() {
            return true;
        }
        let Some((from, why)) = books.blind_since() else {
            return false;
        };
        let settings = Arc::clone(&self.settings);
        let bookmark = books.log().cloned();
        let unfinished = bookmark.as_ref().and_then(|one| one.unfinished.clone());
        let unfinished = unfinished.unwrap_or(Unfinished {
            from,
            why,
            calls: 0,
            gap: false,
        });
        let here = bookmark.filter(|one| one.place == settings.place.to_string());
        let place = here.map(|one| one.position);
        let since = from.minus(OVERLAP);
        match Pages::begin(&settings, place.as_ref(), since).await {
            Ok(pages) => {
                let open = books.tracker().unfinished();
                self.reading = Some(Reading::new(pages, place, unfinished, open));
                true
            }
            Err(error) => {
                self.complain(books, &error);
                false
            }
        }
    }

    fn complain(&mut self, books: &mut Books, error: &io::Error) {
        if std::mem::replace(&mut self.complained, true) {
            return;
        }
        let who = match &self.settings.place {
            LogPlace::File(_) => "the user trunkline",
            LogPlace::Table(_) => "the account log.username",
        };
        books.remark(&format!(
            "the PBX's log {} cannot be read, so what is not seen stays unknown: {error}; {who} \
             must be able to read it (docs/pbx-log.md)",
            self.settings.place
        ));
    }

    /// Reads some entries; none at the end of the log, or where it cannot be read on.
    async fn read_on(&mut self, books: &mut Books) -> Vec<Entry> {
        let Some(reading) = &mut self.reading else {
            return Vec::new();
        };
        let (entries, error) = reading.pages.next().await;
        if let Some(error) = error {
            reading.gap = true;
            self.complain(books, &error);
        }
        entries
    }

    async fn tell_events(&mut self, books: &mut Books, until: Timestamp) -> Result<(), SinkError> {
        let from = books.blind_since().map(|(from, _)| from.minus(OVERLAP));
        loop {
            let mut told: Vec<Snapshot> = Vec::new();
            let mut latest = None;
            while let Some(event) = self.next_ahead(until) {
                latest = Some(event.at);
                for message in self.story.tell(&event, books.tracker()) {
                    told.extend(self.replay(books, &message, event.at));
                }
            }
            if let Some(reading) = &mut self.reading {
                books.keep(told);
                if !reading.ahead.is_empty() {
                    // The rest is told later, by the log or by AMI.
                    return Ok(());
                }
                reading.untold = reading.pages.position();
                books.set_log(reading.bookmark(&self.settings.place));
                if let Some(latest) = latest {
                    let now = self.clock.now();
                    self.state
                        .gauge("log_behind_s", now.since(latest).as_secs_f64());
                    // A clock of the PBX that is ahead must not make us blind to what comes.
                    books.seen_until(latest.min(now));
                }
                // Also where a whole piece told nothing: a long file is not begun again.
                books.commit_anyhow().await?;
            }
            let entries = self.read_on(books).await;
            if entries.is_empty() {
                return Ok(());
            }
            let settings = Arc::clone(&self.settings);
            if let Some(reading) = &mut self.reading {
                for entry in entries {
                    match entry.event(&settings) {
                        Some(event) => {
                            reading.first.get_or_insert(event.at);
                            if from.is_none_or(|from| event.at >= from) {
                                reading.ahead.push_back(event);
                            }
                        }
                        None => reading.unreadable += 1,
                    }
                }
            }
        }
    }

    /// Tells one message, and counts the calls that it changed or makes whole.
    fn replay(&mut self, books: &mut Books, message: &Message, at: Timestamp) -> Vec<Snapshot> {
        let told = books.replay(message, at);
        let Some(reading) = &mut self.reading else {
            return told;
        };
        // What was told a second time, for safety, is no recovery. Of an entry whose time is cut off
        // it is not known whether it was; then what it changes was not.
        if at > reading.from {
            let id = message.value("Linkedid").or(message.value("DestLinkedid"));
            let call = id.and_then(|id| books.tracker().call_of(id));
            let half_seen = call.filter(|call| reading.open_before.contains(*call));
            reading.calls.extend(half_seen.map(str::to_owned));
        }
        if at.plus(self.settings.kind.resolution()) > reading.from {
            let changed = told.iter().map(|one| one.key.item.clone());
            reading.calls.extend(changed);
        }
        told
    }

    fn next_ahead(&mut self, until: Timestamp) -> Option<CelEvent> {
        let ahead = &mut self.reading.as_mut()?.ahead;
        ahead.pop_front_if(|first| first.at < until)
    }

    /// Records come at the end of a call: while one is missing of a call that was open and lives
    /// no more, it is waited for.
    async fn tell_records(&mut self, books: &mut Books, live: &LiveState) -> Result<(), SinkError> {
        // Its times are whole seconds.
        let from = books.blind_since().map(|(from, _)| from.minus(OVERLAP));
        let missing = books.tracker().missing(live);
        let mut records: VecDeque<CdrRecord> = VecDeque::new();
        let mut waited = Duration::ZERO;
        loop {
            if self.reading.as_mut().is_some_and(|one| one.pages.again()) {
                records.clear();
            }
            loop {
                let entries = self.read_on(books).await;
                let settings = Arc::clone(&self.settings);
                let Some(reading) = self.reading.as_mut().filter(|_| !entries.is_empty()) else {
                    break;
                };
                for entry in entries {
                    let Some(record) = entry.record(&settings) else {
                        reading.unreadable += 1;
                        continue;
                    };
                    reading.first.get_or_insert(record.end);
                    if from.is_none_or(|from| record.end >= from) {
                        records.push_back(record);
                    }
                    if records.len() > RECORDS_MAX {
                        records.pop_front();
                        reading.gap = true;
                    }
                }
            }
            let waits = missing
                .iter()
                .any(|call| !is_told_by(call, records.make_contiguous(), books.tracker()));
            if !waits || waited >= self.settings.grace {
                break;
            }
            tokio::time::sleep(GRACE_PAUSE).await;
            waited += GRACE_PAUSE;
        }
        let mut told = Vec::new();
        let messages: Vec<(Timestamp, Message)> = cdr_messages(
            records.make_contiguous(),
            &self.channels,
            books.tracker(),
            live,
        );
        for (at, message) in messages {
            told.extend(self.replay(books, &message, at));
        }
        books.keep(told);
        Ok(())
    }

    /// Takes the end of the log for the place, where none is known yet: what stands there was
    /// before our time.
    pub(in crate::pbx::asterisk) async fn begin_at_end(&mut self, books: &mut Books) {
        if books.log().is_none() && books.blind_since().is_none() && self.has_places() {
            let end = pages::end_of(&self.settings.place).await;
            self.stand_at(books, end);
        }
    }

    /// Records in a table are found by their time alone.
    fn has_places(&self) -> bool {
        self.settings.kind != LogKind::CdrTable
    }

    /// Follows the end of the log while the session is up; the place that is kept is one look
    /// old, so that what is written while we look is not passed over.
    pub(in crate::pbx::asterisk) async fn follow(&mut self, books: &mut Books) {
        if !self.has_places() {
            return;
        }
        let settings = Arc::clone(&self.settings);
        let look = async move { pages::end_of(&settings.place).await };
        let end = match &self.settings.place {
            LogPlace::File(_) => look.await,
            LogPlace::Table(_) => {
                if self.look.as_ref().is_some_and(|look| !look.is_finished()) {
                    return;
                }
                let Some(done) = self.look.replace(tokio::spawn(look)) else {
                    return;
                };
                done.await
                    .unwrap_or_else(|error| Err(io::Error::other(error)))
            }
        };
        self.stand_at(books, end);
    }

    fn stand_at(&mut self, books: &mut Books, end: io::Result<Position>) {
        match end {
            Ok(end) => {
                self.state.gauge(self.gauge(), end.offset as f64);
                self.state.gauge("log_behind_s", 0.0);
                self.older = self.newer.replace(end.clone()).or(Some(end));
            }
            // It was told when the session began; the place stays where it was.
            Err(error) => tracing::debug!(%error, "the pbx's log cannot be read"),
        }
        if let Some(position) = self.older.clone() {
            books.set_log(self.bookmark(position));
        }
    }

    fn gauge(&self) -> &'static str {
        match self.settings.place {
            LogPlace::File(_) => "log_offset_bytes",
            LogPlace::Table(_) => "log_row",
        }
    }
}
