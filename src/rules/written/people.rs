//! Who answers for what is made (S0-16).

use crate::model::explanation::{Reason, RulePass, UserName};
use crate::model::facts::ContactFact;
use crate::model::ids::CrmUserId;
use crate::model::written_reason::WrittenReason;

use super::Written;
use super::client::Client;
use super::place::Place;
use crate::rules::calls::client::named;
use crate::rules::settings::AssignTo;

/// Returns who answers for a new record, and why: the first rule that finds somebody, else the
/// manager of the contact that the client already has, else the default.
pub(super) fn responsible(
    written: &Written<'_>,
    client: &Client<'_>,
    contact: Option<&ContactFact>,
) -> (CrmUserId, Vec<Reason>) {
    let kind = written.kind;
    let mut why = Vec::new();
    for rule in written.options.responsible.iter().filter(|rule| rule.holds) {
        let name = rule.name.to_owned();
        match named_by(rule.gives, written, client) {
            Ok(user) => {
                let by_rule = WrittenReason::ResponsibleByRule {
                    kind,
                    rule: name,
                    user: user_name(written, &user),
                };
                why.push(Reason::Written { why: by_rule });
                return (user, why);
            }
            Err(pass) => why.push(Reason::RulePassed {
                rule: name,
                why: pass,
            }),
        }
    }
    let of_contact = contact.and_then(|contact| Some((contact, contact.responsible.clone()?)));
    if let Some((contact, user)) = of_contact {
        why.push(Reason::ResponsibleOfContact {
            user: user_name(written, &user),
            contact: named(contact),
        });
        return (user, why);
    }
    let user = written.options.default_responsible.clone();
    let by_default = WrittenReason::ResponsibleDefault {
        kind,
        user: user_name(written, &user),
    };
    why.push(Reason::Written { why: by_default });
    (user, why)
}

/// Returns whose the task is: of who answers for the card that it hangs on, else as for a new
/// record.
pub(super) fn task_owner(
    written: &Written<'_>,
    client: &Client<'_>,
    place: Option<&Place>,
) -> (CrmUserId, Vec<Reason>) {
    let owned = place.and_then(|place| Some((place.entity, place.owner.clone()?)));
    match owned {
        Some((entity, user)) => {
            let why = WrittenReason::TaskOfCardOwner {
                user: user_name(written, &user),
                entity,
            };
            (user, vec![Reason::Written { why }])
        }
        None => responsible(written, client, client.contact),
    }
}

fn named_by(
    assign: &AssignTo,
    written: &Written<'_>,
    client: &Client<'_>,
) -> Result<CrmUserId, RulePass> {
    let situation = written.situation;
    match assign {
        AssignTo::User { user } => Ok(user.clone()),
        AssignTo::Employee { employee } => {
            let known = situation.employees.get(employee);
            let known = known.ok_or_else(|| RulePass::EmployeeUnknown {
                employee: employee.clone(),
            })?;
            let user = known.user(situation.account).cloned();
            user.ok_or_else(|| RulePass::EmployeeUnmapped {
                employee: known.name.clone(),
            })
        }
        AssignTo::Taker {} => written.taker.clone(),
        AssignTo::ContactOwner {} => {
            let owner = client
                .contact
                .and_then(|contact| contact.responsible.clone());
            owner.ok_or(RulePass::NoOwner)
        }
    }
}

fn user_name(written: &Written<'_>, user: &CrmUserId) -> UserName {
    let situation = written.situation;
    let employee = situation.employees.by_user(situation.account, user);
    UserName {
        id: user.clone(),
        name: employee.map(|employee| employee.name.clone()),
    }
}
