//! Tells the tracker what the log says of a time in which nothing was seen, before its open calls
//! are compared with the living channels; and keeps the place in the log while a session is up.
//!
//! ```text
//! session begins -> read from the place kept -> told to the tracker, committed piece by piece
//!                -> survey, reconcile         -> one commit: calls, place, what was recovered
//! session is up  -> the place follows the end of the file, a heartbeat behind
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::cdr_record::CdrRecord;
use super::cdr_story::{cdr_messages, is_told_by};
use super::cel_event::CelEvent;
use super::cel_story::CelStory;
use super::position::{LogBookmark, Position, Unfinished};
use super::settings::{LogKind, LogSettings};
use super::walk::{self, Walk};
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

/// Lines taken in between two commits: some seconds of a busy PBX.
const LINES_A_COMMIT: usize = 2_000;

/// Records of a blind interval that are kept at once: a week of a busy office. Older ones make
/// room and are counted as a gap.
const RECORDS_MAX: usize = 100_000;

/// How often the file is looked at while a record is waited for.
const GRACE_PAUSE: Duration = Duration::from_millis(250);

/// What the log told of a blind interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::asterisk) struct Recovered {
    /// Since when nothing had been seen.
    pub(in crate::pbx::asterisk) from: Timestamp,
    /// Why.
    pub(in crate::pbx::asterisk) why: String,
    /// Calls that it told of.
    pub(in crate::pbx::asterisk) calls: u64,
    /// What it does not hold, in words.
    pub(in crate::pbx::asterisk) gap: Option<String>,
}

/// The log of one session.
pub(in crate::pbx::asterisk) struct LogKeeper {
    settings: Arc<LogSettings>,
    story: CelStory,
    channels: ChannelRules,
    reading: Option<Reading>,
    /// Where the file ended a heartbeat ago, and now.
    older: Option<Position>,
    newer: Option<Position>,
    clock: SharedClock,
    state: Arc<dyn StateReport>,
}

/// A recovery that is under way.
struct Reading {
    walk: Walk,
    /// The place from which on not everything was told yet.
    untold: Position,
    /// Events that were read and not told yet.
    ahead: VecDeque<CelEvent>,
    from: Timestamp,
    why: String,
    calls: BTreeSet<String>,
    /// Calls that were open when seeing stopped.
    open_before: BTreeSet<String>,
    calls_before: u64,
    gap: bool,
    /// The time of the first line that was read.
    first: Option<Timestamp>,
    known_place: bool,
    unreadable: u64,
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
            clock: context.clock.clone(),
            state: context.state.clone(),
        })
    }

    /// Tells what the log says of events up to `until`, or all of it. Only the log of events can
    /// be told in part.
    pub(in crate::pbx::asterisk) async fn tell_until(
        &mut self,
        books: &mut Books,
        until: Timestamp,
    ) -> Result<(), SinkError> {
        if self.settings.kind == LogKind::CelCustom && self.begin(books).await {
            self.tell_events(books, until).await?;
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
            LogKind::CdrCsv => self.tell_records(books, live).await?,
        }
        let Some(reading) = self.reading.take() else {
            return Ok(None);
        };
        books.replayed_until(until);
        let place = reading.untold.clone();
        self.older = Some(place.clone());
        self.newer = Some(place.clone());
        books.set_log(LogBookmark {
            position: place,
            unfinished: None,
        });
        let told = reading.result(&self.settings);
        self.state.gauge("log_recovered_calls", told.calls as f64);
        tracing::info!(from = %told.from, calls = told.calls, gap = told.gap, "the pbx's log was told");
        Ok(Some(told))
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
        let bookmark = books.log().cloned();
        let place = bookmark.as_ref().map(|one| one.position.clone());
        let path = self.settings.path.clone();
        let known = place.clone();
        match blocking(move || Walk::begin(&path, known.as_ref())).await {
            Ok(walk) => {
                let unfinished = bookmark.and_then(|one| one.unfinished);
                let unfinished = unfinished.unwrap_or(Unfinished {
                    from,
                    why,
                    calls: 0,
                    gap: false,
                });
                self.reading = Some(Reading {
                    gap: walk.gap || unfinished.gap,
                    untold: place.clone().unwrap_or_default(),
                    walk,
                    ahead: VecDeque::new(),
                    from: unfinished.from,
                    why: unfinished.why,
                    calls: BTreeSet::new(),
                    open_before: books.tracker().unfinished(),
                    calls_before: unfinished.calls,
                    first: None,
                    known_place: place.is_some(),
                    unreadable: 0,
                });
                true
            }
            Err(error) => {
                self.complain(books, &error);
                false
            }
        }
    }

    fn complain(&self, books: &mut Books, error: &io::Error) {
        books.remark(&format!(
            "the PBX's log {} cannot be read, so what is not seen stays unknown: {error}; the user \
             trunkline must be able to read it (docs/pbx-log.md)",
            self.settings.path.display()
        ));
    }

    /// Reads some lines; `false` at the end of the file.
    async fn read_lines(&mut self, books: &mut Books) -> Option<Vec<String>> {
        let reading = self.reading.take()?;
        let read = blocking(move || {
            let mut reading = reading;
            let mut lines = Vec::new();
            while lines.len() < LINES_A_COMMIT {
                match reading.walk.next() {
                    Ok(Some(line)) => lines.push(line),
                    Ok(None) => break,
                    Err(error) => return Ok((reading, lines, Some(error))),
                }
            }
            Ok((reading, lines, None))
        });
        match read.await {
            Ok((mut reading, lines, error)) => {
                if let Some(error) = error {
                    reading.gap = true;
                    self.complain(books, &error);
                }
                self.reading = Some(reading);
                Some(lines)
            }
            Err(error) => {
                self.complain(books, &error);
                None
            }
        }
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
                reading.untold = reading.walk.position();
                books.set_log(reading.bookmark());
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
            let Some(lines) = self
                .read_lines(books)
                .await
                .filter(|lines| !lines.is_empty())
            else {
                return Ok(());
            };
            let settings = Arc::clone(&self.settings);
            if let Some(reading) = &mut self.reading {
                for line in lines {
                    match CelEvent::read(&line, &settings.columns, &settings.zones) {
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
        // What was told a second time, for safety, is no recovery.
        if let Some(reading) = self.reading.as_mut().filter(|one| at > one.from) {
            let id = message.value("Linkedid").or(message.value("DestLinkedid"));
            let call = id.and_then(|id| books.tracker().call_of(id));
            let half_seen = call.filter(|call| reading.open_before.contains(*call));
            let changed = told.iter().map(|one| one.key.item.as_str());
            reading
                .calls
                .extend(changed.chain(half_seen).map(str::to_owned));
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
            while let Some(lines) = self
                .read_lines(books)
                .await
                .filter(|lines| !lines.is_empty())
            {
                let settings = Arc::clone(&self.settings);
                let Some(reading) = &mut self.reading else {
                    break;
                };
                for line in lines {
                    let Some(record) = CdrRecord::read(&line, &settings.zones) else {
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

    /// Takes the end of the file for the place, where none is known yet: what stands there was
    /// before our time.
    pub(in crate::pbx::asterisk) async fn begin_at_end(&mut self, books: &mut Books) {
        if books.log().is_none() && books.blind_since().is_none() {
            self.follow(books).await;
        }
    }

    /// Follows the end of the file while the session is up; the place that is kept is one look
    /// old, so that what is written while we look is not passed over.
    pub(in crate::pbx::asterisk) async fn follow(&mut self, books: &mut Books) {
        let path = self.settings.path.clone();
        match blocking(move || walk::end_of(&path)).await {
            Ok(end) => {
                self.state.gauge("log_offset_bytes", end.offset as f64);
                self.state.gauge("log_behind_s", 0.0);
                self.older = self.newer.replace(end.clone()).or(Some(end));
            }
            // It was told when the session began; the place stays where it was.
            Err(error) => tracing::debug!(%error, "the pbx's log cannot be read"),
        }
        if let Some(position) = self.older.clone() {
            books.set_log(LogBookmark {
                position,
                unfinished: None,
            });
        }
    }
}

impl Reading {
    fn total(&self) -> u64 {
        self.calls_before.saturating_add(self.calls.len() as u64)
    }

    fn bookmark(&self) -> LogBookmark {
        LogBookmark {
            position: self.untold.clone(),
            unfinished: Some(Unfinished {
                from: self.from,
                why: self.why.clone(),
                calls: self.total(),
                gap: self.gap,
            }),
        }
    }

    fn result(self, settings: &LogSettings) -> Recovered {
        let calls = self.total();
        let path = settings.path.display();
        // Without a place that is known, only a line from before the interval proves that the
        // file holds all of it.
        let reaches_back = self.first.is_some_and(|first| first <= self.from);
        let unsure = (self.gap || !self.known_place) && !reaches_back;
        let gap = if unsure {
            Some(format!(
                "{path} begins later, and no older file beside it was found"
            ))
        } else if self.unreadable > 0 || self.walk.passed_over > 0 {
            let lines = self.unreadable + self.walk.passed_over;
            Some(format!("{lines} line(s) of {path} cannot be read"))
        } else {
            None
        };
        Recovered {
            from: self.from,
            why: self.why,
            calls,
            gap,
        }
    }
}

/// Reads a file off the async thread.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}
