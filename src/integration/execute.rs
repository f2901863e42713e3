//! Carries out the steps of a decided work, one after the other: intent on disk, request, result
//! on disk, next.

use std::time::Duration;

use crate::crm::StepCommand;
use crate::model::ledger::{Ledger, LedgerStep, StepState};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::plan::{Effect, StepKey};
use crate::model::timestamp::Timestamp;
use crate::rules::settings::WhenUndecidable;
use crate::store::StoreError;
use crate::store::command::{Advance, Fence, StepChange, Work, WorkState};

use super::batcher::Company;
use super::context::IntegrationContext;
use super::resolve::{Resolved, resolve};
use super::retry;

/// A plan none of whose steps was sent within this time is decided again with fresh facts.
const PLAN_AGE_MAX: Duration = Duration::from_secs(600);

/// What came of carrying a work on.
pub(super) enum Executed {
    /// Every step is final: the work can be closed.
    All,
    /// A step must wait until this time.
    Until(Timestamp),
    /// The plan grew old before anything was sent: decide again.
    Stale,
}

/// Carries the steps of a work on as far as possible now.
pub(super) async fn execute(
    context: &IntegrationContext,
    fence: Fence,
    work: &Work,
) -> Result<Executed, StoreError> {
    loop {
        let ledger = context
            .store
            .ledger(context.key.clone(), work.communication.clone())
            .await?;
        let now = context.clock.now();
        if is_stale(&ledger, work, now) {
            return Ok(Executed::Stale);
        }
        let open = ledger
            .steps
            .iter()
            .find(|s| s.work == work.id && !s.state.is_final());
        let Some(step) = open else {
            return Ok(Executed::All);
        };
        let doubt = match &step.state {
            StepState::Waiting { until, .. } if *until > now => return Ok(Executed::Until(*until)),
            StepState::Waiting {
                look_first: true,
                settles_at,
                ..
            } => Some(Doubt {
                settles_at: settles_at.unwrap_or(now),
            }),
            // Found so after a restart: the request may have left, and nobody knows how long ago.
            StepState::InFlight { .. } => Some(Doubt::since(now, context)),
            StepState::Pending
            | StepState::Waiting { .. }
            | StepState::Done { .. }
            | StepState::Dead { .. }
            | StepState::Dropped { .. }
            | StepState::Expired { .. } => None,
        };
        let next = match resolve(&step.effect, &ledger) {
            Resolved::Never(reason) => StepState::Dropped { at: now, reason },
            // Steps refer to earlier ones only, and those are final when we come here; an order
            // that breaks this would spin, so it is given up.
            Resolved::NotYet => StepState::Dead {
                at: now,
                reason: "the plan refers to a later step".to_owned(),
            },
            Resolved::Ready(effect) => match doubt {
                Some(doubt) => match look(context, work, step, *effect.clone(), doubt).await {
                    Looked::State(state) => state,
                    Looked::Send => send(context, fence, work, step, *effect).await?,
                },
                None => send(context, fence, work, step, *effect).await?,
            },
        };
        let waits_until = match &next {
            StepState::Waiting { until, .. } => Some(*until),
            StepState::Pending
            | StepState::InFlight { .. }
            | StepState::Done { .. }
            | StepState::Dead { .. }
            | StepState::Dropped { .. }
            | StepState::Expired { .. } => None,
        };
        report(context, work, step, &next);
        let change = StepChange {
            role: step.role.clone(),
            state: next,
        };
        context
            .store
            .advance(
                fence,
                Advance {
                    work: work.id,
                    steps: vec![change],
                },
            )
            .await?;
        if let Some(until) = waits_until {
            return Ok(Executed::Until(until));
        }
    }
}

/// Says whether the plan is too old to be begun: nothing of it was ever sent.
fn is_stale(ledger: &Ledger, work: &Work, now: Timestamp) -> bool {
    let WorkState::Decided { at } = work.state else {
        return false;
    };
    let mut mine = ledger
        .steps
        .iter()
        .filter(|step| step.work == work.id)
        .peekable();
    let decided_here = ledger
        .decisions
        .last()
        .is_some_and(|decision| decision.work == work.id);
    mine.peek().is_some()
        && decided_here
        && now.since(at) > PLAN_AGE_MAX
        && mine.all(|step| step.attempts == 0 && matches!(step.state, StepState::Pending))
}

fn command(
    context: &IntegrationContext,
    work: &Work,
    step: &LedgerStep,
    effect: Effect,
    now: Timestamp,
) -> StepCommand {
    StepCommand {
        key: StepKey {
            integration: context.key.clone(),
            communication: work.communication.clone(),
            role: step.role.clone(),
        },
        effect,
        first_sent_at: step.first_sent_at.unwrap_or(now),
    }
}

/// Writes the intent, sends, and returns the state that follows.
async fn send(
    context: &IntegrationContext,
    fence: Fence,
    work: &Work,
    step: &LedgerStep,
    effect: Effect,
) -> Result<StepState, StoreError> {
    let now = context.clock.now();
    let change = StepChange {
        role: step.role.clone(),
        state: StepState::InFlight { since: now },
    };
    context
        .store
        .advance(
            fence,
            Advance {
                work: work.id,
                steps: vec![change],
            },
        )
        .await?;
    let command = command(context, work, step, effect, now);
    let company = match step.attempts {
        0 => Company::Shared,
        _ => Company::Alone,
    };
    let outcome = context.batcher.send(command, company).await;
    Ok(after_sending(context, step, outcome))
}

fn after_sending(
    context: &IntegrationContext,
    step: &LedgerStep,
    outcome: Outcome<StepResult>,
) -> StepState {
    let now = context.clock.now();
    let attempts = step.attempts.saturating_add(1);
    let wait = |why: String, retry_after: Option<Duration>, doubt: Option<Doubt>| {
        let delay = retry::delay(attempts, (context.jitter)(), retry_after);
        StepState::Waiting {
            until: now.plus(delay),
            why,
            look_first: doubt.is_some(),
            settles_at: doubt.map(|doubt| doubt.settles_at),
        }
    };
    match outcome {
        Outcome::Done(result) => StepState::Done { at: now, result },
        Outcome::NotApplied(not_applied) => wait(not_applied.why, not_applied.retry_after, None),
        // What took effect although its answer was lost is mostly seen at once, so the first look
        // does not wait until everything is settled.
        Outcome::Ambiguous { why } => wait(why, None, Some(Doubt::since(now, context))),
        Outcome::AuthExpired { why } => wait(why, None, None),
        Outcome::Rejected(rejection) => StepState::Dead {
            at: now,
            reason: format!("{}: {}", rejection.code, rejection.message),
        },
    }
}

/// A try whose effect is unknown.
#[derive(Clone, Copy)]
struct Doubt {
    /// From then on its effect is there or will never be.
    settles_at: Timestamp,
}

impl Doubt {
    /// The try was given up at this time, or before it.
    fn since(given_up: Timestamp, context: &IntegrationContext) -> Self {
        Self {
            settles_at: given_up.plus(context.adapter.settles_after()),
        }
    }
}

enum Looked {
    State(StepState),
    Send,
}

/// Looks whether the effect of an earlier try exists; only when it surely does not, or when the
/// integration rather has it twice than never, the step is sent again.
async fn look(
    context: &IntegrationContext,
    work: &Work,
    step: &LedgerStep,
    effect: Effect,
    doubt: Doubt,
) -> Looked {
    // Taken before the look: what the CRM does while it answers may be missing in the answer.
    let now = context.clock.now();
    // A clock that was set back must not make the wait longer than the CRM can need.
    let settles_at = doubt.settles_at.min(Doubt::since(now, context).settles_at);
    let waiting = |why: String, delay: Duration| {
        Looked::State(StepState::Waiting {
            until: now.plus(delay),
            why,
            look_first: true,
            settles_at: Some(settles_at),
        })
    };
    let wait = |why: String, retry_after: Option<Duration>| {
        let age = now.since(step.first_sent_at.unwrap_or(now));
        let delay = retry::delay_by_age(age, (context.jitter)(), retry_after);
        waiting(why, delay)
    };
    match context
        .adapter
        .look(command(context, work, step, effect, now))
        .await
    {
        Outcome::Done(Look::Found(result)) => {
            let result = StepResult {
                adopted: true,
                ..result
            };
            Looked::State(StepState::Done { at: now, result })
        }
        Outcome::Done(Look::Absent | Look::Undecidable) if settles_at > now => waiting(
            "no effect yet, but the crm may still be at work on the request".to_owned(),
            settles_at.since(now),
        ),
        Outcome::Done(Look::Absent) => Looked::Send,
        Outcome::Done(Look::Undecidable) => match context.settings.when_undecidable {
            WhenUndecidable::RatherTwice => Looked::Send,
            WhenUndecidable::RatherNever => Looked::State(StepState::Dead {
                at: now,
                reason: "sent, but it cannot be known whether it arrived; the integration rather \
                         has it never than twice"
                    .to_owned(),
            }),
        },
        Outcome::NotApplied(not_applied) => wait(not_applied.why, not_applied.retry_after),
        Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => wait(why, None),
        Outcome::Rejected(rejection) => wait(
            format!("looking for it: {} {}", rejection.code, rejection.message),
            None,
        ),
    }
}

/// Tells the log and the status board what a person may ask about later.
fn report(context: &IntegrationContext, work: &Work, step: &LedgerStep, next: &StepState) {
    let (communication, role) = (&work.communication, &step.role);
    match next {
        StepState::Done { result, .. } => {
            tracing::info!(%communication, %role, adopted = result.adopted, "step done");
        }
        StepState::Waiting { why, until, .. } => {
            tracing::warn!(%communication, %role, why, %until, "step waits");
            context
                .board
                .trouble(&context.board_name(), why, context.clock.now());
        }
        StepState::Dead { reason, .. } => {
            tracing::error!(%communication, %role, reason, "dead letter");
            context
                .board
                .trouble(&context.board_name(), reason, context.clock.now());
        }
        StepState::Dropped { reason, .. } => {
            tracing::info!(%communication, %role, reason, "step dropped");
        }
        StepState::Pending | StepState::InFlight { .. } | StepState::Expired { .. } => {}
    }
}
