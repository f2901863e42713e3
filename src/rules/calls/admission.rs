//! Whether a call is a client's call that is decided now (S1-14, S1-27, S1-28).

use crate::model::call::{Call, CallResult};
use crate::model::call_order::is_crm_click;
use crate::model::communication::{Kind, Phase};
use crate::model::explanation::{Reason, Side};
use crate::model::phone::{ClientNumber, Phone};

use super::people;
use crate::rules::draft::Draft;
use crate::rules::phases;
use crate::rules::settings::{
    CallSettings, DirectionSettings, FilteredCalls, KnownCase, TaskSettings, UnknownCase,
};
use crate::rules::situation::Situation;

/// An answered or ended call with a client who has a number, and what was set for it.
pub(super) struct ClientCall<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) call: &'a Call,
    pub(super) settings: &'a CallSettings,
    pub(super) side: Side,
    pub(super) phone: &'a Phone,
}

impl<'a> ClientCall<'a> {
    /// Admits a call, or says why it is ignored.
    pub(super) fn admit(situation: &'a Situation<'a>, call: &'a Call) -> Result<Self, Reason> {
        let Some(settings) = &situation.settings.calls else {
            return Err(Reason::NothingConfigured { kind: Kind::Call });
        };
        if !settings.on {
            return Err(Reason::KindOff { kind: Kind::Call });
        }
        let phase = situation.phase;
        if !is_decided_now(settings, call, phase) {
            return Err(Reason::PhaseNotDecided { phase });
        }
        let offered = (Kind::Call, phase);
        if !situation.capabilities.phases.contains(&offered) {
            return Err(Reason::PhaseNotOffered {
                kind: Kind::Call,
                phase,
            });
        }
        let Some(side) = Side::of(call.direction) else {
            return Err(Reason::InternalCall);
        };
        // The entry of a click stands open in the CRM: somebody must end it.
        if let CallResult::EmployeeNotReached { reason } = call.result
            && (click(situation, call).is_none() || phase != Phase::Ended)
        {
            return Err(Reason::EmployeeNotReached { miss: reason });
        }
        let phone = match &call.client {
            ClientNumber::Phone { phone } => phone,
            ClientNumber::Withheld => return Err(Reason::NumberWithheld),
            ClientNumber::Other { text } => {
                return Err(Reason::NumberUnreadable { text: text.clone() });
            }
        };
        if let Some(employee) = situation.employees.by_phone(phone) {
            return Err(Reason::EmployeePhone {
                phone: phone.clone(),
                employee: employee.name.clone(),
            });
        }
        if settings.partner_numbers.contains(phone) {
            return Err(Reason::PartnerNumber {
                phone: phone.clone(),
            });
        }
        Ok(Self {
            situation,
            call,
            settings,
            side,
            phone,
        })
    }

    /// Says whether the call makes nothing but its log: the number stands in the list (S1-18,
    /// S1-20), or the call does not pass the filter (S2-23).
    pub(super) fn is_filtered(&self) -> bool {
        let filter = self.direction().filter.as_ref();
        self.direction().filtered_numbers.contains(self.phone)
            || filter.is_some_and(|filter| !filter.passes(&people::facets(self)))
    }

    /// Says whether a call that is filtered is not even logged (V-14).
    pub(super) fn leaves_log_out(&self) -> bool {
        self.direction().filtered == FilteredCalls::LeftOut && self.is_filtered()
    }

    /// Returns the name of the click in the CRM that the call came of, where the CRM opened the entry.
    pub(super) fn click(&self) -> Option<&'a str> {
        click(self.situation, self.call)
    }

    /// Explains what list and filter say, and whether the call is filtered.
    pub(super) fn explain_filter(&self, draft: &mut Draft<'_>) -> bool {
        let side = self.side;
        if self.direction().filtered_numbers.contains(self.phone) {
            let phone = self.phone.clone();
            draft.explain(Reason::NumberFiltered { side, phone });
            return true;
        }
        if let Some(filter) = &self.direction().filter {
            let facets = people::facets(self);
            draft.explain(Reason::ConditionsSeen {
                path: format!("{}.filter", side.path()),
                holds: filter.passes(&facets),
                conditions: filter.seen(&facets),
            });
        }
        let filtered = self.is_filtered();
        if filtered {
            draft.explain(Reason::CallFiltered { side });
        }
        filtered
    }

    /// Returns the setting for a client who is in no contact.
    pub(super) fn unknown_case(&self) -> Option<&'a UnknownCase> {
        let direction = self.direction();
        if self.call.is_answered() {
            direction.answered_unknown.as_ref()
        } else {
            direction.missed_unknown.as_ref()
        }
    }

    /// Returns the setting for a client who is known.
    pub(super) fn known_case(&self) -> Option<&'a KnownCase> {
        let direction = self.direction();
        if self.call.is_answered() {
            direction.answered_known.as_ref()
        } else {
            direction.missed_known.as_ref()
        }
    }

    /// Says whether the end of the call is decided: tasks and the log belong to it.
    pub(super) fn is_at_end(&self) -> bool {
        self.situation.phase == Phase::Ended
    }

    /// Returns the setting of the task that this call may make.
    pub(super) fn task(&self) -> Option<&'a TaskSettings> {
        let direction = self.direction();
        if self.call.is_answered() {
            direction.task.as_ref()
        } else {
            direction.missed_task.as_ref()
        }
    }

    /// Returns the whole seconds of talk.
    pub(super) fn talk_s(&self) -> u64 {
        self.call.talking_ms / 1000
    }

    /// Returns the settings of the call's direction.
    pub(super) fn direction(&self) -> &'a DirectionSettings {
        match self.side {
            Side::Incoming => &self.settings.incoming,
            Side::Outgoing => &self.settings.outgoing,
        }
    }
}

fn click<'a>(situation: &Situation<'_>, call: &'a Call) -> Option<&'a str> {
    let opened = situation.capabilities.calls.opened_by_click;
    let name = call.click_to_call.as_deref().filter(|_| opened)?;
    is_crm_click(name).then_some(name)
}

/// Says whether the phase is one at which a call is decided, and has come.
fn is_decided_now(settings: &CallSettings, call: &Call, phase: Phase) -> bool {
    match phase {
        Phase::Ended => call.is_over(),
        Phase::Answered => {
            let side = Side::of(call.direction);
            call.is_answered() && side.is_some_and(|side| phases::at_answer(settings, side))
        }
        Phase::Ringing
        | Phase::Started
        | Phase::Accepted
        | Phase::Tagged
        | Phase::Message
        | Phase::Continued
        | Phase::RecordingReady
        | Phase::Received => false,
    }
}
