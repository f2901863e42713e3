//! One account's requests leave at the same moments, whatever becomes of its neighbours.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use tokio::time::Instant;

use super::batcher::{Batcher, Company};
use crate::crm::account::limiter::{Limiter, LimiterOptions};
use crate::crm::{AccountDescription, Adapter, Class, StepCommand};
use crate::model::capabilities::{Capabilities, Certainty, StepCapability};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::plan::{Effect, NewDeal, Role, StepKey, StepKind};
use crate::model::timestamp::Timestamp;

/// How the far end of an account behaves.
#[derive(Clone, Copy, PartialEq)]
enum FarEnd {
    /// Answers after a while.
    Answers,
    /// Takes requests and never says anything.
    BlackHole,
}

/// An account with a budget of its own, whose network is a script.
struct Scripted {
    far_end: FarEnd,
    limiter: Limiter,
    capabilities: Capabilities,
    began: Instant,
    sent: Mutex<Vec<(Duration, usize)>>,
}

impl Scripted {
    fn new(far_end: FarEnd) -> Arc<Self> {
        Arc::new(Self {
            far_end,
            limiter: Limiter::new(LimiterOptions {
                rate_per_second: 6.0,
                window_max: 7,
                quiet_start: Duration::ZERO,
            }),
            capabilities: Capabilities {
                steps: vec![StepCapability {
                    kind: StepKind::CreateDeal,
                    certainty: Certainty::ByKey,
                    batch_max: 5,
                }],
                phases: Vec::new(),
            },
            began: Instant::now(),
            sent: Mutex::default(),
        })
    }

    fn sent(&self) -> Vec<(Duration, usize)> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.clone()
    }
}

impl Adapter for Scripted {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
        std::future::pending().boxed()
    }

    fn facts(&self, _: FactsQuery, _: Class) -> BoxFuture<'_, Outcome<Facts>> {
        std::future::pending().boxed()
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        async move {
            let permit = self.limiter.acquire(Class::Work).await.expect("room");
            self.sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((self.began.elapsed(), commands.len()));
            match self.far_end {
                FarEnd::Answers => tokio::time::sleep(Duration::from_millis(130)).await,
                FarEnd::BlackHole => std::future::pending().await,
            }
            drop(permit);
            let done = |_| Outcome::Done(StepResult::default());
            commands.iter().map(done).collect()
        }
        .boxed()
    }

    fn look(&self, _: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        std::future::pending().boxed()
    }
}

fn deal(number: usize) -> StepCommand {
    StepCommand {
        key: StepKey {
            integration: "acme/sales".parse().expect("a key"),
            communication: format!("acme/office/{number}.0").parse().expect("a key"),
            role: Role::new("deal"),
        },
        effect: Effect::CreateDeal(NewDeal {
            name: "a deal".to_owned(),
            pipeline: "1".to_owned(),
            stage: "2".to_owned(),
            contact: None,
            responsible: None,
            tags: Vec::new(),
        }),
        first_sent_at: Timestamp::default(),
    }
}

/// Sends a hundred deals, some at once and some as time goes by.
async fn send_all(batcher: &Arc<Batcher>) {
    join_all((0..100).map(|number| async move {
        tokio::time::sleep(Duration::from_millis(number as u64 / 10 * 170)).await;
        batcher.send(deal(number), Company::Shared).await;
    }))
    .await;
}

/// Returns when the requests of an account leave, beside these neighbours.
async fn requests_beside(neighbours: &[FarEnd]) -> Vec<(Duration, usize)> {
    let account = Scripted::new(FarEnd::Answers);
    let batcher = Batcher::new(account.clone());
    let beside: Vec<_> = neighbours
        .iter()
        .map(|far_end| {
            let neighbour = Batcher::new(Scripted::new(*far_end));
            tokio::spawn(async move { send_all(&neighbour).await })
        })
        .collect();
    send_all(&batcher).await;
    for neighbour in beside {
        neighbour.abort();
    }
    account.sent()
}

#[tokio::test(start_paused = true)]
async fn requests_leave_at_the_same_moments_with_and_without_a_dead_neighbour() {
    let alone = requests_beside(&[]).await;
    assert!(alone.len() > 10, "{alone:?}");
    assert_eq!(alone.iter().map(|(_, steps)| steps).sum::<usize>(), 100);
    for neighbours in [
        vec![FarEnd::BlackHole],
        vec![FarEnd::Answers],
        vec![FarEnd::BlackHole; 5],
    ] {
        assert_eq!(requests_beside(&neighbours).await, alone);
    }
}
