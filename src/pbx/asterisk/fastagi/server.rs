//! Takes connections, within bounds, and holds a conversation on each.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::conversation::{self, Deadlines, Ending};
use super::eager::Eager;
use super::seats::{Seat, Seats};
use super::warnings::Warnings;
use crate::pbx::Answerer;

/// What a server lets happen at once.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections. A question takes a millisecond, so this many at once are far more calls a
    /// second than any PBX sets up; each costs a few kilobytes.
    pub connections_max: usize,
    /// Connections of one address.
    pub connections_of_one_address_max: usize,
    /// How long a connection may take to say what it wants, and then to take the answer.
    pub peer_within: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            connections_of_one_address_max: 256,
            peer_within: Duration::from_secs(2),
        }
    }
}

/// No answer is of use to a dialplan after this: the shipped ones wait 1.2 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long taking connections rests when the system has no more of them to give.
const REST: Duration = Duration::from_millis(100);

/// Serves until `stop` turns true; then every connection is closed at once, so that no call waits
/// for a daemon that ends. Runs its connections on the thread that polls it: they touch memory
/// only.
pub async fn serve(
    listener: TcpListener,
    answerer: Arc<dyn Answerer>,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let server = Rc::new(Server {
        answerer,
        deadlines: Deadlines {
            environment: bounds.peer_within,
            answer: ANSWER_WITHIN,
            replies: bounds.peer_within,
        },
        warnings: Warnings::default(),
    });
    let seats = Seats::new(
        bounds.connections_max,
        bounds.connections_of_one_address_max,
    );
    let mut conversations = JoinSet::new();
    loop {
        metrics::gauge!("trunkline_fastagi_connections").set(seats.taken() as f64);
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            Some(ended) = conversations.join_next() => {
                server.told(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // What is written `::ffff:10.0.0.1` on a socket of both worlds is 10.0.0.1.
                let peer = peer.ip().to_canonical();
                match seats.take(peer) {
                    Some(seat) => {
                        let server = Rc::clone(&server);
                        conversations.spawn_local(server.converse(stream, peer, seat));
                    }
                    // Closed at once: the call goes on without an answer.
                    None => server.full(peer),
                }
            }
            Err(error) => {
                if server.warnings.due("accept") {
                    tracing::error!(%error, "fastagi takes no connection");
                }
                tokio::time::sleep(REST).await;
            }
        }
    }
}

struct Server {
    answerer: Arc<dyn Answerer>,
    deadlines: Deadlines,
    warnings: Warnings,
}

impl Server {
    async fn converse(self: Rc<Self>, stream: TcpStream, peer: IpAddr, seat: Seat) {
        let stream = Eager::new(stream);
        let ending = conversation::hold(stream, peer, &*self.answerer, self.deadlines).await;
        drop(seat);
        let word = ending.word();
        count(word);
        match &ending {
            Ending::Answered | Ending::Gone => {}
            _ if !self.warnings.due(word) => {}
            Ending::Unanswerable(why) => {
                tracing::warn!(%peer, ?why, "fastagi question not answered");
            }
            Ending::NotSet(replies) => {
                let (set, refused) = (replies.set, replies.refused);
                tracing::warn!(%peer, set, refused, "asterisk did not set every variable");
            }
            Ending::Late | Ending::Silent | Ending::Refused(_) => {
                tracing::warn!(%peer, why = word, "fastagi connection closed");
            }
        }
    }

    fn full(&self, peer: IpAddr) {
        count("full");
        if self.warnings.due("full") {
            tracing::warn!(%peer, "fastagi has no more connections for this address");
        }
    }

    /// Takes the end of a conversation's task.
    fn told(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            count("panic");
            tracing::error!(%error, "a fastagi conversation panicked; the others go on");
        }
    }
}

fn count(ending: &'static str) {
    metrics::counter!("trunkline_fastagi_questions", "ending" => ending).increment(1);
}
