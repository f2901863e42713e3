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
    "/pages/joining.js" "joining.js" JS,
    "/pages/installations.js" "installations.js" JS,
    "/pages/integration.js" "integration.js" JS,
    "/pages/calls.js" "calls.js" JS,
    "/pages/filter.js" "filter.js" JS,
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
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_page_weighs_less_than_one_may_with_all_that_it_loads() {
        let main = file("main.js");
        let views: Vec<&str> = main
            .split("import(\"/pages/")
            .skip(1)
            .filter_map(|rest| rest.split_once('"').map(|(name, _)| name))
            .collect();
        assert!(
            views.contains(&"accounts.js") && views.len() > 7,
            "{views:?}"
        );
        for view in views {
            // The heavier of the two dictionaries: only one is fetched.
            let mut loaded = vec![
                "index.html",
                "style.css",
                "icon.svg",
                "ru.js",
                "main.js",
                view,
            ];
            let mut looked_at = 0;
            while let Some(name) = loaded.get(looked_at).copied() {
                looked_at += 1;
                for (_, rest) in file(name)
                    .match_indices(" from \"/pages/")
                    .map(|(at, found)| {
                        let rest = file(name).get(at + found.len()..).unwrap_or_default();
                        (at, rest.split('"').next().unwrap_or_default())
                    })
                {
                    if !loaded.contains(&rest) {
                        loaded.push(rest);
                    }
                }
            }
            let bytes: usize = loaded.iter().map(|name| file(name).len()).sum();
            assert!(bytes < 150_000, "{view}: {bytes}");
            assert!(loaded.contains(&"words.js"), "{loaded:?}");
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

    #[test]
    fn every_word_is_there_in_both_languages() {
        let (ru, en) = (words("ru.js"), words("en.js"));
        assert!(ru.len() > 300, "{}", ru.len());
        assert!(ru.keys().eq(en.keys()));
        assert!(ru.values().chain(en.values()).all(|text| !text.is_empty()));
        for page in PAGES.iter().filter(|page| page.media == JS) {
            for (place, _) in page.text.match_indices(" t(\"") {
                let rest = page.text.get(place + 4..).unwrap_or_default();
                let key = rest.split('"').next().unwrap_or_default();
                assert!(ru.contains_key(key), "{} says {key}", page.path);
            }
        }
    }

    #[test]
    fn s1_05_an_integration_has_its_five_blocks_and_its_switches_are_explained() {
        let words = [words("ru.js"), words("en.js")];
        let explained = |key: &str| {
            let hint = format!("{key}.hint");
            assert!(
                words.iter().all(|words| words.contains_key(hint.as_str())),
                "{key}"
            );
        };
        for block in ["credentials", "incoming", "outgoing", "mapping", "other"] {
            assert!(
                file("integration.js").contains(&format!("[\"{block}\", () =>")),
                "{block}"
            );
        }
        for case in [
            "answered_unknown",
            "missed_unknown",
            "answered_known",
            "missed_known",
        ] {
            explained(&format!("case.{case}"));
        }
        for action in [
            "contact_and_deal",
            "unsorted",
            "contact",
            "lead_or_deal",
            "deal_always",
        ] {
            explained(&format!("action.{action}"));
        }
        for activity in ["on", "observe", "off"] {
            explained(&format!("activity.{activity}"));
        }
        for switch in [
            "at_answer",
            "task",
            "missed_task",
            "tags.on",
            "tags.number",
            "tags.source",
            "filter",
            "call_history",
            "talker",
            "telephony",
        ] {
            explained(switch);
        }
    }
}
