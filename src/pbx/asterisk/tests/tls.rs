//! TLS to the PBX, with certificates made on the spot.

use std::io::Write;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use super::doubles::{Bench, ended};
use super::fake_pbx::{Face, FakePbx, header};
use crate::pbx::ListenerError;

struct Certificate {
    pem: tempfile::NamedTempFile,
    sha256: String,
    acceptor: TlsAcceptor,
}

fn certificate() -> Certificate {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["pbx.example".to_owned()]).expect("makes one");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a certificate");
    let mut pem = tempfile::NamedTempFile::new().expect("a file");
    pem.write_all(cert.pem().as_bytes()).expect("writes");
    let digest = Sha256::digest(cert.der());
    Certificate {
        pem,
        sha256: digest
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect::<Vec<_>>()
            .join(":"),
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

async fn session_with(tls: Value, certificate: &Certificate, face: Face) -> (FakePbx, Bench) {
    let pbx = FakePbx::start_with(face, Some(certificate.acceptor.clone())).await;
    let bench = Bench::with(pbx.port, json!({ "tls": tls }));
    (pbx, bench)
}

#[tokio::test]
async fn a_certificate_of_the_given_authority_and_name_is_accepted() {
    let certificate = certificate();
    let tls = json!({ "ca": certificate.pem.path(), "server_name": "pbx.example" });
    let (_pbx, bench) = session_with(tls, &certificate, Face::default()).await;
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let certificate = certificate();
    let tls = json!({ "ca": certificate.pem.path() });
    let (pbx, bench) = session_with(tls, &certificate, Face::default()).await;
    let result = ended(bench.run()).await;
    assert!(
        matches!(result, Err(ListenerError::Connection(_))),
        "{result:?}"
    );
    assert!(pbx.names().await.is_empty());
}

#[tokio::test]
async fn a_pinned_certificate_is_accepted_whatever_its_name() {
    let certificate = certificate();
    let tls = json!({ "certificate_sha256": certificate.sha256 });
    let (_pbx, bench) = session_with(tls, &certificate, Face::default()).await;
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused_and_named() {
    let (shown, pinned) = (certificate(), certificate());
    let tls = json!({ "certificate_sha256": pinned.sha256 });
    let (pbx, bench) = session_with(tls, &shown, Face::default()).await;
    let result = ended(bench.run()).await;
    let fingerprint = shown.sha256.replace(':', "").to_lowercase();
    assert!(
        matches!(&result, Err(ListenerError::Connection(message)) if message.contains(&fingerprint)),
        "{result:?}"
    );
    assert!(pbx.names().await.is_empty());
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused_by_the_system() {
    let certificate = certificate();
    let (pbx, bench) = session_with(json!({}), &certificate, Face::default()).await;
    let result = ended(bench.run()).await;
    assert!(
        matches!(result, Err(ListenerError::Connection(_))),
        "{result:?}"
    );
    assert!(pbx.names().await.is_empty());
}

#[tokio::test]
async fn over_tls_the_password_is_sent_where_the_challenge_is_not_known() {
    let certificate = certificate();
    let tls = json!({ "certificate_sha256": certificate.sha256 });
    let face = Face {
        unknown: ["Challenge"].into(),
        ..Face::default()
    };
    let (mut pbx, bench) = session_with(tls, &certificate, face).await;
    let _run = bench.run();
    bench.state.wait_until_up(1).await;
    let login = pbx.wait_for_action("Login", 1).await;
    assert_eq!(header(&login, "Secret"), Some("loopback-only"));
}
