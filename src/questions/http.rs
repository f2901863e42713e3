//! The endpoint of questions: `GET /v1/lookup/{tenant}/{source}?phone=…&did=…[&format=text]`.
//!
//! One handler and no router in front of it, straight on the protocol: a path has one meaning here,
//! and every microsecond stands between a ringing phone and its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_http::body::BoxBody;
use actix_http::header::{self, HeaderName, HeaderValue};
use actix_http::{ConnectionType, Method, Request, RequestHead, Response, StatusCode};

use crate::clock::SharedClock;
use crate::problem::problem;

use super::desk::{Ask, Desk};
use super::query::{BadQuery, Format, Query};
use super::reason::Found;
use super::stats::Refusal;

/// What the handlers share.
#[derive(Clone)]
pub struct QuestionsHttp {
    desk: Arc<Desk>,
    hosts: Arc<[String]>,
    clock: SharedClock,
    told_at_s: Arc<AtomicI64>,
}

/// How often refused askers are told of in the log, in seconds: whoever can knock must not be able
/// to fill the disk.
const TELL_EVERY_S: i64 = 10;

/// Names the policy that chose among several cards with the number.
const POLICY: HeaderName = HeaderName::from_static("trunkline-policy");

impl QuestionsHttp {
    /// Joins a desk with the names by which it is asked, besides those of this machine. `listen`
    /// is the address that is listened at.
    pub fn new(desk: Arc<Desk>, listen: IpAddr, hosts: &[String], clock: SharedClock) -> Self {
        let own = (!listen.is_unspecified()).then(|| listen.to_string());
        Self {
            desk,
            hosts: hosts.iter().cloned().chain(own).collect(),
            clock,
            told_at_s: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// Says whether a request is meant for us: a page of a foreign site that resolves its own name
    /// to our address is not.
    fn is_ours(&self, request: &RequestHead) -> bool {
        let mut hosts = request.headers.get_all(header::HOST).peekable();
        let known = |host: &HeaderValue| host.to_str().is_ok_and(|host| self.knows(host));
        hosts.peek().is_some() && hosts.all(known)
    }

    fn knows(&self, host: &str) -> bool {
        let name = without_port(host);
        if self
            .hosts
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            return true;
        }
        let address = name.parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
    }

    /// Tells of a refused asker, now and then.
    fn tell(&self, asker: Option<IpAddr>, what: &'static str) {
        let now = self.clock.now().as_secs();
        let before = self.told_at_s.load(Ordering::Relaxed);
        let due = before.saturating_add(TELL_EVERY_S) <= now;
        let mine = due
            && self
                .told_at_s
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            let asker = asker.map(tracing::field::display);
            tracing::warn!(asker, "question refused: {what}");
        }
    }
}

/// Returns the name in a Host header.
fn without_port(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(host, |(name, _)| name),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

/// Answers a request, whatever it is.
pub async fn serve(state: &QuestionsHttp, request: Request) -> Response<BoxBody> {
    let request = request.head();
    match respond(state, request).await {
        Ok(response) => response,
        Err(refused) => refused.response(request),
    }
}

/// Why a request is refused.
enum Refused {
    Host,
    NotAllowed,
    NotFound,
    Method,
    Query(BadQuery),
}

impl Refused {
    fn response(&self, request: &RequestHead) -> Response<BoxBody> {
        let (status, title) = match self {
            Refused::Host => (StatusCode::FORBIDDEN, "unknown host".to_owned()),
            Refused::NotAllowed => (
                StatusCode::FORBIDDEN,
                "this address may not ask: it is not in the source's allow".to_owned(),
            ),
            Refused::NotFound => (StatusCode::NOT_FOUND, "there is nothing here".to_owned()),
            Refused::Method => (StatusCode::METHOD_NOT_ALLOWED, "only GET".to_owned()),
            Refused::Query(BadQuery::TooLong) => {
                (StatusCode::URI_TOO_LONG, BadQuery::TooLong.to_string())
            }
            Refused::Query(bad) => (StatusCode::BAD_REQUEST, bad.to_string()),
        };
        let mut response = if query(request).contains("format=text") {
            // A dialplan takes the digits of whatever it reads for an extension.
            text(status, "\n".to_owned())
        } else {
            problem(status, &title).into()
        };
        if matches!(self, Refused::Host | Refused::NotAllowed) {
            // Whoever may not ask does not keep a place from those who may.
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        if matches!(self, Refused::Method) {
            let get = HeaderValue::from_static("GET");
            response.headers_mut().insert(header::ALLOW, get);
        }
        response
    }
}

async fn respond(
    state: &QuestionsHttp,
    request: &RequestHead,
) -> Result<Response<BoxBody>, Refused> {
    let stats = state.desk.stats();
    let asker = request.peer_addr.map(|peer| peer.ip());
    if !state.is_ours(request) {
        stats.refused(Refusal::Host);
        state.tell(asker, "its Host is none of questions.hosts");
        return Err(Refused::Host);
    }
    if request.uri.path() == "/healthz" {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Refused::Method);
        }
        return Ok(text(StatusCode::OK, "ok\n".to_owned()));
    }
    let key = request
        .uri
        .path()
        .strip_prefix("/v1/lookup/")
        .ok_or(Refused::NotFound)?;
    // Whoever is nobody's asker does not even learn what exists.
    let table = state.desk.table();
    let source = table.source(key);
    let allowed = asker.is_some_and(|asker| match source {
        Some(source) => source.allows(asker),
        None => table.knows(asker),
    });
    if !allowed {
        stats.refused(Refusal::NotAllowed);
        state.tell(asker, "its address is not in the source's allow");
        return Err(Refused::NotAllowed);
    }
    let Some(source) = source.cloned() else {
        stats.refused(Refusal::UnknownSource);
        return Err(Refused::NotFound);
    };
    drop(table);
    let bad = |bad| {
        stats.refused(Refusal::BadRequest);
        Refused::Query(bad)
    };
    if request.method != Method::GET {
        return Err(Refused::Method);
    }
    let query = Query::read(query(request)).map_err(bad)?;
    let ask = Ask {
        caller: &query.phone,
        did: query.did.as_deref(),
        redirect_failed: query.redirect_failed,
        within: None,
        explain: false,
    };
    let found = state.desk.answer(&source, ask).await;
    Ok(match query.format {
        Format::Json => json(&found),
        Format::Text => {
            let extension = found.answer.extension.map(|extension| extension.0);
            text(StatusCode::OK, extension.unwrap_or_default() + "\n")
        }
    })
}

/// Returns what stands behind the question mark.
fn query(request: &RequestHead) -> &str {
    request.uri.query().unwrap_or_default()
}

fn json(found: &Found) -> Response<BoxBody> {
    let mut body = Vec::with_capacity(512);
    if let Err(error) = serde_json::to_writer(&mut body, &found.answer) {
        // Texts and numbers always have a JSON form.
        tracing::error!(%error, "answer");
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "the answer has no form").into();
    }
    let mut response = Response::build(StatusCode::OK);
    response.insert_header((header::CONTENT_TYPE, JSON));
    if let Some(policy) = found.policy {
        response.insert_header((POLICY, HeaderValue::from_static(policy)));
    }
    response.body(body).map_into_boxed_body()
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

fn text(status: StatusCode, body: String) -> Response<BoxBody> {
    Response::build(status)
        .insert_header((header::CONTENT_TYPE, TEXT))
        .body(body)
        .map_into_boxed_body()
}
