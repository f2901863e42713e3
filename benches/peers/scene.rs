//! Where everything happens: one folder for the whole run, removed at its end.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folder of a run.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// Makes it.
    pub(crate) fn set(under: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("trunkline-bench-")
            // PostgreSQL runs as another user and must pass through.
            .permissions(std::fs::Permissions::from_mode(0o711))
            .tempdir_in(under)
            .with_context(|| format!("make a folder under {}", under.display()))?;
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes an empty folder in it; what an earlier one of this name held is removed.
    pub(crate) fn fresh(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder().join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(folder)
    }
}
