//! Who answers for what a chat makes.

use crate::model::employee::Employee;
use crate::model::explanation::{Reason, RulePass, UserName};
use crate::model::facts::ContactFact;
use crate::model::ids::CrmUserId;

use super::admission::{ClientChat, KIND};
use super::client::{Client, named};
use crate::rules::settings::Assign;

/// Returns who answers for a record, and why: the first rule that finds somebody, else the manager
/// of the contact that the client already has, else the default.
pub(super) fn responsible(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    contact: Option<&ContactFact>,
) -> (CrmUserId, Vec<Reason>) {
    let mut why = Vec::new();
    if let Some(user) = by_rules(chat, client, &mut why) {
        return (user, why);
    }
    let of_contact = contact.and_then(|contact| Some((contact, contact.responsible.clone()?)));
    if let Some((contact, user)) = of_contact {
        why.push(Reason::ResponsibleOfContact {
            user: user_name(chat, &user),
            contact: named(contact),
        });
        return (user, why);
    }
    let user = chat.settings.default_responsible.clone();
    why.push(Reason::DefaultAnswers {
        kind: KIND,
        user: user_name(chat, &user),
    });
    (user, why)
}

/// Asks the rules in order; notes what each said, and those that hold and name nobody.
fn by_rules(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    why: &mut Vec<Reason>,
) -> Option<CrmUserId> {
    let facets = chat.facets();
    let rules = chat.settings.responsible.iter().enumerate();
    for (position, rule) in rules.filter(|(_, rule)| rule.on) {
        if let Some(when) = &rule.when {
            let holds = when.passes(&facets);
            why.push(Reason::ConditionsSeen {
                path: format!("chats.responsible.{position}.when"),
                holds,
                conditions: when.seen(&facets),
            });
            if !holds {
                continue;
            }
        }
        match named_by(&rule.assign, chat, client) {
            Ok(user) => {
                why.push(Reason::RuleAnswers {
                    kind: KIND,
                    rule: rule.name.clone(),
                    user: user_name(chat, &user),
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
    chat: &ClientChat<'_>,
    client: &Client<'_>,
) -> Result<CrmUserId, RulePass> {
    match assign {
        Assign::User { user } => Ok(user.clone()),
        Assign::Employee { employee } => {
            let known = chat.situation.employees.get(employee);
            let known = known.ok_or_else(|| RulePass::EmployeeUnknown {
                employee: employee.clone(),
            })?;
            user_of(chat, known)
        }
        Assign::ContactOwner {} => {
            let contact = client.contact;
            let owner = contact.and_then(|contact| contact.responsible.clone());
            owner.ok_or(RulePass::NoOwner)
        }
        Assign::Talker {} => user_of(chat, taker(chat)?),
        // Refused when the settings are saved: in a chat nobody calls.
        Assign::Caller {} => Err(RulePass::NobodyCalled),
    }
}

/// Returns who took the chat.
pub(super) fn taker<'a>(chat: &ClientChat<'a>) -> Result<&'a Employee, RulePass> {
    let login = chat.chat.employee.as_ref().ok_or(RulePass::NobodyTalked)?;
    let situation = chat.situation;
    let source = &situation.snapshot.key.source.source;
    let employee = situation.employees.by_extension(source, login);
    employee.ok_or_else(|| RulePass::ExtensionUnknown {
        extension: login.clone(),
    })
}

fn user_of(chat: &ClientChat<'_>, employee: &Employee) -> Result<CrmUserId, RulePass> {
    let user = employee.user(chat.situation.account).cloned();
    user.ok_or_else(|| RulePass::EmployeeUnmapped {
        employee: employee.name.clone(),
    })
}

/// Names a user for an explanation.
pub(super) fn user_name(chat: &ClientChat<'_>, user: &CrmUserId) -> UserName {
    let situation = chat.situation;
    let employee = situation.employees.by_user(situation.account, user);
    UserName {
        id: user.clone(),
        name: employee.map(|employee| employee.name.clone()),
    }
}
