//! A mail server that takes messages, or fails in the ways in which mail servers do. RFC 5321 as far
//! as a submission needs it: EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA, RSET,
//! NOOP, QUIT.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::lock::lock;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    /// Nothing.
    #[default]
    Well,
    /// It has no time now: 421 as its first word.
    Busy,
    /// The mailbox is unknown: 550 to each recipient.
    NoSuchMailbox,
    /// It hangs up in the middle of the message.
    HangsUp,
    /// It takes the message and hangs up without a word.
    TakesAndHangsUp,
    /// It takes the message and says nothing more.
    TakesAndSaysNothing,
    /// It says nothing at all.
    Silent,
}

/// How connections are protected.
#[derive(Clone, Default)]
pub enum Protection {
    /// Not at all.
    #[default]
    None,
    /// On request.
    Starttls(Arc<rustls::ServerConfig>),
    /// From the beginning.
    Tls(Arc<rustls::ServerConfig>),
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who sent it, by the envelope.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// What the client logged in with (the base64 of AUTH PLAIN).
    pub login: Option<String>,
    /// The message came over TLS.
    pub encrypted: bool,
    /// Headers and body.
    pub data: String,
}

#[derive(Default)]
struct State {
    mood: Mood,
    mails: Vec<Mail>,
    connections: usize,
}

/// A mail server, until it is dropped.
pub struct SmtpServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SmtpServer {
    /// Starts on a free port of this machine.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(protection: Protection) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(State::default()));
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, protection) = (Arc::clone(&serving), protection.clone());
                tokio::spawn(async move {
                    // A client that goes away is no news.
                    drop(serve(stream, &state, protection).await);
                });
            }
        });
        Ok(Self {
            address,
            state: shared,
            task,
        })
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes what goes wrong.
    pub fn set_mood(&self, mood: Mood) {
        lock(&self.state).mood = mood;
    }

    /// Returns the messages that were taken.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.state).mails.clone()
    }

    /// Returns how often somebody connected.
    pub fn connections(&self) -> usize {
        lock(&self.state).connections
    }
}

async fn serve(stream: TcpStream, shared: &Mutex<State>, protection: Protection) -> io::Result<()> {
    lock(shared).connections += 1;
    match protection {
        Protection::None => {
            talk(stream, shared, false, false, true).await?;
        }
        Protection::Tls(config) => {
            let stream = TlsAcceptor::from(config).accept(stream).await?;
            talk(stream, shared, false, true, true).await?;
        }
        Protection::Starttls(config) => {
            if let Some(stream) = talk(stream, shared, true, false, true).await? {
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                talk(stream, shared, false, true, false).await?;
            }
        }
    }
    Ok(())
}

/// Speaks until the end; returns the stream where it is to be encrypted now.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    shared: &Mutex<State>,
    offers_tls: bool,
    encrypted: bool,
    greets: bool,
) -> io::Result<Option<S>> {
    let mood = lock(shared).mood;
    let mut stream = BufReader::new(stream);
    if mood == Mood::Silent {
        std::future::pending::<()>().await;
    }
    if greets {
        let greeting = match mood {
            Mood::Busy => "421 lab too busy, come again\r\n",
            _ => "220 lab ESMTP\r\n",
        };
        stream.get_mut().write_all(greeting.as_bytes()).await?;
        if mood == Mood::Busy {
            return Ok(None);
        }
    }
    let (mut from, mut to, mut login) = (String::new(), Vec::new(), None);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let said = line.trim_end();
        let verb = said
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" if offers_tls => "250-lab\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
            "EHLO" => "250-lab\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n",
            "STARTTLS" if offers_tls => {
                stream.get_mut().write_all(b"220 go on\r\n").await?;
                return Ok(Some(stream.into_inner()));
            }
            "AUTH" => {
                login = said.split(' ').nth(2).map(str::to_owned);
                "235 welcome\r\n"
            }
            // What must be encrypted is not taken in the clear.
            "MAIL" if offers_tls => "530 STARTTLS first\r\n",
            "MAIL" => {
                from = bracketed(said);
                "250 ok\r\n"
            }
            "RCPT" if mood == Mood::NoSuchMailbox => "550 no such mailbox\r\n",
            "RCPT" => {
                to.push(bracketed(said));
                "250 ok\r\n"
            }
            "DATA" => {
                stream.get_mut().write_all(b"354 go on\r\n").await?;
                let Some(data) = message(&mut stream, mood).await? else {
                    return Ok(None);
                };
                lock(shared).mails.push(Mail {
                    from: std::mem::take(&mut from),
                    to: std::mem::take(&mut to),
                    login: login.clone(),
                    encrypted,
                    data,
                });
                if mood == Mood::TakesAndSaysNothing {
                    std::future::pending::<()>().await;
                }
                if mood == Mood::TakesAndHangsUp {
                    return Ok(None);
                }
                "250 taken\r\n"
            }
            "RSET" | "NOOP" => "250 ok\r\n",
            "QUIT" => {
                stream.get_mut().write_all(b"221 bye\r\n").await?;
                return Ok(None);
            }
            _ => "502 unknown\r\n",
        };
        stream.get_mut().write_all(reply.as_bytes()).await?;
    }
}

/// Reads a message up to the line with a dot; `None` where the server hangs up.
async fn message<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    mood: Mood,
) -> io::Result<Option<String>> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || mood == Mood::HangsUp {
            return Ok(None);
        }
        if line == ".\r\n" {
            return Ok(Some(data));
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn bracketed(said: &str) -> String {
    let inside = said
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}
