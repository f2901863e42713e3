//! The intake's socket outlives the process. systemd keeps it while the unit restarts
//! (`FileDescriptorStoreMax=`) and hands it to the next process: a webhook that comes meanwhile waits
//! in the kernel and is answered, for some platforms send it once and never again.
//!
//! The sockets that a ringing call asks are not kept: a dialplan that is refused goes on at once, and
//! one that waited would hold up the caller.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;

use super::listeners;
use super::watchdog::notify;

/// The name that systemd keeps it by.
const NAME: &str = "intake";

/// Connections that the kernel keeps for the next process.
const BACKLOG: u32 = 1024;

/// Returns the socket that the process before left for this address, or a new one, and has systemd
/// keep it from now on. Without a service manager it is just bound.
pub(super) fn intake(listen: SocketAddr) -> io::Result<TcpListener> {
    let listener = match handed_over(listen) {
        Some(kept) => {
            tracing::info!(%listen, "the intake goes on where the process before left it");
            kept
        }
        None => listeners::tcp(listen, BACKLOG)?,
    };
    // One that it keeps already is not kept twice; forgetting another of this name forgot both.
    let state = [("FDSTORE", "1"), ("FDNAME", NAME)];
    let fds = [listener.as_raw_fd()];
    if let Err(error) = systemd::daemon::pid_notify_with_fds(0, state.iter(), &fds) {
        tracing::debug!(%error, "no service manager to keep the socket");
    }
    Ok(listener)
}

/// Looks through what the service manager handed over; forgets what is of another address, since
/// `intake.listen` was changed meanwhile.
fn handed_over(listen: SocketAddr) -> Option<TcpListener> {
    let mut found = None;
    for fd in systemd::daemon::listen_fds().ok()?.iter() {
        match systemd::daemon::tcp_listener(fd) {
            Ok(listener) if listener.local_addr().is_ok_and(|at| at == listen) => {
                found = Some(listener);
            }
            other => {
                tracing::info!(?other, "a socket that was kept is not of this address");
                notify(&[("FDSTOREREMOVE", "1"), ("FDNAME", NAME)]);
            }
        }
    }
    found
}
