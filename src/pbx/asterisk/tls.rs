//! TLS to the PBX: by the system's authorities, by a given one, or by one pinned certificate.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::BuilderVerifierExt;
use sha2::{Digest, Sha256};

use crate::model::object_reader::{Reader, TextShape};

/// The certificates of a bundle are read once, at start; system bundles are a fifth of this.
const CA_BYTES_MAX: u64 = 1024 * 1024;

/// How the connection is protected.
#[derive(Debug, Clone)]
pub(super) struct TlsSettings {
    /// The name that the certificate must be for.
    pub(super) server_name: ServerName<'static>,
    trust: Trust,
}

#[derive(Debug, Clone)]
enum Trust {
    /// Whom the operating system trusts.
    System,
    /// Those who are signed by these.
    Authorities(RootCertStore),
    /// The one with this SHA-256, whatever its name and dates.
    Pinned([u8; 32]),
}

/// Reads the `tls` table; `host` is the name to check when none is given.
pub(super) fn read(mut r: Reader<'_>, host: &str) -> Option<TlsSettings> {
    let given_name = r.text("server_name", TextShape::Line(253));
    let name = given_name.as_deref().unwrap_or(host).to_owned();
    let server_name = ServerName::try_from(name).ok();
    // A bad host has been named at `host` already.
    if server_name.is_none() && given_name.is_some() {
        r.wrong("server_name", "must be a host name or an address");
    }
    let ca = r.text("ca", TextShape::Line(4096));
    let pin = r.text("certificate_sha256", TextShape::Line(128));
    if ca.is_some() && pin.is_some() {
        r.wrong("certificate_sha256", "excludes ca: give one of the two");
    }
    let trust = match (&ca, &pin) {
        (Some(path), _) => match authorities(path) {
            Ok(store) => Some(Trust::Authorities(store)),
            Err(message) => {
                r.wrong("ca", message);
                None
            }
        },
        (None, Some(text)) => {
            let pinned = fingerprint(text);
            if pinned.is_none() {
                r.wrong(
                    "certificate_sha256",
                    "must be 64 hexadecimal digits, colons permitted",
                );
            }
            pinned.map(Trust::Pinned)
        }
        (None, None) => Some(Trust::System),
    };
    r.finish();
    Some(TlsSettings {
        server_name: server_name?,
        trust: trust?,
    })
}

fn authorities(path: &str) -> Result<RootCertStore, String> {
    let length = std::fs::metadata(path)
        .map_err(|error| format!("{path}: {error}"))?
        .len();
    if length > CA_BYTES_MAX {
        return Err(format!("{path} is longer than {CA_BYTES_MAX} bytes"));
    }
    let text = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| format!("{path}: {error}"))?;
        store
            .add(certificate)
            .map_err(|error| format!("{path}: {error}"))?;
    }
    if store.is_empty() {
        return Err(format!("{path} holds no certificate in PEM form"));
    }
    Ok(store)
}

/// Reads `AB:CD:…` or `abcd…`.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .filter_map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect();
    if digits.len() == 64 {
        bytes.try_into().ok()
    } else {
        None
    }
}

impl TlsSettings {
    /// Builds what a connection needs. Fails where the system has no authorities.
    pub(super) fn client_config(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        Ok(match &self.trust {
            Trust::System => builder.with_platform_verifier()?.with_no_client_auth(),
            Trust::Authorities(store) => builder
                .with_root_certificates(store.clone())
                .with_no_client_auth(),
            Trust::Pinned(sha256) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(PinnedVerifier {
                    sha256: *sha256,
                    provider,
                }))
                .with_no_client_auth(),
        })
    }
}

/// Accepts one certificate alone, and checks that the other side holds its key.
#[derive(Debug)]
struct PinnedVerifier {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The fingerprint is public: comparing it needs no constant time.
        let shown = Sha256::digest(end_entity.as_ref());
        if shown.as_slice() == self.sha256 {
            Ok(ServerCertVerified::assertion())
        } else {
            let hex: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
            Err(rustls::Error::General(format!(
                "the PBX shows another certificate than the pinned one: its SHA-256 is {hex}"
            )))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_colons_and_without() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(fingerprint(&plain), Some([0xab; 32]));
        assert_eq!(fingerprint(&colons), Some([0xab; 32]));
        for wrong in [
            "",
            "ab",
            &"ab".repeat(33),
            &"xy".repeat(32),
            &format!("{plain}a"),
        ] {
            assert_eq!(fingerprint(wrong), None, "{wrong}");
        }
    }
}
