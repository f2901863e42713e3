//! The open calls as JSON, so that they outlive a crash. Everything else is found anew from them.

use serde::{Deserialize, Serialize};

use super::book::{Book, Closed};
use super::call::Call;
use super::settings::TrackerSettings;
use crate::model::timestamp::Timestamp;

/// Grows when an older program could not read the shape; older shapes stay readable.
const VERSION: u32 = 1;

/// Why a checkpoint cannot be taken up. The calls in it can then only be reconciled with the
/// living channels.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A newer program wrote it.
    #[error("the checkpoint has version {0}, this program reads up to {VERSION}")]
    Version(u32),
    /// It is not in the expected form.
    #[error("read the checkpoint: {0}")]
    Shape(#[from] serde_json::Error),
}

#[derive(Serialize, Deserialize)]
struct Checkpoint<C> {
    version: u32,
    lost_at: Option<Timestamp>,
    calls: C,
    /// Ids of calls that were over a moment ago.
    #[serde(default)]
    closed: Vec<Closed>,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

impl Book {
    pub(super) fn to_checkpoint(&self) -> serde_json::Value {
        let checkpoint = Checkpoint {
            version: VERSION,
            lost_at: self.lost_at,
            calls: self.calls.values().collect::<Vec<&Call>>(),
            closed: self.just_closed(),
        };
        // Strings and numbers only: there is nothing that JSON could refuse.
        serde_json::to_value(checkpoint).unwrap_or_default()
    }

    pub(super) fn from_checkpoint(
        settings: TrackerSettings,
        value: &serde_json::Value,
    ) -> Result<Self, RestoreError> {
        let head = Head::deserialize(value)?;
        if head.version > VERSION {
            return Err(RestoreError::Version(head.version));
        }
        let checkpoint = Checkpoint::<Vec<Call>>::deserialize(value)?;
        let mut book = Book::new(settings);
        book.lost_at = checkpoint.lost_at;
        for call in checkpoint.calls {
            book.take_up(call);
        }
        book.take_up_closed(checkpoint.closed);
        book.index_channels();
        // Between the checkpoint and now nothing was seen.
        let last_seen = book.calls.values().map(|call| call.last_seen).max();
        book.lost_at = book.lost_at.or(last_seen);
        Ok(book)
    }

    fn take_up(&mut self, call: Call) {
        self.next_number = self.next_number.saturating_add(1);
        let number = self.next_number;
        let ids = call.aliases.iter().chain(std::iter::once(&call.linkedid));
        for id in ids {
            self.index.insert(id.clone(), number);
        }
        self.calls.insert(number, call);
    }

    /// Finds the indexes of channels anew. A channel's own id wins over another call's Linkedid:
    /// such calls stay apart.
    fn index_channels(&mut self) {
        for (number, call) in &self.calls {
            for channel in &call.channels {
                self.index.insert(channel.uniqueid.clone(), *number);
                if channel.alive() {
                    self.names
                        .insert(channel.name.clone(), channel.uniqueid.clone());
                }
                if let Some(bridge) = &channel.bridge {
                    let members = self.bridges.entry(bridge.clone()).or_default();
                    members.insert(channel.uniqueid.clone());
                }
            }
        }
    }
}
