//! Where a CRM sends people back after they let us in, and tells that they switched us off. What
//! stands in such a request is looked at, checked and never shown again.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::crm::{Answer, Grant, LetIn, Returned, SwitchOff};
use crate::model::secret::Secret;

use super::http::{IntakeHttp, stranger, try_again};

/// Longest query that is looked at: amoCRM's codes have about a thousand characters.
const QUERY_BYTES_MAX: usize = 8192;

/// What a CRM sends a person back with.
#[derive(Deserialize)]
pub(super) struct Query {
    state: Option<String>,
    code: Option<String>,
    referer: Option<String>,
    domain: Option<String>,
    error: Option<String>,
}

/// What a CRM tells of being switched off with.
#[derive(Deserialize)]
pub(super) struct Notice {
    account_id: Option<String>,
    client_uuid: Option<String>,
    signature: Option<String>,
}

/// Takes a person back.
pub(super) async fn returned(
    state: web::Data<IntakeHttp>,
    path: web::Path<String>,
    request: HttpRequest,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    if state.crm_hooks.load().is_none() {
        return try_again("the daemon is starting; try again");
    }
    // The address is probed from time to time whether it is there (`crm/amocrm.md` §2).
    if request.query_string().is_empty() {
        return page(StatusCode::OK, &NOTHING);
    }
    let Ok(query) = query.map(web::Query::into_inner) else {
        return unknown(&state, &request);
    };
    if request.query_string().len() > QUERY_BYTES_MAX {
        return unknown(&state, &request);
    }
    let Some(given) = query.state else {
        return unknown(&state, &request);
    };
    let grant = match (query.code, query.error) {
        (Some(code), None) => Some(Grant {
            code: Secret::new(code),
            // The portal's host, as each CRM calls it.
            host: query.referer.or(query.domain).unwrap_or_default(),
        }),
        (None | Some(_), _) => None,
    };
    let answer = Answer {
        state: given,
        grant,
    };
    match state.consent.returned(path.into_inner(), answer).await {
        Returned::Unknown => unknown(&state, &request),
        Returned::Denied => page(StatusCode::OK, &DENIED),
        Returned::Ended(LetIn::Done) => page(StatusCode::OK, &DONE),
        Returned::Ended(LetIn::Later(_)) => page(StatusCode::SERVICE_UNAVAILABLE, &LATER),
        Returned::Ended(LetIn::NoAccount | LetIn::Refused(_) | LetIn::Lost(_)) => {
            page(StatusCode::BAD_REQUEST, &REFUSED)
        }
    }
}

/// Takes word that an integration was switched off.
pub(super) async fn switched_off(
    state: web::Data<IntakeHttp>,
    path: web::Path<String>,
    request: HttpRequest,
    query: Result<web::Query<Notice>, actix_web::Error>,
) -> HttpResponse {
    if state.crm_hooks.load().is_none() {
        return try_again("the daemon is starting; try again");
    }
    let Ok(notice) = query.map(web::Query::into_inner) else {
        return stranger(&state, &request);
    };
    let (Some(account_id), Some(client_id), Some(signature)) =
        (notice.account_id, notice.client_uuid, notice.signature)
    else {
        return stranger(&state, &request);
    };
    let notice = SwitchOff {
        account_id,
        client_id,
        signature,
    };
    if state.consent.switched_off(path.into_inner(), notice).await {
        HttpResponse::Ok().finish()
    } else {
        stranger(&state, &request)
    }
}

/// Answers who was not sent by us, or too long ago; counts as a stranger.
fn unknown(state: &IntakeHttp, request: &HttpRequest) -> HttpResponse {
    let counted = stranger(state, request);
    if counted.status() == StatusCode::TOO_MANY_REQUESTS {
        return counted;
    }
    page(StatusCode::BAD_REQUEST, &UNKNOWN)
}

/// What a person reads, in both languages: nothing tells which one is theirs, and nothing of the
/// request stands in it.
struct Words {
    heading: &'static str,
    russian: &'static str,
    english: &'static str,
    closes: bool,
}

const DONE: Words = Words {
    heading: "Готово / Done",
    russian: "Доступ получен. Это окно можно закрыть.",
    english: "Access was granted. This window can be closed.",
    closes: true,
};

const DENIED: Words = Words {
    heading: "Доступ не разрешён / Access was not permitted",
    russian: "Ничего не изменилось. Чтобы разрешить доступ, запросите новую ссылку.",
    english: "Nothing has changed. To permit access, ask for a new link.",
    closes: false,
};

const UNKNOWN: Words = Words {
    heading: "Ссылка не действует / This link is not valid",
    russian: "Она уже использована или старше 20 минут. Запросите новую: trunkline account authorise.",
    english: "It was used already or is older than 20 minutes. Ask for a new one: trunkline account \
              authorise.",
    closes: false,
};

const REFUSED: Words = Words {
    heading: "Доступ не получен / Access was not granted",
    russian: "Причина записана в журнал Trunkline. Запросите новую ссылку.",
    english: "The reason stands in Trunkline's journal. Ask for a new link.",
    closes: false,
};

const LATER: Words = Words {
    heading: "CRM не отвечает / The CRM does not answer",
    russian: "Ничего не изменилось. Запросите новую ссылку немного позже.",
    english: "Nothing has changed. Ask for a new link a little later.",
    closes: false,
};

const NOTHING: Words = Words {
    heading: "Trunkline",
    russian: "Сюда возвращаются после разрешения доступа.",
    english: "People are sent back here after they permitted access.",
    closes: false,
};

/// Closes a window that was opened for the consent (S0-02); others stay.
const CLOSE: &str = "window.close()";

fn page(status: StatusCode, words: &Words) -> HttpResponse {
    let (script, policy) = if words.closes {
        let hash = STANDARD.encode(Sha256::digest(CLOSE));
        (
            format!("<script>{CLOSE}</script>"),
            format!("default-src 'none'; script-src 'sha256-{hash}'; frame-ancestors 'none'"),
        )
    } else {
        let policy = "default-src 'none'; frame-ancestors 'none'";
        (String::new(), policy.to_owned())
    };
    let Words {
        heading,
        russian,
        english,
        ..
    } = words;
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"ru\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{heading}</title></head>\n\
         <body><h1>{heading}</h1><p>{russian}</p><p lang=\"en\">{english}</p>{script}</body></html>\n"
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}
