//! Alarms by e-mail, against mail servers that take messages and that do not.

use std::sync::Arc;

use trunkline::alarms::settings::{AlarmSettings, EmailSettings, Security};
use trunkline::alarms::{Alarm, Channel, Teller};
use trunkline::clock::{SharedClock, SystemClock};
use trunkline::lab::smtp::{Mail, Mood, Protection, SmtpServer};
use trunkline::model::secret::Secret;
use trunkline::store::{Store, StoreHandle, StoreKey, StoreOptions};

fn store(folder: &tempfile::TempDir) -> StoreHandle {
    let key = StoreKey::from_bytes(&[7; 32]).expect("a key");
    let path = folder.path().join("store.redb");
    let (store, _thread) = Store::open(&path, key, StoreOptions::default()).expect("opens");
    store
}

fn alarm_settings(email: EmailSettings) -> AlarmSettings {
    AlarmSettings {
        box_name: "Офис".to_owned(),
        email: Some(email),
        ..AlarmSettings::default()
    }
}

fn teller(store: StoreHandle, email: EmailSettings) -> Teller {
    let clock: SharedClock = Arc::new(SystemClock);
    Teller::new(store, clock, alarm_settings(email))
}

/// Sends a trial message.
async fn send(email: &EmailSettings) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut results = teller(store(&folder), email.clone()).trial().await;
    assert_eq!(results.len(), 1);
    let (channel, result) = results.remove(0);
    assert_eq!(channel, Channel::Email);
    result
}

/// Returns the words of a message.
fn body(mail: &Mail) -> String {
    use base64::Engine as _;
    let (_, body) = mail.data.split_once("\r\n\r\n").expect("a body");
    let body: String = body.split_whitespace().collect();
    let body = base64::engine::general_purpose::STANDARD.decode(body);
    String::from_utf8(body.expect("base64")).expect("text")
}

fn settings(server: &SmtpServer) -> EmailSettings {
    EmailSettings {
        server: "localhost".to_owned(),
        port: server.port(),
        security: Security::None,
        authorities: None,
        login: None,
        from: "Trunkline <box@example.com>".to_owned(),
        to: vec![
            "admin@example.com".to_owned(),
            "boss@example.com".to_owned(),
        ],
    }
}

/// A server's own certificate for localhost, and it as PEM.
fn certificate() -> (Arc<rustls::ServerConfig>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.expect("a key"))
        .expect("a pair");
    (Arc::new(config), made.cert.pem().into_bytes())
}

async fn start(protection: Protection) -> SmtpServer {
    SmtpServer::start(protection).await.expect("a free port")
}

#[tokio::test]
async fn a_message_reaches_everybody_in_their_language() {
    let server = start(Protection::None).await;
    send(&settings(&server)).await.expect("it is taken");
    let mails = server.mails();
    let [mail] = &mails[..] else {
        panic!("one mail: {mails:?}")
    };
    assert_eq!(mail.from, "box@example.com");
    assert_eq!(mail.to, ["admin@example.com", "boss@example.com"]);
    assert!(
        mail.data.contains("Auto-Submitted: auto-generated\r\n"),
        "{}",
        mail.data
    );
    let (head, _) = mail.data.split_once("\r\n\r\n").expect("a body");
    assert!(head.is_ascii(), "{head}");
    assert!(body(mail).contains("пробное сообщение"), "{}", body(mail));
}

#[tokio::test]
async fn it_is_encrypted_from_the_beginning_or_after_asking_and_then_logs_in() {
    let (config, pem) = certificate();
    for security in [Security::Tls, Security::Starttls] {
        let server = start(match security {
            Security::Tls => Protection::Tls(Arc::clone(&config)),
            _ => Protection::Starttls(Arc::clone(&config)),
        })
        .await;
        let mut settings = settings(&server);
        settings.security = security;
        settings.authorities = Some(pem.clone());
        settings.login = Some(("box".to_owned(), Secret::new("mail-password".to_owned())));
        send(&settings).await.expect("it is taken");
        let mail = server.mails().remove(0);
        assert!(mail.encrypted, "{security:?}");
        assert!(mail.login.is_some(), "{security:?}");
        // Whom nobody vouches for is told nothing.
        settings.authorities = None;
        let refused = send(&settings).await;
        assert!(refused.is_err(), "{security:?}");
        assert_eq!(server.mails().len(), 1);
    }
}

#[tokio::test]
async fn a_server_without_encryption_is_not_told_a_password() {
    let server = start(Protection::None).await;
    let mut settings = settings(&server);
    settings.security = Security::Starttls;
    settings.login = Some(("box".to_owned(), Secret::new("mail-password".to_owned())));
    let why = send(&settings).await;
    assert!(why.is_err());
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn whatever_a_server_does_is_told_as_a_reason() {
    let server = start(Protection::None).await;
    for (mood, words) in [
        (Mood::Busy, "421"),
        (Mood::NoSuchMailbox, "no such mailbox"),
        (Mood::HangsUp, ""),
    ] {
        server.set_mood(mood);
        let why = send(&settings(&server)).await;
        let why = why.expect_err("it is not taken");
        assert!(why.contains(words), "{mood:?}: {why}");
    }
    assert_eq!(server.mails(), []);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let server = start(Protection::None).await;
    server.set_mood(Mood::Silent);
    let why = send(&settings(&server)).await;
    assert!(why.is_err(), "in virtual time");
}

#[tokio::test]
async fn an_alarm_that_was_not_taken_is_told_later_and_once_also_by_the_next_process() {
    let server = start(Protection::None).await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder);
    let alarm = [Alarm::new("disk", "/var", "10 MiB are free")];
    server.set_mood(Mood::Busy);
    let first = teller(store.clone(), settings(&server));
    first.turn(&alarm).await.expect("the store takes it");
    let about_alarms = first.alarms();
    assert_eq!(about_alarms.len(), 1);
    assert_eq!(about_alarms[0].word, "alarm_channel");
    // Not again at once.
    let connections = server.connections();
    first.turn(&alarm).await.expect("the store takes it");
    assert_eq!(server.connections(), connections);
    server.set_mood(Mood::Well);
    // The next process knows from the store what stands.
    let second = teller(store.clone(), settings(&server));
    second.turn(&[]).await.expect("the store takes it");
    second.turn(&[]).await.expect("the store takes it");
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(body(&mails[0]).contains("ПРОШЛО: Кончается место на диске: /var"));
    let third = teller(store, settings(&server));
    third.turn(&alarm).await.expect("the store takes it");
    third.turn(&alarm).await.expect("the store takes it");
    let fourth = body(&server.mails()[1]);
    assert!(
        fourth.contains("10 MiB are free") && fourth.contains("Что делать"),
        "{fourth}"
    );
    assert_eq!(server.mails().len(), 2);
}
