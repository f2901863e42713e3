//! Tells systemd that the daemon turns: only while every arbiter answers. A writer stuck on the
//! disk is an alarm first and ends the feeding only after ten minutes, since questions can still
//! be answered from memory.

use std::sync::Arc;
use std::time::Duration;

use actix::ArbiterHandle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::clock::SharedClock;
use crate::integration::status::{Health, StatusBoard};
use crate::store::StoreHandle;

/// How long an arbiter may take to answer: far longer than any handler runs.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long the writer may be stuck before the process is left to the watchdog.
const WRITER_STUCK_MAX: Duration = Duration::from_secs(600);

/// How long a write may take before the alarm stands.
const WRITER_SLOW: Duration = Duration::from_secs(10);

/// The name on the status board.
const NAME: &str = "store writer";

/// How often the writer and the arbiters are looked at where no service manager wants to know.
const UNWATCHED: Duration = Duration::from_secs(20);

pub(super) struct Watchdog {
    pub(super) arbiters: Vec<ArbiterHandle>,
    pub(super) store: StoreHandle,
    pub(super) board: Arc<StatusBoard>,
    pub(super) clock: SharedClock,
    pub(super) interval: Duration,
}

impl Watchdog {
    /// Feeds until the task is dropped.
    pub(super) async fn feed(self) {
        let mut stuck_since = None;
        loop {
            tokio::time::sleep(self.interval).await;
            if self.all_is_well(&mut stuck_since).await {
                notify(&[(systemd::daemon::STATE_WATCHDOG, "1")]);
            }
        }
    }

    /// Says whether the process is worth keeping; shows a stuck writer as an alarm.
    async fn all_is_well(&self, stuck_since: &mut Option<Instant>) -> bool {
        // Both looks together must end well before the service manager's limit.
        let patience = WRITER_SLOW.min(self.interval / 2);
        let writer = tokio::time::timeout(patience, self.store.probe()).await;
        let now = self.clock.now();
        if matches!(writer, Ok(Ok(()))) {
            if stuck_since.take().is_some() {
                self.board.set_health(NAME, Health::Up, now);
                tracing::info!("the store's writer goes on");
            }
        } else {
            let since = *stuck_since.get_or_insert_with(|| {
                tracing::error!("the store's writer is stuck: the disk does not answer");
                Instant::now()
            });
            self.board.set_health(NAME, Health::Degraded, now);
            self.board.trouble(NAME, "the disk does not answer", now);
            if since.elapsed() > WRITER_STUCK_MAX {
                tracing::error!("the store's writer was stuck too long: a restart is due");
                return false;
            }
        }
        let turning = self.arbiters_turn().await;
        if !turning {
            tracing::error!("an arbiter does not turn");
        }
        turning
    }

    async fn arbiters_turn(&self) -> bool {
        let patience = ANSWER_WITHIN.min(self.interval / 4);
        for arbiter in &self.arbiters {
            let (sender, answer) = oneshot::channel();
            let sent = arbiter.spawn(async move {
                // Nobody waits any more: the time was over.
                let _ = sender.send(());
            });
            if !sent || tokio::time::timeout(patience, answer).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// Tells the service manager something; without one nothing happens.
pub(super) fn notify(state: &[(&str, &str)]) {
    if let Err(error) = systemd::daemon::notify(state.iter()) {
        tracing::debug!(%error, "no service manager to tell");
    }
}

/// Returns how often the service manager wants to hear from us: a third of its limit.
pub(super) fn interval() -> Duration {
    match systemd::daemon::watchdog_enabled() {
        Ok(limit) if limit > 0 => Duration::from_micros(limit) / 3,
        _ => UNWATCHED,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::store::{Store, StoreKey, StoreOptions};

    #[actix::test]
    async fn a_stuck_arbiter_is_not_well_and_one_that_turns_again_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = StoreKey::from_bytes(&[7; 32]).expect("a key");
        let path = folder.path().join("store.redb");
        let (store, _thread) = Store::open(&path, key, StoreOptions::default()).expect("opens");
        let arbiter = actix::Arbiter::new();
        let dog = Watchdog {
            arbiters: vec![arbiter.handle()],
            store: store.clone(),
            board: Arc::default(),
            clock: Arc::new(SystemClock),
            interval: Duration::from_secs(2),
        };
        let mut stuck_since = None;
        assert!(dog.all_is_well(&mut stuck_since).await);
        let (release, stuck) = mpsc::channel::<()>();
        arbiter.spawn_fn(move || {
            let _ = stuck.recv();
        });
        assert!(!dog.all_is_well(&mut stuck_since).await);
        release.send(()).expect("it waits");
        let turning = async { while !dog.all_is_well(&mut stuck_since).await {} };
        tokio::time::timeout(Duration::from_secs(30), turning)
            .await
            .expect("in time");
        store.shut_down().await;
    }

    #[actix::test]
    async fn a_writer_that_does_not_answer_is_an_alarm_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = StoreKey::from_bytes(&[7; 32]).expect("a key");
        let path = folder.path().join("store.redb");
        let (store, thread) = Store::open(&path, key, StoreOptions::default()).expect("opens");
        store.shut_down().await;
        thread.finished().await;
        let dog = Watchdog {
            arbiters: Vec::new(),
            store,
            board: Arc::default(),
            clock: Arc::new(SystemClock),
            interval: Duration::from_secs(2),
        };
        let mut stuck_since = None;
        assert!(
            dog.all_is_well(&mut stuck_since).await,
            "memory still answers"
        );
        let shown = dog.board.get(NAME).expect("shown");
        assert_eq!(shown.health, Health::Degraded);
        assert!(stuck_since.is_some());
        stuck_since = stuck_since.and_then(|since| since.checked_sub(WRITER_STUCK_MAX * 2));
        if stuck_since.is_some() {
            assert!(!dog.all_is_well(&mut stuck_since).await, "a restart is due");
        }
    }
}
