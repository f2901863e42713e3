//! Log-ins of people: sessions behind a cookie, bounded and only in memory, and a brake on guessing.
//!
//! Whoever shows the admin token gets a random session and, beside it, a random word that every
//! change must repeat in a header: another site can make a browser send the cookie at most, never
//! the word.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::model::secret::Secret;

/// Sessions at once; the one that was used the longest ago makes room.
const SESSIONS_MAX: usize = 32;

/// How long a session lives that nobody uses.
const IDLE_MAX: Duration = Duration::from_secs(2 * 60 * 60);

/// How long a session lives at all: a working day.
const AGE_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// Wrong tokens that are borne within [`WRONG_WITHIN`].
const WRONG_MAX: usize = 10;

/// See [`WRONG_MAX`].
const WRONG_WITHIN: Duration = Duration::from_secs(60);

/// What is kept of a session's secret: who reads memory learns nothing to log in with.
type Digest = [u8; 32];

/// A session that was just begun.
pub(super) struct Begun {
    /// For the cookie.
    pub(super) id: Secret,
    /// What every change repeats.
    pub(super) csrf: String,
}

/// Why nobody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotLetIn {
    /// It is not the token.
    Wrong,
    /// There were too many wrong ones; to be tried again after this.
    TooMany(Duration),
    /// The system gave no random bytes.
    NoRandom,
}

struct Session {
    csrf: String,
    begun: Instant,
    used: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.begun) >= AGE_MAX || now.duration_since(self.used) >= IDLE_MAX
    }
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<Digest, Session>,
    /// When wrong tokens were shown, oldest first.
    wrong: VecDeque<Instant>,
}

/// The door for people: the token that opens it, and who came in.
pub struct Sessions {
    token: Secret,
    inner: Mutex<Inner>,
}

impl Sessions {
    /// A door that this token opens.
    pub fn new(token: Secret) -> Self {
        Self {
            token,
            inner: Mutex::default(),
        }
    }

    /// Says whether this is the token.
    pub(super) fn is_token(&self, given: &str) -> bool {
        bool::from(given.as_bytes().ct_eq(self.token.expose().as_bytes()))
    }

    /// Begins a session for who shows the token.
    pub(super) fn begin(&self, token: &str) -> Result<Begun, NotLetIn> {
        let now = Instant::now();
        let mut inner = self.lock();
        let fresh = |at: &Instant| now.duration_since(*at) < WRONG_WITHIN;
        inner.wrong.retain(fresh);
        if inner.wrong.len() >= WRONG_MAX {
            // Also the right token waits: an answer to it would tell who guesses.
            let oldest = inner.wrong.front().copied().unwrap_or(now);
            let left = WRONG_WITHIN.saturating_sub(now.duration_since(oldest));
            return Err(NotLetIn::TooMany(left));
        }
        if !self.is_token(token) {
            inner.wrong.push_back(now);
            return Err(NotLetIn::Wrong);
        }
        let (id, csrf) = (random()?, random()?.to_string());
        inner.sessions.retain(|_, session| !session.is_over(now));
        if inner.sessions.len() >= SESSIONS_MAX {
            let oldest = inner.sessions.iter().min_by_key(|(_, one)| one.used);
            if let Some(oldest) = oldest.map(|(digest, _)| *digest) {
                inner.sessions.remove(&oldest);
            }
        }
        let session = Session {
            csrf: csrf.clone(),
            begun: now,
            used: now,
        };
        inner.sessions.insert(digest(&id), session);
        Ok(Begun {
            id: Secret::new(id.to_string()),
            csrf,
        })
    }

    /// Returns the word of a living session, which is used by that.
    pub(super) fn csrf(&self, id: &str) -> Option<String> {
        let now = Instant::now();
        let mut inner = self.lock();
        let digest = digest(id);
        let session = inner.sessions.get_mut(&digest)?;
        if session.is_over(now) {
            inner.sessions.remove(&digest);
            return None;
        }
        session.used = now;
        Some(session.csrf.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, id: &str) {
        self.lock().sessions.remove(&digest(id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing between two statements leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(id: &str) -> Digest {
    Sha256::digest(id.as_bytes()).into()
}

fn random() -> Result<Zeroizing<String>, NotLetIn> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| NotLetIn::NoRandom)?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Sessions {
        Sessions::new(Secret::new("the token".to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_by_its_age_by_disuse_and_by_wish() {
        let door = door();
        let begun = door.begin("the token").ok().expect("let in");
        let id = begun.id.expose().to_owned();
        assert_eq!(door.csrf(&id), Some(begun.csrf));
        tokio::time::advance(IDLE_MAX).await;
        assert_eq!(door.csrf(&id), None);

        let begun = door.begin("the token").ok().expect("let in");
        let id = begun.id.expose().to_owned();
        for _ in 0..11 {
            tokio::time::advance(Duration::from_secs(60 * 60)).await;
            assert!(door.csrf(&id).is_some());
        }
        tokio::time::advance(Duration::from_secs(60 * 60)).await;
        assert_eq!(door.csrf(&id), None);

        let begun = door.begin("the token").ok().expect("let in");
        door.end(begun.id.expose());
        assert_eq!(door.csrf(begun.id.expose()), None);
        assert_eq!(door.csrf(""), None);
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_is_slowed_down_and_a_minute_later_goes_on() {
        let door = door();
        for _ in 0..WRONG_MAX {
            assert_eq!(door.begin("wrong").err(), Some(NotLetIn::Wrong));
        }
        let refused = door.begin("the token").err();
        assert_eq!(refused, Some(NotLetIn::TooMany(WRONG_WITHIN)));
        tokio::time::advance(WRONG_WITHIN).await;
        assert!(door.begin("the token").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_session_that_was_used_the_longest_ago_makes_room() {
        let door = door();
        let mut ids = Vec::new();
        for _ in 0..SESSIONS_MAX {
            let begun = door.begin("the token").ok().expect("let in");
            ids.push(begun.id.expose().to_owned());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(door.csrf(&ids[0]).is_some());
        assert!(door.begin("the token").is_ok());
        assert!(door.csrf(&ids[0]).is_some());
        assert_eq!(door.csrf(&ids[1]), None);
    }
}
