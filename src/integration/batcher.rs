//! Puts ready steps that may share a request into one, from many lanes, where the CRM takes
//! several.
//!
//! ```text
//! ready -> waits in the queue of its sort -> chosen -> intent on disk -> sent with the others
//! ```
//!
//! A step is sent at once while nothing of its sort is on its way and no other can become ready
//! in a moment; what comes meanwhile goes together in the next request. So a quiet account loses
//! no time, and a crowd fills requests up to the adapter's bound. As long as a crowd fills them,
//! several are on their way at once: the limiter sets the pace, not the CRM's distance.
//!
//! Only who is chosen writes its intent: a kill leaves no more steps in doubt than were in requests.
//!
//! Each step has its own outcome: a neighbour that is refused does not fail it. Where a whole
//! request came to nothing clear (refused without a name, or no answer), its steps look for their
//! effects and come back in requests of at most half its size, until the one that spoils them goes
//! alone and is refused by itself.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, oneshot};

use crate::crm::{ALONE, Adapter, StepCommand};
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome, StepResult};
use crate::model::plan::{Effect, StepKey, StepKind};

/// How long a request waits at the most for works that are busy here: reading the store and
/// writing an intent take a few milliseconds, a slow disk's sync some tens.
const GATHER_MAX: Duration = Duration::from_millis(50);

/// Steps that are remembered for having shared a request which came to nothing. Beyond that all
/// are forgotten, which costs a few more requests that come to nothing.
const SUSPECTS_MAX: usize = 4096;

/// Requests of one sort that are on their way at once while a crowd fills them. At amoCRM's seven
/// a second, each may take half a second before the CRM's distance sets the pace.
const REQUESTS_MAX: usize = 4;

struct Waiting {
    key: StepKey,
    /// The largest request that it may stand in.
    company_max: usize,
    chosen: oneshot::Sender<Place>,
}

/// A place in a request.
struct Place {
    command: oneshot::Sender<StepCommand>,
    answer: oneshot::Receiver<Outcome<StepResult>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Requests of this sort that are on their way, or being gathered.
    requests: usize,
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

    /// Sends a step, perhaps with others; returns its own outcome. When it is chosen, `intend`
    /// writes the intent and gives the command; `None` = it is not to be sent any more, and then
    /// nothing is returned either. Meanwhile the work is not counted as coming.
    pub(super) async fn send<E>(
        self: &Arc<Self>,
        key: StepKey,
        effect: &Effect,
        presence: &Presence,
        intend: impl Future<Output = Result<Option<StepCommand>, E>>,
    ) -> Result<Option<Outcome<StepResult>>, E> {
        let kind = effect.kind();
        let sort = (kind, self.adapter.request_sort(effect));
        let most = self.most(sort);
        let (chosen, place) = oneshot::channel();
        let begins = {
            let mut state = self.state();
            let suspect = state.suspects.get(&key).copied();
            let queue = state.queues.entry(sort).or_default();
            queue.waiting.push_back(Waiting {
                key,
                company_max: suspect.unwrap_or(usize::MAX),
                chosen,
            });
            let begins = match queue.requests {
                0 => true,
                _ if sort.1 == ALONE => true,
                some => some < REQUESTS_MAX && queue.is_full(most),
            };
            queue.requests = queue.requests.saturating_add(usize::from(begins));
            begins
        };
        if begins {
            // A task of its own: the request goes on when the work that began it is given up.
            tokio::spawn(Arc::clone(self).drain(sort));
        }
        let sending = async {
            let Ok(place) = place.await else {
                return Ok(Some(Outcome::NotApplied(NotApplied {
                    cause: NotAppliedCause::Failed,
                    why: "the request was broken off before it began".to_owned(),
                    retry_after: None,
                })));
            };
            let Some(command) = intend.await? else {
                return Ok(None);
            };
            // Nobody waits for it any more: the answer is gone as well.
            let _ = place.command.send(command);
            Ok(Some(place.answer.await.unwrap_or_else(|_| {
                Outcome::Ambiguous {
                    why: "the request was broken off".to_owned(),
                }
            })))
        };
        presence.apart(sending).await
    }

    /// Returns how many steps of a sort a request takes. Asked each time: what an account can do
    /// is known better after the first request.
    fn most(&self, sort: Sort) -> usize {
        if sort.1 == ALONE {
            return 1;
        }
        let capabilities = self.adapter.capabilities();
        let step = capabilities.step(sort.0);
        step.map_or(1, |step| step.batch_max.max(1))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends request after request until nothing of the sort waits, or others see to it.
    async fn drain(self: Arc<Self>, sort: Sort) {
        let mut turn = Turn {
            batcher: &self,
            sort,
            broken_off: true,
        };
        loop {
            let most = self.most(sort);
            self.gather(sort, most).await;
            let batch = self.take(sort, most);
            if batch.is_empty() {
                turn.broken_off = false;
                return;
            }
            self.request(batch).await;
        }
    }

    /// Has the chosen ones write their intents, and sends those that did.
    async fn request(&self, batch: Vec<Waiting>) {
        let asked = batch.into_iter().filter_map(|one| {
            let (command, intended) = oneshot::channel();
            let (answer, answered) = oneshot::channel();
            let place = Place {
                command,
                answer: answered,
            };
            // The work was given up meanwhile.
            one.chosen.send(place).ok()?;
            Some(async move { Some((one.key, intended.await.ok()?, answer)) })
        });
        let chosen = join_all(asked).await.into_iter().flatten();
        let (mut keys, mut commands, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for (key, command, answer) in chosen {
            keys.push(key);
            commands.push(command);
            answers.push(answer);
        }
        if commands.is_empty() {
            return;
        }
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

    /// Takes the next request's steps; none where nothing waits, or where it fills no request and
    /// another one is on its way: then this one's turn is over.
    fn take(&self, sort: Sort, most: usize) -> Vec<Waiting> {
        let mut state = self.state();
        let Some(queue) = state.queues.get_mut(&sort) else {
            return Vec::new();
        };
        queue.waiting.retain(|one| !one.chosen.is_closed());
        let company = queue.company(most);
        let mut batch = Vec::new();
        if queue.requests <= 1 || queue.is_full(most) {
            let mut rest = VecDeque::new();
            for one in queue.waiting.drain(..) {
                // Those who are suspected keep to themselves: who has nothing to do with it would
                // only share their lot.
                if batch.len() < company && one.company_max.min(most) == company {
                    batch.push(one);
                } else {
                    rest.push_back(one);
                }
            }
            queue.waiting = rest;
        }
        if batch.is_empty() {
            queue.requests = queue.requests.saturating_sub(1);
        }
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
            // Whoever waits is told by the end of its channel, and begins anew.
            queue.waiting.clear();
            queue.requests = queue.requests.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

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
        /// Requests on their way: now, and the most ever.
        at_once: Mutex<(usize, usize)>,
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
                    calls: Default::default(),
                },
                requests: Mutex::default(),
                at_once: Mutex::default(),
            })
        }

        fn most_at_once(&self) -> usize {
            self.at_once.lock().expect("no panic").1
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
            {
                let mut at_once = self.at_once.lock().expect("no panic");
                at_once.0 += 1;
                at_once.1 = at_once.1.max(at_once.0);
            }
            async move {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                self.at_once.lock().expect("no panic").0 -= 1;
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
                fields: Vec::new(),
                template: None,
            }),
            kind: None,
            phase: crate::model::communication::Phase::Ended,
            first_sent_at: Timestamp::default(),
        }
    }

    /// Sends a step whose intent is written at once.
    async fn send(batcher: &Arc<Batcher>, role: &str, presence: &Presence) -> Outcome<StepResult> {
        let command = command(role);
        let (key, effect) = (command.key.clone(), command.effect.clone());
        let intend = async { Ok::<_, Infallible>(Some(command)) };
        let Ok(outcome) = batcher.send(key, &effect, presence, intend).await;
        outcome.expect("it was to be sent")
    }

    /// Sends steps of these roles at one moment; returns what each came to.
    async fn send_all(batcher: &Arc<Batcher>, roles: &[String]) -> Vec<Outcome<StepResult>> {
        let here: Vec<Presence> = roles.iter().map(|_| Presence::new(batcher)).collect();
        let sending = roles.iter().zip(&here);
        join_all(sending.map(|(role, presence)| send(batcher, role, presence))).await
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
            send(&batcher, "c", &slow).await
        });
        assert!(matches!(late, Outcome::Done(_)));
        assert_eq!(adapter.requests(), [1, 2]);
        // One that is long in coming is not waited for.
        let began = tokio::time::Instant::now();
        send_all(&batcher, &["d".to_owned()]).await;
        assert_eq!(began.elapsed(), GATHER_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_is_chosen_writes_an_intent_and_who_is_given_up_is_passed_over() {
        let adapter = Picky::new("bad");
        let batcher = Batcher::new(Arc::clone(&adapter) as Arc<dyn Adapter>);
        let intents = Cell::new(0);
        let step = async |role: &str, goes: bool| {
            let presence = Presence::new(&batcher);
            let command = command(role);
            let (key, effect) = (command.key.clone(), command.effect.clone());
            let intend = async {
                intents.set(intents.get() + 1);
                Ok::<_, Infallible>(goes.then_some(command))
            };
            batcher.send(key, &effect, &presence, intend).await
        };
        let given_up = step("a", true);
        assert!(given_up.now_or_never().is_none(), "it waits");
        assert_eq!(intents.get(), 0);
        let (declined, sent) = tokio::join!(step("b", false), step("c", true));
        assert_eq!(declined, Ok(None));
        assert!(matches!(sent, Ok(Some(Outcome::Done(_)))));
        assert_eq!(adapter.requests(), [1]);
        assert_eq!(intents.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_has_several_requests_on_their_way_and_the_rest_goes_together() {
        let adapter = Picky::new("bad");
        let batcher = Batcher::new(Arc::clone(&adapter) as Arc<dyn Adapter>);
        let roles: Vec<String> = (0..170).map(|n: u32| n.to_string()).collect();
        send_all(&batcher, &roles).await;
        assert_eq!(adapter.requests(), [50, 50, 50, 20]);
        assert_eq!(adapter.most_at_once(), 3);
    }
}
