//! Notices of new records that go past the CRM: decided when a work has made its record, written
//! down as sent, and sent here, beside the lanes and in nobody's way.
//!
//! ```text
//! step done --> rules::outside --> on disk as sent --> e-mail, webhook --> done | failed | expired
//! ```
//! What was written down as sent and has no result is sent once more by the next process, as long as
//! the news is any: by the same name (`Message-ID`, `Idempotency-Key`), so that who gets it twice can
//! tell. This process tries again what was surely not taken.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::clock::SharedClock;
use crate::crm::AccountSettings;
use crate::model::activity::Activity;
use crate::model::communication::Kind;
use crate::model::ids::{CommunicationKey, CrmUserId, IntegrationKey, TenantId};
use crate::model::ledger::Ledger;
use crate::model::notice::{NoticeWay, OutsideNotice};
use crate::model::passing::PassingState;
use crate::model::plan::Role;
use crate::rules::outside::{KnownUser, Made, News, news_of, notices, tells};
use crate::store::command::{Pass, Passing, Work, WorkId};
use crate::store::{StoreError, StoreHandle};

use super::context::IntegrationContext;

/// Conversations with mail servers and webhooks at once: more would be taken for an attack.
const SENDING_MAX: usize = 4;

/// Notices that wait for one of them, or for their next try.
const WAITING_MAX: usize = 256;

/// After a refusal the next try comes this much later, then twice as late, and so on.
const AGAIN_FIRST: Duration = Duration::from_secs(10);

/// The longest such pause.
const AGAIN_MAX: Duration = Duration::from_secs(300);

/// So much of a digest names a notice: more than will ever be sent.
const ID_BYTES: usize = 16;

/// A notice as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// Which notice it is: the same however often it is sent.
    pub id: String,
    /// Whose integration it is.
    pub tenant: TenantId,
    /// What is new.
    pub news: News,
    /// The record's page, where the CRM has one.
    pub link: Option<String>,
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// In words, without secrets.
    pub why: String,
    /// It was surely not taken, and may be later.
    pub again: bool,
}

/// What reaches people past the CRM.
pub trait Messenger: Send + Sync {
    /// Tells, once. Takes no longer than a minute or two.
    fn tell(&self, way: NoticeWay, telling: Telling) -> BoxFuture<'_, Result<(), NotTaken>>;
}

/// The way out of all integrations; shared.
#[derive(Clone)]
pub struct NoticeDesk {
    messenger: Arc<dyn Messenger>,
    places: Arc<Semaphore>,
    sending: Arc<Semaphore>,
    /// Those that this process is sending.
    under_way: Arc<Mutex<HashSet<String>>>,
}

impl NoticeDesk {
    /// Opens a desk.
    pub fn new(messenger: Arc<dyn Messenger>) -> Self {
        Self {
            messenger,
            places: Arc::new(Semaphore::new(WAITING_MAX)),
            sending: Arc::new(Semaphore::new(SENDING_MAX)),
            under_way: Arc::default(),
        }
    }

    /// Takes a notice; says whether nobody sends it already.
    fn take(&self, id: &str) -> bool {
        self.under_way().insert(id.to_owned())
    }

    fn give_back(&self, id: &str) {
        self.under_way().remove(id);
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<String>> {
        match self.under_way.lock() {
            Ok(ids) => ids,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// What an integration needs to tell of its records.
#[derive(Clone)]
pub struct Notices {
    /// The way out.
    pub desk: NoticeDesk,
    /// The account, which knows the addresses of its pages.
    pub account: Arc<dyn AccountSettings>,
}

/// Says whether a work may have something to tell.
pub(super) fn may_tell(context: &IntegrationContext, work: &Work) -> bool {
    let capabilities = context.adapter.capabilities();
    context.notices.is_some()
        && context.activity == Activity::On
        && work
            .kind
            .is_some_and(|kind| tells(&context.settings, kind, capabilities))
}

/// Tells of what a work made, where that is known by now and was not told before. Takes a write to
/// the disk; the sending goes on by itself.
pub(super) async fn mind(
    context: &IntegrationContext,
    work: &Work,
    ledger: &mut Ledger,
) -> Result<(), StoreError> {
    let (Some(ways), Some(kind)) = (&context.notices, work.kind) else {
        return Ok(());
    };
    if !may_tell(context, work) {
        return Ok(());
    }
    let decided = with_made(context, ledger, work.id, kind, notices);
    let Some((decided, news)) = decided else {
        return Ok(());
    };
    let link = ways.account.card_url(&news.card);
    for notice in decided {
        let pass = Pass {
            integration: context.key.clone(),
            communication: work.communication.clone(),
            what: Passing::BeginNotice(notice.clone()),
        };
        match context.store.pass(pass).await {
            Ok(()) => {}
            // Decided before; one more would be one too many.
            Err(StoreError::StepExists(_)) => continue,
            Err(error) => return Err(error),
        }
        ledger.notices.push(notice.clone());
        match notice.state {
            PassingState::Sent { .. } => {
                let telling = Telling {
                    id: id_of(&context.key, &work.communication, &notice.role),
                    tenant: context.key.tenant.clone(),
                    news: news.clone(),
                    link: link.clone(),
                };
                begin(context, ways, &work.communication, notice, telling);
            }
            PassingState::Expired { .. } => count("expired"),
            PassingState::Done { .. }
            | PassingState::Failed { .. }
            | PassingState::NotSent { .. } => count("nobody"),
        }
    }
    Ok(())
}

/// Makes something of the values by which notices are decided.
fn with_made<T>(
    context: &IntegrationContext,
    ledger: &Ledger,
    work: WorkId,
    kind: Kind,
    make: impl FnOnce(&Made<'_>) -> T,
) -> T {
    let known = context.portal.book().known();
    let of_user = |user: &CrmUserId| {
        let users = known.iter().flat_map(|known| &known.account.users);
        let found = users.clone().find(|one| one.id == *user)?;
        Some(KnownUser {
            name: found.name.clone(),
            email: found.email.clone(),
        })
    };
    make(&Made {
        ledger,
        work,
        kind,
        settings: &context.settings,
        settings_revision: context.settings_revision,
        capabilities: context.adapter.capabilities(),
        employees: &context.employees,
        account: &context.account,
        of_user: &of_user,
        now: context.clock.now(),
    })
}

/// Names a notice, the same in every process; nothing of it tells whom it is about.
fn id_of(integration: &IntegrationKey, communication: &CommunicationKey, role: &Role) -> String {
    let name = format!("{integration} {communication} {role}");
    let digest = Sha256::digest(name.as_bytes());
    let hex: String = digest
        .iter()
        .take(ID_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("trunkline-{hex}")
}

/// Sends what an earlier process wrote down as sent and died over: nobody knows whether it came.
/// What is no news any more has expired.
pub(super) async fn resume(context: &IntegrationContext) -> Result<(), StoreError> {
    let Some(ways) = &context.notices else {
        return Ok(());
    };
    if context.activity != Activity::On {
        return Ok(());
    }
    for communication in context.store.notices_unsettled(context.key.clone()).await? {
        let store = &context.store;
        let ledger = match store
            .ledger(context.key.clone(), communication.clone())
            .await
        {
            Ok(ledger) => ledger,
            // In quarantine; the alarm says so.
            Err(StoreError::Unreadable { .. }) => continue,
            Err(error) => return Err(error),
        };
        let stored = match store.communication(communication.clone()).await {
            Ok(stored) => stored,
            Err(StoreError::Unreadable { .. }) => None,
            Err(error) => return Err(error),
        };
        let kind = stored.map(|stored| stored.snapshot.body.kind());
        let unsettled = ledger.notices.iter();
        let unsettled = unsettled.filter(|one| matches!(one.state, PassingState::Sent { .. }));
        for notice in unsettled {
            // Which work it was decided for does not matter any more.
            let news = kind.and_then(|kind| {
                with_made(context, &ledger, 0, kind, |made| news_of(made, notice))
            });
            let Some(news) = news else {
                // Its record or its communication is gone: there is nothing to tell.
                let settled = Pass {
                    integration: context.key.clone(),
                    communication: communication.clone(),
                    what: Passing::Settle {
                        role: notice.role.clone(),
                        state: PassingState::Expired {
                            at: context.clock.now(),
                            // Its message may have gone out before the daemon ended.
                            sent: true,
                        },
                    },
                };
                context.store.pass(settled).await?;
                count("expired");
                continue;
            };
            let telling = Telling {
                id: id_of(&context.key, &communication, &notice.role),
                tenant: context.key.tenant.clone(),
                link: ways.account.card_url(&news.card),
                news,
            };
            begin(context, ways, &communication, notice.clone(), telling);
        }
    }
    Ok(())
}

/// A notice on its way.
struct Errand {
    desk: NoticeDesk,
    store: StoreHandle,
    clock: SharedClock,
    integration: IntegrationKey,
    communication: CommunicationKey,
    notice: OutsideNotice,
    telling: Telling,
}

fn begin(
    context: &IntegrationContext,
    ways: &Notices,
    communication: &CommunicationKey,
    notice: OutsideNotice,
    telling: Telling,
) {
    if !ways.desk.take(&telling.id) {
        return;
    }
    let place = Arc::clone(&ways.desk.places).try_acquire_owned();
    let errand = Errand {
        desk: ways.desk.clone(),
        store: context.store.clone(),
        clock: Arc::clone(&context.clock),
        integration: context.key.clone(),
        communication: communication.clone(),
        notice,
        telling,
    };
    tokio::spawn(async move {
        let state = match place {
            Ok(_place) => errand.run().await,
            Err(_) => PassingState::Failed {
                at: errand.clock.now(),
                why: format!("{WAITING_MAX} notices wait already"),
            },
        };
        errand.settle(state).await;
    });
}

impl Errand {
    /// Tells, for as long as the news is any, and returns what it came to.
    async fn run(&self) -> PassingState {
        let mut pause = AGAIN_FIRST;
        let mut last: Option<String> = None;
        loop {
            let left = self.notice.useful_until.since(self.clock.now());
            if left.is_zero() {
                return self.late(last);
            }
            let told = tokio::time::timeout(left, self.once()).await;
            let at = self.clock.now();
            match told {
                Err(_) => return self.late(last),
                Ok(Ok(())) => return PassingState::Done { at, entry: None },
                Ok(Err(NotTaken { why, again: false })) => {
                    return PassingState::Failed { at, why };
                }
                Ok(Err(NotTaken { why, again: true })) => {
                    tracing::warn!(integration = %self.integration, why, "a notice waits");
                    last = Some(why);
                }
            }
            let left = self.notice.useful_until.since(self.clock.now());
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(AGAIN_MAX);
        }
    }

    async fn once(&self) -> Result<(), NotTaken> {
        // Never closed; without a place it waits as for one that answers slowly.
        let _seat = self.desk.sending.acquire().await;
        let (way, telling) = (self.notice.way.clone(), self.telling.clone());
        self.desk.messenger.tell(way, telling).await
    }

    fn late(&self, last: Option<String>) -> PassingState {
        let at = self.clock.now();
        match last {
            // It is known why, which says more than that it is late.
            Some(why) => PassingState::Failed { at, why },
            None => PassingState::Expired { at, sent: false },
        }
    }

    async fn settle(self, state: PassingState) {
        count(match &state {
            PassingState::Done { .. } => "done",
            PassingState::Expired { .. } => "expired",
            PassingState::Sent { .. }
            | PassingState::Failed { .. }
            | PassingState::NotSent { .. } => "failed",
        });
        if let PassingState::Failed { why, .. } = &state {
            tracing::warn!(integration = %self.integration, why, "a notice was not taken");
        }
        let settled = Pass {
            integration: self.integration,
            communication: self.communication,
            what: Passing::Settle {
                role: self.notice.role,
                state,
            },
        };
        if let Err(error) = self.store.pass(settled).await {
            tracing::debug!(%error, "what became of a notice is not known");
        }
        self.desk.give_back(&self.telling.id);
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("trunkline_notices_total", "outcome" => outcome).increment(1);
}
