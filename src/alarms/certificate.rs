//! Until when a server's certificate is good: the one date of it that we read.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::model::timestamp::Timestamp;

/// How long a handshake may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Why no date was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoDate {
    /// Nobody answers there; from inside of some networks one's own outside address cannot be
    /// reached, which says nothing about the certificate.
    Unreachable(String),
    /// The certificate is refused: over, of another name, of an unknown authority.
    Refused(String),
}

/// Connects and reads until when the certificate is good.
///
/// # Errors
/// Why there is no date.
pub async fn good_until(host: &str, port: u16) -> Result<Timestamp, NoDate> {
    match tokio::time::timeout(WITHIN, look(host, port)).await {
        Ok(found) => found,
        Err(_) => Err(NoDate::Unreachable(format!(
            "no answer within {} s",
            WITHIN.as_secs()
        ))),
    }
}

async fn look(host: &str, port: u16) -> Result<Timestamp, NoDate> {
    let refused = |error: &dyn std::fmt::Display| NoDate::Refused(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?
        .with_platform_verifier()
        .map_err(|error| refused(&error))?
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| refused(&error))?;
    let unreachable = |error: std::io::Error| NoDate::Unreachable(error.to_string());
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(unreachable)?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|error| {
        let is_tls = error
            .get_ref()
            .is_some_and(|inner| inner.is::<rustls::Error>());
        match is_tls {
            true => refused(&error),
            false => NoDate::Unreachable(error.to_string()),
        }
    })?;
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    let date = certificate.and_then(|der| not_after(der));
    date.ok_or_else(|| NoDate::Refused("its date cannot be read".to_owned()))
}

/// Reads until when a certificate is good.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let certificate = Certificate::from_der(der).ok()?;
    let validity = certificate.tbs_certificate().validity();
    let secs = validity.not_after.to_unix_duration().as_secs();
    Some(Timestamp::from_secs(i64::try_from(secs).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_a_certificate_is_read() {
        // The second form of a date is that of years from 2050 on.
        for (year, date) in [
            (2027, "2027-03-04T00:00:00.000Z"),
            (2051, "2051-03-04T00:00:00.000Z"),
        ] {
            let names = vec!["box.example".to_owned()];
            let mut wanted = rcgen::CertificateParams::new(names).expect("a name");
            wanted.not_after = rcgen::date_time_ymd(year, 3, 4);
            let key = rcgen::KeyPair::generate().expect("a key");
            let certificate = wanted.self_signed(&key).expect("signed");
            let read = not_after(certificate.der()).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Some(date));
            let der: &[u8] = certificate.der();
            for cut in 0..der.len() {
                assert_eq!(not_after(&der[..cut]), None, "cut at {cut}");
            }
        }
        assert_eq!(not_after(&[0x30, 0x84, 1, 1, 1, 1]), None);
    }
}
