//! A CRM that is there and says nothing: what is accepted waits, as behind a CRM's limit of
//! requests, and no CRM's speed is measured.

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Takes connections and never answers; ends with this value.
pub(crate) struct SilentCrm {
    /// Where it listens on 127.0.0.1.
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl SilentCrm {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            // The daemon keeps a few dozen requests under way at the most.
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        Ok(Self { port, task })
    }
}

impl Drop for SilentCrm {
    fn drop(&mut self) {
        self.task.abort();
    }
}
