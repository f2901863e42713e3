//! Keeps children alive: learns of their death, starts them again with back-off, shows how they
//! are, never touches their neighbours.
//!
//! ```text
//!            life begins                life ends (error, panic)
//! Starting ------------> Up ----------------------------------> Degraded
//!                        ^   back-off 1 s, 2 s, … 5 min            |
//!                        +------------------------------------------+
//! ```

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::SharedClock;
use crate::model::doubling::pause_after;

use super::status::{Health, StatusBoard};

/// The first pause before a restart.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause: a repaired PBX or CRM is found within five minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A life that lasted this long ends the series: the next pause is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(300);

/// How a life ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LifeEnd {
    /// On purpose.
    Stopped,
    /// By an error or a panic; in words.
    Failed(String),
}

/// Something that is kept alive.
pub trait Child: 'static {
    /// Returns its name on the status board.
    fn name(&self) -> String;

    /// Lives one life. Ends soon after `stop` turns true.
    fn live(&self, stop: watch::Receiver<bool>) -> LocalBoxFuture<'static, LifeEnd>;
}

/// A child under supervision.
pub struct Supervised {
    name: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Returns the child's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends the child and waits until it is gone.
    pub async fn stop(self) {
        // A child that ended by itself has dropped its receiver.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(child = self.name, %error, "supervision ended badly");
        }
    }
}

/// Keeps a child alive on the present arbiter until it is stopped.
pub fn supervise(child: impl Child, board: Arc<StatusBoard>, clock: SharedClock) -> Supervised {
    let (stop, stopped) = watch::channel(false);
    let name = child.name();
    let task = tokio::task::spawn_local(keep_alive(child, board, clock, stopped));
    Supervised { name, stop, task }
}

async fn keep_alive(
    child: impl Child,
    board: Arc<StatusBoard>,
    clock: SharedClock,
    mut stopped: watch::Receiver<bool>,
) {
    let name = child.name();
    let child = Rc::new(child);
    let mut failures: u32 = 0;
    loop {
        board.set_health(&name, Health::Starting, clock.now());
        let began = clock.now();
        // A panic inside a life that is not an actor's must not end its supervision.
        let (next, stop) = (Rc::clone(&child), stopped.clone());
        let life = tokio::task::spawn_local(async move { next.live(stop).await });
        let end = match life.await {
            Ok(end) => end,
            Err(error) => LifeEnd::Failed(format!("panicked: {error}")),
        };
        if *stopped.borrow() || end == LifeEnd::Stopped {
            board.set_health(&name, Health::Stopped, clock.now());
            return;
        }
        if let LifeEnd::Failed(error) = end {
            board.failed(&name, &error, clock.now());
            let lasted = clock.now().since(began);
            failures = if lasted >= GOOD_LIFE {
                1
            } else {
                failures.saturating_add(1)
            };
            let pause = pause_after(failures, FIRST_PAUSE, LONGEST_PAUSE);
            tracing::warn!(
                child = name,
                error,
                restart_in_s = pause.as_secs(),
                "child ended"
            );
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stopped.wait_for(|stop| *stop) => {
                    board.set_health(&name, Health::Stopped, clock.now());
                    return;
                }
            }
        }
    }
}
