//! The key under which credentials are kept, and their sealing: XChaCha20-Poly1305 with a random
//! nonce, bound to table and name, so that what is sealed cannot be moved to another name unnoticed.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::secret::Secret;

/// Length of the key, in bytes.
pub const KEY_BYTES: usize = 32;

/// Length of a nonce of XChaCha20, in bytes: long enough to be drawn at random for ever.
const NONCE_BYTES: usize = 24;

/// The version byte of what is sealed.
const SEAL_VERSION: u8 = 1;

/// The key of the store. Prints as `***`; its memory is wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StoreKey([u8; KEY_BYTES]);

/// Bytes that are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store's key has {found} bytes, it must have {KEY_BYTES}")]
pub struct BadKey {
    /// How many bytes were given.
    pub found: usize,
}

impl StoreKey {
    /// Takes the bytes of a key file or a systemd credential.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadKey> {
        let key = <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| BadKey { found: bytes.len() })?;
        Ok(Self(key))
    }

    /// Derives the key from a text, such as the administrator's key file holds.
    pub fn of_text(text: &Secret) -> Self {
        Self(Sha256::digest(text.expose().as_bytes()).into())
    }

    /// Draws a new key.
    pub fn generate() -> Self {
        Self(random())
    }

    /// Shows the bytes to the one who writes a key file.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let mut key = Key::from(self.0);
        let cipher = XChaCha20Poly1305::new(&key);
        key.zeroize();
        cipher
    }

    /// Seals a text for one row. The outcome differs each time.
    pub fn seal(&self, table: &str, name: &str, secret: &Secret) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random();
        let aad = associated(table, name);
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: &aad,
        };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a text in memory is far below the cipher's limit of 256 GiB");
        let mut row = vec![SEAL_VERSION];
        row.extend_from_slice(&nonce);
        row.extend_from_slice(&sealed);
        row
    }

    /// Opens a sealed row; `None` when the key is another one or the row is not as it was sealed.
    pub fn open(&self, table: &str, name: &str, row: &[u8]) -> Option<Secret> {
        let (&version, rest) = row.split_first()?;
        if version != SEAL_VERSION {
            return None;
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let aad = associated(table, name);
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        match String::from_utf8(plain) {
            Ok(text) => Some(Secret::new(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                None
            }
        }
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Table and name, kept apart by a byte that neither holds.
fn associated(table: &str, name: &str) -> Vec<u8> {
    [table.as_bytes(), &[0], name.as_bytes()].concat()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel's random numbers cannot fail after boot");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_only_with_its_key_table_and_name() {
        let key = StoreKey::generate();
        let secret = Secret::new("hunter2".to_owned());
        let row = key.seal("credentials", "acme/amo", &secret);
        assert_eq!(key.open("credentials", "acme/amo", &row), Some(secret));
        assert_eq!(key.open("credentials", "acme/other", &row), None);
        assert_eq!(key.open("meta", "acme/amo", &row), None);
        let other = StoreKey::generate();
        assert_eq!(other.open("credentials", "acme/amo", &row), None);
    }

    #[test]
    fn a_damaged_row_is_refused_whatever_byte_is_wrong() {
        let key = StoreKey::generate();
        let row = key.seal("t", "n", &Secret::new("hunter2".to_owned()));
        for at in 0..row.len() {
            let mut damaged = row.clone();
            damaged[at] ^= 1;
            assert_eq!(key.open("t", "n", &damaged), None, "byte {at}");
            assert_eq!(key.open("t", "n", &row[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert_eq!(
            StoreKey::from_bytes(b"short").map(|_| ()),
            Err(BadKey { found: 5 })
        );
        assert!(StoreKey::from_bytes(&[7; KEY_BYTES]).is_ok());
    }
}
