//! The service's credentials while the service does not run: read from the files that its unit names.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::config::Environment;

/// The surroundings of a command that must do without the running service.
pub(super) struct Surroundings {
    pub(super) environment: Environment,
    /// Holds the links while they are used.
    _folder: Option<TempDir>,
}

impl Surroundings {
    /// Takes what was handed to this process or what the running service has; else what the unit names.
    pub(super) fn find() -> Self {
        let environment = Environment::of_process();
        if environment.credentials_dir.is_some() {
            return Self {
                environment,
                _folder: None,
            };
        }
        let unit = Command::new("systemctl")
            .args(["cat", "trunkline.service"])
            .output();
        let unit = unit.ok().filter(|output| output.status.success());
        let text = unit.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let folder = text.and_then(|text| linked(&text));
        Self {
            environment: Environment {
                credentials_dir: folder.as_ref().map(|folder| folder.path().to_owned()),
            },
            _folder: folder,
        }
    }
}

/// Makes a folder in which every credential of a unit lies under its name.
fn linked(unit: &str) -> Option<TempDir> {
    let folder = TempDir::new().ok()?;
    for (name, path) in named(unit) {
        // A later line of the same name replaces an earlier one.
        let place = folder.path().join(name);
        drop(std::fs::remove_file(&place));
        symlink(path, &place).ok()?;
    }
    Some(folder)
}

/// Returns what `LoadCredential=` lines name: credentials and their files.
fn named(unit: &str) -> Vec<(&str, &Path)> {
    let values = unit
        .lines()
        .filter_map(|line| line.trim().strip_prefix("LoadCredential="));
    let pairs = values.filter_map(|value| value.split_once(':'));
    let plain = |name: &str| !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    pairs
        .map(|(name, path)| (name, Path::new(path)))
        .filter(|(name, path)| plain(name) && path.is_absolute())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credentials_of_a_unit_are_found_where_it_says() {
        let unit = "[Service]\n#   LoadCredential=no:/etc/no\nLoadCredential=store-key:/etc/a\n\
                    LoadCredentialEncrypted=x:/etc/x\nLoadCredential=../up:/etc/b\n\
                    LoadCredential=store-key:/etc/c\n";
        let names = [
            ("store-key", Path::new("/etc/a")),
            ("store-key", Path::new("/etc/c")),
        ];
        assert_eq!(named(unit), names);
        let folder = linked(unit).expect("made");
        let link = std::fs::read_link(folder.path().join("store-key")).expect("a link");
        assert_eq!(link, Path::new("/etc/c"));
    }
}
