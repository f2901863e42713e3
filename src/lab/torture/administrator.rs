//! The administrator of the tortured company: whenever an account asks to be authorised, they get
//! a code from the CRM's page and give it to the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time;

use super::crm::Doorkeeper;
use crate::lab::day::daemon::Daemon;

/// Pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// Looks after the account until dropped.
pub(super) struct Administrator {
    looking: JoinHandle<()>,
    times: Arc<AtomicUsize>,
}

impl Administrator {
    pub(super) fn start(daemon: Daemon, crm: Doorkeeper) -> Self {
        let times = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&times);
        let looking = tokio::spawn(async move {
            loop {
                time::sleep(LOOK_PAUSE).await;
                // A daemon that is dead has no alarms.
                for account in daemon.accounts_in_alarm().await.unwrap_or_default() {
                    let code = crm.issue_code();
                    // Refused, lost, or killed meanwhile: the alarm stands, and there are more
                    // codes.
                    if daemon.authorise(&account, &code).await.is_ok() {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        Self { looking, times }
    }

    /// Returns how often the account was authorised.
    pub(super) fn times(&self) -> usize {
        self.times.load(Ordering::Relaxed)
    }
}

impl Drop for Administrator {
    fn drop(&mut self) {
        self.looking.abort();
    }
}
