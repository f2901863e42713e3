//! Redis with its log on disk before each answer, spoken to in its own protocol (RESP 2).

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::event::Event;
use super::load::Connection;
use super::server::{Server, Signal, find_program, free_port, output_of};

/// A running Redis.
pub(crate) struct Redis {
    server: Server,
    port: u16,
    version: String,
}

impl Redis {
    /// Starts it in a folder. All is as delivered but for the durability, and but for rewriting
    /// its log, which would fall into some round.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let program = find_program("redis-server", &["/usr/bin".into()])?;
        // Redis server v=7.0.15 sha=… …
        let said = output_of(Command::new(&program).arg("--version"))?;
        let version = said.split_whitespace().find_map(|w| w.strip_prefix("v="));
        let version = version.context("read Redis's version")?.to_owned();
        let port = free_port()?;
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .arg("--dir")
            .arg(folder)
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--auto-aof-rewrite-percentage", "0", "--save", ""]);
        let log = folder.join("log");
        let mut server = Server::start("redis-server", &mut command, log, Signal::Terminate)?;
        server
            .until(async || {
                let mut connection = RedisConnection::open(port).await?;
                connection.ask(b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n").await
            })
            .await?;
        Ok(Self {
            server,
            port,
            version,
        })
    }

    pub(crate) fn name(&self) -> String {
        format!("Redis {}, appendfsync always", self.version)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub(crate) async fn connect(&self) -> anyhow::Result<RedisConnection> {
        RedisConnection::open(self.port).await
    }
}

/// A client's connection.
pub(crate) struct RedisConnection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl RedisConnection {
    async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(256),
        })
    }

    /// Sends a command and expects this answer.
    async fn ask(&mut self, command: &[u8], expected: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(command).await?;
        self.received.clear();
        while !self.received.ends_with(b"\r\n") {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("Redis closed the connection");
            }
        }
        if self.received != expected {
            bail!("Redis: {}", String::from_utf8_lossy(&self.received).trim());
        }
        Ok(())
    }
}

impl Connection for RedisConnection {
    /// `SET key body NX`: stored under the event's key unless it is there, so that a repeat is
    /// recognised.
    async fn put(&mut self, event: &Event) -> anyhow::Result<()> {
        let Event { key, body } = event;
        let command = format!(
            "*4\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{body}\r\n$2\r\nNX\r\n",
            key.len(),
            body.len()
        );
        self.ask(command.as_bytes(), b"+OK\r\n").await
    }
}
