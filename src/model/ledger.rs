//! What one integration has planned and got for one communication so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::communication::{Body, Phase};
use super::explanation::Explanation;
use super::facts::Facts;
use super::ids::PortalKey;
use super::notice::OutsideNotice;
use super::outcome::StepResult;
use super::passing::PassingStep;
use super::plan::{Card, Effect, Entity, Role};
use super::recording::RecordingAddress;
use super::timestamp::Timestamp;

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Its intent is on disk; the request may have left.
    InFlight {
        /// Since when.
        since: Timestamp,
    },
    /// Done.
    Done {
        /// When.
        at: Timestamp,
        /// What it made.
        result: StepResult,
    },
    /// To be tried again.
    Waiting {
        /// Not before this time.
        until: Timestamp,
        /// Why.
        why: String,
        /// The last try was ambiguous: look for the effect before repeating.
        look_first: bool,
        /// Until this time the CRM may still be at work on that try: a look that finds nothing
        /// before it proves nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settles_at: Option<Timestamp>,
    },
    /// Can never succeed as it is: a dead letter.
    Dead {
        /// When it was given up.
        at: Timestamp,
        /// The CRM's reason.
        reason: String,
    },
    /// Given up by a person, or because it needed the result of a dead step.
    Dropped {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// A passing step that came too late.
    Expired {
        /// When.
        at: Timestamp,
    },
}

impl StepState {
    /// Says whether nothing more will be done for the step by itself.
    pub fn is_final(&self) -> bool {
        match self {
            StepState::Pending | StepState::InFlight { .. } | StepState::Waiting { .. } => false,
            StepState::Done { .. }
            | StepState::Dead { .. }
            | StepState::Dropped { .. }
            | StepState::Expired { .. } => true,
        }
    }
}

/// One step of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerStep {
    /// What it is for. Unique in the ledger.
    pub role: Role,
    /// The work that planned it.
    pub work: u64,
    /// What it does.
    pub effect: Effect,
    /// Where it stands.
    pub state: StepState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was first sent: the look after an ambiguous answer searches from here.
    pub first_sent_at: Option<Timestamp>,
}

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is to be done; the explanation says why.
    Ignored,
    /// Steps were planned.
    Planned,
    /// Steps were planned and none is ever sent: the integration only observed.
    Observed,
}

/// One decision, with everything that went into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The work that it decided.
    pub work: u64,
    /// The phase.
    pub phase: Phase,
    /// When.
    pub at: Timestamp,
    /// The snapshot's revision that it saw.
    pub revision: u64,
    /// The settings' revision that it used.
    pub settings: u64,
    /// The portal that it was made for: the cards that its steps name lie there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal: Option<PortalKey>,
    /// What the CRM said, where it was asked.
    pub facts: Option<Facts>,
    /// The address of the call's recording, where there was one to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingAddress>,
    /// What it came to.
    pub verdict: Verdict,
    /// Why.
    pub explanation: Explanation,
    /// The roles of the steps that it planned.
    pub roles: Vec<Role>,
    /// What it saw besides, so that it can be made again and come out the same. Absent in what the
    /// first version stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Box<Seen>>,
}

/// What a decision saw of what changes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The time that it was made for.
    pub now: Timestamp,
    /// The communication, as reported by then.
    pub body: Body,
    /// What had been planned and got before; absent for a first decision. The decisions inside
    /// are without what they saw themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Ledger>,
}

impl Seen {
    /// Notes what a decision sees.
    pub fn of(now: Timestamp, body: &Body, ledger: &Ledger) -> Self {
        let first = ledger.decisions.is_empty() && ledger.steps.is_empty();
        let before = (!first).then(|| {
            let mut before = ledger.clone();
            for decision in &mut before.decisions {
                decision.seen = None;
                decision.facts = None;
            }
            // No decision reads who was told.
            before.notices.clear();
            // What notes say stands in the steps themselves, and no decision reads it.
            for step in &mut before.steps {
                if let Effect::AddNote(note) = &mut step.effect {
                    note.text.clear();
                }
            }
            before
        });
        Self {
            now,
            body: body.clone(),
            before,
        }
    }
}

/// The ledger of one integration for one communication.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// First-time or repeat, decided once.
    pub first_time: Option<bool>,
    /// The decisions, in order.
    pub decisions: Vec<Decision>,
    /// The steps, in order.
    pub steps: Vec<LedgerStep>,
    /// What was shown while it was worth showing, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passing: Vec<PassingStep>,
    /// Who was told of new records past the CRM, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<OutsideNotice>,
}

impl Ledger {
    /// Returns whether the client was new when this was first decided: by a work, or before a card
    /// was shown from which the CRM makes a contact.
    pub fn verdict(&self) -> Option<bool> {
        let shown = || self.passing.iter().find_map(|step| step.first_time);
        self.first_time.or_else(shown)
    }

    /// Returns the step of a role.
    pub fn step(&self, role: &Role) -> Option<&LedgerStep> {
        self.steps.iter().find(|step| step.role == *role)
    }

    /// Returns a record that a step of this ledger made.
    pub fn made(&self, role: &Role, entity: Entity) -> Option<&Card> {
        made(&self.steps, role, entity)
    }
}

/// Returns a record that one of these steps made.
pub fn made<'s>(steps: &'s [LedgerStep], role: &Role, entity: Entity) -> Option<&'s Card> {
    match &steps.iter().find(|step| step.role == *role)?.state {
        StepState::Done { result, .. } => result.card(entity),
        StepState::Pending
        | StepState::InFlight { .. }
        | StepState::Waiting { .. }
        | StepState::Dead { .. }
        | StepState::Dropped { .. }
        | StepState::Expired { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::passing::{Audience, CardMove, PassingState};
    use super::super::phone::{Phone, Region};
    use super::*;

    #[test]
    fn s2_39_a_call_is_of_a_new_client_by_what_was_known_before_its_card() {
        let at = Timestamp::default();
        let card = |first_time| PassingStep {
            role: Role::new("popup#1"),
            card: CardMove::Show,
            phone: Phone::parse("+79161234567", Region::RU).expect("a number"),
            extensions: Vec::new(),
            audience: Audience::Everybody,
            useful_until: at,
            settings: 1,
            state: PassingState::Done { at, entry: None },
            reasons: Vec::new(),
            first_time,
        };
        let mut ledger = Ledger::default();
        assert_eq!(ledger.verdict(), None);
        ledger.passing = vec![card(None), card(Some(true))];
        assert_eq!(ledger.verdict(), Some(true));
        ledger.first_time = Some(false);
        assert_eq!(ledger.verdict(), Some(false));
    }
}
