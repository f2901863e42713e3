//! What can be wrong with what site requests and chats have in common.

use std::collections::BTreeSet;

use super::{
    RULES_MAX, check_assign, check_fields, check_id, check_place, check_rules, check_tags,
    check_task, check_template,
};
use crate::model::mistake::Mistake;
use crate::rules::filters::Parameter;
use crate::rules::settings::{Assign, Choices, PipelineRule, RequestMethod};
use crate::rules::variables::Variable;

/// Names every mistake of the choices of a block, whose templates may use these variables.
pub(super) fn check<P: Parameter>(
    block: &str,
    choices: &Choices<'_, P>,
    variables: &[Variable],
    found: &mut Vec<Mistake>,
) {
    let at = |key: &str| format!("{block}.{key}");
    let responsible = &choices.default_responsible.0;
    if responsible.trim().is_empty() {
        let message = "name a user of the CRM by its id: somebody must answer for new records";
        found.push(Mistake::at(&at("default_responsible"), message));
    } else {
        check_id(&at("default_responsible"), responsible, found);
    }
    check_method(&at("method"), choices.method, found);
    if let Some(repeat) = choices.repeat_method {
        check_method(&at("repeat_method"), repeat, found);
        if choices.first_time_only {
            let message = "with first_time_only a repeat is left alone: take one of them out";
            found.push(Mistake::at(&at("repeat_method"), message));
        }
    }
    if let Some(filter) = choices.filter {
        filter.mistakes(&at("filter"), found);
    }
    check_pipelines(&at("pipelines"), choices, found);
    check_rules(&at("responsible"), choices.responsible, found);
    for (key, assign) in choices.assigned() {
        check_assign(&at(key), assign, found);
    }
    check_tags(&at("tags"), choices.tags, found);
    let names = [
        ("contact_name", choices.contact_name),
        ("deal_name", choices.deal_name),
    ];
    for (key, template) in names {
        if let Some(template) = template {
            check_template(&at(key), template, variables, found);
        }
    }
    if let Some(template) = choices.contact_template {
        if template.trim().is_empty() {
            let message = "name the template by its id in the CRM, or leave the key out";
            found.push(Mistake::at(&at("contact_template"), message));
        } else {
            check_id(&at("contact_template"), template, found);
        }
    }
    check_fields(&at("fields"), choices.fields, variables, found);
    for (key, task) in &choices.tasks {
        if let Some(task) = task {
            check_task(&at(key), task, variables, found);
        }
    }
}

/// Adds the employees that the choices name, with the path of each.
pub(super) fn employees_named<'a, P: Parameter>(
    block: &str,
    choices: &Choices<'a, P>,
    named: &mut Vec<(String, &'a str)>,
) {
    if let Some(filter) = choices.filter {
        filter.employees_named(&format!("{block}.filter"), named);
    }
    for (position, rule) in choices.responsible.iter().enumerate() {
        let path = format!("{block}.responsible.{position}");
        if let Assign::Employee { employee } = &rule.assign {
            named.push((format!("{path}.assign.employee"), employee.as_str()));
        }
        if let Some(when) = &rule.when {
            when.employees_named(&format!("{path}.when"), named);
        }
    }
    for (key, assign) in choices.assigned() {
        if let Assign::Employee { employee } = assign {
            named.push((format!("{block}.{key}.employee"), employee.as_str()));
        }
    }
    for (position, rule) in choices.pipelines.iter().enumerate() {
        let path = format!("{block}.pipelines.{position}.when");
        rule.when.employees_named(&path, named);
    }
}

fn check_method(path: &str, method: &RequestMethod, found: &mut Vec<Mistake>) {
    match method {
        RequestMethod::ByHand {} | RequestMethod::Contact { deal: None } => {}
        RequestMethod::Unsorted { pipeline } => check_place(path, Some(pipeline), None, found),
        RequestMethod::Contact { deal: Some(place) } => {
            let path = format!("{path}.deal");
            check_place(&path, Some(&place.pipeline), Some(&place.stage), found);
        }
        RequestMethod::ContactAndDeal { pipeline, stage }
        | RequestMethod::LeadOrDeal {
            pipeline, stage, ..
        } => check_place(path, Some(pipeline), Some(stage), found),
    }
}

/// Pipelines by condition belong to "contact and deal" (S0-20).
fn check_pipelines<P: Parameter>(path: &str, choices: &Choices<'_, P>, found: &mut Vec<Mistake>) {
    let rules: &[PipelineRule<P>] = choices.pipelines;
    if rules.is_empty() {
        return;
    }
    if rules.len() > RULES_MAX {
        let message = format!("{} rules are too many: at most {RULES_MAX}", rules.len());
        found.push(Mistake::at(path, message));
    }
    let makes_deals =
        |method: &RequestMethod| matches!(method, RequestMethod::ContactAndDeal { .. });
    let mut methods = std::iter::once(choices.method).chain(choices.repeat_method);
    if !methods.any(makes_deals) {
        let message = "pipelines are chosen for the method contact_and_deal only (S0-20)";
        found.push(Mistake::at(path, message));
    }
    let mut names = BTreeSet::new();
    for (position, rule) in rules.iter().enumerate() {
        let path = format!("{path}.{position}");
        if rule.name.trim().is_empty() {
            let message = "name the rule: explanations show it";
            found.push(Mistake::at(&format!("{path}.name"), message));
        } else if !names.insert(rule.name.as_str()) {
            let message = format!("another rule is named {:?} already", rule.name);
            found.push(Mistake::at(&format!("{path}.name"), message));
        }
        rule.when.mistakes(&format!("{path}.when"), found);
        check_place(&path, Some(&rule.pipeline), Some(&rule.stage), found);
    }
}
