//! Until when a server's certificate is good: the one date of it that we read.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

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

/// Reads `notAfter` of a certificate (RFC 5280 §4.1): the second date of the fourth or fifth part of
/// its first part.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (tag, certificate, _) = element(der)?;
    let (inner, body, _) = element(certificate)?;
    if (tag, inner) != (SEQUENCE, SEQUENCE) {
        return None;
    }
    let mut rest = body;
    if *rest.first()? == VERSION {
        rest = element(rest)?.2;
    }
    // Serial number, signature, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (tag, validity, _) = element(rest)?;
    if tag != SEQUENCE {
        return None;
    }
    let (_, _, rest) = element(validity)?;
    let (tag, date, _) = element(rest)?;
    date_of(tag, std::str::from_utf8(date).ok()?)
}

/// Splits off one element: tag, content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Reads a date: `YYMMDDHHMMSSZ` (years from 1950) or `YYYYMMDDHHMMSSZ`.
fn date_of(tag: u8, text: &str) -> Option<Timestamp> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED: u8 = 0x18;
    let digits = text.strip_suffix('Z')?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = match (tag, digits.len()) {
        (UTC_TIME, 12) if digits >= "5" => format!("19{digits}"),
        (UTC_TIME, 12) => format!("20{digits}"),
        (GENERALIZED, 14) => digits.to_owned(),
        _ => return None,
    };
    if !plain {
        return None;
    }
    let at = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let (date, time) = (
        (at(0, 4), at(4, 6), at(6, 8)),
        (at(8, 10), at(10, 12), at(12, 14)),
    );
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        date.0, date.1, date.2, time.0, time.1, time.2
    );
    Timestamp::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_a_certificate_is_read() {
        let mut wanted = rcgen::CertificateParams::new(vec!["box.example".to_owned()]).unwrap();
        wanted.not_after = rcgen::date_time_ymd(2027, 3, 4);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = wanted.self_signed(&key).unwrap();
        let read = not_after(certificate.der()).unwrap();
        assert_eq!(read.to_string(), "2027-03-04T00:00:00.000Z");
        let der: &[u8] = certificate.der();
        for cut in 0..der.len().min(200) {
            // Whatever is cut off, nothing breaks.
            let _ = not_after(&der[..cut]);
        }
        assert_eq!(not_after(&[0x30, 0x84, 1, 1, 1, 1]), None);
    }

    #[test]
    fn both_forms_of_dates_are_read() {
        let read = |tag, text| date_of(tag, text).map(|at| at.to_string());
        assert_eq!(
            read(0x17, "270304050607Z").unwrap(),
            "2027-03-04T05:06:07.000Z"
        );
        assert_eq!(
            read(0x17, "990304050607Z").unwrap(),
            "1999-03-04T05:06:07.000Z"
        );
        assert_eq!(
            read(0x18, "20510304050607Z").unwrap(),
            "2051-03-04T05:06:07.000Z"
        );
        assert_eq!(read(0x18, "2051030405060Z"), None);
        assert_eq!(read(0x17, "27030405060ыZ"), None);
    }
}
