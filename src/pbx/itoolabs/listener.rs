//! The session with a VATS: there is no connection to keep up, but a clock that ends calls, orders
//! whose calls are to be known again, and the history that is asked for now and then. What the VATS
//! could not tell us, while one of us was away, is in the history.
//!
//! ```text
//! begin -> history since the cursor, in pieces -> all stored: the cursor moves -> wait -> history …
//!              \-- unreachable, refused: the run ends, the supervisor tries again with back-off
//! ```

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::api::Failed;
use super::caller::{Orders, Placed};
use super::desk::{Desk, Unchanged};
use super::settings::{ApiSettings, ItoolabsSettings};
use super::tracker::Teller;
use super::wire::answers::Account;
use super::wire::history::HistoryItem;
use crate::model::timestamp::Timestamp;
use crate::pbx::{Listener, ListenerContext, ListenerError, SourceNoteKind};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Longest piece of history that is asked for at once.
const PIECE: Duration = Duration::from_secs(86_400);

/// Calls that are stored at once.
const STORED_AT_ONCE: usize = 100;

/// How far back the history is read after the longest outage.
const BACK_MAX: Duration = Duration::from_secs(31 * 86_400);

/// How much before its first event a call may have begun: it went through a greeting.
const OPEN_SLACK: Duration = Duration::from_secs(600);

/// How often the list of people is read.
const PEOPLE_EVERY: Duration = Duration::from_secs(3600);

/// How long we wait where the VATS asks for a pause and does not say how long.
const PAUSE: Duration = Duration::from_secs(60);

/// Whoever was away for longer is told in the journal what was recovered.
const AWAY_MIN: Duration = Duration::from_secs(60);

/// The session.
pub(super) struct ItoolabsListener {
    pub(super) settings: Arc<ItoolabsSettings>,
    pub(super) desk: Desk,
    pub(super) orders: Orders,
}

impl Listener for ItoolabsListener {
    fn run(&self, context: ListenerContext) -> BoxFuture<'static, Result<(), ListenerError>> {
        let span = tracing::info_span!("itoolabs", source = %self.desk.settings.source);
        let session = Session {
            settings: Arc::clone(&self.settings),
            desk: self.desk.clone(),
            context,
        };
        let orders = Arc::clone(&self.orders);
        async move {
            let mut orders = orders.lock().await;
            session.run(&mut orders).await
        }
        .instrument(span)
        .boxed()
    }
}

struct Session {
    settings: Arc<ItoolabsSettings>,
    desk: Desk,
    context: ListenerContext,
}

impl Session {
    async fn run(&self, orders: &mut mpsc::Receiver<Placed>) -> Result<(), ListenerError> {
        self.desk.open().await;
        let mut stop = self.context.stop.clone();
        let ended = tokio::select! {
            ended = self.live(orders) => ended,
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        };
        if *stop.borrow() {
            // A successor with other settings reads what is on disk: nobody may write behind it.
            self.desk.close().await;
        }
        ended
    }

    async fn live(&self, orders: &mut mpsc::Receiver<Placed>) -> Result<(), ListenerError> {
        let mut first = true;
        let mut people_at: Option<Instant> = None;
        let mut poll_at = Instant::now();
        let mut seen = 0;
        if self.settings.api.is_none() {
            self.context.state.connected("its messages alone");
        }
        loop {
            if let Some(api) = &self.settings.api
                && poll_at <= Instant::now()
            {
                if people_at.is_none_or(|at| at.elapsed() >= PEOPLE_EVERY) {
                    self.read_people(api).await?;
                    people_at = Some(Instant::now());
                }
                let pause = self.read_history(api, first).await?;
                poll_at = Instant::now() + pause.unwrap_or(api.poll);
                if pause.is_none() {
                    first = false;
                    self.context.state.connected(&api.client.host());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                placed = orders.recv() => if let Some(placed) = placed {
                    self.note_order(placed).await?;
                }
            }
            seen = self.tick(seen).await?;
        }
    }

    /// Has the clock end what is over; returns how often something was heard so far.
    async fn tick(&self, seen: u64) -> Result<u64, ListenerError> {
        let now = self.context.clock.now();
        let settings = Arc::clone(&self.desk.settings);
        let sink = &*self.context.sink;
        let looking = self.desk.look(sink, now, |known| {
            let due = known.book.has_due(&settings, now);
            (due, known.book.open())
        });
        let (due, open) = looking.await.map_err(listener_error)?;
        let heard = self.desk.heard();
        self.context.state.gauge("open_calls", open as f64);
        if heard != seen {
            self.context.state.seen();
        }
        if due {
            self.change(now, |_, _| {}).await?;
        }
        Ok(heard)
    }

    async fn note_order(&self, placed: Placed) -> Result<(), ListenerError> {
        let now = self.context.clock.now();
        let order = placed.order(now);
        self.change(now, move |tracker, _| tracker.ordered(order, now))
            .await
    }

    async fn read_people(&self, api: &ApiSettings) -> Result<(), ListenerError> {
        let people: Vec<Account> = match api.accounts().await {
            Ok(people) => people,
            // The calls can do without: names are learnt from them too.
            Err(
                failed @ (Failed::Busy { .. } | Failed::Refused { .. } | Failed::Unreadable { .. }),
            ) => {
                tracing::warn!(%failed, "the list of people cannot be read");
                return Ok(());
            }
            Err(failed) => return Err(of_api(failed)),
        };
        let now = self.context.clock.now();
        self.change(now, move |tracker, _| {
            for one in &people {
                let (ext, telnum) = (one.ext.as_deref(), one.telnum.as_deref());
                tracker.book.people.learn(Some(&one.login), ext, telnum);
            }
        })
        .await
    }

    /// Reads the history since the cursor and stores all of it; then, and only then, the cursor
    /// moves. Returns for how long the VATS asks for a pause, if it does.
    async fn read_history(
        &self,
        api: &ApiSettings,
        first: bool,
    ) -> Result<Option<Duration>, ListenerError> {
        let now = self.context.clock.now();
        let sink = &*self.context.sink;
        let looking = self.desk.look(sink, now, |known| {
            (known.cursor, known.begun, known.book.oldest_open())
        });
        let (cursor, begun, oldest_open) = looking.await.map_err(listener_error)?;
        let (Some(cursor), Some(begun)) = (cursor, begun) else {
            self.change(now, move |_, notes| notes.cursor = Some(now))
                .await?;
            return Ok(None);
        };
        let again_from = cursor
            .minus(api.overlap)
            .max(now.minus(BACK_MAX))
            .max(begun);
        // A call that is open is told by when it began.
        let oldest = oldest_open.map(|oldest| oldest.minus(OPEN_SLACK));
        let mut from = oldest.map_or(again_from, |oldest| again_from.min(oldest));
        let mut recovered = 0;
        let mut unread = 0;
        while from < now {
            let until = from.plus(PIECE).min(now);
            let history = match api.history(from, until).await {
                Ok(history) => history,
                Err(Failed::Busy { after, why }) => {
                    tracing::warn!(why, "the history is put off");
                    return Ok(Some(after.unwrap_or(PAUSE).max(TICK)));
                }
                Err(failed) => return Err(of_api(failed)),
            };
            unread += history.unread;
            let mut items = history.items;
            items.sort_by(|one, two| (one.start, &one.id).cmp(&(two.start, &two.id)));
            recovered += self.store(items, again_from).await?;
            from = until;
        }
        let away = now.since(cursor);
        let told = first && (recovered > 0 || away > AWAY_MIN.max(api.poll.saturating_mul(2)));
        self.change(now, move |_, notes| {
            notes.cursor = Some(now);
            if unread > 0 {
                let text = format!("{unread} row(s) of the history cannot be read");
                notes.remarks.push(SourceNoteKind::Remark { text });
            }
            if told {
                notes.remarks.push(SourceNoteKind::Recovered {
                    from: cursor,
                    why: "Trunkline was stopped, or the phone system could not be reached".into(),
                    calls: recovered,
                    gap: None,
                });
            }
        })
        .await?;
        Ok(None)
    }

    /// Stores rows of the history; returns how many calls they told anew.
    async fn store(
        &self,
        items: Vec<HistoryItem>,
        again_from: Timestamp,
    ) -> Result<u64, ListenerError> {
        let mut anew = 0;
        for piece in items.chunks(STORED_AT_ONCE) {
            let piece = piece.to_vec();
            let now = self.context.clock.now();
            let (tell, told) = tokio::sync::oneshot::channel();
            self.change(now, move |tracker, _| {
                for item in &piece {
                    if item.start >= again_from || tracker.knows(item, Teller::List) {
                        tracker.finished(item, Teller::List, now);
                    }
                }
                // A row that told nothing new is no snapshot.
                let anew = tracker.snapshots.len();
                // Nobody listens when the session has ended.
                let _ = tell.send(u64::try_from(anew).unwrap_or(u64::MAX));
            })
            .await?;
            anew += told.await.unwrap_or(0);
        }
        Ok(anew)
    }

    async fn change(
        &self,
        now: Timestamp,
        change: impl FnOnce(&mut super::tracker::Tracker<'_>, &mut super::desk::Notes) + Send + 'static,
    ) -> Result<(), ListenerError> {
        let sink = Arc::clone(&self.context.sink);
        self.desk
            .change(sink, now, change)
            .await
            .map_err(listener_error)
    }
}

fn listener_error(error: Unchanged) -> ListenerError {
    match error {
        Unchanged::Sink(error) => ListenerError::Sink(error),
        Unchanged::Closed => ListenerError::Connection(error.to_string()),
    }
}

fn of_api(failed: Failed) -> ListenerError {
    let words = failed.to_string();
    match failed {
        Failed::Key(_) | Failed::Refused { .. } => ListenerError::Refused(words),
        Failed::Unreadable { .. } => ListenerError::Protocol(words),
        Failed::NotSent(_) | Failed::Unclear(_) | Failed::Ill { .. } | Failed::Busy { .. } => {
            ListenerError::Connection(words)
        }
    }
}
