//! Hooks that wait for delivery, and when a failed one is tried again (crm/amocrm.md §14). What
//! is in a hook is made in `hooks`; who sends it is `delivery`.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::lab::fault::mix;

/// Hooks that wait at most; a burst of a torture run makes some thousands.
const WAITING_MAX: usize = 20_000;
/// Attempts of one hook.
const ATTEMPTS_MAX: u32 = 5;

/// One hook on its way to one destination.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) hook_id: u64,
    pub(super) destination: String,
    pub(super) body: String,
    pub(super) attempt: u32,
    pub(super) due: Instant,
}

/// The hooks that wait.
#[derive(Debug, Default)]
pub(super) struct HookQueue {
    waiting: VecDeque<Delivery>,
    pub(super) delivered: u64,
    pub(super) failed_attempts: u64,
    /// Given up, or pushed out by newer ones.
    pub(super) lost: u64,
    /// Of a thousand hooks so many get lost on their way, none knows which.
    pub(super) lost_per_mille: u64,
    pushed: u64,
}

impl HookQueue {
    pub(super) fn push(&mut self, delivery: Delivery) {
        self.pushed += 1;
        if delivery.attempt == 1 && mix(self.pushed) % 1_000 < self.lost_per_mille {
            self.lost += 1;
            return;
        }
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.waiting.push_back(delivery);
    }

    /// Takes the first hook that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Delivery> {
        let index = self.waiting.iter().position(|d| d.due <= now)?;
        self.waiting.remove(index)
    }

    /// Returns when the next hook is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.iter().map(|d| d.due).min()
    }

    /// Puts a failed hook back, to be tried later, or gives it up. `code` is 0 for no answer.
    pub(super) fn retry(
        &mut self,
        mut delivery: Delivery,
        code: u16,
        minute: Duration,
        now: Instant,
    ) {
        self.failed_attempts += 1;
        let server_failed = code == 499 || (500..600).contains(&code);
        let wait = match delivery.attempt {
            1 => Some(5),
            2 => Some(15),
            3 if server_failed => Some(15),
            4 if server_failed => Some(60),
            _ => None,
        };
        match wait.filter(|_| delivery.attempt < ATTEMPTS_MAX) {
            Some(minutes) => {
                delivery.attempt += 1;
                delivery.due = now + minute.saturating_mul(minutes);
                self.push(delivery);
            }
            None => self.lost += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits_of(code: u16) -> Vec<u64> {
        let start = Instant::now();
        let minute = Duration::from_secs(60);
        let mut queue = HookQueue::default();
        let mut delivery = Delivery {
            hook_id: 1,
            destination: String::new(),
            body: String::new(),
            attempt: 1,
            due: start,
        };
        let mut waits = Vec::new();
        loop {
            let now = delivery.due;
            queue.retry(delivery, code, minute, now);
            let Some(due) = queue.next_due() else {
                return waits;
            };
            waits.push((due - now).as_secs() / 60);
            delivery = queue.take_due(due).unwrap();
        }
    }

    #[test]
    fn a_failed_hook_is_tried_again_by_the_table() {
        assert_eq!(waits_of(0), [5, 15]);
        assert_eq!(waits_of(404), [5, 15]);
        assert_eq!(waits_of(502), [5, 15, 15, 60]);
        assert_eq!(waits_of(499), [5, 15, 15, 60]);
    }
}
