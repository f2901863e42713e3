//! The server against a small raw client.

use std::collections::BTreeSet;
use std::time::Duration;

use md5::{Digest, Md5};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

/// Long enough for a loaded machine; no test waits for it when all is well.
const DEADLINE: Duration = Duration::from_secs(20);

struct Client {
    stream: TcpStream,
    pending: Vec<u8>,
    actions: u32,
}

impl Client {
    async fn connect(server: &AmiServer) -> Self {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let mut client = Self {
            stream,
            pending: Vec::new(),
            actions: 0,
        };
        assert_eq!(client.until(b"\r\n").await, "Asterisk Call Manager/11.0.0");
        client
    }

    async fn login(server: &AmiServer, user: &str, rest: &str) -> Self {
        let mut client = Self::connect(server).await;
        let answer = client
            .ask(&format!(
                "Action: Login\r\nUsername: {user}\r\nSecret: loopback-only\r\n{rest}"
            ))
            .await;
        assert_eq!(answer.get("Message"), Some("Authentication accepted"));
        client
    }

    async fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(at) = self.pending.windows(end.len()).position(|w| w == end) {
                let rest = self.pending.split_off(at + end.len());
                let mut text = std::mem::replace(&mut self.pending, rest);
                text.truncate(at);
                return String::from_utf8_lossy(&text).into_owned();
            }
            let mut chunk = [0; 4096];
            let count = timeout(DEADLINE, self.stream.read(&mut chunk))
                .await
                .unwrap()
                .unwrap();
            assert!(
                count > 0,
                "closed; so far: {}",
                String::from_utf8_lossy(&self.pending)
            );
            self.pending.extend_from_slice(&chunk[..count]);
        }
    }

    async fn message(&mut self) -> Message {
        Message::parse(&self.until(b"\r\n\r\n").await)
    }

    async fn event(&mut self, name: &str) -> Message {
        loop {
            let message = self.message().await;
            if message.event_name() == name {
                return message;
            }
        }
    }

    async fn send(&mut self, action: &str) -> String {
        self.actions += 1;
        let id = format!("t-{}", self.actions);
        let text = format!("{}\r\nActionID: {id}\r\n\r\n", action.trim_end());
        self.stream.write_all(text.as_bytes()).await.unwrap();
        id
    }

    /// Sends an action and returns its answer, passing over events.
    async fn ask(&mut self, action: &str) -> Message {
        let id = self.send(action).await;
        loop {
            let message = self.message().await;
            if message.get("Response").is_some() {
                assert_eq!(message.get("ActionID"), Some(id.as_str()), "{message:?}");
                return message;
            }
        }
    }

    /// Asks for a list; returns its items and its end.
    async fn list(&mut self, action: &str) -> (Vec<Message>, Message) {
        let start = self.ask(action).await;
        assert_eq!(start.get("EventList"), Some("start"), "{start:?}");
        let id = start.get("ActionID").unwrap().to_owned();
        let mut items = Vec::new();
        loop {
            let message = self.message().await;
            if message.get("ActionID") != Some(&id) {
                continue;
            }
            if message.get("EventList") == Some("Complete") {
                assert_eq!(
                    message.get("ListItems"),
                    Some(items.len().to_string().as_str())
                );
                return (items, message);
            }
            items.push(message);
        }
    }

    async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        matches!(
            timeout(DEADLINE, self.stream.read_to_end(&mut rest)).await,
            Ok(Ok(_) | Err(_))
        )
    }
}

async fn server() -> AmiServer {
    let mut options = AmiOptions::on("127.0.0.1:0".parse().unwrap());
    options.refusal_delay = Duration::ZERO;
    AmiServer::start(options).await.unwrap()
}

#[tokio::test]
async fn a_plain_login_is_followed_by_fully_booted() {
    let server = server().await;
    let mut client = Client::login(&server, "crm", "").await;
    let booted = client.event("FullyBooted").await;
    assert_eq!(booted.get("Status"), Some("Fully Booted"));
    assert!(booted.get("Uptime").unwrap().parse::<u64>().unwrap() >= 86_400);
    assert_eq!(client.ask("Action: Ping").await.get("Ping"), Some("Pong"));
    assert_eq!(
        client.ask("action: LOGOFF").await.get("Response"),
        Some("Goodbye")
    );
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn an_md5_login_needs_the_digest_of_challenge_and_secret() {
    let server = server().await;
    for (secret, right) in [("loopback-only", true), ("guess", false)] {
        let mut client = Client::connect(&server).await;
        let challenge = client.ask("Action: Challenge\r\nAuthType: MD5").await;
        let digest = Md5::digest(format!("{}{secret}", challenge.get("Challenge").unwrap()));
        let key: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        let login = format!("Action: Login\r\nAuthType: MD5\r\nUsername: crm\r\nKey: {key}");
        let answer = client.ask(&login).await;
        assert_eq!(answer.get("Response") == Some("Success"), right);
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_after_a_delay_and_the_socket_closed() {
    let server = server().await;
    let delay = Duration::from_millis(200);
    server.set_refusal_delay(delay);
    let mut client = Client::connect(&server).await;
    let before = tokio::time::Instant::now();
    let answer = client
        .ask("Action: Login\r\nUsername: crm\r\nSecret: wrong")
        .await;
    assert_eq!(answer.get("Message"), Some("Authentication failed"));
    assert!(before.elapsed() >= delay);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn before_login_nothing_is_answered_but_the_socket_stays() {
    let server = server().await;
    let mut client = Client::connect(&server).await;
    for action in ["Ping", "CoreShowChannels"] {
        let answer = client.ask(&format!("Action: {action}")).await;
        assert_eq!(answer.get("Message"), Some("Permission denied"));
    }
    let login = "Action: Login\r\nUsername: crm\r\nSecret: loopback-only";
    assert_eq!(client.ask(login).await.get("Response"), Some("Success"));
}

#[tokio::test]
async fn rights_decide_which_actions_are_done() {
    let server = server().await;
    let mut client = Client::login(&server, "crmread", "Events: off").await;
    for action in ["Originate", "Status", "DBPut", "Filter"] {
        let answer = client.ask(&format!("Action: {action}")).await;
        assert_eq!(answer.get("Message"), Some("Permission denied"), "{action}");
    }
    let answer = client.ask("Action: Nonsense").await;
    assert_eq!(
        answer.get("Message"),
        Some(
            "Invalid/unknown command: Nonsense. Use Action: ListCommands to show available commands."
        )
    );
    assert_eq!(client.list("Action: BridgeList").await.0.len(), 0);
}

#[tokio::test]
async fn each_session_sees_what_its_rights_mask_and_filters_allow() {
    let server = server().await;
    let mut everything = Client::login(&server, "crm", "").await;
    let mut lean = Client::login(&server, "crmlean", "").await;
    let mut masked = Client::login(&server, "crm", "Events: off").await;
    let mut filtered = Client::login(&server, "crm", "").await;
    assert_eq!(
        masked
            .ask("Action: Events\r\nEventMask: cdr")
            .await
            .get("Events"),
        Some("On")
    );
    for event in ["CEL", "VarSet", "DeviceStateChange"] {
        let action = format!("Action: Filter\r\nOperation: Add\r\nFilter: !Event: {event}.*");
        assert_eq!(filtered.ask(&action).await.get("Response"), Some("Success"));
    }
    let unknown = "Action: Filter\r\nOperation: Add\r\nFilter: (a|b)";
    assert_eq!(filtered.ask(unknown).await.get("Response"), Some("Error"));

    let played = server
        .play(ScriptedCall::of("inbound_answered").speed(1000.0))
        .unwrap();
    assert!(!played.await.unwrap().cut_off);
    server.emit(&Message::event("UserEvent").with("Privilege", "user,all"));
    server.emit(
        &Message::event("Cdr")
            .with("Privilege", "cdr,all")
            .with("Disposition", "END"),
    );
    let mut seen = Vec::new();
    for client in [&mut everything, &mut lean, &mut masked, &mut filtered] {
        let mut names = BTreeSet::new();
        loop {
            let message = client.message().await;
            names.insert(message.event_name().to_owned());
            if message.get("Disposition") == Some("END") {
                break;
            }
        }
        seen.push(names);
    }
    let has = |index: usize, name: &str| seen[index].contains(name);
    assert!(has(0, "VarSet") && has(0, "Newexten") && has(0, "CEL") && has(0, "UserEvent"));
    assert!(!has(1, "VarSet") && !has(1, "Newexten") && has(1, "CEL") && has(1, "Hangup"));
    assert_eq!(seen[2], BTreeSet::from(["Cdr".to_owned()]));
    assert!(!has(3, "CEL") && !has(3, "VarSet") && has(3, "Newexten") && has(3, "Hangup"));
}

#[tokio::test]
async fn who_attaches_in_mid_call_is_told_the_truth() {
    let server = server().await;
    let mut watcher = Client::login(&server, "crm", "").await;
    let call = ScriptedCall::of("inbound_answered")
        .client("79035550111")
        .did("78120000001")
        .agent("101", "205");
    let played = server.play(call).unwrap();
    while watcher.event("BridgeEnter").await.get("BridgeNumChannels") != Some("2") {}

    let mut client = Client::login(&server, "crm", "Events: off").await;
    let (channels, _) = client.list("Action: CoreShowChannels").await;
    assert_eq!(channels.len(), 2);
    assert_eq!(channels[0].get("CallerIDNum"), Some("79035550111"));
    assert_eq!(channels[0].get("Exten"), Some("78120000001"));
    assert_eq!(channels[0].get("ChannelStateDesc"), Some("Up"));
    assert!(
        channels[1]
            .get("Channel")
            .unwrap()
            .starts_with("PJSIP/205-")
    );
    let bridge = channels[0].get("BridgeId").unwrap().to_owned();
    assert!(!bridge.is_empty());
    assert_eq!(channels[1].get("BridgeId"), Some(bridge.as_str()));

    let (status, end) = client.list("Action: Status").await;
    assert_eq!(status.len(), 2);
    assert_eq!(end.get("Items"), Some("2"));
    assert_eq!(status[0].get("DNID"), Some("78120000001"));
    let (bridges, _) = client.list("Action: BridgeList").await;
    assert_eq!(bridges.len(), 1);
    let action = format!("Action: BridgeInfo\r\nBridgeUniqueid: {bridge}");
    let (members, end) = client.list(&action).await;
    assert_eq!(members.len(), 2);
    assert_eq!(end.get("BridgeNumChannels"), Some("2"));
    let name = channels[0].get("Channel").unwrap();
    let linked = client
        .ask(&format!(
            "Action: Getvar\r\nChannel: {name}\r\nVariable: CHANNEL(linkedid)"
        ))
        .await;
    assert_eq!(linked.get("Value"), channels[0].get("Linkedid"));

    let played = played.await.unwrap();
    assert_eq!(
        channels[0].get("Uniqueid"),
        played.unique_ids.first().map(String::as_str)
    );
    assert_eq!(client.list("Action: CoreShowChannels").await.0.len(), 0);
}

#[tokio::test]
async fn calls_played_at_once_do_not_mix() {
    let server = server().await;
    let mut client = Client::login(&server, "crm", "Events: call").await;
    let mut calls = Vec::new();
    for n in 0..150 {
        let call = ScriptedCall::of("parallel_ring")
            .client(&format!("7903{n:07}"))
            .start_in(Duration::from_millis(n % 50));
        calls.push(server.play(call).unwrap());
    }
    let mut ended = 0;
    let mut interleaved = 0;
    let mut births = BTreeSet::new();
    let mut living = BTreeSet::new();
    while ended < 150 {
        let event = client.message().await;
        let id = event.get("Uniqueid").unwrap_or("").to_owned();
        match event.event_name() {
            "Newchannel" => {
                assert!(births.insert(id.clone()), "{id} was born twice");
                assert!(births.insert(event.get("Channel").unwrap().to_owned()));
                living.insert(id);
                interleaved = interleaved.max(living.len());
            }
            "Hangup" => {
                assert!(living.remove(&id), "{id} hung up without having lived");
                ended += u32::from(event.get("Uniqueid") == event.get("Linkedid"));
            }
            _ => {}
        }
    }
    assert!(
        interleaved > 150,
        "only {interleaved} channels lived at once"
    );
    for call in calls {
        assert!(!call.await.unwrap().cut_off);
    }
    assert_eq!(server.living_channels(), 0);
}

#[tokio::test]
async fn a_click_to_call_plays_under_the_ids_that_were_asked_for() {
    let server = server().await;
    server.on_originate("102", "originate_agent_busy");
    let mut client = Client::login(&server, "crm", "").await;
    let answer = client
        .ask(
            "Action: Originate\r\nChannel: PJSIP/205\r\nContext: from-internal\r\n\
             Exten: 79035550122\r\nPriority: 1\r\nAsync: true\r\nChannelId: crm-1\r\n\
             Variable: CRM_REQ=r-1",
        )
        .await;
    assert_eq!(answer.get("Message"), Some("Originate successfully queued"));
    let id = answer.get("ActionID").unwrap().to_owned();
    let born = client.event("Newchannel").await;
    assert_eq!(born.get("Uniqueid"), Some("crm-1"));
    assert_eq!(born.get("Linkedid"), Some("crm-1"));
    assert!(born.get("Channel").unwrap().starts_with("PJSIP/205-"));
    let set = client.event("VarSet").await;
    assert_eq!(
        (set.get("Variable"), set.get("Value")),
        (Some("CRM_REQ"), Some("r-1"))
    );
    let outcome = client.event("OriginateResponse").await;
    assert_eq!(outcome.get("ActionID"), Some(id.as_str()));
    assert_eq!(outcome.get("Response"), Some("Success"));
    assert_eq!(outcome.get("Exten"), Some("79035550122"));

    let mut other = Client::login(&server, "crm", "").await;
    let action = "Action: Originate\r\nChannel: PJSIP/102\r\nContext: from-internal\r\n\
                  Exten: 79035550123\r\nPriority: 1\r\nAsync: true";
    let id = other.ask(action).await.get("ActionID").unwrap().to_owned();
    let outcome = loop {
        let outcome = other.event("OriginateResponse").await;
        if outcome.get("ActionID") == Some(id.as_str()) {
            break outcome;
        }
    };
    assert_eq!(outcome.get("Response"), Some("Failure"));
}

#[tokio::test]
async fn a_restart_ends_calls_without_a_word_and_shows_a_small_uptime() {
    let server = server().await;
    let mut client = Client::login(&server, "crm", "").await;
    let call = server.play(ScriptedCall::of("inbound_answered")).unwrap();
    client.event("DialBegin").await;
    server.restart();
    assert_eq!(client.event("Shutdown").await.get("Restart"), Some("True"));
    assert!(client.is_closed().await);
    assert!(call.await.unwrap().cut_off);
    let mut client = Client::login(&server, "crm", "").await;
    let uptime = client
        .event("FullyBooted")
        .await
        .get("Uptime")
        .unwrap()
        .to_owned();
    assert!(uptime.parse::<u64>().unwrap() < 60);
    assert_eq!(client.list("Action: CoreShowChannels").await.0.len(), 0);
}

#[tokio::test]
async fn a_refused_connection_is_taken_again_later() {
    let server = server().await;
    server.refuse(true);
    let mut tries = 0;
    while TcpStream::connect(server.address()).await.is_ok() {
        tries += 1;
        assert!(tries < 10_000, "the port never closed");
        tokio::task::yield_now().await;
    }
    server.refuse(false);
    let mut tries = 0;
    while TcpStream::connect(server.address()).await.is_err() {
        tries += 1;
        assert!(tries < 10_000, "the port never opened");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_attached_recording_waits_for_the_client_that_attaches() {
    let server = server().await;
    let mut first = Client::login(&server, "crm", "").await;
    let call = server
        .play(
            ScriptedCall::of("attach_mid_call")
                .client("79035550133")
                .speed(10.0),
        )
        .unwrap();
    assert!(first.is_closed().await);
    let mut client = Client::login(&server, "crm", "").await;
    let (channels, _) = client.list("Action: CoreShowChannels").await;
    assert_eq!(channels.len(), 2);
    assert_eq!(channels[0].get("CallerIDNum"), Some("79035550133"));
    assert_eq!(client.event("Hangup").await.get("Cause"), Some("16"));
    assert!(!call.await.unwrap().cut_off);
}

#[tokio::test]
async fn long_lines_and_garbage_of_a_client_are_answered_with_an_error() {
    let server = server().await;
    let mut client = Client::login(&server, "crm", "Events: off").await;
    let long = format!("Action: Ping\r\nX: {}\r\n\r\n", "x".repeat(2000));
    client.stream.write_all(long.as_bytes()).await.unwrap();
    let answer = client.message().await;
    assert_eq!(
        answer.get("Message"),
        Some("Failed to parse message: line too long")
    );
    client
        .stream
        .write_all(b"\xff\xfe\x00 garbage\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(client.message().await.get("Response"), Some("Error"));
    assert_eq!(client.ask("Action: Ping").await.get("Ping"), Some("Pong"));
}

#[tokio::test]
async fn raw_bytes_reach_the_clients_as_they_are() {
    let server = server().await;
    let mut client = Client::login(&server, "crm", "Events: off").await;
    server.send_raw(b"Event: Half\r\nX: \xff\xfe\r\n");
    client.until(b"X: \xff\xfe\r\n").await;
    server.drop_sessions();
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn the_small_database_keeps_what_is_put() {
    let server = server().await;
    let mut client = Client::login(&server, "crm", "Events: off").await;
    let put = "Action: DBPut\r\nFamily: crm-route\r\nKey: 79161234567\r\nVal: 102";
    assert_eq!(
        client.ask(put).await.get("Message"),
        Some("Updated database successfully")
    );
    let (items, _) = client
        .list("Action: DBGet\r\nFamily: crm-route\r\nKey: 79161234567")
        .await;
    assert_eq!(items[0].get("Val"), Some("102"));
    let gone = client
        .ask("Action: DBGet\r\nFamily: crm-route\r\nKey: 1")
        .await;
    assert_eq!(gone.get("Message"), Some("Database entry not found"));
    client.ask(&put.replace("crm-route", "crm-routes")).await;
    let tree = "Action: DBGetTree\r\nFamily: crm-route";
    let (items, _) = client.list(tree).await;
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0].get("Key"), Some("/crm-route/79161234567"));
    assert_eq!(items[0].get("Val"), Some("102"));
    let delete = "Action: DBDel\r\nFamily: crm-route\r\nKey: 79161234567";
    for message in [
        "Key deleted successfully",
        "Database entry could not be deleted",
    ] {
        assert_eq!(client.ask(delete).await.get("Message"), Some(message));
    }
    assert_eq!(client.list(tree).await.0, []);
}

/// The transcripts of a real server, asked again: the same headers in the same order.
#[tokio::test]
async fn answers_have_the_headers_of_the_real_server() {
    let server = server().await;
    let mut client = Client::login(&server, "crm", "Events: off").await;
    let transcript = include_str!("../../../tests/data/asterisk/ami-lists.transcript");
    let names = |message: &Message| -> Vec<String> {
        message
            .fields()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    };
    for action in ["CoreSettings", "CoreStatus"] {
        let recorded = transcript
            .split(&format!(">> Action: {action}\n"))
            .nth(1)
            .unwrap();
        let recorded = recorded
            .split(">>\n")
            .nth(1)
            .unwrap()
            .split("\n\n")
            .next()
            .unwrap();
        let answer = client.ask(&format!("Action: {action}")).await;
        assert_eq!(names(&answer), names(&Message::parse(recorded)), "{action}");
    }
    let attach = include_str!("../../../tests/data/asterisk/attach_mid_call.txt");
    let recorded: Vec<Message> = attach.split("\r\n\r\n").map(Message::parse).collect();
    let mut watcher = Client::login(&server, "crm", "Events: call").await;
    let call = server.play(ScriptedCall::of("inbound_answered")).unwrap();
    while watcher.event("BridgeEnter").await.get("BridgeNumChannels") != Some("2") {}
    for (action, item, end) in [
        (
            "CoreShowChannels",
            "CoreShowChannel",
            "CoreShowChannelsComplete",
        ),
        ("Status", "Status", "StatusComplete"),
        ("BridgeList", "BridgeListItem", "BridgeListComplete"),
    ] {
        let (items, last) = client.list(&format!("Action: {action}")).await;
        let like = |name: &str| recorded.iter().find(|m| m.event_name() == name).unwrap();
        assert_eq!(names(&items[0]), names(like(item)));
        assert_eq!(names(&last), names(like(end)));
    }
    call.abort();
}

#[tokio::test]
async fn the_switch_keeps_its_logs_though_nobody_is_connected() {
    let folder = tempfile::tempdir().unwrap();
    let ami = AmiServer::start(AmiOptions::on(([127, 0, 0, 1], 0).into()))
        .await
        .unwrap();
    ami.keep_logs(folder.path()).unwrap();
    let call = ScriptedCall::of("inbound_answered").speed(100.0);
    let played = ami.play(call).unwrap().await.unwrap();
    let linked_id = &played.unique_ids[0];
    let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let cel = read("cel-custom/Master.csv");
    let kinds: Vec<&str> = cel
        .lines()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert_eq!(
        (kinds.first(), kinds.last()),
        (Some(&"CHAN_START"), Some(&"LINKEDID_END"))
    );
    assert!(
        cel.lines().all(|line| line.contains(linked_id.as_str())),
        "{cel}"
    );
    let cdr = read("cdr-csv/Master.csv");
    assert_eq!(cdr.lines().count(), 1, "{cdr}");
    assert!(
        cdr.contains("\"ANSWERED\"") && cdr.contains(linked_id.as_str()),
        "{cdr}"
    );
    assert_eq!(ami.log_failure(), None);
}
