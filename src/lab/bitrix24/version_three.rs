//! The part of REST 3.0 that honours `Idempotency-Key`: a reply is kept for a day, a repeat gets
//! it again and is marked, another body under the same key is refused (crm/bitrix24.md §9). Of
//! the methods only that of tasks is there; cards and calls have no such family yet.

use super::auth::Caller;
use super::exchange::{Incoming, Reply};
use super::refusal::Refusal;
use super::world::World;

/// A reply is kept so long.
const KEPT_S: i64 = 86_400;
/// The longest key.
const KEY_CHARS_MAX: usize = 255;
/// Replies that are kept.
const REPLIES_MAX: usize = 20_000;
/// Methods that this version has.
const METHODS: &[&str] = &["tasks.task.add"];

/// A reply that is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    at: i64,
    body: Vec<u8>,
    reply: Reply,
}

impl World {
    /// Answers under `/rest/api/`; `act` does what the second version does.
    pub(super) fn version_three(
        &mut self,
        incoming: &Incoming,
        method: &str,
        caller: &Caller,
        act: impl FnOnce(&mut Self) -> Reply,
    ) -> Reply {
        if !METHODS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(method))
        {
            return Refusal::no_method().reply();
        }
        let Some(key) = &incoming.idempotency_key else {
            return act(self);
        };
        if key.is_empty() || key.len() > KEY_CHARS_MAX || !key.is_ascii() {
            let text = "Idempotency-Key has 1 to 255 ASCII characters";
            return Refusal::bad("INVALID_REQUEST", text).reply();
        }
        let now = caller.seconds();
        self.kept_replies.retain(|_, kept| now - kept.at < KEPT_S);
        let name = (caller.account(), key.clone());
        if let Some(kept) = self.kept_replies.get(&name) {
            if kept.body != incoming.body {
                let text = "Idempotency-Key was used with another body";
                return Refusal::new(422, "IDEMPOTENCY_KEY_REUSED", text).reply();
            }
            return Reply {
                is_replayed: true,
                ..kept.reply.clone()
            };
        }
        let reply = act(self);
        if self.kept_replies.len() >= REPLIES_MAX {
            self.kept_replies.pop_first();
        }
        let kept = Kept {
            at: now,
            body: incoming.body.clone(),
            reply: reply.clone(),
        };
        self.kept_replies.insert(name, kept);
        reply
    }
}
