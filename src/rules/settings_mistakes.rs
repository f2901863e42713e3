//! What can be wrong with settings although their types allow it, as far as it shows without
//! asking the CRM: whether users, pipelines and stages exist is checked against the account.

mod chats;
mod requests;
mod schedules;
mod written;

use std::collections::BTreeSet;

use crate::model::mistake::Mistake;
use crate::model::phone::Phone;

use super::filters::Parameter;
use super::outside;
use super::settings::{
    Assign, CallParameter, CallSettings, DirectionSettings, FieldRule, IntegrationSettings,
    Interval, KnownAction, Moment, ResponsibleRule, TagSettings, TaskDue, TaskSettings, Telephony,
    Template, UnknownAction,
};
use super::variables::{self, OF_CALLS, Variable};

/// The most numbers that one list takes: each call walks the list, and ten thousand comparisons
/// take less than a tenth of a millisecond.
const NUMBERS_MAX: usize = 10_000;

/// The most rules of responsibles: more than that nobody keeps in order.
const RULES_MAX: usize = 200;

/// The most additional fields: no card of a CRM shows more.
const FIELDS_MAX: usize = 100;

/// The longest name of a field.
const NAME_CHARS_MAX: usize = 255;

/// The most tags, and the longest.
const TAGS_MAX: usize = 40;
const TAG_CHARS_MAX: usize = 100;

impl IntegrationSettings {
    /// Names every mistake that the types do not exclude by themselves.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if let Some(calls) = &self.calls {
            check_calls(calls, &mut found);
        }
        if let Some(requests) = &self.requests {
            requests::check(requests, &mut found);
        }
        if let Some(chats) = &self.chats {
            chats::check(chats, &mut found);
        }
        schedules::check(self, &mut found);
        outside::mistakes(self, &mut found);
        if let Some(popup) = &self.popup {
            popup.mistakes(&mut found);
        }
        if let Some(manager) = &self.personal_manager {
            let under = |mistake: Mistake| mistake.under("personal_manager");
            found.extend(manager.mistakes().into_iter().map(under));
        }
        if let Some(deals) = &self.deals {
            let under = |mistake: Mistake| mistake.under("deals");
            found.extend(deals.mistakes().into_iter().map(under));
        }
        if let Some(clicks) = &self.click_to_call {
            let under = |mistake: Mistake| mistake.under("click_to_call");
            found.extend(clicks.mistakes().into_iter().map(under));
        }
        if let Some(employees) = &self.employees {
            let under = |mistake: Mistake| mistake.under("employees");
            found.extend(employees.mistakes().into_iter().map(under));
        }
        found
    }

    /// Returns the employees that the settings name, with the path of each: whether the tenant has
    /// them shows in the tenant's file only.
    pub fn employees_named(&self) -> Vec<(String, &str)> {
        let rules = self.calls.iter().flat_map(|calls| &calls.responsible);
        let mut named = Vec::new();
        if let Some(callback) = self
            .click_to_call
            .as_ref()
            .and_then(|one| one.callback.as_ref())
        {
            named.push(("click_to_call.callback".to_owned(), callback.as_str()));
        }
        if let Some(requests) = &self.requests {
            written::employees_named("requests", &requests.choices(), &mut named);
        }
        if let Some(chats) = &self.chats {
            written::employees_named("chats", &chats.choices(), &mut named);
        }
        if let Some(calls) = &self.calls {
            let sides = [("incoming", &calls.incoming), ("outgoing", &calls.outgoing)];
            for (side, direction) in sides {
                if let Some(filter) = &direction.filter {
                    filter.employees_named(&format!("calls.{side}.filter"), &mut named);
                }
                for (key, assign) in direction.assigned() {
                    if let Assign::Employee { employee } = assign {
                        let path = format!("calls.{side}.{key}.assign_to.employee");
                        named.push((path, employee.as_str()));
                    }
                }
            }
        }
        for (position, rule) in rules.enumerate() {
            let path = format!("calls.responsible.{position}");
            if let Assign::Employee { employee } = &rule.assign {
                named.push((format!("{path}.assign.employee"), employee.as_str()));
            }
            if let Some(when) = &rule.when {
                when.employees_named(&format!("{path}.when"), &mut named);
            }
        }
        named
    }
}

fn check_calls(calls: &CallSettings, found: &mut Vec<Mistake>) {
    let responsible = &calls.default_responsible.0;
    if responsible.trim().is_empty() {
        found.push(Mistake::at(
            "calls.default_responsible",
            "name a user of the CRM by its id: somebody must answer for new records (S1-17)",
        ));
    } else {
        check_id("calls.default_responsible", responsible, found);
    }
    check_numbers("calls.partner_numbers", &calls.partner_numbers, found);
    check_rules("calls.responsible", &calls.responsible, found);
    check_tags("calls.tags", &calls.tags, found);
    check_fields("calls.fields", &calls.fields, &OF_CALLS, found);
    if calls.telephony == Telephony::Another && calls.fields.is_empty() {
        found.push(Mistake::at(
            "calls.telephony",
            "with another telephony only fields are filled: name them in calls.fields (V-03)",
        ));
    }
    let partners: BTreeSet<&Phone> = calls.partner_numbers.iter().collect();
    check_direction("calls.incoming", &calls.incoming, &partners, found);
    check_direction("calls.outgoing", &calls.outgoing, &partners, found);
}

fn check_direction(
    path: &str,
    direction: &DirectionSettings,
    partners: &BTreeSet<&Phone>,
    found: &mut Vec<Mistake>,
) {
    let filter = format!("{path}.filtered_numbers");
    check_numbers(&filter, &direction.filtered_numbers, found);
    for (position, phone) in direction.filtered_numbers.iter().enumerate() {
        if partners.contains(phone) {
            found.push(Mistake::at(
                &format!("{filter}.{position}"),
                format!(
                    "{phone} is in calls.partner_numbers as well, so that its calls are not even \
                     logged: keep it in one list"
                ),
            ));
        }
    }
    if let Some(filter) = &direction.filter {
        let path = format!("{path}.filter");
        filter.mistakes(&path, found);
        if path.starts_with("calls.outgoing") {
            filter.refuse(&path, &not_of_outgoing, found);
        }
    }
    let unknown = [
        ("answered_unknown", &direction.answered_unknown),
        ("missed_unknown", &direction.missed_unknown),
    ];
    for (key, case) in unknown {
        if let Some(case) = case {
            let (pipeline, stage) = places_of_unknown(&case.action);
            check_place(&format!("{path}.{key}.action"), pipeline, stage, found);
            let awkward = match case.action {
                UnknownAction::Unsorted { .. } => Some("an unsorted record"),
                UnknownAction::ContactAndDeal { .. }
                | UnknownAction::Contact {}
                | UnknownAction::LeadOrDeal { .. } => None,
            };
            check_moment(&format!("{path}.{key}.at"), key, case.at, awkward, found);
            if let Some(assign) = &case.assign_to {
                check_assign(&format!("{path}.{key}.assign_to"), assign, found);
            }
        }
    }
    let known = [
        ("answered_known", &direction.answered_known),
        ("missed_known", &direction.missed_known),
    ];
    for (key, case) in known {
        if let Some(case) = case {
            let (pipeline, stage) = places_of_known(&case.action);
            check_place(&format!("{path}.{key}.action"), pipeline, stage, found);
            if let KnownAction::ContactAndDeal {
                wait: Some(wait), ..
            }
            | KnownAction::LeadOrDeal {
                wait: Some(wait), ..
            } = case.action
            {
                check_interval(&format!("{path}.{key}.action.wait"), wait, found);
            }
            let awkward = match case.action {
                KnownAction::Unsorted { .. } => Some("an unsorted record"),
                KnownAction::DealAlways { .. } => Some("a deal at every call"),
                KnownAction::ContactAndDeal { .. } | KnownAction::LeadOrDeal { .. } => None,
            };
            check_moment(&format!("{path}.{key}.at"), key, case.at, awkward, found);
            if let Some(assign) = &case.assign_to {
                check_assign(&format!("{path}.{key}.assign_to"), assign, found);
            }
        }
    }
    for (key, template) in [
        ("contact_name", &direction.contact_name),
        ("deal_name", &direction.deal_name),
        ("missed_deal_name", &direction.missed_deal_name),
    ] {
        if let Some(template) = template {
            check_template(&format!("{path}.{key}"), template, &OF_CALLS, found);
        }
    }
    for (key, task) in [
        ("task", &direction.task),
        ("missed_task", &direction.missed_task),
    ] {
        if let Some(task) = task {
            check_task(&format!("{path}.{key}"), task, &OF_CALLS, found);
        }
    }
}

/// What is known of calls from clients only has no place in the filter of the others (V-07).
fn not_of_outgoing(parameter: CallParameter) -> Option<String> {
    let word = parameter.word();
    let message = || format!("a call to a client has no {word}: take the condition out (V-07)");
    (!parameter.is_of_outgoing()).then(message)
}

/// At the answer nothing can be made of a missed call, nor what has to wait for the end (S1-14,
/// S1-27).
fn check_moment(
    path: &str,
    case: &str,
    at: Moment,
    awkward: Option<&str>,
    found: &mut Vec<Mistake>,
) {
    if at == Moment::End {
        return;
    }
    if case.starts_with("missed") {
        let message = "a missed call has no answer: take this key out (S1-27)";
        found.push(Mistake::at(path, message));
    } else if let Some(what) = awkward {
        let message = format!("{what} is made when the call has ended: take this key out (S1-27)");
        found.push(Mistake::at(path, message));
    }
}

fn check_rules<P: Parameter>(path: &str, rules: &[ResponsibleRule<P>], found: &mut Vec<Mistake>) {
    if rules.len() > RULES_MAX {
        let message = format!("{} rules are too many: at most {RULES_MAX}", rules.len());
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
        if let Some(when) = &rule.when {
            when.mistakes(&format!("{path}.when"), found);
        }
        check_assign(&format!("{path}.assign"), &rule.assign, found);
    }
}

fn check_assign(path: &str, assign: &Assign, found: &mut Vec<Mistake>) {
    let path = format!("{path}.user");
    match assign {
        Assign::User { user } if user.0.trim().is_empty() => {
            found.push(Mistake::at(&path, "name a user of the CRM by its id"));
        }
        Assign::User { user } => check_id(&path, &user.0, found),
        Assign::Employee { .. }
        | Assign::Talker {}
        | Assign::Caller {}
        | Assign::ContactOwner {} => {}
    }
}

fn check_tags(path: &str, tags: &TagSettings, found: &mut Vec<Mistake>) {
    let path = format!("{path}.list");
    if tags.list.len() > TAGS_MAX {
        let message = format!("{} tags are too many: at most {TAGS_MAX}", tags.list.len());
        found.push(Mistake::at(&path, message));
    }
    let mut seen = BTreeSet::new();
    for (position, tag) in tags.list.iter().enumerate() {
        let path = format!("{path}.{position}");
        if tag.trim().is_empty() || tag.chars().any(char::is_control) {
            found.push(Mistake::at(&path, "write the tag as one line of text"));
        } else if tag.chars().count() > TAG_CHARS_MAX {
            let message = format!("the tag is too long: at most {TAG_CHARS_MAX} characters");
            found.push(Mistake::at(&path, message));
        } else if !seen.insert(tag.trim()) {
            let message = format!("{tag:?} stands here twice: take one out");
            found.push(Mistake::at(&path, message));
        }
    }
}

fn check_fields(
    path: &str,
    fields: &[FieldRule],
    variables: &[Variable],
    found: &mut Vec<Mistake>,
) {
    if fields.len() > FIELDS_MAX {
        let message = format!("{} fields are too many: at most {FIELDS_MAX}", fields.len());
        found.push(Mistake::at(path, message));
    }
    let mut seen = BTreeSet::new();
    for (position, rule) in fields.iter().enumerate() {
        let path = format!("{path}.{position}");
        let field = rule.field.trim();
        let mistake = if field.is_empty() {
            Some("name the field by its id, code or name in the CRM".to_owned())
        } else if field.chars().any(char::is_control) || field.chars().count() > NAME_CHARS_MAX {
            Some(format!(
                "is no id, code or name of a field: write one line of at most {NAME_CHARS_MAX} characters"
            ))
        } else if !seen.insert((rule.card, field.to_lowercase())) {
            Some(format!("the field {field:?} stands above already"))
        } else {
            None
        };
        found.extend(mistake.map(|mistake| Mistake::at(&format!("{path}.field"), mistake)));
        check_template(&format!("{path}.value"), &rule.value, variables, found);
    }
}

fn check_task(path: &str, task: &TaskSettings, variables: &[Variable], found: &mut Vec<Mistake>) {
    if let Some(text) = &task.text {
        check_template(&format!("{path}.text"), text, variables, found);
    }
    if let Some(task_type) = &task.task_type {
        let path = format!("{path}.task_type");
        if task_type.trim().is_empty() {
            let message = "name the type by its id in the CRM, or leave the key out";
            found.push(Mistake::at(&path, message));
        } else {
            check_id(&path, task_type, found);
        }
    }
    match task.due {
        TaskDue::After(interval) => check_interval(&format!("{path}.due"), interval, found),
    }
}

fn check_interval(path: &str, interval: Interval, found: &mut Vec<Mistake>) {
    found.extend(interval.mistake().map(|mistake| Mistake::at(path, mistake)));
}

fn check_template(
    path: &str,
    template: &Template,
    variables: &[Variable],
    found: &mut Vec<Mistake>,
) {
    let samples = variables::samples(variables);
    let mistakes = template.mistakes(&samples).into_iter();
    found.extend(mistakes.map(|mistake| Mistake::at(path, mistake)));
}

fn places_of_unknown(action: &UnknownAction) -> (Option<&str>, Option<&str>) {
    match action {
        UnknownAction::ContactAndDeal { pipeline, stage }
        | UnknownAction::LeadOrDeal {
            pipeline, stage, ..
        } => (Some(pipeline), Some(stage)),
        UnknownAction::Unsorted { pipeline } => (Some(pipeline), None),
        UnknownAction::Contact {} => (None, None),
    }
}

fn places_of_known(action: &KnownAction) -> (Option<&str>, Option<&str>) {
    match action {
        KnownAction::ContactAndDeal {
            pipeline, stage, ..
        }
        | KnownAction::LeadOrDeal {
            pipeline, stage, ..
        }
        | KnownAction::DealAlways { pipeline, stage } => (Some(pipeline), Some(stage)),
        KnownAction::Unsorted { pipeline } => (Some(pipeline), None),
    }
}

fn check_place(path: &str, pipeline: Option<&str>, stage: Option<&str>, found: &mut Vec<Mistake>) {
    let given = [
        (
            "pipeline",
            pipeline,
            "name the pipeline by its id in the CRM",
        ),
        (
            "stage",
            stage,
            "name the stage of the pipeline by its id in the CRM (S1-11)",
        ),
    ];
    for (key, id, hint) in given {
        let Some(id) = id else { continue };
        let path = format!("{path}.{key}");
        if id.trim().is_empty() {
            found.push(Mistake::at(&path, hint));
        } else {
            check_id(&path, id, found);
        }
    }
}

fn check_id(path: &str, id: &str, found: &mut Vec<Mistake>) {
    if id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        found.push(Mistake::at(
            path,
            format!("{id:?} is no id of the CRM: take the spaces out"),
        ));
    }
}

fn check_numbers(path: &str, numbers: &[Phone], found: &mut Vec<Mistake>) {
    if numbers.len() > NUMBERS_MAX {
        found.push(Mistake::at(
            path,
            format!(
                "{} numbers are too many: at most {NUMBERS_MAX}",
                numbers.len()
            ),
        ));
    }
    let mut seen = BTreeSet::new();
    for (position, phone) in numbers.iter().enumerate() {
        if !seen.insert(phone) {
            found.push(Mistake::at(
                &format!("{path}.{position}"),
                format!("{phone} stands here twice: take one out"),
            ));
        }
    }
}

#[cfg(test)]
mod tests;
