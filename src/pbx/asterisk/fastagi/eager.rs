//! A connection that is tried before it is waited for.
//!
//! An async runtime asks the kernel whether a new connection is readable and writable before it
//! touches it, which is a turn through its reactor for each question. Asterisk writes its
//! environment right behind the connection, so it is usually there when the connection is, and the
//! room for our four commands always is.
//!
//! A conversation writes once and then closes its side. What is written is held back for that
//! moment, so that commands and end leave in one segment and wake Asterisk once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The connection of one conversation: its last write must be followed by a shutdown, which sends it.
#[derive(Debug)]
pub(super) struct Eager {
    stream: TcpStream,
    /// Nothing was read yet: what follows later is waited for as usual.
    untouched: bool,
}

impl Eager {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            untouched: true,
        }
    }
}

impl AsyncRead for Eager {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.untouched) {
            // What is not there yet, and whatever went wrong, is told by the usual way.
            if let Ok((length, _)) = recv(
                &self.stream,
                into.initialize_unfilled(),
                RecvFlags::DONTWAIT,
            ) {
                into.advance(length);
                return Poll::Ready(Ok(()));
            }
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Eager {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL | SendFlags::MORE;
        match send(&self.stream, bytes, flags) {
            Ok(length) => Poll::Ready(Ok(length)),
            Err(_) => Pin::new(&mut self.stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
