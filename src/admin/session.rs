//! Log-in of people: the admin token is exchanged for a session.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::Secret;
use crate::problem::problem;

use super::access::{Access, SESSION, is_repeated, session_cookie, session_id};
use super::body::{JsonBody, unreadable_as};
use super::openapi::operation::Operation;
use super::sessions::{NotLetIn, Sessions};

/// Longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;

/// What opens the door.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SessionKey")]
pub(super) struct Key {
    /// The admin token.
    #[schemars(with = "String", length(max = TOKEN_BYTES_MAX), extend("writeOnly" = true))]
    token: Secret,
}

/// A browser's session.
#[derive(Serialize, JsonSchema)]
struct Session {
    /// What every change must repeat as X-CSRF-Token.
    csrf: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            SESSION,
            "The word of the browser's session, which every change repeats",
            show,
        )
        .without_token()
        .answers::<Session>(200, "A session")
        .refuses(401, "There is no session")
        .refuses(409, "The socket needs none"),
        Operation::post(
            SESSION,
            "Exchange the admin token for a session; people's browsers keep it in a cookie",
            begin,
        )
        .without_token()
        .answers::<Session>(200, "A session")
        .sets("Set-Cookie", "HttpOnly, SameSite=Strict")
        .refuses(401, "It is not the token")
        .refuses(403, "Another origin asks")
        .refuses(409, "The socket needs none")
        .refuses(
            429,
            "Too many wrong tokens; Retry-After says when to come again",
        )
        .refuses(503, "The system gives no random bytes"),
        Operation::delete(SESSION, "End the browser's session", end)
            .without_token()
            .answers_nothing("There is none any more")
            .refuses(
                403,
                "The session's word is not repeated, or another origin asks",
            )
            .refuses(409, "The socket needs none"),
    ]
}

/// Begins a session.
pub(super) async fn begin(
    access: web::Data<Access>,
    request: HttpRequest,
    key: Result<JsonBody<Key>, actix_web::Error>,
) -> HttpResponse {
    let Some(sessions) = sessions(&access) else {
        return no_need();
    };
    // What was sent is not repeated: it is a secret.
    let form = "the body must be {\"token\": \"…\"}";
    let key = match key {
        Ok(key) => key.into_inner(),
        Err(error) => return unreadable_as(&error, form),
    };
    if key.token.expose().len() > TOKEN_BYTES_MAX {
        return problem(StatusCode::BAD_REQUEST, form);
    }
    match sessions.begin(key.token.expose().trim()) {
        Ok(begun) => HttpResponse::Ok()
            .insert_header((
                header::SET_COOKIE,
                session_cookie(&request, begun.id.expose()),
            ))
            .json(Session { csrf: begun.csrf }),
        Err(NotLetIn::Wrong) => problem(StatusCode::UNAUTHORIZED, "this is not the token"),
        Err(NotLetIn::TooMany(left)) => {
            let seconds = left.as_secs().saturating_add(1);
            let mut answer = problem(
                StatusCode::TOO_MANY_REQUESTS,
                &format!("too many wrong tokens: try again in {seconds} s"),
            );
            let value = header::HeaderValue::from(seconds);
            answer.headers_mut().insert(header::RETRY_AFTER, value);
            answer
        }
        Err(NotLetIn::NoRandom) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the system gives no random bytes: try again",
        ),
    }
}

/// Tells a page its session's word, or that there is no session.
pub(super) async fn show(access: web::Data<Access>, request: HttpRequest) -> HttpResponse {
    let Some(sessions) = sessions(&access) else {
        return no_need();
    };
    match session_id(&request).and_then(|id| sessions.csrf(&id)) {
        Some(csrf) => HttpResponse::Ok().json(Session { csrf }),
        None => problem(StatusCode::UNAUTHORIZED, "there is no session: log in"),
    }
}

/// Ends a session.
pub(super) async fn end(access: web::Data<Access>, request: HttpRequest) -> HttpResponse {
    let Some(sessions) = sessions(&access) else {
        return no_need();
    };
    if let Some(id) = session_id(&request)
        && let Some(csrf) = sessions.csrf(&id)
    {
        if !is_repeated(request.headers(), &csrf) {
            let text = "a change must repeat the session's word in X-CSRF-Token";
            return problem(StatusCode::FORBIDDEN, text);
        }
        sessions.end(&id);
    }
    HttpResponse::NoContent()
        .insert_header((header::SET_COOKIE, session_cookie(&request, "")))
        .finish()
}

fn sessions(access: &Access) -> Option<&Sessions> {
    match access {
        Access::Socket => None,
        Access::Token(sessions) => Some(sessions),
    }
}

fn no_need() -> HttpResponse {
    problem(
        StatusCode::CONFLICT,
        "whoever can open the socket needs no session",
    )
}
