//! Puts ready steps of one kind from many lanes into one request, where the CRM takes several.
//!
//! A step is sent at once while nothing of its kind is on its way; what comes meanwhile goes
//! together in the next request. So a quiet account loses no time, and a backlog fills requests
//! up to the adapter's bound. Each step has its own outcome: a neighbour that is refused does not
//! fail it, and one that was sent before goes alone, so that a request which the CRM refuses
//! without saying why is not repeated for ever.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::crm::{Adapter, StepCommand};
use crate::model::outcome::{Outcome, StepResult};
use crate::model::plan::StepKind;

/// Whether a step may share a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// It may.
    Shared,
    /// It was sent before: it goes alone.
    Alone,
}

struct Waiting {
    command: StepCommand,
    company: Company,
    answer: oneshot::Sender<Outcome<StepResult>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// A request of this kind is on its way.
    busy: bool,
}

/// The batcher of one account. Its queues hold no more than the works that integrations have
/// under way, which are bounded.
pub struct Batcher {
    adapter: Arc<dyn Adapter>,
    queues: Mutex<HashMap<StepKind, Queue>>,
}

impl Batcher {
    /// Makes the batcher of an account.
    pub fn new(adapter: Arc<dyn Adapter>) -> Arc<Self> {
        Arc::new(Self {
            adapter,
            queues: Mutex::default(),
        })
    }

    /// Sends a step, perhaps with others; returns its own outcome.
    pub(super) async fn send(
        self: &Arc<Self>,
        command: StepCommand,
        company: Company,
    ) -> Outcome<StepResult> {
        let kind = command.effect.kind();
        let (answer, answered) = oneshot::channel();
        let idle = {
            let mut queues = self.queues();
            let queue = queues.entry(kind).or_default();
            queue.waiting.push_back(Waiting {
                command,
                company,
                answer,
            });
            !std::mem::replace(&mut queue.busy, true)
        };
        if idle {
            // A task of its own: the request goes on when the work that began it is given up.
            tokio::spawn(Arc::clone(self).drain(kind));
        }
        match answered.await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Ambiguous {
                why: "the request was broken off".to_owned(),
            },
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<StepKind, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends request after request until nothing of the kind waits.
    async fn drain(self: Arc<Self>, kind: StepKind) {
        let mut turn = Turn {
            batcher: &self,
            kind,
            broken_off: true,
        };
        let most = self
            .adapter
            .capabilities()
            .step(kind)
            .map_or(1, |step| step.batch_max.max(1));
        loop {
            let batch = self.take(kind, most);
            if batch.is_empty() {
                turn.broken_off = false;
                return;
            }
            let (commands, answers): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|one| (one.command, one.answer))
                .unzip();
            let mut outcomes = self.adapter.execute(commands).await.into_iter();
            for answer in answers {
                let outcome = outcomes.next().unwrap_or_else(|| Outcome::Ambiguous {
                    why: "the adapter gave no answer for it".to_owned(),
                });
                // The work was given up meanwhile: its next life looks for the effect.
                let _ = answer.send(outcome);
            }
        }
    }

    /// Takes the next request's steps; marks the kind as idle when there are none.
    fn take(&self, kind: StepKind, most: usize) -> Vec<Waiting> {
        let mut queues = self.queues();
        let Some(queue) = queues.get_mut(&kind) else {
            return Vec::new();
        };
        let mut batch: Vec<Waiting> = Vec::new();
        while batch.len() < most {
            match queue.waiting.front() {
                Some(next) if next.company == Company::Alone && !batch.is_empty() => break,
                Some(_) => batch.extend(queue.waiting.pop_front()),
                None => break,
            }
            if batch
                .last()
                .is_some_and(|one| one.company == Company::Alone)
            {
                break;
            }
        }
        queue.busy = !batch.is_empty();
        batch
    }
}

/// Gives the kind free again when its task breaks off (the adapter panicked): the next step of
/// the kind must find nobody busy.
struct Turn<'a> {
    batcher: &'a Arc<Batcher>,
    kind: StepKind,
    broken_off: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.broken_off {
            return;
        }
        let mut queues = self.batcher.queues();
        if let Some(queue) = queues.get_mut(&self.kind) {
            // Whoever waits is told by its answer's end, looks, and begins anew.
            queue.waiting.clear();
            queue.busy = false;
        }
    }
}
