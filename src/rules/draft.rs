//! A plan while it is being made: checks every step against the ledger and against what the CRM
//! offers, and collects the reasons.

use crate::model::explanation::{Explanation, Reason};
use crate::model::ids::CrmUserId;
use crate::model::ledger::{LedgerStep, StepState};
use crate::model::plan::{Effect, Entity, FieldFill, Plan, PlannedStep, Role, StepKind, Target};

use super::replan;
use super::situation::Situation;

/// A plan in the making.
pub(super) struct Draft<'a> {
    situation: &'a Situation<'a>,
    replaced: Vec<&'a Role>,
    steps: Vec<PlannedStep>,
    explanation: Explanation,
}

/// What became of a step that was wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// It is planned now.
    Planned,
    /// An earlier decision planned it, and it is done or will be.
    Stands,
    /// It will not be; the explanation says why.
    Refused,
}

impl<'a> Draft<'a> {
    pub(super) fn new(situation: &'a Situation<'a>) -> Self {
        let mut draft = Self {
            situation,
            replaced: replan::replaced(situation),
            steps: Vec::new(),
            explanation: Explanation::default(),
        };
        if replan::is_again(situation) {
            draft.explain(Reason::DecidedAgain);
        }
        draft
    }

    /// Adds a reason, once.
    pub(super) fn explain(&mut self, reason: Reason) {
        if !self.explanation.0.contains(&reason) {
            self.explanation.push(reason);
        }
    }

    /// Plans a step, unless its role is taken or the CRM does not offer it.
    pub(super) fn wish(&mut self, role: &str, effect: Effect) -> Wish {
        let role = Role::new(role);
        let kind = effect.kind();
        if self.steps.iter().any(|step| step.role == role) {
            return Wish::Planned;
        }
        if let Some(wish) = self.closed(&role, kind) {
            return wish;
        }
        self.steps.push(PlannedStep { role, effect });
        Wish::Planned
    }

    /// Says whether a step of this role and kind could be planned now; explains why not.
    pub(super) fn is_open(&mut self, role: &str, kind: StepKind) -> bool {
        self.closed(&Role::new(role), kind).is_none()
    }

    /// Returns why no step of this role can be planned, where none can.
    fn closed(&mut self, role: &Role, kind: StepKind) -> Option<Wish> {
        let entity = made_by(kind);
        let (reason, wish) = match self.standing(role) {
            Some(step) if is_alive(step) => (Reason::StepStands { entity }, Wish::Stands),
            Some(_) => (Reason::StepGivenUp { entity }, Wish::Refused),
            None if !self.offers(kind) => (Reason::NotOffered { entity }, Wish::Refused),
            None => return None,
        };
        self.explain(reason);
        Some(wish)
    }

    /// Says whether this decision plans a step of the role.
    pub(super) fn plans(&self, role: &str) -> bool {
        self.steps.iter().any(|step| step.role.0 == role)
    }

    /// Says whether this decision leaves the record of a role to the CRM.
    pub(super) fn awaits(&self, role: &str) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.role.0 == role && step.effect.kind() == StepKind::AwaitContact)
    }

    /// Gives additional fields to the record of a step that this decision plans; returns whether it
    /// takes any.
    pub(super) fn make_with(&mut self, role: &str, fields: Vec<FieldFill>) -> bool {
        let mut steps = self.steps.iter_mut();
        let step = steps.find(|step| step.role.0 == role);
        let place = step.and_then(|step| step.effect.new_fields_mut());
        let Some(place) = place else {
            return false;
        };
        *place = fields;
        true
    }

    /// Says whether an earlier decision made the record of a role with additional fields.
    pub(super) fn made_with_fields(&self, role: &str) -> bool {
        let standing = self.standing(&Role::new(role));
        standing.is_some_and(|step| step.effect.new_fields().is_some_and(|f| !f.is_empty()))
    }

    /// Says whether the CRM's adapter offers a kind of step.
    pub(super) fn offers(&self, kind: StepKind) -> bool {
        self.situation.capabilities.step(kind).is_some()
    }

    /// Says whether a step of this role is planned now, or was planned earlier and is done or
    /// will be: whether its record can be referred to.
    pub(super) fn gives(&self, role: &str) -> bool {
        let role = Role::new(role);
        self.steps.iter().any(|step| step.role == role)
            || self.standing(&role).is_some_and(is_alive)
    }

    /// Returns who answers for the record of a role that is planned now or stands.
    pub(super) fn responsible_of(&self, role: &str) -> Option<&CrmUserId> {
        let role = Role::new(role);
        let planned = self.steps.iter().find(|step| step.role == role);
        let effect = match planned {
            Some(step) => &step.effect,
            None => &self.standing(&role)?.effect,
        };
        match effect {
            Effect::CreateContact(contact) => contact.responsible.as_ref(),
            Effect::CreateDeal(deal) => deal.responsible.as_ref(),
            Effect::CreateTask(task) => task.responsible.as_ref(),
            Effect::CreateLead(lead) => lead.responsible.as_ref(),
            Effect::CreateUnsorted(_)
            | Effect::RecordCall(_)
            | Effect::FillFields(_)
            | Effect::LinkRecording(_)
            | Effect::AddNote(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => None,
        }
    }

    /// Returns the name of the record of a role that this decision plans.
    pub(super) fn name_of(&self, role: &str) -> Option<&str> {
        let step = self.steps.iter().find(|step| step.role.0 == role)?;
        match &step.effect {
            Effect::CreateContact(contact) => Some(&contact.name),
            Effect::CreateDeal(deal) => Some(&deal.name),
            Effect::CreateLead(lead) => Some(&lead.name),
            _ => None,
        }
    }

    /// Returns the steps of earlier decisions that this one does not replace.
    pub(super) fn standing_steps(&self) -> impl Iterator<Item = &'a LedgerStep> {
        let steps = self.situation.ledger.steps.iter();
        steps.filter(|step| !self.replaced.contains(&&step.role))
    }

    /// Returns the plan.
    pub(super) fn finish(self, first_time: bool) -> Plan {
        Plan {
            steps: self.steps,
            first_time: Some(first_time),
            explanation: self.explanation,
        }
    }

    /// Returns the ledger's step of a role, unless this decision replaces it.
    fn standing(&self, role: &Role) -> Option<&'a LedgerStep> {
        let replaced = self.replaced.contains(&role);
        self.situation.ledger.step(role).filter(|_| !replaced)
    }
}

/// Points at a record that a step of this ledger makes.
pub(super) fn made(role: &str, entity: Entity) -> Target {
    Target::Made {
        by: Role::new(role),
        entity,
    }
}

fn is_alive(step: &LedgerStep) -> bool {
    match step.state {
        StepState::Pending
        | StepState::InFlight { .. }
        | StepState::Waiting { .. }
        | StepState::Done { .. } => true,
        StepState::Dead { .. } | StepState::Dropped { .. } | StepState::Expired { .. } => false,
    }
}

fn made_by(kind: StepKind) -> Entity {
    match kind {
        StepKind::CreateContact => Entity::Contact,
        StepKind::CreateDeal => Entity::Deal,
        StepKind::CreateUnsorted => Entity::Unsorted,
        StepKind::RecordCall | StepKind::LinkRecording => Entity::CallRecord,
        StepKind::CreateTask => Entity::Task,
        StepKind::CreateLead => Entity::Lead,
        StepKind::FillFields => Entity::Fields,
        StepKind::AddNote => Entity::Note,
        StepKind::HandOver | StepKind::AwaitContact => Entity::Contact,
        StepKind::Notify => Entity::Notice,
    }
}
