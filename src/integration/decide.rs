//! The decision at the head of the lane: triage, facts, plan, one transaction.

use crate::crm::Class;
use crate::model::activity::Activity;
use crate::model::communication::{Body, Snapshot};
use crate::model::explanation::Explanation;
use crate::model::facts::{Facts, FactsQuery};
use crate::model::ledger::{Decision, Ledger, LedgerStep, Seen, StepState, Verdict};
use crate::model::outcome::Outcome;
use crate::model::plan::{Plan, Role};
use crate::model::timestamp::Timestamp;
use crate::rules::situation::Situation;
use crate::rules::{self, Triage};
use crate::sabotage::{self, Promise};
use crate::store::command::{Decide, Work, WorkAtHand};
use crate::store::{StoreError, StoreHandle};

use super::advance::{Asking, Run};
use super::context::IntegrationContext;
use super::known_facts::known_facts;
use super::made_lately::made_lately;
use super::observed;
use super::retry;

/// What came of trying to decide.
pub(super) enum Decided {
    /// It is stored; its steps may be carried out.
    Yes {
        /// The time that it was made for.
        at: Timestamp,
        /// The ledger as it leaves it.
        ledger: Box<Ledger>,
    },
    /// Not yet: the CRM did not say what must be known.
    Deferred {
        /// Why, for people.
        why: String,
        /// How long to wait.
        delay: std::time::Duration,
    },
    /// The CRM must be asked, and this run may not.
    NeedsCrm,
    /// The communication is not in the store any more: there is nothing to decide on.
    Vanished,
    /// Stopped as was wished: what the CRM said may not be true for the settings that follow.
    Halted,
}

/// Decides a work, or decides anew one whose plan grew old unsent.
pub(super) async fn decide(
    run: &Run,
    at_hand: WorkAtHand,
    tried: u32,
) -> Result<Decided, StoreError> {
    let (context, fence) = (&run.context, run.fence);
    let store: &StoreHandle = &context.store;
    let (work, ledger) = (&at_hand.work, at_hand.ledger);
    let Some(stored) = at_hand.stored else {
        return Ok(Decided::Vanished);
    };
    let snapshot = told_now(stored.snapshot, context.clock.now());
    let ledger = match context.activity {
        Activity::On => ledger,
        Activity::Observe | Activity::Off => observed::as_if_sent(ledger),
    };
    let source_name = context.source_name(&work.communication.source);
    let recording = context.recording(&snapshot).await?;
    let situation = Situation {
        snapshot: &snapshot,
        phase: work.phase,
        work: work.id,
        ledger: &ledger,
        settings: &context.settings,
        employees: &context.employees,
        account: &context.account,
        capabilities: context.adapter.capabilities(),
        source_name: &source_name,
        time_zone: &context.time_zone,
        recording: recording.as_ref(),
        now: context.clock.now(),
    };
    let replaces: Vec<Role> = rules::replaced(&situation).into_iter().cloned().collect();
    let (plan, facts) = match rules::triage(&situation) {
        Triage::Ignore(explanation) => (nothing(explanation), None),
        Triage::Plan(plan) => (*plan, None),
        Triage::Ask(_) if run.asking == Asking::Nobody => return Ok(Decided::NeedsCrm),
        Triage::Ask(query) => {
            let made = made_lately(context, &snapshot).await?;
            let query = FactsQuery {
                made: made.contacts,
                made_leads: made.leads,
                ..query
            };
            let known = known_facts(context, stored.updated_at, &query);
            let answer = match run.presence.apart(known).await? {
                Some(facts) => Outcome::Done(facts),
                None => {
                    let answer = context.adapter.facts(query, Class::Work);
                    let answer = run.presence.apart(answer).await;
                    run.heard.note(&answer);
                    answer
                }
            };
            let why = match answer {
                Outcome::Done(_) if run.halt.is_wished() => return Ok(Decided::Halted),
                Outcome::Done(mut facts) => {
                    facts.fields = context.fields();
                    // The facts took time: the plan is made at the time that it is true for. A first
                    // answer also told the adapter what the account can do.
                    let situation = Situation {
                        now: context.clock.now(),
                        capabilities: context.adapter.capabilities(),
                        ..situation
                    };
                    let plan = rules::plan(&situation, &facts);
                    rules::fields::keep_what_was_used(&mut facts, &plan);
                    let decision = record(context, work, &situation, plan, Some(facts), replaces);
                    let ledger = Box::new(store.decide(fence, decision).await?);
                    let at = situation.now;
                    return Ok(Decided::Yes { at, ledger });
                }
                Outcome::NotApplied(not_applied) => (not_applied.why, not_applied.retry_after),
                Outcome::Ambiguous { why } => (why, None),
                Outcome::AuthExpired { why } => (why, None),
                Outcome::Rejected(rejection) => {
                    (format!("{} {}", rejection.code, rejection.message), None)
                }
            };
            let (why, retry_after) = why;
            let delay = retry::delay(tried.saturating_add(1), (context.jitter)(), retry_after);
            return Ok(Decided::Deferred { why, delay });
        }
    };
    let decision = record(context, work, &situation, plan, facts, replaces);
    let at = situation.now;
    let ledger = Box::new(store.decide(fence, decision).await?);
    Ok(Decided::Yes { at, ledger })
}

/// The snapshot, with the present time for the call's own where that promise is broken.
fn told_now(mut snapshot: Snapshot, now: Timestamp) -> Snapshot {
    if sabotage::broken(Promise::CallTime)
        && let Body::Call { call } = &mut snapshot.body
    {
        call.started_at = now;
    }
    snapshot
}

fn nothing(explanation: Explanation) -> Plan {
    Plan {
        steps: Vec::new(),
        first_time: None,
        explanation,
    }
}

/// Puts a plan into the form in which it is stored.
fn record(
    context: &IntegrationContext,
    work: &Work,
    situation: &Situation<'_>,
    plan: Plan,
    facts: Option<Facts>,
    replaces: Vec<Role>,
) -> Decide {
    let (snapshot, now) = (situation.snapshot, situation.now);
    let roles: Vec<Role> = plan.steps.iter().map(|step| step.role.clone()).collect();
    let steps = plan.steps.into_iter().map(|step| LedgerStep {
        role: step.role,
        work: work.id,
        effect: step.effect,
        state: match context.activity {
            Activity::On => StepState::Pending,
            Activity::Observe | Activity::Off => observed::not_sent(now),
        },
        attempts: 0,
        first_sent_at: None,
    });
    Decide {
        work: work.id,
        addresses_seen: work.addresses.len(),
        decision: Decision {
            work: work.id,
            phase: work.phase,
            at: now,
            revision: situation.snapshot.revision,
            settings: context.settings_revision,
            portal: Some(context.portal.key.clone()),
            facts,
            recording: situation.recording.cloned(),
            verdict: match context.activity {
                _ if roles.is_empty() => Verdict::Ignored,
                Activity::On => Verdict::Planned,
                Activity::Observe | Activity::Off => Verdict::Observed,
            },
            explanation: plan.explanation,
            roles: roles.clone(),
            seen: Some(Box::new(Seen::of(now, &snapshot.body, situation.ledger))),
        },
        first_time: plan.first_time,
        steps: steps.collect(),
        replaces,
    }
}
