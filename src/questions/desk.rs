//! Where questions come in, whatever door they come through: looks up what is known and lets the
//! chain answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::clock::SharedClock;
use crate::model::ids::EmployeeId;
use crate::model::phone::Phone;
use crate::model::question::{Answer, Knowledge, NotAnswered, Question};
use crate::model::timestamp::Timestamp;
use crate::pbx::Answerer;

use super::chain::{self, Asked, Hits, Known};
use super::last_talks::LastTalks;
use super::reason::{Found, LiveOutcome, Reason};
use super::stats::{Refusal, Stats};
use super::table::{SourceEntry, Table};

/// What is asked about one call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The caller's number as the source writes it.
    pub caller: &'a str,
    /// The dialled number as the source writes it.
    pub did: Option<&'a str>,
    /// The employee whom an earlier answer named did not answer.
    pub redirect_failed: bool,
    /// Within what time the answer must be there; `None` = the source's own deadline.
    pub within: Option<Duration>,
    /// The reasons are wanted, too.
    pub explain: bool,
}

/// The desk. Answers share it without a lock.
pub struct Desk {
    table: ArcSwap<Table>,
    clock: SharedClock,
    talks: Arc<LastTalks>,
    stats: Stats,
    /// Tables that there were.
    replaced: AtomicU64,
}

impl Desk {
    /// Opens a desk that knows no source yet.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            table: ArcSwap::default(),
            clock,
            talks: Arc::default(),
            stats: Stats::default(),
            replaced: AtomicU64::default(),
        }
    }

    /// Replaces the settings; questions under way end with the old ones.
    pub fn replace(&self, table: Table) {
        self.table.store(Arc::new(table));
        self.replaced.fetch_add(1, Ordering::Release);
    }

    /// Returns the settings.
    pub fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// Returns the table of last talks, to be fed.
    pub fn talks(&self) -> &Arc<LastTalks> {
        &self.talks
    }

    /// Returns the counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Answers and counts.
    pub async fn answer(&self, source: &SourceEntry, ask: Ask<'_>) -> Found {
        let began = Instant::now();
        let found = self.find(source, ask).await;
        self.stats.answered(found.answer.route, began.elapsed());
        found
    }

    /// Answers without counting, for people who try it.
    pub async fn find(&self, source: &SourceEntry, ask: Ask<'_>) -> Found {
        let asked = Asked::read(source, ask.caller, ask.did, ask.redirect_failed);
        let mut remarks = Vec::new();
        let mut hits = look(&asked, &mut remarks);
        // Who redirects nothing only lends a name, and is asked last.
        let redirects = |hits: &Hits| {
            let integration = source.tenant.integrations.get(hits.integration);
            integration.is_some_and(|integration| integration.redirects().is_some())
        };
        if !hits.as_ref().is_some_and(redirects)
            && asked.needs_manager()
            && let Some(own) = source.answering.live_within
        {
            let within = ask.within.map_or(own, |within| within.min(own));
            let live = self.ask_live(&asked, within, &mut remarks).await;
            hits = live.or(hits);
        }
        let last_talker = |phone: &Phone| self.last_talker(source, phone);
        let known = Known {
            hits,
            remarks,
            explain: ask.explain,
            last_talker: &last_talker,
            now: self.clock.now(),
        };
        chain::answer(&asked, known)
    }

    /// Asks the first CRM that redirects calls and can be asked.
    async fn ask_live(
        &self,
        asked: &Asked<'_>,
        within: Duration,
        remarks: &mut Vec<Reason>,
    ) -> Option<Hits> {
        let phone = asked.client_number()?;
        let mut redirecting =
            chain::order(asked.source).filter(|(_, integration)| integration.redirects().is_some());
        let (position, integration, live) = redirecting
            .find_map(|(at, integration)| Some((at, integration, integration.live.as_ref()?)))?;
        let clients = match live.ask(phone.clone()) {
            None => Err(LiveOutcome::NotAsked),
            Some(asking) => match tokio::time::timeout(within, asking).await {
                Ok(Some(clients)) if clients.is_empty() => Err(LiveOutcome::Unknown),
                Ok(Some(clients)) => Ok(clients),
                Ok(None) | Err(_) => Err(LiveOutcome::NoAnswer),
            },
        };
        let outcome = clients
            .as_ref()
            .map_or_else(|outcome| *outcome, |_| LiveOutcome::Known);
        self.stats.asked_live(outcome);
        remarks.push(Reason::AskedLive {
            integration: integration.id.clone(),
            outcome,
        });
        Some(Hits {
            integration: position,
            knowledge: Knowledge::Live,
            as_of: Some(self.clock.now()),
            clients: clients.ok()?,
        })
    }

    /// Returns how often the settings were replaced.
    pub(super) fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Acquire)
    }

    /// Returns the present time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Answers at once: no CRM is asked, nothing is explained.
    pub(super) fn at_once(&self, asked: &Asked<'_>) -> Answer {
        let mut remarks = Vec::new();
        let hits = look(asked, &mut remarks);
        let known = Known {
            hits,
            remarks,
            explain: false,
            last_talker: &|phone: &Phone| self.last_talker(asked.source, phone),
            now: self.clock.now(),
        };
        chain::answer(asked, known).answer
    }

    fn last_talker(&self, source: &SourceEntry, phone: &Phone) -> Option<EmployeeId> {
        let talk = self.talks.with(&source.tenant.id, phone)?;
        let employees = &source.tenant.employees;
        let employee = employees.by_extension(&talk.source, &talk.extension)?;
        Some(employee.id.clone())
    }
}

/// Asks the books, in order, until one knows the number.
fn look(asked: &Asked<'_>, remarks: &mut Vec<Reason>) -> Option<Hits> {
    let phone = asked.client_number()?;
    for (position, integration) in chain::order(asked.source) {
        let Some(book) = &integration.book else {
            continue;
        };
        let known = book.look(phone);
        if !known.clients.is_empty() {
            return Some(Hits {
                integration: position,
                knowledge: Knowledge::Directory,
                as_of: known.complete_as_of,
                clients: known.clients,
            });
        }
        if known.complete_as_of.is_none() {
            let integration = integration.id.clone();
            remarks.push(Reason::DirectoryIncomplete { integration });
        }
    }
    None
}

impl Desk {
    /// Answers a question that came through a phone system's own door. `asker` is the address that
    /// has to be allowed; `None` = it proved itself in another way.
    async fn answer_question(
        &self,
        question: Question,
        asker: Option<IpAddr>,
        redirect_failed: bool,
    ) -> Result<Answer, NotAnswered> {
        let table = self.table.load_full();
        let Some(source) = table.source(&question.source.to_string()) else {
            self.stats.refused(Refusal::UnknownSource);
            return Err(NotAnswered::UnknownSource(question.source));
        };
        if let Some(asker) = asker.filter(|asker| !source.allows(*asker)) {
            self.stats.refused(Refusal::NotAllowed);
            return Err(NotAnswered::NotAllowed {
                source_key: question.source,
                address: asker,
            });
        }
        let ask = Ask {
            caller: &question.caller,
            did: question.did.as_deref(),
            redirect_failed,
            within: question.within,
            explain: false,
        };
        Ok(self.answer(source, ask).await.answer)
    }
}

impl Answerer for Desk {
    fn answer(
        &self,
        question: Question,
        asker: IpAddr,
    ) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        self.answer_question(question, Some(asker), false).boxed()
    }

    fn answer_source(&self, question: Question) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        self.answer_question(question, None, false).boxed()
    }

    fn answer_after_failure(
        &self,
        question: Question,
        asker: IpAddr,
    ) -> BoxFuture<'_, Result<Answer, NotAnswered>> {
        self.answer_question(question, Some(asker), true).boxed()
    }
}
