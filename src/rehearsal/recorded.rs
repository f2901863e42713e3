//! What is stored about a communication, and which of it stands for a phase.

use std::collections::BTreeSet;

use crate::model::communication::{Body, Phase, Snapshot};
use crate::model::explanation::Explanation;
use crate::model::facts::Facts;
use crate::model::ids::{IntegrationKey, PortalKey};
use crate::model::ledger::{Decision, Ledger, LedgerStep, StepState};
use crate::model::plan::{Entity, PlannedStep};
use crate::model::timestamp::Timestamp;

use super::{Made, NotRehearsed};

/// What one integration decided about a communication.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The integration.
    pub integration: &'a IntegrationKey,
    /// Its ledger.
    pub ledger: &'a Ledger,
}

/// A communication with everything that was decided about it.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Its newest picture.
    pub snapshot: &'a Snapshot,
    /// What integrations decided about it.
    pub accounts: &'a [Account<'a>],
    /// Work about it is not decided yet.
    pub waits: bool,
}

/// What stands for one phase.
#[derive(Debug, Clone)]
pub(super) struct Input<'a> {
    pub(super) body: &'a Body,
    pub(super) revision: u64,
    pub(super) now: Timestamp,
    pub(super) facts: Option<&'a Facts>,
    /// What the recording integration had planned and got before.
    pub(super) before: Option<&'a Ledger>,
    /// Who decided, and when: whoever knows the settings of then can say what was asked.
    pub(super) decided: (&'a IntegrationKey, &'a Decision),
    /// The phase that was decided, where another one stands for it.
    pub(super) of_phase: Phase,
}

impl Input<'_> {
    /// Returns the ledger with the steps that were planned alike then as they had got on: what the
    /// CRM refused then it would refuse again. The others are taken for sent.
    pub(super) fn adopted(&self, ledger: &Ledger) -> Ledger {
        let mut adopted = ledger.clone();
        for step in &mut adopted.steps {
            let then = self.before.and_then(|before| before.step(&step.role));
            if let Some(then) = then.filter(|then| then.effect == step.effect) {
                step.state = then.state.clone();
            }
        }
        adopted
    }

    /// Returns the facts without the cards that the recorded run made itself and this one has not.
    pub(super) fn facts_without(&self, kept: &Ledger) -> Option<Facts> {
        let mut facts = self.facts?.clone();
        let gone: BTreeSet<(Entity, String)> = self
            .before
            .into_iter()
            .flat_map(|before| made_cards(&before.steps))
            .filter(|card| !made_cards(&kept.steps).any(|other| other == *card))
            .collect();
        let is_gone = |entity, id: &str| gone.contains(&(entity, id.to_owned()));
        facts
            .contacts
            .retain(|contact| !is_gone(Entity::Contact, &contact.id));
        for contact in &mut facts.contacts {
            contact
                .deals
                .retain(|deal| !is_gone(Entity::Deal, &deal.id));
        }
        Some(facts)
    }
}

fn made_cards(steps: &[LedgerStep]) -> impl Iterator<Item = (Entity, String)> {
    steps
        .iter()
        .filter_map(|step| match &step.state {
            StepState::Done { result, .. } => Some(&result.cards),
            StepState::Pending
            | StepState::InFlight { .. }
            | StepState::Waiting { .. }
            | StepState::Dead { .. }
            | StepState::Dropped { .. }
            | StepState::Expired { .. } => None,
        })
        .flatten()
        .map(|card| (card.entity, card.id.clone()))
}

/// Finds what stands for a phase: the integration's own decision about it, else another one's of
/// the same portal, else what was decided at the call's end.
pub(super) fn input<'a>(
    record: &Record<'a>,
    integration: &IntegrationKey,
    portal: &PortalKey,
    phase: Phase,
) -> Result<Input<'a>, NotRehearsed> {
    let mut why = None;
    for wanted in [phase, Phase::Ended] {
        for own in [true, false] {
            let accounts = record.accounts.iter();
            for account in accounts.filter(|one| (one.integration == integration) == own) {
                match of_account(account, portal, wanted) {
                    Ok(Some(input)) => return Ok(input),
                    Ok(None) => {}
                    Err(not) => why = why.or(Some(not)),
                }
            }
        }
    }
    Err(match why {
        Some(not) => not,
        None if record.waits => NotRehearsed::NotDecided,
        None => NotRehearsed::NeverDecided,
    })
}

fn of_account<'a>(
    account: &Account<'a>,
    portal: &PortalKey,
    phase: Phase,
) -> Result<Option<Input<'a>>, NotRehearsed> {
    let Some(decision) = picked(account.ledger, phase) else {
        return Ok(None);
    };
    let Some(seen) = &decision.seen else {
        return Err(NotRehearsed::Unseen);
    };
    // Where no card was looked at it is no matter which portal it was.
    if let Some(there) = decision.portal.as_ref().filter(|there| *there != portal)
        && decision.facts.is_some()
    {
        return Err(NotRehearsed::OtherPortal(there.clone()));
    }
    Ok(Some(Input {
        body: &seen.body,
        revision: decision.revision,
        now: seen.now,
        facts: decision.facts.as_ref(),
        before: seen.before.as_ref(),
        decided: (account.integration, decision),
        of_phase: phase,
    }))
}

/// Chooses among the decisions about one phase: a plan that grew old unsent was decided again, and
/// the later facts count; what was decided again after something had been sent (a dead letter) saw
/// the effects of the first, so that counts.
fn picked(ledger: &Ledger, phase: Phase) -> Option<&Decision> {
    let decisions = || ledger.decisions.iter().filter(|d| d.phase == phase);
    let mut of_phase = decisions();
    let first = of_phase.next()?;
    let untouched = |decision: &&Decision| {
        let before = decision.seen.as_ref().and_then(|seen| seen.before.as_ref());
        let mut steps = before.into_iter().flat_map(|before| &before.steps);
        let is_of_phase = |work| decisions().any(|one| one.work == work);
        !steps.any(|step| is_of_phase(step.work) && step.attempts > 0)
    };
    Some(of_phase.take_while(untouched).last().unwrap_or(first))
}

/// The phases at which settings decide. What a recording brings later follows from what they made.
const REHEARSED: [Phase; 6] = [
    Phase::Answered,
    Phase::Started,
    Phase::Accepted,
    Phase::Tagged,
    Phase::Ended,
    Phase::Received,
];

/// Returns what an integration really decided about a communication.
///
/// # Errors
/// Fails where nothing is decided.
pub fn stored(record: &Record<'_>, integration: &IntegrationKey) -> Result<Made, NotRehearsed> {
    let mut accounts = record.accounts.iter();
    let own = accounts.find(|account| account.integration == integration);
    let Some(own) = own.filter(|own| !own.ledger.decisions.is_empty()) else {
        return Err(match record.waits {
            true => NotRehearsed::NotDecided,
            false => NotRehearsed::NeverDecided,
        });
    };
    let mut explanation = Explanation::default();
    for phase in REHEARSED {
        let decision = picked(own.ledger, phase);
        for reason in decision.into_iter().flat_map(|one| &one.explanation) {
            if !explanation.0.contains(reason) {
                explanation.push(reason.clone());
            }
        }
    }
    let is_rehearsed = |step: &&LedgerStep| {
        let mut decisions = own.ledger.decisions.iter();
        decisions.any(|one| one.work == step.work && REHEARSED.contains(&one.phase))
    };
    let steps = own.ledger.steps.iter().filter(is_rehearsed);
    let steps = steps.map(|step| PlannedStep {
        role: step.role.clone(),
        effect: step.effect.clone(),
    });
    Ok(Made {
        taken: true,
        steps: steps.collect(),
        explanation,
        assumed: Vec::new(),
    })
}
