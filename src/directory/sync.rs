//! Keeps a portal's directory in step with its CRM: everything once, piece by piece, then what
//! changed, again and again; and everything once more from time to time, for what no change told
//! of. What is read and how far the reading came are on disk together, so a restart goes on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::freshness::{Freshness, Wish};
use crate::clock::SharedClock;
use crate::crm::{
    Adapter, Changes, Class, DirectoryReader, DirectorySettings, HookAddress, PieceNext,
};
use crate::model::directory::DirectoryChange;
use crate::model::doubling::pause_after;
use crate::model::ids::PortalKey;
use crate::model::outcome::{NotDone, Outcome};
use crate::model::plan::Card;
use crate::store::directory::{
    DirectoryBatch, DirectoryQuery, DirectoryRange, DirectoryState, FullPass,
};
use crate::store::{StoreError, StoreHandle};

/// Changes of one transaction: a few milliseconds of the writer's time.
const BATCH_MAX: usize = 1000;

/// Time between two readings of what changed, however many wait for one: those who come meanwhile
/// share the next.
const POLL_GAP: Duration = Duration::from_secs(2);

/// Records of one piece that are known and were not in it, and are read one by one. Where there
/// are more, the next readings see to the rest.
const SUSPECTS_MAX: usize = 50;

/// Records of the store that are compared with one piece.
const RANGE_MAX: usize = 5_000;

/// The first and the longest pause after a reading that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// After this time the CRM is asked again to tell of changes: it may have stopped by itself, having
/// not reached us for a while (`crm/amocrm.md` §14).
const SUBSCRIBED: Duration = Duration::from_secs(24 * 3600);

/// Where a sync shows how it is getting on.
pub trait SyncReport: Send + Sync {
    /// This is on disk now.
    fn state(&self, state: &DirectoryState);

    /// A reading failed; it is tried again.
    fn trouble(&self, why: &str);
}

/// The sync of one portal.
#[derive(Clone)]
pub struct DirectorySync {
    /// The portal.
    pub portal: PortalKey,
    /// One of its accounts.
    pub adapter: Arc<dyn Adapter>,
    /// How often what is read.
    pub settings: DirectorySettings,
    /// Where the CRM may tell of changes, where it can reach us.
    pub hook: Option<HookAddress>,
    /// Where it is kept.
    pub store: StoreHandle,
    /// The time of day.
    pub clock: SharedClock,
    /// Where its freshness is shown.
    pub freshness: Arc<Freshness>,
    /// Where its state is shown.
    pub report: Arc<dyn SyncReport>,
}

/// A reading that did not come to its end.
enum Trouble {
    Store(StoreError),
    Crm(NotDone),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NotDone> for Trouble {
    fn from(not_done: NotDone) -> Self {
        Self::Crm(not_done)
    }
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Subscribe,
    Poll,
    Piece,
    WaitUntil(Instant),
}

/// One life of a sync.
struct Life<'a> {
    sync: &'a DirectorySync,
    reader: &'a dyn DirectoryReader,
    state: DirectoryState,
    /// The wishes that were granted so far.
    granted: Wish,
    polled_at: Option<Instant>,
    /// When the CRM is asked again to tell of changes.
    subscribe_at: Option<Instant>,
    failures: u32,
}

impl DirectorySync {
    /// Keeps the directory until `stop` turns true.
    ///
    /// # Errors
    ///
    /// What the store refuses. The CRM's refusals are waited out.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let Some(reader) = self.adapter.directory() else {
            self.freshness.lose();
            let _ = stop.wait_for(|stop| *stop).await;
            return Ok(());
        };
        let stored = self.store.directory(self.portal.clone()).await;
        match &stored {
            Ok(Some(stored)) if stored.state.mark.is_some() => self.freshness.expect(),
            // A first reading takes too long to be waited for.
            Ok(_) | Err(_) => self.freshness.lose(),
        }
        let stored = stored?;
        let mut wishes = self.freshness.wishes();
        let mut life = Life {
            sync: self,
            reader,
            state: stored.map(|stored| stored.state).unwrap_or_default(),
            // A picture that was wished for is given; the other wishes were another life's.
            granted: *wishes.borrow_and_update(),
            polled_at: None,
            subscribe_at: self.hook.as_ref().map(|_| Instant::now()),
            failures: 0,
        };
        self.report.state(&life.state);
        let ended = life.keep(&mut stop, &mut wishes).await;
        // Nobody keeps it: nothing may be decided by it.
        self.freshness.lose();
        ended
    }
}

impl Life<'_> {
    async fn keep(
        &mut self,
        stop: &mut watch::Receiver<bool>,
        wishes: &mut watch::Receiver<Wish>,
    ) -> Result<(), StoreError> {
        loop {
            let wish = *wishes.borrow_and_update();
            let result = match self.next(wish) {
                Next::WaitUntil(until) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => {}
                        changed = wishes.changed() => if changed.is_err() { return Ok(()) },
                        _ = stop.wait_for(|stop| *stop) => return Ok(()),
                    }
                    continue;
                }
                Next::Subscribe => tokio::select! {
                    () = self.subscribe() => Ok(()),
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                },
                Next::Poll => tokio::select! {
                    result = self.poll(wish) => result,
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                },
                Next::Piece => tokio::select! {
                    result = self.piece(wish) => result,
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                },
            };
            match result {
                Ok(()) => {
                    self.failures = 0;
                    self.sync.report.state(&self.state);
                }
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Crm(NotDone { why, retry_after })) => {
                    self.failures = self.failures.saturating_add(1);
                    self.sync.report.trouble(&why);
                    self.sync.freshness.fail();
                    let pause = pause_after(self.failures, FIRST_PAUSE, LONGEST_PAUSE);
                    let pause = pause.max(retry_after.unwrap_or_default());
                    warn!(portal = %self.sync.portal, why, pause_s = pause.as_secs(), "directory not read");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stop.wait_for(|stop| *stop) => return Ok(()),
                    }
                }
            }
        }
    }

    /// Says what is next.
    fn next(&self, wish: Wish) -> Next {
        let now = Instant::now();
        if self.subscribe_at.is_some_and(|due| due <= now) {
            return Next::Subscribe;
        }
        let mut wake = None;
        if self.state.mark.is_some() {
            let wished = self.wished(wish);
            let gap = match wished {
                true => POLL_GAP,
                false => self.sync.settings.poll,
            };
            match self.polled_at.map(|polled_at| polled_at + gap) {
                Some(due) if due > now => wake = Some(due),
                Some(_) | None => return Next::Poll,
            }
        }
        let repair_due = self
            .state
            .full_at
            .is_none_or(|at| self.sync.clock.now().since(at) >= self.sync.settings.repair);
        let everything =
            self.state.pass.is_some() || wish.everything != self.granted.everything || repair_due;
        match wake {
            Some(_) if everything => Next::Piece,
            Some(due) => Next::WaitUntil(due),
            None => Next::Piece,
        }
    }

    /// Says whether somebody waits for what changed.
    fn wished(&self, wish: Wish) -> bool {
        let picture = wish.as_of.is_some_and(|wished| {
            self.sync
                .freshness
                .as_of()
                .is_none_or(|as_of| as_of < wished)
        });
        picture || wish.soon != self.granted.soon
    }

    /// Has the CRM tell of changes. Without that what changed is read at its times.
    async fn subscribe(&mut self) {
        let Some(hook) = self.sync.hook.clone() else {
            self.subscribe_at = None;
            return;
        };
        let (pause, why) = match self.reader.subscribe(hook).await {
            Outcome::Done(()) => (SUBSCRIBED, None),
            // The tariff, or rights: a person's affair.
            Outcome::Rejected(rejection) => (SUBSCRIBED, Some(rejection.message)),
            Outcome::NotApplied(not_applied) => (LONGEST_PAUSE, Some(not_applied.why)),
            Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => (LONGEST_PAUSE, Some(why)),
        };
        self.subscribe_at = Instant::now().checked_add(pause);
        if let Some(why) = why {
            let why = format!("the CRM does not tell of changes: {why}");
            self.sync.report.trouble(&why);
        }
    }

    /// Reads what changed.
    async fn poll(&mut self, wish: Wish) -> Result<(), Trouble> {
        let Some(mark) = self.state.mark.clone() else {
            return Ok(());
        };
        let class = match self.wished(wish) {
            true => Class::Work,
            false => Class::Background,
        };
        self.polled_at = Some(Instant::now());
        let begun_at = self.sync.clock.now();
        match self.reader.changes(mark, class).await.done()? {
            Changes::Read {
                mut changes,
                heirs,
                mark,
                gone_told,
            } => {
                let relatives = self.relatives(&changes, &heirs).await?;
                if !relatives.is_empty() {
                    changes.extend(self.reader.anew(relatives, class).await.done()?);
                }
                self.state.mark = Some(mark);
                self.state.complete_as_of = Some(begun_at);
                self.commit(changes).await?;
                self.granted.soon = wish.soon;
                match gone_told {
                    true => self.sync.freshness.publish(begun_at),
                    false => self.sync.freshness.lose(),
                }
            }
            Changes::TooMany => {
                info!(portal = %self.sync.portal, "too much has changed: everything is read anew");
                self.sync.freshness.lose();
                self.state.mark = None;
                self.state.pass = Some(self.new_pass());
                self.commit(Vec::new()).await?;
            }
        }
        Ok(())
    }

    /// Returns the known cards that share an address with one that took over others.
    async fn relatives(
        &self,
        changes: &[DirectoryChange],
        heirs: &[Card],
    ) -> Result<Vec<Card>, StoreError> {
        let cards = changes.iter().filter_map(|change| match change {
            DirectoryChange::Card(card) => Some(card),
            DirectoryChange::Deal(_) | DirectoryChange::Gone { .. } => None,
        });
        let told: HashSet<Card> = changes.iter().map(card_of).collect();
        let mut relatives = Vec::new();
        for heir in cards.filter(|card| heirs.contains(&card.card)) {
            let query = DirectoryQuery {
                portal: self.sync.portal.clone(),
                phones: heir.phones.clone(),
                emails: heir.emails.clone(),
                deals: false,
                expected: Vec::new(),
            };
            let answer = self.sync.store.directory_answer(query).await?;
            let known = answer.cards.into_iter().map(|known| known.card.card);
            for card in known {
                if !told.contains(&card) && !relatives.contains(&card) {
                    relatives.push(card);
                }
            }
        }
        relatives.truncate(SUSPECTS_MAX);
        Ok(relatives)
    }

    /// Reads the next piece of everything.
    async fn piece(&mut self, wish: Wish) -> Result<(), Trouble> {
        let mut pass = match self.state.pass.take() {
            Some(pass) if wish.everything == self.granted.everything => pass,
            Some(_) | None => self.new_pass(),
        };
        // Until the piece is on disk the reading stands where it stood.
        self.state.pass = Some(pass.clone());
        let piece = self.reader.everything(pass.cursor.clone()).await.done()?;
        let mut changes = piece.changes;
        let read = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        if let Some(covered) = piece.covered {
            let range = DirectoryRange {
                portal: self.sync.portal.clone(),
                entity: covered.entity,
                after: covered.after,
                up_to: Some(covered.up_to),
                limit: RANGE_MAX,
            };
            let told: HashSet<Card> = changes.iter().map(card_of).collect();
            let mut suspects = self.sync.store.directory_range(range).await?;
            suspects.retain(|card| !told.contains(card));
            suspects.truncate(SUSPECTS_MAX);
            if !suspects.is_empty() {
                let anew = self.reader.anew(suspects, Class::Background).await;
                changes.extend(anew.done()?);
            }
        }
        pass.read = pass.read.saturating_add(read);
        match piece.next {
            PieceNext::At(cursor) => {
                pass.cursor = Some(cursor);
                self.state.pass = Some(pass);
            }
            PieceNext::End { mark } => {
                info!(
                    portal = %self.sync.portal, read = pass.read, repaired = pass.repaired,
                    "the whole directory was read"
                );
                self.state.pass = None;
                if self.state.mark.is_none() {
                    self.state.mark = Some(mark);
                    self.state.complete_as_of = Some(pass.begun_at);
                }
                self.state.full_at = Some(pass.begun_at);
            }
        }
        let changed = self.commit(changes).await?;
        self.granted.everything = wish.everything;
        // What a first reading finds was never there to be repaired.
        if self.state.full_at.is_some()
            && let Some(pass) = &mut self.state.pass
        {
            pass.repaired = pass.repaired.saturating_add(changed);
        }
        Ok(())
    }

    fn new_pass(&self) -> FullPass {
        FullPass {
            begun_at: self.sync.clock.now(),
            cursor: None,
            read: 0,
            repaired: 0,
        }
    }

    /// Puts changes and state on disk; returns how many made a difference.
    async fn commit(&self, changes: Vec<DirectoryChange>) -> Result<u64, StoreError> {
        let mut changed: u64 = 0;
        let mut left = changes;
        loop {
            let rest = left.split_off(left.len().min(BATCH_MAX));
            let last = rest.is_empty();
            let batch = DirectoryBatch {
                portal: self.sync.portal.clone(),
                changes: left,
                // Only what is on disk whole counts as read.
                state: last.then(|| self.state.clone()),
            };
            let applied = self.sync.store.change_directory(batch).await?;
            changed = changed.saturating_add(applied.changed);
            left = rest;
            if last {
                break;
            }
        }
        Ok(changed)
    }
}

fn card_of(change: &DirectoryChange) -> Card {
    match change {
        DirectoryChange::Card(card) => card.card.clone(),
        DirectoryChange::Deal(deal) => Card {
            entity: crate::model::plan::Entity::Deal,
            id: deal.deal.id.clone(),
        },
        DirectoryChange::Gone { card } => card.clone(),
    }
}
