//! PostgreSQL as it is delivered, spoken to in its own protocol (version 3.0, extended query).

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::event::Event;
use super::load::Connection;
use super::server::{Server, Signal, find_program, free_port, output_of};

/// Debian's user and group without rights: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

const TABLE: &str = "CREATE TABLE events (key text PRIMARY KEY, body text NOT NULL)";
const INSERT: &str = "INSERT INTO events (key, body) VALUES ($1, $2)";

/// A running PostgreSQL.
pub(crate) struct Postgres {
    server: Server,
    port: u16,
    version: String,
}

impl Postgres {
    /// Makes a cluster in a folder and starts it.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let folders = installed()?;
        let program = find_program("postgres", &folders)?;
        let initdb = find_program("initdb", &folders)?;
        // postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
        let said = output_of(Command::new(&program).arg("--version"))?;
        let version = said
            .split(' ')
            .nth(2)
            .context("read PostgreSQL's version")?;
        let as_root = folder.metadata()?.uid() == 0;
        if as_root {
            chown(folder, Some(NOBODY), Some(NOBODY))?;
        }
        let unprivileged = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(folder);
            if as_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let data = folder.join("data");
        output_of(
            unprivileged(&initdb)
                .args(["--username=bench", "--auth=trust", "--encoding=UTF8"])
                .args(["--locale=C", "--pgdata"])
                .arg(&data),
        )?;
        let port = free_port()?;
        let log = folder.join("log");
        let mut command = unprivileged(&program);
        command
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            // Both are the defaults; they are what is measured.
            .args(["-c", "fsync=on", "-c", "synchronous_commit=on"]);
        let mut server = Server::start("postgres", &mut command, log, Signal::Interrupt)?;
        let mut connection = server
            .until(async || PostgresConnection::open(port).await)
            .await?;
        connection.query(TABLE).await?;
        Ok(Self {
            server,
            port,
            version: version.to_owned(),
        })
    }

    pub(crate) fn name(&self) -> String {
        format!("PostgreSQL {}, synchronous_commit on", self.version)
    }

    /// Returns the first process; the others are its children.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Connects, with the statement prepared.
    pub(crate) async fn connect(&self) -> anyhow::Result<PostgresConnection> {
        let mut connection = PostgresConnection::open(self.port).await?;
        connection.prepare().await?;
        Ok(connection)
    }
}

/// Where Debian puts the programs, newest version first.
fn installed() -> anyhow::Result<Vec<PathBuf>> {
    let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Ok(Vec::new());
    };
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for version in versions {
        let version = version?;
        let number = version.file_name().to_string_lossy().parse();
        found.push((number.unwrap_or_default(), version.path().join("bin")));
    }
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    Ok(found.into_iter().map(|(_, folder)| folder).collect())
}

/// A client's connection.
pub(crate) struct PostgresConnection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl PostgresConnection {
    async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut connection = Self {
            stream,
            received: Vec::with_capacity(1024),
        };
        let mut body = 196_608_i32.to_be_bytes().to_vec();
        for text in ["user", "bench", "database", "postgres", ""] {
            put_text(&mut body, text);
        }
        let mut message = length(&body)?.to_vec();
        message.extend(body);
        connection.stream.write_all(&message).await?;
        connection.until_ready().await?;
        Ok(connection)
    }

    async fn query(&mut self, statement: &str) -> anyhow::Result<()> {
        let mut message = Vec::new();
        let mut body = Vec::new();
        put_text(&mut body, statement);
        put_message(&mut message, b'Q', &body)?;
        self.stream.write_all(&message).await?;
        self.until_ready().await.map(drop)
    }

    async fn prepare(&mut self) -> anyhow::Result<()> {
        let mut message = Vec::new();
        let mut body = Vec::new();
        put_text(&mut body, "put");
        put_text(&mut body, INSERT);
        body.extend(0_i16.to_be_bytes());
        put_message(&mut message, b'P', &body)?;
        put_message(&mut message, b'S', &[])?;
        self.stream.write_all(&message).await?;
        self.until_ready().await.map(drop)
    }

    /// Reads until the server is ready for the next statement, which it is only after the commit;
    /// returns the tag of the last statement that was carried out.
    async fn until_ready(&mut self) -> anyhow::Result<Option<String>> {
        let mut completed = None;
        let mut refusal = None;
        self.received.clear();
        loop {
            let mut rest: &[u8] = &self.received;
            let mut taken = 0;
            while let Some((kind, body, after)) = next_message(rest) {
                taken += rest.len() - after.len();
                rest = after;
                match kind {
                    b'C' => completed = Some(plain(body)),
                    b'E' => refusal = Some(plain(body)),
                    b'R' if body != [0; 4] => bail!("PostgreSQL asks for a password"),
                    b'Z' => match refusal {
                        None => return Ok(completed),
                        Some(why) => bail!("PostgreSQL: {why}"),
                    },
                    _ => {}
                }
            }
            self.received.drain(..taken);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("PostgreSQL closed the connection: {refusal:?}");
            }
        }
    }
}

impl Connection for PostgresConnection {
    /// Bind, Execute, Sync. The event counts at ReadyForQuery: CommandComplete comes before the
    /// commit that Sync asks for.
    async fn put(&mut self, event: &Event) -> anyhow::Result<()> {
        let mut message = Vec::with_capacity(512);
        let mut bind = Vec::with_capacity(512);
        put_text(&mut bind, "");
        put_text(&mut bind, "put");
        bind.extend(0_i16.to_be_bytes());
        bind.extend(2_i16.to_be_bytes());
        for value in [&event.key, &event.body] {
            bind.extend(i32::try_from(value.len())?.to_be_bytes());
            bind.extend(value.as_bytes());
        }
        bind.extend(0_i16.to_be_bytes());
        put_message(&mut message, b'B', &bind)?;
        // The unnamed portal, all rows.
        put_message(&mut message, b'E', &[0; 5])?;
        put_message(&mut message, b'S', &[])?;
        self.stream.write_all(&message).await?;
        match self.until_ready().await?.as_deref() {
            Some("INSERT 0 1") => Ok(()),
            other => bail!("PostgreSQL answered {other:?}"),
        }
    }
}

/// Takes one whole message off: its kind, its body, what follows.
fn next_message(received: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (kind, rest) = received.split_first()?;
    let length = u32::from_be_bytes(*rest.first_chunk::<4>()?);
    let (message, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((*kind, message.get(4..)?, after))
}

fn put_message(into: &mut Vec<u8>, kind: u8, body: &[u8]) -> anyhow::Result<()> {
    into.push(kind);
    into.extend(length(body)?);
    into.extend(body);
    Ok(())
}

/// The length counts itself.
fn length(body: &[u8]) -> anyhow::Result<[u8; 4]> {
    Ok(i32::try_from(body.len() + 4)?.to_be_bytes())
}

fn put_text(into: &mut Vec<u8>, text: &str) {
    into.extend(text.as_bytes());
    into.push(0);
}

/// Zero bytes end texts and part the fields of a refusal.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.trim_end_matches('\0').replace('\0', " ")
}
