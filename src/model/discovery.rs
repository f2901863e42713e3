//! What was found by looking around in a phone system, and what of the configuration is proposed
//! from it. Every text in here is clean: one line, without control characters, of bounded length.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::employee::Employees;
use super::ids::{EmployeeId, Extension, SLUG_BYTES_MAX, SourceId};

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Discovery {
    /// What the phone system says that it is.
    pub system: String,
    /// Everything could be listed: what is missing here is not there.
    pub complete: bool,
    /// What could not be seen, and what to grant for it.
    pub limits: Vec<String>,
    /// Phones and lines to the outside.
    pub endpoints: Vec<FoundEndpoint>,
    /// Queues.
    pub queues: Vec<FoundQueue>,
    /// Who seems to work there.
    pub employees: Vec<ProposedEmployee>,
    /// Employees of ours whose extension was not found.
    pub not_found: Vec<MissingExtension>,
    /// Tables of the source's settings, as they are proposed.
    pub settings: Map<String, Value>,
    /// Why these settings, and what a person should look at.
    pub remarks: Vec<String>,
    /// The context in which employees dial outside numbers, for click-to-call.
    pub dial_context: Option<String>,
}

/// A phone or a line to the outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundEndpoint {
    /// How it is connected, in the phone system's word.
    pub technology: String,
    /// Its name there.
    pub name: String,
    /// What it seems to be.
    pub role: Role,
    /// How sure that is.
    pub certainty: Certainty,
    /// What speaks for it.
    pub reasons: Vec<String>,
    /// What speaks against it.
    pub against: Vec<String>,
    /// What it is taken for by the settings as they are now.
    pub taken_for: Role,
    /// The extension that is reached by it.
    pub extension: Option<Extension>,
    /// The name that the phone system shows for it.
    pub shown_name: Option<String>,
    /// Where calls from it begin.
    pub context: Option<String>,
    /// It can be reached now; `None` = not known.
    pub reachable: Option<bool>,
}

/// What an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EndpointRole")]
pub enum Role {
    /// A line to the outside.
    Trunk,
    /// An employee's phone.
    Extension,
    /// As much speaks for the one as for the other.
    Unclear,
}

/// How sure a guess is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Much speaks for it and next to nothing against it.
    Clear,
    /// More speaks for it than against it.
    Likely,
    /// A person must say.
    Unclear,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundQueue {
    /// Its name.
    pub name: String,
    /// Its members: extensions where they are known, else what is dialled.
    pub members: Vec<String>,
}

/// Somebody who seems to have an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedEmployee {
    /// An id that nobody else has.
    pub id: EmployeeId,
    /// The extension.
    pub extension: Extension,
    /// The person's name, as far as the phone system knows one.
    pub name: Option<String>,
    /// Who of the configured employees has this extension.
    pub known_as: Option<EmployeeId>,
}

/// An extension of ours that the phone system does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingExtension {
    /// Whose.
    pub employee: EmployeeId,
    /// The extension.
    pub extension: Extension,
}

impl Discovery {
    /// Says who is configured already, and whose extension was not found.
    pub fn compare(&mut self, source: &SourceId, employees: &Employees) {
        let mut taken: BTreeSet<EmployeeId> =
            employees.0.iter().map(|one| one.id.clone()).collect();
        for one in &mut self.employees {
            let known = employees.by_extension(source, &one.extension);
            one.known_as = known.map(|employee| employee.id.clone());
            if one.known_as.is_none() {
                one.id = free_id(&one.id, &one.extension, &taken);
                taken.insert(one.id.clone());
            }
        }
        if !self.complete {
            return;
        }
        let found: BTreeSet<&str> = self
            .employees
            .iter()
            .map(|one| one.extension.0.as_str())
            .collect();
        for employee in &employees.0 {
            let here = employee
                .extensions
                .iter()
                .filter(|one| one.source == *source);
            for one in here.filter(|one| !found.contains(one.extension.0.as_str())) {
                self.not_found.push(MissingExtension {
                    employee: employee.id.clone(),
                    extension: one.extension.clone(),
                });
            }
        }
    }
}

/// Returns an id like this one that nobody has.
pub fn free_id(
    wanted: &EmployeeId,
    extension: &Extension,
    taken: &BTreeSet<EmployeeId>,
) -> EmployeeId {
    if !taken.contains(wanted) {
        return wanted.clone();
    }
    let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let tail: String = extension
        .0
        .to_ascii_lowercase()
        .chars()
        .filter(plain)
        .take(20)
        .collect();
    let head: String = wanted.as_str().chars().take(SLUG_BYTES_MAX - 32).collect();
    let numbers = std::iter::once(String::new()).chain((2_u32..).map(|n| format!("-{n}")));
    numbers
        .filter_map(|number| format!("{head}-{tail}{number}").parse().ok())
        .find(|id| !taken.contains(id))
        .unwrap_or_else(|| wanted.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::employee::{Employee, EmployeeExtension};

    fn proposed(id: &str, extension: &str) -> ProposedEmployee {
        ProposedEmployee {
            id: id.parse().expect("an id"),
            extension: Extension(extension.to_owned()),
            name: None,
            known_as: None,
        }
    }

    fn employee(id: &str, extension: &str) -> Employee {
        Employee {
            id: id.parse().expect("an id"),
            name: id.to_owned(),
            email: None,
            extensions: vec![EmployeeExtension {
                source: "office".parse().expect("an id"),
                extension: Extension(extension.to_owned()),
            }],
            users: Vec::new(),
            phones: Vec::new(),
        }
    }

    fn compared(complete: bool) -> Discovery {
        let mut found = Discovery {
            complete,
            employees: vec![
                proposed("anna", "101"),
                proposed("boris", "102"),
                proposed("vera", "103"),
            ],
            ..Discovery::default()
        };
        let ours = Employees(vec![employee("anna-p", "101"), employee("boris", "109")]);
        found.compare(&"office".parse().expect("an id"), &ours);
        found
    }

    #[test]
    fn who_is_configured_is_named_and_a_new_one_gets_an_id_that_nobody_has() {
        let found = compared(true);
        let told: Vec<(&str, Option<&str>)> = found
            .employees
            .iter()
            .map(|one| {
                (
                    one.id.as_str(),
                    one.known_as.as_ref().map(EmployeeId::as_str),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("anna", Some("anna-p")),
                ("boris-102", None),
                ("vera", None)
            ]
        );
        let missing: Vec<&str> = found
            .not_found
            .iter()
            .map(|one| one.extension.0.as_str())
            .collect();
        assert_eq!(missing, ["109"]);
    }

    #[test]
    fn where_not_everything_was_seen_nobody_is_called_missing() {
        assert_eq!(compared(false).not_found, []);
    }
}
