//! What can be wrong with the settings of chats.

use super::requests::check_method;
use super::{check_id, check_rules, check_tags, check_task, check_template};
use crate::model::mistake::Mistake;
use crate::rules::settings::{Assign, ChatMoment, ChatParameter, ChatSettings, Parameter};
use crate::rules::variables::OF_CHATS;

/// Names every mistake.
pub(super) fn check(chats: &ChatSettings, found: &mut Vec<Mistake>) {
    let responsible = &chats.default_responsible.0;
    if responsible.trim().is_empty() {
        found.push(Mistake::at(
            "chats.default_responsible",
            "name a user of the CRM by its id: somebody must answer for new records",
        ));
    } else {
        check_id("chats.default_responsible", responsible, found);
    }
    check_method("chats.method", &chats.method, found);
    if let Some(repeat) = &chats.repeat_method {
        check_method("chats.repeat_method", repeat, found);
    }
    if let Some(filter) = &chats.filter {
        filter.mistakes("chats.filter", found);
        if chats.at == ChatMoment::Start {
            filter.refuse("chats.filter", &not_at_start, found);
        }
    }
    check_rules("chats.responsible", &chats.responsible, found);
    for (position, rule) in chats.responsible.iter().enumerate() {
        if matches!(rule.assign, Assign::Caller {}) {
            let path = format!("chats.responsible.{position}.assign.kind");
            let message = "in a chat nobody calls: talker is who took it";
            found.push(Mistake::at(&path, message));
        }
    }
    check_tags("chats.tags", &chats.tags, found);
    let names = [
        ("contact_name", &chats.contact_name),
        ("deal_name", &chats.deal_name),
    ];
    for (key, template) in names {
        if let Some(template) = template {
            check_template(&format!("chats.{key}"), template, &OF_CHATS, found);
        }
    }
    for (key, task) in [("task", &chats.task), ("lost_task", &chats.lost_task)] {
        if let Some(task) = task {
            check_task(&format!("chats.{key}"), task, &OF_CHATS, found);
        }
    }
}

/// Who takes a chat and how it is marked shows later: at its start nothing would ever pass.
fn not_at_start(parameter: ChatParameter) -> Option<String> {
    let word = parameter.word();
    let later = matches!(parameter, ChatParameter::Employee | ChatParameter::Tag);
    later.then(|| format!("at the start a chat has no {word}: take the condition out (V-08)"))
}

/// Adds the employees that the settings name, with the path of each.
pub(super) fn employees_named<'a>(chats: &'a ChatSettings, named: &mut Vec<(String, &'a str)>) {
    if let Some(filter) = &chats.filter {
        filter.employees_named("chats.filter", named);
    }
    for (position, rule) in chats.responsible.iter().enumerate() {
        let path = format!("chats.responsible.{position}");
        if let Assign::Employee { employee } = &rule.assign {
            named.push((format!("{path}.assign.employee"), employee.as_str()));
        }
        if let Some(when) = &rule.when {
            when.employees_named(&format!("{path}.when"), named);
        }
    }
}
