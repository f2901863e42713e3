//! Where the log goes: journald with fields for tenant and integration, or text, or JSON.

use crate::config::{LogFormat, LogSettings};
use crate::model::phone::ClientNumber;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is not one.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody set up a log before.
    #[error("the log is set up already: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Whether clients' numbers are written in full.
static SHOW_NUMBERS: AtomicBool = AtomicBool::new(false);

/// Returns a client's number as it may stand in a log line.
pub fn number(client: &ClientNumber) -> String {
    match client {
        _ if SHOW_NUMBERS.load(Ordering::Relaxed) => client.to_string(),
        ClientNumber::Phone { phone } => phone.masked(),
        ClientNumber::Other { .. } => "***".to_owned(),
        ClientNumber::Withheld => "withheld".to_owned(),
    }
}

/// Sets the log up for the process. Journald that cannot be reached is replaced by text.
pub fn init(settings: &LogSettings) -> Result<(), TelemetryError> {
    SHOW_NUMBERS.store(settings.show_numbers, Ordering::Relaxed);
    let level = settings.level.as_str();
    let filter = EnvFilter::builder().parse(format!("{level},actix_server=warn,hyper=warn"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let text = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    match settings.format {
        LogFormat::Journald => match tracing_journald::layer() {
            Ok(journal) => registry
                .with(journal.with_field_prefix(Some("TRUNKLINE".into())))
                .try_init()?,
            Err(_) => registry.with(text.with_ansi(false)).try_init()?,
        },
        LogFormat::Text => registry.with(text.with_ansi(false)).try_init()?,
        LogFormat::Json => registry.with(text.json()).try_init()?,
    }
    Ok(())
}
