//! What can be wrong with the settings of site requests.

use std::collections::BTreeSet;

use super::{
    RULES_MAX, check_id, check_place, check_rules, check_tags, check_task, check_template,
};
use crate::model::mistake::Mistake;
use crate::rules::settings::{Assign, PipelineRule, RequestMethod, RequestSettings};
use crate::rules::variables::OF_REQUESTS;

/// Names every mistake.
pub(super) fn check(requests: &RequestSettings, found: &mut Vec<Mistake>) {
    let responsible = &requests.default_responsible.0;
    if responsible.trim().is_empty() {
        found.push(Mistake::at(
            "requests.default_responsible",
            "name a user of the CRM by its id: somebody must answer for new records",
        ));
    } else {
        check_id("requests.default_responsible", responsible, found);
    }
    check_method("requests.method", &requests.method, found);
    if let Some(repeat) = &requests.repeat_method {
        check_method("requests.repeat_method", repeat, found);
        if requests.first_time_only {
            let message = "with first_time_only a repeat is left alone: take one of them out";
            found.push(Mistake::at("requests.repeat_method", message));
        }
    }
    if let Some(filter) = &requests.filter {
        filter.mistakes("requests.filter", found);
    }
    check_pipelines(requests, found);
    check_rules("requests.responsible", &requests.responsible, found);
    for (position, rule) in requests.responsible.iter().enumerate() {
        if matches!(rule.assign, Assign::Talker {} | Assign::Caller {}) {
            let path = format!("requests.responsible.{position}.assign.kind");
            let message = "in a site request nobody talks and nobody calls: name a user, an \
                           employee or contact_owner";
            found.push(Mistake::at(&path, message));
        }
    }
    check_tags("requests.tags", &requests.tags, found);
    let names = [
        ("contact_name", &requests.contact_name),
        ("deal_name", &requests.deal_name),
    ];
    for (key, template) in names {
        if let Some(template) = template {
            check_template(&format!("requests.{key}"), template, &OF_REQUESTS, found);
        }
    }
    if let Some(task) = &requests.task {
        check_task("requests.task", task, &OF_REQUESTS, found);
    }
}

/// Adds the employees that the settings name, with the path of each.
pub(super) fn employees_named<'a>(
    requests: &'a RequestSettings,
    named: &mut Vec<(String, &'a str)>,
) {
    for (position, rule) in requests.responsible.iter().enumerate() {
        if let Assign::Employee { employee } = &rule.assign {
            let path = format!("requests.responsible.{position}.assign.employee");
            named.push((path, employee.as_str()));
        }
    }
}

pub(super) fn check_method(path: &str, method: &RequestMethod, found: &mut Vec<Mistake>) {
    match method {
        RequestMethod::ByHand {} | RequestMethod::Contact { deal: None } => {}
        RequestMethod::Unsorted { pipeline } => check_place(path, Some(pipeline), None, found),
        RequestMethod::Contact { deal: Some(place) } => {
            let path = format!("{path}.deal");
            check_place(&path, Some(&place.pipeline), Some(&place.stage), found);
        }
        RequestMethod::ContactAndDeal { pipeline, stage } => {
            check_place(path, Some(pipeline), Some(stage), found);
        }
    }
}

/// Pipelines by condition belong to "contact and deal" (S0-20).
fn check_pipelines(requests: &RequestSettings, found: &mut Vec<Mistake>) {
    let rules: &[PipelineRule] = &requests.pipelines;
    if rules.is_empty() {
        return;
    }
    if rules.len() > RULES_MAX {
        let message = format!("{} rules are too many: at most {RULES_MAX}", rules.len());
        found.push(Mistake::at("requests.pipelines", message));
    }
    let makes_deals =
        |method: &RequestMethod| matches!(method, RequestMethod::ContactAndDeal { .. });
    let mut methods = std::iter::once(&requests.method).chain(&requests.repeat_method);
    if !methods.any(makes_deals) {
        let message = "pipelines are chosen for the method contact_and_deal only (S0-20)";
        found.push(Mistake::at("requests.pipelines", message));
    }
    let mut names = BTreeSet::new();
    for (position, rule) in rules.iter().enumerate() {
        let path = format!("requests.pipelines.{position}");
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
