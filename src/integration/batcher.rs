//! Puts ready steps that may share a request into one, from many lanes, where the CRM takes
//! several.
//!
//! A step is sent at once while nothing of its sort is on its way and no other can become ready
//! in a moment; what comes meanwhile goes together in the next request. So a quiet account loses
//! no time, and a crowd fills requests up to the adapter's bound.
//!
//! Each step has its own outcome: a neighbour that is refused does not fail it. Where a whole
//! request came to nothing clear (refused without a name, or no answer), its steps look for their
//! effects and come back in requests of at most half its size, until the one that spoils them goes
//! alone and is refused by itself.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::crm::{Adapter, StepCommand};
use crate::model::outcome::{Outcome, StepResult};
use crate::model::plan::{StepKey, StepKind};

/// How long a request waits at the most for works that are busy here: reading the store and
/// writing an intent take a few milliseconds, a slow disk's sync some tens.
const GATHER_MAX: Duration = Duration::from_millis(50);

/// Steps that are remembered for having shared a request which came to nothing. Beyond that all
/// are forgotten, which costs a few more requests that come to nothing.
const SUSPECTS_MAX: usize = 4096;

struct Waiting {
    command: StepCommand,
    /// The largest request that it may stand in.
    company_max: usize,
    answer: oneshot::Sender<Outcome<StepResult>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// A request of this sort is on its way, or being gathered.
    busy: bool,
}

/// Steps of one sort can share a request.
type Sort = (StepKind, &'static str);

#[derive(Default)]
struct State {
    queues: HashMap<Sort, Queue>,
    /// The largest request that a step may stand in, where an earlier one came to nothing.
    suspects: HashMap<StepKey, usize>,
    /// Works that are busy here and may have a step ready in a moment.
    coming: usize,
}

/// The batcher of one account. Its queues hold no more than the works that integrations have
/// under way, which are bounded.
pub struct Batcher {
    adapter: Arc<dyn Adapter>,
    state: Mutex<State>,
    changed: Notify,
}

impl Batcher {
    /// Makes the batcher of an account.
    pub fn new(adapter: Arc<dyn Adapter>) -> Arc<Self> {
        Arc::new(Self {
            adapter,
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Sends a step, perhaps with others; returns its own outcome. Meanwhile the work is not
    /// counted as coming.
    pub(super) async fn send(
        self: &Arc<Self>,
        command: StepCommand,
        presence: &Presence,
    ) -> Outcome<StepResult> {
        let kind = command.effect.kind();
        let sort = (kind, self.adapter.request_sort(&command.effect));
        let (answer, answered) = oneshot::channel();
        let idle = {
            let mut state = self.state();
            let suspect = state.suspects.get(&command.key).copied();
            let queue = state.queues.entry(sort).or_default();
            queue.waiting.push_back(Waiting {
                command,
                company_max: suspect.unwrap_or(usize::MAX),
                answer,
            });
            !std::mem::replace(&mut queue.busy, true)
        };
        if idle {
            // A task of its own: the request goes on when the work that began it is given up.
            tokio::spawn(Arc::clone(self).drain(sort));
        }
        match presence.apart(answered).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Ambiguous {
                why: "the request was broken off".to_owned(),
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends request after request until nothing of the sort waits.
    async fn drain(self: Arc<Self>, sort: Sort) {
        let mut turn = Turn {
            batcher: &self,
            sort,
            broken_off: true,
        };
        loop {
            // Asked each time: what an account can do is known better after the first request.
            let capabilities = self.adapter.capabilities();
            let most = capabilities
                .step(sort.0)
                .map_or(1, |step| step.batch_max.max(1));
            self.gather(sort, most).await;
            let batch = self.take(sort, most);
            if batch.is_empty() {
                turn.broken_off = false;
                return;
            }
            let keys: Vec<StepKey> = batch.iter().map(|one| one.command.key.clone()).collect();
            let (commands, answers): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|one| (one.command, one.answer))
                .unzip();
            let mut outcomes = self.adapter.execute(commands).await;
            outcomes.resize_with(keys.len(), || Outcome::Ambiguous {
                why: "the adapter gave no answer for it".to_owned(),
            });
            self.state().suspect(keys, &outcomes);
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // The work was given up meanwhile: its next life looks for the effect.
                let _ = answer.send(outcome);
            }
        }
    }

    /// Waits, for a moment, while works are coming and there is room for their steps.
    async fn gather(&self, sort: Sort, most: usize) {
        let window = tokio::time::sleep(GATHER_MAX);
        tokio::pin!(window);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Interest first, then the look: a change in between is not missed.
            changed.as_mut().enable();
            {
                let state = self.state();
                let queue = state.queues.get(&sort);
                if state.coming == 0 || queue.is_none_or(|queue| queue.is_full(most)) {
                    return;
                }
            }
            tokio::select! {
                () = &mut window => return,
                () = changed => {}
            }
        }
    }

    /// Takes the next request's steps; marks the sort as idle when there are none.
    fn take(&self, sort: Sort, most: usize) -> Vec<Waiting> {
        let mut state = self.state();
        let Some(queue) = state.queues.get_mut(&sort) else {
            return Vec::new();
        };
        let company = queue.company(most);
        let mut batch = Vec::new();
        let mut rest = VecDeque::new();
        for one in queue.waiting.drain(..) {
            // Those who are suspected keep to themselves: who has nothing to do with it would only
            // share their lot.
            if batch.len() < company && one.company_max.min(most) == company {
                batch.push(one);
            } else {
                rest.push_back(one);
            }
        }
        queue.waiting = rest;
        queue.busy = !batch.is_empty();
        batch
    }
}

impl Queue {
    /// Returns how many steps the next request takes at the most.
    fn company(&self, most: usize) -> usize {
        let first = self.waiting.front();
        first.map_or(most, |one| one.company_max.min(most))
    }

    fn is_full(&self, most: usize) -> bool {
        let company = self.company(most);
        let like = |one: &&Waiting| one.company_max.min(most) == company;
        self.waiting.iter().filter(like).count() >= company
    }
}

impl State {
    /// Remembers steps of a request that came to nothing clear, and forgets those whose outcome
    /// is known.
    fn suspect(&mut self, keys: Vec<StepKey>, outcomes: &[Outcome<StepResult>]) {
        let unclear = |outcome: &Outcome<_>| matches!(outcome, Outcome::Ambiguous { .. });
        let nothing_clear = outcomes.iter().all(unclear);
        let half = (keys.len() / 2).max(1);
        for (key, outcome) in keys.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Done(_) | Outcome::Rejected(_) => {
                    self.suspects.remove(&key);
                }
                Outcome::Ambiguous { .. } if nothing_clear => {
                    if self.suspects.len() >= SUSPECTS_MAX {
                        self.suspects.clear();
                    }
                    self.suspects.insert(key, half);
                }
                // The others' fault was found, or nothing was looked at.
                Outcome::Ambiguous { .. }
                | Outcome::NotApplied(_)
                | Outcome::AuthExpired { .. } => {}
            }
        }
    }
}

/// Says that a work is busy here and may have a step ready in a moment; not any more when dropped.
pub(super) struct Presence {
    batcher: Arc<Batcher>,
    here: Cell<bool>,
}

impl Presence {
    /// Counts a work as coming.
    pub(super) fn new(batcher: &Arc<Batcher>) -> Self {
        let presence = Self {
            batcher: Arc::clone(batcher),
            here: Cell::new(false),
        };
        presence.set(true);
        presence
    }

    /// Awaits the CRM: meanwhile nobody need wait for this work.
    pub(super) async fn apart<T>(&self, answer: impl Future<Output = T>) -> T {
        self.set(false);
        let answer = answer.await;
        self.set(true);
        answer
    }

    fn set(&self, here: bool) {
        if self.here.replace(here) == here {
            return;
        }
        {
            let mut state = self.batcher.state();
            state.coming = if here {
                state.coming.saturating_add(1)
            } else {
                state.coming.saturating_sub(1)
            };
        }
        self.batcher.changed.notify_waiters();
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// Gives the sort free again when its task breaks off (the adapter panicked): the next step of
/// the sort must find nobody busy.
struct Turn<'a> {
    batcher: &'a Arc<Batcher>,
    sort: Sort,
    broken_off: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.broken_off {
            return;
        }
        let mut state = self.batcher.state();
        if let Some(queue) = state.queues.get_mut(&self.sort) {
            // Whoever waits is told by its answer's end, looks, and begins anew.
            queue.waiting.clear();
            queue.busy = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::{BoxFuture, join_all};

    use super::*;
    use crate::crm::{AccountDescription, Class};
    use crate::model::capabilities::{Capabilities, Certainty, StepCapability};
    use crate::model::facts::{Facts, FactsQuery};
    use crate::model::outcome::{Look, Rejection};
    use crate::model::plan::{Effect, NewContact, Role};
    use crate::model::timestamp::Timestamp;

    /// Refuses every request that the bad one is in; by name where it is alone.
    struct Picky {
        bad: Role,
        capabilities: Capabilities,
        requests: Mutex<Vec<usize>>,
    }

    impl Picky {
        fn new(bad: &str) -> Arc<Self> {
            let step = StepCapability {
                kind: StepKind::CreateContact,
                certainty: Certainty::ByKey,
                batch_max: 50,
            };
            Arc::new(Self {
                bad: Role::new(bad),
                capabilities: Capabilities {
                    steps: vec![step],
                    phases: Vec::new(),
                },
                requests: Mutex::default(),
            })
        }

        fn requests(&self) -> Vec<usize> {
            self.requests.lock().expect("no panic").clone()
        }
    }

    fn unclear<T>() -> Outcome<T> {
        Outcome::Ambiguous {
            why: "refused".to_owned(),
        }
    }

    impl Adapter for Picky {
        fn capabilities(&self) -> &Capabilities {
            &self.capabilities
        }

        fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
            async { unclear() }.boxed()
        }

        fn facts(&self, _: FactsQuery, _: Class) -> BoxFuture<'_, Outcome<Facts>> {
            async { unclear() }.boxed()
        }

        fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
            let bad = commands.iter().any(|one| one.key.role == self.bad);
            let count = commands.len();
            self.requests.lock().expect("no panic").push(count);
            let outcome = match (bad, count) {
                (false, _) => Outcome::Done(StepResult::default()),
                (true, 1) => Outcome::Rejected(Rejection {
                    code: "400".to_owned(),
                    message: "bad".to_owned(),
                }),
                (true, _) => unclear(),
            };
            async move {
                tokio::task::yield_now().await;
                vec![outcome; count]
            }
            .boxed()
        }

        fn look(&self, _: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
            async { Outcome::Done(Look::Absent) }.boxed()
        }
    }

    fn command(role: &str) -> StepCommand {
        StepCommand {
            key: StepKey {
                integration: "acme/sales".parse().expect("a key"),
                communication: "acme/office/1".parse().expect("a key"),
                role: Role::new(role),
            },
            effect: Effect::CreateContact(NewContact {
                name: "Anna".to_owned(),
                phones: Vec::new(),
                emails: Vec::new(),
                responsible: None,
                tags: Vec::new(),
            }),
            first_sent_at: Timestamp::default(),
        }
    }

    /// Sends steps of these roles at one moment; returns what each came to.
    async fn send_all(batcher: &Arc<Batcher>, roles: &[String]) -> Vec<Outcome<StepResult>> {
        let here: Vec<Presence> = roles.iter().map(|_| Presence::new(batcher)).collect();
        let sending = roles.iter().zip(&here);
        join_all(sending.map(|(role, presence)| batcher.send(command(role), presence))).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_bad_one_of_fifty_is_set_aside_in_some_ten_requests() {
        let adapter = Picky::new("17");
        let batcher = Batcher::new(Arc::clone(&adapter) as Arc<dyn Adapter>);
        let mut left: Vec<String> = (0..50).map(|n: u32| n.to_string()).collect();
        let mut rejected = Vec::new();
        while !left.is_empty() {
            let outcomes = send_all(&batcher, &left).await;
            let mut unclear = Vec::new();
            for (role, outcome) in left.into_iter().zip(outcomes) {
                match outcome {
                    Outcome::Ambiguous { .. } => unclear.push(role),
                    Outcome::Rejected(_) => rejected.push(role),
                    _ => {}
                }
            }
            left = unclear;
        }
        assert_eq!(rejected, ["17"]);
        let requests = adapter.requests();
        assert_eq!(requests[..2], [50, 25], "{requests:?}");
        assert!(requests.len() <= 13, "{requests:?}");
        assert!(batcher.state().suspects.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_suspected_does_not_share_the_lot_of_those_who_are() {
        let adapter = Picky::new("bad");
        let batcher = Batcher::new(Arc::clone(&adapter) as Arc<dyn Adapter>);
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).into()).collect() };
        let first = send_all(&batcher, &names(&["bad", "a", "b", "c"])).await;
        assert!(first.iter().all(|one| *one == unclear()));
        let second = send_all(&batcher, &names(&["bad", "x", "a", "y", "b", "c"])).await;
        let done = |one: &&Outcome<_>| matches!(one, Outcome::Done(_));
        assert_eq!(second.iter().filter(done).count(), 4, "{second:?}");
        assert_eq!(adapter.requests(), [4, 2, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_step_loses_no_time_and_who_is_coming_is_waited_for_a_moment() {
        let adapter = Picky::new("bad");
        let batcher = Batcher::new(Arc::clone(&adapter) as Arc<dyn Adapter>);
        let began = tokio::time::Instant::now();
        send_all(&batcher, &["a".to_owned()]).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        let slow = Presence::new(&batcher);
        let early = ["b".to_owned()];
        let (_, late) = tokio::join!(send_all(&batcher, &early), async {
            tokio::time::sleep(GATHER_MAX / 2).await;
            batcher.send(command("c"), &slow).await
        });
        assert!(matches!(late, Outcome::Done(_)));
        assert_eq!(adapter.requests(), [1, 2]);
        // One that is long in coming is not waited for.
        let began = tokio::time::Instant::now();
        send_all(&batcher, &["d".to_owned()]).await;
        assert_eq!(began.elapsed(), GATHER_MAX);
    }
}
