//! A simulator's server on a thread of its own, so that neither a busy nor a paused runtime of the
//! caller changes its time.

use std::io;
use std::thread::JoinHandle;

use actix_web::dev::{Server, ServerHandle};

/// The running server; it ends when dropped.
#[derive(Debug)]
pub(in crate::lab) struct OwnThread {
    name: &'static str,
    server: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl OwnThread {
    /// Starts a server, and what the simulator does beside it of its own accord.
    ///
    /// # Errors
    /// Fails when there is no thread to be had, or the server cannot be made.
    pub(in crate::lab) async fn start<B: Future<Output = ()>>(
        name: &'static str,
        server: impl FnOnce() -> io::Result<Server> + Send + 'static,
        beside: impl FnOnce() -> B + Send + 'static,
    ) -> io::Result<Self> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name(format!("{name}-lab"));
        let thread = thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async move {
                let server = server()?;
                if tell.send(server.handle()).is_err() {
                    // The starter was dropped meanwhile.
                    return Ok(());
                }
                tokio::select! {
                    ended = server => ended,
                    () = beside() => Ok(()),
                }
            })
        })?;
        let server = told
            .await
            .map_err(|_| io::Error::other(format!("the {name} simulator did not start")))?;
        Ok(Self {
            name,
            server,
            thread: Some(thread),
        })
    }

    /// Closes the socket and waits for the end.
    ///
    /// # Errors
    /// Fails with what ended the server.
    pub(in crate::lab) async fn stop(mut self) -> io::Result<()> {
        self.server.stop(false).await;
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let panicked = |_| {
            let text = format!("the thread of the {} simulator panicked", self.name);
            Err(io::Error::other(text))
        };
        thread.join().unwrap_or_else(panicked)
    }
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits for its end, as does the thread.
        drop(self.server.stop(false));
    }
}
