//! The server on real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::LocalSet;

use super::super::{Bounds, serve};
use super::doubles::{Fake, SCRIPT, ask, environment};
use crate::pbx::Answerer;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test beside a server; returns when both have ended.
async fn beside(bounds: Bounds, test: impl AsyncFnOnce(SocketAddr, watch::Sender<bool>)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let answerer: Arc<dyn Answerer> = Arc::new(Fake::naming("x"));
    let both = async {
        let test = async {
            test(address, stop).await;
        };
        tokio::join!(serve(listener, answerer, bounds, stopped), test)
    };
    let local = LocalSet::new();
    let both = local.run_until(both);
    tokio::time::timeout(PATIENCE, both).await.unwrap();
}

async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

async fn commands_told(from: &str, to: SocketAddr) -> usize {
    let stream = connect(from, to).await;
    ask(stream, &environment(SCRIPT)).await.lines().count()
}

#[tokio::test]
async fn silent_connections_cost_nothing_to_the_others() {
    let bounds = Bounds {
        connections_max: 8,
        connections_of_one_address_max: 4,
        // The silent ones stay for the whole test.
        peer_within: PATIENCE,
    };
    beside(bounds, async |address, stop| {
        let mut silent = Vec::new();
        for _ in 0..4 {
            silent.push(connect("127.0.0.2", address).await);
        }
        // The address has no seat left; it is told so at once.
        let mut fifth = connect("127.0.0.2", address).await;
        let end = fifth.read_to_end(&mut Vec::new()).await;
        assert!(matches!(end, Ok(0) | Err(_)));
        for _ in 0..20 {
            assert_eq!(commands_told("127.0.0.1", address).await, 4);
        }
        stop.send_replace(true);
    })
    .await;
}

#[tokio::test]
async fn a_panic_costs_its_own_connection_only() {
    beside(Bounds::default(), async |address, stop| {
        let panics = environment(&format!("{SCRIPT}&phone=panic"));
        let told = ask(connect("127.0.0.1", address).await, &panics).await;
        assert_eq!(told, "");
        assert_eq!(commands_told("127.0.0.1", address).await, 4);
        stop.send_replace(true);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_ends_keeps_no_connection() {
    beside(Bounds::default(), async |address, stop| {
        let mut waiting = connect("127.0.0.1", address).await;
        assert_eq!(commands_told("127.0.0.1", address).await, 4);
        stop.send_replace(true);
        let end = waiting.read_to_end(&mut Vec::new()).await;
        assert!(matches!(end, Ok(0) | Err(_)));
    })
    .await;
}
