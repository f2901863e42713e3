//! Gathers what many ask at once into batches of fifty commands (`crm/bitrix24.md` §1): steps of
//! every kind, questions about clients and looks share requests, for a request costs the same
//! whatever it carries.
//!
//! ```text
//! bundle -> waits -> chosen with others -> one request -> each bundle gets its own answers
//! ```
//!
//! A bundle holds commands that belong together and may refer to each other. While a request is on
//! its way, the next one gathers; as long as a crowd fills them, several are on their way at once.
//!
//! A request that comes to nothing clear may be one bundle's fault: all that stood in it come back
//! in requests of at most half its size, until the one that spoils them goes alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::command::Command;
use super::refusal::Refusal;
use crate::crm::Class;
use crate::crm::account::classify::{Failure, Purpose};
use crate::model::outcome::{NotAppliedCause, Rejection};

/// Most commands of one request (§1).
pub(super) const COMMANDS_MAX: usize = 50;

/// How long a request that nobody waits for in a hurry gathers: those who ask at once do so within
/// milliseconds.
const GATHER: Duration = Duration::from_millis(15);

/// Requests that are on their way at once while a crowd fills them.
const REQUESTS_MAX: usize = 3;

/// Bundles that are remembered for having stood in a request which came to nothing. Beyond that all
/// are forgotten, which costs a few more such requests.
const SUSPECTS_MAX: usize = 4096;

/// Commands that belong together.
#[derive(Debug, Clone)]
pub(super) struct Bundle {
    /// What it is about, the same at every repeat: who spoils requests is known by it.
    pub(super) name: String,
    pub(super) commands: Vec<Command>,
    /// Whether any of them changes something.
    pub(super) purpose: Purpose,
    pub(super) class: Class,
}

/// What one command came to.
pub(super) type Reply = Result<Answered, Refusal>;

/// The answer to one command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    pub(super) value: serde_json::Value,
    /// Where the next page of a list begins.
    pub(super) next: Option<u64>,
    /// How many a list has.
    pub(super) total: Option<u64>,
}

/// Why a bundle has no answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Unanswered {
    /// It may succeed later, or its effect is unknown.
    Failed(Failure),
    /// The portal refuses the whole request.
    Refused(Rejection),
}

/// Sends a request: returns the replies in the order of the commands.
pub(super) trait Sender: Send + Sync {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Vec<Reply>, Unanswered>>;
}

/// One request: commands with their names.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Name, method and the whole text of each.
    pub(super) commands: Vec<(String, &'static str, String)>,
    pub(super) purpose: Purpose,
    pub(super) class: Class,
}

struct Waiting {
    bundle: Bundle,
    /// The most bundles of a request that it may stand in.
    company_max: usize,
    answer: oneshot::Sender<Result<Vec<Reply>, Unanswered>>,
}

impl Waiting {
    fn is_in_a_hurry(&self) -> bool {
        self.bundle.class == Class::Live
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Requests on their way, or being gathered.
    requests: usize,
    suspects: HashMap<String, usize>,
}

/// The pool of one account.
pub(super) struct Pool {
    sender: Arc<dyn Sender>,
    state: Mutex<State>,
}

impl Pool {
    pub(super) fn new(sender: Arc<dyn Sender>) -> Arc<Self> {
        Arc::new(Self {
            sender,
            state: Mutex::default(),
        })
    }

    /// Sends a bundle, perhaps with others.
    pub(super) async fn ask(self: &Arc<Self>, bundle: Bundle) -> Result<Vec<Reply>, Unanswered> {
        if bundle.commands.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, answered) = oneshot::channel();
        let in_a_hurry = bundle.class == Class::Live;
        let begins = {
            let mut state = self.state();
            let suspect = state.suspects.get(&bundle.name).copied();
            let one = Waiting {
                bundle,
                company_max: suspect.unwrap_or(usize::MAX),
                answer,
            };
            match in_a_hurry {
                true => state.waiting.push_front(one),
                false => state.waiting.push_back(one),
            }
            let begins = match state.requests {
                0 => true,
                some => some < REQUESTS_MAX && (in_a_hurry || state.is_full()),
            };
            state.requests = state.requests.saturating_add(usize::from(begins));
            begins
        };
        if begins {
            // A task of its own: the request goes on when the one who began it gives up.
            tokio::spawn(Arc::clone(self).drain(in_a_hurry));
        }
        answered.await.unwrap_or_else(|_| {
            Err(Unanswered::Failed(Failure::Ambiguous {
                why: "the request was broken off".to_owned(),
            }))
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends request after request until nothing waits, or others see to it.
    async fn drain(self: Arc<Self>, mut in_a_hurry: bool) {
        let mut turn = Turn {
            pool: &self,
            broken_off: true,
        };
        loop {
            let gather = !in_a_hurry && !self.state().is_full();
            if gather {
                tokio::time::sleep(GATHER).await;
            }
            let batch = self.take(in_a_hurry);
            if batch.is_empty() {
                turn.broken_off = false;
                return;
            }
            self.request(batch).await;
            in_a_hurry = false;
        }
    }

    /// Takes the bundles of the next request; none where nothing waits, or where they fill no
    /// request and another is on its way: then this turn is over.
    fn take(&self, in_a_hurry: bool) -> Vec<Waiting> {
        let mut state = self.state();
        state.waiting.retain(|one| !one.answer.is_closed());
        let mut batch: Vec<Waiting> = Vec::new();
        if state.requests <= 1 || in_a_hurry || state.is_full() {
            let first = state.waiting.front();
            let company = first.map_or(0, |one| one.company_max);
            // What is in a hurry does not wait for fifty slow commands of others.
            let hurry = first.is_some_and(Waiting::is_in_a_hurry);
            let (mut commands, mut rest) = (0_usize, VecDeque::new());
            for one in state.waiting.drain(..) {
                let size = one.bundle.commands.len();
                // A bundle larger than a request goes alone, and the portal says what it thinks.
                let fits = commands.saturating_add(size) <= COMMANDS_MAX || batch.is_empty();
                // Those who are suspected keep to themselves.
                let alike = one.company_max == company && one.is_in_a_hurry() == hurry;
                if fits && batch.len() < company && alike {
                    commands = commands.saturating_add(size);
                    batch.push(one);
                } else {
                    rest.push_back(one);
                }
            }
            state.waiting = rest;
        }
        if batch.is_empty() {
            state.requests = state.requests.saturating_sub(1);
        }
        batch
    }

    async fn request(&self, batch: Vec<Waiting>) {
        let mut commands = Vec::new();
        let (mut purpose, mut class) = (Purpose::Read, Class::Background);
        for one in &batch {
            let first = commands.len();
            for command in &one.bundle.commands {
                let name = name_of(commands.len());
                let text = command.written(|n| name_of(first.saturating_add(n)));
                commands.push((name, command.method, text));
            }
            if one.bundle.purpose == Purpose::Write {
                purpose = Purpose::Write;
            }
            class = class.min(one.bundle.class);
        }
        let request = Request {
            commands,
            purpose,
            class,
        };
        let answer = self.sender.send(request).await;
        self.state().suspect(&batch, &answer);
        match answer {
            Ok(replies) => {
                let mut replies = replies.into_iter();
                for one in batch {
                    let own = replies.by_ref().take(one.bundle.commands.len()).collect();
                    // Whoever asked has gone: a step's next life looks for its effect.
                    drop(one.answer.send(Ok(own)));
                }
            }
            Err(unanswered) => {
                let unanswered = match unanswered {
                    Unanswered::Refused(rejection) if batch.len() > 1 => {
                        not_all_of_them(&rejection)
                    }
                    other => other,
                };
                for one in batch {
                    let own = for_purpose(unanswered.clone(), one.bundle.purpose);
                    drop(one.answer.send(Err(own)));
                }
            }
        }
    }
}

/// Names a command by its place. They are carried out in the order of the names in the request,
/// which are sorted on the way there.
fn name_of(place: usize) -> String {
    format!("c{place:03}")
}

/// A request of many that is refused as a whole says nothing against any one of them: they are
/// asked again, apart.
fn not_all_of_them(rejection: &Rejection) -> Unanswered {
    let why = format!(
        "the portal refused the whole request: {} {}",
        rejection.code, rejection.message
    );
    Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None))
}

/// What is unclear of a request that changed something has merely failed for who only read.
fn for_purpose(unanswered: Unanswered, purpose: Purpose) -> Unanswered {
    match (unanswered, purpose) {
        (Unanswered::Failed(Failure::Ambiguous { why }), Purpose::Read) => {
            let failed = Failure::not_applied(NotAppliedCause::Failed, why, None);
            Unanswered::Failed(failed)
        }
        (unanswered, Purpose::Read | Purpose::Write) => unanswered,
    }
}

impl State {
    fn is_full(&self) -> bool {
        let Some(first) = self.waiting.front() else {
            return false;
        };
        let alike = || {
            let mut waiting = self.waiting.iter();
            std::iter::from_fn(move || waiting.find(|one| one.company_max == first.company_max))
        };
        let commands: usize = alike().map(|one| one.bundle.commands.len()).sum();
        commands >= COMMANDS_MAX || alike().count() >= first.company_max
    }

    /// Remembers who stood in a request that came to nothing clear, and forgets whose outcome is
    /// known.
    fn suspect(&mut self, batch: &[Waiting], answer: &Result<Vec<Reply>, Unanswered>) {
        let half = (batch.len() / 2).max(1);
        for one in batch {
            let spoiled = match answer {
                Ok(_) => false,
                Err(Unanswered::Refused(_)) => batch.len() > 1,
                Err(Unanswered::Failed(Failure::Ambiguous { .. })) => true,
                Err(Unanswered::Failed(Failure::NotApplied(not_applied))) => {
                    not_applied.cause == NotAppliedCause::Failed
                }
                Err(Unanswered::Failed(Failure::AuthExpired { .. })) => continue,
            };
            if !spoiled {
                if answer.is_ok() {
                    self.suspects.remove(&one.bundle.name);
                }
                continue;
            }
            if self.suspects.len() >= SUSPECTS_MAX {
                self.suspects.clear();
            }
            self.suspects.insert(one.bundle.name.clone(), half);
        }
    }
}

/// Gives the turn back when its task breaks off: the next bundle must find nobody busy.
struct Turn<'a> {
    pool: &'a Arc<Pool>,
    broken_off: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.broken_off {
            let mut state = self.pool.state();
            // Whoever waits is told by the end of its channel.
            state.waiting.clear();
            state.requests = state.requests.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use serde_json::json;

    use super::*;

    /// Answers everything with its own text; breaks on every request with the bad command.
    #[derive(Default)]
    struct Echo {
        requests: Mutex<Vec<Vec<String>>>,
        bad: Option<&'static str>,
    }

    impl Sender for Echo {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Vec<Reply>, Unanswered>> {
            async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let texts: Vec<String> = request.commands.into_iter().map(|c| c.2).collect();
                let spoiled = self
                    .bad
                    .is_some_and(|bad| texts.iter().any(|t| t.contains(bad)));
                self.requests.lock().expect("no panic").push(texts.clone());
                if spoiled {
                    let why = "HTTP 500".to_owned();
                    return Err(Unanswered::Failed(Failure::Ambiguous { why }));
                }
                let answered = |text: String| Answered {
                    value: json!(text),
                    next: None,
                    total: None,
                };
                Ok(texts.into_iter().map(|text| Ok(answered(text))).collect())
            }
            .boxed()
        }
    }

    fn bundle(name: &str, commands: usize) -> Bundle {
        let one = |n| Command::new("scope", json!({ "of": format!("{name}.{n}") }));
        Bundle {
            name: name.to_owned(),
            commands: (0..commands).map(one).collect(),
            purpose: Purpose::Write,
            class: Class::Work,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_fills_requests_of_fifty_and_everybody_gets_the_own_answers() {
        let echo = Arc::new(Echo::default());
        let pool = Pool::new(echo.clone());
        let asking = (0..200).map(|n| {
            let pool = Arc::clone(&pool);
            async move {
                let name = format!("b{n}");
                let replies = pool.ask(bundle(&name, 2)).await.expect("answers");
                let texts: Vec<_> = replies
                    .into_iter()
                    .map(|r| r.expect("done").value)
                    .collect();
                assert_eq!(
                    texts,
                    [
                        json!(format!("scope?of={name}.0")),
                        json!(format!("scope?of={name}.1"))
                    ]
                );
            }
        });
        join_all(asking).await;
        let requests = echo.requests.lock().expect("no panic");
        assert!(requests.iter().all(|one| one.len() <= COMMANDS_MAX));
        assert_eq!(requests.iter().map(Vec::len).sum::<usize>(), 400);
        assert_eq!(
            requests.len(),
            8,
            "{:?}",
            requests.iter().map(Vec::len).collect::<Vec<_>>()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_in_a_hurry_goes_ahead_of_a_crowd_and_without_it() {
        let echo = Arc::new(Echo::default());
        let pool = Pool::new(echo.clone());
        let crowd = (0..40).map(|n| {
            let pool = Arc::clone(&pool);
            async move { pool.ask(bundle(&format!("b{n}"), 2)).await }
        });
        let card = Bundle {
            class: Class::Live,
            ..bundle("card", 2)
        };
        let (_, shown) = futures_util::join!(join_all(crowd), pool.ask(card));
        assert!(shown.is_ok());
        let requests = echo.requests.lock().expect("no panic");
        let with_card = requests
            .iter()
            .position(|one| one.iter().any(|c| c.contains("card")));
        let with_card = with_card.expect("sent");
        assert!(with_card <= 1, "{requests:?}");
        assert_eq!(requests[with_card].len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_spoils_requests_ends_up_alone() {
        let echo = Arc::new(Echo {
            bad: Some("poison"),
            ..Echo::default()
        });
        let pool = Pool::new(echo.clone());
        let ask = |name: String| {
            let pool = Arc::clone(&pool);
            async move {
                for round in 1..20 {
                    if pool.ask(bundle(&name, 1)).await.is_ok() {
                        return round;
                    }
                }
                20
            }
        };
        let names = (0..49)
            .map(|n| format!("good{n}"))
            .chain(["poison".to_owned()]);
        let rounds = join_all(names.map(ask)).await;
        let (poison, good) = rounds.split_last().expect("fifty");
        assert_eq!(*poison, 20, "never taken");
        assert!(good.iter().all(|round| *round <= 7), "{good:?}");
        let alone = echo.requests.lock().expect("no panic").last().map(Vec::len);
        assert_eq!(alone, Some(1));
    }
}
