//! What an integration's administrator chose for calls that shall reach the client's responsible.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mistake::Mistake;
use super::plan::Entity;

/// Redirection of incoming calls to the client's responsible (S1-23). The table is the toggle's
/// place, so that switching it off forgets nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonalManagerSettings {
    /// The toggle. Off: the client is still named in answers, and no call is redirected.
    #[serde(default = "on")]
    pub on: bool,
    /// Whose responsible it is, in this order; the first that names one (V-15). A card of which
    /// none of these names anybody does not count.
    #[serde(default = "of_contact")]
    pub responsible_of: Vec<ResponsibleOf>,
    /// Which card counts where several have the number.
    #[serde(default)]
    pub shared_numbers: SharedNumbers,
}

fn on() -> bool {
    true
}

fn of_contact() -> Vec<ResponsibleOf> {
    vec![ResponsibleOf::Contact]
}

/// A sort of record whose responsible may be the client's manager (V-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponsibleOf {
    /// The contact that has the number.
    Contact,
    /// The company that has the number.
    Company,
    /// The lead that has the number, where the CRM has leads beside deals.
    Lead,
    /// The newest open deal of a card that has the number.
    Deal,
}

/// Which card counts of those that name a responsible, where several have the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "policy", rename_all = "snake_case", deny_unknown_fields)]
pub enum SharedNumbers {
    /// The card with an open deal, of whatever sort, and the responsible of that deal. Several have
    /// one, or none: the most recently updated.
    OpenDeal {},
    /// The card whose responsible talked with this number last. Nobody of them did as far as is
    /// remembered: the most recently updated.
    LastTalk {},
    /// The card that was changed last.
    // Braces, because serde lets a bare variant take any key.
    MostRecentlyUpdated {},
    /// The first of these sorts that has a card; of several, the most recently updated.
    Entities {
        /// The sorts, in order.
        order: Vec<CardSort>,
    },
}

impl Default for SharedNumbers {
    fn default() -> Self {
        SharedNumbers::MostRecentlyUpdated {}
    }
}

impl SharedNumbers {
    /// Returns its name, as answers and explanations show it.
    pub fn name(&self) -> &'static str {
        match self {
            SharedNumbers::OpenDeal {} => "open_deal",
            SharedNumbers::LastTalk {} => "last_talk",
            SharedNumbers::MostRecentlyUpdated {} => "most_recently_updated",
            SharedNumbers::Entities { .. } => "entities",
        }
    }
}

/// A sort of client card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardSort {
    /// A contact.
    Contact,
    /// A company.
    Company,
    /// A lead, where the CRM has leads beside deals.
    Lead,
}

impl CardSort {
    /// Returns the record's sort.
    pub fn entity(self) -> Entity {
        match self {
            CardSort::Contact => Entity::Contact,
            CardSort::Company => Entity::Company,
            CardSort::Lead => Entity::Lead,
        }
    }
}

impl PersonalManagerSettings {
    /// Names every mistake that the types do not exclude by themselves.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found: Vec<Mistake> = check("responsible_of", &self.responsible_of)
            .into_iter()
            .collect();
        if let SharedNumbers::Entities { order } = &self.shared_numbers {
            found.extend(check("shared_numbers.order", order));
        }
        found
    }
}

/// Checks an order.
fn check<T: PartialEq>(path: &str, order: &[T]) -> Option<Mistake> {
    if order.is_empty() {
        return Some(Mistake::at(path, "name at least one"));
    }
    twice(order).then(|| Mistake::at(path, "each may stand once"))
}

fn twice<T: PartialEq>(list: &[T]) -> bool {
    list.iter()
        .enumerate()
        .any(|(at, one)| list.iter().skip(at + 1).any(|other| other == one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_23_the_responsible_of_the_contact_is_the_default() {
        let read: PersonalManagerSettings = serde_json::from_str("{}").expect("nothing is needed");
        assert!(read.on);
        assert_eq!(read.responsible_of, [ResponsibleOf::Contact]);
        assert_eq!(read.shared_numbers.name(), "most_recently_updated");
        assert_eq!(read.mistakes(), []);
    }

    #[test]
    fn an_order_without_members_or_with_one_twice_is_named() {
        let text = r#"{"responsible_of":["deal","deal"],
            "shared_numbers":{"policy":"entities","order":[]}}"#;
        let read: PersonalManagerSettings = serde_json::from_str(text).expect("it is read");
        let keys: Vec<String> = read
            .mistakes()
            .iter()
            .map(|one| one.path.join("."))
            .collect();
        assert_eq!(keys, ["responsible_of", "shared_numbers.order"]);
    }
}
