//! Where portals post what an application is let in with when they install it (`crm/bitrix24.md` §3).
//! Whoever posts is a stranger, whatever it says, until the vendor and an administrator say
//! otherwise. Nothing of a request is ever shown again.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::crm::{InstallPage, Received};
use crate::model::explanation::Language;
use crate::problem::problem;

use super::http::{IntakeHttp, read_body, sender, stranger, too_many, try_again};

/// Longest body: a bundle has some hundred bytes, with every scope of the vendor's two thousand.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;

/// Longest query.
const QUERY_BYTES_MAX: usize = 2048;

/// Takes what a portal posts.
pub(super) async fn posted(
    state: web::Data<IntakeHttp>,
    path: web::Path<String>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    if state.crm_hooks.load().is_none() {
        return try_again("the daemon is starting; try again");
    }
    // Counted before it is read: portals install an application once, and nobody else has a
    // reason to come here.
    let from = sender(&request, &state.trusted_proxies);
    if let Err(wait) = state.flood.stranger(from) {
        return too_many("stranger", wait);
    }
    let query = request.query_string().to_owned();
    if query.len() > QUERY_BYTES_MAX {
        return problem(StatusCode::URI_TOO_LONG, "the query is too long");
    }
    let body = match read_body(&request, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let desk = &state.installations;
    let reception = desk.posted(path.into_inner(), query, body.to_vec()).await;
    match (reception.received, reception.page) {
        (Received::Unknown, _) => stranger(&state, &request),
        (received, Some(page)) => shown(&received, &page),
        (received, None) => plain(&received),
    }
}

/// Answers a program: the portal's queue of events.
fn plain(received: &Received) -> HttpResponse {
    let text = match received {
        Received::Waits { .. } | Received::Known | Received::Renewed | Received::Removed => {
            return HttpResponse::Ok().finish();
        }
        Received::Later | Received::Full => return try_again("not now; install it again later"),
        Received::NotListed => "this portal may not ask to be let in",
        Received::NotProven => "the vendor does not confirm the installation",
        Received::NotAdministrator => "an administrator of the portal must install it",
        Received::Unknown => return super::http::not_found(),
    };
    problem(StatusCode::FORBIDDEN, text)
}

/// What a person reads in the portal's frame.
struct Words {
    heading: &'static str,
    text: &'static str,
}

fn status(received: &Received) -> StatusCode {
    match received {
        Received::Waits { .. } | Received::Known | Received::Renewed | Received::Removed => {
            StatusCode::OK
        }
        Received::Later | Received::Full => StatusCode::SERVICE_UNAVAILABLE,
        Received::NotListed
        | Received::NotProven
        | Received::NotAdministrator
        | Received::Unknown => StatusCode::FORBIDDEN,
    }
}

fn russian(received: &Received) -> Words {
    let (heading, text) = match received {
        Received::Waits { .. } => (
            "Осталось принять портал",
            "Приложение установлено. Чтобы оно заработало, администратор Trunkline принимает портал: \
             страница «Настройки», раздел «Установки», или команда trunkline account accept. Номер \
             установки:",
        ),
        Received::Known | Received::Renewed => (
            "Портал подключён",
            "Портал работает с Trunkline. Настройки открываются на странице Trunkline.",
        ),
        Received::NotListed => (
            "Портал не ждут",
            "Администратор Trunkline должен сначала указать этот портал в настройках.",
        ),
        Received::NotProven => (
            "Установка не подтверждена",
            "Битрикс24 не подтвердил установку. Установите приложение ещё раз.",
        ),
        Received::NotAdministrator => (
            "Нужен администратор портала",
            "Приложение устанавливает администратор Битрикс24.",
        ),
        Received::Full | Received::Later | Received::Removed | Received::Unknown => (
            "Сейчас не получилось",
            "Ничего не изменилось. Откройте приложение ещё раз через несколько минут.",
        ),
    };
    Words { heading, text }
}

fn english(received: &Received) -> Words {
    let (heading, text) = match received {
        Received::Waits { .. } => (
            "The portal must be accepted",
            "The application is installed. It begins to work when an administrator of Trunkline \
             accepts the portal: page Settings, card Installations, or the command trunkline account \
             accept. Number of the installation:",
        ),
        Received::Known | Received::Renewed => (
            "The portal is connected",
            "The portal works with Trunkline. Its settings are on the page of Trunkline.",
        ),
        Received::NotListed => (
            "This portal is not expected",
            "An administrator of Trunkline must name this portal in the settings first.",
        ),
        Received::NotProven => (
            "The installation is not confirmed",
            "Bitrix24 does not confirm the installation. Install the application again.",
        ),
        Received::NotAdministrator => (
            "An administrator is needed",
            "An administrator of Bitrix24 must install the application.",
        ),
        Received::Full | Received::Later | Received::Removed | Received::Unknown => (
            "Not now",
            "Nothing has changed. Open the application again in a few minutes.",
        ),
    };
    Words { heading, text }
}

/// Shows a page in the portal's frame. Where the installation was taken it tells the portal that it
/// is over, by the vendor's own library: without that no events come (§3).
fn shown(received: &Received, page: &InstallPage) -> HttpResponse {
    let (words, lang) = match page.language {
        Language::Ru => (russian(received), "ru"),
        Language::En => (english(received), "en"),
    };
    let Words { heading, text } = words;
    let number = match received {
        Received::Waits { id } => format!(" <b>{id}</b>"),
        _ => String::new(),
    };
    let finish = &page.finish;
    let (script, sources) = match received {
        Received::Waits { .. } | Received::Known | Received::Renewed => {
            let hash = STANDARD.encode(Sha256::digest(finish.call));
            let script = format!(
                "<script src=\"{}\"></script><script>{}</script>",
                finish.library, finish.call
            );
            (script, format!("{} 'sha256-{hash}'", finish.origin))
        }
        _ => (String::new(), "'none'".to_owned()),
    };
    // Nobody else frames it, and nothing else runs in it. A portal that nobody knows frames nothing.
    let framed_by = match received {
        Received::NotListed => "'none'",
        _ => page.framed_by.as_str(),
    };
    let policy = format!("default-src 'none'; script-src {sources}; frame-ancestors {framed_by}");
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{heading}</title></head>\n\
         <body><h1>{heading}</h1><p>{text}{number}</p>{script}</body></html>\n"
    );
    HttpResponse::build(status(received))
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}
