//! Sends a message by e-mail.

use std::io::ErrorKind;
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::notice::Refused;
use super::settings::{EmailSettings, Security};

/// How long one word of the mail server may take.
const WORD_WITHIN: Duration = Duration::from_secs(20);

/// How long the whole conversation may take.
const ALL_WITHIN: Duration = Duration::from_secs(60);

/// Sends one message to these addresses. Says why not, in words without secrets. With an id, a
/// message that is sent once more is the same to every mailbox.
pub(super) async fn send(
    settings: &EmailSettings,
    to: &[String],
    subject: &str,
    text: String,
    id: Option<&str>,
) -> Result<(), Refused> {
    let message = message(settings, to, subject, text, id).map_err(Refused::once)?;
    let transport = transport(settings).map_err(Refused::once)?;
    match tokio::time::timeout(ALL_WITHIN, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Refused {
            // A reply that begins with 4 says "later"; without a connection nothing was said.
            again: error.is_transient() || is_unreached(&error),
            why: in_words(&error),
        }),
        Err(_) => Err(Refused::once(format!(
            "the mail server took longer than {} s",
            ALL_WITHIN.as_secs()
        ))),
    }
}

/// Says whether there was no conversation at all.
fn is_unreached(error: &dyn std::error::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<std::io::Error>() {
            return matches!(
                error.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
            );
        }
        cause = inner.source();
    }
    false
}

fn message(
    settings: &EmailSettings,
    to: &[String],
    subject: &str,
    text: String,
    id: Option<&str>,
) -> Result<Message, String> {
    let mailbox = |address: &str| {
        let parsed = address.parse::<Mailbox>();
        parsed.map_err(|error| format!("{address:?} is not an e-mail address: {error}"))
    };
    let mut message = Message::builder()
        .from(mailbox(&settings.from)?)
        .subject(subject)
        .header(header::ContentTransferEncoding::Base64)
        .header(ContentType::TEXT_PLAIN)
        .message_id(id.map(|id| format!("<{id}@{}>", domain(&settings.from))));
    for to in to {
        message = message.to(mailbox(to)?);
    }
    // No answer of an absent person's mailbox is wanted.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let mut message = message.body(text).map_err(|error| error.to_string())?;
    let headers = message.headers_mut();
    headers.insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
    Ok(message)
}

/// Returns the domain of an address.
fn domain(address: &str) -> &str {
    let (_, domain) = address
        .rsplit_once('@')
        .unwrap_or(("", "trunkline.invalid"));
    domain.trim_end_matches('>')
}

fn transport(settings: &EmailSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let tls = match settings.security {
        Security::None => Tls::None,
        Security::Starttls => Tls::Required(parameters(settings)?),
        Security::Tls => Tls::Wrapper(parameters(settings)?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.server)
        .port(settings.port)
        .timeout(Some(WORD_WITHIN))
        .tls(tls);
    if let Some((user, password)) = &settings.login {
        let password = password.expose().to_owned();
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    Ok(builder.build())
}

fn parameters(settings: &EmailSettings) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(settings.server.clone());
    if let Some(pem) = &settings.authorities {
        let certificate = Certificate::from_pem(pem).map_err(|error| in_words(&error))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build().map_err(|error| in_words(&error))
}

/// Says what went wrong, down to its cause.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = inner.source();
    }
    words
}
