//! To whom the card of a caller is shown while the telephone rings (S2-39), and from whom it is taken
//! when somebody else has picked up. Decided by what is at hand, without asking the CRM: it must be
//! there before the telephone is picked up.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::call::{Call, CallLeg, CallPhase, Direction};
use crate::model::communication::{Body, Snapshot};
use crate::model::employee::Employees;
use crate::model::explanation::UserName;
use crate::model::ids::{AccountId, CrmUserId};
use crate::model::mistake::Mistake;
use crate::model::passing::{Audience, CardMove, PassingReason, PassingState, PassingStep};
use crate::model::phone::Phone;
use crate::model::plan::Role;
use crate::model::timestamp::Timestamp;

use super::settings::IntegrationSettings;

/// How long after a telephone began to ring its card is worth showing: who has talked for longer
/// has asked who is calling.
const USEFUL: Duration = Duration::from_secs(15);

/// How long after somebody picked up the others' cards are worth taking away: an account at its limit
/// may have its cards wait for a while, and the end of the call takes them away in any case.
const AWAY_USEFUL: Duration = Duration::from_secs(60);

/// The most own numbers that a popup is bound to.
const OUR_NUMBERS_MAX: usize = 1000;

/// The card of a caller is shown while the telephone rings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopupSettings {
    /// The toggle.
    #[serde(default = "on")]
    pub on: bool,
    /// To whom.
    #[serde(default)]
    pub show_to: ShowTo,
    /// Only calls to these numbers of ours, as the source writes them; empty = to every one.
    #[serde(default)]
    #[schemars(extend("x-shape" = "lines"))]
    pub our_numbers: Vec<String>,
}

/// To whom a card is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShowTo {
    /// To those whose telephones ring, as far as they have a user in the account.
    #[default]
    Rung,
    /// To everybody in the CRM.
    Everybody,
}

fn on() -> bool {
    true
}

impl PopupSettings {
    /// Names every mistake that the types do not exclude by themselves.
    pub(super) fn mistakes(&self, found: &mut Vec<Mistake>) {
        if self.our_numbers.len() > OUR_NUMBERS_MAX {
            found.push(Mistake::at(
                "popup.our_numbers",
                format!("at most {OUR_NUMBERS_MAX}: leave it out for all of them"),
            ));
        }
        for (place, number) in self.our_numbers.iter().enumerate() {
            if number.trim().is_empty() {
                found.push(Mistake::at(
                    &format!("popup.our_numbers.{place}"),
                    "is empty: write the number as the source does",
                ));
            }
        }
    }
}

/// The values that a popup is decided from.
#[derive(Debug, Clone, Copy)]
pub struct Ringing<'a> {
    /// The call, as it stands.
    pub snapshot: &'a Snapshot,
    /// What the administrator chose.
    pub settings: &'a IntegrationSettings,
    /// Its revision.
    pub settings_revision: u64,
    /// The people of the tenant.
    pub employees: &'a Employees,
    /// The account, by which an employee's user is found.
    pub account: &'a AccountId,
    /// What was decided about this call before.
    pub before: &'a [PassingStep],
    /// Now.
    pub now: Timestamp,
}

/// Says whether a source's picture may be one to show a card for at all.
pub fn may_show(snapshot: &Snapshot) -> bool {
    incoming(snapshot).is_some()
}

/// Decides about the telephones that ring for the first time; `None` = there is nothing to decide.
/// The same values give the same step.
pub fn popup(ringing: &Ringing<'_>) -> Option<PassingStep> {
    let settings = ringing.settings.popup.as_ref().filter(|popup| popup.on)?;
    let calls = ringing.settings.calls.as_ref();
    if calls.is_some_and(|calls| !calls.on) {
        return None;
    }
    let call = incoming(ringing.snapshot)?;
    let phone = call.client.phone()?;
    if !settings.our_numbers.is_empty() {
        let called = call.our_number.as_ref()?;
        settings.our_numbers.iter().find(|one| *one == called)?;
    }
    let legs = new_legs(ringing, call, settings.show_to);
    let first = legs.iter().map(|leg| leg.rung_at).min()?;
    let (audience, reasons) = match nobody(ringing, phone) {
        Some(reason) => (Audience::Nobody, vec![reason]),
        None => match settings.show_to {
            ShowTo::Everybody => (Audience::Everybody, vec![PassingReason::ForEverybody]),
            ShowTo::Rung => those_rung(ringing, &legs),
        },
    };
    let useful_until = first.plus(USEFUL);
    let at = ringing.now;
    let state = match audience {
        Audience::Nobody => PassingState::NotSent { at },
        _ if useful_until <= at => PassingState::Expired { at, sent: false },
        Audience::Users { .. } | Audience::Everybody => PassingState::Sent { at },
    };
    Some(PassingStep {
        role: Role(format!("popup#{}", ringing.snapshot.revision)),
        card: CardMove::Show,
        phone: phone.clone(),
        extensions: legs.iter().map(|leg| leg.extension.clone()).collect(),
        audience,
        useful_until,
        settings: ringing.settings_revision,
        state,
        reasons,
        first_time: None,
    })
}

/// Decides from whom the card is taken away because somebody else talks with the client; `None` =
/// nobody sees it for nothing. The same values give the same step.
pub fn take_away(ringing: &Ringing<'_>) -> Option<PassingStep> {
    let call = incoming(ringing.snapshot)?;
    if call.phase != CallPhase::Answered || call.talkers.is_empty() {
        return None;
    }
    let phone = call.client.phone()?;
    let source = &ringing.snapshot.key.source.source;
    let named = |user: &CrmUserId| {
        let mut people = ringing.employees.0.iter();
        let employee = people.find(|one| one.user(ringing.account) == Some(user));
        UserName {
            id: user.clone(),
            name: employee.map(|one| one.name.clone()),
        }
    };
    let talking: Vec<&CrmUserId> = call
        .talkers
        .iter()
        .filter_map(|extension| ringing.employees.by_extension(source, extension))
        .filter_map(|employee| employee.user(ringing.account))
        .collect();
    let mut users: Vec<CrmUserId> = Vec::new();
    for step in ringing.before {
        let Audience::Users { users: of_step } = &step.audience else {
            continue;
        };
        match (step.card, &step.state) {
            // Tried once, whatever came of it.
            (CardMove::TakeAway, _) => users.retain(|user| !of_step.contains(user)),
            (
                CardMove::Show,
                PassingState::Sent { .. }
                | PassingState::Done { .. }
                | PassingState::Failed { .. }
                | PassingState::Expired { sent: true, .. },
            ) => {
                let idle = of_step.iter().filter(|user| !talking.contains(user));
                for user in idle {
                    if !users.contains(user) {
                        users.push(user.clone());
                    }
                }
            }
            (
                CardMove::Show,
                PassingState::Expired { sent: false, .. } | PassingState::NotSent { .. },
            ) => {}
        }
    }
    if users.is_empty() {
        return None;
    }
    let at = ringing.now;
    Some(PassingStep {
        role: Role(format!("card-away#{}", ringing.snapshot.revision)),
        card: CardMove::TakeAway,
        phone: phone.clone(),
        extensions: Vec::new(),
        reasons: vec![PassingReason::AnsweredElsewhere {
            users: users.iter().map(named).collect(),
        }],
        audience: Audience::Users { users },
        useful_until: at.plus(AWAY_USEFUL),
        settings: ringing.settings_revision,
        state: PassingState::Sent { at },
        first_time: None,
    })
}

/// Returns an incoming call that is not over.
fn incoming(snapshot: &Snapshot) -> Option<&Call> {
    match &snapshot.body {
        Body::Call { call } => {
            let open = call.phase < CallPhase::Ended && call.direction == Direction::Incoming;
            open.then_some(call)
        }
        Body::Chat { .. } | Body::Request { .. } => None,
    }
}

/// Returns the telephones that nothing was decided about yet. Once somebody talks, those who only
/// heard it ring need no card any more.
fn new_legs<'a>(ringing: &Ringing<'_>, call: &'a Call, show_to: ShowTo) -> Vec<&'a CallLeg> {
    let shown = || {
        ringing
            .before
            .iter()
            .filter(|step| step.card == CardMove::Show)
    };
    if show_to == ShowTo::Everybody && shown().next().is_some() {
        return Vec::new();
    }
    let considered = |leg: &CallLeg| shown().any(|step| step.extensions.contains(&leg.extension));
    let concerned = |leg: &CallLeg| match call.phase {
        CallPhase::Ringing => true,
        CallPhase::Answered | CallPhase::Ended | CallPhase::RecordingReady => {
            call.talkers.contains(&leg.extension)
        }
    };
    let legs = call.legs.iter();
    legs.filter(|leg| concerned(leg) && !considered(leg))
        .collect()
}

/// Says why the card of a number is shown to nobody.
fn nobody(ringing: &Ringing<'_>, phone: &Phone) -> Option<PassingReason> {
    if let Some(employee) = ringing.employees.by_phone(phone) {
        return Some(PassingReason::EmployeePhone {
            employee: employee.name.clone(),
        });
    }
    let calls = ringing.settings.calls.as_ref()?;
    let is_partner = calls.partner_numbers.contains(phone);
    is_partner.then_some(PassingReason::PartnerNumber)
}

/// Finds the users behind telephones.
fn those_rung(ringing: &Ringing<'_>, legs: &[&CallLeg]) -> (Audience, Vec<PassingReason>) {
    let source = &ringing.snapshot.key.source.source;
    let mut users: Vec<CrmUserId> = Vec::new();
    let mut reasons = Vec::new();
    for leg in legs {
        let extension = leg.extension.clone();
        let Some(employee) = ringing.employees.by_extension(source, &extension) else {
            reasons.push(PassingReason::NobodysExtension { extension });
            continue;
        };
        let Some(user) = employee.user(ringing.account) else {
            let employee = employee.name.clone();
            reasons.push(PassingReason::NoUser {
                extension,
                employee,
            });
            continue;
        };
        if !users.contains(user) {
            users.push(user.clone());
        }
        let user = UserName {
            id: user.clone(),
            name: Some(employee.name.clone()),
        };
        reasons.push(PassingReason::Rings { extension, user });
    }
    let audience = match users.is_empty() {
        true => Audience::Nobody,
        false => Audience::Users { users },
    };
    (audience, reasons)
}
