//! What scenarios send to the outside (`crm/planfix.md` §6): a POST for each task that was made or
//! changed and meets the conditions. One at a time for the whole account; anything but a quick 200
//! is a failure, after which nothing is sent for three minutes, and the request is repeated after
//! 15, 30, 60 and 60 minutes.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::handle::PlanfixHandle;
use super::world::{Task, World};
use crate::lab::fault::mix;

/// An answer that takes longer is none.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Pause of the sender between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Minutes without any request after a failure.
const FROZEN_MINUTES: u32 = 3;
/// Minutes before each repeat.
const REPEATS: [u32; 4] = [15, 30, 60, 60];

/// The two scenarios of an object, as a person set them up.
#[derive(Debug, Clone)]
pub struct Scenarios {
    /// Where they post to.
    pub address: String,
    /// The object whose tasks meet the conditions; none = of any.
    pub object: Option<u64>,
    /// What the parameter with the task's number is called.
    pub parameter: String,
    /// As a form, not as JSON: somebody picked the wrong type.
    pub as_form: bool,
    /// The one for tasks that are made is there.
    pub created: bool,
    /// The one for tasks that are changed is there.
    pub changed: bool,
}

impl Scenarios {
    /// As the manual says.
    pub fn by_the_manual(address: &str, object: u64) -> Self {
        Self {
            address: address.to_owned(),
            object: Some(object),
            parameter: "task_id".to_owned(),
            as_form: false,
            created: true,
            changed: true,
        }
    }
}

/// What waits to be sent.
#[derive(Debug)]
struct Delivery {
    task: u64,
    attempt: usize,
    due: Instant,
}

/// What waits, and how it goes.
#[derive(Debug, Default)]
pub(super) struct HookQueue {
    pub(super) scenarios: Option<Scenarios>,
    waiting: VecDeque<Delivery>,
    /// Of a thousand so many get lost on their way.
    pub(super) lost_per_mille: u64,
    /// Of so many one is sent twice; 0 = none.
    pub(super) twice_every: u64,
    /// They are sent in the reverse order.
    pub(super) backwards: bool,
    /// Nothing is sent for now.
    pub(super) held: bool,
    frozen_until: Option<Instant>,
    told: u64,
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) failed: u64,
    pub(super) freezes: u64,
    pub(super) slowest_ms: u64,
}

impl HookQueue {
    fn push(&mut self, task: u64, now: Instant) {
        self.told += 1;
        if mix(self.told) % 1_000 < self.lost_per_mille {
            self.lost += 1;
            return;
        }
        let twice = self.twice_every > 0 && self.told.is_multiple_of(self.twice_every);
        for _ in 0..=u8::from(twice) {
            self.waiting.push_back(Delivery {
                task,
                attempt: 0,
                due: now,
            });
        }
    }

    /// Takes what is due, unless the account is frozen.
    fn take_due(&mut self, now: Instant) -> Option<Delivery> {
        if self.held || self.frozen_until.is_some_and(|until| until > now) {
            return None;
        }
        let mut due = self.waiting.iter();
        let at = match self.backwards {
            false => due.position(|one| one.due <= now),
            true => due.rposition(|one| one.due <= now),
        };
        self.waiting.remove(at?)
    }

    fn settle(&mut self, mut delivery: Delivery, taken: bool, minute: Duration, now: Instant) {
        if taken {
            self.delivered += 1;
            return;
        }
        self.failed += 1;
        self.freezes += 1;
        self.frozen_until = Some(now + minute * FROZEN_MINUTES);
        match REPEATS.get(delivery.attempt) {
            Some(minutes) => {
                delivery.attempt += 1;
                delivery.due = now + minute * *minutes;
                self.waiting.push_back(delivery);
            }
            None => self.lost += 1,
        }
    }

    /// Returns how many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl World {
    /// Lets the scenarios look at a task.
    pub(super) fn tell_of_task(&mut self, task: &Task, is_new: bool) {
        let Some(scenarios) = &self.hooks.scenarios else {
            return;
        };
        let of_object = task.template.is_some()
            && scenarios
                .object
                .is_none_or(|object| task.template == Some(object));
        let is_there = if is_new {
            scenarios.created
        } else {
            scenarios.changed
        };
        if of_object && is_there {
            self.hooks.push(task.id, Instant::now());
        }
    }
}

/// Sends what waits until dropped.
pub(super) async fn deliver(lab: PlanfixHandle) {
    // Refused when the process chose a provider before; then that one is good too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Ok(client) = reqwest::Client::builder().timeout(ANSWER_WAIT).build() else {
        return std::future::pending().await;
    };
    let minute = lab.options().hook_minute;
    loop {
        let next = {
            let mut world = lab.world();
            let due = world.hooks.take_due(Instant::now());
            due.and_then(|due| Some((due, world.hooks.scenarios.clone()?)))
        };
        let Some((delivery, scenarios)) = next else {
            tokio::time::sleep(LOOK_PAUSE).await;
            continue;
        };
        let request = client.post(&scenarios.address);
        let number = delivery.task.to_string();
        let request = match scenarios.as_form {
            true => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair(&scenarios.parameter, &number);
                let kind = "application/x-www-form-urlencoded";
                request.header("Content-Type", kind).body(form.finish())
            }
            false => request.json(&json!({ &*scenarios.parameter: number })),
        };
        let begun = Instant::now();
        let taken = request
            .send()
            .await
            .is_ok_and(|answer| answer.status().as_u16() == 200);
        let now = Instant::now();
        let took = u64::try_from(now.duration_since(begun).as_millis()).unwrap_or(u64::MAX);
        let mut world = lab.world();
        world.hooks.slowest_ms = world.hooks.slowest_ms.max(took);
        world.hooks.settle(delivery, taken, minute, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_failure_freezes_everything_for_three_minutes_and_is_repeated_four_times() {
        let start = Instant::now();
        let mut queue = HookQueue::default();
        queue.push(1, start);
        queue.push(2, start);
        let first = queue.take_due(start).expect("one is due");
        queue.settle(first, false, MINUTE, start);
        assert!(queue.take_due(start + MINUTE).is_none(), "frozen");
        let second = queue.take_due(start + MINUTE * 3).expect("the other one");
        assert_eq!(second.task, 2);
        queue.settle(second, true, MINUTE, start);
        let (mut now, mut waits) = (start, Vec::new());
        while let Some(due) = queue.waiting.front().map(|one| one.due) {
            waits.push((due - now).as_secs() / 60);
            now = due;
            let again = queue.take_due(now).expect("it is due");
            queue.settle(again, false, MINUTE, now);
        }
        assert_eq!(waits, [15, 30, 60, 60]);
        assert_eq!((queue.delivered, queue.lost, queue.freezes), (1, 1, 5));
    }

    #[test]
    fn of_a_thousand_so_many_are_lost() {
        let mut queue = HookQueue {
            lost_per_mille: 200,
            ..HookQueue::default()
        };
        for task in 0..1_000 {
            queue.push(task, Instant::now());
        }
        assert!((150..250).contains(&queue.lost), "{}", queue.lost);
    }
}
