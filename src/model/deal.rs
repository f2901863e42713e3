//! Deals that come back from a CRM: what the CRM says of one, and what we keep of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::{CommunicationKey, CrmUserId};
use super::phone::Phone;
use super::timestamp::Timestamp;

/// A sum of money, in hundredths. Written as a decimal number in a text, such as `1500.50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Sum(i64);

impl Sum {
    /// Builds from whole units; `None` where that is more than anybody is paid.
    pub fn from_units(units: i64) -> Option<Self> {
        units.checked_mul(100).map(Self)
    }

    /// Reads a number as CRMs and people write it: `1500`, `1 500,50`, `1500.5`. What stands behind
    /// the hundredths is cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (minus, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let (units, rest) = match digits.split_once(['.', ',']) {
            Some((units, rest)) => (units, rest),
            None => (digits, ""),
        };
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if units.is_empty() || !is_number(units) || !is_number(rest) {
            return None;
        }
        let units: i64 = units.parse().ok()?;
        let mut hundredths = rest.bytes().map(|digit| i64::from(digit - b'0'));
        let tenth = hundredths.next().unwrap_or(0).checked_mul(10)?;
        let cents = tenth.checked_add(hundredths.next().unwrap_or(0))?;
        let sum = units.checked_mul(100)?.checked_add(cents)?;
        Some(Self(if minus { -sum } else { sum }))
    }

    /// Returns the sum in hundredths.
    pub fn hundredths(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minus = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs();
        match whole % 100 {
            0 => write!(f, "{minus}{}", whole / 100),
            cents => write!(f, "{minus}{}.{cents:02}", whole / 100),
        }
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let bad = || serde::de::Error::custom("not a sum of money");
        Self::parse(&text).ok_or_else(bad)
    }
}

impl JsonSchema for Sum {
    fn schema_name() -> Cow<'static, str> {
        "Sum".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^-?[0-9]+(\\.[0-9]{2})?$",
            "description": "A decimal number, such as 1500.50",
        })
    }
}

/// How a deal stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DealState {
    /// It is being worked on.
    Open,
    /// It came to a success.
    Won,
    /// It came to nothing.
    Lost,
    /// The CRM does not have it any more.
    Removed,
}

impl DealState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Won, Self::Lost, Self::Removed];

    /// Returns its word, as it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            DealState::Open => "open",
            DealState::Won => "won",
            DealState::Lost => "lost",
            DealState::Removed => "removed",
        }
    }
}

/// Where a deal stands: a pipeline and a stage of it, by the CRM's ids. A CRM without pipelines
/// names the thing that plays the part: an object of tasks, a branch's funnel.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct StagePlace {
    /// The pipeline.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
}

/// What a CRM says of a deal, before any settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealRecord {
    /// The CRM's id, unique in the account. One that makes deals of several things puts the sort
    /// before it: `lead:17`, `pay:189`.
    pub id: String,
    /// The name.
    pub name: String,
    /// Where it stands.
    pub place: StagePlace,
    /// What the CRM itself says it came to, whatever the stage.
    pub verdict: Option<DealVerdict>,
    /// The verdict counts whatever sets of stages were chosen: a lead that became a client is won.
    pub settled: bool,
    /// What was established about it once and stays, though the CRM may not tell it any more: it is
    /// kept with the deal, see [`Deal::kept`].
    pub kept: BTreeMap<String, String>,
    /// The sum of the deal itself; another may be chosen from `values`.
    pub price: Option<Sum>,
    /// The currency (ISO 4217), where the deal has its own.
    pub currency: Option<String>,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// The client.
    pub client: Option<DealClient>,
    /// Where the CRM says it comes from.
    pub source: Option<String>,
    /// Its additional fields that are filled.
    pub values: Vec<DealValue>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// What a CRM itself says that a deal came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DealVerdict {
    /// Success.
    Won,
    /// Refusal.
    Lost,
}

/// The client of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DealClient {
    /// The CRM's id of the card.
    pub id: String,
    /// The name.
    pub name: String,
    /// The numbers.
    pub phones: Vec<Phone>,
    /// The e-mail addresses.
    #[serde(default)]
    pub emails: Vec<String>,
    /// When the card was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// An additional field of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DealValue {
    /// The CRM's id of the field, or its code where that is all there is.
    pub field: String,
    /// Its name.
    pub name: String,
    /// What stands in it, as people read it.
    pub text: String,
}

/// One step of a deal from stage to stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageMove {
    /// The deal.
    pub deal: String,
    /// When.
    pub at: Timestamp,
    /// By what the CRM knows this move; told twice, it is one. Moves of one moment go by it.
    pub id: String,
    /// From where; `None` = it was made there, or the CRM does not say.
    pub from: Option<StagePlace>,
    /// To where.
    pub to: StagePlace,
}

/// Something by its id and its name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DealNamed")]
pub struct Named {
    /// The CRM's id.
    pub id: String,
    /// The name; the id, where the CRM does not tell it.
    pub name: String,
}

/// A deal as it is kept, shown, exported and passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deal {
    /// The CRM's id, unique in the account. One that makes deals of several things puts the sort
    /// before it: `lead:17`, `pay:189`.
    pub id: String,
    /// The name.
    pub name: String,
    /// The pipeline.
    pub pipeline: Named,
    /// The stage, as the CRM has it.
    pub stage: Named,
    /// What it came to, all good stages being one and all bad ones another.
    pub state: DealState,
    /// The sum, of the deal or of the chosen field.
    pub sum: Option<Sum>,
    /// Its currency.
    pub currency: Option<String>,
    /// Who answers for it.
    pub responsible: Option<Named>,
    /// The client.
    pub client: Option<DealClient>,
    /// Where it comes from.
    pub source: Option<String>,
    /// The chosen additional columns, in their order; empty where nothing stands in a field.
    pub columns: Vec<DealValue>,
    /// The communication that it came of, by the chosen model.
    #[serde(default)]
    pub communication: Option<CommunicationKey>,
    /// What its adapter established about it once, such as which payment was the first; told back to
    /// the adapter when the deal is read again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sum_is_read_as_people_and_crms_write_it() {
        for (text, wanted) in [
            ("1500", Some("1500")),
            ("1 500,5", Some("1500.50")),
            ("1\u{a0}500.05", Some("1500.05")),
            ("0.999", Some("0.99")),
            ("-7.00", Some("-7")),
            ("-0.05", Some("-0.05")),
            ("", None),
            ("-", None),
            (".5", None),
            ("1e5", None),
            ("12 руб.", None),
            ("1.2.3", None),
            ("99999999999999999999", None),
        ] {
            let read = Sum::parse(text).map(|sum| sum.to_string());
            assert_eq!(read.as_deref(), wanted, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_sum_survives_its_own_text(hundredths in -9_000_000_000_000i64..9_000_000_000_000) {
            let sum = Sum(hundredths);
            let text = serde_json::to_string(&sum).expect("a text");
            prop_assert_eq!(serde_json::from_str::<Sum>(&text).expect("a sum"), sum);
        }

        #[test]
        fn no_text_makes_a_sum_panic(text in ".{0,40}") {
            let _ = Sum::parse(&text);
        }
    }
}
