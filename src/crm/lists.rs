//! What settings name of an account, held against what the account has (V-12): every mistake at
//! once, with what there is instead.

use jiff::tz::TimeZone;

use super::{AccountDescription, Pipeline};
use crate::model::explanation::Language;
use crate::model::field::{self, CrmField, FieldMiss, Takes};
use crate::model::ids::CrmUserId;
use crate::model::in_crm::{CrmThing, NamedInCrm};
use crate::model::mistake::Mistake;
use crate::model::plan::Entity;

/// The most things of a list that a mistake names.
const NAMED_MAX: usize = 12;

impl AccountDescription {
    /// Names everything of these that the account does not have. A list that the CRM does not give
    /// is no reason to call anything missing: see [`AccountDescription::unlisted`].
    pub fn mistakes(&self, named: &[NamedInCrm], zone: &TimeZone) -> Vec<Mistake> {
        let mistake = |one: &NamedInCrm| {
            let (key, message) = self.wrong(&one.what, zone)?;
            Some(Mistake::at(&format!("{}{key}", one.path), message))
        };
        named.iter().filter_map(mistake).collect()
    }

    /// Returns what the CRM does not list to us, so that it cannot be checked.
    pub fn unlisted(&self) -> Vec<&'static str> {
        let lists = [
            ("users", self.users.is_empty()),
            ("pipelines", self.pipelines.is_empty()),
            ("fields", self.fields.is_empty()),
            ("task types", self.task_types.is_empty()),
        ];
        let empty = lists.into_iter().filter(|(_, is_empty)| *is_empty);
        empty.map(|(name, _)| name).collect()
    }

    /// Says what is wrong with a thing, and with which key of it.
    fn wrong(&self, what: &CrmThing, zone: &TimeZone) -> Option<(&'static str, String)> {
        match what {
            CrmThing::User(user) => Some(("", self.wrong_user(user)?)),
            CrmThing::UnsortedPipeline(pipeline) => {
                let found = match self.pipeline(pipeline)? {
                    Ok(found) => found,
                    Err(why) => return Some((".pipeline", why)),
                };
                let message = format!(
                    "pipeline {} takes no unsorted records: switch Unsorted on there, or name \
                     another one: {}",
                    called(pipeline, &found.name),
                    listed(self.pipelines.iter().filter(|one| one.unsorted).map(pair))
                );
                (!found.unsorted).then_some((".pipeline", message))
            }
            CrmThing::Stage { pipeline, stage } => {
                let found = match self.pipeline(pipeline)? {
                    Ok(found) => found,
                    Err(why) => return Some((".pipeline", why)),
                };
                let is_there = found.stages.iter().any(|one| one.id == *stage);
                let stages = found.stages.iter().map(|one| (&*one.id, &*one.name));
                let message = format!(
                    "pipeline {} has no stage {stage}; it has {}",
                    called(pipeline, &found.name),
                    listed(stages)
                );
                (!is_there).then_some((".stage", message))
            }
            CrmThing::Pipeline(wanted) => match found_in(self.of_deals(), wanted)? {
                Ok(_) => None,
                Err(why) => Some(("", why)),
            },
            CrmThing::DealStage { pipeline, stage } => {
                self.wrong_deal_stage(pipeline.as_deref(), stage)
            }
            CrmThing::SumField(field) => Some(("", self.wrong_sum(field)?)),
            CrmThing::ReadField { entity, field } => match self.field(*entity, field)? {
                Ok(_) => None,
                Err(why) => Some(("", why)),
            },
            CrmThing::TaskType(wanted) => {
                let types = &self.task_types;
                let is_there = types.is_empty() || types.iter().any(|one| one.id == *wanted);
                let types = types.iter().map(|one| (&*one.id, &*one.name));
                let message = format!(
                    "the CRM has no task type {wanted}; it has {}",
                    listed(types)
                );
                (!is_there).then_some(("", message))
            }
            CrmThing::Field {
                entity,
                field,
                constant,
            } => self.wrong_field(*entity, field, constant.as_deref(), zone),
        }
    }

    fn wrong_user(&self, user: &CrmUserId) -> Option<String> {
        if self.users.is_empty() {
            return None;
        }
        match self.users.iter().find(|one| one.id == *user) {
            Some(found) if found.active => None,
            Some(found) => Some(format!(
                "user {} may not log in any more: nothing is assigned to who has left",
                called(&user.0, &found.name)
            )),
            None => {
                let active = self.users.iter().filter(|one| one.active);
                let active = active.map(|one| (&*one.id.0, &*one.name));
                Some(format!(
                    "the CRM has no user {user}; it has {}",
                    listed(active)
                ))
            }
        }
    }

    /// Returns a pipeline, or why there is none; `None` = pipelines are not listed.
    fn pipeline(&self, id: &str) -> Option<Result<&Pipeline, String>> {
        found_in(&self.pipelines, id)
    }

    /// Returns the pipelines of deals that come back.
    fn of_deals(&self) -> &[Pipeline] {
        match self.deal_pipelines.is_empty() {
            true => &self.pipelines,
            false => &self.deal_pipelines,
        }
    }

    /// Without a pipeline the stage may be of any (S2-38: a status that is not of the object).
    fn wrong_deal_stage(
        &self,
        pipeline: Option<&str>,
        stage: &str,
    ) -> Option<(&'static str, String)> {
        let pipelines = self.of_deals();
        let Some(pipeline) = pipeline else {
            let mut stages = pipelines.iter().flat_map(|one| &one.stages);
            let is_there = pipelines.is_empty() || stages.any(|one| one.id == stage);
            let message = format!("no pipeline of deals has a stage {stage}");
            return (!is_there).then_some((".stage", message));
        };
        let found = match found_in(pipelines, pipeline)? {
            Ok(found) => found,
            Err(why) => return Some((".pipeline", why)),
        };
        let is_there = found.stages.iter().any(|one| one.id == stage);
        let message = format!(
            "pipeline {} has no stage {stage}; it has {}",
            called(pipeline, &found.name),
            listed(found.stages.iter().map(|one| (&*one.id, &*one.name)))
        );
        (!is_there).then_some((".stage", message))
    }

    /// Returns a field, or why there is none; `None` = fields are not listed.
    fn field(&self, entity: Entity, wanted: &str) -> Option<Result<&CrmField, String>> {
        if self.fields.is_empty() {
            return None;
        }
        let found = field::find(&self.fields, entity, wanted);
        Some(found.map_err(|why| format!("{wanted:?}: {}", why.text(Language::En))))
    }

    /// Only fields of numbers hold sums (V-13, S2-37).
    fn wrong_sum(&self, wanted: &str) -> Option<String> {
        let found = match self.field(Entity::Deal, wanted)? {
            Ok(found) => found,
            Err(why) => return Some(why),
        };
        if holds_number(found) {
            return None;
        }
        let fields = self.fields.iter();
        let numeric = fields.filter(|one| one.entity == Entity::Deal && holds_number(one));
        Some(format!(
            "{} is no field of numbers; there is {}",
            called(&found.id, &found.name),
            listed(numeric.map(|one| (&*one.id, &*one.name)))
        ))
    }

    fn wrong_field(
        &self,
        entity: Entity,
        wanted: &str,
        constant: Option<&str>,
        zone: &TimeZone,
    ) -> Option<(&'static str, String)> {
        if self.fields.is_empty() {
            return None;
        }
        let said = |why: FieldMiss| why.text(Language::En);
        let found = match field::find(&self.fields, entity, wanted) {
            Ok(found) => found,
            Err(why) => return Some((".field", format!("{wanted:?}: {}", said(why)))),
        };
        // Whether a value with variables fits shows when they are known; that none fits, at once.
        let name = called(&found.id, &found.name);
        match found.fit(constant.unwrap_or_default(), zone) {
            Err(why @ FieldMiss::TakesNoText { .. }) => {
                Some((".field", format!("{name}: {}", said(why))))
            }
            Err(why) if constant.is_some() => Some((".value", format!("{name}: {}", said(why)))),
            Ok(_) | Err(_) => None,
        }
    }
}

/// Finds a pipeline, or says why there is none; `None` = pipelines are not listed.
fn found_in<'a>(pipelines: &'a [Pipeline], id: &str) -> Option<Result<&'a Pipeline, String>> {
    if pipelines.is_empty() {
        return None;
    }
    let found = pipelines.iter().find(|one| one.id == id);
    Some(found.ok_or_else(|| {
        let there = listed(pipelines.iter().map(pair));
        format!("the CRM has no pipeline {id}; it has {there}")
    }))
}

/// Says whether a number stands in a field. One that the CRM works out by itself takes nothing, and
/// is a number by its type.
fn holds_number(field: &CrmField) -> bool {
    match field.takes {
        Takes::Number | Takes::Unknown => true,
        Takes::Nothing => matches!(field.kind.as_str(), "numeric" | "monetary" | "double"),
        _ => false,
    }
}

fn pair(pipeline: &Pipeline) -> (&str, &str) {
    (&pipeline.id, &pipeline.name)
}

fn called(id: &str, name: &str) -> String {
    format!("{id} ({name})")
}

fn listed<'a>(things: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut names: Vec<String> = things.map(|(id, name)| called(id, name)).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::{CrmUser, Stage, TaskType};
    use crate::model::field::FieldOption;

    fn account() -> AccountDescription {
        let pipeline = |id: &str, unsorted| Pipeline {
            id: id.to_owned(),
            name: format!("Воронка {id}"),
            main: id == "31",
            unsorted,
            stages: vec![Stage {
                id: "7".to_owned(),
                name: "Новая".to_owned(),
            }],
        };
        let user = |id: &str, active| CrmUser {
            id: CrmUserId(id.to_owned()),
            name: "Анна".to_owned(),
            email: None,
            phone: None,
            active,
        };
        let field = |id: &str, takes| CrmField {
            entity: Entity::Contact,
            id: id.to_owned(),
            name: format!("Поле {id}"),
            code: None,
            kind: "x".to_owned(),
            takes,
            options: vec![FieldOption {
                id: "1".to_owned(),
                text: "Сайт".to_owned(),
            }],
        };
        AccountDescription {
            id: "1".to_owned(),
            name: "Ромашка".to_owned(),
            time_zone: None,
            users: vec![user("501", true), user("502", false)],
            pipelines: vec![pipeline("31", true), pipeline("32", false)],
            deal_pipelines: Vec::new(),
            fields: vec![
                field("41", Takes::Line),
                field("42", Takes::Nothing),
                field("43", Takes::Choice),
            ],
            task_types: vec![TaskType {
                id: "1".to_owned(),
                name: "Связаться".to_owned(),
            }],
            limits: Vec::new(),
        }
    }

    fn wrong(account: &AccountDescription, what: CrmThing) -> Option<String> {
        let path = "calls.x".to_owned();
        let mistakes = account.mistakes(&[NamedInCrm { path, what }], &TimeZone::UTC);
        mistakes.first().map(ToString::to_string)
    }

    fn stage(pipeline: &str, stage: &str) -> CrmThing {
        CrmThing::Stage {
            pipeline: pipeline.to_owned(),
            stage: stage.to_owned(),
        }
    }

    fn field(field: &str, constant: Option<&str>) -> CrmThing {
        CrmThing::Field {
            entity: Entity::Contact,
            field: field.to_owned(),
            constant: constant.map(str::to_owned),
        }
    }

    #[test]
    fn v_12_what_the_crm_does_not_have_is_a_mistake_that_says_what_there_is() {
        let account = account();
        let user = |id: &str| CrmThing::User(CrmUserId(id.to_owned()));
        let unsorted = |id: &str| CrmThing::UnsortedPipeline(id.to_owned());
        let task_type = |id: &str| CrmThing::TaskType(id.to_owned());
        for right in [
            user("501"),
            unsorted("31"),
            stage("32", "7"),
            task_type("1"),
            field("41", None),
            field("поле 41", Some("что угодно")),
            field("43", None),
            field("43", Some("сайт")),
        ] {
            assert_eq!(wrong(&account, right.clone()), None, "{right:?}");
        }
        for (what, path, words) in [
            (user("502"), "calls.x:", "may not log in"),
            (user("9"), "calls.x:", "501 (Анна)"),
            (unsorted("32"), "calls.x.pipeline:", "31 (Воронка 31)"),
            (unsorted("9"), "calls.x.pipeline:", "no pipeline 9"),
            (stage("9", "7"), "calls.x.pipeline:", "32 (Воронка 32)"),
            (stage("31", "8"), "calls.x.stage:", "7 (Новая)"),
            (task_type("2"), "calls.x:", "1 (Связаться)"),
            (field("40", None), "calls.x.field:", "no such field"),
            (field("42", None), "calls.x.field:", "cannot be filled"),
            (field("43", Some("Радио")), "calls.x.value:", "\"Радио\""),
        ] {
            let said = wrong(&account, what.clone()).unwrap_or_default();
            assert!(
                said.starts_with(path) && said.contains(words),
                "{what:?}: {said}"
            );
        }
    }

    #[test]
    fn v_13_the_sum_is_of_a_numeric_field_and_what_is_named_is_there() {
        let mut account = account();
        let field = |id: &str, takes, kind: &str| CrmField {
            entity: Entity::Deal,
            id: id.to_owned(),
            name: format!("Поле {id}"),
            code: None,
            kind: kind.to_owned(),
            takes,
            options: Vec::new(),
        };
        account.fields.push(field("51", Takes::Number, "numeric"));
        account.fields.push(field("52", Takes::Line, "text"));
        account.fields.push(field("53", Takes::Nothing, "numeric"));
        account.fields.push(field("54", Takes::Nothing, "file"));
        let sum = |id: &str| CrmThing::SumField(id.to_owned());
        let read = |id: &str| CrmThing::ReadField {
            entity: Entity::Deal,
            field: id.to_owned(),
        };
        let pipeline = |id: &str| CrmThing::Pipeline(id.to_owned());
        for right in [
            sum("51"),
            sum("поле 53"),
            read("54"),
            read("52"),
            pipeline("31"),
        ] {
            assert_eq!(wrong(&account, right.clone()), None, "{right:?}");
        }
        for (what, words) in [
            (
                sum("52"),
                "no field of numbers; there is 51 (Поле 51), 53 (Поле 53)",
            ),
            (sum("54"), "no field of numbers"),
            (sum("60"), "no such field"),
            (read("41"), "no such field"),
            (pipeline("9"), "no pipeline 9"),
        ] {
            let said = wrong(&account, what.clone()).unwrap_or_default();
            assert!(said.contains(words), "{what:?}: {said}");
        }
    }

    #[test]
    fn v_12_what_the_crm_does_not_list_is_not_called_missing() {
        let nothing = AccountDescription {
            users: Vec::new(),
            pipelines: Vec::new(),
            fields: Vec::new(),
            task_types: Vec::new(),
            ..account()
        };
        for what in [
            CrmThing::User(CrmUserId("9".to_owned())),
            stage("9", "9"),
            CrmThing::UnsortedPipeline("9".to_owned()),
            CrmThing::TaskType("9".to_owned()),
            field("9", None),
        ] {
            assert_eq!(wrong(&nothing, what.clone()), None, "{what:?}");
        }
        let unlisted = ["users", "pipelines", "fields", "task types"];
        assert_eq!(nothing.unlisted(), unlisted);
        assert!(account().unlisted().is_empty());
    }
}
