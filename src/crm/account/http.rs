//! Requests to one account: paced by the limiter, held back by the breaker, and told apart by
//! what is known about their effect. Knows no CRM and no credential; repeats nothing by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::super::Class;
use super::breaker::{Admission, Breaker, BreakerState};
use super::classify::{self, Failure, Happened, Health, Judgement, Purpose};
use super::limiter::{Limiter, LimiterOptions, NoTurn};
use super::manners::Manners;
use super::status::{AccountStatus, Held, HeldCause, LastError};
use super::transport::{
    Elsewhere, FilePost, Header, HttpSetupError, Method, Performed, Request, Response, Transport,
};
use crate::clock::SharedClock;
use crate::model::ids::PortalKey;
use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome};
use crate::model::timestamp::Timestamp;

/// What a door is made of.
#[derive(Clone)]
pub struct AccountHttpOptions {
    /// The portal, for status and logs.
    pub portal: PortalKey,
    /// Where requests go: scheme, host, perhaps a port and a path.
    pub base_url: String,
    /// Requests a second that we allow ourselves.
    pub rate_per_second: f64,
    /// Most requests that the CRM permits in any sliding second; `None` = one more than the rate.
    pub per_second_max: Option<u32>,
    /// How long nothing is sent at first. A daemon gives a second: the process before it may have
    /// used up the CRM's window just before it ended.
    pub quiet_start: Duration,
    /// The time of day.
    pub clock: SharedClock,
}

/// The door of one account. Adapters and integrations of one portal share it.
pub struct AccountHttp {
    portal: PortalKey,
    transport: Transport,
    clock: SharedClock,
    manners: Manners,
    limiter: Limiter,
    state: Mutex<State>,
    blocks: watch::Sender<Option<Held>>,
    observed: AtomicBool,
}

/// What is known of a request besides what it says.
struct Told {
    class: Class,
    purpose: Purpose,
    method: Method,
    path: String,
}

#[derive(Default)]
struct State {
    breaker: Breaker,
    held: Option<Held>,
    last_error: Option<LastError>,
    last_success_at: Option<Timestamp>,
    requests_total: u64,
    throttled_total: u64,
    failed_total: u64,
}

impl AccountHttp {
    /// Builds the door of an account; connects to nothing.
    pub fn new(options: AccountHttpOptions) -> Result<Self, HttpSetupError> {
        let transport = Transport::new(&options.base_url)?;
        let rate = options.rate_per_second;
        let window_max = match options.per_second_max {
            Some(max) => usize::try_from(max).unwrap_or(usize::MAX),
            // A float converts with saturation; nonsense gives a window of one.
            None => (rate.floor() as usize).saturating_add(1),
        };
        Ok(Self {
            portal: options.portal,
            transport,
            clock: options.clock,
            manners: Manners::default(),
            limiter: Limiter::new(LimiterOptions {
                rate_per_second: rate,
                window_max,
                quiet_start: options.quiet_start,
            }),
            state: Mutex::new(State::default()),
            blocks: watch::Sender::new(None),
            observed: AtomicBool::new(false),
        })
    }

    /// Keeps to the ways of a CRM.
    #[must_use]
    pub fn with_manners(mut self, manners: Manners) -> Self {
        self.manners = manners;
        self.limiter = self.limiter.with_burst(manners.burst);
        self.transport.keep_to(manners);
        self
    }

    /// Sets whether the portal is only observed: none of its integrations is on.
    pub fn set_observed(&self, observed: bool) {
        self.observed.store(observed, Ordering::Release);
    }

    /// Says whether the portal is only observed: an adapter then sets nothing up there. Steps do
    /// not come this far.
    pub fn is_observed(&self) -> bool {
        self.observed.load(Ordering::Acquire)
    }

    /// Sends a request when its turn comes. `Done` is an answer that the adapter must read:
    /// success, or a refusal other than 401, 402, 408, 429, 5xx and a 403 that is not JSON.
    pub async fn send(&self, request: Request) -> Outcome<Response> {
        self.send_where(request, None, &[]).await
    }

    /// Sends a request with further headers: a CRM's own way to be told a token.
    pub async fn send_with(&self, request: Request, headers: &[Header]) -> Outcome<Response> {
        self.send_where(request, None, headers).await
    }

    /// Sends a request to another host of the same CRM, in the account's own turn.
    pub async fn send_elsewhere(&self, request: Request, to: Elsewhere) -> Outcome<Response> {
        self.send_where(request, Some(&to), &[]).await
    }

    /// Posts a file when its turn comes, after everything else. The adapter answers for the host
    /// being its CRM's own.
    pub async fn post_file(&self, post: FilePost) -> Outcome<Response> {
        let told = Told {
            class: Class::Background,
            purpose: Purpose::Write,
            method: Method::Post,
            path: post.url.path().to_owned(),
        };
        let now = || self.clock.now();
        self.in_turn(told, self.transport.post_file(post, now))
            .await
    }

    /// Returns where requests go.
    pub fn base_url(&self) -> String {
        self.transport.base_url()
    }

    /// Has requests go to another address from now on: the portal was renamed. The adapter answers
    /// for the host being its CRM's own.
    pub fn move_to(&self, base_url: &str) -> Result<(), HttpSetupError> {
        self.transport.move_to(base_url)
    }

    async fn send_where(
        &self,
        request: Request,
        to: Option<&Elsewhere>,
        headers: &[Header],
    ) -> Outcome<Response> {
        let told = Told {
            class: request.class,
            purpose: request.purpose,
            method: request.method,
            path: request.path.clone(),
        };
        let now = || self.clock.now();
        let performing = self.transport.perform(request, to, headers, now);
        self.in_turn(told, performing).await
    }

    /// Carries a request out when its turn comes, and takes note of what became of it.
    async fn in_turn(
        &self,
        told: Told,
        performing: impl Future<Output = Performed>,
    ) -> Outcome<Response> {
        let Told {
            class,
            purpose,
            method,
            path,
        } = told;
        // Asked twice: at once, so that nobody queues in vain, and again when the turn comes.
        if let Some(refusal) = self.refusal() {
            return Outcome::NotApplied(refusal);
        }
        let permit = match self.limiter.acquire(class).await {
            Ok(permit) => permit,
            Err(no_turn) => {
                return Outcome::NotApplied(NotApplied {
                    cause: NotAppliedCause::Throttled,
                    why: no_turn.to_string(),
                    retry_after: Some(match no_turn {
                        NoTurn::QueueFull => classify::THROTTLED_MIN,
                        NoTurn::Paused { left } => left,
                    }),
                });
            }
        };
        let probe = match self.admit() {
            Ok(probe) => probe,
            Err(refusal) => {
                permit.unused();
                return Outcome::NotApplied(refusal);
            }
        };
        let mut performed = performing.await;
        drop(permit);
        if let Performed::Answered(response) = &mut performed {
            response.status = (self.manners.status)(response.status, &response.body);
        }
        let happened = performed.happened();
        probe.settled();
        if let Performed::Answered(response) = &performed
            && response.status >= 400
        {
            // The query is left out: it holds clients' numbers.
            let request_id = response.request_id.as_deref().unwrap_or("none");
            let status = response.status;
            warn!(portal = %self.portal, ?method, path, status, request_id, "the crm refused a request");
        }
        let judgement = classify::judge(purpose, &happened);
        self.take_note(&happened, &judgement);
        match (judgement, performed) {
            (Judgement::Failed(failure), _) => failure.into_outcome(),
            (Judgement::Answered, Performed::Answered(response)) => Outcome::Done(response),
            // `judge` calls only answers answered; should that change, in doubt ambiguous.
            (Judgement::Answered, Performed::NotSent(why) | Performed::NoAnswer(why)) => {
                Outcome::Ambiguous { why }
            }
        }
    }

    /// Returns what administrators want to know.
    pub fn status(&self) -> AccountStatus {
        let rate_per_second = self.limiter.rate_per_second();
        let waiting = self.limiter.waiting();
        let in_flight = self.limiter.in_flight();
        let state = self.lock();
        AccountStatus {
            portal: self.portal.clone(),
            breaker: state.breaker.state(),
            held: state.held.clone(),
            rate_per_second,
            waiting,
            in_flight,
            last_error: state.last_error.clone(),
            last_success_at: state.last_success_at,
            requests_total: state.requests_total,
            throttled_total: state.throttled_total,
            failed_total: state.failed_total,
        }
    }

    /// Takes over that an earlier process was blocked.
    pub fn still_blocked(&self, held: Held) {
        self.lock().held = Some(held);
    }

    /// Tells of blocks as they come and go, to be kept beyond this process.
    pub fn blocks(&self) -> watch::Receiver<Option<Held>> {
        self.blocks.subscribe()
    }

    /// Returns since when and why the CRM does not serve the account at all: an alarm.
    pub fn blocked(&self) -> Option<Held> {
        self.lock().held.clone()
    }

    /// Opens the door again because a person says that the cause is gone.
    pub fn unblock(&self) {
        let mut state = self.lock();
        state.held = None;
        state.breaker.reset();
        self.blocks.send_replace(None);
        info!(portal = %self.portal, "account opened again by a person");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a request would be refused now without being sent: the account is blocked, or
    /// the breaker is open.
    pub fn refusal(&self) -> Option<NotApplied> {
        self.lock().refusal(Instant::now())
    }

    fn admit(&self) -> Result<Probe<'_>, NotApplied> {
        let mut state = self.lock();
        if state.is_blocked() {
            return Err(state.refused(classify::BLOCKED_RETRY));
        }
        let is_probe = match state.breaker.admit(Instant::now()) {
            Admission::Pass => false,
            Admission::Probe => true,
            Admission::Refused { retry_after } => return Err(state.refused(retry_after)),
        };
        state.requests_total = state.requests_total.saturating_add(1);
        Ok(Probe {
            door: self,
            open: is_probe,
        })
    }

    /// Tells limiter, breaker and status what happened.
    fn take_note(&self, happened: &Happened, judgement: &Judgement) {
        let now = Instant::now();
        let at = self.clock.now();
        if let Some(pause) = classify::pause_asked(happened) {
            warn!(portal = %self.portal, pause_s = pause.as_secs(), "the crm asked for a pause");
            self.limiter.pause(pause);
        }
        let mut state = self.lock();
        match classify::health(happened) {
            Health::Alive => state.breaker.succeeded(),
            Health::Sick => {
                state.breaker.failed(now);
                state.failed_total = state.failed_total.saturating_add(1);
            }
        }
        let failure = match judgement {
            Judgement::Answered => {
                state.last_success_at = Some(at);
                // The answer to a request from before the hold lifts nothing, and a block is lifted
                // by a person only.
                let closed = state.breaker.state() == BreakerState::Closed;
                if state.held.is_some() && closed && !state.is_blocked() {
                    state.held = None;
                    info!(portal = %self.portal, "the crm serves the account again");
                }
                return;
            }
            Judgement::Failed(failure) => failure,
        };
        let why = match failure {
            Failure::NotApplied(not_applied) => {
                let pause = not_applied.retry_after.unwrap_or_default();
                match not_applied.cause {
                    NotAppliedCause::Throttled => {
                        state.throttled_total = state.throttled_total.saturating_add(1);
                        self.limiter.throttled(pause);
                        warn!(portal = %self.portal, pause_s = pause.as_secs(), "crm throttled");
                    }
                    NotAppliedCause::Blocked => {
                        state.hold(HeldCause::Blocked, at, &not_applied.why);
                        self.blocks.send_replace(state.held.clone());
                        error!(portal = %self.portal, "the crm blocked the account: its vendor's support must lift that");
                    }
                    NotAppliedCause::Unpaid => {
                        // A block stands: a person lifts it, and it says the more.
                        if !state.is_blocked() {
                            state.hold(HeldCause::Unpaid, at, &not_applied.why);
                            state.breaker.trip(now, pause);
                        }
                        error!(portal = %self.portal, "the crm account is not paid for");
                    }
                    NotAppliedCause::Unreachable
                    | NotAppliedCause::BreakerOpen
                    | NotAppliedCause::Failed => {}
                }
                &not_applied.why
            }
            Failure::Ambiguous { why } | Failure::AuthExpired { why } => why,
        };
        state.last_error = Some(LastError {
            at,
            why: why.clone(),
        });
    }
}

impl State {
    fn is_blocked(&self) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| held.cause == HeldCause::Blocked)
    }

    fn refusal(&self, now: Instant) -> Option<NotApplied> {
        if self.is_blocked() {
            return Some(self.refused(classify::BLOCKED_RETRY));
        }
        Some(self.refused(self.breaker.refusal(now)?))
    }

    fn hold(&mut self, cause: HeldCause, since: Timestamp, why: &str) {
        // The first moment counts: repeated probes do not make the hold look younger.
        let since = match &self.held {
            Some(held) if held.cause == cause => held.since,
            Some(_) | None => since,
        };
        self.held = Some(Held {
            cause,
            since,
            why: why.to_owned(),
        });
    }

    fn refused(&self, retry_after: Duration) -> NotApplied {
        let (cause, why) = match &self.held {
            Some(held) => match held.cause {
                HeldCause::Blocked => (NotAppliedCause::Blocked, held.why.clone()),
                HeldCause::Unpaid => (NotAppliedCause::Unpaid, held.why.clone()),
            },
            None => (
                NotAppliedCause::BreakerOpen,
                match &self.last_error {
                    Some(last) => format!("not tried, the crm is down: {}", last.why),
                    None => "not tried, the crm is down".to_owned(),
                },
            ),
        };
        NotApplied {
            cause,
            why,
            retry_after: Some(retry_after),
        }
    }
}

/// A request that was let through; tells the breaker when a probe ends without a result.
struct Probe<'a> {
    door: &'a AccountHttp,
    open: bool,
}

impl Probe<'_> {
    fn settled(mut self) {
        self.open = false;
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if self.open {
            self.door.lock().breaker.abandoned(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
