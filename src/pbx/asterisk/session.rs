//! One session with an Asterisk: from the connection to its end.
//!
//! ```text
//! restore -> connect -> log in -> restarted? -> filters -> survey, log, reconcile, commit -> watch
//!                                                             ^                               |
//!                                                             +---------- FullyBooted --------+
//! watch: events -> tracker -> commit -> next events;  deadlines -> tracker -> commit
//! end:   stop -> log off | Shutdown | connection gone | queue full   -> tracker, last commit
//! ```
//! What an event means is the tracker's business; what is on disk, the sink's. Nothing here
//! outlives the run but the checkpoint.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::ami_codec::Action;
use super::answer::Answer;
use super::books::Books;
use super::boot::Boot;
use super::call_log::LogKeeper;
use super::connection::{Connection, Received};
use super::event_clock::EventClock;
use super::lists;
use super::login;
use super::mirror::Mirror;
use super::orders::{OrderQueue, Orders};
use super::settings::AsteriskSettings;
use super::tracker::{LiveState, TrackerSettings};
use super::transport::ByteStream;
use super::variables::RecordingQuestions;
use crate::model::timestamp::Timestamp;
use crate::pbx::{ListenerContext, ListenerError, SourceIdentity};

/// Messages handled before one commit. A group commit costs the same for one snapshot and for
/// many; more than this would only make the first of them wait.
const BATCH_MAX: usize = 256;

/// While nothing happens, the time until which we saw the PBX is put on disk this often: a blind
/// interval after a crash is told at the most this much too long.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How long a goodbye may take.
const LOGOFF_DEADLINE: Duration = Duration::from_secs(1);

/// Why a session that was up ended.
enum End {
    /// We were asked to stop.
    Stopped,
    /// The PBX said that it shuts down, and all its calls with it.
    Shutdown,
}

/// Runs one session over the stream that `connecting` opens.
pub(super) async fn run(
    settings: Arc<AsteriskSettings>,
    identity: SourceIdentity,
    orders: Arc<OrderQueue>,
    context: ListenerContext,
    connecting: impl Future<Output = Result<Box<dyn ByteStream>, ListenerError>>,
) -> Result<(), ListenerError> {
    let source = identity.key.clone();
    let tracker_settings = TrackerSettings {
        numbers: identity.numbers,
        channels: settings.channels.clone(),
        linger: settings.linger,
        ..TrackerSettings::new(identity.key)
    };
    let mut stop = context.stop.clone();
    let mut books = Books::restore(tracker_settings, &context).await?;
    let mut session = Session {
        settings: &settings,
        context: &context,
        events: EventClock::default(),
        recordings: RecordingQuestions::default(),
        log: LogKeeper::of(&settings, &context),
        caught_up: false,
        seen_full_boot: false,
        garbage_told: false,
    };
    let started = tokio::select! {
        biased;
        () = stopped(&mut stop) => return Ok(()),
        started = session.start(&mut books, connecting) => started,
    };
    let mut connection = started?;
    let mut orders = Orders::new(&orders, settings.originate.as_ref());
    let (known, clock) = (&*context.known, &context.clock);
    let mut mirror = Mirror::new(settings.mirror.as_ref(), &source, known, clock);
    let ended = session
        .watch(
            &mut connection,
            &mut books,
            &mut orders,
            &mut mirror,
            &mut stop,
        )
        .await;
    session.end(connection, &mut books, ended).await
}

/// Returns when the session shall end; also when nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

struct Session<'a> {
    settings: &'a AsteriskSettings,
    context: &'a ListenerContext,
    events: EventClock,
    recordings: RecordingQuestions,
    log: Option<LogKeeper>,
    /// What happened before this session is told.
    caught_up: bool,
    /// FullyBooted was seen: the lists that we asked are complete.
    seen_full_boot: bool,
    garbage_told: bool,
}

impl Session<'_> {
    /// Connects, logs in and brings the open calls up to date.
    async fn start(
        &mut self,
        books: &mut Books,
        connecting: impl Future<Output = Result<Box<dyn ByteStream>, ListenerError>>,
    ) -> Result<Connection, ListenerError> {
        let settings = self.settings;
        if let Some(log) = &mut self.log {
            log.begin_at_end(books).await;
        }
        let stream = connecting.await?;
        let clock = self.context.clock.clone();
        let (mut connection, banner) =
            Connection::open(stream, clock, settings.reply_deadline).await?;
        login::log_in(&mut connection, settings).await?;
        let version = self.find_restart(&mut connection, books).await?;
        self.add_filters(&mut connection).await?;
        self.survey(&mut connection, books).await?;
        let peer = format!(
            "{} at {}:{}",
            version.unwrap_or(banner),
            settings.host,
            settings.port
        );
        tracing::info!(peer, "session with the pbx is up");
        self.context.state.connected(&peer);
        Ok(connection)
    }

    /// Asks who the PBX is and since when it runs. Returns its version. Rights may be missing for
    /// each part (`pbx/asterisk.md` §1).
    async fn find_restart(
        &mut self,
        connection: &mut Connection,
        books: &mut Books,
    ) -> Result<Option<String>, ListenerError> {
        let questions = ["CoreStatus", "CoreSettings"].map(Action::new);
        let mut answers = connection.ask_all(questions.into()).await?.into_iter();
        let mut next = || match answers.next() {
            Some(Answer::Done { response, .. }) => Some(response),
            Some(Answer::Refused(_)) | None => None,
        };
        let (status, core) = (next(), next());
        let started = status.as_ref().and_then(|status| {
            let date = status.get("CoreStartupDate")?;
            let time = status.get("CoreStartupTime")?;
            Some(format!("{date} {time}"))
        });
        // FullyBooted comes at once after the login when the PBX is up, so it lies here already.
        let uptime_s = connection.set_aside().find_map(full_boot);
        self.seen_full_boot = uptime_s.is_some();
        if started.is_none() && uptime_s.is_none() {
            books.remark(
                "the PBX does not tell since when it runs: a restart between two connections is \
                 not recognised; give the AMI user the read class system or the write class \
                 reporting",
            );
        }
        let boot = Boot {
            at: self.context.clock.now(),
            uptime_s,
            started,
        };
        if let (Some(log), Some(began)) = (&mut self.log, boot.began_after())
            && books.restarted(&boot)
        {
            // How the calls of before went on; afterwards they are all over.
            log.tell_until(books, began).await?;
        }
        books.pbx_seen(boot);
        let version = core.as_ref().and_then(|core| core.get("AsteriskVersion"));
        Ok(version.map(|version| format!("Asterisk {version}")))
    }

    /// Keeps out what no call needs and what is most of the traffic. Only the old form of filter
    /// and only exclusions are safe on every version; they need the write class system, and
    /// without them it is only more to read.
    async fn add_filters(&self, connection: &mut Connection) -> Result<(), ListenerError> {
        let wanted = |class: &str| self.settings.events.iter().any(|event| event == class);
        let mut filters = Vec::new();
        if wanted("reporting") {
            filters.push("!Event: RTCP.*");
        }
        if wanted("dialplan") {
            filters.push("!Event: Newexten");
            filters.push("!Variable: RTPAUDIOQOS");
        }
        let actions = filters.into_iter().map(|filter| {
            Action::new("Filter")
                .with("Operation", "Add")
                .with("Filter", filter)
        });
        for answer in connection.ask_all(actions.collect()).await? {
            if let Answer::Refused(message) = answer {
                tracing::debug!(message, "the pbx takes no event filter");
            }
        }
        Ok(())
    }

    /// Compares the open calls with the PBX's channels and commits what comes of it. Events that
    /// arrive meanwhile are handled afterwards, in order.
    async fn survey(
        &mut self,
        connection: &mut Connection,
        books: &mut Books,
    ) -> Result<(), ListenerError> {
        if let Some(log) = self.log.as_mut().filter(|_| !self.caught_up) {
            log.tell_before_list(books).await?;
        }
        let asked = self.context.clock.now();
        let survey = lists::survey(connection).await?;
        for remark in survey.remarks {
            books.remark(&remark);
        }
        // Where nothing can be listed, calls that were open are ended: the tracker remembers them,
        // so that their late events make no second call, and none stays open for ever.
        let live = survey.live.unwrap_or_default();
        if !std::mem::replace(&mut self.caught_up, true) {
            self.catch_up(books, &live, asked).await?;
        }
        let now = self.context.clock.now();
        books.reconcile(&live, now);
        for variable in &survey.variables {
            books.handle(variable, now);
        }
        books.seen_until(now);
        books.commit_anyhow().await?;
        Ok(())
    }

    /// Tells what happened since the last session, as far as the PBX's log knows it.
    async fn catch_up(
        &mut self,
        books: &mut Books,
        live: &LiveState,
        asked: Timestamp,
    ) -> Result<(), ListenerError> {
        let mut told = None;
        if let Some(log) = &mut self.log {
            told = log.tell_all(books, live, asked).await?;
            log.follow(books).await;
        }
        books.note_blind_interval(told);
        Ok(())
    }

    /// Handles events until the end.
    async fn watch(
        &mut self,
        connection: &mut Connection,
        books: &mut Books,
        orders: &mut Orders<'_>,
        mirror: &mut Mirror<'_>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<End, ListenerError> {
        let mut batch: Vec<Received> = Vec::with_capacity(BATCH_MAX);
        let mut heartbeat = Instant::now() + HEARTBEAT;
        let mut ping: Option<Ping> = None;
        loop {
            let silence_ends = Instant::now()
                + self
                    .settings
                    .keep_alive
                    .saturating_sub(connection.silence());
            let patience_ends = ping.as_ref().map_or(silence_ends, |ping| ping.deadline);
            let due = books.next_deadline_in().map(|delay| Instant::now() + delay);
            let wake = due
                .map_or(patience_ends, |due| due.min(patience_ends))
                .min(heartbeat);
            tokio::select! {
                biased;
                () = stopped(stop) => return Ok(End::Stopped),
                received = connection.receive(&mut batch, BATCH_MAX) => {
                    received?;
                    self.context.state.seen();
                    batch.retain(|received| !mirror.answered(&received.message));
                    for received in &batch {
                        if received.message.event().is_none() {
                            orders.answered(&received.message);
                        }
                    }
                    if let Some(end) = self.handle(connection, &mut batch, books).await? {
                        return Ok(end);
                    }
                }
                (id, order) = orders.next() => {
                    tracing::info!(order = %id, "an employee's call is placed");
                    connection.send_as(&id, order).await?;
                }
                (id, action) = mirror.next() => connection.send_as(&id, action).await?,
                // Only here, when no event waits, does the time of day reach the tracker: a call
                // must not be closed while its last events wait in the queue.
                () = tokio::time::sleep_until(wake) => {
                    let now = self.context.clock.now();
                    books.seen_until(now.minus(connection.silence()));
                    books.tick(now);
                    books.commit().await?;
                }
            }
            self.tell_garbage(connection, books);
            if let Some(remark) = mirror.take_remark() {
                books.remark(&remark);
            }
            if Instant::now() >= heartbeat {
                if let Some(log) = &mut self.log {
                    log.follow(books).await;
                }
                books.commit_anyhow().await?;
                heartbeat = Instant::now() + HEARTBEAT;
            }
            ping = self.keep_alive(connection, ping).await?;
            let state = &self.context.state;
            state.gauge("open_calls", books.open_calls() as f64);
            state.gauge("events_waiting", connection.waiting() as f64);
            if let Some(clients) = mirror.clients() {
                state.gauge("mirrored_clients", clients as f64);
            }
        }
    }

    /// Gives a batch to the tracker and commits what comes of it, once.
    async fn handle(
        &mut self,
        connection: &mut Connection,
        batch: &mut Vec<Received>,
        books: &mut Books,
    ) -> Result<Option<End>, ListenerError> {
        let mut booted = None;
        let mut end = None;
        let mut latest = None;
        let mut to_ask = Vec::new();
        for received in batch.drain(..) {
            let Some(event) = received.message.event() else {
                if let Some(variable) = self.recordings.answered(&received.message) {
                    books.handle(&variable, received.at);
                }
                continue;
            };
            let at = self.events.time_of(&received.message, received.at);
            latest = Some((at, received.at));
            if event.eq_ignore_ascii_case("Shutdown") {
                books.pbx_shut_down(at);
                end = Some(End::Shutdown);
                break;
            }
            booted = full_boot(&received).or(booted);
            books.handle(&received.message, at);
            if let Some((place, variables)) = self.recordings.occasion(&received.message) {
                for variable in variables {
                    if !to_ask.contains(&(place.clone(), *variable)) {
                        to_ask.push((place.clone(), *variable));
                    }
                }
            }
        }
        if let Some((at, arrived)) = latest {
            books.seen_until(arrived);
            books.tick(at);
        }
        books.commit().await?;
        for (place, variable) in to_ask {
            let id = connection.send(place.question(variable)).await?;
            self.recordings.asked(id, place, variable);
        }
        if let Some(uptime_s) = booted
            && !std::mem::replace(&mut self.seen_full_boot, true)
        {
            // We came while the PBX was starting; its lists are complete only now.
            books.pbx_seen(Boot {
                at: self.context.clock.now(),
                uptime_s: Some(uptime_s),
                started: None,
            });
            self.survey(connection, books).await?;
        }
        Ok(end)
    }

    fn tell_garbage(&mut self, connection: &Connection, books: &mut Books) {
        if connection.garbage() > 0 && !std::mem::replace(&mut self.garbage_told, true) {
            books.remark("the PBX sent something that is no AMI message; it was skipped");
        }
    }

    /// Asks a silent PBX whether it is there.
    async fn keep_alive(
        &self,
        connection: &mut Connection,
        ping: Option<Ping>,
    ) -> Result<Option<Ping>, ListenerError> {
        let heard = connection.messages();
        match ping.filter(|ping| ping.heard == heard) {
            Some(ping) if Instant::now() >= ping.deadline => {
                Err(ListenerError::Connection(format!(
                    "the PBX did not answer a ping within {} s",
                    self.settings.reply_deadline.as_secs()
                )))
            }
            Some(ping) => Ok(Some(ping)),
            None if connection.silence() >= self.settings.keep_alive => {
                connection.send(Action::new("Ping")).await?;
                Ok(Some(Ping {
                    heard,
                    deadline: Instant::now() + self.settings.reply_deadline,
                }))
            }
            None => Ok(None),
        }
    }

    /// Puts the end on disk and says goodbye.
    async fn end(
        &self,
        mut connection: Connection,
        books: &mut Books,
        ended: Result<End, ListenerError>,
    ) -> Result<(), ListenerError> {
        if let Err(ListenerError::Sink(error)) = ended {
            // What is on disk is all that can be; the next run begins from there.
            return Err(error.into());
        }
        let why = match &ended {
            Ok(End::Stopped) => "the daemon was stopped".to_owned(),
            Ok(End::Shutdown) => "the PBX shut down".to_owned(),
            Err(error) => error.to_string(),
        };
        books.link_lost(why);
        books.commit_anyhow().await?;
        match ended? {
            End::Stopped => {
                let goodbye = connection.ask(Action::new("Logoff"));
                if tokio::time::timeout(LOGOFF_DEADLINE, goodbye)
                    .await
                    .is_err()
                {
                    tracing::debug!("the pbx said no goodbye");
                }
                Ok(())
            }
            End::Shutdown => Err(ListenerError::Connection("the PBX shut down".to_owned())),
        }
    }
}

/// A ping that nobody has answered yet.
struct Ping {
    /// Messages heard when it was sent.
    heard: u64,
    deadline: Instant,
}

/// Returns the uptime that a FullyBooted event tells, in seconds.
fn full_boot(received: &Received) -> Option<u64> {
    let message = &received.message;
    message
        .event()
        .filter(|event| event.eq_ignore_ascii_case("FullyBooted"))?;
    message
        .get("Uptime")
        .and_then(|text| text.trim().parse().ok())
}
