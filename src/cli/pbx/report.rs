//! What was found, for people.

use crate::model::discovery::{Certainty, Discovery, FoundEndpoint, Role};
use crate::model::ids::SourceKey;

use super::super::output::Output;

/// Shows it. `source` is the configured source that was looked at.
pub(super) fn show(found: &Discovery, source: Option<&SourceKey>, output: &mut Output) {
    output.line(&found.system);
    for limit in &found.limits {
        output.line(&format!("! {limit}"));
    }
    for (title, role) in [
        ("trunks", Role::Trunk),
        ("phones", Role::Extension),
        ("not clear", Role::Unclear),
    ] {
        let of_role: Vec<&FoundEndpoint> = found
            .endpoints
            .iter()
            .filter(|one| one.role == role)
            .collect();
        if !of_role.is_empty() {
            output.line(&format!("\n{title}: {}", of_role.len()));
        }
        for one in of_role {
            endpoint(one, source.is_some(), output);
        }
    }
    if found.endpoints.is_empty() {
        output.line("\nno endpoints were found");
    }
    if !found.queues.is_empty() {
        output.line(&format!("\nqueues: {}", found.queues.len()));
    }
    for queue in &found.queues {
        output.line(&format!("  {}: {}", queue.name, queue.members.join(", ")));
    }
    employees(found, output);
    output.line("\nsettings");
    for remark in &found.remarks {
        output.line(&format!("  {remark}"));
    }
    let again = match source {
        Some(source) => format!("trunkline pbx discover {source} --toml"),
        None => "the same with --toml".to_owned(),
    };
    output.line(&format!("  as configuration to paste: {again}"));
}

fn endpoint(one: &FoundEndpoint, configured: bool, output: &mut Output) {
    let mut head = format!("  {}/{}", one.technology, one.name);
    if let Some(extension) = &one.extension
        && extension.0 != one.name
    {
        head.push_str(&format!("  = {extension}"));
    }
    if let Some(name) = &one.shown_name {
        head.push_str(&format!("  {name}"));
    }
    if one.reachable == Some(false) {
        head.push_str("  (not reachable now)");
    }
    output.line(&head);
    let sure = match one.certainty {
        Certainty::Clear => "clear",
        Certainty::Likely => "likely",
        Certainty::Unclear => "as much for a trunk as for a phone",
    };
    output.line(&format!("      {sure}: {}", one.reasons.join("; ")));
    if !one.against.is_empty() {
        let (word, against) = match one.role {
            Role::Unclear => ("for a phone", &one.against),
            Role::Trunk | Role::Extension => ("against it", &one.against),
        };
        output.line(&format!("      {word}: {}", against.join("; ")));
    }
    if configured && one.taken_for != one.role {
        let taken = match one.taken_for {
            Role::Trunk => "a trunk",
            Role::Extension => "a phone",
            Role::Unclear => "nothing",
        };
        output.line(&format!(
            "      ! the settings in force take it for {taken}"
        ));
    }
}

fn employees(found: &Discovery, output: &mut Output) {
    if !found.employees.is_empty() {
        output.line(&format!("\nemployees: {}", found.employees.len()));
    }
    for one in &found.employees {
        let name = one.name.as_deref().unwrap_or("(no name)");
        let known = match &one.known_as {
            Some(known) => format!("is {known}"),
            None => format!("new: {}", one.id),
        };
        output.line(&format!("  {}  {name}  {known}", one.extension));
    }
    for one in &found.not_found {
        output.line(&format!(
            "  {}  of {}: the phone system has no such phone",
            one.extension, one.employee
        ));
    }
}
