//! Text that must never be shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize;

/// A password, token or key. Prints and serialises as `***`; its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Shows the text to the one who must send it on.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// Says whether a text is one of the secrets. Takes the same time whichever of them it is compared
/// with, and whether or not it matches; only lengths show.
pub fn is_one_of<'a>(given: &str, secrets: impl IntoIterator<Item = &'a Secret>) -> bool {
    let mut found = subtle::Choice::from(0);
    for secret in secrets {
        found |= given.as_bytes().ct_eq(secret.expose().as_bytes());
    }
    found.into()
}

/// The secrets that a configuration names for one source or account, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Secrets(std::collections::BTreeMap<String, Secret>);

impl Secrets {
    /// Adds or replaces a secret.
    pub fn insert(&mut self, name: &str, secret: Secret) {
        self.0.insert(name.to_owned(), secret);
    }

    /// Returns the secret of this name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// Returns the names that are present.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
