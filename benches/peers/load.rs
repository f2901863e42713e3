//! The load: so many connections, each of which waits for its answer before it sends the next.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use super::event::Event;

/// A connection to a candidate.
pub(crate) trait Connection {
    /// Hands one event over; returns when it is acknowledged as durable, and with an error when it
    /// is not.
    async fn put(&mut self, event: &Event) -> anyhow::Result<()>;
}

/// Numbers of the events that a candidate has had; every candidate starts at the first.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Cell<u32>);

impl Numbers {
    /// Gives out the next one.
    pub(crate) fn next(&self) -> u32 {
        let number = self.0.get();
        self.0.set(number.wrapping_add(1));
        number
    }
}

/// Sends events over all connections for a time; returns how many were acknowledged in it, each
/// second.
pub(crate) async fn drive<C: Connection>(
    connections: &mut [C],
    numbers: &Numbers,
    time: Duration,
) -> anyhow::Result<f64> {
    let acknowledged = Cell::new(0_u32);
    let deadline = Instant::now() + time;
    try_join_all(connections.iter_mut().map(async |connection| {
        while Instant::now() < deadline {
            let event = Event::numbered(numbers.next());
            connection.put(&event).await?;
            // The last ones come too late to count.
            if Instant::now() <= deadline {
                acknowledged.set(acknowledged.get() + 1);
            }
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok(f64::from(acknowledged.get()) / time.as_secs_f64())
}
