//! Who answers for new records: ordered rules, the first that finds somebody wins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::{CrmUserId, EmployeeId};

use super::{CallParameter, Filter};

/// One rule. A rule whose conditions hold and that finds nobody (nobody talked, the employee has
/// no user in this CRM) lets the next one try; the explanation says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponsibleRule<P = CallParameter> {
    /// Its name, as explanations show it.
    pub name: String,
    /// The toggle.
    #[serde(default = "super::on")]
    pub on: bool,
    /// When it holds; absent = always.
    pub when: Option<Filter<P>>,
    /// Whom it names.
    pub assign: Assign,
}

/// Whom a rule names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Assign {
    /// A user of the CRM.
    User {
        /// By the CRM's id.
        #[schemars(with = "String", extend("x-shape" = "user"))]
        user: CrmUserId,
    },
    /// An employee.
    Employee {
        /// By our own name.
        #[schemars(with = "String", extend("x-shape" = "employee"))]
        employee: EmployeeId,
    },
    /// Who talked with the client, by `calls.talker` (V-03). Nobody where the call was missed.
    /// Calls only.
    Talker {},
    /// Who placed the outgoing call (V-03: whom a lost one goes to). Calls only.
    Caller {},
    /// Who answers for the contact that the client has already.
    ContactOwner {},
}
