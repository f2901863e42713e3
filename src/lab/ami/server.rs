//! The listening side, the player of scripted calls and the ways to disturb a client.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::actions::Facts;
use super::capture::{self, Capture};
use super::classes::AmiUser;
use super::endpoints::AmiCompany;
use super::log_files::LogFiles;
use super::message::Message;
use super::script::{self, Requested, Script, ScriptedCall};
use super::session;
use super::switch::Switch;
use crate::lab::lock::lock;
use crate::lab::wall;

/// Connections at a time; Asterisk's own bound for those that have not logged in is 50.
const SESSIONS_MAX: usize = 64;
/// How long a recording that began in mid-call waits for somebody to attach.
const ATTACH_DEADLINE: Duration = Duration::from_secs(60);
/// Pause between attempts to bind the port again, which a closing socket may still hold.
const BIND_PAUSE: Duration = Duration::from_millis(50);

/// Which Asterisk is pretended to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsteriskVersion {
    /// 16.28, the oldest supported.
    V16,
    /// 22.10.
    V22,
}

/// How the server is set up.
#[derive(Debug, Clone)]
pub struct AmiOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may log in.
    pub users: Vec<AmiUser>,
    /// What it says it is.
    pub version: AsteriskVersion,
    /// How long a wrong secret waits for its refusal; Asterisk takes a second.
    pub refusal_delay: Duration,
    /// How long a connection may stay without logging in; Asterisk's `authtimeout` is 30 s.
    pub login_deadline: Duration,
}

impl AmiOptions {
    /// The users of the demo and the tests, on this address.
    pub fn on(listen: SocketAddr) -> Self {
        let secret = "loopback-only";
        Self {
            listen,
            users: vec![
                AmiUser::new("crm", secret, "all", "all"),
                AmiUser::new(
                    "trunkline",
                    "lab-ami-secret",
                    "system,call,agent,user,cdr",
                    "system,call,originate,reporting",
                ),
                AmiUser::new("crmlean", secret, "system,call,agent,user,cdr", "call"),
                AmiUser::new("crmcall", secret, "call", "reporting"),
                AmiUser::new("crmread", secret, "call,cdr", ""),
            ],
            version: AsteriskVersion::V22,
            refusal_delay: Duration::from_secs(1),
            login_deadline: Duration::from_secs(30),
        }
    }
}

/// What sessions, players and the owner share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) facts: Facts,
    pub(super) login_deadline: Duration,
    pub(super) refusal_delay: watch::Sender<Duration>,
    /// How often a client has asked which channels live.
    pub(super) attached: watch::Sender<u64>,
    switch: Mutex<Switch>,
    open: watch::Sender<bool>,
    stopped: CancellationToken,
}

impl Shared {
    /// Nothing awaits under this lock.
    pub(super) fn switch(&self) -> MutexGuard<'_, Switch> {
        lock(&self.switch)
    }

    /// Plays what an `Originate` asked for.
    pub(super) fn originate(self: &Arc<Self>, call: ScriptedCall, requested: Requested) {
        if let Some(capture) = capture::named(&call.capture) {
            // The task ends by itself: with the call, or when the server stops.
            drop(tokio::spawn(
                Arc::clone(self).play(capture, call, requested),
            ));
        }
    }

    /// Plays one call to its end.
    async fn play(
        self: Arc<Self>,
        capture: &'static Capture,
        call: ScriptedCall,
        requested: Requested,
    ) -> Played {
        let whole = async {
            time::sleep(call.start_in).await;
            let (script, life) = self.begin(capture, &call, &requested);
            let unique_ids = script.unique_ids.clone();
            tokio::select! {
                () = life.cancelled() => Played { unique_ids, cut_off: true },
                () = self.perform(script) => Played { unique_ids, cut_off: false },
            }
        };
        tokio::select! {
            () = self.stopped.cancelled() => Played { unique_ids: Vec::new(), cut_off: true },
            played = whole => played,
        }
    }

    fn begin(
        &self,
        capture: &Capture,
        call: &ScriptedCall,
        requested: &Requested,
    ) -> (Script, CancellationToken) {
        let start_s = i64::try_from(wall::now().as_secs()).unwrap_or(0);
        let mut switch = self.switch();
        let script = script::write(capture, call, requested, &mut switch.counters, start_s);
        (script, switch.life.clone())
    }

    async fn perform(&self, script: Script) {
        if !script.living.is_empty() {
            let mut attached = self.attached.subscribe();
            {
                let mut switch = self.switch();
                switch.drop_sessions();
                for item in &script.living {
                    switch.living.place(item, Instant::now());
                }
                attached.mark_unchanged();
            }
            // Nobody comes: the call ends all the same, as it would in an office.
            time::timeout(ATTACH_DEADLINE, attached.changed())
                .await
                .ok();
        }
        let start = Instant::now();
        for (offset, event) in &script.events {
            time::sleep_until(start + *offset).await;
            let now = Instant::now();
            let mut switch = self.switch();
            switch.emit(event, now);
            if event.event_name() == "Shutdown" {
                let now_s = i64::try_from(wall::now().as_secs()).unwrap_or(0);
                switch.restart(now, now_s);
            }
        }
    }
}

/// What became of a scripted call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The Uniqueids of its channels, the first being the call's Linkedid; empty when it never
    /// began.
    pub unique_ids: Vec<String>,
    /// The switch went down in the middle of it.
    pub cut_off: bool,
}

/// Why a scripted call cannot be played.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlayError {
    /// No recording has this name.
    #[error("no recorded call is named {0:?}; see tests/data/asterisk/README.md")]
    UnknownCapture(String),
    /// The speed is zero, negative or not a number.
    #[error("speed {0} is not possible: use a number from 0.01 to 10000")]
    BadSpeed(f64),
}

/// A running AMI server. Dropping it closes everything.
#[derive(Debug)]
pub struct AmiServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl AmiServer {
    /// Binds and serves.
    ///
    /// # Errors
    /// Fails when the address cannot be bound.
    pub async fn start(options: AmiOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let (ami_version, asterisk_version) = match options.version {
            AsteriskVersion::V16 => ("5.0.4", "16.28.0~dfsg-0+deb11u4"),
            AsteriskVersion::V22 => ("11.0.0", "22.10.1+dfsg+~cs6.17.60671434-1"),
        };
        let now_s = i64::try_from(wall::now().as_secs()).unwrap_or(0);
        let shared = Arc::new(Shared {
            facts: Facts {
                users: options.users,
                ami_version,
                asterisk_version,
            },
            login_deadline: options.login_deadline,
            refusal_delay: watch::Sender::new(options.refusal_delay),
            attached: watch::Sender::new(0),
            switch: Mutex::new(Switch::new(Instant::now(), now_s)),
            open: watch::Sender::new(true),
            stopped: CancellationToken::new(),
        });
        let accepting = tokio::spawn(accept(listener, address, Arc::clone(&shared)));
        Ok(Self {
            shared,
            address,
            accepting,
        })
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to play a call; await the handle for its end, or drop it and the call goes on.
    ///
    /// # Errors
    /// Fails on an unknown recording or an impossible speed.
    pub fn play(&self, call: ScriptedCall) -> Result<JoinHandle<Played>, PlayError> {
        let Some(capture) = capture::named(&call.capture) else {
            return Err(PlayError::UnknownCapture(call.capture));
        };
        if !(0.01..=10_000.0).contains(&call.speed) {
            return Err(PlayError::BadSpeed(call.speed));
        }
        let shared = Arc::clone(&self.shared);
        Ok(tokio::spawn(shared.play(
            capture,
            call,
            Requested::default(),
        )))
    }

    /// Chooses the recording that plays when this extension is asked to call somebody, such as
    /// `originate_agent_busy`.
    pub fn on_originate(&self, extension: &str, capture: &str) {
        self.shared
            .switch()
            .originate
            .insert(extension.to_owned(), capture.to_owned());
    }

    /// Changes what is configured in the switch.
    pub fn configure(&self, company: AmiCompany) {
        self.shared.switch().company = company;
    }

    /// Puts a row into the small database.
    pub fn put_row(&self, family: &str, key: &str, value: &str) {
        let name = (family.to_owned(), key.to_owned());
        self.shared.switch().database.insert(name, value.to_owned());
    }

    /// Begins to keep the logs `cdr-csv/Master.csv` and `cel-custom/Master.csv` below a folder,
    /// whoever is connected.
    ///
    /// # Errors
    /// Fails when the folders cannot be made.
    pub fn keep_logs(&self, folder: &Path) -> io::Result<()> {
        self.shared.switch().logs = Some(LogFiles::below(folder)?);
        Ok(())
    }

    /// Says whether a line of the logs could not be written.
    pub fn log_failure(&self) -> Option<String> {
        let switch = self.shared.switch();
        switch.logs.as_ref().and_then(|logs| logs.failure.clone())
    }

    /// Changes how long a wrong secret waits for its refusal.
    pub fn set_refusal_delay(&self, delay: Duration) {
        self.shared.refusal_delay.send_replace(delay);
    }

    /// Cuts every connection; calls go on.
    pub fn drop_sessions(&self) {
        self.shared.switch().drop_sessions();
    }

    /// Refuses new connections from now on, or takes them again.
    pub fn refuse(&self, refuse: bool) {
        self.shared.open.send_replace(!refuse);
    }

    /// Restarts the switch: a `Shutdown` event, every connection closed, channels gone, Uptime
    /// small again.
    pub fn restart(&self) {
        let shutdown = Message::event("Shutdown")
            .with("Privilege", "system,all")
            .with("Shutdown", "Cleanly")
            .with("Restart", "True");
        self.shared.switch().emit(&shutdown, Instant::now());
        self.crash();
    }

    /// Restarts the switch with no word of farewell, as after a kill.
    pub fn crash(&self) {
        let now_s = i64::try_from(wall::now().as_secs()).unwrap_or(0);
        self.shared.switch().restart(Instant::now(), now_s);
    }

    /// Writes these bytes to every client that is logged in, whatever they are: garbage, half a
    /// message, an endless line.
    pub fn send_raw(&self, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        for session in self.shared.switch().sessions.values() {
            if session.user.is_some() {
                session.send(bytes.clone());
            }
        }
    }

    /// Sends one event of the caller's making to those who may see it, after learning from it.
    pub fn emit(&self, event: &Message) {
        self.shared.switch().emit(event, Instant::now());
    }

    /// Returns how many clients are logged in.
    pub fn clients(&self) -> usize {
        let switch = self.shared.switch();
        switch
            .sessions
            .values()
            .filter(|s| s.user.is_some())
            .count()
    }

    /// Returns how many channels live.
    pub fn living_channels(&self) -> usize {
        self.shared.switch().living.counts().0
    }

    /// Returns a count that grows whenever a client asks which channels live; await its change to
    /// know that somebody attached.
    pub fn attached(&self) -> watch::Receiver<u64> {
        self.shared.attached.subscribe()
    }

    /// Returns a copy of the small database, `family/key` to value.
    pub fn database(&self) -> BTreeMap<(String, String), String> {
        self.shared.switch().database.clone()
    }
}

impl Drop for AmiServer {
    fn drop(&mut self) {
        self.shared.stopped.cancel();
        self.shared.switch().drop_sessions();
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let mut listener = Some(listener);
    let mut open = shared.open.subscribe();
    let mut sessions = JoinSet::new();
    loop {
        let wanted = *open.borrow_and_update();
        if !wanted {
            // A closed listener is what makes the kernel refuse.
            listener = None;
            if open.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(bound) = &listener else {
            match TcpListener::bind(address).await {
                Ok(bound) => listener = Some(bound),
                Err(_) => time::sleep(BIND_PAUSE).await,
            }
            continue;
        };
        tokio::select! {
            changed = open.changed() => if changed.is_err() { return },
            Some(_) = sessions.join_next() => {}
            accepted = bound.accept() => match accepted {
                Ok((stream, _)) => take_in(stream, &mut sessions, &shared),
                // Out of descriptors, most likely: leave the others time to end.
                Err(_) => time::sleep(BIND_PAUSE).await,
            },
        }
    }
}

fn take_in(stream: TcpStream, sessions: &mut JoinSet<()>, shared: &Arc<Shared>) {
    if sessions.len() < SESSIONS_MAX {
        sessions.spawn(session::serve(stream, Arc::clone(shared)));
    }
}
