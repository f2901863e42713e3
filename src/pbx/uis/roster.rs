//! The people and numbers of an account (`pbx/uis.md` §4.5, `pbx/megafon.md` §B2). Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::notification::is_id;
use super::row::Row;
use crate::model::ids::Extension;
use crate::model::roster::{ListedEmployee, ListedNumber, clean};

/// What is asked for of an employee.
pub(super) const EMPLOYEE_FIELDS: [&str; 6] = [
    "id",
    "login",
    "full_name",
    "email",
    "phone_numbers",
    "extension",
];

/// What is asked for of a number.
pub(super) const NUMBER_FIELDS: [&str; 5] =
    ["id", "virtual_phone_number", "name", "status", "scenarios"];

/// People that are kept: more than one account has.
pub(super) const PEOPLE_MAX: usize = 2_000;

/// One employee of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    /// What the platform calls the person; calls and chats name the person by it.
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
    /// The short number that colleagues dial.
    #[serde(default)]
    pub(super) extension: Option<String>,
    /// The active phones, in the order in which they are dialled.
    #[serde(default)]
    pub(super) phones: Vec<String>,
}

/// Everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct People(pub(super) Vec<Person>);

impl People {
    /// Returns the person of this id.
    pub(super) fn get(&self, id: &str) -> Option<&Person> {
        self.0.iter().find(|person| person.id == id)
    }
}

/// Reads a row of `get.employees`.
pub(super) fn read_employee(row: Row<'_>) -> Option<Person> {
    let id = row.line("id").filter(|id| is_id(id))?;
    let phones = row.rows("phone_numbers");
    let active = phones
        .iter()
        .filter(|phone| phone.line("status").is_none_or(|status| status == "active"));
    let extension = row.row("extension");
    Some(Person {
        name: row.line("full_name").or_else(|| row.line("login")),
        email: row.line("email"),
        extension: extension.and_then(|one| one.line("extension_phone_number")),
        phones: active
            .filter_map(|phone| phone.line("phone_number"))
            .collect(),
        id,
    })
}

/// Reads a person of VATS 2.0.
pub(super) fn read_mgf_employee(row: Row<'_>) -> Option<Person> {
    let id = row.line("id").filter(|id| is_id(id))?;
    Some(Person {
        name: row.line("full_name"),
        email: row.line("email"),
        extension: row.line("short_phone"),
        phones: ["sim_phone", "phone"]
            .iter()
            .filter_map(|key| row.line(key))
            .collect(),
        id,
    })
}

impl Person {
    /// Returns the person as lists show people.
    pub(super) fn listed(&self, named: bool) -> ListedEmployee {
        ListedEmployee {
            named: named.then(|| Extension(self.id.clone())),
            name: self.name.as_deref().and_then(clean),
            extension: self.extension.as_deref().and_then(clean),
            number: self.phones.first().and_then(|phone| clean(phone)),
            email: self.email.as_deref().and_then(clean),
            id: None,
            known_as: None,
        }
    }
}

/// Reads a number of the account; `None` for one that is not in use.
pub(super) fn read_number(row: Row<'_>) -> Option<ListedNumber> {
    let number = row
        .line("virtual_phone_number")
        .or_else(|| row.line("number"))?;
    let status = row.line("status").or_else(|| row.line("state"));
    if status.is_some_and(|status| status != "active") {
        return None;
    }
    let scenarios = row.rows("scenarios");
    let active = scenarios
        .iter()
        .find(|one| one.flag("is_active") != Some(false));
    let title = row.line("name").or_else(|| row.line("comment"));
    Some(ListedNumber {
        number: clean(&number)?,
        title: title.as_deref().and_then(clean),
        owner: active
            .and_then(|one| one.line("scenario_name"))
            .as_deref()
            .and_then(clean),
    })
}

/// People whom reports name by their names alone: who shares a name with somebody is nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NamedPeople {
    /// `None` = several have this name.
    by_name: BTreeMap<String, Option<Extension>>,
}

impl NamedPeople {
    /// Sorts people by their names.
    pub(super) fn of(people: &People) -> Self {
        let mut by_name: BTreeMap<String, Option<Extension>> = BTreeMap::new();
        for person in &people.0 {
            let Some(name) = &person.name else { continue };
            by_name
                .entry(plain(name))
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(Extension(person.id.clone())));
        }
        Self { by_name }
    }

    /// Returns who has this name, where one person alone has it.
    pub(super) fn of_name(&self, name: &str) -> Option<Extension> {
        self.by_name.get(&plain(name)).cloned().flatten()
    }

    /// Returns the names that several people have.
    pub(super) fn shared(&self) -> Vec<&str> {
        let shared = self.by_name.iter().filter(|(_, one)| one.is_none());
        shared.map(|(name, _)| name.as_str()).collect()
    }
}

/// Names are compared without regard to case and spaces.
fn plain(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_one_name_are_nobody_and_are_reported() {
        let person = |id: &str, name: &str| Person {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            email: None,
            extension: None,
            phones: Vec::new(),
        };
        let people = People(vec![
            person("1", "Орлова Анна"),
            person("2", "Иванов Иван"),
            person("3", "иванов  Иван"),
        ]);
        let named = NamedPeople::of(&people);
        assert_eq!(
            named.of_name("Орлова Анна"),
            Some(Extension("1".to_owned()))
        );
        assert_eq!(named.of_name("Иванов Иван"), None);
        assert_eq!(named.of_name("Петров"), None);
        assert_eq!(named.shared(), ["иванов иван"]);
    }
}
