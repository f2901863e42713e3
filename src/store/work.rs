//! What an integration's actor does to its works: claim, defer, decide, advance, close. Each
//! command is checked whole before its first write, so that a refused one leaves no trace.

use redb::ReadableTable;

use super::command::{Advance, Decide, Defer, Fence, Work, WorkId, WorkState};
use super::copy::doubt_what_was_before;
use super::directory_tables::add_own;
use super::error::{StoreError, Trouble};
use super::ledger_rows::dead_roles;
use super::outcome::refresh_outcome;
use super::tables::{Counter, Tables};
use crate::model::directory::made_by;
use crate::model::ids::IntegrationKey;
use crate::model::ledger::{Ledger, LedgerStep, StepState};
use crate::model::timestamp::Timestamp;

/// So many decisions are kept of a ledger, all in one row: a plan that waits for its turn is
/// decided again every ten minutes, and 50 of them are a working day.
const DECISIONS_MAX: usize = 50;

/// Gives an integration to a new holder.
pub(super) fn claim(tables: &mut Tables<'_>, key: &IntegrationKey) -> Result<Fence, Trouble> {
    let fence = tables.next(Counter::Fence)?;
    tables.fences.insert(key.to_string().as_str(), fence)?;
    Ok(Fence(fence))
}

/// Returns the open work, if the fence is the one of the last claim.
fn held(tables: &Tables<'_>, fence: Fence, id: WorkId) -> Result<Work, Trouble> {
    let work = tables.work(id)?.ok_or(StoreError::NoWork(id))?;
    let last = tables.fences.get(work.integration.to_string().as_str())?;
    if last.map(|last| last.value()) == Some(fence.0) {
        Ok(work)
    } else {
        Err(StoreError::Fenced.into())
    }
}

/// Carries out [`Defer`].
pub(super) fn defer(tables: &mut Tables<'_>, fence: Fence, command: &Defer) -> Result<(), Trouble> {
    let mut work = held(tables, fence, command.work)?;
    let WorkState::Undecided { attempts, .. } = work.state else {
        return Err(StoreError::Decided(work.id).into());
    };
    work.state = WorkState::Undecided {
        not_before: Some(command.until),
        why: Some(command.why.clone()),
        attempts: attempts.saturating_add(1),
    };
    tables.put_work(&work)
}

/// Carries out [`Decide`]; returns the ledger as it leaves it.
pub(super) fn decide(
    tables: &mut Tables<'_>,
    fence: Fence,
    command: &Decide,
) -> Result<Ledger, Trouble> {
    let mut work = held(tables, fence, command.work)?;
    let decision = &command.decision;
    let foreign_step = command.steps.iter().any(|step| step.work != work.id);
    if decision.work != work.id || decision.phase != work.phase || foreign_step {
        return Err(StoreError::Mismatch(work.id).into());
    }
    let undecided = matches!(work.state, WorkState::Undecided { .. });
    if undecided && work.addresses.len() > command.addresses_seen {
        return Err(StoreError::Gained(work.id).into());
    }
    let old = tables.ledger(&work.integration, &work.communication)?;
    let mut new = decided(&old, command)?;
    let added = new.steps.iter_mut();
    for step in added.filter(|step| command.steps.iter().any(|new| new.role == step.role)) {
        doubt_what_was_before(tables, &work.communication, std::slice::from_mut(step))?;
    }
    work.state = WorkState::Decided { at: decision.at };
    tables.put_work(&work)?;
    tables.put_ledger(&work.integration, &work.communication, &old, &new)?;
    refresh_outcome(tables, &work.communication, decision.at)?;
    Ok(new)
}

/// Returns the ledger as the decision leaves it.
fn decided(old: &Ledger, command: &Decide) -> Result<Ledger, StoreError> {
    let mut new = old.clone();
    for role in &command.replaces {
        if old.step(role).is_some_and(|step| !is_replaceable(step)) {
            return Err(StoreError::StepSent(role.clone()));
        }
        new.steps.retain(|step| step.role != *role);
    }
    for step in &command.steps {
        if new.step(&step.role).is_some() {
            return Err(StoreError::StepExists(step.role.clone()));
        }
        new.steps.push(step.clone());
    }
    new.first_time = old.first_time.or(command.first_time);
    new.decisions.push(command.decision.clone());
    forget_superseded(&mut new);
    Ok(new)
}

/// Forgets, above the bound, the oldest decisions all of whose steps were replaced by later
/// ones; the first stays, since it says why the client was taken for new or known.
fn forget_superseded(ledger: &mut Ledger) {
    while ledger.decisions.len() > DECISIONS_MAX {
        let places = 1..ledger.decisions.len().saturating_sub(1);
        let Some(place) = places
            .into_iter()
            .find(|place| is_superseded(ledger, *place))
        else {
            return;
        };
        ledger.decisions.remove(place);
    }
}

fn is_superseded(ledger: &Ledger, place: usize) -> bool {
    let mut from_here = ledger.decisions.iter().skip(place);
    let Some(decision) = from_here.next() else {
        return false;
    };
    let later: Vec<_> = from_here.flat_map(|decision| &decision.roles).collect();
    let mut roles = decision.roles.iter();
    roles.all(|role| later.contains(&role) || ledger.step(role).is_none())
}

fn is_replaceable(step: &LedgerStep) -> bool {
    match step.state {
        StepState::Dead { .. } | StepState::Dropped { .. } => true,
        StepState::Pending | StepState::Expired { .. } => step.attempts == 0,
        // Every try was refused: the CRM has nothing of it.
        StepState::Waiting { look_first, .. } => !look_first,
        StepState::InFlight { .. } | StepState::Done { .. } => false,
    }
}

/// Carries out [`Advance`]; with `closes` it also takes the work off the table where every step
/// of it is final then, and says whether it did.
pub(super) fn advance(
    tables: &mut Tables<'_>,
    fence: Fence,
    command: &Advance,
    closes: bool,
) -> Result<bool, Trouble> {
    let work = held(tables, fence, command.work)?;
    let (integration, communication) = (&work.integration, &work.communication);
    let Some(mut progress) = tables.progress(integration, communication)? else {
        return match command.steps.first() {
            Some(change) => Err(StoreError::NoStep(change.role.clone()).into()),
            None => Ok(false),
        };
    };
    let old = progress.steps.clone();
    let mut at = work.accepted_at;
    for change in &command.steps {
        let step = progress
            .step_mut(&change.role)
            .ok_or_else(|| StoreError::NoStep(change.role.clone()))?;
        if step.state.is_final() {
            return Err(StoreError::StepFinal(change.role.clone()).into());
        }
        enter(step, change.state.clone());
        at = at.max(time_of(&change.state).unwrap_or(at));
    }
    if progress.steps != old {
        // What we made is in the directory as soon as it is in the ledger.
        let roles = command.steps.iter().map(|change| &change.role);
        let own: Vec<_> = roles
            .filter_map(|role| made_by(&progress.steps, role))
            .collect();
        add_own(tables, &work.portal, &own)?;
        tables.put_progress(integration, communication, &old, &progress)?;
    }
    let is_open = |step: &LedgerStep| step.work == work.id && !step.state.is_final();
    let is_closed = closes
        && matches!(work.state, WorkState::Decided { .. })
        && !progress.steps.iter().any(is_open);
    if is_closed {
        tables.remove_work(&work)?;
    }
    // While a work is open its communication waits, unless a step is dead: nothing else moves it.
    let died = dead_roles(&progress.steps).count() != dead_roles(&old).count();
    if is_closed || died {
        refresh_outcome(tables, communication, at)?;
    }
    Ok(is_closed)
}

fn enter(step: &mut LedgerStep, state: StepState) {
    if let StepState::InFlight { since } = state {
        step.attempts = step.attempts.saturating_add(1);
        step.first_sent_at.get_or_insert(since);
    }
    step.state = state;
}

fn time_of(state: &StepState) -> Option<Timestamp> {
    match state {
        StepState::Pending | StepState::Waiting { .. } => None,
        StepState::InFlight { since } => Some(*since),
        StepState::Done { at, .. }
        | StepState::Dead { at, .. }
        | StepState::Dropped { at, .. }
        | StepState::Expired { at } => Some(*at),
    }
}

/// Takes a decided work whose steps are all final off the table.
pub(super) fn close(
    tables: &mut Tables<'_>,
    fence: Fence,
    id: WorkId,
    at: Timestamp,
) -> Result<(), Trouble> {
    let work = held(tables, fence, id)?;
    let WorkState::Decided { .. } = work.state else {
        return Err(StoreError::Undecided(id).into());
    };
    let progress = tables.progress(&work.integration, &work.communication)?;
    let steps = progress.map(|progress| progress.steps).unwrap_or_default();
    let open = |step: &&LedgerStep| step.work == id && !step.state.is_final();
    if let Some(step) = steps.iter().find(open) {
        return Err(Trouble::Refused(StoreError::StepOpen {
            work: id,
            role: step.role.clone(),
        }));
    }
    tables.remove_work(&work)?;
    refresh_outcome(tables, &work.communication, at)
}
