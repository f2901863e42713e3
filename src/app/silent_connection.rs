//! A connection that is given up when nothing has come over it for a while.
//!
//! The timer of a connection is not set anew by everything that comes: it rings when it was set to
//! ring, and looks whether anything came since. So a request costs no timer, and a connection is
//! given up after once to twice the time. Whoever answers a million questions over one connection
//! would otherwise set a million timers that never ring.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream whose other end may not be silent, nor refuse to listen, for long.
pub(super) struct Attended<S> {
    stream: S,
    patience: Duration,
    /// Something went over it since the timer was set.
    alive: bool,
    timer: Pin<Box<Sleep>>,
}

impl<S> Attended<S> {
    /// Begins to attend to a stream.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            alive: true,
            timer: Box::pin(sleep(patience)),
        }
    }

    /// Says whether the end of patience has come; else it wakes up whoever waits when it comes.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            if !std::mem::take(&mut self.alive) {
                return Poll::Ready(());
            }
            let again = Instant::now() + self.patience;
            self.timer.as_mut().reset(again);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Attended<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.alive = true;
            return read;
        }
        // As if the other end had said that it has no more to say.
        self.poll_patience(context).map(Ok)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Attended<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.alive = true;
            return written;
        }
        let given_up = self.poll_patience(context);
        given_up.map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn whoever_says_nothing_is_given_up_after_once_to_twice_the_time() {
        let (near, _far) = duplex(64);
        let began = Instant::now();
        let mut near = Attended::new(near, PATIENCE);
        assert_eq!(near.read(&mut [0; 8]).await.expect("an end"), 0);
        let waited = began.elapsed();
        assert!(waited >= PATIENCE && waited <= 2 * PATIENCE, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_says_something_now_and_then_is_kept() {
        let (near, mut far) = duplex(64);
        let mut near = Attended::new(near, PATIENCE);
        let speaking = tokio::spawn(async move {
            for word in 0..20 {
                tokio::time::sleep(PATIENCE - Duration::from_millis(1)).await;
                far.write_u8(word).await.expect("it is kept");
            }
        });
        for word in 0..20 {
            assert_eq!(near.read_u8().await.expect("it is kept"), word);
        }
        speaking.await.expect("all was said");
        assert_eq!(near.read(&mut [0; 8]).await.expect("an end"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_listen_is_given_up() {
        let (near, _far) = duplex(8);
        let mut near = Attended::new(near, PATIENCE);
        let error = near.write_all(&[0; 64]).await.expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
