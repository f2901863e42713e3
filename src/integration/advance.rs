//! Carries one work on as far as possible: decides it, executes its plan, closes it. A work that
//! cannot go on says why and holds nobody else up.

use std::sync::Arc;
use std::time::Duration;

use crate::model::ledger::Ledger;
use crate::model::plan::Effect;
use crate::store::StoreError;
use crate::store::command::{Defer, Fence, Work, WorkAtHand, WorkId, WorkState};

use super::batcher::Presence;
use super::context::IntegrationContext;
use super::decide::{Decided, decide};
use super::execute::{Executed, execute};
use super::gate::Heard;
use super::halt::Halt;
use super::retry;

/// One work's run.
pub(super) struct Run {
    pub(super) context: Arc<IntegrationContext>,
    pub(super) fence: Fence,
    /// How often the work had to wait in this life.
    pub(super) tried: u32,
    pub(super) halt: Halt,
    pub(super) heard: Heard,
    pub(super) asking: Asking,
    pub(super) patience: Patience,
    /// Others' steps of the account may wait a moment for this work's.
    pub(super) presence: Presence,
}

/// What a run does about a step that is to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It waits.
    Waits,
    /// It is tried at once: what it waits for may be what a reload has changed. What the CRM
    /// asked for is kept by the account's door all the same.
    Tries,
}

/// Whom a run may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// The CRM.
    Crm,
    /// Nobody: only what needs no CRM is decided (internal calls, partners, hidden numbers).
    Nobody,
}

/// What is next for a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It is over.
    Closed,
    /// Nothing can be done for it in this life: it stays in the store and holds nobody up.
    SetAside,
    /// Nothing can be done before so much time has gone by.
    After(Duration),
    /// It stopped because that was wished; it can go on at once.
    Halted,
    /// It can go on when the CRM may be asked.
    NeedsCrm,
}

/// Carries a work on. An error ends the actor's life: only what concerns the whole integration
/// is one.
pub(super) async fn advance(run: &Run, id: WorkId, tried: u32) -> Result<Next, StoreError> {
    let context = &run.context;
    match steps(run, id, tried).await {
        Err(error) => match fault(&error) {
            Fault::Life => Err(error),
            Fault::Row => {
                set_aside(context, id, &error.to_string());
                Ok(Next::SetAside)
            }
            Fault::Turn => Ok(Next::Halted),
            Fault::Race => {
                tracing::warn!(work = id, %error, "work is read anew");
                let now = context.clock.now();
                context
                    .board
                    .trouble(&context.board_name(), &error.to_string(), now);
                let delay = retry::delay(tried.saturating_add(1), (context.jitter)(), None);
                Ok(Next::After(delay))
            }
        },
        next => next,
    }
}

/// What a refusal of the store concerns.
enum Fault {
    /// The store or our claim is gone: a fresh life reads the truth.
    Life,
    /// A row of this work cannot be read.
    Row,
    /// The work stands in other lanes than it was begun in.
    Turn,
    /// The work is not as we took it to be: a person changed it meanwhile.
    Race,
}

fn fault(error: &StoreError) -> Fault {
    match error {
        StoreError::Full | StoreError::Closed | StoreError::Fenced => Fault::Life,
        StoreError::Unreadable { .. } => Fault::Row,
        StoreError::Gained(_) => Fault::Turn,
        StoreError::NoWork(_)
        | StoreError::Decided(_)
        | StoreError::Undecided(_)
        | StoreError::Mismatch(_)
        | StoreError::StepExists(_)
        | StoreError::StepSent(_)
        | StoreError::StepFinal(_)
        | StoreError::NoStep(_)
        | StoreError::NotDead(_)
        | StoreError::StepOpen { .. }
        | StoreError::NoCommunication(_)
        | StoreError::WrongSource { .. }
        | StoreError::WrongKey { .. }
        | StoreError::NotInQuarantine(_)
        | StoreError::StillUnreadable { .. }
        | StoreError::PlaceTaken { .. } => Fault::Race,
    }
}

fn set_aside(context: &IntegrationContext, id: WorkId, why: &str) {
    tracing::error!(work = id, why, "work set aside until the next start");
    let text = format!("work {id} is set aside: {why}");
    context
        .board
        .trouble(&context.board_name(), &text, context.clock.now());
}

async fn steps(run: &Run, id: WorkId, mut tried: u32) -> Result<Next, StoreError> {
    let context = &run.context;
    loop {
        if run.halt.is_wished() {
            return Ok(Next::Halted);
        }
        let Some(mut at_hand) = context.store.work_at_hand(id).await? else {
            return Ok(Next::Closed);
        };
        if let WorkState::Decided { .. } = at_hand.work.state {
            let ledger = std::mem::take(&mut at_hand.ledger);
            if let Some(next) = carry_on(run, &at_hand.work, ledger).await? {
                return Ok(next);
            }
            let (store, communication) = (&context.store, &at_hand.work.communication);
            at_hand.stored = store.communication(communication.clone()).await?;
            let ledger = store.ledger(context.key.clone(), communication.clone());
            at_hand.ledger = ledger.await?;
        }
        // Whoever stood before this work in its lanes is done with this communication since before
        // the run began, so that what is at hand is not old.
        if !has_its_turn(context, &at_hand) {
            return Ok(Next::Halted);
        }
        let work = at_hand.work.clone();
        match decide(run, at_hand, tried).await? {
            Decided::Yes { at, ledger } => {
                tried = 0;
                let state = WorkState::Decided { at };
                let work = Work { state, ..work };
                if let Some(next) = carry_on(run, &work, *ledger).await? {
                    return Ok(next);
                }
            }
            Decided::Halted => return Ok(Next::Halted),
            Decided::NeedsCrm => return Ok(Next::NeedsCrm),
            Decided::Vanished => {
                let why = format!("{} is not stored any more", work.communication);
                set_aside(context, id, &why);
                return Ok(Next::SetAside);
            }
            Decided::Deferred { why, delay } => {
                defer(run, &work, why, delay).await?;
                return Ok(Next::After(delay));
            }
        }
    }
}

/// Carries a decided work's steps on; `None` when its plan is too old to be begun.
async fn carry_on(run: &Run, work: &Work, ledger: Ledger) -> Result<Option<Next>, StoreError> {
    let context = &run.context;
    let mut mine = ledger.steps.iter().filter(|step| step.work == work.id);
    if run.asking == Asking::Nobody && mine.any(|step| !step.state.is_final()) {
        return Ok(Some(Next::NeedsCrm));
    }
    if uploads(work, &ledger) {
        // The file takes as long as it takes, perhaps days: the client's next call does not wait.
        let freed = context.portal.lanes().stand_apart(work.id);
        context.handles.wake(freed);
    }
    Ok(match execute(run, work, ledger).await? {
        Executed::Closed => Some(Next::Closed),
        Executed::All => {
            let now = context.clock.now();
            context.store.close(run.fence, work.id, now).await?;
            Some(Next::Closed)
        }
        Executed::After(delay) => Some(Next::After(delay)),
        Executed::Halted => Some(Next::Halted),
        Executed::Stale => None,
    })
}

/// Says whether a work has a file to be handed over, which nothing else waits for.
fn uploads(work: &Work, ledger: &Ledger) -> bool {
    let mut open = ledger
        .steps
        .iter()
        .filter(|step| step.work == work.id && !step.state.is_final())
        .peekable();
    open.peek().is_some()
        && open.all(|step| matches!(&step.effect, Effect::LinkRecording(link) if link.upload))
}

/// Says whether a work that is to be decided heads the lanes of all its addresses, those included
/// that it gained since it was begun.
fn has_its_turn(context: &IntegrationContext, at_hand: &WorkAtHand) -> bool {
    let work = &at_hand.work;
    let mut addresses = work.addresses.clone();
    if let (WorkState::Decided { .. }, Some(stored)) = (&work.state, &at_hand.stored) {
        // Its plan grew old unsent, and the next one is made from the present picture.
        addresses.extend(stored.snapshot.body.addresses());
    }
    let (freed, has_turn) = {
        let mut lanes = context.portal.lanes();
        let freed = lanes.insert(work.id, &work.integration, &addresses);
        (freed, lanes.start(work.id))
    };
    context.handles.wake(freed);
    has_turn
}

/// Records why a work is not decided yet. The same reason is not written again and again: a
/// backlog would otherwise wear the disk out while a CRM is down.
async fn defer(run: &Run, work: &Work, why: String, delay: Duration) -> Result<(), StoreError> {
    let context = &run.context;
    let now = context.clock.now();
    context.board.trouble(&context.board_name(), &why, now);
    let WorkState::Undecided { why: known, .. } = &work.state else {
        // Decided once, and now too old to be sent: it says so itself.
        return Ok(());
    };
    if known.as_deref() == Some(why.as_str()) {
        return Ok(());
    }
    tracing::info!(communication = %work.communication, why, "not decided yet");
    let defer = Defer {
        work: work.id,
        until: now.plus(delay),
        why,
    };
    context.store.defer(run.fence, defer).await
}
