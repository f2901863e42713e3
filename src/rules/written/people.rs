//! Who answers for what is made (S0-16).

use crate::model::employee::Employee;
use crate::model::explanation::{Reason, RulePass, UserName};
use crate::model::facts::ContactFact;
use crate::model::ids::CrmUserId;

use super::Written;
use super::client::{Client, named};
use crate::rules::settings::Assign;
use crate::rules::situation::Situation;

/// Returns who answers for a record, and why: whom the method of the case names, else the first
/// rule that finds somebody, else the manager of the contact that the client already has, else the
/// default.
pub(in crate::rules) fn responsible<W: Written>(
    what: &W,
    client: &Client<'_>,
    contact: Option<&ContactFact>,
) -> (CrmUserId, Vec<Reason>) {
    let situation = what.situation();
    let mut why = Vec::new();
    if let Some(user) = by_choice(what, client, &mut why) {
        return (user, why);
    }
    if let Some(user) = by_rules(what, client, &mut why) {
        return (user, why);
    }
    let of_contact = contact.and_then(|contact| Some((contact, contact.responsible.clone()?)));
    if let Some((contact, user)) = of_contact {
        why.push(Reason::ResponsibleOfContact {
            user: user_name(situation, &user),
            contact: named(contact),
        });
        return (user, why);
    }
    let user = what.choices().default_responsible.clone();
    why.push(Reason::DefaultAnswers {
        kind: W::KIND,
        user: user_name(situation, &user),
    });
    (user, why)
}

/// Asks the choice for new or for known clients, where there is one (S2-18, S2-20).
fn by_choice<W: Written>(
    what: &W,
    client: &Client<'_>,
    why: &mut Vec<Reason>,
) -> Option<CrmUserId> {
    let choices = what.choices();
    let (key, assign) = match client.known {
        true => ("repeat_assign_to", choices.repeat_assign_to),
        false => ("assign_to", choices.assign_to),
    };
    let path = format!("{}.{key}", W::BLOCK);
    match named_by(assign?, what, client) {
        Ok(user) => {
            let name = user_name(what.situation(), &user);
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

/// Asks the rules in order; notes what each said, and those that hold and name nobody.
pub(in crate::rules) fn by_rules<W: Written>(
    what: &W,
    client: &Client<'_>,
    why: &mut Vec<Reason>,
) -> Option<CrmUserId> {
    let facets = what.facets();
    let rules = what.choices().responsible.iter().enumerate();
    for (position, rule) in rules.filter(|(_, rule)| rule.on) {
        if let Some(when) = &rule.when {
            let holds = when.passes(&facets);
            why.push(Reason::ConditionsSeen {
                path: format!("{}.responsible.{position}.when", W::BLOCK),
                holds,
                conditions: when.seen(&facets),
            });
            if !holds {
                continue;
            }
        }
        match named_by(&rule.assign, what, client) {
            Ok(user) => {
                why.push(Reason::RuleAnswers {
                    kind: W::KIND,
                    rule: rule.name.clone(),
                    user: user_name(what.situation(), &user),
                });
                return Some(user);
            }
            Err(pass) => why.push(Reason::RulePassed {
                rule: rule.name.clone(),
                why: pass,
            }),
        }
    }
    None
}

fn named_by<W: Written>(
    assign: &Assign,
    what: &W,
    client: &Client<'_>,
) -> Result<CrmUserId, RulePass> {
    let situation = what.situation();
    match assign {
        Assign::User { user } => Ok(user.clone()),
        Assign::Employee { employee } => {
            let known = situation.employees.get(employee);
            let known = known.ok_or_else(|| RulePass::EmployeeUnknown {
                employee: employee.clone(),
            })?;
            user_of(situation, known)
        }
        Assign::ContactOwner {} => {
            let contact = client.contact;
            let owner = contact.and_then(|contact| contact.responsible.clone());
            owner.ok_or(RulePass::NoOwner)
        }
        Assign::Talker {} => user_of(situation, what.talker()?),
        // Refused when the settings are saved: in writing nobody calls.
        Assign::Caller {} => Err(RulePass::NobodyCalled),
    }
}

fn user_of(situation: &Situation<'_>, employee: &Employee) -> Result<CrmUserId, RulePass> {
    let user = employee.user(situation.account).cloned();
    user.ok_or_else(|| RulePass::EmployeeUnmapped {
        employee: employee.name.clone(),
    })
}

/// Names a user for an explanation.
pub(in crate::rules) fn user_name(situation: &Situation<'_>, user: &CrmUserId) -> UserName {
    let employee = situation.employees.by_user(situation.account, user);
    UserName {
        id: user.clone(),
        name: employee.map(|employee| employee.name.clone()),
    }
}
