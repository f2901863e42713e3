//! A dead neighbour changes nothing for an account: its requests leave at the same moments.
//!
//! The clock is paused and everything runs on one thread, so that moments can be compared to the
//! millisecond: a single wait for the neighbour would show.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use trunkline::crm::account::limiter::{Limiter, LimiterOptions};
use trunkline::crm::{AccountDescription, Adapter, Class, StepCommand};
use trunkline::integration::batcher::Batcher;
use trunkline::model::activity::Activity;
use trunkline::model::capabilities::Capabilities;
use trunkline::model::facts::{Facts, FactsQuery};
use trunkline::model::outcome::{Look, NotApplied, NotAppliedCause, Outcome, StepResult};

use super::crm_double::CrmDouble;
use super::workshop::{Integration, Workshop};
use crate::crash_backend::{CrashDisk, StopAt};

/// Days of each sort that are lived until two are alike; two or three courses are usual.
const COURSES: usize = 10;

/// A CRM behind a limiter of its own, that notes when each request left; or a dead one, each
/// request to which takes as long as a connection that does not come about.
struct Account {
    crm: CrmDouble,
    limiter: Limiter,
    dead: bool,
    left: Mutex<Vec<u128>>,
    began: Instant,
}

impl Account {
    fn new(dead: bool) -> Arc<Self> {
        let limiter = Limiter::new(LimiterOptions {
            rate_per_second: 6.0,
            window_max: 7,
            quiet_start: Duration::ZERO,
        });
        Arc::new(Self {
            crm: CrmDouble::new(),
            limiter,
            dead,
            left: Mutex::default(),
            began: Instant::now(),
        })
    }

    async fn request<T>(&self, answer: impl Future<Output = T>) -> Result<T, ()> {
        let _permit = self
            .limiter
            .acquire(Class::Work)
            .await
            .expect("a short queue");
        let at = self.began.elapsed().as_millis();
        self.left.lock().expect("no panic").push(at);
        if self.dead {
            tokio::time::sleep(Duration::from_secs(5)).await;
            return Err(());
        }
        tokio::time::sleep(Duration::from_millis(120)).await;
        Ok(answer.await)
    }

    fn left(&self) -> Vec<u128> {
        self.left.lock().expect("no panic").clone()
    }
}

fn unreachable_crm<T>() -> Outcome<T> {
    Outcome::NotApplied(NotApplied {
        cause: NotAppliedCause::Unreachable,
        why: "cannot connect".to_owned(),
        retry_after: None,
    })
}

impl Adapter for Account {
    fn capabilities(&self) -> &Capabilities {
        self.crm.capabilities()
    }

    fn describe(&self) -> BoxFuture<'_, Outcome<AccountDescription>> {
        self.crm.describe()
    }

    fn facts(&self, query: FactsQuery, class: Class) -> BoxFuture<'_, Outcome<Facts>> {
        async move {
            let answer = self.request(self.crm.facts(query, class)).await;
            answer.unwrap_or_else(|()| unreachable_crm())
        }
        .boxed()
    }

    fn execute(&self, commands: Vec<StepCommand>) -> BoxFuture<'_, Vec<Outcome<StepResult>>> {
        async move {
            let count = commands.len();
            let answer = self.request(self.crm.execute(commands)).await;
            answer.unwrap_or_else(|()| (0..count).map(|_| unreachable_crm()).collect())
        }
        .boxed()
    }

    fn look(&self, command: StepCommand) -> BoxFuture<'_, Outcome<Look>> {
        self.crm.look(command)
    }
}

fn begin(workshop: &Workshop, name: &str, account: &Arc<Account>) -> Integration {
    let portal = workshop.portal(name);
    let seat = workshop.seat(name, &portal, &account.crm, Activity::On);
    let mut context = (*seat.context()).clone();
    context.adapter = Arc::clone(account) as Arc<dyn Adapter>;
    context.batcher = Batcher::new(Arc::clone(account) as Arc<dyn Adapter>);
    seat.reconfigure(context);
    workshop.begin(seat)
}

/// Takes forty calls of thirty clients within six seconds; returns when requests left, in
/// milliseconds. Which of several clients that are ready at one instant goes first is open.
async fn working_day(with_dead_neighbour: bool) -> Vec<u128> {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let workshop = Workshop::on_disk(disk).expect("opens");
    let account = Account::new(false);
    let sales = begin(&workshop, "sales", &account);
    let neighbour = Account::new(true);
    let service = with_dead_neighbour.then(|| begin(&workshop, "service", &neighbour));
    for n in 0..40 {
        let client = format!("+791612345{:02}", n % 30);
        workshop.call(&format!("{n}.0"), &client).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    workshop
        .idle_within("sales", Duration::from_secs(120))
        .await;
    assert_eq!(neighbour.left().is_empty(), !with_dead_neighbour);
    sales.supervised.stop().await;
    if let Some(service) = service {
        service.supervised.stop().await;
    }
    workshop.store.shut_down().await;
    workshop.thread.finished().await;
    account.left()
}

/// Several clients may be ready at one instant, and which of them goes first decides which steps
/// share a request: a day has a few courses, each of them exact to the millisecond. A neighbour that
/// is waited for would leave no course in common.
#[actix::test]
async fn the_requests_of_an_account_leave_at_the_same_moments_with_and_without_a_dead_neighbour() {
    tokio::time::pause();
    let (mut alone, mut beside_the_dead) = (Vec::new(), Vec::new());
    for _ in 0..COURSES {
        alone.push(working_day(false).await);
        beside_the_dead.push(working_day(true).await);
        assert!(alone.iter().all(|left| left.len() > 60), "{alone:?}");
        if alone.iter().any(|left| beside_the_dead.contains(left)) {
            return;
        }
    }
    panic!("{alone:?}\n{beside_the_dead:?}");
}
