//! What a person wants of a dead letter, in one transaction: the step, its dependents, the work
//! and the remark.
//!
//! ```text
//!            retry ----> Pending, and what was dropped for want of its result too
//!   Dead --- again ----> Dropped, replaceable; an undecided work of the same phase is opened
//!            drop -----> Dropped
//! ```

use super::command::{JournalNote, Revival, Revive, Revived, Work, WorkId, WorkState};
use super::error::{StoreError, Trouble};
use super::outcome::refresh_outcome;
use super::query::StoredCommunication;
use super::tables::{Counter, Tables, get_text};
use crate::model::communication::Phase;
use crate::model::ledger::{Ledger, LedgerStep, StepState};
use crate::model::plan::{Role, Target};

/// The reason of a step that a person gave up. A retry of another step does not bring it back.
pub const DROPPED_BY_PERSON: &str = "dropped by a person";

/// The reason of a dead step that a person had decided again: the new decision may replace it.
pub const DECIDED_AGAIN: &str = "decided again by a person";

/// Carries out [`Revive`].
pub(super) fn revive(tables: &mut Tables<'_>, command: &Revive) -> Result<Revived, Trouble> {
    let key = &command.communication;
    let read = get_text(
        &tables.communications,
        "communications",
        &key.to_string(),
        tables.health,
    )?;
    let stored: StoredCommunication = read.ok_or(StoreError::NoCommunication(key.clone()))?;
    let old = tables.ledger(&command.integration, key)?;
    let dead = old
        .step(&command.role)
        .ok_or(StoreError::NoStep(command.role.clone()))?;
    let StepState::Dead { reason, .. } = &dead.state else {
        return Err(StoreError::NotDead(command.role.clone()).into());
    };
    let phase = planned_at(&old, &command.role).unwrap_or(stored.snapshot.body.phase());
    let mine: Vec<Work> = tables
        .works_of(key)?
        .into_iter()
        .filter(|work| work.integration == command.integration)
        .collect();
    let mut new = old.clone();
    let (work, word) = match command.revival {
        Revival::Retry => {
            let work = retry(tables, command, &stored, &mut new, phase, &mine)?;
            (Some(work), "retried_by_person")
        }
        Revival::DecideAgain => {
            drop_step(&mut new, command, DECIDED_AGAIN);
            let reusable = mine
                .iter()
                .find(|work| work.phase == phase && is_undecided(work));
            let work = match reusable {
                Some(work) => work.id,
                None => open(tables, command, &stored, phase, undecided())?,
            };
            (Some(work), "decided_again_by_person")
        }
        Revival::Drop => {
            drop_step(&mut new, command, DROPPED_BY_PERSON);
            let work = mine.iter().find(|work| work.id == dead.work);
            (work.map(|work| work.id), "dropped_by_person")
        }
    };
    tables.put_ledger(&command.integration, key, &old, &new)?;
    tables.put_note(&JournalNote {
        at: command.now,
        tenant: Some(key.tenant().clone()),
        source: Some(key.source.clone()),
        integration: Some(command.integration.clone()),
        communication: Some(key.clone()),
        word: word.to_owned(),
        text: format!("{}: {reason}", command.role),
    })?;
    refresh_outcome(tables, key, command.now)?;
    Ok(Revived {
        integration: command.integration.clone(),
        work,
    })
}

/// Returns the phase of the last decision that planned a role.
fn planned_at(ledger: &Ledger, role: &Role) -> Option<Phase> {
    let decision = ledger.decisions.iter().rev();
    decision
        .filter(|decision| decision.roles.contains(role))
        .map(|decision| decision.phase)
        .next()
}

/// Puts the step and its dependents back; those whose work is closed go into one open work.
fn retry(
    tables: &mut Tables<'_>,
    command: &Revive,
    stored: &StoredCommunication,
    ledger: &mut Ledger,
    phase: Phase,
    mine: &[Work],
) -> Result<WorkId, Trouble> {
    let revived = with_dependents(ledger, &command.role);
    let is_open = |id: WorkId| mine.iter().any(|work| work.id == id && !is_undecided(work));
    let own = ledger.step(&command.role).map(|step| step.work);
    let home = own.filter(|id| is_open(*id)).or_else(|| {
        let mut decided = mine.iter().filter(|work| !is_undecided(work));
        decided.find(|work| work.phase == phase).map(|work| work.id)
    });
    let home = match home {
        Some(id) => id,
        None => {
            let state = WorkState::Decided { at: command.now };
            open(tables, command, stored, phase, state)?
        }
    };
    for step in &mut ledger.steps {
        if revived.contains(&step.role) {
            step.state = StepState::Pending;
            if !is_open(step.work) {
                step.work = home;
            }
        }
    }
    Ok(home)
}

/// Returns a dead step's role and those of the steps that were dropped only because they need
/// its result, or the result of such a step.
fn with_dependents(ledger: &Ledger, dead: &Role) -> Vec<Role> {
    let mut roles = vec![dead.clone()];
    // One pass is enough for steps in order; the loop also serves any other order.
    loop {
        let found: Vec<Role> = ledger
            .steps
            .iter()
            .filter(|step| !roles.contains(&step.role) && was_dropped_for(step, &roles))
            .map(|step| step.role.clone())
            .collect();
        if found.is_empty() {
            return roles;
        }
        roles.extend(found);
    }
}

fn was_dropped_for(step: &LedgerStep, roles: &[Role]) -> bool {
    let StepState::Dropped { reason, .. } = &step.state else {
        return false;
    };
    let by_person = reason == DROPPED_BY_PERSON || reason == DECIDED_AGAIN;
    let needs = match step.effect.target() {
        Some(Target::Made { by, .. }) => roles.contains(by),
        Some(Target::Known { .. }) | None => false,
    };
    needs && !by_person
}

fn drop_step(ledger: &mut Ledger, command: &Revive, reason: &str) {
    for step in &mut ledger.steps {
        if step.role == command.role {
            step.state = StepState::Dropped {
                at: command.now,
                reason: reason.to_owned(),
            };
        }
    }
}

fn undecided() -> WorkState {
    WorkState::Undecided {
        not_before: None,
        why: None,
        attempts: 0,
    }
}

fn is_undecided(work: &Work) -> bool {
    matches!(work.state, WorkState::Undecided { .. })
}

/// Opens a work at the end of the client's lanes.
fn open(
    tables: &mut Tables<'_>,
    command: &Revive,
    stored: &StoredCommunication,
    phase: Phase,
    state: WorkState,
) -> Result<WorkId, Trouble> {
    let id = tables.next(Counter::Work)?;
    tables.put_work(&Work {
        id,
        integration: command.integration.clone(),
        portal: command.portal.clone(),
        communication: command.communication.clone(),
        kind: Some(stored.snapshot.body.kind()),
        phase,
        addresses: stored.snapshot.body.addresses(),
        accepted_at: command.now,
        state,
    })?;
    Ok(id)
}
