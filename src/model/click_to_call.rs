//! What an integration's administrator chose for calls by a click in the CRM.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call_order::ShownNumber;
use super::ids::{EmployeeId, SourceId};
use super::mistake::Mistake;
use super::phone::Phone;

/// Calls by a click in the CRM (S2-40). Without the table they are placed as well, by the first
/// source that can, with the number that the source is set to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClickToCallSettings {
    /// The toggle.
    #[serde(default = "on")]
    pub on: bool,
    /// The source that places the calls. Left out: the first whose calls the integration takes, which
    /// can, and which has the employee.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("x-shape" = "source"))]
    pub source: Option<SourceId>,
    /// The company's number that the called client sees (S2-15). Left out: as the source is set.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub number: Option<Phone>,
    /// The number is shown whatever the phone system's rules say about the employee's own (S2-16).
    #[serde(default)]
    pub always_show: bool,
    /// Who is connected with those that leave their number in the CRM's callback form (V-14). Left out:
    /// nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("x-shape" = "employee"))]
    pub callback: Option<EmployeeId>,
}

fn on() -> bool {
    true
}

impl Default for ClickToCallSettings {
    fn default() -> Self {
        Self {
            on: true,
            source: None,
            number: None,
            always_show: false,
            callback: None,
        }
    }
}

impl ClickToCallSettings {
    /// Returns the number that the client sees, where one was chosen.
    pub fn shown(&self) -> Option<ShownNumber> {
        Some(ShownNumber {
            number: self.number.clone()?,
            always: self.always_show,
        })
    }

    /// Names every mistake that the types do not exclude by themselves.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if self.always_show && self.number.is_none() {
            let message = "name the number that is always shown: number = \"+74950000001\" (S2-16)";
            found.push(Mistake::at("always_show", message));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(table: serde_json::Value) -> ClickToCallSettings {
        serde_json::from_value(table).expect("a table")
    }

    #[test]
    fn s2_15_s2_16_a_number_is_shown_as_it_was_chosen() {
        let none = ClickToCallSettings::default();
        assert!(none.on && none.shown().is_none() && none.mistakes().is_empty());
        let chosen = read(json!({ "number": "+74951112233" })).shown();
        let chosen = chosen.expect("a number");
        assert_eq!(
            (chosen.number.as_str(), chosen.always),
            ("+74951112233", false)
        );
        let always = read(json!({ "number": "+74951112233", "always_show": true }));
        assert!(always.shown().is_some_and(|shown| shown.always));
        let nothing = read(json!({ "always_show": true }));
        let mistakes: Vec<String> = nothing
            .mistakes()
            .iter()
            .map(|m| m.path.join("."))
            .collect();
        assert_eq!(mistakes, ["always_show"]);
    }
}
