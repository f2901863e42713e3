//! Sends hooks: each waits two seconds for an answer, failures are repeated by the table, and a
//! destination that keeps failing is switched off (crm/amocrm.md §14).

use std::time::Duration;

use tokio::time::Instant;

use super::handle::AmoHandle;
use super::hook_queue::Delivery;
use super::world::World;

/// How long a destination may take.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// Failures are remembered so long.
const FAILURE_MEMORY: Duration = Duration::from_secs(2 * 3_600);
/// More failures than this within the memory switch a destination off.
const FAILURES_MAX: usize = 100;
/// How long to sleep when nothing waits; a new hook wakes the sender earlier.
const IDLE: Duration = Duration::from_secs(60);

/// Sends hooks until dropped.
pub(super) async fn deliver_hooks(lab: AmoHandle) {
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no client for hooks; none will be sent");
            return std::future::pending().await;
        }
    };
    loop {
        let due = lab.world().hook_queue.take_due(Instant::now());
        if let Some(delivery) = due {
            let code = send(&client, &delivery).await;
            let minute = lab.shared.options.hook_minute;
            lab.world()
                .settle_hook(delivery, code, minute, Instant::now());
            continue;
        }
        let next = lab.world().hook_queue.next_due();
        let wait = next.map_or(IDLE, |due| due.saturating_duration_since(Instant::now()));
        // The notice is kept when it comes before the wait begins, so no hook is overlooked.
        let _ = tokio::time::timeout(wait, lab.shared.hooks_waiting.notified()).await;
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    // Refused when the process chose a provider before; then that one is good too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(ANSWER_WAIT).build()
}

/// Returns the status, or 0 without an answer in time.
async fn send(client: &reqwest::Client, delivery: &Delivery) -> u16 {
    let request = client
        .post(&delivery.destination)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("User-Agent", "amoCRM-Webhooks/3.0")
        .body(delivery.body.clone());
    match request.send().await {
        Ok(response) => response.status().as_u16(),
        Err(error) if error.is_timeout() => 499,
        Err(_) => 0,
    }
}

impl World {
    /// Takes down how a delivery ended.
    pub(super) fn settle_hook(
        &mut self,
        delivery: Delivery,
        code: u16,
        minute: Duration,
        now: Instant,
    ) {
        if (100..300).contains(&code) {
            self.hook_queue.delivered += 1;
            return;
        }
        let hook = self
            .hooks
            .iter_mut()
            .find(|hook| hook.id == delivery.hook_id);
        let Some(hook) = hook else {
            self.hook_queue.lost += 1;
            return;
        };
        hook.failures
            .retain(|at| now.saturating_duration_since(*at) < FAILURE_MEMORY);
        hook.failures.push(now);
        if hook.failures.len() > FAILURES_MAX {
            hook.disabled = true;
        }
        if hook.disabled {
            self.hook_queue.lost += 1;
        } else {
            self.hook_queue.retry(delivery, code, minute, now);
        }
    }
}
