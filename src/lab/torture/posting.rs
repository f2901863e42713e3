//! A telephony that posts its calls until the daemon has taken them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};
use tokio::time;

use super::stream::{Call, CallId, Manner, Post, Stream};
use crate::lab::day::daemon::Daemon;
use crate::lab::lock::lock;

/// The tenant and the source of the configuration.
const TENANT: &str = "demo";
const SOURCE: &str = "site";
/// Pause before the same is posted again; a real platform waits longer.
const AGAIN: Duration = Duration::from_millis(60);
/// Tries for one body: minutes, far more than the daemon is ever dead.
const TRIES_MAX: u32 = 10_000;
/// Between two calls of one client.
const CALLS_APART_S: i64 = 300;
/// Lengths of the parts of every call.
const RINGING_S: i64 = 7;
const TALK_S: i64 = 42;

/// Posts, and counts the answers.
#[derive(Debug)]
pub(super) struct Poster {
    daemon: Daemon,
    /// Unix seconds at which each client's first call began; hours ago, so that a time of
    /// delivery cannot pass for the call's.
    first_at_s: i64,
    answers: Mutex<BTreeMap<u16, u64>>,
}

impl Poster {
    pub(super) fn new(daemon: Daemon, first_at_s: i64) -> Self {
        Self {
            daemon,
            first_at_s,
            answers: Mutex::default(),
        }
    }

    /// Returns when a call began, in Unix seconds.
    pub(super) fn at_s(&self, id: CallId) -> i64 {
        let number = i64::try_from(id.call).unwrap_or(0);
        self.first_at_s.saturating_add(number * CALLS_APART_S)
    }

    /// Posts the calls until all is taken.
    pub(super) async fn deliver(&self, stream: &Stream, post: &Post) -> anyhow::Result<()> {
        for body in self.bodies(stream, post) {
            self.insist(&body).await?;
        }
        Ok(())
    }

    async fn insist(&self, body: &str) -> anyhow::Result<()> {
        for _ in 0..TRIES_MAX {
            // No answer: the daemon is dead, or died over it.
            if let Ok((status, words)) = self.daemon.post(TENANT, SOURCE, body.to_owned()).await {
                let mut answers = lock(&self.answers);
                *answers.entry(status).or_default() += 1;
                match status {
                    200 | 202 => return Ok(()),
                    400 | 413 => bail!("the daemon refused {body}: {status} {words}"),
                    _ => {}
                }
            }
            time::sleep(AGAIN).await;
        }
        bail!("the daemon never took {body}")
    }

    /// Returns how often each status was answered.
    pub(super) fn answers(&self) -> BTreeMap<u16, u64> {
        lock(&self.answers).clone()
    }

    /// The bodies that tell of the calls, in order.
    fn bodies(&self, stream: &Stream, post: &Post) -> Vec<String> {
        let told = |phase: Phase| {
            let items = post.calls.iter().filter_map(|id| {
                let (client, call) = stream.call(*id)?;
                Some(picture(*id, &client.phone, call, self.at_s(*id), phase))
            });
            Value::Array(items.collect()).to_string()
        };
        match post.manner {
            Manner::Once => vec![told(Phase::Ended)],
            Manner::AsItGoes => vec![told(Phase::Ringing), told(Phase::Ended)],
            Manner::Twice => vec![told(Phase::Ended), told(Phase::Ended)],
            Manner::Stale => vec![told(Phase::Ended), told(Phase::Ringing)],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Ringing,
    Ended,
}

/// One call as `docs/webhook.md` describes it.
fn picture(id: CallId, phone: &str, call: &Call, at_s: i64, phase: Phase) -> Value {
    let time = |after: i64| {
        let at = jiff::Timestamp::from_second(at_s.saturating_add(after)).unwrap_or_default();
        at.to_string()
    };
    let mut picture = json!({
        "kind": "call",
        "key": format!("c-{}-{}", id.client, id.call),
        "direction": if call.outgoing { "outgoing" } else { "incoming" },
        "client": format!("+{phone}"),
        "started_at": time(0),
        "rung": [{ "extension": call.extension }],
    });
    if call.outgoing {
        picture["caller"] = json!(call.extension);
    }
    match phase {
        Phase::Ringing => {
            picture["revision"] = json!(1);
            picture["phase"] = json!("ringing");
        }
        Phase::Ended => {
            picture["revision"] = json!(2);
            picture["phase"] = json!("ended");
            if call.answered {
                picture["answered_at"] = json!(time(RINGING_S));
                picture["ended_at"] = json!(time(RINGING_S + TALK_S));
                picture["talkers"] = json!([call.extension]);
            } else {
                picture["ended_at"] = json!(time(RINGING_S));
            }
        }
    }
    picture
}
