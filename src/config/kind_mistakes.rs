//! Puts the mistakes that a kind of source or CRM names into the file: their ways begin at its
//! `settings` table, or with `secrets` for the table beside it.

use crate::model::mistake::Mistake;

use super::document::Value;
use super::key_path::KeyPath;
use super::mistake::Findings;

/// Adds the mistakes of one entry. Those about a secret that is known to have failed are dropped.
pub(super) fn add(
    findings: &mut Findings<'_>,
    entry: &KeyPath,
    mistakes: Vec<Mistake>,
    failed_secrets: &[String],
) {
    let settings = entry.key("settings");
    for mistake in mistakes {
        let about_secrets = mistake.path.first().is_some_and(|part| part == "secrets");
        let has_such_setting = findings
            .document()
            .root
            .at(&settings.key("secrets"))
            .is_some();
        let path = if about_secrets && !has_such_setting {
            let name = mistake.path.get(1);
            if name.is_some_and(|name| failed_secrets.contains(name)) {
                continue;
            }
            translate(findings, entry, &mistake.path)
        } else {
            translate(findings, &settings, &mistake.path)
        };
        findings.mistake(&path, mistake.message);
    }
}

/// Adds the mistakes of a value whose ways begin at the value itself.
pub(super) fn add_at(findings: &mut Findings<'_>, base: &KeyPath, mistakes: Vec<Mistake>) {
    for mistake in mistakes {
        let path = translate(findings, base, &mistake.path);
        findings.mistake(&path, mistake.message);
    }
}

/// Turns keys and positions, both written as text, into a way through the file.
fn translate(findings: &Findings<'_>, base: &KeyPath, parts: &[String]) -> KeyPath {
    parts.iter().fold(base.clone(), |path, part| {
        let here = findings.document().root.at(&path);
        let is_table = matches!(here.map(|node| &node.value), Some(Value::Table(_)));
        match part.parse() {
            Ok(index) if !is_table => path.index(index),
            _ => path.key(part),
        }
    })
}
