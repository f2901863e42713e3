//! Which people stand behind a call: who answers for new records, and whom the log names.

use crate::model::explanation::{Reason, Side, UserName};
use crate::model::facts::ContactFact;
use crate::model::ids::{CrmUserId, Extension};

use super::admission::ClientCall;
use super::client::named;

/// Returns who answers for a record that a call makes. The contact that the client already has
/// keeps its manager for a new deal as well; everything else goes to the default (S1-17).
pub(super) fn responsible(
    call: &ClientCall<'_>,
    contact: Option<&ContactFact>,
) -> (CrmUserId, Reason) {
    let of_contact = contact.and_then(|contact| Some((contact, contact.responsible.clone()?)));
    match of_contact {
        Some((contact, user)) => {
            let reason = Reason::ResponsibleOfContact {
                user: user_name(call, &user),
                contact: named(contact),
            };
            (user, reason)
        }
        None => {
            let user = call.settings.default_responsible.clone();
            let reason = Reason::ResponsibleDefault {
                user: user_name(call, &user),
            };
            (user, reason)
        }
    }
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
    let extension = extension(call)?;
    let situation = call.situation;
    let source = &situation.snapshot.key.source.source;
    let Some(employee) = situation.employees.by_extension(source, extension) else {
        return Err(Reason::ExtensionUnknown {
            extension: extension.clone(),
        });
    };
    let user = employee.user(situation.account).cloned();
    user.ok_or_else(|| Reason::EmployeeUnmapped {
        employee: employee.name.clone(),
        extension: extension.clone(),
    })
}

/// An outgoing call is its caller's, whoever talked later. An incoming one is of the employee who
/// talked last; a missed one of the only employee who was rung: where several were, none of them
/// missed it more than the others.
fn extension<'a>(call: &ClientCall<'a>) -> Result<&'a Extension, Reason> {
    let side = call.side;
    let call = call.call;
    let talked = call.last_talker.as_ref().or(call.talkers.last());
    let only = match call.legs.as_slice() {
        [only] => Some(&only.extension),
        _ => None,
    };
    let found = match side {
        Side::Outgoing => {
            let dialled = call.rung().next();
            call.caller_extension.as_ref().or(talked).or(dialled)
        }
        Side::Incoming if call.is_answered() => talked.or(only),
        Side::Incoming => only,
    };
    found.ok_or(Reason::NobodyNamed {
        phones: call.legs.len(),
    })
}
