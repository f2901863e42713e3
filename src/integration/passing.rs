//! The desk of passing steps: what is worth something for seconds is decided, written down and sent
//! here, beside the lanes and in nobody's way.
//!
//! ```text
//! snapshot --> rules::popup --> on disk as sent --> the CRM's screen --> done | failed | expired
//!                          \-- nobody to show it to, too late: on disk with the reason
//! ```
//! When somebody has picked up, the others' cards are taken away in the same manner.
//!
//! One decision at a time, so that of two pictures of one call the later sees what the earlier came
//! to; the sending of one holds up no other. What was written down as sent is never sent again, also
//! by the next process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::crm::Popup;
use crate::model::activity::Activity;
use crate::model::communication::{Body, Kind, Snapshot};
use crate::model::ids::{SourceId, SourceKey};
use crate::model::outcome::Outcome;
use crate::model::passing::{
    Audience, CardMove, OpenedEntry, PassingReason, PassingState, PassingStep, opened_entry,
};
use crate::model::phone::Phone;
use crate::model::plan::{Entity, Role, StepKey};
use crate::rules::CALL_RECORD;
use crate::rules::popup::{Ringing, may_show, popup, take_away};
use crate::rules::settings::Telephony;
use crate::store::StoreError;
use crate::store::command::{Pass, Passing};
use crate::store::directory::DirectoryQuery;

use super::context::IntegrationContext;

/// Pictures of calls that wait for their decision. Each takes a few milliseconds; beyond a second's
/// worth of the busiest switch a card would come late anyway.
const WAITING_MAX: usize = 512;

/// Cards that are being shown at once; more than the account lets through in their seconds.
const SENDING_MAX: usize = 128;

/// Who shows cards for calls of a source.
pub type Takers = HashMap<SourceKey, Vec<Arc<IntegrationContext>>>;

/// A picture of a call, and who shows cards for it.
struct Told {
    snapshot: Snapshot,
    takers: Vec<Arc<IntegrationContext>>,
}

/// The desk's open side; shared.
#[derive(Clone)]
pub struct PassingDesk {
    takers: Arc<ArcSwap<Takers>>,
    queue: mpsc::Sender<Told>,
}

/// The desk's work; runs until it is dropped.
pub struct PassingWork {
    queue: mpsc::Receiver<Told>,
    sending: JoinSet<()>,
}

impl PassingDesk {
    /// Opens a desk without takers.
    pub fn open() -> (Self, PassingWork) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let desk = Self {
            takers: Arc::default(),
            queue: sender,
        };
        let work = PassingWork {
            queue: receiver,
            sending: JoinSet::new(),
        };
        (desk, work)
    }

    /// Replaces who shows cards.
    pub fn replace<'a>(
        &self,
        integrations: impl Iterator<Item = (&'a IntegrationContext, &'a [(SourceId, Kind)])>,
    ) {
        let mut takers = Takers::new();
        for (context, takes) in integrations {
            let shows = context
                .settings
                .popup
                .as_ref()
                .is_some_and(|popup| popup.on);
            if !shows || context.activity == Activity::Off || context.adapter.screen().is_none() {
                continue;
            }
            let context = Arc::new(context.clone());
            for (source, _) in takes.iter().filter(|(_, kind)| *kind == Kind::Call) {
                let key = SourceKey::new(context.key.tenant.clone(), source.clone());
                takers.entry(key).or_default().push(Arc::clone(&context));
            }
        }
        self.takers.store(Arc::new(takers));
    }

    /// Takes a picture that was just stored. Never waits: whoever comes too many is counted.
    pub fn told(&self, snapshot: &Snapshot) {
        if !may_show(snapshot) {
            return;
        }
        let takers = self.takers.load();
        let Some(takers) = takers.get(&snapshot.key.source) else {
            return;
        };
        let told = Told {
            snapshot: snapshot.clone(),
            takers: takers.clone(),
        };
        if self.queue.try_send(told).is_err() {
            count("overrun");
        }
    }
}

impl PassingWork {
    /// Works until everybody who could tell of anything is gone.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                told = self.queue.recv() => {
                    let Some(told) = told else { return };
                    for taker in &told.takers {
                        self.decide(taker, &told.snapshot).await;
                    }
                }
                Some(_) = self.sending.join_next(), if !self.sending.is_empty() => {}
            }
        }
    }

    /// Decides for one integration, and begins the sending.
    async fn decide(&mut self, context: &Arc<IntegrationContext>, snapshot: &Snapshot) {
        for card in [CardMove::Show, CardMove::TakeAway] {
            let begun = match begin(context, snapshot, card).await {
                Ok(Some(begun)) => begun,
                Ok(None) => continue,
                Err(error) => {
                    // Without its word on disk a card could be shown twice: rather never.
                    tracing::warn!(integration = %context.key, %error, "a card is not shown");
                    count("failed");
                    continue;
                }
            };
            match begun.step.state {
                PassingState::Sent { .. } => {}
                PassingState::Expired { .. } => {
                    count("expired");
                    continue;
                }
                PassingState::Done { .. }
                | PassingState::Failed { .. }
                | PassingState::NotSent { .. } => continue,
            }
            if self.sending.len() >= SENDING_MAX {
                count("overrun");
                continue;
            }
            let sending = send(Arc::clone(context), snapshot.clone(), begun);
            self.sending.spawn(sending);
        }
    }
}

/// Says whether a card would open an entry in the call history that nobody ends: this integration logs
/// no calls.
fn opens_for_nobody(context: &IntegrationContext) -> bool {
    let calls = context.settings.calls.as_ref();
    let logs = calls.is_some_and(|calls| calls.on && calls.telephony == Telephony::Ours);
    context.adapter.capabilities().calls.opened_by_card && !logs
}

/// A step that is written down, and what the call's earlier cards have opened.
struct Begun {
    step: PassingStep,
    opened: Option<OpenedEntry>,
}

/// Decides, and writes down what was decided.
async fn begin(
    context: &IntegrationContext,
    snapshot: &Snapshot,
    card: CardMove,
) -> Result<Option<Begun>, StoreError> {
    let takes_away = || context.adapter.screen().is_some_and(|one| one.takes_away());
    if card == CardMove::TakeAway && !takes_away() {
        return Ok(None);
    }
    if card == CardMove::Show && opens_for_nobody(context) {
        return Ok(None);
    }
    let (integration, communication) = (context.key.clone(), snapshot.key.clone());
    let ledger = context.store.ledger(integration, communication);
    let ledger = ledger.await?;
    let ringing = Ringing {
        snapshot,
        settings: &context.settings,
        settings_revision: context.settings_revision,
        employees: &context.employees,
        account: &context.account,
        before: &ledger.passing,
        now: context.clock.now(),
    };
    let decided = match card {
        CardMove::Show => popup(&ringing),
        CardMove::TakeAway => take_away(&ringing),
    };
    let Some(mut step) = decided else {
        return Ok(None);
    };
    let sends = matches!(step.state, PassingState::Sent { .. });
    let makes_contacts = context.adapter.capabilities().calls.makes_contacts;
    if sends && makes_contacts && ledger.verdict().is_none() {
        step.first_time = first_time(context, &step.phone).await?;
    }
    if context.activity != Activity::On && matches!(step.state, PassingState::Sent { .. }) {
        let at = context.clock.now();
        step.state = PassingState::NotSent { at };
        step.reasons.push(PassingReason::Observed);
    }
    let pass = Pass {
        integration: context.key.clone(),
        communication: snapshot.key.clone(),
        what: Passing::Begin(step.clone()),
    };
    match context.store.pass(pass).await {
        Ok(()) => Ok(Some(Begun {
            step,
            opened: opened_entry(&ledger.passing),
        })),
        // Decided before, by whomever.
        Err(StoreError::StepExists(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How long a card waits for the word whether its client is new.
const VERDICT_WITHIN: Duration = Duration::from_millis(300);

/// Finds out whether a client is new, before a card is shown from which the CRM makes a contact:
/// whom the directory knows is known; of others the CRM is asked, and no longer than a card bears.
async fn first_time(
    context: &IntegrationContext,
    phone: &Phone,
) -> Result<Option<bool>, StoreError> {
    let query = DirectoryQuery {
        portal: context.portal.key.clone(),
        phones: vec![phone.clone()],
        emails: Vec::new(),
        deals: false,
        expected: Vec::new(),
    };
    let answer = context.store.directory_answer(query).await?;
    let mut cards = answer.cards.iter();
    if cards.any(|known| known.card.card.entity == Entity::Contact) {
        return Ok(Some(false));
    }
    let asked = match context.adapter.screen() {
        Some(screen) => tokio::time::timeout(VERDICT_WITHIN, screen.is_known(phone)).await,
        None => Ok(None),
    };
    Ok(match asked {
        Ok(Some(known)) => Some(!known),
        // Nobody told in time: a directory that was read once says enough.
        Ok(None) | Err(_) => answer.state.complete_as_of.map(|_| true),
    })
}

/// Sends, once, and writes down what it came to.
async fn send(context: Arc<IntegrationContext>, snapshot: Snapshot, begun: Begun) {
    let Begun { step, opened } = begun;
    let Snapshot { key, body, .. } = snapshot;
    let Some(screen) = context.adapter.screen() else {
        return;
    };
    let users = match &step.audience {
        Audience::Users { users } => users.clone(),
        Audience::Everybody => Vec::new(),
        // Decided as not sent: an empty list would be everybody.
        Audience::Nobody => return,
    };
    let popup = Popup {
        phone: step.phone.clone(),
        users,
        entry: StepKey {
            integration: context.key.clone(),
            communication: key.clone(),
            role: Role::new(CALL_RECORD),
        },
        opened,
        at: body.started_at(),
        extensions: step.extensions.clone(),
        our_number: match &body {
            Body::Call { call } => call.our_number.clone(),
            Body::Chat { .. } | Body::Request { .. } => None,
        },
    };
    let left: Duration = step.useful_until.since(context.clock.now());
    let sending = match step.card {
        CardMove::Show => screen.show(popup),
        CardMove::TakeAway => screen.take_away(popup),
    };
    let outcome = tokio::time::timeout(left, sending).await;
    let at = context.clock.now();
    let failed = |why| PassingState::Failed { at, why };
    let state = match outcome {
        Err(_) => PassingState::Expired { at, sent: true },
        Ok(Outcome::Done(entry)) => PassingState::Done { at, entry },
        Ok(Outcome::NotApplied(not_applied)) => failed(not_applied.why),
        Ok(Outcome::Ambiguous { why } | Outcome::AuthExpired { why }) => failed(why),
        Ok(Outcome::Rejected(rejection)) => {
            failed(format!("{} {}", rejection.code, rejection.message))
        }
    };
    count(match &state {
        PassingState::Done { .. } => "done",
        PassingState::Expired { .. } => "expired",
        PassingState::Sent { .. } | PassingState::Failed { .. } | PassingState::NotSent { .. } => {
            "failed"
        }
    });
    let settled = Pass {
        integration: context.key.clone(),
        communication: key,
        what: Passing::Settle {
            role: step.role,
            state,
        },
    };
    if let Err(error) = context.store.pass(settled).await {
        tracing::debug!(integration = %context.key, %error, "what became of a card is not known");
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("trunkline_popups_total", "outcome" => outcome).increment(1);
}
