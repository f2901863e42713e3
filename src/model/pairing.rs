//! Who of the tenant is who in a CRM account (S1-06): the pairs, who has none, and suggestions by
//! e-mail, telephone, extension and name. Pure; nothing is paired by itself.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::employee::{Employee, Employees};
use super::ids::{AccountId, CrmUserId, EmployeeId};
use super::phone::Phone;

/// A user of the account, as the CRM lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalUser {
    /// The CRM's id.
    pub user: CrmUserId,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone, as it was typed: a number or an extension.
    pub phone: Option<String>,
    /// The user may log in.
    pub active: bool,
}

/// What became of the mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Pairing {
    /// Employees who have a user that the account knows.
    pub pairs: Vec<Pair>,
    /// Employees who are paired with a user that the account does not list: deleted, or mistyped.
    pub gone: Vec<Gone>,
    /// Employees who have no user: calls forwarded to them as managers go the default way, and
    /// what they should get goes to the responsible.
    pub employees_alone: Vec<EmployeeAlone>,
    /// Users whom no employee is.
    pub users_alone: Vec<UserAlone>,
}

/// An employee and a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// The employee.
    pub employee: EmployeeId,
    /// The employee's name.
    pub name: String,
    /// The user.
    pub user: CrmUserId,
    /// The user's name in the CRM.
    pub user_name: String,
    /// The user may log in; one who may not gets nothing assigned.
    pub active: bool,
}

/// A pair whose user is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// The employee.
    pub employee: EmployeeId,
    /// The employee's name.
    pub name: String,
    /// The user as configured.
    pub user: CrmUserId,
}

/// An employee without a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmployeeAlone {
    /// The employee.
    pub employee: EmployeeId,
    /// The employee's name.
    pub name: String,
    /// Who it may be.
    pub suggestion: Option<Suggestion>,
}

/// A user without an employee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserAlone {
    /// The user.
    pub user: CrmUserId,
    /// The user's name.
    pub name: String,
    /// The user may log in.
    pub active: bool,
    /// The employee who it may be.
    pub suggestion: Option<EmployeeId>,
}

/// A user who an employee may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suggestion {
    /// The user.
    pub user: CrmUserId,
    /// The user's name.
    pub user_name: String,
    /// What speaks for it.
    pub by: Likeness,
}

/// What two people are alike in; the first is the surest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The employee's e-mail address; or a login or id is the address or its part before the sign
    /// "@".
    Email,
    /// The user's telephone is one of the employee's own.
    Phone,
    /// The extension is the user's telephone, or stands in the name or address.
    Extension,
    /// The same words in the names, in any order.
    Name,
}

/// Compares the people of a tenant with the users of an account. A user who may not log in is
/// never suggested.
pub fn pairing(employees: &Employees, account: &AccountId, users: &[PortalUser]) -> Pairing {
    let mut found = Pairing::default();
    let mut paired = BTreeSet::new();
    let mut single = Vec::new();
    for employee in &employees.0 {
        let Some(user) = employee.user(account) else {
            single.push(employee);
            continue;
        };
        paired.insert(user);
        match users.iter().find(|one| one.user == *user) {
            Some(known) => found.pairs.push(Pair {
                employee: employee.id.clone(),
                name: employee.name.clone(),
                user: user.clone(),
                user_name: known.name.clone(),
                active: known.active,
            }),
            None => found.gone.push(Gone {
                employee: employee.id.clone(),
                name: employee.name.clone(),
                user: user.clone(),
            }),
        }
    }
    let free: Vec<&PortalUser> = users
        .iter()
        .filter(|one| !paired.contains(&one.user))
        .collect();
    let likely = likely(&single, &free);
    for employee in &single {
        let suggestion = likely.iter().find(|pair| pair.employee == employee.id);
        found.employees_alone.push(EmployeeAlone {
            employee: employee.id.clone(),
            name: employee.name.clone(),
            suggestion: suggestion.map(|pair| Suggestion {
                user: pair.user.user.clone(),
                user_name: pair.user.name.clone(),
                by: pair.by,
            }),
        });
    }
    for user in &free {
        let suggestion = likely.iter().find(|pair| pair.user.user == user.user);
        found.users_alone.push(UserAlone {
            user: user.user.clone(),
            name: user.name.clone(),
            active: user.active,
            suggestion: suggestion.map(|pair| pair.employee.clone()),
        });
    }
    found
}

struct Likely<'a> {
    employee: EmployeeId,
    user: &'a PortalUser,
    by: Likeness,
}

/// Suggests pairs, the surest likeness first. Where two could be meant, none is suggested: a wrong
/// manager is worse than none.
fn likely<'a>(employees: &[&Employee], users: &[&'a PortalUser]) -> Vec<Likely<'a>> {
    let mut found: Vec<Likely<'a>> = Vec::new();
    for by in [
        Likeness::Email,
        Likeness::Phone,
        Likeness::Extension,
        Likeness::Name,
    ] {
        let mut alike: Vec<(&Employee, &'a PortalUser)> = Vec::new();
        for employee in employees {
            for user in users.iter().copied().filter(|user| user.active) {
                let taken = found
                    .iter()
                    .any(|pair| pair.employee == employee.id || pair.user.user == user.user);
                if !taken && is_alike(employee, user, by) {
                    alike.push((employee, user));
                }
            }
        }
        for (employee, user) in &alike {
            let of_employee = alike
                .iter()
                .filter(|(one, _)| one.id == employee.id)
                .count();
            let of_user = alike
                .iter()
                .filter(|(_, one)| one.user == user.user)
                .count();
            if of_employee == 1 && of_user == 1 {
                found.push(Likely {
                    employee: employee.id.clone(),
                    user,
                    by,
                });
            }
        }
    }
    found
}

fn is_alike(employee: &Employee, user: &PortalUser, by: Likeness) -> bool {
    let logins = || {
        employee
            .extensions
            .iter()
            .map(|one| one.extension.0.as_str())
    };
    match by {
        Likeness::Email => user.email.as_deref().is_some_and(|email| {
            let email = email.trim().to_lowercase();
            if let Some(own) = &employee.email {
                return own.to_lowercase() == email;
            }
            let local = email.split('@').next().unwrap_or_default();
            logins()
                .chain([employee.id.as_str()])
                .map(str::to_lowercase)
                .any(|login| login == email || login == local)
        }),
        Likeness::Phone => {
            let digits = digits(user.phone.as_deref());
            let mut own = employee.phones.iter().map(Phone::last_ten);
            own.any(|own| own.len() == 10 && digits.ends_with(own))
        }
        Likeness::Extension => {
            let numbers: Vec<&str> = logins().filter(|login| is_number(login)).collect();
            let local = user
                .email
                .as_deref()
                .and_then(|email| email.split('@').next());
            let texts = [user.phone.as_deref(), Some(user.name.as_str()), local];
            texts
                .into_iter()
                .flatten()
                .flat_map(|text| text.split(|c: char| !c.is_ascii_digit()))
                .any(|digits| numbers.contains(&digits))
        }
        Likeness::Name => {
            let (ours, theirs) = (words(&employee.name), words(&user.name));
            !ours.is_empty() && !theirs.is_empty() && {
                // "Анна" and "Петрова Анна" may be one; who else is Анна is asked above.
                ours.is_subset(&theirs) || theirs.is_subset(&ours)
            }
        }
    }
}

fn digits(text: Option<&str>) -> String {
    let chars = text.unwrap_or_default().chars();
    chars.filter(char::is_ascii_digit).collect()
}

/// Two digits are a year or a floor as well.
fn is_number(login: &str) -> bool {
    login.len() >= 3 && login.chars().all(|c| c.is_ascii_digit())
}

fn words(name: &str) -> BTreeSet<String> {
    name.to_lowercase()
        .replace('ё', "е")
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
