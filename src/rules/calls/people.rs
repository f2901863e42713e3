//! Which people stand behind a call: who answers for new records, who gets a task, and whom the
//! log names.

use crate::model::employee::Employee;
use crate::model::explanation::{Reason, RulePass, Side, UserName};
use crate::model::facts::ContactFact;
use crate::model::ids::{CrmUserId, Extension};
use crate::model::plan::Entity;
use crate::rules::filters::CallFacets;
use crate::rules::settings::{Assign, Talker};

use super::admission::ClientCall;
use super::client::{Client, named};
use super::log::Place;

/// Returns who answers for a record that a call makes, and why: whom its case names, else the first
/// rule that finds somebody, else the manager of the contact that the client already has, else the default
/// (S1-17).
pub(super) fn responsible(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    contact: Option<&ContactFact>,
) -> (CrmUserId, Vec<Reason>) {
    let mut why = Vec::new();
    if let Some(user) = by_case(call, client, &mut why) {
        return (user, why);
    }
    if let Some(user) = by_rules(call, client, &mut why) {
        return (user, why);
    }
    let of_contact = contact.and_then(|contact| Some((contact, contact.responsible.clone()?)));
    if let Some((contact, user)) = of_contact {
        why.push(Reason::ResponsibleOfContact {
            user: user_name(call, &user),
            contact: named(contact),
        });
        return (user, why);
    }
    let user = call.settings.default_responsible.clone();
    why.push(Reason::ResponsibleDefault {
        user: user_name(call, &user),
    });
    (user, why)
}

/// Returns whose task an answered call makes: the employee's who took it, else as
/// [`task_owner`] says.
pub(super) fn taker(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    place: Option<&Place>,
) -> (CrmUserId, Vec<Reason>) {
    match talker(call).and_then(|employee| user_of(call, employee)) {
        Ok(user) => {
            let name = user_name(call, &user);
            (user, vec![Reason::TaskOfTalker { user: name }])
        }
        Err(why) => {
            let (user, mut reasons) = task_owner(call, client, place);
            reasons.insert(0, Reason::TalkerPassed { why });
            (user, reasons)
        }
    }
}

/// Returns whose task a missed call makes: of who answers for the card that it hangs on, else as
/// for a new record.
pub(super) fn task_owner(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    place: Option<&Place>,
) -> (CrmUserId, Vec<Reason>) {
    let owned = place.and_then(|place| Some((place.entity, place.owner.clone()?)));
    match owned {
        Some((entity, user)) => {
            let name = user_name(call, &user);
            (user, vec![Reason::TaskOfCardOwner { user: name, entity }])
        }
        None => responsible(call, client, client.contact),
    }
}

/// Asks the case of the call, where it names anybody of its own (S2-09, S2-10).
fn by_case(call: &ClientCall<'_>, client: &Client<'_>, why: &mut Vec<Reason>) -> Option<CrmUserId> {
    let assign = if client.known {
        let case = call.known_case().filter(|case| case.on);
        case.and_then(|case| case.assign_to.as_ref())
    } else {
        let case = call.unknown_case().filter(|case| case.on);
        case.and_then(|case| case.assign_to.as_ref())
    };
    let key = match (call.call.is_answered(), client.known) {
        (true, true) => "answered_known",
        (true, false) => "answered_unknown",
        (false, true) => "missed_known",
        (false, false) => "missed_unknown",
    };
    let path = format!("{}.{key}.assign_to", call.side.path());
    match named_by(assign?, call, client) {
        Ok(user) => {
            let name = user_name(call, &user);
            why.push(Reason::AssignedTo { path, user: name });
            Some(user)
        }
        Err(pass) => {
            why.push(Reason::RulePassed {
                rule: path,
                why: pass,
            });
            None
        }
    }
}

/// Asks the rules in order; notes those that hold and name nobody.
fn by_rules(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    why: &mut Vec<Reason>,
) -> Option<CrmUserId> {
    let facets = facets(call);
    let rules = call.settings.responsible.iter().filter(|rule| rule.on);
    for rule in rules {
        let holds = rule.when.as_ref().is_none_or(|when| when.passes(&facets));
        if !holds {
            continue;
        }
        let name = rule.name.clone();
        match named_by(&rule.assign, call, client) {
            Ok(user) => {
                why.push(Reason::ResponsibleByRule {
                    rule: name,
                    user: user_name(call, &user),
                });
                return Some(user);
            }
            Err(pass) => why.push(Reason::RulePassed {
                rule: name,
                why: pass,
            }),
        }
    }
    None
}

fn named_by(
    assign: &Assign,
    call: &ClientCall<'_>,
    client: &Client<'_>,
) -> Result<CrmUserId, RulePass> {
    match assign {
        Assign::User { user } => Ok(user.clone()),
        Assign::Employee { employee } => {
            let known = call.situation.employees.get(employee);
            let found = known.ok_or_else(|| RulePass::EmployeeUnknown {
                employee: employee.clone(),
            });
            found.and_then(|employee| user_of(call, employee))
        }
        Assign::Talker {} => talker(call).and_then(|employee| user_of(call, employee)),
        Assign::Caller {} => {
            let caller = match call.side {
                Side::Outgoing => call.call.caller_extension.as_ref(),
                Side::Incoming => None,
            };
            let employee = employee_at(call, caller.ok_or(RulePass::NobodyCalled)?)?;
            user_of(call, employee)
        }
        Assign::ContactOwner {} => {
            let owner = client
                .contact
                .and_then(|contact| contact.responsible.clone());
            owner.ok_or(RulePass::NoOwner)
        }
    }
}

/// Returns what conditions look at.
pub(super) fn facets<'a>(call: &ClientCall<'a>) -> CallFacets<'a> {
    CallFacets {
        direction: match call.side {
            Side::Incoming => "incoming",
            Side::Outgoing => "outgoing",
        },
        answered: call.call.is_answered(),
        our_number: call.call.our_number.as_deref(),
        queues: &call.call.queues,
        employee: talker(call).ok().map(|employee| employee.id.as_str()),
        tags: &call.call.tags,
        details: &call.call.details,
    }
}

/// Returns the employee whose the answered call is (V-03).
fn talker<'a>(call: &ClientCall<'a>) -> Result<&'a Employee, RulePass> {
    let extension = talking(call).filter(|_| call.call.is_answered());
    employee_at(call, extension.ok_or(RulePass::NobodyTalked)?)
}

/// Returns the extension that counts of those that talked.
fn talking<'a>(call: &ClientCall<'a>) -> Option<&'a Extension> {
    let what = call.call;
    match call.settings.talker {
        Talker::First => what.first_talker(),
        Talker::Last => what.last_talker.as_ref().or(what.talkers.last()),
    }
}

fn employee_at<'a>(call: &ClientCall<'a>, extension: &Extension) -> Result<&'a Employee, RulePass> {
    let situation = call.situation;
    let source = &situation.snapshot.key.source.source;
    let employee = situation.employees.by_extension(source, extension);
    employee.ok_or_else(|| RulePass::ExtensionUnknown {
        extension: extension.clone(),
    })
}

fn user_of(call: &ClientCall<'_>, employee: &Employee) -> Result<CrmUserId, RulePass> {
    let user = employee.user(call.situation.account).cloned();
    user.ok_or_else(|| RulePass::EmployeeUnmapped {
        employee: employee.name.clone(),
    })
}

fn user_name(call: &ClientCall<'_>, user: &CrmUserId) -> UserName {
    let situation = call.situation;
    let employee = situation.employees.by_user(situation.account, user);
    UserName {
        id: user.clone(),
        name: employee.map(|employee| employee.name.clone()),
    }
}

/// Returns the user whom the log of a call names, or why it names nobody.
pub(super) fn employee(call: &ClientCall<'_>) -> Result<CrmUserId, Reason> {
    let extension = extension(call).ok_or(Reason::NobodyNamed {
        phones: call.call.legs.len(),
    })?;
    let Ok(employee) = employee_at(call, extension) else {
        return Err(Reason::ExtensionUnknown {
            extension: extension.clone(),
        });
    };
    let user = employee.user(call.situation.account).cloned();
    user.ok_or_else(|| Reason::EmployeeUnmapped {
        employee: employee.name.clone(),
        extension: extension.clone(),
    })
}

/// Returns the user whom the log of a call names where the call history wants one: of an answered
/// call who talked; of a missed one who answers for the contact, the company or the deal, in this
/// order (V-04); else as for a new record. An outgoing call is its caller's.
pub(super) fn logged_under(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    named_in_log: Result<CrmUserId, Reason>,
) -> (CrmUserId, Vec<Reason>) {
    let is_missed = call.side == Side::Incoming && !call.call.is_answered();
    // That it would name nobody is no reason here: somebody is named.
    if let (Ok(user), false) = (named_in_log, is_missed) {
        return (user, Vec::new());
    }
    let deal = client.open_deals.first();
    let owners = [
        (
            Entity::Contact,
            client.contact.and_then(|card| card.responsible.clone()),
        ),
        (
            Entity::Company,
            client.company.and_then(|card| card.responsible.clone()),
        ),
        (Entity::Deal, deal.and_then(|deal| deal.responsible.clone())),
        (
            Entity::Lead,
            client.lead.and_then(|card| card.responsible.clone()),
        ),
    ];
    for (entity, owner) in owners {
        if let Some(owner) = owner {
            let user = user_name(call, &owner);
            return (owner, vec![Reason::LogOfOwner { user, entity }]);
        }
    }
    // Who alone was rung is nearer to the call than the default.
    if let Some(user) = extension(call)
        .and_then(|one| employee_at(call, one).ok())
        .and_then(|employee| user_of(call, employee).ok())
    {
        return (user, Vec::new());
    }
    responsible(call, client, None)
}

/// Returns the call's employee for texts: the name, where somebody has the extension, and the
/// extension.
pub(super) fn shown<'a>(call: &ClientCall<'a>) -> (Option<&'a str>, Option<&'a Extension>) {
    let extension = extension(call);
    let employee = extension.and_then(|extension| employee_at(call, extension).ok());
    (employee.map(|employee| employee.name.as_str()), extension)
}

/// An outgoing call is its caller's, whoever talked later. An incoming one is of the employee who
/// talked first or last, as set; a missed one of the only employee who was rung: where several
/// were, none of them missed it more than the others.
fn extension<'a>(call: &ClientCall<'a>) -> Option<&'a Extension> {
    let what = call.call;
    let talked = talking(call);
    let only = match what.legs.as_slice() {
        [only] => Some(&only.extension),
        _ => None,
    };
    match call.side {
        Side::Outgoing => {
            let dialled = what.rung().next();
            what.caller_extension.as_ref().or(talked).or(dialled)
        }
        Side::Incoming if what.is_answered() => talked.or(only),
        Side::Incoming => only,
    }
}
