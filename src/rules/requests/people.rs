//! Who answers for what a request makes (S0-16).

use crate::model::explanation::{Reason, RulePass, UserName};
use crate::model::facts::ContactFact;
use crate::model::ids::CrmUserId;

use super::admission::{ClientRequest, KIND};
use super::client::{Client, named};
use crate::rules::settings::Assign;

/// Returns who answers for a record, and why: the first rule that finds somebody, else the manager
/// of the contact that the client already has, else the default.
pub(super) fn responsible(
    request: &ClientRequest<'_>,
    client: &Client<'_>,
    contact: Option<&ContactFact>,
) -> (CrmUserId, Vec<Reason>) {
    let mut why = Vec::new();
    if let Some(user) = by_rules(request, client, &mut why) {
        return (user, why);
    }
    let of_contact = contact.and_then(|contact| Some((contact, contact.responsible.clone()?)));
    if let Some((contact, user)) = of_contact {
        why.push(Reason::ResponsibleOfContact {
            user: user_name(request, &user),
            contact: named(contact),
        });
        return (user, why);
    }
    let user = request.settings.default_responsible.clone();
    why.push(Reason::DefaultAnswers {
        kind: KIND,
        user: user_name(request, &user),
    });
    (user, why)
}

/// Asks the rules in order; notes what each said, and those that hold and name nobody.
fn by_rules(
    request: &ClientRequest<'_>,
    client: &Client<'_>,
    why: &mut Vec<Reason>,
) -> Option<CrmUserId> {
    let facets = request.facets();
    let rules = request.settings.responsible.iter().enumerate();
    for (position, rule) in rules.filter(|(_, rule)| rule.on) {
        if let Some(when) = &rule.when {
            let holds = when.passes(&facets);
            why.push(Reason::ConditionsSeen {
                path: format!("requests.responsible.{position}.when"),
                holds,
                conditions: when.seen(&facets),
            });
            if !holds {
                continue;
            }
        }
        match named_by(&rule.assign, request, client) {
            Ok(user) => {
                why.push(Reason::RuleAnswers {
                    kind: KIND,
                    rule: rule.name.clone(),
                    user: user_name(request, &user),
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

fn named_by(
    assign: &Assign,
    request: &ClientRequest<'_>,
    client: &Client<'_>,
) -> Result<CrmUserId, RulePass> {
    let situation = request.situation;
    match assign {
        Assign::User { user } => Ok(user.clone()),
        Assign::Employee { employee } => {
            let known = situation.employees.get(employee);
            let known = known.ok_or_else(|| RulePass::EmployeeUnknown {
                employee: employee.clone(),
            })?;
            let user = known.user(situation.account).cloned();
            user.ok_or_else(|| RulePass::EmployeeUnmapped {
                employee: known.name.clone(),
            })
        }
        Assign::ContactOwner {} => {
            let owner = client
                .contact
                .and_then(|contact| contact.responsible.clone());
            owner.ok_or(RulePass::NoOwner)
        }
        // Refused when the settings are saved: in a request nobody talks and nobody calls.
        Assign::Talker {} => Err(RulePass::NobodyTalked),
        Assign::Caller {} => Err(RulePass::NobodyCalled),
    }
}

/// Names a user for an explanation.
pub(super) fn user_name(request: &ClientRequest<'_>, user: &CrmUserId) -> UserName {
    let situation = request.situation;
    let employee = situation.employees.by_user(situation.account, user);
    UserName {
        id: user.clone(),
        name: employee.map(|employee| employee.name.clone()),
    }
}
