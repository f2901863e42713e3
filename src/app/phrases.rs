//! The Russian of what every module says, put together.

use crate::crm::registry as crms;
use crate::model::phrasebook::Phrasebook;
use crate::pbx::registry as sources;

/// The lists that stand beside the modules; those of CRMs and phone systems come from the registries.
const LISTS: &[&str] = &[
    include_str!("../admin/russian.txt"),
    include_str!("../alarms/russian.txt"),
    include_str!("../config/russian.txt"),
    include_str!("../crm/russian.txt"),
    include_str!("../deals/russian.txt"),
    include_str!("../intake/russian.txt"),
    include_str!("../integration/russian.txt"),
    include_str!("../model/russian.txt"),
    include_str!("../pbx/russian.txt"),
    include_str!("../recordings/russian.txt"),
    include_str!("../rules/russian.txt"),
    include_str!("../store/russian.txt"),
    include_str!("russian.txt"),
];

/// Returns what the daemon says, in Russian.
pub(super) fn book() -> Phrasebook {
    let crms = crms::KINDS.iter().map(|kind| kind.russian);
    let sources = sources::KINDS.iter().map(|kind| kind.russian);
    Phrasebook::read(LISTS.iter().copied().chain(crms).chain(sources))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Folders whose texts come to people on the pages.
    const SPEAK: &[&str] = &[
        "admin",
        "alarms",
        "app",
        "config",
        "crm",
        "deals",
        "intake",
        "integration",
        "model",
        "pbx",
        "recordings",
        "rules",
        "store",
    ];

    /// Files whose texts do not, or come in both languages already.
    const SILENT: &[(&str, &str)] = &[
        ("settings_words.rs", "the settings reference"),
        ("credential_form.rs", "in both languages"),
        ("station_words.rs", "in both languages"),
        ("/person.rs", "in both languages"),
        ("alarms/words.rs", "in both languages"),
        ("rules/variables.rs", "in both languages"),
        ("model/notice.rs", "in both languages"),
        ("model/passing.rs", "in both languages"),
        ("discovery/wording.rs", "in both languages"),
        ("discovery/findings.rs", "in both languages"),
        ("model/wording/english.rs", "in both languages"),
        ("model/wording/fields.rs", "in both languages"),
        ("intake/installations.rs", "pages of their own"),
        ("intake/oauth.rs", "pages of their own"),
        ("recordings/player.rs", "pages of their own"),
        ("amocrm/widget/mod.rs", "pages of their own"),
        ("intake/http.rs", "told to programs"),
        ("intake/crm_hooks.rs", "told to programs"),
        ("intake/exchanges.rs", "told to programs"),
        ("intake/workplaces.rs", "told to programs"),
        ("pbx/webhook/", "told to programs"),
        ("pbx/itoolabs/wire/form.rs", "told to programs"),
        ("alarms/notice.rs", "told at start only"),
        ("config/schema/", "the settings reference"),
        ("admin/openapi/", "told to programs"),
        ("config/edit/place.rs", "told by the command line"),
        ("store/open.rs", "told at start only"),
        ("store/schema.rs", "told at start only"),
        ("store/tables.rs", "told at start only"),
        ("store/directory_tables.rs", "told at start only"),
        ("store/keep.rs", "told at start only"),
        (
            "app/run.rs",
            "told at start only; what the journal has is in the list",
        ),
        ("app/listeners.rs", "told at start only"),
        ("crm/account/script.rs", "for tests"),
        ("crm/account/form.rs", "a wire form"),
        ("asterisk/call_log/table.rs", "a wire form"),
        ("asterisk/discovery/inquiry.rs", "asked of the phone system"),
        ("uis/notification.rs", "a wire form"),
        ("model/plan_text.rs", "for tests and the command line"),
    ];

    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            if path.is_dir() && !name.ends_with("/tests") {
                files(&path, found);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }

    /// Returns the texts of a file with what stands before each in its statement; tests left out.
    fn literals(source: &str) -> Vec<(String, String)> {
        let end = source.find("#[cfg(test)]\nmod tests {");
        let source = source
            .get(..end.unwrap_or(source.len()))
            .unwrap_or_default();
        let mut found = Vec::new();
        let (mut statement, mut rest) = (String::new(), source);
        while let Some(next) = rest.chars().next() {
            let after = rest.get(next.len_utf8()..).unwrap_or_default();
            if rest.starts_with("//") {
                rest = rest.split_once('\n').map_or("", |(_, after)| after);
                continue;
            }
            // A quote as a character begins no text, nor do those of a raw one end it.
            if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
                rest = after.split_once('\'').map_or("", |(_, after)| after);
                continue;
            }
            let raw = ["r#\"", "br#\""]
                .into_iter()
                .find_map(|open| rest.strip_prefix(open));
            if let Some(raw) = raw {
                rest = raw.split_once("\"#").map_or("", |(_, after)| after);
                continue;
            }
            if next == '"' {
                let mut text = String::new();
                let mut inside = after.char_indices();
                let mut end = after.len();
                while let Some((at, c)) = inside.next() {
                    match c {
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        '\\' => match inside.next() {
                            Some((_, '\n')) => {
                                let left = after.get(at + 2..).unwrap_or_default();
                                let blanks = left.len() - left.trim_start().len();
                                while inside.offset() < at + 2 + blanks {
                                    inside.next();
                                }
                            }
                            Some((_, 'n')) => text.push('\n'),
                            Some((_, other)) => text.push(other),
                            None => {}
                        },
                        c => text.push(c),
                    }
                }
                found.push((text, statement.clone()));
                rest = after.get(end..).unwrap_or_default();
                continue;
            }
            match next {
                ';' | '}' => statement.clear(),
                c => statement.push(c),
            }
            rest = after;
        }
        found
    }

    /// A text for people has two words in a row, in English.
    fn is_words(text: &str) -> bool {
        let is_russian = text.chars().any(|c| matches!(c, 'а'..='я' | 'А'..='Я'));
        let mut gaps = text.match_indices(' ').map(|(at, _)| text.split_at(at));
        !is_russian
            && gaps.any(|(before, after)| {
                let last = before.trim_end_matches([',', ':']).chars().rev().take(2);
                let is_word = last.filter(char::is_ascii_alphabetic).count() == 2;
                let next = after.chars().nth(1);
                (is_word || matches!(before, "a" | "an"))
                    && next.is_some_and(|c| c.is_ascii_lowercase() || c == '{')
            })
    }

    /// What goes to the log, to who reads the code or describes the API to programs, or says that this
    /// cannot be.
    const NOT_SAID: &[&str] = &[
        "Operation",
        "looks_like(",
        "json_schema!(",
        "trace!(",
        "debug!(",
        "info!(",
        "warn!(",
        "error!(",
        "span!(",
        "expect(",
        "reason =",
        "assert",
        "unreachable!(",
        "panic!(",
        "describe_",
        "doc =",
    ];

    #[test]
    fn the_lists_of_what_is_said_in_russian_can_be_read() {
        assert_eq!(book().mistakes(), Vec::<String>::new());
    }

    #[test]
    fn whatever_the_daemon_says_to_people_it_can_say_in_russian() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let unsaid = fs::read_to_string(root.join("src/app/unsaid.txt")).expect("read");
        let mut unsaid: BTreeSet<&str> = unsaid
            .lines()
            .filter(|line| !line.starts_with("# "))
            .collect();
        unsaid.remove("");
        let (book, mut seen, mut lacks) = (book(), BTreeSet::new(), Vec::new());
        for folder in SPEAK {
            let mut found = Vec::new();
            files(&root.join("src").join(folder), &mut found);
            for path in found {
                let name = path.display().to_string();
                if SILENT.iter().any(|(file, _)| name.contains(file)) {
                    continue;
                }
                let source = fs::read_to_string(&path).expect("read");
                for (text, statement) in literals(&source) {
                    let is_silent = NOT_SAID.iter().any(|word| statement.contains(word));
                    if !is_words(&text) || is_silent {
                        continue;
                    }
                    let said = text.replace("{{", "{").replace("}}", "}");
                    let line = text.replace('\n', "\\n");
                    if book.knows(&text) || book.knows(&said) {
                        continue;
                    }
                    if unsaid.contains(line.as_str()) {
                        seen.insert(line);
                        continue;
                    }
                    lacks.push(format!("{name}: {line}"));
                }
            }
        }
        assert!(
            lacks.is_empty(),
            "add them to the russian.txt beside the file, or, where nobody reads them on the \
             pages, to src/app/unsaid.txt:\n{}",
            lacks.join("\n")
        );
        let left: Vec<&&str> = unsaid
            .iter()
            .filter(|line| !seen.contains(**line))
            .collect();
        assert!(left.is_empty(), "gone from the code: {left:?}");
    }
}
