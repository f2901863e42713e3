//! The pages for people: a handful of files in the program itself. They hold nothing of clients or
//! settings; what they show they ask of the endpoint like any other program.

use actix_web::http::header::{self, EntityTag, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest as _, Sha256};

/// A file of the pages.
struct Page {
    path: &'static str,
    media: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! pages {
    ($($path:literal $file:literal $media:ident,)*) => {
        const PAGES: &[Page] = &[$(Page {
            path: $path,
            media: $media,
            text: include_str!(concat!("../../../pages/", $file)),
        },)*];
    };
}

pages! {
    "/" "index.html" HTML,
    "/pages/style.css" "style.css" CSS,
    "/pages/icon.svg" "icon.svg" SVG,
    "/pages/main.js" "main.js" JS,
    "/pages/api.js" "api.js" JS,
    "/pages/dom.js" "dom.js" JS,
    "/pages/words.js" "words.js" JS,
    "/pages/ru.js" "ru.js" JS,
    "/pages/en.js" "en.js" JS,
    "/pages/login.js" "login.js" JS,
    "/pages/overview.js" "overview.js" JS,
    "/pages/journal.js" "journal.js" JS,
    "/pages/story.js" "story.js" JS,
    "/pages/outbox.js" "outbox.js" JS,
    "/pages/directory.js" "directory.js" JS,
    "/pages/deals.js" "deals.js" JS,
    "/pages/accounts.js" "accounts.js" JS,
    "/pages/credential.js" "credential.js" JS,
    "/pages/consent.js" "consent.js" JS,
    "/pages/portal.js" "portal.js" JS,
    "/pages/joining.js" "joining.js" JS,
    "/pages/installations.js" "installations.js" JS,
    "/pages/integration.js" "integration.js" JS,
    "/pages/form.js" "form.js" JS,
    "/pages/filter.js" "filter.js" JS,
    "/pages/template.js" "template.js" JS,
    "/pages/people.js" "people.js" JS,
    "/pages/settings-ru.js" "settings-ru.js" JS,
    "/pages/settings-en.js" "settings-en.js" JS,
    "/pages/source.js" "source.js" JS,
    "/pages/sources.js" "sources.js" JS,
    "/pages/company.js" "company.js" JS,
    "/pages/declared.js" "declared.js" JS,
    "/pages/saving.js" "saving.js" JS,
    "/pages/sources-ru.js" "sources-ru.js" JS,
    "/pages/sources-en.js" "sources-en.js" JS,
    "/pages/guide.js" "guide.js" JS,
    "/pages/guide-ru.js" "guide-ru.js" JS,
    "/pages/guide-en.js" "guide-en.js" JS,
}

pub(super) fn configure(config: &mut web::ServiceConfig) {
    for page in PAGES {
        config.route(page.path, web::get().to(serve));
    }
}

/// Says whether a path is one of the pages, which anybody on this machine may read.
pub(super) fn is_page(path: &str) -> bool {
    PAGES.iter().any(|page| page.path == path)
}

async fn serve(request: HttpRequest, seen: Option<web::Header<IfNoneMatch>>) -> HttpResponse {
    let Some(page) = PAGES.iter().find(|page| page.path == request.path()) else {
        return super::not_found();
    };
    let text = text(page).await;
    let digest = Sha256::digest(text.as_bytes());
    let tag: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let tag = EntityTag::new_strong(tag);
    let is_known = match seen.as_deref() {
        Some(IfNoneMatch::Items(tags)) => tags.iter().any(|one| one.weak_eq(&tag)),
        Some(IfNoneMatch::Any) => true,
        None => false,
    };
    let mut answer = match is_known {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    answer
        // A new version of the program brings new pages at once.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(header::ETag(tag));
    match is_known {
        true => answer.finish(),
        false => answer.content_type(page.media).body(text),
    }
}

/// Returns a file of the pages. A build for development reads it from the folder that
/// `TRUNKLINE_PAGES_DIR` names, if it does.
#[cfg(debug_assertions)]
async fn text(page: &Page) -> String {
    let name = page.path.strip_prefix("/pages/").unwrap_or("index.html");
    if let Some(folder) = std::env::var_os("TRUNKLINE_PAGES_DIR") {
        let file = std::path::Path::new(&folder).join(name);
        if let Ok(text) = tokio::fs::read_to_string(file).await {
            return text;
        }
    }
    page.text.to_owned()
}

/// Returns a file of the pages.
#[cfg(not(debug_assertions))]
async fn text(page: &Page) -> &'static str {
    page.text
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

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

    #[test]
    fn every_page_view_weighs_less_than_a_view_may() {
        let views = file("main.js").lines();
        let views = views.filter_map(|line| line.strip_prefix("const PAGES = ["));
        let views: Vec<&str> = views
            .flat_map(|line| line.split('"').skip(1).step_by(2))
            .collect();
        assert!(views.len() > 8, "{views:?}");
        for view in views {
            for language in ["ru", "en"] {
                let mut found = BTreeSet::new();
                load("main.js", &mut found);
                load(&format!("{view}.js"), &mut found);
                let lists: Vec<String> = found
                    .iter()
                    .flat_map(|name| file(name).split("learn(\"").skip(1))
                    .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
                    .collect();
                for list in lists.iter().map(String::as_str).chain([""]) {
                    found.insert(format!("{list}{language}.js"));
                }
                let always = ["style.css", "icon.svg"].map(str::to_owned);
                let bytes: usize = found
                    .iter()
                    .chain(&always)
                    .map(|name| file(name).len())
                    .sum();
                assert!(bytes < 150_000, "{view} in {language}: {bytes}");
            }
        }
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

    /// The dictionaries of both languages, all lists together.
    fn both() -> [BTreeMap<&'static str, &'static str>; 2] {
        ["ru", "en"].map(|language| {
            let lists = ["", "settings-", "guide-", "sources-"];
            let lists = lists.map(|list| words(&format!("{list}{language}.js")));
            lists.into_iter().flatten().collect()
        })
    }

    #[test]
    fn every_word_is_there_in_both_languages() {
        for list in ["", "guide-"] {
            let [ru, en] = ["ru", "en"].map(|language| words(&format!("{list}{language}.js")));
            assert!(ru.keys().eq(en.keys()), "{list}");
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
            for (place, _) in page.text.match_indices(" t(\"") {
                let rest = page.text.get(place + 4..).unwrap_or_default();
                let key = rest.split('"').next().unwrap_or_default();
                assert!(ru.contains_key(key), "{} says {key}", page.path);
            }
        }
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
            "add them to pages/settings-ru.js"
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
        declared(&COMPANY["company"], "Company", &mut found);
        declared(&COMPANY["numbers"]["items"], "Number", &mut found);
        declared(&COMPANY["questions"], "Questions", &mut found);
        for kind in SOURCES.kinds.values() {
            let names = kind.secrets.iter().map(|secret| &secret["name"]);
            let common = ["hook", "hook_previous", "recordings"];
            let common = names
                .filter_map(Value::as_str)
                .filter(|name| common.contains(name));
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
}
