//! Plays the calls that do not wait, each client's one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio::time::{self, Instant};

use super::sightings::Observer;
use super::stream::{Call, CallId, Client, Play};
use crate::lab::ami::{AmiServer, ScriptedCall};

/// Between two calls of one client on the switch: more than twice what times may be wrong by.
const PLAYED_APART: Duration = Duration::from_secs(6);
/// Calls of one client that are being played; in the end the Linkedid of each.
type Playing = JoinHandle<anyhow::Result<Vec<(CallId, String)>>>;

/// The switch, and who plays on it.
pub(super) struct Switchboard {
    pub(super) ami: Arc<AmiServer>,
    pub(super) observer: Observer,
    /// The last play of each client.
    last: BTreeMap<usize, Playing>,
}

impl Switchboard {
    /// Begins to watch the switch.
    pub(super) async fn start(ami: &Arc<AmiServer>) -> anyhow::Result<Self> {
        Ok(Self {
            observer: Observer::start(ami).await?,
            ami: Arc::clone(ami),
            last: BTreeMap::new(),
        })
    }

    /// Waits until every call is over; returns their Linkedids.
    pub(super) async fn played(&mut self) -> anyhow::Result<BTreeMap<CallId, String>> {
        let mut played = BTreeMap::new();
        for plays in std::mem::take(&mut self.last).into_values() {
            played.extend(plays.await??);
        }
        Ok(played)
    }

    /// Plays a call at its time, after the client's earlier ones.
    pub(super) fn play(&mut self, play: &Play, client: &Client, call: &Call, start: Instant) {
        let before = self.last.remove(&play.call.client);
        let ami = Arc::clone(&self.ami);
        let (id, at) = (play.call, start + play.after);
        // Outside lines are dialled with 9 before the number.
        let number = if call.outgoing {
            format!("9{}", client.phone)
        } else {
            client.phone.clone()
        };
        let scripted = ScriptedCall::of(play.capture)
            .client(&number)
            .agent("101", call.extension)
            .speed(play.speed);
        let played = tokio::spawn(async move {
            let mut done = Vec::new();
            if let Some(before) = before {
                done = before.await??;
                time::sleep(PLAYED_APART).await;
            }
            time::sleep_until(at).await;
            let played = ami.play(scripted)?.await?;
            let linked_id = played.unique_ids.into_iter().next();
            done.push((id, linked_id.context("a played call has no channel")?));
            anyhow::Ok(done)
        });
        self.last.insert(play.call.client, played);
    }
}
