//! As much of an HTTP/1.1 client as a load needs: one kept connection, answers with a length.

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::event::Event;
use super::load::Connection;

/// A connection to one path of a server.
pub(crate) struct HttpConnection {
    stream: TcpStream,
    path: String,
    received: Vec<u8>,
}

impl HttpConnection {
    pub(crate) async fn open(port: u16, path: String) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            path,
            received: Vec::with_capacity(4096),
        })
    }

    /// Posts a body; returns the answer's status.
    pub(crate) async fn post(&mut self, body: &str) -> anyhow::Result<u16> {
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.path,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    /// Reads one answer with its body.
    async fn answer(&mut self) -> anyhow::Result<u16> {
        self.received.clear();
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(status) = whole_answer(&self.received)? {
                return Ok(status);
            }
        }
    }
}

impl Connection for HttpConnection {
    async fn put(&mut self, event: &Event) -> anyhow::Result<()> {
        match self.post(&event.body).await? {
            202 => Ok(()),
            status => bail!("{} was answered with {status}", event.key),
        }
    }
}

/// Asks for a path over a connection of its own; returns the answer's status.
pub(crate) async fn get(port: u16, path: &str) -> anyhow::Result<u16> {
    let mut connection = HttpConnection::open(port, path.to_owned()).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    connection.stream.write_all(request.as_bytes()).await?;
    connection.answer().await
}

/// Returns the status once head and body are complete.
fn whole_answer(received: &[u8]) -> anyhow::Result<Option<u16>> {
    let Some(head_end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, rest) = received.split_at(head_end);
    let head = std::str::from_utf8(head)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.context("an answer without a status")?.parse()?;
    let length: usize = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse())?;
    Ok((rest.len() >= 4 + length).then_some(status))
}
