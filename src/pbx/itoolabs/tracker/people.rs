//! Which login has which extension and number: read from the VATS's list of people where there is
//! one, and learnt from every event.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NamedBy;
use crate::model::ids::Extension;

/// People who are remembered.
const PEOPLE_MAX: usize = 2_000;

/// What is known of one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Person {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ext: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    telnum: Option<String>,
}

/// Everybody, by login.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::pbx::itoolabs) struct People(BTreeMap<String, Person>);

impl People {
    /// Takes note of what stands beside a login.
    pub(in crate::pbx::itoolabs) fn learn(
        &mut self,
        login: Option<&str>,
        ext: Option<&str>,
        telnum: Option<&str>,
    ) {
        let Some(login) = login else { return };
        if ext.is_none() && telnum.is_none() {
            return;
        }
        if !self.0.contains_key(login) && self.0.len() >= PEOPLE_MAX {
            return;
        }
        let person = self.0.entry(login.to_owned()).or_default();
        if let Some(ext) = ext {
            person.ext = Some(ext.to_owned());
        }
        if let Some(telnum) = telnum {
            person.telnum = Some(telnum.to_owned());
        }
    }

    /// Returns what the configuration calls an employee whom the VATS calls by login.
    pub(in crate::pbx::itoolabs) fn name(&self, login: &str, named_by: NamedBy) -> Extension {
        let ext = || self.0.get(login)?.ext.clone();
        Extension(match named_by {
            NamedBy::Login => login.to_owned(),
            NamedBy::Extension => ext().unwrap_or_else(|| login.to_owned()),
        })
    }

    /// Returns login, extension and number of somebody who is called by login or extension.
    pub(in crate::pbx::itoolabs) fn find(
        &self,
        named: &str,
    ) -> Option<(&str, Option<&str>, Option<&str>)> {
        let by_login = self.0.get_key_value(named);
        let by_ext = || {
            let mut people = self.0.iter();
            people.find(|(_, person)| person.ext.as_deref() == Some(named))
        };
        let (login, person) = by_login.or_else(by_ext)?;
        Some((login, person.ext.as_deref(), person.telnum.as_deref()))
    }
}
