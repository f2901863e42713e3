//! Tells systemd that the daemon turns: only while every arbiter answers. A writer stuck on the
//! disk is an alarm first and ends the feeding only after ten minutes, since questions can still
//! be answered from memory.

use std::sync::Arc;
use std::time::Duration;

use actix::ArbiterHandle;
use tokio::sync::oneshot;

use crate::clock::SharedClock;
use crate::integration::status::StatusBoard;
use crate::store::StoreHandle;

/// How long an arbiter may take to answer: far longer than any handler runs.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long the writer may be stuck before the process is left to the watchdog.
const WRITER_STUCK_MAX: Duration = Duration::from_secs(600);

/// How long a write may take before the alarm stands.
const WRITER_SLOW: Duration = Duration::from_secs(10);

/// The name on the status board.
const NAME: &str = "store writer";

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
            let now = self.clock.now();
            let writer = tokio::time::timeout(WRITER_SLOW, self.store.probe()).await;
            if matches!(writer, Ok(Ok(()))) {
                if stuck_since.take().is_some() {
                    self.board
                        .set_health(NAME, crate::integration::status::Health::Up, now);
                }
            } else {
                let since = *stuck_since.get_or_insert(now);
                self.board.failed(NAME, "the disk does not answer", now);
                tracing::error!(since = %since, "the store's writer is stuck");
                if now.since(since) > WRITER_STUCK_MAX {
                    continue;
                }
            }
            if self.arbiters_turn().await {
                notify_watchdog();
            } else {
                tracing::error!("an arbiter does not turn");
            }
        }
    }

    async fn arbiters_turn(&self) -> bool {
        for arbiter in &self.arbiters {
            let (sender, answer) = oneshot::channel();
            let sent = arbiter.spawn(async move {
                // Nobody waits any more: the time was over.
                let _ = sender.send(());
            });
            if !sent || tokio::time::timeout(ANSWER_WITHIN, answer).await.is_err() {
                return false;
            }
        }
        true
    }
}

fn notify_watchdog() {
    notify(&[(systemd::daemon::STATE_WATCHDOG, "1")]);
}

/// Tells the service manager something; without one nothing happens.
pub(super) fn notify(state: &[(&str, &str)]) {
    if let Err(error) = systemd::daemon::notify(state.iter()) {
        tracing::debug!(%error, "no service manager to tell");
    }
}

/// Returns how often the service manager wants to hear from us: a third of its limit.
pub(super) fn interval() -> Option<Duration> {
    let limit = systemd::daemon::watchdog_enabled()
        .ok()
        .filter(|microseconds| *microseconds > 0)?;
    Some(Duration::from_micros(limit) / 3)
}
