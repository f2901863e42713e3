//! A source's session as the supervisor sees it: each life is an actor that runs one connection.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::{oneshot, watch};

use crate::clock::SharedClock;
use crate::integration::status::{Health, StatusBoard};
use crate::integration::supervisor::{Child, LifeEnd};
use crate::model::ids::SourceKey;
use crate::pbx::{KnownCallers, Listener, ListenerContext, ListenerError, Sink, StateReport};

/// Returns a source's name on the status board.
pub(super) fn board_name(key: &SourceKey) -> String {
    format!("source {key}")
}

/// The supervised child.
pub(super) struct SourceChild {
    pub(super) key: SourceKey,
    pub(super) listener: Arc<dyn Listener>,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) clock: SharedClock,
    pub(super) board: Arc<StatusBoard>,
    pub(super) arbiter: ArbiterHandle,
    pub(super) known: Arc<dyn KnownCallers>,
}

/// Shows a session's state on the board.
struct BoardReport {
    name: String,
    board: Arc<StatusBoard>,
    clock: SharedClock,
}

impl StateReport for BoardReport {
    fn connected(&self, peer: &str) {
        let now = self.clock.now();
        self.board.set_health(&self.name, Health::Up, now);
        self.board.update(&self.name, now, |child| {
            child.peer = Some(peer.to_owned());
            child.last_seen_at = Some(now);
        });
        tracing::info!(child = self.name, peer, "session is up");
    }

    fn seen(&self) {
        let now = self.clock.now();
        self.board
            .update(&self.name, now, |child| child.last_seen_at = Some(now));
    }

    fn gauge(&self, name: &'static str, value: f64) {
        self.board.update(&self.name, self.clock.now(), |child| {
            child.gauges.insert(name.to_owned(), value);
        });
    }
}

/// How long a session may take to end: it commits what it knows and says goodbye.
const END_WITHIN: Duration = Duration::from_secs(10);

/// End without a goodbye.
#[derive(Message)]
#[rtype(result = "()")]
struct Abandon;

/// Runs one connection.
struct SessionActor {
    run: Option<LocalBoxFuture<'static, Result<(), ListenerError>>>,
    exit: Option<oneshot::Sender<LifeEnd>>,
}

impl Actor for SessionActor {
    type Context = Context<Self>;

    fn started(&mut self, scope: &mut Context<Self>) {
        let Some(run) = self.run.take() else { return };
        scope.spawn(run.into_actor(self).map(|end, actor, scope| {
            let end = match end {
                Ok(()) => LifeEnd::Failed("the session ended".to_owned()),
                Err(error) => LifeEnd::Failed(error.to_string()),
            };
            actor.tell(end);
            scope.stop();
        }));
    }
}

impl SessionActor {
    fn tell(&mut self, end: LifeEnd) {
        if let Some(exit) = self.exit.take() {
            // The supervisor may be gone already.
            let _ = exit.send(end);
        }
    }
}

impl Handler<Abandon> for SessionActor {
    type Result = ();

    fn handle(&mut self, _: Abandon, scope: &mut Context<Self>) {
        self.tell(LifeEnd::Failed(
            "the session did not end in time".to_owned(),
        ));
        scope.stop();
    }
}

impl Drop for SessionActor {
    fn drop(&mut self) {
        self.tell(LifeEnd::Failed("the session panicked".to_owned()));
    }
}

impl Child for SourceChild {
    fn name(&self) -> String {
        board_name(&self.key)
    }

    fn live(&self, mut stop: watch::Receiver<bool>) -> LocalBoxFuture<'static, LifeEnd> {
        let context = ListenerContext {
            sink: Arc::clone(&self.sink),
            clock: Arc::clone(&self.clock),
            stop: stop.clone(),
            state: Arc::new(BoardReport {
                name: self.name(),
                board: Arc::clone(&self.board),
                clock: Arc::clone(&self.clock),
            }),
            known: Arc::clone(&self.known),
        };
        let listener = Arc::clone(&self.listener);
        let (sender, ended) = oneshot::channel();
        // The actor lives until its run ends, which it should do soon after `stop` turns true.
        let address = SessionActor::start_in_arbiter(&self.arbiter, move |_| SessionActor {
            run: Some(listener.run(context).boxed_local()),
            exit: Some(sender),
        });
        async move {
            let mut ended = ended.map(|end| end.unwrap_or_else(|_| gone()));
            tokio::select! {
                end = &mut ended => return end,
                _ = stop.wait_for(|stop| *stop) => {}
            }
            if let Ok(end) = tokio::time::timeout(END_WITHIN, &mut ended).await {
                return end;
            }
            // One that cannot be told is gone.
            let _ = address.try_send(Abandon);
            ended.await
        }
        .boxed_local()
    }
}

fn gone() -> LifeEnd {
    LifeEnd::Failed("the session is gone".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::BoxFuture;
    use serde_json::Value;

    use super::*;
    use crate::clock::SystemClock;
    use crate::integration::supervisor::supervise;
    use crate::pbx::{Batch, SinkError};

    /// Panics in its first run, then stays up.
    struct Panicky(Arc<AtomicU32>);

    impl Listener for Panicky {
        fn run(
            &self,
            mut context: ListenerContext,
        ) -> BoxFuture<'static, Result<(), ListenerError>> {
            let run = self.0.fetch_add(1, Ordering::SeqCst);
            async move {
                assert_ne!(run, 0, "scripted panic of the session");
                context.state.connected("a switch");
                let _ = context.stop.wait_for(|stop| *stop).await;
                Ok(())
            }
            .boxed()
        }
    }

    struct NoSink;

    impl Sink for NoSink {
        fn commit(&self, _: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
            async { Ok(()) }.boxed()
        }

        fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Value>, SinkError>> {
            async { Ok(None) }.boxed()
        }
    }

    #[actix::test]
    async fn a_session_that_panics_is_seen_by_its_supervisor_and_comes_back() {
        let runs = Arc::new(AtomicU32::new(0));
        let board = Arc::new(StatusBoard::default());
        let clock: SharedClock = Arc::new(SystemClock);
        let arbiter = Arbiter::new();
        let child = SourceChild {
            key: "acme/office".parse().expect("a key"),
            listener: Arc::new(Panicky(Arc::clone(&runs))),
            sink: Arc::new(NoSink),
            clock: Arc::clone(&clock),
            board: Arc::clone(&board),
            arbiter: arbiter.handle(),
            known: Arc::new(crate::questions::desk::Desk::new(Arc::clone(&clock))),
        };
        let name = child.name();
        let supervised = supervise(child, Arc::clone(&board), clock);
        let up = async {
            while board
                .get(&name)
                .is_none_or(|shown| shown.health != Health::Up)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up)
            .await
            .expect("in time");
        let shown = board.get(&name).expect("shown");
        assert_eq!(shown.restarts, 1);
        assert!(shown.last_error.expect("a reason").contains("panicked"));
        supervised.stop().await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(board.get(&name).expect("shown").health, Health::Stopped);
    }
}
