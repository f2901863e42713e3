//! How fresh a portal's directory is, and the wish that it be fresher: between whoever decides by
//! the directory and the sync that keeps it.

use std::time::Duration;

use tokio::sync::watch;

use crate::model::timestamp::Timestamp;

/// How long is waited for a fresher picture. A reading of what changed takes a second or two, more
/// where the account is busy; whoever gives up asks the CRM itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the directory of one portal is good for at this moment.
#[derive(Debug)]
pub struct Freshness {
    shown: watch::Sender<Shown>,
    wish: watch::Sender<Wish>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    /// What the CRM held then is here, deletions included; `None` = nothing may be decided by it.
    as_of: Option<Timestamp>,
    /// There is none yet, and one is on its way.
    coming: bool,
    /// The last reading failed: it may take a while until there is another.
    failing: bool,
}

/// What is wished of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// A picture that is not older than this.
    pub as_of: Option<Timestamp>,
    /// Counts the wishes to read what changed, soon: something was said to have changed.
    pub soon: u64,
    /// Counts the wishes to read everything anew.
    pub everything: u64,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            shown: watch::Sender::new(Shown::default()),
            wish: watch::Sender::new(Wish::default()),
        }
    }
}

impl Freshness {
    /// Returns since when everything that the CRM held is known, where the directory may be
    /// decided by.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.shown.borrow().as_of
    }

    /// Says whether the picture is, or soon becomes, not older than `at_least`. All who wait share
    /// one reading. Without a directory, or when its reading fails, the answer is no at once.
    pub async fn reaches(&self, at_least: Timestamp) -> bool {
        let mut shown = self.shown.subscribe();
        match *shown.borrow_and_update() {
            Shown {
                as_of: None,
                coming: false,
                ..
            } => return false,
            Shown {
                as_of: Some(as_of), ..
            } if as_of >= at_least => return true,
            Shown { failing: true, .. } => return false,
            Shown { .. } => {}
        }
        self.wish.send_if_modified(|wish| {
            let more = wish.as_of.is_none_or(|wished| wished < at_least);
            if more {
                wish.as_of = Some(at_least);
            }
            more
        });
        let settled = shown.wait_for(|shown| {
            let none = shown.as_of.is_none() && !shown.coming;
            none || shown.failing || shown.as_of.is_some_and(|as_of| as_of >= at_least)
        });
        match tokio::time::timeout(PATIENCE, settled).await {
            Ok(Ok(shown)) => shown.as_of.is_some_and(|as_of| as_of >= at_least),
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Wishes that what changed be read soon: somebody says that something did.
    pub fn wish_soon(&self) {
        self.wish
            .send_modify(|wish| wish.soon = wish.soon.wrapping_add(1));
    }

    /// Wishes that everything be read anew.
    pub fn wish_everything(&self) {
        self.wish
            .send_modify(|wish| wish.everything = wish.everything.wrapping_add(1));
    }

    /// Shows the wishes to the sync that grants them.
    pub fn wishes(&self) -> watch::Receiver<Wish> {
        self.wish.subscribe()
    }

    /// Shows a fresher picture.
    pub fn publish(&self, as_of: Timestamp) {
        self.shown.send_replace(Shown {
            as_of: Some(as_of),
            coming: false,
            failing: false,
        });
    }

    /// Says that a reading failed: who waits asks the CRM itself.
    pub fn fail(&self) {
        self.shown.send_modify(|shown| shown.failing = true);
    }

    /// Says that a picture is on its way: who wants one waits for it.
    pub fn expect(&self) {
        self.shown.send_modify(|shown| shown.coming = true);
    }

    /// Says that nothing may be decided by the directory until a picture is shown again.
    pub fn lose(&self) {
        self.shown.send_replace(Shown::default());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_secs(n)
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_picture_nobody_waits() {
        assert!(!Freshness::default().reaches(second(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_picture_that_is_on_its_way_is_waited_for() {
        for comes in [true, false] {
            let freshness = Arc::new(Freshness::default());
            freshness.expect();
            let mut wishes = freshness.wishes();
            let other = Arc::clone(&freshness);
            let waiting = tokio::spawn(async move { other.reaches(second(6)).await });
            assert!(wishes.changed().await.is_ok());
            match comes {
                true => freshness.publish(second(6)),
                false => freshness.lose(),
            }
            assert_eq!(waiting.await.expect("an answer"), comes);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_wait_share_one_wish() {
        let freshness = Arc::new(Freshness::default());
        freshness.publish(second(5));
        assert!(freshness.reaches(second(5)).await);
        let mut wishes = freshness.wishes();
        let waiting: Vec<_> = (6..=9)
            .map(|n| {
                let freshness = Arc::clone(&freshness);
                tokio::spawn(async move { freshness.reaches(second(n)).await })
            })
            .collect();
        let wish = wishes.wait_for(|wish| wish.as_of == Some(second(9))).await;
        assert!(wish.is_ok());
        freshness.publish(second(9));
        for one in waiting {
            assert!(one.await.expect("an answer"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told_when_the_reading_fails_or_takes_too_long() {
        let freshness = Arc::new(Freshness::default());
        freshness.publish(second(5));
        let mut wishes = freshness.wishes();
        let other = Arc::clone(&freshness);
        let waiting = tokio::spawn(async move { other.reaches(second(6)).await });
        assert!(wishes.changed().await.is_ok());
        freshness.fail();
        assert!(!waiting.await.expect("an answer"));
        assert!(!freshness.reaches(second(6)).await, "at once");
        freshness.publish(second(6));
        // Nobody answers at all: the clock runs on by itself.
        assert!(!freshness.reaches(second(7)).await);
    }
}
