//! Carries out the steps of a decided work, one after the other: intent on disk, request, result
//! on disk, next.

use std::time::Duration;

use crate::crm::StepCommand;
use crate::model::activity::Activity;
use crate::model::ids::PortalKey;
use crate::model::ledger::{Ledger, LedgerStep, StepState};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::plan::{Effect, StepKey};
use crate::model::timestamp::Timestamp;
use crate::rules::settings::WhenUndecidable;
use crate::sabotage::{self, Promise};
use crate::store::StoreError;
use crate::store::command::{Advance, StepChange, Work, WorkState};

use super::advance::{Patience, Run};
use super::context::IntegrationContext;
use super::moved::{foreign, is_elsewhere};
use super::notices;
use super::observed;
use super::resolve::{Resolved, resolve};
use super::retry;

/// A plan none of whose steps was sent within this time is decided again with fresh facts.
const PLAN_AGE_MAX: Duration = Duration::from_secs(600);

/// What came of carrying a work on.
pub(super) enum Executed {
    /// The work is closed with its last step.
    Closed,
    /// Every step is final: the work can be closed.
    All,
    /// A step must wait for so long.
    After(Duration),
    /// Stopped before the next step, as was wished.
    Halted,
    /// The plan grew old before anything was sent: decide again.
    Stale,
}

/// Carries the steps of a work on as far as possible now; `ledger` is the stored one.
pub(super) async fn execute(
    run: &Run,
    work: &Work,
    mut ledger: Ledger,
) -> Result<Executed, StoreError> {
    let context = &run.context;
    loop {
        if run.halt.is_wished() {
            return Ok(Executed::Halted);
        }
        let now = context.clock.now();
        if is_stale(&ledger, work, now, &context.portal.key) {
            return Ok(Executed::Stale);
        }
        let open = ledger
            .steps
            .iter()
            .position(|s| s.work == work.id && !s.state.is_final());
        let Some((place, step)) = open.and_then(|at| Some((at, ledger.steps.get(at)?))) else {
            // Done by an earlier life, which may have ended before it told.
            notices::mind(context, work, &mut ledger).await?;
            return Ok(Executed::All);
        };
        if let Some(left) = wait_left(&step.state, now)
            && run.patience == Patience::Waits
        {
            return Ok(Executed::After(left));
        }
        let next = match resolve(&step.effect, &ledger) {
            Resolved::Never(reason) => Tried::State(StepState::Dropped { at: now, reason }),
            // Steps refer to earlier ones only, and those are final when we come here; an order
            // that breaks this would spin, so it is given up.
            Resolved::NotYet => Tried::State(StepState::Dead {
                at: now,
                reason: "the plan refers to a later step".to_owned(),
            }),
            Resolved::Ready(effect) => match foreign(&ledger, step, &effect, &context.portal.key) {
                Some(reason) => Tried::State(StepState::Dead { at: now, reason }),
                None => attempt(run, work, step, *effect).await?,
            },
        };
        let next = match next {
            Tried::State(next) => next,
            Tried::NotBegun(delay) => return Ok(Executed::After(delay)),
            Tried::NotChosen => continue,
        };
        report(context, work, step, &next);
        let until = match &next {
            StepState::Waiting { until, .. } => Some(*until),
            StepState::Pending
            | StepState::InFlight { .. }
            | StepState::Done { .. }
            | StepState::Dead { .. }
            | StepState::Dropped { .. }
            | StepState::Expired { .. } => None,
        };
        let changed = advance_of(work, step, next.clone());
        let tells = notices::may_tell(context, work);
        // A work that has something to tell is closed when that is written down.
        if next.is_final() && !tells {
            if context.store.advance_to_end(run.fence, changed).await? {
                return Ok(Executed::Closed);
            }
        } else {
            context.store.advance(run.fence, changed).await?;
        }
        if let Some(step) = ledger.steps.get_mut(place) {
            step.state = next;
        }
        if tells {
            notices::mind(context, work, &mut ledger).await?;
        }
        if let Some(until) = until {
            return Ok(Executed::After(until.since(context.clock.now())));
        }
    }
}

/// What came of trying a step.
enum Tried {
    /// The state that follows.
    State(StepState),
    /// The door of the account is shut: nothing was begun, and the step is as it was.
    NotBegun(Duration),
    /// When its turn had come, it was not to be sent any more: the step is as it was.
    NotChosen,
}

/// Returns how long a waiting step waits yet. A wait longer than any that is ever written comes
/// from a clock that was set back, and is over.
fn wait_left(state: &StepState, now: Timestamp) -> Option<Duration> {
    match state {
        StepState::Waiting { until, .. } => {
            Some(until.since(now)).filter(|left| !left.is_zero() && *left <= retry::LONGEST_ASKED)
        }
        StepState::Pending
        | StepState::InFlight { .. }
        | StepState::Done { .. }
        | StepState::Dead { .. }
        | StepState::Dropped { .. }
        | StepState::Expired { .. } => None,
    }
}

/// Returns the doubt about an earlier try that may have had its effect.
fn doubt(step: &StepState, now: Timestamp, context: &IntegrationContext) -> Option<Doubt> {
    if sabotage::broken(Promise::LookAfterAmbiguous) {
        return None;
    }
    match step {
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
    }
}

/// Looks for the effect of an earlier try where there may be one, and sends.
async fn attempt(
    run: &Run,
    work: &Work,
    step: &LedgerStep,
    effect: Effect,
) -> Result<Tried, StoreError> {
    let context = &run.context;
    if let Some(doubt) = doubt(&step.state, context.clock.now(), context)
        && !context.adapter.replaces_itself(&effect)
    {
        match look(run, work, step, effect.clone(), doubt).await {
            Looked::State(state) => return Ok(Tried::State(state)),
            Looked::Send => {}
        }
    }
    match context.activity {
        Activity::On => send(run, work, step, effect).await,
        // Planned while it was on.
        Activity::Observe | Activity::Off => {
            Ok(Tried::State(observed::not_sent(context.clock.now())))
        }
    }
}

fn advance_of(work: &Work, step: &LedgerStep, state: StepState) -> Advance {
    let change = StepChange {
        role: step.role.clone(),
        state,
    };
    Advance {
        work: work.id,
        steps: vec![change],
    }
}

/// Says whether the plan is too old to be begun, or was made for another portal, and nothing of it
/// has reached the CRM.
fn is_stale(ledger: &Ledger, work: &Work, now: Timestamp, here: &PortalKey) -> bool {
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
    let outlived = now.since(at) > PLAN_AGE_MAX || is_elsewhere(ledger, work, here);
    mine.peek().is_some() && decided_here && outlived && mine.all(never_applied)
}

/// Says whether a step surely had no effect yet and nobody asked for it as it is.
fn never_applied(step: &LedgerStep) -> bool {
    match &step.state {
        StepState::Pending => step.attempts == 0,
        StepState::Waiting { look_first, .. } => !look_first,
        StepState::InFlight { .. }
        | StepState::Done { .. }
        | StepState::Dead { .. }
        | StepState::Dropped { .. }
        | StepState::Expired { .. } => false,
    }
}

fn key(context: &IntegrationContext, work: &Work, step: &LedgerStep) -> StepKey {
    StepKey {
        integration: context.key.clone(),
        communication: work.communication.clone(),
        role: step.role.clone(),
    }
}

fn command(
    context: &IntegrationContext,
    work: &Work,
    step: &LedgerStep,
    effect: Effect,
    now: Timestamp,
) -> StepCommand {
    StepCommand {
        key: key(context, work, step),
        effect,
        kind: work.kind,
        phase: work.phase,
        first_sent_at: step.first_sent_at.unwrap_or(now),
    }
}

/// Waits for a place in a request, writes the intent, sends, and returns the state that follows.
async fn send(
    run: &Run,
    work: &Work,
    step: &LedgerStep,
    effect: Effect,
) -> Result<Tried, StoreError> {
    let context = &run.context;
    if let Some(refusal) = context.portal.http.refusal() {
        // Nothing would leave: no intent is written, and the step counts as never sent.
        let delay = retry::delay(
            retry::failures(step.attempts, run.tried),
            (context.jitter)(),
            refusal.retry_after,
        );
        run.heard.note(&Outcome::<()>::NotApplied(refusal));
        return Ok(Tried::NotBegun(delay));
    }
    let key = key(context, work, step);
    let intend = async {
        if run.halt.is_wished() || context.portal.http.refusal().is_some() {
            return Ok(None);
        }
        let now = context.clock.now();
        let intent = advance_of(work, step, StepState::InFlight { since: now });
        context.store.advance(run.fence, intent).await?;
        Ok(Some(command(context, work, step, effect.clone(), now)))
    };
    let batcher = &context.batcher;
    let Some(outcome) = batcher.send(key, &effect, &run.presence, intend).await? else {
        // It is looked again why: the door is shut, or the work is to stop.
        return Ok(Tried::NotChosen);
    };
    run.heard.note(&outcome);
    if !effect.fields().is_empty() && complains(&outcome) {
        context.portal.book().doubt();
    }
    Ok(Tried::State(after_sending(run, step, outcome)))
}

/// Says whether a CRM may have refused an additional field: with the whole step, or leaving it out.
fn complains(outcome: &Outcome<StepResult>) -> bool {
    match outcome {
        Outcome::Rejected(_) => true,
        Outcome::Done(result) => result.note.is_some(),
        Outcome::NotApplied(_) | Outcome::Ambiguous { .. } | Outcome::AuthExpired { .. } => false,
    }
}

fn after_sending(run: &Run, step: &LedgerStep, outcome: Outcome<StepResult>) -> StepState {
    let context = &run.context;
    let now = context.clock.now();
    let failures = retry::failures(step.attempts, run.tried);
    let wait = |why: String, retry_after: Option<Duration>, doubt: Option<Doubt>| {
        let delay = retry::delay(failures, (context.jitter)(), retry_after);
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
async fn look(run: &Run, work: &Work, step: &LedgerStep, effect: Effect, doubt: Doubt) -> Looked {
    let context = &run.context;
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
        let delay = retry::delay_of_look(run.tried, age, (context.jitter)(), retry_after);
        waiting(why, delay)
    };
    let asked = command(context, work, step, effect, now);
    let answer = run.presence.apart(context.adapter.look(asked)).await;
    run.heard.note(&answer);
    match answer {
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
            // Told once: a CRM that is down for a day would fill the log.
            if matches!(&step.state, StepState::Waiting { why: told, .. } if told == why) {
                tracing::debug!(%communication, %role, why, %until, "step still waits");
            } else {
                tracing::warn!(%communication, %role, why, %until, "step waits");
            }
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
