//! What can be wrong with the settings of chats and requests.

use std::collections::BTreeSet;

use crate::model::mistake::Mistake;

use super::{RULES_MAX, check_id, check_place, check_tag_list, check_task, check_template};
use crate::rules::settings::{
    AssignRule, AssignTo, ChosenTag, DealPlaces, Method, RequestSettings, RequestWhen, WrittenTags,
};
use crate::rules::variables::{OF_REQUESTS, Variable};

/// Names every mistake in the settings of requests.
pub(super) fn check_requests(requests: &RequestSettings, found: &mut Vec<Mistake>) {
    check_default(
        "requests.default_responsible",
        &requests.default_responsible.0,
        found,
    );
    check_method("requests.method", &requests.method, found);
    if let Some(repeat) = &requests.repeat {
        check_method("requests.repeat", repeat, found);
        if requests.first_time_only {
            let message = "repeats are not processed at all (requests.first_time_only, S0-10): take \
                           one of the two out";
            found.push(Mistake::at("requests.repeat", message));
        }
    }
    let mut methods = std::iter::once(&requests.method).chain(&requests.repeat);
    let makes_deals = methods.any(Method::makes_deals);
    check_deals(
        "requests.deals",
        requests.deals.as_ref(),
        makes_deals,
        found,
    );
    check_rules("requests.responsible", &requests.responsible, found);
    for (position, rule) in requests.responsible.iter().enumerate() {
        if let AssignTo::Taker {} = rule.assign {
            let path = format!("requests.responsible.{position}.assign.kind");
            found.push(Mistake::at(
                &path,
                "nobody takes a request: this is for chats",
            ));
        }
    }
    check_tags("requests.tags", &requests.tags, &OF_REQUESTS, found);
    for (key, template) in [
        ("contact_name", &requests.contact_name),
        ("deal_name", &requests.deal_name),
    ] {
        if let Some(template) = template {
            check_template(&format!("requests.{key}"), template, &OF_REQUESTS, found);
        }
    }
    if let Some(task) = &requests.task {
        check_task("requests.task", task, &OF_REQUESTS, found);
    }
}

/// Adds the employees that the settings of requests name, with the path of each.
pub(super) fn employees_of_requests<'a>(
    requests: &'a RequestSettings,
    named: &mut Vec<(String, &'a str)>,
) {
    employees_of_rules("requests.responsible", &requests.responsible, named);
}

fn employees_of_rules<'a, When>(
    path: &str,
    rules: &'a [AssignRule<When>],
    named: &mut Vec<(String, &'a str)>,
) {
    for (position, rule) in rules.iter().enumerate() {
        if let AssignTo::Employee { employee } = &rule.assign {
            let path = format!("{path}.{position}.assign.employee");
            named.push((path, employee.as_str()));
        }
    }
}

fn check_default(path: &str, user: &str, found: &mut Vec<Mistake>) {
    if user.trim().is_empty() {
        found.push(Mistake::at(
            path,
            "name a user of the CRM by its id: somebody must answer for new records (S0-16)",
        ));
    } else {
        check_id(path, user, found);
    }
}

fn check_method(path: &str, method: &Method, found: &mut Vec<Mistake>) {
    match method {
        Method::Unsorted { pipeline } => check_place(path, Some(pipeline), None, found),
        Method::ByHand {} | Method::Contact { .. } | Method::ContactAndDeal {} => {}
    }
}

/// A default pipeline and stage are mandatory where deals are made, and mean nothing elsewhere
/// (S0-20, S0-21).
fn check_deals<When>(
    path: &str,
    deals: Option<&DealPlaces<When>>,
    makes_deals: bool,
    found: &mut Vec<Mistake>,
) {
    let Some(deals) = deals else {
        if makes_deals {
            let message = "name the pipeline and stage of the deals that the method makes (S0-21)";
            found.push(Mistake::at(path, message));
        }
        return;
    };
    if !makes_deals {
        let message = "no method here makes deals: choose \"contact_and_deal\", or take this out \
                       (S0-20)";
        found.push(Mistake::at(path, message));
    }
    check_place(path, Some(&deals.pipeline), Some(&deals.stage), found);
    let rules = &deals.rules;
    let path = format!("{path}.rules");
    check_count(&path, rules.len(), found);
    check_names(&path, rules.iter().map(|rule| rule.name.as_str()), found);
    for (position, rule) in rules.iter().enumerate() {
        let path = format!("{path}.{position}");
        check_place(&path, Some(&rule.pipeline), Some(&rule.stage), found);
    }
}

fn check_rules(path: &str, rules: &[AssignRule<RequestWhen>], found: &mut Vec<Mistake>) {
    check_count(path, rules.len(), found);
    check_names(path, rules.iter().map(|rule| rule.name.as_str()), found);
    for (position, rule) in rules.iter().enumerate() {
        if let AssignTo::User { user } = &rule.assign {
            let path = format!("{path}.{position}.assign.user");
            if user.0.trim().is_empty() {
                found.push(Mistake::at(&path, "name a user of the CRM by its id"));
            } else {
                check_id(&path, &user.0, found);
            }
        }
    }
}

fn check_count(path: &str, count: usize, found: &mut Vec<Mistake>) {
    if count > RULES_MAX {
        let message = format!("{count} rules are too many: at most {RULES_MAX}");
        found.push(Mistake::at(path, message));
    }
}

fn check_names<'a>(path: &str, names: impl Iterator<Item = &'a str>, found: &mut Vec<Mistake>) {
    let mut seen = BTreeSet::new();
    for (position, name) in names.enumerate() {
        let path = format!("{path}.{position}.name");
        if name.trim().is_empty() {
            found.push(Mistake::at(&path, "name the rule: explanations show it"));
        } else if !seen.insert(name) {
            let message = format!("another rule is named {name:?} already");
            found.push(Mistake::at(&path, message));
        }
    }
}

fn check_tags(path: &str, tags: &WrittenTags, variables: &[Variable], found: &mut Vec<Mistake>) {
    check_tag_list(&format!("{path}.list"), &tags.list, found);
    let mut seen: BTreeSet<ChosenTag> = BTreeSet::new();
    for (position, tag) in tags.choose.iter().enumerate() {
        let path = format!("{path}.choose.{position}");
        if !seen.insert(*tag) {
            found.push(Mistake::at(&path, "stands here twice: take one out"));
        } else if !variables.iter().any(|one| one.name == tag.variable()) {
            let message = "this kind of communication has no such thing: take it out";
            found.push(Mistake::at(&path, message));
        }
    }
}
