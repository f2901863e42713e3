//! Where a running daemon can be asked: the one part of `trunkline.toml` that the command line
//! reads without reading everything else. A local user may use the socket without being able to
//! read tenants or secrets.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::defaults;
use super::document::{Document, Node, Value};

/// How a running daemon can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminAccess {
    /// Its socket.
    pub socket: PathBuf,
    /// Its loopback address.
    pub listen: SocketAddr,
    /// Where the bearer token for the address lies, when it lies in a file.
    pub token_file: Option<PathBuf>,
}

/// Why the way to the daemon was not found.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be read.
    #[error("read {}: {error}; name another with --config", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// The file says nothing usable.
    #[error("{}: {what}; trunkline check-config says more", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Reads where the daemon of this `trunkline.toml` can be asked.
pub fn admin_access(path: &Path) -> Result<AdminAccess, AccessError> {
    let text = std::fs::read_to_string(path).map_err(|error| AccessError::Read {
        path: path.to_owned(),
        error,
    })?;
    let wrong = |what: String| AccessError::Wrong {
        path: path.to_owned(),
        what,
    };
    let document = Document::parse(text).map_err(|mistake| wrong(mistake.message))?;
    let tree = defaults::under(&document.root).map_err(|mistake| wrong(mistake.message))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let listen = text_at(&tree, "listen").and_then(|text| text.parse().ok());
    Ok(AdminAccess {
        socket: folder.join(
            text_at(&tree, "socket").ok_or_else(|| wrong("admin.socket is no text".to_owned()))?,
        ),
        listen: listen.ok_or_else(|| wrong("admin.listen is no address".to_owned()))?,
        token_file: text_at(&tree, "token_file").map(|file| folder.join(file)),
    })
}

fn text_at<'a>(tree: &'a Node, key: &str) -> Option<&'a str> {
    let Value::Table(top) = &tree.value else {
        return None;
    };
    let Value::Table(admin) = &top.get("admin")?.value else {
        return None;
    };
    match &admin.get(key)?.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(text: &str) -> Result<AdminAccess, AccessError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trunkline.toml");
        std::fs::write(&path, text).expect("writes");
        let access = admin_access(&path);
        access.map(|access| AdminAccess {
            token_file: access.token_file.map(|file| {
                file.strip_prefix(folder.path())
                    .map(Path::to_owned)
                    .unwrap_or(file)
            }),
            ..access
        })
    }

    #[test]
    fn an_empty_file_means_the_defaults() {
        let access = access("").expect("reads");
        assert_eq!(access.socket, Path::new("/run/trunkline/admin.sock"));
        assert_eq!(access.listen.to_string(), "127.0.0.1:8460");
        assert_eq!(access.token_file, None);
    }

    #[test]
    fn a_relative_path_starts_from_the_file() {
        let access = access("[admin]\ntoken_file = \"secrets/token\"\n").expect("reads");
        assert_eq!(
            access.token_file.as_deref(),
            Some(Path::new("secrets/token"))
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = admin_access(Path::new("/nowhere/trunkline.toml")).expect_err("is missing");
        assert!(
            error.to_string().contains("/nowhere/trunkline.toml"),
            "{error}"
        );
    }
}
