//! Sends online events: once, whatever the handler answers (crm/bitrix24.md §4).

use std::collections::VecDeque;
use std::time::Duration;

use super::handle::BitrixHandle;

/// Events that wait at most; a burst of a torture makes some thousands.
const WAITING_MAX: usize = 20_000;
/// How long a handler may take.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// One event on its way to one handler.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) handler: String,
    pub(super) body: String,
}

/// The events that wait, and what became of the others.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    waiting: VecDeque<Delivery>,
    /// Taken by a handler.
    pub(super) delivered: u64,
    /// Refused or not answered; nobody tries again.
    pub(super) lost: u64,
    /// Nothing is sent while this holds.
    pub(super) is_held: bool,
}

impl EventQueue {
    pub(super) fn push(&mut self, delivery: Delivery) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.waiting.push_back(delivery);
    }

    fn take(&mut self) -> Option<Delivery> {
        if self.is_held {
            return None;
        }
        self.waiting.pop_front()
    }
}

/// Sends events until dropped.
pub(super) async fn deliver(lab: BitrixHandle) {
    // Refused when the process chose a provider before; then that one is good too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = match reqwest::Client::builder().timeout(ANSWER_WAIT).build() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no client for events; none will be sent");
            return std::future::pending().await;
        }
    };
    loop {
        let next = lab.world().event_queue.take();
        let Some(delivery) = next else {
            // The notice is kept when it comes before the wait begins.
            lab.shared.events_waiting.notified().await;
            continue;
        };
        let taken = send(&client, delivery).await;
        let mut world = lab.world();
        match taken {
            true => world.event_queue.delivered += 1,
            false => world.event_queue.lost += 1,
        }
    }
}

async fn send(client: &reqwest::Client, delivery: Delivery) -> bool {
    let request = client
        .post(&delivery.handler)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("User-Agent", "Bitrix24 Webhook Engine")
        .body(delivery.body);
    let answer = request.send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}
