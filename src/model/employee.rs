//! The people of a tenant.

use serde::{Deserialize, Serialize};

use super::ids::{AccountId, CrmUserId, EmployeeId, Extension, SourceId};
use super::phone::Phone;

/// A person's extension or login at one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmployeeExtension {
    /// The source.
    pub source: SourceId,
    /// The extension or login there. Unique inside the source.
    pub extension: Extension,
}

/// A person's user in one CRM account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmployeeUser {
    /// The account.
    pub account: AccountId,
    /// The user there. Unique inside the account.
    pub user: CrmUserId,
}

/// A person of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    /// Our own name of the person.
    pub id: EmployeeId,
    /// The name that people use.
    pub name: String,
    /// The person's e-mail address, by which a CRM's user is recognised (S1-06).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Extensions and logins, by source.
    pub extensions: Vec<EmployeeExtension>,
    /// CRM users, by account.
    pub users: Vec<EmployeeUser>,
    /// The person's own phones: calls from and to them are internal (S1-28).
    pub phones: Vec<Phone>,
}

/// Everybody of one tenant. Validated: no extension and no user stands twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Employees(pub Vec<Employee>);

impl Employees {
    /// Returns who has this extension at this source.
    pub fn by_extension(&self, source: &SourceId, extension: &Extension) -> Option<&Employee> {
        self.0.iter().find(|employee| {
            employee
                .extensions
                .iter()
                .any(|e| e.source == *source && e.extension == *extension)
        })
    }

    /// Returns who is this user of this account.
    pub fn by_user(&self, account: &AccountId, user: &CrmUserId) -> Option<&Employee> {
        self.0.iter().find(|employee| {
            employee
                .users
                .iter()
                .any(|u| u.account == *account && u.user == *user)
        })
    }

    /// Returns the employee of this id.
    pub fn get(&self, id: &EmployeeId) -> Option<&Employee> {
        self.0.iter().find(|employee| employee.id == *id)
    }

    /// Returns whose own phone this is.
    pub fn by_phone(&self, phone: &Phone) -> Option<&Employee> {
        self.0
            .iter()
            .find(|employee| employee.phones.contains(phone))
    }
}

impl Employee {
    /// Returns the person's user in an account.
    pub fn user(&self, account: &AccountId) -> Option<&CrmUserId> {
        self.users
            .iter()
            .find(|u| u.account == *account)
            .map(|u| &u.user)
    }
}
