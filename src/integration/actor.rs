//! The actor of one integration: begins works that head their lanes, keeps their times, ends with
//! its life's guard telling the supervisor.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::model::activity::Activity;
use crate::model::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::command::{Defer, Fence, Work, WorkId, WorkState};

use super::context::IntegrationContext;
use super::decide::{Decided, decide};
use super::execute::{Executed, execute};
use super::supervisor::LifeEnd;

/// Works that are under way at once. The account's budget is a handful of requests a second and
/// an answer takes well under a second, so this keeps the budget used and memory small.
const RUNNING_MAX: usize = 32;

/// Messages that may wait for the actor: wake-ups only, and a lost one is made good by
/// [`LOOK_AROUND`].
const MAILBOX: usize = 256;

/// How often the lanes are looked through for what no wake-up told of.
const LOOK_AROUND: Duration = Duration::from_secs(15);

/// Serves one integration for one life.
pub struct IntegrationActor {
    context: Arc<IntegrationContext>,
    fence: Fence,
    /// Works that may be ready; tried in order of acceptance.
    candidates: BTreeSet<WorkId>,
    running: HashSet<WorkId>,
    /// Works that wait for a time, and how often they were tried in this state.
    waiting: HashMap<WorkId, Waiting>,
    exit: Exit,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    until: Timestamp,
    tried: u32,
}

/// Tells the supervisor how the life ended, also when a panic ends it.
struct Exit(Option<oneshot::Sender<LifeEnd>>);

impl Exit {
    fn tell(&mut self, end: LifeEnd) {
        if let Some(sender) = self.0.take() {
            // The supervisor may be gone already: then nobody needs to know.
            let _ = sender.send(end);
        }
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        self.tell(LifeEnd::Failed("the actor panicked".to_owned()));
    }
}

/// Works that may be begun now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Wake(pub Vec<WorkId>);

/// Go on with other settings; nothing that is under way is lost.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reconfigure(pub Arc<IntegrationContext>);

/// End this life: what is under way is found in the store by the next one.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stop;

impl IntegrationActor {
    /// Starts a life on an arbiter: takes the fence, reads the open works, registers its address.
    /// The receiver tells when it is over.
    pub async fn start_on(
        context: Arc<IntegrationContext>,
        arbiter: &ArbiterHandle,
    ) -> Result<(Addr<Self>, oneshot::Receiver<LifeEnd>), StoreError> {
        let fence = context.store.claim(context.key.clone()).await?;
        let open = context.store.open_works().await?;
        let candidates = enter_lanes(&context, open.iter());
        let (sender, receiver) = oneshot::channel();
        let handles = Arc::clone(&context.handles);
        let key = context.key.clone();
        let address = Self::start_in_arbiter(arbiter, move |scope| {
            scope.set_mailbox_capacity(MAILBOX);
            Self {
                context,
                fence,
                candidates,
                running: HashSet::new(),
                waiting: HashMap::new(),
                exit: Exit(Some(sender)),
            }
        });
        handles.register(&key, address.clone());
        Ok((address, receiver))
    }

    /// Begins what can be begun.
    fn pump(&mut self, scope: &mut Context<Self>) {
        if self.context.activity == Activity::Off {
            return;
        }
        let now = self.context.clock.now();
        while self.running.len() < RUNNING_MAX {
            let Some(work) = self.candidates.pop_first() else {
                break;
            };
            let waits = self
                .waiting
                .get(&work)
                .is_some_and(|waiting| waiting.until > now);
            if waits || self.running.contains(&work) || !self.context.portal.lanes().start(work) {
                continue;
            }
            let tried = self.waiting.get(&work).map_or(0, |waiting| waiting.tried);
            self.running.insert(work);
            let context = Arc::clone(&self.context);
            let fence = self.fence;
            let key = &context.key;
            let span =
                tracing::info_span!("work", tenant = %key.tenant, integration = %key.integration);
            scope.spawn(
                async move { (work, advance(&context, fence, work, tried).await) }
                    .instrument(span)
                    .into_actor(self)
                    .map(|(work, next), actor, scope| actor.finished(work, next, scope)),
            );
        }
        self.show();
    }

    fn finished(
        &mut self,
        work: WorkId,
        next: Result<Next, StoreError>,
        scope: &mut Context<Self>,
    ) {
        self.running.remove(&work);
        match next {
            Ok(Next::Closed | Next::SetAside) => {
                self.waiting.remove(&work);
                let freed = self.context.portal.lanes().remove(work);
                let (mine, others): (Vec<_>, Vec<_>) = freed
                    .into_iter()
                    .partition(|(key, _)| *key == self.context.key);
                self.candidates
                    .extend(mine.into_iter().map(|(_, work)| work));
                self.context.handles.wake(others);
            }
            Ok(Next::At(until)) => {
                let waiting = self
                    .waiting
                    .entry(work)
                    .or_insert(Waiting { until, tried: 0 });
                waiting.until = until;
                waiting.tried = waiting.tried.saturating_add(1);
                let delay = until.since(self.context.clock.now());
                scope.run_later(delay, move |actor, scope| {
                    actor.candidates.insert(work);
                    actor.pump(scope);
                });
            }
            Err(error) => {
                // Fenced: a later life has taken over. Anything else: the store is ending or
                // refuses what we are sure of; a fresh life reads the truth from it.
                self.exit.tell(LifeEnd::Failed(error.to_string()));
                scope.stop();
                return;
            }
        }
        self.pump(scope);
    }

    fn show(&self) {
        let open = self.context.portal.lanes().count(&self.context.key);
        let (running, waiting) = (self.running.len(), self.waiting.len());
        self.context.board.update(
            &self.context.board_name(),
            self.context.clock.now(),
            |child| {
                let gauges = &mut child.gauges;
                for (name, value) in [("open", open), ("running", running), ("waiting", waiting)] {
                    // Counts of this size are exact in a float.
                    gauges.insert(name.to_owned(), value as f64);
                }
            },
        );
    }
}

/// Takes a place in the portal and puts the open works into its lanes; returns them.
pub(super) fn enter_lanes<'a>(
    context: &IntegrationContext,
    works: impl Iterator<Item = &'a Work>,
) -> BTreeSet<WorkId> {
    context.portal.join(&context.key);
    if context.activity == Activity::Off {
        return BTreeSet::new();
    }
    let mut lanes = context.portal.lanes();
    works
        .filter(|work| work.integration == context.key)
        .map(|work| {
            lanes.insert(work.id, &work.integration, &work.addresses);
            work.id
        })
        .collect()
}

/// What is next for a work.
enum Next {
    /// It is over.
    Closed,
    /// Nothing can be done for it in this life: it stays in the store and holds nobody up.
    SetAside,
    /// Nothing can be done before this time.
    At(Timestamp),
}

/// Carries one work on as far as possible.
async fn advance(
    context: &IntegrationContext,
    fence: Fence,
    id: WorkId,
    tried: u32,
) -> Result<Next, StoreError> {
    let mut tried = tried;
    loop {
        let Some(work) = context.store.work(id).await? else {
            return Ok(Next::Closed);
        };
        let mut undecided = matches!(work.state, WorkState::Undecided { .. });
        if !undecided {
            match execute(context, fence, &work).await? {
                Executed::All => {
                    context.store.close(fence, id, context.clock.now()).await?;
                    return Ok(Next::Closed);
                }
                Executed::Until(until) => return Ok(Next::At(until)),
                Executed::Stale => undecided = true,
            }
        }
        if undecided {
            match decide(context, fence, &work, tried).await? {
                Decided::Yes => tried = 0,
                Decided::Vanished => {
                    let communication = &work.communication;
                    tracing::error!(%communication, "its row cannot be read");
                    let text = format!("{communication} cannot be read: its work is set aside");
                    let now = context.clock.now();
                    context.board.trouble(&context.board_name(), &text, now);
                    return Ok(Next::SetAside);
                }
                Decided::Deferred { why, delay } => {
                    return defer(context, fence, &work, why, delay).await;
                }
            }
        }
    }
}

/// Records why a work is not decided yet. The same reason is not written again and again: a
/// backlog would otherwise wear the disk out while a CRM is down.
async fn defer(
    context: &IntegrationContext,
    fence: Fence,
    work: &Work,
    why: String,
    delay: Duration,
) -> Result<Next, StoreError> {
    let now = context.clock.now();
    let until = now.plus(delay);
    context.board.trouble(&context.board_name(), &why, now);
    let known = match &work.state {
        WorkState::Undecided { why: known, .. } => known.as_deref(),
        WorkState::Decided { .. } => None,
    };
    let undecided = matches!(work.state, WorkState::Undecided { .. });
    if undecided && known != Some(why.as_str()) {
        tracing::warn!(communication = %work.communication, why, "not decided yet");
        context
            .store
            .defer(
                fence,
                Defer {
                    work: work.id,
                    until,
                    why,
                },
            )
            .await?;
    }
    Ok(Next::At(until))
}

impl Actor for IntegrationActor {
    type Context = Context<Self>;

    fn started(&mut self, scope: &mut Context<Self>) {
        scope.run_interval(LOOK_AROUND, |actor, scope| {
            let ready = actor.context.portal.lanes().ready(&actor.context.key);
            actor.candidates.extend(ready);
            actor.pump(scope);
        });
        self.pump(scope);
    }
}

impl Handler<Wake> for IntegrationActor {
    type Result = ();

    fn handle(&mut self, Wake(works): Wake, scope: &mut Context<Self>) {
        self.candidates.extend(works);
        self.pump(scope);
    }
}

impl Handler<Reconfigure> for IntegrationActor {
    type Result = ();

    fn handle(&mut self, Reconfigure(context): Reconfigure, scope: &mut Context<Self>) {
        self.context = Arc::clone(&context);
        // New settings or a new credential may be what waiting works waited for.
        self.waiting.clear();
        // Switched on again, or moved to another portal: everything open stands in the lanes anew.
        let read = async move { context.store.open_works().await };
        scope.spawn(
            read.into_actor(self)
                .map(|works, actor, scope| match works {
                    Ok(works) => {
                        let entered = enter_lanes(&actor.context, works.iter());
                        actor.candidates.extend(entered);
                        actor.pump(scope);
                    }
                    Err(error) => {
                        actor.exit.tell(LifeEnd::Failed(error.to_string()));
                        scope.stop();
                    }
                }),
        );
    }
}

impl Handler<Stop> for IntegrationActor {
    type Result = ();

    fn handle(&mut self, _: Stop, scope: &mut Context<Self>) {
        self.exit.tell(LifeEnd::Stopped);
        scope.stop();
    }
}
