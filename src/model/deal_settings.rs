//! What an integration's administrator chose for the deals that come back (V-13, S2-37, S4-17).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deal::StagePlace;
use super::ids::SourceId;
use super::in_crm::{CrmThing, NamedInCrm};
use super::mistake::Mistake;
use super::plan::Entity;

/// The most pipelines, stages of a set and columns: more than any CRM's page shows.
const PIPELINES_MAX: usize = 50;
const STAGES_MAX: usize = 200;
const COLUMNS_MAX: usize = 50;
/// The longest id or name.
const NAME_CHARS_MAX: usize = 255;
/// Minutes between two readings: seldom enough for every budget, often enough for a report.
const POLL_MINUTES: std::ops::RangeInclusive<u32> = 1..=1440;
/// Days that the first reading looks back.
const FIRST_DAYS: std::ops::RangeInclusive<u32> = 1..=365;

/// The deals of the CRM are received, shown, exported and, where wished, passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealSettings {
    /// The toggle (S2-35). Off: what was received stays, and nothing more is.
    #[serde(default = "on")]
    pub on: bool,
    /// The pipelines whose deals are received, by id. Left out: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-shape" = "pipelines"))]
    pub pipelines: Vec<String>,
    /// The stages that are a success, all one for us (S4-17). Left out: what the CRM calls won.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub good: Vec<DealStage>,
    /// The stages that are a refusal, all one for us. Left out: what the CRM calls lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<DealStage>,
    /// The numeric field that holds the sum, by id, code or name. Left out: the sum of the deal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-shape" = "deal_number"))]
    pub sum_field: Option<String>,
    /// The field that says where the deal comes from. Left out: what the CRM says by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-shape" = "deal_field"))]
    pub source_field: Option<String>,
    /// Additional columns: fields of the deal, by id, code or name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-shape" = "deal_fields"))]
    pub columns: Vec<String>,
    /// Which communication a deal came of.
    #[serde(default)]
    pub model: ConversionModel,
    /// Minutes between two readings of what changed, for what no webhook told of.
    #[serde(default = "poll_minutes")]
    #[schemars(range(min = 1, max = 1440))]
    pub poll_minutes: u32,
    /// Days that the first reading looks back.
    #[serde(default = "first_days")]
    #[schemars(range(min = 1, max = 365))]
    pub first_days: u32,
    /// The source that the deals are passed on to, where it takes any. Left out: to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("x-shape" = "source"))]
    pub upload_to: Option<SourceId>,
}

fn on() -> bool {
    true
}

fn poll_minutes() -> u32 {
    20
}

fn first_days() -> u32 {
    1
}

/// Which communication a deal came of (V-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversionModel {
    /// The client's last one before the deal was made.
    #[default]
    BeforeDeal,
    /// The client's last one before the client's card was made.
    BeforeContact,
}

/// A stage of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealStage {
    /// The pipeline, by id. Left out: the stage of this id in every pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-shape" = "pipeline"))]
    pub pipeline: Option<String>,
    /// The stage, by id.
    #[schemars(extend("x-shape" = "stage"))]
    pub stage: String,
}

impl DealStage {
    /// Says whether a deal stands there.
    pub fn holds(&self, place: &StagePlace) -> bool {
        let pipeline = self.pipeline.as_ref();
        self.stage == place.stage && pipeline.is_none_or(|own| *own == place.pipeline)
    }

    /// Says whether some place would stand in both.
    fn meets(&self, other: &DealStage) -> bool {
        let same = match (&self.pipeline, &other.pipeline) {
            (Some(one), Some(another)) => one == another,
            (None, _) | (_, None) => true,
        };
        self.stage == other.stage && same
    }
}

impl DealSettings {
    /// Returns the time between two readings.
    pub fn poll(&self) -> Duration {
        Duration::from_secs(u64::from(self.poll_minutes).saturating_mul(60))
    }

    /// Returns how far back the first reading looks.
    pub fn first(&self) -> Duration {
        Duration::from_secs(u64::from(self.first_days).saturating_mul(24 * 3600))
    }

    /// Names every mistake that the types do not exclude by themselves.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        names("pipelines", &self.pipelines, PIPELINES_MAX, &mut found);
        names("columns", &self.columns, COLUMNS_MAX, &mut found);
        for (key, field) in [
            ("sum_field", &self.sum_field),
            ("source_field", &self.source_field),
        ] {
            found.extend(field.as_ref().and_then(|field| name(key, field)));
        }
        for (key, set) in [("good", &self.good), ("bad", &self.bad)] {
            self.check_set(key, set, &mut found);
        }
        for (at, stage) in self.bad.iter().enumerate() {
            if self.good.iter().any(|good| good.meets(stage)) {
                let message = format!("stage {} is in good as well: keep it in one", stage.stage);
                found.push(Mistake::at(&format!("bad.{at}"), message));
            }
        }
        for (key, value, range) in [
            ("poll_minutes", self.poll_minutes, POLL_MINUTES),
            ("first_days", self.first_days, FIRST_DAYS),
        ] {
            if !range.contains(&value) {
                let message = format!("must be from {} to {}", range.start(), range.end());
                found.push(Mistake::at(key, message));
            }
        }
        found
    }

    fn check_set(&self, key: &str, set: &[DealStage], found: &mut Vec<Mistake>) {
        if set.len() > STAGES_MAX {
            found.push(Mistake::at(key, format!("at most {STAGES_MAX}")));
        }
        for (at, stage) in set.iter().enumerate() {
            let path = format!("{key}.{at}");
            found.extend(name(&format!("{path}.stage"), &stage.stage));
            if let Some(pipeline) = &stage.pipeline {
                found.extend(name(&format!("{path}.pipeline"), pipeline));
                if !self.pipelines.is_empty() && !self.pipelines.contains(pipeline) {
                    let message = format!("pipeline {pipeline} is not among `pipelines`");
                    found.push(Mistake::at(&format!("{path}.pipeline"), message));
                }
            }
            if set.iter().take(at).any(|earlier| earlier.meets(stage)) {
                found.push(Mistake::at(&path, "each stage may stand once"));
            }
        }
    }

    /// Returns what these settings name of the CRM, so that it can be asked whether it is there.
    pub fn named(&self) -> Vec<NamedInCrm> {
        let mut named = Vec::new();
        let mut name = |path: String, what: CrmThing| named.push(NamedInCrm { path, what });
        for (at, pipeline) in self.pipelines.iter().enumerate() {
            name(
                format!("deals.pipelines.{at}"),
                CrmThing::Pipeline(pipeline.clone()),
            );
        }
        for (key, set) in [("good", &self.good), ("bad", &self.bad)] {
            for (at, one) in set.iter().enumerate() {
                // One that is of every pipeline must be of those that were chosen.
                let only = match self.pipelines.as_slice() {
                    [only] => Some(only.clone()),
                    _ => None,
                };
                let what = CrmThing::DealStage {
                    pipeline: one.pipeline.clone().or(only),
                    stage: one.stage.clone(),
                };
                name(format!("deals.{key}.{at}"), what);
            }
        }
        if let Some(field) = &self.sum_field {
            name(
                "deals.sum_field".to_owned(),
                CrmThing::SumField(field.clone()),
            );
        }
        let source = self.source_field.iter();
        let source = source.map(|field| ("deals.source_field".to_owned(), field));
        let columns = self.columns.iter().enumerate();
        let columns = columns.map(|(at, field)| (format!("deals.columns.{at}"), field));
        for (path, field) in source.chain(columns) {
            let what = CrmThing::ReadField {
                entity: Entity::Deal,
                field: field.clone(),
            };
            name(path, what);
        }
        named
    }
}

fn names(key: &str, list: &[String], max: usize, found: &mut Vec<Mistake>) {
    if list.len() > max {
        found.push(Mistake::at(key, format!("at most {max}")));
    }
    for (at, one) in list.iter().enumerate() {
        let path = format!("{key}.{at}");
        found.extend(name(&path, one));
        if list.iter().take(at).any(|earlier| earlier == one) {
            found.push(Mistake::at(&path, "each may stand once"));
        }
    }
}

fn name(path: &str, text: &str) -> Option<Mistake> {
    if text.trim().is_empty() {
        return Some(Mistake::at(path, "must not be empty"));
    }
    let long = text.chars().count() > NAME_CHARS_MAX;
    long.then(|| Mistake::at(path, format!("at most {NAME_CHARS_MAX} characters")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> DealSettings {
        serde_json::from_value(value).expect("settings")
    }

    #[test]
    fn v_13_the_first_reading_is_of_a_day_and_the_others_of_twenty_minutes() {
        let settings = read(json!({}));
        assert!(settings.on);
        assert_eq!(settings.first(), Duration::from_secs(24 * 3600));
        assert_eq!(settings.poll(), Duration::from_secs(20 * 60));
        assert_eq!(settings.model, ConversionModel::BeforeDeal);
        assert_eq!(settings.mistakes(), []);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let settings = read(json!({
            "pipelines": ["31", "31", ""],
            "good": [{"pipeline": "31", "stage": "1"}, {"stage": "1"}, {"pipeline": "9", "stage": ""}],
            "bad": [{"pipeline": "31", "stage": "1"}],
            "sum_field": " ", "columns": ["A", "A"], "poll_minutes": 0, "first_days": 999,
        }));
        let mut paths: Vec<String> = settings
            .mistakes()
            .iter()
            .map(|mistake| mistake.path.join("."))
            .collect();
        paths.sort();
        assert_eq!(
            paths,
            [
                "bad.0",
                "columns.1",
                "first_days",
                "good.1",
                "good.2.pipeline",
                "good.2.stage",
                "pipelines.1",
                "pipelines.2",
                "poll_minutes",
                "sum_field",
            ]
        );
    }

    #[test]
    fn s4_17_a_stage_without_a_pipeline_is_the_one_of_every_pipeline() {
        let stage = DealStage {
            pipeline: None,
            stage: "142".to_owned(),
        };
        for pipeline in ["31", "32"] {
            assert!(stage.holds(&StagePlace {
                pipeline: pipeline.to_owned(),
                stage: "142".to_owned(),
            }));
        }
    }
}
