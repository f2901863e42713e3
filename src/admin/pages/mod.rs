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
    "/pages/access.js" "access.js" JS,
    "/pages/stale.js" "stale.js" JS,
    "/pages/values.js" "values.js" JS,
    "/pages/form.js" "form.js" JS,
    "/pages/filter.js" "filter.js" JS,
    "/pages/template.js" "template.js" JS,
    "/pages/people.js" "people.js" JS,
    "/pages/source.js" "source.js" JS,
    "/pages/sources.js" "sources.js" JS,
    "/pages/company.js" "company.js" JS,
    "/pages/declared.js" "declared.js" JS,
    "/pages/saving.js" "saving.js" JS,
    "/pages/sources-ru.js" "sources-ru.js" JS,
    "/pages/sources-en.js" "sources-en.js" JS,
    "/pages/guide.js" "guide.js" JS,
    "/pages/ru.js" "ru.js" JS,
    "/pages/en.js" "en.js" JS,
    "/pages/accounts-ru.js" "accounts-ru.js" JS,
    "/pages/accounts-en.js" "accounts-en.js" JS,
    "/pages/deals-ru.js" "deals-ru.js" JS,
    "/pages/deals-en.js" "deals-en.js" JS,
    "/pages/directory-ru.js" "directory-ru.js" JS,
    "/pages/directory-en.js" "directory-en.js" JS,
    "/pages/guide-ru.js" "guide-ru.js" JS,
    "/pages/guide-en.js" "guide-en.js" JS,
    "/pages/integration-ru.js" "integration-ru.js" JS,
    "/pages/integration-en.js" "integration-en.js" JS,
    "/pages/journal-ru.js" "journal-ru.js" JS,
    "/pages/journal-en.js" "journal-en.js" JS,
    "/pages/login-ru.js" "login-ru.js" JS,
    "/pages/login-en.js" "login-en.js" JS,
    "/pages/overview-ru.js" "overview-ru.js" JS,
    "/pages/overview-en.js" "overview-en.js" JS,
    "/pages/portal-ru.js" "portal-ru.js" JS,
    "/pages/portal-en.js" "portal-en.js" JS,
    "/pages/settings-ru.js" "settings-ru.js" JS,
    "/pages/settings-en.js" "settings-en.js" JS,
    "/pages/settings-calls-ru.js" "settings-calls-ru.js" JS,
    "/pages/settings-calls-en.js" "settings-calls-en.js" JS,
    "/pages/settings-deals-ru.js" "settings-deals-ru.js" JS,
    "/pages/settings-deals-en.js" "settings-deals-en.js" JS,
    "/pages/settings-hours-ru.js" "settings-hours-ru.js" JS,
    "/pages/settings-hours-en.js" "settings-hours-en.js" JS,
    "/pages/settings-other-ru.js" "settings-other-ru.js" JS,
    "/pages/settings-other-en.js" "settings-other-en.js" JS,
    "/pages/settings-people-ru.js" "settings-people-ru.js" JS,
    "/pages/settings-people-en.js" "settings-people-en.js" JS,
    "/pages/settings-requests-ru.js" "settings-requests-ru.js" JS,
    "/pages/settings-requests-en.js" "settings-requests-en.js" JS,
    "/pages/settings-rules-ru.js" "settings-rules-ru.js" JS,
    "/pages/settings-rules-en.js" "settings-rules-en.js" JS,
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
mod tests;
