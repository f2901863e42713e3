//! Runs settings over one recorded communication, phase by phase, with a ledger of its own.

use crate::model::communication::{Phase, Snapshot};
use crate::model::facts::Facts;
use crate::model::ids::IntegrationKey;
use crate::model::ledger::{Decision, Ledger, LedgerStep, StepState, Verdict};
use crate::model::plan::Plan;
use crate::rules::basis::Basis;
use crate::rules::situation::Situation;
use crate::rules::{Triage, plan, triage, wanted_phases};

use super::recorded::{Input, Record, input};
use super::{Assumed, Made, NotRehearsed, Stage};

/// Says what the settings of a stage make of a recorded communication. `basis_of` returns the
/// stored revision of an integration's settings, where there is one.
///
/// # Errors
/// Fails where something that the decision would rest on is not stored.
pub fn rehearse<'b>(
    stage: &Stage<'_>,
    record: &Record<'_>,
    basis_of: &dyn Fn(&IntegrationKey, u64) -> Option<&'b Basis>,
) -> Result<Made, NotRehearsed> {
    let body = &record.snapshot.body;
    let kind = body.kind();
    if !stage.takes(&record.snapshot.key.source.source, kind) {
        return Ok(Made::default());
    }
    let settings = &stage.candidate.basis.settings;
    let able = &stage.capabilities.phases;
    let phases: Vec<Phase> = wanted_phases(kind, settings)
        .into_iter()
        .filter(|phase| able.contains(&(kind, *phase)))
        // What is noted bit by bit, and after the end, comes with the end here.
        .filter(|phase| !matches!(phase, Phase::Message | Phase::Continued))
        .collect();
    if phases.last().is_some_and(|last| !body.has_reached(*last)) {
        return Err(NotRehearsed::NotOver);
    }
    let mut made = Made {
        taken: true,
        ..Made::default()
    };
    let mut ledger = Ledger::default();
    // Numbers that no decision of ours compares with others.
    for (work, phase) in (1..).zip(phases) {
        if !body.has_reached(phase) {
            continue;
        }
        let candidate = stage.candidate;
        let input = input(record, &candidate.integration, &candidate.portal, phase)?;
        if input.of_phase != phase {
            made.assumed.push(Assumed::EndForAnswer);
        }
        let plan = decide(
            stage,
            record,
            &input,
            phase,
            &input.adopted(&ledger),
            basis_of,
        )?;
        note(&mut ledger, &plan, &input, phase, work);
        made.steps.extend(plan.steps);
        for reason in plan.explanation.0 {
            if !made.explanation.0.contains(&reason) {
                made.explanation.push(reason);
            }
        }
    }
    Ok(made)
}

/// Decides one phase.
fn decide<'b>(
    stage: &Stage<'_>,
    record: &Record<'_>,
    input: &Input<'_>,
    phase: Phase,
    ledger: &Ledger,
    basis_of: &dyn Fn(&IntegrationKey, u64) -> Option<&'b Basis>,
) -> Result<Plan, NotRehearsed> {
    let snapshot = Snapshot {
        key: record.snapshot.key.clone(),
        revision: input.revision,
        body: input.body.clone(),
    };
    let basis = &stage.candidate.basis;
    let situation = situation(stage, basis, &snapshot, input, phase, ledger);
    // A candidate is made with its account.
    let Some(situation) = situation else {
        return Err(NotRehearsed::Unseen);
    };
    let query = match triage(&situation) {
        Triage::Ignore(explanation) => {
            return Ok(Plan {
                steps: Vec::new(),
                first_time: None,
                explanation,
            });
        }
        Triage::Plan(plan) => return Ok(*plan),
        Triage::Ask(query) => query,
    };
    let mut facts = input.facts_without(ledger).ok_or(NotRehearsed::NotAsked)?;
    if !stage.fields.is_empty() {
        facts.fields = crate::rules::fields::named(&basis.settings, &stage.fields);
    }
    if query.deals && !knows_deals(stage, &snapshot, input, &facts, basis_of) {
        return Err(NotRehearsed::DealsNotAsked);
    }
    Ok(plan(&situation, &facts))
}

fn situation<'a>(
    stage: &'a Stage<'_>,
    basis: &'a Basis,
    snapshot: &'a Snapshot,
    input: &Input<'a>,
    phase: Phase,
    ledger: &'a Ledger,
) -> Option<Situation<'a>> {
    let source = &snapshot.key.source.source;
    let named = basis.source_names.get(source);
    Some(Situation {
        snapshot,
        phase,
        // Phases that come again are not rehearsed.
        work: 0,
        ledger,
        settings: &basis.settings,
        employees: &basis.employees,
        account: basis.account.as_ref()?,
        capabilities: stage.capabilities,
        source_name: named.map_or(source.as_str(), String::as_str),
        time_zone: &stage.time_zone,
        recording: input.decided.1.recording.as_ref(),
        now: input.now,
    })
}

/// Says whether the facts say something about the client's deals. That none is named means none
/// only where they were asked for, which the settings of then tell.
fn knows_deals<'b>(
    stage: &Stage<'_>,
    snapshot: &Snapshot,
    input: &Input<'_>,
    facts: &Facts,
    basis_of: &dyn Fn(&IntegrationKey, u64) -> Option<&'b Basis>,
) -> bool {
    let mut contacts = facts.contacts.iter();
    if facts.contacts.is_empty() || contacts.any(|contact| !contact.deals.is_empty()) {
        return true;
    }
    let (integration, decision) = input.decided;
    let Some(basis) = basis_of(integration, decision.settings) else {
        return false;
    };
    let nothing = Ledger::default();
    let before = input.before.unwrap_or(&nothing);
    let then = situation(stage, basis, snapshot, input, decision.phase, before);
    then.is_some_and(|then| matches!(triage(&then), Triage::Ask(query) if query.deals))
}

/// Writes a plan into the ledger of the rehearsal.
fn note(ledger: &mut Ledger, plan: &Plan, input: &Input<'_>, phase: Phase, work: u64) {
    let first_time = plan.first_time;
    ledger.first_time = ledger.first_time.or(first_time);
    let steps = plan.steps.iter().map(|step| LedgerStep {
        role: step.role.clone(),
        work,
        effect: step.effect.clone(),
        state: StepState::Pending,
        attempts: 0,
        first_sent_at: None,
    });
    ledger.steps.extend(steps);
    ledger.decisions.push(Decision {
        work,
        phase,
        at: input.now,
        revision: input.revision,
        settings: 0,
        portal: None,
        facts: None,
        recording: None,
        verdict: match plan.steps.is_empty() {
            true => Verdict::Ignored,
            false => Verdict::Planned,
        },
        explanation: plan.explanation.clone(),
        roles: plan.steps.iter().map(|step| step.role.clone()).collect(),
        seen: None,
    });
}
