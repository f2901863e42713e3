//! Nonsense on the HTTP ports: it costs a line of the log at the most, and nothing else.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::daemon::Daemon;
use super::home::{ADMIN_TOKEN, SITE_HOOK};
use super::office::{Office, site_call};

/// So much is poured into an endless line or body: far more than memory may grow.
const ENDLESS_BYTES: usize = 64 * 1024 * 1024;

/// The most that the daemon's memory may grow: buffers of some hundred connections.
const GROWTH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How long a peer that neither reads nor closes is offered more.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections that say nothing.
const IDLE: usize = 300;

/// The clients of the calls before the trouble and after it.
const FIRST: &str = "+79169990000";
const NEXT: &str = "+79169990001";

/// Opens a connection, says something, and goes on with the same piece until enough was poured
/// in, the daemon closes, or it reads no more.
async fn pour(address: SocketAddr, beginning: &str, piece: &[u8], bytes_max: usize) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let pouring = async {
        stream.write_all(beginning.as_bytes()).await?;
        let mut poured = 0;
        while !piece.is_empty() && poured < bytes_max {
            match timeout(PATIENCE, stream.write_all(piece)).await {
                Ok(written) => written?,
                Err(_) => break,
            }
            poured += piece.len();
        }
        Ok::<(), std::io::Error>(())
    };
    // Closed in the middle, as it should be.
    drop(pouring.await);
}

/// Says something that is no request and returns what is answered until the daemon closes.
async fn say(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(bytes).await.expect("it reads");
    stream.shutdown().await.expect("it is open");
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    // A reset is as good as an end.
    drop(read.expect("the daemon closes"));
    String::from_utf8_lossy(&answer).into_owned()
}

/// The next good requests are answered, on both ports, and the call gets into the CRM.
async fn goes_on(office: &Office, daemon: &Daemon) {
    let began = Instant::now();
    let posted = daemon.post(&site_call("good", NEXT, 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    let status = daemon.get("/v1/status").await;
    assert_eq!(status["ready"], true, "{status}");
    assert_eq!(office.home.run(&["status"]).await.status, Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    daemon.settled(2).await;
    office.holds_one_answered_call_of_each(&[FIRST, NEXT]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_on_the_http_ports_costs_a_log_line_at_the_most() {
    let office = Office::open().await;
    let daemon = office.start_warm(FIRST).await;
    let memory = daemon.resident_bytes();
    let before = office.home.log_lines_not_about("good");
    let mut said = 0;
    let own = format!("/v1/events/acme/site/{SITE_HOOK}");
    for port in [office.home.intake(), office.home.admin()] {
        for garbage in [
            &b"\x00\xff\xfe\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
            b"GARBAGE\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"Action: Login\r\nUsername: x\r\n\r\n",
        ] {
            let answer = say(port, garbage).await;
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{answer:?}"
            );
            said += 1;
        }
        // Half a request, then the sender is gone.
        for half in [
            "GE",
            "GET /v1/status HTTP/1.1\r\nHo",
            "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab",
        ] {
            say(port, half.as_bytes()).await;
            said += 1;
        }
        let piece = vec![b'a'; 64 * 1024];
        let chunk = [b"10000\r\n", &piece[..], b"\r\n"].concat();
        let endless = [
            ("GET /".to_owned(), &piece),
            ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ".to_owned(), &piece),
            (format!("POST {own} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"), &chunk),
            (format!("POST {own} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"), &piece),
            ("POST /v1/events/acme/site/a-wrong-secret HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), &chunk),
            ("POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), &chunk),
            (format!("POST /v1/dead-letters/retry HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"), &chunk),
            (format!("GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n"), &chunk),
        ];
        for (beginning, piece) in endless {
            pour(port, &beginning, piece, ENDLESS_BYTES).await;
            said += 1;
        }
    }
    goes_on(&office, &daemon).await;
    let more = office.home.log_lines_not_about("good") - before;
    assert!(
        more <= said,
        "{more} lines for {said} pieces:\n{}",
        office.home.log()
    );
    let grown = daemon.resident_bytes().saturating_sub(memory);
    assert!(grown < GROWTH_BYTES_MAX, "grown by {grown} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_silent_connections_do_not_keep_others_out() {
    let office = Office::open().await;
    let daemon = office.start_warm(FIRST).await;
    let memory = daemon.resident_bytes();
    let before = office.home.log_lines_not_about("good");
    let mut silent = Vec::new();
    for port in [office.home.intake(), office.home.admin()] {
        for number in 0..IDLE {
            let mut stream = TcpStream::connect(port).await.expect("it listens");
            // Some say nothing at all, some begin a head, some begin a body.
            let beginning = [
                "",
                "GET /v1/st",
                "POST /v1/events/acme/site/a-wrong-secret HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
            ][number % 3];
            stream
                .write_all(beginning.as_bytes())
                .await
                .expect("it reads");
            silent.push(stream);
        }
    }
    goes_on(&office, &daemon).await;
    let more = office.home.log_lines_not_about("good") - before;
    // A wrong secret is told; on the admin port nobody gets so far.
    assert!(more <= IDLE / 3, "{}", office.home.log());
    let grown = daemon.resident_bytes().saturating_sub(memory);
    assert!(grown < GROWTH_BYTES_MAX, "grown by {grown} bytes");
    drop(silent);
}

/// A sender that never ends its body must not hold a place for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_stops_in_the_middle_is_sent_away() {
    let office = Office::open().await;
    let daemon = office.start_warm(FIRST).await;
    let half_body = "Host: localhost\r\nContent-Length: 9\r\n\r\n{";
    let half_requests = [
        "POST /v1/events HTTP/1.1\r\nContent-Le".to_owned(),
        format!("POST /v1/events/acme/site/a-wrong-secret HTTP/1.1\r\n{half_body}"),
        format!("POST /v1/events/acme/site/{SITE_HOOK} HTTP/1.1\r\n{half_body}"),
        format!("POST /elsewhere HTTP/1.1\r\n{half_body}"),
        format!("GET /healthz HTTP/1.1\r\n{half_body}"),
    ];
    let mut senders = Vec::new();
    for port in [office.home.intake(), office.home.admin()] {
        for beginning in &half_requests {
            let mut stream = TcpStream::connect(port).await.expect("it listens");
            stream
                .write_all(beginning.as_bytes())
                .await
                .expect("it reads");
            senders.push((port, beginning, stream));
        }
    }
    for (port, beginning, mut stream) in senders {
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(40), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "still open: {port} {beginning:?}");
        assert!(answer.starts_with(b"HTTP/1.1 "), "{port} {beginning:?}");
    }
    goes_on(&office, &daemon).await;
}
