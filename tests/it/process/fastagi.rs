//! The dialplan's door of the real program.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;
use trunkline::lab::amocrm::SeedCard;

use super::home::Home;
use super::office::{ANNA, Office};
use super::wait::{until, when};

/// Anna's number, whoever calls it.
const NUMBER: &str = "[[numbers]]\nnumber = \"+74951230010\"\nscenario = \"employee\"\n\
    employee = \"anna\"\n\n[[employees]]\nid = \"anna\"";

fn of_anna(home: &Home) {
    home.edit_tenant("[[employees]]\nid = \"anna\"", NUMBER);
}

async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let from = format!("{from}:0").parse().expect("an address");
    socket.bind(from).expect("a local address");
    socket.connect(to).await.expect("it listens")
}

/// Asks as Asterisk does; returns the commands.
async fn told(mut stream: TcpStream, script: &str) -> String {
    let environment = format!(
        "agi_network: yes\nagi_network_script: {script}\nagi_callerid: 79161234567\n\
         agi_extension: s\nagi_arg_1: 74951230010\n\n"
    );
    let asked = stream.write_all(environment.as_bytes()).await;
    asked.expect("it reads");
    let mut commands = String::new();
    let read = stream.read_to_string(&mut commands).await;
    read.expect("it answers and closes its side");
    let replies = "200 result=1\n".repeat(commands.lines().count());
    let replied = stream.write_all(replies.as_bytes()).await;
    replied.expect("it reads what came of it");
    commands
}

fn sets(commands: &str, name: &str, value: &str) -> bool {
    commands.contains(&format!("SET VARIABLE TRUNKLINE_{name} \"{value}\"\n"))
}

const LOOKUP: &str = "lookup?tenant=acme&source=office";

#[tokio::test]
async fn a_dialplan_is_told_whom_to_ring_and_hears_of_a_change_at_the_next_call() {
    let office = Office::open().await;
    of_anna(&office.home);
    let daemon = office.start().await;
    let door = office.home.fastagi();
    let commands = told(connect("127.0.0.1", door).await, LOOKUP).await;
    assert_eq!(commands.lines().count(), 4, "{commands}");
    assert!(sets(&commands, "EXTEN", "101"), "{commands}");
    assert!(sets(&commands, "ROUTE", "did_employee"), "{commands}");
    office
        .home
        .edit_tenant("employee = \"anna\"", "employee = \"boris\"");
    daemon.reload().await;
    let commands = told(connect("127.0.0.1", door).await, LOOKUP).await;
    assert!(sets(&commands, "EXTEN", "102"), "{commands}");
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn who_is_not_allowed_and_who_asks_for_nothing_known_is_told_nothing_and_not_kept_waiting() {
    let office = Office::open().await;
    of_anna(&office.home);
    office.home.edit_tenant(
        "name = \"Офис\"\n",
        "name = \"Офис\"\nquestions = { allow = [\"127.0.0.1\"] }\n",
    );
    let daemon = office.start().await;
    let door = office.home.fastagi();
    for (from, script) in [
        ("127.0.0.99", LOOKUP),
        ("127.0.0.1", "lookup?tenant=acme&source=nobody"),
        ("127.0.0.1", "lookup?tenant=../../etc&source=%0a"),
        ("127.0.0.1", "route?tenant=acme&source=office"),
    ] {
        let commands = told(connect(from, door).await, script).await;
        for name in ["EXTEN", "CLIENT", "MANAGER"] {
            assert!(sets(&commands, name, ""), "{from} {script}: {commands}");
        }
        assert!(sets(&commands, "ROUTE", "none"), "{from} {script}");
    }
    assert!(sets(
        &told(connect("127.0.0.1", door).await, LOOKUP).await,
        "EXTEN",
        "101"
    ));
    assert_eq!(daemon.terminate().await, Some(0));
}

/// Sends this and waits for the end; returns what was said and how long it took.
async fn thrown_at(door: SocketAddr, pieces: &[&[u8]], pause: Duration) -> (String, Duration) {
    let begun = Instant::now();
    let stream = connect("127.0.0.3", door).await;
    let (mut read, mut write) = stream.into_split();
    let writing = async {
        for piece in pieces {
            // It may be closed while we write.
            if write.write_all(piece).await.is_err() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        // Ours stays open: the end must come from the other side.
        std::future::pending::<()>().await;
    };
    let mut said = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(30), read.read_to_end(&mut said));
    tokio::select! {
        () = writing => {}
        read = reading => drop(read.expect("it is closed")),
    }
    (String::from_utf8_lossy(&said).into_owned(), begun.elapsed())
}

#[tokio::test]
async fn slow_huge_and_senseless_input_is_cut_off_and_the_next_caller_is_answered() {
    let office = Office::open().await;
    of_anna(&office.home);
    let daemon = office.start().await;
    let door = office.home.fastagi();
    let line = b"agi_network: yes\n".repeat(60_000);
    let value = [b"agi_callerid: ".as_slice(), &[b'9'; 1_000_000]].concat();
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let hello = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        &[7; 512],
    ]
    .concat();
    for (what, input) in [
        ("lines without end", line.as_slice()),
        ("a value without end", &value),
        ("noise", &noise),
        ("TLS", &hello),
        (
            "HTTP",
            b"GET /lookup?tenant=acme&source=office HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        ("nothing but line ends", &[b'\n'; 4096]),
    ] {
        let (said, _) = thrown_at(door, &[input], Duration::ZERO).await;
        assert!(!said.contains("101"), "{what}: {said}");
    }
    // A byte every now and then does not keep it either.
    let drops = [b"a".as_slice(); 200];
    let (said, took) = thrown_at(door, &drops, Duration::from_millis(100)).await;
    assert_eq!(said, "");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let commands = told(connect("127.0.0.1", door).await, LOOKUP).await;
    assert!(sets(&commands, "EXTEN", "101"), "{commands}");
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn a_client_whose_name_is_a_command_of_the_dialplan_is_one_value() {
    let office = Office::open().await;
    office.home.edit_tenant(
        "[integrations.settings.calls]\n",
        "[integrations.settings.personal_manager]\n\n[integrations.settings.calls]\n",
    );
    let hostile = "x\nEXEC System \"touch /tmp/pwned\"\nSET VARIABLE TRUNKLINE_EXTEN \"666\"";
    office
        .crm
        .add_contact(&SeedCard::new(hostile, "8 (916) 123-45-67", ANNA));
    let daemon = office.start().await;
    let door = office.home.fastagi();
    let commands = until("the client is known", async || {
        let commands = told(connect("127.0.0.1", door).await, LOOKUP).await;
        when(sets(&commands, "EXTEN", "101"), &commands)?;
        Ok(commands)
    })
    .await;
    let name = r#"x EXEC System \"touch /tmp/pwned\" SET VARIABLE TRUNKLINE_EXTEN \"666\""#;
    assert!(sets(&commands, "CLIENT", name), "{commands}");
    assert_eq!(commands.lines().count(), 4, "{commands}");
    for line in commands.lines() {
        assert!(line.starts_with("SET VARIABLE TRUNKLINE_"), "{commands}");
    }
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed_and_never_outlive_the_daemon() {
    let office = Office::open().await;
    of_anna(&office.home);
    let daemon = office.start().await;
    let door = office.home.fastagi();
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(connect("127.0.0.2", door).await);
    }
    let commands = told(connect("127.0.0.1", door).await, LOOKUP).await;
    assert!(sets(&commands, "EXTEN", "101"), "{commands}");
    for mut stream in silent {
        // Well within what the test may take: two seconds after they were opened.
        let end = stream.read_to_end(&mut Vec::new()).await;
        assert!(matches!(end, Ok(0) | Err(_)));
    }
    until("the figures are shown", async || {
        let url = format!("http://{}/metrics", office.home.admin());
        let asked = daemon.http.get(url).bearer_auth(super::home::ADMIN_TOKEN);
        let text = asked.send().await.map_err(|error| error.to_string())?;
        let text = text.text().await.map_err(|error| error.to_string())?;
        let of = |ending: &str| {
            let name = format!("trunkline_fastagi_questions{{ending=\"{ending}\"}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&name));
            line.and_then(|count| count.parse::<u32>().ok())
        };
        let shown = [of("answered"), of("full"), of("silent")];
        // A place that a silent one leaves while the others still come is taken once more.
        let expected = matches!(
            shown,
            [Some(1), Some(full), Some(silent)] if silent >= 256 && full + silent == 300
        );
        when(expected, format!("{shown:?}"))
    })
    .await;
    let mut waiting = connect("127.0.0.1", door).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let end = waiting.read_to_end(&mut Vec::new()).await;
    assert!(matches!(end, Ok(0) | Err(_)));
}
