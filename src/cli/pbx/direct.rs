//! A phone system that is not configured yet, named on the command line.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::model::ids::{SourceId, SourceKey};
use crate::model::number_rules::NumberRules;
use crate::model::secret::{Secret, Secrets};
use crate::pbx::registry;
use crate::pbx::{Discoverer, SourceIdentity};

use super::super::client::ClientError;
use super::super::output::Output;

/// Longest secret that is read, in bytes.
const SECRET_BYTES_MAX: u64 = 4_096;

/// The phone system and how to log in.
#[derive(Debug, Args)]
pub(super) struct Direct {
    /// Name or address of a phone system that is not configured yet.
    #[arg(long, requires = "username", requires = "secret_file")]
    host: Option<String>,
    /// Its AMI port: 5038 unless given, with TLS 5039.
    #[arg(long, requires = "host")]
    port: Option<u16>,
    /// The AMI user.
    #[arg(long, requires = "host")]
    username: Option<String>,
    /// A file with the AMI user's secret.
    #[arg(long, requires = "host")]
    secret_file: Option<PathBuf>,
    /// Connect by TLS.
    #[arg(long, requires = "host")]
    tls: bool,
    /// A PEM file with whom to trust; means --tls.
    #[arg(long, requires = "host")]
    tls_ca: Option<PathBuf>,
    /// The SHA-256 of the one certificate that is accepted; means --tls.
    #[arg(long, requires = "host", conflicts_with = "tls_ca")]
    tls_certificate: Option<String>,
    /// Send the password itself, for a phone system that knows no challenge.
    #[arg(long, requires = "host")]
    plain_login: bool,
    /// What the source will be called in the configuration.
    #[arg(long, default_value = "office", requires = "host")]
    pub(super) id: String,
    /// The kind of source.
    #[arg(long, default_value = "asterisk", requires = "host")]
    pub(super) kind: String,
}

/// Where to look, and how it will be configured.
pub(super) struct Connected {
    pub(super) discoverer: Arc<dyn Discoverer>,
    pub(super) settings: Map<String, Value>,
    pub(super) secret_file: PathBuf,
}

impl Direct {
    /// Prepares to look; names every mistake.
    pub(super) fn connect(
        &self,
        id: &SourceId,
        output: &mut Output,
    ) -> Result<Connected, ClientError> {
        let wrong = ClientError::Wrong;
        let kind = registry::find(&self.kind)
            .ok_or_else(|| wrong(format!("there is no kind of source {:?}", self.kind)))?;
        let file = self.secret_file.as_deref().unwrap_or(Path::new(""));
        let mut secrets = Secrets::default();
        secrets.insert("secret", read_secret(file, output)?);
        let settings = self.settings()?;
        let tenant = "unconfigured".parse();
        let tenant = tenant.map_err(|error| ClientError::Local(format!("{error}")))?;
        let identity = SourceIdentity {
            key: SourceKey::new(tenant, id.clone()),
            numbers: NumberRules::default(),
        };
        let built = (kind.build)(identity, &Value::Object(settings.clone()), &secrets);
        let source = built.map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            wrong(lines.join("\n"))
        })?;
        let discoverer = source.discoverer().ok_or_else(|| {
            wrong(format!(
                "one cannot look around in a source of kind {}",
                self.kind
            ))
        })?;
        Ok(Connected {
            discoverer,
            settings,
            secret_file: absolute(file)?,
        })
    }

    /// Writes the settings as they will stand in the configuration.
    fn settings(&self) -> Result<Map<String, Value>, ClientError> {
        let mut settings = Map::new();
        let mut put = |key: &str, value: Value| settings.insert(key.to_owned(), value);
        put("host", json!(self.host));
        if let Some(port) = self.port {
            put("port", json!(port));
        }
        put("username", json!(self.username));
        if self.plain_login {
            put("login", json!("plain"));
        }
        let mut tls = Map::new();
        if let Some(ca) = &self.tls_ca {
            tls.insert("ca".to_owned(), json!(absolute(ca)?));
        }
        if let Some(certificate) = &self.tls_certificate {
            tls.insert("certificate_sha256".to_owned(), json!(certificate));
        }
        if self.tls || !tls.is_empty() {
            put("tls", Value::Object(tls));
        }
        Ok(settings)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, ClientError> {
    std::path::absolute(path)
        .map_err(|error| ClientError::Local(format!("{}: {error}", path.display())))
}

/// Reads the secret; a last line break is no part of it.
fn read_secret(path: &Path, output: &mut Output) -> Result<Secret, ClientError> {
    let failed = |error: std::io::Error| {
        ClientError::Wrong(format!("cannot read {}: {error}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        output.error(&format!(
            "every user of this machine can reach {}: chmod o= it",
            path.display()
        ));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(SECRET_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Secret::new(line.to_owned()))
}
