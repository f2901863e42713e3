//! By what a reload sees that something changed. A hash, never shown: secrets go into it.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::secret::Secrets;

/// The hash of everything that a running part depends on.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// Gathers the parts of a fingerprint, each with its length, so that no two lists of parts can
/// run together into the same bytes.
#[derive(Default)]
pub(super) struct FingerprintBuilder(Sha256);

impl FingerprintBuilder {
    /// Adds a part.
    pub(super) fn part(mut self, part: &str) -> Self {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part.as_bytes());
        self
    }

    /// Adds a value in its JSON form. A value without one counts as its error: no value of the
    /// configuration has such a form.
    pub(super) fn value(self, value: &impl serde::Serialize) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => self.part(&text),
            Err(error) => self.part(&error.to_string()),
        }
    }

    /// Adds secrets.
    pub(super) fn secrets(self, secrets: &Secrets) -> Self {
        secrets.names().fold(self, |builder, name| {
            let text = secrets.get(name).map_or("", |secret| secret.expose());
            builder.part(name).part(text)
        })
    }

    /// Adds another fingerprint.
    pub(super) fn fingerprint(mut self, other: &Fingerprint) -> Self {
        self.0.update(other.0);
        self
    }

    /// Returns the hash.
    pub(super) fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let of = |parts: &[&str]| {
            parts
                .iter()
                .fold(FingerprintBuilder::default(), |b, part| b.part(part))
                .finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    }
}
