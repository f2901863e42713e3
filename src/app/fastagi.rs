//! Runs the FastAGI server beside the HTTP endpoints, on a thread of its own: neither the work
//! towards the CRMs nor a session with a PBX delays it.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix::ArbiterHandle;
use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::pbx::Answerer;
use crate::pbx::asterisk::fastagi;

use super::listeners;

/// Connections that the kernel keeps for us while we are busy or were stopped; more than a PBX
/// opens before its first callers go on without us.
const BACKLOG: u32 = 1024;

/// The running server.
pub(super) struct FastAgi {
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
    is_over: bool,
}

/// Binds the address and serves it on the arbiter's thread.
pub(super) fn start(
    listen: SocketAddr,
    answerer: Arc<dyn Answerer>,
    arbiter: &ArbiterHandle,
) -> Result<FastAgi, std::io::Error> {
    let listener = listeners::tcp(listen, BACKLOG)?;
    let (stop, stopped) = watch::channel(false);
    let (over, ended) = oneshot::channel();
    let serving = move || async move {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let bounds = fastagi::Bounds::default();
                let serving = fastagi::serve(listener, answerer, bounds, stopped);
                if AssertUnwindSafe(serving).catch_unwind().await.is_err() {
                    tracing::error!("the fastagi server panicked");
                }
            }
            Err(error) => tracing::error!(%error, "fastagi"),
        }
        // Nobody listens when the daemon has ended already.
        let _ = over.send(());
    };
    // It says itself when it ends; the thread owns it until then.
    let begin = move || drop(tokio::task::spawn_local(serving()));
    if !arbiter.spawn_fn(begin) {
        return Err(std::io::Error::other("its thread has ended"));
    }
    Ok(FastAgi {
        stop,
        ended,
        is_over: false,
    })
}

impl FastAgi {
    /// Returns when the server has ended by itself, which it never should.
    pub(super) async fn ended(&mut self) {
        if !self.is_over {
            // A server whose thread has gone ended too.
            let _ = (&mut self.ended).await;
            self.is_over = true;
        }
    }

    /// Has it close everything; returns when it has.
    pub(super) async fn stop(&mut self) {
        self.stop.send_replace(true);
        self.ended().await;
    }
}
