//! What a simulated service does to a connection when a fault strikes: closes it without an
//! answer, or lets the body drip.

use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream::{self, Stream};

/// A second hand on the socket of a connection, to close it without an answer.
struct Socket(TcpStream);

/// Keeps a hand on each connection; to be given to the server's `on_connect`.
pub(in crate::lab) fn remember(connection: &dyn Any, extensions: &mut Extensions) {
    let stream = connection.downcast_ref::<actix_web::rt::net::TcpStream>();
    let copy = stream.and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
    if let Some(copy) = copy {
        extensions.insert(Socket(TcpStream::from(copy)));
    }
}

/// Closes the connection of a request; the answer that is returned goes nowhere.
pub(in crate::lab) fn close(request: &HttpRequest) -> HttpResponse {
    if let Some(socket) = request.conn_data::<Socket>() {
        // An error here means that the peer was faster.
        let _ = socket.0.shutdown(Shutdown::Both);
    }
    HttpResponse::InternalServerError().finish()
}

/// Cuts a body into small chunks with pauses between them.
pub(in crate::lab) fn drip(
    body: Bytes,
    chunk_bytes: usize,
    pause: Duration,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let chunk = rest.split_to(chunk_bytes.clamp(1, rest.len()));
        Some((Ok::<Bytes, io::Error>(chunk), rest))
    })
}
