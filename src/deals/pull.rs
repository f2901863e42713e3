//! Keeps the deals of one integration in step with its CRM: what a webhook hinted at is read anew,
//! and what changed is read again and again, for what no webhook told of. What is read and how far
//! the reading came are on disk together, so a restart goes on. All of it in the account's lowest
//! class.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::attribution::attributed;
use super::known::Kept;
use super::normalise::normalise;
pub use super::wishes::DealWishes;
use super::wishes::Wish;
use crate::clock::SharedClock;
use crate::crm::{
    Adapter, DealNames, DealReader, DealRecords, DealsNext, DealsSince, DealsWanted, GONE_IDS_MAX,
    HookAddress,
};
use crate::model::deal::DealState;
use crate::model::deal_settings::DealSettings;
use crate::model::doubling::pause_after;
use crate::model::ids::IntegrationKey;
use crate::model::outcome::{NotDone, Outcome};
use crate::store::deals::{DealBatch, DealHint, DealPull};
use crate::store::{StoreError, StoreHandle};

/// Time between a hint and its reading: a CRM tells several things about one deal in a row.
const HINT_GAP: Duration = Duration::from_secs(2);

/// So many deals are read anew at a time; where more are hinted at, what changed is read instead,
/// which costs a request for hundreds of them.
const HINTS_ANEW_MAX: usize = 20;

/// Hints that one look at the store returns.
const HINTS_MAX: usize = 10_000;

/// How old the names of pipelines, stages and people may be.
const NAMES_FRESH_FOR: Duration = Duration::from_secs(1800);

/// The first and the longest pause after a reading that failed.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_LONGEST: Duration = Duration::from_secs(300);

/// After this time the CRM is asked again to tell of changes.
const SUBSCRIBED: Duration = Duration::from_secs(24 * 3600);

/// How often the deals that are kept are asked about where no reading tells of every deal that is
/// gone.
const CHECK_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Where a reading shows how it is getting on.
pub trait PullReport: Send + Sync {
    /// This is on disk now.
    fn state(&self, pull: &DealPull);

    /// A reading failed; it is tried again.
    fn trouble(&self, why: &str);
}

/// The reading of one integration's deals.
#[derive(Clone)]
pub struct DealPuller {
    /// Whose.
    pub integration: IntegrationKey,
    /// Its account.
    pub adapter: Arc<dyn Adapter>,
    /// What was chosen.
    pub settings: DealSettings,
    /// Where the CRM may tell of changes, where nobody else asks it to.
    pub hook: Option<HookAddress>,
    /// Where deals are kept.
    pub store: StoreHandle,
    /// The time of day.
    pub clock: SharedClock,
    /// What is wished of it.
    pub wishes: Arc<DealWishes>,
    /// Where its state is shown.
    pub report: Arc<dyn PullReport>,
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
enum Next {
    Subscribe,
    Hints(Vec<DealHint>),
    Piece,
    /// Are the deals that changed after this number still there?
    Check(u64),
    WaitUntil(Instant),
}

/// One life of a reading.
struct Life<'a> {
    puller: &'a DealPuller,
    reader: &'a dyn DealReader,
    wanted: DealsWanted,
    pull: DealPull,
    names: DealNames,
    names_at: Option<Instant>,
    hints_at: Option<Instant>,
    /// Hints that the reading under way answers: they were there when it began.
    covered: Vec<DealHint>,
    subscribe_at: Option<Instant>,
    /// What the reading under way changed so far.
    changed: u64,
    /// A person wished to know what is there.
    check_wished: bool,
    /// How far the check of what is there came.
    checked: Option<u64>,
    failures: u32,
}

impl DealPuller {
    /// Keeps the deals until `stop` turns true.
    ///
    /// # Errors
    ///
    /// What the store refuses. The CRM's refusals are waited out.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let Some(reader) = self.adapter.deals() else {
            self.report.trouble("this CRM has no deals that come back");
            let _ = stop.wait_for(|stop| *stop).await;
            return Ok(());
        };
        let stored = self.store.deal_pull(self.integration.clone()).await?;
        let mut life = Life {
            puller: self,
            reader,
            wanted: self.wanted(),
            pull: self.begin_from(stored.unwrap_or_default()),
            names: DealNames::default(),
            names_at: None,
            hints_at: None,
            covered: Vec::new(),
            subscribe_at: self.hook.as_ref().map(|_| Instant::now()),
            changed: 0,
            check_wished: false,
            checked: None,
            failures: 0,
        };
        self.report.state(&life.pull);
        life.keep(&mut stop).await
    }

    fn wanted(&self) -> DealsWanted {
        let settings = &self.settings;
        let single = settings.sum_field.iter().chain(&settings.source_field);
        let fields: BTreeSet<String> = single.chain(&settings.columns).cloned().collect();
        DealsWanted {
            pipelines: settings.pipelines.clone(),
            fields: fields.into_iter().collect(),
            known: Arc::new(Kept {
                store: self.store.clone(),
                integration: self.integration.clone(),
            }),
        }
    }

    /// Other settings make other deals of the same records: everything that is kept is read anew.
    fn begin_from(&self, stored: DealPull) -> DealPull {
        let settings = kept_by(&self.settings);
        if stored.settings == settings {
            return stored;
        }
        DealPull {
            settings,
            since: stored.since,
            complete_as_of: stored.complete_as_of,
            heard_at: stored.heard_at,
            checked_at: stored.checked_at,
            ..DealPull::default()
        }
    }
}

/// Returns what of the settings makes a deal what it is.
fn kept_by(settings: &DealSettings) -> Value {
    json!({
        "pipelines": settings.pipelines, "good": settings.good, "bad": settings.bad,
        "sum": settings.sum_field, "source": settings.source_field,
        "columns": settings.columns, "model": settings.model, "first_days": settings.first_days,
    })
}

impl Life<'_> {
    async fn keep(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), StoreError> {
        let mut wishes = self.puller.wishes.watch();
        loop {
            let wish = *wishes.borrow_and_update();
            let next = self.next(wish).await?;
            let result = match next {
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
                Next::Hints(hints) => tokio::select! {
                    result = self.answer(hints) => result,
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                },
                Next::Piece => tokio::select! {
                    result = self.piece(wish) => result,
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                },
                Next::Check(after) => tokio::select! {
                    result = self.check(after) => result,
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                },
            };
            match result {
                Ok(()) => {
                    self.failures = 0;
                    self.puller.report.state(&self.pull);
                }
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Crm(NotDone { why, retry_after })) => {
                    self.failures = self.failures.saturating_add(1);
                    let pause = pause_after(self.failures, PAUSE_FIRST, PAUSE_LONGEST);
                    let pause = pause.max(retry_after.unwrap_or_default());
                    self.puller.report.trouble(&why);
                    warn!(integration = %self.puller.integration, why, pause_s = pause.as_secs(), "deals not read");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stop.wait_for(|stop| *stop) => return Ok(()),
                    }
                }
            }
        }
    }

    /// Says what is next.
    async fn next(&mut self, wish: Wish) -> Result<Next, StoreError> {
        let now = Instant::now();
        if self.subscribe_at.is_some_and(|due| due <= now) {
            return Ok(Next::Subscribe);
        }
        if self.pull.cursor.is_some() || self.pull.mark.is_none() {
            return Ok(Next::Piece);
        }
        let since_poll = match self.pull.complete_as_of {
            Some(at) => self.puller.clock.now().since(at),
            None => Duration::MAX,
        };
        let poll = self.puller.settings.poll();
        if wish.read != self.puller.wishes.granted() || since_poll >= poll {
            return Ok(Next::Piece);
        }
        let hints = self.hints().await?;
        let poll_at = now + poll.saturating_sub(since_poll);
        if hints.is_empty() {
            self.hints_at = None;
            return Ok(match self.check_due() {
                Some(after) => Next::Check(after),
                None => Next::WaitUntil(poll_at),
            });
        }
        let due = *self.hints_at.get_or_insert(now + HINT_GAP);
        if due > now {
            return Ok(Next::WaitUntil(due.min(poll_at)));
        }
        self.hints_at = None;
        match hints.len() > HINTS_ANEW_MAX {
            true => Ok(Next::Piece),
            false => Ok(Next::Hints(hints)),
        }
    }

    /// Says where the check of what is there goes on, if it is time for one. Polls come more often
    /// than it, so that nobody waits for its time.
    fn check_due(&self) -> Option<u64> {
        if self.reader.tells_gone() {
            return None;
        }
        let checked_at = self.pull.checked_at;
        let is_old = |at| self.puller.clock.now().since(at) >= CHECK_EVERY;
        let due = self.check_wished || checked_at.is_none_or(is_old);
        self.checked.or(due.then_some(0))
    }

    /// Asks about the next of the deals that are kept.
    async fn check(&mut self, after: u64) -> Result<(), Trouble> {
        let puller = self.puller;
        let integration = puller.integration.clone();
        let some = puller.store.deals_after(integration, after, GONE_IDS_MAX);
        let some = some.await?;
        let last = some.last().map(|stored| stored.version);
        let there = some.into_iter().map(|stored| stored.deal);
        let ids: Vec<String> = there
            .filter(|deal| deal.state != DealState::Removed)
            .map(|deal| deal.id)
            .collect();
        let gone = match ids.is_empty() {
            true => Vec::new(),
            false => self.reader.gone(ids).await.done()?,
        };
        let mut pull = self.pull.clone();
        if last.is_none() {
            pull.checked_at = Some(puller.clock.now());
        }
        let records = DealRecords {
            gone,
            moves_told: true,
            ..DealRecords::default()
        };
        self.commit(records, Vec::new(), Some(pull.clone())).await?;
        self.pull = pull;
        // What is marked as removed gets a new number, and is passed over then.
        self.checked = last;
        self.check_wished &= last.is_some();
        Ok(())
    }

    async fn hints(&self) -> Result<Vec<DealHint>, StoreError> {
        let integration = self.puller.integration.clone();
        self.puller.store.deal_hints(integration, HINTS_MAX).await
    }

    /// Has the CRM tell of changes. Without that what changed is read at its times.
    async fn subscribe(&mut self) {
        let Some(hook) = self.puller.hook.clone() else {
            self.subscribe_at = None;
            return;
        };
        let (pause, why) = match self.reader.subscribe(hook).await {
            Outcome::Done(()) => (SUBSCRIBED, None),
            // The tariff, rights, or pages of the CRM's own: a person's affair.
            Outcome::Rejected(rejection) => (SUBSCRIBED, Some(rejection.message)),
            other => (
                PAUSE_LONGEST,
                other.done().err().map(|not_done| not_done.why),
            ),
        };
        self.subscribe_at = Instant::now().checked_add(pause);
        if let Some(why) = why {
            let why = format!("the CRM does not tell of changes: {why}");
            self.puller.report.trouble(&why);
        }
    }

    /// Reads anew what was hinted at.
    async fn answer(&mut self, hints: Vec<DealHint>) -> Result<(), Trouble> {
        self.refresh_names().await?;
        let ids = hints.iter().map(|hint| hint.deal.clone()).collect();
        let records = self.reader.anew(ids, &self.wanted).await.done()?;
        let mut pull = self.pull.clone();
        pull.heard_at = Some(self.puller.clock.now());
        pull.unheard = 0;
        self.commit(records, hints, Some(pull.clone())).await?;
        self.pull = pull;
        Ok(())
    }

    /// Reads the next piece of what changed.
    async fn piece(&mut self, wish: Wish) -> Result<(), Trouble> {
        self.refresh_names().await?;
        let now = self.puller.clock.now();
        let mut pull = self.pull.clone();
        let begins = pull.cursor.is_none();
        let since = match (&pull.cursor, &pull.mark) {
            (Some(cursor), _) => DealsSince::Cursor(cursor.clone()),
            (None, mark) => {
                self.changed = 0;
                pull.begun_at = Some(now);
                self.covered = self.hints().await?;
                match mark {
                    Some(mark) => DealsSince::Mark(mark.clone()),
                    None => {
                        let first = now.minus(self.puller.settings.first());
                        let from = pull.since.map_or(first, |since| since.min(first));
                        pull.since = Some(from);
                        DealsSince::Time(from)
                    }
                }
            }
        };
        let outcome = self.reader.changes(since, &self.wanted).await;
        if matches!(outcome, Outcome::Rejected(_)) {
            // A cursor may be one that the adapter cannot read any more: from the mark, then.
            self.pull.cursor = None;
        }
        let piece = outcome.done()?;
        let is_first = pull.mark.is_none();
        let mut answered = Vec::new();
        match piece.next {
            DealsNext::At(cursor) => pull.cursor = Some(cursor),
            DealsNext::End(mark) => {
                pull.cursor = None;
                pull.mark = Some(mark);
                pull.complete_as_of = pull.begun_at.take().or(Some(now));
                answered = self.covered.clone();
                if !answered.is_empty() {
                    pull.heard_at = Some(now);
                    pull.unheard = 0;
                }
            }
        }
        let is_over = pull.cursor.is_none();
        let changed = self
            .commit(piece.records, answered, Some(pull.clone()))
            .await?;
        self.changed = self.changed.saturating_add(changed);
        self.pull = pull;
        if begins {
            let wishes = &self.puller.wishes;
            self.check_wished |= wish.read != wishes.granted();
            // Not before: one that fails is tried again.
            wishes.grant(wish.read);
        }
        if is_over {
            if self.covered.is_empty() && !is_first {
                self.note_unheard().await?;
            }
            self.covered.clear();
            info!(integration = %self.puller.integration, changed, "deals read");
        }
        Ok(())
    }

    /// Takes note of what a reading found and no webhook told of.
    async fn note_unheard(&mut self) -> Result<(), Trouble> {
        if self.changed == 0 {
            return Ok(());
        }
        let mut pull = self.pull.clone();
        pull.unheard = pull.unheard.saturating_add(self.changed);
        let nothing = DealRecords {
            moves_told: true,
            ..DealRecords::default()
        };
        self.commit(nothing, Vec::new(), Some(pull.clone())).await?;
        self.pull = pull;
        Ok(())
    }

    async fn refresh_names(&mut self) -> Result<(), Trouble> {
        let fresh = |at: Instant| at.elapsed() < NAMES_FRESH_FOR;
        if self.names_at.is_some_and(fresh) {
            return Ok(());
        }
        self.names = self.reader.names(&self.wanted).await.done()?;
        self.names_at = Some(Instant::now());
        Ok(())
    }

    /// Puts what was read on disk, together with how far the reading came.
    async fn commit(
        &mut self,
        records: DealRecords,
        answered: Vec<DealHint>,
        pull: Option<DealPull>,
    ) -> Result<u64, Trouble> {
        let puller = self.puller;
        let mut removed = records.gone;
        let mut deals = Vec::new();
        for record in &records.deals {
            match normalise(record, &self.names, &puller.settings) {
                Some(deal) => {
                    let (tenant, model) = (&puller.integration.tenant, puller.settings.model);
                    deals.push(attributed(&puller.store, tenant, model, deal).await?);
                }
                // It went to a pipeline that was not chosen.
                None => removed.push(record.id.clone()),
            }
        }
        let batch = DealBatch {
            integration: puller.integration.clone(),
            deals,
            removed,
            moves: records.moves,
            derive_moves: !records.moves_told,
            answered,
            pull,
            now: puller.clock.now(),
        };
        let applied = puller.store.change_deals(batch).await?;
        if applied.changed > 0 {
            puller.wishes.stored();
        }
        Ok(applied.changed)
    }
}
