//! Checks the employees of a tenant.

use std::collections::HashMap;

use crate::model::employee::{Employee, EmployeeExtension, EmployeeUser, Employees};
use crate::model::ids::{CrmUserId, Extension};
use crate::model::phone::{Phone, Region};

use super::key_path::KeyPath;
use super::mistake::Findings;
use super::names::{self, Declared, Unique};
use super::raw::RawEmployee;
use super::reading::Places;

/// Longest extension, login or CRM user id, in bytes: logins are e-mail addresses at the longest.
const LOGIN_BYTES_MAX: usize = 128;

/// What employees refer to.
pub(super) struct Referred<'a> {
    /// The tenant's sources.
    pub(super) sources: &'a Declared<'a>,
    /// The tenant's accounts.
    pub(super) accounts: &'a Declared<'a>,
    /// In whose national form their own phones may be written.
    pub(super) region: Region,
}

/// Turns the written employees into checked ones; those with a mistake are left out.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: &[RawEmployee],
    places: &Places,
    referred: &Referred<'_>,
) -> Employees {
    let list = KeyPath::top().key("employees");
    let mut ids = Unique::default();
    let mut owners = Owners::default();
    let mut employees = Vec::new();
    for (table, raw) in places.of(&list, raw) {
        let id = ids.id(findings, &table, &raw.id);
        let name = names::name(findings, &table.key("name"), &raw.name);
        let email = check_email(findings, &table.key("email"), raw.email.as_deref());
        let person = Person { table, raw, places };
        let extensions = person.extensions(findings, referred.sources, &mut owners);
        let users = person.users(findings, referred.accounts, &mut owners);
        let phones = person.phones(findings, referred.region);
        if let (Some(id), Some(name)) = (id, name) {
            employees.push(Employee {
                id,
                name,
                email,
                extensions,
                users,
                phones,
            });
        }
    }
    Employees(employees)
}

/// Who has which extension and which user, as (place, login) pairs.
#[derive(Default)]
struct Owners {
    extensions: HashMap<(String, String), String>,
    users: HashMap<(String, String), String>,
}

/// One table of `employees`.
struct Person<'a> {
    table: KeyPath,
    raw: &'a RawEmployee,
    places: &'a Places,
}

impl Person<'_> {
    fn extensions(
        &self,
        findings: &mut Findings<'_>,
        sources: &Declared<'_>,
        owners: &mut Owners,
    ) -> Vec<EmployeeExtension> {
        let list = self.table.key("extensions");
        let mut checked = Vec::new();
        for (entry_path, entry) in self.places.of(&list, &self.raw.extensions) {
            let path = entry_path.key("extension");
            let source = sources.refer(findings, &entry_path.key("source"), &entry.source);
            if !is_login(&entry.extension) {
                findings.mistake(&path, "write the extension or login without spaces");
                continue;
            }
            let pair = (entry.source.clone(), entry.extension.clone());
            if let Some(owner) = owners.extensions.insert(pair, self.raw.id.clone()) {
                let (extension, source) = (&entry.extension, &entry.source);
                findings.mistake(
                    &path,
                    format!(
                        "{extension:?} of source {source:?} belongs to employee {owner:?} already"
                    ),
                );
            }
            if let Some(source) = source {
                checked.push(EmployeeExtension {
                    source,
                    extension: Extension(entry.extension.clone()),
                });
            }
        }
        checked
    }

    fn users(
        &self,
        findings: &mut Findings<'_>,
        accounts: &Declared<'_>,
        owners: &mut Owners,
    ) -> Vec<EmployeeUser> {
        let list = self.table.key("users");
        let mut checked = Vec::new();
        for (entry_path, entry) in self.places.of(&list, &self.raw.users) {
            let path = entry_path.key("user");
            let account = accounts.refer(findings, &entry_path.key("account"), &entry.account);
            if !is_login(&entry.user) {
                findings.mistake(&path, "write what the CRM calls the user, without spaces");
                continue;
            }
            let pair = (entry.account.clone(), entry.user.clone());
            if let Some(owner) = owners.users.insert(pair, self.raw.id.clone()) {
                let (user, account) = (&entry.user, &entry.account);
                findings.mistake(
                    &path,
                    format!(
                        "{user:?} of account {account:?} belongs to employee {owner:?} already"
                    ),
                );
            }
            if let Some(account) = account {
                checked.push(EmployeeUser {
                    account,
                    user: CrmUserId(entry.user.clone()),
                });
            }
        }
        checked
    }

    fn phones(&self, findings: &mut Findings<'_>, region: Region) -> Vec<Phone> {
        let list = self.table.key("phones");
        let mut checked = Vec::new();
        for (path, text) in self.places.of(&list, &self.raw.phones) {
            let phone = Phone::parse(text, region)
                .map_err(|error| format!("{text:?} is {error}: write it like +79161234567"));
            checked.extend(findings.take(&path, phone));
        }
        checked
    }
}

fn check_email(
    findings: &mut Findings<'_>,
    path: &KeyPath,
    written: Option<&str>,
) -> Option<String> {
    let text = written?;
    let is_address = is_login(text)
        && text
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
    if !is_address {
        findings.mistake(path, "write one e-mail address, like anna@company.ru");
        return None;
    }
    Some(text.to_owned())
}

pub(super) fn is_login(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    !text.is_empty() && text.len() <= LOGIN_BYTES_MAX && text.chars().all(plain)
}
