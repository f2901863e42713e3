//! What is true of all pages: their words, their weight, and what they load.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::model::communication::Phase;

/// What a browser may load for one view, whatever tab of it is open.
const VIEW_BYTES_MAX: usize = 110_000;

/// Adds a file with what it imports from the start.
fn load(name: &str, found: &mut BTreeSet<String>) {
    if !found.insert(name.to_owned()) {
        return;
    }
    for line in file(name)
        .lines()
        .filter(|line| line.starts_with("import "))
    {
        if let Some((_, rest)) = line.split_once("\"/pages/") {
            load(rest.split('"').next().unwrap_or_default(), found);
        }
    }
}

/// The texts in quotes of a line that begins so.
fn quoted(name: &str, begin: &str) -> Vec<&'static str> {
    let lines = file(name).lines();
    let lines = lines.filter_map(|line| line.strip_prefix(begin));
    lines
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .collect()
}

/// What is loaded for each view: a page, and a tab of the settings with what it needs.
fn views() -> Vec<(String, BTreeSet<String>, BTreeSet<String>)> {
    let mut pages = quoted("main.js", "const PAGES = [");
    assert!(pages.len() > 8, "{pages:?}");
    pages.push("login");
    let mut views = Vec::new();
    for page in pages {
        let mut tabs: Vec<(&str, Vec<&str>)> = vec![("", Vec::new())];
        if page == "integration" {
            let needs = file("integration.js")
                .split_once("const NEEDS = {")
                .unwrap()
                .1;
            let needs = needs.split_once("};").unwrap().0.lines();
            let needs = needs.filter_map(|line| line.trim().split_once(": ["));
            tabs = needs
                .map(|(tab, needs)| (tab, needs.split('"').skip(1).step_by(2).collect()))
                .collect();
            let named: Vec<&str> = tabs.iter().map(|(tab, _)| *tab).collect();
            assert_eq!(named, quoted("integration.js", "const TABS = ["));
        }
        for (tab, needs) in tabs {
            let mut files = BTreeSet::new();
            load("main.js", &mut files);
            load(&format!("{page}.js"), &mut files);
            let (lists, modules): (Vec<&str>, Vec<&str>) =
                needs.iter().partition(|one| one.ends_with('-'));
            for module in modules {
                load(&format!("{module}.js"), &mut files);
            }
            let mut lists: BTreeSet<String> = lists.into_iter().map(str::to_owned).collect();
            lists.insert(String::new());
            for name in &files {
                lists.extend(
                    quoted(name, "export const LISTS = [")
                        .into_iter()
                        .map(str::to_owned),
                );
                let learnt = file(name).split("await learn(\"").skip(1);
                let learnt = learnt.map(|rest| rest.split('"').next().unwrap_or_default());
                lists.extend(learnt.map(str::to_owned));
            }
            for always in ["index.html", "style.css", "icon.svg"] {
                files.insert(always.to_owned());
            }
            views.push((format!("{page} {tab}"), files, lists));
        }
    }
    views
}

#[test]
fn every_page_view_weighs_less_than_a_view_may() {
    for (view, files, lists) in views() {
        for language in ["ru", "en"] {
            let words = lists.iter().map(|list| format!("{list}{language}.js"));
            let loaded = files.iter().cloned().chain(words);
            let bytes: usize = loaded.map(|name| file(&name).len()).sum();
            assert!(bytes < VIEW_BYTES_MAX, "{view} in {language}: {bytes}");
        }
    }
}

/// A file that is loaded has its words loaded with it, on each view.
#[test]
fn every_word_that_a_view_shows_is_loaded_with_it() {
    let mut lacks = BTreeSet::new();
    for (view, files, lists) in views() {
        let known: BTreeSet<&str> = lists
            .iter()
            .flat_map(|list| words(&format!("{list}ru.js")).into_keys())
            .collect();
        for name in files.iter().filter(|name| name.ends_with(".js")) {
            let own = own_words(file(name));
            lacks.extend(
                own.into_iter()
                    .filter(|key| !known.contains(key))
                    .map(|key| format!("{view}: {name} says {key}")),
            );
        }
    }
    assert!(lacks.is_empty(), "{lacks:#?}");
}

/// The keys that a file asks for by name.
fn own_words(text: &'static str) -> Vec<&'static str> {
    let asked = text.match_indices("t(\"");
    let asked = asked.filter(|(at, _)| {
        let before = text
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    asked
        .map(|(at, found)| {
            let rest = text.get(at + found.len()..).unwrap_or_default();
            rest.split('"').next().unwrap_or_default()
        })
        .collect()
}

#[test]
fn pages_load_nothing_from_elsewhere_and_run_nothing_inline() {
    for page in PAGES {
        for word in [
            "src=\"http",
            "src=\"//",
            "import(\"http",
            "from \"http",
            "url(http",
            "@import",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            " style=\"",
            " onclick=\"",
            "javascript:",
        ] {
            assert!(!page.text.contains(word), "{} has {word}", page.path);
        }
    }
}

fn file(name: &str) -> &'static str {
    let path = match name {
        "index.html" => "/".to_owned(),
        name => format!("/pages/{name}"),
    };
    let page = PAGES.iter().find(|page| page.path == path);
    page.expect("a page").text
}

/// The words of a dictionary by their keys.
fn words(name: &str) -> BTreeMap<&'static str, &'static str> {
    let lines = file(name).lines().filter_map(|line| {
        let (key, text) = line.trim().strip_prefix('"')?.split_once("\": \"")?;
        Some((key, text.trim_end_matches("\",")))
    });
    lines.collect()
}

/// The lists of words, by what stands before the language.
fn lists() -> BTreeSet<&'static str> {
    let lists = PAGES.iter().filter_map(|page| {
        let name = page.path.strip_prefix("/pages/")?;
        name.strip_suffix("ru.js")
    });
    lists.collect()
}

/// The dictionaries of both languages, all lists together.
fn both() -> [BTreeMap<&'static str, &'static str>; 2] {
    ["ru", "en"].map(|language| {
        let lists = lists().into_iter();
        let lists = lists.map(|list| words(&format!("{list}{language}.js")));
        lists.flatten().collect()
    })
}

#[test]
fn every_word_is_there_in_both_languages_and_stands_once() {
    let mut seen = BTreeSet::new();
    for list in lists() {
        let [ru, en] = ["ru", "en"].map(|language| words(&format!("{list}{language}.js")));
        let spoken = |words: &BTreeMap<&'static str, &'static str>| -> Vec<&'static str> {
            let keys = words.keys().copied();
            keys.filter(|key| !is_of_setting(key)).collect()
        };
        if !list.starts_with("settings-") {
            assert_eq!(spoken(&ru), spoken(&en), "{list}");
        }
        for key in ru.keys() {
            assert!(seen.insert(*key), "{key} stands twice");
        }
    }
    let [ru, en] = both();
    assert!(ru.len() > 300, "{}", ru.len());
    assert!(ru.values().chain(en.values()).all(|text| !text.is_empty()));
    // What a setting is called in English can be read off its name, and what it does off the
    // schema.
    let lacks = |key: &&&str| !en.contains_key(**key) && !is_of_setting(key);
    assert_eq!(
        ru.keys().filter(lacks).collect::<Vec<_>>(),
        Vec::<&&str>::new()
    );
    assert_eq!(
        en.keys()
            .filter(|key| !ru.contains_key(*key))
            .collect::<Vec<_>>(),
        Vec::<&&str>::new()
    );
    for page in PAGES.iter().filter(|page| page.media == JS) {
        for key in own_words(page.text) {
            assert!(ru.contains_key(key), "{} says {key}", page.path);
        }
    }
}

#[test]
fn what_the_endpoint_names_by_a_word_has_a_word_for_people() {
    let [ru, _] = both();
    let alarms = include_str!("../../../docs/alarms.md").lines();
    let alarms = alarms.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut keys: Vec<String> = alarms.map(|word| format!("alarm.{word}")).collect();
    assert!(keys.len() > 10, "{keys:?}");
    let phases = [
        Phase::Ringing,
        Phase::Answered,
        Phase::Started,
        Phase::Accepted,
        Phase::Tagged,
        Phase::Message,
        Phase::Continued,
        Phase::Ended,
        Phase::RecordingReady,
        Phase::Received,
    ];
    keys.extend(phases.map(|phase| format!("phase.{phase}")));
    let lacks = keys.iter().filter(|key| !ru.contains_key(key.as_str()));
    assert_eq!(lacks.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Words of settings stand under `set` or the name of their table.
fn is_of_setting(key: &str) -> bool {
    let table = key.split('.').next().unwrap_or_default();
    ["set", "employees", "hours"].contains(&table) || table.starts_with(char::is_uppercase)
}

/// What people read of the settings: switches, other settings and choices, each with the keys
/// under which its words may stand.
fn settings(schema: &Value, owner: &str, key: &str, found: &mut Vec<(Vec<String>, bool)>) {
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        if property.get("const").is_some() || (owner, name.as_str()) == ("Filter", "of") {
            continue;
        }
        let keys = vec![format!("{owner}.{name}"), format!("set.{name}")];
        found.push((keys, property["type"] == "boolean"));
        settings(property, owner, name, found);
    }
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        let tag = choice["properties"].as_object().into_iter().flatten();
        let tag = tag
            .filter_map(|(_, property)| property["const"].as_str())
            .next();
        let word = choice["const"].as_str().or(tag);
        if let Some(word) = word.filter(|_| owner != "Filter" && !key.is_empty()) {
            found.push((vec![format!("set.{key}={word}")], false));
        }
        settings(choice, owner, key, found);
    }
    if schema["items"].is_object() {
        settings(&schema["items"], owner, key, found);
    }
}

/// The tab in which a setting stands, by its way.
fn tab_of(way: &[&str]) -> &'static str {
    let together = |key: &str| {
        let tabs = quoted_pairs("integration.js", "const TAB_OF = {");
        tabs.into_iter()
            .find(|(one, _)| *one == key)
            .map(|(_, tab)| tab)
    };
    match way {
        ["schedule" | "schedules", ..] => "schedule",
        ["employees", ..] => "mapping",
        ["deals", ..] => "deals",
        ["calls", "incoming", key, ..] => together(key).unwrap_or("incoming"),
        ["calls", "outgoing", key, ..] => together(key).unwrap_or("outgoing"),
        ["calls", key, ..] => together(key).unwrap_or("other"),
        ["requests", key, ..] => together(key).unwrap_or("requests"),
        ["chats", key, ..] => together(key).unwrap_or("chats"),
        _ => "other",
    }
}

/// The pairs `key: "text"` of a line that begins so.
fn quoted_pairs(name: &str, begin: &str) -> Vec<(&'static str, &'static str)> {
    let mut lines = file(name).lines();
    let line = lines
        .find_map(|line| line.strip_prefix(begin))
        .unwrap_or_default();
    let pairs = line.split(", ").filter_map(|pair| {
        let (key, text) = pair.split_once(": \"")?;
        Some((key.trim(), text.split('"').next()?))
    });
    pairs.collect()
}

/// Walks through the settings, and names those whose words are not loaded with their tab.
fn unloaded(
    part: &Value,
    parts: &Value,
    owner: &str,
    way: &mut Vec<String>,
    known: &BTreeMap<String, BTreeSet<&str>>,
    lacks: &mut BTreeSet<String>,
) {
    // Filters stand in filters; nothing else has itself in it.
    if way.len() > 12 {
        return;
    }
    if let Some(name) = part["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next())
    {
        let owner = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if owner != "Filter" {
            unloaded(&parts[name], parts, owner, way, known, lacks);
        }
        return;
    }
    for (name, property) in part["properties"].as_object().into_iter().flatten() {
        if property.get("const").is_some() {
            continue;
        }
        way.push(name.clone());
        let steps: Vec<&str> = way.iter().map(String::as_str).collect();
        let tab = tab_of(&steps);
        let keys = [format!("{owner}.{name}"), format!("set.{name}")];
        // The first steps are tabs themselves.
        if steps.len() > 2 && !keys.iter().any(|key| known[tab].contains(key.as_str())) {
            lacks.insert(format!("{tab}: {}", keys[1]));
        }
        unloaded(property, parts, owner, way, known, lacks);
        way.pop();
    }
    for group in ["anyOf", "oneOf"] {
        for one in part[group].as_array().into_iter().flatten() {
            unloaded(one, parts, owner, way, known, lacks);
        }
    }
    if part["items"].is_object() {
        unloaded(&part["items"], parts, owner, way, known, lacks);
    }
}

#[test]
fn the_words_of_a_setting_are_loaded_with_its_tab() {
    let schema = crate::rules::form::schema();
    let mut known = BTreeMap::new();
    for (view, _, lists) in views() {
        if let Some(tab) = view.strip_prefix("integration ") {
            let lists = lists.iter();
            let keys = lists.flat_map(|list| words(&format!("{list}ru.js")).into_keys());
            known.insert(tab.to_owned(), keys.collect());
        }
    }
    let mut lacks = BTreeSet::new();
    let parts = &schema["$defs"];
    let mut way = Vec::new();
    unloaded(
        &schema,
        parts,
        "IntegrationSettings",
        &mut way,
        &known,
        &mut lacks,
    );
    assert!(lacks.is_empty(), "{lacks:#?}");
}

#[test]
fn every_setting_of_the_schema_is_explained_in_both_languages() {
    let schema = crate::rules::form::schema();
    let mut found = Vec::new();
    settings(&schema, "IntegrationSettings", "", &mut found);
    for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
        settings(part, name, "", &mut found);
    }
    assert!(found.len() > 100, "{}", found.len());
    let [ru, _] = both();
    let lacks = |keys: &[String], end: &str| {
        !keys
            .iter()
            .any(|key| ru.contains_key(format!("{key}{end}").as_str()))
    };
    let mut missing: Vec<&str> = Vec::new();
    for (keys, is_switch) in &found {
        // The schema has the English words.
        if lacks(keys, "") || (*is_switch && lacks(keys, ".hint")) {
            missing.extend(keys.first().map(String::as_str));
        }
    }
    assert_eq!(
        missing,
        Vec::<&str>::new(),
        "add them to the pages/settings-…-ru.js of their tab"
    );
}

/// The words that a table of the company's file needs: of each setting, and of each choice.
fn declared(schema: &Value, part: &str, found: &mut Vec<String>) {
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        let key = format!("{part}.{name}");
        for choice in property["oneOf"].as_array().into_iter().flatten() {
            let word = choice["const"].as_str().unwrap_or_default();
            found.push(format!("{key}={word}"));
        }
        declared(property, &key, found);
        declared(&property["items"], &key, found);
        found.push(key);
    }
}

#[test]
fn what_a_source_and_the_company_have_is_named_in_both_languages() {
    use crate::admin::settings_schema::{COMPANY, SOURCES};
    let mut found = Vec::new();
    declared(&SOURCES.common, "Source", &mut found);
    declared(&COMPANY.company, "Company", &mut found);
    declared(&COMPANY.numbers["items"], "Number", &mut found);
    declared(&COMPANY.questions, "Questions", &mut found);
    for kind in SOURCES.kinds.values() {
        let names = kind.secrets.iter().map(|secret| secret.name.as_str());
        let common = ["hook", "hook_previous", "recordings"];
        let common = names.filter(|name| common.contains(name));
        found.extend(common.map(|name| format!("Source.secrets.{name}")));
    }
    assert!(found.len() > 30, "{}", found.len());
    let [ru, _] = both();
    let missing: Vec<&String> = found
        .iter()
        .filter(|key| !ru.contains_key(key.as_str()))
        .collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "add them to pages/sources-ru.js"
    );
}

#[test]
fn no_page_names_a_kind_of_source() {
    use crate::admin::settings_schema::SOURCES;
    for page in PAGES.iter().filter(|page| page.media == JS) {
        for kind in SOURCES.kinds.keys() {
            let written = [format!("\"{kind}\""), format!("'{kind}'")];
            let is_named = written.iter().any(|word| page.text.contains(word));
            assert!(!is_named, "{} names {kind}", page.path);
        }
    }
}

#[test]
fn s1_05_an_integration_has_the_blocks_of_the_manuals_and_its_states_are_explained() {
    let words = both();
    let tabs = file("integration.js").lines();
    let tabs = tabs.filter_map(|line| line.strip_prefix("const TABS = ["));
    let tabs: Vec<&str> = tabs
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .collect();
    for block in ["credentials", "incoming", "outgoing", "mapping", "other"] {
        assert!(tabs.contains(&block), "{block}");
    }
    let keys = tabs.iter().map(|block| format!("block.{block}"));
    let states = ["on", "observe", "off"];
    let keys = keys.chain(states.map(|state| format!("activity.{state}.hint")));
    for key in keys {
        assert!(
            words.iter().all(|words| words.contains_key(key.as_str())),
            "{key}"
        );
    }
}
