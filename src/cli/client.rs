//! The way to the running daemon: its local socket, else its loopback address with the token.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::config::{self, AdminAccess};

/// How long the daemon may take: everything that it is asked is local.
const ANSWER_WITHIN: Duration = Duration::from_secs(75);

/// How long a download may take: a store of gigabytes is read, packed and sent, and whoever reads a
/// table may be slow.
const DOWNLOAD_WITHIN: Duration = Duration::from_secs(3600);

/// Why the daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The question was wrong.
    #[error("{0}")]
    Wrong(String),
    /// The daemon said no.
    #[error("{0}")]
    Refused(String),
    /// The daemon does not answer.
    #[error(
        "the daemon does not answer at {at}: {why}; is it running? (systemctl status trunkline)"
    )]
    Silent {
        /// Where it was asked.
        at: String,
        /// What went wrong.
        why: String,
    },
    /// It did not come to what was wanted, and that is told already.
    #[error("told already")]
    Told,
    /// Something of this process.
    #[error("{0}")]
    Local(String),
}

/// Asks the daemon.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    at: String,
    token: Option<String>,
}

impl Client {
    /// Finds the daemon by its configuration file.
    pub(crate) fn from_config(path: &Path) -> Result<Self, ClientError> {
        let access =
            config::admin_access(path).map_err(|error| ClientError::Wrong(error.to_string()))?;
        Self::new(&access)
    }

    fn new(access: &AdminAccess) -> Result<Self, ClientError> {
        // The HTTP library asks for one even where nothing is encrypted.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy();
        let local = |error: reqwest::Error| ClientError::Local(error.to_string());
        match &access.token_file {
            // The socket asks for no token; without a token there is no other way anyway.
            _ if access.socket.exists() || access.token_file.is_none() => Ok(Self {
                http: builder
                    .unix_socket(access.socket.as_path())
                    .build()
                    .map_err(local)?,
                base: "http://localhost".to_owned(),
                at: access.socket.display().to_string(),
                token: None,
            }),
            token_file => {
                let token = token_file
                    .as_deref()
                    .map(std::fs::read_to_string)
                    .transpose();
                let token = token.map_err(|error| {
                    ClientError::Local(format!("read the admin token: {error}"))
                })?;
                Ok(Self {
                    http: builder.build().map_err(local)?,
                    base: format!("http://{}", access.listen),
                    at: access.listen.to_string(),
                    token: token.map(|token| token.trim().to_owned()),
                })
            }
        }
    }

    /// Reads a document.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Value, ClientError> {
        let request = self.http.get(format!("{}{path}", self.base)).query(query);
        self.send(request).await
    }

    /// Asks for a change.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let request = self.http.post(format!("{}{path}", self.base)).json(body);
        self.send(request).await
    }

    /// Asks for a removal.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, ClientError> {
        self.send(self.http.delete(format!("{}{path}", self.base)))
            .await
    }

    /// Reads a document of any length, handed on piece by piece.
    pub(crate) async fn download(
        &self,
        path: &str,
        query: &[(&str, String)],
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), ClientError> {
        let request = self.http.get(format!("{}{path}", self.base)).query(query);
        self.pieces(request, |piece| {
            take(piece);
            Ok(())
        })
        .await
    }

    /// Asks for something large, and writes it into a file as it comes.
    pub(crate) async fn download_into(
        &self,
        path: &str,
        file: &mut File,
    ) -> Result<(), ClientError> {
        let request = self.http.post(format!("{}{path}", self.base));
        self.pieces(request, |piece| {
            let written = file.write_all(piece);
            written.map_err(|error| ClientError::Local(error.to_string()))
        })
        .await
    }

    async fn pieces(
        &self,
        request: reqwest::RequestBuilder,
        mut take: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let request = self.signed(request).timeout(DOWNLOAD_WITHIN);
        let mut response = request.send().await.map_err(|error| self.silent(&error))?;
        if !response.status().is_success() {
            return self.read(response).await.map(drop);
        }
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.silent(&error))?
        {
            take(&piece)?;
        }
        Ok(())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, ClientError> {
        let response = self.signed(request).send().await;
        self.read(response.map_err(|error| self.silent(&error))?)
            .await
    }

    fn signed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn silent(&self, error: &reqwest::Error) -> ClientError {
        ClientError::Silent {
            at: self.at.clone(),
            why: root_cause(error),
        }
    }

    async fn read(&self, response: reqwest::Response) -> Result<Value, ClientError> {
        let status = response.status();
        let bytes = response
            .bytes()
            .await
            .map_err(|error| self.silent(&error))?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let title = value
            .get("title")
            .and_then(Value::as_str)
            .unwrap_or("no reason given");
        if status.as_u16() == 400 || status.as_u16() == 404 {
            let mistakes = super::status::items(&value, "mistakes");
            let lines = mistakes.iter().filter_map(Value::as_str);
            let lines: Vec<&str> = lines.chain([title]).collect();
            return Err(ClientError::Wrong(lines.join("\n")));
        }
        Err(ClientError::Refused(format!("{status}: {title}")))
    }
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Writes a key's last part as one path segment; slashes of it stay.
pub(crate) fn segments(key: &str) -> String {
    let mut path = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'@' => {
                path.push(char::from(byte));
            }
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path
}
