//! Opens the byte stream to the PBX: name, TCP, and TLS where it is wanted.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::settings::AsteriskSettings;
use crate::pbx::ListenerError;

/// A byte stream in both directions.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Connects within the settings' time-out.
pub(super) async fn connect(
    settings: &AsteriskSettings,
) -> Result<Box<dyn ByteStream>, ListenerError> {
    let place = format!("{}:{}", settings.host, settings.port);
    let connecting = open(settings, &place);
    match tokio::time::timeout(settings.connect_timeout, connecting).await {
        Ok(opened) => opened,
        Err(_) => Err(ListenerError::Connection(format!(
            "connect to {place}: no connection after {} s",
            settings.connect_timeout.as_secs()
        ))),
    }
}

async fn open(
    settings: &AsteriskSettings,
    place: &str,
) -> Result<Box<dyn ByteStream>, ListenerError> {
    let failed =
        |error: std::io::Error| ListenerError::Connection(format!("connect to {place}: {error}"));
    let addresses = tokio::net::lookup_host((settings.host.as_str(), settings.port))
        .await
        .map_err(failed)?;
    let mut last_error = std::io::Error::other("the name has no address");
    let mut stream = None;
    for address in addresses {
        match tcp(address).await {
            Ok(opened) => {
                stream = Some(opened);
                break;
            }
            Err(error) => last_error = error,
        }
    }
    let stream = stream.ok_or(last_error).map_err(failed)?;
    let Some(tls) = &settings.tls else {
        return Ok(Box::new(stream));
    };
    let config = tls
        .client_config()
        .map_err(|error| ListenerError::Connection(format!("prepare TLS to {place}: {error}")))?;
    let secured = TlsConnector::from(Arc::new(config))
        .connect(tls.server_name.clone(), stream)
        .await
        .map_err(|error| {
            ListenerError::Connection(format!("agree on TLS with {place}: {error}"))
        })?;
    Ok(Box::new(secured))
}

async fn tcp(address: std::net::SocketAddr) -> std::io::Result<TcpStream> {
    let socket = match address {
        std::net::SocketAddr::V4(_) => TcpSocket::new_v4()?,
        std::net::SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The kernel's probes are a second guard beside our own pings, for the time in which the
    // store makes us wait and nobody pings.
    socket.set_keepalive(true)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
