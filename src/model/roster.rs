//! Who and what a phone system says that it has, and who of that is configured. Every text in here
//! is clean: one line, without control characters, of bounded length.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::discovery::{MissingExtension, free_id};
use super::employee::Employees;
use super::ids::{EmployeeId, Extension, SourceId};

/// Longest text that is kept of what a phone system says, in characters.
const TEXT_CHARS_MAX: usize = 128;

/// Everything that was listed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Roster {
    /// What was asked, for people.
    pub system: String,
    /// What could not be listed, and what to do about it. Empty: what is missing here is not there.
    pub limits: Vec<String>,
    /// The people.
    pub employees: Vec<ListedEmployee>,
    /// The groups.
    pub groups: Vec<ListedGroup>,
    /// The company's own numbers.
    pub numbers: Vec<ListedNumber>,
    /// Employees of ours whom the phone system does not have.
    pub not_found: Vec<MissingExtension>,
    /// What a person should look at.
    pub remarks: Vec<String>,
}

/// Somebody who has a place in the phone system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedEmployee {
    /// By what the calls of this source name the person: what belongs into `extensions`. `None`
    /// where they do not name the person at all.
    pub named: Option<Extension>,
    /// The person's name, where one is known.
    pub name: Option<String>,
    /// The extension that colleagues dial.
    pub extension: Option<String>,
    /// The person's own outside number.
    pub number: Option<String>,
    /// The e-mail address, by which a CRM's user is recognised.
    pub email: Option<String>,
    /// An id that nobody else has.
    pub id: Option<EmployeeId>,
    /// Who of the configured employees this is.
    pub known_as: Option<EmployeeId>,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedGroup {
    /// Its name.
    pub name: String,
    /// The extension by which it is reached.
    pub extension: Option<String>,
    /// Its members, as the phone system writes them; empty where it does not say.
    pub members: Vec<String>,
}

/// A number of the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedNumber {
    /// The number as the phone system writes it.
    pub number: String,
    /// What it is called there.
    pub title: Option<String>,
    /// Whose it is, as the phone system writes it.
    pub owner: Option<String>,
}

/// Brings a text of a phone system into one clean line; `None` where nothing is left of it.
pub fn clean(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(TEXT_CHARS_MAX)
        .collect();
    (!line.is_empty()).then_some(line)
}

impl Roster {
    /// Says who is configured already, who is not there, and who cannot be told apart; gives an id
    /// to each of the others.
    pub fn compare(&mut self, source: &SourceId, employees: &Employees) {
        let mut taken: BTreeSet<EmployeeId> =
            employees.0.iter().map(|one| one.id.clone()).collect();
        let mut listed: BTreeSet<Extension> = BTreeSet::new();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for one in &mut self.employees {
            if let Some(name) = &one.name {
                *names.entry(name.clone()).or_default() += 1;
            }
            let Some(named) = &one.named else { continue };
            listed.insert(named.clone());
            let known = employees.by_extension(source, named);
            one.known_as = known.map(|employee| employee.id.clone());
            if one.known_as.is_none() {
                let wanted = id_of(named, one.extension.as_deref());
                one.id = wanted.map(|wanted| free_id(&wanted, named, &taken));
                taken.extend(one.id.clone());
            }
        }
        for (name, count) in names.iter().filter(|(_, count)| **count > 1) {
            self.remarks
                .push(format!("{count} people are called {name:?}"));
        }
        if !self.limits.is_empty() {
            return;
        }
        for employee in &employees.0 {
            let here = employee.extensions.iter().filter(|e| e.source == *source);
            for one in here.filter(|one| !listed.contains(&one.extension)) {
                self.not_found.push(MissingExtension {
                    employee: employee.id.clone(),
                    extension: one.extension.clone(),
                });
            }
        }
    }
}

/// Makes an id of what names a person: the login before its `@`, else the extension.
fn id_of(named: &Extension, extension: Option<&str>) -> Option<EmployeeId> {
    let login = named.0.split('@').next().unwrap_or_default();
    let plain = |text: &str| -> String {
        let lower = text.to_ascii_lowercase();
        let kept = lower
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
        let kept: String = kept.take(40).collect();
        kept.trim_matches('-').to_owned()
    };
    let numbered = || format!("employee-{}", plain(extension.unwrap_or(&named.0)));
    let begins_well = |id: &String| id.starts_with(|c: char| c.is_ascii_lowercase());
    let id = Some(plain(login)).filter(begins_well);
    let id = id.unwrap_or_else(numbered);
    id.parse().or_else(|_| "employee".parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::employee::{Employee, EmployeeExtension};

    fn listed(named: &str, name: &str) -> ListedEmployee {
        ListedEmployee {
            named: Some(Extension(named.to_owned())),
            name: clean(name),
            extension: None,
            number: None,
            email: None,
            id: None,
            known_as: None,
        }
    }

    fn anna() -> Employees {
        let extension = |extension: &str| EmployeeExtension {
            source: "cloud".parse().expect("an id"),
            extension: Extension(extension.to_owned()),
        };
        Employees(vec![Employee {
            id: "anna".parse().expect("an id"),
            name: "Anna".to_owned(),
            email: None,
            extensions: vec![extension("orlova"), extension("gone")],
            users: Vec::new(),
            phones: Vec::new(),
        }])
    }

    fn compared(mut roster: Roster) -> Roster {
        roster.compare(&"cloud".parse().expect("an id"), &anna());
        roster
    }

    #[test]
    fn the_known_are_recognised_the_new_get_ids_and_the_missing_are_named() {
        let employees = vec![
            listed("orlova", "Анна Орлова"),
            listed("anna@x.example", "Иван Петров"),
            listed("Ivan.Petrov", "Иван Петров"),
            listed("510", ""),
        ];
        let found = compared(Roster {
            employees,
            ..Roster::default()
        });
        let ids: Vec<String> = found
            .employees
            .iter()
            .map(|one| match (&one.known_as, &one.id) {
                (Some(known), _) => format!("is {known}"),
                (None, id) => id.as_ref().map(ToString::to_string).unwrap_or_default(),
            })
            .collect();
        // A free id: ours is called anna already.
        assert_eq!(ids[0], "is anna");
        assert!(ids[1].starts_with("anna-"), "{ids:?}");
        assert_eq!(ids[2..], ["ivan-petrov", "employee-510"]);
        assert_eq!(found.not_found.len(), 1);
        assert_eq!(found.remarks, ["2 people are called \"Иван Петров\""]);
    }

    #[test]
    fn nobody_is_missing_from_a_list_that_is_not_whole() {
        let limits = vec!["the key may not list people".to_owned()];
        let roster = Roster {
            limits,
            ..Roster::default()
        };
        assert_eq!(compared(roster).not_found, []);
    }
}
