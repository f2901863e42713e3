//! `trunkline pbx roster`: who and what a configured source says that it has.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::model::ids::{SourceId, SourceKey};
use crate::model::roster::{ListedEmployee, Roster};

use super::super::client::{Client, ClientError};
use super::super::output::Output;
use super::fragment::{comment, quoted};

/// Asks the daemon, which has the source's settings, and shows the answer.
pub(super) async fn run(
    path: &Path,
    source: &str,
    toml: bool,
    output: &mut Output,
) -> Result<(), ClientError> {
    let key: SourceKey = source
        .parse()
        .map_err(|error| ClientError::Wrong(format!("{source}: {error}")))?;
    let client = Client::from_config(path)?;
    let path = format!("/v1/tenants/{}/sources/{}/roster", key.tenant, key.source);
    let answer: Value = client.get(&path, &[]).await?;
    if output.json() {
        output.value(&answer);
        return Ok(());
    }
    let roster: Roster = serde_json::from_value(answer).map_err(|error| {
        ClientError::Local(format!(
            "the daemon answered in another form ({error}): is it of this version?"
        ))
    })?;
    if toml {
        output.raw(&fragment(&roster, &key.source));
    } else {
        show(&roster, &key, output);
    }
    Ok(())
}

fn show(roster: &Roster, key: &SourceKey, output: &mut Output) {
    output.line(&roster.system);
    for limit in &roster.limits {
        output.line(&format!("! {limit}"));
    }
    output.line(&format!("\nemployees: {}", roster.employees.len()));
    for one in &roster.employees {
        output.line(&format!("  {}", line(one)));
    }
    for one in &roster.not_found {
        output.line(&format!(
            "  {}  of {}: the phone system has nobody of that name",
            one.extension, one.employee
        ));
    }
    if !roster.groups.is_empty() {
        output.line(&format!("\ngroups: {}", roster.groups.len()));
    }
    for group in &roster.groups {
        let extension = group.extension.as_deref().unwrap_or("");
        let members = group.members.join(", ");
        output.line(&format!("  {}  {extension}  {members}", group.name));
    }
    if !roster.numbers.is_empty() {
        output.line(&format!("\nnumbers: {}", roster.numbers.len()));
    }
    for number in &roster.numbers {
        let title = number.title.as_deref().unwrap_or("");
        let owner = number.owner.as_deref();
        let owner = owner.map(|owner| format!("  of {owner}"));
        let owner = owner.unwrap_or_default();
        output.line(&format!("  {}  {title}{owner}", number.number));
    }
    for remark in &roster.remarks {
        output.line(&format!("! {remark}"));
    }
    output.line(&format!(
        "\nas configuration to paste: trunkline pbx roster {key} --toml"
    ));
}

fn line(one: &ListedEmployee) -> String {
    let parts = [
        one.named.as_ref().map(ToString::to_string),
        one.name.clone(),
        one.extension.as_ref().map(|short| format!("ext. {short}")),
        one.number.clone(),
        one.email.clone(),
    ];
    let known = match (&one.known_as, &one.id) {
        (Some(known), _) => format!("is {known}"),
        (None, Some(id)) => format!("new: {id}"),
        (None, None) => "cannot be told apart".to_owned(),
    };
    let parts = parts.into_iter().flatten().chain([known]);
    parts.collect::<Vec<_>>().join("  ")
}

/// Writes the people who are not configured yet as configuration to paste.
fn fragment(roster: &Roster, source: &SourceId) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# {}, as trunkline pbx roster saw it.",
        comment(&roster.system)
    );
    for limit in &roster.limits {
        let _ = writeln!(text, "# Not seen: {}", comment(limit));
    }
    for remark in &roster.remarks {
        let _ = writeln!(text, "# {}", comment(remark));
    }
    for one in roster.employees.iter().filter(|one| one.known_as.is_none()) {
        let (Some(id), Some(named)) = (&one.id, &one.named) else {
            continue;
        };
        text.push('\n');
        let name = one.name.clone();
        let name = name.unwrap_or_else(|| format!("Extension {named}"));
        let _ = writeln!(text, "[[employees]]\nid = {}", quoted(id.as_str()));
        let _ = writeln!(text, "name = {}", quoted(&name));
        if let Some(email) = &one.email {
            let _ = writeln!(text, "email = {}", quoted(email));
        }
        let _ = writeln!(
            text,
            "extensions = [{{ source = {}, extension = {} }}]",
            quoted(source.as_str()),
            quoted(&named.0)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Extension;

    #[test]
    fn a_hostile_name_stays_a_string_of_the_fragment() {
        let evil = "\"\n[[employees]]\nid = \"evil\" \u{1b}[2J\u{202e}";
        let employee = ListedEmployee {
            named: Some(Extension(evil.to_owned())),
            name: Some(evil.to_owned()),
            extension: None,
            number: None,
            email: Some(evil.to_owned()),
            id: "anna".parse().ok(),
            known_as: None,
        };
        let roster = Roster {
            system: evil.to_owned(),
            limits: vec![evil.to_owned()],
            remarks: vec![evil.to_owned()],
            employees: vec![employee],
            ..Roster::default()
        };
        let text = fragment(&roster, &"cloud".parse().expect("an id"));
        let table: toml::Table = text.parse().expect("configuration");
        let employees = table["employees"].as_array().expect("a list");
        assert_eq!(employees.len(), 1);
        for field in ["name", "email"] {
            assert_eq!(employees[0][field].as_str(), Some(evil));
        }
        let extension = &employees[0]["extensions"][0];
        assert_eq!(extension["extension"].as_str(), Some(evil));
    }
}
