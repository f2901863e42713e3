//! What decisions of one integration rest on besides the communication and the CRM: stored once
//! per revision, so that every decision can be made again from what is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::employee::Employees;
use crate::model::ids::{AccountId, SourceId};

use super::settings::IntegrationSettings;

/// The zone of a revision that does not name one: those that were stored before times of day stood
/// in texts.
const ZONE_UNNAMED: &str = "UTC";

/// One revision. Compared as a whole: whatever changes here makes a new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// What the administrator chose.
    pub settings: IntegrationSettings,
    /// The people of the tenant.
    pub employees: Employees,
    /// The account, by which an employee's user is found; absent in what was stored as settings
    /// alone.
    pub account: Option<AccountId>,
    /// The sources' names as cards show them.
    pub source_names: BTreeMap<SourceId, String>,
    /// The company's time zone (IANA).
    pub time_zone: String,
}

impl Basis {
    /// Reads a stored revision. The first version stored the settings alone.
    pub fn from_stored(value: Value) -> Result<Self, serde_json::Error> {
        if value.get("settings").is_some() {
            return serde_json::from_value(value);
        }
        Ok(Self {
            settings: serde_json::from_value(value)?,
            employees: Employees::default(),
            account: None,
            source_names: BTreeMap::new(),
            time_zone: ZONE_UNNAMED.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_that_the_first_version_stored_open_and_mean_what_they_meant() {
        let stored = json!({
            "calls": {
                "default_responsible": "501",
                "partner_numbers": ["+74950000001"],
                "call_history": "card",
                "incoming": {
                    "filtered_numbers": [],
                    "answered_unknown": {"on": true, "action": {
                        "kind": "contact_and_deal", "pipeline": "31", "stage": "7"}},
                    "missed_unknown": null,
                    "answered_known": {"on": true, "action": {
                        "kind": "contact_and_deal", "pipeline": "31", "stage": "7"}},
                    "missed_known": null
                },
                "outgoing": {
                    "filtered_numbers": [], "answered_unknown": null, "missed_unknown": null,
                    "answered_known": null, "missed_known": null
                }
            },
            "when_undecidable": "rather_twice"
        });
        let basis = Basis::from_stored(stored).expect("opens");
        assert_eq!(basis.settings.mistakes(), []);
        let calls = basis.settings.calls.expect("calls");
        assert_eq!(calls.responsible, []);
        assert_eq!(calls.incoming.task, None);
        assert!(!calls.tags.number);
    }

    #[test]
    fn a_revision_survives_its_own_json() {
        let basis = Basis {
            settings: IntegrationSettings::default(),
            employees: Employees::default(),
            account: Some("sales".parse().expect("an id")),
            source_names: BTreeMap::from([("office".parse().expect("an id"), "Офис".to_owned())]),
            time_zone: "Europe/Moscow".to_owned(),
        };
        let value = serde_json::to_value(&basis).expect("serialises");
        assert_eq!(Basis::from_stored(value).expect("opens"), basis);
    }
}
