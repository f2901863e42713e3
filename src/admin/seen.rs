//! Which state of a company's file was seen by whoever wants to change it: `If-Match`.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use crate::problem::problem;

/// What a request says of it. A change without is refused, so that no other change is lost.
pub(super) struct Seen(Result<String, NotSeen>);

impl Seen {
    /// Returns the revision that was seen.
    pub(super) fn revision(self) -> Result<String, NotSeen> {
        self.0
    }
}

impl FromRequest for Seen {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(read(request))))
    }
}

/// Why it is not known what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotSeen {
    /// There is no If-Match.
    Missing,
    /// It is no single strong tag.
    Unreadable,
}

impl NotSeen {
    /// Answers it.
    pub(super) fn answer(self) -> HttpResponse {
        problem(self.status(), self.text())
    }

    fn status(self) -> StatusCode {
        match self {
            NotSeen::Missing => StatusCode::PRECONDITION_REQUIRED,
            NotSeen::Unreadable => StatusCode::BAD_REQUEST,
        }
    }

    fn text(self) -> &'static str {
        match self {
            NotSeen::Missing => {
                "send the ETag that you were shown as If-Match, so that no other change is lost"
            }
            NotSeen::Unreadable => "If-Match must be the one ETag that you were shown",
        }
    }
}

fn read(request: &HttpRequest) -> Result<String, NotSeen> {
    let tag = request.headers().get(header::IF_MATCH);
    let tag = tag.ok_or(NotSeen::Missing)?;
    let tag = tag.to_str().unwrap_or_default().trim();
    let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    match bare {
        Some(bare) if !bare.is_empty() && !bare.contains('"') => Ok(bare.to_owned()),
        _ => Err(NotSeen::Unreadable),
    }
}
