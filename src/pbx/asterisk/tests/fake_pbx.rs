//! An AMI server for these tests: it answers as a small Asterisk would and does what a test says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_rustls::TlsAcceptor;

/// An action as it came, `Action` included.
pub(super) type Action = Vec<(String, String)>;

pub(super) const USER: &str = "crm";
pub(super) const PASSWORD: &str = "loopback-only";

/// How the PBX looks from outside.
#[derive(Clone)]
pub(super) struct Face {
    pub(super) banner: &'static str,
    /// Actions that are answered with "Permission denied".
    pub(super) denied: BTreeSet<&'static str>,
    /// Actions that it does not know.
    pub(super) unknown: BTreeSet<&'static str>,
    /// Actions that are never answered.
    pub(super) ignored: BTreeSet<&'static str>,
    /// What FullyBooted says; `None` = no read class system, or not booted yet.
    pub(super) uptime: Option<u64>,
    /// CoreStartupTime.
    pub(super) started: &'static str,
    /// The answer to a right or wrong login instead of the usual one.
    pub(super) login_answer: Option<&'static str>,
    /// `CoreShowChannel` items, without ActionID, each ended by an empty line.
    pub(super) channels: String,
    /// `Status` items.
    pub(super) status: String,
    /// What Getvar answers: channel, variable, value.
    pub(super) variables: Vec<(String, String, String)>,
    /// Sent between the answer's beginning and the items of CoreShowChannels.
    pub(super) amid_list: String,
}

impl Default for Face {
    fn default() -> Self {
        Self {
            banner: "Asterisk Call Manager/11.0.0\r\n",
            denied: BTreeSet::new(),
            unknown: BTreeSet::new(),
            ignored: BTreeSet::new(),
            uptime: Some(1000),
            started: "21:35:17",
            login_answer: None,
            channels: String::new(),
            status: String::new(),
            variables: Vec::new(),
            amid_list: String::new(),
        }
    }
}

enum Command {
    Send(Vec<u8>),
    Close,
}

/// The server. One connection at a time.
pub(super) struct FakePbx {
    pub(super) port: u16,
    pub(super) face: Arc<Mutex<Face>>,
    commands: mpsc::Sender<Command>,
    actions: Arc<Mutex<Vec<Action>>>,
    count: watch::Receiver<usize>,
    written: watch::Receiver<usize>,
}

impl FakePbx {
    pub(super) async fn start(face: Face) -> Self {
        Self::start_with(face, None).await
    }

    pub(super) async fn start_with(face: Face, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("an address").port();
        let (served, queue, pbx) = Self::parts(face, port);
        tokio::spawn(accept(listener, tls, served, queue));
        pbx
    }

    /// Serves one connection over a pipe in memory.
    pub(super) fn on_a_pipe(face: Face) -> (Self, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (mut served, mut queue, pbx) = Self::parts(face, 1);
        tokio::spawn(async move { served.serve(theirs, &mut queue).await });
        (pbx, ours)
    }

    fn parts(face: Face, port: u16) -> (Served, mpsc::Receiver<Command>, Self) {
        let face = Arc::new(Mutex::new(face));
        let actions = Arc::new(Mutex::new(Vec::new()));
        let (commands, queue) = mpsc::channel(64);
        let (count_sender, count) = watch::channel(0);
        let (written_sender, written) = watch::channel(0);
        let served = Served {
            face: face.clone(),
            actions: actions.clone(),
            count: count_sender,
            written: written_sender,
        };
        let pbx = Self {
            port,
            face,
            commands,
            actions,
            count,
            written,
        };
        (served, queue, pbx)
    }

    /// Sends a text with LF for CRLF.
    pub(super) async fn send(&self, text: &str) {
        self.send_bytes(text.replace('\n', "\r\n").into_bytes())
            .await;
    }

    pub(super) async fn send_bytes(&self, bytes: Vec<u8>) {
        self.commands
            .send(Command::Send(bytes))
            .await
            .expect("serves");
    }

    /// Closes the present connection.
    pub(super) async fn close(&self) {
        self.commands.send(Command::Close).await.expect("serves");
    }

    /// Returns the names of the actions so far.
    pub(super) async fn names(&self) -> Vec<String> {
        let actions = self.actions.lock().await;
        actions
            .iter()
            .filter_map(|action| header(action, "Action"))
            .map(str::to_owned)
            .collect()
    }

    /// Waits until an action of this name has come `times` times.
    pub(super) async fn wait_for_action(&mut self, name: &str, times: usize) -> Action {
        let found = async {
            loop {
                let _ = *self.count.borrow_and_update();
                let actions = self.actions.lock().await.clone();
                let mut named = actions
                    .into_iter()
                    .filter(|a| header(a, "Action") == Some(name));
                if let Some(action) = named.nth(times - 1) {
                    return action;
                }
                self.count.changed().await.expect("the server runs");
            }
        };
        tokio::time::timeout(Duration::from_secs(300), found)
            .await
            .unwrap_or_else(|_| panic!("no {name} came"))
    }

    /// Waits until so many bytes sent by tests have been taken by the socket.
    pub(super) async fn wait_for_written(&mut self, bytes: usize) {
        let written = self.written.wait_for(|written| *written >= bytes);
        tokio::time::timeout(Duration::from_secs(30), written)
            .await
            .expect("the session reads")
            .expect("the server runs");
    }
}

pub(super) fn header<'a>(action: &'a Action, name: &str) -> Option<&'a str> {
    action
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut served: Served,
    mut queue: mpsc::Receiver<Command>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        match &tls {
            None => served.serve(stream, &mut queue).await,
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    served.serve(stream, &mut queue).await;
                }
            }
        }
    }
}

struct Served {
    face: Arc<Mutex<Face>>,
    actions: Arc<Mutex<Vec<Action>>>,
    count: watch::Sender<usize>,
    written: watch::Sender<usize>,
}

impl Served {
    async fn serve(
        &mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        queue: &mut mpsc::Receiver<Command>,
    ) {
        let (read, mut write) = tokio::io::split(stream);
        let mut lines = BufReader::new(read).lines();
        let banner = self.face.lock().await.banner;
        if write.write_all(banner.as_bytes()).await.is_err() {
            return;
        }
        let mut action: Action = Vec::new();
        loop {
            tokio::select! {
                line = lines.next_line() => {
                    let Ok(Some(line)) = line else { return };
                    if let Some((name, value)) = line.split_once(": ") {
                        action.push((name.to_owned(), value.to_owned()));
                        continue;
                    }
                    let whole = std::mem::take(&mut action);
                    let (answer, closes) = self.answer(&whole).await;
                    self.actions.lock().await.push(whole);
                    self.count.send_modify(|count| *count += 1);
                    if write.write_all(answer.replace('\n', "\r\n").as_bytes()).await.is_err() || closes {
                        return;
                    }
                }
                command = queue.recv() => match command {
                    Some(Command::Send(bytes)) => {
                        if write.write_all(&bytes).await.is_err() || write.flush().await.is_err() {
                            return;
                        }
                        self.written.send_modify(|written| *written += bytes.len());
                    }
                    Some(Command::Close) | None => {
                        let _ = write.shutdown().await;
                        return;
                    }
                },
            }
        }
    }

    async fn answer(&self, action: &Action) -> (String, bool) {
        let face = self.face.lock().await.clone();
        let id = header(action, "ActionID").expect("every action has an id");
        let name = header(action, "Action").expect("every action has a name");
        let error =
            |message: &str| format!("Response: Error\nActionID: {id}\nMessage: {message}\n\n");
        let success = |rest: &str| format!("Response: Success\nActionID: {id}\n{rest}\n");
        if face.ignored.contains(name) {
            return (String::new(), false);
        }
        if face.denied.contains(name) {
            return (error("Permission denied"), false);
        }
        if face.unknown.contains(name) {
            let message = format!(
                "Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
            );
            return (error(&message), false);
        }
        let list = |items: &str, name: &str| {
            let items = items.replace("\n\n", &format!("\nActionID: {id}\n\n"));
            format!(
                "Response: Success\nActionID: {id}\nEventList: start\nMessage: follows\n\n{}{items}\
                 Event: {name}Complete\nActionID: {id}\nEventList: Complete\nListItems: 0\n\n",
                face.amid_list
                    .as_str()
                    .chars()
                    .filter(|_| name == "CoreShowChannels")
                    .collect::<String>(),
            )
        };
        match name {
            "Challenge" => (success("Challenge: 781837138\n"), false),
            "Login" => match (face.login_answer, login_is_right(action)) {
                (Some(message), _) => (error(message), true),
                (None, false) => (error("Authentication failed"), true),
                (None, true) => {
                    let booted = face.uptime.map(fully_booted).unwrap_or_default();
                    (
                        success("Message: Authentication accepted\n") + &booted,
                        false,
                    )
                }
            },
            "CoreStatus" => {
                let started = face.started;
                (
                    success(&format!(
                        "CoreStartupDate: 2026-11-20\nCoreStartupTime: {started}\n"
                    )),
                    false,
                )
            }
            "CoreSettings" => (success("AsteriskVersion: 22.10.1\n"), false),
            "CoreShowChannels" => (list(&face.channels, name), false),
            "Status" => (list(&face.status, name), false),
            "BridgeList" => (list("", name), false),
            "Getvar" => {
                let asked = (header(action, "Channel"), header(action, "Variable"));
                let set = face.variables.iter().find(|(channel, variable, _)| {
                    asked == (Some(channel.as_str()), Some(variable.as_str()))
                });
                let value = set.map(|(_, _, value)| value.as_str()).unwrap_or_default();
                (success(&format!("Variable: X\nValue: {value}\n")), false)
            }
            "Ping" => (success("Ping: Pong\n"), false),
            "Logoff" => (
                format!("Response: Goodbye\nActionID: {id}\nMessage: Thanks\n\n"),
                true,
            ),
            _ => (success(""), false),
        }
    }
}

pub(super) fn fully_booted(uptime: u64) -> String {
    format!(
        "Event: FullyBooted\nPrivilege: system,all\nUptime: {uptime}\nLastReload: 1\nStatus: Fully Booted\n\n"
    )
}

fn login_is_right(action: &Action) -> bool {
    let digest = Md5::new()
        .chain_update("781837138")
        .chain_update(PASSWORD)
        .finalize();
    let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    header(action, "Username") == Some(USER)
        && (header(action, "Key") == Some(key.as_str())
            || header(action, "Secret") == Some(PASSWORD))
}
