//! Says when the next request of an account may leave: evenly paced, no burst, by class.
//!
//! Three rules hold together:
//! - *pace*: requests leave one by one, a fixed interval apart, slower for a while after the CRM
//!   throttled us, not at all while it asked us to wait;
//! - *window*: counting every request as possibly arriving at any moment between its sending and
//!   its answer (or half a second later, whichever comes first), no sliding second ever holds
//!   more than the CRM permits (`crm/amocrm.md` §21.9). The pace alone cannot promise that, for
//!   requests that left evenly may arrive in a bunch. A request counts once, however many steps it carries;
//! - *turns*: a higher class goes first, but each lower class gets a share, so it always moves.
//!
//! It runs on tokio's clock and spawns nothing: those who wait watch each other.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::super::Class;
use crate::sabotage::{self, Promise};

/// Most requests that wait in one class. Callers are few and bounded themselves; a longer queue
/// could not be served within minutes at any permitted rate.
pub const WAITING_MAX: usize = 1024;

/// Most requests under way at once: enough for six a second at a second's latency.
const IN_FLIGHT_MAX: usize = 8;

/// Latest arrival after sending that the window reckons with, where no answer came earlier.
const TRANSIT_MAX: Duration = Duration::from_millis(500);

/// The CRM's window, with one hundredth for its clock's grain.
const WINDOW: Duration = Duration::from_millis(1010);

/// How long the rate stays lowered after a 429; then it doubles, and again, up to the configured.
const LOWERED_FOR: Duration = Duration::from_secs(60);

/// The rate is never lowered below this part of the configured one: work must go on.
const LOWERED_MIN: f64 = 0.25;

/// Longest pause that the CRM may impose and callers still wait in line for. For a longer one they
/// are sent away, to come back when it is over.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many requests of higher classes may pass while one of this class waits.
const PASSED_OVER_MAX: [u32; 3] = [0, 3, 7];

/// The pacing of one account.
pub struct Limiter {
    state: Mutex<State>,
    changed: Notify,
}

/// What a limiter is made of.
#[derive(Debug, Clone, Copy)]
pub struct LimiterOptions {
    /// Requests a second, above zero.
    pub rate_per_second: f64,
    /// Most requests in any sliding second; at least one.
    pub window_max: usize,
    /// How long nothing leaves at first: an earlier process may have used up the window just now.
    pub quiet_start: Duration,
}

struct State {
    rate_base: f64,
    /// Part of the base rate that is used at present.
    lowered: f64,
    lowered_until: Instant,
    window_max: usize,
    /// Requests that may be ahead of the pace.
    burst: u32,
    next_at: Instant,
    paused_until: Instant,
    /// When each recent request surely has arrived; those under way stand here too.
    recent: Vec<Recent>,
    queues: [VecDeque<u64>; 3],
    passed_over: [u32; 3],
    ticket_next: u64,
}

struct Recent {
    ticket: u64,
    arrived_by: Instant,
    under_way: bool,
}

enum Turn {
    Go,
    At(Instant),
    Wait,
    Leave(Duration),
}

/// How many wait, by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// Passing steps and live questions.
    pub live: usize,
    /// New work.
    pub work: usize,
    /// Backfill and sync.
    pub background: usize,
}

/// Why there is no waiting for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTurn {
    /// Too many wait already.
    #[error("{WAITING_MAX} requests of this class wait for their turn already")]
    QueueFull,
    /// The CRM asked for a long pause.
    #[error("the crm asked for a pause, of which {} s are left", left.as_secs())]
    Paused {
        /// What is left of it.
        left: Duration,
    },
}

impl Limiter {
    /// Builds a limiter. A rate that is not a positive number is taken as one a second.
    pub fn new(options: LimiterOptions) -> Self {
        let options = match sabotage::broken(Promise::Limiter) {
            true => LimiterOptions {
                rate_per_second: options.rate_per_second + 1.0,
                window_max: options.window_max + 1,
                ..options
            },
            false => options,
        };
        let now = Instant::now();
        let rate = options.rate_per_second;
        let state = State {
            rate_base: if rate.is_finite() && rate > 0.0 {
                rate
            } else {
                1.0
            },
            lowered: 1.0,
            lowered_until: now,
            window_max: options.window_max.max(1),
            burst: 0,
            next_at: now + options.quiet_start,
            paused_until: now,
            recent: Vec::new(),
            queues: Default::default(),
            passed_over: [0; 3],
            ticket_next: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// Lets so many requests leave ahead of the pace after a quiet time: for a CRM that counts by a
    /// bucket. The lower classes leave a part of it to the higher ones. At first none are: a process
    /// before may have sent them just now, and one before that, too.
    #[must_use]
    pub fn with_burst(self, burst: u32) -> Self {
        {
            let mut state = self.lock();
            state.burst = burst;
            let spent = state.interval().mul_f64(f64::from(burst));
            state.next_at += spent;
        }
        self
    }

    /// Waits for the turn of a request. Dropping the future gives the place up.
    pub async fn acquire(&self, class: Class) -> Result<Permit<'_>, NoTurn> {
        let mut place = Place::join(self, class)?;
        loop {
            let mut changed = pin!(self.changed.notified());
            // Interest first, then the look: a change in between is not missed.
            changed.as_mut().enable();
            let turn = self.lock().turn(class, place.ticket, Instant::now());
            match turn {
                Turn::Go => {
                    place.served = true;
                    return Ok(Permit {
                        limiter: self,
                        ticket: place.ticket,
                    });
                }
                Turn::At(when) => {
                    tokio::select! {
                        () = sleep_until(when) => {}
                        () = changed => {}
                    }
                }
                Turn::Wait => changed.await,
                Turn::Leave(left) => return Err(NoTurn::Paused { left }),
            }
        }
    }

    /// The CRM said "too many": waits, then goes on more slowly for a while.
    pub fn throttled(&self, pause: Duration) {
        let now = Instant::now();
        let mut state = self.lock();
        state.recover(now);
        state.paused_until = state.paused_until.max(now + pause);
        state.lowered = (state.lowered / 2.0).max(LOWERED_MIN);
        state.lowered_until = state.paused_until + LOWERED_FOR;
        drop(state);
        self.changed.notify_waiters();
    }

    /// The CRM asked for a pause without complaining of our rate: waits.
    pub fn pause(&self, pause: Duration) {
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(Instant::now() + pause);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Returns the rate at present.
    pub fn rate_per_second(&self) -> f64 {
        let mut state = self.lock();
        state.recover(Instant::now());
        state.rate_base * state.lowered
    }

    /// Returns how many wait.
    pub fn waiting(&self) -> Waiting {
        let state = self.lock();
        let [live, work, background] = &state.queues;
        Waiting {
            live: live.len(),
            work: work.len(),
            background: background.len(),
        }
    }

    /// Returns how many are under way.
    pub fn in_flight(&self) -> usize {
        self.lock().under_way()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue; left on drop.
struct Place<'a> {
    limiter: &'a Limiter,
    class: Class,
    ticket: u64,
    served: bool,
}

impl<'a> Place<'a> {
    fn join(limiter: &'a Limiter, class: Class) -> Result<Self, NoTurn> {
        let mut state = limiter.lock();
        let ticket = state.ticket_next;
        let queue = state.queue(class);
        if queue.len() >= WAITING_MAX {
            return Err(NoTurn::QueueFull);
        }
        queue.push_back(ticket);
        state.ticket_next = ticket.wrapping_add(1);
        drop(state);
        // Somebody of a lower class may have to stand back.
        limiter.changed.notify_waiters();
        Ok(Self {
            limiter,
            class,
            ticket,
            served: false,
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.served {
            let ticket = self.ticket;
            self.limiter
                .lock()
                .queue(self.class)
                .retain(|waiting| *waiting != ticket);
        }
        self.limiter.changed.notify_waiters();
    }
}

/// Leave to send one request, from now until it is dropped at the answer.
#[must_use]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    ticket: u64,
}

impl Permit<'_> {
    /// Gives the leave back: nothing was sent.
    pub fn unused(self) {
        let mut state = self.limiter.lock();
        state.recent.retain(|recent| recent.ticket != self.ticket);
        state.next_at = state.next_at.min(Instant::now());
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.limiter.lock();
        for recent in &mut state.recent {
            if recent.ticket == self.ticket {
                recent.under_way = false;
                recent.arrived_by = recent.arrived_by.min(now);
            }
        }
        drop(state);
        self.limiter.changed.notify_waiters();
    }
}

impl State {
    fn queue(&mut self, class: Class) -> &mut VecDeque<u64> {
        let [live, work, background] = &mut self.queues;
        match class {
            Class::Live => live,
            Class::Work => work,
            Class::Background => background,
        }
    }

    fn under_way(&self) -> usize {
        self.recent.iter().filter(|recent| recent.under_way).count()
    }

    /// Ends the lowering step by step once its time is over.
    fn recover(&mut self, now: Instant) {
        while self.lowered < 1.0 && now >= self.lowered_until {
            self.lowered = (self.lowered * 2.0).min(1.0);
            self.lowered_until += LOWERED_FOR;
        }
    }

    /// Says whether the holder of a ticket may go, and takes its place if so.
    fn turn(&mut self, class: Class, ticket: u64, now: Instant) -> Turn {
        let pause = self.paused_until.saturating_duration_since(now);
        if pause > PATIENCE {
            return Turn::Leave(pause);
        }
        if self.class_next() != Some(class) || self.queue(class).front() != Some(&ticket) {
            return Turn::Wait;
        }
        self.recent
            .retain(|recent| recent.under_way || recent.arrived_by + WINDOW > now);
        let paced = self.next_at.checked_sub(self.ahead(class));
        let earliest = paced.unwrap_or(now).max(self.paused_until);
        if now < earliest {
            return Turn::At(earliest);
        }
        if self.under_way() >= IN_FLIGHT_MAX {
            return Turn::Wait;
        }
        if let Some(room_at) = self.window_room_at(now) {
            return Turn::At(room_at);
        }
        self.go(class, ticket, now);
        Turn::Go
    }

    /// Returns when the window has room, where it has none now.
    fn window_room_at(&self, now: Instant) -> Option<Instant> {
        let mut leaves: Vec<Instant> = self
            .recent
            .iter()
            .map(|recent| recent.arrived_by + WINDOW)
            .filter(|leaves| *leaves > now)
            .collect();
        let over = leaves.len().checked_sub(self.window_max)?;
        leaves.sort_unstable();
        leaves.get(over).copied()
    }

    fn go(&mut self, class: Class, ticket: u64, now: Instant) {
        self.recover(now);
        self.queue(class).pop_front();
        for lower in [Class::Work, Class::Background] {
            let index = lower as usize;
            if lower == class || self.queue(lower).is_empty() {
                self.passed_over[index] = 0;
            } else {
                self.passed_over[index] = self.passed_over[index].saturating_add(1);
            }
        }
        let interval = self.interval();
        if self.burst > 0 {
            self.next_at = self.next_at.max(now) + interval;
            return self.sent(ticket, now);
        }
        // A timer that woke us late is made up for by a tenth at the most: on average the full
        // rate, never a burst.
        self.next_at = (self.next_at + interval).max(now + interval.mul_f64(0.9));
        self.sent(ticket, now);
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / (self.rate_base * self.lowered))
    }

    /// Returns how far ahead of the pace a class may be. Whoever was throttled is not ahead.
    fn ahead(&self, class: Class) -> Duration {
        if self.burst == 0 || self.lowered < 1.0 {
            return Duration::ZERO;
        }
        let part = match class {
            Class::Live => 1.0,
            Class::Work => 0.75,
            Class::Background => 0.25,
        };
        // One less: who is on time uses one, too.
        self.interval()
            .mul_f64((f64::from(self.burst) * part - 1.0).max(0.0))
    }

    fn sent(&mut self, ticket: u64, now: Instant) {
        self.recent.push(Recent {
            ticket,
            arrived_by: now + TRANSIT_MAX,
            under_way: true,
        });
    }

    /// Says whose turn it is: the lowest class that was passed over long enough, else the highest
    /// that waits.
    fn class_next(&self) -> Option<Class> {
        let [live, work, background] = &self.queues;
        let [_, work_max, background_max] = PASSED_OVER_MAX;
        let [_, work_passed, background_passed] = self.passed_over;
        if !background.is_empty() && background_passed >= background_max {
            Some(Class::Background)
        } else if !work.is_empty() && work_passed >= work_max {
            Some(Class::Work)
        } else if !live.is_empty() {
            Some(Class::Live)
        } else if !work.is_empty() {
            Some(Class::Work)
        } else if !background.is_empty() {
            Some(Class::Background)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
