//! The actor of one integration: begins works that head their lanes, keeps their times, ends with
//! its life's guard telling the supervisor.
//!
//! Settings change, and a life ends on purpose, only between steps: works under way come to a
//! stop where nothing is half done, and keep their lanes until then.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument;

use crate::model::activity::Activity;
use crate::store::StoreError;
use crate::store::command::{Fence, Work, WorkId};

use super::advance::{Asking, Next, Patience, Run, advance};
use super::batcher::Presence;
use super::context::IntegrationContext;
use super::gate::{Gate, Heard, Passage, Word};
use super::halt::Halt;
use super::notices;
use super::supervisor::LifeEnd;

/// Works that are under way at once: enough to fill requests of the largest batch that a CRM takes
/// (50) of three sorts, with others of each on their way and as many works again busy with the
/// store; each holds a few kilobytes.
const RUNNING_MAX: usize = 512;

/// Messages that may wait for the actor: wake-ups only, and a lost one is made good by
/// [`LOOK_AROUND`].
const MAILBOX: usize = 256;

/// How often the lanes are looked through for what no wake-up told of.
const LOOK_AROUND: Duration = Duration::from_secs(15);

/// How long works under way may take to come to a stop when the life ends. What did not is found
/// in the store by the next life, which looks for its effect.
const DRAIN: Duration = Duration::from_secs(3);

/// Serves one integration for one life.
pub struct IntegrationActor {
    context: Arc<IntegrationContext>,
    fence: Fence,
    /// Works that may be ready; tried in order of acceptance.
    candidates: BTreeSet<WorkId>,
    running: HashSet<WorkId>,
    /// Works that wait for a time, and how often they were tried in this state.
    waiting: HashMap<WorkId, Waiting>,
    /// Works that a reload may have given what they wait for: they are tried once without waiting.
    stirred: BTreeSet<WorkId>,
    gate: Gate,
    halt: Halt,
    /// What happens when the running works have come to a stop.
    then: Option<Then>,
    exit: Exit,
}

/// What works were asked to stop for.
enum Then {
    GoOnWith(Arc<IntegrationContext>),
    End,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    until: Instant,
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

/// Go on with other settings when the works under way have come to a stop.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reconfigure(pub Arc<IntegrationContext>);

/// Try everything that may be begun at once, whatever it waits for: a person says that the cause
/// is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stir;

/// End this life between steps; what does not come to a stop in time is found in the store by
/// the next one.
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
        notices::resume(&context).await?;
        let (sender, receiver) = oneshot::channel();
        let handles = Arc::clone(&context.handles);
        let (key, portal) = (context.key.clone(), Arc::clone(&context.portal));
        let address = Self::start_in_arbiter(arbiter, move |scope| {
            scope.set_mailbox_capacity(MAILBOX);
            Self {
                context,
                fence,
                candidates,
                running: HashSet::new(),
                waiting: HashMap::new(),
                stirred: BTreeSet::new(),
                gate: Gate::default(),
                halt: Halt::default(),
                then: None,
                exit: Exit(Some(sender)),
            }
        });
        handles.register(&key, address.clone());
        // What was put into the lanes before the address was known woke nobody.
        handles.wake(
            portal
                .lanes()
                .ready(&key)
                .into_iter()
                .map(|work| (key.clone(), work))
                .collect(),
        );
        Ok((address, receiver))
    }

    /// Begins what can be begun.
    fn pump(&mut self, scope: &mut Context<Self>) {
        if self.then.is_some() {
            return;
        }
        if self.context.activity == Activity::Off {
            self.clear_lanes();
            return;
        }
        let now = Instant::now();
        while self.running.len() < self.room(now) {
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
            self.begin(work, Asking::Crm, scope);
        }
        self.show();
    }

    /// Returns how many works may be under way now.
    fn room(&self, now: Instant) -> usize {
        match self.gate.passage(now) {
            Passage::Free(most) => most.min(RUNNING_MAX),
            Passage::OneAtATime => 1,
            Passage::Closed => 0,
        }
    }

    /// Decides what needs no CRM while the CRM is not asked: what makes nothing need not wait for
    /// a repair. The works stay candidates for when it may be asked again.
    fn sort_out(&mut self, works: &[WorkId], scope: &mut Context<Self>) {
        if self.then.is_some() || self.context.activity == Activity::Off {
            return;
        }
        for work in works {
            if self.running.len() >= RUNNING_MAX {
                return;
            }
            if !self.running.contains(work) && self.context.portal.lanes().start(*work) {
                self.candidates.remove(work);
                self.begin(*work, Asking::Nobody, scope);
            }
        }
    }

    fn begin(&mut self, work: WorkId, asking: Asking, scope: &mut Context<Self>) {
        let tried = self.waiting.get(&work).map_or(0, |waiting| waiting.tried);
        self.running.insert(work);
        let run = Run {
            context: Arc::clone(&self.context),
            fence: self.fence,
            tried,
            halt: self.halt.clone(),
            heard: Heard::default(),
            asking,
            patience: if self.stirred.remove(&work) {
                Patience::Tries
            } else {
                Patience::Waits
            },
            presence: Presence::new(&self.context.batcher),
        };
        let key = &self.context.key;
        let span =
            tracing::info_span!("work", tenant = %key.tenant, integration = %key.integration);
        let going = async move {
            let next = advance(&run, work, tried).await;
            (next, run.heard.last_word())
        };
        scope.spawn(
            going
                .instrument(span)
                .into_actor(self)
                .map(move |(next, word), actor, scope| actor.finished(work, next, word, scope)),
        );
    }

    fn finished(
        &mut self,
        work: WorkId,
        next: Result<Next, StoreError>,
        word: Option<Word>,
        scope: &mut Context<Self>,
    ) {
        self.running.remove(&work);
        self.mind_gate(word, scope);
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
            Ok(Next::After(delay)) => {
                let until = Instant::now() + delay;
                let waiting = self
                    .waiting
                    .entry(work)
                    .or_insert(Waiting { until, tried: 0 });
                waiting.until = until;
                waiting.tried = waiting.tried.saturating_add(1);
                scope.run_later(delay, move |actor, scope| {
                    actor.candidates.insert(work);
                    actor.pump(scope);
                });
            }
            Ok(Next::Halted | Next::NeedsCrm) => {
                self.candidates.insert(work);
            }
            Err(error) => {
                // Fenced: a later life has taken over. Anything else: the store is ending.
                self.exit.tell(LifeEnd::Failed(error.to_string()));
                scope.stop();
                return;
            }
        }
        self.settle(scope);
        self.pump(scope);
    }

    /// Closes or opens the gate by what a work heard of the CRM.
    fn mind_gate(&mut self, word: Option<Word>, scope: &mut Context<Self>) {
        let held = match word {
            None => return,
            Some(Word::Served) => {
                self.gate.served();
                None
            }
            Some(Word::Refused { why, retry_after }) => {
                let jitter = (self.context.jitter)();
                let hold = self.gate.refused(Instant::now(), retry_after, jitter);
                scope.run_later(hold, |actor, scope| actor.pump(scope));
                Some(why)
            }
        };
        let now = self.context.clock.now();
        self.context
            .board
            .update(&self.context.board_name(), now, |child| child.held = held);
    }

    /// Asks the running works to stop before their next step.
    fn halt_for(&mut self, then: Then, scope: &mut Context<Self>) {
        self.halt.wish();
        self.then = Some(then);
        self.settle(scope);
    }

    /// Goes on as was wished when the last running work has come to a stop.
    fn settle(&mut self, scope: &mut Context<Self>) {
        if !self.running.is_empty() {
            return;
        }
        match self.then.take() {
            None => {}
            Some(Then::End) => self.end(scope),
            Some(Then::GoOnWith(context)) => self.go_on_with(context, scope),
        }
    }

    fn end(&mut self, scope: &mut Context<Self>) {
        self.exit.tell(LifeEnd::Stopped);
        scope.stop();
    }

    fn go_on_with(&mut self, context: Arc<IntegrationContext>, scope: &mut Context<Self>) {
        let old = std::mem::replace(&mut self.context, Arc::clone(&context));
        if !old.portal.has_lanes_of(&context.portal) {
            old.handles.wake(old.portal.leave(&old.key));
        }
        // New settings or a new credential may be what waiting works waited for.
        self.forget_waits();
        self.halt = Halt::default();
        // Switched on again, or moved to another portal: everything open stands in the lanes anew.
        let read = async move { context.store.open_works().await };
        scope.spawn(
            read.into_actor(self)
                .map(|works, actor, scope| match works {
                    Ok(works) => {
                        let entered = enter_lanes(&actor.context, works.iter());
                        actor.candidates.extend(&entered);
                        actor.stirred = entered;
                        actor.pump(scope);
                    }
                    Err(error) => {
                        actor.exit.tell(LifeEnd::Failed(error.to_string()));
                        scope.stop();
                    }
                }),
        );
    }

    fn forget_waits(&mut self) {
        self.waiting.clear();
        self.gate = Gate::default();
        let (now, name) = (self.context.clock.now(), self.context.board_name());
        self.context
            .board
            .update(&name, now, |child| child.held = None);
    }

    /// Takes everything out of the lanes that got there while the integration is off: it would
    /// hold up the same clients' works of others.
    fn clear_lanes(&mut self) {
        self.candidates.clear();
        let freed = self.context.portal.lanes().withdraw(&self.context.key);
        self.context.handles.wake(freed);
        self.show();
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
    let mut freed = Vec::new();
    let mut lanes = context.portal.lanes();
    let mine = works
        .filter(|work| work.integration == context.key)
        .map(|work| {
            freed.extend(lanes.insert(work.id, &work.integration, &work.addresses));
            work.id
        })
        .collect();
    drop(lanes);
    context.handles.wake(freed);
    mine
}

impl Actor for IntegrationActor {
    type Context = Context<Self>;

    fn started(&mut self, scope: &mut Context<Self>) {
        scope.run_interval(LOOK_AROUND, |actor, scope| {
            if actor.gate.passage(Instant::now()) != Passage::Closed {
                let ready = actor.context.portal.lanes().ready(&actor.context.key);
                actor.candidates.extend(ready);
            }
            actor.pump(scope);
        });
        self.pump(scope);
    }
}

impl Handler<Wake> for IntegrationActor {
    type Result = ();

    fn handle(&mut self, Wake(works): Wake, scope: &mut Context<Self>) {
        self.candidates.extend(&works);
        if !matches!(self.gate.passage(Instant::now()), Passage::Free(_)) {
            self.sort_out(&works, scope);
        }
        self.pump(scope);
    }
}

impl Handler<Reconfigure> for IntegrationActor {
    type Result = ();

    fn handle(&mut self, Reconfigure(context): Reconfigure, scope: &mut Context<Self>) {
        if matches!(self.then, Some(Then::End)) {
            return;
        }
        self.halt_for(Then::GoOnWith(context), scope);
    }
}

impl Handler<Stir> for IntegrationActor {
    type Result = ();

    fn handle(&mut self, _: Stir, scope: &mut Context<Self>) {
        let ready = self.context.portal.lanes().ready(&self.context.key);
        self.candidates.extend(&ready);
        self.stirred.extend(ready);
        self.forget_waits();
        self.pump(scope);
    }
}

impl Handler<Stop> for IntegrationActor {
    type Result = ();

    fn handle(&mut self, _: Stop, scope: &mut Context<Self>) {
        scope.run_later(DRAIN, |actor, scope| actor.end(scope));
        self.halt_for(Then::End, scope);
    }
}
